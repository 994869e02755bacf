//! The report of a split: what went where, what crosses, what was checked. `render` prints it.

mod code;
mod render;

pub use code::{CodeReport, ContractReport, Finding, RootModuleReport};

use serde::Serialize;

use std::collections::{BTreeMap, HashMap};

use super::graph::{kind_word, site_text};
use super::{REPORT_VERSION, count};
use crate::address::{ConfigResourceAddr, ResourceMode};
use crate::graph::{CutEdge, EdgeKind, StackGraph};
use crate::plan::PlanFile;
use crate::plan::assign::InstanceMove;
use crate::plan::compute::{After, Computed};
use crate::stack::StateId;
use crate::state::Snapshot;

/// Everything a split tells.
#[derive(Clone, Debug, Serialize)]
pub struct SplitReport {
    /// Version of this JSON.
    pub version: u32,
    /// Name of the split.
    pub split: String,
    /// Name of the environment.
    pub environment: String,
    /// The states, sources first, then stacks in dependency order.
    pub states: Vec<StateReport>,
    /// Dependencies that cross from one state to another.
    pub crossings: Vec<Crossing>,
    /// Groups of stacks that depend on each other.
    pub cycles: Vec<Vec<String>>,
    /// What was checked, and what came of it.
    pub checks: Vec<Check>,
    /// What a person should know.
    pub warnings: Vec<String>,
    /// The code; none where states move alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<CodeReport>,
    /// Why the code does not follow.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub refusals: Vec<Finding>,
}

/// One state after the split.
#[derive(Clone, Debug, Serialize)]
pub struct StateReport {
    /// Name of the source or stack.
    pub name: String,
    /// `source` or `stack`.
    pub role: &'static str,
    /// Layer of a stack.
    pub layer: Option<String>,
    /// File of the state, relative to OUT; none where it did not change.
    pub file: Option<String>,
    /// Where the state lives, in a plan.
    pub location: Option<String>,
    /// Lineage.
    pub lineage: String,
    /// Serial before; none for a new state.
    pub serial_before: Option<u64>,
    /// Serial after.
    pub serial: u64,
    /// Resources with at least one object.
    pub resources: usize,
    /// Instance objects, deposed ones included.
    pub objects: usize,
    /// Bytes of the state file.
    pub bytes: usize,
    /// Names of the stacks whose resources this one's depend on.
    pub reads_from: Vec<String>,
    /// Managed instances that came here, by type, most first.
    pub arriving_types: Vec<(String, usize)>,
    /// Every instance that came here, in order.
    pub arrivals: Vec<Arrival>,
    /// How many entries of `dependencies` were dropped here because they name what is in another state now.
    pub dropped_dependencies: usize,
}

/// One instance that moved.
#[derive(Clone, Debug, Serialize)]
pub struct Arrival {
    /// The state it came from.
    pub from_state: String,
    /// Its address there.
    pub from: String,
    /// Its address here.
    pub to: String,
    /// Its objects: 1, and one more for each deposed object.
    pub objects: usize,
}

/// A dependency that crosses a cut.
#[derive(Clone, Debug, Serialize)]
pub struct Crossing {
    /// Who depends.
    pub consumer: String,
    /// On whom.
    pub producer: String,
    /// The resource that is depended on.
    pub to: String,
    /// `value`, `ordering`, or `state`: known from the state's `dependencies` only.
    pub kind: &'static str,
    /// How many resources of the consumer depend on it (for `state`: entries of `dependencies`).
    pub count: usize,
    /// One resource that depends on it.
    pub from: Option<String>,
    /// What lies between: locals, variables, outputs, data sources.
    pub via: Vec<String>,
    /// `file:line:column` of the reference.
    pub at: Option<String>,
}

/// One check and its outcome.
#[derive(Clone, Debug, Serialize)]
pub struct Check {
    /// What was checked.
    pub name: String,
    /// Whether it held.
    pub passed: bool,
    /// Counts.
    pub detail: String,
}

