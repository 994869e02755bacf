//! Configuration addresses borrowed from what is already there: making one for every resource and every dependency
//! would cost more than all the rest.

use std::fmt;
use std::hash::{Hash, Hasher};

use crate::address::{ConfigResourceAddr, ModuleAddr, ModuleStep, ResourceAddr, ResourceMode};

/// A configuration address: module calls without keys, mode, type, name.
#[derive(Clone, Copy)]
pub(super) struct ConfigName<'a> {
    module: Calls<'a>,
    mode: ResourceMode,
    type_name: &'a str,
    name: &'a str,
}

#[derive(Clone, Copy)]
enum Calls<'a> {
    Steps(&'a [ModuleStep]),
    Names(&'a [String]),
}

impl<'a> Calls<'a> {
    fn len(self) -> usize {
        match self {
            Self::Steps(steps) => steps.len(),
            Self::Names(names) => names.len(),
        }
    }

    fn at(self, depth: usize) -> &'a str {
        match self {
            Self::Steps(steps) => &steps[depth].name,
            Self::Names(names) => &names[depth],
        }
    }

    fn iter(self) -> impl Iterator<Item = &'a str> {
        (0..self.len()).map(move |depth| self.at(depth))
    }
}

impl<'a> ConfigName<'a> {
    /// Returns the address of a resource's configuration.
    pub(super) fn of(addr: &'a ResourceAddr) -> Self {
        Self {
            module: Calls::Steps(&addr.module.0),
            mode: addr.mode,
            type_name: &addr.type_name,
            name: &addr.name,
        }
    }

    /// Returns the path of the module.
    pub(super) fn module(&self) -> ModuleAddr {
        ModuleAddr(self.module.iter().map(str::to_owned).collect())
    }

    /// Returns the address on its own.
    pub(super) fn to_addr(self) -> ConfigResourceAddr {
        ConfigResourceAddr {
            module: self.module(),
            mode: self.mode,
            type_name: self.type_name.to_owned(),
            name: self.name.to_owned(),
        }
    }
}

impl<'a> From<&'a ConfigResourceAddr> for ConfigName<'a> {
    fn from(addr: &'a ConfigResourceAddr) -> Self {
        Self {
            module: Calls::Names(&addr.module.0),
            mode: addr.mode,
            type_name: &addr.type_name,
            name: &addr.name,
        }
    }
}

impl PartialEq for ConfigName<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
            && self.type_name == other.type_name
            && self.mode == other.mode
            && self.module.len() == other.module.len()
            && self.module.iter().eq(other.module.iter())
    }
}

impl Eq for ConfigName<'_> {}

impl Hash for ConfigName<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.module.iter().for_each(|name| name.hash(state));
        self.mode.hash(state);
        self.type_name.hash(state);
        self.name.hash(state);
    }
}

impl fmt::Display for ConfigName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.to_addr().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use std::hash::{BuildHasher as _, BuildHasherDefault, DefaultHasher};

    use super::*;

    #[test]
    fn is_the_same_from_either_side() {
        for text in [
            "aws_a.b",
            "data.aws_a.b",
            "module.x[\"k\"].module.y[0].aws_a.b",
            "module.x.aws_a.b",
        ] {
            let resource: ResourceAddr = text.parse().unwrap();
            let config = resource.config();
            let (left, right) = (ConfigName::of(&resource), ConfigName::from(&config));
            assert!(left == right);
            let hash = |name| BuildHasherDefault::<DefaultHasher>::default().hash_one(name);
            assert_eq!(hash(left), hash(right));
            assert_eq!(left.to_addr(), config);
            assert_eq!(left.to_string(), config.to_string());
        }
        let (one, two): (ResourceAddr, ResourceAddr) = (
            "module.x.aws_a.b".parse().unwrap(),
            "module.x.data.aws_a.b".parse().unwrap(),
        );
        assert!(ConfigName::of(&one) != ConfigName::of(&two));
    }
}
