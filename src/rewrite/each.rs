//! What `each.value` is for one key, as a piece of the `for_each` expression.

use hcl_edit::Span as _;
use hcl_edit::expr::{Expression, ObjectKey};

use super::access::EachValue;
use super::text;
use crate::address::InstanceKey;
use crate::config::{Item, ModuleSource, Syntax};

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

/// Returns what stands for `each.value`; none where the `for_each` expression cannot be read.
pub(super) fn value(module: &ModuleSource, item: &Item, key: &InstanceKey) -> Option<EachValue> {
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
