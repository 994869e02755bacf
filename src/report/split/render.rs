//! The report of a split as text, Markdown and JSON.

use std::fmt::Write as _;

use super::{Arrival, Finding, SplitReport, StateReport};
use crate::diagnostic::{Diagnostic, Shown, bounded, kind_of};
use crate::report::{REPORT_VERSION, Table, count, size};

/// How many rows a table of the Markdown report has at the most; the JSON report has all.
const MOST_ROWS: usize = 500;

/// Where everything is to be seen that a text leaves out.
const IN_JSON: &str = "all of them are in the JSON report";

impl SplitReport {
    /// Returns the report as JSON with a trailing newline.
    pub fn json(&self) -> String {
        debug_assert_eq!(self.version, REPORT_VERSION);
        let mut text = serde_json::to_string(self).expect("strings and numbers always serialise");
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
        self.text_groups(&mut text);
        let renamed: Vec<&Arrival> = self.renamed().collect();
        if !renamed.is_empty() {
            text.push_str(&format!("\n  renamed ({}):\n", renamed.len()));
            for arrival in renamed.iter().take(5) {
                text.push_str(&format!("    {} → {}\n", arrival.from, arrival.to));
            }
            if renamed.len() > 5 {
                let placed = self.states.iter().any(|state| state.location.is_some());
                let rest = if placed {
                    "; `stackcut plan --format markdown` lists them"
                } else {
                    " in report.md"
                };
                text.push_str(&format!("    … and {} more{rest}\n", renamed.len() - 5));
            }
        }
        for cycle in &self.cycles {
            text.push_str(&format!(
                "\n  cycle: {} depend on each other; report.md lists why\n",
                cycle.join(" ↔ ")
            ));
        }
        self.text_code(&mut text);
        text.push('\n');
        for check in &self.checks {
            let mark = if check.passed { "✓" } else { "✗" };
            text.push_str(&format!("{mark} {}: {}\n", check.name, check.detail));
        }
        text
    }

    /// Appends what moves, stack by stack, grouped by type.
    fn text_groups(&self, text: &mut String) {
        let arriving: Vec<&StateReport> = self
            .states
            .iter()
            .filter(|state| !state.arrivals.is_empty())
            .collect();
        if arriving.is_empty() {
            text.push_str("\n  no resource moves\n");
            return;
        }
        let width = arriving
            .iter()
            .map(|state| state.name.chars().count())
            .max()
            .unwrap_or(0);
        text.push_str("\n  what moves:\n");
        for state in arriving {
            let shown: Vec<String> = state
                .arriving_types
                .iter()
                .take(4)
                .map(|(name, number)| format!("{number} {name}"))
                .collect();
            let more: usize = state
                .arriving_types
                .iter()
                .skip(4)
                .map(|(_, number)| number)
                .sum();
            let rest = if more > 0 {
                format!(", {more} others")
            } else {
                String::new()
            };
            let pad = " ".repeat(width - state.name.chars().count());
            text.push_str(&format!("    {}{pad}  {}{rest}\n", state.name, shown.join(", ")));
            if let Some(location) = &state.location {
                text.push_str(&format!("    {}  → {location}\n", " ".repeat(width)));
            }
        }
    }

    /// Appends in which order the root modules can be applied, and what they hand on.
    fn text_code(&self, text: &mut String) {
        let Some(code) = &self.code else { return };
        let order: Vec<&str> = code.order.iter().map(|module| module.name.as_str()).collect();
        text.push_str(&format!("\n  order of apply: {}\n", order.join(", ")));
    }

