//! Every shape of reference, its scope, its role, its exact span.

use super::reading_tests::{read, shown};
use super::*;

fn check_references(text: &str, expected: &str) {
    let (file, diagnostics) = read("main.tf", text);
    assert_eq!(diagnostics, []);
    assert_eq!(shown(&file), expected);
}

/// Checks references of `x = EXPRESSION` in `locals`.
fn check_expression(expr: &str, expected: &[&str]) {
    let (file, diagnostics) = read("main.tf", &format!("locals {{\n  x = {expr}\n}}\n"));
    assert_eq!(diagnostics, [], "{expr}");
    let found: Vec<String> = shown(&file)
        .lines()
        .map(|line| line.replacen("x: ", "", 1))
        .collect();
    assert_eq!(found, expected, "{expr}");
}

#[test]
fn every_shape_of_reference() {
    check_expression("aws_vpc.main.id", &["aws_vpc.main.id [aws_vpc.main]"]);
    check_expression("aws_vpc . main\n", &["aws_vpc . main [aws_vpc . main]"]);
    check_expression(
        "resource.aws_vpc.main.id",
        &["resource.aws_vpc.main.id [resource.aws_vpc.main]"],
    );
    check_expression("data.aws_ami.x.id", &["data.aws_ami.x.id [data.aws_ami.x]"]);
    check_expression(
        "ephemeral.random.p.result",
        &["ephemeral.random.p.result [ephemeral.random.p]"],
    );
    check_expression("module.vpc.ids[0]", &["module.vpc.ids[0] [module.vpc]"]);
    check_expression("module.vpc", &["module.vpc [module.vpc]"]);
    check_expression("var.a.b", &["var.a.b [var.a]"]);
    check_expression("local.a[*].b", &["local.a[*].b [local.a]"]);
    check_expression("aws_subnet.p[*].id", &["aws_subnet.p[*].id [aws_subnet.p]"]);
    check_expression("aws_subnet.p.*.id[0]", &["aws_subnet.p.*.id[0] [aws_subnet.p]"]);
    check_expression("aws_subnet.p.0.id", &["aws_subnet.p.0.id [aws_subnet.p]"]);
    check_expression(
        "aws_subnet.p[\"a.b\"].id",
        &["aws_subnet.p[\"a.b\"].id [aws_subnet.p]"],
    );
    check_expression(
        "aws_subnet.p[count.index + local.n].id",
        &[
            "aws_subnet.p[count.index + local.n].id [aws_subnet.p]",
            "count.index [count.index]",
            "local.n [local.n]",
        ],
    );
    check_expression(
        "[each.key, each.value.x, self.id, self]",
        &[
            "each.key [each.key]",
            "each.value.x [each.value]",
            "self.id [self]",
            "self [self]",
        ],
    );
    check_expression(
        "file(\"${path.module}/x\")",
        &["path.module [path.module] template"],
    );
    check_expression(
        "terraform.workspace == \"a\" ? true : null",
        &["terraform.workspace [terraform.workspace]"],
    );
    check_expression("tofu.workspace", &["tofu.workspace [tofu.workspace]"]);
    check_expression("provider::aws::arn_parse(local.a).region", &["local.a [local.a]"]);
    check_expression("(aws_vpc.main).id", &["aws_vpc.main [aws_vpc.main]"]);
    check_expression(
        "{ aws_vpc = 1, \"${var.k}\" = 2, (local.k) = 3 }",
        &["var.k [var.k] template", "local.k [local.k]"],
    );
    check_expression(
        "merge(local.é, local.日本語...)",
        &["local.é [local.é]", "local.日本語 [local.日本語]"],
    );
    check_expression(
        "!aws_vpc.a.x && -aws_vpc.b.y > 1",
        &["aws_vpc.a.x [aws_vpc.a]", "aws_vpc.b.y [aws_vpc.b]"],
    );
    check_expression("template.x", &[]);
    check_expression("aws_vpc", &[]);
}

#[test]
fn names_bound_by_expressions_are_no_references() {
    check_expression(
        "[for terraform_data in var.x : terraform_data.y.z]",
        &["var.x [var.x]"],
    );
    check_expression(
        "{ for k, v in aws_vpc.m : k => v.id if v.ok && local.z }",
        &["aws_vpc.m [aws_vpc.m]", "local.z [local.z] for"],
    );
    check_expression("[for a in [for a in a.b : a.c] : a.d]", &["a.b [a.b]"]);
    check_expression(
        "[[for v in var.x : v.y], v.y.z]",
        &["var.x [var.x]", "v.y.z [v.y]"],
    );
    check_expression(
        "\"%{ for s in aws_subnet.p ~}${s.id}${t.id}%{ endfor ~}${s.id}\"",
        &[
            "aws_subnet.p [aws_subnet.p] template directive",
            "t.id [t.id] template directive",
            "s.id [s.id] template",
        ],
    );
    check_expression(
        "\"%{ if var.a }${local.b}%{ else }${local.c}%{ endif }\"",
        &[
            "var.a [var.a] template directive",
            "local.b [local.b] template directive",
            "local.c [local.c] template directive",
        ],
    );
}

