//! A real directory as a [`SourceTree`].

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::source_tree::{SourceError, SourceTree};

/// The directory of a root module.
#[derive(Clone, Debug)]
pub struct WorkDir {
    root: PathBuf,
}

impl WorkDir {
    /// Creates the tree of a directory; nothing is read yet.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// Returns the directory.
    pub fn root(&self) -> &Path {
        &self.root
    }

    fn path(&self, relative: &str) -> PathBuf {
        if relative.is_empty() {
            self.root.clone()
        } else {
            // An absolute path replaces the root, as `SourceTree` allows.
            self.root.join(relative)
        }
    }

    fn error(path: &Path, error: &io::Error) -> SourceError {
        SourceError {
            path: path.display().to_string(),
            reason: error.to_string(),
        }
    }
}

/// Tells whether the error only says that nothing is there.
fn is_absent(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}

impl SourceTree for WorkDir {
    fn files(&self, dir: &str) -> Result<Option<Vec<String>>, SourceError> {
        let path = self.path(dir);
        let entries = match fs::read_dir(&path) {
            Ok(entries) => entries,
            Err(error) if is_absent(&error) => return Ok(None),
            Err(error) => return Err(Self::error(&path, &error)),
        };
        let mut names = Vec::new();
        for entry in entries {
            let entry = entry.map_err(|error| Self::error(&path, &error))?;
            let file = entry.path();
            // Follows links: a linked file is configuration for Terraform too. One that leads nowhere is reported
            // when it is read.
            let is_dir = fs::metadata(&file).is_ok_and(|metadata| metadata.is_dir());
            // A name that is not Unicode cannot be a configuration file's.
            if let (false, Ok(name)) = (is_dir, entry.file_name().into_string()) {
                names.push(name);
            }
        }
        names.sort();
        Ok(Some(names))
    }

    fn read(&self, relative: &str) -> Result<Option<Vec<u8>>, SourceError> {
        let path = self.path(relative);
        match fs::read(&path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if is_absent(&error) => Ok(None),
            Err(error) => Err(Self::error(&path, &error)),
        }
    }

    fn shown(&self, relative: &str) -> String {
        let path = self.path(relative);
        match path.strip_prefix("./") {
            Ok(inside) if !inside.as_os_str().is_empty() => inside.display().to_string(),
            _ => path.display().to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_a_directory() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("m")).unwrap();
        fs::write(dir.path().join("b.tf"), "b").unwrap();
        fs::write(dir.path().join("a.tf"), "a").unwrap();
        fs::write(dir.path().join("m/c.tf"), "c").unwrap();
        let tree = WorkDir::new(dir.path());
        assert_eq!(tree.files("").unwrap().unwrap(), ["a.tf", "b.tf"]);
        assert_eq!(tree.files("m").unwrap().unwrap(), ["c.tf"]);
        assert_eq!(tree.files("none").unwrap(), None);
        assert_eq!(tree.files("a.tf/x").unwrap(), None);
        assert_eq!(tree.read("m/c.tf").unwrap().unwrap(), b"c");
        assert_eq!(tree.read("m/d.tf").unwrap(), None);
        let error = tree.read("m").unwrap_err();
        assert_eq!(error.path, dir.path().join("m").display().to_string());
        assert!(error.to_string().starts_with("cannot read "));
    }

    #[test]
    fn shows_paths_as_given() {
        for (root, path, shown) in [
            (".", "main.tf", "main.tf"),
            ("./", "m/a.tf", "m/a.tf"),
            ("infra", "main.tf", "infra/main.tf"),
            (".", "", "."),
            ("infra", "/dd/environment", "/dd/environment"),
        ] {
            assert_eq!(WorkDir::new(root).shown(path), shown);
        }
    }
}
