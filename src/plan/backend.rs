//! The arguments of the two backends, which of them are credentials, and when two locations are one.
//!
//! Arguments are kept flat, by their Terraform names; those of nested objects as `assume_role.role_arn`. Lists are
//! kept as JSON text.

mod arguments;

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

pub(super) use self::arguments::CREDENTIALS;
use self::arguments::{LOCAL, NESTED, S3};
use crate::stack::{StateLocation, clean_path};

/// A backend whose states stackcut can move.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BackendKind {
    /// A file.
    Local,
    /// An object in a bucket.
    S3,
}

impl BackendKind {
    /// Returns the word used in a `backend "TYPE"` block.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::S3 => "s3",
        }
    }

    /// Tells whether the backend has an argument of this (flat) name.
    pub fn knows(self, argument: &str) -> bool {
        let (head, rest) = argument
            .split_once('.')
            .map_or((argument, None), |(head, rest)| (head, Some(rest)));
        match (self, rest) {
            (Self::Local, None) => LOCAL.contains(&head),
            (Self::Local, Some(_)) => false,
            (Self::S3, None) => S3.contains(&head),
            (Self::S3, Some(rest)) => nested(head).is_some_and(|known| {
                // Tag maps have free keys: `assume_role.tags.team`.
                let first = rest.split('.').next().unwrap_or(rest);
                known.contains(&first) && (first == rest || first == "tags")
            }),
        }
    }

    /// Returns the names of all arguments and nested objects of the top level.
    pub fn words(self) -> Vec<&'static str> {
        match self {
            Self::Local => LOCAL.to_vec(),
            Self::S3 => S3
                .iter()
                .copied()
                .chain(NESTED.iter().map(|(name, _)| *name))
                .collect(),
        }
    }
}

impl FromStr for BackendKind {
    type Err = ();

    fn from_str(word: &str) -> Result<Self, ()> {
        match word {
            "local" => Ok(Self::Local),
            "s3" => Ok(Self::S3),
            _ => Err(()),
        }
    }
}

impl fmt::Display for BackendKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Returns the known members of a nested object, or none where `name` is not one.
pub(super) fn nested(name: &str) -> Option<&'static [&'static str]> {
    NESTED
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, members)| *members)
}

/// Tells whether an argument (flat name) holds a credential. Profile and role names are not credentials.
pub fn is_credential(argument: &str) -> bool {
    CREDENTIALS.contains(&argument.rsplit('.').next().unwrap_or(argument))
}

/// Tells whether a value carries a credential though its argument is harmless: a URL with a password in it.
pub fn carries_credential(value: &str) -> bool {
    value
        .split_once("://")
        .and_then(|(_, rest)| rest.split('/').next()?.rsplit_once('@'))
        .is_some_and(|(user, _)| user.contains(':'))
}

/// Returns the text by which two locations are the same state: bucket and object, or file.
///
/// The region, the profile and the locks do not matter: a bucket's name is unique wherever one asks from. The
/// endpoint does, since another endpoint is another store.
pub fn identity(location: &StateLocation) -> String {
    let argument = |name: &str| location.arguments.get(name).map_or("", String::as_str);
    if location.backend == "local" {
        let path = if argument("path").is_empty() {
            "terraform.tfstate"
        } else {
            argument("path")
        };
        if location.workspace == "default" {
            return format!("local:{}", tidy(path));
        }
        let dir = argument("workspace_dir");
        let dir = if dir.is_empty() {
            "terraform.tfstate.d"
        } else {
            dir
        };
        return format!(
            "local:{}",
            tidy(&format!("{dir}/{}/terraform.tfstate", location.workspace))
        );
    }
    let endpoint = match argument("endpoints.s3") {
        "" => argument("endpoint"),
        endpoint => endpoint,
    };
    format!(
        "{}:{endpoint}:{}/{}",
        location.backend,
        argument("bucket"),
        object_key(location)
    )
}

/// Returns the object's key in the bucket, with the workspace's prefix.
pub fn object_key(location: &StateLocation) -> String {
    let key = location.arguments.get("key").map_or("", String::as_str);
    if location.workspace == "default" {
        return key.to_owned();
    }
    let prefix = location.arguments.get("workspace_key_prefix");
    let prefix = prefix.map_or("env:", String::as_str);
    clean_path(&format!("{prefix}/{}/{key}", location.workspace))
}

/// Returns a short text for people: where the state is.
pub fn describe(location: &StateLocation) -> String {
    if location.backend == "local" {
        let text = identity(location);
        return text.strip_prefix("local:").unwrap_or(&text).to_owned();
    }
    let bucket = location.arguments.get("bucket").map_or("", String::as_str);
    format!("{}://{bucket}/{}", location.backend, object_key(location))
}

