//! One plan file, several environments: where everything is.

use super::*;
use crate::plan::contract::{ContractStore, SsmTier};
use crate::plan::testing::{plan, shown};

fn location(backend: &str, arguments: &[(&str, &str)]) -> StateLocation {
    StateLocation {
        backend: backend.to_owned(),
        arguments: arguments
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
        workspace: "default".to_owned(),
    }
}

fn resolve(plan: &PlanFile, found: &[(&str, StateLocation)]) -> Result<Vec<String>, String> {
    let found: BTreeMap<StackName, StateLocation> = found
        .iter()
        .map(|(name, location)| (name.parse().unwrap(), location.clone()))
        .collect();
    let mut lines = Vec::new();
    for environment in plan.environments() {
        let locations = plan
            .resolve_locations(&environment, &found)
            .map_err(|found| shown(&found))?;
        for (id, location) in &locations {
            let arguments: Vec<String> = location
                .arguments
                .iter()
                .map(|(k, v)| format!("{k}={v}"))
                .collect();
            lines.push(format!(
                "{} {id}: {} [{}] {}",
                environment.name,
                location.backend,
                location.workspace,
                arguments.join(" ")
            ));
        }
    }
    Ok(lines)
}

const FLEET: &str = r#"
  source {
    dir = "../acme"
    backend "s3" {
      key        = "${tenant}/${environment}/acme.tfstate"
      encrypt    = true
      max_retries = 3
      allowed_account_ids = ["1", "${upper(tenant)}"]
    }
    var_files = ["common.tfvars"]
  }
  environment "a/stage" {
    var_files = ["stage.tfvars"]
    backend   = { profile = "${tenant}-p", workspace_dir = "x" }
  }
  environment "a/prod" {
    values  = { environment = "live" }
    backend = { assume_role = { role_arn = "arn", tags = { team = "t" } } }
  }
  defaults {
    backend "s3" {
      key = "${tenant}/${environment}/${layer}/${stack}.tfstate"
    }
    contract {
      path = "/configuration/${environment}"
    }
  }
  stack "net" {
    layer = "network"
    take  = ["module.vpc"]
  }
  stack "old" {
    take      = ["aws_x.a"]
    workspace = "w"
    backend "local" {
      path = "x/${stack}.tfstate"
    }
    contract {
      store  = "s3"
      bucket = "c-${stack}"
    }
  }
"#;

