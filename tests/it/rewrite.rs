//! The code follows the state: real Terraform applies a monolith, stackcut cuts it, and every stack plans empty.

mod aws;
mod blocks;
mod crossings;
mod exports;
mod keys;
pub mod lab;
mod lifted;
mod modules;
mod proof;
mod random;
mod refusals;
mod secrets;
pub mod small;
mod types;
