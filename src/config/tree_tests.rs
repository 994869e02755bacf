//! Module trees and overrides, one table per subject; the rooms below test what is found in a tree.

mod providers;
mod settings;

use super::*;
use crate::address::{ConfigResourceAddr, ModuleAddr, ResourceMode};
use crate::source_tree::MemoryTree;

fn tree(files: &[(&str, &str)]) -> MemoryTree {
    files
        .iter()
        .fold(MemoryTree::new(), |tree, (path, text)| tree.with(path, text))
}

fn load(files: &[(&str, &str)]) -> Configuration {
    match Configuration::load(&tree(files), &LoadOptions::default()) {
        Ok(configuration) => configuration,
        Err(error) => panic!("{error}"),
    }
}

fn error(files: &[(&str, &str)]) -> String {
    Configuration::load(&tree(files), &LoadOptions::default())
        .unwrap_err()
        .to_string()
}

fn module(path: &str) -> ModuleAddr {
    ModuleAddr(
        path.split('.')
            .filter(|step| !step.is_empty())
            .map(str::to_owned)
            .collect(),
    )
}

fn resource(path: &str, type_name: &str, name: &str) -> ConfigResourceAddr {
    ConfigResourceAddr {
        module: module(path),
        mode: ResourceMode::Managed,
        type_name: type_name.to_owned(),
        name: name.to_owned(),
    }
}

fn resource_item(type_name: &str, name: &str) -> Item {
    Item::from(&resource("", type_name, name))
}

/// Prints what counts of an item: `name = value` and nested blocks, each with its file.
fn merged(configuration: &Configuration, item: &Item) -> Vec<String> {
    let source = &configuration.root().source;
    let merged = source.merged(item);
    let attributes = merged.attributes.iter().map(|(id, attribute)| {
        let file = source.block(*id).0;
        format!("{}: {}", file.name, file.text(&attribute.span))
    });
    let blocks = merged.blocks.iter().map(|(id, block)| {
        let file = source.block(*id).0;
        format!("{}: {}", file.name, file.text(&block.span))
    });
    attributes.chain(blocks).collect()
}

fn references(configuration: &Configuration, item: &Item) -> Vec<String> {
    let source = &configuration.root().source;
    let found = source.references(item);
    found
        .iter()
        .map(|(id, reference)| source.block(*id).0.text(&reference.span).to_owned())
        .collect()
}

#[test]
fn overrides_replace_arguments_by_name_and_blocks_by_type() {
    let configuration = load(&[
        (
            "main.tf",
            "resource \"aws_x\" \"a\" {\n  name = var.base\n  size = var.size\n  dynamic \"rule\" {\n    for_each = var.gone\n    content {}\n  }\n  keep {\n    x = local.keep\n  }\n  lifecycle {\n    replace_triggered_by = [aws_r.r]\n    prevent_destroy = true\n  }\n}\nlocals {\n  l = var.base\n  m = var.m\n}\n",
        ),
        (
            "b_override.tf",
            "resource \"aws_x\" \"a\" {\n  name = var.later\n  rule {\n    y = local.y\n  }\n  lifecycle {\n    prevent_destroy = false\n  }\n}\n",
        ),
        (
            "override.tf.json",
            r#"{"locals": {"l": "${var.json}"}, "resource": {"aws_x": {"a": {"name": "${var.last}"}}}}"#,
        ),
    ]);
    let item = resource_item("aws_x", "a");
    assert_eq!(
        merged(&configuration, &item),
        [
            "main.tf: size = var.size",
            "override.tf.json: \"name\": \"${var.last}\"",
            "main.tf: keep {\n    x = local.keep\n  }",
            "main.tf: lifecycle {\n    replace_triggered_by = [aws_r.r]\n    prevent_destroy = true\n  }",
            "b_override.tf: rule {\n    y = local.y\n  }",
            "b_override.tf: lifecycle {\n    prevent_destroy = false\n  }",
        ]
    );
    assert_eq!(
        references(&configuration, &item),
        ["var.size", "local.keep", "aws_r.r", "local.y", "var.last"]
    );
    assert_eq!(references(&configuration, &Item::Local("l".into())), ["var.json"]);
    assert_eq!(references(&configuration, &Item::Local("m".into())), ["var.m"]);
    let source = &configuration.root().source;
    assert_eq!(source.declarations(&item).len(), 3);
    let (file, name) = source.attribute(&item, "name").unwrap();
    assert_eq!(file.text(&name.value), "\"${var.last}\"");
}

