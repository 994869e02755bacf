//! Terraform's order of addresses for people.

use std::cmp::Ordering;

use super::ResourceInstanceAddr;

/// Compares as `terraform state list` sorts: shorter module paths first, then step by step; in a module data before
/// managed, then type, name and key (no key, numbers, strings by their bytes).
///
/// The order in a state file is another one; `state` knows it.
pub fn cmp_state_list(a: &ResourceInstanceAddr, b: &ResourceInstanceAddr) -> Ordering {
    let depth = |addr: &ResourceInstanceAddr| addr.resource.module.0.len();
    // The derived order compares the fields in just that order.
    depth(a).cmp(&depth(b)).then_with(|| a.cmp(b))
}
