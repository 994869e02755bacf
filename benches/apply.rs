//! What an apply costs that cuts one source into a hundred new stacks, as a ratio in one run against one bare PUT per
//! object at the same concurrency. Run with `cargo bench --bench apply`.
//!
//! First over a store in memory whose calls take time: all the same, then as long as a table of assumptions says. With
//! `STACKCUT_BENCH_S3=http://127.0.0.1:PORT` also over S3 and DynamoDB there (an emulator: it makes a bucket and a table).
//! `STACKCUT_BENCH_PARALLEL=10,32` chooses the concurrencies.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark prints, and stops where it cannot measure"
)]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use stackcut::backend::gated::{Call, Gate, Gated, Operation};
use stackcut::backend::memory::MemoryStore;
use stackcut::backend::{BackendError, LockId, LockInfo, StateBackend};
use stackcut::diagnostic::SourceFile;
use stackcut::execute::{self, Context, Handles, Interrupt, Outcome, PlannedResults, SystemSurroundings};
use stackcut::plan::compute::Inputs;
use stackcut::plan::migration::Fingerprint;
use stackcut::plan::{MigrationPlan, PlanFile};
use stackcut::stack::{StateId, StateLocation};
use stackcut::state::testing::generate_state;
use stackcut::state::{Lineage, Snapshot};

const RESOURCES: usize = 2000;

/// One migration, planned once, and what it writes.
struct Cut {
    plan: MigrationPlan,
    source: Vec<u8>,
    sizes: Vec<usize>,
}

fn cut() -> Cut {
    let state = generate_state(RESOURCES, 1);
    let mut text = String::from("split \"bench\" {\n  source \"mono\" {\n    dir = \"mono\"\n  }\n");
    text.push_str("  defaults {\n    backend \"local\" {\n      path = \"${stack}.tfstate\"\n    }\n  }\n");
    for service in &state.services {
        write!(
            text,
            "  stack \"{service}\" {{\n    take = [\"module.{service}\"]\n  }}\n"
        )
        .unwrap();
    }
    text.push_str("}\n");
    let file = PlanFile::read(Arc::new(SourceFile {
        path: "bench.hcl".into(),
        text,
    }))
    .unwrap();
    let mono = StateId::Source("mono".parse().unwrap());
    let stacks = || {
        state
            .services
            .iter()
            .map(|name| StateId::Stack(name.parse().unwrap()))
    };
    let snapshot = Snapshot::read(state.text.clone()).unwrap().unwrap();
    let snapshots = BTreeMap::from([(mono.clone(), snapshot)]);
    let inputs = Inputs {
        plan: &file,
        code: BTreeMap::new(),
        snapshots: snapshots.iter().map(|(id, found)| (id.clone(), found)).collect(),
        lineages: stacks()
            .zip(1_u8..)
            .map(|(id, number)| (id, Lineage::from_random([number; 16])))
            .collect(),
    };
    let taken = Mutex::new((BTreeMap::new(), Vec::new()));
    let computed = inputs
        .compute(&|id, found| {
            let mut taken = taken.lock().unwrap();
            taken.0.insert(id.clone(), Fingerprint::of(found));
            taken.1.push(found.text().len());
            Ok(())
        })
        .unwrap();
    let location = |id: &StateId| StateLocation {
        backend: "local".into(),
        arguments: BTreeMap::from([("path".to_owned(), format!("/{id}.tfstate"))]),
        workspace: "default".into(),
    };
    let locations = stacks()
        .chain([mono.clone()])
        .map(|id| (id.clone(), location(&id)))
        .collect();
    let (prints, sizes) = taken.into_inner().unwrap();
    Cut {
        plan: computed
            .migration(&file, "default", &locations, &snapshots, &prints)
            .unwrap(),
        source: state.text.into_bytes(),
        sizes,
    }
}

/// How long calls take.
#[derive(Clone, Copy)]
struct Latency {
    object_write: Duration,
    object_read: Duration,
    item: Duration,
}

impl Latency {
    const fn new(object_write: u64, object_read: u64, item: u64) -> Self {
        Self {
            object_write: Duration::from_millis(object_write),
            object_read: Duration::from_millis(object_read),
            item: Duration::from_millis(item),
        }
    }

    fn of(self, operation: &Operation) -> Duration {
        match operation {
            Operation::Write { .. } | Operation::CreateSidecar(_) | Operation::PutSidecar(_) => {
                self.object_write
            }
            Operation::Lock(_) | Operation::Unlock(_) | Operation::WriteDigest | Operation::ReadLock => {
                self.item
            }
            _ => self.object_read,
        }
    }
}

/// Makes every call take its time, and counts them.
struct Slow {
    latency: Latency,
    calls: AtomicU64,
}

impl Gate for Slow {
    fn pass<T>(&self, call: Call, run: impl FnOnce() -> Result<T, BackendError>) -> Result<T, BackendError> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        std::thread::sleep(self.latency.of(&call.operation));
        run()
    }
}

