//! `stackcut completions`: shell completion.

use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

use super::{Cli, print};
use crate::error::{CommandError, Exit};
use crate::ui::Ui;

/// Print a completion script for a shell
///
/// For bash: `stackcut completions bash > /etc/bash_completion.d/stackcut`.
#[derive(Debug, Args)]
pub(super) struct CompletionsArgs {
    /// The shell
    shell: Shell,
}

/// Prints the script.
pub(super) fn run(args: &CompletionsArgs, ui: &Ui) -> Result<Exit, CommandError> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "stackcut", &mut script);
    print(ui, &String::from_utf8_lossy(&script))?;
    Ok(Exit::Success)
}
