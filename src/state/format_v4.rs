//! Format version 4: the only file that knows the names and shapes of the JSON.
//!
//! One pass over the text. Whatever Terraform would refuse, read differently or drop without a word is refused here.

mod fields;
mod head;
mod resource;
#[cfg(test)]
mod tests;

use std::num::NonZeroU32;
use std::ops::Range;

use super::error::Place;
use super::hash::FastMap;
use super::index::AddressIndex;
use super::{
    CheckEntry, FieldSpan, InstanceEntry, Layout, Lineage, OutputEntry, ProviderId, Refusal, ResourceEntry,
    Serial, Snapshot, Span, StateError, StateMeta, Top,
};
use crate::address::{ConfigResourceAddr, ModuleInstanceAddr, ProviderConfigAddr};
use crate::json::{JsonError, JsonFault, RawStr, Scanner};
use fields::{Seen, TOP};
pub(super) use fields::{members, unknown_resource_fields};

/// A refusal whose place is still an offset.
#[derive(Debug)]
struct Fault {
    at: usize,
    address: Option<String>,
    refusal: Refusal,
}

impl Fault {
    fn new(at: usize, refusal: Refusal) -> Self {
        Self {
            at,
            address: None,
            refusal,
        }
    }
}

impl From<JsonError> for Fault {
    fn from(error: JsonError) -> Self {
        Self::new(error.at, Refusal::Json(error.fault))
    }
}

fn offset(at: usize) -> u32 {
    u32::try_from(at).expect("texts above 4 GiB are refused before they are scanned")
}

fn span(range: Range<usize>) -> Span {
    Span {
        start: offset(range.start),
        end: NonZeroU32::new(offset(range.end)).expect("a value does not end where the text begins"),
    }
}

/// Reads the bytes of a state.
pub(super) fn read(bytes: Vec<u8>) -> Result<Snapshot, StateError> {
    let refuse = |bytes: &[u8], fault: Fault| StateError {
        place: Place::of(bytes, fault.at),
        address: fault.address,
        refusal: fault.refusal,
    };
    if bytes.starts_with(b"\xef\xbb\xbf") {
        let fault = Fault::new(0, Refusal::Json(JsonFault::ByteOrderMark));
        return Err(refuse(&bytes, fault));
    }
    if u32::try_from(bytes.len()).is_err() {
        return Err(refuse(&bytes, Fault::new(0, Refusal::TooLarge)));
    }
    let text = match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            let fault = JsonError::not_utf8(&error.utf8_error()).into();
            return Err(refuse(error.as_bytes(), fault));
        }
    };
    let mut reader = Reader::new(&text);
    if let Err(mut fault) = reader.state() {
        if !reader.is_version_4 {
            fault = foreign_version(&text).unwrap_or(fault);
        }
        return Err(refuse(text.as_bytes(), fault));
    }
    let Reader {
        meta,
        top,
        outputs,
        outputs_by_name,
        resources,
        instances,
        checks,
        providers,
        dependencies,
        dependency_lists,
        index,
        ..
    } = reader;
    Ok(Snapshot {
        layout: Layout::detect(&text),
        meta,
        top,
        outputs,
        outputs_by_name,
        resources,
        instances,
        checks,
        providers,
        dependencies,
        dependency_lists,
        index,
        text,
    })
}

/// Looks for the better reason when a text was refused before its version was known.
fn foreign_version(text: &str) -> Option<Fault> {
    let mut scanner = Scanner::new(text);
    scanner.enter_object().ok()?;
    let mut first = true;
    while let Some(key) = scanner.next_key(first).ok()? {
        first = false;
        let value = scanner.skip_value().ok()?;
        match key.decode().as_ref() {
            "version" => return check_version(text, value).err(),
            "encryption_version" if text.as_bytes()[value.start] == b'"' && value.len() > 2 => {
                return Some(Fault::new(key.start, Refusal::Encrypted));
            }
            _ => {}
        }
    }
    None
}

fn check_version(text: &str, value: Range<usize>) -> Result<(), Fault> {
    let word = &text[value.clone()];
    let refusal = match word.parse::<u64>() {
        Ok(4) => return Ok(()),
        Ok(3) if has_member(text, "backend") => Refusal::BackendRecord,
        Ok(version @ 0..=3) => Refusal::OldVersion { version },
        _ if word == "null" => Refusal::NoVersion,
        _ if word.bytes().all(|byte| byte.is_ascii_digit()) => Refusal::NewVersion {
            version: word.chars().take(20).collect(),
        },
        _ => Refusal::WrongType {
            field: "version",
            expected: "a whole number",
        },
    };
    Err(Fault::new(value.start, refusal))
}

fn has_member(text: &str, name: &str) -> bool {
    members(text, 0..text.len()).iter().any(|(key, _)| key == name)
}

/// Tells whether a text is a version as Terraform's version library reads it.
fn is_version(text: &str) -> bool {
    let text = text.strip_prefix('v').unwrap_or(text);
    let end = text.find(['-', '+', '~']).unwrap_or(text.len());
    let (numbers, rest) = text.split_at(end);
    numbers
        .split('.')
        .all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()))
        && rest
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b".-+~".contains(&byte))
        && rest.len() != 1
}

/// The scan in progress and what it has found.
struct Reader<'a> {
    text: &'a str,
    scanner: Scanner<'a>,
    is_version_4: bool,
    meta: StateMeta,
    top: Top,
    outputs: Vec<OutputEntry>,
    outputs_by_name: Vec<u32>,
    resources: Vec<ResourceEntry>,
    instances: Vec<InstanceEntry>,
    checks: Vec<CheckEntry>,
    providers: Vec<ProviderConfigAddr>,
    dependencies: Vec<(Span, ConfigResourceAddr)>,
    dependency_lists: Vec<u32>,
    index: AddressIndex,
    /// What has been parsed already, by its raw text.
    known_modules: FastMap<&'a str, ModuleInstanceAddr>,
    known_providers: FastMap<&'a str, ProviderId>,
    known_dependencies: FastMap<&'a str, u32>,
}

