//! `.terraform/modules/modules.json`: where `init` put the modules.

use std::collections::BTreeMap;

use super::tree::read_text;
use crate::address::ModuleAddr;
use crate::diagnostic::Diagnostic;
use crate::json::{self, Node};
use crate::source_tree::{SourceError, SourceTree, join};

/// The installed modules: call path with dots → directory relative to the root module.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Manifest(BTreeMap<String, String>);

impl Manifest {
    /// Reads the manifest of a data directory; an absent one is empty, a damaged one is reported.
    pub(super) fn load(
        tree: &dyn SourceTree,
        data_dir: &str,
        diagnostics: &mut Vec<Diagnostic>,
    ) -> Result<Self, SourceError> {
        let path = join(data_dir, "modules/modules.json");
        let Some(source) = read_text(tree, &path, diagnostics)? else {
            return Ok(Self::default());
        };
        let root = json::parse(&source.text).ok();
        let Some(modules) = root
            .as_ref()
            .and_then(|root| root.get("Modules"))
            .and_then(Node::elements)
        else {
            let problem =
                "the list of installed modules cannot be read; installed modules are not looked into";
            let found = Diagnostic::warning(problem).at(&source, 0..0);
            diagnostics.push(found.hint("run `terraform init` (or `tofu init`) to write it anew"));
            return Ok(Self::default());
        };
        let text = |module: &Node, field: &str| module.get(field).and_then(Node::as_str).map(str::to_owned);
        let entry = |module: &Node| Some((text(module, "Key")?, join("", &text(module, "Dir")?)));
        Ok(Self(modules.iter().filter_map(entry).collect()))
    }

    /// Returns the directory of a module.
    pub(super) fn dir(&self, address: &ModuleAddr) -> Option<String> {
        self.0.get(&address.0.join(".")).cloned()
    }
}
