//! States in S3, under the lock protocol of Terraform's S3 backend: DynamoDB items, lock objects, or both.
//!
//! **Write.** One conditional `PutObject` per write (`If-None-Match: *`, `If-Match`), whatever the size up to 5 GiB: it
//! is atomic, where an upload in parts is not conditional on every store. What goes with it (content type, checksum,
//! encryption, ACL) is what Terraform sends for the same configuration; sidecars and lock objects are protected alike.
//!
//! **Lost answers.** The client library never repeats a write. An answer that did not come is told as
//! [`BackendError::Ambiguous`], and is settled by [`settling`](super::settling), which reads back. Reads are repeated.
//!
//! **Digest.** With a lock table, the MD5 of the object is kept in the item `BUCKET/KEY-md5`. It is read together with
//! the object, consistently; one that does not fit is looked at again for ten seconds, as Terraform does.
//!
//! Beside a state `KEY` stand `KEY.tflock` (while locked that way) and `KEY.stackcut/…` (the sidecars).
//!
//! What each part knows: `config` turns arguments and environment into settings, `clients` shares connections and
//! credentials between states, `objects` and `items` make the calls, `listing` tells of many objects in one, `together`
//! lets calls of many states share requests, `errors` reads the answers, `locks` is the protocol.

mod clients;
mod config;
mod errors;
mod http;
mod identity;
mod items;
mod listing;
mod locks;
mod objects;
mod together;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use md5::{Digest as _, Md5};

pub use clients::{S3Clients, longest_write};
pub use config::{
    AssumeRole, Connection, CredentialSource, Encryption, Endpoints, Proxies, S3Config, Secret, Token,
    WebIdentity,
};

use clients::Services;
use items::Items;
use listing::{Listed, Listing};
use locks::{Known, Locks};
use objects::Objects;

use super::{
    BackendError, Confirmed, DigestStanding, Expect, LockId, LockInfo, Reading, SidecarName, StandingLock,
    StateBackend, StateLock, Version, Written,
};
use crate::stack::clean_path;
use crate::state::{Fingerprint, Md5Digest};

/// How long a digest that does not fit is looked at again, and how often.
const STALE_FOR: Duration = Duration::from_secs(10);
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// The state of one workspace in a bucket.
pub struct S3Backend {
    config: S3Config,
    lock_id: String,
    clients: S3Clients,
    objects: Objects,
    items: Option<Items>,
    listing: Listing,
    half: Mutex<Option<LockId>>,
    known: Mutex<Option<Known>>,
}

impl std::fmt::Debug for S3Backend {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("S3Backend")
            .field("at", &self.describe())
            .finish_non_exhaustive()
    }
}

impl S3Backend {
    fn new(clients: S3Clients, services: Arc<Services>, config: S3Config) -> Self {
        let items = config
            .lock_table
            .as_ref()
            .map(|table| Items::new(&services, table));
        Self {
            listing: Listing::new(&services, &config.bucket),
            lock_id: config.lock_id(),
            objects: Objects::new(clients.clone(), services, &config),
            items,
            half: Mutex::default(),
            known: Mutex::default(),
            clients,
            config,
        }
    }

    /// Returns the effective configuration.
    pub fn config(&self) -> &S3Config {
        &self.config
    }

