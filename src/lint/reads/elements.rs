//! What is read of the elements of a collection: by `for` expressions and directives, and by repetitions of blocks.

use hcl_edit::Span as _;
use hcl_edit::expr::{Conditional, Expression, ForExpr, FuncCall, Traversal, TraversalOperator};
use hcl_edit::template::{ForDirective, IfDirective};
use hcl_edit::visit::{self, Visit};

use super::path::{Path, path};
use crate::config::{Attribute, Block, Body, ConfigFile, NestedBlock, Span, Syntax, Target};
use crate::lint::shape::Step;

/// The steps into the elements of what stands at a range of a block, each with the place that takes them.
pub(super) fn of(file: &ConfigFile, block: &Block, span: &Span) -> Vec<(Vec<Step>, Span)> {
    if file.syntax == Syntax::Json {
        return Vec::new();
    }
    let is_all = |argument: &Attribute| {
        let rest = |span: Span| file.text(&span).trim().is_empty();
        argument.name == "for_each"
            && rest(argument.value.start..span.start)
            && rest(span.end..argument.value.end)
    };
    let Some((argument, dynamic)) = argument(&block.body, span, None) else {
        return Vec::new();
    };
    match (is_all(argument), dynamic) {
        (true, None) => of_repetition(file, block),
        (true, Some(nested)) if nested.name == "dynamic" => of_dynamic(file, nested),
        _ => {
            let mut found = Collections {
                text: &file.source.text,
                start: argument.value.start,
                wanted: span.start - argument.value.start..span.end - argument.value.start,
                found: Vec::new(),
            };
            if let Some(expr) = file.expression(&argument.value) {
                found.visit_expr(&expr);
            }
            found.found
        }
    }
}

/// Returns the argument that a range lies in, with the block around it where that is a nested one.
pub(super) fn argument<'b>(
    body: &'b Body,
    span: &Span,
    around: Option<&'b NestedBlock>,
) -> Option<(&'b Attribute, Option<&'b NestedBlock>)> {
    let is_inside =
        |argument: &&Attribute| argument.value.start <= span.start && span.end <= argument.value.end;
    let own = body
        .attributes
        .iter()
        .find(is_inside)
        .map(|found| (found, around));
    own.or_else(|| {
        body.blocks
            .iter()
            .find_map(|nested| argument(&nested.body, span, Some(nested)))
    })
}

/// What a block with `for_each` takes of `each.value`.
fn of_repetition(file: &ConfigFile, block: &Block) -> Vec<(Vec<Step>, Span)> {
    let of_value = block
        .references
        .iter()
        .filter(|found| found.target == Target::EachValue);
    of_value
        .map(|reference| {
            let Path { steps, span, .. } = path(file, reference);
            let every = std::iter::once(Step::Every).chain(steps);
            (every.collect(), span)
        })
        .collect()
}

/// What a `dynamic` block takes of its iterator.
fn of_dynamic(file: &ConfigFile, dynamic: &NestedBlock) -> Vec<(Vec<Step>, Span)> {
    let named = dynamic
        .body
        .attribute("iterator")
        .map(|given| file.text(&given.value));
    let label = dynamic.labels.first().map_or("", |label| label.value.as_str());
    let mut found = Vec::new();
    for content in dynamic.body.nested("content") {
        in_body(file, &content.body, named.unwrap_or(label), &mut found);
    }
    found
}

fn in_body(file: &ConfigFile, body: &Body, iterator: &str, found: &mut Vec<(Vec<Step>, Span)>) {
    for argument in &body.attributes {
        let Some(expr) = file.expression(&argument.value) else {
            continue;
        };
        let mut uses = Uses::of(iterator);
        uses.visit_expr(&expr);
        for (mut steps, span) in uses.found {
            if steps.get(1) == Some(&Step::Name("value".into())) {
                steps.remove(1);
                found.push((steps, placed(&span, argument.value.start)));
            }
        }
    }
    for nested in &body.blocks {
        in_body(file, &nested.body, iterator, found);
    }
}

fn placed(span: &Span, start: usize) -> Span {
    start + span.start..start + span.end
}

/// Looks for what walks through a collection.
struct Collections<'t> {
    text: &'t str,
    start: usize,
    wanted: Span,
    found: Vec<(Vec<Step>, Span)>,
}

