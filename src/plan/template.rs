//! Values of the plan file that differ per environment and stack: `"${tenant}/${environment}/${stack}.tfstate"`.
//!
//! A template is checked when the plan file is read (every variable and function is known, with its position), kept
//! as text, and evaluated per environment and stack. Allowed are plain names, string literals and templates,
//! parentheses, `a == b ? x : y`, and the functions `lower`, `upper`, `replace`, `trimprefix` and `trimsuffix` with
//! Terraform's meaning (but `replace` takes no regular expressions).

use std::collections::BTreeMap;
use std::ops::Range;

use hcl::eval::{Context, Evaluate as _, FuncArgs, FuncDef, ParamType};
use hcl_edit::Span as _;
use hcl_edit::expr::{BinaryOperator, Expression};
use hcl_edit::template::Element;

use super::file::Spanned;
use super::suggest;

/// The functions a template may call, with the number of their arguments.
pub const FUNCTIONS: [(&str, usize); 5] = [
    ("lower", 1),
    ("replace", 3),
    ("trimprefix", 2),
    ("trimsuffix", 2),
    ("upper", 1),
];

/// A checked template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    /// The expression as it stands in the plan file.
    pub text: String,
    /// Where it stands.
    pub span: Range<usize>,
    /// The names it reads, in order of appearance.
    pub variables: Vec<Spanned<String>>,
}

/// Something a template may not hold: where, what, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct TemplateFault {
    /// Where it stands.
    pub span: Range<usize>,
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub hint: String,
}

impl Template {
    /// Checks an expression and keeps it as text. `file` is the whole text that the spans point into.
    pub(super) fn check(expr: &Expression, file: &str) -> Result<Self, Vec<TemplateFault>> {
        let span = expr.span().unwrap_or(0..0);
        let mut walk = Walk::default();
        walk.expr(expr);
        if !walk.faults.is_empty() {
            return Err(walk.faults);
        }
        Ok(Self {
            text: file.get(span.clone()).unwrap_or_default().to_owned(),
            span,
            variables: walk.variables,
        })
    }

    /// Evaluates the template.
    ///
    /// # Errors
    ///
    /// A fragment that says what failed, for example a name without a value.
    pub fn evaluate(&self, values: &BTreeMap<String, String>) -> Result<String, String> {
        if let Some(missing) = self
            .variables
            .iter()
            .find(|name| !values.contains_key(&name.value))
        {
            return Err(format!("`{}` has no value here", missing.value));
        }
        let expr: hcl::Expression = self
            .text
            .parse()
            .map_err(|error: hcl::Error| format!("the template cannot be read: {error}"))?;
        let mut context = context();
        for (name, value) in values {
            if let Ok(name) = hcl::Identifier::new(name.as_str()) {
                context.declare_var(name, value.as_str());
            }
        }
        match expr.evaluate(&context) {
            Ok(hcl::Value::String(text)) => Ok(text),
            Ok(hcl::Value::Bool(flag)) => Ok(flag.to_string()),
            Ok(_) => Err("the template does not give a text".to_owned()),
            Err(error) => Err(format!("the template cannot be evaluated: {}", error.kind())),
        }
    }
}

/// Collects the variables and faults of one template.
#[derive(Default)]
struct Walk {
    variables: Vec<Spanned<String>>,
    faults: Vec<TemplateFault>,
}

impl Walk {
    fn expr(&mut self, expr: &Expression) {
        match expr {
            Expression::String(_) => {}
            Expression::StringTemplate(template) => {
                for element in template {
                    match element {
                        Element::Literal(_) => {}
                        Element::Interpolation(part) => self.expr(&part.expr),
                        Element::Directive(directive) => self.refuse(
                            directive.span(),
                            "a `%{ … }` directive cannot stand here",
                            "write a conditional: `${environment == \"prod\" ? \"a\" : \"b\"}`",
                        ),
                    }
                }
            }
            Expression::Variable(name) => self.variables.push(Spanned {
                value: name.as_str().to_owned(),
                span: name.span().unwrap_or(0..0),
            }),
            Expression::Parenthesis(inner) => self.expr(inner.inner()),
            Expression::Conditional(choice) => {
                self.expr(&choice.cond_expr);
                self.expr(&choice.true_expr);
                self.expr(&choice.false_expr);
            }
            Expression::BinaryOp(op) if is_equality(*op.operator.value()) => {
                self.expr(&op.lhs_expr);
                self.expr(&op.rhs_expr);
            }
            Expression::FuncCall(call) => self.call(call),
            Expression::Traversal(path) => self.refuse(
                path.span(),
                "only plain names can be read here",
                "write `${tenant}` for a value of the environment; there is no `var`, `local` or `each` in a plan file",
            ),
            other => self.refuse(
                other.span(),
                "this expression cannot stand here",
                "write a text in double quotes, with `${name}` where it differs per environment or stack",
            ),
        }
    }

