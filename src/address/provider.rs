//! Provider addresses and provider configuration addresses.

use std::str::FromStr;

use super::parse::Cursor;
use super::{AddressError, InstanceKey, ModuleAddr};

/// Terraform's registry, the default host in its states.
pub const TERRAFORM_HOST: &str = "registry.terraform.io";
/// OpenTofu's registry, the default host in its states.
pub const OPENTOFU_HOST: &str = "registry.opentofu.org";

/// A provider's fully qualified name: `registry.terraform.io/hashicorp/aws`, all lower case.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProviderAddr {
    /// Registry host; `terraform.io` for the builtin one.
    pub host: String,
    /// Namespace; `-` in states of Terraform 0.12, `builtin` for the builtin one.
    pub namespace: String,
    /// Type, for example `aws`.
    pub type_name: String,
}

/// A provider configuration in a module, as stored in a state's `provider`.
///
/// `[module.<a>.module.<b>.]provider["host/namespace/type"][.alias][["key"]]`; the key only in states of OpenTofu 1.9
/// and later, on instances.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProviderConfigAddr {
    /// The module that holds the configuration; never with instance keys.
    pub module: ModuleAddr,
    /// The provider.
    pub provider: ProviderAddr,
    /// The alias.
    pub alias: Option<String>,
    /// The key of OpenTofu's `for_each` on providers.
    pub key: Option<InstanceKey>,
}

impl ProviderAddr {
    /// Returns the provider that ships inside the binary: `terraform_data`, `terraform_remote_state`.
    pub fn builtin() -> Self {
        Self {
            host: "terraform.io".to_owned(),
            namespace: "builtin".to_owned(),
            type_name: "terraform".to_owned(),
        }
    }

    /// Returns the provider that a local name stands for where no `required_providers` says otherwise.
    pub fn default_for(local_name: &str, host: &str) -> Self {
        if local_name == "terraform" {
            return Self::builtin();
        }
        Self {
            host: host.to_owned(),
            namespace: "hashicorp".to_owned(),
            type_name: local_name.to_lowercase(),
        }
    }

    /// Tells whether two names stand for the same provider: OpenTofu translates Terraform's registry host to its own.
    pub fn is_same(&self, other: &Self) -> bool {
        let default_host = |host: &str| host == TERRAFORM_HOST || host == OPENTOFU_HOST;
        let hosts = self.host == other.host || (default_host(&self.host) && default_host(&other.host));
        hosts && self.namespace == other.namespace && self.type_name == other.type_name
    }
}

impl ProviderConfigAddr {
    /// Returns the default (not aliased) configuration in the root module.
    pub fn root_default(provider: ProviderAddr) -> Self {
        Self {
            module: ModuleAddr::default(),
            provider,
            alias: None,
            key: None,
        }
    }
}

/// Reads `host/namespace/type`, `namespace/type` or `type`, in any case.
impl FromStr for ProviderAddr {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let fail = |offset: usize, reason: &str| {
            Err(AddressError {
                text: text.to_owned(),
                offset,
                reason: reason.to_owned(),
            })
        };
        let mut offset = 0;
        let parts: Vec<&str> = text.split('/').collect();
        for (index, part) in parts.iter().enumerate() {
            let is_host = parts.len() == 3 && index == 0;
            let fits =
                |c: char| c.is_alphanumeric() || c == '-' || c == '_' || (is_host && (c == '.' || c == ':'));
            if part.is_empty() || !part.chars().all(fits) {
                return fail(
                    offset,
                    "a provider is written `host/namespace/type`, for example `registry.terraform.io/hashicorp/aws`",
                );
            }
            offset += part.len() + 1;
        }
        let (host, namespace, type_name) = match parts[..] {
            [type_name] => (TERRAFORM_HOST, "hashicorp", type_name),
            [namespace, type_name] => (TERRAFORM_HOST, namespace, type_name),
            [host, namespace, type_name] => (host, namespace, type_name),
            _ => return fail(0, "a provider has at most three parts: host, namespace and type"),
        };
        Ok(Self {
            host: host.to_lowercase(),
            namespace: namespace.to_lowercase(),
            type_name: type_name.to_lowercase(),
        })
    }
}

impl FromStr for ProviderConfigAddr {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let mut cursor = Cursor::new(text);
        let module = cursor.module_path()?;
        if module.0.iter().any(|step| step.key.is_some()) {
            let at = text.find('[').unwrap_or(0);
            return cursor.fail(
                at,
                "the module path of a provider configuration has no instance keys",
            );
        }
        let start = cursor.pos();
        if cursor.at_end() || cursor.ident()? != "provider" {
            return cursor.fail(start, "`provider[\"host/namespace/type\"]` is expected here");
        }
        let provider = match cursor.peek() {
            Some(b'[') => bracketed(&mut cursor)?,
            // Terraform 0.12 wrote `provider.aws`, without saying which registry.
            Some(b'.') => {
                cursor.advance(1);
                legacy(cursor.ident()?)
            }
            _ => return cursor.fail(cursor.pos(), "`[\"host/namespace/type\"]` is expected here"),
        };
        let mut alias = None;
        if cursor.eat(b'.') {
            alias = Some(cursor.ident()?.to_owned());
        }
        let key = cursor.key()?;
        if !cursor.at_end() {
            return cursor.fail(cursor.pos(), "the provider configuration is complete before this");
        }
        Ok(Self {
            module: module.config(),
            provider,
            alias,
            key,
        })
    }
}

fn bracketed(cursor: &mut Cursor<'_>) -> Result<ProviderAddr, AddressError> {
    let start = cursor.pos();
    match cursor.key()? {
        Some(InstanceKey::Str(name)) => match name.parse() {
            Ok(provider) => Ok(provider),
            Err(AddressError { reason, .. }) => cursor.fail(start, reason),
        },
        _ => cursor.fail(start, "a provider is named by a text, not a number"),
    }
}

fn legacy(name: &str) -> ProviderAddr {
    if name == "terraform" {
        return ProviderAddr::builtin();
    }
    ProviderAddr {
        host: TERRAFORM_HOST.to_owned(),
        namespace: "-".to_owned(),
        type_name: name.to_lowercase(),
    }
}
