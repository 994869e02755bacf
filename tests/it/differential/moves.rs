//! Our moves against `terraform state mv`: what it allows we allow, what it refuses we refuse for the same reason, and
//! the results are the same, byte for byte, but for the differences listed in [`Difference`].

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use stackcut::address::{ModuleInstanceAddr, MoveableAddr, ResourceAddr};
use stackcut::moves::{
    At, Changes, MoveError, MoveRequest, ProviderChoice, StateInput, States, apply, conserve, resolve,
};
use stackcut::stack::StateId;
use stackcut::state::testing::{ModelInstance, ModelResource, Random};
use stackcut::state::{Instance, Layout, Snapshot};

use super::cases;
use crate::support::terraform::{Output, Terraform};
use crate::support::tools::{Flavour, TerraformBin, tools};

/// Where we differ from Terraform, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Difference {
    /// `state mv` clears the whole list of everything that mentions what moved; we put the new address into it.
    Cleared,
    /// `state mv` keeps entries that name nothing in the state where the object goes; we drop them.
    Dangling,
    /// `state mv` leaves entries as they are where they name a keyed module, or only some of what they name moved; we
    /// put the new address into the list.
    Stale,
    /// `state mv` lets an object join a resource of another provider and so changes its provider; we refuse.
    Provider,
    /// A resource that has one instance without key and others with keys: to `state mv` its address means the one
    /// without key, to us all of them.
    MixedKeys,
    /// Moving something to where it is: `state mv` says that the place is taken, we say what is wrong.
    SamePlace,
}

/// What a refusal is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Reason {
    Type,
    Mode,
    Kind,
    Root,
    NotFound,
    WholeResource,
    InstanceExists,
    ResourceExists,
    ModuleExists,
    Provider,
    SamePlace,
}

/// Returns what a refusal by Terraform is about.
fn theirs(output: &Output) -> Reason {
    let said = output.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
    let reasons = [
        ("resource types don't match", Reason::Type),
        ("can be moved only to another", Reason::Mode),
        (
            "so the target must also be a whole resource",
            Reason::WholeResource,
        ),
        ("the target must also be a", Reason::Kind),
        ("does not match anything in the current state", Reason::NotFound),
        ("The current state does not contain", Reason::NotFound),
        (
            "there is already a resource instance at that address",
            Reason::InstanceExists,
        ),
        (
            "there is already a resource at that address",
            Reason::ResourceExists,
        ),
        ("destination module already exists", Reason::ModuleExists),
    ];
    let mut found = reasons.iter().filter(|(text, _)| said.contains(text));
    let (_, reason) = found
        .next()
        .unwrap_or_else(|| panic!("an unknown refusal\n{output}"));
    *reason
}

/// Returns what a refusal of ours is about.
fn ours(error: &MoveError) -> Reason {
    match error {
        MoveError::NotFound { .. } => Reason::NotFound,
        MoveError::SamePlace { .. } => Reason::SamePlace,
        MoveError::TypeDiffers { .. } => Reason::Type,
        MoveError::ModeDiffers { .. } => Reason::Mode,
        MoveError::KindDiffers { .. } => Reason::Kind,
        MoveError::RootModule { .. } => Reason::Root,
        MoveError::WholeResource { .. } => Reason::WholeResource,
        MoveError::InstanceExists { .. } => Reason::InstanceExists,
        MoveError::ResourceExists { .. } => Reason::ResourceExists,
        MoveError::ModuleExists { .. } => Reason::ModuleExists,
        MoveError::ProviderDiffers { .. } => Reason::Provider,
        other => panic!("a refusal that one move cannot have: {other}"),
    }
}

/// A directory with states and a Terraform to move in them.
struct Bench {
    dir: tempfile::TempDir,
    tf: Terraform,
}

