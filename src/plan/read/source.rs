//! Reads `source` blocks.

use hcl_edit::structure::Block;

use super::body::{Reader, Words, ident_span};
use super::values::Scope;
use crate::plan::file::{SourceBlock, Spanned};
use crate::stack::StackName;

const WORDS: Words = Words {
    what: "a `source` block",
    attributes: &["dir", "state", "workspace", "backend_config", "var_files"],
    blocks: &["backend"],
};

impl Reader {
    /// Reads a source; `several` tells whether it has siblings and so needs a label.
    pub(super) fn source(
        &mut self,
        block: &Block,
        split: &Spanned<StackName>,
        several: bool,
    ) -> Option<SourceBlock> {
        self.check_words(&block.body, &WORDS);
        let dir = self.required_string(block, "dir", "\"../acme\"");
        let backend = self.backend_in(&block.body, Scope::Source);
        let state = self.template(&block.body, "state", Scope::Source);
        let workspace = self.template(&block.body, "workspace", Scope::Source);
        let backend_config = self.templates(&block.body, "backend_config", Scope::Source);
        let var_files = self.strings(&block.body, "var_files");
        if let (Some(state), Some(backend)) = (&state, &backend) {
            let place = self.place(&backend.span);
            self.error(
                state.span.clone(),
                "`state` and `backend` both say where the state is",
            )
            .note(format!("the `backend` block is at {place}"))
            .hint("keep one: `state` for a local file, `backend` for everything else");
        }
        if let (Some(state), Some(first)) = (&state, backend_config.first()) {
            let place = self.place(&state.span);
            self.error(
                first.span.clone(),
                "`backend_config` means nothing where `state` names a file",
            )
            .note(format!("`state` is at {place}"))
            .hint("remove one of them");
        }
        if let (Some(state), Some(workspace)) = (&state, &workspace) {
            let place = self.place(&state.span);
            self.error(
                workspace.span.clone(),
                "`workspace` means nothing where `state` names a file",
            )
            .note(format!("`state` is at {place}"))
            .hint("remove one of them");
        }
        let label = if several {
            self.label(block, "where there are several sources, each has a name")
        } else {
            self.optional_label(block)
        };
        let name = match label {
            Some(label) => self.parse(label)?,
            None => Spanned {
                value: split.value.clone(),
                span: ident_span(block),
            },
        };
        Some(SourceBlock {
            name,
            // The fault is noted; going on keeps the name known to what mentions it.
            dir: dir.unwrap_or_default(),
            backend,
            state,
            workspace,
            backend_config,
            var_files,
        })
    }
}
