//! Where states live: reading, conditional writing, locks, digests, and the objects kept beside a state.
//!
//! [`StateBackend`] is the port; `memory`, `local` and `s3` are its adapters. Behaviours are wrappers around any of
//! them: [`recording`], [`dry_run`], [`faulty`] (three gates of [`gated`]) and [`settling`], which retries what may be
//! retried and settles lost answers. `conformance` is the one suite that all of them pass.
//!
//! This room moves bytes. It never looks into a state, knows no plan and no journal, has no clock of its own
//! ([`clock::Clock`]) and draws nothing at random: lock IDs, times and names are handed in. No error, `Debug` text or
//! lock info made here holds content of a state or a credential.

pub mod clock;
#[cfg(any(test, feature = "testing"))]
pub mod conformance;
pub mod dry_run;
mod error;
pub mod faulty;
pub mod gated;
pub mod local;
mod lock_info;
pub mod memory;
pub mod recording;
pub mod s3;
pub mod settling;
mod sidecar;

use std::fmt;

pub use error::BackendError;
pub use lock_info::{LockInfo, LockInfoError, StandingLock};
pub use sidecar::{InvalidSidecarName, SidecarName};

pub use crate::stack::LockId;
use crate::state::{Fingerprint, Md5Digest};

/// One version of one object, as its store names it (an ETag, a hash); good for comparing and for conditions.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Version(String);

impl Version {
    /// Wraps the store's text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Returns the store's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Tells whether the store names the version by the MD5 of its content, and just this one: as S3 does for an object
    /// written by one request, unless it is encrypted with a key of KMS or of the customer's.
    pub fn is_md5(&self, digest: &Md5Digest) -> bool {
        self.0.trim_matches('"').parse() == Ok(*digest)
    }
}

impl fmt::Debug for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What must be there for a write to happen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expect {
    /// No object (`If-None-Match: *`).
    Absent,
    /// Exactly this version (`If-Match`).
    Version(Version),
}

/// A state as it was read.
#[derive(Clone, PartialEq, Eq)]
pub struct StateObject {
    /// The bytes; none of them is "no state yet" for Terraform.
    pub bytes: Vec<u8>,
    /// Its version, for [`Expect::Version`].
    pub version: Version,
    /// The version ID in a bucket that keeps versions.
    pub version_id: Option<String>,
}

/// Shows the size and the version only: a state holds secrets.
impl fmt::Debug for StateObject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StateObject")
            .field("len", &self.bytes.len())
            .field("version", &self.version)
            .field("version_id", &self.version_id)
            .finish()
    }
}

/// How the digest item stands to the bytes that were read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DigestStanding {
    /// This backend keeps no digests.
    NotKept,
    /// There is no item, or none that is an MD5: Terraform reads without a check, and so do we.
    Missing,
    /// It is the MD5 of the bytes.
    Matches,
    /// It is the MD5 of something else, or there is no object; and so it stayed as long as Terraform would wait.
    Stale {
        /// What the item says.
        stored: Md5Digest,
    },
}

/// One look at a state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// The state; `None` where there is no object (or an empty file, on the local backend).
    pub object: Option<StateObject>,
    /// What the digest item says about it.
    pub digest: DigestStanding,
}

impl Reading {
    /// Returns the bytes, if there are any.
    pub fn bytes(&self) -> Option<&[u8]> {
        self.object
            .as_ref()
            .map(|object| object.bytes.as_slice())
            .filter(|bytes| !bytes.is_empty())
    }

    /// Returns what a write must expect in order to replace just this.
    pub fn expect(&self) -> Expect {
        self.object
            .as_ref()
            .map_or(Expect::Absent, |object| Expect::Version(object.version.clone()))
    }

    /// Refuses a stale digest, as every Terraform does.
    ///
    /// # Errors
    ///
    /// [`BackendError::DigestMismatch`], at the place given.
    pub fn checked(self, at: &str) -> Result<Self, BackendError> {
        match self.digest {
            DigestStanding::Stale { stored } => Err(BackendError::DigestMismatch {
                at: at.to_owned(),
                stored,
                calculated: self.object.map(|object| Md5Digest::of(&object.bytes)),
            }),
            _ => Ok(self),
        }
    }
}

/// That a state is as expected, as its store told without its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Confirmed {
    /// The version that stands there; `None` where no object does, as expected.
    pub version: Option<Version>,
    /// How the digest item stands to it; never stale.
    pub digest: DigestStanding,
}

