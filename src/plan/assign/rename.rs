//! `move` blocks: taken under one address, known under another.
//!
//! The most specific block wins: an instance before its resource, a resource before its module, an inner module before
//! an outer one. `module.a` without a key also stands for `module.a[…]` with any key, as in a `moved` block; the keys
//! are then kept.

use std::collections::HashMap;

use crate::address::{ModuleInstanceAddr, ModuleStep, MoveableAddr, ResourceAddr, ResourceInstanceAddr};
use crate::plan::file::MoveBlock;

/// The `move` blocks of one target that concern one giver.
pub(super) struct Renames<'a> {
    blocks: &'a [MoveBlock],
    instances: HashMap<&'a ResourceInstanceAddr, usize>,
    resources: HashMap<&'a ResourceAddr, usize>,
    /// Exact module instances.
    modules: HashMap<&'a [ModuleStep], usize>,
    /// Module calls named without a key: the steps before, and the name.
    calls: HashMap<(&'a [ModuleStep], &'a str), usize>,
}

/// Why a move cannot be made: its position, what is wrong, what to do.
pub(super) type RenameFault = (usize, String, String);

impl<'a> Renames<'a> {
    pub(super) fn new(blocks: &'a [MoveBlock], is_about: impl Fn(&MoveBlock) -> bool) -> Self {
        let mut renames = Self {
            blocks,
            instances: HashMap::new(),
            resources: HashMap::new(),
            modules: HashMap::new(),
            calls: HashMap::new(),
        };
        for (at, block) in blocks.iter().enumerate().filter(|(_, block)| is_about(block)) {
            match &block.from.value {
                MoveableAddr::Instance(instance) => {
                    renames.instances.insert(instance, at);
                }
                MoveableAddr::Resource(resource) => {
                    renames.resources.insert(resource, at);
                }
                MoveableAddr::Module(module) => {
                    renames.modules.insert(&module.0, at);
                    if let Some((ModuleStep { name, key: None }, outer)) = module.0.split_last() {
                        renames.calls.insert((outer, name), at);
                    }
                }
            }
        }
        renames
    }

    /// Returns the new address and the position of the block that gives it; none where no block concerns it.
    pub(super) fn apply(
        &self,
        instance: &ResourceInstanceAddr,
    ) -> Result<Option<(usize, ResourceInstanceAddr)>, RenameFault> {
        if self.blocks.is_empty() {
            return Ok(None);
        }
        if let Some(&at) = self.instances.get(instance) {
            return Ok(Some((at, self.single(at, instance))));
        }
        if let Some(&at) = self.resources.get(&instance.resource) {
            return self.whole(at, instance).map(|to| Some((at, to)));
        }
        let steps = &instance.resource.module.0;
        for depth in (1..=steps.len()).rev() {
            let (inner, last) = (&steps[..depth], &steps[depth - 1]);
            let exact = self.modules.get(inner);
            let call = || self.calls.get(&(&steps[..depth - 1], last.name.as_str()));
            if let Some(&at) = exact.or_else(call) {
                return self.module(at, instance, depth).map(|to| Some((at, to)));
            }
        }
        Ok(None)
    }

    /// An instance with a key goes exactly where the block says.
    fn single(&self, at: usize, instance: &ResourceInstanceAddr) -> ResourceInstanceAddr {
        match &self.blocks[at].to.value {
            MoveableAddr::Instance(to) => to.clone(),
            MoveableAddr::Resource(to) => to.instance(None),
            // The reader refuses it.
            MoveableAddr::Module(_) => instance.clone(),
        }
    }

    /// A whole resource keeps its keys; only one without a key can get one.
    fn whole(&self, at: usize, instance: &ResourceInstanceAddr) -> Result<ResourceInstanceAddr, RenameFault> {
        match &self.blocks[at].to.value {
            MoveableAddr::Resource(to) => Ok(to.instance(instance.key.clone())),
            MoveableAddr::Instance(to) if instance.key.is_none() => Ok(to.clone()),
            MoveableAddr::Instance(to) => Err((
                at,
                format!(
                    "the whole resource `{}` cannot become the one instance `{to}`",
                    instance.resource
                ),
                "move each instance by its own key, or leave the key out of `to`".to_owned(),
            )),
            MoveableAddr::Module(_) => Ok(instance.clone()),
        }
    }

    fn module(
        &self,
        at: usize,
        instance: &ResourceInstanceAddr,
        depth: usize,
    ) -> Result<ResourceInstanceAddr, RenameFault> {
        let MoveableAddr::Module(to) = &self.blocks[at].to.value else {
            return Ok(instance.clone());
        };
        let MoveableAddr::Module(from) = &self.blocks[at].from.value else {
            return Ok(instance.clone());
        };
        let steps = &instance.resource.module.0;
        let mut renamed = to.0.clone();
        let had = &steps[depth - 1].key;
        let generic = from.0.last().is_some_and(|step| step.key.is_none()) && had.is_some();
        if let (true, Some(last)) = (generic, renamed.last_mut()) {
            if last.key.is_some() {
                return Err((
                    at,
                    format!("all instances of `{from}` cannot become the one instance `{to}`"),
                    "move each module instance by its own key, or leave the key out of `to`".to_owned(),
                ));
            }
            last.key.clone_from(had);
        }
        renamed.extend_from_slice(&steps[depth..]);
        let mut found = instance.clone();
        found.resource.module = ModuleInstanceAddr(renamed);
        Ok(found)
    }
}
