//! Many states at the same time: few requests, and the outcome of each as if it were alone.

use std::io::Write as _;
use std::net::{Shutdown, SocketAddr};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::Duration;

use stackcut::backend::clock::TestClock;
use stackcut::backend::conformance::info;
use stackcut::backend::s3::{S3Backend, S3Clients};
use stackcut::backend::settling::Settling;
use stackcut::backend::{BackendError, DigestStanding, Expect, StateBackend, StateLock};
use stackcut::state::{Fingerprint, Lineage, Md5Digest, Serial};

use super::lab::{Lab, TABLE, TABLE_LOCK};
use super::network::{listen, lossy, passed_on, request};

const PATIENT: Duration = Duration::from_secs(30);

fn key(number: usize) -> String {
    format!("{number:03}.tfstate")
}

fn id(lab: &Lab, number: usize) -> String {
    format!("{}/{}", lab.bucket, key(number))
}

/// Opens handles for that many states, as one process does; the lock table may be reached through a proxy.
fn open(lab: &Lab, count: usize, proxy: Option<SocketAddr>) -> Vec<S3Backend> {
    open_through(lab, count, "endpoints.dynamodb", proxy)
}

fn open_through(lab: &Lab, count: usize, service: &str, proxy: Option<SocketAddr>) -> Vec<S3Backend> {
    let clients = S3Clients::with_patience(Arc::new(TestClock::default()), PATIENT).unwrap();
    let endpoint = proxy.map(|address| format!("http://{address}"));
    let through = endpoint.as_deref().map(|url| (service, url));
    let arguments: Vec<_> = TABLE_LOCK.iter().copied().chain(through).collect();
    let open = |number| clients.open(lab.config(&key(number), &arguments)).unwrap();
    (0..count).map(open).collect()
}

