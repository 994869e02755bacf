//! Values of expressions, as far as the state and constants tell them: for sizes, for outputs, for variables.
//!
//! This is no Terraform: what it does not know for sure, it does not say.

mod expr;
mod functions;
mod state;

use std::cell::RefCell;
use std::collections::BTreeMap;

use super::Input;
use crate::address::{InstanceKey, ModuleInstanceAddr, ModuleStep};
use crate::config::{ConfigFile, Item, Literal, Mode, ModuleSource, Syntax};
use crate::contract::value::Value;

/// How deep one value may lead to others.
const MAX_DEPTH: usize = 100;

/// The values of one monolith.
pub(super) struct Values<'a> {
    input: &'a Input<'a>,
    cache: RefCell<BTreeMap<(ModuleInstanceAddr, Item), Option<Value>>>,
    depth: RefCell<usize>,
}

/// Where an expression stands: its module instance, and names that are bound there.
#[derive(Clone)]
pub(super) struct Scope {
    module: ModuleInstanceAddr,
    names: BTreeMap<String, Value>,
}

impl Scope {
    /// The root module.
    pub fn root() -> Self {
        Self {
            module: ModuleInstanceAddr::root(),
            names: BTreeMap::new(),
        }
    }
}

impl<'a> Values<'a> {
    /// Makes the values of a monolith; nothing is computed yet.
    pub fn new(input: &'a Input<'a>) -> Self {
        Self {
            input,
            cache: RefCell::new(BTreeMap::new()),
            depth: RefCell::new(0),
        }
    }

    fn source(&self, module: &ModuleInstanceAddr) -> Option<&'a ModuleSource> {
        Some(&self.input.configuration.module(&module.config())?.source)
    }

    /// Returns the value of an item in a module instance: `local.x`, `var.x`, an output, a resource, a call.
    pub fn item(&self, module: &ModuleInstanceAddr, item: &Item) -> Option<Value> {
        let key = (module.clone(), item.clone());
        if let Some(known) = self.cache.borrow().get(&key) {
            return known.clone();
        }
        if *self.depth.borrow() > MAX_DEPTH {
            return None;
        }
        *self.depth.borrow_mut() += 1;
        // What leads to itself is nothing; Terraform refuses it.
        self.cache.borrow_mut().insert(key.clone(), None);
        let value = self.compute(module, item);
        *self.depth.borrow_mut() -= 1;
        self.cache.borrow_mut().insert(key, value.clone());
        value
    }

    fn compute(&self, module: &ModuleInstanceAddr, item: &Item) -> Option<Value> {
        let scope = Scope {
            module: module.clone(),
            names: BTreeMap::new(),
        };
        match item {
            Item::Local(name) => self.argument(&scope, item, name),
            Item::Output(_) => self.argument(&scope, item, "value"),
            Item::Variable(name) => self.variable(module, name),
            Item::Resource {
                mode: Mode::Managed | Mode::Data,
                ..
            } => state::resource(self.input.snapshot, module, item, self.repetition(module, item)?),
            Item::Module(name) => self.call(module, name),
            _ => None,
        }
    }

    /// Returns the value of an item's argument.
    fn argument(&self, scope: &Scope, item: &Item, name: &str) -> Option<Value> {
        let source = self.source(&scope.module)?;
        let merged = source.merged(item);
        let (block, argument) = merged
            .attributes
            .iter()
            .find(|(_, argument)| argument.name == name)?;
        let (file, _) = source.block(*block);
        self.text(scope, file, &argument.value)
    }

    fn text(&self, scope: &Scope, file: &ConfigFile, span: &std::ops::Range<usize>) -> Option<Value> {
        match file.syntax {
            Syntax::Hcl => self.expr(scope, &file.expression(span)?),
            Syntax::Json => file.literal(span).map(|literal| from_literal(&literal)),
        }
    }

    fn variable(&self, module: &ModuleInstanceAddr, name: &str) -> Option<Value> {
        let item = Item::Variable(name.to_owned());
        let source = self.source(module)?;
        let given = match module.0.split_last() {
            None => self
                .input
                .code
                .variables
                .get(name)
                .and_then(|(file, entry)| file.literal(entry))
                .map(|literal| from_literal(&literal)),
            Some((call, outer)) => {
                let outer = ModuleInstanceAddr(outer.to_vec());
                let caller = self.source(&outer)?;
                let called = Item::Module(call.name.clone());
                match caller.attribute(&called, name) {
                    Some(_) => {
                        let scope = self.instance_scope(&outer, &called, call.key.as_ref())?;
                        Some(self.argument(&scope, &called, name)?)
                    }
                    None => None,
                }
            }
        };
        let value = match given {
            Some(given) => given,
            None => {
                let (file, default) = source.attribute(&item, "default")?;
                from_literal(&file.literal(&default.value)?)
            }
        };
        match source.attribute(&item, "type") {
            Some((file, constraint)) => convert(file.text(&constraint.value).trim_matches('"'), value),
            None => Some(value),
        }
    }

    /// Returns the scope in the block of an instance: `each` and `count` are bound.
    fn instance_scope(
        &self,
        module: &ModuleInstanceAddr,
        item: &Item,
        key: Option<&InstanceKey>,
    ) -> Option<Scope> {
        let mut scope = Scope {
            module: module.clone(),
            names: BTreeMap::new(),
        };
        match key {
            Some(InstanceKey::Int(number)) => {
                let index = Value::Object(BTreeMap::from([(
                    "index".to_owned(),
                    Value::Number(number.to_string()),
                )]));
                scope.names.insert("count".to_owned(), index);
            }
            Some(InstanceKey::Str(key)) => {
                let all = self.argument(&scope.clone(), item, "for_each");
                let value = match all {
                    Some(Value::Object(members)) => members.get(key).cloned(),
                    Some(Value::List(_)) => Some(Value::String(key.clone())),
                    _ => None,
                };
                let mut each = BTreeMap::from([("key".to_owned(), Value::String(key.clone()))]);
                each.extend(value.map(|value| ("value".to_owned(), value)));
                scope.names.insert("each".to_owned(), Value::Object(each));
            }
            None => {}
        }
        Some(scope)
    }

    fn repetition(&self, module: &ModuleInstanceAddr, item: &Item) -> Option<super::ownership::Repetition> {
        use super::ownership::Repetition;
        let source = self.source(module)?;
        Some(
            match (
                source.attribute(item, "for_each"),
                source.attribute(item, "count"),
            ) {
                (Some(_), _) => Repetition::ForEach,
                (None, Some(_)) => Repetition::Count,
                (None, None) => Repetition::None,
            },
        )
    }

    /// Returns a whole module call: its outputs, by key where it is repeated.
    fn call(&self, module: &ModuleInstanceAddr, name: &str) -> Option<Value> {
        use super::ownership::Repetition;
        let item = Item::Module(name.to_owned());
        let repetition = self.repetition(module, &item)?;
        if repetition == Repetition::None {
            return self.outputs(&child(module, name, None));
        }
        let keys = state::module_keys(self.input.snapshot, module, name);
        if repetition == Repetition::Count {
            let all = keys
                .iter()
                .map(|key| self.outputs(&child(module, name, Some(key.clone()))));
            return all.collect::<Option<Vec<Value>>>().map(Value::List);
        }
        let all = keys.iter().map(|key| {
            let outputs = self.outputs(&child(module, name, Some(key.clone())))?;
            Some((super::text::key_text(key), outputs))
        });
        all.collect::<Option<BTreeMap<String, Value>>>()
            .map(Value::Object)
    }

    fn outputs(&self, module: &ModuleInstanceAddr) -> Option<Value> {
        let source = self.source(module)?;
        let mut outputs = BTreeMap::new();
        for (item, _) in source.items() {
            if let Item::Output(name) = item {
                outputs.insert(name.clone(), self.item(module, item)?);
            }
        }
        Some(Value::Object(outputs))
    }
}

