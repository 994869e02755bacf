//! Small migrations for the tests of this room.

use crate::journal::{DigestSight, Migration, Sighting, StateChange};
use crate::stack::{LockId, StateId};
use crate::state::{Fingerprint, Lineage, Serial};

pub(crate) fn id(name: &str) -> StateId {
    let parsed = name.parse().unwrap();
    if name == "mono" {
        StateId::Source(parsed)
    } else {
        StateId::Stack(parsed)
    }
}

/// The fingerprint of a made-up content.
pub(crate) fn print(lineage: &str, serial: u64) -> Fingerprint {
    let content = format!("{lineage} {serial}");
    Fingerprint::of_bytes(Lineage::new(lineage), Serial(serial), content.as_bytes())
}

pub(crate) fn sight(lineage: &str, serial: u64) -> Sighting {
    Sighting {
        sha256: Some(print(lineage, serial).sha256),
        head: Some((Lineage::new(lineage), Serial(serial))),
        digest: DigestSight::Fits,
        version_id: None,
    }
}

pub(crate) fn change(
    name: &str,
    place: &str,
    wave: u32,
    before: Option<(&str, u64)>,
    after: (&str, u64),
) -> StateChange {
    StateChange {
        id: id(name),
        place: place.to_owned(),
        lock: LockId::new(format!("lock-{name}")),
        wave,
        fence: name == "mono",
        before: before.map(|(lineage, serial)| print(lineage, serial)),
        after: print(after.0, after.1),
    }
}

/// An existing stack `a`, a new stack `n`, and the monolith they get their objects from.
pub(crate) fn migration() -> Migration {
    let states = vec![
        change("mono", "b/mono", 1, Some(("m", 41)), ("m", 42)),
        change("n", "b/n", 0, None, ("n", 1)),
        change("a", "b/a", 0, Some(("a", 7)), ("a", 8)),
    ];
    Migration::new("m-1".parse().unwrap(), states, "{\"plan\":\"é\"}".to_owned()).unwrap()
}
