//! The edits that make references right in one state's code.

use super::access::{self, Access, EachValue, Scope, Taken, Written};
use super::closure::Cut;
use super::naming::Names;
use super::ownership::{Form, Repetition};
use super::secrets::{Secrecy, Secrets};
use super::splice::{Edit, apply};
use super::text;
use super::types;
use super::uses;
use super::values::{self, Values};
use crate::address::InstanceKey;
use crate::config::{BlockId, ConfigFile, Item, Reference, Role, Span, Syntax, Target};
use crate::json;
use crate::stack::StateId;

/// What is needed to write references.
pub(super) struct Writer<'c, 'a> {
    /// The analysis.
    pub cut: &'c Cut<'a>,
    /// The names.
    pub names: &'c Names,
    /// The secrets.
    pub secrets: &'c Secrets<'a>,
    /// The values.
    pub values: &'c Values<'a>,
    /// The state whose code is written.
    pub state: &'c StateId,
}

impl Writer<'_, '_> {
    /// Returns the edits of one reference; none where it stays.
    pub fn reference(&self, file: &ConfigFile, reference: &Reference, scope: &Scope) -> Vec<Edit> {
        let replace = |span: Span, new: String| vec![Edit::new(span, text::spliced(file, &new))];
        match (&reference.target, &scope.single) {
            (Target::EachKey, Some(key)) | (Target::CountIndex, Some(key)) => {
                vec![constant(file, reference, key)]
            }
            (Target::EachValue, Some(key)) => match &scope.value {
                Some(EachValue::Key) => vec![constant(file, reference, key)],
                Some(EachValue::Expression {
                    span,
                    file: number,
                    loose,
                    suffix,
                    written,
                }) => {
                    let new = match written {
                        Written::Hcl => self.piece(*number, span),
                        Written::JsonValue => self.piece(*number, span).replace("\\/", "/"),
                        Written::JsonTemplate => json::decode(&self.piece(*number, span)),
                    };
                    let new = match loose {
                        true => format!("({new}){suffix}"),
                        false => format!("{new}{suffix}"),
                    };
                    replace(reference.root.clone(), spaced(file, reference.root.start, new))
                }
                None => Vec::new(),
            },
            _ => match access::item_of(&reference.target) {
                Some(item) => self.item(file, reference, scope, &item),
                None => Vec::new(),
            },
        }
    }

    /// Returns a piece of an argument with its references made right.
    fn piece(&self, file: usize, span: &Span) -> String {
        let root = &self.cut.input.configuration.root().source;
        let file = &root.files[file];
        let mut edits = Vec::new();
        for block in &file.blocks {
            for reference in block.references_in(span) {
                edits.extend(self.reference(file, reference, &Scope::default()));
            }
        }
        apply(&file.source.text, span, &edits)
    }

    fn item(&self, file: &ConfigFile, reference: &Reference, scope: &Scope, item: &Item) -> Vec<Edit> {
        let access = access::access(&self.cut.ownership, self.state, item, file, reference, scope);
        let is_static = matches!(reference.place.role, Role::DependsOn | Role::ReplaceTriggeredBy);
        let (new, steps) = match access {
            Access::Same => return Vec::new(),
            Access::Own { text, steps } => (text, steps),
            Access::View { .. } if is_static => match self.cut.part(self.state, item) {
                Some((_, part)) => (text::root_of(&part.item), 0),
                None => return Vec::new(),
            },
            Access::Remote { owner, member } => {
                return self.remote(file, reference, item, &owner, member.as_ref());
            }
            Access::View { keys } => {
                let new = spaced(file, reference.root.start, self.view(item, keys.as_ref()));
                (new, 0)
            }
        };
        vec![Edit::new(self.root(reference, steps), text::spliced(file, &new))]
    }

    /// Returns the range of the root with so many steps behind it.
    fn root(&self, reference: &Reference, steps: usize) -> Span {
        let end = match steps.checked_sub(1).and_then(|last| reference.steps.get(last)) {
            Some(step) => step.span.end,
            None => reference.root.end,
        };
        reference.root.start..end
    }

