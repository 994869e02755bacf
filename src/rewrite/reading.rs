//! How the code of one state reads the contract of another, for those who plan it before anything is applied.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::refer::Writer;
use crate::plan::contract::{ContractSettings, ContractStore};
use crate::stack::StateId;

/// One upstream of a state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// Whose contract is read.
    pub producer: StateId,
    /// The name of the module call, data source or variable that reads it, and of the local that holds it.
    pub name: String,
    /// Where it is read from.
    pub store: ContractStore,
    /// Whether the producer may be absent: then all documents that fit a pattern are read.
    pub optional: bool,
}

/// The JSON text of a contract. May hold secrets: its `Debug` shows nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct Document(String);

impl Document {
    /// Takes a JSON text.
    pub fn new(json: String) -> Self {
        Self(json)
    }

    /// Returns the JSON text.
    pub fn json(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Document(..)")
    }
}

/// Returns how a state reads its upstreams.
pub(super) fn readings(
    writer: &Writer<'_, '_>,
    upstreams: &BTreeSet<StateId>,
    contracts: &BTreeMap<StateId, ContractSettings>,
) -> Vec<Reading> {
    let readings = upstreams.iter().filter_map(|producer| {
        Some(Reading {
            producer: producer.clone(),
            name: writer.names.upstream(producer).to_owned(),
            store: contracts.get(producer)?.store,
            optional: writer.is_optional(producer),
        })
    });
    readings.collect()
}
