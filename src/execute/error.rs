//! Why an execution stopped, what is unchanged, and what to do.

use std::fmt;

use thiserror::Error;

use crate::backend::BackendError;
use crate::journal::{DigestSight, InvalidMigration, JournalError, MigrationId, Misfit, Phase, Standing};
use crate::stack::StateId;
use crate::state::{Lineage, Serial};

/// How the operation of every lock begins that is ours.
const OPERATION: &str = "stackcut-";

/// The exit code's worth of a cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Somebody else holds a lock.
    Locked,
    /// A state changed since the plan, or since the migration.
    StateChanged,
    /// A person must look.
    Stuck,
    /// Asked to stop.
    Interrupted,
    /// Anything else.
    Other,
}

/// Why an execution stopped.
#[derive(Debug, Error)]
pub enum Cause {
    /// A call on a state's store failed; also: a lock is held by somebody else.
    #[error("state `{state}`: {source}")]
    Backend {
        /// Which state.
        state: StateId,
        /// What happened.
        source: BackendError,
    },
    /// The journal's store failed.
    #[error("the journal beside `{state}`: {source}")]
    JournalStore {
        /// Beside which state it lies.
        state: StateId,
        /// What happened.
        source: BackendError,
    },
    /// The journal cannot be believed.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// Another process goes on with this migration.
    #[error("another process works on this migration: it wrote record {sequence} of the journal")]
    Concurrent {
        /// The record that was there already.
        sequence: u64,
    },
    /// There is a migration of this ID.
    #[error("a migration of this ID was started already")]
    AlreadyStarted,
    /// States are not what the plan was made from; nothing was written.
    #[error("{} since the plan was made", changed(.0))]
    Changed(Vec<Misfit>),
    /// States are not what the migration left, so it cannot be undone; nothing was written.
    #[error("{} since the migration", changed(.0))]
    MovedOn(Vec<Misfit>),
    /// States are neither as before nor as after.
    #[error("stuck: {} neither as before nor as after the migration", are(.0))]
    Stuck(Vec<Misfit>),
    /// Asked to stop.
    #[error("interrupted")]
    Interrupted,
    /// The results could not be computed.
    #[error("the results cannot be computed: {0}")]
    Recompute(String),
    /// The computed result is not the planned one.
    #[error("the computed result for `{0}` is not the planned one")]
    OtherResult(StateId),
    /// A backup is not there.
    #[error("the backup of `{state}` ({name}) is missing")]
    BackupMissing {
        /// Of which state.
        state: StateId,
        /// The object beside it.
        name: String,
    },
    /// A backup is not the original.
    #[error("the backup of `{state}` ({name}) is not the original")]
    BackupDiffers {
        /// Of which state.
        state: StateId,
        /// The object beside it.
        name: String,
    },
    /// The original cannot be given a higher serial.
    #[error("the original of `{0}` cannot be given a new serial")]
    NoSerial(StateId),
    /// No store was given for a state.
    #[error("no store is open for `{0}`")]
    NoHandle(StateId),
    /// The store given for a state is another one than the journal says.
    #[error("`{state}` was migrated at {journaled}, but is configured at {configured} now")]
    OtherPlace {
        /// Which state.
        state: StateId,
        /// What the journal says.
        journaled: String,
        /// What the handle says.
        configured: String,
    },
    /// The states cannot be migrated together.
    #[error(transparent)]
    Invalid(#[from] InvalidMigration),
    /// The fence cannot go yet.
    #[error("the code still declares {} that moved away: {}", count(.0), listed(.0))]
    StillDeclared(Vec<String>),
    /// The migration is in no phase for this.
    #[error("the migration is {0}")]
    NotNow(Phase),
    /// The way back is gone.
    #[error("the backups of this migration were discarded, so it cannot be undone")]
    Discarded,
    /// No journal of this ID lies beside the state.
    #[error("there is no migration of this ID beside `{0}`")]
    NotFound(StateId),
}

impl Cause {
    /// Returns what makes a denied call possible.
    fn permits(&self) -> Option<String> {
        match self {
            Self::Backend { source, .. } | Self::JournalStore { source, .. } => source.permits(),
            _ => None,
        }
    }
}

/// In what condition everything was left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Left {
    /// Nothing was done at all.
    Untouched,
    /// No state was written, and no lock of ours is left.
    NothingWritten,
    /// No state was written; locks may be ours.
    LocksLeft,
    /// The migration stands as it stood before this command.
    AsItWas(Phase),
    /// Another process ended the migration meanwhile, and no lock of it is left but a fence.
    Ended(Phase),
    /// Some backups may be gone; nothing else was touched.
    Discarding,
    /// In the middle: the journal knows, locks are kept.
    Unfinished(Phase),
}

