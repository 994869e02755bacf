//! The effective configuration of one S3 state: arguments first, then the environment, then Terraform's defaults.
//!
//! Pure: the environment is a function. Arguments are flat, by their Terraform names (`assume_role.role_arn`), lists as
//! JSON text; empty texts count as not given, as for Terraform. Arguments that Terraform has removed are still read:
//! states made with them exist.

mod arguments;
mod credentials;
mod place;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;

pub use credentials::{AssumeRole, CredentialSource, Token, WebIdentity};

use arguments::Arguments;

use crate::backend::BackendError;

/// A text that never shows itself.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Secret(String);

impl Secret {
    /// Wraps a secret.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Returns the secret, to hand it to its service.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(secret)")
    }
}

/// How objects are encrypted at rest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Encryption {
    /// As the bucket does by itself.
    BucketDefault,
    /// SSE-S3.
    Aes256,
    /// SSE-KMS with this key (ARN, ID or alias).
    Kms(String),
    /// SSE-C with this key, in base64.
    CustomerKey(Secret),
}

/// The services' own addresses; `None` is AWS.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Endpoints {
    /// S3.
    pub s3: Option<String>,
    /// DynamoDB.
    pub dynamodb: Option<String>,
    /// STS.
    pub sts: Option<String>,
    /// The EC2 instance metadata service.
    pub metadata: Option<String>,
}

/// The proxies, as URLs; they may hold passwords.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Proxies {
    /// For `http://` endpoints.
    pub http: Option<Secret>,
    /// For `https://` endpoints.
    pub https: Option<Secret>,
    /// Hosts that are reached directly, separated by commas.
    pub none_for: Option<String>,
}

/// Everything that connections and credentials depend on: states that agree in it share both.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Connection {
    /// The region.
    pub region: String,
    /// The region of STS, where it is another.
    pub sts_region: Option<String>,
    /// Own addresses of services.
    pub endpoints: Endpoints,
    /// Buckets as paths instead of host names.
    pub path_style: bool,
    /// FIPS endpoints.
    pub fips: bool,
    /// Dual-stack endpoints.
    pub dual_stack: bool,
    /// Where the first credentials come from.
    pub credentials: CredentialSource,
    /// The role taken with them.
    pub role: Option<AssumeRole>,
    /// The accounts that the credentials may be of; none is any.
    pub allowed_accounts: Vec<String>,
    /// The accounts that they must not be of.
    pub forbidden_accounts: Vec<String>,
    /// How often a read is tried again by the client library.
    pub read_retries: Option<u32>,
    /// Whether its retries adapt to throttling.
    pub adaptive_retries: bool,
    /// Sends checksums only where a service insists on one (`AWS_REQUEST_CHECKSUM_CALCULATION`).
    pub checksums_when_required: bool,
    /// Asks for checksums of what is read.
    pub validate_responses: bool,
    /// A file of certificates to trust.
    pub ca_bundle: Option<String>,
    /// Certificates are not to be verified.
    pub insecure: bool,
    /// Proxies.
    pub proxies: Proxies,
}

/// Where one state is, and how it is reached, locked and protected. Its `Debug` text shows no credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct S3Config {
    /// The bucket.
    pub bucket: String,
    /// The key of the default workspace's object.
    pub key: String,
    /// The key of this workspace's object.
    pub path: String,
    /// The prefix of the other workspaces' keys.
    pub workspace_key_prefix: String,
    /// The lock table.
    pub lock_table: Option<String>,
    /// Whether a lock object is used.
    pub lock_file: bool,
    /// Encryption.
    pub encryption: Encryption,
    /// The canned ACL.
    pub acl: Option<String>,
    /// Whether a SHA-256 checksum goes with each write.
    pub checksum: bool,
    /// How the services are reached.
    pub connection: Connection,
    warnings: Vec<String>,
}

