//! What a rehearsal came to, for people and programs; without a single value.

use super::judge::{Class, Finding, Judgement, Verdict};
use super::plan_json::PlanJsonError;
use crate::diagnostic::Diagnostic;
use crate::stack::StateId;
use crate::terraform::TerraformError;

/// How many objects of one stack a message names.
const NAMED: usize = 20;

/// Why a root module could not be planned or judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What happened.
    pub message: String,
    /// What the executable itself said.
    pub stderr: Option<String>,
    /// What to do.
    pub advice: String,
}

impl Failure {
    pub(super) fn new(message: impl Into<String>, advice: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            stderr: None,
            advice: advice.into(),
        }
    }
}

impl From<TerraformError> for Failure {
    fn from(error: TerraformError) -> Self {
        Self {
            message: error.to_string(),
            stderr: error.stderr().map(str::to_owned),
            advice: error.advice(),
        }
    }
}

impl From<PlanJsonError> for Failure {
    fn from(error: PlanJsonError) -> Self {
        Self::new(
            error.to_string(),
            "name another terraform or tofu with --terraform",
        )
    }
}

/// The proof for one root module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RootProof {
    /// Whose.
    pub id: StateId,
    /// The verdict.
    pub verdict: Verdict,
    /// What it rests on.
    pub judgement: Judgement,
    /// Worth knowing.
    pub notes: Vec<String>,
    /// Why there is no judgement.
    pub failure: Option<Failure>,
}

impl RootProof {
    pub(super) fn new(id: StateId, judgement: Judgement, notes: Vec<String>) -> Self {
        let verdict = judgement.verdict();
        let failure = (verdict == Verdict::Unproven).then(|| {
            Failure::new(
                "its plan does not cover everything",
                "see that TF_CLI_ARGS_plan has no -target or -exclude",
            )
        });
        Self {
            id,
            verdict,
            judgement,
            notes,
            failure,
        }
    }

    pub(super) fn failed(id: StateId, failure: Failure) -> Self {
        Self {
            id,
            verdict: Verdict::Unproven,
            judgement: Judgement::default(),
            notes: Vec::new(),
            failure: Some(failure),
        }
    }
}

/// The proof for one environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// What planned: `Terraform 1.11.4`.
    pub terraform: String,
    /// Name of the environment.
    pub environment: String,
    /// Every root module, in the order of names.
    pub roots: Vec<RootProof>,
    /// The monoliths before the cut, and why one could not be planned.
    pub baselines: Vec<(StateId, Option<Failure>)>,
}

impl Proof {
    /// Tells whether no real object would be touched by the cut.
    pub fn holds(&self) -> bool {
        self.roots.iter().all(|root| root.verdict.holds())
    }

    /// Returns why it does not hold: one finding for each stack.
    pub fn faults(&self) -> Vec<Diagnostic> {
        let broken = self.roots.iter().filter(|root| !root.verdict.holds());
        broken.map(|root| self.fault(root)).collect()
    }

    /// Returns what is worth knowing although it holds.
    pub fn warnings(&self) -> Vec<Diagnostic> {
        let failed = self.baselines.iter().filter_map(|(id, failure)| {
            let failure = failure.as_ref()?;
            let message = format!(
                "`{id}` cannot be planned as it is, so what it would change anyway is taken for the cut's doing: {}",
                failure.message
            );
            let warning = said(Diagnostic::warning(message), failure);
            Some(warning.hint("mend its own plan first"))
        });
        failed.collect()
    }

    fn fault(&self, root: &RootProof) -> Diagnostic {
        let within = match self.environment.as_str() {
            "default" => String::new(),
            environment => format!(" (environment {environment})"),
        };
        if let Some(failure) = &root.failure {
            let message = format!("`{}` could not be proven{within}: {}", root.id, failure.message);
            let fault = said(Diagnostic::error(message), failure);
            return fault.note("nothing was written").hint(failure.advice.clone());
        }
        let findings = &root.judgement.findings;
        let message = format!(
            "`{}` would change {} after the cut{within}",
            root.id,
            objects(findings.len())
        );
        let mut fault = Diagnostic::error(message);
        for finding in findings.iter().take(NAMED) {
            fault = fault.note(finding.line());
        }
        if findings.len() > NAMED {
            fault = fault.note(format!("and {} more: see the report", findings.len() - NAMED));
        }
        fault.note("nothing was written").hint(advice(findings))
    }
}

/// Counts objects in words.
pub(super) fn objects(number: usize) -> String {
    match number {
        1 => "1 object".to_owned(),
        number => format!("{number} objects"),
    }
}

/// Adds what the executable said.
fn said(mut finding: Diagnostic, failure: &Failure) -> Diagnostic {
    for line in failure.stderr.iter().flat_map(|text| text.lines()) {
        let line = line.trim_end();
        if !line.is_empty() {
            finding = finding.note(line.to_owned());
        }
    }
    finding
}

impl Finding {
    /// Returns the line for people: `aws_sqs_queue.a: update (name, tags)`.
    pub fn line(&self) -> String {
        let mut line = format!("{}: {}", self.address, self.class.as_str());
        if let Some(deposed) = &self.deposed {
            line.push_str(&format!(" of the deposed object {deposed}"));
        }
        if let Some(from) = &self.previous_address {
            line.push_str(&format!(" from {from}"));
        }
        if !self.attributes.is_empty() {
            line.push_str(&format!(" ({})", self.attributes.join(", ")));
        }
        if let Some(reason) = &self.reason {
            line.push_str(&format!(": {}", in_words(reason)));
        }
        line
    }
}

/// Terraform says `delete_because_no_resource_config`; the action itself was said before.
fn in_words(reason: &str) -> String {
    let tail = ["_because_", "_by_"]
        .iter()
        .find_map(|word| reason.split_once(word));
    tail.map_or(reason, |(_, tail)| tail).replace('_', " ")
}

/// Returns what to do about the gravest of the findings.
fn advice(findings: &[Finding]) -> &'static str {
    match findings.iter().map(|finding| finding.class).max() {
        Some(Class::Create | Class::Delete) if has_both(findings) => {
            "code and state name the same objects differently: compare the addresses, and the keys of `for_each` and `count`"
        }
        Some(Class::Create) => {
            "the code declares what its state does not have: see that the object and its block went to the same stack"
        }
        Some(Class::Delete) => {
            "the state has what its code does not declare: see that the block went to the same stack, under that address"
        }
        Some(Class::Replace | Class::Update) => {
            "an argument has another value than before: see where the attribute's value comes from, the variable files and contracts first"
        }
        Some(Class::Sensitivity) => {
            "a value became sensitive or ceased to be: read what is no secret with `nonsensitive`"
        }
        Some(Class::Invoke) => "remove the trigger, or let the monolith invoke the action before the cut",
        Some(Class::Deferred) => "apply what the decision waits for in the monolith first",
        Some(Class::Import | Class::Move | Class::Forget) | None => {
            "apply the `import`, `moved` and `removed` blocks in the monolith first"
        }
    }
}

fn has_both(findings: &[Finding]) -> bool {
    let has = |class| findings.iter().any(|finding| finding.class == class);
    has(Class::Create) && has(Class::Delete)
}
