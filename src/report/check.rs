//! What `check` found, as text, Markdown and JSON.

use std::fmt::Write as _;

use serde::Serialize;

use super::{REPORT_VERSION, Table, count};
use crate::diagnostic::{Diagnostic, Severity, Shown, bounded};
use crate::lint::{Finding, Rule};

/// Where everything is to be seen that a text leaves out.
const WHERE_ALL: &str = "--format json has them all";

/// The findings of a run.
#[derive(Clone, Debug, Serialize)]
pub struct CheckReport {
    /// Version of this JSON.
    pub version: u32,
    /// The stacks that were checked, by name.
    pub stacks: Vec<String>,
    /// Whether a ledger was at hand.
    pub ledger: Option<String>,
    /// Number of errors.
    pub errors: usize,
    /// Number of warnings.
    pub warnings: usize,
    /// The findings.
    pub findings: Vec<FindingReport>,
    #[serde(skip)]
    shown: Vec<(Option<String>, Rule, Diagnostic)>,
}

/// One finding.
#[derive(Clone, Debug, Serialize)]
pub struct FindingReport {
    /// The rule, by the name that `docs/lints.md` has.
    pub rule: &'static str,
    /// `error` or `warning`.
    pub severity: &'static str,
    /// The stack; none where it is about several.
    pub stack: Option<String>,
    /// What is wrong.
    pub message: String,
    /// The file.
    pub file: Option<String>,
    /// The line, from 1.
    pub line: Option<usize>,
    /// The column in characters, from 1.
    pub column: Option<usize>,
    /// The line of code.
    pub code: Option<String>,
    /// More about it.
    pub notes: Vec<String>,
    /// What to do.
    pub hint: Option<String>,
}

impl FindingReport {
    fn new(finding: &Finding) -> Self {
        let diagnostic = &finding.diagnostic;
        let place = diagnostic
            .location
            .as_ref()
            .map(|(file, span)| (file, file.position(span.start)));
        Self {
            rule: finding.rule.name(),
            severity: match diagnostic.severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
            },
            stack: finding.stack.clone(),
            message: diagnostic.message.clone(),
            file: place.map(|(file, _)| file.path.clone()),
            line: place.map(|(_, at)| at.line),
            column: place.map(|(_, at)| at.column),
            code: place.map(|(file, at)| file.line_around(at)),
            notes: diagnostic.notes.clone(),
            hint: diagnostic.hint.clone(),
        }
    }
}

impl CheckReport {
    /// Creates the report of a run.
    pub fn new(stacks: Vec<String>, ledger: Option<String>, findings: &[Finding]) -> Self {
        let number = |severity: Severity| {
            let of_it = findings
                .iter()
                .filter(|finding| finding.diagnostic.severity == severity);
            of_it.count()
        };
        Self {
            version: REPORT_VERSION,
            stacks,
            ledger,
            errors: number(Severity::Error),
            warnings: number(Severity::Warning),
            findings: findings.iter().map(FindingReport::new).collect(),
            shown: findings
                .iter()
                .map(|finding| (finding.stack.clone(), finding.rule, finding.diagnostic.clone()))
                .collect(),
        }
    }

    /// Returns the report as JSON with a trailing newline.
    pub fn json(&self) -> String {
        let mut text = serde_json::to_string(self).expect("strings and numbers always serialise");
        text.push('\n');
        text
    }

    fn verdict(&self) -> String {
        let stacks = count(self.stacks.len(), "stack");
        match (self.errors, self.warnings) {
            (0, 0) => format!("{stacks} checked, nothing found"),
            (errors, warnings) => format!(
                "{stacks} checked: {}, {}",
                count(errors, "error"),
                count(warnings, "warning")
            ),
        }
    }

    /// Returns the report for a terminal.
    pub fn text(&self) -> String {
        let mut text = String::new();
        let of_a_kind = |(_, rule, found): &(_, Rule, Diagnostic)| (rule.name(), found.severity);
        for line in bounded(&self.shown, of_a_kind) {
            let more = line.line(WHERE_ALL);
            if let Shown::One((stack, rule, diagnostic)) = line {
                let of = stack
                    .as_ref()
                    .map_or_else(String::new, |stack| format!("in `{stack}`, "));
                let mut shown = diagnostic.clone();
                shown.notes.push(format!("{of}rule {}", rule.name()));
                let _ = writeln!(text, "{shown}\n");
            }
            if let Some(more) = more {
                let _ = writeln!(text, "{more}\n");
            }
        }
        let _ = writeln!(text, "{}", self.verdict());
        text
    }

    /// Returns the report for a pull request.
    pub fn markdown(&self) -> String {
        let mut text = format!("### stackcut check\n\n{}\n", self.verdict());
        if self.findings.is_empty() {
            return text;
        }
        let mut table = Table::new(&["", "stack", "rule", "where", "what", "what to do"]);
        let of_a_kind = |finding: &FindingReport| (finding.rule, finding.severity);
        let mut more = 0;
        for line in bounded(&self.findings, of_a_kind) {
            let finding = match line {
                Shown::One(finding) => finding,
                Shown::Like(hidden) | Shown::Any(hidden) => {
                    more += hidden;
                    continue;
                }
            };
            let place = match (&finding.file, finding.line) {
                (Some(file), Some(line)) => format!("`{file}:{line}`"),
                _ => "–".to_owned(),
            };
            table.row([
                finding.severity.to_owned(),
                finding.stack.clone().unwrap_or_else(|| "–".to_owned()),
                format!("`{}`", finding.rule),
                place,
                finding.message.clone(),
                finding.hint.clone().unwrap_or_else(|| "–".to_owned()),
            ]);
        }
        text.push('\n');
        text.push_str(&table.markdown());
        if more > 0 {
            let _ = writeln!(text, "\n… and {more} more: {WHERE_ALL}");
        }
        text
    }
}
