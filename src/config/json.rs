//! Reads a file in HCL's JSON syntax into the same blocks.
//!
//! Without a provider's schema a nested block cannot be told from an argument with an object; both are searched for
//! references all the same, `dynamic` with its iterator included.

use std::sync::Arc;

use super::collect::{Collector, Offsets, RepeatedKeys, Text};
use super::normalize;
use super::reference::Role;
use super::treat::{Treatment, own_nested_block, treatment};
use super::{Attribute, Block, BlockKind, Body, ConfigFile, Label, NestedBlock, Span, Syntax};
use crate::diagnostic::{Diagnostic, SourceFile};
use crate::json::{self, Member, Node, Value};

/// The member name that JSON syntax reserves for comments.
const COMMENT: &str = "//";

/// Reads one file; what cannot be read or is out of place goes to `diagnostics`.
pub(super) fn read(
    source: &Arc<SourceFile>,
    name: &str,
    is_override: bool,
    diagnostics: &mut Vec<Diagnostic>,
) -> ConfigFile {
    let mut reader = Reader {
        source,
        diagnostics,
        blocks: Vec::new(),
    };
    if let Some(root) = tree(source, reader.diagnostics) {
        reader.root(&root);
    }
    let mut blocks = reader.blocks;
    blocks.sort_by_key(|block| block.span.start);
    ConfigFile {
        source: Arc::clone(source),
        name: name.to_owned(),
        syntax: Syntax::Json,
        is_override,
        blocks,
    }
}

/// Reads a file that is one object of arguments, such as `.tfvars.json`.
pub(super) fn read_arguments(source: &Arc<SourceFile>, diagnostics: &mut Vec<Diagnostic>) -> Vec<Attribute> {
    let Some(root) = tree(source, diagnostics) else {
        return Vec::new();
    };
    let Some(members) = root.members() else {
        let problem = "expected one object with a member per variable";
        diagnostics.push(Diagnostic::error(problem).at(source, root.span));
        return Vec::new();
    };
    members
        .iter()
        .filter(|member| member.key != COMMENT)
        .map(argument)
        .collect()
}

/// Parses a whole file; spans count from its start, a byte order mark included.
fn tree(source: &Arc<SourceFile>, diagnostics: &mut Vec<Diagnostic>) -> Option<Node> {
    // A byte order mark is blanked, so that offsets stay.
    let blanked = source
        .text
        .strip_prefix('\u{feff}')
        .map(|rest| format!("   {rest}"));
    match json::parse(blanked.as_deref().unwrap_or(&source.text)) {
        Ok(root) => Some(root),
        Err(error) => {
            let mut at = error.at.min(source.text.len());
            while !source.text.is_char_boundary(at) {
                at -= 1;
            }
            let problem = format!("this is not valid JSON: {}", error.fault);
            diagnostics.push(Diagnostic::error(problem).at(source, at..at));
            None
        }
    }
}

fn argument(member: &Member) -> Attribute {
    let span = member.key_span.start..member.value.span.end;
    Attribute {
        name: member.key.clone(),
        name_span: member.key_span.clone(),
        value: member.value.span.clone(),
        full: span.clone(),
        leading: span.start..span.start,
        span,
    }
}

struct Reader<'r> {
    source: &'r Arc<SourceFile>,
    diagnostics: &'r mut Vec<Diagnostic>,
    blocks: Vec<Block>,
}

/// The way to a nested block, and what holds on it.
struct Way<'a> {
    kind: &'a BlockKind,
    within: Vec<&'a str>,
    destroys: bool,
}

impl Way<'_> {
    fn path(&self, name: &str) -> String {
        let mut path = self.within.join(".");
        if !path.is_empty() {
            path.push('.');
        }
        path.push_str(name);
        path
    }
}

