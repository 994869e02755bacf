//! Every block says in its stack what it said in the monolith.
//!
//! Blocks are compared as texts between references, and references one by one: what a stack has is named as it was, and
//! what it reads of a contract leads to a value that its producer takes from what was named before. What a rewrite may
//! change beyond that (blocks that are divided, renamed or lifted out of modules) is not judged here.

use std::collections::{BTreeMap, BTreeSet};

use super::Codes;
use super::crossing::Crossings;
use super::skeleton::{self, Spot};
use crate::config::{
    Attribute, Body, ConfigFile, Configuration, Declaration, Item, Mode, ModuleSource, Reference, Step,
    StepKind, Syntax, Target,
};
use crate::diagnostic::Diagnostic;
use crate::rewrite::{Rewritten, access, text};
use crate::stack::StateId;

/// What is known of a cut.
pub(in crate::rewrite) struct Faithful<'p> {
    /// What was rewritten.
    rewritten: &'p Rewritten,
    /// Its code.
    codes: &'p Codes<'p>,
    /// The code before the cut.
    pub(super) before: &'p BTreeMap<StateId, &'p Configuration>,
    /// Blocks of root modules whose name or module changes.
    pub(super) renamed: &'p BTreeSet<Item>,
    /// In how many states each block is.
    pub(super) owners: BTreeMap<&'p Item, usize>,
}

/// One argument in both codes.
struct Pair<'c> {
    old: (&'c ConfigFile, &'c Attribute, &'c [Reference]),
    new: (&'c ConfigFile, &'c Attribute, &'c [Reference]),
}

/// One item in both codes.
struct Context<'c> {
    state: &'c StateId,
    item: &'c Item,
    new: &'c ModuleSource,
    is_divided: bool,
}

impl<'p> Faithful<'p> {
    /// Counts who has what.
    pub fn new(
        rewritten: &'p Rewritten,
        codes: &'p Codes<'p>,
        before: &'p BTreeMap<StateId, &'p Configuration>,
        renamed: &'p BTreeSet<Item>,
    ) -> Self {
        let mut owners = BTreeMap::new();
        for (_, code) in codes.iter() {
            if let Ok(configuration) = code.configuration() {
                for (item, _) in configuration.root().source.items() {
                    *owners.entry(item).or_default() += 1;
                }
            }
        }
        Self {
            rewritten,
            codes,
            before,
            renamed,
            owners,
        }
    }

    /// Returns every block that says something else.
    pub fn check(&self) -> Vec<Diagnostic> {
        let crossings = Crossings::of(self.rewritten, self.codes);
        let mut faults = Vec::new();
        for (state, code) in self.codes.iter() {
            let Ok(configuration) = code.configuration() else {
                continue;
            };
            let new = &configuration.root().source;
            for (item, pieces) in new.items() {
                if *item == Item::Terraform || self.renamed.contains(item) {
                    continue;
                }
                let mut found = None;
                for old in self.before.values().map(|before| &before.root().source) {
                    let old_pieces = old.declarations(item);
                    if old_pieces.is_empty() {
                        continue;
                    }
                    let context = Context {
                        state,
                        item,
                        new,
                        is_divided: self.is_divided(old, new, item),
                    };
                    found = self.item(&context, (old, old_pieces), pieces, &crossings);
                    if found.is_none() {
                        break;
                    }
                }
                faults.extend(found);
            }
            faults.extend(self.providers(state, configuration));
        }
        faults.extend(self.lost());
        faults
    }

    /// Tells whether several states have instances of a block, or one has it in another form.
    fn is_divided(&self, old: &ModuleSource, new: &ModuleSource, item: &Item) -> bool {
        if !matches!(
            item,
            Item::Module(_)
                | Item::Resource {
                    mode: Mode::Managed,
                    ..
                }
        ) {
            return false;
        }
        let is_repeated =
            |module: &ModuleSource| ["for_each", "count"].map(|name| module.attribute(item, name).is_some());
        if !new.declarations(item).is_empty() && is_repeated(old) != is_repeated(new) {
            return true;
        }
        self.owners.get(item).is_some_and(|owners| *owners > 1)
    }

