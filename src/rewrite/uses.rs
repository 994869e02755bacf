//! What is taken from an object that is named as a whole, told by what is done with it.
//!
//! `[for s in module.service : s.arn]` takes `arn` of each instance, `keys(module.service)` only the keys. Where the
//! surroundings do not tell, everything is taken.

use std::collections::BTreeSet;

use hcl_edit::Span as _;
use hcl_edit::expr::{Expression, ForExpr, ObjectKey, TraversalOperator};
use hcl_edit::template::{Directive, Element, StringTemplate, Template};

use super::access::Taken;
use crate::config::{Attribute, Block, Body, ConfigFile, Reference, Role, Span, StepKind, Syntax, Target};

/// Returns what the surroundings of a reference take from the object, or from each of its instances.
pub(super) fn taken(
    file: &ConfigFile,
    block: &Block,
    reference: &Reference,
    repeated: bool,
) -> BTreeSet<Taken> {
    let whole = BTreeSet::from([Taken::Whole]);
    if file.syntax == Syntax::Json || !repeated {
        return whole;
    }
    let Some(argument) = argument(&block.body, &reference.span) else {
        return whole;
    };
    if reference.place.role == Role::ForEach && argument.value == reference.span {
        return of_each(block).unwrap_or(whole);
    }
    let Some(expr) = file.expression(&argument.value) else {
        return whole;
    };
    let span = reference.span.start - argument.value.start..reference.span.end - argument.value.start;
    search(&expr, &span).unwrap_or(whole)
}

/// Returns the argument that a range lies in.
pub(super) fn argument<'b>(body: &'b Body, span: &Span) -> Option<&'b Attribute> {
    let own = body
        .attributes
        .iter()
        .find(|argument| argument.value.start <= span.start && span.end <= argument.value.end);
    own.or_else(|| body.blocks.iter().find_map(|nested| argument(&nested.body, span)))
}

/// What a block with `for_each` takes from each element.
fn of_each(block: &Block) -> Option<BTreeSet<Taken>> {
    let mut found = BTreeSet::from([Taken::Keys]);
    for reference in block
        .references
        .iter()
        .filter(|found| found.target == Target::EachValue)
    {
        match reference.steps.first().map(|step| &step.kind) {
            Some(StepKind::Attr(name)) => found.insert(Taken::Attribute(name.clone())),
            _ => return None,
        };
    }
    Some(found)
}

/// Finds the place of a reference and looks at what is around it; none where it is taken as a whole.
fn search(expr: &Expression, span: &Span) -> Option<BTreeSet<Taken>> {
    match expr {
        Expression::ForExpr(for_expr) if is_all(&for_expr.intro.collection_expr, span) => of_for(for_expr),
        Expression::FuncCall(call) if is_counted(call.name.name.as_str()) => match call.args.iter().next() {
            Some(only) if call.args.len() == 1 && is(only, span) => Some(BTreeSet::from([Taken::Keys])),
            _ => inside(expr, span),
        },
        Expression::Traversal(traversal) if is_all(&traversal.expr, span) => {
            let mut steps = traversal.operators.iter().map(hcl_edit::Decorated::value);
            steps.next();
            match steps.next() {
                Some(TraversalOperator::GetAttr(name)) => Some(BTreeSet::from([
                    Taken::Keys,
                    Taken::Attribute(name.as_str().to_owned()),
                ])),
                _ => None,
            }
        }
        _ => inside(expr, span),
    }
}

/// Tells whether what stands at a range is the result of the whole expression, or of a branch of it.
pub(super) fn is_result(expr: &Expression, span: &Span) -> bool {
    match expr {
        Expression::Parenthesis(inner) => is_result(inner.inner(), span),
        Expression::Conditional(found) => {
            is_result(&found.true_expr, span) || is_result(&found.false_expr, span)
        }
        other => is(other, span),
    }
}

fn is_counted(function: &str) -> bool {
    matches!(function, "keys" | "length")
}

fn is(expr: &Expression, span: &Span) -> bool {
    expr.span().as_ref() == Some(span)
}

/// Tells whether an expression is all instances: the reference itself, or `values` of it.
fn is_all(expr: &Expression, span: &Span) -> bool {
    match expr {
        Expression::FuncCall(call) if call.name.name.as_str() == "values" => {
            call.args.iter().next().is_some_and(|only| is(only, span))
        }
        Expression::Parenthesis(inner) => is_all(inner.inner(), span),
        other => is(other, span),
    }
}

fn contains(expr: &Expression, span: &Span) -> bool {
    expr.span()
        .is_some_and(|found| found.start <= span.start && span.end <= found.end)
}

/// Goes one level down, towards the reference.
fn inside(expr: &Expression, span: &Span) -> Option<BTreeSet<Taken>> {
    if let Expression::StringTemplate(template) = expr {
        return in_elements(&mut template.iter(), span);
    }
    if let Expression::HeredocTemplate(heredoc) = expr {
        return in_elements(&mut heredoc.template.iter(), span);
    }
    children(expr)
        .into_iter()
        .find(|child| contains(child, span))
        .and_then(|child| search(child, span))
}

