//! What every block's reader needs: noting faults, checking words, reading labels and plain values.

use std::fmt;
use std::ops::Range;
use std::str::FromStr;
use std::sync::Arc;

use hcl_edit::Span as _;
use hcl_edit::expr::Expression;
use hcl_edit::structure::{Attribute, Block, Body, Structure};

use super::values::{FromReference, TemplateUse};
use crate::diagnostic::{Diagnostic, SourceFile};
use crate::plan::file::Spanned;
use crate::plan::suggest;

/// The words a block may hold.
pub(super) struct Words {
    /// The block, as it is called in messages: ``a `stack` block``.
    pub what: &'static str,
    /// Its arguments.
    pub attributes: &'static [&'static str],
    /// Its blocks.
    pub blocks: &'static [&'static str],
}

/// Collects faults while blocks are read.
pub(super) struct Reader {
    file: Arc<SourceFile>,
    /// The file as messages show it: credentials are covered.
    shown: Arc<SourceFile>,
    found: Vec<Diagnostic>,
    /// Templates met so far; their names are checked once all environments are known.
    pub templates: Vec<TemplateUse>,
    /// `from "SOURCE"` labels met so far.
    pub from_blocks: Vec<FromReference>,
}

/// A fault that was just noted, to which advice can be added.
pub(super) struct Noted<'a>(&'a mut Diagnostic);

impl Noted<'_> {
    /// Adds a line of explanation.
    pub fn note(self, note: impl Into<String>) -> Self {
        self.0.notes.push(note.into());
        self
    }

    /// Adds the advice.
    pub fn hint(self, hint: impl Into<String>) {
        self.0.hint = Some(hint.into());
    }
}

impl Reader {
    pub fn new(file: Arc<SourceFile>, shown: Arc<SourceFile>) -> Self {
        Self {
            file,
            shown,
            found: Vec::new(),
            templates: Vec::new(),
            from_blocks: Vec::new(),
        }
    }

    pub fn file(&self) -> &Arc<SourceFile> {
        &self.file
    }

    pub fn is_clean(&self) -> bool {
        self.found.is_empty()
    }

    /// Returns what was found, in file order.
    pub fn into_found(mut self) -> Vec<Diagnostic> {
        self.found
            .sort_by_key(|fault| fault.location.as_ref().map(|(_, span)| (span.start, span.end)));
        self.found
    }

    /// Returns a place for use in a note: `plans/acme.hcl:12:3`.
    pub fn place(&self, span: &Range<usize>) -> String {
        let at = self.file.position(span.start);
        format!("{}:{}:{}", self.file.path, at.line, at.column)
    }

