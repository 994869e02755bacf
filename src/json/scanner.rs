//! The scanner: pulls structure where the caller wants structure, and skips (yet validates) everything else.

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::ops::Range;

use super::{JsonError, JsonFault, MAX_DEPTH, decode};

/// A string of the text, still encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RawStr<'a> {
    /// What stands between the quotes.
    pub raw: &'a str,
    /// Byte offset of the opening quote.
    pub start: usize,
    /// Whether `raw` holds a backslash.
    pub escaped: bool,
}

impl<'a> RawStr<'a> {
    /// Returns the span of the whole token, quotes included.
    pub fn span(&self) -> Range<usize> {
        self.start..self.start + self.raw.len() + 2
    }

    /// Returns the value of the string. Lone surrogates become U+FFFD, as in Go.
    pub fn decode(&self) -> Cow<'a, str> {
        if self.escaped {
            Cow::Owned(decode(self.raw))
        } else {
            Cow::Borrowed(self.raw)
        }
    }
}

/// A cursor over a JSON text.
#[derive(Clone, Debug)]
pub struct Scanner<'a> {
    text: &'a str,
    at: usize,
    /// Containers that the caller has entered and not left.
    entered: usize,
    /// Closing bytes of the containers open inside one `skip_value`; kept to reuse the allocation.
    open: Vec<u8>,
}

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = 0x8080_8080_8080_8080;
const SPACES: u64 = 0x2020_2020_2020_2020;

#[inline(always)]
fn word(bytes: &[u8], at: usize) -> Option<u64> {
    bytes
        .get(at..at + 8)
        .and_then(|chunk| chunk.try_into().ok())
        .map(u64::from_le_bytes)
}

/// Returns the offset of the first `"`, `\` or control character at or after `at`, or the end of the text.
#[inline(always)]
fn string_stop(bytes: &[u8], mut at: usize) -> usize {
    while let Some(word) = word(bytes, at) {
        // In each term the lowest marked byte is exact; only bytes above it can be marked by a borrow.
        let quote = word ^ (ONES * b'"' as u64);
        let slash = word ^ (ONES * b'\\' as u64);
        let marks = ((quote.wrapping_sub(ONES) & !quote)
            | (slash.wrapping_sub(ONES) & !slash)
            | (word.wrapping_sub(SPACES) & !word))
            & HIGHS;
        if marks != 0 {
            return at + (marks.trailing_zeros() / 8) as usize;
        }
        at += 8;
    }
    while let Some(&byte) = bytes.get(at) {
        if byte == b'"' || byte == b'\\' || byte < 0x20 {
            break;
        }
        at += 1;
    }
    at
}

/// Returns the offset of the first byte at or after `at` that is not white space.
#[inline(always)]
fn skip_space(bytes: &[u8], mut at: usize) -> usize {
    if bytes.get(at).is_some_and(|&byte| byte > b' ') {
        return at;
    }
    if bytes.get(at) == Some(&b'\n') {
        at += 1;
    }
    while word(bytes, at) == Some(SPACES) {
        at += 8;
    }
    while let Some(b' ' | b'\n' | b'\r' | b'\t') = bytes.get(at) {
        at += 1;
    }
    at
}

/// Checks the string whose opening quote is at `at`; returns the offset after the closing quote and whether the
/// string holds an escape.
#[inline(always)]
fn skip_string(bytes: &[u8], at: usize) -> Result<(usize, bool), JsonError> {
    let stop = string_stop(bytes, at + 1);
    if bytes.get(stop) == Some(&b'"') {
        return Ok((stop + 1, false));
    }
    skip_escaped(bytes, stop).map(|end| (end, true))
}

/// The rest of a string from its first byte that is not plain.
fn skip_escaped(bytes: &[u8], mut at: usize) -> Result<usize, JsonError> {
    loop {
        match bytes.get(at) {
            None => return Err(JsonError::new(at, JsonFault::Truncated)),
            Some(b'"') => return Ok(at + 1),
            Some(b'\\') => match bytes.get(at + 1) {
                None => return Err(JsonError::new(at + 1, JsonFault::Truncated)),
                Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => at += 2,
                Some(b'u') => {
                    for offset in at + 2..at + 6 {
                        match bytes.get(offset) {
                            None => return Err(JsonError::new(offset, JsonFault::Truncated)),
                            Some(byte) if byte.is_ascii_hexdigit() => {}
                            Some(_) => return Err(JsonError::new(at, JsonFault::BadEscape)),
                        }
                    }
                    at += 6;
                }
                Some(_) => return Err(JsonError::new(at, JsonFault::BadEscape)),
            },
            Some(_) => return Err(JsonError::new(at, JsonFault::ControlCharacter)),
        }
        at = string_stop(bytes, at);
    }
}

