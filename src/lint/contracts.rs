//! Contracts: what is read is told, in the type that was promised, and the ledger knows of it.

mod ledger;

use std::collections::{BTreeMap, BTreeSet};

pub(super) use ledger::is_listed;
use ledger::{contract_of, promised};

use super::reads::{Reading, Source, Use, Way};
use super::shape::{At, Shape, Step};
use super::sharing::shown;
use super::told::{Half, Told};
use super::{Found, Input, Read, Rule};
use crate::contract::Ledger;
use crate::contract::ledger::LedgerFault;
use crate::diagnostic::Diagnostic;
use crate::plan::suggest;

/// Checks the contracts of all stacks.
pub(super) fn check(
    input: &Input<'_>,
    stacks: &[Read<'_>],
    told: &[Told<'_>],
    sources: &[Source<'_>],
    found: &mut Found,
) {
    let ledger = input.ledger.as_ref().map(|(_, ledger)| ledger);
    for source in sources {
        if !sources.iter().any(|other| other.is_used_half_of(source)) {
            unused(source, found);
        }
    }
    readings(stacks.len(), told, sources, ledger, found);
    names(told, found);
    cycles(told, sources, found);
    if let (Some(ledger), Some((shown, _))) = (ledger, &input.ledger) {
        ledger::check(ledger, shown, stacks, told, sources, found);
    }
    if let (Some(older), Some(ledger)) = (&input.against, ledger) {
        for fault in older.broken_by(ledger) {
            let rule = match fault {
                LedgerFault::Retyped { .. } => Rule::ContractRetyped,
                _ => Rule::ContractDropped,
            };
            let hint = "tell both for a while, under two names, until nobody reads the old one";
            found.about_all(rule, Diagnostic::error(fault.to_string()).hint(hint));
        }
    }
}

/// What is read must be told, where it is looked for and in a form in which it can be read.
pub(super) fn readings(
    stacks: usize,
    told: &[Told<'_>],
    sources: &[Source<'_>],
    ledger: Option<&Ledger>,
    found: &mut Found,
) {
    let known = Known { told, ledger };
    for source in sources {
        elsewhere(source, told, found);
        for place in &source.uses {
            if let Some(reading) = source.reading(place) {
                known.reading(source, place, &reading, stacks, found);
            }
        }
    }
}

/// A contract must be looked for where it is told.
fn elsewhere(source: &Source<'_>, told: &[Told<'_>], found: &mut Found) {
    let producer = source
        .producer()
        .and_then(|name| told.iter().find(|told| told.producer == name));
    let Some(told) = producer else { return };
    let mut compare = |read: Option<&str>,
                       written: Option<&str>,
                       at_read: &str,
                       at_written: &str,
                       hint: &str| {
        let (Some(read), Some(written)) = (read, written) else {
            return;
        };
        if read != written {
            let message = format!(
                "`{}` looks for the contract of `{}` {at_read} `{read}`, and it is told {at_written} `{written}`",
                source.stack, told.producer
            );
            let diagnostic = Diagnostic::error(message).at(&source.file.source, source.span.clone());
            found.add(source.stack, Rule::ContractUnknown, diagnostic.hint(hint));
        }
    };
    let trimmed = |path: &'_ Option<String>| path.as_deref().map(|path| path.trim_matches('/').to_owned());
    let (read, written) = (trimmed(&source.path), trimmed(&told.path));
    let hint = "use one path in both";
    compare(read.as_deref(), written.as_deref(), "below", "below", hint);
    let (read, written) = (source.bucket.as_deref(), told.bucket.as_deref());
    compare(read, written, "in the bucket", "in", "use one bucket in both");
}

/// What is known of contracts.
struct Known<'k> {
    told: &'k [Told<'k>],
    ledger: Option<&'k Ledger>,
}

impl Known<'_> {
    /// Judges one place that reads.
    fn reading(
        &self,
        source: &Source<'_>,
        place: &Use<'_>,
        reading: &Reading,
        stacks: usize,
        found: &mut Found,
    ) {
        let pointer = shown(reading.half, &reading.steps);
        let at = |diagnostic: Diagnostic| diagnostic.at(&place.file.source, place.span.clone());
        let given = source.given.clone();
        let Some(shape) = given.or_else(|| self.shape(&reading.producer, reading.half)) else {
            // One stack alone says nothing of the others.
            let is_known = stacks > 1 || self.ledger.is_some();
            if is_known && !self.tells(&reading.producer) {
                let names = self.names();
                let message = format!("no stack here tells a contract named `{}`", reading.producer);
                let diagnostic = at(Diagnostic::error(message));
                let diagnostic = match names.is_empty() {
                    true => diagnostic.hint("check its stack too, or write its contract"),
                    false => diagnostic.hint(suggest::did_you_mean(&reading.producer, &names)),
                };
                found.add(source.stack, Rule::ContractUnknown, diagnostic);
            }
            return;
        };
        let retyped = |message: String, found: &mut Found| {
            let hint = "use it as what it is, or tell it in another type under another name";
            found.add(
                source.stack,
                Rule::ContractRetyped,
                at(Diagnostic::error(message)).hint(hint),
            );
        };
        match shape.at(&reading.steps) {
            At::Nothing(_) | At::Scalar(_) if place.is_guarded => {}
            // Another document has what is put together with this one.
            At::Nothing(_)
                if reading.member.is_some_and(|end| {
                    matches!(
                        shape.at(&reading.steps[..end.min(reading.steps.len())]),
                        At::Nothing(_)
                    )
                }) => {}
            At::Nothing(names) => {
                let message = format!("`{}` does not tell `{pointer}`", reading.producer);
                let last = reading.steps.iter().rev().find_map(|step| match step {
                    Step::Name(name) => Some(name.as_str()),
                    _ => None,
                });
                let names: Vec<&str> = names.iter().map(String::as_str).collect();
                let diagnostic = at(Diagnostic::error(message));
                let diagnostic = match (last, names.is_empty()) {
                    (Some(last), false) => diagnostic.hint(suggest::did_you_mean(last, &names)),
                    _ => diagnostic.hint("add it to the contract of its producer and apply that first"),
                };
                found.add(source.stack, Rule::ContractUnknown, diagnostic);
            }
            At::Scalar(kind) => {
                let message = format!("`{pointer}` goes into a {kind} of `{}`", reading.producer);
                retyped(message, found);
            }
            At::Here(shape) => {
                let wanted = match place.cast {
                    Some("tomap") => Some("object"),
                    Some(_) => Some("array"),
                    None => None,
                };
                if let (Some(wanted), Some(kind)) = (wanted, shape.kind())
                    && kind != wanted
                    && kind != "null"
                {
                    let message = format!(
                        "`{pointer}` of `{}` is used as {}, and is {}",
                        reading.producer,
                        article(wanted),
                        article(kind)
                    );
                    retyped(message, found);
                }
            }
            At::Unknown => {}
        }
    }

    /// Returns what a half is: by its producer's code, else by the ledger.
    fn shape(&self, producer: &str, half: Half) -> Option<Shape> {
        let mut told = self.told.iter();
        if let Some(told) = told.find(|told| told.producer == producer) {
            return told.half(half).map(|written| written.shape.clone());
        }
        self.ledger
            .and_then(|ledger| contract_of(ledger, producer))
            .map(|contract| promised(contract, half))
    }

    fn tells(&self, producer: &str) -> bool {
        self.names().contains(&producer)
    }

    fn names(&self) -> Vec<&str> {
        let by_code = self.told.iter().map(|told| told.producer.as_str());
        let by_ledger = self.ledger.iter().flat_map(|ledger| &ledger.contracts);
        let all: BTreeSet<&str> = by_code
            .chain(by_ledger.map(|contract| contract.producer.as_str()))
            .collect();
        all.into_iter().collect()
    }
}

fn article(kind: &str) -> String {
    match kind {
        "array" | "object" => format!("an {kind}"),
        _ => format!("a {kind}"),
    }
}

/// What is asked for must be used.
fn unused(source: &Source<'_>, found: &mut Found) {
    let hint = "take it out: whoever reads a contract waits for its producer";
    for (file, span, name) in &source.idle {
        // Guards of optional contracts are there for people.
        if name.ends_with("_installed") || !source.uses.is_empty() {
            continue;
        }
        let message = format!("`local.{name}` reads a contract, and nothing uses it");
        let diagnostic = Diagnostic::warning(message).at(&file.source, span.clone());
        found.add(source.stack, Rule::ContractUnused, diagnostic.hint(hint));
    }
    // A variable that nothing uses may be there for other reasons.
    if source.uses.is_empty() && source.idle.is_empty() && !matches!(source.way, Way::Variable(..)) {
        let message = format!("`{}` reads a contract, and uses nothing of it", source.stack);
        let diagnostic = Diagnostic::warning(message).at(&source.file.source, source.span.clone());
        found.add(source.stack, Rule::ContractUnused, diagnostic.hint(hint));
    }
}

/// Readers tell contracts apart by the last step of their paths.
fn names(told: &[Told<'_>], found: &mut Found) {
    let mut seen: BTreeMap<&str, &Told<'_>> = BTreeMap::new();
    for one in told {
        match seen.get(one.producer.as_str()) {
            Some(first) => {
                let message = format!(
                    "`{}` and `{}` both tell a contract named `{}`",
                    first.stack, one.stack, one.producer
                );
                let (file, line) = (
                    &first.place.0.source,
                    first.place.0.source.position(first.place.1.start).line,
                );
                let diagnostic = Diagnostic::error(message)
                    .at(&one.place.0.source, one.place.1.clone())
                    .note(format!("the first one is at {}:{line}", file.path))
                    .hint("name it after its stack: readers go by the name alone");
                found.add(one.stack, Rule::ContractName, diagnostic);
            }
            None => {
                seen.insert(&one.producer, one);
            }
        }
    }
}

/// Stacks that wait for each other can never be applied from nothing.
fn cycles(told: &[Told<'_>], sources: &[Source<'_>], found: &mut Found) {
    let stack_of = |producer: String| match told.iter().find(|told| told.producer == producer) {
        Some(told) => told.stack.to_owned(),
        None => producer,
    };
    let mut reads: BTreeMap<String, BTreeMap<String, &Source<'_>>> = BTreeMap::new();
    for source in sources {
        for reading in source.uses.iter().filter_map(|place| source.reading(place)) {
            let edges = reads.entry(source.stack.to_owned()).or_default();
            edges.entry(stack_of(reading.producer)).or_insert(source);
        }
    }
    let mut said = BTreeSet::new();
    for start in reads.keys() {
        let Some(way) = way_back(&reads, start) else {
            continue;
        };
        let members: BTreeSet<&String> = way.iter().collect();
        if !said.insert(members.into_iter().cloned().collect::<Vec<_>>()) {
            continue;
        }
        let names: Vec<String> = way.iter().map(|name| format!("`{name}`")).collect();
        let message = match &names[..] {
            [one] => format!("{one} reads its own contract"),
            _ => format!(
                "{} wait for each other: each reads the next one's contract",
                names.join(", ")
            ),
        };
        let source = reads[start][way.get(1).unwrap_or(start)];
        let diagnostic = Diagnostic::error(message)
            .at(&source.file.source, source.span.clone())
            .hint("move what both need into one of them, or into a stack below");
        found.add(start, Rule::StackCycle, diagnostic);
    }
}

/// Returns the shortest way from a stack to itself: the stacks on it, itself first.
fn way_back(reads: &BTreeMap<String, BTreeMap<String, &Source<'_>>>, start: &str) -> Option<Vec<String>> {
    let mut ways: Vec<Vec<String>> = vec![vec![start.to_owned()]];
    let mut seen = BTreeSet::new();
    while !ways.is_empty() {
        let mut next = Vec::new();
        for way in ways {
            for producer in reads.get(way.last()?).into_iter().flat_map(BTreeMap::keys) {
                if producer == start {
                    return Some(way);
                }
                if seen.insert(producer.clone()) {
                    let mut longer = way.clone();
                    longer.push(producer.clone());
                    next.push(longer);
                }
            }
        }
        ways = next;
    }
    None
}
