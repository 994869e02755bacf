//! How a stack hands values to the stacks above it: settings of the contract, as the plan file gives them.

use std::ops::Range;
use std::str::FromStr;

use super::file::{PlanFile, Spanned, StackBlock};
use super::template::Template;
use crate::diagnostic::Diagnostic;
use crate::stack::{Environment, StateLocation};

/// Where contract documents live.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ContractStore {
    /// A parameter per stack in SSM Parameter Store.
    #[default]
    Ssm,
    /// An object per stack in S3.
    S3,
    /// Outputs of the producer's state, read by `terraform_remote_state`.
    RemoteState,
    /// Variables, with values in a tfvars file.
    Variables,
}

impl ContractStore {
    /// All stores, the default first.
    pub const ALL: [Self; 4] = [Self::Ssm, Self::S3, Self::RemoteState, Self::Variables];

    /// Returns the word used in plan files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ssm => "ssm",
            Self::S3 => "s3",
            Self::RemoteState => "remote_state",
            Self::Variables => "variables",
        }
    }
}

impl FromStr for ContractStore {
    type Err = ();

    fn from_str(word: &str) -> Result<Self, ()> {
        Self::ALL
            .into_iter()
            .find(|store| store.as_str() == word)
            .ok_or(())
    }
}

/// Tier of an SSM parameter: what fits into it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SsmTier {
    /// 4096 bytes.
    #[default]
    Standard,
    /// 8192 bytes, at a price.
    Advanced,
}

impl SsmTier {
    /// Both tiers.
    pub const ALL: [Self; 2] = [Self::Standard, Self::Advanced];

    /// Returns the word used in plan files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Standard => "standard",
            Self::Advanced => "advanced",
        }
    }
}

impl FromStr for SsmTier {
    type Err = ();

    fn from_str(word: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|tier| tier.as_str() == word).ok_or(())
    }
}

/// A `contract` block as written: what is not said comes from `defaults`, then from stackcut.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ContractBlock {
    /// Where the block stands.
    pub span: Range<usize>,
    /// The store.
    pub store: Option<Spanned<ContractStore>>,
    /// Parameter path or key prefix.
    pub path: Option<Template>,
    /// Bucket of the S3 store.
    pub bucket: Option<Template>,
    /// Tier of the SSM parameters.
    pub tier: Option<Spanned<SsmTier>>,
}

/// The settings of one stack in one environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContractSettings {
    /// The store.
    pub store: ContractStore,
    /// Parameter path or key prefix; `/configuration` where the plan file says nothing.
    pub path: String,
    /// Bucket of the S3 store; the bucket of the stack's state where the plan file says nothing.
    pub bucket: Option<String>,
    /// Tier of the SSM parameters.
    pub tier: SsmTier,
}

/// The path where the plan file says nothing.
pub const DEFAULT_PATH: &str = "/configuration";

impl PlanFile {
    /// Returns how a stack hands values on in an environment. `location` is where the stack's state lives.
    ///
    /// # Errors
    ///
    /// A template that cannot be evaluated, an S3 store without a bucket.
    pub fn contract_settings(
        &self,
        environment: &Environment,
        stack: &StackBlock,
        location: Option<&StateLocation>,
    ) -> Result<ContractSettings, Vec<Diagnostic>> {
        let values = self.stack_values(environment, &stack.name.value, stack.layer);
        let blocks = [stack.contract.as_ref(), self.defaults.contract.as_ref()];
        let mut blocks_said = blocks.iter().flatten();
        let store = blocks_said
            .find_map(|block| block.store.as_ref())
            .map_or(ContractStore::default(), |store| store.value);
        let tier = blocks.iter().flatten().find_map(|block| block.tier.as_ref());
        let path = blocks.iter().flatten().find_map(|block| block.path.as_ref());
        let bucket = blocks.iter().flatten().find_map(|block| block.bucket.as_ref());
        let one = |fault| vec![fault];
        let path = match path {
            Some(path) => self.text(path, &values, environment).map_err(one)?,
            None => DEFAULT_PATH.to_owned(),
        };
        let bucket = match bucket {
            _ if store != ContractStore::S3 => None,
            Some(bucket) => Some(self.text(bucket, &values, environment).map_err(one)?),
            None => location.and_then(|location| location.arguments.get("bucket").cloned()),
        };
        if store == ContractStore::S3 && bucket.is_none() {
            return Err(vec![
                Diagnostic::error(format!(
                    "the contract of stack `{}` has no bucket",
                    stack.name.value
                ))
                .at(&self.file, stack.name.span.clone())
                .hint("add `bucket = \"…\"` to its `contract` block or to the one in `defaults`"),
            ]);
        }
        Ok(ContractSettings {
            store,
            path,
            bucket,
            tier: tier.map(|tier| tier.value).unwrap_or_default(),
        })
    }
}
