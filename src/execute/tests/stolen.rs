//! The one thing nobody survives in silence: our lock is freed by force, and somebody else writes. Whoever goes on or
//! back then changes not one byte of his, and says what was found.

use std::sync::Arc;

use super::harness::{NAMES, Process, World, found, is_not_started, originals};
use crate::backend::faulty::{EffectDoor, Fault};
use crate::backend::memory::MemoryStore;
use crate::execute::{ExecuteError, Handles, Kind, Outcome};
use crate::journal::Phase;
use crate::state::Snapshot;

type Verb = fn(&Process, &Handles) -> Result<Outcome, ExecuteError>;

fn store(world: &World) -> &MemoryStore {
    match world {
        World::Memory(store) => store,
        World::Local(_) => unreachable!("these worlds are in memory"),
    }
}

fn path(name: &str) -> String {
    format!("bucket/{name}.tfstate")
}

/// Frees our lock, and writes what the state holds and one resource more under the next serial. Returns that serial.
fn steal(world: &World, name: &str) -> u64 {
    let store = store(world);
    store.set_lock(&path(name), None);
    let found = world.bytes(name);
    let text = match found {
        Some(bytes) => String::from_utf8(bytes).unwrap(),
        None => originals()["other"].clone(),
    };
    let serial = Snapshot::read(text.clone()).unwrap().unwrap().serial().0;
    let resource = r#"
    {"mode":"managed","type":"terraform_data","name":"colleague","provider":"provider[\"terraform.io/builtin/terraform\"]",
     "instances":[{"schema_version":0,"attributes":{"id":"oid:colleague"},"sensitive_attributes":[]}]}"#;
    let next = format!("\"serial\": {},", serial + 1);
    let text = text.replace(&format!("\"serial\": {serial},"), &next);
    let (head, rest) = text.split_once("\"resources\": [").unwrap();
    let comma = if rest.trim_start().starts_with(']') {
        ""
    } else {
        ","
    };
    let text = format!("{head}\"resources\": [{resource}{comma}{rest}");
    assert!(Snapshot::read(text.clone()).unwrap().is_some());
    store.overwrite(&path(name), text.as_bytes());
    serial + 1
}

/// All that a colleague can lose.
fn content(world: &World) -> Vec<(Option<Vec<u8>>, Option<String>)> {
    let digests = store(world).digests();
    NAMES
        .iter()
        .map(|name| (world.bytes(name), digests.get(&path(name)).cloned()))
        .collect()
}

/// What becomes of a verb.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Expected {
    /// The person must look; nothing was touched.
    Stuck,
    /// Refused before anything was touched.
    Changed,
    /// Nothing that concerns the colleague's state was left to do.
    Done,
}

/// The worlds that a process leaves which dies at any effect of a verb.
fn deaths(start: &World, verb: Verb) -> Vec<World> {
    let mut worlds = Vec::new();
    for fault in [Fault::DiesBefore, Fault::DiesAfter] {
        for effect in 0.. {
            let world = start.fork();
            let door = Arc::new(EffectDoor::failing(effect, fault));
            let result = verb(&Process::new(&format!("{fault:?}-{effect}")), &world.gated(&door));
            if door.effects() <= effect {
                result.unwrap();
                break;
            }
            worlds.push(world);
        }
    }
    worlds
}

#[track_caller]
fn check(world: &World, name: &str, verb: Verb, expected: Expected) {
    let world = world.fork();
    let phase = found(&world.handles()).unwrap().journal().phase();
    let serial = steal(&world, name);
    let before = content(&world);
    let at = NAMES.iter().position(|other| *other == name).unwrap();
    let result = verb(&Process::new("successor"), &world.handles());
    let after = content(&world);
    assert_eq!(before[at], after[at], "{name}, died while {phase}");
    let place = format!("{name}, died while {phase}: {result:?}");
    match (expected, result) {
        (Expected::Done, Ok(_)) => {}
        (Expected::Stuck | Expected::Changed, Err(error)) => {
            let kind = match expected {
                Expected::Stuck => Kind::Stuck,
                _ => Kind::StateChanged,
            };
            assert_eq!(error.kind(), kind, "{place}");
            assert_eq!(before, after, "{place}");
            let notes = error.notes().join("\n");
            assert!(error.to_string().contains(&format!("`{name}`")), "{place}");
            assert!(notes.contains(&format!("found serial {serial} of")), "{notes}");
        }
        _ => panic!("{place}, expected {expected:?}"),
    }
}

