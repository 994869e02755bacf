//! The calls on objects: each one atomic, each write of one request.

use std::sync::Arc;

use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{ChecksumAlgorithm, ObjectCannedAcl, ServerSideEncryption};
use base64::Engine as _;
use md5::{Digest as _, Md5};

use super::clients::{S3Clients, Services};
use super::config::{Encryption, S3Config};
use super::errors::{Call, code, explain, status};
use crate::backend::{BackendError, Expect, StateObject, Version, Written};

/// The largest object that one request writes.
const LARGEST: usize = 5 * 1024 * 1024 * 1024;
/// What is reserved at most for an object on its word about its length.
const TRUSTED_LENGTH: usize = 1024 * 1024 * 1024;

/// A bucket, and how objects are protected in it.
pub(super) struct Objects {
    clients: S3Clients,
    services: Arc<Services>,
    bucket: String,
    encryption: Encryption,
    /// The key of SSE-C and its MD5, both in base64.
    customer_key: Option<(String, String)>,
    acl: Option<ObjectCannedAcl>,
    checksum: bool,
}

impl Objects {
    pub(super) fn new(clients: S3Clients, services: Arc<Services>, config: &S3Config) -> Self {
        let base64 = base64::engine::general_purpose::STANDARD;
        let customer_key = match &config.encryption {
            Encryption::CustomerKey(key) => {
                let bytes = base64.decode(key.reveal()).unwrap_or_default();
                Some((key.reveal().to_owned(), base64.encode(Md5::digest(bytes))))
            }
            _ => None,
        };
        Self {
            clients,
            services,
            bucket: config.bucket.clone(),
            encryption: config.encryption.clone(),
            customer_key,
            acl: config.acl.as_deref().map(ObjectCannedAcl::from),
            checksum: config.checksum,
        }
    }

    pub(super) fn at(&self, key: &str) -> String {
        format!("s3://{}/{key}", self.bucket)
    }

    fn call(&self, key: &str, action: &'static str) -> Call {
        Call {
            at: self.at(key),
            action,
        }
    }

    fn customer(&self) -> [Option<String>; 3] {
        match &self.customer_key {
            Some((key, md5)) => [Some("AES256".to_owned()), Some(key.clone()), Some(md5.clone())],
            None => [None, None, None],
        }
    }

    /// Reads an object whole.
    pub(super) async fn get(&self, key: &str) -> Result<Option<StateObject>, BackendError> {
        self.get_by_parts(key, |_| {}).await
    }

    /// Reads an object whole, and shows its content part by part as it comes.
    pub(super) async fn get_by_parts(
        &self,
        key: &str,
        mut show: impl FnMut(&[u8]),
    ) -> Result<Option<StateObject>, BackendError> {
        let call = || self.call(key, "s3:GetObject");
        let [algorithm, customer_key, md5] = self.customer();
        let request = self
            .services
            .reads
            .get_object()
            .bucket(&self.bucket)
            .key(key)
            .set_sse_customer_algorithm(algorithm)
            .set_sse_customer_key(customer_key)
            .set_sse_customer_key_md5(md5);
        let mut answer = match request.send().await {
            Ok(answer) => answer,
            Err(error) if code(&error) == Some("NoSuchKey") => return Ok(None),
            Err(error) => return Err(explain(call(), &error)),
        };
        let expected = answer
            .content_length()
            .and_then(|length| usize::try_from(length).ok())
            .unwrap_or_default();
        let mut bytes = Vec::with_capacity(expected.min(TRUSTED_LENGTH));
        loop {
            match answer.body.try_next().await {
                Ok(Some(part)) => {
                    show(&part);
                    bytes.extend_from_slice(&part);
                }
                Ok(None) => break,
                Err(error) => {
                    let Call { at, action } = call();
                    return Err(BackendError::Network {
                        at,
                        action,
                        detail: format!("the answer broke off: {error}"),
                    });
                }
            }
        }
        Ok(Some(StateObject {
            bytes,
            version: Version::new(answer.e_tag().unwrap_or_default()),
            version_id: answer.version_id().map(str::to_owned),
        }))
    }

