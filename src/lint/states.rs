//! States where there should be none, and states that say other things than the code.

use super::{Found, Read, Rule, Stack};
use crate::diagnostic::Diagnostic;
use crate::source_tree::join;

/// Finds states and their leavings beside the code: an `init -force-copy` puts them in the place of the remote state.
///
/// The state of a stack with a local backend belongs there.
pub(super) fn leftovers(stack: &Stack<'_>, read: Option<&Read<'_>>, found: &mut Found) {
    let own = read.and_then(own_path);
    let is_own = |path: &str| {
        own.as_deref()
            .is_some_and(|own| path == own || path.strip_suffix(".backup") == Some(own))
    };
    for path in &stack.paths {
        let file = path.rsplit('/').next().unwrap_or(path);
        if !file.contains(".tfstate") || is_own(path) {
            continue;
        }
        let message = format!("`{}` lies beside the code", stack.tree.shown(path));
        found.add(
            &stack.name,
            Rule::StateFile,
            Diagnostic::error(message)
                .note(
                    "a state in an artefact silently takes the place of the remote one, and it holds secrets",
                )
                .hint("delete it, from the history of the repository too if it was committed"),
        );
    }
}

/// Returns where the state of a local backend is, relative to the root module.
fn own_path(read: &Read<'_>) -> Option<String> {
    read.configuration.backend_block()?;
    let location = read
        .location
        .as_ref()
        .filter(|location| location.backend == "local")?;
    let path = location
        .arguments
        .get("path")
        .map_or("terraform.tfstate", String::as_str);
    Some(join("", path))
}

/// Compares the state that is at hand with the code.
pub(super) fn check(read: &Read<'_>, found: &mut Found) {
    let Some(state) = read.state else {
        return;
    };
    for diagnostic in crate::rewrite::undeclared_objects(read.configuration, &state.snapshot) {
        let diagnostic = diagnostic
            .note(format!("in {}", state.shown))
            .note("the next apply would destroy it")
            .hint("write its block, or take it out of the state: `terraform state rm` forgets it without destroying it");
        found.add(&read.name, Rule::StateMismatch, diagnostic);
    }
}
