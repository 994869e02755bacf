//! What `each.value` is for one key, as a piece of the `for_each` expression.

use hcl_edit::Span as _;
use hcl_edit::expr::{Expression, ObjectKey};

use super::access::EachValue;
use super::values::{Scope, Values};
use super::{Input, text, types};
use crate::address::InstanceKey;
use crate::config::{Item, ModuleSource, Syntax};
use crate::contract::value::Value;

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
        let expr = file.expression(&argument.value)?;
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
    if file.syntax == Syntax::Json {
        return None;
    }
    let number = module.files.iter().position(|known| std::ptr::eq(known, file))?;
    let expr = file.expression(&argument.value)?;
    let start = argument.value.start;
    let expression = |span: &std::ops::Range<usize>, loose: bool, suffix: String| EachValue::Expression {
        span: start + span.start..start + span.end,
        file: number,
        loose,
        suffix,
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
