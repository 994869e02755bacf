//! What every command that executes has in common: its options, who it is, how it shows progress, how it says why it
//! stopped.

use std::error::Error as _;
use std::num::NonZeroUsize;
use std::time::Duration;

use clap::Args;

use super::duration;
use super::progress::Stages;
use super::signals::{self, Executing};
use crate::backend::BackendError;
use crate::backend::s3::longest_write;
use crate::error::{CommandError, Exit};
use crate::execute::{Cause, Context, ExecuteError, Interrupt, Kind, Left, SystemSurroundings};
use crate::journal::{Migration, MigrationId, Phase};
use crate::plan::MigrationPlan;
use crate::report::migration::Failure;
use crate::report::split::Finding;
use crate::ui::Ui;

/// For how long another process may still begin a request to a bucket, and some more: for 5 s it trusts that the migration
/// is its own, and for 5 s it sends again what got no answer.
const LAST_REQUEST: Duration = Duration::from_secs(15);

/// Options of commands that execute.
#[derive(Clone, Copy, Debug, Args)]
pub(super) struct ConductArgs {
    /// How long to wait for locks of others, like 30s or 5m
    #[arg(long, value_name = "DURATION", default_value = "0s", value_parser = duration::parse)]
    lock_timeout: Duration,
    /// How many states are read or written at once
    #[arg(long, value_name = "N", default_value = "10", value_parser = at_least_one)]
    parallelism: NonZeroUsize,
}

/// This process, as it works on migrations.
pub(super) struct Conductor<'a> {
    ui: &'a Ui,
    args: ConductArgs,
    who: String,
    session: String,
    interrupt: Interrupt,
}

impl<'a> Conductor<'a> {
    /// Gives this process its names.
    pub(super) fn new(args: ConductArgs, ui: &'a Ui) -> Result<Self, CommandError> {
        let who = who();
        Ok(Self {
            ui,
            args,
            session: format!("{who} {}", hex(&random::<8>()?)),
            who,
            interrupt: Interrupt::default(),
        })
    }

    /// From here on, until the result is dropped, a signal asks for a stop instead of ending the process.
    pub(super) fn executing(&self) -> Executing {
        signals::executing(&self.interrupt)
    }

    /// Runs an execution.
    pub(super) fn conduct<T>(
        &self,
        migration: &Migration,
        plan: &MigrationPlan,
        run: impl FnOnce(Context<'_>) -> Result<T, ExecuteError>,
    ) -> Result<T, ExecuteError> {
        let stages = Stages::new(self.ui, migration);
        let in_bucket = plan.states.iter().any(|state| state.location.backend != "local");
        let ended = run(Context {
            surroundings: &SystemSurroundings,
            session: &self.session,
            who: &self.who,
            version: env!("CARGO_PKG_VERSION"),
            lock_timeout: self.args.lock_timeout,
            settle: if in_bucket {
                settle(migration)
            } else {
                Duration::ZERO
            },
            parallelism: self.args.parallelism,
            interrupt: &self.interrupt,
            observer: &stages,
        });
        stages.finish();
        ended
    }
}

/// Returns for how long a request of another process may still be under way: the larger a state, the longer its write.
fn settle(migration: &Migration) -> Duration {
    let contents = migration
        .states()
        .iter()
        .flat_map(|state| [Some(&state.after), state.before.as_ref()]);
    let largest = contents.flatten().map(|content| content.size).max();
    settle_after(largest.unwrap_or_default())
}

/// The same, where the largest state has so many bytes.
fn settle_after(largest: u64) -> Duration {
    LAST_REQUEST + longest_write(largest)
}

/// Returns who began a session, out of its name.
pub(super) fn who_of(session: &str) -> &str {
    session.rsplit_once(' ').map_or("somebody", |(who, _)| who)
}

/// Returns `user@host`, as Terraform says it in its locks.
fn who() -> String {
    let user = ["USER", "LOGNAME"]
        .iter()
        .find_map(|name| std::env::var(name).ok().filter(|user| !user.is_empty()))
        .or_else(user_of_system)
        .unwrap_or_else(|| rustix::process::getuid().as_raw().to_string());
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    format!("{user}@{host}").replace(char::is_control, "")
}

fn user_of_system() -> Option<String> {
    let users = std::fs::read_to_string("/etc/passwd").ok()?;
    let id = rustix::process::getuid().as_raw().to_string();
    let line = users.lines().find(|line| line.split(':').nth(2) == Some(&id))?;
    line.split(':').next().map(str::to_owned)
}

/// Draws random bytes.
pub(super) fn random<const N: usize>() -> Result<[u8; N], CommandError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| CommandError::new(format!("no random bytes: {error}")))?;
    Ok(bytes)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Names a new migration: the day, the split, the environment, and something no other has.
pub(super) fn new_id(plan: &MigrationPlan) -> Result<MigrationId, CommandError> {
    let today = jiff::Timestamp::now().to_string();
    let day: String = today.chars().take(10).filter(char::is_ascii_digit).collect();
    let mut parts = vec![day, slug(plan.name.as_str(), 24)];
    if plan.environment != "default" {
        parts.push(slug(&plan.environment, 24));
    }
    parts.retain(|part| !part.is_empty());
    parts.push(hex(&random::<4>()?));
    let text = parts.join("-");
    Ok(text.parse().expect("digits, slugs and hex make an ID"))
}

