//! What stands around the resources of a state: outputs, check results, lineage, serial, versions.

use super::*;
use crate::state::Serial;

#[test]
fn outputs_follow_and_are_set() {
    let run = run(SHOP, &[]);
    let value = |state: &str, name: &str, type_json: &str, value_json: &str, sensitive| OutputValue {
        at: At::new(id(state), name.to_owned()),
        type_json: type_json.to_owned(),
        value_json: value_json.to_owned(),
        sensitive,
    };
    let changes = Changes {
        outputs: vec![
            OutputMove {
                from: At::new(id("A"), "secret".to_owned()),
                to: At::new(id("new"), "key".to_owned()),
                transfer: OutputTransfer::Move,
            },
            OutputMove {
                from: At::new(id("A"), "queue_urls".to_owned()),
                to: At::new(id("new"), "queue_urls".to_owned()),
                transfer: OutputTransfer::Copy,
            },
        ],
        set_outputs: vec![
            value(
                "new",
                "vpc",
                "[\"object\",{\"id\":\"string\"}]",
                "{\"id\":\"vpc-<1>\"}",
                true,
            ),
            value(
                "A",
                "queue_urls",
                "[\"list\", \"string\"]",
                "[\"https://sqs/a\",\"https://sqs/b\\u0026c\"]",
                false,
            ),
        ],
        ..Changes::default()
    };
    let conserved = run.change(&changes).unwrap();
    insta::assert_snapshot!(written(&conserved, "new").text(), @r#"
        {
          "version": 4,
          "terraform_version": "1.11.4",
          "serial": 1,
          "lineage": "lineage of new",
          "outputs": {
            "key": {
              "value": "s3cr3t",
              "type": "string",
              "sensitive": true
            },
            "queue_urls": {
              "value": [
                "https://sqs/a",
                "https://sqs/b\u0026c"
              ],
              "type": [
                "list",
                "string"
              ]
            },
            "vpc": {
              "value": {
                "id": "vpc-\u003c1\u003e"
              },
              "type": [
                "object",
                {
                  "id": "string"
                }
              ],
              "sensitive": true
            }
          },
          "resources": [],
          "check_results": null
        }
    "#);
    // Setting a value that is there already changes nothing.
    let source = written(&conserved, "A");
    assert_eq!(
        source.output("queue_urls").unwrap().text(),
        run.before[0].1.output("queue_urls").unwrap().text()
    );
    let again = Changes {
        set_outputs: changes.set_outputs[1..].to_vec(),
        ..Changes::default()
    };
    let conserved = run.change(&again).unwrap();
    assert!(
        conserved
            .states
            .iter()
            .all(|(_, outcome)| outcome.written().is_none())
    );
    // Refusals.
    for (change, expected) in [
        (
            value("new", "x", "\"string\"", "{", false),
            "the value given for output `x` in new is not JSON",
        ),
        (
            value("new", "x", "string", "1", false),
            "the type given for output `x` in new is not JSON",
        ),
        (
            value("new", "key", "\"string\"", "1", false),
            "there is an output named `key` in new already",
        ),
    ] {
        let changes = Changes {
            set_outputs: vec![change],
            outputs: changes.outputs.clone(),
            ..Changes::default()
        };
        assert_eq!(run.change(&changes).unwrap_err().to_string(), expected);
    }
    let mut missing = changes.outputs[0].clone();
    missing.from.addr = "nope".to_owned();
    let changes = Changes {
        outputs: vec![missing],
        ..Changes::default()
    };
    assert_eq!(
        run.change(&changes).unwrap_err().to_string(),
        "no output is named `nope` in A"
    );
}

#[test]
fn check_results_leave_with_what_they_check() {
    let run1 = run(SHOP, &[]);
    let conserved = moved(&run1, "A:aws_vpc.main -> new:aws_vpc.main");
    let results = |snapshot: &Snapshot| {
        let results: Vec<_> = snapshot
            .check_results()
            .map(|check| check.config_addr().to_owned())
            .collect();
        results.join(" ")
    };
    assert_eq!(results(written(&conserved, "A")), "var.region");
    assert!(
        written(&conserved, "new")
            .text()
            .ends_with("  ],\n  \"check_results\": null\n}\n")
    );
    // Some instances of a resource; the only result; a module's own results.
    let checks = r#""check_results": [{"object_kind":"resource","config_addr":"aws_subnet.private","status":"pass","objects":[{"object_addr":"aws_subnet.private[0]","status":"pass"},{"object_addr":"aws_subnet.private[1]","status":"pass"}]},{"object_kind":"output","config_addr":"module.services.output.x","status":"pass","objects":null}]"#;
    let at = SHOP.find("\"check_results\"").unwrap();
    let source = format!("{}{checks}\n}}\n", &SHOP[..at]);
    let run2 = run(&source, &[]);
    let conserved = moved(
        &run2,
        "A:aws_subnet.private[0] -> new:aws_subnet.private[0]\nA:module.services[\"or.ders\"] -> new:module.a",
    );
    let after = written(&conserved, "A");
    assert_eq!(results(after), "aws_subnet.private module.services.output.x");
    assert!(
        after
            .text()
            .contains(r#""objects":[{"object_addr":"aws_subnet.private[1]","status":"pass"}]}"#)
    );
    let conserved = moved(
        &run2,
        "A:aws_subnet.private -> new:aws_subnet.private\nA:module.services[\"or.ders\"] -> new:module.a\nA:module.services[\"pay\\\"ments\"] -> other:module.b",
    );
    assert!(
        written(&conserved, "A")
            .text()
            .ends_with("\"check_results\": null\n}\n")
    );
}

#[test]
fn nothing_to_do_writes_nothing() {
    let run = run(SHOP, &[]);
    let conserved = run.change(&Changes::default()).unwrap();
    assert!(
        conserved
            .states
            .iter()
            .all(|(_, outcome)| outcome.written().is_none())
    );
    assert_eq!(conserved.report.objects_identical, 8);
}

#[test]
fn serials_and_lineages() {
    let last = SHOP.replacen("\"serial\": 41", "\"serial\": 18446744073709551615", 1);
    let run1 = run(&last, &[]);
    let changes = run1.resolve("A:aws_vpc.main -> new:aws_vpc.main").unwrap();
    assert!(matches!(
        run1.change(&changes),
        Err(MoveError::SerialExhausted { .. })
    ));
    // A state without serial gets one.
    let bare = SHOP.replacen("  \"serial\": 41,\n", "", 1);
    let run2 = run(&bare, &[]);
    let conserved = moved(&run2, "A:aws_vpc.main -> new:aws_vpc.main");
    assert_eq!(written(&conserved, "A").serial(), Serial(1));
    assert!(
        written(&conserved, "A")
            .text()
            .starts_with("{\n  \"version\": 4,\n  \"serial\": 1,\n")
    );
    // A new state never shares its lineage.
    let run3 = run(SHOP, &[]);
    let mut states = run3.states();
    let new = NewState::like(&run3.before[0].1, run3.before[0].1.lineage().clone());
    states.insert(id("twin"), StateInput::New(new));
    assert!(matches!(
        apply(&states, &Changes::default()),
        Err(MoveError::LineageReused { .. })
    ));
}

#[test]
fn old_states_give_new_states_of_their_age() {
    let run = run(LEGACY, &[]);
    let conserved = moved(&run, "A:aws_eip.ip -> new:aws_eip.ip");
    insta::assert_snapshot!(written(&conserved, "new").text(), @r#"
        {
          "version": 4,
          "terraform_version": "0.12.31",
          "serial": 1,
          "lineage": "lineage of new",
          "outputs": {},
          "resources": [
            {
              "mode": "managed",
              "type": "aws_eip",
              "name": "ip",
              "each": "list",
              "provider": "provider[\"registry.terraform.io/-/aws\"]",
              "instances": [
                {
                  "index_key": 0,
                  "schema_version": 0,
                  "attributes_flat": {
                    "id": "eip-1",
                    "instance": ""
                  },
                  "private": "bnVsbA==",
                  "depends_on": [
                    "aws_vpc.main"
                  ]
                }
              ]
            }
          ]
        }
    "#);
}
