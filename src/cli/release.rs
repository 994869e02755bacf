//! `stackcut release`: takes the fence down, once the code no longer declares what moved.

use clap::Args;

use super::RunFormat;
use super::apply::approve;
use super::conduct::ConductArgs;
use super::job::{Done, Job, TargetArgs};
use super::journals::Known;
use super::plan_files::quoted;
use crate::address::pattern::Pattern;
use crate::error::{CommandError, Exit};
use crate::execute::{self, PlannedResults};
use crate::journal::Phase;
use crate::plan::fence::{StillDeclared, still_declared};
use crate::report::count;
use crate::ui::Ui;

/// How many addresses a message lists, unless all are wanted.
const SHOWN: usize = 10;

/// Free the sources of a migration, once their code no longer declares what moved
///
/// Reads the code of the sources, in the directories that the plan file names, and refuses (exit code 2) while it still
/// declares a resource that moved: an apply would create it again. Data sources do not count. Where a block stays for
/// other keys, its `count` or `for_each` must tell by itself that the moved key is gone: a constant, `toset([…])`, an
/// object, or a local that is one of these. Where it does not (variables, data), you are asked, or say so with --confirm.
#[derive(Debug, Args)]
pub(super) struct ReleaseArgs {
    #[command(flatten)]
    target: TargetArgs,
    /// Addresses that the code does not declare any more, although that cannot be seen; patterns as in `take`
    #[arg(long, value_name = "ADDRESS")]
    confirm: Vec<Pattern>,
    #[command(flatten)]
    conduct: ConductArgs,
    /// How the report is printed on stdout
    #[arg(long, value_enum, default_value_t)]
    format: RunFormat,
}

/// Takes the fence down.
pub(super) fn run(args: &ReleaseArgs, ui: &Ui) -> Result<Exit, CommandError> {
    let job = Job::start("release", &args.target, args.conduct, args.format, ui)?;
    let fenced = matches!(job.known.phase(), Phase::Fenced | Phase::ReleasingFence);
    if fenced && let Err(error) = check(&job.known, args, ui) {
        return job.fail(error);
    }
    job.run(|context, known, handles| {
        execute::release(context, handles, known.found.clone(), &[], &PlannedResults).map(Done::Outcome)
    })
}

fn check(known: &Known, args: &ReleaseArgs, ui: &Ui) -> Result<(), CommandError> {
    let all = ui.is_verbose() || args.format == RunFormat::Json;
    let mut certain = Vec::new();
    let mut doubtful = Vec::new();
    for fence in known.found.journal().migration().fenced() {
        let code = match &known.project {
            Some(project) => project.code_of(&fence.id, ui)?,
            None => None,
        };
        for found in still_declared(&known.plan, &fence.id, code.as_ref()) {
            let is_confirmed = args.confirm.iter().any(|pattern| pattern.matches(&found.address));
            match &found.doubt {
                None => certain.push(found),
                Some(_) if is_confirmed => {}
                Some(_) => doubtful.push(found),
            }
        }
    }
    if !certain.is_empty() {
        let message = format!(
            "the code still declares {} that moved away",
            count(certain.len(), "resource")
        );
        let command = format!("stackcut release {}{}", known.id(), known.reach());
        let rest = match known.project {
            Some(_) => format!(
                " (`stackcut emit {} --out DIR` writes what is left)",
                quoted(&known.file)
            ),
            None => String::new(),
        };
        return Err(listed(CommandError::new(message), &certain, all)
            .note("an apply of this code would create them again; the sources stay locked")
            .hint(format!(
                "remove them from the code{rest}, then run `{command}` again"
            ))
            .exit(Exit::Changes));
    }
    if doubtful.is_empty() {
        return Ok(());
    }
    let message = format!(
        "the code may still declare {} that moved away",
        count(doubtful.len(), "resource")
    );
    if ui.can_ask() {
        for line in lines(&doubtful, all) {
            ui.say(&line);
        }
        let question = format!("{message}. Are you sure that it does not?");
        return approve(ui, &question, "release");
    }
    let command = format!(
        "stackcut release {}{} --confirm '{}'",
        known.id(),
        known.reach(),
        doubtful[0].address
    );
    Err(listed(CommandError::new(message), &doubtful, all)
        .note("the sources stay locked")
        .hint(format!(
            "make sure that it does not, then confirm each address or pattern: `{command}`"
        ))
        .exit(Exit::Changes))
}

fn listed(mut error: CommandError, found: &[StillDeclared], all: bool) -> CommandError {
    for line in lines(found, all) {
        error = error.note(line);
    }
    error
}

fn lines(found: &[StillDeclared], all: bool) -> Vec<String> {
    let shown = if all { found.len() } else { SHOWN };
    let mut lines: Vec<String> = found.iter().take(shown).map(line).collect();
    if found.len() > shown {
        lines.push(format!("… and {} more; -v lists all", found.len() - shown));
    }
    lines
}

fn line(found: &StillDeclared) -> String {
    let place = found.place.as_ref().map_or_else(
        || format!(" of `{}`", found.state),
        |place| format!(" at {place}"),
    );
    let doubt = found
        .doubt
        .as_ref()
        .map_or_else(String::new, |doubt| format!(": {doubt}"));
    format!("{}{place}{doubt}", found.address)
}
