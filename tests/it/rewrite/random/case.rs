//! A random monolith and its cut, as data: rendered for a run, and made smaller part by part.

use std::collections::BTreeSet;
use std::fmt::Write as _;

/// Keys of every repeated block with `for_each`, as they stand between quotes.
pub const KEYS: [&str; 3] = ["a", "b.c", "d \\\"e"];
/// Instances of every repeated block with `count`.
pub const COUNT: usize = 3;

/// A monolith and how it is cut.
#[derive(Clone, Debug, PartialEq)]
pub struct Case {
    /// What is in it, in order: each reads only what stands before it.
    pub things: Vec<Thing>,
    /// Outputs: what they read.
    pub outputs: Vec<Read>,
    /// How many stacks there are; what none takes stays.
    pub stacks: usize,
}

/// A block, or a local value.
#[derive(Clone, Debug, PartialEq)]
pub struct Thing {
    pub kind: Kind,
    pub name: String,
    pub repeat: Repeat,
    pub form: Form,
    /// What its value reads.
    pub reads: Vec<Read>,
    pub extra: Option<Extra>,
    pub owner: Owner,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    Data,
    Module,
    Local,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Repeat {
    No,
    Count,
    Each(Keys),
}

/// Where the keys of a `for_each` come from.
#[derive(Clone, Debug, PartialEq)]
pub enum Keys {
    Set,
    Map,
    Local,
    /// Another thing with `for_each`.
    Chained(String),
}

/// How a value is built from what it reads.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Form {
    List,
    Object,
    Heredoc,
    /// In JSON syntax, in a file of its own.
    Json,
}

/// Something else in a block.
#[derive(Clone, Debug, PartialEq)]
pub enum Extra {
    /// `depends_on` another thing.
    DependsOn(String),
    /// A precondition that reads.
    Precondition(Read),
    /// Another configuration of the provider.
    Provider,
    /// A variable in the value.
    Variable,
}

/// A place that reads another thing.
#[derive(Clone, Debug, PartialEq)]
pub struct Read {
    /// Its name.
    pub of: String,
    /// The expression, with `ROOT` for what is read.
    pub text: String,
}

/// Who gets a thing.
#[derive(Clone, Debug, PartialEq)]
pub enum Owner {
    /// A stack, or nobody.
    Whole(Option<usize>),
    /// For each key a stack, and whether it loses its key there.
    Keys(Vec<(Option<usize>, bool)>),
}

impl Thing {
    /// Returns how expressions name it.
    pub fn root(&self) -> String {
        match self.kind {
            Kind::Data => format!("terraform_data.{}", self.name),
            Kind::Module => format!("module.{}", self.name),
            Kind::Local => format!("local.{}", self.name),
        }
    }

    /// Returns every expression in it that reads.
    pub fn all_reads(&self) -> impl Iterator<Item = &Read> {
        let condition = match &self.extra {
            Some(Extra::Precondition(read)) => Some(read),
            _ => None,
        };
        self.reads.iter().chain(condition)
    }
}

/// The module that cases call.
pub const CHILD: &str = r#"
variable "in" {}

variable "extra" {
  default = "e"
}

locals {
  inner = { x = var.in, "k.l" = var.extra }
}

resource "terraform_data" "this" {
  input = local.inner
}

resource "terraform_data" "more" {
  for_each = toset(["p", "q"])
  input    = "${each.key} ${jsonencode(terraform_data.this.output)}"
}

output "value" {
  value = terraform_data.more["p"].output
}

output "object" {
  value = terraform_data.this.output
}

output "id" {
  value = [for key, one in terraform_data.more : key]
}
"#;

impl Case {
    fn thing(&self, name: &str) -> Option<&Thing> {
        self.things.iter().find(|thing| thing.name == name)
    }

    fn text(&self, read: &Read) -> String {
        let root = self.thing(&read.of).map_or_else(String::new, Thing::root);
        read.text.replace("ROOT", &root)
    }

