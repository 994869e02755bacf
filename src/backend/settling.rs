//! Retries what may be retried, and settles lost answers by reading back: around every backend that talks to a network.
//!
//! A write that met a condition it should have met may be our own earlier attempt: the client library repeats requests
//! whose answers it did not get. So before a refusal is believed, the object is read and compared by hash; equal bytes
//! are our success. That cannot hide somebody else's write, since his bytes would have to equal ours.
//!
//! What only the process may do whose the migration is (a write, a digest, a release, a deletion) is tried again for a
//! short time alone. A request can be lost in a sleep of hours, in which others end the migration: then whoever asked for
//! it must first see whether it is still his. A lock or a new sidecar that comes too late is met or found.

use std::sync::Arc;
use std::time::Duration;

use super::clock::Clock;
use super::{
    BackendError, Confirmed, Expect, LockId, LockInfo, Reading, SidecarName, StandingLock, StateBackend,
    StateLock, Version, Written,
};
use crate::state::{Fingerprint, Md5Digest, Sha256Digest};

/// How often a call is tried in all, and how long to wait before the second try; the wait doubles.
const ATTEMPTS: u32 = 5;
const FIRST_WAIT: Duration = Duration::from_millis(200);
/// For how long after its first attempt an effect is tried again without asking who may have it.
pub(crate) const AGAIN_WITHIN: Duration = Duration::from_secs(5);

/// A backend whose lost answers are settled.
pub struct Settling {
    inner: Arc<dyn StateBackend>,
    clock: Arc<dyn Clock>,
}

/// What a look after a failed effect says.
enum Found<T> {
    /// The effect is there.
    Done(T),
    /// It is not, and trying again makes sense.
    NotYet,
    /// It is not and cannot come.
    Never,
}

impl Settling {
    /// Wraps a handle.
    pub fn new(inner: Arc<dyn StateBackend>, clock: Arc<dyn Clock>) -> Self {
        Self { inner, clock }
    }

    /// Tries again after transient failures: for calls that give the same result twice.
    fn retry<T>(&self, run: impl Fn() -> Result<T, BackendError>) -> Result<T, BackendError> {
        self.retry_until(Duration::MAX, run)
    }

    /// Does the same for a short time, for effects that may be another process's to have by then.
    fn retry_soon<T>(&self, run: impl Fn() -> Result<T, BackendError>) -> Result<T, BackendError> {
        self.retry_until(self.soon(), run)
    }

    fn soon(&self) -> Duration {
        self.clock.now().saturating_add(AGAIN_WITHIN)
    }

    fn retry_until<T>(
        &self,
        until: Duration,
        run: impl Fn() -> Result<T, BackendError>,
    ) -> Result<T, BackendError> {
        let mut wait = FIRST_WAIT;
        for _ in 1..ATTEMPTS {
            let error = match run() {
                Err(error) if error.is_transient() => error,
                settled => return settled,
            };
            self.clock.sleep(wait);
            wait *= 2;
            if self.clock.now() > until {
                return Err(error);
            }
        }
        run()
    }

    /// Tries until it is known whether the effect is there, or until some time: for calls whose second attempt meets the
    /// first one's work.
    fn settle<T>(
        &self,
        until: Duration,
        run: impl Fn() -> Result<T, BackendError>,
        look: impl Fn() -> Result<Found<T>, BackendError>,
    ) -> Result<T, BackendError> {
        let mut wait = FIRST_WAIT;
        let mut attempt = 1;
        loop {
            let error = match run() {
                Ok(done) => return Ok(done),
                Err(error) => error,
            };
            let refused = matches!(error, BackendError::PreconditionFailed { .. });
            if !refused && !error.is_transient() {
                return Err(error);
            }
            if !matches!(error, BackendError::Throttled { .. }) {
                // If even the look fails, the first error says more: what became of the effect is not known.
                let Ok(found) = self.retry(&look) else {
                    return Err(error);
                };
                match found {
                    Found::Done(done) => return Ok(done),
                    Found::Never => return Err(unexpected(error)),
                    Found::NotYet if refused => return Err(error),
                    Found::NotYet => {}
                }
            }
            if attempt == ATTEMPTS {
                return Err(error);
            }
            attempt += 1;
            self.clock.sleep(wait);
            wait *= 2;
            if self.clock.now() > until {
                return Err(error);
            }
        }
    }

