//! Finding where in the originals a value stands.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::{Piece, Pointer, Recipe, Step, attributes};
use crate::address::ResourceInstanceAddr;
use crate::contract::value::Value;
use crate::stack::StateId;
use crate::state::Snapshot;

/// The shortest text that is looked for inside of others; shorter ones stand everywhere.
const SHORTEST: usize = 6;

/// The longest text that is taken apart; a longer one that stands nowhere as a whole is not told.
const LONGEST: usize = 8192;

/// An object, and the way to a value in it.
type Place = (usize, Vec<Step>);

/// Every value of the originals, with the first place at which it stands.
pub(super) struct Finder {
    objects: Vec<(StateId, ResourceInstanceAddr)>,
    /// By their JSON.
    values: HashMap<String, Place>,
    /// Texts that are looked for inside of others.
    texts: HashMap<String, Place>,
    /// The lengths of those, in bytes.
    lengths: BTreeSet<usize>,
}

impl Finder {
    pub(super) fn new(originals: &BTreeMap<StateId, &Snapshot>) -> Self {
        let mut finder = Self {
            objects: Vec::new(),
            values: HashMap::new(),
            texts: HashMap::new(),
            lengths: BTreeSet::new(),
        };
        for (state, snapshot) in originals {
            for object in snapshot.instances().filter(|object| object.deposed().is_none()) {
                let Some(attributes) = attributes(object) else {
                    continue;
                };
                finder.objects.push((state.clone(), object.addr()));
                finder.learn(&attributes, &mut Vec::new());
            }
        }
        finder
    }

    fn learn(&mut self, value: &Value, path: &mut Vec<Step>) {
        if is_bare(value) {
            return;
        }
        let object = self.objects.len() - 1;
        if !path.is_empty() {
            let place = || (object, path.clone());
            if let Value::String(text) = value
                && (SHORTEST..=LONGEST).contains(&text.len())
                && !self.texts.contains_key(text)
            {
                self.lengths.insert(text.len());
                self.texts.insert(text.clone(), place());
            }
            self.values.entry(value.to_json()).or_insert_with(place);
        }
        match value {
            Value::Object(members) => {
                for (name, member) in members {
                    path.push(Step::Name(name.clone()));
                    self.learn(member, path);
                    path.pop();
                }
            }
            Value::List(elements) => {
                for (index, element) in elements.iter().enumerate() {
                    path.push(Step::Index(index));
                    self.learn(element, path);
                    path.pop();
                }
            }
            _ => {}
        }
    }

    fn pointer(&self, (object, path): &Place) -> Pointer {
        let (state, address) = &self.objects[*object];
        Pointer {
            state: state.clone(),
            address: address.clone(),
            path: path.clone(),
        }
    }

    /// Tells how a value is made; none where a secret would have to be spelled.
    pub(super) fn recipe(&self, value: &Value, secret: bool) -> Option<Recipe> {
        if !is_bare(value)
            && let Some(place) = self.values.get(&value.to_json())
        {
            return Some(Recipe::At(self.pointer(place)));
        }
        Some(match value {
            Value::Null | Value::Bool(_) => Recipe::Plain(value.to_json()),
            Value::Number(_) if secret => return None,
            Value::Number(number) => Recipe::Plain(number.clone()),
            Value::String(text) if text.is_empty() => Recipe::Text(Vec::new()),
            Value::String(_) if secret => return None,
            Value::String(text) => Recipe::Text(self.pieces(text)?),
            Value::List(items) => {
                let items = items.iter().map(|item| self.recipe(item, secret));
                Recipe::List(items.collect::<Option<_>>()?)
            }
            Value::Object(members) => {
                let members = members
                    .iter()
                    .map(|(name, member)| Some((name.clone(), self.recipe(member, secret)?)));
                Recipe::Object(members.collect::<Option<_>>()?)
            }
        })
    }

    /// Takes a text apart: what stands in an original is pointed at, the longest first.
    fn pieces(&self, text: &str) -> Option<Vec<Piece>> {
        if text.len() > LONGEST {
            return None;
        }
        let mut pieces = Vec::new();
        self.take_apart(text, &mut pieces);
        Some(pieces)
    }

    fn take_apart(&self, text: &str, pieces: &mut Vec<Piece>) {
        if text.is_empty() {
            return;
        }
        for &length in self.lengths.range(..=text.len()).rev() {
            for start in 0..=text.len() - length {
                let Some(place) = text
                    .get(start..start + length)
                    .and_then(|part| self.texts.get(part))
                else {
                    continue;
                };
                self.take_apart(&text[..start], pieces);
                pieces.push(Piece::At(self.pointer(place)));
                self.take_apart(&text[start + length..], pieces);
                return;
            }
        }
        pieces.push(Piece::Literal(text.to_owned()));
    }
}

/// Tells whether a value says nothing, so that pointing at it would say more.
fn is_bare(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(_) => true,
        Value::Number(_) => false,
        Value::String(text) => text.is_empty(),
        Value::List(elements) => elements.is_empty(),
        Value::Object(members) => members.is_empty(),
    }
}
