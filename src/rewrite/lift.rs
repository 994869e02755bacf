//! Blocks lifted out of a called module to the root: `module.services.aws_sqs_queue.orders` → `aws_sqs_queue.orders`.
//!
//! The monolith is changed first, as text and in memory, into one in which the block is at the root: `var.x` has become
//! the caller's argument, locals, data sources and modules without objects have come along, and what is left of the
//! module gets what it read of the block as a new argument. That monolith is then cut like any other.

mod bring;
mod dissolve;
mod overlay;
mod remainder;

use std::collections::{BTreeMap, BTreeSet};

use self::bring::Bringer;
pub(super) use self::overlay::Overlay;

use super::Input;
use super::align::aligned;
use super::splice::{Edit, apply};
use super::text;
use crate::address::{InstanceKey, ModuleAddr, ModuleInstanceAddr, ResourceInstanceAddr, ResourceMode};
use crate::config::{CallTarget, Configuration, Item, Mode, Module, Reference};
use crate::diagnostic::Diagnostic;
use crate::moves::{self, Changes, StateInput};
use crate::plan::Assignment;
use crate::state::Snapshot;

/// A monolith with blocks lifted out of its modules.
pub(super) struct Lifted<'a> {
    /// Its code.
    pub configuration: Configuration,
    /// Its files.
    pub tree: Overlay<'a>,
    /// Their paths.
    pub paths: BTreeSet<String>,
    /// Its state.
    pub snapshot: Snapshot,
    /// Who gets what of it.
    pub assignment: Assignment,
}

/// One block to be lifted out of one module instance.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Wanted {
    /// The call.
    call: String,
    /// Its key.
    key: Option<InstanceKey>,
    /// The block in the module.
    item: Item,
}

/// Where a lifted block is at the root, and its instances.
struct Place {
    item: Item,
    instances: Vec<ResourceInstanceAddr>,
}

/// Lifts what the assignment takes out of modules; none where it takes nothing so.
pub(super) fn lifted<'a>(input: &Input<'a>) -> Result<Option<Lifted<'a>>, Vec<Diagnostic>> {
    let wanted = wanted(input)?;
    if wanted.is_empty() {
        return Ok(None);
    }
    let mut faults = Vec::new();
    let mut lift = Lift {
        input,
        wanted: &wanted,
        root_edits: BTreeMap::new(),
        root_additions: BTreeMap::new(),
        files: BTreeMap::new(),
        taken: root_names(input),
    };
    let calls: BTreeSet<&String> = wanted.keys().map(|wanted| &wanted.call).collect();
    for call in calls {
        if let Err(fault) = lift.call(call) {
            faults.push(*fault);
        }
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    lift.root_files();
    let tree = Overlay {
        base: input.tree,
        files: lift.files,
    };
    let configuration = Configuration::load(&tree, input.options).map_err(|error| {
        vec![Diagnostic::error(format!(
            "a block cannot be lifted out of its module: {error}"
        ))]
    })?;
    let mut paths = input.paths.clone();
    paths.extend(tree.files.keys().cloned());
    let (snapshot, assignment) = states(input, &wanted)?;
    Ok(Some(Lifted {
        configuration,
        tree,
        paths,
        snapshot,
        assignment,
    }))
}

/// Finds the blocks that move from a module to the root, and the names they get there.
fn wanted(input: &Input<'_>) -> Result<BTreeMap<Wanted, Place>, Vec<Diagnostic>> {
    let mut found: BTreeMap<Wanted, Place> = BTreeMap::new();
    let mut taken: BTreeSet<Item> = input
        .configuration
        .root()
        .source
        .items()
        .map(|(item, _)| item.clone())
        .collect();
    let mut faults = Vec::new();
    for instance in input
        .assignment
        .instances
        .iter()
        .filter(|found| found.giver == *input.source)
    {
        let steps = &instance.from.resource.module.0;
        let is_lifted = !steps.is_empty()
            && instance.to.resource.module.0.is_empty()
            && instance.from.resource.mode == ResourceMode::Managed;
        if !is_lifted {
            continue;
        }
        let [step] = &steps[..] else {
            let message = format!(
                "`{}` is in a module of a module: only blocks of modules that the root module calls can be lifted out",
                instance.from
            );
            faults.push(
                Diagnostic::error(message)
                    .note("nothing was written")
                    .hint("take the outer module as a whole, or move the block out in the monolith first"),
            );
            continue;
        };
        let wanted = Wanted {
            call: step.name.clone(),
            key: step.key.clone(),
            item: Item::from(&instance.from.resource.config()),
        };
        let place = found.entry(wanted).or_insert_with(|| {
            let wanted = Item::from(&instance.to.resource.config());
            let item = free_item(&taken, &wanted);
            taken.insert(item.clone());
            Place {
                item,
                instances: Vec::new(),
            }
        });
        place.instances.push(instance.from.clone());
    }
    match faults.is_empty() {
        true => Ok(found),
        false => Err(faults),
    }
}

