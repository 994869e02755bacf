//! TLS and proxies.

use std::fs;
use std::io::Write as _;
use std::sync::{Arc, Mutex};

use stackcut::backend::clock::TestClock;
use stackcut::backend::conformance::info;
use stackcut::backend::s3::{S3Backend, S3Clients, S3Config};
use stackcut::backend::{BackendError, StateBackend};

use super::network::{listen, request};
use crate::support::moto::Moto;

/// Opens the state `k` of a bucket somewhere.
fn open(arguments: &[(&str, &str)]) -> Result<S3Backend, BackendError> {
    let common = [
        ("bucket", "states"),
        ("key", "k"),
        ("region", "eu-central-1"),
        ("access_key", "111122223333"),
        ("secret_key", "x"),
        ("use_path_style", "true"),
        ("use_lockfile", "true"),
    ];
    let all = common.iter().chain(arguments);
    let arguments = all.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let config = S3Config::effective(&arguments.collect(), "default", &|_| None)?;
    S3Clients::new(Arc::new(TestClock::default()))?.open(config)
}

#[test]
fn tls_trusts_whom_it_is_told_to() {
    let dir = tempfile::tempdir().unwrap();
    let moto = Moto::start_tls(dir.path());
    let url = moto.endpoint().replace("http:", "https:");
    let bundle = dir.path().join("ca.pem");
    let bundle = bundle.to_str().unwrap();
    let state = open(&[("endpoints.s3", &url), ("custom_ca_bundle", bundle)]).unwrap();
    // The handshake succeeds; what the emulator has to say is that there is nothing.
    let error = state.read().unwrap_err();
    assert_eq!(error.to_string(), "s3://states does not exist (s3:GetObject)");

    let stranger = open(&[("endpoints.s3", &url)]).unwrap();
    let error = stranger.lock(&info(1)).unwrap_err();
    assert!(
        error.is_transient() && error.to_string().contains("certificate"),
        "{error}"
    );
}

#[test]
fn certificates_that_are_none_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("ca.pem");
    let path = path.to_str().unwrap();
    let refused = |naming: &str| {
        let error = open(&[("custom_ca_bundle", path)]).unwrap_err();
        assert!(matches!(error, BackendError::Configuration { .. }), "{error:?}");
        assert!(error.to_string().contains(naming), "{error}");
    };
    refused("cannot be read");
    fs::write(path, "").unwrap();
    refused("holds no certificate");
    fs::write(
        path,
        "-----BEGIN CERTIFICATE-----\nhello\n-----END CERTIFICATE-----\n",
    )
    .unwrap();
    refused("a certificate that is none");
    let error = open(&[("insecure", "true")]).unwrap_err();
    assert!(
        error.to_string().contains("`insecure` is not supported"),
        "{error}"
    );
    open(&[("insecure", "true"), ("endpoints.s3", "http://127.0.0.1:1")]).unwrap();
}

#[test]
fn proxies_are_used_and_passed_by() {
    let seen: Arc<Mutex<Vec<String>>> = Arc::default();
    let noted = Arc::clone(&seen);
    let address = listen(move |mut stream| {
        let asked = request(&mut stream);
        noted
            .lock()
            .unwrap()
            .push(String::from_utf8_lossy(&asked).into_owned());
        let body = "<Error><Code>NoSuchKey</Code><Message>no</Message></Error>";
        let head = "HTTP/1.1 404 Not Found\r\ncontent-type: application/xml\r\nconnection: close\r\n";
        let _ = stream.write_all(format!("{head}content-length: {}\r\n\r\n{body}", body.len()).as_bytes());
    });
    let proxy = format!("http://me:hunter2@{address}");
    let nowhere = ("endpoints.s3", "http://s3.nowhere.invalid");
    let state = open(&[nowhere, ("http_proxy", &proxy)]).unwrap();
    assert!(state.read().unwrap().object.is_none());
    let asked = seen.lock().unwrap().pop().unwrap();
    assert!(
        asked.starts_with("GET http://s3.nowhere.invalid/states/k"),
        "{asked}"
    );
    assert!(
        asked.to_lowercase().contains("proxy-authorization: basic "),
        "{asked}"
    );

    let direct = open(&[nowhere, ("http_proxy", &proxy), ("no_proxy", ".nowhere.invalid")]).unwrap();
    let error = direct.lock(&info(1)).unwrap_err();
    assert!(matches!(error, BackendError::Network { .. }), "{error:?}");
    assert!(!format!("{error} {error:?}").contains("hunter2"));
    assert!(seen.lock().unwrap().is_empty());
    let error = open(&[nowhere, ("http_proxy", "http://me:hunter2@")]).unwrap_err();
    assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
}
