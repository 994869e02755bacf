//! The cursor under every reader of addresses: HCL's tokens, and Terraform's rules for keys.

use std::borrow::Cow;

use unicode_normalization::{UnicodeNormalization as _, is_nfc};

use super::{AddressError, InstanceKey, ResourceMode};

/// Names that Terraform refuses as a resource type unless `resource.` or `data.` stands before them.
const RESERVED: [&str; 10] = [
    "count",
    "each",
    "local",
    "path",
    "self",
    "terraform",
    "var",
    "template",
    "lazy",
    "arg",
];

const NEEDS_TYPE_AND_NAME: &str = "a resource is written TYPE.NAME; the name is missing";
const MODULE_NEEDS_NAME: &str = "`module` must be followed by a dot and the name of a module call";

/// A name and where it starts.
#[derive(Clone, Copy)]
pub(super) struct Name<'a> {
    pub(super) text: &'a str,
    pub(super) at: usize,
}

/// One piece of a quoted key.
pub(super) enum Unit<'a> {
    /// A run of the original text.
    Text(&'a str),
    /// A character that was written as an escape.
    Char(char),
    /// An unescaped `*`, only with [`Stars::Glob`].
    Star,
}

/// What `*` means inside a quoted key.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Stars {
    /// Itself, as in every address.
    Literal,
    /// Any run of characters, as in a pattern; `\*` is a literal one.
    Glob,
}

/// A cursor over the text of an address.
pub(super) struct Reader<'a> {
    text: &'a str,
    pub(super) pos: usize,
}

pub(super) type Result<T> = std::result::Result<T, AddressError>;

