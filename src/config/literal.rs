//! Values that the text alone tells: constants, and the names in static arguments.

use hcl_edit::Span as _;
use hcl_edit::expr::{Expression, ObjectKey, TraversalOperator, UnaryOperator};
use hcl_edit::template::{Element, Template};

use super::collect::RepeatedKeys;
use super::target::literal_key;
use super::{ConfigFile, Span, Syntax, normalize};
use crate::address::InstanceKey;
use crate::json::{self, Node, Value};

/// A constant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Literal {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number in its own spelling.
    Number(String),
    /// A string.
    String(String),
    /// A list or tuple.
    List(Vec<Self>),
    /// A map or object; in source order, repeated keys included (the last counts).
    Map(Vec<(String, Self)>),
}

impl Literal {
    /// Returns the text of a string.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// Writes the value as text: a string as it is, numbers and booleans in their spelling, lists and maps as JSON.
    pub fn to_text(&self) -> String {
        match self {
            Self::String(text) | Self::Number(text) => text.clone(),
            other => other.to_json(),
        }
    }

    /// Writes the value as JSON.
    pub fn to_json(&self) -> String {
        match self {
            Self::Null => "null".to_owned(),
            Self::Bool(value) => value.to_string(),
            Self::Number(number) => number.clone(),
            Self::String(text) => json::quote(text),
            Self::List(items) => {
                let items: Vec<String> = items.iter().map(Self::to_json).collect();
                format!("[{}]", items.join(","))
            }
            Self::Map(members) => {
                let pair =
                    |(key, value): &(String, Self)| format!("{}:{}", json::quote(key), value.to_json());
                let members: Vec<String> = members.iter().map(pair).collect();
                format!("{{{}}}", members.join(","))
            }
        }
    }
}

/// A provider configuration by its local name: `aws`, `aws.west`, `aws.by["eu"]`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProviderRef {
    /// The local name.
    pub local_name: String,
    /// The alias.
    pub alias: Option<String>,
    /// The key, where OpenTofu's `for_each` on providers is used.
    pub key: Option<ProviderKey>,
}

/// The key of a provider configuration.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ProviderKey {
    /// Known from the text.
    Literal(InstanceKey),
    /// An expression, for example `each.key`.
    Expression,
}

impl ConfigFile {
    /// Returns the constant that stands at a span, for example at [`super::Attribute::value`]; `None` where it
    /// depends on anything.
    pub fn literal(&self, value: &Span) -> Option<Literal> {
        match self.syntax {
            Syntax::Hcl => from_hcl(&self.expression(value)?, self.text(value)),
            Syntax::Json => from_json(&json::parse(self.text(value)).ok()?, template_constant),
        }
    }

    /// Returns the string constant that stands at a span.
    pub fn string(&self, value: &Span) -> Option<String> {
        match self.literal(value)? {
            Literal::String(text) => Some(text),
            _ => None,
        }
    }

    /// Returns the provider configuration that a `provider` argument names.
    pub fn provider_ref(&self, value: &Span) -> Option<ProviderRef> {
        match self.syntax {
            Syntax::Hcl => provider_ref(&self.expression(value)?),
            Syntax::Json => provider_ref_in_json(&json::parse(self.text(value)).ok()?),
        }
    }

    /// Returns the pairs of a `providers` argument: child's configuration → this module's.
    pub fn provider_map(&self, value: &Span) -> Vec<(ProviderRef, ProviderRef)> {
        match self.syntax {
            Syntax::Hcl => match self.expression(value) {
                Some(Expression::Object(object)) => object
                    .iter()
                    .filter_map(|(key, value)| Some((provider_ref_key(key)?, provider_ref(value.expr())?)))
                    .collect(),
                _ => Vec::new(),
            },
            Syntax::Json => json::parse(self.text(value))
                .ok()
                .as_ref()
                .and_then(Node::members)
                .unwrap_or_default()
                .iter()
                .filter_map(|member| {
                    let key = provider_ref_in_text(&member.key)?;
                    Some((key, provider_ref_in_json(&member.value)?))
                })
                .collect(),
        }
    }

    /// Returns a string constant inside an object that need not be a constant as a whole, for example the `source`
    /// of an entry with `configuration_aliases`.
    pub fn member_string(&self, value: &Span, name: &str) -> Option<String> {
        match self.syntax {
            Syntax::Hcl => {
                let expr = self.expression(value)?;
                let (_, member) = expr
                    .as_object()?
                    .iter()
                    .find(|(key, _)| key_text(key) == Some(name))?;
                Some(member.expr().as_str()?.to_owned())
            }
            Syntax::Json => Some(
                json::parse(self.text(value))
                    .ok()?
                    .get(name)?
                    .as_str()?
                    .to_owned(),
            ),
        }
    }

    /// Parses the HCL expression at a span; its spans count from the start of that span.
    pub fn expression(&self, value: &Span) -> Option<Expression> {
        // A heredoc's end marker wants a line break behind it.
        normalize::parse_expression(self.text(value), &mut RepeatedKeys::new()).ok()
    }
}

