//! Parses with hcl-edit, and gets past what hcl-edit refuses although Terraform accepts it.
//!
//! The text is parsed as it is first. Only when that fails it is rewritten to a text of the same length that means
//! the same to us (line breaks that count for nothing become spaces, a repeated object key becomes another one), so
//! that every span stays exact in the original. A real error is reported at its place in the original.

use std::sync::Arc;

use hcl_edit::expr::Expression;
use hcl_edit::parser::{self, parse_body, parse_expr};
use hcl_edit::structure::Body;
use hcl_edit::template::Template;

use super::collect::RepeatedKeys;
use super::comments::comment_end;
use crate::diagnostic::{Diagnostic, SourceFile};

/// The UTF-8 byte order mark.
const BOM: &str = "\u{feff}";

/// hcl-edit's words for a repeated object key. A test reads such a file, so a changed wording is noticed.
const REPEATED_KEY: &str = "unique object key";

/// What stands between the parsed text and the file.
#[derive(Debug, Default)]
pub(super) struct Normalized {
    /// Where the parsed text starts in the file: behind a byte order mark.
    pub base: usize,
    /// Keys that were replaced: where, in the parsed text, and what stood there.
    pub repeated_keys: RepeatedKeys,
}

/// Parses a file. The error has file, line and column.
pub(super) fn parse(source: &Arc<SourceFile>) -> Result<(Body, Normalized), Box<Diagnostic>> {
    let base = if source.text.starts_with(BOM) {
        BOM.len()
    } else {
        0
    };
    let mut repeated_keys = RepeatedKeys::new();
    let body = patiently(&source.text[base..], Vec::new, parse_body, &mut repeated_keys)
        .map_err(|error| Box::new(syntax_error(source, base, &error)))?;
    Ok((body, Normalized { base, repeated_keys }))
}

/// Parses one expression.
pub(super) fn parse_expression(text: &str, keys: &mut RepeatedKeys) -> Result<Expression, parser::Error> {
    patiently(text, Vec::new, parse_expr, keys)
}

/// Parses the text of a template without its quotes.
pub(super) fn parse_template(text: &str, keys: &mut RepeatedKeys) -> Result<Template, parser::Error> {
    patiently(text, || vec![Mode::Template], parser::parse_template, keys)
}

/// Parses a text as it is, and where that fails, as a text of the same length that means the same.
fn patiently<T>(
    text: &str,
    modes: impl Fn() -> Vec<Mode>,
    parse: impl Fn(&str) -> Result<T, parser::Error>,
    repeated_keys: &mut RepeatedKeys,
) -> Result<T, parser::Error> {
    let mut error = match parse(text) {
        Ok(parsed) => return Ok(parsed),
        Err(error) => error,
    };
    let mut rewritten = join_lines(text, modes());
    // Each round replaces one key; a file with this many repeated keys was not written by a person.
    for _ in 0..1000 {
        match parse(&rewritten) {
            Ok(parsed) => return Ok(parsed),
            Err(next) => error = next,
        }
        let at = error.location().offset();
        if !error.message().contains(REPEATED_KEY) || !replace_key(&mut rewritten, at, text, repeated_keys) {
            break;
        }
    }
    Err(error)
}

fn syntax_error(source: &Arc<SourceFile>, base: usize, error: &parser::Error) -> Diagnostic {
    let mut at = (error.location().offset() + base).min(source.text.len());
    while !source.text.is_char_boundary(at) {
        at -= 1;
    }
    let width = source.text[at..].chars().next().map_or(0, char::len_utf8);
    let found =
        Diagnostic::error(format!("this is not valid HCL: {}", error.message())).at(source, at..at + width);
    if error.message().contains("nested levels") || error.message().contains("chained binary operators") {
        return found.hint("move a part of the expression to a local value");
    }
    found
}

