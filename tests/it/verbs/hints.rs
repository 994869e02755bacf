//! Commands that messages name are commands that there are, and they help.

use std::fs;
use std::process::Command;

use clap::CommandFactory as _;

use super::desk::{Desk, PLAN};

/// Returns the `stackcut …` commands in a text.
fn commands(text: &str) -> Vec<String> {
    text.split('`')
        .skip(1)
        .step_by(2)
        .filter(|quoted| quoted.starts_with("stackcut "))
        .map(str::to_owned)
        .collect()
}

/// Runs a command as a person would paste it.
fn paste(desk: &Desk, command: &str) -> i32 {
    let bin = std::path::Path::new(env!("CARGO_BIN_EXE_stackcut"));
    let path = std::env::join_paths(
        [bin.parent().unwrap().to_owned()]
            .into_iter()
            .chain(std::env::split_paths(&std::env::var_os("PATH").unwrap())),
    )
    .unwrap();
    let status = Command::new("sh")
        .args(["-c", command])
        .current_dir(desk.dir())
        .env("PATH", path)
        .output();
    status.unwrap().status.code().unwrap()
}

#[test]
fn what_messages_say_can_be_pasted() {
    let desk = Desk::local();
    let mut said = vec![desk.apply().code(0)];
    let id = desk.id();
    said.push(desk.on("release", &id, &[]).code(2));
    said.push(desk.run(&["status"]).code(0));
    said.push(desk.on("discard", &id, &["--auto-approve"]).code(1));
    said.push(desk.on("resume", "nope", &[]).code(1));
    let found: Vec<String> = said
        .iter()
        .flat_map(|ended| commands(&format!("{}\n{}", ended.stdout, ended.stderr)))
        .collect();
    assert!(found.len() > 5, "{found:?}");
    desk.clear_code();
    // DIR is for a person to choose.
    for command in found.iter().filter(|command| !command.contains(" DIR")) {
        let code = paste(&desk, &format!("{command} </dev/null"));
        // 64 is the question that nobody can be asked here.
        let asks = command.contains(" undo ") || command.contains(" discard ");
        assert!(code == 0 || (asks && code == 64), "{command}: {code}");
    }
}

/// Every command that the sources name in a message is one, with these options.
#[test]
fn every_command_named_anywhere_parses() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = vec![root.join("README.md"), root.join("docs/recovery.md")];
    let mut dirs = vec![root.join("src")];
    while let Some(dir) = dirs.pop() {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                dirs.push(path);
            } else {
                files.push(path);
            }
        }
    }
    let known = stackcut::cli::Cli::command();
    let verbs: Vec<&str> = known.get_subcommands().map(clap::Command::get_name).collect();
    let mut seen = 0;
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        for command in commands(&text) {
            let Some(verb) = command.split_whitespace().nth(1) else {
                continue;
            };
            // `{verb}` is one of several; `\` continues on the next line.
            if verb.starts_with(['{', '-', '\\', '…']) {
                continue;
            }
            assert!(verbs.contains(&verb), "{}: `{command}`", file.display());
            let sub = known.find_subcommand(verb).unwrap();
            for option in command.split_whitespace().filter(|word| word.starts_with("--")) {
                let name = option.trim_start_matches("--").split('=').next().unwrap();
                assert!(
                    sub.get_arguments()
                        .chain(known.get_arguments())
                        .any(|found| found.get_long() == Some(name)),
                    "{}: `{command}`",
                    file.display()
                );
            }
            seen += 1;
        }
    }
    assert!(seen > 30, "{seen}");
}

#[test]
fn an_unfinished_migration_stops_the_next_plan() {
    let desk = Desk::local();
    let mut apply = desk.start(&["apply", PLAN, "--auto-approve"]);
    // Killed as soon as the journal is there.
    let journal = desk.path("mono/.terraform.tfstate.stackcut/journal");
    while !journal.exists() && apply.try_wait().unwrap().is_none() {
        std::thread::sleep(std::time::Duration::from_micros(200));
    }
    std::thread::sleep(std::time::Duration::from_millis(3));
    apply.kill().unwrap();
    apply.wait().unwrap();
    let all = desk.migrations();
    let Some(found) = all.iter().find(|found| found["standing"] == "unfinished") else {
        // It was faster; the sweep of kills covers the rest.
        return;
    };
    let id = found["id"].as_str().unwrap();
    for args in [&["plan", PLAN][..], &["apply", PLAN, "--auto-approve"]] {
        let refused = desk.run(args).code(3);
        assert!(
            refused.stderr.contains(&format!("migration {id} is unfinished")),
            "{refused}"
        );
        assert!(
            refused.stderr.contains(&format!("`stackcut resume {id}`")),
            "{refused}"
        );
    }
    desk.on("resume", id, &[]).code(0);
}

/// `emit` asks the same journals, and says the same.
#[test]
fn an_unfinished_migration_is_named_alike_by_plan_and_emit() {
    let desk = Desk::local();
    desk.run(&["apply", PLAN, "--auto-approve"]).code(0);
    let id = desk.migrations()[0]["id"].as_str().unwrap().to_owned();
    let journal = desk.path(&format!("mono/.terraform.tfstate.stackcut/journal/{id}"));
    let mut records: Vec<_> = fs::read_dir(&journal)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    records.sort();
    // As if it had been killed ever earlier.
    while let Some(last) = records.pop() {
        fs::remove_file(last).unwrap();
        let emitted = desk.run(&["emit", PLAN, "--out", "emitted"]);
        if emitted.code != Some(3) {
            continue;
        }
        let planned = desk.run(&["plan", PLAN]).code(3);
        let error = |stderr: &str| stderr[stderr.find("error:").unwrap()..].to_owned();
        assert_eq!(error(&emitted.stderr), error(&planned.stderr));
        for part in [
            &format!("error: migration {id} is unfinished: "),
            "its last step was at ",
            ", by ",
            &format!("`stackcut undo {id}`"),
        ] {
            assert!(emitted.stderr.contains(part), "{part}: {emitted}");
        }
        return;
    }
    panic!("no part of the journal was unfinished");
}
