//! The report of a split: what went where, what crosses, what was checked.

use std::fmt::Write as _;

use serde::Serialize;

use super::{REPORT_VERSION, Table, count, size};

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
#[derive(Clone, Debug, Serialize)]
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
