//! Which provider configuration a resource has: local name, alias, the module that holds it, as Terraform resolves it.

use thiserror::Error;

use super::module::{Item, ModuleSource};
use super::{Configuration, Mode, Module, ProviderKey, ProviderRef};
use crate::address::{ConfigResourceAddr, ModuleAddr, ProviderAddr, ProviderConfigAddr, ResourceMode};

/// Why a resource's provider configuration is not known.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum ProviderError {
    /// The configuration has no such resource.
    #[error("the configuration has no {resource} in module `{}`", .module.0.join("."))]
    NoResource {
        /// The module.
        module: ModuleAddr,
        /// The resource, in words.
        resource: String,
    },
    /// The `provider` argument is not a provider configuration.
    #[error("the `provider` argument of {resource} names no provider configuration")]
    NotAName {
        /// The resource, in words.
        resource: String,
    },
    /// The provider's source is not a provider address.
    #[error("`{source_text}` is not a provider source")]
    InvalidSource {
        /// The source as written.
        source_text: String,
    },
    /// No module up to the root configures that alias.
    #[error("no provider configuration `{local_name}.{alias}` reaches module `{}`", .module.0.join("."))]
    NotPassed {
        /// The module that wants it.
        module: ModuleAddr,
        /// The local name.
        local_name: String,
        /// The alias.
        alias: String,
    },
}

impl Configuration {
    /// Returns the address of the provider configuration that a resource uses, as a state records it.
    ///
    /// With OpenTofu's `for_each` on providers the key is there if the text tells it; where it depends on the
    /// instance it is absent, and [`Configuration::provider_ref`] says so.
    pub fn provider_for(&self, resource: &ConfigResourceAddr) -> Result<ProviderConfigAddr, ProviderError> {
        self.provider_for_item(&resource.module, &Item::from(resource))
    }

    /// As [`provider_for`](Self::provider_for), for whatever block of a module has a provider: an ephemeral resource too.
    pub fn provider_for_item(
        &self,
        module: &ModuleAddr,
        item: &Item,
    ) -> Result<ProviderConfigAddr, ProviderError> {
        let selected = self.provider_ref_of(module, item)?;
        let module = self.module(module).ok_or_else(|| no_resource(module, item))?;
        let mut address = self.resolve(module, &selected.local_name, selected.alias.as_deref())?;
        if let Some(ProviderKey::Literal(key)) = selected.key {
            address.key = Some(key);
        }
        Ok(address)
    }

    /// Returns the provider configuration that a resource names, or its type implies, in its own module's terms.
    pub fn provider_ref(&self, resource: &ConfigResourceAddr) -> Result<ProviderRef, ProviderError> {
        self.provider_ref_of(&resource.module, &Item::from(resource))
    }

    /// As [`provider_ref`](Self::provider_ref), for whatever block of a module has a provider.
    pub fn provider_ref_of(&self, module: &ModuleAddr, item: &Item) -> Result<ProviderRef, ProviderError> {
        let missing = || no_resource(module, item);
        let (Item::Resource { type_name, .. } | Item::Action { type_name, .. }) = item else {
            return Err(missing());
        };
        let found = self.module(module).ok_or_else(missing)?;
        if found.source.declarations(item).is_empty() {
            return Err(missing());
        }
        match found.source.attribute(item, "provider") {
            Some((file, argument)) => {
                file.provider_ref(&argument.value)
                    .ok_or_else(|| ProviderError::NotAName {
                        resource: item.describe(),
                    })
            }
            None => Ok(ProviderRef {
                local_name: implied_provider(type_name).to_owned(),
                alias: None,
                key: None,
            }),
        }
    }

    /// Returns the provider that a local name means in a module.
    pub fn provider_address(&self, module: &Module, local_name: &str) -> Result<ProviderAddr, ProviderError> {
        let host = self.dialect.default_registry();
        match module.source.required_sources().get(local_name) {
            Some(source) => parse_source(source, host).ok_or_else(|| ProviderError::InvalidSource {
                source_text: source.clone(),
            }),
            None if local_name == "terraform" => Ok(builtin("terraform")),
            None => Ok(ProviderAddr {
                host: host.to_owned(),
                namespace: "hashicorp".to_owned(),
                type_name: local_name.to_lowercase(),
            }),
        }
    }

