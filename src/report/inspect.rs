//! The overview of a root module and its state.

use serde::Serialize;

use super::{Table, count, size};

/// What is in a root module and its state.
#[derive(Clone, Debug, Serialize)]
pub struct InspectReport {
    /// Version of this JSON.
    pub version: u32,
    /// The directory.
    pub dir: String,
    /// What the code declares.
    pub code: CodeReport,
    /// What the state holds; none where there is no state.
    pub state: Option<StateOverview>,
    /// Where the code says the state lives.
    pub backend: BackendReport,
    /// Resources with code and no instance.
    pub declared_not_deployed: Vec<String>,
    /// Resources with instances and no code.
    pub deployed_not_declared: Vec<String>,
    /// What would stop a split, or what a person should know.
    pub problems: Vec<String>,
}

/// Counts of blocks.
#[derive(Clone, Debug, Default, Serialize)]
pub struct CodeReport {
    /// Files of the root module.
    pub files: usize,
    /// Bytes of all files read, modules included.
    pub bytes: usize,
    /// Managed resources, modules included.
    pub resources: usize,
    /// Data sources, modules included.
    pub data_sources: usize,
    /// Modules: path, source, number of resources inside, instances in the state.
    pub modules: Vec<ModuleReport>,
    /// Local values of the root module.
    pub locals: usize,
    /// Variables of the root module.
    pub variables: usize,
    /// Outputs of the root module.
    pub outputs: usize,
    /// Provider configurations: address.
    pub providers: Vec<String>,
}

/// One module.
#[derive(Clone, Debug, Serialize)]
pub struct ModuleReport {
    /// Path, for example `module.net.module.subnets`.
    pub path: String,
    /// Its source as written.
    pub source: String,
    /// Resource and data blocks directly inside.
    pub blocks: usize,
    /// Objects in the state directly inside.
    pub objects: usize,
    /// Whether its code could be read.
    pub readable: bool,
}

/// Counts of a state.
#[derive(Clone, Debug, Serialize)]
pub struct StateOverview {
    /// The file or object it was read from.
    pub from: String,
    /// Bytes.
    pub bytes: usize,
    /// Terraform version that wrote it.
    pub terraform_version: String,
    /// Serial.
    pub serial: u64,
    /// Lineage.
    pub lineage: String,
    /// `indented`, `compact` or `foreign`.
    pub layout: String,
    /// Managed resources.
    pub resources: usize,
    /// Data sources.
    pub data_sources: usize,
    /// Managed instance objects.
    pub objects: usize,
    /// Root outputs.
    pub outputs: usize,
    /// Tainted instances.
    pub tainted: Vec<String>,
    /// Instances with deposed objects.
    pub deposed: Vec<String>,
    /// Objects by resource type, most first.
    pub types: Vec<(String, usize)>,
    /// The largest objects: address and bytes.
    pub largest: Vec<(String, usize)>,
}

/// Where the state lives.
#[derive(Clone, Debug, Serialize)]
pub struct BackendReport {
    /// `local`, `s3` …
    pub kind: String,
    /// Bucket and key, or path.
    pub location: String,
    /// Workspace.
    pub workspace: String,
}

impl InspectReport {
    /// Returns the report as JSON with a trailing newline.
    pub fn json(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).expect("strings and numbers always serialise");
        text.push('\n');
        text
    }

    /// Returns the overview for a terminal.
    pub fn text(&self) -> String {
        let mut text = format!("{}\n\n", self.dir);
        self.code_text(&mut text);
        self.state_text(&mut text);
        list(&mut text, "declared, not deployed", &self.declared_not_deployed);
        list(
            &mut text,
            "deployed, not declared (the next apply destroys them)",
            &self.deployed_not_declared,
        );
        list(&mut text, "problems", &self.problems);
        text
    }

    fn code_text(&self, text: &mut String) {
        let code = &self.code;
        text.push_str(&format!(
            "  code      {} in {} ({})\n",
            count(code.resources, "resource"),
            count(code.files, "file"),
            size(code.bytes)
        ));
        text.push_str(&format!(
            "            {}, {}, {}, {}\n",
            count(code.data_sources, "data source"),
            count(code.locals, "local"),
            count(code.variables, "variable"),
            count(code.outputs, "output")
        ));
        text.push_str(&format!(
            "  providers {}\n",
            code.providers.join("\n            ")
        ));
        let backend = &self.backend;
        text.push_str(&format!(
            "  backend   {} {} (workspace {})\n",
            backend.kind, backend.location, backend.workspace
        ));
        if !code.modules.is_empty() {
            text.push_str(&format!("\n  {}:\n", count(code.modules.len(), "module")));
            let mut table = Table::new(&["path", "source", ">blocks", ">objects"]);
            for module in &code.modules {
                let source = if module.readable {
                    module.source.clone()
                } else {
                    format!("{} (not readable)", module.source)
                };
                table.row([
                    module.path.clone(),
                    source,
                    module.blocks.to_string(),
                    module.objects.to_string(),
                ]);
            }
            text.push_str(&table.text(4));
        }
    }

    fn state_text(&self, text: &mut String) {
        let Some(state) = &self.state else {
            text.push_str("\n  state     none\n");
            return;
        };
        text.push_str(&format!(
            "\n  state     {} ({}, {}), Terraform {}, serial {}\n",
            state.from,
            size(state.bytes),
            state.layout,
            state.terraform_version,
            state.serial
        ));
        text.push_str(&format!(
            "            {} of {}, {}, {}\n",
            count(state.objects, "object"),
            count(state.resources, "managed resource"),
            count(state.data_sources, "data source"),
            count(state.outputs, "output")
        ));
        let shown: Vec<String> = state
            .types
            .iter()
            .take(8)
            .map(|(name, number)| format!("{number} {name}"))
            .collect();
        let more = state.types.len().saturating_sub(8);
        let rest = if more > 0 {
            format!(", {more} more types")
        } else {
            String::new()
        };
        text.push_str(&format!("            {}{rest}\n", shown.join(", ")));
        list(text, "tainted", &state.tainted);
        list(text, "with deposed objects", &state.deposed);
        if !state.largest.is_empty() {
            text.push_str("\n  largest objects:\n");
            for (address, bytes) in &state.largest {
                text.push_str(&format!("    {:>9}  {address}\n", size(*bytes)));
            }
        }
    }
}

/// Appends a titled list, or nothing where it is empty.
fn list(text: &mut String, title: &str, items: &[String]) {
    if items.is_empty() {
        return;
    }
    text.push_str(&format!("\n  {title} ({}):\n", items.len()));
    for item in items {
        text.push_str(&format!("    {item}\n"));
    }
}
