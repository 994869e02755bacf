//! A directory of emitted files among those of others.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::cli::output::{MANIFEST, code_mode, write_file};
use crate::diagnostic::Diagnostic;
use crate::error::CommandError;
use crate::rewrite::FileTree;
use crate::state::Sha256Digest;

const VERSION: u64 = 1;

/// What differs in one file.
#[derive(Debug)]
pub(super) enum Change {
    /// It is not there.
    Add(String),
    /// It is another one.
    Replace {
        path: String,
        /// Whether it is as stackcut wrote it.
        ours: bool,
    },
    /// It was written once and is not any more.
    Remove { path: String, ours: bool },
}

impl Change {
    pub(super) fn path(&self) -> &str {
        match self {
            Self::Add(path) | Self::Replace { path, .. } | Self::Remove { path, .. } => path,
        }
    }

    /// Tells whether a file is written.
    pub(super) fn is_write(&self) -> bool {
        !matches!(self, Self::Remove { .. })
    }

    /// Tells whether somebody's work would be lost.
    fn is_loss(&self) -> bool {
        matches!(
            self,
            Self::Replace { ours: false, .. } | Self::Remove { ours: false, .. }
        )
    }
}

#[derive(Default, Serialize, Deserialize)]
struct Manifest {
    version: u64,
    written_by: String,
    /// SHA-256 of every file, by path.
    files: BTreeMap<String, String>,
}

/// A directory that is written into.
pub(super) struct EmitDir {
    place: PathBuf,
    manifest: Manifest,
}

impl EmitDir {
    /// Reads what was written into a directory before.
    pub(super) fn read(place: &Path) -> Result<Self, CommandError> {
        if place.exists() && !place.is_dir() {
            return Err(
                CommandError::usage(format!("{} is no directory", place.display()))
                    .note("nothing was written")
                    .hint("name another directory with --out"),
            );
        }
        let path = place.join(MANIFEST);
        let manifest = match content(&path)? {
            None => Manifest::default(),
            Some(bytes) => serde_json::from_slice(&bytes).map_err(|error| {
                CommandError::new(format!("{} is damaged: {error}", path.display()))
                    .note("nothing was written")
                    .hint("remove it; files that differ are then taken for somebody else's")
            })?,
        };
        if manifest.version > VERSION {
            return Err(
                CommandError::new(format!("{} was written by a newer stackcut", path.display()))
                    .note("nothing was written")
                    .hint("use that version"),
            );
        }
        Ok(Self {
            place: place.to_owned(),
            manifest,
        })
    }

    /// Compares what is there with what should be. Files written before that are out of scope are none of this run's.
    pub(super) fn compare(
        &self,
        files: &FileTree,
        in_scope: &dyn Fn(&str) -> bool,
    ) -> Result<Vec<Change>, CommandError> {
        let mut changes = Vec::new();
        for (path, bytes) in files {
            match content(&self.place.join(path))? {
                Some(found) if found == *bytes => {}
                None => changes.push(Change::Add(path.clone())),
                Some(found) => changes.push(Change::Replace {
                    path: path.clone(),
                    ours: self.is_ours(path, &found),
                }),
            }
        }
        let stale = self.manifest.files.keys();
        for path in stale.filter(|path| in_scope(path) && !files.contains_key(*path)) {
            if let Some(found) = content(&self.place.join(path))? {
                changes.push(Change::Remove {
                    path: path.clone(),
                    ours: self.is_ours(path, &found),
                });
            }
        }
        Ok(changes)
    }

    fn is_ours(&self, path: &str, found: &[u8]) -> bool {
        self.manifest
            .files
            .get(path)
            .is_some_and(|known| *known == digest(found))
    }

