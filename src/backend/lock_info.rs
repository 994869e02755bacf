//! What a lock says about its holder: the JSON text that Terraform, OpenTofu and we write into lock items and files.
//!
//! OpenTofu frees a lock only if the stored text equals its own re-marshalling of it, so the text is written exactly as
//! Go would: this key order, no spaces, HTML characters escaped, the time as RFC 3339 with up to nine digits and `Z`.

use jiff::Timestamp;
use thiserror::Error;

use crate::json::quote_into;
use crate::stack::LockId;

/// Who holds a lock, since when and what for. All of it is chosen by the caller; it is shown to everybody who meets the
/// lock, so it must hold nothing secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockInfo {
    /// Identifies this taking of the lock.
    pub id: LockId,
    /// What is going on, in a few words. Terraform shows any text.
    pub operation: String,
    /// More of it; Terraform shows this too.
    pub info: String,
    /// `user@host`.
    pub who: String,
    /// Version of the holder's program.
    pub version: String,
    /// Since when.
    pub created: Timestamp,
    /// The state; backends put their own text here.
    pub path: String,
}

/// Lock information that does not say whose lock it is.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum LockInfoError {
    /// Not a JSON object.
    #[error("it is not a JSON object")]
    NotJson,
    /// An object without a non-empty `ID`.
    #[error("it has no ID")]
    NoId,
}

impl LockInfo {
    /// Returns the text exactly as Go marshals it.
    pub fn to_json(&self) -> String {
        let created = self.created.to_string();
        let mut out = String::with_capacity(256);
        let fields = [
            ("{\"ID\":", self.id.as_str()),
            (",\"Operation\":", &self.operation),
            (",\"Info\":", &self.info),
            (",\"Who\":", &self.who),
            (",\"Version\":", &self.version),
            (",\"Created\":", &created),
            (",\"Path\":", &self.path),
        ];
        for (key, value) in fields {
            out.push_str(key);
            quote_into(value, &mut out);
        }
        out.push('}');
        out
    }

    /// Reads the text as leniently as Go does: any layout, any order, any letter case, unknown fields, missing fields.
    ///
    /// A missing or unreadable time becomes Go's zero time.
    ///
    /// # Errors
    ///
    /// Only where the holder cannot be told: no object, or no ID.
    pub fn parse(text: &[u8]) -> Result<Self, LockInfoError> {
        let value: serde_json::Value = serde_json::from_slice(text).map_err(|_| LockInfoError::NotJson)?;
        let object = value.as_object().ok_or(LockInfoError::NotJson)?;
        let field = |name: &str| {
            let exact = object.get(name);
            let other_case = || {
                object
                    .iter()
                    .find(|(key, _)| key.eq_ignore_ascii_case(name))
                    .map(|(_, value)| value)
            };
            exact
                .or_else(other_case)
                .and_then(serde_json::Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        let id = field("ID");
        if id.is_empty() {
            return Err(LockInfoError::NoId);
        }
        Ok(Self {
            id: LockId::new(id),
            operation: field("Operation"),
            info: field("Info"),
            who: field("Who"),
            version: field("Version"),
            created: field("Created").parse().unwrap_or_else(|_| zero_time()),
            path: field("Path"),
        })
    }

    /// Returns the same information under another path.
    #[must_use]
    pub fn with_path(&self, path: &str) -> Self {
        Self {
            path: path.to_owned(),
            ..self.clone()
        }
    }
}

/// Go's `time.Time{}`.
fn zero_time() -> Timestamp {
    Timestamp::from_second(-62_135_596_800).expect("the year 1 is in range")
}

/// A lock that stands, readable or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StandingLock {
    /// The holder, or why he cannot be told.
    pub holder: Result<LockInfo, LockInfoError>,
    /// The command or deed that frees it, once its holder is known to be gone.
    pub frees: String,
}

impl StandingLock {
    /// Tells whether the lock was taken with this ID.
    pub fn is(&self, id: &LockId) -> bool {
        self.holder.as_ref().is_ok_and(|info| info.id == *id)
    }

    /// Turns a lock that is not ours into the refusal it is.
    pub fn refusal(self, at: &str) -> super::BackendError {
        match self.holder {
            Ok(holder) => super::BackendError::Locked {
                at: at.to_owned(),
                holder: Box::new(holder),
                frees: self.frees,
            },
            Err(reason) => super::BackendError::LockUnreadable {
                at: at.to_owned(),
                reason: reason.to_string(),
                frees: self.frees,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info(created: &str) -> LockInfo {
        LockInfo {
            id: LockId::from_random(*b"\x71\x80\x02\x74\x62\xb7\xf0\x16\x85\x84\x4a\x07\xfe\xf1\x30\x04"),
            operation: "OperationTypeApply".into(),
            info: String::new(),
            who: "root@vm".into(),
            version: "1.11.4".into(),
            created: created.parse().unwrap(),
            path: "terraform-states/lab/push.tfstate".into(),
        }
    }

    #[test]
    fn writes_what_terraform_wrote() {
        assert_eq!(
            info("2026-11-23T16:58:24.758196986Z").to_json(),
            r#"{"ID":"71800274-62b7-f016-8584-4a07fef13004","Operation":"OperationTypeApply","Info":"","Who":"root@vm","Version":"1.11.4","Created":"2026-11-23T16:58:24.758196986Z","Path":"terraform-states/lab/push.tfstate"}"#
        );
    }

    #[test]
    fn trims_the_zeros_of_the_fraction_and_escapes_as_go() {
        for (created, expected) in [
            ("2026-11-23T16:58:24.750000000Z", "2026-11-23T16:58:24.75Z"),
            ("2026-11-23T16:58:24.000000Z", "2026-11-23T16:58:24Z"),
            ("2026-11-23T16:58:24.000000001Z", "2026-11-23T16:58:24.000000001Z"),
            ("2026-11-23T18:58:24.1+02:00", "2026-11-23T16:58:24.1Z"),
        ] {
            let text = info(created).to_json();
            assert!(text.contains(&format!("\"Created\":\"{expected}\"")), "{text}");
        }
        let mut odd = info("2026-11-23T16:58:24Z");
        odd.info = "a<b>&\u{2028}\"\\\n\u{1}é💥".into();
        assert!(
            odd.to_json()
                .contains(r#""Info":"a\u003cb\u003e\u0026\u2028\"\\\n\u0001é💥""#)
        );
        assert_eq!(LockInfo::parse(odd.to_json().as_bytes()), Ok(odd));
    }

    #[test]
    fn reads_what_go_would_read() {
        let read =
            LockInfo::parse(b" {\"id\": \"x\", \"Extra\": [1], \"WHO\": \"me\", \"Created\": 7}").unwrap();
        assert_eq!((read.id.as_str(), read.who.as_str()), ("x", "me"));
        assert_eq!(read.created.to_string(), "0001-01-01T00:00:00Z");
        assert_eq!(LockInfo::parse(b"locked"), Err(LockInfoError::NotJson));
        assert_eq!(LockInfo::parse(b""), Err(LockInfoError::NotJson));
        assert_eq!(LockInfo::parse(b"[]"), Err(LockInfoError::NotJson));
        assert_eq!(LockInfo::parse(b"{\"ID\":\"\"}"), Err(LockInfoError::NoId));
    }
}
