//! Format 3 of a record: one line of JSON that ends in its own checksum.
//!
//! ```text
//! {"format":3,"sequence":2,"previous":"<sum of record 1>","session":"…","at":"…","event":{"kind":"…",…},"sum":"<sha256>"}
//! ```
//!
//! Formats 1 and 2 are read as well. In both, each wave had a record of its own, and the backups were durable with the
//! first one's; now one record announces all writes, and the backups are durable when the first state that exists is
//! written. In format 1, `backups_intended` announced the backups and told what originals the stores keep.

use serde::{Deserialize, Serialize};

use super::error::JournalError;
use super::event::{Event, Image, Original, Writing};
use super::migration::{Migration, StateChange};
use super::record::Record;
use crate::stack::{LockId, StackName, StateId};
use crate::state::{Fingerprint, Lineage, Serial, Sha256Digest};

/// The format written here, and the newest one read.
pub const FORMAT: u64 = 3;

/// Returns a record's JSON object, without its checksum.
pub(super) fn write(record: &Record) -> String {
    serde_json::to_string(&RecordText::from(record)).expect("strings and numbers always serialise")
}

/// Reads a record's JSON object, without its checksum.
pub(super) fn read(sequence: u64, text: &str) -> Result<Record, JournalError> {
    let mirror: RecordText = serde_json::from_str(text).map_err(|error| JournalError::Unreadable {
        sequence,
        fault: format!("unexpected content at column {}", error.column()),
    })?;
    mirror.into_record(sequence)
}

#[derive(Serialize, Deserialize)]
struct RecordText {
    format: u64,
    sequence: u64,
    previous: Option<String>,
    session: String,
    at: String,
    event: EventText,
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum EventText {
    Started {
        migration: MigrationText,
    },
    BackupsIntended {
        originals: Vec<OriginalText>,
    },
    WaveIntended {
        wave: u32,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        originals: Vec<OriginalText>,
        writes: Vec<WritingText>,
    },
    WritesIntended {
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        originals: Vec<OriginalText>,
        writes: Vec<WritingText>,
    },
    ReleaseIntended,
    Fenced,
    FenceReleaseIntended,
    Completed,
    AbortIntended {
        reason: String,
    },
    Aborted,
    UndoStarted {
        images: Vec<ImageText>,
    },
    UndoWaveIntended {
        wave: u32,
        writes: Vec<WritingText>,
    },
    UndoReleaseIntended,
    Undone,
    UndoAbortIntended {
        reason: String,
    },
    UndoAborted,
    DiscardIntended,
    Discarded,
    Resumed,
    FoundStuck {
        states: Vec<FoundText>,
    },
}

#[derive(Serialize, Deserialize)]
struct MigrationText {
    id: String,
    states: Vec<StateText>,
    plan: String,
}

#[derive(Serialize, Deserialize)]
struct StateText {
    state: String,
    place: String,
    lock: String,
    wave: u32,
    fence: bool,
    before: Option<FingerprintText>,
    after: FingerprintText,
}

#[derive(Serialize, Deserialize)]
struct FingerprintText {
    lineage: String,
    serial: u64,
    sha256: String,
    md5: String,
    size: u64,
}

#[derive(Serialize, Deserialize)]
struct OriginalText {
    state: String,
    version_id: String,
}

#[derive(Serialize, Deserialize)]
struct WritingText {
    state: String,
    before: Option<String>,
    after: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct ImageText {
    state: String,
    restored: FingerprintText,
}

#[derive(Serialize, Deserialize)]
struct FoundText {
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

    fn fingerprint(&self, mirror: FingerprintText) -> Result<Fingerprint, JournalError> {
        Ok(Fingerprint {
            lineage: Lineage::new(mirror.lineage),
            serial: Serial(mirror.serial),
            sha256: self.sha(&mirror.sha256)?,
            md5: mirror.md5.parse().map_err(|_| self.fault("a hash is not one"))?,
            size: mirror.size,
        })
    }

