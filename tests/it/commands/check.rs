//! `stackcut check` on trees that people edit.

use std::fs;
use std::path::Path;
use std::process::Command;

/// A tree of two stacks and their ledger.
struct Tree {
    dir: tempfile::TempDir,
}

const NETWORK: &str = r#"terraform {
  backend "s3" {
    bucket       = "states"
    key          = "network.tfstate"
    region       = "eu-central-1"
    use_lockfile = true
  }
}

resource "terraform_data" "vpc" {
  input = "vpc"
}

module "contract" {
  source = "./modules/ssm_json_store"

  path = "/configuration"
  name = "network"

  data = {
    installed = true
    public = {
      vpc = { id = terraform_data.vpc.id }
    }
    private = {}
  }
}
"#;

const ORDERS: &str = r#"terraform {
  backend "s3" {
    bucket       = "states"
    key          = "orders.tfstate"
    region       = "eu-central-1"
    use_lockfile = true
  }
}

module "network" {
  source = "./modules/ssm_json_store"

  path = "/configuration"
  name = "network"
}

locals {
  network = nonsensitive(module.network.value).public
}

resource "terraform_data" "orders" {
  input = local.network.vpc.id
}
"#;

const LEDGER: &str = r#"{
  "contracts": [
    {
      "path": "/configuration",
      "producer": "network",
      "size": 60,
      "store": "ssm",
      "values": [
        { "consumers": ["orders"], "pointer": "/public/vpc/id", "sensitive": false, "type": "string" }
      ]
    }
  ],
  "version": 1
}
"#;

