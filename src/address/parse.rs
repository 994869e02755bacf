//! Reading addresses.

use thiserror::Error;

/// Why a text is not an address.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("invalid address `{text}` at byte {offset}: {reason}")]
pub struct AddressError {
    /// The whole text.
    pub text: String,
    /// Byte offset of the fault.
    pub offset: usize,
    /// What is wrong, and where it helps, what to write instead.
    pub reason: String,
}
