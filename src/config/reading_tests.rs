//! What the readers promise of blocks, in both syntaxes; and the checks that hold for every file that is read.

use std::fmt::Write as _;
use std::sync::Arc;

use super::*;
use crate::diagnostic::{Diagnostic, SourceFile};

pub(super) fn read(name: &str, text: &str) -> (ConfigFile, Vec<Diagnostic>) {
    let source = Arc::new(SourceFile {
        path: name.to_owned(),
        text: text.to_owned(),
    });
    let mut diagnostics = Vec::new();
    let file = if name.ends_with(".json") {
        json::read(&source, name, false, &mut diagnostics)
    } else {
        hcl::read(&source, name, false, &mut diagnostics)
    };
    check_spans(&file);
    (file, diagnostics)
}

/// What holds for every file: pieces are the file, spans are sorted and nested, roots begin their references.
fn check_spans(file: &ConfigFile) {
    let whole: String = file.pieces().iter().map(|piece| file.text(&piece.span)).collect();
    assert_eq!(whole, file.source.text);
    for block in &file.blocks {
        assert!(block.full.start <= block.span.start && block.span.end <= block.full.end);
        assert!(
            block
                .references
                .is_sorted_by_key(|reference| reference.span.start)
        );
        check_body(file, &block.body, &block.span);
        for reference in &block.references {
            let text = file.text(&reference.span);
            let root = file.text(&reference.root);
            assert!(!root.is_empty() && text.starts_with(root), "{text} / {root}");
            let mut end = reference.root.end;
            for step in &reference.steps {
                assert!(
                    end <= step.span.start && step.span.end <= reference.span.end,
                    "steps of {text}"
                );
                end = step.span.end;
            }
        }
    }
}

fn check_body(file: &ConfigFile, body: &Body, outer: &Span) {
    assert!(outer.start <= body.span.start && body.span.end <= outer.end);
    assert!(file.text(&body.span).starts_with('{') && file.text(&body.span).ends_with('}'));
    let mut spans: Vec<&Span> = body.attributes.iter().map(|attribute| &attribute.full).collect();
    spans.extend(body.blocks.iter().map(|block| &block.full));
    spans.sort_by_key(|span| span.start);
    assert!(spans.windows(2).all(|pair| pair[0].end <= pair[1].start));
    for attribute in &body.attributes {
        assert_eq!(file.text(&attribute.name_span).trim_matches('"'), attribute.name);
        assert_eq!(attribute.span.end, attribute.value.end);
    }
    for block in &body.blocks {
        check_body(file, &block.body, &block.span);
    }
}

/// Prints each reference as `path: text (root) role surroundings`.
pub(super) fn shown(file: &ConfigFile) -> String {
    let mut out = String::new();
    for block in &file.blocks {
        for reference in &block.references {
            let place = &reference.place;
            let text = file.text(&reference.span).replace('\n', "⏎");
            let _ = write!(out, "{}: {} [{}]", place.path, text, file.text(&reference.root));
            if place.role != Role::Value {
                let _ = write!(out, " {:?}", place.role);
            }
            let around = place.around;
            for (holds, word) in [
                (around.in_template, "template"),
                (around.in_heredoc, "heredoc"),
                (around.in_directive, "directive"),
                (around.in_for, "for"),
                (around.in_dynamic, "dynamic"),
                (around.in_quotes, "quotes"),
            ] {
                if holds {
                    let _ = write!(out, " {word}");
                }
            }
            out.push('\n');
        }
    }
    out
}

#[test]
fn blocks_own_their_comments() {
    let text = "# licence\n\n# the vpc\nresource \"aws_vpc\" \"main\" { # here\n  # cidr\n  cidr = 1 // one\n\n  tags {} # t\n}  # end\n\n# detached\n\nlocals { a = 1 }\n";
    let (file, _) = read("main.tf", text);
    let pieces: Vec<(Option<usize>, &str)> = file
        .pieces()
        .iter()
        .map(|piece| (piece.block, file.text(&piece.span)))
        .collect();
    assert_eq!(pieces[0], (None, "# licence\n\n"));
    assert!(pieces[1].1.starts_with("# the vpc\n") && pieces[1].1.ends_with("}  # end\n"));
    assert_eq!(pieces[2], (None, "\n# detached\n\n"));
    assert_eq!(pieces[3], (Some(1), "locals { a = 1 }\n"));
    let block = &file.blocks[0];
    assert_eq!(file.text(&block.header), "resource \"aws_vpc\" \"main\"");
    assert_eq!(file.text(&block.leading), "# the vpc\n");
    assert_eq!((block.label(0), block.label(1)), ("aws_vpc", "main"));
    let cidr = &block.body.attributes[0];
    assert_eq!(file.text(&cidr.full), "  # cidr\n  cidr = 1 // one\n");
    assert_eq!(file.text(&block.body.blocks[0].full), "  tags {} # t\n");
    let a = &file.blocks[1].body.attributes[0];
    assert_eq!((file.text(&a.full), file.text(&a.value)), ("a = 1", "1"));
}

