//! Finds resource entries by address without keeping the addresses twice.

use std::hash::{BuildHasher as _, BuildHasherDefault, Hasher};

use super::hash::FastHasher;
use crate::address::ResourceAddr;

/// Positions of resource entries, by the hash of their address.
#[derive(Clone, Debug, Default)]
pub(super) struct AddressIndex {
    first: std::collections::HashMap<u64, u32, BuildHasherDefault<Identity>>,
    /// For each entry the next one with the same hash.
    next: Vec<u32>,
}

const END: u32 = u32::MAX;

impl AddressIndex {
    /// Adds the next position; returns the position of an equal address, if there is one already.
    pub(super) fn push<'a>(
        &mut self,
        addr: &ResourceAddr,
        at: impl Fn(usize) -> &'a ResourceAddr,
    ) -> Option<usize> {
        let position = u32::try_from(self.next.len()).expect("fewer entries than bytes, whose offsets fit");
        let before = self.first.insert(hash(addr), position).unwrap_or(END);
        let found = self.walk(before, addr, at);
        self.next.push(before);
        found
    }

    /// Returns the position of an address.
    pub(super) fn find<'a>(
        &self,
        addr: &ResourceAddr,
        at: impl Fn(usize) -> &'a ResourceAddr,
    ) -> Option<usize> {
        self.walk(*self.first.get(&hash(addr))?, addr, at)
    }

    fn walk<'a>(
        &self,
        mut position: u32,
        addr: &ResourceAddr,
        at: impl Fn(usize) -> &'a ResourceAddr,
    ) -> Option<usize> {
        while position != END {
            if at(position as usize) == addr {
                return Some(position as usize);
            }
            position = self.next[position as usize];
        }
        None
    }
}

fn hash(addr: &ResourceAddr) -> u64 {
    BuildHasherDefault::<FastHasher>::default().hash_one(addr)
}

/// The keys are hashes already.
#[derive(Clone, Debug, Default)]
struct Identity(u64);

impl Hasher for Identity {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, _: &[u8]) {
        unreachable!("only hashes are hashed, and those are u64");
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}
