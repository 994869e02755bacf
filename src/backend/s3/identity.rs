//! Credentials: keys, profiles, container and instance roles, web identities, and roles taken with them.

use std::fmt;

use aws_config::ecs::EcsCredentialsProvider;
use aws_config::imds;
use aws_config::imds::credentials::ImdsCredentialsProvider;
use aws_config::meta::credentials::CredentialsProviderChain;
use aws_config::profile::ProfileFileCredentialsProvider;
#[expect(
    deprecated,
    reason = "the names in place of these are in a crate of the SDK's internals"
)]
use aws_config::profile::profile_file::{ProfileFileKind, ProfileFiles};
use aws_config::provider_config::ProviderConfig;
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider, future};
use aws_sdk_s3::config::{BehaviorVersion, Region, SharedHttpClient};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use super::config::{AssumeRole, Connection, CredentialSource, Token, WebIdentity};
use super::errors::{Call, explain};
use crate::backend::BackendError;

/// The session's name where the configuration has none.
const SESSION: &str = "stackcut";

/// Returns where the credentials of a connection come from. Nothing is fetched yet.
pub(super) fn provider(
    connection: &Connection,
    http: &SharedHttpClient,
) -> Result<SharedCredentialsProvider, BackendError> {
    let first = match &connection.credentials {
        CredentialSource::Keys { id, secret, token } => {
            let token = token.as_ref().map(|token| token.reveal().to_owned());
            SharedCredentialsProvider::new(Credentials::new(id, secret.reveal(), token, None, "keys"))
        }
        CredentialSource::WebIdentity(identity) => SharedCredentialsProvider::new(ByWebIdentity {
            sts: sts(connection, http, None),
            identity: identity.clone(),
        }),
        CredentialSource::Shared { .. } => shared(connection, http)?,
    };
    Ok(match &connection.role {
        None => first,
        Some(role) => SharedCredentialsProvider::new(ByRole {
            sts: sts(connection, http, Some(first)),
            role: role.clone(),
        }),
    })
}

#[expect(deprecated, reason = "as above")]
fn shared(
    connection: &Connection,
    http: &SharedHttpClient,
) -> Result<SharedCredentialsProvider, BackendError> {
    let CredentialSource::Shared {
        profile,
        only_profile,
        config_files,
        credentials_files,
        metadata,
    } = &connection.credentials
    else {
        unreachable!("only called for shared files");
    };
    let settings = ProviderConfig::without_region()
        .with_region(Some(Region::new(connection.region.clone())))
        .with_http_client(http.clone());
    let mut files = ProfileFiles::builder();
    for (kind, paths) in [
        (ProfileFileKind::Config, config_files),
        (ProfileFileKind::Credentials, credentials_files),
    ] {
        if paths.is_empty() {
            files = match kind {
                ProfileFileKind::Config => files.include_default_config_file(true),
                _ => files.include_default_credentials_file(true),
            };
        }
        for path in paths {
            files = files.with_file(kind, path);
        }
    }
    let mut profiles = ProfileFileCredentialsProvider::builder()
        .configure(&settings)
        .profile_files(files.build());
    if let Some(profile) = profile {
        profiles = profiles.profile_name(profile);
    }
    let profiles = profiles.build();
    if *only_profile {
        return Ok(SharedCredentialsProvider::new(profiles));
    }
    let mut chain = CredentialsProviderChain::first_try("profile", profiles).or_else(
        "container",
        EcsCredentialsProvider::builder().configure(&settings).build(),
    );
    if *metadata {
        let mut client = imds::Client::builder().configure(&settings);
        if let Some(url) = &connection.endpoints.metadata {
            client = client.endpoint(url).map_err(|_| BackendError::Configuration {
                backend: "s3",
                reason: "`ec2_metadata_service_endpoint` is not a URL".to_owned(),
            })?;
        }
        let instance = ImdsCredentialsProvider::builder()
            .configure(&settings)
            .imds_client(client.build())
            .build();
        chain = chain.or_else("instance", instance);
    }
    Ok(SharedCredentialsProvider::new(chain))
}

fn sts(
    connection: &Connection,
    http: &SharedHttpClient,
    credentials: Option<SharedCredentialsProvider>,
) -> aws_sdk_sts::Client {
    let region = connection.sts_region.as_ref().unwrap_or(&connection.region);
    let mut config = aws_sdk_sts::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(region.clone()))
        .http_client(http.clone())
        .use_fips(connection.fips)
        .use_dual_stack(connection.dual_stack);
    config.set_credentials_provider(credentials);
    config.set_endpoint_url(connection.endpoints.sts.clone());
    aws_sdk_sts::Client::from_conf(config.build())
}