fn free_item(taken: &BTreeSet<Item>, wanted: &Item) -> Item {
    let Item::Resource {
        mode,
        type_name,
        name,
    } = wanted
    else {
        return wanted.clone();
    };
    let numbered = (2..).map(|number| format!("{name}_{number}"));
    std::iter::once(name.clone())
        .chain(numbered)
        .map(|name| Item::Resource {
            mode: *mode,
            type_name: type_name.clone(),
            name,
        })
        .find(|item| !taken.contains(item))
        .expect("there is always a next number")
}

fn root_names(input: &Input<'_>) -> BTreeSet<String> {
    let items = input.configuration.root().source.items();
    let names = items.filter_map(|(item, _)| match item {
        Item::Local(name) | Item::Module(name) => Some(name.clone()),
        Item::Resource {
            mode: Mode::Data,
            name,
            ..
        } => Some(name.clone()),
        _ => None,
    });
    names.collect()
}

type Fault = Box<Diagnostic>;

struct Lift<'l, 'a> {
    input: &'l Input<'a>,
    wanted: &'l BTreeMap<Wanted, Place>,
    /// Edits of the root module's files, by position.
    root_edits: BTreeMap<usize, Vec<Edit>>,
    /// Text added to files of the root module, by name.
    root_additions: BTreeMap<String, String>,
    /// Files that are new or replaced.
    files: BTreeMap<String, Vec<u8>>,
    /// Names of locals, modules and data sources at the root.
    taken: BTreeSet<String>,
}

impl Lift<'_, '_> {
    fn refuse(
        &self,
        module: &Module,
        place: Option<(&Item, &Reference)>,
        message: String,
        hint: &str,
    ) -> Fault {
        let mut fault = Diagnostic::error(message).note("nothing was written").hint(hint);
        if let Some((item, reference)) = place
            && let Some(piece) = module.source.declarations(item).first()
        {
            let (file, _) = module.source.block(piece.block);
            fault = fault.at(&file.source, reference.span.clone());
        }
        Box::new(fault)
    }

    /// Lifts everything that is wanted of one call.
    fn call(&mut self, call: &str) -> Result<(), Fault> {
        let address = ModuleAddr(vec![call.to_owned()]);
        let root = self.input.configuration.root();
        let module = self.input.configuration.module(&address);
        let (Some(module), Some(CallTarget::Local(dir))) =
            (module, root.calls.get(call).map(|found| &found.target))
        else {
            let message = format!(
                "module call `{call}` is not a module of this repository: its blocks cannot be lifted out"
            );
            return Err(self.refuse(root, None, message, "take the module as a whole"));
        };
        let lifted: BTreeSet<&Item> = self
            .wanted
            .keys()
            .filter(|w| w.call == call)
            .map(|w| &w.item)
            .collect();
        let keys: BTreeSet<Option<InstanceKey>> = self
            .wanted
            .keys()
            .filter(|w| w.call == call)
            .map(|w| w.key.clone())
            .collect();
        let dissolved = self.dissolved(call, &keys);
        if !dissolved {
            self.complete(call, &lifted, root)?;
        }
        let mut outputs = BTreeMap::new();
        for key in &keys {
            let mut taken = std::mem::take(&mut self.taken);
            let mut bringer = Bringer::new(self.input, module, call, key.clone(), &mut taken, &mut outputs);
            for (wanted, place) in self
                .wanted
                .iter()
                .filter(|(w, _)| w.call == call && w.key == *key)
            {
                bringer.lift(&wanted.item, &place.item, self.wanted)?;
            }
            let mut edits = Vec::new();
            if let (true, Some(key)) = (dissolved, key) {
                edits = self.readers(call, key, &mut bringer)?;
            }
            for (file, text) in bringer.finish()? {
                let all = self.root_additions.entry(file).or_default();
                all.push('\n');
                all.push_str(&text);
            }
            for (file, edit) in edits {
                self.root_edits.entry(file).or_default().push(edit);
            }
            self.taken = taken;
        }
        if dissolved {
            return self.without_keys(call, &keys, root);
        }
        let dir = self.own_dir(call, dir);
        self.module_without(call, module, &dir, &lifted, &outputs)
    }

    /// Every instance of a lifted block must go: the module's code is one for all of them.
    fn complete(&self, call: &str, lifted: &BTreeSet<&Item>, root: &Module) -> Result<(), Fault> {
        for resource in self.input.snapshot.resources() {
            let address = resource.addr();
            let is_inside = address.mode == ResourceMode::Managed
                && address.module.0.len() == 1
                && address.module.0[0].name == call;
            let item = Item::from(&address.config());
            if !is_inside || !lifted.contains(&item) {
                continue;
            }
            for instance in resource.instances() {
                let from = instance.addr();
                let goes = self.wanted.values().any(|place| place.instances.contains(&from));
                if !goes {
                    let message = format!(
                        "`{from}` stays in its module, while others of {} leave it",
                        item.describe()
                    );
                    let hint = "take them all out, or take whole instances of the module";
                    return Err(self.refuse(root, None, message, hint));
                }
            }
        }
        Ok(())
    }