impl Reader<'_> {
    fn root(&mut self, root: &Node) {
        match &root.value {
            Value::Object(members) => {
                for member in members.iter().filter(|member| member.key != COMMENT) {
                    let kind = BlockKind::from_keyword(&member.key);
                    let labels = kind.label_count().unwrap_or(0);
                    self.top_level(&kind, labels, member, &mut Vec::new());
                }
            }
            Value::Array(parts) => parts.iter().for_each(|part| self.root(part)),
            _ => self.report("expected an object of blocks", &root.span),
        }
    }

    fn report(&mut self, problem: &str, span: &Span) {
        self.diagnostics
            .push(Diagnostic::error(problem).at(self.source, span.clone()));
    }

    fn top_level(&mut self, kind: &BlockKind, missing: usize, member: &Member, labels: &mut Vec<Label>) {
        for (part, is_only) in bodies(&member.value) {
            let Some(members) = part.members() else {
                if part.value != Value::Null {
                    self.report("expected an object, or an array of objects", &part.span);
                }
                continue;
            };
            if missing == 0 {
                let span = if is_only {
                    member.key_span.start..part.span.end
                } else {
                    part.span.clone()
                };
                let block = self.block(kind, span, &member.key_span, part, labels.clone());
                self.blocks.push(block);
                continue;
            }
            for inner in members.iter().filter(|inner| inner.key != COMMENT) {
                labels.push(Label {
                    value: inner.key.clone(),
                    span: inner.key_span.clone(),
                });
                self.top_level(kind, missing - 1, inner, labels);
                labels.pop();
            }
        }
    }

    fn block(&mut self, kind: &BlockKind, span: Span, key: &Span, body: &Node, labels: Vec<Label>) -> Block {
        let mut collector = Collector::new(*kind == BlockKind::Terraform);
        let mut way = Way {
            kind,
            within: Vec::new(),
            destroys: false,
        };
        let body = self.body(body, &mut way, &mut collector);
        Block {
            kind: kind.clone(),
            labels,
            full: span.clone(),
            leading: span.start..span.start,
            span,
            header: key.clone(),
            body,
            references: collector.finish(),
        }
    }

    fn body<'a>(&mut self, node: &'a Node, way: &mut Way<'a>, collector: &mut Collector) -> Body {
        let mut body = Body {
            span: node.span.clone(),
            ..Body::default()
        };
        let members = node.members().unwrap_or_default();
        let iterator = match way.within[..] {
            [.., "dynamic", label] => Some(node.get("iterator").and_then(Node::as_str).unwrap_or(label)),
            _ => None,
        };
        let depth = collector.scope.len();
        for member in members.iter().filter(|member| member.key != COMMENT) {
            let name = member.key.as_str();
            let own = own_nested_block(way.kind, &way.within, name);
            let binds = name == "content" || name == "labels";
            collector
                .scope
                .extend(iterator.filter(|_| binds).map(str::to_owned));
            match own {
                Some(labels) if bodies(&member.value).all(|(part, _)| part.members().is_some()) => {
                    self.nested(labels, &[member], way, collector, &mut body.blocks);
                }
                _ => {
                    let treatment = treatment(way.kind, &way.within, name, way.destroys);
                    let path = way.path(name);
                    self.value(&member.value, treatment, &path, collector);
                    body.attributes.push(argument(member));
                }
            }
            collector.scope.truncate(depth);
        }
        body
    }

    fn nested<'a>(
        &mut self,
        missing: usize,
        keys: &[&'a Member],
        way: &mut Way<'a>,
        collector: &mut Collector,
        found: &mut Vec<NestedBlock>,
    ) {
        let [first, labels @ ..] = keys else { return };
        let last = labels.last().unwrap_or(first);
        for (part, is_only) in bodies(&last.value) {
            if missing > 0 {
                for inner in part.members().unwrap_or_default() {
                    let keys = [keys, &[inner]].concat();
                    self.nested(missing - 1, &keys, way, collector, found);
                }
                continue;
            }
            let (depth, destroys, around) = (way.within.len(), way.destroys, collector.around);
            if depth == 0 && first.key == "provisioner" {
                way.destroys = part.get("when").and_then(Node::as_str) == Some("destroy");
            }
            collector.around.in_dynamic |= first.key == "dynamic";
            way.within.extend(keys.iter().map(|member| member.key.as_str()));
            let body = self.body(part, way, collector);
            way.within.truncate(depth);
            way.destroys = destroys;
            collector.around = around;
            let start = if is_only {
                last.key_span.start
            } else {
                part.span.start
            };
            let label = |member: &&Member| Label {
                value: member.key.clone(),
                span: member.key_span.clone(),
            };
            found.push(NestedBlock {
                name: first.key.clone(),
                labels: labels.iter().map(label).collect(),
                span: start..part.span.end,
                full: start..part.span.end,
                leading: start..start,
                body,
            });
        }
    }

    /// Searches a value, according to what Terraform does with the argument.
    fn value(&mut self, node: &Node, treatment: Treatment, path: &str, collector: &mut Collector) {
        match &node.value {
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
            Value::String(text) => self.string(text, &node.span, treatment, path, collector),
            Value::Array(elements) => {
                for element in elements {
                    self.value(element, treatment, path, collector);
                }
            }
            Value::Object(members) => {
                for member in members {
                    if let Treatment::Expression(_) = treatment {
                        self.string(&member.key, &member.key_span, treatment, path, collector);
                    }
                    let path = format!("{path}.{}", member.key);
                    match (treatment, &member.value.value) {
                        (Treatment::Expression(Role::Value), Value::Object(labels))
                            if member.key == "dynamic" =>
                        {
                            for label in labels {
                                self.dynamic(label, &path, collector);
                            }
                        }
                        _ => self.value(&member.value, treatment, &path, collector),
                    }
                }
            }
        }
    }

    /// A `dynamic` block inside what may be a nested block.
    fn dynamic(&mut self, label: &Member, path: &str, collector: &mut Collector) {
        let path = format!("{path}.{}", label.key);
        let before = collector.around;
        collector.around.in_dynamic = true;
        for (part, _) in bodies(&label.value) {
            let iterator = part.get("iterator").and_then(Node::as_str).unwrap_or(&label.key);
            for member in part.members().unwrap_or_default() {
                let path = format!("{path}.{}", member.key);
                let treatment = match member.key.as_str() {
                    "for_each" => Treatment::Expression(Role::DynamicForEach),
                    "iterator" => Treatment::Nothing,
                    _ => Treatment::Expression(Role::Value),
                };
                let binds = treatment == Treatment::Expression(Role::Value);
                let depth = collector.scope.len();
                collector.scope.extend(binds.then(|| iterator.to_owned()));
                self.value(&member.value, treatment, &path, collector);
                collector.scope.truncate(depth);
            }
        }
        collector.around = before;
    }

    fn string(
        &mut self,
        text: &str,
        span: &Span,
        treatment: Treatment,
        path: &str,
        collector: &mut Collector,
    ) {
        let is_template = matches!(treatment, Treatment::Expression(_));
        if treatment == Treatment::Nothing || (is_template && !text.contains("${") && !text.contains("%{")) {
            return;
        }
        let table;
        let offsets = if text.len() + 2 == span.len() {
            Offsets::Shift(span.start + 1)
        } else {
            table = decoded_offsets(&self.source.text, span);
            Offsets::Table(&table)
        };
        let mut repeated_keys = RepeatedKeys::new();
        let error = if let Treatment::Expression(role) = treatment {
            match normalize::parse_template(text, &mut repeated_keys) {
                Ok(template) => {
                    let text = Text {
                        offsets,
                        repeated_keys: &repeated_keys,
                    };
                    collector.template(&template, role, || path.to_owned(), &text);
                    return;
                }
                Err(error) => error,
            }
        } else {
            match normalize::parse_expression(text, &mut repeated_keys) {
                Ok(expr) => {
                    let text = Text {
                        offsets,
                        repeated_keys: &repeated_keys,
                    };
                    let before = collector.around;
                    collector.around.in_quotes = true;
                    collector.argument(&expr, treatment, || path.to_owned(), &text);
                    collector.around = before;
                    return;
                }
                // Names such as the labels of an old provider are no expression; they hold no reference either.
                Err(_) => return,
            }
        };
        let at = error.location().offset();
        let place = offsets.map(at..at + 1);
        let problem = format!("this is not a valid template: {}", error.message());
        self.report(&problem, &(place.start..place.end.max(place.start)));
    }
}

