//! What goes over the wire: the same as real Terraform sends for the same configuration.

use std::collections::BTreeMap;

use serde_json::Value;
use stackcut::backend::conformance::info;
use stackcut::backend::s3::S3Backend;
use stackcut::backend::{Expect, StateBackend};
use stackcut::state::Md5Digest;

use super::lab::{BOTH_LOCKS, FILE_LOCK, Lab, TABLE, TABLE_LOCK};
use super::terraform::module;
use crate::support::tools::tools;

const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

type Headers = BTreeMap<String, String>;

/// Returns the headers of the last request of this kind for an object, without what differs by content or by client.
fn headers(details: &[Value], method: &str, path: &str) -> Headers {
    let matches = |line: &&Value| {
        let operation = line["operation"].as_str().unwrap();
        let (verb, target) = operation.split_once(' ').unwrap_or_default();
        verb == method && target.split('?').next() == Some(path)
    };
    let found = details.iter().rev().find(matches);
    let found = found.unwrap_or_else(|| panic!("no {method} {path}"));
    let mut headers: Headers = serde_json::from_value(found["headers"].clone()).unwrap();
    for name in [
        "if-none-match",
        "if-match",
        "range",
        "x-amz-checksum-mode",
        "x-amz-content-sha256",
        "x-amz-decoded-content-length",
    ] {
        headers.remove(name);
    }
    if let Some(hash) = headers.get_mut("x-amz-checksum-sha256") {
        assert_eq!(hash.len(), 44, "a SHA-256 in base64");
        "(hash)".clone_into(hash);
    }
    headers
}

/// Locks, writes and reads with our backend, and looks at what was sent.
fn write_once(state: &S3Backend) {
    let lock = state.lock(&info(1)).unwrap();
    state.write(&lock, b"{}", &Expect::Absent).unwrap();
    state.write_digest(&lock, &Md5Digest::of(b"{}")).unwrap();
    state
        .create_sidecar(&"backup/a.json".parse().unwrap(), b"{}")
        .unwrap();
    assert_eq!(state.read().unwrap().bytes(), Some(&b"{}"[..]));
    state.unlock(lock.id()).unwrap();
}

/// What each variant of the next test adds.
const OWN_HEADERS: [&[&str]; 6] = [
    &[],
    &["x-amz-server-side-encryption"],
    &[
        "x-amz-server-side-encryption",
        "x-amz-server-side-encryption-aws-kms-key-id",
    ],
    &[],
    &[
        "x-amz-server-side-encryption-customer-algorithm",
        "x-amz-server-side-encryption-customer-key",
        "x-amz-server-side-encryption-customer-key-md5",
    ],
    &["x-amz-acl"],
];

#[test]
fn objects_are_written_as_terraform_writes_them() {
    let variants: &[&[(&str, &str)]] = &[
        &[],
        &[("encrypt", "true")],
        &[
            ("encrypt", "true"),
            (
                "kms_key_id",
                "arn:aws:kms:eu-central-1:123456789012:key/1a2b3c4d-1111-4222-a333-1a2b3c4d5e6f",
            ),
        ],
        &[(
            "kms_key_id",
            "arn:aws:kms:eu-central-1:123456789012:key/1a2b3c4d-1111-4222-a333-1a2b3c4d5e6f",
        )],
        &[("encrypt", "true"), ("sse_customer_key", KEY)],
        &[("acl", "bucket-owner-full-control")],
    ];
    let lab = Lab::new();
    let bin = tools().terraforms().last().unwrap();
    for (number, variant) in variants.iter().enumerate() {
        let mut arguments = FILE_LOCK.to_vec();
        arguments.extend_from_slice(variant);
        let theirs = format!("theirs-{number}.tfstate");
        let dir = tempfile::tempdir().unwrap();
        let terraform = module(&lab, dir.path(), bin, &theirs, &arguments);
        terraform.init();
        terraform.apply();
        let ours = format!("ours-{number}.tfstate");
        write_once(&lab.open(&ours, &arguments));

        let details = lab.aws.details();
        let path = |key: &str| format!("/{}/{key}", lab.bucket);
        let expected = headers(&details, "PUT", &path(&theirs));
        let common = [
            "content-type",
            "x-amz-checksum-sha256",
            "x-amz-sdk-checksum-algorithm",
        ];
        let own: Vec<&str> = expected
            .keys()
            .map(String::as_str)
            .filter(|name| !common.contains(name))
            .collect();
        assert_eq!((expected.len() - own.len(), &*own), (3, OWN_HEADERS[number]));
        assert_eq!(
            headers(&details, "PUT", &path(&ours)),
            expected,
            "{variant:?}: state"
        );
        let sidecar = path(&format!("{ours}.stackcut/backup/a.json"));
        assert_eq!(
            headers(&details, "PUT", &sidecar),
            expected,
            "{variant:?}: sidecar"
        );
        let lock = headers(&details, "PUT", &path(&format!("{theirs}.tflock")));
        let our_lock = headers(&details, "PUT", &path(&format!("{ours}.tflock")));
        assert_eq!(our_lock, lock, "{variant:?}: lock object");
        let customer_keys = |headers: Headers| -> Headers {
            let kept = headers.into_iter().filter(|(name, _)| name.contains("customer"));
            kept.collect()
        };
        assert_eq!(
            customer_keys(headers(&details, "GET", &path(&ours))),
            customer_keys(headers(&details, "HEAD", &path(&theirs))),
            "{variant:?}: reading"
        );
    }
}

