//! References: what an expression names, where it says so, and in which role.

use std::sync::Arc;

use super::{Mode, Span};
use crate::address::InstanceKey;

/// One mention of something outside the expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// What is named.
    pub target: Target,
    /// The whole traversal: `aws_subnet.private[*].id`.
    pub span: Span,
    /// The part that names the target: `aws_subnet.private`, `module.vpc`, `var.name`, `each.key`, `self`.
    pub root: Span,
    /// The steps behind the root, in order.
    pub steps: Vec<Step>,
    /// Where it stands.
    pub place: Place,
}

/// What a reference names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Target {
    /// `aws_vpc.main`, `data.aws_ami.x`, `ephemeral.random_password.p`, `resource.aws_vpc.main`.
    Resource {
        /// Managed, data or ephemeral.
        mode: Mode,
        /// The type.
        type_name: String,
        /// The name.
        name: String,
    },
    /// `module.vpc` and what is behind it.
    Module {
        /// The name of the call.
        name: String,
        /// The output, behind an index or a splat too; `None` for the whole module.
        output: Option<String>,
    },
    /// `action.TYPE.NAME`, in a resource's `action_trigger`.
    Action {
        /// The type.
        type_name: String,
        /// The name.
        name: String,
    },
    /// `var.name`.
    Var(String),
    /// `local.name`.
    Local(String),
    /// `each.key`.
    EachKey,
    /// `each.value`.
    EachValue,
    /// `count.index`.
    CountIndex,
    /// `self`.
    SelfObject,
    /// `path.module`, `path.root`, `path.cwd`.
    Path(String),
    /// `terraform.workspace`, `terraform.applying`.
    Terraform(String),
}

/// One step of a traversal behind its root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The step with its dot or brackets: `.id`, `[0]`, `[*]`, `.0`.
    pub span: Span,
    /// What it does.
    pub kind: StepKind,
}

/// What a step does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StepKind {
    /// `.name`.
    Attr(String),
    /// `[0]`, `["key"]`: the key is known from the text.
    Index(InstanceKey),
    /// `[expression]`, with the span of the expression.
    IndexExpression(Span),
    /// `.0`.
    LegacyIndex(u64),
    /// `.*`.
    AttrSplat,
    /// `[*]`.
    FullSplat,
}

/// Where a reference stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The way from the top-level block: `ingress.cidr_blocks`, `dynamic.ingress.content.from_port`; for `locals`
    /// the name of the local.
    pub path: Arc<str>,
    /// In which role the enclosing argument uses it.
    pub role: Role,
    /// What lies between the argument and the reference.
    pub around: Surroundings,
}

/// The role of the argument that holds a reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// An ordinary argument.
    Value,
    /// `count` of the block.
    Count,
    /// `for_each` of the block.
    ForEach,
    /// `for_each` of a `dynamic` block.
    DynamicForEach,
    /// `depends_on`: an ordering edge, no value.
    DependsOn,
    /// `lifecycle.replace_triggered_by`.
    ReplaceTriggeredBy,
    /// `precondition`, `postcondition`, `validation`, `assert`.
    Condition,
    /// Another argument of `lifecycle`, `action_trigger` included.
    Lifecycle,
    /// A provisioner that runs on creation.
    Provisioner,
    /// A provisioner that runs on destruction (`when = destroy`).
    DestroyProvisioner,
    /// `connection` of the resource.
    Connection,
    /// The key in `provider = aws.by[each.key]` or in a `providers` map.
    ProviderKey,
    /// `source` or `version` of a module call.
    Source,
    /// The key in `to` of an `import` block.
    ImportKey,
}

/// What lies between an argument and a reference in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Surroundings {
    /// Inside `${ … }` of a quoted string or a heredoc; in JSON, of a string.
    pub in_template: bool,
    /// Inside a heredoc.
    pub in_heredoc: bool,
    /// Inside `%{ if … }` or `%{ for … }`, or in what they enclose.
    pub in_directive: bool,
    /// Inside the key, value or condition of a for expression.
    pub in_for: bool,
    /// Inside a `dynamic` block.
    pub in_dynamic: bool,
    /// The reference is itself the text of a string (`depends_on` in JSON, quoted references of old).
    pub in_quotes: bool,
}