impl<'a> Reader<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        let pos = if text.starts_with('\u{feff}') { 3 } else { 0 };
        Self { text, pos }
    }

    pub(super) fn fail<T>(&self, offset: usize, reason: impl Into<String>) -> Result<T> {
        let mut offset = offset.min(self.text.len());
        while !self.text.is_char_boundary(offset) {
            offset -= 1;
        }
        Err(AddressError {
            text: self.text.to_owned(),
            offset,
            reason: reason.into(),
        })
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.pos).copied()
    }

    /// Consumes `byte` if it is next.
    pub(super) fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.pos += usize::from(found);
        found
    }

    pub(super) fn rest(&self) -> &'a str {
        &self.text[self.pos..]
    }

    pub(super) fn before(&self) -> &'a str {
        &self.text[..self.pos]
    }

    /// Names what stands at the cursor, for messages.
    pub(super) fn found(&self) -> String {
        match self.rest().chars().next() {
            Some(c) => format!("found {c:?}"),
            None => "the text ends".to_owned(),
        }
    }

    /// Skips what HCL skips inside a traversal: blanks, line breaks, comments.
    pub(super) fn skip_space(&mut self) {
        loop {
            let rest = self.rest();
            self.pos += match rest.as_bytes() {
                [b' ' | b'\t' | b'\n', ..] => 1,
                [b'\r', b'\n', ..] => 2,
                [b'#', ..] | [b'/', b'/', ..] => rest.find('\n').unwrap_or(rest.len()),
                [b'/', b'*', ..] => match rest[2..].find("*/") {
                    Some(end) => end + 4,
                    None => return,
                },
                _ => return,
            };
        }
    }

    /// Takes the longest identifier at the cursor, possibly empty.
    pub(super) fn ident(&mut self) -> Name<'a> {
        let at = self.pos;
        let rest = self.rest();
        let mut end = 0;
        for (i, c) in rest.char_indices() {
            if !is_name_char(c, i == 0) {
                break;
            }
            end = i + c.len_utf8();
        }
        self.pos += end;
        Name {
            text: &rest[..end],
            at,
        }
    }

    /// Reads the name after the start or after a dot.
    pub(super) fn name(&mut self) -> Result<Name<'a>> {
        self.skip_space();
        let name = self.ident();
        if !name.text.is_empty() {
            return Ok(name);
        }
        let reason = match self.peek() {
            Some(b'*') => "a splat or wildcard is not allowed in an address".to_owned(),
            Some(b'0'..=b'9') => {
                "a name cannot start with a digit; an instance key is written in brackets, for example `[0]`"
                    .to_owned()
            }
            _ => format!("expected a name (a letter or `_` first), {}", self.found()),
        };
        self.fail(name.at, reason)
    }

    /// Consumes a dot, with the blanks before it.
    pub(super) fn dot(&mut self) -> bool {
        self.skip_space();
        self.eat(b'.')
    }

    pub(super) fn at_end(&mut self) -> bool {
        self.skip_space();
        self.pos == self.text.len()
    }

    pub(super) fn finish(&mut self) -> Result<()> {
        if self.at_end() {
            return Ok(());
        }
        let reason = match self.peek() {
            Some(b'.') => {
                "an address ends with the resource or module; attributes and further names do not belong to it"
            }
            Some(b'[') => "an address has at most one instance key here",
            _ => "unexpected text after the address",
        };
        self.fail(self.pos, reason)
    }

    /// Reads module steps. Returns the first name after them, or none if the text ends there.
    pub(super) fn module_path(
        &mut self,
        mut step: impl FnMut(&Self, Name<'a>, Option<InstanceKey>) -> Result<()>,
    ) -> Result<Option<Name<'a>>> {
        loop {
            let name = self.name()?;
            if name.text != "module" {
                return Ok(Some(name));
            }
            if !self.dot() {
                return self.fail(self.pos, MODULE_NEEDS_NAME);
            }
            let call = self.name()?;
            let key = self.index()?;
            step(self, call, key)?;
            if self.at_end() {
                return Ok(None);
            }
            if !self.dot() {
                return self.fail(self.pos, "a module must be followed by a dot and a name");
            }
        }
    }

    /// Reads `[data.]TYPE.NAME`, of which `first` is already read.
    pub(super) fn resource(&mut self, first: Name<'a>) -> Result<(ResourceMode, &'a str, &'a str)> {
        let mode = match first.text {
            "data" => ResourceMode::Data,
            _ => ResourceMode::Managed,
        };
        let type_name = match first.text {
            "data" | "resource" => self.label()?,
            "ephemeral" => {
                return self.fail(first.at, "ephemeral resources are never in a state");
            }
            word if is_reserved(word) => {
                return self.fail(first.at, reserved_type(word));
            }
            _ => first,
        };
        let name = self.label()?;
        Ok((mode, type_name.text, name.text))
    }

    /// Reads a dot and the next label of a resource.
    fn label(&mut self) -> Result<Name<'a>> {
        if self.dot() {
            self.name()
        } else {
            self.fail(self.pos, NEEDS_TYPE_AND_NAME)
        }
    }

    /// Reads an instance key in brackets, if one is next.
    pub(super) fn index(&mut self) -> Result<Option<InstanceKey>> {
        self.skip_space();
        if !self.eat(b'[') {
            return Ok(None);
        }
        self.skip_space();
        let key = match self.peek() {
            Some(b'0'..=b'9') => InstanceKey::Int(self.number()?),
            Some(b'"') => InstanceKey::Str(self.string()?),
            _ => return self.fail(self.pos, self.why_no_key()),
        };
        self.skip_space();
        if !self.eat(b']') {
            return self.fail(self.pos, "`]` is expected here");
        }
        Ok(Some(key))
    }

    pub(super) fn why_no_key(&self) -> String {
        match self.peek() {
            Some(b'-') => "an index cannot be negative".to_owned(),
            Some(b'*') => "a splat is not allowed in an address; name one instance".to_owned(),
            Some(b'\'') => "single quotes are not valid; write the key in double quotes".to_owned(),
            _ => format!(
                "expected a whole number or a string in double quotes, {}",
                self.found()
            ),
        }
    }

    /// Reads an HCL number that is whole and fits in an `i64`, which is what Terraform demands.
    pub(super) fn number(&mut self) -> Result<u64> {
        let start = self.pos;
        let whole = self.digits();
        let mut fraction = "";
        let mut exponent = 0_i64;
        if self.peek() == Some(b'.') && self.digit_at(self.pos + 1) {
            self.pos += 1;
            fraction = self.digits();
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            let sign = self.text.as_bytes().get(self.pos + 1).copied();
            let signed = usize::from(matches!(sign, Some(b'+' | b'-')));
            if self.digit_at(self.pos + 1 + signed) {
                self.pos += 1 + signed;
                // An exponent too long for an i64 can only be judged by its sign.
                let size = self.digits().parse().unwrap_or(i64::MAX / 4).min(i64::MAX / 4);
                exponent = if sign == Some(b'-') { -size } else { size };
            }
        }
        match decimal(whole, fraction, exponent) {
            Some(value) => Ok(value),
            None => self.fail(
                start,
                "an instance key must be a whole number between 0 and 9223372036854775807",
            ),
        }
    }

    fn digit_at(&self, at: usize) -> bool {
        self.text.as_bytes().get(at).is_some_and(u8::is_ascii_digit)
    }

    fn digits(&mut self) -> &'a str {
        let rest = self.rest();
        let end = rest.bytes().take_while(u8::is_ascii_digit).count();
        self.pos += end;
        &rest[..end]
    }

    /// Reads a string in double quotes.
    pub(super) fn string(&mut self) -> Result<String> {
        let mut key = String::new();
        self.quoted(Stars::Literal, |unit| match unit {
            Unit::Text(text) => key.push_str(text),
            Unit::Char(c) => key.push(c),
            Unit::Star => key.push('*'),
        })?;
        Ok(normalise(key))
    }

    /// Reads a string in double quotes, piece by piece. The cursor is on the opening quote.
    pub(super) fn quoted(&mut self, stars: Stars, mut emit: impl FnMut(Unit<'a>)) -> Result<()> {
        let open = self.pos;
        self.pos += 1;
        let mut run = self.pos;
        loop {
            let Some(byte) = self.peek() else {
                return self.fail(open, "the string is not closed: a `\"` is missing");
            };
            let next = &self.text.as_bytes()[self.pos + 1..];
            match (byte, next) {
                (b'"', _) => {
                    emit(Unit::Text(&self.text[run..self.pos]));
                    self.pos += 1;
                    return Ok(());
                }
                (b'\\', _) => {
                    emit(Unit::Text(&self.text[run..self.pos]));
                    emit(Unit::Char(self.escape(stars)?));
                    run = self.pos;
                }
                (b'$' | b'%', [b'{', ..]) => {
                    let sign = char::from(byte);
                    return self.fail(
                        self.pos,
                        format!("a template is not allowed in an address; write `{sign}{sign}{{` for a literal `{sign}{{`"),
                    );
                }
                (b'$' | b'%', [second, b'{', ..]) if *second == byte => {
                    emit(Unit::Text(&self.text[run..=self.pos]));
                    run = self.pos + 2;
                    self.pos += 3;
                }
                (b'\n' | b'\r', _) => {
                    return self.fail(self.pos, "a key cannot hold a line break; write `\\n` or `\\r`");
                }
                (b'*', _) if stars == Stars::Glob => {
                    emit(Unit::Text(&self.text[run..self.pos]));
                    emit(Unit::Star);
                    self.pos += 1;
                    run = self.pos;
                }
                _ => self.pos += 1,
            }
        }
    }

    /// Reads an escape sequence. The cursor is on the backslash.
    fn escape(&mut self, stars: Stars) -> Result<char> {
        let start = self.pos;
        let selector = self.text[start + 1..].chars().next();
        let digits = match selector {
            Some('u') => 4,
            Some('U') => 8,
            _ => 0,
        };
        let simple = match selector {
            Some('n') => '\n',
            Some('r') => '\r',
            Some('t') => '\t',
            Some('"') => '"',
            Some('\\') => '\\',
            Some('*') if stars == Stars::Glob => '*',
            Some('u' | 'U') => '\0',
            Some(other) => {
                return self.fail(start, format!("`\\` followed by {other:?} is not a valid escape"));
            }
            None => return self.fail(start, "the string ends after a backslash"),
        };
        self.pos = start + 2;
        if digits == 0 {
            return Ok(simple);
        }
        let hex = self.text.as_bytes().get(self.pos..self.pos + digits);
        let Some(hex) = hex.filter(|hex| hex.iter().all(u8::is_ascii_hexdigit)) else {
            return self.fail(start, format!("this escape needs {digits} hexadecimal digits"));
        };
        let code = hex.iter().fold(0_u32, |code, digit| {
            (code << 4) | char::from(*digit).to_digit(16).unwrap_or_default()
        });
        self.pos += digits;
        match char::from_u32(code) {
            Some(c) => Ok(c),
            None => self.fail(start, format!("U+{code:04X} is not a character")),
        }
    }
}

