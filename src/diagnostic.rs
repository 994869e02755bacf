//! A finding in a text file: what, where (file, line, column, the source line), and what to do.
//!
//! Reading rooms return these; the surface decides how they are coloured. Columns count characters, as editors do.

mod bounded;
mod excerpt;

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use memchr::{memchr_iter, memrchr};

pub use bounded::{Shown, bounded, kind_of};
use excerpt::{Excerpt, WIDTH};

/// A text and the path under which people know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceFile {
    /// Path as shown to people, relative where the user gave a relative one.
    pub path: String,
    /// The whole text, byte for byte as it was read.
    pub text: String,
}

/// A position in a text, both counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// Line.
    pub line: usize,
    /// Column in characters.
    pub column: usize,
}

impl SourceFile {
    /// Returns the line and column of a byte offset; an offset past the end gives the end.
    pub fn position(&self, offset: usize) -> Position {
        let mut offset = offset.min(self.text.len());
        while !self.text.is_char_boundary(offset) {
            offset -= 1;
        }
        let before = &self.text[..offset];
        // A file may have thousands of findings: what comes before each is counted as fast as can be.
        let line_start = memrchr(b'\n', before.as_bytes()).map_or(0, |at| at + 1);
        Position {
            line: memchr_iter(b'\n', before.as_bytes()).count() + 1,
            column: before[line_start..].chars().count() + 1,
        }
    }

    /// Returns the text of a line (counted from 1) without its line ending.
    pub fn line(&self, line: usize) -> &str {
        let mut rest = self.text.as_str();
        if let Some(before) = line.checked_sub(2) {
            let Some(end) = memchr_iter(b'\n', rest.as_bytes()).nth(before) else {
                return "";
            };
            rest = &rest[end + 1..];
        }
        rest.lines().next().unwrap_or("")
    }

    /// Returns the text of a line around a place, for programs: all of it, unless it is so long that nobody wrote it.
    pub fn line_around(&self, place: Position) -> String {
        Excerpt::new(self.line(place.line), place.column, excerpt::LONGEST).text()
    }
}

/// How grave a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Worth knowing; nothing stops.
    Warning,
    /// The command cannot go on.
    Error,
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// How grave.
    pub severity: Severity,
    /// One sentence fragment, lowercase.
    pub message: String,
    /// Where: a file and a byte range in it.
    pub location: Option<(Arc<SourceFile>, Range<usize>)>,
    /// More lines of explanation: what was found, what is unchanged.
    pub notes: Vec<String>,
    /// What to do next.
    pub hint: Option<String>,
}

impl Diagnostic {
    /// Creates an error without a place.
    pub fn error(message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            message: message.into(),
            location: None,
            notes: Vec::new(),
            hint: None,
        }
    }

    /// Creates a warning without a place.
    pub fn warning(message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Warning,
            ..Self::error(message)
        }
    }

    /// Adds the place.
    #[must_use]
    pub fn at(mut self, file: &Arc<SourceFile>, span: Range<usize>) -> Self {
        self.location = Some((Arc::clone(file), span));
        self
    }

    /// Adds a line of explanation.
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    /// Adds the advice.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// A line is not cut to less than this.
const NARROWEST: usize = 40;

/// Most notes that are shown; `{:#}` shows them all.
const MOST_NOTES: usize = 40;

/// How many notes at the end are always shown: what is unchanged is said there.
const LAST_NOTES: usize = 2;

