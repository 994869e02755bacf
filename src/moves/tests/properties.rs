//! Arbitrary states and arbitrary moves.
