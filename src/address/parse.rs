//! Reading addresses: one pass over the bytes, no allocation but for the names that are kept.
//!
//! The grammar is that of an HCL absolute traversal (white space around dots is allowed), as Terraform 1.11 was seen
//! to read it.

use std::str::FromStr;

use thiserror::Error;

use super::{
    ConfigResourceAddr, InstanceKey, ModuleAddr, ModuleInstanceAddr, ModuleStep, MoveableAddr, ResourceAddr,
    ResourceInstanceAddr, ResourceMode,
};

/// Why a text is not an address.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("invalid address `{text}` at byte {offset}: {reason}")]
pub struct AddressError {
    /// The whole text.
    pub text: String,
    /// Byte offset of the fault.
    pub offset: usize,
    /// What is wrong, and where it helps, what to write instead.
    pub reason: String,
}

/// Roots of traversals that are not resource types; `resource.` in front makes them so.
const RESERVED: [&str; 11] = [
    "arg",
    "count",
    "each",
    "lazy",
    "local",
    "module",
    "path",
    "self",
    "template",
    "terraform",
    "var",
];

/// A reading position in an address.
pub(super) struct Cursor<'a> {
    text: &'a str,
    pos: usize,
}

type Result<T> = std::result::Result<T, AddressError>;

impl<'a> Cursor<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, pos: 0 }
    }

    pub(super) fn pos(&self) -> usize {
        self.pos
    }

    pub(super) fn fail<T>(&self, offset: usize, reason: impl Into<String>) -> Result<T> {
        Err(AddressError {
            text: self.text.to_owned(),
            offset,
            reason: reason.into(),
        })
    }

    pub(super) fn rest(&self) -> &'a str {
        &self.text[self.pos..]
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.pos).copied()
    }

    pub(super) fn at_end(&self) -> bool {
        self.pos == self.text.len()
    }

    pub(super) fn advance(&mut self, bytes: usize) {
        self.pos += bytes;
    }

    pub(super) fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t')) {
            self.pos += 1;
        }
    }

    /// Reads one byte if it is the expected one.
    pub(super) fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        if found {
            self.pos += 1;
        }
        found
    }

    /// Reads an identifier: a Unicode identifier that may hold `-`.
    pub(super) fn ident(&mut self) -> Result<&'a str> {
        self.space();
        let start = self.pos;
        let bytes = self.text.as_bytes();
        while let Some(&byte) = bytes.get(self.pos) {
            let first = self.pos == start;
            if byte.is_ascii_alphabetic()
                || byte == b'_'
                || (!first && (byte.is_ascii_digit() || byte == b'-'))
            {
                self.pos += 1;
                continue;
            }
            if byte.is_ascii() {
                break;
            }
            let Some(c) = self.rest().chars().next() else {
                break;
            };
            let fits = if first {
                unicode_ident::is_xid_start(c)
            } else {
                unicode_ident::is_xid_continue(c)
            };
            if !fits {
                break;
            }
            self.pos += c.len_utf8();
        }
        if self.pos > start {
            let name = &self.text[start..self.pos];
            self.space();
            return Ok(name);
        }
        match self.peek() {
            None => self.fail(start, "a name is expected here, and the text ends"),
            Some(b'0'..=b'9') => self.fail(
                start,
                "a name cannot start with a digit; an index is written `[0]`",
            ),
            Some(b'*') => self.fail(start, "`*` is for patterns; an address names one thing"),
            Some(_) => {
                let c = self.rest().chars().next().unwrap_or('?');
                self.fail(start, format!("a name is expected here, found `{c}`"))
            }
        }
    }

    /// Reads `.`, which must be there.
    fn dot(&mut self) -> Result<()> {
        self.space();
        if self.eat(b'.') {
            return Ok(());
        }
        match self.peek() {
            None => self.fail(self.pos, "the text ends where `.` and a name must follow"),
            Some(_) => {
                let c = self.rest().chars().next().unwrap_or('?');
                self.fail(self.pos, format!("`.` is expected here, found `{c}`"))
            }
        }
    }

    /// Reads an instance key if one stands here.
    pub(super) fn key(&mut self) -> Result<Option<InstanceKey>> {
        self.space();
        if !self.eat(b'[') {
            return Ok(None);
        }
        self.space();
        let key = match self.peek() {
            Some(b'"') => InstanceKey::Str(self.quoted()?),
            Some(b'0'..=b'9') => InstanceKey::Int(self.number()?),
            Some(b'-') => return self.fail(self.pos, "an index cannot be negative"),
            Some(b'\'') => return self.fail(self.pos, "a key is written in double quotes: [\"key\"]"),
            Some(b'*') => return self.fail(self.pos, "`[*]` names no single instance"),
            _ => {
                return self.fail(
                    self.pos,
                    "a number or a text in double quotes is expected between brackets",
                );
            }
        };
        self.space();
        if !self.eat(b']') {
            return self.fail(self.pos, "`]` is expected here");
        }
        self.space();
        Ok(Some(key))
    }

    fn number(&mut self) -> Result<u64> {
        let start = self.pos;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.pos += 1;
        }
        if matches!(self.peek(), Some(b'.' | b'e' | b'E')) {
            return self.fail(start, "an index is a whole number");
        }
        match self.text[start..self.pos].parse() {
            Ok(number) => Ok(number),
            Err(_) => self.fail(start, "the index is too large"),
        }
    }

    /// Reads an HCL string without interpolation; the cursor stands on its opening quote.
    pub(super) fn quoted(&mut self) -> Result<String> {
        let open = self.pos;
        self.pos += 1;
        let mut value = String::new();
        loop {
            let rest = self.rest();
            let plain = rest.find(['"', '\\', '$', '%', '\n']).unwrap_or(rest.len());
            value.push_str(&rest[..plain]);
            self.pos += plain;
            match self.peek() {
                Some(b'"') => {
                    self.pos += 1;
                    return Ok(value);
                }
                Some(b'\\') => value.push(self.escape()?),
                Some(mark @ (b'$' | b'%')) => {
                    let after = &self.text.as_bytes()[self.pos + 1..];
                    if after.first() == Some(&b'{') {
                        let mark = char::from(mark);
                        return self.fail(
                            self.pos,
                            format!(
                                "a key cannot be computed; a literal `{mark}{{` is written `{mark}{mark}{{`"
                            ),
                        );
                    }
                    value.push(char::from(mark));
                    // `$${` stands for `${`.
                    self.pos += if after.starts_with(&[mark, b'{']) { 2 } else { 1 };
                }
                Some(_) => return self.fail(self.pos, "a line break in a key is written `\\n`"),
                None => return self.fail(open, "the text ends inside the quotes that start here"),
            }
        }
    }

    /// Reads an escape sequence; the cursor stands on its backslash.
    fn escape(&mut self) -> Result<char> {
        let start = self.pos;
        self.pos += 1;
        let kind = self.peek();
        self.pos += usize::from(kind.is_some_and(|byte| byte.is_ascii()));
        let digits = match kind {
            Some(b'n') => return Ok('\n'),
            Some(b'r') => return Ok('\r'),
            Some(b't') => return Ok('\t'),
            Some(b'"') => return Ok('"'),
            Some(b'\\') => return Ok('\\'),
            Some(b'u') => 4,
            Some(b'U') => 8,
            _ => return self.fail(
                start,
                "unknown escape; `\\n`, `\\r`, `\\t`, `\\\"`, `\\\\`, `\\uXXXX` and `\\UXXXXXXXX` are known",
            ),
        };
        let hex = self
            .text
            .get(self.pos..self.pos + digits)
            .filter(|hex| hex.bytes().all(|b| b.is_ascii_hexdigit()));
        let character = hex
            .and_then(|hex| u32::from_str_radix(hex, 16).ok())
            .and_then(char::from_u32);
        self.pos += digits;
        match character {
            Some(c) => Ok(c),
            None => self.fail(
                start,
                format!("`\\u` needs {digits} hex digits that name a character"),
            ),
        }
    }

    /// Tells whether the next name is `word`, without reading it.
    fn next_is(&mut self, word: &str) -> bool {
        self.space();
        let Some(after) = self.rest().strip_prefix(word) else {
            return false;
        };
        !after.starts_with(|c: char| c == '-' || unicode_ident::is_xid_continue(c))
    }

    /// Reads module steps; afterwards the cursor stands on the resource, or at the end.
    fn modules(&mut self) -> Result<ModuleInstanceAddr> {
        let mut steps = Vec::new();
        while self.next_is("module") {
            self.ident()?;
            self.dot()?;
            let name = self.ident()?.to_owned();
            steps.push(ModuleStep {
                name,
                key: self.key()?,
            });
            if self.at_end() {
                break;
            }
            self.dot()?;
        }
        Ok(ModuleInstanceAddr(steps))
    }

    /// Reads mode, type and name.
    fn resource(&mut self, module: ModuleInstanceAddr) -> Result<ResourceAddr> {
        let start = self.pos;
        let mut mode = ResourceMode::Managed;
        let mut type_name = self.ident()?;
        match type_name {
            "data" => {
                mode = ResourceMode::Data;
                self.dot()?;
                type_name = self.ident()?;
            }
            "resource" => {
                self.dot()?;
                type_name = self.ident()?;
            }
            "ephemeral" => return self.fail(start, "ephemeral resources are never in a state"),
            word if RESERVED.contains(&word) => {
                return self.fail(
                    start,
                    format!("`{word}` is reserved; a type of that name is written `resource.{word}`"),
                );
            }
            _ => {}
        }
        if self.at_end() {
            return self.fail(self.pos, "a resource is written TYPE.NAME; the name is missing");
        }
        self.dot()?;
        let name = self.ident()?;
        Ok(ResourceAddr {
            module,
            mode,
            type_name: type_name.to_owned(),
            name: name.to_owned(),
        })
    }

    fn end(&self) -> Result<()> {
        if self.at_end() {
            return Ok(());
        }
        let rest = self.rest();
        if rest.starts_with('.') && rest[1..].starts_with(|c: char| c.is_ascii_digit()) {
            return self.fail(self.pos, "an index is written `[0]`, not `.0`");
        }
        self.fail(self.pos, format!("the address is complete before `{rest}`"))
    }

    fn moveable(mut self) -> Result<MoveableAddr> {
        let module = self.modules()?;
        if self.at_end() && !module.is_root() {
            return Ok(MoveableAddr::Module(module));
        }
        let resource = self.resource(module)?;
        let key = self.key()?;
        self.end()?;
        Ok(match key {
            None => MoveableAddr::Resource(resource),
            key => MoveableAddr::Instance(ResourceInstanceAddr { resource, key }),
        })
    }

    /// Reads a module path that stands before something else (`provider`), or to the end.
    pub(super) fn module_path(&mut self) -> Result<ModuleInstanceAddr> {
        self.modules()
    }
}

