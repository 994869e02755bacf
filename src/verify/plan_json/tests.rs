//! What is read of plan JSON, and what is refused.

use super::*;

fn plan(text: &str) -> Result<Plan, PlanJsonError> {
    Plan::read(text.as_bytes())
}

fn one(change: &str) -> Change {
    let text = format!(
        r#"{{"format_version":"1.2","terraform_version":"1.10.0","resource_changes":[{{"address":"a.b","type":"a","name":"b","change":{change}}}]}}"#
    );
    plan(&text).unwrap().changes.remove(0)
}

#[test]
fn attributes_are_named_and_values_are_not_kept() {
    let change = one(
        r#"{"actions":["update"],"before":{"a":1,"b":"s3cret","c":[1],"id":"x"},"after":{"a":1,"b":"other","c":[2],"id":"x"},"after_unknown":{"d":true,"e":{"f":[false]},"g":[]}}"#,
    );
    assert_eq!(
        change.attributes.iter().map(String::as_str).collect::<Vec<_>>(),
        ["b", "c", "d"]
    );
    assert!(!format!("{change:?}").contains("s3cret"));
    let change = one(
        r#"{"actions":["update"],"before":{"a":1},"after":{"a":1},"after_unknown":{},"before_sensitive":{},"after_sensitive":{"a":true,"b":[]}}"#,
    );
    assert!(change.only_sensitivity);
    assert_eq!(
        change.attributes.iter().map(String::as_str).collect::<Vec<_>>(),
        ["a"]
    );
}

#[test]
fn actions() {
    for (words, expected) in [
        (r#"["create"]"#, Action::Create),
        (r#"["delete","create"]"#, Action::Replace),
        (r#"["create","delete"]"#, Action::Replace),
        (r#"["create","forget"]"#, Action::Replace),
        (r#"["forget"]"#, Action::Forget),
    ] {
        assert_eq!(
            one(&format!(r#"{{"actions":{words},"before":null,"after":null}}"#)).action,
            expected
        );
    }
    let quiet = r#"{"format_version":"1.0","resource_changes":[
        {"address":"a.b","change":{"actions":["no-op"],"importing":null}},
        {"address":"data.a.b","change":{"actions":["read"]}},
        {"address":"ephemeral.a.b","change":{"actions":["open"]}}],
        "output_changes":{"o":{"actions":["no-op"]}}}"#;
    assert_eq!(
        plan(quiet).unwrap(),
        Plan {
            whole: true,
            ..Plan::default()
        }
    );
}

#[test]
fn what_is_not_known_is_refused() {
    for (text, expected) in [
        ("{", "the plan is no JSON of the known form (line 1, column 1)"),
        (
            r#"{"format_version":"2.0"}"#,
            "the plan's format is 2.0, and 1.x is known",
        ),
        (
            r#"{"format_version":"1.9","resource_changes":[{"address":"a.b","change":{"actions":["teleport","create"]}}]}"#,
            "the plan wants `teleport+create` for a.b, which is not known here",
        ),
    ] {
        assert_eq!(plan(text).unwrap_err().to_string(), expected);
    }
    assert!(!plan(r#"{"format_version":"1.2","errored":true}"#).unwrap().whole);
    assert!(
        !plan(r#"{"format_version":"1.2","complete":false}"#)
            .unwrap()
            .whole
    );
}
