//! Scratch directories: a root module as Terraform will see it, its state beside it, and nobody else's eyes on both.

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::TerraformError;
use super::copy;

/// Where all scratch copies of one run live. Dropped, it is gone.
#[derive(Debug)]
pub struct Scratch {
    dir: TempDir,
}

/// The user's directory that a root module comes from. It is read, never written.
#[derive(Clone, Debug)]
pub struct Original {
    /// The root module, absolute.
    pub dir: PathBuf,
    /// Where `init` keeps its data, absolute: installed modules are copied from there, so that nothing need be fetched.
    pub data_dir: PathBuf,
    /// Directories of local modules outside of the root module, relative to it: `../modules/queue`.
    pub outside: BTreeSet<String>,
}

/// What a scratch root module holds.
#[derive(Clone, Copy, Debug)]
pub enum RootFiles<'a> {
    /// These files alone.
    Alone(&'a BTreeMap<String, Vec<u8>>),
    /// These files in the place of the original, with its neighbours (`../modules`).
    Beside(&'a BTreeMap<String, Vec<u8>>),
    /// A copy of the original, with its neighbours.
    Copy,
}

/// One root module in a directory of its own. Dropped, it is gone.
#[derive(Debug)]
pub struct ScratchRoot {
    base: TempDir,
    dir: PathBuf,
}

impl Scratch {
    /// Makes a directory that only its owner can enter.
    ///
    /// # Errors
    ///
    /// What the file system says.
    pub fn new() -> Result<Self, TerraformError> {
        Ok(Self {
            dir: private_dir(&env::temp_dir())?,
        })
    }

    /// Returns the directory.
    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    /// Makes a root module. `name` names its directory where the original's name does not.
    ///
    /// # Errors
    ///
    /// What the file system says.
    pub fn root(
        &self,
        name: &str,
        files: RootFiles<'_>,
        original: Option<&Original>,
    ) -> Result<ScratchRoot, TerraformError> {
        let base = private_dir(self.path())?;
        let tree = base.path().join("tree");
        let dir = match (files, original) {
            (RootFiles::Beside(_) | RootFiles::Copy, Some(original)) => copy::neighbours(original, &tree)?,
            (RootFiles::Alone(files) | RootFiles::Beside(files), _) => deep(&tree, files.keys()).join(name),
            (RootFiles::Copy, None) => tree.join(name),
        };
        make_dirs(&dir)?;
        let root = ScratchRoot { base, dir };
        match files {
            RootFiles::Alone(files) | RootFiles::Beside(files) => {
                for (path, bytes) in files {
                    let is_program =
                        original.is_some_and(|original| copy::is_executable(&original.dir.join(path)));
                    write(
                        &root.dir.join(path),
                        bytes,
                        if is_program { 0o700 } else { 0o600 },
                    )?;
                }
            }
            RootFiles::Copy => {
                if let Some(original) = original {
                    copy::tree(&original.dir, &root.dir)?;
                }
            }
        }
        if let Some(original) = original {
            let modules = original.data_dir.join("modules");
            if modules.is_dir() {
                copy::everything(&modules, &root.dir.join(super::run::DATA_DIR).join("modules"))?;
            }
        }
        Ok(root)
    }
}

impl ScratchRoot {
    /// Returns the directory in which Terraform works.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Returns a path beside the root module, in which nothing is configuration.
    pub fn beside(&self, relative: &str) -> PathBuf {
        self.base.path().join("beside").join(relative)
    }

    /// Returns the same path as code of the root module names it: relative to it.
    pub fn beside_from_root(&self, relative: &str) -> String {
        let inside = self.dir.strip_prefix(self.base.path()).unwrap_or(&self.dir);
        let ups = "../".repeat(inside.components().count());
        format!("{ups}beside/{relative}")
    }

    /// Writes a file of the root module; an existing one is replaced.
    ///
    /// # Errors
    ///
    /// What the file system says.
    pub fn write(&self, relative: &str, bytes: &[u8]) -> Result<(), TerraformError> {
        write(&self.dir.join(relative), bytes, 0o600)
    }

    /// Writes a file beside the root module and returns its path.
    ///
    /// # Errors
    ///
    /// What the file system says.
    pub fn write_beside(&self, relative: &str, bytes: &[u8]) -> Result<PathBuf, TerraformError> {
        let path = self.beside(relative);
        write(&path, bytes, 0o600)?;
        Ok(path)
    }

    /// Returns the names of the files that Terraform reads as configuration.
    ///
    /// # Errors
    ///
    /// What the file system says.
    pub fn configuration_files(&self) -> Result<Vec<String>, TerraformError> {
        let failed = |source| TerraformError::io("list", &self.dir)(source);
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.dir).map_err(failed)? {
            if let Ok(name) = entry.map_err(failed)?.file_name().into_string() {
                names.push(name);
            }
        }
        names.sort();
        Ok(names)
    }
}

fn private_dir(parent: &Path) -> Result<TempDir, TerraformError> {
    use std::os::unix::fs::PermissionsExt as _;
    tempfile::Builder::new()
        .prefix(".stackcut-")
        .permissions(fs::Permissions::from_mode(0o700))
        .tempdir_in(parent)
        .map_err(TerraformError::io("make a directory in", parent))
}

