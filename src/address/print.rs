//! Printing addresses, byte for byte as Terraform does.

use std::cmp::Ordering;
use std::fmt::{Display, Formatter, Result, Write as _};

use unicode_general_category::{GeneralCategory, get_general_category};

use super::{
    ConfigResourceAddr, InstanceKey, ModuleAddr, ModuleInstanceAddr, MoveableAddr, ProviderAddr,
    ProviderConfigAddr, ResourceAddr, ResourceInstanceAddr, ResourceMode,
};

/// Go's `unicode.IsPrint`: letters, marks, numbers, punctuation, symbols, and the ASCII space.
fn is_print(c: char) -> bool {
    use GeneralCategory as G;
    if c.is_ascii() {
        return (' '..='~').contains(&c);
    }
    !matches!(
        get_general_category(c),
        G::Control
            | G::Format
            | G::Surrogate
            | G::PrivateUse
            | G::Unassigned
            | G::LineSeparator
            | G::ParagraphSeparator
            | G::SpaceSeparator
    )
}

impl Display for InstanceKey {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let text = match self {
            Self::Int(number) => return write!(f, "[{number}]"),
            Self::Str(text) => text,
        };
        f.write_str("[\"")?;
        let mut chars = text.chars().peekable();
        while let Some(c) = chars.next() {
            match c {
                '\n' => f.write_str("\\n")?,
                '\r' => f.write_str("\\r")?,
                '\t' => f.write_str("\\t")?,
                '"' => f.write_str("\\\"")?,
                '\\' => f.write_str("\\\\")?,
                '$' | '%' => {
                    f.write_char(c)?;
                    if chars.peek() == Some(&'{') {
                        f.write_char(c)?;
                    }
                }
                c if is_print(c) => f.write_char(c)?,
                c if u32::from(c) < 0x1_0000 => write!(f, "\\u{:04x}", u32::from(c))?,
                c => write!(f, "\\U{:08x}", u32::from(c))?,
            }
        }
        f.write_str("\"]")
    }
}

impl Display for ModuleAddr {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        for (index, name) in self.0.iter().enumerate() {
            let dot = if index == 0 { "" } else { "." };
            write!(f, "{dot}module.{name}")?;
        }
        Ok(())
    }
}

impl Display for ModuleInstanceAddr {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        for (index, step) in self.0.iter().enumerate() {
            let dot = if index == 0 { "" } else { "." };
            write!(f, "{dot}module.{}", step.name)?;
            if let Some(key) = &step.key {
                key.fmt(f)?;
            }
        }
        Ok(())
    }
}

fn resource(f: &mut Formatter<'_>, in_root: bool, mode: ResourceMode, type_name: &str, name: &str) -> Result {
    if !in_root {
        f.write_char('.')?;
    }
    if mode == ResourceMode::Data {
        f.write_str("data.")?;
    }
    f.write_str(type_name)?;
    f.write_char('.')?;
    f.write_str(name)
}

impl Display for ConfigResourceAddr {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        self.module.fmt(f)?;
        resource(
            f,
            self.module.0.is_empty(),
            self.mode,
            &self.type_name,
            &self.name,
        )
    }
}

impl Display for ResourceAddr {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        self.module.fmt(f)?;
        resource(f, self.module.is_root(), self.mode, &self.type_name, &self.name)
    }
}

impl Display for ResourceInstanceAddr {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        self.resource.fmt(f)?;
        self.key.as_ref().map_or(Ok(()), |key| key.fmt(f))
    }
}

impl Display for MoveableAddr {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::Module(addr) => addr.fmt(f),
            Self::Resource(addr) => addr.fmt(f),
            Self::Instance(addr) => addr.fmt(f),
        }
    }
}

impl Display for ProviderAddr {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        write!(f, "{}/{}/{}", self.host, self.namespace, self.type_name)
    }
}

impl Display for ProviderConfigAddr {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        self.module.fmt(f)?;
        if !self.module.0.is_empty() {
            f.write_char('.')?;
        }
        write!(f, "provider[\"{}\"]", self.provider)?;
        if let Some(alias) = &self.alias {
            write!(f, ".{alias}")?;
        }
        self.key.as_ref().map_or(Ok(()), |key| key.fmt(f))
    }
}

/// Compares as `terraform state list` sorts: shorter module paths first, then step by step, data before managed.
pub fn cmp_state_list(a: &ResourceInstanceAddr, b: &ResourceInstanceAddr) -> Ordering {
    let (left, right) = (&a.resource, &b.resource);
    let modules = left
        .module
        .0
        .len()
        .cmp(&right.module.0.len())
        .then_with(|| left.module.cmp(&right.module));
    modules.then_with(|| {
        let of = |r: &ResourceAddr| (r.mode, r.type_name.clone(), r.name.clone());
        of(left).cmp(&of(right)).then_with(|| a.key.cmp(&b.key))
    })
}
