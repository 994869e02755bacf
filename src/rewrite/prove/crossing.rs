//! What the values of contracts are taken from, by the producers' code.

use std::collections::BTreeMap;

use hcl_edit::Span as _;
use hcl_edit::expr::{Expression, ObjectKey};

use super::Codes;
use crate::config::{Block, BlockKind, ConfigFile, Item, Reference, Span, Step, StepKind, Syntax};
use crate::rewrite::{Reading, Rewritten, access};
use crate::stack::StateId;

/// One value as it is told.
struct Told {
    /// The members that lead to it.
    path: Vec<String>,
    /// What it is taken from.
    item: Item,
    /// Names of the steps behind that.
    steps: Vec<String>,
    /// What is taken of each instance, where it is a list or an object of those: name and expression.
    each: BTreeMap<String, String>,
}

/// What every state tells and reads.
pub(super) struct Crossings<'r> {
    told: BTreeMap<&'r StateId, Vec<Told>>,
    readings: &'r BTreeMap<StateId, Vec<Reading>>,
}

impl<'r> Crossings<'r> {
    /// Reads what is told.
    pub fn of(rewritten: &'r Rewritten, codes: &Codes<'r>) -> Self {
        let told = codes.iter().filter_map(|(state, code)| {
            let root = &code.configuration().ok()?.root().source;
            let mut found = Vec::new();
            for (_, file, block) in root.blocks() {
                let name = match block.kind {
                    BlockKind::Module => "data",
                    BlockKind::Output => "value",
                    _ => continue,
                };
                let label = block.label(0);
                let label = label.strip_suffix("_private").unwrap_or(label);
                let argument = block.body.attribute(name);
                if label == rewritten.contract_name
                    && file.syntax == Syntax::Hcl
                    && let Some(argument) = argument
                    && let Some(expr) = file.expression(&argument.value)
                {
                    let mut walk = Walk {
                        file,
                        block,
                        start: argument.value.start,
                        found: &mut found,
                    };
                    walk.expr(&expr, &mut Vec::new());
                }
            }
            Some((state, found))
        });
        Self {
            told: told.collect(),
            readings: &rewritten.readings,
        }
    }

    /// Returns whose contract a local of a state holds.
    pub fn producer(&self, state: &StateId, local: &str) -> Option<&'r StateId> {
        let mut readings = self.readings.get(state)?.iter();
        let found = readings
            .find(|reading| reading.name == local || local.strip_suffix("_private") == Some(&reading.name));
        found.map(|reading| &reading.producer)
    }

    /// Tells whether steps into a contract lead to a value that is taken from what a reference named before; behind
    /// `at` they are those of the reference.
    pub fn is_from(&self, producer: &StateId, steps: &[Step], at: usize, before: &Reference) -> bool {
        let Some(told) = self.told.get(producer).filter(|told| !told.is_empty()) else {
            // In a variable file there are values alone.
            return true;
        };
        let Some(item) = access::item_of(&before.target) else {
            return true;
        };
        let names = |steps: &[Step]| -> Vec<String> {
            let names = steps.iter().map_while(|step| match &step.kind {
                StepKind::Attr(name) => Some(name.clone()),
                StepKind::Index(crate::address::InstanceKey::Str(name)) => Some(name.clone()),
                _ => None,
            });
            names.collect()
        };
        let path = names(steps);
        let prefix = names(&steps[..at]);
        let attributes = before.steps.iter().filter_map(|step| match &step.kind {
            StepKind::Attr(name) => Some(name),
            _ => None,
        });
        let mut near = told
            .iter()
            .filter(|told| path.starts_with(&told.path) || told.path.starts_with(&prefix))
            .peekable();
        if near.peek().is_none() {
            // A lint says that it is not told.
            return true;
        }
        near.any(|told| {
            // One key lost, what is told is a list of one object: the way ends at the list, and goes on in the attribute.
            let is_all = told.steps.is_empty() || attributes.clone().next().is_none();
            let is_attribute = match told.path == path && !is_all {
                true => attributes.clone().take(told.steps.len()).eq(&told.steps),
                false => before.steps.iter().all(|step| match &step.kind {
                    StepKind::Attr(name) => told.each.get(name).is_none_or(|text| {
                        text.ends_with(&format!(".{name}")) || text.ends_with(&format!("[\"{name}\"]"))
                    }),
                    _ => true,
                }),
            };
            told.item == item && is_attribute
        })
    }
}

/// Goes through a document.
struct Walk<'w> {
    file: &'w ConfigFile,
    block: &'w Block,
    start: usize,
    found: &'w mut Vec<Told>,
}

impl Walk<'_> {
    fn expr(&mut self, expr: &Expression, path: &mut Vec<String>) {
        match expr {
            Expression::FuncCall(call) if call.name.name.as_str() == "jsonencode" => {
                if let Some(argument) = call.args.iter().next() {
                    self.expr(argument, path);
                }
            }
            Expression::Object(members) => {
                for (key, value) in members {
                    let name = match key {
                        ObjectKey::Ident(name) => name.as_str(),
                        ObjectKey::Expression(Expression::String(name)) => name.as_str(),
                        ObjectKey::Expression(_) => continue,
                    };
                    // The halves are not part of the way.
                    let is_half = path.is_empty() && matches!(name, "public" | "private");
                    if !is_half {
                        path.push(name.to_owned());
                    }
                    self.expr(value.expr(), path);
                    if !is_half {
                        path.pop();
                    }
                }
            }
            other => self.value(other, path),
        }
    }

    fn value(&mut self, expr: &Expression, path: &[String]) {
        let Some(span) = expr.span().map(|span| self.placed(&span)) else {
            return;
        };
        let each = match expr {
            Expression::ForExpr(found) => match &found.value_expr {
                Expression::Object(members) => {
                    let members = members.iter().filter_map(|(key, value)| match key {
                        ObjectKey::Ident(name) => {
                            let span = self.placed(&value.expr().span()?);
                            Some((name.as_str().to_owned(), self.file.text(&span).trim().to_owned()))
                        }
                        ObjectKey::Expression(_) => None,
                    });
                    members.collect()
                }
                _ => BTreeMap::new(),
            },
            _ => BTreeMap::new(),
        };
        for reference in self.block.references_in(&span) {
            let Some(item) = access::item_of(&reference.target) else {
                continue;
            };
            let steps = reference.steps.iter().filter_map(|step| match &step.kind {
                StepKind::Attr(name) => Some(name.clone()),
                _ => None,
            });
            self.found.push(Told {
                path: path.to_vec(),
                item,
                steps: steps.collect(),
                each: each.clone(),
            });
        }
    }

    fn placed(&self, span: &Span) -> Span {
        self.start + span.start..self.start + span.end
    }
}
