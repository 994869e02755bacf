//! What a scratch copy gets on top of a stack's own files: a local backend, and the producers' values in the place of
//! their stores. One override file that sorts last; everything else stands beside the root module, where no `fileset`
//! finds it.

use std::collections::BTreeMap;

use crate::contract::value::Value;
use crate::plan::contract::ContractStore;
use crate::rewrite::{Document, Reading, quote};

use super::told::Told;

/// Inputs of the contract modules: the stub takes them all, and heeds none.
const INPUTS: [&str; 11] = [
    "bucket",
    "data",
    "data_base64_encode",
    "exclude_filter_regex",
    "include_filter_regex",
    "key_id",
    "lock",
    "name",
    "path",
    "tags",
    "tier",
];

/// Where things stand beside the root module.
pub(super) struct Places<'a> {
    /// Absolute path of a thing beside the root module.
    pub absolute: &'a dyn Fn(&str) -> String,
    /// The same, as code of the root module names it.
    pub relative: &'a dyn Fn(&str) -> String,
}

/// What one upstream tells, as far as it is known. Holds secrets: no `Debug`.
pub(super) struct Known {
    /// The document as the consumer's code decodes it.
    document: String,
    /// With outputs and variables the private half by itself.
    private: Option<String>,
    /// Whether the producer's plan says so; else its state does.
    pub planned: bool,
}

/// Name of a producer's state beside the root module, its directory, its variable file.
pub(super) const STATE: &str = "state/terraform.tfstate";

/// Where states of workspaces stand.
pub(super) const WORKSPACES: &str = "state/workspaces";

/// Name of the variable file with what `contracts.auto.tfvars.json` must not hold.
pub(super) const PRIVATE_VARIABLES: &str = "private.tfvars.json";

impl Known {
    /// Chooses what a consumer is given: what the producer's plan says, else what its state says.
    pub fn new(
        reading: &Reading,
        contract: &str,
        told: Option<&Told>,
        document: Option<&Document>,
    ) -> Option<Self> {
        let from_plan = told.and_then(|told| match reading.store {
            ContractStore::Ssm | ContractStore::S3 => Some(Self {
                document: told.document.clone()?,
                private: None,
                planned: true,
            }),
            ContractStore::RemoteState => {
                let text = |name: &str| Some(told.outputs.get(name)?.get("value")?.as_str()?.to_owned());
                Some(Self {
                    document: text(contract)?,
                    // It may be new in the plan, or known from the state alone.
                    private: text(&format!("{contract}_private"))
                        .or_else(|| Self::of_state(reading, document?)?.private),
                    planned: true,
                })
            }
            ContractStore::Variables => None,
        });
        from_plan.or_else(|| Self::of_state(reading, document?))
    }

    fn of_state(reading: &Reading, document: &Document) -> Option<Self> {
        let text = document.json().to_owned();
        let (document, private) = match reading.store {
            ContractStore::Ssm | ContractStore::S3 => (text, None),
            ContractStore::RemoteState | ContractStore::Variables => {
                let Value::Object(mut halves) = Value::from_json(&text)? else {
                    return None;
                };
                let private = halves.remove("private").map(|private| private.to_json());
                (Value::Object(halves).to_json(), private)
            }
        };
        Some(Self {
            document,
            private,
            // Variables are what the state says, in the emitted code too.
            planned: reading.store == ContractStore::Variables,
        })
    }
}

/// What is added to a root module.
#[derive(Default)]
pub(super) struct Overlay {
    /// Name and text of the override file.
    pub file: (String, String),
    /// Files beside the root module.
    pub beside: Vec<(String, Vec<u8>)>,
    /// Variables that nothing else gives.
    variables: BTreeMap<String, Value>,
}

impl Overlay {
    /// Starts with the backend alone. `names` are the files of the root module.
    pub fn new(names: &[String], places: &Places<'_>) -> Self {
        let backend = format!(
            "terraform {{\n  backend \"local\" {{\n    path          = {}\n    workspace_dir = {}\n  }}\n}}\n",
            quote(&(places.absolute)(STATE)),
            quote(&(places.absolute)(WORKSPACES))
        );
        Self {
            file: (last_override(names), backend),
            ..Self::default()
        }
    }

    /// Hands on what an upstream tells. `declares` tells whether the root module has a variable.
    pub fn give(
        &mut self,
        reading: &Reading,
        contract: &str,
        known: Known,
        places: &Places<'_>,
        version: &str,
        declares: &dyn Fn(&str) -> bool,
    ) {
        let name = &reading.name;
        match reading.store {
            ContractStore::Ssm | ContractStore::S3 => {
                let source = (places.relative)(&format!("upstream/{name}"));
                self.add(&format!(
                    "\nmodule {} {{\n  source = {}\n}}\n",
                    quote(name),
                    quote(&source)
                ));
                let stub = stub(reading.producer.name().as_str());
                self.beside
                    .push((format!("upstream/{name}/main.tf"), stub.into_bytes()));
                let document = known.document.into_bytes();
                self.beside
                    .push((format!("upstream/{name}/document.json"), document));
            }
            ContractStore::RemoteState => {
                let path = format!("upstream/{name}.tfstate");
                self.add(&format!(
                    "\ndata \"terraform_remote_state\" {} {{\n  backend   = \"local\"\n  workspace = \"default\"\n  config = {{\n    path = {}\n  }}\n}}\n",
                    quote(name),
                    quote(&(places.absolute)(&path))
                ));
                self.beside
                    .push((path, state(contract, &known, version).into_bytes()));
            }
            ContractStore::Variables => {
                let name = format!("{name}_private");
                let private = known.private.as_deref().and_then(Value::from_json);
                if let (true, Some(private)) = (declares(&name), private) {
                    self.variables.insert(name, private);
                }
            }
        }
    }

