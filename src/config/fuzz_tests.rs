//! No text makes the readers panic, and whatever parses keeps its promises.

use super::reading_tests::read;

#[test]
fn deep_nesting_is_refused_not_fatal() {
    for (open, close) in [
        ("(", ")"),
        ("[", "]"),
        ("{ a = ", " }"),
        ("\"${", "}\""),
        ("!", ""),
    ] {
        for depth in [30, 63, 64, 500, 20_000] {
            let expr = format!("{}true{}", open.repeat(depth), close.repeat(depth));
            let (_, diagnostics) = read("main.tf", &format!("locals {{\n  x = {expr}\n}}\n"));
            assert!(
                depth > 60 || diagnostics.is_empty(),
                "{open} {depth}: {diagnostics:?}"
            );
        }
    }
    let json = format!(
        "{{\"locals\": {{\"x\": {}1{}}}}}",
        "[".repeat(5000),
        "]".repeat(5000)
    );
    assert_eq!(read("main.tf.json", &json).1.len(), 1);
}

mod never_panics {
    use proptest::prelude::*;

    use super::super::reading_tests::read;

    /// Pieces of HCL that, joined at random, get deep into the readers.
    const SHREDS: &[&str] = &[
        "resource \"aws_x\" \"a\" {\n",
        "locals {\n",
        "dynamic \"d\" {\n",
        "content {\n",
        "lifecycle {\n",
        "}\n",
        "}",
        "{",
        "\n",
        "x = ",
        "for_each = ",
        "iterator = i\n",
        "provider = ",
        "providers = { aws = aws.x }\n",
        "depends_on = [\"a.b\"]\n",
        "aws_x.a",
        "[0]",
        "[*].id",
        ".*.id",
        ".0",
        "[\"k\"]",
        "[var.i]",
        "module.m.o",
        "var.x",
        "local.é",
        "each.key",
        "self",
        "(",
        ")",
        "[",
        "]",
        ",",
        "=",
        ":",
        "?",
        "==",
        "&&",
        "!",
        "-",
        "...",
        "=>",
        "for a in b : ",
        "for k, v in ",
        " if ",
        "\"",
        "\"${",
        "}\"",
        "$${",
        "%{ if a }",
        "%{ for x in y }",
        "%{ endfor }",
        "%{ endif }",
        "%{ else }",
        "\\u00e9",
        "\\",
        "<<EOT\n",
        "<<-EOT\n",
        "  EOT\n",
        "EOT",
        "# c\n",
        "// c\n",
        "/* c */",
        "/*",
        "\r\n",
        "\t",
        "\u{feff}",
        "日",
        "\u{0}",
        "1",
        "1e400",
        "null",
        "a = 1, a = 2",
    ];

    const JSON_SHREDS: &[&str] = &[
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"resource\":",
        "\"locals\":",
        "\"a\":",
        "\"dynamic\":",
        "\"content\":",
        "\"//\":",
        "\"provider\":",
        "\"lifecycle\":",
        "\"provisioner\":",
        "\"${var.x}\"",
        "\"${\"",
        "\"\\u00e9${a.b[\\\"k\\\"]}\"",
        "1",
        "null",
        "{\"aws_x\":{\"a\":{}}}",
        "{\"a\":\"${aws_x.y}\"}",
        "\"\\ud83d\\ude00${a.b}\"",
        "\"\\ud83d${a.b}\"",
    ];

    fn joined(shreds: &'static [&'static str]) -> impl Strategy<Value = String> {
        prop::collection::vec(prop::sample::select(shreds), 0..60).prop_map(|shreds| shreds.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn on_shreds_of_hcl(text in joined(SHREDS)) {
            read("main.tf", &text);
        }

        #[test]
        fn on_blocks_of_shreds(shreds in joined(SHREDS)) {
            read("main.tf", &format!("locals {{\n  x = {shreds}\n}}\n"));
        }

        #[test]
        fn on_shreds_of_json(text in joined(JSON_SHREDS)) {
            read("main.tf.json", &text);
        }

        #[test]
        fn on_any_text(text in any::<String>()) {
            read("main.tf", &text);
            read("main.tf.json", &text);
            read("main.tf.json", &format!("{{\"locals\":{{\"a\":{}}}}}", crate::json::quote(&text)));
        }
    }
}

