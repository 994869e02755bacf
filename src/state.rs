//! Terraform states, format version 4, over their original bytes.
//!
//! A [`Snapshot`] owns the text it was read from and knows where everything stands in it; nothing of it is ever printed
//! back. Reading validates the whole text once (JSON, UTF-8, and everything Terraform would refuse, misread or silently
//! drop) and keeps spans only: attributes are never parsed, numbers never converted. What it refuses, it refuses with
//! a place and an advice ([`StateError`]).

mod digest;
mod error;
mod fingerprint;
mod format_v4;
pub(crate) mod hash;
mod index;
mod layout;
mod meta;
mod order;
mod splice;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
mod view;

use std::fmt;
use std::num::NonZeroU32;
use std::ops::Range;

pub use digest::{InvalidDigest, Md5Digest, Sha256Digest};
pub use error::{Place, Refusal, StateError};
pub use fingerprint::Fingerprint;
pub use layout::{Layout, reformat_into};
pub use meta::{Lineage, Relation, Serial, StateMeta};
pub use order::{ResourceOrder, compare_instances};
pub use splice::{Element, List, ObjectEdit, Text};
pub use view::{CheckResult, Field, Instance, Output, Resource};

use crate::address::{ConfigResourceAddr, InstanceKey, ProviderConfigAddr, ResourceAddr};
use index::AddressIndex;

/// One version of a state: the bytes, and what stands where.
#[derive(Clone)]
pub struct Snapshot {
    text: String,
    layout: Layout,
    meta: StateMeta,
    top: Top,
    outputs: Vec<OutputEntry>,
    /// Positions of the outputs, sorted by name.
    outputs_by_name: Vec<u32>,
    resources: Vec<ResourceEntry>,
    instances: Vec<InstanceEntry>,
    checks: Vec<CheckEntry>,
    /// Each spelling of a `provider` once.
    providers: Vec<ProviderConfigAddr>,
    /// Each spelling of an entry of `dependencies` once, with a token that spells it.
    dependencies: Vec<(Span, ConfigResourceAddr)>,
    /// The lists of all instances, one after the other.
    dependency_lists: Vec<u32>,
    index: AddressIndex,
}

/// A byte range of a state's text. Nothing ends at its beginning, so an absent span takes no more room than one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Span {
    start: u32,
    end: NonZeroU32,
}

impl Span {
    fn range(self) -> Range<usize> {
        self.start as usize..self.end.get() as usize
    }
}

/// The number of a provider in its table, counted from 1 for the same reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct ProviderId(NonZeroU32);

impl ProviderId {
    fn position(self) -> usize {
        self.0.get() as usize - 1
    }
}

/// A member of an object: where its name begins, and its value.
#[derive(Clone, Copy, Debug)]
struct FieldSpan {
    key: u32,
    value: Span,
}

/// Where the top-level members stand.
#[derive(Clone, Debug, Default)]
struct Top {
    object: Option<Span>,
    version: Option<FieldSpan>,
    terraform_version: Option<FieldSpan>,
    serial: Option<FieldSpan>,
    lineage: Option<FieldSpan>,
    outputs: Option<FieldSpan>,
    resources: Option<FieldSpan>,
    check_results: Option<FieldSpan>,
    unknown: Vec<FieldSpan>,
}

#[derive(Clone, Debug)]
struct OutputEntry {
    name: String,
    key: u32,
    object: Span,
    value: Option<Span>,
    type_: Option<Span>,
    sensitive: bool,
}

#[derive(Clone, Debug)]
struct ResourceEntry {
    addr: ResourceAddr,
    object: Span,
    module: Option<FieldSpan>,
    name: FieldSpan,
    provider: Option<FieldSpan>,
    provider_id: Option<ProviderId>,
    list: Option<FieldSpan>,
    /// Range in `Snapshot::instances`.
    instances: (u32, u32),
    /// Where the instances do not stand in Terraform's order: their positions in it.
    order: Option<Box<[u32]>>,
}

#[derive(Clone, Debug)]
struct InstanceEntry {
    object: Span,
    key: Option<InstanceKey>,
    deposed: Option<DeposedKey>,
    tainted: bool,
    provider_id: Option<ProviderId>,
    schema_version: u64,
    index_key: Option<FieldSpan>,
    provider: Option<FieldSpan>,
    dependencies: Option<FieldSpan>,
    attributes: Option<Span>,
    /// Range in `Snapshot::dependency_lists`.
    dependency_list: (u32, u32),
}

#[derive(Clone, Debug)]
struct CheckEntry {
    object: Span,
    kind: String,
    config_addr: String,
    /// The elements of `objects`, with their addresses.
    list: Option<Span>,
    objects: Vec<(Span, String)>,
}

/// The key of a deposed object: exactly eight bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct DeposedKey([u8; 8]);

impl DeposedKey {
    fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("made from a string of eight bytes")
    }
}

impl Snapshot {
    /// Reads a state. No bytes at all are Terraform's "no state", and give none.
    ///
    /// The bytes are kept, not copied.
    pub fn read(bytes: impl Into<Vec<u8>>) -> Result<Option<Self>, StateError> {
        let bytes = bytes.into();
        if bytes.is_empty() {
            return Ok(None);
        }
        format_v4::read(bytes).map(Some)
    }

