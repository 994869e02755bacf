//! However much is wrong, a person can read what is said of it; a program gets all of it.

use std::fs;

use serde_json::Value;

use super::{Desk, Ended};

/// Writes a monolith of queues, each with this body, and a plan file that takes `takes`.
fn queues(desk: &Desk, number: usize, body: &str, takes: &[String]) {
    let mut code = String::new();
    let mut state = Vec::new();
    for at in 0..number {
        let body = body.replace('#', &at.to_string());
        code.push_str(&format!("resource \"aws_sqs_queue\" \"q{at}\" {{\n{body}\n}}\n"));
        state.push(serde_json::json!({
            "mode": "managed", "type": "aws_sqs_queue", "name": format!("q{at}"),
            "provider": "provider[\"registry.terraform.io/hashicorp/aws\"]",
            "instances": [{ "schema_version": 0, "attributes": { "id": at.to_string() } }],
        }));
    }
    let state = serde_json::json!({
        "version": 4, "terraform_version": "1.5.7", "serial": 3, "lineage": "3f0cb0a2-1111-2222-3333-444444444444",
        "outputs": {}, "resources": state,
    });
    fs::create_dir_all(desk.path("mono")).unwrap();
    fs::write(desk.path("mono/main.tf"), code).unwrap();
    fs::write(desk.path("mono/terraform.tfstate"), state.to_string()).unwrap();
    let takes = format!("{takes:?}");
    let plan = format!(
        "split \"mess\" {{\n  source {{\n    dir = \"../mono\"\n  }}\n  defaults {{\n    backend \"local\" {{\n      \
         path = \"${{stack}}.tfstate\"\n    }}\n  }}\n  stack \"one\" {{\n    layer = \"service\"\n    take  = {takes}\n  }}\n}}\n"
    );
    fs::write(desk.path("plans/mess.hcl"), plan).unwrap();
}

const SPLIT: [&str; 6] = ["split", "mono", "--plan", "plans/mess.hcl", "--out", "out"];

/// Cuts what is wrong in hundreds of places, and checks what is said of it.
fn check(desk: &Desk, number: usize, message: &str) {
    let Ended(code, stdout, stderr) = desk.run(&SPLIT);
    assert_eq!((code, stdout.as_str()), (1, ""), "{stderr}");
    assert!(stderr.len() < 20_000, "{} bytes", stderr.len());
    let longest = stderr.lines().map(|line| line.chars().count()).max();
    assert!(longest < Some(170), "{longest:?}");
    let shown = stderr.matches(message).count();
    assert!((20..=21).contains(&shown), "{shown}: {stderr}");
    let more = format!(
        "… and {} more like this: -v shows all, and --format json has them",
        number - shown
    );
    assert_eq!(stderr.matches(&more).count(), 1, "{stderr}");
    assert_eq!(
        stderr.matches("  = note: nothing was written\n").count(),
        1,
        "{stderr}"
    );

    let Ended(code, stdout, again) = desk.run(&[&SPLIT[..], &["--format", "json"]].concat());
    assert_eq!((code, &again), (1, &stderr));
    let json: Value = serde_json::from_str(&stdout).unwrap();
    let findings = json["error"]["findings"].as_array().unwrap();
    let is_one = |found: &&Value| found["message"].as_str().unwrap().contains(message);
    assert_eq!(findings.iter().filter(is_one).count(), number);

    let Ended(code, _, all) = desk.run(&[&SPLIT[..], &["-v"]].concat());
    assert_eq!((code, all.matches(message).count()), (1, number));
}

#[test]
fn patterns_that_match_nothing() {
    let desk = Desk::new();
    let takes: Vec<String> = (0..500).map(|at| format!("aws_sns_topic.nothing{at}")).collect();
    queues(&desk, 1, "", &takes);
    check(&desk, 500, "matches nothing");
}

