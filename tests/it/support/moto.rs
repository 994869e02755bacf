//! An emulated AWS: a moto server on this machine, and accounts in it.

use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader, Read as _};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use super::aws::Account;
use super::tools::{python_helpers, tools};

/// A running moto server. It stops when this is dropped, and when the test process ends in any way.
#[derive(Debug)]
pub struct Moto {
    child: Child,
    address: SocketAddr,
    accounts: AtomicU64,
}

impl Moto {
    /// Starts a server of one's own on a free port of 127.0.0.1 and waits until it answers.
    ///
    /// # Panics
    ///
    /// When the server does not start, with what it said.
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// As [`start`](Self::start), with TLS; the certificate to trust is put into the directory as `ca.pem`. Only the
    /// backends under test can reach it: accounts of it have no calls of their own.
    pub fn start_tls(dir: &Path) -> Self {
        Self::start_with(&[OsStr::new("--tls"), dir.as_os_str()])
    }

    fn start_with(options: &[&OsStr]) -> Self {
        let mut child = Command::new(tools().python())
            .arg(python_helpers().join("moto_server.py"))
            .arg("--until-eof")
            .args(options)
            .env_remove("PYTHONPATH")
            .env_remove("PYTHONHOME")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("the moto server did not start: {error}"));
        let mut stdout = BufReader::new(child.stdout.take().expect("it was piped"));
        let mut stderr = child.stderr.take().expect("it was piped");
        let mut line = String::new();
        // An error here means that the server died, which its last words explain better.
        let _ = stdout.read_line(&mut line);
        let Some(port) = line
            .trim()
            .strip_prefix("listening on ")
            .and_then(|port| port.parse().ok())
        else {
            let mut said = String::new();
            let _ = stderr.read_to_string(&mut said);
            panic!("the moto server did not start; it said: {line}{said}");
        };
        // A full pipe would stop the server; what it says later (its own tracebacks) is not needed.
        std::thread::spawn(move || std::io::copy(&mut stderr, &mut std::io::sink()));
        Self {
            child,
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, port)),
            accounts: AtomicU64::new(0),
        }
    }

    /// Returns the server that all tests of this process share.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Moto> = OnceLock::new();
        SHARED.get_or_init(Self::start)
    }

    /// Returns the URL of the server, which serves every AWS service.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Returns an account that no one has had before.
    pub fn account(&self) -> Account {
        let number = self.accounts.fetch_add(1, Ordering::Relaxed) + 1;
        Account::new(self.address, 100_000_000_000 + number)
    }

    /// Kills the server at once, as a crash of the other side would.
    pub fn kill(&mut self) {
        // It may be dead already, which is all that is wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        self.kill();
    }
}
