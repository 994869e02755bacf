//! One root module and its modules as source text with spans.
//! (draft)

mod collect;
mod comments;
mod files;
mod hcl;
mod json;
mod literal;
mod model;
mod normalize;
mod reference;
mod treat;

pub use files::Dialect;
pub use literal::{Literal, ProviderKey, ProviderRef};
pub use model::{
    Attribute, Block, BlockKind, Body, ConfigFile, Label, Mode, NestedBlock, Piece, Span, Syntax,
};
pub use reference::{Place, Reference, Role, Step, StepKind, Surroundings, Target};

#[cfg(test)]
mod reading_tests;
