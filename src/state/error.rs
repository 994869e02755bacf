//! Why a text is refused as a state: what, where, and what to do.

use std::fmt;

use thiserror::Error;

use crate::address::AddressError;
use crate::json::JsonFault;

/// A state that is refused. Nothing of the state's content is shown but addresses and names of fields.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{refusal}{} at {place}", Of(address))]
pub struct StateError {
    /// Where the fault stands.
    pub place: Place,
    /// The resource or instance in which it stands, if it is known.
    pub address: Option<String>,
    /// What is wrong.
    pub refusal: Refusal,
}

/// A place in a state file. Line and column count from 1, columns in characters; the offset counts bytes from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Line.
    pub line: usize,
    /// Column.
    pub column: usize,
    /// Byte offset.
    pub offset: usize,
}

impl Place {
    /// Finds the place of a byte offset.
    pub(crate) fn of(bytes: &[u8], offset: usize) -> Self {
        let before = &bytes[..offset.min(bytes.len())];
        let line_start = memchr::memrchr(b'\n', before).map_or(0, |at| at + 1);
        Self {
            line: memchr::memchr_iter(b'\n', before).count() + 1,
            column: String::from_utf8_lossy(&before[line_start..]).chars().count() + 1,
            offset: before.len(),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "line {}, column {} (byte {})",
            self.line, self.column, self.offset
        )
    }
}

struct Of<'a>(&'a Option<String>);

impl fmt::Display for Of<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(address) => write!(f, " in `{address}`"),
            None => Ok(()),
        }
    }
}

/// What is wrong with a state.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum Refusal {
    /// Not JSON at all.
    #[error("the state is not valid JSON: {0}")]
    Json(JsonFault),
    /// The spans are 32 bits wide.
    #[error("the state is larger than 4 GiB")]
    TooLarge,
    /// No `version`.
    #[error("the state has no `version`")]
    NoVersion,
    /// A format older than 4.
    #[error("the state has format version {version}, only version 4 can be moved")]
    OldVersion {
        /// The version found.
        version: u64,
    },
    /// A format newer than 4.
    #[error("the state has format version {version}, only version 4 is known")]
    NewVersion {
        /// The version found, as written.
        version: String,
    },
    /// `.terraform/terraform.tfstate`.
    #[error("this file is a working directory's backend record, not a state")]
    BackendRecord,
    /// OpenTofu's encryption envelope.
    #[error("the state is encrypted by OpenTofu")]
    Encrypted,
    /// A field in another case than Terraform writes.
    #[error("the field `{found}` differs from `{expected}` only in case")]
    CaseVariant {
        /// The name found.
        found: String,
        /// The name it would be taken for.
        expected: &'static str,
    },
    /// A field that occurs twice in one object.
    #[error("the field `{field}` occurs twice in one object")]
    DuplicateField {
        /// The field.
        field: &'static str,
    },
    /// A value of another type than the field has.
    #[error("the field `{field}` is not {expected}")]
    WrongType {
        /// The field.
        field: &'static str,
        /// The type, with its article.
        expected: &'static str,
    },
    /// A field without which the object has no meaning.
    #[error("the field `{field}` is missing")]
    MissingField {
        /// The field.
        field: &'static str,
    },
    /// `terraform_version` is no version.
    #[error("the field `terraform_version` is not a version number")]
    TerraformVersion,
    /// `mode` is neither `managed` nor `data`.
    #[error("the resource has mode `{mode}`, which no state can hold")]
    Mode {
        /// The mode found.
        mode: String,
    },
    /// `module` is not a module instance address.
    #[error("the field `module` is not a module address: {0}")]
    Module(#[source] AddressError),
    /// `provider` is not a provider configuration address.
    #[error("the field `provider` is not a provider address: {0}")]
    Provider(#[source] AddressError),
    /// `provider` neither on the resource nor on the instance.
    #[error("no `provider` on the resource or on its instance")]
    NoProvider,
    /// `provider` on the resource and on an instance.
    #[error("`provider` both on the resource and on its instance")]
    ProviderTwice,
    /// An element of `dependencies` is not a resource address.
    #[error("an entry of `dependencies` is not a resource address: {0}")]
    Dependency(#[source] AddressError),
    /// `index_key` is neither a whole number nor a string.
    #[error("the field `index_key` is neither a whole number from 0 nor a string")]
    IndexKey,
    /// `status` is not `tainted`.
    #[error("the instance has status `{status}`; only `tainted` is known")]
    Status {
        /// The status found.
        status: String,
    },
    /// `deposed` is not eight characters long.
    #[error("the deposed key `{deposed}` is not eight characters long")]
    Deposed {
        /// The key found.
        deposed: String,
    },
    /// Two entries of one resource.
    #[error("the resource has two entries")]
    DuplicateResource,
    /// Two current objects of one instance.
    #[error("the instance has two current objects")]
    DuplicateInstance,
    /// Two deposed objects with the same key.
    #[error("the instance has two deposed objects with the same key")]
    DuplicateDeposed,
    /// Two outputs with one name.
    #[error("the output `{name}` occurs twice")]
    DuplicateOutput {
        /// The name.
        name: String,
    },
}

impl StateError {
    /// Returns what to do about it.
    pub fn advice(&self) -> &'static str {
        match &self.refusal {
            Refusal::Json(JsonFault::ByteOrderMark) => {
                "an editor has put a byte order mark before the state; take a clean copy with `terraform state pull`, or restore the previous version of the object"
            }
            Refusal::Json(JsonFault::Truncated) => {
                "the state was cut off while it was written or copied; fetch it again, or restore the previous version of the object"
            }
            Refusal::Json(_) => {
                "the state was damaged or edited by hand; restore the previous version of the object, or repair it at this place"
            }
            Refusal::TooLarge => {
                "split the state in several smaller steps with `terraform state mv -state-out` first"
            }
            Refusal::OldVersion { .. } => {
                "let Terraform 1.x or OpenTofu upgrade it: save what `terraform state pull` prints, raise its `serial` by one, and `terraform state push` it"
            }
            Refusal::NewVersion { .. } => {
                "use a newer release of stackcut; this state was written by a newer Terraform"
            }
            Refusal::NoVersion => "check that this file is a state: `terraform state pull` prints one",
            Refusal::BackendRecord => {
                "name the state itself: `terraform state pull` prints it, the backend block says where it lives"
            }
            Refusal::Encrypted => {
                "remove the encryption for the time of the move (an `unencrypted` fallback method and one `tofu apply`), and encrypt each stack's state afterwards"
            }
            Refusal::CaseVariant { .. }
            | Refusal::DuplicateField { .. }
            | Refusal::DuplicateOutput { .. } => {
                "Terraform silently takes one of the readings; if it is the right one, save what `terraform state pull` prints, raise its `serial` by one, and `terraform state push` it; otherwise correct the file or object by hand"
            }
            Refusal::NoProvider | Refusal::Provider(_) => {
                "Terraform up to 1.16 silently drops this resource whenever it reads the state, `terraform state pull` too; copy the file or object itself, write the provider as in the resources beside it, raise `serial` by one, and `terraform state push` the copy"
            }
            Refusal::DuplicateResource => {
                "Terraform merges the two; let it: save what `terraform state pull` prints, raise its `serial` by one, and `terraform state push` it"
            }
            Refusal::Mode { .. } => {
                "the state was written by a newer program, or damaged; restore the previous version of the object"
            }
            _ => {
                "Terraform refuses this state too, or would change it; restore the previous version of the file or object, or correct it by hand"
            }
        }
    }
}
