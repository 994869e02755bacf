//! Answers that do not come, are lost, or say no.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use stackcut::backend::clock::TestClock;
use stackcut::backend::conformance::info;
use stackcut::backend::s3::{S3Backend, S3Clients};
use stackcut::backend::settling::Settling;
use stackcut::backend::{BackendError, Expect, StateBackend};
use stackcut::state::Md5Digest;

use super::lab::{BOTH_LOCKS, FILE_LOCK, Lab, TABLE, TABLE_LOCK};

/// Opens a state whose services are all at this address.
fn open_at(lab: &Lab, address: SocketAddr, arguments: &[(&str, &str)], patience: Duration) -> S3Backend {
    let endpoint = format!("http://{address}");
    let endpoints = [("endpoints.s3", &*endpoint), ("endpoints.dynamodb", &*endpoint)];
    let clients = S3Clients::with_patience(Arc::new(TestClock::default()), patience).unwrap();
    let config = lab.config("k", &[arguments, &endpoints].concat());
    clients.open(config).unwrap()
}

/// Accepts every connection and does with it what `treat` says.
pub(super) fn listen(treat: impl Fn(TcpStream) + Send + Sync + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let treat = Arc::new(treat);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let treat = Arc::clone(&treat);
            thread::spawn(move || treat(stream));
        }
    });
    address
}

/// Reads one whole request.
pub(super) fn request(stream: &mut TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut part = [0; 65536];
    loop {
        let read = stream.read(&mut part).unwrap_or(0);
        bytes.extend_from_slice(&part[..read]);
        let Some(head) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else {
            if read == 0 {
                return Vec::new();
            }
            continue;
        };
        let text = String::from_utf8_lossy(&bytes[..head]).to_lowercase();
        let length = text
            .lines()
            .find_map(|line| line.strip_prefix("content-length: ")?.parse().ok())
            .unwrap_or(0_usize);
        if read == 0 || bytes.len() >= head + 4 + length {
            return bytes;
        }
    }
}

/// Passes a request on, and returns the whole answer.
pub(super) fn passed_on(to: SocketAddr, asked: &[u8]) -> Vec<u8> {
    let mut upstream = TcpStream::connect(to).unwrap();
    // One request per connection, so that an answer is over when the connection is.
    let end = asked.windows(2).position(|two| two == b"\r\n").unwrap() + 2;
    upstream.write_all(&asked[..end]).unwrap();
    upstream.write_all(b"connection: close\r\n").unwrap();
    upstream.write_all(&asked[end..]).unwrap();
    let mut answer = Vec::new();
    upstream.read_to_end(&mut answer).unwrap();
    answer
}

/// Passes every request on to the emulator; the answers to the first `lost` of those that begin with one of `verbs`
/// are thrown away.
pub(super) fn lossy(to: SocketAddr, lost: usize, verbs: &'static [&'static str]) -> SocketAddr {
    let left = AtomicUsize::new(lost);
    listen(move |mut stream| {
        let asked = request(&mut stream);
        if asked.is_empty() {
            return;
        }
        let answer = passed_on(to, &asked);
        let text = String::from_utf8_lossy(&asked);
        let loses = verbs.iter().any(|verb| text.contains(verb))
            && left
                .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1))
                .is_ok();
        if !loses {
            // The client may have given up.
            let _ = stream.write_all(&answer);
        }
        let _ = stream.shutdown(Shutdown::Both);
    })
}

const PATIENT: Duration = Duration::from_secs(30);

#[test]
fn nobody_at_the_address_is_a_network_error() {
    let lab = Lab::new();
    let lock = lab.open("k", FILE_LOCK).lock(&info(1)).unwrap();
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let state = open_at(&lab, closed, FILE_LOCK, PATIENT);
    let error = state.write(&lock, b"{hunter2}", &Expect::Absent).unwrap_err();
    assert!(matches!(error, BackendError::Network { .. }), "{error:?}");
    assert!(!format!("{error} {error:?}").contains("hunter2"));
}

#[test]
fn a_server_that_says_nothing_is_given_up() {
    let lab = Lab::new();
    let lock = lab.open("k", FILE_LOCK).lock(&info(1)).unwrap();
    let mute = listen(|mut stream| {
        request(&mut stream);
        thread::sleep(PATIENT);
    });
    let state = open_at(&lab, mute, FILE_LOCK, Duration::from_millis(300));
    let error = state.write(&lock, b"{}", &Expect::Absent).unwrap_err();
    assert!(matches!(error, BackendError::Ambiguous { .. }), "{error:?}");
}

#[test]
fn a_write_without_an_answer_is_ambiguous_and_sent_once() {
    let lab = Lab::new();
    let lock = lab.open("k", TABLE_LOCK).lock(&info(1)).unwrap();
    let proxy = lossy(lab.aws.address(), 1, &["PUT ", "PutItem", "DELETE "]);
    let state = open_at(&lab, proxy, TABLE_LOCK, PATIENT);
    let requests = lab.requests_of(|| {
        let error = state.write(&lock, b"{}", &Expect::Absent).unwrap_err();
        assert!(matches!(error, BackendError::Ambiguous { .. }), "{error:?}");
    });
    assert_eq!(requests.len(), 1, "{requests:?}");
    assert_eq!(
        lab.aws.get_object(&lab.bucket, "k").unwrap(),
        b"{}",
        "and it did happen"
    );
}

