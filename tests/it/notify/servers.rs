//! A web server and a mail server of this machine that do what they are told to, once for each connection.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What a server does with one connection.
#[derive(Debug, Clone)]
pub enum Deed {
    /// Answers with these bytes.
    Say(String),
    /// Reads, says nothing and closes.
    Close,
    /// Reads, and never says anything.
    Hang,
}

/// An answer of HTTP.
pub fn answer(status: &str, headers: &str, body: &str) -> Deed {
    Deed::Say(format!(
        "HTTP/1.1 {status}\r\n{headers}content-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    ))
}

/// A running server. What it was sent is kept.
pub struct Server {
    pub address: String,
    received: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// HTTP: one deed for each request, the last one for all that follow.
    pub fn web(deeds: Vec<Deed>) -> Self {
        Self::start(deeds, |stream, deed, received| {
            let request = read_request(stream);
            received.lock().unwrap().push(request);
            do_it(stream, deed);
        })
    }

    /// SMTP. A deed says `VERB answer`: how that verb is answered in place of the usual way.
    pub fn mail(deeds: Vec<Deed>) -> Self {
        Self::start(deeds, |stream, deed, received| {
            let mut lines = BufReader::new(stream.try_clone().unwrap());
            let other = match deed {
                Deed::Say(other) => other.split_once(' ').map(|(verb, answer)| (verb.to_owned(), answer.to_owned())),
                Deed::Close => return,
                Deed::Hang => return std::thread::sleep(Duration::from_secs(20)),
            };
            let answer = |verb: &str, usual: &str| match &other {
                Some((wanted, answer)) if wanted == verb => format!("{answer}\r\n"),
                _ => format!("{usual}\r\n"),
            };
            let mut say = |text: String| stream.write_all(text.as_bytes());
            let _ = say(answer("GREETING", "220 sink"));
            let mut line = String::new();
            while lines.read_line(&mut line).is_ok_and(|read| read > 0) {
                let verb = line.split([' ', '\r']).next().unwrap_or_default().to_ascii_uppercase();
                let _ = say(match verb.as_str() {
                    "EHLO" => answer("EHLO", "250-sink\r\n250 8BITMIME"),
                    "DATA" => answer("DATA", "354 go on"),
                    "QUIT" => "221 bye\r\n".to_owned(),
                    verb => answer(verb, "250 well"),
                });
                received.lock().unwrap().push(line.trim_end().to_owned());
                if verb == "DATA" && other.as_ref().is_none_or(|(wanted, _)| wanted != "DATA") {
                    let mut mail = String::new();
                    while lines.read_line(&mut mail).is_ok_and(|read| read > 0) && !mail.ends_with("\r\n.\r\n") {}
                    received.lock().unwrap().push(mail);
                    let _ = say(answer("END", "250 taken"));
                }
                line.clear();
            }
        })
    }

    fn start(deeds: Vec<Deed>, serve: fn(&mut TcpStream, &Deed, &Mutex<Vec<String>>)) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let received = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&received);
        std::thread::spawn(move || {
            for (at, stream) in listener.incoming().enumerate() {
                let deed = deeds[at.min(deeds.len() - 1)].clone();
                let kept = Arc::clone(&kept);
                std::thread::spawn(move || serve(&mut stream.unwrap(), &deed, &kept));
            }
        });
        Self { address, received }
    }

    pub fn url(&self) -> String {
        format!("http://{}/hook/s3cr3t-path", self.address)
    }

    pub fn port(&self) -> u16 {
        self.address.rsplit_once(':').unwrap().1.parse().unwrap()
    }

    pub fn received(&self) -> Vec<String> {
        self.received.lock().unwrap().clone()
    }
}

fn read_request(stream: &TcpStream) -> String {
    let mut lines = BufReader::new(stream);
    let mut head = String::new();
    while lines.read_line(&mut head).is_ok_and(|read| read > 2) {}
    let length =
        head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ").map(str::to_owned));
    let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
    lines.read_exact(&mut body).unwrap();
    head + &String::from_utf8(body).unwrap()
}

fn do_it(stream: &mut TcpStream, deed: &Deed) {
    match deed {
        Deed::Say(bytes) => {
            let _ = stream.write_all(bytes.as_bytes());
        }
        Deed::Close => {}
        Deed::Hang => std::thread::sleep(Duration::from_secs(20)),
    }
}
