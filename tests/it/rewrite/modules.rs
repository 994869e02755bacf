//! The modules that keep contracts, each by itself, with real Terraform on the emulated AWS.
//!
//! The provider that can be had here (3.39) cannot list parameters, which `ssm_json_regex` does. That one block is
//! replaced by a given list; everything else of the module runs as it is.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};
use stackcut::contract::ContractModule;

use super::lab::{Lab, write};
use super::small::{formatted, plan};
use crate::support::aws::Account;
use crate::support::moto::Moto;
use crate::support::terraform::{Terraform, aws_provider, changes};
use crate::support::tools::tools;

/// The major version of the provider here.
const MAJOR: Option<u64> = Some(3);

/// A root module that calls contract modules.
struct Bench {
    dir: tempfile::TempDir,
    aws: Account,
    code: String,
    calls: Vec<&'static str>,
}

impl Bench {
    fn new(aws: &Account) -> Self {
        Self {
            dir: tempfile::tempdir().unwrap(),
            aws: aws.clone(),
            code: aws_provider(&aws.endpoint()),
            calls: Vec::new(),
        }
    }

    /// Adds a module.
    fn with(self, module: ContractModule, text: &str) -> Self {
        let path = self.dir.path().join(format!("{}/main.tf", module.name()));
        write(&path, text.as_bytes());
        self
    }

    /// Adds a call, with these arguments.
    fn call(&mut self, name: &'static str, module: ContractModule, arguments: &str) {
        let source = module.name();
        self.code.push_str(&format!(
            "\nmodule \"{name}\" {{\n  source = \"./{source}\"\n{arguments}}}\n\noutput \"{name}\" {{\n  value     = module.{name}\n  sensitive = true\n}}\n"
        ));
        self.calls.push(name);
    }

    /// Applies all calls, and returns what each of them tells.
    fn apply(&self) -> BTreeMap<&'static str, Value> {
        write(&self.dir.path().join("main.tf"), self.code.as_bytes());
        let terraform = Terraform::new(tools().terraform(), self.dir.path()).envs(self.aws.env());
        terraform.init();
        terraform.run(&["validate", "-no-color"]).ok();
        terraform.apply();
        terraform.settle();
        let found = changes(&terraform.plan_json());
        assert!(found.is_empty(), "not at rest: {found:#?}");
        let all = terraform.json(&["output", "-json"]);
        self.calls
            .iter()
            .map(|name| (*name, all[name]["value"].clone()))
            .collect()
    }
}

/// Gives `ssm_json_regex` its list.
fn with_list(text: &str, names: &[&str]) -> String {
    let start = text
        .find("data \"aws_ssm_parameters_by_path\" \"this\" {")
        .unwrap();
    let end = start + text[start..].find("\n}\n").unwrap() + 3;
    let without = format!("{}{}", &text[..start], &text[end..]);
    let list = format!("[for name in {names:?} : name if startswith(name, \"${{local.path}}/\")]");
    let found = "nonsensitive(data.aws_ssm_parameters_by_path.this.names)";
    assert!(without.contains(found));
    without.replace(found, &list).replace(">= 4.45", ">= 3.0")
}

const NAMES: [&str; 6] = [
    "/configuration/base",
    "/configuration/network",
    "/configuration/foo.locker",
    "/configuration/base/orders.lock",
    "/configuration/team/deep",
    "/elsewhere/base",
];

fn document(name: &str) -> String {
    json!({ "installed": true, "public": { "of": name } }).to_string()
}

