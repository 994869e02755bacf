//! Plan files that nobody names: where they are looked for.

use std::fs;
use std::path::{Path, PathBuf};

use crate::error::CommandError;

/// Returns every `*.hcl` below `plans`, and those here that are plan files; sorted.
pub(super) fn default_files() -> Result<Vec<PathBuf>, CommandError> {
    let mut files = Vec::new();
    below(Path::new("plans"), &mut files)?;
    for path in listed(Path::new("."))? {
        let path = path.strip_prefix(".").unwrap_or(&path).to_owned();
        if is_hcl(&path) && path.is_file() && split_of(&path).is_some() {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

fn below(dir: &Path, files: &mut Vec<PathBuf>) -> Result<(), CommandError> {
    for path in listed(dir)? {
        if path.is_dir() && !path.is_symlink() {
            below(&path, files)?;
        } else if is_hcl(&path) {
            files.push(path);
        }
    }
    Ok(())
}

fn listed(dir: &Path) -> Result<Vec<PathBuf>, CommandError> {
    match fs::read_dir(dir) {
        Ok(entries) => Ok(entries
            .filter_map(|entry| entry.ok().map(|entry| entry.path()))
            .collect()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(CommandError::new(format!(
            "cannot list {}: {error}",
            dir.display()
        ))),
    }
}

fn is_hcl(path: &Path) -> bool {
    let hidden = path
        .file_name()
        .is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
    !hidden && path.extension().is_some_and(|ending| ending == "hcl")
}

/// Returns the label of a file's `split` block: other files use the same ending.
pub(super) fn split_of(path: &Path) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    text.lines().find_map(|line| {
        let rest = line
            .trim_start()
            .strip_prefix("split")?
            .trim_start()
            .strip_prefix('"')?;
        Some(rest.split('"').next()?.to_owned())
    })
}
