//! The graph joined with a state: which instances each resource has, and orphans both ways.

use std::collections::{BTreeMap, BTreeSet};

use super::{Edge, Graph, Hop, Node};
use crate::address::{ConfigResourceAddr, ModuleAddr, ResourceInstanceAddr, ResourceMode};
use crate::state::Snapshot;

/// A resource that only one side knows.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Orphan {
    /// In the code, with no instance in the state: never applied, or `count = 0`.
    DeclaredNotDeployed(ConfigResourceAddr),
    /// In the state, with no block in the code: the next apply destroys it.
    DeployedNotDeclared(ConfigResourceAddr),
}

/// Code and state, joined by address.
#[derive(Clone, Debug, Default)]
pub struct Joined {
    /// The graph of the code, plus what only the state knows about.
    pub graph: Graph,
    /// The instances of each resource, in order; a resource without instances has an empty list.
    pub instances: BTreeMap<ConfigResourceAddr, Vec<ResourceInstanceAddr>>,
    /// Managed resources that only one side knows, and data sources that only the state knows.
    pub orphans: Vec<Orphan>,
}

impl Joined {
    /// Joins a graph with the state of its root module as far as code and state meet: what only the state knows is left
    /// out, but for what is inside `opaque` modules. Enough to cut by, and quick on a state of any size.
    pub fn declared(graph: Graph, snapshot: Option<&Snapshot>, opaque: &BTreeSet<ModuleAddr>) -> Self {
        Self::join(graph, snapshot, opaque, false)
    }

    /// Joins a graph with the state of its root module.
    ///
    /// `opaque` are modules whose code could not be read (not installed): what the state has inside them is not an
    /// orphan, and its edges come from the state's `dependencies`.
    pub fn new(graph: Graph, snapshot: Option<&Snapshot>, opaque: &BTreeSet<ModuleAddr>) -> Self {
        Self::join(graph, snapshot, opaque, true)
    }

    fn join(
        mut graph: Graph,
        snapshot: Option<&Snapshot>,
        opaque: &BTreeSet<ModuleAddr>,
        with_orphans: bool,
    ) -> Self {
        let declared: BTreeSet<ConfigResourceAddr> = graph.resources().into_iter().cloned().collect();
        let mut instances: BTreeMap<ConfigResourceAddr, Vec<ResourceInstanceAddr>> =
            declared.iter().map(|addr| (addr.clone(), Vec::new())).collect();
        let mut only_in_state: BTreeMap<ConfigResourceAddr, BTreeSet<ConfigResourceAddr>> = BTreeMap::new();
        let nothing_meets = declared.is_empty() && opaque.is_empty() && !with_orphans;
        if let Some(snapshot) = snapshot.filter(|_| !nothing_meets) {
            for resource in snapshot.resources() {
                let config = resource.addr().config();
                let is_orphan =
                    !declared.contains(&config) && !opaque.iter().any(|module| config.is_within(module));
                if is_orphan && !with_orphans {
                    continue;
                }
                let known = instances.entry(config.clone()).or_default();
                for instance in resource.instances() {
                    let addr = resource.addr().instance(instance.key().cloned());
                    // Deposed objects follow their current object: one instance, several objects.
                    if known.last() != Some(&addr) {
                        known.push(addr);
                    }
                    if !declared.contains(&config) {
                        let edges = only_in_state.entry(config.clone()).or_default();
                        edges.extend(instance.dependencies().cloned());
                    }
                }
            }
        }
        for list in instances.values_mut() {
            list.sort();
            list.dedup();
        }
        for (addr, dependencies) in &only_in_state {
            let from = graph.node(Node::Resource(addr.clone()));
            for dependency in dependencies {
                // The state does not say why; a value is the careful guess.
                let to = graph.node(Node::Resource(dependency.clone()));
                graph.depend(from, to, Edge::implied(Hop::Away));
            }
        }
        graph.fill_opaque(&only_in_state, opaque);
        let orphans = orphans(&declared, &instances, opaque);
        Self {
            graph,
            instances,
            orphans,
        }
    }
}

impl Graph {
    /// Lets the whole of each unreadable module stand for the resources that the state has inside it.
    fn fill_opaque(
        &mut self,
        only_in_state: &BTreeMap<ConfigResourceAddr, BTreeSet<ConfigResourceAddr>>,
        opaque: &BTreeSet<ModuleAddr>,
    ) {
        for module in opaque {
            let whole = self.node(Node::Whole(module.clone()));
            for addr in only_in_state.keys().filter(|addr| addr.is_within(module)) {
                let inside = self.node(Node::Resource(addr.clone()));
                self.depend(whole, inside, Edge::implied(Hop::Away));
            }
        }
    }
}

fn orphans(
    declared: &BTreeSet<ConfigResourceAddr>,
    instances: &BTreeMap<ConfigResourceAddr, Vec<ResourceInstanceAddr>>,
    opaque: &BTreeSet<ModuleAddr>,
) -> Vec<Orphan> {
    let in_opaque =
        |addr: &ConfigResourceAddr| opaque.iter().any(|module| addr.module.0.starts_with(&module.0));
    let mut orphans = Vec::new();
    for (addr, found) in instances {
        let is_declared = declared.contains(addr);
        if is_declared && found.is_empty() && addr.mode == ResourceMode::Managed {
            orphans.push(Orphan::DeclaredNotDeployed(addr.clone()));
        }
        if !is_declared && !found.is_empty() && !in_opaque(addr) {
            orphans.push(Orphan::DeployedNotDeclared(addr.clone()));
        }
    }
    orphans
}