impl Confirmed {
    /// Returns what a write must expect in order to replace just this.
    pub fn expect(&self) -> Expect {
        self.version.clone().map_or(Expect::Absent, Expect::Version)
    }

    /// Makes of what a store tells what that confirms, if it does: `present` is an object's version and length, `stored`
    /// its digest, where digests are kept.
    pub(in crate::backend) fn of(
        present: Option<(Version, u64)>,
        stored: Option<Option<Md5Digest>>,
        expected: Option<&Fingerprint>,
    ) -> Option<Self> {
        let version = match (present, expected) {
            (None, None) => None,
            (Some((version, size)), Some(print)) if version.is_md5(&print.md5) && size == print.size => {
                Some(version)
            }
            _ => return None,
        };
        let digest = match stored {
            None => DigestStanding::NotKept,
            Some(None) => DigestStanding::Missing,
            Some(stored) if stored == expected.map(|print| print.md5) => DigestStanding::Matches,
            // A read waits for one that is only late.
            Some(_) => return None,
        };
        Some(Self { version, digest })
    }
}

/// What a write left behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// The new version.
    pub version: Version,
    /// The version ID in a bucket that keeps versions.
    pub version_id: Option<String>,
}

/// The proof that a state is locked by us: only who holds one can write. Made by backends alone.
///
/// Dropping it releases nothing: a lock outlives a crash, and a fence outlives the run.
#[derive(Debug, PartialEq, Eq)]
pub struct StateLock {
    key: String,
    id: LockId,
}

impl StateLock {
    /// Only a backend that has just taken the lock may say so.
    pub(in crate::backend) fn new(key: &str, id: &LockId) -> Self {
        Self {
            key: key.to_owned(),
            id: id.clone(),
        }
    }

    /// Returns the lock's ID.
    pub fn id(&self) -> &LockId {
        &self.id
    }

    /// Refuses a proof for another state.
    pub(in crate::backend) fn check(&self, key: &str, at: &str) -> Result<(), BackendError> {
        if self.key == key {
            Ok(())
        } else {
            Err(BackendError::NotLocked { at: at.to_owned() })
        }
    }
}

/// One state in its store. A handle is shared by threads; many handles for one state may exist, in many processes.
///
/// **Atomic** is each single call on an object: a reader sees it whole, before or after. Nothing is atomic over two
/// calls; the order of calls is the caller's (`execute`). A digest is written right after its object, a lock of two
/// parts is the file first and then the item.
///
/// **Conditions.** [`write`](Self::write) and [`remove`](Self::remove) happen only if the object is what the caller
/// expects, compared by the store in the same step ([`BackendError::PreconditionFailed`] otherwise, and nothing
/// happened). A store that ignores conditions is still protected by the lock, among those who keep to it.
///
/// **Repeatable** is everything: reads always; `lock` with an ID that already stands is a success, and completes a
/// lock of which only one part stands; `unlock` of a lock that is gone is a success; digests, `put_sidecar` and
/// deletions give the same result twice. `write` and `create_sidecar` are not: the second attempt meets the first
/// one's object. [`settling::Settling`] reads back and takes equal bytes for its own success.
///
/// **Errors.** [`Throttled`](BackendError::Throttled) and [`Conflict`](BackendError::Conflict): it did not happen, try
/// again later. [`Ambiguous`](BackendError::Ambiguous) and [`Network`](BackendError::Network): nobody knows whether it
/// happened; read back and compare hashes, never assume. [`PreconditionFailed`](BackendError::PreconditionFailed),
/// [`Locked`](BackendError::Locked), [`AccessDenied`](BackendError::AccessDenied): it did not happen, and will not by
/// trying again. An effect that a store reports as done is durable.
pub trait StateBackend: Send + Sync {
    /// Returns the place as people know it: `s3://bucket/path`, a file path.
    fn describe(&self) -> String;

    /// Returns the text under which this state is locked (`bucket/path`, an absolute path): locks are taken in its order.
    fn lock_key(&self) -> &str;

    /// Tells whether a digest belongs to the state, to be written after each write of the object.
    fn keeps_digest(&self) -> bool;

    /// Tells whether calls travel over a network: their time is that of the way, so that many at once take no longer than
    /// few, and may be put together.
    fn is_remote(&self) -> bool;