    fn locks(&self) -> Locks<'_> {
        Locks {
            clients: &self.clients,
            objects: &self.objects,
            file: self
                .config
                .lock_file
                .then(|| format!("{}.tflock", self.config.path)),
            items: self.items.as_ref(),
            lock_id: &self.lock_id,
            at: self.describe(),
            half: &self.half,
            known: &self.known,
        }
    }

    fn digest_id(&self) -> String {
        format!("{}-md5", self.lock_id)
    }

    fn sidecar_prefix(&self) -> String {
        format!("{}.stackcut/", self.config.path)
    }

    fn sidecar(&self, name: &SidecarName) -> String {
        format!("{}{name}", self.sidecar_prefix())
    }

    /// Runs a look at the object, and one at the digest at the same time where there is one. `write` is written to it
    /// before.
    fn with_digest<T>(
        &self,
        write: Option<&Md5Digest>,
        look: impl Future<Output = Result<T, BackendError>>,
    ) -> Result<(T, Option<Option<Md5Digest>>), BackendError> {
        let digest = self.items.clone().map(|items| {
            let id = self.digest_id();
            let write = write.map(ToString::to_string);
            self.clients.start(async move {
                if let Some(digest) = write {
                    items.put_digest(&id, &digest).await?;
                }
                items.get(&id, "Digest").await
            })
        });
        let found = self.clients.wait(look);
        // A write is waited for whatever the look came to.
        let digest = digest.map(|digest| self.clients.wait(digest).expect("no call on an item panics"));
        let found = found?;
        let Some(digest) = digest else {
            return Ok((found, None));
        };
        let stored = digest?;
        let stored = stored
            .flatten()
            .and_then(|text| text.to_ascii_lowercase().parse().ok());
        Ok((found, Some(stored)))
    }

    /// Confirms what is expected by a listing and by the digest; `write` is written to that before.
    fn told(
        &self,
        expected: Option<&Fingerprint>,
        write: Option<&Md5Digest>,
    ) -> Result<Option<Confirmed>, BackendError> {
        let (told, stored) = self.with_digest(write, self.listing.look(&self.config.path))?;
        let present = match told {
            Listed::Open => return Ok(None),
            Listed::Absent => None,
            Listed::Present { version, size } => Some((version, size)),
        };
        Ok(Confirmed::of(present, stored, expected))
    }

    /// Reads object and digest once.
    fn read_once(&self) -> Result<Reading, BackendError> {
        let mut hash = Md5::new();
        let keeps_digest = self.keeps_digest();
        // Hashed on the way, which for a large state takes as long as the hash does.
        let get = self.objects.get_by_parts(&self.config.path, |part| {
            if keeps_digest {
                hash.update(part);
            }
        });
        let (object, stored) = self.with_digest(None, get)?;
        let found = object.is_some().then(|| Md5Digest(hash.finalize().into()));
        let digest = stored.map_or(DigestStanding::NotKept, |stored| match stored {
            None => DigestStanding::Missing,
            stored if stored == found => DigestStanding::Matches,
            Some(stored) => DigestStanding::Stale { stored },
        });
        Ok(Reading { object, digest })
    }
}

impl StateBackend for S3Backend {
    fn describe(&self) -> String {
        self.objects.at(&self.config.path)
    }

    fn lock_key(&self) -> &str {
        &self.lock_id
    }

    fn keeps_digest(&self) -> bool {
        self.items.is_some()
    }

    fn is_remote(&self) -> bool {
        true
    }

    fn read(&self) -> Result<Reading, BackendError> {
        let clock = self.clients.clock();
        let start = clock.now();
        loop {
            let reading = self.read_once()?;
            let stale = matches!(reading.digest, DigestStanding::Stale { .. });
            if !stale || clock.now().saturating_sub(start) >= STALE_FOR {
                return Ok(reading);
            }
            clock.sleep(LOOK_EVERY);
        }
    }

    fn confirm(&self, expected: Option<&Fingerprint>) -> Result<Option<Confirmed>, BackendError> {
        self.told(expected, None)
    }

    fn write(&self, lock: &StateLock, bytes: &[u8], expect: &Expect) -> Result<Written, BackendError> {
        lock.check(&self.lock_id, &self.describe())?;
        let put = self.objects.put(&self.config.path, bytes, Some(expect));
        self.clients.wait(put)
    }

