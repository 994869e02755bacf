//! The runtime, the connections and the credentials that all states of one run share.
//!
//! Async does not leave this adapter: every call blocks its thread on a small runtime of our own.

use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::config::{
    BehaviorVersion, IdentityCache, Region, RequestChecksumCalculation, ResponseChecksumValidation,
};
use tokio::runtime::Runtime;

use super::config::{Connection, S3Config};
use super::items::Calls;
use super::listing::Listing;
use super::{S3Backend, http, identity};
use crate::backend::BackendError;
use crate::backend::clock::Clock;

/// How long an answer may take, on top of the time that its bytes need.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);
/// How long credentials may take: a process or a single sign-on is behind them at times.
const CREDENTIALS_WITHIN: Duration = Duration::from_secs(60);
/// The slowest upload that is waited for.
const BYTES_PER_SECOND: u64 = 256 * 1024;
/// How often a read is sent, unless the configuration says otherwise.
const READ_ATTEMPTS: u32 = 3;

/// Makes handles for S3 states. Those of one run share the runtime; those with equal connection settings share
/// connections and credentials too. Cheap to clone.
#[derive(Clone)]
pub struct S3Clients {
    shared: Arc<Shared>,
}

struct Shared {
    runtime: Runtime,
    clock: Arc<dyn Clock>,
    answer_within: Duration,
    services: Mutex<HashMap<Connection, Arc<Services>>>,
}

impl fmt::Debug for S3Clients {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("S3Clients").finish_non_exhaustive()
    }
}

/// The clients of one connection. Reads may be repeated by the library. Writes never are: a repeated conditional write
/// meets its own first attempt, and who called would not know.
#[derive(Debug)]
pub(super) struct Services {
    pub(super) reads: aws_sdk_s3::Client,
    pub(super) writes: aws_sdk_s3::Client,
    pub(super) item_reads: aws_sdk_dynamodb::Client,
    pub(super) item_writes: aws_sdk_dynamodb::Client,
    /// The calls under way, by lock table.
    pub(super) tables: Mutex<HashMap<String, Arc<Calls>>>,
    /// The looks under way, by bucket.
    pub(super) buckets: Mutex<HashMap<String, Listing>>,
}

impl S3Clients {
    /// Starts the runtime. The clock is for the waits on a stale digest.
    ///
    /// # Errors
    ///
    /// [`BackendError::Io`] where no thread can be started.
    pub fn new(clock: Arc<dyn Clock>) -> Result<Self, BackendError> {
        Self::with_patience(clock, ANSWER_WITHIN)
    }

