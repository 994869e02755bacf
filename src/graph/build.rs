//! Building the graph from code: every reference, resolved in its module's scope, is an edge.

use std::sync::Arc;

use petgraph::graph::NodeIndex;

use super::{Edge, EdgeKind, Graph, Hop, KeySelector, Node, Site};
use crate::address::{ConfigResourceAddr, InstanceKey, ModuleAddr};
use crate::config::{
    BlockId, CallTarget, ConfigFile, Configuration, Item, Mode, Module, Reference, Role, StepKind, Target,
};

/// Arguments of a module call that say how often and when it is there; every node inside depends on them.
const EXPANSION: [&str; 3] = ["count", "for_each", "depends_on"];
/// Arguments of a module call that are no input variables.
const META: [&str; 6] = [
    "count",
    "for_each",
    "depends_on",
    "providers",
    "source",
    "version",
];

impl Graph {
    /// Builds the graph of a configuration.
    pub fn build(configuration: &Configuration) -> Self {
        let mut builder = Builder {
            configuration,
            graph: Self::default(),
        };
        for module in configuration.modules() {
            builder.module(module);
        }
        builder.graph
    }
}

struct Builder<'c> {
    configuration: &'c Configuration,
    graph: Graph,
}

impl Builder<'_> {
    fn module(&mut self, module: &Module) {
        for (item, _) in module.source.items() {
            match item {
                Item::Module(name) => self.call(module, name),
                Item::Terraform => {}
                item => {
                    let Some(from) = self.declared(module, item) else {
                        continue;
                    };
                    for (block, reference) in module.source.references(item) {
                        self.refer(module, from, block, reference, Hop::Within);
                    }
                    self.inherit(module, item, from);
                }
            }
        }
    }

    /// Returns the node of an item that has references of its own.
    fn declared(&mut self, module: &Module, item: &Item) -> Option<NodeIndex> {
        let at = module.address.clone();
        let node = match item {
            Item::Resource {
                mode,
                type_name,
                name,
            } => resource_node(&at, *mode, type_name, name),
            Item::Local(name) => Node::Local(at, name.clone()),
            Item::Output(name) => Node::Output(at, name.clone()),
            Item::Variable(name) => Node::Variable(at, name.clone()),
            Item::Check(name) => Node::Check(at, name.clone()),
            Item::Action { type_name, name } => Node::Other(at, format!("action.{type_name}.{name}")),
            Item::Provider { name, alias } => {
                let addr = self.configuration.resolve(module, name, alias.as_deref()).ok()?;
                Node::Provider(addr)
            }
            Item::Module(_) | Item::Terraform => return None,
        };
        Some(self.graph.node(node))
    }

    /// Adds what an item depends on by where it stands: its provider configuration, its module's expansion.
    fn inherit(&mut self, module: &Module, item: &Item, from: NodeIndex) {
        if let Item::Resource {
            mode: Mode::Managed | Mode::Data,
            ..
        } = item
            && let Node::Resource(addr) = self.graph.inner[from].clone()
            && let Ok(mut provider) = self.configuration.provider_for(&addr)
        {
            provider.key = None;
            let provider = self.graph.node(Node::Provider(provider));
            self.graph.depend(from, provider, Edge::implied(Hop::Away));
        }
        let expands = matches!(
            item,
            Item::Resource { .. } | Item::Output(_) | Item::Check(_) | Item::Action { .. }
        );
        if expands && !module.address.0.is_empty() {
            let expansion = self.graph.node(Node::Expansion(module.address.clone()));
            self.graph.depend(from, expansion, Edge::implied(Hop::Within));
        }
    }

    /// Adds a module call: its expansion, its inputs, and the whole of it.
    fn call(&mut self, caller: &Module, name: &str) {
        let inside = caller.child(name);
        let expansion = self.graph.node(Node::Expansion(inside.clone()));
        let whole = self.graph.node(Node::Whole(inside.clone()));
        self.graph.depend(whole, expansion, Edge::implied(Hop::Within));
        if !caller.address.0.is_empty() {
            let outer = self.graph.node(Node::Expansion(caller.address.clone()));
            self.graph.depend(expansion, outer, Edge::implied(Hop::Out));
        }
        let is_opaque = caller
            .calls
            .get(name)
            .is_none_or(|call| call.target == CallTarget::Unknown);
        let item = Item::Module(name.to_owned());
        let arguments = caller.source.merged(&item).attributes;
        for (block, reference) in caller.source.references(&item) {
            let within = arguments
                .iter()
                .find(|(id, argument)| *id == block && argument.span.contains(&reference.span.start))
                .map(|(_, argument)| argument.name.as_str());
            let from = match within {
                Some(argument) if EXPANSION.contains(&argument) => expansion,
                Some(argument) if META.contains(&argument) => continue,
                // What an unknown module does with an input is unknown: all of it depends on all inputs.
                _ if is_opaque => whole,
                Some(input) => self.graph.node(Node::Variable(inside.clone(), input.to_owned())),
                None => expansion,
            };
            // What stands in the call is evaluated in the caller.
            self.refer(caller, from, block, reference, Hop::Out);
        }
        self.whole(&inside, whole);
    }

    /// Connects the whole of a module with everything directly in it, and with the modules it calls.
    fn whole(&mut self, inside: &ModuleAddr, whole: NodeIndex) {
        let Some(module) = self.configuration.module(inside) else {
            return;
        };
        for (item, _) in module.source.items() {
            let (part, hop) = match item {
                Item::Resource {
                    mode,
                    type_name,
                    name,
                } => (resource_node(inside, *mode, type_name, name), Hop::Within),
                Item::Output(name) => (Node::Output(inside.clone(), name.clone()), Hop::Within),
                Item::Variable(name) => (Node::Variable(inside.clone(), name.clone()), Hop::Within),
                Item::Module(name) => (Node::Whole(module.child(name)), Hop::Into(KeySelector::All)),
                _ => continue,
            };
            let part = self.graph.node(part);
            self.graph.depend(whole, part, Edge::implied(hop));
        }
    }

    /// Adds the edge of one reference, which is evaluated in `module`; `hop` says how the evaluation gets there.
    fn refer(&mut self, module: &Module, from: NodeIndex, block: BlockId, reference: &Reference, hop: Hop) {
        let at = &module.address;
        let (file, _) = module.source.block(block);
        let mut key = KeySelector::All;
        let mut then = Hop::Within;
        let target = match &reference.target {
            Target::Resource {
                mode,
                type_name,
                name,
            } => {
                let item = Item::Resource {
                    mode: *mode,
                    type_name: type_name.clone(),
                    name: name.clone(),
                };
                key = selector(file, reference);
                (!module.source.declarations(&item).is_empty())
                    .then(|| resource_node(at, *mode, type_name, name))
            }
            Target::Module { name, output } => {
                then = Hop::Into(selector(file, reference));
                if output.is_some() && !names_output(reference) {
                    let whole = self.graph.node(Node::Whole(module.child(name)));
                    self.graph.wait_for(from, whole);
                }
                self.module_target(module, name, output.as_deref())
            }
            Target::Action { type_name, name } => {
                Some(Node::Other(at.clone(), format!("action.{type_name}.{name}")))
            }
            Target::Var(name) => Some(Node::Variable(at.clone(), name.clone())),
            Target::Local(name) => Some(Node::Local(at.clone(), name.clone())),
            Target::EachKey
            | Target::EachValue
            | Target::CountIndex
            | Target::SelfObject
            | Target::Path(_)
            | Target::Terraform(_) => None,
        };
        let Some(target) = target else { return };
        let to = self.graph.node(target);
        let kind = match reference.place.role {
            Role::DependsOn => EdgeKind::Ordering,
            _ => EdgeKind::Value,
        };
        let site = Some(Site {
            file: Arc::clone(&file.source),
            span: reference.span.clone(),
        });
        // From a call into a sibling call is two hops: out to the caller, then into the other module.
        let (from, hop) = match (hop, then) {
            (hop, Hop::Within) | (Hop::Within, hop) => (from, hop),
            (out, into) => {
                let step = Node::Argument(
                    at.clone(),
                    format!("{}:{}", file.source.path, reference.span.start),
                );
                let step = self.graph.node(step);
                self.graph.depend(
                    from,
                    step,
                    Edge {
                        kind,
                        hop: out,
                        key: KeySelector::All,
                        site: site.clone(),
                    },
                );
                (step, into)
            }
        };
        self.graph.depend(from, to, Edge { kind, hop, key, site });
    }

    fn module_target(&self, module: &Module, name: &str, output: Option<&str>) -> Option<Node> {
        let inside = module.child(name);
        if module
            .source
            .declarations(&Item::Module(name.to_owned()))
            .is_empty()
        {
            return None;
        }
        let known = self.configuration.module(&inside);
        Some(match output {
            Some(output) if known.is_some() => Node::Output(inside, output.to_owned()),
            _ => Node::Whole(inside),
        })
    }
}

