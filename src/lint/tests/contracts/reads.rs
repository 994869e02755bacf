//! What is read of contracts, followed to the places of use.

use std::collections::{BTreeMap, BTreeSet};

use super::{VPC, contracts, network, orders};
use crate::config::{Configuration, LoadOptions};
use crate::contract::value::Value;
use crate::lint::tests::{findings, of_installed, said};
use crate::lint::{Root, untyped};
use crate::source_tree::MemoryTree;

#[test]
fn elements_that_are_read_must_be_told() {
    let check =
        |value: &str, expected: &[&str]| contracts(&[network(VPC, "{}"), orders(value)], &[], expected);
    let untold = "error contract-unknown main.tf:12: `network` does not tell `/public/subnet/private/*/arn`";
    let subnets = "local.network.subnet.private";
    check(&format!("[for one in {subnets} : one.arn]"), &[untold]);
    check(
        &format!("{{ for one in values({subnets}) : one.id => upper(one.arn) }}"),
        &[untold],
    );
    check(
        &format!("[for one in {subnets} : one.id if one.arn == \"\"]"),
        &[untold],
    );
    check(
        &format!("\"%{{ for one in {subnets} }}${{one.arn}}%{{ endfor }}\""),
        &[untold],
    );
    check(
        &format!("[for one in {subnets} : {{ id = one.id, x = [for two in [1] : one.arn] }}]"),
        &[untold],
    );
    check(&format!("values({subnets})[*].arn"), &[untold]);
    check(&format!("values({subnets})[0].arn"), &[untold]);
    check(&format!("values({subnets})[*].id"), &[]);
    check(&format!("[for one in {subnets}[*].id : one.arn]"), &[]);
    check("try(local.network.vpc.main.arn, local.network.vpc.main.id)", &[]);
    check("can(local.network.vpc.main.tags.Name.x) ? 1 : 0", &[]);
    // What is asked for with care, and names that mean something else.
    check(&format!("[for one in {subnets} : try(one.arn, one.id)]"), &[]);
    check(
        &format!("[for one in {subnets} : [for one in [] : one.arn]]"),
        &[],
    );
    let differ = "{ a = { id = 1, arn = 1 }, b = { id = 1 } }";
    let differ = |value: &str, expected: &[&str]| {
        contracts(
            &[network(&format!("{{ q = {differ} }}"), "{}"), orders(value)],
            &[],
            expected,
        );
    };
    let untold = "error contract-unknown main.tf:12: `network` does not tell `/public/q/*/arn`";
    differ("[for one in local.network.q : one.arn]", &[untold]);
    differ("[for key, one in local.network.q : one.arn if key == \"a\"]", &[]);
    differ(
        "[for key, one in local.network.q : key == \"a\" ? one.arn : one.id]",
        &[],
    );
    let repeated = |body: &str, expected: &[&str]| {
        let (name, code) = orders("1");
        let code = format!("{code}\nresource \"aws_x\" \"y\" {{\n{body}\n}}\n");
        contracts(&[network(VPC, "{}"), (name, code)], &[], expected);
    };
    let untold = |line: usize| {
        format!(
            "error contract-unknown main.tf:{line}: `network` does not tell `/public/subnet/private/*/arn`"
        )
    };
    repeated(
        "  for_each = local.network.subnet.private\n  a = each.value.id\n  b = each.value.arn",
        &[&untold(18)],
    );
    repeated(
        "  dynamic \"rule\" {\n    for_each = local.network.subnet.private\n    content {\n      a = rule.value.id\n      b = rule.value.arn\n    }\n  }",
        &[&untold(20)],
    );
    repeated(
        "  dynamic \"rule\" {\n    for_each = local.network.subnet.private\n    iterator = one\n    content {\n      x {\n        b = one.value.arn\n      }\n    }\n  }",
        &[&untold(21)],
    );
}

