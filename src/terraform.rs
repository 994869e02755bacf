//! A real `terraform` or `tofu` executable as a port: version, `init`, `plan`, `show -json`, in scratch copies only.
//!
//! What it promises: nothing outside of a [`Scratch`] is written; the child inherits the environment (credentials, CLI
//! configuration, plugin cache) and gets no secret as an argument; a time-out or a wish to stop kills the child with all
//! its plugins; scratch directories are readable by their owner only and gone on every way out.
//!
//! It knows nothing of stacks, contracts or verdicts.

mod copy;
mod error;
mod find;
mod process;
mod run;
mod scratch;

use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

pub use error::TerraformError;
pub use run::{Cache, Planning};
pub use scratch::{Original, RootFiles, Scratch, ScratchRoot};

/// Tells whether the run shall stop; asked many times a second while a child is at work.
pub type Stop<'a> = &'a (dyn Fn() -> bool + Sync);

/// The two products that read the language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Product {
    /// HashiCorp Terraform.
    Terraform,
    /// OpenTofu.
    OpenTofu,
}

impl fmt::Display for Product {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Terraform => "Terraform",
            Self::OpenTofu => "OpenTofu",
        })
    }
}

/// An executable that answered when asked for its version.
#[derive(Clone, Debug)]
pub struct Terraform {
    program: PathBuf,
    product: Product,
    version: String,
    env: Vec<(OsString, OsString)>,
    timeout: Duration,
}

impl Terraform {
    /// Returns the executable.
    pub fn program(&self) -> &Path {
        &self.program
    }

    /// Returns whose product it is.
    pub fn product(&self) -> Product {
        self.product
    }

    /// Returns the version, such as `1.11.4`.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Sets how long one command may take; it is killed afterwards.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Adds variables to the environment that the child inherits.
    #[must_use]
    pub fn envs(mut self, variables: impl IntoIterator<Item = (OsString, OsString)>) -> Self {
        self.env.extend(variables);
        self
    }
}

/// `Terraform 1.11.4`
impl fmt::Display for Terraform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.product, self.version)
    }
}
