//! The words for what a monolith is cut into: stacks, their layers, where their states live, and the
//! environments (one tenant × environment each) that are all cut the same way.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use thiserror::Error;

/// Names a stack: one root module with one state. Cheap to copy: every move holds two.
///
/// Letters, digits, `-` and `_`, starting with a letter; it becomes part of object keys, parameter names and
/// Kubernetes names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StackName(Arc<str>);

/// A name that cannot be a stack's name.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error(
    "`{name}` is not a stack name: it must start with a letter and hold only letters, digits, `-` and `_` (at most 63)"
)]
pub struct InvalidStackName {
    /// The refused text.
    pub name: String,
}

impl StackName {
    /// Returns the name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for StackName {
    type Err = InvalidStackName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let starts_well = text.starts_with(|c: char| c.is_ascii_alphabetic());
        let chars_fit = text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
        if starts_well && chars_fit && text.len() <= 63 {
            Ok(Self(text.into()))
        } else {
            Err(InvalidStackName {
                name: text.to_owned(),
            })
        }
    }
}

impl fmt::Display for StackName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The layer of a stack; a stack may read contracts of its own layer's peers and of the layers below.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Layer {
    /// Account-wide things: IAM, KMS, account settings.
    Account,
    /// Networks and DNS.
    Network,
    /// Clusters and other shared platforms.
    Cluster,
    /// One service.
    Service,
}

/// A word that names no layer.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("`{word}` is not a layer: expected account, network, cluster or service")]
pub struct InvalidLayer {
    /// The refused text.
    pub word: String,
}

impl Layer {
    /// All layers, lowest first.
    pub const ALL: [Self; 4] = [Self::Account, Self::Network, Self::Cluster, Self::Service];

    /// Returns the word used in plan files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Network => "network",
            Self::Cluster => "cluster",
            Self::Service => "service",
        }
    }
}

impl FromStr for Layer {
    type Err = InvalidLayer;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|layer| layer.as_str() == word)
            .ok_or_else(|| InvalidLayer {
                word: word.to_owned(),
            })
    }
}

impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Names one state within one run: the monolith's, or a stack's.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StateId {
    /// The source of that name: a monolith that loses resources (and may get some, when a stack is merged back).
    Source(StackName),
    /// The state of a stack.
    Stack(StackName),
}

impl StateId {
    /// Returns the bare name.
    pub fn name(&self) -> &StackName {
        match self {
            Self::Source(name) | Self::Stack(name) => name,
        }
    }
}

impl fmt::Display for StateId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.name().fmt(f)
    }
}

/// The ID of one lock: chosen by us and journaled before the lock is taken, so that a lock found later is known as ours.
///
/// Ours are 16 random bytes in the layout of a UUID; what others chose is any text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LockId(String);

impl LockId {
    /// Wraps an ID as it was read.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Makes an ID of random bytes in the layout Terraform gives it (8-4-4-4-12 lower-case hex digits).
    pub fn from_random(bytes: [u8; 16]) -> Self {
        Self(uuid_layout(bytes))
    }

    /// Returns the ID as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for LockId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Where a state lives. Holds no credentials: those come from the environment at the moment of use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateLocation {
    /// The backend's type as in a `backend "TYPE"` block: `local` or `s3`.
    pub backend: String,
    /// The backend's arguments, by their Terraform names, as plain text (nested blocks as `block.argument`).
    pub arguments: BTreeMap<String, String>,
    /// The workspace; `default` where none is selected.
    pub workspace: String,
}

/// One tenant × environment: one copy of the monolith's state, cut the same way as its peers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Environment {
    /// The label of the block, for example `tenant-a/stage`; `default` where the plan file names none.
    pub name: String,
    /// `prod`, `non-prod` or another class the team uses.
    pub class: Option<String>,
    /// Values for the templates of the plan file.
    pub values: BTreeMap<String, String>,
    /// Variable files of the monolith, relative to its directory.
    pub var_files: Vec<String>,
    /// Backend arguments that differ in this environment (profile, role …).
    pub backend: BTreeMap<String, String>,
}

/// Writes bytes as Terraform writes its random identifiers: lower-case hex digits, 8-4-4-4-12.
pub(crate) fn uuid_layout(bytes: [u8; 16]) -> String {
    let mut text = String::with_capacity(36);
    for (at, byte) in bytes.iter().enumerate() {
        if matches!(at, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        text.push_str(&format!("{byte:02x}"));
    }
    text
}

/// Joins the segments of a relative path as Go's `path.Join` does: no empty ones, no `.`, and `..` takes one back. So
/// Terraform's S3 backend makes the key of a workspace's object.
pub(crate) fn clean_path(path: &str) -> String {
    let mut out: Vec<&str> = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." if out.last().is_some_and(|last| *last != "..") => {
                out.pop();
            }
            segment => out.push(segment),
        }
    }
    out.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lock_ids_have_the_layout_of_a_uuid() {
        let id = LockId::from_random([0xab; 16]);
        assert_eq!(id.to_string(), "abababab-abab-abab-abab-abababababab");
        assert_eq!(LockId::new(id.as_str()), id);
    }
}
