//! Executions seen by real Terraform: it reads what was written, and keeps away while we are at work.

use std::collections::BTreeMap;
use std::fs;
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use stackcut::backend::StateBackend;
use stackcut::backend::local::LocalBackend;
use stackcut::diagnostic::SourceFile;
use stackcut::execute::{
    self, Context, ExecuteError, Handles, Interrupt, Kind, Outcome, PlannedResults, SystemSurroundings,
};
use stackcut::journal::{Migration, MigrationId};
use stackcut::plan::PlanFile;
use stackcut::plan::compute::Inputs;
use stackcut::plan::migration::Fingerprint;
use stackcut::stack::{StateId, StateLocation};
use stackcut::state::{Lineage, Snapshot};

use crate::support::terraform::Terraform;
use crate::support::tools::tools;

const PLAN: &str = r#"
split "shop" {
  source {
    dir   = "mono"
    state = "terraform.tfstate"
  }

  defaults {
    backend "local" {
      path = "${stack}/terraform.tfstate"
    }
  }

  stack "orders" {
    layer = "service"
    take  = ["terraform_data.queue"]
  }

  stack "network" {
    layer    = "network"
    existing = true
    take     = ["module.net"]
  }
}
"#;

const QUEUES: &str = r#"
resource "terraform_data" "queue" {
  for_each = toset(["a.b", "c/\"d\"", "é"])
  input    = each.key
}
"#;

const NET: &str = "module \"net\" {\n  source = \"./net\"\n}\n";
const IN_NET: &str = "resource \"terraform_data\" \"vpc\" {\n  count = 2\n  input = { n = count.index }\n}\n";
const KEPT: &str = "resource \"terraform_data\" \"kept\" {\n  input = \"here\"\n}\n";
const ROUTER: &str = "resource \"terraform_data\" \"router\" {\n  input = 1\n}\n";
const NEW: &str = "resource \"terraform_data\" \"colleague\" {\n  input = \"new\"\n}\n";

fn id(name: &str) -> StateId {
    let parsed = name.parse().unwrap();
    if name == "shop" {
        StateId::Source(parsed)
    } else {
        StateId::Stack(parsed)
    }
}

/// The directory of each state.
const DIRS: [(&str, &str); 3] = [("shop", "mono"), ("orders", "orders"), ("network", "network")];

