//! How a command ends: exit codes, and errors as people read them.

use std::fmt;

use crate::diagnostic::Diagnostic;

/// The exit codes of the binary. They are API: see `docs/exit-codes.md`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Nothing to do, or done.
    Success = 0,
    /// An error.
    Error = 1,
    /// Changes are planned, or a negative verdict.
    Changes = 2,
    /// A state is locked by someone else, or by an earlier migration.
    Locked = 3,
    /// A state changed since the plan was made, or since the migration.
    StateChanged = 4,
    /// A person is needed.
    Stuck = 5,
    /// Wrong usage of the command line.
    Usage = 64,
    /// Interrupted by a signal.
    Interrupted = 130,
}

impl Exit {
    /// All codes, in numeric order.
    pub const ALL: [Self; 8] = [
        Self::Success,
        Self::Error,
        Self::Changes,
        Self::Locked,
        Self::StateChanged,
        Self::Stuck,
        Self::Usage,
        Self::Interrupted,
    ];

    /// Returns the name used in the documentation.
    pub fn name(self) -> &'static str {
        match self {
            Self::Success => "SUCCESS",
            Self::Error => "ERROR",
            Self::Changes => "CHANGES",
            Self::Locked => "LOCKED",
            Self::StateChanged => "STATE_CHANGED",
            Self::Stuck => "STUCK",
            Self::Usage => "USAGE",
            Self::Interrupted => "INTERRUPTED",
        }
    }

    /// Returns the number.
    pub fn code(self) -> u8 {
        self as u8
    }
}

/// Why a command stopped: the findings to print, and the code to exit with.
#[derive(Debug)]
pub struct CommandError {
    /// The code to exit with.
    pub exit: Exit,
    /// The findings, in the order they are printed. Never empty.
    pub findings: Vec<Diagnostic>,
}

impl CommandError {
    /// Creates an error with one message.
    pub fn new(message: impl Into<String>) -> Self {
        Diagnostic::error(message).into()
    }

    /// Creates an error about how the command was called.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(message).exit(Exit::Usage)
    }

    /// Changes the exit code.
    #[must_use]
    pub fn exit(mut self, exit: Exit) -> Self {
        self.exit = exit;
        self
    }

    /// Adds an explanation to the last finding, unless it says so already.
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        let note = note.into();
        if let Some(last) = self
            .findings
            .last_mut()
            .filter(|last| !last.notes.contains(&note))
        {
            last.notes.push(note);
        }
        self
    }

    /// Sets the advice of the last finding, unless it has one.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        if let Some(last) = self.findings.last_mut() {
            last.hint.get_or_insert(hint.into());
        }
        self
    }
}

impl From<Diagnostic> for CommandError {
    fn from(finding: Diagnostic) -> Self {
        Self {
            exit: Exit::Error,
            findings: vec![finding],
        }
    }
}

impl From<Vec<Diagnostic>> for CommandError {
    fn from(findings: Vec<Diagnostic>) -> Self {
        debug_assert!(!findings.is_empty(), "an error needs a finding");
        Self {
            exit: Exit::Error,
            findings,
        }
    }
}

impl fmt::Display for CommandError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, finding) in self.findings.iter().enumerate() {
            if index > 0 {
                f.write_str("\n\n")?;
            }
            finding.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for CommandError {}
