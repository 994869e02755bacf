//! Decides which state gets which resource instance, and under which address.
//!
//! What no pattern takes stays where it is. A pattern that matches nothing and an instance that two targets take are
//! errors, as in a sorting office: nothing is guessed. The work grows with the number of instances, not with
//! instances × patterns: see `index`.

mod index;
mod outcome;
mod rename;
mod report;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::Range;

use self::index::Index;
pub use self::outcome::{Assignment, BlockMove, InstanceMove, Inventory, OutputMove, PatternMatch};
use self::rename::Renames;
use super::file::{MoveBlock, OutputTake, PlanFile, Take};
use crate::address::{ConfigResourceAddr, ResourceInstanceAddr};
use crate::diagnostic::Diagnostic;
use crate::stack::{StackName, StateId};

/// A target as the plan file has it.
struct Taker<'a> {
    id: StateId,
    takes: &'a [Take],
    outputs: &'a [OutputTake],
    moves: &'a [MoveBlock],
    /// A stack that goes back gives from its own state alone; other targets take from all sources.
    giver: Option<StateId>,
    /// A `return` without patterns takes everything.
    everything: bool,
    span: Range<usize>,
}

/// One pattern of one target.
struct Claim<'a> {
    /// Position in the list of takers.
    taker: usize,
    /// The pattern; none takes everything.
    take: Option<&'a Take>,
    instances: usize,
    blocks: usize,
}

/// Two claims that match the same instances.
struct Overlap {
    first: usize,
    second: usize,
    count: usize,
    example: String,
}

/// The working state of one assignment.
struct Assigner<'a> {
    plan: &'a PlanFile,
    inventories: &'a BTreeMap<StateId, Inventory>,
    takers: Vec<Taker<'a>>,
    claims: Vec<Claim<'a>>,
    overlaps: Vec<Overlap>,
    faults: Vec<Diagnostic>,
    found: Assignment,
    /// How often each move was used, by taker and position.
    moved: Vec<Vec<usize>>,
}

/// Decides what goes where in one environment.
///
/// `inventories` holds every source and every returned stack, and the states of existing targets (so that addresses
/// that are occupied are found before anything is written). A state that is missing counts as empty.
///
/// # Errors
///
/// Every pattern, output or `move` that matches nothing, every instance or output that two targets take, every two
/// instances that would get the same address.
pub fn assign(
    plan: &PlanFile,
    inventories: &BTreeMap<StateId, Inventory>,
) -> Result<Assignment, Vec<Diagnostic>> {
    let takers = takers(plan);
    let claims = claims(&takers);
    let moved = takers.iter().map(|taker| vec![0; taker.moves.len()]).collect();
    let mut work = Assigner {
        plan,
        inventories,
        takers,
        claims,
        overlaps: Vec::new(),
        faults: Vec::new(),
        found: Assignment::default(),
        moved,
    };
    for giver in work.givers() {
        work.instances(&giver);
        work.undeployed(&giver);
        work.outputs(&giver);
    }
    work.report_patterns();
    work.report_overlaps();
    work.report_moves();
    work.report_collisions();
    work.report_output_collisions();
    work.report_outputs();
    work.report_accepts();
    work.finish()
}

fn takers(plan: &PlanFile) -> Vec<Taker<'_>> {
    let stacks = plan.stacks.iter().map(|block| Taker {
        id: StateId::Stack(block.name.value.clone()),
        takes: &block.taking.takes,
        outputs: &block.taking.outputs,
        moves: &block.taking.moves,
        giver: None,
        everything: false,
        span: block.name.span.clone(),
    });
    let returns = plan.returns.iter().map(|block| Taker {
        id: StateId::Source(block.to.value.clone()),
        takes: &block.taking.takes,
        outputs: &block.taking.outputs,
        moves: &block.taking.moves,
        giver: Some(StateId::Stack(block.name.value.clone())),
        everything: block.taking.takes.is_empty(),
        span: block.name.span.clone(),
    });
    stacks.chain(returns).collect()
}

fn claims<'a>(takers: &[Taker<'a>]) -> Vec<Claim<'a>> {
    let mut claims = Vec::new();
    for (at, taker) in takers.iter().enumerate() {
        let takes = taker.takes.iter().map(Some);
        let whole = taker.everything.then_some(None);
        claims.extend(takes.chain(whole).map(|take| Claim {
            taker: at,
            take,
            instances: 0,
            blocks: 0,
        }));
    }
    claims
}

impl Taker<'_> {
    /// Tells whether something said about `source` (none: every source) is about this giver.
    fn is_about(&self, source: Option<&StackName>, giver: &StateId) -> bool {
        match &self.giver {
            Some(only) => only == giver,
            None => matches!(giver, StateId::Source(name) if source.is_none_or(|source| source == name)),
        }
    }
}

impl<'a> Assigner<'a> {
    /// Returns the states that may lose something, in file order.
    fn givers(&self) -> Vec<StateId> {
        let sources = self
            .plan
            .sources
            .iter()
            .map(|block| StateId::Source(block.name.value.clone()));
        let returns = self
            .plan
            .returns
            .iter()
            .map(|block| StateId::Stack(block.name.value.clone()));
        sources.chain(returns).collect()
    }

