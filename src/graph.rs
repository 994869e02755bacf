//! The dependency graph of a root module and its modules, joined from code and from state.
//!
//! Nodes are what can depend on something: resources, data sources, locals, variables, outputs, provider
//! configurations, and module calls. An edge points from the one that depends to the one it depends on, and is either a
//! *value* edge (a reference whose value flows) or an *ordering* edge (`depends_on`).
//!
//! The closure over it, reduced to resources, is what Terraform stores as `dependencies` and what `terraform graph`
//! prints (facts of Terraform 1.x: resource level, no instance keys, data sources included, self excluded).

mod build;
mod cut;
mod instances;
mod join;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use petgraph::graph::{DiGraph, NodeIndex};
use petgraph::visit::EdgeRef as _;

use crate::address::{ConfigResourceAddr, InstanceKey, ModuleAddr, ProviderConfigAddr};
use crate::diagnostic::SourceFile;

pub use cut::{CutEdge, StackCycle, StackGraph, StateCut};
pub use instances::{InstanceEdge, InstanceSet, KeyMatch};
pub use join::{Joined, Orphan};

/// One thing that can depend on others.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Node {
    /// A resource or data block.
    Resource(ConfigResourceAddr),
    /// A named value of a module.
    Local(ModuleAddr, String),
    /// An input variable of a module.
    Variable(ModuleAddr, String),
    /// An output of a module.
    Output(ModuleAddr, String),
    /// A provider configuration block.
    Provider(ProviderConfigAddr),
    /// The `count`, `for_each` and `depends_on` of a module call: everything inside depends on it.
    Expansion(ModuleAddr),
    /// The whole of a module: all its outputs, inputs and resources (`depends_on = [module.m]`, `module.m` as a value).
    Whole(ModuleAddr),
    /// A `check` block.
    Check(ModuleAddr, String),
    /// An argument of a module call that refers to another module call, by the place of the reference.
    Argument(ModuleAddr, String),
    /// What has references and is in no state: ephemeral resources and actions, with their address.
    Other(ModuleAddr, String),
}

/// Whether a value flows along an edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EdgeKind {
    /// A reference: its value flows.
    Value,
    /// `depends_on`, or membership in a module whose call has one: only the order counts.
    Ordering,
}

/// Where in the text an edge comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Site {
    /// The file.
    pub file: Arc<SourceFile>,
    /// The bytes of the reference.
    pub span: Range<usize>,
}

/// Which instances a reference names: `x.y`, `x.y["a"]`, `x.y[each.key]`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum KeySelector {
    /// All of them, or an index that only evaluation can tell.
    #[default]
    All,
    /// The one with this key.
    Key(InstanceKey),
    /// The one with the key of the instance that refers.
    Own,
}

/// How an edge passes from one module to another.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Hop {
    /// Both ends are in the same module.
    #[default]
    Within,
    /// Into a called module, whose instances the reference names.
    Into(KeySelector),
    /// From a called module out to its caller.
    Out,
    /// To a place that has no instances (a provider configuration).
    Away,
}

/// One edge: its kind, what it says about instances, and where it stands in the text if it stands anywhere.
#[derive(Clone, Debug)]
pub struct Edge {
    /// Value or ordering.
    pub kind: EdgeKind,
    /// How it passes between modules.
    pub hop: Hop,
    /// Which instances of the resource it points to.
    pub key: KeySelector,
    /// The reference in the text.
    pub site: Option<Site>,
}

impl Edge {
    /// Returns an edge that stands nowhere in the text.
    fn implied(hop: Hop) -> Self {
        Self {
            kind: EdgeKind::Value,
            hop,
            key: KeySelector::All,
            site: None,
        }
    }
}

/// A dependency between two resources, found through any number of locals, variables, outputs and modules.
#[derive(Clone, Debug)]
pub struct ResourceEdge {
    /// The resource that depends.
    pub from: ConfigResourceAddr,
    /// The resource it depends on.
    pub to: ConfigResourceAddr,
    /// `Value` if a value flows along at least one path.
    pub kind: EdgeKind,
    /// The nodes between them, nearest to `from` first; empty for a direct reference. The shortest path of `kind`.
    pub via: Vec<Node>,
    /// The first reference of that path: it stands in the code of `from`.
    pub site: Option<Site>,
}

