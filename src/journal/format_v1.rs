//! Format 1 of a record: one line of JSON that ends in its own checksum.
//!
//! ```text
//! {"format":1,"sequence":2,"previous":"<sum of record 1>","session":"…","at":"…","event":{"kind":"…",…},"sum":"<sha256>"}
//! ```

use serde::{Deserialize, Serialize};

use super::error::JournalError;
use super::event::{Event, Image, Original, Writing};
use super::migration::{Migration, StateChange};
use super::record::Record;
use crate::stack::{LockId, StackName, StateId};
use crate::state::{Fingerprint, Lineage, Serial, Sha256Digest};

/// The format written here, and the newest one read.
pub const FORMAT: u64 = 1;

/// Returns a record's JSON object, without its checksum.
pub(super) fn write(record: &Record) -> String {
    serde_json::to_string(&RecordV1::from(record)).expect("strings and numbers always serialise")
}

/// Reads a record's JSON object, without its checksum.
pub(super) fn read(sequence: u64, text: &str) -> Result<Record, JournalError> {
    let mirror: RecordV1 = serde_json::from_str(text).map_err(|error| JournalError::Unreadable {
        sequence,
        fault: format!("unexpected content at column {}", error.column()),
    })?;
    mirror.into_record(sequence)
}

#[derive(Serialize, Deserialize)]
struct RecordV1 {
    format: u64,
    sequence: u64,
    previous: Option<String>,
    session: String,
    at: String,
    event: EventV1,
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum EventV1 {
    Started { migration: MigrationV1 },
    BackupsIntended { originals: Vec<OriginalV1> },
    WaveIntended { wave: u32, writes: Vec<WritingV1> },
    ReleaseIntended,
    Fenced,
    FenceReleaseIntended,
    Completed,
    AbortIntended { reason: String },
    Aborted,
    UndoStarted { images: Vec<ImageV1> },
    UndoWaveIntended { wave: u32, writes: Vec<WritingV1> },
    UndoReleaseIntended,
    Undone,
    UndoAbortIntended { reason: String },
    UndoAborted,
    DiscardIntended,
    Discarded,
    Resumed,
    FoundStuck { states: Vec<FoundV1> },
}

#[derive(Serialize, Deserialize)]
struct MigrationV1 {
    id: String,
    states: Vec<StateV1>,
    plan: String,
}

#[derive(Serialize, Deserialize)]
struct StateV1 {
    state: String,
    place: String,
    lock: String,
    wave: u32,
    fence: bool,
    before: Option<FingerprintV1>,
    after: FingerprintV1,
}

#[derive(Serialize, Deserialize)]
struct FingerprintV1 {
    lineage: String,
    serial: u64,
    sha256: String,
    md5: String,
    size: u64,
}

#[derive(Serialize, Deserialize)]
struct OriginalV1 {
    state: String,
    version_id: String,
}

#[derive(Serialize, Deserialize)]
struct WritingV1 {
    state: String,
    before: Option<String>,
    after: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct ImageV1 {
    state: String,
    restored: FingerprintV1,
}

#[derive(Serialize, Deserialize)]
struct FoundV1 {
    state: String,
    found: Option<String>,
}

fn state_text(id: &StateId) -> String {
    match id {
        StateId::Source(name) => format!("source:{name}"),
        StateId::Stack(name) => format!("stack:{name}"),
    }
}

/// Turns mirror types back into our own; every fault names the record.
struct Reader {
    sequence: u64,
}

impl Reader {
    fn fault(&self, fault: &str) -> JournalError {
        JournalError::Unreadable {
            sequence: self.sequence,
            fault: fault.to_owned(),
        }
    }

    fn state(&self, text: &str) -> Result<StateId, JournalError> {
        let name = |name: &str| {
            name.parse::<StackName>()
                .map_err(|_| self.fault("a state's name is not one"))
        };
        match text.split_once(':') {
            Some(("source", rest)) => Ok(StateId::Source(name(rest)?)),
            Some(("stack", rest)) => Ok(StateId::Stack(name(rest)?)),
            _ => Err(self.fault("a state is neither a source nor a stack")),
        }
    }

    fn sha(&self, text: &str) -> Result<Sha256Digest, JournalError> {
        text.parse().map_err(|_| self.fault("a hash is not one"))
    }

