//! Generated root modules: builtin resources only, so that real Terraform applies them in a moment, and every way of
//! referring to something that we know of.
//!
//! What is written refers only to what was written before it, so no module has a cycle.

use std::collections::BTreeMap;

use stackcut::state::testing::Random;

/// The files of a root module: path, text.
pub type Files = BTreeMap<String, String>;

/// Keys of everything with a `for_each`.
const KEYS: &str = r#"["a", "b.c", "d \"e\"", "f$${g}"]"#;

/// Generates a root module with its child modules.
pub fn root_module(seed: u64) -> Files {
    let mut files = Files::new();
    let mut writer = Writer {
        random: Random::new(seed),
        files: &mut files,
        modules: 0,
    };
    writer.module("", 0);
    let empty = r#"{"version":4,"terraform_version":"1.5.0","serial":1,"lineage":"remote","outputs":{},"resources":[]}"#;
    files.insert("remote.tfstate".to_owned(), empty.to_owned());
    files
}

/// Something that an expression can refer to.
#[derive(Clone, Debug)]
enum Thing {
    /// A resource, a counted one, one with a `for_each`.
    Single(String),
    Counted(String),
    Keyed(String),
    Data(String),
    Local(String),
    Variable(String),
    /// A call, its outputs, its keys.
    Call(String, Vec<String>, Repeat),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Repeat {
    Once,
    Count,
    ForEach,
}

/// A module while it is being written.
#[derive(Default)]
struct Module {
    text: String,
    things: Vec<Thing>,
    names: usize,
}

impl Module {
    fn name(&mut self, kind: &str) -> String {
        self.names += 1;
        format!("{kind}{}", self.names)
    }
}

struct Writer<'f> {
    random: Random,
    files: &'f mut Files,
    modules: usize,
}

