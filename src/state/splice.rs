//! Writing by splicing: texts made of slices of the originals and of a few new pieces.

use std::borrow::Cow;
use std::ops::Range;

use super::{Field, Layout};
use crate::json::quote;

/// A text in pieces; put together once, at its exact size.
#[derive(Clone, Debug, Default)]
pub struct Text<'a> {
    pieces: Vec<Cow<'a, str>>,
    len: usize,
}

impl<'a> Text<'a> {
    /// Creates an empty text.
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends a slice of an original.
    pub fn slice(&mut self, slice: &'a str) {
        if !slice.is_empty() {
            self.len += slice.len();
            self.pieces.push(Cow::Borrowed(slice));
        }
    }

    /// Appends a new piece.
    pub fn own(&mut self, piece: impl Into<String>) {
        let piece = piece.into();
        if !piece.is_empty() {
            self.len += piece.len();
            self.pieces.push(Cow::Owned(piece));
        }
    }

    /// Appends another text.
    pub fn append(&mut self, other: Self) {
        self.len += other.len;
        self.pieces.extend(other.pieces);
    }

    /// Returns the size in bytes.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Tells whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Tells whether the pieces together are that text.
    pub fn is(&self, text: &str) -> bool {
        let mut rest = text;
        self.len == text.len()
            && self.pieces.iter().all(|piece| {
                rest.strip_prefix(piece.as_ref()).is_some_and(|after| {
                    rest = after;
                    true
                })
            })
    }

    /// Puts the pieces together.
    pub fn into_string(self) -> String {
        let mut out = String::with_capacity(self.len);
        for piece in &self.pieces {
            out.push_str(piece);
        }
        out
    }
}

/// An element of a list that is being rewritten.
#[derive(Clone, Debug)]
pub enum Element<'a> {
    /// The original element of that number, untouched.
    Kept(usize),
    /// An element with a new text, already in the layout of the list.
    New(Text<'a>),
}

/// An array or object of an original text whose elements or members are to be replaced.
#[derive(Clone, Copy, Debug)]
pub struct List<'a, 'e> {
    /// The original text.
    pub text: &'a str,
    /// Its layout, used where the original list shows none.
    pub layout: Layout,
    /// Range of the list, brackets included, or of `null`.
    pub range: (usize, usize),
    /// Ranges of the elements, or of the members from name to value.
    pub elements: &'e [Range<usize>],
    /// The brackets.
    pub brackets: (char, char),
    /// The depth of the line on which the list begins.
    pub depth: usize,
}

impl<'a> List<'a, '_> {
    /// Appends the list with its new elements. White space is the original's, as far as it has any.
    pub fn write(&self, new: Vec<Element<'a>>, out: &mut Text<'a>) {
        let (start, end) = self.range;
        let untouched = new.len() == self.elements.len()
            && new
                .iter()
                .enumerate()
                .all(|(at, element)| matches!(element, Element::Kept(n) if *n == at));
        if untouched {
            return out.slice(&self.text[start..end]);
        }
        if new.is_empty() {
            return out.own(format!("{}{}", self.brackets.0, self.brackets.1));
        }
        let (before, between, after) = self.white_space();
        out.own(format!("{}{before}", self.brackets.0));
        let mut last: Option<usize> = None;
        for (position, element) in new.into_iter().enumerate() {
            let next_of_last = match (last, &element) {
                (Some(last), Element::Kept(at)) => last + 1 == *at,
                _ => false,
            };
            match element {
                Element::Kept(at) => {
                    let range = self.elements[at].clone();
                    if next_of_last {
                        out.slice(&self.text[self.elements[at - 1].end..range.end]);
                    } else {
                        if position > 0 {
                            out.own(between.clone());
                        }
                        out.slice(&self.text[range]);
                    }
                    last = Some(at);
                }
                Element::New(text) => {
                    if position > 0 {
                        out.own(between.clone());
                    }
                    out.append(text);
                    last = None;
                }
            }
        }
        out.own(format!("{after}{}", self.brackets.1));
    }

    /// Returns what stands before the first element, between two, and after the last.
    fn white_space(&self) -> (String, String, String) {
        let [first, .., last] = self.elements else {
            let Some(only) = self.elements.first() else {
                let before = self.layout.line_break(self.depth + 1);
                let after = self.layout.line_break(self.depth);
                return (before.to_owned(), format!(",{before}"), after.to_owned());
            };
            let before = self.text[self.range.0 + 1..only.start].to_owned();
            let after = self.text[only.end..self.range.1 - 1].to_owned();
            return (before.clone(), format!(",{before}"), after);
        };
        (
            self.text[self.range.0 + 1..first.start].to_owned(),
            self.text[first.end..self.elements[1].start].to_owned(),
            self.text[last.end..self.range.1 - 1].to_owned(),
        )
    }
}