    fn item(
        &self,
        context: &Context<'_>,
        (old, old_pieces): (&ModuleSource, &[Declaration]),
        pieces: &[Declaration],
        crossings: &Crossings<'_>,
    ) -> Option<Diagnostic> {
        let fault = |message: String, file: &ConfigFile, span: &std::ops::Range<usize>| {
            Some(
                Diagnostic::error(format!("{} {message}", context.item.describe()))
                    .at(&file.source, span.clone())
                    .note(format!("in the code of `{}`", context.state)),
            )
        };
        let (file, block) = context.new.block(pieces[0].block);
        if old_pieces.len() != pieces.len() {
            return fault("has other overrides than it had".to_owned(), file, &block.header);
        }
        for (&before, &after) in old_pieces.iter().zip(pieces) {
            let (old_file, old_block) = old.block(before.block);
            let (new_file, new_block) = context.new.block(after.block);
            if old_file.syntax == Syntax::Json || new_file.syntax == Syntax::Json {
                continue;
            }
            let was = arguments(old.body(before), before);
            let mut is = arguments(context.new.body(after), after);
            for (path, argument) in was {
                let Some(found) = is.remove(&path) else {
                    let is_dropped = path == "depends_on"
                        && !old_block
                            .references_in(&argument.value)
                            .iter()
                            .any(|reference| self.is_kept(context, old, reference));
                    if is_dropped || context.is_divided && matches!(&*path, "for_each" | "count") {
                        continue;
                    }
                    return fault(format!("has lost `{path}`"), new_file, &new_block.header);
                };
                let pair = Pair {
                    old: (old_file, argument, old_block.references_in(&argument.value)),
                    new: (new_file, found, new_block.references_in(&found.value)),
                };
                if let Some(message) = self.argument(context, old, &path, &pair, crossings) {
                    return fault(message, new_file, &found.span);
                }
            }
            if let Some((path, added)) = is.into_iter().next() {
                return fault(format!("has got `{path}`"), new_file, &added.span);
            }
        }
        None
    }

    /// Tells whether a state must name this as it was named.
    fn is_kept(&self, context: &Context<'_>, old: &ModuleSource, reference: &Reference) -> bool {
        access::item_of(&reference.target).is_some_and(|item| {
            !context.new.declarations(&item).is_empty()
                && !self.renamed.contains(&item)
                && !self.is_divided(old, context.new, &item)
        })
    }

    /// Tells whether what is named is divided or renamed, and so not judged.
    fn is_open(&self, context: &Context<'_>, old: &ModuleSource, reference: &Reference) -> bool {
        match access::item_of(&reference.target) {
            Some(item) => self.renamed.contains(&item) || self.is_divided(old, context.new, &item),
            None => {
                let of_each = [Target::EachKey, Target::EachValue, Target::CountIndex];
                context.is_divided && of_each.contains(&reference.target)
            }
        }
    }

    /// Compares one argument; what is wrong with it.
    fn argument(
        &self,
        context: &Context<'_>,
        old: &ModuleSource,
        path: &str,
        pair: &Pair<'_>,
        crossings: &Crossings<'_>,
    ) -> Option<String> {
        let is_call = matches!(context.item, Item::Module(_));
        if is_call && path == "source" || context.is_divided && matches!(path, "for_each" | "count") {
            return None;
        }
        let (was, is) = (skeleton::outermost(pair.old.2), skeleton::outermost(pair.new.2));
        if path == "depends_on" {
            let missing = was.iter().find(|before| {
                self.is_kept(context, old, before) && !is.iter().any(|after| after.target == before.target)
            });
            return missing.map(|gone| format!("waits no more for {}", shown(gone)));
        }
        if was.iter().any(|reference| self.is_open(context, old, reference)) {
            return None;
        }
        if was.len() != is.len() {
            let is_plain = was.iter().all(|reference| self.is_kept(context, old, reference));
            return is_plain.then(|| format!("has another `{path}`"));
        }
        let spots = |file, references: &[&Reference]| -> Vec<Spot> {
            references
                .iter()
                .map(|found| skeleton::spot(file, found))
                .collect()
        };
        let (old_spots, new_spots) = (spots(pair.old.0, &was), spots(pair.new.0, &is));
        let is_same = skeleton::texts(pair.old.0, &pair.old.1.value, &old_spots)
            == skeleton::texts(pair.new.0, &pair.new.1.value, &new_spots);
        let wrapped = |(old, new): (&Spot, &Spot)| {
            new.around.starts_with(&old.around) || new.around.ends_with(&old.around)
        };
        if !is_same || !old_spots.iter().zip(&new_spots).all(wrapped) {
            return Some(format!("has another `{path}`"));
        }
        for (&before, &after) in was.iter().zip(&is) {
            let said = || {
                format!(
                    "has another name in `{path}`: {} was {}",
                    shown(after),
                    shown(before)
                )
            };
            if !self.is_right(context, old, (pair.old.0, before), (pair.new.0, after), crossings) {
                return Some(said());
            }
        }
        None
    }

