//! The command line: one file per verb, its arguments first (doc comments are the help), then its function.

mod apply;
mod check;
mod code;
mod completions;
mod conduct;
mod discard;
mod document;
mod duration;
mod earlier;
mod emit;
mod graph;
mod input;
mod inspect;
mod job;
mod journals;
mod output;
mod paths;
mod plan;
mod plan_files;
mod prepare;
mod progress;
mod project;
mod release;
mod resume;
mod side_by_side;
mod signals;
mod split;
mod states;
mod status;
mod stores;
mod undo;
mod verify;

use clap::{Args, CommandFactory as _, FromArgMatches as _, Parser, Subcommand, ValueEnum};

use crate::error::{CommandError, Exit};
use crate::ui::{Color, Talk, Ui};

/// Cut a Terraform or OpenTofu monolith into stacks, without changing one real resource
#[derive(Debug, Parser)]
#[command(name = "stackcut", version, max_term_width = 100, propagate_version = true)]
pub struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

/// Options of every command.
#[derive(Clone, Copy, Debug, Args)]
struct Global {
    /// When to use colour
    #[arg(long, value_enum, default_value_t, global = true, value_name = "WHEN")]
    color: Color,
    /// Say only warnings and errors
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    quiet: bool,
    /// Say every detail
    #[arg(short, long, global = true)]
    verbose: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    Split(split::SplitArgs),
    Inspect(inspect::InspectArgs),
    Graph(graph::GraphArgs),
    Plan(plan::PlanArgs),
    Apply(apply::ApplyArgs),
    Status(status::StatusArgs),
    Resume(resume::ResumeArgs),
    Undo(undo::UndoArgs),
    Release(release::ReleaseArgs),
    Discard(discard::DiscardArgs),
    History(status::HistoryArgs),
    Check(check::CheckArgs),
    Emit(emit::EmitArgs),
    Completions(completions::CompletionsArgs),
}

/// How a report is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum ReportFormat {
    /// For people
    #[default]
    Text,
    /// For programs; the field `version` names its schema
    Json,
    /// For pull requests
    Markdown,
}

/// How a run is reported.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum RunFormat {
    /// For people
    #[default]
    Text,
    /// For programs; the field `version` names its schema
    Json,
}

/// Parses the command line, runs the command, says why it stopped, and returns the exit code.
pub fn run() -> Exit {
    let parsed = Cli::command().try_get_matches().and_then(|matches| {
        document::promise(&matches);
        Cli::from_arg_matches(&matches)
    });
    let cli = match parsed {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version come as an "error" too; they go to stdout with code 0. A terminal that cannot be written
            // to leaves nothing to say it with.
            let _ = error.print();
            return if error.use_stderr() {
                Exit::Usage
            } else {
                Exit::Success
            };
        }
    };
    let talk = match (cli.global.quiet, cli.global.verbose) {
        (true, _) => Talk::Quiet,
        (false, true) => Talk::Verbose,
        (false, false) => Talk::Normal,
    };
    let ui = Ui::new(cli.global.color, talk);
    signals::watch(&ui);
    let outcome = match cli.command {
        Command::Split(args) => split::run(&args, &ui),
        Command::Inspect(args) => inspect::run(&args, &ui),
        Command::Graph(args) => graph::run(&args, &ui),
        Command::Plan(args) => plan::run(&args, &ui),
        Command::Apply(args) => apply::run(&args, &ui),
        Command::Status(args) => status::run(&args, &ui),
        Command::Resume(args) => resume::run(&args, &ui),
        Command::Undo(args) => undo::run(&args, &ui),
        Command::Release(args) => release::run(&args, &ui),
        Command::Discard(args) => discard::run(&args, &ui),
        Command::History(args) => status::history(&args, &ui),
        Command::Check(args) => check::run(&args, &ui),
        Command::Emit(args) => emit::run(&args, &ui),
        Command::Completions(args) => completions::run(&args, &ui),
    };
    match outcome {
        Ok(exit) => exit,
        Err(error) => {
            ui.error(&error);
            document::instead(&ui, &error);
            error.exit
        }
    }
}

/// Writes data to stdout.
fn print(ui: &Ui, text: &str) -> Result<(), CommandError> {
    document::kept();
    ui.data(text)
        .map_err(|error| CommandError::new(format!("cannot write to stdout: {error}")))
}
