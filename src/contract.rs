//! Data contracts: what one stack tells the others, as one JSON document per stack,
//! `{ "installed": true, "public": {…}, "private": {…} }`.
//!
//! Here are the documents themselves: the Terraform modules that keep them, the ledger of who reads what, their JSON
//! Schemas, and how large they may be. Which values cross is found by `rewrite`.

pub mod modules;

pub use modules::ContractModule;
