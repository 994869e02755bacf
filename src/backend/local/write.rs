//! Writing a locked state file in place so that a crash in the middle can be repaired.
//!
//! Before the first byte of the state changes, a record beside it (`.NAME.stackcut/.write`) holds both versions whole.
//! Whoever takes the lock next compares: the file is as before (the write did not begin), as after (it was complete), or
//! a mixture of just these two, block by block (then it is completed). Anything else was written by somebody else, and
//! is left alone with the record ([`BackendError::Torn`]).

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::PathBuf;

use rustix::fs::{FallocateFlags, fallocate};

use super::{LocalBackend, durable, io_at, lock, optional, read_all};
use crate::backend::BackendError;
use crate::state::Sha256Digest;

/// The record's name among the sidecars; the dot keeps it out of lists.
const RECORD: &str = ".write";
const HEADER: &str = "stackcut-write-1";
/// Smallest piece that a file system writes whole.
const BLOCK: usize = 512;

/// Both versions of a state that is being written.
struct Record {
    before: Vec<u8>,
    after: Vec<u8>,
}

fn record_path(backend: &LocalBackend) -> PathBuf {
    backend.sidecar_dir().join(RECORD)
}

/// Replaces the content of the locked file.
pub(super) fn in_place(
    backend: &LocalBackend,
    file: &File,
    before: &[u8],
    after: &[u8],
) -> Result<(), BackendError> {
    if !lock::is_same_file(&backend.path, file) {
        // Somebody renamed another file over ours; what we have open is not the state any more.
        return Err(BackendError::PreconditionFailed {
            at: backend.path.display().to_string(),
        });
    }
    let path = record_path(backend);
    let head = format!(
        "{HEADER} {} {} {} {}\n",
        before.len(),
        after.len(),
        Sha256Digest::of(before),
        Sha256Digest::of(after)
    );
    let record = [head.as_bytes(), before, after].concat();
    durable::replace(&backend.sidecar_dir(), &path, &record).map_err(io_at(&path, "write"))?;
    if let Err(error) = overwrite(file, after) {
        // A full disk, most likely. The old bytes have their place on it still.
        if overwrite(file, before).is_ok() {
            let _ = durable::remove(&backend.sidecar_dir(), &path);
        }
        return Err(backend.io("write")(error));
    }
    durable::remove(&backend.sidecar_dir(), &path).map_err(io_at(&path, "remove"))
}

fn overwrite(file: &File, bytes: &[u8]) -> io::Result<()> {
    // Room first: better no write at all than half of one. Not every file system can say; then the write will.
    if let Err(rustix::io::Errno::NOSPC | rustix::io::Errno::DQUOT) =
        fallocate(file, FallocateFlags::KEEP_SIZE, 0, bytes.len().max(1) as u64)
    {
        return Err(io::ErrorKind::StorageFull.into());
    }
    file.write_all_at(bytes, 0)?;
    file.set_len(bytes.len() as u64)?;
    file.sync_all()
}

/// Tells whether the bytes are the ruins of an interrupted write.
pub(super) fn is_torn(backend: &LocalBackend, bytes: &[u8]) -> Result<bool, BackendError> {
    let record = load(backend)?;
    Ok(record.is_some_and(|record| bytes != record.before && bytes != record.after))
}

/// Completes an interrupted write, if there was one. Only under the lock.
pub(super) fn recover(backend: &LocalBackend, file: &File) -> Result<(), BackendError> {
    let path = record_path(backend);
    let Some(record) = load(backend)? else {
        return Ok(());
    };
    let found = read_all(file).map_err(backend.io("read"))?;
    if found != record.before && found != record.after {
        if !is_mixture(&found, &record) {
            return Err(BackendError::Torn {
                at: backend.path.display().to_string(),
                record: path.display().to_string(),
            });
        }
        overwrite(file, &record.after).map_err(backend.io("repair"))?;
    }
    durable::remove(&backend.sidecar_dir(), &path).map_err(io_at(&path, "remove"))
}

