//! States that are shared behind the contracts' back, and contracts that tell more than is asked.

use std::collections::BTreeSet;

use super::reads::{Source, Way, same};
use super::shape::{Leaf, Step};
use super::told::{Half, Told, Written};
use super::{Found, Rule};
use crate::contract::Ledger;
use crate::diagnostic::Diagnostic;
use crate::plan::contract::ContractStore;

/// Finds remote states that are no contracts, and contracts that tell whole objects.
pub(super) fn check(told: &[Told<'_>], sources: &[Source<'_>], ledger: Option<&Ledger>, found: &mut Found) {
    for source in sources {
        remote_state(source, told, ledger, found);
    }
    for told in told {
        for half in Half::ALL {
            let Some(written) = told.half(half) else { continue };
            for (steps, leaf) in written.shape.leaves() {
                if leaf.is_whole {
                    whole(told, half, written, (&steps, leaf), sources, found);
                }
            }
        }
    }
}

/// A whole object is told by mistake, unless a reader takes it as a whole.
fn whole(
    told: &Told<'_>,
    half: Half,
    written: &Written<'_>,
    (steps, leaf): (&[Step], &Leaf),
    sources: &[Source<'_>],
    found: &mut Found,
) {
    let readings = sources
        .iter()
        .flat_map(|source| source.uses.iter().filter_map(|place| source.reading(place)))
        .filter(|reading| reading.producer == told.producer && reading.half == half);
    let mut taken = BTreeSet::new();
    for reading in readings.filter(|reading| !reading.is_handed_on && meets(steps, &reading.steps)) {
        let inner = reading.steps.get(steps.len()..).unwrap_or_default().iter();
        let mut names = inner.filter_map(|step| match step {
            Step::Name(name) => Some(name),
            _ => None,
        });
        let is_key =
            written.is_repeated(leaf) && matches!(reading.steps.get(steps.len()), Some(Step::Name(_)));
        match names.nth(usize::from(is_key)) {
            Some(name) => taken.insert(name.clone()),
            None => return,
        };
    }
    let message = format!("the contract of `{}` tells all of an object", told.producer);
    let diagnostic = written.at(leaf, Diagnostic::warning(message)).note(format!(
        "it is `{}` there, with every attribute that it has or gets",
        shown(half, steps)
    ));
    let diagnostic = match taken.is_empty() {
        true => diagnostic.hint("tell the attributes that are read: what is told is relied on"),
        false => {
            let names: Vec<String> = taken.iter().map(|name| format!("`{name}`")).collect();
            let note = format!("readers take {} of it", names.join(", "));
            diagnostic.note(note).hint(
                "tell these alone; where the object goes to a module or through a local, name them in the monolith before the cut",
            )
        }
    };
    found.add(told.stack, Rule::WholeObject, diagnostic);
}

/// Tells whether a way into a document leads to what is told at other steps, or into it.
fn meets(told: &[Step], read: &[Step]) -> bool {
    told.iter().zip(read).all(|(told, read)| match (told, read) {
        (Step::Name(told), Step::Name(read)) => told == read,
        _ => true,
    })
}

/// Shows where in a contract something is, as a JSON pointer.
pub(super) fn shown(half: Half, steps: &[Step]) -> String {
    let mut text = format!("/{}", half.name());
    for step in steps {
        text.push('/');
        match step {
            Step::Name(name) => text.push_str(&name.replace('~', "~0").replace('/', "~1")),
            Step::Index | Step::Any | Step::Every | Step::Splat => text.push('*'),
        }
    }
    text
}

/// A remote state is a contract where its producer tells by outputs, and nothing else of it is read.
fn remote_state(source: &Source<'_>, told: &[Told<'_>], ledger: Option<&Ledger>, found: &mut Found) {
    let Way::RemoteState(producer, _) = &source.way else {
        return;
    };
    let in_code = told
        .iter()
        .any(|told| told.producer == *producer && told.store == ContractStore::RemoteState);
    let in_ledger = ledger.is_some_and(|ledger| {
        ledger.contracts.iter().any(|contract| {
            same(contract.producer.as_str(), producer)
                && contract.store == ContractStore::RemoteState.as_str()
        })
    });
    let hint = "read its contract instead: what is in a state is nobody else's business";
    if !in_code && !in_ledger {
        let message = format!("`{}` reads the state of another stack", source.stack);
        let diagnostic = Diagnostic::error(message).at(&source.file.source, source.span.clone());
        found.add(source.stack, Rule::RemoteState, diagnostic.hint(hint));
        return;
    }
    for place in source
        .uses
        .iter()
        .filter(|place| source.is_beside_the_contract(place))
    {
        let message = format!(
            "`{}` reads more of the state of `{producer}` than its contract",
            source.stack
        );
        let diagnostic = Diagnostic::error(message).at(&place.file.source, place.span.clone());
        found.add(source.stack, Rule::RemoteState, diagnostic.hint(hint));
    }
}
