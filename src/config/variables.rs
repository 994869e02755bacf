//! Variable definition files: `terraform.tfvars`, `*.auto.tfvars`, files given by name; each in HCL or JSON.

use super::tree::read_text;
use super::{Attribute, ConfigError, ConfigFile, Literal, Syntax, hcl, json};
use crate::diagnostic::{Diagnostic, Severity};
use crate::source_tree::{SourceError, SourceTree};

/// Variable definition files in Terraform's order of precedence: later ones win.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Variables {
    /// The files.
    pub files: Vec<VariableFile>,
}

/// One variable definition file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VariableFile {
    /// The text; it has no blocks.
    pub file: ConfigFile,
    /// The entries, in source order.
    pub entries: Vec<Attribute>,
}

impl VariableFile {
    /// Returns the value of an entry.
    pub fn literal(&self, entry: &Attribute) -> Option<Literal> {
        match self.file.syntax {
            Syntax::Hcl => self.file.literal(&entry.value),
            // In a variables file a JSON string is no template.
            Syntax::Json => super::literal::plain_json(self.file.text(&entry.value)),
        }
    }
}

impl Variables {
    /// Reads the files that Terraform reads by itself, then the given ones (relative to the root module) in order.
    pub fn load(tree: &dyn SourceTree, given: &[String]) -> Result<Self, ConfigError> {
        let mut diagnostics = Vec::new();
        let names = tree.files("")?.unwrap_or_default();
        let mut paths = Vec::new();
        for fixed in ["terraform.tfvars", "terraform.tfvars.json"] {
            paths.extend(names.iter().filter(|name| *name == fixed).cloned());
        }
        let is_auto = |name: &&String| name.ends_with(".auto.tfvars") || name.ends_with(".auto.tfvars.json");
        let mut auto: Vec<String> = names.iter().filter(is_auto).cloned().collect();
        auto.sort();
        paths.extend(auto);
        paths.extend(given.iter().cloned());
        let mut files = Vec::new();
        for path in paths {
            files.push(read(tree, &path, &mut diagnostics)?);
        }
        if diagnostics.iter().any(|found| found.severity == Severity::Error) {
            return Err(ConfigError::Invalid {
                dir: tree.shown(""),
                diagnostics,
            });
        }
        Ok(Self { files })
    }

    /// Returns the entry that counts for a variable, with its file.
    pub fn get(&self, name: &str) -> Option<(&VariableFile, &Attribute)> {
        self.files.iter().rev().find_map(|file| {
            let entry = file.entries.iter().rev().find(|entry| entry.name == name)?;
            Some((file, entry))
        })
    }
}

fn read(
    tree: &dyn SourceTree,
    path: &str,
    diagnostics: &mut Vec<Diagnostic>,
) -> Result<VariableFile, SourceError> {
    let source = read_text(tree, path, diagnostics)?.ok_or_else(|| SourceError {
        path: tree.shown(path),
        reason: "there is no such file".to_owned(),
    })?;
    let entries = if path.ends_with(".json") {
        json::read_arguments(&source, diagnostics)
    } else {
        hcl::read_arguments(&source, diagnostics)
    };
    Ok(VariableFile {
        file: ConfigFile::of_arguments(source, path),
        entries,
    })
}
