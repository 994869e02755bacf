//! States to move in, and moves to make.

use std::collections::BTreeMap;

use stackcut::address::{InstanceKey, ModuleInstanceAddr, MoveableAddr, ResourceAddr, ResourceInstanceAddr};
use stackcut::state::testing::{ModelInstance, ModelResource, Random};
use stackcut::state::{Instance, Layout, Snapshot};

use crate::support::tools::{Flavour, TerraformBin, tools};

/// A state to try every rule on: `address keys < dependencies`, one entry a line.
pub(super) const MONOLITH: &str = r#"
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

pub(super) fn terraforms() -> impl Iterator<Item = &'static TerraformBin> {
    // Where OpenTofu differs in its own way it has tests of its own.
    tools()
        .terraforms()
        .iter()
        .filter(|bin| bin.flavour == Flavour::Terraform)
}

/// Makes a random state of what every Terraform keeps: no fields of tomorrow, no providers of OpenTofu, no husks.
pub(super) fn model(random: &mut Random) -> String {
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
pub(super) fn random_pair(random: &mut Random, snapshot: &Snapshot) -> (String, String) {
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

pub(super) fn moveable(addr: ResourceInstanceAddr) -> MoveableAddr {
    match addr.key {
        None => MoveableAddr::Resource(addr.resource),
        Some(_) => MoveableAddr::Instance(addr),
    }
}

pub(super) fn monolith() -> String {
    state(MONOLITH, "monolith")
}

/// Lays out a state; attributes tell objects apart and are hard to print back.
pub(super) fn state(lines: &str, lineage: &str) -> String {
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
                    serde_json::Value::String(text) => InstanceKey::Str(text),
                    number => InstanceKey::Int(number.as_u64().unwrap()),
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
