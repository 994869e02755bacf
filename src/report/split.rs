//! The report of a split: what went where, what crosses, what was checked.

use std::fmt::Write as _;

use serde::Serialize;

use std::collections::{BTreeMap, BTreeSet};

use super::graph::{kind_word, site_text};
use super::{REPORT_VERSION, Table, count, size};
use crate::graph::CutEdge;
use crate::moves::{InstanceMove, StateOutcome};
use crate::plan::PlanFile;
use crate::plan::compute::Computed;
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
    /// Every instance that came here, in order.
    pub arrivals: Vec<Arrival>,
    /// Entries of `dependencies` that named what left, by consumer.
    pub dropped_dependencies: Vec<Dropped>,
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

/// A dependency that no longer stands in a state, because its target is in another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Dropped {
    /// The instance whose list it stood in.
    pub instance: String,
    /// The resource it named.
    pub dependency: String,
}

/// A dependency that crosses a cut.
#[derive(Clone, Debug, Serialize)]
pub struct Crossing {
    /// Who depends.
    pub consumer: String,
    /// On whom.
    pub producer: String,
    /// The resource that depends.
    pub from: String,
    /// The resource it depends on.
    pub to: String,
    /// `value` or `ordering`.
    pub kind: &'static str,
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
        let mut outcomes: Vec<&(StateId, StateOutcome)> = computed.conserved.states.iter().collect();
        outcomes.sort_by_key(|(id, _)| {
            (
                matches!(id, StateId::Stack(_)),
                order.get(id).copied(),
                id.clone(),
            )
        });
        let states = outcomes
            .into_iter()
            .filter_map(|(id, after)| state_report(plan, id, before.get(id), after, computed));
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
            crossings: computed.stacks.cut.iter().map(crossing).collect(),
            cycles: computed
                .stacks
                .cycles
                .iter()
                .map(|cycle| cycle.stacks.iter().map(ToString::to_string).collect())
                .collect(),
            checks: checks(computed),
            warnings: warnings.collect(),
        }
    }

    /// Returns the report as JSON with a trailing newline.
    pub fn json(&self) -> String {
        debug_assert_eq!(self.version, REPORT_VERSION);
        let mut text = serde_json::to_string_pretty(self).expect("strings and numbers always serialise");
        text.push('\n');
        text
    }

    fn table(&self) -> Table {
        let mut table = Table::new(&[
            "state",
            "layer",
            ">resources",
            ">objects",
            ">size",
            ">serial",
            "reads from",
        ]);
        for state in &self.states {
            let serial = match state.serial_before {
                Some(before) if before != state.serial => format!("{before} → {}", state.serial),
                _ => state.serial.to_string(),
            };
            let reads = if state.reads_from.is_empty() {
                "–".to_owned()
            } else {
                state.reads_from.join(", ")
            };
            let layer = state.layer.clone().unwrap_or_else(|| format!("({})", state.role));
            table.row([
                state.name.clone(),
                layer,
                state.resources.to_string(),
                state.objects.to_string(),
                size(state.bytes),
                serial,
                reads,
            ]);
        }
        table
    }

    fn moved(&self) -> usize {
        self.states.iter().map(|state| state.arrivals.len()).sum()
    }

    fn renamed(&self) -> impl Iterator<Item = &Arrival> {
        self.states
            .iter()
            .flat_map(|state| &state.arrivals)
            .filter(|arrival| arrival.from != arrival.to)
    }

    /// Returns the summary for a terminal.
    pub fn text(&self) -> String {
        let mut text = String::new();
        let instances = count(self.moved(), "instance");
        let targets = count(
            self.states
                .iter()
                .filter(|state| !state.arrivals.is_empty())
                .count(),
            "stack",
        );
        writeln!(
            text,
            "{}: {instances} moved into {targets}, environment {}\n",
            self.split, self.environment
        )
        .expect("writing to a String cannot fail");
        text.push_str(&self.table().text(2));
        let renamed: Vec<&Arrival> = self.renamed().collect();
        if !renamed.is_empty() {
            text.push_str(&format!("\n  renamed ({}):\n", renamed.len()));
            for arrival in renamed.iter().take(5) {
                text.push_str(&format!("    {} → {}\n", arrival.from, arrival.to));
            }
            if renamed.len() > 5 {
                text.push_str(&format!("    … and {} more in report.md\n", renamed.len() - 5));
            }
        }
        for cycle in &self.cycles {
            text.push_str(&format!(
                "\n  cycle: {} depend on each other; report.md lists why\n",
                cycle.join(" ↔ ")
            ));
        }
        text.push('\n');
        for check in &self.checks {
            let mark = if check.passed { "✓" } else { "✗" };
            text.push_str(&format!("{mark} {}: {}\n", check.name, check.detail));
        }
        text
    }

    /// Returns the whole report as Markdown.
    pub fn markdown(&self) -> String {
        let mut text = format!("# Split `{}`, environment `{}`\n\n", self.split, self.environment);
        text.push_str(&self.table().markdown());
        text.push_str("\n## Checks\n\n");
        for check in &self.checks {
            let mark = if check.passed { "x" } else { " " };
            text.push_str(&format!("- [{mark}] {}: {}\n", check.name, check.detail));
        }
        if !self.warnings.is_empty() {
            text.push_str("\n## Warnings\n\n");
            for warning in &self.warnings {
                text.push_str(&format!("- {warning}\n"));
            }
        }
        self.markdown_crossings(&mut text);
        self.markdown_moves(&mut text);
        text
    }

    fn markdown_crossings(&self, text: &mut String) {
        text.push_str("\n## What crosses the cut\n\n");
        if self.crossings.is_empty() {
            text.push_str("Nothing.\n");
            return;
        }
        for cycle in &self.cycles {
            text.push_str(&format!(
                "**Cycle:** {} depend on each other by value.\n\n",
                cycle.join(", ")
            ));
        }
        let mut table = Table::new(&[
            "consumer",
            "producer",
            "resource",
            "depends on",
            "kind",
            "via",
            "at",
        ]);
        for crossing in &self.crossings {
            table.row([
                crossing.consumer.clone(),
                crossing.producer.clone(),
                format!("`{}`", crossing.from),
                format!("`{}`", crossing.to),
                crossing.kind.to_owned(),
                crossing
                    .via
                    .iter()
                    .map(|node| format!("`{node}`"))
                    .collect::<Vec<_>>()
                    .join(" → "),
                crossing.at.clone().unwrap_or_default(),
            ]);
        }
        text.push_str(&table.markdown());
    }

    fn markdown_moves(&self, text: &mut String) {
        for state in self.states.iter().filter(|state| !state.arrivals.is_empty()) {
            let lineage = &state.lineage;
            text.push_str(&format!(
                "\n## {}\n\nLineage `{lineage}`, serial {}.\n\n",
                state.name, state.serial
            ));
            let mut table = Table::new(&["from", "address there", "address here", ">objects"]);
            for arrival in &state.arrivals {
                let here = if arrival.from == arrival.to {
                    "same".to_owned()
                } else {
                    format!("`{}`", arrival.to)
                };
                let from = format!("`{}`", arrival.from);
                table.row([
                    arrival.from_state.clone(),
                    from,
                    here,
                    arrival.objects.to_string(),
                ]);
            }
            text.push_str(&table.markdown());
            if !state.dropped_dependencies.is_empty() {
                let title =
                    count(state.dropped_dependencies.len(), "dropped dependency").replace("ys", "ies");
                text.push_str(&format!("\n{title} (their targets are in other states now):\n\n"));
                for dropped in &state.dropped_dependencies {
                    text.push_str(&format!("- `{}` → `{}`\n", dropped.instance, dropped.dependency));
                }
            }
        }
    }
}

