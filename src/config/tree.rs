//! A root module with the modules it calls.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use thiserror::Error;

use super::files::{self, Dialect, FileName};
use super::manifest::Manifest;
use super::module::{BlockId, Item, ModuleSource};
use super::{ConfigFile, Syntax, hcl, json};
use crate::address::ModuleAddr;
use crate::diagnostic::{Diagnostic, Severity, SourceFile};
use crate::source_tree::{SourceError, SourceTree, join};

/// How a root module is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoadOptions {
    /// Terraform, OpenTofu, or whichever the files are for.
    pub dialect: Dialect,
    /// Where `init` keeps its data: `.terraform`, or what `TF_DATA_DIR` says.
    pub data_dir: String,
    /// Directories of modules, relative to the root module, that may be absent: they belong beside a copy of it that is
    /// somewhere else. What is inside is not known then.
    pub elsewhere: BTreeSet<String>,
}

impl Default for LoadOptions {
    fn default() -> Self {
        Self {
            dialect: Dialect::Auto,
            data_dir: ".terraform".to_owned(),
            elsewhere: BTreeSet::new(),
        }
    }
}

/// Why a root module cannot be read.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum ConfigError {
    /// A file or directory cannot be read.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The text is not what it must be. All findings are here, warnings too.
    #[error("the configuration in {dir} has errors:\n{}", joined(diagnostics))]
    Invalid {
        /// The root module's directory.
        dir: String,
        /// What was found.
        diagnostics: Vec<Diagnostic>,
    },
}

fn joined(diagnostics: &[Diagnostic]) -> String {
    let shown: Vec<String> = diagnostics.iter().map(ToString::to_string).collect();
    shown.join("\n")
}

/// A root module with every module that could be found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Configuration {
    modules: BTreeMap<ModuleAddr, Module>,
    /// What is worth knowing; no errors.
    pub diagnostics: Vec<Diagnostic>,
    pub(super) dialect: Dialect,
}

/// A module in the tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Module {
    /// Its address.
    pub address: ModuleAddr,
    /// Its text; shared between modules called from the same directory.
    pub source: Arc<ModuleSource>,
    /// Its calls, by name.
    pub calls: BTreeMap<String, ModuleCall>,
}

/// A call of a module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModuleCall {
    /// The block that declares it (its overrides: see [`ModuleSource::declarations`]).
    pub block: BlockId,
    /// The source after overrides, if it is a constant.
    pub source: Option<String>,
    /// Where the module is.
    pub target: CallTarget,
}

/// Where a called module is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CallTarget {
    /// A directory named by a path; the module is in the tree.
    Local(String),
    /// A directory into which `init` installed it; the module is in the tree.
    Installed(String),
    /// Not installed: what is inside is not known.
    Unknown,
}

impl ModuleCall {
    /// Returns the directory of the module, if it is known.
    pub fn dir(&self) -> Option<&str> {
        match &self.target {
            CallTarget::Local(dir) | CallTarget::Installed(dir) => Some(dir),
            CallTarget::Unknown => None,
        }
    }
}

impl Configuration {
    /// Reads the root module of a tree and every module it calls.
    ///
    /// Modules that are not installed are kept as opaque calls, with a warning.
    pub fn load(tree: &dyn SourceTree, options: &LoadOptions) -> Result<Self, ConfigError> {
        let mut loader = Loader {
            tree,
            dialect: options.dialect,
            elsewhere: &options.elsewhere,
            manifest: Manifest::default(),
            sources: BTreeMap::new(),
            modules: BTreeMap::new(),
            diagnostics: Vec::new(),
        };
        loader.manifest = Manifest::load(tree, &options.data_dir, &mut loader.diagnostics)?;
        match loader.source("")? {
            Some(root) if !root.files.is_empty() => {
                loader.module(ModuleAddr::default(), root, &mut vec![String::new()])?;
            }
            _ => {
                let problem = format!("there is no configuration in {}", tree.shown(""));
                let hint = "name the directory of a root module, the one where `terraform plan` runs";
                loader.diagnostics.push(Diagnostic::error(problem).hint(hint));
            }
        }
        let diagnostics = loader.diagnostics;
        if diagnostics.iter().any(|found| found.severity == Severity::Error) {
            return Err(ConfigError::Invalid {
                dir: tree.shown(""),
                diagnostics,
            });
        }
        Ok(Self {
            modules: loader.modules,
            diagnostics,
            dialect: options.dialect,
        })
    }

