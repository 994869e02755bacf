//! `stackcut check`: lints of stacks as they are written.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use clap::Args;

use super::input::read_state;
use super::{ReportFormat, print};
use crate::config::{BackendInputs, Configuration, LoadOptions};
use crate::contract::Ledger;
use crate::error::{CommandError, Exit};
use crate::lint::{self, Stack, State};
use crate::report::check::CheckReport;
use crate::ui::Ui;
use crate::workdir::WorkDir;

/// The file of a ledger.
const LEDGER: &str = "contracts.json";

/// Check emitted or hand-edited stacks: contracts, references, secrets, backends, leftovers
///
/// Each DIR is a root module, or a tree of them: every topmost directory with configuration in it is one stack. Reads
/// `contracts.json` in DIR or beside it, and the states of stacks with a local backend or in `states/`. Runs nothing and
/// needs no credentials. Exits with 0 if there are no errors, with 2 if there are, and with 1 if something cannot be
/// read. The rules are in docs/lints.md.
#[derive(Debug, Args)]
pub(super) struct CheckArgs {
    /// Directories of stacks, or of trees of them
    #[arg(required = true)]
    dirs: Vec<PathBuf>,
    /// The ledger of contracts [default: contracts.json in a DIR or beside it]
    #[arg(long, value_name = "FILE")]
    ledger: Option<PathBuf>,
    /// An older ledger: what its readers rely on must still be told
    #[arg(long, value_name = "FILE")]
    against: Option<PathBuf>,
    /// Let warnings count as errors
    #[arg(long)]
    deny_warnings: bool,
    /// How the report is printed
    #[arg(long, value_enum, default_value_t)]
    format: ReportFormat,
}

/// A root module that was found.
struct Root {
    name: String,
    dir: PathBuf,
    tree: WorkDir,
    paths: BTreeSet<String>,
    options: LoadOptions,
}

/// Prints the findings.
pub(super) fn run(args: &CheckArgs, ui: &Ui) -> Result<Exit, CommandError> {
    let ledger = match &args.ledger {
        Some(path) => Some((path.display().to_string(), read_ledger(path)?)),
        None => found_ledger(&args.dirs)?,
    };
    let roots = roots(&args.dirs, ledger.as_ref().map(|(_, ledger)| ledger))?;
    let against = args.against.as_deref().map(read_ledger).transpose()?;
    if against.is_some() && ledger.is_none() {
        return Err(
            CommandError::usage("there is no ledger to compare with --against")
                .hint("name it with --ledger, or check the directory that `contracts.json` is in"),
        );
    }
    let mut stacks = Vec::new();
    for root in &roots {
        stacks.push(Stack {
            name: root.name.clone(),
            tree: &root.tree,
            paths: root.paths.clone(),
            state: state_of(root, &args.dirs)?,
            elsewhere: root.options.elsewhere.clone(),
        });
    }
    let shown_ledger = ledger.as_ref().map(|(path, _)| path.clone());
    let findings = lint::check(&lint::Input {
        stacks,
        ledger,
        against,
    });
    let names = roots.iter().map(|root| root.name.clone()).collect();
    let report = CheckReport::new(names, shown_ledger, &findings);
    let text = match args.format {
        ReportFormat::Text => report.text(),
        ReportFormat::Json => report.json(),
        ReportFormat::Markdown => report.markdown(),
    };
    print(ui, &text)?;
    Ok(match lint::is_negative(&findings, args.deny_warnings) {
        true => Exit::Changes,
        false => Exit::Success,
    })
}

/// Finds the root modules: the topmost directories with configuration, without those that others call as modules.
fn roots(dirs: &[PathBuf], ledger: Option<&Ledger>) -> Result<Vec<Root>, CommandError> {
    let mut found = Vec::new();
    for dir in dirs {
        let before = found.len();
        search(dir, &mut found)?;
        if found.len() == before {
            return Err(
                CommandError::new(format!("there is no configuration in {}", dir.display()))
                    .hint("name a directory of stacks, or of one"),
            );
        }
    }
    let mut modules = BTreeSet::new();
    let mut roots = Vec::new();
    for dir in found {
        let tree = WorkDir::new(&dir);
        let options = LoadOptions {
            elsewhere: elsewhere(&dir, ledger),
            ..LoadOptions::default()
        };
        if let Ok(configuration) = Configuration::load(&tree, &options) {
            for called in configuration
                .modules()
                .filter(|module| module.source.dir.starts_with("../"))
            {
                modules.extend(fs::canonicalize(dir.join(&called.source.dir)).ok());
            }
        }
        let mut paths = BTreeSet::new();
        list(&dir, "", &mut paths)?;
        roots.push(Root {
            name: name_of(&dir),
            dir,
            tree,
            paths,
            options,
        });
    }
    let mut seen = BTreeSet::new();
    roots.retain(|root| {
        fs::canonicalize(&root.dir).map_or(true, |dir| !modules.contains(&dir) && seen.insert(dir))
    });
    Ok(roots)
}

