//! The built program on real states: what it can read it moves and gives back, what it cannot it refuses, and writes
//! nothing.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use stackcut::state::{Instance, Layout, Snapshot, TopField, reformat_into};

use super::{corpora, files};

fn run(dir: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_stackcut"))
        .current_dir(dir)
        .args(arguments)
        .output()
        .unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&[output.stdout.as_slice(), &output.stderr].concat()).into_owned()
}

/// A directory with a state and a plan that takes every second type of it.
fn desk(path: &Path) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let place = |path: &str| dir.path().join(path);
    fs::create_dir(place("mono")).unwrap();
    fs::write(place("mono/main.tf"), "").unwrap();
    fs::copy(path, place("mono/terraform.tfstate")).unwrap();
    let types: BTreeSet<String> = match Snapshot::read(fs::read(path).unwrap()) {
        Ok(Some(snapshot)) => {
            let owners = snapshot.resources().filter(|resource| !resource.is_husk());
            let types = owners.map(|resource| {
                let data = if resource.addr().is_data() { "data." } else { "" };
                format!("\"**.{data}{}.*\"", resource.addr().type_name)
            });
            types.collect()
        }
        _ => BTreeSet::from(["\"**.*.*\"".to_owned()]),
    };
    let taken: Vec<_> = types.into_iter().step_by(2).collect();
    let plan = format!(
        "split \"s\" {{\n  source {{\n    dir   = \"mono\"\n    state = \"terraform.tfstate\"\n  }}\n  \
         defaults {{\n    backend \"local\" {{\n      path = \"out/${{stack}}.tfstate\"\n    }}\n  }}\n  \
         stack \"part\" {{\n    take = [{}]\n  }}\n}}\n",
        taken.join(", ")
    );
    fs::write(place("plan.hcl"), plan).unwrap();
    dir
}

/// The objects of a state, without what a move may change.
fn objects(bytes: &[u8]) -> Vec<String> {
    let snapshot = Snapshot::read(bytes).unwrap().unwrap();
    let text = |object: Instance<'_>| {
        let text = match object.dependencies_field() {
            None => object.text().to_owned(),
            Some(field) => {
                let whole = object.snapshot().text();
                let (before, after) = (
                    whole[object.span().start..field.start].trim_end(),
                    whole[field.value.end..object.span().end].trim_start(),
                );
                // The list goes with one of the commas around it.
                match after.strip_prefix(',') {
                    Some(after) => format!("{before}{after}"),
                    None => format!("{}{after}", before.trim_end_matches(',')),
                }
            }
        };
        let mut plain = format!("{} {:?} ", object.addr(), object.deposed());
        reformat_into(&text, Layout::Compact, 0, &mut plain);
        plain
    };
    snapshot.instances().map(text).collect()
}

/// The text of a state without its serial.
fn but_serial(bytes: &[u8]) -> String {
    let snapshot = Snapshot::read(bytes).unwrap().unwrap();
    let mut text = snapshot.text().to_owned();
    if let Some(field) = snapshot.field(TopField::Serial) {
        text.replace_range(field.value, "");
    }
    text
}

/// Moves what a plan takes, and gives it back.
fn check_there_and_back(path: &Path) {
    let dir = desk(path);
    let name = path.display();
    let state = dir.path().join("mono/terraform.tfstate");
    let part = dir.path().join("out/part.tfstate");
    let before = fs::read(path).unwrap();
    let applied = run(dir.path(), &["apply", "plan.hcl", "--auto-approve"]);
    assert!(applied.status.success(), "{name}: {}", said(&applied));
    let mut after = objects(&fs::read(&state).unwrap());
    after.extend(objects(&fs::read(&part).unwrap()));
    let mut expected = objects(&before);
    after.sort();
    expected.sort();
    assert!(after == expected, "{name}");
    let text = said(&applied);
    let (_, id) = text.rsplit_once("migration ").expect("it names the migration");
    let (id, _) = id.split_once(':').expect("and says what became of it");
    let undone = run(dir.path(), &["undo", id, "--plan", "plan.hcl", "--auto-approve"]);
    assert!(undone.status.success(), "{name}: {}", said(&undone));
    let now = fs::read(&state).unwrap();
    // A state without a serial has one now.
    let had_serial = Snapshot::read(before.clone())
        .unwrap()
        .unwrap()
        .field(TopField::Serial)
        .is_some();
    match had_serial {
        true => assert!(but_serial(&now) == but_serial(&before), "{name}"),
        false => assert!(objects(&now) == objects(&before), "{name}"),
    }
    assert!(!part.exists(), "{name}");
}

/// Tells whether a state has something to move.
fn has_objects(path: &PathBuf) -> bool {
    let snapshot = Snapshot::read(fs::read(path).unwrap());
    snapshot.is_ok_and(|snapshot| snapshot.is_some_and(|snapshot| snapshot.object_count() > 0))
}

#[test]
fn our_samples_are_moved_and_given_back() {
    for path in files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/states")) {
        if has_objects(&path) {
            check_there_and_back(&path);
        }
    }
}

#[test]
fn states_of_the_corpora_are_moved_and_given_back() {
    let Some(corpora) = corpora() else { return };
    // Every tenth; the library cuts them all.
    let states = files(&corpora.join("states/v4"));
    let chosen: Vec<_> = states.into_iter().filter(has_objects).step_by(10).collect();
    assert!(chosen.len() > 15);
    for path in chosen {
        check_there_and_back(&path);
    }
}

#[test]
fn what_is_no_state_of_version_4_is_refused_by_every_verb() {
    let Some(corpora) = corpora() else { return };
    let mut refused: Vec<_> = files(&corpora.join("states/v3")).into_iter().step_by(5).collect();
    refused.push(corpora.join("states/opentofu-1.12.6__encrypted.tfstate"));
    for path in refused {
        let dir = desk(&path);
        let verbs: [&[&str]; 4] = [
            &["inspect", "mono"],
            &["split", "mono", "--plan", "plan.hcl", "--out", "out"],
            &["plan", "plan.hcl"],
            &["apply", "plan.hcl", "--auto-approve"],
        ];
        for verb in verbs {
            let output = run(dir.path(), verb);
            let said = said(&output);
            assert_eq!(
                output.status.code(),
                Some(1),
                "{}: {verb:?}: {said}",
                path.display()
            );
            assert!(said.contains("is not a state that can be cut"), "{said}");
            assert!(said.contains("hint: "), "{said}");
        }
        let state = dir.path().join("mono/terraform.tfstate");
        assert!(fs::read(state).unwrap() == fs::read(&path).unwrap());
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2, "{}", path.display());
    }
}
