//! What changes in a state besides its resources: outputs, check results, the serial.

use std::collections::{BTreeMap, HashSet};
use std::ops::Range;

use super::place::{Placement, STAYS};
use super::{At, Changes, MoveError, OutputTransfer, OutputValue};
use crate::address::{ConfigResourceAddr, ModuleAddr, ResourceInstanceAddr};
use crate::json::{Scanner, escape_html, quote};
use crate::state::{CheckResult, Element, Layout, List, Output, Snapshot, Text, TopField, reformat_into};

/// What happens to the outputs of one state.
#[derive(Default)]
pub(super) struct OutputChanges<'a> {
    removed: HashSet<&'a str>,
    arriving: BTreeMap<&'a str, Output<'a>>,
    set: BTreeMap<&'a str, &'a OutputValue>,
}

/// Finds what happens to the outputs of each state.
pub(super) fn output_changes<'a>(
    placement: &Placement<'a>,
    changes: &'a Changes,
) -> Result<Vec<OutputChanges<'a>>, MoveError> {
    let position = |state: &crate::stack::StateId| {
        placement
            .sources
            .iter()
            .position(|source| source.id == state)
            .ok_or_else(|| MoveError::UnknownState { state: state.clone() })
    };
    let mut found: Vec<OutputChanges<'a>> = placement
        .sources
        .iter()
        .map(|_| OutputChanges::default())
        .collect();
    for movement in &changes.outputs {
        let (from, to) = (position(&movement.from.state)?, position(&movement.to.state)?);
        let snapshot: &'a Snapshot = placement.sources[from].snapshot;
        let not_found = || MoveError::OutputNotFound {
            from: movement.from.clone(),
        };
        let output = snapshot.output(&movement.from.addr).ok_or_else(not_found)?;
        if movement.transfer == OutputTransfer::Move && !found[from].removed.insert(&movement.from.addr) {
            return Err(not_found());
        }
        if found[to].arriving.insert(&movement.to.addr, output).is_some() {
            return Err(exists(&movement.to));
        }
    }
    for value in &changes.set_outputs {
        let to = position(&value.at.state)?;
        for (json, part) in [(&value.type_json, "type"), (&value.value_json, "value")] {
            let mut scanner = Scanner::new(json);
            if scanner.skip_value().and_then(|_| scanner.finish()).is_err() {
                let to = value.at.clone();
                return Err(MoveError::OutputNotJson { to, part });
            }
        }
        if found[to].set.insert(&value.at.addr, value).is_some() {
            return Err(exists(&value.at));
        }
    }
    for (source, changes) in placement.sources.iter().zip(&found) {
        for name in changes.arriving.keys() {
            let stays = source.snapshot.output(name).is_some() && !changes.removed.contains(name);
            if stays || changes.set.contains_key(name) {
                return Err(exists(&At::new(source.id.clone(), (*name).to_owned())));
            }
        }
    }
    Ok(found)
}

fn exists(to: &At<String>) -> MoveError {
    MoveError::OutputExists { to: to.clone() }
}

impl<'a> OutputChanges<'a> {
    fn is_empty(&self) -> bool {
        self.removed.is_empty() && self.arriving.is_empty() && self.set.is_empty()
    }

    /// Returns the change to the `outputs` of a state.
    pub(super) fn edit(&self, snapshot: &'a Snapshot) -> Option<(Range<usize>, Text<'a>)> {
        if self.is_empty() {
            return None;
        }
        let mut new: BTreeMap<&str, Text<'a>> = BTreeMap::new();
        for (&name, output) in &self.arriving {
            new.insert(name, moved_output(name, *output, snapshot));
        }
        for (&name, value) in &self.set {
            let same = |output: &Output<'_>| is_same_value(*output, value) && !self.removed.contains(name);
            if !snapshot.output(name).as_ref().is_some_and(same) {
                new.insert(name, set_output(value, snapshot.layout()));
            }
        }
        let mut elements = Vec::new();
        let mut ranges = Vec::new();
        for (position, output) in snapshot.outputs().enumerate() {
            let field = output.field();
            ranges.push(field.start..field.value.end);
            while let Some(entry) = new.first_entry().filter(|entry| *entry.key() < output.name()) {
                elements.push(Element::New(entry.remove()));
            }
            if let Some(text) = new.remove(output.name()) {
                elements.push(Element::New(text));
            } else if !self.removed.contains(output.name()) {
                elements.push(Element::Kept(position));
            }
        }
        elements.extend(new.into_values().map(Element::New));
        Some(edit_member(
            snapshot,
            TopField::Outputs,
            ('{', '}'),
            &ranges,
            elements,
        ))
    }
}

/// Rewrites a list that is the value of a top-level member, or adds the member where there is none.
pub(super) fn edit_member<'a>(
    snapshot: &'a Snapshot,
    field: TopField,
    brackets: (char, char),
    ranges: &[Range<usize>],
    elements: Vec<Element<'a>>,
) -> (Range<usize>, Text<'a>) {
    let place = snapshot.field(field).map(|field| field.value);
    let mut out = Text::new();
    let range = place.clone().unwrap_or_else(|| {
        // Only hand-made states lack a member: put it before the end of the object.
        let end = snapshot.top_object().end - 1;
        let end = snapshot.text()[..end].trim_end().len();
        end..end
    });
    if place.is_none() {
        let name = if field == TopField::Outputs {
            "outputs"
        } else {
            "resources"
        };
        out.own(format!(",\n  {}{}", quote(name), snapshot.layout().colon()));
    }
    let list = List {
        text: snapshot.text(),
        layout: snapshot.layout(),
        range: (range.start, range.end),
        elements: ranges,
        brackets,
        depth: 1,
    };
    list.write(elements, &mut out);
    (range, out)
}

