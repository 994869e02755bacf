//! Hints that name a command: the command is run, and it helps.

use std::fs;

use stackcut::state::{Refusal, Snapshot};

use super::{Desk, Ended, PLAN};
use crate::support::terraform::Terraform;
use crate::support::tools::{Flavour, tools};

/// Puts a state where Terraform's local backend has it, and reads what `terraform state pull` prints.
fn pulled(tf: &Terraform, text: &str) -> String {
    fs::write(tf.dir().join("terraform.tfstate"), text).unwrap();
    tf.state_pull()
}

fn refusal(text: &str) -> (Refusal, &'static str) {
    let error = Snapshot::read(text).unwrap_err();
    let advice = error.advice();
    (error.refusal, advice)
}

const INSTANCE: &str =
    r#"{"schema_version":0,"attributes":{"id":"a","input":null,"output":null,"triggers_replace":null}}"#;

fn state(resources: &str) -> String {
    format!(
        r#"{{"version":4,"terraform_version":"1.5.0","serial":7,"lineage":"l","outputs":{{}},"resources":[{resources}]}}"#
    )
}

fn resource(name: &str, provider: &str, instances: &str) -> String {
    format!(
        r#"{{"mode":"managed","type":"terraform_data","name":"{name}",{provider}"instances":[{instances}]}}"#
    )
}

const BUILTIN: &str = r#""provider":"provider[\"terraform.io/builtin/terraform\"]","#;

#[test]
fn pulling_and_pushing_mends_what_the_advice_says_it_mends() {
    let one = resource("a", BUILTIN, INSTANCE);
    let old = r#"{"version":3,"terraform_version":"0.11.14","serial":7,"lineage":"l","modules":[{"path":["root"],"outputs":{},
        "resources":{"null_resource.a":{"type":"null_resource","depends_on":[],"provider":"provider.null",
        "primary":{"id":"1","attributes":{"id":"1"},"meta":{},"tainted":false},"deposed":[]}},"depends_on":[]}]}"#;
    let second = INSTANCE.replacen('{', r#"{"index_key":1,"#, 1);
    let first = INSTANCE.replacen('{', r#"{"index_key":0,"#, 1);
    let doubled = [resource("a", BUILTIN, &first), resource("a", BUILTIN, &second)].join(",");
    let table = [
        old.to_owned(),
        state(&one).replace("\"serial\"", "\"Serial\""),
        state(&doubled),
    ];
    for bin in tools()
        .terraforms()
        .iter()
        .filter(|bin| bin.flavour == Flavour::Terraform)
    {
        for text in &table {
            let (refused, advice) = refusal(text);
            let expected = "save what `terraform state pull` prints, raise its `serial` by one, and `terraform state push` it";
            assert!(advice.contains(expected), "{refused:?}: {advice}");
            let dir = tempfile::tempdir().unwrap();
            let tf = Terraform::new(bin, dir.path());
            let pulled = pulled(&tf, text);
            let read = Snapshot::read(pulled.clone()).unwrap().unwrap();
            let objects = read.object_count();
            assert!(objects > 0);
            let raised = pulled.replacen("\"serial\": 7", "\"serial\": 8", 1);
            fs::write(dir.path().join("mended"), raised).unwrap();
            tf.run(&["state", "push", "mended"]).ok();
            let stored = fs::read(dir.path().join("terraform.tfstate")).unwrap();
            assert_eq!(Snapshot::read(stored).unwrap().unwrap().object_count(), objects);
        }
    }
}

/// Why the advice for a resource without provider is not to pull the state.
#[test]
fn a_resource_without_provider_is_mended_by_hand_and_pushed() {
    let text = state(&format!(
        "{},{}",
        resource("lost", "", INSTANCE),
        resource("kept", BUILTIN, INSTANCE)
    ));
    let (refused, advice) = refusal(&text);
    assert_eq!(refused, Refusal::NoProvider);
    assert!(advice.contains("`terraform state push` the copy"), "{advice}");
    for bin in tools()
        .terraforms()
        .iter()
        .filter(|bin| bin.flavour == Flavour::Terraform)
    {
        let dir = tempfile::tempdir().unwrap();
        let tf = Terraform::new(bin, dir.path());
        assert!(
            !pulled(&tf, &text).contains("\"lost\""),
            "Terraform mended it: mend the advice"
        );
        let mended = state(&format!(
            "{},{}",
            resource("lost", BUILTIN, INSTANCE),
            resource("kept", BUILTIN, INSTANCE)
        ));
        fs::write(
            dir.path().join("copy"),
            mended.replacen("\"serial\":7", "\"serial\":8", 1),
        )
        .unwrap();
        tf.run(&["state", "push", "copy"]).ok();
        assert_eq!(tf.state_list(), ["terraform_data.kept", "terraform_data.lost"]);
    }
}

/// `copy it there, or name it with --state`.
#[test]
fn a_missing_state_can_be_named() {
    let desk = Desk::new();
    fs::rename(desk.path(super::STATE), desk.path("elsewhere.tfstate")).unwrap();
    let Ended(code, _, stderr) = desk.split();
    assert!(
        code == 64 && stderr.contains("or name it with --state"),
        "{stderr}"
    );
    let split = ["split", "testdata/acme", "--plan", PLAN, "--out", "out"];
    let named = [&split[..], &["--state", "elsewhere.tfstate"]].concat();
    assert_eq!(desk.run(&named).0, 0);
}

/// `name another directory with --out, or remove this one`.
#[test]
fn a_foreign_directory_can_be_removed_or_left() {
    let desk = Desk::new();
    fs::create_dir(desk.path("out")).unwrap();
    fs::write(desk.path("out/mine"), "").unwrap();
    assert_eq!(desk.split().0, 64);
    let other = ["split", "testdata/acme", "--plan", PLAN, "--out", "other/out"];
    assert_eq!(desk.run(&other).0, 0);
    fs::remove_dir_all(desk.path("out")).unwrap();
    assert_eq!(desk.split().0, 0);
}

/// `stackcut completions bash > …`: bash reads it.
#[test]
fn the_completion_script_is_read_by_bash() {
    let desk = Desk::new();
    fs::write(desk.path("script"), desk.run(&["completions", "bash"]).1).unwrap();
    let read = std::process::Command::new("bash")
        .args(["-n", "script"])
        .current_dir(desk.dir.path())
        .status();
    assert!(read.unwrap().success());
}
