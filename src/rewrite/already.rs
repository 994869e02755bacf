//! What was wrong in the sources before the cut: it is as wrong afterwards, and is theirs to mend.

use std::collections::{BTreeMap, HashMap};

use super::prove;
use crate::config::Configuration;
use crate::diagnostic::Diagnostic;
use crate::plan::assign::InstanceMove;
use crate::stack::StateId;
use crate::state::Snapshot;

/// What a static proof found, told apart.
#[derive(Debug, Default)]
pub struct Told {
    /// What the sources have wrong as they are, with its place there.
    pub before: Vec<Diagnostic>,
    /// What came of the cut.
    pub ours: Vec<Diagnostic>,
}

impl Told {
    /// Tells what a proof found apart. `code` and `states` are those of the sources before the cut, and `moves` what was
    /// moved.
    pub fn apart(
        found: Vec<Diagnostic>,
        code: &BTreeMap<StateId, &Configuration>,
        states: &BTreeMap<StateId, &Snapshot>,
        moves: &[InstanceMove],
    ) -> Self {
        let mut known = known(code, states, moves);
        let mut told = Self::default();
        for fault in found {
            // What several stacks got of one mistake is mended in one place.
            match known.get_mut(subject(&fault.message)) {
                Some(before) => told.before.append(before),
                None => told.ours.push(fault),
            }
        }
        told
    }
}

/// Returns what a message of the proof is about: an object of a state, or else all that it says.
fn subject(message: &str) -> &str {
    message
        .rfind(" is in the state, but ")
        .map_or(message, |end| &message[..end])
}

/// Returns what is wrong in the sources, by what a proof's messages are about.
fn known(
    code: &BTreeMap<StateId, &Configuration>,
    states: &BTreeMap<StateId, &Snapshot>,
    moves: &[InstanceMove],
) -> HashMap<String, Vec<Diagnostic>> {
    let mut known: HashMap<String, Vec<Diagnostic>> = HashMap::new();
    for (id, configuration) in code {
        for fault in prove::undeclared_names(configuration) {
            let message = fault.message.clone();
            let fault = fault
                .note(format!("the code of `{id}` has it so before the cut"))
                .hint("declare it, or take this reference out: Terraform refuses it as well");
            known.entry(message).or_default().push(fault);
        }
        let Some(state) = states.get(id) else { continue };
        let misfits: Vec<_> = prove::misfits(configuration, state).collect();
        if misfits.is_empty() {
            continue;
        }
        let moved: HashMap<_, _> = moves
            .iter()
            .filter(|moved| moved.giver == *id)
            .map(|moved| (&moved.from, &moved.to))
            .collect();
        for (address, fault) in misfits {
            // After the cut it is about the address there.
            let after = moved.get(&address).map_or(&address, |to| *to);
            let fault = fault
                .note(format!("code and state of `{id}` are so before the cut"))
                .hint(
                    "see with `terraform plan` what the source would do to it, and apply that, or give it an address \
                     that its block has with `terraform state mv`",
                );
            known.entry(after.to_string()).or_default().push(fault);
        }
    }
    known
}
