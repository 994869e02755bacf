//! The S3 backend, judged by the emulator and by real Terraform.

mod conformance;
mod lab;
mod plan;