#[test]
fn what_is_asked_for_with_care_may_be_absent() {
    let check = |value: &str| contracts(&[network(VPC, "{}"), orders(value)], &[], &[]);
    let absent = "local.network.vpc.other";
    for value in [
        format!("try({absent}.id, null)"),
        format!("try(nonsensitive({absent}.id), null)"),
        format!("[upper(try({absent}[\"x\"].id, \"\"))]"),
        format!("contains(keys(local.network.vpc), \"other\") ? {absent}.id : null"),
        format!("1 == 2 ? \"none\" : \"${{{absent}.id}}\""),
        format!("\"%{{ if can({absent}) }}${{{absent}.id}}%{{ else }}none%{{ endif }}\""),
        format!("can({absent}) && {absent}.id == \"x\""),
        format!("[for one in [1] : {absent}.id if one > 1]"),
        "[for one in local.network.subnet.private : can(one.arn) ? one.arn : one.id]".to_owned(),
        "[for one in local.network.subnet.private : one.arn if can(one.arn)]".to_owned(),
    ] {
        check(&value);
    }
    let untold = "error contract-unknown main.tf:12: `network` does not tell `/public/vpc/other/id`";
    for value in [
        format!("{absent}.id == \"x\" ? 1 : 2"),
        format!("\"%{{ if {absent}.id == \"x\" }}a%{{ endif }}\""),
        format!("{absent}.id == \"x\" && can({absent})"),
        format!("[for one in [1] : one if one == {absent}.id]"),
        format!("[try(local.network.vpc.main.id, null), {absent}.id]"),
    ] {
        contracts(&[network(VPC, "{}"), orders(&value)], &[], &[untold]);
    }
}

#[test]
fn the_try_that_an_optional_contract_needs_is_no_care() {
    let check = |locals: &str, value: &str, expected: &[&str]| {
        let (name, code) = orders(value);
        let whole = "nonsensitive(module.network.value).public";
        let code = code.replace(whole, &format!("try({whole}, null){locals}"));
        contracts(&[network(VPC, "{}"), (name, code)], &[], expected);
    };
    let untold = |line: usize| {
        format!("error contract-unknown main.tf:{line}: `network` does not tell `/public/vpc/main/arn`")
    };
    let arn = "local.network.vpc.main.arn";
    check("", &format!("try({arn}, null)"), &[&untold(12)]);
    check(
        "",
        &format!("nonsensitive(try(nonsensitive({arn}), null))"),
        &[&untold(12)],
    );
    check("", &format!("try(try({arn}, null), null)"), &[]);
    check("", &format!("try(try({arn}, null), \"none\")"), &[]);
    // A local that stands for a part of it is there, unless it is asked for with care itself.
    let vpc = "\n  vpc = try(local.network.vpc.main, null)";
    check(vpc, "local.vpc.arn", &[&untold(13)]);
    check(vpc, "try(local.vpc.arn, null)", &[]);
    let other = "\n  other = try(try(local.network.vpc.other, null), null)";
    check(other, "local.other.id", &[]);
}

