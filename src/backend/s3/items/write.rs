//! Writing and deleting items: alone, or up to a hundred in one transaction.

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::error::TransactionCanceledException;
use aws_sdk_dynamodb::types::{AttributeValue, Delete, Put, TransactWriteItem};

use super::{Outcome, Table};
use crate::backend::BackendError;
use crate::backend::s3::errors::{Call, code, explain};
use crate::backend::s3::together::{Together, Verdict, Verdicts};

const NO_LOCK: &str = "attribute_not_exists(LockID)";
const THIS_LOCK: &str = "Info = :info";

/// A write of one item.
#[derive(Clone)]
pub(super) struct Write {
    pub(super) id: String,
    pub(super) what: What,
}

/// What is done to an item.
#[derive(Clone)]
pub(super) enum What {
    /// A lock with this text is written unless there is one.
    CreateLock(String),
    /// The lock is deleted if it has this text.
    DeleteLock(String),
    /// This digest is written.
    PutDigest(String),
    /// The item is deleted.
    Delete,
}

impl Write {
    fn call(&self, table: &Table) -> Call {
        Call {
            at: table.at(&self.id),
            action: match self.what {
                What::CreateLock(_) | What::PutDigest(_) => "dynamodb:PutItem",
                What::DeleteLock(_) | What::Delete => "dynamodb:DeleteItem",
            },
        }
    }

    fn is_conditional(&self) -> bool {
        matches!(self.what, What::CreateLock(_) | What::DeleteLock(_))
    }

    fn part(&self, table: &Table) -> TransactWriteItem {
        let put = || {
            Put::builder()
                .table_name(&table.name)
                .item("LockID", text(&self.id))
        };
        let delete = || {
            Delete::builder()
                .table_name(&table.name)
                .key("LockID", text(&self.id))
        };
        let part = TransactWriteItem::builder();
        let part = match &self.what {
            What::CreateLock(info) => part.put(
                put()
                    .item("Info", text(info))
                    .condition_expression(NO_LOCK)
                    .build()
                    .expect("table and item are set"),
            ),
            What::PutDigest(digest) => part.put(
                put()
                    .item("Digest", text(digest))
                    .build()
                    .expect("table and item are set"),
            ),
            What::DeleteLock(info) => part.delete(
                delete()
                    .condition_expression(THIS_LOCK)
                    .expression_attribute_values(":info", text(info))
                    .build()
                    .expect("table and key are set"),
            ),
            What::Delete => part.delete(delete().build().expect("table and key are set")),
        };
        part.build()
    }

    async fn put(
        &self,
        table: &Table,
        name: &str,
        value: &str,
        condition: Option<&str>,
    ) -> Result<Outcome, BackendError> {
        let request = table
            .writes
            .put_item()
            .table_name(&table.name)
            .item("LockID", text(&self.id))
            .item(name, text(value))
            .set_condition_expression(condition.map(str::to_owned));
        match request.send().await {
            Ok(_) => Ok(Outcome::Done),
            Err(error)
                if self.is_conditional() && code(&error) == Some("ConditionalCheckFailedException") =>
            {
                Ok(Outcome::Refused)
            }
            Err(error) => Err(explain(self.call(table), &error)),
        }
    }

    async fn delete(&self, table: &Table, info: Option<&str>) -> Result<Outcome, BackendError> {
        let mut request = table
            .writes
            .delete_item()
            .table_name(&table.name)
            .key("LockID", text(&self.id));
        if let Some(info) = info {
            request = request
                .condition_expression(THIS_LOCK)
                .expression_attribute_values(":info", text(info));
        }
        match request.send().await {
            Ok(_) => Ok(Outcome::Done),
            Err(error)
                if self.is_conditional() && code(&error) == Some("ConditionalCheckFailedException") =>
            {
                Ok(Outcome::Refused)
            }
            Err(error) => Err(explain(self.call(table), &error)),
        }
    }
}

impl Together for Write {
    type Answer = Outcome;
    type Table = Table;

    fn key(&self) -> &str {
        &self.id
    }

    async fn alone(&self, table: &Table) -> Result<Outcome, BackendError> {
        match &self.what {
            What::CreateLock(info) => self.put(table, "Info", info, Some(NO_LOCK)).await,
            What::PutDigest(digest) => self.put(table, "Digest", digest, None).await,
            What::DeleteLock(info) => self.delete(table, Some(info)).await,
            What::Delete => self.delete(table, None).await,
        }
    }

    async fn together(table: &Table, calls: &[Self]) -> Verdicts<Outcome> {
        let parts = calls.iter().map(|call| call.part(table)).collect();
        let request = table
            .writes
            .transact_write_items()
            .set_transact_items(Some(parts));
        let Err(error) = request.send().await else {
            let done = calls.iter().map(|_| Verdict::Settled(Ok(Outcome::Done)));
            return Verdicts::Each(done.collect());
        };
        if let SdkError::ServiceError(context) = &error
            && let TransactWriteItemsError::TransactionCanceledException(problem) = context.err()
        {
            let refused = |call: &Self| call.is_conditional().then_some(Outcome::Refused);
            return Verdicts::Each(cancelled(problem, calls, refused));
        }
        failed(calls.iter().map(|call| explain(call.call(table), &error)))
    }

    fn astray(&self, table: &Table) -> BackendError {
        let Call { at, action } = self.call(table);
        BackendError::Ambiguous {
            at,
            action,
            detail: "the call was given up".to_owned(),
        }
    }
}

/// Tells whose fault it was that a transaction did not happen at all. `refused` is the answer of a call whose condition
/// did not hold; anything else that is wrong with a call (a conflict, a throttled item) is seen best alone.
pub(super) fn cancelled<C, A>(
    problem: &TransactionCanceledException,
    calls: &[C],
    refused: impl Fn(&C) -> Option<A>,
) -> Vec<Verdict<A>> {
    let reasons = problem.cancellation_reasons();
    if reasons.len() != calls.len() {
        return calls.iter().map(|_| Verdict::Alone).collect();
    }
    let verdict = |(call, reason): (&C, &aws_sdk_dynamodb::types::CancellationReason)| match reason.code() {
        None | Some("None") => Verdict::Again,
        Some("ConditionalCheckFailed") => match refused(call) {
            Some(answer) => Verdict::Settled(Ok(answer)),
            None => Verdict::Alone,
        },
        Some(_) => Verdict::Alone,
    };
    calls.iter().zip(reasons).map(verdict).collect()
}

/// Returns what a request that failed as a whole means for its calls, each with its own words for it. One that is denied
/// or not known says that transactions as such are not to be had.
pub(super) fn failed<A>(errors: impl Iterator<Item = BackendError>) -> Verdicts<A> {
    let errors: Vec<BackendError> = errors.collect();
    if matches!(
        errors.first(),
        Some(BackendError::AccessDenied { .. } | BackendError::Refused { .. })
    ) {
        return Verdicts::Never;
    }
    let settled = errors.into_iter().map(|error| Verdict::Settled(Err(error)));
    Verdicts::Each(settled.collect())
}

pub(super) fn text(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}
