//! What stacks tell, by their code: the document that a contract module writes, or that an output holds.

use hcl_edit::expr::Expression;

use super::Read;
use super::patterns::calls;
use super::shape::{Leaf, Shape};
use crate::config::{Block, BlockKind, ConfigFile, Item, Mode, ModuleSource, Span};
use crate::contract::ContractModule;
use crate::diagnostic::Diagnostic;
use crate::plan::contract::{ContractStore, SsmTier};

/// Which half of a contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Half {
    /// What everyone may see.
    Public,
    /// What is allowed to cross though it is secret.
    Private,
}

impl Half {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Public, Self::Private];

    /// Returns the member's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Private => "private",
        }
    }

    /// Reads a member's name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|half| half.name() == name)
    }
}

/// One half as it is written.
pub(super) struct Written<'r> {
    /// The file.
    pub file: &'r ConfigFile,
    /// Where the expression begins; the leaves of its shape count from there.
    pub start: usize,
    /// What it is made of.
    pub shape: Shape,
    /// The root module around it.
    root: &'r ModuleSource,
}

impl Written<'_> {
    /// Puts a finding where a leaf stands.
    pub fn at(&self, leaf: &Leaf, diagnostic: Diagnostic) -> Diagnostic {
        let span = self.start + leaf.span.start..self.start + leaf.span.end;
        diagnostic.at(&self.file.source, span)
    }

    /// Tells whether a leaf that is a whole object is all of several instances.
    pub fn is_repeated(&self, leaf: &Leaf) -> bool {
        let span = self.start + leaf.span.start..self.start + leaf.span.end;
        let text = self.file.text(&span);
        let steps: Vec<&str> = text.split('.').collect();
        let item = match &steps[..] {
            ["module", name] => Item::Module((*name).to_owned()),
            ["data", type_name, name] => resource(Mode::Data, type_name, name),
            [type_name, name] => resource(Mode::Managed, type_name, name),
            _ => return false,
        };
        let mut repetitions = ["for_each", "count"].iter();
        repetitions.any(|argument| self.root.attribute(&item, argument).is_some())
    }
}

fn resource(mode: Mode, type_name: &str, name: &str) -> Item {
    Item::Resource {
        mode,
        type_name: type_name.to_owned(),
        name: name.to_owned(),
    }
}

/// What one stack tells.
pub(super) struct Told<'r> {
    /// The name that readers go by.
    pub producer: String,
    /// The stack.
    pub stack: &'r str,
    /// Where it is kept.
    pub store: ContractStore,
    /// Parameter path or key prefix, where that is a constant.
    pub path: Option<String>,
    /// The bucket, where that is a constant.
    pub bucket: Option<String>,
    /// The output with the document, where outputs hold it.
    pub output: Option<String>,
    /// Tier of the parameter.
    pub tier: SsmTier,
    /// Where it is told.
    pub place: (&'r ConfigFile, Span),
    /// The halves; absent ones are not told, or the text does not say what they are.
    pub halves: Vec<(Half, Written<'r>)>,
}

impl Told<'_> {
    /// Returns a half as it is written.
    pub fn half(&self, half: Half) -> Option<&Written<'_>> {
        let mut halves = self.halves.iter();
        halves.find_map(|(known, written)| (*known == half).then_some(written))
    }
}

