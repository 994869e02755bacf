//! Views into a snapshot: outputs, resources, instances, check results. Cheap to copy, tied to the snapshot.

use std::fmt;
use std::ops::Range;

use super::{CheckEntry, FieldSpan, InstanceEntry, OutputEntry, ResourceEntry, Snapshot, Span, format_v4};
use crate::address::{
    ConfigResourceAddr, InstanceKey, ProviderConfigAddr, ResourceAddr, ResourceInstanceAddr,
};

/// Where one member of an object stands: the offset of its name's opening quote, and its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// Byte offset at which the member begins.
    pub start: usize,
    /// Byte range of the value.
    pub value: Range<usize>,
}

impl From<FieldSpan> for Field {
    fn from(field: FieldSpan) -> Self {
        Self {
            start: field.key as usize,
            value: field.value.range(),
        }
    }
}

macro_rules! view {
    ($(#[$doc:meta])* $name:ident, $entries:ident, $entry:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy)]
        pub struct $name<'a> {
            snapshot: &'a Snapshot,
            index: usize,
        }

        impl<'a> $name<'a> {
            pub(super) fn new(snapshot: &'a Snapshot, index: usize) -> Self {
                Self { snapshot, index }
            }

            fn entry(self) -> &'a $entry {
                &self.snapshot.$entries[self.index]
            }

            /// Returns the byte range of the whole object.
            pub fn span(self) -> Range<usize> {
                self.entry().object.range()
            }

            /// Returns the text of the whole object. It holds secrets.
            pub fn text(self) -> &'a str {
                &self.snapshot.text[self.span()]
            }

            /// Returns the snapshot.
            pub fn snapshot(self) -> &'a Snapshot {
                self.snapshot
            }
        }
    };
}

view! {
    /// A root output.
    Output, outputs, OutputEntry
}
view! {
    /// A resource entry: one resource in one module instance.
    Resource, resources, ResourceEntry
}
view! {
    /// A recorded check result.
    CheckResult, checks, CheckEntry
}

/// An instance object: the current object of a resource instance, or a deposed one.
#[derive(Clone, Copy)]
pub struct Instance<'a> {
    snapshot: &'a Snapshot,
    resource: usize,
    index: usize,
}

impl<'a> Output<'a> {
    /// Returns the name.
    pub fn name(self) -> &'a str {
        &self.entry().name
    }

    /// Tells whether the output is sensitive.
    pub fn sensitive(self) -> bool {
        self.entry().sensitive
    }

    /// Returns where the member begins (at its name) and its value, the output's object.
    pub fn field(self) -> Field {
        Field {
            start: self.entry().key as usize,
            value: self.span(),
        }
    }

    /// Returns the JSON text of the value. It may be secret.
    pub fn value(self) -> Option<&'a str> {
        self.entry().value.map(|span| &self.snapshot.text[span.range()])
    }

    /// Returns the JSON text of the type.
    pub fn value_type(self) -> Option<&'a str> {
        self.entry().type_.map(|span| &self.snapshot.text[span.range()])
    }
}