/// The dependency graph.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    inner: DiGraph<Node, Edge>,
    index: HashMap<Node, NodeIndex>,
    /// What Terraform orders although nothing flows: `module.m[each.key].id` reads one output, but Terraform looks no
    /// further than `module.m` and waits for the whole module. Only the closure knows these edges.
    coarse: HashMap<NodeIndex, Vec<NodeIndex>>,
}

impl Graph {
    /// Returns the node's index, adding the node if it is new.
    fn node(&mut self, node: Node) -> NodeIndex {
        if let Some(&index) = self.index.get(&node) {
            return index;
        }
        let index = self.inner.add_node(node.clone());
        self.index.insert(node, index);
        index
    }

    /// Adds a dependency; several references between the same two nodes are several edges.
    fn depend(&mut self, from: NodeIndex, to: NodeIndex, edge: Edge) {
        if from != to {
            self.inner.add_edge(from, to, edge);
        }
    }

    /// Adds a dependency that Terraform's order has and no value follows.
    fn wait_for(&mut self, from: NodeIndex, to: NodeIndex) {
        self.coarse.entry(from).or_default().push(to);
    }

    /// Returns all nodes in order.
    pub fn nodes(&self) -> BTreeSet<&Node> {
        self.inner.node_weights().collect()
    }

    /// Returns all resources and data sources in order.
    pub fn resources(&self) -> BTreeSet<&ConfigResourceAddr> {
        self.inner
            .node_weights()
            .filter_map(|node| match node {
                Node::Resource(addr) => Some(addr),
                _ => None,
            })
            .collect()
    }

    /// Returns the edges that leave a node, in the order they were read.
    pub fn edges(&self, from: &Node) -> Vec<(&Node, &Edge)> {
        let Some(&index) = self.index.get(from) else {
            return Vec::new();
        };
        let mut edges: Vec<_> = self.inner.edges(index).collect();
        edges.sort_by_key(petgraph::visit::EdgeRef::id);
        edges
            .into_iter()
            .map(|edge| (&self.inner[edge.target()], edge.weight()))
            .collect()
    }

    /// Returns the resources that a node depends on with no other resource in between, each once.
    pub fn direct(&self, from: &Node) -> Vec<ResourceEdge> {
        let Some(&start) = self.index.get(from) else {
            return Vec::new();
        };
        let Node::Resource(from_addr) = from else {
            return self.direct_of(start, None);
        };
        self.direct_of(start, Some(from_addr))
    }

    /// Breadth-first search that stops at resources; value paths are searched first so that they win.
    fn direct_of(&self, start: NodeIndex, from: Option<&ConfigResourceAddr>) -> Vec<ResourceEdge> {
        let mut found: BTreeMap<ConfigResourceAddr, ResourceEdge> = BTreeMap::new();
        for kinds in [&[EdgeKind::Value][..], &[EdgeKind::Value, EdgeKind::Ordering]] {
            let kind = if kinds.len() == 1 {
                EdgeKind::Value
            } else {
                EdgeKind::Ordering
            };
            let mut reached_by: HashMap<NodeIndex, (NodeIndex, petgraph::graph::EdgeIndex)> = HashMap::new();
            let mut queue = std::collections::VecDeque::from([start]);
            while let Some(at) = queue.pop_front() {
                let mut edges: Vec<_> = self
                    .inner
                    .edges(at)
                    .filter(|e| kinds.contains(&e.weight().kind))
                    .collect();
                edges.sort_by_key(petgraph::visit::EdgeRef::id);
                for edge in edges {
                    let to = edge.target();
                    if to == start || reached_by.contains_key(&to) {
                        continue;
                    }
                    reached_by.insert(to, (at, edge.id()));
                    let Node::Resource(addr) = &self.inner[to] else {
                        queue.push_back(to);
                        continue;
                    };
                    if Some(addr) == from || found.contains_key(addr) {
                        continue;
                    }
                    let (via, site) = self.path(start, to, &reached_by);
                    let from = from.unwrap_or(addr).clone();
                    found.insert(
                        addr.clone(),
                        ResourceEdge {
                            from,
                            to: addr.clone(),
                            kind,
                            via,
                            site,
                        },
                    );
                }
            }
        }
        found.into_values().collect()
    }

