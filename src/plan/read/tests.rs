//! Every kind of fault, as people see it; and what a good file gives.

mod addresses;
mod names;
mod structure;
mod values;

use std::sync::Arc;

use crate::diagnostic::{Diagnostic, SourceFile};
use crate::plan::PlanFile;
use crate::stack::Layer;

fn file(text: &str) -> Arc<SourceFile> {
    Arc::new(SourceFile {
        path: "plans/acme.hcl".to_owned(),
        text: text.to_owned(),
    })
}

fn faults(text: &str) -> String {
    let found = PlanFile::read(file(text)).expect_err("the file has faults");
    let shown: Vec<String> = found.iter().map(Diagnostic::to_string).collect();
    shown.join("\n\n")
}

const WHOLE: &str = r#"split "acme" {
  source {
    dir = "../acme"
  }
  environment "tenant-a/stage" {
    class   = "non-prod"
    values  = { region = "eu", size = 3, big = true }
    backend = { profile = "p-${region}" }
  }
  stack "orders" {
    layer = "network"
    take  = ["aws_sqs_queue.orders"]
    export "arns" {
      value = [for q in aws_sqs_queue.orders : "${q.arn}/${local.x[data.aws_region.r.name]}" if module.a.b != each.key]
    }
  }
  gitops {
    registry = "x"
  }
}
"#;

/// Line endings, a byte order mark and wide characters do not move anything.
#[test]
fn positions_are_exact_in_any_encoding() {
    let plain = "split \"é\" {\n  source {\n    dir = \"ü\"\n  }\n  stack \"a\" {\n    take = [\"x_y.é\", 1]\n  }\n}\n";
    let crlf = plain.replace('\n', "\r\n");
    let marked = format!("\u{feff}{plain}");
    for text in [plain, &crlf, &marked] {
        let found = PlanFile::read(file(text)).expect_err("two faults");
        let places: Vec<(usize, usize, &str)> = found
            .iter()
            .map(|fault| {
                let (file, span) = fault.location.as_ref().unwrap();
                let at = file.position(span.start);
                (at.line, at.column, &file.text[span.clone()])
            })
            .collect();
        let mark = usize::from(text == marked);
        assert_eq!(places, [(1, 7 + mark, "\"é\""), (6, 22, "1")]);
    }
}

#[test]
fn a_good_file_gives_what_it_says() {
    let plan = PlanFile::read(file(WHOLE)).unwrap();
    assert_eq!(plan.name.value.as_str(), "acme");
    assert_eq!(plan.sources[0].name.value.as_str(), "acme");
    assert_eq!(plan.stacks[0].layer, Layer::Network);
    assert!(WHOLE[plan.gitops.clone().unwrap()].starts_with("gitops {\n    registry"));
    assert!(WHOLE[plan.gitops.clone().unwrap()].ends_with('}'));
    let export = &plan.stacks[0].exports[0];
    assert_eq!(&WHOLE[export.value.span.clone()], export.value.value);
    let roots: Vec<(&str, &str)> = export
        .references
        .iter()
        .map(|found| (found.root.as_str(), &WHOLE[found.span.clone()]))
        .collect();
    assert_eq!(
        roots,
        [
            ("aws_sqs_queue.orders", "aws_sqs_queue.orders"),
            ("local.x", "local.x[data.aws_region.r.name]"),
            ("data.aws_region.r", "data.aws_region.r.name"),
            ("module.a", "module.a.b"),
            ("each.key", "each.key"),
        ]
    );
    let environment = &plan.environments()[0];
    assert_eq!(environment.values["tenant"], "tenant-a");
    assert_eq!(environment.values["environment"], "stage");
    assert_eq!(environment.values["size"], "3");
    assert_eq!(environment.values["big"], "true");
    assert_eq!(environment.backend["profile"], "p-eu");
}

#[test]
fn credentials_are_never_shown() {
    let parts = [
        "secret_key = \"hidden\"",
        "assume_role = { tokn = 1, token = \"hidden\" }",
        "https_proxy = \"http://u:hidden@h\"",
        "secret_key = \"hidden\" }",
    ];
    for part in parts {
        let text = format!(
            "split \"a\" {{\n  source {{\n    dir = \"x\"\n    backend \"s3\" {{\n      {part}\n    }}\n  }}\n}}\n"
        );
        let shown = faults(&text);
        assert!(
            !shown.contains("hidden") && shown.contains("plans/acme.hcl:5"),
            "{shown}"
        );
    }
}

/// Whatever the text, there is an answer; and what is said points into the text.
fn check_any(text: &str) {
    if let Err(found) = PlanFile::read(file(text)) {
        assert!(!found.is_empty());
        for fault in found {
            let (file, span) = fault.location.clone().expect("every fault has a place");
            assert!(file.text.get(span).is_some(), "{fault}");
            assert_eq!(file.text.len(), text.len());
        }
    }
}

proptest::proptest! {
    #[test]
    fn any_text_is_answered(text in "\\PC{0,200}") {
        check_any(&text);
    }

    #[test]
    fn a_damaged_file_is_answered(at in 0..WHOLE.len(), length in 0..40_usize, put in "[\\\\\"{}=$%\\[\\]é<~\\n a-z.*]{0,6}") {
        // The sample is ASCII, so every offset is a boundary.
        let end = (at + length).min(WHOLE.len());
        check_any(&format!("{}{put}{}", &WHOLE[..at], &WHOLE[end..]));
    }
}
