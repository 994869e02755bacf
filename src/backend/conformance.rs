//! The suite that every backend passes: what the contract above [`StateBackend`] promises, one check per promise.
//!
//! A [`Harness`] opens handles (each one as another process would) and reaches past them into the store.
#![allow(
    clippy::unwrap_used,
    reason = "this is test code, shared with the integration tests"
)]

mod locks;
mod states;

use std::sync::Arc;

use super::{BackendError, LockId, LockInfo, StateBackend};

/// A store under test.
pub trait Harness: Sync {
    /// Opens a new handle for the state of this path. The same path is the same state.
    fn open(&self, path: &str) -> Arc<dyn StateBackend>;

    /// Writes a state past every lock and condition, as a careless colleague does, with its digest.
    fn overwrite(&self, path: &str, bytes: &[u8]);

    /// Sets or deletes the digest item; not called for a backend that keeps none.
    fn set_digest(&self, path: &str, digest: Option<&str>);

    /// Returns the digest item; not called for a backend that keeps none.
    fn digest(&self, path: &str) -> Option<String>;
}

type Check = (&'static str, fn(&Case<'_>));

/// Runs every check on its own state.
///
/// # Panics
///
/// If the backend breaks its contract. The name of the check under way is printed by the failing assertion's place.
pub fn check(harness: &dyn Harness) {
    for (number, (name, run)) in states::CHECKS.iter().chain(locks::CHECKS).enumerate() {
        run(&Case {
            harness,
            path: format!("{number}-{name}/état \"1\" + ü.tfstate"),
        });
    }
}

/// One check's state.
struct Case<'a> {
    harness: &'a dyn Harness,
    path: String,
}

impl Case<'_> {
    fn open(&self) -> Arc<dyn StateBackend> {
        self.harness.open(&self.path)
    }
}

/// Makes a lock info whose ID is made of one byte.
pub fn info(id: u8) -> LockInfo {
    LockInfo {
        id: LockId::from_random([id; 16]),
        operation: "stackcut conformance".to_owned(),
        info: "a <b> & \"c\"".to_owned(),
        who: format!("run{id}@test"),
        version: "1.11.4".to_owned(),
        created: "2026-11-23T16:58:24.75Z".parse().unwrap(),
        path: String::new(),
    }
}

/// Fails unless the result is the expected refusal.
#[track_caller]
fn refused<T: std::fmt::Debug>(
    result: Result<T, BackendError>,
    is: fn(&BackendError) -> bool,
) -> BackendError {
    let error = result.expect_err("a refusal");
    assert!(is(&error), "another refusal was expected than {error:?}");
    error
}

fn is_precondition(error: &BackendError) -> bool {
    matches!(error, BackendError::PreconditionFailed { .. })
}

fn is_locked(error: &BackendError) -> bool {
    matches!(error, BackendError::Locked { .. })
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::backend::clock::TestClock;
    use crate::backend::faulty::EffectDoor;
    use crate::backend::gated::Gated;
    use crate::backend::local::LocalBackend;
    use crate::backend::memory::MemoryStore;
    use crate::backend::recording::Recorder;
    use crate::backend::settling::Settling;
    use crate::stack::StateLocation;

    struct Memory {
        store: MemoryStore,
        wrapped: bool,
        digest: bool,
    }

    impl Harness for Memory {
        fn open(&self, path: &str) -> Arc<dyn StateBackend> {
            let state = if self.digest {
                self.store.state(path)
            } else {
                self.store.state_without_digest(path)
            };
            if !self.wrapped {
                return Arc::new(state);
            }
            let door = Arc::new(EffectDoor::sound());
            let recorder = Arc::new(Recorder::default());
            let gated = Gated::new(Arc::new(Gated::new(Arc::new(state), &door)), &recorder);
            Arc::new(Settling::new(Arc::new(gated), Arc::new(TestClock::default())))
        }

        fn overwrite(&self, path: &str, bytes: &[u8]) {
            self.store.overwrite(path, bytes);
        }

        fn set_digest(&self, path: &str, digest: Option<&str>) {
            self.store.set_digest(path, digest);
        }

        fn digest(&self, path: &str) -> Option<String> {
            self.store.digests().get(path).cloned()
        }
    }

    #[test]
    fn memory_keeps_the_contract() {
        for (digest, wrapped) in [(true, false), (false, false), (true, true), (false, true)] {
            check(&Memory {
                store: MemoryStore::default(),
                wrapped,
                digest,
            });
        }
    }

    struct Local {
        dir: PathBuf,
    }

    impl Harness for Local {
        fn open(&self, path: &str) -> Arc<dyn StateBackend> {
            let location = StateLocation {
                backend: "local".into(),
                arguments: [("path".to_owned(), path.to_owned())].into(),
                workspace: "default".into(),
            };
            Arc::new(LocalBackend::from_location(&self.dir, &location).unwrap())
        }

        fn overwrite(&self, path: &str, bytes: &[u8]) {
            let path = self.dir.join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, bytes).unwrap();
        }

        fn set_digest(&self, _: &str, _: Option<&str>) {
            unreachable!("no digests here");
        }

        fn digest(&self, _: &str) -> Option<String> {
            unreachable!("no digests here");
        }
    }

    #[test]
    fn local_keeps_the_contract() {
        let dir = tempfile::tempdir().unwrap();
        check(&Local {
            dir: dir.path().to_owned(),
        });
    }
}
