//! The two locks of a state, in Terraform's protocol: the object `KEY.tflock`, and the item `BUCKET/KEY` of the table.
//!
//! Where both are configured the object comes first, at taking and at releasing. A lock is told ours by its ID, which
//! was chosen before the first request: so a repeated request that meets its own first attempt is recognised.
//!
//! An item that this handle has put up is released without a look, on condition that it still says just what was
//! written: DynamoDB keeps to that everywhere. A lock object is looked at first: not every store that speaks S3 heeds the
//! condition of a deletion, and without a look the lock of somebody else could go.

use std::sync::Mutex;

use super::clients::S3Clients;
use super::items::{Items, Outcome};
use super::objects::Objects;
use crate::backend::{BackendError, Expect, LockId, LockInfo, LockInfoError, StandingLock, Version};

/// How often a lock that vanishes while it is looked at is tried again at once.
const LOOKS: usize = 3;

/// The locks of one state.
pub(super) struct Locks<'a> {
    pub(super) clients: &'a S3Clients,
    pub(super) objects: &'a Objects,
    /// The key of the lock object, where one is used.
    pub(super) file: Option<String>,
    /// The lock table, where one is used.
    pub(super) items: Option<&'a Items>,
    /// The state: `bucket/path`.
    pub(super) lock_id: &'a str,
    /// The state, for people.
    pub(super) at: String,
    /// The ID whose lock object was put up by a taking that has not come to its end.
    pub(super) half: &'a Mutex<Option<LockId>>,
    /// The item that this handle has seen to be its own.
    pub(super) known: &'a Mutex<Option<Known>>,
}

/// A lock item of ours: what it says.
pub(super) struct Known {
    id: LockId,
    info: String,
}

/// A lock object as it was read.
struct File {
    standing: StandingLock,
    version: Version,
}

/// A lock item as it was read.
struct Item {
    standing: StandingLock,
    /// Its text; `None` where it has none.
    info: Option<String>,
}

