//! Whole texts: layouts, providers, unknown fields.

mod around;

use super::*;
use crate::state::TopField;

const SHOP: &str = include_str!("../../../testdata/states/terraform-1.11-shop.tfstate");
const BY_KEY: &str = include_str!("../../../testdata/states/opentofu-1.12-by-key.tfstate");
const LEGACY: &str = include_str!("../../../testdata/states/terraform-0.12-legacy.tfstate");
const IDENTITY: &str = include_str!("../../../testdata/states/terraform-1.12-identity.tfstate");
const HAND: &str = include_str!("../../../testdata/states/hand-edited.tfstate");
const DEPOSED: &str = include_str!("../../../testdata/states/terraform-1.1-deposed.tfstate");

/// Moves between a source `A` and the states `new` and `other`, which exist where a text is given.
fn run(source: &str, others: &[(&str, &str)]) -> Run {
    let mut before = vec![(id("A"), read(source))];
    before.extend(others.iter().map(|(name, text)| (id(name), read(text))));
    Run { before }
}

fn written<'c>(conserved: &'c Conserved, name: &str) -> &'c Snapshot {
    let found = conserved.states.iter().find(|(found, _)| *found == id(name));
    found
        .and_then(|(_, outcome)| outcome.written())
        .expect("the state is written")
}

fn moved(run: &Run, lines: &str) -> Conserved {
    run.change(&run.resolve(lines).unwrap()).unwrap()
}

