//! What an expression is made of, as far as its text tells: the members of objects, what is repeated, and types.

use std::collections::BTreeMap;
use std::ops::Range;

use hcl_edit::expr::{Expression, ForExpr, FuncCall, ObjectKey, TraversalOperator};
use hcl_edit::{Decorated, Span as _};

use crate::contract::value::Value;

/// The shape of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// An object with these members and no others.
    Object(BTreeMap<String, Self>),
    /// Every element is like this, whatever its key.
    Each(&'static str, Box<Self>),
    /// These elements.
    List(Vec<Self>),
    /// Something whose inside the text does not tell.
    Leaf(Leaf),
}

/// A value whose inside the text does not tell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Leaf {
    /// Its JSON type, where that is known.
    pub kind: Option<&'static str>,
    /// Where it stands, from the start of the expression.
    pub span: Range<usize>,
    /// Whether it is a resource or a module as a whole.
    pub is_whole: bool,
}

/// One step into a value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Step {
    /// `.name`, `["name"]`.
    Name(String),
    /// `[0]`.
    Index,
    /// `[key]`: any element.
    Any,
    /// What a `for` or a repetition walks through: every element.
    Every,
    /// `[*]`, `.*`: every element; a single value is its own only element.
    Splat,
}

impl Step {
    /// Tells whether it takes elements of a collection by no name.
    pub fn is_index(&self) -> bool {
        !matches!(self, Self::Name(_))
    }
}

/// What is at the end of some steps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum At<'s> {
    /// This.
    Here(&'s Shape),
    /// Inside of something that is not known.
    Unknown,
    /// Nothing; the names that are there instead.
    Nothing(Vec<String>),
    /// A step into a value that has no inside: its type.
    Scalar(&'static str),
}

const TYPES: [&str; 6] = ["array", "boolean", "null", "number", "object", "string"];

/// Returns the type of that name; none for `unknown` and what is no type.
pub(super) fn kind_named(name: &str) -> Option<&'static str> {
    TYPES.into_iter().find(|known| *known == name)
}

impl Shape {
    /// Reads an expression.
    pub fn of(expr: &Expression) -> Self {
        Self::within(expr, &[])
    }

    /// Reads an expression in which for expressions around it give these names.
    fn within(expr: &Expression, bound: &[&str]) -> Self {
        match expr {
            Expression::Parenthesis(inner) => Self::within(inner.inner(), bound),
            Expression::Object(object) => {
                let mut members = BTreeMap::new();
                for (key, value) in object {
                    let name = match key {
                        ObjectKey::Ident(name) => name.as_str().to_owned(),
                        ObjectKey::Expression(Expression::String(name)) => name.as_str().to_owned(),
                        ObjectKey::Expression(_) => return Self::leaf(expr, bound, Some("object")),
                    };
                    members.insert(name, Self::within(value.expr(), bound));
                }
                Self::Object(members)
            }
            Expression::Array(items) => {
                Self::List(items.iter().map(|item| Self::within(item, bound)).collect())
            }
            Expression::ForExpr(found) => Self::of_for(found, bound),
            Expression::FuncCall(call) => Self::of_call(expr, call, bound),
            Expression::String(_) => Self::leaf(expr, bound, Some("string")),
            // `"${x}"` is x itself.
            Expression::StringTemplate(template) => {
                let is_text = template.iter().count() > 1;
                Self::leaf(expr, bound, is_text.then_some("string"))
            }
            Expression::HeredocTemplate(_) => Self::leaf(expr, bound, Some("string")),
            Expression::Number(_) => Self::leaf(expr, bound, Some("number")),
            Expression::Bool(_) => Self::leaf(expr, bound, Some("boolean")),
            _ => Self::leaf(expr, bound, None),
        }
    }

    fn of_for(found: &ForExpr, bound: &[&str]) -> Self {
        let kind = if found.key_expr.is_some() {
            "object"
        } else {
            "array"
        };
        let mut bound = bound.to_vec();
        bound.push(found.intro.value_var.as_str());
        bound.extend(found.intro.key_var.as_ref().map(|name| name.as_str()));
        let mut inner = Self::within(&found.value_expr, &bound);
        // `{ for key, one in aws_x.y : key => one }` tells whole objects.
        if let (Self::Leaf(leaf), Expression::Variable(name)) = (&mut inner, &found.value_expr) {
            leaf.is_whole = name.as_str() == found.intro.value_var.as_str();
        }
        Self::Each(kind, Box::new(inner))
    }

