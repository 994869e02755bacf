//! The lock on a local state: Terraform's record lock while we live, and a directory that stays.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex};

use rustix::fs::{FlockOperation, fcntl_lock};
use rustix::process::{Flock, FlockType, fcntl_getlk};

use super::{LocalBackend, durable, io_at, optional, write};
use crate::backend::{BackendError, LockId, LockInfo, LockInfoError, StandingLock, StateLock};

/// The state file that this process has locked, and the one descriptor it has of it.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) file: File,
    id: LockId,
}

type Slot = Arc<Mutex<Option<Held>>>;

/// Returns what all handles of this process share for one state file. Its mutex is held during every access to the file.
pub(super) fn slot(key: &str) -> Slot {
    static SLOTS: LazyLock<Mutex<HashMap<String, Slot>>> = LazyLock::new(Mutex::default);
    let mut slots = SLOTS.lock().expect("no holder panics");
    Arc::clone(slots.entry(key.to_owned()).or_default())
}

/// Returns the path, absolute and without symbolic links as far as it exists.
pub(super) fn resolved(path: &Path) -> PathBuf {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    for ancestor in absolute.ancestors() {
        if let Ok(real) = fs::canonicalize(ancestor) {
            let rest = absolute.strip_prefix(ancestor).expect("an ancestor is a prefix");
            return if rest.as_os_str().is_empty() {
                real
            } else {
                real.join(rest)
            };
        }
    }
    absolute
}

/// Runs with the locked file, or refuses if this process does not hold the lock.
pub(super) fn with_held<T>(
    backend: &LocalBackend,
    id: &LockId,
    run: impl FnOnce(&File) -> Result<T, BackendError>,
) -> Result<T, BackendError> {
    let slot = slot(&backend.key);
    let held = slot.lock().expect("no holder panics");
    match &*held {
        Some(held) if held.id == *id => run(&held.file),
        _ => Err(BackendError::NotLocked {
            at: backend.path.display().to_string(),
        }),
    }
}

/// Takes the lock: the record lock first, so that nobody else is at work, then the directory.
pub(super) fn take(backend: &LocalBackend, info: &LockInfo) -> Result<StateLock, BackendError> {
    let slot = slot(&backend.key);
    let mut held = slot.lock().expect("no holder panics");
    let ours = || StateLock::new(&backend.key, &info.id);
    if let Some(held) = &*held {
        return match marked(backend)? {
            _ if held.id == info.id => Ok(ours()),
            Some(standing) => Err(standing.refusal(&backend.path.display().to_string())),
            None => Err(lost_mark(backend)),
        };
    }
    if let Some(parent) = backend.path.parent() {
        fs::create_dir_all(parent).map_err(io_at(parent, "create"))?;
    }
    let (file, created) = open(&backend.path).map_err(backend.io("open"))?;
    if !try_record_lock(&file).map_err(backend.io("lock"))? {
        drop(file);
        return Err(contended(backend)?);
    }
    match mark(backend, info) {
        Ok(()) => {}
        Err(error) => {
            if created {
                // We hold the record lock on it, and it is empty as we made it.
                let _ = fs::remove_file(&backend.path);
            }
            return Err(error);
        }
    }
    write::recover(backend, &file)?;
    durable::clean(&backend.sidecar_dir()).map_err(io_at(&backend.sidecar_dir(), "clean up"))?;
    *held = Some(Held {
        file,
        id: info.id.clone(),
    });
    Ok(ours())
}

/// Releases the lock of this ID, whichever process took it.
pub(super) fn release(backend: &LocalBackend, id: &LockId) -> Result<(), BackendError> {
    let slot = slot(&backend.key);
    let mut held = slot.lock().expect("no holder panics");
    match marked(backend)? {
        Some(standing) if !standing.is(id) => {
            return Err(standing.refusal(&backend.path.display().to_string()));
        }
        // Gone already; what its interrupted release left is for whoever is alone here.
        None if held.is_none() => {
            let sidecars = backend.sidecar_dir();
            return match relocked(backend) {
                Ok(_alone) => durable::clean(&sidecars).map_err(io_at(&sidecars, "clean up")),
                Err(BackendError::Conflict { .. }) => Ok(()),
                Err(error) => Err(error),
            };
        }
        _ => {}
    }
    let file = match held.take() {
        Some(held) => Some(held.file),
        None => relocked(backend)?,
    };
    if let Some(file) = &file {
        write::recover(backend, file)?;
    }
    unmark(backend).map_err(io_at(&backend.beside(".lock.info"), "release"))?;
    if let Some(file) = file {
        // As Terraform does; nothing is lost with an empty file, and the record lock is still ours.
        if file.metadata().is_ok_and(|found| found.len() == 0) {
            let _ = fs::remove_file(&backend.path);
        }
    }
    let sidecars = backend.sidecar_dir();
    durable::clean(&sidecars).map_err(io_at(&sidecars, "clean up"))
}

