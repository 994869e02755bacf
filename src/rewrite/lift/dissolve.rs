//! Module instances of which nothing is left: their call loses the key, and the root module reads what they told.

use std::collections::BTreeSet;

use super::bring::Bringer;
use super::{Fault, Lift};
use crate::address::{InstanceKey, ResourceMode};
use crate::config::{Item, Module, StepKind, Syntax, Target};
use crate::diagnostic::Diagnostic;
use crate::rewrite::splice::Edit;
use crate::rewrite::text;

impl Lift<'_, '_> {
    /// Tells whether nothing is left of the module instances that blocks are lifted out of, while others stay.
    pub(super) fn dissolved(&self, call: &str, keys: &BTreeSet<Option<InstanceKey>>) -> bool {
        let mut others = false;
        for instance in self.input.snapshot.instances() {
            let address = instance.addr();
            let Some(step) = address.resource.module.0.first().filter(|step| step.name == call) else {
                continue;
            };
            if !keys.contains(&step.key) {
                others = true;
            } else if address.resource.mode == ResourceMode::Managed
                && !self
                    .wanted
                    .values()
                    .any(|place| place.instances.contains(&address))
            {
                return false;
            }
        }
        others
    }

    /// Returns the edits with which the root module reads what a dissolved instance told it.
    pub(super) fn readers(
        &self,
        call: &str,
        key: &InstanceKey,
        bringer: &mut Bringer<'_, '_>,
    ) -> Result<Vec<(usize, Edit)>, Fault> {
        let mut edits = Vec::new();
        for (id, file, block) in self.input.configuration.root().source.blocks() {
            for reference in &block.references {
                if !matches!(&reference.target, Target::Module { name, .. } if name == call) {
                    continue;
                }
                let steps: Vec<&StepKind> = reference.steps.iter().take(2).map(|step| &step.kind).collect();
                match steps[..] {
                    [StepKind::Index(other), ..] if other != key => {}
                    [StepKind::Index(_), StepKind::Attr(output)] if file.syntax == Syntax::Hcl => {
                        let local = bringer.told(output, self.wanted)?;
                        let span = reference.root.start..reference.steps[1].span.end;
                        edits.push((id.file, Edit::new(span, format!("local.{local}"))));
                    }
                    _ => {
                        let message = format!(
                            "`module.{call}{}` is read here among others, and would be gone",
                            text::index(key)
                        );
                        let fault = Diagnostic::error(message).at(&file.source, reference.span.clone());
                        return Err(Box::new(fault.note("nothing was written").hint(
                            "read single instances by their keys, or take whole instances of the module",
                        )));
                    }
                }
            }
        }
        Ok(edits)
    }

    /// Takes dissolved instances out of the repetition of their call.
    pub(super) fn without_keys(
        &mut self,
        call: &str,
        keys: &BTreeSet<Option<InstanceKey>>,
        root: &Module,
    ) -> Result<(), Fault> {
        let stay: BTreeSet<InstanceKey> = self
            .input
            .snapshot
            .resources()
            .filter_map(|resource| resource.addr().module.0.first().cloned())
            .filter(|step| step.name == call && !keys.contains(&step.key))
            .filter_map(|step| step.key)
            .collect();
        let item = Item::Module(call.to_owned());
        let Some((file, argument)) = root
            .source
            .attribute(&item, "for_each")
            .filter(|(file, _)| file.syntax == Syntax::Hcl)
        else {
            let message = format!(
                "instances of module call `{call}` would leave it, which is not repeated by `for_each`"
            );
            return Err(self.refuse(root, None, message, "take whole instances of the module"));
        };
        let number = root
            .source
            .files
            .iter()
            .position(|known| std::ptr::eq(known, file))
            .unwrap_or_default();
        let stay: Vec<String> = stay.iter().map(text::literal).collect();
        let (start, end) = (argument.value.start, argument.value.end);
        let edits = self.root_edits.entry(number).or_default();
        edits.push(Edit::new(start..start, "{ for key, value in "));
        edits.push(Edit::new(
            end..end,
            format!(" : key => value if contains([{}], key) }}", stay.join(", ")),
        ));
        Ok(())
    }
}
