//! What is wrong with an assignment, said with places and near misses.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::{Assigner, OutputMove, PatternMatch, Taker};
use crate::address::{MoveableAddr, ResourceInstanceAddr};
use crate::diagnostic::Diagnostic;
use crate::plan::suggest;
use crate::stack::{StackName, StateId};

impl Assigner<'_> {
    /// A pattern must match something.
    pub(super) fn report_patterns(&mut self) {
        let mut names: Option<Vec<String>> = None;
        for claim in &self.claims {
            let taker = &self.takers[claim.taker];
            let Some(take) = claim.take else {
                continue;
            };
            self.found.patterns.push(PatternMatch {
                taker: taker.id.clone(),
                text: take.text.clone(),
                span: take.pattern.span.clone(),
                instances: claim.instances,
                blocks: claim.blocks,
            });
            if claim.instances > 0 {
                continue;
            }
            if claim.blocks > 0 {
                self.found.warnings.push(
                    Diagnostic::warning(format!(
                        "`{}` matches {} of the code, but no instance in the state",
                        take.text,
                        match claim.blocks {
                            1 => "1 block".to_owned(),
                            blocks => format!("{blocks} blocks"),
                        }
                    ))
                    .at(&self.plan.file, take.pattern.span.clone()),
                );
                continue;
            }
            let names = names.get_or_insert_with(|| names_of(&self.givers(), self.inventories));
            let near = suggest::near(&take.text, names.iter().map(String::as_str));
            let wider: Vec<&str> = names
                .iter()
                .map(String::as_str)
                .filter(|name| name.starts_with(&take.text))
                .take(3)
                .collect();
            let hint = match (near.as_slice(), wider.as_slice()) {
                ([], []) => {
                    "see `stackcut inspect` for what is there; patterns are anchored at both ends".to_owned()
                }
                ([], wider) => format!("there is {}", suggest::quoted(wider)),
                (near, _) => format!("did you mean {}?", suggest::quoted(near)),
            };
            let whose = match (&take.source, &taker.giver) {
                (Some(source), _) => format!("in source `{source}`"),
                (None, Some(giver)) => format!("in stack `{giver}`"),
                (None, None) => "in the source".to_owned(),
            };
            self.faults.push(
                Diagnostic::error(format!("`{}` matches nothing {whose}", take.text))
                    .at(&self.plan.file, take.pattern.span.clone())
                    .hint(hint),
            );
        }
    }

    /// An instance goes to one target.
    pub(super) fn report_overlaps(&mut self) {
        for overlap in &self.overlaps {
            let side = |claim: usize| {
                let claim = &self.claims[claim];
                let taker = &self.takers[claim.taker];
                let span = claim.take.map_or(&taker.span, |take| &take.pattern.span);
                let text = claim.take.map_or("everything", |take| take.text.as_str());
                (&taker.id, text, span.clone())
            };
            let (first, first_text, first_span) = side(overlap.first);
            let (second, second_text, second_span) = side(overlap.second);
            let what = match overlap.count {
                1 => format!("`{}` is", overlap.example),
                more => format!("`{}` and {} more are", overlap.example, more - 1),
            };
            self.faults.push(
                Diagnostic::error(format!("{what} taken by `{first}` and by `{second}`"))
                    .at(&self.plan.file, second_span)
                    .note(format!(
                        "`{first}` takes it with `{first_text}` at {}",
                        self.place(&first_span)
                    ))
                    .hint(format!(
                        "make `{first_text}` or `{second_text}` narrower: an instance goes to one state"
                    )),
            );
        }
    }

    /// A `move` must concern something that its stack takes.
    pub(super) fn report_moves(&mut self) {
        for (taker, moved) in self.takers.iter().zip(&self.moved) {
            for (block, _) in taker.moves.iter().zip(moved).filter(|(_, count)| **count == 0) {
                let from = &block.from;
                let givers: Vec<StateId> = self
                    .givers()
                    .into_iter()
                    .filter(|giver| taker.is_about(block.source.as_ref(), giver))
                    .collect();
                let there = givers.iter().find_map(|giver| {
                    let instances = &self.inventories.get(giver)?.instances;
                    instances.iter().find(|instance| concerns(&from.value, instance))
                });
                let fault = match there {
                    Some(instance) => self.not_taken(taker, instance),
                    None => {
                        let text = address_text(&from.value);
                        let names = names_of(&givers, self.inventories);
                        let near = suggest::near(&text, names.iter().map(String::as_str));
                        let fault = Diagnostic::error(format!("`{text}` is nowhere in the state"));
                        match near.as_slice() {
                            [] => fault.hint("remove the `move` block, or correct its `from`"),
                            near => fault.hint(format!("did you mean {}?", suggest::quoted(near))),
                        }
                    }
                };
                self.faults.push(fault.at(&self.plan.file, from.span.clone()));
            }
        }
    }

    fn not_taken(&self, taker: &Taker<'_>, instance: &ResourceInstanceAddr) -> Diagnostic {
        let elsewhere = self.found.instances.iter().find(|found| found.from == *instance);
        match elsewhere {
            Some(found) if found.taker != taker.id => Diagnostic::error(format!(
                "`{}` does not take this, `{}` does",
                taker.id, found.taker
            ))
            .hint(format!("put the `move` block into `{}`", found.taker)),
            Some(_) => Diagnostic::error("another `move` block with a more specific `from` has it all")
                .hint("remove this block"),
            None => Diagnostic::error(format!("`{}` does not take this", taker.id))
                .hint("add the address to its `take`"),
        }
    }

    /// No two instances can have one address in one state.
    pub(super) fn report_collisions(&mut self) {
        let mut faults = Vec::new();
        let targets: BTreeSet<&StateId> = self.takers.iter().map(|taker| &taker.id).collect();
        for target in targets {
            let mut seen: HashMap<&ResourceInstanceAddr, String> = HashMap::new();
            let leaving: HashSet<&ResourceInstanceAddr> = self
                .found
                .instances
                .iter()
                .filter(|found| found.giver == *target)
                .map(|found| &found.from)
                .collect();
            let there = self
                .inventories
                .get(target)
                .map(|inventory| inventory.instances.as_slice());
            for instance in there
                .unwrap_or_default()
                .iter()
                .filter(|instance| !leaving.contains(instance))
            {
                seen.insert(instance, format!("the state of `{target}` has it already"));
            }
            let movable = self.needs_check(target);
            if seen.is_empty() && !movable {
                continue;
            }
            for found in self.found.taken_by(target) {
                let from = format!("`{}` of `{}` becomes it", found.from, found.giver);
                if let Some(other) = seen.get(&found.to) {
                    faults.push(
                        Diagnostic::error(format!("two instances would be `{}` in `{target}`", found.to))
                            .at(&self.plan.file, self.plan.span_of(target))
                            .note(other.clone())
                            .note(from)
                            .hint("give one of them another address with a `move` block"),
                    );
                } else {
                    seen.insert(&found.to, from);
                }
            }
        }
        self.faults.append(&mut faults);
    }

    /// No two outputs can have one name in one state.
    pub(super) fn report_output_collisions(&mut self) {
        let mut faults = Vec::new();
        let moved = &self.found.outputs;
        let leaving: HashSet<(&StateId, &str)> = moved
            .iter()
            .map(|output| (&output.giver, output.name.as_str()))
            .collect();
        let takers: BTreeSet<&StateId> = moved.iter().map(|output| &output.taker).collect();
        let there: HashSet<(&StateId, &str)> = takers
            .into_iter()
            .filter_map(|taker| Some((taker, self.inventories.get(taker)?)))
            .flat_map(|(taker, there)| there.outputs.iter().map(move |name| (taker, name.as_str())))
            .collect();
        let mut arrived: HashMap<(&StateId, &str), &OutputMove> = HashMap::new();
        for output in moved {
            let place = (&output.taker, output.name.as_str());
            let before = *arrived.entry(place).or_insert(output);
            let other = if there.contains(&place) && !leaving.contains(&place) {
                format!("`{}` has it already", output.taker)
            } else if !std::ptr::eq(before, output) {
                format!("it comes from `{}`, too", before.giver)
            } else {
                continue;
            };
            faults.push(
                Diagnostic::error(format!(
                    "the output `{}` of `{}` would be the second of that name in `{}`",
                    output.name, output.giver, output.taker
                ))
                .at(&self.plan.file, self.plan.span_of(&output.taker))
                .note(other)
                .hint("leave it out of `outputs`, and write it by hand under another name"),
            );
        }
        self.faults.append(&mut faults);
    }

    /// Addresses of one source that keep their names cannot collide.
    fn needs_check(&self, target: &StateId) -> bool {
        let takers = self.takers.iter().filter(|taker| taker.id == *target);
        self.givers().len() > 1 || takers.into_iter().any(|taker| !taker.moves.is_empty())
    }

    /// An output must be in one of the states it may come from.
    pub(super) fn report_outputs(&mut self) {
        let givers = self.givers();
        for taker in &self.takers {
            let mut known: HashMap<Option<&StackName>, (HashSet<&str>, Vec<&str>)> = HashMap::new();
            for output in taker.outputs {
                let (set, list) = known.entry(output.source.as_ref()).or_insert_with(|| {
                    let list: Vec<&str> = givers
                        .iter()
                        .filter(|giver| taker.is_about(output.source.as_ref(), giver))
                        .filter_map(|giver| self.inventories.get(giver))
                        .flat_map(|inventory| inventory.outputs.iter().map(String::as_str))
                        .collect();
                    (list.iter().copied().collect(), list)
                });
                let name = output.name.value.as_str();
                if set.contains(name) {
                    continue;
                }
                self.faults.push(
                    Diagnostic::error(format!("no root output is named `{name}`"))
                        .at(&self.plan.file, output.name.span.clone())
                        .hint(match list.as_slice() {
                            [] => "the source has no outputs; remove it from `outputs`".to_owned(),
                            known => suggest::did_you_mean(name, known),
                        }),
                );
            }
        }
    }

    /// An `accept` that concerns nothing is most likely a typing mistake.
    pub(super) fn report_accepts(&mut self) {
        for stack in self.plan.stacks.iter().filter(|stack| !stack.accepts.is_empty()) {
            let id = StateId::Stack(stack.name.value.clone());
            for accept in &stack.accepts {
                let pattern = &accept.address.value;
                let there = self
                    .inventories
                    .get(&id)
                    .map(|inventory| inventory.instances.as_slice());
                let taken = self.found.taken_by(&id).any(|found| pattern.matches(&found.to));
                if !taken
                    && !there
                        .unwrap_or_default()
                        .iter()
                        .any(|instance| pattern.matches(instance))
                {
                    self.found.warnings.push(
                        Diagnostic::warning(format!("this `accept` concerns nothing in `{id}`"))
                            .at(&self.plan.file, accept.address.span.clone())
                            .note("addresses here are those in the stack, after its `move` blocks"),
                    );
                }
            }
        }
    }
}

