//! `stackcut emit`: the code of a cut, from the code as it was and the states as they are.

mod dir;
mod gather;

use std::collections::BTreeSet;
use std::path::PathBuf;

use clap::{Args, ValueEnum};

use self::dir::{Change, CutOff, EmitDir};
use self::gather::gather;
use super::project::{Project, check_shared};
use super::stores::Stores;
use super::{RunFormat, print};
use crate::error::{CommandError, Exit};
use crate::report::count;
use crate::report::emit::{EmitReport, Outcome};
use crate::rewrite::{FileTree, Rewritten};
use crate::ui::Ui;

/// Write the code of a cut: root modules of stacks, what is left of the monolith, contracts
///
/// Reads the code of the monolith as it was before the cut, and every state where it lives, under no lock. It does not
/// matter whether `stackcut apply` has moved the states already: the files are the same. Proves that code and states fit.
///
/// Writes into DIR: `stacks/NAME/` with a root module for each stack, `sources/NAME/` with what replaces the code of a
/// source, `contracts.json` and `schemas/NAME.json`; for a plan file with several environments all that below a directory
/// for each. Other files in DIR are left alone, and so are files that were edited since stackcut wrote them: then nothing
/// is written, unless --force is given. `.stackcut-emit.json` remembers what was written.
#[derive(Debug, Args)]
pub(super) struct EmitArgs {
    /// Plan file
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Directory to write into
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Write only a part
    #[arg(long, value_enum)]
    only: Option<Part>,
    /// Only environments whose name matches; `*` stands for anything [default: all]
    #[arg(long, value_name = "GLOB")]
    env: Option<String>,
    /// Write nothing; exit with 2 if DIR is not what would be written
    #[arg(long)]
    check: bool,
    /// Overwrite and remove files that were edited or written by others
    #[arg(long, conflicts_with = "check")]
    force: bool,
    /// How the report is printed on stdout
    #[arg(long, value_enum, default_value_t)]
    format: RunFormat,
}

/// A part of what is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Root modules, with the contract modules that they call
    Stacks,
    /// `contracts.json` and the schemas
    Contracts,
}

impl Part {
    /// Returns the part that a file belongs to, by its path in one environment.
    fn of(path: &str) -> Self {
        match path.split('/').next() {
            Some("stacks" | "sources") => Self::Stacks,
            _ => Self::Contracts,
        }
    }
}

/// Runs the emission.
pub(super) fn run(args: &EmitArgs, ui: &Ui) -> Result<Exit, CommandError> {
    let stores = Stores::default();
    let project = Project::read(&args.file, ui)?;
    let environments = project.environments(args.env.as_deref())?;
    check_shared(&project, &environments)?;
    let several = project.plan.environments().len() > 1;
    let mut files = FileTree::new();
    let mut heads = BTreeSet::new();
    let mut orders = Vec::new();
    for environment in &environments {
        let code = gather(&project, &stores, environment)?;
        ui.done(&format!(
            "computed {}, environment {}",
            args.file.display(),
            environment.name
        ));
        ui.findings(&code.warnings);
        let head = match several {
            true => format!("{}/", environment.name),
            false => String::new(),
        };
        files.extend(wanted(&code, args.only).map(|(path, bytes)| (format!("{head}{path}"), bytes)));
        heads.insert(head);
        orders.push((
            environment.name.clone(),
            code.order.iter().map(ToString::to_string).collect(),
        ));
    }
    let in_scope = |path: &str| {
        let rest = heads.iter().find_map(|head| path.strip_prefix(head.as_str()));
        rest.is_some_and(|rest| args.only.is_none_or(|only| only == Part::of(rest)))
    };
    let dir = EmitDir::read(&args.out)?;
    let changes = dir.compare(&files, &in_scope)?;
    let outcome = match args.check {
        true => Outcome::Checked,
        false => Outcome::Written,
    };
    let mut report = EmitReport::new(&args.out.display().to_string(), outcome, orders);
    if let Some(CutOff { there, all, .. }) = dir.cut_off() {
        report.cut_off = true;
        let dir = args.out.display();
        let word = match args.check {
            true => "run it again to finish it",
            false => "this run finishes it",
        };
        ui.warn(&format!(
            "an earlier emit into {dir} was cut off, with {there} of {} in place: {word}",
            count(*all, "file")
        ));
    }
    report.unchanged = files.len() - changes.iter().filter(|change| change.is_write()).count();
    for change in &changes {
        change.tell(&mut report);
    }
    if !args.check {
        dir.write(&files, &changes, &in_scope, args.force)?;
    }
    let text = match args.format {
        RunFormat::Text => report.text(),
        RunFormat::Json => report.json(),
    };
    print(ui, &text)?;
    Ok(match args.check && !changes.is_empty() {
        true => Exit::Changes,
        false => Exit::Success,
    })
}

fn wanted(code: &Rewritten, only: Option<Part>) -> impl Iterator<Item = (String, Vec<u8>)> {
    code.files()
        .into_iter()
        .filter(move |(path, _)| only.is_none_or(|only| only == Part::of(path)))
}

impl Change {
    fn tell(&self, report: &mut EmitReport) {
        let list = match self {
            Self::Add(_) => &mut report.added,
            Self::Replace { .. } => &mut report.changed,
            Self::Remove { .. } => &mut report.removed,
        };
        list.push(self.path().to_owned());
    }
}
