//! Reads `stack` and `return` blocks: what is taken, and how it is renamed.

use std::collections::BTreeMap;
use std::ops::Range;
use std::str::FromStr;

use hcl_edit::structure::{Block, Body};

use super::body::{Reader, Words, ident_span, offset_in_quoted};
use super::values::{FromReference, Scope};
use crate::address::pattern::Pattern;
use crate::address::{AddressError, MoveableAddr};
use crate::plan::file::{AcceptBlock, MoveBlock, OutputTake, ReturnBlock, Spanned, StackBlock, Take, Taking};
use crate::plan::suggest;
use crate::stack::{Layer, StackName};

const STACK: Words = Words {
    what: "a `stack` block",
    attributes: &[
        "layer",
        "description",
        "take",
        "outputs",
        "existing",
        "dir",
        "allow_sensitive",
        "optional_upstreams",
        "workspace",
    ],
    blocks: &["from", "move", "export", "accept", "backend", "contract"],
};

const RETURN: Words = Words {
    what: "a `return` block",
    attributes: &["to", "layer", "dir", "take", "outputs", "workspace"],
    blocks: &["move", "backend"],
};

const FROM: Words = Words {
    what: "a `from` block",
    attributes: &["take", "outputs"],
    blocks: &["move"],
};

impl Reader {
    pub(super) fn stack(&mut self, block: &Block) -> Option<StackBlock> {
        let body = &block.body;
        self.check_words(body, &STACK);
        let name = self
            .label(block, "the stack's name")
            .and_then(|label| self.parse(label));
        let layer = self.layer(body);
        let existing = self.flag(body, "existing");
        let dir = self.string(body, "dir");
        if let (Some(dir), false) = (&dir, existing) {
            self.error(
                dir.span.clone(),
                "`dir` names the code of a stack that exists already",
            )
            .hint(
                "add `existing = true`, or remove `dir`: new stacks are written below the output directory",
            );
        }
        let mut taking = self.taking(body, None);
        self.take_from(body, &mut taking);
        if taking.takes.is_empty() && !body.has_attribute("take") && !body.has_blocks("from") {
            self.error(ident_span(block), "the stack takes nothing")
                .hint("add `take = [\"…\"]` with the addresses or patterns it takes");
        }
        self.check_moves(&taking.moves);
        let exports: Vec<_> = body.get_blocks("export").filter_map(|b| self.export(b)).collect();
        self.check_exports(&exports);
        let upstreams = self.strings(body, "optional_upstreams");
        Some(StackBlock {
            layer,
            description: self.string(body, "description"),
            existing,
            dir,
            taking,
            exports,
            accepts: body.get_blocks("accept").filter_map(|b| self.accept(b)).collect(),
            allow_sensitive: self.strings(body, "allow_sensitive"),
            optional_upstreams: upstreams
                .into_iter()
                .filter_map(|word| self.parse(word))
                .collect(),
            backend: self.backend_in(body, Scope::Stack),
            workspace: self.template(body, "workspace", Scope::Stack),
            contract: self.contract_in(body),
            name: name?,
        })
    }

    /// Reads a `return` block; `only` is the source's name where there is one source.
    pub(super) fn give_back(&mut self, block: &Block, only: Option<&StackName>) -> Option<ReturnBlock> {
        let body = &block.body;
        self.check_words(body, &RETURN);
        let name = self
            .label(block, "the stack that is given up")
            .and_then(|label| self.parse(label));
        let to = match (body.has_attribute("to"), only) {
            (false, Some(only)) => Some(Spanned {
                value: only.clone(),
                span: ident_span(block),
            }),
            (false, None) => {
                self.error(
                    ident_span(block),
                    "`return` does not say which source gets the resources",
                )
                .hint("add `to = \"NAME\"`");
                None
            }
            (true, _) => self.string(body, "to").and_then(|word| self.parse(word)),
        };
        let taking = self.taking(body, None);
        self.check_moves(&taking.moves);
        Some(ReturnBlock {
            layer: self.layer(body),
            dir: self.string(body, "dir"),
            taking,
            backend: self.backend_in(body, Scope::Stack),
            workspace: self.template(body, "workspace", Scope::Stack),
            name: name?,
            to: to?,
        })
    }