/// Returns what every stack tells.
pub(super) fn of_all<'r>(stacks: &'r [Read<'_>]) -> Vec<Told<'r>> {
    stacks.iter().flat_map(of).collect()
}

fn of<'r>(read: &'r Read<'_>) -> Vec<Told<'r>> {
    let root = &read.configuration.root().source;
    let mut found = Vec::new();
    for (_, file, block) in root.blocks() {
        match block.kind {
            BlockKind::Module => found.extend(by_module(read, file, block)),
            BlockKind::Output => found.extend(by_output(read, file, block)),
            _ => {}
        }
    }
    found
}

fn by_module<'r>(read: &'r Read<'_>, file: &'r ConfigFile, block: &'r Block) -> Option<Told<'r>> {
    let store = match () {
        () if calls(read, block, &[ContractModule::SsmStore]) => ContractStore::Ssm,
        () if calls(read, block, &[ContractModule::S3Store]) => ContractStore::S3,
        () => return None,
    };
    let data = block.body.attribute("data")?;
    let constant = |name: &str| {
        let argument = block.body.attribute(name)?;
        file.string(&argument.value)
    };
    let is_advanced = constant("tier").is_some_and(|tier| tier.eq_ignore_ascii_case("advanced"));
    let (file_of, start, expr) = resolved(read, file, &data.value)?;
    Some(Told {
        producer: constant("name").unwrap_or_else(|| read.name.clone()),
        stack: &read.name,
        store,
        path: constant("path"),
        bucket: constant("bucket"),
        output: None,
        tier: if is_advanced {
            SsmTier::Advanced
        } else {
            SsmTier::Standard
        },
        place: (file, block.header.clone()),
        halves: halves(read, file_of, start, &expr),
    })
}

/// Follows a local by one step.
fn resolved<'r>(
    read: &'r Read<'_>,
    file: &'r ConfigFile,
    span: &Span,
) -> Option<(&'r ConfigFile, usize, Expression)> {
    let written = file.text(span).trim();
    if let Some(name) = written.strip_prefix("local.")
        && let Some((file, argument)) = local(read, name)
    {
        return Some((file, argument.start, file.expression(&argument)?));
    }
    Some((file, span.start, file.expression(span)?))
}

/// Returns the expression of a local value of the root module.
pub(super) fn local<'r>(read: &'r Read<'_>, name: &str) -> Option<(&'r ConfigFile, Span)> {
    let root = &read.configuration.root().source;
    let declaration = root.declarations(&Item::Local(name.to_owned())).last()?;
    let (file, block) = root.block(declaration.block);
    let argument = block.body.attributes.get(declaration.attribute?)?;
    Some((file, argument.value.clone()))
}

fn halves<'r>(
    read: &'r Read<'_>,
    file: &'r ConfigFile,
    start: usize,
    expr: &Expression,
) -> Vec<(Half, Written<'r>)> {
    let Shape::Object(members) = Shape::of(expr) else {
        return Vec::new();
    };
    let root = &read.configuration.root().source;
    let halves = members.into_iter().filter_map(|(name, shape)| {
        let written = Written {
            file,
            start,
            shape,
            root,
        };
        Some((Half::named(&name)?, written))
    });
    halves.collect()
}

/// An output that holds a document: `jsonencode({ installed = true, public = { … } })`; its private half is in another.
fn by_output<'r>(read: &'r Read<'_>, file: &'r ConfigFile, block: &'r Block) -> Option<Told<'r>> {
    let (start, expr) = encoded(file, block)?;
    let halves = halves(read, file, start, &expr);
    let is_document = matches!(Shape::of(&expr), Shape::Object(members) if members.contains_key("installed"));
    if !is_document || halves.is_empty() {
        return None;
    }
    let name = block.label(0).to_owned();
    let mut told = Told {
        producer: read.name.clone(),
        stack: &read.name,
        store: ContractStore::RemoteState,
        path: None,
        bucket: None,
        output: Some(name.clone()),
        tier: SsmTier::Standard,
        place: (file, block.header.clone()),
        halves,
    };
    let root = &read.configuration.root().source;
    let private = Item::Output(format!("{name}_private"));
    if let Some(declaration) = root.declarations(&private).first() {
        let (file, block) = root.block(declaration.block);
        if let Some((start, expr)) = encoded(file, block) {
            let shape = Shape::of(&expr);
            let written = Written {
                file,
                start,
                shape,
                root,
            };
            told.halves.push((Half::Private, written));
        }
    }
    Some(told)
}

/// Returns the argument of `jsonencode` that an output's value is.
fn encoded(file: &ConfigFile, block: &Block) -> Option<(usize, Expression)> {
    let value = block.body.attribute("value")?;
    match file.expression(&value.value)? {
        Expression::FuncCall(call) if call.name.name.as_str() == "jsonencode" => {
            let argument = call.args.iter().next()?;
            Some((value.value.start, argument.clone()))
        }
        _ => None,
    }
}