/// What the monolith has wrong itself is its own fault, and is told with its place there.
#[test]
fn names_that_nothing_declares() {
    let desk = Desk::new();
    queues(
        &desk,
        300,
        "  name = local.gone_#",
        &["aws_sqs_queue.*".to_owned()],
    );
    check(&desk, 300, "is named here, and not declared");
    let Ended(_, _, stderr) = desk.run(&SPLIT);
    assert!(!stderr.contains("defect"), "{stderr}");
    let first: Vec<&str> = stderr.lines().skip(1).take(7).collect();
    insta::assert_snapshot!(first.join("\n"), @r"
    error: local value `gone_0` is named here, and not declared
      --> mono/main.tf:2:10
      |
    2 |   name = local.gone_0
      |          ^^^^^^^^^^^^
      = note: the code of `mess` has it so before the cut
    hint: declare it, or take this reference out: Terraform refuses it as well
    ");
}

/// A number and a name as keys of one resource: one of them is not what the block says.
#[test]
fn keys_of_two_kinds() {
    let desk = Desk::new();
    let one = ["aws_sqs_queue.q0".to_owned()];
    queues(
        &desk,
        1,
        "  for_each = toset([\"x\"])\n  name     = each.key",
        &one,
    );
    let path = desk.path("mono/terraform.tfstate");
    let mut state: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    let instance = state["resources"][0]["instances"][0].clone();
    let keyed = ["x".into(), Value::from(0)].map(|key: Value| {
        let mut instance = instance.clone();
        instance["index_key"] = key;
        instance
    });
    state["resources"][0]["instances"] = keyed.to_vec().into();
    fs::write(&path, state.to_string()).unwrap();
    let Ended(code, _, stderr) = desk.run(&SPLIT);
    assert_eq!(code, 1);
    insta::assert_snapshot!(stderr, @r#"
    ✓ read mono and mono/terraform.tfstate
    error: aws_sqs_queue.q0[0] is in the state, but resource `aws_sqs_queue.q0` is repeated in another way
      --> mono/main.tf:1:1
      |
    1 | resource "aws_sqs_queue" "q0" {
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      = note: code and state of `mess` are so before the cut
    hint: see with `terraform plan` what the source would do to it, and apply that, or give it an address that its block has with `terraform state mv`

    error: the source does not fit together as it is, so what is cut from it cannot either
      = note: nothing was written
    hint: follow the advice above; `stackcut split --states-only` cuts the states alone
    "#);
    // Renamed it is no less theirs.
    let plan = fs::read_to_string(desk.path("plans/mess.hcl")).unwrap();
    let moved =
        "    move {\n      from = \"aws_sqs_queue.q0\"\n      to   = \"aws_sqs_queue.main\"\n    }\n  }\n}\n";
    fs::write(desk.path("plans/mess.hcl"), plan.replace("  }\n}\n", moved)).unwrap();
    let Ended(code, _, renamed) = desk.run(&SPLIT);
    assert_eq!((code, renamed), (1, stderr));
}

#[test]
fn lists_of_an_inspection() {
    let desk = Desk::new();
    queues(&desk, 500, "", &[]);
    fs::write(desk.path("mono/main.tf"), "locals {}\n").unwrap();
    let Ended(code, stdout, _) = desk.run(&["inspect", "mono"]);
    assert_eq!(code, 0);
    assert!(
        stdout.contains("    aws_sqs_queue.q115\n    … and 480 more: --format json has them all\n"),
        "{stdout}"
    );
    let Ended(_, json, _) = desk.run(&["inspect", "mono", "--format", "json"]);
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["deployed_not_declared"].as_array().unwrap().len(), 500);
}

#[test]
fn findings_of_a_check() {
    let desk = Desk::new();
    let body = "  name = local.gone_#\n  tags = [for x in [\"".to_owned() + &"é".repeat(5000) + "\"] : x]";
    queues(&desk, 300, &body, &[]);
    fs::remove_file(desk.path("mono/terraform.tfstate")).unwrap();
    let Ended(code, stdout, _) = desk.run(&["check", "mono"]);
    assert_eq!(code, 2);
    assert!(stdout.len() < 20_000, "{}", stdout.len());
    assert!(
        stdout.contains(
            "\n… and 280 more like this: --format json has them all\n\n1 stack checked: 300 errors"
        ),
        "{stdout}"
    );
    let Ended(_, markdown, _) = desk.run(&["check", "mono", "--format", "markdown"]);
    assert!(
        markdown.ends_with("\n… and 280 more: --format json has them all\n"),
        "{markdown}"
    );
    let Ended(_, json, _) = desk.run(&["check", "mono", "--format", "json"]);
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["findings"].as_array().unwrap().len(), 300);
}
