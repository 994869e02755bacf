//! Words that are unknown, blocks that are missing, texts that are not HCL.

use super::faults;

#[test]
fn unknown_words() {
    insta::assert_snapshot!(faults(r#"split "acme" {
  sorce {
    dir = "x"
  }
  source {
    dirr = "../acme"
    dir  = "../acme"
  }
  stack "a" {
    layre = "network"
    take  = ["aws_x.a"]
    backend = { key = "x" }
    layer {
    }
    zzz = 1
  }
}
"#), @r#"
    error: a `split` block has no block `sorce`
      --> plans/acme.hcl:2:3
      |
    2 |   sorce {
      |   ^^^^^
    hint: did you mean `source`?

    error: a `source` block has no argument `dirr`
      --> plans/acme.hcl:6:5
      |
    6 |     dirr = "../acme"
      |     ^^^^
    hint: did you mean `dir`?

    error: a `stack` block has no argument `layre`
       --> plans/acme.hcl:10:5
       |
    10 |     layre = "network"
       |     ^^^^^
    hint: did you mean `layer`?

    error: `backend` is a block, not an argument
       --> plans/acme.hcl:12:5
       |
    12 |     backend = { key = "x" }
       |     ^^^^^^^
    hint: write `backend { … }`, without `=`

    error: `layer` is an argument, not a block
       --> plans/acme.hcl:13:5
       |
    13 |     layer {
       |     ^^^^^
    hint: write `layer = …`

    error: a `stack` block has no argument `zzz`
       --> plans/acme.hcl:15:5
       |
    15 |     zzz = 1
       |     ^^^
    hint: known here: `layer`, `description`, `take`, `outputs`, `existing`, `dir`, `allow_sensitive`, `optional_upstreams`, `workspace`, `from`, `move`, `export`, `accept`, `backend`, `contract`
    "#);
}

#[test]
fn top_level() {
    insta::assert_snapshot!(faults(r#"migration "state" "x" {
}
spilt "acme" {
}
name = "acme"
"#), @r#"
    error: a `migration` block cannot stand in a plan file
      --> plans/acme.hcl:1:1
      |
    1 | migration "state" "x" {
      | ^^^^^^^^^
    hint: a tfmigrate migration is a file of its own; name that file on the command line

    error: a plan file has no block `spilt`
      --> plans/acme.hcl:3:1
      |
    3 | spilt "acme" {
      | ^^^^^
    hint: did you mean `split`?

    error: a plan file has no argument `name`
      --> plans/acme.hcl:5:1
      |
    5 | name = "acme"
      | ^^^^
    hint: known here: `split`
    "#);
}

#[test]
fn empty() {
    insta::assert_snapshot!(faults(""), @r#"
    error: the plan file has no `split` block
      --> plans/acme.hcl:1:1
      |
    1 | 
      | ^
    hint: write `split "NAME" {` and put `source` and `stack` blocks into it
    "#);
}

#[test]
fn two_splits() {
    insta::assert_snapshot!(faults(r#"split "a" {
  source {
    dir = "a"
  }
  stack "x" {
    take = ["aws_x.a"]
  }
}
split "b" {
}
"#), @r#"
    error: a second `split` block
      --> plans/acme.hcl:9:1
      |
    9 | split "b" {
      | ^^^^^
    hint: one plan file holds one split; move the other into a file of its own
    "#);
}

#[test]
fn empty_split() {
    insta::assert_snapshot!(faults("split {
}
"), @r#"
    error: `split` needs a label: the split's name
      --> plans/acme.hcl:1:1
      |
    1 | split {
      | ^^^^^
    hint: write `split "NAME" {`

    error: the split has no `source` block
      --> plans/acme.hcl:1:1
      |
    1 | split {
      | ^^^^^
    hint: add `source { dir = "…" }` with the directory of the monolith's root module

    error: the split has no `stack` block
      --> plans/acme.hcl:1:1
      |
    1 | split {
      | ^^^^^
    hint: add `stack "NAME" { take = ["…"] }`
    "#);
}

#[test]
fn syntax_one_line() {
    insta::assert_snapshot!(faults(r#"split "a" {
  stack "b" {
    move { from = "a"  to = "b" }
  }
}
"#), @r#"
    error: cannot read the plan file: invalid block body; expected `}`, newline or identifier
      --> plans/acme.hcl:3:24
      |
    3 |     move { from = "a"  to = "b" }
      |                        ^
    hint: a block on one line holds one argument and no commas; give every argument a line of its own, and close the block on another
    "#);
}

#[test]
fn syntax_commas() {
    insta::assert_snapshot!(faults(r#"split "a" {
  contract { store = "ssm", path = "x" }
}
"#), @r#"
    error: cannot read the plan file: invalid block body; expected `}`, newline or identifier
      --> plans/acme.hcl:2:27
      |
    2 |   contract { store = "ssm", path = "x" }
      |                           ^
    hint: a block on one line holds one argument and no commas; give every argument a line of its own, and close the block on another
    "#);
}

#[test]
fn syntax_twice() {
    insta::assert_snapshot!(faults(r#"split "a" {
  x = 1
  x = 2
}
"#), @r#"
    error: cannot read the plan file: invalid attribute; expected unique attribute key; found redefined attribute
      --> plans/acme.hcl:3:3
      |
    3 |   x = 2
      |   ^
    hint: the same name stands twice in this block; keep one of them
    "#);
}

#[test]
fn syntax_open() {
    insta::assert_snapshot!(faults(r#"split "a" {
  source {
    dir = "x"
"#), @r#"
    error: cannot read the plan file: invalid block body; expected `}`, newline or identifier
      --> plans/acme.hcl:3:14
      |
    3 |     dir = "x"
      |              ^
    hint: look for a `}` that is missing further down, or a word without `=`
    "#);
}