impl FromStr for MoveableAddr {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self> {
        Cursor::new(text).moveable()
    }
}

impl FromStr for ResourceInstanceAddr {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self> {
        match Cursor::new(text).moveable()? {
            MoveableAddr::Instance(addr) => Ok(addr),
            MoveableAddr::Resource(resource) => Ok(Self { resource, key: None }),
            MoveableAddr::Module(_) => {
                Cursor::new(text).fail(text.len(), "a resource is expected, this is a module")
            }
        }
    }
}

impl FromStr for ResourceAddr {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self> {
        match Cursor::new(text).moveable()? {
            MoveableAddr::Resource(addr) => Ok(addr),
            MoveableAddr::Instance(_) => Cursor::new(text).fail(
                text.rfind('[').unwrap_or(0),
                "a whole resource is expected, without an instance key",
            ),
            MoveableAddr::Module(_) => {
                Cursor::new(text).fail(text.len(), "a resource is expected, this is a module")
            }
        }
    }
}

/// Reads the form used in `dependencies`; instance keys of modules are dropped, as Terraform does.
impl FromStr for ConfigResourceAddr {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self> {
        let ResourceAddr {
            module,
            mode,
            type_name,
            name,
        } = text.parse()?;
        let module = ModuleAddr(module.0.into_iter().map(|step| step.name).collect());
        Ok(Self {
            module,
            mode,
            type_name,
            name,
        })
    }
}

/// Reads a module instance; the empty text is the root module.
impl FromStr for ModuleInstanceAddr {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self> {
        if text.is_empty() {
            return Ok(Self::root());
        }
        match Cursor::new(text).moveable()? {
            MoveableAddr::Module(module) => Ok(module),
            MoveableAddr::Resource(_) | MoveableAddr::Instance(_) => {
                Cursor::new(text).fail(0, "a module is expected, this is a resource")
            }
        }
    }
}

/// Reads a module path without instance keys; the empty text is the root module.
impl FromStr for ModuleAddr {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self> {
        let module: ModuleInstanceAddr = text.parse()?;
        if module.0.iter().any(|step| step.key.is_some()) {
            return Cursor::new(text).fail(
                text.find('[').unwrap_or(0),
                "a module path has no instance keys here",
            );
        }
        Ok(module.config())
    }
}

/// Reads `[0]` or `["key"]`.
impl FromStr for InstanceKey {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self> {
        let mut cursor = Cursor::new(text);
        match cursor.key()? {
            Some(key) => cursor.end().map(|()| key),
            None => cursor.fail(0, "an instance key is written `[0]` or `[\"key\"]`"),
        }
    }
}
