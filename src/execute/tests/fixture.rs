//! A small migration of three waves, planned by the real rooms.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock, Mutex};

use crate::diagnostic::SourceFile;
use crate::journal::MigrationId;
use crate::plan::compute::Inputs;
use crate::plan::migration::Fingerprint;
use crate::plan::{MigrationPlan, PlanFile};
use crate::stack::{StateId, StateLocation};
use crate::state::{Lineage, Snapshot};

/// Stands in every object; must never leave the states and their backups.
pub(super) const SECRET: &str = "s3cr3t-p4ssw0rd";

/// `old` goes back into `mono`, which gives to the existing `orders` and to the new `fresh`: three waves.
const PLAN: &str = r#"
split "shop" {
  source "mono" {
    dir   = "mono"
    state = "terraform.tfstate"
  }

  source "other" {
    dir   = "other"
    state = "terraform.tfstate"
  }

  defaults {
    backend "local" {
      path = "${stack}/terraform.tfstate"
    }
  }

  stack "orders" {
    layer    = "service"
    existing = true
    take     = ["terraform_data.orders", "terraform_data.by_key[\"a.b/\\\"é\"]"]
  }

  stack "fresh" {
    layer = "network"
    take  = ["module.net", "terraform_data.shared"]
  }

  return "old" {
    layer = "service"
    to    = "mono"
  }
}
"#;

pub(crate) fn id(name: &str) -> StateId {
    let parsed = name.parse().unwrap();
    match name {
        "mono" | "other" => StateId::Source(parsed),
        _ => StateId::Stack(parsed),
    }
}

fn object(module: &str, name: &str, key: &str, deposed: bool) -> String {
    let key_field = match key {
        "" => String::new(),
        key => format!("\n          \"index_key\": {key},"),
    };
    let oid = format!("{module}{name}{key}").replace(['"', '\\'], "'");
    let mut instances = vec![instance(&key_field, "", &oid)];
    if deposed {
        instances.push(instance(
            &key_field,
            "\n          \"deposed\": \"0badcafe\",",
            &format!("{oid}-deposed"),
        ));
    }
    let module = match module {
        "" => String::new(),
        module => format!("\n      \"module\": \"{module}\","),
    };
    format!(
        "    {{{module}\n      \"mode\": \"managed\",\n      \"type\": \"terraform_data\",\n      \"name\": \"{name}\",\n      \
         \"provider\": \"provider[\\\"terraform.io/builtin/terraform\\\"]\",\n      \"instances\": [\n{}\n      ]\n    }}",
        instances.join(",\n")
    )
}

fn instance(key: &str, deposed: &str, oid: &str) -> String {
    format!(
        "        {{{key}{deposed}\n          \"schema_version\": 0,\n          \"attributes\": {{\n            \
         \"id\": \"oid:{oid}\",\n            \"big\": 12345678901234567890.10,\n            \"password\": \"{SECRET}\"\n          \
         }},\n          \"sensitive_attributes\": []\n        }}"
    )
}

fn state(lineage: &str, serial: u64, objects: &[String]) -> String {
    format!(
        "{{\n  \"version\": 4,\n  \"terraform_version\": \"1.11.4\",\n  \"serial\": {serial},\n  \"lineage\": \"{lineage}\",\n  \
         \"outputs\": {{}},\n  \"resources\": [\n{}\n  ],\n  \"check_results\": null\n}}\n",
        objects.join(",\n")
    )
}

