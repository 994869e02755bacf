//! The code follows the state: real Terraform applies a monolith, stackcut cuts it, and every stack plans empty.

mod acme;
mod aws;
pub mod lab;
mod lifted;
mod random;
mod refusals;
pub mod slices;