impl Bench {
    fn new(bin: &TerraformBin) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let tf = Terraform::new(bin, dir.path());
        Self { dir, tf }
    }

    /// Lets Terraform write a state in its own way.
    fn canonical(&self, text: &str) -> Snapshot {
        let _ = fs::remove_file(self.dir.path().join("terraform.tfstate"));
        fs::write(self.dir.path().join("pushed"), text).unwrap();
        self.tf.run(&["state", "push", "pushed"]).ok();
        read(&self.dir.path().join("terraform.tfstate"))
    }

    /// Runs `state mv` on copies of states; returns them afterwards.
    fn state_mv(
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

fn read(path: &Path) -> Snapshot {
    Snapshot::read(fs::read(path).unwrap()).unwrap().unwrap()
}

fn id(name: &str) -> StateId {
    StateId::Source(name.parse().unwrap())
}

/// Makes the same moves in one pass; the results are in the order of the states.
fn in_one_pass(
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

/// Compares two results of the same moves; `moves` is how often Terraform wrote, each time with a new serial.
fn compare(
    states: &[&Snapshot],
    before: &Snapshot,
    (theirs, ours): (&Snapshot, &Snapshot),
    moves: u64,
    changes: &Changes,
) -> BTreeSet<Difference> {
    assert_eq!(ours.lineage(), theirs.lineage());
    assert_eq!(ours.terraform_version(), theirs.terraform_version());
    assert_eq!(ours.serial().0, before.serial().0 + 1);
    assert_eq!(theirs.serial().0, before.serial().0 + moves);
    let entries = |snapshot: &Snapshot| -> Vec<String> {
        let entry = |resource: stackcut::state::Resource<'_>| {
            // What stops over in a resource on its way takes that resource's provider along with `state mv`, and in one
            // pass it never is there; so providers are compared move by move.
            let provider = resource.provider().filter(|_| moves == 1);
            format!("{} {:?}", resource.addr(), provider.map(ToString::to_string))
        };
        snapshot.resources().map(entry).collect()
    };
    assert_eq!(entries(ours), entries(theirs));
    let place = |instance: &Instance<'_>| format!("{} {:?}", instance.addr(), instance.deposed());
    let places = |instances: &[Instance<'_>]| -> Vec<String> { instances.iter().map(place).collect() };
    let (our_objects, their_objects) = (objects(ours), objects(theirs));
    assert_eq!(places(&our_objects), places(&their_objects));
    let mut found = BTreeSet::new();
    for (our_object, their_object) in our_objects.into_iter().zip(their_objects) {
        assert_eq!(but_dependencies(our_object), but_dependencies(their_object));
        let before = origin(states, our_object, changes);
        let list = |object: Instance<'_>| object.dependencies().map(ToString::to_string).collect::<Vec<_>>();
        let (we, they, was) = (list(our_object), list(their_object), list(before));
        assert!(
            they == was || they.is_empty(),
            "{}: {they:?} was {was:?}",
            our_object.addr()
        );
        if we != they {
            let dropped = they == was && we.iter().all(|entry| was.contains(entry));
            found.insert(match (they.is_empty(), dropped) {
                (true, _) => Difference::Cleared,
                (false, true) => Difference::Dangling,
                (false, false) => Difference::Stale,
            });
        }
    }
    // What surrounds the objects, byte for byte. Terraform has no order for keys of two kinds in one resource.
    let is_mixed = |resource: stackcut::state::Resource<'_>| has_mixed_keys(resource);
    if found.is_empty() && moves == 1 && !ours.resources().any(is_mixed) {
        assert_same(ours.text(), theirs.text());
    }
    found
}

/// Returns the objects in the order of the text, but where keys of two kinds meet: Terraform's order of those is
/// another one each time.
fn objects(snapshot: &Snapshot) -> Vec<Instance<'_>> {
    let mut all = Vec::new();
    for resource in snapshot.resources() {
        let mut instances: Vec<_> = resource.instances().collect();
        if has_mixed_keys(resource) {
            instances.sort_by_key(|instance| (instance.key().cloned(), instance.deposed()));
        }
        all.extend(instances);
    }
    all
}

/// Finds what an object was before the moves.
fn origin<'a>(states: &[&'a Snapshot], object: Instance<'_>, changes: &Changes) -> Instance<'a> {
    let addr = object.addr();
    let moved = changes.instances.iter().find(|moved| moved.to.addr == addr);
    // A name that both states have is found in the state that has this very object.
    let was = moved.map_or(&addr, |moved| &moved.from.addr);
    let same = |found: &Instance<'_>| {
        found.addr() == *was
            && found.deposed() == object.deposed()
            && found.attributes() == object.attributes()
    };
    let mut all = states.iter().flat_map(|snapshot| snapshot.instances());
    all.find(same).unwrap_or_else(|| panic!("{addr} was nowhere"))
}

fn has_mixed_keys(resource: stackcut::state::Resource<'_>) -> bool {
    use stackcut::address::InstanceKey;
    let kinds = resource.instances().filter_map(Instance::key);
    let kinds: BTreeSet<bool> = kinds.map(|key| matches!(key, InstanceKey::Int(_))).collect();
    kinds.len() == 2
}

