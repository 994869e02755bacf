//! Reads a file in HCL's native syntax into blocks.

use std::sync::Arc;

use hcl_edit::Span as _;
use hcl_edit::expr::Expression;
use hcl_edit::structure::{self, BlockLabel, Structure};

use super::collect::{Collector, Offsets, Text};
use super::comments;
use super::normalize::{self, Normalized};
use super::treat::{Treatment, treatment};
use super::{Attribute, Block, BlockKind, Body, ConfigFile, Label, NestedBlock, Span, Syntax};
use crate::diagnostic::{Diagnostic, SourceFile};

/// Reads one file; what cannot be read or is out of place goes to `diagnostics`.
pub(super) fn read(
    source: &Arc<SourceFile>,
    name: &str,
    is_override: bool,
    diagnostics: &mut Vec<Diagnostic>,
) -> ConfigFile {
    let mut file = ConfigFile {
        source: Arc::clone(source),
        name: name.to_owned(),
        syntax: Syntax::Hcl,
        is_override,
        blocks: Vec::new(),
    };
    let (tree, normalized) = match normalize::parse(source) {
        Ok(parsed) => parsed,
        Err(diagnostic) => {
            diagnostics.push(*diagnostic);
            return file;
        }
    };
    let reader = Reader {
        text: &source.text,
        parsed: &normalized,
    };
    let mut from = normalized.base;
    for structure in &tree {
        match structure {
            Structure::Block(block) => {
                let block = reader.top_level(block, from);
                from = block.full.end;
                file.blocks.push(block);
            }
            Structure::Attribute(attribute) => {
                let found = reader.attribute(attribute, Some(from));
                from = found.full.end;
                let problem = format!("an argument `{}` cannot stand outside a block", found.name);
                diagnostics.push(Diagnostic::error(problem).at(source, found.name_span));
            }
        }
    }
    file
}

/// Reads a file that has arguments only, such as `.tfvars`; blocks go to `diagnostics`.
pub(super) fn read_arguments(source: &Arc<SourceFile>, diagnostics: &mut Vec<Diagnostic>) -> Vec<Attribute> {
    let (tree, normalized) = match normalize::parse(source) {
        Ok(parsed) => parsed,
        Err(diagnostic) => {
            diagnostics.push(*diagnostic);
            return Vec::new();
        }
    };
    let reader = Reader {
        text: &source.text,
        parsed: &normalized,
    };
    let mut from = normalized.base;
    let mut attributes = Vec::new();
    for structure in &tree {
        match structure {
            Structure::Attribute(attribute) => {
                let attribute = reader.attribute(attribute, Some(from));
                from = attribute.full.end;
                attributes.push(attribute);
            }
            Structure::Block(block) => {
                let span = reader.span(block.span());
                from = comments::line_end(&source.text, span.end);
                let problem = "a block cannot stand here, only arguments";
                diagnostics.push(Diagnostic::error(problem).at(source, span));
            }
        }
    }
    attributes
}

struct Reader<'t> {
    text: &'t str,
    parsed: &'t Normalized,
}

/// The way to a nested block, and what holds on it.
struct Way<'a> {
    kind: &'a BlockKind,
    within: Vec<&'a str>,
    destroys: bool,
}

