//! A directory of emitted files among those of others.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::cli::output::{MANIFEST, code_mode, write_file};
use crate::cli::signals;
use crate::diagnostic::Diagnostic;
use crate::error::CommandError;
use crate::rewrite::FileTree;
use crate::state::Sha256Digest;

const VERSION: u64 = 1;

/// How the names of directories begin in which files wait for their places.
const ASIDE: &str = ".stackcut-";

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
    /// What is being written; still there where that was cut off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    writing: Option<Writing>,
}

#[derive(Serialize, Deserialize)]
struct Writing {
    /// The directory in which the files wait, beside the list.
    aside: String,
    /// SHA-256 of every file that is put in its place, by path.
    files: BTreeMap<String, String>,
}

impl Manifest {
    fn text(&mut self) -> String {
        self.version = VERSION;
        concat!("stackcut ", env!("CARGO_PKG_VERSION")).clone_into(&mut self.written_by);
        let mut text = serde_json::to_string_pretty(self).expect("texts always serialise");
        text.push('\n');
        text
    }
}

impl Writing {
    /// Returns the directory that a crash left behind; nothing but one of ours.
    fn leftover(&self, place: &Path) -> Option<PathBuf> {
        let is_ours = self.aside.starts_with(ASIDE) && !self.aside.contains(['/', '\\']);
        is_ours.then(|| place.join(&self.aside))
    }
}

/// How far an earlier run came that was cut off.
pub(super) struct CutOff {
    /// How many files it put in their places.
    pub(super) there: usize,
    /// How many it wanted to.
    pub(super) all: usize,
    /// Where the others waited.
    leftover: Option<PathBuf>,
}

/// A directory that is written into.
pub(super) struct EmitDir {
    place: PathBuf,
    manifest: Manifest,
    cut_off: Option<CutOff>,
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
        Self {
            place: place.to_owned(),
            manifest,
            cut_off: None,
        }
        .settled()
    }

    /// Counts what a run that was cut off put in its place as written.
    fn settled(mut self) -> Result<Self, CommandError> {
        let Some(writing) = self.manifest.writing.take() else {
            return Ok(self);
        };
        let mut found = CutOff {
            there: 0,
            all: writing.files.len(),
            leftover: writing.leftover(&self.place),
        };
        for (path, wanted) in writing.files {
            let there = content(&self.place.join(&path))?;
            if there.is_some_and(|there| digest(&there) == wanted) {
                found.there += 1;
                self.manifest.files.insert(path, wanted);
            }
        }
        self.cut_off = Some(found);
        Ok(self)
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

    /// Returns what became of an earlier run, if it was cut off.
    pub(super) fn cut_off(&self) -> Option<&CutOff> {
        self.cut_off.as_ref()
    }

    /// Makes the changes. A new directory appears at once; in one that is there, all files are written aside first, then
    /// put in their places, one after the other.
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
        // A signal waits until everything is in its place.
        let _whole = signals::writing_files();
        if self.place.symlink_metadata().is_err() {
            return self.appear(files);
        }
        let writes: Vec<&str> = changes
            .iter()
            .filter(|change| change.is_write())
            .map(Change::path)
            .collect();
        let removals: Vec<&str> = changes
            .iter()
            .filter(|change| !change.is_write())
            .map(Change::path)
            .collect();
        let mut after = self.manifest.files.clone();
        after.retain(|path, _| !in_scope(path));
        after.extend(digests(files));
        if !changes.is_empty() {
            self.fill(files, &writes, &removals)?;
        } else if self.cut_off.is_none() && self.manifest.files == after {
            return Ok(());
        }
        self.manifest.writing = None;
        self.manifest.files = after;
        self.save()
    }

    /// Makes a new directory, which appears whole or not at all.
    fn appear(mut self, files: &FileTree) -> Result<(), CommandError> {
        let failed = |path: &Path, error: &io::Error| {
            CommandError::new(format!("cannot write {}: {error}", path.display())).note("nothing was written")
        };
        let parent = match self.place.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        fs::create_dir_all(parent).map_err(|error| failed(parent, &error))?;
        let aside = aside(parent).map_err(|error| failed(parent, &error))?;
        for (path, bytes) in files {
            let at = aside.path().join(path);
            let above = at.parent().unwrap_or(parent);
            fs::create_dir_all(above).map_err(|error| failed(above, &error))?;
            write_file(&at, bytes, code_mode(path, bytes)).map_err(|error| failed(&at, &error))?;
        }
        self.manifest.files = digests(files).collect();
        let at = aside.path().join(MANIFEST);
        fs::write(&at, self.manifest.text()).map_err(|error| failed(&at, &error))?;
        fs::rename(aside.path(), &self.place).map_err(|error| failed(&self.place, &error))
    }

    /// Makes changes in a directory that is there. What is about to be written is in the list first, so that the next run
    /// knows a mix when it finds one.
    fn fill(&mut self, files: &FileTree, writes: &[&str], removals: &[&str]) -> Result<(), CommandError> {
        let aside = aside(&self.place).map_err(|error| cut_off(&self.place, &error))?;
        let name = aside.path().file_name().unwrap_or_default();
        let new = writes
            .iter()
            .map(|path| ((*path).to_owned(), digest(&files[*path])));
        self.manifest.writing = Some(Writing {
            aside: name.to_string_lossy().into_owned(),
            files: new.collect(),
        });
        self.save()?;
        for (number, path) in writes.iter().enumerate() {
            let at = aside.path().join(number.to_string());
            let bytes = &files[*path];
            write_file(&at, bytes, code_mode(path, bytes)).map_err(|error| cut_off(&at, &error))?;
        }
        for (number, path) in writes.iter().enumerate() {
            let to = self.place.join(path);
            let above = to.parent().unwrap_or(&self.place);
            fs::create_dir_all(above).map_err(|error| cut_off(above, &error))?;
            fs::rename(aside.path().join(number.to_string()), &to).map_err(|error| cut_off(&to, &error))?;
        }
        for path in removals {
            let path = self.place.join(path);
            fs::remove_file(&path).map_err(|error| cut_off(&path, &error))?;
            self.prune(&path);
        }
        Ok(())
    }

    /// Puts the list in its place.
    fn save(&mut self) -> Result<(), CommandError> {
        if let Some(leftover) = self.cut_off.as_mut().and_then(|earlier| earlier.leftover.take()) {
            // It holds nothing that is missed, and it may be gone.
            let _ = fs::remove_dir_all(leftover);
        }
        let at = self.place.join(format!("{MANIFEST}.new"));
        let to = self.place.join(MANIFEST);
        fs::write(&at, self.manifest.text()).map_err(|error| cut_off(&at, &error))?;
        fs::rename(&at, &to).map_err(|error| cut_off(&to, &error))
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

/// Makes a directory beside, with the rights that directories have here.
fn aside(parent: &Path) -> io::Result<tempfile::TempDir> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(ASIDE);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        builder.permissions(fs::Permissions::from_mode(0o777));
    }
    builder.tempdir_in(parent)
}

fn cut_off(path: &Path, error: &io::Error) -> CommandError {
    CommandError::new(format!("cannot write {}: {error}", path.display()))
        .note("some files may be written already, others not yet")
        .hint("when that is mended, run the same command again: it goes on")
}

fn digests(files: &FileTree) -> impl Iterator<Item = (String, String)> {
    files.iter().map(|(path, bytes)| (path.clone(), digest(bytes)))
}

fn digest(bytes: &[u8]) -> String {
    Sha256Digest::of(bytes).to_string()
}