    fn remote(
        &self,
        file: &ConfigFile,
        reference: &Reference,
        item: &Item,
        owner: &StateId,
        member: Option<&InstanceKey>,
    ) -> Vec<Edit> {
        let owned = &self.cut.ownership[item];
        let secrecy = match access::taken(owned, reference) {
            Some(Taken::Attribute(name)) => self.secrets.secrecy(item, &name),
            _ => Secrecy::Open,
        };
        let within = match member {
            None => self.secrets_within(file, reference, owner, item),
            Some(_) => std::collections::BTreeSet::new(),
        };
        if !within.is_empty() {
            let joined = self.joined(owner, item, &within);
            let new = match self.is_optional(owner) {
                true => format!("try({joined}, null)"),
                false => spaced(file, reference.root.start, joined),
            };
            return vec![Edit::new(reference.root.clone(), text::spliced(file, &new))];
        }
        let mut new = self.names.remote(owner, item, secrecy > Secrecy::Open);
        if let Some(key) = member {
            new.push_str(&format!("[{}]", text::quote(&text::key_text(key))));
        }
        let root = self.root(reference, usize::from(member.is_some()));
        let mut edits = Vec::new();
        let mut close = String::new();
        // Terraform never knew it as sensitive: were it now, the plan would show that as an update.
        if secrecy == Secrecy::ByName {
            new.insert_str(0, "nonsensitive(");
            close.push(')');
        }
        let is_repeated = owned.repetition != Repetition::None;
        // `for_each` takes an object as it is.
        let takes_object = reference.place.role == Role::ForEach;
        let restored = types::of_reference(self.cut.input, item, is_repeated, reference)
            .filter(|collection| !(takes_object && *collection == types::Collection::Map))
            .or_else(|| self.wants_set(file, reference).then_some(types::Collection::Set));
        if let Some(collection) = restored {
            new.insert_str(0, &format!("{}(", collection.function()));
            close.push(')');
        }
        if self.is_optional(owner) {
            new.insert_str(0, "try(");
            close.push_str(", null)");
        }
        edits.push(Edit::new(root, text::spliced(file, &new)));
        if !close.is_empty() {
            let end = reference.span.end;
            edits.push(Edit::new(end..end, close));
        }
        edits
    }

    /// Tells whether a reference is a `for_each` that must be a set: JSON made a list of it.
    fn wants_set(&self, file: &ConfigFile, reference: &Reference) -> bool {
        if reference.place.role != Role::ForEach || file.syntax == Syntax::Json {
            return false;
        }
        let around = file
            .blocks
            .iter()
            .find(|block| block.span.contains(&reference.span.start));
        let Some(argument) = around.and_then(|block| uses::argument(&block.body, &reference.span)) else {
            return false;
        };
        let Some(expr) = file.expression(&argument.value) else {
            return false;
        };
        let start = argument.value.start;
        let span = reference.span.start - start..reference.span.end - start;
        uses::is_result(&expr, &span)
            && file
                .expression(&reference.span)
                .and_then(|expr| self.values.expr(&values::Scope::root(), &expr))
                .is_some_and(|value| matches!(value, crate::contract::value::Value::List(_)))
    }

    /// Tells whether the contract of `owner` may be absent here.
    pub fn is_optional(&self, owner: &StateId) -> bool {
        let StateId::Stack(name) = self.state else {
            return false;
        };
        let optional = self
            .cut
            .input
            .plan
            .stack(name)
            .map_or(&[][..], |stack| &stack.optional_upstreams);
        optional.iter().any(|name| name.value == *owner.name())
    }

    /// Returns what stands for all instances of an item, or for those of some keys.
    fn view(&self, item: &Item, keys: Option<&std::collections::BTreeSet<InstanceKey>>) -> String {
        let owned = &self.cut.ownership[item];
        let owners = access::owners(owned, keys);
        if let (1, Some(part)) = (owners.len(), owned.parts.get(self.state))
            && owners.contains(self.state)
            && let Form::Single(_) = part.form
        {
            return self.view_text(item, keys);
        }
        format!("local.{}", self.names.view(item))
    }

