//! Finds the references of an expression, with exact spans and scopes.
//!
//! Walks hcl-edit's tree itself rather than through its `Visit`: that one skips the collection of `%{ for }`.

use std::collections::BTreeMap;
use std::sync::Arc;

use hcl_edit::Span as _;
use hcl_edit::expr::{Expression, ForExpr, ObjectKey, Traversal, TraversalOperator};
use hcl_edit::template::{Directive, Element, Template};

use super::Span;
use super::reference::{Place, Reference, Role, Step, StepKind, Surroundings, Target};
use super::target::{literal_key, target};
use super::treat::Treatment;

/// How offsets in the parsed text become offsets in the file.
#[derive(Clone, Copy, Debug)]
pub(super) enum Offsets<'t> {
    /// The parsed text is the file's from this offset on.
    Shift(usize),
    /// The parsed text was decoded: entry `i` is where byte `i` came from; one entry more than bytes.
    Table(&'t [usize]),
}

impl Offsets<'_> {
    pub(super) fn map(self, span: Span) -> Span {
        match self {
            Self::Shift(by) => span.start + by..span.end + by,
            Self::Table(table) => {
                let at = |offset: usize| table.get(offset).or(table.last()).copied().unwrap_or(0);
                at(span.start)..at(span.end)
            }
        }
    }
}

/// Object keys that were replaced before parsing because they repeat one: where the substitute stands → the
/// original text of the key.
pub(super) type RepeatedKeys = BTreeMap<usize, String>;

/// Collects references; lives as long as one top-level block.
#[derive(Debug)]
pub(super) struct Collector {
    /// What was found so far.
    pub found: Vec<Reference>,
    /// Names that are not references here, innermost last.
    pub scope: Vec<String>,
    /// The surroundings of what is walked next.
    pub around: Surroundings,
    /// Whether only what is known without resources counts (the `terraform` block).
    pub static_only: bool,
    role: Role,
    no_path: Option<Arc<str>>,
}

impl Collector {
    pub(super) fn new(static_only: bool) -> Self {
        Self {
            found: Vec::new(),
            scope: Vec::new(),
            around: Surroundings::default(),
            static_only,
            role: Role::Value,
            no_path: None,
        }
    }

    /// Returns what was found, sorted.
    pub(super) fn finish(mut self) -> Vec<Reference> {
        if !self.found.is_sorted_by_key(|reference| reference.span.start) {
            self.found
                .sort_by_key(|reference| (reference.span.start, std::cmp::Reverse(reference.span.end)));
        }
        self.found
    }

    /// Walks the expression of one argument.
    pub(super) fn argument(
        &mut self,
        expr: &Expression,
        treatment: Treatment,
        path: impl FnOnce() -> String,
        text: &Text<'_>,
    ) {
        let found_before = self.found.len();
        let mut walk = Walk { to: self, text };
        match treatment {
            Treatment::Expression(role) => {
                walk.to.role = role;
                walk.expr(expr);
            }
            Treatment::Names(role) => {
                walk.to.role = role;
                walk.names(expr);
            }
            Treatment::Keys(role) => {
                walk.to.role = role;
                walk.keys(expr);
            }
            Treatment::Nothing => {}
        }
        self.set_path(found_before, path);
    }

    /// Walks a template (the text of a JSON string).
    pub(super) fn template(
        &mut self,
        template: &Template,
        role: Role,
        path: impl FnOnce() -> String,
        text: &Text<'_>,
    ) {
        let found_before = self.found.len();
        self.role = role;
        let mut walk = Walk { to: self, text };
        walk.template(template);
        self.set_path(found_before, path);
    }

    /// Says where the references found since then stand; the text is made only if there are any.
    fn set_path(&mut self, found_before: usize, path: impl FnOnce() -> String) {
        if self.found.len() > found_before {
            let path: Arc<str> = path().into();
            for reference in &mut self.found[found_before..] {
                reference.place.path = Arc::clone(&path);
            }
        }
    }

    fn is_bound(&self, name: &str) -> bool {
        self.scope.iter().any(|bound| bound == name)
    }
}

/// The text an expression was parsed from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Text<'t> {
    pub offsets: Offsets<'t>,
    pub repeated_keys: &'t RepeatedKeys,
}

struct Walk<'c, 't> {
    to: &'c mut Collector,
    text: &'t Text<'t>,
}

