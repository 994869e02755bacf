//! `stackcut apply` and what follows it on states in S3, with credentials that stand in the backend block alone.

use super::lab::{Lab, TABLE};
use super::plan::{bare_env, connection, monolith, stackcut_in};

#[test]
fn a_migration_is_carried_out_watched_and_undone() {
    let lab = Lab::new();
    let dir = tempfile::tempdir().unwrap();
    let locks = format!("dynamodb_table = \"{TABLE}\"\nuse_lockfile = true\nencrypt = true\n");
    monolith(&lab, dir.path(), &format!("{locks}{}", connection(&lab)));
    let before = lab.aws.get_object(&lab.bucket, "mono.tfstate").unwrap();
    let run = |args: &[&str]| {
        let (code, stdout, stderr) = stackcut_in(bare_env(&lab), dir.path(), args);
        let all = format!("{stdout}{stderr}");
        assert!(!all.contains("hunter2"), "{all}");
        (code, all)
    };
    let (code, text) = run(&["apply", "plan.hcl", "--auto-approve"]);
    assert_eq!(code, 0, "{text}");
    let orders = lab.aws.get_object(&lab.bucket, "stacks/orders.tfstate").unwrap();
    assert!(String::from_utf8(orders).unwrap().contains("\"orders\""));
    let digest = lab
        .aws
        .get_item(TABLE, &format!("{}/stacks/orders.tfstate-md5", lab.bucket));
    assert!(digest.is_some());

    let (code, text) = run(&["status", "plan.hcl"]);
    assert!(
        text.contains("fenced") || text.contains("locked"),
        "{code} {text}"
    );
    // The fence: the source stays locked, in both ways, until its code has followed.
    assert!(lab.aws.get_object(&lab.bucket, "mono.tfstate.tflock").is_some());
    assert!(
        lab.aws
            .get_item(TABLE, &format!("{}/mono.tfstate", lab.bucket))
            .is_some()
    );

    let release = text
        .split("stackcut release ")
        .nth(1)
        .expect("status says how to release");
    let id = release.split([' ', '`', '\n']).next().unwrap();
    let (code, text) = run(&["undo", id, "--plan", "plan.hcl", "--auto-approve"]);
    assert_eq!(code, 0, "{text}");
    let after = lab.aws.get_object(&lab.bucket, "mono.tfstate").unwrap();
    assert_ne!(after, before, "the serial goes on");
    assert!(String::from_utf8(after).unwrap().contains("\"orders\""));
    assert_eq!(lab.aws.get_object(&lab.bucket, "mono.tfstate.tflock"), None);
    assert!(
        lab.aws
            .list_items(TABLE)
            .iter()
            .all(|item| !item.contains_key("Info"))
    );
    // Every object of ours is protected as the states are.
    for line in lab.aws.details() {
        let operation = line["operation"].as_str().unwrap_or_default();
        let ours = operation.starts_with("PUT ") && operation.contains(".stackcut/");
        assert!(
            !ours || line["headers"]["x-amz-server-side-encryption"] == "AES256",
            "{line}"
        );
    }
}
