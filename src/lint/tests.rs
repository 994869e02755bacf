//! Every rule, broken and kept, on small trees.

mod contracts;

use std::collections::BTreeSet;

use super::*;
use crate::contract::ledger::{Contract, Crossing};
use crate::source_tree::MemoryTree;

/// A stack: name, and files with their texts.
type Files<'f> = (&'f str, &'f [(&'f str, &'f str)]);

fn findings(stacks: &[Files<'_>], ledger: Option<Ledger>) -> Vec<Finding> {
    let trees: Vec<MemoryTree> = stacks
        .iter()
        .map(|(_, files)| {
            let files = files.iter();
            files.fold(MemoryTree::new(), |tree, (path, text)| tree.with(path, text))
        })
        .collect();
    let stacks = stacks.iter().zip(&trees).map(|((name, files), tree)| Stack {
        name: (*name).to_owned(),
        tree,
        paths: files.iter().map(|(path, _)| (*path).to_owned()).collect(),
        state: None,
        elsewhere: BTreeSet::new(),
    });
    check(&Input {
        stacks: stacks.collect(),
        ledger: ledger.map(|ledger| ("contracts.json".to_owned(), ledger)),
        against: None,
    })
}

/// Shows findings as `severity rule line: message`.
fn said(findings: &[Finding]) -> Vec<String> {
    let lines = findings.iter().map(|finding| {
        let found = &finding.diagnostic;
        let line = found.location.as_ref().map_or(String::new(), |(file, span)| {
            format!(" {}:{}", file.path, file.position(span.start).line)
        });
        let word = match found.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        format!("{word} {}{line}: {}", finding.rule.name(), found.message)
    });
    lines.collect()
}

/// Checks one stack of one file without a ledger.
fn one(code: &str, expected: &[&str]) {
    assert_eq!(
        said(&findings(&[("orders", &[("main.tf", code)])], None)),
        expected,
        "{code}"
    );
}

/// Checks stacks of one file each, with a ledger.
fn several(stacks: &[(&str, &str)], ledger: &[(&str, &str, &str, &[&str])], expected: &[&str]) {
    let files: Vec<Vec<(&str, &str)>> = stacks.iter().map(|(_, code)| vec![("main.tf", *code)]).collect();
    let stacks: Vec<Files<'_>> = stacks
        .iter()
        .zip(&files)
        .map(|((name, _), files)| (*name, &files[..]))
        .collect();
    let ledger = (!ledger.is_empty()).then(|| ledger_of(ledger));
    assert_eq!(said(&findings(&stacks, ledger)), expected);
}

fn ledger_of(lines: &[(&str, &str, &str, &[&str])]) -> Ledger {
    let mut ledger = Ledger::default();
    for (producer, pointer, kind, consumers) in lines {
        let value = Crossing {
            pointer: (*pointer).to_owned(),
            kind: (*kind).to_owned(),
            sensitive: pointer.starts_with("/private"),
            consumers: consumers.iter().map(|name| name.parse().unwrap()).collect(),
        };
        let producer = producer.parse().unwrap();
        let known = ledger
            .contracts
            .iter_mut()
            .find(|contract| contract.producer == producer);
        match known {
            Some(contract) => contract.values.push(value),
            None => ledger.contracts.push(Contract {
                producer,
                store: "ssm".into(),
                path: "/configuration".into(),
                size: Some(10),
                values: vec![value],
            }),
        }
    }
    ledger
}

#[test]
fn rules_have_names_of_their_own() {
    let names: BTreeSet<&str> = Rule::ALL.iter().map(|rule| rule.name()).collect();
    assert_eq!(names.len(), Rule::ALL.len());
    assert!(Rule::ALL.is_sorted(), "reports are sorted by rule");
}

#[test]
fn code_must_be_readable() {
    one(
        "resource \"a\" {",
        &[
            "error configuration main.tf:1: this is not valid HCL: invalid block body; expected `}`, newline or identifier",
        ],
    );
    one(
        "module \"m\" {\n  source = \"./m\"\n}\n",
        &["error configuration main.tf:1: module source m: there is no such directory"],
    );
    one("output \"x\" {\n  value = 1\n}\n", &[]);
}

#[test]
fn names_must_be_declared() {
    one(
        "output \"x\" {\n  value = [local.a, var.b, module.c.d, aws_vpc.main.id, data.aws_ami.x.id]\n}\n",
        &[
            "error undeclared-name main.tf:2: local value `a` is named here, and not declared",
            "error undeclared-name main.tf:2: variable `b` is named here, and not declared",
            "error undeclared-name main.tf:2: module call `c` is named here, and not declared",
            "error undeclared-name main.tf:2: resource `aws_vpc.main` is named here, and not declared",
            "error undeclared-name main.tf:2: resource `data.aws_ami.x` is named here, and not declared",
        ],
    );
    one(
        "resource \"aws_vpc\" \"main\" {\n  provider = aws.far\n}\n\nresource \"aws_vpc\" \"other\" {\n  provider = aws\n}\n",
        &[
            "error undeclared-name main.tf:2: the provider configuration `aws.far` is named here, and not declared",
        ],
    );
    one("locals {\n  a = [for aws_vpc in [1] : aws_vpc]\n}\n", &[]);
}

#[test]
fn states_must_not_lie_about() {
    let check = |backend: &str, paths: &[&str], expected: &[&str]| {
        let code = format!("terraform {{\n  {backend}\n}}\n");
        let mut files = vec![("main.tf", code.as_str())];
        files.extend(paths.iter().map(|path| (*path, "{}")));
        assert_eq!(
            said(&findings(&[("orders", &files)], None)),
            expected,
            "{backend}"
        );
    };
    let s3 = "backend \"s3\" {\n    bucket = \"b\"\n    key = \"k\"\n    region = \"r\"\n    use_lockfile = true\n  }";
    check(
        s3,
        &["terraform.tfstate", "m/errored.tfstate", "x.tfvars"],
        &[
            "error state-file: `m/errored.tfstate` lies beside the code",
            "error state-file: `terraform.tfstate` lies beside the code",
        ],
    );
    check(
        "backend \"local\" {}",
        &["terraform.tfstate", "terraform.tfstate.backup"],
        &[],
    );
    check(
        "backend \"local\" {\n    path = \"x.tfstate\"\n  }",
        &["terraform.tfstate", "x.tfstate"],
        &["error state-file: `terraform.tfstate` lies beside the code"],
    );
}

#[test]
fn a_state_must_fit_its_code() {
    let state = |name: &str, key: &str| {
        let text = format!(
            r#"{{"version":4,"terraform_version":"1.9.0","serial":1,"lineage":"l","outputs":{{}},"resources":[{{"mode":"managed","type":"terraform_data","name":"{name}","provider":"provider[\"terraform.io/builtin/terraform\"]","instances":[{{{key}"schema_version":0,"attributes":{{"input":"hush"}}}}]}}],"check_results":null}}"#
        );
        Snapshot::read(text.into_bytes()).unwrap().unwrap()
    };
    let check = |name: &str, key: &str, expected: &[&str]| {
        let tree = MemoryTree::new().with("main.tf", "resource \"terraform_data\" \"a\" {}\n");
        let stack = Stack {
            name: "orders".to_owned(),
            tree: &tree,
            paths: BTreeSet::new(),
            state: Some(State {
                shown: "states/orders.tfstate".to_owned(),
                snapshot: state(name, key),
            }),
            elsewhere: BTreeSet::new(),
        };
        let input = Input {
            stacks: vec![stack],
            ledger: None,
            against: None,
        };
        let found = super::check(&input);
        assert_eq!(said(&found), expected);
        assert!(
            !format!("{found:?}").contains("hush"),
            "values of a state are not shown"
        );
    };
    check("a", "", &[]);
    check(
        "b",
        "",
        &[
            "error state-mismatch: terraform_data.b is in the state, but resource `terraform_data.b` is not in the code",
        ],
    );
    check(
        "a",
        "\"index_key\":0,",
        &[
            "error state-mismatch main.tf:1: terraform_data.a[0] is in the state, but resource `terraform_data.a` is repeated in another way",
        ],
    );
}

#[test]
fn outputs_must_show_no_secret() {
    let output = |value: &str, more: &str| {
        format!(
            "variable \"key\" {{\n  default = 1\n  sensitive = true\n}}\n\nresource \"aws_db_instance\" \"db\" {{}}\n\noutput \"x\" {{\n  value = {value}\n{more}}}\n"
        )
    };
    let error = ["error secret-output main.tf:9: the output `x` shows what its name says is secret"];
    one(&output("aws_db_instance.db.password", ""), &error);
    one(&output("var.key", ""), &error);
    one(&output("nonsensitive(var.key)", ""), &[]);
    one(
        &output("aws_db_instance.db.password", "  sensitive = true\n"),
        &[],
    );
    one(&output("aws_db_instance.db.master_user_secret_arn", ""), &[]);
    one(&output("aws_db_instance.db.endpoint", ""), &[]);
}

/// A contract module in the form that readers and writers call.
fn call(name: &str, module: &str, arguments: &str) -> String {
    format!(
        "module \"{name}\" {{\n  source = \"acme.example/tf/{module}/aws\"\n  path = \"/configuration\"\n{arguments}}}\n"
    )
}

const NOT_INSTALLED: &str = "is not installed; what is inside is not known";

/// Leaves out that these modules are not installed.
fn of_installed(found: Vec<Finding>) -> Vec<Finding> {
    let is_news = |finding: &Finding| !finding.diagnostic.message.ends_with(NOT_INSTALLED);
    found.into_iter().filter(is_news).collect()
}

#[test]
fn states_are_shared_with_nobody() {
    let remote = |output: &str| {
        format!(
            "data \"terraform_remote_state\" \"network\" {{\n  backend = \"local\"\n  config = {{ path = \"/states/network.tfstate\" }}\n}}\n\noutput \"x\" {{\n  value = data.terraform_remote_state.network.outputs.{output}\n}}\n"
        )
    };
    let teller = "terraform {\n  backend \"local\" {\n    path = \"/states/network.tfstate\"\n  }\n}\n\nresource \"terraform_data\" \"d\" {}\n\noutput \"contract\" {\n  value = jsonencode({ installed = true, public = { d = terraform_data.d.id } })\n}\n\noutput \"other\" {\n  value = terraform_data.d.id\n}\n";
    one(
        &remote("vpc_id"),
        &["error remote-state main.tf:1: `orders` reads the state of another stack"],
    );
    several(
        &[("base", teller), ("orders", &remote("other"))],
        &[],
        &["error remote-state main.tf:7: `orders` reads more of the state of `base` than its contract"],
    );
    let reads = remote("contract").replace(
        "data.terraform_remote_state.network.outputs.contract",
        "jsondecode(data.terraform_remote_state.network.outputs.contract).public.d",
    );
    several(&[("base", teller), ("orders", &reads)], &[], &[]);
    several(
        &[
            ("base", teller),
            ("orders", &reads.replace("public.d", "public.typo")),
        ],
        &[],
        &["error contract-unknown main.tf:7: `base` does not tell `/public/typo`"],
    );
}

#[test]
fn patterns_and_permissions_must_be_narrow() {
    let pattern = |argument: &str| contracts_of(&call("all", "ssm_json_regex", argument));
    let used =
        "\nlocals {\n  x = module.all.values[\"base\"].public.a\n}\n\noutput \"x\" {\n  value = local.x\n}\n";
    fn contracts_of(code: &str) -> Vec<String> {
        said(&of_installed(findings(&[("orders", &[("main.tf", code)])], None)))
    }
    let _ = used;
    let first = |argument: &str| pattern(argument).first().cloned().unwrap_or_default();
    assert_eq!(
        first("  include_filter_regex = \"^/configuration/.*$\"\n"),
        "error wide-pattern main.tf:4: this pattern takes contracts that the stack does not read"
    );
    assert_eq!(
        first("  include_filter_regex = \"/configuration/base\"\n"),
        "error wide-pattern main.tf:4: this pattern is not anchored: it takes every name that has it somewhere"
    );
    assert_eq!(
        first(""),
        "error wide-pattern main.tf:1: this call takes every contract below its path"
    );
    let narrow = call(
        "all",
        "ssm_json_regex",
        "  include_filter_regex = \"^/configuration/(base|network)$\"\n",
    );
    assert_eq!(contracts_of(&format!("{narrow}{used}")), [""; 0]);

    let policy = |actions: &str, resource: &str| {
        format!(
            "data \"aws_iam_policy_document\" \"p\" {{\n  statement {{\n    actions = [{actions}]\n    resources = [\"{resource}\"]\n  }}\n}}\n"
        )
    };
    let all = "warning wide-permission main.tf:2: this permission is on every parameter of the account, the contracts of all stacks among them";
    one(&policy("\"ssm:GetParameter\"", "*"), &[all]);
    one(
        &policy("\"ssm:GetParameter\"", "arn:aws:ssm:eu-central-1:1:parameter/*"),
        &[all],
    );
    one(
        &policy(
            "\"ssm:*\"",
            "arn:aws:ssm:eu-central-1:1:parameter/configuration/orders",
        ),
        &[
            "warning wide-permission main.tf:2: this permission allows every action of SSM, writing the contracts of others too",
        ],
    );
    one(
        &policy(
            "\"ssm:GetParameter\"",
            "arn:aws:ssm:eu-central-1:1:parameter/configuration/base",
        ),
        &[],
    );
    one(&policy("\"s3:*\"", "*"), &[]);
    one(
        "resource \"aws_iam_policy\" \"p\" {\n  policy = jsonencode({ Statement = [{ Effect = \"Allow\", Action = [\"ssm:GetParameter\"], Resource = \"*\" }] })\n}\n",
        &[all],
    );
}

#[test]
fn states_have_places_and_locks_of_their_own() {
    let s3 = |key: &str, lock: &str| {
        format!(
            "terraform {{\n  backend \"s3\" {{\n    bucket = \"b\"\n    key = \"{key}\"\n    region = \"r\"\n    {lock}\n  }}\n}}\n"
        )
    };
    let (locked, table) = (s3("a", "use_lockfile = true"), s3("b", "dynamodb_table = \"t\""));
    several(&[("a", &locked), ("b", &table)], &[], &[]);
    several(
        &[("a", &locked), ("b", &locked)],
        &[],
        &["error shared-backend main.tf:2: `a` and `b` have one state"],
    );
    several(
        &[("a", &locked), ("b", &s3("b", ""))],
        &[],
        &["error unlocked-backend main.tf:2: the state of `b` is not locked, that of `a` is"],
    );
    several(
        &[("a", &s3("a", "")), ("b", &s3("b", "use_lockfile = false"))],
        &[],
        &[
            "warning unlocked-backend main.tf:2: the state of `a` is not locked",
            "warning unlocked-backend main.tf:2: the state of `b` is not locked",
        ],
    );
    let local = "terraform {\n  backend \"local\" {\n    path = \"/s/x.tfstate\"\n  }\n}\n";
    several(
        &[("a", local), ("b", local)],
        &[],
        &["error shared-backend main.tf:2: `a` and `b` have one state"],
    );
    // What is given at `init` is not in the text.
    several(
        &[("a", &locked), ("b", "terraform {\n  backend \"s3\" {}\n}\n")],
        &[],
        &[],
    );
}
