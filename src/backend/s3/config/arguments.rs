//! Reading single arguments, and the names that there are.

use std::collections::BTreeMap;

use super::refuse;
use crate::backend::BackendError;

/// Arguments of the top level.
const PLAIN: &[&str] = &[
    "access_key",
    "acl",
    "allowed_account_ids",
    "assume_role_duration_seconds",
    "assume_role_policy",
    "assume_role_policy_arns",
    "assume_role_tags",
    "assume_role_transitive_tag_keys",
    "bucket",
    "custom_ca_bundle",
    "dynamodb_endpoint",
    "dynamodb_table",
    "ec2_metadata_service_endpoint",
    "ec2_metadata_service_endpoint_mode",
    "encrypt",
    "endpoint",
    "external_id",
    "forbidden_account_ids",
    "force_path_style",
    "http_proxy",
    "https_proxy",
    "iam_endpoint",
    "insecure",
    "key",
    "kms_key_id",
    "max_retries",
    "no_proxy",
    "profile",
    "region",
    "retry_mode",
    "role_arn",
    "secret_key",
    "session_name",
    "shared_config_files",
    "shared_credentials_file",
    "shared_credentials_files",
    "skip_credentials_validation",
    "skip_metadata_api_check",
    "skip_region_validation",
    "skip_requesting_account_id",
    "skip_s3_checksum",
    "sse_customer_key",
    "sts_endpoint",
    "sts_region",
    "token",
    "use_dualstack_endpoint",
    "use_fips_endpoint",
    "use_legacy_workflow",
    "use_lockfile",
    "use_path_style",
    "workspace_key_prefix",
];

/// Members of nested objects.
const MEMBERS: &[(&str, &[&str])] = &[
    ("endpoints", &["dynamodb", "iam", "s3", "sso", "sts"]),
    (
        "assume_role",
        &[
            "duration",
            "external_id",
            "policy",
            "policy_arns",
            "role_arn",
            "session_name",
            "source_identity",
            "tags",
            "transitive_tag_keys",
        ],
    ),
    (
        "assume_role_with_web_identity",
        &[
            "duration",
            "policy",
            "policy_arns",
            "role_arn",
            "session_name",
            "web_identity_token",
            "web_identity_token_file",
        ],
    ),
];

/// Tells whether there is an argument of this (flat) name.
pub(super) fn is_known(name: &str) -> bool {
    let Some((head, rest)) = name.split_once('.') else {
        return PLAIN.contains(&name);
    };
    // Tag maps have free keys.
    if head == "assume_role_tags" || (head == "assume_role" && rest.starts_with("tags.")) {
        return true;
    }
    MEMBERS
        .iter()
        .any(|(object, members)| *object == head && members.contains(&rest))
}

/// The arguments that were given, and the environment behind them.
pub(super) struct Arguments<'a> {
    given: &'a BTreeMap<String, String>,
    env: &'a dyn Fn(&str) -> Option<String>,
}

impl<'a> Arguments<'a> {
    /// Wraps them; an unknown one is refused by name.
    pub(super) fn new(
        given: &'a BTreeMap<String, String>,
        env: &'a dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, BackendError> {
        match given.keys().find(|name| !is_known(name)) {
            Some(unknown) => Err(refuse(format!("`{unknown}` is not an argument of it"))),
            None => Ok(Self { given, env }),
        }
    }

    /// Returns the text even if it is empty.
    pub(super) fn raw(&self, name: &str) -> Option<&'a str> {
        self.given.get(name).map(String::as_str)
    }

    pub(super) fn text(&self, name: &str) -> Option<String> {
        self.raw(name).filter(|text| !text.is_empty()).map(str::to_owned)
    }

    pub(super) fn env(&self, name: &str) -> Option<String> {
        (self.env)(name).filter(|text| !text.is_empty())
    }

    pub(super) fn text_or_env(&self, name: &str, variables: &[&str]) -> Option<String> {
        self.text(name)
            .or_else(|| variables.iter().find_map(|variable| self.env(variable)))
    }

    /// Returns a boolean, as Terraform converts texts to one; false where it is not given.
    pub(super) fn flag(&self, name: &str) -> Result<bool, BackendError> {
        self.text(name).map_or(Ok(false), |text| truth(name, &text))
    }

    pub(super) fn flag_or_env(&self, name: &str, variable: &str) -> Result<bool, BackendError> {
        match (self.text(name), self.env(variable)) {
            (Some(text), _) => truth(name, &text),
            (None, Some(text)) => truth(variable, &text.to_ascii_lowercase()),
            (None, None) => Ok(false),
        }
    }

    /// Returns a list: JSON text, or one element as it stands.
    pub(super) fn list(&self, name: &str) -> Result<Vec<String>, BackendError> {
        let Some(text) = self.text(name) else {
            return Ok(Vec::new());
        };
        if !text.starts_with('[') {
            return Ok(vec![text]);
        }
        let items: Vec<serde_json::Value> =
            serde_json::from_str(&text).map_err(|_| refuse(format!("`{name}` must be a list of texts")))?;
        let as_text = |item: serde_json::Value| match item {
            serde_json::Value::String(text) => Ok(text),
            serde_json::Value::Number(number) => Ok(number.to_string()),
            _ => Err(refuse(format!("`{name}` must be a list of texts"))),
        };
        items.into_iter().map(as_text).collect()
    }

    /// Returns the members of a map, given as `name.KEY`.
    pub(super) fn map(&self, name: &str) -> BTreeMap<String, String> {
        let prefix = format!("{name}.");
        let members = self.given.iter().filter_map(|(key, value)| {
            let member = key.strip_prefix(&prefix)?;
            Some((member.to_owned(), value.clone()))
        });
        members.collect()
    }

    /// Tells whether any member of a nested object was given.
    pub(super) fn has_object(&self, name: &str) -> bool {
        let prefix = format!("{name}.");
        self.given
            .iter()
            .any(|(key, value)| key.starts_with(&prefix) && !value.is_empty())
    }
}

fn truth(name: &str, text: &str) -> Result<bool, BackendError> {
    match text {
        "true" | "1" => Ok(true),
        "false" | "0" => Ok(false),
        _ => Err(refuse(format!("`{name}` must be `true` or `false`"))),
    }
}
