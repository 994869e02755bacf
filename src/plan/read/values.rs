//! Values that differ per environment: templates and backend arguments.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use hcl_edit::Span as _;
use hcl_edit::expr::{Expression, Object, ObjectKey};
use hcl_edit::structure::Body;

use super::body::{Reader, ident_span};
use crate::plan::backend::{self, BackendKind};
use crate::plan::expand;
use crate::plan::file::{Argument, ArgumentValue, BackendBlock, PlanFile, Spanned};
use crate::plan::suggest;
use crate::plan::template::Template;

/// Where a template stands: which names it may read besides the values of the environment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    /// In a source: `split`, `source`.
    Source,
    /// In `environment`: `split`.
    Environment,
    /// In a stack, or in `defaults`: `split`, `stack`, `layer`.
    Stack,
}

/// The names that are always there; an environment cannot give them another value.
pub(super) const RESERVED: [&str; 4] = ["split", "source", "stack", "layer"];

impl Scope {
    fn names(self) -> &'static [&'static str] {
        match self {
            Self::Source => &["split", "source"],
            Self::Environment => &["split"],
            Self::Stack => &["split", "stack", "layer"],
        }
    }
}

/// A template that was read, to be checked once all environments are known.
pub(super) struct TemplateUse {
    scope: Scope,
    /// The one environment it is evaluated in; none means all.
    environment: Option<String>,
    variables: Vec<Spanned<String>>,
}

/// The label of a `from "SOURCE"` block.
pub(super) struct FromReference {
    pub name: String,
    pub span: Range<usize>,
}

impl Reader {
    /// Reads an argument that is a template.
    pub fn template(&mut self, body: &Body, word: &str, scope: Scope) -> Option<Template> {
        let attribute = body.get_attribute(word)?;
        self.template_expr(&attribute.value, scope, None)
    }

    /// Reads an argument that is a list of templates.
    pub fn templates(&mut self, body: &Body, word: &str, scope: Scope) -> Vec<Template> {
        let Some(attribute) = body.get_attribute(word) else {
            return Vec::new();
        };
        let Expression::Array(list) = &attribute.value else {
            let span = attribute.value.span().unwrap_or(0..0);
            self.error(span, format!("`{word}` must be a list of texts"))
                .hint(format!("write `{word} = [\"…\"]`"));
            return Vec::new();
        };
        list.iter()
            .filter_map(|part| self.template_expr(part, scope, None))
            .collect()
    }

    fn template_expr(
        &mut self,
        expr: &Expression,
        scope: Scope,
        environment: Option<&str>,
    ) -> Option<Template> {
        match Template::check(expr, &self.file().text) {
            Ok(template) => {
                self.templates.push(TemplateUse {
                    scope,
                    environment: environment.map(str::to_owned),
                    variables: template.variables.clone(),
                });
                Some(template)
            }
            Err(faults) => {
                for fault in faults {
                    self.error(fault.span, fault.message).hint(fault.hint);
                }
                None
            }
        }
    }

    /// Every name in every template has a value in every environment.
    pub fn check_templates(&mut self, plan: &PlanFile) {
        let values: Vec<(&str, BTreeSet<&str>)> = plan
            .environments
            .iter()
            .map(|environment| {
                let names = environment.values.keys().map(String::as_str).collect();
                (environment.name.value.as_str(), names)
            })
            .collect();
        for used in std::mem::take(&mut self.templates) {
            for name in &used.variables {
                self.check_variable(name, &used, &values);
            }
        }
    }

    /// The arguments of an environment do not depend on a stack: whether they can be evaluated is known at once.
    pub fn check_environment_arguments(&mut self, plan: &PlanFile) {
        for environment in &plan.environments {
            let mut values: BTreeMap<String, String> = environment
                .values
                .iter()
                .map(|(name, value)| (name.clone(), value.value.clone()))
                .collect();
            values.insert("split".to_owned(), plan.name.value.to_string());
            for argument in environment.backend.values() {
                if let Err((span, reason)) = expand::evaluate(&argument.value, &values) {
                    self.error(span, reason).hint("correct the template");
                }
            }
        }
    }

