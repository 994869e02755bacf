//! What is read and what is refused, with place, address and advice.

use super::super::{Instance, Layout, Output, Refusal, Serial, Snapshot};
use crate::address::InstanceKey;

fn read(text: &str) -> Snapshot {
    Snapshot::read(text).unwrap().unwrap()
}

/// Wraps resource entries in a state, in one line.
fn state(resources: &str) -> String {
    format!("{{\"version\":4,\"serial\":1,\"lineage\":\"l\",\"resources\":[{resources}]}}")
}

/// Wraps instance objects in a state.
fn instances(objects: &str) -> String {
    state(&format!(
        r#"{{"mode":"managed","type":"a","name":"b","provider":"provider[\"registry.terraform.io/hashicorp/a\"]","instances":[{objects}]}}"#
    ))
}

/// Checks that a text is refused at the place marked `@`, with that message (without the place) and some advice.
fn refused(marked: &str, message: &str) {
    let offset = marked.find('@').expect("the text marks a place");
    let text = marked.replacen('@', "", 1);
    let error = Snapshot::read(text.as_str()).unwrap_err();
    assert_eq!(
        error.to_string().split(" at line ").next().unwrap(),
        message,
        "{marked}"
    );
    assert_eq!(error.place.offset, offset, "{marked}: {error}");
    assert!(error.advice().len() > 20);
}

#[test]
fn nothing_is_no_state() {
    assert!(Snapshot::read("").unwrap().is_none());
}

#[test]
fn reads_the_head() {
    let snapshot = read(
        "{\n  \"version\": 4,\n  \"terraform_version\": \"1.5.7\",\n  \"serial\": 18446744073709551615,\n  \"lineage\": \"l\\u00e9\",\n  \"outputs\": {\"o\\n\": {\"value\": 1.0, \"type\": \"number\", \"sensitive\": true}},\n  \"resources\": [],\n  \"check_results\": null,\n  \"new\": 1\n}\n",
    );
    assert_eq!(snapshot.serial(), Serial(u64::MAX));
    assert_eq!(snapshot.lineage().as_str(), "lé");
    assert_eq!(snapshot.terraform_version(), "1.5.7");
    assert_eq!(snapshot.layout(), Layout::Indented);
    let output = snapshot.output("o\n").unwrap();
    assert_eq!(
        (output.value(), output.value_type()),
        (Some("1.0"), Some("\"number\""))
    );
    assert!(output.sensitive());
    let unknown: Vec<_> = snapshot
        .unknown_fields()
        .map(|f| &snapshot.text()[f.value])
        .collect();
    assert_eq!(unknown, ["1"]);
    assert!(!format!("{snapshot:?}").contains("1.0"));
}

