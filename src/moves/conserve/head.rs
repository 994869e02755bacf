//! Everything of a state besides its resources.

use std::collections::{BTreeMap, HashSet};

use super::super::{At, Changes, OutputTransfer, StateInput};
use super::compare::{parts, same_tokens};
use super::dependencies::Judge;
use super::{ConservationError, Pair};
use crate::address::{ConfigResourceAddr, ModuleAddr};
use crate::json::escape_html;
use crate::state::{CheckResult, Serial, Snapshot, TopField};

/// Checks the top-level members of a state that is written.
pub(super) fn check(pair: &Pair<'_>, after: &Snapshot) -> Result<(), ConservationError> {
    let wrong = |member: &str| ConservationError::Head {
        state: pair.id.clone(),
        member: member.to_owned(),
    };
    let before = match pair.input {
        StateInput::Existing(before) => before,
        StateInput::New(new) => {
            for (member, holds) in [
                ("lineage", *after.lineage() == new.lineage),
                ("serial", after.serial() == Serial::FIRST),
                (
                    "terraform_version",
                    after.terraform_version() == new.terraform_version,
                ),
                ("check_results", after.check_results().len() == 0),
                (
                    "check_results",
                    after.field(TopField::CheckResults).is_some() == new.check_results,
                ),
                ("unknown fields", after.unknown_fields().len() == 0),
            ] {
                if !holds {
                    return Err(wrong(member));
                }
            }
            return Ok(());
        }
    };
    if before.serial().next() != Some(after.serial()) {
        return Err(wrong("serial"));
    }
    if before.lineage() != after.lineage() {
        return Err(wrong("lineage"));
    }
    // Every other member keeps its place and its bytes. One that was missing may have been added.
    let changing = ["serial", "outputs", "resources", "check_results"];
    let (old, new) = (before.text(), after.text());
    let mut news = parts(new).into_iter().peekable();
    for part in parts(old) {
        while let Some(added) = news.next_if(|found| found.name != part.name) {
            if !changing.contains(&added.name.as_str()) {
                return Err(wrong(&added.name));
            }
        }
        let Some(found) = news.next() else {
            return Err(wrong(&part.name));
        };
        if !changing.contains(&part.name.as_str()) && old[part.value] != new[found.value] {
            return Err(wrong(&part.name));
        }
    }
    match news.find(|added| !changing.contains(&added.name.as_str())) {
        Some(added) => Err(wrong(&added.name)),
        None => Ok(()),
    }
}

/// Where an output must come from.
enum Origin<'a> {
    /// It stays as it is.
    Same(&'a str),
    /// It is the output of another name or state.
    Moved(&'a str),
    /// It has been given a value.
    Set(&'a str, &'a str, bool),
}

/// Checks that a state has exactly the outputs it must.
pub(super) fn check_outputs(
    pairs: &[Pair<'_>],
    state: usize,
    after: Option<&Snapshot>,
    changes: &Changes,
) -> Result<(), ConservationError> {
    let pair = &pairs[state];
    let mut wanted: BTreeMap<&str, Origin<'_>> = BTreeMap::new();
    for output in pair
        .before()
        .into_iter()
        .flat_map(crate::state::Snapshot::outputs)
    {
        wanted.insert(output.name(), Origin::Same(output.text()));
    }
    for movement in &changes.outputs {
        if movement.from.state == *pair.id && movement.transfer == OutputTransfer::Move {
            wanted.remove(movement.from.addr.as_str());
        }
    }
    for movement in changes
        .outputs
        .iter()
        .filter(|movement| movement.to.state == *pair.id)
    {
        let from = pairs
            .iter()
            .find(|other| *other.id == movement.from.state)
            .and_then(Pair::before);
        if let Some(output) = from.and_then(|from| from.output(&movement.from.addr)) {
            wanted.insert(&movement.to.addr, Origin::Moved(output.text()));
        }
    }
    for value in changes
        .set_outputs
        .iter()
        .filter(|value| value.at.state == *pair.id)
    {
        let origin = Origin::Set(&value.value_json, &value.type_json, value.sensitive);
        wanted.insert(&value.at.addr, origin);
    }
    let wrong = |name: &str| ConservationError::Output {
        at: At::new(pair.id.clone(), name.to_owned()),
    };
    for output in after.into_iter().flat_map(crate::state::Snapshot::outputs) {
        let fits = match wanted.remove(output.name()) {
            None => false,
            Some(Origin::Same(text)) => text == output.text(),
            Some(Origin::Moved(text)) => same_tokens(text, output.text()),
            Some(Origin::Set(value, type_, sensitive)) => {
                // A value that was there already stays as it was spelled.
                let same = |found: Option<&str>, wanted: &str| {
                    found.is_some_and(|found| same_tokens(&escape_html(found), &escape_html(wanted)))
                };
                same(output.value(), value)
                    && same(output.value_type(), type_)
                    && output.sensitive() == sensitive
            }
        };
        if !fits {
            return Err(wrong(output.name()));
        }
    }
    match wanted.into_keys().next() {
        None => Ok(()),
        Some(missing) => Err(wrong(missing)),
    }
}

/// Checks that no check result was lost or altered but those of what moved away.
pub(super) fn check_results(
    pair: &Pair<'_>,
    after: &Snapshot,
    judge: &Judge<'_>,
    state: usize,
) -> Result<(), ConservationError> {
    let Some(before) = pair.before() else {
        return Ok(());
    };
    let wrong = |check: CheckResult<'_>| ConservationError::CheckResults {
        state: pair.id.clone(),
        config_addr: check.config_addr().to_owned(),
    };
    let mut left = after.check_results().peekable();
    let mut moved: Option<(HashSet<ConfigResourceAddr>, HashSet<ModuleAddr>)> = None;
    for old in before.check_results() {
        if left.next_if(|new| new.text() == old.text()).is_some() {
            continue;
        }
        let (resources, modules) = moved.get_or_insert_with(|| moved_names(judge, state));
        let may_change = match old.kind() {
            "resource" => old
                .config_addr()
                .parse()
                .is_ok_and(|addr| resources.contains(&addr)),
            _ => modules.iter().any(|module| {
                let prefix = format!("{module}.");
                old.config_addr().starts_with(&prefix)
            }),
        };
        if !may_change {
            return Err(wrong(old));
        }
        // Reduced to the objects that are left, or gone.
        if let Some(new) =
            left.next_if(|new| (new.kind(), new.config_addr()) == (old.kind(), old.config_addr()))
        {
            let old_objects: Vec<_> = old.objects().map(|(range, _)| &before.text()[range]).collect();
            if !new
                .objects()
                .all(|(range, _)| old_objects.contains(&&after.text()[range]))
            {
                return Err(wrong(old));
            }
        }
    }
    match left.next() {
        None => Ok(()),
        Some(extra) => Err(wrong(extra)),
    }
}

fn moved_names(judge: &Judge<'_>, state: usize) -> (HashSet<ConfigResourceAddr>, HashSet<ModuleAddr>) {
    let (mut resources, mut modules) = (HashSet::new(), HashSet::new());
    for addr in judge.movers(state) {
        let addr = addr.to_addr();
        let path = &addr.module.0;
        modules.extend((1..=path.len()).map(|depth| ModuleAddr(path[..depth].to_vec())));
        resources.insert(addr);
    }
    (resources, modules)
}
