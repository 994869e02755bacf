//! The report of an emission: which files are new, changed, gone.

use serde::Serialize;

use super::{REPORT_VERSION, count};

/// Whether files were written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The directory is now as it should be.
    Written,
    /// The directory was only looked at.
    Checked,
}

/// What an emission did, or would do.
#[derive(Clone, Debug, Serialize)]
pub struct EmitReport {
    /// Version of this JSON.
    pub version: u32,
    /// The directory.
    pub dir: String,
    /// Whether files were written.
    pub outcome: Outcome,
    /// For each environment its root modules in the order in which they can be applied.
    pub order: Vec<EnvironmentOrder>,
    /// Files that were not there.
    pub added: Vec<String>,
    /// Files that were others.
    pub changed: Vec<String>,
    /// Files that are written no more.
    pub removed: Vec<String>,
    /// How many files are as they should be.
    pub unchanged: usize,
    /// Whether an earlier emission was cut off, so that the directory was a mix.
    pub cut_off: bool,
}

/// The order of one environment.
#[derive(Clone, Debug, Serialize)]
pub struct EnvironmentOrder {
    /// Its name.
    pub environment: String,
    /// Its root modules, producers first.
    pub root_modules: Vec<String>,
}

impl EmitReport {
    /// Starts a report.
    pub fn new(dir: &str, outcome: Outcome, orders: Vec<(String, Vec<String>)>) -> Self {
        let order = orders
            .into_iter()
            .map(|(environment, root_modules)| EnvironmentOrder {
                environment,
                root_modules,
            });
        Self {
            version: REPORT_VERSION,
            dir: dir.to_owned(),
            outcome,
            order: order.collect(),
            added: Vec::new(),
            changed: Vec::new(),
            removed: Vec::new(),
            unchanged: 0,
            cut_off: false,
        }
    }

    /// Returns the report as JSON with a trailing newline.
    pub fn json(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).expect("strings and numbers always serialise");
        text.push('\n');
        text
    }

    /// Returns the report for a terminal.
    pub fn text(&self) -> String {
        let words = match self.outcome {
            Outcome::Written => ["added", "changed", "removed"],
            Outcome::Checked => ["missing", "different", "left over"],
        };
        let mut text = String::new();
        let lists = [&self.added, &self.changed, &self.removed];
        for (word, list) in words.iter().zip(lists) {
            for path in list {
                text.push_str(&format!("{word:<9}  {path}\n"));
            }
        }
        let differ: usize = lists.iter().map(|list| list.len()).sum();
        if differ > 0 {
            text.push('\n');
        }
        let dir = &self.dir;
        let as_it_should = count(self.unchanged, "file");
        text.push_str(&match (self.outcome, differ) {
            (_, 0) => format!("{dir}: {as_it_should}, all as they should be\n"),
            (Outcome::Written, _) => format!(
                "{dir}: {} added, {} changed, {} removed, {} unchanged\n",
                self.added.len(),
                self.changed.len(),
                self.removed.len(),
                self.unchanged
            ),
            (Outcome::Checked, _) => format!("{dir}: {} not as they should be\n", count(differ, "file")),
        });
        for order in &self.order {
            text.push_str(&format!(
                "order of apply ({}): {}\n",
                order.environment,
                order.root_modules.join(", ")
            ));
        }
        text
    }
}
