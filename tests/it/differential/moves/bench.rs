//! Makes the same moves in both ways.

use std::fs;
use std::path::Path;

use stackcut::moves::{
    At, Changes, MoveError, MoveRequest, ProviderChoice, StateInput, States, apply, conserve, resolve,
};
use stackcut::stack::StateId;
use stackcut::state::Snapshot;

use super::reasons::{Reason, theirs};
use crate::support::terraform::Terraform;
use crate::support::tools::TerraformBin;

/// A directory with states and a Terraform to move in them.
pub(super) struct Bench {
    pub(super) dir: tempfile::TempDir,
    pub(super) tf: Terraform,
}

impl Bench {
    pub(super) fn new(bin: &TerraformBin) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let tf = Terraform::new(bin, dir.path());
        Self { dir, tf }
    }

    /// Lets Terraform write a state in its own way.
    pub(super) fn canonical(&self, text: &str) -> Snapshot {
        let _ = fs::remove_file(self.dir.path().join("terraform.tfstate"));
        fs::write(self.dir.path().join("pushed"), text).unwrap();
        self.tf.run(&["state", "push", "pushed"]).ok();
        read(&self.dir.path().join("terraform.tfstate"))
    }

    /// Runs `state mv` on copies of states; returns them afterwards.
    pub(super) fn state_mv(
        &self,
        from: &Snapshot,
        into: Option<&Snapshot>,
        pairs: &[(String, String)],
    ) -> Result<Vec<Snapshot>, Reason> {
        let file = |name: &str| self.dir.path().join(name);
        fs::write(file("from"), from.text()).unwrap();
        let mut options = vec!["state", "mv", "-no-color", "-state=from", "-backup=-"];
        if let Some(into) = into {
            fs::write(file("into"), into.text()).unwrap();
            options.extend(["-state-out=into", "-backup-out=-"]);
        }
        for (source, target) in pairs {
            let arguments: Vec<&str> = options.iter().copied().chain([source.as_str(), target]).collect();
            let output = self.tf.run(&arguments);
            if output.code != Some(0) {
                return Err(theirs(&output));
            }
        }
        let into = into.map(|_| "into");
        Ok(["from"]
            .into_iter()
            .chain(into)
            .map(|name| read(&file(name)))
            .collect())
    }
}

pub(super) fn read(path: &Path) -> Snapshot {
    Snapshot::read(fs::read(path).unwrap()).unwrap().unwrap()
}

pub(super) fn id(name: &str) -> StateId {
    StateId::Source(name.parse().unwrap())
}

/// Makes the same moves in one pass; the results are in the order of the states.
pub(super) fn in_one_pass(
    states: &[&Snapshot],
    pairs: &[(String, String)],
) -> Result<(Vec<Snapshot>, Changes), MoveError> {
    let ids = ["a-from", "b-into"].map(id);
    let inputs: States<'_> = states
        .iter()
        .zip(&ids)
        .map(|(snapshot, id)| (id.clone(), StateInput::Existing(snapshot)))
        .collect();
    let target = &ids[states.len() - 1];
    let requests: Vec<MoveRequest> = pairs
        .iter()
        .map(|(from, to)| MoveRequest {
            from: At::new(ids[0].clone(), from.parse().unwrap()),
            to: At::new(target.clone(), to.parse().unwrap()),
            provider: ProviderChoice::Keep,
        })
        .collect();
    let changes = resolve(&inputs, &requests)?;
    let outcome = apply(&inputs, &changes)?;
    let conserved = conserve(&inputs, &changes, outcome).unwrap_or_else(|error| panic!("{pairs:?}: {error}"));
    let results = conserved
        .states
        .into_iter()
        .zip(states)
        .map(|((_, outcome), before)| match outcome.written() {
            Some(snapshot) => snapshot.clone(),
            None => (*before).clone(),
        });
    Ok((results.collect(), changes))
}
