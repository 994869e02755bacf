//! Resource entries and their instances.

use std::num::NonZeroU32;
use std::str::FromStr;

use super::super::{
    DeposedKey, FieldSpan, InstanceEntry, ProviderId, Refusal, ResourceEntry, compare_instances,
};
use super::fields::{INSTANCE, RESOURCE, Seen};
use super::{Fault, Reader, offset, span, wrong_type};
use crate::address::{
    AddressError, InstanceKey, ModuleInstanceAddr, ProviderConfigAddr, ResourceAddr, ResourceMode,
};
use crate::json::{RawStr, Scanner};

/// The header of a resource entry while it is being read.
#[derive(Default)]
struct Header<'a> {
    module: Option<(FieldSpan, Option<RawStr<'a>>)>,
    mode: Option<RawStr<'a>>,
    type_name: Option<RawStr<'a>>,
    name: Option<(FieldSpan, RawStr<'a>)>,
    provider: Option<(FieldSpan, Option<RawStr<'a>>)>,
    list: Option<FieldSpan>,
}

impl<'a> Reader<'a> {
    pub(super) fn resources(&mut self) -> Result<(), Fault> {
        if !self.enter_or_null("resources", b'[')? {
            return Ok(());
        }
        while self.scanner.next_element(self.resources.is_empty())? {
            let start = self.scanner.offset();
            self.resource(start).map_err(|mut fault| {
                fault.address = fault.address.or_else(|| describe(self.text, start));
                fault
            })?;
        }
        Ok(())
    }

    fn resource(&mut self, start: usize) -> Result<(), Fault> {
        self.scanner.enter_object()?;
        let first_instance = self.instances.len();
        let mut header = Header::default();
        let mut seen = Seen::new(RESOURCE);
        while let Some(key) = self.scanner.next_key(seen.none())? {
            let name = seen.field(&key)?;
            let value_start = self.scanner.offset();
            let mut text = None;
            match name {
                "instances" => self.instances()?,
                "" | "each" => {
                    self.scanner.skip_value()?;
                }
                _ => text = self.string(name)?,
            }
            let field = FieldSpan {
                key: offset(key.start),
                value: span(value_start..self.scanner.offset()),
            };
            match name {
                "module" => header.module = Some((field, text)),
                "mode" => header.mode = text,
                "type" => header.type_name = text,
                "name" => header.name = text.map(|text| (field, text)),
                "provider" => header.provider = Some((field, text)),
                "instances" => header.list = Some(field),
                _ => {}
            }
        }
        let addr = self.resource_addr(start, &header)?;
        let provider_id = match &header.provider {
            Some((_, Some(text))) => Some(self.provider(text)?),
            _ => None,
        };
        self.check_providers(start, first_instance, provider_id.is_some())?;
        let order = self.check_duplicates(first_instance, &addr)?;
        let resources = &self.resources;
        if self.index.push(&addr, |at| &resources[at].addr).is_some() {
            return Err(Fault::new(start, Refusal::DuplicateResource));
        }
        self.resources.push(ResourceEntry {
            addr,
            object: span(start..self.scanner.offset()),
            module: header.module.map(|(field, _)| field),
            name: header
                .name
                .map(|(field, _)| field)
                .ok_or_else(|| missing(start, "name"))?,
            provider: header.provider.map(|(field, _)| field),
            provider_id,
            list: header.list,
            instances: (offset(first_instance), offset(self.instances.len())),
            order,
        });
        Ok(())
    }

    fn resource_addr(&mut self, start: usize, header: &Header<'a>) -> Result<ResourceAddr, Fault> {
        let mode = match header.mode.as_ref().map(RawStr::decode).as_deref() {
            Some("managed") => ResourceMode::Managed,
            Some("data") => ResourceMode::Data,
            None => return Err(missing(start, "mode")),
            Some(other) => {
                let at = header.mode.map_or(start, |mode| mode.start);
                let mode = shorten(other);
                return Err(Fault::new(at, Refusal::Mode { mode }));
            }
        };
        let type_name = header.type_name.ok_or_else(|| missing(start, "type"))?;
        let (_, name) = header.name.ok_or_else(|| missing(start, "name"))?;
        let module = match &header.module {
            Some((_, Some(text))) => self.module(text)?,
            _ => ModuleInstanceAddr::root(),
        };
        Ok(ResourceAddr {
            module,
            mode,
            type_name: type_name.decode().into_owned(),
            name: name.decode().into_owned(),
        })
    }

    fn module(&mut self, text: &RawStr<'a>) -> Result<ModuleInstanceAddr, Fault> {
        if let Some(known) = self.known_modules.get(text.raw) {
            return Ok(known.clone());
        }
        let module: ModuleInstanceAddr = parse(text, Refusal::Module)?;
        self.known_modules.insert(text.raw, module.clone());
        Ok(module)
    }

    fn provider(&mut self, text: &RawStr<'a>) -> Result<ProviderId, Fault> {
        if let Some(&known) = self.known_providers.get(text.raw) {
            return Ok(known);
        }
        let provider: ProviderConfigAddr = parse(text, Refusal::Provider)?;
        self.providers.push(provider);
        let number = NonZeroU32::new(offset(self.providers.len()));
        let id = ProviderId(number.expect("one was just added"));
        self.known_providers.insert(text.raw, id);
        Ok(id)
    }

    /// A provider on exactly one of the two levels; Terraform drops a resource without one silently.
    fn check_providers(&self, start: usize, first: usize, on_resource: bool) -> Result<(), Fault> {
        let instances = &self.instances[first..];
        if instances.is_empty() && !on_resource {
            return Err(Fault::new(start, Refusal::NoProvider));
        }
        for instance in instances {
            let at = instance.object.range().start;
            match (on_resource, instance.provider_id) {
                (true, None) | (false, Some(_)) => {}
                (true, Some(_)) => return Err(Fault::new(at, Refusal::ProviderTwice)),
                (false, None) => return Err(Fault::new(at, Refusal::NoProvider)),
            }
        }
        Ok(())
    }

    /// Refuses two objects with one identity; returns Terraform's order of the objects, if they stand in another.
    fn check_duplicates(&self, first: usize, addr: &ResourceAddr) -> Result<Option<Box<[u32]>>, Fault> {
        fn identity(entry: &InstanceEntry) -> (Option<&InstanceKey>, Option<&str>) {
            (entry.key.as_ref(), entry.deposed.as_ref().map(DeposedKey::as_str))
        }
        let instances = &self.instances[first..];
        let compare =
            |a: usize, b: usize| compare_instances(identity(&instances[a]), identity(&instances[b]));
        if (1..instances.len()).all(|at| compare(at - 1, at).is_lt()) {
            return Ok(None);
        }
        let mut order: Vec<u32> = (0..offset(instances.len())).collect();
        order.sort_by(|&a, &b| compare(a as usize, b as usize));
        // The sort is stable: of two that are equal the second is the one that stands later in the text.
        let repeated = order
            .windows(2)
            .filter(|pair| compare(pair[0] as usize, pair[1] as usize).is_eq())
            .map(|pair| pair[1])
            .min();
        let Some(repeated) = repeated else {
            return Ok(Some(order.into()));
        };
        let entry = &instances[repeated as usize];
        Err(Fault {
            at: entry.object.range().start,
            address: Some(addr.instance(entry.key.clone()).to_string()),
            refusal: match entry.deposed {
                None => Refusal::DuplicateInstance,
                Some(_) => Refusal::DuplicateDeposed,
            },
        })
    }

    fn instances(&mut self) -> Result<(), Fault> {
        if !self.enter_or_null("instances", b'[')? {
            return Ok(());
        }
        let mut first = true;
        while self.scanner.next_element(first)? {
            first = false;
            self.instance()?;
        }
        Ok(())
    }

    fn instance(&mut self) -> Result<(), Fault> {
        let start = self.scanner.offset();
        let list_start = offset(self.dependency_lists.len());
        let mut entry = InstanceEntry {
            object: span(start..start),
            key: None,
            deposed: None,
            tainted: false,
            provider_id: None,
            schema_version: 0,
            index_key: None,
            provider: None,
            dependencies: None,
            attributes: None,
            dependency_list: (list_start, list_start),
        };
        self.scanner.enter_object()?;
        let mut seen = Seen::new(INSTANCE);
        while let Some(key) = self.scanner.next_key(seen.none())? {
            let name = seen.field(&key)?;
            self.instance_field(name, &key, &mut entry)?;
        }
        entry.object = span(start..self.scanner.offset());
        entry.dependency_list.1 = offset(self.dependency_lists.len());
        self.instances.push(entry);
        Ok(())
    }

    fn instance_field(
        &mut self,
        name: &'static str,
        key: &RawStr<'a>,
        entry: &mut InstanceEntry,
    ) -> Result<(), Fault> {
        let start = self.scanner.offset();
        match name {
            "status" => match self.string(name)?.as_ref().map(RawStr::decode).as_deref() {
                None => {}
                Some("tainted") => entry.tainted = true,
                Some(other) => {
                    let status = shorten(other);
                    return Err(Fault::new(start, Refusal::Status { status }));
                }
            },
            "deposed" => {
                if let Some(text) = self.string(name)? {
                    let text = text.decode();
                    let refused = |_| {
                        let deposed = shorten(&text);
                        Fault::new(start, Refusal::Deposed { deposed })
                    };
                    entry.deposed = Some(DeposedKey(text.as_bytes().try_into().map_err(refused)?));
                }
            }
            "index_key" => entry.key = self.index_key()?,
            "provider" => {
                if let Some(text) = self.string(name)? {
                    entry.provider_id = Some(self.provider(&text)?);
                }
            }
            "dependencies" => self.dependency_list()?,
            _ => {
                self.scanner.skip_value()?;
            }
        }
        let value = span(start..self.scanner.offset());
        let field = Some(FieldSpan {
            key: offset(key.start),
            value,
        });
        match name {
            "index_key" => entry.index_key = field,
            "provider" => entry.provider = field,
            "dependencies" => entry.dependencies = field,
            "attributes" => entry.attributes = Some(value),
            "schema_version" => {
                let word = &self.text[value.range()];
                if word != "null" {
                    entry.schema_version = word
                        .parse()
                        .map_err(|_| wrong_type(start, "schema_version", "a whole number from 0"))?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn index_key(&mut self) -> Result<Option<InstanceKey>, Fault> {
        let next = self.scanner.peek();
        if next == Some(b'"') {
            let text = self.scanner.string()?;
            return Ok(Some(InstanceKey::Str(text.decode().into_owned())));
        }
        let value = self.scanner.skip_value()?;
        let word = &self.text[value.clone()];
        if word == "null" {
            return Ok(None);
        }
        // Terraform reads the number as a float; above 2^53 it would not find the same instance again.
        match word.parse::<u64>() {
            Ok(number) if number <= 1 << 53 => Ok(Some(InstanceKey::Int(number))),
            _ => Err(Fault::new(value.start, Refusal::IndexKey)),
        }
    }

    fn dependency_list(&mut self) -> Result<(), Fault> {
        if !self.enter_or_null("dependencies", b'[')? {
            return Ok(());
        }
        let mut first = true;
        while self.scanner.next_element(first)? {
            first = false;
            if self.scanner.peek() != Some(b'"') {
                return Err(wrong_type(
                    self.scanner.offset(),
                    "dependencies",
                    "an array of strings",
                ));
            }
            let text = self.scanner.string()?;
            let id = match self.known_dependencies.get(text.raw) {
                Some(&known) => known,
                None => {
                    let addr: ResourceAddr = parse(&text, Refusal::Dependency)?;
                    let id = offset(self.dependencies.len());
                    self.dependencies.push((span(text.span()), addr.config()));
                    self.known_dependencies.insert(text.raw, id);
                    id
                }
            };
            self.dependency_lists.push(id);
        }
        Ok(())
    }
}

fn parse<T: FromStr<Err = AddressError>>(
    text: &RawStr<'_>,
    refusal: impl Fn(AddressError) -> Refusal,
) -> Result<T, Fault> {
    text.decode()
        .parse()
        .map_err(|error| Fault::new(text.start, refusal(error)))
}

fn missing(at: usize, field: &'static str) -> Fault {
    Fault::new(at, Refusal::MissingField { field })
}

/// Keeps a wrong word short enough for a message.
fn shorten(word: &str) -> String {
    word.chars().take(40).collect()
}

/// Says which resource stands at a place of a text that may be broken further on.
fn describe(text: &str, start: usize) -> Option<String> {
    let mut scanner = Scanner::at(text, start);
    scanner.enter_object().ok()?;
    let (mut module, mut data, mut type_name, mut name) = (String::new(), false, None, None);
    let mut first = true;
    while let Ok(Some(key)) = scanner.next_key(first) {
        first = false;
        let Ok(value) = scanner.skip_value() else { break };
        let string = Scanner::at(text, value.start).string().ok();
        let Some(string) = string.map(|string| string.decode().into_owned()) else {
            continue;
        };
        match key.decode().as_ref() {
            "module" if !string.is_empty() => module = format!("{string}."),
            "mode" => data = string == "data",
            "type" => type_name = Some(string),
            "name" => name = Some(string),
            _ => {}
        }
    }
    let data = if data { "data." } else { "" };
    Some(shorten_address(&format!(
        "{module}{data}{}.{}",
        type_name?, name?
    )))
}

fn shorten_address(addr: &str) -> String {
    addr.chars().take(300).collect()
}