/// Returns a name as a part of an ID: lower-case letters, digits and single dashes.
fn slug(name: &str, most: usize) -> String {
    let mut slug = String::new();
    for c in name.chars() {
        let c = c.to_ascii_lowercase();
        if c.is_ascii_lowercase() || c.is_ascii_digit() {
            slug.push(c);
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    slug.truncate(most);
    slug.trim_end_matches('-').to_owned()
}

/// Puts a stopped execution into words, with its exit code. `reach` is what its commands need to find the migration.
pub(super) fn explain(error: &ExecuteError, reach: &str) -> CommandError {
    let exit = match error.kind() {
        _ if matches!(error.cause, Cause::Concurrent { .. }) => Exit::Locked,
        Kind::Locked => Exit::Locked,
        Kind::StateChanged => Exit::StateChanged,
        Kind::Stuck => Exit::Stuck,
        Kind::Interrupted => Exit::Interrupted,
        Kind::Other => Exit::Error,
    };
    let mut message = error.to_string();
    if let Some(reason) = system_reason(&error.cause) {
        message = format!("{message}: {reason}");
    }
    let id = &error.migration;
    let mut found = CommandError::new(format!("migration {id}: {message}")).exit(exit);
    for note in error.notes() {
        found = found.note(note);
    }
    if let Cause::NotNow(phase) = error.cause {
        return found.hint(reaching(&not_now(phase, id), id, reach));
    }
    match (error.kind(), error.left) {
        (Kind::Interrupted, Left::Untouched | Left::NothingWritten) => {
            found.hint("run the same command again when you are ready")
        }
        _ => found.hint(reaching(&error.hint(), &error.migration, reach)),
    }
}

/// Returns what must come before a command that asks too early, or too late.
fn not_now(phase: Phase, id: &MigrationId) -> String {
    match phase {
        Phase::Fenced => format!(
            "its backups are the way back as long as it is not over; run `stackcut release {id}` first, or \
             `stackcut undo {id}`"
        ),
        phase if phase.finished().is_some() => {
            format!(
                "no source of it is locked, so there is nothing to do; `stackcut status` shows how migration {id} stands"
            )
        }
        _ => format!("run `stackcut resume {id}` first"),
    }
}

/// Reads how many of something go at once.
pub(super) fn at_least_one(text: &str) -> Result<NonZeroUsize, String> {
    text.parse()
        .map_err(|_| format!("`{text}` is not a number of things to do at once; the least is 1"))
}

/// Returns what the system said, which the messages of stores leave to their cause.
fn system_reason(cause: &Cause) -> Option<String> {
    match cause {
        Cause::Backend { source, .. } | Cause::JournalStore { source, .. } => match source {
            BackendError::Io { .. } => source.source().map(ToString::to_string),
            _ => None,
        },
        _ => None,
    }
}

/// Completes the commands in a text about a migration, so that they find it from here.
pub(super) fn reaching(text: &str, id: &MigrationId, reach: &str) -> String {
    text.replace(&format!(" {id}`"), &format!(" {id}{reach}`"))
}

/// Returns an error as the JSON reports have it.
pub(super) fn failure(error: &CommandError) -> Failure {
    let messages: Vec<&str> = error
        .findings
        .iter()
        .map(|found| found.message.as_str())
        .collect();
    Failure {
        findings: error.findings.iter().map(Finding::from).collect(),
        exit: error.exit.code(),
        message: messages.join("; "),
        notes: error
            .findings
            .iter()
            .flat_map(|found| found.notes.clone())
            .collect(),
        hint: error.findings.iter().find_map(|found| found.hint.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::{longest_write, reaching, settle_after, slug, who_of};
    use crate::backend::settling::AGAIN_WITHIN;
    use crate::execute::FRESH;

    #[test]
    fn an_undo_waits_for_longer_than_any_request_can_take() {
        for largest in [0, 4 << 20, 1 << 30] {
            assert!(FRESH + AGAIN_WITHIN + longest_write(largest) < settle_after(largest));
        }
        assert_eq!(settle_after(200_000).as_secs(), 45);
        assert_eq!(settle_after(4 << 20).as_secs(), 61);
    }

    #[test]
    fn names_become_parts_of_ids() {
        for (name, expected) in [
            ("acme", "acme"),
            ("tenant-a/Prod_EU", "tenant-a-prod-eu"),
            ("é", ""),
            ("--x--", "x"),
            ("a-very-long-name-that-goes-on", "a-very-long-name-that-go"),
        ] {
            assert_eq!(slug(name, 24), expected);
        }
    }

    #[test]
    fn commands_in_hints_are_completed() {
        let id = "m-1".parse().unwrap();
        let text = "run `stackcut resume m-1` to go on, or `stackcut undo m-1` to go back";
        assert_eq!(
            reaching(text, &id, " --plan x/y.hcl"),
            "run `stackcut resume m-1 --plan x/y.hcl` to go on, or `stackcut undo m-1 --plan x/y.hcl` to go back"
        );
        assert_eq!(who_of("me@here 00ff"), "me@here");
        assert_eq!(who_of("00ff"), "somebody");
    }
}
