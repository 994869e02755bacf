//! Locks, with real Terraform on the other side of them.

use std::fs;
use std::time::{Duration, Instant};

use stackcut::backend::conformance::info;
use stackcut::backend::{BackendError, LockInfo, StateBackend};

use super::lab::{BOTH_LOCKS, FILE_LOCK, Lab, TABLE, TABLE_LOCK};
use super::terraform::{module, write_code};
use crate::support::terraform::{Terraform, kill_group};
use crate::support::tools::tools;

const EACH: [&[(&str, &str)]; 3] = [TABLE_LOCK, FILE_LOCK, BOTH_LOCKS];

/// What we say about ourselves, with characters that Go escapes.
fn ours() -> LockInfo {
    LockInfo {
        operation: "stackcut apply".to_owned(),
        info: "migration acme-1 <prod> & more; stackcut resume finishes it".to_owned(),
        who: "robot@ci".to_owned(),
        ..info(7)
    }
}

#[test]
fn terraform_is_refused_while_we_hold_one_and_can_free_it() {
    let lab = Lab::new();
    for bin in tools().terraforms() {
        for (number, arguments) in EACH.iter().enumerate() {
            let key = format!("{}-{number}.tfstate", bin.version);
            let dir = tempfile::tempdir().unwrap();
            let terraform = module(&lab, dir.path(), bin, &key, arguments);
            terraform.init();
            let state = lab.open(&key, arguments);
            let lock = state.lock(&ours()).unwrap();

            let output = terraform.run(&["plan", "-no-color"]);
            let text = format!("{output}");
            assert_eq!(output.code, Some(1), "{text}");
            for shown in [
                "Error acquiring the state lock",
                lock.id().as_str(),
                "stackcut apply",
                "robot@ci",
                "migration acme-1 <prod> & more; stackcut resume finishes it",
                &format!("{}/{key}", lab.bucket),
            ] {
                assert!(text.contains(shown), "{shown} is not in {text}");
            }
            let freed = terraform.run(&["force-unlock", "-force", "-no-color", lock.id().as_str()]);
            freed.ok();
            assert_eq!(state.standing_lock().unwrap(), None);
            assert!(
                lab.aws
                    .get_item(TABLE, &format!("{}/{key}", lab.bucket))
                    .is_none()
            );
            terraform.run(&["plan", "-no-color"]).ok();
        }
    }
}

/// An `apply` that waits in the middle until a file appears.
const WAITING: &str = r#"
resource "terraform_data" "x" {
  provisioner "local-exec" {
    command = "touch started; while [ ! -e go ]; do sleep 0.05; done"
  }
}
"#;

