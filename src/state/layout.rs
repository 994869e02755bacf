//! White space of a state file: which of the known layouts a text has, and how to give a value another one.

/// How a state file is laid out. It is a property of the file: what exists keeps its layout, a new state gets its
/// source's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// Two spaces per level, as every Terraform writes, and OpenTofu on local files.
    Indented,
    /// No white space at all, as OpenTofu ≥ 1.8 writes to remote backends.
    Compact,
    /// Anything else. Read and kept by splicing; what is added to it is indented.
    Foreign,
}

impl Layout {
    /// Finds the layout of a state's text by how it begins.
    pub fn detect(text: &str) -> Self {
        let one_line = || memchr::memchr(b'\n', text.trim_end().as_bytes()).is_none();
        if text.starts_with("{\n  \"") {
            Self::Indented
        } else if text.starts_with("{\"") && one_line() {
            Self::Compact
        } else {
            Self::Foreign
        }
    }

    /// Tells whether a value can be copied from a text of this layout to one of another without a change.
    pub fn fits(self, target: Self) -> bool {
        self == target && self != Self::Foreign
    }

    /// Returns what stands between a member's name and its value.
    pub fn colon(self) -> &'static str {
        match self {
            Self::Compact => ":",
            Self::Indented | Self::Foreign => ": ",
        }
    }

    /// Returns the break that stands before a member or element at a small depth, or before a closing bracket.
    pub fn line_break(self, depth: usize) -> &'static str {
        const BREAK: &str = "\n                ";
        match self {
            Self::Compact => "",
            Self::Indented | Self::Foreign => &BREAK[..1 + 2 * depth.min(8)],
        }
    }

    /// Appends the break at any depth.
    fn break_into(self, depth: usize, out: &mut String) {
        out.push_str(self.line_break(depth));
        if self != Self::Compact {
            (8..depth).for_each(|_| out.push_str("  "));
        }
    }
}

/// Appends a valid JSON value in another layout. Only white space between tokens changes; every token is copied.
///
/// `depth` is the depth of the line on which the value begins.
pub fn reformat_into(value: &str, layout: Layout, depth: usize, out: &mut String) {
    let bytes = value.as_bytes();
    let mut depth = depth;
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b' ' | b'\n' | b'\r' | b'\t' => at += 1,
            b'"' => {
                let end = string_end(bytes, at);
                out.push_str(&value[at..end]);
                at = end;
            }
            b'{' | b'[' => {
                out.push(char::from(byte));
                at += 1;
                let next = at + bytes[at..].iter().take_while(|b| b.is_ascii_whitespace()).count();
                if let Some(close @ (b'}' | b']')) = bytes.get(next) {
                    out.push(char::from(*close));
                    at = next + 1;
                } else {
                    depth += 1;
                    layout.break_into(depth, out);
                }
            }
            b'}' | b']' => {
                depth = depth.saturating_sub(1);
                layout.break_into(depth, out);
                out.push(char::from(byte));
                at += 1;
            }
            b',' => {
                out.push(',');
                layout.break_into(depth, out);
                at += 1;
            }
            b':' => {
                out.push_str(layout.colon());
                at += 1;
            }
            _ => {
                let rest = &bytes[at..];
                let plain = rest
                    .iter()
                    .take_while(|&&b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'+'))
                    .count()
                    .max(1);
                out.push_str(&value[at..at + plain]);
                at += plain;
            }
        }
    }
}

fn string_end(bytes: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    loop {
        match memchr::memchr2(b'"', b'\\', &bytes[at..]) {
            Some(found) if bytes[at + found] == b'"' => return at + found + 1,
            Some(found) => at += found + 2,
            None => return bytes.len(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn detects_by_the_beginning() {
        for (text, expected) in [
            ("{\n  \"version\": 4\n}\n", Layout::Indented),
            ("{\"version\":4}\n", Layout::Compact),
            ("{\"version\":4}", Layout::Compact),
            ("{\n    \"version\": 4\n}\n", Layout::Foreign),
            ("{\n\t\"version\": 4\n}\n", Layout::Foreign),
            ("{\"version\": 4,\n \"serial\": 1}\n", Layout::Foreign),
            ("{ }", Layout::Foreign),
        ] {
            assert_eq!(Layout::detect(text), expected, "{text:?}");
        }
    }

    #[test]
    fn changes_only_white_space() {
        let indented = "{\n  \"a\": [\n    1.0,\n    \"x, {\\\"y\\\": []}\"\n  ],\n  \"b\": {},\n  \"c\": [],\n  \"d\": null\n}";
        let compact = "{\"a\":[1.0,\"x, {\\\"y\\\": []}\"],\"b\":{},\"c\":[],\"d\":null}";
        let odd = " {\r\n\"a\" : [ 1.0 ,\t\"x, {\\\"y\\\": []}\" ] , \"b\":{ },\"c\":[\n],\"d\":null } ";
        for from in [indented, compact, odd] {
            let (mut wide, mut narrow) = (String::new(), String::new());
            reformat_into(from, Layout::Indented, 0, &mut wide);
            reformat_into(from, Layout::Compact, 0, &mut narrow);
            assert_eq!(wide, indented);
            assert_eq!(narrow, compact);
        }
        let mut nested = String::new();
        reformat_into("[1]", Layout::Indented, 2, &mut nested);
        assert_eq!(nested, "[\n      1\n    ]");
    }
}