/// Compares texts line by line, so that a difference can be read.
fn assert_same(left: &str, right: &str) {
    for (number, (left, right)) in left.lines().zip(right.lines()).enumerate() {
        assert_eq!(left, right, "line {}", number + 1);
    }
    assert!(left == right, "one text goes on");
}

/// The lines of an object without its `dependencies`, and without the commas that they change.
fn but_dependencies(instance: Instance<'_>) -> String {
    let mut inside = false;
    let mut kept = String::new();
    for line in instance.text().lines().map(str::trim) {
        inside |= line.starts_with("\"dependencies\": [");
        if !inside {
            kept.push_str(line.trim_end_matches(','));
            kept.push('\n');
        }
        inside &= !line.starts_with(']');
    }
    kept
}

/// Makes one move in both ways and tells how they differ.
fn judge(
    bench: &Bench,
    states: &[&Snapshot],
    pair: &(String, String),
) -> (Result<(), Reason>, BTreeSet<Difference>) {
    let pairs = std::slice::from_ref(pair);
    let they = bench.state_mv(states[0], states.get(1).copied(), pairs);
    let we = in_one_pass(states, pairs);
    let differs = |difference| BTreeSet::from([difference]);
    match (they, we) {
        (Ok(_), Ok((_, changes))) if changes.instances.len() > 1 && is_single_too(states[0], &pair.0) => {
            (Ok(()), differs(Difference::MixedKeys))
        }
        (Ok(they), Ok((we, changes))) => {
            let results = states.iter().zip(they.iter().zip(&we));
            let found = results.map(|(before, results)| compare(states, before, results, 1, &changes));
            (Ok(()), found.flatten().collect())
        }
        (Err(they), Err(error)) => {
            let found = match (they, ours(&error)) {
                (they, we) if they == we => BTreeSet::new(),
                (
                    Reason::InstanceExists | Reason::ResourceExists | Reason::ModuleExists,
                    Reason::SamePlace,
                ) => differs(Difference::SamePlace),
                _ if is_single_too(states[0], &pair.0) => differs(Difference::MixedKeys),
                // Two things are wrong, and each side says one.
                (Reason::WholeResource, Reason::Kind | Reason::Type | Reason::Mode)
                | (Reason::Type, Reason::Mode) => BTreeSet::new(),
                (they, we) => panic!("{pair:?}: Terraform says {they:?}, we say {we:?}: {error}"),
            };
            (Err(they), found)
        }
        (Ok(_), Err(error)) => match ours(&error) {
            Reason::Provider => (Ok(()), differs(Difference::Provider)),
            _ if is_single_too(states[0], &pair.0) => (Ok(()), differs(Difference::MixedKeys)),
            _ => panic!("{pair:?}: Terraform allows it, we say: {error}"),
        },
        (Err(they), Ok(_)) => panic!("{pair:?}: we allow it, Terraform says {they:?}"),
    }
}

/// Tells whether a resource has an instance without key beside others.
fn is_single_too(snapshot: &Snapshot, addr: &str) -> bool {
    let Ok(addr) = addr.parse::<ResourceAddr>() else {
        return false;
    };
    let keys = snapshot
        .resource(&addr)
        .into_iter()
        .flat_map(|resource| resource.instances());
    let keys: BTreeSet<bool> = keys.map(|instance| instance.key().is_some()).collect();
    keys.len() == 2
}

/// A state to try every rule on: `address keys < dependencies`, one entry a line.
const MONOLITH: &str = r#"
    terraform_data.one -
    terraform_data.other - < terraform_data.one, data.terraform_remote_state.one
    terraform_data.list 0,1,2,10 < terraform_data.one
    terraform_data.map "k","x.y","q\"\\","${v}" < terraform_data.list, terraform_data.one
    terraform_data.mixed -,1,"s"
    null_resource.one -
    data.terraform_remote_state.one -
    module.m.terraform_data.one - < terraform_data.one
    module.m.module.n["k"].terraform_data.one - < module.m.terraform_data.one
    module.fe["x"].terraform_data.one - < terraform_data.map
    module.outer.module.n["k"].terraform_data.one -
    module.shell.module.inner.terraform_data.one -
    module.fe["y.z"].terraform_data.one - < terraform_data.map
    module.fe["y.z"].module.deep[0].terraform_data.list 0,1 < module.fe.terraform_data.one