/// Replaces the object key at `at` by one of the same length that the object does not have.
fn replace_key(rewritten: &mut String, at: usize, original: &str, repeated_keys: &mut RepeatedKeys) -> bool {
    let Some(end) = key_end(rewritten, at) else {
        return false;
    };
    let length = end - at;
    let tried = repeated_keys.len();
    let key = substitute(length, tried);
    repeated_keys.insert(at, original[at..end].to_owned());
    rewritten.replace_range(at..end, &key);
    true
}

/// Returns an identifier of `length` bytes; a different one for each `number`, as far as the length allows.
fn substitute(length: usize, number: usize) -> String {
    const LETTERS: &[u8] = b"_ZYXWVUTSRQPONMLKJIHGFEDCBAzyxwvutsrqponmlkjihgfedcba";
    let mut rest = number;
    let mut key = String::with_capacity(length);
    for _ in 0..length {
        key.push(char::from(LETTERS[rest % LETTERS.len()]));
        rest /= LETTERS.len();
    }
    key
}

/// Returns the end of the object key at `at`: what stands before `=` or `:`, without white space.
fn key_end(text: &str, at: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut scanner = Scanner::new(text, at);
    while scanner.at < bytes.len() {
        let outside = scanner.modes.is_empty();
        let byte = bytes[scanner.at];
        if outside && matches!(byte, b'=' | b':') {
            let key = text[at..scanner.at].trim_end();
            return (!key.is_empty()).then_some(at + key.len());
        }
        if outside && matches!(byte, b'\n' | b',' | b'}') {
            return None;
        }
        scanner.step();
    }
    None
}

/// Turns line breaks and line comments that count for nothing into spaces: those inside `( )`, `[ ]`, `{ for … }` and
/// `${ … }`. And a heredoc's marker that starts a line of its content, which does not end it, into other letters.
fn join_lines(text: &str, modes: Vec<Mode>) -> String {
    let mut bytes = text.as_bytes().to_vec();
    let mut scanner = Scanner::new(text, 0);
    scanner.modes = modes;
    let mut blanks = Vec::new();
    let mut letters = Vec::new();
    while scanner.at < bytes.len() {
        let start = scanner.at;
        let joins = scanner.joins_lines();
        match scanner.step() {
            Token::LineBreak | Token::LineComment if joins => blanks.push(start..scanner.at),
            Token::FalseMarker(marker) => letters.push(marker),
            _ => {}
        }
    }
    for blank in blanks {
        bytes[blank].fill(b' ');
    }
    for letter in letters {
        bytes[letter].fill(b'x');
    }
    // Whole characters were replaced, so the text is still UTF-8.
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}

/// Where the scanner is; the innermost is last. None means the body of a block.
#[derive(Debug)]
enum Mode {
    /// `( )` or `[ ]`: line breaks count for nothing.
    Group,
    /// `{ for … }`: the same.
    ForObject,
    /// The body of a block or an object: line breaks count.
    Brace,
    /// `${ … }` or `%{ … }`: line breaks count for nothing.
    Interpolation,
    /// A quoted template.
    Quoted,
    /// A template without quotes; ends with the text.
    Template,
    /// A heredoc, by its marker.
    Heredoc(String),
}

enum Token {
    LineBreak,
    LineComment,
    /// A marker in the content of its heredoc.
    FalseMarker(std::ops::Range<usize>),
    Other,
}

/// Walks over a text, token by coarse token, and knows in what brackets and templates it is. Never fails: on broken
/// text it merely knows less.
struct Scanner<'t> {
    text: &'t str,
    at: usize,
    modes: Vec<Mode>,
}

impl<'t> Scanner<'t> {
    fn new(text: &'t str, at: usize) -> Self {
        Self {
            text,
            at,
            modes: Vec::new(),
        }
    }

    fn joins_lines(&self) -> bool {
        matches!(
            self.modes.last(),
            Some(Mode::Group | Mode::ForObject | Mode::Interpolation)
        )
    }

