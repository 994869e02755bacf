//! The dependency graph as DOT, Mermaid and JSON.
//!
//! Resource level: nodes are resources and data sources, an arrow points to what is depended on. Ordering edges are
//! dashed. With an assignment, nodes are grouped by stack and the edges that cross are red.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde::Serialize;

use super::REPORT_VERSION;
use crate::address::{ConfigResourceAddr, ResourceMode};
use crate::graph::{EdgeKind, Joined, ResourceEdge, Site, StackGraph};
use crate::stack::StateId;

/// A graph ready to be printed.
#[derive(Clone, Debug, Serialize)]
pub struct GraphReport {
    /// Version of this JSON.
    pub version: u32,
    /// Resources, by address.
    pub nodes: Vec<NodeReport>,
    /// Direct dependencies, by address.
    pub edges: Vec<EdgeReport>,
}

/// A resource.
#[derive(Clone, Debug, Serialize)]
pub struct NodeReport {
    /// Address in the configuration.
    pub address: String,
    /// `managed` or `data`.
    pub mode: String,
    /// Module path; empty for the root module.
    pub module: String,
    /// Instances in the state.
    pub instances: Vec<String>,
    /// The states its instances are assigned to; empty without a plan file.
    pub stacks: Vec<String>,
}

/// A dependency.
#[derive(Clone, Debug, Serialize)]
pub struct EdgeReport {
    /// The resource that depends.
    pub from: String,
    /// The resource it depends on.
    pub to: String,
    /// `value` or `ordering`.
    pub kind: &'static str,
    /// Locals, variables, outputs and modules in between.
    pub via: Vec<String>,
    /// `file:line:column` of the reference in the code of `from`.
    pub at: Option<String>,
    /// Whether it crosses from one stack to another.
    pub cut: bool,
}

/// Returns the word for an edge's kind.
pub fn kind_word(kind: EdgeKind) -> &'static str {
    match kind {
        EdgeKind::Value => "value",
        EdgeKind::Ordering => "ordering",
    }
}

/// Returns `file:line:column` of a site.
pub fn site_text(site: &Site) -> String {
    let position = site.file.position(site.span.start);
    format!("{}:{}:{}", site.file.path, position.line, position.column)
}

impl GraphReport {
    /// Collects the graph; `owners` names the states a resource's instances are assigned to.
    pub fn new(joined: &Joined, owners: &dyn Fn(&ConfigResourceAddr) -> Vec<StateId>) -> Self {
        let nodes = joined
            .graph
            .resources()
            .into_iter()
            .map(|addr| NodeReport {
                address: addr.to_string(),
                mode: addr.mode.to_string(),
                module: addr.module.to_string(),
                instances: joined
                    .instances
                    .get(addr)
                    .into_iter()
                    .flatten()
                    .map(ToString::to_string)
                    .collect(),
                stacks: owners(addr).iter().map(ToString::to_string).collect(),
            })
            .collect();
        let edges = joined.graph.resource_edges().iter().map(edge_report).collect();
        Self {
            version: REPORT_VERSION,
            nodes,
            edges,
        }
    }

    /// Marks the edges that a cut crosses. An edge counts as cut where some of its instances cross.
    pub fn mark_cut(&mut self, stacks: &StackGraph) {
        let cut: BTreeSet<(String, String)> = stacks
            .cut
            .iter()
            .map(|cut| (cut.edge.from.to_string(), cut.edge.to.to_string()))
            .collect();
        for edge in &mut self.edges {
            edge.cut = cut.contains(&(edge.from.clone(), edge.to.clone()));
        }
    }