fn skip_digits(bytes: &[u8], mut at: usize) -> Result<usize, JsonError> {
    let start = at;
    while bytes.get(at).is_some_and(u8::is_ascii_digit) {
        at += 1;
    }
    if at == start {
        let fault = if at == bytes.len() {
            JsonFault::Truncated
        } else {
            JsonFault::BadNumber
        };
        return Err(JsonError::new(at, fault));
    }
    Ok(at)
}

fn skip_number(bytes: &[u8], mut at: usize) -> Result<usize, JsonError> {
    if bytes.get(at) == Some(&b'-') {
        at += 1;
    }
    if bytes.get(at) == Some(&b'0') {
        at += 1;
        if bytes.get(at).is_some_and(u8::is_ascii_digit) {
            return Err(JsonError::new(at, JsonFault::BadNumber));
        }
    } else {
        at = skip_digits(bytes, at)?;
    }
    if bytes.get(at) == Some(&b'.') {
        at = skip_digits(bytes, at + 1)?;
    }
    if let Some(b'e' | b'E') = bytes.get(at) {
        at += 1;
        if let Some(b'+' | b'-') = bytes.get(at) {
            at += 1;
        }
        at = skip_digits(bytes, at)?;
    }
    Ok(at)
}

fn skip_word(bytes: &[u8], at: usize, word: &str) -> Result<usize, JsonError> {
    let rest = &bytes[at..];
    if rest.starts_with(word.as_bytes()) {
        Ok(at + word.len())
    } else if word.as_bytes().starts_with(rest) {
        Err(JsonError::new(bytes.len(), JsonFault::Truncated))
    } else {
        Err(JsonError::new(at, JsonFault::ExpectedValue))
    }
}

/// Skips a member name and its colon; returns the offset of the value.
#[inline(always)]
fn skip_key(bytes: &[u8], at: usize) -> Result<usize, JsonError> {
    if bytes.get(at) != Some(&b'"') {
        return Err(missing(bytes, at, JsonFault::ExpectedKey));
    }
    let (end, _) = skip_string(bytes, at)?;
    let colon = skip_space(bytes, end);
    if bytes.get(colon) != Some(&b':') {
        return Err(missing(bytes, colon, JsonFault::ExpectedColon));
    }
    Ok(skip_space(bytes, colon + 1))
}

#[cold]
fn missing(bytes: &[u8], at: usize, fault: JsonFault) -> JsonError {
    if at >= bytes.len() {
        JsonError::new(bytes.len(), JsonFault::Truncated)
    } else {
        JsonError::new(at, fault)
    }
}

impl<'a> Scanner<'a> {
    /// Creates a scanner at the beginning of a text.
    pub fn new(text: &'a str) -> Self {
        Self::at(text, 0)
    }

    /// Creates a scanner at a byte offset of a text, where a value or a member must begin.
    pub fn at(text: &'a str, at: usize) -> Self {
        Self {
            text,
            at,
            entered: 0,
            open: Vec::new(),
        }
    }

    /// Returns the current byte offset.
    pub fn offset(&self) -> usize {
        self.at
    }

    /// Goes on at another offset, at which a value of the same object or array ends.
    pub fn jump(&mut self, at: usize) {
        self.at = at;
    }

    /// Skips white space and returns the next byte, if there is one.
    #[inline]
    pub fn peek(&mut self) -> Option<u8> {
        let bytes = self.text.as_bytes();
        self.at = skip_space(bytes, self.at);
        bytes.get(self.at).copied()
    }

    /// Enters an object.
    pub fn enter_object(&mut self) -> Result<(), JsonError> {
        self.enter(b'{', JsonFault::ExpectedObject)
    }

    /// Enters an array.
    pub fn enter_array(&mut self) -> Result<(), JsonError> {
        self.enter(b'[', JsonFault::ExpectedArray)
    }

    fn enter(&mut self, open: u8, fault: JsonFault) -> Result<(), JsonError> {
        if self.peek() != Some(open) {
            return Err(missing(self.text.as_bytes(), self.at, fault));
        }
        self.entered += 1;
        if self.entered > MAX_DEPTH {
            return Err(JsonError::new(self.at, JsonFault::TooDeep));
        }
        self.at += 1;
        Ok(())
    }