/// Changes to the members of one object of an original text.
#[derive(Clone, Debug)]
pub struct ObjectEdit<'a> {
    text: &'a str,
    layout: Layout,
    object: Range<usize>,
    edits: Vec<(Range<usize>, String)>,
    removed: Vec<Field>,
}

fn space_end(text: &str, at: usize) -> usize {
    let bytes = text.as_bytes();
    at + bytes[at..]
        .iter()
        .take_while(|byte| byte.is_ascii_whitespace())
        .count()
}

fn space_start(text: &str, at: usize) -> usize {
    let bytes = text.as_bytes();
    at - bytes[..at]
        .iter()
        .rev()
        .take_while(|byte| byte.is_ascii_whitespace())
        .count()
}

impl<'a> ObjectEdit<'a> {
    /// Starts with an unchanged object.
    pub fn new(text: &'a str, layout: Layout, object: Range<usize>) -> Self {
        Self {
            text,
            layout,
            object,
            edits: Vec::new(),
            removed: Vec::new(),
        }
    }

    /// Tells whether nothing changes.
    pub fn is_empty(&self) -> bool {
        self.edits.is_empty() && self.removed.is_empty()
    }

    /// Gives a range another text.
    pub fn replace(&mut self, range: Range<usize>, text: String) {
        self.edits.push((range, text));
    }

    /// Removes a member with its comma.
    pub fn remove(&mut self, field: &Field) {
        self.removed.push(field.clone());
    }

    /// Returns the ranges that vanish with the removed members.
    fn removals(&self) -> Vec<Range<usize>> {
        let bytes = self.text.as_bytes();
        let mut fields: Vec<_> = self.removed.iter().collect();
        fields.sort_by_key(|field| field.start);
        let mut ranges: Vec<Range<usize>> = Vec::new();
        for field in fields {
            let after = space_end(self.text, field.value.end);
            if bytes[after] == b',' {
                ranges.push(field.start..space_end(self.text, after + 1));
                continue;
            }
            // The last member: its comma stands before it, or before the members removed together with it.
            let mut start = field.start;
            while let Some(before) = ranges.pop_if(|before| before.end == start) {
                start = before.start;
            }
            let space = space_start(self.text, start);
            ranges.push(if bytes[space - 1] == b',' {
                space - 1..field.value.end
            } else {
                space..after
            });
        }
        ranges
    }

    /// Puts a member before all others.
    pub fn insert_first(&mut self, name: &str, value: &str) {
        let member = format!("{}{}{value}", quote(name), self.layout.colon());
        let open = self.object.start + 1;
        let first = space_end(self.text, open);
        let piece = if self.text.as_bytes()[first] == b'}' {
            member
        } else {
            format!("{member},{}", &self.text[open..first])
        };
        self.edits.push((first..first, piece));
    }

    /// Puts a member after another one.
    pub fn insert_after(&mut self, field: &Field, name: &str, value: &str) {
        let open = self.object.start + 1;
        let space = &self.text[open..space_end(self.text, open)];
        let piece = format!(",{space}{}{}{value}", quote(name), self.layout.colon());
        self.edits.push((field.value.end..field.value.end, piece));
    }

    /// Appends a part of the object with the changes that lie in it.
    pub fn write(&self, part: Range<usize>, out: &mut Text<'a>) {
        let mut edits: Vec<_> = self
            .edits
            .iter()
            .map(|(range, piece)| (range.clone(), piece.as_str()))
            .collect();
        edits.extend(self.removals().into_iter().map(|range| (range, "")));
        edits.sort_by_key(|(range, _)| range.start);
        let mut at = part.start;
        for (range, piece) in edits {
            if range.start >= part.start && range.end <= part.end {
                if range.start > at {
                    out.slice(&self.text[at..range.start]);
                }
                out.own(piece);
                at = at.max(range.end);
            }
        }
        out.slice(&self.text[at..part.end]);
    }

