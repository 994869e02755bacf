//! Opening the stores in which states live, and saying what went wrong with them.

use std::path::Path;
use std::sync::Arc;

use crate::backend::clock::SystemClock;
use crate::backend::dry_run::DryRun;
use crate::backend::gated::Gated;
use crate::backend::local::LocalBackend;
use crate::backend::settling::Settling;
use crate::backend::{BackendError, StateBackend};
use crate::error::{CommandError, Exit};
use crate::stack::StateLocation;

/// The stores of one run. Stores of the same kind share what is dear: connections, credentials.
#[derive(Debug, Default)]
pub(super) struct Stores {}

impl Stores {
    /// Opens the store of a location; local paths are absolute by now.
    pub(super) fn open(&self, location: &StateLocation) -> Result<Arc<dyn StateBackend>, CommandError> {
        let adapter: Arc<dyn StateBackend> = match location.backend.as_str() {
            "local" => {
                let opened = LocalBackend::from_location(Path::new(""), location);
                Arc::new(opened.map_err(|e| backend_error(&e))?)
            }
            other => {
                return Err(CommandError::new(format!("states in a `{other}` backend cannot be read from here yet"))
                    .note("nothing was written")
                    .hint("copy the state beside the code and use `stackcut split`, which works on a local copy of any state"));
            }
        };
        Ok(Arc::new(Settling::new(adapter, Arc::new(SystemClock::default()))))
    }

    /// Opens the store of a location behind a gate that refuses every call that could change something.
    pub(super) fn open_for_reading(
        &self,
        location: &StateLocation,
    ) -> Result<Arc<dyn StateBackend>, CommandError> {
        Ok(Arc::new(Gated::new(self.open(location)?, &Arc::new(DryRun))))
    }
}

/// Puts a store's error into words, with its exit code.
pub(super) fn backend_error(error: &BackendError) -> CommandError {
    let message = match std::error::Error::source(error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    };
    let found = CommandError::new(message);
    match error {
        BackendError::Locked { frees, .. } | BackendError::LockUnreadable { frees, .. } => found
            .note("the lock is left alone: only its holder, or a person who knows that the holder is gone, frees it")
            .hint(format!("when you are sure that nobody is at work: {frees}"))
            .exit(Exit::Locked),
        BackendError::PreconditionFailed { .. } => {
            found.hint("run `stackcut plan` again and review the difference").exit(Exit::StateChanged)
        }
        BackendError::AccessDenied { action, .. } => {
            found.hint(format!("grant {action} to the credentials in use, or choose others (AWS_PROFILE)"))
        }
        BackendError::LockingNotConfigured { .. } => {
            found.hint("add `dynamodb_table` or `use_lockfile = true` to the backend block")
        }
        BackendError::DigestMismatch { .. } => found
            .note("another write was interrupted, or someone changed the object behind Terraform's back")
            .hint("see who wrote it last; where that write was cut off, restore the object's previous version")
            .exit(Exit::Stuck),
        BackendError::Torn { .. } => found.exit(Exit::Stuck),
        _ => found,
    }
}
