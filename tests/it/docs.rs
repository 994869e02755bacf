//! The documents say what the code says.

use std::fs;
use std::path::Path;

use clap::CommandFactory as _;
use stackcut::error::Exit;

#[test]
fn the_exit_code_table_matches_the_constants() {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/exit-codes.md")).unwrap();
    let rows: Vec<(String, String)> = page
        .lines()
        .filter_map(|line| {
            let mut cells = line.split('|').map(str::trim).skip(1);
            let code = cells.next()?.to_owned();
            let name = cells.next()?.trim_matches('`').to_owned();
            code.parse::<u8>().is_ok().then_some((code, name))
        })
        .collect();
    let expected: Vec<(String, String)> = Exit::ALL
        .into_iter()
        .map(|exit| (exit.code().to_string(), exit.name().to_owned()))
        .collect();
    assert_eq!(rows, expected);
}

/// Renders the reference from the definition of the command line itself.
fn cli_reference() -> String {
    let mut page = String::from(
        "# Command line reference\n\nWritten from the program's own help: `STACKCUT_UPDATE_DOCS=1 cargo test --test it docs::` renews it, and the same\ntest fails when it is stale. Exit codes: [exit-codes.md](exit-codes.md). What\n`--format json` writes: [json.md](json.md).\n",
    );
    let mut command = stackcut::cli::Cli::command().term_width(100);
    command.build();
    let mut write = |name: String, help: String| {
        let help: Vec<&str> = help.lines().map(str::trim_end).collect();
        page.push_str(&format!(
            "\n## `{name}`\n\n```text\n{}\n```\n",
            help.join("\n").trim_end()
        ));
    };
    write("stackcut".to_owned(), command.render_long_help().to_string());
    for sub in command
        .get_subcommands_mut()
        .filter(|sub| sub.get_name() != "help")
    {
        write(
            format!("stackcut {}", sub.get_name()),
            sub.render_long_help().to_string(),
        );
    }
    page
}

#[test]
fn the_command_line_reference_is_the_help() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/cli.md");
    let expected = cli_reference();
    if std::env::var_os("STACKCUT_UPDATE_DOCS").is_some() {
        fs::write(&path, &expected).unwrap();
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == expected,
        "docs/cli.md is stale; renew it with STACKCUT_UPDATE_DOCS=1 cargo test --test it docs::"
    );
}
