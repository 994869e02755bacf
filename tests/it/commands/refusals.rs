//! What is refused, word for word: states, plan files, arguments.

use std::fs;

use super::{Desk, PLAN, SPLIT, STATE};

#[test]
fn states_are_refused_with_place_and_advice() {
    let desk = Desk::new();
    let state = fs::read_to_string(desk.path(STATE)).unwrap();
    let mut shown = String::new();
    for text in [
        state.replacen("\"version\": 4", "\"version\": 3", 1),
        state.replacen("\"version\": 4", "\"version\": 5", 1),
        state[..state.len() / 2].to_owned(),
        format!("\u{feff}{state}"),
        "{\"serial\":1,\"lineage\":\"a\",\"encrypted_data\":\"eA==\",\"encryption_version\":\"v0\"}"
            .to_owned(),
        state.replacen("\"serial\"", "\"SERIAL\"", 1),
        state.replacen(
            "\"name\": \"this\"",
            "\"name\": \"this\", \"provider\": \"nonsense\"",
            1,
        ),
        String::new(),
    ] {
        fs::write(desk.path(STATE), text).unwrap();
        shown.push_str(&desk.transcript(&SPLIT));
        assert!(!desk.path("out").exists());
    }
    insta::assert_snapshot!(shown, @r#"
    exit code 1
    --- stderr
    error: testdata/acme/terraform.tfstate is not a state that can be cut: the state has format version 3, only version 4 can be moved
      = note: at testdata/acme/terraform.tfstate:2:14 (byte 15)
      = note: nothing was written
    hint: let Terraform 1.x or OpenTofu upgrade it: save what `terraform state pull` prints, raise its `serial` by one, and `terraform state push` it
    exit code 1
    --- stderr
    error: testdata/acme/terraform.tfstate is not a state that can be cut: the state has format version 5, only version 4 is known
      = note: at testdata/acme/terraform.tfstate:2:14 (byte 15)
      = note: nothing was written
    hint: use a newer release of stackcut; this state was written by a newer Terraform
    exit code 1
    --- stderr
    error: testdata/acme/terraform.tfstate is not a state that can be cut: the state is not valid JSON: the text ends in the middle of a value in `module.search[0].aws_iam_role_policy.indexer`
      = note: at testdata/acme/terraform.tfstate:6413:21 (byte 236103)
      = note: nothing was written
    hint: the state was cut off while it was written or copied; fetch it again, or restore the previous version of the object
    exit code 1
    --- stderr
    error: testdata/acme/terraform.tfstate is not a state that can be cut: the state is not valid JSON: the text begins with a byte order mark
      = note: at testdata/acme/terraform.tfstate:1:1 (byte 0)
      = note: nothing was written
    hint: an editor has put a byte order mark before the state; take a clean copy with `terraform state pull`, or restore the previous version of the object
    exit code 1
    --- stderr
    error: testdata/acme/terraform.tfstate is not a state that can be cut: the state is encrypted by OpenTofu
      = note: at testdata/acme/terraform.tfstate:1:51 (byte 50)
      = note: nothing was written
    hint: remove the encryption for the time of the move (an `unencrypted` fallback method and one `tofu apply`), and encrypt each stack's state afterwards
    exit code 1
    --- stderr
    error: testdata/acme/terraform.tfstate is not a state that can be cut: the field `SERIAL` differs from `serial` only in case
      = note: at testdata/acme/terraform.tfstate:4:3 (byte 53)
      = note: nothing was written
    hint: Terraform silently takes one of the readings; if it is the right one, save what `terraform state pull` prints, raise its `serial` by one, and `terraform state push` it; otherwise correct the file or object by hand
    exit code 1
    --- stderr
    error: testdata/acme/terraform.tfstate is not a state that can be cut: the field `provider` occurs twice in one object in `module.assets_replica.aws_s3_bucket.this`
      = note: at testdata/acme/terraform.tfstate:5651:7 (byte 209677)
      = note: nothing was written
    hint: Terraform silently takes one of the readings; if it is the right one, save what `terraform state pull` prints, raise its `serial` by one, and `terraform state push` it; otherwise correct the file or object by hand
    exit code 64
    --- stderr
    error: there is no state at testdata/acme/terraform.tfstate
      = note: nothing was written
    hint: copy it there (`aws s3 cp s3://BUCKET/KEY terraform.tfstate`), or name it with --state
    "#);
}

#[test]
fn plan_files_are_refused_with_every_fault_at_once() {
    let desk = Desk::new();
    let plan = r#"split "acme" {
  source {
    dir = "../testdata/acme"
  }
  stack "network" {
    layer = "netwrok"
    take  = ["aws_vpc.main", "aws_subnet.[0]"]
  }
  stack "network" {
    layer = "network"
    tkae  = []
    move {
      from = "aws_kms_key.main"
      to   = "aws_kms_alias.main"
    }
  }
}
"#;
    fs::write(desk.path(PLAN), plan).unwrap();
    let mut shown = desk.transcript(&SPLIT);
    let plan = r#"split "acme" {
  source {
    dir = "../testdata/acme"
  }
  stack "network" {
    layer = "network"
    take  = ["aws_vpc.main", "aws_subnet.pubic", "module.service[\"order\"]"]
  }
  stack "base" {
    layer = "cluster"
    take  = ["aws_vpc.*"]
  }
}
"#;
    fs::write(desk.path(PLAN), plan).unwrap();
    shown.push_str(&desk.transcript(&SPLIT));
    fs::write(desk.path(PLAN), "split \"acme\" {\n  source {\n").unwrap();
    shown.push_str(&desk.transcript(&SPLIT));
    fs::write(desk.path(PLAN), b"split \"\xff\" {}\n").unwrap();
    shown.push_str(&desk.transcript(&SPLIT));
    assert!(!desk.path("out").exists());
    insta::assert_snapshot!(shown, @r#"
    exit code 1
    --- stderr
    error: `netwrok` is not a layer
      --> plans/acme.hcl:6:13
      |
    6 |     layer = "netwrok"
      |             ^^^^^^^^^
    hint: did you mean `network`?

    error: `aws_subnet.[0]` is not a valid pattern: expected a name or `*`, found '['
      --> plans/acme.hcl:7:42
      |
    7 |     take  = ["aws_vpc.main", "aws_subnet.[0]"]
      |                                          ^

    error: the stack takes nothing
      --> plans/acme.hcl:9:3
      |
    9 |   stack "network" {
      |   ^^^^^
    hint: add `take = ["…"]` with the addresses or patterns it takes

    error: the name `network` stands for two states
      --> plans/acme.hcl:9:9
      |
    9 |   stack "network" {
      |         ^^^^^^^^^
      = note: it is also used at plans/acme.hcl:5:9
    hint: every source, stack and returned stack needs a name of its own

    error: a `stack` block has no argument `tkae`
       --> plans/acme.hcl:11:5
       |
    11 |     tkae  = []
       |     ^^^^
    hint: did you mean `take`?

    error: the type changes from `aws_kms_key` to `aws_kms_alias`
       --> plans/acme.hcl:14:14
       |
    14 |       to   = "aws_kms_alias.main"
       |              ^^^^^^^^^^^^^^^^^^^^
      = note: nothing was written
    hint: a state move keeps the type; write `aws_kms_key.main`
    exit code 1
    --- stderr
    ✓ read testdata/acme and testdata/acme/terraform.tfstate
    error: `aws_subnet.pubic` matches nothing in the source
      --> plans/acme.hcl:7:30
      |
    7 |     take  = ["aws_vpc.main", "aws_subnet.pubic", "module.service[\"order\"]"]
      |                              ^^^^^^^^^^^^^^^^^^
    hint: did you mean `aws_subnet.public`, `aws_subnet.public[0]`, `aws_subnet.public[1]`?

    error: `module.service["order"]` matches nothing in the source
      --> plans/acme.hcl:7:50
      |
    7 |     take  = ["aws_vpc.main", "aws_subnet.pubic", "module.service[\"order\"]"]
      |                                                  ^^^^^^^^^^^^^^^^^^^^^^^^^^^
    hint: did you mean `module.service["orders"]`, `module.service["returns"]`?

    error: `aws_vpc.main` is taken by `network` and by `base`
       --> plans/acme.hcl:11:14
       |
    11 |     take  = ["aws_vpc.*"]
       |              ^^^^^^^^^^^
      = note: `network` takes it with `aws_vpc.main` at plans/acme.hcl:7:14
      = note: nothing was written
    hint: make `aws_vpc.main` or `aws_vpc.*` narrower: an instance goes to one state
    exit code 1
    --- stderr
    error: cannot read the plan file: invalid block body; expected `}`, newline or identifier
      --> plans/acme.hcl:2:11
      |
    2 |   source {
      |           ^
      = note: nothing was written
    hint: look for a `}` that is missing further down, or a word without `=`
    exit code 1
    --- stderr
    error: the plan file plans/acme.hcl is not UTF-8 text at byte 7
      = note: nothing was written
    "#);
}

#[test]
fn misplaced_arguments_are_refused() {
    let desk = Desk::new();
    fs::write(desk.path("file"), "").unwrap();
    fs::create_dir_all(desk.path("mine/inside")).unwrap();
    let mut shown = String::new();
    for args in [
        &["split", "testdata/acme", "--plan", PLAN, "--out", "file"][..],
        &["split", "testdata/acme", "--plan", PLAN, "--out", "file/out"],
        &["split", "testdata/acme", "--plan", PLAN, "--out", "mine"],
        &[
            "split",
            "testdata/acme",
            "--plan",
            "plans/nope.hcl",
            "--out",
            "out",
        ],
        &["split", "testdata/nope", "--plan", PLAN, "--out", "out"],
        &[&SPLIT[..], &["--env", "stage"]].concat(),
        &[&SPLIT[..], &["--state", "testdata"]].concat(),
        &[&SPLIT[..], &["--state", "nope.tfstate"]].concat(),
        &["split", "testdata/acme", "--out", "out"],
        &["inspect"],
    ] {
        shown.push_str(&format!("$ stackcut {}\n", args.join(" ")));
        shown.push_str(&desk.transcript(args));
    }
    assert!(!desk.path("out").exists());
    insta::assert_snapshot!(shown, @r#"
    $ stackcut split testdata/acme --plan plans/acme.hcl --out file
    exit code 64
    --- stderr
    ✓ read testdata/acme and testdata/acme/terraform.tfstate
    error: file is a file
      = note: nothing was written
    hint: name another directory with --out, or remove the file
    $ stackcut split testdata/acme --plan plans/acme.hcl --out file/out
    exit code 64
    --- stderr
    ✓ read testdata/acme and testdata/acme/terraform.tfstate
    error: file/out cannot be made: a part of its path is a file
      = note: nothing was written
    hint: name another directory with --out, or remove the file
    $ stackcut split testdata/acme --plan plans/acme.hcl --out mine
    exit code 64
    --- stderr
    ✓ read testdata/acme and testdata/acme/terraform.tfstate
    error: mine is not empty and was not written by stackcut
      = note: nothing was written
    hint: name another directory with --out, or remove this one
    $ stackcut split testdata/acme --plan plans/nope.hcl --out out
    exit code 64
    --- stderr
    error: cannot read the plan file plans/nope.hcl: No such file or directory (os error 2)
      = note: nothing was written
    hint: docs/plan-file.md shows how to write one
    $ stackcut split testdata/nope --plan plans/acme.hcl --out out
    exit code 1
    --- stderr
    error: there is no configuration in testdata/nope
      = note: nothing was written
    hint: name the directory of a root module, the one where `terraform plan` runs
    $ stackcut split testdata/acme --plan plans/acme.hcl --out out --env stage
    exit code 64
    --- stderr
    error: the plan file has no environment `stage`
      = note: nothing was written
    hint: it has: prod
    $ stackcut split testdata/acme --plan plans/acme.hcl --out out --state testdata
    exit code 1
    --- stderr
    error: cannot read testdata: Is a directory (os error 21)
      = note: nothing was written
    $ stackcut split testdata/acme --plan plans/acme.hcl --out out --state nope.tfstate
    exit code 64
    --- stderr
    error: there is no state at nope.tfstate
      = note: nothing was written
    hint: copy it there (`aws s3 cp s3://BUCKET/KEY terraform.tfstate`), or name it with --state
    $ stackcut split testdata/acme --out out
    exit code 64
    --- stderr
    error: the following required arguments were not provided:
      --plan <PLAN>

    Usage: stackcut split --out <OUT> --plan <PLAN> <DIR>

    For more information, try '--help'.
    $ stackcut inspect
    exit code 64
    --- stderr
    error: the following required arguments were not provided:
      <DIR>

    Usage: stackcut inspect <DIR>

    For more information, try '--help'.
    "#);
}
