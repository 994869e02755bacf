//! From a source to the places of use: through locals, arguments of modules, and what walks through collections.

use std::collections::BTreeSet;

use hcl_edit::expr::Expression;

use super::demand::{Demand, demand, members_to};
use super::elements::of;
use super::guards::guarded;
use super::path::{Path, path};
use super::{Sink, Source, Use};
use crate::address::ModuleAddr;
use crate::config::{Block, BlockKind, ConfigFile, Item, Module, Reference, Role, Span, Syntax, Target};
use crate::lint::Read;
use crate::lint::shape::Step;

/// What stands for a part of a source: a local, a variable, or the source itself.
type Name = (ModuleAddr, Item);

/// What a name stands for.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Way {
    /// Members of what is named that lead to it.
    within: Vec<String>,
    /// Where it is in the source.
    steps: Vec<Step>,
    /// See [`Use`].
    member: Option<usize>,
    /// Whether it may be absent.
    care: Care,
}

/// What is known of a value being there.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Care {
    /// It is there.
    None,
    /// The whole document may be absent, so whoever reads a value of it does so by a `try`.
    Optional,
    /// Somebody asked for it with care.
    Guarded,
}

/// Follows a source to the places of use.
pub(super) fn follow<'r>(read: &'r Read<'_>, source: &Item, into: &mut Source<'r>) {
    let source: Name = (ModuleAddr::default(), source.clone());
    let start = Way {
        within: Vec::new(),
        steps: Vec::new(),
        member: None,
        care: Care::None,
    };
    let mut known = BTreeSet::from([(source.clone(), start.clone())]);
    let first = source.clone();
    let mut queue = vec![(source, start)];
    while let Some((name, way)) = queue.pop() {
        let Some(module) = read.configuration.module(&name.0) else {
            continue;
        };
        let mut places = 0;
        for found in references(module, &name.1) {
            let (file, _, reference) = found;
            places += 1;
            let path = path(file, reference);
            let Some(mut here) = way.after(&path.steps) else {
                continue;
            };
            let expected = usize::from(way.care == Care::Optional);
            let is_local = matches!(found.1.kind, BlockKind::Locals);
            let is_guarded = path.tries > expected || guarded(file, found.1, &path.span);
            here.care = match way.care {
                Care::Guarded => Care::Guarded,
                _ if name == first && is_local && path.tries > 0 => Care::Optional,
                _ if is_guarded => Care::Guarded,
                _ => Care::None,
            };
            let mut learn = |name: Name, way: Way| {
                if known.insert((name.clone(), way.clone())) {
                    queue.push((name, way));
                }
            };
            place(read, module, found, (&path, here), into, &mut learn);
        }
        if let (0, (at, Item::Local(local))) = (places, &name)
            && at.0.is_empty()
            && way.within.is_empty()
            && let Some((file, span)) = crate::lint::told::local(read, local)
        {
            into.idle.push((file, span, local.clone()));
        }
    }
}

impl Way {
    /// Returns the way after some steps; none where they lead past it.
    fn after(&self, steps: &[Step]) -> Option<Self> {
        let mut within = self.within.iter();
        let mut rest = steps.iter();
        let mut here = self.clone();
        here.within.clear();
        while let (Some(member), remaining) = (within.next(), rest.as_slice()) {
            match remaining.first() {
                None => {
                    here.within = std::iter::once(member).chain(within).cloned().collect();
                    return Some(here);
                }
                Some(Step::Name(name)) if name != member => return None,
                Some(_) => {
                    rest.next();
                }
            }
        }
        // What is taken of all that a splat gave is nothing inside of one.
        let is_splat = self.steps.contains(&Step::Splat);
        here.steps
            .extend(rest.skip_while(|step| is_splat && step.is_index()).cloned());
        Some(here)
    }
}

