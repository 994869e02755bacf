//! The file with which a state asks: how it reads each upstream's contract, and what it puts together of several.

use std::collections::{BTreeMap, BTreeSet};

use super::{ContractFile, ContractFiles};
use crate::address::InstanceKey;
use crate::config::Item;
use crate::contract::ContractModule;
use crate::plan::contract::{ContractSettings, ContractStore};
use crate::rewrite::access::{Taken, owners};
use crate::rewrite::align::aligned;
use crate::rewrite::doc::Doc;
use crate::rewrite::exports::{Export, Exports};
use crate::rewrite::ownership::Form;
use crate::rewrite::secrets::Secrecy;
use crate::rewrite::text;
use crate::stack::{StateId, StateLocation};

impl ContractFiles<'_, '_, '_> {
    /// Returns the file with which a state asks; none where it asks nobody.
    pub fn consumer(&self, exports: &Exports) -> Option<ContractFile> {
        let writer = self.writer;
        let members = &writer.cut.members[writer.state];
        let mut asked_for = Asked::default();
        for upstream in &members.upstreams {
            let settings = self.settings.get(upstream)?;
            let told = exports.get(upstream);
            let source = Upstream {
                files: self,
                id: upstream,
                settings,
                name: writer.names.upstream(upstream),
                optional: writer.is_optional(upstream),
                private: told.is_some_and(private_is_used) && self.reads_private(upstream),
            };
            source.ask(&mut asked_for);
        }
        let Asked {
            mut blocks,
            mut locals,
            modules,
        } = asked_for;
        for (item, asked) in &members.views {
            let all = asked.iter().any(Option::is_none);
            let keys: BTreeSet<_> = asked.iter().flatten().flatten().cloned().collect();
            let keys = (!all).then_some(keys);
            let name = writer.names.view(item);
            let value = writer.view_text(item, keys.as_ref());
            if self.view_is_named(item, keys.as_ref()) {
                locals.push((name.to_owned(), value));
            }
        }
        if !locals.is_empty() {
            let lines: Vec<String> = locals
                .iter()
                .map(|(name, value)| format!("  {name} = {value}\n"))
                .collect();
            blocks.push(format!("locals {{\n{}}}\n", lines.concat()));
        }
        if blocks.is_empty() {
            return None;
        }
        let heading = "# What this stack reads of others.\n";
        let text = aligned(&format!("{heading}{}", blocks.join("\n")));
        Some(ContractFile { text, modules })
    }

    /// A view of one own instance alone is written where it is used.
    fn view_is_named(&self, item: &Item, keys: Option<&BTreeSet<InstanceKey>>) -> bool {
        let writer = self.writer;
        let owned = &writer.cut.ownership[item];
        let owners = owners(owned, keys);
        let is_own = owners.len() == 1 && owners.contains(writer.state);
        !(is_own && matches!(owned.parts[writer.state].form, Form::Single(_)))
    }

    /// Tells whether this state reads secrets that Terraform hides from another one.
    fn reads_private(&self, upstream: &StateId) -> bool {
        let writer = self.writer;
        writer.cut.readings.iter().any(|((producer, item), readings)| {
            producer == upstream
                && readings.iter().any(|reading| {
                    reading.consumer == *writer.state
                        && match &reading.taken {
                            Taken::Attribute(name) => writer.secrets.secrecy(item, name) > Secrecy::Open,
                            Taken::Whole => !writer.secrets_read(producer, item).is_empty(),
                            Taken::Keys => false,
                        }
                })
        })
    }
}

fn private_is_used(exported: &BTreeMap<Item, Export>) -> bool {
    exported.values().any(|export| !export.private.is_empty())
}

/// What the file is put together from.
#[derive(Default)]
struct Asked {
    blocks: Vec<String>,
    /// Names and expressions.
    locals: Vec<(String, String)>,
    modules: BTreeSet<ContractModule>,
}

impl Asked {
    fn local(&mut self, name: impl Into<String>, value: String) {
        self.locals.push((name.into(), value));
    }
}

/// A state whose contract is read.
struct Upstream<'u, 'e, 'c, 'a> {
    files: &'u ContractFiles<'e, 'c, 'a>,
    id: &'u StateId,
    settings: &'u ContractSettings,
    /// The local with its contract.
    name: &'u str,
    /// Whether it may be absent.
    optional: bool,
    /// Whether its private half is read.
    private: bool,
}

impl Upstream<'_, '_, '_, '_> {
    fn ask(&self, asked: &mut Asked) {
        match self.settings.store {
            ContractStore::Ssm | ContractStore::S3 => self.ask_store(asked),
            ContractStore::RemoteState => self.ask_state(asked),
            ContractStore::Variables => self.ask_variables(asked),
        }
    }

