//! A server that fails in every way: it sends what a test tells it to, byte by byte, or nothing.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

/// A request as it came.
#[derive(Debug, Clone, Default)]
pub struct Asked {
    pub method: String,
    pub path: String,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Asked {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(one, _)| one.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

/// What is sent.
#[derive(Debug, Clone)]
pub enum Answer {
    /// A status, further headers, a body.
    Plain(u16, Vec<(&'static str, String)>, Vec<u8>),
    /// As many bytes fewer than were promised.
    Cut(usize, Vec<u8>),
    /// The connection ends without a byte.
    Closed,
    /// Nothing, for as long as the test lasts.
    Silence,
}

impl Answer {
    pub fn ok(body: impl Into<Vec<u8>>) -> Self {
        Self::Plain(200, Vec::new(), body.into())
    }

    pub fn status(status: u16) -> Self {
        Self::Plain(status, Vec::new(), b"<html>an error page</html>".to_vec())
    }
}

type Handler = dyn Fn(&Asked) -> Answer + Send + Sync;

/// A running server; it ends when dropped.
pub struct Server {
    address: String,
    log: Arc<Mutex<Vec<Asked>>>,
    ended: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    pub fn start(handler: impl Fn(&Asked) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (log, ended) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicBool::new(false)));
        let handler: Arc<Handler> = Arc::new(handler);
        let (kept, stop) = (Arc::clone(&log), Arc::clone(&ended));
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if stop.load(Ordering::SeqCst) {
                    return;
                }
                let (stream, handler, log, stop) =
                    (stream.unwrap(), Arc::clone(&handler), Arc::clone(&kept), Arc::clone(&stop));
                std::thread::spawn(move || answer(stream, &*handler, &log, &stop));
            }
        });
        Self { address, log, ended, thread: Some(thread) }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Every request so far.
    pub fn asked(&self) -> Vec<Asked> {
        self.log.lock().unwrap().clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(&self.address);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn answer(mut stream: TcpStream, handler: &Handler, log: &Mutex<Vec<Asked>>, stop: &AtomicBool) {
    let Some(asked) = read(&stream) else { return };
    let answer = handler(&asked);
    log.lock().unwrap().push(asked);
    let (status, headers, body, cut) = match answer {
        Answer::Plain(status, headers, body) => (status, headers, body, 0),
        Answer::Cut(bytes, body) => (200, Vec::new(), body, bytes),
        Answer::Closed => return,
        Answer::Silence => {
            while !stop.load(Ordering::SeqCst) {
                std::thread::sleep(std::time::Duration::from_millis(10));
            }
            return;
        }
    };
    let length = if status == 304 { String::new() } else { format!("content-length: {}\r\n", body.len()) };
    let headers: String = headers.iter().flat_map(|(name, value)| [name, ": ", value, "\r\n"]).collect();
    let head = format!("HTTP/1.1 {status} X\r\nconnection: close\r\n{length}{headers}\r\n");
    let _ = stream.write_all(head.as_bytes());
    if status != 304 {
        let _ = stream.write_all(&body[..body.len().saturating_sub(cut)]);
    }
}

fn read(stream: &TcpStream) -> Option<Asked> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let mut words = line.split_whitespace();
    let mut asked = Asked { method: words.next()?.to_owned(), path: words.next()?.to_owned(), ..Asked::default() };
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        asked.headers.push((name.to_owned(), value.to_owned()));
    }
    let length = asked.header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    asked.body = String::from_utf8(body).ok()?;
    Some(asked)
}
