//! Hides credentials in the text that messages show.
//!
//! A plan file must not hold any; when it does, the message about it shows the source line, and with it, in a CI log,
//! the credential. So messages show a copy of the text in which the values are covered, character by character: every
//! offset, line and column stays what it is. Works on plain text, since it must also serve files that do not parse.

use crate::plan::backend::{CREDENTIALS, carries_credential};

/// Returns the text with every value of a credential argument, and every URL with a password in it, covered.
pub(super) fn mask(text: &str) -> String {
    let mut spans: Vec<(usize, usize)> = Vec::new();
    for word in CREDENTIALS {
        for (at, _) in text.match_indices(word) {
            let before = text[..at].chars().next_back();
            if before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == '-') {
                continue;
            }
            let rest = text[at + word.len()..]
                .trim_start_matches('"')
                .trim_start_matches([' ', '\t']);
            let Some(value) = rest.strip_prefix(['=', ':']) else {
                continue;
            };
            let start = text.len() - value.len();
            let end = value
                .find(['\n', '\r'])
                .map_or(text.len(), |length| start + length);
            spans.push(value_span(text, start, end));
        }
    }
    for (at, _) in text.match_indices("://") {
        let start = text[..at].rfind(['"', '\n', ' ']).map_or(0, |found| found + 1);
        let end = text[at..]
            .find(['"', '\n', '\r', ' '])
            .map_or(text.len(), |length| at + length);
        if carries_credential(&text[start..end]) {
            spans.push((at + "://".len(), end));
        }
    }
    if spans.is_empty() {
        return text.to_owned();
    }
    text.char_indices()
        .map(|(at, c)| {
            let covered = spans.iter().any(|&(start, end)| at >= start && at < end);
            if covered { cover(c) } else { c }
        })
        .collect()
}

/// Returns the inside of the quoted text that starts on this line; the whole rest of the line where there is none.
fn value_span(text: &str, start: usize, end: usize) -> (usize, usize) {
    let line = &text[start..end];
    let Some(open) = line.find('"').filter(|&open| line[..open].trim().is_empty()) else {
        return (start, end);
    };
    let mut escaped = false;
    for (at, c) in line[open + 1..].char_indices() {
        match c {
            '"' if !escaped => return (start + open + 1, start + open + 1 + at),
            '\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    (start + open + 1, end)
}

/// Returns a character of the same length that says nothing.
fn cover(c: char) -> char {
    match (c, c.len_utf8()) {
        ('\n' | '\r' | '\t' | ' ', _) => c,
        (_, 1) => '*',
        (_, 2) => '·',
        (_, 3) => '•',
        _ => '🞄',
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn covers_values_and_nothing_else() {
        for (text, expected) in [
            (
                "secret_key = \"abc\"\nx = \"abc\"\n",
                "secret_key = \"***\"\nx = \"abc\"\n",
            ),
            (
                "a = { token = \"a\\\"b\", c = \"d\" }",
                "a = { token = \"****\", c = \"d\" }",
            ),
            ("\"access_key\" : \"é€😀\" # x", "\"access_key\" : \"·•🞄\" # x"),
            ("secret_key = \"open", "secret_key = \"****"),
            ("secret_key = <<EOT\nx\n", "secret_key = *****\nx\n"),
            ("my_token = \"abc\"", "my_token = \"abc\""),
            ("p = \"http://u:p@h/x\" y", "p = \"http://*******\" y"),
            ("p = \"http://h/x\"", "p = \"http://h/x\""),
        ] {
            assert_eq!(mask(text), expected, "{text}");
            assert_eq!(mask(text).len(), text.len());
        }
    }
}