/// Returns what a person may have meant: resources, instances with keys, module instances.
fn names_of(
    givers: &[StateId],
    inventories: &std::collections::BTreeMap<StateId, super::Inventory>,
) -> Vec<String> {
    let mut names: BTreeSet<String> = BTreeSet::new();
    let inventories: Vec<_> = givers.iter().filter_map(|giver| inventories.get(giver)).collect();
    for instance in inventories.iter().flat_map(|inventory| &inventory.instances) {
        let steps = &instance.resource.module.0;
        if !steps.is_empty() {
            names.insert(instance.resource.module.to_string());
        }
        names.insert(instance.resource.to_string());
        if instance.key.is_some() {
            names.insert(instance.to_string());
        }
    }
    for block in inventories.iter().flat_map(|inventory| &inventory.blocks) {
        names.insert(block.to_string());
    }
    names.into_iter().collect()
}

/// Tells whether a `from` names this instance, a resource or a module around it.
fn concerns(from: &MoveableAddr, instance: &ResourceInstanceAddr) -> bool {
    match from {
        MoveableAddr::Instance(from) => from == instance,
        MoveableAddr::Resource(from) => *from == instance.resource,
        MoveableAddr::Module(from) => {
            let steps = &instance.resource.module.0;
            let Some((last, outer)) = from.0.split_last() else {
                return false;
            };
            steps.starts_with(outer)
                && steps.get(outer.len()).is_some_and(|step| {
                    step.name == last.name && (last.key.is_none() || step.key == last.key)
                })
        }
    }
}

fn address_text(address: &MoveableAddr) -> String {
    match address {
        MoveableAddr::Module(module) => module.to_string(),
        MoveableAddr::Resource(resource) => resource.to_string(),
        MoveableAddr::Instance(instance) => instance.to_string(),
    }
}
