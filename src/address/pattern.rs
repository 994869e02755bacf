//! Anchored, segment-aware patterns over addresses, as `take` in a plan file uses them.
//!
//! A pattern is an address in which names and keys may hold `*`. It always speaks about the whole address:
//!
//! | pattern | matches |
//! |---|---|
//! | `aws_sqs_queue.orders` | that resource in the root module, all its instances |
//! | `aws_sqs_queue.orders[0]`, `…["eu"]` | one instance |
//! | `aws_sqs_queue.orders[*]` | every instance that has a key |
//! | `aws_sqs_queue.orders["eu-*"]` | instances whose key is a text that matches |
//! | `aws_iam_*.orders-*` | resources of the root module whose type and name match |
//! | `data.aws_*.*` | data sources of the root module |
//! | `module.vpc` | everything in the module, all its instances, modules inside it too, data sources too |
//! | `module.service["orders"]` | everything in that module instance |
//! | `module.*.aws_sqs_queue.q` | `q` in every module called by the root module |
//! | `module.net.**` | the same as `module.net`; `**` alone is everything |
//! | `**.aws_kms_key.*` | KMS keys in any module, the root module included |
//! | `module.net.**.aws_subnet.*` | subnets in `module.net` and in modules inside it |
//!
//! `*` stands for any run of characters (none too) within one name or key; it never crosses a `.` or a bracket. In a
//! key `\*` is a literal star. A name without brackets stands for every instance of it. Patterns without `data.` match
//! managed resources only, except where they take whole modules.

use std::fmt;
use std::str::FromStr;

use super::parse::Cursor;
use super::{
    AddressError, ConfigResourceAddr, InstanceKey, ModuleInstanceAddr, ModuleStep, MoveableAddr,
    ResourceAddr, ResourceInstanceAddr, ResourceMode,
};

/// A text in which `*` stands for any run of characters.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Glob {
    /// The literal pieces between the stars; one piece means there is no star.
    pieces: Vec<String>,
}

impl Glob {
    fn matches(&self, text: &str) -> bool {
        let (first, rest) = self.pieces.split_first().expect("a glob has at least one piece");
        let Some((last, middle)) = rest.split_last() else {
            return text == first;
        };
        let Some(mut text) = text.strip_prefix(first.as_str()) else {
            return false;
        };
        for piece in middle {
            let Some(at) = text.find(piece.as_str()) else {
                return false;
            };
            text = &text[at + piece.len()..];
        }
        text.ends_with(last.as_str())
    }

    fn literal(&self) -> Option<&str> {
        match &self.pieces[..] {
            [only] => Some(only),
            _ => None,
        }
    }
}

/// Which keys of a name are meant.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum KeyPattern {
    /// No brackets: every instance, with a key or without.
    Every,
    /// `[*]`: every instance that has a key.
    Keyed,
    /// `[0]`.
    Int(u64),
    /// `["key"]`, perhaps with stars.
    Str(Glob),
}

