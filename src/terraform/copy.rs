//! Copies of the user's directories, without states, and links to what lies around them.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Component, Path, PathBuf};

use super::scratch::{make_dirs, write};
use super::{Original, TerraformError};

/// More steps upwards than this are not followed.
const MAX_UPS: usize = 8;

/// Returns how often a relative path goes up.
pub(super) fn ups(path: &str) -> usize {
    path.split('/').take_while(|part| *part == "..").count()
}

/// Tells whether its owner may run a file.
pub(super) fn is_executable(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o100 != 0)
}

/// Makes the surroundings of the original below `tree` and returns the (empty) place of the root module in them.
///
/// Directories with code are copied, since providers may write beside the code that calls them; everything else is a
/// link.
pub(super) fn neighbours(original: &Original, tree: &Path) -> Result<PathBuf, TerraformError> {
    let outside: BTreeSet<PathBuf> = original
        .outside
        .iter()
        .map(|dir| clean(&original.dir.join(dir)))
        .collect();
    let top = original
        .dir
        .ancestors()
        .nth(levels(original))
        .filter(|top| top.parent().is_some())
        .or_else(|| original.dir.parent())
        .unwrap_or(&original.dir);
    // The names of the directories above stay: code may ask for them.
    let inside = original.dir.strip_prefix(top).unwrap_or(Path::new(""));
    let place = match top.file_name() {
        Some(name) => tree.join(name),
        None => tree.join("root"),
    };
    surround(top, &place, &original.dir, &outside)?;
    Ok(place.join(inside))
}

/// Returns how far up code may look: as far as modules are, and as far as any text goes from there.
fn levels(original: &Original) -> usize {
    let dirs = std::iter::once("").chain(original.outside.iter().map(String::as_str));
    let written = dirs.clone().map(|dir| written_ups(&original.dir.join(dir))).max();
    let above = dirs.map(ups).max();
    (written.unwrap_or(0) + above.unwrap_or(0)).min(MAX_UPS)
}

/// Returns the longest `../../…` in the code of a directory.
fn written_ups(dir: &Path) -> usize {
    let Ok(entries) = fs::read_dir(dir) else { return 0 };
    let is_code = |path: &Path| {
        path.extension()
            .is_some_and(|ending| ending == "tf" || ending == "tofu" || ending == "json")
    };
    let texts = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| is_code(path))
        .filter_map(|path| fs::read_to_string(path).ok());
    texts.map(|text| longest_ups(&text)).max().unwrap_or(0)
}

fn longest_ups(text: &str) -> usize {
    let mut longest = 0;
    let mut rest = text;
    while let Some(at) = rest.find("../") {
        rest = &rest[at..];
        let mut count = 0;
        while let Some(next) = rest.strip_prefix("../") {
            rest = next;
            count += 1;
        }
        longest = longest.max(count);
    }
    longest
}

/// Removes `.` and `..` from an absolute path, as Terraform does, without looking at links.
fn clean(path: &Path) -> PathBuf {
    let mut cleaned = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => {
                cleaned.pop();
            }
            Component::CurDir => {}
            other => cleaned.push(other),
        }
    }
    cleaned
}

fn surround(from: &Path, to: &Path, root: &Path, outside: &BTreeSet<PathBuf>) -> Result<(), TerraformError> {
    make_dirs(to)?;
    if from == root {
        return Ok(());
    }
    let listed = fs::read_dir(from).map_err(TerraformError::io("list", from))?;
    for entry in listed {
        let entry = entry.map_err(TerraformError::io("list", from))?;
        let (here, there) = (entry.path(), to.join(entry.file_name()));
        let leads_on = |dir: &PathBuf| dir != &here && dir.starts_with(&here);
        if root.starts_with(&here) || outside.iter().any(leads_on) {
            surround(&here, &there, root, outside)?;
        } else if outside.contains(&here) {
            tree(&here, &there)?;
        } else {
            symlink(&here, &there).map_err(TerraformError::io("link", there))?;
        }
    }
    Ok(())
}

/// Copies a directory of code: no states, no data of `init`, no version control.
pub(super) fn tree(from: &Path, to: &Path) -> Result<(), TerraformError> {
    let is_wanted = |name: &str| {
        !(matches!(name, ".terraform" | ".git" | "terraform.tfstate.d") || name.contains(".tfstate"))
    };
    copy(from, to, &is_wanted)
}

/// Copies a directory.
pub(super) fn everything(from: &Path, to: &Path) -> Result<(), TerraformError> {
    copy(from, to, &|_| true)
}

fn copy(from: &Path, to: &Path, is_wanted: &dyn Fn(&str) -> bool) -> Result<(), TerraformError> {
    make_dirs(to)?;
    for entry in fs::read_dir(from).map_err(TerraformError::io("list", from))? {
        let entry = entry.map_err(TerraformError::io("list", from))?;
        if !entry.file_name().to_str().is_none_or(is_wanted) {
            continue;
        }
        let (here, there) = (entry.path(), to.join(entry.file_name()));
        let kind = entry.file_type().map_err(TerraformError::io("read", &here))?;
        if kind.is_symlink() {
            // The link itself: what it leads to may be large, or lead back.
            let target = fs::read_link(&here).map_err(TerraformError::io("read", &here))?;
            let target = from.join(target);
            symlink(clean(&target), &there).map_err(TerraformError::io("link", there))?;
        } else if kind.is_dir() {
            copy(&here, &there, is_wanted)?;
        } else if kind.is_file() {
            let bytes = fs::read(&here).map_err(TerraformError::io("read", &here))?;
            write(&there, &bytes, if is_executable(&here) { 0o700 } else { 0o600 })?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_upwards() {
        assert_eq!(ups("../../a/../b"), 2);
        assert_eq!(ups("a/../b"), 0);
        assert_eq!(longest_ups("x ../a ../../../b ../c"), 3);
        assert_eq!(longest_ups("nothing .. / here"), 0);
        assert_eq!(clean(Path::new("/a/b/../../c/./d")), Path::new("/c/d"));
    }
}
