//! Blocks lifted out of a called module to the root: `module.services.aws_sqs_queue.orders` → `aws_sqs_queue.orders`.
//!
//! The monolith is changed first, as text and in memory, into one in which the block is at the root: `var.x` has become
//! the caller's argument, locals, data sources and modules without objects have come along, and what is left of the
//! module gets what it read of the block as a new argument. That monolith is then cut like any other.

mod bring;
mod dissolve;
mod overlay;
mod remainder;
mod states;
mod wanted;

use std::collections::{BTreeMap, BTreeSet};

use self::bring::Bringer;
pub(super) use self::overlay::Overlay;
use self::wanted::{Place, Wanted};
use super::align::{aligned, aligned_as};
use super::naming::free;
use super::paths::below;
use super::splice::{Edit, apply};
use super::{Input, text};
use crate::address::{InstanceKey, ModuleAddr, ResourceMode};
use crate::config::{CallTarget, Configuration, Item, Mode, Module, Reference};
use crate::diagnostic::Diagnostic;
use crate::plan::Assignment;
use crate::state::Snapshot;

/// A monolith with blocks lifted out of its modules.
pub(super) struct Lifted<'a> {
    /// Its code as it is read.
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

/// Lifts what the assignment takes out of modules; none where it takes nothing so.
pub(super) fn lifted<'a>(input: &Input<'a>) -> Result<Option<Lifted<'a>>, Vec<Diagnostic>> {
    let wanted = wanted::wanted(input)?;
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
        base: input.code.tree,
        files: lift.files,
    };
    let configuration = Configuration::load(&tree, input.code.options).map_err(|error| {
        vec![Diagnostic::error(format!(
            "a block cannot be lifted out of its module: {error}"
        ))]
    })?;
    let mut paths = input.code.paths.clone();
    paths.extend(tree.files.keys().cloned());
    let (snapshot, assignment) = states::at_the_root(input, &wanted)?;
    Ok(Some(Lifted {
        configuration,
        tree,
        paths,
        snapshot,
        assignment,
    }))
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
        let code = &self.input.code;
        let copy = free(&format!("{dir}_{call}"), |copy| {
            below(code.paths, copy).next().is_some()
        });
        for path in below(code.paths, dir) {
            if let Ok(Some(bytes)) = code.tree.read(path) {
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
            let edits = self.root_edits.entry(number).or_default();
            edits.push(Edit::new(source.value.clone(), text::quote(&source_of(&copy))));
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
            let text = aligned_as(source, text);
            self.files.insert(file.name.clone(), text.into_bytes());
        }
        for (name, text) in std::mem::take(&mut self.root_additions) {
            let text = text.trim_start_matches('\n').to_owned();
            self.files.insert(name, aligned(&text).into_bytes());
        }
    }
}

/// Returns the `source` with which the root module calls the module in a directory.
fn source_of(dir: &str) -> String {
    match dir.starts_with("../") {
        true => dir.to_owned(),
        false => format!("./{dir}"),
    }
}

fn told_name(item: &Item) -> String {
    match item {
        Item::Resource { type_name, name, .. } => format!("{}_{name}", super::naming::short(type_name)),
        _ => String::new(),
    }
}