/// Notes one place, and the names that it gives to what is followed.
fn place<'r>(
    read: &'r Read<'_>,
    module: &Module,
    (file, block, reference): (&'r ConfigFile, &'r Block, &'r Reference),
    (path, here): (&Path, Way),
    into: &mut Source<'r>,
    learn: &mut dyn FnMut(Name, Way),
) {
    let mut is_handed_on = false;
    let is_guarded = here.care == Care::Guarded;
    let around = block.body.attributes.iter().find(|argument| {
        argument.value.start <= reference.span.start && reference.span.end <= argument.value.end
    });
    let sink = around
        .filter(|_| block.kind == BlockKind::Resource && reference.place.role == Role::Value)
        .map(|argument| Sink {
            module: module.address.clone(),
            block,
            argument: &argument.name,
        });
    let mut note =
        |file: &'r ConfigFile, span: Span, inner: Vec<Step>, is_handed_on: bool, cast, is_guarded| {
            into.uses.push(Use {
                file,
                span,
                steps: here.steps.iter().cloned().chain(inner).collect(),
                member: here.member,
                cast,
                is_handed_on,
                sink: sink.clone(),
                is_guarded,
            });
        };
    // What is restored to a list, set or map is nothing that has names inside.
    if let Some(argument) = around.filter(|_| path.cast.is_none()) {
        let mut within = members(file, &argument.value, &path.span);
        if let Some(within) = &mut within {
            within.extend(here.within.iter().cloned());
        }
        match (&block.kind, within) {
            (BlockKind::Locals, Some(within)) => {
                let is_alone = within.is_empty();
                let local = (module.address.clone(), Item::Local(argument.name.clone()));
                learn(
                    local,
                    Way {
                        within,
                        ..here.clone()
                    },
                );
                if is_alone {
                    return;
                }
                is_handed_on = true;
            }
            (BlockKind::Locals, None)
                if here.within.is_empty() && is_merged(file, &argument.value, &path.span) =>
            {
                let member = Some(here.steps.len() + 1);
                let local = (module.address.clone(), Item::Local(argument.name.clone()));
                learn(
                    local,
                    Way {
                        member,
                        ..here.clone()
                    },
                );
                is_handed_on = true;
            }
            (BlockKind::Module, Some(within)) if reference.place.role == Role::Value => {
                let inside = module.child(block.label(0));
                let variable = Item::Variable(argument.name.clone());
                let known = read.configuration.module(&inside).is_some();
                match constraint(read, &inside, &variable, &within) {
                    Some((file, span, ways)) => {
                        for inner in ways {
                            note(file, span.clone(), inner, false, None, is_guarded);
                        }
                    }
                    None => learn(
                        (inside, variable),
                        Way {
                            within,
                            ..here.clone()
                        },
                    ),
                }
                is_handed_on = known;
            }
            _ => {}
        }
    }
    if here.within.is_empty() {
        let lists = here
            .steps
            .iter()
            .filter(|step| matches!(step, Step::Splat | Step::Every))
            .count();
        for (mut inner, span) in of(file, block, &path.span) {
            match lists {
                0 => {}
                // It walks through what the splat gave.
                1 => drop(inner.remove(0)),
                _ => continue,
            }
            let is_guarded = is_guarded || guarded(file, block, &span);
            note(file, span, inner, false, None, is_guarded);
            is_handed_on = true;
        }
    }
    note(
        file,
        reference.span.clone(),
        Vec::new(),
        is_handed_on,
        path.cast,
        is_guarded,
    );
}

/// What a variable's type demands, with the place that says so; none where it says nothing.
fn constraint<'r>(
    read: &'r Read<'_>,
    module: &ModuleAddr,
    variable: &Item,
    within: &[String],
) -> Option<(&'r ConfigFile, Span, Vec<Vec<Step>>)> {
    let source = &read.configuration.module(module)?.source;
    let (file, argument) = source.attribute(variable, "type")?;
    let ways = match (file.syntax, file.expression(&argument.value)) {
        (Syntax::Hcl, Some(expr)) => match demand(&expr, within) {
            Demand::Ways(ways) => ways,
            Demand::Follow => return None,
        },
        _ => Vec::new(),
    };
    Some((file, argument.value.clone(), ways))
}

/// Returns the members of an object literal that lead to an expression in it, where it is nothing but one of them.
fn members(file: &ConfigFile, value: &Span, span: &Span) -> Option<Vec<String>> {
    let is_blank = |span: Span| file.text(&span).trim().is_empty();
    if span.start >= value.start && is_blank(value.start..span.start) && is_blank(span.end..value.end) {
        return Some(Vec::new());
    }
    if file.syntax == Syntax::Json || !file.text(value).starts_with('{') {
        return None;
    }
    let wanted = span.start.checked_sub(value.start)?..span.end.checked_sub(value.start)?;
    members_to(&file.expression(value)?, &wanted)
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