    fn call(&mut self, call: &hcl_edit::expr::FuncCall) {
        let name = call.name.name.as_str();
        let known = FUNCTIONS.iter().find(|(known, _)| *known == name);
        match known {
            Some((_, count)) if !call.name.is_namespaced() && !call.args.expand_final() => {
                if call.args.len() != *count {
                    self.refuse(
                        call.span(),
                        &format!("`{name}` takes {count} argument(s), found {}", call.args.len()),
                        "see Terraform's function of the same name",
                    );
                }
            }
            _ => {
                let words: Vec<&str> = FUNCTIONS.iter().map(|(name, _)| *name).collect();
                self.refuse(
                    call.name.name.span(),
                    &format!("no function `{name}` in a plan file"),
                    &suggest::did_you_mean(name, &words),
                );
            }
        }
        for argument in &call.args {
            self.expr(argument);
        }
    }

    fn refuse(&mut self, span: Option<Range<usize>>, message: &str, hint: &str) {
        self.faults.push(TemplateFault {
            span: span.unwrap_or(0..0),
            message: message.to_owned(),
            hint: hint.to_owned(),
        });
    }
}

fn is_equality(operator: BinaryOperator) -> bool {
    matches!(operator, BinaryOperator::Eq | BinaryOperator::NotEq)
}

fn context() -> Context<'static> {
    let mut context = Context::new();
    let text = ParamType::String;
    context.declare_func("lower", FuncDef::new(lower, [text.clone()]));
    context.declare_func("upper", FuncDef::new(upper, [text.clone()]));
    context.declare_func(
        "trimprefix",
        FuncDef::new(trimprefix, [text.clone(), text.clone()]),
    );
    context.declare_func(
        "trimsuffix",
        FuncDef::new(trimsuffix, [text.clone(), text.clone()]),
    );
    context.declare_func(
        "replace",
        FuncDef::new(replace, [text.clone(), text.clone(), text]),
    );
    context
}

fn argument(args: &FuncArgs, at: usize) -> &str {
    args.get(at).and_then(hcl::Value::as_str).unwrap_or_default()
}

fn lower(args: FuncArgs) -> Result<hcl::Value, String> {
    Ok(argument(&args, 0).to_lowercase().into())
}

fn upper(args: FuncArgs) -> Result<hcl::Value, String> {
    Ok(argument(&args, 0).to_uppercase().into())
}

fn replace(args: FuncArgs) -> Result<hcl::Value, String> {
    let (text, from, to) = (argument(&args, 0), argument(&args, 1), argument(&args, 2));
    // Terraform reads `/…/` as a regular expression; treating it as plain text would silently differ.
    if from.len() > 1 && from.starts_with('/') && from.ends_with('/') {
        return Err("`replace` in a plan file takes plain text, not a regular expression".to_owned());
    }
    Ok(text.replace(from, to).into())
}

fn trimprefix(args: FuncArgs) -> Result<hcl::Value, String> {
    let text = argument(&args, 0);
    Ok(text.strip_prefix(argument(&args, 1)).unwrap_or(text).into())
}

fn trimsuffix(args: FuncArgs) -> Result<hcl::Value, String> {
    let text = argument(&args, 0);
    Ok(text.strip_suffix(argument(&args, 1)).unwrap_or(text).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Result<&str, &str>) {
        let body = hcl_edit::parser::parse_body(&format!("x = {text}\n")).unwrap();
        let file = format!("x = {text}\n");
        let template = Template::check(&body.get_attribute("x").unwrap().value, &file)
            .map_err(|faults| faults[0].message.clone());
        let values = BTreeMap::from([
            ("tenant".to_owned(), "Tenant-A".to_owned()),
            ("stack".to_owned(), "orders".to_owned()),
        ]);
        let found = template.and_then(|template| template.evaluate(&values));
        assert_eq!(found.as_deref().map_err(String::as_str), expected, "{text}");
    }

    #[test]
    fn evaluates_names_functions_and_choices() {
        check(r#""plain""#, Ok("plain"));
        check(
            r#""${tenant}/stacks/${stack}.tfstate""#,
            Ok("Tenant-A/stacks/orders.tfstate"),
        );
        check("tenant", Ok("Tenant-A"));
        check(r#""$${tenant}""#, Ok("${tenant}"));
        check(r#""${lower(tenant)}""#, Ok("tenant-a"));
        check(r#"upper("${stack}-é")"#, Ok("ORDERS-É"));
        check(r#""${replace(tenant, "-", "_")}""#, Ok("Tenant_A"));
        check(
            r#""${trimprefix(tenant, "Tenant-")}${trimsuffix(stack, "s")}""#,
            Ok("Aorder"),
        );
        check(r#""${tenant == "Tenant-A" ? "a" : "b"}/x""#, Ok("a/x"));
        check(r#"(tenant != "Tenant-A" ? "a" : "b")"#, Ok("b"));
    }

    #[test]
    fn refuses_what_it_cannot_hold() {
        check(r#""${var.tenant}""#, Err("only plain names can be read here"));
        check(r#""${lowr(tenant)}""#, Err("no function `lowr` in a plan file"));
        check(
            r#""${lower(tenant, "x")}""#,
            Err("`lower` takes 1 argument(s), found 2"),
        );
        check(
            r#""%{ if true }x%{ endif }""#,
            Err("a `%{ … }` directive cannot stand here"),
        );
        check("[1]", Err("this expression cannot stand here"));
        check(r#""${region}""#, Err("`region` has no value here"));
        check(
            r#"replace(tenant, "/a/", "b")"#,
            Err(
                "the template cannot be evaluated: error calling function `replace`: `replace` in a plan file takes plain text, not a regular expression",
            ),
        );
    }
}
