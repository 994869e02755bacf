//! A command of ours that has ended, and what tests say of it.

use std::fmt;
use std::process::Output;

use serde_json::Value;

/// How a command ended.
#[derive(Debug)]
pub struct Ended {
    /// None: a signal ended it.
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl From<Output> for Ended {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { code, stdout, stderr } = self;
        write!(f, "exit code {code:?}\n--- stdout\n{stdout}--- stderr\n{stderr}")
    }
}

impl Ended {
    /// Insists on an exit code.
    #[track_caller]
    pub fn code(self, code: i32) -> Self {
        assert!(self.code == Some(code), "expected exit code {code}\n{self}");
        self
    }

    /// Returns stdout as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self}"))
    }

    /// Shows it as a person saw it, without what is empty.
    pub fn transcript(&self) -> String {
        let part = |name: &str, text: &str| match text {
            "" => String::new(),
            text => format!("--- {name}\n{text}"),
        };
        format!(
            "exit code {}\n{}{}",
            self.code.expect("no signal ended it"),
            part("stdout", &self.stdout),
            part("stderr", &self.stderr)
        )
    }
}
