//! Where each state lives in one environment.
//!
//! Order of precedence for a source, later wins: what its root module says (backend block and saved init data), the
//! plan file's `backend` block of the same type, the environment's `backend`. A block of another type replaces the
//! first altogether.
//!
//! For a stack: the arguments of the first source's location where the type is the same (all but the ones that say
//! which object it is), `defaults`, the stack's own block, the environment's `backend`.
//!
//! Paths of local states are relative to the plan file's directory.

mod shared;

use std::collections::BTreeMap;
use std::ops::Range;

use super::backend::{self, BackendKind};
use super::expand::Values;
use super::file::{BackendBlock, PlanFile, SourceBlock};
use super::template::Template;
use crate::diagnostic::Diagnostic;
use crate::stack::{Environment, Layer, StackName, StateId, StateLocation};

/// Arguments that say which object a state is, and so never pass from the source to a stack.
const OWN: [&str; 4] = ["key", "path", "workspace_key_prefix", "workspace_dir"];

/// The names and places that one stack's location is made from.
struct Place<'a> {
    name: &'a StackName,
    span: &'a Range<usize>,
    layer: Layer,
    backend: Option<&'a BackendBlock>,
    workspace: Option<&'a Template>,
}

impl PlanFile {
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
            let file = self.text(state, &values, environment);
            return Ok(file_beside(source, file.map_err(|fault| vec![fault])?));
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
}

/// Returns the location of a source's state in a file: relative to the source's `dir`, unless absolute.
fn file_beside(source: &SourceBlock, file: String) -> StateLocation {
    let path = if file.starts_with('/') {
        file
    } else {
        format!("{}/{file}", source.dir.value.trim_end_matches('/'))
    };
    StateLocation {
        backend: "local".to_owned(),
        arguments: Values::from([("path".to_owned(), path)]),
        // A file is one state, whatever the workspace.
        workspace: "default".to_owned(),
    }
}

#[cfg(test)]
mod tests;