#[test]
fn parameters_are_read_by_a_pattern() {
    let module = ContractModule::SsmRegex;
    let aws = Moto::shared().account();
    for name in NAMES {
        aws.put_parameter(name, &document(name));
    }
    let mut bench = Bench::new(&aws).with(module, &with_list(&module.text(MAJOR), &NAMES));
    let include =
        |pattern: &str| format!("  path = \"/configuration\"\n  include_filter_regex = \"{pattern}\"\n");
    bench.call("some", module, &include("^/configuration/(base|network)$"));
    bench.call(
        "without",
        module,
        "  path = \"configuration/\"\n  exclude_filter_regex = \"/team/\"\n",
    );
    bench.call(
        "below",
        module,
        "  path = \"/configuration\"\n  name = \"team\"\n",
    );
    bench.call("none", module, &include("^/configuration/absent$"));
    let locks = format!("{}  lock = \"payments\"\n", include("^/configuration/network$"));
    bench.call("locks", module, &locks);
    let found = bench.apply();
    let some = &found["some"];
    assert_eq!(
        some["filtered_paths"],
        json!(["/configuration/base", "/configuration/network"])
    );
    assert_eq!(
        some["values"]["base"]["public"]["of"],
        json!("/configuration/base")
    );
    // A name that only looks like a lock's stays; a lock is no document.
    let all = [
        "/configuration/base",
        "/configuration/network",
        "/configuration/foo.locker",
        "/configuration/team/deep",
    ];
    assert_eq!(some["all_paths_found"], json!(all));
    let keys: Vec<&String> = found["without"]["values"].as_object().unwrap().keys().collect();
    assert_eq!(keys, ["base", "foo.locker", "network"]);
    assert_eq!(
        found["below"]["filtered_paths"],
        json!(["/configuration/team/deep"])
    );
    // Nothing there is no error.
    assert_eq!(found["none"]["values"], json!({}));
    let lock = aws.get_parameter("/configuration/network/payments.lock");
    assert_eq!(lock.map(|lock| lock.value), Some("true".to_owned()));
}

#[test]
fn objects_are_written_and_read_by_a_pattern() {
    let (store, regex) = (ContractModule::S3Store, ContractModule::S3Regex);
    let aws = Moto::shared().account();
    let bucket = aws.unique_bucket("contracts");
    let place = |path: &str| format!("  bucket = \"{bucket}\"\n  path = \"{path}\"\n");
    let mut writer = Bench::new(&aws).with(store, &store.text(MAJOR));
    for (name, path, last) in [
        ("base", "configuration", "base"),
        ("network", "/configuration", "network"),
        ("locker", "/configuration/", "foo.locker"),
        ("deep", "configuration/team", "deep"),
        ("other", "elsewhere", "base"),
    ] {
        let of = format!(
            "{}  name = \"{last}\"\n  data = {{ installed = true, public = {{ of = \"{name}\" }} }}\n",
            place(path)
        );
        writer.call(name, store, &of);
    }
    writer.apply();
    let mut reader = Bench::new(&aws)
        .with(store, &store.text(MAJOR))
        .with(regex, &regex.text(MAJOR));
    let include = |pattern: &str| {
        format!(
            "{}  include_filter_regex = \"{pattern}\"\n",
            place("/configuration")
        )
    };
    reader.call(
        "one",
        store,
        &format!("{}  name = \"network\"\n", place("configuration")),
    );
    reader.call("some", regex, &include("^configuration/(base|network)$"));
    reader.call(
        "without",
        regex,
        &format!(
            "{}  exclude_filter_regex = \"/(team|base)\"\n",
            place("configuration")
        ),
    );
    reader.call("none", regex, &include("^configuration/absent$"));
    let locks = format!("{}  lock = \"payments\"\n", include("^configuration/network$"));
    reader.call("locks", regex, &locks);
    let found = reader.apply();
    assert_eq!(found["one"]["value"]["public"]["of"], json!("network"));
    let some = &found["some"];
    assert_eq!(
        some["filtered_paths"],
        json!(["configuration/base", "configuration/network"])
    );
    assert_eq!(some["values"]["network"]["public"]["of"], json!("network"));
    let without = &found["without"]["filtered_paths"];
    assert_eq!(
        *without,
        json!(["configuration/foo.locker", "configuration/network"])
    );
    assert_eq!(found["none"]["values"], json!({}));
    assert!(
        aws.get_object(&bucket, "configuration/network/payments.lock")
            .is_some()
    );
}

