//! Which values are lists, sets or maps: JSON makes tuples and objects of them, and where no provider's schema converts
//! them back, a consumer must.
//!
//! Known from type constraints, from functions that give nothing else, and from the state where it keeps a type beside
//! a value. What is not known for sure is left alone.

use hcl_edit::expr::{Expression, TraversalOperator};

use super::{Input, secrets};
use crate::address::{InstanceKey, ModuleAddr};
use crate::config::{Item, Mode, Reference, StepKind, Syntax};
use crate::contract::value::Value;

/// How far a value is followed.
const MAX_DEPTH: usize = 20;

/// A function that gives a value its type back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Collection {
    /// `tolist`.
    List,
    /// `toset`.
    Set,
    /// `tomap`.
    Map,
}

impl Collection {
    /// Returns the function.
    pub fn function(self) -> &'static str {
        match self {
            Self::List => "tolist",
            Self::Set => "toset",
            Self::Map => "tomap",
        }
    }

    fn from_word(word: &str) -> Option<Self> {
        match word {
            "list" => Some(Self::List),
            "set" => Some(Self::Set),
            "map" => Some(Self::Map),
            _ => None,
        }
    }
}

/// Returns the collection that a reference to an item of the root module gives.
pub(super) fn of_reference(
    input: &Input<'_>,
    item: &Item,
    is_repeated: bool,
    reference: &Reference,
) -> Option<Collection> {
    let mut steps: Vec<&StepKind> = reference.steps.iter().map(|step| &step.kind).collect();
    let mut key = None;
    if is_repeated {
        match steps.first()? {
            StepKind::Index(found) => key = Some(found.clone()),
            StepKind::IndexExpression(_) | StepKind::LegacyIndex(_) => {}
            _ => return None,
        }
        steps.remove(0);
    }
    let path: Vec<String> = steps
        .iter()
        .map(|step| match step {
            StepKind::Attr(name) => Some(name.clone()),
            StepKind::Index(InstanceKey::Str(name)) => Some(name.clone()),
            StepKind::Index(InstanceKey::Int(number)) => Some(number.to_string()),
            _ => None,
        })
        .collect::<Option<_>>()?;
    match item {
        Item::Module(call) => match &path[..] {
            [output] => of_output(input, &ModuleAddr::default(), call, output, 0),
            _ => None,
        },
        _ => in_state(input, &ModuleAddr::default(), item, key.as_ref(), &path),
    }
}

/// Returns the collection that an expression of the root module gives.
pub(super) fn of_root(input: &Input<'_>, expr: &Expression) -> Option<Collection> {
    of_expr(input, &ModuleAddr::default(), expr, 0)
}

fn of_output(
    input: &Input<'_>,
    caller: &ModuleAddr,
    call: &str,
    output: &str,
    depth: usize,
) -> Option<Collection> {
    let mut inside = caller.clone();
    inside.0.push(call.to_owned());
    of_argument(
        input,
        &inside,
        &Item::Output(output.to_owned()),
        "value",
        depth + 1,
    )
}

fn of_argument(
    input: &Input<'_>,
    module: &ModuleAddr,
    item: &Item,
    name: &str,
    depth: usize,
) -> Option<Collection> {
    if depth > MAX_DEPTH {
        return None;
    }
    let source = &input.configuration.module(module)?.source;
    let merged = source.merged(item);
    let (id, argument) = merged
        .attributes
        .iter()
        .find(|(_, argument)| argument.name == name)?;
    let (file, _) = source.block(*id);
    if file.syntax == Syntax::Json {
        return None;
    }
    of_expr(input, module, &file.expression(&argument.value)?, depth)
}

