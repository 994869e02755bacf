//! Where credentials come from: the order of every AWS tool, with what the backend adds.

use std::collections::BTreeMap;
use std::time::Duration;

use super::arguments::Arguments;
use super::{Secret, refuse};
use crate::backend::BackendError;

/// The first credentials, before any role is taken with them.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum CredentialSource {
    /// Keys from the arguments or from the environment.
    Keys {
        /// The access key's ID.
        id: String,
        /// The secret key.
        secret: Secret,
        /// The session token of temporary keys.
        token: Option<Secret>,
    },
    /// A role for a web identity token.
    WebIdentity(WebIdentity),
    /// A profile in the shared files; without a name, or without an explicit one, container and instance roles follow.
    Shared {
        /// The profile's name.
        profile: Option<String>,
        /// Whether the profile was asked for by name, so that nothing else will do.
        only_profile: bool,
        /// Configuration files, where they are not the usual one.
        config_files: Vec<String>,
        /// Credentials files, where they are not the usual one.
        credentials_files: Vec<String>,
        /// Whether the instance's metadata may be asked.
        metadata: bool,
    },
}

/// A role taken with other credentials.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct AssumeRole {
    /// The role.
    pub arn: String,
    /// The external ID it asks for.
    pub external_id: Option<String>,
    /// The session's name.
    pub session_name: Option<String>,
    /// How long the session lasts.
    pub duration: Option<Duration>,
    /// A policy that narrows it, as JSON.
    pub policy: Option<String>,
    /// Managed policies that narrow it.
    pub policy_arns: Vec<String>,
    /// Session tags.
    pub tags: BTreeMap<String, String>,
    /// Names of tags that pass on to further roles.
    pub transitive_tags: Vec<String>,
    /// The source identity.
    pub source_identity: Option<String>,
}

/// A web identity token, or the file that holds a fresh one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Token {
    /// The token.
    Text(Secret),
    /// The file, read each time.
    File(String),
}

/// A role taken with a web identity token.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct WebIdentity {
    /// The role, the session's name and its limits; what does not apply is empty.
    pub role: AssumeRole,
    /// The token.
    pub token: Token,
}

pub(super) fn source(given: &Arguments<'_>) -> Result<CredentialSource, BackendError> {
    if given.has_object("assume_role_with_web_identity") {
        return web_identity(given).map(CredentialSource::WebIdentity);
    }
    let token = |variables| given.text_or_env("token", variables).map(Secret::new);
    match (given.text("access_key"), given.text("secret_key")) {
        (Some(id), Some(secret)) => {
            return Ok(CredentialSource::Keys {
                id,
                secret: Secret::new(secret),
                token: token(&[]),
            });
        }
        (None, None) => {}
        (Some(_), None) => return Err(refuse("`access_key` is given without `secret_key`")),
        (None, Some(_)) => return Err(refuse("`secret_key` is given without `access_key`")),
    }
    let named = given.text("profile");
    if named.is_none() {
        let id = given
            .env("AWS_ACCESS_KEY_ID")
            .or_else(|| given.env("AWS_ACCESS_KEY"));
        let secret = given
            .env("AWS_SECRET_ACCESS_KEY")
            .or_else(|| given.env("AWS_SECRET_KEY"));
        if let (Some(id), Some(secret)) = (id, secret) {
            return Ok(CredentialSource::Keys {
                id,
                secret: Secret::new(secret),
                token: token(&["AWS_SESSION_TOKEN"]),
            });
        }
        if given.env("AWS_WEB_IDENTITY_TOKEN_FILE").is_some() && given.env("AWS_ROLE_ARN").is_some() {
            return web_identity(given).map(CredentialSource::WebIdentity);
        }
    }
    shared(given, named)
}

fn shared(given: &Arguments<'_>, named: Option<String>) -> Result<CredentialSource, BackendError> {
    let or_variable = |mut files: Vec<String>, variable: &str| {
        if files.is_empty() {
            files.extend(given.env(variable));
        }
        files
    };
    let mut credentials_files = given.list("shared_credentials_files")?;
    credentials_files.extend(given.text("shared_credentials_file"));
    let disabled = given
        .env("AWS_EC2_METADATA_DISABLED")
        .is_some_and(|text| text.eq_ignore_ascii_case("true"));
    let profile = named
        .clone()
        .or_else(|| given.env("AWS_PROFILE"))
        .or_else(|| given.env("AWS_DEFAULT_PROFILE"));
    Ok(CredentialSource::Shared {
        only_profile: named.is_some(),
        profile,
        config_files: or_variable(given.list("shared_config_files")?, "AWS_CONFIG_FILE"),
        credentials_files: or_variable(credentials_files, "AWS_SHARED_CREDENTIALS_FILE"),
        metadata: !disabled && !given.flag("skip_metadata_api_check")?,
    })
}

