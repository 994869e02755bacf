//! A case from a seed.

use super::case::{COUNT, Case, Extra, Form, KEYS, Keys, Kind, Owner, Read, Repeat, Thing};

/// A small generator of numbers (SplitMix64).
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % limit as u64).unwrap()
    }

    fn pick<'i, T>(&mut self, items: &'i [T]) -> &'i T {
        &items[self.below(items.len())]
    }

    fn one_in(&mut self, number: usize) -> bool {
        self.below(number) == 0
    }
}

/// Returns a root module of things, each reading some before it, and the stacks that take them.
pub fn case(seed: u64) -> Case {
    let mut dice = Dice(seed);
    let mut things: Vec<Thing> = Vec::new();
    let mut outputs = Vec::new();
    let stacks = 2 + dice.below(3);
    let number = 6 + dice.below(8);
    // One of the segments stays in the monolith, or none does.
    let stays = dice.below(stacks + 1);
    for at in 0..number {
        let kind = *dice.pick(&[Kind::Data, Kind::Data, Kind::Data, Kind::Module, Kind::Local]);
        let repeat = repeat(&mut dice, kind, &things);
        let reads = match things.is_empty() {
            true => Vec::new(),
            false => (0..dice.below(4))
                .map(|_| read(&mut dice, &things, &repeat))
                .collect(),
        };
        let mut form = *dice.pick(&[Form::List, Form::Object, Form::Heredoc]);
        if kind == Kind::Data && dice.one_in(6) {
            form = Form::Json;
        }
        let mut thing = Thing {
            extra: extra(&mut dice, kind, form, &things),
            owner: Owner::Whole(None),
            name: format!("t{at}"),
            kind,
            repeat,
            form,
            reads,
        };
        thing.owner = owner(&mut dice, &thing, at * stacks / number, stays, stacks);
        things.push(thing);
        if dice.one_in(4) {
            outputs.push(of(&mut dice, &things[at], &Repeat::No));
        }
    }
    Case {
        things,
        outputs,
        stacks,
    }
}

fn repeat(dice: &mut Dice, kind: Kind, before: &[Thing]) -> Repeat {
    let chained = before
        .iter()
        .find(|thing| matches!(thing.repeat, Repeat::Each(_)) && thing.kind == Kind::Data);
    match (kind, dice.below(4), chained) {
        (Kind::Local, ..) | (_, 0 | 1, _) => Repeat::No,
        (_, 2, _) => Repeat::Count,
        (_, _, Some(other)) if dice.one_in(3) => Repeat::Each(Keys::Chained(other.name.clone())),
        _ => Repeat::Each(dice.pick(&[Keys::Set, Keys::Map, Keys::Local]).clone()),
    }
}

fn extra(dice: &mut Dice, kind: Kind, form: Form, before: &[Thing]) -> Option<Extra> {
    let blocks: Vec<&Thing> = before.iter().filter(|thing| thing.kind != Kind::Local).collect();
    match (dice.below(12), kind) {
        (0, Kind::Data | Kind::Module) if !blocks.is_empty() => {
            Some(Extra::DependsOn(dice.pick(&blocks).name.clone()))
        }
        (1, Kind::Data) if !before.is_empty() && form != Form::Json => {
            Some(Extra::Precondition(read(dice, before, &Repeat::No)))
        }
        (2, Kind::Data | Kind::Module) if form != Form::Json => Some(Extra::Provider),
        (3, _) => Some(Extra::Variable),
        _ => None,
    }
}

/// Lets a stack take a thing, or several of them some keys each.
fn owner(dice: &mut Dice, thing: &Thing, segment: usize, stays: usize, stacks: usize) -> Owner {
    if matches!(thing.repeat, Repeat::Each(_)) && dice.one_in(2) {
        let chosen = KEYS.iter().map(|_| {
            let to = (segment + dice.below(2)).min(stacks - 1);
            ((to != stays).then_some(to), dice.one_in(2))
        });
        return Owner::Keys(chosen.collect());
    }
    Owner::Whole((segment != stays).then_some(segment))
}

fn read(dice: &mut Dice, before: &[Thing], within: &Repeat) -> Read {
    let other = dice.below(before.len());
    of(dice, &before[other], within)
}

/// An expression that reads a thing, in a block of that repetition.
fn of(dice: &mut Dice, thing: &Thing, within: &Repeat) -> Read {
    let attribute = match thing.kind {
        Kind::Local => {
            return Read {
                of: thing.name.clone(),
                text: "ROOT".to_owned(),
            };
        }
        Kind::Module => *dice.pick(&["value", "object.x", "id"]),
        Kind::Data => "output",
    };
    let first = attribute.split('.').next().unwrap();
    let text = match thing.repeat {
        Repeat::No => match dice.below(5) {
            0 => format!("\"<${{jsonencode(ROOT.{attribute})}}>\""),
            1 => format!("[ROOT.{attribute}, 1, null, true]"),
            2 => format!("{{ x = ROOT.{attribute}, \"y.z\" = [for c in [ROOT] : c.{first}] }}"),
            _ => format!("ROOT.{attribute}"),
        },
        Repeat::Count => match dice.below(8) {
            0 => format!("ROOT[*].{attribute}"),
            1 if thing.kind == Kind::Data => format!("ROOT.*.{attribute}"),
            2 => format!("[for i, one in ROOT : [i, one.{first}]]"),
            3 => "length(ROOT)".to_owned(),
            4 if *within == Repeat::Count => format!("ROOT[count.index].{attribute}"),
            5 => format!("\"%{{for one in ROOT}}${{jsonencode(one.{first})}};%{{endfor}}\""),
            6 => format!("element(ROOT, 1).{attribute}"),
            _ => format!("ROOT[{}].{attribute}", dice.below(COUNT)),
        },
        Repeat::Each(_) => match dice.below(8) {
            0 => format!("{{ for key, one in ROOT : key => one.{attribute} }}"),
            1 => format!("values(ROOT)[*].{attribute}"),
            2 => "[keys(ROOT), length(ROOT)]".to_owned(),
            3 => format!("lookup(ROOT, \"b.c\").{attribute}"),
            4 if matches!(within, Repeat::Each(_)) => format!("ROOT[each.key].{attribute}"),
            5 => format!("[for one in ROOT : one if one.{first} != null][0].{attribute}"),
            _ => format!("ROOT[\"{}\"].{attribute}", dice.pick(&KEYS)),
        },
    };
    Read {
        of: thing.name.clone(),
        text,
    }
}