#[test]
fn no_checksum_goes_along_where_none_is_wanted() {
    let lab = Lab::new();
    write_once(&lab.open("k", &[("use_lockfile", "true"), ("skip_s3_checksum", "true")]));
    let details = lab.aws.details();
    let sent = headers(&details, "PUT", &format!("/{}/k", lab.bucket));
    assert!(
        !sent
            .keys()
            .any(|name| name.contains("checksum") || name.contains("trailer")),
        "{sent:?}"
    );
}

#[test]
fn items_are_written_as_terraform_writes_them() {
    let lab = Lab::new();
    let bin = tools().terraforms().last().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let terraform = module(&lab, dir.path(), bin, "theirs", TABLE_LOCK);
    terraform.init();
    terraform.apply();
    write_once(&lab.open("ours", TABLE_LOCK));
    // Terraform looks at its lock before it frees it; ours is known to whoever took it.
    assert_eq!(lab.open("ours", TABLE_LOCK).standing_lock().unwrap(), None);
    let details = lab.aws.details();
    // The bodies of all requests about one state, with what differs by content replaced.
    let about = |key: &str| -> Vec<String> {
        let id = format!("{}/{key}", lab.bucket);
        let bodies = details
            .iter()
            .filter(|line| line["service"] == "dynamodb" && !line["body"].is_null());
        let texts = bodies.filter_map(|line| {
            let mut body = line["body"].clone();
            if !body.to_string().contains(&id) {
                return None;
            }
            for values in ["Item", "ExpressionAttributeValues"] {
                for name in ["Info", "Digest", ":info"] {
                    if let Some(value) = body.get_mut(values).and_then(|found| found.get_mut(name)) {
                        *value = "(content)".into();
                    }
                }
            }
            // Terraform frees unconditionally; ours asks for the text that was read.
            for name in ["ConditionExpression", "ExpressionAttributeValues"] {
                if line["operation"] == "DeleteItem" {
                    body.as_object_mut().unwrap().remove(name);
                }
            }
            Some(format!("{} {}", line["operation"].as_str().unwrap(), body).replace(&id, "(id)"))
        });
        let mut texts: Vec<String> = texts.collect();
        texts.sort();
        texts.dedup();
        texts
    };
    assert_eq!(about("ours"), about("theirs"));
    assert_eq!(about("ours").len(), 5);
}

/// How many requests each thing costs; docs/benchmarks.md says so.
#[test]
fn requests_are_few() {
    let lab = Lab::new();
    for (arguments, expected) in [
        (TABLE_LOCK, [2, 1, 1, 1, 1]),
        (FILE_LOCK, [1, 1, 1, 0, 2]),
        (BOTH_LOCKS, [2, 2, 1, 1, 3]),
    ] {
        let key = format!("{}.tfstate", arguments.len() * 10 + arguments[0].0.len());
        let state = lab.open(&key, arguments);
        let count = |run: &dyn Fn()| lab.requests_of(run).len();
        let read = count(&|| drop(state.read().unwrap()));
        let lock = count(&|| drop(state.lock(&info(1)).unwrap()));
        let proof = state.lock(&info(1)).unwrap();
        let write = count(&|| drop(state.write(&proof, b"{}", &Expect::Absent).unwrap()));
        let digest = count(&|| state.write_digest(&proof, &Md5Digest::of(b"{}")).unwrap());
        let unlock = count(&|| state.unlock(proof.id()).unwrap());
        assert_eq!([read, lock, write, digest, unlock], expected, "{arguments:?}");
    }
    assert!(
        lab.aws
            .list_items(TABLE)
            .iter()
            .all(|item| !item.contains_key("Info"))
    );
}