/// Returns the parts of a member that may be one value or an array of them, and whether it is the only one.
fn bodies(node: &Node) -> impl Iterator<Item = (&Node, bool)> {
    let (parts, is_only) = match &node.value {
        Value::Array(elements) => (elements.as_slice(), false),
        _ => (std::slice::from_ref(node), true),
    };
    parts.iter().map(move |part| (part, is_only))
}

/// Returns where each byte of a decoded string came from; one entry more than it has bytes.
fn decoded_offsets(text: &str, span: &Span) -> Vec<usize> {
    let end = span.end.saturating_sub(1);
    let mut table = Vec::with_capacity(span.len());
    let mut at = span.start + 1;
    while at < end {
        let rest = &text[at..end];
        let length = match rest.as_bytes() {
            [b'\\', b'u', ..] if is_surrogate_pair(rest) => 12,
            [b'\\', b'u', ..] => 6,
            [b'\\', ..] => 2,
            _ => rest.chars().next().map_or(1, char::len_utf8),
        }
        .min(rest.len());
        let decoded = json::decode(&rest[..length]);
        let is_escape = rest.starts_with('\\');
        for byte in 0..decoded.len() {
            table.push(if is_escape { at } else { at + byte });
        }
        at += length;
    }
    table.push(end);
    table
}

fn is_surrogate_pair(text: &str) -> bool {
    let unit = |from: usize| {
        let hex = text.get(from..from + 6)?.strip_prefix("\\u")?;
        u16::from_str_radix(hex, 16).ok()
    };
    unit(0).is_some_and(|high| (0xd800..0xdc00).contains(&high))
        && unit(6).is_some_and(|low| (0xdc00..0xe000).contains(&low))
}
