//! A state as plain data, printed as Terraform or OpenTofu would print it, and a random maker of such states.

use crate::address::{InstanceKey, ModuleInstanceAddr, ModuleStep, ResourceAddr, ResourceMode};
use crate::json::quote;
use crate::state::{Layout, ResourceOrder, compare_instances, reformat_into};

/// A state.
#[derive(Clone, Debug)]
pub struct Model {
    /// Lineage.
    pub lineage: String,
    /// Serial.
    pub serial: u64,
    /// Root outputs in the order in which they are printed.
    pub outputs: Vec<ModelOutput>,
    /// Resource entries in the order in which they are printed.
    pub resources: Vec<ModelResource>,
    /// Raw JSON members after the known ones, each `"name": value`.
    pub unknown: Vec<String>,
    /// JSON of `check_results`; the member is left out where there is none.
    pub check_results: Option<String>,
    /// The layout.
    pub layout: Layout,
}

/// A root output.
#[derive(Clone, Debug)]
pub struct ModelOutput {
    /// Name.
    pub name: String,
    /// JSON of the value.
    pub value: String,
    /// JSON of the type.
    pub type_: String,
    /// Whether it is sensitive.
    pub sensitive: bool,
}

/// A resource entry.
#[derive(Clone, Debug)]
pub struct ModelResource {
    /// Address.
    pub addr: ResourceAddr,
    /// `provider` of the entry, decoded; none where the instances have their own.
    pub provider: Option<String>,
    /// Raw JSON members, each `"name": value`.
    pub unknown: Vec<String>,
    /// Instance objects in the order in which they are printed.
    pub instances: Vec<ModelInstance>,
}

/// An instance object.
#[derive(Clone, Debug)]
pub struct ModelInstance {
    /// Instance key.
    pub key: Option<InstanceKey>,
    /// Deposed key.
    pub deposed: Option<String>,
    /// Whether it is tainted.
    pub tainted: bool,
    /// Its own `provider`, decoded.
    pub provider: Option<String>,
    /// JSON of `attributes`.
    pub attributes: String,
    /// `dependencies`, decoded.
    pub dependencies: Vec<String>,
    /// Raw JSON members, each `"name": value`.
    pub unknown: Vec<String>,
}

impl Model {
    /// Sorts resources and instances as Terraform writes them.
    pub fn sort(&mut self) {
        self.resources
            .sort_by(|a, b| ResourceOrder::of(&a.addr).cmp(&ResourceOrder::of(&b.addr)));
        for resource in &mut self.resources {
            resource.instances.sort_by(|a, b| {
                compare_instances(
                    (a.key.as_ref(), a.deposed.as_deref()),
                    (b.key.as_ref(), b.deposed.as_deref()),
                )
            });
        }
        self.outputs.sort_by(|a, b| a.name.cmp(&b.name));
    }

    /// Prints the state.
    pub fn render(&self) -> String {
        let mut members = vec![
            "\"version\":4".to_owned(),
            "\"terraform_version\":\"1.5.7\"".to_owned(),
            format!("\"serial\":{}", self.serial),
            format!("\"lineage\":{}", quote(&self.lineage)),
            format!(
                "\"outputs\":{}",
                object(self.outputs.iter().map(ModelOutput::render))
            ),
            format!(
                "\"resources\":{}",
                array(self.resources.iter().map(ModelResource::render))
            ),
        ];
        members.extend(
            self.check_results
                .iter()
                .map(|json| format!("\"check_results\":{json}")),
        );
        members.extend(self.unknown.iter().cloned());
        let compact = object(members);
        let mut out = String::new();
        match self.layout {
            Layout::Foreign => {
                reformat_into(&compact, Layout::Indented, 0, &mut out);
                out = out.replace("\n  ", "\r\n \t ");
                out.push_str(" \n");
            }
            layout => {
                reformat_into(&compact, layout, 0, &mut out);
                out.push('\n');
            }
        }
        out
    }
}

fn join(parts: impl IntoIterator<Item = String>) -> String {
    parts.into_iter().collect::<Vec<_>>().join(",")
}

fn object(members: impl IntoIterator<Item = String>) -> String {
    format!("{{{}}}", join(members))
}

fn array(elements: impl IntoIterator<Item = String>) -> String {
    format!("[{}]", join(elements))
}

