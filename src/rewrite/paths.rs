//! Files that expressions read: paths behind `path.module` and `path.root`, and arguments of the file functions.

use std::collections::BTreeSet;

use hcl_edit::expr::{Expression, TraversalOperator};
use hcl_edit::template::{Element, Template};
use hcl_edit::visit::{self, Visit};

use super::Input;
use crate::config::{BlockId, Span, Syntax};
use crate::diagnostic::Diagnostic;
use crate::source_tree::join;

/// Functions whose first argument is a path.
const FUNCTIONS: [&str; 12] = [
    "file",
    "fileexists",
    "filebase64",
    "filemd5",
    "filesha1",
    "filesha256",
    "filesha512",
    "filebase64sha256",
    "filebase64sha512",
    "fileset",
    "templatefile",
    "templatestring",
];

/// Returns the paths of files that a range of a block's text may read, among those that are there.
pub(super) fn read_by(input: &Input<'_>, id: BlockId, within: &Span) -> BTreeSet<String> {
    let (file, block) = input.configuration.root().source.block(id);
    let mut search = Search { found: Vec::new() };
    let mut values: Vec<Span> = Vec::new();
    collect(&block.body, &mut values);
    for value in values
        .iter()
        .filter(|value| within.start <= value.start && value.end <= within.end)
    {
        match file.syntax {
            Syntax::Hcl => {
                if let Some(expr) = file.expression(value) {
                    // `working_dir = path.module`
                    if is_module_dir(&expr) {
                        search.found.push(Prefix::everything());
                    }
                    search.visit_expr(&expr);
                }
            }
            Syntax::Json => search.json(file.text(value)),
        }
    }
    let mut paths = BTreeSet::new();
    for found in search.found {
        resolve(input.code.paths, &found, &mut paths);
    }
    paths
}

fn collect(body: &crate::config::Body, values: &mut Vec<Span>) {
    values.extend(body.attributes.iter().map(|argument| argument.value.clone()));
    for nested in &body.blocks {
        collect(&nested.body, values);
    }
}

/// The beginning of a path: up to the first expression that is not known.
#[derive(Debug)]
struct Prefix {
    text: String,
    /// Whether that is all of it.
    is_whole: bool,
}

impl Prefix {
    /// The directory itself, with all that is in it.
    fn everything() -> Self {
        Self {
            text: String::new(),
            is_whole: true,
        }
    }
}

struct Search {
    found: Vec<Prefix>,
}

impl Search {
    fn json(&mut self, text: &str) {
        let Ok(node) = crate::json::parse(text) else {
            return;
        };
        let mut queue = vec![&node];
        while let Some(at) = queue.pop() {
            match &at.value {
                crate::json::Value::String(text) => {
                    if let Ok(template) = text.parse::<Template>() {
                        self.template(&template);
                        visit::visit_template(self, &template);
                    }
                }
                crate::json::Value::Array(elements) => queue.extend(elements),
                crate::json::Value::Object(members) => {
                    queue.extend(members.iter().map(|member| &member.value));
                }
                _ => {}
            }
        }
    }

    fn template(&mut self, template: &Template) {
        let elements: Vec<&Element> = template.iter().collect();
        self.elements(&elements, false);
    }

    fn elements(&mut self, elements: &[&Element], is_path: bool) {
        let mut prefix = Prefix {
            text: String::new(),
            is_whole: true,
        };
        let mut is_path = is_path;
        for (at, element) in elements.iter().enumerate() {
            match element {
                Element::Literal(text) => prefix.text.push_str(text.as_str()),
                Element::Interpolation(inner) if at == 0 && is_module_dir(&inner.expr) => is_path = true,
                _ => {
                    prefix.is_whole = false;
                    break;
                }
            }
        }
        if is_path {
            prefix.text = prefix.text.trim_start_matches('/').to_owned();
            self.found.push(prefix);
        }
        self.words(elements);
    }

    /// Finds paths that are words of a text, as in `python3 ${path.module}/run.py --all`.
    fn words(&mut self, elements: &[&Element]) {
        for (at, element) in elements.iter().enumerate() {
            let Element::Interpolation(inner) = element else {
                continue;
            };
            if !is_module_dir(&inner.expr) {
                continue;
            }
            let rest = match elements.get(at + 1) {
                Some(Element::Literal(text)) => text.as_str(),
                _ => "",
            };
            let word = rest.split(ends_word).next().unwrap_or_default();
            let is_whole = word.len() < rest.len() || elements.len() <= at + 2;
            let text = word.trim_start_matches('/').to_owned();
            self.found.push(Prefix { text, is_whole });
        }
    }
}