fn write_module(dir: &Path, files: &[(&str, &str)]) {
    for (name, text) in files {
        let path = dir.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
}

/// An applied monolith, an applied stack that gets something, and a stack that is yet to be.
fn lay_out(root: &Path, terraform: impl Fn(&str) -> Terraform) {
    write_module(
        &root.join("mono"),
        &[
            ("queues.tf", QUEUES),
            ("net.tf", NET),
            ("net/main.tf", IN_NET),
            ("kept.tf", KEPT),
        ],
    );
    write_module(&root.join("network"), &[("router.tf", ROUTER)]);
    write_module(&root.join("orders"), &[("queues.tf", QUEUES)]);
    for dir in ["mono", "network"] {
        terraform(dir).init();
        terraform(dir).apply();
    }
}

fn handles(root: &Path) -> Handles {
    let location = StateLocation {
        backend: "local".into(),
        arguments: BTreeMap::new(),
        workspace: "default".into(),
    };
    let open = |dir: &str| -> Arc<dyn StateBackend> {
        Arc::new(LocalBackend::from_location(&root.join(dir), &location).unwrap())
    };
    DIRS.iter().map(|(name, dir)| (id(name), open(dir))).collect()
}

/// Plans what the plan file says, as `stackcut plan` does.
fn plan(root: &Path, handles: &Handles) -> Migration {
    let file = SourceFile {
        path: "shop.hcl".into(),
        text: PLAN.into(),
    };
    let file = PlanFile::read(Arc::new(file)).unwrap();
    let snapshots: BTreeMap<StateId, Snapshot> = handles
        .iter()
        .filter_map(|(id, handle)| {
            let object = handle.read().unwrap().object?;
            Some((id.clone(), Snapshot::read(object.bytes).unwrap()?))
        })
        .collect();
    let inputs = Inputs {
        plan: &file,
        code: BTreeMap::new(),
        snapshots: snapshots
            .iter()
            .map(|(id, snapshot)| (id.clone(), snapshot))
            .collect(),
        lineages: BTreeMap::from([(id("orders"), Lineage::from_random([7; 16]))]),
    };
    let prints = Mutex::new(BTreeMap::new());
    let computed = inputs
        .compute(&|id, snapshot| {
            prints
                .lock()
                .unwrap()
                .insert(id.clone(), Fingerprint::of(snapshot));
            Ok(())
        })
        .unwrap();
    let locations = DIRS
        .iter()
        .map(|(name, dir)| {
            let path = root.join(dir).join("terraform.tfstate").display().to_string();
            let location = StateLocation {
                backend: "local".into(),
                arguments: BTreeMap::from([("path".to_owned(), path)]),
                workspace: "default".into(),
            };
            (id(name), location)
        })
        .collect();
    let plan = computed
        .migration(
            &file,
            "default",
            &locations,
            &snapshots,
            &prints.into_inner().unwrap(),
        )
        .unwrap();
    let mut next = 0_u8;
    let mut lock_ids = || {
        next += 1;
        [next; 16]
    };
    let fenced = |state: &StateId| matches!(state, StateId::Source(_));
    execute::migration(&plan, migration_id(), handles, fenced, &mut lock_ids).unwrap()
}

fn migration_id() -> MigrationId {
    "shop-1".parse().unwrap()
}

fn with_context<T>(session: &str, run: impl FnOnce(Context<'_>) -> T) -> T {
    run(Context {
        surroundings: &SystemSurroundings,
        session,
        who: "test@here",
        version: "0.1.0",
        lock_timeout: Duration::ZERO,
        settle: Duration::ZERO,
        parallelism: NonZeroUsize::new(4).unwrap(),
        interrupt: &Interrupt::default(),
        observer: &(),
    })
}

fn apply(handles: &Handles, migration: Migration) -> Result<Outcome, ExecuteError> {
    with_context("apply", |context| {
        execute::apply(context, handles, migration, &PlannedResults)
    })
}

fn find(handles: &Handles) -> execute::FoundJournal {
    execute::find(&id("shop"), &*handles[&id("shop")], &migration_id()).unwrap()
}

const MOVED: [&str; 3] = [
    r#"terraform_data.queue["a.b"]"#,
    r#"terraform_data.queue["c/\"d\""]"#,
    r#"terraform_data.queue["é"]"#,
];

#[test]
fn real_terraform_is_kept_out_by_the_fence_and_finds_everything_afterwards() {
    for bin in tools().terraforms() {
        let root = tempfile::tempdir().unwrap();
        let terraform = |dir: &str| Terraform::new(bin, root.path().join(dir));
        lay_out(root.path(), terraform);
        let handles = handles(root.path());
        let outcome = apply(&handles, plan(root.path(), &handles)).unwrap();
        assert!(matches!(outcome, Outcome::Fenced { .. }));

        // The old code would create everything again. It does not get that far.
        let refused = terraform("mono").run(&["apply", "-auto-approve", "-no-color"]);
        assert_ne!(refused.code, Some(0), "{refused}");
        assert!(
            refused.stderr.contains("Error acquiring the state lock"),
            "{refused}"
        );
        assert_eq!(terraform("mono").state_list(), ["terraform_data.kept"]);

        terraform("orders").init();
        assert_eq!(terraform("orders").state_list(), MOVED);
        terraform("orders").assert_no_changes();
        write_module(
            &root.path().join("network"),
            &[("net.tf", NET), ("net/main.tf", IN_NET)],
        );
        terraform("network").init();
        terraform("network").assert_no_changes();

        for file in ["queues.tf", "net.tf"] {
            fs::remove_file(root.path().join("mono").join(file)).unwrap();
        }
        let released = with_context("release", |context| {
            execute::release(context, &handles, find(&handles), &[], &PlannedResults)
        });
        assert_eq!(released.unwrap(), Outcome::Completed);
        terraform("mono").init();
        terraform("mono").assert_no_changes();
    }
}

#[test]
fn after_an_undo_the_old_code_has_no_changes() {
    for bin in tools().terraforms() {
        let root = tempfile::tempdir().unwrap();
        let terraform = |dir: &str| Terraform::new(bin, root.path().join(dir));
        lay_out(root.path(), terraform);
        let handles = handles(root.path());
        apply(&handles, plan(root.path(), &handles)).unwrap();
        let undone = with_context("undo", |context| {
            execute::undo(context, &handles, find(&handles), &PlannedResults)
        });
        assert_eq!(undone.unwrap(), Outcome::Undone);
        terraform("mono").assert_no_changes();
        terraform("network").assert_no_changes();
        assert!(!root.path().join("orders/terraform.tfstate").exists());
        // Terraform takes the state up where we left it.
        write_module(&root.path().join("mono"), &[("new.tf", NEW)]);
        terraform("mono").apply();
        terraform("mono").assert_no_changes();
    }
}

/// The classic hole: a long migration pulls, moves and pushes, and a colleague applies in between.
#[test]
fn a_colleagues_apply_in_between_is_lost_by_push_and_refused_by_us() {
    for bin in tools().terraforms() {
        let by_hand = tempfile::tempdir().unwrap();
        let terraform = |dir: &str| Terraform::new(bin, by_hand.path().join(dir));
        lay_out(by_hand.path(), terraform);
        let mono = terraform("mono");
        let work = by_hand.path().join("work.tfstate");
        fs::write(&work, mono.state_pull()).unwrap();
        let work = work.to_str().unwrap();
        let out = by_hand.path().join("out.tfstate").display().to_string();
        for address in MOVED {
            let args = [
                "state",
                "mv",
                &format!("-state={work}"),
                &format!("-state-out={out}"),
                address,
                address,
            ];
            mono.run(&args).ok();
        }
        write_module(&by_hand.path().join("mono"), &[("new.tf", NEW)]);
        mono.apply();
        let colleagues = "terraform_data.colleague".to_owned();
        assert!(mono.state_list().contains(&colleagues));
        // Exit code 0, and his resource is gone from the state.
        mono.run(&["state", "push", work]).ok();
        assert!(!mono.state_list().contains(&colleagues));

        let ours = tempfile::tempdir().unwrap();
        let terraform = |dir: &str| Terraform::new(bin, ours.path().join(dir));
        lay_out(ours.path(), terraform);
        let handles = handles(ours.path());
        let planned = plan(ours.path(), &handles);
        write_module(&ours.path().join("mono"), &[("new.tf", NEW)]);
        terraform("mono").apply();
        let before = terraform("mono").state_list();
        let error = apply(&handles, planned).unwrap_err();
        assert_eq!(error.kind(), Kind::StateChanged);
        assert!(before.contains(&colleagues));
        assert_eq!(terraform("mono").state_list(), before);
        assert!(terraform("orders").state_list().is_empty());
        // No lock is left: he can go on.
        terraform("mono").apply();
    }
}
