//! Plan files for tests, and what tests look at.

use std::sync::Arc;

use super::PlanFile;
use crate::diagnostic::{Diagnostic, SourceFile};
use crate::stack::StateId;

/// Reads a plan file with this inside its `split` block.
pub(super) fn plan(inner: &str) -> PlanFile {
    let text = format!("split \"acme\" {{\n{inner}\n}}\n");
    PlanFile::read(Arc::new(SourceFile {
        path: "p.hcl".to_owned(),
        text,
    }))
    .unwrap_or_else(|found| panic!("{}", shown(&found)))
}

/// Returns findings as people see them.
pub(super) fn shown(found: &[Diagnostic]) -> String {
    found
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join("\n\n")
}

/// Returns the ID written `source:NAME` or `stack:NAME`.
pub(super) fn id(text: &str) -> StateId {
    match text.split_once(':').unwrap() {
        ("source", name) => StateId::Source(name.parse().unwrap()),
        (_, name) => StateId::Stack(name.parse().unwrap()),
    }
}
