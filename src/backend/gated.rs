//! A backend behind a gate: one place where every call on it can be seen, refused or made to fail.
//!
//! The gates are [`Recorder`](super::recording::Recorder), [`DryRun`](super::dry_run::DryRun) and
//! [`EffectDoor`](super::faulty::EffectDoor). One gate serves any number of handles, and gates nest.

use std::sync::Arc;

use super::{
    BackendError, Confirmed, Expect, LockId, LockInfo, Reading, SidecarName, StandingLock, StateBackend,
    StateLock, Version, Written,
};
use crate::state::{Fingerprint, Md5Digest, Sha256Digest};

/// What a call does, without the bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operation {
    /// [`StateBackend::read`].
    Read,
    /// [`StateBackend::confirm`].
    Confirm,
    /// [`StateBackend::write`].
    Write {
        /// The condition.
        expect: Expect,
        /// What was to be written.
        content: Sha256Digest,
    },
    /// [`StateBackend::remove`].
    Remove,
    /// [`StateBackend::write_digest`].
    WriteDigest,
    /// [`StateBackend::remove_digest`].
    RemoveDigest,
    /// [`StateBackend::lock`].
    Lock(LockId),
    /// [`StateBackend::standing_lock`].
    ReadLock,
    /// [`StateBackend::unlock`].
    Unlock(LockId),
    /// [`StateBackend::create_sidecar`].
    CreateSidecar(SidecarName),
    /// [`StateBackend::put_sidecar`].
    PutSidecar(SidecarName),
    /// [`StateBackend::get_sidecar`].
    GetSidecar(SidecarName),
    /// [`StateBackend::list_sidecars`].
    ListSidecars,
    /// [`StateBackend::delete_sidecar`].
    DeleteSidecar(SidecarName),
    /// [`StateBackend::workspaces`].
    ListWorkspaces,
}

impl Operation {
    /// Tells whether the call can change anything in the store.
    pub fn is_mutating(&self) -> bool {
        !matches!(
            self,
            Self::Read
                | Self::Confirm
                | Self::ReadLock
                | Self::GetSidecar(_)
                | Self::ListSidecars
                | Self::ListWorkspaces
        )
    }

    /// Returns a word for messages.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Confirm => "confirm",
            Self::Write { .. } => "write",
            Self::Remove => "remove",
            Self::WriteDigest => "write digest",
            Self::RemoveDigest => "remove digest",
            Self::Lock(_) => "lock",
            Self::ReadLock => "read lock",
            Self::Unlock(_) => "unlock",
            Self::CreateSidecar(_) => "create sidecar",
            Self::PutSidecar(_) => "put sidecar",
            Self::GetSidecar(_) => "get sidecar",
            Self::ListSidecars => "list sidecars",
            Self::DeleteSidecar(_) => "delete sidecar",
            Self::ListWorkspaces => "list workspaces",
        }
    }
}

/// One call on one handle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// The handle's [`StateBackend::describe`].
    pub at: String,
    /// What it does.
    pub operation: Operation,
}

/// Stands before every call of a [`Gated`] backend.
pub trait Gate: Send + Sync {
    /// Lets the call through by running it, or does not.
    fn pass<T>(&self, call: Call, run: impl FnOnce() -> Result<T, BackendError>) -> Result<T, BackendError>;
}

/// A backend behind a gate.
pub struct Gated<G> {
    inner: Arc<dyn StateBackend>,
    gate: Arc<G>,
}

impl<G: Gate> Gated<G> {
    /// Puts a handle behind a gate.
    pub fn new(inner: Arc<dyn StateBackend>, gate: &Arc<G>) -> Self {
        Self {
            inner,
            gate: Arc::clone(gate),
        }
    }

    fn pass<T>(
        &self,
        operation: Operation,
        run: impl FnOnce(&dyn StateBackend) -> Result<T, BackendError>,
    ) -> Result<T, BackendError> {
        let at = self.inner.describe();
        self.gate.pass(Call { at, operation }, || run(&*self.inner))
    }
}

