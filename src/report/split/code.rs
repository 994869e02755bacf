//! What a report says of the code that follows.

use serde::Serialize;

use super::{Check, SplitReport};
use crate::diagnostic::Diagnostic;
use crate::report::count;
use crate::rewrite::{NotFollowed, Rewritten, dir_of};

/// The code of a cut.
#[derive(Clone, Debug, Serialize)]
pub struct CodeReport {
    /// The root modules in the order in which they can be applied: producers first.
    pub order: Vec<RootModuleReport>,
    /// What is handed on.
    pub contracts: Vec<ContractReport>,
}

/// One root module that is written.
#[derive(Clone, Debug, Serialize)]
pub struct RootModuleReport {
    /// Name of the stack or source.
    pub name: String,
    /// Its directory among the files of the cut.
    pub dir: String,
    /// How many files it has.
    pub files: usize,
    /// Whose contracts it reads.
    pub reads: Vec<String>,
}

/// What one stack tells the others.
#[derive(Clone, Debug, Serialize)]
pub struct ContractReport {
    /// Who tells.
    pub producer: String,
    /// How.
    pub store: String,
    /// How many values.
    pub values: usize,
    /// How many of them are secret.
    pub sensitive: usize,
    /// Bytes of the document, where they are known before an apply.
    pub size: Option<usize>,
}

/// A finding.
#[derive(Clone, Debug, Serialize, PartialEq, Eq)]
pub struct Finding {
    /// What.
    pub message: String,
    /// `file:line:column`.
    pub at: Option<String>,
    /// More.
    pub notes: Vec<String>,
    /// What to do.
    pub hint: Option<String>,
}

impl From<&Diagnostic> for Finding {
    fn from(found: &Diagnostic) -> Self {
        let at = found.location.as_ref().map(|(file, span)| {
            let position = file.position(span.start);
            format!("{}:{}:{}", file.path, position.line, position.column)
        });
        Self {
            message: found.message.clone(),
            at,
            notes: found.notes.clone(),
            hint: found.hint.clone(),
        }
    }
}

impl SplitReport {
    /// Adds the code, which was proved to fit the states.
    pub fn followed_by(&mut self, code: &Rewritten) {
        let order = code.order.iter().map(|id| RootModuleReport {
            name: id.to_string(),
            dir: dir_of(id),
            files: code.trees.get(id).map_or(0, std::collections::BTreeMap::len),
            reads: (code.upstreams.get(id).into_iter().flatten())
                .map(ToString::to_string)
                .collect(),
        });
        let contracts = code.ledger.contracts.iter().map(|contract| ContractReport {
            producer: contract.producer.to_string(),
            store: contract.store.clone(),
            values: contract.values.len(),
            sensitive: contract.values.iter().filter(|value| value.sensitive).count(),
            size: contract.size,
        });
        let report = CodeReport {
            order: order.collect(),
            contracts: contracts.collect(),
        };
        let values: usize = report.contracts.iter().map(|contract| contract.values).sum();
        self.checks.push(Check {
            name: "code and states fit".to_owned(),
            passed: true,
            detail: format!(
                "{} with a block for every object and a target for every reference; {} with {} that cross",
                count(report.order.len(), "root module"),
                count(report.contracts.len(), "contract"),
                count(values, "value"),
            ),
        });
        let warnings = code.warnings.iter().map(|found| found.message.clone());
        self.warnings.extend(warnings);
        self.code = Some(report);
    }

    /// Says that the states move alone, and why.
    pub fn states_alone(&mut self, reason: &NotFollowed) {
        let (found, passed) = match reason {
            NotFollowed::NoCode => return,
            NotFollowed::StatesOnly(found) => (found, true),
            NotFollowed::Refused(found) => (found, false),
        };
        self.refusals.extend(found.iter().map(Finding::from));
        if !passed {
            self.checks.push(Check {
                name: "the code can follow".to_owned(),
                passed,
                detail: format!("refused for {}", count(found.len(), "reason")),
            });
        }
    }

    /// Tells whether every check held.
    pub fn holds(&self) -> bool {
        self.checks.iter().all(|check| check.passed)
    }
}
