//! `contracts.json`: who tells what to whom, in which type, how secret and how large.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr as _;

use thiserror::Error;

use super::schema::pretty;
use super::value::Value;
use crate::stack::StackName;

/// The version of the file.
const VERSION: u64 = 1;

/// All contracts of one split.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ledger {
    /// By producer.
    pub contracts: Vec<Contract>,
    /// For each source by its name the directories of modules beside its root module (`../modules/x`): what is left of
    /// it calls them where they are, and a copy of it may lie where they are not.
    pub beside: BTreeMap<String, BTreeSet<String>>,
}

/// What one stack tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contract {
    /// Who tells.
    pub producer: StackName,
    /// `ssm`, `s3`, `remote_state` or `variables`.
    pub store: String,
    /// Parameter path or key prefix.
    pub path: String,
    /// Bytes of the document; none where they are not known before an apply.
    pub size: Option<usize>,
    /// The values, sorted.
    pub values: Vec<Crossing>,
}

/// One value that crosses.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Crossing {
    /// Where it is in the document, as a JSON pointer; `*` stands for every instance.
    pub pointer: String,
    /// Its JSON type, or `unknown`.
    pub kind: String,
    /// Whether it is secret.
    pub sensitive: bool,
    /// Who reads it.
    pub consumers: Vec<StackName>,
}

/// Why a text is no ledger.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum LedgerError {
    /// It is not JSON of that shape.
    #[error("this is no ledger of contracts: {missing} is missing or of another type")]
    Shape {
        /// The member.
        missing: String,
    },
    /// A newer stackcut wrote it.
    #[error("version {found} of the ledger is newer than {VERSION}, the newest that is known here")]
    Newer {
        /// The version found.
        found: u64,
    },
}

impl Ledger {
    /// Writes the ledger.
    pub fn to_json(&self) -> String {
        let text = |text: &str| Value::String(text.to_owned());
        let crossing = |value: &Crossing| {
            object(vec![
                ("pointer", text(&value.pointer)),
                ("type", text(&value.kind)),
                ("sensitive", Value::Bool(value.sensitive)),
                (
                    "consumers",
                    Value::List(value.consumers.iter().map(|name| text(name.as_str())).collect()),
                ),
            ])
        };
        let contract = |contract: &Contract| {
            object(vec![
                ("producer", text(contract.producer.as_str())),
                ("store", text(&contract.store)),
                ("path", text(&contract.path)),
                (
                    "size",
                    contract
                        .size
                        .map_or(Value::Null, |size| Value::Number(size.to_string())),
                ),
                (
                    "values",
                    Value::List(contract.values.iter().map(crossing).collect()),
                ),
            ])
        };
        let mut members = vec![
            ("version", Value::Number(VERSION.to_string())),
            (
                "contracts",
                Value::List(self.contracts.iter().map(contract).collect()),
            ),
        ];
        if !self.beside.is_empty() {
            let dirs = |dirs: &BTreeSet<String>| Value::List(dirs.iter().map(|dir| text(dir)).collect());
            let beside = self
                .beside
                .iter()
                .map(|(name, found)| (name.clone(), dirs(found)));
            members.push(("beside", Value::Object(beside.collect())));
        }
        pretty(&object(members))
    }