impl S3Config {
    /// Returns the effective configuration.
    ///
    /// # Errors
    ///
    /// [`BackendError::Configuration`] that names the argument: unknown, missing, malformed, or in conflict with another.
    /// The value of a credential is never in it.
    pub fn effective(
        arguments: &BTreeMap<String, String>,
        workspace: &str,
        env: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, BackendError> {
        let given = Arguments::new(arguments, env)?;
        let place = place::Place::of(&given, workspace)?;
        let encrypt = given.flag("encrypt")?;
        let (encryption, warnings) = encryption(&given, encrypt)?;
        Ok(Self {
            bucket: place.bucket,
            key: place.key,
            path: place.path,
            workspace_key_prefix: place.prefix,
            lock_table: given.text("dynamodb_table"),
            lock_file: given.flag("use_lockfile")?,
            encryption,
            acl: given.text("acl"),
            checksum: !given.flag("skip_s3_checksum")?,
            connection: connection(&given)?,
            warnings,
        })
    }

    /// Returns what is allowed, and most likely not what was meant.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// Returns the text under which the state is locked: `bucket/path`.
    pub fn lock_id(&self) -> String {
        format!("{}/{}", self.bucket, self.path)
    }
}

fn refuse(reason: impl Into<String>) -> BackendError {
    BackendError::Configuration {
        backend: "s3",
        reason: reason.into(),
    }
}

/// Returns the encryption as Terraform applies it: without `encrypt`, keys are ignored.
fn encryption(given: &Arguments<'_>, encrypt: bool) -> Result<(Encryption, Vec<String>), BackendError> {
    let kms = given.text("kms_key_id");
    let customer = given.text_or_env("sse_customer_key", &["AWS_SSE_CUSTOMER_KEY"]);
    if kms.is_some() && customer.is_some() {
        let other = match given.text("sse_customer_key") {
            Some(_) => "`sse_customer_key`",
            None => "the environment variable AWS_SSE_CUSTOMER_KEY",
        };
        return Err(refuse(format!(
            "`kms_key_id` and {other} exclude each other: one is a KMS key, the other a key of one's own"
        )));
    }
    if let Some(key) = &customer {
        use base64::Engine as _;
        let decoded = base64::engine::general_purpose::STANDARD.decode(key);
        if !decoded.is_ok_and(|key| key.len() == 32) {
            return Err(refuse(
                "`sse_customer_key` must be 32 bytes in base64 (44 characters)",
            ));
        }
    }
    let mut warnings = Vec::new();
    if !encrypt {
        let ignored = [
            ("kms_key_id", kms.is_some()),
            ("sse_customer_key", customer.is_some()),
        ];
        for (name, _) in ignored.iter().filter(|(_, given)| *given) {
            warnings.push(format!(
                "`{name}` is ignored without `encrypt = true`: objects are written without asking for encryption, by Terraform and by stackcut"
            ));
        }
        return Ok((Encryption::BucketDefault, warnings));
    }
    let encryption = match (kms, customer) {
        (Some(key), _) => Encryption::Kms(key),
        (None, Some(key)) => Encryption::CustomerKey(Secret::new(key)),
        (None, None) => Encryption::Aes256,
    };
    Ok((encryption, warnings))
}

fn connection(given: &Arguments<'_>) -> Result<Connection, BackendError> {
    let Some(region) = given.text_or_env("region", &["AWS_REGION", "AWS_DEFAULT_REGION"]) else {
        return Err(refuse(
            "`region` is missing, and neither AWS_REGION nor AWS_DEFAULT_REGION is set",
        ));
    };
    let retries = given.text("max_retries").map(|text| {
        let number = text.parse().ok();
        number.ok_or_else(|| refuse("`max_retries` must be a whole number"))
    });
    let mode = given.text_or_env("retry_mode", &["AWS_RETRY_MODE"]);
    let adaptive = match mode.as_deref() {
        None | Some("standard" | "legacy") => false,
        Some("adaptive") => true,
        Some(_) => return Err(refuse("`retry_mode` must be `standard` or `adaptive`")),
    };
    let sparing = |name: &str| {
        given
            .env(name)
            .is_some_and(|mode| mode.eq_ignore_ascii_case("when_required"))
    };
    Ok(Connection {
        region,
        sts_region: given.text("sts_region"),
        endpoints: endpoints(given)?,
        path_style: given.flag("use_path_style")? || given.flag("force_path_style")?,
        fips: given.flag_or_env("use_fips_endpoint", "AWS_USE_FIPS_ENDPOINT")?,
        dual_stack: given.flag_or_env("use_dualstack_endpoint", "AWS_USE_DUALSTACK_ENDPOINT")?,
        credentials: credentials::source(given)?,
        role: credentials::role(given)?,
        allowed_accounts: given.list("allowed_account_ids")?,
        forbidden_accounts: given.list("forbidden_account_ids")?,
        read_retries: retries.transpose()?,
        adaptive_retries: adaptive,
        checksums_when_required: given.flag("skip_s3_checksum")?
            || sparing("AWS_REQUEST_CHECKSUM_CALCULATION"),
        validate_responses: !sparing("AWS_RESPONSE_CHECKSUM_VALIDATION"),
        ca_bundle: given.text_or_env("custom_ca_bundle", &["AWS_CA_BUNDLE"]),
        insecure: given.flag("insecure")?,
        proxies: proxies(given),
    })
}

/// Returns the endpoints: the block's member, the old argument, the service's variables, the general variable.
fn endpoints(given: &Arguments<'_>) -> Result<Endpoints, BackendError> {
    let ignored = given
        .env("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS")
        .is_some_and(|text| text.eq_ignore_ascii_case("true"));
    let pick = |arguments: [&str; 2], variables: &[&str]| {
        let found = arguments.iter().find_map(|name| Some((*name, given.text(name)?)));
        let found = found.or_else(|| {
            let mut set = variables.iter().filter(|_| !ignored);
            set.find_map(|name| Some((*name, given.env(name)?)))
        });
        match found {
            None => Ok(None),
            Some((_, url)) if url.starts_with("http://") || url.starts_with("https://") => Ok(Some(url)),
            Some((name, _)) => Err(refuse(format!(
                "`{name}` must be a URL that starts with `https://` or `http://`"
            ))),
        }
    };
    Ok(Endpoints {
        s3: pick(
            ["endpoints.s3", "endpoint"],
            &["AWS_ENDPOINT_URL_S3", "AWS_S3_ENDPOINT", "AWS_ENDPOINT_URL"],
        )?,
        dynamodb: pick(
            ["endpoints.dynamodb", "dynamodb_endpoint"],
            &[
                "AWS_ENDPOINT_URL_DYNAMODB",
                "AWS_DYNAMODB_ENDPOINT",
                "AWS_ENDPOINT_URL",
            ],
        )?,
        sts: pick(
            ["endpoints.sts", "sts_endpoint"],
            &["AWS_ENDPOINT_URL_STS", "AWS_STS_ENDPOINT", "AWS_ENDPOINT_URL"],
        )?,
        metadata: given.text_or_env(
            "ec2_metadata_service_endpoint",
            &["AWS_EC2_METADATA_SERVICE_ENDPOINT", "AWS_METADATA_URL"],
        ),
    })
}

/// Returns the proxies; `http_proxy` serves both schemes unless there is an `https_proxy`, as for Terraform.
fn proxies(given: &Arguments<'_>) -> Proxies {
    let from = |argument: &str, upper: &str, lower: &str| given.text_or_env(argument, &[upper, lower]);
    let http = from("http_proxy", "HTTP_PROXY", "http_proxy").map(Secret::new);
    let https = from("https_proxy", "HTTPS_PROXY", "https_proxy").map(Secret::new);
    let both = given.text("http_proxy").map(Secret::new);
    Proxies {
        https: https.or(both),
        http,
        none_for: from("no_proxy", "NO_PROXY", "no_proxy"),
    }
}
