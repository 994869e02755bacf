//! The proof by real plans: cut monoliths are rehearsed with real Terraform before anything is applied.

mod aws;
mod broken;
mod command;
mod good;
mod processes;
mod stage;
