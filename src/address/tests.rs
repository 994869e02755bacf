//! What Terraform 1.11 reads and prints, as tables, and properties over arbitrary addresses.

use proptest::prelude::*;

use super::pattern::Pattern;
use super::*;

fn printed<T: std::str::FromStr<Err = AddressError> + fmt::Display>(
    text: &str,
) -> Result<String, (usize, String)> {
    text.parse::<T>()
        .map(|addr| addr.to_string())
        .map_err(|error| (error.offset, error.reason))
}

#[test]
fn reads_and_prints_as_terraform_does() {
    let table = [
        ("terraform_data.a", "terraform_data.a"),
        ("terraform_data . a", "terraform_data.a"),
        ("resource.terraform_data.a", "terraform_data.a"),
        ("resource.count.a", "count.a"),
        ("a.b[0]", "a.b[0]"),
        ("a.b[ 10 ]", "a.b[10]"),
        (r#"f.f["n\u00e9w\tkey"]"#, "f.f[\"néw\\tkey\"]"),
        (r#"f.f["a.b"]"#, r#"f.f["a.b"]"#),
        (r#"f.f["a\"b\\"]"#, r#"f.f["a\"b\\"]"#),
        (r#"f.f["$${x} %%{y} $ % $$"]"#, r#"f.f["$${x} %%{y} $ % $$"]"#),
        (r#"f.f["$$${x}"]"#, r#"f.f["$$${x}"]"#),
        (r#"f.f[""]"#, r#"f.f[""]"#),
        (r#"f.f["\u0000\u200b\U0001f600"]"#, "f.f[\"\\u0000\\u200b😀\"]"),
        ("module.a.module.b[1].x.y", "module.a.module.b[1].x.y"),
        (r#"module.a["k"].data.x.y[0]"#, r#"module.a["k"].data.x.y[0]"#),
        ("module.a", "module.a"),
        ("data.aws_region.current", "data.aws_region.current"),
        ("日本語.é-1", "日本語.é-1"),
        ("module.module.module.data.x.y", "module.module.module.data.x.y"),
    ];
    for (text, expected) in table {
        assert_eq!(printed::<MoveableAddr>(text).as_deref(), Ok(expected), "{text}");
    }
}

#[test]
fn refuses_what_terraform_refuses_and_says_where() {
    let table = [
        ("x.y.0", 3, "not `.0`"),
        ("x.y[-1]", 4, "negative"),
        ("x.y[1.5]", 4, "whole number"),
        ("x.y[*]", 4, "no single instance"),
        ("x.y['a']", 4, "double quotes"),
        (r#"x.y["${x}"]"#, 5, "$${"),
        (r#"x.y["%{x}"]"#, 5, "%%{"),
        (r#"x.y["a\q"]"#, 6, "unknown escape"),
        (r#"x.y["a"#, 4, "inside the quotes"),
        ("x.y[18446744073709551616]", 4, "too large"),
        ("count.x", 0, "reserved"),
        ("ephemeral.x.y", 0, "never in a state"),
        ("x", 1, "name is missing"),
        ("module.", 7, "text ends"),
        ("module.a.b", 10, "name is missing"),
        ("x.y[0].z", 6, "complete"),
        ("x.y[0", 5, "`]`"),
        ("", 0, "text ends"),
        ("1x.y", 0, "digit"),
        ("x.*", 2, "patterns"),
    ];
    for (text, offset, reason) in table {
        let (at, why) = printed::<MoveableAddr>(text).expect_err(text);
        assert!(at == offset && why.contains(reason), "{text}: {at} {why}");
    }
}

#[test]
fn dependencies_lose_the_keys_of_their_modules() {
    assert_eq!(
        printed::<ConfigResourceAddr>(r#"module.q["k"].z.w"#).as_deref(),
        Ok("module.q.z.w")
    );
    assert!(printed::<ConfigResourceAddr>("z.w[0]").is_err());
    assert!(printed::<ResourceAddr>(r#"module.q["k"].z.w"#).is_ok());
    assert_eq!(printed::<ModuleInstanceAddr>("").as_deref(), Ok(""));
    assert!(printed::<ModuleAddr>("module.a[0]").is_err());
}

#[test]
fn provider_configurations() {
    let aws = r#"provider["registry.terraform.io/hashicorp/aws"]"#;
    let table = [
        (aws, aws),
        (r#"provider["aws"]"#, aws),
        (
            r#"provider["Example.COM/Foo/AWS"]"#,
            r#"provider["example.com/foo/aws"]"#,
        ),
        (
            r#"provider["terraform.io/builtin/terraform"]"#,
            r#"provider["terraform.io/builtin/terraform"]"#,
        ),
        (
            r#"module.m.module.n.provider["registry.terraform.io/hashicorp/aws"].in"#,
            r#"module.m.module.n.provider["registry.terraform.io/hashicorp/aws"].in"#,
        ),
        ("provider.aws", r#"provider["registry.terraform.io/-/aws"]"#),
        ("provider.aws.eu", r#"provider["registry.terraform.io/-/aws"].eu"#),
        (
            "module.m.provider.aws",
            r#"module.m.provider["registry.terraform.io/-/aws"]"#,
        ),
        (
            "provider.terraform",
            r#"provider["terraform.io/builtin/terraform"]"#,
        ),
        (
            r#"provider["registry.opentofu.org/hashicorp/aws"].by["eu.1"]"#,
            r#"provider["registry.opentofu.org/hashicorp/aws"].by["eu.1"]"#,
        ),
    ];
    for (text, expected) in table {
        assert_eq!(
            printed::<ProviderConfigAddr>(text).as_deref(),
            Ok(expected),
            "{text}"
        );
    }
    for text in [
        "",
        "aws",
        r#"module.x[0].provider["x/y"]"#,
        "provider",
        "provider[0]",
        r#"provider["a/b/c/d"]"#,
        r#"provider["a//c"]"#,
    ] {
        assert!(printed::<ProviderConfigAddr>(text).is_err(), "{text}");
    }
    let [a, b]: [ProviderAddr; 2] = [
        "registry.terraform.io/hashicorp/aws",
        "registry.opentofu.org/hashicorp/aws",
    ]
    .map(|text| text.parse().unwrap());
    assert!(a.is_same(&b) && a != b);
}

#[test]
fn patterns_are_anchored_and_know_segments() {
    let table: [(&str, &[&str], &[&str]); 13] = [
        (
            "aws_sqs_queue.orders",
            &["aws_sqs_queue.orders", "aws_sqs_queue.orders[0]"],
            &[
                "aws_sqs_queue.orders2",
                "module.a.aws_sqs_queue.orders",
                "data.aws_sqs_queue.orders",
            ],
        ),
        (
            "aws_sqs_queue.*",
            &["aws_sqs_queue.a", r#"aws_sqs_queue.b["x.y"]"#],
            &["aws_sqs_queue_policy.a", "module.m.aws_sqs_queue.a"],
        ),
        (
            "aws_iam_*.orders-*",
            &["aws_iam_role.orders-api", "aws_iam_policy.orders-"],
            &["aws_iam_role.xorders-api", "aws_iamx.orders-a"],
        ),
        ("x.y[*]", &["x.y[0]", r#"x.y["a"]"#], &["x.y"]),
        (
            r#"x.y["eu-*"]"#,
            &[r#"x.y["eu-1"]"#, r#"x.y["eu-a.b[0]"]"#],
            &["x.y", "x.y[0]", r#"x.y["us"]"#],
        ),
        (r#"x.y["a\*"]"#, &[r#"x.y["a*"]"#], &[r#"x.y["ab"]"#]),
        (r#"x.y["\"*\""]"#, &[r#"x.y["\"q\""]"#], &[r#"x.y["q"]"#]),
        (
            "module.vpc",
            &["module.vpc.a.b", "module.vpc[0].module.n.data.a.b[1]"],
            &["module.vpc2.a.b", "a.b", "module.x.module.vpc.a.b"],
        ),
        (
            r#"module.service["orders"]"#,
            &[r#"module.service["orders"].a.b"#],
            &["module.service.a.b", r#"module.service["o"].a.b"#],
        ),
        (
            "module.net.**",
            &["module.net.a.b", "module.net.module.x.a.b"],
            &["module.network.a.b"],
        ),
        (
            "module.*.a.b",
            &["module.x.a.b", "module.y[0].a.b"],
            &["a.b", "module.x.module.y.a.b"],
        ),
        (
            "**.a.b",
            &["a.b", "module.x.a.b", "module.x.module.y[1].a.b[0]"],
            &["a.c", "data.a.b"],
        ),
        (
            "module.n.**.a.*",
            &["module.n.a.b", "module.n.module.m.a.c"],
            &["module.o.a.b", "module.n.b.a"],
        ),
    ];
    for (pattern, takes, leaves) in table {
        let pattern: Pattern = pattern.parse().unwrap();
        for addr in takes {
            assert!(
                pattern.matches(&addr.parse().unwrap()),
                "{pattern} should take {addr}"
            );
        }
        for addr in leaves {
            assert!(
                !pattern.matches(&addr.parse().unwrap()),
                "{pattern} should leave {addr}"
            );
        }
    }
    let everything: Pattern = "**".parse().unwrap();
    assert!(
        everything.matches(&"data.a.b".parse().unwrap())
            && everything.matches(&"module.x.a.b".parse().unwrap())
    );
    let one: Pattern = r#"module.s["a"].x.y["k"]"#.parse().unwrap();
    assert!(one.matches_config(&"module.s.x.y".parse().unwrap()));
    assert!(!one.matches_resource(&r#"module.s["a"].x.y"#.parse().unwrap()));
    assert_eq!(
        one.literal().map(|addr| addr.to_string()).as_deref(),
        Some(r#"module.s["a"].x.y["k"]"#)
    );
    assert_eq!("x.*".parse::<Pattern>().unwrap().literal(), None);
}

#[test]
fn bad_patterns_say_where() {
    let table = [
        ("", 0),
        ("aws_x", 5),
        ("module", 6),
        ("module.a.b", 10),
        ("x.y.z", 3),
        ("a**.b", 0),
        ("var.x", 0),
        ("x.y[a]", 4),
        (r#"x.y["a]"#, 4),
        ("x..y", 2),
    ];
    for (text, offset) in table {
        assert_eq!(
            text.parse::<Pattern>().map_err(|e| e.offset),
            Err(offset),
            "{text}"
        );
    }
}

#[test]
fn moves_rebase_what_they_contain() {
    let table = [
        (
            "module.a",
            "module.b.module.c",
            "module.a.module.x[0].p.q[1]",
            Some("module.b.module.c.module.x[0].p.q[1]"),
        ),
        (
            r#"module.a["k"]"#,
            "module.a",
            r#"module.a["k"].p.q"#,
            Some("module.a.p.q"),
        ),
        ("p.q", "p.r", r#"p.q["k"]"#, Some(r#"p.r["k"]"#)),
        ("p.q", "p.q[0]", "p.q", Some("p.q[0]")),
        ("p.q", "p.q[0]", "p.q[1]", None),
        ("p.q[0]", "p.r", "p.q[0]", Some("p.r")),
        ("p.q[0]", r#"p.q["zero"]"#, "p.q[1]", None),
        ("module.a", "module.b", "module.ab.p.q", None),
    ];
    for (from, to, addr, expected) in table {
        let addr: ResourceInstanceAddr = addr.parse().unwrap();
        let moved = addr.rebase(&from.parse().unwrap(), &to.parse().unwrap());
        assert_eq!(
            moved.map(|addr| addr.to_string()).as_deref(),
            expected,
            "{from} -> {to}: {addr}"
        );
    }
}

#[test]
fn state_list_sorts_short_module_paths_first() {
    let expected = [
        "data.z.z",
        "a.a",
        "a.a[2]",
        "a.a[10]",
        r#"a.a["x"]"#,
        "module.b.a.a",
        "module.b[2].a.a",
        "module.a.module.a.a.a",
    ];
    let mut addrs: Vec<ResourceInstanceAddr> =
        expected.iter().rev().map(|text| text.parse().unwrap()).collect();
    addrs.sort_by(cmp_state_list);
    assert_eq!(
        addrs.iter().map(ToString::to_string).collect::<Vec<_>>(),
        expected
    );
}

fn any_key() -> impl Strategy<Value = Option<InstanceKey>> {
    prop_oneof![
        Just(None),
        any::<u64>().prop_map(|number| Some(InstanceKey::Int(number))),
        any::<String>().prop_map(|text| Some(InstanceKey::Str(text))),
        "[a$%{}.\"\\\\\\[\\]*]{0,6}".prop_map(|text| Some(InstanceKey::Str(text))),
    ]
}

fn any_instance() -> impl Strategy<Value = ResourceInstanceAddr> {
    let step = ("[a-zé_][a-z0-9_-]{0,4}", any_key()).prop_map(|(name, key)| ModuleStep { name, key });
    let path = proptest::collection::vec(step, 0..3).prop_map(ModuleInstanceAddr);
    (
        path,
        any::<bool>(),
        "t_[a-z]{1,4}",
        "[a-z_][a-z0-9_-]{0,5}",
        any_key(),
    )
        .prop_map(|(module, data, type_name, name, key)| {
            let mode = if data {
                ResourceMode::Data
            } else {
                ResourceMode::Managed
            };
            ResourceInstanceAddr {
                resource: ResourceAddr {
                    module,
                    mode,
                    type_name,
                    name,
                },
                key,
            }
        })
}

proptest! {
    #[test]
    fn what_is_printed_reads_back(addr in any_instance()) {
        prop_assert_eq!(addr.to_string().parse::<ResourceInstanceAddr>(), Ok(addr));
    }

    #[test]
    fn an_address_is_a_pattern_for_itself(addr in any_instance()) {
        let text = addr.to_string().replace('*', "\\*");
        let pattern: Pattern = text.parse().unwrap();
        prop_assert!(pattern.matches(&addr));
    }

    #[test]
    fn reading_never_panics(text in any::<String>(), odd in "[a-z.\\[\\]\"$%{}\\\\0-9* ]{0,24}") {
        for text in [text, odd] {
            let _ = text.parse::<MoveableAddr>();
            let _ = text.parse::<Pattern>();
            let _ = text.parse::<ProviderConfigAddr>();
        }
    }
}
