//! What people read, word for word.

use std::fs;
use std::io::Read as _;
use std::process::{Command, Stdio};

use super::{Desk, Ended, PLAN, SPLIT};

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