fn moved_output<'a>(name: &str, output: Output<'a>, target: &Snapshot) -> Text<'a> {
    let mut text = Text::new();
    text.own(format!("{}{}", quote(name), target.layout().colon()));
    if output.snapshot().layout().fits(target.layout()) || std::ptr::eq(output.snapshot(), target) {
        text.slice(output.text());
    } else {
        let mut laid_out = String::new();
        reformat_into(output.text(), target.layout(), 2, &mut laid_out);
        text.own(laid_out);
    }
    text
}

fn set_output<'a>(value: &OutputValue, layout: Layout) -> Text<'a> {
    let sensitive = if value.sensitive {
        ",\"sensitive\":true"
    } else {
        ""
    };
    let object = format!(
        "{{\"value\":{},\"type\":{}{sensitive}}}",
        value.value_json, value.type_json
    );
    let mut laid_out = String::new();
    reformat_into(&escape_html(&object), layout, 2, &mut laid_out);
    let mut text = Text::new();
    text.own(format!("{}{}{laid_out}", quote(&value.at.addr), layout.colon()));
    text
}

fn is_same_value(output: Output<'_>, value: &OutputValue) -> bool {
    let plain = |json: &str| {
        let mut out = String::new();
        reformat_into(&escape_html(json), Layout::Compact, 0, &mut out);
        out
    };
    let same = |old: Option<&str>, new: &str| old.is_some_and(|old| plain(old) == plain(new));
    same(output.value(), &value.value_json)
        && same(output.value_type(), &value.type_json)
        && output.sensitive() == value.sensitive
}

/// Returns the change to the check results of a state that lost things: entries of what is gone go, `null` remains of
/// an empty list. What is left out here would vanish at the next apply; it is removed because it names what is not there.
pub(super) fn check_results_edit<'a>(
    placement: &Placement<'a>,
    state: usize,
) -> Option<(Range<usize>, Text<'a>)> {
    let snapshot: &'a Snapshot = placement.sources[state].snapshot;
    let moved = &placement.moved[state];
    let field = snapshot.field(TopField::CheckResults)?;
    if snapshot.check_results().len() == 0 || moved.iter().all(|&number| number == STAYS) {
        return None;
    }
    let (mut gone, mut left) = (Remains::default(), Remains::default());
    for instance in snapshot.instances() {
        if moved[instance.index()] == STAYS {
            &mut left
        } else {
            &mut gone
        }
        .add(&instance.addr());
    }
    let mut elements = Vec::new();
    let mut ranges = Vec::new();
    for (position, check) in snapshot.check_results().enumerate() {
        ranges.push(check.span());
        match check_edit(check, &gone, &left) {
            CheckEdit::Keep => elements.push(Element::Kept(position)),
            CheckEdit::Remove => {}
            CheckEdit::Replace(text) => elements.push(Element::New(text)),
        }
    }
    if elements.is_empty() {
        let mut null = Text::new();
        null.own("null");
        return Some((field.value, null));
    }
    Some(edit_member(
        snapshot,
        TopField::CheckResults,
        ('[', ']'),
        &ranges,
        elements,
    ))
}

#[derive(Default)]
struct Remains {
    instances: HashSet<ResourceInstanceAddr>,
    resources: HashSet<ConfigResourceAddr>,
    modules: HashSet<ModuleAddr>,
}

impl Remains {
    fn add(&mut self, addr: &ResourceInstanceAddr) {
        let config = addr.resource.config();
        let path = &config.module.0;
        for depth in 0..=path.len() {
            self.modules.insert(ModuleAddr(path[..depth].to_vec()));
        }
        self.resources.insert(config);
        self.instances.insert(addr.clone());
    }
}

enum CheckEdit<'a> {
    Keep,
    Remove,
    Replace(Text<'a>),
}

fn check_edit<'a>(check: CheckResult<'a>, gone: &Remains, left: &Remains) -> CheckEdit<'a> {
    if check.kind() != "resource" {
        // `module.a.output.x`, `module.a.check.x`, `module.a.var.x`: they go with the last resource of their module.
        let module = check.config_addr().rsplitn(3, '.').nth(2).unwrap_or("");
        return match module.parse::<ModuleAddr>() {
            Ok(module)
                if !module.0.is_empty()
                    && gone.modules.contains(&module)
                    && !left.modules.contains(&module) =>
            {
                CheckEdit::Remove
            }
            _ => CheckEdit::Keep,
        };
    }
    let Ok(resource) = check.config_addr().parse::<ConfigResourceAddr>() else {
        return CheckEdit::Keep;
    };
    if !gone.resources.contains(&resource) {
        return CheckEdit::Keep;
    }
    let Some(list) = check.list().filter(|_| left.resources.contains(&resource)) else {
        return CheckEdit::Remove;
    };
    let objects: Vec<_> = check.objects().collect();
    let ranges: Vec<_> = objects.iter().map(|(range, _)| range.clone()).collect();
    let stays = |addr: &str| addr.parse().map_or(true, |addr| !gone.instances.contains(&addr));
    let elements: Vec<_> = (0..objects.len())
        .filter(|&at| stays(objects[at].1))
        .map(Element::Kept)
        .collect();
    if elements.len() == objects.len() {
        return CheckEdit::Keep;
    }
    let text = check.snapshot().text();
    let mut out = Text::new();
    out.slice(&text[check.span().start..list.start]);
    let rewritten = List {
        text,
        layout: check.snapshot().layout(),
        range: (list.start, list.end),
        elements: &ranges,
        brackets: ('[', ']'),
        depth: 3,
    };
    rewritten.write(elements, &mut out);
    out.slice(&text[list.end..check.span().end]);
    CheckEdit::Replace(out)
}