impl Walk<'_, '_> {
    fn expr(&mut self, expr: &Expression) {
        match expr {
            Expression::Null(_) | Expression::Bool(_) | Expression::Number(_) | Expression::String(_) => {}
            Expression::Array(items) => items.iter().for_each(|item| self.expr(item)),
            Expression::Object(object) => {
                for (key, value) in object {
                    self.object_key(key);
                    self.expr(value.expr());
                }
            }
            Expression::StringTemplate(template) => {
                let before = self.to.around;
                self.to.around.in_template = true;
                template.iter().for_each(|element| self.element(element));
                self.to.around = before;
            }
            Expression::HeredocTemplate(heredoc) => {
                let before = self.to.around;
                self.to.around.in_heredoc = true;
                self.template(&heredoc.template);
                self.to.around = before;
            }
            Expression::Parenthesis(inner) => self.expr(inner.inner()),
            Expression::Variable(name) => {
                if name.as_str() == "self" && !self.to.is_bound("self") {
                    let span = expr.span().unwrap_or_default();
                    self.push(Target::SelfObject, span.clone(), span, Vec::new());
                }
            }
            Expression::Conditional(conditional) => {
                self.expr(&conditional.cond_expr);
                self.expr(&conditional.true_expr);
                self.expr(&conditional.false_expr);
            }
            Expression::FuncCall(call) => call.args.iter().for_each(|argument| self.expr(argument)),
            Expression::Traversal(traversal) => self.traversal(traversal),
            Expression::UnaryOp(operation) => self.expr(&operation.expr),
            Expression::BinaryOp(operation) => {
                self.expr(&operation.lhs_expr);
                self.expr(&operation.rhs_expr);
            }
            Expression::ForExpr(for_expr) => self.for_expr(for_expr),
        }
    }

    fn object_key(&mut self, key: &ObjectKey) {
        match key {
            ObjectKey::Expression(expr) => self.expr(expr),
            ObjectKey::Ident(_) if self.text.repeated_keys.is_empty() => {}
            ObjectKey::Ident(name) => {
                let Some(at) = name.span().map(|span| span.start) else {
                    return;
                };
                let Some(original) = self.text.repeated_keys.get(&at) else {
                    return;
                };
                // Only keys that hold no repeated keys of their own parse here; deeper ones are not written by people.
                if let Ok(expr) = original.parse::<Expression>() {
                    let start = self.text.offsets.map(at..at).start;
                    let text = Text {
                        offsets: Offsets::Shift(start),
                        repeated_keys: &RepeatedKeys::new(),
                    };
                    let mut walk = Walk {
                        to: self.to,
                        text: &text,
                    };
                    walk.expr(&expr);
                }
            }
        }
    }

    fn for_expr(&mut self, for_expr: &ForExpr) {
        let intro = &for_expr.intro;
        self.expr(&intro.collection_expr);
        let (around, depth) = (self.to.around, self.to.scope.len());
        self.to.around.in_for = true;
        if let Some(key) = &intro.key_var {
            self.to.scope.push(key.as_str().to_owned());
        }
        self.to.scope.push(intro.value_var.as_str().to_owned());
        if let Some(key) = &for_expr.key_expr {
            self.expr(key);
        }
        self.expr(&for_expr.value_expr);
        if let Some(condition) = &for_expr.cond {
            self.expr(&condition.expr);
        }
        self.to.scope.truncate(depth);
        self.to.around = around;
    }

    fn template(&mut self, template: &Template) {
        let before = self.to.around;
        self.to.around.in_template = true;
        template.iter().for_each(|element| self.element(element));
        self.to.around = before;
    }

    fn element(&mut self, element: &Element) {
        match element {
            Element::Literal(_) => {}
            Element::Interpolation(interpolation) => self.expr(&interpolation.expr),
            Element::Directive(directive) => {
                let before = self.to.around;
                self.to.around.in_directive = true;
                self.directive(directive);
                self.to.around = before;
            }
        }
    }

    fn directive(&mut self, directive: &Directive) {
        match directive {
            Directive::If(directive) => {
                self.expr(&directive.if_expr.cond_expr);
                self.template(&directive.if_expr.template);
                if let Some(otherwise) = &directive.else_expr {
                    self.template(&otherwise.template);
                }
            }
            Directive::For(directive) => {
                let intro = &directive.for_expr;
                self.expr(&intro.collection_expr);
                let depth = self.to.scope.len();
                if let Some(key) = &intro.key_var {
                    self.to.scope.push(key.as_str().to_owned());
                }
                self.to.scope.push(intro.value_var.as_str().to_owned());
                self.template(&intro.template);
                self.to.scope.truncate(depth);
            }
        }
    }

