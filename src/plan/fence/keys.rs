//! The keys of a block with `count` or `for_each`, where the text alone tells them.
//!
//! Constants, `toset([…])`, objects with constant keys, and locals that are one of these. Variables are not known: files
//! and environments may set them.

use std::collections::BTreeSet;

use hcl_edit::expr::{Expression, ObjectKey, TraversalOperator};

use crate::config::{ConfigFile, Item, Literal, ModuleSource, Syntax};

/// How deep one local may lead to others.
const MAX_DEPTH: usize = 20;

/// The instances of a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Keys {
    /// One, without key.
    One,
    /// So many, counted from 0.
    Count(u64),
    /// One for each of these.
    Set(BTreeSet<String>),
    /// Some of these; which ones, the text does not tell.
    Among {
        /// The keys that may be there.
        keys: BTreeSet<String>,
        /// `for_each`.
        argument: &'static str,
        /// `file:line`.
        at: String,
    },
    /// The text does not tell.
    Unknown {
        /// `count` or `for_each`.
        argument: &'static str,
        /// `file:line`.
        at: String,
    },
}

/// Returns the keys of a resource or a module call.
pub(super) fn of(module: &ModuleSource, item: &Item) -> Keys {
    for argument in ["count", "for_each"] {
        let Some((file, attribute)) = module.attribute(item, argument) else {
            continue;
        };
        let known = match argument {
            "count" => count(module, file, &attribute.value).map(Keys::Count),
            _ => set(module, file, &attribute.value).map(Keys::Set),
        };
        return known.unwrap_or_else(|| {
            let line = file.source.position(attribute.span.start).line;
            let at = format!("{}:{line}", file.source.path);
            match argument {
                "for_each" => match among(file, &attribute.value) {
                    Some(keys) => Keys::Among { keys, argument, at },
                    None => Keys::Unknown { argument, at },
                },
                _ => Keys::Unknown { argument, at },
            }
        });
    }
    Keys::One
}

fn count(module: &ModuleSource, file: &ConfigFile, value: &std::ops::Range<usize>) -> Option<u64> {
    match file.literal(value) {
        Some(Literal::Number(number) | Literal::String(number)) => number.parse().ok(),
        _ if file.syntax == Syntax::Hcl => match resolved(module, &file.expression(value)?, MAX_DEPTH)? {
            Expression::Number(number) => number.value().as_u64(),
            _ => None,
        },
        _ => None,
    }
}

fn set(module: &ModuleSource, file: &ConfigFile, value: &std::ops::Range<usize>) -> Option<BTreeSet<String>> {
    if file.syntax == Syntax::Hcl {
        return keys_of(module, &file.expression(value)?, MAX_DEPTH);
    }
    match file.literal(value)? {
        Literal::Map(members) => Some(members.into_iter().map(|(key, _)| key).collect()),
        _ => None,
    }
}

fn keys_of(module: &ModuleSource, expr: &Expression, depth: usize) -> Option<BTreeSet<String>> {
    match resolved(module, expr, depth)? {
        Expression::Object(object) => object.iter().map(|(key, _)| object_key(key)).collect(),
        Expression::FuncCall(call) if !call.name.is_namespaced() && !call.args.expand_final() => {
            let argument = call.args.get(0).filter(|_| call.args.len() == 1)?;
            match call.name.name.as_str() {
                "toset" => elements(module, argument, depth.checked_sub(1)?),
                "tomap" => keys_of(module, argument, depth.checked_sub(1)?),
                _ => None,
            }
        }
        _ => None,
    }
}

/// Returns the keys that a filter lets through: `{ for key, value in … : key => value if contains([…], key) }`, which is
/// what a cut leaves of a block of which other stacks got keys.
fn among(file: &ConfigFile, value: &std::ops::Range<usize>) -> Option<BTreeSet<String>> {
    if file.syntax != Syntax::Hcl {
        return None;
    }
    let Expression::ForExpr(filter) = file.expression(value)? else {
        return None;
    };
    let key = filter.intro.key_var.as_ref()?.as_str();
    let is_key = |expr: &Expression| matches!(expr, Expression::Variable(name) if name.as_str() == key);
    let Expression::FuncCall(call) = &filter.cond.as_ref()?.expr else {
        return None;
    };
    let is_contains = call.name.name.as_str() == "contains" && !call.name.is_namespaced();
    let (list, asked) = (call.args.get(0)?, call.args.get(1)?);
    match list {
        Expression::Array(items) if is_contains && is_key(asked) && is_key(filter.key_expr.as_ref()?) => {
            items.iter().map(constant).collect()
        }
        _ => None,
    }
}

fn elements(module: &ModuleSource, expr: &Expression, depth: usize) -> Option<BTreeSet<String>> {
    match resolved(module, expr, depth)? {
        Expression::Array(items) => items.iter().map(constant).collect(),
        Expression::FuncCall(call) if call.name.name.as_str() == "toset" && !call.name.is_namespaced() => {
            let argument = call.args.get(0).filter(|_| call.args.len() == 1)?;
            elements(module, argument, depth.checked_sub(1)?)
        }
        _ => None,
    }
}

/// Follows parentheses, and locals to what they are.
fn resolved(module: &ModuleSource, expr: &Expression, depth: usize) -> Option<Expression> {
    match expr {
        Expression::Parenthesis(inner) => resolved(module, inner.inner(), depth.checked_sub(1)?),
        Expression::Traversal(traversal) => {
            let Expression::Variable(root) = &traversal.expr else {
                return None;
            };
            let [operator] = traversal.operators.as_slice() else {
                return None;
            };
            let TraversalOperator::GetAttr(name) = operator.value() else {
                return None;
            };
            if root.as_str() != "local" {
                return None;
            }
            let item = Item::Local(name.as_str().to_owned());
            let merged = module.merged(&item);
            let (block, attribute) = merged.attributes.first()?;
            let (file, _) = module.block(*block);
            if file.syntax != Syntax::Hcl {
                return None;
            }
            resolved(module, &file.expression(&attribute.value)?, depth.checked_sub(1)?)
        }
        other => Some(other.clone()),
    }
}

fn object_key(key: &ObjectKey) -> Option<String> {
    match key {
        ObjectKey::Ident(name) => Some(name.as_str().to_owned()),
        ObjectKey::Expression(expr) => constant(expr),
    }
}

fn constant(expr: &Expression) -> Option<String> {
    match expr {
        Expression::String(text) => Some(text.as_str().to_owned()),
        Expression::Parenthesis(inner) => constant(inner.inner()),
        _ => None,
    }
}