/// Runs something on every number below `count`, that many at once.
fn at_once(parallel: usize, count: usize, run: impl Fn(usize) + Sync) {
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..parallel.min(count) {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    if at >= count {
                        break;
                    }
                    run(at);
                }
            });
        }
    });
}

/// Writes one object per result, of the same sizes, and nothing else.
fn bare(cut: &Cut, handles: &Handles, parallel: usize) -> f64 {
    let stores: Vec<_> = handles.values().collect();
    let bodies: Vec<Vec<u8>> = cut.sizes.iter().map(|size| vec![b'x'; *size]).collect();
    let name = "bench/bare.json".parse().unwrap();
    let start = Instant::now();
    at_once(parallel, stores.len(), |at| {
        stores[at].put_sidecar(&name, &bodies[at]).unwrap();
    });
    start.elapsed().as_secs_f64()
}

/// Writes the source as it is before the cut.
fn lay_out(cut: &Cut, store: &dyn StateBackend) {
    let info = LockInfo {
        id: LockId::from_random([0xaa; 16]),
        operation: "bench".into(),
        info: String::new(),
        who: "bench".into(),
        version: String::new(),
        created: "2026-11-25T00:00:00Z".parse().unwrap(),
        path: String::new(),
    };
    let lock = store.lock(&info).unwrap();
    store
        .write(&lock, &cut.source, &store.read().unwrap().expect())
        .unwrap();
    store
        .write_digest(&lock, &stackcut::state::Md5Digest::of(&cut.source))
        .unwrap();
    store.unlock(&info.id).unwrap();
}

fn apply(cut: &Cut, handles: &Handles, parallel: usize) -> f64 {
    let mut next = 0_u8;
    let mut lock_ids = || {
        next += 1;
        [next; 16]
    };
    let id = "bench".parse().unwrap();
    let migration = execute::migration(&cut.plan, id, handles, |_| false, &mut lock_ids).unwrap();
    let context = Context {
        surroundings: &SystemSurroundings,
        session: "bench",
        who: "bench@here",
        version: "0",
        lock_timeout: Duration::ZERO,
        settle: Duration::ZERO,
        parallelism: NonZeroUsize::new(parallel).unwrap(),
        interrupt: &Interrupt::default(),
        observer: &(),
    };
    let start = Instant::now();
    let outcome = execute::apply(context, handles, migration, &PlannedResults).unwrap();
    let seconds = start.elapsed().as_secs_f64();
    assert_eq!(outcome, Outcome::Completed);
    seconds
}

fn ids(cut: &Cut) -> impl Iterator<Item = StateId> {
    cut.plan.states.iter().map(|state| state.id.clone())
}

fn in_memory(cut: &Cut, latency: Latency, parallel: usize) -> (f64, f64, u64) {
    let store = MemoryStore::default();
    let open = |gate: &Arc<Slow>| -> Handles {
        ids(cut)
            .map(|id| {
                let plain: Arc<dyn StateBackend> = Arc::new(store.state(&format!("bucket/{id}.tfstate")));
                let slow: Arc<dyn StateBackend> = Arc::new(Gated::new(plain, gate));
                (id, slow)
            })
            .collect()
    };
    let gate = Arc::new(Slow {
        latency,
        calls: AtomicU64::new(0),
    });
    let handles = open(&gate);
    lay_out(cut, &store.state("bucket/mono.tfstate"));
    let bare = bare(cut, &handles, parallel);
    let before = gate.calls.load(Ordering::Relaxed);
    let apply = apply(cut, &handles, parallel);
    (bare, apply, gate.calls.load(Ordering::Relaxed) - before)
}

fn row(store: &str, parallel: usize, (bare, apply, calls): (f64, f64, u64)) {
    let calls = if calls == 0 {
        "-".to_owned()
    } else {
        calls.to_string()
    };
    println!(
        "{store:<46} {parallel:>8} {:>8.0} ms {:>8.0} ms {:>7} {:>7.1}",
        bare * 1e3,
        apply * 1e3,
        calls,
        apply / bare
    );
}

fn main() {
    let parallels = std::env::var("STACKCUT_BENCH_PARALLEL").unwrap_or_else(|_| "10,32,100".into());
    let parallels: Vec<usize> = parallels.split(',').map(|one| one.parse().unwrap()).collect();
    let cut = cut();
    let written: usize = cut.sizes.iter().sum();
    println!(
        "1 source of {:.1} MB -> {} states of {:.0} KB on average\n",
        cut.source.len() as f64 / 1e6,
        cut.plan.states.len(),
        written as f64 / 1e3 / cut.sizes.len() as f64
    );
    println!(
        "{:<46} {:>8} {:>11} {:>11} {:>7} {:>7}",
        "store", "parallel", "bare PUTs", "apply", "calls", "ratio"
    );
    for (name, latency) in [
        ("memory, every call 20 ms", Latency::new(20, 20, 20)),
        (
            "memory, assumed: PUT 40, GET 20, item 6 ms",
            Latency::new(40, 20, 6),
        ),
    ] {
        for &parallel in &parallels {
            row(name, parallel, in_memory(&cut, latency, parallel));
        }
    }
}
