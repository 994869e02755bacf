//! What is taken from an object that is named as a whole, told by what is done with it.

use std::collections::BTreeSet;

use super::access::Taken;
use crate::config::{Block, ConfigFile, Reference};

/// Returns what the surroundings of a reference take from the object, or from each of its instances; the whole where
/// they do not tell.
pub(super) fn taken(
    _file: &ConfigFile,
    _block: &Block,
    _reference: &Reference,
    _repeated: bool,
) -> BTreeSet<Taken> {
    BTreeSet::from([Taken::Whole])
}
