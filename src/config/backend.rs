//! Where the root module's state lives: `backend` block, saved init data, given settings, workspace.
//!
//! A setting given to us wins over what `init` saved in the data directory, which wins over the block: the saved data
//! is what Terraform itself goes by, however the block reads today. What disagrees is reported.

use std::collections::BTreeMap;
use std::fmt;

use super::saved::SavedBackend;
use super::tree::read_text;
use super::{
    Attribute, BlockKind, Body, ConfigError, ConfigFile, Configuration, Literal, NestedBlock, Span, hcl,
};
use crate::diagnostic::{Diagnostic, Severity};
use crate::source_tree::{SourceTree, join};
use crate::stack::StateLocation;

/// One `-backend-config`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BackendSetting {
    /// A file of arguments, relative to the root module.
    File(String),
    /// `NAME=VALUE`.
    Value(String, String),
}

/// What is given from outside.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BackendInputs {
    /// Where `init` keeps its data; `.terraform` where it is empty.
    pub data_dir: String,
    /// Settings in the order given; later ones win.
    pub settings: Vec<BackendSetting>,
    /// The workspace, where one is named (`TF_WORKSPACE` or an option).
    pub workspace: Option<String>,
}

/// A state's location, and what is worth knowing about how it was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EffectiveBackend {
    /// Where the state lives. Arguments that nobody gave are absent, defaults too.
    pub location: StateLocation,
    /// Keys and tokens that stood among the arguments; to be used, never to be kept or shown.
    pub credentials: Credentials,
    /// Warnings.
    pub diagnostics: Vec<Diagnostic>,
}

/// Backend arguments that are secrets, by their Terraform names. `Debug` shows the names alone.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Credentials(BTreeMap<String, String>);

impl Credentials {
    /// The arguments that are secrets.
    const NAMES: [&str; 5] = [
        "access_key",
        "secret_key",
        "token",
        "sse_customer_key",
        "assume_role_with_web_identity.web_identity_token",
    ];

    /// Takes the secrets out of a backend's arguments.
    fn take_from(arguments: &mut BTreeMap<String, String>) -> Self {
        let taken = Self::NAMES
            .iter()
            .filter_map(|name| arguments.remove_entry(*name));
        Self(taken.collect())
    }

    /// Tells whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds them to the arguments they were taken from; arguments of the same names stay as they are.
    pub fn complete(&self, arguments: &mut BTreeMap<String, String>) {
        for (name, value) in &self.0 {
            arguments.entry(name.clone()).or_insert_with(|| value.clone());
        }
    }

    /// Returns one of them.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// The `backend` or `cloud` block that counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BackendBlock<'c> {
    /// The file it stands in.
    pub file: &'c ConfigFile,
    /// The block.
    pub block: &'c NestedBlock,
}

impl<'c> BackendBlock<'c> {
    /// Returns the backend's type; `cloud` for a `cloud` block.
    pub fn type_name(&self) -> &'c str {
        match self.block.labels.first() {
            Some(label) => &label.value,
            None => &self.block.name,
        }
    }
}

