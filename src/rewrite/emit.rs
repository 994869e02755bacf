//! The configuration files of one state: slices of the monolith's with their edits.

use std::collections::{BTreeMap, BTreeSet};

use super::align::aligned;
use super::ownership::{Form, Repetition};
use super::refer::Writer;
use super::splice::{Edit, Kept, assemble};
use super::{backend, json_syntax, text};
use crate::address::{InstanceKey, MoveableAddr, ProviderAddr};
use crate::config::{
    Attribute, Block, BlockId, BlockKind, ConfigFile, Item, ModuleSource, NestedBlock, Syntax,
};
use crate::diagnostic::Diagnostic;
use crate::source_tree::join;
use crate::stack::{StateId, StateLocation};

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
        let root = std::sync::Arc::clone(&self.writer.cut.input.configuration.root().source);
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
                if aligned(source) == *source {
                    aligned(&text)
                } else {
                    text
                }
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

    /// Drops what `depends_on` names in other states.
    fn dependencies(&mut self, file: &ConfigFile, block: &Block, item: &Item, edits: &mut Vec<Edit>) {
        let scope = self.writer.cut.scope(self.writer.state, item);
        let mut bodies: Vec<&crate::config::Body> = vec![&block.body];
        bodies.extend(block.body.blocks.iter().map(|nested| &nested.body));
        for body in bodies {
            let Some(argument) = body.attribute("depends_on") else {
                continue;
            };
            let references = block.references_in(&argument.value);
            let (gone, here): (Vec<_>, Vec<_>) = references
                .iter()
                .partition(|reference| self.writer.is_elsewhere(file, reference, &scope));
            if gone.is_empty() {
                continue;
            }
            for reference in &gone {
                let message = format!(
                    "the order on `{}` is dropped: it is in another state than {}",
                    file.text(&reference.span),
                    item.describe()
                );
                self.warnings.push(
                    Diagnostic::warning(message)
                        .at(&file.source, reference.span.clone())
                        .hint("apply the stacks in the order of the report; nothing else follows from it"),
                );
            }
            // The references of the argument are written anew, in place of their own edits.
            if here.is_empty() {
                let span = match file.syntax {
                    Syntax::Hcl => before_blank_line(file, argument),
                    Syntax::Json => argument.value.clone(),
                };
                let new = if file.syntax == Syntax::Json { "[]" } else { "" };
                edits.push(Edit::new(span, new));
                continue;
            }
            let kept: Vec<String> = here
                .iter()
                .map(|reference| {
                    let own = self.writer.reference(file, reference, &scope);
                    let new = super::splice::apply(&file.source.text, &reference.span, &own);
                    match file.syntax {
                        Syntax::Hcl => new,
                        Syntax::Json => format!("\"{new}\""),
                    }
                })
                .collect();
            edits.push(Edit::new(
                argument.value.clone(),
                format!("[{}]", kept.join(", ")),
            ));
        }
    }

    fn locals(&self, file: &ConfigFile, id: BlockId, block: &Block) -> Option<Vec<Edit>> {
        let mut edits = Vec::new();
        let mut keeps = false;
        let mut before_is_gone = true;
        for argument in &block.body.attributes {
            if self.has(&Item::Local(argument.name.clone())) {
                keeps = true;
                before_is_gone = false;
                edits.extend(self.writer.block(id, None, Some(&argument.span)));
                continue;
            }
            let span = match file.syntax {
                Syntax::Json => argument.span.clone(),
                // The blank line behind goes with the first ones, the one before with the others.
                Syntax::Hcl if before_is_gone => with_blank_line(file, argument),
                Syntax::Hcl if ends_group(file, argument) => before_blank_line(file, argument),
                Syntax::Hcl => argument.full.clone(),
            };
            edits.push(Edit::new(span, ""));
        }
        keeps.then_some(edits)
    }

    fn terraform(&mut self, file: &ConfigFile, id: BlockId, block: &Block) -> Option<Vec<Edit>> {
        let mut edits = self.writer.block(id, None, None);
        let mut keeps = !block.body.attributes.is_empty();
        for nested in &block.body.blocks {
            match nested.name.as_str() {
                "backend" | "cloud" => {
                    let Some(location) = self.location else {
                        keeps = true;
                        continue;
                    };
                    if self.has_backend {
                        edits.push(Edit::new(nested.full.clone(), ""));
                        continue;
                    }
                    self.has_backend = true;
                    keeps = true;
                    let new = match file.syntax {
                        Syntax::Hcl => backend::block(location, indentation(file, nested)),
                        Syntax::Json => {
                            self.has_backend = false;
                            String::new()
                        }
                    };
                    edits.push(Edit::new(nested.span.clone(), new));
                }
                "required_providers" => keeps |= self.required(file, nested, &mut edits),
                _ => keeps = true,
            }
        }
        keeps.then_some(edits)
    }

    /// Keeps the requirements of the providers that are used; tells whether there are any.
    fn required(&self, file: &ConfigFile, nested: &NestedBlock, edits: &mut Vec<Edit>) -> bool {
        let configuration = self.writer.cut.input.configuration;
        let (mut keeps, mut dropped) = (self.is_source(), Vec::new());
        for entry in &nested.body.attributes {
            let address = configuration.provider_address(configuration.root(), &entry.name);
            match address {
                _ if self.is_source() => {}
                Ok(address) if !self.providers.contains(&address) => {
                    let span = match file.syntax {
                        Syntax::Hcl => entry.full.clone(),
                        Syntax::Json => entry.span.clone(),
                    };
                    dropped.push(Edit::new(span, ""));
                }
                _ => keeps = true,
            }
        }
        match keeps || nested.body.attributes.is_empty() {
            true => edits.extend(dropped),
            false => edits.push(Edit::new(nested_with_blank_line(file, nested), "")),
        }
        keeps
    }

    /// `moved` and `import` go with what they name, where that still has its name.
    fn addressed(&mut self, file: &ConfigFile, id: BlockId, block: &Block) -> Option<Vec<Edit>> {
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

/// Returns the root-level block that an address is in, and the key there.
fn root_item(address: &MoveableAddr) -> Option<(Item, Option<crate::address::InstanceKey>)> {
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

fn indentation(file: &ConfigFile, nested: &NestedBlock) -> usize {
    let text = &file.source.text[..nested.span.start];
    text.len() - text.rfind('\n').map_or(0, |at| at + 1)
}

/// Extends the lines of an argument over a blank line behind them.
fn with_blank_line(file: &ConfigFile, argument: &Attribute) -> std::ops::Range<usize> {
    let rest = &file.source.text[argument.full.end..];
    let blank = rest.strip_prefix("\r\n").or_else(|| rest.strip_prefix('\n'));
    let extra = blank.map_or(0, |blank| rest.len() - blank.len());
    argument.full.start..argument.full.end + extra
}

fn nested_with_blank_line(file: &ConfigFile, nested: &NestedBlock) -> std::ops::Range<usize> {
    let text = &file.source.text[..nested.full.start];
    let start = match text.strip_suffix("\n\n") {
        Some(before) => before.len() + 1,
        None => text.len(),
    };
    start..nested.full.end
}

/// The lines of an argument; with the blank line behind it if it is the first.
fn without_blank_line(file: &ConfigFile, block: &Block, argument: &Attribute) -> std::ops::Range<usize> {
    if file.syntax == Syntax::Json {
        return argument.span.clone();
    }
    let between = &file.source.text[block.body.span.start + 1..argument.full.start];
    match between.trim().is_empty() {
        true => with_blank_line(file, argument),
        false => argument.full.clone(),
    }
}

/// Tells whether a blank line or the end of the block follows an argument.
fn ends_group(file: &ConfigFile, argument: &Attribute) -> bool {
    let rest = &file.source.text[argument.full.end..];
    let next = rest.lines().next().unwrap_or("").trim();
    next.is_empty() || next == "}"
}

/// Extends the lines of an argument over a blank line before them.
fn before_blank_line(file: &ConfigFile, argument: &Attribute) -> std::ops::Range<usize> {
    let before = &file.source.text[..argument.full.start];
    let start = if before.ends_with("\r\n\r\n") {
        before.len() - 2
    } else if before.ends_with("\n\n") {
        before.len() - 1
    } else {
        before.len()
    };
    start..argument.full.end
}

/// Returns a file name that the state's tree does not have.
pub(super) fn free_file_name(taken: &BTreeSet<String>, wanted: &str) -> String {
    let numbered = (2..).map(|number| format!("{wanted}_{number}.tf"));
    std::iter::once(format!("{wanted}.tf"))
        .chain(numbered)
        .find(|name| !taken.contains(name))
        .expect("there is always a next number")
}

/// Returns the paths of a tree of files below a directory.
pub(super) fn below<'p>(paths: &'p BTreeSet<String>, dir: &str) -> impl Iterator<Item = &'p String> {
    let prefix = if dir.is_empty() {
        String::new()
    } else {
        format!("{}/", join("", dir))
    };
    paths.iter().filter(move |path| path.starts_with(&prefix))
}

/// Tells whether this state is the monolith.
pub(super) fn is_monolith(state: &StateId) -> bool {
    matches!(state, StateId::Source(_))
}