/// Tells whether `c` can stand in an HCL identifier, `first` or later.
pub(super) fn is_name_char(c: char, first: bool) -> bool {
    match c {
        'a'..='z' | 'A'..='Z' | '_' => true,
        '0'..='9' | '-' => !first,
        _ if c.is_ascii() => false,
        _ if first => unicode_ident::is_xid_start(c),
        _ => unicode_ident::is_xid_continue(c),
    }
}

/// Tells whether `word` as a resource type reads as something else without `resource.` before it.
pub(super) fn needs_prefix(word: &str) -> bool {
    matches!(word, "data" | "ephemeral" | "module" | "resource") || is_reserved(word)
}

pub(super) fn is_reserved(word: &str) -> bool {
    RESERVED.contains(&word)
}

pub(super) fn reserved_type(word: &str) -> String {
    format!("`{word}` is a reserved word; write `resource.{word}` if it is the type of a resource")
}

/// Brings a key to NFC, as Terraform does with every string of the language.
pub(super) fn normalise(key: String) -> String {
    if key.is_ascii() || is_nfc(&key) {
        key
    } else {
        key.nfc().collect()
    }
}

/// Returns the value of `whole.fraction × 10^exponent` if it is whole and fits in an `i64`.
fn decimal(whole: &str, fraction: &str, exponent: i64) -> Option<u64> {
    let digits: Cow<'_, str> = if fraction.is_empty() {
        whole.into()
    } else {
        format!("{whole}{fraction}").into()
    };
    let significant = digits.trim_start_matches('0').trim_end_matches('0');
    if significant.is_empty() {
        return Some(0);
    }
    let trailing = digits.len() - digits.trim_end_matches('0').len();
    let scale = exponent + i64::try_from(trailing).ok()? - i64::try_from(fraction.len()).ok()?;
    let scale = u32::try_from(scale).ok()?;
    let value: u64 = significant.parse().ok()?;
    let value = value.checked_mul(10_u64.checked_pow(scale)?)?;
    (value <= i64::MAX.unsigned_abs()).then_some(value)
}
