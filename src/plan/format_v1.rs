//! The saved plan, versions 1 and 2: JSON that people may read and that no other program should write.
//!
//! ```json
//! {
//!   "format": "stackcut-plan",
//!   "version": 1,
//!   …
//! }
//! ```
//!
//! Version 2 is version 1 with `presets`; a plan without them is written as version 1.
//!
//! A newer version is refused, since half-understood orders are worse than none; for the same reason unknown fields
//! are. Older versions stay readable. Neither credentials nor state content are ever in it.

mod presets;
mod states;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use self::presets::PresetV2;
use self::states::StateV1;
use super::assign::{InstanceMove, OutputMove};
use super::migration::{MigrationPlan, PlanFault, StackDependency};
use crate::address::ResourceInstanceAddr;
use crate::stack::StateId;

/// The word in `format`.
pub const FORMAT: &str = "stackcut-plan";

/// The newest version this program reads.
pub const VERSION: u64 = 2;

/// The version without presets.
const WITHOUT_PRESETS: u64 = 1;

/// Why a saved plan cannot be read or written.
#[derive(Debug, Error)]
pub enum SavedPlanError {
    /// Not JSON, or not with the fields of this version.
    #[error("not a saved plan: {0}")]
    Json(#[from] serde_json::Error),
    /// JSON of another kind.
    #[error("not a saved plan: its `format` is `{found}`, not `{FORMAT}`")]
    OtherFormat {
        /// What stands there.
        found: String,
    },
    /// Written by a newer program.
    #[error(
        "the saved plan has version {found}, this program reads up to {VERSION}; make the plan again, or use a newer stackcut"
    )]
    Newer {
        /// The version found.
        found: u64,
    },
    /// A version that never was.
    #[error("the saved plan has version {found}, which does not exist")]
    NoSuchVersion {
        /// The version found.
        found: u64,
    },
    /// A field does not hold what it should.
    #[error("the saved plan is damaged: {field}: {reason}")]
    Damaged {
        /// Which field.
        field: String,
        /// What is wrong.
        reason: String,
    },
    /// The parts do not fit together.
    #[error("the saved plan does not hold together: {0}")]
    Fault(#[from] PlanFault),
}

/// Writes a plan, indented, with a final newline.
///
/// # Errors
///
/// A plan that does not pass [`MigrationPlan::check`], for example because a location holds a credential.
pub fn write(plan: &MigrationPlan) -> Result<String, SavedPlanError> {
    plan.check()?;
    let mut text = serde_json::to_string_pretty(&Document::from(plan))?;
    text.push('\n');
    Ok(text)
}

/// Reads a saved plan and checks that it holds together.
///
/// # Errors
///
/// See [`SavedPlanError`].
pub fn read(text: &str) -> Result<MigrationPlan, SavedPlanError> {
    let head: Head = serde_json::from_str(text)?;
    if head.format != FORMAT {
        return Err(SavedPlanError::OtherFormat { found: head.format });
    }
    match head.version {
        WITHOUT_PRESETS | VERSION => {}
        0 => return Err(SavedPlanError::NoSuchVersion { found: 0 }),
        found => return Err(SavedPlanError::Newer { found }),
    }
    let document: Document = serde_json::from_str(text)?;
    if head.version == WITHOUT_PRESETS && !document.presets.is_empty() {
        return Err(damaged("presets", "version 1 has none"));
    }
    let plan = document.plan()?;
    plan.check()?;
    Ok(plan)
}

/// Tells whether a text looks like a saved plan rather than a plan file.
pub fn is_saved_plan(text: &str) -> bool {
    text.trim_start_matches('\u{feff}').trim_start().starts_with('{')
        && serde_json::from_str::<Head>(text).is_ok_and(|head| head.format == FORMAT)
}

