//! The order in which Terraform writes resources and instances.

use std::cmp::Ordering;

use crate::address::{InstanceKey, ResourceAddr, ResourceMode};

/// The sort key of a resource entry: module string, mode, type, name, all compared byte by byte.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ResourceOrder<'a> {
    module: String,
    mode: ResourceMode,
    type_name: &'a str,
    name: &'a str,
}

impl<'a> ResourceOrder<'a> {
    /// Returns the sort key of an address.
    pub fn of(addr: &'a ResourceAddr) -> Self {
        Self {
            module: addr.module.to_string(),
            mode: addr.mode,
            type_name: &addr.type_name,
            name: &addr.name,
        }
    }
}

/// Compares two instance objects of one resource: without key first, then numbers, then strings byte by byte; the
/// current object before the deposed ones.
pub fn compare_instances(
    left: (Option<&InstanceKey>, Option<&str>),
    right: (Option<&InstanceKey>, Option<&str>),
) -> Ordering {
    left.cmp(&right)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instances_sort_as_terraform_writes_them() {
        let text = |s: &str| Some(InstanceKey::Str(s.into()));
        let keys = [
            None,
            Some(InstanceKey::Int(2)),
            Some(InstanceKey::Int(10)),
            text(""),
            text("10"),
            text("2"),
            text("Z"),
            text("a"),
            text("é"),
        ];
        for pair in keys.windows(2) {
            assert_eq!(
                compare_instances((pair[0].as_ref(), Some("zzzzzzzz")), (pair[1].as_ref(), None)),
                Ordering::Less
            );
        }
        assert_eq!(
            compare_instances((None, None), (None, Some("00000000"))),
            Ordering::Less
        );
    }
}