    /// Returns the version of an object, without its bytes.
    pub(super) async fn head(&self, key: &str) -> Result<Option<Version>, BackendError> {
        let [algorithm, customer_key, md5] = self.customer();
        let request = self
            .services
            .reads
            .head_object()
            .bucket(&self.bucket)
            .key(key)
            .set_sse_customer_algorithm(algorithm)
            .set_sse_customer_key(customer_key)
            .set_sse_customer_key_md5(md5);
        match request.send().await {
            Ok(answer) => Ok(Some(Version::new(answer.e_tag().unwrap_or_default()))),
            Err(error) if status(&error) == Some(404) => Ok(None),
            Err(error) => Err(explain(self.call(key, "s3:GetObject"), &error)),
        }
    }

    /// Writes an object in one request; with an expectation, only if it holds.
    pub(super) async fn put(
        &self,
        key: &str,
        bytes: &[u8],
        expect: Option<&Expect>,
    ) -> Result<Written, BackendError> {
        let call = self.call(key, "s3:PutObject");
        if bytes.len() > LARGEST {
            let Call { at, action } = call;
            return Err(BackendError::Refused {
                at,
                action,
                detail: format!("{} bytes are more than the 5 GiB of one request", bytes.len()),
            });
        }
        let [algorithm, customer_key, md5] = self.customer();
        let (encryption, kms_key) = match &self.encryption {
            Encryption::Aes256 => (Some(ServerSideEncryption::Aes256), None),
            Encryption::Kms(key) => (Some(ServerSideEncryption::AwsKms), Some(key.clone())),
            Encryption::BucketDefault | Encryption::CustomerKey(_) => (None, None),
        };
        let (if_match, if_none_match) = match expect {
            Some(Expect::Version(version)) => (Some(version.as_str().to_owned()), None),
            Some(Expect::Absent) => (None, Some("*".to_owned())),
            None => (None, None),
        };
        let replaces = if_match.is_some();
        let request = self
            .services
            .writes
            .put_object()
            .bucket(&self.bucket)
            .key(key)
            .content_type("application/json")
            .set_checksum_algorithm(self.checksum.then_some(ChecksumAlgorithm::Sha256))
            .set_server_side_encryption(encryption)
            .set_ssekms_key_id(kms_key)
            .set_sse_customer_algorithm(algorithm)
            .set_sse_customer_key(customer_key)
            .set_sse_customer_key_md5(md5)
            .set_acl(self.acl.clone())
            .set_if_match(if_match)
            .set_if_none_match(if_none_match)
            .body(ByteStream::from(bytes.to_vec()));
        let patience = aws_sdk_s3::Config::builder().timeout_config(self.clients.patience(bytes.len()));
        match request.customize().config_override(patience).send().await {
            Ok(answer) => Ok(Written {
                version: Version::new(answer.e_tag().unwrap_or_default()),
                version_id: answer.version_id().map(str::to_owned),
            }),
            // What should be replaced is gone.
            Err(error) if replaces && code(&error) == Some("NoSuchKey") => {
                Err(BackendError::PreconditionFailed { at: call.at })
            }
            Err(error) => Err(explain(call, &error)),
        }
    }

    /// Deletes an object; with a version, only that one. One that is gone already is a success.
    pub(super) async fn delete(&self, key: &str, version: Option<&Version>) -> Result<(), BackendError> {
        let request = |condition: Option<&Version>| {
            self.services
                .writes
                .delete_object()
                .bucket(&self.bucket)
                .key(key)
                .set_if_match(condition.map(|version| version.as_str().to_owned()))
                .send()
        };
        let answer = match request(version).await {
            // A store that knows no conditional deletion; what stands there was just looked at under the lock.
            Err(error) if version.is_some() && status(&error) == Some(501) => request(None).await,
            answer => answer,
        };
        match answer {
            Ok(_) => Ok(()),
            Err(error) if code(&error) == Some("NoSuchKey") => Ok(()),
            Err(error) => Err(explain(self.call(key, "s3:DeleteObject"), &error)),
        }
    }

    /// Returns all keys with this prefix.
    pub(super) async fn list(&self, prefix: &str) -> Result<Vec<String>, BackendError> {
        let mut pages = self
            .services
            .reads
            .list_objects_v2()
            .bucket(&self.bucket)
            .prefix(prefix)
            .into_paginator()
            .send();
        let mut keys = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| explain(self.call(prefix, "s3:ListBucket"), &error))?;
            let found = page.contents.unwrap_or_default().into_iter();
            keys.extend(found.filter_map(|object| object.key));
        }
        Ok(keys)
    }
}
