//! Module trees, overrides, provider resolution, backends and variable files, one table per subject.

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

#[test]
fn providers_resolve_as_in_terraform() {
    let configuration = load(&[
        (
            "main.tf",
            r#"
terraform {
  required_providers {
    aws    = { source = "hashicorp/aws", configuration_aliases = [aws.unused] }
    custom = { source = "Example.COM/Foo/Thing" }
    old    = "~> 1.0"
  }
}
provider "aws" {}
provider "aws" {
  alias = "eu"
}
provider "aws" {
  alias    = "by"
  for_each = var.regions
}
resource "aws_a" "default" {}
resource "aws_a" "eu" {
  provider = aws.eu
}
resource "aws_a" "quoted" {
  provider = "aws.eu"
}
resource "aws_a" "key" {
  provider = aws.by["x"]
}
resource "aws_a" "each" {
  provider = aws.by[each.key]
}
resource "custom_b" "c" {}
resource "old_b" "c" {}
resource "terraform_data" "t" {}
resource "nope" "n" {}
resource "aws_a" "lost" {
  provider = aws.lost
}
module "inherits" {
  source = "./plain"
}
module "passed" {
  source    = "./plain"
  providers = { aws = aws.eu, aws.peer = aws.by["y"] }
}
module "own" {
  source = "./own"
}
module "named" {
  source = "./named"
}
check "c" {
  data "aws_d" "d" {
    provider = aws.eu
  }
}
"#,
        ),
        (
            "plain/main.tf",
            "terraform {\n  required_providers {\n    aws = { source = \"hashicorp/aws\", configuration_aliases = [aws.peer] }\n  }\n}\nresource \"aws_a\" \"a\" {}\nresource \"aws_a\" \"peer\" {\n  provider = aws.peer\n}\nmodule \"deep\" {\n  source = \"./deep\"\n  providers = {\n    aws = aws.peer\n  }\n}\n",
        ),
        ("plain/deep/main.tf", "resource \"aws_a\" \"a\" {}\n"),
        (
            "own/main.tf",
            "provider \"aws\" {\n  alias = \"in\"\n}\nresource \"aws_a\" \"a\" {\n  provider = aws.in\n}\nresource \"aws_a\" \"b\" {}\n",
        ),
        (
            "named/main.tf",
            "terraform {\n  required_providers {\n    amazon = { source = \"hashicorp/aws\" }\n  }\n}\nresource \"amazon_a\" \"a\" {}\n",
        ),
    ]);
    let shown = |path: &str, type_name: &str, name: &str| match configuration
        .provider_for(&resource(path, type_name, name))
    {
        Ok(found) => {
            let provider = &found.provider;
            format!(
                "{}:{}/{}/{}{}{}",
                found.module.0.join("."),
                provider.host,
                provider.namespace,
                provider.type_name,
                found.alias.map(|alias| format!(".{alias}")).unwrap_or_default(),
                found.key.map(|key| format!("[{key:?}]")).unwrap_or_default(),
            )
        }
        Err(error) => error.to_string(),
    };
    for (path, type_name, name, expected) in [
        ("", "aws_a", "default", ":registry.terraform.io/hashicorp/aws"),
        ("", "aws_a", "eu", ":registry.terraform.io/hashicorp/aws.eu"),
        ("", "aws_a", "quoted", ":registry.terraform.io/hashicorp/aws.eu"),
        (
            "",
            "aws_a",
            "key",
            ":registry.terraform.io/hashicorp/aws.by[Str(\"x\")]",
        ),
        ("", "aws_a", "each", ":registry.terraform.io/hashicorp/aws.by"),
        ("", "custom_b", "c", ":example.com/foo/thing"),
        ("", "old_b", "c", ":registry.terraform.io/hashicorp/old"),
        ("", "terraform_data", "t", ":terraform.io/builtin/terraform"),
        ("", "nope", "n", ":registry.terraform.io/hashicorp/nope"),
        (
            "",
            "aws_a",
            "lost",
            "no provider configuration `aws.lost` reaches module ``",
        ),
        (
            "",
            "aws_a",
            "gone",
            "the configuration has no resource `aws_a.gone` in module ``",
        ),
        ("inherits", "aws_a", "a", ":registry.terraform.io/hashicorp/aws"),
        (
            "inherits",
            "aws_a",
            "peer",
            "no provider configuration `aws.peer` reaches module `inherits`",
        ),
        ("passed", "aws_a", "a", ":registry.terraform.io/hashicorp/aws.eu"),
        (
            "passed",
            "aws_a",
            "peer",
            ":registry.terraform.io/hashicorp/aws.by[Str(\"y\")]",
        ),
        (
            "passed.deep",
            "aws_a",
            "a",
            ":registry.terraform.io/hashicorp/aws.by[Str(\"y\")]",
        ),
        ("own", "aws_a", "a", "own:registry.terraform.io/hashicorp/aws.in"),
        ("own", "aws_a", "b", ":registry.terraform.io/hashicorp/aws"),
        ("named", "amazon_a", "a", ":registry.terraform.io/hashicorp/aws"),
    ] {
        assert_eq!(
            shown(path, type_name, name),
            expected,
            "{path} {type_name}.{name}"
        );
    }
    let each = configuration
        .provider_ref(&resource("", "aws_a", "each"))
        .unwrap();
    assert_eq!(each.key, Some(ProviderKey::Expression));
    let checked = ConfigResourceAddr {
        mode: ResourceMode::Data,
        ..resource("", "aws_d", "d")
    };
    assert_eq!(
        configuration.provider_for(&checked).unwrap().alias.as_deref(),
        Some("eu")
    );
}

