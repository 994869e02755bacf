//! Plan files that nobody names: where they are looked for; and the option that names another one.

use std::fs;
use std::path::{Path, PathBuf};

use crate::error::CommandError;
use crate::plan::MigrationPlan;

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
fn split_of(path: &Path) -> Option<String> {
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

/// Returns the option that leads a command to the migrations of a file.
pub(super) fn reach(file: &Path) -> String {
    let is_default = default_files().is_ok_and(|files| files.iter().any(|known| known == file));
    match is_default {
        true => String::new(),
        false => format!(" --plan {}", quoted(file)),
    }
}

/// Returns a path as a shell takes it.
pub(super) fn quoted(file: &Path) -> String {
    match file.to_str() {
        Some(text) if text.contains(|c: char| !(c.is_alphanumeric() || "/._-+@:,=".contains(c))) => {
            format!("'{}'", text.replace('\'', "'\\''"))
        }
        _ => file.display().to_string(),
    }
}

/// The same for a saved plan: a plan file of its split leads to its migrations too, and knows the code.
pub(super) fn reach_saved(file: &Path, plan: &MigrationPlan) -> String {
    let known = default_files().unwrap_or_default();
    if known
        .iter()
        .any(|known| split_of(known).as_deref() == Some(plan.name.as_str()))
    {
        return String::new();
    }
    reach(file)
}
