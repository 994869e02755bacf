//! The graph of `testdata/acme` against the `dependencies` that Terraform computed when it applied the same code.

use std::collections::BTreeSet;
use std::path::Path;

use stackcut::config::{Configuration, LoadOptions};
use stackcut::graph::{Graph, Node};
use stackcut::state::Snapshot;
use stackcut::workdir::WorkDir;

#[test]
fn the_closures_of_acme_are_the_dependencies_in_its_state() {
    assert_eq!(differences("acme"), Vec::<String>::new());
}

/// Returns one line for each entry of `dependencies` that only one side has.
fn differences(name: &str) -> Vec<String> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata").join(name);
    let configuration = Configuration::load(&WorkDir::new(&dir), &LoadOptions::default()).unwrap();
    let graph = Graph::build(&configuration);
    let snapshot = Snapshot::read(std::fs::read(dir.join("terraform.tfstate")).unwrap())
        .unwrap()
        .unwrap();
    let mut found = BTreeSet::new();
    for instance in snapshot.instances() {
        let addr = instance.addr().resource.config();
        // The state of a data source has no list.
        if addr.is_data() {
            continue;
        }
        let ours: BTreeSet<String> = graph
            .closure(&Node::Resource(addr.clone()))
            .iter()
            .map(ToString::to_string)
            .collect();
        let theirs: BTreeSet<String> = instance.dependencies().map(ToString::to_string).collect();
        found.extend(ours.difference(&theirs).map(|to| format!("only we: {addr} -> {to}")));
        found.extend(
            theirs
                .difference(&ours)
                .map(|to| format!("only Terraform: {addr} -> {to}")),
        );
    }
    found.into_iter().collect()
}