    fn look_for(&self, bytes: &[u8], expect: &Expect) -> Result<Found<Written>, BackendError> {
        let reading = self.inner.read()?;
        let before = reading.expect();
        match reading.object {
            Some(object) if Sha256Digest::of(&object.bytes) == Sha256Digest::of(bytes) => {
                Ok(Found::Done(Written {
                    version: object.version,
                    version_id: object.version_id,
                }))
            }
            _ if before == *expect => Ok(Found::NotYet),
            _ => Ok(Found::Never),
        }
    }
}

/// An effect that did not happen because something else is there now.
fn unexpected(error: BackendError) -> BackendError {
    match error {
        BackendError::Conflict { at }
        | BackendError::Ambiguous { at, .. }
        | BackendError::Network { at, .. } => BackendError::PreconditionFailed { at },
        other => other,
    }
}

impl StateBackend for Settling {
    fn describe(&self) -> String {
        self.inner.describe()
    }

    fn lock_key(&self) -> &str {
        self.inner.lock_key()
    }

    fn keeps_digest(&self) -> bool {
        self.inner.keeps_digest()
    }

    fn is_remote(&self) -> bool {
        self.inner.is_remote()
    }

    fn read(&self) -> Result<Reading, BackendError> {
        self.retry(|| self.inner.read())
    }

    fn confirm(&self, expected: Option<&Fingerprint>) -> Result<Option<Confirmed>, BackendError> {
        self.retry(|| self.inner.confirm(expected))
    }

    fn write(&self, lock: &StateLock, bytes: &[u8], expect: &Expect) -> Result<Written, BackendError> {
        self.settle(
            self.soon(),
            || self.inner.write(lock, bytes, expect),
            || self.look_for(bytes, expect),
        )
    }

    fn remove(&self, lock: &StateLock, version: &Version) -> Result<(), BackendError> {
        self.retry_soon(|| self.inner.remove(lock, version))
    }

    fn write_digest(&self, lock: &StateLock, digest: &Md5Digest) -> Result<(), BackendError> {
        self.retry_soon(|| self.inner.write_digest(lock, digest))
    }

    fn write_digest_and_confirm(
        &self,
        lock: &StateLock,
        written: &Fingerprint,
    ) -> Result<Option<Confirmed>, BackendError> {
        self.retry_soon(|| self.inner.write_digest_and_confirm(lock, written))
    }

    fn remove_digest(&self, lock: &StateLock) -> Result<(), BackendError> {
        self.retry_soon(|| self.inner.remove_digest(lock))
    }

    fn lock(&self, info: &LockInfo) -> Result<StateLock, BackendError> {
        self.retry(|| self.inner.lock(info))
    }

    fn standing_lock(&self) -> Result<Option<StandingLock>, BackendError> {
        self.retry(|| self.inner.standing_lock())
    }

    fn unlock(&self, id: &LockId) -> Result<(), BackendError> {
        self.retry_soon(|| self.inner.unlock(id))
    }

    fn create_sidecar(&self, name: &SidecarName, bytes: &[u8]) -> Result<(), BackendError> {
        let look = || {
            Ok(match self.inner.get_sidecar(name)? {
                Some(found) if found == bytes => Found::Done(()),
                Some(_) => Found::Never,
                None => Found::NotYet,
            })
        };
        self.settle(Duration::MAX, || self.inner.create_sidecar(name, bytes), look)
    }

    fn put_sidecar(&self, name: &SidecarName, bytes: &[u8]) -> Result<(), BackendError> {
        self.retry(|| self.inner.put_sidecar(name, bytes))
    }

    fn get_sidecar(&self, name: &SidecarName) -> Result<Option<Vec<u8>>, BackendError> {
        self.retry(|| self.inner.get_sidecar(name))
    }

