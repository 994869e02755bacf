//! What is shown of a line: all of it, or what is around a place in a long one.

use unicode_normalization::char::is_combining_mark;

/// Most columns of a line that are shown to people.
pub(super) const WIDTH: usize = 120;

/// Most columns of a line that are given to programs.
pub(super) const LONGEST: usize = 1000;

/// Says that a line goes on.
const MORE: char = '…';

/// A part of a line.
pub(super) struct Excerpt<'a> {
    /// Whether the line began before.
    cut_before: bool,
    text: &'a str,
    /// Whether the line goes on.
    cut_after: bool,
    /// Characters between the start of `text` and the place.
    indent: usize,
}

impl<'a> Excerpt<'a> {
    /// Takes what is around a column (counted from 1): at most `width` characters, with those that say that more was
    /// there.
    pub fn new(line: &'a str, column: usize, width: usize) -> Self {
        let indent = column.saturating_sub(1);
        let length = line.chars().count();
        if length <= width {
            return Self {
                cut_before: false,
                text: line,
                cut_after: false,
                indent,
            };
        }
        // A place near the start is shown with the start; else more of what follows is shown than of what went before,
        // since a name is read from its start.
        let mut from = match indent <= width * 2 / 3 {
            true => 0,
            false => (indent - width / 3).min(length - width),
        };
        if from > 0 {
            from += 1;
        }
        let byte = |at: usize| line.char_indices().nth(at).map_or(line.len(), |(byte, _)| byte);
        let marks = |at: usize| {
            let following = line[byte(at)..].chars();
            following.take_while(|c| is_combining_mark(*c)).count()
        };
        // A mark without its letter would be put on what says that more was there.
        if from > 0 {
            from += marks(from).min(indent.saturating_sub(from));
        }
        let mut to = length;
        let room = width - usize::from(from > 0);
        if to - from > room {
            to = from + room - 1;
        }
        Self {
            cut_before: from > 0,
            text: &line[byte(from)..byte(to)],
            cut_after: to < length,
            indent: indent.saturating_sub(from),
        }
    }

    /// Returns the text to show. What could steer a terminal is replaced, one character by one.
    pub fn text(&self) -> String {
        let before = self.cut_before.then_some(MORE);
        let after = self.cut_after.then_some(MORE);
        let shown = self.text.chars().map(|c| match c {
            c if c.is_control() && c != '\t' => char::REPLACEMENT_CHARACTER,
            c => c,
        });
        before.into_iter().chain(shown).chain(after).collect()
    }

    /// Returns the line below the text: carets under the next `width` characters from the place on, as far as they are
    /// shown.
    pub fn carets(&self, width: usize) -> String {
        let before = self.cut_before.then_some(' ');
        let indent = self.text.chars().take(self.indent).map(|c| match c {
            '\t' => '\t',
            _ => ' ',
        });
        let mut carets: String = before.into_iter().chain(indent).collect();
        let shown = match self.cut_after {
            true => width.min(self.text.chars().count().saturating_sub(self.indent)),
            false => width,
        };
        carets.push_str(&"^".repeat(shown.max(1)));
        carets
    }
}