mod finds_every_reference {
    use proptest::prelude::*;

    use super::super::reading_tests::read;

    /// An expression and the references in it, in source order.
    type Known = (String, Vec<String>);

    fn joined(parts: Vec<Known>, open: &str, separator: &str, close: &str) -> Known {
        let texts: Vec<&str> = parts.iter().map(|(text, _)| text.as_str()).collect();
        let text = format!("{open}{}{close}", texts.join(separator));
        (
            text,
            parts.into_iter().flat_map(|(_, references)| references).collect(),
        )
    }

    fn leaf() -> impl Strategy<Value = Known> {
        prop_oneof![
            prop::sample::select(
                &[
                    "1",
                    "true",
                    "\"a\"",
                    "\"$${aws_no.no}\"",
                    "bound",
                    "bound.x",
                    "[]"
                ][..]
            )
            .prop_map(|text| (text.to_owned(), vec![])),
            prop::sample::select(
                &[
                    "aws_a.b",
                    "aws_a.b.id",
                    "data.t.n[0].x",
                    "var.é",
                    "local.l[*].y",
                    "module.m.o",
                    "each.key",
                    "a.b.0.c"
                ][..]
            )
            .prop_map(|text| (text.to_owned(), vec![text.to_owned()])),
        ]
    }

    /// Expressions in which the variable `bound` is bound by a for expression around everything.
    fn expression() -> impl Strategy<Value = Known> {
        leaf().prop_recursive(5, 40, 4, |inner| {
            let some = || prop::collection::vec(inner.clone(), 1..4);
            let three = || (inner.clone(), inner.clone(), inner.clone()).prop_map(|(a, b, c)| [a, b, c]);
            prop_oneof![
                some().prop_map(|parts| joined(parts, "[", ",\n # c\n ", ",\n]")),
                some().prop_map(|parts| joined(parts, "merge(", ", ", "...)")),
                some().prop_map(|parts| joined(parts, "(\n", " /* é */ ==\n", "\n)")),
                some().prop_map(|parts| joined(parts, "\"é ${", "}-%%{${", "}\"")),
                some().prop_map(|parts| joined(parts, "{ a = ", ", a = ", " }")),
                some().prop_map(|parts| joined(
                    parts,
                    "(\n<<-EOT\n é EOT ${",
                    "}\n EOT no\n ${",
                    "}\n  EOT\n)"
                )),
                three().prop_map(|parts| woven(parts, ["(", " ?\n", " :\n", ")"])),
                three()
                    .prop_map(|parts| woven(parts, ["{ for v in ", " :\n v => v.a.b == ", " if\n", "\n}"])),
                inner.clone().prop_map(|part| joined(
                    vec![part],
                    "\"%{ for w in ",
                    "",
                    " }${w.x.y}%{ endfor }\""
                )),
                inner.clone().prop_map(|part| indexed(&part)),
            ]
        })
    }

    fn indexed((text, references): &Known) -> Known {
        let text = format!("aws_i.i[{text}].id");
        let all = std::iter::once(text.clone()).chain(references.iter().cloned());
        let all = all.collect();
        (text, all)
    }

    fn woven(parts: [Known; 3], between: [&str; 4]) -> Known {
        let mut text = between[0].to_owned();
        let mut references = Vec::new();
        for ((part, found), after) in parts.into_iter().zip(&between[1..]) {
            text.push_str(&part);
            text.push_str(after);
            references.extend(found);
        }
        (text, references)
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn with_its_exact_text((text, expected) in expression()) {
            let (file, diagnostics) = read("main.tf", &format!("locals {{\n  x = [for bound in [] :\n{text}]\n}}\n"));
            // hcl-edit's limit on nesting is the one refusal that is left.
            prop_assume!(!diagnostics.iter().any(|found| found.message.contains("nested levels")));
            prop_assert_eq!(&diagnostics, &[]);
            let references = &file.blocks[0].references;
            let found: Vec<&str> = references.iter().map(|reference| file.text(&reference.span)).collect();
            prop_assert_eq!(found, expected);
        }
    }
}