impl Collections<'_> {
    fn is_wanted(&self, expr: &Expression) -> bool {
        match expr {
            Expression::Parenthesis(inner) => self.is_wanted(inner.inner()),
            // All members of several collections are those of each.
            Expression::FuncCall(call)
                if matches!(call.name.name.as_str(), "values" | "merge" | "concat") =>
            {
                call.args.iter().any(|argument| self.is_wanted(argument))
            }
            other => other.span().is_some_and(|span| {
                // Parsers differ in whether blanks behind an expression belong to it.
                let end = self.start + span.end;
                let blank = self.text.get(self.start + self.wanted.end..end);
                span.start == self.wanted.start
                    && (span.end == self.wanted.end || blank.is_some_and(|blank| blank.trim().is_empty()))
            }),
        }
    }

    fn take(&mut self, uses: Uses<'_>) {
        let start = self.start;
        let placed = uses
            .found
            .into_iter()
            .map(|(steps, span)| (steps, placed(&span, start)));
        self.found.extend(placed);
    }
}

impl Visit for Collections<'_> {
    fn visit_for_expr(&mut self, found: &ForExpr) {
        if self.is_wanted(&found.intro.collection_expr) {
            let mut uses = Uses::of(found.intro.value_var.as_str());
            if let Some(condition) = &found.cond {
                uses.visit_expr(&condition.expr);
                uses.is_sometimes = true;
            }
            if let Some(key) = &found.key_expr {
                uses.visit_expr(key);
            }
            uses.visit_expr(&found.value_expr);
            self.take(uses);
        }
        visit::visit_for_expr(self, found);
    }

    fn visit_for_directive(&mut self, found: &ForDirective) {
        if self.is_wanted(&found.for_expr.collection_expr) {
            let mut uses = Uses::of(found.for_expr.value_var.as_str());
            uses.visit_template(&found.for_expr.template);
            self.take(uses);
        }
        visit::visit_for_directive(self, found);
    }
}

/// What is taken of a bound name.
struct Uses<'n> {
    name: &'n str,
    /// Whether it is taken of some elements only.
    is_sometimes: bool,
    found: Vec<(Vec<Step>, Span)>,
}

impl<'n> Uses<'n> {
    fn of(name: &'n str) -> Self {
        Self {
            name,
            is_sometimes: false,
            found: Vec::new(),
        }
    }

    fn element(&self) -> Step {
        if self.is_sometimes { Step::Any } else { Step::Every }
    }

    fn sometimes(&mut self, visit: impl FnOnce(&mut Self)) {
        let before = std::mem::replace(&mut self.is_sometimes, true);
        visit(self);
        self.is_sometimes = before;
    }
}

impl Visit for Uses<'_> {
    fn visit_expr(&mut self, expr: &Expression) {
        match expr {
            Expression::Variable(name) if name.as_str() == self.name => {
                self.found
                    .push((vec![self.element()], name.span().unwrap_or_default()));
            }
            _ => visit::visit_expr(self, expr),
        }
    }

    fn visit_traversal(&mut self, traversal: &Traversal) {
        if let Expression::Variable(name) = &traversal.expr
            && name.as_str() == self.name
        {
            let steps = traversal.operators.iter().map(|step| step_of(step.value()));
            let span = traversal.span().or_else(|| name.span()).unwrap_or_default();
            let steps = std::iter::once(self.element()).chain(steps).collect();
            self.found.push((steps, span));
        } else {
            self.visit_expr(&traversal.expr);
        }
        for step in &traversal.operators {
            if let TraversalOperator::Index(index) = step.value() {
                self.visit_expr(index);
            }
        }
    }

    fn visit_conditional(&mut self, found: &Conditional) {
        self.visit_expr(&found.cond_expr);
        self.sometimes(|uses| {
            uses.visit_expr(&found.true_expr);
            uses.visit_expr(&found.false_expr);
        });
    }

    fn visit_if_directive(&mut self, found: &IfDirective) {
        self.sometimes(|uses| visit::visit_if_directive(uses, found));
    }

    fn visit_func_call(&mut self, call: &FuncCall) {
        // What may be absent is asked for so.
        if !matches!(call.name.name.as_str(), "try" | "can") {
            visit::visit_func_call(self, call);
        }
    }

    fn visit_for_expr(&mut self, found: &ForExpr) {
        let names = [Some(&found.intro.value_var), found.intro.key_var.as_ref()];
        if names.into_iter().flatten().any(|name| name.as_str() == self.name) {
            self.visit_expr(&found.intro.collection_expr);
        } else {
            visit::visit_for_expr(self, found);
        }
    }
}

fn step_of(operator: &TraversalOperator) -> Step {
    match operator {
        TraversalOperator::GetAttr(name) => Step::Name(name.as_str().to_owned()),
        TraversalOperator::AttrSplat(_) | TraversalOperator::FullSplat(_) => Step::Splat,
        TraversalOperator::LegacyIndex(_) => Step::Index,
        TraversalOperator::Index(Expression::String(name)) => Step::Name(name.as_str().to_owned()),
        TraversalOperator::Index(Expression::Number(_)) => Step::Index,
        TraversalOperator::Index(_) => Step::Any,
    }
}
