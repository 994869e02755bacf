//! Large states, workspaces and digests, shared with real Terraform.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use stackcut::backend::clock::{Clock, TestClock};
use stackcut::backend::conformance::info;
use stackcut::backend::s3::S3Clients;
use stackcut::backend::{DigestStanding, Expect, StateBackend};
use stackcut::state::Md5Digest;

use super::lab::{FILE_LOCK, Lab, TABLE, TABLE_LOCK};
use super::terraform::module;
use crate::support::tools::tools;

/// A state of more than six MiB, in Terraform's layout.
fn large(serial: u64) -> String {
    let text = "0123456789abcdef".repeat(400_000);
    format!(
        r#"{{
  "version": 4,
  "terraform_version": "1.11.4",
  "serial": {serial},
  "lineage": "8f6c0d0e-6a0f-3c4b-9d2a-b1f8d2c41a11",
  "outputs": {{
    "text": {{
      "value": "{text}",
      "type": "string"
    }}
  }},
  "resources": [],
  "check_results": null
}}
"#
    )
}

#[test]
fn large_states_pass_to_and_from_terraform() {
    let lab = Lab::new();
    let bin = tools().terraforms().first().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let terraform = module(&lab, dir.path(), bin, "large", TABLE_LOCK);
    terraform.init();
    fs::write(dir.path().join("large.json"), large(1)).unwrap();
    terraform.run(&["state", "push", "large.json"]).ok();

    let state = lab.open("large", TABLE_LOCK);
    let theirs = state.read().unwrap();
    let version = theirs.object.as_ref().unwrap().version.as_str().to_owned();
    assert!(
        version.contains('-'),
        "it was uploaded in parts, so its ETag is no MD5: {version}"
    );
    assert_eq!(theirs.digest, DigestStanding::Matches);
    assert!(theirs.bytes().unwrap().len() > 6_000_000);

    let lock = state.lock(&info(1)).unwrap();
    let ours = large(9);
    state.write(&lock, ours.as_bytes(), &theirs.expect()).unwrap();
    state
        .write_digest(&lock, &Md5Digest::of(ours.as_bytes()))
        .unwrap();
    state.unlock(lock.id()).unwrap();
    let puts = lab.aws.requests();
    let puts = puts
        .iter()
        .filter(|line| line.ends_with("/large?x-id=PutObject 200"));
    assert_eq!(puts.count(), 1, "ours was one request");
    let pulled = terraform.state_pull();
    assert!(pulled.contains("\"serial\": 9") && pulled.len() > 6_000_000);
}

#[test]
fn workspaces_are_found_as_terraform_finds_them() {
    let lab = Lab::new();
    let bin = tools().terraforms().first().unwrap();
    for (arguments, prefix) in [
        (FILE_LOCK.to_vec(), "env:"),
        (
            [FILE_LOCK, &[("workspace_key_prefix", "work/spaces")]].concat(),
            "work/spaces",
        ),
    ] {
        let key = format!("a/{}.tfstate", prefix.len());
        let dir = tempfile::tempdir().unwrap();
        let terraform = module(&lab, dir.path(), bin, &key, &arguments);
        terraform.init();
        assert_eq!(lab.open(&key, &arguments).workspaces().unwrap(), [""; 0]);
        terraform.apply();
        for name in ["stage", "prod-1"] {
            terraform.run(&["workspace", "new", name]).ok();
        }
        // What lies beside is no workspace.
        for other in [
            "stage/other.tfstate",
            "stray",
            &format!("stage/{key}.stackcut/x"),
            &key,
        ] {
            lab.aws
                .put_object(&lab.bucket, &format!("{prefix}/{other}"), b"{}");
        }
        let state = lab.open(&key, &arguments);
        assert_eq!(state.workspaces().unwrap(), ["default", "prod-1", "stage"]);
        let stage = lab.open_as(lab.config_in("stage", &key, &arguments));
        assert_eq!(
            stage.describe(),
            format!("s3://{}/{prefix}/stage/{key}", lab.bucket)
        );
        let bytes = stage.read().unwrap();
        assert!(String::from_utf8_lossy(bytes.bytes().unwrap()).contains("\"resources\": []"));
    }
}

#[test]
fn many_workspaces_come_in_pages() {
    let lab = Lab::new();
    let names: Vec<String> = (0..1005).map(|number| format!("w{number:04}")).collect();
    for name in &names {
        lab.aws.put_object(&lab.bucket, &format!("env:/{name}/k"), b"{}");
    }
    assert_eq!(lab.open("k", FILE_LOCK).workspaces().unwrap(), names);
}