impl Configuration {
    /// Returns the `backend` or `cloud` block of the root module; overrides replace it as a whole.
    pub fn backend_block(&self) -> Option<BackendBlock<'_>> {
        let root = &self.root().source;
        let mut found = None;
        for (_, file, block) in root
            .blocks()
            .filter(|(_, _, block)| block.kind == BlockKind::Terraform)
        {
            let blocks = block.body.blocks.iter();
            let last = blocks
                .rev()
                .find(|nested| matches!(nested.name.as_str(), "backend" | "cloud"));
            found = last.map(|block| BackendBlock { file, block }).or(found);
        }
        found
    }

    /// Returns where the state of the root module lives.
    ///
    /// # Errors
    ///
    /// A backend that is neither `local` nor `s3`, an argument that cannot be known from the text and was not given,
    /// files that cannot be read.
    pub fn backend(
        &self,
        tree: &dyn SourceTree,
        inputs: &BackendInputs,
    ) -> Result<EffectiveBackend, ConfigError> {
        let mut found = Resolution::default();
        let data_dir = match inputs.data_dir.as_str() {
            "" => ".terraform",
            dir => dir,
        };
        let saved = SavedBackend::load(tree, data_dir, &mut found.diagnostics)?;
        found.block(self.backend_block(), saved.as_ref());
        if let Some(saved) = saved {
            found.saved(&saved);
        }
        for setting in &inputs.settings {
            found.setting(tree, setting)?;
        }
        found.check_known();
        let workspace = match &inputs.workspace {
            Some(workspace) => workspace.clone(),
            None => selected_workspace(tree, data_dir, &mut found.diagnostics)?,
        };
        if found
            .diagnostics
            .iter()
            .any(|finding| finding.severity == Severity::Error)
        {
            return Err(ConfigError::Invalid {
                dir: tree.shown(""),
                diagnostics: found.diagnostics,
            });
        }
        let credentials = Credentials::take_from(&mut found.arguments);
        Ok(EffectiveBackend {
            credentials,
            location: StateLocation {
                backend: found.backend,
                arguments: found.arguments,
                workspace,
            },
            diagnostics: found.diagnostics,
        })
    }
}

fn selected_workspace(
    tree: &dyn SourceTree,
    data_dir: &str,
    diagnostics: &mut Vec<Diagnostic>,
) -> Result<String, ConfigError> {
    let file = read_text(tree, &join(data_dir, "environment"), diagnostics)?;
    let name = file.as_ref().map_or("", |file| file.text.trim());
    Ok(if name.is_empty() { "default" } else { name }.to_owned())
}

/// The backend as far as it is known.
struct Resolution<'c> {
    backend: String,
    arguments: BTreeMap<String, String>,
    /// Arguments of the block that are no constants: where they stand.
    unknown: BTreeMap<String, (&'c ConfigFile, Span)>,
    /// Where each constant of the block stands.
    in_block: BTreeMap<String, (&'c ConfigFile, Span)>,
    block: Option<BackendBlock<'c>>,
    diagnostics: Vec<Diagnostic>,
}

impl Default for Resolution<'_> {
    fn default() -> Self {
        Self {
            backend: "local".to_owned(),
            arguments: BTreeMap::new(),
            unknown: BTreeMap::new(),
            in_block: BTreeMap::new(),
            block: None,
            diagnostics: Vec::new(),
        }
    }
}

impl<'c> Resolution<'c> {
    fn block(&mut self, block: Option<BackendBlock<'c>>, saved: Option<&SavedBackend>) {
        self.block = block;
        let Some(found) = block else {
            if let Some(saved) = saved.filter(|saved| saved.backend != "local") {
                let problem = format!(
                    "the configuration has no backend block, but `init` saved the backend `{}`; that one is used",
                    saved.backend
                );
                self.diagnostics.push(Diagnostic::warning(problem));
            }
            return;
        };
        self.backend = found.type_name().to_owned();
        self.body(found.file, &found.block.body, "");
        if let Some(saved) = saved.filter(|saved| saved.backend != self.backend) {
            let problem = format!(
                "the configuration says backend `{}`, but `init` saved `{}`; the saved one is used",
                self.backend, saved.backend
            );
            let hint = "run `terraform init` first if the state was moved";
            let warning = Diagnostic::warning(problem).at(&found.file.source, found.block.span.clone());
            self.diagnostics.push(warning.hint(hint));
        }
    }

    fn body(&mut self, file: &'c ConfigFile, body: &'c Body, prefix: &str) {
        for argument in &body.attributes {
            let name = format!("{prefix}{}", argument.name);
            match file.literal(&argument.value) {
                Some(value) => {
                    flatten(&name, &value, &mut self.arguments);
                    self.in_block.insert(name, (file, argument.span.clone()));
                }
                None => {
                    self.unknown.insert(name, (file, argument.span.clone()));
                }
            }
        }
        for nested in &body.blocks {
            self.body(file, &nested.body, &format!("{prefix}{}.", nested.name));
        }
    }

