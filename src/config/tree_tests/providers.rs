//! Which provider configuration reaches a block.

use super::*;

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
