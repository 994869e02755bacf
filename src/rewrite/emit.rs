//! The configuration files of one state: slices of the monolith's with their edits.

mod addressed;
mod entries;
mod lines;
mod order;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use self::lines::without_blank_line;
use super::align::aligned_as;
use super::ownership::{Form, Repetition};
use super::refer::Writer;
use super::splice::{Edit, Kept, assemble};
use super::{json_syntax, text};
use crate::address::{InstanceKey, ProviderAddr};
use crate::config::{Attribute, Block, BlockId, BlockKind, ConfigFile, Item, ModuleSource, Syntax};
use crate::diagnostic::Diagnostic;
use crate::stack::StateLocation;

/// What the files of one state are made with.
pub(super) struct Emitter<'e, 'c, 'a> {
    /// The references.
    pub writer: Writer<'c, 'a>,
    /// Where the state lives; none: the backend block stays as it is.
    pub location: Option<&'e StateLocation>,
    /// The providers it uses.
    pub providers: BTreeSet<ProviderAddr>,
    /// For calls of local modules, the new source.
    pub sources: BTreeMap<String, String>,
    /// What was dropped on the way.
    pub warnings: Vec<Diagnostic>,
    /// Whether a backend block was written.
    pub has_backend: bool,
}

impl Emitter<'_, '_, '_> {
    fn root(&self) -> &ModuleSource {
        &self.writer.cut.input.configuration.root().source
    }

    fn is_source(&self) -> bool {
        self.writer.state == self.writer.cut.input.source
    }

    fn has(&self, item: &Item) -> bool {
        self.writer.cut.members[self.writer.state].items.contains(item)
    }

    /// Returns the files by name.
    pub fn files(&mut self) -> BTreeMap<String, String> {
        let mut files = BTreeMap::new();
        for number in 0..self.root().files.len() {
            if let Some((name, text)) = self.file(number) {
                files.insert(name, text);
            }
        }
        files
    }

    fn file(&mut self, number: usize) -> Option<(String, String)> {
        let root = Arc::clone(&self.writer.cut.input.configuration.root().source);
        let file = &root.files[number];
        let mut kept = Vec::new();
        for index in 0..file.blocks.len() {
            let id = BlockId {
                file: number,
                block: index,
            };
            let edits = self.block(&root, id);
            kept.push(Kept {
                full: file.blocks[index].full.clone(),
                edits,
            });
        }
        let source = &file.source.text;
        let text = match file.syntax {
            Syntax::Hcl => {
                // First of all: most states have nothing of most files.
                let text = assemble(source, &kept)?;
                aligned_as(source, text)
            }
            Syntax::Json => json_syntax::assemble(source, &kept)?,
        };
        Some((file.name.clone(), text))
    }

    /// Returns the edits of a block, or none where it is dropped.
    fn block(&mut self, root: &ModuleSource, id: BlockId) -> Option<Vec<Edit>> {
        let (file, block) = root.block(id);
        let first = block.label(0).to_owned();
        let item = match &block.kind {
            BlockKind::Resource | BlockKind::Data | BlockKind::Ephemeral => Item::Resource {
                mode: block.kind.mode()?,
                type_name: first,
                name: block.label(1).to_owned(),
            },
            BlockKind::Module => Item::Module(first),
            BlockKind::Action => Item::Action {
                type_name: first,
                name: block.label(1).to_owned(),
            },
            BlockKind::Variable => Item::Variable(first),
            BlockKind::Output => Item::Output(first),
            BlockKind::Check => Item::Check(first),
            BlockKind::Provider => Item::Provider {
                name: first,
                alias: block
                    .body
                    .attribute("alias")
                    .and_then(|alias| file.string(&alias.value)),
            },
            BlockKind::Locals => return self.locals(file, id, block),
            BlockKind::Terraform => return self.terraform(file, id, block),
            BlockKind::Moved | BlockKind::Import => return self.addressed(file, id, block),
            BlockKind::Removed | BlockKind::Other(_) => {
                return self.is_source().then(|| self.writer.block(id, None, None));
            }
        };
        if !self.has(&item) {
            return None;
        }
        let mut edits = self.writer.block(id, Some(&item), None);
        self.dependencies(file, block, &item, &mut edits);
        self.owned(file, block, &item, &mut edits);
        if let Item::Module(call) = &item
            && let (Some(new), Some(source)) = (self.sources.get(call), block.body.attribute("source"))
        {
            edits.push(Edit::new(source.value.clone(), text::quote(new)));
        }
        Some(edits)
    }

    /// Name and repetition of a block that creates something.
    fn owned(&self, file: &ConfigFile, block: &Block, item: &Item, edits: &mut Vec<Edit>) {
        let Some((owned, part)) = self.writer.cut.part(self.writer.state, item) else {
            return;
        };
        if part.item != *item {
            let (label, name) = match &part.item {
                Item::Resource { name, .. } => (block.labels.get(1), name),
                Item::Module(name) => (block.labels.first(), name),
                _ => (None, &String::new()),
            };
            if let Some(label) = label {
                edits.push(Edit::new(label.span.clone(), text::quote(name)));
            }
        }
        let name = match owned.repetition {
            Repetition::ForEach => "for_each",
            Repetition::Count => "count",
            Repetition::None => return,
        };
        let Some(argument) = block.body.attribute(name) else {
            return;
        };
        match &part.form {
            Form::AsIs => {}
            Form::Single(_) => edits.push(Edit::new(without_blank_line(file, block, argument), "")),
            Form::Only(keys) if owned.repetition == Repetition::Count => {
                edits.push(Edit::new(argument.value.clone(), keys.len().to_string()));
            }
            Form::Only(keys) => only(file, argument, keys, edits),
        }
    }
}

/// Restricts a `for_each` to some keys.
fn only(file: &ConfigFile, argument: &Attribute, keys: &[InstanceKey], edits: &mut Vec<Edit>) {
    let filter = || {
        let keys: Vec<String> = keys.iter().map(text::literal).collect();
        format!(" : key => value if contains([{}], key) }}", keys.join(", "))
    };
    let (start, end) = (argument.value.start, argument.value.end);
    if file.syntax == Syntax::Hcl {
        edits.push(Edit::new(start..start, "{ for key, value in "));
        edits.push(Edit::new(end..end, filter()));
        return;
    }
    if let Some((inside, _)) = super::each::template(file, &argument.value) {
        edits.push(Edit::new(inside.start..inside.start, "{ for key, value in "));
        edits.push(Edit::new(inside.end..inside.end, text::spliced(file, &filter())));
        return;
    }
    let others = super::each::other_members(file, &argument.value, keys);
    edits.extend(others.into_iter().map(|span| Edit::new(span, "")));
}