#[test]
fn opentofu_has_its_own_registry_and_files() {
    let files = tree(&[
        ("main.tf", "resource \"aws_a\" \"tf\" {}\n"),
        ("main.tofu", "resource \"aws_a\" \"tofu\" {}\n"),
    ]);
    let options = LoadOptions {
        dialect: Dialect::OpenTofu,
        ..LoadOptions::default()
    };
    let configuration = Configuration::load(&files, &options).unwrap();
    let found = configuration
        .provider_for(&resource("", "aws_a", "tofu"))
        .unwrap();
    assert_eq!(found.provider.host, "registry.opentofu.org");
    assert!(configuration.provider_for(&resource("", "aws_a", "tf")).is_err());
}

fn arguments(found: &EffectiveBackend) -> String {
    let location = &found.location;
    let arguments: Vec<String> = location
        .arguments
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    format!(
        "{} {} [{}]",
        location.backend,
        arguments.join(" "),
        location.workspace
    )
}

const S3: &str = "terraform {\n  backend \"s3\" {\n    bucket = \"b\"\n    key    = \"k\"\n    encrypt = true\n    assume_role = {\n      role_arn = \"r\"\n    }\n  }\n}\n";

fn backend(files: &[(&str, &str)], settings: &[BackendSetting]) -> (String, Vec<String>) {
    let inputs = BackendInputs {
        settings: settings.to_vec(),
        ..BackendInputs::default()
    };
    match load(files).backend(&tree(files), &inputs) {
        Ok(found) => (
            arguments(&found),
            found.diagnostics.iter().map(ToString::to_string).collect(),
        ),
        Err(error) => (error.to_string(), Vec::new()),
    }
}

#[test]
fn the_backend_block_with_its_overrides() {
    let s3 = ("main.tf", S3);
    for (files, expected) in [
        (&[("main.tf", "locals {}\n")][..], "local  [default]"),
        (
            &[s3],
            "s3 assume_role.role_arn=r bucket=b encrypt=true key=k [default]",
        ),
        (
            &[s3, (".terraform/environment", "dev\n")],
            "s3 assume_role.role_arn=r bucket=b encrypt=true key=k [dev]",
        ),
        (
            &[
                s3,
                (
                    "z_override.tf",
                    "terraform {\n  backend \"local\" {\n    path = \"x\"\n    workspace_dir = \"w\"\n  }\n}\n",
                ),
            ],
            "local path=x workspace_dir=w [default]",
        ),
        (
            &[
                s3,
                (
                    "a_override.tf.json",
                    r#"{"terraform": {"backend": {"s3": {"bucket": "j", "max_retries": 3}}}}"#,
                ),
            ],
            "s3 bucket=j max_retries=3 [default]",
        ),
    ] {
        assert_eq!(backend(files, &[]), (expected.to_owned(), vec![]));
    }
}

#[test]
fn backends_that_are_not_supported_are_named() {
    for (text, expected) in [
        (
            "terraform {\n  cloud {\n    organization = \"o\"\n  }\n}\n",
            "`cloud` block",
        ),
        (
            "terraform {\n  backend \"azurerm\" {}\n}\n",
            "the backend `azurerm` is not supported",
        ),
        (
            "terraform {\n  backend \"s3\" {\n    bucket = var.b\n  }\n}\n",
            "backend argument `bucket` depends on",
        ),
    ] {
        let (found, _) = backend(&[("main.tf", text)], &[]);
        assert!(
            found.contains(expected) && found.contains("--> main.tf:"),
            "{found}"
        );
    }
}