    /// Returns the monolith's files, not yet formatted.
    pub fn files(&self) -> Vec<(&'static str, String)> {
        let mut code = String::new();
        let uses = |wanted: &Extra| {
            self.things
                .iter()
                .any(|thing| thing.extra.as_ref() == Some(wanted))
        };
        if self
            .things
            .iter()
            .any(|thing| thing.repeat == Repeat::Each(Keys::Local))
        {
            let keys = KEYS.join("\", \"");
            writeln!(code, "locals {{\n  keys = toset([\"{keys}\"])\n}}\n").unwrap();
        }
        if uses(&Extra::Provider) {
            code.push_str("provider \"terraform\" {\n  alias = \"other\"\n}\n\n");
        }
        if uses(&Extra::Variable) {
            code.push_str("variable \"given\" {\n  type    = string\n  default = \"not this\"\n}\n\n");
        }
        let mut json = Vec::new();
        for thing in &self.things {
            match thing.form {
                Form::Json => json.push(self.json(thing)),
                _ => code.push_str(&self.block(thing)),
            }
        }
        for (at, output) in self.outputs.iter().enumerate() {
            writeln!(code, "output \"o{at}\" {{\n  value = {}\n}}\n", self.text(output)).unwrap();
        }
        let mut files = vec![("main.tf", code)];
        if !json.is_empty() {
            let blocks = json.join(",\n      ");
            let text = format!(
                "{{\n  \"resource\": {{\n    \"terraform_data\": {{\n      {blocks}\n    }}\n  }}\n}}\n"
            );
            files.push(("generated.tf.json", text));
        }
        if uses(&Extra::Variable) {
            files.push(("terraform.tfvars", "given = \"from a file\"\n".to_owned()));
        }
        if self.things.iter().any(|thing| thing.kind == Kind::Module) {
            files.push(("child/main.tf", CHILD.to_owned()));
        }
        files
    }

    /// Returns the values that make up a thing's own value: its name first.
    fn parts(&self, thing: &Thing) -> Vec<String> {
        let name = &thing.name;
        let own = match thing.repeat {
            Repeat::No => format!("\"{name}\""),
            Repeat::Count => format!("\"{name}-${{count.index}}\""),
            Repeat::Each(_) => "\"${each.key} of ${each.value}\"".to_owned(),
        };
        let given = (thing.extra == Some(Extra::Variable)).then(|| "var.given".to_owned());
        let reads = thing.reads.iter().map(|read| self.text(read));
        std::iter::once(own).chain(given).chain(reads).collect()
    }

    fn block(&self, thing: &Thing) -> String {
        let name = &thing.name;
        let parts = self.parts(thing);
        let value = match thing.form {
            Form::List | Form::Json => format!("[{}]", parts.join(", ")),
            Form::Object => format!("{{ own = {}, reads = [{}] }}", parts[0], parts[1..].join(", ")),
            Form::Heredoc => format!(
                "<<-EOT\n    {name} ${{jsonencode([{}])}}\n  EOT",
                parts.join(", ")
            ),
        };
        let repetition = match &thing.repeat {
            Repeat::No => String::new(),
            Repeat::Count => format!("  count = {COUNT}\n"),
            Repeat::Each(keys) => format!("  for_each = {}\n", self.keys(keys)),
        };
        let extra = match (&thing.extra, thing.kind) {
            (Some(Extra::Provider), Kind::Data) => "  provider = terraform.other\n".to_owned(),
            (Some(Extra::Provider), Kind::Module) => {
                "  providers = {\n    terraform = terraform.other\n  }\n".to_owned()
            }
            (Some(Extra::DependsOn(other)), _) => {
                let root = self.thing(other).map_or_else(String::new, Thing::root);
                format!("\n  depends_on = [{root}]\n")
            }
            (Some(Extra::Precondition(read)), Kind::Data) => format!(
                "\n  lifecycle {{\n    precondition {{\n      condition = jsonencode({}) != \"no\"\n      error_message = \"no\"\n    }}\n  }}\n",
                self.text(read)
            ),
            _ => String::new(),
        };
        match thing.kind {
            Kind::Data => {
                format!(
                    "resource \"terraform_data\" \"{name}\" {{\n{repetition}\n  input = {value}\n{extra}}}\n\n"
                )
            }
            Kind::Module => {
                format!(
                    "module \"{name}\" {{\n  source = \"./child\"\n{repetition}\n  in = {value}\n{extra}}}\n\n"
                )
            }
            Kind::Local => format!("locals {{\n  {name} = {value}\n}}\n\n"),
        }
    }