    /// Notes a fault.
    pub fn error(&mut self, span: Range<usize>, message: impl Into<String>) -> Noted<'_> {
        let at = self.found.len();
        self.found.push(Diagnostic::error(message).at(&self.shown, span));
        Noted(&mut self.found[at])
    }

    /// Notes every word of the body that the block does not know.
    pub fn check_words(&mut self, body: &Body, words: &Words) {
        for structure in body {
            let known = match structure {
                Structure::Attribute(attribute) => words.attributes.contains(&attribute.key.as_str()),
                Structure::Block(block) => words.blocks.contains(&block.ident.as_str()),
            };
            if !known {
                self.unknown(structure, words);
            }
        }
    }

    /// Notes one unknown word, with the nearest known one.
    pub fn unknown(&mut self, structure: &Structure, words: &Words) {
        let what = words.what;
        match structure {
            Structure::Attribute(attribute) => {
                let word = attribute.key.as_str();
                let span = attribute.key.span().unwrap_or(0..0);
                if words.blocks.contains(&word) {
                    self.error(span, format!("`{word}` is a block, not an argument"))
                        .hint(format!("write `{word} {{ … }}`, without `=`"));
                } else {
                    self.error(span, format!("{what} has no argument `{word}`"))
                        .hint(hint(word, words.attributes, words.blocks));
                }
            }
            Structure::Block(block) => {
                let word = block.ident.as_str();
                let span = ident_span(block);
                if words.attributes.contains(&word) {
                    self.error(span, format!("`{word}` is an argument, not a block"))
                        .hint(format!("write `{word} = …`"));
                } else {
                    self.error(span, format!("{what} has no block `{word}`"))
                        .hint(hint(word, words.blocks, words.attributes));
                }
            }
        }
    }

    /// Notes a name that is not among the known ones.
    pub fn check_known(&mut self, name: &impl fmt::Display, span: &Range<usize>, kind: &str, known: &[&str]) {
        let name = name.to_string();
        if !known.contains(&name.as_str()) {
            self.error(span.clone(), format!("no {kind} is named `{name}`"))
                .hint(suggest::did_you_mean(&name, known));
        }
    }

    /// Returns the only block of that word; notes each further one.
    pub fn single<'b>(&mut self, body: &'b Body, word: &'static str) -> Option<&'b Block> {
        let mut blocks = body.get_blocks(word);
        let first = blocks.next()?;
        let place = self.place(&ident_span(first));
        for more in blocks {
            self.error(ident_span(more), format!("a second `{word}` block"))
                .note(format!("the first one is at {place}"))
                .hint("keep one of them");
        }
        Some(first)
    }

    /// Returns the one label a block must have.
    pub fn label(&mut self, block: &Block, what: &str) -> Option<Spanned<String>> {
        let word = block.ident.as_str();
        let label = self.optional_label(block);
        if label.is_none() {
            self.error(ident_span(block), format!("`{word}` needs a label: {what}"))
                .hint(format!("write `{word} \"NAME\" {{`"));
        }
        label
    }

    /// Returns the one label a block may have; notes each further one.
    pub fn optional_label(&mut self, block: &Block) -> Option<Spanned<String>> {
        let (first, more) = block.labels.split_first()?;
        for label in more {
            let word = block.ident.as_str();
            self.error(label.span().unwrap_or(0..0), format!("`{word}` takes one label"))
                .hint("remove this one");
        }
        Some(Spanned {
            value: first.as_str().to_owned(),
            span: first.span().unwrap_or(0..0),
        })
    }

    /// Notes every label of a block that takes none.
    pub fn no_label(&mut self, block: &Block) {
        for label in &block.labels {
            let word = block.ident.as_str();
            self.error(label.span().unwrap_or(0..0), format!("`{word}` takes no label"))
                .hint("remove it");
        }
    }

    /// Reads a word as a type; notes the type's own message where it is refused.
    pub fn parse<T>(&mut self, word: Spanned<String>) -> Option<Spanned<T>>
    where
        T: FromStr,
        T::Err: fmt::Display,
    {
        match word.value.parse() {
            Ok(value) => Some(Spanned {
                value,
                span: word.span,
            }),
            Err(error) => {
                let error: T::Err = error;
                self.error(word.span, error.to_string());
                None
            }
        }
    }

    /// Reads one of a few words.
    pub fn choice<T: FromStr>(&mut self, body: &Body, word: &str, known: &[&str]) -> Option<Spanned<T>> {
        let text = self.string(body, word)?;
        match text.value.parse() {
            Ok(value) => Some(Spanned {
                value,
                span: text.span,
            }),
            Err(_) => {
                self.error(text.span, format!("`{}` is not a {word}", text.value))
                    .hint(suggest::did_you_mean(&text.value, known));
                None
            }
        }
    }

    /// Reads a text that is the same everywhere.
    pub fn string(&mut self, body: &Body, word: &str) -> Option<Spanned<String>> {
        let attribute = body.get_attribute(word)?;
        self.plain_text(&attribute.value, &format!("`{word}`"))
    }

    /// Reads a text that must be there.
    pub fn required_string(&mut self, block: &Block, word: &str, example: &str) -> Option<Spanned<String>> {
        if !block.body.has_attribute(word) {
            let kind = block.ident.as_str();
            self.error(ident_span(block), format!("`{kind}` has no `{word}`"))
                .hint(format!("add `{word} = {example}`"));
        }
        self.string(&block.body, word)
    }

    /// Reads a list of texts.
    pub fn strings(&mut self, body: &Body, word: &str) -> Vec<Spanned<String>> {
        let Some(attribute) = body.get_attribute(word) else {
            return Vec::new();
        };
        let Expression::Array(array) = &attribute.value else {
            self.error(value_span(attribute), format!("`{word}` must be a list of texts"))
                .hint(format!("write `{word} = [\"…\"]`"));
            return Vec::new();
        };
        let what = format!("an element of `{word}`");
        array
            .iter()
            .filter_map(|element| self.plain_text(element, &what))
            .collect()
    }

    /// Reads `true` or `false`; absent is `false`.
    pub fn flag(&mut self, body: &Body, word: &str) -> bool {
        let Some(attribute) = body.get_attribute(word) else {
            return false;
        };
        attribute.value.as_bool().unwrap_or_else(|| {
            self.error(
                value_span(attribute),
                format!("`{word}` must be `true` or `false`"),
            );
            false
        })
    }

    fn plain_text(&mut self, expr: &Expression, what: &str) -> Option<Spanned<String>> {
        let span = expr.span().unwrap_or(0..0);
        match expr {
            Expression::String(text) => {
                return Some(Spanned {
                    value: text.value().clone(),
                    span,
                });
            }
            Expression::StringTemplate(_) => self
                .error(span, format!("{what} must be the same in every environment"))
                .hint("write a plain text, without `${ … }`"),
            _ => self
                .error(span, format!("{what} must be a text"))
                .hint("write it in double quotes"),
        }
        None
    }
}

