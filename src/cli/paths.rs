//! Paths that a plan file names: from everywhere the same, and as people like to read them.

use std::path::{Component, Path, PathBuf};

use crate::stack::StateLocation;

/// Makes the paths of a local location absolute, so that a saved plan means the same files from everywhere.
pub(super) fn absolute(location: &mut StateLocation, base: &Path) {
    if location.backend != "local" {
        return;
    }
    let defaults = [
        ("path", "terraform.tfstate"),
        ("workspace_dir", "terraform.tfstate.d"),
    ];
    for (name, default) in defaults {
        let path = location
            .arguments
            .entry(name.to_owned())
            .or_insert_with(|| default.to_owned());
        *path = joined(base, Path::new(&*path)).display().to_string();
    }
}

/// Returns the path of a directory beside a plan file as people like to read it: `mono` for `plans/../mono`, where that is
/// the same directory.
pub(super) fn shown(beside: &Path, dir: &str) -> PathBuf {
    let long = beside.join(dir);
    let parents = Path::new(dir)
        .components()
        .take_while(|step| matches!(step, Component::ParentDir))
        .count();
    let plain = beside
        .components()
        .all(|step| matches!(step, Component::Normal(_)));
    if !plain || parents > beside.components().count() {
        return long;
    }
    let short = Path::new(".").join(joined(beside, Path::new(dir)));
    let short = short.strip_prefix(".").unwrap_or(&short).to_owned();
    let is_same = |short: &Path| match (std::fs::canonicalize(short), std::fs::canonicalize(&long)) {
        (Ok(short), Ok(long)) => short == long,
        _ => false,
    };
    if !short.as_os_str().is_empty() && is_same(&short) {
        short
    } else {
        long
    }
}

/// Joins a path to a directory that is real (no links in it), taking the `..` steps at its start out.
pub(super) fn joined(base: &Path, path: &Path) -> PathBuf {
    let mut base = base.to_owned();
    let mut steps = path.components();
    loop {
        let rest = steps.clone();
        match steps.next() {
            Some(Component::ParentDir) => {
                base.pop();
            }
            Some(Component::CurDir) => {}
            _ => return base.join(rest.as_path()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::joined;

    #[test]
    fn paths_are_joined_without_detours() {
        for (path, expected) in [
            ("x/y", "/a/b/x/y"),
            ("../x", "/a/x"),
            ("./../../x/../y", "/x/../y"),
            ("/z", "/z"),
            ("..", "/a"),
        ] {
            assert_eq!(
                joined(Path::new("/a/b"), Path::new(path)),
                Path::new(expected),
                "{path}"
            );
        }
    }
}