/// Prints the finding as plain text:
///
/// ```text
/// error: no stack is named `orderz`
///   --> plans/acme.hcl:12:10
///    |
/// 12 |   stack "orderz" {
///    |          ^^^^^^
///   = note: …
/// hint: …
/// ```
///
/// Of a long line only what is around the place is shown, so that the caret stays under it where a terminal has `{:80}`
/// columns, and of many notes only some; `{:#}` shows all notes.
impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match self.severity {
            Severity::Warning => "warning",
            Severity::Error => "error",
        };
        write!(f, "{word}: {}", self.message)?;
        if let Some((file, span)) = &self.location {
            let start = file.position(span.start);
            let number = start.line.to_string();
            let margin = " ".repeat(number.len());
            let width = file
                .text
                .get(span.clone())
                .map_or(1, |text| text.lines().next().unwrap_or("").chars().count());
            let room = f.width().map_or(WIDTH, |columns| {
                columns.saturating_sub(number.len() + 3).clamp(NARROWEST, WIDTH)
            });
            let shown = Excerpt::new(file.line(start.line), start.column, room);
            let (line, carets) = (shown.text(), shown.carets(width));
            write!(f, "\n{margin} --> {}:{}:{}", file.path, start.line, start.column)?;
            write!(f, "\n{margin} |\n{number} | {line}\n{margin} | {carets}")?;
        }
        let hidden = match f.alternate() {
            false if self.notes.len() > MOST_NOTES => MOST_NOTES - LAST_NOTES..self.notes.len() - LAST_NOTES,
            _ => 0..0,
        };
        for (at, note) in self.notes.iter().enumerate() {
            if !hidden.contains(&at) {
                write!(f, "\n  = note: {note}")?;
            } else if at == hidden.start {
                write!(f, "\n  = note: … and {} more", hidden.len())?;
            }
        }
        if let Some(hint) = &self.hint {
            write!(f, "\nhint: {hint}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_file_line_column_and_the_line_itself() {
        let file = Arc::new(SourceFile {
            path: "a.hcl".into(),
            text: "x = 1\n\tstack \"é\" {\n".into(),
        });
        let at = file.text.find("\"é\"").unwrap();
        let found = Diagnostic::error("unknown stack")
            .at(&file, at..at + 4)
            .note("nothing was written")
            .hint("rename it");
        assert_eq!(
            found.to_string(),
            "error: unknown stack\n  --> a.hcl:2:8\n  |\n2 | \tstack \"é\" {\n  | \t      ^^^\n  = note: nothing was written\nhint: rename it"
        );
    }
    #[test]
    fn lines_are_found_by_their_number() {
        let file = SourceFile {
            path: "a.hcl".into(),
            text: "a\r\n\nbé\nc".into(),
        };
        for (line, text) in [(0, "a"), (1, "a"), (2, ""), (3, "bé"), (4, "c"), (5, ""), (9, "")] {
            assert_eq!(file.line(line), text, "{line}");
        }
        for (offset, line, column) in [
            (0, 1, 1),
            (2, 1, 3),
            (3, 2, 1),
            (5, 3, 2),
            (6, 3, 2),
            (7, 3, 3),
            (8, 4, 1),
            (99, 4, 2),
        ] {
            assert_eq!(file.position(offset), Position { line, column }, "{offset}");
        }
    }

    fn place_in(text: String, span: Range<usize>) -> Vec<String> {
        let file = SourceFile {
            path: "a.tf".into(),
            text,
        };
        let found = Diagnostic::error("wrong").at(&Arc::new(file), span);
        found.to_string().lines().map(str::to_owned).collect()
    }

    /// The caret stands under what the span starts with, in whatever is shown of the line.
    #[test]
    fn long_lines_are_cut_around_the_place() {
        let words: String = (0..20_000).map(|n| format!("wörd{n} ")).collect();
        for word in ["wörd0 ", "wörd9 ", "wörd9999 ", "wörd19990 ", "wörd19999 "] {
            let text = format!("a = 1\n{words}\nb = 2\n");
            let at = text.find(word).unwrap();
            let lines = place_in(text, at..at + word.len());
            let (shown, carets) = (&lines[3], &lines[4]);
            let column = carets.find('^').unwrap();
            let under: String = shown
                .chars()
                .skip(column)
                .take(carets.matches('^').count())
                .collect();
            assert_eq!(under, word);
            assert_eq!(shown.chars().count(), "2 | ".len() + WIDTH);
            assert_eq!(shown.starts_with("2 | …"), at > 100, "{shown}");
            assert!(carets.chars().count() <= "2 | ".len() + WIDTH);
        }
    }

    #[test]
    fn lines_are_no_wider_than_the_terminal() {
        let text: String = (0..40).map(|n| format!("word{n} ")).collect();
        let at = text.find("word20").unwrap();
        let file = SourceFile {
            path: "a.tf".into(),
            text,
        };
        let found = Diagnostic::error("wrong").at(&Arc::new(file), at..at + 6);
        for (columns, expected) in [(80, 80), (200, 124), (10, 44)] {
            let shown = format!("{found:columns$}");
            let line = shown.lines().nth(3).unwrap();
            assert_eq!(line.chars().count(), expected, "{line}");
            let column = shown.lines().nth(4).unwrap().find('^').unwrap();
            let under: String = line.chars().skip(column).take(6).collect();
            assert_eq!(under, "word20");
        }
    }

    #[test]
    fn a_span_longer_than_what_is_shown_ends_with_it() {
        let lines = place_in("x".repeat(1_000_000), 500_000..1_000_000);
        assert!(
            lines[3].starts_with("1 | …xx") && lines[3].ends_with("xx…"),
            "{}",
            lines[3]
        );
        assert_eq!(lines[4].chars().count(), lines[3].chars().count() - 1);
    }

    /// A mark belongs to the letter before it, and a tab is as wide as in the line above.
    #[test]
    fn cut_lines_keep_marks_and_tabs() {
        let text = format!("{}\t\te\u{301}nd", "e\u{301}".repeat(400));
        let at = text.find("nd").unwrap();
        let lines = place_in(text, at..at + 2);
        assert!(lines[3].starts_with("1 | …e\u{301}"), "{}", lines[3]);
        assert!(lines[4].ends_with("\t\t  ^^"), "{:?}", lines[4]);
    }

    /// What a line holds cannot steer the terminal.
    #[test]
    fn control_characters_are_not_passed_on() {
        let lines = place_in("a = \"\u{1b}[2J\u{8}\"\n".to_owned(), 4..5);
        assert_eq!(lines[3], "1 | a = \"\u{fffd}[2J\u{fffd}\"");
    }

    #[test]
    fn of_many_notes_the_first_and_the_last_are_shown() {
        let mut found = Diagnostic::error("wrong");
        for number in 0..1000 {
            found = found.note(format!("note {number}"));
        }
        let found = found.note("nothing was written");
        let text = found.to_string();
        assert_eq!(text.lines().count(), 1 + MOST_NOTES + 1);
        assert!(
            text.ends_with(
                "note 37\n  = note: … and 961 more\n  = note: note 999\n  = note: nothing was written"
            ),
            "{text}"
        );
        assert_eq!(format!("{found:#}").lines().count(), 1002);
    }
}
