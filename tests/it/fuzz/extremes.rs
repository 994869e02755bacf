//! States of a size and depth that nobody has, and that somebody makes: the built program cuts them or refuses them
//! with a reason, soon, in little memory and on a small stack.
//!
//! The limit of time is far above what a busy machine needs, and far below what work that grows with the square of
//! the size would take.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use stackcut::state::{Instance, Layout, Snapshot, reformat_into};

/// More instances of one resource than anyone has.
const MANY: usize = 40_000;

/// How deep JSON may be nested, as in Go.
const DEPTH: usize = 10_000;

const LIMIT: Duration = Duration::from_secs(40);

/// What becomes of a state.
enum Ends {
    /// Everything that is taken is moved, byte for byte.
    Cut,
    /// It is not read; the reason says this.
    Refused(&'static str),
    /// It is read, and what is taken cannot be moved; the reason says this.
    Unmoved(&'static str),
}
use Ends::{Cut, Refused, Unmoved};

/// An object with an index key, if it is not empty, and more members.
fn object(key: &str, members: &str) -> String {
    let key = if key.is_empty() {
        String::new()
    } else {
        format!("\"index_key\":{key},")
    };
    format!("{{{key}{members}\"schema_version\":0,\"attributes\":{{\"id\":\"x\"}}}}")
}

/// An object with these attributes.
fn with_attributes(attributes: &str) -> String {
    object("", "").replace("{\"id\":\"x\"}", attributes)
}

fn resource(module: &str, name: &str, objects: &[String]) -> String {
    let module = if module.is_empty() {
        String::new()
    } else {
        format!("\"module\":{},", serde_json::Value::from(module))
    };
    format!(
        "{{{module}\"mode\":\"managed\",\"type\":\"null_resource\",\"name\":\"{name}\",\
         \"provider\":\"provider[\\\"registry.terraform.io/hashicorp/null\\\"]\",\"instances\":[{}]}}",
        objects.join(",")
    )
}

fn state(resources: &[String]) -> String {
    format!(
        "{{\"version\":4,\"terraform_version\":\"1.9.0\",\"serial\":3,\"lineage\":\"abc\",\"outputs\":{{}},\
         \"resources\":[{}],\"check_results\":null}}\n",
        resources.join(",")
    )
}

/// A state with one resource to take and one that stays.
fn one(objects: &[String]) -> String {
    state(&[
        resource("", "keep", &[object("", "")]),
        resource("", "taken", objects),
    ])
}

fn nested(depth: usize) -> String {
    "[".repeat(depth) + &"]".repeat(depth)
}

/// Runs the program in a directory; returns whether it succeeded, and what it said.
fn run(dir: &Path, arguments: &[&str]) -> (bool, String) {
    let said = dir.join("said");
    let mut child = Command::new(env!("CARGO_BIN_EXE_stackcut"))
        .current_dir(dir)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(fs::File::create(&said).unwrap())
        .spawn()
        .unwrap();
    let began = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if began.elapsed() > LIMIT {
            child.kill().unwrap();
            child.wait().unwrap();
            panic!("{arguments:?} takes more than {LIMIT:?}");
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    let said = fs::read_to_string(said).unwrap();
    // No code: ended by a signal. 101: a panic.
    let code = status.code().unwrap_or_else(|| panic!("{arguments:?}: {status}"));
    assert!([0, 1, 2].contains(&code), "{arguments:?}: {status}\n{said}");
    assert!(!said.contains("panicked"), "{arguments:?}: {said}");
    (code != 1, said)
}

fn check(name: &str, text: impl AsRef<[u8]>, ends: &Ends) {
    let dir = tempfile::tempdir().unwrap();
    let path = |path: &str| dir.path().join(path);
    fs::create_dir(path("mono")).unwrap();
    fs::write(path("mono/main.tf"), "resource \"null_resource\" \"keep\" {}\n").unwrap();
    fs::write(path("mono/terraform.tfstate"), text.as_ref()).unwrap();
    let plan = "split \"s\" {\n  source {\n    dir   = \"mono\"\n    state = \"terraform.tfstate\"\n  }\n  \
                defaults {\n    backend \"local\" {\n      path = \"states/${stack}.tfstate\"\n    }\n  }\n  \
                stack \"part\" {\n    take = [\"**.null_resource.taken\"]\n  }\n}\n";
    fs::write(path("plan.hcl"), plan).unwrap();
    let verbs: [&[&str]; 3] = [
        &["inspect", "mono"],
        &[
            "split",
            "mono",
            "--plan",
            "plan.hcl",
            "--out",
            "out",
            "--states-only",
        ],
        &["plan", "plan.hcl"],
    ];
    for verb in verbs {
        let (succeeded, said) = run(dir.path(), verb);
        match ends {
            Cut => assert!(succeeded, "{name}: {verb:?}: {said:.400}"),
            Unmoved(_) if verb[0] == "inspect" => assert!(succeeded, "{name}: {said:.400}"),
            Refused(reason) | Unmoved(reason) => {
                assert!(!succeeded, "{name}: {verb:?} succeeds");
                assert!(said.contains(reason), "{name}: {verb:?}: {said:.400}");
                assert!(said.contains("nothing was written"), "{name}: {verb:?}: {said}");
            }
        }
    }
    if matches!(ends, Cut) {
        let objects = |bytes: &[u8]| -> Vec<String> {
            let snapshot = Snapshot::read(bytes).unwrap().unwrap();
            // White space is that of the text where an object goes.
            let text = |object: Instance<'_>| {
                let mut text = object.resource().addr().to_string();
                reformat_into(object.text(), Layout::Compact, 0, &mut text);
                text
            };
            snapshot.instances().map(text).collect()
        };
        let (before, left, part) = (
            objects(text.as_ref()),
            objects(&fs::read(path("out/states/s.tfstate")).unwrap()),
            objects(&fs::read(path("out/states/part.tfstate")).unwrap()),
        );
        assert_eq!(left.len(), 1, "{name}");
        let sorted = |objects: Vec<String>| objects.into_iter().collect::<BTreeSet<_>>();
        let number = before.len();
        let (before, after) = (sorted(before), sorted([left, part].concat()));
        assert_eq!(before.len(), number, "{name}");
        assert!(before == after, "{name}");
    }
}

#[test]
fn many_instances_of_one_resource_take_no_square_of_time() {
    let texts = |keys: &mut dyn Iterator<Item = usize>| -> Vec<String> {
        keys.map(|key| object(&format!("\"k{key}\""), "")).collect()
    };
    let numbers = |range: std::ops::Range<usize>| -> Vec<String> {
        range.map(|key| object(&key.to_string(), "")).collect()
    };
    check("counted", one(&numbers(0..MANY)), &Cut);
    // Not in Terraform's order, as a state from another tool.
    check("unsorted", one(&texts(&mut (0..MANY).rev())), &Cut);
    let mut twice = texts(&mut (0..MANY).rev());
    twice.push(object("\"k7\"", ""));
    check("doubled", one(&twice), &Refused("two current objects"));
    let deposed = (0..MANY)
        .rev()
        .map(|key| object("", &format!("\"deposed\":\"{key:08x}\",")));
    check("deposed", one(&deposed.collect::<Vec<_>>()), &Cut);
}

#[test]
fn long_and_deep_states_are_cut_or_refused() {
    let long = |number: usize| object(&format!("\"{}{number}\"", "k".repeat(100_000)), "");
    check("long keys", one(&[long(1), long(2)]), &Cut);
    let escaped = object(&format!("\"{}\"", "\\n\\\"\\u2028${%{".repeat(5_000)), "");
    check("long escaped key", one(&[escaped]), &Cut);
    let modules = vec!["module.m"; DEPTH].join(".");
    let deep = [
        resource("", "keep", &[object("", "")]),
        resource(&modules, "taken", &[object("", "")]),
    ];
    check("deep modules", state(&deep), &Cut);
    let mention = object(
        "",
        &format!("\"dependencies\":[\"{modules}.null_resource.keep\"],"),
    );
    let parsed = Snapshot::read(one(&[mention])).unwrap().unwrap();
    assert_eq!(parsed.dependency_count(), 1);
    // The attributes are the sixth level, and the list begins at the seventh.
    for (depth, ends) in [(DEPTH - 6, Cut), (DEPTH - 5, Refused("more than 10000 nested"))] {
        let object = with_attributes(&format!("{{\"a\":{}}}", nested(depth)));
        check("deep attributes", one(&[object]), &ends);
    }
    check(
        "open brackets",
        "{\"a\":".repeat(1_000_000),
        &Refused("more than 10000 nested"),
    );
    let digits = "9".repeat(DEPTH);
    let numbers = format!("{{\"n\":-{digits}.{digits}e+{digits},\"zero\":-0.0}}");
    check("long numbers", one(&[with_attributes(&numbers)]), &Cut);
    check(
        "long serial",
        one(&[]).replace(":3,", &format!(":{digits},")),
        &Refused("`serial`"),
    );
    check(
        "long version",
        one(&[]).replace(":4,", &format!(":{digits},")),
        &Refused("format version 9"),
    );
    check("long index", one(&[object(&digits, "")]), &Refused("`index_key`"));
}

#[test]
fn odd_texts_are_cut_or_refused() {
    let twice = vec!["\"a\":1"; 50_000].join(",");
    check(
        "members twice",
        one(&[with_attributes(&format!("{{{twice}}}"))]),
        &Cut,
    );
    let doubled = with_attributes("{},\"attributes\":{}");
    check(
        "field twice",
        one(&[doubled]),
        &Refused("`attributes` occurs twice"),
    );
    check(
        "byte order mark",
        format!("\u{feff}{}", one(&[])),
        &Refused("byte order mark"),
    );
    let utf16: Vec<u8> = one(&[]).encode_utf16().flat_map(u16::to_le_bytes).collect();
    check("UTF-16", utf16, &Refused("not valid JSON"));
    let mut latin = one(&[with_attributes("{\"a\":\"@\"}")]).into_bytes();
    latin
        .iter_mut()
        .filter(|byte| **byte == b'@')
        .for_each(|byte| *byte = 0xe9);
    check("Latin-1", latin, &Refused("invalid UTF-8"));
    check(
        "line breaks of Windows",
        one(&[object("", "")]).replace(',', ",\r\n\t"),
        &Cut,
    );
    let lonely = with_attributes(r#"{"a":"\ud800","\udc00":"\ud800\ud800\u0000"}"#);
    check("lone surrogates", one(&[lonely]), &Cut);
    // To Go each lone surrogate is the same replacement character.
    let keys = [r#""\ud800""#, r#""\udfff""#].map(|key| object(key, ""));
    check("key of a lone surrogate", one(&keys[..1]), &Cut);
    check(
        "keys of lone surrogates",
        one(&keys),
        &Refused("two current objects"),
    );
    // What the language cannot spell could not be found again by a journal: it knows the composed letter only.
    let unspelt = object("\"e\\u0301\"", "");
    check(
        "key that is not composed",
        one(&[unspelt]),
        &Unmoved("none that a configuration can have"),
    );
    check("composed key", one(&[object("\"\\u00e9\"", "")]), &Cut);
    check("nothing but spaces", " \n", &Refused("not valid JSON"));
    check("zeros", [0; 4096], &Refused("not valid JSON"));
}