    /// Reads one document by a module; one that may be absent, by a module that lists.
    fn ask_store(&self, asked: &mut Asked) {
        let is_s3 = self.settings.store == ContractStore::S3;
        let module = match (is_s3, self.optional) {
            (false, false) => ContractModule::SsmStore,
            (false, true) => ContractModule::SsmRegex,
            (true, false) => ContractModule::S3Store,
            (true, true) => ContractModule::S3Regex,
        };
        asked.modules.insert(module);
        let (name, stack) = (self.name, self.id.name().as_str());
        let mut block = format!(
            "module {} {{\n  source = \"./{}/{}\"\n\n",
            text::quote(name),
            self.files.dir,
            module.name()
        );
        if is_s3 {
            let bucket = text::quote(self.settings.bucket.as_deref().unwrap_or(""));
            block.push_str(&format!("  bucket = {bucket}\n"));
        }
        block.push_str(&format!("  path = {}\n", text::quote(&self.settings.path)));
        if self.optional {
            let path = self.settings.path.trim_matches('/');
            let prefix = match is_s3 {
                true => path.to_owned(),
                false => format!("/{path}"),
            };
            let pattern = format!("^{}$", regex_text(&format!("{prefix}/{stack}")));
            let pattern = text::quote(&pattern);
            block.push_str(&format!("  include_filter_regex = {pattern}\n}}\n"));
        } else {
            block.push_str(&format!("  name = {}\n}}\n", text::quote(stack)));
        }
        asked.blocks.push(block);
        if self.optional {
            let document = format!("module.{name}.values[{}]", text::quote(stack));
            let seen = format!("nonsensitive({document})");
            asked.local(
                format!("{name}_installed"),
                format!("try({seen}.installed, false)"),
            );
            asked.local(name, format!("try({seen}.public, null)"));
            if self.private {
                asked.local(
                    format!("{name}_private"),
                    format!("try({document}.private, null)"),
                );
            }
            return;
        }
        let document = format!("module.{name}.value");
        asked.local(name, format!("nonsensitive({document}).public"));
        if self.private {
            asked.local(format!("{name}_private"), format!("{document}.private"));
        }
    }

    /// Reads outputs of the state.
    fn ask_state(&self, asked: &mut Asked) {
        let name = self.name;
        if let Some(location) = self.files.locations.get(self.id) {
            asked.blocks.push(remote_state(name, location));
        }
        let outputs = format!("data.terraform_remote_state.{name}.outputs");
        let contract = &self.files.writer.names.contract;
        let document = format!("jsondecode({outputs}.{contract})");
        if self.optional {
            asked.local(name, format!("try({document}.public, null)"));
            asked.local(
                format!("{name}_installed"),
                format!("try({document}.installed, false)"),
            );
        } else {
            asked.local(name, format!("{document}.public"));
        }
        if self.private {
            asked.local(
                format!("{name}_private"),
                format!("jsondecode({outputs}.{contract}_private)"),
            );
        }
    }

    /// Is told by variables.
    fn ask_variables(&self, asked: &mut Asked) {
        let stack = self.id.name();
        let heading = text::quote(&format!("What `{stack}` tells: see contracts.auto.tfvars.json"));
        let mut variable = |name: &str, more: &str| {
            asked.blocks.push(format!(
                "variable {} {{\n  description = {heading}\n  type = any\n{more}}}\n",
                text::quote(name),
            ));
            asked.local(name, format!("var.{name}"));
        };
        variable(self.name, "");
        if self.private {
            variable(&format!("{}_private", self.name), "  sensitive = true\n");
        }
    }
}

fn remote_state(name: &str, location: &StateLocation) -> String {
    let mut config = Doc::Object(Vec::new());
    for (argument, value) in &location.arguments {
        let path: Vec<String> = argument.split('.').map(str::to_owned).collect();
        let plain = matches!(value.as_str(), "true" | "false");
        config.insert(
            &path,
            Doc::Text(if plain { value.clone() } else { text::quote(value) }),
        );
    }
    let workspace = match location.workspace.as_str() {
        "default" => String::new(),
        workspace => format!("  workspace = {}\n", text::quote(workspace)),
    };
    format!(
        "data \"terraform_remote_state\" {} {{\n  backend = {}\n{workspace}\n  config = {}\n}}\n",
        text::quote(name),
        text::quote(&location.backend),
        config.print(2)
    )
}

/// Escapes a text for a regular expression.
fn regex_text(text: &str) -> String {
    let mut out = String::new();
    for found in text.chars() {
        if ".+*?()|[]{}^$\\".contains(found) {
            out.push('\\');
        }
        out.push(found);
    }
    out
}