#[test]
fn reads_other_key_orders_nulls_and_absence() {
    let snapshot = read(r#" {"resources":null,"outputs":null,"check_results":[],"version":4} "#);
    assert_eq!(snapshot.serial(), Serial(0));
    assert!(snapshot.lineage().is_empty());
    assert_eq!(snapshot.layout(), Layout::Foreign);
    let snapshot = read(&state(
        r#"{"instances":null,"name":"b","module":"","provider":"provider[\"aws\"]","type":"a","mode":"data"}"#,
    ));
    let resource = snapshot.resources().next().unwrap();
    assert!(resource.is_husk());
    assert_eq!(resource.addr().to_string(), "data.a.b");
}

#[test]
fn reads_instances() {
    let text = instances(
        r#"{"index_key":null,"status":"","deposed":"","dependencies":["module.q[\"k\"].z.w","data.x.y"],"private":"cA=="},{"index_key":0,"attributes":{"n":1e400}},{"index_key":"","status":"tainted"},{"\u0069ndex_key":"é\"\n","deposed":"0123abcd","sch":1}"#,
    );
    let snapshot = read(&text);
    let found: Vec<_> = snapshot.instances().collect();
    let keys: Vec<_> = found.iter().map(|instance| instance.addr().to_string()).collect();
    assert_eq!(keys, ["a.b", "a.b[0]", "a.b[\"\"]", "a.b[\"é\\\"\\n\"]"]);
    let deposed: Vec<_> = found.iter().map(|instance| instance.deposed()).collect();
    assert_eq!(deposed, [None, None, None, Some("0123abcd")]);
    let dependencies: Vec<_> = found[0].dependencies().map(ToString::to_string).collect();
    assert_eq!(dependencies, ["module.q.z.w", "data.x.y"]);
    assert_eq!(found[1].attributes(), Some("{\"n\":1e400}"));
    assert_eq!(found[0].private(), Some("\"cA==\""));
    assert!(found[2].tainted() && !found[1].tainted());
    assert_eq!(found[3].member("sch"), Some("1"));
    assert_eq!(
        found[0].provider().to_string(),
        "provider[\"registry.terraform.io/hashicorp/a\"]"
    );
    assert!(!format!("{found:?}").contains("1e400"));
    assert_eq!(snapshot.resource(found[0].resource().addr()).unwrap().index(), 0);
}

#[test]
fn refuses_versions() {
    refused(
        r#"{"version":@3,"serial":1,"modules":[]}"#,
        "the state has format version 3, only version 4 can be moved",
    );
    refused(
        r#"{"serial":1,"lineage":"x","modules":[{"path":["root"]}],"resources":{"a":1},"version":@1}"#,
        "the state has format version 1, only version 4 can be moved",
    );
    refused(
        r#"{"version":@3,"serial":1,"backend":{"type":"s3"},"modules":[]}"#,
        "this file is a working directory's backend record, not a state",
    );
    refused(
        r#"{"version":@5,"terraform_version":"3.0.0"}"#,
        "the state has format version 5, only version 4 is known",
    );
    refused(r#"{"version":@"4"}"#, "the field `version` is not a whole number");
    refused(r#"{"version":@4.0}"#, "the field `version` is not a whole number");
    refused(r#" @{"serial":1}"#, "the state has no `version`");
    refused(
        r#"{"serial":1,"lineage":"x","meta":{},"encrypted_data":"eA==",@"encryption_version":"v0"}"#,
        "the state is encrypted by OpenTofu",
    );
    read(r#"{"version":4,"encryption_version":""}"#);
}

#[test]
fn refuses_what_is_not_json() {
    refused(
        "@\u{feff}{\"version\":4}",
        "the state is not valid JSON: the text begins with a byte order mark",
    );
    refused(
        "{\"version\":4@",
        "the state is not valid JSON: the text ends in the middle of a value",
    );
    refused(
        "{\"version\":4}\n@x",
        "the state is not valid JSON: unexpected text after the end of the value",
    );
    refused("@null", "the state is not valid JSON: expected an object");
    refused(
        &instances("{\"attributes\":{\"a\":[1,@]}}"),
        "the state is not valid JSON: expected a value in `a.b`",
    );
    let error = Snapshot::read(b"{\"version\":4,\n \"a\":\"\xff\"}".to_vec()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the state is not valid JSON: invalid UTF-8 at line 2, column 7 (byte 20)"
    );
}

#[test]
fn refuses_wrong_heads() {
    refused(
        r#"{"version":4,@"SERIAL":1}"#,
        "the field `SERIAL` differs from `serial` only in case",
    );
    refused(
        r#"{"version":4,"serial":1,@"serial":1}"#,
        "the field `serial` occurs twice in one object",
    );
    for serial in ["\"1\"", "-1", "1.0", "18446744073709551616", "[]"] {
        refused(
            &format!("{{\"version\":4,\"serial\":@{serial}}}"),
            "the field `serial` is not a whole number from 0 to 18446744073709551615",
        );
    }
    refused(
        r#"{"version":4,"lineage":@1}"#,
        "the field `lineage` is not a string",
    );
    refused(
        r#"{"version":4,"terraform_version":@"x"}"#,
        "the field `terraform_version` is not a version number",
    );
    refused(
        r#"{"version":4,"resources":@{}}"#,
        "the field `resources` is not an array",
    );
    refused(
        r#"{"version":4,"outputs":@[]}"#,
        "the field `outputs` is not an object",
    );
    refused(
        r#"{"version":4,"outputs":{"a":{},@"a":{}}}"#,
        "the output `a` occurs twice",
    );
    refused(
        r#"{"version":4,"outputs":{"a":{"sensitive":@1}}}"#,
        "the field `sensitive` is not true or false",
    );
    read(r#"{"version":4,"terraform_version":"1.12.0-beta1+x"}"#);
}

#[test]
fn refuses_wrong_resources() {
    let provider = r#""provider":"provider[\"registry.terraform.io/hashicorp/a\"]""#;
    refused(
        &state(&format!(
            "{{\"mode\":@\"ephemeral\",\"type\":\"a\",\"name\":\"b\",{provider}}}"
        )),
        "the resource has mode `ephemeral`, which no state can hold in `a.b`",
    );
    refused(
        &state(&format!("@{{\"type\":\"a\",\"name\":\"b\",{provider}}}")),
        "the field `mode` is missing in `a.b`",
    );
    refused(
        &state(&format!(
            "@{{\"mode\":\"managed\",\"type\":\"\",\"name\":\"b\",{provider}}}"
        )),
        "the field `type` is missing in `.b`",
    );
    refused(
        &state(r#"@{"mode":"data","type":"a","name":"b","module":"module.x[0]","instances":[]}"#),
        "no `provider` on the resource or on its instance in `module.x[0].data.a.b`",
    );
    refused(
        &state(r#"{"mode":"managed","type":"a","name":"b","instances":[@{"schema_version":0}]}"#),
        "no `provider` on the resource or on its instance in `a.b`",
    );
    refused(
        &instances(r#"@{"provider":"provider[\"registry.opentofu.org/hashicorp/a\"].by[\"x\"]"}"#),
        "`provider` both on the resource and on its instance in `a.b`",
    );
    let one = format!("{{\"mode\":\"managed\",\"type\":\"a\",\"name\":\"b\",{provider}}}");
    refused(
        &state(&format!("{one},@{one}")),
        "the resource has two entries in `a.b`",
    );
    refused(
        &state(&format!("{{@\"Module\":\"module.x\",{}", &one[1..])),
        "the field `Module` differs from `module` only in case in `a.b`",
    );
}

#[test]
fn refuses_unparsable_addresses() {
    for (marked, field) in [
        (
            state(r#"{"mode":"managed","type":"a","name":"b","provider":@"module.x[0].provider[\"x/y\"]"}"#),
            "the field `provider` is not a provider address",
        ),
        (
            state(
                r#"{"mode":"managed","type":"a","name":"b","module":@"nodule.x","provider":"provider[\"x/y\"]"}"#,
            ),
            "the field `module` is not a module address",
        ),
        (
            instances(r#"{"dependencies":["a.c",@"not an address"]}"#),
            "an entry of `dependencies` is not a resource address",
        ),
    ] {
        let offset = marked.find('@').unwrap();
        let error = Snapshot::read(marked.replacen('@', "", 1)).unwrap_err();
        assert_eq!(error.place.offset, offset);
        assert!(error.to_string().starts_with(field), "{error}");
        assert!(
            error.address.as_deref().is_some_and(|addr| addr.contains("a.b")),
            "{error}"
        );
    }
}

#[test]
fn refuses_wrong_instances() {
    for key in ["true", "1.5", "-1", "[]", "1e2", "9007199254740994"] {
        refused(
            &instances(&format!("{{\"index_key\":@{key}}}")),
            "the field `index_key` is neither a whole number from 0 nor a string in `a.b`",
        );
    }
    for (object, message) in [
        (
            r#"{"status":@"weird"}"#,
            "the instance has status `weird`; only `tainted` is known in `a.b`",
        ),
        (r#"{"status":@1}"#, "the field `status` is not a string in `a.b`"),
        (
            r#"{"deposed":@"abc"}"#,
            "the deposed key `abc` is not eight characters long in `a.b`",
        ),
        (
            r#"{"schema_version":@"1"}"#,
            "the field `schema_version` is not a whole number from 0 in `a.b`",
        ),
        (
            r#"{"dependencies":[@1]}"#,
            "the field `dependencies` is not an array of strings in `a.b`",
        ),
        (
            r#"{"attributes":{},@"attributes":{}}"#,
            "the field `attributes` occurs twice in one object in `a.b`",
        ),
        (
            r#"{@"Index_Key":1}"#,
            "the field `Index_Key` differs from `index_key` only in case in `a.b`",
        ),
        (
            r#"{"index_key":"k"},{"index_key":0},@{"index_key":"\u006b"}"#,
            "the instance has two current objects in `a.b[\"k\"]`",
        ),
        (
            r#"{"deposed":"00000000"},@{"deposed":"00000000"}"#,
            "the instance has two deposed objects with the same key in `a.b`",
        ),
    ] {
        refused(&instances(object), message);
    }
}

#[test]
fn errors_show_no_content() {
    let text = instances(r#"{"attributes":{"password":"hunter2",}}"#);
    let error = Snapshot::read(text).unwrap_err();
    assert!(matches!(error.refusal, Refusal::Json(_)));
    assert!(!format!("{error} {error:?} {}", error.advice()).contains("hunter2"));
}

proptest::proptest! {
    /// Whatever is done to a state, it is read or refused with a place inside it; and what is read is kept.
    #[test]
    fn damaged_states_are_read_or_refused(
        which in 0..3_usize,
        edits in proptest::collection::vec((proptest::num::u16::ANY, 0..5_u8, 0..40_usize), 1..5),
    ) {
        let samples = [
            include_str!("../../../testdata/states/terraform-1.11-shop.tfstate"),
            include_str!("../../../testdata/states/opentofu-1.12-by-key.tfstate"),
            include_str!("../../../testdata/states/terraform-1.1-deposed.tfstate"),
        ];
        let words: Vec<&[u8]> = [
            "{", "}", "[", "]", "\"", ",", ":", "\\", "null", "true", "0", "-1", "1.5", "\"\"", "[]", "{}", "\n", " ",
            "\"index_key\"", "\"index_key\": 1,", "\"deposed\": \"00000000\",", "\"provider\": \"\",", "\"mode\": \"data\",",
            "\"version\": 4,", "\"version\": 3,", "\"SERIAL\": 1,", "\"instances\": [],", "\"dependencies\": [\"a\"],", "\u{feff}",
            "\"encryption_version\": \"v0\",", "module.", "[0]", ".", "\"status\": \"tainted\",", "é", "\u{0}", "4", "\"resources\": null,",
        ].iter().map(|word| word.as_bytes()).chain([&b"\xff"[..], &b"\xed\xa0\x80"[..]]).collect();
        let mut bytes = samples[which].as_bytes().to_vec();
        for (at, kind, word) in edits {
            let at = usize::from(at) % (bytes.len() + 1);
            let word = words[word % words.len()];
            match kind {
                0 => drop(bytes.splice(at..at, word.iter().copied())),
                1 => drop(bytes.splice(at..(at + word.len()).min(bytes.len()), word.iter().copied())),
                2 => drop(bytes.drain(at..(at + word.len()).min(bytes.len()))),
                3 => {
                    let tail = bytes.split_off(at);
                    bytes = [tail, bytes].concat();
                }
                _ => bytes.truncate(at),
            }
        }
        match Snapshot::read(bytes.clone()) {
            Ok(None) => proptest::prop_assert!(bytes.is_empty()),
            Ok(Some(snapshot)) => {
                proptest::prop_assert_eq!(snapshot.bytes(), &bytes);
                for instance in snapshot.instances() {
                    proptest::prop_assert!(!instance.addr().to_string().is_empty());
                    proptest::prop_assert!(!instance.provider().to_string().is_empty());
                }
            }
            Err(error) => {
                proptest::prop_assert!(error.place.offset <= bytes.len());
                proptest::prop_assert!(!error.to_string().is_empty() && !error.advice().is_empty());
            }
        }
    }
}

#[test]
fn finds_objects_and_outputs_in_whatever_order_they_stand() {
    let objects = [
        r#"{"index_key":"b"}"#,
        r#"{"index_key":10,"deposed":"00000002"}"#,
        r#"{"index_key":2}"#,
        r#"{"deposed":"00000001"}"#,
        r#"{"index_key":10,"deposed":"00000001"}"#,
        r#"{"index_key":"10"}"#,
        r#"{"index_key":10}"#,
        r"{}",
    ];
    let snapshot = read(&instances(&objects.join(",")));
    let resource = snapshot.resources().next().unwrap();
    let found = |key: Option<InstanceKey>| -> Vec<usize> {
        let found = resource.objects(key.as_ref()).into_iter();
        found.map(Instance::index).collect()
    };
    assert_eq!(found(None), [7, 3]);
    assert_eq!(found(Some(InstanceKey::Int(2))), [2]);
    assert_eq!(found(Some(InstanceKey::Int(10))), [6, 4, 1]);
    assert_eq!(found(Some(InstanceKey::Str("10".to_owned()))), [5]);
    assert_eq!(found(Some(InstanceKey::Str("b".to_owned()))), [0]);
    assert!(found(Some(InstanceKey::Str("c".to_owned()))).is_empty());
    let snapshot = read(
        r#"{"version":4,"outputs":{"z":{"value":1,"type":"number"},"a":{"value":2,"type":"number"},"b":{"value":3,"type":"number"}}}"#,
    );
    for (name, value) in [("z", Some("1")), ("a", Some("2")), ("b", Some("3")), ("c", None)] {
        assert_eq!(snapshot.output(name).and_then(Output::value), value);
    }
}
