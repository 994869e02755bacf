//! What Terraform does and what we do, compared: moves, lists, pushes, graphs.
//!
//! Terraform is the judge. Where we differ on purpose the difference is in a list, and each entry of it is asserted; a
//! difference that goes away is a failure too. `STACKCUT_DIFFERENTIAL=200 cargo test --test it differential` tries more
//! generated cases than a plain run does; a failure names its seed.

mod generate;
mod graphs;
mod moves;
mod stacks;

use std::io::Write as _;
use std::path::Path;

/// Returns the seeds to try: so many, or `STACKCUT_DIFFERENTIAL`; from 0 on, or from `STACKCUT_SEED`.
fn cases(few: u64) -> impl Iterator<Item = Seed> {
    let number = |name: &str, otherwise: u64| {
        std::env::var(name).map_or(otherwise, |text| text.parse().expect("it is a number"))
    };
    let first = number("STACKCUT_SEED", 0);
    (first..first + number("STACKCUT_DIFFERENTIAL", few)).map(Seed)
}

/// A seed that is named when its case fails.
struct Seed(u64);

impl Drop for Seed {
    fn drop(&mut self) {
        if std::thread::panicking() {
            // Where this cannot be written, the failure itself cannot either.
            let _ = writeln!(
                std::io::stderr(),
                "STACKCUT_SEED={} STACKCUT_DIFFERENTIAL=1",
                self.0
            );
        }
    }
}

/// Writes files into a directory.
fn write(dir: &Path, files: &generate::Files) {
    for (path, text) in files {
        let path = dir.join(path);
        std::fs::create_dir_all(path.parent().expect("it is in the directory")).unwrap();
        std::fs::write(path, text).unwrap();
    }
}
