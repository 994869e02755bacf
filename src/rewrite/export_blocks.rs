//! `export` blocks of the plan file: expressions in the monolith's words, said in those of the stack.
//!
//! A block that a `move` renames, or of which the stack has one instance without repetition, has another name in the
//! stack's code than in the monolith. An expression may use either: what the monolith has under that name counts first.

use std::collections::BTreeSet;

use super::access::{self, Access, Scope};
use super::closure::Cut;
use super::exports::Exports;
use super::naming::Names;
use super::ownership::{Form, Part, Repetition};
use super::secrets::{Secrecy, Secrets};
use super::splice::{Edit, apply};
use super::text;
use crate::config::{ConfigFile, Configuration, Item, LoadOptions, Reference, Span};
use crate::diagnostic::Diagnostic;
use crate::plan::file::{ExportBlock, StackBlock};
use crate::source_tree::MemoryTree;
use crate::stack::StateId;

/// What stands before the expression in the file that is read to find its references.
const BEFORE: &str = "output \"x\" {\n  value = ";

/// One export of one state.
struct Expression {
    configuration: Configuration,
    span: Span,
}

impl Expression {
    fn of(export: &ExportBlock) -> Option<Self> {
        let text = &export.value.value;
        let tree = MemoryTree::new().with("export.tf", format!("{BEFORE}{text}\n}}\n"));
        let configuration = Configuration::load(&tree, &LoadOptions::default()).ok()?;
        let span = BEFORE.len()..BEFORE.len() + text.len();
        Some(Self { configuration, span })
    }

    fn file(&self) -> &ConfigFile {
        &self.configuration.root().source.files[0]
    }

    fn references(&self) -> &[Reference] {
        &self.file().blocks[0].references
    }

    fn with(&self, edits: &[Edit]) -> String {
        apply(&self.file().source.text, &self.span, edits)
    }

    /// Returns where a reference stands in the plan file.
    fn place(&self, export: &ExportBlock, reference: &Reference) -> Span {
        let offset = reference.span.start - self.span.start;
        let start = export.value.span.start + offset;
        start..start + reference.span.len()
    }
}

/// How one reference is written.
struct Written {
    /// In the stack's code.
    code: Option<Edit>,
    /// In the monolith's words, restricted to what the stack has.
    source: Option<Edit>,
}

/// Returns an export's expression as the stack's code says it.
pub(super) fn code(cut: &Cut<'_>, state: &StateId, export: &ExportBlock) -> String {
    written(cut, state, export, |written| written.code)
}

/// Returns an export's expression as the monolith says it: by that, its value is computed.
pub(super) fn in_words_of_the_source(cut: &Cut<'_>, state: &StateId, export: &ExportBlock) -> String {
    written(cut, state, export, |written| written.source)
}

fn written(
    cut: &Cut<'_>,
    state: &StateId,
    export: &ExportBlock,
    side: impl Fn(Written) -> Option<Edit>,
) -> String {
    let Some(expression) = Expression::of(export) else {
        return export.value.value.clone();
    };
    let references = expression.references().iter();
    let edits: Vec<Edit> = references
        .filter_map(|reference| side(write(cut, state, expression.file(), reference).ok()??))
        .collect();
    expression.with(&edits)
}

/// Finds what exports may not say: what another state has, what is secret, names that the contract has already.
pub(super) fn check(
    cut: &Cut<'_>,
    names: &Names,
    secrets: &Secrets<'_>,
    exports: &Exports,
    faults: &mut Vec<Diagnostic>,
) {
    for stack in &cut.input.plan.stacks {
        let state = StateId::Stack(stack.name.value.clone());
        if !cut.members.contains_key(&state) {
            continue;
        }
        let used: BTreeSet<&String> = exports
            .get(&state)
            .into_iter()
            .flatten()
            .filter_map(|(item, _)| names.path(item).first())
            .collect();
        for export in &stack.exports {
            if used.contains(&export.name.value) {
                let message = format!(
                    "the contract of `{state}` has a member `{}` already: what others read of it is in there",
                    export.name.value
                );
                let hint = "give the export another name";
                faults.push(refuse(cut, message, &export.name.span, hint));
            }
            check_one(cut, secrets, stack, &state, export, faults);
        }
    }
}

fn check_one(
    cut: &Cut<'_>,
    secrets: &Secrets<'_>,
    stack: &StackBlock,
    state: &StateId,
    export: &ExportBlock,
    faults: &mut Vec<Diagnostic>,
) {
    let Some(expression) = Expression::of(export) else {
        return;
    };
    for reference in expression.references() {
        let place = expression.place(export, reference);
        if let Err(found) = write(cut, state, expression.file(), reference) {
            let (message, hint) = match found {
                Elsewhere::Owner(owner) => (
                    format!(
                        "the export `{}` of `{state}` names what goes to `{owner}`",
                        export.name.value
                    ),
                    format!("export it in the block of `{owner}`, or take both into one stack"),
                ),
                Elsewhere::Nowhere(item) => (
                    format!(
                        "the export `{}` of `{state}` names {}, which is not in the code",
                        export.name.value,
                        item.describe()
                    ),
                    "name a block of the monolith, or one as it is called in the stack".to_owned(),
                ),
            };
            faults.push(refuse(cut, message, &place, &hint));
            continue;
        }
        let secret = named_secret(cut, secrets, state, reference);
        let allowed = |name: &str, full: &str| {
            let mut listed = stack.allow_sensitive.iter();
            listed.any(|allowed| allowed.value == name || allowed.value == full)
        };
        if let Some((item, name)) = secret.filter(|_| !export.sensitive) {
            let full = format!("{}.{name}", text::root_of(&item));
            if !allowed(&name, &full) {
                let message = format!(
                    "the export `{}` of `{state}` shows the secret `{full}` to everyone",
                    export.name.value
                );
                let hint = "add `sensitive = true` to the export, or hand on the ARN of the secret instead";
                faults.push(refuse(cut, message, &place, hint));
            }
        }
    }
}