impl<G: Gate> StateBackend for Gated<G> {
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
        self.pass(Operation::Read, |inner| inner.read())
    }

    fn confirm(&self, expected: Option<&Fingerprint>) -> Result<Option<Confirmed>, BackendError> {
        self.pass(Operation::Confirm, |inner| inner.confirm(expected))
    }

    fn write(&self, lock: &StateLock, bytes: &[u8], expect: &Expect) -> Result<Written, BackendError> {
        let operation = Operation::Write {
            expect: expect.clone(),
            content: Sha256Digest::of(bytes),
        };
        self.pass(operation, |inner| inner.write(lock, bytes, expect))
    }

    fn remove(&self, lock: &StateLock, version: &Version) -> Result<(), BackendError> {
        self.pass(Operation::Remove, |inner| inner.remove(lock, version))
    }

    fn write_digest(&self, lock: &StateLock, digest: &Md5Digest) -> Result<(), BackendError> {
        if !self.keeps_digest() {
            // No effect, so nothing for the gate.
            return self.inner.write_digest(lock, digest);
        }
        self.pass(Operation::WriteDigest, |inner| inner.write_digest(lock, digest))
    }

    fn write_digest_and_confirm(
        &self,
        lock: &StateLock,
        written: &Fingerprint,
    ) -> Result<Option<Confirmed>, BackendError> {
        let confirm = |inner: &dyn StateBackend| inner.write_digest_and_confirm(lock, written);
        if !self.keeps_digest() {
            return self.pass(Operation::Confirm, confirm);
        }
        self.pass(Operation::WriteDigest, |_| self.pass(Operation::Confirm, confirm))
    }

    fn remove_digest(&self, lock: &StateLock) -> Result<(), BackendError> {
        if !self.keeps_digest() {
            return self.inner.remove_digest(lock);
        }
        self.pass(Operation::RemoveDigest, |inner| inner.remove_digest(lock))
    }

    fn lock(&self, info: &LockInfo) -> Result<StateLock, BackendError> {
        self.pass(Operation::Lock(info.id.clone()), |inner| inner.lock(info))
    }

    fn standing_lock(&self) -> Result<Option<StandingLock>, BackendError> {
        self.pass(Operation::ReadLock, |inner| inner.standing_lock())
    }

    fn unlock(&self, id: &LockId) -> Result<(), BackendError> {
        self.pass(Operation::Unlock(id.clone()), |inner| inner.unlock(id))
    }

    fn create_sidecar(&self, name: &SidecarName, bytes: &[u8]) -> Result<(), BackendError> {
        self.pass(Operation::CreateSidecar(name.clone()), |inner| {
            inner.create_sidecar(name, bytes)
        })
    }

    fn put_sidecar(&self, name: &SidecarName, bytes: &[u8]) -> Result<(), BackendError> {
        self.pass(Operation::PutSidecar(name.clone()), |inner| {
            inner.put_sidecar(name, bytes)
        })
    }

    fn get_sidecar(&self, name: &SidecarName) -> Result<Option<Vec<u8>>, BackendError> {
        self.pass(Operation::GetSidecar(name.clone()), |inner| {
            inner.get_sidecar(name)
        })
    }

    fn list_sidecars(&self, prefix: &str) -> Result<Vec<SidecarName>, BackendError> {
        self.pass(Operation::ListSidecars, |inner| inner.list_sidecars(prefix))
    }

    fn delete_sidecar(&self, name: &SidecarName) -> Result<(), BackendError> {
        self.pass(Operation::DeleteSidecar(name.clone()), |inner| {
            inner.delete_sidecar(name)
        })
    }

    fn workspaces(&self) -> Result<Vec<String>, BackendError> {
        self.pass(Operation::ListWorkspaces, |inner| inner.workspaces())
    }
}
