//! What each state's code consists of, and what it reads from the others.

mod providers;

use std::collections::{BTreeMap, BTreeSet};

use super::Input;
use super::access::{self, Access, EachValue, Scope, Taken};
use super::ownership::{Form, Owned, Ownership, Repetition};
use super::{each, uses};
use crate::address::InstanceKey;
use crate::config::{BlockId, ConfigFile, Item, Mode, Reference, Role};
use crate::diagnostic::Diagnostic;
use crate::stack::StateId;

/// One place that reads something of another state.
#[derive(Clone, Debug)]
pub(super) struct Reading {
    /// Who reads.
    pub consumer: StateId,
    /// What it takes.
    pub taken: Taken,
    /// Where: file and span in the monolith.
    pub block: BlockId,
    /// The bytes.
    pub span: std::ops::Range<usize>,
}

/// What a state's code consists of.
#[derive(Clone, Debug, Default)]
pub(super) struct Members {
    /// Everything that stands in its code.
    pub items: BTreeSet<Item>,
    /// Instances put together from several states: item → keys asked for (none: all).
    pub views: BTreeMap<Item, BTreeSet<Option<BTreeSet<InstanceKey>>>>,
    /// The states whose contracts it reads.
    pub upstreams: BTreeSet<StateId>,
}

/// The whole analysis.
pub(super) struct Cut<'a> {
    /// What it is made from.
    pub input: &'a Input<'a>,
    /// Who has what.
    pub ownership: Ownership,
    /// Every state that gets code.
    pub members: BTreeMap<StateId, Members>,
    /// What is read of what: producer and item → places.
    pub readings: BTreeMap<(StateId, Item), Vec<Reading>>,
    /// Outputs and checks that follow what they name.
    pub followers: BTreeMap<Item, StateId>,
    /// Worth knowing.
    pub warnings: Vec<Diagnostic>,
    /// What stops.
    pub faults: Vec<Diagnostic>,
}

impl<'a> Cut<'a> {
    /// Analyses the cut.
    pub fn new(input: &'a Input<'a>, ownership: Ownership, states: &[StateId]) -> Self {
        let mut cut = Self {
            input,
            ownership,
            members: BTreeMap::new(),
            readings: BTreeMap::new(),
            followers: BTreeMap::new(),
            warnings: Vec::new(),
            faults: Vec::new(),
        };
        cut.followers = cut.followers();
        for state in states {
            let start = cut.start(state);
            cut.close(state, Members::default(), start);
        }
        cut.store_providers(states);
        cut
    }