#[test]
fn reads_are_repeated_by_themselves() {
    let lab = Lab::new();
    lab.aws.put_object(&lab.bucket, "k", b"{}");
    let proxy = lossy(lab.aws.address(), 2, &["GET "]);
    let state = open_at(&lab, proxy, FILE_LOCK, PATIENT);
    assert_eq!(state.read().unwrap().bytes(), Some(&b"{}"[..]));
}

#[test]
fn lost_answers_are_settled() {
    let lab = Lab::new();
    let settled = |verbs, lost| {
        let proxy = lossy(lab.aws.address(), lost, verbs);
        let state = open_at(&lab, proxy, BOTH_LOCKS, PATIENT);
        Settling::new(Arc::new(state), Arc::new(TestClock::default()))
    };
    // Each part of the lock, each write, each deletion: whatever answer is lost, the end is the same.
    for (number, lost) in [1, 2, 3].into_iter().enumerate() {
        let state = settled(&["PUT ", "PutItem", "DELETE ", "DeleteItem"], lost);
        let id = u8::try_from(number).unwrap() + 1;
        let lock = state.lock(&info(id)).unwrap();
        let before = state.read().unwrap().expect();
        let bytes = format!("{{{number}}}");
        let state = settled(&["PUT ", "PutItem"], lost);
        let written = state.write(&lock, bytes.as_bytes(), &before).unwrap();
        assert_eq!(state.read().unwrap().object.unwrap().version, written.version);
        state
            .write_digest(&lock, &Md5Digest::of(bytes.as_bytes()))
            .unwrap();
        let name = format!("journal/{number}").parse().unwrap();
        settled(&["PUT "], lost).create_sidecar(&name, b"record").unwrap();
        let state = settled(&["DELETE ", "DeleteItem"], lost);
        state.delete_sidecar(&name).unwrap();
        state.unlock(lock.id()).unwrap();
        assert_eq!(state.standing_lock().unwrap(), None);
        assert_eq!(lab.aws.get_object(&lab.bucket, "k").unwrap(), bytes.as_bytes());
    }
    // A lost answer does not make somebody else's write ours.
    let lock = lab.open("k", BOTH_LOCKS).lock(&info(9)).unwrap();
    let before = lab.open("k", BOTH_LOCKS).read().unwrap().expect();
    lab.aws.put_object(&lab.bucket, "k", b"{theirs}");
    lab.aws.delete_item(TABLE, &format!("{}/k-md5", lab.bucket));
    let error = settled(&["PUT "], 1)
        .write(&lock, b"{ours}", &before)
        .unwrap_err();
    assert!(
        matches!(error, BackendError::PreconditionFailed { .. }),
        "{error:?}"
    );
    assert_eq!(lab.aws.get_object(&lab.bucket, "k").unwrap(), b"{theirs}");
}

#[test]
fn what_is_not_there_is_named() {
    let lab = Lab::new();
    let state = lab.open("k", &[("dynamodb_table", "no-such-table")]);
    let lock = |state: &S3Backend| state.lock(&info(1)).unwrap_err().to_string();
    assert_eq!(
        lock(&state),
        "dynamodb://no-such-table does not exist (dynamodb:PutItem)"
    );
    let state = lab.open(
        "k",
        &[("bucket", "no-such-bucket-here"), ("use_lockfile", "true")],
    );
    assert_eq!(
        state.read().unwrap_err().to_string(),
        "s3://no-such-bucket-here does not exist (s3:GetObject)"
    );
    assert_eq!(
        lock(&state),
        "s3://no-such-bucket-here does not exist (s3:PutObject)"
    );
}

#[test]
fn a_store_without_conditional_deletion_is_served() {
    let lab = Lab::new();
    let to = lab.aws.address();
    let old_store = listen(move |mut stream| {
        let asked = request(&mut stream);
        let text = String::from_utf8_lossy(&asked).to_lowercase();
        if text.starts_with("delete ") && text.contains("\r\nif-match:") {
            let body = "<Error><Code>NotImplemented</Code><Message>no</Message></Error>";
            let head = format!(
                "HTTP/1.1 501 No\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
                body.len()
            );
            let _ = stream.write_all(format!("{head}{body}").as_bytes());
            return;
        }
        let mut upstream = TcpStream::connect(to).unwrap();
        let end = asked.windows(2).position(|two| two == b"\r\n").unwrap_or(0) + 2;
        if asked.len() < end {
            return;
        }
        upstream.write_all(&asked[..end]).unwrap();
        upstream.write_all(b"connection: close\r\n").unwrap();
        upstream.write_all(&asked[end..]).unwrap();
        let mut answer = Vec::new();
        upstream.read_to_end(&mut answer).unwrap();
        let _ = stream.write_all(&answer);
        let _ = stream.shutdown(Shutdown::Both);
    });
    let state = open_at(&lab, old_store, FILE_LOCK, PATIENT);
    let lock = state.lock(&info(1)).unwrap();
    let written = state.write(&lock, b"{}", &Expect::Absent).unwrap();
    state.remove(&lock, &written.version).unwrap();
    state.unlock(lock.id()).unwrap();
    assert!(lab.aws.list_objects(&lab.bucket, "").is_empty());
}
