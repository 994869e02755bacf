//! A fast hash for maps over what is in a state: one multiplication for each eight bytes.
//!
//! Not for adversaries: whoever writes the state already decides over the run.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};

/// A map with the fast hash.
pub(crate) type FastMap<K, V> = HashMap<K, V, BuildHasherDefault<FastHasher>>;
/// A set with the fast hash.
pub(crate) type FastSet<K> = HashSet<K, BuildHasherDefault<FastHasher>>;

/// The state of the fast hash.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct FastHasher(u64);

const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;

impl FastHasher {
    #[inline]
    fn mix(&mut self, word: u64) {
        let product = u128::from(self.0 ^ word ^ 0x2545_f491_4f6c_dd1d) * u128::from(FACTOR);
        self.0 = (product as u64) ^ ((product >> 64) as u64).rotate_left(23);
    }
}

impl Hasher for FastHasher {
    #[inline]
    fn write(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<8>();
        for word in words {
            self.mix(u64::from_le_bytes(*word));
        }
        if !rest.is_empty() {
            let mut last = [0; 8];
            last[..rest.len()].copy_from_slice(rest);
            // The length keeps apart what differs only in trailing zeros; no byte of UTF-8 is this large.
            last[7] = 0xf8 | rest.len() as u8;
            self.mix(u64::from_le_bytes(last));
        }
    }

    #[inline]
    fn write_u8(&mut self, byte: u8) {
        self.mix(u64::from(byte));
    }

    #[inline]
    fn write_u32(&mut self, number: u32) {
        self.mix(u64::from(number));
    }

    #[inline]
    fn write_u64(&mut self, number: u64) {
        self.mix(number);
    }

    #[inline]
    fn write_usize(&mut self, number: usize) {
        self.mix(number as u64);
    }

    #[inline]
    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use std::hash::{BuildHasher as _, BuildHasherDefault};

    use super::*;

    #[test]
    fn spreads_similar_keys() {
        let hash = |text: &str| BuildHasherDefault::<FastHasher>::default().hash_one(text);
        let texts = (0..100_000).map(|number| format!("module.svc.aws_x.item_{number:06}"));
        let hashes: Vec<u64> = texts.map(|text| hash(&text)).collect();
        // Both ends of the hash are used by the map: the low bits for the bucket, the high ones for the tag.
        for bits in [|hash: u64| hash & 0xffff, |hash: u64| hash >> 48] {
            let mut counts = vec![0_u32; 1 << 16];
            hashes.iter().for_each(|&hash| counts[bits(hash) as usize] += 1);
            assert!(counts.iter().all(|&count| count < 20));
        }
        assert_ne!(hash("a\0"), hash("a"));
        assert_ne!(hash("1234567\u{7}"), hash("1234567"));
    }
}
