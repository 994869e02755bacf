//! What is left of a module: without its lifted blocks, told by its caller what it read of them.

use std::collections::{BTreeMap, BTreeSet};

use super::wanted::{Place, Wanted};
use super::{Fault, Lift, told_name};
use crate::address::InstanceKey;
use crate::config::{Block, ConfigFile, Item, Module, Role, StepKind, Syntax};
use crate::diagnostic::Diagnostic;
use crate::rewrite::access::item_of;
use crate::rewrite::align::aligned_as;
use crate::rewrite::naming::{free, free_file_name};
use crate::rewrite::splice::{Edit, Kept, assemble};
use crate::rewrite::text;
use crate::source_tree::join;

/// What a module is told of lifted blocks: the name of the variable, and the attributes that are read; none where the
/// whole block is.
type Told<'i> = BTreeMap<&'i Item, (String, Option<BTreeSet<String>>)>;

impl Lift<'_, '_> {
    /// Writes the module without the lifted blocks: what it read of them it is told by its caller.
    pub(super) fn module_without(
        &mut self,
        call: &str,
        module: &Module,
        dir: &str,
        lifted: &BTreeSet<&Item>,
        outputs: &BTreeMap<String, String>,
    ) -> Result<(), Fault> {
        let mut told = Told::new();
        let mut files: BTreeMap<usize, Vec<Kept>> = BTreeMap::new();
        for (id, file, block) in module.source.blocks() {
            let own = block.kind.mode().map(|mode| Item::Resource {
                mode,
                type_name: block.label(0).to_owned(),
                name: block.label(1).to_owned(),
            });
            let is_lifted = own.as_ref().is_some_and(|item| lifted.contains(item));
            let edits = match is_lifted {
                true => None,
                false => Some(told_instead(module, file, block, lifted, &mut told)?),
            };
            files.entry(id.file).or_default().push(Kept {
                full: block.full.clone(),
                edits,
            });
        }
        for (number, kept) in &files {
            let is_same = |piece: &Kept| piece.edits.as_ref().is_some_and(Vec::is_empty);
            if kept.iter().all(is_same) {
                continue;
            }
            let file = &module.source.files[*number];
            let source = &file.source.text;
            let text = aligned_as(source, assemble(source, kept).unwrap_or_default());
            self.files.insert(join(dir, &file.name), text.into_bytes());
        }
        self.tell(call, module, dir, &told, outputs);
        Ok(())
    }

    /// Adds the new variables and outputs to a module, and the arguments to its call.
    fn tell(
        &mut self,
        call: &str,
        module: &Module,
        dir: &str,
        told: &Told<'_>,
        outputs: &BTreeMap<String, String>,
    ) {
        let mut blocks = Vec::new();
        let mut arguments = String::new();
        for (item, (name, used)) in told {
            blocks.push(format!(
                "variable {} {{\n  description = {}\n  type        = any\n}}\n",
                text::quote(name),
                text::quote(&format!("What was {} in here", text::root_of(item)))
            ));
            arguments.push_str(&format!(
                "  {name} = {}\n",
                self.argument(call, item, used.as_ref())
            ));
        }
        for (name, value) in outputs {
            blocks.push(format!(
                "output {} {{\n  value = {value}\n}}\n",
                text::quote(name)
            ));
        }
        if !blocks.is_empty() {
            let names: BTreeSet<String> = module.source.files.iter().map(|file| file.name.clone()).collect();
            let file = free_file_name(&names, "lifted");
            let text = format!(
                "# Blocks of this module are in its caller now.\n{}",
                blocks.join("\n")
            );
            self.files.insert(join(dir, &file), text.into_bytes());
        }
        let root = &self.input.configuration.root().source;
        let declared = root.declarations(&Item::Module(call.to_owned())).first();
        if let (Some(piece), false) = (declared, arguments.is_empty()) {
            let (_, block) = root.block(piece.block);
            let at = block.body.span.end - 1;
            self.root_edits
                .entry(piece.block.file)
                .or_default()
                .push(Edit::new(at..at, arguments));
        }
    }

    /// Returns what a call tells its module of a lifted block.
    fn argument(&self, call: &str, item: &Item, used: Option<&BTreeSet<String>>) -> String {
        let one = |place: &Place| {
            let root = text::root_of(&place.item);
            match used {
                None => root,
                Some(names) => {
                    let members: Vec<String> = names
                        .iter()
                        .map(|name| format!("{} = {root}{}", text::member(name), text::step(name)))
                        .collect();
                    format!("{{ {} }}", members.join(", "))
                }
            }
        };
        let places: Vec<(&Wanted, &Place)> = self
            .wanted
            .iter()
            .filter(|(w, _)| w.call == call && w.item == *item)
            .collect();
        let keyed: Vec<String> = places
            .iter()
            .filter_map(|(wanted, place)| {
                let key = wanted.key.as_ref()?;
                Some(match key {
                    InstanceKey::Str(key) => format!("{} = {}", text::member(key), one(place)),
                    InstanceKey::Int(_) => one(place),
                })
            })
            .collect();
        match places.first().and_then(|(wanted, _)| wanted.key.as_ref()) {
            None => places.first().map(|(_, place)| one(place)).unwrap_or_default(),
            Some(InstanceKey::Str(_)) => format!("{{ {} }}[each.key]", keyed.join(", ")),
            Some(InstanceKey::Int(_)) => format!("[{}][count.index]", keyed.join(", ")),
        }
    }
}

/// Returns the edits with which a block reads variables in the place of lifted blocks.
fn told_instead<'i>(
    module: &Module,
    file: &ConfigFile,
    block: &Block,
    lifted: &BTreeSet<&'i Item>,
    told: &mut Told<'i>,
) -> Result<Vec<Edit>, Fault> {
    let is_taken = |name: &str| {
        let mut items = module.source.items();
        items.any(|(item, _)| matches!(item, Item::Variable(known) if known == name))
    };
    let mut edits = Vec::new();
    for reference in &block.references {
        let target = item_of(&reference.target);
        let Some(item) = lifted.iter().copied().find(|item| target.as_ref() == Some(*item)) else {
            continue;
        };
        if matches!(reference.place.role, Role::DependsOn | Role::ReplaceTriggeredBy)
            || file.syntax == Syntax::Json
        {
            let message = format!(
                "the module depends on {} in a way that no argument can replace",
                item.describe()
            );
            let fault = Diagnostic::error(message).at(&file.source, reference.span.clone());
            return Err(Box::new(
                fault
                    .note("nothing was written")
                    .hint("take the module as a whole"),
            ));
        }
        let (name, used) = told
            .entry(item)
            .or_insert_with(|| (free(&told_name(item), is_taken), Some(BTreeSet::new())));
        match (reference.steps.first().map(|step| &step.kind), used.as_mut()) {
            (Some(StepKind::Attr(attribute)), Some(used)) => {
                used.insert(attribute.clone());
            }
            _ => *used = None,
        }
        edits.push(Edit::new(reference.root.clone(), format!("var.{name}")));
    }
    Ok(edits)
}