    /// Returns the text exactly as it was read.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Returns the bytes exactly as they were read.
    pub fn bytes(&self) -> &[u8] {
        self.text.as_bytes()
    }

    /// Gives the bytes back.
    pub fn into_bytes(self) -> Vec<u8> {
        self.text.into_bytes()
    }

    /// Returns the layout of the text.
    pub fn layout(&self) -> Layout {
        self.layout
    }

    /// Returns writer's version, serial and lineage.
    pub fn meta(&self) -> &StateMeta {
        &self.meta
    }

    /// Returns the version of the program that wrote the state; may be empty.
    pub fn terraform_version(&self) -> &str {
        &self.meta.terraform_version
    }

    /// Returns the serial.
    pub fn serial(&self) -> Serial {
        self.meta.serial
    }

    /// Returns the lineage; may be empty.
    pub fn lineage(&self) -> &Lineage {
        &self.meta.lineage
    }

    /// Tells whether the state holds neither resources nor outputs.
    pub fn is_empty(&self) -> bool {
        self.resources.is_empty() && self.outputs.is_empty()
    }

    /// Returns the number of instance objects: current and deposed ones.
    pub fn object_count(&self) -> usize {
        self.instances.len()
    }

    /// Returns the root outputs in the order of the text.
    pub fn outputs(&self) -> impl ExactSizeIterator<Item = Output<'_>> {
        (0..self.outputs.len()).map(|index| Output::new(self, index))
    }

    /// Returns the root output of that name.
    pub fn output(&self, name: &str) -> Option<Output<'_>> {
        let by_name = &self.outputs_by_name;
        let found = by_name.binary_search_by_key(&name, |&at| self.outputs[at as usize].name.as_str());
        found.ok().map(|at| Output::new(self, by_name[at] as usize))
    }

    /// Returns the resource entries in the order of the text.
    pub fn resources(&self) -> impl ExactSizeIterator<Item = Resource<'_>> + DoubleEndedIterator {
        (0..self.resources.len()).map(|index| Resource::new(self, index))
    }

    /// Returns the resource entry at a position, in the order of the text.
    pub fn resource_at(&self, position: usize) -> Resource<'_> {
        Resource::new(self, position)
    }

    /// Returns the entry of a resource.
    pub fn resource(&self, addr: &ResourceAddr) -> Option<Resource<'_>> {
        self.index
            .find(addr, |at| &self.resources[at].addr)
            .map(|index| Resource::new(self, index))
    }

    /// Returns all instance objects in the order of the text.
    pub fn instances(&self) -> impl Iterator<Item = Instance<'_>> {
        self.resources().flat_map(Resource::instances)
    }

    /// Returns the instance object of a number below [`object_count`](Self::object_count), in the order of the text.
    pub fn object(&self, number: usize) -> Instance<'_> {
        let at = u32::try_from(number).expect("offsets fit in 32 bits");
        // The entry that begins last at or before the object; husks begin where the next entry does.
        let after = self
            .resources
            .partition_point(|resource| resource.instances.0 <= at);
        let resource = (0..after)
            .rev()
            .find(|&resource| self.resources[resource].instances.1 > at)
            .expect("every object belongs to an entry");
        Resource::new(self, resource).object_at(number - self.resources[resource].instances.0 as usize)
    }

    /// Returns the recorded check results in the order of the text.
    pub fn check_results(&self) -> impl ExactSizeIterator<Item = CheckResult<'_>> {
        (0..self.checks.len()).map(|index| CheckResult::new(self, index))
    }

    /// Returns the top-level members that format version 4 does not know: name token, value.
    pub fn unknown_fields(&self) -> impl ExactSizeIterator<Item = Field> {
        self.top.unknown.iter().map(|&field| Field::from(field))
    }

    /// Returns the whole top-level object.
    pub fn top_object(&self) -> Range<usize> {
        self.top.object.map_or(0..self.text.len(), Span::range)
    }

    /// Returns a top-level member by its name.
    pub fn field(&self, name: TopField) -> Option<Field> {
        match name {
            TopField::Version => self.top.version,
            TopField::TerraformVersion => self.top.terraform_version,
            TopField::Serial => self.top.serial,
            TopField::Lineage => self.top.lineage,
            TopField::Outputs => self.top.outputs,
            TopField::Resources => self.top.resources,
            TopField::CheckResults => self.top.check_results,
        }
        .map(Field::from)
    }
}

/// The top-level members of format version 4.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TopField {
    /// `version`.
    Version,
    /// `terraform_version`.
    TerraformVersion,
    /// `serial`.
    Serial,
    /// `lineage`.
    Lineage,
    /// `outputs`.
    Outputs,
    /// `resources`.
    Resources,
    /// `check_results`.
    CheckResults,
}

/// Shows counts only: a state's content is secret.
impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Snapshot")
            .field("bytes", &self.text.len())
            .field("layout", &self.layout)
            .field("serial", &self.meta.serial)
            .field("lineage", &self.meta.lineage)
            .field("outputs", &self.outputs.len())
            .field("resources", &self.resources.len())
            .field("objects", &self.instances.len())
            .finish_non_exhaustive()
    }
}
