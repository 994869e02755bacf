//! Provider addresses and provider configuration addresses.

use std::fmt;
use std::str::FromStr;

use super::parse::without_key;
use super::reader::Reader;
use super::{AddressError, InstanceKey, ModuleAddr};

/// Terraform's registry, the default host in its states.
pub const TERRAFORM_HOST: &str = "registry.terraform.io";
/// OpenTofu's registry, the default host in its states.
pub const OPENTOFU_HOST: &str = "registry.opentofu.org";
/// Namespace of providers in states of Terraform 0.12, which knew no namespaces.
const LEGACY_NAMESPACE: &str = "-";

/// A provider's fully qualified name: `registry.terraform.io/hashicorp/aws`, all lower case.
///
/// Read from the full form and from the short ones (`hashicorp/aws`, `aws`).
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
/// and later, on instances. The legacy form of Terraform 0.12, `[module.<a>.]provider.aws[.alias]`, is read as well.
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
    /// Returns the provider that a local name means when no `required_providers` entry says otherwise; `host` is the
    /// default registry of the binary.
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

    /// Returns the provider built into the binary (`terraform_data`, `terraform_remote_state`).
    pub fn builtin() -> Self {
        Self {
            host: "terraform.io".to_owned(),
            namespace: "builtin".to_owned(),
            type_name: "terraform".to_owned(),
        }
    }

    /// Tells whether this provider is built into the binary.
    pub fn is_builtin(&self) -> bool {
        self.host == "terraform.io" && self.namespace == "builtin"
    }

    /// Tells whether both are one provider, the default registries of Terraform and OpenTofu counting as one.
    pub fn is_same(&self, other: &Self) -> bool {
        let default = |host: &str| host == TERRAFORM_HOST || host == OPENTOFU_HOST;
        let hosts = self.host == other.host || (default(&self.host) && default(&other.host));
        hosts && self.namespace == other.namespace && self.type_name == other.type_name
    }

    /// Returns the provider of a legacy address. Terraform keeps the case of the name there.
    fn legacy(name: &str) -> Self {
        if name == "terraform" {
            return Self::builtin();
        }
        Self {
            host: TERRAFORM_HOST.to_owned(),
            namespace: LEGACY_NAMESPACE.to_owned(),
            type_name: name.to_owned(),
        }
    }

    /// Reads a source address; the error is the offset of the faulty part and the reason.
    fn from_source(text: &str) -> Result<Self, (usize, String)> {
        let parts: Vec<&str> = text.split('/').collect();
        let offset = |index: usize| parts[..index].iter().map(|part| part.len() + 1).sum::<usize>();
        let (host, namespace, type_name) = match parts[..] {
            [type_name] => (None, None, type_name),
            [namespace, type_name] => (None, Some(namespace), type_name),
            [host, namespace, type_name] => (Some(host), Some(namespace), type_name),
            _ => {
                return Err((
                    offset(3),
                    "a provider has at most three parts: `host/namespace/type`".to_owned(),
                ));
            }
        };
        let last = parts.len() - 1;
        let host = match host {
            None => TERRAFORM_HOST.to_owned(),
            Some(host) => host_part(host).map_err(|reason| (0, reason))?,
        };
        let namespace = match namespace {
            None => "hashicorp".to_owned(),
            Some(LEGACY_NAMESPACE) if host == TERRAFORM_HOST || host == OPENTOFU_HOST => {
                LEGACY_NAMESPACE.to_owned()
            }
            Some(namespace) => name_part(namespace).map_err(|reason| (offset(last - 1), reason))?,
        };
        let type_name = name_part(type_name).map_err(|reason| (offset(last), reason))?;
        // Terraform reads the short form, but not what it then prints.
        if let Some(plain) = type_name.strip_prefix("terraform-provider-") {
            let reason = format!("a provider is named without `terraform-provider-`; write `{plain}`");
            return Err((offset(last), reason));
        }
        Ok(Self {
            host,
            namespace,
            type_name,
        })
    }
}