#[test]
fn everything_is_completed_in_the_documented_order() {
    let plan = plan(FLEET);
    let found = location(
        "s3",
        &[
            ("bucket", "b"),
            ("key", "from-code"),
            ("region", "r"),
            ("secret_key", "hidden"),
            ("workspace_key_prefix", "ws"),
        ],
    );
    insta::assert_snapshot!(resolve(&plan, &[("acme", found)]).unwrap().join("\n"), @r#"
    a/stage acme: s3 [default] allowed_account_ids=["1","A"] bucket=b encrypt=true key=a/stage/acme.tfstate max_retries=3 profile=a-p region=r workspace_key_prefix=ws
    a/stage net: s3 [default] allowed_account_ids=["1","A"] bucket=b encrypt=true key=a/stage/network/net.tfstate max_retries=3 profile=a-p region=r
    a/stage old: local [w] path=x/old.tfstate workspace_dir=x
    a/prod acme: s3 [default] allowed_account_ids=["1","A"] assume_role.role_arn=arn assume_role.tags.team=t bucket=b encrypt=true key=a/live/acme.tfstate max_retries=3 region=r workspace_key_prefix=ws
    a/prod net: s3 [default] allowed_account_ids=["1","A"] assume_role.role_arn=arn assume_role.tags.team=t bucket=b encrypt=true key=a/live/network/net.tfstate max_retries=3 region=r
    a/prod old: local [w] path=x/old.tfstate
    "#);
    let environments = plan.environments();
    assert_eq!(
        plan.var_files(&plan.sources[0], &environments[0]),
        ["common.tfvars", "stage.tfvars"]
    );
}

#[test]
fn contract_settings_come_from_the_stack_then_the_defaults() {
    let plan = plan(FLEET);
    let environment = &plan.environments()[1];
    let first = plan
        .contract_settings(environment, &plan.stacks[0], None)
        .unwrap();
    assert_eq!(first.store, ContractStore::Ssm);
    assert_eq!(first.path, "/configuration/live");
    assert_eq!((first.bucket, first.tier), (None, SsmTier::Standard));
    let second = plan
        .contract_settings(environment, &plan.stacks[1], None)
        .unwrap();
    assert_eq!(second.store, ContractStore::S3);
    assert_eq!(second.bucket.as_deref(), Some("c-old"));
}

#[test]
fn a_local_state_lies_beside_its_code() {
    let plan = plan(
        r#"
  source {
    dir   = "../acme/"
    state = "terraform.tfstate"
  }
  defaults {
    backend "local" {
      path = "out/${stack}/terraform.tfstate"
    }
  }
  stack "a" {
    take = ["aws_x.a"]
  }
  return "b" {
  }
"#,
    );
    assert_eq!(
        resolve(&plan, &[]).unwrap(),
        [
            "default acme: local [default] path=../acme/terraform.tfstate",
            "default a: local [default] path=out/a/terraform.tfstate",
            "default b: local [default] path=out/b/terraform.tfstate",
        ]
    );
}

#[test]
fn what_is_missing_or_shared_is_named() {
    let plan = plan(
        r#"
  source {
    dir = "../acme"
  }
  stack "a" {
    take = ["aws_x.a"]
    backend "s3" {
      key = "k"
    }
  }
  stack "b" {
    take = ["aws_x.b"]
    backend "s3" {
      key = "k"
    }
  }
  stack "c" {
    take = ["aws_x.c"]
  }
  stack "d" {
    take = ["aws_x.d"]
    backend "s3" {
      region = "x"
    }
  }
  stack "e" {
    take = ["aws_x.e"]
    backend "local" {
    }
  }
"#,
    );
    let found = location("s3", &[("bucket", "b"), ("key", "k"), ("region", "r")]);
    insta::assert_snapshot!(resolve(&plan, &[("acme", found)]).unwrap_err(), @r#"
    error: where the state of stack `c` will be, is not known
       --> p.hcl:18:9
       |
    18 |   stack "c" {
       |         ^^^
    hint: add `defaults { backend "s3" { key = "stacks/${stack}.tfstate" } }`, each block on its own lines

    error: the backend of stack `d` is incomplete in `default`: `key` is missing
       --> p.hcl:21:9
       |
    21 |   stack "d" {
       |         ^^^
    hint: add it to the `backend` block of the stack, of `defaults` or of the source

    error: the state of stack `e` has no path
       --> p.hcl:27:9
       |
    27 |   stack "e" {
       |         ^^^
    hint: add `path = "stacks/${stack}/terraform.tfstate"` to the `backend "local"` block

    error: `acme` and `a` would have the same state in `default`: s3://b/k
      --> p.hcl:6:9
      |
    6 |   stack "a" {
      |         ^^^
      = note: `acme` is at p.hcl:3:3
    hint: use `${stack}` in the key, or give one of them a `backend` block of its own

    error: `acme` and `b` would have the same state in `default`: s3://b/k
       --> p.hcl:12:9
       |
    12 |   stack "b" {
       |         ^^^
      = note: `acme` is at p.hcl:3:3
    hint: use `${stack}` in the key, or give one of them a `backend` block of its own
    "#);
    let found = location("local", &[("path", "acme/terraform.tfstate")]);
    let advice = resolve(&plan, &[("acme", found)]).unwrap_err();
    let advice = advice
        .lines()
        .find(|line| line.starts_with("hint: add `defaults"));
    assert_eq!(
        advice.unwrap(),
        "hint: add `defaults { backend \"local\" { path = \"states/${stack}.tfstate\" } }`, each block on its own lines"
    );
    insta::assert_snapshot!(resolve(&plan, &[("acme", location("gcs", &[]))]).unwrap_err(), @r#"
    error: source `acme` uses the backend `gcs`, which is not supported
      --> p.hcl:3:3
      |
    3 |   source {
      |   ^^^^^^
    hint: pull the state with `terraform state pull` and give `state = "FILE"`, or move to `s3` first

    error: the backend of stack `a` is incomplete in `default`: `bucket` is missing
      --> p.hcl:6:9
      |
    6 |   stack "a" {
      |         ^^^
    hint: add it to the `backend` block of the stack, of `defaults` or of the source

    error: the backend of stack `b` is incomplete in `default`: `bucket` is missing
       --> p.hcl:12:9
       |
    12 |   stack "b" {
       |         ^^^
    hint: add it to the `backend` block of the stack, of `defaults` or of the source

    error: where the state of stack `c` will be, is not known
       --> p.hcl:18:9
       |
    18 |   stack "c" {
       |         ^^^
    hint: add `defaults { backend "s3" { key = "stacks/${stack}.tfstate" } }`, each block on its own lines

    error: the backend of stack `d` is incomplete in `default`: `bucket` is missing
       --> p.hcl:21:9
       |
    21 |   stack "d" {
       |         ^^^
    hint: add it to the `backend` block of the stack, of `defaults` or of the source

    error: the backend of stack `d` is incomplete in `default`: `key` is missing
       --> p.hcl:21:9
       |
    21 |   stack "d" {
       |         ^^^
    hint: add it to the `backend` block of the stack, of `defaults` or of the source

    error: the state of stack `e` has no path
       --> p.hcl:27:9
       |
    27 |   stack "e" {
       |         ^^^
    hint: add `path = "stacks/${stack}/terraform.tfstate"` to the `backend "local"` block
    "#);
    insta::assert_snapshot!(resolve(&plan, &[]).unwrap_err().split("\n\n").next().unwrap(), @r#"
    error: where the state of source `acme` is, is not known
      --> p.hcl:3:3
      |
    3 |   source {
      |   ^^^^^^
    hint: add `state = "terraform.tfstate"`, or a `backend` block
    "#);
}

#[test]
fn two_environments_cannot_share_a_state() {
    let plan = plan(
        r#"
  source {
    dir   = "../acme"
    state = "${environment}.tfstate"
  }
  environment "a/stage" {
  }
  environment "a/prod" {
  }
  stack "a" {
    take = ["aws_x.a"]
    backend "s3" {
      bucket = "b"
      key    = "k"
    }
  }
"#,
    );
    let environments = plan.environments();
    let all: Vec<_> = environments
        .iter()
        .map(|environment| {
            (
                environment,
                plan.resolve_locations(environment, &BTreeMap::new()).unwrap(),
            )
        })
        .collect();
    let found = plan.shared_between(
        all.iter()
            .map(|(environment, locations)| (*environment, locations)),
    );
    insta::assert_snapshot!(shown(&found), @r#"
    error: `a` in `a/prod` and `a` in `a/stage` are the same state: s3://b/k
       --> p.hcl:11:9
       |
    11 |   stack "a" {
       |         ^^^
    hint: use a value that differs between environments in the key, such as `${tenant}` or `${environment}`
    "#);
}

#[test]
fn files_of_backend_arguments_are_named_per_environment() {
    let plan = plan(
        r#"
  source "mono" {
    dir            = "../mono"
    backend_config = ["common.tfbackend", "${source}-${environment}.tfbackend"]
  }
  environment "a/stage" {
  }
  environment "a/prod" {
  }
  stack "x" {
    take = ["aws_x.a"]
    backend "local" {
      path = "${environment}/x.tfstate"
    }
  }"#,
    );
    let files = plan.environments().into_iter().map(|environment| {
        let files = plan.backend_config(&plan.sources[0], &environment).unwrap();
        files.join(" ")
    });
    assert_eq!(
        files.collect::<Vec<_>>(),
        [
            "common.tfbackend mono-stage.tfbackend",
            "common.tfbackend mono-prod.tfbackend"
        ]
    );
}

/// A state must not lie where another's lock file, digest item or sidecars are.
#[test]
fn what_belongs_to_a_state_is_no_place_for_another() {
    let stack = |key: &str| {
        let backend = format!("    backend \"s3\" {{\n      key = \"{key}\"\n    }}\n");
        plan(&format!(
            "  source {{\n    dir = \"mono\"\n  }}\n  stack \"a\" {{\n    layer = \"service\"\n    take = [\"x.y\"]\n{backend}  }}"
        ))
    };
    let found = || location("s3", &[("bucket", "b"), ("key", "k"), ("region", "r")]);
    for key in ["k.tflock", "k-md5", "k.stackcut/journal/x"] {
        let refused = resolve(&stack(key), &[("acme", found())]).unwrap_err();
        assert!(
            refused
                .contains("`a` would be where the locks, the digest or the journals of `acme` are: s3://b/k"),
            "{refused}"
        );
    }
    for key in ["k.tflock2", "k/a", "k.stackcut", "x-md5"] {
        resolve(&stack(key), &[("acme", found())]).unwrap();
    }
}
