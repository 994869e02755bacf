//! The verdict over one plan: what of it is harmless, what was there before the cut, what is the cut's doing.

use std::collections::{BTreeMap, BTreeSet};

use super::plan_json::{Action, Change, OutputChange, Plan};

/// What a plan would do to one object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// An object is adopted that no state had.
    Import,
    /// An object changes its address in the state.
    Move,
    /// The state loses an object that stays.
    Forget,
    /// Nothing changes but what Terraform hides; still an update.
    Sensitivity,
    /// Updated in place.
    Update,
    /// Deleted and created anew.
    Replace,
    /// Deleted.
    Delete,
    /// Created.
    Create,
    /// An action would be invoked.
    Invoke,
    /// Terraform puts the decision off.
    Deferred,
}

impl Class {
    /// Returns the word for people and programs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Import => "import",
            Self::Move => "move",
            Self::Forget => "forget",
            Self::Sensitivity => "sensitivity",
            Self::Update => "update",
            Self::Replace => "replace",
            Self::Delete => "delete",
            Self::Create => "create",
            Self::Invoke => "invoke",
            Self::Deferred => "deferred",
        }
    }

    fn of(change: &Change) -> Self {
        match change.action {
            Action::Create => Self::Create,
            Action::Delete => Self::Delete,
            Action::Replace => Self::Replace,
            Action::Forget => Self::Forget,
            Action::Update if change.only_sensitivity => Self::Sensitivity,
            Action::Update => Self::Update,
            Action::NoOp | Action::Read if change.importing => Self::Import,
            Action::NoOp | Action::Read => Self::Move,
        }
    }
}

/// One object that a plan would touch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// How.
    pub class: Class,
    /// Which.
    pub address: String,
    /// Its address before a `moved` block.
    pub previous_address: Option<String>,
    /// The deposed key.
    pub deposed: Option<String>,
    /// Terraform's reason.
    pub reason: Option<String>,
    /// Names of the attributes that change; never values.
    pub attributes: Vec<String>,
}

/// What is known about the root module whose plan is judged.
#[derive(Clone, Copy, Debug, Default)]
pub struct Surroundings<'a> {
    /// The module call with which it tells others.
    pub contract: Option<&'a str>,
    /// Addresses that were others in the monolith: here → there.
    pub origins: Option<&'a BTreeMap<String, String>>,
    /// The monolith's own plan.
    pub baseline: Option<&'a Plan>,
}

/// The judgement in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// Nothing to do.
    NoChanges,
    /// Only its own contract is written.
    OnlyContract,
    /// Only root outputs change.
    OnlyOutputs,
    /// Only what the monolith's own plan has too.
    OnlyKnown,
    /// Something real would change.
    Changed,
    /// It could not be judged.
    Unproven,
}

impl Verdict {
    /// Tells whether no real object would be touched by the cut.
    pub fn holds(self) -> bool {
        !matches!(self, Self::Changed | Self::Unproven)
    }

    /// Returns the word for programs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NoChanges => "no-changes",
            Self::OnlyContract => "only-contract",
            Self::OnlyOutputs => "only-outputs",
            Self::OnlyKnown => "only-known",
            Self::Changed => "changed",
            Self::Unproven => "unproven",
        }
    }
}

/// What a plan comes to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Judgement {
    /// What would change, and is the cut's doing.
    pub findings: Vec<Finding>,
    /// What would change, and would have changed before the cut too.
    pub known: Vec<Finding>,
    /// Addresses of contract objects that are created.
    pub contract: Vec<String>,
    /// Root outputs that change.
    pub outputs: Vec<OutputChange>,
    /// What differs from the state in reality, and did not (or was not seen) in the baseline.
    pub drift: Vec<Finding>,
    /// What differs from the state in reality, in the baseline too.
    pub known_drift: Vec<Finding>,
    /// Whether the plan covers everything.
    pub whole: bool,
}

