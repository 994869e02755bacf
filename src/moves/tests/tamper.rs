//! Every kind of damage is found.
