//! Reading addresses.
//!
//! Terraform reads an address as an HCL absolute traversal. So do we, in one pass over the bytes: white space, line
//! breaks and comments are allowed between tokens, a byte order mark at the start is skipped, keys are HCL literals
//! (`[00]` and `[1e2]` included) and are normalised to NFC. The behaviour was compared with Terraform 1.11.4, case by
//! case; the table is in `tests.rs`.

use std::str::FromStr;

use thiserror::Error;

use super::reader::{Name, Reader, Result};
use super::{
    ConfigResourceAddr, InstanceKey, ModuleAddr, ModuleInstanceAddr, ModuleStep, MoveableAddr, ResourceAddr,
    ResourceInstanceAddr,
};

/// Why a text is not an address.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("invalid address `{text}` at byte {offset}: {reason}")]
pub struct AddressError {
    /// The whole text.
    pub text: String,
    /// Byte offset of the fault; at most the length of the text, and always on a character boundary.
    pub offset: usize,
    /// What is wrong, and where it helps, what to write instead.
    pub reason: String,
}

/// Reads a whole address.
fn moveable(text: &str) -> Result<MoveableAddr> {
    let mut reader = Reader::new(text);
    let mut module = ModuleInstanceAddr::root();
    let first = reader.module_path(|_, call, key| {
        module.0.push(ModuleStep {
            name: call.text.to_owned(),
            key,
        });
        Ok(())
    })?;
    let Some(first) = first else {
        return Ok(MoveableAddr::Module(module));
    };
    let (mode, type_name, name) = reader.resource(first)?;
    let resource = ResourceAddr {
        module,
        mode,
        type_name: type_name.to_owned(),
        name: name.to_owned(),
    };
    if reader.at_end() {
        return Ok(MoveableAddr::Resource(resource));
    }
    if reader.peek() == Some(b'.') {
        return reader.fail(
            reader.pos,
            "an instance key is written in brackets, `[0]` or `[\"name\"]`; attributes do not belong to an address",
        );
    }
    let key = reader.index()?;
    reader.finish()?;
    Ok(MoveableAddr::Instance(ResourceInstanceAddr { resource, key }))
}

fn not_this<T>(text: &str, reason: &str) -> Result<T> {
    Reader::new(text).fail(0, reason)
}

const MODULE_NOT_RESOURCE: &str = "this is a module; a resource is needed";

impl FromStr for MoveableAddr {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self> {
        moveable(text)
    }
}

impl FromStr for ResourceInstanceAddr {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self> {
        match moveable(text)? {
            MoveableAddr::Instance(instance) => Ok(instance),
            MoveableAddr::Resource(resource) => Ok(Self { resource, key: None }),
            MoveableAddr::Module(_) => not_this(text, MODULE_NOT_RESOURCE),
        }
    }
}

impl FromStr for ResourceAddr {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self> {
        match moveable(text)? {
            MoveableAddr::Resource(resource) => Ok(resource),
            MoveableAddr::Instance(_) => {
                not_this(text, "this is one instance; write the resource without its key")
            }
            MoveableAddr::Module(_) => not_this(text, MODULE_NOT_RESOURCE),
        }
    }
}

impl FromStr for ModuleInstanceAddr {
    type Err = AddressError;

    /// Reads a module path; the empty text is the root module.
    fn from_str(text: &str) -> Result<Self> {
        if text.is_empty() {
            return Ok(Self::root());
        }
        match moveable(text)? {
            MoveableAddr::Module(module) => Ok(module),
            _ => not_this(text, "this is a resource; a module is needed"),
        }
    }
}

impl FromStr for ModuleAddr {
    type Err = AddressError;

    /// Reads a module path without instance keys; the empty text is the root module.
    fn from_str(text: &str) -> Result<Self> {
        let mut module = Self::root();
        if text.is_empty() {
            return Ok(module);
        }
        let mut reader = Reader::new(text);
        let first = reader.module_path(|reader, call, key| {
            module.0.push(call.text.to_owned());
            without_key(reader, call, key)
        })?;
        match first {
            None => Ok(module),
            Some(first) => reader.fail(first.at, "this is a resource; a module is needed"),
        }
    }
}

/// Refuses the key of a module call.
pub(super) fn without_key(reader: &Reader<'_>, call: Name<'_>, key: Option<InstanceKey>) -> Result<()> {
    if key.is_none() {
        return Ok(());
    }
    let reason = format!(
        "a module is named without instance keys here; write `module.{}` alone",
        call.text
    );
    reader.fail(call.at + call.text.len(), reason)
}

impl FromStr for ConfigResourceAddr {
    type Err = AddressError;

    /// Reads a resource as written in configuration. Instance keys of modules are read and dropped, as Terraform does
    /// with the `dependencies` of a state; a key of the resource itself is refused, as there.
    fn from_str(text: &str) -> Result<Self> {
        let mut reader = Reader::new(text);
        let mut module = ModuleAddr::root();
        let first = reader.module_path(|_, call, _| {
            module.0.push(call.text.to_owned());
            Ok(())
        })?;
        let Some(first) = first else {
            return not_this(text, MODULE_NOT_RESOURCE);
        };
        let (mode, type_name, name) = reader.resource(first)?;
        if !reader.at_end() && reader.peek() == Some(b'[') {
            return reader.fail(reader.pos, "a resource is named without its instance key here");
        }
        reader.finish()?;
        Ok(Self {
            module,
            mode,
            type_name: type_name.to_owned(),
            name: name.to_owned(),
        })
    }
}

impl FromStr for InstanceKey {
    type Err = AddressError;

    /// Reads a key with its brackets: `[0]`, `["name"]`.
    fn from_str(text: &str) -> Result<Self> {
        let mut reader = Reader::new(text);
        match reader.index()? {
            Some(key) => {
                reader.finish()?;
                Ok(key)
            }
            None => reader.fail(
                reader.pos,
                "an instance key is written in brackets, `[0]` or `[\"name\"]`",
            ),
        }
    }
}