fn child(module: &ModuleInstanceAddr, name: &str, key: Option<InstanceKey>) -> ModuleInstanceAddr {
    let mut inner = module.clone();
    inner.0.push(ModuleStep {
        name: name.to_owned(),
        key,
    });
    inner
}

fn from_literal(literal: &Literal) -> Value {
    match literal {
        Literal::Null => Value::Null,
        Literal::Bool(value) => Value::Bool(*value),
        Literal::Number(number) => Value::Number(number.clone()),
        Literal::String(text) => Value::String(text.clone()),
        Literal::List(items) => Value::List(items.iter().map(from_literal).collect()),
        Literal::Map(members) => Value::Object(
            members
                .iter()
                .map(|(key, value)| (key.clone(), from_literal(value)))
                .collect(),
        ),
    }
}

/// Converts a value to a variable's type, where that is simple enough to be sure.
fn convert(constraint: &str, value: Value) -> Option<Value> {
    let compact: String = constraint.split_whitespace().collect();
    if value == Value::Null || compact == "any" {
        return Some(value);
    }
    if let Some(inner) = compact
        .strip_prefix("list(")
        .and_then(|rest| rest.strip_suffix(')'))
    {
        let Value::List(items) = value else { return None };
        let items = items.into_iter().map(|item| convert(inner, item));
        return items.collect::<Option<Vec<Value>>>().map(Value::List);
    }
    if let Some(inner) = compact
        .strip_prefix("map(")
        .and_then(|rest| rest.strip_suffix(')'))
    {
        let Value::Object(members) = value else {
            return None;
        };
        let members = members
            .into_iter()
            .map(|(key, value)| Some((key, convert(inner, value)?)));
        return members
            .collect::<Option<BTreeMap<String, Value>>>()
            .map(Value::Object);
    }
    match (compact.as_str(), value) {
        ("string", value) => value.as_text().map(Value::String),
        ("bool", Value::Bool(value)) => Some(Value::Bool(value)),
        ("number", Value::Number(number)) => Some(Value::Number(number)),
        _ => None,
    }
}
