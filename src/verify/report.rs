//! A proof as text, Markdown and JSON.

use serde::Serialize;

use super::judge::{Finding, Verdict};
use super::proof::{Proof, RootProof};

/// Version of the JSON.
const VERSION: u32 = 1;

/// How many objects of a kind the texts name.
const NAMED: usize = 20;

/// The JSON form.
#[derive(Serialize)]
struct ProofV1<'a> {
    version: u32,
    terraform: &'a str,
    environment: &'a str,
    holds: bool,
    states: Vec<RootV1<'a>>,
    /// Monoliths that could not be planned before the cut.
    baselines_without_plan: Vec<String>,
}

#[derive(Serialize)]
struct RootV1<'a> {
    name: &'a str,
    role: &'static str,
    verdict: &'static str,
    changes: Vec<FindingV1<'a>>,
    known: Vec<FindingV1<'a>>,
    contract: &'a [String],
    outputs: Vec<OutputV1<'a>>,
    drift: Vec<FindingV1<'a>>,
    known_drift: Vec<FindingV1<'a>>,
    notes: &'a [String],
    error: Option<&'a str>,
}

#[derive(Serialize)]
struct FindingV1<'a> {
    address: &'a str,
    action: &'static str,
    attributes: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    previous_address: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    deposed: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
}

#[derive(Serialize)]
struct OutputV1<'a> {
    name: &'a str,
    action: &'static str,
}

impl Proof {
    /// Returns the JSON value.
    pub fn json(&self) -> serde_json::Value {
        let baselines = self.baselines.iter().filter(|(_, failure)| failure.is_some());
        let proof = ProofV1 {
            version: VERSION,
            terraform: &self.terraform,
            environment: &self.environment,
            holds: self.holds(),
            states: self.roots.iter().map(root_v1).collect(),
            baselines_without_plan: baselines.map(|(id, _)| id.to_string()).collect(),
        };
        serde_json::to_value(&proof).expect("strings and numbers always serialise")
    }

    /// Returns the text for people.
    pub fn text(&self) -> String {
        let mut out = format!("proof by {}, environment {}\n", self.terraform, self.environment);
        let width = self
            .roots
            .iter()
            .map(|root| root.id.name().as_str().len())
            .max()
            .unwrap_or(0);
        for root in &self.roots {
            out.push_str(&format!(
                "  {:width$}  {}\n",
                root.id.name().as_str(),
                verdict(root)
            ));
            for line in details(root) {
                out.push_str(&format!("  {:width$}    {line}\n", ""));
            }
        }
        out.push_str(match self.holds() {
            true => "no real object would be touched\n",
            false => "the proof does not hold\n",
        });
        out
    }

    /// Returns the Markdown for pull requests.
    pub fn markdown(&self) -> String {
        let mut out = format!(
            "### Proof by {}, environment {}\n\n| stack | verdict |\n|---|---|\n",
            self.terraform, self.environment
        );
        for root in &self.roots {
            out.push_str(&format!("| `{}` | {} |\n", root.id, verdict(root)));
        }
        for root in &self.roots {
            let lines = details(root);
            if !lines.is_empty() {
                out.push_str(&format!("\n`{}`\n\n", root.id));
                for line in lines {
                    out.push_str(&format!("- {}\n", line.replace('|', "\\|")));
                }
            }
        }
        out.push_str(match self.holds() {
            true => "\nNo real object would be touched.\n",
            false => "\n**The proof does not hold.**\n",
        });
        out
    }
}

fn root_v1(root: &RootProof) -> RootV1<'_> {
    let judgement = &root.judgement;
    RootV1 {
        name: root.id.name().as_str(),
        role: match root.id {
            crate::stack::StateId::Source(_) => "source",
            crate::stack::StateId::Stack(_) => "stack",
        },
        verdict: root.verdict.as_str(),
        changes: judgement.findings.iter().map(finding_v1).collect(),
        known: judgement.known.iter().map(finding_v1).collect(),
        contract: &judgement.contract,
        outputs: judgement
            .outputs
            .iter()
            .map(|output| OutputV1 {
                name: &output.name,
                action: output.action.as_str(),
            })
            .collect(),
        drift: judgement.drift.iter().map(finding_v1).collect(),
        known_drift: judgement.known_drift.iter().map(finding_v1).collect(),
        notes: &root.notes,
        error: root.failure.as_ref().map(|failure| failure.message.as_str()),
    }
}

fn finding_v1(finding: &Finding) -> FindingV1<'_> {
    FindingV1 {
        address: &finding.address,
        action: finding.class.as_str(),
        attributes: &finding.attributes,
        previous_address: finding.previous_address.as_deref(),
        deposed: finding.deposed.as_deref(),
        reason: finding.reason.as_deref(),
    }
}

fn verdict(root: &RootProof) -> String {
    let judgement = &root.judgement;
    match root.verdict {
        Verdict::NoChanges => "no changes".to_owned(),
        Verdict::OnlyContract => "writes its contract, changes nothing else".to_owned(),
        Verdict::OnlyOutputs => "changes outputs, nothing else".to_owned(),
        Verdict::OnlyKnown => "changes only what the monolith's own plan changes".to_owned(),
        Verdict::Changed => format!("CHANGED: {}", super::proof::objects(judgement.findings.len())),
        Verdict::Unproven => "NOT PROVEN".to_owned(),
    }
}

fn details(root: &RootProof) -> Vec<String> {
    let judgement = &root.judgement;
    let mut lines = Vec::new();
    named(&mut lines, &judgement.findings, "changed", Finding::line);
    lines.extend(root.failure.iter().map(|failure| failure.message.clone()));
    named(&mut lines, &judgement.contract, "contract", |address| {
        format!("{address}: create (contract)")
    });
    named(&mut lines, &judgement.outputs, "outputs", |output| {
        format!("output {}: {}", output.name, output.action.as_str())
    });
    for (found, mark) in [
        (&judgement.known, "in the monolith's own plan too"),
        (&judgement.drift, "drift"),
        (&judgement.known_drift, "drift, in the monolith too"),
    ] {
        named(&mut lines, found, mark, |finding| {
            format!("{} ({mark})", finding.line())
        });
    }
    lines.extend(root.notes.iter().cloned());
    lines
}

/// Names the first of a list, and says how many more there are.
fn named<T>(lines: &mut Vec<String>, all: &[T], what: &str, line: impl Fn(&T) -> String) {
    lines.extend(all.iter().take(NAMED).map(line));
    if all.len() > NAMED {
        lines.push(format!("and {} more ({what})", all.len() - NAMED));
    }
}