impl Left {
    /// What a phase says about how things were left, where nothing is known beyond it.
    pub(super) fn at(phase: Phase) -> Self {
        match phase {
            Phase::Aborted => Self::NothingWritten,
            Phase::Preparing | Phase::Aborting => Self::LocksLeft,
            Phase::Discarding(_) => Self::Discarding,
            _ if phase.finished().is_some() => Self::AsItWas(phase),
            _ => Self::Unfinished(phase),
        }
    }
}

/// A stopped execution.
#[derive(Debug, Error)]
#[error("{cause}")]
pub struct ExecuteError {
    /// Which migration.
    pub migration: MigrationId,
    /// Why.
    pub cause: Cause,
    /// In what condition.
    pub left: Left,
}

impl ExecuteError {
    /// Returns what kind of exit this is.
    pub fn kind(&self) -> Kind {
        match &self.cause {
            Cause::Backend {
                source: BackendError::Locked { .. } | BackendError::LockUnreadable { .. },
                ..
            } => Kind::Locked,
            Cause::Changed(_) | Cause::MovedOn(_) => Kind::StateChanged,
            Cause::Stuck(_) => Kind::Stuck,
            Cause::Interrupted => Kind::Interrupted,
            _ => Kind::Other,
        }
    }

    /// Returns lines that say what was found, and what is unchanged.
    pub fn notes(&self) -> Vec<String> {
        let mut notes = match &self.cause {
            Cause::Changed(misfits) => misfits
                .iter()
                .map(|misfit| describe(misfit, &[before(misfit)]))
                .collect(),
            Cause::MovedOn(misfits) => misfits
                .iter()
                .map(|misfit| describe(misfit, &[after(misfit)]))
                .collect(),
            Cause::Stuck(misfits) => misfits
                .iter()
                .map(|misfit| describe(misfit, &[before(misfit), after(misfit)]))
                .collect(),
            Cause::Backend {
                source: BackendError::Locked { holder, .. },
                ..
            } if !holder.info.is_empty() => vec![format!("its holder says: {}", holder.info)],
            _ => Vec::new(),
        };
        notes.push(match self.left {
            Left::Ended(phase) => {
                format!("the other process has ended it: the migration is {phase}, and this one holds no lock")
            }
            // Where it stands is the other process's to say.
            _ if matches!(self.cause, Cause::Concurrent { .. }) => {
                "this process stopped at that; what it did stands in the journal, and so do the locks it took".to_owned()
            }
            Left::Untouched => "nothing was done".to_owned(),
            Left::NothingWritten => "nothing was written, and no lock of this migration is left".to_owned(),
            Left::LocksLeft => "nothing was written, but locks of this migration may be left".to_owned(),
            Left::AsItWas(phase) => format!("nothing was written; the migration is {phase}, as before"),
            Left::Discarding => "some backups may be deleted; no state was touched".to_owned(),
            Left::Unfinished(phase) => format!(
                "the migration stopped while {phase}; its locks are kept, every object is in at least one state, and \
                 every original stands or is backed up"
            ),
        });
        notes
    }

