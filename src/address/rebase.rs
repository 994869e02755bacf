//! What lies inside an address, and what becomes of it when that address moves.

use super::{
    ConfigResourceAddr, InstanceKey, ModuleAddr, ModuleInstanceAddr, ModuleStep, MoveableAddr, ResourceAddr,
    ResourceInstanceAddr, ResourceMode,
};

impl ModuleAddr {
    /// Returns the root module.
    pub fn root() -> Self {
        Self::default()
    }

    /// Tells whether this is the root module.
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// Tells whether this module is `outer` itself or lies inside it.
    pub fn is_within(&self, outer: &Self) -> bool {
        self.0.starts_with(&outer.0)
    }

    /// Returns the module that the call `name` in this module makes.
    pub fn child(&self, name: impl Into<String>) -> Self {
        let mut names = self.0.clone();
        names.push(name.into());
        Self(names)
    }

    /// Returns the calling module; none for the root.
    pub fn parent(&self) -> Option<Self> {
        let (_, outer) = self.0.split_last()?;
        Some(Self(outer.to_vec()))
    }

    /// Returns this module with the leading `from` replaced by `to`; none if it is not within `from`.
    pub fn rebase(&self, from: &Self, to: &Self) -> Option<Self> {
        let inner = self.0.strip_prefix(from.0.as_slice())?;
        Some(Self([to.0.as_slice(), inner].concat()))
    }
}

impl ModuleInstanceAddr {
    /// Returns the instance of the call `name` in this module instance.
    pub fn child(&self, name: impl Into<String>, key: Option<InstanceKey>) -> Self {
        let mut steps = self.0.clone();
        steps.push(ModuleStep {
            name: name.into(),
            key,
        });
        Self(steps)
    }

    /// Returns `inner` as seen from inside this module instance.
    pub fn join(&self, inner: &Self) -> Self {
        Self([self.0.as_slice(), inner.0.as_slice()].concat())
    }

    /// Returns the calling module instance; none for the root.
    pub fn parent(&self) -> Option<Self> {
        let (_, outer) = self.0.split_last()?;
        Some(Self(outer.to_vec()))
    }

    /// Returns this module instance with the leading `from` replaced by `to`; none if it is not within `from`.
    ///
    /// Keys must be equal: `module.a` does not lead `module.a["k"]`.
    pub fn rebase(&self, from: &Self, to: &Self) -> Option<Self> {
        let inner = self.0.strip_prefix(from.0.as_slice())?;
        Some(Self([to.0.as_slice(), inner].concat()))
    }
}

impl ConfigResourceAddr {
    /// Tells whether the block lies in `module` or in a module called from there.
    pub fn is_within(&self, module: &ModuleAddr) -> bool {
        self.module.is_within(module)
    }

    /// Tells whether this is a data source.
    pub fn is_data(&self) -> bool {
        self.mode == ResourceMode::Data
    }
}

impl ResourceAddr {
    /// Tells whether this is a data source.
    pub fn is_data(&self) -> bool {
        self.mode == ResourceMode::Data
    }

    /// Returns the address of this whole resource after `from` moved to `to`; none if the move does not take it whole.
    pub fn rebase(&self, from: &MoveableAddr, to: &MoveableAddr) -> Option<Self> {
        match (from, to) {
            (MoveableAddr::Module(from), MoveableAddr::Module(to)) => Some(Self {
                module: self.module.rebase(from, to)?,
                ..self.clone()
            }),
            (MoveableAddr::Resource(from), MoveableAddr::Resource(to)) if from == self => Some(to.clone()),
            _ => None,
        }
    }
}

impl ResourceInstanceAddr {
    /// Tells whether this is an instance of a data source.
    pub fn is_data(&self) -> bool {
        self.resource.is_data()
    }

    /// Returns the address of this instance after `from` moved to `to`; none if it is not in `from`, or if the move is
    /// one that `terraform state mv` refuses for its shape.
    ///
    /// A module to a module replaces the path; a resource to a resource keeps the key; an instance to an instance, or
    /// to a resource without a key, changes it; a resource to an instance moves only the instance without a key.
    pub fn rebase(&self, from: &MoveableAddr, to: &MoveableAddr) -> Option<Self> {
        use MoveableAddr as M;
        if !from.contains(self) {
            return None;
        }
        match (from, to) {
            (M::Module(_), M::Module(_)) | (M::Resource(_), M::Resource(_)) => {
                Some(self.resource.rebase(from, to)?.instance(self.key.clone()))
            }
            (M::Instance(_), M::Instance(to)) => Some(to.clone()),
            (M::Instance(_), M::Resource(to)) => Some(to.instance(None)),
            (M::Resource(_), M::Instance(to)) => self.key.is_none().then(|| to.clone()),
            (M::Module(_), _) | (_, M::Module(_)) => None,
        }
    }
}

impl MoveableAddr {
    /// Tells whether `instance` is what this names or lies inside it. Keys of modules must be equal: `module.a` does
    /// not contain what is in `module.a["k"]`.
    pub fn contains(&self, instance: &ResourceInstanceAddr) -> bool {
        match self {
            Self::Module(module) => instance.resource.module.is_within(module),
            Self::Resource(resource) => instance.resource == *resource,
            Self::Instance(own) => own == instance,
        }
    }

    /// Returns the module instance this names or lies in.
    pub fn module(&self) -> &ModuleInstanceAddr {
        match self {
            Self::Module(module) => module,
            Self::Resource(resource) => &resource.module,
            Self::Instance(instance) => &instance.resource.module,
        }
    }
}

impl From<ResourceInstanceAddr> for MoveableAddr {
    /// An instance without a key is its resource.
    fn from(instance: ResourceInstanceAddr) -> Self {
        match instance.key {
            None => Self::Resource(instance.resource),
            Some(_) => Self::Instance(instance),
        }
    }
}