/// Refuses credentials of an account that the configuration does not want.
pub(super) async fn check_account(
    connection: &Connection,
    http: &SharedHttpClient,
    credentials: &SharedCredentialsProvider,
) -> Result<(), BackendError> {
    let call = Call {
        at: "the account in use".to_owned(),
        action: "sts:GetCallerIdentity",
    };
    let asked = sts(connection, http, Some(credentials.clone()))
        .get_caller_identity()
        .send()
        .await;
    let identity = asked.map_err(|error| explain(call, &error))?;
    let account = identity.account().unwrap_or_default().to_owned();
    let (allowed, forbidden) = (&connection.allowed_accounts, &connection.forbidden_accounts);
    let name = if !allowed.is_empty() && !allowed.contains(&account) {
        "allowed_account_ids"
    } else if forbidden.contains(&account) {
        "forbidden_account_ids"
    } else {
        return Ok(());
    };
    Err(BackendError::Configuration {
        backend: "s3",
        reason: format!("the credentials are of the account {account}, which `{name}` does not let in"),
    })
}

/// Credentials of a role that other credentials may take.
#[derive(Debug)]
struct ByRole {
    sts: aws_sdk_sts::Client,
    role: AssumeRole,
}

/// Credentials of a role that a web identity token may take.
#[derive(Debug)]
struct ByWebIdentity {
    sts: aws_sdk_sts::Client,
    identity: WebIdentity,
}

/// A role that was not given.
#[derive(Debug)]
struct NoRole(String);

impl fmt::Display for NoRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for NoRole {}

/// Says why; the answer's own message may quote a token, so only its code is told where it has one.
fn no_role<E: ProvideErrorMetadata>(
    action: &str,
    arn: &str,
    error: &aws_sdk_sts::error::SdkError<E, aws_smithy_runtime_api::client::orchestrator::HttpResponse>,
) -> CredentialsError {
    let why = match error {
        aws_sdk_sts::error::SdkError::ServiceError(context) => {
            context.err().code().unwrap_or("an unknown error").to_owned()
        }
        _ => "STS was not reached".to_owned(),
    };
    CredentialsError::provider_error(NoRole(format!("{action} of {arn} failed: {why}")))
}

fn as_credentials(
    given: Option<&aws_sdk_sts::types::Credentials>,
    arn: &str,
) -> Result<Credentials, CredentialsError> {
    let nothing = || CredentialsError::unhandled(NoRole(format!("STS gave no credentials for {arn}")));
    let given = given.ok_or_else(nothing)?;
    let expires = (*given.expiration()).try_into().map_err(|_| nothing())?;
    Ok(Credentials::new(
        given.access_key_id(),
        given.secret_access_key(),
        Some(given.session_token().to_owned()),
        Some(expires),
        "role",
    ))
}

fn seconds(role: &AssumeRole) -> Option<i32> {
    let time = role.duration?;
    // What is too long for the type is too long for STS, which says so.
    Some(i32::try_from(time.as_secs()).unwrap_or(i32::MAX))
}

fn policies(role: &AssumeRole) -> Option<Vec<aws_sdk_sts::types::PolicyDescriptorType>> {
    let policies = role.policy_arns.iter();
    let policies = policies.map(|arn| {
        aws_sdk_sts::types::PolicyDescriptorType::builder()
            .arn(arn)
            .build()
    });
    (!role.policy_arns.is_empty()).then(|| policies.collect())
}

impl ByRole {
    async fn take(&self) -> Result<Credentials, CredentialsError> {
        let role = &self.role;
        let mut tags = Vec::new();
        for (key, value) in &role.tags {
            let tag = aws_sdk_sts::types::Tag::builder().key(key).value(value);
            tags.push(tag.build().expect("key and value are set"));
        }
        let transitive = role.transitive_tags.clone();
        let taken = self
            .sts
            .assume_role()
            .role_arn(&role.arn)
            .role_session_name(role.session_name.as_deref().unwrap_or(SESSION))
            .set_external_id(role.external_id.clone())
            .set_duration_seconds(seconds(role))
            .set_policy(role.policy.clone())
            .set_policy_arns(policies(role))
            .set_tags((!tags.is_empty()).then_some(tags))
            .set_transitive_tag_keys((!transitive.is_empty()).then_some(transitive))
            .set_source_identity(role.source_identity.clone())
            .send()
            .await
            .map_err(|error| no_role("sts:AssumeRole", &role.arn, &error))?;
        as_credentials(taken.credentials(), &role.arn)
    }
}

impl ByWebIdentity {
    async fn take(&self) -> Result<Credentials, CredentialsError> {
        let role = &self.identity.role;
        let token = match &self.identity.token {
            Token::Text(token) => token.reveal().to_owned(),
            Token::File(path) => {
                let read = std::fs::read_to_string(path);
                read.map_err(|error| {
                    let problem = format!("the web identity token file {path} cannot be read: {error}");
                    CredentialsError::invalid_configuration(NoRole(problem))
                })?
            }
        };
        let taken = self
            .sts
            .assume_role_with_web_identity()
            .role_arn(&role.arn)
            .role_session_name(role.session_name.as_deref().unwrap_or(SESSION))
            .web_identity_token(token.trim())
            .set_duration_seconds(seconds(role))
            .set_policy(role.policy.clone())
            .set_policy_arns(policies(role))
            .send()
            .await
            .map_err(|error| no_role("sts:AssumeRoleWithWebIdentity", &role.arn, &error))?;
        as_credentials(taken.credentials(), &role.arn)
    }
}

impl ProvideCredentials for ByRole {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.take())
    }
}

impl ProvideCredentials for ByWebIdentity {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.take())
    }
}
