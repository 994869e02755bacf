//! Anchored, segment-aware patterns over addresses: the words of `take` in a plan file.
//!
//! A pattern is written like an address, with wildcards, and always describes a whole address, never a part of one:
//!
//! ```text
//! pattern = { step "." } ( step | [ "data" "." | "resource" "." ] NAME "." NAME [ key ] )
//! step    = "module" "." NAME [ key ] | "**"
//! key     = "[" INT "]" | "[" STRING "]" | "[" "*" "]"
//! ```
//!
//! - `*` in a NAME stands for any run of characters of that one name, also for none. It never crosses a dot or a
//!   bracket: `aws_sqs_queue.*` is every queue of the root module and nothing of any other module.
//! - `**` stands for any number of module steps, also for none: `**.aws_sqs_queue.*` is every queue anywhere,
//!   `module.net.**.aws_subnet.*` every subnet at any depth in `module.net`.
//! - A pattern that ends with a step takes everything from there on down, managed resources and data sources alike:
//!   `module.vpc` and `module.vpc.**` are everything in `module.vpc`, `**` is everything there is.
//! - A pattern that ends with a resource takes managed resources only; data sources are written with `data.`.
//! - A name without a key takes every key and no key: `module.service` is every instance of that call, and
//!   `aws_subnet.private` every instance of that resource.
//! - A name with a key takes only instances that have such a key: `[0]` that number; `["a"]` that string; `["a*"]` the
//!   strings that start with `a`; `["*"]` any string; `[*]` any number or string. Inside the quotes `*` may cross
//!   anything, dots included. A `*` that belongs to the key is written `\*`, as in `["\*.example.com"]` (in the plan
//!   file, where the pattern is itself a string, `[\"\\*.example.com\"]`). All other escapes are those of addresses.
//!
//! ```
//! use stackcut::address::{ResourceInstanceAddr, pattern::Pattern};
//!
//! let pattern: Pattern = "module.service[\"*\"].aws_sqs_queue.orders-*".parse()?;
//! let queue: ResourceInstanceAddr = "module.service[\"shop\"].aws_sqs_queue.orders-dlq".parse()?;
//! assert!(pattern.matches(&queue));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod glob;
mod parse;
#[cfg(test)]
mod tests;

use std::fmt::{self, Write as _};

use glob::Glob;

use super::display::write_escaped;
use super::reader::needs_prefix;
use super::{
    ConfigResourceAddr, InstanceKey, ModuleInstanceAddr, ModuleStep, MoveableAddr, ResourceAddr,
    ResourceInstanceAddr, ResourceMode,
};

/// A pattern over addresses; see the [module](self) for what it means.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pattern {
    steps: Vec<Step>,
    target: Target,
}

/// One step of the module path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Step {
    /// `module.NAME[key]`.
    Module { name: Glob, key: KeyGlob },
    /// `**`: any number of steps.
    Deep,
}

/// What is taken at the end of the path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Target {
    /// All that is in the module and below it.
    Everything,
    /// Resources of the module.
    Resource {
        mode: ResourceMode,
        type_name: Glob,
        name: Glob,
        key: KeyGlob,
    },
}

/// Which keys a name takes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum KeyGlob {
    /// Nothing is written: every key and no key.
    Free,
    /// `[*]`: every key.
    Any,
    /// `[0]`.
    Int(u64),
    /// `["a*"]`.
    Str(Glob),
}

impl KeyGlob {
    fn matches(&self, key: Option<&InstanceKey>) -> bool {
        match (self, key) {
            (Self::Free, _) | (Self::Any, Some(_)) => true,
            (Self::Int(own), Some(InstanceKey::Int(index))) => own == index,
            (Self::Str(own), Some(InstanceKey::Str(key))) => own.matches(key),
            _ => false,
        }
    }

    /// Returns the one key that is written, or none if none is; the outer none stands for several keys.
    fn literal(&self) -> Option<Option<InstanceKey>> {
        match self {
            Self::Free => Some(None),
            Self::Any => None,
            Self::Int(index) => Some(Some(InstanceKey::Int(*index))),
            Self::Str(glob) => Some(Some(InstanceKey::Str(glob.literal()?.to_owned()))),
        }
    }
}

impl From<Option<&InstanceKey>> for KeyGlob {
    fn from(key: Option<&InstanceKey>) -> Self {
        match key {
            None => Self::Free,
            Some(InstanceKey::Int(index)) => Self::Int(*index),
            Some(InstanceKey::Str(key)) => Self::Str(Glob::exactly(key)),
        }
    }
}

impl Pattern {
    /// Tells whether this pattern takes `instance`.
    pub fn matches(&self, instance: &ResourceInstanceAddr) -> bool {
        let resource = &instance.resource;
        self.takes_resource(resource.mode, &resource.type_name, &resource.name, |own| {
            own.matches(instance.key.as_ref())
        }) && self.takes_path(&resource.module)
    }

    /// Tells whether this pattern can take instances of the block `config`. Keys are not asked: `aws_subnet.a[0]`
    /// matches the block `aws_subnet.a`, of which other instances may stay; see [`Pattern::asks_for_keys`].
    pub fn matches_config(&self, config: &ConfigResourceAddr) -> bool {
        self.takes_resource(config.mode, &config.type_name, &config.name, |_| true)
            && self.walk(config.module.0.len(), |name, _, i| {
                name.matches(&config.module.0[i])
            })
    }