    /// Takes over what `init` saved, and reports constants of the block that say otherwise.
    fn saved(&mut self, saved: &SavedBackend) {
        if saved.backend == self.backend {
            for (name, (file, span)) in &self.in_block {
                let (Some(here), there) = (self.arguments.get(name), saved.arguments.get(name)) else {
                    continue;
                };
                if there.is_some_and(|there| there != here) {
                    let problem = format!(
                        "backend argument `{name}` differs from what `init` saved in {}; the saved value is used",
                        saved.path
                    );
                    let hint = "run `terraform init -reconfigure` if the block is right";
                    let warning = Diagnostic::warning(problem).at(&file.source, span.clone());
                    self.diagnostics.push(warning.hint(hint));
                }
            }
        }
        self.backend.clone_from(&saved.backend);
        self.arguments.clone_from(&saved.arguments);
        self.unknown.clear();
    }

    fn setting(&mut self, tree: &dyn SourceTree, setting: &BackendSetting) -> Result<(), ConfigError> {
        match setting {
            BackendSetting::Value(name, value) => self.give(name, &Literal::String(value.clone())),
            BackendSetting::File(path) => {
                let Some(source) = read_text(tree, path, &mut self.diagnostics)? else {
                    let problem = format!("there is no backend settings file {}", tree.shown(path));
                    self.diagnostics.push(Diagnostic::error(problem));
                    return Ok(());
                };
                let attributes = hcl::read_arguments(&source, &mut self.diagnostics);
                let file = ConfigFile::of_arguments(source, path);
                for argument in &attributes {
                    self.give_argument(&file, argument);
                }
            }
        }
        Ok(())
    }

    fn give_argument(&mut self, file: &ConfigFile, argument: &Attribute) {
        match file.literal(&argument.value) {
            Some(value) => self.give(&argument.name, &value),
            None => {
                let problem = format!("backend setting `{}` is not a constant", argument.name);
                self.diagnostics
                    .push(Diagnostic::error(problem).at(&file.source, argument.value.clone()));
            }
        }
    }

    fn give(&mut self, name: &str, value: &Literal) {
        let inside = format!("{name}.");
        self.unknown
            .retain(|known, _| known != name && !known.starts_with(&inside));
        self.arguments
            .retain(|known, _| known != name && !known.starts_with(&inside));
        flatten(name, value, &mut self.arguments);
    }

    /// Reports what stands in the way of using the backend.
    fn check_known(&mut self) {
        if !matches!(self.backend.as_str(), "local" | "s3") {
            let problem = match self.backend.as_str() {
                "cloud" => {
                    "the state is kept by HCP Terraform (`cloud` block); only `local` and `s3` are supported"
                        .into()
                }
                other => format!("the backend `{other}` is not supported, only `local` and `s3` are"),
            };
            let hint = "move the state to S3 first (`terraform init -migrate-state`), or split a pulled copy on the local backend";
            let mut error = Diagnostic::error(problem).hint(hint);
            if let Some(found) = &self.block {
                error = error.at(&found.file.source, found.block.span.clone());
            }
            self.diagnostics.push(error);
            return;
        }
        for (name, (file, span)) in &self.unknown {
            let problem = format!("backend argument `{name}` depends on something the text does not tell");
            let hint = format!("run `init`, or give it: -backend-config={name}=VALUE");
            self.diagnostics.push(
                Diagnostic::error(problem)
                    .at(&file.source, span.clone())
                    .hint(hint),
            );
        }
    }
}

/// Writes a value as plain text, objects as `name.member`; `null` is the same as absent.
pub(super) fn flatten(name: &str, value: &Literal, into: &mut BTreeMap<String, String>) {
    match value {
        Literal::Null => {}
        Literal::Map(members) => {
            for (member, value) in members {
                flatten(&format!("{name}.{member}"), value, into);
            }
        }
        other => {
            into.insert(name.to_owned(), other.to_text());
        }
    }
}
