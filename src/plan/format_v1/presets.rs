//! Presets in a saved plan.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{SavedPlanError, damaged, id, id_text};
use crate::address::ResourceInstanceAddr;
use crate::plan::preset::{Piece, Pointer, Preset, Recipe, Step};

/// An output with the recipe of its document.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PresetV2 {
    state: String,
    name: String,
    sensitive: bool,
    document: RecipeV2,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum RecipeV2 {
    /// `null`, `true`, `false`, a number: as spelled.
    Plain(String),
    /// A text of pieces.
    Text(Vec<PieceV2>),
    /// A value of an original.
    At(PointerV2),
    List(Vec<Self>),
    Object(BTreeMap<String, Self>),
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum PieceV2 {
    Literal(String),
    At(PointerV2),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PointerV2 {
    state: String,
    address: String,
    path: Vec<StepV2>,
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum StepV2 {
    Index(usize),
    Name(String),
}

impl From<&Preset> for PresetV2 {
    fn from(preset: &Preset) -> Self {
        Self {
            state: id_text(&preset.state),
            name: preset.name.clone(),
            sensitive: preset.sensitive,
            document: RecipeV2::from(&preset.document),
        }
    }
}

impl From<&Recipe> for RecipeV2 {
    fn from(recipe: &Recipe) -> Self {
        match recipe {
            Recipe::Plain(text) => Self::Plain(text.clone()),
            Recipe::Text(pieces) => Self::Text(pieces.iter().map(PieceV2::from).collect()),
            Recipe::At(pointer) => Self::At(pointer.into()),
            Recipe::List(items) => Self::List(items.iter().map(Self::from).collect()),
            Recipe::Object(members) => Self::Object(
                members
                    .iter()
                    .map(|(name, member)| (name.clone(), member.into()))
                    .collect(),
            ),
        }
    }
}

impl From<&Piece> for PieceV2 {
    fn from(piece: &Piece) -> Self {
        match piece {
            Piece::Literal(text) => Self::Literal(text.clone()),
            Piece::At(pointer) => Self::At(pointer.into()),
        }
    }
}

impl From<&Pointer> for PointerV2 {
    fn from(pointer: &Pointer) -> Self {
        let step = |step: &Step| match step {
            Step::Name(name) => StepV2::Name(name.clone()),
            Step::Index(index) => StepV2::Index(*index),
        };
        Self {
            state: id_text(&pointer.state),
            address: pointer.address.to_string(),
            path: pointer.path.iter().map(step).collect(),
        }
    }
}

impl PresetV2 {
    pub(super) fn preset(self) -> Result<Preset, SavedPlanError> {
        Ok(Preset {
            state: id("presets.state", &self.state)?,
            name: self.name,
            sensitive: self.sensitive,
            document: self.document.recipe()?,
        })
    }
}

impl RecipeV2 {
    fn recipe(self) -> Result<Recipe, SavedPlanError> {
        Ok(match self {
            Self::Plain(text) if is_plain(&text) => Recipe::Plain(text),
            Self::Plain(_) => {
                return Err(damaged(
                    "presets.document.plain",
                    "neither a number nor null, true or false",
                ));
            }
            Self::Text(pieces) => {
                let pieces = pieces.into_iter().map(PieceV2::piece);
                Recipe::Text(pieces.collect::<Result<_, _>>()?)
            }
            Self::At(pointer) => Recipe::At(pointer.pointer()?),
            Self::List(items) => {
                let items = items.into_iter().map(Self::recipe);
                Recipe::List(items.collect::<Result<_, _>>()?)
            }
            Self::Object(members) => {
                let members = members
                    .into_iter()
                    .map(|(name, member)| Ok((name, member.recipe()?)));
                Recipe::Object(members.collect::<Result<_, SavedPlanError>>()?)
            }
        })
    }
}

fn is_plain(text: &str) -> bool {
    use crate::json::{Value, parse};
    parse(text).is_ok_and(|node| {
        node.span == (0..text.len()) && matches!(node.value, Value::Null | Value::Bool(_) | Value::Number(_))
    })
}

impl PieceV2 {
    fn piece(self) -> Result<Piece, SavedPlanError> {
        Ok(match self {
            Self::Literal(text) => Piece::Literal(text),
            Self::At(pointer) => Piece::At(pointer.pointer()?),
        })
    }
}

impl PointerV2 {
    fn pointer(self) -> Result<Pointer, SavedPlanError> {
        let step = |step| match step {
            StepV2::Name(name) => Step::Name(name),
            StepV2::Index(index) => Step::Index(index),
        };
        Ok(Pointer {
            state: id("presets.state", &self.state)?,
            address: self
                .address
                .parse::<ResourceInstanceAddr>()
                .map_err(|error| damaged("presets.address", error))?,
            path: self.path.into_iter().map(step).collect(),
        })
    }
}
