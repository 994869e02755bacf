//! The overview of a root module and its state.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::{REPORT_VERSION, Table, count, size};
use crate::address::{ModuleAddr, ResourceMode};
use crate::config::{CallTarget, Configuration, EffectiveBackend, Item, Mode};
use crate::diagnostic::{Shown, bounded};
use crate::graph::{Joined, Orphan};
use crate::plan::backend::describe;
use crate::state::{Layout, Snapshot};

/// What the overview is made from.
#[derive(Clone, Debug)]
pub struct Inspected<'a> {
    /// The directory, as the user named it.
    pub dir: &'a str,
    /// The code.
    pub configuration: &'a Configuration,
    /// Where the state lives.
    pub backend: &'a EffectiveBackend,
    /// Where the state was read from, and the state.
    pub state: Option<(String, &'a Snapshot)>,
    /// Code and state, joined.
    pub joined: &'a Joined,
    /// Modules whose code could not be read.
    pub opaque: &'a BTreeSet<ModuleAddr>,
}

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
    /// Collects the overview.
    pub fn new(found: &Inspected<'_>) -> Self {
        let mut declared_not_deployed = Vec::new();
        let mut deployed_not_declared = Vec::new();
        for orphan in &found.joined.orphans {
            match orphan {
                Orphan::DeclaredNotDeployed(addr) => declared_not_deployed.push(addr.to_string()),
                Orphan::DeployedNotDeclared(addr) => deployed_not_declared.push(addr.to_string()),
            }
        }
        let location = &found.backend.location;
        let mut problems: Vec<String> = found
            .opaque
            .iter()
            .map(|module| format!("{module}: its code is not installed; `terraform init` brings it"))
            .collect();
        problems.extend(
            found
                .configuration
                .diagnostics
                .iter()
                .map(|finding| finding.message.clone()),
        );
        Self {
            version: REPORT_VERSION,
            dir: found.dir.to_owned(),
            code: code_report(found),
            state: found
                .state
                .as_ref()
                .map(|(from, snapshot)| state_overview(from, snapshot)),
            backend: BackendReport {
                kind: location.backend.clone(),
                location: describe(location),
                workspace: location.workspace.clone(),
            },
            declared_not_deployed,
            deployed_not_declared,
            problems,
        }
    }

    /// Returns the overview for a pull request: the terminal's text, fenced.
    pub fn markdown(&self) -> String {
        format!("```text\n{}```\n", self.text())
    }

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
            match code.providers.as_slice() {
                [] => "none".to_owned(),
                providers => providers.join("\n            "),
            }
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
        for (number, row) in shown.chunks(4).enumerate() {
            let end = match (number + 1) * 4 >= shown.len() {
                true => rest.as_str(),
                false => ",",
            };
            text.push_str(&format!("            {}{end}\n", row.join(", ")));
        }
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
    for shown in bounded(items, |_| ()) {
        match shown {
            Shown::One(item) => text.push_str(&format!("    {item}\n")),
            Shown::Like(more) | Shown::Any(more) => {
                text.push_str(&format!("    … and {more} more: --format json has them all\n"));
            }
        }
    }
}

fn code_report(found: &Inspected<'_>) -> CodeReport {
    let configuration = found.configuration;
    let root = &configuration.root().source;
    let mut code = CodeReport {
        files: root.files.len(),
        ..CodeReport::default()
    };
    let mut objects: BTreeMap<ModuleAddr, usize> = BTreeMap::new();
    for (addr, instances) in &found.joined.instances {
        *objects.entry(addr.module.clone()).or_default() += instances.len();
    }
    let mut read = BTreeSet::new();
    for module in configuration.modules() {
        if read.insert(&module.source.dir) {
            code.bytes += module
                .source
                .files
                .iter()
                .map(|file| file.source.text.len())
                .sum::<usize>();
        }
        for (item, _) in module.source.items() {
            match item {
                Item::Resource {
                    mode: Mode::Managed, ..
                } => code.resources += 1,
                Item::Resource { mode: Mode::Data, .. } => code.data_sources += 1,
                Item::Provider { name, alias } => {
                    code.providers.extend(
                        configuration
                            .resolve(module, name, alias.as_deref())
                            .map(|p| p.to_string()),
                    );
                }
                _ => {}
            }
        }
        for (name, call) in &module.calls {
            let path = module.child(name);
            let inside = configuration.module(&path);
            let is_block = |item: &Item| matches!(item, Item::Resource { .. });
            code.modules.push(ModuleReport {
                source: call.source.clone().unwrap_or_else(|| "(computed)".to_owned()),
                blocks: inside.map_or(0, |inside| {
                    inside.source.items().filter(|(item, _)| is_block(item)).count()
                }),
                objects: objects.get(&path).copied().unwrap_or(0),
                readable: call.target != CallTarget::Unknown,
                path: path.to_string(),
            });
        }
    }
    code.modules.sort_by(|a, b| a.path.cmp(&b.path));
    let counted = |wanted: fn(&Item) -> bool| root.items().filter(|(item, _)| wanted(item)).count();
    code.locals = counted(|item| matches!(item, Item::Local(_)));
    code.variables = counted(|item| matches!(item, Item::Variable(_)));
    code.outputs = counted(|item| matches!(item, Item::Output(_)));
    code
}

fn state_overview(from: &str, snapshot: &Snapshot) -> StateOverview {
    let mut types: BTreeMap<&str, usize> = BTreeMap::new();
    let mut sized: Vec<(String, usize)> = Vec::new();
    let mut overview = StateOverview {
        from: from.to_owned(),
        bytes: snapshot.bytes().len(),
        terraform_version: snapshot.terraform_version().to_owned(),
        serial: snapshot.serial().0,
        lineage: snapshot.lineage().as_str().to_owned(),
        layout: match snapshot.layout() {
            Layout::Indented => "indented",
            Layout::Compact => "compact",
            Layout::Foreign => "foreign",
        }
        .to_owned(),
        resources: 0,
        data_sources: 0,
        objects: 0,
        outputs: snapshot.outputs().len(),
        tainted: Vec::new(),
        deposed: Vec::new(),
        types: Vec::new(),
        largest: Vec::new(),
    };
    for resource in snapshot.resources().filter(|resource| !resource.is_husk()) {
        if resource.addr().mode == ResourceMode::Data {
            overview.data_sources += 1;
            continue;
        }
        overview.resources += 1;
        for object in resource.instances() {
            overview.objects += 1;
            *types.entry(&resource.addr().type_name).or_default() += 1;
            sized.push((object.addr().to_string(), object.text().len()));
            if object.tainted() {
                overview.tainted.push(object.addr().to_string());
            }
            if let Some(key) = object.deposed() {
                overview
                    .deposed
                    .push(format!("{} (deposed {key})", object.addr()));
            }
        }
    }
    overview.types = types
        .into_iter()
        .map(|(name, number)| (name.to_owned(), number))
        .collect();
    overview
        .types
        .sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    sized.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    sized.truncate(5);
    overview.largest = sized;
    overview
}
