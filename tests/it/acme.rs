//! The root modules under `testdata/` whose states were made by real Terraform: each state is made anew and compared with
//! the committed one, so that neither code nor state can change alone.
//!
//! `STACKCUT_UPDATE_TESTDATA=1 cargo test --test it acme::` writes the states that were made.

mod compare;
pub mod make;

use std::path::Path;

use serde_json::Value;

use crate::support::terraform::Terraform;
use crate::support::tools::{Flavour, tools};
use compare::differences;
use make::{Made, fixture};

#[test]
fn the_state_of_acme_is_what_terraform_makes() {
    let made = Made::new("acme", &["us_east_1"]);
    let tf = made.terraform("prod.tfvars");
    tf.apply();
    tf.settle();
    tf.assert_no_changes();
    check("acme", &made.state());
}

/// The smaller of its two environments is nobody's testdata, but has to work: no search, two zones, one NAT gateway.
#[test]
fn stage_of_acme_can_be_planned() {
    let made = Made::new("acme", &["us_east_1"]);
    let plan = made.terraform("stage.tfvars").plan_json();
    let created = plan["resource_changes"].as_array().expect("a plan lists changes");
    let addresses: Vec<&str> = created
        .iter()
        .filter_map(|change| change["address"].as_str())
        .collect();
    assert!(addresses.contains(&"aws_nat_gateway.main[0]"));
    assert!(!addresses.contains(&"aws_nat_gateway.main[1]"));
    assert!(
        !addresses
            .iter()
            .any(|address| address.starts_with("module.search"))
    );
}

#[test]
fn the_state_of_objects_is_what_terraform_makes() {
    let made = Made::new("objects", &[]);
    let put = |bucket: &str| made.account().put_object(bucket, "left-over", b"x");
    // One of the two shaky resources fails every time.
    made.terraform("1.tfvars")
        .run(&["apply", "-auto-approve", "-no-color"])
        .code(1);
    put("acme-archive-1-once");
    put("acme-archive-1-twice-b");
    put("acme-archive-1-gone-c");
    made.terraform("2.tfvars")
        .run(&["apply", "-auto-approve", "-no-color"])
        .code(1);
    put("acme-archive-2-twice-b");
    let tf = made.terraform("3.tfvars");
    tf.run(&["apply", "-auto-approve", "-no-color"]).code(1);
    tf.run(&["taint", r#"module.box["x.y"].terraform_data.lid"#]).ok();
    tf.run(&["taint", r#"aws_s3_bucket.archive["once"]"#]).ok();
    check("objects", &made.state());
}

#[test]
fn the_state_of_objects_holds_deposed_and_tainted_objects() {
    let state: Value = serde_json::from_str(&committed("objects")).expect("a state is JSON");
    let mut found: Vec<String> = Vec::new();
    for resource in state["resources"].as_array().expect("a state lists resources") {
        for instance in resource["instances"]
            .as_array()
            .expect("a resource lists instances")
        {
            let key = &instance["index_key"];
            let deposed = if instance["deposed"].is_string() {
                " deposed"
            } else {
                ""
            };
            let tainted = if instance["status"] == "tainted" {
                " tainted"
            } else {
                ""
            };
            found.push(format!(
                "{} {key}{deposed}{tainted}",
                resource["name"].as_str().unwrap_or("?")
            ));
        }
    }
    for expected in [
        r#"archive "fine""#,
        r#"archive "gone \"c\"" deposed"#,
        r#"archive "once" tainted"#,
        r#"archive "once" deposed"#,
        r#"archive "twice.b""#,
        "shaky 1 tainted",
        "lid null tainted",
    ] {
        assert!(
            found.iter().any(|one| one == expected),
            "{expected} is not among {found:#?}"
        );
    }
    let twice = found.iter().filter(|one| *one == r#"archive "twice.b" deposed"#);
    assert_eq!(twice.count(), 2, "{found:#?}");
    assert!(
        !found.contains(&r#"archive "gone \"c\"""#.to_owned()),
        "{found:#?}"
    );
}

#[test]
fn the_code_is_formatted_and_valid_for_every_terraform() {
    for name in ["acme", "objects"] {
        for bin in tools().terraforms() {
            let copy = fixture(name);
            if bin.flavour == Flavour::OpenTofu {
                // It names the provider's registry differently.
                std::fs::remove_file(copy.path().join(".terraform.lock.hcl")).expect("it was copied");
            }
            let tf = Terraform::new(bin, copy.path());
            tf.run(&["fmt", "-check", "-diff", "-recursive"]).ok();
            tf.run(&["init", "-backend=false", "-no-color"]).ok();
            tf.run(&["validate", "-no-color"]).ok();
        }
    }
}

#[test]
fn committed_states_name_no_machine() {
    for name in ["acme", "objects"] {
        let state = committed(name);
        for word in ["/tmp", "/home", "/root", "127.0.0.1", "localhost"] {
            assert!(!state.contains(word), "the state of {name} names {word}");
        }
    }
}

#[test]
fn a_changed_state_is_found() {
    let state = committed("acme");
    assert_eq!(differences(&state, &state), Vec::<String>::new());
    let id = state
        .split('"')
        .find(|text| text.starts_with("vpc-"))
        .expect("the state has a VPC")
        .to_owned();
    // The VPC has another identifier everywhere: nothing of interest.
    assert_eq!(
        differences(&state, &state.replace(&id, "vpc-1")),
        Vec::<String>::new()
    );
    for (from, to) in [
        // In one place only: a reference to something else.
        (
            format!("\"vpc_id\": \"{id}\""),
            "\"vpc_id\": \"vpc-2\"".to_owned(),
        ),
        (
            "\"threshold\": 1000,".to_owned(),
            "\"threshold\": 1001,".to_owned(),
        ),
        (
            "\"schema_version\": 1,".to_owned(),
            "\"schema_version\": 2,".to_owned(),
        ),
        (
            "\"index_key\": \"dhl.de\"".to_owned(),
            "\"index_key\": \"dhl\"".to_owned(),
        ),
        ("\"EUR\"".to_owned(), "\"USD\"".to_owned()),
        ("\"enable_dns_support\"".to_owned(), "\"enable_dns\"".to_owned()),
        ("\"aws_vpc.main\"".to_owned(), "\"aws_vpc.other\"".to_owned()),
        ("].us_east_1".to_owned(), "]".to_owned()),
    ] {
        let changed = state.replacen(&from, &to, 1);
        assert_ne!(changed, state, "{from} is not in the state");
        assert!(
            !differences(&state, &changed).is_empty(),
            "{from} → {to} was not noticed"
        );
    }
}

/// Compares with the committed state, or replaces it on request.
fn check(name: &str, made: &str) {
    if std::env::var_os("STACKCUT_UPDATE_TESTDATA").is_some() {
        std::fs::write(state_file(name), made).expect("the state can be written");
        return;
    }
    let found = differences(&committed(name), made);
    assert!(
        found.is_empty(),
        "testdata/{name}/terraform.tfstate is not what Terraform makes of the code beside it:\n{}\n\
         to take over what it makes: STACKCUT_UPDATE_TESTDATA=1 cargo test --test it acme::",
        found.join("\n")
    );
}

fn committed(name: &str) -> String {
    let file = state_file(name);
    std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

fn state_file(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("testdata")
        .join(name)
        .join("terraform.tfstate")
}
