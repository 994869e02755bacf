//! The backend block of a stack.

use super::doc::Doc;
use super::text;
use crate::stack::StateLocation;

/// Returns a `backend` block at an indentation, its first line not indented.
pub(super) fn block(location: &StateLocation, indent: usize) -> String {
    let mut doc = Doc::Object(Vec::new());
    for (name, value) in &location.arguments {
        let path: Vec<String> = name.split('.').map(str::to_owned).collect();
        doc.insert(&path, Doc::Text(argument(name, value)));
    }
    format!("backend {} {}", text::quote(&location.backend), doc.print(indent))
}

/// Numbers, truth values and lists are kept as text without quotes.
fn argument(name: &str, value: &str) -> String {
    let is_plain = matches!(value, "true" | "false") || name == "max_retries";
    if is_plain || (value.starts_with('[') && crate::json::parse(value).is_ok()) {
        return value.to_owned();
    }
    text::quote(value)
}