impl<'a> Reader<'a> {
    fn new(text: &'a str) -> Self {
        Self {
            text,
            scanner: Scanner::new(text),
            is_version_4: false,
            meta: StateMeta::default(),
            top: Top::default(),
            outputs: Vec::new(),
            outputs_by_name: Vec::new(),
            resources: Vec::new(),
            instances: Vec::new(),
            checks: Vec::new(),
            providers: Vec::new(),
            dependencies: Vec::new(),
            dependency_lists: Vec::new(),
            index: AddressIndex::default(),
            known_modules: FastMap::default(),
            known_providers: FastMap::default(),
            known_dependencies: FastMap::default(),
        }
    }

    fn state(&mut self) -> Result<(), Fault> {
        self.scanner.peek();
        let start = self.scanner.offset();
        self.scanner.enter_object()?;
        let mut seen = Seen::new(TOP);
        let mut encrypted = None;
        while let Some(key) = self.scanner.next_key(seen.none())? {
            let name = seen.field(&key)?;
            let value_start = self.scanner.offset();
            match name {
                "outputs" => self.outputs()?,
                "resources" => self.resources()?,
                "check_results" => self.check_results()?,
                _ => {
                    self.scanner.skip_value()?;
                }
            }
            let value = value_start..self.scanner.offset();
            if name.is_empty() && key.decode() == "encryption_version" && self.is_text(&value) {
                encrypted = Some(key.start);
            }
            self.top_field(name, &key, value)?;
        }
        self.top.object = Some(span(start..self.scanner.offset()));
        self.scanner.finish()?;
        match encrypted {
            Some(at) => Err(Fault::new(at, Refusal::Encrypted)),
            None if self.top.version.is_none() => Err(Fault::new(start, Refusal::NoVersion)),
            None => Ok(()),
        }
    }

    /// Tells whether a value is a string that is not empty.
    fn is_text(&self, value: &Range<usize>) -> bool {
        self.text.as_bytes()[value.start] == b'"' && value.len() > 2
    }

    fn top_field(&mut self, name: &str, key: &RawStr<'a>, value: Range<usize>) -> Result<(), Fault> {
        let word = &self.text[value.clone()];
        let field = Some(FieldSpan {
            key: offset(key.start),
            value: span(value.clone()),
        });
        match name {
            "version" => {
                check_version(self.text, value)?;
                self.is_version_4 = true;
                self.top.version = field;
            }
            "terraform_version" => {
                self.meta.terraform_version = self.plain_string("terraform_version", value.clone())?;
                if !self.meta.terraform_version.is_empty() && !is_version(&self.meta.terraform_version) {
                    return Err(Fault::new(value.start, Refusal::TerraformVersion));
                }
                self.top.terraform_version = field;
            }
            "serial" => {
                if word != "null" {
                    let wrong = Refusal::WrongType {
                        field: "serial",
                        expected: "a whole number from 0 to 18446744073709551615",
                    };
                    let serial = word.parse().map_err(|_| Fault::new(value.start, wrong))?;
                    self.meta.serial = Serial(serial);
                }
                self.top.serial = field;
            }
            "lineage" => {
                self.meta.lineage = Lineage::new(self.plain_string("lineage", value)?);
                self.top.lineage = field;
            }
            "outputs" => self.top.outputs = field,
            "resources" => self.top.resources = field,
            "check_results" => self.top.check_results = field,
            _ => self.top.unknown.extend(field),
        }
        Ok(())
    }

    /// Reads a value that was skipped as a string; `null` is the empty one, as in Go.
    fn plain_string(&self, field: &'static str, value: Range<usize>) -> Result<String, Fault> {
        let mut scanner = Scanner::at(self.text, value.start);
        match scanner.peek() {
            Some(b'"') => Ok(scanner.string()?.decode().into_owned()),
            Some(b'n') => Ok(String::new()),
            _ => Err(wrong_type(value.start, field, "a string")),
        }
    }

    /// Reads a string that may be `null` or empty, which both mean that it is not there.
    fn string(&mut self, field: &'static str) -> Result<Option<RawStr<'a>>, Fault> {
        match self.scanner.peek() {
            Some(b'"') => {
                let string = self.scanner.string()?;
                Ok((!string.raw.is_empty()).then_some(string))
            }
            Some(b'n') => {
                self.scanner.skip_value()?;
                Ok(None)
            }
            None => Err(JsonError::new(self.text.len(), JsonFault::Truncated).into()),
            Some(_) => Err(wrong_type(self.scanner.offset(), field, "a string")),
        }
    }

    /// Enters an array or object and tells so; skips `null`, which is an empty one.
    fn enter_or_null(&mut self, field: &'static str, open: u8) -> Result<bool, Fault> {
        match self.scanner.peek() {
            Some(b'n') => {
                self.scanner.skip_value()?;
                Ok(false)
            }
            Some(byte) if byte == open => {
                if open == b'{' {
                    self.scanner.enter_object()?;
                } else {
                    self.scanner.enter_array()?;
                }
                Ok(true)
            }
            None => Err(JsonError::new(self.text.len(), JsonFault::Truncated).into()),
            Some(_) if open == b'{' => Err(wrong_type(self.scanner.offset(), field, "an object")),
            Some(_) => Err(wrong_type(self.scanner.offset(), field, "an array")),
        }
    }
}

fn wrong_type(at: usize, field: &'static str, expected: &'static str) -> Fault {
    Fault::new(at, Refusal::WrongType { field, expected })
}
