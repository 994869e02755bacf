//! Outputs that a new state has from the beginning, told without telling what is in them.
//!
//! A contract in a state's outputs (`remote_state`) must be there before anybody has applied. Its content comes from the
//! original states, and a plan is no place for that: so a [`Preset`] says of every part *where in the originals* it stands.
//! With the originals at hand (a plan names them by their hashes) it gives the same bytes again, on any machine.
//!
//! What stands in no original is text from the code, or put together from such text and values: then the values in it
//! are pointed at, and the rest is spelled. A secret is only ever pointed at; one that is put together is left out.

mod find;

use std::collections::BTreeMap;

use thiserror::Error;

use self::find::Finder;
use crate::address::ResourceInstanceAddr;
use crate::contract::value::Value;
use crate::diagnostic::Diagnostic;
use crate::json;
use crate::moves::{At, OutputValue};
use crate::stack::StateId;
use crate::state::{Instance, Snapshot};

/// The type of every such output: a JSON document as text.
const TEXT: &str = "\"string\"";

/// An output with a JSON document in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preset {
    /// The state that gets it.
    pub state: StateId,
    /// Its name.
    pub name: String,
    /// Whether it is sensitive.
    pub sensitive: bool,
    /// Its document.
    pub document: Recipe,
}

/// How a JSON value is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recipe {
    /// `null`, `true`, `false`, or a number, as spelled.
    Plain(String),
    /// A text of pieces.
    Text(Vec<Piece>),
    /// A value of an original, whole.
    At(Pointer),
    /// A list.
    List(Vec<Self>),
    /// An object.
    Object(BTreeMap<String, Self>),
}

/// A piece of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// As spelled.
    Literal(String),
    /// A text of an original.
    At(Pointer),
}

/// A place in an original state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pointer {
    /// The state.
    pub state: StateId,
    /// The object, under its address before the migration.
    pub address: ResourceInstanceAddr,
    /// The way from its attributes to the value.
    pub path: Vec<Step>,
}

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// To a member.
    Name(String),
    /// To an element.
    Index(usize),
}

/// Why a value cannot be made. Names places, never values.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum PresetError {
    /// The original has no such place.
    #[error("the output `{name}` is made from `{address}`, and that has no such value in `{state}`")]
    NoSuchPlace {
        /// The output.
        name: String,
        /// The object.
        address: String,
        /// The state.
        state: StateId,
    },
}

/// Tells where the content of outputs stands; those of which that cannot be told are left out, with a warning each.
pub fn presets(
    values: &[OutputValue],
    originals: &BTreeMap<StateId, &Snapshot>,
) -> (Vec<Preset>, Vec<Diagnostic>) {
    if values.is_empty() {
        return (Vec::new(), Vec::new());
    }
    let finder = Finder::new(originals);
    let mut found = Vec::new();
    let mut warnings = Vec::new();
    for value in values {
        match preset(&finder, value, originals) {
            Some(preset) => found.push(preset),
            None => warnings.push(left_out(value)),
        }
    }
    (found, warnings)
}

fn left_out(value: &OutputValue) -> Diagnostic {
    let At { state, addr } = &value.at;
    let why = match value.sensitive {
        true => "it holds a secret that is put together of others, and a plan never spells one",
        false => "it cannot be told by where it stands in the states",
    };
    Diagnostic::warning(format!(
        "the output `{addr}` of `{state}` is not there before an apply: {why}"
    ))
    .hint(format!(
        "apply `{state}` before the stacks that read it are planned"
    ))
}

fn preset(finder: &Finder, value: &OutputValue, originals: &BTreeMap<StateId, &Snapshot>) -> Option<Preset> {
    if value.type_json != TEXT {
        return None;
    }
    let Value::String(text) = Value::from_json(&value.value_json)? else {
        return None;
    };
    let preset = Preset {
        state: value.at.state.clone(),
        name: value.at.addr.clone(),
        sensitive: value.sensitive,
        document: finder.recipe(&Value::from_json(&text)?, value.sensitive)?,
    };
    // What would not give the same bytes again is not told at all.
    let again = self::values(std::slice::from_ref(&preset), originals).ok()?;
    (again == [value.clone()]).then_some(preset)
}

/// Makes the outputs, from the originals.
///
/// # Errors
///
/// A place that an original does not have: it is another one than the plan saw.
pub fn values(
    presets: &[Preset],
    originals: &BTreeMap<StateId, &Snapshot>,
) -> Result<Vec<OutputValue>, PresetError> {
    let mut values = Vec::new();
    for preset in presets {
        let missing = |pointer: &Pointer| PresetError::NoSuchPlace {
            name: preset.name.clone(),
            address: pointer.address.to_string(),
            state: pointer.state.clone(),
        };
        let look = |pointer: &Pointer| at(originals, pointer).ok_or_else(|| missing(pointer));
        let document = made(&preset.document, &look)?;
        values.push(OutputValue {
            at: At::new(preset.state.clone(), preset.name.clone()),
            type_json: TEXT.to_owned(),
            value_json: json::quote(&document.to_json()),
            sensitive: preset.sensitive,
        });
    }
    Ok(values)
}

/// Looks into originals.
type Look<'l> = dyn Fn(&Pointer) -> Result<Value, PresetError> + 'l;

fn made(recipe: &Recipe, look: &Look<'_>) -> Result<Value, PresetError> {
    Ok(match recipe {
        Recipe::Plain(text) => match text.as_str() {
            "null" => Value::Null,
            "true" => Value::Bool(true),
            "false" => Value::Bool(false),
            number => Value::Number(number.to_owned()),
        },
        Recipe::At(pointer) => look(pointer)?,
        Recipe::Text(pieces) => {
            let mut text = String::new();
            for piece in pieces {
                match piece {
                    Piece::Literal(literal) => text.push_str(literal),
                    Piece::At(pointer) => text.push_str(&look(pointer)?.as_text().unwrap_or_default()),
                }
            }
            Value::String(text)
        }
        Recipe::List(items) => {
            let items = items.iter().map(|item| made(item, look));
            Value::List(items.collect::<Result<_, _>>()?)
        }
        Recipe::Object(members) => {
            let members = members
                .iter()
                .map(|(name, member)| Ok((name.clone(), made(member, look)?)));
            Value::Object(members.collect::<Result<_, _>>()?)
        }
    })
}

fn at(originals: &BTreeMap<StateId, &Snapshot>, pointer: &Pointer) -> Option<Value> {
    let resource = originals
        .get(&pointer.state)?
        .resource(&pointer.address.resource)?;
    let object = resource
        .instances()
        .find(|object| object.deposed().is_none() && object.key() == pointer.address.key.as_ref())?;
    let attributes = attributes(object)?;
    let found = pointer
        .path
        .iter()
        .try_fold(&attributes, |value, step| match (value, step) {
            (Value::Object(members), Step::Name(name)) => members.get(name),
            (Value::List(elements), Step::Index(index)) => elements.get(*index),
            _ => None,
        });
    found.cloned()
}

fn attributes(object: Instance<'_>) -> Option<Value> {
    Value::from_json(object.attributes()?)
}

#[cfg(test)]
mod tests;
