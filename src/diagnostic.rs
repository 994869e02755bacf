//! A finding in a text file: what, where (file, line, column, the source line), and what to do.
//!
//! Reading rooms return these; the surface decides how they are coloured. Columns count characters, as editors do.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

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
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        Position {
            line: before.bytes().filter(|&b| b == b'\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
        }
    }

    /// Returns the text of a line (counted from 1) without its line ending.
    pub fn line(&self, line: usize) -> &str {
        self.text.lines().nth(line.saturating_sub(1)).unwrap_or("")
    }
}

/// How grave a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
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
impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match self.severity {
            Severity::Warning => "warning",
            Severity::Error => "error",
        };
        write!(f, "{word}: {}", self.message)?;
        if let Some((file, span)) = &self.location {
            let start = file.position(span.start);
            let line = file.line(start.line);
            let number = start.line.to_string();
            let margin = " ".repeat(number.len());
            let width = file
                .text
                .get(span.clone())
                .map_or(1, |text| text.lines().next().unwrap_or("").chars().count());
            let indent: String = line
                .chars()
                .take(start.column - 1)
                .map(|c| if c == '\t' { '\t' } else { ' ' })
                .collect();
            write!(f, "\n{margin} --> {}:{}:{}", file.path, start.line, start.column)?;
            write!(
                f,
                "\n{margin} |\n{number} | {line}\n{margin} | {indent}{}",
                "^".repeat(width.max(1))
            )?;
        }
        for note in &self.notes {
            write!(f, "\n  = note: {note}")?;
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
}