    /// Reads a ledger.
    ///
    /// # Errors
    ///
    /// A text of another shape, or of a newer version.
    pub fn from_json(json: &str) -> Result<Self, LedgerError> {
        let missing = |name: &str| LedgerError::Shape {
            missing: format!("`{name}`"),
        };
        let root = Value::from_json(json).ok_or_else(|| missing("contracts"))?;
        let version = match root.get("version") {
            Some(Value::Number(number)) => number.parse().map_err(|_| missing("version"))?,
            _ => return Err(missing("version")),
        };
        if version > VERSION {
            return Err(LedgerError::Newer { found: version });
        }
        let text = |value: &Value, name: &str| match value.get(name) {
            Some(Value::String(text)) => Ok(text.clone()),
            _ => Err(missing(name)),
        };
        let list = |value: &Value, name: &str| match value.get(name) {
            Some(Value::List(items)) => Ok(items.clone()),
            _ => Err(missing(name)),
        };
        let name = |text: &str, member: &str| StackName::from_str(text).map_err(|_| missing(member));
        let mut contracts = Vec::new();
        for contract in list(&root, "contracts")? {
            let mut values = Vec::new();
            for value in list(&contract, "values")? {
                let consumers = list(&value, "consumers")?;
                let consumers = consumers.iter().map(|found| match found {
                    Value::String(text) => name(text, "consumers"),
                    _ => Err(missing("consumers")),
                });
                values.push(Crossing {
                    pointer: text(&value, "pointer")?,
                    kind: text(&value, "type")?,
                    sensitive: value.get("sensitive") == Some(&Value::Bool(true)),
                    consumers: consumers.collect::<Result<_, _>>()?,
                });
            }
            contracts.push(Contract {
                producer: name(&text(&contract, "producer")?, "producer")?,
                store: text(&contract, "store")?,
                path: text(&contract, "path")?,
                size: match contract.get("size") {
                    Some(Value::Number(size)) => size.parse().ok(),
                    _ => None,
                },
                values,
            });
        }
        let mut beside = BTreeMap::new();
        match root.get("beside") {
            None => {}
            Some(Value::Object(sources)) => {
                for (name, dirs) in sources {
                    let Value::List(dirs) = dirs else {
                        return Err(missing("beside"));
                    };
                    let dirs = dirs.iter().map(|dir| match dir {
                        Value::String(dir) => Ok(dir.clone()),
                        _ => Err(missing("beside")),
                    });
                    beside.insert(name.clone(), dirs.collect::<Result<_, _>>()?);
                }
            }
            Some(_) => return Err(missing("beside")),
        }
        Ok(Self { contracts, beside })
    }

    /// Returns what is wrong with the contracts taken together: names that collide, stacks that depend on each other.
    pub fn faults(&self) -> Vec<LedgerFault> {
        let mut faults = Vec::new();
        let mut names: BTreeMap<&str, (&StackName, &str)> = BTreeMap::new();
        for contract in &self.contracts {
            let last = contract.producer.as_str();
            if let Some((first, path)) = names.insert(last, (&contract.producer, &contract.path)) {
                faults.push(LedgerFault::SameName {
                    name: first.clone(),
                    first: path.to_owned(),
                    second: contract.path.clone(),
                });
            }
        }
        let mut reads: BTreeMap<&StackName, BTreeSet<&StackName>> = BTreeMap::new();
        for contract in &self.contracts {
            for consumer in contract.values.iter().flat_map(|value| &value.consumers) {
                reads.entry(consumer).or_default().insert(&contract.producer);
            }
        }
        for (consumer, producers) in &reads {
            for producer in producers {
                let back = reads
                    .get(*producer)
                    .is_some_and(|producers| producers.contains(consumer));
                if back && consumer < producer {
                    faults.push(LedgerFault::Mutual {
                        first: (*consumer).clone(),
                        second: (*producer).clone(),
                    });
                }
            }
        }
        faults
    }

    /// Returns what consumers of this ledger lose if producers tell what `newer` says.
    pub fn broken_by(&self, newer: &Self) -> Vec<LedgerFault> {
        let mut faults = Vec::new();
        for contract in &self.contracts {
            let now = newer
                .contracts
                .iter()
                .find(|now| now.producer == contract.producer);
            for value in contract.values.iter().filter(|value| !value.consumers.is_empty()) {
                let found = now.and_then(|now| now.values.iter().find(|now| now.pointer == value.pointer));
                match found {
                    None => faults.push(LedgerFault::Dropped {
                        producer: contract.producer.clone(),
                        pointer: value.pointer.clone(),
                        consumers: value.consumers.clone(),
                    }),
                    Some(found)
                        if found.kind != value.kind
                            && ![&found.kind, &value.kind].iter().any(|kind| *kind == "unknown") =>
                    {
                        faults.push(LedgerFault::Retyped {
                            producer: contract.producer.clone(),
                            pointer: value.pointer.clone(),
                            was: value.kind.clone(),
                            is: found.kind.clone(),
                        });
                    }
                    Some(_) => {}
                }
            }
        }
        faults
    }
}

