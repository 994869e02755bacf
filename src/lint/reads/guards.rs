//! What is asked for with care: where it is absent, nothing need be wrong.

use hcl_edit::Span as _;
use hcl_edit::expr::{BinaryOp, BinaryOperator, Conditional, Expression, ForExpr, FuncCall};
use hcl_edit::template::IfDirective;
use hcl_edit::visit::{self, Visit};

use super::elements::argument;
use crate::config::{Block, ConfigFile, Span, Syntax};

/// What a text has where something in it may be asked for with care.
const SIGNS: [&str; 6] = ["try(", "can(", "?", "%{", " if ", "&&"];

/// Tells whether what stands at a range may be absent: it is inside of a `try` or `can`, or taken under a condition.
pub(super) fn guarded(file: &ConfigFile, block: &Block, span: &Span) -> bool {
    let Some((argument, _)) = argument(&block.body, span, None) else {
        return false;
    };
    let value = file.text(&argument.value);
    if !SIGNS.iter().any(|sign| value.contains(sign)) && !value.contains("||") {
        return false;
    }
    if file.syntax == Syntax::Json {
        // Where in its texts it stands is not looked for.
        return true;
    }
    let mut found = Guards {
        wanted: span.start - argument.value.start..span.end - argument.value.start,
        found: false,
    };
    if let Some(expr) = file.expression(&argument.value) {
        found.visit_expr(&expr);
    }
    found.found
}

struct Guards {
    wanted: Span,
    found: bool,
}

impl Guards {
    fn is_in(&self, expr: &Expression) -> bool {
        expr.span()
            .is_some_and(|span| span.start <= self.wanted.start && self.wanted.end <= span.end)
    }
}

impl Visit for Guards {
    fn visit_func_call(&mut self, call: &FuncCall) {
        let is_around = |span: Span| span.start < self.wanted.start && self.wanted.end < span.end;
        if matches!(call.name.name.as_str(), "try" | "can") && call.span().is_some_and(is_around) {
            self.found = true;
        }
        visit::visit_func_call(self, call);
    }

    fn visit_conditional(&mut self, found: &Conditional) {
        self.found |= self.is_in(&found.true_expr) || self.is_in(&found.false_expr);
        visit::visit_conditional(self, found);
    }

    fn visit_binary_op(&mut self, found: &BinaryOp) {
        // The right side counts only where the left one leaves it open.
        let is_lazy = matches!(found.operator.value(), BinaryOperator::And | BinaryOperator::Or);
        self.found |= is_lazy && self.is_in(&found.rhs_expr);
        visit::visit_binary_op(self, found);
    }

    fn visit_for_expr(&mut self, found: &ForExpr) {
        let is_taken =
            self.is_in(&found.value_expr) || found.key_expr.as_ref().is_some_and(|key| self.is_in(key));
        self.found |= found.cond.is_some() && is_taken;
        visit::visit_for_expr(self, found);
    }

    fn visit_if_directive(&mut self, found: &IfDirective) {
        let is_around = |span: Span| span.start <= self.wanted.start && self.wanted.end <= span.end;
        self.found |= found.span().is_some_and(is_around) && !self.is_in(&found.if_expr.cond_expr);
        visit::visit_if_directive(self, found);
    }
}
