//! What a stack takes along besides its blocks: local modules with those they call, files, variable values, locks.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::align::aligned_as;
use super::naming::free;
use super::splice::{Edit, Kept, assemble};
use super::{FileTree, Input, json_syntax, paths, text};
use crate::address::{ModuleAddr, ProviderAddr};
use crate::config::{CallTarget, Item, Module, ModuleSource, Syntax, providers};
use crate::diagnostic::Diagnostic;
use crate::source_tree::join;

/// Local modules, and the sources of the root module's calls.
#[derive(Debug, Default)]
pub(super) struct Vendored {
    /// Directories in the monolith → in the stack.
    pub dirs: BTreeMap<String, String>,
    /// Calls of the root module whose source changes → the new source.
    pub sources: BTreeMap<String, String>,
}

impl Vendored {
    /// Finds the modules that calls of the root module need.
    pub fn new(input: &Input<'_>, calls: &BTreeSet<String>) -> Self {
        let mut vendored = Self::default();
        for module in input.configuration.modules() {
            let Some(first) = module.address.0.first() else {
                continue;
            };
            if !calls.contains(first) {
                continue;
            }
            if let Some(dir) = local_dir(input, &module.address) {
                vendored.place(input, &dir);
            }
        }
        for (name, call) in &input.configuration.root().calls {
            if let (true, CallTarget::Local(dir)) = (calls.contains(name), &call.target) {
                let new = vendored.dirs.get(dir).cloned().unwrap_or_else(|| inside(dir));
                if new != *dir {
                    vendored.sources.insert(name.clone(), format!("./{new}"));
                }
            }
        }
        vendored
    }

    /// Gives a directory its place, in which no other one is.
    fn place(&mut self, input: &Input<'_>, dir: &str) {
        if self.dirs.contains_key(dir) {
            return;
        }
        let is_taken = |new: &str| {
            let below = format!("{new}/");
            let is_own = new == dir;
            !is_own
                && (self.dirs.values().any(|known| known == new)
                    || input.code.paths.iter().any(|path| path.starts_with(&below)))
        };
        let new = free(&inside(dir), is_taken);
        self.dirs.insert(dir.to_owned(), new);
    }

    /// Copies the modules into a tree.
    pub fn copy(&self, input: &Input<'_>, tree: &mut FileTree, faults: &mut Vec<Diagnostic>) {
        for (dir, new) in &self.dirs {
            // A module inside another one's directory is copied with it.
            for path in super::paths::below(input.code.paths, dir) {
                let target = format!("{new}{}", &path[dir.len()..]);
                if let Some(bytes) = paths::read(input, path, faults) {
                    tree.entry(target).or_insert(bytes);
                }
            }
        }
        let mut done = BTreeSet::new();
        for module in input.configuration.modules() {
            let dir = &module.source.dir;
            if !module.address.0.is_empty() && self.dirs.contains_key(dir) && done.insert(dir.clone()) {
                self.correct_sources(module, tree);
            }
        }
    }

    /// Writes the sources of a copied module's own calls anew where their directories moved against each other.
    fn correct_sources(&self, module: &Module, tree: &mut FileTree) {
        let Some(new_dir) = self.dirs.get(&module.source.dir) else {
            return;
        };
        for (name, call) in &module.calls {
            let (CallTarget::Local(dir), Some(written)) = (&call.target, &call.source) else {
                continue;
            };
            let Some(target) = self.dirs.get(dir) else {
                continue;
            };
            if join(new_dir, written) == *target {
                continue;
            }
            let found = module.source.attribute(&Item::Module(name.clone()), "source");
            let Some((file, argument)) = found else { continue };
            let path = join(new_dir, &file.name);
            let new = text::quote(&relative(new_dir, target));
            // Several calls in one file change it one after the other; later ones are found again by their text.
            if let Some(text) = tree
                .get(&path)
                .and_then(|bytes| String::from_utf8(bytes.clone()).ok())
            {
                let old = file.text(&argument.value);
                tree.insert(path, text.replacen(old, &new, 1).into_bytes());
            }
        }
    }
}

/// Returns the directory of a module that is called by a path all the way from the root module.
fn local_dir(input: &Input<'_>, address: &ModuleAddr) -> Option<String> {
    let mut at = ModuleAddr::default();
    let mut dir = None;
    for name in &address.0 {
        let call = input.configuration.module(&at)?.calls.get(name)?;
        let CallTarget::Local(found) = &call.target else {
            return None;
        };
        dir = Some(found.clone());
        at.0.push(name.clone());
    }
    dir
}

/// Returns where a directory stands in a stack: as it was, or under `modules/` if it was outside.
fn inside(dir: &str) -> String {
    let mut rest = dir;
    while let Some(outer) = rest.strip_prefix("../") {
        rest = outer;
    }
    match rest == dir {
        true => dir.to_owned(),
        false if rest.starts_with("modules/") => rest.to_owned(),
        false => format!("modules/{rest}"),
    }
}