impl Reader<'_> {
    fn span(&self, parsed: Option<Span>) -> Span {
        let span = parsed.unwrap_or_default();
        span.start + self.parsed.base..span.end + self.parsed.base
    }

    fn top_level(&self, block: &structure::Block, from: usize) -> Block {
        let kind = BlockKind::from_keyword(block.ident.as_str());
        let span = self.span(block.span());
        let owned = comments::owned(self.text, from, &span);
        let labels = self.labels(&block.labels);
        let header_end = labels
            .last()
            .map_or_else(|| self.span(block.ident.span()).end, |label| label.span.end);
        let mut collector = Collector::new(kind == BlockKind::Terraform);
        let mut way = Way {
            kind: &kind,
            within: Vec::new(),
            destroys: false,
        };
        let body = self.body(&block.body, header_end, span.end, &mut way, &mut collector);
        Block {
            labels,
            header: span.start..header_end,
            span,
            full: owned.full,
            leading: owned.leading,
            body,
            references: collector.finish(),
            kind,
        }
    }

    fn labels(&self, labels: &[BlockLabel]) -> Vec<Label> {
        labels
            .iter()
            .map(|label| Label {
                value: label.as_str().to_owned(),
                span: self.span(label.span()),
            })
            .collect()
    }

    fn body<'a>(
        &self,
        body: &'a structure::Body,
        header_end: usize,
        end: usize,
        way: &mut Way<'a>,
        collector: &mut Collector,
    ) -> Body {
        let open = self.open_brace(header_end);
        let after_brace = comments::line_end(self.text, open + 1);
        // A one-line body has no lines of its own.
        let mut from = (after_brace > open + 1).then_some(after_brace);
        let mut found = Body {
            span: open..end,
            ..Body::default()
        };
        let depth = collector.scope.len();
        let mut iterator = None;
        if let [.., "dynamic", label] = way.within[..] {
            iterator = Some(iterator_name(body).unwrap_or(label));
        }
        for structure in body {
            match structure {
                Structure::Attribute(source) => {
                    let attribute = self.attribute(source, from);
                    from = from.map(|_| attribute.full.end);
                    let name = source.key.as_str();
                    let treatment = treatment(way.kind, &way.within, name, way.destroys);
                    let binds = name == "labels" && iterator.is_some();
                    collector
                        .scope
                        .extend(iterator.filter(|_| binds).map(str::to_owned));
                    self.references(&source.value, name, treatment, way, collector);
                    collector.scope.truncate(depth);
                    found.attributes.push(attribute);
                }
                Structure::Block(source) => {
                    collector.scope.extend(iterator.map(str::to_owned));
                    let block = self.nested(source, from, way, collector);
                    collector.scope.truncate(depth);
                    from = from.map(|_| block.full.end);
                    found.blocks.push(block);
                }
            }
        }
        found
    }

    fn nested<'a>(
        &self,
        block: &'a structure::Block,
        from: Option<usize>,
        way: &mut Way<'a>,
        collector: &mut Collector,
    ) -> NestedBlock {
        let span = self.span(block.span());
        let labels = self.labels(&block.labels);
        let (depth, destroys, around) = (way.within.len(), way.destroys, collector.around);
        let name = block.ident.as_str();
        if depth == 0 && name == "provisioner" {
            way.destroys = runs_on_destroy(&block.body);
        }
        collector.around.in_dynamic |= name == "dynamic";
        way.within.push(name);
        way.within.extend(block.labels.iter().map(BlockLabel::as_str));
        let header_end = labels
            .last()
            .map_or_else(|| self.span(block.ident.span()).end, |label| label.span.end);
        let body = self.body(&block.body, header_end, span.end, way, collector);
        way.within.truncate(depth);
        way.destroys = destroys;
        collector.around = around;
        let owned = self.owned(from, &span);
        NestedBlock {
            name: name.to_owned(),
            labels,
            full: owned.full,
            leading: owned.leading,
            span,
            body,
        }
    }

    fn attribute(&self, attribute: &structure::Attribute, from: Option<usize>) -> Attribute {
        let span = self.span(attribute.span());
        let owned = self.owned(from, &span);
        Attribute {
            name: attribute.key.as_str().to_owned(),
            name_span: self.span(attribute.key.span()),
            value: self.span(attribute.value.span()),
            full: owned.full,
            leading: owned.leading,
            span,
        }
    }

    fn owned(&self, from: Option<usize>, span: &Span) -> comments::Owned {
        match from {
            Some(from) => comments::owned(self.text, from, span),
            None => comments::Owned {
                full: span.clone(),
                leading: span.start..span.start,
            },
        }
    }

    fn references(
        &self,
        expr: &Expression,
        name: &str,
        treatment: Treatment,
        way: &Way<'_>,
        collector: &mut Collector,
    ) {
        let text = Text {
            offsets: Offsets::Shift(self.parsed.base),
            repeated_keys: &self.parsed.repeated_keys,
        };
        let path = || {
            let mut path = way.within.join(".");
            if !path.is_empty() {
                path.push('.');
            }
            path.push_str(name);
            path
        };
        collector.argument(expr, treatment, path, &text);
    }

    /// Finds the brace behind a block's header: only white space and comments stand between.
    fn open_brace(&self, header_end: usize) -> usize {
        let bytes = self.text.as_bytes();
        let mut at = header_end;
        while let Some(&byte) = bytes.get(at) {
            match byte {
                b'{' => return at,
                b'/' | b'#' => at = comments::comment_end(bytes, at),
                _ => at += 1,
            }
        }
        header_end
    }
}

fn iterator_name(body: &structure::Body) -> Option<&str> {
    match body.get_attribute("iterator").map(|attribute| &attribute.value) {
        Some(Expression::Variable(name)) => Some(name.as_str()),
        Some(Expression::String(name)) => Some(name.as_str()),
        _ => None,
    }
}

fn runs_on_destroy(body: &structure::Body) -> bool {
    match body.get_attribute("when").map(|attribute| &attribute.value) {
        Some(Expression::Variable(word)) => word.as_str() == "destroy",
        Some(Expression::String(word)) => word.as_str() == "destroy",
        _ => false,
    }
}