/// Returns the directories of modules that what is left of a source calls beside the place that it was copied from.
fn elsewhere(dir: &Path, ledger: Option<&Ledger>) -> BTreeSet<String> {
    let absolute = fs::canonicalize(dir).unwrap_or_else(|_| dir.to_owned());
    let above = absolute.parent().and_then(Path::file_name);
    let beside = ledger.and_then(|ledger| ledger.beside.get(&name_of(dir)));
    let is_copy = above.is_some_and(|name| name == "sources");
    beside.filter(|_| is_copy).cloned().unwrap_or_default()
}

fn name_of(dir: &Path) -> String {
    let last = |dir: &Path| dir.file_name().map(|name| name.to_string_lossy().into_owned());
    let absolute = || fs::canonicalize(dir).ok().and_then(|dir| last(&dir));
    last(dir)
        .or_else(absolute)
        .unwrap_or_else(|| dir.display().to_string())
}

/// Reads a directory: its entries, files first, each sorted.
fn entries(dir: &Path) -> Result<(Vec<String>, Vec<String>), CommandError> {
    let failed = |error: io::Error| {
        CommandError::new(format!("cannot read {}: {error}", dir.display()))
            .hint("name directories of stacks, or of trees of them")
    };
    let (mut files, mut dirs) = (Vec::new(), Vec::new());
    for entry in fs::read_dir(dir).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        // A name that is not Unicode is no configuration's.
        let Ok(name) = entry.file_name().into_string() else {
            continue;
        };
        // Links are followed for files alone: one to a directory may lead in a circle.
        let is_dir = entry.file_type().map_err(failed)?.is_dir();
        if is_dir {
            dirs.push(name);
        } else {
            files.push(name);
        }
    }
    files.sort();
    dirs.sort();
    Ok((files, dirs))
}

/// What `init`, version control and editors keep is no part of a stack.
fn is_skipped(dir: &str) -> bool {
    dir.starts_with('.') || dir == "terraform.tfstate.d" || dir == "node_modules"
}

fn search(dir: &Path, found: &mut Vec<PathBuf>) -> Result<(), CommandError> {
    let (files, dirs) = entries(dir)?;
    let is_code = |name: &String| {
        [".tf", ".tf.json", ".tofu", ".tofu.json"]
            .iter()
            .any(|ending| name.ends_with(ending))
    };
    if files.iter().any(is_code) {
        found.push(dir.to_owned());
        return Ok(());
    }
    for name in dirs.iter().filter(|name| !is_skipped(name)) {
        search(&dir.join(name), found)?;
    }
    Ok(())
}

/// Lists the files below a root module.
fn list(root: &Path, dir: &str, paths: &mut BTreeSet<String>) -> Result<(), CommandError> {
    let (files, dirs) = entries(&root.join(dir))?;
    let below = |name: &String| match dir {
        "" => name.clone(),
        dir => format!("{dir}/{name}"),
    };
    paths.extend(files.iter().map(below));
    for name in dirs.iter().filter(|name| !name.starts_with('.')) {
        list(root, &below(name), paths)?;
    }
    Ok(())
}

fn read_ledger(path: &Path) -> Result<Ledger, CommandError> {
    let failed = |why: String| {
        CommandError::new(format!("cannot read the ledger {}: {why}", path.display())).hint(
            "`contracts.json` is written with the stacks: emit them anew, or name another file with --ledger",
        )
    };
    let text = fs::read_to_string(path).map_err(|error| failed(error.to_string()))?;
    Ledger::from_json(&text).map_err(|error| failed(error.to_string()))
}

/// Looks for the ledger in the directories, and beside and above them.
fn found_ledger(dirs: &[PathBuf]) -> Result<Option<(String, Ledger)>, CommandError> {
    for dir in dirs {
        let mut places = vec![dir.clone()];
        if let Ok(absolute) = fs::canonicalize(dir) {
            places.extend(absolute.ancestors().skip(1).take(2).map(Path::to_owned));
        }
        if let Some(path) = places
            .iter()
            .map(|place| place.join(LEDGER))
            .find(|path| path.is_file())
        {
            return Ok(Some((path.display().to_string(), read_ledger(&path)?)));
        }
    }
    Ok(None)
}

/// Reads the state of a stack where one is at hand: where its local backend has it, or in `states/` of the tree.
fn state_of(root: &Root, dirs: &[PathBuf]) -> Result<Option<State>, CommandError> {
    let backend = Configuration::load(&root.tree, &root.options)
        .and_then(|configuration| configuration.backend(&root.tree, &BackendInputs::default()))
        .ok();
    let mut places = Vec::new();
    if let Some(location) = backend
        .map(|backend| backend.location)
        .filter(|location| location.backend == "local")
    {
        let path = location
            .arguments
            .get("path")
            .map_or("terraform.tfstate", String::as_str);
        places.push(root.dir.join(path));
    }
    let name = format!("{}.tfstate", root.name);
    places.extend(dirs.iter().map(|dir| dir.join("states").join(&name)));
    for path in places {
        if let Some(snapshot) = read_state(&path)? {
            return Ok(Some(State {
                shown: path.display().to_string(),
                snapshot,
            }));
        }
    }
    Ok(None)
}
