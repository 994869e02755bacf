//! Compares what came of the same moves.

use std::collections::BTreeSet;

use stackcut::address::{InstanceKey, ResourceAddr};
use stackcut::moves::Changes;
use stackcut::state::{Instance, Resource, Snapshot};

use super::bench::{Bench, in_one_pass};
use super::reasons::{Difference, Reason, ours};

/// Makes one move in both ways and tells how they differ.
pub(super) fn judge(
    bench: &Bench,
    states: &[&Snapshot],
    pair: &(String, String),
) -> (Result<(), Reason>, BTreeSet<Difference>) {
    let pairs = std::slice::from_ref(pair);
    let they = bench.state_mv(states[0], states.get(1).copied(), pairs);
    let we = in_one_pass(states, pairs);
    let differs = |difference| BTreeSet::from([difference]);
    match (they, we) {
        (Ok(_), Ok((_, changes))) if changes.instances.len() > 1 && is_single_too(states[0], &pair.0) => {
            (Ok(()), differs(Difference::MixedKeys))
        }
        (Ok(they), Ok((we, changes))) => {
            let results = states.iter().zip(they.iter().zip(&we));
            let found = results.map(|(before, results)| compare(states, before, results, 1, &changes));
            (Ok(()), found.flatten().collect())
        }
        (Err(they), Err(error)) => {
            let found = match (they, ours(&error)) {
                (they, we) if they == we => BTreeSet::new(),
                (
                    Reason::InstanceExists | Reason::ResourceExists | Reason::ModuleExists,
                    Reason::SamePlace,
                ) => differs(Difference::SamePlace),
                _ if is_single_too(states[0], &pair.0) => differs(Difference::MixedKeys),
                // Two things are wrong, and each side says one.
                (Reason::WholeResource, Reason::Kind | Reason::Type | Reason::Mode)
                | (Reason::Type, Reason::Mode) => BTreeSet::new(),
                (they, we) => panic!("{pair:?}: Terraform says {they:?}, we say {we:?}: {error}"),
            };
            (Err(they), found)
        }
        (Ok(_), Err(error)) => match ours(&error) {
            Reason::Provider => (Ok(()), differs(Difference::Provider)),
            _ if is_single_too(states[0], &pair.0) => (Ok(()), differs(Difference::MixedKeys)),
            _ => panic!("{pair:?}: Terraform allows it, we say: {error}"),
        },
        (Err(they), Ok(_)) => panic!("{pair:?}: we allow it, Terraform says {they:?}"),
    }
}

/// Tells whether a resource has an instance without key beside others.
pub(super) fn is_single_too(snapshot: &Snapshot, addr: &str) -> bool {
    let Ok(addr) = addr.parse::<ResourceAddr>() else {
        return false;
    };
    let keys = snapshot.resource(&addr).into_iter().flat_map(Resource::instances);
    let keys: BTreeSet<bool> = keys.map(|instance| instance.key().is_some()).collect();
    keys.len() == 2
}

