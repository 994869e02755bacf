//! What can go wrong between us and a store.

use thiserror::Error;

use super::lock_info::LockInfo;
use crate::state::Md5Digest;

/// What an [`AccessDenied`](BackendError::AccessDenied) says of credentials that no grant helps.
pub(super) const OUTDATED: &str = "the credentials in use are wrong or have expired";

/// A call that did not succeed. `at` is the object (`s3://bucket/key`, `dynamodb://table/LockID`, a path), `action`
/// the store's own name of the call.
///
/// Which of them may be retried, and what each says about the effect, is written above
/// [`StateBackend`](super::StateBackend).
#[derive(Debug, Error)]
pub enum BackendError {
    /// Somebody else holds the lock.
    #[error("{at} is locked by {} since {} ({}, lock ID {})", holder.who, holder.created.strftime("%F %T UTC"), holder.operation, holder.id)]
    Locked {
        /// The state.
        at: String,
        /// Who, since when, what for.
        holder: Box<LockInfo>,
        /// The command that frees it, once its holder is known to be gone.
        frees: String,
    },
    /// A lock stands that does not say whose it is.
    #[error("{at} is locked by somebody unknown: its lock information cannot be read ({reason})")]
    LockUnreadable {
        /// The lock object or item.
        at: String,
        /// What is wrong with it.
        reason: String,
        /// What to delete by hand.
        frees: String,
    },
    /// The configuration has no lock.
    #[error("{at} has no locking configured, and is not written without a lock")]
    LockingNotConfigured {
        /// The state.
        at: String,
    },
    /// A write without holding this state's lock.
    #[error("{at} is not locked by this run")]
    NotLocked {
        /// The state.
        at: String,
    },
    /// The object is not what the caller expected; nothing was written.
    #[error("{at} is not what was expected: it changed, exists already, or is gone; nothing was written")]
    PreconditionFailed {
        /// The object.
        at: String,
    },
    /// Another write came in between; nothing was written, a retry may succeed.
    #[error("another write to {at} was under way; nothing was written")]
    Conflict {
        /// The object.
        at: String,
    },
    /// The store says no.
    #[error("access to {at} was denied ({action}: {detail})")]
    AccessDenied {
        /// The object.
        at: String,
        /// The denied call, which is also the permission to ask for.
        action: &'static str,
        /// The store's error code.
        detail: String,
    },
    /// A bucket, table or key that must be there is not.
    #[error("{at} does not exist ({action})")]
    NotFound {
        /// What is missing.
        at: String,
        /// The call.
        action: &'static str,
    },
    /// The store is too busy; it did not happen.
    #[error("too many requests to {at} ({action})")]
    Throttled {
        /// The object.
        at: String,
        /// The call.
        action: &'static str,
    },
    /// No connection, or one that broke before an answer.
    #[error("no answer about {at} ({action}: {detail})")]
    Network {
        /// The object.
        at: String,
        /// The call.
        action: &'static str,
        /// What broke.
        detail: String,
    },
    /// The request was sent and its answer lost, or was no answer: the effect may have happened.
    #[error("the answer about {at} was lost ({action}: {detail}); it may have happened")]
    Ambiguous {
        /// The object.
        at: String,
        /// The call.
        action: &'static str,
        /// What broke.
        detail: String,
    },
    /// The digest item belongs to other bytes than those that were read.
    #[error("{at} does not have the expected content: its digest item says {stored}, its bytes say {}",
        calculated.map_or_else(|| "there is no object".to_owned(), |digest| digest.to_string()))]
    DigestMismatch {
        /// The state.
        at: String,
        /// What the item says.
        stored: Md5Digest,
        /// What the bytes say; `None` where there is no object.
        calculated: Option<Md5Digest>,
    },
    /// A write to a file was cut off half way, and the file is not whole until the lock is taken again.
    #[error("a write to {at} was interrupted; `stackcut resume` or `stackcut undo` completes it")]
    Interrupted {
        /// The file.
        at: String,
    },
    /// The file changed in a way that the record of an interrupted write does not explain.
    #[error(
        "{at} is neither as before nor as after an interrupted write; its record {record} holds both versions"
    )]
    Torn {
        /// The file.
        at: String,
        /// The file with the bytes before and after.
        record: String,
    },
    /// The configuration cannot be used.
    #[error("the {backend} backend cannot be configured: {reason}")]
    Configuration {
        /// The backend's type.
        backend: &'static str,
        /// What is wrong, naming the argument.
        reason: String,
    },
    /// A file operation failed.
    #[error("cannot {action} {at}")]
    Io {
        /// The file.
        at: String,
        /// A verb.
        action: &'static str,
        /// Why.
        source: std::io::Error,
    },
    /// The store refused the call for a reason of its own.
    #[error("{action} of {at} failed: {detail}")]
    Refused {
        /// The object.
        at: String,
        /// The call.
        action: &'static str,
        /// The store's error code and message.
        detail: String,
    },
    /// A rehearsal wanted to change something.
    #[error("a dry run does not change {at} ({action})")]
    DryRun {
        /// The state.
        at: String,
        /// The call.
        action: &'static str,
    },
    /// The process is treated as dead from here on (fault injection).
    #[error("stopped before {action} of {at}")]
    Stopped {
        /// The state.
        at: String,
        /// The call.
        action: &'static str,
    },
}

impl BackendError {
    /// Tells whether the effect may have happened all the same.
    pub fn is_ambiguous(&self) -> bool {
        matches!(self, Self::Ambiguous { .. } | Self::Network { .. })
    }

    /// Tells whether the same call may succeed a moment later.
    pub fn is_transient(&self) -> bool {
        self.is_ambiguous() || matches!(self, Self::Throttled { .. } | Self::Conflict { .. })
    }

    /// Returns what makes a denied call possible.
    pub fn permits(&self) -> Option<String> {
        match self {
            Self::AccessDenied { detail, .. } if detail.contains(OUTDATED) => {
                Some("renew the credentials in use, or choose others (AWS_PROFILE)".to_owned())
            }
            Self::AccessDenied { action, .. } => Some(format!(
                "grant {action} to the credentials in use, or choose others (AWS_PROFILE)"
            )),
            _ => None,
        }
    }

    /// Returns the command or deed that frees a held lock.
    pub fn frees(&self) -> Option<&str> {
        match self {
            Self::Locked { frees, .. } | Self::LockUnreadable { frees, .. } => Some(frees),
            _ => None,
        }
    }
}
