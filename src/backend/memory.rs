//! States in memory, with the semantics of S3 and DynamoDB: for tests and for the crash sweep.
//!
//! The [`MemoryStore`] is the bucket and the lock table; it outlives its handles as a bucket outlives a process. Tests
//! look into it and change it behind our back, as a colleague would.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use super::{
    BackendError, Confirmed, DigestStanding, Expect, LockId, LockInfo, Reading, SidecarName, StandingLock,
    StateBackend, StateLock, StateObject, Version, Written,
};
use crate::state::{Fingerprint, Md5Digest};

/// Everything a memory backend stores.
#[derive(Clone, Default)]
pub struct MemoryStore {
    content: Arc<Mutex<Content>>,
}

#[derive(Clone, Default)]
struct Content {
    states: BTreeMap<String, (Version, Vec<u8>)>,
    digests: BTreeMap<String, String>,
    locks: BTreeMap<String, String>,
    sidecars: BTreeMap<(String, SidecarName), Vec<u8>>,
    asks_no_locks: bool,
}

impl MemoryStore {
    /// Creates a handle for the state of this path, with a digest as a configuration with a lock table has.
    pub fn state(&self, path: &str) -> MemoryBackend {
        self.handle(path, true)
    }

    /// Creates a handle for the state of this path, without a digest.
    pub fn state_without_digest(&self, path: &str) -> MemoryBackend {
        self.handle(path, false)
    }

    fn handle(&self, path: &str, digest: bool) -> MemoryBackend {
        MemoryBackend {
            store: self.clone(),
            path: path.to_owned(),
            digest,
        }
    }

    /// From now on, whoever writes is asked for no lock, as little as S3 asks for one.
    pub fn ask_no_locks(&self) {
        self.content().asks_no_locks = true;
    }

    /// Returns a state's bytes.
    pub fn bytes(&self, path: &str) -> Option<Vec<u8>> {
        self.content().states.get(path).map(|(_, bytes)| bytes.clone())
    }

    /// Returns the paths of all states.
    pub fn paths(&self) -> Vec<String> {
        self.content().states.keys().cloned().collect()
    }

    /// Returns the Info of all standing locks by path.
    pub fn locks(&self) -> BTreeMap<String, String> {
        self.content().locks.clone()
    }

    /// Returns the digest items by path.
    pub fn digests(&self) -> BTreeMap<String, String> {
        self.content().digests.clone()
    }

    /// Writes a state and its digest past every lock, as a careless colleague does.
    pub fn overwrite(&self, path: &str, bytes: &[u8]) {
        let mut content = self.content();
        content.put(path, bytes);
        content
            .digests
            .insert(path.to_owned(), Md5Digest::of(bytes).to_string());
    }

    /// Sets or deletes a digest item.
    pub fn set_digest(&self, path: &str, digest: Option<&str>) {
        let mut content = self.content();
        match digest {
            Some(digest) => content.digests.insert(path.to_owned(), digest.to_owned()),
            None => content.digests.remove(path),
        };
    }

    /// Sets or deletes a lock's Info, whatever it says.
    pub fn set_lock(&self, path: &str, info: Option<&str>) {
        let mut content = self.content();
        match info {
            Some(info) => content.locks.insert(path.to_owned(), info.to_owned()),
            None => content.locks.remove(path),
        };
    }

    /// Returns a store with the same content that goes its own way from here.
    #[must_use]
    pub fn fork(&self) -> Self {
        let content = self.content().clone();
        Self {
            content: Arc::new(Mutex::new(content)),
        }
    }

    fn content(&self) -> MutexGuard<'_, Content> {
        self.content.lock().expect("no holder panics")
    }
}

impl Content {
    fn put(&mut self, path: &str, bytes: &[u8]) -> Version {
        // As S3 names it: two writes of the same bytes are one version.
        let version = Version::new(format!("\"{}\"", Md5Digest::of(bytes)));
        self.states
            .insert(path.to_owned(), (version.clone(), bytes.to_owned()));
        version
    }

    fn standing(&self, path: &str) -> Option<StandingLock> {
        self.locks.get(path).map(|text| StandingLock {
            holder: LockInfo::parse(text.as_bytes()),
            frees: format!("set_lock({path:?}, None)"),
        })
    }
}

/// One state of a [`MemoryStore`].
#[derive(Clone)]
pub struct MemoryBackend {
    store: MemoryStore,
    path: String,
    digest: bool,
}

impl MemoryBackend {
    fn refused(&self) -> BackendError {
        BackendError::PreconditionFailed { at: self.describe() }
    }

    fn stored_digest(&self, content: &Content) -> Option<Md5Digest> {
        content.digests.get(&self.path)?.to_ascii_lowercase().parse().ok()
    }

    /// Checks the proof, and that the lock it proves still stands.
    fn check(&self, content: &Content, lock: &StateLock) -> Result<(), BackendError> {
        lock.check(&self.path, &self.describe())?;
        match content.standing(&self.path) {
            _ if content.asks_no_locks => Ok(()),
            Some(standing) if standing.is(lock.id()) => Ok(()),
            _ => Err(BackendError::NotLocked { at: self.describe() }),
        }
    }
}

impl StateBackend for MemoryBackend {
    fn describe(&self) -> String {
        format!("memory://{}", self.path)
    }

    fn lock_key(&self) -> &str {
        &self.path
    }

