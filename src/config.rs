//! A root module and the modules it calls, as source text with spans.
//!
//! [`Configuration::load`] reads a [`SourceTree`](crate::source_tree::SourceTree) into [`Module`]s. A module's text is
//! a [`ModuleSource`]: its [`ConfigFile`]s, and what they declare ([`Item`]s, each with its pieces: the declaration
//! and its overrides). A file is a list of [`Block`]s; every block, argument and [`Reference`] is a byte range of the
//! original text, so that code is moved by copying slices and changed by replacing ranges:
//!
//! - [`Block::full`] and [`Attribute::full`] are whole lines with their comments; [`ConfigFile::pieces`] divides a file
//!   without loss;
//! - [`Reference::span`] is the whole traversal, [`Reference::root`] the part that names the [`Target`];
//! - [`ModuleSource::merged`] and [`ModuleSource::references`] answer for an item after its overrides.
//!
//! Scopes are honoured: variables of for expressions, of `%{ for }` and iterators of `dynamic` are no references. Nor
//! are names that Terraform does not evaluate: `ignore_changes`, `provider`, `providers`, type constraints, `moved`.
//!
//! Also here: [`Configuration::provider_for`], [`Configuration::backend`], [`Variables`], [`LockFile`].
//!
//! This room knows nothing of states, graphs or plans, and evaluates nothing but constants ([`Literal`]).
//!
//! ```
//! use stackcut::config::{Configuration, Item, LoadOptions, Target};
//! use stackcut::source_tree::MemoryTree;
//!
//! let tree = MemoryTree::new().with("main.tf", "# our queue\noutput \"queue\" {\n  value = aws_sqs_queue.q.arn\n}\n");
//! let configuration = Configuration::load(&tree, &LoadOptions::default())?;
//!
//! let module = &configuration.root().source;
//! let (id, reference) = module.references(&Item::Output("queue".into()))[0];
//! let (file, block) = module.block(id);
//! assert_eq!(file.text(&reference.span), "aws_sqs_queue.q.arn");
//! assert_eq!(file.text(&reference.root), "aws_sqs_queue.q");
//! assert!(matches!(&reference.target, Target::Resource { name, .. } if name == "q"));
//! assert_eq!(file.text(&block.leading), "# our queue\n");
//! # Ok::<(), stackcut::config::ConfigError>(())
//! ```

mod backend;
mod collect;
mod comments;
mod files;
mod hcl;
mod json;
mod literal;
mod lock_file;
mod manifest;
mod model;
mod module;
mod normalize;
pub mod providers;
mod reference;
mod saved;
mod target;
mod treat;
mod tree;
mod variables;

pub use backend::{BackendBlock, BackendInputs, BackendSetting, Credentials, EffectiveBackend};
pub use files::Dialect;
pub use literal::{Literal, ProviderKey, ProviderRef};
pub use lock_file::{LOCK_FILE, LockFile};
pub use model::{
    Attribute, Block, BlockKind, Body, ConfigFile, Label, Mode, NestedBlock, Piece, Span, Syntax,
};
pub use module::{BlockId, Declaration, Item, Merged, ModuleSource};
pub use providers::ProviderError;
pub use reference::{Place, Reference, Role, Step, StepKind, Surroundings, Target};
pub use tree::{CallTarget, ConfigError, Configuration, LoadOptions, Module, ModuleCall};
pub use variables::{VariableFile, Variables};

#[cfg(test)]
mod fuzz_tests;
#[cfg(test)]
mod reading_tests;
#[cfg(test)]
mod reference_tests;
#[cfg(test)]
mod tree_tests;
