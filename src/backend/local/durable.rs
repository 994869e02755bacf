//! Files that appear whole or not at all, and stay: written beside, synced, then renamed or linked into place.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use super::optional;

/// Writes a file inside `root` (created with mode 0700), replacing one of that name.
pub(super) fn replace(root: &Path, path: &Path, bytes: &[u8]) -> io::Result<()> {
    place(root, path, bytes, |temporary| fs::rename(temporary, path))
}

/// Writes a file inside `root` unless there is one of that name; tells whether it did.
pub(super) fn create(root: &Path, path: &Path, bytes: &[u8]) -> io::Result<bool> {
    // A link never replaces, on any file system; `rename` without replacing is not everywhere.
    let placed = place(root, path, bytes, |temporary| {
        fs::hard_link(temporary, path)?;
        fs::remove_file(temporary)
    });
    match placed {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(error),
    }
}

fn place(root: &Path, path: &Path, bytes: &[u8], put: impl Fn(&Path) -> io::Result<()>) -> io::Result<()> {
    let parent = path.parent().unwrap_or(root);
    let attempt = || {
        make_dir(parent)?;
        let temporary = temporary_in(root);
        let result = write_new(&temporary, bytes).and_then(|()| put(&temporary));
        if result.is_err() {
            // Whatever is left here is cleaned up under the next lock; the first error is the one to report.
            let _ = fs::remove_file(&temporary);
        }
        result
    };
    match attempt() {
        // Another run of ours has just cleaned up or removed the empty directory.
        Err(error) if error.kind() == io::ErrorKind::NotFound => attempt(),
        settled => settled,
    }?;
    sync_dir(parent)
}

/// Writes a file that must be new, with mode 0600, and waits until it is on the disk.
pub(super) fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Names a temporary file; a dot in front keeps it apart from sidecars.
pub(super) fn temporary_in(root: &Path) -> PathBuf {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    root.join(format!(".tmp-{}-{count}", std::process::id()))
}

/// Creates a directory with mode 0700, and its parents.
pub(super) fn make_dir(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Makes the entries of a directory durable.
pub(super) fn sync_dir(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// Deletes a file inside `root` if it is there, and the directories that are empty then.
pub(super) fn remove(root: &Path, path: &Path) -> io::Result<()> {
    if optional(fs::remove_file(path))?.is_none() {
        return Ok(());
    }
    let mut dir = path.parent();
    while let Some(parent) = dir.filter(|parent| parent.starts_with(root)) {
        if fs::remove_dir(parent).is_err() {
            // Not empty: the usual case, and the end of the walk.
            return sync_dir(parent);
        }
        dir = parent.parent();
    }
    Ok(())
}

/// Removes half-done work: entries of `root` that start with a dot, which belongs to nobody under the lock.
pub(super) fn clean(root: &Path) -> io::Result<()> {
    for entry in optional(fs::read_dir(root))?.into_iter().flatten() {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if !name.starts_with('.') {
            continue;
        }
        let removed = if entry.file_type()?.is_dir() {
            fs::remove_dir_all(entry.path())
        } else {
            fs::remove_file(entry.path())
        };
        optional(removed)?;
    }
    // Fails where sidecars are left, as it should.
    let _ = fs::remove_dir(root);
    Ok(())
}

/// Collects the names of all files below `dir`, `/`-separated, without those that start with a dot.
pub(super) fn list(dir: &Path, prefix: &str, names: &mut Vec<String>) -> io::Result<()> {
    for entry in optional(fs::read_dir(dir))?.into_iter().flatten() {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with('.') {
            continue;
        }
        if entry.file_type()?.is_dir() {
            list(&entry.path(), &format!("{prefix}{name}/"), names)?;
        } else {
            names.push(format!("{prefix}{name}"));
        }
    }
    Ok(())
}
