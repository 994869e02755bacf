//! Who gets what.

use std::sync::Arc;
use std::time::Instant;

use super::*;
use crate::address::{ModuleStep, ResourceAddr};
use crate::diagnostic::SourceFile;
use crate::plan::migration::Role;

fn plan(inner: &str) -> PlanFile {
    let text = format!("split \"acme\" {{\n{inner}\n}}\n");
    PlanFile::read(Arc::new(SourceFile {
        path: "p.hcl".to_owned(),
        text,
    }))
    .unwrap_or_else(|found| panic!("{}", shown(&found)))
}

fn shown(found: &[Diagnostic]) -> String {
    found
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join("\n\n")
}

fn id(text: &str) -> StateId {
    match text.split_once(':').unwrap() {
        ("source", name) => StateId::Source(name.parse().unwrap()),
        (_, name) => StateId::Stack(name.parse().unwrap()),
    }
}

fn inventory(instances: &[&str]) -> Inventory {
    Inventory {
        instances: instances.iter().map(|text| text.parse().unwrap()).collect(),
        blocks: Vec::new(),
        outputs: vec!["url".to_owned(), "arn".to_owned()],
    }
}

fn config(text: &str) -> ConfigResourceAddr {
    let instance: ResourceInstanceAddr = text.parse().unwrap();
    instance.resource.config()
}

fn run(inner: &str, states: Vec<(&str, Inventory)>) -> Result<(String, Assignment), String> {
    let inventories = states
        .into_iter()
        .map(|(name, inventory)| (id(name), inventory))
        .collect();
    let found = assign(&plan(inner), &inventories).map_err(|found| shown(&found))?;
    let lines: Vec<String> = found
        .instances
        .iter()
        .map(|found| format!("{} {} -> {} {}", found.giver, found.from, found.taker, found.to))
        .collect();
    Ok((lines.join("\n"), found))
}

const SOURCE: &str = "  source {\n    dir = \"x\"\n  }\n";

fn stacks(inner: &str) -> String {
    format!("{SOURCE}{inner}")
}

const MONOLITH: &[&str] = &[
    "aws_sqs_queue.orders",
    "aws_subnet.private[0]",
    "aws_subnet.private[1]",
    "data.aws_region.current",
    "module.service[\"orders\"].aws_iam_role.main",
    "module.service[\"orders\"].module.net[0].aws_x.y[\"a.b\"]",
    "module.service[\"billing\"].aws_iam_role.main",
    "module.vpc.aws_vpc.main",
    "module.a.module.b.module.c.module.d.module.e.aws_x.deep",
];

