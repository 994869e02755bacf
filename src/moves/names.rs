//! Configuration addresses borrowed from what is already there: making one for every resource and every dependency
//! would cost more than all the rest.

use std::fmt;
use std::hash::{Hash, Hasher};

use crate::address::{ConfigResourceAddr, ResourceAddr, ResourceMode};

/// A configuration address: module calls without keys, mode, type, name.
#[derive(Clone, Copy)]
pub(super) enum ConfigName<'a> {
    /// That of a resource in a module instance.
    Of(&'a ResourceAddr),
    /// One as it is.
    Is(&'a ConfigResourceAddr),
}

impl<'a> ConfigName<'a> {
    /// Returns the address of a resource's configuration.
    pub(super) fn of(addr: &'a ResourceAddr) -> Self {
        Self::Of(addr)
    }

    fn parts(self) -> (ResourceMode, &'a str, &'a str) {
        match self {
            Self::Of(addr) => (addr.mode, &addr.type_name, &addr.name),
            Self::Is(addr) => (addr.mode, &addr.type_name, &addr.name),
        }
    }

    fn depth(self) -> usize {
        match self {
            Self::Of(addr) => addr.module.0.len(),
            Self::Is(addr) => addr.module.0.len(),
        }
    }

    /// Returns the names of the module calls, outermost first.
    fn calls(self) -> impl Iterator<Item = &'a str> {
        (0..self.depth()).map(move |depth| match self {
            Self::Of(addr) => addr.module.0[depth].name.as_str(),
            Self::Is(addr) => addr.module.0[depth].as_str(),
        })
    }

    /// Returns the address on its own.
    pub(super) fn to_addr(self) -> ConfigResourceAddr {
        match self {
            Self::Of(addr) => addr.config(),
            Self::Is(addr) => addr.clone(),
        }
    }
}

impl<'a> From<&'a ConfigResourceAddr> for ConfigName<'a> {
    fn from(addr: &'a ConfigResourceAddr) -> Self {
        Self::Is(addr)
    }
}

impl PartialEq for ConfigName<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.parts() == other.parts() && self.depth() == other.depth() && self.calls().eq(other.calls())
    }
}

impl Eq for ConfigName<'_> {}

impl Hash for ConfigName<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.calls().for_each(|name| name.hash(state));
        self.parts().hash(state);
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