#[test]
fn a_new_state_is_what_terraform_would_write() {
    let run = run(SHOP, &[]);
    let conserved = moved(
        &run,
        "A:module.services[\"or.ders\"] -> new:module.orders\nA:aws_subnet.private[2] -> new:aws_subnet.last",
    );
    insta::assert_snapshot!(written(&conserved, "new").text(), @r#"
        {
          "version": 4,
          "terraform_version": "1.11.4",
          "serial": 1,
          "lineage": "lineage of new",
          "outputs": {},
          "resources": [
            {
              "mode": "managed",
              "type": "aws_subnet",
              "name": "last",
              "provider": "provider[\"registry.terraform.io/hashicorp/aws\"]",
              "instances": [
                {
                  "schema_version": 1,
                  "attributes": {
                    "id": "subnet-2",
                    "vpc_id": "vpc-1"
                  },
                  "sensitive_attributes": [],
                  "private": "bnVsbA=="
                }
              ]
            },
            {
              "module": "module.orders",
              "mode": "managed",
              "type": "aws_sqs_queue",
              "name": "orders",
              "provider": "provider[\"registry.terraform.io/hashicorp/aws\"]",
              "instances": [
                {
                  "schema_version": 0,
                  "attributes": {
                    "id": "https://sqs/a",
                    "max_message_size": 262144,
                    "policy": "",
                    "big": 12345678901234567890.10
                  },
                  "sensitive_attributes": [],
                  "private": "bnVsbA==",
                  "dependencies": [
                    "aws_subnet.last"
                  ],
                  "create_before_destroy": true
                }
              ]
            }
          ],
          "check_results": null
        }
    "#);
    assert_eq!(conserved.report.states_written, 2);
    assert_eq!((conserved.report.objects, conserved.report.objects_moved), (8, 2));
    assert!(
        conserved
            .states
            .iter()
            .any(|(name, outcome)| *name == id("other") && outcome.written().is_none())
    );
}

#[test]
fn the_source_keeps_everything_else() {
    let run = run(SHOP, &[]);
    let conserved = moved(
        &run,
        "A:module.services[\"or.ders\"] -> new:module.orders\nA:aws_subnet.private[2] -> new:aws_subnet.last",
    );
    let after = written(&conserved, "A").text();
    let mut expected = SHOP.replacen("\"serial\": 41", "\"serial\": 42", 1);
    let cut = |text: &mut String, from: &str, to: &str| {
        let start = text.find(from).unwrap();
        let end = start + text[start..].find(to).unwrap();
        text.replace_range(start..end, "");
    };
    cut(
        &mut expected,
        "        {\n          \"index_key\": 2,",
        "      ]\n    },\n    {\n      \"mode\": \"managed\",\n      \"type\": \"aws_vpc\"",
    );
    expected = expected.replacen("},\n      ]", "}\n      ]", 1);
    let module = "    {\n      \"module\": \"module.services[\\\"or.ders\\\"]\",";
    cut(
        &mut expected,
        module,
        "    {\n      \"module\": \"module.services[\\\"pay",
    );
    assert_eq!(after, expected);
}

#[test]
fn there_and_back_restores_every_byte() {
    for (source, lines) in [
        (
            SHOP,
            "A:aws_vpc.main -> A:module.net[\"a.b\"].aws_vpc.this[\"x\"]",
        ),
        (SHOP, "A:module.services[\"pay\\\"ments\"] -> A:module.p"),
        (
            SHOP,
            "A:data.aws_caller_identity.current -> other:data.aws_caller_identity.me",
        ),
        (BY_KEY, "A:aws_sqs_queue.q -> new:module.q.aws_sqs_queue.q"),
        (BY_KEY, "A:aws_sqs_queue.q[\"eu\"] -> A:aws_sqs_queue.eu"),
        (LEGACY, "A:aws_vpc.main -> new:module.m.aws_vpc.main[0]"),
        (
            IDENTITY,
            "A:aws_s3_bucket.logs -> new:module.logs.aws_s3_bucket.this[0]",
        ),
        (HAND, "A:aws_vpc.a -> new:aws_vpc.a"),
        (
            DEPOSED,
            "A:aws_instance.web -> new:aws_instance.other\nA:aws_instance.husk -> new:module.m.aws_instance.husk",
        ),
    ] {
        let before = run(source, &[]);
        let changes = before.resolve(lines).unwrap();
        let there = before.change(&changes).unwrap();
        let states: Vec<_> = there
            .states
            .iter()
            .filter_map(|(name, outcome)| Some((name.clone(), outcome.written()?.clone())))
            .collect();
        let original = |at: &At<ResourceInstanceAddr>| {
            let resource = before.before[0].1.resource(&at.addr.resource).unwrap();
            let provider = resource.provider().cloned();
            provider.map_or(ProviderChoice::Keep, |provider| {
                ProviderChoice::At(Box::new(provider))
            })
        };
        let back = Changes {
            instances: changes
                .instances
                .iter()
                .map(|movement| InstanceMove {
                    from: movement.to.clone(),
                    to: movement.from.clone(),
                    provider: original(&movement.from),
                })
                .collect(),
            husks: changes
                .husks
                .iter()
                .map(|movement| HuskMove {
                    from: movement.to.clone(),
                    to: movement.from.clone(),
                    provider: ProviderChoice::Keep,
                })
                .collect(),
            ..Changes::default()
        };
        let back = Run { before: states }.change(&back).unwrap();
        let resources = |snapshot: &Snapshot| {
            snapshot.text()[snapshot.field(TopField::Resources).unwrap().value].to_owned()
        };
        let (old, new) = (resources(&before.before[0].1), resources(written(&back, "A")));
        if source == HAND {
            // What came back is laid out as Terraform does it, and stands where Terraform sorts it.
            assert_eq!(list_ids(written(&back, "A")), "2 1");
        } else {
            assert_eq!(new, old, "{lines}");
        }
    }
}

#[test]
fn layouts_change_only_white_space() {
    // Compact into indented, indented into compact, and into a state of an odd layout.
    let run1 = run(BY_KEY, &[("new", SHOP)]);
    let conserved = moved(&run1, "A:aws_sqs_queue.q[\"us\"] -> new:aws_sqs_queue.us");
    let after = written(&conserved, "new");
    assert_eq!(after.layout(), Layout::Indented);
    insta::assert_snapshot!(after.resource(&"aws_sqs_queue.us".parse().unwrap()).unwrap().text(), @r#"
        {
              "mode": "managed",
              "type": "aws_sqs_queue",
              "name": "us",
              "instances": [
                {
                  "provider": "provider[\"registry.opentofu.org/hashicorp/aws\"].by[\"us\"]",
                  "schema_version": 0,
                  "attributes": {
                    "name": "us"
                  },
                  "sensitive_attributes": [],
                  "private": "bnVsbA=="
                }
              ]
            }
    "#);
    let run2 = run(SHOP, &[("new", BY_KEY)]);
    let conserved = moved(&run2, "A:aws_vpc.main -> new:aws_vpc.main[\"<k>\"]");
    let after = written(&conserved, "new");
    assert_eq!(after.layout(), Layout::Compact);
    insta::assert_snapshot!(after.resource(&"aws_vpc.main".parse().unwrap()).unwrap().text(), @r#"
        {"mode":"managed","type":"aws_vpc","name":"main","provider":"provider[\"registry.terraform.io/hashicorp/aws\"]","instances":[{"index_key":"\u003ck\u003e","schema_version":1,"attributes":{"cidr_block":"10.0.0.0/16","id":"vpc-1","tags":{"Name":"main \u003cprod\u003e"}},"sensitive_attributes":[],"private":"eyJzY2hlbWFfdmVyc2lvbiI6IjEifQ=="}]}
    "#);
    let run3 = run(SHOP, &[("new", HAND)]);
    let conserved = moved(
        &run3,
        "A:aws_vpc.main -> new:aws_vpc.main\nA:aws_subnet.private[0] -> new:aws_subnet.x",
    );
    let after = written(&conserved, "new").text();
    assert!(after.starts_with("{\n\t\"version\" : 4,\n"));
    let kept = HAND.find("\t\t{\n\t\t\t\"mode\" : \"managed\"").unwrap();
    let end = HAND.find("\n\t\t},").unwrap();
    assert!(after.contains(&HAND[kept..end]));
}

#[test]
fn providers_stay_the_same_provider() {
    let in_module = SHOP.replace(
        "\"name\": \"main\",\n      \"provider\": \"provider[",
        "\"name\": \"main\",\n      \"provider\": \"module.net.provider[",
    );
    let alias = in_module.replace("aws\\\"]\",", "aws\\\"].west\",");
    let provider_of = |source: &str, choice: ProviderChoice, to: &str| {
        let run = run(source, &[]);
        let mut request = requests(&format!("A:aws_vpc.main -> {to}"));
        request[0].provider = choice;
        let conserved = run.change(&resolve(&run.states(), &request).unwrap())?;
        let state = to.split(':').next().unwrap();
        let addr: ResourceAddr = to.split(':').nth(1).unwrap().parse().unwrap();
        Ok(written(&conserved, state)
            .resource(&addr)
            .unwrap()
            .provider()
            .unwrap()
            .to_string())
    };
    let asked = |text: &str| ProviderChoice::At(Box::new(text.parse().unwrap()));
    let aws = "provider[\"registry.terraform.io/hashicorp/aws\"]";
    let check = |result: Result<String, MoveError>, expected: &str| assert_eq!(result.unwrap(), expected);
    check(
        provider_of(&in_module, ProviderChoice::Auto, "new:aws_vpc.x"),
        aws,
    );
    check(
        provider_of(&in_module, ProviderChoice::Auto, "A:aws_vpc.x"),
        &format!("module.net.{aws}"),
    );
    check(
        provider_of(&in_module, ProviderChoice::Keep, "new:aws_vpc.x"),
        &format!("module.net.{aws}"),
    );
    check(provider_of(&alias, ProviderChoice::Auto, "new:aws_vpc.x"), aws);
    check(
        provider_of(
            &SHOP.replace("aws\\\"]\",", "aws\\\"].west\","),
            ProviderChoice::Auto,
            "new:aws_vpc.x",
        ),
        &format!("{aws}.west"),
    );
    let wanted = format!("module.a.{aws}.eu");
    check(provider_of(SHOP, asked(&wanted), "new:aws_vpc.x"), &wanted);
    let error: MoveError =
        provider_of(SHOP, asked("provider[\"example.com/foo/aws\"]"), "new:aws_vpc.x").unwrap_err();
    assert!(matches!(error, MoveError::ProviderDiffers { .. }), "{error}");
}

#[test]
fn joining_keeps_the_provider_of_the_target() {
    let west = SHOP
        .replace("aws\\\"]\",", "aws\\\"].west\",")
        .replace("3f0c5a11", "4f0c5a11");
    let run1 = run(SHOP, &[("new", &west)]);
    let conserved = moved(&run1, "A:aws_subnet.private[1] -> new:aws_subnet.private[7]");
    let joined = written(&conserved, "new")
        .resource(&"aws_subnet.private".parse().unwrap())
        .unwrap();
    assert_eq!(joined.object_count(), 4);
    assert_eq!(joined.provider().unwrap().alias.as_deref(), Some("west"));
    // Another provider, or another form of it, is refused.
    let run2 = run(
        SHOP,
        &[("new", &west.replace("hashicorp/aws", "hashicorp/azurerm"))],
    );
    let changes = run2
        .resolve("A:aws_subnet.private[1] -> new:aws_subnet.private[7]")
        .unwrap();
    assert!(matches!(
        run2.change(&changes),
        Err(MoveError::ProviderDiffers { .. })
    ));
    let run3 = run(BY_KEY, &[]);
    let changes = run3
        .resolve("A:aws_sqs_queue.r -> A:aws_sqs_queue.q[\"r\"]")
        .unwrap();
    assert!(matches!(
        run3.change(&changes),
        Err(MoveError::ProviderForms { .. })
    ));
}

#[test]
fn own_providers_travel_with_their_instance() {
    let run = run(BY_KEY, &[]);
    let mut request = requests(
        "A:aws_sqs_queue.q[\"eu\"] -> new:aws_sqs_queue.a\nA:aws_sqs_queue.q[\"us\"] -> new:aws_sqs_queue.b",
    );
    let asked = "module.x.provider[\"registry.opentofu.org/hashicorp/aws\"].by[\"u.s\"]";
    request[1].provider = ProviderChoice::At(Box::new(asked.parse().unwrap()));
    let conserved = run.change(&resolve(&run.states(), &request).unwrap()).unwrap();
    let own = |name: &str| {
        let resource = written(&conserved, "new")
            .resource(&name.parse().unwrap())
            .unwrap();
        assert!(resource.provider().is_none());
        resource
            .instances()
            .next()
            .unwrap()
            .own_provider()
            .unwrap()
            .to_string()
    };
    assert_eq!(
        own("aws_sqs_queue.a"),
        "provider[\"registry.opentofu.org/hashicorp/aws\"].by[\"eu\"]"
    );
    assert_eq!(own("aws_sqs_queue.b"), asked);
}

#[test]
fn unknown_fields_survive_or_the_move_is_refused() {
    let run1 = run(IDENTITY, &[]);
    let conserved = moved(&run1, "A:aws_s3_bucket.logs -> new:aws_s3_bucket.x[0]");
    let text = written(&conserved, "new").text();
    assert!(text.contains("\"identity\": {\n            \"bucket\": \"logs\"") && text.contains("1.0"));
    assert!(written(&conserved, "A").text().contains("\"future_top\": 1e3"));
    // Joined to an entry without it, the field of the entry would be lost.
    let plain = SHOP.replace("aws_vpc", "aws_s3_bucket");
    let run2 = run(IDENTITY, &[("new", &plain)]);
    let changes = run2
        .resolve("A:aws_s3_bucket.logs -> new:aws_s3_bucket.main[0]")
        .unwrap();
    let error = run2.change(&changes).unwrap_err();
    assert!(
        matches!(&error, MoveError::UnknownField { field, .. } if field == "future"),
        "{error}"
    );
}
