//! Plan JSON (`terraform show -json`, format 1.x; OpenTofu writes the same members): who changes, how, and in which
//! attributes. Values are compared here and forgotten here.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::Value;
use thiserror::Error;

/// Plan JSON that cannot be judged.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum PlanJsonError {
    /// It is not what it should be. The place alone: what stands there may be secret.
    #[error("the plan is no JSON of the known form (line {line}, column {column})")]
    Form {
        /// Line.
        line: usize,
        /// Column.
        column: usize,
    },
    /// A format that this program does not know.
    #[error("the plan's format is {found}, and 1.x is known")]
    Version {
        /// What it says.
        found: String,
    },
    /// An action that this program does not know.
    #[error("the plan wants `{actions}` for {address}, which is not known here")]
    Action {
        /// The actions as written.
        actions: String,
        /// For what.
        address: String,
    },
}

/// What happens to one object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// Nothing.
    NoOp,
    /// A data source is read at apply, an ephemeral resource opened.
    Read,
    /// Created.
    Create,
    /// Updated in place.
    Update,
    /// Deleted.
    Delete,
    /// Deleted and created anew, in one order or the other.
    Replace,
    /// Forgotten: it stays, the state loses it.
    Forget,
}

impl Action {
    /// Returns the word for people and programs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NoOp => "no-op",
            Self::Read => "read",
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
            Self::Replace => "replace",
            Self::Forget => "forget",
        }
    }

    fn read(words: &[String]) -> Option<Self> {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        Some(match words[..] {
            ["no-op"] => Self::NoOp,
            ["read" | "open"] => Self::Read,
            ["create"] => Self::Create,
            ["update"] => Self::Update,
            ["delete"] => Self::Delete,
            ["delete", "create"] | ["create", "delete"] | ["create", "forget"] | ["forget", "create"] => {
                Self::Replace
            }
            ["forget"] => Self::Forget,
            _ => return None,
        })
    }
}

/// One object in a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Its address.
    pub address: String,
    /// Its address before, where a `moved` block names it.
    pub previous_address: Option<String>,
    /// The deposed key, for an object that waits to be destroyed.
    pub deposed: Option<String>,
    /// Its type.
    pub type_name: String,
    /// What happens.
    pub action: Action,
    /// Whether it is imported.
    pub importing: bool,
    /// Terraform's reason, such as `replace_because_tainted`.
    pub reason: Option<String>,
    /// Names of the attributes that change.
    pub attributes: BTreeSet<String>,
    /// Whether nothing changes but what Terraform hides.
    pub only_sensitivity: bool,
}

/// One root output in a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutputChange {
    /// Its name.
    pub name: String,
    /// What happens.
    pub action: Action,
}

/// What a plan says, without a single value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// Objects of which there is something to say; those that stay as they are are left out.
    pub changes: Vec<Change>,
    /// What a refresh found to be other than the state says.
    pub drift: Vec<Change>,
    /// What Terraform puts off.
    pub deferred: Vec<Change>,
    /// Root outputs that change.
    pub outputs: Vec<OutputChange>,
    /// Addresses of actions that an apply would invoke.
    pub invoked: Vec<String>,
    /// Whether the plan covers everything and met no error.
    pub whole: bool,
}

#[derive(Deserialize)]
struct RawPlan {
    format_version: String,
    #[serde(default)]
    resource_changes: Vec<RawChange>,
    #[serde(default)]
    resource_drift: Vec<RawChange>,
    #[serde(default)]
    deferred_changes: Vec<RawDeferred>,
    #[serde(default)]
    output_changes: BTreeMap<String, RawOutput>,
    #[serde(default)]
    action_invocations: Vec<RawInvocation>,
    #[serde(default)]
    deferred_action_invocations: Vec<Value>,
    #[serde(default)]
    errored: bool,
    #[serde(default = "yes")]
    complete: bool,
}

fn yes() -> bool {
    true
}

#[derive(Deserialize)]
struct RawInvocation {
    #[serde(default)]
    address: String,
}

#[derive(Deserialize)]
struct RawDeferred {
    #[serde(default)]
    reason: Option<String>,
    resource_change: RawChange,
}

#[derive(Deserialize)]
struct RawOutput {
    actions: Vec<String>,
}

#[derive(Deserialize)]
struct RawChange {
    address: String,
    #[serde(default)]
    previous_address: Option<String>,
    #[serde(default)]
    deposed: Option<String>,
    #[serde(rename = "type", default)]
    type_name: String,
    #[serde(default)]
    action_reason: Option<String>,
    change: RawDetails,
}