impl KeyPattern {
    fn matches(&self, key: Option<&InstanceKey>) -> bool {
        match (self, key) {
            (Self::Every, _) | (Self::Keyed, Some(_)) => true,
            (Self::Int(want), Some(InstanceKey::Int(have))) => want == have,
            (Self::Str(glob), Some(InstanceKey::Str(have))) => glob.matches(have),
            _ => false,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum ModulePattern {
    /// `module.NAME[KEY]`.
    Step(Glob, KeyPattern),
    /// `**`: any number of steps, none too.
    AnyDepth,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Tail {
    /// Everything in the modules and below.
    Everything,
    /// Resources directly in the modules.
    Resource {
        mode: ResourceMode,
        type_name: Glob,
        name: Glob,
        key: KeyPattern,
    },
}

/// A pattern over addresses.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Pattern {
    text: String,
    modules: Vec<ModulePattern>,
    tail: Tail,
}

impl Pattern {
    /// Tells whether the pattern takes the instance.
    pub fn matches(&self, addr: &ResourceInstanceAddr) -> bool {
        self.matches_with(&addr.resource, |key| key.matches(addr.key.as_ref()))
    }

    /// Tells whether the pattern takes a resource with all its instances, present and to come.
    pub fn matches_resource(&self, addr: &ResourceAddr) -> bool {
        self.matches_with(addr, |key| *key == KeyPattern::Every)
    }

    fn matches_with(&self, addr: &ResourceAddr, key_fits: impl Fn(&KeyPattern) -> bool) -> bool {
        match &self.tail {
            Tail::Everything => prefix_matches(&self.modules, &addr.module.0),
            Tail::Resource {
                mode,
                type_name,
                name,
                key,
            } => {
                *mode == addr.mode
                    && name.matches(&addr.name)
                    && type_name.matches(&addr.type_name)
                    && key_fits(key)
                    && path_matches(&self.modules, &addr.module.0)
            }
        }
    }

    /// Tells whether the pattern takes at least some instance of a block: keys are not looked at.
    pub fn matches_config(&self, addr: &ConfigResourceAddr) -> bool {
        let any_key = |pattern: &ModulePattern| match pattern {
            ModulePattern::Step(name, _) => ModulePattern::Step(name.clone(), KeyPattern::Every),
            ModulePattern::AnyDepth => ModulePattern::AnyDepth,
        };
        let modules: Vec<ModulePattern> = self.modules.iter().map(any_key).collect();
        let path: Vec<ModuleStep> = addr
            .module
            .0
            .iter()
            .map(|name| ModuleStep {
                name: name.clone(),
                key: None,
            })
            .collect();
        match &self.tail {
            Tail::Everything => prefix_matches(&modules, &path),
            Tail::Resource {
                mode,
                type_name,
                name,
                ..
            } => {
                *mode == addr.mode
                    && name.matches(&addr.name)
                    && type_name.matches(&addr.type_name)
                    && path_matches(&modules, &path)
            }
        }
    }

    /// Returns the address the pattern spells, where it has no wildcard.
    pub fn literal(&self) -> Option<MoveableAddr> {
        let key = |pattern: &KeyPattern| match pattern {
            KeyPattern::Every => Some(None),
            KeyPattern::Keyed => None,
            KeyPattern::Int(number) => Some(Some(InstanceKey::Int(*number))),
            KeyPattern::Str(glob) => glob.literal().map(|text| Some(InstanceKey::Str(text.to_owned()))),
        };
        let mut steps = Vec::new();
        for pattern in &self.modules {
            let ModulePattern::Step(name, step_key) = pattern else {
                return None;
            };
            steps.push(ModuleStep {
                name: name.literal()?.to_owned(),
                key: key(step_key)?,
            });
        }
        let module = ModuleInstanceAddr(steps);
        let Tail::Resource {
            mode,
            type_name,
            name,
            key: resource_key,
        } = &self.tail
        else {
            return (!module.is_root()).then_some(MoveableAddr::Module(module));
        };
        let (type_name, name) = (type_name.literal()?.to_owned(), name.literal()?.to_owned());
        let resource = ResourceAddr {
            module,
            mode: *mode,
            type_name,
            name,
        };
        Some(match key(resource_key)? {
            None => MoveableAddr::Resource(resource),
            key => MoveableAddr::Instance(ResourceInstanceAddr { resource, key }),
        })
    }
}

/// Tells whether the patterns take the whole path.
fn path_matches(patterns: &[ModulePattern], path: &[ModuleStep]) -> bool {
    match patterns.split_first() {
        None => path.is_empty(),
        Some((ModulePattern::AnyDepth, rest)) => {
            (0..=path.len()).any(|skip| path_matches(rest, &path[skip..]))
        }
        Some((ModulePattern::Step(name, key), rest)) => path.split_first().is_some_and(|(step, below)| {
            name.matches(&step.name) && key.matches(step.key.as_ref()) && path_matches(rest, below)
        }),
    }
}

/// Tells whether the patterns take some beginning of the path, or all of it.
fn prefix_matches(patterns: &[ModulePattern], path: &[ModuleStep]) -> bool {
    (0..=path.len()).any(|length| path_matches(patterns, &path[..length]))
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for Pattern {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let mut reader = Reader {
            cursor: Cursor::new(text),
        };
        let (modules, tail) = reader.pattern()?;
        Ok(Self {
            text: text.to_owned(),
            modules,
            tail,
        })
    }
}

struct Reader<'a> {
    cursor: Cursor<'a>,
}

impl Reader<'_> {
    fn pattern(&mut self) -> Result<(Vec<ModulePattern>, Tail), AddressError> {
        let mut modules = Vec::new();
        loop {
            let start = self.cursor.pos();
            if self.cursor.rest().starts_with("**") {
                self.cursor.advance(2);
                if self.cursor.at_end() {
                    return Ok((modules, Tail::Everything));
                }
                modules.push(ModulePattern::AnyDepth);
                self.dot()?;
                continue;
            }
            let word = self.glob()?;
            if word.literal() != Some("module") {
                let tail = self.resource(start, word)?;
                return Ok((modules, tail));
            }
            self.dot()?;
            let name = self.glob()?;
            modules.push(ModulePattern::Step(name, self.key()?));
            if self.cursor.at_end() {
                return Ok((modules, Tail::Everything));
            }
            self.dot()?;
        }
    }

    fn resource(&mut self, start: usize, first: Glob) -> Result<Tail, AddressError> {
        let mut mode = ResourceMode::Managed;
        let mut type_name = first;
        match type_name.literal() {
            Some("data") => {
                mode = ResourceMode::Data;
                self.dot()?;
                type_name = self.glob()?;
            }
            Some("resource") => {
                self.dot()?;
                type_name = self.glob()?;
            }
            Some(word @ ("var" | "local" | "each" | "count" | "path" | "self" | "terraform" | "output")) => {
                return self.cursor.fail(
                    start,
                    format!("`{word}` names no resource; a pattern names resources or modules"),
                );
            }
            _ => {}
        }
        if self.cursor.at_end() {
            return self.cursor.fail(
                self.cursor.pos(),
                "a resource pattern is written TYPE.NAME (`aws_sqs_queue.*`, `*.*`), a module pattern `module.NAME`",
            );
        }
        self.dot()?;
        let name = self.glob()?;
        let key = self.key()?;
        if !self.cursor.at_end() {
            return self
                .cursor
                .fail(self.cursor.pos(), "the pattern is complete before this");
        }
        Ok(Tail::Resource {
            mode,
            type_name,
            name,
            key,
        })
    }

    fn dot(&mut self) -> Result<(), AddressError> {
        if self.cursor.eat(b'.') {
            return Ok(());
        }
        self.cursor
            .fail(self.cursor.pos(), "`.` and a name are expected here")
    }

    /// Reads a name with stars.
    fn glob(&mut self) -> Result<Glob, AddressError> {
        let start = self.cursor.pos();
        let rest = self.cursor.rest();
        let fits = |c: char| c == '*' || c == '-' || c == '_' || unicode_ident::is_xid_continue(c);
        let length = rest.find(|c: char| !fits(c)).unwrap_or(rest.len());
        let text = &rest[..length];
        if text.is_empty() {
            return self.cursor.fail(start, "a name is expected here");
        }
        if text.contains("**") {
            return self.cursor.fail(
                start,
                "`**` stands alone between dots; within a name `*` is enough",
            );
        }
        self.cursor.advance(length);
        Ok(Glob {
            pieces: text.split('*').map(str::to_owned).collect(),
        })
    }

    /// Reads what stands in brackets.
    fn key(&mut self) -> Result<KeyPattern, AddressError> {
        if self.cursor.peek() != Some(b'[') {
            return Ok(KeyPattern::Every);
        }
        if self.cursor.rest().starts_with("[*]") {
            self.cursor.advance(3);
            return Ok(KeyPattern::Keyed);
        }
        if self.cursor.rest().starts_with("[\"") {
            self.cursor.advance(1);
            let pieces = self.starred_key()?;
            if !self.cursor.eat(b']') {
                return self.cursor.fail(self.cursor.pos(), "`]` is expected here");
            }
            return Ok(KeyPattern::Str(Glob { pieces }));
        }
        match self.cursor.key()? {
            Some(InstanceKey::Int(number)) => Ok(KeyPattern::Int(number)),
            _ => self.cursor.fail(
                self.cursor.pos(),
                "a number, a text in double quotes or `*` is expected here",
            ),
        }
    }

    /// Reads a quoted key in which an unescaped `*` is a wildcard: cuts it at the stars, then unescapes the pieces.
    fn starred_key(&mut self) -> Result<Vec<String>, AddressError> {
        let start = self.cursor.pos();
        let rest = self.cursor.rest();
        let mut raw = vec![String::new()];
        let mut chars = rest.char_indices().skip(1);
        let end = loop {
            let Some((at, c)) = chars.next() else {
                return self
                    .cursor
                    .fail(start, "the text ends inside the quotes that start here");
            };
            let last = raw.last_mut().expect("raw is never empty");
            match c {
                '"' => break at + 1,
                '*' => raw.push(String::new()),
                '\\' => match chars.next() {
                    Some((_, '*')) => last.push('*'),
                    Some((_, escaped)) => last.extend(['\\', escaped]),
                    None => {}
                },
                c => last.push(c),
            }
        };
        let mut pieces = Vec::new();
        for piece in raw {
            let quoted = format!("\"{piece}\"");
            match Cursor::new(&quoted).quoted() {
                Ok(text) => pieces.push(text),
                Err(error) => return self.cursor.fail(start, error.reason),
            }
        }
        self.cursor.advance(end);
        Ok(pieces)
    }
}