/// Tells whether a character ends a path in a command.
fn ends_word(found: char) -> bool {
    found.is_whitespace() || "\"'`;|&<>()=,".contains(found)
}

fn is_module_dir(expr: &Expression) -> bool {
    let Expression::Traversal(traversal) = expr else {
        return false;
    };
    let is_path = matches!(&traversal.expr, Expression::Variable(name) if name.as_str() == "path");
    let first = traversal.operators.first().map(hcl_edit::Decorated::value);
    is_path
        && matches!(first, Some(TraversalOperator::GetAttr(name)) if matches!(name.as_str(), "module" | "root" | "cwd"))
}

impl Visit for Search {
    fn visit_expr(&mut self, expr: &Expression) {
        match expr {
            Expression::StringTemplate(template) => {
                let elements: Vec<&Element> = template.iter().collect();
                self.elements(&elements, false);
            }
            Expression::HeredocTemplate(heredoc) => self.template(&heredoc.template),
            Expression::FuncCall(call) if FUNCTIONS.contains(&call.name.name.as_str()) => {
                match call.args.iter().next() {
                    Some(Expression::String(path)) => {
                        let text = path.as_str().trim_start_matches("./").to_owned();
                        self.found.push(Prefix { text, is_whole: true });
                    }
                    Some(Expression::StringTemplate(template)) => {
                        let elements: Vec<&Element> = template.iter().collect();
                        self.elements(&elements, true);
                    }
                    // `fileset(path.module, "*.json")`
                    Some(directory) if is_module_dir(directory) => self.found.push(Prefix::everything()),
                    _ => {}
                }
            }
            // `format("%s/x.json", path.module)`, `join("/", [path.module, "x.json"])`
            Expression::FuncCall(call) if call.args.iter().any(is_module_dir) => {
                self.found.push(Prefix::everything());
            }
            Expression::Array(elements) if elements.iter().any(is_module_dir) => {
                self.found.push(Prefix::everything());
            }
            _ => {}
        }
        // `%{ for x in EXPR }` is visited in full by none of the library's functions; paths do not stand there.
        visit::visit_expr(self, expr);
    }
}

/// Adds the files that a path can mean.
fn resolve(paths: &BTreeSet<String>, prefix: &Prefix, found: &mut BTreeSet<String>) {
    let path = join("", &prefix.text);
    if prefix.is_whole {
        if paths.contains(&path) {
            found.insert(path);
            return;
        }
        // A directory, for `fileset` or an archive.
        found.extend(files_below(paths, &path).cloned());
        return;
    }
    let directory = match prefix.text.ends_with('/') {
        true => path.clone(),
        false => path
            .rsplit_once('/')
            .map_or(String::new(), |(dir, _)| dir.to_owned()),
    };
    let stem = match prefix.text.ends_with('/') || path.is_empty() {
        true => String::new(),
        false => path,
    };
    found.extend(
        files_below(paths, &directory)
            .filter(|file| file.starts_with(&stem))
            .cloned(),
    );
}

/// Returns the files below a directory that are no configuration.
fn files_below<'p>(paths: &'p BTreeSet<String>, dir: &'p str) -> impl Iterator<Item = &'p String> {
    below(paths, dir).filter(move |path| {
        let is_root_code = !path.contains('/') && is_configuration(path);
        !(dir.is_empty() && (is_root_code || path.starts_with("modules/") || path.starts_with("../")))
    })
}

/// Tells whether Terraform reads a file of the root module by itself.
pub(super) fn is_configuration(name: &str) -> bool {
    [
        ".tf",
        ".tf.json",
        ".tofu",
        ".tofu.json",
        ".tfvars",
        ".tfvars.json",
        ".tfbackend",
    ]
    .iter()
    .any(|ending| name.ends_with(ending))
        || name == crate::config::LOCK_FILE
}

/// Reads a file of the monolith.
pub(super) fn read(input: &Input<'_>, path: &str, faults: &mut Vec<Diagnostic>) -> Option<Vec<u8>> {
    match input.code.tree.read(path) {
        Ok(found) => found,
        Err(error) => {
            faults.push(Diagnostic::error(error.to_string()).note("nothing was written"));
            None
        }
    }
}

/// Returns the paths of a tree of files below a directory.
pub(super) fn below<'p>(paths: &'p BTreeSet<String>, dir: &str) -> impl Iterator<Item = &'p String> {
    let prefix = if dir.is_empty() {
        String::new()
    } else {
        format!("{}/", join("", dir))
    };
    paths.iter().filter(move |path| path.starts_with(&prefix))
}
