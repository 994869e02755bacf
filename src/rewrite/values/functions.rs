//! The functions of Terraform that stand in outputs of modules, where they are simple enough to be sure.

use std::collections::{BTreeMap, BTreeSet};

use crate::contract::value::Value;

/// Calls a function; none where it is not known here, or its arguments are not what it wants.
pub(super) fn call(name: &str, mut arguments: Vec<Value>) -> Option<Value> {
    match (name, arguments.len()) {
        ("one", 1) => match arguments.remove(0) {
            Value::List(items) if items.is_empty() => Some(Value::Null),
            Value::List(mut items) if items.len() == 1 => Some(items.remove(0)),
            _ => None,
        },
        ("tolist" | "nonsensitive" | "sensitive" | "tomap", 1) => Some(arguments.remove(0)),
        ("toset", 1) => match arguments.remove(0) {
            Value::List(items) => {
                let texts = items.into_iter().map(|item| match item {
                    Value::String(text) => Some(text),
                    _ => None,
                });
                let texts = texts.collect::<Option<BTreeSet<String>>>()?;
                Some(Value::List(texts.into_iter().map(Value::String).collect()))
            }
            _ => None,
        },
        ("tostring", 1) => arguments[0].as_text().map(Value::String),
        ("values", 1) => match arguments.remove(0) {
            Value::Object(members) => Some(Value::List(members.into_values().collect())),
            _ => None,
        },
        ("keys", 1) => match arguments.remove(0) {
            Value::Object(members) => Some(Value::List(members.into_keys().map(Value::String).collect())),
            _ => None,
        },
        ("length", 1) => match &arguments[0] {
            Value::List(items) => Some(Value::Number(items.len().to_string())),
            Value::Object(members) => Some(Value::Number(members.len().to_string())),
            _ => None,
        },
        ("merge", _) => {
            let mut all = BTreeMap::new();
            for argument in arguments {
                match argument {
                    Value::Object(members) => all.extend(members),
                    Value::Null => {}
                    _ => return None,
                }
            }
            Some(Value::Object(all))
        }
        ("concat", _) => {
            let lists = arguments.into_iter().map(|argument| match argument {
                Value::List(items) => Some(items),
                _ => None,
            });
            Some(Value::List(lists.collect::<Option<Vec<_>>>()?.concat()))
        }
        ("compact", 1) => match arguments.remove(0) {
            Value::List(items) => {
                let is_empty = |item: &Value| *item == Value::Null || *item == Value::String(String::new());
                Some(Value::List(
                    items.into_iter().filter(|item| !is_empty(item)).collect(),
                ))
            }
            _ => None,
        },
        ("flatten", 1) => match arguments.remove(0) {
            Value::List(items) => Some(Value::List(flat(items))),
            _ => None,
        },
        ("element", 2) => match (&arguments[0], &arguments[1]) {
            (Value::List(items), Value::Number(at)) if !items.is_empty() => {
                Some(items[at.parse::<usize>().ok()? % items.len()].clone())
            }
            _ => None,
        },
        ("lookup", 2 | 3) => {
            let found = arguments[0].get(&arguments[1].as_text()?).cloned();
            found.or_else(|| arguments.get(2).cloned())
        }
        ("join", 2) => match (&arguments[0], &arguments[1]) {
            (Value::String(between), Value::List(items)) => {
                let texts = items
                    .iter()
                    .map(Value::as_text)
                    .collect::<Option<Vec<String>>>()?;
                Some(Value::String(texts.join(between)))
            }
            _ => None,
        },
        ("split", 2) => match (&arguments[0], &arguments[1]) {
            (Value::String(between), Value::String(text)) if !between.is_empty() => {
                let parts = text
                    .split(between.as_str())
                    .map(|part| Value::String(part.to_owned()));
                Some(Value::List(parts.collect()))
            }
            _ => None,
        },
        ("lower", 1) => arguments[0]
            .as_text()
            .map(|text| Value::String(text.to_lowercase())),
        ("upper", 1) => arguments[0]
            .as_text()
            .map(|text| Value::String(text.to_uppercase())),
        ("zipmap", 2) => match (&arguments[0], &arguments[1]) {
            (Value::List(keys), Value::List(values)) if keys.len() == values.len() => {
                let pairs = keys
                    .iter()
                    .zip(values)
                    .map(|(key, value)| Some((key.as_text()?, value.clone())));
                pairs
                    .collect::<Option<BTreeMap<String, Value>>>()
                    .map(Value::Object)
            }
            _ => None,
        },
        _ => None,
    }
}

fn flat(items: Vec<Value>) -> Vec<Value> {
    let each = items.into_iter().flat_map(|item| match item {
        Value::List(items) => flat(items),
        other => vec![other],
    });
    each.collect()
}
