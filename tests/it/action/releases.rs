//! A server of releases on this machine, over real HTTP, that fails in every way a server can; and the checkout of the
//! action whose lock file has their checksums.

use std::collections::VecDeque;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tempfile::TempDir;

/// The target that the harness's runner has.
pub const TARGET: &str = "x86_64-unknown-linux-musl";

/// How one request is answered.
#[derive(Debug, Clone, Copy)]
pub enum Answer {
    /// With the file.
    Good,
    /// With this status.
    Status(u16),
    /// With the file, in pieces, over this many milliseconds.
    Slow(u64),
    /// With half of the file, then the connection is closed.
    Cut,
    /// With half of the file, as if it were the whole.
    Half,
    /// With half of the file, and then nothing for as long as the client waits.
    Stalls,
    /// By sending the client to where an attacker is.
    Redirect(&'static str),
}

/// The server, until it is dropped: a process of macOS has few files, and all tests are one.
pub struct Releases {
    port: u16,
    is_over: Arc<AtomicBool>,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Releases {
    /// Serves this archive under every name. Each answer is given once, the last again and again.
    pub fn serve(archive: Vec<u8>, answers: &[Answer]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&requests);
        let mut answers: VecDeque<Answer> = answers.iter().copied().collect();
        let archive = Arc::new(archive);
        let is_over = Arc::new(AtomicBool::new(false));
        let ends = Arc::clone(&is_over);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if ends.load(Ordering::SeqCst) {
                    return;
                }
                let stream = stream.unwrap();
                let answer = if answers.len() > 1 { answers.pop_front() } else { answers.front().copied() };
                let (archive, seen) = (Arc::clone(&archive), Arc::clone(&seen));
                // A client that goes away in the middle is not the server's failure.
                std::thread::spawn(move || reply(stream, answer.unwrap(), &archive, &seen).unwrap_or_default());
            }
        });
        Self { port, is_over, requests }
    }

    /// What to give as `mirror`.
    pub fn mirror(&self) -> String {
        format!("http://127.0.0.1:{}/mirror", self.port)
    }

    /// The first line of every request so far.
    pub fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

impl Drop for Releases {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

fn reply(mut stream: TcpStream, answer: Answer, archive: &[u8], seen: &Mutex<Vec<String>>) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    let first = lines.next().unwrap_or(Ok(String::new()))?;
    while lines.next().is_some_and(|line| line.is_ok_and(|line| !line.is_empty())) {}
    seen.lock().unwrap().push(first);
    let half = &archive[..archive.len() / 2];
    let mut head = |status: &str, more: &str, length: usize| {
        write!(stream, "HTTP/1.1 {status}\r\n{more}content-length: {length}\r\nconnection: close\r\n\r\n")
    };
    match answer {
        Answer::Status(status) => head(&format!("{status} No"), "", 0),
        Answer::Redirect(to) => head("302 Found", &format!("location: {to}\r\n"), 0),
        Answer::Half => {
            head("200 OK", "", half.len())?;
            stream.write_all(half)
        }
        Answer::Cut | Answer::Stalls => {
            head("200 OK", "", archive.len())?;
            stream.write_all(half)?;
            if matches!(answer, Answer::Stalls) {
                std::thread::sleep(Duration::from_hours(1));
            }
            Ok(())
        }
        Answer::Good | Answer::Slow(_) => {
            head("200 OK", "", archive.len())?;
            let pieces = if let Answer::Slow(millis) = answer { millis / 100 } else { 0 };
            let size = archive.len() / usize::try_from(pieces.max(1)).unwrap() + 1;
            for piece in archive.chunks(size) {
                stream.write_all(piece)?;
                stream.flush()?;
                std::thread::sleep(Duration::from_millis(if pieces > 0 { 100 } else { 0 }));
            }
            Ok(())
        }
    }
}

/// The archive of a release with this program in it.
pub fn archive(program: &Path) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::copy(program, folder.path().join("gatepost")).unwrap();
    let packed = Command::new("tar").args(["-czf", "archive.tar.gz", "gatepost"]).current_dir(folder.path()).status();
    assert!(packed.unwrap().success());
    std::fs::read(folder.path().join("archive.tar.gz")).unwrap()
}

/// The SHA-256 of some bytes.
pub fn sha256(bytes: &[u8]) -> String {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), bytes).unwrap();
    let sum = |program: &str, arguments: &[&str]| {
        let output = Command::new(program).args(arguments).arg(file.path()).output().ok()?;
        output.status.success().then(|| String::from_utf8(output.stdout).unwrap())
    };
    let line = sum("sha256sum", &[]).or_else(|| sum("shasum", &["-a", "256"])).expect("a program for SHA-256");
    line[..64].to_owned()
}

/// Copies what the action is made of; `lock` is in the place of its lock file.
pub fn checkout(lock: &str) -> TempDir {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("action")).unwrap();
    std::fs::copy(root.join("action.yml"), folder.path().join("action.yml")).unwrap();
    for script in ["attest.sh", "find.sh", "run.sh", "step.sh"] {
        std::fs::copy(root.join("action").join(script), folder.path().join("action").join(script)).unwrap();
    }
    std::fs::write(folder.path().join("action/lock"), lock).unwrap();
    folder
}

/// A lock file that knows release 9.9.9 for this target, and others of which there is nothing.
pub fn lock(archive: &[u8], program: &[u8]) -> String {
    let sums = format!("{} {}", sha256(archive), sha256(program));
    let other = format!("{} {}", "0".repeat(64), "1".repeat(64));
    format!(
        "# The lock.\nrepository octo/gatepost\n9.9.9 aarch64-apple-darwin {other}\n9.9.9 {TARGET} {sums}\n9.9.8 {TARGET} {other}\n"
    )
}
