//! Names of the objects kept beside a state: backups of originals, journals.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// Names an object beside a state: segments of ASCII letters, digits, `-`, `_` and `.`, joined by `/`.
///
/// No segment starts with a dot, so that a name is a safe file path and temporary files can be told apart.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SidecarName(String);

/// A text that is no such name.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("`{name}` cannot name an object beside a state")]
pub struct InvalidSidecarName {
    /// The refused text.
    pub name: String,
}

impl SidecarName {
    /// Returns the name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for SidecarName {
    type Err = InvalidSidecarName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fits = |segment: &str| {
            !segment.is_empty()
                && !segment.starts_with('.')
                && segment
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
        };
        if text.len() <= 255 && text.split('/').all(fits) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidSidecarName {
                name: text.to_owned(),
            })
        }
    }
}

impl fmt::Display for SidecarName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_always_a_path_inside() {
        for good in ["a", "journal/m-1/000001.json", "backup/ABC_1.tfstate"] {
            assert_eq!(good.parse::<SidecarName>().unwrap().as_str(), good);
        }
        for bad in [
            "", "/a", "a/", "a//b", "..", "a/../b", ".hidden", "a b", "ä", "a\\b",
        ] {
            assert!(bad.parse::<SidecarName>().is_err(), "{bad}");
        }
    }
}