fn provider_ref_in_json(node: &Node) -> Option<ProviderRef> {
    provider_ref_in_text(node.as_str()?)
}

fn provider_ref_in_text(text: &str) -> Option<ProviderRef> {
    provider_ref(&normalize::parse_expression(text, &mut RepeatedKeys::new()).ok()?)
}

fn provider_ref_key(key: &ObjectKey) -> Option<ProviderRef> {
    match key {
        ObjectKey::Ident(name) => Some(plain(name.as_str())),
        ObjectKey::Expression(expr) => provider_ref(expr),
    }
}

fn key_text(key: &ObjectKey) -> Option<&str> {
    match key {
        ObjectKey::Ident(name) => Some(name.as_str()),
        ObjectKey::Expression(expr) => expr.as_str(),
    }
}

fn plain(local_name: &str) -> ProviderRef {
    ProviderRef {
        local_name: local_name.to_owned(),
        alias: None,
        key: None,
    }
}

fn provider_ref(expr: &Expression) -> Option<ProviderRef> {
    match expr {
        Expression::Variable(name) => Some(plain(name.as_str())),
        Expression::String(text) => provider_ref_in_text(text.as_str()),
        Expression::Parenthesis(inner) => provider_ref(inner.inner()),
        Expression::Traversal(traversal) => {
            let mut found = provider_ref(&traversal.expr)?;
            for operator in &traversal.operators {
                match operator.value() {
                    TraversalOperator::GetAttr(name) => found.alias = Some(name.as_str().to_owned()),
                    TraversalOperator::Index(index) => {
                        found.key =
                            Some(literal_key(index).map_or(ProviderKey::Expression, ProviderKey::Literal));
                    }
                    _ => return None,
                }
            }
            Some(found)
        }
        _ => None,
    }
}

/// Reads a constant; `text` is what the expression was parsed from, for the spelling of numbers.
fn from_hcl(expr: &Expression, text: &str) -> Option<Literal> {
    match expr {
        Expression::Null(_) => Some(Literal::Null),
        Expression::Bool(value) => Some(Literal::Bool(*value.value())),
        Expression::Number(_) => {
            let spelling = text.get(expr.span()?)?;
            Some(Literal::Number(spelling.split_whitespace().collect()))
        }
        Expression::String(value) => Some(Literal::String(value.as_str().to_owned())),
        Expression::Array(items) => {
            let items = items.iter().map(|item| from_hcl(item, text));
            Some(Literal::List(items.collect::<Option<_>>()?))
        }
        Expression::Object(object) => {
            let pair = |(key, value): (&ObjectKey, &hcl_edit::expr::ObjectValue)| {
                let key = match key {
                    ObjectKey::Ident(name) => name.as_str().to_owned(),
                    ObjectKey::Expression(expr) => match from_hcl(expr, text)? {
                        Literal::String(key) | Literal::Number(key) => key,
                        _ => return None,
                    },
                };
                Some((key, from_hcl(value.expr(), text)?))
            };
            Some(Literal::Map(object.iter().map(pair).collect::<Option<_>>()?))
        }
        Expression::HeredocTemplate(heredoc) => constant(&heredoc.template).map(Literal::String),
        Expression::Parenthesis(inner) => from_hcl(inner.inner(), text),
        Expression::UnaryOp(operation) if *operation.operator.value() == UnaryOperator::Neg => {
            match from_hcl(&operation.expr, text)? {
                Literal::Number(number) => Some(Literal::Number(format!("-{number}"))),
                _ => None,
            }
        }
        _ => None,
    }
}

fn constant(template: &Template) -> Option<String> {
    template
        .iter()
        .map(|element| match element {
            Element::Literal(text) => Some(text.as_str()),
            _ => None,
        })
        .collect()
}

/// Reads JSON whose strings are no templates.
pub(super) fn plain_json(text: &str) -> Option<Literal> {
    from_json(&json::parse(text).ok()?, |text| Some(text.to_owned()))
}

fn from_json(node: &Node, string: fn(&str) -> Option<String>) -> Option<Literal> {
    match &node.value {
        Value::Null => Some(Literal::Null),
        Value::Bool(value) => Some(Literal::Bool(*value)),
        Value::Number(number) => Some(Literal::Number(number.clone())),
        Value::String(text) => string(text).map(Literal::String),
        Value::Array(elements) => {
            let items = elements.iter().map(|element| from_json(element, string));
            Some(Literal::List(items.collect::<Option<_>>()?))
        }
        Value::Object(members) => {
            let pair = |member: &json::Member| Some((member.key.clone(), from_json(&member.value, string)?));
            Some(Literal::Map(members.iter().map(pair).collect::<Option<_>>()?))
        }
    }
}

/// Returns the value of a JSON string that is a template without expressions.
fn template_constant(text: &str) -> Option<String> {
    if !text.contains("${") && !text.contains("%{") {
        return Some(text.to_owned());
    }
    constant(&normalize::parse_template(text, &mut RepeatedKeys::new()).ok()?)
}
