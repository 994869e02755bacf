//! The files of one state: code, contracts, modules, files that are read, variable values, locks.

use std::collections::BTreeSet;

use super::naming::free_file_name;
use super::{FileTree, Input, align, backend, closure, contract_files, emit, exports, paths, refer, vendor};
use crate::config::Item;
use crate::contract::ContractModule;
use crate::diagnostic::Diagnostic;
use crate::source_tree::join;
use crate::stack::StateId;

/// Makes the files of one state.
pub(super) fn tree(
    input: &Input<'_>,
    writer: refer::Writer<'_, '_>,
    exports: &exports::Exports,
    warnings: &mut Vec<Diagnostic>,
    faults: &mut Vec<Diagnostic>,
) -> FileTree {
    let state = writer.state;
    let is_source = state == input.source;
    let items = &writer.cut.members[state].items;
    let calls: BTreeSet<String> = items
        .iter()
        .filter_map(|item| match item {
            Item::Module(name) => Some(name.clone()),
            _ => None,
        })
        .collect();
    let vendored = match is_source {
        true => vendor::Vendored::new(input, &changed_outside(input, &calls, warnings)),
        false => vendor::Vendored::new(input, &calls),
    };
    let files = contract_files::ContractFiles {
        writer: &writer,
        settings: input.contracts,
        locations: input.locations,
        dir: contract_dir(input),
    };
    let told = files.producer(exports.get(state));
    let asked = files.consumer(exports);
    let contract_calls: BTreeSet<ContractModule> = told
        .iter()
        .chain(&asked)
        .flat_map(|file| file.modules.iter().copied())
        .collect();
    let mut providers = vendor::used_providers(input, items);
    if !contract_calls.is_empty() {
        providers.extend(aws(input));
    }
    let mut emitter = emit::Emitter {
        writer,
        location: input.locations.get(state).filter(|_| !is_source),
        providers: providers.clone(),
        sources: vendored.sources.clone(),
        warnings: Vec::new(),
        has_backend: false,
    };
    let mut texts = emitter.files();
    warnings.append(&mut emitter.warnings);
    let mut taken: BTreeSet<String> = root_names(input);
    let mut add = |wanted: &str, text: String| {
        let name = free_file_name(&taken, wanted);
        taken.insert(name.clone());
        texts.insert(name, text);
    };
    if let (false, Some(location)) = (emitter.has_backend, emitter.location) {
        add(
            "backend",
            format!(
                "terraform {{\n  {}\n}}\n",
                align::aligned(&backend::block(location, 2))
            ),
        );
    }
    if let Some(file) = told {
        add("contract", file.text);
    }
    if let Some(file) = asked {
        add("upstream", file.text);
    }
    if is_source && texts.is_empty() {
        texts.insert(
            first_file_name(input),
            "# All that was here is in stacks of its own now.\n".to_owned(),
        );
    }
    let mut tree: FileTree = texts
        .into_iter()
        .map(|(name, text)| (name, text.into_bytes()))
        .collect();
    faults.extend(cannot_list(input, state, &contract_calls));
    let major = aws_version(input).map(|(major, _)| major);
    for module in contract_calls {
        let path = format!("{}/{}/main.tf", contract_dir(input), module.name());
        tree.insert(path, module.text(major).into_bytes());
    }
    vendored.copy(input, &mut tree, faults);
    if is_source {
        rest_of_monolith(input, &calls, &mut tree, faults);
    } else {
        carried(input, emitter.writer.cut, state, &mut tree, faults);
        vendor::lock_file(input, &providers, &mut tree);
    }
    vendor::variable_files(input, items, &mut tree);
    tree
}

/// Returns the calls of modules outside of the monolith that blocks were lifted out of. Others may call those modules
/// too: the monolith gets a copy of its own.
fn changed_outside(
    input: &Input<'_>,
    calls: &BTreeSet<String>,
    warnings: &mut Vec<Diagnostic>,
) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for module in input.configuration.modules() {
        let Some(call) = module.address.0.first().filter(|call| calls.contains(*call)) else {
            continue;
        };
        let dir = &module.source.dir;
        let mut files = module.source.files.iter();
        let is_changed = files.any(|file| input.code.tree.is_replaced(&join(dir, &file.name)));
        if dir.starts_with("../") && is_changed && found.insert(call.clone()) {
            let message = format!(
                "`{}` calls a copy of {dir} now: what was lifted out of `module.{call}` is gone from it",
                input.source
            );
            warnings.push(
                Diagnostic::warning(message)
                    .hint("others may call the module where it was; there it is as before"),
            );
        }
    }
    found
}