    /// Returns the provider configuration that a local name and alias mean in a module: its own block, what its
    /// caller passes, or the default one of a module above.
    pub fn resolve(
        &self,
        module: &Module,
        local_name: &str,
        alias: Option<&str>,
    ) -> Result<ProviderConfigAddr, ProviderError> {
        let provider = self.provider_address(module, local_name)?;
        let mut at = module;
        let (mut name, mut alias) = (local_name.to_owned(), alias.map(str::to_owned));
        let mut key = None;
        loop {
            let own = Item::Provider {
                name: name.clone(),
                alias: alias.clone(),
            };
            let is_own = !at.source.declarations(&own).is_empty();
            let above = at.address.0.split_last().and_then(|(call, outer)| {
                let outer = self.module(&ModuleAddr(outer.to_vec()))?;
                Some((call, outer))
            });
            let (false, Some((call, outer))) = (is_own, above) else {
                if !is_own && let Some(alias) = alias {
                    return Err(ProviderError::NotPassed {
                        module: module.address.clone(),
                        local_name: local_name.to_owned(),
                        alias,
                    });
                }
                return Ok(ProviderConfigAddr {
                    module: at.address.clone(),
                    provider,
                    alias,
                    key,
                });
            };
            let passed = passed_providers(&outer.source, call);
            let wanted = passed
                .into_iter()
                .find(|(child, _)| child.local_name == name && child.alias == alias);
            if let Some((_, parent)) = wanted {
                name = parent.local_name;
                alias = parent.alias;
                if let Some(ProviderKey::Literal(literal)) = parent.key {
                    key = Some(literal);
                }
            } else if let Some(alias) = alias {
                return Err(ProviderError::NotPassed {
                    module: module.address.clone(),
                    local_name: local_name.to_owned(),
                    alias,
                });
            } else {
                name = self.local_name(outer, &provider)?;
            }
            at = outer;
        }
    }

    /// Returns the name a module has for a provider.
    fn local_name(&self, module: &Module, provider: &ProviderAddr) -> Result<String, ProviderError> {
        for (name, source) in module.source.required_sources() {
            if parse_source(source, self.dialect.default_registry()).as_ref() == Some(provider) {
                return Ok(name.clone());
            }
        }
        Ok(provider.type_name.clone())
    }
}

impl From<&ConfigResourceAddr> for Item {
    fn from(resource: &ConfigResourceAddr) -> Self {
        Self::Resource {
            mode: match resource.mode {
                ResourceMode::Data => Mode::Data,
                ResourceMode::Managed => Mode::Managed,
            },
            type_name: resource.type_name.clone(),
            name: resource.name.clone(),
        }
    }
}

fn no_resource(module: &ModuleAddr, item: &Item) -> ProviderError {
    ProviderError::NoResource {
        module: module.clone(),
        resource: item.describe(),
    }
}

/// Returns the local name that a resource type implies: what stands before the first `_`.
pub fn implied_provider(type_name: &str) -> &str {
    type_name.split('_').next().unwrap_or(type_name)
}

/// Returns the pairs of a call's `providers` argument: child's configuration → caller's.
pub fn passed_providers(caller: &ModuleSource, call: &str) -> Vec<(ProviderRef, ProviderRef)> {
    caller
        .attribute(&Item::Module(call.to_owned()), "providers")
        .map(|(file, argument)| file.provider_map(&argument.value))
        .unwrap_or_default()
}

fn builtin(type_name: &str) -> ProviderAddr {
    ProviderAddr {
        host: "terraform.io".to_owned(),
        namespace: "builtin".to_owned(),
        type_name: type_name.to_owned(),
    }
}

/// Reads a provider source: `aws`, `hashicorp/aws`, `registry.example.com/hashicorp/aws`.
pub fn parse_source(source: &str, default_host: &str) -> Option<ProviderAddr> {
    let parts: Vec<&str> = source.split('/').collect();
    let (host, namespace, type_name) = match parts[..] {
        [type_name] => (default_host, "hashicorp", type_name),
        [namespace, type_name] => (default_host, namespace, type_name),
        [host, namespace, type_name] => (host, namespace, type_name),
        _ => return None,
    };
    let is_part =
        |part: &str| !part.is_empty() && part.chars().all(|c| c.is_alphanumeric() || "-_.:".contains(c));
    let fits = is_part(host) && is_part(namespace) && is_part(type_name);
    fits.then(|| ProviderAddr {
        host: host.to_lowercase(),
        namespace: namespace.to_lowercase(),
        type_name: type_name.to_lowercase(),
    })
}
