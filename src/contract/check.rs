//! Lints of emitted trees, also of hand-edited ones: what makes stacks depend on each other in secret, leaks, or breaks
//! readers.

use std::collections::BTreeMap;

use super::ledger::Ledger;
use crate::config::{BlockKind, ConfigError, ConfigFile, Configuration, LoadOptions, Mode, Module, Target};
use crate::diagnostic::Diagnostic;
use crate::source_tree::MemoryTree;
use crate::stack::StackName;

/// The files of one stack by their paths.
pub type StackFiles = BTreeMap<String, Vec<u8>>;

/// Checks the code of one stack. `stores_remote_state` says whether contracts are remote states here.
pub fn stack(name: &StackName, files: &StackFiles, reads_remote_states: bool) -> Vec<Diagnostic> {
    let mut found = leftovers(name, files);
    let tree = files
        .iter()
        .fold(MemoryTree::new(), |tree, (path, bytes)| tree.with(path, bytes));
    let configuration = match Configuration::load(&tree, &LoadOptions::default()) {
        Ok(configuration) => configuration,
        Err(ConfigError::Invalid { diagnostics, .. }) => {
            found.extend(diagnostics);
            return found;
        }
        Err(error) => {
            found.push(Diagnostic::error(error.to_string()));
            return found;
        }
    };
    let root = configuration.root();
    for (_, file, block) in root.source.blocks() {
        let is_remote_state = block.kind == BlockKind::Data && block.label(0) == "terraform_remote_state";
        if is_remote_state && !reads_remote_states {
            let message = format!("`{name}` reads the state of another stack");
            found.push(
                Diagnostic::error(message)
                    .at(&file.source, block.header.clone())
                    .hint("read its contract instead: states are shared with nobody"),
            );
        }
        if block.kind == BlockKind::Module {
            found.extend(pattern(file, block));
        }
    }
    found.extend(secret_outputs(root));
    found
}

/// A state or its leavings in a stack's directory replace the remote state at the next `init -force-copy`.
fn leftovers(name: &StackName, files: &StackFiles) -> Vec<Diagnostic> {
    let is_leftover = |path: &&String| {
        let file = path.rsplit('/').next().unwrap_or(path);
        file.contains(".tfstate")
            || file == "errored.tfstate"
            || path.split('/').any(|step| step == ".terraform")
    };
    files
        .keys()
        .filter(is_leftover)
        .map(|path| {
            Diagnostic::error(format!("`{path}` is in the directory of `{name}`"))
                .note("a state in an artefact silently replaces the remote one")
                .hint("delete it")
        })
        .collect()
}

/// Patterns of names must be anchored at both ends, and must not take everything.
fn pattern(file: &ConfigFile, block: &crate::config::Block) -> Option<Diagnostic> {
    let argument = block.body.attribute("include_filter_regex")?;
    let written = file.string(&argument.value)?;
    let is_anchored = written.starts_with('^') && written.ends_with('$');
    let is_wide = [".*", ".+"].iter().any(|wide| written.contains(wide));
    (!is_anchored || is_wide).then(|| {
        let problem = if is_wide {
            "this pattern takes contracts that the stack does not read"
        } else {
            "this pattern is not anchored: it takes every name that has it somewhere"
        };
        Diagnostic::error(problem)
            .at(&file.source, argument.value.clone())
            .hint("name the stacks: ^/configuration/(base|network)$")
    })
}

/// Outputs that show a secret: nothing but the plan's own rule keeps them out of logs.
fn secret_outputs(root: &Module) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for (_, file, block) in root
        .source
        .blocks()
        .filter(|(_, _, block)| block.kind == BlockKind::Output)
    {
        let is_hidden = block
            .body
            .attribute("sensitive")
            .is_some_and(|argument| file.text(&argument.value).trim() == "true");
        for reference in block.references.iter().filter(|_| !is_hidden) {
            let names_secret = |name: &str| crate::contract::sounds_secret(name);
            let is_secret = match &reference.target {
                Target::Resource {
                    mode: Mode::Managed | Mode::Data,
                    ..
                } => reference.steps.iter().any(
                    |step| matches!(&step.kind, crate::config::StepKind::Attr(name) if names_secret(name)),
                ),
                Target::Module { output, .. } => output.as_deref().is_some_and(names_secret),
                Target::Var(name) | Target::Local(name) => names_secret(name),
                _ => false,
            };
            if is_secret {
                let message = format!(
                    "the output `{}` shows what its name says is secret",
                    block.label(0)
                );
                found.push(
                    Diagnostic::error(message)
                        .at(&file.source, reference.span.clone())
                        .hint("add `sensitive = true`, or hand on the ARN of the secret instead"),
                );
            }
        }
    }
    found
}

/// Checks ledgers: of one split, and against the one that readers rely on.
pub fn ledgers(known: Option<&Ledger>, found: &Ledger) -> Vec<Diagnostic> {
    let broken = known.map(|known| known.broken_by(found)).unwrap_or_default();
    found
        .faults()
        .iter()
        .chain(&broken)
        .map(|fault| Diagnostic::error(fault.to_string()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(files: &[(&str, &str)], expected: &[&str]) {
        let files: StackFiles = files
            .iter()
            .map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec()))
            .collect();
        let found = stack(&"orders".parse().unwrap(), &files, false);
        let messages: Vec<&str> = found.iter().map(|found| found.message.as_str()).collect();
        assert_eq!(messages, expected);
    }

    #[test]
    fn finds_what_should_not_be_there() {
        let code = r#"
data "terraform_remote_state" "base" {
  backend = "local"
}

module "narrow" {
  source               = "./m"
  include_filter_regex = "^/configuration/(base|network)$"
}

module "loose" {
  source               = "./m"
  include_filter_regex = "/configuration/base"
}

module "wide" {
  source               = "./m"
  include_filter_regex = "^/configuration/.*$"
}

output "fine" {
  value = aws_db_instance.db.endpoint
}

output "shown" {
  value = aws_db_instance.db.password
}

output "hidden" {
  value     = aws_db_instance.db.password
  sensitive = true
}
"#;
        let files = [
            ("main.tf", code),
            ("m/main.tf", "variable \"include_filter_regex\" {}\n"),
            ("terraform.tfstate", "{}"),
            (".terraform/terraform.tfstate", "{}"),
        ];
        check(
            &files,
            &[
                "`.terraform/terraform.tfstate` is in the directory of `orders`",
                "`terraform.tfstate` is in the directory of `orders`",
                "`orders` reads the state of another stack",
                "this pattern is not anchored: it takes every name that has it somewhere",
                "this pattern takes contracts that the stack does not read",
                "the output `shown` shows what its name says is secret",
            ],
        );
        check(&[("main.tf", "output \"x\" {\n  value = 1\n}\n")], &[]);
    }
}
