//! Reads a plan file and reports every fault it has.
//!
//! The text is parsed with spans; each block has a reader that knows its words. A reader never stops at a fault: it
//! notes it and goes on, so that one run shows all of them.

mod body;
mod contract;
mod environment;
mod export;
mod mask;
mod source;
mod stack;
mod values;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use hcl_edit::structure::{Block, Body};

use self::body::{Reader, Words, ident_span};
use super::file::{Defaults, PlanFile, Spanned};
use crate::diagnostic::{Diagnostic, SourceFile};
use crate::stack::StackName;

/// The words inside `split`.
const SPLIT: Words = Words {
    what: "a `split` block",
    attributes: &[],
    blocks: &["source", "environment", "defaults", "stack", "return", "gitops"],
};

/// Reads a whole plan file.
pub(super) fn plan_file(file: Arc<SourceFile>) -> Result<PlanFile, Vec<Diagnostic>> {
    let shown = Arc::new(SourceFile {
        path: file.path.clone(),
        text: mask::mask(&file.text),
    });
    let body = parse(&file.text, &shown).map_err(|fault| vec![*fault])?;
    let mut reader = Reader::new(file, shown);
    let plan = reader.top(&body);
    let mut found = reader.into_found();
    match plan {
        Some(plan) if found.is_empty() => Ok(plan),
        _ => {
            if found.is_empty() {
                found.push(Diagnostic::error("the plan file has no `split` block"));
            }
            Err(found)
        }
    }
}

/// Parses the text; spans are offsets into it, also where it starts with a byte order mark.
fn parse(text: &str, shown: &Arc<SourceFile>) -> Result<Body, Box<Diagnostic>> {
    // Blanks of the same length keep every offset.
    let unmarked;
    let text = match text.strip_prefix('\u{feff}') {
        Some(rest) => {
            unmarked = format!("   {rest}");
            unmarked.as_str()
        }
        None => text,
    };
    hcl_edit::parser::parse_body(text).map_err(|error| {
        let mut at = error.location().offset().min(text.len());
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        let end = text[at..].chars().next().map_or(at, |c| at + c.len_utf8());
        let fault =
            Diagnostic::error(format!("cannot read the plan file: {}", error.message())).at(shown, at..end);
        Box::new(match syntax_hint(text, at, error.message()) {
            Some(hint) => fault.hint(hint),
            None => fault,
        })
    })
}

/// Returns advice for the mistakes people make most.
fn syntax_hint(text: &str, at: usize, message: &str) -> Option<&'static str> {
    let line_start = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
    let before = &text[line_start..at];
    if message.contains("redefined") {
        return Some("the same name stands twice in this block; keep one of them");
    }
    if before.contains('{')
        && (before.contains('=') || before.matches('{').count() > 0)
        && !text[at..].starts_with('\n')
    {
        return Some(
            "a block on one line holds one argument and no commas; give every argument a line of its own, and close the block on another",
        );
    }
    if message.contains("block body") {
        return Some("look for a `}` that is missing further down, or a word without `=`");
    }
    None
}

impl Reader {
    /// Reads the top level: one `split` block.
    fn top(&mut self, body: &Body) -> Option<PlanFile> {
        let mut splits: Vec<&Block> = Vec::new();
        for structure in body {
            match structure.as_block() {
                Some(block) if block.ident.as_str() == "split" => splits.push(block),
                Some(block) if block.ident.as_str() == "migration" => {
                    self.error(
                        ident_span(block),
                        "a `migration` block cannot stand in a plan file",
                    )
                    .hint("a tfmigrate migration is a file of its own; name that file on the command line");
                }
                _ => self.unknown(
                    structure,
                    &Words {
                        what: "a plan file",
                        attributes: &[],
                        blocks: &["split"],
                    },
                ),
            }
        }
        let Some((first, more)) = splits.split_first() else {
            if self.is_clean() {
                self.error(0..0, "the plan file has no `split` block")
                    .hint("write `split \"NAME\" {` and put `source` and `stack` blocks into it");
            }
            return None;
        };
        for block in more {
            self.error(ident_span(block), "a second `split` block")
                .hint("one plan file holds one split; move the other into a file of its own");
        }
        self.split(first)
    }

