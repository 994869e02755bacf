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

/// Where a thing's instances are: the first and the last of the segments, the monolith among them. What reads only what
/// is not behind itself makes no cycle.
type Span = (usize, usize);

/// What one case is drawn from.
struct Draw {
    dice: Dice,
    stacks: usize,
    /// The segment that stays in the monolith; one behind the last, and none does.
    stays: usize,
    things: Vec<Thing>,
    spans: Vec<Span>,
}

/// Returns a root module of things, each reading some before it, and the stacks that take them.
pub fn case(seed: u64) -> Case {
    let mut dice = Dice(seed);
    let stacks = 2 + dice.below(3);
    let number = 6 + dice.below(8);
    let mut draw = Draw {
        stays: dice.below(stacks + 1),
        dice,
        stacks,
        things: Vec::new(),
        spans: Vec::new(),
    };
    let mut outputs = Vec::new();
    for at in 0..number {
        draw.thing(at, at * stacks / number);
        if draw.dice.one_in(4) {
            outputs.push(of(&mut draw.dice, &draw.things[at], &Repeat::No));
        }
    }
    Case {
        things: draw.things,
        outputs,
        stacks,
    }
}

impl Draw {
    fn thing(&mut self, at: usize, segment: usize) {
        let dice = &mut self.dice;
        let kind = *dice.pick(&[Kind::Data, Kind::Data, Kind::Data, Kind::Module, Kind::Local]);
        let keyed = kind != Kind::Local && dice.below(5) < 2;
        let owner = owner(dice, keyed, segment, self.stays, self.stacks);
        let mut span = match kind {
            Kind::Local => (segment, 0),
            _ => span(&owner, self.stays),
        };
        // One in eight reads what it likes; cycles come of it.
        let limit = if dice.one_in(8) { usize::MAX } else { span.0 };
        let near: Vec<usize> = (0..at).filter(|other| self.spans[*other].1 <= limit).collect();
        let chained = near
            .iter()
            .map(|other| &self.things[*other])
            .find(|thing| matches!(thing.repeat, Repeat::Each(_)) && thing.kind == Kind::Data);
        let repeat = match (keyed, chained) {
            (true, Some(other)) if dice.one_in(3) => Repeat::Each(Keys::Chained(other.name.clone())),
            (true, _) => Repeat::Each(dice.pick(&[Keys::Set, Keys::Map, Keys::Local]).clone()),
            (false, _) if kind != Kind::Local && dice.one_in(3) => Repeat::Count,
            (false, _) => Repeat::No,
        };
        let mut reads = Vec::new();
        for _ in 0..if near.is_empty() { 0 } else { dice.below(4) } {
            let other = *dice.pick(&near);
            if kind == Kind::Local {
                span.1 = span.1.max(self.spans[other].1);
            }
            reads.push(of(dice, &self.things[other], &repeat));
        }
        let mut form = *dice.pick(&[Form::List, Form::Object, Form::Heredoc]);
        if kind == Kind::Data && dice.one_in(6) {
            form = Form::Json;
        }
        let near: Vec<&Thing> = near.iter().map(|other| &self.things[*other]).collect();
        let thing = Thing {
            extra: extra(dice, kind, form, &self.things, &near),
            owner,
            name: format!("t{at}"),
            kind,
            repeat,
            form,
            reads,
        };
        self.things.push(thing);
        self.spans.push(span);
    }
}

fn span(owner: &Owner, stays: usize) -> Span {
    let at = |owner: &Option<usize>| owner.unwrap_or(stays);
    match owner {
        Owner::Whole(owner) => (at(owner), at(owner)),
        Owner::Keys(keys) => {
            let all = keys.iter().map(|(owner, _)| at(owner));
            let first = all.clone().min().unwrap_or(stays);
            (first, all.max().unwrap_or(stays))
        }
    }
}

fn extra(dice: &mut Dice, kind: Kind, form: Form, before: &[Thing], near: &[&Thing]) -> Option<Extra> {
    let blocks: Vec<&Thing> = before.iter().filter(|thing| thing.kind != Kind::Local).collect();
    match (dice.below(12), kind) {
        (0, Kind::Data | Kind::Module) if !blocks.is_empty() => {
            Some(Extra::DependsOn(dice.pick(&blocks).name.clone()))
        }
        (1, Kind::Data) if !near.is_empty() && form != Form::Json => {
            let other = *dice.pick(near);
            Some(Extra::Precondition(of(dice, other, &Repeat::No)))
        }
        (2, Kind::Data | Kind::Module) if form != Form::Json => Some(Extra::Provider),
        (3, _) => Some(Extra::Variable),
        _ => None,
    }
}

/// Lets a stack take a thing, or several of them some keys each.
fn owner(dice: &mut Dice, keyed: bool, segment: usize, stays: usize, stacks: usize) -> Owner {
    if keyed && !dice.one_in(3) {
        let chosen = KEYS.iter().map(|_| {
            let to = (segment + dice.below(2)).min(stacks - 1);
            ((to != stays).then_some(to), !dice.one_in(3))
        });
        return Owner::Keys(chosen.collect());
    }
    Owner::Whole((segment != stays).then_some(segment))
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
