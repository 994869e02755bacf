//! What belongs to blocks without standing in them: their places, and their provider configurations.

use super::faithful::Faithful;
use crate::config::{Configuration, Item};
use crate::diagnostic::Diagnostic;
use crate::stack::StateId;

impl Faithful<'_> {
    /// Every block that says something by itself is in some state's code. The proof of the states says so of objects.
    pub(super) fn lost(&self) -> Vec<Diagnostic> {
        let mut faults = Vec::new();
        for old in self.before.values().map(|before| &before.root().source) {
            for (item, pieces) in old.items() {
                let speaks = matches!(
                    item,
                    Item::Check(_) | Item::Output(_) | Item::Action { .. } | Item::Resource { .. }
                );
                let is_there = || self.owners.contains_key(item);
                if speaks && !self.renamed.contains(item) && !is_there() {
                    let (file, block) = old.block(pieces[0].block);
                    faults.push(
                        Diagnostic::error(format!("{} is in no stack's code", item.describe()))
                            .at(&file.source, block.header.clone()),
                    );
                }
            }
        }
        faults
    }

    /// Every block, in modules too, has the provider configuration that it had.
    pub(super) fn providers(&self, state: &StateId, configuration: &Configuration) -> Vec<Diagnostic> {
        let mut faults = Vec::new();
        for module in configuration.modules() {
            let call = module.address.0.first().map(|name| Item::Module(name.clone()));
            for (item, pieces) in module.source.items() {
                let Item::Resource { .. } = item else { continue };
                if self.renamed.contains(call.as_ref().unwrap_or(item)) {
                    continue;
                }
                let mut before = self.before.values().filter_map(|before| {
                    Some((*before, before.provider_for_item(&module.address, item).ok()?))
                });
                let Some((old, was)) = before.next() else {
                    continue;
                };
                let is = configuration.provider_for_item(&module.address, item).ok();
                // Where it has a block, that block says where things are.
                let has_block = |code: &Configuration| {
                    code.module(&was.module).is_some_and(|at| {
                        at.source.items().any(|(item, _)| match item {
                            Item::Provider { name, alias } => {
                                *alias == was.alias
                                    && code
                                        .provider_address(at, name)
                                        .is_ok_and(|address| address == was.provider)
                            }
                            _ => false,
                        })
                    })
                };
                let is_same = is.as_ref() == Some(&was) && (!has_block(old) || has_block(configuration));
                if !is_same && before.all(|(_, other)| is.as_ref() != Some(&other)) {
                    let (file, block) = module.source.block(pieces[0].block);
                    faults.push(
                        Diagnostic::error(format!("{} has lost its provider configuration", item.describe()))
                            .at(&file.source, block.header.clone())
                            .note(format!("in the code of `{state}`")),
                    );
                }
            }
        }
        faults
    }
}
