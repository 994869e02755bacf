//! Data contracts: what one stack tells the others, as one JSON document per stack,
//! `{ "installed": true, "public": {…}, "private": {…} }`.
//!
//! Here are the documents themselves: the Terraform modules that keep them ([`modules`]), the ledger of who reads what
//! ([`ledger`]), their JSON Schemas ([`schema`]), and how large they may be. Which values cross is found by `rewrite`, what
//! is wrong with them as written by `lint`.

pub mod ledger;
pub mod modules;
mod names;
pub mod schema;
pub mod value;

pub use ledger::Ledger;
pub use modules::ContractModule;
pub use names::sounds_secret;

use crate::plan::contract::{ContractStore, SsmTier};

/// Bytes that a parameter of the standard tier holds.
pub const STANDARD_LIMIT: usize = 4096;
/// Bytes that a parameter of the advanced tier holds.
pub const ADVANCED_LIMIT: usize = 8192;

/// Returns how many bytes a document may have; none where nothing is said.
pub fn document_limit(store: ContractStore, tier: SsmTier) -> Option<usize> {
    match (store, tier) {
        (ContractStore::Ssm, SsmTier::Standard) => Some(STANDARD_LIMIT),
        (ContractStore::Ssm, SsmTier::Advanced) => Some(ADVANCED_LIMIT),
        _ => None,
    }
}
