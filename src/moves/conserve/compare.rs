//! Comparison of JSON texts token by token, and of objects member by member.

use std::ops::Range;

use crate::json::Scanner;

/// Tells whether two valid JSON texts are the same but for white space between tokens.
pub(super) fn same_tokens(left: &str, right: &str) -> bool {
    left == right || tokens(left).eq(tokens(right))
}

/// Returns the bytes of a valid JSON text without the white space between tokens.
fn tokens(text: &str) -> impl Iterator<Item = u8> + '_ {
    let (mut in_string, mut escaped) = (false, false);
    text.bytes().filter(move |&byte| {
        if in_string {
            if escaped {
                escaped = false;
            } else if byte == b'\\' {
                escaped = true;
            } else if byte == b'"' {
                in_string = false;
            }
            return true;
        }
        in_string = byte == b'"';
        !matches!(byte, b' ' | b'\n' | b'\r' | b'\t')
    })
}

/// One member of an object: the name and the value.
pub(super) struct Part {
    pub(super) name: String,
    pub(super) value: Range<usize>,
}

/// Returns the members of a valid object.
pub(super) fn parts(object: &str) -> Vec<Part> {
    let mut scanner = Scanner::new(object);
    let mut found = Vec::new();
    if scanner.enter_object().is_err() {
        return found;
    }
    while let Ok(Some(key)) = scanner.next_key(found.is_empty()) {
        let Ok(value) = scanner.skip_value() else { break };
        found.push(Part {
            name: key.decode().into_owned(),
            value,
        });
    }
    found
}

/// Returns the first member in which two objects differ, leaving out some names on both sides.
pub(super) fn first_difference(left: &str, right: &str, except: &[&str]) -> Option<String> {
    let keep = |part: &Part| !except.contains(&part.name.as_str());
    let (left_parts, right_parts) = (parts(left), parts(right));
    let mut right_parts = right_parts.iter().filter(|part| keep(part));
    for part in left_parts.iter().filter(|part| keep(part)) {
        let Some(other) = right_parts.next() else {
            return Some(part.name.clone());
        };
        if other.name != part.name {
            let is_new = left_parts.iter().all(|part| part.name != other.name);
            return Some(if is_new { &other.name } else { &part.name }.clone());
        }
        if !same_tokens(&left[part.value.clone()], &right[other.value.clone()]) {
            return Some(part.name.clone());
        }
    }
    right_parts.next().map(|extra| extra.name.clone())
}

/// Tells whether two texts are byte-identical outside of one member and the comma that goes with it. The member stands
/// at `left_member` and `right_member`, from its name to its value, as far as it is there.
pub(super) fn same_but_for(
    (left, left_member): (&str, Option<Range<usize>>),
    (right, right_member): (&str, Option<Range<usize>>),
) -> bool {
    let (left, right) = (left.as_bytes(), right.as_bytes());
    match (left_member, right_member) {
        (None, None) => left == right,
        (None, Some(_)) => false,
        (Some(old), Some(new)) => {
            left[..old.start] == right[..new.start] && left[old.end..] == right[new.end..]
        }
        (Some(old), None) => {
            let gap = |byte: &u8| matches!(byte, b' ' | b'\n' | b'\r' | b'\t' | b',');
            let start = old.start
                - left[..old.start]
                    .iter()
                    .rev()
                    .take_while(|byte| gap(byte))
                    .count();
            let end = old.end + left[old.end..].iter().take_while(|byte| gap(byte)).count();
            let after = left.len() - end;
            right.len() >= start + after
                && left[..start] == right[..start]
                && left[end..] == right[right.len() - after..]
                && right[start..right.len() - after].iter().all(gap)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compares_tokens() {
        for (left, right, expected) in [
            ("{\"a\": [1, 2]}", "{\"a\":[1,\n2]}", true),
            ("\"a b\"", "\"ab\"", false),
            ("\"a\\\" b\"", "\"a\\\"  b\"", false),
            ("\"\\\\\" ", "\"\\\\\"", true),
            ("1.0", "1.00", false),
            ("[1,2]", "[12]", false),
        ] {
            assert_eq!(same_tokens(left, right), expected, "{left} {right}");
        }
    }

    #[test]
    fn names_the_first_difference() {
        let left = r#"{"a": 1, "b": {"x": 1.0}, "c": 3}"#;
        for (right, except, expected) in [
            (r#"{"a":1,"b":{"x":1.0},"c":3}"#, &[][..], None),
            (r#"{"a":1,"b":{"x":1},"c":3}"#, &[], Some("b")),
            (r#"{"a":1,"b":{"x":1},"c":3}"#, &["b"], None),
            (r#"{"a":1,"c":3,"b":{"x":1.0}}"#, &[], Some("b")),
            (r#"{"a":1,"b":{"x":1.0}}"#, &[], Some("c")),
            (r#"{"a":1,"b":{"x":1.0},"c":3,"d":4}"#, &[], Some("d")),
        ] {
            assert_eq!(
                first_difference(left, right, except).as_deref(),
                expected,
                "{right}"
            );
        }
    }

    #[test]
    fn sees_bytes_outside_a_member() {
        let member = |text: &str| {
            let start = text.find("\"d\"")?;
            let value = parts(text).into_iter().find(|part| part.name == "d")?.value;
            Some(start..value.end)
        };
        let left = "{\n  \"a\": 1,\n  \"d\": [2, 3],\n  \"z\": 4\n}";
        for (right, expected) in [
            (left, true),
            ("{\n  \"a\": 1,\n  \"d\": [3],\n  \"z\": 4\n}", true),
            ("{\n  \"a\": 1,\n  \"z\": 4\n}", true),
            ("{\n  \"a\": 1,\n  \"d\": [2, 3],\n  \"z\":  4\n}", false),
            ("{\n  \"a\": 2,\n  \"z\": 4\n}", false),
            ("{\n  \"a\": 2,\n  \"d\": [3],\n  \"z\": 4\n}", false),
        ] {
            assert_eq!(
                same_but_for((left, member(left)), (right, member(right))),
                expected,
                "{right}"
            );
        }
        let left = "{\n  \"a\": 1,\n  \"d\": []\n}";
        assert!(same_but_for((left, member(left)), ("{\n  \"a\": 1\n}", None)));
    }
}
