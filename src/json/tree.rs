//! A whole JSON text as a tree with spans, for texts of configuration size.

use std::ops::Range;

use super::{JsonError, JsonFault, Scanner};

/// The deepest tree that is built; the tree is walked by recursion.
const MAX_TREE_DEPTH: usize = 500;

/// A value and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// Byte range of the value in the text.
    pub span: Range<usize>,
    /// The value.
    pub value: Value,
}

/// A JSON value. Objects keep the order of their members and all duplicates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number in its own spelling.
    Number(String),
    /// A string, decoded.
    String(String),
    /// An array.
    Array(Vec<Node>),
    /// An object.
    Object(Vec<Member>),
}

/// One member of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// The name, decoded.
    pub key: String,
    /// Byte range of the name, quotes included.
    pub key_span: Range<usize>,
    /// The value.
    pub value: Node,
}

impl Node {
    /// Returns the members of an object.
    pub fn members(&self) -> Option<&[Member]> {
        match &self.value {
            Value::Object(members) => Some(members),
            _ => None,
        }
    }

    /// Returns the elements of an array.
    pub fn elements(&self) -> Option<&[Self]> {
        match &self.value {
            Value::Array(elements) => Some(elements),
            _ => None,
        }
    }

    /// Returns the decoded text of a string.
    pub fn as_str(&self) -> Option<&str> {
        match &self.value {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// Returns the last member of that name of an object, as most readers do.
    pub fn get(&self, key: &str) -> Option<&Self> {
        self.members()?
            .iter()
            .rev()
            .find(|member| member.key == key)
            .map(|member| &member.value)
    }
}

/// Reads a whole text as one value.
pub fn parse(text: &str) -> Result<Node, JsonError> {
    if text.starts_with('\u{feff}') {
        return Err(JsonError::new(0, JsonFault::ByteOrderMark));
    }
    let mut scanner = Scanner::new(text);
    let node = read(text, &mut scanner, 0)?;
    scanner.finish()?;
    Ok(node)
}

fn read(text: &str, scanner: &mut Scanner<'_>, depth: usize) -> Result<Node, JsonError> {
    let next = scanner.peek();
    let start = scanner.offset();
    if depth > MAX_TREE_DEPTH {
        return Err(JsonError::new(start, JsonFault::TooDeep));
    }
    let value = match next {
        Some(b'{') => {
            let mut members = Vec::new();
            scanner.enter_object()?;
            while let Some(key) = scanner.next_key(members.is_empty())? {
                members.push(Member {
                    key: key.decode().into_owned(),
                    key_span: key.span(),
                    value: read(text, scanner, depth + 1)?,
                });
            }
            Value::Object(members)
        }
        Some(b'[') => {
            let mut elements = Vec::new();
            scanner.enter_array()?;
            while scanner.next_element(elements.is_empty())? {
                elements.push(read(text, scanner, depth + 1)?);
            }
            Value::Array(elements)
        }
        Some(b'"') => Value::String(scanner.string()?.decode().into_owned()),
        _ => match &text[scanner.skip_value()?] {
            "null" => Value::Null,
            "true" => Value::Bool(true),
            "false" => Value::Bool(false),
            number => Value::Number(number.to_owned()),
        },
    };
    Ok(Node {
        span: start..scanner.offset(),
        value,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_order_duplicates_spans_and_spelling() {
        let text = r#"{"b": 1.0, "a": [true, null], "b": "\u0041"}"#;
        let node = parse(text).unwrap();
        let members = node.members().unwrap();
        let keys: Vec<_> = members.iter().map(|member| member.key.as_str()).collect();
        assert_eq!(keys, ["b", "a", "b"]);
        assert_eq!(members[0].value.value, Value::Number("1.0".into()));
        assert_eq!(&text[members[1].value.span.clone()], "[true, null]");
        assert_eq!(&text[members[2].key_span.clone()], "\"b\"");
        assert_eq!(node.get("b").and_then(Node::as_str), Some("A"));
        assert_eq!(node.get("a").and_then(Node::elements).map(<[Node]>::len), Some(2));
    }

    #[test]
    fn refuses_depth_and_marks() {
        let deep = "[".repeat(MAX_TREE_DEPTH + 2) + &"]".repeat(MAX_TREE_DEPTH + 2);
        assert_eq!(parse(&deep).unwrap_err().fault, JsonFault::TooDeep);
        assert_eq!(parse("\u{feff}{}").unwrap_err().fault, JsonFault::ByteOrderMark);
        assert_eq!(parse("{} x").unwrap_err().fault, JsonFault::TrailingText);
    }
}
