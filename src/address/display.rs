//! Printing addresses, as Terraform prints them (but so that each can be read again), straight into the formatter.

use std::fmt::{self, Write as _};

use unicode_general_category::{GeneralCategory, get_general_category};

use super::reader::needs_prefix;
use super::{
    ConfigResourceAddr, InstanceKey, ModuleAddr, ModuleInstanceAddr, ModuleStep, MoveableAddr, ResourceAddr,
    ResourceInstanceAddr, ResourceMode,
};

/// Writes `key` as the inside of an HCL string. Every character in `also` gets a backslash as well.
pub(super) fn write_escaped(f: &mut fmt::Formatter<'_>, key: &str, also: Option<char>) -> fmt::Result {
    let mut run = 0;
    for (i, c) in key.char_indices() {
        let next = i + c.len_utf8();
        let plain = match c {
            '"' | '\\' => false,
            // A template introducer is doubled; elsewhere the sign stands for itself.
            '$' | '%' => !key[next..].starts_with('{'),
            _ => is_print(c) && also != Some(c),
        };
        if plain {
            continue;
        }
        f.write_str(&key[run..i])?;
        run = next;
        match c {
            '\n' => f.write_str("\\n")?,
            '\r' => f.write_str("\\r")?,
            '\t' => f.write_str("\\t")?,
            '$' | '%' => write!(f, "{c}{c}")?,
            _ if is_print(c) => write!(f, "\\{c}")?,
            _ if c <= '\u{ffff}' => write!(f, "\\u{:04x}", u32::from(c))?,
            _ => write!(f, "\\U{:08x}", u32::from(c))?,
        }
    }
    f.write_str(&key[run..])
}

/// Go's `unicode.IsPrint`: letters, marks, numbers, punctuation, symbols and the ASCII space.
///
/// A character that is newer than the reading binary's Unicode tables is escaped by it and not by us, or the other way
/// round; both spellings are the same key.
fn is_print(c: char) -> bool {
    use GeneralCategory as G;
    if c.is_ascii() {
        return matches!(c, ' '..='~');
    }
    !matches!(
        get_general_category(c),
        G::Control
            | G::Format
            | G::Surrogate
            | G::PrivateUse
            | G::Unassigned
            | G::SpaceSeparator
            | G::LineSeparator
            | G::ParagraphSeparator
    )
}

/// Writes the labels of a resource, after its module.
fn write_resource(
    f: &mut fmt::Formatter<'_>,
    mode: ResourceMode,
    type_name: &str,
    name: &str,
) -> fmt::Result {
    match mode {
        ResourceMode::Data => f.write_str("data.")?,
        // Terraform leaves the prefix out, and then reads a module, a local value or nothing at all.
        ResourceMode::Managed if needs_prefix(type_name) => f.write_str("resource.")?,
        ResourceMode::Managed => {}
    }
    f.write_str(type_name)?;
    f.write_char('.')?;
    f.write_str(name)
}

impl fmt::Display for InstanceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Int(index) => write!(f, "[{index}]"),
            Self::Str(key) => {
                f.write_str("[\"")?;
                write_escaped(f, key, None)?;
                f.write_str("\"]")
            }
        }
    }
}

impl fmt::Display for ModuleStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("module.")?;
        f.write_str(&self.name)?;
        self.key.as_ref().map_or(Ok(()), |key| key.fmt(f))
    }
}

impl fmt::Display for ModuleAddr {
    /// The root module is the empty text.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, name) in self.0.iter().enumerate() {
            f.write_str(if i == 0 { "module." } else { ".module." })?;
            f.write_str(name)?;
        }
        Ok(())
    }
}

impl fmt::Display for ModuleInstanceAddr {
    /// The root module is the empty text.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, step) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_char('.')?;
            }
            step.fmt(f)?;
        }
        Ok(())
    }
}

impl fmt::Display for ConfigResourceAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.module.is_root() {
            self.module.fmt(f)?;
            f.write_char('.')?;
        }
        write_resource(f, self.mode, &self.type_name, &self.name)
    }
}

impl fmt::Display for ResourceAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.module.is_root() {
            self.module.fmt(f)?;
            f.write_char('.')?;
        }
        write_resource(f, self.mode, &self.type_name, &self.name)
    }
}

impl fmt::Display for ResourceInstanceAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.resource.fmt(f)?;
        self.key.as_ref().map_or(Ok(()), |key| key.fmt(f))
    }
}

impl ResourceInstanceAddr {
    /// Tells whether the printed form is read as this address again.
    ///
    /// A state may hold any text as a name, and keys that no configuration can have; what was written down of those
    /// could not be found again.
    pub fn reads_back(&self) -> bool {
        let is_plain = |name: &str| {
            name.starts_with(|c: char| c.is_ascii_alphabetic())
                && name
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        };
        let has_plain_key = |key: Option<&InstanceKey>| match key {
            Some(InstanceKey::Str(text)) => text.is_ascii(),
            _ => true,
        };
        let resource = &self.resource;
        let mut steps = resource.module.0.iter();
        let is_plain = is_plain(&resource.type_name)
            && is_plain(&resource.name)
            && has_plain_key(self.key.as_ref())
            && steps.all(|step| is_plain(&step.name) && has_plain_key(step.key.as_ref()));
        is_plain || self.to_string().parse().as_ref() == Ok(self)
    }
}

impl fmt::Display for MoveableAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Module(module) => module.fmt(f),
            Self::Resource(resource) => resource.fmt(f),
            Self::Instance(instance) => instance.fmt(f),
        }
    }
}

impl fmt::Display for ResourceMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Data => "data",
            Self::Managed => "managed",
        })
    }
}
