//! States in a saved plan: where each lives, what it was and what it will be.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{SavedPlanError, damaged, id, id_text};
use crate::plan::migration::{After, Before, PlannedState, Role};
use crate::stack::StateLocation;
use crate::state::{Fingerprint, Lineage, Serial};

/// One state with the part it plays.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StateV1 {
    id: String,
    role: RoleV1,
    location: LocationV1,
    /// Null: it must not exist.
    before: Option<FingerprintV1>,
    /// Null: it is not written.
    after: Option<FingerprintV1>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum RoleV1 {
    Gives,
    Gets,
    GivesAndGets,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct LocationV1 {
    backend: String,
    workspace: String,
    arguments: BTreeMap<String, String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FingerprintV1 {
    lineage: String,
    serial: u64,
    sha256: String,
    md5: String,
    size: u64,
}

impl From<&PlannedState> for StateV1 {
    fn from(state: &PlannedState) -> Self {
        Self {
            id: id_text(&state.id),
            role: match state.role {
                Role::Gives => RoleV1::Gives,
                Role::Gets => RoleV1::Gets,
                Role::GivesAndGets => RoleV1::GivesAndGets,
            },
            location: LocationV1 {
                backend: state.location.backend.clone(),
                workspace: state.location.workspace.clone(),
                arguments: state.location.arguments.clone(),
            },
            before: match &state.before {
                Before::Absent => None,
                Before::Exists(found) => Some(found.into()),
            },
            after: match &state.after {
                After::Unchanged => None,
                After::Written(found) => Some(found.into()),
            },
        }
    }
}

impl From<&Fingerprint> for FingerprintV1 {
    fn from(found: &Fingerprint) -> Self {
        Self {
            lineage: found.lineage.as_str().to_owned(),
            serial: found.serial.0,
            sha256: found.sha256.to_string(),
            md5: found.md5.to_string(),
            size: found.size,
        }
    }
}

impl StateV1 {
    pub(super) fn state(self) -> Result<PlannedState, SavedPlanError> {
        let field = format!("states.{}", self.id);
        if !matches!(self.location.backend.as_str(), "s3" | "local") {
            return Err(damaged(
                &field,
                format!("unknown backend `{}`", self.location.backend),
            ));
        }
        Ok(PlannedState {
            id: id(&field, &self.id)?,
            role: match self.role {
                RoleV1::Gives => Role::Gives,
                RoleV1::Gets => Role::Gets,
                RoleV1::GivesAndGets => Role::GivesAndGets,
            },
            location: StateLocation {
                backend: self.location.backend,
                arguments: self.location.arguments,
                workspace: self.location.workspace,
            },
            before: match self.before {
                None => Before::Absent,
                Some(found) => Before::Exists(found.fingerprint(&field)?),
            },
            after: match self.after {
                None => After::Unchanged,
                Some(found) => After::Written(found.fingerprint(&field)?),
            },
        })
    }
}

impl FingerprintV1 {
    fn fingerprint(self, field: &str) -> Result<Fingerprint, SavedPlanError> {
        let wrong = |name: &str| {
            damaged(
                &format!("{field}.{name}"),
                "not lower-case hex digits of the right number",
            )
        };
        Ok(Fingerprint {
            sha256: self.sha256.parse().map_err(|_| wrong("sha256"))?,
            md5: self.md5.parse().map_err(|_| wrong("md5"))?,
            lineage: Lineage::new(self.lineage),
            serial: Serial(self.serial),
            size: self.size,
        })
    }
}