    /// Looks first: not every store knows a conditional deletion, and what is gone already is a success.
    fn remove(&self, lock: &StateLock, version: &Version) -> Result<(), BackendError> {
        lock.check(&self.lock_id, &self.describe())?;
        let path = &self.config.path;
        match self.clients.wait(self.objects.head(path))? {
            None => Ok(()),
            Some(found) if found == *version => self.clients.wait(self.objects.delete(path, Some(version))),
            Some(_) => Err(BackendError::PreconditionFailed { at: self.describe() }),
        }
    }

    fn write_digest(&self, lock: &StateLock, digest: &Md5Digest) -> Result<(), BackendError> {
        lock.check(&self.lock_id, &self.describe())?;
        match &self.items {
            Some(items) => self
                .clients
                .wait(items.put_digest(&self.digest_id(), &digest.to_string())),
            None => Ok(()),
        }
    }

    fn write_digest_and_confirm(
        &self,
        lock: &StateLock,
        written: &Fingerprint,
    ) -> Result<Option<Confirmed>, BackendError> {
        lock.check(&self.lock_id, &self.describe())?;
        self.told(Some(written), Some(&written.md5))
    }

    fn remove_digest(&self, lock: &StateLock) -> Result<(), BackendError> {
        lock.check(&self.lock_id, &self.describe())?;
        match &self.items {
            Some(items) => self.clients.wait(items.delete(&self.digest_id())),
            None => Ok(()),
        }
    }

    fn lock(&self, info: &LockInfo) -> Result<StateLock, BackendError> {
        self.locks().take(info)?;
        Ok(StateLock::new(&self.lock_id, &info.id))
    }

    fn standing_lock(&self) -> Result<Option<StandingLock>, BackendError> {
        self.locks().standing()
    }

    fn unlock(&self, id: &LockId) -> Result<(), BackendError> {
        self.locks().release(id)
    }

    fn create_sidecar(&self, name: &SidecarName, bytes: &[u8]) -> Result<(), BackendError> {
        let key = self.sidecar(name);
        let put = self.objects.put(&key, bytes, Some(&Expect::Absent));
        self.clients.wait(put).map(drop)
    }

    fn put_sidecar(&self, name: &SidecarName, bytes: &[u8]) -> Result<(), BackendError> {
        let key = self.sidecar(name);
        self.clients.wait(self.objects.put(&key, bytes, None)).map(drop)
    }

    fn get_sidecar(&self, name: &SidecarName) -> Result<Option<Vec<u8>>, BackendError> {
        let found = self.clients.wait(self.objects.get(&self.sidecar(name)))?;
        Ok(found.map(|object| object.bytes))
    }

    fn list_sidecars(&self, prefix: &str) -> Result<Vec<SidecarName>, BackendError> {
        let all = self.sidecar_prefix();
        let keys = self.clients.wait(self.objects.list(&format!("{all}{prefix}")))?;
        let names = keys.iter().filter_map(|key| key.strip_prefix(&all)?.parse().ok());
        let mut names: Vec<SidecarName> = names.collect();
        names.sort();
        Ok(names)
    }

    fn delete_sidecar(&self, name: &SidecarName) -> Result<(), BackendError> {
        self.clients.wait(self.objects.delete(&self.sidecar(name), None))
    }

    fn workspaces(&self) -> Result<Vec<String>, BackendError> {
        let prefix = match self.config.workspace_key_prefix.as_str() {
            "" => String::new(),
            prefix => format!("{prefix}/"),
        };
        let key = clean_path(&self.config.key);
        let keys = self.clients.wait(self.objects.list(&prefix))?;
        let found = keys.iter().filter_map(|found| {
            let (workspace, rest) = found.strip_prefix(&prefix)?.split_once('/')?;
            (rest == key && !workspace.is_empty()).then(|| workspace.to_owned())
        });
        let mut names: Vec<String> = found.collect();
        names.sort();
        names.dedup();
        if self.clients.wait(self.objects.head(&self.config.key))?.is_some() {
            names.insert(0, "default".to_owned());
        }
        Ok(names)
    }
}