    fn layer(&mut self, body: &Body) -> Layer {
        let layers = Layer::ALL.map(Layer::as_str);
        self.choice(body, "layer", &layers)
            .map_or(Layer::Service, |layer| layer.value)
    }

    /// Reads `take`, `outputs` and `move` of a body.
    fn taking(&mut self, body: &Body, source: Option<&StackName>) -> Taking {
        let takes = self.strings(body, "take");
        if let (Some(attribute), true) = (body.get_attribute("take"), takes.is_empty())
            && attribute
                .value
                .as_array()
                .is_some_and(hcl_edit::expr::Array::is_empty)
        {
            self.error(super::body::value_span(attribute), "`take` is empty")
                .hint("name at least one address or pattern");
        }
        let takes = takes.into_iter().filter_map(|text| {
            let plain = text.value.clone();
            let pattern: Spanned<Pattern> = self.address(text, "pattern")?;
            Some(Take {
                source: source.cloned(),
                text: plain,
                pattern,
            })
        });
        let takes = takes.collect();
        let outputs = self.strings(body, "outputs").into_iter().map(|name| OutputTake {
            source: source.cloned(),
            name,
        });
        Taking {
            takes,
            outputs: outputs.collect(),
            moves: body
                .get_blocks("move")
                .filter_map(|b| self.rename(b, source))
                .collect(),
        }
    }

    fn take_from(&mut self, body: &Body, taking: &mut Taking) {
        for block in body.get_blocks("from") {
            self.check_words(&block.body, &FROM);
            let label = self.label(block, "the source it takes from");
            let Some(name) = label.and_then(|label| self.parse::<StackName>(label)) else {
                continue;
            };
            self.from_blocks.push(FromReference {
                name: name.value.to_string(),
                span: name.span.clone(),
            });
            let mut more = self.taking(&block.body, Some(&name.value));
            if more.takes.is_empty() && more.outputs.is_empty() && !block.body.has_attribute("take") {
                self.error(ident_span(block), "the `from` block takes nothing")
                    .hint("add `take = [\"…\"]`");
            }
            taking.takes.append(&mut more.takes);
            taking.outputs.append(&mut more.outputs);
            taking.moves.append(&mut more.moves);
        }
    }

    /// Sources named by `from` blocks must exist.
    pub(super) fn check_from_blocks(&mut self, sources: &[&str]) {
        for reference in std::mem::take(&mut self.from_blocks) {
            self.check_known(&reference.name, &reference.span, "source", sources);
        }
    }

    fn rename(&mut self, block: &Block, source: Option<&StackName>) -> Option<MoveBlock> {
        self.no_label(block);
        self.check_words(
            &block.body,
            &Words {
                what: "a `move` block",
                attributes: &["from", "to"],
                blocks: &[],
            },
        );
        let from = self.required_string(block, "from", "\"aws_x.old\"");
        let to = self.required_string(block, "to", "\"aws_x.new\"");
        let from = from.and_then(|text| self.address(text, "address"));
        let to = to.and_then(|text| self.address(text, "address"));
        let found = MoveBlock {
            source: source.cloned(),
            from: from?,
            to: to?,
        };
        if let Some((message, hint)) = cannot_move(&found.from.value, &found.to.value) {
            self.error(found.to.span.clone(), message).hint(hint);
            return None;
        }
        Some(found)
    }

    /// Two moves cannot start at the same address.
    fn check_moves(&mut self, moves: &[MoveBlock]) {
        let mut seen: BTreeMap<(Option<&StackName>, &MoveableAddr), Range<usize>> = BTreeMap::new();
        for block in moves {
            let from = &block.from;
            if let Some(first) = seen.get(&(block.source.as_ref(), &from.value)) {
                let place = self.place(first);
                let text = self
                    .file()
                    .text
                    .get(from.span.clone())
                    .unwrap_or_default()
                    .to_owned();
                self.error(from.span.clone(), format!("{text} is moved twice"))
                    .note(format!("the first `move` is at {place}"))
                    .hint("keep one of them");
            } else {
                seen.insert((block.source.as_ref(), &from.value), from.span.clone());
            }
        }
    }