    fn markdown_code(&self, text: &mut String) {
        let kind = |finding: &Finding| kind_of(&Diagnostic::error(&finding.message));
        for shown in bounded(&self.refusals, kind) {
            let Shown::One(finding) = shown else {
                text.push_str(&format!("\n{}\n", shown.line(IN_JSON).unwrap_or_default()));
                continue;
            };
            let at = finding
                .at
                .as_ref()
                .map_or_else(String::new, |at| format!(" ({at})"));
            text.push_str(&format!(
                "\n**The code does not follow:** {}{at}\n",
                finding.message
            ));
            for more in finding.notes.iter().chain(&finding.hint) {
                text.push_str(&format!("- {more}\n"));
            }
        }
        let Some(code) = &self.code else { return };
        text.push_str("\n## Code\n\nIn the order in which it can be applied:\n\n");
        let mut table = Table::new(&["root module", "directory", ">files", "reads contracts of"]);
        for module in &code.order {
            table.row([
                module.name.clone(),
                format!("`{}`", module.dir),
                module.files.to_string(),
                module.reads.join(", "),
            ]);
        }
        text.push_str(&table.markdown());
        text.push_str("\n## Contracts\n\n");
        let mut table = Table::new(&["producer", "store", ">values", ">secret", ">bytes"]);
        for contract in &code.contracts {
            table.row([
                contract.producer.clone(),
                contract.store.clone(),
                contract.values.to_string(),
                contract.sensitive.to_string(),
                contract
                    .size
                    .map_or_else(|| "?".to_owned(), |size| size.to_string()),
            ]);
        }
        text.push_str(&table.markdown());
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
            let kind = |warning: &String| kind_of(&Diagnostic::warning(warning));
            for shown in bounded(&self.warnings, kind) {
                match shown {
                    Shown::One(warning) => text.push_str(&format!("- {warning}\n")),
                    more => text.push_str(&format!("\n{}\n\n", more.line(IN_JSON).unwrap_or_default())),
                }
            }
        }
        self.markdown_code(&mut text);
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
            "depends on",
            "kind",
            ">by",
            "for example",
            "via",
            "at",
        ]);
        for crossing in self.crossings.iter().take(MOST_ROWS) {
            let via: Vec<String> = crossing.via.iter().map(|node| format!("`{node}`")).collect();
            table.row([
                crossing.consumer.clone(),
                crossing.producer.clone(),
                format!("`{}`", crossing.to),
                crossing.kind.to_owned(),
                crossing.count.to_string(),
                crossing
                    .from
                    .as_ref()
                    .map_or_else(String::new, |from| format!("`{from}`")),
                via.join(" → "),
                crossing.at.clone().unwrap_or_default(),
            ]);
        }
        text.push_str(&table.markdown());
        more_rows(text, self.crossings.len());
    }

    fn markdown_moves(&self, text: &mut String) {
        for state in self.states.iter().filter(|state| !state.arrivals.is_empty()) {
            let lineage = &state.lineage;
            text.push_str(&format!(
                "\n## {}\n\nLineage `{lineage}`, serial {}.\n\n",
                state.name, state.serial
            ));
            let mut table = Table::new(&["from", "address there", "address here", ">objects"]);
            for arrival in state.arrivals.iter().take(MOST_ROWS) {
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
            more_rows(text, state.arrivals.len());
            if state.dropped_dependencies > 0 {
                let dropped = state.dropped_dependencies;
                let entries = if dropped == 1 { "entry" } else { "entries" };
                text.push_str(&format!(
                    "\n{dropped} {entries} of `dependencies` dropped: what they name is in another state now.\n"
                ));
            }
        }
    }
}

/// Says how many rows were left out.
fn more_rows(text: &mut String, rows: usize) {
    if rows > MOST_ROWS {
        text.push_str(&format!(
            "\n… and {} more, all of them in the JSON report.\n",
            rows - MOST_ROWS
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// No heading stands over nothing.
    #[test]
    fn a_report_of_no_moves_says_so() {
        let report = SplitReport {
            version: 1,
            split: "shop".to_owned(),
            environment: "default".to_owned(),
            states: Vec::new(),
            crossings: Vec::new(),
            cycles: Vec::new(),
            checks: Vec::new(),
            warnings: Vec::new(),
            code: None,
            refusals: Vec::new(),
        };
        let text = report.text();
        assert!(text.contains("\n  no resource moves\n"), "{text}");
        assert!(!text.contains("what moves"), "{text}");
    }
}