    fn keys(&self, keys: &Keys) -> String {
        let set = || format!("toset([\"{}\"])", KEYS.join("\", \""));
        match keys {
            Keys::Set => set(),
            Keys::Map => format!(
                "{{\n    a = 1\n    \"b.c\" = \"two\"\n    \"{}\" = true\n  }}",
                KEYS[2]
            ),
            Keys::Local => "local.keys".to_owned(),
            Keys::Chained(other) => match self.thing(other) {
                Some(other) => format!("{{ for key, one in {} : key => key }}", other.root()),
                None => set(),
            },
        }
    }

    /// A resource in JSON syntax.
    fn json(&self, thing: &Thing) -> String {
        let quoted = |text: &str| serde_json::Value::String(format!("${{{text}}}")).to_string();
        let repetition = match &thing.repeat {
            Repeat::No => String::new(),
            Repeat::Count => format!("\"count\": {COUNT}, "),
            Repeat::Each(Keys::Map) => format!(
                "\"for_each\": {{\"a\": 1, \"b.c\": \"two\", \"{}\": true}}, ",
                KEYS[2]
            ),
            Repeat::Each(keys) => format!("\"for_each\": {}, ", quoted(&self.keys(keys))),
        };
        let parts: Vec<String> = self.parts(thing).iter().map(|part| quoted(part)).collect();
        let extra = match &thing.extra {
            Some(Extra::DependsOn(other)) => {
                let root = self.thing(other).map_or_else(String::new, Thing::root);
                format!(", \"depends_on\": [\"{root}\"]")
            }
            _ => String::new(),
        };
        format!(
            "\"{}\": {{{repetition}\"input\": [{}]{extra}}}",
            thing.name,
            parts.join(", ")
        )
    }

    /// Returns the `stack` blocks of the plan file; nothing where no stack takes anything.
    pub fn plan(&self) -> String {
        let mut blocks = String::new();
        for stack in 0..self.stacks {
            let mut takes = Vec::new();
            let mut moves = String::new();
            for thing in self.things.iter().filter(|thing| thing.kind != Kind::Local) {
                self.taken(thing, stack, &mut takes, &mut moves);
            }
            if !takes.is_empty() {
                writeln!(
                    blocks,
                    "  stack \"s{stack}\" {{\n    take = [{}]\n{moves}  }}",
                    takes.join(", ")
                )
                .unwrap();
            }
        }
        blocks
    }

    fn taken(&self, thing: &Thing, stack: usize, takes: &mut Vec<String>, moves: &mut String) {
        let root = thing.root();
        let keys = match &thing.owner {
            Owner::Whole(owner) => {
                let any = match (&thing.repeat, thing.kind) {
                    (Repeat::No, _) | (_, Kind::Data) => "",
                    _ => "[*]",
                };
                if *owner == Some(stack) {
                    takes.push(format!("\"{root}{any}\""));
                }
                return;
            }
            Owner::Keys(keys) => keys,
        };
        let own = keys.iter().filter(|(owner, _)| *owner == Some(stack)).count();
        for (key, (_, loses_key)) in KEYS
            .iter()
            .zip(keys)
            .filter(|(_, (owner, _))| *owner == Some(stack))
        {
            let escaped = key.replace('\\', "\\\\").replace('"', "\\\"");
            let address = format!("{root}[\\\"{escaped}\\\"]");
            takes.push(format!("\"{address}\""));
            if *loses_key && own == 1 {
                write!(
                    moves,
                    "    move {{\n      from = \"{address}\"\n      to = \"{root}\"\n    }}\n"
                )
                .unwrap();
            }
        }
    }

    /// Shows the case for people: every file, and the plan file's stacks.
    pub fn shown(&self) -> String {
        let files = self
            .files()
            .into_iter()
            .map(|(path, text)| format!("--- {path}\n{text}"));
        format!(
            "{}\n--- plan.hcl\n{}",
            files.collect::<String>(),
            crate::rewrite::small::plan(&self.plan())
        )
    }

    /// Returns the names of what it is made of.
    pub fn names(&self) -> BTreeSet<&str> {
        self.things.iter().map(|thing| thing.name.as_str()).collect()
    }
}