impl Judgement {
    /// Returns the judgement in one word.
    pub fn verdict(&self) -> Verdict {
        if !self.findings.is_empty() {
            Verdict::Changed
        } else if !self.whole {
            Verdict::Unproven
        } else if !self.known.is_empty() {
            Verdict::OnlyKnown
        } else if !self.contract.is_empty() {
            Verdict::OnlyContract
        } else if !self.outputs.is_empty() {
            Verdict::OnlyOutputs
        } else {
            Verdict::NoChanges
        }
    }
}

/// Types of the objects that hold a contract.
const CONTRACT_TYPES: [&str; 3] = ["aws_ssm_parameter", "aws_s3_object", "aws_s3_bucket_object"];

/// Judges one plan.
pub fn judge(plan: &Plan, around: Surroundings<'_>) -> Judgement {
    let mut judgement = Judgement {
        whole: plan.whole,
        ..Judgement::default()
    };
    let none = Plan::default();
    let baseline = around.baseline.unwrap_or(&none);
    for change in &plan.changes {
        let finding = Finding::new(Class::of(change), change);
        if is_contract(change, around.contract) {
            judgement.contract.push(finding.address);
        } else if is_known(change, &baseline.changes, around) {
            judgement.known.push(finding);
        } else {
            judgement.findings.push(finding);
        }
    }
    for change in &plan.deferred {
        let finding = Finding::new(Class::Deferred, change);
        match is_known(change, &baseline.deferred, around) {
            true => judgement.known.push(finding),
            false => judgement.findings.push(finding),
        }
    }
    for address in &plan.invoked {
        let finding = Finding {
            class: Class::Invoke,
            address: address.clone(),
            previous_address: None,
            deposed: None,
            reason: None,
            attributes: Vec::new(),
        };
        match baseline.invoked.contains(origin(address, around)) {
            true => judgement.known.push(finding),
            false => judgement.findings.push(finding),
        }
    }
    let outputs = plan
        .outputs
        .iter()
        .filter(|output| !baseline.outputs.contains(output));
    judgement.outputs = outputs.cloned().collect();
    for change in &plan.drift {
        let finding = Finding::new(Class::of(change), change);
        match is_known(change, &baseline.drift, around) {
            true => judgement.known_drift.push(finding),
            false => judgement.drift.push(finding),
        }
    }
    judgement
}

impl Finding {
    fn new(class: Class, change: &Change) -> Self {
        Self {
            class,
            address: change.address.clone(),
            previous_address: change.previous_address.clone(),
            deposed: change.deposed.clone(),
            reason: change.reason.clone(),
            attributes: change.attributes.iter().cloned().collect(),
        }
    }
}

/// A contract may come into being; that it changes or goes is for a person to see.
fn is_contract(change: &Change, contract: Option<&str>) -> bool {
    let Some(contract) = contract else { return false };
    let is_inside = change
        .address
        .strip_prefix("module.")
        .and_then(|rest| rest.strip_prefix(contract))
        .is_some_and(|rest| rest.starts_with('.'));
    is_inside && change.action == Action::Create && CONTRACT_TYPES.contains(&change.type_name.as_str())
}

/// Returns the address that an object had in the monolith.
fn origin<'a>(address: &'a String, around: Surroundings<'a>) -> &'a String {
    around
        .origins
        .and_then(|origins| origins.get(address))
        .unwrap_or(address)
}

/// Tells whether the monolith's own plan does the same to the same object: the same action, in no other attribute.
fn is_known(change: &Change, baseline: &[Change], around: Surroundings<'_>) -> bool {
    let address = origin(&change.address, around);
    let within = |known: &BTreeSet<String>| change.attributes.is_subset(known);
    baseline.iter().any(|known| {
        known.address == *address
            && known.deposed == change.deposed
            && known.action == change.action
            && known.importing == change.importing
            && known.only_sensitivity == change.only_sensitivity
            && known.previous_address.is_some() == change.previous_address.is_some()
            && within(&known.attributes)
    })
}

#[cfg(test)]
mod tests;