    /// Returns the graph as JSON with a trailing newline.
    pub fn json(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).expect("strings and numbers always serialise");
        text.push('\n');
        text
    }

    fn groups(&self) -> BTreeMap<String, Vec<&NodeReport>> {
        let mut groups: BTreeMap<String, Vec<&NodeReport>> = BTreeMap::new();
        let by_stack = self.nodes.iter().any(|node| !node.stacks.is_empty());
        for node in &self.nodes {
            let group = if by_stack {
                node.stacks.join(", ")
            } else {
                node.module.clone()
            };
            groups.entry(group).or_default().push(node);
        }
        groups
    }

    /// Returns the graph in Graphviz's DOT.
    pub fn dot(&self) -> String {
        let mut text = String::from(
            "digraph stackcut {\n  rankdir = \"RL\"\n  node [shape = box, fontname = \"sans-serif\"]\n",
        );
        for (number, (group, nodes)) in self.groups().into_iter().enumerate() {
            let indent = if group.is_empty() { "  " } else { "    " };
            if !group.is_empty() {
                writeln!(
                    text,
                    "  subgraph \"cluster_{number}\" {{\n    label = {}",
                    quoted(&group)
                )
                .expect("String");
            }
            for node in nodes {
                let style = if node.mode == ResourceMode::Data.to_string() {
                    " [style = dashed]"
                } else {
                    ""
                };
                writeln!(text, "{indent}{}{style}", quoted(&node.address)).expect("String");
            }
            if !group.is_empty() {
                text.push_str("  }\n");
            }
        }
        for edge in &self.edges {
            let mut style = Vec::new();
            if edge.kind == "ordering" {
                style.push("style = dashed");
            }
            if edge.cut {
                style.push("color = red");
            }
            let style = if style.is_empty() {
                String::new()
            } else {
                format!(" [{}]", style.join(", "))
            };
            writeln!(text, "  {} -> {}{style}", quoted(&edge.from), quoted(&edge.to)).expect("String");
        }
        text.push_str("}\n");
        text
    }

    /// Returns the graph as a Mermaid flowchart.
    pub fn mermaid(&self) -> String {
        let ids: BTreeMap<&str, String> = self
            .nodes
            .iter()
            .enumerate()
            .map(|(at, node)| (node.address.as_str(), format!("n{at}")))
            .collect();
        let mut text = String::from("flowchart RL\n");
        for (number, (group, nodes)) in self.groups().into_iter().enumerate() {
            if !group.is_empty() {
                writeln!(text, "  subgraph g{number} [\"{}\"]", entity(&group)).expect("String");
            }
            for node in nodes {
                let (open, close) = if node.mode == "data" {
                    ("([", "])")
                } else {
                    ("[", "]")
                };
                let id = &ids[node.address.as_str()];
                writeln!(text, "    {id}{open}\"{}\"{close}", entity(&node.address)).expect("String");
            }
            if !group.is_empty() {
                text.push_str("  end\n");
            }
        }
        let mut cut = Vec::new();
        for (number, edge) in self.edges.iter().enumerate() {
            let arrow = if edge.kind == "ordering" { "-.->" } else { "-->" };
            if let (Some(from), Some(to)) = (ids.get(edge.from.as_str()), ids.get(edge.to.as_str())) {
                writeln!(text, "  {from} {arrow} {to}").expect("String");
                if edge.cut {
                    cut.push(number.to_string());
                }
            }
        }
        if !cut.is_empty() {
            writeln!(text, "  linkStyle {} stroke:red", cut.join(",")).expect("String");
        }
        text
    }
}

fn edge_report(edge: &ResourceEdge) -> EdgeReport {
    EdgeReport {
        from: edge.from.to_string(),
        to: edge.to.to_string(),
        kind: kind_word(edge.kind),
        via: edge.via.iter().map(ToString::to_string).collect(),
        at: edge.site.as_ref().map(site_text),
        cut: false,
    }
}

/// Quotes a DOT identifier.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// Escapes a Mermaid label.
fn entity(text: &str) -> String {
    text.replace('#', "#35;")
        .replace('"', "#quot;")
        .replace('<', "#lt;")
        .replace('>', "#gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_escaped_for_each_format() {
        assert_eq!(quoted(r#"m["a\b"].x"#), r#""m[\"a\\b\"].x""#);
        assert_eq!(entity(r#"m["a"]<#>"#), "m[#quot;a#quot;]#lt;#35;#gt;");
    }
}
