//! The saved plan: what is written is read again, and nothing else is.

use super::*;
use crate::plan::migration::{After, Before, PlannedState, Role};
use crate::plan::preset::{Piece, Pointer, Preset, Recipe, Step};
use crate::stack::StateLocation;
use crate::state::{Fingerprint, Lineage, Md5Digest, Serial, Sha256Digest};

const SAMPLE: &str = include_str!("../../../testdata/plan-format/v1.json");
const SAMPLE_2: &str = include_str!("../../../testdata/plan-format/v2.json");

/// The sample of version 1 with outputs that are given a value.
fn sample_2() -> MigrationPlan {
    let pointer = |path: &[Step]| Pointer {
        state: StateId::Source("acme".parse().unwrap()),
        address: "module.service[\"a.b\"].aws_sqs_queue.q[0]".parse().unwrap(),
        path: path.to_vec(),
    };
    let name = |name: &str| Step::Name(name.to_owned());
    let members = [
        ("installed", Recipe::Plain("true".to_owned())),
        ("arn", Recipe::At(pointer(&[name("arn")]))),
        (
            "url",
            Recipe::Text(vec![
                Piece::Literal("https://".to_owned()),
                Piece::At(pointer(&[name("hosts"), Step::Index(2)])),
            ]),
        ),
        (
            "sizes",
            Recipe::List(vec![
                Recipe::Plain("-1.50e3".to_owned()),
                Recipe::Text(Vec::new()),
            ]),
        ),
    ];
    let members = members.map(|(name, recipe)| (name.to_owned(), recipe));
    MigrationPlan {
        presets: vec![Preset {
            state: StateId::Stack("orders".parse().unwrap()),
            name: "contract".to_owned(),
            sensitive: true,
            document: Recipe::Object(members.into()),
        }],
        ..sample()
    }
}

fn sample() -> MigrationPlan {
    let location = |backend: &str, arguments: &[(&str, &str)]| StateLocation {
        backend: backend.to_owned(),
        arguments: arguments
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
        workspace: "default".to_owned(),
    };
    let print = |byte: u8, lineage: &str, serial: u64| Fingerprint {
        lineage: Lineage::new(lineage),
        serial: Serial(serial),
        sha256: Sha256Digest([byte; 32]),
        md5: Md5Digest([byte; 16]),
        size: 1000 + u64::from(byte),
    };
    let acme = StateId::Source("acme".parse().unwrap());
    let orders = StateId::Stack("orders".parse().unwrap());
    let old = "3f0c00ff-3031-3233-3435-363738396162";
    let address = |text: &str| text.parse::<ResourceInstanceAddr>().unwrap();
    MigrationPlan {
        name: "acme".parse().unwrap(),
        environment: "tenant-a/stage".to_owned(),
        states: vec![
            PlannedState {
                id: orders.clone(),
                location: location(
                    "s3",
                    &[("bucket", "b"), ("key", "orders.tfstate"), ("profile", "p")],
                ),
                role: Role::Gets,
                before: Before::Absent,
                after: After::Written(print(0xab, "aaaaaaaa-0000-0000-0000-000000000000", 1)),
            },
            PlannedState {
                id: acme.clone(),
                location: location("s3", &[("bucket", "b"), ("key", "acme.tfstate")]),
                role: Role::Gives,
                before: Before::Exists(print(1, old, 41)),
                after: After::Written(print(2, old, 42)),
            },
        ],
        moves: vec![InstanceMove {
            giver: acme.clone(),
            from: address("module.service[\"orders\"].aws_sqs_queue.q[0]"),
            taker: orders.clone(),
            to: address("aws_sqs_queue.q[0]"),
        }],
        outputs: vec![OutputMove {
            giver: acme.clone(),
            taker: orders.clone(),
            name: "url".to_owned(),
        }],
        presets: Vec::new(),
        dependencies: vec![StackDependency {
            consumer: orders,
            producer: acme,
            values: 3,
            ordering: 1,
        }],
        warnings: vec!["one".to_owned()],
    }
}

/// This file never changes: plans that were saved once must stay readable.
#[test]
fn the_frozen_sample_still_reads() {
    assert_eq!(read(SAMPLE).unwrap(), sample());
}

#[test]
fn what_is_written_is_read_again() {
    let text = write(&sample()).unwrap();
    assert_eq!(read(&text).unwrap(), sample());
    assert!(text.ends_with("}\n") && is_saved_plan(&text));
    assert!(!is_saved_plan("split \"a\" {\n}\n"));
    let keys = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap()["states"].clone();
    assert_eq!(keys(&text), keys(SAMPLE));
}

