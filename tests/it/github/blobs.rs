//! The store that GitHub sends askers of artifacts to: another origin, which must never see the token.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// A running store. It ends with the test.
pub struct Blobs {
    origin: String,
    held: Arc<Mutex<Held>>,
}

#[derive(Default)]
struct Held {
    files: BTreeMap<u64, Vec<u8>>,
    /// The heads of the requests.
    asked: Vec<String>,
}

impl Blobs {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let held = Arc::new(Mutex::new(Held::default()));
        let shared = Arc::clone(&held);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                answer(stream.unwrap(), &shared);
            }
        });
        Self { origin, held }
    }

    /// `State::blobs`.
    pub fn origin(&self) -> String {
        self.origin.clone()
    }

    /// Puts a file there.
    pub fn put(&self, id: u64, bytes: Vec<u8>) {
        self.held.lock().unwrap().files.insert(id, bytes);
    }

    /// The heads of all requests so far, in lower case.
    pub fn asked(&self) -> Vec<String> {
        self.held.lock().unwrap().asked.clone()
    }
}

fn answer(mut stream: TcpStream, store: &Mutex<Held>) {
    let mut raw = Vec::new();
    let mut byte = [0];
    while !raw.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|read| read == 1) {
        raw.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&raw).to_lowercase();
    let id = head.split(['/', '?', ' ']).nth(2).and_then(|id| id.parse::<u64>().ok());
    let mut files = store.lock().unwrap();
    files.asked.push(head);
    let file = id.and_then(|id| files.files.get(&id)).cloned();
    let (status, body) = file.map_or(("404 Not Found", Vec::new()), |body| ("200 OK", body));
    let answer = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
    // The asker may be gone.
    let _ = stream.write_all(answer.as_bytes()).and_then(|()| stream.write_all(&body));
}
