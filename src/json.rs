//! JSON over the original text: a validating scanner that hands out spans, a spanned tree, and strings written as
//! Go writes them.
//!
//! Nothing is converted that need not be: numbers stay text (a state's numbers do not survive `f64`), strings are
//! decoded on request, and skipped values cost one pass at memory speed. The grammar is RFC 8259, as Go's
//! `encoding/json` enforces it, with the same limit on nesting. Error messages never hold text of the input.

mod quote;
mod scanner;
mod tree;

use std::str::Utf8Error;

use thiserror::Error;

pub use quote::{decode, escape_html, quote, quote_into};
pub use scanner::{RawStr, Scanner};
pub use tree::{Member, Node, Value, parse};

/// The deepest nesting of arrays and objects that is accepted; Go's limit.
pub const MAX_DEPTH: usize = 10_000;

/// A text that is not JSON: what was wrong, and where.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("{fault} at byte {at}")]
pub struct JsonError {
    /// Byte offset of the fault.
    pub at: usize,
    /// What is wrong there.
    pub fault: JsonFault,
}

/// The ways in which a text fails to be JSON.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum JsonFault {
    /// The text ends inside a value.
    #[error("the text ends in the middle of a value")]
    Truncated,
    /// Something else stands where a value must begin.
    #[error("expected a value")]
    ExpectedValue,
    /// Something else stands where an object must begin.
    #[error("expected an object")]
    ExpectedObject,
    /// Something else stands where an array must begin.
    #[error("expected an array")]
    ExpectedArray,
    /// Something else stands where a string must begin.
    #[error("expected a string")]
    ExpectedString,
    /// Something else stands where a member's name must begin.
    #[error("expected a member name in double quotes")]
    ExpectedKey,
    /// No colon after a member's name.
    #[error("expected `:` after the member name")]
    ExpectedColon,
    /// An object goes on neither with a comma nor with its end.
    #[error("expected `,` or `}}`")]
    ExpectedCommaOrBrace,
    /// An array goes on neither with a comma nor with its end.
    #[error("expected `,` or `]`")]
    ExpectedCommaOrBracket,
    /// An unknown or incomplete escape sequence in a string.
    #[error("invalid escape sequence in a string")]
    BadEscape,
    /// A raw control character in a string.
    #[error("unescaped control character in a string")]
    ControlCharacter,
    /// A malformed number.
    #[error("malformed number")]
    BadNumber,
    /// More than [`MAX_DEPTH`] open arrays and objects.
    #[error("more than {MAX_DEPTH} nested arrays and objects")]
    TooDeep,
    /// Something follows the value.
    #[error("unexpected text after the end of the value")]
    TrailingText,
    /// The text begins with a byte order mark.
    #[error("the text begins with a byte order mark")]
    ByteOrderMark,
    /// The text is not UTF-8.
    #[error("invalid UTF-8")]
    NotUtf8,
}

impl JsonError {
    /// Creates the error.
    pub fn new(at: usize, fault: JsonFault) -> Self {
        Self { at, fault }
    }

    /// Places a UTF-8 error.
    pub fn not_utf8(error: &Utf8Error) -> Self {
        Self::new(error.valid_up_to(), JsonFault::NotUtf8)
    }
}