    fn step(&mut self) -> Token {
        match self.modes.last() {
            Some(Mode::Quoted) => self.quoted(),
            Some(Mode::Template) => {
                self.template_text();
                Token::Other
            }
            Some(Mode::Heredoc(_)) => self.heredoc(),
            _ => self.code(),
        }
    }

    fn code(&mut self) -> Token {
        let bytes = self.text.as_bytes();
        let rest = &bytes[self.at..];
        match rest[0] {
            b'\n' => {
                self.at += 1;
                return Token::LineBreak;
            }
            b'\r' if rest.get(1) == Some(&b'\n') => {
                self.at += 2;
                return Token::LineBreak;
            }
            b'#' => {
                self.at = comment_end(bytes, self.at);
                return Token::LineComment;
            }
            b'/' if matches!(rest.get(1), Some(b'/' | b'*')) => {
                self.at = comment_end(bytes, self.at);
                let is_line = rest[1] == b'/';
                return if is_line { Token::LineComment } else { Token::Other };
            }
            b'"' => self.modes.push(Mode::Quoted),
            b'(' | b'[' => self.modes.push(Mode::Group),
            b'{' => {
                let mode = if starts_for(&self.text[self.at + 1..]) {
                    Mode::ForObject
                } else {
                    Mode::Brace
                };
                self.modes.push(mode);
            }
            b')' | b']' | b'}' => {
                self.modes.pop();
            }
            b'<' if rest.starts_with(b"<<") => {
                if let Some((marker, length)) = heredoc_start(&self.text[self.at..]) {
                    self.at += length;
                    self.modes.push(Mode::Heredoc(marker));
                    return self.heredoc_line();
                }
            }
            _ => {}
        }
        self.at += 1;
        Token::Other
    }

    fn quoted(&mut self) -> Token {
        let rest = &self.text.as_bytes()[self.at..];
        match rest[0] {
            b'\\' => self.at = (self.at + 2).min(self.text.len()),
            b'"' => {
                self.modes.pop();
                self.at += 1;
            }
            _ => self.template_text(),
        }
        Token::Other
    }

    fn heredoc(&mut self) -> Token {
        if self.text.as_bytes()[self.at] == b'\n' {
            self.at += 1;
            return self.heredoc_line();
        }
        self.template_text();
        Token::Other
    }

    /// At the start of a line of a heredoc: is this its end, or does it only look so?
    fn heredoc_line(&mut self) -> Token {
        let Some(Mode::Heredoc(marker)) = self.modes.last() else {
            return Token::Other;
        };
        let line = self.text[self.at..].split('\n').next().unwrap_or("");
        let indent = line.len() - line.trim_start().len();
        let marked = self.at + indent..self.at + indent + marker.len();
        if line.trim() == marker {
            self.at = marked.end;
            self.modes.pop();
        } else if line[indent..].starts_with(marker.as_str()) {
            // Not part of a longer name only matters to hcl-edit's reading; replacing it never hurts.
            self.at = marked.end;
            return Token::FalseMarker(marked);
        }
        Token::Other
    }

    /// One step inside a template's text: an escape, the start of an interpolation, or one byte.
    fn template_text(&mut self) {
        let rest = &self.text.as_bytes()[self.at..];
        if rest.starts_with(b"$${") || rest.starts_with(b"%%{") {
            self.at += 3;
        } else if rest.starts_with(b"${") || rest.starts_with(b"%{") {
            self.at += 2;
            self.modes.push(Mode::Interpolation);
        } else {
            self.at += 1;
        }
    }
}

/// Tells whether a brace that is followed by `rest` opens a for expression.
fn starts_for(rest: &str) -> bool {
    let mut rest = rest.trim_start();
    while rest.starts_with('#') || rest.starts_with("//") || rest.starts_with("/*") {
        rest = rest[comment_end(rest.as_bytes(), 0)..].trim_start();
    }
    rest.strip_prefix("for")
        .is_some_and(|rest| rest.starts_with(|c: char| c.is_whitespace() || c == '#' || c == '/'))
        // `for` may also be a key or an argument's name.
        && !rest["for".len()..].trim_start().starts_with(['=', ':'])
}