/// Returns the role of `assume_role`, or of the arguments that came before it.
pub(super) fn role(given: &Arguments<'_>) -> Result<Option<AssumeRole>, BackendError> {
    if given.has_object("assume_role") {
        let Some(arn) = given.text("assume_role.role_arn") else {
            return Err(refuse("`assume_role.role_arn` is missing"));
        };
        return Ok(Some(AssumeRole {
            arn,
            external_id: given.text("assume_role.external_id"),
            session_name: given.text("assume_role.session_name"),
            duration: duration(given, "assume_role.duration")?,
            policy: given.text("assume_role.policy"),
            policy_arns: given.list("assume_role.policy_arns")?,
            tags: given.map("assume_role.tags"),
            transitive_tags: given.list("assume_role.transitive_tag_keys")?,
            source_identity: given.text("assume_role.source_identity"),
        }));
    }
    let Some(arn) = given.text("role_arn") else {
        return Ok(None);
    };
    let seconds = given.text("assume_role_duration_seconds").map(|text| {
        let number: Option<u64> = text.parse().ok();
        number.ok_or_else(|| refuse("`assume_role_duration_seconds` must be a whole number"))
    });
    Ok(Some(AssumeRole {
        arn,
        external_id: given.text("external_id"),
        session_name: given.text("session_name"),
        duration: seconds.transpose()?.map(Duration::from_secs),
        policy: given.text("assume_role_policy"),
        policy_arns: given.list("assume_role_policy_arns")?,
        tags: given.map("assume_role_tags"),
        transitive_tags: given.list("assume_role_transitive_tag_keys")?,
        source_identity: None,
    }))
}

fn web_identity(given: &Arguments<'_>) -> Result<WebIdentity, BackendError> {
    let name = |member: &str| format!("assume_role_with_web_identity.{member}");
    let Some(arn) = given.text_or_env(&name("role_arn"), &["AWS_ROLE_ARN"]) else {
        return Err(refuse(
            "`assume_role_with_web_identity.role_arn` is missing, and AWS_ROLE_ARN is not set",
        ));
    };
    let token = match (
        given.text(&name("web_identity_token")),
        given.text(&name("web_identity_token_file")),
    ) {
        (Some(_), Some(_)) => {
            return Err(refuse(
                "`assume_role_with_web_identity` has a `web_identity_token` and a `web_identity_token_file`",
            ));
        }
        (Some(token), None) => Token::Text(Secret::new(token)),
        (None, Some(file)) => Token::File(file),
        (None, None) => match given.env("AWS_WEB_IDENTITY_TOKEN_FILE") {
            Some(file) => Token::File(file),
            None => {
                return Err(refuse(
                    "`assume_role_with_web_identity` has no token: give `web_identity_token_file`, or set AWS_WEB_IDENTITY_TOKEN_FILE",
                ));
            }
        },
    };
    Ok(WebIdentity {
        role: AssumeRole {
            arn,
            session_name: given.text_or_env(&name("session_name"), &["AWS_ROLE_SESSION_NAME"]),
            duration: duration(given, &name("duration"))?,
            policy: given.text(&name("policy")),
            policy_arns: given.list(&name("policy_arns"))?,
            ..AssumeRole::default()
        },
        token,
    })
}

fn duration(given: &Arguments<'_>, name: &str) -> Result<Option<Duration>, BackendError> {
    let Some(text) = given.text(name) else {
        return Ok(None);
    };
    match go_duration(&text) {
        Some(time) => Ok(Some(time)),
        None => Err(refuse(format!("`{name}` must be a duration such as `1h30m`"))),
    }
}

/// Reads a duration as Go writes it, in hours, minutes and seconds.
fn go_duration(text: &str) -> Option<Duration> {
    let mut seconds: u64 = 0;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let number: u64 = rest[..digits].parse().ok()?;
        let unit = match rest.as_bytes()[digits] {
            b'h' => 3600,
            b'm' => 60,
            b's' => 1,
            _ => return None,
        };
        seconds = seconds.checked_add(number.checked_mul(unit)?)?;
        rest = &rest[digits + 1..];
    }
    (seconds > 0).then(|| Duration::from_secs(seconds))
}