    /// As [`new`](Self::new), with the longest time that an answer may take.
    ///
    /// # Errors
    ///
    /// [`BackendError::Io`] where no thread can be started.
    pub fn with_patience(clock: Arc<dyn Clock>, answer_within: Duration) -> Result<Self, BackendError> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("s3")
            .enable_all()
            .build()
            .map_err(|source| BackendError::Io {
                at: "the threads of the S3 backend".to_owned(),
                action: "start",
                source,
            })?;
        Ok(Self {
            shared: Arc::new(Shared {
                runtime,
                clock,
                answer_within,
                services: Mutex::default(),
            }),
        })
    }

    /// Creates the handle for a state. Makes no call, unless the configuration restricts the accounts.
    ///
    /// # Errors
    ///
    /// [`BackendError::Configuration`] for settings that cannot be used.
    pub fn open(&self, config: S3Config) -> Result<S3Backend, BackendError> {
        let mut known = self.shared.services.lock().expect("no holder panics");
        let services = match known.get(&config.connection) {
            Some(services) => Arc::clone(services),
            None => {
                let made = Arc::new(self.connect(&config.connection)?);
                known.insert(config.connection.clone(), Arc::clone(&made));
                made
            }
        };
        drop(known);
        Ok(S3Backend::new(self.clone(), services, config))
    }

    fn connect(&self, connection: &Connection) -> Result<Services, BackendError> {
        let http = http::client(connection)?;
        let credentials = identity::provider(connection, &http)?;
        if !connection.allowed_accounts.is_empty() || !connection.forbidden_accounts.is_empty() {
            self.wait(identity::check_account(connection, &http, &credentials))?;
        }
        let cache = IdentityCache::lazy().load_timeout(CREDENTIALS_WITHIN).build();
        let timeouts = TimeoutConfig::builder()
            .operation_attempt_timeout(self.shared.answer_within)
            .build();
        let region = Region::new(connection.region.clone());
        let endpoints = &connection.endpoints;
        let (request, response) = checksums(connection);
        // Set, not given: giving wraps it anew, and each wrapping has credentials of its own in the cache.
        let credentials = Some(credentials);
        let mut s3 = aws_sdk_s3::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(region.clone())
            .http_client(http.clone())
            .identity_cache(cache.clone())
            .timeout_config(timeouts.clone())
            .use_fips(connection.fips)
            .use_dual_stack(connection.dual_stack)
            .force_path_style(connection.path_style)
            .request_checksum_calculation(request)
            .response_checksum_validation(response);
        s3.set_credentials_provider(credentials.clone());
        s3.set_endpoint_url(endpoints.s3.clone());
        let mut dynamodb = aws_sdk_dynamodb::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(region)
            .http_client(http)
            .identity_cache(cache)
            .timeout_config(timeouts)
            .use_fips(connection.fips)
            .use_dual_stack(connection.dual_stack);
        dynamodb.set_credentials_provider(credentials);
        dynamodb.set_endpoint_url(endpoints.dynamodb.clone());
        let (reads, writes) = (read_retries(connection), RetryConfig::disabled());
        Ok(Services {
            reads: aws_sdk_s3::Client::from_conf(s3.clone().retry_config(reads.clone()).build()),
            writes: aws_sdk_s3::Client::from_conf(s3.retry_config(writes.clone()).build()),
            item_reads: aws_sdk_dynamodb::Client::from_conf(dynamodb.clone().retry_config(reads).build()),
            item_writes: aws_sdk_dynamodb::Client::from_conf(dynamodb.retry_config(writes).build()),
            tables: Mutex::default(),
            buckets: Mutex::default(),
        })
    }

    /// Runs a call to its end on this thread.
    pub(super) fn wait<T>(&self, call: impl Future<Output = T>) -> T {
        self.shared.runtime.block_on(call)
    }

    /// Starts a call that runs beside this thread.
    pub(super) fn start<T: Send + 'static>(
        &self,
        call: impl Future<Output = T> + Send + 'static,
    ) -> tokio::task::JoinHandle<T> {
        self.shared.runtime.spawn(call)
    }

    pub(super) fn clock(&self) -> &dyn Clock {
        &*self.shared.clock
    }

    /// Returns how long a write of so many bytes may take.
    pub(super) fn patience(&self, bytes: usize) -> TimeoutConfig {
        TimeoutConfig::builder()
            .operation_attempt_timeout(self.shared.answer_within + sending(bytes as u64))
            .build()
    }
}

fn sending(bytes: u64) -> Duration {
    Duration::from_secs(bytes / BYTES_PER_SECOND)
}

/// Returns for how long a write of so many bytes may be under way before it is given up.
pub fn longest_write(bytes: u64) -> Duration {
    ANSWER_WITHIN + sending(bytes)
}

fn read_retries(connection: &Connection) -> RetryConfig {
    let attempts = connection
        .read_retries
        .map_or(READ_ATTEMPTS, |retries| retries.saturating_add(1));
    let retries = if connection.adaptive_retries {
        RetryConfig::adaptive()
    } else {
        RetryConfig::standard()
    };
    retries.with_max_attempts(attempts)
}

fn checksums(connection: &Connection) -> (RequestChecksumCalculation, ResponseChecksumValidation) {
    let request = if connection.checksums_when_required {
        RequestChecksumCalculation::WhenRequired
    } else {
        RequestChecksumCalculation::WhenSupported
    };
    let response = if connection.validate_responses {
        ResponseChecksumValidation::WhenSupported
    } else {
        ResponseChecksumValidation::WhenRequired
    };
    (request, response)
}
