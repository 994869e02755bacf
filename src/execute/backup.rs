//! The originals: copied beside their states before the first overwrite, read back, and kept until they are discarded.

use super::error::Cause;
use super::lock::failed;
use crate::backend::{BackendError, SidecarName, StateBackend};
use crate::journal::{Migration, MigrationId, StateChange};
use crate::state::{Fingerprint, Serial, Sha256Digest, Snapshot, TopField};

/// Returns the name of a migration's backups; the same beside every state.
pub(super) fn name(id: &MigrationId) -> SidecarName {
    format!("backup/{id}.tfstate")
        .parse()
        .expect("an ID makes a name")
}

/// Returns the states whose originals are copied: those that exist and are overwritten.
pub(super) fn needed(migration: &Migration) -> impl Iterator<Item = &StateChange> {
    migration
        .states()
        .iter()
        .filter(|change| !change.is_new() && !change.is_unchanged())
}

/// Writes the backup of an original. `bytes` are known to be the original, which still stands.
pub(super) fn send(
    store: &dyn StateBackend,
    change: &StateChange,
    id: &MigrationId,
    bytes: &[u8],
) -> Result<(), Cause> {
    let name = name(id);
    let failed = |source| failed(change, source);
    match store.create_sidecar(&name, bytes) {
        Err(BackendError::PreconditionFailed { .. }) => {
            let found = store.get_sidecar(&name).map_err(failed)?;
            if found.as_deref() != Some(bytes) {
                // Only a torn copy can be there under our own name, and the original still stands.
                store.put_sidecar(&name, bytes).map_err(failed)?;
            }
            Ok(())
        }
        sent => sent.map_err(failed),
    }
}

/// Makes sure that a backup is there, and is the original.
pub(super) fn verify(
    store: &dyn StateBackend,
    change: &StateChange,
    id: &MigrationId,
    bytes: &[u8],
) -> Result<(), Cause> {
    let name = name(id);
    let found = store
        .get_sidecar(&name)
        .map_err(|source| failed(change, source))?;
    // Equal bytes say what equal hashes would, and sooner.
    match found {
        Some(found) if found == bytes => Ok(()),
        Some(_) => Err(differs(change, &name)),
        None => Err(missing(change, &name)),
    }
}

fn missing(change: &StateChange, name: &SidecarName) -> Cause {
    Cause::BackupMissing {
        state: change.id.clone(),
        name: name.to_string(),
    }
}

fn differs(change: &StateChange, name: &SidecarName) -> Cause {
    Cause::BackupDiffers {
        state: change.id.clone(),
        name: name.to_string(),
    }
}

/// Reads a backup; what comes back is the original.
pub(super) fn load(
    store: &dyn StateBackend,
    change: &StateChange,
    id: &MigrationId,
) -> Result<Vec<u8>, Cause> {
    let name = name(id);
    let found = store
        .get_sidecar(&name)
        .map_err(|source| failed(change, source))?;
    let Some(bytes) = found else {
        return Err(missing(change, &name));
    };
    let original = change.before.as_ref().map(|before| before.sha256);
    if original != Some(Sha256Digest::of(&bytes)) {
        return Err(differs(change, &name));
    }
    Ok(bytes)
}

/// Returns what an undo writes: the original, byte for byte, under the serial after the migration's.
///
/// A serial must never fall: Terraform refuses to go back, and a reader who saw the migrated state must see that this
/// is a later one.
pub(super) fn restored(change: &StateChange, original: Vec<u8>) -> Result<Vec<u8>, Cause> {
    let no_serial = || Cause::NoSerial(change.id.clone());
    let serial = change.after.serial.next().ok_or_else(no_serial)?;
    let snapshot = Snapshot::read(original).ok().flatten().ok_or_else(no_serial)?;
    let (range, spliced) = match snapshot.field(TopField::Serial) {
        Some(field) => (field.value, serial.to_string()),
        // No serial is serial 0; the migration gave it one in the same place.
        None => {
            let end = snapshot.field(TopField::Version).ok_or_else(no_serial)?.value.end;
            (end..end, format!(",\"serial\":{serial}"))
        }
    };
    let mut bytes = snapshot.into_bytes();
    bytes.splice(range, spliced.into_bytes());
    Ok(bytes)
}

/// Returns the fingerprint of what an undo writes.
pub(super) fn fingerprint(change: &StateChange, restored: &[u8]) -> Fingerprint {
    let serial = change.after.serial.next().unwrap_or(Serial(u64::MAX));
    Fingerprint::of_bytes(change.after.lineage.clone(), serial, restored)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::execute::tests::{change_of, id, originals};

    fn restore(text: &str, serial: u64) -> Result<String, Cause> {
        let mut change = change_of("mono");
        change.after.serial = Serial(serial);
        restored(&change, text.as_bytes().to_vec()).map(|bytes| String::from_utf8(bytes).unwrap())
    }

    #[test]
    fn only_the_serial_differs() {
        let text = originals()["mono"].clone();
        assert_eq!(
            restore(&text, 42).unwrap(),
            text.replace("\"serial\": 41,", "\"serial\": 43,")
        );
        let compact = "{\"version\":4,\"terraform_version\":\"1.8.0\",\"serial\":9,\"lineage\":\"9\",\"outputs\":{},\
                       \"resources\":[]}\n";
        assert_eq!(
            restore(compact, 99).unwrap(),
            compact.replace("\"serial\":9,", "\"serial\":100,")
        );
        let without = compact.replace("\"serial\":9,", "");
        assert_eq!(
            restore(&without, 1).unwrap(),
            without.replace("\"version\":4,", "\"version\":4,\"serial\":2,")
        );
        let last = restore(&text, u64::MAX).unwrap_err();
        assert!(matches!(last, Cause::NoSerial(state) if state == id("mono")));
        assert!(restore("", 42).is_err());
    }
}
