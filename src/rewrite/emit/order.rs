//! What `depends_on` names in other states.

use super::Emitter;
use super::lines::before_blank_line;
use crate::config::{Block, Body, ConfigFile, Item, Syntax};
use crate::diagnostic::Diagnostic;
use crate::rewrite::splice::{Edit, apply};

impl Emitter<'_, '_, '_> {
    /// Drops what `depends_on` names in other states.
    pub(super) fn dependencies(
        &mut self,
        file: &ConfigFile,
        block: &Block,
        item: &Item,
        edits: &mut Vec<Edit>,
    ) {
        let scope = self.writer.cut.scope(self.writer.state, item);
        let mut bodies: Vec<&Body> = vec![&block.body];
        bodies.extend(block.body.blocks.iter().map(|nested| &nested.body));
        for body in bodies {
            let Some(argument) = body.attribute("depends_on") else {
                continue;
            };
            let references = block.references_in(&argument.value);
            let (gone, here): (Vec<_>, Vec<_>) = references
                .iter()
                .partition(|reference| self.writer.is_elsewhere(file, reference, &scope));
            if gone.is_empty() {
                continue;
            }
            for reference in &gone {
                let message = format!(
                    "the order on `{}` is dropped: it is in another state than {}",
                    file.text(&reference.span),
                    item.describe()
                );
                self.warnings.push(
                    Diagnostic::warning(message)
                        .at(&file.source, reference.span.clone())
                        .hint("apply the stacks in the order of the report; nothing else follows from it"),
                );
            }
            // The references of the argument are written anew, in place of their own edits.
            if here.is_empty() {
                let span = match file.syntax {
                    Syntax::Hcl => before_blank_line(file, argument),
                    Syntax::Json => argument.value.clone(),
                };
                let new = if file.syntax == Syntax::Json { "[]" } else { "" };
                edits.push(Edit::new(span, new));
                continue;
            }
            let kept: Vec<String> = here
                .iter()
                .map(|reference| {
                    let own = self.writer.reference(file, reference, &scope);
                    let new = apply(&file.source.text, &reference.span, &own);
                    match file.syntax {
                        Syntax::Hcl => new,
                        Syntax::Json => format!("\"{new}\""),
                    }
                })
                .collect();
            edits.push(Edit::new(
                argument.value.clone(),
                format!("[{}]", kept.join(", ")),
            ));
        }
    }
}