/// Compares two results of the same moves; `moves` is how often Terraform wrote, each time with a new serial.
pub(super) fn compare(
    states: &[&Snapshot],
    before: &Snapshot,
    (theirs, ours): (&Snapshot, &Snapshot),
    moves: u64,
    changes: &Changes,
) -> BTreeSet<Difference> {
    assert_eq!(ours.lineage(), theirs.lineage());
    assert_eq!(ours.terraform_version(), theirs.terraform_version());
    assert_eq!(ours.serial().0, before.serial().0 + 1);
    assert_eq!(theirs.serial().0, before.serial().0 + moves);
    let entries = |snapshot: &Snapshot| -> Vec<String> {
        let entry = |resource: Resource<'_>| {
            // What stops over in a resource on its way takes that resource's provider along with `state mv`, and in one
            // pass it never is there; so providers are compared move by move.
            let provider = resource.provider().filter(|_| moves == 1);
            format!("{} {:?}", resource.addr(), provider.map(ToString::to_string))
        };
        snapshot.resources().map(entry).collect()
    };
    assert_eq!(entries(ours), entries(theirs));
    let place = |instance: &Instance<'_>| format!("{} {:?}", instance.addr(), instance.deposed());
    let places = |instances: &[Instance<'_>]| -> Vec<String> { instances.iter().map(place).collect() };
    let (our_objects, their_objects) = (objects(ours, before), objects(theirs, before));
    assert_eq!(places(&our_objects), places(&their_objects));
    let mut found = BTreeSet::new();
    for (our_object, their_object) in our_objects.into_iter().zip(their_objects) {
        assert_eq!(but_dependencies(our_object), but_dependencies(their_object));
        let before = origin(states, our_object, changes);
        let list = |object: Instance<'_>| object.dependencies().map(ToString::to_string).collect::<Vec<_>>();
        let (we, they, was) = (list(our_object), list(their_object), list(before));
        assert!(
            they == was || they.is_empty(),
            "{}: {they:?} was {was:?}",
            our_object.addr()
        );
        if we != they {
            let dropped = they == was && we.iter().all(|entry| was.contains(entry));
            found.insert(match (they.is_empty(), dropped) {
                (true, _) => Difference::Cleared,
                (false, true) => Difference::Dangling,
                (false, false) => Difference::Stale,
            });
        }
    }
    // What surrounds the objects, byte for byte. Terraform has no order for keys of two kinds in one resource.
    let is_mixed = |resource: Resource<'_>| has_mixed_keys(resource);
    let are_mixed = ours.resources().chain(before.resources()).any(is_mixed);
    if found.is_empty() && moves == 1 && !are_mixed {
        assert_same(ours.text(), theirs.text());
    }
    found
}

/// Returns the objects in the order of the text, but where keys of two kinds meet, or met before: Terraform's order of
/// those is another one each time, and we add to the order that we find.
fn objects<'s>(snapshot: &'s Snapshot, before: &Snapshot) -> Vec<Instance<'s>> {
    let mut all = Vec::new();
    for resource in snapshot.resources() {
        let mut instances: Vec<_> = resource.instances().collect();
        let mixed_before = before.resource(resource.addr()).is_some_and(has_mixed_keys);
        if mixed_before || has_mixed_keys(resource) {
            instances.sort_by_key(|instance| (instance.key().cloned(), instance.deposed()));
        }
        all.extend(instances);
    }
    all
}

/// Finds what an object was before the moves.
pub(super) fn origin<'a>(states: &[&'a Snapshot], object: Instance<'_>, changes: &Changes) -> Instance<'a> {
    let addr = object.addr();
    let moved = changes.instances.iter().find(|moved| moved.to.addr == addr);
    // A name that both states have is found in the state that has this very object.
    let was = moved.map_or(&addr, |moved| &moved.from.addr);
    let same = |found: &Instance<'_>| {
        found.addr() == *was
            && found.deposed() == object.deposed()
            && found.attributes() == object.attributes()
    };
    let mut all = states.iter().flat_map(|snapshot| snapshot.instances());
    all.find(same).unwrap_or_else(|| panic!("{addr} was nowhere"))
}

pub(super) fn has_mixed_keys(resource: Resource<'_>) -> bool {
    let kinds = resource.instances().filter_map(Instance::key);
    let kinds: BTreeSet<bool> = kinds.map(|key| matches!(key, InstanceKey::Int(_))).collect();
    kinds.len() == 2
}

/// Compares texts line by line, so that a difference can be read.
pub(super) fn assert_same(left: &str, right: &str) {
    for (number, (left, right)) in left.lines().zip(right.lines()).enumerate() {
        assert_eq!(left, right, "line {}", number + 1);
    }
    assert!(left == right, "one text goes on");
}

/// The lines of an object without its `dependencies`, and without the commas that they change.
pub(super) fn but_dependencies(instance: Instance<'_>) -> String {
    let mut inside = false;
    let mut kept = String::new();
    for line in instance.text().lines().map(str::trim) {
        inside |= line.starts_with("\"dependencies\": [");
        if !inside {
            kept.push_str(line.trim_end_matches(','));
            kept.push('\n');
        }
        inside &= !line.starts_with(']');
    }
    kept
}
