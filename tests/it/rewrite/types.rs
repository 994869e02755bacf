//! Values that cross keep their types, though JSON knows fewer.

use super::small::{check, formatted};

#[test]
fn sets_and_types_are_restored() {
    let code = r#"
resource "terraform_data" "types" {
  input = {
    set   = toset(["b", "a"])
    list  = tolist(["x", "y"])
    map   = tomap({ k = "v" })
    big   = 123456789012345678901234567890
    small = 0.1
    empty = []
    text  = "<&> ${"$"}{x} \u2028 ü"
  }
}

resource "terraform_data" "each" {
  for_each = terraform_data.types.input.set
  input    = each.value
}

resource "terraform_data" "choice" {
  for_each = true ? terraform_data.types.input.set : toset([])
  input    = "${each.key} ${each.value}"
}

resource "terraform_data" "map" {
  for_each = terraform_data.types.input.map
  input    = each.value
}

resource "terraform_data" "rest" {
  input = [
    length(terraform_data.types.output.list), terraform_data.types.output.big, terraform_data.types.output.small,
    terraform_data.types.output.empty, terraform_data.types.output.text, element(terraform_data.types.output.list, 3),
    true ? terraform_data.types.output.list : [], merge(terraform_data.types.output.map, { a = "b" }),
  ]
}
"#;
    let stacks = r#"
  stack "types" { take = ["terraform_data.types"] }
  stack "use" { take = ["terraform_data.each", "terraform_data.choice", "terraform_data.map", "terraform_data.rest"] }
"#;
    let cut = check(&[("main.tf", &formatted(code))], stacks);
    let text = cut.text("use", "main.tf");
    assert!(
        text.contains("for_each = toset(local.types.data.types.input.set)\n"),
        "{text}"
    );
    assert!(
        text.contains("for_each = true ? toset(local.types.data.types.input.set) : toset([])\n"),
        "{text}"
    );
    assert!(
        text.contains("for_each = local.types.data.types.input.map\n"),
        "{text}"
    );
}

#[test]
fn collections_stay_what_they_were() {
    let code = r#"
resource "terraform_data" "base" {
  input = {
    list = tolist(["x", "y"])
    set  = toset(["b", "a"])
    map  = tomap({ k = 1 })
    deep = { numbers = tolist([1, 2]) }
  }
}

resource "terraform_data" "keyed" {
  for_each = toset(["p", "q"])
  input    = toset([each.key, "z"])
}

module "m" {
  source = "./m"
  names  = ["n1", "n2"]
}

resource "terraform_data" "use" {
  input = {
    list   = terraform_data.base.output.list
    set    = terraform_data.base.input.set
    map    = terraform_data.base.output.map
    deep   = terraform_data.base.output.deep.numbers
    keyed  = terraform_data.keyed["p"].output
    names  = module.m.names
    upper  = module.m.upper
    passed = module.m.passed
    tuple  = module.m.tuple
    first  = module.m.names[0]
    all    = jsonencode(module.m.names)
  }
}
"#;
    let module = r#"
variable "names" {
  type = list(string)
}

locals {
  upper = toset([for name in var.names : upper(name)])
}

resource "terraform_data" "this" {
  input = var.names
}

output "names" {
  value = var.names
}

output "upper" {
  value = local.upper
}

output "passed" {
  value = terraform_data.this.output
}

output "tuple" {
  value = [for name in var.names : name]
}
"#;
    let stacks = r#"
  stack "base" { take = ["terraform_data.base", "terraform_data.keyed", "module.m"] }
  stack "use" { take = ["terraform_data.use"] }
"#;
    let cut = check(
        &[("main.tf", &formatted(code)), ("m/main.tf", &formatted(module))],
        stacks,
    );
    insta::assert_snapshot!(cut.text("use", "main.tf"), @r#"
    resource "terraform_data" "use" {
      input = {
        list   = tolist(local.base.data.base.output.list)
        set    = toset(local.base.data.base.input.set)
        map    = tomap(local.base.data.base.output.map)
        deep   = tolist(local.base.data.base.output.deep.numbers)
        keyed  = toset(local.base.data.keyed["p"].output)
        names  = tolist(local.base.m.names)
        upper  = toset(local.base.m.upper)
        passed = tolist(local.base.m.passed)
        tuple  = local.base.m.tuple
        first  = local.base.m.names[0]
        all    = jsonencode(tolist(local.base.m.names))
      }
    }
    "#);
}
