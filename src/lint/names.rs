//! Names that nothing declares.

use super::{Found, Read, Rule};
use crate::config::{BlockKind, ConfigFile, Item, ProviderRef, Span};
use crate::diagnostic::Diagnostic;

/// Checks every name in a stack's code.
pub(super) fn check(read: &Read<'_>, found: &mut Found) {
    for diagnostic in crate::rewrite::undeclared_names(read.configuration) {
        let diagnostic = diagnostic.hint("declare it, or read it from the contract of the stack that has it");
        found.add(&read.name, Rule::UndeclaredName, diagnostic);
    }
    let root = &read.configuration.root().source;
    for (_, file, block) in root.blocks() {
        let named: Vec<(Span, ProviderRef)> = match block.kind {
            BlockKind::Resource | BlockKind::Data | BlockKind::Ephemeral => block
                .body
                .attribute("provider")
                .and_then(|argument| Some((argument.value.clone(), file.provider_ref(&argument.value)?)))
                .into_iter()
                .collect(),
            BlockKind::Module => passed(file, block.body.attribute("providers").map(|given| &given.value)),
            _ => continue,
        };
        for (span, provider) in named {
            let alias = provider.alias.clone();
            let item = Item::Provider {
                name: provider.local_name.clone(),
                alias: alias.clone(),
            };
            // A provider without an alias needs no block.
            if let (Some(alias), true) = (alias, root.declarations(&item).is_empty()) {
                let message = format!(
                    "the provider configuration `{}.{alias}` is named here, and not declared",
                    provider.local_name
                );
                let hint = "add its `provider` block: each stack has its own";
                found.add(
                    &read.name,
                    Rule::UndeclaredName,
                    Diagnostic::error(message).at(&file.source, span).hint(hint),
                );
            }
        }
    }
}

/// Returns the provider configurations that a call passes on.
fn passed(file: &ConfigFile, argument: Option<&Span>) -> Vec<(Span, ProviderRef)> {
    let Some(span) = argument else {
        return Vec::new();
    };
    let pairs = file.provider_map(span).into_iter();
    pairs.map(|(_, own)| (span.clone(), own)).collect()
}
