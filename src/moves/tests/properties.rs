//! Arbitrary states and arbitrary moves: whatever is accepted is conserved, and what is undone is as it was.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
use crate::json::{Node, Value, parse};
use crate::state::TopField;
use crate::state::testing::Random;

const STATES: [&str; 3] = ["A", "B", "new"];

/// Two existing states and a new one, of the given size and layouts.
fn states(random: &mut Random, size: usize, layouts: [Layout; 2]) -> Run {
    let before = STATES.iter().zip(layouts).map(|(name, layout)| {
        let text = random.model(size, layout).render();
        (id(name), read(&text))
    });
    Run {
        before: before.collect(),
    }
}

fn instances(run: &Run) -> Vec<At<ResourceInstanceAddr>> {
    let mut found = BTreeSet::new();
    for (state, snapshot) in &run.before {
        found.extend(
            snapshot
                .instances()
                .map(|instance| At::new(state.clone(), instance.addr())),
        );
    }
    found.into_iter().collect()
}

/// Moves a part of all instances and husks somewhere.
fn changes(random: &mut Random, run: &Run, fresh_names: bool) -> Changes {
    let mut changes = Changes::default();
    let all = instances(run);
    let mut fresh = 0;
    for from in &all {
        if !random.once_in(2) {
            continue;
        }
        let state = id(random.pick::<&str>(&STATES));
        let mut addr = from.addr.clone();
        if random.once_in(2) {
            addr.resource.module = random.module();
        }
        if fresh_names {
            fresh += 1;
            addr.resource.name = format!("fresh_{fresh}");
        } else if random.once_in(3) {
            addr.resource.name = random.resource().name;
        }
        if random.once_in(2) {
            addr.key = random.key();
        }
        changes.instances.push(InstanceMove {
            from: from.clone(),
            to: At::new(state, addr),
            provider: ProviderChoice::Auto,
        });
    }
    // Two places that change their owners.
    if let [first, second, ..] = &mut changes.instances[..] {
        let alike = first.from.addr.resource.type_name == second.from.addr.resource.type_name
            && first.from.addr.resource.mode == second.from.addr.resource.mode;
        if alike && !fresh_names && random.once_in(2) {
            first.to = second.from.clone();
            second.to = first.from.clone();
        }
    }
    for (state, snapshot) in &run.before {
        for husk in snapshot.resources().filter(|resource| resource.is_husk()) {
            if random.once_in(2) {
                let mut addr = husk.addr().clone();
                addr.name = format!("husk_{}", changes.husks.len());
                changes.husks.push(HuskMove {
                    from: At::new(state.clone(), husk.addr().clone()),
                    to: At::new(id(random.pick::<&str>(&STATES)), addr),
                    provider: ProviderChoice::Keep,
                });
            }
        }
        for output in snapshot.outputs() {
            if random.once_in(3) {
                let transfer = if random.once_in(2) {
                    OutputTransfer::Copy
                } else {
                    OutputTransfer::Move
                };
                changes.outputs.push(OutputMove {
                    from: At::new(state.clone(), output.name().to_owned()),
                    to: At::new(id("new"), format!("{}_{}", output.name(), changes.outputs.len())),
                    transfer,
                });
            }
        }
    }
    changes
}

/// Keeps only the moves that can be made: takes out those that are refused, one after the other.
fn possible(run: &Run, mut changes: Changes) -> Changes {
    loop {
        let to = match apply(&run.states(), &changes) {
            Ok(_) => return changes,
            Err(MoveError::InstanceExists { to, .. }) => At::new(to.state, to.addr.resource),
            Err(MoveError::ProviderDiffers { to, .. } | MoveError::ProviderForms { to }) => to,
            Err(MoveError::UnknownField { to, .. }) => to,
            Err(MoveError::SamePlace { from }) => {
                changes.instances.retain(|movement| movement.from != movement.to);
                changes.husks.retain(|movement| movement.from != movement.to);
                let _ = from;
                continue;
            }
            Err(error) => panic!("{error}"),
        };
        let before = changes.instances.len();
        changes
            .instances
            .retain(|movement| movement.to.state != to.state || movement.to.addr.resource != to.addr);
        assert!(changes.instances.len() < before, "{to}");
    }
}

