//! Expands a plan file for one environment: where each state lives.
//!
//! Order of precedence for a source, later wins: what its root module says (backend block and saved init data), the
//! plan file's `backend` block of the same type, the environment's `backend`. A block of another type replaces the
//! first altogether.
//!
//! For a stack: the arguments of the first source's location where the type is the same (all but the ones that say
//! which object it is), `defaults`, the stack's own block, the environment's `backend`.
//!
//! Paths of local states are relative to the plan file's directory.

use std::collections::BTreeMap;
use std::ops::Range;

use super::backend::{self, BackendKind};
use super::file::{Argument, ArgumentValue, BackendBlock, EnvironmentBlock, PlanFile, SourceBlock};
use super::template::Template;
use crate::diagnostic::Diagnostic;
use crate::stack::{Environment, Layer, StackName, StateId, StateLocation};

/// Arguments that say which object a state is, and so never pass from the source to a stack.
const OWN: [&str; 4] = ["key", "path", "workspace_key_prefix", "workspace_dir"];

type Values = BTreeMap<String, String>;

/// The names and places that one stack's location is made from.
struct Place<'a> {
    name: &'a StackName,
    span: &'a Range<usize>,
    layer: Layer,
    backend: Option<&'a BackendBlock>,
    workspace: Option<&'a Template>,
}

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

    /// Returns every state in an order in which they can be written: stacks get, sources give to stacks and get from
    /// returned stacks, returned stacks only give. Who gets always comes before who gives.
    pub fn write_order(&self) -> Vec<StateId> {
        let mut order: Vec<StateId> = self
            .stacks
            .iter()
            .map(|block| StateId::Stack(block.name.value.clone()))
            .collect();
        order.extend(
            self.sources
                .iter()
                .map(|block| StateId::Source(block.name.value.clone())),
        );
        order.extend(
            self.returns
                .iter()
                .map(|block| StateId::Stack(block.name.value.clone())),
        );
        order
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

    fn source_values(&self, source: &SourceBlock, environment: &Environment) -> Values {
        let mut values = environment.values.clone();
        values.insert("split".to_owned(), self.name.value.to_string());
        values.insert("source".to_owned(), source.name.value.to_string());
        values
    }

    /// Returns where every state lives in one environment.
    ///
    /// `found` is what each source's own root module says (its backend block and saved init data), by the source's
    /// name, with local paths relative to the plan file's directory; sources with a `state` need no entry. Credentials
    /// in it are left out.
    ///
    /// # Errors
    ///
    /// Every location that is unknown or incomplete, and every two states that would share one.
    pub fn resolve_locations(
        &self,
        environment: &Environment,
        found: &BTreeMap<StackName, StateLocation>,
    ) -> Result<BTreeMap<StateId, StateLocation>, Vec<Diagnostic>> {
        let mut faults = Vec::new();
        let mut locations = BTreeMap::new();
        let mut first: Option<StateLocation> = None;
        for (at, source) in self.sources.iter().enumerate() {
            match self.source_location(source, environment, found.get(&source.name.value)) {
                Ok(location) => {
                    if at == 0 {
                        first = Some(location.clone());
                    }
                    locations.insert(StateId::Source(source.name.value.clone()), location);
                }
                Err(mut more) => faults.append(&mut more),
            }
        }
        for place in self.places() {
            match self.stack_location(&place, environment, first.as_ref()) {
                Ok(location) => {
                    locations.insert(StateId::Stack(place.name.clone()), location);
                }
                Err(mut more) => faults.append(&mut more),
            }
        }
        faults.extend(self.shared_locations(&environment.name, &locations));
        if faults.is_empty() {
            Ok(locations)
        } else {
            Err(faults)
        }
    }

    /// Returns a fault for every two states of different environments that are one and the same.
    pub fn shared_between<'a>(
        &self,
        environments: impl IntoIterator<Item = (&'a Environment, &'a BTreeMap<StateId, StateLocation>)>,
    ) -> Vec<Diagnostic> {
        let mut faults = Vec::new();
        let mut seen: BTreeMap<String, (&str, &StateId)> = BTreeMap::new();
        for (environment, locations) in environments {
            for (id, location) in locations {
                match seen.get(&backend::identity(location)) {
                    Some((other, other_id)) if *other != environment.name => faults.push(
                        Diagnostic::error(format!(
                            "`{id}` in `{}` and `{other_id}` in `{other}` are the same state: {}",
                            environment.name,
                            backend::describe(location)
                        ))
                        .at(&self.file, self.span_of(id))
                        .hint("use a value that differs between environments in the key, such as `${tenant}` or `${environment}`"),
                    ),
                    Some(_) => {}
                    None => {
                        seen.insert(backend::identity(location), (&environment.name, id));
                    }
                }
            }
        }
        faults
    }

    fn places(&self) -> impl Iterator<Item = Place<'_>> {
        let stacks = self.stacks.iter().map(|block| Place {
            name: &block.name.value,
            span: &block.name.span,
            layer: block.layer,
            backend: block.backend.as_ref(),
            workspace: block.workspace.as_ref(),
        });
        let returns = self.returns.iter().map(|block| Place {
            name: &block.name.value,
            span: &block.name.span,
            layer: block.layer,
            backend: block.backend.as_ref(),
            workspace: block.workspace.as_ref(),
        });
        stacks.chain(returns)
    }

    fn source_location(
        &self,
        source: &SourceBlock,
        environment: &Environment,
        found: Option<&StateLocation>,
    ) -> Result<StateLocation, Vec<Diagnostic>> {
        let name = &source.name;
        let values = self.source_values(source, environment);
        if let Some(state) = &source.state {
            let file = self
                .text(state, &values, environment)
                .map_err(|fault| vec![fault])?;
            let path = if file.starts_with('/') {
                file
            } else {
                format!("{}/{file}", source.dir.value.trim_end_matches('/'))
            };
            return Ok(StateLocation {
                backend: "local".to_owned(),
                arguments: Values::from([("path".to_owned(), path)]),
                // A file is one state, whatever the workspace.
                workspace: "default".to_owned(),
            });
        }
        let workspace = match &source.workspace {
            Some(template) => self
                .text(template, &values, environment)
                .map_err(|fault| vec![fault])?,
            None => found.map_or_else(|| "default".to_owned(), |found| found.workspace.clone()),
        };
        let kind = match (&source.backend, found) {
            (Some(block), _) => block.kind,
            (None, Some(found)) => self.found_kind(source, found)?,
            (None, None) => {
                return Err(vec![
                    Diagnostic::error(format!(
                        "where the state of source `{}` is, is not known",
                        name.value
                    ))
                    .at(&self.file, name.span.clone())
                    .hint("add `state = \"terraform.tfstate\"`, or a `backend` block"),
                ]);
            }
        };
        let mut arguments = Values::new();
        if let Some(found) = found.filter(|found| found.backend == kind.as_str()) {
            backend::merge(&mut arguments, found.arguments.clone());
        }
        if let Some(block) = &source.backend {
            backend::merge(&mut arguments, self.arguments(block, &values, environment)?);
        }
        self.finish(
            kind,
            arguments,
            workspace,
            environment,
            &name.span,
            &format!("source `{}`", name.value),
        )
    }

    fn found_kind(
        &self,
        source: &SourceBlock,
        found: &StateLocation,
    ) -> Result<BackendKind, Vec<Diagnostic>> {
        found.backend.parse().map_err(|()| {
            vec![
                Diagnostic::error(format!(
                    "source `{}` uses the backend `{}`, which is not supported",
                    source.name.value, found.backend
                ))
                .at(&self.file, source.name.span.clone())
                .hint("pull the state with `terraform state pull` and give `state = \"FILE\"`, or move to `s3` first"),
            ]
        })
    }

    fn stack_location(
        &self,
        place: &Place<'_>,
        environment: &Environment,
        first: Option<&StateLocation>,
    ) -> Result<StateLocation, Vec<Diagnostic>> {
        let default = self.defaults.backend.as_ref();
        let Some(kind) = place.backend.or(default).map(|block| block.kind) else {
            // A state in a file has no bucket to go on with.
            let backend = match first {
                Some(first) if first.backend == BackendKind::Local.as_str() => {
                    "backend \"local\" { path = \"states/${stack}.tfstate\" }"
                }
                _ => "backend \"s3\" { key = \"stacks/${stack}.tfstate\" }",
            };
            return Err(vec![
                Diagnostic::error(format!(
                    "where the state of stack `{}` will be, is not known",
                    place.name
                ))
                .at(&self.file, place.span.clone())
                .hint(format!(
                    "add `defaults {{ {backend} }}`, each block on its own lines"
                )),
            ]);
        };
        let values = self.stack_values(environment, place.name, place.layer);
        let mut arguments = Values::new();
        if let Some(first) = first.filter(|first| first.backend == kind.as_str()) {
            backend::merge(&mut arguments, first.arguments.clone());
            arguments.retain(|name, _| !OWN.contains(&name.as_str()));
        }
        for block in [default, place.backend]
            .into_iter()
            .flatten()
            .filter(|block| block.kind == kind)
        {
            backend::merge(&mut arguments, self.arguments(block, &values, environment)?);
        }
        let workspace = match place.workspace.or(self.defaults.workspace.as_ref()) {
            Some(template) => self
                .text(template, &values, environment)
                .map_err(|fault| vec![fault])?,
            None => "default".to_owned(),
        };
        if kind == BackendKind::Local && !arguments.contains_key("path") && workspace == "default" {
            return Err(vec![
                Diagnostic::error(format!("the state of stack `{}` has no path", place.name))
                    .at(&self.file, place.span.clone())
                    .hint(
                        "add `path = \"stacks/${stack}/terraform.tfstate\"` to the `backend \"local\"` block",
                    ),
            ]);
        }
        self.finish(
            kind,
            arguments,
            workspace,
            environment,
            place.span,
            &format!("stack `{}`", place.name),
        )
    }

    pub(super) fn stack_values(&self, environment: &Environment, name: &StackName, layer: Layer) -> Values {
        let mut values = environment.values.clone();
        values.insert("split".to_owned(), self.name.value.to_string());
        values.insert("stack".to_owned(), name.to_string());
        values.insert("layer".to_owned(), layer.to_string());
        values
    }

    /// Adds the environment's arguments, leaves out credentials, and checks what is there.
    fn finish(
        &self,
        kind: BackendKind,
        mut arguments: Values,
        workspace: String,
        environment: &Environment,
        span: &Range<usize>,
        what: &str,
    ) -> Result<StateLocation, Vec<Diagnostic>> {
        let here = environment.backend.iter().filter(|(name, _)| kind.knows(name));
        backend::merge(
            &mut arguments,
            here.map(|(name, value)| (name.clone(), value.clone())).collect(),
        );
        arguments.retain(|name, value| !backend::is_credential(name) && !backend::carries_credential(value));
        let location = StateLocation {
            backend: kind.as_str().to_owned(),
            arguments,
            workspace,
        };
        let faults = backend::faults(&location);
        if faults.is_empty() {
            return Ok(location);
        }
        let faults = faults.into_iter().map(|fault| {
            Diagnostic::error(format!(
                "the backend of {what} is incomplete in `{}`: {fault}",
                environment.name
            ))
            .at(&self.file, span.clone())
            .hint("add it to the `backend` block of the stack, of `defaults` or of the source")
        });
        Err(faults.collect())
    }

    fn arguments(
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

    /// Two states of one environment must not be the same.
    fn shared_locations(
        &self,
        environment: &str,
        locations: &BTreeMap<StateId, StateLocation>,
    ) -> Vec<Diagnostic> {
        let mut faults = Vec::new();
        let mut seen: BTreeMap<String, &StateId> = BTreeMap::new();
        for (id, span) in self.states() {
            let Some((id, location)) = locations.get_key_value(&id) else {
                continue;
            };
            let identity = backend::identity(location);
            let Some(other) = seen.get(&identity) else {
                seen.insert(identity, id);
                continue;
            };
            let at = self.file.position(self.span_of(other).start);
            faults.push(
                Diagnostic::error(format!(
                    "`{other}` and `{id}` would have the same state in `{environment}`: {}",
                    backend::describe(location)
                ))
                .at(&self.file, span)
                .note(format!(
                    "`{other}` is at {}:{}:{}",
                    self.file.path, at.line, at.column
                ))
                .hint("use `${stack}` in the key, or give one of them a `backend` block of its own"),
            );
        }
        for (id, span) in self.states() {
            let Some(location) = locations.get(&id) else {
                continue;
            };
            let identity = backend::identity(location);
            let beside = seen.iter().find_map(|(base, other)| {
                let rest = identity.strip_prefix(base.as_str())?;
                (location.backend == "s3" && is_beside(rest)).then_some(other)
            });
            if let Some(other) = beside {
                let place = backend::describe(location);
                faults.push(
                    Diagnostic::error(format!("`{id}` would be where the locks, the digest or the journals of `{other}` are: {place}"))
                        .at(&self.file, span)
                        .hint("choose another key"),
                );
            }
        }
        faults
    }

    /// Returns where the name of a state stands.
    pub(super) fn span_of(&self, id: &StateId) -> Range<usize> {
        self.states()
            .into_iter()
            .find(|(other, _)| other == id)
            .map_or(self.name.span.clone(), |(_, span)| span)
    }
}

/// Tells whether what follows a state's key makes the name of something that belongs to it: its lock file, the lock
/// item in the place of its digest, its sidecars.
fn is_beside(rest: &str) -> bool {
    rest == ".tflock" || rest == "-md5" || rest.starts_with(".stackcut/")
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

#[cfg(test)]
mod tests;
