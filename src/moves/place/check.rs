//! What may not meet at one address: two instances, two providers, two entries with different unknown fields.

use std::borrow::Cow;
use std::collections::HashSet;

use super::super::{At, InstanceMove, MoveError, ProviderChoice};
use super::{Group, Placement, STAYS, whole};
use crate::address::ProviderConfigAddr;
use crate::state::{Resource, reformat_into};

impl<'a> Placement<'a> {
    pub(super) fn check_collisions(
        &self,
        state: usize,
        group: &Group<'a>,
        existing: Option<Resource<'a>>,
    ) -> Result<(), MoveError> {
        let collision = |movement: &InstanceMove, other: Option<&InstanceMove>| MoveError::InstanceExists {
            from: Box::new(movement.from.clone()),
            to: Box::new(movement.to.clone()),
            other: other.map(|other| Box::new(other.from.clone())),
        };
        let objects = self.objects(state, group);
        for pair in objects.windows(2) {
            if pair[0].key == pair[1].key && !std::ptr::eq(pair[0].movement, pair[1].movement) {
                return Err(collision(pair[1].movement, Some(pair[0].movement)));
            }
        }
        let moved = &self.moved[state];
        for kept in existing.into_iter().flat_map(Resource::instances) {
            if moved[kept.index()] == STAYS {
                let at = objects.partition_point(|object| object.key < kept.key());
                if let Some(object) = objects.get(at).filter(|object| object.key == kept.key()) {
                    return Err(collision(object.movement, None));
                }
            }
        }
        // Two husks at one address, or a husk on an entry that stays: nobody's instance, but two entries.
        let entries = group.husks.len() + usize::from(existing.is_some() || !objects.is_empty());
        match group.husks.first() {
            Some(husk) if entries > 1 => Err(MoveError::ResourceExists {
                from: whole(&husk.movement.from),
                to: whole(&husk.movement.to),
            }),
            _ => Ok(()),
        }
    }

    /// Own providers (OpenTofu) and the entry's provider exclude each other.
    pub(super) fn check_forms(
        &self,
        state: usize,
        group: &Group<'a>,
        existing: Option<Resource<'a>>,
    ) -> Result<(), MoveError> {
        let mut forms = existing
            .map(|resource| resource.provider().is_none())
            .into_iter()
            .chain(
                self.objects(state, group)
                    .iter()
                    .map(|object| object.instance.own_provider().is_some()),
            );
        let first = forms.next();
        if forms.all(|form| Some(form) == first) {
            return Ok(());
        }
        Err(MoveError::ProviderForms {
            to: At::new(self.sources[state].id.clone(), group.addr.clone()),
        })
    }

    /// Entries that become one must not lose a field that we do not know.
    pub(super) fn check_unknown_fields(
        &self,
        state: usize,
        group: &Group<'a>,
        existing: Option<Resource<'a>>,
    ) -> Result<(), MoveError> {
        let Some(head) = existing.or_else(|| self.head(state, group)) else {
            return Ok(());
        };
        let is_head = |entry: Resource<'a>| {
            std::ptr::eq(entry.snapshot(), head.snapshot()) && entry.index() == head.index()
        };
        if self
            .objects(state, group)
            .iter()
            .all(|object| is_head(object.instance.resource()))
        {
            return Ok(());
        }
        let mut known: Option<Vec<(String, String)>> = None;
        let mut checked = HashSet::from([(std::ptr::from_ref(head.snapshot()), head.index())]);
        for object in self.objects(state, group) {
            let entry = object.instance.resource();
            let identity = (std::ptr::from_ref(entry.snapshot()), entry.index());
            if !checked.insert(identity) {
                continue;
            }
            let known = known.get_or_insert_with(|| unknown_fields(head));
            let missing = unknown_fields(entry)
                .into_iter()
                .find(|field| !known.contains(field));
            if let Some((field, _)) = missing {
                return Err(MoveError::UnknownField {
                    from: At::new(
                        self.sources[object.state as usize].id.clone(),
                        entry.addr().clone(),
                    ),
                    to: At::new(self.sources[state].id.clone(), group.addr.clone()),
                    field,
                });
            }
        }
        Ok(())
    }

    /// Checks that no object changes its provider; returns the `provider` of a new entry.
    pub(super) fn check_providers(
        &self,
        state: usize,
        group: &Group<'a>,
        existing: Option<Resource<'a>>,
    ) -> Result<Option<Box<ProviderConfigAddr>>, MoveError> {
        let differs = |moved: &ProviderConfigAddr, wanted: &ProviderConfigAddr| MoveError::ProviderDiffers {
            to: At::new(self.sources[state].id.clone(), group.addr.clone()),
            moved: Box::new(moved.clone()),
            wanted: Box::new(wanted.clone()),
        };
        let mut chosen = existing.and_then(Resource::provider).map(Cow::Borrowed);
        let objects = self.objects(state, group);
        let own = objects
            .first()
            .is_some_and(|object| object.instance.own_provider().is_some());
        let objects = objects.iter().map(|object| {
            let provider = object.instance.provider();
            (object.state as usize, provider, &object.movement.provider)
        });
        let husks = group.husks.iter().filter_map(|husk| {
            let provider = husk.resource.provider()?;
            Some((husk.state, provider, &husk.movement.provider))
        });
        for (from, provider, choice) in objects.chain(husks) {
            if let ProviderChoice::At(asked) = choice
                && asked.provider != provider.provider
            {
                return Err(differs(provider, asked));
            }
            if own {
                continue;
            }
            let wanted = chosen.get_or_insert_with(|| choose(provider, choice, from == state));
            if wanted.provider != provider.provider {
                return Err(differs(provider, wanted));
            }
        }
        let head = self.head(state, group).and_then(Resource::provider);
        let changes = existing.is_none() && chosen.as_deref() != head;
        Ok(chosen
            .filter(|_| changes)
            .map(|chosen| Box::new(chosen.into_owned())))
    }
}

/// Returns the fields of an entry that the format gives no meaning, with their text; `each` is known to be ignored.
fn unknown_fields(resource: Resource<'_>) -> Vec<(String, String)> {
    let text = resource.snapshot().text();
    let mut fields = resource.unknown_fields();
    fields.retain(|(name, _)| name != "each");
    let value = |range: std::ops::Range<usize>| {
        let mut plain = String::new();
        reformat_into(&text[range], crate::state::Layout::Compact, 0, &mut plain);
        plain
    };
    fields
        .into_iter()
        .map(|(name, field)| (name, value(field.value)))
        .collect()
}

fn choose<'p>(
    provider: &'p ProviderConfigAddr,
    choice: &'p ProviderChoice,
    same_state: bool,
) -> Cow<'p, ProviderConfigAddr> {
    match choice {
        ProviderChoice::At(asked) => Cow::Borrowed(asked.as_ref()),
        ProviderChoice::Keep => Cow::Borrowed(provider),
        ProviderChoice::Auto if same_state || provider.module.0.is_empty() => Cow::Borrowed(provider),
        ProviderChoice::Auto => Cow::Owned(ProviderConfigAddr::root_default(provider.provider.clone())),
    }
}