/// Runs on all states at the same moment.
fn at_once<S: Sync, R: Send>(states: &[S], run: impl Fn(usize, &S) -> R + Sync) -> Vec<R> {
    let start = Barrier::new(states.len());
    thread::scope(|scope| {
        let (run, start) = (&run, &start);
        let spawn = |(number, state)| {
            scope.spawn(move || {
                start.wait();
                run(number, state)
            })
        };
        let running: Vec<_> = states.iter().enumerate().map(spawn).collect();
        running.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

fn locked(states: &[S3Backend]) -> Vec<StateLock> {
    let locks = at_once(states, |_, state| state.lock(&info(1)));
    locks.into_iter().map(Result::unwrap).collect()
}

#[test]
fn a_hundred_states_are_a_few_requests() {
    let lab = Lab::new();
    let states = open(&lab, 100, None);
    // A busy machine starts threads late; alone, each of these would be a hundred requests.
    let few = |requests: Vec<String>, operation: &str| {
        assert!(requests.len() <= 30, "{operation}: {}", requests.len());
        let named = |request: &&String| request.contains(operation);
        assert!(requests.iter().any(|request| named(&request)), "{requests:?}");
    };
    let mut locks = Vec::new();
    few(
        lab.requests_of(|| locks = locked(&states)),
        "TransactWriteItems 200",
    );
    let digest = Md5Digest::of(b"{}");
    let requests = lab.requests_of(|| {
        at_once(&states, |number, state| {
            state.write_digest(&locks[number], &digest).unwrap();
        });
    });
    few(requests, "TransactWriteItems 200");
    let requests = lab.requests_of(|| {
        for standing in at_once(&states, |_, state| state.standing_lock().unwrap()) {
            assert!(standing.unwrap().is(&info(1).id));
        }
    });
    few(requests, "TransactGetItems 200");
    for number in [0, 57, 99] {
        let item = lab.aws.get_item(TABLE, &id(&lab, number)).unwrap();
        assert_eq!(item["Info"], info(1).with_path(&id(&lab, number)).to_json());
        let kept = lab
            .aws
            .get_item(TABLE, &format!("{}-md5", id(&lab, number)))
            .unwrap();
        assert_eq!(kept["Digest"], digest.to_string());
    }
    at_once(&states, |number, state| state.unlock(locks[number].id()).unwrap());
    at_once(&states, |number, state| {
        state.remove_digest(&locks[number]).unwrap();
    });
    assert!(lab.aws.list_items(TABLE).is_empty());
}

#[test]
fn a_lock_of_somebody_else_is_the_only_one_that_is_refused() {
    let lab = Lab::new();
    let states = open(&lab, 50, None);
    let theirs = info(9).with_path(&id(&lab, 31)).to_json();
    lab.aws
        .put_item(TABLE, &[("LockID", &id(&lab, 31)), ("Info", &theirs)]);
    // This one stands already, under our own ID: after a crash.
    let before = info(1).with_path(&id(&lab, 7)).to_json();
    lab.aws
        .put_item(TABLE, &[("LockID", &id(&lab, 7)), ("Info", &before)]);
    let taken = at_once(&states, |_, state| state.lock(&info(1)));
    for (number, taken) in taken.iter().enumerate() {
        match taken {
            Err(BackendError::Locked { holder, .. }) => {
                assert_eq!((number, &holder.id), (31, &info(9).id));
            }
            taken => assert_eq!(taken.as_ref().unwrap().id(), &info(1).id),
        }
        assert!(taken.is_ok() || number == 31);
    }
    // Meanwhile one of ours was freed by force and taken by somebody else.
    let thief = info(8).with_path(&id(&lab, 12)).to_json();
    lab.aws
        .put_item(TABLE, &[("LockID", &id(&lab, 12)), ("Info", &thief)]);
    let released = at_once(&states, |_, state| state.unlock(&info(1).id));
    for (number, released) in released.iter().enumerate() {
        match (number, released) {
            (12 | 31, Err(BackendError::Locked { .. })) => {}
            (_, released) => assert!(released.is_ok(), "{number}: {released:?}"),
        }
        assert!(released.is_ok() || [12, 31].contains(&number));
    }
    let left: Vec<_> = lab
        .aws
        .list_items(TABLE)
        .into_iter()
        .map(|item| item["Info"].clone())
        .collect();
    assert_eq!(left.len(), 2);
    assert!(left.contains(&theirs) && left.contains(&thief));
}

#[test]
fn of_two_who_want_all_each_lock_goes_to_one() {
    let lab = Lab::new();
    let (ours, theirs) = (open(&lab, 40, None), open(&lab, 40, None));
    let both: Vec<(&S3Backend, u8)> = ours
        .iter()
        .zip(&theirs)
        .flat_map(|(ours, theirs)| [(ours, 1), (theirs, 2)])
        .collect();
    let taken = at_once(&both, |_, (state, who)| state.lock(&info(*who)));
    for (number, pair) in taken.chunks(2).enumerate() {
        let winners: Vec<_> = pair.iter().flatten().map(StateLock::id).collect();
        assert_eq!(winners.len(), 1, "{number}: {pair:?}");
        let standing = ours[number].standing_lock().unwrap().unwrap();
        assert!(standing.is(winners[0]));
        let loser = pair.iter().find_map(|one| one.as_ref().err()).unwrap();
        assert!(matches!(loser, BackendError::Locked { holder, .. } if holder.id == *winners[0]));
    }
}

#[test]
fn a_lost_answer_is_told_to_everyone_and_settled_by_each() {
    let lab = Lab::new();
    let lost = lossy(lab.aws.address(), 1000, &["TransactWriteItems"]);
    let states = open(&lab, 20, Some(lost));
    let taken = at_once(&states, |_, state| state.lock(&info(1)));
    let ambiguous = taken.iter().filter(|one| one.is_err()).count();
    assert!(ambiguous >= 10, "{taken:?}");
    for one in taken {
        assert!(
            one.as_ref().err().is_none_or(BackendError::is_ambiguous),
            "{one:?}"
        );
    }
    // They were taken all the same, and every one finds that out.
    assert_eq!(lab.aws.list_items(TABLE).len(), 20);
    let settled = |lost: usize| -> Vec<Settling> {
        let proxy = lossy(lab.aws.address(), lost, &["TransactWriteItems"]);
        let wrap = |state| Settling::new(Arc::new(state), Arc::new(TestClock::default()));
        open(&lab, 20, Some(proxy)).into_iter().map(wrap).collect()
    };
    for lost in [1, 2] {
        let states = settled(lost);
        let locks = at_once(&states, |_, state| state.lock(&info(1)).unwrap());
        let states = settled(lost);
        let digest = Md5Digest::of(b"{}");
        at_once(&states, |number, state| {
            state.write_digest(&locks[number], &digest).unwrap();
        });
        for state in &states {
            assert!(
                matches!(state.read().unwrap().digest, DigestStanding::Stale { stored } if stored == digest)
            );
        }
        let states = settled(lost);
        at_once(&states, |number, state| state.unlock(locks[number].id()).unwrap());
        at_once(&states, |_, state| {
            assert_eq!(state.standing_lock().unwrap(), None);
        });
    }
}

fn print(number: usize) -> (Vec<u8>, Fingerprint) {
    let bytes = format!("{{{number}}}").into_bytes();
    let print = Fingerprint::of_bytes(Lineage::new("l"), Serial(1), &bytes);
    (bytes, print)
}

/// What should not be there, and what was just written, is told by listings; what is wrong is told of nothing.
#[test]
fn a_listing_tells_of_many_states() {
    let lab = Lab::new();
    let states = open(&lab, 100, None);
    // Others that stand between, as in a bucket that many use.
    lab.aws
        .put_object(&lab.bucket, "031.tfstate.stackcut/journal/x", b"{}");
    lab.aws.put_object(&lab.bucket, "050.tfstate", b"{theirs}");
    let mut told = Vec::new();
    let requests = lab.requests_of(|| told = at_once(&states, |_, state| state.confirm(None).unwrap()));
    let (lists, gets) = requests
        .iter()
        .filter(|request| request.starts_with("s3 "))
        .partition::<Vec<_>, _>(|request| request.contains("list-type"));
    assert!((1..=30).contains(&lists.len()) && gets.is_empty(), "{requests:?}");
    let absent = told
        .iter()
        .flatten()
        .filter(|told| told.expect() == Expect::Absent);
    // A state that came alone is left to a read; on a busy machine some do.
    assert!(absent.count() >= 50);
    assert_eq!(told[50], None);

    let locks = locked(&states);
    at_once(&states, |number, state| {
        let (bytes, print) = print(number);
        let expect = state.read().unwrap().expect();
        let written = state.write(&locks[number], &bytes, &expect).unwrap();
        assert!(written.version.is_md5(&print.md5));
        if number != 7 {
            state.write_digest(&locks[number], &print.md5).unwrap();
        }
    });
    lab.aws.put_object(&lab.bucket, "060.tfstate", b"{theirs}");
    let told = at_once(&states, |number, state| {
        state.confirm(Some(&print(number).1)).unwrap()
    });
    assert_eq!(told[60], None);
    let confirmed = told
        .iter()
        .zip(&states)
        .filter_map(|(told, state)| Some((told.as_ref()?, state)));
    let mut count = 0;
    for (number, (told, state)) in confirmed.enumerate() {
        let read = state.read().unwrap();
        assert_eq!(
            (told.expect(), told.digest),
            (read.expect(), read.digest),
            "{number}"
        );
        count += 1;
    }
    assert!(count >= 50);
    let missing = told[7]
        .as_ref()
        .is_none_or(|told| told.digest == DigestStanding::Missing);
    assert!(missing);
}

/// Passes every request on to the emulator, but for those with this word, which are answered with this error.
fn without(to: SocketAddr, word: &'static str, status: &'static str, body: String) -> SocketAddr {
    listen(move |mut stream| {
        let asked = request(&mut stream);
        if asked.is_empty() {
            return;
        }
        if String::from_utf8_lossy(&asked).contains(word) {
            let head = format!(
                "HTTP/1.1 {status} No\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
                body.len()
            );
            let _ = stream.write_all(format!("{head}{body}").as_bytes());
            return;
        }
        let _ = stream.write_all(&passed_on(to, &asked));
        let _ = stream.shutdown(Shutdown::Both);
    })
}

#[test]
fn where_listings_are_denied_nothing_is_told() {
    let lab = Lab::new();
    for (status, code) in [
        ("403", "AccessDenied"),
        ("501", "NotImplemented"),
        ("503", "SlowDown"),
    ] {
        let body = format!("<Error><Code>{code}</Code><Message>no</Message></Error>");
        let proxy = without(lab.aws.address(), "list-type", status, body);
        let states = open_through(&lab, 20, "endpoints.s3", Some(proxy));
        for told in at_once(&states, |_, state| state.confirm(None).unwrap()) {
            assert_eq!(told, None, "{code}");
        }
        for read in at_once(&states, |_, state| state.read().unwrap()) {
            assert_eq!(read.object, None);
        }
    }
}

#[test]
fn where_transactions_are_denied_or_unknown_each_call_goes_alone() {
    for (status, code) in [
        ("400", "AccessDeniedException"),
        ("400", "UnknownOperationException"),
        ("501", "NotImplemented"),
    ] {
        let lab = Lab::new();
        let body = format!(r#"{{"__type":"com.amazonaws.dynamodb.v20120810#{code}","message":"no"}}"#);
        let proxy = without(lab.aws.address(), "DynamoDB_20120810.Transact", status, body);
        let states = open(&lab, 20, Some(proxy));
        let theirs = info(9).with_path(&id(&lab, 3)).to_json();
        lab.aws
            .put_item(TABLE, &[("LockID", &id(&lab, 3)), ("Info", &theirs)]);
        for (number, taken) in at_once(&states, |_, state| state.lock(&info(1)))
            .iter()
            .enumerate()
        {
            assert_eq!(taken.is_err(), number == 3, "{code} {number}: {taken:?}");
        }
        for state in at_once(&states, |_, state| state.standing_lock().unwrap()) {
            assert!(state.is_some());
        }
        for (number, released) in at_once(&states, |_, state| state.unlock(&info(1).id))
            .iter()
            .enumerate()
        {
            assert_eq!(released.is_err(), number == 3, "{code} {number}: {released:?}");
        }
        assert_eq!(lab.aws.list_items(TABLE).len(), 1);
    }
}
