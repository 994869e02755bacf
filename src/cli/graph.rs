//! `stackcut graph`: the dependency graph.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::input::{RootModule, fresh_lineages, read_plan, read_state};
use super::print;
use crate::address::ConfigResourceAddr;
use crate::error::{CommandError, Exit};
use crate::graph::{Graph, Joined};
use crate::plan::compute::{Inputs, opaque_modules};
use crate::report::graph::GraphReport;
use crate::stack::StateId;
use crate::state::Snapshot;
use crate::ui::Ui;

/// Print the dependency graph of a root module, joined from its code and its state
///
/// An arrow points from a resource to what it depends on, through any number of locals, variables, outputs and modules.
/// Dashed arrows are ordering only (`depends_on`). With --plan, resources are grouped by stack and what crosses a cut is
/// red.
#[derive(Debug, Args)]
pub(super) struct GraphArgs {
    /// Directory of the root module
    dir: PathBuf,
    /// A plan file to colour by
    #[arg(long)]
    plan: Option<PathBuf>,
    /// The state of the root module [default: terraform.tfstate in DIR, if it is there]
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,
    /// The notation
    #[arg(long, value_enum, default_value_t)]
    format: GraphFormat,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum GraphFormat {
    /// Graphviz: pipe it into `dot -Tsvg`
    #[default]
    Dot,
    /// Mermaid: for Markdown
    Mermaid,
    /// For programs; the field `version` names its schema
    Json,
}

/// Prints the graph.
pub(super) fn run(args: &GraphArgs, ui: &Ui) -> Result<Exit, CommandError> {
    let module = RootModule::read(&args.dir, ui)?;
    let path = args.state.clone().unwrap_or_else(|| module.local_state_path());
    let snapshot = read_state(&path)?;
    let report = match &args.plan {
        Some(_) => planned(args, &module, snapshot.as_ref())?,
        None => {
            let graph = Graph::build(&module.configuration);
            let joined = Joined::new(graph, snapshot.as_ref(), &opaque_modules(&module.configuration));
            GraphReport::new(&joined, &|_| Vec::new())
        }
    };
    let text = match args.format {
        GraphFormat::Dot => report.dot(),
        GraphFormat::Mermaid => report.mermaid(),
        GraphFormat::Json => report.json(),
    };
    print(ui, &text)?;
    Ok(Exit::Success)
}

/// Computes the assignment of a plan file, to group and colour by.
fn planned(
    args: &GraphArgs,
    module: &RootModule,
    snapshot: Option<&Snapshot>,
) -> Result<GraphReport, CommandError> {
    let plan = read_plan(args.plan.as_deref().expect("the caller has a plan file"))?;
    let [source] = &plan.sources[..] else {
        return Err(
            CommandError::usage("the graph of a plan file with several sources is not drawn in one")
                .hint("leave out --plan, or draw each source with a plan file of its own"),
        );
    };
    let id = StateId::Source(source.name.value.clone());
    let lineages = fresh_lineages(&plan)?;
    let inputs = Inputs {
        plan: &plan,
        code: BTreeMap::from([(id.clone(), &module.configuration)]),
        snapshots: snapshot
            .into_iter()
            .map(|snapshot| (id.clone(), snapshot))
            .collect(),
        lineages,
    };
    let computed = inputs.compute(&|_, _| Ok(()))?;
    let mut owners: BTreeMap<ConfigResourceAddr, BTreeSet<StateId>> = BTreeMap::new();
    let mut taken: BTreeMap<ConfigResourceAddr, usize> = BTreeMap::new();
    for found in &computed.assignment.instances {
        let addr = found.from.resource.config();
        *taken.entry(addr.clone()).or_default() += 1;
        owners.entry(addr).or_default().insert(found.taker.clone());
    }
    let joined = &computed.joined[&id];
    for (addr, instances) in &joined.instances {
        if taken.get(addr).copied().unwrap_or(0) < instances.len() || instances.is_empty() {
            owners.entry(addr.clone()).or_default().insert(id.clone());
        }
    }
    let owners_of = |addr: &ConfigResourceAddr| owners.get(addr).into_iter().flatten().cloned().collect();
    let mut report = GraphReport::new(joined, &owners_of);
    report.mark_cut(&computed.stacks);
    Ok(report)
}