    fn of_call(expr: &Expression, call: &FuncCall, bound: &[&str]) -> Self {
        let argument = call.args.iter().next();
        let kind = match (call.name.name.as_str(), argument) {
            ("nonsensitive" | "sensitive" | "tolist" | "toset" | "tomap", Some(argument)) => {
                return Self::within(argument, bound);
            }
            (
                "tostring" | "join" | "format" | "lower" | "upper" | "replace" | "jsonencode" | "trimspace"
                | "title" | "base64encode" | "substr",
                _,
            ) => Some("string"),
            ("tonumber" | "length" | "max" | "min" | "floor" | "ceil", _) => Some("number"),
            ("tobool" | "can" | "contains" | "alltrue" | "anytrue", _) => Some("boolean"),
            ("keys" | "values" | "concat" | "flatten" | "compact" | "distinct" | "sort" | "split", _) => {
                Some("array")
            }
            ("merge" | "zipmap", _) => Some("object"),
            _ => None,
        };
        Self::leaf(expr, bound, kind)
    }

    fn leaf(expr: &Expression, bound: &[&str], kind: Option<&'static str>) -> Self {
        Self::Leaf(Leaf {
            kind,
            span: expr.span().unwrap_or_default(),
            is_whole: is_whole(expr, bound),
        })
    }

    /// Returns the JSON type, where it is known.
    pub fn kind(&self) -> Option<&'static str> {
        match self {
            Self::Object(_) => Some("object"),
            Self::Each(kind, _) => kind_named(kind),
            Self::List(_) => Some("array"),
            Self::Leaf(leaf) => leaf.kind,
        }
    }

    /// Returns the leaves with the steps to them.
    pub fn leaves(&self) -> Vec<(Vec<Step>, &Leaf)> {
        let mut found = Vec::new();
        self.collect(&mut Vec::new(), &mut found);
        found
    }

    fn collect<'s>(&'s self, path: &mut Vec<Step>, found: &mut Vec<(Vec<Step>, &'s Leaf)>) {
        let mut inside = |step: Step, shape: &'s Self| {
            path.push(step);
            shape.collect(path, found);
            path.pop();
        };
        match self {
            Self::Object(members) => members
                .iter()
                .for_each(|(name, member)| inside(Step::Name(name.clone()), member)),
            Self::Each(_, element) => inside(Step::Any, element),
            Self::List(items) => items.iter().for_each(|item| inside(Step::Index, item)),
            Self::Leaf(leaf) => found.push((path.clone(), leaf)),
        }
    }

    /// Follows steps.
    pub fn at(&self, steps: &[Step]) -> At<'_> {
        let Some((step, rest)) = steps.split_first() else {
            return At::Here(self);
        };
        match (self, step) {
            (Self::Leaf(leaf), Step::Splat) if leaf.kind != Some("array") => match leaf.kind {
                Some(_) => self.at(rest),
                None => At::Unknown,
            },
            (Self::Leaf(leaf), _) => match leaf.kind {
                Some(kind @ ("string" | "number" | "boolean")) => At::Scalar(kind),
                _ => At::Unknown,
            },
            (Self::Each(_, element), _) => element.at(rest),
            (Self::Object(members), Step::Name(name)) => match members.get(name) {
                Some(member) => member.at(rest),
                None => At::Nothing(members.keys().cloned().collect()),
            },
            (Self::Object(_), Step::Splat) => self.at(rest),
            (Self::Object(_), Step::Index) => At::Scalar("object"),
            (Self::Object(members), Step::Any) => any(members.values(), rest),
            (Self::Object(members), Step::Every) => every(members.values(), rest),
            (Self::List(items), Step::Every | Step::Splat) => every(items.iter(), rest),
            (Self::List(items), Step::Name(name)) if name.parse::<usize>().is_err() => {
                At::Nothing((0..items.len()).map(|at| at.to_string()).collect())
            }
            (Self::List(items), _) => any(items.iter(), rest),
        }
    }

    /// Returns the shape of a value.
    pub fn of_value(value: &Value) -> Self {
        match value {
            Value::Object(members) => {
                let members = members.iter();
                Self::Object(
                    members
                        .map(|(name, value)| (name.clone(), Self::of_value(value)))
                        .collect(),
                )
            }
            Value::List(items) => Self::List(items.iter().map(Self::of_value).collect()),
            simple => Self::Leaf(Leaf {
                kind: kind_named(simple.type_name()),
                ..Leaf::default()
            }),
        }
    }

    /// Adds what a JSON pointer leads to; `*` stands for every element.
    pub fn insert(&mut self, pointer: &[String], leaf: Leaf) {
        let Some((first, rest)) = pointer.split_first() else {
            // What is told as a whole and in part is told as a whole.
            *self = Self::Leaf(leaf);
            return;
        };
        if first == "*" {
            if !matches!(self, Self::Each(..)) {
                *self = Self::Each("unknown", Box::new(Self::Object(BTreeMap::new())));
            }
            if let Self::Each(_, element) = self {
                element.insert(rest, leaf);
            }
            return;
        }
        match self {
            Self::Object(members) => members
                .entry(first.clone())
                .or_insert_with(|| Self::Object(BTreeMap::new()))
                .insert(rest, leaf),
            Self::Leaf(_) | Self::Each(..) | Self::List(_) => {}
        }
    }
}

