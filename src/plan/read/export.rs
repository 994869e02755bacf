//! Reads `export` blocks: an expression of the stack's own code, kept as text, with what it refers to.

use hcl_edit::Span as _;
use hcl_edit::expr::{Expression, ForExpr, Traversal, TraversalOperator};
use hcl_edit::structure::Block;
use hcl_edit::template::ForTemplateExpr;
use hcl_edit::visit::{self, Visit};

use super::body::{Reader, Words, ident_span, value_span};
use crate::plan::file::{ExportBlock, ExportReference, Spanned};

impl Reader {
    pub(super) fn export(&mut self, block: &Block) -> Option<ExportBlock> {
        self.check_words(
            &block.body,
            &Words {
                what: "an `export` block",
                attributes: &["value", "sensitive"],
                blocks: &[],
            },
        );
        let name = self.label(block, "the name of the value in the contract");
        if let Some(name) = &name
            && hcl::Identifier::new(name.value.as_str()).is_err()
        {
            self.error(
                name.span.clone(),
                format!("`{}` cannot be the name of a contract value", name.value),
            )
            .hint("use letters, digits, `_` and `-`, starting with a letter");
        }
        let sensitive = self.flag(&block.body, "sensitive");
        let Some(attribute) = block.body.get_attribute("value") else {
            self.error(ident_span(block), "`export` has no `value`")
                .hint("add `value = aws_x.y.arn`, an expression of the stack's own code");
            return None;
        };
        let span = value_span(attribute);
        let mut walk = References::default();
        walk.visit_expr(&attribute.value);
        if walk.found.is_empty() {
            self.error(span.clone(), "the exported value refers to nothing of the stack")
                .hint("write an expression such as `aws_x.y.arn`, without quotes");
        }
        Some(ExportBlock {
            name: name?,
            value: Spanned {
                value: self.file().text.get(span.clone()).unwrap_or_default().to_owned(),
                span,
            },
            references: walk.found,
            sensitive,
        })
    }
}

/// Collects references; names bound by `for` are none.
#[derive(Default)]
struct References {
    bound: Vec<String>,
    found: Vec<ExportReference>,
}

impl References {
    /// Notes a reference given its first name and the names that follow.
    fn note(&mut self, span: Option<std::ops::Range<usize>>, first: &str, rest: &[&str]) {
        if self.bound.iter().any(|name| name == first) {
            return;
        }
        let length = match first {
            "data" | "ephemeral" => 3,
            _ => 2,
        };
        let mut root = first.to_owned();
        for name in rest.iter().take(length - 1) {
            root.push('.');
            root.push_str(name);
        }
        self.found.push(ExportReference {
            span: span.unwrap_or(0..0),
            root,
        });
    }

    /// Visits with more names bound, then forgets them.
    fn within(&mut self, names: &[Option<&str>], visit: impl FnOnce(&mut Self)) {
        let before = self.bound.len();
        self.bound
            .extend(names.iter().flatten().map(|name| (*name).to_owned()));
        visit(self);
        self.bound.truncate(before);
    }
}

impl Visit for References {
    fn visit_expr(&mut self, expr: &Expression) {
        match expr {
            Expression::Variable(name) => self.note(name.span(), name.as_str(), &[]),
            _ => visit::visit_expr(self, expr),
        }
    }

    fn visit_traversal(&mut self, path: &Traversal) {
        let Expression::Variable(first) = &path.expr else {
            visit::visit_traversal(self, path);
            return;
        };
        let names: Vec<&str> = path
            .operators
            .iter()
            .map_while(|operator| match operator.value() {
                TraversalOperator::GetAttr(name) => Some(name.as_str()),
                _ => None,
            })
            .collect();
        self.note(path.span(), first.as_str(), &names);
        for operator in &path.operators {
            self.visit_traversal_operator(operator);
        }
    }

    // `{ name = … }` in an object is a member's name, not a reference; hcl-edit gives it as an identifier or,
    // in parentheses, as an expression, which the default visit tells apart.

    fn visit_for_expr(&mut self, node: &ForExpr) {
        self.visit_expr(&node.intro.collection_expr);
        let key = node.intro.key_var.as_ref().map(|name| name.as_str());
        let names = [key, Some(node.intro.value_var.as_str())];
        self.within(&names, |walk| {
            if let Some(key) = &node.key_expr {
                walk.visit_expr(key);
            }
            walk.visit_expr(&node.value_expr);
            if let Some(cond) = &node.cond {
                walk.visit_expr(&cond.expr);
            }
        });
    }

    fn visit_for_template_expr(&mut self, node: &ForTemplateExpr) {
        // The default visit leaves out the collection.
        self.visit_expr(&node.collection_expr);
        let key = node.key_var.as_ref().map(|name| name.as_str());
        let names = [key, Some(node.value_var.as_str())];
        self.within(&names, |walk| walk.visit_template(&node.template));
    }
}
