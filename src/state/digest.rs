//! Hashes of a state's bytes: MD5, because the S3 backend's digest item is one, and SHA-256 for our own records.

use std::fmt;
use std::str::FromStr;

use md5::Md5;
use sha2::{Digest as _, Sha256};
use thiserror::Error;

/// A text that is not the hash it should be.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("expected {digits} lower-case hex digits")]
pub struct InvalidDigest {
    /// How many digits such a hash has.
    pub digits: usize,
}

/// The MD5 of a state's bytes, as in the digest item beside an S3 state.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Md5Digest(pub [u8; 16]);

/// The SHA-256 of a state's bytes, as in saved plans and journals.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sha256Digest(pub [u8; 32]);

impl Md5Digest {
    /// Hashes some bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Md5::digest(bytes).into())
    }
}

impl Sha256Digest {
    /// Hashes some bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }
}

fn write_hex(bytes: &[u8], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
}

fn read_hex<const N: usize>(text: &str) -> Result<[u8; N], InvalidDigest> {
    let refused = InvalidDigest { digits: 2 * N };
    let digits = text.as_bytes();
    if digits.len() != 2 * N {
        return Err(refused);
    }
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        for &digit in pair {
            let value = match digit {
                b'0'..=b'9' => digit - b'0',
                b'a'..=b'f' => digit - b'a' + 10,
                _ => return Err(refused),
            };
            *byte = *byte << 4 | value;
        }
    }
    Ok(bytes)
}

macro_rules! hex_forms {
    ($($name:ident),*) => {$(
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write_hex(&self.0, f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = InvalidDigest;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                read_hex(text).map(Self)
            }
        }
    )*};
}

hex_forms!(Md5Digest, Sha256Digest);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_and_reads_hex() {
        let md5 = Md5Digest::of(b"abc");
        assert_eq!(md5.to_string(), "900150983cd24fb0d6963f7d28e17f72");
        assert_eq!("900150983cd24fb0d6963f7d28e17f72".parse(), Ok(md5));
        let sha = Sha256Digest::of(b"abc");
        assert_eq!(
            sha.to_string(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
        assert_eq!(sha.to_string().parse(), Ok(sha));
        for bad in [
            "",
            "900150983cd24fb0d6963f7d28e17f7",
            "900150983CD24FB0D6963F7D28E17F72",
        ] {
            assert_eq!(bad.parse::<Md5Digest>(), Err(InvalidDigest { digits: 32 }));
        }
    }
}
