//! What an address holds, and where a move takes it.

use super::{
    ConfigResourceAddr, InstanceKey, ModuleAddr, ModuleInstanceAddr, ModuleStep, MoveableAddr, ResourceAddr,
    ResourceInstanceAddr, ResourceMode,
};

impl ModuleInstanceAddr {
    /// Returns the instance of a call inside this module instance.
    #[must_use]
    pub fn child(&self, name: &str, key: Option<InstanceKey>) -> Self {
        let mut steps = self.0.clone();
        steps.push(ModuleStep {
            name: name.to_owned(),
            key,
        });
        Self(steps)
    }

    /// Replaces the prefix `from` by `to`; `None` where this instance is not within `from`.
    pub fn rebase(&self, from: &Self, to: &Self) -> Option<Self> {
        let inside = self.0.strip_prefix(from.0.as_slice())?;
        Some(Self(to.0.iter().chain(inside).cloned().collect()))
    }
}

impl ModuleAddr {
    /// Tells whether this module is `outer` itself or lies inside it.
    pub fn is_within(&self, outer: &Self) -> bool {
        self.0.starts_with(&outer.0)
    }

    /// Returns the call inside this module.
    #[must_use]
    pub fn child(&self, name: &str) -> Self {
        Self(self.0.iter().cloned().chain([name.to_owned()]).collect())
    }

    /// Returns the module that calls this one; `None` for the root module.
    pub fn parent(&self) -> Option<Self> {
        let (_, path) = self.0.split_last()?;
        Some(Self(path.to_vec()))
    }
}

impl ConfigResourceAddr {
    /// Tells whether the block stands in `module` or inside it.
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

    /// Returns where a move of `from` to `to` takes this resource; `None` where it does not concern it as a whole.
    pub fn rebase(&self, from: &MoveableAddr, to: &MoveableAddr) -> Option<Self> {
        match (from, to) {
            (MoveableAddr::Module(from), MoveableAddr::Module(to)) => {
                let module = self.module.rebase(from, to)?;
                Some(Self {
                    module,
                    ..self.clone()
                })
            }
            (MoveableAddr::Resource(from), MoveableAddr::Resource(to)) if self == from => Some(to.clone()),
            _ => None,
        }
    }
}

impl ResourceInstanceAddr {
    /// Returns where a move of `from` to `to` takes this instance; `None` where it does not concern it.
    ///
    /// An address without a key is a whole resource on both sides (instances keep their keys), or the single instance
    /// without a key where the other side has one.
    pub fn rebase(&self, from: &MoveableAddr, to: &MoveableAddr) -> Option<Self> {
        match (from, to) {
            (MoveableAddr::Module(_), MoveableAddr::Module(_))
            | (MoveableAddr::Resource(_), MoveableAddr::Resource(_)) => {
                let resource = self.resource.rebase(from, to)?;
                Some(Self {
                    resource,
                    key: self.key.clone(),
                })
            }
            (MoveableAddr::Instance(from), MoveableAddr::Instance(to)) if self == from => Some(to.clone()),
            (MoveableAddr::Instance(from), MoveableAddr::Resource(to)) if self == from => {
                Some(to.instance(None))
            }
            (MoveableAddr::Resource(from), MoveableAddr::Instance(to))
                if self.resource == *from && self.key.is_none() =>
            {
                Some(to.clone())
            }
            _ => None,
        }
    }
}

impl MoveableAddr {
    /// Tells whether this address names the instance, or something that contains it.
    pub fn contains(&self, instance: &ResourceInstanceAddr) -> bool {
        match self {
            Self::Module(module) => instance.resource.module.is_within(module),
            Self::Resource(resource) => instance.resource == *resource,
            Self::Instance(addr) => instance == addr,
        }
    }

    /// Returns the module instance that it is in, or is.
    pub fn module(&self) -> &ModuleInstanceAddr {
        match self {
            Self::Module(module) => module,
            Self::Resource(resource) => &resource.module,
            Self::Instance(instance) => &instance.resource.module,
        }
    }
}
