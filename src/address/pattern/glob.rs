//! One segment of a pattern: text with `*` for any run of characters.

use std::fmt;

/// The texts between the stars; a single one is a literal. Never empty.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Glob {
    parts: Vec<String>,
}

impl Glob {
    /// Returns the glob that matches the empty text, to be built upon.
    pub(super) fn empty() -> Self {
        Self::exactly("")
    }

    /// Returns the glob that matches `text` and nothing else.
    pub(super) fn exactly(text: &str) -> Self {
        Self {
            parts: vec![text.to_owned()],
        }
    }

    /// Appends a star; stars in a row are one.
    pub(super) fn push_star(&mut self) {
        let after_star = self.parts.len() > 1 && self.parts.last().is_some_and(String::is_empty);
        if !after_star {
            self.parts.push(String::new());
        }
    }

    /// Returns the text after the last star, to append to.
    pub(super) fn tail(&mut self) -> &mut String {
        self.parts
            .last_mut()
            .expect("a glob is built with one part and only grows")
    }

    /// Applies `change` to every text between stars.
    pub(super) fn map(self, change: impl Fn(String) -> String) -> Self {
        Self {
            parts: self.parts.into_iter().map(change).collect(),
        }
    }

    /// Returns the text, if there is no star.
    pub(super) fn literal(&self) -> Option<&str> {
        match self.parts.as_slice() {
            [only] => Some(only),
            _ => None,
        }
    }

    /// Tells whether the whole of `text` matches.
    pub(super) fn matches(&self, text: &str) -> bool {
        let (first, middle, last) = match self.parts.as_slice() {
            [] => return text.is_empty(),
            [only] => return text == only,
            [first, middle @ .., last] => (first, middle, last),
        };
        let inside = text
            .strip_prefix(first.as_str())
            .and_then(|rest| rest.strip_suffix(last.as_str()));
        let Some(mut rest) = inside else {
            return false;
        };
        // With both ends fixed, the leftmost place of each text leaves the most room for the others.
        for part in middle {
            match rest.split_once(part.as_str()) {
                Some((_, after)) => rest = after,
                None => return false,
            }
        }
        true
    }

    /// Writes the texts with stars between them.
    pub(super) fn write_parts(
        &self,
        f: &mut fmt::Formatter<'_>,
        write: impl Fn(&mut fmt::Formatter<'_>, &str) -> fmt::Result,
    ) -> fmt::Result {
        for (i, part) in self.parts.iter().enumerate() {
            if i > 0 {
                f.write_str("*")?;
            }
            write(f, part)?;
        }
        Ok(())
    }
}

impl fmt::Display for Glob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write_parts(f, |f, part| write!(f, "{part}"))
    }
}
