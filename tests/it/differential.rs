//! What Terraform does and what we do, compared: moves, lists, pushes, graphs.
//!
//! Terraform is the judge. Where we differ on purpose the difference is in a list, and each entry of it is asserted; a
//! difference that goes away is a failure too. `STACKCUT_CASES=200 cargo test --test it differential` tries more
//! generated cases than a plain run does; a failure names its seed.

mod generate;
mod graphs;
mod moves;
mod stacks;

use std::path::Path;

/// Returns the seeds to try.
fn cases(few: u64) -> std::ops::Range<u64> {
    let wanted = std::env::var("STACKCUT_DIFFERENTIAL").ok();
    0..wanted.map_or(few, |text| {
        text.parse().expect("STACKCUT_DIFFERENTIAL is a number")
    })
}

/// Writes files into a directory.
fn write(dir: &Path, files: &generate::Files) {
    for (path, text) in files {
        let path = dir.join(path);
        std::fs::create_dir_all(path.parent().expect("it is in the directory")).unwrap();
        std::fs::write(path, text).unwrap();
    }
}