    /// Returns the expression that puts the instances of an item together.
    pub fn view_text(&self, item: &Item, keys: Option<&std::collections::BTreeSet<InstanceKey>>) -> String {
        let owned = &self.cut.ownership[item];
        let owners = access::owners(owned, keys);
        if owned.repetition == Repetition::Count {
            let mut all: Vec<(&InstanceKey, &StateId)> = owned
                .parts
                .iter()
                .flat_map(|(state, part)| part.keys.iter().map(move |key| (key, state)))
                .collect();
            all.sort();
            let one = |(key, state): (&InstanceKey, &StateId)| match owned.parts.get(state) {
                Some(part) if state == self.state => match part.form {
                    Form::Single(_) => text::root_of(&part.item),
                    _ => format!("{}{}", text::root_of(&part.item), text::index(key)),
                },
                _ => self.joined_instance(state, item, key, &self.secrets_read(state, item)),
            };
            let all: Vec<String> = all.into_iter().map(one).collect();
            return format!("[{}]", all.join(", "));
        }
        let mut pieces = Vec::new();
        for state in owners {
            let part = &owned.parts[state];
            pieces.push(match &part.form {
                _ if state != self.state => {
                    let remote = self.joined(state, item, &self.secrets_read(state, item));
                    match self.is_optional(state) {
                        true => format!("try({remote}, {{}})"),
                        false => remote,
                    }
                }
                Form::Single(key) => {
                    format!(
                        "{{ {} = {} }}",
                        text::member(&text::key_text(key)),
                        text::root_of(&part.item)
                    )
                }
                _ => text::root_of(&part.item),
            });
        }
        match pieces.len() {
            1 => pieces.remove(0),
            _ => format!("merge({})", pieces.join(", ")),
        }
    }

    /// Tells whether a reference names something that this state has nothing of.
    pub fn is_elsewhere(&self, file: &ConfigFile, reference: &Reference, scope: &Scope) -> bool {
        let Some(item) = access::item_of(&reference.target) else {
            return false;
        };
        match access::access(&self.cut.ownership, self.state, &item, file, reference, scope) {
            Access::Same | Access::Own { .. } => false,
            Access::Remote { .. } => true,
            Access::View { .. } => self.cut.part(self.state, &item).is_none(),
        }
    }

    /// Returns the edits of every reference in a block of a state.
    pub fn block(&self, id: BlockId, item: Option<&Item>, within: Option<&Span>) -> Vec<Edit> {
        let (file, block) = self.cut.input.configuration.root().source.block(id);
        let scope = item.map_or_else(Scope::default, |item| self.cut.scope(self.state, item));
        let references = match within {
            Some(span) => block.references_in(span),
            None => &block.references,
        };
        references
            .iter()
            .filter(|reference| {
                !(scope.single.is_some() && matches!(&*reference.place.path, "for_each" | "count"))
            })
            .flat_map(|reference| self.reference(file, reference, &scope))
            .collect()
    }
}

/// `${{` would be right, but `fmt` wants a blank between.
fn spaced(file: &ConfigFile, start: usize, mut new: String) -> String {
    if new.starts_with('{') && file.source.text[..start].ends_with("${") {
        new.insert(0, ' ');
    }
    new
}

/// Replaces `each.key` or `count.index` by a known key; in a template by its text itself, where that says the same.
pub(super) fn constant(file: &ConfigFile, reference: &Reference, key: &InstanceKey) -> Edit {
    let span = &reference.span;
    let around = span.start.checked_sub(2).map(|start| start..span.end + 1);
    if let Some(around) = around.filter(|_| reference.place.around.in_template) {
        let whole = file.text(&around);
        let plain = text::key_text(key);
        let is_plain = plain.chars().all(|c| c.is_alphanumeric() || "-_./ ".contains(c));
        if whole.starts_with("${") && whole.ends_with('}') && is_plain {
            return Edit::new(around, plain);
        }
    }
    Edit::new(span.clone(), text::spliced(file, &text::literal(key)))
}