    /// Walks back from `to` to `start`: the nodes strictly between, and the site of the first edge.
    fn path(
        &self,
        start: NodeIndex,
        to: NodeIndex,
        reached_by: &HashMap<NodeIndex, (NodeIndex, petgraph::graph::EdgeIndex)>,
    ) -> (Vec<Node>, Option<Site>) {
        let mut via = Vec::new();
        let mut at = to;
        loop {
            let (previous, edge) = reached_by[&at];
            if previous == start {
                via.reverse();
                return (via, self.inner[edge].site.clone());
            }
            via.push(self.inner[previous].clone());
            at = previous;
        }
    }

    /// Returns every resource that `from` depends on, through anything: Terraform's `dependencies` of a resource.
    ///
    /// Terraform's order is coarser than the values that flow: see [`direct`](Self::direct) for those.
    pub fn closure(&self, from: &Node) -> BTreeSet<ConfigResourceAddr> {
        let Some(&start) = self.index.get(from) else {
            return BTreeSet::new();
        };
        let mut seen = vec![false; self.inner.node_count()];
        let mut stack = vec![start];
        let mut found = BTreeSet::new();
        while let Some(at) = stack.pop() {
            let coarse = self.coarse.get(&at).into_iter().flatten().copied();
            for next in self.inner.neighbors(at).chain(coarse) {
                if !std::mem::replace(&mut seen[next.index()], true) {
                    if let Node::Resource(addr) = &self.inner[next]
                        && next != start
                    {
                        found.insert(addr.clone());
                    }
                    stack.push(next);
                }
            }
        }
        found
    }

    /// Returns all direct dependencies between resources: the resource-level graph.
    pub fn resource_edges(&self) -> Vec<ResourceEdge> {
        self.resources()
            .into_iter()
            .flat_map(|addr| self.direct(&Node::Resource(addr.clone())))
            .collect()
    }

    /// Returns the resource-level graph without the edges that longer paths imply, as `terraform graph` prints it.
    pub fn reduced_resource_edges(&self) -> BTreeSet<(ConfigResourceAddr, ConfigResourceAddr)> {
        let closures: BTreeMap<&ConfigResourceAddr, BTreeSet<ConfigResourceAddr>> = self
            .resources()
            .into_iter()
            .map(|addr| (addr, self.closure(&Node::Resource(addr.clone()))))
            .collect();
        let mut reduced = BTreeSet::new();
        for (from, reached) in &closures {
            // What is reached through another resource needs no edge of its own.
            let implied: BTreeSet<&ConfigResourceAddr> = reached
                .iter()
                .filter_map(|between| closures.get(between))
                .flatten()
                .collect();
            let direct = reached.iter().filter(|to| !implied.contains(to));
            reduced.extend(direct.map(|to| ((*from).clone(), to.clone())));
        }
        reduced
    }
}

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let within = |f: &mut fmt::Formatter<'_>, module: &ModuleAddr| match module.0.is_empty() {
            true => Ok(()),
            false => write!(f, "{module}."),
        };
        match self {
            Self::Resource(addr) => addr.fmt(f),
            Self::Local(module, name) => within(f, module).and_then(|()| write!(f, "local.{name}")),
            Self::Variable(module, name) => within(f, module).and_then(|()| write!(f, "var.{name}")),
            Self::Output(module, name) => within(f, module).and_then(|()| write!(f, "output.{name}")),
            Self::Provider(addr) => addr.fmt(f),
            Self::Expansion(module) => write!(f, "{module} (expansion)"),
            Self::Whole(module) => module.fmt(f),
            Self::Check(module, name) => within(f, module).and_then(|()| write!(f, "check.{name}")),
            Self::Argument(_, place) => write!(f, "argument at {place}"),
            Self::Other(module, name) => within(f, module).and_then(|()| f.write_str(name)),
        }
    }
}
