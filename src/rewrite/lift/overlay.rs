//! A tree of files, some of them replaced in memory.

use std::collections::{BTreeMap, BTreeSet};

use crate::source_tree::{SourceError, SourceTree};

/// A tree of files, some of them replaced.
pub(in crate::rewrite) struct Overlay<'a> {
    pub(super) base: &'a dyn SourceTree,
    pub(super) files: BTreeMap<String, Vec<u8>>,
}

impl SourceTree for Overlay<'_> {
    fn files(&self, dir: &str) -> Result<Option<Vec<String>>, SourceError> {
        let mut names: BTreeSet<String> = self.base.files(dir)?.into_iter().flatten().collect();
        for path in self.files.keys() {
            let (parent, name) = path.rsplit_once('/').unwrap_or(("", path));
            if parent == dir {
                names.insert(name.to_owned());
            }
        }
        Ok((!names.is_empty()).then(|| names.into_iter().collect()))
    }

    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, SourceError> {
        match self.files.get(path) {
            Some(bytes) => Ok(Some(bytes.clone())),
            None => self.base.read(path),
        }
    }

    fn is_replaced(&self, path: &str) -> bool {
        self.files.contains_key(path)
    }

    fn shown(&self, path: &str) -> String {
        self.base.shown(path)
    }
}
