//! Opening the stores in which states live, and saying what went wrong with them.

use std::collections::BTreeMap;
use std::env;
use std::path::Path;
use std::sync::{Arc, Mutex};

use crate::backend::clock::SystemClock;
use crate::backend::dry_run::DryRun;
use crate::backend::gated::Gated;
use crate::backend::local::LocalBackend;
use crate::backend::s3::{S3Clients, S3Config};
use crate::backend::settling::Settling;
use crate::backend::{BackendError, StateBackend};
use crate::config::Credentials;
use crate::diagnostic::Diagnostic;
use crate::error::{CommandError, Exit};
use crate::stack::StateLocation;

/// The stores of one run. Stores of the same kind share what is dear: connections, credentials.
#[derive(Debug, Default)]
pub(super) struct Stores {
    shared: Mutex<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    s3: Option<S3Clients>,
    /// Keys and tokens that stand in code or in saved init data, for the locations they belong to.
    credentials: Vec<(StateLocation, Credentials)>,
    findings: Vec<String>,
}

impl Stores {
    /// Remembers the credentials that belong to a location: a location itself, and so a plan, holds none.
    pub(super) fn remember(&self, location: &StateLocation, credentials: &Credentials) {
        if credentials.is_empty() {
            return;
        }
        let mut shared = self.shared.lock().expect("no holder panics");
        shared.credentials.retain(|(known, _)| known != location);
        shared.credentials.push((location.clone(), credentials.clone()));
    }

    /// Takes what is worth knowing about the stores opened so far; each of it once.
    pub(super) fn take_findings(&self) -> Vec<Diagnostic> {
        let mut shared = self.shared.lock().expect("no holder panics");
        let found = std::mem::take(&mut shared.findings);
        found.into_iter().map(Diagnostic::warning).collect()
    }

    /// Opens the store of a location; local paths are absolute by now.
    pub(super) fn open(&self, location: &StateLocation) -> Result<Arc<dyn StateBackend>, CommandError> {
        let adapter: Arc<dyn StateBackend> = match location.backend.as_str() {
            "local" => {
                let opened = LocalBackend::from_location(Path::new(""), location);
                Arc::new(opened.map_err(|e| backend_error(&e))?)
            }
            "s3" => self.open_s3(location).map_err(|e| backend_error(&e))?,
            other => {
                return Err(CommandError::new(format!("states in a `{other}` backend cannot be read from here"))
                    .note("nothing was written")
                    .hint("copy the state beside the code and use `stackcut split`, which works on a local copy of any state"));
            }
        };
        Ok(Arc::new(Settling::new(adapter, Arc::new(SystemClock::default()))))
    }

    fn open_s3(&self, location: &StateLocation) -> Result<Arc<dyn StateBackend>, BackendError> {
        let mut shared = self.shared.lock().expect("no holder panics");
        let mut arguments: BTreeMap<String, String> = location.arguments.clone();
        let known = shared.credentials.iter().find(|(known, _)| known == location);
        if let Some((_, credentials)) = known {
            credentials.complete(&mut arguments);
        }
        let config = S3Config::effective(&arguments, &location.workspace, &|name| env::var(name).ok())?;
        for warning in config.warnings() {
            if !shared.findings.contains(warning) {
                shared.findings.push(warning.clone());
            }
        }
        let clients = match &shared.s3 {
            Some(clients) => clients.clone(),
            None => S3Clients::new(Arc::new(SystemClock::default()))?,
        };
        shared.s3 = Some(clients.clone());
        Ok(Arc::new(clients.open(config)?))
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
        BackendError::AccessDenied { .. } => found.hint(error.permits().unwrap_or_default()),
        BackendError::NotFound { .. } => {
            found.hint("check its name, the region, and the account of the credentials in use")
        }
        BackendError::Network { .. } => {
            found.hint("check the network, the region and the endpoints, then run the same command again")
        }
        BackendError::Configuration { .. } => found.hint(
            "give it what `terraform init` and `terraform plan` take there: the same arguments, files and credentials",
        ),
        BackendError::LockingNotConfigured { .. } => {
            found.hint("add `dynamodb_table` or `use_lockfile = true` to the backend block")
        }
        BackendError::DigestMismatch { at, calculated: None, .. } => found
            .note("the object was deleted, and its digest item was left behind")
            .hint(format!(
                "where it was deleted on purpose, delete the item `{}-md5` of the lock table too; otherwise restore the object",
                at.trim_start_matches("s3://")
            ))
            .exit(Exit::Stuck),
        BackendError::DigestMismatch { .. } => found
            .note("another write was interrupted, or someone changed the object behind Terraform's back")
            .hint("see who wrote it last; where that write was cut off, restore the object's previous version")
            .exit(Exit::Stuck),
        BackendError::Torn { .. } => found.exit(Exit::Stuck),
        _ => found,
    }
}
