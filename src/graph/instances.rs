//! Dependencies of one instance, as far as the text tells which instances are meant.
//!
//! A state's `dependencies` name resources without keys, so that every service of `module "service" { for_each … }` seems
//! to depend on every other. The code knows better: `module.service["orders"].arn` is one instance, what a module's
//! resource refers to inside its module is in the same module instance, and `x.y[each.key]` has the key of the one that
//! refers. This search carries that knowledge along its path.

use std::collections::{HashSet, VecDeque};

use petgraph::graph::NodeIndex;
use petgraph::visit::EdgeRef as _;

use super::{Edge, EdgeKind, Graph, Hop, KeySelector, Node, ResourceEdge, Site};
use crate::address::{ConfigResourceAddr, InstanceKey, ResourceInstanceAddr};

/// Which keys may stand at one place of an address.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum KeyMatch {
    /// Any key, and none.
    Any,
    /// This key (or no key).
    Exactly(Option<InstanceKey>),
}

impl KeyMatch {
    fn fits(&self, key: Option<&InstanceKey>) -> bool {
        match self {
            Self::Any => true,
            Self::Exactly(wanted) => wanted.as_ref() == key,
        }
    }
}

/// Instances of one resource.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct InstanceSet {
    /// The resource.
    pub resource: ConfigResourceAddr,
    /// For each step of its module path, the keys.
    pub module_keys: Vec<KeyMatch>,
    /// The keys of the resource itself.
    pub key: KeyMatch,
}

impl InstanceSet {
    /// Tells whether an instance of the resource belongs to the set.
    pub fn contains(&self, instance: &ResourceInstanceAddr) -> bool {
        let steps = &instance.resource.module.0;
        steps.len() == self.module_keys.len()
            && self
                .module_keys
                .iter()
                .zip(steps)
                .all(|(keys, step)| keys.fits(step.key.as_ref()))
            && self.key.fits(instance.key.as_ref())
    }
}

/// A dependency of one instance.
#[derive(Clone, Debug)]
pub struct InstanceEdge {
    /// The instances it depends on.
    pub to: InstanceSet,
    /// The same at resource level, with the path between.
    pub edge: ResourceEdge,
}

/// Where the search stands: the keys of the module instance, and the key that `each.key` means there.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Context {
    modules: Vec<KeyMatch>,
    own: KeyMatch,
}

struct Step {
    at: NodeIndex,
    context: Context,
    kind: EdgeKind,
    /// The step it was reached from, and the place of the reference.
    from: Option<(usize, Option<Site>)>,
}

impl Graph {
    /// Returns what an instance depends on with no other resource in between, but for those that `passes` lets the
    /// search go through (data sources that everyone gets a copy of).
    pub fn direct_of_instance(
        &self,
        instance: &ResourceInstanceAddr,
        passes: &dyn Fn(&ConfigResourceAddr) -> bool,
    ) -> Vec<InstanceEdge> {
        let start = instance.resource.config();
        let Some(&at) = self.index.get(&Node::Resource(start.clone())) else {
            return Vec::new();
        };
        let modules = instance
            .resource
            .module
            .0
            .iter()
            .map(|step| KeyMatch::Exactly(step.key.clone()))
            .collect();
        let context = Context {
            modules,
            own: KeyMatch::Exactly(instance.key.clone()),
        };
        let mut steps = vec![Step {
            at,
            context,
            kind: EdgeKind::Value,
            from: None,
        }];
        let mut queue = VecDeque::from([0]);
        let mut seen: HashSet<(NodeIndex, Context, EdgeKind)> = HashSet::new();
        let mut found: Vec<InstanceEdge> = Vec::new();
        while let Some(index) = queue.pop_front() {
            let mut edges: Vec<_> = self.inner.edges(steps[index].at).collect();
            edges.sort_by_key(petgraph::visit::EdgeRef::id);
            for edge in edges {
                let to = edge.target();
                let kind = steps[index].kind.max(edge.weight().kind);
                let context = follow(&steps[index].context, edge.weight(), &self.inner[to]);
                if to == at || !seen.insert((to, context.clone(), kind)) {
                    continue;
                }
                steps.push(Step {
                    at: to,
                    context,
                    kind,
                    from: Some((index, edge.weight().site.clone())),
                });
                match &self.inner[to] {
                    Node::Resource(addr) if !passes(addr) => {
                        let edge = self.found_edge(&start, addr, &steps);
                        let Context { modules, own } = steps[steps.len() - 1].context.clone();
                        let set = InstanceSet {
                            resource: addr.clone(),
                            module_keys: modules,
                            key: own,
                        };
                        found.push(InstanceEdge { to: set, edge });
                    }
                    _ => queue.push_back(steps.len() - 1),
                }
            }
        }
        found
    }

    /// Describes the path to the last step.
    fn found_edge(
        &self,
        start: &ConfigResourceAddr,
        to: &ConfigResourceAddr,
        steps: &[Step],
    ) -> ResourceEdge {
        let last = &steps[steps.len() - 1];
        let mut via = Vec::new();
        let mut site = None;
        let mut from = last.from.as_ref();
        while let Some((index, reference)) = from {
            site = reference.clone();
            if steps[*index].from.is_some() && !matches!(self.inner[steps[*index].at], Node::Argument(..)) {
                via.push(self.inner[steps[*index].at].clone());
            }
            from = steps[*index].from.as_ref();
        }
        via.reverse();
        ResourceEdge {
            from: start.clone(),
            to: to.clone(),
            kind: last.kind,
            via,
            site,
        }
    }
}

/// Returns the context at the other end of an edge.
fn follow(context: &Context, edge: &Edge, to: &Node) -> Context {
    let select = |selector: &KeySelector| match selector {
        KeySelector::All => KeyMatch::Any,
        KeySelector::Key(key) => KeyMatch::Exactly(Some(key.clone())),
        KeySelector::Own => context.own.clone(),
    };
    let mut modules = context.modules.clone();
    let mut own = context.own.clone();
    match &edge.hop {
        Hop::Within => {}
        Hop::Into(selector) => {
            modules.push(select(selector));
            own = KeyMatch::Any;
        }
        // In the arguments of a call `each.key` is the key of the module instance.
        Hop::Out => own = modules.pop().unwrap_or(KeyMatch::Any),
        Hop::Away => {
            let depth = match to {
                Node::Provider(addr) => addr.module.0.len(),
                Node::Resource(addr) => addr.module.0.len(),
                _ => 0,
            };
            modules = vec![KeyMatch::Any; depth];
            own = KeyMatch::Any;
        }
    }
    match to {
        Node::Resource(_) => own = select(&edge.key),
        // A local, a provider or an output has no key of its own.
        Node::Local(..) | Node::Output(..) | Node::Provider(_) | Node::Whole(_) | Node::Check(..) => {
            own = KeyMatch::Any;
        }
        _ => {}
    }
    Context { modules, own }
}
