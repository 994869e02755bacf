//! Outputs and check results.

use super::super::{CheckEntry, OutputEntry, Refusal, Span};
use super::fields::{CHECK, CHECK_OBJECT, OUTPUT, Seen};
use super::{Fault, Reader, offset, span, wrong_type};
use crate::json::RawStr;

impl<'a> Reader<'a> {
    pub(super) fn outputs(&mut self) -> Result<(), Fault> {
        if !self.enter_or_null("outputs", b'{')? {
            return Ok(());
        }
        while let Some(key) = self.scanner.next_key(self.outputs.is_empty())? {
            let name = key.decode().into_owned();
            self.output(&key, name)?;
        }
        let outputs = &self.outputs;
        self.outputs_by_name = (0..offset(outputs.len())).collect();
        let by_name = &mut self.outputs_by_name;
        by_name.sort_by_key(|&at| &outputs[at as usize].name);
        let named = by_name.iter().map(|&at| &outputs[at as usize]);
        let repeated = named
            .clone()
            .zip(named.skip(1))
            .find(|(one, next)| one.name == next.name);
        match repeated {
            None => Ok(()),
            Some((_, repeated)) => Err(Fault::new(
                repeated.key as usize,
                Refusal::DuplicateOutput {
                    name: repeated.name.clone(),
                },
            )),
        }
    }

    fn output(&mut self, key: &RawStr<'a>, name: String) -> Result<(), Fault> {
        let start = self.scanner.offset();
        let mut output = OutputEntry {
            name,
            key: offset(key.start),
            object: span(start..start),
            value: None,
            type_: None,
            sensitive: false,
        };
        self.scanner.enter_object()?;
        let mut seen = Seen::new(OUTPUT);
        while let Some(key) = self.scanner.next_key(seen.none())? {
            let name = seen.field(&key)?;
            let value = self.scanner.skip_value()?;
            match name {
                "value" => output.value = Some(span(value)),
                "type" => output.type_ = Some(span(value)),
                "sensitive" => {
                    output.sensitive = match &self.text[value.clone()] {
                        "true" => true,
                        "false" | "null" => false,
                        _ => return Err(wrong_type(value.start, "sensitive", "true or false")),
                    }
                }
                _ => {}
            }
        }
        output.object = span(start..self.scanner.offset());
        self.outputs.push(output);
        Ok(())
    }

    pub(super) fn check_results(&mut self) -> Result<(), Fault> {
        if !self.enter_or_null("check_results", b'[')? {
            return Ok(());
        }
        while self.scanner.next_element(self.checks.is_empty())? {
            let start = self.scanner.offset();
            let mut check = CheckEntry {
                object: span(start..start),
                kind: String::new(),
                config_addr: String::new(),
                list: None,
                objects: Vec::new(),
            };
            self.scanner.enter_object()?;
            let mut seen = Seen::new(CHECK);
            while let Some(key) = self.scanner.next_key(seen.none())? {
                match seen.field(&key)? {
                    "object_kind" => check.kind = self.text_of("object_kind")?,
                    "config_addr" => check.config_addr = self.text_of("config_addr")?,
                    "objects" => {
                        let start = self.scanner.offset();
                        check.objects = self.check_objects()?;
                        check.list = Some(span(start..self.scanner.offset()));
                    }
                    _ => {
                        self.scanner.skip_value()?;
                    }
                }
            }
            check.object = span(start..self.scanner.offset());
            self.checks.push(check);
        }
        Ok(())
    }

    fn check_objects(&mut self) -> Result<Vec<(Span, String)>, Fault> {
        let mut objects = Vec::new();
        if !self.enter_or_null("objects", b'[')? {
            return Ok(objects);
        }
        while self.scanner.next_element(objects.is_empty())? {
            let start = self.scanner.offset();
            let mut addr = String::new();
            self.scanner.enter_object()?;
            let mut seen = Seen::new(CHECK_OBJECT);
            while let Some(key) = self.scanner.next_key(seen.none())? {
                if seen.field(&key)? == "object_addr" {
                    addr = self.text_of("object_addr")?;
                } else {
                    self.scanner.skip_value()?;
                }
            }
            objects.push((span(start..self.scanner.offset()), addr));
        }
        Ok(objects)
    }

    fn text_of(&mut self, field: &'static str) -> Result<String, Fault> {
        Ok(self
            .string(field)?
            .map_or_else(String::new, |text| text.decode().into_owned()))
    }
}
