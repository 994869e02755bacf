//! Every kind of damage to a result is found.

use super::*;

const SHOP: &str = include_str!("../../../testdata/states/terraform-1.11-shop.tfstate");
const LINES: &str = "A:module.services[\"or.ders\"] -> new:module.orders\nA:aws_subnet.private[2] -> new:aws_subnet.last[9]\nA:aws_instance.husk -> new:aws_instance.husk";

/// The shop with a husk and an unknown field.
fn shop() -> String {
    let husk = format!(
        "\"resources\": [\n    {{\"mode\": \"managed\", \"type\": \"aws_instance\", \"name\": \"husk\", {AWS}, \"instances\": []}},"
    );
    SHOP.replacen("\"resources\": [", &husk, 1)
        .replacen("\n}\n", ",\n  \"future\": 1.0\n}\n", 1)
}

/// Damages the outcome of a move and returns what is said about it.
fn verdict(damage: impl Fn(&mut ApplyOutcome)) -> String {
    let run = Run {
        before: vec![(id("A"), read(&shop()))],
    };
    let mut changes = run.resolve(LINES).unwrap();
    changes.set_outputs.push(OutputValue {
        at: At::new(id("new"), "x".to_owned()),
        type_json: "\"number\"".to_owned(),
        value_json: "1.0".to_owned(),
        sensitive: false,
    });
    let states = run.states();
    let mut outcome = apply(&states, &changes).unwrap();
    damage(&mut outcome);
    match conserve(&states, &changes, outcome) {
        Ok(_) => "in order".to_owned(),
        Err(error) => error.to_string(),
    }
}

fn text<'o>(outcome: &'o mut ApplyOutcome, state: &str) -> &'o mut String {
    let found = outcome.states.iter_mut().find(|(name, _)| *name == id(state));
    found.unwrap().1.as_mut().unwrap()
}

#[test]
fn an_honest_outcome_is_in_order() {
    assert_eq!(verdict(|_| {}), "in order");
}