fn wait_for(what: &str, done: impl Fn() -> bool) {
    let end = Instant::now() + Duration::from_secs(60);
    while !done() {
        assert!(Instant::now() < end, "{what} did not happen");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn we_are_refused_while_terraform_holds_one() {
    let lab = Lab::new();
    for bin in tools().terraforms() {
        for (number, arguments) in EACH.iter().enumerate() {
            let key = format!("{}-{number}.tfstate", bin.version);
            let dir = tempfile::tempdir().unwrap();
            write_code(&lab, dir.path(), &key, arguments, WAITING);
            let terraform = Terraform::new(bin, dir.path()).envs(lab.aws.env());
            terraform.init();
            let mut apply = terraform.command(&["apply", "-auto-approve"]);
            let mut child = apply.stdout(std::process::Stdio::null()).spawn().unwrap();
            wait_for("the provisioner", || dir.path().join("started").exists());

            let state = lab.open(&key, arguments);
            let refused = state.lock(&ours()).unwrap_err();
            let unlocked = state.unlock(&ours().id).unwrap_err();
            let standing = state.standing_lock().unwrap();
            fs::write(dir.path().join("go"), "").unwrap();
            let ended = child.wait().unwrap();
            kill_group(&child);
            assert!(ended.success());

            let BackendError::Locked { holder, frees, at } = refused else {
                panic!("{refused:?}");
            };
            assert_eq!(at, format!("s3://{}/{key}", lab.bucket));
            assert_eq!(holder.operation, "OperationTypeApply");
            assert_eq!(holder.version, bin.version.to_string());
            assert_eq!(holder.path, format!("{}/{key}", lab.bucket));
            assert_eq!(frees, format!("terraform force-unlock {}", holder.id));
            assert!(matches!(unlocked, BackendError::Locked { .. }), "{unlocked:?}");
            assert_eq!(standing.unwrap().holder, Ok(*holder));

            let lock = state.lock(&ours()).unwrap();
            assert!(state.read().unwrap().bytes().is_some());
            state.unlock(lock.id()).unwrap();
        }
    }
}

#[test]
fn half_a_lock_is_taken_back_and_a_standing_one_is_not() {
    let lab = Lab::new();
    let id = format!("{}/k", lab.bucket);
    let theirs = info(2).with_path(&id).to_json();
    lab.aws.put_item(TABLE, &[("LockID", &id), ("Info", &theirs)]);
    let state = lab.open("k", BOTH_LOCKS);
    let error = state.lock(&ours()).unwrap_err();
    assert!(matches!(&error, BackendError::Locked { holder, .. } if holder.id == info(2).id));
    assert_eq!(
        lab.aws.list_objects(&lab.bucket, ""),
        [""; 0],
        "the object was taken back"
    );

    // One that stood before (a fence, a crash) stays, and is completed once the item is free.
    let fence = ours().with_path(&id).to_json();
    lab.aws.put_object(&lab.bucket, "k.tflock", fence.as_bytes());
    assert!(state.lock(&ours()).is_err());
    assert_eq!(
        lab.aws.get_object(&lab.bucket, "k.tflock").unwrap(),
        fence.as_bytes()
    );
    assert!(state.standing_lock().unwrap().unwrap().is(&ours().id));
    lab.aws.delete_item(TABLE, &id);
    state.lock(&ours()).unwrap();
    assert_eq!(lab.aws.get_item(TABLE, &id).unwrap()["Info"], fence);

    // Releasing takes what is ours, and leaves what is not.
    lab.aws.put_item(TABLE, &[("LockID", &id), ("Info", &theirs)]);
    let error = state.unlock(&ours().id).unwrap_err();
    assert!(matches!(&error, BackendError::Locked { holder, .. } if holder.id == info(2).id));
    assert_eq!(lab.aws.get_object(&lab.bucket, "k.tflock"), None);
    assert_eq!(lab.aws.get_item(TABLE, &id).unwrap()["Info"], theirs);
    assert!(state.standing_lock().unwrap().unwrap().is(&info(2).id));
}

#[test]
fn an_unreadable_lock_says_what_to_delete() {
    let lab = Lab::new();
    let id = format!("{}/k", lab.bucket);
    lab.aws
        .put_item(TABLE, &[("LockID", &id), ("Info", "locked by hand")]);
    lab.aws.put_object(&lab.bucket, "f.tflock", b"hunter2");
    for (key, arguments, frees) in [
        (
            "k",
            TABLE_LOCK,
            format!("delete the item `{id}` of the table `{TABLE}`"),
        ),
        (
            "f",
            FILE_LOCK,
            format!("aws s3 rm 's3://{}/f.tflock'", lab.bucket),
        ),
    ] {
        let state = lab.open(key, arguments);
        for error in [
            state.lock(&ours()).unwrap_err(),
            state.unlock(&ours().id).unwrap_err(),
        ] {
            assert!(matches!(error, BackendError::LockUnreadable { .. }), "{error:?}");
            assert_eq!(error.frees(), Some(frees.as_str()));
            assert!(!format!("{error:?}").contains("hunter2"));
        }
        assert!(state.standing_lock().unwrap().unwrap().holder.is_err());
    }
    // An item without any Info is a lock too.
    lab.aws
        .put_item(TABLE, &[("LockID", &format!("{}/n", lab.bucket))]);
    let error = lab.open("n", TABLE_LOCK).lock(&ours()).unwrap_err();
    assert!(matches!(error, BackendError::LockUnreadable { .. }), "{error:?}");
}

#[test]
fn without_a_lock_nothing_is_locked() {
    let lab = Lab::new();
    let state = lab.open("k", &[]);
    let error = state.lock(&ours()).unwrap_err();
    assert!(
        matches!(error, BackendError::LockingNotConfigured { .. }),
        "{error:?}"
    );
    assert_eq!(state.standing_lock().unwrap(), None);
    assert!(state.read().unwrap().object.is_none());
}