#[test]
fn patterns_take_and_the_rest_stays() {
    let (lines, found) = run(
        &stacks(
            r#"
  stack "net" {
    take    = ["aws_subnet.*", "module.vpc", "module.a.module.b.module.c.module.d.module.e.aws_x.*"]
    outputs = ["url"]
  }
  stack "orders" {
    take = ["aws_sqs_queue.orders", "module.service[\"orders\"]"]
  }
"#,
        ),
        vec![("source:acme", inventory(MONOLITH))],
    )
    .unwrap();
    insta::assert_snapshot!(lines, @r#"
    acme aws_sqs_queue.orders -> orders aws_sqs_queue.orders
    acme aws_subnet.private[0] -> net aws_subnet.private[0]
    acme aws_subnet.private[1] -> net aws_subnet.private[1]
    acme module.service["orders"].aws_iam_role.main -> orders module.service["orders"].aws_iam_role.main
    acme module.service["orders"].module.net[0].aws_x.y["a.b"] -> orders module.service["orders"].module.net[0].aws_x.y["a.b"]
    acme module.vpc.aws_vpc.main -> net module.vpc.aws_vpc.main
    acme module.a.module.b.module.c.module.d.module.e.aws_x.deep -> net module.a.module.b.module.c.module.d.module.e.aws_x.deep
    "#);
    assert_eq!(found.stays[&id("source:acme")], 2);
    assert_eq!(found.outputs.len(), 1);
    assert_eq!(
        found
            .patterns
            .iter()
            .map(|found| found.instances)
            .collect::<Vec<_>>(),
        [2, 1, 1, 1, 2]
    );
    assert_eq!(found.taken_by(&id("stack:orders")).count(), 3);
}

#[test]
fn moves_rename_the_most_specific_wins() {
    let (lines, _) = run(
        &stacks(
            r#"
  stack "orders" {
    take = ["module.service[\"orders\"]", "aws_subnet.private", "aws_sqs_queue.orders"]
    move {
      from = "module.service[\"orders\"]"
      to   = "module.service"
    }
    move {
      from = "module.service[\"orders\"].aws_iam_role.main"
      to   = "aws_iam_role.orders"
    }
    move {
      from = "aws_subnet.private[1]"
      to   = "aws_subnet.last"
    }
    move {
      from = "aws_subnet.private"
      to   = "module.n.aws_subnet.all"
    }
    move {
      from = "aws_sqs_queue.orders"
      to   = "aws_sqs_queue.orders[\"x\"]"
    }
  }
  stack "rest" {
    take = ["module.a", "module.service[\"billing\"]"]
    move {
      from = "module.a.module.b"
      to   = "module.z"
    }
    move {
      from = "module.service"
      to   = "module.svc"
    }
  }
"#,
        ),
        vec![("source:acme", inventory(MONOLITH))],
    )
    .unwrap();
    insta::assert_snapshot!(lines, @r#"
    acme aws_sqs_queue.orders -> orders aws_sqs_queue.orders["x"]
    acme aws_subnet.private[0] -> orders module.n.aws_subnet.all[0]
    acme aws_subnet.private[1] -> orders aws_subnet.last
    acme module.service["orders"].aws_iam_role.main -> orders aws_iam_role.orders
    acme module.service["orders"].module.net[0].aws_x.y["a.b"] -> orders module.service.module.net[0].aws_x.y["a.b"]
    acme module.service["billing"].aws_iam_role.main -> rest module.svc["billing"].aws_iam_role.main
    acme module.a.module.b.module.c.module.d.module.e.aws_x.deep -> rest module.z.module.c.module.d.module.e.aws_x.deep
    "#);
}

#[test]
fn what_does_not_fit_is_named_with_all_places() {
    let states = || {
        let mut source = inventory(MONOLITH);
        source.instances.push("aws_sqs_queue.other".parse().unwrap());
        vec![
            ("source:acme", source),
            (
                "stack:old",
                Inventory {
                    outputs: Vec::new(),
                    ..inventory(&["aws_sqs_queue.new"])
                },
            ),
        ]
    };
    let inner = r#"
  stack "a" {
    take    = ["aws_sqs_queue.ordres", "module.service[\"order\"]", "aws_subnet.private", "nothing.at_all"]
    outputs = ["url", "urll"]
    move {
      from = "aws_subnet.private"
      to   = "aws_subnet.private[\"x\"]"
    }
    move {
      from = "module.vpc"
      to   = "module.v"
    }
    move {
      from = "data.aws_region.current"
      to   = "data.aws_region.c"
    }
    move {
      from = "module.vpcc"
      to   = "module.v"
    }
  }
  stack "b" {
    take    = ["module.service", "module.vpc.aws_*.*"]
    outputs = ["url"]
    move {
      from = "module.service"
      to   = "module.s[0]"
    }
  }
  stack "c" {
    take = ["module.*", "aws_sqs_queue.orders"]
  }
  stack "old" {
    existing = true
    take     = ["aws_sqs_queue.other"]
    move {
      from = "aws_sqs_queue.other"
      to   = "aws_sqs_queue.new"
    }
  }
"#;
    insta::assert_snapshot!(run(&stacks(inner), states()).unwrap_err(), @r#"
    error: `aws_sqs_queue.ordres` matches nothing in the source
      --> p.hcl:7:16
      |
    7 |     take    = ["aws_sqs_queue.ordres", "module.service[\"order\"]", "aws_subnet.private", "nothing.at_all"]
      |                ^^^^^^^^^^^^^^^^^^^^^^
    hint: did you mean `aws_sqs_queue.orders`, `aws_sqs_queue.other`?

    error: `module.service["order"]` matches nothing in the source
      --> p.hcl:7:40
      |
    7 |     take    = ["aws_sqs_queue.ordres", "module.service[\"order\"]", "aws_subnet.private", "nothing.at_all"]
      |                                        ^^^^^^^^^^^^^^^^^^^^^^^^^^^
    hint: did you mean `module.service["orders"]`?

    error: `nothing.at_all` matches nothing in the source
      --> p.hcl:7:91
      |
    7 |     take    = ["aws_sqs_queue.ordres", "module.service[\"order\"]", "aws_subnet.private", "nothing.at_all"]
      |                                                                                           ^^^^^^^^^^^^^^^^
    hint: see `stackcut inspect` for what is there; patterns are anchored at both ends

    error: no root output is named `urll`
      --> p.hcl:8:23
      |
    8 |     outputs = ["url", "urll"]
      |                       ^^^^^^
    hint: did you mean `url`?

    error: the whole resource `aws_subnet.private` cannot become the one instance `aws_subnet.private["x"]`
       --> p.hcl:11:14
       |
    11 |       to   = "aws_subnet.private[\"x\"]"
       |              ^^^^^^^^^^^^^^^^^^^^^^^^^^^
      = note: it concerns `aws_subnet.private[0]`
    hint: move each instance by its own key, or leave the key out of `to`

    error: `a` does not take this, `b` does
       --> p.hcl:14:14
       |
    14 |       from = "module.vpc"
       |              ^^^^^^^^^^^^
    hint: put the `move` block into `b`

    error: `a` does not take this
       --> p.hcl:18:14
       |
    18 |       from = "data.aws_region.current"
       |              ^^^^^^^^^^^^^^^^^^^^^^^^^
    hint: add the address to its `take`

    error: `module.vpcc` is nowhere in the state
       --> p.hcl:22:14
       |
    22 |       from = "module.vpcc"
       |              ^^^^^^^^^^^^^
    hint: did you mean `module.vpc`?

    error: the output `url` is taken by `a` and by `b`
       --> p.hcl:28:16
       |
    28 |     outputs = ["url"]
       |                ^^^^^
      = note: `a` takes it at p.hcl:8:16
    hint: leave it in one of the two lists

    error: all instances of `module.service` cannot become the one instance `module.s[0]`
       --> p.hcl:31:14
       |
    31 |       to   = "module.s[0]"
       |              ^^^^^^^^^^^^^
      = note: it concerns `module.service["orders"].aws_iam_role.main`
    hint: move each module instance by its own key, or leave the key out of `to`

    error: `module.service["orders"].aws_iam_role.main` and 2 more are taken by `b` and by `c`
       --> p.hcl:35:13
       |
    35 |     take = ["module.*", "aws_sqs_queue.orders"]
       |             ^^^^^^^^^^
      = note: `b` takes it with `module.service` at p.hcl:27:16
    hint: make `module.service` or `module.*` narrower: an instance goes to one state

    error: `module.vpc.aws_vpc.main` is taken by `b` and by `c`
       --> p.hcl:35:13
       |
    35 |     take = ["module.*", "aws_sqs_queue.orders"]
       |             ^^^^^^^^^^
      = note: `b` takes it with `module.vpc.aws_*.*` at p.hcl:27:34
    hint: make `module.vpc.aws_*.*` or `module.*` narrower: an instance goes to one state

    error: two instances would be `aws_sqs_queue.new` in `old`
       --> p.hcl:37:9
       |
    37 |   stack "old" {
       |         ^^^^^
      = note: the state of `old` has it already
      = note: `aws_sqs_queue.other` of `acme` becomes it
    hint: give one of them another address with a `move` block
    "#);
}

#[test]
fn several_sources_feed_one_stack() {
    let inner = r#"
  source "one" {
    dir = "1"
  }
  source "two" {
    dir = "2"
  }
  stack "s" {
    take = ["aws_x.*"]
    from "two" {
      take    = ["aws_y.b"]
      outputs = ["url"]
      move {
        from = "aws_x.a"
        to   = "aws_x.a2"
      }
    }
  }
"#;
    let states = || {
        vec![
            ("source:one", inventory(&["aws_x.a", "aws_y.b"])),
            ("source:two", inventory(&["aws_x.a", "aws_y.b"])),
        ]
    };
    let (lines, found) = run(inner, states()).unwrap();
    assert_eq!(
        lines,
        "one aws_x.a -> s aws_x.a\ntwo aws_x.a -> s aws_x.a2\ntwo aws_y.b -> s aws_y.b"
    );
    assert_eq!(found.outputs[0].giver, id("source:two"));
    let clash = inner
        .replace("aws_x.a2", "aws_x.c")
        .replace("from = \"aws_x.a\"", "from = \"aws_y.b\"")
        .replace("aws_x.c", "aws_y.c");
    insta::assert_snapshot!(run(&clash, states()).unwrap_err(), @r#"
    error: two instances would be `aws_x.a` in `s`
      --> p.hcl:9:9
      |
    9 |   stack "s" {
      |         ^^^
      = note: `aws_x.a` of `one` becomes it
      = note: `aws_x.a` of `two` becomes it
    hint: give one of them another address with a `move` block
    "#);
}

#[test]
fn outputs_cannot_meet_under_one_name() {
    let inner = stacks(
        "  stack \"old\" {\n    existing = true\n    take     = [\"aws_x.a\"]\n    outputs  = [\"url\"]\n  }\n",
    );
    let states = vec![
        ("source:acme", inventory(&["aws_x.a"])),
        ("stack:old", inventory(&["aws_x.b"])),
    ];
    insta::assert_snapshot!(run(&inner, states).unwrap_err(), @r#"
    error: the output `url` of `acme` would be the second of that name in `old`
      --> p.hcl:5:9
      |
    5 |   stack "old" {
      |         ^^^^^
      = note: `old` has it already
    hint: leave it out of `outputs`, and write it by hand under another name
    "#);
}

#[test]
fn a_stack_goes_back_while_another_is_cut_off() {
    let inner = stacks(
        r#"
  stack "net" {
    take = ["module.vpc"]
  }
  return "orders" {
    move {
      from = "module.service"
      to   = "module.service[\"orders\"]"
    }
    move {
      from = "aws_x.same"
      to   = "module.vpc.aws_x.same"
    }
  }
"#,
    );
    let (lines, found) = run(
        &inner,
        vec![
            (
                "source:acme",
                inventory(&["module.vpc.aws_x.same", "aws_y.stays"]),
            ),
            (
                "stack:orders",
                inventory(&["module.service.aws_x.a", "aws_x.same"]),
            ),
        ],
    )
    .unwrap();
    insta::assert_snapshot!(lines, @r#"
    acme module.vpc.aws_x.same -> net module.vpc.aws_x.same
    orders module.service.aws_x.a -> acme module.service["orders"].aws_x.a
    orders aws_x.same -> acme module.vpc.aws_x.same
    "#);
    assert_eq!(found.role(&id("source:acme")), Some(Role::GivesAndGets));
    assert_eq!(found.role(&id("stack:net")), Some(Role::Gets));
    assert_eq!(found.role(&id("stack:orders")), Some(Role::Gives));
    assert_eq!(
        plan(&inner).write_order(),
        [id("stack:net"), id("source:acme"), id("stack:orders")]
    );
    assert_eq!(found.stays[&id("stack:orders")], 0);
    assert_eq!(found.stays[&id("source:acme")], 1);
}

#[test]
fn code_without_instances_follows_with_a_warning() {
    let mut source = inventory(&["aws_x.a"]);
    source.blocks = vec![config("aws_x.a"), config("aws_x.debug"), config("aws_x.stays")];
    let inner = stacks(
        "  stack \"a\" {\n    take = [\"aws_x.a\", \"aws_x.debug\"]\n    accept {\n      address    = \"aws_x.nope\"\n      attributes = [\"tags\"]\n    }\n  }\n",
    );
    let (_, found) = run(&inner, vec![("source:acme", source)]).unwrap();
    assert_eq!(found.undeployed.len(), 1);
    assert_eq!(found.undeployed[0].address, config("aws_x.debug"));
    insta::assert_snapshot!(shown(&found.warnings), @r#"
    warning: `aws_x.debug` matches 1 block(s) of the code, but no instance in the state
      --> p.hcl:6:24
      |
    6 |     take = ["aws_x.a", "aws_x.debug"]
      |                        ^^^^^^^^^^^^^

    warning: this `accept` concerns nothing in `a`
      --> p.hcl:8:20
      |
    8 |       address    = "aws_x.nope"
      |                    ^^^^^^^^^^^^
      = note: addresses here are those in the stack, after its `move` blocks
    "#);
}

/// What the index finds is what trying every pattern would find.
#[test]
fn the_index_loses_nothing() {
    let patterns = [
        "aws_x.y",
        "aws_*.y",
        "aws_x.*",
        "*.*",
        "**",
        "module.a",
        "module.*",
        "module.a.**",
        "module.a[0]",
        "module.a[\"k\"].aws_x.y",
        "module.a[\"*\"].aws_x.y",
        "module.a.module.b.aws_x.y",
        "data.aws_x.y",
        "data.*.*",
        "module.a.data.aws_x.y",
        "module.a.aws_x.y[0]",
        "aws_x.y[\"a.b\"]",
        "module.*.module.b",
        "m*.y",
        "d*.y",
        "aws_x.y*",
        "aws_x.*z",
        "module.a[\"x y\"]",
        "**.aws_x.y",
        "module.a.*.y",
        "module.a.module.b.module.c.module.d.module.e",
        "module.a.module.b.module.c.module.d.module.e.aws_x.y",
        "module.a.module.b.module.c.module.d.**",
    ];
    let parsed: Vec<(crate::address::pattern::Pattern, &str)> = patterns
        .iter()
        .filter_map(|text| Some((text.parse().ok()?, *text)))
        .collect();
    assert!(parsed.len() > patterns.len() / 2, "most of them are patterns");
    let index = Index::new(
        parsed
            .iter()
            .enumerate()
            .map(|(at, (pattern, text))| (at, Some((pattern, *text)))),
    );
    for module in [
        "",
        "module.a.",
        "module.a[0].",
        "module.a[\"k\"].",
        "module.a[\"x y\"].",
        "module.b.",
        "module.a.module.b.",
        "module.a[0].module.b[\"k\"].",
        "module.z.module.b.",
        "module.a.module.b.module.c.module.d.",
        "module.a.module.b.module.c.module.d.module.e.",
        "module.a[0].module.b.module.c.module.d.module.e.module.f.",
    ] {
        for resource in [
            "aws_x.y",
            "aws_x.y[0]",
            "aws_x.y[\"a.b\"]",
            "data.aws_x.y",
            "m_x.y",
            "d.y",
            "aws_x.yz",
            "module_x.y",
        ] {
            let instance: ResourceInstanceAddr = format!("{module}{resource}").parse().unwrap();
            let mut found = Vec::new();
            index.matches(&instance, &mut found);
            found.sort_unstable();
            let expected: Vec<usize> = (0..parsed.len())
                .filter(|&at| parsed[at].0.matches(&instance))
                .collect();
            assert_eq!(found, expected, "{instance}");
        }
    }
}

/// The work grows with the number of instances: ten times as many take about ten times as long.
#[test]
fn the_work_is_linear_in_the_instances() {
    let mut text = SOURCE.to_owned();
    for stack in 0..100 {
        text.push_str(&format!(
            "  stack \"s{stack}\" {{\n    take = [\"module.service[\\\"s{stack}\\\"]\", \"aws_iam_role.s{stack}-*\", \"aws_x.s{stack}\", \"aws_sns_*.s{stack}-*\"]\n  }}\n"
        ));
    }
    let plan = plan(&text);
    let time = |count: usize| {
        let instances = (0..count).map(|at| {
            let name = format!("s{}", at % 100);
            let keyed = |key: &str| ModuleStep {
                name: "service".to_owned(),
                key: Some(crate::address::InstanceKey::Str(key.to_owned())),
            };
            let mut resource = ResourceAddr {
                module: crate::address::ModuleInstanceAddr::root(),
                mode: crate::address::ResourceMode::Managed,
                type_name: "aws_iam_role".to_owned(),
                name: format!("{name}-{at}"),
            };
            match at / 100 % 4 {
                0 => resource.module.0.push(keyed(&name)),
                1 => "aws_sns_topic".clone_into(&mut resource.type_name),
                2 => {
                    "aws_x".clone_into(&mut resource.type_name);
                    resource.name = name;
                    return resource.instance(Some(crate::address::InstanceKey::Int(at as u64)));
                }
                _ => {}
            }
            resource.instance(None)
        });
        let inventories = BTreeMap::from([(
            id("source:acme"),
            Inventory {
                instances: instances.collect(),
                ..Inventory::default()
            },
        )]);
        let start = Instant::now();
        let found = assign(&plan, &inventories)
            .map_err(|found| shown(&found))
            .unwrap();
        assert_eq!(found.instances.len(), count);
        start.elapsed()
    };
    let (small, large) = (time(20_000), time(200_000));
    assert!(
        large < small * 25 + std::time::Duration::from_millis(200),
        "{small:?} {large:?}"
    );
    println!("20 000: {small:?}, 200 000: {large:?}");
}