impl Writer<'_> {
    /// Writes a module; returns its variables and outputs. Its variable `known` is known when a plan is made.
    fn module(&mut self, dir: &str, depth: usize) -> (Vec<String>, Vec<String>) {
        let mut module = Module::default();
        let mut variables = Vec::new();
        if depth == 0 {
            module.text.push_str(
                "resource \"terraform_data\" \"base\" {\n  input = \"base\"\n}\nvariable \"set\" {\n  default = \"x\"\n}\n",
            );
            module
                .text
                .push_str("locals {\n  known = terraform_data.base.input\n}\n");
            module.things.push(Thing::Single("base".to_owned()));
            module.things.push(Thing::Variable("set".to_owned()));
        } else {
            module.text.push_str(
                "variable \"known\" {\n  validation {\n    condition = jsonencode(var.known) != \"never\"\n    \
                 error_message = \"never\"\n  }\n}\nlocals {\n  known = var.known\n}\n",
            );
            for _ in 0..1 + self.random.below(3) {
                let name = module.name("v");
                module
                    .text
                    .push_str(&format!("variable \"{name}\" {{\n  default = null\n}}\n"));
                module.things.push(Thing::Variable(name.clone()));
                variables.push(name);
            }
        }
        let count = if depth == 0 { 8 } else { 3 } + self.random.below(6);
        for _ in 0..count {
            match self.random.below(10) {
                0..=4 => self.resource(&mut module),
                5 => self.data(&mut module, depth),
                6 | 7 => self.locals(&mut module),
                _ if depth < 2 => self.call(&mut module, dir, depth),
                _ => self.resource(&mut module),
            }
        }
        let mut outputs = Vec::new();
        for _ in 0..1 + self.random.below(3) {
            let name = module.name("o");
            let value = self.expression(&module);
            let extra = self.depends_on(&module);
            module
                .text
                .push_str(&format!("output \"{name}\" {{\n  value = {value}\n{extra}}}\n"));
            outputs.push(name);
        }
        let path = if dir.is_empty() {
            "main.tf".to_owned()
        } else {
            format!("{dir}/main.tf")
        };
        self.files.insert(path, module.text);
        (variables, outputs)
    }

    fn resource(&mut self, module: &mut Module) {
        let name = module.name("r");
        let (repeat, thing) = match self.random.below(4) {
            0 => (
                "  count = jsonencode(local.known) == \"never\" ? 0 : 2\n".to_owned(),
                Thing::Counted(name.clone()),
            ),
            1 => (
                format!(
                    "  for_each = toset([for k in {KEYS} : k if jsonencode(local.known) != \"never\"])\n"
                ),
                Thing::Keyed(name.clone()),
            ),
            _ => (String::new(), Thing::Single(name.clone())),
        };
        let mut body = repeat;
        if !self.random.once_in(4) {
            body.push_str(&format!("  input = {}\n", self.expression(module)));
        }
        if self.random.once_in(4) {
            body.push_str(&format!("  triggers_replace = {}\n", self.expression(module)));
        }
        body.push_str(&self.depends_on(module));
        if self.random.once_in(5) {
            let condition = self.reference(module);
            body.push_str(&format!(
                "  lifecycle {{\n    precondition {{\n      condition = jsonencode({condition}) != \"never\"\n      \
                 error_message = \"never\"\n    }}\n{}  }}\n",
                self.triggered_by(module)
            ));
        }
        if self.random.once_in(8) {
            let value = self.expression(module);
            body.push_str(&format!(
                "  provisioner \"local-exec\" {{\n    command = \"true\"\n    environment = {{ X = substr(jsonencode({value}), 0, 99) }}\n  }}\n"
            ));
        }
        module
            .text
            .push_str(&format!("resource \"terraform_data\" \"{name}\" {{\n{body}}}\n"));
        module.things.push(thing);
    }

    /// A remote state without outputs; its defaults are its outputs.
    ///
    /// Checks are in the root module only: Terraform itself ties knots of a check in a module that others wait for.
    fn data(&mut self, module: &mut Module, depth: usize) {
        let name = module.name("d");
        let value = self.expression(module);
        let depends_on = self.depends_on(module);
        let block = |name: &str| {
            format!(
                "data \"terraform_remote_state\" \"{name}\" {{\n  backend = \"local\"\n  config = {{ path = \
                 \"${{path.root}}/remote.tfstate\" }}\n  defaults = {{ x = jsonencode({value}) }}\n{depends_on}}}\n"
            )
        };
        if depth == 0 && self.random.once_in(3) {
            let other = self.expression(module);
            module.text.push_str(&format!(
                "check \"{name}\" {{\n{}  assert {{\n    condition = jsonencode({other}) != \
                 jsonencode(data.terraform_remote_state.{name}.outputs)\n    error_message = \"never\"\n  }}\n}}\n",
                block(&name)
            ));
            return;
        }
        module.text.push_str(&block(&name));
        module.things.push(Thing::Data(name));
    }

    fn locals(&mut self, module: &mut Module) {
        let name = module.name("l");
        let value = self.expression(module);
        module
            .text
            .push_str(&format!("locals {{\n  {name} = {value}\n}}\n"));
        module.things.push(Thing::Local(name));
    }

    fn call(&mut self, module: &mut Module, dir: &str, depth: usize) {
        let name = module.name("m");
        self.modules += 1;
        let folder = format!("n{}", self.modules);
        let inside = if dir.is_empty() {
            folder.clone()
        } else {
            format!("{dir}/{folder}")
        };
        let (variables, outputs) = self.module(&inside, depth + 1);
        let mut body = format!("  source = \"./{folder}\"\n  known = local.known\n");
        let repeat = *self
            .random
            .pick(&[Repeat::Once, Repeat::Once, Repeat::Count, Repeat::ForEach]);
        match repeat {
            Repeat::Once => {}
            Repeat::Count => body.push_str("  count = jsonencode(local.known) == \"never\" ? 0 : 2\n"),
            Repeat::ForEach => body.push_str(&format!(
                "  for_each = {{ for k in {KEYS} : k => k if jsonencode(local.known) != \"never\" }}\n"
            )),
        }
        for variable in variables {
            if !self.random.once_in(4) {
                body.push_str(&format!("  {variable} = {}\n", self.expression(module)));
            }
        }
        body.push_str(&self.depends_on(module));
        module.text.push_str(&format!("module \"{name}\" {{\n{body}}}\n"));
        module.things.push(Thing::Call(name, outputs, repeat));
    }

    fn depends_on(&mut self, module: &Module) -> String {
        if module.things.is_empty() || !self.random.once_in(5) {
            return String::new();
        }
        let targets: Vec<String> = (0..1 + self.random.below(2))
            .map(|_| match self.random.pick(&module.things) {
                Thing::Single(name) | Thing::Counted(name) | Thing::Keyed(name) => {
                    format!("terraform_data.{name}")
                }
                Thing::Data(name) => format!("data.terraform_remote_state.{name}"),
                Thing::Local(name) => format!("local.{name}"),
                Thing::Variable(name) => format!("var.{name}"),
                Thing::Call(name, ..) => format!("module.{name}"),
            })
            .collect();
        format!("  depends_on = [{}]\n", targets.join(", "))
    }

    fn triggered_by(&mut self, module: &Module) -> String {
        let resources: Vec<&String> = module
            .things
            .iter()
            .filter_map(|thing| match thing {
                Thing::Single(name) => Some(name),
                _ => None,
            })
            .collect();
        if resources.is_empty() {
            return String::new();
        }
        let name = self.random.pick(&resources);
        let attribute = *self.random.pick(&["", ".id", ".output"]);
        format!("    replace_triggered_by = [terraform_data.{name}{attribute}]\n")
    }

    /// An expression with up to two references, of any type.
    fn expression(&mut self, module: &Module) -> String {
        if module.things.is_empty() || self.random.once_in(8) {
            return "\"literal\"".to_owned();
        }
        let one = self.reference(module);
        let two = self.reference(module);
        match self.random.below(14) {
            0..=2 => one,
            3 => format!("\"pre-${{jsonencode({one})}}\""),
            // What the for expression calls `terraform_data` is not a resource.
            4 => format!("[for terraform_data in [{{ r1 = {one} }}] : terraform_data.r1]"),
            5 => format!("<<-EOT\n  %{{~ for x in [{one}] }}${{jsonencode(x)}}%{{ endfor }}\n  EOT\n"),
            6 => format!("{{ a = {one}, (jsonencode({two})) = 1 }}"),
            7 => format!(
                "\"%{{ if jsonencode({one}) == \"x\" }}y%{{ else }}${{jsonencode({two})}}%{{ endif }}\""
            ),
            8 => format!("try({one}, jsonencode({two}))"),
            9 => format!("jsonencode({one}) == \"\" ? \"\" : jsonencode([{two}, true])"),
            10 => format!("{{ for k, v in {{ x = {one} }} : k => [v, {two}] }}"),
            11 => format!("[{one}, {two}][*]"),
            12 => format!("(({one}))"),
            _ => format!("merge({{ a = {one} }}, {{ b = {two} }})"),
        }
    }

    fn reference(&mut self, module: &Module) -> String {
        let thing = self.random.pick(&module.things).clone();
        match thing {
            Thing::Single(name) => {
                let attribute = *self.random.pick(&[".id", ".output", ".input", ""]);
                format!("terraform_data.{name}{attribute}")
            }
            Thing::Counted(name) => {
                let step = *self.random.pick(&[
                    "[0].id",
                    "[*].id",
                    ".*.id",
                    ".0.id",
                    "",
                    "[length(local.known) > 0 ? 0 : 1].output",
                ]);
                format!("terraform_data.{name}{step}")
            }
            Thing::Keyed(name) => {
                let form = *self.random.pick(&[
                    "@[\"a\"].id",
                    "@[\"d \\\"e\\\"\"].output",
                    "values(@)[*].id",
                    "{ for k, v in @ : k => v.id }",
                    "@[\"b.${lower(\"C\")}\"].id",
                    "@",
                ]);
                form.replace('@', &format!("terraform_data.{name}"))
            }
            Thing::Data(name) => {
                let step = *self.random.pick(&[".outputs", ".outputs.x", ""]);
                format!("data.terraform_remote_state.{name}{step}")
            }
            Thing::Local(name) => format!("local.{name}"),
            Thing::Variable(name) => format!("var.{name}"),
            Thing::Call(name, outputs, repeat) => {
                let output = self.random.pick(&outputs).clone();
                let form = match repeat {
                    Repeat::Once => *self.random.pick(&["@.$", "@.$", "@"]),
                    Repeat::Count => {
                        *self
                            .random
                            .pick(&["@[0].$", "@[*].$", "@.*.$", "@[length([1])].$", "@"])
                    }
                    Repeat::ForEach => *self.random.pick(&[
                        "@[\"a\"].$",
                        "@[\"f$${g}\"].$",
                        "@[lower(\"A\")].$",
                        "{ for k, m in @ : k => m.$ }",
                        "values(@)[*].$",
                        "@",
                    ]),
                };
                form.replace("$", "\u{0}")
                    .replace("\u{0}\u{0}", "$$")
                    .replace('\u{0}', &output)
                    .replace('@', &format!("module.{name}"))
            }
        }
    }
}