    fn split(&mut self, block: &Block) -> Option<PlanFile> {
        let name: Option<Spanned<StackName>> = self
            .label(block, "the split's name")
            .and_then(|label| self.parse(label));
        self.check_words(&block.body, &SPLIT);
        // Reading goes on under a stand-in when the name is wrong; the fault is already noted.
        let name = name.or_else(|| {
            let value = "split".parse().ok()?;
            Some(Spanned {
                value,
                span: ident_span(block),
            })
        })?;
        let blocks = |word: &'static str| block.body.get_blocks(word);
        let count = blocks("source").count();
        let sources: Vec<_> = blocks("source")
            .filter_map(|b| self.source(b, &name, count > 1))
            .collect();
        let environments: Vec<_> = blocks("environment")
            .filter_map(|b| self.environment(b))
            .collect();
        let defaults = self.single(&block.body, "defaults").map(|b| self.defaults(b));
        let stacks: Vec<_> = blocks("stack").filter_map(|b| self.stack(b)).collect();
        let only = sources
            .first()
            .filter(|_| count == 1)
            .map(|source| source.name.value.clone());
        let returns: Vec<_> = blocks("return")
            .filter_map(|b| self.give_back(b, only.as_ref()))
            .collect();
        let gitops = self.single(&block.body, "gitops").and_then(hcl_edit::Span::span);
        if count == 0 {
            self.error(ident_span(block), "the split has no `source` block")
                .hint("add `source { dir = \"…\" }` with the directory of the monolith's root module");
        }
        if blocks("stack").count() + blocks("return").count() == 0 {
            self.error(ident_span(block), "the split has no `stack` block")
                .hint("add `stack \"NAME\" { take = [\"…\"] }`");
        }
        let plan = PlanFile {
            file: Arc::clone(self.file()),
            name,
            sources,
            environments,
            defaults: defaults.unwrap_or_default(),
            stacks,
            returns,
            gitops,
        };
        self.check_names(&plan);
        self.check_references(&plan);
        self.check_contracts(&plan);
        self.check_templates(&plan);
        if self.is_clean() {
            self.check_environment_arguments(&plan);
        }
        Some(plan)
    }

    fn defaults(&mut self, block: &Block) -> Defaults {
        self.no_label(block);
        self.check_words(
            &block.body,
            &Words {
                what: "a `defaults` block",
                attributes: &["workspace"],
                blocks: &["backend", "contract"],
            },
        );
        Defaults {
            backend: self.backend_in(&block.body, values::Scope::Stack),
            workspace: self.template(&block.body, "workspace", values::Scope::Stack),
            contract: self.contract_in(&block.body),
        }
    }

    /// States and environments are known by their names: none may stand twice.
    fn check_names(&mut self, plan: &PlanFile) {
        let mut seen: BTreeMap<String, Range<usize>> = BTreeMap::new();
        for (id, span) in plan.states() {
            let name = id.name().to_string();
            // An unlabelled source takes the split's name and span; it comes first.
            if let Some(first) = seen.get(&name) {
                let place = self.place(first);
                self.error(span, format!("the name `{name}` stands for two states"))
                    .note(format!("it is also used at {place}"))
                    .hint("every source, stack and returned stack needs a name of its own");
            } else {
                seen.insert(name, span);
            }
        }
        let mut seen: BTreeMap<&str, Range<usize>> = BTreeMap::new();
        for environment in &plan.environments {
            let name = &environment.name;
            if let Some(first) = seen.get(name.value.as_str()) {
                let place = self.place(first);
                self.error(
                    name.span.clone(),
                    format!("a second environment `{}`", name.value),
                )
                .note(format!("the first one is at {place}"))
                .hint("merge the two blocks, or rename one");
            } else {
                seen.insert(&name.value, name.span.clone());
            }
        }
    }

    /// Names of sources and stacks that are mentioned must exist.
    fn check_references(&mut self, plan: &PlanFile) {
        let sources: Vec<&str> = plan
            .sources
            .iter()
            .map(|source| source.name.value.as_str())
            .collect();
        let stacks: Vec<&str> = plan
            .stacks
            .iter()
            .map(|stack| stack.name.value.as_str())
            .collect();
        let states: Vec<&str> = stacks.iter().chain(&sources).copied().collect();
        for stack in &plan.stacks {
            for upstream in &stack.optional_upstreams {
                if upstream.value == stack.name.value {
                    self.error(
                        upstream.span.clone(),
                        format!("stack `{}` cannot be its own upstream", upstream.value),
                    )
                    .hint("remove it from `optional_upstreams`");
                } else {
                    self.check_known(&upstream.value, &upstream.span, "stack", &states);
                }
            }
        }
        for block in &plan.returns {
            self.check_known(&block.to.value, &block.to.span, "source", &sources);
        }
        self.check_from_blocks(&sources);
    }
}