    fn change(&self, mirror: StateText) -> Result<StateChange, JournalError> {
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

    fn migration(&self, mirror: MigrationText) -> Result<Migration, JournalError> {
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

    fn originals(&self, mirrors: Vec<OriginalText>) -> Result<Vec<Original>, JournalError> {
        let original = |mirror: OriginalText| {
            Ok(Original {
                state: self.state(&mirror.state)?,
                version_id: mirror.version_id,
            })
        };
        mirrors.into_iter().map(original).collect()
    }

    fn writes(&self, mirrors: Vec<WritingText>) -> Result<Vec<Writing>, JournalError> {
        let write = |mirror: WritingText| {
            Ok(Writing {
                state: self.state(&mirror.state)?,
                before: self.sha_or_none(mirror.before.as_deref())?,
                after: self.sha_or_none(mirror.after.as_deref())?,
            })
        };
        mirrors.into_iter().map(write).collect()
    }

    fn images(&self, mirrors: Vec<ImageText>) -> Result<Vec<Image>, JournalError> {
        let image = |mirror: ImageText| {
            Ok(Image {
                state: self.state(&mirror.state)?,
                restored: self.fingerprint(mirror.restored)?,
            })
        };
        mirrors.into_iter().map(image).collect()
    }

    fn event(&self, mirror: EventText) -> Result<Event, JournalError> {
        Ok(match mirror {
            EventText::Started { migration } => Event::Started(Box::new(self.migration(migration)?)),
            EventText::BackupsIntended { originals } => Event::BackupsIntended {
                originals: self.originals(originals)?,
            },
            EventText::WaveIntended {
                wave,
                originals,
                writes,
            } => Event::WaveIntended {
                wave,
                originals: self.originals(originals)?,
                writes: self.writes(writes)?,
            },
            EventText::WritesIntended { originals, writes } => Event::WritesIntended {
                originals: self.originals(originals)?,
                writes: self.writes(writes)?,
            },
            EventText::ReleaseIntended => Event::ReleaseIntended,
            EventText::Fenced => Event::Fenced,
            EventText::FenceReleaseIntended => Event::FenceReleaseIntended,
            EventText::Completed => Event::Completed,
            EventText::AbortIntended { reason } => Event::AbortIntended { reason },
            EventText::Aborted => Event::Aborted,
            EventText::UndoStarted { images } => Event::UndoStarted {
                images: self.images(images)?,
            },
            EventText::UndoWaveIntended { wave, writes } => Event::UndoWaveIntended {
                wave,
                writes: self.writes(writes)?,
            },
            EventText::UndoReleaseIntended => Event::UndoReleaseIntended,
            EventText::Undone => Event::Undone,
            EventText::UndoAbortIntended { reason } => Event::UndoAbortIntended { reason },
            EventText::UndoAborted => Event::UndoAborted,
            EventText::DiscardIntended => Event::DiscardIntended,
            EventText::Discarded => Event::Discarded,
            EventText::Resumed => Event::Resumed,
            EventText::FoundStuck { states } => {
                let found = |mirror: FoundText| {
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

impl RecordText {
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

impl From<&Record> for RecordText {
    fn from(record: &Record) -> Self {
        Self {
            format: FORMAT,
            sequence: record.sequence,
            previous: record.previous.map(|sum| sum.to_string()),
            session: record.session.clone(),
            at: record.at.clone(),
            event: EventText::from(&record.event),
        }
    }
}

impl From<&Fingerprint> for FingerprintText {
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

impl From<&Migration> for MigrationText {
    fn from(migration: &Migration) -> Self {
        let state = |change: &StateChange| StateText {
            state: state_text(&change.id),
            place: change.place.clone(),
            lock: change.lock.as_str().to_owned(),
            wave: change.wave,
            fence: change.fence,
            before: change.before.as_ref().map(FingerprintText::from),
            after: FingerprintText::from(&change.after),
        };
        Self {
            id: migration.id.to_string(),
            states: migration.states().iter().map(state).collect(),
            plan: migration.plan.clone(),
        }
    }
}

fn original_mirrors(originals: &[Original]) -> Vec<OriginalText> {
    let mirror = |original: &Original| OriginalText {
        state: state_text(&original.state),
        version_id: original.version_id.clone(),
    };
    originals.iter().map(mirror).collect()
}

fn write_mirrors(writes: &[Writing]) -> Vec<WritingText> {
    let mirror = |write: &Writing| WritingText {
        state: state_text(&write.state),
        before: write.before.map(|sum| sum.to_string()),
        after: write.after.map(|sum| sum.to_string()),
    };
    writes.iter().map(mirror).collect()
}

impl From<&Event> for EventText {
    fn from(event: &Event) -> Self {
        match event {
            Event::Started(migration) => Self::Started {
                migration: MigrationText::from(&**migration),
            },
            Event::BackupsIntended { originals } => Self::BackupsIntended {
                originals: original_mirrors(originals),
            },
            Event::WaveIntended {
                wave,
                originals,
                writes,
            } => Self::WaveIntended {
                wave: *wave,
                originals: original_mirrors(originals),
                writes: write_mirrors(writes),
            },
            Event::WritesIntended { originals, writes } => Self::WritesIntended {
                originals: original_mirrors(originals),
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
                    .map(|image| ImageText {
                        state: state_text(&image.state),
                        restored: FingerprintText::from(&image.restored),
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
                    .map(|(state, found)| FoundText {
                        state: state_text(state),
                        found: found.map(|sum| sum.to_string()),
                    })
                    .collect(),
            },
        }
    }
}