/// Tells who holds the lock, without taking anything.
pub(super) fn standing(backend: &LocalBackend) -> Result<Option<StandingLock>, BackendError> {
    let slot = slot(&backend.key);
    let held = slot.lock().expect("no holder panics");
    if let Some(standing) = marked(backend)? {
        return Ok(Some(standing));
    }
    if held.is_some() {
        return Ok(None);
    }
    let Some(file) = optional(File::open(&backend.path)).map_err(backend.io("open"))? else {
        return Ok(None);
    };
    let found = fcntl_getlk(&file, &Flock::from(FlockType::WriteLock));
    match found.map_err(|error| backend.io("query the lock of")(error.into()))? {
        None => Ok(None),
        Some(lock) => Ok(Some(StandingLock {
            holder: LockInfo::parse(&fs::read(backend.beside(".lock.info")).unwrap_or_default()),
            frees: match lock.pid {
                Some(pid) => format!("wait for process {} to end", pid.as_raw_nonzero()),
                None => "wait for the process that holds it to end".to_owned(),
            },
        })),
    }
}

fn open(path: &Path) -> io::Result<(File, bool)> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).mode(0o600);
    match options.open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        settled => return settled.map(|file| (file, false)),
    }
    match options.create_new(true).open(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            options.create_new(false).open(path).map(|file| (file, false))
        }
        settled => settled.map(|file| (file, true)),
    }
}

/// Takes Terraform's record lock on the file that is at the path right now, if nobody has it.
fn try_record_lock(file: &File) -> io::Result<bool> {
    match fcntl_lock(file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(true),
        Err(rustix::io::Errno::AGAIN | rustix::io::Errno::ACCESS) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Takes the record lock again for a lock whose process is gone; `None` where there is no file.
fn relocked(backend: &LocalBackend) -> Result<Option<File>, BackendError> {
    let opened = OpenOptions::new().read(true).write(true).open(&backend.path);
    let Some(file) = optional(opened).map_err(backend.io("open"))? else {
        return Ok(None);
    };
    if try_record_lock(&file).map_err(backend.io("lock"))? {
        return Ok(Some(file));
    }
    // A Terraform that is about to be stopped by the directory, or another run that releases the same lock.
    Err(BackendError::Conflict {
        at: backend.path.display().to_string(),
    })
}

fn contended(backend: &LocalBackend) -> Result<BackendError, BackendError> {
    let at = backend.path.display().to_string();
    if let Some(standing) = marked(backend)? {
        return Ok(standing.refusal(&at));
    }
    let standing = StandingLock {
        holder: LockInfo::parse(&fs::read(backend.beside(".lock.info")).unwrap_or_default()),
        frees: "wait for the process that holds it to end".to_owned(),
    };
    Ok(standing.refusal(&at))
}

fn lost_mark(backend: &LocalBackend) -> BackendError {
    BackendError::Conflict {
        at: backend.beside(".lock.info").display().to_string(),
    }
}

/// Reads the directory that marks the lock as ours, if it stands.
fn marked(backend: &LocalBackend) -> Result<Option<StandingLock>, BackendError> {
    let mark = backend.beside(".lock.info");
    if !mark.is_dir() {
        return Ok(None);
    }
    let text = optional(fs::read(mark.join("lock.json"))).map_err(io_at(&mark, "read"))?;
    Ok(Some(StandingLock {
        holder: text.map_or(Err(LockInfoError::NotJson), |text| LockInfo::parse(&text)),
        frees: format!("rm -r '{}'", mark.display()),
    }))
}

/// Puts up the directory, whole, in one rename; one of the same ID is ours already.
fn mark(backend: &LocalBackend, info: &LockInfo) -> Result<(), BackendError> {
    let at = backend.beside(".lock.info");
    match marked(backend)? {
        Some(standing) if standing.is(&info.id) => return Ok(()),
        Some(standing) => return Err(standing.refusal(&backend.path.display().to_string())),
        None => {}
    }
    let place = || -> io::Result<()> {
        // An info file without a record lock is a leftover: Terraform removes it just so.
        optional(fs::remove_file(&at))?;
        let sidecars = backend.sidecar_dir();
        durable::make_dir(&sidecars)?;
        let temporary = durable::temporary_in(&sidecars);
        durable::make_dir(&temporary)?;
        let text = info.with_path(&backend.named).to_json();
        durable::write_new(&temporary.join("lock.json"), text.as_bytes())?;
        durable::sync_dir(&temporary)?;
        fs::rename(&temporary, &at)?;
        durable::sync_dir(at.parent().unwrap_or(&at))
    };
    place().map_err(io_at(&at, "create"))
}

/// Takes the directory down, whole, in one rename.
fn unmark(backend: &LocalBackend) -> io::Result<()> {
    let at = backend.beside(".lock.info");
    let sidecars = backend.sidecar_dir();
    durable::make_dir(&sidecars)?;
    let temporary = durable::temporary_in(&sidecars);
    optional(fs::rename(&at, &temporary))?;
    durable::sync_dir(at.parent().unwrap_or(&at))?;
    optional(fs::remove_dir_all(&temporary))?;
    Ok(())
}

/// Tells whether the path still leads to the open file.
pub(super) fn is_same_file(path: &Path, file: &File) -> bool {
    match (fs::metadata(path), file.metadata()) {
        (Ok(there), Ok(here)) => (there.dev(), there.ino()) == (here.dev(), here.ino()),
        _ => false,
    }
}