    fn add(&mut self, text: &str) {
        self.file.1.push_str(text);
    }

    /// Returns the variable file with what nothing else gives, where there is such.
    pub fn variable_file(&self) -> Option<Vec<u8>> {
        (!self.variables.is_empty()).then(|| Value::Object(self.variables.clone()).to_json().into_bytes())
    }
}

/// Returns a name for an override file that sorts behind all others.
fn last_override(names: &[String]) -> String {
    let ours = "zzz_stackcut_override.tf".to_owned();
    let stem = |name: &str| {
        let endings = [".tf.json", ".tf", ".tofu.json", ".tofu"];
        endings
            .iter()
            .find_map(|ending| name.strip_suffix(ending))
            .map(str::to_owned)
    };
    let overrides = names
        .iter()
        .filter_map(|name| stem(name))
        .filter(|stem| stem == "override" || stem.ends_with("_override"));
    match overrides.max() {
        // `x_override_override.tf` sorts behind `x_override.tf`, whatever `x` is.
        Some(last) if last.as_str() >= "zzz_stackcut_override" => format!("{last}_override.tf"),
        _ => ours,
    }
}

/// Returns a module that looks like any of the contract modules in its reading form.
fn stub(producer: &str) -> String {
    let mut text = String::new();
    for input in INPUTS {
        text.push_str(&format!("variable \"{input}\" {{\n  default = null\n}}\n"));
    }
    let document = "jsondecode(file(\"${path.module}/document.json\"))";
    text.push_str(&format!(
        "output \"value\" {{\n  value     = {document}\n  sensitive = true\n}}\n\
         output \"values\" {{\n  value     = {{ {} = {document} }}\n  sensitive = true\n}}\n",
        quote(producer)
    ));
    text
}

/// Returns a state with nothing but the outputs of a contract.
fn state(contract: &str, known: &Known, version: &str) -> String {
    let output = |text: &str, sensitive: bool| {
        let sensitive = if sensitive { ",\"sensitive\":true" } else { "" };
        format!(
            "{{\"value\":{},\"type\":\"string\"{sensitive}}}",
            crate::json::quote(text)
        )
    };
    let mut outputs = format!(
        "{}:{}",
        crate::json::quote(contract),
        output(&known.document, false)
    );
    if let Some(private) = &known.private {
        let name = format!("{contract}_private");
        outputs.push_str(&format!(
            ",{}:{}",
            crate::json::quote(&name),
            output(private, true)
        ));
    }
    format!(
        "{{\"version\":4,\"terraform_version\":{},\"serial\":1,\"lineage\":\"rehearsal\",\"outputs\":{{{outputs}}},\"resources\":[],\"check_results\":null}}\n",
        crate::json::quote(version)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stack::StateId;

    #[test]
    fn our_override_has_the_last_word() {
        for (names, expected) in [
            (
                &["main.tf", "override.tf", "zz_x_override.tf.json"][..],
                "zzz_stackcut_override.tf",
            ),
            (&["ä_override.tf"], "ä_override_override.tf"),
            (
                &["zzzz_override.tofu.json", "a_override.tf"],
                "zzzz_override_override.tf",
            ),
            (&["zzz_stackcut_override.tf"], "zzz_stackcut_override_override.tf"),
        ] {
            let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
            let ours = last_override(&names);
            assert_eq!(ours, expected);
            assert!(
                names
                    .iter()
                    .all(|name| !name.contains("_override") || *name < ours),
                "{ours}"
            );
        }
    }

    #[test]
    fn strings_are_texts() {
        assert_eq!(quote("a\"b\\c\n${d}%{e}$f"), r#""a\"b\\c\n$${d}%%{e}$f""#);
    }

    fn reading(store: ContractStore) -> Reading {
        Reading {
            producer: StateId::Stack("net".parse().unwrap()),
            name: "net".into(),
            store,
            optional: false,
        }
    }

    #[test]
    fn plans_know_better_than_states() {
        let document = Document::new(r#"{"installed":true,"public":{"n":1.10},"private":{"p":"x"}}"#.into());
        let told = Told {
            document: Some("{}".into()),
            outputs: BTreeMap::new(),
        };
        let known = |store, told| Known::new(&reading(store), "contract", told, Some(&document)).unwrap();
        let ssm = known(ContractStore::Ssm, Some(&told));
        assert!(ssm.planned && ssm.document == "{}");
        let remote = known(ContractStore::RemoteState, Some(&told));
        assert!(!remote.planned);
        assert_eq!(remote.document, r#"{"installed":true,"public":{"n":1.10}}"#);
        assert_eq!(remote.private.as_deref(), Some(r#"{"p":"x"}"#));
        assert!(Known::new(&reading(ContractStore::S3), "contract", None, None).is_none());
    }
}