"#;

/// What can be asked for, and what Terraform says to it.
const RULES: &[(&str, &str, Result<(), Reason>)] = &[
    // Everything an instance can become.
    ("terraform_data.one", "terraform_data.new", Ok(())),
    ("terraform_data.one", "terraform_data.new[0]", Ok(())),
    ("terraform_data.one", "terraform_data.new[\"a.b\"]", Ok(())),
    ("terraform_data.list[1]", "terraform_data.new", Ok(())),
    ("terraform_data.list[0]", "terraform_data.new[\"zero\"]", Ok(())),
    ("terraform_data.map[\"x.y\"]", "terraform_data.new[7]", Ok(())),
    (
        "terraform_data.map[\"q\\\"\\\\\"]",
        "terraform_data.new[\"é<&>\"]",
        Ok(()),
    ),
    (
        "terraform_data.map[\"$${v}\"]",
        "terraform_data.new[\"%%{w}\"]",
        Ok(()),
    ),
    // Into a resource that is there.
    ("terraform_data.one", "terraform_data.list[3]", Ok(())),
    ("terraform_data.list[1]", "terraform_data.list[3]", Ok(())),
    ("terraform_data.list[1]", "terraform_data.list[\"one\"]", Ok(())),
    ("terraform_data.list[1]", "terraform_data.map[\"one\"]", Ok(())),
    ("terraform_data.list[1]", "terraform_data.list", Ok(())),
    ("terraform_data.list[1]", "module.m.terraform_data.one[0]", Ok(())),
    ("terraform_data.one", "terraform_data.list", Ok(())),
    (
        "terraform_data.one",
        "terraform_data.list[1]",
        Err(Reason::InstanceExists),
    ),
    (
        "terraform_data.list[1]",
        "terraform_data.map[\"k\"]",
        Err(Reason::InstanceExists),
    ),
    (
        "terraform_data.list[1]",
        "terraform_data.one",
        Err(Reason::InstanceExists),
    ),
    // Whole resources.
    ("terraform_data.list", "terraform_data.new", Ok(())),
    (
        "terraform_data.map",
        "module.new[\"a.b\"].terraform_data.map",
        Ok(()),
    ),
    (
        "terraform_data.list",
        "terraform_data.new[0]",
        Err(Reason::WholeResource),
    ),
    (
        "terraform_data.list",
        "terraform_data.map",
        Err(Reason::ResourceExists),
    ),
    (
        "terraform_data.one",
        "terraform_data.other",
        Err(Reason::InstanceExists),
    ),
    (
        "terraform_data.one",
        "terraform_data.one",
        Err(Reason::InstanceExists),
    ),
    ("terraform_data.mixed", "terraform_data.new[0]", Ok(())),
    ("terraform_data.mixed", "terraform_data.new", Ok(())),
    // Modules.
    ("module.m", "module.new", Ok(())),
    ("module.m", "module.new[\"k\"].module.newer[3]", Ok(())),
    ("module.fe[\"x\"]", "module.new", Ok(())),
    ("module.fe[\"y.z\"]", "module.new[0]", Ok(())),
    ("module.fe[\"x\"]", "module.fe[\"z\"]", Ok(())),
    ("module.fe[\"x\"]", "module.fe", Ok(())),
    ("module.m.module.n[\"k\"]", "module.n", Ok(())),
    ("module.m", "module.fe[\"x\"]", Err(Reason::ModuleExists)),
    ("module.m", "module.fe", Ok(())),
    // Modules merge where no module instance has resources from both sides.
    ("module.m", "module.outer", Err(Reason::ModuleExists)),
    ("module.shell", "module.m", Ok(())),
    ("module.shell", "module.fe[\"y.z\"]", Ok(())),
    ("module.outer", "module.shell", Ok(())),
    ("module.outer", "module.m", Err(Reason::ModuleExists)),
    ("module.fe", "module.new", Err(Reason::NotFound)),
    ("module.fe[\"nope\"]", "module.new", Err(Reason::NotFound)),
    ("module.m", "module.m", Err(Reason::ModuleExists)),
    // Into modules and out of them.
    ("module.m.terraform_data.one", "terraform_data.new", Ok(())),
    (
        "module.fe[\"x\"].terraform_data.one",
        "terraform_data.new[\"x\"]",
        Ok(()),
    ),
    (
        "terraform_data.one",
        "module.new.module.newer[\"a\"].terraform_data.one",
        Ok(()),
    ),
    (
        "module.m.terraform_data.one",
        "terraform_data.one",
        Err(Reason::InstanceExists),
    ),
    // What does not fit together.
    ("terraform_data.one", "null_resource.new", Err(Reason::Type)),
    (
        "data.terraform_remote_state.one",
        "data.terraform_remote_state.new",
        Ok(()),
    ),
    (
        "data.terraform_remote_state.one",
        "terraform_remote_state.new",
        Err(Reason::Mode),
    ),
    ("terraform_data.one", "data.terraform_data.new", Err(Reason::Mode)),
    ("module.m", "terraform_data.new", Err(Reason::Kind)),
    ("terraform_data.list[0]", "module.new", Err(Reason::Kind)),
    ("terraform_data.nope", "terraform_data.new", Err(Reason::NotFound)),
    (
        "terraform_data.list[7]",
        "terraform_data.new",
        Err(Reason::NotFound),
    ),
    (
        "terraform_data.list[\"0\"]",
        "terraform_data.new",
        Err(Reason::NotFound),
    ),
    (
        "terraform_data.map[0]",
        "terraform_data.new",
        Err(Reason::NotFound),
    ),
    (
        "data.terraform_data.one",
        "data.terraform_data.new",
        Err(Reason::NotFound),
    ),
];

