//! The code follows the state: real Terraform applies a monolith, stackcut cuts it, and every stack plans empty.

mod lab;
mod slices;
