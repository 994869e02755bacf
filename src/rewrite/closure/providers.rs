//! Which provider configurations code needs.

use std::collections::BTreeSet;

use super::Cut;
use crate::address::ProviderConfigAddr;
use crate::config::{Item, providers};
use crate::stack::StateId;

impl Cut<'_> {
    /// Whoever writes or reads a document in AWS needs the provider that the contract modules use.
    pub(super) fn store_providers(&mut self, states: &[StateId]) {
        let provider = Item::Provider {
            name: "aws".to_owned(),
            alias: None,
        };
        loop {
            let producers: BTreeSet<StateId> = self.readings.keys().map(|(state, _)| state.clone()).collect();
            let in_aws = |state: &StateId| {
                let settings = self.input.contracts.get(state);
                settings.is_some_and(|settings| crate::rewrite::needs_aws(settings.store))
            };
            let lacking = states.iter().find(|state| {
                let members = &self.members[*state];
                let tells = producers.contains(state) && in_aws(state);
                (tells || members.upstreams.iter().any(in_aws)) && !members.items.contains(&provider)
            });
            let is_declared = !self
                .input
                .configuration
                .root()
                .source
                .declarations(&provider)
                .is_empty();
            let Some(state) = lacking.filter(|_| is_declared) else {
                return;
            };
            let members = self.members.remove(state).unwrap_or_default();
            self.close(state, members, vec![provider.clone()]);
        }
    }

    /// Returns the provider blocks of the root module that an item uses.
    pub fn providers_of(&self, item: &Item) -> Vec<Item> {
        let configuration = self.input.configuration;
        let root = configuration.root();
        let mut found = BTreeSet::new();
        let mut add = |name: &str, alias: Option<&str>| {
            found.insert(Item::Provider {
                name: name.to_owned(),
                alias: alias.map(str::to_owned),
            });
        };
        match item {
            Item::Resource { type_name, .. } | Item::Action { type_name, .. } => {
                match configuration.provider_ref_of(&root.address, item) {
                    Ok(named) => add(&named.local_name, named.alias.as_deref()),
                    Err(_) => add(providers::implied_provider(type_name), None),
                }
            }
            Item::Module(call) => {
                for (_, parent) in providers::passed_providers(&root.source, call) {
                    add(&parent.local_name, parent.alias.as_deref());
                }
                for address in self.provider_configs_in(call) {
                    for (item, _) in root.source.items() {
                        if let Item::Provider { name, alias } = item
                            && configuration.resolve(root, name, alias.as_deref()).as_ref() == Ok(&address)
                        {
                            add(name, alias.as_deref());
                        }
                    }
                }
            }
            _ => {}
        }
        found.into_iter().collect()
    }

    /// Returns the provider configurations of the root module that the resources inside a call use.
    pub fn provider_configs_in(&self, call: &str) -> BTreeSet<ProviderConfigAddr> {
        let configuration = self.input.configuration;
        let inside = configuration
            .modules()
            .filter(|module| module.address.0.first().is_some_and(|first| first == call));
        let mut found = BTreeSet::new();
        for module in inside {
            for (item, _) in module.source.items() {
                if let Ok(mut address) = configuration.provider_for_item(&module.address, item) {
                    address.key = None;
                    found.insert(address);
                }
            }
        }
        found
    }
}