#[test]
fn damaged_texts_are_found() {
    let aws = "provider[\\\"registry.terraform.io/hashicorp/aws\\\"]\"";
    let mut wrong = Vec::new();
    for (state, from, to, message) in [
        // Objects that moved.
        (
            "new",
            "890.10",
            "890.1",
            "the object at module.orders.aws_sqs_queue.orders (in new) was altered in `attributes`",
        ),
        (
            "new",
            "\"private\": \"bnVsbA==\",\n          \"dep",
            "\"dep",
            "the object at module.orders.aws_sqs_queue.orders (in new) was altered in `private`",
        ),
        (
            "new",
            "\"index_key\": 9",
            "\"index_key\": 8",
            "an object appeared at aws_subnet.last[8] (in new) that no move brings there",
        ),
        (
            "new",
            "\"index_key\": 9,",
            "\"index_key\": 9, \"status\": \"tainted\",",
            "the object at aws_subnet.last[9] (in new) was altered in `status`",
        ),
        (
            "new",
            "\"create_before_destroy\": true",
            "\"create_before_destroy\": false",
            "the object at module.orders.aws_sqs_queue.orders (in new) was altered in `create_before_destroy`",
        ),
        (
            "new",
            "\"name\": \"last\"",
            "\"name\": \"lost\"",
            "an object appeared at aws_subnet.lost[9] (in new) that no move brings there",
        ),
        (
            "new",
            "\"aws_subnet.last\"",
            "\"aws_subnet.lost\"",
            "the object at module.orders.aws_sqs_queue.orders (in new) has wrong dependencies",
        ),
        (
            "new",
            "\"aws_subnet.last\"",
            "\"aws_subnet.last\", \"aws_vpc.main\"",
            "the object at module.orders.aws_sqs_queue.orders (in new) has wrong dependencies",
        ),
        (
            "new",
            aws,
            "provider[\\\"registry.terraform.io/hashicorp/awscc\\\"]\"",
            "the entry of aws_instance.husk (in new) was altered in `provider`",
        ),
        (
            "new",
            "\"name\": \"husk\"",
            "\"name\": \"husks\"",
            "the entry without instances at aws_instance.husks (in new) should not be there",
        ),
        // Objects that did not move.
        (
            "A",
            "10.0.0.0/16",
            "10.0.0.0/15",
            "the object at aws_vpc.main (in A) was altered in `attributes`",
        ),
        (
            "A",
            "\"id\": \"vpc-1\",",
            "\"id\":  \"vpc-1\",",
            "the object at aws_vpc.main (in A) was altered in ``",
        ),
        (
            "A",
            "\"aws_sqs_queue.gone\",",
            "",
            "the object at module.services[\"pay\\\"ments\"].module.inner[0].terraform_data.marker (in A) has wrong dependencies",
        ),
        (
            "A",
            "\"index_key\": 1",
            "\"index_key\": 2",
            "an object appeared at aws_subnet.private[2] (in A) that no move brings there",
        ),
        // Entries that did not move.
        (
            "A",
            "\"name\": \"current\",",
            "\"name\":  \"current\",",
            "the entry of data.aws_caller_identity.current (in A) was altered in ``",
        ),
        (
            "A",
            aws,
            "provider[\\\"registry.terraform.io/hashicorp/aws\\\"].west\"",
            "the entry of data.aws_caller_identity.current (in A) was altered in `provider`",
        ),
        // The rest.
        (
            "A",
            "\"serial\": 42",
            "\"serial\": 41",
            "the new A has a wrong `serial`",
        ),
        (
            "A",
            "\"lineage\": \"3f",
            "\"lineage\": \"4f",
            "the new A has a wrong `lineage`",
        ),
        (
            "A",
            "1.11.4",
            "1.11.5",
            "the new A has a wrong `terraform_version`",
        ),
        ("A", ",\n  \"future\": 1.0", "", "the new A has a wrong `future`"),
        (
            "A",
            "\"future\": 1.0",
            "\"future\": 1",
            "the new A has a wrong `future`",
        ),
        (
            "A",
            "\"future\": 1.0",
            "\"future\": 1.0, \"more\": 1",
            "the new A has a wrong `more`",
        ),
        (
            "A",
            "s3cr3t",
            "s3cret",
            "the output `secret` of A is not what it must be",
        ),
        (
            "A",
            "\"secret\": {",
            "\"secrets\": {",
            "the output `secrets` of A is not what it must be",
        ),
        (
            "A",
            "\"status\": \"unknown\"",
            "\"status\": \"pass\"",
            "the check results of A were altered at `var.region`",
        ),
        (
            "new",
            "\"serial\": 1",
            "\"serial\": 2",
            "the new new has a wrong `serial`",
        ),
        (
            "new",
            "lineage of new",
            "lineage of A",
            "the new new has a wrong `lineage`",
        ),
        (
            "new",
            "\"value\": 1.0",
            "\"value\": 1",
            "the output `x` of new is not what it must be",
        ),
        (
            "new",
            "\"check_results\": null",
            "\"check_results\": [{\"object_kind\":\"var\",\"config_addr\":\"var.x\"}]",
            "the new new has a wrong `check_results`",
        ),
    ] {
        let found = verdict(|outcome| {
            let text = text(outcome, state);
            assert!(text.contains(from), "{from} is not in the text");
            *text = text.replacen(from, to, 1);
        });
        if found != message {
            wrong.push(format!("{from} -> {to}\n  {found}\n  {message}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn lost_and_doubled_objects_are_found() {
    let object = |text: &str, start: &str| {
        let start = text.find(start).unwrap();
        let end = start + text[start..].find("\n        }").unwrap() + "\n        }".len();
        start..end
    };
    let lost = verdict(|outcome| {
        let text = text(outcome, "A");
        let range = object(text, "{\n          \"index_key\": 0,");
        text.replace_range(range.start..range.end + 1, "");
    });
    assert_eq!(
        lost,
        "an object of aws_subnet.private[0] (in A) is lost; it should be at aws_subnet.private[0] (in A)"
    );
    let doubled = verdict(|outcome| {
        let copy = {
            let text = text(outcome, "new");
            text[object(text, "{\n          \"index_key\": 9,")].replace("9", "2")
        };
        let text = text(outcome, "A");
        let at = object(text, "{\n          \"index_key\": 1,").end;
        text.insert_str(at, &format!(",\n        {copy}"));
    });
    assert_eq!(
        doubled,
        "an object appeared at aws_subnet.private[2] (in A) that no move brings there"
    );
    // The source as it was, the target without anything: everything that moved is doubled, or lost.
    let unwritten = verdict(|outcome| outcome.states.iter_mut().for_each(|(_, text)| *text = None));
    assert!(
        unwritten.contains("(in A)") || unwritten.contains("(in new)"),
        "{unwritten}"
    );
    let emptied = verdict(|outcome| {
        let text = text(outcome, "new");
        let range = object(text, "{\n          \"index_key\": 9,");
        text.replace_range(range, "");
    });
    assert_eq!(
        emptied,
        "an object of aws_subnet.private[2] (in A) is lost; it should be at aws_subnet.last[9] (in new)"
    );
}

#[test]
fn unreported_cuts_and_missing_states_are_found() {
    let cut = verdict(|outcome| outcome.cut.clear());
    assert!(
        cut.starts_with("a dependency of the object at ") && cut.ends_with(" was cut without being reported")
    );
    let states = verdict(|outcome| {
        outcome.states.pop();
    });
    assert_eq!(states, "the result lacks the state other, or has it twice");
}

#[test]
fn verdicts_show_no_secrets() {
    let found = verdict(|outcome| {
        let text = text(outcome, "A");
        *text = text.replacen("s3cr3t", "s3cr3t!", 1);
    });
    assert!(!found.contains("s3cr3t"), "{found}");
}