fn state_report(
    plan: &PlanFile,
    id: &StateId,
    before: Option<&Snapshot>,
    after: &StateOutcome,
    computed: &Computed,
) -> Option<StateReport> {
    // A stack that took nothing does not come into being.
    let snapshot = after.written().or(before)?;
    let layer = plan
        .stack(id.name())
        .filter(|_| matches!(id, StateId::Stack(_)))
        .map(|stack| stack.layer.to_string());
    let arrivals = computed
        .changes
        .instances
        .iter()
        .filter(|moved| moved.to.state == *id);
    let dropped = computed
        .conserved
        .cut
        .iter()
        .filter(|cut| cut.consumer.state == *id && !cut.stays_in_part);
    Some(StateReport {
        name: id.to_string(),
        role: if layer.is_some() { "stack" } else { "source" },
        layer,
        file: after.written().map(|_| SplitReport::state_file(id)),
        lineage: snapshot.lineage().as_str().to_owned(),
        serial_before: before.map(|snapshot| snapshot.serial().0),
        serial: snapshot.serial().0,
        resources: snapshot
            .resources()
            .filter(|resource| !resource.is_husk())
            .count(),
        objects: snapshot.object_count(),
        bytes: snapshot.bytes().len(),
        reads_from: computed
            .stacks
            .depends_on
            .get(id)
            .into_iter()
            .flatten()
            .map(ToString::to_string)
            .collect(),
        arrivals: arrivals.map(|moved| arrival(moved, snapshot)).collect(),
        dropped_dependencies: dropped
            .map(|cut| Dropped {
                instance: cut.consumer.addr.to_string(),
                dependency: cut.producer.addr.to_string(),
            })
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect(),
    })
}

fn arrival(moved: &InstanceMove, snapshot: &Snapshot) -> Arrival {
    let key = moved.to.addr.key.as_ref();
    let resource = snapshot.resource(&moved.to.addr.resource);
    Arrival {
        from_state: moved.from.state.to_string(),
        from: moved.from.addr.to_string(),
        to: moved.to.addr.to_string(),
        objects: resource.map_or(0, |found| {
            found.instances().filter(|object| object.key() == key).count()
        }),
    }
}

fn crossing(cut: &CutEdge) -> Crossing {
    Crossing {
        consumer: cut.from.to_string(),
        producer: cut.to.to_string(),
        from: cut.edge.from.to_string(),
        to: cut.edge.to.to_string(),
        kind: kind_word(cut.edge.kind),
        via: cut.edge.via.iter().map(ToString::to_string).collect(),
        at: cut.edge.site.as_ref().map(site_text),
    }
}

fn checks(computed: &Computed) -> Vec<Check> {
    let report = &computed.conserved.report;
    let conservation = Check {
        name: "nothing lost, doubled or altered".to_owned(),
        passed: true,
        detail: format!(
            "{} in exactly one state each: {} moved, {} byte-identical; only names, keys, providers and dependencies were spliced",
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
                count(computed.stacks.cut.len(), "dependency").replace("ys", "ies")
            ),
            number => count(number, "cycle"),
        },
    };
    vec![conservation, serials, order]
}