    /// Returns the root module.
    pub fn root(&self) -> &Module {
        self.modules
            .get(&ModuleAddr::default())
            .expect("`load` fails without a root module")
    }

    /// Returns a module of the tree.
    pub fn module(&self, address: &ModuleAddr) -> Option<&Module> {
        self.modules.get(address)
    }

    /// Returns all modules of the tree, sorted by address, the root first.
    pub fn modules(&self) -> impl Iterator<Item = &Module> {
        self.modules.values()
    }
}

impl Module {
    /// Returns the address of a module called from here.
    pub fn child(&self, call: &str) -> ModuleAddr {
        let mut address = self.address.clone();
        address.0.push(call.to_owned());
        address
    }
}

struct Loader<'t> {
    tree: &'t dyn SourceTree,
    dialect: Dialect,
    elsewhere: &'t BTreeSet<String>,
    manifest: Manifest,
    sources: BTreeMap<String, Option<Arc<ModuleSource>>>,
    modules: BTreeMap<ModuleAddr, Module>,
    diagnostics: Vec<Diagnostic>,
}

impl Loader<'_> {
    /// Reads a directory once; `None` where there is none.
    fn source(&mut self, dir: &str) -> Result<Option<Arc<ModuleSource>>, ConfigError> {
        if let Some(known) = self.sources.get(dir) {
            return Ok(known.clone());
        }
        let source = match self.tree.files(dir)? {
            Some(names) => Some(Arc::new(self.read_dir(dir, names)?)),
            None => None,
        };
        self.sources.insert(dir.to_owned(), source.clone());
        Ok(source)
    }

    fn read_dir(&mut self, dir: &str, names: Vec<String>) -> Result<ModuleSource, ConfigError> {
        let mut texts = Vec::new();
        for file in files::select(names, self.dialect) {
            let path = join(dir, &file.name);
            let source = read_text(self.tree, &path, &mut self.diagnostics)?.ok_or_else(|| SourceError {
                path: self.tree.shown(&path),
                reason: "it is listed but not there (a link that leads nowhere?)".to_owned(),
            })?;
            texts.push((file, source));
        }
        let mut found = Vec::new();
        for (file, diagnostics) in parse(&texts) {
            found.push(file);
            self.diagnostics.extend(diagnostics);
        }
        Ok(ModuleSource::new(dir, found, &mut self.diagnostics))
    }

    fn module(
        &mut self,
        address: ModuleAddr,
        source: Arc<ModuleSource>,
        above: &mut Vec<String>,
    ) -> Result<(), ConfigError> {
        let mut calls = BTreeMap::new();
        for (item, pieces) in source.items() {
            let (Item::Module(name), Some(first)) = (item, pieces.first()) else {
                continue;
            };
            let mut child = address.clone();
            child.0.push(name.clone());
            let call = self.call(&source, item, first.block, &child)?;
            if let Some(dir) = call.dir() {
                self.enter(dir, child, &source, &call, above)?;
            }
            calls.insert(name.clone(), call);
        }
        let module = Module {
            address: address.clone(),
            source,
            calls,
        };
        self.modules.insert(address, module);
        Ok(())
    }

    /// Finds where a call leads.
    fn call(
        &mut self,
        caller: &ModuleSource,
        item: &Item,
        block: BlockId,
        child: &ModuleAddr,
    ) -> Result<ModuleCall, ConfigError> {
        let argument = caller.attribute(item, "source");
        let source = argument.and_then(|(file, attribute)| file.string(&attribute.value));
        let (file, found) = caller.block(block);
        if argument.is_none() {
            let problem = format!("{} has no `source`", item.describe());
            self.diagnostics
                .push(Diagnostic::error(problem).at(&file.source, found.header.clone()));
        }
        let target = match &source {
            Some(path) if path.starts_with("./") || path.starts_with("../") => {
                let dir = join(&caller.dir, path);
                match self.elsewhere.contains(&dir) && self.source(&dir)?.is_none() {
                    true => CallTarget::Unknown,
                    false => CallTarget::Local(dir),
                }
            }
            _ => match self.manifest.dir(child) {
                Some(dir) if self.source(dir.as_str())?.is_some() => CallTarget::Installed(dir),
                _ => {
                    let problem = format!(
                        "{} is not installed; what is inside is not known",
                        item.describe()
                    );
                    let (file, place) = match argument {
                        Some((file, attribute)) => (file, attribute.span.clone()),
                        None => (file, found.header.clone()),
                    };
                    let hint = "run `terraform init` (or `tofu init`) first";
                    self.diagnostics
                        .push(Diagnostic::warning(problem).at(&file.source, place).hint(hint));
                    CallTarget::Unknown
                }
            },
        };
        Ok(ModuleCall {
            block,
            source,
            target,
        })
    }

    /// Reads the module behind a call.
    fn enter(
        &mut self,
        dir: &str,
        child: ModuleAddr,
        caller: &ModuleSource,
        call: &ModuleCall,
        above: &mut Vec<String>,
    ) -> Result<(), ConfigError> {
        let (file, block) = caller.block(call.block);
        let problem = match self.source(dir)? {
            None => "there is no such directory",
            Some(_) if above.iter().any(|outer| outer == dir) => "the module calls itself",
            Some(source) => {
                above.push(dir.to_owned());
                self.module(child, source, above)?;
                above.pop();
                return Ok(());
            }
        };
        let problem = format!("module source {}: {problem}", self.tree.shown(dir));
        let found = Diagnostic::error(problem).at(&file.source, block.header.clone());
        self.diagnostics.push(found);
        Ok(())
    }
}