#[test]
fn a_stale_digest_is_looked_at_as_long_as_terraform_would() {
    let lab = Lab::new();
    let state = lab.open("k", TABLE_LOCK);
    lab.aws.put_object(&lab.bucket, "k", b"{new}");
    let old = Md5Digest::of(b"{old}");
    let id = format!("{}/k-md5", lab.bucket);
    lab.aws
        .put_item(TABLE, &[("LockID", &id), ("Digest", &old.to_string())]);
    let mut reading = None;
    let requests = lab.requests_of(|| reading = Some(state.read().unwrap()));
    assert_eq!(reading.unwrap().digest, DigestStanding::Stale { stored: old });
    assert_eq!(lab.clock.sleeps(), [Duration::from_secs(2); 5]);
    assert_eq!(
        requests.iter().filter(|line| line.starts_with("s3 GET")).count(),
        6
    );
    assert_eq!(
        requests
            .iter()
            .filter(|line| line.starts_with("dynamodb GetItem"))
            .count(),
        6
    );
}

/// A clock on which a colleague's write comes to its end while we wait.
struct Meanwhile<F> {
    clock: TestClock,
    run: F,
}

impl<F: Fn() + Send + Sync> Clock for Meanwhile<F> {
    fn now(&self) -> Duration {
        self.clock.now()
    }

    fn sleep(&self, time: Duration) {
        self.clock.sleep(time);
        (self.run)();
    }
}

#[test]
fn a_stale_digest_may_become_right() {
    let lab = Lab::new();
    let id = format!("{}/k-md5", lab.bucket);
    lab.aws.put_object(&lab.bucket, "k", b"{new}");
    let (old, new) = (
        Md5Digest::of(b"{old}").to_string(),
        Md5Digest::of(b"{new}").to_string(),
    );
    lab.aws.put_item(TABLE, &[("LockID", &id), ("Digest", &old)]);
    let (aws, right) = (lab.aws.clone(), new.clone());
    let clock = Meanwhile {
        clock: TestClock::default(),
        run: move || aws.put_item(TABLE, &[("LockID", &id), ("Digest", &right)]),
    };
    let clients = S3Clients::new(Arc::new(clock)).unwrap();
    let state = clients.open(lab.config("k", TABLE_LOCK)).unwrap();
    assert_eq!(state.read().unwrap().digest, DigestStanding::Matches);
}

#[test]
fn terraform_goes_by_our_digest() {
    let lab = Lab::new();
    let bin = tools().terraforms().first().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let terraform = module(&lab, dir.path(), bin, "k", TABLE_LOCK);
    terraform.init();
    terraform.apply();
    let state = lab.open("k", TABLE_LOCK);
    let before = state.read().unwrap();
    let text = String::from_utf8(before.bytes().unwrap().to_vec()).unwrap();
    let edited = text.replace("\"serial\": 1,", "\"serial\": 2,");
    assert_ne!(text, edited);
    let lock = state.lock(&info(1)).unwrap();
    state.write(&lock, edited.as_bytes(), &before.expect()).unwrap();
    state
        .write_digest(&lock, &Md5Digest::of(edited.as_bytes()))
        .unwrap();
    state.unlock(lock.id()).unwrap();
    terraform.assert_no_changes();

    // Gone with its digest is gone for Terraform too.
    let lock = state.lock(&info(1)).unwrap();
    let version = state.read().unwrap().object.unwrap().version;
    state.remove(&lock, &version).unwrap();
    state.remove_digest(&lock).unwrap();
    state.unlock(lock.id()).unwrap();
    assert!(terraform.state_list().is_empty());
}

#[test]
fn versions_of_a_bucket_that_keeps_them_are_told() {
    let lab = Lab::new();
    lab.aws.enable_versioning(&lab.bucket);
    let state = lab.open("k", FILE_LOCK);
    let lock = state.lock(&info(1)).unwrap();
    let first = state.write(&lock, b"{1}", &Expect::Absent).unwrap();
    let second = state
        .write(&lock, b"{2}", &Expect::Version(first.version.clone()))
        .unwrap();
    let read = state.read().unwrap().object.unwrap();
    assert!(first.version_id.is_some() && first.version_id != second.version_id);
    assert_eq!(read.version_id, second.version_id);
    state.unlock(lock.id()).unwrap();
    // A delete marker is no lock and no state.
    assert_eq!(state.standing_lock().unwrap(), None);
    let lock = state.lock(&info(2)).unwrap();
    state.remove(&lock, &second.version).unwrap();
    state.write(&lock, b"{3}", &Expect::Absent).unwrap();
    state.unlock(lock.id()).unwrap();
}
