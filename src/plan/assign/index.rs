//! Finds the patterns that may match an instance without trying them all.
//!
//! The literal beginning of a pattern (module steps, type, name) is hashed; an instance looks up the hashes of its own
//! beginnings and tries only the patterns found there. Patterns that begin with a wildcard are tried for every
//! instance, but for a cheap look at the literal head of their first wild segment. The index only narrows down:
//! [`Pattern`] has the last word, so a colliding hash costs time and nothing else.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use crate::address::pattern::Pattern;
use crate::address::{InstanceKey, ModuleStep, ResourceInstanceAddr};

/// Module steps beyond this depth are not looked up; patterns are cut there as well.
const DEPTH: usize = 4;

/// The patterns on one giver.
pub(super) struct Index<'a> {
    buckets: HashMap<u64, Vec<Entry<'a>>>,
    /// Claims that match everything.
    always: Vec<usize>,
}

struct Entry<'a> {
    claim: usize,
    pattern: &'a Pattern,
    head: Head,
}

/// What must be true of an instance before the pattern is tried.
#[derive(Debug, PartialEq, Eq)]
enum Head {
    Any,
    /// The type starts with this.
    Type(String),
    /// The name starts with this.
    Name(String),
}

/// The literal beginning of a pattern.
#[derive(Debug, PartialEq, Eq)]
struct Prefix {
    hash: u64,
    head: Head,
}

impl<'a> Index<'a> {
    /// Builds the index from claims: their number, and the pattern with its text. No pattern matches everything.
    pub(super) fn new(claims: impl Iterator<Item = (usize, Option<(&'a Pattern, &'a str)>)>) -> Self {
        let mut index = Self {
            buckets: HashMap::new(),
            always: Vec::new(),
        };
        for (claim, pattern) in claims {
            let Some((pattern, text)) = pattern else {
                index.always.push(claim);
                continue;
            };
            let Prefix { hash, head } = prefix(text);
            index
                .buckets
                .entry(hash)
                .or_default()
                .push(Entry { claim, pattern, head });
        }
        index
    }

    /// Adds the claims that match the instance to `hits`, each once.
    pub(super) fn matches(&self, instance: &ResourceInstanceAddr, hits: &mut Vec<usize>) {
        hits.extend(&self.always);
        let steps = &instance.resource.module.0;
        let mut level = vec![ROOT];
        self.probe(ROOT, instance, hits);
        for step in steps.iter().take(DEPTH) {
            let mut next = Vec::with_capacity(level.len() * 2);
            for &hash in &level {
                next.push(step_hash(hash, &step.name, None));
                if let Some(key) = &step.key {
                    next.push(step_hash(hash, &step.name, Some(key)));
                }
            }
            for &hash in &next {
                self.probe(hash, instance, hits);
            }
            level = next;
        }
        if steps.len() <= DEPTH {
            for hash in level {
                let hash = word_hash(hash, &instance.resource.type_name);
                self.probe(hash, instance, hits);
                self.probe(word_hash(hash, &instance.resource.name), instance, hits);
            }
        }
    }

    fn probe(&self, hash: u64, instance: &ResourceInstanceAddr, hits: &mut Vec<usize>) {
        let Some(entries) = self.buckets.get(&hash) else {
            return;
        };
        for entry in entries {
            let worth_it = match &entry.head {
                Head::Any => true,
                Head::Type(head) => instance.resource.type_name.starts_with(head.as_str()),
                Head::Name(head) => instance.resource.name.starts_with(head.as_str()),
            };
            if worth_it && entry.pattern.matches(instance) {
                hits.push(entry.claim);
            }
        }
    }
}

const ROOT: u64 = 0;

fn step_hash(before: u64, name: &str, key: Option<&InstanceKey>) -> u64 {
    let mut hasher = DefaultHasher::new();
    (before, "module", name, key).hash(&mut hasher);
    hasher.finish()
}

fn word_hash(before: u64, word: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    (before, word).hash(&mut hasher);
    hasher.finish()
}

/// Reads the literal beginning of a pattern; stops at anything that is not plain.
fn prefix(text: &str) -> Prefix {
    let mut hash = ROOT;
    let mut rest = text;
    let mut depth = 0;
    while let Some((step, after)) = module_step(rest) {
        if depth == DEPTH {
            return Prefix {
                hash,
                head: Head::Any,
            };
        }
        hash = step_hash(hash, &step.name, step.key.as_ref());
        depth += 1;
        rest = match after.strip_prefix('.') {
            Some(after) => after,
            None => {
                return Prefix {
                    hash,
                    head: Head::Any,
                };
            }
        };
    }
    // The mode is left to the pattern itself.
    for mode in ["data.", "resource."] {
        rest = rest.strip_prefix(mode).unwrap_or(rest);
    }
    resource_prefix(hash, rest)
}

/// Goes on with `TYPE.NAME` after the module steps.
fn resource_prefix(hash: u64, rest: &str) -> Prefix {
    let wild = |after: &str| after.starts_with('*') && !after.starts_with("**");
    let (word, after) = literal(rest);
    let Some(after_type) = after.strip_prefix('.') else {
        // A wild segment; it may still turn out to be `module` or `data`.
        let known = ["module", "data", "resource"];
        let head = if wild(after) && !known.iter().any(|known| known.starts_with(word)) {
            Head::Type(word.to_owned())
        } else {
            Head::Any
        };
        return Prefix { hash, head };
    };
    if word.is_empty() || word == "module" {
        return Prefix {
            hash,
            head: Head::Any,
        };
    }
    let hash = word_hash(hash, word);
    let (name, after) = literal(after_type);
    if !name.is_empty() && (after.is_empty() || after.starts_with('[')) {
        let hash = word_hash(hash, name);
        return Prefix {
            hash,
            head: Head::Any,
        };
    }
    let head = if wild(after) {
        Head::Name(name.to_owned())
    } else {
        Head::Any
    };
    Prefix { hash, head }
}

/// Reads `module.NAME` with a plain key or none; gives nothing where any of it is wild or unusual.
fn module_step(text: &str) -> Option<(ModuleStep, &str)> {
    let (name, rest) = literal(text.strip_prefix("module.")?);
    if name.is_empty() {
        return None;
    }
    let step = |key| ModuleStep {
        name: name.to_owned(),
        key,
    };
    if rest.is_empty() || rest.starts_with('.') {
        return Some((step(None), rest));
    }
    let (key, rest) = rest.strip_prefix('[')?.split_once(']')?;
    let plain = |c: char| c.is_alphanumeric() || "_-./: ".contains(c);
    let key = match key.strip_prefix('"') {
        // Escapes and wildcards are left to the pattern: the step then counts as any key.
        Some(quoted) => match quoted.strip_suffix('"') {
            Some(word) if word.chars().all(plain) => Some(InstanceKey::Str(word.to_owned())),
            _ => return None,
        },
        None => Some(InstanceKey::Int(key.parse().ok()?)),
    };
    (rest.is_empty() || rest.starts_with('.')).then(|| (step(key), rest))
}

/// Splits off the characters that cannot be part of a wildcard.
fn literal(text: &str) -> (&str, &str) {
    let end = text
        .find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '-'))
        .unwrap_or(text.len());
    text.split_at(end)
}
