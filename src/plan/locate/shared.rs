//! Two states that would be the same, or one in the place of what belongs to another.

use std::collections::BTreeMap;

use crate::diagnostic::Diagnostic;
use crate::plan::backend;
use crate::plan::file::PlanFile;
use crate::stack::{Environment, StateId, StateLocation};

impl PlanFile {
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

    /// Returns a fault for every two states of one environment that are one and the same, and for every state that
    /// would be where another's belongings are.
    pub(super) fn shared_locations(
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
}

/// Tells whether what follows a state's key makes the name of something that belongs to it: its lock file, the lock
/// item in the place of its digest, its sidecars.
fn is_beside(rest: &str) -> bool {
    rest == ".tflock" || rest == "-md5" || rest.starts_with(".stackcut/")
}