fn in_elements(elements: &mut dyn Iterator<Item = &Element>, span: &Span) -> Option<BTreeSet<Taken>> {
    for element in elements {
        match element {
            Element::Interpolation(inner) if contains(&inner.expr, span) => return search(&inner.expr, span),
            Element::Directive(directive) => match &**directive {
                Directive::For(found) => {
                    let intro = &found.for_expr;
                    if is_all(&intro.collection_expr, span) {
                        let mut uses = Uses::of(intro.value_var.as_str());
                        uses.template(&intro.template);
                        return uses.finish();
                    }
                    let within = in_elements(&mut intro.template.iter(), span);
                    if within.is_some() {
                        return within;
                    }
                }
                Directive::If(found) => {
                    if contains(&found.if_expr.cond_expr, span) {
                        return search(&found.if_expr.cond_expr, span);
                    }
                    let otherwise = found.else_expr.iter().flat_map(|other| other.template.iter());
                    let within = in_elements(&mut found.if_expr.template.iter().chain(otherwise), span);
                    if within.is_some() {
                        return within;
                    }
                }
            },
            _ => {}
        }
    }
    None
}

fn of_for(for_expr: &ForExpr) -> Option<BTreeSet<Taken>> {
    let mut uses = Uses::of(for_expr.intro.value_var.as_str());
    if let Some(key) = &for_expr.key_expr {
        uses.expr(key);
    }
    uses.expr(&for_expr.value_expr);
    if let Some(condition) = &for_expr.cond {
        uses.expr(&condition.expr);
    }
    uses.finish()
}

/// What is taken from a bound name.
struct Uses<'n> {
    name: &'n str,
    found: BTreeSet<Taken>,
    is_whole: bool,
}

impl<'n> Uses<'n> {
    fn of(name: &'n str) -> Self {
        Self {
            name,
            found: BTreeSet::from([Taken::Keys]),
            is_whole: false,
        }
    }

    fn finish(self) -> Option<BTreeSet<Taken>> {
        (!self.is_whole).then_some(self.found)
    }

    fn expr(&mut self, expr: &Expression) {
        match expr {
            Expression::Variable(name) if name.as_str() == self.name => self.is_whole = true,
            Expression::Traversal(traversal) => {
                match &traversal.expr {
                    Expression::Variable(name) if name.as_str() == self.name => {
                        match traversal.operators.first().map(hcl_edit::Decorated::value) {
                            Some(TraversalOperator::GetAttr(attribute)) => {
                                self.found.insert(Taken::Attribute(attribute.as_str().to_owned()));
                            }
                            _ => self.is_whole = true,
                        }
                    }
                    other => self.expr(other),
                }
                for step in &traversal.operators {
                    if let TraversalOperator::Index(index) = step.value() {
                        self.expr(index);
                    }
                }
            }
            Expression::StringTemplate(template) => self.elements(template),
            Expression::HeredocTemplate(heredoc) => self.template(&heredoc.template),
            other => children(other).into_iter().for_each(|child| self.expr(child)),
        }
    }

    fn elements(&mut self, template: &StringTemplate) {
        template.iter().for_each(|element| self.element(element));
    }

    fn template(&mut self, template: &Template) {
        template.iter().for_each(|element| self.element(element));
    }

    fn element(&mut self, element: &Element) {
        match element {
            Element::Literal(_) => {}
            Element::Interpolation(inner) => self.expr(&inner.expr),
            Element::Directive(directive) => match &**directive {
                Directive::For(found) => {
                    self.expr(&found.for_expr.collection_expr);
                    self.template(&found.for_expr.template);
                }
                Directive::If(found) => {
                    self.expr(&found.if_expr.cond_expr);
                    self.template(&found.if_expr.template);
                    if let Some(otherwise) = &found.else_expr {
                        self.template(&otherwise.template);
                    }
                }
            },
        }
    }
}

/// Returns the expressions directly inside an expression, but for those in templates.
fn children(expr: &Expression) -> Vec<&Expression> {
    match expr {
        Expression::Array(items) => items.iter().collect(),
        Expression::Object(object) => object
            .iter()
            .flat_map(|(key, value)| {
                let key = match key {
                    ObjectKey::Expression(key) => Some(key),
                    ObjectKey::Ident(_) => None,
                };
                key.into_iter().chain([value.expr()])
            })
            .collect(),
        Expression::Parenthesis(inner) => vec![inner.inner()],
        Expression::Conditional(found) => vec![&found.cond_expr, &found.true_expr, &found.false_expr],
        Expression::FuncCall(call) => call.args.iter().collect(),
        Expression::Traversal(traversal) => {
            let indexes = traversal.operators.iter().filter_map(|step| match step.value() {
                TraversalOperator::Index(index) => Some(index),
                _ => None,
            });
            std::iter::once(&traversal.expr).chain(indexes).collect()
        }
        Expression::UnaryOp(operation) => vec![&operation.expr],
        Expression::BinaryOp(operation) => vec![&operation.lhs_expr, &operation.rhs_expr],
        Expression::ForExpr(found) => {
            let mut all = vec![&found.intro.collection_expr, &found.value_expr];
            all.extend(&found.key_expr);
            all.extend(found.cond.iter().map(|condition| &condition.expr));
            all
        }
        _ => Vec::new(),
    }
}
