//! With `--format json` a command that stops before it has a report says why in one document.

use std::fs;

use serde_json::Value;

use super::{Desk, Ended, PLAN};

/// Every verb that knows the format, with something that it cannot do.
const REFUSED: [(&[&str], i32); 14] = [
    (&["split", "nope", "--plan", PLAN, "--out", "out"], 1),
    (
        &[
            "split",
            "testdata/acme",
            "--plan",
            "plans/nope.hcl",
            "--out",
            "out",
        ],
        64,
    ),
    (&["inspect", "nope"], 1),
    (&["graph", "nope"], 1),
    (&["plan", PLAN, "--env", "nope"], 64),
    (&["apply", "plans/nope.hcl", "--auto-approve"], 64),
    (&["status", "plans/nope.hcl"], 64),
    (&["history", "plans/nope.hcl"], 64),
    (&["resume", "nope", "--plan", "plans/nope.hcl"], 64),
    (&["undo", "nope", "--plan", "plans/nope.hcl"], 64),
    (&["release", "nope", "--plan", "plans/nope.hcl"], 64),
    (&["discard", "nope", "--plan", "plans/nope.hcl"], 64),
    (&["check", "nope"], 1),
    (&["emit", "plans/nope.hcl", "--out", "out"], 64),
];

#[test]
fn every_verb_leaves_one_document() {
    let desk = Desk::new();
    for (args, expected) in REFUSED {
        let plain = desk.run(args);
        assert_eq!((plain.0, plain.1.as_str()), (expected, ""), "{args:?}");
        let Ended(code, stdout, stderr) = desk.run(&[args, &["--format", "json"]].concat());
        // The readable text and the exit code are the same.
        assert_eq!((code, &stderr), (expected, &plain.2), "{args:?}");
        let json: Value = serde_json::from_str(&stdout).unwrap_or_else(|error| panic!("{args:?}: {error}"));
        assert_eq!(json["version"], 1);
        assert_eq!(json["command"], args[0]);
        assert_eq!(json["error"]["exit"], expected);
        let message = json["error"]["message"].as_str().unwrap();
        assert!(stderr.contains(message), "{args:?}: {message}");
        assert_eq!(json["error"]["findings"].as_array().unwrap().len(), 1);
    }
    assert!(!desk.path("out").exists());
}

#[test]
fn every_fault_of_a_plan_file_has_its_place() {
    let desk = Desk::new();
    let plan = "split \"acme\" {\n  source {\n    dir = \"../testdata/acme\"\n  }\n  stack \"network\" {\n    layer = \"netwrok\"\n    tkae  = []\n  }\n}\n";
    fs::write(desk.path(PLAN), plan).unwrap();
    let Ended(code, stdout, _) = desk.run(&["plan", PLAN, "--format=json"]);
    let json: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!((code, &json["error"]["exit"]), (1, &Value::from(1)));
    let findings = json["error"]["findings"].as_array().unwrap();
    let places: Vec<&str> = findings
        .iter()
        .map(|found| found["at"].as_str().unwrap())
        .collect();
    assert!(
        places.contains(&"plans/acme.hcl:6:13") && places.contains(&"plans/acme.hcl:7:5"),
        "{places:?}"
    );
}

/// A report that says itself what is wrong stays the only document.
#[test]
fn a_report_is_not_followed_by_another_document() {
    let desk = Desk::new();
    let plan = fs::read_to_string(desk.path(PLAN)).unwrap();
    // Two stacks that depend on each other: the code cannot follow.
    let broken = plan.replacen("\"aws_kms_*.main\",", "", 1);
    assert_ne!(broken, plan);
    fs::write(desk.path(PLAN), broken).unwrap();
    let Ended(code, stdout, stderr) = desk.run(&[
        "split",
        "testdata/acme",
        "--plan",
        PLAN,
        "--out",
        "out",
        "--format",
        "json",
    ]);
    let json: Value = serde_json::from_str(&stdout).unwrap_or_else(|error| panic!("{error}: {stdout}"));
    assert_eq!(code, 1, "{stderr}");
    assert!(!json["refusals"].as_array().unwrap().is_empty(), "{stdout}");
}