/// Returns the directory for the modules of contracts: one in which the monolith has nothing of their names.
fn contract_dir(input: &Input<'_>) -> &'static str {
    let is_free = |dir: &str| {
        ContractModule::ALL.iter().all(|module| {
            let inside = format!("{dir}/{}/", module.name());
            !input.code.paths.iter().any(|path| path.contains(&inside))
        })
    };
    ["modules", "contracts", "modules/contracts", "stackcut/contracts"]
        .into_iter()
        .find(|dir| is_free(dir))
        .unwrap_or("stackcut/contracts")
}

/// Returns the name of the file that stays when nothing is left: Terraform wants one where there was configuration.
fn first_file_name(input: &Input<'_>) -> String {
    let first = input.configuration.root().source.files.first();
    first
        .map(|file| file.name.clone())
        .filter(|name| name.ends_with(".tf"))
        .unwrap_or_else(|| "main.tf".to_owned())
}

fn root_names(input: &Input<'_>) -> BTreeSet<String> {
    let files = &input.configuration.root().source.files;
    files.iter().map(|file| file.name.clone()).collect()
}

/// Returns the AWS provider, which the contract modules use.
fn aws(input: &Input<'_>) -> Option<crate::address::ProviderAddr> {
    input
        .configuration
        .provider_address(input.configuration.root(), "aws")
        .ok()
}

/// Returns the locked version of the AWS provider: major and minor.
fn aws_version(input: &Input<'_>) -> Option<(u64, u64)> {
    let lock = input.code.lock_file?;
    let block = lock
        .file
        .blocks
        .iter()
        .find(|block| block.label(0).ends_with("hashicorp/aws"))?;
    let version = lock.file.string(&block.body.attribute("version")?.value)?;
    let mut numbers = version.split('.').map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

/// Refuses to look for parameters by a pattern where the locked provider cannot list them.
fn cannot_list(input: &Input<'_>, state: &StateId, calls: &BTreeSet<ContractModule>) -> Option<Diagnostic> {
    let (major, minor) = aws_version(input)?;
    if !calls.contains(&ContractModule::SsmRegex) || (major, minor) >= ContractModule::SSM_LISTS_SINCE {
        return None;
    }
    let (since_major, since_minor) = ContractModule::SSM_LISTS_SINCE;
    let message = format!(
        "`{state}` can do without an upstream, whose parameter is then looked for in a list, and the locked AWS \
         provider {major}.{minor} cannot list parameters"
    );
    let fault = Diagnostic::error(message).note("nothing was written").hint(format!(
        "say `store = \"s3\"` in the `contract` block of the upstream; or upgrade the provider to {since_major}.{since_minor} \
         in the monolith first; or take the upstream out of `optional_upstreams`"
    ));
    let named = match state {
        StateId::Stack(name) => input
            .plan
            .stack(name)
            .and_then(|stack| stack.optional_upstreams.first()),
        StateId::Source(_) => None,
    };
    Some(match named {
        Some(named) => fault.at(&input.plan.file, named.span.clone()),
        None => fault,
    })
}

/// Adds the files that the blocks of a stack read.
fn carried(
    input: &Input<'_>,
    cut: &closure::Cut<'_>,
    state: &StateId,
    tree: &mut FileTree,
    faults: &mut Vec<Diagnostic>,
) {
    let root = &input.configuration.root().source;
    for item in &cut.members[state].items {
        for piece in root.declarations(item) {
            let (_, block) = root.block(piece.block);
            let within = match piece.attribute {
                Some(index) => block.body.attributes[index].span.clone(),
                None => block.span.clone(),
            };
            for path in paths::read_by(input, piece.block, &within) {
                if let Some(bytes) = paths::read(input, &path, faults) {
                    tree.entry(path).or_insert(bytes);
                }
            }
        }
    }
}

/// The monolith keeps its other files, without the modules that nothing calls any more.
fn rest_of_monolith(
    input: &Input<'_>,
    calls: &BTreeSet<String>,
    tree: &mut FileTree,
    faults: &mut Vec<Diagnostic>,
) {
    let mut live = BTreeSet::new();
    let mut dead = BTreeSet::new();
    for module in input.configuration.modules() {
        let Some(first) = module.address.0.first() else {
            continue;
        };
        let dirs = if calls.contains(first) {
            &mut live
        } else {
            &mut dead
        };
        dirs.insert(module.source.dir.clone());
    }
    let is_within =
        |path: &str, dirs: &BTreeSet<String>| dirs.iter().any(|dir| path.starts_with(&format!("{dir}/")));
    for path in input.code.paths {
        let is_outside = path.starts_with("../");
        let is_dead = is_within(path, &dead) && !is_within(path, &live);
        let is_code = !path.contains('/')
            && [".tf", ".tf.json", ".tofu", ".tofu.json"]
                .iter()
                .any(|end| path.ends_with(end));
        let is_values = !path.contains('/')
            && (path.ends_with(".tfvars") || path.ends_with(".tfvars.json"))
            && input
                .code
                .variables
                .files
                .iter()
                .any(|file| file.file.name == *path);
        if is_outside || is_dead || is_code || is_values {
            continue;
        }
        if let Some(bytes) = paths::read(input, path, faults) {
            tree.entry(path.clone()).or_insert(bytes);
        }
    }
}
