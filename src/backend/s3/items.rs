//! The calls on items of the lock table.
//!
//! Calls that many states make at the same time travel together (see [`together`](super::together)): up to a hundred
//! locks, digests or releases in one `TransactWriteItems`, up to a hundred reads in one `TransactGetItems`. A transaction
//! happens whole or not at all, and needs no other permissions than its parts do (`dynamodb:PutItem`, `GetItem`,
//! `DeleteItem`): just those that Terraform's own set-up has. `BatchGetItem` and `BatchWriteItem` would need their own, and
//! know no conditions. Where a transaction is denied or not known, and where there is one call only, the plain calls are
//! made.
//!
//! A transaction is sent once, as every write is. If its answer is lost, each of its calls is told so.

use std::fmt;
use std::sync::Arc;

use super::clients::Services;
use super::together::Queue;
use crate::backend::BackendError;

mod read;
mod write;

use read::Read;
use write::{What, Write};

/// What a conditional write of an item came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It happened.
    Done,
    /// The condition did not hold, and nothing happened.
    Refused,
}

/// A table, and how it is reached.
struct Table {
    name: String,
    reads: aws_sdk_dynamodb::Client,
    writes: aws_sdk_dynamodb::Client,
}

impl Table {
    fn at(&self, id: &str) -> String {
        format!("dynamodb://{}/{id}", self.name)
    }
}

/// The calls under way on a table, of all states that share it.
pub(super) struct Calls {
    table: Arc<Table>,
    reads: Queue<Read>,
    writes: Queue<Write>,
}

impl fmt::Debug for Calls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Calls")
            .field("table", &self.table.name)
            .finish_non_exhaustive()
    }
}

/// The lock table.
#[derive(Clone)]
pub(super) struct Items {
    calls: Arc<Calls>,
}

impl Items {
    pub(super) fn new(services: &Services, table: &str) -> Self {
        let mut known = services.tables.lock().expect("no holder panics");
        let calls = known.entry(table.to_owned()).or_insert_with(|| {
            let table = Arc::new(Table {
                name: table.to_owned(),
                reads: services.item_reads.clone(),
                writes: services.item_writes.clone(),
            });
            Arc::new(Calls {
                reads: Queue::new(Arc::clone(&table)),
                writes: Queue::new(Arc::clone(&table)),
                table,
            })
        });
        Self {
            calls: Arc::clone(calls),
        }
    }

    pub(super) fn table(&self) -> &str {
        &self.calls.table.name
    }

    pub(super) fn at(&self, id: &str) -> String {
        self.calls.table.at(id)
    }

    /// Reads one text of an item, consistently.
    ///
    /// Two levels: no item, and an item without this text.
    pub(super) async fn get(
        &self,
        id: &str,
        attribute: &'static str,
    ) -> Result<Option<Option<String>>, BackendError> {
        let id = id.to_owned();
        self.calls.reads.call(Read { id, attribute }).await
    }

    /// Writes a lock unless there is one.
    pub(super) async fn create_lock(&self, id: &str, info: &str) -> Result<Outcome, BackendError> {
        self.write(id, What::CreateLock(info.to_owned())).await
    }

    /// Deletes a lock with just this information.
    pub(super) async fn delete_lock(&self, id: &str, info: &str) -> Result<Outcome, BackendError> {
        self.write(id, What::DeleteLock(info.to_owned())).await
    }

    /// Writes a digest.
    pub(super) async fn put_digest(&self, id: &str, digest: &str) -> Result<(), BackendError> {
        self.write(id, What::PutDigest(digest.to_owned())).await.map(drop)
    }

    /// Deletes an item.
    pub(super) async fn delete(&self, id: &str) -> Result<(), BackendError> {
        self.write(id, What::Delete).await.map(drop)
    }

    async fn write(&self, id: &str, what: What) -> Result<Outcome, BackendError> {
        let id = id.to_owned();
        self.calls.writes.call(Write { id, what }).await
    }
}
