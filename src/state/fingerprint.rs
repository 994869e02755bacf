//! What identifies one version of a state, without its content: in saved plans, in journals, in comparisons.

use super::{Lineage, Md5Digest, Serial, Sha256Digest, Snapshot};

/// One version of one state, without its content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fingerprint {
    /// Lineage as the bytes say it; empty in some hand-made states.
    pub lineage: Lineage,
    /// Serial as the bytes say it.
    pub serial: Serial,
    /// SHA-256 of the bytes: what identifies the version.
    pub sha256: Sha256Digest,
    /// MD5 of the bytes: what the digest item beside the object must say.
    pub md5: Md5Digest,
    /// Length in bytes.
    pub size: u64,
}

impl Fingerprint {
    /// Takes the fingerprint of a state.
    pub fn of(snapshot: &Snapshot) -> Self {
        Self::of_bytes(snapshot.lineage().clone(), snapshot.serial(), snapshot.bytes())
    }

    /// Takes the fingerprint of bytes that are known to say this of themselves.
    pub fn of_bytes(lineage: Lineage, serial: Serial, bytes: &[u8]) -> Self {
        Self {
            lineage,
            serial,
            sha256: Sha256Digest::of(bytes),
            md5: Md5Digest::of(bytes),
            size: bytes.len() as u64,
        }
    }

    /// Tells whether bytes are this version.
    pub fn is_of(&self, bytes: &[u8]) -> bool {
        self.size == bytes.len() as u64
            && self.sha256 == Sha256Digest::of(bytes)
            && self.md5 == Md5Digest::of(bytes)
    }
}
