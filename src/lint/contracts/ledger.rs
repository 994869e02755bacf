//! Code compared with the ledger: what it promises is told, what is told and read is in it.

use std::collections::BTreeMap;

use super::article;
use crate::contract::ledger::{Contract, Crossing, LedgerFault};
use crate::contract::{Ledger, document_limit};
use crate::diagnostic::Diagnostic;
use crate::lint::reads::Source;
use crate::lint::shape::{At, Leaf, Shape, Step, kind_named};
use crate::lint::sharing::shown;
use crate::lint::told::{Half, Told, Written};
use crate::lint::{Found, Read, Rule};
use crate::plan::contract::{ContractStore, SsmTier};

pub(super) fn contract_of<'l>(ledger: &'l Ledger, producer: &str) -> Option<&'l Contract> {
    let mut contracts = ledger.contracts.iter();
    contracts.find(|contract| contract.producer.as_str() == producer)
}

fn steps_of(pointer: &str) -> Vec<String> {
    let steps = pointer.split('/').skip(1);
    steps
        .map(|step| step.replace("~1", "/").replace("~0", "~"))
        .collect()
}

/// Returns the steps of a value of the ledger in a half; none where it is in the other one.
fn steps_in(pointer: &str, half: Half) -> Option<Vec<String>> {
    let steps = steps_of(pointer);
    let (first, rest) = steps.split_first()?;
    (first == half.name()).then(|| rest.to_vec())
}

/// Returns what the ledger promises of a half.
pub(super) fn promised(contract: &Contract, half: Half) -> Shape {
    let mut shape = Shape::Object(BTreeMap::new());
    for value in &contract.values {
        if let Some(steps) = steps_in(&value.pointer, half) {
            let leaf = Leaf {
                kind: kind_named(&value.kind),
                ..Leaf::default()
            };
            shape.insert(&steps, leaf);
        }
    }
    shape
}

/// Tells whether a value of the ledger and a way into a document meet: one leads to the other or into it.
fn meets(listed: &[String], steps: &[Step]) -> bool {
    listed.iter().zip(steps).all(|(listed, step)| match step {
        Step::Name(name) => listed == "*" || listed == name,
        Step::Index | Step::Any | Step::Every | Step::Splat => true,
    })
}

/// Tells whether the ledger lists a value, or something that it is a part of.
pub(in crate::lint) fn is_listed(ledger: &Ledger, producer: &str, half: Half, steps: &[Step]) -> bool {
    let Some(contract) = contract_of(ledger, producer) else {
        return false;
    };
    let listed = contract
        .values
        .iter()
        .filter_map(|value| steps_in(&value.pointer, half));
    listed.into_iter().any(|listed| meets(&listed, steps))
}