impl Tree {
    fn new() -> Self {
        let tree = Self {
            dir: tempfile::tempdir().unwrap(),
        };
        let store = fs::read_to_string(
            Path::new(env!("CARGO_MANIFEST_DIR")).join("src/contract/modules/ssm_json_store/main.tf"),
        )
        .unwrap();
        for (stack, code) in [("network", NETWORK), ("orders", ORDERS)] {
            tree.write(&format!("out/stacks/{stack}/main.tf"), code);
            tree.write(
                &format!("out/stacks/{stack}/modules/ssm_json_store/main.tf"),
                &store,
            );
        }
        tree.write("out/contracts.json", LEDGER);
        tree
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.dir.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn edit(&self, path: &str, from: &str, to: &str) {
        let text = fs::read_to_string(self.dir.path().join(path)).unwrap();
        assert!(text.contains(from), "{path} has no {from}");
        self.write(path, &text.replace(from, to));
    }

    /// Runs `check` and shows how it ended.
    fn check(&self, args: &[&str]) -> String {
        let output = Command::new(env!("CARGO_BIN_EXE_stackcut"))
            .arg("check")
            .args(args)
            .current_dir(self.dir.path())
            .env("NO_COLOR", "1")
            .output()
            .unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        let stderr = match text(output.stderr) {
            nothing if nothing.is_empty() => nothing,
            said => format!("--- stderr\n{said}"),
        };
        format!(
            "exit code {}\n{}{stderr}",
            output.status.code().unwrap(),
            text(output.stdout)
        )
    }
}

#[test]
fn a_tree_as_it_should_be() {
    let tree = Tree::new();
    insta::assert_snapshot!(tree.check(&["out"]), @r#"
    exit code 0
    2 stacks checked, nothing found
    "#);
    // Stacks alone find the ledger above them.
    insta::assert_snapshot!(tree.check(&["out/stacks/network", "out/stacks/orders"]), @r#"
    exit code 0
    2 stacks checked, nothing found
    "#);
    insta::assert_snapshot!(tree.check(&["--format", "json", "out"]), @r#"
    exit code 0
    {"version":1,"stacks":["network","orders"],"ledger":"out/contracts.json","errors":0,"warnings":0,"findings":[]}
    "#);
}

#[test]
fn what_people_break_is_shown_with_its_line() {
    let tree = Tree::new();
    tree.edit(
        "out/stacks/orders/main.tf",
        "local.network.vpc.id",
        "local.network.vpc.idd",
    );
    tree.edit("out/stacks/network/main.tf", "    use_lockfile = true\n", "");
    tree.write("out/stacks/network/terraform.tfstate", "{}");
    insta::assert_snapshot!(tree.check(&["out"]), @r#"
    exit code 2
    error: `out/stacks/network/terraform.tfstate` lies beside the code
      = note: a state in an artefact silently takes the place of the remote one, and it holds secrets
      = note: in `network`, rule state-file
    hint: delete it, from the history of the repository too if it was committed

    error: the state of `network` is not locked, that of `orders` is
      --> out/stacks/network/main.tf:2:3
      |
    2 |   backend "s3" {
      |   ^^^^^^^^^^^^^
      = note: in `network`, rule unlocked-backend
    hint: add `use_lockfile = true` (Terraform 1.10 and newer) or `dynamodb_table`

    error: `network` does not tell `/public/vpc/idd`
       --> out/stacks/orders/main.tf:22:11
       |
    22 |   input = local.network.vpc.idd
       |           ^^^^^^^^^^^^^^^^^^^^^
      = note: in `orders`, rule contract-unknown
    hint: did you mean `id`?

    warning: the ledger says that `orders` reads `/public/vpc/id` of `network`, and it does not
      = note: in `orders`, rule contract-unused
    hint: emit anew; what nobody reads need not be told

    2 stacks checked: 3 errors, 1 warning
    "#);
    insta::assert_snapshot!(tree.check(&["out", "--format", "markdown"]), @r#"
    exit code 2
    ### stackcut check

    2 stacks checked: 3 errors, 1 warning

    |  | stack | rule | where | what | what to do |
    |---|---|---|---|---|---|
    | error | network | `state-file` | – | `out/stacks/network/terraform.tfstate` lies beside the code | delete it, from the history of the repository too if it was committed |
    | error | network | `unlocked-backend` | `out/stacks/network/main.tf:2` | the state of `network` is not locked, that of `orders` is | add `use_lockfile = true` (Terraform 1.10 and newer) or `dynamodb_table` |
    | error | orders | `contract-unknown` | `out/stacks/orders/main.tf:22` | `network` does not tell `/public/vpc/idd` | did you mean `id`? |
    | warning | orders | `contract-unused` | – | the ledger says that `orders` reads `/public/vpc/id` of `network`, and it does not | emit anew; what nobody reads need not be told |
    "#);
}

#[test]
fn json_names_rule_file_and_line() {
    let tree = Tree::new();
    tree.edit(
        "out/stacks/network/main.tf",
        "id = terraform_data.vpc.id",
        "other = 1",
    );
    insta::assert_snapshot!(tree.check(&["out", "--format", "json"]), @r#"
    exit code 2
    {"version":1,"stacks":["network","orders"],"ledger":"out/contracts.json","errors":2,"warnings":1,"findings":[{"rule":"contract-dropped","severity":"error","stack":"network","message":"`network` no longer tells `/public/vpc/id`","file":"out/stacks/network/main.tf","line":14,"column":1,"code":"module \"contract\" {","notes":["`orders` would fail"],"hint":"tell it again; or let its readers go without it first, then emit anew"},{"rule":"contract-unlisted","severity":"warning","stack":"network","message":"the contract of `network` tells `/public/vpc/other`, which is not in the ledger","file":"out/stacks/network/main.tf","line":23,"column":23,"code":"      vpc = { other = 1 }","notes":[],"hint":"emit anew, so that the ledger and the schemas say what is relied on"},{"rule":"contract-unknown","severity":"error","stack":"orders","message":"`network` does not tell `/public/vpc/id`","file":"out/stacks/orders/main.tf","line":22,"column":11,"code":"  input = local.network.vpc.id","notes":[],"hint":"known here: `other`"}]}
    "#);
}

#[test]
fn warnings_count_where_that_is_asked_for() {
    let tree = Tree::new();
    tree.edit(
        "out/stacks/network/main.tf",
        "id = terraform_data.vpc.id",
        "id = terraform_data.vpc.id, new = 1",
    );
    insta::assert_snapshot!(tree.check(&["out"]), @r#"
    exit code 0
    warning: the contract of `network` tells `/public/vpc/new`, which is not in the ledger
       --> out/stacks/network/main.tf:23:49
       |
    23 |       vpc = { id = terraform_data.vpc.id, new = 1 }
       |                                                 ^
      = note: in `network`, rule contract-unlisted
    hint: emit anew, so that the ledger and the schemas say what is relied on

    2 stacks checked: 0 errors, 1 warning
    "#);
    assert!(
        tree.check(&["out", "--deny-warnings"])
            .starts_with("exit code 2\n")
    );
}

#[test]
fn an_older_ledger_is_what_readers_rely_on() {
    let tree = Tree::new();
    tree.write("old.json", &LEDGER.replace("/public/vpc/id", "/public/vpc/arn"));
    insta::assert_snapshot!(tree.check(&["out", "--against", "old.json"]), @r#"
    exit code 2
    error: `network` no longer tells `/public/vpc/arn`, which `orders` read
      = note: rule contract-dropped
    hint: tell both for a while, under two names, until nobody reads the old one

    2 stacks checked: 1 error, 0 warnings
    "#);
}

#[test]
fn a_state_at_hand_is_compared() {
    let tree = Tree::new();
    let state = r#"{"version":4,"terraform_version":"1.9.0","serial":1,"lineage":"l","outputs":{},"resources":[{"mode":"managed","type":"terraform_data","name":"gone","provider":"provider[\"terraform.io/builtin/terraform\"]","instances":[{"schema_version":0,"attributes":{"input":"hush"}}]}],"check_results":null}"#;
    tree.write("out/states/orders.tfstate", state);
    insta::assert_snapshot!(tree.check(&["out"]), @r#"
    exit code 2
    error: terraform_data.gone is in the state, but resource `terraform_data.gone` is not in the code
      = note: in out/states/orders.tfstate
      = note: the next apply would destroy it
      = note: in `orders`, rule state-mismatch
    hint: write its block, or take it out of the state: `terraform state rm` forgets it without destroying it

    2 stacks checked: 1 error, 0 warnings
    "#);
}

#[test]
fn what_cannot_be_read_is_an_error() {
    let tree = Tree::new();
    tree.write("empty/README.md", "nothing");
    insta::assert_snapshot!(tree.check(&["nowhere"]), @r#"
    exit code 1
    --- stderr
    error: cannot read nowhere: No such file or directory (os error 2)
    hint: name directories of stacks, or of trees of them
    "#);
    insta::assert_snapshot!(tree.check(&["empty"]), @r#"
    exit code 1
    --- stderr
    error: there is no configuration in empty
    hint: name a directory of stacks, or of one
    "#);
    tree.write("out/contracts.json", "[]");
    insta::assert_snapshot!(tree.check(&["out"]), @r#"
    exit code 1
    --- stderr
    error: cannot read the ledger out/contracts.json: this is no ledger of contracts: `version` is missing or of another type
    hint: `contracts.json` is written with the stacks: emit them anew, or name another file with --ledger
    "#);
    insta::assert_snapshot!(tree.check(&["out", "--ledger", "old.json"]), @r#"
    exit code 1
    --- stderr
    error: cannot read the ledger old.json: No such file or directory (os error 2)
    hint: `contracts.json` is written with the stacks: emit them anew, or name another file with --ledger
    "#);
    // Code that is no HCL is a finding like others.
    tree.write("out/contracts.json", LEDGER);
    tree.write("out/stacks/orders/main.tf", "resource {\n");
    insta::assert_snapshot!(tree.check(&["out"]), @r#"
    exit code 2
    error: this is not valid HCL: invalid block body; expected `}`, newline or identifier
      --> out/stacks/orders/main.tf:1:11
      |
    1 | resource {
      |           ^
      = note: in `orders`, rule configuration

    2 stacks checked: 1 error, 0 warnings
    "#);
}

#[test]
fn modules_beside_the_place_of_a_copy_may_be_absent() {
    let tree = Tree::new();
    let call = |source: &str| format!("module \"x\" {{\n  source = \"{source}\"\n}}\n");
    tree.write("out/sources/mono/main.tf", &call("../modules/x"));
    insta::assert_snapshot!(tree.check(&["out"]), @r#"
    exit code 2
    error: module source out/sources/mono/../modules/x: there is no such directory
      --> out/sources/mono/main.tf:1:1
      |
    1 | module "x" {
      | ^^^^^^^^^^
      = note: in `mono`, rule configuration

    3 stacks checked: 1 error, 0 warnings
    "#);
    tree.edit(
        "out/contracts.json",
        "\"version\": 1",
        "\"beside\": { \"mono\": [\"../modules/x\"] },\n  \"version\": 1",
    );
    insta::assert_snapshot!(tree.check(&["out"]), @r#"
    exit code 0
    3 stacks checked, nothing found
    "#);
    insta::assert_snapshot!(tree.check(&["out/sources/mono"]), @r#"
    exit code 0
    1 stack checked, nothing found
    "#);
    // Every other path must lead to a module.
    tree.write("out/sources/mono/main.tf", &call("../modules/y"));
    insta::assert_snapshot!(tree.check(&["out"]), @r#"
    exit code 2
    error: module source out/sources/mono/../modules/y: there is no such directory
      --> out/sources/mono/main.tf:1:1
      |
    1 | module "x" {
      | ^^^^^^^^^^
      = note: in `mono`, rule configuration

    3 stacks checked: 1 error, 0 warnings
    "#);
    tree.write("out/sources/mono/main.tf", &call("./modules/x"));
    insta::assert_snapshot!(tree.check(&["out"]), @r#"
    exit code 2
    error: module source out/sources/mono/modules/x: there is no such directory
      --> out/sources/mono/main.tf:1:1
      |
    1 | module "x" {
      | ^^^^^^^^^^
      = note: in `mono`, rule configuration

    3 stacks checked: 1 error, 0 warnings
    "#);
    // A module that is there is read.
    tree.write("out/sources/mono/main.tf", &call("../modules/x"));
    tree.write(
        "out/sources/modules/x/main.tf",
        "output \"a\" {\n  value = local.b\n}\n",
    );
    insta::assert_snapshot!(tree.check(&["out"]), @r#"
    exit code 2
    error: local value `b` is named here, and not declared
      --> out/sources/mono/../modules/x/main.tf:2:11
      |
    2 |   value = local.b
      |           ^^^^^^^
      = note: in `mono`, rule undeclared-name
    hint: declare it, or read it from the contract of the stack that has it

    3 stacks checked: 1 error, 0 warnings
    "#);
}