    fn accept(&mut self, block: &Block) -> Option<AcceptBlock> {
        self.no_label(block);
        self.check_words(
            &block.body,
            &Words {
                what: "an `accept` block",
                attributes: &["address", "attributes", "reason"],
                blocks: &[],
            },
        );
        let address = self.required_string(block, "address", "\"aws_x.y\"");
        let address = address.and_then(|text| self.address(text, "pattern"));
        let attributes = self.strings(&block.body, "attributes");
        if attributes.is_empty() {
            self.error(ident_span(block), "`accept` names no attributes")
                .hint("add `attributes = [\"tags_all\"]`: only differences in these are allowed");
        }
        Some(AcceptBlock {
            reason: self.string(&block.body, "reason"),
            attributes,
            address: address?,
        })
    }

    /// Reads an address or a pattern, and points at the byte where it goes wrong.
    fn address<T: FromStr<Err = AddressError>>(
        &mut self,
        text: Spanned<String>,
        what: &str,
    ) -> Option<Spanned<T>> {
        match text.value.parse() {
            Ok(value) => Some(Spanned {
                value,
                span: text.span,
            }),
            Err(error) => {
                let at = offset_in_quoted(&self.file().text, &text.span, error.offset);
                // The closing quote shows a fault at the end.
                let at = at.clamp(text.span.start, text.span.end.saturating_sub(1));
                let end = self.file().text[at..]
                    .chars()
                    .next()
                    .map_or(at, |c| at + c.len_utf8());
                self.error(
                    at..end,
                    format!("`{}` is not a valid {what}: {}", text.value, error.reason),
                );
                None
            }
        }
    }

    /// Exports of one stack need different names.
    fn check_exports(&mut self, exports: &[crate::plan::file::ExportBlock]) {
        let mut seen: BTreeMap<&str, Range<usize>> = BTreeMap::new();
        for export in exports {
            if let Some(first) = seen.get(export.name.value.as_str()) {
                let place = self.place(first);
                self.error(
                    export.name.span.clone(),
                    format!("a second export `{}`", export.name.value),
                )
                .note(format!("the first one is at {place}"))
                .hint("rename one of them");
            } else {
                seen.insert(&export.name.value, export.name.span.clone());
            }
        }
    }
}

/// Returns why one address can never become the other: the rules of `terraform state mv`.
fn cannot_move(from: &MoveableAddr, to: &MoveableAddr) -> Option<(String, String)> {
    if from == to {
        return Some((
            "the two addresses are the same".to_owned(),
            "remove the `move` block; what is taken keeps its address".to_owned(),
        ));
    }
    let parts = |addr: &MoveableAddr| match addr {
        MoveableAddr::Module(_) => None,
        MoveableAddr::Resource(resource) => Some(resource.clone()),
        MoveableAddr::Instance(instance) => Some(instance.resource.clone()),
    };
    match (parts(from), parts(to)) {
        (None, None) => None,
        (Some(_), None) => Some((
            "a resource cannot become a module".to_owned(),
            "give the whole address of the resource, such as `module.x.aws_y.z`".to_owned(),
        )),
        (None, Some(_)) => Some((
            "a module cannot become a resource".to_owned(),
            "move the resources of the module one by one".to_owned(),
        )),
        (Some(a), Some(b)) if a.mode != b.mode => Some((
            "a managed resource and a data source cannot become each other".to_owned(),
            "give an address of the same kind".to_owned(),
        )),
        (Some(a), Some(b)) if a.type_name != b.type_name => Some((
            format!("the type changes from `{}` to `{}`", a.type_name, b.type_name),
            format!(
                "a state move keeps the type; write {}",
                suggest::quoted(&[&format!("{}.{}", a.type_name, b.name)])
            ),
        )),
        (Some(_), Some(_)) => None,
    }
}
