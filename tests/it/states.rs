//! Every state of the corpora and of `testdata/states`: what is version 4 is read and comes back byte for byte, what is
//! not is refused with a place and an advice.

#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a failing test may panic, and says what it leaves out"
)]

mod program;

use std::fs;
use std::path::{Path, PathBuf};

use stackcut::moves::{
    At, Changes, HuskMove, InstanceMove, NewState, ProviderChoice, StateInput, StateOutcome, States, apply,
    conserve,
};
use stackcut::stack::StateId;
use stackcut::state::{Layout, Lineage, Refusal, ResourceOrder, Snapshot, TopField, reformat_into};

/// Finds the corpora; they lie beside the project and are not part of it.
fn corpora() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpora");
    let dir = std::env::var_os("STACKCUT_CORPORA").map_or(beside, PathBuf::from);
    if dir.is_dir() {
        return Some(dir);
    }
    eprintln!(
        "corpora not found at {}: only testdata/states is read; set STACKCUT_CORPORA to read them",
        dir.display()
    );
    None
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).unwrap();
    let mut found: Vec<_> = entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file())
        .collect();
    found.sort();
    assert!(!found.is_empty(), "{} holds no file", dir.display());
    found
}

fn check_read(path: &Path) {
    let bytes = fs::read(path).unwrap();
    let snapshot = Snapshot::read(bytes.clone())
        .unwrap_or_else(|error| panic!("{}: {error}\n{}", path.display(), error.advice()))
        .unwrap();
    assert_eq!(snapshot.bytes(), bytes, "{}", path.display());
    let json: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
    check_against(&snapshot, &json, path);
    // What Terraform or OpenTofu laid out, our layouts lay out the same way. (Most others were touched by hand.)
    let name = path.file_name().unwrap().to_string_lossy();
    if ["e2e-", "opentofu-", "terraform-1.1"]
        .iter()
        .any(|prefix| name.starts_with(prefix))
    {
        assert_ne!(snapshot.layout(), Layout::Foreign, "{}", path.display());
        let mut again = String::new();
        reformat_into(snapshot.text(), snapshot.layout(), 0, &mut again);
        assert_eq!(again, snapshot.text().trim_end(), "{}", path.display());
    }
}

/// Compares what was read with what another JSON reader says.
fn check_against(snapshot: &Snapshot, json: &serde_json::Value, path: &Path) {
    let entries = json["resources"].as_array().cloned().unwrap_or_default();
    assert_eq!(snapshot.resources().len(), entries.len(), "{}", path.display());
    for (resource, entry) in snapshot.resources().zip(&entries) {
        let addr = resource.addr();
        assert_eq!(addr.type_name, entry["type"].as_str().unwrap());
        assert_eq!(addr.name, entry["name"].as_str().unwrap());
        assert_eq!(addr.mode.to_string(), entry["mode"].as_str().unwrap());
        assert_eq!(addr.module.to_string(), entry["module"].as_str().unwrap_or(""));
        assert_eq!(
            serde_json::from_str::<serde_json::Value>(resource.text()).unwrap(),
            *entry
        );
        let objects = entry["instances"].as_array().cloned().unwrap_or_default();
        assert_eq!(resource.instances().len(), objects.len());
        for (instance, object) in resource.instances().zip(&objects) {
            assert_eq!(
                serde_json::from_str::<serde_json::Value>(instance.text()).unwrap(),
                *object
            );
            assert_eq!(instance.tainted(), object["status"] == "tainted");
            assert_eq!(instance.deposed(), object["deposed"].as_str());
            assert_eq!(
                instance.schema_version(),
                object["schema_version"].as_u64().unwrap_or(0)
            );
            assert_eq!(
                instance.dependencies().len(),
                object["dependencies"].as_array().map_or(0, Vec::len)
            );
        }
    }
    let outputs = json["outputs"].as_object().cloned().unwrap_or_default();
    assert_eq!(snapshot.outputs().len(), outputs.len());
    for output in snapshot.outputs() {
        assert_eq!(output.sensitive(), outputs[output.name()]["sensitive"] == true);
    }
    assert_eq!(snapshot.serial().0, json["serial"].as_u64().unwrap_or(0));
    assert_eq!(
        snapshot.lineage().as_str(),
        json["lineage"].as_str().unwrap_or("")
    );
}

#[test]
fn our_samples_come_back_byte_for_byte() {
    for path in files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/states")) {
        check_read(&path);
    }
}

#[test]
fn every_version_4_state_of_the_corpora_comes_back_byte_for_byte() {
    let Some(corpora) = corpora() else { return };
    let states = files(&corpora.join("states/v4"));
    assert!(states.len() > 200, "only {} states", states.len());
    for path in states {
        // A fixture whose point is that Terraform refuses it.
        if path.ends_with("driftctl__iac__terraform__state__testdata__v4__invalid_version.tfstate") {
            let error = Snapshot::read(fs::read(&path).unwrap()).unwrap_err();
            assert_eq!(error.refusal, Refusal::TerraformVersion);
            assert_eq!((error.place.line, error.place.column), (3, 24));
            continue;
        }
        check_read(&path);
    }
}