#[test]
fn every_rule_of_state_mv_is_ours_too() {
    for bin in terraforms() {
        let bench = Bench::new(bin);
        let before = bench.canonical(&monolith());
        let mut seen = BTreeSet::new();
        for (from, to, expected) in RULES {
            let pair = ((*from).to_owned(), (*to).to_owned());
            let (outcome, differences) = judge(&bench, &[&before], &pair);
            assert_eq!(outcome, *expected, "{pair:?} with Terraform {}", bin.version);
            seen.extend(differences);
        }
        // Each difference shows, and no other does.
        assert_eq!(
            seen.into_iter().collect::<Vec<_>>(),
            [
                Difference::Cleared,
                Difference::Stale,
                Difference::MixedKeys,
                Difference::SamePlace
            ]
        );
    }
}

#[test]
fn moves_into_another_state_are_those_of_state_out() {
    for bin in terraforms() {
        let bench = Bench::new(bin);
        let from = bench.canonical(&monolith());
        let into = bench.canonical(&state(
            "terraform_data.list 5\nterraform_data.there -\nmodule.m.null_resource.there -\nmodule.full.terraform_data.there -",
            "into",
        ));
        let mut seen = BTreeSet::new();
        for (source, target, expected) in [
            ("terraform_data.one", "terraform_data.one", Ok(())),
            ("terraform_data.list", "terraform_data.new", Ok(())),
            ("terraform_data.list[2]", "terraform_data.list[2]", Ok(())),
            ("module.fe[\"y.z\"]", "module.fe[\"y.z\"]", Ok(())),
            (
                "module.m.terraform_data.one",
                "module.m.terraform_data.one",
                Ok(()),
            ),
            (
                "terraform_data.list",
                "terraform_data.list",
                Err(Reason::ResourceExists),
            ),
            (
                "terraform_data.list[2]",
                "terraform_data.list[5]",
                Err(Reason::InstanceExists),
            ),
            ("module.m", "module.full", Err(Reason::ModuleExists)),
            (
                "terraform_data.nope",
                "terraform_data.nope",
                Err(Reason::NotFound),
            ),
        ] {
            let pair = (source.to_owned(), target.to_owned());
            let (outcome, differences) = judge(&bench, &[&from, &into], &pair);
            assert_eq!(outcome, expected, "{pair:?} with Terraform {}", bin.version);
            seen.extend(differences);
        }
        assert_eq!(seen.into_iter().collect::<Vec<_>>(), [Difference::Dangling]);
    }
}

#[test]
fn random_moves_on_random_states_end_alike() {
    for seed in cases(3) {
        for bin in terraforms() {
            let mut random = Random::new(seed);
            let bench = Bench::new(bin);
            let before = bench.canonical(&model(&mut random));
            let mut accepted = Vec::new();
            for _ in 0..14 {
                let pair = random_pair(&mut random, &before);
                let (outcome, differences) = judge(&bench, &[&before], &pair);
                if outcome.is_ok() && differences.iter().all(|found| *found <= Difference::Stale) {
                    accepted.push(pair);
                }
            }
            many_in_one_pass(&bench, &before, &accepted);
        }
    }
}