#[derive(Deserialize)]
struct RawDetails {
    actions: Vec<String>,
    #[serde(default)]
    before: Value,
    #[serde(default)]
    after: Value,
    #[serde(default)]
    after_unknown: Value,
    #[serde(default)]
    before_sensitive: Value,
    #[serde(default)]
    after_sensitive: Value,
    #[serde(default)]
    importing: Option<Value>,
}

impl Plan {
    /// Reads plan JSON.
    ///
    /// # Errors
    ///
    /// Another format, an unknown action: what is not known cannot be judged harmless.
    pub fn read(json: &[u8]) -> Result<Self, PlanJsonError> {
        let raw: RawPlan = serde_json::from_slice(json).map_err(|error| PlanJsonError::Form {
            line: error.line(),
            column: error.column(),
        })?;
        if !raw.format_version.starts_with("1.") {
            return Err(PlanJsonError::Version {
                found: raw.format_version,
            });
        }
        let mut outputs = Vec::new();
        for (name, change) in raw.output_changes {
            let action = action(&change.actions, &format!("output.{name}"))?;
            if action != Action::NoOp {
                outputs.push(OutputChange { name, action });
            }
        }
        let mut deferred = Vec::new();
        for one in raw.deferred_changes {
            let mut change = Change::new(one.resource_change)?;
            change.reason = one.reason.or(change.reason);
            deferred.push(change);
        }
        let invoked = raw.action_invocations.into_iter().map(|action| action.address);
        Ok(Self {
            changes: noteworthy(raw.resource_changes)?,
            drift: noteworthy(raw.resource_drift)?,
            invoked: invoked.collect(),
            // What is put off is named by itself; a plan with that alone is not called incomplete on top of it.
            whole: !raw.errored
                && (raw.complete || !deferred.is_empty() || !raw.deferred_action_invocations.is_empty()),
            deferred,
            outputs,
        })
    }
}

fn action(words: &[String], address: &str) -> Result<Action, PlanJsonError> {
    Action::read(words).ok_or_else(|| PlanJsonError::Action {
        actions: words.join("+"),
        address: address.to_owned(),
    })
}

fn noteworthy(raw: Vec<RawChange>) -> Result<Vec<Change>, PlanJsonError> {
    let mut changes = Vec::new();
    for one in raw {
        let change = Change::new(one)?;
        let is_quiet = matches!(change.action, Action::NoOp | Action::Read);
        if !is_quiet || change.importing || change.previous_address.is_some() {
            changes.push(change);
        }
    }
    Ok(changes)
}

impl Change {
    fn new(raw: RawChange) -> Result<Self, PlanJsonError> {
        let details = &raw.change;
        let action = action(&details.actions, &raw.address)?;
        let mut attributes = BTreeSet::new();
        let mut only_sensitivity = false;
        if matches!(action, Action::Update | Action::Replace) {
            attributes = differing(&details.before, &details.after);
            attributes.extend(marked(&details.after_unknown));
            if attributes.is_empty() {
                attributes = differing(&details.before_sensitive, &details.after_sensitive);
                only_sensitivity = action == Action::Update && !attributes.is_empty();
            }
        }
        Ok(Self {
            importing: details.importing.as_ref().is_some_and(|value| !value.is_null()),
            action,
            attributes,
            only_sensitivity,
            address: raw.address,
            previous_address: raw.previous_address,
            deposed: raw.deposed,
            type_name: raw.type_name,
            reason: raw.action_reason,
        })
    }
}

/// Returns the names of the members in which two objects differ.
fn differing(before: &Value, after: &Value) -> BTreeSet<String> {
    let none = serde_json::Map::new();
    let (before, after) = (
        before.as_object().unwrap_or(&none),
        after.as_object().unwrap_or(&none),
    );
    let names = before.keys().chain(after.keys());
    // An absent member of sensitivity marks is as good as one that marks nothing.
    let is_same = |name: &String| match (before.get(name), after.get(name)) {
        (Some(one), Some(other)) => one == other,
        (Some(one), None) | (None, Some(one)) => marks_nothing(one),
        (None, None) => true,
    };
    names.filter(|name| !is_same(name)).cloned().collect()
}

/// Tells whether a value is null, false, or made of such only.
fn marks_nothing(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Array(elements) => elements.iter().all(marks_nothing),
        Value::Object(members) => members.values().all(marks_nothing),
        _ => false,
    }
}

/// Returns the names of the members that have a mark somewhere.
fn marked(marks: &Value) -> impl Iterator<Item = String> {
    let members = marks.as_object().into_iter().flatten();
    members
        .filter(|(_, mark)| !marks_nothing(mark))
        .map(|(name, _)| name.clone())
}

#[cfg(test)]
mod tests;
