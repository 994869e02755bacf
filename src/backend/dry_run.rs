//! The gate that lets nothing through that could change anything.

use super::BackendError;
use super::gated::{Call, Gate};

/// Refuses every mutating call with [`BackendError::DryRun`].
#[derive(Debug, Default)]
pub struct DryRun;

impl Gate for DryRun {
    fn pass<T>(&self, call: Call, run: impl FnOnce() -> Result<T, BackendError>) -> Result<T, BackendError> {
        if call.operation.is_mutating() {
            return Err(BackendError::DryRun {
                at: call.at,
                action: call.operation.name(),
            });
        }
        run()
    }
}
