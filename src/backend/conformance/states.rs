//! Reading and writing states, digests and sidecars.

use std::sync::Barrier;
use std::thread;

use super::{Case, Check, info, is_precondition, refused};
use crate::backend::{BackendError, DigestStanding, Expect, SidecarName, StateBackend, Version};
use crate::state::{Fingerprint, Lineage, Md5Digest, Serial};

pub(super) const CHECKS: &[Check] = &[
    ("write", writes_only_what_was_expected),
    ("foreign", sees_a_foreign_write),
    ("remove", removes_only_what_was_expected),
    ("bytes", keeps_every_byte),
    ("proof", needs_the_proof_of_this_state),
    ("create-race", lets_one_of_many_create),
    ("update-race", lets_one_of_many_update),
    ("digest", keeps_and_compares_the_digest),
    ("confirm", confirms_only_what_is_so),
    ("digest-orphan", reports_a_digest_without_an_object),
    ("sidecar", keeps_sidecars),
    ("sidecar-race", lets_one_of_many_create_a_sidecar),
    ("secret", shows_no_content),
];

fn writes_only_what_was_expected(case: &Case<'_>) {
    let state = case.open();
    assert_eq!(state.read().unwrap().object, None);
    let lock = state.lock(&info(1)).unwrap();
    assert_eq!(
        state.read().unwrap().expect(),
        Expect::Absent,
        "a lock is no state"
    );
    let elsewhere = Expect::Version(Version::new("\"d41d8cd98f00b204e9800998ecf8427e\""));
    refused(state.write(&lock, b"{1}", &elsewhere), is_precondition);
    assert_eq!(state.read().unwrap().object, None);

    let first = state.write(&lock, b"{1}", &Expect::Absent).unwrap();
    let read = state.read().unwrap();
    assert_eq!(read.bytes(), Some(&b"{1}"[..]));
    assert_eq!(read.expect(), Expect::Version(first.version.clone()));
    refused(state.write(&lock, b"{2}", &Expect::Absent), is_precondition);

    let second = state
        .write(&lock, b"{2}", &Expect::Version(first.version.clone()))
        .unwrap();
    assert_ne!(first.version, second.version);
    refused(
        state.write(&lock, b"{3}", &Expect::Version(first.version)),
        is_precondition,
    );
    assert_eq!(case.open().read().unwrap().bytes(), Some(&b"{2}"[..]));
    state.unlock(lock.id()).unwrap();
    assert_eq!(state.read().unwrap().bytes(), Some(&b"{2}"[..]));
}

fn sees_a_foreign_write(case: &Case<'_>) {
    let state = case.open();
    case.harness.overwrite(&case.path, b"{theirs 1}");
    let before = state.read().unwrap();
    assert_eq!(before.bytes(), Some(&b"{theirs 1}"[..]));
    case.harness.overwrite(&case.path, b"{theirs 2}");
    let lock = state.lock(&info(1)).unwrap();
    refused(state.write(&lock, b"{ours}", &before.expect()), is_precondition);
    let now = state.read().unwrap();
    assert_eq!(now.bytes(), Some(&b"{theirs 2}"[..]));
    state.write(&lock, b"{ours}", &now.expect()).unwrap();
    state.unlock(lock.id()).unwrap();
}

fn removes_only_what_was_expected(case: &Case<'_>) {
    let state = case.open();
    let lock = state.lock(&info(1)).unwrap();
    let first = state.write(&lock, b"{1}", &Expect::Absent).unwrap();
    let second = state
        .write(&lock, b"{2}", &Expect::Version(first.version.clone()))
        .unwrap();
    refused(state.remove(&lock, &first.version), is_precondition);
    state.remove(&lock, &second.version).unwrap();
    state.remove(&lock, &second.version).unwrap();
    state.remove_digest(&lock).unwrap();
    assert_eq!(state.read().unwrap().object, None);
    state.write(&lock, b"{3}", &Expect::Absent).unwrap();
    state.unlock(lock.id()).unwrap();
    assert_eq!(state.read().unwrap().bytes(), Some(&b"{3}"[..]));
}

