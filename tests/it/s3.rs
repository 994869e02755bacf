//! The S3 backend, judged by the emulator and by real Terraform.

mod apply;
mod conformance;
mod credentials;
mod lab;
mod locks;
mod network;
mod plan;
mod requests;
mod states;
mod story;
mod terraform;
mod together;
mod transport;
