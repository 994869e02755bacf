//! Random root modules, cut at random: every stack plans empty at once.
//!
//! `STACKCUT_CASES` says how many (20 unless set; CI runs 150), `STACKCUT_SEED` where to begin. A failing case prints its
//! seed and is made smaller for as long as it fails in the same way: what is printed is the least that fails.

mod case;
mod generate;
mod shrink;
mod smaller;

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use self::case::Case;
use super::lab::Lab;
use super::small::{borrowed, formatted, plan};
use crate::support::tools::tools;

/// How many smaller cases are tried at the most.
const ATTEMPTS: usize = 200;
/// Every so many cases are planned with `init` and a backend of their own, as people do it.
const IN_FULL: u64 = 10;

/// What came of a case.
enum Outcome {
    /// Every stack plans empty, or no stack takes anything.
    Empty,
    /// Stacks would wait for each other: that is for people to solve.
    Cycle,
    /// Terraform does not take the monolith; only smaller cases may come to that.
    Invalid(String),
    /// It is refused, and should not be.
    Refused(String),
    /// Something in a stack would change, or cannot be planned.
    Changed(String),
    /// stackcut panics.
    Panicked(String),
}

impl Outcome {
    fn of(case: &Case, in_full: bool) -> Self {
        let stacks = case.plan();
        if stacks.is_empty() {
            return Self::Empty;
        }
        let made = attempt(|| {
            let files: Vec<(&str, String)> = case
                .files()
                .into_iter()
                .map(|(path, text)| match path.ends_with(".tf") {
                    true => (path, formatted(&text)),
                    false => (path, text),
                })
                .collect();
            let lab = Lab::new(tools().terraform(), &borrowed(&files), &plan(&stacks));
            if in_full { lab.apply() } else { lab.apply_quickly() }
        });
        let lab = match made {
            Ok(lab) => lab,
            Err(said) => return Self::Invalid(said),
        };
        let cut = match attempt(|| lab.try_cut()) {
            Ok(Ok(cut)) => cut,
            Ok(Err(faults)) => {
                let said: Vec<String> = faults.iter().map(ToString::to_string).collect();
                let said = said.join("\n");
                let waits = said.contains("form a cycle");
                return if waits { Self::Cycle } else { Self::Refused(said) };
            }
            Err(said) => return Self::Panicked(said),
        };
        match attempt(|| {
            if in_full {
                cut.prove_by_plans();
            } else {
                cut.prove_quickly();
            }
        }) {
            Ok(()) => Self::Empty,
            Err(said) => Self::Changed(said),
        }
    }

    /// Returns what went wrong.
    fn fault(&self) -> Option<(&'static str, &str)> {
        match self {
            Self::Empty | Self::Cycle => None,
            Self::Invalid(said) => Some(("the monolith cannot be applied", said)),
            Self::Refused(said) => Some(("it is refused", said)),
            Self::Changed(said) => Some(("something would change", said)),
            Self::Panicked(said) => Some(("stackcut panics", said)),
        }
    }

    /// Tells whether a smaller case fails like this one.
    fn is_like(&self, other: &Self) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other)
    }
}

/// Runs something that may panic; what it said then.
fn attempt<T>(run: impl FnOnce() -> T) -> Result<T, String> {
    let said = |panic: Box<dyn Any + Send>| match panic.downcast::<String>() {
        Ok(text) => *text,
        Err(panic) => panic
            .downcast_ref::<&str>()
            .map_or_else(String::new, |text| (*text).to_owned()),
    };
    catch_unwind(AssertUnwindSafe(run)).map_err(said)
}

#[test]
fn random_monoliths_are_cut_at_random() {
    let number = |name: &str, default: u64| {
        std::env::var(name).map_or(default, |value| value.parse().expect("a number"))
    };
    let (first, cases) = (number("STACKCUT_SEED", 1), number("STACKCUT_CASES", 20));
    let next = AtomicU64::new(first);
    let cycles = AtomicU64::new(0);
    let failed: Mutex<Vec<(u64, Outcome)>> = Mutex::new(Vec::new());
    let work = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= first + cases || !failed.lock().unwrap().is_empty() {
                return;
            }
            let outcome = Outcome::of(&generate::case(seed), seed.is_multiple_of(IN_FULL));
            if let Outcome::Cycle = outcome {
                cycles.fetch_add(1, Ordering::Relaxed);
            }
            if outcome.fault().is_some() {
                failed.lock().unwrap().push((seed, outcome));
            }
        }
    };
    std::thread::scope(|scope| {
        scope.spawn(work);
        work();
    });
    let mut failed = failed.into_inner().unwrap();
    failed.sort_by_key(|(seed, _)| *seed);
    if let Some((seed, outcome)) = failed.first() {
        report(*seed, outcome);
    }
    let cycles = cycles.into_inner();
    assert!(cycles * 2 < cases, "too many of {cases} have cycles: {cycles}");
}

/// Shrinks a failing case and fails with what is left of it.
fn report(seed: u64, outcome: &Outcome) -> ! {
    let in_full = seed.is_multiple_of(IN_FULL);
    let smallest = shrink::shrink(generate::case(seed), ATTEMPTS, |smaller| {
        Outcome::of(smaller, in_full).is_like(outcome)
    });
    let last = Outcome::of(&smallest, in_full);
    let (what, said) = last.fault().unwrap_or(("it fails no more", ""));
    panic!(
        "seed {seed} fails: {what}. This is the least of it that fails in the same way:\n{}\n--- what was said\n{said}",
        smallest.shown()
    );
}
