//! Random root modules, cut at random: every stack plans empty at once.
//!
//! `STACKCUT_CASES` says how many (12 unless set), `STACKCUT_SEED` where to begin; a failing case prints its seed.

use std::fmt::Write as _;

use super::lab::Lab;
use super::small::{formatted, plan};
use crate::support::tools::tools;

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

#[derive(Clone, Copy, PartialEq)]
enum Repeat {
    No,
    Count,
    Each,
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Data,
    Module,
    Local,
}

struct Thing {
    kind: Kind,
    name: String,
    repeat: Repeat,
}

const KEYS: [&str; 3] = ["a", "b.c", "d \\\"e"];
const COUNT: usize = 3;

impl Thing {
    fn root(&self) -> String {
        match self.kind {
            Kind::Data => format!("terraform_data.{}", self.name),
            Kind::Module => format!("module.{}", self.name),
            Kind::Local => format!("local.{}", self.name),
        }
    }

    /// An expression that reads this thing, in a block of that repetition.
    fn read(&self, dice: &mut Dice, within: Repeat) -> String {
        let root = self.root();
        if self.kind == Kind::Local {
            return root;
        }
        let attribute = match self.kind {
            Kind::Module => *dice.pick(&["value", "object.x", "id"]),
            _ => "output",
        };
        let first = attribute.split('.').next().unwrap();
        match self.repeat {
            Repeat::No => match dice.below(5) {
                0 => format!("\"<${{jsonencode({root}.{attribute})}}>\""),
                1 => format!("[{root}.{attribute}, 1, null, true]"),
                2 => format!("{{ x = {root}.{attribute}, \"y.z\" = [for c in [{root}] : c.{first}] }}"),
                _ => format!("{root}.{attribute}"),
            },
            Repeat::Count => match dice.below(8) {
                0 => format!("{root}[*].{attribute}"),
                1 if self.kind == Kind::Data => format!("{root}.*.{attribute}"),
                2 => format!("[for i, one in {root} : [i, one.{first}]]"),
                3 => format!("length({root})"),
                4 if within == Repeat::Count => format!("{root}[count.index].{attribute}"),
                5 => format!("\"%{{for one in {root}}}${{jsonencode(one.{first})}};%{{endfor}}\""),
                6 => format!("element({root}, 1).{attribute}"),
                _ => format!("{root}[{}].{attribute}", dice.below(COUNT)),
            },
            Repeat::Each => match dice.below(8) {
                0 => format!("{{ for key, one in {root} : key => one.{attribute} }}"),
                1 => format!("values({root})[*].{attribute}"),
                2 => format!("[keys({root}), length({root})]"),
                3 => format!("lookup({root}, \"b.c\").{attribute}"),
                4 if within == Repeat::Each => format!("{root}[each.key].{attribute}"),
                5 => format!("[for one in {root} : one if one.{first} != null][0].{attribute}"),
                _ => format!("{root}[\"{}\"].{attribute}", dice.pick(&KEYS)),
            },
        }
    }
}

const CHILD: &str = r#"
variable "in" {}

variable "extra" {
  default = "e"
}

locals {
  inner = { x = var.in, "k.l" = var.extra }
}

resource "terraform_data" "this" {
  input = local.inner
}

resource "terraform_data" "more" {
  for_each = toset(["p", "q"])
  input    = "${each.key} ${jsonencode(terraform_data.this.output)}"
}

output "value" {
  value = terraform_data.more["p"].output
}

output "object" {
  value = terraform_data.this.output
}

output "id" {
  value = [for key, one in terraform_data.more : key]
}
"#;