impl<'a> Resource<'a> {
    /// Returns the address.
    pub fn addr(self) -> &'a ResourceAddr {
        &self.entry().addr
    }

    /// Returns the position among the snapshot's entries.
    pub fn index(self) -> usize {
        self.index
    }

    /// Returns the provider of the entry; none where OpenTofu keeps it on the instances.
    pub fn provider(self) -> Option<&'a ProviderConfigAddr> {
        self.entry()
            .provider_id
            .map(|id| &self.snapshot.providers[id.position()])
    }

    /// Tells whether the entry has no instances.
    pub fn is_husk(self) -> bool {
        let (start, end) = self.entry().instances;
        start == end
    }

    /// Returns the instance objects in the order of the text.
    pub fn instances(self) -> impl ExactSizeIterator<Item = Instance<'a>> + DoubleEndedIterator {
        let (start, end) = self.entry().instances;
        (start as usize..end as usize).map(move |index| Instance {
            snapshot: self.snapshot,
            resource: self.index,
            index,
        })
    }

    /// Returns the number of instance objects.
    pub fn object_count(self) -> usize {
        let (start, end) = self.entry().instances;
        (end - start) as usize
    }

    /// Returns the instance object at a position below [`object_count`](Self::object_count).
    pub fn object_at(self, position: usize) -> Instance<'a> {
        Instance {
            snapshot: self.snapshot,
            resource: self.index,
            index: self.entry().instances.0 as usize + position,
        }
    }

    /// Returns all objects of one instance, current and deposed, in Terraform's order.
    pub fn objects(self, key: Option<&InstanceKey>) -> Vec<Instance<'a>> {
        // Entries may hold thousands of instances; the few that are not sorted by key have an order beside them.
        let in_order = |position: usize| match &self.entry().order {
            Some(order) => self.object_at(order[position] as usize),
            None => self.object_at(position),
        };
        let (mut low, mut high) = (0, self.object_count());
        while low < high {
            let middle = low + (high - low) / 2;
            if in_order(middle).key() < key {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        let rest = (low..self.object_count()).map(in_order);
        rest.take_while(|instance| instance.key() == key).collect()
    }

    /// Returns where `module` stands.
    pub fn module_field(self) -> Option<Field> {
        self.entry().module.map(Field::from)
    }

    /// Returns where `name` stands.
    pub fn name_field(self) -> Field {
        self.entry().name.into()
    }

    /// Returns where `provider` stands.
    pub fn provider_field(self) -> Option<Field> {
        self.entry().provider.map(Field::from)
    }

    /// Returns where `instances` stands.
    pub fn instances_field(self) -> Option<Field> {
        self.entry().list.map(Field::from)
    }

    /// Returns the members of the entry that format version 4 does not know (decoded name, place), `each` included.
    pub fn unknown_fields(self) -> Vec<(String, Field)> {
        format_v4::unknown_resource_fields(&self.snapshot.text, self.entry())
    }
}

impl<'a> Instance<'a> {
    fn entry(self) -> &'a InstanceEntry {
        &self.snapshot.instances[self.index]
    }

    fn slice(self, span: Option<Span>) -> Option<&'a str> {
        span.map(|span| &self.snapshot.text[span.range()])
    }

    /// Returns the snapshot.
    pub fn snapshot(self) -> &'a Snapshot {
        self.snapshot
    }

    /// Returns the resource entry.
    pub fn resource(self) -> Resource<'a> {
        Resource::new(self.snapshot, self.resource)
    }

    /// Returns the position among all of the snapshot's instance objects.
    pub fn index(self) -> usize {
        self.index
    }

    /// Returns the byte range of the whole object.
    pub fn span(self) -> Range<usize> {
        self.entry().object.range()
    }

    /// Returns the text of the whole object. It holds secrets.
    pub fn text(self) -> &'a str {
        &self.snapshot.text[self.span()]
    }

    /// Returns the address of the resource instance.
    pub fn addr(self) -> ResourceInstanceAddr {
        self.resource().addr().instance(self.key().cloned())
    }

    /// Returns the instance key.
    pub fn key(self) -> Option<&'a InstanceKey> {
        self.entry().key.as_ref()
    }

    /// Returns the deposed key; none for the current object.
    pub fn deposed(self) -> Option<&'a str> {
        self.entry().deposed.as_ref().map(super::DeposedKey::as_str)
    }

    /// Tells whether the object is tainted.
    pub fn tainted(self) -> bool {
        self.entry().tainted
    }

    /// Returns the provider that applies: the instance's own (OpenTofu) or the resource's.
    pub fn provider(self) -> &'a ProviderConfigAddr {
        self.own_provider()
            .or_else(|| self.resource().provider())
            .expect("an entry with instances has a provider on one of the two levels")
    }

    /// Returns the provider kept on the instance itself, as OpenTofu does for providers with `for_each`.
    pub fn own_provider(self) -> Option<&'a ProviderConfigAddr> {
        self.entry()
            .provider_id
            .map(|id| &self.snapshot.providers[id.position()])
    }

    /// Returns the entries of `dependencies`, in the order of the text.
    pub fn dependencies(self) -> impl ExactSizeIterator<Item = &'a ConfigResourceAddr> {
        self.dependency_ids()
            .iter()
            .map(|&id| &self.snapshot.dependencies[id as usize].1)
    }

    /// Returns the entries of `dependencies` as positions in [`Snapshot::dependency`].
    pub fn dependency_ids(self) -> &'a [u32] {
        let (start, end) = self.entry().dependency_list;
        &self.snapshot.dependency_lists[start as usize..end as usize]
    }

    /// Returns the schema version of the attributes.
    pub fn schema_version(self) -> u64 {
        self.entry().schema_version
    }

    /// Returns the JSON text of `attributes`. It holds secrets.
    pub fn attributes(self) -> Option<&'a str> {
        self.slice(self.entry().attributes)
    }

    /// Returns the JSON text of `sensitive_attributes`.
    pub fn sensitive_attributes(self) -> Option<&'a str> {
        self.member("sensitive_attributes")
    }

    /// Returns the JSON text of `private`. It may hold secrets.
    pub fn private(self) -> Option<&'a str> {
        self.member("private")
    }

    /// Returns any member of the object by its name, for the rare ones.
    pub fn member(self, name: &str) -> Option<&'a str> {
        format_v4::members(&self.snapshot.text, self.span())
            .into_iter()
            .find(|(key, _)| key == name)
            .map(|(_, field)| &self.snapshot.text[field.value])
    }

    /// Returns where `index_key` stands.
    pub fn index_key_field(self) -> Option<Field> {
        self.entry().index_key.map(Field::from)
    }

    /// Returns where the instance's own `provider` stands.
    pub fn provider_field(self) -> Option<Field> {
        self.entry().provider.map(Field::from)
    }

    /// Returns where `dependencies` stands.
    pub fn dependencies_field(self) -> Option<Field> {
        self.entry().dependencies.map(Field::from)
    }
}

