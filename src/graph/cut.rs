//! What an assignment of resources to stacks cuts: the edges that cross, the order of the stacks, and the cycles.

use std::collections::{BTreeMap, BTreeSet};

use petgraph::algo::tarjan_scc;
use petgraph::graph::DiGraph;

use super::{EdgeKind, Joined, ResourceEdge};
use crate::address::{ConfigResourceAddr, ResourceInstanceAddr, ResourceMode};
use crate::stack::StateId;

/// A dependency between resources of different stacks.
#[derive(Clone, Debug)]
pub struct CutEdge {
    /// The stack whose resource depends: the consumer.
    pub from: StateId,
    /// The stack whose resource is depended on: the producer.
    pub to: StateId,
    /// The dependency itself. Data sources in between are in `edge.via`: a consumer gets its own copy of them.
    pub edge: ResourceEdge,
}

/// The stacks and what crosses between them.
#[derive(Clone, Debug, Default)]
pub struct StackGraph {
    /// Every crossing dependency, by consumer, then producer, then address.
    pub cut: Vec<CutEdge>,
    /// The same for resources without code, as far as the state's `dependencies` tell.
    pub from_state: Vec<StateCut>,
    /// For each stack the stacks it depends on, by value or by order.
    pub depends_on: BTreeMap<StateId, BTreeSet<StateId>>,
    /// Stacks in an order in which every stack comes after those it depends on; stacks of a cycle stand together.
    pub order: Vec<StateId>,
    /// Groups of stacks that depend on each other by value; ordering edges do not count, since a cut drops them.
    pub cycles: Vec<StackCycle>,
}

/// Dependencies of resources without code on resources of another stack. The state does not say why they are there, nor
/// which instances are meant; they are never counted as a cycle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateCut {
    /// The consumer.
    pub from: StateId,
    /// The producer.
    pub to: StateId,
    /// How many resources are depended on.
    pub resources: usize,
    /// One of them, under its old address.
    pub example: ConfigResourceAddr,
    /// How many entries of `dependencies` name them.
    pub entries: usize,
}

/// Stacks that depend on each other.
#[derive(Clone, Debug)]
pub struct StackCycle {
    /// The stacks, in order.
    pub stacks: Vec<StateId>,
    /// The references that form the cycle: every value edge between two of its stacks.
    pub edges: Vec<CutEdge>,
}

impl StackGraph {
    /// Cuts the graphs of all sources by `owner`, which names the state that an instance is assigned to (none: it is
    /// in no state, or it is a data source that everyone may read again).
    ///
    /// A data source that nobody owns is transparent: whoever reads it gets a copy, and depends on what it reads.
    pub fn cut(
        sources: &[(&StateId, &Joined)],
        owner: &dyn Fn(&StateId, &ResourceInstanceAddr) -> Option<StateId>,
        from_state: Vec<StateCut>,
    ) -> Self {
        let mut cut = Crossings::new();
        let mut stacks = BTreeSet::new();
        for (source, joined) in sources {
            cut_one(joined, &|instance| owner(source, instance), &mut cut, &mut stacks);
        }
        let cut: Vec<CutEdge> = cut
            .into_iter()
            .map(|((from, to, _, _), edge)| CutEdge { from, to, edge })
            .collect();
        let mut depends_on: BTreeMap<StateId, BTreeSet<StateId>> = stacks
            .iter()
            .map(|stack: &StateId| (stack.clone(), BTreeSet::new()))
            .collect();
        for edge in &cut {
            depends_on
                .entry(edge.from.clone())
                .or_default()
                .insert(edge.to.clone());
        }
        for found in &from_state {
            depends_on
                .entry(found.from.clone())
                .or_default()
                .insert(found.to.clone());
            stacks.extend([found.from.clone(), found.to.clone()]);
        }
        let order = components(&stacks, &cut, EdgeKind::Ordering)
            .into_iter()
            .flatten()
            .collect();
        let cycles = components_with_cycles(&stacks, &cut);
        Self {
            cut,
            from_state,
            depends_on,
            order,
            cycles,
        }
    }
}

/// The dependency that stands for each crossing: consumer, producer, resource, resource it depends on.
type Crossings = BTreeMap<(StateId, StateId, ConfigResourceAddr, ConfigResourceAddr), ResourceEdge>;

fn cut_one(
    joined: &Joined,
    owner: &dyn Fn(&ResourceInstanceAddr) -> Option<StateId>,
    cut: &mut Crossings,
    stacks: &mut BTreeSet<StateId>,
) {
    let owned: BTreeMap<&ConfigResourceAddr, Vec<(&ResourceInstanceAddr, StateId)>> = joined
        .instances
        .iter()
        .map(|(addr, list)| {
            (
                addr,
                list.iter()
                    .filter_map(|i| owner(i).map(|stack| (i, stack)))
                    .collect(),
            )
        })
        .collect();
    let passes = |addr: &ConfigResourceAddr| {
        addr.mode == ResourceMode::Data && owned.get(addr).is_none_or(Vec::is_empty)
    };
    for (instance, from) in owned.values().flatten() {
        stacks.insert(from.clone());
        for found in joined.graph.direct_of_instance(instance, &passes) {
            let targets = owned.get(&found.to.resource).map_or(&[][..], Vec::as_slice);
            for (_, to) in targets
                .iter()
                .filter(|(target, to)| to != from && found.to.contains(target))
            {
                let edge = &found.edge;
                let key = (from.clone(), to.clone(), edge.from.clone(), edge.to.clone());
                let known = cut.entry(key).or_insert_with(|| edge.clone());
                if edge.kind < known.kind {
                    *known = edge.clone();
                }
            }
        }
    }
}

/// Strongly connected groups, dependencies first, deterministic; edges up to `kind` count.
fn components(stacks: &BTreeSet<StateId>, cut: &[CutEdge], kind: EdgeKind) -> Vec<Vec<StateId>> {
    let mut graph = DiGraph::<&StateId, ()>::new();
    let index: BTreeMap<&StateId, _> = stacks
        .iter()
        .map(|stack| (stack, graph.add_node(stack)))
        .collect();
    let edges: BTreeSet<(&StateId, &StateId)> = cut
        .iter()
        .filter(|edge| edge.edge.kind <= kind)
        .map(|edge| (&edge.from, &edge.to))
        .collect();
    for (from, to) in edges {
        if let (Some(&from), Some(&to)) = (index.get(from), index.get(to)) {
            graph.update_edge(from, to, ());
        }
    }
    tarjan_scc(&graph)
        .into_iter()
        .map(|group| {
            let mut group: Vec<StateId> = group.into_iter().map(|at| graph[at].clone()).collect();
            group.sort();
            group
        })
        .collect()
}

fn components_with_cycles(stacks: &BTreeSet<StateId>, cut: &[CutEdge]) -> Vec<StackCycle> {
    let mut cycles: Vec<StackCycle> = components(stacks, cut, EdgeKind::Value)
        .into_iter()
        .filter(|group| group.len() > 1)
        .map(|stacks| {
            let within = |edge: &&CutEdge| {
                edge.edge.kind == EdgeKind::Value && stacks.contains(&edge.from) && stacks.contains(&edge.to)
            };
            let edges = cut.iter().filter(within).cloned().collect();
            StackCycle { stacks, edges }
        })
        .collect();
    cycles.sort_by(|a, b| a.stacks.cmp(&b.stacks));
    cycles
}
