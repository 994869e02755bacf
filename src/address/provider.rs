//! Provider addresses and provider configuration addresses.

use super::{InstanceKey, ModuleAddr};

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