#[test]
fn clashes_are_errors_with_their_place() {
    for (files, expected) in [
        (
            &[("a.tf", "variable \"v\" {}\n"), ("b.tf", "\nvariable \"v\" {}\n")][..],
            "variable `v` is declared twice\n  --> b.tf:2:1\n",
        ),
        (
            &[("a.tf", "locals {\n  a = 1\n}\nlocals { a = 2 }\n")],
            "local value `a` is declared twice",
        ),
        (
            &[("a.tf", ""), ("b_override.tf", "resource \"aws_x\" \"a\" {}\n")],
            "there is no resource `aws_x.a` to override\n  --> b_override.tf:1:1\n",
        ),
        (
            &[
                ("a.tf", "resource \"aws_x\" \"a\" {}\n"),
                (
                    "override.tf",
                    "resource \"aws_x\" \"a\" {\n  depends_on = [aws_y.y]\n}\n",
                ),
            ],
            "`depends_on` cannot be overridden",
        ),
        (
            &[("a.tf", "resource \"aws_x\" {}\n")],
            "a `resource` block has 2 labels, not 1",
        ),
        (&[("a.txt", "")], "there is no configuration in ."),
        (
            &[("a.tf", "module \"m\" {\n  source = \"./none\"\n}\n")],
            "module source none: there is no such directory",
        ),
        (
            &[("a.tf", "module \"m\" {\n  source = \"./\"\n}\n")],
            "the module calls itself",
        ),
        (
            &[("a.tf", "module \"m\" {}\n")],
            "module call `m` has no `source`",
        ),
    ] {
        let found = error(files);
        assert!(found.contains(expected), "{found}\n---\n{expected}");
    }
}

#[test]
fn a_file_that_is_not_utf8_is_an_error() {
    let tree = MemoryTree::new().with("a.tf", b"locals {\n  a = \"\xff\"\n}\n");
    let error = Configuration::load(&tree, &LoadOptions::default())
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("the file is not UTF-8 text\n  --> a.tf:2:8"),
        "{error}"
    );
}

#[test]
fn modules_are_found_and_read_once() {
    let configuration = load(&[
        (
            "main.tf",
            "module \"a\" {\n  source = \"./m\"\n}\nmodule \"b\" {\n  source = \"./m/\"\n}\nmodule \"vpc\" {\n  source  = \"terraform-aws-modules/vpc/aws\"\n  version = \"5.0.0\"\n}\nmodule \"far\" {\n  source = \"git::https://example.com/x.git\"\n}\nmodule \"var\" {\n  source = var.s\n}\n",
        ),
        ("m/main.tf", "module \"n\" {\n  source = \"../../shared/n\"\n}\n"),
        ("../shared/n/main.tf", "output \"o\" {\n  value = 1\n}\n"),
        (
            ".terraform/modules/vpc/main.tf",
            "module \"sub\" {\n  source = \"./sub\"\n}\n",
        ),
        (".terraform/modules/vpc/sub/x.tf", ""),
        (".terraform/modules/var/x.tf", ""),
        (
            ".terraform/modules/modules.json",
            r#"{"Modules":[{"Key":"","Source":"","Dir":"."},{"Key":"a","Source":"./m","Dir":"m"},
            {"Key":"vpc","Source":"registry.terraform.io/terraform-aws-modules/vpc/aws","Version":"5.0.0","Dir":".terraform/modules/vpc"},
            {"Key":"var","Source":"x","Dir":".terraform/modules/var"}]}"#,
        ),
    ]);
    let found: Vec<(String, &str)> = configuration
        .modules()
        .map(|module| (module.address.0.join("."), module.source.dir.as_str()))
        .collect();
    assert_eq!(
        found,
        [
            (String::new(), ""),
            ("a".into(), "m"),
            ("a.n".into(), "../shared/n"),
            ("b".into(), "m"),
            ("b.n".into(), "../shared/n"),
            ("var".into(), ".terraform/modules/var"),
            ("vpc".into(), ".terraform/modules/vpc"),
            ("vpc.sub".into(), ".terraform/modules/vpc/sub"),
        ]
    );
    let source = |path| &configuration.module(&module(path)).unwrap().source;
    assert!(std::sync::Arc::ptr_eq(source("a"), source("b")));
    let root = configuration.root();
    assert_eq!(root.calls["far"].target, CallTarget::Unknown);
    assert_eq!(
        root.calls["far"].source.as_deref(),
        Some("git::https://example.com/x.git")
    );
    assert_eq!(root.calls["vpc"].dir(), Some(".terraform/modules/vpc"));
    let warnings: Vec<String> = configuration
        .diagnostics
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(warnings.len(), 1);
    assert!(
        warnings[0].contains("module call `far` is not installed"),
        "{}",
        warnings[0]
    );
    assert!(warnings[0].contains("--> main.tf:12:3"), "{}", warnings[0]);
}
