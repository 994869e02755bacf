//! Secrets in outputs and in contracts, by their names and by what the code says is sensitive.

use super::sharing::shown;
use super::told::{Half, Told};
use super::{Found, Read, Rule};
use crate::config::{BlockKind, ConfigFile, Item, Literal, Mode, Reference, Span, StepKind, Target};
use crate::contract::{Ledger, sounds_secret};
use crate::diagnostic::Diagnostic;

/// Finds outputs that show a secret: nothing but `sensitive` keeps them out of logs and plans.
pub(super) fn outputs(read: &Read<'_>, found: &mut Found) {
    let root = &read.configuration.root().source;
    for (_, file, block) in root
        .blocks()
        .filter(|(_, _, block)| block.kind == BlockKind::Output)
    {
        let is_hidden = block
            .body
            .attribute("sensitive")
            .is_some_and(|argument| file.literal(&argument.value) == Some(Literal::Bool(true)));
        let Some(value) = block.body.attribute("value").filter(|_| !is_hidden) else {
            continue;
        };
        // A document is judged as such.
        if file.text(&value.value).starts_with("jsonencode") {
            continue;
        }
        for reference in block.references_in(&value.value) {
            if is_secret(read, file, reference) {
                let message = format!(
                    "the output `{}` shows what its name says is secret",
                    block.label(0)
                );
                let diagnostic = Diagnostic::error(message)
                    .at(&file.source, reference.span.clone())
                    .hint("add `sensitive = true`, or hand on the ARN of the secret instead");
                found.add(&read.name, Rule::SecretOutput, diagnostic);
            }
        }
    }
}

/// Finds secrets in contracts: in public, or in private without permission.
pub(super) fn documents(stacks: &[Read<'_>], told: &[Told<'_>], ledger: Option<&Ledger>, found: &mut Found) {
    for told in told {
        let Some(read) = stacks.iter().find(|read| read.name == told.stack) else {
            continue;
        };
        if let Some(public) = told.half(Half::Public) {
            for (steps, leaf) in public.shape.leaves() {
                let span = public.start + leaf.span.start..public.start + leaf.span.end;
                let named = references(read, public.file, &span)
                    .into_iter()
                    .find(|reference| is_secret(read, public.file, reference));
                let by_name =
                    matches!(steps.last(), Some(super::shape::Step::Name(name)) if sounds_secret(name));
                if named.is_none() && !by_name {
                    continue;
                }
                let place = named.map_or(span, |reference| reference.span.clone());
                let message = format!(
                    "the contract of `{}` shows a secret to everyone: {}",
                    told.producer,
                    shown(Half::Public, &steps)
                );
                let diagnostic = Diagnostic::error(message)
                    .at(&public.file.source, place)
                    .hint("put it under `private` and allow it in the plan file (`allow_sensitive`), or hand on its ARN");
                found.add(told.stack, Rule::SecretInContract, diagnostic);
            }
        }
        if let (Some(private), Some(ledger)) = (told.half(Half::Private), ledger) {
            for (steps, leaf) in private.shape.leaves() {
                if super::contracts::is_listed(ledger, &told.producer, Half::Private, &steps) {
                    continue;
                }
                let message = format!(
                    "the contract of `{}` hands on a secret that nobody allowed: {}",
                    told.producer,
                    shown(Half::Private, &steps)
                );
                let diagnostic = private
                    .at(leaf, Diagnostic::error(message))
                    .note("the ledger lists no such value")
                    .hint("allow it in the plan file (`allow_sensitive`, or an `export` with `sensitive = true`) and emit anew");
                found.add(told.stack, Rule::SecretInContract, diagnostic);
            }
        }
    }
}

fn references<'r>(read: &'r Read<'_>, file: &ConfigFile, span: &Span) -> Vec<&'r Reference> {
    let root = &read.configuration.root().source;
    let here = root.blocks().filter(|(_, found, _)| std::ptr::eq(*found, file));
    here.flat_map(|(_, _, block)| block.references_in(span)).collect()
}

/// Tells whether a reference names a secret.
fn is_secret(read: &Read<'_>, file: &ConfigFile, reference: &Reference) -> bool {
    // `nonsensitive(…)` is a person's word that it is none, unless its name says so.
    let names_secret = |name: &str| sounds_secret(name);
    let by_step = |reference: &Reference| {
        reference
            .steps
            .iter()
            .any(|step| matches!(&step.kind, StepKind::Attr(name) if names_secret(name)))
    };
    let root = &read.configuration.root().source;
    let says_sensitive = |module: &crate::config::ModuleSource, item: &Item| {
        module
            .attribute(item, "sensitive")
            .is_some_and(|(file, argument)| file.literal(&argument.value) == Some(Literal::Bool(true)))
    };
    let before = file.source.text[..reference.span.start].trim_end();
    let is_declassified = before.ends_with("nonsensitive(");
    match &reference.target {
        Target::Resource {
            mode: Mode::Managed | Mode::Data,
            ..
        } => by_step(reference),
        Target::Module { name, output } => {
            let Some(output) = output else { return false };
            let child = read.configuration.module(&read.configuration.root().child(name));
            let hidden =
                child.is_some_and(|child| says_sensitive(&child.source, &Item::Output(output.clone())));
            names_secret(output) || (hidden && !is_declassified)
        }
        Target::Var(name) => {
            names_secret(name) || (says_sensitive(root, &Item::Variable(name.clone())) && !is_declassified)
        }
        Target::Local(name) => names_secret(name) || by_step(reference),
        _ => false,
    }
}
