//! From a source to the places of use: through locals, arguments of modules, and what walks through collections.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use hcl_edit::expr::Expression;

use super::elements::{demanded, of};
use super::path::path;
use super::{Source, Use};
use crate::address::ModuleAddr;
use crate::config::{Block, BlockKind, ConfigFile, Item, Module, Reference, Role, Span, Syntax, Target};
use crate::lint::Read;
use crate::lint::shape::Step;

/// What stands for a part of a source: a local, a variable, or the source itself.
type Name = (ModuleAddr, Item);

/// What a name stands for.
#[derive(Clone)]
struct Way {
    steps: Vec<Step>,
    member: Option<usize>,
}

/// Follows a source to the places of use.
pub(super) fn follow<'r>(read: &'r Read<'_>, source: &Item, into: &mut Source<'r>) {
    let source: Name = (ModuleAddr::default(), source.clone());
    let start = Way {
        steps: Vec::new(),
        member: None,
    };
    let mut known: BTreeMap<Name, Way> = BTreeMap::from([(source.clone(), start)]);
    let mut queue = vec![source];
    while let Some(name) = queue.pop() {
        let way = known[&name].clone();
        let Some(module) = read.configuration.module(&name.0) else {
            continue;
        };
        let mut places = 0;
        for (file, block, reference) in references(module, &name.1) {
            places += 1;
            let mut learn = |name: Name, way: Way| {
                if let Entry::Vacant(free) = known.entry(name.clone()) {
                    free.insert(way);
                    queue.push(name);
                }
            };
            place(read, module, (file, block, reference), &way, into, &mut learn);
        }
        if let (0, (at, Item::Local(local))) = (places, &name)
            && at.0.is_empty()
            && let Some((file, span)) = crate::lint::told::local(read, local)
        {
            into.idle.push((file, span, local.clone()));
        }
    }
}

/// Notes one place, and the names that it gives to what is followed.
fn place<'r>(
    read: &'r Read<'_>,
    module: &Module,
    (file, block, reference): (&'r ConfigFile, &'r Block, &'r Reference),
    way: &Way,
    into: &mut Source<'r>,
    learn: &mut dyn FnMut(Name, Way),
) {
    let path = path(file, reference);
    let mut steps = way.steps.clone();
    steps.extend(path.steps);
    let around = block
        .body
        .attributes
        .iter()
        .find(|argument| argument.value.start <= reference.span.start && reference.span.end <= argument.value.end);
    if let (BlockKind::Locals, Some(argument), None) = (&block.kind, around, path.cast) {
        let local = (module.address.clone(), Item::Local(argument.name.clone()));
        if stands_alone(file, &argument.value, &path.span) {
            let member = way.member;
            learn(local, Way { steps, member });
            return;
        }
        // The members of objects that are put together are those of each: what is taken of one is told by its producer.
        if is_merged(file, &argument.value, &path.span) {
            let member = Some(steps.len() + 1);
            let steps = steps.clone();
            learn(local, Way { steps, member });
        }
    }
    let mut note = |file: &'r ConfigFile, span: Span, steps: Vec<Step>, cast| {
        into.uses.push(Use {
            file,
            span,
            steps,
            member: way.member,
            cast,
        });
    };
    for (inner, span) in of(file, block, &path.span) {
        note(file, span, steps.iter().cloned().chain(inner).collect(), None);
    }
    if let (BlockKind::Module, Some(argument)) = (&block.kind, around)
        && reference.place.role == Role::Value
        && stands_alone(file, &argument.value, &path.span)
    {
        let inside = module.child(block.label(0));
        let variable = Item::Variable(argument.name.clone());
        if let Some((file, ways)) = constraint(read, &inside, &variable) {
            for inner in ways {
                note(file.0, file.1.clone(), steps.iter().cloned().chain(inner).collect(), None);
            }
        } else {
            let member = way.member;
            let steps = steps.clone();
            learn((inside, variable), Way { steps, member });
        }
    }
    note(file, reference.span.clone(), steps, path.cast);
}

/// What a variable's type demands, with the place that says so; none where it says nothing.
fn constraint<'r>(
    read: &'r Read<'_>,
    module: &ModuleAddr,
    variable: &Item,
) -> Option<((&'r ConfigFile, Span), Vec<Vec<Step>>)> {
    let source = &read.configuration.module(module)?.source;
    let (file, argument) = source.attribute(variable, "type")?;
    if file.syntax == Syntax::Json {
        return Some(((file, argument.value.clone()), Vec::new()));
    }
    let ways = demanded(&file.expression(&argument.value)?)?;
    Some(((file, argument.value.clone()), ways))
}

/// Finds the references to an item in a module.
fn references<'r>(module: &'r Module, item: &Item) -> Vec<(&'r ConfigFile, &'r Block, &'r Reference)> {
    let mut found = Vec::new();
    for (_, file, block) in module.source.blocks() {
        let named = block.references.iter().filter(|reference| names(reference, item));
        found.extend(named.map(|reference| (file, block, reference)));
    }
    found
}

fn names(reference: &Reference, item: &Item) -> bool {
    match (&reference.target, item) {
        (Target::Module { name, .. }, Item::Module(wanted)) => name == wanted,
        (Target::Local(name), Item::Local(wanted)) | (Target::Var(name), Item::Variable(wanted)) => {
            name == wanted
        }
        (
            Target::Resource {
                mode,
                type_name,
                name,
            },
            Item::Resource {
                mode: wanted_mode,
                type_name: wanted_type,
                name: wanted_name,
            },
        ) => (mode, type_name, name) == (wanted_mode, wanted_type, wanted_name),
        _ => false,
    }
}

/// Tells whether an expression is all that a value is.
fn stands_alone(file: &ConfigFile, value: &Span, span: &Span) -> bool {
    let is_blank = |span: Span| file.text(&span).trim().is_empty();
    span.start >= value.start && is_blank(value.start..span.start) && is_blank(span.end..value.end)
}

/// Tells whether a value is `merge(…)`, and an expression one of its arguments.
fn is_merged(file: &ConfigFile, value: &Span, span: &Span) -> bool {
    match file.expression(value) {
        Some(Expression::FuncCall(call)) if call.name.name.as_str() == "merge" => {
            call.args.iter().filter_map(hcl_edit::Span::span).any(|argument| {
                value.start + argument.start == span.start && value.start + argument.end == span.end
            })
        }
        _ => false,
    }
}
