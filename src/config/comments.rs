//! Which comments and lines belong to a block or an argument.

use super::Span;

/// The lines of one block or argument.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Owned {
    /// Leading comments, the thing itself, the comment behind it, the line ending.
    pub full: Span,
    /// The comments directly above, up to the line it starts on.
    pub leading: Span,
}

/// Returns the lines that belong to what stands at `span`; `from` is the start of a line, with nothing but white
/// space and comments between it and the span.
pub(super) fn owned(text: &str, from: usize, span: &Span) -> Owned {
    let bytes = text.as_bytes();
    let mut at = from;
    let mut line_start = from;
    let mut line_is_blank = true;
    let mut group = None;
    while at < span.start {
        match bytes[at] {
            b'\n' => {
                if line_is_blank {
                    group = None;
                }
                at += 1;
                line_start = at;
                line_is_blank = true;
            }
            b'#' | b'/' => {
                group = group.or(Some(line_start));
                line_is_blank = false;
                at = comment_end(bytes, at).min(span.start);
            }
            _ => at += 1,
        }
    }
    let start = group.unwrap_or(line_start);
    Owned {
        full: start..line_end(text, span.end),
        leading: start..line_start.max(start),
    }
}

/// Returns the end of the line, behind its line ending, if only white space and comments follow `at`; else `at`.
pub(super) fn line_end(text: &str, at: usize) -> usize {
    let bytes = text.as_bytes();
    let mut end = at;
    while let Some(&byte) = bytes.get(end) {
        match byte {
            b'\n' => return end + 1,
            b' ' | b'\t' | b'\r' => end += 1,
            b'#' => end = comment_end(bytes, end),
            b'/' if matches!(bytes.get(end + 1), Some(b'/' | b'*')) => end = comment_end(bytes, end),
            _ => return at,
        }
    }
    end
}

/// Returns the end of the comment at `at`; a line comment ends before its line ending.
pub(super) fn comment_end(bytes: &[u8], at: usize) -> usize {
    if bytes[at] == b'/' && bytes.get(at + 1) == Some(&b'*') {
        return memchr::memmem::find(&bytes[at + 2..], b"*/").map_or(bytes.len(), |end| at + 2 + end + 2);
    }
    memchr::memchr(b'\n', &bytes[at..]).map_or(bytes.len(), |end| at + end)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected_full: &str, expected_leading: &str) {
        let start = text.find('X').unwrap();
        let found = owned(text, 0, &(start..start + 1));
        assert_eq!(&text[found.full], expected_full, "full of {text:?}");
        assert_eq!(&text[found.leading], expected_leading, "leading of {text:?}");
    }

    #[test]
    fn comments_directly_above_belong() {
        check("X\n", "X\n", "");
        check("X", "X", "");
        check(
            "# a\n\n# b\n// c\n  X # d\n# e\n",
            "# b\n// c\n  X # d\n",
            "# b\n// c\n",
        );
        check("# a\n\n  X\n", "  X\n", "");
        check(
            "/* a\n\n b */\nX /* c */ // d\r\n\n",
            "/* a\n\n b */\nX /* c */ // d\r\n",
            "/* a\n\n b */\n",
        );
        check("/* a */ X\n", "/* a */ X\n", "");
        check("# a\r\n\r\n# b\r\nX\r\n", "# b\r\nX\r\n", "# b\r\n");
        check("X }\n", "X", "");
    }
}
