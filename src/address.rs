//! Terraform's addresses: modules, resources, instances, providers, and patterns over them.
//!
//! Read (`FromStr`) and printed (`Display`) exactly as Terraform does, white space and escapes included. Equality and
//! order are those of the parsed values. Terraform's own order in `state list` and the byte order in a state file are
//! both different from `Ord` here; see `state/` for the latter.

mod display;
mod order;
mod parse;
pub mod pattern;
mod provider;
mod reader;
mod rebase;
#[cfg(test)]
mod tests;

pub use order::cmp_state_list;
pub use parse::AddressError;
pub use provider::{OPENTOFU_HOST, ProviderAddr, ProviderConfigAddr, TERRAFORM_HOST};

/// The key of one instance: `[0]` of `count` or `["name"]` of `for_each`. Integers sort before strings.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum InstanceKey {
    /// `count.index`.
    Int(u64),
    /// `each.key`; may be empty and may hold any character.
    Str(String),
}

/// Managed resource or data source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ResourceMode {
    /// `data.TYPE.NAME`; sorts first, as in a state file.
    Data,
    /// `TYPE.NAME`.
    Managed,
}

/// A module as written in configuration: call names only, no instance keys. Empty is the root module.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ModuleAddr(pub Vec<String>);

/// One step into a module instance.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ModuleStep {
    /// Name of the module call.
    pub name: String,
    /// Instance key of the call, if it has `count` or `for_each`.
    pub key: Option<InstanceKey>,
}

/// A module instance: call names with instance keys. Empty is the root module.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ModuleInstanceAddr(pub Vec<ModuleStep>);

/// A resource as written in configuration (Terraform's `ConfigResource`): the form used in `dependencies`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConfigResourceAddr {
    /// The module whose configuration has the block.
    pub module: ModuleAddr,
    /// Managed or data.
    pub mode: ResourceMode,
    /// First label of the block.
    pub type_name: String,
    /// Second label of the block.
    pub name: String,
}

/// A resource in one module instance (Terraform's `AbsResource`): one entry of a state's `resources`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResourceAddr {
    /// The module instance.
    pub module: ModuleInstanceAddr,
    /// Managed or data.
    pub mode: ResourceMode,
    /// First label of the block.
    pub type_name: String,
    /// Second label of the block.
    pub name: String,
}

/// One instance of a resource (Terraform's `AbsResourceInstance`).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResourceInstanceAddr {
    /// The resource.
    pub resource: ResourceAddr,
    /// The instance key; none for a resource without `count` and `for_each`.
    pub key: Option<InstanceKey>,
}

/// What an address typed by a person can name: the argument of `state mv`, of `moved`, of `take`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MoveableAddr {
    /// `module.a`, `module.a["k"]`.
    Module(ModuleInstanceAddr),
    /// A resource without a key: all its instances, or the single one.
    Resource(ResourceAddr),
    /// A resource instance with a key. (An instance without one is read as [`MoveableAddr::Resource`].)
    Instance(ResourceInstanceAddr),
}

impl ModuleInstanceAddr {
    /// Returns the root module.
    pub fn root() -> Self {
        Self::default()
    }

    /// Tells whether this is the root module.
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the module without instance keys.
    pub fn config(&self) -> ModuleAddr {
        ModuleAddr(self.0.iter().map(|step| step.name.clone()).collect())
    }

    /// Tells whether this instance is `outer` itself or lies inside it.
    pub fn is_within(&self, outer: &Self) -> bool {
        self.0.starts_with(&outer.0)
    }
}

impl ResourceAddr {
    /// Returns the address as written in configuration.
    pub fn config(&self) -> ConfigResourceAddr {
        ConfigResourceAddr {
            module: self.module.config(),
            mode: self.mode,
            type_name: self.type_name.clone(),
            name: self.name.clone(),
        }
    }

    /// Returns the instance of this resource with the given key.
    pub fn instance(&self, key: Option<InstanceKey>) -> ResourceInstanceAddr {
        ResourceInstanceAddr {
            resource: self.clone(),
            key,
        }
    }
}
