//! What an undo gives back, as its first record tells it.

use super::backup;
use super::error::Cause;
use super::lock::store;
use super::parallel;
use super::walk::Walk;
use super::write::failed;
use crate::journal::{Event, Image, Phase, StateChange};

impl Walk<'_> {
    /// Returns the record that begins an undo, or gives up what was never begun.
    pub(super) fn undo_event(&self) -> Result<Option<Event>, Cause> {
        let journal = self.writer.journal();
        match journal.phase() {
            Phase::Preparing => {
                return Ok(Some(Event::AbortIntended {
                    reason: "undone before anything was written".to_owned(),
                }));
            }
            Phase::Writing(_)
            | Phase::Releasing
            | Phase::Fenced
            | Phase::ReleasingFence
            | Phase::Completed => {}
            _ => return Ok(None),
        }
        let migration = journal.migration();
        let changes: Vec<&StateChange> = backup::needed(migration).collect();
        let images = parallel::each(self.context.parallelism, &changes, |change| {
            let Some(original) = self.original(change)? else {
                return Ok(None);
            };
            let bytes = backup::restored(change, original)?;
            Ok(Some(Image {
                state: change.id.clone(),
                restored: backup::fingerprint(change, &bytes),
            }))
        });
        let images: Vec<Option<Image>> = images.into_iter().collect::<Result<_, Cause>>()?;
        Ok(Some(Event::UndoStarted {
            images: images.into_iter().flatten().collect(),
        }))
    }

    /// Reads an original: from its backup, or where it still stands because it was not overwritten yet. `None` where it is
    /// neither here nor there and nothing says that it was overwritten by us: whoever did, the undo will meet it.
    fn original(&self, change: &StateChange) -> Result<Option<Vec<u8>>, Cause> {
        let journal = self.writer.journal();
        let store = store(self.handles, &change.id)?;
        let may_lack_copies = matches!(journal.phase(), Phase::Writing(_));
        match backup::load(store, change, &journal.migration().id) {
            Err(cause @ (Cause::BackupMissing { .. } | Cause::BackupDiffers { .. })) if may_lack_copies => {
                let found = store.read().map_err(|source| failed(change, source))?;
                match found.object.map(|object| object.bytes) {
                    Some(bytes) if change.after.is_of(&bytes) => Err(cause),
                    found => Ok(found.filter(|bytes| backup::is_original(change, bytes))),
                }
            }
            copied => copied.map(Some),
        }
    }
}
