//! Which of many findings are shown to people: the first of each kind, and how many there are beyond.

use std::collections::HashMap;
use std::hash::Hash;

use super::{Diagnostic, Severity};

/// How many of one kind are shown.
const OF_A_KIND: usize = 20;

/// How many are shown at all: so many kinds nobody reads.
const OF_ALL: usize = 200;

/// One of the things that are shown.
#[derive(Debug, PartialEq, Eq)]
pub enum Shown<'a, T> {
    /// A finding.
    One(&'a T),
    /// So many more of the kind of the finding before.
    Like(usize),
    /// So many more, of all kinds.
    Any(usize),
}

impl<T> Shown<'_, T> {
    /// Returns the line that says how many more there are, and where all of them are to be seen; none for a finding.
    pub fn line(&self, where_all: &str) -> Option<String> {
        match self {
            Self::One(_) => None,
            Self::Like(more) => Some(format!("… and {more} more like this: {where_all}")),
            Self::Any(more) => Some(format!("… and {more} more: {where_all}")),
        }
    }
}

/// Chooses what is shown: the first twenty of each kind, in their order, then how many more of it there are.
pub fn bounded<'a, T, K: Eq + Hash>(all: &'a [T], kind: impl Fn(&'a T) -> K) -> Vec<Shown<'a, T>> {
    let kinds: Vec<K> = all.iter().map(kind).collect();
    let mut totals: HashMap<&K, usize> = HashMap::new();
    for kind in &kinds {
        *totals.entry(kind).or_default() += 1;
    }
    let mut seen: HashMap<&K, usize> = HashMap::new();
    let mut shown = Vec::new();
    let mut told = 0;
    let mut ones = 0;
    for (one, kind) in all.iter().zip(&kinds) {
        let number = seen.entry(kind).or_default();
        *number += 1;
        if *number > OF_A_KIND {
            continue;
        }
        if ones == OF_ALL {
            shown.push(Shown::Any(all.len() - told));
            break;
        }
        shown.push(Shown::One(one));
        ones += 1;
        told += 1;
        let more = totals[kind] - *number;
        if *number == OF_A_KIND && more > 0 {
            shown.push(Shown::Like(more));
            told += more;
        }
    }
    shown
}

/// Returns what is the same for findings that differ only in what they are about: in names, addresses and numbers.
pub fn kind_of(finding: &Diagnostic) -> (Severity, String) {
    let mut kind = String::new();
    let mut quote = None;
    let mut plain = String::new();
    for c in finding.message.chars() {
        match quote {
            Some(end) if c == end => quote = None,
            Some(_) => {}
            None if c == '`' || c == '"' => {
                plain.push('.');
                quote = Some(c);
            }
            None => plain.push(c),
        }
    }
    for word in plain.split_whitespace() {
        let word = word.trim_end_matches([',', ';', ':', '.', ')']);
        let is_word = !word.is_empty() && word.chars().all(|c| c.is_alphabetic() || "'-(".contains(c));
        let word = if is_word { word } else { "…" };
        if is_word || !kind.ends_with('…') {
            kind.push_str(word);
        }
    }
    (finding.severity, kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Shows findings by their first letter; the letter is the kind.
    fn check(all: &str, expected: &str) {
        let all: Vec<char> = all.chars().collect();
        let shown: String = bounded(&all, |c| *c)
            .iter()
            .map(|shown| match shown {
                Shown::One(c) => c.to_string(),
                Shown::Like(more) => format!("(+{more})"),
                Shown::Any(more) => format!("(any {more})"),
            })
            .collect();
        assert_eq!(shown, expected);
    }

    #[test]
    fn the_first_of_each_kind_are_shown() {
        let twenty = "a".repeat(20);
        check("", "");
        check("aba", "aba");
        check(&twenty, &twenty);
        check(&format!("{twenty}ab"), &format!("{twenty}(+1)b"));
        check(
            &format!("{}b{}c", "a".repeat(10), "a".repeat(1000)),
            &format!("{}b{}(+990)c", "a".repeat(10), "a".repeat(10)),
        );
    }

    #[test]
    fn many_kinds_are_bounded_too() {
        let many: String = ('一'..).take(500).collect();
        let head = |number| many.chars().take(number).collect::<String>();
        check(&many, &format!("{}(any 300)", head(200)));
        let with_more = format!("{}{many}", "a".repeat(1000));
        let twenty = "a".repeat(20);
        check(&with_more, &format!("{twenty}(+980){}(any 320)", head(180)));
        check(&head(200), &head(200));
    }

    #[test]
    fn kinds_are_told_by_words_and_not_by_names() {
        let kind = |message: &str| kind_of(&Diagnostic::error(message));
        for (one, same) in [
            (
                "`a b` is taken by `x` and by `y`",
                "`c` is taken by `z` and by `w`",
            ),
            (
                "aws_x.a[\"k l\"] is in the state",
                "module.m.aws_y.b[2] is in the state",
            ),
            ("it has 12 instances", "it has 1 instances"),
            ("reads `a`, `b` and `c`", "reads `a` and `c`"),
        ] {
            assert_eq!(kind(one), kind(same), "{one}");
        }
        for (one, other) in [
            ("local `a` is not declared", "variable `a` is not declared"),
            ("`a` is taken", "`a` is not taken"),
        ] {
            assert_ne!(kind(one), kind(other), "{one}");
        }
        assert_ne!(kind("x"), kind_of(&Diagnostic::warning("x")));
    }
}
