//! The shape of a configuration file: blocks, attributes and nested blocks, each a range of the original text.

use std::ops::Range;
use std::sync::Arc;

use super::reference::Reference;
use crate::address::ResourceMode;
use crate::diagnostic::SourceFile;

/// A byte range in the original text of a file.
pub type Span = Range<usize>;

/// How a file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Syntax {
    /// HCL's native syntax.
    Hcl,
    /// HCL's JSON syntax; a text spliced into a string there must be escaped as JSON.
    Json,
}

/// Managed, data or ephemeral.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mode {
    /// A `data` block.
    Data,
    /// An `ephemeral` block; never in a state.
    Ephemeral,
    /// A `resource` block.
    Managed,
}

impl Mode {
    /// Returns what stands before type and name in an address.
    pub fn prefix(self) -> &'static str {
        match self {
            Self::Data => "data.",
            Self::Ephemeral => "ephemeral.",
            Self::Managed => "",
        }
    }

    /// Returns the mode in a state; none for what is never in one.
    pub fn in_state(self) -> Option<ResourceMode> {
        match self {
            Self::Data => Some(ResourceMode::Data),
            Self::Ephemeral => None,
            Self::Managed => Some(ResourceMode::Managed),
        }
    }
}

/// The top-level block types of Terraform and OpenTofu.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "each variant is the block's keyword")]
pub enum BlockKind {
    Resource,
    Data,
    Ephemeral,
    Module,
    Provider,
    Variable,
    Output,
    Locals,
    Terraform,
    Moved,
    Removed,
    Import,
    Check,
    Action,
    /// A keyword that neither program knew when this was written; kept as it is.
    Other(String),
}

impl BlockKind {
    /// Reads a keyword.
    pub fn from_keyword(word: &str) -> Self {
        match word {
            "resource" => Self::Resource,
            "data" => Self::Data,
            "ephemeral" => Self::Ephemeral,
            "module" => Self::Module,
            "provider" => Self::Provider,
            "variable" => Self::Variable,
            "output" => Self::Output,
            "locals" => Self::Locals,
            "terraform" => Self::Terraform,
            "moved" => Self::Moved,
            "removed" => Self::Removed,
            "import" => Self::Import,
            "check" => Self::Check,
            "action" => Self::Action,
            other => Self::Other(other.to_owned()),
        }
    }

    /// Returns the keyword.
    pub fn keyword(&self) -> &str {
        match self {
            Self::Resource => "resource",
            Self::Data => "data",
            Self::Ephemeral => "ephemeral",
            Self::Module => "module",
            Self::Provider => "provider",
            Self::Variable => "variable",
            Self::Output => "output",
            Self::Locals => "locals",
            Self::Terraform => "terraform",
            Self::Moved => "moved",
            Self::Removed => "removed",
            Self::Import => "import",
            Self::Check => "check",
            Self::Action => "action",
            Self::Other(word) => word,
        }
    }

    /// Returns the mode of a `resource`, `data` or `ephemeral` block.
    pub fn mode(&self) -> Option<Mode> {
        match self {
            Self::Resource => Some(Mode::Managed),
            Self::Data => Some(Mode::Data),
            Self::Ephemeral => Some(Mode::Ephemeral),
            _ => None,
        }
    }

    /// Returns how many labels the block has; `None` where that is not known.
    pub(super) fn label_count(&self) -> Option<usize> {
        match self {
            Self::Resource | Self::Data | Self::Ephemeral | Self::Action => Some(2),
            Self::Module | Self::Provider | Self::Variable | Self::Output | Self::Check => Some(1),
            Self::Locals | Self::Terraform | Self::Moved | Self::Removed | Self::Import => Some(0),
            Self::Other(_) => None,
        }
    }
}

/// A block label.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// The label without quotes.
    pub value: String,
    /// Where it stands, quotes included.
    pub span: Span,
}

/// A top-level block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// The keyword.
    pub kind: BlockKind,
    /// The labels, for example type and name.
    pub labels: Vec<Label>,
    /// From the keyword to the closing brace. In JSON: from the key of the last label to the end of the body, or the
    /// body alone where several bodies share that key.
    pub span: Span,
    /// Whole lines: leading comments, the block, the comment behind it, the line ending. These spans are disjoint
    /// and sorted; what lies between them belongs to no block. In JSON the same as `span`.
    pub full: Span,
    /// The comments directly above (no blank line between), up to the line the block starts on; may be empty.
    pub leading: Span,
    /// From the keyword to the end of the last label. In JSON: the key of the last label.
    pub header: Span,
    /// What is between the braces.
    pub body: Body,
    /// Every reference in the block, nested blocks included, sorted by start.
    pub references: Vec<Reference>,
}