    fn sha_or_none(&self, text: Option<&str>) -> Result<Option<Sha256Digest>, JournalError> {
        text.map(|text| self.sha(text)).transpose()
    }

    fn fingerprint(&self, mirror: FingerprintV1) -> Result<Fingerprint, JournalError> {
        Ok(Fingerprint {
            lineage: Lineage::new(mirror.lineage),
            serial: Serial(mirror.serial),
            sha256: self.sha(&mirror.sha256)?,
            md5: mirror.md5.parse().map_err(|_| self.fault("a hash is not one"))?,
            size: mirror.size,
        })
    }

    fn change(&self, mirror: StateV1) -> Result<StateChange, JournalError> {
        Ok(StateChange {
            id: self.state(&mirror.state)?,
            place: mirror.place,
            lock: LockId::new(mirror.lock),
            wave: mirror.wave,
            fence: mirror.fence,
            before: mirror.before.map(|before| self.fingerprint(before)).transpose()?,
            after: self.fingerprint(mirror.after)?,
        })
    }

    fn migration(&self, mirror: MigrationV1) -> Result<Migration, JournalError> {
        let id = mirror
            .id
            .parse()
            .map_err(|_| self.fault("the migration's ID is not one"))?;
        let states: Result<Vec<_>, _> = mirror
            .states
            .into_iter()
            .map(|state| self.change(state))
            .collect();
        Migration::new(id, states?, mirror.plan).map_err(|source| JournalError::Migration {
            sequence: self.sequence,
            source,
        })
    }

    fn originals(&self, mirrors: Vec<OriginalV1>) -> Result<Vec<Original>, JournalError> {
        let original = |mirror: OriginalV1| {
            Ok(Original {
                state: self.state(&mirror.state)?,
                version_id: mirror.version_id,
            })
        };
        mirrors.into_iter().map(original).collect()
    }

    fn writes(&self, mirrors: Vec<WritingV1>) -> Result<Vec<Writing>, JournalError> {
        let write = |mirror: WritingV1| {
            Ok(Writing {
                state: self.state(&mirror.state)?,
                before: self.sha_or_none(mirror.before.as_deref())?,
                after: self.sha_or_none(mirror.after.as_deref())?,
            })
        };
        mirrors.into_iter().map(write).collect()
    }

    fn images(&self, mirrors: Vec<ImageV1>) -> Result<Vec<Image>, JournalError> {
        let image = |mirror: ImageV1| {
            Ok(Image {
                state: self.state(&mirror.state)?,
                restored: self.fingerprint(mirror.restored)?,
            })
        };
        mirrors.into_iter().map(image).collect()
    }

