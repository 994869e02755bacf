//! Opening the stores in which states live, and saying what went wrong with them.

use std::path::Path;
use std::sync::Arc;

use crate::backend::clock::SystemClock;
use crate::backend::dry_run::DryRun;
use crate::backend::gated::Gated;
use crate::backend::local::LocalBackend;
//S3 use crate::backend::s3::S3Backend;
use crate::backend::settling::Settling;
use crate::backend::{BackendError, StateBackend};
use crate::error::{CommandError, Exit};
use crate::stack::StateLocation;

/// What a command may do to the stores.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    /// Every call that could change something is refused.
    ReadOnly,
    /// Everything.
    Full,
}

/// Opens the store of a location; local paths are absolute by now.
pub(super) fn open(location: &StateLocation, access: Access) -> Result<Arc<dyn StateBackend>, CommandError> {
    let adapter: Arc<dyn StateBackend> = match location.backend.as_str() {
        "local" => {
            Arc::new(LocalBackend::from_location(Path::new(""), location).map_err(|e| backend_error(&e))?)
        }
        //S3
        other => {
            return Err(CommandError::new(format!("states in a `{other}` backend cannot be moved"))
                .note("nothing was written")
                .hint("stackcut knows `local` and `s3`; `stackcut split` works on a local copy of any state"));
        }
    };
    let settled: Arc<dyn StateBackend> = Arc::new(Settling::new(adapter, Arc::new(SystemClock::default())));
    Ok(match access {
        Access::ReadOnly => Arc::new(Gated::new(settled, &Arc::new(DryRun))),
        Access::Full => settled,
    })
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
            .hint("`stackcut status` shows whether it was an interrupted migration; otherwise restore the object's version")
            .exit(Exit::Stuck),
        BackendError::Torn { .. } => found.exit(Exit::Stuck),
        _ => found,
    }
}