    /// Tells whether a key is written anywhere, so that a block may be taken in part.
    pub fn asks_for_keys(&self) -> bool {
        let of_step = |step: &Step| matches!(step, Step::Module { key, .. } if *key != KeyGlob::Free);
        let of_target = matches!(&self.target, Target::Resource { key, .. } if *key != KeyGlob::Free);
        of_target || self.steps.iter().any(of_step)
    }

    /// Returns the address that is written, if no wildcard is. A name without a key is returned without one, though as
    /// a pattern it takes every key.
    pub fn literal(&self) -> Option<MoveableAddr> {
        let mut module = ModuleInstanceAddr::root();
        for step in &self.steps {
            match step {
                Step::Deep => return None,
                Step::Module { name, key } => module.0.push(ModuleStep {
                    name: name.literal()?.to_owned(),
                    key: key.literal()?,
                }),
            }
        }
        let Target::Resource {
            mode,
            type_name,
            name,
            key,
        } = &self.target
        else {
            return Some(MoveableAddr::Module(module));
        };
        let resource = ResourceAddr {
            module,
            mode: *mode,
            type_name: type_name.literal()?.to_owned(),
            name: name.literal()?.to_owned(),
        };
        Some(resource.instance(key.literal()?).into())
    }

    fn takes_resource(
        &self,
        mode: ResourceMode,
        type_name: &str,
        name: &str,
        takes_key: impl Fn(&KeyGlob) -> bool,
    ) -> bool {
        match &self.target {
            Target::Everything => true,
            Target::Resource {
                mode: own_mode,
                type_name: own_type,
                name: own_name,
                key,
            } => *own_mode == mode && own_type.matches(type_name) && own_name.matches(name) && takes_key(key),
        }
    }

    fn takes_path(&self, module: &ModuleInstanceAddr) -> bool {
        self.walk(module.0.len(), |name, key, i| {
            name.matches(&module.0[i].name) && key.matches(module.0[i].key.as_ref())
        })
    }

    /// Matches the steps against a path of `len` modules, `one` being the test of a single step against module `i`.
    ///
    /// Only the last `**` passed is ever tried again: an earlier one taking more could only leave less to match.
    fn walk(&self, len: usize, one: impl Fn(&Glob, &KeyGlob, usize) -> bool) -> bool {
        let (mut step, mut i) = (0, 0);
        let mut retry: Option<(usize, usize)> = None;
        loop {
            match self.steps.get(step) {
                Some(Step::Deep) => {
                    step += 1;
                    retry = Some((step, i));
                    continue;
                }
                Some(Step::Module { name, key }) if i < len && one(name, key, i) => {
                    step += 1;
                    i += 1;
                    continue;
                }
                None if i == len || self.target == Target::Everything => return true,
                _ => {}
            }
            match retry {
                Some((after, from)) if from < len => {
                    retry = Some((after, from + 1));
                    (step, i) = (after, from + 1);
                }
                _ => return false,
            }
        }
    }
}

impl From<&MoveableAddr> for Pattern {
    /// Returns the pattern that is written like `addr`, with the `*` of keys escaped.
    fn from(addr: &MoveableAddr) -> Self {
        let steps = (addr.module().0.iter())
            .map(|step| Step::Module {
                name: Glob::exactly(&step.name),
                key: step.key.as_ref().into(),
            })
            .collect();
        let (resource, key) = match addr {
            MoveableAddr::Module(_) if addr.module().is_root() => {
                return Self {
                    steps: vec![Step::Deep],
                    target: Target::Everything,
                };
            }
            MoveableAddr::Module(_) => {
                return Self {
                    steps,
                    target: Target::Everything,
                };
            }
            MoveableAddr::Resource(resource) => (resource, None),
            MoveableAddr::Instance(instance) => (&instance.resource, instance.key.as_ref()),
        };
        let target = Target::Resource {
            mode: resource.mode,
            type_name: Glob::exactly(&resource.type_name),
            name: Glob::exactly(&resource.name),
            key: key.into(),
        };
        Self { steps, target }
    }
}

impl fmt::Display for KeyGlob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Free => Ok(()),
            Self::Any => f.write_str("[*]"),
            Self::Int(index) => write!(f, "[{index}]"),
            Self::Str(glob) => {
                f.write_str("[\"")?;
                glob.write_parts(f, |f, part| write_escaped(f, part, Some('*')))?;
                f.write_str("\"]")
            }
        }
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, step) in self.steps.iter().enumerate() {
            if i > 0 {
                f.write_char('.')?;
            }
            match step {
                Step::Deep => f.write_str("**")?,
                Step::Module { name, key } => write!(f, "module.{name}{key}")?,
            }
        }
        let Target::Resource {
            mode,
            type_name,
            name,
            key,
        } = &self.target
        else {
            return Ok(());
        };
        if !self.steps.is_empty() {
            f.write_char('.')?;
        }
        f.write_str(match mode {
            ResourceMode::Data => "data.",
            ResourceMode::Managed if type_name.literal().is_some_and(needs_prefix) => "resource.",
            ResourceMode::Managed => "",
        })?;
        write!(f, "{type_name}.{name}{key}")
    }
}
