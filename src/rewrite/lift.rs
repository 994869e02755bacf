//! Blocks lifted out of a called module to the root: `module.services.aws_sqs_queue.orders` → `aws_sqs_queue.orders`.
//!
//! The monolith is changed first, as text and in memory, into one in which the block is at the root: `var.x` has become
//! the caller's argument, locals, data sources and modules without objects have come along, and what is left of the
//! module gets what it read of the block as a new argument. That monolith is then cut like any other.

mod bring;

use std::collections::{BTreeMap, BTreeSet};

use bring::Bringer;

use super::Input;
use super::align::aligned;
use super::splice::{Edit, Kept, apply, assemble};
use super::text;
use crate::address::{InstanceKey, ModuleAddr, ModuleInstanceAddr, ResourceInstanceAddr, ResourceMode};
use crate::config::{
    CallTarget, Configuration, Item, Mode, Module, Reference, Role, StepKind, Syntax, Target,
};
use crate::diagnostic::Diagnostic;
use crate::moves::{self, Changes, StateInput};
use crate::plan::Assignment;
use crate::source_tree::{SourceError, SourceTree, join};
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

/// A tree of files, some of them replaced.
pub(super) struct Overlay<'a> {
    base: &'a dyn SourceTree,
    files: BTreeMap<String, Vec<u8>>,
}

