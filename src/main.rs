//! The `stackcut` binary.

use std::process::ExitCode;

/// A split is a million small allocations over two threads: this allocator is what keeps them out of each other's way.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    ExitCode::from(stackcut::cli::run().code())
}
