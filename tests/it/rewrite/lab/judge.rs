//! What is said of a cut without running anything: the static proof and the lints.

use std::collections::{BTreeMap, BTreeSet};

use stackcut::lint::{self, Rule, Stack};
use stackcut::report::check::CheckReport;
use stackcut::rewrite::{self, Rewritten};
use stackcut::source_tree::MemoryTree;
use stackcut::stack::StateId;
use stackcut::state::Snapshot;

use super::CutMade;

impl CutMade {
    /// Returns what the static proof finds in this cut's states with some code.
    pub fn faults(&self, code: &Rewritten) -> Vec<String> {
        let read = |bytes: &Vec<u8>| {
            Snapshot::read(bytes.clone())
                .expect("it was written")
                .expect("it is not empty")
        };
        let after: BTreeMap<StateId, Snapshot> = self
            .after
            .iter()
            .map(|(id, bytes)| (id.clone(), read(bytes)))
            .collect();
        let after = after
            .iter()
            .map(|(id, snapshot)| (id.clone(), snapshot))
            .collect();
        let before = BTreeMap::from([(self.source.clone(), &self.configuration)]);
        let faults = rewrite::prove(code, &after, &self.undeployed, &before, &self.moves);
        faults.iter().map(ToString::to_string).collect()
    }

    /// What is emitted breaks no rule of `check`; but objects that are read as a whole are told as a whole, and
    /// permissions are as wide as the monolith's.
    pub fn assert_lints_clean(&self) {
        let trees: BTreeMap<&StateId, MemoryTree> = self
            .rewritten
            .trees
            .iter()
            .map(|(id, files)| {
                let outside = match id {
                    StateId::Source(_) => Some(&self.rewritten.outside),
                    StateId::Stack(_) => None,
                };
                let files = files.iter().chain(outside.into_iter().flatten());
                let tree = files.fold(MemoryTree::new(), |tree, (path, bytes)| tree.with(path, bytes));
                (id, tree)
            })
            .collect();
        let stacks = trees.iter().map(|(id, tree)| Stack {
            name: id.name().to_string(),
            tree,
            paths: self.rewritten.trees[*id].keys().cloned().collect(),
            state: None,
            elsewhere: BTreeSet::new(),
        });
        let mut findings = lint::check(&lint::Input {
            stacks: stacks.collect(),
            ledger: Some(("contracts.json".to_owned(), self.rewritten.ledger.clone())),
            against: Some(self.rewritten.ledger.clone()),
        });
        findings.retain(|finding| !matches!(finding.rule, Rule::WholeObject | Rule::WidePermission));
        let stacks: Vec<String> = trees.keys().map(ToString::to_string).collect();
        let report = CheckReport::new(stacks, None, &findings);
        assert!(
            findings.is_empty(),
            "what is emitted is not clean:\n{}",
            report.text()
        );
    }
}
