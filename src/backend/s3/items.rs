//! The calls on items of the lock table.

use std::collections::HashMap;
use std::sync::Arc;

use aws_sdk_dynamodb::types::AttributeValue;

use super::clients::Services;
use super::errors::{Call, code, explain};
use crate::backend::BackendError;

/// What a conditional write of an item came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It happened.
    Done,
    /// The condition did not hold, and nothing happened.
    Refused,
}

/// The lock table.
#[derive(Clone)]
pub(super) struct Items {
    services: Arc<Services>,
    table: String,
}

impl Items {
    pub(super) fn new(services: Arc<Services>, table: &str) -> Self {
        Self {
            services,
            table: table.to_owned(),
        }
    }

    pub(super) fn table(&self) -> &str {
        &self.table
    }

    pub(super) fn at(&self, id: &str) -> String {
        format!("dynamodb://{}/{id}", self.table)
    }

    fn call(&self, id: &str, action: &'static str) -> Call {
        Call {
            at: self.at(id),
            action,
        }
    }

    /// Reads one text of an item, consistently.
    ///
    /// Two levels: no item, and an item without this text.
    pub(super) async fn get(
        &self,
        id: &str,
        attribute: &'static str,
    ) -> Result<Option<Option<String>>, BackendError> {
        let answer = self
            .services
            .item_reads
            .get_item()
            .table_name(&self.table)
            .key("LockID", text(id))
            .projection_expression(format!("LockID, {attribute}"))
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| explain(self.call(id, "dynamodb:GetItem"), &error))?;
        let found = answer.item.map(|mut item: HashMap<String, AttributeValue>| {
            item.remove(attribute)
                .and_then(|value| value.as_s().ok().cloned())
        });
        Ok(found)
    }

    /// Writes a lock unless there is one.
    pub(super) async fn create_lock(&self, id: &str, info: &str) -> Result<Outcome, BackendError> {
        let answer = self
            .services
            .item_writes
            .put_item()
            .table_name(&self.table)
            .item("LockID", text(id))
            .item("Info", text(info))
            .condition_expression("attribute_not_exists(LockID)")
            .send()
            .await;
        match answer {
            Ok(_) => Ok(Outcome::Done),
            Err(error) if code(&error) == Some("ConditionalCheckFailedException") => Ok(Outcome::Refused),
            Err(error) => Err(explain(self.call(id, "dynamodb:PutItem"), &error)),
        }
    }

    /// Deletes a lock with just this information.
    pub(super) async fn delete_lock(&self, id: &str, info: &str) -> Result<Outcome, BackendError> {
        let answer = self
            .services
            .item_writes
            .delete_item()
            .table_name(&self.table)
            .key("LockID", text(id))
            .condition_expression("Info = :info")
            .expression_attribute_values(":info", text(info))
            .send()
            .await;
        match answer {
            Ok(_) => Ok(Outcome::Done),
            Err(error) if code(&error) == Some("ConditionalCheckFailedException") => Ok(Outcome::Refused),
            Err(error) => Err(explain(self.call(id, "dynamodb:DeleteItem"), &error)),
        }
    }

    /// Writes a digest.
    pub(super) async fn put_digest(&self, id: &str, digest: &str) -> Result<(), BackendError> {
        let answer = self
            .services
            .item_writes
            .put_item()
            .table_name(&self.table)
            .item("LockID", text(id))
            .item("Digest", text(digest))
            .send()
            .await;
        let settled = answer.map_err(|error| explain(self.call(id, "dynamodb:PutItem"), &error));
        settled.map(drop)
    }

    /// Deletes an item.
    pub(super) async fn delete(&self, id: &str) -> Result<(), BackendError> {
        let answer = self
            .services
            .item_writes
            .delete_item()
            .table_name(&self.table)
            .key("LockID", text(id))
            .send()
            .await;
        let settled = answer.map_err(|error| explain(self.call(id, "dynamodb:DeleteItem"), &error));
        settled.map(drop)
    }
}

fn text(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}