impl ModelOutput {
    fn render(&self) -> String {
        let sensitive = if self.sensitive { ",\"sensitive\":true" } else { "" };
        format!(
            "{}:{{\"value\":{},\"type\":{}{sensitive}}}",
            quote(&self.name),
            self.value,
            self.type_
        )
    }
}

impl ModelResource {
    fn render(&self) -> String {
        let mut members = Vec::new();
        if !self.addr.module.is_root() {
            members.push(format!("\"module\":{}", quote(&self.addr.module.to_string())));
        }
        members.push(format!("\"mode\":\"{}\"", self.addr.mode));
        members.push(format!("\"type\":{}", quote(&self.addr.type_name)));
        members.push(format!("\"name\":{}", quote(&self.addr.name)));
        members.extend(
            self.provider
                .iter()
                .map(|provider| format!("\"provider\":{}", quote(provider))),
        );
        members.push(format!(
            "\"instances\":{}",
            array(self.instances.iter().map(ModelInstance::render))
        ));
        members.extend(self.unknown.iter().cloned());
        object(members)
    }
}

impl ModelInstance {
    fn render(&self) -> String {
        let mut members = Vec::new();
        match &self.key {
            None => {}
            Some(InstanceKey::Int(number)) => members.push(format!("\"index_key\":{number}")),
            Some(InstanceKey::Str(text)) => members.push(format!("\"index_key\":{}", quote(text))),
        }
        if self.tainted {
            members.push("\"status\":\"tainted\"".to_owned());
        }
        members.extend(
            self.deposed
                .iter()
                .map(|deposed| format!("\"deposed\":{}", quote(deposed))),
        );
        members.extend(
            self.provider
                .iter()
                .map(|provider| format!("\"provider\":{}", quote(provider))),
        );
        members.push("\"schema_version\":1".to_owned());
        members.push(format!("\"attributes\":{}", self.attributes));
        members.push("\"sensitive_attributes\":[]".to_owned());
        members.push("\"private\":\"bnVsbA==\"".to_owned());
        if !self.dependencies.is_empty() {
            let entries = self.dependencies.iter().map(|entry| quote(entry));
            members.push(format!("\"dependencies\":{}", array(entries)));
        }
        members.extend(self.unknown.iter().cloned());
        object(members)
    }
}

/// A small deterministic source of random numbers (xorshift64*).
#[derive(Clone, Debug)]
pub struct Random(u64);

const ODD_KEYS: &[&str] = &[
    "",
    "a",
    "a.b",
    "a\"b",
    "a\\b",
    "${x}",
    "%{y}",
    "[0]",
    "é💥",
    "line\nbreak",
    "<&>",
    "0",
    "module.x",
    "'",
    " ",
];
const ATTRIBUTES: &[&str] = &[
    r#"{"id":"a"}"#,
    r#"{"n":12345678901234567890.10,"e":1e400,"z":-0.0,"one":1.0}"#,
    r#"{"dup":1,"dup":2,"esc":"\u003c\/\u00e9","s":"}],\"{["}"#,
    "{}",
    "null",
    r#"{"nested":{"list":[[],[{}],{"k":[1,2,{"v":null}]}]},"t":true}"#,
];
const PROVIDERS: &[&str] = &[
    "provider[\"registry.terraform.io/hashicorp/aws\"]",
    "provider[\"registry.terraform.io/hashicorp/aws\"].west",
    "module.m.provider[\"registry.terraform.io/hashicorp/aws\"].in",
    "provider[\"example.com/foo/bar\"]",
];

impl Random {
    /// Creates a source; the same seed gives the same numbers.
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// Returns the next number.
    pub fn next_u64(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// Returns a number below `bound`, which is not 0.
    pub fn below(&mut self, bound: usize) -> usize {
        (self.next_u64() >> 33) as usize % bound
    }

    /// Tells yes once in `times`.
    pub fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    /// Picks an element of a list that is not empty.
    pub fn pick<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        &list[self.below(list.len())]
    }

    /// Makes an instance key, or none.
    pub fn key(&mut self) -> Option<InstanceKey> {
        match self.below(3) {
            0 => None,
            1 => Some(InstanceKey::Int(self.below(12) as u64)),
            _ => Some(InstanceKey::Str((*self.pick(ODD_KEYS)).to_owned())),
        }
    }

