//! Reading items: alone, or up to a hundred in one transaction, which sees them as they were at one moment.

use std::collections::HashMap;

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::transact_get_items::TransactGetItemsError;
use aws_sdk_dynamodb::types::{AttributeValue, Get, TransactGetItem};

use super::Table;
use super::write::{cancelled, failed, text};
use crate::backend::BackendError;
use crate::backend::s3::errors::{Call, explain};
use crate::backend::s3::together::{Together, Verdict, Verdicts};

/// One text of one item.
#[derive(Clone)]
pub(super) struct Read {
    pub(super) id: String,
    pub(super) attribute: &'static str,
}

impl Read {
    fn call(&self, table: &Table) -> Call {
        Call {
            at: table.at(&self.id),
            action: "dynamodb:GetItem",
        }
    }

    /// The key is asked for as well, so that an item without the text can be told from none.
    fn projection(&self) -> String {
        format!("LockID, {}", self.attribute)
    }

    fn of(&self, item: Option<&HashMap<String, AttributeValue>>) -> Option<Option<String>> {
        item.map(|item| {
            let value = item.get(self.attribute)?;
            value.as_s().ok().cloned()
        })
    }
}

impl Together for Read {
    type Answer = Option<Option<String>>;
    type Table = Table;

    fn key(&self) -> &str {
        &self.id
    }

    async fn alone(&self, table: &Table) -> Result<Self::Answer, BackendError> {
        let answer = table
            .reads
            .get_item()
            .table_name(&table.name)
            .key("LockID", text(&self.id))
            .projection_expression(self.projection())
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| explain(self.call(table), &error))?;
        Ok(self.of(answer.item()))
    }

    async fn together(table: &Table, calls: &[Self]) -> Verdicts<Self::Answer> {
        let mut request = table.reads.transact_get_items();
        for call in calls {
            let get = Get::builder()
                .table_name(&table.name)
                .key("LockID", text(&call.id))
                .projection_expression(call.projection())
                .build()
                .expect("table and key are set");
            request = request.transact_items(TransactGetItem::builder().get(get).build());
        }
        let error = match request.send().await {
            Ok(answer) if answer.responses().len() == calls.len() => {
                let found = calls.iter().zip(answer.responses());
                let settled = found.map(|(call, found)| Verdict::Settled(Ok(call.of(found.item()))));
                return Verdicts::Each(settled.collect());
            }
            // Which answer belongs to whom cannot be told.
            Ok(_) => return Verdicts::Each(calls.iter().map(|_| Verdict::Alone).collect()),
            Err(error) => error,
        };
        if let SdkError::ServiceError(context) = &error
            && let TransactGetItemsError::TransactionCanceledException(problem) = context.err()
        {
            return Verdicts::Each(cancelled(problem, calls, |_| None));
        }
        failed(calls.iter().map(|call| explain(call.call(table), &error)))
    }

    fn astray(&self, table: &Table) -> BackendError {
        let Call { at, action } = self.call(table);
        BackendError::Network {
            at,
            action,
            detail: "the call was given up".to_owned(),
        }
    }
}
