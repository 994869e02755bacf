//! One block of a module as it stands in the caller: copied with its name, its provider and what it reads.

mod reads;

use std::collections::{BTreeMap, BTreeSet};

use super::wanted::{Place, Wanted};
use super::{Fault, source_of};
use crate::address::InstanceKey;
use crate::config::{Block, CallTarget, ConfigFile, Item, Module, Span, Syntax};
use crate::diagnostic::Diagnostic;
use crate::rewrite::naming::free;
use crate::rewrite::splice::{Edit, apply};
use crate::rewrite::{Input, text};

/// Brings blocks of one module instance to the root.
pub(super) struct Bringer<'b, 'a> {
    input: &'b Input<'a>,
    module: &'b Module,
    call: &'b str,
    key: Option<InstanceKey>,
    /// Names at the root.
    taken: &'b mut BTreeSet<String>,
    /// Outputs that the module gets: name → expression.
    outputs: &'b mut BTreeMap<String, String>,
    /// Names at the root of what came along.
    brought: BTreeMap<Item, String>,
    /// Blocks by the file they come from.
    texts: BTreeMap<String, Vec<String>>,
    /// Locals at the root for arguments and locals: name → expression.
    locals: BTreeMap<String, String>,
}

impl<'b, 'a> Bringer<'b, 'a> {
    pub(super) fn new(
        input: &'b Input<'a>,
        module: &'b Module,
        call: &'b str,
        key: Option<InstanceKey>,
        taken: &'b mut BTreeSet<String>,
        outputs: &'b mut BTreeMap<String, String>,
    ) -> Self {
        Self {
            input,
            module,
            call,
            key,
            taken,
            outputs,
            brought: BTreeMap::new(),
            texts: BTreeMap::new(),
            locals: BTreeMap::new(),
        }
    }

    /// Returns the texts by file.
    pub(super) fn finish(mut self) -> Result<BTreeMap<String, String>, Fault> {
        if !self.locals.is_empty() {
            let lines: Vec<String> = self
                .locals
                .iter()
                .map(|(name, value)| format!("  {name} = {value}\n"))
                .collect();
            let file = self
                .texts
                .keys()
                .next()
                .cloned()
                .unwrap_or_else(|| "lifted.tf".to_owned());
            let block = format!("locals {{\n{}}}\n", lines.concat());
            self.texts.entry(file).or_default().insert(0, block);
        }
        Ok(self
            .texts
            .into_iter()
            .map(|(file, blocks)| (file, blocks.join("\n")))
            .collect())
    }

    fn refuse(&self, file: &ConfigFile, span: &Span, message: &str) -> Fault {
        let found = Diagnostic::error(message).at(&file.source, span.clone());
        Box::new(
            found
                .note("the block would be lifted out of its module; nothing was written")
                .hint("take the module as a whole, or move the block out in the monolith first"),
        )
    }

    /// A name at the root for something of this module instance.
    fn name(&mut self, of: &str) -> String {
        let key = self.key.as_ref().map(text::key_text).unwrap_or_default();
        let wanted: String = [self.call, &key, of]
            .iter()
            .filter(|part| !part.is_empty())
            .map(|part| part.replace(|c: char| !c.is_ascii_alphanumeric() && c != '_', "_"))
            .collect::<Vec<_>>()
            .join("_");
        let name = free(&wanted, |name| self.taken.contains(name));
        self.taken.insert(name.clone());
        name
    }

    /// Brings a block that is wanted itself.
    pub(super) fn lift(
        &mut self,
        item: &Item,
        place: &Item,
        wanted: &BTreeMap<Wanted, Place>,
    ) -> Result<(), Fault> {
        let Item::Resource { name, .. } = place else {
            return Ok(());
        };
        self.block(item, name, wanted)
    }

    /// Copies the block of an item under a new name.
    fn block(&mut self, item: &Item, name: &str, wanted: &BTreeMap<Wanted, Place>) -> Result<(), Fault> {
        let module = self.module;
        for piece in module.source.declarations(item).to_vec() {
            let (file, block) = module.source.block(piece.block);
            if file.syntax == Syntax::Json || file.is_override || piece.nested.is_some() {
                return Err(self.refuse(
                    file,
                    &block.header,
                    "only blocks of plain HCL files can be lifted out",
                ));
            }
            let mut edits = Vec::new();
            if let Some(label) = block.labels.last() {
                edits.push(Edit::new(label.span.clone(), text::quote(name)));
            }
            for reference in &block.references {
                edits.extend(self.reference(file, reference, wanted)?);
            }
            self.provider(file, block, item, &mut edits)?;
            if let (Item::Module(call), Some(source)) = (item, block.body.attribute("source"))
                && let Some(CallTarget::Local(dir)) = module.calls.get(call).map(|call| &call.target)
            {
                edits.push(Edit::new(source.value.clone(), text::quote(&source_of(dir))));
            }
            let text = apply(&file.source.text, &block.full, &edits);
            self.texts.entry(file.name.clone()).or_default().push(text);
        }
        Ok(())
    }

    /// Names the provider configuration that the block had by way of its module.
    fn provider(
        &self,
        file: &ConfigFile,
        block: &Block,
        item: &Item,
        edits: &mut Vec<Edit>,
    ) -> Result<(), Fault> {
        if !matches!(item, Item::Resource { .. }) {
            return Ok(());
        }
        let configuration = self.input.configuration;
        let found = configuration
            .provider_for_item(&self.module.address, item)
            .map_err(|error| self.refuse(file, &block.header, &error.to_string()))?;
        if !found.module.0.is_empty() {
            return Err(self.refuse(
                file,
                &block.header,
                "its provider is configured inside the module",
            ));
        }
        let root = configuration.root();
        let named = root.source.items().find_map(|(item, _)| match item {
            Item::Provider { name, alias } => {
                let own = configuration.resolve(root, name, alias.as_deref()).ok()?;
                (own == found).then(|| (name.clone(), alias.clone()))
            }
            _ => None,
        });
        let argument = block.body.attribute("provider");
        match (named, argument) {
            (Some((name, Some(alias))), Some(argument)) => {
                edits.push(Edit::new(argument.value.clone(), format!("{name}.{alias}")));
            }
            (Some((name, Some(alias))), None) => {
                let at = block.body.span.start + 1;
                edits.push(Edit::new(at..at, format!("\n  provider = {name}.{alias}")));
            }
            (_, Some(argument)) => edits.push(Edit::new(argument.full.clone(), "")),
            (_, None) => {}
        }
        Ok(())
    }
}
