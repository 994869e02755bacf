//! States in local files, under the lock protocol of Terraform's local backend.
//!
//! **Lock.** Terraform takes a POSIX record lock (fcntl) on the state file and then writes `.NAME.lock.info`. The record
//! lock ends with its process, so it can be no fence, and nothing of it survives a crash. We take it too, for as long as
//! we live, and put a *directory* where Terraform would write its info file. That stops every Terraform, root's too
//! ("could not write lock info … is a directory"), until the lock is released, and its `lock.json` says whose it is.
//! Making it is one rename, so it is also what excludes other runs of ours.
//!
//! **Write.** A file that is renamed over the state would have another inode: the record lock would stay on the old one,
//! and a Terraform waiting with `-lock-timeout` would go on to read and write a file that is no longer there. So we
//! write in place as Terraform does, but first keep both versions in a record beside the state (durable, mode 0600). A
//! crash in mid-write is completed or taken back when the lock is taken next; see `write`.
//!
//! **One descriptor.** Closing any descriptor of a file drops the process's record lock on it. So all handles in this
//! process share one descriptor per state (`lock`), and nothing else in the process may open a locked state file.
//!
//! Beside a state `dir/NAME` stand `dir/.NAME.lock.info/` (while locked) and `dir/.NAME.stackcut/` (the sidecars, mode
//! 0700; entries that start with a dot are half-done work of ours and are cleaned up under the next lock).

mod durable;
mod lock;
mod write;

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use super::{
    BackendError, Confirmed, DigestStanding, Expect, LockId, LockInfo, Reading, SidecarName, StandingLock,
    StateBackend, StateLock, StateObject, Version, Written,
};
use crate::stack::StateLocation;
use crate::state::{Fingerprint, Md5Digest, Sha256Digest};

const STATE_FILE: &str = "terraform.tfstate";
const WORKSPACE_DIR: &str = "terraform.tfstate.d";

/// The state of one workspace in local files.
#[derive(Debug)]
pub struct LocalBackend {
    /// The state file.
    path: PathBuf,
    /// The file as Terraform names it in a lock's `Path`: relative to the root module.
    named: String,
    /// The same file, absolute and without symbolic links: what handles in this process share.
    key: String,
    default_path: PathBuf,
    workspace_dir: PathBuf,
}

impl LocalBackend {
    /// Creates the handle for a location, seen from the root module's directory. Touches nothing.
    ///
    /// # Errors
    ///
    /// [`BackendError::Configuration`] for unknown arguments and for workspace names that Terraform refuses.
    pub fn from_location(root_module: &Path, location: &StateLocation) -> Result<Self, BackendError> {
        let refuse = |reason: String| BackendError::Configuration {
            backend: "local",
            reason,
        };
        let known = ["path", "workspace_dir"];
        if let Some(unknown) = location
            .arguments
            .keys()
            .find(|name| !known.contains(&name.as_str()))
        {
            return Err(refuse(format!("`{unknown}` is not an argument of it")));
        }
        let argument = |name: &str, default: &str| {
            let given = location.arguments.get(name).filter(|value| !value.is_empty());
            given.cloned().unwrap_or_else(|| default.to_owned())
        };
        let default_path = argument("path", STATE_FILE);
        let workspace_dir = argument("workspace_dir", WORKSPACE_DIR);
        let named = if location.workspace == "default" {
            default_path.clone()
        } else if is_workspace_name(&location.workspace) {
            format!(
                "{}/{}/{STATE_FILE}",
                workspace_dir.trim_end_matches('/'),
                location.workspace
            )
        } else {
            return Err(refuse(format!(
                "`{}` is not a workspace name",
                location.workspace
            )));
        };
        let path = root_module.join(&named);
        if path.file_name().is_none() {
            return Err(refuse(format!("`{named}` does not name a file")));
        }
        Ok(Self {
            key: lock::resolved(&path).display().to_string(),
            path,
            named,
            default_path: root_module.join(default_path),
            workspace_dir: root_module.join(workspace_dir),
        })
    }

