//! The two files of a contract: what a stack tells, and what it is told.

use std::collections::{BTreeMap, BTreeSet};

use super::align::aligned;
use super::doc::Doc;
use super::export_blocks;
use super::exports::{Export, Half, document};
use super::refer::Writer;
use super::text;
use crate::config::Item;
use crate::contract::ContractModule;
use crate::plan::contract::{ContractSettings, ContractStore, SsmTier};
use crate::stack::{StateId, StateLocation};

/// Text of a file, and the modules it calls.
#[derive(Clone, Debug, Default)]
pub(super) struct ContractFile {
    /// The text.
    pub text: String,
    /// The modules.
    pub modules: BTreeSet<ContractModule>,
}

/// What the files are made from.
pub(super) struct ContractFiles<'e, 'c, 'a> {
    /// The references.
    pub writer: &'e Writer<'c, 'a>,
    /// How each state hands values on.
    pub settings: &'e BTreeMap<StateId, ContractSettings>,
    /// The directory of the contract modules.
    pub dir: &'e str,
    /// Where each state lives.
    pub locations: &'e BTreeMap<StateId, StateLocation>,
}

impl ContractFiles<'_, '_, '_> {
    fn private_is_used(&self, exported: &BTreeMap<Item, Export>) -> bool {
        exported.values().any(|export| !export.private.is_empty())
    }

    /// Returns the file with which a state tells; none where nobody asks.
    pub fn producer(&self, exported: Option<&BTreeMap<Item, Export>>) -> Option<ContractFile> {
        let writer = self.writer;
        let (cut, names, state) = (writer.cut, writer.names, writer.state);
        let settings = self.settings.get(state)?;
        let none = BTreeMap::new();
        let exported = exported.unwrap_or(&none);
        let half = |half| document(cut, names, state, exported, writer.secrets, half);
        let (mut public, mut private) = (half(Half::Public), half(Half::Private));
        self.added(&mut public, &mut private);
        if exported.is_empty() && public == Doc::Object(Vec::new()) && private == Doc::Object(Vec::new()) {
            return None;
        }
        let all = Doc::Object(vec![
            ("installed".to_owned(), Doc::Text("true".to_owned())),
            ("public".to_owned(), public.clone()),
            ("private".to_owned(), private.clone()),
        ]);
        let name = state.name().as_str();
        let mut file = ContractFile::default();
        let heading = "# What other stacks may read of this one.\n";
        let call = |module: ContractModule, extra: &str| {
            format!(
                "{heading}module {} {{\n  source = \"./{}/{}\"\n\n{extra}  path = {}\n  name = {}\n",
                text::quote(&names.contract),
                self.dir,
                module.name(),
                text::quote(&settings.path),
                text::quote(name),
            )
        };
        file.text = match settings.store {
            ContractStore::Ssm => {
                file.modules.insert(ContractModule::SsmStore);
                let tier = match settings.tier {
                    SsmTier::Standard => "",
                    SsmTier::Advanced => "  tier = \"Advanced\"\n",
                };
                format!(
                    "{}{tier}\n  data = {}\n}}\n",
                    call(ContractModule::SsmStore, ""),
                    all.print(2)
                )
            }
            ContractStore::S3 => {
                file.modules.insert(ContractModule::S3Store);
                let bucket = text::quote(settings.bucket.as_deref().unwrap_or(""));
                let bucket = format!("  bucket = {bucket}\n");
                format!(
                    "{}\n  data = {}\n}}\n",
                    call(ContractModule::S3Store, &bucket),
                    all.print(2)
                )
            }
            ContractStore::RemoteState => self.outputs(heading, &public, &private),
            ContractStore::Variables => return None,
        };
        file.text = aligned(&file.text);
        Some(file)
    }

    /// One text per half: a text has one type, whatever is in it.
    fn outputs(&self, heading: &str, public: &Doc, private: &Doc) -> String {
        let name = &self.writer.names.contract;
        let document = Doc::Object(vec![
            ("installed".to_owned(), Doc::Text("true".to_owned())),
            ("public".to_owned(), public.clone()),
        ]);
        let mut out = format!(
            "{heading}output {} {{\n  value = jsonencode({})\n}}\n",
            text::quote(name),
            document.print(2)
        );
        if *private != Doc::Object(Vec::new()) {
            out.push_str(&format!(
                "\noutput {} {{\n  value = jsonencode({})\n  sensitive = true\n}}\n",
                text::quote(&format!("{name}_private")),
                private.print(2)
            ));
        }
        out
    }

    /// Adds what `export` blocks of the plan file name.
    fn added(&self, public: &mut Doc, private: &mut Doc) {
        let StateId::Stack(name) = self.writer.state else {
            return;
        };
        let Some(stack) = self.writer.cut.input.plan.stack(name) else {
            return;
        };
        for export in &stack.exports {
            let half = if export.sensitive {
                &mut *private
            } else {
                &mut *public
            };
            half.insert(
                std::slice::from_ref(&export.name.value),
                Doc::Text(export_blocks::code(self.writer.cut, self.writer.state, export)),
            );
        }
    }

    /// Returns the file with which a state asks; none where it asks nobody.
    pub fn consumer(&self, exports: &super::exports::Exports) -> Option<ContractFile> {
        let writer = self.writer;
        let members = &writer.cut.members[writer.state];
        let mut file = ContractFile::default();
        let mut blocks = Vec::new();
        let mut locals: Vec<(String, String)> = Vec::new();
        for upstream in &members.upstreams {
            let settings = self.settings.get(upstream)?;
            let private = exports
                .get(upstream)
                .is_some_and(|exported| self.private_is_used(exported) && self.reads_private(upstream));
            self.upstream(upstream, settings, private, &mut file, &mut blocks, &mut locals);
        }
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
        file.text = aligned(&format!(
            "# What this stack reads of others.\n{}",
            blocks.join("\n")
        ));
        Some(file)
    }

    /// A view of one own instance alone is written where it is used.
    fn view_is_named(&self, item: &Item, keys: Option<&BTreeSet<crate::address::InstanceKey>>) -> bool {
        let writer = self.writer;
        let owned = &writer.cut.ownership[item];
        let owners = super::access::owners(owned, keys);
        let is_own = owners.len() == 1 && owners.contains(writer.state);
        !(is_own && matches!(owned.parts[writer.state].form, super::ownership::Form::Single(_)))
    }

    /// Tells whether this state reads secrets that Terraform hides from another one.
    fn reads_private(&self, upstream: &StateId) -> bool {
        let writer = self.writer;
        writer.cut.readings.iter().any(|((producer, item), readings)| {
            producer == upstream
                && readings.iter().any(|reading| {
                    reading.consumer == *writer.state
                        && match &reading.taken {
                            super::access::Taken::Attribute(name) => {
                                writer.secrets.secrecy(item, name) > super::secrets::Secrecy::Open
                            }
                            super::access::Taken::Whole => !writer.secrets_read(producer, item).is_empty(),
                            super::access::Taken::Keys => false,
                        }
                })
        })
    }

    fn upstream(
        &self,
        upstream: &StateId,
        settings: &ContractSettings,
        private: bool,
        file: &mut ContractFile,
        blocks: &mut Vec<String>,
        locals: &mut Vec<(String, String)>,
    ) {
        let name = self.writer.names.upstream(upstream).to_owned();
        let stack = upstream.name().as_str();
        let optional = self.writer.is_optional(upstream);
        let path = settings.path.trim_end_matches('/');
        let bucket = text::quote(settings.bucket.as_deref().unwrap_or(""));
        let mut read = |document: String, hides: bool| {
            let seen = if hides {
                format!("nonsensitive({document})")
            } else {
                document.clone()
            };
            if optional {
                locals.push((
                    format!("{name}_installed"),
                    format!("try({seen}.installed, false)"),
                ));
                locals.push((name.clone(), format!("try({seen}.public, null)")));
            } else {
                locals.push((name.clone(), format!("{seen}.public")));
            }
            if private {
                let value = match optional {
                    true => format!("try({document}.private, null)"),
                    false => format!("{document}.private"),
                };
                locals.push((format!("{name}_private"), value));
            }
        };
        let pattern = |prefix: &str| text::quote(&format!("^{}$", regex_text(&format!("{prefix}/{stack}"))));
        match settings.store {
            ContractStore::Ssm | ContractStore::S3 => {
                let is_s3 = settings.store == ContractStore::S3;
                let module = match (is_s3, optional) {
                    (false, false) => ContractModule::SsmStore,
                    (false, true) => ContractModule::SsmRegex,
                    (true, false) => ContractModule::S3Store,
                    (true, true) => ContractModule::S3Regex,
                };
                file.modules.insert(module);
                let mut block = format!(
                    "module {} {{\n  source = \"./{}/{}\"\n\n",
                    text::quote(&name),
                    self.dir,
                    module.name()
                );
                if is_s3 {
                    block.push_str(&format!("  bucket = {bucket}\n"));
                }
                block.push_str(&format!("  path = {}\n", text::quote(&settings.path)));
                if optional {
                    let prefix = match is_s3 {
                        true => path.trim_start_matches('/').to_owned(),
                        false => format!("/{}", path.trim_start_matches('/')),
                    };
                    block.push_str(&format!("  include_filter_regex = {}\n}}\n", pattern(&prefix)));
                    read(format!("module.{name}.values[{}]", text::quote(stack)), true);
                } else {
                    block.push_str(&format!("  name = {}\n}}\n", text::quote(stack)));
                    read(format!("module.{name}.value"), true);
                }
                blocks.push(block);
            }
            ContractStore::RemoteState => {
                if let Some(location) = self.locations.get(upstream) {
                    blocks.push(remote_state(&name, location));
                }
                let outputs = format!("data.terraform_remote_state.{name}.outputs");
                let contract = &self.writer.names.contract;
                let document = format!("jsondecode({outputs}.{contract})");
                locals.push((
                    name.clone(),
                    match optional {
                        true => format!("try({document}.public, null)"),
                        false => format!("{document}.public"),
                    },
                ));
                if optional {
                    locals.push((
                        format!("{name}_installed"),
                        format!("try({document}.installed, false)"),
                    ));
                }
                if private {
                    locals.push((
                        format!("{name}_private"),
                        format!("jsondecode({outputs}.{contract}_private)"),
                    ));
                }
            }
            ContractStore::Variables => {
                let heading = format!("What `{stack}` tells: see contracts.auto.tfvars.json");
                blocks.push(format!(
                    "variable {} {{\n  description = {}\n  type = any\n}}\n",
                    text::quote(&name),
                    text::quote(&heading)
                ));
                locals.push((name.clone(), format!("var.{name}")));
                if private {
                    let name = format!("{name}_private");
                    blocks.push(format!(
                        "variable {} {{\n  description = {}\n  type = any\n  sensitive = true\n}}\n",
                        text::quote(&name),
                        text::quote(&heading)
                    ));
                    locals.push((name.clone(), format!("var.{name}")));
                }
            }
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