/// Tells whether each block is the one before or the one after, or zeros where the file had begun to grow.
fn is_mixture(found: &[u8], record: &Record) -> bool {
    let shorter = record.before.len().min(record.after.len());
    let longer = record.before.len().max(record.after.len());
    if found.len() < shorter || found.len() > longer {
        return false;
    }
    found.chunks(BLOCK).enumerate().all(|(number, block)| {
        let start = number * BLOCK;
        let range = start..start + block.len();
        [&record.before, &record.after]
            .iter()
            .any(|version| version.get(range.clone()) == Some(block))
            || (range.end > shorter && mixes_in_block(block, start, record))
    })
}

/// Compares byte by byte, for blocks in which or after which a version ends.
fn mixes_in_block(block: &[u8], start: usize, record: &Record) -> bool {
    block.iter().enumerate().all(|(at, byte)| {
        let at = start + at;
        record.before.get(at) == Some(byte)
            || record.after.get(at) == Some(byte)
            || (at >= record.before.len() && *byte == 0)
    })
}

fn load(backend: &LocalBackend) -> Result<Option<Record>, BackendError> {
    let path = record_path(backend);
    let bytes = optional(fs::read(&path)).map_err(io_at(&path, "read"))?;
    let Some(bytes) = bytes else {
        return Ok(None);
    };
    // Written whole or not at all, so one that cannot be read was damaged later: nothing is decided on its ground.
    parse(&bytes).map(Some).ok_or_else(|| BackendError::Torn {
        at: backend.path.display().to_string(),
        record: path.display().to_string(),
    })
}

fn parse(bytes: &[u8]) -> Option<Record> {
    let end = bytes.iter().position(|&byte| byte == b'\n')?;
    let head = std::str::from_utf8(&bytes[..end]).ok()?;
    let mut words = head.split(' ');
    if words.next()? != HEADER {
        return None;
    }
    let lens: [usize; 2] = [words.next()?.parse().ok()?, words.next()?.parse().ok()?];
    let hashes: [Sha256Digest; 2] = [words.next()?.parse().ok()?, words.next()?.parse().ok()?];
    let body = &bytes[end + 1..];
    if lens[0].checked_add(lens[1])? != body.len() {
        return None;
    }
    let (before, after) = body.split_at(lens[0]);
    let whole = Sha256Digest::of(before) == hashes[0] && Sha256Digest::of(after) == hashes[1];
    whole.then(|| Record {
        before: before.to_owned(),
        after: after.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mixture(found: &[u8], before: &[u8], after: &[u8]) -> bool {
        let record = Record {
            before: before.to_owned(),
            after: after.to_owned(),
        };
        is_mixture(found, &record)
    }

    #[test]
    fn knows_the_ruins_of_its_own_write() {
        let old = vec![b'o'; 2000];
        let new = vec![b'n'; 3000];
        let part = |from: &[u8], to: &[u8], at: usize| [&from[..at], &to[at..]].concat();
        assert!(mixture(&part(&new, &old, 1024), &old, &new));
        assert!(mixture(&new[..2500], &old, &new));
        let mut grown = new.clone();
        grown[2048..].fill(0);
        assert!(mixture(&grown, &old, &new));
        // Shrinking: not cut to length yet.
        assert!(mixture(&part(&old, &new, 2000), &new, &old));
        assert!(mixture(&part(&new, &old, 512)[..2000], &new, &old));
    }

    #[test]
    fn does_not_take_another_writers_file_for_ruins() {
        let old = vec![b'o'; 2000];
        let new = vec![b'n'; 3000];
        let mut foreign = old.clone();
        foreign[700] = b'x';
        assert!(!mixture(&foreign, &old, &new));
        assert!(!mixture(b"", &old, &new));
        assert!(!mixture(&old[..1999], &old, &new));
        assert!(!mixture(&vec![b'n'; 3001], &old, &new));
        // Inside one block both versions never mix.
        let mut inside = old.clone();
        inside[10] = b'n';
        assert!(!mixture(&inside, &old, &new));
    }
}
