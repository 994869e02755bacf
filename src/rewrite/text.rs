//! Small pieces of HCL text: strings, keys, names.

use crate::address::InstanceKey;
use crate::config::{ConfigFile, Item, Syntax};
use crate::json;

/// Returns a quoted HCL string.
pub(crate) fn quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    let mut rest = text.chars().peekable();
    while let Some(found) = rest.next() {
        match found {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '$' | '%' if rest.peek() == Some(&'{') => {
                out.push(found);
                out.push(found);
            }
            control if control.is_control() => {
                out.push_str(&format!("\\u{:04x}", u32::from(control)));
            }
            plain => out.push(plain),
        }
    }
    out.push('"');
    out
}

/// Returns an index: `["a"]`, `[0]`.
pub(super) fn index(key: &InstanceKey) -> String {
    format!("[{}]", literal(key))
}

/// Returns a key as an expression.
pub(super) fn literal(key: &InstanceKey) -> String {
    match key {
        InstanceKey::Int(number) => number.to_string(),
        InstanceKey::Str(text) => quote(text),
    }
}

/// Returns the text of a key as the member of an object.
pub(super) fn key_text(key: &InstanceKey) -> String {
    match key {
        InstanceKey::Int(number) => number.to_string(),
        InstanceKey::Str(text) => text.clone(),
    }
}

/// Tells whether a text can stand where HCL wants a name and means nothing else there.
pub(super) fn is_name(text: &str) -> bool {
    let mut chars = text.chars();
    let starts = chars.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_');
    let goes_on = chars.all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
    starts && goes_on && !["for", "if", "in", "null", "true", "false"].contains(&text)
}

/// Returns the key of an object's member, quoted where it must be.
pub(super) fn member(text: &str) -> String {
    match is_name(text) {
        true => text.to_owned(),
        false => quote(text),
    }
}

/// Returns a step from an object to its member.
pub(super) fn step(text: &str) -> String {
    match is_name(text) {
        true => format!(".{text}"),
        false => format!("[{}]", quote(text)),
    }
}

/// Returns how an expression names an item; empty for what cannot be referred to.
pub(super) fn root_of(item: &Item) -> String {
    match item {
        Item::Resource {
            mode,
            type_name,
            name,
        } => {
            let prefix = mode.prefix();
            format!("{prefix}{type_name}.{name}")
        }
        Item::Module(name) => format!("module.{name}"),
        Item::Variable(name) => format!("var.{name}"),
        Item::Local(name) => format!("local.{name}"),
        Item::Action { type_name, name } => format!("action.{type_name}.{name}"),
        Item::Output(_) | Item::Provider { .. } | Item::Check(_) | Item::Terraform => String::new(),
    }
}

/// Escapes a text for where it is spliced into: as it is in HCL, as the inside of a string in JSON.
pub(super) fn spliced(file: &ConfigFile, text: &str) -> String {
    match file.syntax {
        Syntax::Hcl => text.to_owned(),
        Syntax::Json => {
            let quoted = json::quote(text);
            // JSON knows these three as they are; people read them better so.
            quoted[1..quoted.len() - 1]
                .replace("\\u003c", "<")
                .replace("\\u003e", ">")
                .replace("\\u0026", "&")
        }
    }
}