/// Compares code with the ledger.
pub(super) fn check(
    ledger: &Ledger,
    shown_ledger: &str,
    stacks: &[Read<'_>],
    told: &[Told<'_>],
    sources: &[Source<'_>],
    found: &mut Found,
) {
    for fault in ledger.faults() {
        let rule = match fault {
            LedgerFault::SameName { .. } => Rule::ContractName,
            _ => Rule::StackCycle,
        };
        found.about_all(
            rule,
            Diagnostic::error(fault.to_string()).note(format!("in {shown_ledger}")),
        );
    }
    for contract in &ledger.contracts {
        let producer = contract.producer.as_str();
        let tells = told.iter().find(|told| told.producer == producer);
        match tells {
            Some(told) => {
                promises(contract, told, found);
                size(contract, told, found);
            }
            None if contract.store != ContractStore::Variables.as_str()
                && stacks.iter().any(|read| read.name == producer)
                && contract.values.iter().any(|value| !value.consumers.is_empty()) =>
            {
                let message =
                    format!("`{producer}` tells no contract any more, and the ledger lists readers");
                let diagnostic = Diagnostic::error(message).note(format!("in {shown_ledger}"));
                found.add(
                    producer,
                    Rule::ContractDropped,
                    diagnostic.hint("write it again, or emit the stacks anew"),
                );
            }
            None => {}
        }
        readers(contract, stacks, sources, found);
    }
    unlisted(ledger, told, sources, found);
}

/// What the ledger promises readers must be told, in its type.
fn promises(contract: &Contract, told: &Told<'_>, found: &mut Found) {
    for value in contract.values.iter().filter(|value| !value.consumers.is_empty()) {
        let Some((half, steps)) = Half::ALL
            .into_iter()
            .find_map(|half| Some((half, steps_in(&value.pointer, half)?)))
        else {
            continue;
        };
        let steps: Vec<Step> = steps
            .into_iter()
            .map(|step| if step == "*" { Step::Any } else { Step::Name(step) })
            .collect();
        let readers: Vec<String> = value.consumers.iter().map(|name| format!("`{name}`")).collect();
        let readers = readers.join(", ");
        let written = told.half(half);
        let empty = Shape::Object(BTreeMap::new());
        let shape = written.map_or(&empty, |written| &written.shape);
        let dropped = || {
            let message = format!("`{}` no longer tells `{}`", told.producer, value.pointer);
            Diagnostic::error(message)
                .at(&told.place.0.source, told.place.1.clone())
                .note(format!("{readers} would fail"))
                .hint("tell it again; or let its readers go without it first, then emit anew")
        };
        match shape.at(&steps) {
            At::Nothing(_) | At::Scalar(_) => found.add(told.stack, Rule::ContractDropped, dropped()),
            At::Here(shape) => {
                let kinds = (kind_named(&value.kind), shape.kind());
                if let (Some(was), Some(is)) = kinds
                    && was != is
                    && was != "null"
                {
                    let message = format!(
                        "`{}` of `{}` was {} and is {}",
                        value.pointer,
                        told.producer,
                        article(was),
                        article(is)
                    );
                    let diagnostic = Diagnostic::error(message).note(format!("{readers} would fail"));
                    let diagnostic = match (shape, written) {
                        (Shape::Leaf(leaf), Some(written)) => written.at(leaf, diagnostic),
                        _ => diagnostic.at(&told.place.0.source, told.place.1.clone()),
                    };
                    let hint = "tell it in another type under another name";
                    found.add(told.stack, Rule::ContractRetyped, diagnostic.hint(hint));
                }
            }
            At::Unknown => {}
        }
    }
}

/// Documents must fit into their parameters.
fn size(contract: &Contract, told: &Told<'_>, found: &mut Found) {
    let limit = document_limit(told.store, told.tier);
    if let (Some(size), Some(limit)) = (contract.size, limit)
        && size > limit
    {
        let message = format!(
            "the contract of `{}` has {size} bytes, and its parameter holds {limit}",
            told.producer
        );
        let hint = match told.tier {
            SsmTier::Standard => "say `tier = \"Advanced\"` (8192 bytes), or keep it in S3",
            SsmTier::Advanced => "keep it in S3",
        };
        let diagnostic = Diagnostic::error(message).at(&told.place.0.source, told.place.1.clone());
        found.add(told.stack, Rule::ContractSize, diagnostic.hint(hint));
    }
}

/// Readers that the ledger lists must read.
fn readers(contract: &Contract, stacks: &[Read<'_>], sources: &[Source<'_>], found: &mut Found) {
    let producer = contract.producer.as_str();
    for read in stacks {
        let mut taken: Vec<(Half, Vec<Step>)> = Vec::new();
        let mut takes_all = false;
        for source in sources.iter().filter(|source| source.stack == read.name) {
            for place in &source.uses {
                match source.reading(place) {
                    Some(reading) if reading.producer == producer => {
                        taken.push((reading.half, reading.steps));
                    }
                    Some(_) => {}
                    None => takes_all |= source.producer().is_none_or(|name| name == producer),
                }
            }
        }
        for value in &contract.values {
            let is_reader = value.consumers.iter().any(|name| name.as_str() == read.name);
            let is_read = || {
                taken.iter().any(|(half, steps)| {
                    steps_in(&value.pointer, *half).is_some_and(|listed| meets(&listed, steps))
                })
            };
            if is_reader && !takes_all && !is_read() {
                let message = format!(
                    "the ledger says that `{}` reads `{}` of `{producer}`, and it does not",
                    read.name, value.pointer
                );
                let hint = "emit anew; what nobody reads need not be told";
                found.add(
                    &read.name,
                    Rule::ContractUnused,
                    Diagnostic::warning(message).hint(hint),
                );
            }
        }
    }
}

/// What is told or read must be listed.
fn unlisted(ledger: &Ledger, told: &[Told<'_>], sources: &[Source<'_>], found: &mut Found) {
    let hint = "emit anew, so that the ledger and the schemas say what is relied on";
    for told in told {
        let Some(public) = told.half(Half::Public) else {
            continue;
        };
        for (steps, leaf) in public.shape.leaves() {
            if is_listed(ledger, &told.producer, Half::Public, &steps) {
                continue;
            }
            let message = format!(
                "the contract of `{}` tells `{}`, which is not in the ledger",
                told.producer,
                shown(Half::Public, &steps)
            );
            let diagnostic = Written::at(public, leaf, Diagnostic::warning(message));
            found.add(told.stack, Rule::ContractUnlisted, diagnostic.hint(hint));
        }
    }
    for source in sources {
        for place in &source.uses {
            let Some(reading) = source.reading(place).filter(|reading| !reading.steps.is_empty()) else {
                continue;
            };
            let Some(contract) = contract_of(ledger, &reading.producer) else {
                continue;
            };
            let is_met = |value: &&Crossing| {
                steps_in(&value.pointer, reading.half).is_some_and(|listed| meets(&listed, &reading.steps))
            };
            let mut listed = contract.values.iter().filter(is_met).peekable();
            // What is not listed at all is said where it is told.
            let is_reader = listed.peek().is_none()
                || listed.any(|value| value.consumers.iter().any(|name| name.as_str() == source.stack));
            if !is_reader {
                let message = format!(
                    "`{}` reads `{}` of `{}`, and the ledger does not know that",
                    source.stack,
                    shown(reading.half, &reading.steps),
                    reading.producer
                );
                let diagnostic = Diagnostic::warning(message).at(&place.file.source, place.span.clone());
                found.add(source.stack, Rule::ContractUnlisted, diagnostic.hint(hint));
            }
        }
    }
}
