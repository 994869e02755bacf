//! Who gets what.

mod index;
mod refused;

use super::*;
use crate::plan::migration::Role;
use crate::plan::testing::{id, plan, shown};

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
    warning: `aws_x.debug` matches 1 block of the code, but no instance in the state
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

#[test]
fn as_many_outputs_as_there_are() {
    let names: Vec<String> = (0..40_000).map(|number| format!("output_{number}")).collect();
    let list: String = names.iter().map(|name| format!("\"{name}\", ")).collect();
    let source = Inventory {
        outputs: names,
        ..inventory(MONOLITH)
    };
    let plan = stacks(&format!(
        "  stack \"net\" {{\n    take    = [\"module.vpc\"]\n    outputs = [{list}]\n  }}\n"
    ));
    let (_, found) = run(&plan, vec![("source:acme", source)]).unwrap();
    assert_eq!(found.outputs.len(), 40_000);
}