/// Returns a directory so deep that `../` in the paths of files stays inside.
fn deep<'a>(tree: &Path, paths: impl Iterator<Item = &'a String>) -> PathBuf {
    let levels = paths.map(|path| copy::ups(path)).max().unwrap_or(0);
    (0..levels).fold(tree.to_owned(), |dir, _| dir.join("up"))
}

/// Makes directories that only their owner can enter.
pub(super) fn make_dirs(path: &Path) -> Result<(), TerraformError> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(TerraformError::io("make", path))
}

pub(super) fn write(path: &Path, bytes: &[u8], mode: u32) -> Result<(), TerraformError> {
    if let Some(parent) = path.parent() {
        make_dirs(parent)?;
    }
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(mode);
    let written = options.open(path).and_then(|mut file| file.write_all(bytes));
    written.map_err(TerraformError::io("write", path))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::symlink_metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn nobody_else_can_look_and_nothing_is_left() {
        let scratch = Scratch::new().unwrap();
        let files = BTreeMap::from([
            ("main.tf".to_owned(), b"# x\n".to_vec()),
            ("../../up.json".to_owned(), b"{}".to_vec()),
            ("m/a/main.tf".to_owned(), Vec::new()),
        ]);
        let root = scratch.root("orders", RootFiles::Alone(&files), None).unwrap();
        assert!(root.dir().ends_with("up/up/orders"), "{}", root.dir().display());
        assert_eq!(fs::read(root.dir().join("../../up.json")).unwrap(), b"{}");
        let state = root.write_beside("state/terraform.tfstate", b"secret").unwrap();
        for (path, expected) in [
            (scratch.path(), 0o700),
            (root.dir(), 0o700),
            (&root.dir().join("main.tf"), 0o600),
            (&root.dir().join("m/a"), 0o700),
            (&state, 0o600),
            (state.parent().unwrap(), 0o700),
        ] {
            assert_eq!(mode(path), expected, "{}", path.display());
        }
        drop(root);
        assert!(!state.exists());
        let path = scratch.path().to_owned();
        drop(scratch);
        assert!(!path.exists());
    }

    #[test]
    fn a_copy_has_neighbours_and_no_states() {
        let user = tempfile::tempdir().unwrap();
        let at = |path: &str| user.path().join(path);
        for (path, text) in [
            (
                "repo/infra/prod/main.tf",
                "module \"m\" { source = \"../modules/m\" }",
            ),
            ("repo/infra/prod/run.sh", "#!/bin/sh"),
            ("repo/infra/prod/terraform.tfstate", "secret"),
            ("repo/infra/prod/terraform.tfstate.backup", "secret"),
            ("repo/infra/prod/.terraform/modules/modules.json", "{}"),
            ("repo/infra/prod/.terraform/providers/p", "large"),
            (
                "repo/infra/modules/m/main.tf",
                "locals { x = file(\"${path.module}/../../../shared/x\") }",
            ),
            ("repo/infra/modules/other/main.tf", ""),
            ("repo/shared/x", "1"),
        ] {
            fs::create_dir_all(at(path).parent().unwrap()).unwrap();
            fs::write(at(path), text).unwrap();
        }
        fs::set_permissions(at("repo/infra/prod/run.sh"), fs::Permissions::from_mode(0o755)).unwrap();
        let original = Original {
            dir: at("repo/infra/prod"),
            data_dir: at("repo/infra/prod/.terraform"),
            outside: BTreeSet::from(["../modules/m".to_owned()]),
        };
        let scratch = Scratch::new().unwrap();
        let root = scratch.root("x", RootFiles::Copy, Some(&original)).unwrap();
        let there = |path: &str| root.dir().join(path).exists();
        assert!(
            root.dir().ends_with("repo/infra/prod"),
            "{}",
            root.dir().display()
        );
        for path in [
            "main.tf",
            ".terraform/modules/modules.json",
            "../modules/m/main.tf",
            "../modules/m/../../../shared/x",
            "../modules/other/main.tf",
        ] {
            assert!(there(path), "{path}");
        }
        for path in [
            "terraform.tfstate",
            "terraform.tfstate.backup",
            ".terraform/providers",
        ] {
            assert!(!there(path), "{path}");
        }
        assert_eq!(mode(&root.dir().join("run.sh")), 0o700);
        assert_eq!(mode(&root.dir().join("main.tf")), 0o600);
        let own = fs::canonicalize(root.dir().join("../modules/m/main.tf")).unwrap();
        assert!(
            own.starts_with(fs::canonicalize(scratch.path()).unwrap()),
            "modules are copies"
        );

        let files = BTreeMap::from([
            ("rest.tf".to_owned(), Vec::new()),
            ("run.sh".to_owned(), Vec::new()),
        ]);
        let root = scratch
            .root("x", RootFiles::Beside(&files), Some(&original))
            .unwrap();
        let there = |path: &str| root.dir().join(path).exists();
        assert!(there("rest.tf") && there("../modules/m/main.tf") && !there("main.tf"));
        assert_eq!(mode(&root.dir().join("run.sh")), 0o700);
    }
}