    fn list_sidecars(&self, prefix: &str) -> Result<Vec<SidecarName>, BackendError> {
        self.retry(|| self.inner.list_sidecars(prefix))
    }

    fn delete_sidecar(&self, name: &SidecarName) -> Result<(), BackendError> {
        self.retry_soon(|| self.inner.delete_sidecar(name))
    }

    fn workspaces(&self) -> Result<Vec<String>, BackendError> {
        self.retry(|| self.inner.workspaces())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::backend::clock::TestClock;
    use crate::backend::conformance::info;
    use crate::backend::gated::{Call, Gate, Gated};
    use crate::backend::memory::MemoryStore;
    use crate::state::{Lineage, Serial};

    /// Loses the first call of a kind, which takes its time.
    struct Loser {
        clock: Arc<TestClock>,
        takes: Duration,
        name: &'static str,
        tries: Mutex<usize>,
    }

    impl Gate for Loser {
        fn pass<T>(
            &self,
            call: Call,
            run: impl FnOnce() -> Result<T, BackendError>,
        ) -> Result<T, BackendError> {
            if call.operation.name() != self.name {
                return run();
            }
            *self.tries.lock().unwrap() += 1;
            if *self.tries.lock().unwrap() > 1 {
                return run();
            }
            self.clock.sleep(self.takes);
            Err(BackendError::Network {
                at: call.at,
                action: self.name,
                detail: "no answer".to_owned(),
            })
        }
    }

    type Run = fn(&Settling, &StateLock) -> Result<(), BackendError>;

    fn name() -> SidecarName {
        "journal/one".parse().unwrap()
    }

    /// Tells how often a call is tried whose first attempt is lost after some time.
    fn tries(kind: &'static str, takes: Duration, run: Run) -> usize {
        let clock = Arc::new(TestClock::default());
        let loser = Arc::new(Loser {
            clock: clock.clone(),
            takes,
            name: kind,
            tries: Mutex::default(),
        });
        let state = Arc::new(MemoryStore::default().state("a"));
        let lock = state.lock(&info(0)).unwrap();
        let settling = Settling::new(Arc::new(Gated::new(state, &loser)), clock);
        let done = run(&settling, &lock);
        let tries = *loser.tries.lock().unwrap();
        assert_eq!(done.is_ok(), tries == 2, "{kind}: {done:?}");
        tries
    }

    #[test]
    fn what_may_be_anothers_by_now_is_not_tried_again() {
        let owned: [(&str, Run); 7] = [
            ("write", |state, lock| {
                state.write(lock, b"{}", &Expect::Absent).map(drop)
            }),
            ("remove", |state, lock| {
                let written = state.write(lock, b"{}", &Expect::Absent)?;
                state.remove(lock, &written.version)
            }),
            ("write digest", |state, lock| {
                state.write_digest(lock, &Md5Digest::of(b"{}"))
            }),
            ("confirm", |state, lock| {
                let written = Fingerprint::of_bytes(Lineage::new("a"), Serial(1), b"{}");
                state.write_digest_and_confirm(lock, &written).map(drop)
            }),
            ("remove digest", |state, lock| state.remove_digest(lock)),
            ("unlock", |state, lock| state.unlock(lock.id())),
            ("delete sidecar", |state, _| state.delete_sidecar(&name())),
        ];
        for (kind, run) in owned {
            assert_eq!(tries(kind, Duration::from_secs(1), run), 2, "{kind}");
            assert_eq!(tries(kind, Duration::from_mins(1), run), 1, "{kind}");
        }
        let anybodys: [(&str, Run); 3] = [
            ("read", |state, _| state.read().map(drop)),
            ("create sidecar", |state, _| state.create_sidecar(&name(), b"{}")),
            ("lock", |state, _| state.lock(&info(0)).map(drop)),
        ];
        for (kind, run) in anybodys {
            assert_eq!(tries(kind, Duration::from_mins(1), run), 2, "{kind}");
        }
    }
}
