//! States that are shared behind the contracts' back, and contracts that tell more than is asked.

use super::reads::{Source, Way, same};
use super::shape::Step;
use super::told::{Half, Told};
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
                if !leaf.is_whole {
                    continue;
                }
                let message = format!("the contract of `{}` tells all of an object", told.producer);
                let diagnostic = written
                    .at(leaf, Diagnostic::warning(message))
                    .note(format!(
                        "it is `{}` there, with every attribute that it has or gets",
                        shown(half, &steps)
                    ))
                    .hint("tell the attributes that are read: what is told is relied on");
                found.add(told.stack, Rule::WholeObject, diagnostic);
            }
        }
    }
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
