//! A journal read again: its records checked, and where they leave the migration.

use super::error::JournalError;
use super::event::{Event, Image};
use super::migration::Migration;
use super::phase::{IllegalEvent, Phase, next_phase};
use super::record::Record;
use crate::stack::StateId;
use crate::state::{Fingerprint, Sha256Digest};

/// The number of a last record whose writing was never finished. Its effects were never begun; it is written anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Torn(pub u64);

/// A journal whose every record was checked.
#[derive(Clone, Debug)]
pub struct Journal {
    migration: Migration,
    waves: Vec<u32>,
    phase: Phase,
    images: Vec<Image>,
    records: Vec<Record>,
    last: Sha256Digest,
}

impl Journal {
    /// Makes the first record of a new journal.
    pub fn first_record(migration: Migration, session: &str, at: &str) -> Record {
        Record {
            sequence: 1,
            previous: None,
            session: session.to_owned(),
            at: at.to_owned(),
            event: Event::Started(Box::new(migration)),
        }
    }

    /// Reads a journal from the texts of its records, by their numbers, in any order.
    ///
    /// # Errors
    ///
    /// A missing, corrupt, exchanged or illegal record: the error names it. Only a last record that was provably never
    /// written whole is passed over, and named beside the journal.
    pub fn replay(mut texts: Vec<(u64, Vec<u8>)>) -> Result<(Self, Option<Torn>), JournalError> {
        texts.sort_by_key(|(sequence, _)| *sequence);
        let mut torn = None;
        if let Some((sequence, text)) = texts.last()
            && Record::is_torn(text)
        {
            torn = Some(Torn(*sequence));
            texts.pop();
        }
        if let Some(Torn(sequence)) = torn
            && texts.last().map_or(0, |(last, _)| *last) + 1 != sequence
        {
            return Err(JournalError::Missing {
                sequence: sequence.saturating_sub(1),
            });
        }
        let mut journal: Option<Self> = None;
        for (sequence, text) in texts {
            let expected = journal.as_ref().map_or(1, Self::next_sequence);
            if sequence != expected {
                return Err(JournalError::Missing { sequence: expected });
            }
            let (record, sum) = Record::read(sequence, &text)?;
            journal = Some(match journal {
                None => Self::open(record, sum)?,
                Some(mut journal) => {
                    journal.push(record, sum)?;
                    journal
                }
            });
        }
        journal.map(|journal| (journal, torn)).ok_or(JournalError::Empty)
    }

    /// Opens the journal that the given record begins.
    ///
    /// # Errors
    ///
    /// Any other record.
    pub fn begin(record: Record) -> Result<Self, JournalError> {
        let sum = record.sum();
        Self::open(record, sum)
    }

    fn open(record: Record, sum: Sha256Digest) -> Result<Self, JournalError> {
        if record.previous.is_some() || record.sequence != 1 {
            return Err(JournalError::Chain {
                sequence: record.sequence,
            });
        }
        let phase = next_phase(None, &record.event, &[]).map_err(|source| JournalError::Illegal {
            sequence: record.sequence,
            source,
        })?;
        let Event::Started(migration) = &record.event else {
            // `next_phase` lets nothing else stand first.
            return Err(JournalError::Chain { sequence: 1 });
        };
        let migration = (**migration).clone();
        Ok(Self {
            waves: migration.waves(),
            migration,
            phase,
            images: Vec::new(),
            records: vec![record],
            last: sum,
        })
    }

    /// Makes the record that would come next.
    ///
    /// # Errors
    ///
    /// An event that may not follow.
    pub fn next_record(&self, session: &str, at: &str, event: Event) -> Result<Record, IllegalEvent> {
        next_phase(Some(self.phase), &event, &self.waves)?;
        Ok(Record {
            sequence: self.next_sequence(),
            previous: Some(self.last),
            session: session.to_owned(),
            at: at.to_owned(),
            event,
        })
    }

    /// Appends a record.
    ///
    /// # Errors
    ///
    /// A record that does not continue this journal.
    pub fn append(&mut self, record: Record) -> Result<(), JournalError> {
        let sum = record.sum();
        self.push(record, sum)
    }

    fn push(&mut self, record: Record, sum: Sha256Digest) -> Result<(), JournalError> {
        let sequence = record.sequence;
        if sequence != self.next_sequence() || record.previous != Some(self.last) {
            return Err(JournalError::Chain { sequence });
        }
        self.phase = next_phase(Some(self.phase), &record.event, &self.waves)
            .map_err(|source| JournalError::Illegal { sequence, source })?;
        if let Event::UndoStarted { images } = &record.event {
            self.images.clone_from(images);
        }
        self.last = sum;
        self.records.push(record);
        Ok(())
    }

    /// Returns the number of the record that comes next.
    pub fn next_sequence(&self) -> u64 {
        self.records.last().map_or(0, |record| record.sequence) + 1
    }

    /// Returns what is migrated.
    pub fn migration(&self) -> &Migration {
        &self.migration
    }

    /// Returns the waves that write something, in order.
    pub fn waves(&self) -> &[u32] {
        &self.waves
    }

    /// Returns how far the migration got.
    pub fn phase(&self) -> Phase {
        self.phase
    }

    /// Returns the records, oldest first.
    pub fn records(&self) -> &[Record] {
        &self.records
    }

    /// Tells whether the last thing that happened is that states were found at unknown versions.
    pub fn is_stuck(&self) -> bool {
        self.records
            .iter()
            .rev()
            .find(|record| record.event != Event::Resumed)
            .is_some_and(|record| matches!(record.event, Event::FoundStuck { .. }))
    }

    /// Returns what an undo gives a state back, once one was begun.
    pub fn restored(&self, id: &StateId) -> Option<&Fingerprint> {
        self.images
            .iter()
            .find(|image| &image.state == id)
            .map(|image| &image.restored)
    }
}