    /// Tells whether a reference means what it meant.
    fn is_right(
        &self,
        context: &Context<'_>,
        old: &ModuleSource,
        (old_file, before): (&ConfigFile, &Reference),
        (new_file, after): (&ConfigFile, &Reference),
        crossings: &Crossings<'_>,
    ) -> bool {
        if before.target == after.target {
            return before.steps.len() == after.steps.len()
                && before.steps.iter().zip(&after.steps).all(|(before, after)| {
                    // The own key of a block that lost its repetition.
                    let kinds = (&before.kind, &after.kind);
                    let is_own_key = context.is_divided
                        && matches!(kinds, (StepKind::IndexExpression(_), StepKind::Index(_)));
                    is_own_key || is_step(old_file, before, new_file, after)
                });
        }
        // An output of another name is another target of the same call.
        if self.is_kept(context, old, before) {
            return false;
        }
        match (&before.target, &after.target) {
            (Target::Resource { .. } | Target::Module { .. }, Target::Local(local)) => {
                let Some(producer) = crossings.producer(context.state, local) else {
                    // Instances of several states, put together.
                    return true;
                };
                let is_key = |step: &Step| !matches!(step.kind, StepKind::Attr(_));
                let rest = match before.steps.first() {
                    Some(first) if is_key(first) => &before.steps[1..],
                    _ => &before.steps[..],
                };
                let Some(at) = after.steps.len().checked_sub(rest.len()) else {
                    return false;
                };
                let is_key = match (
                    before.steps.first(),
                    at.checked_sub(1).map(|key| &after.steps[key].kind),
                ) {
                    (Some(before), Some(StepKind::Index(after))) => match &before.kind {
                        StepKind::Index(before) => text::key_text(before) == text::key_text(after),
                        _ => true,
                    },
                    _ => true,
                };
                let is_same = rest
                    .iter()
                    .zip(&after.steps[at..])
                    .all(|(before, after)| is_step(old_file, before, new_file, after));
                let is_same = is_key && is_same;
                is_same && crossings.is_from(producer, &after.steps, at, before)
            }
            (Target::Resource { .. } | Target::Module { .. }, _) => false,
            // A name that was taken.
            (Target::Var(_), Target::Var(_)) | (Target::Local(_), Target::Local(_)) => true,
            _ => false,
        }
    }
}

fn is_step(old_file: &ConfigFile, before: &Step, new_file: &ConfigFile, after: &Step) -> bool {
    match (&before.kind, &after.kind) {
        // What the key says may be a reference of its own.
        (StepKind::IndexExpression(_), StepKind::IndexExpression(_)) => true,
        (StepKind::Attr(before), StepKind::Attr(after)) => before == after,
        _ => old_file.text(&before.span) == new_file.text(&after.span),
    }
}

fn shown(reference: &Reference) -> String {
    access::item_of(&reference.target).map_or_else(|| "something else".to_owned(), |item| item.describe())
}

/// Returns the arguments of a block and the blocks in it by their paths; of a local the one.
fn arguments(body: &Body, piece: Declaration) -> BTreeMap<String, &Attribute> {
    let mut found = BTreeMap::new();
    match piece.attribute {
        Some(index) => {
            let argument = &body.attributes[index];
            found.insert(argument.name.clone(), argument);
        }
        None => collect(body, "", &mut found),
    }
    found
}

fn collect<'b>(body: &'b Body, prefix: &str, found: &mut BTreeMap<String, &'b Attribute>) {
    for argument in &body.attributes {
        found.insert(format!("{prefix}{}", argument.name), argument);
    }
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for nested in &body.blocks {
        let labels: Vec<&str> = nested.labels.iter().map(|label| label.value.as_str()).collect();
        let name = [&[nested.name.as_str()], &labels[..]].concat().join(".");
        let number = seen.entry(name.clone()).or_default();
        collect(&nested.body, &format!("{prefix}{name}[{number}]."), found);
        *number += 1;
    }
}