impl SourceTree for Overlay<'_> {
    fn files(&self, dir: &str) -> Result<Option<Vec<String>>, SourceError> {
        let mut names: BTreeSet<String> = self.base.files(dir)?.into_iter().flatten().collect();
        for path in self.files.keys() {
            let (parent, name) = path.rsplit_once('/').unwrap_or(("", path));
            if parent == dir {
                names.insert(name.to_owned());
            }
        }
        Ok((!names.is_empty()).then(|| names.into_iter().collect()))
    }

    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, SourceError> {
        match self.files.get(path) {
            Some(bytes) => Ok(Some(bytes.clone())),
            None => self.base.read(path),
        }
    }

    fn shown(&self, path: &str) -> String {
        self.base.shown(path)
    }
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

    /// Tells whether nothing is left of the module instances that blocks are lifted out of, while others stay.
    fn dissolved(&self, call: &str, keys: &BTreeSet<Option<InstanceKey>>) -> bool {
        let mut others = false;
        for instance in self.input.snapshot.instances() {
            let address = instance.addr();
            let Some(step) = address.resource.module.0.first().filter(|step| step.name == call) else {
                continue;
            };
            if !keys.contains(&step.key) {
                others = true;
            } else if address.resource.mode == ResourceMode::Managed
                && !self
                    .wanted
                    .values()
                    .any(|place| place.instances.contains(&address))
            {
                return false;
            }
        }
        others
    }

    /// Returns the edits with which the root module reads what a dissolved instance told it.
    fn readers(
        &self,
        call: &str,
        key: &InstanceKey,
        bringer: &mut Bringer<'_, '_>,
    ) -> Result<Vec<(usize, Edit)>, Fault> {
        let mut edits = Vec::new();
        for (id, file, block) in self.input.configuration.root().source.blocks() {
            for reference in &block.references {
                if !matches!(&reference.target, Target::Module { name, .. } if name == call) {
                    continue;
                }
                let steps: Vec<&StepKind> = reference.steps.iter().take(2).map(|step| &step.kind).collect();
                match steps[..] {
                    [StepKind::Index(other), ..] if other != key => {}
                    [StepKind::Index(_), StepKind::Attr(output)] if file.syntax == Syntax::Hcl => {
                        let local = bringer.told(output, self.wanted)?;
                        let span = reference.root.start..reference.steps[1].span.end;
                        edits.push((id.file, Edit::new(span, format!("local.{local}"))));
                    }
                    _ => {
                        let message = format!(
                            "`module.{call}{}` is read here among others, and would be gone",
                            text::index(key)
                        );
                        let fault = Diagnostic::error(message).at(&file.source, reference.span.clone());
                        return Err(Box::new(fault.note("nothing was written").hint(
                            "read single instances by their keys, or take whole instances of the module",
                        )));
                    }
                }
            }
        }
        Ok(edits)
    }

    /// Takes dissolved instances out of the repetition of their call.
    fn without_keys(
        &mut self,
        call: &str,
        keys: &BTreeSet<Option<InstanceKey>>,
        root: &Module,
    ) -> Result<(), Fault> {
        let stay: BTreeSet<InstanceKey> = self
            .input
            .snapshot
            .resources()
            .filter_map(|resource| resource.addr().module.0.first().cloned())
            .filter(|step| step.name == call && !keys.contains(&step.key))
            .filter_map(|step| step.key)
            .collect();
        let item = Item::Module(call.to_owned());
        let Some((file, argument)) = root
            .source
            .attribute(&item, "for_each")
            .filter(|(file, _)| file.syntax == Syntax::Hcl)
        else {
            let message = format!(
                "instances of module call `{call}` would leave it, which is not repeated by `for_each`"
            );
            return Err(self.refuse(root, None, message, "take whole instances of the module"));
        };
        let number = root
            .source
            .files
            .iter()
            .position(|known| std::ptr::eq(known, file))
            .unwrap_or_default();
        let stay: Vec<String> = stay.iter().map(text::literal).collect();
        let (start, end) = (argument.value.start, argument.value.end);
        let edits = self.root_edits.entry(number).or_default();
        edits.push(Edit::new(start..start, "{ for key, value in "));
        edits.push(Edit::new(
            end..end,
            format!(" : key => value if contains([{}], key) }}", stay.join(", ")),
        ));
        Ok(())
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

    /// Writes the module without the lifted blocks: what it read of them it is told by its caller.
    fn module_without(
        &mut self,
        call: &str,
        module: &Module,
        dir: &str,
        lifted: &BTreeSet<&Item>,
        outputs: &BTreeMap<String, String>,
    ) -> Result<(), Fault> {
        let mut told: BTreeMap<&Item, (String, Option<BTreeSet<String>>)> = BTreeMap::new();
        let variables: BTreeSet<String> = module
            .source
            .items()
            .filter_map(|(item, _)| match item {
                Item::Variable(name) => Some(name.clone()),
                _ => None,
            })
            .collect();
        let mut texts: BTreeMap<usize, (Vec<Kept>, usize)> = BTreeMap::new();
        for (id, file, block) in module.source.blocks() {
            let own = block.kind.mode().map(|mode| Item::Resource {
                mode,
                type_name: block.label(0).to_owned(),
                name: block.label(1).to_owned(),
            });
            let is_lifted = own.as_ref().is_some_and(|item| lifted.contains(item));
            let mut edits = Vec::new();
            for reference in block.references.iter().filter(|_| !is_lifted) {
                let Some(item) = super::access::item_of(&reference.target) else {
                    continue;
                };
                let Some(item) = lifted.iter().copied().find(|lifted| **lifted == item) else {
                    continue;
                };
                if matches!(reference.place.role, Role::DependsOn | Role::ReplaceTriggeredBy)
                    || file.syntax == Syntax::Json
                {
                    let message = format!(
                        "the module depends on {} in a way that no argument can replace",
                        item.describe()
                    );
                    let fault = Diagnostic::error(message).at(&file.source, reference.span.clone());
                    return Err(Box::new(
                        fault
                            .note("nothing was written")
                            .hint("take the module as a whole"),
                    ));
                }
                let (name, used) = told
                    .entry(item)
                    .or_insert_with(|| (free(&variables, &told_name(item)), Some(BTreeSet::new())));
                match (reference.steps.first().map(|step| &step.kind), used.as_mut()) {
                    (Some(StepKind::Attr(attribute)), Some(used)) => {
                        used.insert(attribute.clone());
                    }
                    _ => *used = None,
                }
                edits.push(Edit::new(reference.root.clone(), format!("var.{name}")));
            }
            let (kept, _) = texts.entry(id.file).or_default();
            kept.push(Kept {
                full: block.full.clone(),
                edits: (!is_lifted).then_some(edits),
            });
        }
        for (number, (kept, _)) in &texts {
            let file = &module.source.files[*number];
            let source = &file.source.text;
            if kept
                .iter()
                .all(|piece| piece.edits.as_ref().is_some_and(Vec::is_empty))
            {
                continue;
            }
            let text = assemble(source, kept).unwrap_or_default();
            let text = if aligned(source) == *source {
                aligned(&text)
            } else {
                text
            };
            self.files.insert(join(dir, &file.name), text.into_bytes());
        }
        self.tell(call, module, dir, &told, outputs);
        Ok(())
    }

    /// Adds the new variables and outputs to a module, and the arguments to its call.
    fn tell(
        &mut self,
        call: &str,
        module: &Module,
        dir: &str,
        told: &BTreeMap<&Item, (String, Option<BTreeSet<String>>)>,
        outputs: &BTreeMap<String, String>,
    ) {
        let mut blocks = Vec::new();
        let mut arguments = String::new();
        for (item, (name, used)) in told {
            blocks.push(format!(
                "variable {} {{\n  description = {}\n  type        = any\n}}\n",
                text::quote(name),
                text::quote(&format!("What was {} in here", text::root_of(item)))
            ));
            arguments.push_str(&format!(
                "  {name} = {}\n",
                self.argument(call, item, used.as_ref())
            ));
        }
        for (name, value) in outputs {
            blocks.push(format!(
                "output {} {{\n  value = {value}\n}}\n",
                text::quote(name)
            ));
        }
        if !blocks.is_empty() {
            let names: BTreeSet<String> = module.source.files.iter().map(|file| file.name.clone()).collect();
            let file = super::emit::free_file_name(&names, "lifted");
            let text = format!(
                "# Blocks of this module are in its caller now.\n{}",
                blocks.join("\n")
            );
            self.files.insert(join(dir, &file), text.into_bytes());
        }
        let root = &self.input.configuration.root().source;
        let declared = root.declarations(&Item::Module(call.to_owned())).first();
        if let (Some(piece), false) = (declared, arguments.is_empty()) {
            let (_, block) = root.block(piece.block);
            let at = block.body.span.end - 1;
            self.root_edits
                .entry(piece.block.file)
                .or_default()
                .push(Edit::new(at..at, arguments));
        }
    }

    /// Returns what a call tells its module of a lifted block.
    fn argument(&self, call: &str, item: &Item, used: Option<&BTreeSet<String>>) -> String {
        let one = |place: &Place| {
            let root = text::root_of(&place.item);
            match used {
                None => root,
                Some(names) => {
                    let members: Vec<String> = names
                        .iter()
                        .map(|name| format!("{} = {root}{}", text::member(name), text::step(name)))
                        .collect();
                    format!("{{ {} }}", members.join(", "))
                }
            }
        };
        let places: Vec<(&Wanted, &Place)> = self
            .wanted
            .iter()
            .filter(|(w, _)| w.call == call && w.item == *item)
            .collect();
        let keyed: Vec<String> = places
            .iter()
            .filter_map(|(wanted, place)| {
                let key = wanted.key.as_ref()?;
                Some(match key {
                    InstanceKey::Str(key) => format!("{} = {}", text::member(key), one(place)),
                    InstanceKey::Int(_) => one(place),
                })
            })
            .collect();
        match places.first().and_then(|(wanted, _)| wanted.key.as_ref()) {
            None => places.first().map(|(_, place)| one(place)).unwrap_or_default(),
            Some(InstanceKey::Str(_)) => format!("{{ {} }}[each.key]", keyed.join(", ")),
            Some(InstanceKey::Int(_)) => format!("[{}][count.index]", keyed.join(", ")),
        }
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