    /// Appends the whole object with its changes.
    pub fn write_all(&self, out: &mut Text<'a>) {
        self.write(self.object.clone(), out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Scanner;

    fn elements(text: &str) -> Vec<Range<usize>> {
        let mut scanner = Scanner::new(text);
        let mut found = Vec::new();
        if scanner.peek() == Some(b'[') {
            scanner.enter_array().unwrap();
            while scanner.next_element(found.is_empty()).unwrap() {
                found.push(scanner.skip_value().unwrap());
            }
        }
        found
    }

    #[test]
    fn lists_keep_their_white_space() {
        let new = |text: &'static str| {
            let mut piece = Text::new();
            piece.slice(text);
            Element::New(piece)
        };
        use Element::Kept;
        for (text, elements_wanted, expected) in [
            ("[1,2,3]", vec![Kept(0), Kept(1), Kept(2)], "[1,2,3]"),
            ("[ 1 ,\n2 , 3\t]", vec![Kept(0), Kept(2)], "[ 1 ,\n3\t]"),
            ("[ 1 ,\n2 , 3\t]", vec![Kept(1), Kept(2)], "[ 2 , 3\t]"),
            ("[ 1 ]", vec![Kept(0), new("9")], "[ 1, 9 ]"),
            ("[ 1, 2 ]", vec![new("9")], "[ 9 ]"),
            ("[ 1 ]", vec![], "[]"),
            ("[]", vec![new("8"), new("9")], "[\n    8,\n    9\n  ]"),
            ("null", vec![new("9")], "[\n    9\n  ]"),
            ("[1,2]", vec![Kept(1), Kept(0)], "[2,1]"),
        ] {
            let found = elements(text);
            let list = List {
                text,
                layout: Layout::Indented,
                range: (0, text.len()),
                elements: &found,
                brackets: ('[', ']'),
                depth: 1,
            };
            let mut out = Text::new();
            list.write(elements_wanted, &mut out);
            assert!(out.is(expected));
            assert_eq!(out.into_string(), expected);
        }
    }

    #[test]
    fn members_come_and_go_with_their_commas() {
        let field = |text: &str, name: &str, value: &str| {
            let start = text.find(&format!("\"{name}\"")).unwrap();
            let at = start + text[start..].find(value).unwrap();
            Field {
                start,
                value: at..at + value.len(),
            }
        };
        let check = |text: &'static str, change: &dyn Fn(&mut ObjectEdit<'_>), expected: &str| {
            let mut edit = ObjectEdit::new(text, Layout::Indented, 0..text.len());
            change(&mut edit);
            let mut out = Text::new();
            edit.write_all(&mut out);
            assert_eq!(out.into_string(), expected);
        };
        let text = "{\n  \"a\": 1,\n  \"b\": 2,\n  \"c\": 3\n}";
        check(text, &|_| {}, text);
        check(
            text,
            &|edit| edit.remove(&field(text, "a", "1")),
            "{\n  \"b\": 2,\n  \"c\": 3\n}",
        );
        check(
            text,
            &|edit| edit.remove(&field(text, "c", "3")),
            "{\n  \"a\": 1,\n  \"b\": 2\n}",
        );
        check(
            text,
            &|edit| {
                edit.remove(&field(text, "c", "3"));
                edit.remove(&field(text, "b", "2"));
                edit.insert_first("x", "0");
            },
            "{\n  \"x\": 0,\n  \"a\": 1\n}",
        );
        check(
            text,
            &|edit| edit.insert_after(&field(text, "a", "1"), "x", "[]"),
            "{\n  \"a\": 1,\n  \"x\": [],\n  \"b\": 2,\n  \"c\": 3\n}",
        );
        check(
            text,
            &|edit| {
                for (name, value) in [("a", "1"), ("b", "2"), ("c", "3")] {
                    edit.remove(&field(text, name, value));
                }
            },
            "{}",
        );
        check(
            "{\"a\":1}",
            &|edit| edit.remove(&field("{\"a\":1}", "a", "1")),
            "{}",
        );
        check("{}", &|edit| edit.insert_first("a", "1"), "{\"a\": 1}");
    }
}
