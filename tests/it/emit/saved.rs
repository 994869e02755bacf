//! A saved plan whose new states hold contracts: no value is in it, and another machine makes the same states of it.

use std::fs;

use super::desk::Desk;
use crate::support::tools::tools;

const FILE: &str = "plan.hcl";

const CODE: &str = r#"
variable "key" {
  default   = "s3cret-of-the-shop"
  sensitive = true
}

resource "terraform_data" "vpc" {
  input = { cidr = "10.11.0.0/16", zones = ["zone-number-one", "zone-number-two"], size = 1234567 }
}

resource "terraform_data" "vault" {
  input = { key = var.key }
}

module "named" {
  source = "./named"
  vpc    = terraform_data.vpc.output.cidr
}

resource "terraform_data" "app" {
  input = [terraform_data.vpc.output.cidr, terraform_data.vpc.output.size, upper(module.named.text)]
}

resource "terraform_data" "safe" {
  input = terraform_data.vault.output
}
"#;

const NAMED: &str = r#"
variable "vpc" {
  type = string
}

resource "terraform_data" "inside" {
  input = "inside-the-module"
}

output "text" {
  value = "net:${var.vpc}/${terraform_data.inside.output}"
}
"#;

const PLAN: &str = r#"
split "shop" {
  source {
    dir = "infra"
  }

  defaults {
    backend "local" {
      path = "states/${stack}.tfstate"
    }

    contract {
      store = "remote_state"
    }
  }

  stack "network" {
    take            = ["terraform_data.vpc", "terraform_data.vault", "module.named"]
    allow_sensitive = ["terraform_data.vault.output"]
  }

  stack "app" {
    take = ["terraform_data.app", "terraform_data.safe"]
  }
}
"#;

#[test]
fn a_saved_plan_spells_no_value_and_makes_the_same_states_without_code() {
    let desk = Desk::new(&[
        ("infra/main.tf", CODE),
        ("infra/named/main.tf", NAMED),
        (FILE, PLAN),
    ]);
    let terraform = desk.terraform(tools().terraform(), "infra");
    terraform.init();
    terraform.apply();
    terraform.settle();
    desk.run(&["plan", FILE, "--out", "saved.json"]).code(2);
    let saved = desk.read("saved.json");
    assert!(
        saved.contains("\"version\": 2") && saved.contains("\"name\": \"contract_private\""),
        "{saved}"
    );
    for value in ["s3cret", "10.11", "zone-number", "1234567", "inside-the-module"] {
        assert!(!saved.contains(value), "the saved plan spells {value}");
    }
    assert!(saved.contains("\"literal\": \"net:\""), "{saved}");
    desk.run(&["split", "infra", "--plan", FILE, "--out", "out"])
        .code(0);
    // The code is gone: what is applied comes from the saved plan and the originals alone.
    fs::rename(desk.path("infra/main.tf"), desk.path("main.tf.old")).unwrap();
    desk.run(&["apply", "saved.json", "--auto-approve"]).code(0);
    let lineage = |text: &str| {
        let state: serde_json::Value = serde_json::from_str(text).unwrap();
        state["lineage"].as_str().unwrap().to_owned()
    };
    for stack in ["network", "app"] {
        let (applied, rehearsed) = (
            desk.read(&format!("states/{stack}.tfstate")),
            desk.read(&format!("out/states/{stack}.tfstate")),
        );
        assert_eq!(
            applied,
            rehearsed.replace(&lineage(&rehearsed), &lineage(&applied)),
            "{stack}"
        );
    }
    let network: serde_json::Value = serde_json::from_str(&desk.read("states/network.tfstate")).unwrap();
    let private = &network["outputs"]["contract_private"];
    assert_eq!(private["sensitive"], true);
    assert!(private["value"].as_str().unwrap().contains("s3cret-of-the-shop"));
    let public = network["outputs"]["contract"]["value"].as_str().unwrap();
    assert!(public.contains("net:10.11.0.0/16/inside-the-module"), "{public}");
    // Nor does the journal spell one.
    for (path, text) in desk.tree("infra") {
        let is_backup = path.contains("backup/");
        assert!(is_backup || !text.contains("s3cret"), "{path}");
    }
    // Everything plans empty without any apply before.
    fs::rename(desk.path("main.tf.old"), desk.path("infra/main.tf")).unwrap();
    desk.run(&["emit", FILE, "--out", "new"]).code(0);
    for dir in ["new/stacks/network", "new/stacks/app"] {
        let terraform = desk.terraform(tools().terraform(), dir);
        terraform.init();
        terraform.assert_no_changes();
    }
}