fn refuse(cut: &Cut<'_>, message: String, span: &Span, hint: &str) -> Diagnostic {
    Diagnostic::error(message)
        .at(&cut.input.plan.file, span.clone())
        .note("nothing was written")
        .hint(hint)
}

/// Returns the secret attribute that a reference names.
fn named_secret(
    cut: &Cut<'_>,
    secrets: &Secrets<'_>,
    state: &StateId,
    reference: &Reference,
) -> Option<(Item, String)> {
    let named = access::item_of(&reference.target)?;
    let (item, _) = known(cut, state, &named)?;
    let owned = cut.ownership.get(&item)?;
    match access::taken(owned, reference)? {
        access::Taken::Attribute(name) if secrets.secrecy(&item, &name) > Secrecy::Open => Some((item, name)),
        _ => None,
    }
}

/// Why a stack cannot export something.
enum Elsewhere {
    /// Another state has it.
    Owner(StateId),
    /// Nobody has it.
    Nowhere(Item),
}

/// Returns the item of the monolith that a name in an export means, and the name by which the stack knows it.
fn known(cut: &Cut<'_>, state: &StateId, named: &Item) -> Option<(Item, Item)> {
    if let Some((_, part)) = cut.part(state, named) {
        return Some((named.clone(), part.item.clone()));
    }
    let mut parts = cut.ownership.iter();
    parts.find_map(|(item, owned)| {
        let part = owned.parts.get(state)?;
        (part.item == *named).then(|| (item.clone(), named.clone()))
    })
}

/// Returns how a reference is written; none where it stays as it is.
fn write(
    cut: &Cut<'_>,
    state: &StateId,
    file: &ConfigFile,
    reference: &Reference,
) -> Result<Option<Written>, Elsewhere> {
    let Some(named) = access::item_of(&reference.target) else {
        return Ok(None);
    };
    if cut.part(state, &named).is_none()
        && let Some((item, _)) = known(cut, state, &named)
    {
        return Ok(Some(in_new_words(cut, state, &item, reference)));
    }
    let Some(owned) = cut.ownership.get(&named) else {
        let source = &cut.input.configuration.root().source;
        return match source.declarations(&named).is_empty() {
            true => Err(Elsewhere::Nowhere(named)),
            false => Ok(None),
        };
    };
    let Some(part) = owned.parts.get(state) else {
        let owner = owned.parts.keys().next().unwrap_or(cut.input.source);
        return Err(Elsewhere::Owner(owner.clone()));
    };
    let access = access::access(&cut.ownership, state, &named, file, reference, &Scope::default());
    let end = |steps: usize| match steps.checked_sub(1).and_then(|last| reference.steps.get(last)) {
        Some(step) => step.span.end,
        None => reference.root.end,
    };
    let start = reference.root.start;
    match access {
        Access::Same => Ok(None),
        Access::Own { text, steps } => Ok(Some(Written {
            code: Some(Edit::new(start..end(steps), text)),
            source: None,
        })),
        Access::Remote { owner, .. } => Err(Elsewhere::Owner(owner)),
        // All instances, as far as the stack has them.
        Access::View { .. } => {
            let all = text::root_of(&named);
            Ok(Some(Written {
                code: Some(Edit::new(reference.root.clone(), own(part, owned.repetition))),
                source: Some(Edit::new(
                    reference.root.clone(),
                    each(part, owned.repetition, &all),
                )),
            }))
        }
    }
}

/// A name that only the stack has: its code says it so, the monolith says it by key.
fn in_new_words(cut: &Cut<'_>, state: &StateId, item: &Item, reference: &Reference) -> Written {
    let old = text::root_of(item);
    let old = match cut.part(state, item).map(|(_, part)| &part.form) {
        Some(Form::Single(key)) => format!("{old}{}", text::index(key)),
        _ => old,
    };
    Written {
        code: None,
        source: Some(Edit::new(reference.root.clone(), old)),
    }
}

/// All instances that a stack has, in its own code.
fn own(part: &Part, repetition: Repetition) -> String {
    let root = text::root_of(&part.item);
    match (&part.form, repetition) {
        (Form::Single(key), Repetition::ForEach) => {
            format!("{{ {} = {root} }}", text::member(&text::key_text(key)))
        }
        (Form::Single(_), _) => format!("[{root}]"),
        _ => root,
    }
}

/// All instances that a stack has, in the monolith's code.
fn each(part: &Part, repetition: Repetition, all: &str) -> String {
    let one = |key| format!("{all}{}", text::index(key));
    match repetition {
        Repetition::ForEach => {
            let members = part
                .keys
                .iter()
                .map(|key| format!("{} = {}", text::member(&text::key_text(key)), one(key)));
            format!("{{ {} }}", members.collect::<Vec<_>>().join(", "))
        }
        _ => format!("[{}]", part.keys.iter().map(one).collect::<Vec<_>>().join(", ")),
    }
}
