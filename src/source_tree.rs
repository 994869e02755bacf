//! The port through which rooms without I/O get the text of a directory tree, and a tree held in memory.
//!
//! The real directory is `workdir`; tests and rehearsals use [`MemoryTree`].

use std::collections::BTreeMap;

use thiserror::Error;

/// A tree of files, seen from the root module's directory.
///
/// Paths are relative to that directory, slash-separated, without `.` steps, and may start with `../`; `""` is the
/// directory itself. An adapter may also take absolute paths (a data directory elsewhere). Reading twice must give
/// the same bytes: one load sees one tree.
pub trait SourceTree {
    /// Returns the names of the files (no directories) directly in `dir`, in any order; `None` where there is no
    /// such directory.
    fn files(&self, dir: &str) -> Result<Option<Vec<String>>, SourceError>;

    /// Returns the bytes of a file; `None` where there is no such file.
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, SourceError>;

    /// Tells whether a file is another one than was there: it was replaced in memory.
    fn is_replaced(&self, _path: &str) -> bool {
        false
    }

    /// Returns the path under which people know `path`.
    fn shown(&self, path: &str) -> String {
        if path.is_empty() {
            ".".to_owned()
        } else {
            path.to_owned()
        }
    }
}

/// A file or directory that is there but cannot be read.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("cannot read {path}: {reason}")]
pub struct SourceError {
    /// The path as people know it.
    pub path: String,
    /// What the system said.
    pub reason: String,
}

/// A tree held in memory: path → bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MemoryTree(BTreeMap<String, Vec<u8>>);

impl MemoryTree {
    /// Returns a tree without files.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a file, replacing what was there.
    #[must_use]
    pub fn with(mut self, path: &str, content: impl AsRef<[u8]>) -> Self {
        self.0.insert(path.to_owned(), content.as_ref().to_vec());
        self
    }
}

impl SourceTree for MemoryTree {
    fn files(&self, dir: &str) -> Result<Option<Vec<String>>, SourceError> {
        let prefix = if dir.is_empty() {
            String::new()
        } else {
            format!("{dir}/")
        };
        let mut found = dir.is_empty();
        let mut names = Vec::new();
        for path in self.0.keys() {
            if let Some(rest) = path.strip_prefix(&prefix) {
                found = true;
                let is_outside = rest.starts_with("../") || rest.contains('/');
                if !is_outside {
                    names.push(rest.to_owned());
                }
            }
        }
        Ok(found.then_some(names))
    }

    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, SourceError> {
        Ok(self.0.get(path).cloned())
    }
}

/// Joins a relative path to a directory and takes the `.` and `..` steps out; absolute paths stay as they are.
pub fn join(dir: &str, relative: &str) -> String {
    if relative.starts_with('/') {
        return relative.to_owned();
    }
    let absolute = dir.starts_with('/');
    let mut steps: Vec<&str> = Vec::new();
    for step in dir.split('/').chain(relative.split('/')) {
        match step {
            "" | "." => {}
            ".." => match steps.last() {
                Some(&last) if last != ".." => {
                    steps.pop();
                }
                None if absolute => {}
                _ => steps.push(".."),
            },
            name => steps.push(name),
        }
    }
    let joined = steps.join("/");
    if absolute { format!("/{joined}") } else { joined }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn joins_and_normalises() {
        for (dir, relative, expected) in [
            ("", "./m", "m"),
            ("", ".", ""),
            ("m", "../n", "n"),
            ("m", "../../x", "../x"),
            ("../x", "../y", "../y"),
            ("../x", "../../y", "../../y"),
            ("a/b", "./c/./d/", "a/b/c/d"),
            ("/a", "../../b", "/b"),
            ("a", "/dd", "/dd"),
        ] {
            assert_eq!(join(dir, relative), expected, "{dir} + {relative}");
        }
    }

    #[test]
    fn memory_tree_lists_one_level() {
        let tree = MemoryTree::new()
            .with("a.tf", "")
            .with("m/b.tf", "")
            .with("../x/c.tf", "");
        assert_eq!(tree.files("").unwrap().unwrap(), ["a.tf"]);
        assert_eq!(tree.files("m").unwrap().unwrap(), ["b.tf"]);
        assert_eq!(tree.files("../x").unwrap().unwrap(), ["c.tf"]);
        assert_eq!(tree.files("none").unwrap(), None);
    }
}
