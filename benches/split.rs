//! One table: what a whole `stackcut split` costs, as ratios in one run against `md5sum` of the same bytes and against
//! one `terraform state mv` on the same file; and how fast HCL is read. Run with `cargo bench`.
//!
//! `STACKCUT_BENCH_SIZES=2000,20000,200000` chooses the sizes (default: the first two). Times are medians of five whole
//! processes after a warm-up; memory is the peak of the process as the kernel counted it.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark prints, and stops where it cannot measure"
)]

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use stackcut::config::{Configuration, LoadOptions};
use stackcut::source_tree::MemoryTree;
use stackcut::state::testing::generate_state;

/// As in the binary.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Runs a command and prints wall seconds and peak kilobytes, as the kernel accounts them for the finished process.
const MEASURE: &str = "
import os, sys, time
start = time.perf_counter()
pid = os.fork()
if pid == 0:
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1); os.dup2(null, 2)
    os.execvp(sys.argv[1], sys.argv[1:])
_, status, usage = os.wait4(pid, 0)
print(time.perf_counter() - start, usage.ru_maxrss, os.waitstatus_to_exitcode(status))
";

/// What a whole process cost.
struct Cost {
    seconds: f64,
    peak_bytes: f64,
}

fn measure(command: &[&str], runs: usize) -> Cost {
    let mut seconds = Vec::new();
    let mut peak = 0.0_f64;
    for run in 0..=runs {
        let output = Command::new("python3")
            .args(["-c", MEASURE])
            .args(command)
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let figures: Vec<f64> = text
            .split_whitespace()
            .map(|figure| figure.parse().unwrap())
            .collect();
        assert!(figures[2] == 0.0, "{command:?} failed");
        if run > 0 {
            seconds.push(figures[0]);
            peak = peak.max(figures[1] * 1024.0);
        }
    }
    seconds.sort_by(f64::total_cmp);
    Cost {
        seconds: seconds[seconds.len() / 2],
        peak_bytes: peak,
    }
}

/// Writes a root module with a state of that size, and a plan file that cuts it into a hundred stacks.
fn prepare(resources: usize) -> PathBuf {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("bench-{resources}"));
    fs::create_dir_all(dir.join("monolith")).unwrap();
    let state = generate_state(resources, 1);
    fs::write(dir.join("monolith/terraform.tfstate"), state.text).unwrap();
    fs::write(
        dir.join("monolith/main.tf"),
        "terraform {\n  required_version = \">= 1.0\"\n}\n",
    )
    .unwrap();
    let mut plan = String::from("split \"bench\" {\n  source {\n    dir = \"monolith\"\n  }\n");
    for service in &state.services {
        write!(
            plan,
            "  stack \"{service}\" {{\n    take = [\"module.{service}\"]\n  }}\n"
        )
        .unwrap();
    }
    plan.push_str("}\n");
    fs::write(dir.join("plan.hcl"), plan).unwrap();
    dir
}

fn row(resources: usize) -> String {
    let dir = prepare(resources);
    let path = |name: &str| dir.join(name).display().to_string();
    let out = path("out");
    let split = [
        env!("CARGO_BIN_EXE_stackcut"),
        "split",
        &path("monolith"),
        "--plan",
        &path("plan.hcl"),
        "--out",
        &out,
    ];
    let cut = measure(&split, 5);
    let source = path("monolith/terraform.tfstate");
    let read = fs::metadata(&source).unwrap().len() as f64;
    let mut files = vec![source.clone()];
    files.extend(
        fs::read_dir(dir.join("out/states"))
            .unwrap()
            .map(|entry| entry.unwrap().path().display().to_string()),
    );
    let written: f64 = files[1..]
        .iter()
        .map(|file| fs::metadata(file).unwrap().len() as f64)
        .sum();
    let mut digest = vec!["md5sum"];
    digest.extend(files.iter().map(String::as_str));
    let md5 = measure(&digest, 5);
    let moved = state_move(&dir, &source);
    format!(
        "| {resources} | {:.1} MB | {:.0} ms | {:.0} ms | {:.2} | {:.2} | {} |",
        read / 1e6,
        cut.seconds * 1e3,
        md5.seconds * 1e3,
        cut.seconds / md5.seconds,
        cut.peak_bytes / read,
        moved.map_or_else(
            || "no terraform here".to_owned(),
            |seconds| format!(
                "{:.1} s, {:.0} × the whole split ({:.0} MB written)",
                seconds,
                seconds / cut.seconds,
                written / 1e6
            )
        )
    )
}

/// Times one `terraform state mv` of one resource out of the same file.
fn state_move(dir: &Path, source: &str) -> Option<f64> {
    Command::new("terraform").arg("version").output().ok()?;
    let work = dir.join("mv");
    let _ = fs::remove_dir_all(&work);
    fs::create_dir_all(&work).unwrap();
    fs::copy(source, work.join("terraform.tfstate")).unwrap();
    let start = Instant::now();
    let output = Command::new("terraform")
        .current_dir(&work)
        .env("CHECKPOINT_DISABLE", "1")
        .args([
            "state",
            "mv",
            "-state=terraform.tfstate",
            "-state-out=other.tfstate",
        ])
        .args(["module.svc_000.aws_iam_role.item_000002", "aws_iam_role.moved"])
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    Some(start.elapsed().as_secs_f64())
}

/// Collects the `.tf` files below a directory, by path relative to `root`.
fn sources(root: &Path, dir: &Path, found: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(root, &path, found);
        } else if path.extension().is_some_and(|ending| ending == "tf") {
            let relative = path.strip_prefix(root).unwrap().display().to_string();
            found.push((relative, fs::read_to_string(&path).unwrap()));
        }
    }
}

/// Reads a few megabytes: a root module that calls sixty copies of the example monolith, references and all.
fn hcl() -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/acme");
    let mut files = Vec::new();
    sources(&root, &root, &mut files);
    let mut tree = MemoryTree::new();
    let mut bytes = 0;
    for copy in 0..60 {
        tree = tree.with(
            &format!("c{copy}.tf"),
            format!("module \"c{copy}\" {{\n  source = \"./c{copy}\"\n}}\n"),
        );
        for (path, text) in &files {
            tree = tree.with(&format!("c{copy}/{path}"), text);
            bytes += text.len();
        }
    }
    let mut seconds: Vec<f64> = (0..5)
        .map(|_| {
            let start = Instant::now();
            Configuration::load(&tree, &LoadOptions::default()).unwrap();
            start.elapsed().as_secs_f64()
        })
        .collect();
    seconds.sort_by(f64::total_cmp);
    format!(
        "HCL: {:.1} MB read in {:.0} ms: {:.0} MB/s",
        bytes as f64 / 1e6,
        seconds[2] * 1e3,
        bytes as f64 / 1e6 / seconds[2]
    )
}

fn main() {
    let sizes = std::env::var("STACKCUT_BENCH_SIZES").unwrap_or_else(|_| "2000,20000".to_owned());
    println!(
        "| resources | state | split into 100 stacks | md5sum of all bytes | ratio | peak memory / state | one `terraform state mv` |"
    );
    println!("|---:|---:|---:|---:|---:|---:|---|");
    for size in sizes.split(',') {
        println!("{}", row(size.trim().parse().unwrap()));
    }
    println!("\n{}", hcl());
}
