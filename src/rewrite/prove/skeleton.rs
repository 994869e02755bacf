//! What stands around the references of an argument.

use crate::config::{ConfigFile, Reference, Span};

/// Functions that a rewrite puts around a reference.
const ADDED: [&str; 5] = ["nonsensitive", "tolist", "toset", "tomap", "try"];

/// A reference with the functions directly around it.
pub(super) struct Spot {
    span: Span,
    /// The functions, the outermost first.
    pub around: Vec<&'static str>,
}

/// Returns the references that are not inside of others.
pub(super) fn outermost(references: &[Reference]) -> Vec<&Reference> {
    let mut found: Vec<&Reference> = Vec::new();
    for reference in references {
        if found
            .last()
            .is_none_or(|last| last.span.end <= reference.span.start)
        {
            found.push(reference);
        }
    }
    found
}

/// Looks around a reference.
pub(super) fn spot(file: &ConfigFile, reference: &Reference) -> Spot {
    let text = &file.source.text;
    let mut found = Spot {
        span: reference.span.clone(),
        around: Vec::new(),
    };
    while let Some(opened) = text[..found.span.start].strip_suffix('(') {
        let word = opened
            .rfind(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
            .map_or(0, |at| at + 1);
        let Some(function) = ADDED.into_iter().find(|known| *known == &opened[word..]) else {
            break;
        };
        let behind = &text[found.span.end..];
        let endings: &[&str] = if function == "try" {
            &[", null)", ", {})"]
        } else {
            &[")"]
        };
        let Some(ending) = endings.iter().find(|ending| behind.starts_with(**ending)) else {
            break;
        };
        found.span = word..found.span.end + ending.len();
        found.around.insert(0, function);
    }
    found
}

/// Returns the texts between the references of an argument. Blanks count in heredocs alone: `fmt` moves the others.
pub(super) fn texts(file: &ConfigFile, value: &Span, spots: &[Spot]) -> Vec<String> {
    let mut at = value.start;
    let mut found = Vec::new();
    for spot in spots {
        found.push(file.text(&(at..spot.span.start.max(at))));
        at = spot.span.end.max(at);
    }
    found.push(file.text(&(at..value.end.max(at))));
    let is_heredoc = file.text(value).starts_with("<<");
    let texts = found.into_iter().map(|text| match is_heredoc {
        true => text.to_owned(),
        false => text.split_whitespace().collect::<Vec<_>>().join(" "),
    });
    texts.collect()
}