/// The states before, by name.
pub(crate) fn originals() -> BTreeMap<&'static str, String> {
    BTreeMap::from([
        (
            "mono",
            state(
                "11111111-aaaa-bbbb-cccc-000000000001",
                41,
                &[
                    object("", "by_key", r#""a.b/\"é""#, false),
                    object("", "kept", "", true),
                    object("", "orders", "", true),
                    object("", "shared", "0", false),
                    object(r#"module.net[\"x\"]"#, "inner", "", false),
                ],
            ),
        ),
        (
            "other",
            state(
                "11111111-aaaa-bbbb-cccc-000000000005",
                9,
                &[object("", "unrelated", "", false)],
            ),
        ),
        (
            "orders",
            state(
                "11111111-aaaa-bbbb-cccc-000000000002",
                7,
                &[object("", "already", "", false)],
            ),
        ),
        (
            "old",
            state(
                "11111111-aaaa-bbbb-cccc-000000000003",
                3,
                &[object("", "back_a", "", false), object("", "back_b", "1", false)],
            ),
        ),
    ])
}

/// All states of the plan, existing or not.
pub(super) const NAMES: [&str; 5] = ["fresh", "mono", "old", "orders", "other"];

/// Which states the first wave writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// `orders`, which exists, and `fresh`, which is new.
    Mixed,
    /// `orders` alone.
    Existing,
    /// `fresh` alone.
    New,
}

thread_local! {
    static SHAPE: Cell<Shape> = const { Cell::new(Shape::Mixed) };
}

/// Makes this thread's plan one of the given shape from here on.
pub(super) fn shape(shape: Shape) {
    SHAPE.set(shape);
}

fn text(shape: Shape) -> String {
    let stack = |name: &str| {
        let start = PLAN.find(&format!("  stack \"{name}\"")).unwrap();
        start..start + PLAN[start..].find("  }\n").unwrap() + "  }\n".len()
    };
    match shape {
        Shape::Mixed => PLAN.to_owned(),
        Shape::Existing => PLAN.replace(&PLAN[stack("fresh")], ""),
        Shape::New => PLAN.replace(&PLAN[stack("orders")], ""),
    }
}

/// The plan, computed once by the real rooms.
pub(super) fn plan() -> &'static MigrationPlan {
    static PLANNED: LazyLock<[MigrationPlan; 3]> =
        LazyLock::new(|| [Shape::Mixed, Shape::Existing, Shape::New].map(planned));
    &PLANNED[SHAPE.get() as usize]
}

fn planned(shape: Shape) -> MigrationPlan {
    let file = SourceFile {
        path: "shop.hcl".into(),
        text: text(shape),
    };
    let file = PlanFile::read(Arc::new(file)).unwrap_or_else(|faults| panic!("{}", faults[0]));
    let snapshots: BTreeMap<StateId, Snapshot> = originals()
        .into_iter()
        .map(|(name, text)| (id(name), Snapshot::read(text).unwrap().unwrap()))
        .collect();
    let inputs = Inputs {
        plan: &file,
        code: BTreeMap::new(),
        snapshots: snapshots
            .iter()
            .map(|(id, snapshot)| (id.clone(), snapshot))
            .collect(),
        lineages: BTreeMap::from([
            (id("fresh"), Lineage::from_random([0xfe; 16])),
            (id("orders"), Lineage::from_random([0xff; 16])),
        ]),
    };
    let prints = Mutex::new(BTreeMap::new());
    let take = |id: &StateId, snapshot: &Snapshot| {
        prints
            .lock()
            .unwrap()
            .insert(id.clone(), Fingerprint::of(snapshot));
        Ok(())
    };
    let computed = inputs
        .compute(&take)
        .unwrap_or_else(|faults| panic!("{}", faults[0]));
    let prints = prints.into_inner().unwrap();
    let location = |name: &str| StateLocation {
        backend: "local".into(),
        arguments: BTreeMap::from([("path".to_owned(), format!("/{name}.tfstate"))]),
        workspace: "default".into(),
    };
    let locations = NAMES.iter().map(|name| (id(name), location(name))).collect();
    computed
        .migration(&file, "prod", &locations, &snapshots, &prints)
        .unwrap()
}

pub(super) fn migration_id() -> MigrationId {
    "20261125-shop-1".parse().unwrap()
}