/// Nor does this one.
#[test]
fn version_2_has_presets() {
    assert_eq!(read(SAMPLE_2).unwrap(), sample_2());
    let text = write(&sample_2()).unwrap();
    assert_eq!(read(&text).unwrap(), sample_2());
    let presets = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap()["presets"].clone();
    assert_eq!(presets(&text), presets(SAMPLE_2));
    let refused = |from: &str, to: &str| {
        let text = SAMPLE_2.replacen(from, to, 1);
        assert_ne!(text, SAMPLE_2, "{from}");
        read(&text).unwrap_err().to_string()
    };
    insta::assert_snapshot!(refused("\"version\": 2", "\"version\": 1"), @r#"
    the saved plan is damaged: presets: version 1 has none
    "#);
    insta::assert_snapshot!(refused("-1.50e3", "hidden"), @r#"
    the saved plan is damaged: presets.document.plain: neither a number nor null, true or false
    "#);
    insta::assert_snapshot!(refused("a.b\\\"].aws_sqs_queue.q[0]", "a.b\\\"].aws_sqs_queue"), @r#"
    the saved plan is damaged: presets.address: invalid address `module.service["a.b"].aws_sqs_queue` at byte 35: a resource is written TYPE.NAME; the name is missing
    "#);
    insta::assert_snapshot!(refused("\"state\": \"stack:orders\",\n      \"name\"", "\"state\": \"stack:x\",\n      \"name\""), @r#"
    the saved plan does not hold together: the output `contract` would be given a value in `x`, which the plan does not allow
    "#);
}

#[test]
fn other_texts_are_refused() {
    let refused = |from: &str, to: &str| {
        let text = SAMPLE.replacen(from, to, 1);
        assert_ne!(text, SAMPLE, "{from}");
        read(&text).unwrap_err().to_string()
    };
    insta::assert_snapshot!(refused("\"version\": 1", "\"version\": 3"), @r#"
    the saved plan has version 3, this program reads up to 2; make the plan again, or use a newer stackcut
    "#);
    insta::assert_snapshot!(refused("\"version\": 1", "\"version\": 0"), @r#"
    the saved plan has version 0, which does not exist
    "#);
    insta::assert_snapshot!(refused("\"stackcut-plan\"", "\"x\""), @r#"
    not a saved plan: its `format` is `x`, not `stackcut-plan`
    "#);
    insta::assert_snapshot!(refused("\"written_by\"", "\"unheard_of\": 1, \"written_by\""), @r#"
    not a saved plan: unknown field `unheard_of`, expected one of `format`, `version`, `written_by`, `name`, `environment`, `states`, `moves`, `outputs`, `presets`, `dependencies`, `warnings` at line 4 column 14
    "#);
    insta::assert_snapshot!(refused("abab", "ABab"), @r#"
    the saved plan is damaged: states.stack:orders.sha256: not lower-case hex digits of the right number
    "#);
    insta::assert_snapshot!(refused("abab", "ab"), @r#"
    the saved plan is damaged: states.stack:orders.sha256: not lower-case hex digits of the right number
    "#);
    insta::assert_snapshot!(refused("stack:orders", "orders"), @r#"
    the saved plan is damaged: states.orders: `orders` names no state
    "#);
    insta::assert_snapshot!(refused("\"s3\"", "\"gcs\""), @r#"
    the saved plan is damaged: states.stack:orders: unknown backend `gcs`
    "#);
    insta::assert_snapshot!(refused("\"profile\"", "\"secret_key\""), @r#"
    the saved plan does not hold together: the location of `orders` holds the credential `secret_key`
    "#);
    insta::assert_snapshot!(refused("\"serial\": 42", "\"serial\": 43"), @r#"
    the saved plan does not hold together: the state `acme` would get serial 43 and lineage `3f0c00ff-3031-3233-3435-363738396162`, which does not follow from what it has
    "#);
    insta::assert_snapshot!(refused("\"serial\": 1,", "\"serial\": 2,"), @r#"
    the saved plan does not hold together: the state `orders` would get serial 2 and lineage `aaaaaaaa-0000-0000-0000-000000000000`, which does not follow from what it has
    "#);
    insta::assert_snapshot!(refused("\"orders.tfstate\"", "\"acme.tfstate\""), @r#"
    the saved plan does not hold together: `orders` and `acme` are the same state: s3://b/acme.tfstate
    "#);
    insta::assert_snapshot!(refused("\"gets\"", "\"gives\""), @r#"
    the saved plan does not hold together: `module.service["orders"].aws_sqs_queue.q[0]` moves from `acme` to `orders`, but the plan does not list them so
    "#);
}

#[test]
fn a_plan_with_a_credential_or_a_wrong_order_is_not_written() {
    let mut plan = sample();
    plan.states[0].location.arguments.insert(
        "assume_role_with_web_identity.web_identity_token".to_owned(),
        "hidden".to_owned(),
    );
    let error = write(&plan).unwrap_err().to_string();
    assert!(
        error.contains("web_identity_token") && !error.contains("hidden"),
        "{error}"
    );
    let mut plan = sample();
    plan.states.reverse();
    assert!(matches!(
        write(&plan),
        Err(SavedPlanError::Fault(PlanFault::WrongOrder { .. }))
    ));
    let mut plan = sample();
    let again = plan.moves[0].clone();
    plan.moves.push(again);
    assert!(matches!(
        write(&plan),
        Err(SavedPlanError::Fault(PlanFault::DoubleMove { .. }))
    ));
}