/// The content of a block.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Body {
    /// From brace to brace, both included.
    pub span: Span,
    /// The arguments, in source order.
    pub attributes: Vec<Attribute>,
    /// The nested blocks, in source order. In JSON only those that Terraform itself defines (`lifecycle`, `dynamic`,
    /// `provisioner` …): the others cannot be told from arguments without the provider's schema.
    pub blocks: Vec<NestedBlock>,
}

/// An argument.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attribute {
    /// The name.
    pub name: String,
    /// Where the name stands (quotes included in JSON).
    pub name_span: Span,
    /// The expression; a heredoc with both its markers.
    pub value: Span,
    /// From the name to the end of the expression.
    pub span: Span,
    /// Whole lines, as in [`Block::full`]; the same as `span` in one-line blocks and in JSON.
    pub full: Span,
    /// As in [`Block::leading`].
    pub leading: Span,
}

/// A block inside a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NestedBlock {
    /// The block type, `dynamic` included.
    pub name: String,
    /// The labels.
    pub labels: Vec<Label>,
    /// From the name to the closing brace.
    pub span: Span,
    /// As in [`Block::full`].
    pub full: Span,
    /// As in [`Block::leading`].
    pub leading: Span,
    /// What is between the braces.
    pub body: Body,
}

impl Block {
    /// Returns the label at a position, `""` where there is none.
    pub fn label(&self, index: usize) -> &str {
        self.labels.get(index).map_or("", |label| &label.value)
    }

    /// Returns the references that start inside a range, for example in one attribute.
    pub fn references_in(&self, span: &Span) -> &[Reference] {
        let start = self
            .references
            .partition_point(|reference| reference.span.start < span.start);
        let end = self
            .references
            .partition_point(|reference| reference.span.start < span.end);
        &self.references[start..end.max(start)]
    }
}

impl Body {
    /// Returns the argument of that name.
    pub fn attribute(&self, name: &str) -> Option<&Attribute> {
        self.attributes.iter().find(|attribute| attribute.name == name)
    }

    /// Returns the nested blocks of that type, without the `dynamic` ones.
    pub fn nested<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a NestedBlock> {
        self.blocks.iter().filter(move |block| block.name == name)
    }
}

/// One configuration file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigFile {
    /// The text and the path people know it by.
    pub source: Arc<SourceFile>,
    /// The file name without directories.
    pub name: String,
    /// How it is written.
    pub syntax: Syntax,
    /// Whether it is an override file.
    pub is_override: bool,
    /// The top-level blocks, in source order.
    pub blocks: Vec<Block>,
}

/// A part of a file: a block with its comments, or what stands between blocks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// The index of the block in [`ConfigFile::blocks`]; `None` for detached comments and blank lines.
    pub block: Option<usize>,
    /// Where the piece is.
    pub span: Span,
}

impl ConfigFile {
    /// Returns the text of a span.
    pub fn text(&self, span: &Span) -> &str {
        self.source.text.get(span.clone()).unwrap_or("")
    }

    /// Wraps a file of arguments, so that its spans can be read.
    pub(super) fn of_arguments(source: Arc<SourceFile>, path: &str) -> Self {
        Self {
            source,
            name: path.rsplit('/').next().unwrap_or(path).to_owned(),
            syntax: if path.ends_with(".json") {
                Syntax::Json
            } else {
                Syntax::Hcl
            },
            is_override: false,
            blocks: Vec::new(),
        }
    }

    /// Divides the file into pieces; their texts in order are the file, byte for byte.
    ///
    /// A JSON file is cut at its blocks too, but only HCL pieces can stand alone.
    pub fn pieces(&self) -> Vec<Piece> {
        let mut pieces = Vec::with_capacity(self.blocks.len() * 2 + 1);
        let mut at = 0;
        for (index, block) in self.blocks.iter().enumerate() {
            if at < block.full.start {
                pieces.push(Piece {
                    block: None,
                    span: at..block.full.start,
                });
            }
            pieces.push(Piece {
                block: Some(index),
                span: block.full.clone(),
            });
            at = block.full.end;
        }
        if at < self.source.text.len() {
            pieces.push(Piece {
                block: None,
                span: at..self.source.text.len(),
            });
        }
        pieces
    }
}