#[test]
fn references_in_templates_have_exact_spans() {
    check_expression(
        "\"é-${aws_vpc.main.id}-$${no.t.this}\"",
        &["aws_vpc.main.id [aws_vpc.main] template"],
    );
    check_expression(
        "\"${\"${aws_vpc.main[\"${var.k}\"].id}\"}\"",
        &[
            "aws_vpc.main[\"${var.k}\"].id [aws_vpc.main] template",
            "var.k [var.k] template",
        ],
    );
    check_expression(
        "<<EOT\n  é ${aws_vpc.a.id}\n%{ for x in local.xs }${x.y}%{ endfor }\n  EOT",
        &[
            "aws_vpc.a.id [aws_vpc.a] template heredoc",
            "local.xs [local.xs] template heredoc directive",
        ],
    );
    check_expression(
        "<<-EOT\n    a\n      ${aws_vpc.a.id} ${\n  join(\",\", local.b)}\n  EOT",
        &[
            "aws_vpc.a.id [aws_vpc.a] template heredoc",
            "local.b [local.b] template heredoc",
        ],
    );
    check_expression("\"\\\"\\u00e9\\n${local.a}\"", &["local.a [local.a] template"]);
}

#[test]
fn what_only_needs_rewriting_to_be_parsed() {
    check_expression(
        "{ for k in var.x : k => local.c ? 1 :\n  local.d # é\n }",
        &["var.x [var.x]", "local.c [local.c] for", "local.d [local.d] for"],
    );
    check_expression(
        "{ a = local.a, a = local.b, (var.k) = 1, (var.k) = local.c, \"é\" = 1\n \"é\" = local.d }",
        &[
            "local.a [local.a]",
            "local.b [local.b]",
            "var.k [var.k]",
            "var.k [var.k]",
            "local.c [local.c]",
            "local.d [local.d]",
        ],
    );
    check_references(
        "\u{feff}output \"a\" {\n  value = var.x\n}\n",
        "value: var.x [var.x]\n",
    );
}

