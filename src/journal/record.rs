//! One record of a journal as a text that guards itself.
//!
//! `sum` is the SHA-256 of everything before `,"sum":`; `previous` chains the records, so that none can be exchanged or
//! left out unseen. The line break is the last byte: a text without one was never written whole.

use serde::Deserialize;

use super::error::JournalError;
use super::event::Event;
use super::format::{self, FORMAT};
use crate::state::Sha256Digest;

const SUM: &str = ",\"sum\":\"";
const TAIL: &str = "\"}\n";
const DIGITS: usize = 64;

/// One record of a journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its number, from 1.
    pub sequence: u64,
    /// The checksum of the record before it; `None` in the first.
    pub previous: Option<Sha256Digest>,
    /// Which process wrote it: a random text, the same in all its records.
    pub session: String,
    /// When, as RFC 3339 in UTC; for people, and to tell how long ago an effect was begun.
    pub at: String,
    /// What it says.
    pub event: Event,
}

impl Record {
    /// Returns the record's text, which ends in a line break.
    pub fn to_text(&self) -> String {
        let mut text = format::write(self);
        text.pop();
        let sum = Sha256Digest::of(text.as_bytes());
        text.push_str(SUM);
        text.push_str(&sum.to_string());
        text.push_str(TAIL);
        text
    }

    /// Returns the record's checksum.
    pub fn sum(&self) -> Sha256Digest {
        let text = self.to_text();
        Sha256Digest::of(&text.as_bytes()[..text.len() - SUM.len() - DIGITS - TAIL.len()])
    }

    /// Reads a record from its text, and returns it with its checksum. `sequence` is the number under which the text
    /// was found.
    ///
    /// # Errors
    ///
    /// Anything but a whole record of that number with a right checksum.
    pub fn read(sequence: u64, text: &[u8]) -> Result<(Self, Sha256Digest), JournalError> {
        let unreadable = |fault: &str| JournalError::Unreadable {
            sequence,
            fault: fault.to_owned(),
        };
        let text = std::str::from_utf8(text).map_err(|_| unreadable("not UTF-8"))?;
        check_format(sequence, text)?;
        let (body, sum) = split(text).ok_or_else(|| unreadable("it does not end in a checksum"))?;
        let actual = Sha256Digest::of(body.as_bytes());
        if actual.to_string() != sum {
            return Err(JournalError::Checksum { sequence });
        }
        let record = format::read(sequence, &format!("{body}}}"))?;
        if record.sequence != sequence {
            return Err(unreadable("it carries another number"));
        }
        Ok((record, actual))
    }

    /// Tells whether a text is the beginning of a record whose writing was never finished, and so never confirmed.
    ///
    /// True only without a line break, which is a record's last byte and stands nowhere else in it.
    pub fn is_torn(text: &[u8]) -> bool {
        !text.contains(&b'\n')
    }
}

/// Refuses a newer format before anything else is asked of the text.
fn check_format(sequence: u64, text: &str) -> Result<(), JournalError> {
    #[derive(Deserialize)]
    struct Head {
        format: u64,
    }
    match serde_json::from_str::<Head>(text) {
        Ok(Head { format }) if format > FORMAT => Err(JournalError::TooNew {
            sequence,
            format,
            known: FORMAT,
        }),
        _ => Ok(()),
    }
}

/// Splits a text into what is summed, and the sum.
fn split(text: &str) -> Option<(&str, &str)> {
    let rest = text.strip_suffix(TAIL)?;
    let at = rest
        .len()
        .checked_sub(DIGITS)
        .filter(|&at| rest.is_char_boundary(at))?;
    let (body, sum) = rest.split_at(at);
    Some((body.strip_suffix(SUM)?, sum))
}
#[cfg(test)]
mod tests;
