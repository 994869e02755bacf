//! What people read, word for word.

use std::fs;
use std::io::Read as _;
use std::process::{Command, Stdio};

use super::{Desk, Ended, PLAN, STATE};

const SPLIT: [&str; 6] = ["split", "testdata/acme", "--plan", PLAN, "--out", "out"];

#[test]
fn a_split_says_what_it_did() {
    let desk = Desk::new();
    insta::assert_snapshot!(desk.transcript(&SPLIT), @r#"
    exit code 0
    --- stdout
    acme: 227 instances moved into 10 stacks, environment prod

      state          layer     resources  objects     size     serial  reads from
      acme           (source)         11       12  20.2 kB  229 → 230  base, catalog, data, network, notifications, orders, payments, returns, search, shipping
      network        network          21       43  60.7 kB          1  –
      base           cluster          17       23  30.3 kB          1  network
      data           cluster          14       20  31.2 kB          1  base, network
      catalog        service          10       12  23.2 kB          1  base, data, network
      orders         service          23       24  52.1 kB          1  base, catalog, data, network
      payments       service          21       24  49.2 kB          1  base, catalog, network, orders
      shipping       service          18       21  42.6 kB          1  base, catalog, network, orders, payments
      search         service          17       21  33.8 kB          1  base, catalog, network
      returns        service          15       16  36.6 kB          1  base, catalog, network, shipping
      notifications  service          17       23  40.2 kB          1  base, catalog, network, orders, payments, shipping

      what moves:
        network        9 aws_route_table_association, 9 aws_subnet, 5 aws_route_table, 4 aws_route, 16 others
        base           3 aws_cloudwatch_log_group, 3 aws_cloudwatch_log_metric_filter, 3 aws_iam_policy, 3 aws_iam_role, 11 others
        data           6 aws_ssm_parameter, 4 aws_s3_bucket, 4 aws_s3_bucket_public_access_block, 3 aws_s3_bucket_object, 3 others
        catalog        3 aws_sqs_queue, 2 aws_cloudwatch_metric_alarm, 2 aws_dynamodb_table, 1 aws_cloudwatch_log_group, 4 others
        orders         4 aws_sqs_queue, 2 aws_cloudwatch_event_rule, 2 aws_cloudwatch_event_target, 2 aws_cloudwatch_metric_alarm, 11 others
        payments       3 aws_cloudwatch_metric_alarm, 3 aws_ssm_parameter, 2 aws_cloudwatch_event_rule, 2 aws_cloudwatch_event_target, 11 others
        shipping       5 aws_sqs_queue, 2 aws_cloudwatch_metric_alarm, 2 aws_iam_role_policy, 2 aws_ssm_parameter, 7 others
        search         4 aws_cloudwatch_metric_alarm, 4 aws_sqs_queue, 3 aws_security_group_rule, 1 aws_cloudwatch_event_rule, 8 others
        returns        2 aws_cloudwatch_metric_alarm, 2 aws_sqs_queue, 1 aws_cloudwatch_log_group, 1 aws_dynamodb_table, 7 others
        notifications  4 aws_dynamodb_table_item, 3 aws_sns_topic_subscription, 2 aws_cloudwatch_metric_alarm, 2 aws_sqs_queue, 9 others

      renamed (38):
        module.service["orders"].data.aws_iam_policy_document.assume → module.service.data.aws_iam_policy_document.assume
        module.service["orders"].data.aws_iam_policy_document.this → module.service.data.aws_iam_policy_document.this
        module.service["orders"].aws_cloudwatch_event_rule.schedule["expire-carts"] → module.service.aws_cloudwatch_event_rule.schedule["expire-carts"]
        module.service["orders"].aws_cloudwatch_event_target.schedule["expire-carts"] → module.service.aws_cloudwatch_event_target.schedule["expire-carts"]
        module.service["orders"].aws_cloudwatch_log_group.this → module.service.aws_cloudwatch_log_group.this
        … and 33 more in report.md

      order of apply: network, base, data, catalog, search, orders, payments, shipping, notifications, returns, acme

    ✓ nothing lost, doubled or altered: 239 objects in exactly one state each: 227 moved, 10 stayed byte for byte, 2 stayed but for their dependencies
    ✓ lineages and serials: 11 states written, 0 unchanged
    ✓ no stacks depend on each other: 553 dependencies cross, in one direction each
    ✓ code and states fit: 11 root modules with a block for every object and a target for every reference; 10 contracts with 49 values that cross
    --- stderr
    ✓ read testdata/acme and testdata/acme/terraform.tfstate
    warning: a `moved` block of module call `search` is left out: module call `search` has another address in `search`
       --> testdata/acme/search.tf:18:1
       |
    18 | moved {
       | ^^^^^
      = note: the state has been moved already, so nothing depends on it
    warning: the order on `aws_sns_topic_subscription.alarms` is dropped: it is in another state than resource `aws_cloudwatch_metric_alarm.payments_failed`
       --> testdata/acme/payments.tf:75:17
       |
    75 |   depends_on = [aws_sns_topic_subscription.alarms]
       |                 ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
    hint: apply the stacks in the order of the report; nothing else follows from it
    ✓ wrote out: root modules, contracts, states, report.md, report.json
    "#);
    let Ended(_, stdout, stderr) = desk.run(&[&SPLIT[..], &["--quiet"]].concat());
    assert!(
        !stderr.contains('✓') && stderr.starts_with("warning: "),
        "{stderr}"
    );
    assert!(stdout.lines().count() > 20, "{stdout}");
}

#[test]
fn an_inspection_says_what_is_there() {
    let desk = Desk::new();
    insta::assert_snapshot!(desk.transcript(&["inspect", "testdata/acme"]), @r#"
    exit code 0
    --- stdout
    testdata/acme

      code      108 resources in 25 files (54.3 kB)
                11 data sources, 24 locals, 13 variables, 6 outputs
      providers provider["registry.terraform.io/hashicorp/aws"]
                provider["registry.terraform.io/hashicorp/aws"].us_east_1
      backend   s3 s3://acme-terraform-states/acme/prod/acme.tfstate (workspace default)

      10 modules:
        path                          source               blocks  objects
        module.assets_replica         ./modules/bucket          2        2
        module.bucket                 ./modules/bucket          2        6
        module.endpoints              ./modules/endpoints       1        2
        module.search                 ./modules/search          8       10
        module.search.module.queue    ../queue                  5       10
        module.service                ./modules/service        10       46
        module.service.module.labels  ../labels                 0        0
        module.service.module.queue   ../queue                  5       30
        module.service.module.table   ../table                  1        4
        module.sessions               ./modules/table           1        1

      state     testdata/acme/terraform.tfstate (472.2 kB, indented), Terraform 1.11.4, serial 229
                215 objects of 160 managed resources, 23 data sources, 6 outputs
                23 aws_sqs_queue, 19 aws_cloudwatch_metric_alarm, 17 aws_ssm_parameter, 11 aws_iam_role_policy,
                10 aws_cloudwatch_log_group, 10 aws_iam_role, 9 aws_route_table_association, 9 aws_security_group, 29 more types

      largest objects:
           5.9 kB  aws_cloudwatch_dashboard.hall
           4.8 kB  module.service["orders"].aws_iam_role.this
           3.9 kB  aws_cloudwatch_metric_alarm.payments_failed
           3.8 kB  module.service["payments"].aws_iam_role.this
           3.8 kB  module.service["returns"].aws_iam_role.this
    "#);
}

#[test]
fn every_report_has_a_version() {
    let desk = Desk::new();
    for args in [
        [&SPLIT[..], &["--format", "json"]].concat(),
        vec!["inspect", "testdata/acme", "--format", "json"],
        vec!["graph", "testdata/acme", "--format", "json"],
        vec!["graph", "testdata/acme", "--plan", PLAN, "--format", "json"],
    ] {
        let Ended(code, stdout, stderr) = desk.run(&args);
        assert_eq!(code, 0, "{stderr}");
        let report: serde_json::Value = serde_json::from_str(&stdout).unwrap();
        assert_eq!(report["version"], 1, "{args:?}");
        assert!(stdout.ends_with("}\n"));
    }
    let file = fs::read_to_string(desk.path("out/report.json")).unwrap();
    assert_eq!(
        serde_json::from_str::<serde_json::Value>(&file).unwrap()["version"],
        1
    );
}

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
        &[
            "split",
            "testdata/acme",
            "--plan",
            PLAN,
            "--out",
            "out",
            "--env",
            "stage",
        ],
        &[
            "split",
            "testdata/acme",
            "--plan",
            PLAN,
            "--out",
            "out",
            "--state",
            "testdata",
        ],
        &[
            "split",
            "testdata/acme",
            "--plan",
            PLAN,
            "--out",
            "out",
            "--state",
            "nope.tfstate",
        ],
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

/// `stackcut graph … | head -1`: no complaint about the closed pipe.
#[test]
fn a_reader_may_stop_early() {
    let desk = Desk::new();
    for args in [
        &["graph", "testdata/acme", "--format", "json"][..],
        &["inspect", "testdata/acme", "--format", "json"],
        &["completions", "zsh"],
        &["split", "--help"],
    ] {
        let mut child = Command::new(env!("CARGO_BIN_EXE_stackcut"))
            .args(args)
            .current_dir(desk.dir.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // Dropped before the first byte is read, so that the first write fails.
        drop(child.stdout.take());
        let mut said = String::new();
        child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        let status = child.wait().unwrap();
        assert_eq!((status.code(), said.as_str()), (Some(0), ""), "{args:?}");
    }
}

#[test]
fn colour_is_for_those_who_want_it() {
    let desk = Desk::new();
    let run = |color: &str| {
        let output = Command::new(env!("CARGO_BIN_EXE_stackcut"))
            .args([
                "split", "nope", "--plan", "nope", "--out", "out", "--color", color,
            ])
            .current_dir(desk.dir.path())
            .env_remove("NO_COLOR")
            .output()
            .unwrap();
        String::from_utf8(output.stderr).unwrap()
    };
    assert!(run("always").contains("\u{1b}["));
    assert!(!run("never").contains('\u{1b}'));
    // Not a terminal.
    assert!(!run("auto").contains('\u{1b}'));
}

#[test]
fn completions_are_scripts_for_every_shell() {
    let desk = Desk::new();
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let Ended(code, stdout, stderr) = desk.run(&["completions", shell]);
        assert!(code == 0 && stderr.is_empty(), "{stderr}");
        for word in ["stackcut", "split", "inspect", "graph"] {
            assert!(stdout.contains(word), "{shell} lacks {word}");
        }
    }
}
