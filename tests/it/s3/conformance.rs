//! The suite that every backend passes, over each way of locking.

use std::sync::Arc;

use stackcut::backend::StateBackend;
use stackcut::backend::conformance::{Harness, check};
use stackcut::backend::settling::Settling;
use stackcut::state::Md5Digest;

use super::lab::{BOTH_LOCKS, FILE_LOCK, Lab, TABLE, TABLE_LOCK};

struct Bucket {
    lab: Lab,
    arguments: &'static [(&'static str, &'static str)],
    settled: bool,
}

impl Bucket {
    fn digest_id(&self, path: &str) -> String {
        format!("{}/{path}-md5", self.lab.bucket)
    }
}

impl Harness for Bucket {
    fn open(&self, path: &str) -> Arc<dyn StateBackend> {
        let state = self.lab.open_shared(path, self.arguments);
        if self.settled {
            Arc::new(Settling::new(state, Arc::clone(&self.lab.clock) as _))
        } else {
            state
        }
    }

    fn overwrite(&self, path: &str, bytes: &[u8]) {
        self.lab.aws.put_object(&self.lab.bucket, path, bytes);
        if self.arguments.iter().any(|(name, _)| *name == "dynamodb_table") {
            self.set_digest(path, Some(&Md5Digest::of(bytes).to_string()));
        }
    }

    fn set_digest(&self, path: &str, digest: Option<&str>) {
        let id = self.digest_id(path);
        match digest {
            Some(digest) => self
                .lab
                .aws
                .put_item(TABLE, &[("LockID", &id), ("Digest", digest)]),
            None => self.lab.aws.delete_item(TABLE, &id),
        }
    }

    fn digest(&self, path: &str) -> Option<String> {
        let item = self.lab.aws.get_item(TABLE, &self.digest_id(path))?;
        item.get("Digest").cloned()
    }
}

fn keeps_the_contract(arguments: &'static [(&'static str, &'static str)], settled: bool) {
    check(&Bucket {
        lab: Lab::new(),
        arguments,
        settled,
    });
}

#[test]
fn with_a_lock_table() {
    keeps_the_contract(TABLE_LOCK, false);
}

#[test]
fn with_a_lock_object() {
    keeps_the_contract(FILE_LOCK, false);
}

#[test]
fn with_both() {
    keeps_the_contract(BOTH_LOCKS, false);
}

#[test]
fn with_both_and_settled() {
    keeps_the_contract(BOTH_LOCKS, true);
}
