//! What does not fit is refused, with every place that has to do with it.

use super::*;

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