/// Returns what is missing or wrong in a location, as fragments; empty where it is whole.
pub fn faults(location: &StateLocation) -> Vec<String> {
    let mut faults = Vec::new();
    if location.backend != "s3" {
        return faults;
    }
    for name in ["bucket", "key"] {
        if location.arguments.get(name).is_none_or(String::is_empty) {
            faults.push(format!("`{name}` is missing"));
        }
    }
    for (name, inner) in [("key", true), ("workspace_key_prefix", false)] {
        let Some(value) = location.arguments.get(name) else {
            continue;
        };
        if value.starts_with('/') || value.ends_with('/') {
            faults.push(format!("`{name}` must not start or end with `/`: {value}"));
        }
        if inner && value.contains("//") {
            faults.push(format!("`{name}` must not hold `//`: {value}"));
        }
    }
    faults
}

/// Removes `.`, empty and `x/..` segments, without asking the file system.
fn tidy(path: &str) -> String {
    let root = if path.starts_with('/') { "/" } else { "" };
    format!("{root}{}", clean_path(path))
}

/// Merges argument maps: later ones win.
pub(super) fn merge(into: &mut BTreeMap<String, String>, from: BTreeMap<String, String>) {
    for (name, value) in from {
        into.insert(name, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn location(backend: &str, workspace: &str, arguments: &[(&str, &str)]) -> StateLocation {
        StateLocation {
            backend: backend.to_owned(),
            arguments: arguments
                .iter()
                .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
                .collect(),
            workspace: workspace.to_owned(),
        }
    }

    #[test]
    fn knows_the_arguments_of_each_backend() {
        assert!(BackendKind::S3.knows("assume_role.tags.team"));
        assert!(BackendKind::S3.knows("endpoints.dynamodb"));
        assert!(!BackendKind::S3.knows("endpoints.sqs"));
        assert!(!BackendKind::S3.knows("bucket.x"));
        assert!(!BackendKind::Local.knows("bucket"));
    }

    #[test]
    fn credentials_are_told_from_names_of_roles() {
        for argument in [
            "access_key",
            "sse_customer_key",
            "assume_role_with_web_identity.web_identity_token",
        ] {
            assert!(is_credential(argument), "{argument}");
        }
        for argument in [
            "profile",
            "assume_role.role_arn",
            "kms_key_id",
            "key",
            "web_identity_token_file",
        ] {
            assert!(!is_credential(argument), "{argument}");
        }
        assert!(carries_credential("http://user:word@proxy:80/x"));
        assert!(!carries_credential("http://proxy:80/a@b:c"));
        assert!(!carries_credential("arn:aws:iam::1:role/a@b"));
    }

    #[test]
    fn one_object_is_one_state_whatever_the_region() {
        let s3 = |workspace, arguments: &[(&str, &str)]| identity(&location("s3", workspace, arguments));
        let plain = s3(
            "default",
            &[("bucket", "b"), ("key", "env:/dev/k"), ("region", "eu-west-1")],
        );
        assert_eq!(
            plain,
            s3("dev", &[("bucket", "b"), ("key", "k"), ("profile", "x")])
        );
        assert_ne!(
            plain,
            s3(
                "default",
                &[
                    ("bucket", "b"),
                    ("key", "env:/dev/k"),
                    ("endpoints.s3", "http://x")
                ]
            )
        );
        assert_eq!(
            s3(
                "dev",
                &[("bucket", "b"), ("key", "k"), ("workspace_key_prefix", "")]
            ),
            "s3::b/dev/k"
        );
        // The backend takes `.` and `..` out of a workspace's key, and only there.
        let dotted = [
            ("bucket", "b"),
            ("key", "k"),
            ("workspace_key_prefix", "x/../env:"),
        ];
        assert_eq!(s3("dev", &dotted), plain);
        assert_eq!(
            s3("default", &[("bucket", "b"), ("key", "a/../k")]),
            "s3::b/a/../k"
        );
        let local =
            |workspace, arguments: &[(&str, &str)]| identity(&location("local", workspace, arguments));
        assert_eq!(
            local("default", &[("path", "a/../b/./c.tfstate")]),
            local("default", &[("path", "b/c.tfstate")])
        );
        assert_eq!(
            local("dev", &[]),
            "local:terraform.tfstate.d/dev/terraform.tfstate"
        );
    }

    #[test]
    fn a_whole_location_has_no_faults() {
        assert!(faults(&location("s3", "default", &[("bucket", "b"), ("key", "a/b")])).is_empty());
        assert_eq!(
            faults(&location("s3", "default", &[("key", "/a//b")])),
            [
                "`bucket` is missing",
                "`key` must not start or end with `/`: /a//b",
                "`key` must not hold `//`: /a//b"
            ]
        );
    }
}