/// What a state holds: for each object its kind and members, without those that a move changes.
fn content(text: &str) -> Vec<String> {
    let state = parse(text).unwrap();
    let mut found = Vec::new();
    for resource in state.get("resources").unwrap().elements().unwrap() {
        let kind = [resource.get("mode"), resource.get("type")].map(|node| plain(node.unwrap()));
        for instance in resource.get("instances").unwrap().elements().unwrap() {
            let members = instance.members().unwrap().iter();
            let kept =
                members.filter(|member| !["index_key", "dependencies", "provider"].contains(&&*member.key));
            let kept: Vec<_> = kept
                .map(|member| format!("{}={}", member.key, plain(&member.value)))
                .collect();
            found.push(format!("{kind:?} {kept:?}"));
        }
    }
    found
}

/// Prints a value without its place.
fn plain(node: &Node) -> String {
    match &node.value {
        Value::Array(elements) => format!("{:?}", elements.iter().map(plain).collect::<Vec<_>>()),
        Value::Object(members) => {
            let members = members
                .iter()
                .map(|member| format!("{}={}", member.key, plain(&member.value)));
            format!("{:?}", members.collect::<Vec<_>>())
        }
        other => format!("{other:?}"),
    }
}

/// The texts of all states after a run.
fn texts(run: &Run, conserved: &Conserved) -> BTreeMap<StateId, String> {
    let mut texts: BTreeMap<_, _> = run
        .before
        .iter()
        .map(|(name, snapshot)| (name.clone(), snapshot.text().to_owned()))
        .collect();
    for (name, outcome) in &conserved.states {
        if let Some(snapshot) = outcome.written() {
            texts.insert(name.clone(), snapshot.text().to_owned());
        }
    }
    texts
}

/// Tells whether a state's dependencies, as configuration addresses, have a cycle or a dependency on oneself.
fn has_cycle(snapshot: &Snapshot) -> bool {
    let mut edges: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    for instance in snapshot.instances() {
        edges
            .entry(instance.resource().addr().config())
            .or_default()
            .extend(instance.dependencies().cloned());
    }
    loop {
        let done: Vec<_> = edges
            .iter()
            .filter(|(_, to)| to.iter().all(|to| !edges.contains_key(to)))
            .map(|(from, _)| from.clone())
            .collect();
        if done.is_empty() {
            return !edges.is_empty();
        }
        for from in done {
            edges.remove(&from);
        }
    }
}

fn layout() -> impl Strategy<Value = Layout> {
    prop_oneof![
        Just(Layout::Indented),
        Just(Layout::Compact),
        Just(Layout::Foreign)
    ]
}

