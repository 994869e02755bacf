//! What an undo gives back, as its first record tells it.

use super::backup;
use super::error::Cause;
use super::lock::store;
use super::look::look_at;
use super::parallel;
use super::walk::Walk;
use crate::journal::{Event, Image, Misfit, Phase, Standing, StateChange};

impl Walk<'_> {
    /// Returns the record that begins an undo, or gives up what was never begun. An undo begins with all originals in reach:
    /// what it takes back later, this record must have told.
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
        let images = parallel::each(self.context.parallelism, &changes, |change| self.image(change));
        let (mut known, mut misfits) = (Vec::new(), Vec::new());
        for image in images {
            match image {
                Ok(image) => known.push(image),
                Err(Cause::Stuck(found)) => misfits.extend(found),
                Err(cause) => return Err(cause),
            }
        }
        if misfits.is_empty() {
            Ok(Some(Event::UndoStarted { images: known }))
        } else {
            Err(Cause::Stuck(misfits))
        }
    }

    fn image(&self, change: &StateChange) -> Result<Image, Cause> {
        let bytes = backup::restored(change, self.original(change)?)?;
        Ok(Image {
            state: change.id.clone(),
            restored: backup::fingerprint(change, &bytes),
        })
    }

    /// Reads an original: from its backup, or where it still stands because it was not overwritten yet.
    fn original(&self, change: &StateChange) -> Result<Vec<u8>, Cause> {
        let journal = self.writer.journal();
        let store = store(self.handles, &change.id)?;
        let may_lack_copies = matches!(journal.phase(), Phase::Writing(_));
        match backup::load(store, change, &journal.migration().id) {
            Err(cause @ (Cause::BackupMissing { .. } | Cause::BackupDiffers { .. })) if may_lack_copies => {
                let seen = look_at(&self.context, self.handles, journal, change)?;
                match (seen.standing, seen.original) {
                    (Standing::Before, Some(bytes)) => Ok(bytes),
                    // The copy was there, and is needed.
                    (Standing::After, _) => Err(cause),
                    // Somebody else wrote over it.
                    _ => Err(Cause::Stuck(vec![Misfit {
                        change: change.clone(),
                        found: seen.sighting,
                        standing: seen.standing,
                    }])),
                }
            }
            copied => copied,
        }
    }
}