fn keeps_every_byte(case: &Case<'_>) {
    let state = case.open();
    let lock = state.lock(&info(1)).unwrap();
    let mut expect = Expect::Absent;
    // Long, short, longer: a shorter state leaves no tail of the longer one. Six MiB pass Terraform's multipart bound.
    for len in [100_000, 1, 6 * 1024 * 1024, 513] {
        let bytes: Vec<u8> = (0..len).map(|at: usize| (at % 251) as u8).collect();
        let written = state.write(&lock, &bytes, &expect).unwrap();
        let read = state.read().unwrap();
        assert!(
            read.bytes() == Some(&bytes[..]),
            "{len} bytes came back different"
        );
        expect = Expect::Version(written.version);
        assert_eq!(read.expect(), expect);
    }
    state.unlock(lock.id()).unwrap();
}

fn needs_the_proof_of_this_state(case: &Case<'_>) {
    let other = case.harness.open(&format!("{}.other", case.path));
    let lock = other.lock(&info(1)).unwrap();
    let state = case.open();
    let is_not_locked = |error: &BackendError| matches!(error, BackendError::NotLocked { .. });
    refused(state.write(&lock, b"{}", &Expect::Absent), is_not_locked);
    refused(state.write_digest(&lock, &Md5Digest::of(b"")), is_not_locked);
    refused(state.remove(&lock, &Version::new("x")), is_not_locked);
    refused(state.remove_digest(&lock), is_not_locked);
    assert_eq!(state.read().unwrap().object, None);
    other.unlock(lock.id()).unwrap();
}

/// Runs the same in many threads at once; returns how many succeeded. Fails if one fails otherwise than by a condition.
fn race(runs: usize, run: impl Fn(usize) -> Result<(), BackendError> + Sync) -> usize {
    let start = Barrier::new(runs);
    let results = thread::scope(|scope| {
        let run = |number| {
            let (start, run) = (&start, &run);
            scope.spawn(move || {
                start.wait();
                run(number)
            })
        };
        let threads: Vec<_> = (0..runs).map(run).collect();
        let joined = threads.into_iter().map(|thread| thread.join().unwrap());
        joined.collect::<Vec<_>>()
    });
    for error in results.iter().filter_map(|result| result.as_ref().err()) {
        let refusal = matches!(
            error,
            BackendError::PreconditionFailed { .. } | BackendError::Conflict { .. }
        );
        assert!(refusal, "{error:?}");
    }
    results.iter().filter(|result| result.is_ok()).count()
}

fn lets_one_of_many_create(case: &Case<'_>) {
    // All of them hold "the" lock, as after a forced unlock: the condition alone must do.
    let lock = case.open().lock(&info(1)).unwrap();
    let won = race(6, |number| {
        let bytes = format!("{{created by {number}}}");
        case.open()
            .write(&lock, bytes.as_bytes(), &Expect::Absent)
            .map(drop)
    });
    assert_eq!(won, 1);
    case.open().unlock(lock.id()).unwrap();
}

fn lets_one_of_many_update(case: &Case<'_>) {
    let lock = case.open().lock(&info(1)).unwrap();
    let first = case.open().write(&lock, b"{0}", &Expect::Absent).unwrap();
    let won = race(6, |number| {
        let bytes = format!("{{updated by {number}}}");
        case.open()
            .write(&lock, bytes.as_bytes(), &Expect::Version(first.version.clone()))
            .map(drop)
    });
    assert_eq!(won, 1);
    case.open().unlock(lock.id()).unwrap();
}

fn print(bytes: &[u8]) -> Fingerprint {
    Fingerprint::of_bytes(Lineage::new("l"), Serial(1), bytes)
}

