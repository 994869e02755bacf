//! What must be true of a world: always, and when nobody is at work.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use super::fixture::{NAMES, SECRET, id, migration_id, originals, plan};
use super::harness::{World, found};
use crate::backend::DigestStanding;
use crate::journal::Phase;
use crate::plan::migration::After;
use crate::state::{Sha256Digest, Snapshot};

/// All objects there are.
fn all_objects() -> BTreeSet<String> {
    let world = World::memory();
    NAMES.iter().flat_map(|name| world.objects(name)).collect()
}

/// What holds at every moment, whatever was cut off where: no object is in no state; one that is in two states is under
/// our locks in both; what we overwrote has its backup, until it is discarded; no secret is anywhere but in states and
/// backups.
#[track_caller]
pub(super) fn check_always(world: &World) {
    static ALL: LazyLock<BTreeSet<String>> = LazyLock::new(all_objects);
    let mut owners: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for name in NAMES {
        for object in world.objects(name) {
            owners.entry(object).or_default().push(name);
        }
    }
    let found: BTreeSet<String> = owners.keys().cloned().collect();
    assert_eq!(found, *ALL, "an object is lost");
    for (object, names) in &owners {
        assert!(names.len() <= 2, "{object} is in {names:?}");
        if names.len() == 2 {
            assert!(
                names.iter().all(|name| world.is_locked(name)),
                "{object} is in {names:?}, and not all are locked"
            );
        }
    }
    check_originals(world);
    for (name, bytes) in world.sidecars() {
        let text = String::from_utf8_lossy(&bytes);
        assert_eq!(
            text.contains(SECRET),
            name.contains("/backup/"),
            "{name} and the secret"
        );
    }
}

/// Whatever the migration wrote over an original, the original is beside it.
#[track_caller]
fn check_originals(world: &World) {
    let phase = found(&world.handles()).map(|found| found.journal().phase());
    if let Ok(Phase::Discarding(_) | Phase::Discarded(_)) = phase {
        return;
    }
    let backup = format!("backup/{}.tfstate", migration_id()).parse().unwrap();
    for (name, original) in originals() {
        let written = written(name);
        let stands = world.bytes(name).as_deref().map(Sha256Digest::of);
        if written.is_some() && stands == written {
            let copied = world.open(name).get_sidecar(&backup).unwrap();
            assert!(
                copied.is_some_and(|bytes| bytes == original.as_bytes()),
                "{name} was overwritten, and its original is not kept"
            );
        }
    }
}

/// What the migration writes to a state, if it does.
fn written(name: &str) -> Option<Sha256Digest> {
    match &plan().state(&id(name))?.after {
        After::Written(print) => Some(print.sha256),
        After::Unchanged => None,
    }
}

/// How a world must look when nobody is at work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// Never begun, or given up.
    Original,
    /// Applied and fenced.
    Fenced,
    /// Applied, fence down.
    Completed,
    /// Applied and taken back, or taken back in the middle.
    Undone,
}

/// Checks all invariants of a world at rest.
#[track_caller]
pub(super) fn check_end(world: &World, end: End) {
    check_always(world);
    for name in NAMES {
        assert_eq!(
            world.is_locked(name),
            end == End::Fenced && name == "mono",
            "lock of {name} at {end:?}"
        );
        check_content(world, name, end);
        let handle = world.open(name);
        let digest = handle.read().unwrap().digest;
        let fits = match digest {
            DigestStanding::NotKept | DigestStanding::Matches => true,
            DigestStanding::Missing => world.bytes(name).is_none(),
            DigestStanding::Stale { .. } => false,
        };
        assert!(fits, "digest of {name} at {end:?}: {digest:?}");
        check_backup(world, name, end);
    }
    if let World::Local(dir) = world {
        check_files(dir.path(), end);
    }
}

#[track_caller]
fn check_content(world: &World, name: &str, end: End) {
    let original = originals().get(name).cloned();
    let bytes = world.bytes(name);
    let sha = bytes.as_deref().map(Sha256Digest::of);
    let before = original.as_ref().map(|text| Sha256Digest::of(text.as_bytes()));
    let after = written(name).or(before);
    match end {
        End::Original => assert_eq!(sha, before, "{name}"),
        End::Fenced | End::Completed => assert_eq!(sha, after, "{name}"),
        End::Undone => {
            // The original, but for a serial that may be two higher.
            let text = bytes.map(|bytes| String::from_utf8(bytes).unwrap());
            let serial = world.serial(name);
            let raised = original.clone().map(|text| {
                let from = Snapshot::read(text.clone()).unwrap().unwrap().serial().0;
                text.replace(
                    &format!("\"serial\": {from},"),
                    &format!("\"serial\": {},", from + 2),
                )
            });
            assert!(text == original || text == raised, "{name}, serial {serial:?}");
        }
    }
}

#[track_caller]
fn check_backup(world: &World, name: &str, end: End) {
    let is_written = written(name).is_some();
    let wanted = originals().get(name).filter(|_| is_written).cloned();
    let backup = format!("backup/{}.tfstate", migration_id()).parse().unwrap();
    let found = world.open(name).get_sidecar(&backup).unwrap();
    match (end, found) {
        // An undo or an end before the backups were made leaves none.
        (End::Original | End::Undone, None) => {}
        (_, found) => assert_eq!(
            found.map(|bytes| String::from_utf8(bytes).unwrap()),
            wanted,
            "backup of {name} at {end:?}"
        ),
    }
}

/// Nothing but states, sidecars and the fence lies around; what holds content is for its owner only.
#[track_caller]
fn check_files(root: &Path, end: End) {
    use std::os::unix::fs::PermissionsExt as _;
    let mut stack = vec![root.to_path_buf()];
    while let Some(dir) = stack.pop() {
        for entry in fs::read_dir(&dir).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            let inside: PathBuf = path.strip_prefix(root).unwrap().to_path_buf();
            let text = inside.display().to_string();
            let beside = text.contains(".terraform.tfstate.stackcut/");
            if path.is_dir() {
                let fence = name == ".terraform.tfstate.lock.info";
                assert!(
                    !fence || (end == End::Fenced && text.starts_with("mono/")),
                    "{text}"
                );
                let known = name == ".terraform.tfstate.stackcut" || fence || !name.starts_with('.');
                assert!(known, "{text} at {end:?}");
                stack.push(path);
                continue;
            }
            assert!(!(beside && name.starts_with('.')), "{text} at {end:?}");
            if beside {
                let mode = fs::metadata(&path).unwrap().permissions().mode();
                assert_eq!(mode & 0o077, 0, "{text} has mode {mode:o}");
            }
        }
    }
}