/// Whether every write of an apply was made and verified.
fn is_all_written(world: &World) -> bool {
    let applied = World::memory();
    Process::new("one").apply(&applied.handles()).unwrap();
    content(world) == content(&applied)
}

#[test]
fn after_an_apply_that_died() {
    let worlds = deaths(&World::memory(), Process::apply);
    let mut stuck = 0;
    for world in worlds.iter().filter(|world| !is_not_started(&world.handles())) {
        let phase = found(&world.handles()).unwrap().journal().phase();
        let all_written = is_all_written(world);
        for name in NAMES {
            let (resume, undo) = match phase {
                // Nothing was written, and so nothing is: an apply is refused, and there is nothing to undo.
                Phase::Preparing => (Expected::Changed, Expected::Done),
                // The last write is there, with its digest. A colleague went on from what the migration left; only in
                // the last wave itself would that not be known.
                Phase::Writing(2) if all_written && name != "old" => (Expected::Done, Expected::Stuck),
                Phase::Writing(_) => (Expected::Stuck, Expected::Stuck),
                Phase::Releasing | Phase::Fenced => (Expected::Done, Expected::Changed),
                other => panic!("{other:?}"),
            };
            // What the migration never changes, an undo does not even look at.
            let undo = if name == "other" { Expected::Done } else { undo };
            stuck += usize::from(resume == Expected::Stuck);
            check(world, name, Process::resume, resume);
            check(world, name, Process::undo, undo);
        }
    }
    assert!(stuck > 80, "{stuck}");
}

#[test]
fn after_an_undo_that_died() {
    let start = World::memory();
    Process::new("one").apply(&start.handles()).unwrap();
    let mut stuck = 0;
    for world in deaths(&start, Process::undo) {
        let phase = found(&world.handles()).unwrap().journal().phase();
        let targets_are_back = world.bytes("fresh").is_none() && world.serial("orders") == Some(9);
        for name in NAMES {
            let is_target = matches!(name, "fresh" | "orders");
            let expected = match phase {
                _ if name == "other" => Expected::Done,
                // Resumed before its first record, there is nothing to do; the fence's lock is said to be lost.
                Phase::Fenced => Expected::Done,
                Phase::UndoLocking(_) => Expected::Changed,
                Phase::Undoing(0) if targets_are_back && !is_target => Expected::Done,
                Phase::Undoing(_) => Expected::Stuck,
                Phase::UndoReleasing | Phase::Undone => Expected::Done,
                other => panic!("{other:?}"),
            };
            stuck += usize::from(expected == Expected::Stuck);
            check(&world, name, Process::resume, expected);
            let undo = if phase == Phase::Fenced && name != "other" {
                Expected::Changed
            } else {
                expected
            };
            check(&world, name, Process::undo, undo);
        }
    }
    assert!(stuck > 50, "{stuck}");
}

/// A state without a digest item (or a lost one) is nobody's fault; only what we wrote gets one from us.
#[test]
fn a_missing_digest_stays_missing_until_we_write() {
    let start = World::memory();
    for name in ["mono", "old", "orders", "other"] {
        store(&start).set_digest(&path(name), None);
    }
    for world in deaths(&start, Process::apply) {
        if is_not_started(&world.handles()) {
            continue;
        }
        for parallelism in [1, 4] {
            let world = world.fork();
            let mut process = Process::new("two");
            process.parallelism = parallelism;
            process.undo(&world.handles()).unwrap();
            let digests = store(&world).digests();
            for (name, original) in originals() {
                let bytes = world.bytes(name).unwrap();
                let is_written = bytes != original.as_bytes();
                assert_eq!(digests.contains_key(&path(name)), is_written, "{name}");
            }
            assert!(!digests.contains_key(&path("fresh")));
        }
    }
}
