//! One directory of configuration: its files, what they declare, and how override files change it.

use std::collections::BTreeMap;

use super::{Attribute, Block, BlockKind, Body, ConfigFile, Mode, NestedBlock, Reference, Span};
use crate::diagnostic::Diagnostic;

/// Something a module declares, by the name under which it is overridden and referred to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Item {
    /// A resource, data source or ephemeral resource; the `data` of a `check` too.
    Resource {
        /// Managed, data or ephemeral.
        mode: Mode,
        /// The type.
        type_name: String,
        /// The name.
        name: String,
    },
    /// A module call.
    Module(String),
    /// An action.
    Action {
        /// The type.
        type_name: String,
        /// The name.
        name: String,
    },
    /// A variable.
    Variable(String),
    /// An output.
    Output(String),
    /// One argument of `locals`.
    Local(String),
    /// A provider configuration.
    Provider {
        /// The local name.
        name: String,
        /// The alias.
        alias: Option<String>,
    },
    /// A check.
    Check(String),
    /// The `terraform` blocks together.
    Terraform,
}

/// The place of a top-level block in a module.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlockId {
    /// Index in [`ModuleSource::files`].
    pub file: usize,
    /// Index in [`ConfigFile::blocks`].
    pub block: usize,
}

/// One piece of an item: the declaration itself, or one that overrides it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Declaration {
    /// The block.
    pub block: BlockId,
    /// For a local: the argument in the block.
    pub attribute: Option<usize>,
    /// For the `data` of a `check`: the nested block.
    pub nested: Option<usize>,
}

/// What an item is after its overrides: arguments replaced by name, nested blocks by type.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Merged<'m> {
    /// The arguments that count.
    pub attributes: Vec<(BlockId, &'m Attribute)>,
    /// The nested blocks that count. `lifecycle` is merged by argument, so several of it may be here.
    pub blocks: Vec<(BlockId, &'m NestedBlock)>,
}

/// The configuration in one directory; modules called from there share it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModuleSource {
    /// The directory, relative to the root module; `""` is the root module.
    pub dir: String,
    /// The files: primaries, then overrides, each in byte order.
    pub files: Vec<ConfigFile>,
    items: BTreeMap<Item, Vec<Declaration>>,
    required_sources: BTreeMap<String, String>,
}

impl ModuleSource {
    /// Puts the files of a directory together; clashes go to `diagnostics`.
    pub(super) fn new(dir: &str, files: Vec<ConfigFile>, diagnostics: &mut Vec<Diagnostic>) -> Self {
        let mut module = Self {
            dir: dir.to_owned(),
            files,
            items: BTreeMap::new(),
            required_sources: BTreeMap::new(),
        };
        for file in 0..module.files.len() {
            for block in 0..module.files[file].blocks.len() {
                module.declare(BlockId { file, block }, diagnostics);
            }
        }
        module.required_sources = required_sources(&module);
        module
    }

    /// Returns the entries of `required_providers` that have a source, overrides merged: local name → source.
    pub fn required_sources(&self) -> &BTreeMap<String, String> {
        &self.required_sources
    }

    fn declare(&mut self, id: BlockId, diagnostics: &mut Vec<Diagnostic>) {
        let (file, block) = self.block(id);
        if let Some(expected) = block
            .kind
            .label_count()
            .filter(|&count| count != block.labels.len())
        {
            let problem = format!(
                "a `{}` block has {expected} labels, not {}",
                block.kind.keyword(),
                block.labels.len()
            );
            diagnostics.push(Diagnostic::error(problem).at(&file.source, block.header.clone()));
            return;
        }
        if let BlockKind::Other(word) = &block.kind {
            let problem = format!("the block type `{word}` is not known; it is left as it is");
            diagnostics.push(Diagnostic::warning(problem).at(&file.source, block.header.clone()));
        }
        for (item, declaration) in declared(file, block, id) {
            self.add(item, declaration, diagnostics);
        }
    }