    /// Returns the state file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the path beside the state file with this ending; a leading dot is not doubled.
    fn beside(&self, ending: &str) -> PathBuf {
        let name = self.path.file_name().unwrap_or_default().to_string_lossy();
        self.path
            .with_file_name(format!(".{}{ending}", name.strip_prefix('.').unwrap_or(&name)))
    }

    fn sidecar_dir(&self) -> PathBuf {
        self.beside(".stackcut")
    }

    fn sidecar(&self, name: &SidecarName) -> PathBuf {
        self.sidecar_dir().join(name.as_str())
    }

    /// Makes an error of a failed file operation.
    fn io(&self, action: &'static str) -> impl Fn(io::Error) -> BackendError + use<> {
        io_at(&self.path, action)
    }
}

/// Tells whether Terraform accepts the name: one that needs no escaping in a URL path.
pub(in crate::backend) fn is_workspace_name(name: &str) -> bool {
    let fits = |b: u8| b.is_ascii_alphanumeric() || b"-_.~$&+=:@".contains(&b);
    !name.is_empty() && name != "." && name != ".." && name.bytes().all(fits)
}

fn io_at(path: &Path, action: &'static str) -> impl Fn(io::Error) -> BackendError + use<> {
    let at = path.display().to_string();
    move |source| match source.kind() {
        io::ErrorKind::PermissionDenied => BackendError::AccessDenied {
            at: at.clone(),
            action,
            detail: source.to_string(),
        },
        _ => BackendError::Io {
            at: at.clone(),
            action,
            source,
        },
    }
}

fn read_all(file: &File) -> io::Result<Vec<u8>> {
    let len = usize::try_from(file.metadata()?.len()).map_err(io::Error::other)?;
    let mut bytes = vec![0; len];
    file.read_exact_at(&mut bytes, 0)?;
    Ok(bytes)
}

fn version_of(bytes: &[u8]) -> Version {
    Version::new(Sha256Digest::of(bytes).to_string())
}

/// Turns "not there" into `None`.
fn optional<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

impl StateBackend for LocalBackend {
    fn describe(&self) -> String {
        self.path.display().to_string()
    }

    fn lock_key(&self) -> &str {
        &self.key
    }

    fn keeps_digest(&self) -> bool {
        false
    }

    fn is_remote(&self) -> bool {
        false
    }

    /// A file is read: nothing else knows what is in it.
    fn confirm(&self, _: Option<&Fingerprint>) -> Result<Option<Confirmed>, BackendError> {
        Ok(None)
    }

    fn read(&self) -> Result<Reading, BackendError> {
        let slot = lock::slot(&self.key);
        let held = slot.lock().expect("no holder panics");
        let bytes = match &*held {
            Some(held) => read_all(&held.file).map_err(self.io("read"))?,
            None => optional(fs::read(&self.path))
                .map_err(self.io("read"))?
                .unwrap_or_default(),
        };
        if write::is_torn(self, &bytes)? {
            return Err(BackendError::Interrupted { at: self.describe() });
        }
        let object = (!bytes.is_empty()).then(|| StateObject {
            version: version_of(&bytes),
            version_id: None,
            bytes,
        });
        Ok(Reading {
            object,
            digest: DigestStanding::NotKept,
        })
    }

    fn write(&self, lock: &StateLock, bytes: &[u8], expect: &Expect) -> Result<Written, BackendError> {
        lock.check(&self.key, &self.describe())?;
        lock::with_held(self, lock.id(), |file| {
            let found = read_all(file).map_err(self.io("read"))?;
            let as_expected = match expect {
                Expect::Absent => found.is_empty(),
                Expect::Version(version) => !found.is_empty() && version_of(&found) == *version,
            };
            if !as_expected {
                return Err(BackendError::PreconditionFailed { at: self.describe() });
            }
            write::in_place(self, file, &found, bytes)?;
            Ok(Written {
                version: version_of(bytes),
                version_id: None,
            })
        })
    }