    /// Returns a file of the root module.
    pub fn file(&self, block: BlockId) -> &'a ConfigFile {
        self.input.configuration.root().source.block(block).0
    }

    /// Returns the part that a state has of an item.
    pub fn part(&self, state: &StateId, item: &Item) -> Option<(&Owned, &super::ownership::Part)> {
        let owned = self.ownership.get(item)?;
        Some((owned, owned.parts.get(state)?))
    }

    /// Decides which outputs and checks leave the monolith: those the plan file names, and those that name what one
    /// other state has alone.
    fn followers(&self) -> BTreeMap<Item, StateId> {
        let root = &self.input.configuration.root().source;
        let named = |name: &str| {
            let outputs = &self.input.assignment.outputs;
            outputs
                .iter()
                .find(|output| output.name == name && output.giver == *self.input.source)
        };
        let mut followers = BTreeMap::new();
        for (item, _) in root.items() {
            let taker = match item {
                Item::Output(name) => match named(name) {
                    Some(output) => Some(output.taker.clone()),
                    None => self.sole_owner(item),
                },
                Item::Check(_) => self.sole_owner(item),
                _ => None,
            };
            if let Some(taker) = taker.filter(|taker| taker != self.input.source) {
                followers.insert(item.clone(), taker);
            }
        }
        followers
    }

    /// Returns the state that alone has everything an item depends on.
    fn sole_owner(&self, item: &Item) -> Option<StateId> {
        let mut owners = BTreeSet::new();
        let mut seen = BTreeSet::from([item.clone()]);
        let mut queue = vec![item.clone()];
        let root = &self.input.configuration.root().source;
        while let Some(at) = queue.pop() {
            for (block, reference) in root.references(&at) {
                let Some(target) = access::item_of(&reference.target) else {
                    continue;
                };
                match self.ownership.get(&target) {
                    Some(owned) => {
                        let scope = Scope::default();
                        let file = self.file(block);
                        let nobody = self.input.source;
                        let access =
                            access::access(&self.ownership, nobody, &target, file, reference, &scope);
                        match access {
                            Access::Remote { owner, .. } => owners.insert(owner),
                            Access::View { keys } => {
                                owners.extend(access::owners(owned, keys.as_ref()).into_iter().cloned());
                                true
                            }
                            Access::Same | Access::Own { .. } => owners.insert(self.input.source.clone()),
                        };
                    }
                    None if seen.insert(target.clone()) => queue.push(target),
                    None => {}
                }
            }
        }
        match owners.len() {
            1 => owners.pop_first(),
            _ => None,
        }
    }

    /// Returns what a state's code starts from.
    fn start(&self, state: &StateId) -> Vec<Item> {
        let root = &self.input.configuration.root().source;
        let mut start = Vec::new();
        for (item, owned) in &self.ownership {
            if owned.parts.contains_key(state) {
                start.push(item.clone());
            }
        }
        for (item, follower) in &self.followers {
            if follower == state {
                start.push(item.clone());
            }
        }
        if state == self.input.source {
            let named: BTreeSet<Item> = root
                .items()
                .flat_map(|(item, _)| root.references(item))
                .filter_map(|(_, reference)| access::item_of(&reference.target))
                .collect();
            for (item, _) in root.items() {
                let unused = access::is_copied(&self.ownership, item) && !named.contains(item);
                let stays =
                    matches!(item, Item::Output(_) | Item::Check(_)) && !self.followers.contains_key(item);
                if unused || stays {
                    start.push(item.clone());
                }
            }
        }
        start.extend(self.exported(state));
        start.push(Item::Terraform);
        start
    }

    /// Returns what the plan file's `export` blocks of a stack name and is copied.
    fn exported(&self, state: &StateId) -> Vec<Item> {
        let StateId::Stack(name) = state else {
            return Vec::new();
        };
        let exports = self
            .input
            .plan
            .stack(name)
            .map_or(&[][..], |stack| &stack.exports);
        exports
            .iter()
            .flat_map(|export| &export.references)
            .filter_map(|reference| item_named(&reference.root))
            .filter(|item| access::is_copied(&self.ownership, item))
            .collect()
    }

    fn close(&mut self, state: &StateId, mut members: Members, start: Vec<Item>) {
        let mut queue = start;
        while let Some(item) = queue.pop() {
            if self
                .input
                .configuration
                .root()
                .source
                .declarations(&item)
                .is_empty()
                || !members.items.insert(item.clone())
            {
                continue;
            }
            queue.extend(self.providers_of(&item));
            for (block, reference, scope) in self.live(state, &item) {
                self.follow(state, block, reference, &scope, &mut members, &mut queue);
            }
        }
        self.members.insert(state.clone(), members);
    }

    /// Looks at one reference that counts in a state.
    fn follow(
        &mut self,
        state: &StateId,
        block: BlockId,
        reference: &Reference,
        scope: &Scope,
        members: &mut Members,
        queue: &mut Vec<Item>,
    ) {
        let Some(target) = access::item_of(&reference.target) else {
            return;
        };
        if access::is_copied(&self.ownership, &target) {
            queue.push(target);
            return;
        }
        let file = self.file(block);
        let access = access::access(&self.ownership, state, &target, file, reference, scope);
        let owners: Vec<StateId> = match &access {
            Access::Same | Access::Own { .. } => return,
            Access::Remote { owner, .. } => vec![owner.clone()],
            Access::View { keys } => {
                let owned = &self.ownership[&target];
                access::owners(owned, keys.as_ref())
                    .into_iter()
                    .cloned()
                    .collect()
            }
        };
        if reference.place.role == Role::DependsOn {
            return;
        }
        let is_elsewhere = owners.iter().any(|owner| owner != state);
        if let Some((message, hint)) = cannot_cross(reference.place.role, is_elsewhere) {
            self.refuse(state, block, reference, message, hint);
            return;
        }
        if let Access::View { keys } = access {
            members.views.entry(target.clone()).or_default().insert(keys);
        }
        let owned = &self.ownership[&target];
        let taken = match access::taken(owned, reference) {
            Some(taken) => BTreeSet::from([taken]),
            None => uses::taken(
                file,
                self.input.configuration.root().source.block(block).1,
                reference,
                owned.repetition != Repetition::None,
            ),
        };
        for owner in owners.into_iter().filter(|owner| owner != state) {
            members.upstreams.insert(owner.clone());
            let readings = self.readings.entry((owner, target.clone())).or_default();
            let reading = |taken: &Taken| Reading {
                consumer: state.clone(),
                taken: taken.clone(),
                block,
                span: reference.span.clone(),
            };
            readings.extend(taken.iter().map(reading));
        }
    }

    fn refuse(&mut self, state: &StateId, block: BlockId, reference: &Reference, message: &str, hint: &str) {
        let file = self.file(block);
        let found = Diagnostic::error(message)
            .at(&file.source, reference.span.clone())
            .note(format!("this block goes to `{state}`; nothing was written"))
            .hint(hint);
        self.faults.push(found);
    }

    /// Returns the references of an item that count in a state, each with the block around it.
    pub fn live(&self, state: &StateId, item: &Item) -> Vec<(BlockId, &'a Reference, Scope)> {
        let root = &self.input.configuration.root().source;
        let scope = self.scope(state, item);
        let references = root.references(item);
        let Some(_) = &scope.single else {
            let gone = self.gone(state, item);
            let is_gone = |block: BlockId, reference: &Reference| {
                let mut spans = gone.iter();
                spans.any(|(file, span)| *file == block.file && span.contains(&reference.span.start))
            };
            return references
                .into_iter()
                .filter(|(block, found)| !is_gone(*block, found))
                .map(|(block, found)| (block, found, scope.clone()))
                .collect();
        };
        let repeats = |reference: &&Reference| matches!(&*reference.place.path, "for_each" | "count");
        let body = references.iter().filter(|(_, reference)| !repeats(reference));
        let needs_value = body
            .clone()
            .any(|(_, reference)| reference.target == crate::config::Target::EachValue);
        let mut live: Vec<(BlockId, &Reference, Scope)> = body
            .map(|(block, reference)| (*block, *reference, scope.clone()))
            .collect();
        if let (true, Some(EachValue::Expression { span, file, .. })) = (needs_value, &scope.value) {
            let within = references.iter().filter(|(block, reference)| {
                block.file == *file && span.start <= reference.span.start && reference.span.end <= span.end
            });
            live.extend(within.map(|(block, reference)| (*block, *reference, Scope::default())));
        }
        live
    }

    /// Returns what a state leaves out of an item's repetition: file and span.
    fn gone(&self, state: &StateId, item: &Item) -> Vec<(usize, std::ops::Range<usize>)> {
        let root = &self.input.configuration.root().source;
        let merged = root.merged(item);
        let repeats = merged
            .attributes
            .iter()
            .find(|(_, argument)| argument.name == "for_each");
        match (self.part(state, item).map(|(_, part)| &part.form), repeats) {
            (Some(Form::Only(keys)), Some((block, argument))) => {
                let others = each::other_members(self.file(*block), &argument.value, keys);
                others.into_iter().map(|span| (block.file, span)).collect()
            }
            _ => Vec::new(),
        }
    }

    /// Returns what holds for references in an item's block in a state.
    pub fn scope(&self, state: &StateId, item: &Item) -> Scope {
        let Some((owned, part)) = self.part(state, item) else {
            return Scope::default();
        };
        match &part.form {
            Form::Single(key) => Scope {
                single: Some(key.clone()),
                keys: Vec::new(),
                value: (owned.repetition == Repetition::ForEach)
                    .then(|| each::value(self.input, item, key))
                    .flatten(),
            },
            Form::AsIs | Form::Only(_) => Scope {
                single: None,
                keys: part.keys.clone(),
                value: None,
            },
        }
    }
}