impl<'a> CheckResult<'a> {
    /// Returns the kind: `resource`, `output`, `check`, `var`, or one of a later version.
    pub fn kind(self) -> &'a str {
        &self.entry().kind
    }

    /// Returns the address of the checked thing in configuration.
    pub fn config_addr(self) -> &'a str {
        &self.entry().config_addr
    }

    /// Returns the range of `objects`, which may be `null`.
    pub fn list(self) -> Option<Range<usize>> {
        self.entry().list.map(Span::range)
    }

    /// Returns the elements of `objects`: range and address.
    pub fn objects(self) -> impl ExactSizeIterator<Item = (Range<usize>, &'a str)> {
        let objects = self.entry().objects.iter();
        objects.map(|(span, addr)| (span.range(), addr.as_str()))
    }
}

impl Snapshot {
    /// Returns an entry of `dependencies` by its position: the token that spells it, and the address.
    pub fn dependency(&self, id: u32) -> (&str, &ConfigResourceAddr) {
        let (span, addr) = &self.dependencies[id as usize];
        (&self.text[span.range()], addr)
    }

    /// Returns the number of different entries of all `dependencies`.
    pub fn dependency_count(&self) -> usize {
        self.dependencies.len()
    }
}

/// Shows addresses only: an instance's content is secret.
impl fmt::Debug for Instance<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Instance")
            .field("addr", &self.addr())
            .field("deposed", &self.deposed())
            .finish_non_exhaustive()
    }
}

/// Shows the address only: a resource's content is secret.
impl fmt::Debug for Resource<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resource")
            .field("addr", self.addr())
            .finish_non_exhaustive()
    }
}

/// Shows the name only: an output's value may be secret.
impl fmt::Debug for Output<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Output")
            .field("name", &self.name())
            .finish_non_exhaustive()
    }
}

/// Shows the address only.
impl fmt::Debug for CheckResult<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CheckResult")
            .field("config_addr", &self.config_addr())
            .finish_non_exhaustive()
    }
}
