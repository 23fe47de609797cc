//! A service that is deployed to: which commit answers, and how it is, stand in files of a folder.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// How the service answers a path, beside what its files say: the status line and the body; `None`: never.
type Answer = dyn Fn(usize, &str, &Path) -> Option<String> + Send + Sync;

/// A running service; its thread ends with the test.
pub struct Service {
    place: PathBuf,
    port: u16,
}

impl Service {
    /// One that is as its files say.
    pub fn start(place: PathBuf) -> Self {
        Self::answering(place, Arc::new(|_, path, place| Some(by_files(path, place))))
    }

    /// One that answers the nth request for a path as it likes.
    pub fn answering(place: PathBuf, answer: Arc<Answer>) -> Self {
        std::fs::create_dir_all(&place).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let folder = place.clone();
        std::thread::spawn(move || {
            for (number, stream) in listener.incoming().flatten().enumerate() {
                let (answer, folder) = (Arc::clone(&answer), folder.clone());
                std::thread::spawn(move || serve(&stream, number, &folder, &*answer));
            }
        });
        Self { place, port }
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

fn serve(mut stream: &TcpStream, number: usize, place: &Path, answer: &Answer) {
    let mut reader = BufReader::new(stream);
    let mut request = String::new();
    let _ = reader.read_line(&mut request);
    let mut header = String::new();
    while reader.read_line(&mut header).is_ok_and(|read| read > 2) {
        header.clear();
    }
    let path = request.split(' ').nth(1).unwrap_or_default().to_owned();
    match answer(number, &path, place) {
        Some(reply) => drop(stream.write_all(reply.as_bytes())),
        None => std::thread::sleep(Duration::from_mins(1)),
    }
}

/// A whole answer.
pub fn reply(status: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len())
}

fn by_files(path: &str, place: &Path) -> String {
    let sick = place.join("sick").exists();
    match path {
        "/version" => reply("200 OK", std::fs::read_to_string(place.join("live")).unwrap_or_default().trim()),
        _ if sick => reply("503 Service Unavailable", "{\"status\":\"down\"}"),
        _ => reply("200 OK", "{\"status\":\"ok\"}"),
    }
}
