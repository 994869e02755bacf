//! The way from a reference into the value it brings: its own steps, and those behind functions around it.

use crate::address::InstanceKey;
use crate::config::{ConfigFile, Reference, Span, StepKind};
use crate::lint::shape::Step;

/// The way from a reference into the value, with what is around it.
pub(super) struct Path {
    /// The steps.
    pub steps: Vec<Step>,
    /// The whole expression: functions around it and steps behind them.
    pub span: Span,
    /// A function that says which type is expected of what the steps lead to.
    pub cast: Option<&'static str>,
    /// How many `try` with a default are among the functions around it.
    pub tries: usize,
}

/// Functions that give the value they take.
const TRANSPARENT: [&str; 8] = [
    "values",
    "nonsensitive",
    "sensitive",
    "jsondecode",
    "try",
    "tolist",
    "toset",
    "tomap",
];

const CASTS: [&str; 3] = ["tolist", "toset", "tomap"];

/// Follows a reference outwards.
pub(super) fn path(file: &ConfigFile, reference: &Reference) -> Path {
    let text = &file.source.text;
    let mut found = Path {
        steps: reference.steps.iter().map(|step| step_of(&step.kind)).collect(),
        span: reference.span.clone(),
        cast: None,
        tries: 0,
    };
    loop {
        let before = text[..found.span.start].trim_end();
        let Some(opened) = before.strip_suffix('(') else {
            break;
        };
        let word_at = opened
            .rfind(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
            .map_or(0, |at| at + 1);
        let word = &opened[word_at..];
        let Some(function) = TRANSPARENT.into_iter().find(|known| *known == word) else {
            break;
        };
        let Some(closed) = closing(text, found.span.end, function) else {
            break;
        };
        let (mut steps, end) = steps_behind(text, closed);
        if function == "values" {
            // The members as a list; a step behind takes one of them, or all.
            match steps.first_mut() {
                Some(first @ Step::Splat) => *first = Step::Every,
                Some(first @ (Step::Index | Step::Any)) => *first = Step::Any,
                _ => break,
            }
        }
        if found.steps.contains(&Step::Splat) && steps.first().is_some_and(Step::is_index) {
            // Of all that the splat gave: nothing inside of one.
            steps.remove(0);
        }
        found.cast = CASTS.into_iter().find(|known| *known == function).or(found.cast);
        found.tries += usize::from(function == "try");
        found.span = word_at..closed;
        if end > closed {
            // What is taken of a list is no list.
            found.cast = None;
        }
        found.steps.extend(steps);
        found.span.end = end;
    }
    found
}

/// Returns where the parenthesis of a call closes: directly behind its argument, or behind the default of a `try`.
fn closing(text: &str, from: usize, function: &str) -> Option<usize> {
    let rest = &text[from..];
    let trimmed = rest.trim_start();
    let at = from + rest.len() - trimmed.len();
    if trimmed.starts_with(')') {
        return Some(at + 1);
    }
    let default = trimmed
        .strip_prefix(',')
        .filter(|_| function == "try")?
        .trim_start();
    let constant = ["null", "{}", "[]", "false", "\"\""]
        .into_iter()
        .find(|known| default.starts_with(known))?;
    let behind = default[constant.len()..].trim_start();
    behind.starts_with(')').then(|| text.len() - behind.len() + 1)
}

/// Reads the steps that stand behind a parenthesis.
fn steps_behind(text: &str, from: usize) -> (Vec<Step>, usize) {
    let mut steps = Vec::new();
    let mut at = from;
    loop {
        let rest = &text[at..];
        if let Some(name) = rest.strip_prefix('.') {
            let end = name
                .find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '-'))
                .unwrap_or(name.len());
            if end == 0 {
                return (steps, at);
            }
            steps.push(match name[..end].parse::<u64>() {
                Ok(_) => Step::Index,
                Err(_) => Step::Name(name[..end].to_owned()),
            });
            at += 1 + end;
        } else if let Some(inside) = rest.strip_prefix('[') {
            let Some(end) = inside.find(']') else {
                return (steps, at);
            };
            let key = inside[..end].trim();
            let quoted = key.strip_prefix('"').and_then(|key| key.strip_suffix('"'));
            steps.push(match (key, quoted) {
                ("*", _) => Step::Splat,
                (_, Some(name)) if !name.contains("${") => Step::Name(name.to_owned()),
                (number, _) if number.parse::<u64>().is_ok() => Step::Index,
                _ => Step::Any,
            });
            at += end + 2;
        } else {
            return (steps, at);
        }
    }
}

fn step_of(kind: &StepKind) -> Step {
    match kind {
        StepKind::Attr(name) | StepKind::Index(InstanceKey::Str(name)) => Step::Name(name.clone()),
        StepKind::Index(InstanceKey::Int(_)) | StepKind::LegacyIndex(_) => Step::Index,
        StepKind::IndexExpression(_) => Step::Any,
        StepKind::AttrSplat | StepKind::FullSplat => Step::Splat,
    }
}