#[derive(Deserialize)]
struct Head {
    format: String,
    version: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    format: String,
    version: u64,
    written_by: String,
    name: String,
    environment: String,
    states: Vec<StateV1>,
    moves: Vec<MoveV1>,
    outputs: Vec<OutputV1>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    presets: Vec<PresetV2>,
    dependencies: Vec<DependencyV1>,
    warnings: Vec<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct MoveV1 {
    from_state: String,
    from: String,
    to_state: String,
    to: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct OutputV1 {
    name: String,
    from_state: String,
    to_state: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct DependencyV1 {
    consumer: String,
    producer: String,
    values: usize,
    ordering: usize,
}

impl From<&MigrationPlan> for Document {
    fn from(plan: &MigrationPlan) -> Self {
        Self {
            format: FORMAT.to_owned(),
            version: match plan.presets.is_empty() {
                true => WITHOUT_PRESETS,
                false => VERSION,
            },
            written_by: concat!("stackcut ", env!("CARGO_PKG_VERSION")).to_owned(),
            name: plan.name.to_string(),
            environment: plan.environment.clone(),
            states: plan.states.iter().map(StateV1::from).collect(),
            moves: plan
                .moves
                .iter()
                .map(|found| MoveV1 {
                    from_state: id_text(&found.giver),
                    from: found.from.to_string(),
                    to_state: id_text(&found.taker),
                    to: found.to.to_string(),
                })
                .collect(),
            outputs: plan
                .outputs
                .iter()
                .map(|output| OutputV1 {
                    name: output.name.clone(),
                    from_state: id_text(&output.giver),
                    to_state: id_text(&output.taker),
                })
                .collect(),
            presets: plan.presets.iter().map(PresetV2::from).collect(),
            dependencies: plan
                .dependencies
                .iter()
                .map(|edge| DependencyV1 {
                    consumer: id_text(&edge.consumer),
                    producer: id_text(&edge.producer),
                    values: edge.values,
                    ordering: edge.ordering,
                })
                .collect(),
            warnings: plan.warnings.clone(),
        }
    }
}

impl Document {
    fn plan(self) -> Result<MigrationPlan, SavedPlanError> {
        Ok(MigrationPlan {
            name: self.name.parse().map_err(|error| damaged("name", error))?,
            environment: self.environment,
            states: self
                .states
                .into_iter()
                .map(StateV1::state)
                .collect::<Result<_, _>>()?,
            moves: self
                .moves
                .into_iter()
                .map(MoveV1::found)
                .collect::<Result<_, _>>()?,
            outputs: self
                .outputs
                .into_iter()
                .map(OutputV1::found)
                .collect::<Result<_, _>>()?,
            presets: self
                .presets
                .into_iter()
                .map(PresetV2::preset)
                .collect::<Result<_, _>>()?,
            dependencies: self
                .dependencies
                .into_iter()
                .map(DependencyV1::found)
                .collect::<Result<_, _>>()?,
            warnings: self.warnings,
        })
    }
}

impl MoveV1 {
    fn found(self) -> Result<InstanceMove, SavedPlanError> {
        let address = |field: &str, text: &str| {
            text.parse::<ResourceInstanceAddr>()
                .map_err(|error| damaged(field, error))
        };
        Ok(InstanceMove {
            giver: id("moves.from_state", &self.from_state)?,
            from: address("moves.from", &self.from)?,
            taker: id("moves.to_state", &self.to_state)?,
            to: address("moves.to", &self.to)?,
        })
    }
}

impl OutputV1 {
    fn found(self) -> Result<OutputMove, SavedPlanError> {
        Ok(OutputMove {
            giver: id("outputs.from_state", &self.from_state)?,
            taker: id("outputs.to_state", &self.to_state)?,
            name: self.name,
        })
    }
}

impl DependencyV1 {
    fn found(self) -> Result<StackDependency, SavedPlanError> {
        Ok(StackDependency {
            consumer: id("dependencies.consumer", &self.consumer)?,
            producer: id("dependencies.producer", &self.producer)?,
            values: self.values,
            ordering: self.ordering,
        })
    }
}

/// Returns the text of an id: `source:acme`, `stack:orders`.
pub(crate) fn id_text(id: &StateId) -> String {
    match id {
        StateId::Source(name) => format!("source:{name}"),
        StateId::Stack(name) => format!("stack:{name}"),
    }
}

fn id(field: &str, text: &str) -> Result<StateId, SavedPlanError> {
    let (kind, name) = text
        .split_once(':')
        .ok_or_else(|| damaged(field, format!("`{text}` names no state")))?;
    let name = name.parse().map_err(|error| damaged(field, error))?;
    match kind {
        "source" => Ok(StateId::Source(name)),
        "stack" => Ok(StateId::Stack(name)),
        _ => Err(damaged(field, format!("`{text}` names no state"))),
    }
}

fn damaged(field: &str, reason: impl ToString) -> SavedPlanError {
    SavedPlanError::Damaged {
        field: field.to_owned(),
        reason: reason.to_string(),
    }
}

#[cfg(test)]
mod tests;