    /// Names of objects: a string's text is a reference, everything else an expression.
    fn names(&mut self, expr: &Expression) {
        match expr {
            Expression::Array(items) => items.iter().for_each(|item| self.names(item)),
            Expression::Parenthesis(inner) => self.names(inner.inner()),
            Expression::String(name) => {
                let Some(span) = expr.span() else { return };
                // Escapes would shift the spans; no name needs any.
                if span.len() != name.len() + 2 {
                    return;
                }
                if let Ok(inner) = name.parse::<Expression>() {
                    let start = self.text.offsets.map(span.start + 1..span.end).start;
                    let text = Text {
                        offsets: Offsets::Shift(start),
                        repeated_keys: self.text.repeated_keys,
                    };
                    let before = self.to.around;
                    self.to.around.in_quotes = true;
                    let mut walk = Walk {
                        to: self.to,
                        text: &text,
                    };
                    walk.expr(&inner);
                    self.to.around = before;
                }
            }
            other => self.expr(other),
        }
    }

    /// Only what stands in brackets behind a name is an expression.
    fn keys(&mut self, expr: &Expression) {
        match expr {
            Expression::Traversal(traversal) => {
                self.keys(&traversal.expr);
                self.index_expressions(traversal);
            }
            Expression::Object(object) => {
                for (key, value) in object {
                    if let ObjectKey::Expression(key) = key {
                        self.keys(key);
                    }
                    self.keys(value.expr());
                }
            }
            Expression::Array(items) => items.iter().for_each(|item| self.keys(item)),
            Expression::Parenthesis(inner) => self.keys(inner.inner()),
            _ => {}
        }
    }

    fn index_expressions(&mut self, traversal: &Traversal) {
        for operator in &traversal.operators {
            if let TraversalOperator::Index(index) = operator.value() {
                self.expr(index);
            }
        }
    }

    fn traversal(&mut self, traversal: &Traversal) {
        match &traversal.expr {
            Expression::Variable(name) if self.to.is_bound(name.as_str()) => {}
            Expression::Variable(name) => self.rooted(name.as_str(), traversal),
            other => self.expr(other),
        }
        self.index_expressions(traversal);
    }

    fn rooted(&mut self, first: &str, traversal: &Traversal) {
        let Some((target, root_steps)) = target(first, traversal) else {
            return;
        };
        let Some(span) = traversal.span() else { return };
        let root_end = if root_steps == 0 {
            traversal.expr.span().map_or(span.end, |first| first.end)
        } else {
            let last = traversal.operators[root_steps - 1].span();
            last.map_or(span.end, |last| last.end)
        };
        let steps = self.steps(traversal, root_steps);
        let root = span.start..root_end;
        self.push(target, span, root, steps);
    }

    fn steps(&self, traversal: &Traversal, skip: usize) -> Vec<Step> {
        let mut steps = Vec::with_capacity(traversal.operators.len() - skip);
        for operator in traversal.operators.iter().skip(skip) {
            let kind = match operator.value() {
                TraversalOperator::AttrSplat(_) => StepKind::AttrSplat,
                TraversalOperator::FullSplat(_) => StepKind::FullSplat,
                TraversalOperator::GetAttr(name) => StepKind::Attr(name.as_str().to_owned()),
                TraversalOperator::LegacyIndex(index) => StepKind::LegacyIndex(*index.value()),
                TraversalOperator::Index(index) => match literal_key(index) {
                    Some(key) => StepKind::Index(key),
                    None => {
                        StepKind::IndexExpression(self.text.offsets.map(index.span().unwrap_or_default()))
                    }
                },
            };
            steps.push(Step {
                span: self.text.offsets.map(operator.span().unwrap_or_default()),
                kind,
            });
        }
        steps
    }

    fn push(&mut self, target: Target, span: Span, root: Span, steps: Vec<Step>) {
        let is_static = matches!(
            target,
            Target::Var(_) | Target::Local(_) | Target::Path(_) | Target::Terraform(_)
        );
        if self.to.static_only && !is_static {
            return;
        }
        let path = self.no_path();
        self.to.found.push(Reference {
            target,
            span: self.text.offsets.map(span),
            root: self.text.offsets.map(root),
            steps,
            place: Place {
                path,
                role: self.to.role,
                around: self.to.around,
            },
        });
    }

    /// Returns the placeholder that `argument` replaces; shared, so that it costs no allocation.
    fn no_path(&mut self) -> Arc<str> {
        Arc::clone(self.to.no_path.get_or_insert_with(|| Arc::from("")))
    }
}