    fn inventory(&self, id: &StateId) -> Option<&'a Inventory> {
        self.inventories.get(id)
    }

    /// Returns the positions of the claims that concern this giver.
    fn claims_on(&self, giver: &StateId) -> Vec<usize> {
        let about = |claim: &Claim<'_>| {
            let source = claim.take.and_then(|take| take.source.as_ref());
            self.takers[claim.taker].is_about(source, giver)
        };
        (0..self.claims.len())
            .filter(|&at| about(&self.claims[at]))
            .collect()
    }

    fn instances(&mut self, giver: &StateId) {
        let Some(inventory) = self.inventory(giver) else {
            return;
        };
        let index = Index::new(self.claims_on(giver).into_iter().map(|at| {
            let take = self.claims[at].take;
            (at, take.map(|take| (&take.pattern.value, take.text.as_str())))
        }));
        let renames: Vec<Renames<'a>> = self
            .takers
            .iter()
            .map(|taker| Renames::new(taker.moves, |block| taker.is_about(block.source.as_ref(), giver)))
            .collect();
        let mut overlaps: HashMap<(usize, usize), usize> = HashMap::new();
        let mut hits = Vec::new();
        let mut stays = 0;
        for instance in &inventory.instances {
            hits.clear();
            index.matches(instance, &mut hits);
            hits.sort_unstable();
            for &hit in &hits {
                self.claims[hit].instances += 1;
            }
            let Some(&first) = hits.first() else {
                stays += 1;
                continue;
            };
            let taker = self.claims[first].taker;
            for &other in hits.iter().filter(|&&other| self.claims[other].taker != taker) {
                let at = *overlaps.entry((first, other)).or_insert_with(|| {
                    self.overlaps.push(Overlap {
                        first,
                        second: other,
                        count: 0,
                        example: instance.to_string(),
                    });
                    self.overlaps.len() - 1
                });
                self.overlaps[at].count += 1;
            }
            self.take(giver, instance, taker, &renames[taker]);
        }
        self.found.stays.insert(giver.clone(), stays);
    }

    fn take(
        &mut self,
        giver: &StateId,
        instance: &ResourceInstanceAddr,
        taker: usize,
        renames: &Renames<'a>,
    ) {
        let to = match renames.apply(instance) {
            Ok(None) => instance.clone(),
            Ok(Some((at, to))) => {
                self.moved[taker][at] += 1;
                to
            }
            Err((at, reason, hint)) => {
                // Said once per move, however many instances it concerns.
                if self.moved[taker][at] == 0 {
                    let span = self.takers[taker].moves[at].to.span.clone();
                    let fault = Diagnostic::error(reason).at(&self.plan.file, span);
                    self.faults
                        .push(fault.note(format!("it concerns `{instance}`")).hint(hint));
                }
                self.moved[taker][at] += 1;
                return;
            }
        };
        self.found.instances.push(InstanceMove {
            giver: giver.clone(),
            from: instance.clone(),
            taker: self.takers[taker].id.clone(),
            to,
        });
    }

    /// Blocks that the state knows nothing of follow the patterns, too.
    fn undeployed(&mut self, giver: &StateId) {
        let Some(inventory) = self
            .inventory(giver)
            .filter(|inventory| !inventory.blocks.is_empty())
        else {
            return;
        };
        let mut deployed: HashSet<ConfigResourceAddr> = HashSet::new();
        let mut last = None;
        for instance in &inventory.instances {
            if last != Some(&instance.resource) {
                deployed.insert(instance.resource.config());
                last = Some(&instance.resource);
            }
        }
        let claims = self.claims_on(giver);
        for block in inventory.blocks.iter().filter(|block| !deployed.contains(block)) {
            let mut takers: Vec<StateId> = Vec::new();
            for &at in &claims {
                let claim = &mut self.claims[at];
                if claim
                    .take
                    .is_none_or(|take| take.pattern.value.matches_config(block))
                {
                    claim.blocks += 1;
                    let id = &self.takers[claim.taker].id;
                    if !takers.contains(id) {
                        takers.push(id.clone());
                    }
                }
            }
            if !takers.is_empty() {
                self.found.undeployed.push(BlockMove {
                    giver: giver.clone(),
                    address: block.clone(),
                    takers,
                });
            }
        }
    }

    /// Outputs follow on request only.
    fn outputs(&mut self, giver: &StateId) {
        let Some(inventory) = self.inventory(giver) else {
            return;
        };
        let known: HashSet<&str> = inventory.outputs.iter().map(String::as_str).collect();
        let mut taken: HashMap<&str, (usize, &OutputTake)> = HashMap::new();
        for (at, taker) in self.takers.iter().enumerate() {
            for output in taker
                .outputs
                .iter()
                .filter(|output| taker.is_about(output.source.as_ref(), giver))
            {
                let name = output.name.value.as_str();
                if !known.contains(name) {
                    continue;
                }
                match taken.get(name) {
                    Some((other, first)) if *other != at => {
                        let fault = Diagnostic::error(format!(
                            "the output `{name}` is taken by `{}` and by `{}`",
                            self.takers[*other].id, taker.id
                        ));
                        let place = self.place(&first.name.span);
                        let fault = fault.at(&self.plan.file, output.name.span.clone());
                        let other = &self.takers[*other].id;
                        self.faults.push(
                            fault
                                .note(format!("`{other}` takes it at {place}"))
                                .hint("leave it in one of the two lists"),
                        );
                    }
                    Some(_) => {}
                    None => {
                        taken.insert(name, (at, output));
                        self.found.outputs.push(OutputMove {
                            giver: giver.clone(),
                            taker: taker.id.clone(),
                            name: name.to_owned(),
                        });
                    }
                }
            }
        }
    }

    fn finish(mut self) -> Result<Assignment, Vec<Diagnostic>> {
        if self.faults.is_empty() {
            return Ok(self.found);
        }
        self.faults
            .sort_by_key(|fault| fault.location.as_ref().map(|(_, span)| span.start));
        Err(self.faults)
    }

    fn place(&self, span: &Range<usize>) -> String {
        let at = self.plan.file.position(span.start);
        format!("{}:{}:{}", self.plan.file.path, at.line, at.column)
    }
}

#[cfg(test)]
mod tests;