    /// Empties the file: no bytes are no state. Releasing the lock takes the empty file away.
    fn remove(&self, lock: &StateLock, version: &Version) -> Result<(), BackendError> {
        lock.check(&self.key, &self.describe())?;
        lock::with_held(self, lock.id(), |file| {
            let found = read_all(file).map_err(self.io("read"))?;
            if !found.is_empty() && version_of(&found) != *version {
                return Err(BackendError::PreconditionFailed { at: self.describe() });
            }
            file.set_len(0)
                .and_then(|()| file.sync_all())
                .map_err(self.io("empty"))
        })
    }

    fn write_digest(&self, lock: &StateLock, _: &Md5Digest) -> Result<(), BackendError> {
        lock.check(&self.key, &self.describe())
    }

    fn remove_digest(&self, lock: &StateLock) -> Result<(), BackendError> {
        lock.check(&self.key, &self.describe())
    }

    fn lock(&self, info: &LockInfo) -> Result<StateLock, BackendError> {
        lock::take(self, info)
    }

    fn standing_lock(&self) -> Result<Option<StandingLock>, BackendError> {
        lock::standing(self)
    }

    fn unlock(&self, id: &LockId) -> Result<(), BackendError> {
        lock::release(self, id)
    }

    fn create_sidecar(&self, name: &SidecarName, bytes: &[u8]) -> Result<(), BackendError> {
        let path = self.sidecar(name);
        let created = durable::create(&self.sidecar_dir(), &path, bytes).map_err(io_at(&path, "create"))?;
        if created {
            Ok(())
        } else {
            Err(BackendError::PreconditionFailed {
                at: path.display().to_string(),
            })
        }
    }

    fn put_sidecar(&self, name: &SidecarName, bytes: &[u8]) -> Result<(), BackendError> {
        let path = self.sidecar(name);
        durable::replace(&self.sidecar_dir(), &path, bytes).map_err(io_at(&path, "write"))
    }

    fn get_sidecar(&self, name: &SidecarName) -> Result<Option<Vec<u8>>, BackendError> {
        let path = self.sidecar(name);
        optional(fs::read(&path)).map_err(io_at(&path, "read"))
    }

    fn list_sidecars(&self, prefix: &str) -> Result<Vec<SidecarName>, BackendError> {
        let dir = self.sidecar_dir();
        let mut names = Vec::new();
        durable::list(&dir, "", &mut names).map_err(io_at(&dir, "list"))?;
        let mut names: Vec<SidecarName> = names.iter().filter_map(|name| name.parse().ok()).collect();
        names.retain(|name: &SidecarName| name.as_str().starts_with(prefix));
        names.sort();
        Ok(names)
    }

    fn delete_sidecar(&self, name: &SidecarName) -> Result<(), BackendError> {
        let path = self.sidecar(name);
        durable::remove(&self.sidecar_dir(), &path).map_err(io_at(&path, "delete"))
    }

    fn workspaces(&self) -> Result<Vec<String>, BackendError> {
        let has_state = |path: &Path| fs::metadata(path).is_ok_and(|found| found.len() > 0);
        let mut names = Vec::new();
        let entries =
            optional(fs::read_dir(&self.workspace_dir)).map_err(io_at(&self.workspace_dir, "list"))?;
        for entry in entries.into_iter().flatten() {
            let entry = entry.map_err(io_at(&self.workspace_dir, "list"))?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if is_workspace_name(&name) && has_state(&entry.path().join(STATE_FILE)) {
                names.push(name);
            }
        }
        names.sort();
        if has_state(&self.default_path) {
            names.insert(0, "default".to_owned());
        }
        Ok(names)
    }
}