/// Returns the path from one directory to another, as a module source.
fn relative(from: &str, to: &str) -> String {
    let from: Vec<&str> = from.split('/').collect();
    let to: Vec<&str> = to.split('/').collect();
    let same = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
    let ups = "../".repeat(from.len() - same);
    let rest = to[same..].join("/");
    let path = format!("{ups}{rest}");
    match path.starts_with("../") {
        true => path.trim_end_matches('/').to_owned(),
        false => format!("./{path}"),
    }
}

/// Returns the providers that items of the root module use, in the whole of them.
pub(super) fn used_providers(input: &Input<'_>, items: &BTreeSet<Item>) -> BTreeSet<ProviderAddr> {
    let configuration = input.configuration;
    let mut used = BTreeSet::new();
    let calls: BTreeSet<&str> = items
        .iter()
        .filter_map(|item| match item {
            Item::Module(name) => Some(name.as_str()),
            _ => None,
        })
        .collect();
    for module in configuration.modules() {
        let is_root = module.address.0.is_empty();
        if !is_root && !calls.contains(module.address.0[0].as_str()) {
            continue;
        }
        for (item, _) in module
            .source
            .items()
            .filter(|(item, _)| !is_root || items.contains(item))
        {
            let local = match item {
                Item::Provider { name, .. } => name.clone(),
                Item::Resource { type_name, .. } | Item::Action { type_name, .. } => {
                    local_name(&module.source, item, type_name)
                }
                _ => continue,
            };
            used.extend(configuration.provider_address(module, &local));
        }
        if !is_root {
            // A module may require more than it has resources of.
            for name in module.source.required_sources().keys() {
                used.extend(configuration.provider_address(module, name));
            }
        }
    }
    // Functions of a provider: `provider::NAME::function()`.
    for name in configuration.root().source.required_sources().keys() {
        let call = format!("provider::{name}::");
        let files = &configuration.root().source.files;
        if files.iter().any(|file| file.source.text.contains(&call)) {
            used.extend(configuration.provider_address(configuration.root(), name));
        }
    }
    used
}

fn local_name(module: &Arc<ModuleSource>, item: &Item, type_name: &str) -> String {
    module
        .attribute(item, "provider")
        .and_then(|(file, argument)| file.provider_ref(&argument.value))
        .map_or_else(
            || providers::implied_provider(type_name).to_owned(),
            |found| found.local_name,
        )
}

/// Adds the locks of the used providers.
pub(super) fn lock_file(input: &Input<'_>, used: &BTreeSet<ProviderAddr>, tree: &mut FileTree) {
    let Some(lock) = input.code.lock_file else { return };
    let host = "registry.terraform.io";
    let source = &lock.file.source.text;
    let kept: Vec<Kept> = lock
        .file
        .blocks
        .iter()
        .map(|block| Kept {
            full: block.full.clone(),
            edits: providers::parse_source(block.label(0), host)
                .is_some_and(|address| used.contains(&address))
                .then(Vec::new),
        })
        .collect();
    if kept.iter().any(|piece| piece.edits.is_some())
        && let Some(text) = assemble(source, &kept)
    {
        // The heading says that the file is made by `init`, which is true of the copy too.
        let heading = &source[..kept.first().map_or(0, |first| first.full.start)];
        let text = match text.starts_with(heading.trim_start()) {
            true => text,
            false => format!("{heading}{text}"),
        };
        tree.insert(crate::config::LOCK_FILE.to_owned(), text.into_bytes());
    }
}

/// Adds the entries of variable files that are still declared.
pub(super) fn variable_files(input: &Input<'_>, items: &BTreeSet<Item>, tree: &mut FileTree) {
    for given in &input.code.variables.files {
        let file = &given.file;
        let source = &file.source.text;
        let path = input
            .code
            .variable_paths
            .iter()
            .find(|path| path.ends_with(&file.name))
            .unwrap_or(&file.name);
        let mut is_auto = path == "terraform.tfvars" || path == "terraform.tfvars.json";
        is_auto |= path.ends_with(".auto.tfvars") || path.ends_with(".auto.tfvars.json");
        let kept: Vec<Kept> = given
            .entries
            .iter()
            .map(|entry| Kept {
                full: entry.full.clone(),
                edits: items
                    .contains(&Item::Variable(entry.name.clone()))
                    .then(Vec::<Edit>::new),
            })
            .collect();
        let text = match file.syntax {
            Syntax::Hcl => assemble(source, &kept).map(|text| aligned_as(source, text)),
            Syntax::Json => json_syntax::assemble(source, &kept),
        };
        let text = match text {
            Some(text) => text,
            // What runs Terraform names the file, so it must be there.
            None if !is_auto => match file.syntax {
                Syntax::Hcl => String::new(),
                Syntax::Json => "{}\n".to_owned(),
            },
            None => continue,
        };
        let path = path.trim_start_matches("../").to_owned();
        tree.insert(path, text.into_bytes());
    }
}
