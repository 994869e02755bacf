//! Where states live: each in a place of its own, and locked.

use std::collections::BTreeMap;

use super::{Found, Read, Rule};
use crate::diagnostic::Diagnostic;
use crate::source_tree::join;
use crate::stack::StateLocation;

/// Compares the backends of all stacks.
pub(super) fn check(stacks: &[Read<'_>], found: &mut Found) {
    shared(stacks, found);
    let locked: Vec<&str> = stacks
        .iter()
        .filter(|read| on_s3(read).is_some_and(is_locked))
        .map(|read| read.name.as_str())
        .collect();
    for read in stacks {
        let Some(location) = on_s3(read) else { continue };
        // What `-backend-config` gives is not in the text.
        let is_partial = !["bucket", "key"]
            .iter()
            .all(|name| location.arguments.contains_key(*name));
        if is_partial || is_locked(location) {
            continue;
        }
        let hint = "add `use_lockfile = true` (Terraform 1.10 and newer) or `dynamodb_table`";
        let diagnostic = match locked.first() {
            Some(other) => Diagnostic::error(format!(
                "the state of `{}` is not locked, that of `{other}` is",
                read.name
            )),
            None => Diagnostic::warning(format!("the state of `{}` is not locked", read.name)),
        };
        found.add(
            &read.name,
            Rule::UnlockedBackend,
            at_backend(read, diagnostic).hint(hint),
        );
    }
}

fn on_s3<'r>(read: &'r Read<'_>) -> Option<&'r StateLocation> {
    read.location.as_ref().filter(|location| location.backend == "s3")
}

fn is_locked(location: &StateLocation) -> bool {
    let given = |name: &str| location.arguments.get(name).map(String::as_str);
    given("use_lockfile") == Some("true") || given("dynamodb_table").is_some_and(|table| !table.is_empty())
}

fn at_backend(read: &Read<'_>, diagnostic: Diagnostic) -> Diagnostic {
    match read.configuration.backend_block() {
        Some(backend) => {
            let start = backend.block.span.start;
            let end = backend.block.body.span.start.max(start + 1);
            diagnostic.at(&backend.file.source, start..end)
        }
        None => diagnostic,
    }
}

/// Finds states of several stacks in one place.
fn shared(stacks: &[Read<'_>], found: &mut Found) {
    let mut places: BTreeMap<Vec<String>, &Read<'_>> = BTreeMap::new();
    for read in stacks {
        let Some(place) = place(read) else { continue };
        match places.get(&place) {
            Some(first) => {
                let message = format!("`{}` and `{}` have one state", first.name, read.name);
                let diagnostic = at_backend(read, Diagnostic::error(message))
                    .note("the apply of one would destroy what the other has")
                    .hint("give each a key of its own");
                found.add(&read.name, Rule::SharedBackend, diagnostic);
            }
            None => {
                places.insert(place, read);
            }
        }
    }
}

/// Returns the words that say where a state is; none where the text does not tell.
fn place(read: &Read<'_>) -> Option<Vec<String>> {
    let location = read.location.as_ref()?;
    let given = |name: &str| location.arguments.get(name).cloned();
    let mut words = vec![location.backend.clone(), location.workspace.clone()];
    match location.backend.as_str() {
        "s3" => {
            words.push(given("bucket")?);
            words.push(given("key")?);
            words.push(given("workspace_key_prefix").unwrap_or_default());
            words.push(
                given("endpoints.s3")
                    .or_else(|| given("endpoint"))
                    .unwrap_or_default(),
            );
        }
        _ => {
            // Without a backend block a state is beside the code, which is nobody else's place.
            read.configuration.backend_block()?;
            let path = given("path").unwrap_or_else(|| "terraform.tfstate".to_owned());
            words.push(join(&read.tree.shown(""), &path));
        }
    }
    Some(words)
}