#[test]
fn other_states_of_the_corpora_are_refused_with_advice() {
    let Some(corpora) = corpora() else { return };
    for path in files(&corpora.join("states/v3")) {
        let error = Snapshot::read(fs::read(&path).unwrap()).unwrap_err();
        assert!(
            matches!(error.refusal, Refusal::OldVersion { .. } | Refusal::BackendRecord),
            "{}: {error}",
            path.display()
        );
    }
    let encrypted = corpora.join("states/opentofu-1.12.6__encrypted.tfstate");
    let error = Snapshot::read(fs::read(encrypted).unwrap()).unwrap_err();
    assert_eq!(error.refusal, Refusal::Encrypted);
    assert!(error.advice().contains("tofu apply"));
}

/// Moves everything whose number `picks` from one state to another, under its old address.
fn transfer(
    (from, source): (&StateId, &Snapshot),
    (to, target): (&StateId, StateInput<'_>),
    picks: impl Fn(usize) -> bool,
) -> (Option<Snapshot>, Option<Snapshot>) {
    let mut changes = Changes::default();
    for resource in source.resources().filter(|resource| picks(resource.index())) {
        if resource.is_husk() {
            changes.husks.push(HuskMove {
                from: At::new(from.clone(), resource.addr().clone()),
                to: At::new(to.clone(), resource.addr().clone()),
                provider: ProviderChoice::Keep,
            });
        }
        let mut last = None;
        for instance in resource
            .instances()
            .filter(|instance| last.replace(instance.key()) != Some(instance.key()))
        {
            changes.instances.push(InstanceMove {
                from: At::new(from.clone(), instance.addr()),
                to: At::new(to.clone(), instance.addr()),
                provider: ProviderChoice::Keep,
            });
        }
    }
    let states: States<'_> = [(from.clone(), StateInput::Existing(source)), (to.clone(), target)]
        .into_iter()
        .collect();
    let outcome = apply(&states, &changes).unwrap();
    let conserved = conserve(&states, &changes, outcome).unwrap();
    let mut taken = [None, None];
    for (id, outcome) in conserved.states {
        if let StateOutcome::Written(snapshot) = outcome {
            taken[usize::from(id == *to)] = Some(*snapshot);
        }
    }
    let [left, right] = taken;
    (left, right)
}

/// Cuts every other resource out of a state, or all of them, and puts them back; tells whether every byte came back.
fn check_cut(path: &Path, all: bool) -> bool {
    let original = Snapshot::read(fs::read(path).unwrap()).unwrap().unwrap();
    let (source, stack) = (
        StateId::Source("mono".parse().unwrap()),
        StateId::Stack("part".parse().unwrap()),
    );
    let new = NewState::like(&original, Lineage::new("a lineage of its own"));
    let (left, right) = transfer((&source, &original), (&stack, StateInput::New(new)), |at| {
        all || at % 2 == 1
    });
    let Some(right) = right else {
        assert!(
            original.resources().len() <= usize::from(!all),
            "{}",
            path.display()
        );
        return false;
    };
    let left = left.unwrap();
    assert_eq!(
        left.object_count() + right.object_count(),
        original.object_count()
    );
    let (_, back) = transfer((&stack, &right), (&source, StateInput::Existing(&left)), |_| true);
    let back = back.unwrap();
    assert_eq!(back.serial().0, original.serial().0 + 2, "{}", path.display());
    // Where the original is in Terraform's order and layout, nothing but dependencies across the cut is lost.
    let orders: Vec<_> = original
        .resources()
        .map(|resource| ResourceOrder::of(resource.addr()))
        .collect();
    let mut canonical = String::new();
    reformat_into(original.text(), Layout::Indented, 0, &mut canonical);
    if !orders.is_sorted() || canonical != original.text().trim_end() {
        return false;
    }
    for (before, after) in original.resources().zip(back.resources()) {
        assert_eq!(before.addr(), after.addr(), "{}", path.display());
        for (before, after) in before.instances().zip(after.instances()) {
            let kept = before
                .dependencies()
                .all(|entry| after.dependencies().any(|found| found == entry));
            assert!(
                !kept || before.text() == after.text(),
                "{}: {}",
                path.display(),
                before.addr()
            );
        }
    }
    let resources =
        |snapshot: &Snapshot| snapshot.text()[snapshot.field(TopField::Resources).unwrap().value].len();
    let kept = original
        .instances()
        .zip(back.instances())
        .all(|(a, b)| a.text() == b.text());
    assert!(
        !kept || resources(&original) == resources(&back),
        "{}",
        path.display()
    );
    kept
}

#[test]
fn every_version_4_state_is_cut_and_put_together_again() {
    let mut states = files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/states"));
    if let Some(corpora) = corpora() {
        states.extend(files(&corpora.join("states/v4")));
    }
    let (mut cut, mut restored) = (0, 0);
    for path in states {
        if Snapshot::read(fs::read(&path).unwrap()).is_ok() {
            cut += 2;
            restored += usize::from(check_cut(&path, false)) + usize::from(check_cut(&path, true));
        }
    }
    assert!(
        restored * 5 > cut,
        "every byte came back of only {restored} of {cut}"
    );
}
