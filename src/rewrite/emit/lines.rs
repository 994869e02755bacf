//! The lines of arguments and blocks, and the blank lines that go with them.

use crate::config::{Attribute, Block, ConfigFile, NestedBlock, Span, Syntax};

/// Returns the column at which a nested block stands.
pub(super) fn indentation(file: &ConfigFile, nested: &NestedBlock) -> usize {
    let text = &file.source.text[..nested.span.start];
    text.len() - text.rfind('\n').map_or(0, |at| at + 1)
}

/// Extends the lines of an argument over a blank line behind them.
pub(super) fn with_blank_line(file: &ConfigFile, argument: &Attribute) -> Span {
    let rest = &file.source.text[argument.full.end..];
    let blank = rest.strip_prefix("\r\n").or_else(|| rest.strip_prefix('\n'));
    let extra = blank.map_or(0, |blank| rest.len() - blank.len());
    argument.full.start..argument.full.end + extra
}

/// Extends the lines of a nested block over a blank line before them.
pub(super) fn nested_with_blank_line(file: &ConfigFile, nested: &NestedBlock) -> Span {
    let text = &file.source.text[..nested.full.start];
    let start = match text.strip_suffix("\n\n") {
        Some(before) => before.len() + 1,
        None => text.len(),
    };
    start..nested.full.end
}

/// The lines of an argument; with the blank line behind it if it is the first.
pub(super) fn without_blank_line(file: &ConfigFile, block: &Block, argument: &Attribute) -> Span {
    if file.syntax == Syntax::Json {
        return argument.span.clone();
    }
    let between = &file.source.text[block.body.span.start + 1..argument.full.start];
    match between.trim().is_empty() {
        true => with_blank_line(file, argument),
        false => argument.full.clone(),
    }
}

/// Tells whether a blank line or the end of the block follows an argument.
pub(super) fn ends_group(file: &ConfigFile, argument: &Attribute) -> bool {
    let rest = &file.source.text[argument.full.end..];
    let next = rest.lines().next().unwrap_or("").trim();
    next.is_empty() || next == "}"
}

/// Extends the lines of an argument over a blank line before them.
pub(super) fn before_blank_line(file: &ConfigFile, argument: &Attribute) -> Span {
    let before = &file.source.text[..argument.full.start];
    let start = if before.ends_with("\r\n\r\n") {
        before.len() - 2
    } else if before.ends_with("\n\n") {
        before.len() - 1
    } else {
        before.len()
    };
    start..argument.full.end
}