    fn event(&self, mirror: EventV1) -> Result<Event, JournalError> {
        Ok(match mirror {
            EventV1::Started { migration } => Event::Started(Box::new(self.migration(migration)?)),
            EventV1::BackupsIntended { originals } => Event::BackupsIntended {
                originals: self.originals(originals)?,
            },
            EventV1::WaveIntended { wave, writes } => Event::WaveIntended {
                wave,
                writes: self.writes(writes)?,
            },
            EventV1::ReleaseIntended => Event::ReleaseIntended,
            EventV1::Fenced => Event::Fenced,
            EventV1::FenceReleaseIntended => Event::FenceReleaseIntended,
            EventV1::Completed => Event::Completed,
            EventV1::AbortIntended { reason } => Event::AbortIntended { reason },
            EventV1::Aborted => Event::Aborted,
            EventV1::UndoStarted { images } => Event::UndoStarted {
                images: self.images(images)?,
            },
            EventV1::UndoWaveIntended { wave, writes } => Event::UndoWaveIntended {
                wave,
                writes: self.writes(writes)?,
            },
            EventV1::UndoReleaseIntended => Event::UndoReleaseIntended,
            EventV1::Undone => Event::Undone,
            EventV1::UndoAbortIntended { reason } => Event::UndoAbortIntended { reason },
            EventV1::UndoAborted => Event::UndoAborted,
            EventV1::DiscardIntended => Event::DiscardIntended,
            EventV1::Discarded => Event::Discarded,
            EventV1::Resumed => Event::Resumed,
            EventV1::FoundStuck { states } => {
                let found = |mirror: FoundV1| {
                    Ok((
                        self.state(&mirror.state)?,
                        self.sha_or_none(mirror.found.as_deref())?,
                    ))
                };
                let states: Result<_, JournalError> = states.into_iter().map(found).collect();
                Event::FoundStuck { states: states? }
            }
        })
    }
}

impl RecordV1 {
    fn into_record(self, sequence: u64) -> Result<Record, JournalError> {
        let reader = Reader { sequence };
        Ok(Record {
            sequence: self.sequence,
            previous: reader.sha_or_none(self.previous.as_deref())?,
            session: self.session,
            at: self.at,
            event: reader.event(self.event)?,
        })
    }
}

impl From<&Record> for RecordV1 {
    fn from(record: &Record) -> Self {
        Self {
            format: FORMAT,
            sequence: record.sequence,
            previous: record.previous.map(|sum| sum.to_string()),
            session: record.session.clone(),
            at: record.at.clone(),
            event: EventV1::from(&record.event),
        }
    }
}

impl From<&Fingerprint> for FingerprintV1 {
    fn from(print: &Fingerprint) -> Self {
        Self {
            lineage: print.lineage.as_str().to_owned(),
            serial: print.serial.0,
            sha256: print.sha256.to_string(),
            md5: print.md5.to_string(),
            size: print.size,
        }
    }
}

impl From<&Migration> for MigrationV1 {
    fn from(migration: &Migration) -> Self {
        let state = |change: &StateChange| StateV1 {
            state: state_text(&change.id),
            place: change.place.clone(),
            lock: change.lock.as_str().to_owned(),
            wave: change.wave,
            fence: change.fence,
            before: change.before.as_ref().map(FingerprintV1::from),
            after: FingerprintV1::from(&change.after),
        };
        Self {
            id: migration.id.to_string(),
            states: migration.states().iter().map(state).collect(),
            plan: migration.plan.clone(),
        }
    }
}

fn write_mirrors(writes: &[Writing]) -> Vec<WritingV1> {
    let mirror = |write: &Writing| WritingV1 {
        state: state_text(&write.state),
        before: write.before.map(|sum| sum.to_string()),
        after: write.after.map(|sum| sum.to_string()),
    };
    writes.iter().map(mirror).collect()
}

impl From<&Event> for EventV1 {
    fn from(event: &Event) -> Self {
        match event {
            Event::Started(migration) => Self::Started {
                migration: MigrationV1::from(&**migration),
            },
            Event::BackupsIntended { originals } => Self::BackupsIntended {
                originals: originals
                    .iter()
                    .map(|original| OriginalV1 {
                        state: state_text(&original.state),
                        version_id: original.version_id.clone(),
                    })
                    .collect(),
            },
            Event::WaveIntended { wave, writes } => Self::WaveIntended {
                wave: *wave,
                writes: write_mirrors(writes),
            },
            Event::ReleaseIntended => Self::ReleaseIntended,
            Event::Fenced => Self::Fenced,
            Event::FenceReleaseIntended => Self::FenceReleaseIntended,
            Event::Completed => Self::Completed,
            Event::AbortIntended { reason } => Self::AbortIntended {
                reason: reason.clone(),
            },
            Event::Aborted => Self::Aborted,
            Event::UndoStarted { images } => Self::UndoStarted {
                images: images
                    .iter()
                    .map(|image| ImageV1 {
                        state: state_text(&image.state),
                        restored: FingerprintV1::from(&image.restored),
                    })
                    .collect(),
            },
            Event::UndoWaveIntended { wave, writes } => Self::UndoWaveIntended {
                wave: *wave,
                writes: write_mirrors(writes),
            },
            Event::UndoReleaseIntended => Self::UndoReleaseIntended,
            Event::Undone => Self::Undone,
            Event::UndoAbortIntended { reason } => Self::UndoAbortIntended {
                reason: reason.clone(),
            },
            Event::UndoAborted => Self::UndoAborted,
            Event::DiscardIntended => Self::DiscardIntended,
            Event::Discarded => Self::Discarded,
            Event::Resumed => Self::Resumed,
            Event::FoundStuck { states } => Self::FoundStuck {
                states: states
                    .iter()
                    .map(|(state, found)| FoundV1 {
                        state: state_text(state),
                        found: found.map(|sum| sum.to_string()),
                    })
                    .collect(),
            },
        }
    }
}
