//! `.terraform.lock.hcl`: the provider versions that `init` chose.

use super::tree::read_text;
use super::{BlockKind, ConfigError, ConfigFile, hcl};
use crate::diagnostic::Severity;
use crate::source_tree::SourceTree;

/// The name of the file, in the root module's directory.
pub const LOCK_FILE: &str = ".terraform.lock.hcl";

/// The dependency lock file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockFile {
    /// The text; its blocks are `provider` blocks, copied as slices.
    pub file: ConfigFile,
}

impl LockFile {
    /// Reads the lock file; `None` where there is none.
    pub fn load(tree: &dyn SourceTree) -> Result<Option<Self>, ConfigError> {
        let mut diagnostics = Vec::new();
        let Some(source) = read_text(tree, LOCK_FILE, &mut diagnostics)? else {
            return Ok(None);
        };
        let file = hcl::read(&source, LOCK_FILE, false, &mut diagnostics);
        if diagnostics.iter().any(|found| found.severity == Severity::Error) {
            return Err(ConfigError::Invalid {
                dir: tree.shown(""),
                diagnostics,
            });
        }
        Ok(Some(Self { file }))
    }

    /// Returns the locked providers in source order: address as written, index of the block in the file.
    pub fn providers(&self) -> impl Iterator<Item = (&str, usize)> {
        let blocks = self.file.blocks.iter().enumerate();
        blocks
            .filter(|(_, block)| block.kind == BlockKind::Provider)
            .map(|(index, block)| (block.label(0), index))
    }
}