impl Locks<'_> {
    /// Takes all configured locks, or none.
    pub(super) fn take(&self, info: &LockInfo) -> Result<(), BackendError> {
        if self.file.is_none() && self.items.is_none() {
            return Err(BackendError::LockingNotConfigured { at: self.at.clone() });
        }
        let text = info.with_path(self.lock_id).to_json();
        if let Some(key) = &self.file {
            self.take_file(key, &info.id, &text)?;
        }
        if let Some(items) = self.items
            && let Err(error) = self.take_item(items, &info.id, &text)
        {
            // A lost answer may have been a success: what stands then is ours, and is completed or released by its ID.
            if !error.is_transient() {
                self.take_back(&info.id);
            }
            return Err(error);
        }
        *self.half.lock().expect("no holder panics") = None;
        Ok(())
    }

    fn take_file(&self, key: &str, id: &LockId, text: &str) -> Result<(), BackendError> {
        let half = || *self.half.lock().expect("no holder panics") = Some(id.clone());
        for _ in 0..LOOKS {
            let put = self.objects.put(key, text.as_bytes(), Some(&Expect::Absent));
            match self.clients.wait(put) {
                Ok(_) => {
                    half();
                    return Ok(());
                }
                Err(BackendError::PreconditionFailed { .. }) => {}
                Err(error) => {
                    if error.is_ambiguous() {
                        half();
                    }
                    return Err(error);
                }
            }
            match self.read_file(key)? {
                Some(file) if file.standing.is(id) => return Ok(()),
                Some(file) => return Err(file.standing.refusal(&self.at)),
                // Released in between.
                None => {}
            }
        }
        Err(BackendError::Conflict {
            at: self.objects.at(key),
        })
    }

    fn take_item(&self, items: &Items, id: &LockId, text: &str) -> Result<(), BackendError> {
        for _ in 0..LOOKS {
            if self.clients.wait(items.create_lock(self.lock_id, text))? == Outcome::Done {
                self.know(id, Some(text.to_owned()));
                return Ok(());
            }
            match self.read_item(items)? {
                Some(item) if item.standing.is(id) => {
                    self.know(id, item.info);
                    return Ok(());
                }
                Some(item) => return Err(item.standing.refusal(&self.at)),
                None => {}
            }
        }
        Err(BackendError::Conflict {
            at: items.at(self.lock_id),
        })
    }

    fn know(&self, id: &LockId, info: Option<String>) {
        let known = info.map(|info| Known { id: id.clone(), info });
        *self.known.lock().expect("no holder panics") = known;
    }

    /// Returns what the item of this lock says, if this handle has seen it; from now on it is not known.
    fn take_known(&self, id: &LockId) -> Option<String> {
        let known = self.known.lock().expect("no holder panics").take()?;
        (known.id == *id).then_some(known.info)
    }

    /// Takes the lock object down again that this taking has put up. One that stood before (a lock that is being taken
    /// anew after a crash, a fence) stays.
    fn take_back(&self, id: &LockId) {
        let mut half = self.half.lock().expect("no holder panics");
        let (Some(key), true) = (&self.file, half.as_ref() == Some(id)) else {
            return;
        };
        // If this fails too, the first error is the one to show; the lock that stays carries our ID, and our release or
        // the next taking finds it.
        let taken_back = self.release_file(key, id).is_ok();
        if taken_back {
            *half = None;
        }
    }

    /// Releases both parts, the object first; the second is tried even if the first fails.
    pub(super) fn release(&self, id: &LockId) -> Result<(), BackendError> {
        let file = match &self.file {
            Some(key) => self.release_file(key, id),
            None => Ok(()),
        };
        let item = match self.items {
            Some(items) => self.release_item(items, id),
            None => Ok(()),
        };
        file.and(item)
    }

    fn release_file(&self, key: &str, id: &LockId) -> Result<(), BackendError> {
        match self.read_file(key)? {
            None => Ok(()),
            Some(file) if file.standing.is(id) => {
                match self.clients.wait(self.objects.delete(key, Some(&file.version))) {
                    // Somebody else's stands there now: ours is gone.
                    Err(BackendError::PreconditionFailed { .. }) => Ok(()),
                    settled => settled,
                }
            }
            Some(file) => Err(file.standing.refusal(&self.at)),
        }
    }

    fn release_item(&self, items: &Items, id: &LockId) -> Result<(), BackendError> {
        if let Some(info) = self.take_known(id)
            && self.clients.wait(items.delete_lock(self.lock_id, &info))? == Outcome::Done
        {
            return Ok(());
        }
        // Gone, or somebody else's by now; or put up by another process.
        match self.read_item(items)? {
            None => Ok(()),
            Some(Item {
                standing,
                info: Some(info),
            }) if standing.is(id) => {
                // Refused is somebody else's lock by now: ours is gone.
                self.clients
                    .wait(items.delete_lock(self.lock_id, &info))
                    .map(drop)
            }
            Some(item) => Err(item.standing.refusal(&self.at)),
        }
    }

    /// Returns the lock that stands, of two parts whichever does.
    pub(super) fn standing(&self) -> Result<Option<StandingLock>, BackendError> {
        if let Some(key) = &self.file
            && let Some(file) = self.read_file(key)?
        {
            return Ok(Some(file.standing));
        }
        match self.items {
            Some(items) => Ok(self.read_item(items)?.map(|item| item.standing)),
            None => Ok(None),
        }
    }

    fn read_file(&self, key: &str) -> Result<Option<File>, BackendError> {
        let found = self.clients.wait(self.objects.get(key))?;
        Ok(found.map(|object| File {
            version: object.version,
            standing: standing(LockInfo::parse(&object.bytes), || {
                format!("aws s3 rm '{}'", self.objects.at(key))
            }),
        }))
    }

    fn read_item(&self, items: &Items) -> Result<Option<Item>, BackendError> {
        let found = self.clients.wait(items.get(self.lock_id, "Info"))?;
        Ok(found.map(|info| Item {
            standing: standing(
                LockInfo::parse(info.as_deref().unwrap_or_default().as_bytes()),
                || {
                    format!(
                        "delete the item `{}` of the table `{}`",
                        self.lock_id,
                        items.table()
                    )
                },
            ),
            info,
        }))
    }
}

/// Terraform frees by ID; a lock without one it cannot free.
fn standing(holder: Result<LockInfo, LockInfoError>, by_hand: impl Fn() -> String) -> StandingLock {
    let frees = match &holder {
        Ok(info) => format!("terraform force-unlock {}", info.id),
        Err(_) => by_hand(),
    };
    StandingLock { holder, frees }
}