/// Below this many bytes a directory is parsed faster than a thread is started.
const WORTH_A_THREAD: usize = 32_768;

/// Parses the files of a directory, on all processors where that pays; the results are in the order of the files.
fn parse(texts: &[(FileName, Arc<SourceFile>)]) -> Vec<(ConfigFile, Vec<Diagnostic>)> {
    let parse_one = |(file, source): &(FileName, Arc<SourceFile>)| {
        let mut diagnostics = Vec::new();
        let read = match file.syntax {
            Syntax::Hcl => hcl::read,
            Syntax::Json => json::read,
        };
        let parsed = read(source, &file.name, file.is_override, &mut diagnostics);
        (parsed, diagnostics)
    };
    let bytes: usize = texts.iter().map(|(_, source)| source.text.len()).sum();
    let workers = std::thread::available_parallelism()
        .map_or(1, usize::from)
        .min(texts.len());
    if bytes < WORTH_A_THREAD || workers < 2 {
        return texts.iter().map(parse_one).collect();
    }
    // Whoever is free takes the next file: their sizes differ too much to share them out beforehand.
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let Some(text) = texts.get(number) else {
                return done;
            };
            done.push((number, parse_one(text)));
        }
    };
    let mut results: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (1..workers).map(|_| scope.spawn(work)).collect();
        let mut done = work();
        for thread in threads {
            done.extend(thread.join().expect("a parser does not panic"));
        }
        done
    });
    results.sort_by_key(|(number, _)| *number);
    results.into_iter().map(|(_, result)| result).collect()
}

/// Reads a text file; one that is not UTF-8 is reported and replaced by what can be shown.
pub(super) fn read_text(
    tree: &dyn SourceTree,
    path: &str,
    diagnostics: &mut Vec<Diagnostic>,
) -> Result<Option<Arc<SourceFile>>, SourceError> {
    let Some(bytes) = tree.read(path)? else {
        return Ok(None);
    };
    let path = tree.shown(path);
    match String::from_utf8(bytes) {
        Ok(text) => Ok(Some(Arc::new(SourceFile { path, text }))),
        Err(error) => {
            let at = error.utf8_error().valid_up_to();
            let text = String::from_utf8_lossy(error.as_bytes()).into_owned();
            let shown = Arc::new(SourceFile {
                path: path.clone(),
                text,
            });
            let problem = "the file is not UTF-8 text";
            diagnostics.push(Diagnostic::error(problem).at(&shown, at..at));
            // An empty text, so that nothing is concluded from a damaged one.
            let text = String::new();
            Ok(Some(Arc::new(SourceFile { path, text })))
        }
    }
}
