//! Names of fields: which are known, which occur twice, which differ only in case.

use std::ops::Range;

use super::super::view::Field;
use super::super::{Refusal, ResourceEntry};
use super::Fault;
use crate::json::{JsonError, RawStr, Scanner};

pub(super) const TOP: &[&str] = &[
    "version",
    "terraform_version",
    "serial",
    "lineage",
    "outputs",
    "resources",
    "check_results",
];
pub(super) const OUTPUT: &[&str] = &["value", "type", "sensitive", "deprecated"];
pub(super) const RESOURCE: &[&str] = &["module", "mode", "type", "name", "provider", "instances", "each"];
pub(super) const INSTANCE: &[&str] = &[
    "index_key",
    "status",
    "deposed",
    "provider",
    "schema_version",
    "attributes",
    "sensitive_attributes",
    "private",
    "dependencies",
    "attributes_flat",
    "create_before_destroy",
    "identity",
    "identity_schema_version",
    "skip_destroy",
];
pub(super) const CHECK: &[&str] = &["object_kind", "config_addr", "status", "objects"];
pub(super) const CHECK_OBJECT: &[&str] = &["object_addr", "status", "failure_messages"];

/// The names seen so far in one object.
pub(super) struct Seen {
    names: &'static [&'static str],
    bits: u32,
    any: bool,
    /// The name after the last one found: most objects have their members in the usual order.
    next: usize,
}

impl Seen {
    pub(super) fn new(names: &'static [&'static str]) -> Self {
        Self {
            names,
            bits: 0,
            any: false,
            next: 0,
        }
    }

    /// Tells whether no member has been seen yet.
    pub(super) fn none(&self) -> bool {
        !self.any
    }

    /// Returns the known name of a member, or the empty name for an unknown one.
    pub(super) fn field(&mut self, key: &RawStr<'_>) -> Result<&'static str, Fault> {
        self.any = true;
        let decoded;
        let name = if key.escaped {
            decoded = key.decode();
            decoded.as_ref()
        } else {
            key.raw
        };
        let position = match self.names.get(self.next) {
            Some(known) if *known == name => Some(self.next),
            _ => self.names.iter().position(|known| *known == name),
        };
        if let Some(position) = position {
            self.next = position + 1;
            let field = self.names[position];
            if self.bits & (1 << position) != 0 {
                return Err(Fault::new(key.start, Refusal::DuplicateField { field }));
            }
            self.bits |= 1 << position;
            return Ok(field);
        }
        match self.names.iter().find(|known| folds_to(name, known)) {
            None => Ok(""),
            Some(expected) => Err(Fault::new(
                key.start,
                Refusal::CaseVariant {
                    found: name.to_owned(),
                    expected,
                },
            )),
        }
    }
}

/// Tells whether Go's JSON decoder takes `name` for the field `known`, which is ASCII in lower case.
///
/// Two characters beyond ASCII fold into it: the Kelvin sign to `k` and the long s to `s`.
fn folds_to(name: &str, known: &str) -> bool {
    let mut letters = known.chars();
    name.chars().all(|found| {
        let found = match found {
            '\u{212a}' => 'k',
            '\u{17f}' => 's',
            other => other.to_ascii_lowercase(),
        };
        letters.next() == Some(found)
    }) && letters.next().is_none()
}

/// Returns the members of the object that begins at a place of a valid text, with decoded names.
pub(in crate::state) fn members(text: &str, object: Range<usize>) -> Vec<(String, Field)> {
    members_around(text, object, 0..0)
}

/// Returns the members of an object; a value that is known to stand at a place is not looked into.
fn members_around(text: &str, object: Range<usize>, known: Range<usize>) -> Vec<(String, Field)> {
    let mut found: Vec<(String, Field)> = Vec::new();
    let mut collect = || -> Result<(), JsonError> {
        let mut scanner = Scanner::at(text, object.start);
        scanner.enter_object()?;
        while let Some(key) = scanner.next_key(found.is_empty())? {
            let value = if scanner.offset() == known.start {
                scanner.jump(known.end);
                known.clone()
            } else {
                scanner.skip_value()?
            };
            let start = key.start;
            found.push((key.decode().into_owned(), Field { start, value }));
        }
        Ok(())
    };
    // The text has been validated; on one that has not, what stands before the fault is all there is to return.
    let _ = collect();
    found
}

/// Returns the members of a resource entry that the format does not give a meaning today.
pub(in crate::state) fn unknown_resource_fields(text: &str, entry: &ResourceEntry) -> Vec<(String, Field)> {
    let list = entry.list.map_or(0..0, |field| field.value.range());
    let mut found = members_around(text, entry.object.range(), list);
    found.retain(|(name, _)| name == "each" || !RESOURCE.contains(&name.as_str()));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folds_as_go_does() {
        for (name, known, expected) in [
            ("SERIAL", "serial", true),
            ("\u{17f}erial", "serial", true),
            ("chec\u{212a}_results", "check_results", true),
            ("serials", "serial", false),
            ("seria", "serial", false),
            ("s\u{e9}rial", "serial", false),
        ] {
            assert_eq!(folds_to(name, known), expected, "{name}");
        }
    }
}
