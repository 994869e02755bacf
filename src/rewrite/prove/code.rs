//! The emitted text, read anew: once for each state, by whoever asks first.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use crate::config::{ConfigError, Configuration, LoadOptions};
use crate::diagnostic::Diagnostic;
use crate::lint::Root;
use crate::rewrite::{FileTree, Rewritten};
use crate::source_tree::MemoryTree;
use crate::stack::StateId;

/// The code of every state.
pub(in crate::rewrite) struct Codes<'r>(BTreeMap<&'r StateId, Code>);

/// The code of one state.
pub(super) struct Code {
    tree: MemoryTree,
    read: OnceLock<Result<Configuration, Vec<Diagnostic>>>,
}

impl<'r> Codes<'r> {
    /// Takes what was rewritten. What is left of a source may call modules beside it.
    pub fn of(rewritten: &'r Rewritten) -> Self {
        let codes = rewritten.trees.iter().map(|(id, files)| {
            let outside = match id {
                StateId::Source(_) => Some(&rewritten.outside),
                StateId::Stack(_) => None,
            };
            (id, Code::of(std::iter::once(files).chain(outside)))
        });
        Self(codes.collect())
    }

    pub(super) fn get(&self, id: &StateId) -> Option<&Code> {
        self.0.get(id)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&'r StateId, &Code)> {
        self.0.iter().map(|(id, code)| (*id, code))
    }

    /// Returns the root modules that can be read.
    pub(super) fn roots(&self) -> Vec<Root<'_>> {
        let roots = self.0.iter().filter_map(|(id, code)| {
            Some(Root {
                name: id.name().as_str(),
                tree: code.tree(),
                configuration: code.configuration().ok()?,
            })
        });
        roots.collect()
    }
}

impl Code {
    /// Takes files.
    pub fn of<'f>(files: impl IntoIterator<Item = &'f FileTree>) -> Self {
        let files = files.into_iter().flatten();
        Self {
            tree: files.fold(MemoryTree::new(), |tree, (path, bytes)| tree.with(path, bytes)),
            read: OnceLock::new(),
        }
    }

    /// Returns the files.
    pub fn tree(&self) -> &MemoryTree {
        &self.tree
    }

    /// Returns what they say, or why they cannot be read.
    pub fn configuration(&self) -> Result<&Configuration, &[Diagnostic]> {
        let read = self.read.get_or_init(|| {
            Configuration::load(&self.tree, &LoadOptions::default()).map_err(|error| match error {
                ConfigError::Invalid { diagnostics, .. } => diagnostics,
                error => vec![Diagnostic::error(error.to_string())],
            })
        });
        read.as_ref().map_err(Vec::as_slice)
    }
}
