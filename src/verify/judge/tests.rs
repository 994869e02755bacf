//! Verdicts over plan JSON, a row for each thing a plan can say.

use std::collections::BTreeMap;

use super::*;

/// A whole plan with one entry in one list.
fn plan(list: &str, entry: &str) -> Plan {
    let text = format!(r#"{{"format_version":"1.2","{list}":[{entry}]}}"#);
    Plan::read(text.as_bytes()).unwrap_or_else(|error| panic!("{error}: {text}"))
}

fn change(address: &str, kind: &str, details: &str) -> String {
    format!(r#"{{"address":"{address}","type":"{kind}","change":{{{details}}}}}"#)
}

const UPDATE: &str = r#""actions":["update"],"before":{"a":1,"b":1},"after":{"a":2,"b":1}"#;
const WIDER: &str = r#""actions":["update"],"before":{"a":1,"b":1},"after":{"a":2,"b":3}"#;
const CREATE: &str = r#""actions":["create"],"before":null,"after":{"a":2}"#;
const DELETE: &str = r#""actions":["delete"],"before":{"a":2},"after":null"#;

#[test]
fn classes() {
    let table = [
        (change("x.a", "x", r#""actions":["no-op"]"#), None),
        (change("data.x.a", "x", r#""actions":["read"]"#), None),
        // OpenTofu's word for an ephemeral resource.
        (change("ephemeral.x.a", "x", r#""actions":["open"]"#), None),
        (change("x.a", "x", UPDATE), Some(Class::Update)),
        (change("x.a", "x", CREATE), Some(Class::Create)),
        (change("x.a", "x", DELETE), Some(Class::Delete)),
        (
            change(
                "x.a",
                "x",
                r#""actions":["delete","create"],"before":{},"after":{}"#,
            ),
            Some(Class::Replace),
        ),
        (
            change(
                "x.a",
                "x",
                r#""actions":["create","delete"],"before":{},"after":{}"#,
            ),
            Some(Class::Replace),
        ),
        (change("x.a", "x", r#""actions":["forget"]"#), Some(Class::Forget)),
        (
            change("x.a", "x", r#""actions":["no-op"],"importing":{"id":"i-1"}"#),
            Some(Class::Import),
        ),
        (
            r#"{"address":"x.a","previous_address":"x.b","change":{"actions":["no-op"]}}"#.to_owned(),
            Some(Class::Move),
        ),
        (
            r#"{"address":"x.a","deposed":"0123abcd","change":{"actions":["delete"]}}"#.to_owned(),
            Some(Class::Delete),
        ),
        (
            change(
                "x.a",
                "x",
                r#""actions":["update"],"before":{"a":1},"after":{"a":1},"after_sensitive":{"a":true}"#,
            ),
            Some(Class::Sensitivity),
        ),
    ];
    for (entry, expected) in table {
        let judgement = judge(&plan("resource_changes", &entry), Surroundings::default());
        let found = judgement.findings.first().map(|finding| finding.class);
        assert_eq!(found, expected, "{entry}");
        let verdict = match expected {
            Some(_) => Verdict::Changed,
            None => Verdict::NoChanges,
        };
        assert_eq!(judgement.verdict(), verdict, "{entry}");
    }
    let deferred = r#"{"reason":"provider_config_unknown","resource_change":{"address":"x.a","change":{"actions":["create"]}}}"#;
    let judgement = judge(&plan("deferred_changes", deferred), Surroundings::default());
    assert_eq!(
        judgement.findings[0].line(),
        "x.a: deferred: provider config unknown"
    );
    let invoked = judge(
        &plan("action_invocations", r#"{"address":"action.x.a"}"#),
        Surroundings::default(),
    );
    assert_eq!(invoked.findings[0].class, Class::Invoke);
}

#[test]
fn contracts_may_come_and_nothing_else_of_them() {
    let inside = "module.contract.aws_ssm_parameter.this[0]";
    let table = [
        (inside, "aws_ssm_parameter", CREATE, Verdict::OnlyContract),
        (
            "module.contract.aws_s3_object.this[0]",
            "aws_s3_object",
            CREATE,
            Verdict::OnlyContract,
        ),
        (
            "module.contract.aws_s3_bucket_object.this[0]",
            "aws_s3_bucket_object",
            CREATE,
            Verdict::OnlyContract,
        ),
        (inside, "aws_ssm_parameter", UPDATE, Verdict::Changed),
        (inside, "aws_ssm_parameter", DELETE, Verdict::Changed),
        (
            "module.contract.aws_sqs_queue.this",
            "aws_sqs_queue",
            CREATE,
            Verdict::Changed,
        ),
        (
            "module.contracts.aws_ssm_parameter.this[0]",
            "aws_ssm_parameter",
            CREATE,
            Verdict::Changed,
        ),
        (
            "aws_ssm_parameter.this",
            "aws_ssm_parameter",
            CREATE,
            Verdict::Changed,
        ),
    ];
    for (address, kind, details, expected) in table {
        let plan = plan("resource_changes", &change(address, kind, details));
        let around = Surroundings {
            contract: Some("contract"),
            ..Surroundings::default()
        };
        assert_eq!(judge(&plan, around).verdict(), expected, "{address}");
        let nobody_tells = judge(&plan, Surroundings::default()).verdict();
        assert_eq!(nobody_tells, Verdict::Changed, "{address}");
    }
}

#[test]
fn the_baseline_excuses_the_same_and_no_more() {
    let origins = BTreeMap::from([("x.new".to_owned(), "module.m.x.old".to_owned())]);
    // The baseline's address and change, ours, and whether it is excused.
    let table = [
        ("x.a", UPDATE, "x.a", UPDATE, true),
        ("x.a", WIDER, "x.a", UPDATE, true),
        ("x.a", UPDATE, "x.a", WIDER, false),
        ("x.a", UPDATE, "x.b", UPDATE, false),
        ("x.a", UPDATE, "x.a", DELETE, false),
        ("x.a", CREATE, "x.a", CREATE, true),
        ("module.m.x.old", UPDATE, "x.new", UPDATE, true),
        ("x.new", UPDATE, "x.new", UPDATE, false),
    ];
    for (before, known, address, details, excused) in table {
        for list in ["resource_changes", "resource_drift"] {
            let baseline = plan(list, &change(before, "x", known));
            let around = Surroundings {
                origins: Some(&origins),
                baseline: Some(&baseline),
                ..Surroundings::default()
            };
            let judgement = judge(&plan(list, &change(address, "x", details)), around);
            let (blamed, excuses) = match list {
                "resource_drift" => (&judgement.drift, &judgement.known_drift),
                _ => (&judgement.findings, &judgement.known),
            };
            assert_eq!(
                (blamed.len(), excuses.len()),
                if excused { (0, 1) } else { (1, 0) },
                "{list}: {before} {known} / {address} {details}"
            );
            let expected = match (list, excused) {
                ("resource_drift", _) => Verdict::NoChanges,
                (_, true) => Verdict::OnlyKnown,
                (_, false) => Verdict::Changed,
            };
            assert_eq!(judgement.verdict(), expected);
        }
    }
}

#[test]
fn outputs_and_incomplete_plans() {
    let outputs =
        r#"{"format_version":"1.2","output_changes":{"a":{"actions":["create"]},"b":{"actions":["no-op"]}}}"#;
    let plan = Plan::read(outputs.as_bytes()).unwrap();
    let judgement = judge(&plan, Surroundings::default());
    assert_eq!(judgement.outputs.len(), 1);
    assert_eq!(judgement.verdict(), Verdict::OnlyOutputs);
    let around = Surroundings {
        baseline: Some(&plan),
        ..Surroundings::default()
    };
    assert_eq!(judge(&plan, around).verdict(), Verdict::NoChanges);
    for text in [
        r#"{"format_version":"1.2","errored":true}"#,
        r#"{"format_version":"1.2","complete":false}"#,
    ] {
        let plan = Plan::read(text.as_bytes()).unwrap();
        assert_eq!(
            judge(&plan, Surroundings::default()).verdict(),
            Verdict::Unproven,
            "{text}"
        );
    }
    // OpenTofu says neither of the two.
    let plan = Plan::read(br#"{"format_version":"1.2","terraform_version":"1.10.0"}"#).unwrap();
    assert_eq!(
        judge(&plan, Surroundings::default()).verdict(),
        Verdict::NoChanges
    );
    assert!(Verdict::OnlyKnown.holds() && !Verdict::Unproven.holds());
}