    /// Makes the changes: all new files are written aside first, then put in their places, then the list of them.
    ///
    /// # Errors
    ///
    /// Refuses, unless forced, to lose what others wrote.
    pub(super) fn write(
        mut self,
        files: &FileTree,
        changes: &[Change],
        in_scope: &dyn Fn(&str) -> bool,
        force: bool,
    ) -> Result<(), CommandError> {
        let lost: Vec<&str> = changes
            .iter()
            .filter(|change| change.is_loss() && !force)
            .map(Change::path)
            .collect();
        if !lost.is_empty() {
            return Err(self.would_lose(&lost));
        }
        let failed = |path: &Path, error: &io::Error| {
            CommandError::new(format!("cannot write {}: {error}", path.display()))
                .note("some files may be written already; the same command goes on")
        };
        fs::create_dir_all(&self.place).map_err(|error| failed(&self.place, &error))?;
        let aside = tempfile::Builder::new()
            .prefix(".stackcut-")
            .tempdir_in(&self.place)
            .map_err(|error| failed(&self.place, &error))?;
        let writes: Vec<&str> = changes
            .iter()
            .filter(|change| change.is_write())
            .map(Change::path)
            .collect();
        for (number, path) in writes.iter().enumerate() {
            let at = aside.path().join(number.to_string());
            let bytes = &files[*path];
            write_file(&at, bytes, code_mode(path, bytes)).map_err(|error| failed(&at, &error))?;
        }
        for (number, path) in writes.iter().enumerate() {
            let to = self.place.join(path);
            let parent = to.parent().unwrap_or(&self.place);
            fs::create_dir_all(parent).map_err(|error| failed(parent, &error))?;
            fs::rename(aside.path().join(number.to_string()), &to).map_err(|error| failed(&to, &error))?;
        }
        for change in changes.iter().filter(|change| !change.is_write()) {
            let path = self.place.join(change.path());
            fs::remove_file(&path).map_err(|error| failed(&path, &error))?;
            self.prune(&path);
        }
        self.manifest.files.retain(|path, _| !in_scope(path));
        let written = files.iter().map(|(path, bytes)| (path.clone(), digest(bytes)));
        self.manifest.files.extend(written);
        self.manifest.version = VERSION;
        concat!("stackcut ", env!("CARGO_PKG_VERSION")).clone_into(&mut self.manifest.written_by);
        let mut text = serde_json::to_string_pretty(&self.manifest).expect("texts always serialise");
        text.push('\n');
        let (at, to) = (aside.path().join(MANIFEST), self.place.join(MANIFEST));
        if content(&to)?.as_deref() == Some(text.as_bytes()) {
            return Ok(());
        }
        fs::write(&at, text).map_err(|error| failed(&at, &error))?;
        fs::rename(&at, &to).map_err(|error| failed(&to, &error))
    }

    /// Removes the directories that a file left empty.
    fn prune(&self, path: &Path) {
        let above = path.ancestors().skip(1).take_while(|dir| *dir != self.place);
        for dir in above {
            // One with something in it stays, and so do those above it.
            if fs::remove_dir(dir).is_err() {
                return;
            }
        }
    }

    fn would_lose(&self, lost: &[&str]) -> CommandError {
        const SHOWN: usize = 20;
        let head = format!(
            "{} would lose what stackcut did not write, or what was edited since: {}",
            self.place.display(),
            crate::report::count(lost.len(), "file")
        );
        let mut finding = Diagnostic::error(head);
        for path in lost.iter().take(SHOWN) {
            finding = finding.note(*path);
        }
        if lost.len() > SHOWN {
            finding = finding.note(format!("and {} more", lost.len() - SHOWN));
        }
        let hint = "move them away, commit them and say --force, or name another directory with --out";
        finding.note("nothing was written").hint(hint).into()
    }
}

fn content(path: &Path) -> Result<Option<Vec<u8>>, CommandError> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
            ) =>
        {
            Ok(None)
        }
        Err(error) => {
            let message = format!("cannot read {}: {error}", path.display());
            Err(CommandError::new(message).note("nothing was written"))
        }
    }
}

fn digest(bytes: &[u8]) -> String {
    Sha256Digest::of(bytes).to_string()
}