    /// Makes a module instance, the root module included.
    pub fn module(&mut self) -> ModuleInstanceAddr {
        let depth = self.below(3);
        let step = |random: &mut Self| ModuleStep {
            name: (*random.pick(&["m", "n", "svc-1"])).to_owned(),
            key: random.key(),
        };
        ModuleInstanceAddr((0..depth).map(|_| step(self)).collect())
    }

    /// Makes a resource address out of few names, so that collisions and shared modules are common.
    pub fn resource(&mut self) -> ResourceAddr {
        ResourceAddr {
            module: self.module(),
            mode: if self.once_in(5) {
                ResourceMode::Data
            } else {
                ResourceMode::Managed
            },
            type_name: (*self.pick(&["aws_vpc", "aws_Y", "null_resource"])).to_owned(),
            name: (*self.pick(&["a", "b", "main", "x-1"])).to_owned(),
        }
    }

    /// Makes a state, sorted, with up to `size` resources. Dependencies have no cycle; some of them dangle.
    pub fn model(&mut self, size: usize, layout: Layout) -> Model {
        let mut model = Model {
            lineage: format!("lineage-{}", self.next_u64()),
            serial: self.next_u64() >> self.below(63) >> 1,
            outputs: Vec::new(),
            resources: Vec::new(),
            unknown: Vec::new(),
            check_results: self.once_in(2).then(|| "null".to_owned()),
            layout,
        };
        for _ in 0..self.below(size + 1) {
            let addr = self.resource();
            if !model.resources.iter().any(|known| known.addr == addr) {
                let resource = self.resource_entry(addr, &model.resources);
                model.resources.push(resource);
            }
        }
        for name in ["out", "a.b é", "zz"] {
            if self.once_in(3) {
                model.outputs.push(ModelOutput {
                    name: name.to_owned(),
                    value: (*self.pick(&["1.50", "\"<x>\"", "[\"a\",1e3]"])).to_owned(),
                    type_: "\"dynamic\"".to_owned(),
                    sensitive: self.once_in(3),
                });
            }
        }
        if self.once_in(4) {
            model.unknown.push("\"future\":{\"a\":[1.0,{}]}".to_owned());
        }
        model.sort();
        model
    }

    fn resource_entry(&mut self, addr: ResourceAddr, before: &[ModelResource]) -> ModelResource {
        let per_instance = self.once_in(8);
        let provider = (*self.pick(PROVIDERS)).to_owned();
        let mut resource = ModelResource {
            provider: (!per_instance).then(|| provider.clone()),
            unknown: Vec::new(),
            instances: Vec::new(),
            addr,
        };
        if self.once_in(6) {
            resource.unknown.push("\"each\":\"map\"".to_owned());
        }
        if self.once_in(6) {
            resource.unknown.push("\"later\":[1.0,{\"x\":\"<\"}]".to_owned());
        }
        let count = if per_instance {
            1 + self.below(3)
        } else {
            self.below(4)
        };
        for _ in 0..count {
            let mut instance = self.instance(&resource.addr, before);
            if per_instance {
                instance.provider = Some("provider[\"example.com/foo/bar\"].by[\"a.b\"]".to_owned());
            }
            let known = resource.instances.iter();
            let taken =
                |known: &ModelInstance| known.key == instance.key && known.deposed == instance.deposed;
            if !known.clone().any(taken) {
                resource.instances.push(instance);
            }
        }
        resource
    }

    fn instance(&mut self, addr: &ResourceAddr, before: &[ModelResource]) -> ModelInstance {
        let mut dependencies = Vec::new();
        if addr.mode == ResourceMode::Managed && !before.is_empty() {
            for _ in 0..self.below(4) {
                // Configuration addresses have an order of their own here: an entry names only smaller ones.
                let found = self.pick(before).addr.config();
                if found < addr.config() {
                    dependencies.push(found.to_string());
                }
            }
        }
        if self.once_in(7) {
            dependencies.push("aws_gone.dangling".to_owned());
        }
        dependencies.sort();
        dependencies.dedup();
        ModelInstance {
            key: self.key(),
            deposed: self.once_in(6).then(|| format!("{:08x}", self.below(3))),
            tainted: self.once_in(6),
            provider: None,
            attributes: (*self.pick(ATTRIBUTES)).to_owned(),
            dependencies,
            unknown: if self.once_in(5) {
                vec![
                    "\"create_before_destroy\":true".to_owned(),
                    "\"novel\":{\"v\":0.10}".to_owned(),
                ]
            } else {
                Vec::new()
            },
        }
    }
}