    /// Moves to the next member of the entered object and returns its name, or leaves the object. The value follows.
    pub fn next_key(&mut self, first: bool) -> Result<Option<RawStr<'a>>, JsonError> {
        match self.peek() {
            Some(b'}') => {
                self.at += 1;
                self.entered -= 1;
                return Ok(None);
            }
            Some(b',') if !first => self.at += 1,
            _ if first => {}
            _ => return Err(self.expected(JsonFault::ExpectedCommaOrBrace)),
        }
        if self.peek() != Some(b'"') {
            return Err(self.expected(JsonFault::ExpectedKey));
        }
        let key = self.string()?;
        if self.peek() != Some(b':') {
            return Err(self.expected(JsonFault::ExpectedColon));
        }
        self.at += 1;
        self.peek();
        Ok(Some(key))
    }

    /// Moves to the next element of the entered array and tells whether there is one, or leaves the array.
    pub fn next_element(&mut self, first: bool) -> Result<bool, JsonError> {
        match self.peek() {
            Some(b']') => {
                self.at += 1;
                self.entered -= 1;
                return Ok(false);
            }
            Some(b',') if !first => {
                self.at += 1;
                self.peek();
            }
            _ if first => {}
            _ => return Err(self.expected(JsonFault::ExpectedCommaOrBracket)),
        }
        Ok(true)
    }

    fn expected(&self, fault: JsonFault) -> JsonError {
        missing(self.text.as_bytes(), self.at, fault)
    }

    /// Reads a string.
    pub fn string(&mut self) -> Result<RawStr<'a>, JsonError> {
        if self.peek() != Some(b'"') {
            return Err(self.expected(JsonFault::ExpectedString));
        }
        let start = self.at;
        let (end, escaped) = skip_string(self.text.as_bytes(), start)?;
        self.at = end;
        Ok(RawStr {
            raw: &self.text[start + 1..end - 1],
            start,
            escaped,
        })
    }

    /// Checks that nothing but white space follows.
    pub fn finish(&mut self) -> Result<(), JsonError> {
        match self.peek() {
            None => Ok(()),
            Some(_) => Err(JsonError::new(self.at, JsonFault::TrailingText)),
        }
    }

    /// Skips one value, validating it in full, and returns its span.
    pub fn skip_value(&mut self) -> Result<Range<usize>, JsonError> {
        let bytes = self.text.as_bytes();
        let mut at = skip_space(bytes, self.at);
        let start = at;
        let open = &mut self.open;
        open.clear();
        loop {
            // A value begins at `at`.
            match bytes.get(at) {
                Some(b'"') => at = skip_string(bytes, at)?.0,
                Some(b'{') => {
                    if open.len() + self.entered >= MAX_DEPTH {
                        return Err(JsonError::new(at, JsonFault::TooDeep));
                    }
                    at = skip_space(bytes, at + 1);
                    if bytes.get(at) == Some(&b'}') {
                        at += 1;
                    } else {
                        open.push(b'}');
                        at = skip_key(bytes, at)?;
                        continue;
                    }
                }
                Some(b'[') => {
                    if open.len() + self.entered >= MAX_DEPTH {
                        return Err(JsonError::new(at, JsonFault::TooDeep));
                    }
                    at = skip_space(bytes, at + 1);
                    if bytes.get(at) == Some(&b']') {
                        at += 1;
                    } else {
                        open.push(b']');
                        continue;
                    }
                }
                Some(b't') => at = skip_word(bytes, at, "true")?,
                Some(b'f') => at = skip_word(bytes, at, "false")?,
                Some(b'n') => at = skip_word(bytes, at, "null")?,
                Some(b'-' | b'0'..=b'9') => at = skip_number(bytes, at)?,
                _ => return Err(missing(bytes, at, JsonFault::ExpectedValue)),
            }
            // A value ended at `at`: close what closes, or find the next value.
            loop {
                let Some(&close) = open.last() else {
                    self.at = at;
                    return Ok(start..at);
                };
                at = skip_space(bytes, at);
                match bytes.get(at) {
                    Some(b',') => {
                        at = skip_space(bytes, at + 1);
                        if close == b'}' {
                            at = skip_key(bytes, at)?;
                        }
                        break;
                    }
                    Some(&byte) if byte == close => {
                        at += 1;
                        open.pop();
                    }
                    _ if close == b'}' => return Err(missing(bytes, at, JsonFault::ExpectedCommaOrBrace)),
                    _ => return Err(missing(bytes, at, JsonFault::ExpectedCommaOrBracket)),
                }
            }
        }
    }
}