proptest! {
    #[test]
    fn what_the_model_prints_is_read_as_it_is(seed in any::<u64>(), size in 0..12_usize, layout in layout()) {
        let model = Random::new(seed).model(size, layout);
        let text = model.render();
        let snapshot = read(&text);
        prop_assert_eq!(snapshot.text(), &text);
        let empty = text.contains("\"outputs\": {}") || layout == Layout::Compact;
        prop_assert!(snapshot.layout() == layout || !empty || layout == Layout::Foreign);
        prop_assert_eq!(snapshot.resources().len(), model.resources.len());
        for (resource, wanted) in snapshot.resources().zip(&model.resources) {
            prop_assert_eq!(resource.addr(), &wanted.addr);
            prop_assert_eq!(snapshot.resource(&wanted.addr).unwrap().index(), resource.index());
            for (instance, wanted) in resource.instances().zip(&wanted.instances) {
                prop_assert_eq!(instance.key(), wanted.key.as_ref());
                prop_assert_eq!(instance.deposed(), wanted.deposed.as_deref());
                prop_assert_eq!(instance.tainted(), wanted.tainted);
                let dependencies: Vec<_> = instance.dependencies().map(ToString::to_string).collect();
                prop_assert_eq!(&dependencies, &wanted.dependencies);
                prop_assert_eq!(snapshot.object(instance.index()).span(), instance.span());
            }
        }
    }

    #[test]
    fn whatever_is_moved_is_conserved(
        seed in any::<u64>(), size in 0..12_usize, first in layout(), second in layout(),
    ) {
        let mut random = Random::new(seed);
        let run = states(&mut random, size, [first, second]);
        let changes = changes(&mut random, &run, false);
        let changes = possible(&run, changes);
        let conserved = run.change(&changes).unwrap();
        let objects = run.before.iter().map(|(_, snapshot)| snapshot.object_count()).sum::<usize>();
        prop_assert_eq!(conserved.report.objects, objects);
        let collect = |texts: Vec<&str>| {
            let mut all: Vec<_> = texts.into_iter().flat_map(content).collect();
            all.sort();
            all
        };
        let after = texts(&run, &conserved);
        let before = run.before.iter().map(|(_, snapshot)| snapshot.text()).collect();
        prop_assert_eq!(collect(before), collect(after.values().map(String::as_str).collect()));
        for text in after.values() {
            prop_assert!(!has_cycle(&read(text)));
        }
    }

    #[test]
    fn what_is_undone_is_as_it_was(seed in any::<u64>(), size in 0..12_usize, compact in any::<bool>()) {
        let layout = if compact { Layout::Compact } else { Layout::Indented };
        let mut random = Random::new(seed);
        let run = states(&mut random, size, [layout; 2]);
        let mut there = changes(&mut random, &run, true);
        there.outputs.clear();
        let there = possible(&run, there);
        let conserved = run.change(&there).unwrap();
        let provider = |at: &At<ResourceInstanceAddr>| {
            let snapshot = &run.before.iter().find(|(name, _)| *name == at.state).unwrap().1;
            let provider = snapshot.resource(&at.addr.resource).unwrap().provider().cloned();
            provider.map_or(ProviderChoice::Keep, |provider| ProviderChoice::At(Box::new(provider)))
        };
        let back = Changes {
            instances: there.instances.iter().map(|movement| InstanceMove {
                from: movement.to.clone(),
                to: movement.from.clone(),
                provider: provider(&movement.from),
            }).collect(),
            husks: there.husks.iter().map(|movement| HuskMove {
                from: movement.to.clone(),
                to: movement.from.clone(),
                provider: ProviderChoice::Keep,
            }).collect(),
            ..Changes::default()
        };
        let after = texts(&run, &conserved);
        let away = Run { before: after.iter().map(|(name, text)| (name.clone(), read(text))).collect() };
        let returned = away.change(&back).unwrap();
        let after = texts(&away, &returned);
        let uncut = conserved.cut.is_empty() && conserved.dropped.is_empty();
        for (name, snapshot) in &run.before {
            let restored = read(&after[name]);
            let resources = |snapshot: &Snapshot| {
                snapshot.text()[snapshot.field(TopField::Resources).unwrap().value].to_owned()
            };
            if uncut {
                prop_assert_eq!(resources(snapshot), resources(&restored));
            } else {
                prop_assert_eq!(content(snapshot.text()), content(restored.text()));
            }
        }
    }
}

/// The properties above say nothing if hardly a move is possible.
#[test]
fn most_arbitrary_moves_are_possible() {
    let (mut asked, mut made, mut joined, mut cut) = (0, 0, 0, 0);
    for seed in 0..200 {
        let mut random = Random::new(seed);
        let run = states(&mut random, 12, [Layout::Indented, Layout::Compact]);
        let wanted = changes(&mut random, &run, false);
        asked += wanted.instances.len();
        let possible = possible(&run, wanted);
        made += possible.instances.len();
        let conserved = run.change(&possible).unwrap();
        cut += conserved.cut.len();
        joined += possible
            .instances
            .iter()
            .filter(|movement| {
                let target = run.before.iter().find(|(name, _)| *name == movement.to.state);
                target.is_some_and(|(_, target)| target.resource(&movement.to.addr.resource).is_some())
            })
            .count();
    }
    assert!(asked > 1000 && made * 10 > asked * 7, "{made} of {asked}");
    assert!(joined > 100, "{joined} joined");
    assert!(cut > 50, "{cut} cut");
}
