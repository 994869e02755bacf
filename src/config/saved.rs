//! `.terraform/terraform.tfstate`: the backend that `init` saved. It may hold secrets: its values are never shown.

use std::collections::BTreeMap;

use super::backend::flatten;
use super::literal::plain_json;
use super::tree::read_text;
use super::{ConfigError, Literal};
use crate::diagnostic::Diagnostic;
use crate::json::{self, Node};
use crate::source_tree::{SourceTree, join};

/// The backend as `init` saved it.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct SavedBackend {
    /// The backend's type.
    pub backend: String,
    /// Its arguments; absent where they were not set.
    pub arguments: BTreeMap<String, String>,
    /// The path people know the file by.
    pub path: String,
}

impl SavedBackend {
    /// Reads the saved backend of a data directory; `None` where none was saved.
    ///
    /// Lenient: Terraform before 1.9 and OpenTofu write more fields around it than later versions.
    pub(super) fn load(
        tree: &dyn SourceTree,
        data_dir: &str,
        diagnostics: &mut Vec<Diagnostic>,
    ) -> Result<Option<Self>, ConfigError> {
        let path = join(data_dir, "terraform.tfstate");
        let Some(source) = read_text(tree, &path, diagnostics)?.filter(|source| !source.text.is_empty())
        else {
            return Ok(None);
        };
        let root = match json::parse(&source.text) {
            Ok(root) => root,
            Err(error) => {
                // The text is not shown: it may hold credentials.
                let problem = format!("the saved backend in {} cannot be read: {error}", source.path);
                let hint = "run `terraform init` (or `tofu init`) to write it anew";
                diagnostics.push(Diagnostic::error(problem).hint(hint));
                return Ok(None);
            }
        };
        if root
            .get("state_store")
            .is_some_and(|store| store.members().is_some())
        {
            let problem = "the state is kept in a pluggable state store; only the backends `local` and `s3` are supported";
            diagnostics.push(Diagnostic::error(problem));
        }
        let Some(backend) = root.get("backend") else {
            return Ok(None);
        };
        let Some(type_name) = backend
            .get("type")
            .and_then(Node::as_str)
            .filter(|name| !name.is_empty())
        else {
            return Ok(None);
        };
        let mut arguments = BTreeMap::new();
        let config = backend
            .get("config")
            .map(|config| &source.text[config.span.clone()]);
        if let Some(Literal::Map(members)) = config.and_then(plain_json) {
            for (name, value) in &members {
                flatten_saved(name, value, &mut arguments);
            }
        }
        Ok(Some(Self {
            backend: type_name.to_owned(),
            arguments,
            path: source.path.clone(),
        }))
    }
}

/// As `flatten`; a nested block may be saved as a list of one.
fn flatten_saved(name: &str, value: &Literal, into: &mut BTreeMap<String, String>) {
    match value {
        Literal::List(items) => match &items[..] {
            [] => {}
            [block @ Literal::Map(_)] => flatten(name, block, into),
            _ => flatten(name, value, into),
        },
        other => flatten(name, other, into),
    }
}
