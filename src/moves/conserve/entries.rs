//! Resource entries and their objects, one state at a time.

use super::super::ProviderChoice;
use super::compare::{first_difference, same_but_for, same_tokens};
use super::dependencies::Judge;
use super::expect::{Expectations, Expected, ExpectedEntry, lost_error};
use super::{ConservationError, ConservationReport, Pair};
use crate::address::ProviderConfigAddr;
use crate::state::{Instance, Resource, Snapshot, compare_instances};

/// Checks that a state holds exactly the entries and objects it must, unaltered.
pub(super) fn check(
    pairs: &[Pair<'_>],
    state: usize,
    after: &Snapshot,
    expectations: &Expectations<'_>,
    judge: &Judge<'_>,
    report: &mut ConservationReport,
) -> Result<(), ConservationError> {
    let pair = &pairs[state];
    for resource in after.resources() {
        let Some(expected) = expectations.at(state, resource.addr()) else {
            return Err(match resource.instances().next() {
                Some(instance) => ConservationError::Appeared {
                    at: pair.at(instance.addr()),
                },
                None => ConservationError::Husk {
                    at: pair.at(resource.addr().clone()),
                    expected: false,
                },
            });
        };
        check_header(pair, resource, &expected)?;
        let mut wanted = expected.objects.iter();
        let in_order = resource.object_count() == expected.objects.len();
        for instance in resource.instances() {
            let found = wanted.next().filter(|wanted| in_order && is_at(wanted, instance));
            let found = match found {
                Some(found) => found,
                None => find(&expected, instance).ok_or_else(|| ConservationError::Appeared {
                    at: pair.at(instance.addr()),
                })?,
            };
            check_object(pairs, state, found, instance, report)?;
            report.dependencies_rewritten += judge.check(pair, state, found, instance)?;
        }
        // No two objects of a state have one identity, so equal numbers of objects are the same objects.
        if !in_order {
            let is_there = |wanted: &&Expected<'_>| {
                resource
                    .objects(wanted.key)
                    .iter()
                    .any(|instance| is_at(wanted, *instance))
            };
            let lost = expected.objects.iter().find(|wanted| !is_there(wanted));
            let lost = lost.expect("fewer objects than expected, and none that is not");
            return Err(lost_error(pairs, state, resource.addr(), lost));
        }
        report.entries += 1;
    }
    if after.resources().len() != expectations.count(state) {
        let missing = expectations.missing(state, pairs, |addr| after.resource(addr).is_some());
        return Err(missing.expect("fewer entries than expected, and none that is not"));
    }
    Ok(())
}

fn is_at(expected: &Expected<'_>, instance: Instance<'_>) -> bool {
    expected.key == instance.key() && expected.instance.deposed() == instance.deposed()
}

fn find<'e, 'a>(expected: &ExpectedEntry<'e, 'a>, instance: Instance<'_>) -> Option<&'e Expected<'a>> {
    let wanted = (instance.key(), instance.deposed());
    let found = expected
        .objects
        .binary_search_by(|object| compare_instances((object.key, object.instance.deposed()), wanted));
    found.ok().map(|at| &expected.objects[at])
}

fn check_object(
    pairs: &[Pair<'_>],
    state: usize,
    expected: &Expected<'_>,
    after: Instance<'_>,
    report: &mut ConservationReport,
) -> Result<(), ConservationError> {
    let before = expected.instance;
    let altered = |member: &str| ConservationError::Altered {
        at: pairs[state].at(after.addr()),
        member: member.to_owned(),
    };
    report.objects += 1;
    let (old, new) = (before.text(), after.text());
    if expected.movement.is_some() {
        report.objects_moved += 1;
    } else {
        report.objects_identical += usize::from(old == new);
    }
    if before.provider().provider != after.provider().provider {
        return Err(altered("provider"));
    }
    if old == new {
        return Ok(());
    }
    let member = |instance: Instance<'_>| {
        let (field, start) = (instance.dependencies_field()?, instance.span().start);
        Some(field.start - start..field.value.end - start)
    };
    if same_but_for((old, member(before)), (new, member(after))) {
        return Ok(());
    }
    if expected.movement.is_none() {
        return Err(altered(
            &first_difference(old, new, &["dependencies"]).unwrap_or_default(),
        ));
    }
    let except = ["index_key", "dependencies", "provider"];
    if let Some(member) = first_difference(old, new, &except) {
        return Err(altered(&member));
    }
    let choice = expected.movement.map(|movement| &movement.provider);
    let asked = match choice {
        Some(ProviderChoice::At(asked)) if asked.key.is_some() => Some(&**asked),
        _ => None,
    };
    match (before.own_provider(), after.own_provider()) {
        (old, new) if old == new => Ok(()),
        (Some(_), Some(new)) if Some(new) == asked => Ok(()),
        _ => Err(altered("provider")),
    }
}