impl SplitReport {
    /// Returns the path of a state within the result.
    pub fn state_file(id: &StateId) -> String {
        format!("states/{id}.tfstate")
    }

    /// Collects the report of a split.
    pub fn new(
        plan: &PlanFile,
        environment: &str,
        before: &BTreeMap<StateId, Snapshot>,
        computed: &Computed,
    ) -> Self {
        let order: BTreeMap<&StateId, usize> = computed
            .stacks
            .order
            .iter()
            .enumerate()
            .map(|(place, id)| (id, place))
            .collect();
        let mut outcomes: Vec<&(StateId, Option<After>)> = computed.carried.states.iter().collect();
        outcomes.sort_by_key(|(id, _)| {
            (
                matches!(id, StateId::Stack(_)),
                order.get(id).copied(),
                id.clone(),
            )
        });
        let concerns = Concerns::new(computed);
        let states = outcomes
            .into_iter()
            .filter_map(|(id, after)| state_report(plan, id, before, after.as_ref(), computed, &concerns));
        let warnings = computed
            .assignment
            .warnings
            .iter()
            .map(|found| found.message.clone());
        Self {
            version: REPORT_VERSION,
            split: plan.name.value.to_string(),
            environment: environment.to_owned(),
            states: states.collect(),
            crossings: crossings(&computed.stacks),
            cycles: computed
                .stacks
                .cycles
                .iter()
                .map(|cycle| cycle.stacks.iter().map(ToString::to_string).collect())
                .collect(),
            checks: checks(computed),
            warnings: warnings.collect(),
            code: None,
            refusals: Vec::new(),
        }
    }

    /// Says where each state lives, instead of the file of a split.
    pub fn place(&mut self, place: &dyn Fn(&StateId) -> Option<String>) {
        for state in &mut self.states {
            let Ok(name) = state.name.parse() else { continue };
            let id = if state.role == "stack" {
                StateId::Stack(name)
            } else {
                StateId::Source(name)
            };
            state.file = None;
            state.location = place(&id);
        }
    }
}

/// What concerns each state, found in one pass over the whole migration.
#[derive(Default)]
struct Concerns<'a> {
    arrivals: HashMap<&'a StateId, Vec<&'a InstanceMove>>,
    dropped: HashMap<&'a StateId, usize>,
}

impl<'a> Concerns<'a> {
    fn new(computed: &'a Computed) -> Self {
        let mut found = Self::default();
        for moved in &computed.assignment.instances {
            found.arrivals.entry(&moved.taker).or_default().push(moved);
        }
        for cut in computed.carried.cut.iter().filter(|cut| !cut.stays_in_part) {
            *found.dropped.entry(&cut.consumer.state).or_default() += 1;
        }
        found
    }
}

fn state_report(
    plan: &PlanFile,
    id: &StateId,
    before: &BTreeMap<StateId, Snapshot>,
    after: Option<&After>,
    computed: &Computed,
    concerns: &Concerns<'_>,
) -> Option<StateReport> {
    let serial_before = before.get(id).map(|snapshot| snapshot.serial().0);
    // A stack that took nothing does not come into being; a state that nothing changes in is as it was.
    let now = after.cloned().or_else(|| before.get(id).map(After::of))?;
    let stack = plan.stack(id.name()).filter(|_| matches!(id, StateId::Stack(_)));
    let layer = stack.map(|stack| stack.layer.to_string());
    let arrivals = concerns.arrivals.get(id).map_or(&[][..], Vec::as_slice);
    Some(StateReport {
        name: id.to_string(),
        role: if layer.is_some() { "stack" } else { "source" },
        layer,
        file: after.map(|_| SplitReport::state_file(id)),
        location: None,
        lineage: now.lineage.as_str().to_owned(),
        serial_before,
        serial: now.serial.0,
        resources: now.resources,
        objects: now.objects,
        bytes: now.bytes,
        reads_from: computed
            .stacks
            .depends_on
            .get(id)
            .into_iter()
            .flatten()
            .map(ToString::to_string)
            .collect(),
        arriving_types: types(arrivals.iter().copied()),
        arrivals: arrivals.iter().map(|moved| arrival(moved, before)).collect(),
        dropped_dependencies: concerns.dropped.get(id).copied().unwrap_or(0),
    })
}