    fn add(&mut self, item: Item, declaration: Declaration, diagnostics: &mut Vec<Diagnostic>) {
        let (file, block) = self.block(declaration.block);
        let place = self.place(declaration);
        let known = self.items.get(&item).map_or(&[][..], Vec::as_slice);
        let problem = match (file.is_override, known.first()) {
            _ if item == Item::Terraform => None,
            (true, None) => {
                let problem = format!("there is no {} to override", item.describe());
                Some(Diagnostic::error(problem).at(&file.source, place))
            }
            (false, Some(&first)) => {
                let (other, _) = self.block(first.block);
                let at = other.source.position(self.place(first).start);
                let problem = format!("{} is declared twice", item.describe());
                let note = format!(
                    "first declared at {}:{}:{}",
                    other.source.path, at.line, at.column
                );
                Some(Diagnostic::error(problem).at(&file.source, place).note(note))
            }
            _ => None,
        };
        let depends_on = block.body.attribute("depends_on");
        if let (true, Some(depends_on)) = (file.is_override, depends_on) {
            let problem = "`depends_on` cannot be overridden";
            diagnostics.push(Diagnostic::error(problem).at(&file.source, depends_on.span.clone()));
        }
        diagnostics.extend(problem);
        self.items.entry(item).or_default().push(declaration);
    }

    fn place(&self, declaration: Declaration) -> Span {
        let (_, block) = self.block(declaration.block);
        match declaration.attribute {
            Some(index) => block.body.attributes[index].name_span.clone(),
            None => block.header.clone(),
        }
    }

    /// Returns a block and its file. The id must come from this module.
    pub fn block(&self, id: BlockId) -> (&ConfigFile, &Block) {
        let file = &self.files[id.file];
        (file, &file.blocks[id.block])
    }

    /// Returns all top-level blocks, in the order of merging.
    pub fn blocks(&self) -> impl Iterator<Item = (BlockId, &ConfigFile, &Block)> {
        self.files.iter().enumerate().flat_map(|(file, source)| {
            let blocks = source.blocks.iter().enumerate();
            blocks.map(move |(block, found)| (BlockId { file, block }, source, found))
        })
    }

    /// Returns what the module declares, sorted, each with its pieces: the declaration, then its overrides.
    pub fn items(&self) -> impl Iterator<Item = (&Item, &[Declaration])> {
        self.items.iter().map(|(item, pieces)| (item, pieces.as_slice()))
    }

    /// Returns the pieces of an item in the order of merging; empty where it is not declared.
    pub fn declarations(&self, item: &Item) -> &[Declaration] {
        self.items.get(item).map_or(&[], Vec::as_slice)
    }

    /// Returns the body of a piece. A local has none of its own and gives that of its block.
    pub fn body(&self, declaration: Declaration) -> &Body {
        let (_, block) = self.block(declaration.block);
        match declaration.nested {
            Some(index) => &block.body.blocks[index].body,
            None => &block.body,
        }
    }

    /// Returns the argument of an item that counts after overrides, with its file.
    pub fn attribute(&self, item: &Item, name: &str) -> Option<(&ConfigFile, &Attribute)> {
        self.declarations(item).iter().rev().find_map(|&piece| {
            let found = self.body(piece).attribute(name)?;
            Some((self.block(piece.block).0, found))
        })
    }

    /// Returns what an item is after its overrides. For a local: the one argument.
    pub fn merged(&self, item: &Item) -> Merged<'_> {
        let mut merged = Merged::default();
        for &piece in self.declarations(item) {
            let body = self.body(piece);
            if let Some(index) = piece.attribute {
                merged.attributes = vec![(piece.block, &body.attributes[index])];
                continue;
            }
            merged
                .attributes
                .retain(|(_, known)| body.attribute(&known.name).is_none());
            merged
                .attributes
                .extend(body.attributes.iter().map(|found| (piece.block, found)));
            if *item != Item::Terraform {
                merged.blocks.retain(|(_, known)| {
                    known.name == "lifecycle"
                        || !body.blocks.iter().any(|found| type_of(found) == type_of(known))
                });
            }
            merged
                .blocks
                .extend(body.blocks.iter().map(|found| (piece.block, found)));
        }
        merged
    }

    /// Returns the references of an item that count after overrides, with the block each stands in.
    pub fn references(&self, item: &Item) -> Vec<(BlockId, &Reference)> {
        let merged = self.merged(item);
        let mut live: Vec<(BlockId, &Span)> = Vec::new();
        live.extend(merged.attributes.iter().map(|&(id, found)| (id, &found.span)));
        for (index, &(id, found)) in merged.blocks.iter().enumerate() {
            if found.name != "lifecycle" {
                live.push((id, &found.span));
                continue;
            }
            let later = &merged.blocks[index + 1..];
            let later: Vec<&Body> = later
                .iter()
                .filter(|(_, b)| b.name == "lifecycle")
                .map(|(_, b)| &b.body)
                .collect();
            let is_live = |name: &str| !later.iter().any(|body| body.attribute(name).is_some());
            let arguments = found
                .body
                .attributes
                .iter()
                .filter(|argument| is_live(&argument.name));
            live.extend(arguments.map(|argument| (id, &argument.span)));
            live.extend(found.body.blocks.iter().map(|inner| (id, &inner.span)));
        }
        live.sort_by_key(|&(id, span)| (id, span.start));
        let in_span = |(id, span): (BlockId, &Span)| {
            let (_, block) = self.block(id);
            block
                .references_in(span)
                .iter()
                .map(move |reference| (id, reference))
        };
        live.into_iter().flat_map(in_span).collect()
    }
}

