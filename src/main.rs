//! The `stackcut` binary.

fn main() {}
