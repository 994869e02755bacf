//! Moves on small states, rule by rule; then on arbitrary states, by property.

mod properties;
mod rules;
mod tamper;
mod texts;

use super::*;
use crate::address::MoveableAddr;
use crate::stack::StackName;
use crate::state::StateError;

/// Names a state: upper case is a source, lower case a stack.
fn id(name: &str) -> StateId {
    let parsed: StackName = name.parse().unwrap();
    if name.starts_with(|c: char| c.is_uppercase()) {
        StateId::Source(parsed)
    } else {
        StateId::Stack(parsed)
    }
}

fn read(text: &str) -> Snapshot {
    Snapshot::read(text)
        .map_err(|error: StateError| format!("{error}\n{text}"))
        .unwrap()
        .unwrap()
}

/// Reads `state:address`.
fn at(text: &str) -> At<MoveableAddr> {
    let (state, addr) = text.split_once(':').unwrap();
    At::new(id(state), addr.parse().unwrap())
}

/// Reads one request a line: `A:from -> b:to`.
fn requests(text: &str) -> Vec<MoveRequest> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let request = |line: &str| {
        let (from, to) = line.split_once(" -> ").unwrap();
        MoveRequest {
            from: at(from),
            to: at(to),
            provider: ProviderChoice::Auto,
        }
    };
    lines.map(request).collect()
}

const AWS: &str = r#""provider":"provider[\"registry.terraform.io/hashicorp/aws\"]""#;

/// Lays out a state of one entry a line: `address key,key… < dependency, dependency`; `-` is no key, no keys a husk.
fn state(lines: &str) -> String {
    let entries = lines
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .map(|line| {
            let (head, dependencies) = line.split_once(" < ").unwrap_or((line, ""));
            let (addr, keys) = head.split_once(' ').unwrap_or((head, ""));
            let addr: ResourceAddr = addr.parse().unwrap();
            let dependencies: Vec<_> = dependencies
                .split(", ")
                .filter(|entry| !entry.is_empty())
                .map(crate::json::quote)
                .collect();
            let dependencies = if dependencies.is_empty() {
                String::new()
            } else {
                format!(",\"dependencies\":[{}]", dependencies.join(","))
            };
            let objects: Vec<_> = keys
                .split(',')
                .filter(|key| !key.is_empty())
                .map(|key| {
                    let index = match key {
                        "-" => String::new(),
                        key => format!("\"index_key\":{key},"),
                    };
                    format!(
                        "{{{index}\"schema_version\":0,\"attributes\":{{\"id\":{}}}{dependencies}}}",
                        crate::json::quote(&format!("{addr} {key}"))
                    )
                })
                .collect();
            let module = if addr.module.is_root() {
                String::new()
            } else {
                format!("\"module\":{},", crate::json::quote(&addr.module.to_string()))
            };
            format!(
                "{{{module}\"mode\":\"{}\",\"type\":\"{}\",\"name\":\"{}\",{AWS},\"instances\":[{}]}}",
                addr.mode,
                addr.type_name,
                addr.name,
                objects.join(",")
            )
        });
    let entries: Vec<_> = entries.collect();
    let compact = format!(
        "{{\"version\":4,\"terraform_version\":\"1.5.7\",\"serial\":7,\"lineage\":\"{:x}\",\"outputs\":{{}},\"resources\":[{}],\"check_results\":null}}",
        lines.len() * 31 + lines.bytes().map(usize::from).sum::<usize>(),
        entries.join(",")
    );
    let mut text = String::new();
    crate::state::reformat_into(&compact, Layout::Indented, 0, &mut text);
    text.push('\n');
    text
}

/// Lists a state as [`state`] takes it, with what each object's attributes say it was.
fn list(snapshot: &Snapshot) -> String {
    let mut out = String::new();
    for resource in snapshot.resources() {
        if resource.is_husk() {
            out.push_str(&format!("{}\n", resource.addr()));
        }
        for instance in resource.instances() {
            let was: serde_json::Value = serde_json::from_str(instance.attributes().unwrap()).unwrap();
            let dependencies: Vec<_> = instance.dependencies().map(ToString::to_string).collect();
            let arrow = if dependencies.is_empty() { "" } else { " < " };
            out.push_str(&format!(
                "{} was {}{arrow}{}\n",
                instance.addr(),
                was["id"].as_str().unwrap(),
                dependencies.join(", ")
            ));
        }
    }
    out
}

/// A run over some states; those not given exist not yet.
struct Run {
    before: Vec<(StateId, Snapshot)>,
}

impl Run {
    fn new(states: &[(&str, &str)]) -> Self {
        Self {
            before: states
                .iter()
                .map(|(name, lines)| (id(name), read(&state(lines))))
                .collect(),
        }
    }

    fn states(&self) -> States<'_> {
        let mut states: States<'_> = self
            .before
            .iter()
            .map(|(id, snapshot)| (id.clone(), StateInput::Existing(snapshot)))
            .collect();
        for name in ["new", "other"] {
            let lineage = Lineage::new(format!("lineage of {name}"));
            states
                .entry(id(name))
                .or_insert_with(|| StateInput::New(NewState::like(&self.before[0].1, lineage)));
        }
        states
    }

    fn resolve(&self, lines: &str) -> Result<Changes, MoveError> {
        resolve(&self.states(), &requests(lines))
    }

    fn change(&self, changes: &Changes) -> Result<Conserved, MoveError> {
        let states = self.states();
        let outcome = apply(&states, changes)?;
        Ok(conserve(&states, changes, outcome).unwrap())
    }

    /// Makes the moves and lists all states that are written.
    fn moved(&self, lines: &str) -> String {
        let conserved = self.change(&self.resolve(lines).unwrap()).unwrap();
        let mut out = String::new();
        for (id, outcome) in &conserved.states {
            if let Some(snapshot) = outcome.written() {
                out.push_str(&format!("{id}:\n{}", list(snapshot)));
            }
        }
        for cut in &conserved.cut {
            let went_to: Vec<_> = cut.went_to.iter().map(ToString::to_string).collect();
            let part = if cut.stays_in_part { ", in part" } else { "" };
            out.push_str(&format!(
                "cut: {} from {}: {}{part}\n",
                cut.consumer,
                cut.producer,
                went_to.join(", ")
            ));
        }
        for dropped in &conserved.dropped {
            out.push_str(&format!(
                "dropped: {} {:?} {}\n",
                dropped.consumer, dropped.reason, dropped.entry
            ));
        }
        out
    }

    fn refused(&self, lines: &str) -> String {
        match self.resolve(lines) {
            Err(error) => error.to_string(),
            Ok(changes) => self.change(&changes).unwrap_err().to_string(),
        }
    }
}

/// Lists what the `id` attributes of all objects say.
fn list_ids(snapshot: &Snapshot) -> String {
    let id = |instance: crate::state::Instance<'_>| {
        let attributes: serde_json::Value = serde_json::from_str(instance.attributes().unwrap()).unwrap();
        attributes["id"].as_str().unwrap().to_owned()
    };
    snapshot.instances().map(id).collect::<Vec<_>>().join(" ")
}