/// Returns a heredoc's marker and the length of its first line.
fn heredoc_start(text: &str) -> Option<(String, usize)> {
    let line_length = text.find('\n')? + 1;
    let marker = text[2..line_length].trim_end();
    let marker = marker.strip_prefix('-').unwrap_or(marker);
    let mut chars = marker.chars();
    let starts_well = chars.next().is_some_and(hcl_starts);
    let is_name = starts_well && chars.all(|c| c == '-' || unicode_ident::is_xid_continue(c));
    is_name.then(|| (marker.to_owned(), line_length))
}

fn hcl_starts(c: char) -> bool {
    c == '_' || unicode_ident::is_xid_start(c)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn source(text: &str) -> Arc<SourceFile> {
        Arc::new(SourceFile {
            path: "main.tf".into(),
            text: text.into(),
        })
    }

    #[test]
    fn reads_what_terraform_reads() {
        for text in [
            "\u{feff}locals {\n  a = 1\n}\n",
            "locals {\n  t = { Name = \"a\", Name = \"b\", Name = \"c\" }\n}\n",
            "locals {\n  t = { a = 1, a = 2, a = 3\n \"a\" = 4\n \"a\" = 5 }\n}\n",
            "locals {\n  t = { (var.a) = 1, (var.a) = 2, \"${var.a}\" = 1, \"${var.a}\" = 2 }\n}\n",
            "locals {\n  m = { for k in [] : k => a == b ? 1 :\n 2 # c é\n }\n}\n",
            "locals {\n  m = { for k in\n a\n : k # why\n => k\n if\n k != 1\n}\n}\n",
            "locals {\n  m = (!\n true)\n  n = \"${!\n true}\"\n}\n",
            "locals {\n  a = <<EOT\nEOT inside\n  EOT, too\n  EOT\n  b = 1\n}\n",
            "locals {\n  a = [<<-EOT\n  x ${[1,\n2]}\n  EOT\n  ,\n  1]\n}\n",
        ] {
            if let Err(error) = parse(&source(text)) {
                panic!("{error}");
            }
        }
    }

    #[test]
    fn keeps_the_length() {
        for text in [
            "a = (\n1 # é\n)\n",
            "a = <<é\né x\né\n",
            "a = \"$${(\n\"\n",
            "a = { for = 1\n }\n",
        ] {
            assert_eq!(join_lines(text, Vec::new()).len(), text.len());
        }
        assert_eq!(join_lines("a = (\n1 # é\n)\n", Vec::new()), "a = ( 1      )\n");
        assert_eq!(
            join_lines("a = { for = 1\n }\n", Vec::new()),
            "a = { for = 1\n }\n"
        );
        assert_eq!(
            join_lines("a = \"$${(\"\nb {\n}\n", Vec::new()),
            "a = \"$${(\"\nb {\n}\n"
        );
    }

    fn distinct(keys: &[String]) -> bool {
        keys.iter().collect::<BTreeSet<_>>().len() == keys.len()
    }

    #[test]
    fn substitutes_differ() {
        let keys: Vec<String> = (0..50).map(|number| substitute(1, number)).collect();
        assert!(distinct(&keys));
        let keys: Vec<String> = (0..1000).map(|number| substitute(2, number)).collect();
        assert!(distinct(&keys));
    }

    #[test]
    fn a_real_error_has_its_place() {
        let error = parse(&source("\u{feff}locals {\n  é = (1\n  b = 2\n}\n")).unwrap_err();
        let shown = error.to_string();
        assert!(shown.starts_with("error: this is not valid HCL: "), "{shown}");
        assert!(
            shown.contains(" --> main.tf:3:3\n") && shown.contains("3 |   b = 2"),
            "{shown}"
        );
    }
}
