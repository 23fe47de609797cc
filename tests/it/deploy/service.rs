//! A service that is deployed to: which commit answers, and how it is, stand in files of a folder.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// A request as it came.
#[derive(Debug, Clone)]
pub struct Asked {
    /// How many came before it.
    pub number: usize,
    pub method: String,
    pub path: String,
    /// Names in small letters.
    pub headers: BTreeMap<String, String>,
    pub body: String,
}

/// How the service answers; `None`: never.
type Answer = dyn Fn(&Asked, &Path) -> Option<String> + Send + Sync;

/// A running service, until it is dropped: a process of macOS has few files, and all tests are one.
pub struct Service {
    place: PathBuf,
    port: u16,
    is_over: Arc<AtomicBool>,
}

impl Service {
    /// One that is as its files say.
    pub fn start(place: PathBuf) -> Self {
        Self::answering(place, Arc::new(|asked, place| Some(by_files(asked, place))))
    }

    /// One that answers the nth request for a path as it likes.
    pub fn answering(place: PathBuf, answer: Arc<Answer>) -> Self {
        std::fs::create_dir_all(&place).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (folder, is_over) = (place.clone(), Arc::new(AtomicBool::new(false)));
        let ends = Arc::clone(&is_over);
        std::thread::spawn(move || {
            for (number, stream) in listener.incoming().flatten().enumerate() {
                if ends.load(Ordering::SeqCst) {
                    return;
                }
                let (answer, folder) = (Arc::clone(&answer), folder.clone());
                std::thread::spawn(move || serve(&stream, number, &folder, &*answer));
            }
        });
        Self { place, port, is_over }
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub fn place(&self) -> &Path {
        &self.place
    }

    pub fn live(&self) -> String {
        std::fs::read_to_string(self.place.join("live")).unwrap_or_default().trim().to_owned()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

fn serve(mut stream: &TcpStream, number: usize, place: &Path, answer: &Answer) {
    let mut reader = BufReader::new(stream);
    let mut request = String::new();
    let _ = reader.read_line(&mut request);
    let mut headers = BTreeMap::new();
    let mut header = String::new();
    while reader.read_line(&mut header).is_ok_and(|read| read > 2) {
        if let Some((name, value)) = header.split_once(':') {
            headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
        }
        header.clear();
    }
    let length = headers.get("content-length").and_then(|length| length.parse().ok()).unwrap_or_default();
    let mut body = vec![0; length];
    let _ = reader.read_exact(&mut body);
    let mut words = request.split(' ').map(str::to_owned);
    let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let body = String::from_utf8_lossy(&body).into_owned();
    match answer(&Asked { number, method, path, headers, body }, place) {
        Some(reply) => drop(stream.write_all(reply.as_bytes())),
        None => std::thread::sleep(Duration::from_mins(1)),
    }
}

/// A whole answer.
pub fn reply(status: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len())
}

fn by_files(asked: &Asked, place: &Path) -> String {
    let path = asked.path.as_str();
    for slot in ["blue", "green"] {
        if let Some(path) = path.strip_prefix(&format!("/{slot}")) {
            return of(place, &format!("{slot}."), path, false);
        }
    }
    if !place.join("slots").exists() {
        return of(place, "", path, true);
    }
    // Spread, so that a few requests see both where both have a share.
    let to_given = asked.number * 37 % 100 < usize::from(given(place).1);
    let slot = if to_given { given(place).0 } else { other(&given(place).0) };
    of(place, &format!("{slot}."), path, true)
}

/// The slot that the hook named last, and the share that it gave it.
fn given(place: &Path) -> (String, u8) {
    let text = std::fs::read_to_string(place.join("traffic")).unwrap_or_default();
    let (slot, weight) = text.trim().split_once(' ').unwrap_or(("blue", "100"));
    (slot.to_owned(), weight.parse().unwrap())
}

fn other(slot: &str) -> String {
    if slot == "blue" { "green".to_owned() } else { "blue".to_owned() }
}

/// Who gets all of the traffic; `None` while it is divided.
pub fn whole(place: &Path) -> Option<String> {
    let (slot, weight) = given(place);
    let sha = |slot: &str| std::fs::read_to_string(place.join(format!("{slot}.live"))).unwrap_or_default();
    match weight {
        100 => Some(sha(&slot).trim().to_owned()),
        0 => Some(sha(&other(&slot)).trim().to_owned()),
        _ => None,
    }
}

/// What a version answers; one that is weak is sick only where it has traffic.
fn of(place: &Path, prefix: &str, path: &str, with_traffic: bool) -> String {
    let is = |what: &str| place.join(format!("{prefix}{what}")).exists();
    match path {
        "/version" => {
            reply("200 OK", std::fs::read_to_string(place.join(format!("{prefix}live"))).unwrap_or_default().trim())
        }
        _ if is("sick") || (is("weak") && with_traffic) => reply("503 Service Unavailable", "{\"status\":\"down\"}"),
        _ => reply("200 OK", "{\"status\":\"ok\"}"),
    }
}