/// What Terraform does one after the other we do in one pass.
fn many_in_one_pass(bench: &Bench, before: &Snapshot, candidates: &[(String, String)]) {
    let mut pairs: Vec<(String, String)> = Vec::new();
    let mut expected = before.clone();
    for pair in candidates {
        let Ok(mut after) = bench.state_mv(&expected, None, std::slice::from_ref(pair)) else {
            continue;
        };
        let tried: Vec<_> = pairs.iter().chain([pair]).cloned().collect();
        match in_one_pass(&[before], &tried) {
            Ok(_) => {}
            // The differences of single moves; the move is left out here.
            Err(error) if matches!(ours(&error), Reason::Provider | Reason::WholeResource) => continue,
            Err(error) => panic!("{tried:?}: {error}"),
        }
        expected = after.remove(0);
        pairs = tried;
    }
    if !pairs.is_empty() {
        let (we, changes) = in_one_pass(&[before], &pairs).unwrap();
        if changes != Changes::default() {
            compare(
                &[before],
                before,
                (&expected, &we[0]),
                pairs.len() as u64,
                &changes,
            );
        }
    }
}

/// Our results are states to Terraform: they can be pushed over the old ones and come back as they are.
#[test]
fn results_can_be_pushed_listed_and_pulled() {
    for bin in terraforms() {
        let bench = Bench::new(bin);
        let before = bench.canonical(&state(
            &MONOLITH.replace("mixed -,1,\"s\"", "mixed 1"),
            "monolith",
        ));
        let pairs: Vec<(String, String)> = [
            ("terraform_data.one", "module.new[\"a.b\"].terraform_data.one[3]"),
            ("terraform_data.list[1]", "terraform_data.map[\"from.list\"]"),
            ("module.fe[\"y.z\"]", "module.z"),
            ("terraform_data.list", "terraform_data.map2"),
        ]
        .map(|(from, to)| (from.to_owned(), to.to_owned()))
        .into();
        let (after, _) = in_one_pass(&[&before], &pairs).unwrap();
        fs::write(bench.dir.path().join("result"), after[0].text()).unwrap();
        bench.tf.run(&["state", "push", "result"]).ok();
        let stored = fs::read_to_string(bench.dir.path().join("terraform.tfstate")).unwrap();
        // Over a state that is there, `state push` counts once more.
        let serial = |number: u64| format!("\"serial\": {number},");
        let number = after[0].serial().0;
        assert_same(
            &stored,
            &after[0].text().replacen(&serial(number), &serial(number + 1), 1),
        );
        // `state pull` ends its output with one more line break.
        assert_same(bench.tf.state_pull().trim_end(), stored.trim_end());
        let mut listed: Vec<_> = after[0].instances().map(Instance::addr).collect();
        listed.sort_by(stackcut::address::cmp_state_list);
        listed.dedup();
        let listed: Vec<String> = listed.iter().map(ToString::to_string).collect();
        assert_eq!(bench.tf.state_list(), listed);
    }
}

#[test]
fn random_states_are_listed_in_terraforms_order() {
    for seed in cases(6) {
        let bench = Bench::new(tools().terraform());
        let before = bench.canonical(&model(&mut Random::new(100 + seed)));
        let mut listed: Vec<_> = before.instances().map(Instance::addr).collect();
        listed.sort_by(stackcut::address::cmp_state_list);
        listed.dedup();
        let listed: Vec<String> = listed.iter().map(ToString::to_string).collect();
        assert_eq!(bench.tf.state_list(), listed, "seed {seed}");
    }
}

fn terraforms() -> impl Iterator<Item = &'static TerraformBin> {
    // Where OpenTofu differs in its own way it has tests of its own.
    tools()
        .terraforms()
        .iter()
        .filter(|bin| bin.flavour == Flavour::Terraform)
}

/// Makes a random state of what every Terraform keeps: no fields of tomorrow, no providers of OpenTofu, no husks.
fn model(random: &mut Random) -> String {
    let mut model = loop {
        let model = random.model(14, Layout::Indented);
        if model.resources.len() > 5 {
            break model;
        }
    };
    model.serial = 7;
    model.outputs.clear();
    for resource in &mut model.resources {
        let own = resource
            .instances
            .iter_mut()
            .filter_map(|instance| instance.provider.take())
            .last();
        if own.is_some() {
            resource.provider = Some("provider[\"example.com/foo/bar\"]".to_owned());
        }
    }
    model.resources.retain(|resource| !resource.instances.is_empty());
    model.render()
}