    fn check_variable(
        &mut self,
        name: &Spanned<String>,
        used: &TemplateUse,
        values: &[(&str, BTreeSet<&str>)],
    ) {
        let word = name.value.as_str();
        if used.scope.names().contains(&word) {
            return;
        }
        if RESERVED.contains(&word) {
            self.error(name.span.clone(), format!("`{word}` has no value here"))
                .hint(format!("known here: {}", suggest::quoted(used.scope.names())));
            return;
        }
        let relevant = |environment: &str| used.environment.as_deref().is_none_or(|only| only == environment);
        let missing: Vec<&str> = values
            .iter()
            .filter(|(environment, names)| relevant(environment) && !names.contains(word))
            .map(|(environment, _)| *environment)
            .collect();
        let total = values
            .iter()
            .filter(|(environment, _)| relevant(environment))
            .count();
        if total > 0 && missing.is_empty() {
            return;
        }
        if missing.len() < total {
            self.error(
                name.span.clone(),
                format!("`{word}` has no value in {}", suggest::quoted(&missing)),
            )
            .hint("add it to the `values` of every environment");
            return;
        }
        let mut known: Vec<&str> = used.scope.names().to_vec();
        known.extend(values.iter().flat_map(|(_, names)| names.iter().copied()));
        known.sort_unstable();
        known.dedup();
        let hint = match (
            values.is_empty(),
            suggest::near(word, known.iter().copied()).is_empty(),
        ) {
            (true, true) => format!(
                "add an `environment` block whose `values` name it; known here: {}",
                suggest::quoted(&known)
            ),
            _ => suggest::did_you_mean(word, &known),
        };
        self.error(name.span.clone(), format!("no value is named `{word}`"))
            .hint(hint);
    }

    /// Reads the `backend` block of a body, if there is one.
    pub fn backend_in(&mut self, body: &Body, scope: Scope) -> Option<BackendBlock> {
        let block = self.single(body, "backend")?;
        let label = self.label(block, "the backend's type, `s3` or `local`")?;
        let Ok(kind) = label.value.parse::<BackendKind>() else {
            self.error(
                label.span,
                format!("the backend `{}` is not supported", label.value),
            )
            .hint("states are moved between `s3` and `local` backends");
            return None;
        };
        let mut arguments = BTreeMap::new();
        for attribute in block.body.attributes() {
            let name = attribute.key.as_str();
            let span = attribute.key.span().unwrap_or(0..0);
            self.argument(&mut arguments, &[kind], name, span, &attribute.value, scope, None);
        }
        for inner in block.body.blocks() {
            let word = inner.ident.as_str();
            if kind == BackendKind::S3 && backend::nested(word).is_some() {
                self.no_label(inner);
                for attribute in inner.body.attributes() {
                    let name = format!("{word}.{}", attribute.key.as_str());
                    let span = attribute.key.span().unwrap_or(0..0);
                    self.argument(
                        &mut arguments,
                        &[kind],
                        &name,
                        span,
                        &attribute.value,
                        scope,
                        None,
                    );
                }
            } else {
                self.unknown_argument(&[kind], word, ident_span(inner));
            }
        }
        Some(BackendBlock {
            kind,
            span: ident_span(block).start..block.span().unwrap_or(0..0).end,
            arguments,
        })
    }

    /// Reads backend arguments given as an object: `backend = { profile = "x" }` of an environment.
    pub fn backend_object(&mut self, body: &Body, environment: &str) -> BTreeMap<String, Argument> {
        let mut arguments = BTreeMap::new();
        let Some(attribute) = body.get_attribute("backend") else {
            return arguments;
        };
        let Expression::Object(object) = &attribute.value else {
            let span = attribute.value.span().unwrap_or(0..0);
            self.error(span, "`backend` must be an object here")
                .hint("write `backend = { profile = \"…\" }`");
            return arguments;
        };
        let kinds = [BackendKind::S3, BackendKind::Local];
        for (key, value) in object {
            if let Some(name) = self.object_key(key) {
                let scope = Scope::Environment;
                self.argument(
                    &mut arguments,
                    &kinds,
                    &name.value,
                    name.span,
                    value.expr(),
                    scope,
                    Some(environment),
                );
            }
        }
        arguments
    }

