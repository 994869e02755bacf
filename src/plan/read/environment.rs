//! Reads `environment` blocks.

use std::collections::BTreeMap;

use hcl_edit::Span as _;
use hcl_edit::expr::Expression;
use hcl_edit::structure::Block;

use super::body::{Reader, Words, value_span};
use super::values::RESERVED;
use crate::plan::file::{EnvironmentBlock, Spanned};
use crate::plan::suggest;

const WORDS: Words = Words {
    what: "an `environment` block",
    attributes: &["class", "values", "var_files", "backend"],
    blocks: &[],
};

impl Reader {
    pub(super) fn environment(&mut self, block: &Block) -> Option<EnvironmentBlock> {
        self.check_words(&block.body, &WORDS);
        let name = self.label(block, "the environment's name, such as `tenant-a/stage`")?;
        if name.value.is_empty() || name.value.chars().any(char::is_control) {
            self.error(
                name.span.clone(),
                "the name of an environment cannot be empty or hold control characters",
            )
            .hint("write `environment \"tenant-a/stage\" {`");
        }
        let values = self.environment_values(block, &name);
        Some(EnvironmentBlock {
            class: self.string(&block.body, "class"),
            var_files: self.strings(&block.body, "var_files"),
            backend: self.backend_object(&block.body, &name.value),
            values,
            name,
        })
    }

    /// Reads `values`; a label of two segments gives `tenant` and `environment` where they are not said.
    fn environment_values(
        &mut self,
        block: &Block,
        name: &Spanned<String>,
    ) -> BTreeMap<String, Spanned<String>> {
        let mut values = BTreeMap::new();
        if let Some((tenant, environment)) =
            name.value.split_once('/').filter(|(_, rest)| !rest.contains('/'))
        {
            for (word, value) in [("tenant", tenant), ("environment", environment)] {
                let value = Spanned {
                    value: value.to_owned(),
                    span: name.span.clone(),
                };
                values.insert(word.to_owned(), value);
            }
        }
        let Some(attribute) = block.body.get_attribute("values") else {
            return values;
        };
        let Expression::Object(object) = &attribute.value else {
            self.error(value_span(attribute), "`values` must be an object")
                .hint("write `values = { tenant = \"…\" }`");
            return values;
        };
        for (key, value) in object {
            let Some(key) = self.object_key(key) else {
                continue;
            };
            if RESERVED.contains(&key.value.as_str()) {
                self.error(
                    key.span,
                    format!("`{}` is given by stackcut and cannot be set", key.value),
                )
                .hint(format!("choose another name than {}", suggest::quoted(&RESERVED)));
                continue;
            }
            if hcl::Identifier::new(key.value.as_str()).is_err() {
                self.error(key.span, format!("`{}` cannot be the name of a value", key.value))
                    .hint("use letters, digits, `_` and `-`, so that a template can read it");
                continue;
            }
            let span = value.expr().span().unwrap_or(0..0);
            let text = match value.expr() {
                Expression::String(text) => text.value().clone(),
                Expression::Bool(flag) => flag.value().to_string(),
                Expression::Number(number) => number.value().to_string(),
                _ => {
                    self.error(span, format!("the value `{}` must be a text", key.value))
                        .hint("write it in double quotes, without `${ … }`");
                    continue;
                }
            };
            values.insert(key.value, Spanned { value: text, span });
        }
        values
    }
}