fn types<'a>(moves: impl Iterator<Item = &'a InstanceMove>) -> Vec<(String, usize)> {
    let mut counted: BTreeMap<&str, usize> = BTreeMap::new();
    for moved in moves.filter(|moved| moved.to.resource.mode == ResourceMode::Managed) {
        *counted.entry(&moved.to.resource.type_name).or_default() += 1;
    }
    let mut types: Vec<(String, usize)> = counted
        .into_iter()
        .map(|(name, number)| (name.to_owned(), number))
        .collect();
    types.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    types
}

fn arrival(moved: &InstanceMove, before: &BTreeMap<StateId, Snapshot>) -> Arrival {
    let key = moved.from.key.as_ref();
    let resource = before
        .get(&moved.giver)
        .and_then(|snapshot| snapshot.resource(&moved.from.resource));
    Arrival {
        from_state: moved.giver.to_string(),
        from: moved.from.to_string(),
        to: moved.to.to_string(),
        objects: resource.map_or(0, |found| found.objects(key).len()),
    }
}

/// Collects what crosses, by consumer, producer and what is depended on: code first, then what only the state knows.
fn crossings(stacks: &StackGraph) -> Vec<Crossing> {
    let mut found: BTreeMap<(&StateId, &StateId, &ConfigResourceAddr, EdgeKind), (usize, &CutEdge)> =
        BTreeMap::new();
    for cut in &stacks.cut {
        let key = (&cut.from, &cut.to, &cut.edge.to, cut.edge.kind);
        found.entry(key).or_insert((0, cut)).0 += 1;
    }
    let from_code = found.into_values().map(|(count, cut)| Crossing {
        consumer: cut.from.to_string(),
        producer: cut.to.to_string(),
        to: cut.edge.to.to_string(),
        kind: kind_word(cut.edge.kind),
        count,
        from: Some(cut.edge.from.to_string()),
        via: cut.edge.via.iter().map(ToString::to_string).collect(),
        at: cut.edge.site.as_ref().map(site_text),
    });
    let from_state = stacks.from_state.iter().map(|cut| Crossing {
        consumer: cut.from.to_string(),
        producer: cut.to.to_string(),
        to: match cut.resources {
            1 => cut.example.to_string(),
            number => format!("{} and {} more", cut.example, number - 1),
        },
        kind: "state",
        count: cut.entries,
        from: None,
        via: Vec::new(),
        at: None,
    });
    from_code.chain(from_state).collect()
}

/// Lists the checks. The first two held, or there would be no computation to report: see [`Computed`].
fn checks(computed: &Computed) -> Vec<Check> {
    let report = &computed.carried.report;
    let relinked = report.objects - report.objects_moved - report.objects_identical;
    let conservation = Check {
        name: "nothing lost, doubled or altered".to_owned(),
        passed: true,
        detail: format!(
            "{} in exactly one state each: {} moved, {} stayed byte for byte, {relinked} stayed but for their dependencies",
            count(report.objects, "object"),
            report.objects_moved,
            report.objects_identical
        ),
    };
    let serials = Check {
        name: "lineages and serials".to_owned(),
        passed: true,
        detail: format!(
            "{} written, {} unchanged",
            count(report.states_written, "state"),
            report.states - report.states_written
        ),
    };
    let cycles = &computed.stacks.cycles;
    let order = Check {
        name: "no stacks depend on each other".to_owned(),
        passed: cycles.is_empty(),
        detail: match cycles.len() {
            0 => format!(
                "{} cross, in one direction each",
                count(computed.stacks.cut.len(), "dependency")
            ),
            number => count(number, "cycle"),
        },
    };
    vec![conservation, serials, order]
}
