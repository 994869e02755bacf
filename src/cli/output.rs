//! Output directories that appear whole or not at all.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::signals::{self, Scratch};
use crate::error::{CommandError, Exit};

/// The file by which a directory is known as one of ours, and so may be replaced.
pub(super) const MARKER: &str = ".stackcut";

/// The list of what `emit` wrote into a directory, by which that one is known.
pub(super) const MANIFEST: &str = ".stackcut-emit.json";

/// The values of contracts, where variables hand them on.
const VALUES_FILE: &str = "contracts.auto.tfvars.json";

/// A directory that is being written beside its final place.
///
/// Dropped unfinished, it leaves nothing behind.
#[derive(Debug)]
pub(super) struct OutputDir {
    scratch: tempfile::TempDir,
    /// Removes the scratch directory if a signal ends the process.
    _guard: Scratch,
    place: PathBuf,
}

impl OutputDir {
    /// Starts a directory that will stand at `place`.
    ///
    /// # Errors
    /// Refuses a `place` that is not empty and was not written by stackcut.
    pub(super) fn start(place: &Path) -> Result<Self, CommandError> {
        refuse_foreign(place)?;
        let parent = match place.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        fs::create_dir_all(parent).map_err(|error| failed(parent, "create", &error))?;
        // Beside its final place, so that the rename stays within one file system.
        let mut builder = tempfile::Builder::new();
        builder.prefix(".stackcut-");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            builder.permissions(fs::Permissions::from_mode(0o700));
        }
        let dir = {
            let _whole = signals::writing_files();
            let scratch = builder
                .tempdir_in(parent)
                .map_err(|error| failed(parent, "write into", &error))?;
            Self {
                _guard: signals::scratch(scratch.path()),
                scratch,
                place: place.to_owned(),
            }
        };
        dir.write(
            MARKER,
            b"Written by stackcut; a later run may replace this directory.\n",
        )?;
        Ok(dir)
    }

    /// Writes a file; parent directories are made. States hold secrets: it is readable by its owner only.
    pub(super) fn write(&self, relative: &str, bytes: &[u8]) -> Result<(), CommandError> {
        self.write_with(relative, bytes, PRIVATE)
    }

    /// Writes a file of code, which everyone may read.
    pub(super) fn write_code(&self, relative: &str, bytes: &[u8]) -> Result<(), CommandError> {
        self.write_with(relative, bytes, code_mode(relative, bytes))
    }

    fn write_with(&self, relative: &str, bytes: &[u8], mode: u32) -> Result<(), CommandError> {
        let _whole = signals::writing_files();
        let path = self.scratch.path().join(relative);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(|error| failed(parent, "create", &error))?;
        }
        write_file(&path, bytes, mode).map_err(|error| failed(&path, "write", &error))
    }

    /// Puts the directory in its place.
    pub(super) fn finish(self) -> Result<(), CommandError> {
        let _whole = signals::writing_files();
        let moved = |error: io::Error| failed(&self.place, "move the result to", &error);
        // An old result is moved aside, not deleted, until the new one stands.
        let aside = self.scratch.path().with_extension("old");
        if self.place.exists() {
            fs::rename(&self.place, &aside).map_err(moved)?;
        }
        let scratch = self.scratch.path().to_owned();
        if let Err(error) = fs::rename(&scratch, &self.place) {
            if aside.exists() {
                fs::rename(&aside, &self.place).map_err(moved)?;
            }
            return Err(moved(error));
        }
        if aside.exists() {
            fs::remove_dir_all(&aside)
                .map_err(|error| failed(&aside, "remove the previous result", &error))?;
        }
        Ok(())
    }
}

/// Refuses to replace what is not ours.
fn refuse_foreign(place: &Path) -> Result<(), CommandError> {
    let entries = match fs::read_dir(place) {
        Ok(mut entries) => entries.next().is_some(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => false,
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
            let message = match place.exists() {
                true => format!("{} is a file", place.display()),
                false => format!("{} cannot be made: a part of its path is a file", place.display()),
            };
            return Err(CommandError::usage(message)
                .note("nothing was written")
                .hint("name another directory with --out, or remove the file"));
        }
        Err(error) => return Err(failed(place, "read", &error)),
    };
    if entries && !place.join(MARKER).is_file() {
        return Err(CommandError::new(format!(
            "{} is not empty and was not written by stackcut",
            place.display()
        ))
        .note("nothing was written")
        .hint("name another directory with --out, or remove this one")
        .exit(Exit::Usage));
    }
    Ok(())
}

/// For its owner alone.
const PRIVATE: u32 = 0o600;

/// Returns the mode of a file of code. Values of contracts may be secret; what names its interpreter is there to be run,
/// by a provisioner or an `external` data source.
pub(super) fn code_mode(path: &str, bytes: &[u8]) -> u32 {
    if path.ends_with(VALUES_FILE) {
        PRIVATE
    } else if bytes.starts_with(b"#!") {
        0o755
    } else {
        0o644
    }
}

/// Writes a new file with a mode, less what the user's mask forbids.
#[cfg(unix)]
pub(super) fn write_file(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(mode)
        .open(path)?;
    file.write_all(bytes)
}

/// Writes a new file.
#[cfg(not(unix))]
pub(super) fn write_file(path: &Path, bytes: &[u8], _mode: u32) -> io::Result<()> {
    fs::write(path, bytes)
}

fn failed(path: &Path, what: &str, error: &io::Error) -> CommandError {
    CommandError::new(format!("cannot {what} {}: {error}", path.display()))
}