#[test]
fn parameters_are_written_and_read_back() {
    let module = ContractModule::SsmStore;
    let aws = Moto::shared().account();
    let document = "  data = {\n    installed = true\n    public    = { text = \"<&> ü \\\"q\\\"\", list = [1, 2.5, null], empty = {} }\n    private   = {}\n  }\n";
    let expected = json!({
        "installed": true,
        "public": { "text": "<&> ü \"q\"", "list": [1, 2.5, null], "empty": {} },
        "private": {}
    });
    let cases = [
        ("plain", ""),
        (
            "encoded",
            "  data_base64_encode = true\n  tags = { team = \"a\" }\n",
        ),
        ("advanced", "  tier = \"Advanced\"\n"),
    ];
    let mut writer = Bench::new(&aws).with(module, &module.text(MAJOR));
    // Another stack, which has no data to give.
    let mut reader = Bench::new(&aws).with(module, &module.text(MAJOR));
    for (name, more) in cases {
        let place = format!("  path = \"/configuration/\"\n  name = \"{name}\"\n");
        writer.call(name, module, &format!("{place}{more}{document}"));
        reader.call(name, module, &place);
    }
    let (written, read) = (writer.apply(), reader.apply());
    for (name, _) in cases {
        assert_eq!(written[name]["value"], expected, "{name}");
        assert_eq!(read[name]["value"], expected, "{name}");
        let kind = aws
            .get_parameter(&format!("/configuration/{name}"))
            .map(|found| found.kind);
        assert_eq!(kind.as_deref(), Some("SecureString"), "{name}");
    }
}

#[test]
fn modules_are_formatted_for_every_provider() {
    for module in ContractModule::ALL {
        for major in [Some(3), Some(4), Some(5), None] {
            let text = module.text(major);
            assert_eq!(formatted(&text), text, "{} for {major:?}", module.name());
        }
    }
}

/// An optional upstream in parameters needs a provider that lists them.
#[test]
fn a_provider_that_cannot_list_is_refused() {
    let stacks = r#"
  stack "orders" { take = ["terraform_data.orders"] }
  stack "reader" {
    take               = ["terraform_data.reader"]
    optional_upstreams = ["orders"]
  }
"#;
    let code = "resource \"terraform_data\" \"orders\" {\n  input = 1\n}\n\nresource \"terraform_data\" \"reader\" {\n  input = terraform_data.orders.output\n}\n";
    let lock = |version: &str| {
        format!(
            "provider \"registry.terraform.io/hashicorp/aws\" {{\n  version = \"{version}\"\n  hashes  = []\n}}\n"
        )
    };
    let plan = plan(stacks).replace("remote_state", "ssm");
    let lab = Lab::new(tools().terraform(), &[("main.tf", code)], &plan).apply();
    let locked = |version: &str| {
        write(
            &Path::new(&lab.monolith).join(".terraform.lock.hcl"),
            lock(version).as_bytes(),
        );
        lab.try_cut()
    };
    for version in ["4.45.0", "5.0.0", "10.1.0"] {
        assert!(locked(version).is_ok(), "{version}");
    }
    assert!(locked("4.44.0").is_err() && locked("3.39.0").is_err());
    insta::assert_snapshot!(lab.refusal(), @r#"
    error: `reader` can do without an upstream, whose parameter is then looked for in a list, and the locked AWS provider 3.39 cannot list parameters
       --> plan.hcl:11:27
       |
    11 |     optional_upstreams = ["orders"]
       |                           ^^^^^^^^
      = note: nothing was written
    hint: say `store = "s3"` in the `contract` block of the upstream; or upgrade the provider to 4.45 in the monolith first; or take the upstream out of `optional_upstreams`
    "#);
}
