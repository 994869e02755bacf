//! Blocks of which a state may have single entries: `locals` and `terraform`.

use super::Emitter;
use super::lines::{before_blank_line, ends_group, indentation, nested_with_blank_line, with_blank_line};
use crate::config::{Block, BlockId, ConfigFile, Item, NestedBlock, Syntax};
use crate::rewrite::backend;
use crate::rewrite::splice::Edit;

impl Emitter<'_, '_, '_> {
    pub(super) fn locals(&self, file: &ConfigFile, id: BlockId, block: &Block) -> Option<Vec<Edit>> {
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

    pub(super) fn terraform(&mut self, file: &ConfigFile, id: BlockId, block: &Block) -> Option<Vec<Edit>> {
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
}
