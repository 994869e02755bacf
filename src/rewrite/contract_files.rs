//! The two files of a contract: what a stack tells, and what it is told.

mod consumer;

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
}