    /// Reads the state, and how its digest stands to it.
    ///
    /// A stale digest is looked at again for up to ten seconds, as Terraform does, and then reported as data: what it
    /// means is for the caller to say ([`Reading::checked`], or a repair after our own crash).
    fn read(&self) -> Result<Reading, BackendError>;

    /// Tells whether the state is as expected (`None`: not there), from what the store says of its objects and without
    /// their bytes, so that many states are told in few requests.
    ///
    /// `None` where it is not so or cannot be told: then only a [`read`](Self::read) will do. A content is confirmed by
    /// length and MD5, both as the store took them of what it holds: whatever else that could be would have been made to
    /// collide with bytes that hold a random lineage.
    fn confirm(&self, expected: Option<&Fingerprint>) -> Result<Option<Confirmed>, BackendError>;

    /// Writes the state if it is as expected. The digest is not touched.
    fn write(&self, lock: &StateLock, bytes: &[u8], expect: &Expect) -> Result<Written, BackendError>;

    /// Deletes the state if it is of this version; one that is gone already is a success.
    fn remove(&self, lock: &StateLock, version: &Version) -> Result<(), BackendError>;

    /// Writes the digest. Does nothing on a backend that keeps none.
    fn write_digest(&self, lock: &StateLock, digest: &Md5Digest) -> Result<(), BackendError>;

    /// Writes the digest of what was just written, and [confirms](Self::confirm) both; at the same time where that saves a
    /// way. Where nothing can be confirmed, the digest is written all the same.
    fn write_digest_and_confirm(
        &self,
        lock: &StateLock,
        written: &Fingerprint,
    ) -> Result<Option<Confirmed>, BackendError> {
        self.write_digest(lock, &written.md5)?;
        self.confirm(Some(written))
    }

    /// Deletes the digest, which must not outlive the object. Does nothing on a backend that keeps none.
    fn remove_digest(&self, lock: &StateLock) -> Result<(), BackendError>;

    /// Takes the lock in every part that the effective configuration asks for; a standing lock with the same ID is ours.
    ///
    /// `info.path` is replaced by the text this backend puts there. All or nothing, but for a crash in between.
    ///
    /// # Errors
    ///
    /// [`BackendError::Locked`] with the holder; [`BackendError::LockingNotConfigured`].
    fn lock(&self, info: &LockInfo) -> Result<StateLock, BackendError>;

    /// Reads who holds the lock (of two parts: whichever stands). Takes and changes nothing.
    fn standing_lock(&self) -> Result<Option<StandingLock>, BackendError>;

    /// Releases every part of the lock with this ID; one that is gone already is a success.
    ///
    /// # Errors
    ///
    /// [`BackendError::Locked`] where the lock of somebody else stands. That lock is left alone.
    fn unlock(&self, id: &LockId) -> Result<(), BackendError>;

    /// Writes an object beside the state unless there is one of that name ([`BackendError::PreconditionFailed`]).
    fn create_sidecar(&self, name: &SidecarName, bytes: &[u8]) -> Result<(), BackendError>;

    /// Writes an object beside the state, encrypted and protected as the state is.
    fn put_sidecar(&self, name: &SidecarName, bytes: &[u8]) -> Result<(), BackendError>;

    /// Reads an object beside the state.
    fn get_sidecar(&self, name: &SidecarName) -> Result<Option<Vec<u8>>, BackendError>;

    /// Lists the objects beside the state whose names start so, sorted.
    fn list_sidecars(&self, prefix: &str) -> Result<Vec<SidecarName>, BackendError>;

    /// Deletes an object beside the state; one that is gone already is a success.
    fn delete_sidecar(&self, name: &SidecarName) -> Result<(), BackendError>;

    /// Lists the workspaces that have a state under this configuration: `default` first, then sorted.
    fn workspaces(&self) -> Result<Vec<String>, BackendError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_may_be_an_md5() {
        let digest = Md5Digest::of(b"");
        for (version, expected) in [
            ("\"d41d8cd98f00b204e9800998ecf8427e\"", true),
            ("d41d8cd98f00b204e9800998ecf8427e", true),
            ("\"0cc175b9c0f1b6a831c399e269772661\"", false),
            // Of an upload in parts; of an object under a key of KMS; of the local backend.
            ("\"d41d8cd98f00b204e9800998ecf8427e-1\"", false),
            ("\"7d793037a0760186574b0282f2f435e7\"", false),
            (
                "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
                false,
            ),
            ("", false),
        ] {
            assert_eq!(Version::new(version).is_md5(&digest), expected, "{version}");
        }
    }
}
