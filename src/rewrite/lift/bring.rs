//! One block of a module as it stands in the caller, with everything it needs.

use std::collections::{BTreeMap, BTreeSet};

use hcl_edit::expr::Expression;

use super::{Fault, Place, Wanted, free};
use crate::address::InstanceKey;
use crate::config::{
    BlockId, CallTarget, ConfigFile, Item, Mode, Module, Reference, Role, Span, Syntax, Target,
};
use crate::diagnostic::Diagnostic;
use crate::rewrite::Input;
use crate::rewrite::access::{EachValue, Written, item_of};
use crate::rewrite::refer::constant;
use crate::rewrite::splice::{Edit, apply};
use crate::rewrite::{each, text};

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
        let name = free(self.taken, &wanted);
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
                edits.extend(self.reference(piece.block, file, reference, wanted)?);
            }
            self.provider(file, block, item, &mut edits)?;
            if let (Item::Module(call), Some(source)) = (item, block.body.attribute("source"))
                && let Some(CallTarget::Local(dir)) = module.calls.get(call).map(|call| &call.target)
            {
                let new = if dir.starts_with("../") {
                    dir.clone()
                } else {
                    format!("./{dir}")
                };
                edits.push(Edit::new(source.value.clone(), text::quote(&new)));
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
        block: &crate::config::Block,
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

    fn reference(
        &mut self,
        id: BlockId,
        file: &ConfigFile,
        reference: &Reference,
        wanted: &BTreeMap<Wanted, Place>,
    ) -> Result<Vec<Edit>, Fault> {
        let root = reference.root.clone();
        match &reference.target {
            Target::Var(name) => {
                let value = self.argument(file, reference, name)?;
                Ok(vec![Edit::new(root, value)])
            }
            Target::Local(name) => {
                let item = Item::Local(name.clone());
                let new = self.local(&item, name, wanted)?;
                Ok(vec![Edit::new(root, format!("local.{new}"))])
            }
            Target::Path(which) if which == "module" => {
                let end = reference.span.end;
                let is_template =
                    reference.place.around.in_template && file.source.text[end..].starts_with('}');
                match is_template {
                    true => Ok(vec![Edit::new(
                        end + 1..end + 1,
                        format!("/{}", self.module.source.dir),
                    )]),
                    false => Err(self.refuse(
                        file,
                        &reference.span,
                        "the module's own path cannot be written at the root",
                    )),
                }
            }
            target => match item_of(target) {
                Some(item) => self.item(id, file, reference, &item, wanted),
                None => Ok(Vec::new()),
            },
        }
    }

    /// Returns what the caller says for a variable, as a short expression.
    fn argument(&mut self, file: &ConfigFile, reference: &Reference, name: &str) -> Result<String, Fault> {
        let known = Item::Variable(name.to_owned());
        if let Some(local) = self.brought.get(&known) {
            return Ok(format!("local.{local}"));
        }
        let root = &self.input.configuration.root().source;
        let call = Item::Module(self.call.to_owned());
        let given = root.attribute(&call, name);
        let (value, expr) = match given {
            Some((caller, argument)) => {
                if caller.syntax == Syntax::Json {
                    return Err(self.refuse(
                        caller,
                        &argument.span,
                        "arguments in JSON syntax cannot be written elsewhere",
                    ));
                }
                (
                    self.in_caller(caller, &argument.value)?,
                    caller.expression(&argument.value),
                )
            }
            None => match self.module.source.attribute(&known, "default") {
                Some((own, default)) => (
                    own.text(&default.value).to_owned(),
                    own.expression(&default.value),
                ),
                None => {
                    return Err(self.refuse(
                        file,
                        &reference.span,
                        "the caller says nothing for this variable",
                    ));
                }
            },
        };
        let is_simple = matches!(
            expr,
            Some(
                Expression::Traversal(_)
                    | Expression::Number(_)
                    | Expression::Bool(_)
                    | Expression::String(_)
            )
        );
        let around = reference.place.around;
        // A quoted text inside another one is right, but no one would write it.
        let is_text_in_text = around.in_template && value.starts_with('"');
        let is_short = is_simple && !value.contains('\n') && !around.in_heredoc && !is_text_in_text;
        if is_short {
            return Ok(value);
        }
        let local = self.name(name);
        self.locals.insert(local.clone(), value);
        self.brought.insert(known, local.clone());
        Ok(format!("local.{local}"))
    }

    /// Returns an argument of the call as it is for this instance.
    fn in_caller(&self, caller: &ConfigFile, span: &Span) -> Result<String, Fault> {
        let Some(key) = &self.key else {
            return Ok(caller.text(span).to_owned());
        };
        let root = &self.input.configuration.root().source;
        let call = Item::Module(self.call.to_owned());
        let mut edits = Vec::new();
        for block in &caller.blocks {
            for reference in block.references_in(span) {
                let new = match &reference.target {
                    Target::EachKey | Target::CountIndex => {
                        edits.push(constant(caller, reference, key));
                        continue;
                    }
                    Target::EachValue => match each::value(self.input, &call, key) {
                        Some(EachValue::Key) => text::literal(key),
                        Some(EachValue::Expression {
                            span,
                            file,
                            loose,
                            suffix,
                            written: Written::Hcl,
                        }) => {
                            let value = root.files[file].text(&span);
                            if loose {
                                format!("({value}){suffix}")
                            } else {
                                format!("{value}{suffix}")
                            }
                        }
                        Some(EachValue::Expression { .. }) | None => {
                            return Err(self.refuse(
                                caller,
                                &reference.span,
                                "the value of this key cannot be told",
                            ));
                        }
                    },
                    _ => continue,
                };
                edits.push(Edit::new(reference.root.clone(), new));
            }
        }
        Ok(apply(&caller.source.text, span, &edits))
    }

    /// Brings the value of an output, as a local; returns its name.
    pub(super) fn told(&mut self, output: &str, wanted: &BTreeMap<Wanted, Place>) -> Result<String, Fault> {
        self.local(&Item::Output(output.to_owned()), output, wanted)
    }

    /// Brings a local of the module.
    fn local(&mut self, item: &Item, name: &str, wanted: &BTreeMap<Wanted, Place>) -> Result<String, Fault> {
        if let Some(known) = self.brought.get(item) {
            return Ok(known.clone());
        }
        let new = self.name(name);
        self.brought.insert(item.clone(), new.clone());
        let module = self.module;
        let merged = module.source.merged(item);
        let is_value = |name: &str| matches!(item, Item::Local(_)) || name == "value";
        let value = merged.attributes.iter().find(|(_, found)| is_value(&found.name));
        if let Some(&(id, argument)) = value {
            let (file, block) = module.source.block(id);
            let mut edits = Vec::new();
            for reference in block.references_in(&argument.value) {
                edits.extend(self.reference(id, file, reference, wanted)?);
            }
            let value = apply(&file.source.text, &argument.value, &edits);
            self.locals.insert(new.clone(), value);
        }
        Ok(new)
    }

    /// A resource, data source or module of the module.
    fn item(
        &mut self,
        id: BlockId,
        file: &ConfigFile,
        reference: &Reference,
        item: &Item,
        wanted: &BTreeMap<Wanted, Place>,
    ) -> Result<Vec<Edit>, Fault> {
        let own = Wanted {
            call: self.call.to_owned(),
            key: self.key.clone(),
            item: item.clone(),
        };
        if let Some(place) = wanted.get(&own) {
            return Ok(vec![Edit::new(
                reference.root.clone(),
                text::root_of(&place.item),
            )]);
        }
        if matches!(reference.place.role, Role::DependsOn | Role::ReplaceTriggeredBy) {
            let message = "it depends on what stays in the module, in a way that no value can replace";
            return Err(self.refuse(file, &reference.span, message));
        }
        if self.has_no_objects(item) {
            let name = match self.brought.get(item) {
                Some(known) => known.clone(),
                None => {
                    let of = match item {
                        Item::Resource { name, .. } | Item::Module(name) => name.clone(),
                        _ => String::new(),
                    };
                    let name = self.name(&of);
                    self.brought.insert(item.clone(), name.clone());
                    self.block(item, &name, wanted)?;
                    name
                }
            };
            let new = match item {
                Item::Resource { mode, type_name, .. } => text::root_of(&Item::Resource {
                    mode: *mode,
                    type_name: type_name.clone(),
                    name,
                }),
                _ => format!("module.{name}"),
            };
            return Ok(vec![Edit::new(reference.root.clone(), new)]);
        }
        let _ = id;
        self.output(reference, item)
    }

    /// Tells whether something can simply be copied.
    fn has_no_objects(&self, item: &Item) -> bool {
        match item {
            Item::Resource { mode, .. } => *mode != Mode::Managed,
            Item::Module(name) => {
                let inside = self.module.child(name);
                let modules = self.input.configuration.modules();
                !modules
                    .filter(|module| module.address.0.starts_with(&inside.0))
                    .flat_map(|module| module.source.items())
                    .any(|(item, _)| {
                        matches!(
                            item,
                            Item::Resource {
                                mode: Mode::Managed,
                                ..
                            }
                        )
                    })
            }
            _ => false,
        }
    }

    /// What stays in the module tells its value by a new output.
    fn output(&mut self, reference: &Reference, item: &Item) -> Result<Vec<Edit>, Fault> {
        let value = text::root_of(item);
        let known = self
            .outputs
            .iter()
            .find(|(_, known)| **known == value)
            .map(|(name, _)| name.clone());
        let name = known.unwrap_or_else(|| {
            let taken: BTreeSet<String> = self
                .module
                .source
                .items()
                .filter_map(|(item, _)| match item {
                    Item::Output(name) => Some(name.clone()),
                    _ => None,
                })
                .chain(self.outputs.keys().cloned())
                .collect();
            let wanted = match item {
                Item::Resource { type_name, name, .. } => {
                    format!("{}_{name}", crate::rewrite::naming::short(type_name))
                }
                Item::Module(name) => name.clone(),
                _ => "value".to_owned(),
            };
            free(&taken, &wanted)
        });
        self.outputs.insert(name.clone(), value);
        let key = self.key.as_ref().map(text::index).unwrap_or_default();
        Ok(vec![Edit::new(
            reference.root.clone(),
            format!("module.{}{key}.{name}", self.call),
        )])
    }
}