    /// Returns the key of an object as a plain word.
    pub fn object_key(&mut self, key: &ObjectKey) -> Option<Spanned<String>> {
        let (value, span) = match key {
            ObjectKey::Ident(ident) => (ident.as_str().to_owned(), ident.span()),
            ObjectKey::Expression(Expression::Variable(name)) => (name.as_str().to_owned(), name.span()),
            ObjectKey::Expression(Expression::String(text)) => (text.value().clone(), text.span()),
            ObjectKey::Expression(other) => {
                self.error(
                    other.span().unwrap_or(0..0),
                    "the name of a member must be a plain word",
                );
                return None;
            }
        };
        Some(Spanned {
            value,
            span: span.unwrap_or(0..0),
        })
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "the recursion over nested objects needs all of them"
    )]
    fn argument(
        &mut self,
        into: &mut BTreeMap<String, Argument>,
        kinds: &[BackendKind],
        name: &str,
        span: Range<usize>,
        value: &Expression,
        scope: Scope,
        environment: Option<&str>,
    ) {
        if backend::is_credential(name) && kinds.iter().any(|kind| kind.knows(name)) {
            self.error(
                span,
                format!("`{name}` is a credential and has no place in a plan file"),
            )
            .hint("give `profile` or `assume_role`, or set the AWS environment variables when stackcut runs");
            return;
        }
        if let Expression::Object(object) = value
            && kinds.contains(&BackendKind::S3)
            && (backend::nested(name).is_some() || name.ends_with(".tags"))
        {
            self.nested_argument(into, kinds, name, object, scope, environment);
            return;
        }
        if !kinds.iter().any(|kind| kind.knows(name)) {
            self.unknown_argument(kinds, name, span);
            return;
        }
        let value = match value {
            Expression::Bool(flag) => Some(ArgumentValue::Plain(flag.value().to_string())),
            Expression::Number(number) => Some(ArgumentValue::Plain(number.value().to_string())),
            Expression::Array(list) => {
                let parts = list
                    .iter()
                    .filter_map(|part| self.template_expr(part, scope, environment));
                Some(ArgumentValue::List(parts.collect()))
            }
            text => {
                let template = self.template_expr(text, scope, environment);
                if template
                    .as_ref()
                    .is_some_and(|template| backend::carries_credential(&template.text))
                {
                    self.error(
                        text.span().unwrap_or(0..0),
                        format!("`{name}` holds a user name and a password"),
                    )
                    .hint("a plan file holds no credentials; set HTTPS_PROXY when stackcut runs");
                    return;
                }
                template.map(ArgumentValue::Text)
            }
        };
        if let Some(value) = value {
            into.insert(name.to_owned(), Argument { name: span, value });
        }
    }

    fn nested_argument(
        &mut self,
        into: &mut BTreeMap<String, Argument>,
        kinds: &[BackendKind],
        outer: &str,
        object: &Object,
        scope: Scope,
        environment: Option<&str>,
    ) {
        for (key, value) in object {
            if let Some(name) = self.object_key(key) {
                let flat = format!("{outer}.{}", name.value);
                self.argument(into, kinds, &flat, name.span, value.expr(), scope, environment);
            }
        }
    }

    fn unknown_argument(&mut self, kinds: &[BackendKind], name: &str, span: Range<usize>) {
        let known: Vec<&str> = match name.split_once('.') {
            Some((outer, _)) if backend::nested(outer).is_some() => {
                backend::nested(outer).unwrap_or_default().to_vec()
            }
            _ => kinds.iter().flat_map(|kind| kind.words()).collect(),
        };
        let known: Vec<&str> = known
            .into_iter()
            .filter(|word| !backend::is_credential(word))
            .collect();
        let last = name.rsplit('.').next().unwrap_or(name);
        let near = suggest::near(last, known.iter().copied());
        let message = match kinds {
            [kind] => format!("the `{kind}` backend has no argument `{name}`"),
            _ => format!("no backend has an argument `{name}`"),
        };
        let noted = self.error(span, message);
        if near.is_empty() {
            noted.hint("see Terraform's documentation of the backend for its arguments");
        } else {
            noted.hint(suggest::did_you_mean(last, &known));
        }
    }
}