/// What is wrong between contracts.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum LedgerFault {
    /// Two documents have one name; readers tell them apart by nothing else.
    #[error("two contracts are named `{name}`: below `{first}` and below `{second}`")]
    SameName {
        /// The name.
        name: StackName,
        /// One path.
        first: String,
        /// The other.
        second: String,
    },
    /// Two stacks read each other.
    #[error("`{first}` and `{second}` read each other's contracts")]
    Mutual {
        /// One.
        first: StackName,
        /// The other.
        second: StackName,
    },
    /// A producer no longer tells what is read.
    #[error("`{producer}` no longer tells `{pointer}`, which {} read", names(consumers))]
    Dropped {
        /// The producer.
        producer: StackName,
        /// The value.
        pointer: String,
        /// Its readers.
        consumers: Vec<StackName>,
    },
    /// A producer tells it in another type.
    #[error("`{pointer}` of `{producer}` was {was} and is {is}")]
    Retyped {
        /// The producer.
        producer: StackName,
        /// The value.
        pointer: String,
        /// The type before.
        was: String,
        /// The type now.
        is: String,
    },
}

fn names(consumers: &[StackName]) -> String {
    let names: Vec<String> = consumers.iter().map(|name| format!("`{name}`")).collect();
    names.join(", ")
}

fn object(members: Vec<(&str, Value)>) -> Value {
    Value::Object(
        members
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ledger(lines: &[(&str, &str, &str, &[&str])]) -> Ledger {
        let mut ledger = Ledger::default();
        for (producer, pointer, kind, consumers) in lines {
            let producer: StackName = producer.parse().unwrap();
            let value = Crossing {
                pointer: (*pointer).to_owned(),
                kind: (*kind).to_owned(),
                sensitive: false,
                consumers: consumers.iter().map(|name| name.parse().unwrap()).collect(),
            };
            match ledger
                .contracts
                .iter_mut()
                .find(|contract| contract.producer == producer)
            {
                Some(contract) => contract.values.push(value),
                None => ledger.contracts.push(Contract {
                    producer,
                    store: "ssm".into(),
                    path: "/configuration".into(),
                    size: Some(10),
                    values: vec![value],
                }),
            }
        }
        ledger
    }

    fn said(faults: &[LedgerFault]) -> Vec<String> {
        faults.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn reads_what_it_writes() {
        let ledger = ledger(&[
            ("a", "/public/vpc/main/id", "string", &["b", "c"]),
            ("b", "/public/x", "array", &[]),
        ]);
        assert_eq!(Ledger::from_json(&ledger.to_json()), Ok(ledger));
        assert_eq!(
            Ledger::from_json(r#"{"version": 2, "contracts": []}"#),
            Err(LedgerError::Newer { found: 2 })
        );
    }

    #[test]
    fn finds_what_consumers_lose() {
        let was = ledger(&[
            ("a", "/public/id", "string", &["b"]),
            ("a", "/public/ids", "array", &["b", "c"]),
            ("a", "/public/unread", "string", &[]),
        ]);
        let now = ledger(&[("a", "/public/id", "number", &["b"])]);
        assert_eq!(
            said(&was.broken_by(&now)),
            [
                "`/public/id` of `a` was string and is number",
                "`a` no longer tells `/public/ids`, which `b`, `c` read"
            ]
        );
        assert_eq!(was.broken_by(&was), []);
    }

    #[test]
    fn finds_stacks_that_read_each_other() {
        let found = ledger(&[
            ("a", "/public/x", "string", &["b"]),
            ("b", "/public/y", "string", &["a"]),
        ]);
        assert_eq!(said(&found.faults()), ["`a` and `b` read each other's contracts"]);
    }
}
