//! Ephemeral resources come along with whoever uses them, and so do their providers. No provider of the tests has any,
//! so the states are written by hand, and no Terraform looks at the code.

use super::desk::Desk;

const CODE: &str = r#"provider "aws" {
  region = "eu-central-1"
}

provider "aws" {
  alias  = "far"
  region = "us-east-1"
}

ephemeral "aws_secretsmanager_secret_version" "db" {
  provider  = aws.far
  secret_id = "db"
}

resource "aws_db_instance" "db" {
  password_wo         = ephemeral.aws_secretsmanager_secret_version.db.secret_string
  password_wo_version = 1
}

resource "terraform_data" "rest" {}
"#;

const STATE: &str = r#"{
  "version": 4,
  "terraform_version": "1.11.4",
  "serial": 1,
  "lineage": "l",
  "outputs": {},
  "resources": [
    {
      "mode": "managed",
      "type": "aws_db_instance",
      "name": "db",
      "provider": "provider[\"registry.terraform.io/hashicorp/aws\"]",
      "instances": [{ "schema_version": 0, "attributes": { "id": "db" }, "sensitive_attributes": [] }]
    }
  ],
  "check_results": null
}
"#;

const PLAN: &str = r#"
split "shop" {
  source {
    dir = "mono"
  }
  defaults {
    backend "local" {
      path = "states/${stack}.tfstate"
    }
  }
  stack "db" {
    take = ["aws_db_instance.db"]
  }
}
"#;

#[test]
fn an_ephemeral_resource_brings_the_provider_that_it_names() {
    let desk = Desk::new(&[
        ("mono/main.tf", CODE),
        ("mono/terraform.tfstate", STATE),
        ("plan.hcl", PLAN),
    ]);
    desk.run(&["split", "mono", "--plan", "plan.hcl", "--out", "out"])
        .code(0);
    let code = desk.read("out/stacks/db/main.tf");
    assert!(code.contains("provider  = aws.far\n"), "{code}");
    assert!(code.contains("alias  = \"far\"\n"), "{code}");
}
