//! What an apply costs that cuts one source into a hundred new stacks, as a ratio in one run against one bare PUT per
//! object at the same concurrency. Run with `cargo bench --bench apply`.
//!
//! First over a store in memory whose calls take time: all the same, then as long as a table of assumptions says. With
//! `STACKCUT_BENCH_S3=http://127.0.0.1:PORT` also over S3 and DynamoDB there (an emulator: it makes a bucket and a table).
//! `STACKCUT_BENCH_PARALLEL=10,32` chooses the concurrencies. The emulator of the tests also tells how many requests
//! there were.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark prints, and stops where it cannot measure"
)]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use stackcut::backend::clock::SystemClock;
use stackcut::backend::gated::{Call, Gate, Gated, Operation};
use stackcut::backend::memory::MemoryStore;
use stackcut::backend::s3::{S3Clients, S3Config};
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
        let latency = self.latency.of(&call.operation);
        if !latency.is_zero() {
            std::thread::sleep(latency);
        }
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

/// What a run came to.
struct Row {
    /// Seconds.
    bare: f64,
    /// Seconds.
    apply: f64,
    /// Calls on the backend.
    calls: u64,
    /// Requests on the wire.
    requests: Option<usize>,
}

fn in_memory(cut: &Cut, latency: Latency, parallel: usize) -> Row {
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
    Row {
        bare,
        apply,
        calls: gate.calls.load(Ordering::Relaxed) - before,
        requests: None,
    }
}