/// Returns the span of a block's word.
pub(super) fn ident_span(block: &Block) -> Range<usize> {
    block.ident.span().unwrap_or(0..0)
}

/// Returns the span of an attribute's value.
pub(super) fn value_span(attribute: &Attribute) -> Range<usize> {
    attribute.value.span().unwrap_or(0..0)
}

/// Looks first among words of the same kind, then among those of the other.
fn hint(word: &str, same: &[&str], other: &[&str]) -> String {
    if suggest::near(word, same.iter().copied()).is_empty() {
        let all: Vec<&str> = same.iter().chain(other).copied().collect();
        return suggest::did_you_mean(word, &all);
    }
    suggest::did_you_mean(word, same)
}

/// Returns where the byte `offset` of an unescaped text stands, given the span of its quoted form.
///
/// Needed to point at a fault inside `"module.a[\"b\"].…"`.
pub(super) fn offset_in_quoted(file: &str, span: &Range<usize>, offset: usize) -> usize {
    let Some(quoted) = file.get(span.clone()) else {
        return span.start;
    };
    let mut rest = quoted.strip_prefix('"').unwrap_or(quoted);
    let mut done = 0;
    while done < offset && !rest.is_empty() && rest != "\"" {
        let (taken, gives) = escape(rest);
        rest = &rest[taken..];
        done += gives;
    }
    span.start + (quoted.len() - rest.len())
}

/// Returns how many bytes the next character takes in the quoted form, and how many it gives.
fn escape(rest: &str) -> (usize, usize) {
    let code = |digits: usize| {
        let end = 2 + digits;
        let c = rest
            .get(2..end)
            .and_then(|hex| u32::from_str_radix(hex, 16).ok())
            .and_then(char::from_u32);
        (end.min(rest.len()), c.map_or(1, char::len_utf8))
    };
    match rest.as_bytes() {
        [b'\\', b'u', ..] if rest.is_char_boundary(6.min(rest.len())) => code(4),
        [b'\\', b'U', ..] if rest.is_char_boundary(10.min(rest.len())) => code(8),
        [b'\\', next, ..] if next.is_ascii() => (2, 1),
        [b'$', b'$', b'{', ..] | [b'%', b'%', b'{', ..] => (2, 1),
        _ => {
            let len = rest.chars().next().map_or(1, char::len_utf8);
            (len, len)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_into_a_quoted_text_through_its_escapes() {
        let check = |quoted: &str, plain: &str, needle: &str, expected: &str| {
            let offset = plain.find(needle).unwrap();
            let at = offset_in_quoted(quoted, &(0..quoted.len()), offset);
            assert!(quoted[at..].starts_with(expected), "{quoted}: {}", &quoted[at..]);
        };
        check(r#""a[\"b\"].c""#, r#"a["b"].c"#, "c", "c\"");
        check(r#""\u00e9x""#, "éx", "x", "x\"");
        check(r#""é$${x}y""#, "é${x}y", "y", "y\"");
        check(r#""abc""#, "abc", "abc", "abc");
        assert_eq!(offset_in_quoted(r#""ab""#, &(0..4), 99), 3);
    }
}