    /// Returns the directory of the module; a copy where other calls use the same one.
    fn own_dir(&mut self, call: &str, dir: &str) -> String {
        let is_shared = self
            .input
            .configuration
            .modules()
            .any(|other| other.source.dir == dir && other.address.0 != [call.to_owned()]);
        if !is_shared {
            return dir.to_owned();
        }
        let copy = (1..)
            .map(|number| match number {
                1 => format!("{dir}_{call}"),
                number => format!("{dir}_{call}_{number}"),
            })
            .find(|copy| super::emit::below(self.input.paths, copy).next().is_none())
            .expect("there is always a next number");
        for path in super::emit::below(self.input.paths, dir) {
            if let Ok(Some(bytes)) = self.input.tree.read(path) {
                self.files.insert(format!("{copy}{}", &path[dir.len()..]), bytes);
            }
        }
        let root = &self.input.configuration.root().source;
        if let Some((file, source)) = root.attribute(&Item::Module(call.to_owned()), "source") {
            let number = root
                .files
                .iter()
                .position(|known| std::ptr::eq(known, file))
                .unwrap_or_default();
            let new = if copy.starts_with("../") {
                copy.clone()
            } else {
                format!("./{copy}")
            };
            let edits = self.root_edits.entry(number).or_default();
            edits.push(Edit::new(source.value.clone(), text::quote(&new)));
        }
        copy
    }

    /// Writes the files of the root module.
    fn root_files(&mut self) {
        let root = &self.input.configuration.root().source;
        for (number, file) in root.files.iter().enumerate() {
            let source = &file.source.text;
            let edits = self.root_edits.get(&number).map_or(&[][..], Vec::as_slice);
            let added = self.root_additions.remove(&file.name);
            if edits.is_empty() && added.is_none() {
                continue;
            }
            let mut text = apply(source, &(0..source.len()), edits);
            text.push_str(added.as_deref().unwrap_or(""));
            let text = if aligned(source) == *source {
                aligned(&text)
            } else {
                text
            };
            self.files.insert(file.name.clone(), text.into_bytes());
        }
        for (name, text) in std::mem::take(&mut self.root_additions) {
            let text = text.trim_start_matches('\n').to_owned();
            self.files.insert(name, aligned(&text).into_bytes());
        }
    }
}

fn told_name(item: &Item) -> String {
    match item {
        Item::Resource { type_name, name, .. } => format!("{}_{name}", super::naming::short(type_name)),
        _ => String::new(),
    }
}

fn free(taken: &BTreeSet<String>, wanted: &str) -> String {
    let numbered = (2..).map(|number| format!("{wanted}_{number}"));
    std::iter::once(wanted.to_owned())
        .chain(numbered)
        .find(|name| !taken.contains(name))
        .expect("there is always a next number")
}

/// Moves the instances of lifted blocks to the root, in the state and in the assignment.
fn states(
    input: &Input<'_>,
    wanted: &BTreeMap<Wanted, Place>,
) -> Result<(Snapshot, Assignment), Vec<Diagnostic>> {
    let mut changes = Changes::default();
    let mut assignment = input.assignment.clone();
    let mut new: BTreeMap<&ResourceInstanceAddr, ResourceInstanceAddr> = BTreeMap::new();
    for place in wanted.values() {
        for from in &place.instances {
            let mut to = from.clone();
            to.resource.module = ModuleInstanceAddr::root();
            if let Item::Resource { type_name, name, .. } = &place.item {
                to.resource.type_name.clone_from(type_name);
                to.resource.name.clone_from(name);
            }
            changes.instances.push(moves::InstanceMove {
                from: moves::At::new(input.source.clone(), from.clone()),
                to: moves::At::new(input.source.clone(), to.clone()),
                provider: moves::ProviderChoice::Auto,
            });
            new.insert(from, to);
        }
    }
    for instance in &mut assignment.instances {
        if let Some(to) = new.get(&instance.from) {
            instance.from = to.clone();
        }
    }
    let before = BTreeMap::from([(input.source.clone(), StateInput::Existing(input.snapshot))]);
    let fault = |error: String| vec![Diagnostic::error(error).note("nothing was written")];
    let outcome = moves::apply(&before, &changes).map_err(|error| fault(error.to_string()))?;
    let conserved = moves::conserve(&before, &changes, outcome).map_err(|error| fault(error.to_string()))?;
    let after = conserved
        .states
        .iter()
        .find_map(|(_, outcome)| outcome.written().cloned());
    Ok((after.unwrap_or_else(|| input.snapshot.clone()), assignment))
}