#[test]
fn heredoc_values_include_their_markers() {
    let (file, _) = read(
        "main.tf",
        "locals {\n  a = <<-EOT\n    x\n  EOT\n  # c\n  b = 1\n}\n",
    );
    let body = &file.blocks[0].body;
    assert_eq!(file.text(&body.attributes[0].value), "<<-EOT\n    x\n  EOT");
    assert_eq!(
        file.text(&body.attributes[0].full),
        "  a = <<-EOT\n    x\n  EOT\n"
    );
    assert_eq!(file.text(&body.attributes[1].full), "  # c\n  b = 1\n");
    assert_eq!(file.string(&body.attributes[0].value).as_deref(), Some("x\n"));
}

#[test]
fn errors_have_their_place() {
    let (_, diagnostics) = read("a.tf", "locals {\n  a = 1\n  a = 2\n}\n");
    assert!(
        diagnostics[0].to_string().contains("--> a.tf:3:3\n"),
        "{}",
        diagnostics[0]
    );
    let (_, diagnostics) = read("a.tf", "x = 1\n");
    assert!(
        diagnostics[0]
            .to_string()
            .contains("argument `x` cannot stand outside a block")
    );
    let (_, diagnostics) = read("a.tf.json", "{\n \"locals\": {\"a\" 1}}");
    assert!(
        diagnostics[0].to_string().contains("--> a.tf.json:2:"),
        "{}",
        diagnostics[0]
    );
    let (_, diagnostics) = read("a.tf.json", "{\"locals\": {\"a\": \"\\u0041${\"}}");
    assert!(
        diagnostics[0].to_string().contains("not a valid template"),
        "{}",
        diagnostics[0]
    );
}

#[test]
fn json_gives_the_same_model() {
    let text = r#"{
  "//": "comment ${no.t.this}",
  "resource": {
    "aws_x": {
      "a": {
        "//": "${no.t.this}",
        "provider": "aws.by[each.key]",
        "depends_on": ["module.m", "aws_b.c"],
        "name": "é-\u00e9\n${aws_vpc.main[\"k\"].id}-\ud83d\ude00${var.x}",
        "${var.key}": 1,
        "list": [1, "${local.l}", {"${local.k}": "%{ for v in local.vs }${v.x}%{ endfor }"}],
        "lifecycle": {"ignore_changes": ["aws_no.no"], "replace_triggered_by": ["aws_r.r.id"],
          "precondition": [{"condition": "${local.c}", "error_message": "x"}]},
        "provisioner": [{"local-exec": {"when": "destroy", "command": "${self.id}"}}, {"local-exec": {"command": "${local.p}"}}],
        "dynamic": {"ingress": {"for_each": "${ingress.y.z}", "iterator": "i", "content": {"x": "${i.value}${ingress.z.w}"}}},
        "rule": [{"dynamic": {"r": [{"for_each": "${var.r}", "content": {"x": "${r.value}"}}]}}]
      },
      "b": [{"count": 1}, {"count": "${var.n}"}]
    }
  },
  "module": [{"m": {"source": "./m", "providers": {"aws": "aws.eu"}, "x": "${module.n}"}}],
  "locals": {"a": "${{ for k in [] : k => local.q ? 1 :\n 2 }}"},
  "variable": {"v": {"type": "map(string)"}},
  "moved": [{"from": "aws_x.o", "to": "aws_x.a"}],
  "terraform": {"backend": {"s3": {"bucket": "b"}}, "required_providers": {"aws": {"source": "hashicorp/aws"}}},
  "output": {"o": {"value": "${aws_x.a.id}"}}
}
"#;
    let (file, diagnostics) = read("a.tf.json", text);
    assert_eq!(diagnostics, []);
    let names: Vec<String> = file
        .blocks
        .iter()
        .map(|block| {
            let labels: Vec<&str> = block.labels.iter().map(|label| label.value.as_str()).collect();
            format!("{} {}", block.kind.keyword(), labels.join("."))
        })
        .collect();
    assert_eq!(
        names,
        [
            "resource aws_x.a",
            "resource aws_x.b",
            "resource aws_x.b",
            "module m",
            "locals ",
            "variable v",
            "moved ",
            "terraform ",
            "output o"
        ]
    );
    assert_eq!(
        shown(&file),
        "\
provider: each.key [each.key] ProviderKey quotes
depends_on: module.m [module.m] DependsOn quotes
depends_on: aws_b.c [aws_b.c] DependsOn quotes
name: aws_vpc.main[\\\"k\\\"].id [aws_vpc.main] template
name: var.x [var.x] template
list: local.l [local.l] template
list: local.k [local.k] template
list.${local.k}: local.vs [local.vs] template directive
lifecycle.replace_triggered_by: aws_r.r.id [aws_r.r] ReplaceTriggeredBy quotes
lifecycle.precondition.condition: local.c [local.c] Condition template
provisioner.local-exec.command: self.id [self] DestroyProvisioner template
provisioner.local-exec.command: local.p [local.p] Provisioner template
dynamic.ingress.for_each: ingress.y.z [ingress.y] DynamicForEach template dynamic
dynamic.ingress.content.x: ingress.z.w [ingress.z] template dynamic
rule.dynamic.r.for_each: var.r [var.r] DynamicForEach template dynamic
count: var.n [var.n] Count template
x: module.n [module.n] template
a: local.q [local.q] template for
value: aws_x.a.id [aws_x.a] template
"
    );
    let terraform = &file.blocks[7];
    assert_eq!(terraform.body.blocks[0].labels[0].value, "s3");
    let bucket = &terraform.body.blocks[0].body.attributes[0];
    assert_eq!(file.string(&bucket.value).as_deref(), Some("b"));
}