/// The first element in which the steps lead nowhere, else any.
fn every<'s>(elements: impl Iterator<Item = &'s Shape>, rest: &[Step]) -> At<'s> {
    let mut found = At::Unknown;
    for element in elements {
        found = element.at(rest);
        if matches!(found, At::Nothing(_) | At::Scalar(_)) {
            return found;
        }
    }
    found
}

/// The first element in which the steps lead somewhere.
fn any<'s>(mut elements: impl Iterator<Item = &'s Shape>, rest: &[Step]) -> At<'s> {
    let Some(first) = elements.next() else {
        return At::Unknown;
    };
    let found = first.at(rest);
    match found {
        At::Nothing(_) | At::Scalar(_) => elements
            .map(|element| element.at(rest))
            .find(|found| matches!(found, At::Here(_) | At::Unknown))
            .unwrap_or(found),
        found => found,
    }
}

/// Tells whether an expression is a resource or a module, one instance or all.
fn is_whole(expr: &Expression, bound: &[&str]) -> bool {
    let Expression::Traversal(found) = expr else {
        return false;
    };
    let Expression::Variable(root) = &found.expr else {
        return false;
    };
    let names = match root.as_str() {
        name if bound.contains(&name) => return false,
        "local" | "var" | "each" | "count" | "path" | "terraform" | "self" => return false,
        "data" => 2,
        _ => 1,
    };
    let is_name = |operator: &TraversalOperator| matches!(operator, TraversalOperator::GetAttr(_));
    let mut operators = found.operators.iter().map(Decorated::value);
    let named = operators
        .by_ref()
        .take(names)
        .filter(|operator| is_name(operator))
        .count();
    named == names && operators.all(|operator| !is_name(operator))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(text: &str) -> Shape {
        Shape::of(&text.parse().unwrap())
    }

    fn names(steps: &str) -> Vec<Step> {
        steps
            .split('/')
            .filter(|step| !step.is_empty())
            .map(|step| match step {
                "*" => Step::Any,
                "[]" => Step::Splat,
                "0" => Step::Index,
                name => Step::Name(name.to_owned()),
            })
            .collect()
    }

    #[test]
    fn steps_lead_where_terraform_would() {
        let found = shape(
            "{ vpc = { id = aws_vpc.m.id, n = 1 }, subnet = [for one in aws_subnet.p : { id = one.id }], q = { a = { arn = x.y.arn } }, l = [\"x\"] }",
        );
        let check = |steps: &str, expected: &str| {
            let at = match found.at(&names(steps)) {
                At::Here(shape) => format!("here {}", shape.kind().unwrap_or("?")),
                At::Unknown => "unknown".to_owned(),
                At::Nothing(names) => format!("nothing of {}", names.join(",")),
                At::Scalar(kind) => format!("inside a {kind}"),
            };
            assert_eq!(at, expected, "{steps}");
        };
        check("vpc", "here object");
        check("vpc/id", "here ?");
        check("vpc/id/deeper", "unknown");
        check("vpc/n/deeper", "inside a number");
        check("vpc/typo", "nothing of id,n");
        check("vpc/[]/id", "here ?");
        check("subnet/[]/id", "here ?");
        check("subnet/0/id", "here ?");
        check("subnet/*/typo", "nothing of id");
        check("q/a/arn", "here ?");
        check("q/*/arn", "here ?");
        check("q/*/typo", "nothing of arn");
        check("l/0", "here string");
    }

    #[test]
    fn whole_objects_are_seen() {
        for (text, expected) in [
            ("aws_vpc.main", true),
            ("aws_vpc.main[0]", true),
            ("aws_vpc.main[*]", true),
            ("module.vpc", true),
            ("data.aws_ami.x", true),
            ("{ for key, one in aws_vpc.main : key => one }", true),
            ("module.vpc.id", false),
            ("local.x", false),
            ("var.x", false),
            ("data.aws_ami.x.id", false),
            ("{ for key, one in aws_vpc.main : key => one.id }", false),
        ] {
            let shape = shape(text);
            let is_whole = shape.leaves().iter().any(|(_, leaf)| leaf.is_whole);
            assert_eq!(is_whole, expected, "{text}");
        }
    }
}