/// Reads the root of a reference as an item: `aws_sqs_queue.orders`, `data.aws_region.current`, `module.vpc`, `local.x`.
pub(super) fn item_named(root: &str) -> Option<Item> {
    let parts: Vec<&str> = root.split('.').collect();
    let resource = |mode, type_name: &str, name: &str| Item::Resource {
        mode,
        type_name: type_name.to_owned(),
        name: name.to_owned(),
    };
    match parts[..] {
        ["module", name] => Some(Item::Module(name.to_owned())),
        ["local", name] => Some(Item::Local(name.to_owned())),
        ["var", name] => Some(Item::Variable(name.to_owned())),
        ["data", type_name, name] => Some(resource(Mode::Data, type_name, name)),
        ["ephemeral", type_name, name] => Some(resource(Mode::Ephemeral, type_name, name)),
        [type_name, name] => Some(resource(Mode::Managed, type_name, name)),
        _ => None,
    }
}

/// Returns why a reference in this role cannot be replaced by a value, and what helps.
fn cannot_cross(role: Role, is_elsewhere: bool) -> Option<(&'static str, &'static str)> {
    match role {
        Role::ReplaceTriggeredBy if is_elsewhere => Some((
            "`replace_triggered_by` cannot reach into another state",
            "take both into one stack, or replace the reference by a `terraform_data` whose input is the value \
             that matters (`triggers_replace`), and apply that in the monolith first",
        )),
        Role::DestroyProvisioner if is_elsewhere => Some((
            "a provisioner that runs on destruction cannot read another state",
            "take both into one stack, or store the value in the resource itself (`triggers`, `input`) first",
        )),
        Role::Source => Some((
            "the source of a module cannot depend on another state",
            "write it out",
        )),
        _ => None,
    }
}
