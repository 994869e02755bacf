//! An account with a bucket and a lock table, and handles for states in it.

use std::collections::BTreeMap;
use std::sync::Arc;

use stackcut::backend::StateBackend;
use stackcut::backend::clock::{Clock, TestClock};
use stackcut::backend::s3::{S3Backend, S3Clients, S3Config};

use crate::support::aws::Account;
use crate::support::moto::Moto;

/// One test's part of the emulated AWS.
pub(super) struct Lab {
    pub(super) aws: Account,
    pub(super) bucket: String,
    pub(super) clock: Arc<TestClock>,
    pub(super) clients: S3Clients,
}

/// The lock table of every lab.
pub(super) const TABLE: &str = "locks";

/// Each way of locking, as arguments.
pub(super) const TABLE_LOCK: &[(&str, &str)] = &[("dynamodb_table", TABLE)];
pub(super) const FILE_LOCK: &[(&str, &str)] = &[("use_lockfile", "true")];
pub(super) const BOTH_LOCKS: &[(&str, &str)] = &[("dynamodb_table", TABLE), ("use_lockfile", "true")];

impl Lab {
    pub(super) fn new() -> Self {
        let aws = Moto::shared().account();
        let bucket = aws.unique_bucket("state");
        aws.create_lock_table(TABLE);
        let clock = Arc::new(TestClock::default());
        Self {
            aws,
            bucket,
            clients: S3Clients::new(Arc::clone(&clock) as Arc<dyn Clock>).unwrap(),
            clock,
        }
    }

    /// Returns the configuration of the state of this key.
    pub(super) fn config(&self, key: &str, arguments: &[(&str, &str)]) -> S3Config {
        self.config_in("default", key, arguments)
    }

    pub(super) fn config_in(&self, workspace: &str, key: &str, arguments: &[(&str, &str)]) -> S3Config {
        let env = self.aws.env();
        let env: Vec<(&str, &str)> = env.iter().map(|(name, value)| (&**name, &**value)).collect();
        self.config_from(workspace, key, arguments, &env)
    }

    /// As [`config_in`](Self::config_in), in an environment of this test's own.
    pub(super) fn config_from(
        &self,
        workspace: &str,
        key: &str,
        arguments: &[(&str, &str)],
        env: &[(&str, &str)],
    ) -> S3Config {
        let own = [("bucket", self.bucket.as_str()), ("key", key)];
        let arguments: BTreeMap<String, String> = own
            .iter()
            .chain(arguments)
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let env: BTreeMap<&str, &str> = env.iter().copied().collect();
        S3Config::effective(&arguments, workspace, &|name| {
            env.get(name).map(|value| (*value).to_owned())
        })
        .unwrap()
    }

    /// Opens the state of this key.
    pub(super) fn open(&self, key: &str, arguments: &[(&str, &str)]) -> S3Backend {
        self.clients.open(self.config(key, arguments)).unwrap()
    }

    /// Opens a configured state.
    pub(super) fn open_as(&self, config: S3Config) -> S3Backend {
        self.clients.open(config).unwrap()
    }

    pub(super) fn open_shared(&self, key: &str, arguments: &[(&str, &str)]) -> Arc<dyn StateBackend> {
        Arc::new(self.open(key, arguments))
    }

    /// Returns the requests that `run` makes.
    pub(super) fn requests_of(&self, run: impl FnOnce()) -> Vec<String> {
        let before = self.aws.requests().len();
        run();
        self.aws.requests().split_off(before)
    }
}