/// Nothing is confirmed that a read would not say, whether or not anything is.
fn confirms_only_what_is_so(case: &Case<'_>) {
    let state = case.open();
    let near = case.harness.open(&format!("{}.near", case.path));
    // Asked for together, where a store can tell of many at once.
    let confirm = |expected: Option<&Fingerprint>| {
        thread::scope(|scope| {
            let beside = scope.spawn(|| near.confirm(None).unwrap());
            let confirmed = state.confirm(expected).unwrap();
            if let Some(absent) = beside.join().unwrap() {
                assert_eq!(absent.expect(), Expect::Absent);
            }
            confirmed
        })
    };
    let check = |state: &dyn StateBackend, expected: Option<&Fingerprint>| {
        if let Some(confirmed) = confirm(expected) {
            let read = state.read().unwrap();
            assert_eq!(confirmed.expect(), read.expect());
            assert_eq!(read.bytes().map(print).as_ref(), expected);
            assert_eq!(confirmed.digest, read.digest);
        }
    };
    let (one, two) = (print(b"{1}"), print(b"{2}"));
    check(&*state, None);
    assert_eq!(confirm(Some(&one)), None);
    let lock = state.lock(&info(1)).unwrap();
    check(&*state, None);
    let first = state.write(&lock, b"{1}", &Expect::Absent).unwrap();
    check(&*state, Some(&one));
    state.write_digest(&lock, &one.md5).unwrap();
    check(&*state, Some(&one));
    assert_eq!(confirm(None), None);
    assert_eq!(confirm(Some(&two)), None);
    let longer = Fingerprint {
        size: 4,
        ..one.clone()
    };
    assert_eq!(confirm(Some(&longer)), None);
    state
        .write(&lock, b"{2}", &Expect::Version(first.version))
        .unwrap();
    assert_eq!(confirm(Some(&one)), None);
    if state.keeps_digest() {
        assert_eq!(confirm(Some(&two)), None, "its digest is still that of the first");
    }
    // The digest is written whether or not anything can be confirmed.
    let settle = |written: &Fingerprint| {
        thread::scope(|scope| {
            let beside = scope.spawn(|| near.confirm(None).unwrap());
            let confirmed = state.write_digest_and_confirm(&lock, written).unwrap();
            beside.join().unwrap();
            confirmed
        })
    };
    for written in [&one, &two] {
        let confirmed = settle(written);
        let read = state.read().unwrap();
        let fits = read.bytes().map(print).as_ref() == Some(written);
        if state.keeps_digest() {
            let stored = Some(written.md5.to_string());
            assert_eq!(case.harness.digest(&case.path), stored);
            assert_eq!(read.digest == DigestStanding::Matches, fits);
        }
        if let Some(confirmed) = confirmed {
            assert!(fits);
            assert_eq!(
                (confirmed.expect(), confirmed.digest),
                (read.expect(), read.digest)
            );
        }
    }
    state.unlock(lock.id()).unwrap();
}

fn keeps_and_compares_the_digest(case: &Case<'_>) {
    let state = case.open();
    let lock = state.lock(&info(1)).unwrap();
    state.write(&lock, b"{1}", &Expect::Absent).unwrap();
    if !state.keeps_digest() {
        state.write_digest(&lock, &Md5Digest::of(b"{1}")).unwrap();
        assert_eq!(state.read().unwrap().digest, DigestStanding::NotKept);
        state.unlock(lock.id()).unwrap();
        return;
    }
    assert_eq!(state.read().unwrap().digest, DigestStanding::Missing);
    let right = Md5Digest::of(b"{1}");
    state.write_digest(&lock, &right).unwrap();
    assert_eq!(case.harness.digest(&case.path), Some(right.to_string()));
    assert_eq!(state.read().unwrap().digest, DigestStanding::Matches);

    case.harness
        .set_digest(&case.path, Some(&right.to_string().to_uppercase()));
    assert_eq!(
        state.read().unwrap().digest,
        DigestStanding::Matches,
        "upper case is accepted"
    );
    case.harness.set_digest(&case.path, Some("no md5"));
    assert_eq!(
        state.read().unwrap().digest,
        DigestStanding::Missing,
        "what is no MD5 is no check"
    );

    let wrong = Md5Digest::of(b"{0}");
    case.harness.set_digest(&case.path, Some(&wrong.to_string()));
    let read = state.read().unwrap();
    assert_eq!(read.digest, DigestStanding::Stale { stored: wrong });
    assert_eq!(
        read.bytes(),
        Some(&b"{1}"[..]),
        "the bytes are there for the repair"
    );
    let error = read.checked("here").unwrap_err();
    let expected = (wrong, Some(right));
    assert!(
        matches!(error, BackendError::DigestMismatch { stored, calculated, .. } if (stored, calculated) == expected)
    );

    state.write_digest(&lock, &right).unwrap();
    assert!(state.read().unwrap().checked("here").is_ok());
    state.unlock(lock.id()).unwrap();
}

