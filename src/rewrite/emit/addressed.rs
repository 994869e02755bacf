//! Blocks about an address: `moved` and `import`.

use super::Emitter;
use crate::address::{InstanceKey, MoveableAddr};
use crate::config::{Block, BlockId, ConfigFile, Item, Syntax};
use crate::diagnostic::Diagnostic;
use crate::rewrite::ownership::Form;
use crate::rewrite::splice::Edit;

impl Emitter<'_, '_, '_> {
    /// `moved` and `import` go with what they name, where that still has its name.
    pub(super) fn addressed(&mut self, file: &ConfigFile, id: BlockId, block: &Block) -> Option<Vec<Edit>> {
        let to = block.body.attribute("to")?;
        let written = file.text(&to.value).trim().trim_matches('"').to_owned();
        let unescaped = match file.syntax {
            Syntax::Hcl => written,
            Syntax::Json => crate::json::decode(&written),
        };
        let Some((item, key)) = unescaped.parse().ok().as_ref().and_then(root_item) else {
            return self.is_source().then(|| self.writer.block(id, None, None));
        };
        let Some(owned) = self.writer.cut.ownership.get(&item) else {
            return self.is_source().then(|| self.writer.block(id, None, None));
        };
        let part = owned.parts.get(self.writer.state)?;
        if key
            .as_ref()
            .is_some_and(|key| !part.keys.is_empty() && !part.keys.contains(key))
        {
            return None;
        }
        let keeps_name = part.item == item && !matches!(part.form, Form::Single(_));
        // A block with several keys elsewhere has its history where most of it is: with the first of its states.
        let is_first = key.is_some() || owned.parts.keys().next() == Some(self.writer.state);
        if keeps_name && is_first {
            return Some(self.writer.block(id, None, None));
        }
        let message = format!(
            "a `{}` block of {} is left out: {} has another address in `{}`",
            block.kind.keyword(),
            item.describe(),
            item.describe(),
            self.writer.state
        );
        self.warnings.push(
            Diagnostic::warning(message)
                .at(&file.source, block.header.clone())
                .note("the state has been moved already, so nothing depends on it"),
        );
        None
    }
}

/// Returns the root-level block that an address is in, and the key there.
fn root_item(address: &MoveableAddr) -> Option<(Item, Option<InstanceKey>)> {
    let (module, resource, key) = match address {
        MoveableAddr::Module(module) => (module, None, None),
        MoveableAddr::Resource(resource) => (&resource.module, Some(resource), None),
        MoveableAddr::Instance(instance) => (
            &instance.resource.module,
            Some(&instance.resource),
            instance.key.clone(),
        ),
    };
    match (module.0.first(), resource) {
        (Some(step), _) => Some((Item::Module(step.name.clone()), step.key.clone())),
        (None, Some(resource)) => Some((Item::from(&resource.config()), key)),
        (None, None) => None,
    }
}