    fn keeps_digest(&self) -> bool {
        self.digest
    }

    /// It stands for a store behind a network.
    fn is_remote(&self) -> bool {
        true
    }

    fn read(&self) -> Result<Reading, BackendError> {
        let content = self.store.content();
        let object = content
            .states
            .get(&self.path)
            .map(|(version, bytes)| StateObject {
                bytes: bytes.clone(),
                version: version.clone(),
                version_id: None,
            });
        let digest = match self.stored_digest(&content) {
            _ if !self.digest => DigestStanding::NotKept,
            None => DigestStanding::Missing,
            Some(stored) => match &object {
                Some(object) if Md5Digest::of(&object.bytes) == stored => DigestStanding::Matches,
                _ => DigestStanding::Stale { stored },
            },
        };
        Ok(Reading { object, digest })
    }

    fn confirm(&self, expected: Option<&Fingerprint>) -> Result<Option<Confirmed>, BackendError> {
        let content = self.store.content();
        let found = content.states.get(&self.path);
        let present = found.map(|(version, bytes)| (version.clone(), bytes.len() as u64));
        let stored = self.digest.then(|| self.stored_digest(&content));
        Ok(Confirmed::of(present, stored, expected))
    }

    fn write(&self, lock: &StateLock, bytes: &[u8], expect: &Expect) -> Result<Written, BackendError> {
        let mut content = self.store.content();
        self.check(&content, lock)?;
        let found = content.states.get(&self.path).map(|(version, _)| version);
        match (expect, found) {
            (Expect::Absent, None) => {}
            (Expect::Version(wanted), Some(found)) if wanted == found => {}
            _ => return Err(self.refused()),
        }
        Ok(Written {
            version: content.put(&self.path, bytes),
            version_id: None,
        })
    }

    fn remove(&self, lock: &StateLock, expected: &Version) -> Result<(), BackendError> {
        let mut content = self.store.content();
        self.check(&content, lock)?;
        match content.states.get(&self.path) {
            Some((version, _)) if version != expected => Err(self.refused()),
            _ => {
                content.states.remove(&self.path);
                Ok(())
            }
        }
    }

    fn write_digest(&self, lock: &StateLock, digest: &Md5Digest) -> Result<(), BackendError> {
        let mut content = self.store.content();
        self.check(&content, lock)?;
        if self.digest {
            content.digests.insert(self.path.clone(), digest.to_string());
        }
        Ok(())
    }

    fn remove_digest(&self, lock: &StateLock) -> Result<(), BackendError> {
        let mut content = self.store.content();
        self.check(&content, lock)?;
        content.digests.remove(&self.path);
        Ok(())
    }

    fn lock(&self, info: &LockInfo) -> Result<StateLock, BackendError> {
        let mut content = self.store.content();
        match content.standing(&self.path) {
            Some(standing) if !standing.is(&info.id) => Err(standing.refusal(&self.describe())),
            Some(_) => Ok(StateLock::new(&self.path, &info.id)),
            None => {
                let text = info.with_path(&self.path).to_json();
                content.locks.insert(self.path.clone(), text);
                Ok(StateLock::new(&self.path, &info.id))
            }
        }
    }

    fn standing_lock(&self) -> Result<Option<StandingLock>, BackendError> {
        Ok(self.store.content().standing(&self.path))
    }

    fn unlock(&self, id: &LockId) -> Result<(), BackendError> {
        let mut content = self.store.content();
        match content.standing(&self.path) {
            Some(standing) if !standing.is(id) => Err(standing.refusal(&self.describe())),
            _ => {
                content.locks.remove(&self.path);
                Ok(())
            }
        }
    }

    fn create_sidecar(&self, name: &SidecarName, bytes: &[u8]) -> Result<(), BackendError> {
        let key = (self.path.clone(), name.clone());
        let mut content = self.store.content();
        if content.sidecars.contains_key(&key) {
            let at = format!("{}.stackcut/{name}", self.describe());
            return Err(BackendError::PreconditionFailed { at });
        }
        content.sidecars.insert(key, bytes.to_owned());
        Ok(())
    }

    fn put_sidecar(&self, name: &SidecarName, bytes: &[u8]) -> Result<(), BackendError> {
        let key = (self.path.clone(), name.clone());
        self.store.content().sidecars.insert(key, bytes.to_owned());
        Ok(())
    }

    fn get_sidecar(&self, name: &SidecarName) -> Result<Option<Vec<u8>>, BackendError> {
        let key = (self.path.clone(), name.clone());
        Ok(self.store.content().sidecars.get(&key).cloned())
    }

    fn list_sidecars(&self, prefix: &str) -> Result<Vec<SidecarName>, BackendError> {
        let content = self.store.content();
        let names = content
            .sidecars
            .keys()
            .filter(|(path, name)| *path == self.path && name.as_str().starts_with(prefix));
        Ok(names.map(|(_, name)| name.clone()).collect())
    }

    fn delete_sidecar(&self, name: &SidecarName) -> Result<(), BackendError> {
        let key = (self.path.clone(), name.clone());
        self.store.content().sidecars.remove(&key);
        Ok(())
    }

    fn workspaces(&self) -> Result<Vec<String>, BackendError> {
        let present = self.store.content().states.contains_key(&self.path);
        Ok(present.then(|| "default".to_owned()).into_iter().collect())
    }
}
