//! Anchored, segment-aware patterns over addresses.