#[test]
fn values_are_followed_into_modules() {
    let reader = |locals: &str, argument: &str, constraint: &str, value: &str| {
        let (name, code) = orders("1");
        let code = format!(
            "{code}\nlocals {{\n{locals}\n}}\n\nmodule \"inner\" {{\n  source = \"./inner\"\n  given = {argument}\n}}\n"
        );
        let inner =
            format!("variable \"given\" {{\n{constraint}\n}}\n\noutput \"x\" {{\n  value = {value}\n}}\n");
        let (_, producer) = network(VPC, "{}");
        let found = of_installed(findings(
            &[
                ("network", &[("main.tf", &producer)]),
                (name, &[("main.tf", &code), ("inner/main.tf", &inner)]),
            ],
            None,
        ));
        let mut found = said(&found);
        found.retain(|line| !line.contains("contract-unused"));
        found
    };
    let none: [&str; 0] = [];
    let vpc = "local.network.vpc.main";
    let any = "type = any";
    assert_eq!(reader("", vpc, any, "var.given.id"), none);
    let untold = |place: &str| {
        [format!(
            "error contract-unknown {place}: `network` does not tell `/public/vpc/main/arn`"
        )]
    };
    assert_eq!(reader("", vpc, any, "var.given.arn"), untold("inner/main.tf:6"));
    assert_eq!(reader("", vpc, "", "var.given.arn"), untold("inner/main.tf:6"));
    // An object with other members around it.
    let around = "  all = { one = { vpc = local.network.vpc.main, x = 1 } }";
    assert_eq!(
        reader(around, "local.all.one", any, "var.given.vpc.arn"),
        untold("inner/main.tf:6")
    );
    assert_eq!(
        reader(around, "local.all.one", any, "[var.given.vpc.id, var.given.x]"),
        none
    );
    // A type lets nothing else through, and demands what it names.
    let typed = "  type = object({ id = string, arn = string, name = optional(string) })";
    assert_eq!(reader("", vpc, typed, "1"), untold("inner/main.tf:2"));
    assert_eq!(
        reader(
            around,
            "local.all",
            "  type = object({ one = object({ vpc = object({ arn = string }) }) })",
            "1"
        ),
        untold("inner/main.tf:2")
    );
    assert_eq!(
        reader(
            "",
            vpc,
            "  type = object({ id = string, arn = optional(string) })",
            "var.given.arn"
        ),
        none
    );
    let map = "  type = map(object({ arn = string }))";
    assert_eq!(
        reader("", "{ a = local.network.vpc.main }", map, "1"),
        untold("inner/main.tf:2")
    );
    // Members of several documents put together.
    let merged = "  all = merge(local.network.vpc, { other = { arn = 1 } })";
    assert_eq!(reader(merged, "local.all", any, "var.given.other.arn"), none);
    assert_eq!(
        reader(merged, "1", any, "local.all.main.id"),
        ["error undeclared-name inner/main.tf:6: local value `all` is named here, and not declared"]
    );
    assert_eq!(
        reader(merged, "local.all.main.arn", any, "1"),
        untold("main.tf:21")
    );
}

#[test]
fn collections_that_lose_their_types_are_named() {
    let lost = |value: &str, typed: &str| {
        let (name, code) = orders("1");
        let code = format!("{code}\nresource \"terraform_data\" \"x\" {{\n  input = {value}\n}}\n");
        let (_, producer) = network(VPC, "{}");
        let trees = [("network", producer), (name, code)].map(|(name, code)| {
            let tree = MemoryTree::new().with("main.tf", code);
            let options = LoadOptions {
                elsewhere: BTreeSet::new(),
                ..LoadOptions::default()
            };
            // The contract modules are not there.
            let tree = ["ssm_json_store"].iter().fold(tree, |tree, module| {
                tree.with(&format!("modules/{module}/main.tf"), "locals {}\n")
            });
            let configuration = Configuration::load(&tree, &options);
            (name, tree, configuration)
        });
        let roots: Vec<Root<'_>> = trees
            .iter()
            .map(|(name, tree, configuration)| Root {
                name,
                tree,
                configuration: configuration.as_ref().unwrap(),
            })
            .collect();
        let content =
            r#"{"public":{"vpc":{"main":{"id":"a","tags":{"Name":"x"}}},"subnet":{"private":[{"id":"b"}]}}}"#;
        let contents = BTreeMap::from([("network", Value::from_json(content).unwrap())]);
        let found = untyped(&roots, &contents, &|address, argument| {
            address.to_string() == typed && argument == "input"
        });
        found
            .iter()
            .map(|found| found.notes.join(" "))
            .collect::<Vec<_>>()
    };
    let none: [&str; 0] = [];
    let said = |pointer: &str| {
        [format!(
            "in the code of `orders`; `{pointer}` of the contract of `network` crosses as JSON"
        )]
    };
    let x = "terraform_data.x";
    assert_eq!(lost("local.network.vpc.main", x), said("/public/vpc/main"));
    assert_eq!(
        lost("{ a = [local.network.subnet.private] }", x),
        said("/public/subnet/private")
    );
    assert_eq!(
        lost("{ for k, v in local.network.vpc : k => v }", x),
        said("/public/vpc/*")
    );
    // Its value has a type of its own, or the state has no collection there.
    assert_eq!(lost("local.network.vpc.main.id", x), none);
    assert_eq!(lost("toset(local.network.subnet.private)", x), none);
    assert_eq!(
        lost("[for one in local.network.subnet.private : one.id]", x),
        none
    );
    assert_eq!(lost("local.network.vpc.main", "terraform_data.other"), none);
}
