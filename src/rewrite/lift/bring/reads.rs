//! What a brought block reads, as it is said at the root: arguments of the call, locals, and what comes along or tells.

use std::collections::{BTreeMap, BTreeSet};

use hcl_edit::expr::Expression;

use super::Bringer;
use crate::config::{ConfigFile, Item, Mode, Reference, Role, Span, Syntax, Target};
use crate::rewrite::access::{EachValue, Written, item_of};
use crate::rewrite::lift::Fault;
use crate::rewrite::lift::wanted::{Place, Wanted};
use crate::rewrite::naming::{free, short};
use crate::rewrite::refer::constant;
use crate::rewrite::splice::{Edit, apply};
use crate::rewrite::{each, text};

impl Bringer<'_, '_> {
    /// Returns the edits of one reference of a brought block.
    pub(super) fn reference(
        &mut self,
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
                Some(item) => self.item(file, reference, &item, wanted),
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
    pub(in crate::rewrite::lift) fn told(
        &mut self,
        output: &str,
        wanted: &BTreeMap<Wanted, Place>,
    ) -> Result<String, Fault> {
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
                edits.extend(self.reference(file, reference, wanted)?);
            }
            let value = apply(&file.source.text, &argument.value, &edits);
            self.locals.insert(new.clone(), value);
        }
        Ok(new)
    }

    /// A resource, data source or module of the module.
    fn item(
        &mut self,
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
                    format!("{}_{name}", short(type_name))
                }
                Item::Module(name) => name.clone(),
                _ => "value".to_owned(),
            };
            free(&wanted, |name| taken.contains(name))
        });
        self.outputs.insert(name.clone(), value);
        let key = self.key.as_ref().map(text::index).unwrap_or_default();
        Ok(vec![Edit::new(
            reference.root.clone(),
            format!("module.{}{key}.{name}", self.call),
        )])
    }
}