/// Makes a move: something that is there, or nearly, to a place that is free, or taken, or of another kind.
fn random_pair(random: &mut Random, snapshot: &Snapshot) -> (String, String) {
    let addrs: Vec<_> = snapshot.instances().map(Instance::addr).collect();
    let chosen = random.pick(&addrs).clone();
    let modules: Vec<ModuleInstanceAddr> =
        std::iter::successors(Some(chosen.resource.module.clone()), ModuleInstanceAddr::parent)
            .filter(|module| !module.is_root())
            .collect();
    let from = match random.below(4) {
        0 if !modules.is_empty() => MoveableAddr::Module(random.pick(&modules).clone()),
        1 => MoveableAddr::Resource(chosen.resource.clone()),
        _ => moveable(chosen.clone()),
    };
    let mut other = random.pick(&addrs).clone();
    let to = match &from {
        MoveableAddr::Module(_) if !random.once_in(10) => {
            let mut module = random.module();
            while module.is_root() {
                module = random.module();
            }
            if random.once_in(3) && !other.resource.module.is_root() {
                module = other.resource.module;
            }
            MoveableAddr::Module(module)
        }
        _ if random.once_in(20) => MoveableAddr::Module(ModuleInstanceAddr::default().child("new", None)),
        _ => {
            if !random.once_in(8) {
                other.resource.type_name.clone_from(&chosen.resource.type_name);
                other.resource.mode = chosen.resource.mode;
            }
            if random.once_in(2) {
                other.resource.name = "new".to_owned();
            }
            match random.below(3) {
                0 => other.resource.module = random.module(),
                1 => other.key = random.key(),
                _ => {}
            }
            if matches!(from, MoveableAddr::Resource(_)) && !random.once_in(4) {
                other.key = None;
            }
            moveable(other)
        }
    };
    (from.to_string(), to.to_string())
}

fn moveable(addr: stackcut::address::ResourceInstanceAddr) -> MoveableAddr {
    match addr.key {
        None => MoveableAddr::Resource(addr.resource),
        Some(_) => MoveableAddr::Instance(addr),
    }
}

fn monolith() -> String {
    state(MONOLITH, "monolith")
}

/// Lays out a state; attributes tell objects apart and are hard to print back.
fn state(lines: &str, lineage: &str) -> String {
    let mut model = Random::new(0).model(0, Layout::Indented);
    model.lineage = lineage.to_owned();
    model.serial = 7;
    model.outputs.clear();
    model.unknown.clear();
    let providers = BTreeMap::from([
        ("terraform_data", "provider[\"terraform.io/builtin/terraform\"]"),
        (
            "terraform_remote_state",
            "provider[\"terraform.io/builtin/terraform\"]",
        ),
        (
            "null_resource",
            "module.m.provider[\"registry.terraform.io/hashicorp/null\"].in",
        ),
    ]);
    for line in lines.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (head, dependencies) = line.split_once(" < ").unwrap_or((line, ""));
        let (addr, keys) = head.rsplit_once(' ').unwrap();
        let addr: ResourceAddr = addr.parse().unwrap();
        let instances = keys.split(',').map(|key| ModelInstance {
            key: match key {
                "-" => None,
                key => Some(match serde_json::from_str(key).unwrap() {
                    serde_json::Value::String(text) => stackcut::address::InstanceKey::Str(text),
                    number => stackcut::address::InstanceKey::Int(number.as_u64().unwrap()),
                }),
            },
            deposed: None,
            tainted: key == "1",
            provider: None,
            attributes: format!(
                r#"{{"id":{},"big":12345678901234567890.10,"e":1e400,"html":"<&>","dup":1,"dup":2}}"#,
                serde_json::Value::from(format!("{addr} {key}"))
            ),
            dependencies: dependencies
                .split(", ")
                .filter(|text| !text.is_empty())
                .map(str::to_owned)
                .collect(),
            unknown: Vec::new(),
        });
        model.resources.push(ModelResource {
            provider: Some(providers[addr.type_name.as_str()].to_owned()),
            instances: instances.collect(),
            unknown: Vec::new(),
            addr,
        });
    }
    model.sort();
    model.render()
}