    /// Returns what to do next.
    pub fn hint(&self) -> String {
        let id = &self.migration;
        match (&self.cause, self.left) {
            (Cause::Stuck(_), _) => format!(
                "find out who wrote, bring the named states back to a known version, then run `stackcut resume {id}`"
            ),
            (Cause::Concurrent { .. }, left) if !matches!(left, Left::Ended(_)) => {
                format!("wait for it; if it is gone, run `stackcut resume {id}`")
            }
            (Cause::BackupMissing { .. } | Cause::BackupDiffers { .. }, _) => {
                "restore it under that name (a bucket that keeps versions has it), then run the same command again; an undo \
                 can also be a migration that moves the objects back"
                    .to_owned()
            }
            (cause, left) if let Some(permits) = cause.permits() => match left {
                Left::Unfinished(phase) if phase.is_undo() => {
                    format!("{permits}; then run `stackcut resume {id}` to go on")
                }
                Left::Unfinished(_) | Left::LocksLeft => format!(
                    "{permits}; then run `stackcut resume {id}` to go on, or `stackcut undo {id}` to go back"
                ),
                _ => permits,
            },
            (_, Left::Unfinished(phase)) if phase.is_undo() => {
                format!("run `stackcut resume {id}` to go on")
            }
            (Cause::AlreadyStarted, _) | (_, Left::Unfinished(_) | Left::LocksLeft) => {
                format!("run `stackcut resume {id}` to go on, or `stackcut undo {id}` to go back")
            }
            (_, Left::Discarding) => {
                format!("run `stackcut resume {id}` to delete the rest")
            }
            (Cause::Changed(_), _) => "run `stackcut plan` again and review the difference".to_owned(),
            (Cause::MovedOn(_) | Cause::Discarded, _) => {
                "plan a migration that moves the objects back instead".to_owned()
            }
            (Cause::StillDeclared(_), _) => {
                format!("commit the code without them, then run `stackcut release {id}` again")
            }
            (
                Cause::Backend {
                    source: BackendError::Locked { holder, frees, .. },
                    ..
                },
                _,
            ) if holder.operation.starts_with(OPERATION) => format!(
                "wait (--lock-timeout), or end that migration as its lock says; only where its journal is gone: {frees}"
            ),
            (Cause::Backend { source, .. }, _) if source.frees().is_some() => format!(
                "wait (--lock-timeout); when you are sure that nobody is at work: {}",
                source.frees().unwrap_or_default()
            ),
            (Cause::OtherPlace { .. }, _) => {
                "use the configuration that the migration was made with".to_owned()
            }
            (Cause::Recompute(_) | Cause::OtherResult(_), _) => {
                "use the version of stackcut that made the plan, or plan again".to_owned()
            }
            (Cause::Journal(JournalError::TooNew { .. }), _) => {
                "use the version of stackcut that wrote the record, or a newer one".to_owned()
            }
            (Cause::Journal(_), _) => format!(
                "restore the records of migration {id} (they lie in `journal/{id}/` beside the source; a bucket that keeps \
                 versions has them); until then its locks and backups stay as they are"
            ),
            _ => format!("`stackcut status` shows how migration {id} stands"),
        }
    }
}

fn names(misfits: &[Misfit]) -> String {
    let names: Vec<_> = misfits
        .iter()
        .map(|misfit| format!("`{}`", misfit.change.id))
        .collect();
    names.join(", ")
}

fn changed(misfits: &[Misfit]) -> String {
    let word = if misfits.len() == 1 { "state" } else { "states" };
    format!("{word} {} changed", names(misfits))
}

fn are(misfits: &[Misfit]) -> String {
    match misfits {
        [_] => format!("state {} is", names(misfits)),
        _ => format!("states {} are", names(misfits)),
    }
}

fn count(addresses: &[String]) -> String {
    match addresses.len() {
        1 => "1 resource".to_owned(),
        many => format!("{many} resources"),
    }
}

fn listed(addresses: &[String]) -> String {
    const SHOWN: usize = 5;
    let mut text = addresses[..addresses.len().min(SHOWN)].join(", ");
    if addresses.len() > SHOWN {
        text.push_str(", …");
    }
    text
}

/// A version of a state in a message.
enum Version<'a> {
    Absent,
    At(Serial, &'a Lineage),
    Unreadable,
}

impl fmt::Display for Version<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => f.write_str("no state"),
            Self::At(serial, lineage) => write!(f, "serial {serial} of lineage {lineage}"),
            Self::Unreadable => f.write_str("something that is no state"),
        }
    }
}

fn before(misfit: &Misfit) -> Version<'_> {
    match &misfit.change.before {
        Some(before) => Version::At(before.serial, &before.lineage),
        None => Version::Absent,
    }
}

fn after(misfit: &Misfit) -> Version<'_> {
    Version::At(misfit.change.after.serial, &misfit.change.after.lineage)
}

/// Says of one state what was expected and what was found.
fn describe(misfit: &Misfit, expected: &[Version<'_>]) -> String {
    let found = match (&misfit.found.sha256, &misfit.found.head) {
        (None, _) => Version::Absent,
        (Some(_), Some((lineage, serial))) => Version::At(*serial, lineage),
        (Some(_), None) => Version::Unreadable,
    }
    .to_string();
    let expected: Vec<String> = expected.iter().map(ToString::to_string).collect();
    let mut text = format!(
        "`{}` ({}): expected {}, found {found}",
        misfit.change.id,
        misfit.change.place,
        expected.join(" or ")
    );
    if matches!(misfit.found.digest, DigestSight::Differs(_)) {
        text.push_str(", with a digest item of other content");
    } else if misfit.standing == Standing::Neither && expected.contains(&found) {
        text.push_str(" with other content");
    }
    text
}

/// Makes the error of a verb that found the migration over.
pub(super) fn not_now(migration: &MigrationId, phase: Phase) -> ExecuteError {
    ExecuteError {
        migration: migration.clone(),
        cause: Cause::NotNow(phase),
        left: Left::at(phase),
    }
}
