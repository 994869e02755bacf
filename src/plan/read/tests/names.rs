//! Names that clash or are unknown, values of the wrong kind.

use super::faults;

#[test]
fn names() {
    insta::assert_snapshot!(faults(r#"split "acme" {
  source {
    dir = "x"
  }
  environment "a/b" {
  }
  environment "a/b" {
  }
  environment "" {
  }
  stack "9lives" {
    take = ["aws_x.a"]
  }
  stack "orders" {
    take = ["aws_x.a"]
  }
  stack "orders" {
    take = ["aws_x.b"]
  }
  stack "acme" "x" {
    take = ["aws_x.b"]
  }
  return "orders" {
    to = "acmee"
  }
}
"#), @r#"
    error: a second environment `a/b`
      --> plans/acme.hcl:7:15
      |
    7 |   environment "a/b" {
      |               ^^^^^
      = note: the first one is at plans/acme.hcl:5:15
    hint: merge the two blocks, or rename one

    error: the name of an environment cannot be empty or hold control characters
      --> plans/acme.hcl:9:15
      |
    9 |   environment "" {
      |               ^^
    hint: write `environment "tenant-a/stage" {`

    error: `9lives` is not a stack name: it must start with a letter and hold only letters, digits, `-` and `_` (at most 63)
       --> plans/acme.hcl:11:9
       |
    11 |   stack "9lives" {
       |         ^^^^^^^^

    error: the name `orders` stands for two states
       --> plans/acme.hcl:17:9
       |
    17 |   stack "orders" {
       |         ^^^^^^^^
      = note: it is also used at plans/acme.hcl:14:9
    hint: every source, stack and returned stack needs a name of its own

    error: the name `acme` stands for two states
       --> plans/acme.hcl:20:9
       |
    20 |   stack "acme" "x" {
       |         ^^^^^^
      = note: it is also used at plans/acme.hcl:2:3
    hint: every source, stack and returned stack needs a name of its own

    error: `stack` takes one label
       --> plans/acme.hcl:20:16
       |
    20 |   stack "acme" "x" {
       |                ^^^
    hint: remove this one

    error: the name `orders` stands for two states
       --> plans/acme.hcl:23:10
       |
    23 |   return "orders" {
       |          ^^^^^^^^
      = note: it is also used at plans/acme.hcl:14:9
    hint: every source, stack and returned stack needs a name of its own

    error: no source is named `acmee`
       --> plans/acme.hcl:24:10
       |
    24 |     to = "acmee"
       |          ^^^^^^^
    hint: did you mean `acme`?
    "#);
}

#[test]
fn sources() {
    insta::assert_snapshot!(faults(r#"split "acme" {
  source {
    dir = "x"
  }
  source "b" {
    state = "x.tfstate"
    backend "s3" {
    }
  }
  stack "a" {
    from "c" {
      take = ["aws_x.a"]
    }
    from "b" {
    }
  }
  return "z" {
  }
}
"#), @r#"
    error: `source` needs a label: where there are several sources, each has a name
      --> plans/acme.hcl:2:3
      |
    2 |   source {
      |   ^^^^^^
    hint: write `source "NAME" {`

    error: `source` has no `dir`
      --> plans/acme.hcl:5:3
      |
    5 |   source "b" {
      |   ^^^^^^
    hint: add `dir = "../acme"`

    error: `state` and `backend` both say where the state is
      --> plans/acme.hcl:6:13
      |
    6 |     state = "x.tfstate"
      |             ^^^^^^^^^^^
      = note: the `backend` block is at plans/acme.hcl:7:5
    hint: keep one: `state` for a local file, `backend` for everything else

    error: no source is named `c`
       --> plans/acme.hcl:11:10
       |
    11 |     from "c" {
       |          ^^^
    hint: did you mean `b`?

    error: the `from` block takes nothing
       --> plans/acme.hcl:14:5
       |
    14 |     from "b" {
       |     ^^^^
    hint: add `take = ["…"]`

    error: `return` does not say which source gets the resources
       --> plans/acme.hcl:17:3
       |
    17 |   return "z" {
       |   ^^^^^^
    hint: add `to = "NAME"`
    "#);
}

#[test]
fn types() {
    insta::assert_snapshot!(faults(r#"split "acme" {
  source {
    dir = 1
  }
  stack "a" {
    layer              = "netwrk"
    description        = "x-${stack}"
    take               = "aws_x.a"
    outputs            = [1, "a"]
    existing           = "yes"
    dir                = "../a"
    optional_upstreams = ["a", "bb"]
  }
  stack "b" {
    take = []
  }
  stack "c" {
  }
}
"#), @r#"
    error: `dir` must be a text
      --> plans/acme.hcl:3:11
      |
    3 |     dir = 1
      |           ^
    hint: write it in double quotes

    error: `netwrk` is not a layer
      --> plans/acme.hcl:6:26
      |
    6 |     layer              = "netwrk"
      |                          ^^^^^^^^
    hint: did you mean `network`?

    error: `description` must be the same in every environment
      --> plans/acme.hcl:7:26
      |
    7 |     description        = "x-${stack}"
      |                          ^^^^^^^^^^^^
    hint: write a plain text, without `${ … }`

    error: `take` must be a list of texts
      --> plans/acme.hcl:8:26
      |
    8 |     take               = "aws_x.a"
      |                          ^^^^^^^^^
    hint: write `take = ["…"]`

    error: an element of `outputs` must be a text
      --> plans/acme.hcl:9:27
      |
    9 |     outputs            = [1, "a"]
      |                           ^
    hint: write it in double quotes

    error: `existing` must be `true` or `false`
       --> plans/acme.hcl:10:26
       |
    10 |     existing           = "yes"
       |                          ^^^^^

    error: `dir` names the code of a stack that exists already
       --> plans/acme.hcl:11:26
       |
    11 |     dir                = "../a"
       |                          ^^^^^^
    hint: add `existing = true`, or remove `dir`: new stacks are written below the output directory

    error: stack `a` cannot be its own upstream
       --> plans/acme.hcl:12:27
       |
    12 |     optional_upstreams = ["a", "bb"]
       |                           ^^^
    hint: remove it from `optional_upstreams`

    error: no stack is named `bb`
       --> plans/acme.hcl:12:32
       |
    12 |     optional_upstreams = ["a", "bb"]
       |                                ^^^^
    hint: did you mean `b`?

    error: `take` is empty
       --> plans/acme.hcl:15:12
       |
    15 |     take = []
       |            ^^
    hint: name at least one address or pattern

    error: the stack takes nothing
       --> plans/acme.hcl:17:3
       |
    17 |   stack "c" {
       |   ^^^^^
    hint: add `take = ["…"]` with the addresses or patterns it takes
    "#);
}
