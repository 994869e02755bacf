//! JSON values as Terraform's `jsonencode` writes them: members sorted, numbers in their own spelling.

use std::collections::BTreeMap;

use crate::json::{self, Node};

/// A value. May hold secrets: it has no `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub enum Value {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number in its own spelling.
    Number(String),
    /// A text.
    String(String),
    /// A list, set or tuple.
    List(Vec<Self>),
    /// A map or object.
    Object(BTreeMap<String, Self>),
}

impl Value {
    /// Takes a value out of a parsed JSON text; the last of repeated members counts.
    pub fn from_node(node: &Node) -> Self {
        match &node.value {
            json::Value::Null => Self::Null,
            json::Value::Bool(value) => Self::Bool(*value),
            json::Value::Number(number) => Self::Number(number.clone()),
            json::Value::String(text) => Self::String(text.clone()),
            json::Value::Array(elements) => Self::List(elements.iter().map(Self::from_node).collect()),
            json::Value::Object(members) => Self::Object(
                members
                    .iter()
                    .map(|member| (member.key.clone(), Self::from_node(&member.value)))
                    .collect(),
            ),
        }
    }

    /// Reads a JSON text; none where it is none.
    pub fn from_json(text: &str) -> Option<Self> {
        json::parse(text).ok().as_ref().map(Self::from_node)
    }

    /// Writes the value as JSON.
    pub fn to_json(&self) -> String {
        let mut out = String::new();
        self.write(&mut out);
        out
    }

    fn write(&self, out: &mut String) {
        match self {
            Self::Null => out.push_str("null"),
            Self::Bool(true) => out.push_str("true"),
            Self::Bool(false) => out.push_str("false"),
            Self::Number(number) => out.push_str(number),
            Self::String(text) => json::quote_into(text, out),
            Self::List(elements) => {
                out.push('[');
                for (at, element) in elements.iter().enumerate() {
                    if at > 0 {
                        out.push(',');
                    }
                    element.write(out);
                }
                out.push(']');
            }
            Self::Object(members) => {
                out.push('{');
                for (at, (name, value)) in members.iter().enumerate() {
                    if at > 0 {
                        out.push(',');
                    }
                    json::quote_into(name, out);
                    out.push(':');
                    value.write(out);
                }
                out.push('}');
            }
        }
    }

    /// Returns a member of an object, or an element of a list by its number.
    pub fn get(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Object(members) => members.get(name),
            Self::List(elements) => elements.get(name.parse::<usize>().ok()?),
            _ => None,
        }
    }

    /// Returns a text, number or truth value as text, as a template shows it.
    pub fn as_text(&self) -> Option<String> {
        match self {
            Self::String(text) | Self::Number(text) => Some(text.clone()),
            Self::Bool(value) => Some(value.to_string()),
            _ => None,
        }
    }

    /// Returns the name of the JSON type.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "boolean",
            Self::Number(_) => "number",
            Self::String(_) => "string",
            Self::List(_) => "array",
            Self::Object(_) => "object",
        }
    }
}
