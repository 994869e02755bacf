//! What type constraints of variables let through, and the way into object literals.

use hcl_edit::Span as _;
use hcl_edit::expr::{Expression, ObjectKey};

use crate::config::Span;
use crate::lint::shape::Step;

/// What becomes of a value by a type constraint.
pub(super) enum Demand {
    /// It goes through as it is.
    Follow,
    /// These steps into it are demanded, and nothing else comes through.
    Ways(Vec<Vec<Step>>),
}

/// Tells what a type constraint demands of what is a member of the value, by these steps.
pub(super) fn demand(expr: &Expression, members: &[String]) -> Demand {
    let Some((member, rest)) = members.split_first() else {
        return demanded(expr).map_or(Demand::Follow, Demand::Ways);
    };
    match expr {
        Expression::Variable(name) if name.as_str() == "any" => Demand::Follow,
        Expression::FuncCall(call) => {
            let argument = call.args.iter().next();
            match (call.name.name.as_str(), argument) {
                ("optional", Some(inner)) => demand(inner, members),
                ("map", Some(element)) => demand(element, rest),
                ("object", Some(Expression::Object(object))) => {
                    let mut found = object.iter().filter(|(key, _)| name_of(key) == Some(member));
                    let found = found.next().map(|(_, value)| demand(value.expr(), rest));
                    found.unwrap_or(Demand::Ways(Vec::new()))
                }
                _ => Demand::Ways(Vec::new()),
            }
        }
        _ => Demand::Ways(Vec::new()),
    }
}

/// Returns the steps to what a type constraint demands; none where the value goes through as it is.
fn demanded(expr: &Expression) -> Option<Vec<Vec<Step>>> {
    let Expression::FuncCall(call) = expr else {
        let is_any = matches!(expr, Expression::Variable(name) if name.as_str() == "any");
        return (!is_any).then(Vec::new);
    };
    match (call.name.name.as_str(), call.args.iter().next()) {
        ("optional", Some(inner)) => demanded(inner),
        ("object", Some(Expression::Object(members))) => {
            let mut found = Vec::new();
            for (key, value) in members {
                let is_optional = matches!(value.expr(), Expression::FuncCall(call)
                    if call.name.name.as_str() == "optional");
                let Some(name) = name_of(key).filter(|_| !is_optional) else {
                    continue;
                };
                let inner = demanded(value.expr()).filter(|inner| !inner.is_empty());
                let ways = inner.unwrap_or_else(|| vec![Vec::new()]).into_iter();
                found.extend(ways.map(|steps| prefixed(Step::Name(name.to_owned()), steps)));
            }
            Some(found)
        }
        ("list" | "set" | "map", Some(element)) => {
            let inner = demanded(element)?.into_iter();
            Some(inner.map(|steps| prefixed(Step::Every, steps)).collect())
        }
        _ => Some(Vec::new()),
    }
}

fn name_of(key: &ObjectKey) -> Option<&str> {
    match key {
        ObjectKey::Ident(name) => Some(name.as_str()),
        ObjectKey::Expression(Expression::String(name)) => Some(name.as_str()),
        ObjectKey::Expression(_) => None,
    }
}

fn prefixed(step: Step, steps: Vec<Step>) -> Vec<Step> {
    std::iter::once(step).chain(steps).collect()
}

/// Returns the members that lead into an object literal to what stands at a range of it; none where it is more than a
/// member.
pub(super) fn members_to(expr: &Expression, wanted: &Span) -> Option<Vec<String>> {
    match expr {
        _ if expr.span().as_ref() == Some(wanted) => Some(Vec::new()),
        Expression::Parenthesis(inner) => members_to(inner.inner(), wanted),
        Expression::Object(object) => object.iter().find_map(|(key, value)| {
            let mut members = members_to(value.expr(), wanted)?;
            members.insert(0, name_of(key)?.to_owned());
            Some(members)
        }),
        _ => None,
    }
}
