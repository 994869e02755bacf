//! Contracts in AWS: stacks are planned before any contract is written.

use stackcut::verify::Verdict;

use super::stage::{Stage, assert_holds, root};
use crate::rewrite::lab::aws::OnAws;
use crate::support::NETWORK;

const CODE: &str = r#"
resource "aws_sqs_queue" "orders" {
  name = "orders"
}

resource "aws_security_group" "app" {
  name   = "app"
  vpc_id = aws_vpc.main.id

  egress {
    protocol    = "-1"
    from_port   = 0
    to_port     = 0
    cidr_blocks = aws_subnet.private[*].cidr_block
  }
}

resource "terraform_data" "reader" {
  input = [aws_sqs_queue.orders.name, aws_security_group.app.id]
}
"#;

const STACKS: &str = r#"
  stack "network" { take = ["aws_vpc.main", "aws_subnet.*"] }
  stack "app" { take = ["aws_security_group.app"] }
  stack "orders" { take = ["aws_sqs_queue.orders"] }
  stack "reader" {
    take               = ["terraform_data.reader"]
    optional_upstreams = ["orders"]
  }
"#;

/// Rehearses a cut with one store, and with a reader that can do without its upstream where the provider can: the
/// contracts are created, and nothing else is to do, though nothing is applied yet.
fn rehearse(contract: &[&str], optional: bool) {
    let stacks = match optional {
        true => STACKS.to_owned(),
        false => STACKS.replace("    optional_upstreams = [\"orders\"]\n", ""),
    };
    let OnAws { lab, aws, .. } = OnAws::new(&[NETWORK, CODE].concat(), &[], &stacks, contract);
    let cut = lab.cut();
    let mut stage = Stage::new(&lab);
    stage.env.extend(
        aws.env()
            .into_iter()
            .map(|(name, value)| (name.into(), value.into())),
    );
    let proof = stage.run(&cut);
    assert_holds(&proof);
    for (name, verdict) in [
        ("app", Verdict::OnlyContract),
        ("network", Verdict::OnlyContract),
        ("orders", Verdict::OnlyContract),
        ("reader", Verdict::NoChanges),
        ("mono", Verdict::NoChanges),
    ] {
        let root = root(&proof, name);
        assert_eq!(root.verdict, verdict, "{}", proof.text());
        assert!(
            root.notes.is_empty(),
            "planned values are known: {:?}",
            root.notes
        );
    }
    assert_eq!(
        root(&proof, "network").judgement.contract.len(),
        1,
        "{}",
        proof.text()
    );
}

#[test]
fn parameters() {
    rehearse(&["store = \"ssm\""], false);
}

#[test]
fn objects() {
    rehearse(&["store = \"s3\"", "bucket = \"BUCKET\""], true);
}
