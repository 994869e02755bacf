//! Which executable: the one that is named, else `terraform`, else `tofu`.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::process::{Job, Stdout, run};
use super::{Product, Stop, Terraform, TerraformError};

/// How long one command may take unless something else is said.
const TIMEOUT: Duration = Duration::from_secs(3600);

/// How long an answer to `version` may take.
const PATIENCE: Duration = Duration::from_secs(60);

impl Terraform {
    /// Finds the executable and asks for its version. `wanted` is a path, or a name to look for in PATH.
    ///
    /// # Errors
    ///
    /// None is there, it does not start, or it is something else.
    pub fn find(wanted: Option<&Path>, stop: Stop<'_>) -> Result<Self, TerraformError> {
        let program = match wanted {
            Some(wanted) => locate(wanted).ok_or_else(|| TerraformError::NotFound {
                wanted: format!("`{}`", wanted.display()),
            })?,
            None => ["terraform", "tofu"]
                .iter()
                .find_map(|name| locate(Path::new(name)))
                .ok_or_else(|| TerraformError::NotFound {
                    wanted: "`terraform` or `tofu` on PATH".to_owned(),
                })?,
        };
        let (product, version) = ask(&program, stop)?;
        Ok(Self {
            program,
            product,
            version,
            env: Vec::new(),
            timeout: TIMEOUT,
        })
    }
}

/// Returns an absolute path: the child works in another directory. Links stay as they are, for version managers look
/// at the name they are called by.
fn locate(wanted: &Path) -> Option<PathBuf> {
    if wanted.components().count() > 1 {
        return std::path::absolute(wanted).ok().filter(|path| path.is_file());
    }
    let path = env::var_os("PATH")?;
    env::split_paths(&path)
        .map(|dir| dir.join(wanted))
        .find(|file| file.is_file())
        .and_then(|file| std::path::absolute(file).ok())
}

/// Asks for the version in a directory with nothing in it: there it names no providers.
fn ask(program: &Path, stop: Stop<'_>) -> Result<(Product, String), TerraformError> {
    let empty = tempfile::Builder::new()
        .prefix(".stackcut-")
        .tempdir()
        .map_err(TerraformError::io("make a directory in", env::temp_dir()))?;
    let args: [OsString; 1] = ["version".into()];
    let quiet: Vec<(OsString, Option<OsString>)> = vec![
        ("CHECKPOINT_DISABLE".into(), Some("1".into())),
        ("TF_CLI_ARGS".into(), None),
        ("TF_CLI_ARGS_version".into(), None),
    ];
    let answer = run(
        &Job {
            program,
            args: &args,
            dir: empty.path(),
            env: &quiet,
            stdout: Stdout::Kept,
            timeout: PATIENCE,
        },
        stop,
    )?;
    read_version(&String::from_utf8_lossy(&answer)).ok_or_else(|| TerraformError::Foreign {
        program: program.to_owned(),
    })
}

/// Reads `Terraform v1.11.4` or `OpenTofu v1.10.0`, wherever the line stands.
fn read_version(answer: &str) -> Option<(Product, String)> {
    let words = [
        ("Terraform v", Product::Terraform),
        ("OpenTofu v", Product::OpenTofu),
    ];
    answer.lines().find_map(|line| {
        words.iter().find_map(|(word, product)| {
            let version = line.strip_prefix(word)?.split_whitespace().next()?;
            Some((*product, version.to_owned()))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions() {
        let table = [
            (
                "Terraform v1.11.4\non linux_amd64\n",
                Some((Product::Terraform, "1.11.4")),
            ),
            (
                "OpenTofu v1.10.0-rc1\non darwin_arm64\n",
                Some((Product::OpenTofu, "1.10.0-rc1")),
            ),
            (
                "a wrapper speaks\nTerraform v1.15.0-dev\n",
                Some((Product::Terraform, "1.15.0-dev")),
            ),
            ("Terragrunt v0.1\n", None),
            ("", None),
        ];
        for (answer, expected) in table {
            let expected = expected.map(|(product, version)| (product, version.to_owned()));
            assert_eq!(read_version(answer), expected, "{answer}");
        }
    }

    #[test]
    fn what_is_no_terraform_is_refused() {
        let error = Terraform::find(Some(Path::new("/bin/echo")), &|| false).unwrap_err();
        assert_eq!(
            error.to_string(),
            "/bin/echo does not answer `version` as terraform or tofu does"
        );
        let error = Terraform::find(Some(Path::new("no-such-terraform")), &|| false).unwrap_err();
        assert_eq!(error.to_string(), "no executable `no-such-terraform` was found");
        let error = Terraform::find(Some(Path::new("./no/such")), &|| false).unwrap_err();
        assert_eq!(error.to_string(), "no executable `./no/such` was found");
    }
}
