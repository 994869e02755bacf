//! What `each.value` is for one key, as a piece of the `for_each` expression.

use hcl_edit::Span as _;
use hcl_edit::expr::{Expression, ObjectKey};

use super::access::{EachValue, Written};
use super::values::{Scope, Values};
use super::{Input, text, types};
use crate::address::InstanceKey;
use crate::config::{ConfigFile, Item, ModuleSource, Syntax};
use crate::contract::value::Value;
use crate::json;

/// Functions that give a set, whose elements are their own keys.
const SETS: [&str; 8] = [
    "toset",
    "fileset",
    "setunion",
    "setintersection",
    "setsubtract",
    "setproduct",
    "distinct",
    "keys",
];

/// Returns what stands for `each.value` of a block of the root module; none where the `for_each` expression cannot be
/// read.
pub(super) fn value(input: &Input<'_>, item: &Item, key: &InstanceKey) -> Option<EachValue> {
    let root = &input.configuration.root().source;
    let found = in_text(root, item, key)?;
    let is_set = || {
        let (file, argument) = root.attribute(item, "for_each")?;
        let expr = match file.syntax {
            Syntax::Hcl => file.expression(&argument.value)?,
            Syntax::Json => template(file, &argument.value)?.1,
        };
        let known = Values::new(input).expr(&Scope::root(), &expr);
        let is_list = matches!(known, Some(Value::List(_)));
        Some(is_list || types::of_root(input, &expr) == Some(types::Collection::Set))
    };
    match found {
        EachValue::Expression { .. } if is_set() == Some(true) => Some(EachValue::Key),
        found => Some(found),
    }
}

/// Tells it by the text alone.
fn in_text(module: &ModuleSource, item: &Item, key: &InstanceKey) -> Option<EachValue> {
    let (file, argument) = module.attribute(item, "for_each")?;
    let number = module.files.iter().position(|known| std::ptr::eq(known, file))?;
    if file.syntax == Syntax::Json {
        return in_json(file, &argument.value, number, key);
    }
    let expr = file.expression(&argument.value)?;
    let start = argument.value.start;
    let expression = |span: &std::ops::Range<usize>, loose: bool, suffix: String| EachValue::Expression {
        span: start + span.start..start + span.end,
        file: number,
        loose,
        suffix,
        written: Written::Hcl,
    };
    match &expr {
        Expression::FuncCall(call) if SETS.contains(&call.name.name.as_str()) => return Some(EachValue::Key),
        Expression::Object(object) => {
            let wanted = text::key_text(key);
            for (name, value) in object {
                let found = match name {
                    ObjectKey::Ident(name) => Some(name.as_str()),
                    ObjectKey::Expression(name) => name.as_str(),
                };
                if found == Some(wanted.as_str())
                    && let Some(span) = value.expr().span()
                {
                    return Some(expression(&span, is_loose(value.expr()), String::new()));
                }
            }
        }
        _ => {}
    }
    let whole = 0..argument.value.len();
    Some(expression(&whole, is_loose(&expr), text::index(key)))
}

/// The same in JSON syntax, where the argument is an object, or a string that is one template.
fn in_json(
    file: &ConfigFile,
    value: &std::ops::Range<usize>,
    number: usize,
    key: &InstanceKey,
) -> Option<EachValue> {
    if let Some(object) = json::parse(file.text(value))
        .ok()
        .filter(|node| node.members().is_some())
    {
        let member = object.get(&text::key_text(key))?;
        return Some(EachValue::Expression {
            span: value.start + member.span.start..value.start + member.span.end,
            file: number,
            loose: false,
            suffix: String::new(),
            written: Written::JsonValue,
        });
    }
    let (span, expr) = template(file, value)?;
    match &expr {
        Expression::FuncCall(call) if SETS.contains(&call.name.name.as_str()) => Some(EachValue::Key),
        _ => Some(EachValue::Expression {
            span,
            file: number,
            loose: is_loose(&expr),
            suffix: text::index(key),
            written: Written::JsonTemplate,
        }),
    }
}

/// Returns the members of an object in JSON syntax that have none of these keys; nothing where the argument is no
/// such object.
pub(super) fn other_members(
    file: &ConfigFile,
    value: &std::ops::Range<usize>,
    keys: &[InstanceKey],
) -> Vec<std::ops::Range<usize>> {
    let object = match file.syntax {
        Syntax::Json => json::parse(file.text(value)).ok(),
        Syntax::Hcl => None,
    };
    let members = object.as_ref().and_then(json::Node::members).unwrap_or_default();
    let others = members
        .iter()
        .filter(|member| !keys.iter().any(|key| text::key_text(key) == member.key));
    others
        .map(|member| value.start + member.key_span.start..value.start + member.value.span.end)
        .collect()
}

/// Returns the expression of a JSON string that is one template as a whole, and where it stands.
pub(super) fn template(
    file: &ConfigFile,
    value: &std::ops::Range<usize>,
) -> Option<(std::ops::Range<usize>, Expression)> {
    let inside = file.text(value).strip_prefix("\"${")?.strip_suffix("}\"")?;
    let expr = json::decode(inside).parse().ok()?;
    let start = value.start + "\"${".len();
    Some((start..start + inside.len(), expr))
}

/// Tells whether a step behind the expression would bind to a part of it only.
fn is_loose(expr: &Expression) -> bool {
    !matches!(
        expr,
        Expression::Traversal(_)
            | Expression::Variable(_)
            | Expression::FuncCall(_)
            | Expression::Parenthesis(_)
            | Expression::Object(_)
            | Expression::Array(_)
            | Expression::String(_)
            | Expression::StringTemplate(_)
            | Expression::Number(_)
            | Expression::Bool(_)
            | Expression::Null(_)
            | Expression::ForExpr(_)
    )
}