fn resource_node(module: &ModuleAddr, mode: Mode, type_name: &str, name: &str) -> Node {
    let Some(mode) = mode.in_state() else {
        return Node::Other(module.clone(), format!("ephemeral.{type_name}.{name}"));
    };
    Node::Resource(ConfigResourceAddr {
        module: module.clone(),
        mode,
        type_name: type_name.to_owned(),
        name: name.to_owned(),
    })
}

/// Returns which instances a reference to a resource or module names.
fn selector(file: &ConfigFile, reference: &Reference) -> KeySelector {
    match reference.steps.first().map(|step| &step.kind) {
        Some(StepKind::Index(key)) => KeySelector::Key(key.clone()),
        Some(StepKind::LegacyIndex(number)) => KeySelector::Key(InstanceKey::Int(*number)),
        Some(StepKind::IndexExpression(span))
            if matches!(file.text(span).trim(), "each.key" | "count.index") =>
        {
            KeySelector::Own
        }
        _ => KeySelector::All,
    }
}

/// Tells whether Terraform sees which output a reference to a module names: `module.m.id` and `module.m["a"].id`, but not
/// `module.m[each.key].id` or `module.m[*].id`.
fn names_output(reference: &Reference) -> bool {
    let unseen = |kind: &StepKind| {
        matches!(
            kind,
            StepKind::IndexExpression(_) | StepKind::AttrSplat | StepKind::FullSplat
        )
    };
    !reference.steps.first().is_some_and(|step| unseen(&step.kind))
}
