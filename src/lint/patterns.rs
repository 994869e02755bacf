//! Patterns and permissions that take more than is meant.

use hcl_edit::expr::{Expression, Object, ObjectKey};
use hcl_edit::visit::{self, Visit};

use super::{Found, Read, Rule};
use crate::config::{Block, BlockKind, Body, ConfigFile, Literal, Syntax};
use crate::contract::ContractModule;
use crate::diagnostic::Diagnostic;

/// Checks the patterns and permissions of a stack.
pub(super) fn check(read: &Read<'_>, found: &mut Found) {
    let root = &read.configuration.root().source;
    for (_, file, block) in root.blocks() {
        if block.kind == BlockKind::Module
            && let Some(diagnostic) = pattern(read, file, block)
        {
            found.add(&read.name, Rule::WidePattern, diagnostic);
        }
    }
    for module in read.configuration.modules() {
        for (_, file, block) in module.source.blocks() {
            for diagnostic in permissions(file, block) {
                found.add(&read.name, Rule::WidePermission, diagnostic);
            }
        }
    }
}

/// Tells whether a call is one of a contract module.
pub(super) fn calls(read: &Read<'_>, block: &Block, modules: &[ContractModule]) -> bool {
    let source = read
        .configuration
        .root()
        .calls
        .get(block.label(0))
        .and_then(|call| call.source.as_deref());
    let source = source.unwrap_or("").split(['?', '#']).next().unwrap_or("");
    let steps = source.split(['/', ':']).map(|step| step.trim_end_matches(".git"));
    steps
        .into_iter()
        .any(|step| modules.iter().any(|module| module.name() == step))
}

/// Patterns of names must be anchored at both ends, and must not take everything.
fn pattern(read: &Read<'_>, file: &ConfigFile, block: &Block) -> Option<Diagnostic> {
    let hint = "name the stacks: `^/configuration/(base|network)$`";
    let takes_patterns = [ContractModule::SsmRegex, ContractModule::S3Regex];
    let Some(argument) = block.body.attribute("include_filter_regex") else {
        return calls(read, block, &takes_patterns).then(|| {
            Diagnostic::error("this call takes every contract below its path")
                .at(&file.source, block.header.clone())
                .hint(format!("add `include_filter_regex`; {hint}"))
        });
    };
    let written = file.string(&argument.value)?;
    let is_anchored = written.starts_with('^') && written.ends_with('$');
    let is_wide = [".*", ".+", "[^/]*", "[^/]+", "\\w+", "\\w*", "\\S+"]
        .iter()
        .any(|wide| written.contains(wide));
    let problem = match (is_wide, is_anchored) {
        (true, _) => "this pattern takes contracts that the stack does not read",
        (false, false) => "this pattern is not anchored: it takes every name that has it somewhere",
        (false, true) => return None,
    };
    Some(
        Diagnostic::error(problem)
            .at(&file.source, argument.value.clone())
            .hint(hint),
    )
}

/// Permissions on parameters: in policy documents, and in objects that have the form of a statement.
fn permissions(file: &ConfigFile, block: &Block) -> Vec<Diagnostic> {
    let is_iam =
        matches!(block.kind, BlockKind::Resource | BlockKind::Data) && block.label(0).starts_with("aws_iam_");
    let is_local = block.kind == BlockKind::Locals;
    let mut found = Vec::new();
    if is_iam && block.label(0) == "aws_iam_policy_document" {
        for statement in block.body.nested("statement") {
            let texts = |name: &str| argument_texts(file, &statement.body, name);
            if argument_texts(file, &statement.body, "effect") == ["Deny"] {
                continue;
            }
            if let Some(problem) = too_wide(&texts("actions"), &texts("resources")) {
                let end = statement.body.span.start.max(statement.span.start + 1);
                found.push(warning(problem).at(&file.source, statement.span.start..end));
            }
        }
    }
    if (is_iam || is_local) && file.syntax == Syntax::Hcl {
        for argument in &block.body.attributes {
            let Some(expr) = file.expression(&argument.value) else {
                continue;
            };
            let mut statements = Statements(Vec::new());
            statements.visit_expr(&expr);
            for problem in statements.0 {
                found.push(warning(problem).at(&file.source, argument.name_span.clone()));
            }
        }
    }
    found
}

fn warning(problem: &str) -> Diagnostic {
    Diagnostic::warning(problem).hint(
        "name the parameters: `arn:aws:ssm:*:*:parameter/configuration/network`, and the actions: `ssm:GetParameter`",
    )
}

fn argument_texts(file: &ConfigFile, body: &Body, name: &str) -> Vec<String> {
    match body
        .attribute(name)
        .and_then(|argument| file.literal(&argument.value))
    {
        Some(Literal::String(text)) => vec![text],
        Some(Literal::List(items)) => items
            .iter()
            .filter_map(Literal::as_str)
            .map(str::to_owned)
            .collect(),
        _ => Vec::new(),
    }
}

/// Returns what is wrong with a statement about parameters; other services are not our business.
fn too_wide(actions: &[String], resources: &[String]) -> Option<&'static str> {
    let mut about = actions
        .iter()
        .filter(|action| action.starts_with("ssm:"))
        .peekable();
    about.peek()?;
    let is_everything = |resource: &String| {
        resource == "*" || resource.ends_with(":parameter/*") || resource.ends_with(":parameter*")
    };
    match (
        about.any(|action| action == "ssm:*"),
        resources.iter().any(is_everything),
    ) {
        (_, true) => Some(
            "this permission is on every parameter of the account, the contracts of all stacks among them",
        ),
        (true, false) => {
            Some("this permission allows every action of SSM, writing the contracts of others too")
        }
        (false, false) => None,
    }
}

/// Collects statements in the objects of an expression, as `jsonencode` takes them.
struct Statements(Vec<&'static str>);

impl Visit for Statements {
    fn visit_object(&mut self, object: &Object) {
        let texts = |name: &str| -> Vec<String> {
            let is_named = |key: &ObjectKey| match key {
                ObjectKey::Ident(found) => found.as_str() == name,
                ObjectKey::Expression(Expression::String(found)) => found.as_str() == name,
                ObjectKey::Expression(_) => false,
            };
            let member = object.iter().find(|(key, _)| is_named(key));
            match member.map(|(_, value)| value.expr()) {
                Some(Expression::String(text)) => vec![text.as_str().to_owned()],
                Some(Expression::Array(items)) => items
                    .iter()
                    .filter_map(|item| item.as_str().map(str::to_owned))
                    .collect(),
                _ => Vec::new(),
            }
        };
        if texts("Effect") != ["Deny"] {
            self.0.extend(too_wide(&texts("Action"), &texts("Resource")));
        }
        visit::visit_object(self, object);
    }
}
