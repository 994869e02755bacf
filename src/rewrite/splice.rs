//! Slices of files put together again: kept pieces with their edits.

use crate::config::Span;

/// The replacement of one range of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Edit {
    /// What is replaced; may be empty.
    pub span: Span,
    /// The new text.
    pub text: String,
}

impl Edit {
    pub(super) fn new(span: Span, text: impl Into<String>) -> Self {
        Self {
            span,
            text: text.into(),
        }
    }
}

/// Returns a slice of a text with edits. Where edits overlap, the one that begins first and reaches further counts.
pub(super) fn apply(text: &str, span: &Span, edits: &[Edit]) -> String {
    let mut edits: Vec<&Edit> = edits
        .iter()
        .filter(|edit| span.start <= edit.span.start && edit.span.end <= span.end)
        .collect();
    edits.sort_by_key(|edit| (edit.span.start, std::cmp::Reverse(edit.span.end)));
    let mut out = String::with_capacity(span.len());
    let mut at = span.start;
    // Insertions at one place keep their order, before a replacement that begins there.
    edits.sort_by_key(|edit| {
        (
            edit.span.start,
            !edit.span.is_empty(),
            std::cmp::Reverse(edit.span.end),
        )
    });
    for edit in edits {
        if edit.span.start < at {
            continue;
        }
        out.push_str(&text[at..edit.span.start]);
        out.push_str(&edit.text);
        at = edit.span.end;
    }
    out.push_str(&text[at..span.end]);
    out
}

/// One piece of a file: its whole lines, and its edits if it is kept.
#[derive(Clone, Debug)]
pub(super) struct Kept {
    /// Whole lines.
    pub full: Span,
    /// None: dropped.
    pub edits: Option<Vec<Edit>>,
}

/// Puts a file together from the pieces that are kept; none where nothing is.
///
/// Detached comments go with the pieces behind them, up to the next detached comment: they are headings.
pub(super) fn assemble(text: &str, pieces: &[Kept]) -> Option<String> {
    if pieces.iter().all(|piece| piece.edits.is_none()) {
        return None;
    }
    let keeps_all = pieces.iter().all(|piece| piece.edits.is_some());
    let mut out = String::with_capacity(text.len());
    let mut heading: Option<&str> = None;
    let mut at = 0;
    for piece in pieces {
        let gap = &text[at..piece.full.start];
        at = piece.full.end;
        if !gap.trim().is_empty() {
            heading = Some(gap);
        }
        let Some(edits) = &piece.edits else {
            continue;
        };
        let before = heading.take().unwrap_or(gap);
        let before = match out.is_empty() && !keeps_all {
            true => before.trim_start_matches(['\n', '\r']),
            false => before,
        };
        if !out.is_empty() && before.is_empty() && !out.ends_with('\n') {
            out.push('\n');
        }
        out.push_str(before);
        out.push_str(&apply(text, &piece.full, edits));
    }
    let rest = &text[at..];
    if keeps_all {
        out.push_str(rest);
    } else if !out.ends_with('\n') {
        out.push('\n');
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_headings_with_what_follows() {
        let text = "# file\n\na\n\n# part\n\nb\n\nc\n# end\n";
        let piece = |name: &str, keep: bool| {
            let at = text.find(&format!("\n{name}\n")).unwrap() + 1;
            Kept {
                full: at..at + 2,
                edits: keep.then(Vec::new),
            }
        };
        let check = |a, b, c, expected: Option<&str>| {
            let found = assemble(text, &[piece("a", a), piece("b", b), piece("c", c)]);
            assert_eq!(found.as_deref(), expected);
        };
        check(true, true, true, Some(text));
        check(true, false, false, Some("# file\n\na\n"));
        check(false, true, false, Some("# part\n\nb\n"));
        check(false, false, true, Some("# part\n\nc\n"));
        check(false, false, false, None);
    }

    #[test]
    fn the_outer_edit_wins() {
        let edits = [Edit::new(2..3, "x"), Edit::new(1..4, "y"), Edit::new(5..5, "z")];
        assert_eq!(apply("abcdef", &(0..6), &edits), "ayezf");
    }
}