/// Checks what stands around the objects of an entry.
fn check_header(
    pair: &Pair<'_>,
    after: Resource<'_>,
    expected: &ExpectedEntry<'_, '_>,
) -> Result<(), ConservationError> {
    let altered = |member: String| ConservationError::Entry {
        at: pair.at(after.addr().clone()),
        member,
    };
    if after.is_husk() && expected.husk.is_none() && expected.objects.is_empty() {
        return Err(ConservationError::Husk {
            at: pair.at(after.addr().clone()),
            expected: false,
        });
    }
    if let Some(before) = expected.stays {
        if before.text() == after.text() || around(before) == around(after) {
            return check_fields_survive(after, expected, altered);
        }
        let member = first_difference(&header(before), &header(after), &["instances"]);
        // A hand-made husk may lack its `instances`.
        return match member {
            None if before.instances_field().is_none() => Ok(()),
            member => Err(altered(member.unwrap_or_default())),
        };
    }
    let except = ["module", "name", "provider", "instances"];
    let mut sources = expected.objects.iter().map(|object| object.instance.resource());
    let husk = expected.husk.map(|(resource, _)| resource);
    let is_source = |source: Resource<'_>| {
        source.addr().mode == after.addr().mode
            && source.addr().type_name == after.addr().type_name
            && (around(source) == around(after)
                || first_difference(&header(source), &header(after), &except).is_none())
    };
    if !sources.any(is_source) && !husk.is_some_and(is_source) {
        return Err(altered("unknown fields".to_owned()));
    }
    check_provider(pair, after, expected)?;
    check_fields_survive(after, expected, altered)
}

/// Returns the text of an entry without its list of instances.
fn around(resource: Resource<'_>) -> Option<(&str, &str)> {
    let list = resource.instances_field()?.value;
    let span = resource.span();
    let text = resource.snapshot().text();
    Some((&text[span.start..list.start], &text[list.end..span.end]))
}

/// Returns an entry as JSON without its instances.
fn header(resource: Resource<'_>) -> String {
    match around(resource) {
        Some((before, after)) => format!("{before}null{after}"),
        None => resource.text().to_owned(),
    }
}

/// A new entry has the provider of one of its objects: as it was, as asked for, or the root module's default.
fn check_provider(
    pair: &Pair<'_>,
    after: Resource<'_>,
    expected: &ExpectedEntry<'_, '_>,
) -> Result<(), ConservationError> {
    let Some(provider) = after.provider() else {
        return Ok(()); // Every object then has its own, and that was compared.
    };
    let fits = |old: &ProviderConfigAddr, choice: Option<&ProviderChoice>, same_state: bool| match choice {
        Some(ProviderChoice::At(asked)) => **asked == *provider && asked.provider == old.provider,
        Some(ProviderChoice::Auto) if !same_state && !old.module.0.is_empty() => {
            *provider == ProviderConfigAddr::root_default(old.provider.clone())
        }
        _ => provider == old,
    };
    let object_fits = expected.objects.iter().any(|object| {
        let same_state = object
            .movement
            .is_none_or(|movement| movement.from.state == movement.to.state);
        fits(
            object.instance.provider(),
            object.movement.map(|movement| &movement.provider),
            same_state,
        )
    });
    let husk_fits = expected.husk.is_some_and(|(resource, movement)| {
        let same_state = movement.is_none_or(|movement| movement.from.state == movement.to.state);
        let choice = movement.map(|movement| &movement.provider);
        resource
            .provider()
            .is_some_and(|old| fits(old, choice, same_state))
    });
    if object_fits || husk_fits {
        return Ok(());
    }
    Err(ConservationError::Entry {
        at: pair.at(after.addr().clone()),
        member: "provider".to_owned(),
    })
}

/// Fields that nobody knows survive the joining of entries; `each` is known to be ignored.
fn check_fields_survive(
    after: Resource<'_>,
    expected: &ExpectedEntry<'_, '_>,
    altered: impl Fn(String) -> ConservationError,
) -> Result<(), ConservationError> {
    let known = ["module", "mode", "type", "name", "provider", "instances", "each"];
    let moved = expected.objects.iter().filter(|object| object.movement.is_some());
    let mut last = None;
    let mut kept = None;
    for object in moved {
        let source = object.instance.resource();
        let identity = (object.from, source.index());
        if last == Some(identity) {
            continue;
        }
        last = Some(identity);
        let unknown = source.unknown_fields();
        for (name, field) in unknown.iter().filter(|(name, _)| !known.contains(&name.as_str())) {
            let kept = kept.get_or_insert_with(|| after.unknown_fields());
            let value = &source.snapshot().text()[field.value.clone()];
            let survives = kept.iter().any(|(other, field)| {
                other == name && same_tokens(value, &after.snapshot().text()[field.value.clone()])
            });
            if !survives {
                return Err(altered(name.clone()));
            }
        }
    }
    Ok(())
}
