//! Patterns, moves, exports and accepted differences.

use super::faults;

#[test]
fn moves() {
    insta::assert_snapshot!(faults(r#"split "acme" {
  source {
    dir = "x"
  }
  stack "a" {
    take = ["aws_x.a"]
    move {
      from = "aws_x.a"
      to   = "aws_y.a"
    }
    move {
      from = "aws_x.b"
      to   = "data.aws_x.b"
    }
    move {
      from = "module.a"
      to   = "aws_x.b"
    }
    move {
      from = "aws_x.b"
      to   = "module.a"
    }
    move {
      from = "aws_x.c"
      to   = "aws_x.c"
    }
    move {
      from = "aws_x.d"
      to   = "aws_x.e"
    }
    move {
      from = "aws_x.d"
      to   = "aws_x.f"
    }
    move {
      to = "aws_x.f"
    }
  }
}
"#), @r#"
    error: the type changes from `aws_x` to `aws_y`
      --> plans/acme.hcl:9:14
      |
    9 |       to   = "aws_y.a"
      |              ^^^^^^^^^
    hint: a state move keeps the type; write `aws_x.a`

    error: a managed resource and a data source cannot become each other
       --> plans/acme.hcl:13:14
       |
    13 |       to   = "data.aws_x.b"
       |              ^^^^^^^^^^^^^^
    hint: give an address of the same kind

    error: a module cannot become a resource
       --> plans/acme.hcl:17:14
       |
    17 |       to   = "aws_x.b"
       |              ^^^^^^^^^
    hint: move the resources of the module one by one

    error: a resource cannot become a module
       --> plans/acme.hcl:21:14
       |
    21 |       to   = "module.a"
       |              ^^^^^^^^^^
    hint: give the whole address of the resource, such as `module.x.aws_y.z`

    error: the two addresses are the same
       --> plans/acme.hcl:25:14
       |
    25 |       to   = "aws_x.c"
       |              ^^^^^^^^^
    hint: remove the `move` block; what is taken keeps its address

    error: "aws_x.d" is moved twice
       --> plans/acme.hcl:32:14
       |
    32 |       from = "aws_x.d"
       |              ^^^^^^^^^
      = note: the first `move` is at plans/acme.hcl:28:14
    hint: keep one of them

    error: `move` has no `from`
       --> plans/acme.hcl:35:5
       |
    35 |     move {
       |     ^^^^
    hint: add `from = "aws_x.old"`
    "#);
}

#[test]
fn addresses() {
    insta::assert_snapshot!(faults(r#"split "acme" {
  source {
    dir = "x"
  }
  stack "a" {
    take = ["aws_x.é[\"a\"].", "module.b[\"é\"", "ok.ok"]
    move {
      from = "aws_x.a[-1]"
      to   = "aws_x"
    }
  }
}
"#), @r#"
    error: `aws_x.é["a"].` is not a valid pattern: the pattern is complete before this
      --> plans/acme.hcl:6:28
      |
    6 |     take = ["aws_x.é[\"a\"].", "module.b[\"é\"", "ok.ok"]
      |                            ^

    error: `module.b["é"` is not a valid pattern: `]` is expected here
      --> plans/acme.hcl:6:47
      |
    6 |     take = ["aws_x.é[\"a\"].", "module.b[\"é\"", "ok.ok"]
      |                                               ^

    error: `aws_x.a[-1]` is not a valid address: an index cannot be negative
      --> plans/acme.hcl:8:23
      |
    8 |       from = "aws_x.a[-1]"
      |                       ^

    error: `aws_x` is not a valid address: a resource is written TYPE.NAME; the name is missing
      --> plans/acme.hcl:9:20
      |
    9 |       to   = "aws_x"
      |                    ^
    "#);
}

#[test]
fn exports() {
    insta::assert_snapshot!(faults(r#"split "acme" {
  source {
    dir = "x"
  }
  stack "a" {
    take = ["aws_x.a"]
    export "a b" {
      value = aws_x.a.arn
    }
    export "x" {
      value = "text"
    }
    export "y" {
    }
    export "z" {
      value = aws_x.a.arn
    }
    export "z" {
      value     = aws_x.a.arn
      sensitive = 1
    }
    accept {
      address = "aws_x.a"
    }
    accept "x" {
      attributes = ["tags"]
    }
  }
}
"#), @r#"
    error: `a b` cannot be the name of a contract value
      --> plans/acme.hcl:7:12
      |
    7 |     export "a b" {
      |            ^^^^^
    hint: use letters, digits, `_` and `-`, starting with a letter

    error: the exported value refers to nothing of the stack
       --> plans/acme.hcl:11:15
       |
    11 |       value = "text"
       |               ^^^^^^
    hint: write an expression such as `aws_x.y.arn`, without quotes

    error: `export` has no `value`
       --> plans/acme.hcl:13:5
       |
    13 |     export "y" {
       |     ^^^^^^
    hint: add `value = aws_x.y.arn`, an expression of the stack's own code

    error: a second export `z`
       --> plans/acme.hcl:18:12
       |
    18 |     export "z" {
       |            ^^^
      = note: the first one is at plans/acme.hcl:15:12
    hint: rename one of them

    error: `sensitive` must be `true` or `false`
       --> plans/acme.hcl:20:19
       |
    20 |       sensitive = 1
       |                   ^

    error: `accept` names no attributes
       --> plans/acme.hcl:22:5
       |
    22 |     accept {
       |     ^^^^^^
    hint: add `attributes = ["tags_all"]`: only differences in these are allowed

    error: `accept` has no `address`
       --> plans/acme.hcl:25:5
       |
    25 |     accept "x" {
       |     ^^^^^^
    hint: add `address = "aws_x.y"`

    error: `accept` takes no label
       --> plans/acme.hcl:25:12
       |
    25 |     accept "x" {
       |            ^^^
    hint: remove it
    "#);
}
