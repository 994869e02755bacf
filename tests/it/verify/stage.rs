//! What the tests of the proof share: a rehearsal of what a [`Lab`] cut, and looks at what came of it.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use stackcut::diagnostic::Diagnostic;
use stackcut::stack::StateId;
use stackcut::terraform::{Original, Stop, Terraform};
use stackcut::verify::{Parts, Proof, Rehearsal, RootProof, Source, Verdict, VerifyError};

use crate::rewrite::lab::{CutMade, Lab};
use crate::support::terraform as support;
use crate::support::tools::{TerraformBin, tools};

/// A monolith whose values must not be shown: each of them has `PLANTED` in it.
pub const CODE: &str = r#"
variable "size" {
  default = 1
}

resource "terraform_data" "vpc" {
  input = { id = "PLANTED-vpc", size = var.size }
}

resource "terraform_data" "queue" {
  for_each = toset(["in", "out.v2"])

  input = "PLANTED-${terraform_data.vpc.output.id}-${each.key}"
}

resource "terraform_data" "rest" {
  input            = "PLANTED-rest"
  triggers_replace = "PLANTED-once"
}
"#;

/// Its stacks.
pub const STACKS: &str = r#"
  stack "network" { take = ["terraform_data.vpc"] }
  stack "queues" { take = ["terraform_data.queue"] }
"#;

/// Everything but the binary that a rehearsal of a cut takes.
pub struct Stage {
    pub monolith: PathBuf,
    pub outside: Vec<String>,
    pub env: Vec<(OsString, OsString)>,
    pub parallelism: usize,
    pub program: PathBuf,
}

impl Stage {
    /// Terraform 1.15 on what a lab has.
    pub fn new(lab: &Lab) -> Self {
        Self::with(lab, tools().terraform())
    }

    /// Another binary.
    pub fn with(lab: &Lab, bin: &TerraformBin) -> Self {
        Self {
            monolith: lab.monolith.clone(),
            outside: Vec::new(),
            env: support::Terraform::base_env(),
            parallelism: 2,
            program: bin.path.clone(),
        }
    }

    pub fn run(&self, cut: &CutMade) -> Proof {
        self.try_run(cut, &|| false).expect("nobody interrupts")
    }

    pub fn try_run(&self, cut: &CutMade, stop: Stop<'_>) -> Result<Proof, VerifyError> {
        let terraform = Terraform::find(Some(&self.program), &|| false).expect("the test tools are there");
        let terraform = terraform.envs(self.env.iter().cloned());
        let original = Original {
            dir: self.monolith.clone(),
            data_dir: self.monolith.join(".terraform"),
            outside: self.outside.iter().cloned().collect(),
        };
        let after: BTreeMap<StateId, &[u8]> = cut
            .after
            .iter()
            .map(|(id, bytes)| (id.clone(), bytes.as_slice()))
            .collect();
        let source = Source {
            original,
            before: &cut.before,
            variable_paths: cut.variable_paths.clone(),
        };
        let sources = BTreeMap::from([(cut.source.clone(), source)]);
        let rehearsal = Rehearsal::new(&Parts {
            environment: "default",
            rewritten: &cut.rewritten,
            after: &after,
            sources: &sources,
            locations: &cut.locations,
            moves: &cut.moves,
        });
        let steps = Mutex::new(0);
        let bound = NonZeroUsize::new(self.parallelism).unwrap();
        let proof = rehearsal.run(&terraform, bound, stop, &|_| *steps.lock().unwrap() += 1)?;
        assert_eq!(
            *steps.lock().unwrap(),
            rehearsal.stacks.len() + 1,
            "a line of progress for each"
        );
        Ok(proof)
    }
}

/// Returns the proof of one root module.
pub fn root<'p>(proof: &'p Proof, name: &str) -> &'p RootProof {
    let found = proof.roots.iter().find(|root| root.id.name().as_str() == name);
    found.unwrap_or_else(|| panic!("no {name} in\n{}", proof.text()))
}

/// Returns every verdict by name.
pub fn verdicts(proof: &Proof) -> Vec<(&str, Verdict)> {
    proof
        .roots
        .iter()
        .map(|root| (root.id.name().as_str(), root.verdict))
        .collect()
}

/// Panics with everything that is known unless the proof holds.
pub fn assert_holds(proof: &Proof) {
    assert!(proof.holds(), "{}\n{}", proof.text(), shown(&proof.faults()));
    assert!(proof.warnings().is_empty(), "{}", shown(&proof.warnings()));
}

pub fn shown(faults: &[Diagnostic]) -> String {
    let shown: Vec<String> = faults.iter().map(ToString::to_string).collect();
    shown.join("\n\n")
}

/// Replaces text in a file of a stack; it must be there.
pub fn edit(cut: &mut CutMade, stack: &str, path: &str, from: &str, to: &str) {
    let trees = &mut cut.rewritten.trees;
    let tree = trees
        .iter_mut()
        .find(|(id, _)| id.name().as_str() == stack)
        .expect("there is such a stack")
        .1;
    let bytes = tree.get_mut(path).unwrap_or_else(|| panic!("no {path}"));
    let text = String::from_utf8(bytes.clone()).unwrap();
    assert!(text.contains(from), "{text}");
    *bytes = text.replace(from, to).into_bytes();
}

/// Returns one line for everything below a directory: path, kind, size, time of change, hash of the content.
pub fn fingerprint(dir: &Path) -> Vec<String> {
    use std::os::unix::fs::MetadataExt as _;
    let mut found = Vec::new();
    let mut queue = vec![dir.to_owned()];
    while let Some(at) = queue.pop() {
        let meta = std::fs::symlink_metadata(&at).unwrap();
        let mut line = format!(
            "{} {:o} {}.{}",
            at.display(),
            meta.mode(),
            meta.mtime(),
            meta.mtime_nsec()
        );
        if meta.is_dir() {
            queue.extend(std::fs::read_dir(&at).unwrap().map(|entry| entry.unwrap().path()));
        } else if meta.is_file() {
            let hash = stackcut::state::Md5Digest::of(&std::fs::read(&at).unwrap());
            line.push_str(&format!(" {} {hash}", meta.len()));
        }
        found.push(line);
    }
    found.sort();
    found
}
