//! Damaged texts: no reader panics, what is refused is refused with a place, and what is read keeps its promises.
//!
//! Real files, damaged at random from fixed seeds; a failure names the file and the seed. A plain run takes a few
//! seconds; `STACKCUT_FUZZ=50 cargo test --release --test it fuzz::` goes on fifty times as long.

mod damage;
mod extremes;

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use stackcut::address::{
    ConfigResourceAddr, InstanceKey, ModuleInstanceAddr, MoveableAddr, ProviderConfigAddr,
    ResourceInstanceAddr,
};
use stackcut::config::{ConfigError, Configuration, LoadOptions};
use stackcut::diagnostic::{Diagnostic, SourceFile};
use stackcut::graph::{Graph, Joined};
use stackcut::moves::{At, MoveRequest, ProviderChoice, StateInput, States, apply, conserve, resolve};
use stackcut::plan::PlanFile;
use stackcut::source_tree::MemoryTree;
use stackcut::stack::StateId;
use stackcut::state::Snapshot;
use stackcut::state::testing::Random;

use damage::damaged;

/// Runs `check` on damaged copies of files, `each` of every one.
fn fuzz(paths: &[PathBuf], each: u64, check: impl Fn(&Path, Vec<u8>)) {
    let more: u64 =
        std::env::var("STACKCUT_FUZZ").map_or(1, |text| text.parse().expect("STACKCUT_FUZZ is a number"));
    let texts: Vec<Vec<u8>> = paths.iter().map(|path| fs::read(path).unwrap()).collect();
    assert!(!texts.is_empty());
    for (path, text) in paths.iter().zip(&texts) {
        for seed in 0..each * more {
            let mut random = Random::new(seed);
            let other = random.pick(&texts).clone();
            let bytes = damaged(&mut random, text, &other);
            let kept = bytes.clone();
            let outcome = catch_unwind(AssertUnwindSafe(|| check(path, bytes)));
            assert!(
                outcome.is_ok(),
                "{} with seed {seed}:\n{}",
                path.display(),
                String::from_utf8_lossy(&kept)
            );
        }
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Lists the files below a directory with one of these endings.
fn files(dir: &str, endings: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut waiting = vec![root().join(dir)];
    while let Some(dir) = waiting.pop() {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() {
                waiting.push(path);
            } else if endings.iter().any(|ending| name.ends_with(ending)) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// Every finding has a message, and a place that is in its text.
fn check_findings(found: &[Diagnostic]) {
    for finding in found {
        assert!(!finding.message.is_empty() && finding.to_string().contains(&finding.message));
        if let Some((file, span)) = &finding.location {
            assert!(span.start <= span.end && span.end <= file.text.len(), "{finding}");
        }
    }
}

#[test]
fn damaged_states_are_read_or_refused_with_a_place() {
    let states = files("testdata/states", &[".tfstate"]);
    fuzz(&states, 400, |_, bytes| match Snapshot::read(bytes.clone()) {
        Ok(None) => assert!(bytes.is_empty()),
        Ok(Some(snapshot)) => {
            assert_eq!(snapshot.bytes(), bytes);
            for instance in snapshot.instances() {
                let addr = instance.addr();
                // Terraform reads any text as the type and name of a resource; not all of them can be typed.
                let is_word = |text: &str| {
                    text.starts_with(|c: char| c.is_ascii_lowercase())
                        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
                };
                if is_word(&addr.resource.type_name) && is_word(&addr.resource.name) {
                    assert_eq!(addr.to_string().parse(), Ok(addr));
                }
            }
            move_everything(&snapshot);
        }
        Err(error) => {
            let place = error.place;
            assert!(place.offset <= bytes.len() && place.line >= 1 && place.column >= 1);
            assert!(!error.advice().is_empty() && !error.to_string().is_empty());
        }
    });
}

/// Whatever can be read can be cut: the first module or resource goes elsewhere, or the move is refused.
fn move_everything(snapshot: &Snapshot) {
    let Some(first) = snapshot.resources().next() else {
        return;
    };
    let ids = ["from", "into"].map(|name| StateId::Source(name.parse().unwrap()));
    let empty = r#"{"version":4,"serial":1,"lineage":"another","outputs":{},"resources":[]}"#;
    let empty = Snapshot::read(empty).unwrap().unwrap();
    let states: States<'_> = [
        (ids[0].clone(), StateInput::Existing(snapshot)),
        (ids[1].clone(), StateInput::Existing(&empty)),
    ]
    .into();
    let module = first.addr().module.clone();
    let addr = match module.is_root() {
        true => MoveableAddr::Resource(first.addr().clone()),
        false => MoveableAddr::Module(module),
    };
    let request = MoveRequest {
        from: At::new(ids[0].clone(), addr.clone()),
        to: At::new(ids[1].clone(), addr),
        provider: ProviderChoice::Auto,
    };
    let Ok(changes) = resolve(&states, &[request]) else {
        return;
    };
    if let Ok(outcome) = apply(&states, &changes) {
        let conserved = conserve(&states, &changes, outcome);
        assert!(conserved.is_ok(), "{conserved:?}");
    }
}

#[test]
fn damaged_code_is_read_or_refused_with_a_place() {
    let mut code = files("testdata", &[".tf", ".tf.json"]);
    code.retain(|path| fs::metadata(path).unwrap().len() < 8_000);
    fuzz(&code, 40, |path, bytes| {
        read_code(path.extension().unwrap() == "json", bytes);
    });
}

#[test]
fn damaged_json_code_is_read_or_refused_with_a_place() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("main.tf.json");
    fs::write(&path, JSON).unwrap();
    fuzz(&[path], 2_000, |_, bytes| read_code(true, bytes));
}

fn read_code(is_json: bool, bytes: Vec<u8>) {
    let name = if is_json { "main.tf.json" } else { "main.tf" };
    let tree = MemoryTree::new()
        .with(name, bytes)
        .with(
            "other.tf",
            "resource \"a_b\" \"c\" {}\nmodule \"m\" {\n  source = \"./m\"\n}\n",
        )
        .with(
            "m/main.tf",
            "variable \"x\" {}\noutput \"y\" {\n  value = var.x\n}\n",
        );
    match Configuration::load(&tree, &LoadOptions::default()) {
        Ok(configuration) => {
            check_findings(&configuration.diagnostics);
            let graph = Graph::build(&configuration);
            graph.reduced_resource_edges();
            Joined::new(graph, None, &Default::default());
        }
        Err(ConfigError::Source(error)) => panic!("a tree in memory can be read: {error}"),
        Err(ConfigError::Invalid { diagnostics, .. }) => {
            assert!(!diagnostics.is_empty());
            check_findings(&diagnostics);
        }
    }
}

const JSON: &str = r#"{
  "//": "a comment",
  "terraform": {"backend": {"s3": {"bucket": "b", "key": "k/\u00e9", "region": "eu-central-1"}}},
  "locals": [{"a": "${a_b.c.id}", "b": {"c": ["%{ for x in local.a }${x}%{ endfor }", 1.5e3, null, true]}}],
  "variable": {"x": {"type": "list(string)", "default": []}},
  "provider": {"aws": [{"region": "${var.x}"}, {"alias": "o", "region": "r"}]},
  "resource": {"a_b": {"d": {
    "count": "${length(var.x)}",
    "for_each": {"k\"": "v", "${local.a}": 1},
    "provider": "aws.o",
    "depends_on": ["a_b.c", "module.m"],
    "lifecycle": {"ignore_changes": ["tags"], "replace_triggered_by": ["a_b.c.id"]},
    "dynamic": {"ingress": {"for_each": "${var.x}", "iterator": "i", "content": {"port": "${i.value}"}}}
  }}},
  "data": {"a_b": {"e": {"x": "${a_b.d[0].id} ${a_b.d[*].id} ${a_b.d.*.id} $${no} ${\"in\\\"ner\"}"}}},
  "module": {"n": {"source": "./m", "x": "${module.m.y}", "providers": {"aws": "aws.o"}}},
  "output": {"o": {"value": "${data.a_b.e}", "sensitive": true}},
  "moved": [{"from": "a_b.old", "to": "a_b.d"}],
  "import": [{"to": "a_b.c", "id": "x"}]
}"#;

#[test]
fn damaged_plan_files_are_read_or_refused_with_a_place() {
    let plans = files("plans", &[".hcl"]);
    fuzz(&plans, 1_500, |path, bytes| {
        let file = Arc::new(SourceFile {
            path: path.display().to_string(),
            text: String::from_utf8_lossy(&bytes).into_owned(),
        });
        match PlanFile::read(file) {
            Ok(plan) => assert!(!plan.sources.is_empty()),
            Err(found) => {
                assert!(!found.is_empty());
                assert!(
                    found.iter().all(|finding| finding.location.is_some()),
                    "{found:?}"
                );
                check_findings(&found);
            }
        }
    });
}

#[test]
fn damaged_addresses_are_read_or_refused_with_a_place() {
    let dir = tempfile::tempdir().unwrap();
    let addresses = [
        "aws_vpc.main",
        "aws_subnet.a[10]",
        "module.m.module.n[\"k\"].data.aws_ami.x[0]",
        "module.s[\"a.b\\\"c\\\\\"].aws_iam_role.r[\"$${x}%%{y}\\n\\u00e9\"]",
        "resource.aws_vpc.é-ü[\"日本\"]",
        "module.a[\"x\"].module.b[3]",
        "module.m.provider[\"registry.terraform.io/hashicorp/aws\"].west",
        "provider[\"example.com/a/b\"].by[\"k.1\"]",
        "module.**.aws_*.x-*[\"*\"]",
    ];
    let paths: Vec<PathBuf> = addresses
        .iter()
        .enumerate()
        .map(|(number, text)| {
            let path = dir.path().join(number.to_string());
            fs::write(&path, text).unwrap();
            path
        })
        .collect();
    fuzz(&paths, 3_000, |_, bytes| {
        let text = String::from_utf8_lossy(&bytes);
        round_trip::<MoveableAddr>(&text);
        round_trip::<ResourceInstanceAddr>(&text);
        round_trip::<ModuleInstanceAddr>(&text);
        round_trip::<ConfigResourceAddr>(&text);
        round_trip::<ProviderConfigAddr>(&text);
        if let Ok(key) = text.parse::<InstanceKey>() {
            assert_eq!(key.to_string().parse(), Ok(key));
        }
        if let Err(error) = text.parse::<MoveableAddr>() {
            assert!(text.is_char_boundary(error.offset) && !error.reason.is_empty());
            assert_eq!(error.text, text);
        }
        // Patterns have no second reading to compare with.
        let _ = text.parse::<stackcut::address::pattern::Pattern>();
    });
}

/// What is read is printed so that it is read again as the same.
fn round_trip<T>(text: &str)
where
    T: std::str::FromStr + std::fmt::Display + PartialEq + std::fmt::Debug,
    T::Err: std::fmt::Debug,
{
    if let Ok(read) = text.parse::<T>() {
        let printed = read.to_string();
        match printed.parse::<T>() {
            Ok(again) => assert_eq!(again, read, "{text} → {printed}"),
            Err(error) => panic!("{text} → {printed}: {error:?}"),
        }
    }
}
