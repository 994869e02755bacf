//! Looking at states, each once for as long as our lock keeps it as it is.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;

use super::Handles;
use super::context::{Context, Progress};
use super::error::Cause;
use super::lock::{failed, store};
use super::parallel::{self, Turns};
use crate::backend::{Confirmed, DigestStanding, Expect, Reading};
use crate::journal::{DigestSight, Journal, Phase, Sighting, Standing, StateChange, standing};
use crate::stack::StateId;
use crate::state::{Fingerprint, Sha256Digest, Snapshot};

/// A state as it was seen under our lock.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) sighting: Sighting,
    pub(super) standing: Standing,
    /// What a write must expect.
    pub(super) expect: Expect,
    /// The original, as long as it stands.
    pub(super) original: Option<Vec<u8>>,
}

/// All that was seen and still holds.
#[derive(Debug)]
pub(super) struct Looks {
    seen: BTreeMap<StateId, Seen>,
    turns: Turns,
}

impl Looks {
    /// `bound` is how many contents are read at once.
    pub(super) fn new(bound: NonZeroUsize) -> Self {
        Self {
            seen: BTreeMap::new(),
            turns: Turns::new(bound),
        }
    }

    /// Reads every state that was not seen since it was last touched.
    pub(super) fn complete(
        &mut self,
        context: &Context<'_>,
        handles: &Handles,
        journal: &Journal,
    ) -> Result<(), Cause> {
        let unseen: Vec<&StateChange> = journal
            .migration()
            .states()
            .iter()
            .filter(|change| !self.seen.contains_key(&change.id))
            .collect();
        let nothing_written = journal.phase() == Phase::Preparing;
        let readings = parallel::each(parallel::wide(context.parallelism, handles), &unseen, |change| {
            // What should not be there yet has no content to read.
            let absent = nothing_written && change.is_new();
            if absent && let Some(seen) = confirm(context, handles, journal, change, None)? {
                return Ok(seen);
            }
            let _turn = (!absent).then(|| self.turns.take());
            look_at(context, handles, journal, change)
        });
        for (change, seen) in unseen.iter().zip(readings) {
            self.seen.insert(change.id.clone(), seen?);
        }
        Ok(())
    }

    /// Looks once more at one state that was just touched; to be [noted](Self::note). `told` is what the store confirmed
    /// of it without its content, and what it was asked for.
    pub(super) fn back(
        &self,
        context: &Context<'_>,
        handles: &Handles,
        journal: &Journal,
        change: &StateChange,
        told: Option<(Option<&Fingerprint>, Confirmed)>,
    ) -> Option<Seen> {
        if let Some((expected, confirmed)) = told {
            context.tell(&Progress::Read(change.id.clone()));
            return Some(see_confirmed(journal, change, expected, &confirmed));
        }
        let _turn = self.turns.take();
        // If it fails, the state was not seen, and is read once more before anything follows from it.
        look_at(context, handles, journal, change).ok()
    }

    pub(super) fn note(&mut self, id: &StateId, seen: Seen) {
        self.seen.insert(id.clone(), seen);
    }

    pub(super) fn get(&self, id: &StateId) -> Option<&Seen> {
        self.seen.get(id)
    }

    /// Forgets a state that is about to be touched.
    pub(super) fn forget(&mut self, id: &StateId) {
        self.seen.remove(id);
    }

    /// Forgets everything, where another record of the journal changes what versions are known.
    pub(super) fn forget_all(&mut self) {
        self.seen.clear();
    }

    pub(super) fn sightings(&self) -> BTreeMap<StateId, Sighting> {
        self.seen
            .iter()
            .map(|(id, seen)| (id.clone(), seen.sighting.clone()))
            .collect()
    }
}

/// Sees a state as expected without reading it, if the store can tell.
fn confirm(
    context: &Context<'_>,
    handles: &Handles,
    journal: &Journal,
    change: &StateChange,
    expected: Option<&Fingerprint>,
) -> Result<Option<Seen>, Cause> {
    if context.interrupt.is_raised() {
        return Err(Cause::Interrupted);
    }
    let confirmed = store(handles, &change.id)?
        .confirm(expected)
        .map_err(|source| failed(change, source))?;
    Ok(confirmed.map(|confirmed| {
        context.tell(&Progress::Read(change.id.clone()));
        see_confirmed(journal, change, expected, &confirmed)
    }))
}

fn see_confirmed(
    journal: &Journal,
    change: &StateChange,
    expected: Option<&Fingerprint>,
    confirmed: &Confirmed,
) -> Seen {
    let sighting = Sighting {
        sha256: expected.map(|print| print.sha256),
        head: None,
        digest: digest_sight(confirmed.digest, expected.is_some()),
        version_id: None,
    };
    Seen {
        standing: standing(change, journal.restored(&change.id), &sighting),
        sighting,
        expect: confirmed.expect(),
        original: None,
    }
}

fn digest_sight(digest: DigestStanding, is_present: bool) -> DigestSight {
    match digest {
        DigestStanding::Missing if is_present => DigestSight::Missing,
        DigestStanding::NotKept | DigestStanding::Matches | DigestStanding::Missing => DigestSight::Fits,
        DigestStanding::Stale { stored } => DigestSight::Differs(stored),
    }
}

/// Reads a state.
pub(super) fn look_at(
    context: &Context<'_>,
    handles: &Handles,
    journal: &Journal,
    change: &StateChange,
) -> Result<Seen, Cause> {
    if context.interrupt.is_raised() {
        return Err(Cause::Interrupted);
    }
    let reading = store(handles, &change.id)?
        .read()
        .map_err(|source| failed(change, source))?;
    let seen = see(journal, change, reading);
    context.tell(&Progress::Read(change.id.clone()));
    Ok(seen)
}

fn see(journal: &Journal, change: &StateChange, reading: Reading) -> Seen {
    let expect = reading.expect();
    let bytes_sha = reading.bytes().map(Sha256Digest::of);
    let digest = digest_sight(reading.digest, reading.object.is_some());
    let mut sighting = Sighting {
        sha256: bytes_sha,
        head: None,
        digest,
        version_id: reading
            .object
            .as_ref()
            .and_then(|object| object.version_id.clone()),
    };
    let standing = standing(change, journal.restored(&change.id), &sighting);
    let bytes = reading
        .object
        .map(|object| object.bytes)
        .filter(|bytes| !bytes.is_empty());
    let mut original = None;
    match (standing, bytes) {
        (Standing::Before, bytes) => {
            sighting.head = change
                .before
                .as_ref()
                .map(|before| (before.lineage.clone(), before.serial));
            original = bytes;
        }
        // Only a version that nobody knows is looked into, for the message.
        (Standing::Neither, Some(bytes)) => {
            sighting.head = Snapshot::read(bytes)
                .ok()
                .flatten()
                .map(|snapshot| (snapshot.lineage().clone(), snapshot.serial()));
        }
        _ => {}
    }
    Seen {
        sighting,
        standing,
        expect,
        original,
    }
}