fn of_expr(input: &Input<'_>, module: &ModuleAddr, expr: &Expression, depth: usize) -> Option<Collection> {
    match expr {
        Expression::Parenthesis(inner) => of_expr(input, module, inner.inner(), depth),
        Expression::Conditional(found) => {
            let first = of_expr(input, module, &found.true_expr, depth)?;
            (of_expr(input, module, &found.false_expr, depth)? == first).then_some(first)
        }
        Expression::FuncCall(call) => match call.name.name.as_str() {
            "tolist" | "split" | "sort" | "compact" | "formatlist" | "keys" | "matchkeys" => {
                Some(Collection::List)
            }
            "toset" | "fileset" | "setunion" | "setintersection" | "setsubtract" => Some(Collection::Set),
            "tomap" => Some(Collection::Map),
            _ => None,
        },
        Expression::Traversal(traversal) => {
            let Expression::Variable(first) = &traversal.expr else {
                return None;
            };
            let path: Vec<&str> = traversal
                .operators
                .iter()
                .map(|step| match step.value() {
                    TraversalOperator::GetAttr(name) => Some(name.as_str()),
                    _ => None,
                })
                .collect::<Option<_>>()?;
            match (first.as_str(), &path[..]) {
                ("var", [name]) => of_variable(input, module, name, depth + 1),
                ("local", [name]) => {
                    of_argument(input, module, &Item::Local((*name).to_owned()), name, depth + 1)
                }
                ("module", [call, output]) => of_output(input, module, call, output, depth + 1),
                (type_name, [name, rest @ ..])
                    if !matches!(type_name, "data" | "each" | "path" | "var" | "local" | "module") =>
                {
                    let item = Item::Resource {
                        mode: Mode::Managed,
                        type_name: type_name.to_owned(),
                        name: (*name).to_owned(),
                    };
                    let path: Vec<String> = rest.iter().map(|step| (*step).to_owned()).collect();
                    in_state(input, module, &item, None, &path)
                }
                _ => None,
            }
        }
        _ => None,
    }
}

/// A variable is what its constraint says, or what the caller gives.
fn of_variable(input: &Input<'_>, module: &ModuleAddr, name: &str, depth: usize) -> Option<Collection> {
    let source = &input.configuration.module(module)?.source;
    let item = Item::Variable(name.to_owned());
    if let Some((file, constraint)) = source.attribute(&item, "type") {
        let text = file.text(&constraint.value).trim_matches('"');
        return match text.split_once('(') {
            Some((word, _)) => Collection::from_word(word.trim()),
            None if text == "any" => of_caller(input, module, name, depth),
            None => None,
        };
    }
    of_caller(input, module, name, depth)
}

fn of_caller(input: &Input<'_>, module: &ModuleAddr, name: &str, depth: usize) -> Option<Collection> {
    let (call, outer) = module.0.split_last()?;
    of_argument(
        input,
        &ModuleAddr(outer.to_vec()),
        &Item::Module(call.clone()),
        name,
        depth + 1,
    )
}

/// The state keeps the type beside a value that has no fixed one. All instances asked for must agree.
fn in_state(
    input: &Input<'_>,
    module: &ModuleAddr,
    item: &Item,
    key: Option<&InstanceKey>,
    path: &[String],
) -> Option<Collection> {
    let Item::Resource { type_name, name, .. } = item else {
        return None;
    };
    let (first, rest) = path.split_first()?;
    let mut found = None;
    let resources = secrets::in_state(input.snapshot, module, type_name, name);
    for instance in resources.into_iter().flat_map(crate::state::Resource::instances) {
        if key.is_some() && instance.key() != key {
            continue;
        }
        let attributes = Value::from_json(instance.attributes()?)?;
        let of_type = attributes.get(first)?.get("type").cloned()?;
        let one = collection(rest.iter().try_fold(of_type, |at, step| member(&at, step))?);
        match (found, one) {
            (None, Some(one)) => found = Some(one),
            (Some(known), Some(one)) if known == one => {}
            _ => return None,
        }
    }
    found
}

/// Returns the type of a member of a type.
fn member(of_type: &Value, step: &str) -> Option<Value> {
    let Value::List(parts) = of_type else { return None };
    match (parts.first()?, parts.get(1)?) {
        (Value::String(kind), Value::Object(members)) if kind == "object" => members.get(step).cloned(),
        (Value::String(kind), Value::List(items)) if kind == "tuple" => {
            items.get(step.parse::<usize>().ok()?).cloned()
        }
        (Value::String(kind), inner) if kind == "list" || kind == "map" => Some(inner.clone()),
        _ => None,
    }
}

/// Only collections of simple values can be given back by one function.
fn collection(of_type: Value) -> Option<Collection> {
    let Value::List(parts) = of_type else { return None };
    match (parts.first()?, parts.get(1)?) {
        (Value::String(kind), Value::String(_)) => Collection::from_word(kind),
        _ => None,
    }
}
