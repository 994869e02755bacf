//! The `stackcut` binary.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(stackcut::cli::run().code())
}
