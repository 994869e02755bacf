//! Reading patterns. White space and comments, which an address may hold, are refused: in a pattern they are mistakes.

use std::str::FromStr;

use super::{Glob, KeyGlob, Pattern, Step, Target};
use crate::address::reader::{
    Reader, Result, Stars, Unit, is_name_char, is_reserved, normalise, reserved_type,
};
use crate::address::{AddressError, ResourceMode};

impl FromStr for Pattern {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self> {
        pattern(&mut Reader::new(text))
    }
}

fn pattern(reader: &mut Reader<'_>) -> Result<Pattern> {
    let mut steps = Vec::new();
    loop {
        let at = reader.pos;
        let step = if reader.rest().starts_with("**") {
            deep(reader)?
        } else {
            let first = name(reader)?;
            if first.literal() != Some("module") {
                let target = resource(reader, at, first, steps.is_empty())?;
                return Ok(Pattern { steps, target });
            }
            module(reader)?
        };
        steps.push(step);
        if reader.rest().is_empty() {
            return Ok(Pattern {
                steps,
                target: Target::Everything,
            });
        }
        dot(reader, "expected a dot or the end of the pattern")?;
    }
}

fn deep(reader: &mut Reader<'_>) -> Result<Step> {
    reader.pos += 2;
    match reader.peek() {
        None | Some(b'.') => Ok(Step::Deep),
        Some(_) => reader.fail(
            reader.pos,
            "`**` stands alone between dots; within a name write one `*`",
        ),
    }
}

fn module(reader: &mut Reader<'_>) -> Result<Step> {
    dot(reader, "`module` must be followed by a dot and a name or `*`")?;
    if reader.rest().starts_with("**") {
        return reader.fail(
            reader.pos,
            "write `**` for any number of modules, or `module.*` for one module of any name",
        );
    }
    Ok(Step::Module {
        name: name(reader)?,
        key: key(reader)?,
    })
}

/// Reads the rest of `[data.]TYPE.NAME[key]`, of which `first`, at `at`, is already read.
fn resource(reader: &mut Reader<'_>, at: usize, first: Glob, in_root: bool) -> Result<Target> {
    let mut mode = ResourceMode::Managed;
    let type_name = match first.literal() {
        Some(prefix @ ("data" | "resource")) => {
            if prefix == "data" {
                mode = ResourceMode::Data;
            }
            dot(reader, "a type must follow, for example `data.aws_ami.*`")?;
            name(reader)?
        }
        Some("ephemeral") => return reader.fail(at, "ephemeral resources are never in a state"),
        Some(word) if !reader.rest().is_empty() && is_reserved(word) => {
            return reader.fail(at, reserved_type(word));
        }
        _ => first,
    };
    let advice = if in_root {
        "a resource pattern needs a type and a name, for example `aws_sqs_queue.*`; `**` takes everything"
    } else {
        "a resource pattern needs a type and a name, for example `aws_sqs_queue.*`; a pattern that ends with the \
         module takes everything in it"
    };
    dot(reader, advice)?;
    let name = name(reader)?;
    let key = key(reader)?;
    match reader.peek() {
        None => Ok(Target::Resource {
            mode,
            type_name,
            name,
            key,
        }),
        Some(b'.') => reader.fail(reader.pos, "the pattern is complete before this"),
        Some(_) => reader.fail(reader.pos, format!("unexpected text, {}", reader.found())),
    }
}

fn dot(reader: &mut Reader<'_>, otherwise: &str) -> Result<()> {
    if reader.eat(b'.') {
        Ok(())
    } else {
        reader.fail(reader.pos, otherwise)
    }
}

/// Reads a name with stars.
fn name(reader: &mut Reader<'_>) -> Result<Glob> {
    let mut glob = Glob::empty();
    let start = reader.pos;
    for c in reader.rest().chars() {
        if c == '*' {
            if reader.pos > start && reader.before().ends_with('*') {
                return reader.fail(
                    reader.pos - 1,
                    "`**` stands alone between dots; within a name write one `*`",
                );
            }
            glob.push_star();
        } else if is_name_char(c, reader.pos == start) {
            glob.tail().push(c);
        } else {
            break;
        }
        reader.pos += c.len_utf8();
    }
    if reader.pos == start {
        let reason = format!("expected a name or `*`, {}", reader.found());
        return reader.fail(start, reason);
    }
    Ok(glob)
}

/// Reads a key with stars, if one is next.
fn key(reader: &mut Reader<'_>) -> Result<KeyGlob> {
    if !reader.eat(b'[') {
        return Ok(KeyGlob::Free);
    }
    let key = match reader.peek() {
        Some(b'*') => {
            reader.pos += 1;
            KeyGlob::Any
        }
        Some(b'0'..=b'9') => KeyGlob::Int(reader.number()?),
        Some(b'"') => {
            let mut glob = Glob::empty();
            reader.quoted(Stars::Glob, |unit| match unit {
                Unit::Text(text) => glob.tail().push_str(text),
                Unit::Char(c) => glob.tail().push(c),
                Unit::Star => glob.push_star(),
            })?;
            KeyGlob::Str(glob.map(normalise))
        }
        _ => return reader.fail(reader.pos, reader.why_no_key()),
    };
    if !reader.eat(b']') {
        return reader.fail(reader.pos, "`]` is expected here");
    }
    Ok(key)
}
