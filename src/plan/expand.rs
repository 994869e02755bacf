//! Expands a plan file for one environment: its values, and every text that is made of them.
//!
//! A text may name the environment's values, `split`, and `source` or `stack` and `layer` where it belongs to one.

use std::collections::BTreeMap;
use std::ops::Range;

use super::file::{Argument, ArgumentValue, BackendBlock, EnvironmentBlock, PlanFile, SourceBlock};
use super::template::Template;
use crate::diagnostic::Diagnostic;
use crate::stack::{Environment, Layer, StackName};

/// What names stand for in an environment.
pub(super) type Values = BTreeMap<String, String>;

impl PlanFile {
    /// Returns the environments, in file order; one named `default` where the file names none.
    pub fn environments(&self) -> Vec<Environment> {
        if self.environments.is_empty() {
            return vec![Environment {
                name: "default".to_owned(),
                class: None,
                values: Values::new(),
                var_files: Vec::new(),
                backend: Values::new(),
            }];
        }
        self.environments.iter().map(|block| self.expand(block)).collect()
    }

    fn expand(&self, block: &EnvironmentBlock) -> Environment {
        let values: Values = block
            .values
            .iter()
            .map(|(name, value)| (name.clone(), value.value.clone()))
            .collect();
        let mut known = values.clone();
        known.insert("split".to_owned(), self.name.value.to_string());
        // The reader has evaluated each of them and reported those that fail; none is lost here.
        let backend = block
            .backend
            .iter()
            .filter_map(|(name, argument)| Some((name.clone(), evaluate(&argument.value, &known).ok()?)))
            .collect();
        Environment {
            name: block.name.value.clone(),
            class: block.class.as_ref().map(|class| class.value.clone()),
            values,
            var_files: block.var_files.iter().map(|file| file.value.clone()).collect(),
            backend,
        }
    }

    /// Returns the variable files of a source in an environment, relative to the source's `dir`, in order.
    pub fn var_files(&self, source: &SourceBlock, environment: &Environment) -> Vec<String> {
        let own = source.var_files.iter().map(|file| file.value.clone());
        own.chain(environment.var_files.iter().cloned()).collect()
    }

    /// Returns the files of backend arguments of a source in an environment, relative to the source's `dir`, in order.
    ///
    /// # Errors
    ///
    /// A name that cannot be made up in this environment.
    pub fn backend_config(
        &self,
        source: &SourceBlock,
        environment: &Environment,
    ) -> Result<Vec<String>, Diagnostic> {
        let values = self.source_values(source, environment);
        let files = source.backend_config.iter();
        files.map(|file| self.text(file, &values, environment)).collect()
    }

    /// Returns what names stand for in the texts of a source.
    pub(super) fn source_values(&self, source: &SourceBlock, environment: &Environment) -> Values {
        let mut values = environment.values.clone();
        values.insert("split".to_owned(), self.name.value.to_string());
        values.insert("source".to_owned(), source.name.value.to_string());
        values
    }

    /// Returns what names stand for in the texts of a stack.
    pub(super) fn stack_values(&self, environment: &Environment, name: &StackName, layer: Layer) -> Values {
        let mut values = environment.values.clone();
        values.insert("split".to_owned(), self.name.value.to_string());
        values.insert("stack".to_owned(), name.to_string());
        values.insert("layer".to_owned(), layer.to_string());
        values
    }

    /// Evaluates every argument of a `backend` block.
    pub(super) fn arguments(
        &self,
        block: &BackendBlock,
        values: &Values,
        environment: &Environment,
    ) -> Result<Values, Vec<Diagnostic>> {
        let mut arguments = Values::new();
        let mut faults = Vec::new();
        for (name, Argument { value, .. }) in &block.arguments {
            match evaluate(value, values) {
                Ok(text) => {
                    arguments.insert(name.clone(), text);
                }
                Err((span, reason)) => faults.push(self.evaluation_fault(span, &reason, environment)),
            }
        }
        if faults.is_empty() {
            Ok(arguments)
        } else {
            Err(faults)
        }
    }

    /// Evaluates one text.
    pub(super) fn text(
        &self,
        template: &Template,
        values: &Values,
        environment: &Environment,
    ) -> Result<String, Diagnostic> {
        template
            .evaluate(values)
            .map_err(|reason| self.evaluation_fault(template.span.clone(), &reason, environment))
    }

    fn evaluation_fault(&self, span: Range<usize>, reason: &str, environment: &Environment) -> Diagnostic {
        Diagnostic::error(format!("{reason} (environment `{}`)", environment.name)).at(&self.file, span)
    }
}

/// Evaluates one argument; a list gives JSON text.
pub(super) fn evaluate(value: &ArgumentValue, values: &Values) -> Result<String, (Range<usize>, String)> {
    let text = |template: &Template| {
        template
            .evaluate(values)
            .map_err(|reason| (template.span.clone(), reason))
    };
    match value {
        ArgumentValue::Plain(text) => Ok(text.clone()),
        ArgumentValue::Text(template) => text(template),
        ArgumentValue::List(parts) => {
            let parts: Vec<String> = parts.iter().map(text).collect::<Result<_, _>>()?;
            Ok(serde_json::Value::from(parts).to_string())
        }
    }
}
