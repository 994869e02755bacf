//! What can go wrong with an executable that is not ours.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use thiserror::Error;

/// Why a run of Terraform or OpenTofu came to nothing.
#[derive(Debug, Error)]
pub enum TerraformError {
    /// There is none.
    #[error("no executable {wanted} was found")]
    NotFound {
        /// What was looked for.
        wanted: String,
    },
    /// It is not what it should be.
    #[error("{} does not answer `version` as terraform or tofu does", program.display())]
    Foreign {
        /// The executable.
        program: PathBuf,
    },
    /// It cannot be started.
    #[error("cannot start {}: {source}", program.display())]
    Start {
        /// The executable.
        program: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It failed; its own words, bounded.
    #[error("`{command}` failed with {status}")]
    Failed {
        /// The command without its arguments.
        command: String,
        /// Its exit code; none where a signal ended it.
        code: Option<i32>,
        /// The code or the signal in words.
        status: String,
        /// The end of what it said on stderr.
        stderr: String,
    },
    /// It took too long and was killed.
    #[error("`{command}` was killed: it was not done after {} s", limit.as_secs())]
    TimedOut {
        /// The command without its arguments.
        command: String,
        /// The limit.
        limit: Duration,
    },
    /// The run was asked to stop; the child was killed.
    #[error("interrupted while `{command}` was at work")]
    Interrupted {
        /// The command without its arguments.
        command: String,
    },
    /// The scratch directory cannot be used.
    #[error("cannot {action} {}: {source}", path.display())]
    Scratch {
        /// What was tried.
        action: &'static str,
        /// Where.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl TerraformError {
    /// Returns an error about a path.
    pub(super) fn io(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Scratch { action, path, source }
    }

    /// Returns what the executable itself said.
    pub fn stderr(&self) -> Option<&str> {
        match self {
            Self::Failed { stderr, .. } if !stderr.is_empty() => Some(stderr),
            _ => None,
        }
    }

    /// Returns what to do.
    pub fn advice(&self) -> String {
        match self {
            Self::NotFound { .. } => {
                "install Terraform or OpenTofu, or name the executable with --terraform".to_owned()
            }
            Self::Foreign { .. } => "name another executable with --terraform".to_owned(),
            Self::Start { .. } => "see that the file is executable on this machine".to_owned(),
            Self::Failed { .. } => {
                "what it said is above; the same would happen in the emitted code, or credentials are missing here"
                    .to_owned()
            }
            Self::TimedOut { .. } => "give it longer with --terraform-timeout".to_owned(),
            Self::Interrupted { .. } => "run the same command again".to_owned(),
            Self::Scratch { .. } => "see that TMPDIR has room and can be written".to_owned(),
        }
    }
}