/// Asks the emulator of the tests how many requests there were so far; another one does not know.
fn requests_so_far(host: &str) -> Option<usize> {
    let mut stream = BufReader::new(TcpStream::connect(host).ok()?);
    let ask = format!("GET /_requests/{ACCOUNT} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    stream.get_mut().write_all(ask.as_bytes()).ok()?;
    let mut count = 0;
    let mut line = String::new();
    // The server takes its time to close; the empty chunk is the end.
    while stream.read_line(&mut line).ok()? > 0 && line != "0\r\n" {
        if line.starts_with("HTTP/") && !line.contains(" 200 ") {
            return None;
        }
        count += usize::from(line.starts_with("s3 ") || line.starts_with("dynamodb "));
        line.clear();
    }
    Some(count)
}

/// An account of the emulator, which takes any key of twelve digits for one.
const ACCOUNT: &str = "100999000001";

/// Makes one call on the emulator, whose answer does not matter: bucket and table may be there from another run.
fn prepare(host: &str, service: &str, method: &str, path: &str, headers: &str, body: &str) {
    let mut stream = TcpStream::connect(host).unwrap();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nAuthorization: AWS4-HMAC-SHA256 \
         Credential={ACCOUNT}/20260101/eu-central-1/{service}/aws4_request, SignedHeaders=host, Signature=0\r\n\
         {headers}Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    // The head is enough; the server takes its time to close.
    let read = stream.read(&mut [0; 1024]).unwrap();
    assert!(read > 0);
}

fn in_s3(cut: &Cut, endpoint: &str, parallel: usize) -> Row {
    let host = endpoint.trim_start_matches("http://").trim_end_matches('/');
    let started = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let bucket = format!("bench-{}", started.unwrap().as_millis());
    let location = "<CreateBucketConfiguration><LocationConstraint>eu-central-1</LocationConstraint></CreateBucketConfiguration>";
    // The bare PUTs go to a bucket of their own, so that nothing of them stands among the states.
    let bare_bucket = format!("{bucket}-bare");
    for bucket in [&bucket, &bare_bucket] {
        prepare(host, "s3", "PUT", &format!("/{bucket}"), "", location);
    }
    prepare(
        host,
        "dynamodb",
        "POST",
        "/",
        "X-Amz-Target: DynamoDB_20120810.CreateTable\r\nContent-Type: application/x-amz-json-1.0\r\n",
        r#"{"TableName":"locks","KeySchema":[{"AttributeName":"LockID","KeyType":"HASH"}],"AttributeDefinitions":[{"AttributeName":"LockID","AttributeType":"S"}],"BillingMode":"PAY_PER_REQUEST"}"#,
    );
    let env = BTreeMap::from([
        ("AWS_ACCESS_KEY_ID", ACCOUNT),
        ("AWS_SECRET_ACCESS_KEY", "emulated"),
        ("AWS_REGION", "eu-central-1"),
        ("AWS_ENDPOINT_URL", endpoint),
        ("AWS_EC2_METADATA_DISABLED", "true"),
        ("AWS_CONFIG_FILE", "/dev/null"),
        ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null"),
    ]);
    let clients = S3Clients::new(Arc::new(SystemClock::default())).unwrap();
    let gate = Arc::new(Slow {
        latency: Latency::new(0, 0, 0),
        calls: AtomicU64::new(0),
    });
    let open = |bucket: &str, id: StateId| {
        let arguments = BTreeMap::from([
            ("bucket".to_owned(), bucket.to_owned()),
            ("key".to_owned(), format!("{id}/terraform.tfstate")),
            ("dynamodb_table".to_owned(), "locks".to_owned()),
        ]);
        let config = S3Config::effective(&arguments, "default", &|name| {
            env.get(name).map(|text| (*text).to_owned())
        });
        let plain: Arc<dyn StateBackend> = Arc::new(clients.open(config.unwrap()).unwrap());
        let counted: Arc<dyn StateBackend> = Arc::new(Gated::new(plain, &gate));
        (id, counted)
    };
    let handles: Handles = ids(cut).map(|id| open(&bucket, id)).collect();
    let bare_handles: Handles = ids(cut).map(|id| open(&bare_bucket, id)).collect();
    lay_out(cut, &*handles[&StateId::Source("mono".parse().unwrap())]);
    // Connections first, so that nobody pays for them.
    bare(cut, &bare_handles, parallel);
    let bare = bare(cut, &bare_handles, parallel);
    let before = gate.calls.load(Ordering::Relaxed);
    let sent = requests_so_far(host);
    let apply = apply(cut, &handles, parallel);
    let all = requests_so_far(host);
    Row {
        bare,
        apply,
        calls: gate.calls.load(Ordering::Relaxed) - before,
        requests: all.zip(sent).map(|(all, sent)| all - sent),
    }
}

fn row(store: &str, parallel: usize, states: usize, row: &Row) {
    let requests = row.requests.map_or_else(
        || "-".to_owned(),
        |requests| format!("{requests} ({:.2})", requests as f64 / states as f64),
    );
    println!(
        "{store:<46} {parallel:>8} {:>8.0} ms {:>8.0} ms {:>7} {requests:>14} {:>7.1}",
        row.bare * 1e3,
        row.apply * 1e3,
        row.calls,
        row.apply / row.bare
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
        "{:<46} {:>8} {:>11} {:>11} {:>7} {:>14} {:>7}",
        "store", "parallel", "bare PUTs", "apply", "calls", "requests (per)", "ratio"
    );
    for (name, latency) in [
        ("memory, every call 20 ms", Latency::new(20, 20, 20)),
        (
            "memory, assumed: PUT 40, GET 20, item 6 ms",
            Latency::new(40, 20, 6),
        ),
        (
            "memory, assumed: PUT 40, GET 20, item 20 ms",
            Latency::new(40, 20, 20),
        ),
    ] {
        for &parallel in &parallels {
            row(
                name,
                parallel,
                cut.sizes.len(),
                &in_memory(&cut, latency, parallel),
            );
        }
    }
    if let Ok(endpoint) = std::env::var("STACKCUT_BENCH_S3") {
        for &parallel in &parallels {
            row(
                "S3 and DynamoDB, emulated",
                parallel,
                cut.sizes.len(),
                &in_s3(&cut, &endpoint, parallel),
            );
        }
    }
}