fn required_sources(module: &ModuleSource) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for (_, file, block) in module
        .blocks()
        .filter(|(_, _, block)| block.kind == BlockKind::Terraform)
    {
        for required in block.body.nested("required_providers") {
            for entry in &required.body.attributes {
                // An override replaces the entry as a whole.
                found.remove(&entry.name);
                if let Some(source) = file.member_string(&entry.value, "source") {
                    found.insert(entry.name.clone(), source);
                }
            }
        }
    }
    found
}

/// Returns the type that a nested block is or generates.
fn type_of(block: &NestedBlock) -> &str {
    match block.labels.first() {
        Some(label) if block.name == "dynamic" => &label.value,
        _ => &block.name,
    }
}

impl Item {
    /// Returns the item in words for a message.
    pub fn describe(&self) -> String {
        match self {
            Self::Resource {
                mode,
                type_name,
                name,
            } => {
                let prefix = mode.prefix();
                format!("resource `{prefix}{type_name}.{name}`")
            }
            Self::Module(name) => format!("module call `{name}`"),
            Self::Action { type_name, name } => format!("action `{type_name}.{name}`"),
            Self::Variable(name) => format!("variable `{name}`"),
            Self::Output(name) => format!("output `{name}`"),
            Self::Local(name) => format!("local value `{name}`"),
            Self::Provider { name, alias: None } => format!("provider configuration `{name}`"),
            Self::Provider {
                name,
                alias: Some(alias),
            } => format!("provider configuration `{name}.{alias}`"),
            Self::Check(name) => format!("check `{name}`"),
            Self::Terraform => "terraform block".to_owned(),
        }
    }
}

/// Returns what a block declares under a name. `moved`, `removed` and `import` declare nothing.
fn declared(file: &ConfigFile, block: &Block, id: BlockId) -> Vec<(Item, Declaration)> {
    let whole = Declaration {
        block: id,
        attribute: None,
        nested: None,
    };
    let (first, second) = (block.label(0).to_owned(), block.label(1).to_owned());
    let item = match &block.kind {
        BlockKind::Resource | BlockKind::Data | BlockKind::Ephemeral => Item::Resource {
            mode: block.kind.mode().unwrap_or(Mode::Managed),
            type_name: first,
            name: second,
        },
        BlockKind::Module => Item::Module(first),
        BlockKind::Action => Item::Action {
            type_name: first,
            name: second,
        },
        BlockKind::Variable => Item::Variable(first),
        BlockKind::Output => Item::Output(first),
        BlockKind::Provider => Item::Provider {
            name: first,
            alias: block
                .body
                .attribute("alias")
                .and_then(|alias| file.string(&alias.value)),
        },
        BlockKind::Terraform => Item::Terraform,
        BlockKind::Locals => {
            let local = |(index, attribute): (usize, &Attribute)| {
                let piece = Declaration {
                    attribute: Some(index),
                    ..whole
                };
                (Item::Local(attribute.name.clone()), piece)
            };
            return block.body.attributes.iter().enumerate().map(local).collect();
        }
        BlockKind::Check => {
            let mut items = vec![(Item::Check(first), whole)];
            for (index, nested) in block.body.blocks.iter().enumerate() {
                if let ("data", [type_name, name]) = (nested.name.as_str(), nested.labels.as_slice()) {
                    let item = Item::Resource {
                        mode: Mode::Data,
                        type_name: type_name.value.clone(),
                        name: name.value.clone(),
                    };
                    let piece = Declaration {
                        nested: Some(index),
                        ..whole
                    };
                    items.push((item, piece));
                }
            }
            return items;
        }
        BlockKind::Moved | BlockKind::Removed | BlockKind::Import | BlockKind::Other(_) => return Vec::new(),
    };
    vec![(item, whole)]
}