/// A root module of things, each reading some before it, and the stacks that take them.
fn case(seed: u64) -> (String, String) {
    let mut dice = Dice(seed);
    let mut things: Vec<Thing> = Vec::new();
    let mut code = format!("locals {{\n  keys = toset([\"{}\"])\n}}\n\n", KEYS.join("\", \""));
    let stacks = 2 + dice.below(3);
    let number = 6 + dice.below(8);
    let mut takes: Vec<Vec<String>> = vec![Vec::new(); stacks];
    let mut moves: Vec<String> = vec![String::new(); stacks];
    // One of the segments stays in the monolith, or none does.
    let stays = dice.below(stacks + 1);
    for at in 0..number {
        let kind = *dice.pick(&[Kind::Data, Kind::Data, Kind::Data, Kind::Module, Kind::Local]);
        let repeat = match kind {
            Kind::Local => Repeat::No,
            _ => *dice.pick(&[Repeat::No, Repeat::No, Repeat::Count, Repeat::Each]),
        };
        let name = format!("t{at}");
        let reads: Vec<String> = (0..dice.below(4))
            .filter(|_| !things.is_empty())
            .map(|_| {
                let other = dice.below(things.len());
                things[other].read(&mut dice, repeat)
            })
            .collect();
        let own = match repeat {
            Repeat::No => format!("\"{name}\""),
            Repeat::Count => format!("\"{name}-${{count.index}}\""),
            Repeat::Each => "\"${each.key} of ${each.value}\"".to_string(),
        };
        let value = match dice.below(3) {
            0 if !reads.is_empty() => format!("[{own}, {}]", reads.join(", ")),
            1 => format!("{{ own = {own}, reads = [{}] }}", reads.join(", ")),
            _ => format!(
                "<<-EOT\n    {name} ${{jsonencode([{own}, {}])}}\n  EOT",
                reads.join(", ")
            ),
        };
        let chained = things
            .iter()
            .find(|thing| thing.repeat == Repeat::Each && thing.kind == Kind::Data);
        let repetition = match (repeat, chained) {
            (Repeat::No, _) => String::new(),
            (Repeat::Count, _) => format!("count = {COUNT}\n"),
            (Repeat::Each, Some(other)) if dice.one_in(3) => {
                format!("for_each = {{ for key, one in {} : key => key }}\n", other.root())
            }
            (Repeat::Each, _) if dice.one_in(3) => format!(
                "for_each = {{\n    a = 1\n    \"b.c\" = \"two\"\n    \"{}\" = true\n  }}\n",
                KEYS[2]
            ),
            (Repeat::Each, _) if dice.one_in(3) => "for_each = local.keys\n".to_owned(),
            (Repeat::Each, _) => format!("for_each = toset([\"{}\"])\n", KEYS.join("\", \"")),
        };
        match kind {
            Kind::Data => writeln!(
                code,
                "resource \"terraform_data\" \"{name}\" {{\n  {repetition}\n  input = {value}\n}}\n"
            ),
            Kind::Module => writeln!(
                code,
                "module \"{name}\" {{\n  source = \"./child\"\n  {repetition}\n  in = {value}\n}}\n"
            ),
            Kind::Local => writeln!(code, "locals {{\n  {name} = {value}\n}}\n"),
        }
        .unwrap();
        let thing = Thing { kind, name, repeat };
        let segment = at * stacks / number;
        take(&mut dice, &thing, segment, stays, &mut takes, &mut moves);
        if dice.one_in(4) {
            writeln!(
                code,
                "output \"o{at}\" {{\n  value = {}\n}}\n",
                thing.read(&mut dice, Repeat::No)
            )
            .unwrap();
        }
        things.push(thing);
    }
    let mut blocks = String::new();
    for (number, (takes, moves)) in takes.iter().zip(&moves).enumerate() {
        if !takes.is_empty() {
            writeln!(
                blocks,
                "  stack \"s{number}\" {{\n    take = [{}]\n{moves}  }}",
                takes.join(", ")
            )
            .unwrap();
        }
    }
    (code, blocks)
}

/// Lets a stack take a thing, or several of them some keys each.
fn take(
    dice: &mut Dice,
    thing: &Thing,
    segment: usize,
    stays: usize,
    takes: &mut [Vec<String>],
    moves: &mut [String],
) {
    if thing.kind == Kind::Local {
        return;
    }
    let root = thing.root();
    if thing.repeat == Repeat::Each && dice.one_in(2) {
        let chosen: Vec<usize> = KEYS
            .iter()
            .map(|_| (segment + dice.below(2)).min(takes.len() - 1))
            .collect();
        for (key, &to) in KEYS.iter().zip(&chosen).filter(|(_, to)| **to != stays) {
            let escaped = key.replace('\\', "\\\\").replace('"', "\\\"");
            let address = format!("{root}[\\\"{escaped}\\\"]");
            takes[to].push(format!("\"{address}\""));
            let is_alone = chosen.iter().filter(|other| **other == to).count() == 1;
            if dice.one_in(2) && is_alone {
                write!(
                    moves[to],
                    "    move {{\n      from = \"{address}\"\n      to = \"{root}\"\n    }}\n"
                )
                .unwrap();
            }
        }
        return;
    }
    if segment == stays {
        return;
    }
    let any = if thing.repeat == Repeat::No || thing.kind == Kind::Data {
        ""
    } else {
        "[*]"
    };
    takes[segment].push(format!("\"{root}{any}\""));
}

#[test]
fn random_monoliths_are_cut_at_random() {
    let number = |name: &str, default: u64| {
        std::env::var(name).map_or(default, |value| value.parse().expect("a number"))
    };
    let first = number("STACKCUT_SEED", 1);
    let child = formatted(CHILD);
    let mut refused = 0;
    let cases = number("STACKCUT_CASES", 12);
    for seed in first..first + cases {
        let (code, stacks) = case(seed);
        if stacks.is_empty() {
            continue;
        }
        let plan = plan(&stacks);
        let code = formatted(&code);
        let outcome = std::panic::catch_unwind(|| {
            let lab = Lab::new(
                tools().terraform(),
                &[("main.tf", &code), ("child/main.tf", &child)],
                &plan,
            )
            .apply();
            match lab.try_cut() {
                Ok(cut) => {
                    cut.prove_by_plans();
                    None
                }
                Err(faults) => Some(
                    faults
                        .iter()
                        .map(ToString::to_string)
                        .collect::<Vec<_>>()
                        .join("\n"),
                ),
            }
        });
        match outcome {
            Ok(None) => {}
            // Stacks that wait for each other are for people to solve.
            Ok(Some(fault)) if fault.contains("form a cycle") => refused += 1,
            Ok(Some(fault)) => {
                panic!("seed {seed} is refused: {fault}\n--- monolith\n{code}\n--- plan\n{plan}")
            }
            Err(_) => panic!("seed {seed}\n--- monolith\n{code}\n--- plan\n{plan}"),
        }
    }
    assert!(refused * 2 < cases, "too many of {cases} are refused: {refused}");
}