#[test]
fn given_settings_win_over_saved_ones_over_the_block() {
    let saved = r#"{"version":3,"serial":1,"lineage":"l","backend":{"type":"s3","config":{"bucket":"saved","key":"k","encrypt":null,
        "assume_role":{"role_arn":"r2","tags":null},"endpoints":[{"s3":"e"}],"allowed_account_ids":["1"],"max_retries":5,
        "access_key":"AKIA","secret_key":"hush"},"hash":10669755453527594976},"modules":[]}"#;
    let files = [
        ("main.tf", S3),
        (".terraform/terraform.tfstate", saved),
        ("b.hcl", "key = \"from-file\"\n"),
    ];
    let (found, warnings) = backend(&files, &[]);
    assert_eq!(
        found,
        "s3 allowed_account_ids=[\"1\"] assume_role.role_arn=r2 bucket=saved endpoints.s3=e key=k max_retries=5 [default]"
    );
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(warnings[0].contains("backend argument `bucket` differs") && warnings[0].contains("main.tf:3:5"));

    let settings = [
        BackendSetting::File("b.hcl".into()),
        BackendSetting::Value("bucket".into(), "given".into()),
    ];
    let (found, _) = backend(&files, &settings);
    assert!(
        found.contains("bucket=given") && found.contains("key=from-file"),
        "{found}"
    );

    let found = load(&files)
        .backend(&tree(&files), &BackendInputs::default())
        .unwrap();
    assert_eq!(found.credentials.get("secret_key"), Some("hush"));
    assert!(!format!("{found:?}").contains("hush"));
}

#[test]
fn what_init_saved_counts_when_the_block_says_another_backend() {
    let saved = r#"{"version":3,"backend":{"type":"local","config":{"path":"p","workspace_dir":null}}}"#;
    let (found, warnings) = backend(&[("main.tf", S3), (".terraform/terraform.tfstate", saved)], &[]);
    assert_eq!(found, "local path=p [default]");
    assert!(
        warnings[0].contains("says backend `s3`, but `init` saved `local`"),
        "{}",
        warnings[0]
    );
    let (found, _) = backend(&[("main.tf", S3), (".terraform/terraform.tfstate", "{")], &[]);
    assert!(
        found.contains("the saved backend in .terraform/terraform.tfstate cannot be read"),
        "{found}"
    );
    let open = "terraform {\n  backend \"s3\" {\n    bucket = var.b\n  }\n}\n";
    let saved = r#"{"version":3,"backend":{"type":"s3","config":{"bucket":"known"}}}"#;
    let (found, warnings) = backend(&[("main.tf", open), (".terraform/terraform.tfstate", saved)], &[]);
    assert_eq!((found.as_str(), warnings.len()), ("s3 bucket=known [default]", 0));
}

#[test]
fn variable_files_in_order_of_precedence() {
    let files = tree(&[
        ("terraform.tfvars", "# name\nname = \"a\"\nsize = 1\n"),
        (
            "terraform.tfvars.json",
            r#"{"size": 2, "raw": "${not.a.template}"}"#,
        ),
        ("z.auto.tfvars", "size = 4\n"),
        ("b.auto.tfvars.json", r#"{"size": 3}"#),
        ("env/prod.tfvars", "list = [1, \"x\", { a = -1.50 }]\n"),
        ("other.tfvars", "name = \"never\"\n"),
    ]);
    let variables = Variables::load(&files, &["env/prod.tfvars".to_owned()]).unwrap();
    let shown = |name: &str| {
        let (file, entry) = variables.get(name).unwrap();
        format!("{} {}", file.file.name, file.literal(entry).unwrap().to_json())
    };
    assert_eq!(shown("name"), "terraform.tfvars \"a\"");
    assert_eq!(shown("size"), "z.auto.tfvars 4");
    assert_eq!(shown("raw"), "terraform.tfvars.json \"${not.a.template}\"");
    assert_eq!(shown("list"), "prod.tfvars [1,\"x\",{\"a\":-1.50}]");
    let (file, entry) = variables.get("name").unwrap();
    assert_eq!(file.file.text(&entry.full), "# name\nname = \"a\"\n");
    let error = Variables::load(&files, &["none.tfvars".to_owned()]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "cannot read none.tfvars: there is no such file"
    );
}

#[test]
fn the_lock_file_is_cut_into_its_providers() {
    let text = "# This file is maintained automatically by \"terraform init\".\n\nprovider \"registry.terraform.io/hashicorp/aws\" {\n  version = \"5.0.0\"\n  hashes = [\n    \"h1:x\",\n  ]\n}\n";
    let lock = LockFile::load(&tree(&[(LOCK_FILE, text)])).unwrap().unwrap();
    assert_eq!(
        lock.providers().collect::<Vec<_>>(),
        [("registry.terraform.io/hashicorp/aws", 0)]
    );
    assert!(
        lock.file
            .text(&lock.file.blocks[0].full)
            .starts_with("provider \"registry")
    );
    assert_eq!(LockFile::load(&MemoryTree::new()).unwrap(), None);
}
