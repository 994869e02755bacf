//! Why a journal cannot be believed.

use thiserror::Error;

use super::migration::InvalidMigration;
use super::phase::IllegalEvent;

/// A journal or a record that cannot be read. Each names the record; nothing is guessed.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum JournalError {
    /// Not a record, or not one whole.
    #[error("record {sequence} of the journal cannot be read: {fault}")]
    Unreadable {
        /// Which record.
        sequence: u64,
        /// What is wrong; never shows the record's content.
        fault: String,
    },
    /// Its checksum is not that of its content.
    #[error("record {sequence} of the journal is corrupt: its checksum is wrong")]
    Checksum {
        /// Which record.
        sequence: u64,
    },
    /// It does not continue the record before it.
    #[error("record {sequence} of the journal does not follow record {}", sequence.saturating_sub(1))]
    Chain {
        /// Which record.
        sequence: u64,
    },
    /// A number is not there.
    #[error("record {sequence} of the journal is missing")]
    Missing {
        /// Which record.
        sequence: u64,
    },
    /// Written by a newer version.
    #[error("record {sequence} of the journal has format {format}; this version reads up to {known}")]
    TooNew {
        /// Which record.
        sequence: u64,
        /// Its format.
        format: u64,
        /// The newest one known here.
        known: u64,
    },
    /// An event that may not stand there.
    #[error("record {sequence} of the journal: {source}")]
    Illegal {
        /// Which record.
        sequence: u64,
        /// The event.
        source: IllegalEvent,
    },
    /// The first record holds no migration that can be.
    #[error("record {sequence} of the journal: {source}")]
    Migration {
        /// Which record.
        sequence: u64,
        /// What is wrong.
        source: InvalidMigration,
    },
    /// No record at all.
    #[error("the journal is empty")]
    Empty,
}