/// Checks a namespace or type and brings it to lower case.
///
/// Terraform applies the rules for domain labels. We lower-case without IDNA's compatibility mapping (`ﬀ` stays).
fn name_part(part: &str) -> Result<String, String> {
    let fits = |c: char| c == '-' || c.is_alphanumeric();
    if part.is_empty() {
        return Err("a part of the provider's name is empty".to_owned());
    }
    if let Some(wrong) = part.chars().find(|c| !fits(*c)) {
        return Err(format!(
            "a provider's name holds letters, digits and dashes, not {wrong:?}"
        ));
    }
    if part.starts_with('-') || part.ends_with('-') || part.contains("--") {
        return Err("dashes stand singly and inside a provider's name".to_owned());
    }
    Ok(part.to_lowercase())
}

/// Checks a registry host and brings it to the form in which Terraform compares hosts.
fn host_part(part: &str) -> Result<String, String> {
    let (name, port) = match part.split_once(':') {
        Some((name, port)) => (name, Some(port)),
        None => (part, None),
    };
    let label = |label: &str| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|c| c == '-' || c.is_alphanumeric())
    };
    if !name.strip_suffix('.').unwrap_or(name).split('.').all(label) {
        return Err(format!("`{part}` is not a host name"));
    }
    let name = name.to_lowercase();
    match port {
        None => Ok(name),
        Some(port) if port.bytes().all(|byte| byte.is_ascii_digit()) => match port.parse::<u16>() {
            Ok(443) => Ok(name),
            Ok(port) => Ok(format!("{name}:{port}")),
            Err(_) => Err(format!("`{port}` is not a port")),
        },
        Some(port) => Err(format!("`{port}` is not a port")),
    }
}

impl ProviderConfigAddr {
    /// Returns the configuration without alias in the root module.
    pub fn root_default(provider: ProviderAddr) -> Self {
        Self {
            module: ModuleAddr::root(),
            provider,
            alias: None,
            key: None,
        }
    }
}

impl fmt::Display for ProviderAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.host, self.namespace, self.type_name)
    }
}

impl FromStr for ProviderAddr {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        Self::from_source(text).map_err(|(offset, reason)| AddressError {
            text: text.to_owned(),
            offset,
            reason,
        })
    }
}

impl fmt::Display for ProviderConfigAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.module.is_root() {
            write!(f, "{}.", self.module)?;
        }
        write!(f, "provider[\"{}\"]", self.provider)?;
        if let Some(alias) = &self.alias {
            write!(f, ".{alias}")?;
        }
        self.key.as_ref().map_or(Ok(()), |key| key.fmt(f))
    }
}

impl FromStr for ProviderConfigAddr {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let mut reader = Reader::new(text);
        let mut module = ModuleAddr::root();
        let first = reader.module_path(|reader, call, key| {
            module.0.push(call.text.to_owned());
            without_key(reader, call, key)
        })?;
        let first = match first {
            Some(first) if first.text == "provider" => first,
            Some(first) => return reader.fail(first.at, "expected `provider`"),
            None => return reader.fail(text.len(), "this is a module; expected `provider[\"…\"]` in it"),
        };
        reader.skip_space();
        let at = reader.pos;
        let provider = match reader.index()? {
            Some(InstanceKey::Str(source)) => {
                // The brackets and the quote before the name; blanks or escapes there are not worth more care.
                ProviderAddr::from_source(&source)
                    .or_else(|(offset, reason)| reader.fail(at + 2 + offset, reason))?
            }
            Some(InstanceKey::Int(_)) => return reader.fail(at, "a provider is named by a string"),
            None if reader.dot() => ProviderAddr::legacy(reader.name()?.text),
            None => return reader.fail(first.at, "expected `provider[\"host/namespace/type\"]`"),
        };
        let mut alias = None;
        if reader.dot() {
            alias = Some(reader.name()?.text.to_owned());
        }
        let legacy = text.as_bytes().get(at) != Some(&b'[');
        let key = if legacy { None } else { reader.index()? };
        reader.finish()?;
        Ok(Self {
            module,
            provider,
            alias,
            key,
        })
    }
}