fn reports_a_digest_without_an_object(case: &Case<'_>) {
    let state = case.open();
    if !state.keeps_digest() {
        return;
    }
    let stored = Md5Digest::of(b"{gone}");
    case.harness.set_digest(&case.path, Some(&stored.to_string()));
    let read = state.read().unwrap();
    assert_eq!(
        (read.object.clone(), read.digest),
        (None, DigestStanding::Stale { stored })
    );
    assert!(matches!(
        read.checked("here"),
        Err(BackendError::DigestMismatch { calculated: None, .. })
    ));
    let lock = state.lock(&info(1)).unwrap();
    state.remove_digest(&lock).unwrap();
    state.remove_digest(&lock).unwrap();
    assert_eq!(state.read().unwrap().digest, DigestStanding::Missing);
    state.unlock(lock.id()).unwrap();
}

fn name(text: &str) -> SidecarName {
    text.parse().unwrap()
}

fn keeps_sidecars(case: &Case<'_>) {
    let state = case.open();
    assert_eq!(state.list_sidecars("").unwrap(), []);
    let (one, two, backup) = (
        name("journal/m/000001.json"),
        name("journal/m/000002.json"),
        name("backup/m.tfstate"),
    );
    state.create_sidecar(&two, b"2").unwrap();
    state.create_sidecar(&one, b"").unwrap();
    state.put_sidecar(&backup, b"old").unwrap();
    state.put_sidecar(&backup, b"new").unwrap();
    refused(state.create_sidecar(&two, b"3"), is_precondition);
    let other = case.open();
    assert_eq!(other.get_sidecar(&two).unwrap().as_deref(), Some(&b"2"[..]));
    assert_eq!(other.get_sidecar(&one).unwrap().as_deref(), Some(&b""[..]));
    assert_eq!(other.get_sidecar(&backup).unwrap().as_deref(), Some(&b"new"[..]));
    assert_eq!(other.get_sidecar(&name("journal")).unwrap_or_default(), None);
    assert_eq!(
        other.list_sidecars("").unwrap(),
        [backup.clone(), one.clone(), two.clone()]
    );
    assert_eq!(
        other.list_sidecars("journal/").unwrap(),
        [one.clone(), two.clone()]
    );
    assert_eq!(
        other.list_sidecars("journal/m/000002").unwrap(),
        std::slice::from_ref(&two)
    );
    let neighbour = case.harness.open(&format!("{}.other", case.path));
    assert_eq!(
        neighbour.list_sidecars("").unwrap(),
        [],
        "sidecars belong to one state"
    );
    assert_eq!(other.read().unwrap().object, None, "a sidecar is no state");
    for name in [&one, &two, &backup, &backup] {
        other.delete_sidecar(name).unwrap();
        assert_eq!(other.get_sidecar(name).unwrap(), None);
    }
    assert_eq!(state.list_sidecars("").unwrap(), []);
}

fn lets_one_of_many_create_a_sidecar(case: &Case<'_>) {
    let record = name("journal/m/000001.json");
    let won = race(6, |number| {
        case.open()
            .create_sidecar(&record, format!("record {number}").as_bytes())
    });
    assert_eq!(won, 1);
    case.open().delete_sidecar(&record).unwrap();
}

fn shows_no_content(case: &Case<'_>) {
    let state = case.open();
    let lock = state.lock(&info(1)).unwrap();
    state.write(&lock, b"{hunter2}", &Expect::Absent).unwrap();
    let read = state.read().unwrap();
    let mut shown = format!("{read:?} {:?} {:?}", read.object, state.standing_lock());
    let error = state
        .write(&lock, b"{hunter2 again}", &Expect::Absent)
        .unwrap_err();
    shown += &format!("{error:?} {error}");
    assert!(!shown.contains("hunter2"), "{shown}");
    state.unlock(lock.id()).unwrap();
}
