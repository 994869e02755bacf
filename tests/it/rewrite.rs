//! The code follows the state: real Terraform applies a monolith, stackcut cuts it, and every stack plans empty.

mod acme;
mod aws;
mod blocks;
mod crossings;
mod exports;
mod keys;
mod lab;
mod lifted;
mod random;
mod refusals;
mod secrets;
mod small;
mod types;