#[test]
fn roles_and_what_is_no_reference() {
    check_references(
        r#"
resource "aws_x" "a" {
  for_each   = var.f
  provider   = aws.by[each.key]
  depends_on = [module.m, "aws_old.quoted", data.d.d]
  lifecycle {
    ignore_changes       = [tags, aws_no.no]
    replace_triggered_by = [aws_r.r[each.key].id, terraform_data.t]
    precondition {
      condition     = local.ok
      error_message = "no ${var.n}"
    }
    enabled = var.enabled
  }
  provisioner "local-exec" {
    when    = destroy
    command = "rm ${self.id}"
  }
  provisioner "remote-exec" {
    inline     = [local.x]
    on_failure = continue
    connection {
      host = self.ip
    }
  }
  connection {
    host = aws_h.h.ip
  }
}
module "m" {
  source    = "./m"
  count     = var.c
  providers = { aws = aws.eu, aws.peer = aws.by["${var.k}"] }
  x         = aws_x.a["k"]
}
variable "v" {
  type    = object({ a = optional(string, "x") })
  default = {}
  validation {
    condition     = var.v.a != local.q
    error_message = "x"
  }
}
moved {
  from = aws_x.old
  to   = aws_x.a
}
removed {
  from = aws_x.gone
}
import {
  for_each = local.imports
  to       = aws_x.a[each.key]
  id       = each.value
}
check "c" {
  data "http" "h" {
    url = var.url
  }
  assert {
    condition     = data.http.h.ok
    error_message = ""
  }
}
provider "aws" {
  alias    = "by"
  for_each = var.regions
  region   = each.value
}
terraform {
  required_providers {
    aws = { source = "hashicorp/aws", configuration_aliases = [aws.peer] }
  }
  backend "s3" {
    bucket = var.bucket
  }
  encryption {
    method "aes_gcm" "m" {
      keys = key_provider.pbkdf2.p
    }
  }
}
output "o" {
  value      = aws_x.a
  depends_on = [aws_x.b]
}
"#,
        "\
for_each: var.f [var.f] ForEach
provider: each.key [each.key] ProviderKey
depends_on: module.m [module.m] DependsOn
depends_on: aws_old.quoted [aws_old.quoted] DependsOn quotes
depends_on: data.d.d [data.d.d] DependsOn
lifecycle.replace_triggered_by: aws_r.r[each.key].id [aws_r.r] ReplaceTriggeredBy
lifecycle.replace_triggered_by: each.key [each.key] ReplaceTriggeredBy
lifecycle.replace_triggered_by: terraform_data.t [terraform_data.t] ReplaceTriggeredBy
lifecycle.precondition.condition: local.ok [local.ok] Condition
lifecycle.precondition.error_message: var.n [var.n] Condition template
lifecycle.enabled: var.enabled [var.enabled] Lifecycle
provisioner.local-exec.command: self.id [self] DestroyProvisioner template
provisioner.remote-exec.inline: local.x [local.x] Provisioner
provisioner.remote-exec.connection.host: self.ip [self] Provisioner
connection.host: aws_h.h.ip [aws_h.h] Connection
count: var.c [var.c] Count
providers: var.k [var.k] ProviderKey template
x: aws_x.a[\"k\"] [aws_x.a]
validation.condition: var.v.a [var.v] Condition
validation.condition: local.q [local.q] Condition
for_each: local.imports [local.imports] ForEach
to: each.key [each.key] ImportKey
id: each.value [each.value]
data.http.h.url: var.url [var.url]
assert.condition: data.http.h.ok [data.http.h] Condition
for_each: var.regions [var.regions] ForEach
region: each.value [each.value]
backend.s3.bucket: var.bucket [var.bucket]
value: aws_x.a [aws_x.a]
depends_on: aws_x.b [aws_x.b] DependsOn
",
    );
}

#[test]
fn dynamic_blocks_bind_their_iterator() {
    check_references(
        r#"
resource "aws_x" "a" {
  dynamic "ingress" {
    for_each = ingress.y.z
    labels   = [ingress.value]
    content {
      from = ingress.value.from
      to   = rule.value.x
      dynamic "rule" {
        for_each = ingress.value.rules
        iterator = r
        content {
          a = r.value.a
          b = ingress.key
          c = rule.value.x
        }
      }
    }
  }
  other {
    dynamic "setting" {
      for_each = var.s
      iterator = aws_vpc
      content {
        v = aws_vpc.value.id
        w = setting.value.id
      }
    }
  }
  x = aws_vpc.value.id
}
"#,
        "\
dynamic.ingress.for_each: ingress.y.z [ingress.y] DynamicForEach dynamic
dynamic.ingress.content.to: rule.value.x [rule.value] dynamic
dynamic.ingress.content.dynamic.rule.content.c: rule.value.x [rule.value] dynamic
other.dynamic.setting.for_each: var.s [var.s] DynamicForEach dynamic
other.dynamic.setting.content.w: setting.value.id [setting.value] dynamic
x: aws_vpc.value.id [aws_vpc.value]
",
    );
}

#[test]
fn steps_tell_their_keys() {
    let text = "locals {\n  x = aws_s.p[0][\"a\"][var.i].n.1.*.m[*].o\n}\n";
    let (file, _) = read("main.tf", text);
    let steps: Vec<String> = file.blocks[0].references[0]
        .steps
        .iter()
        .map(|step| format!("{} {:?}", file.text(&step.span), step.kind))
        .collect();
    let index = text.find("var.i").unwrap();
    assert_eq!(
        steps,
        [
            "[0] Index(Int(0))".to_owned(),
            "[\"a\"] Index(Str(\"a\"))".to_owned(),
            format!("[var.i] IndexExpression({index}..{})", index + 5),
            ".n Attr(\"n\")".to_owned(),
            ".1 LegacyIndex(1)".to_owned(),
            ".* AttrSplat".to_owned(),
            ".m Attr(\"m\")".to_owned(),
            "[*] FullSplat".to_owned(),
            ".o Attr(\"o\")".to_owned(),
        ]
    );
}

#[test]
fn module_outputs_are_known_behind_indexes() {
    for (expr, output) in [
        ("module.m.o.x", Some("o")),
        ("module.m[0].o", Some("o")),
        ("module.m[each.key].o[1]", Some("o")),
        ("module.m[*].o", Some("o")),
        ("module.m", None),
        ("module.m[\"k\"]", None),
    ] {
        let (file, _) = read("main.tf", &format!("locals {{\n  x = {expr}\n}}\n"));
        let expected = Target::Module {
            name: "m".into(),
            output: output.map(str::to_owned),
        };
        assert_eq!(file.blocks[0].references[0].target, expected, "{expr}");
    }
}
