//! The rules, by the names that reports and documents use.

/// A rule that stacks may break.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    /// The code can be read.
    Configuration,
    /// Every name is declared.
    UndeclaredName,
    /// No state lies beside the code.
    StateFile,
    /// A state that is at hand holds nothing that the code does not declare.
    StateMismatch,
    /// Nobody reads another stack's state.
    RemoteState,
    /// Outputs show no secret.
    SecretOutput,
    /// Contracts hand no secret on without permission.
    SecretInContract,
    /// Patterns of contract names take what is meant.
    WidePattern,
    /// Permissions on parameters are no wider than needed.
    WidePermission,
    /// Contracts tell attributes, not objects that nobody takes as a whole.
    WholeObject,
    /// Two stacks do not share a state.
    SharedBackend,
    /// States are locked.
    UnlockedBackend,
    /// What is read is told.
    ContractUnknown,
    /// What the ledger promises is told.
    ContractDropped,
    /// It is told, and used, in the type that the ledger says.
    ContractRetyped,
    /// What is told and read is in the ledger.
    ContractUnlisted,
    /// What is asked for is used.
    ContractUnused,
    /// Contracts fit into their store.
    ContractSize,
    /// Contracts have names of their own.
    ContractName,
    /// Stacks do not wait for each other.
    StackCycle,
}

impl Rule {
    /// All rules, in the order of reports.
    pub const ALL: [Self; 20] = [
        Self::Configuration,
        Self::UndeclaredName,
        Self::StateFile,
        Self::StateMismatch,
        Self::RemoteState,
        Self::SecretOutput,
        Self::SecretInContract,
        Self::WidePattern,
        Self::WidePermission,
        Self::WholeObject,
        Self::SharedBackend,
        Self::UnlockedBackend,
        Self::ContractUnknown,
        Self::ContractDropped,
        Self::ContractRetyped,
        Self::ContractUnlisted,
        Self::ContractUnused,
        Self::ContractSize,
        Self::ContractName,
        Self::StackCycle,
    ];

    /// Returns the name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Configuration => "configuration",
            Self::UndeclaredName => "undeclared-name",
            Self::StateFile => "state-file",
            Self::StateMismatch => "state-mismatch",
            Self::RemoteState => "remote-state",
            Self::SecretOutput => "secret-output",
            Self::SecretInContract => "secret-in-contract",
            Self::WidePattern => "wide-pattern",
            Self::WidePermission => "wide-permission",
            Self::WholeObject => "whole-object",
            Self::SharedBackend => "shared-backend",
            Self::UnlockedBackend => "unlocked-backend",
            Self::ContractUnknown => "contract-unknown",
            Self::ContractDropped => "contract-dropped",
            Self::ContractRetyped => "contract-retyped",
            Self::ContractUnlisted => "contract-unlisted",
            Self::ContractUnused => "contract-unused",
            Self::ContractSize => "contract-size",
            Self::ContractName => "contract-name",
            Self::StackCycle => "stack-cycle",
        }
    }

    /// Returns what breaks the rule, for the documents.
    pub fn summary(self) -> &'static str {
        match self {
            Self::Configuration => {
                "code that cannot be read: syntax, repeated names, a module whose directory is not there"
            }
            Self::UndeclaredName => {
                "a local, variable, module, output, resource or provider configuration that is named and not declared"
            }
            Self::StateFile => "a state, or what is left of one, beside the code",
            Self::StateMismatch => {
                "a state at hand (beside the code, or in `states/`) with an object that the code does not declare"
            }
            Self::RemoteState => "`terraform_remote_state` of another stack, where that is not its contract",
            Self::SecretOutput => "an output of a secret without `sensitive = true`",
            Self::SecretInContract => {
                "a secret under `public`, or one under `private` that the ledger does not list as allowed"
            }
            Self::WidePattern => {
                "a pattern of contract names that is missing, not anchored, or takes everything"
            }
            Self::WidePermission => "a permission on all SSM parameters, or on all actions of SSM (warning)",
            Self::WholeObject => {
                "a contract that tells a whole resource or module, and nobody takes all of it (warning)"
            }
            Self::SharedBackend => "two stacks whose states are in one place",
            Self::UnlockedBackend => {
                "an S3 backend without `use_lockfile` or `dynamodb_table` (warning, unless others have one)"
            }
            Self::ContractUnknown => {
                "a value that is read, not only with care (`try`, `can`, a condition), and that its producer does not tell"
            }
            Self::ContractDropped => {
                "a value that the ledger lists with readers, and that its producer no longer tells"
            }
            Self::ContractRetyped => "a value that is told or used in another type than the ledger's",
            Self::ContractUnlisted => {
                "a value that is told or read, and that the ledger does not list (warning)"
            }
            Self::ContractUnused => "a contract or a value that is asked for and not used (warning)",
            Self::ContractSize => "a document that is larger than its parameter",
            Self::ContractName => {
                "two contracts of one name: the last step of the path is all that readers go by"
            }
            Self::StackCycle => "stacks that read each other's contracts, directly or through others",
        }
    }
}
