//! Behind a proxy, as self-hosted runners are: what the environment names is gone through, and its password is nobody's.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use super::*;

/// A host that only the proxy finds.
const HOST: &str = "api.github.test";

/// A proxy that leads every tunnel to one place.
struct Proxy {
    port: u16,
    asked: Arc<Mutex<Vec<Asked>>>,
}

/// What a proxy was asked, and the first byte that went through.
type Asked = (String, Option<u8>);

impl Proxy {
    /// One that gives this answer.
    fn start(to: SocketAddr, answer: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let notes = Arc::clone(&asked);
        std::thread::spawn(move || {
            for client in listener.incoming() {
                let notes = Arc::clone(&notes);
                std::thread::spawn(move || serve(client.unwrap(), to, answer, &notes));
            }
        });
        Self { port, asked }
    }

    fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

fn serve(mut client: TcpStream, to: SocketAddr, answer: &str, notes: &Mutex<Vec<Asked>>) {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        client.read_exact(&mut byte).unwrap();
        head.push(byte[0]);
    }
    client.write_all(answer.as_bytes()).unwrap();
    let first = client.read(&mut byte).ok().filter(|read| *read > 0).map(|_| byte[0]);
    notes.lock().unwrap().push((String::from_utf8(head).unwrap(), first));
    let Some(first) = first else { return };
    let mut server = TcpStream::connect(to).unwrap();
    server.write_all(&[first]).unwrap();
    let (mut replies, mut back) = (server.try_clone().unwrap(), client.try_clone().unwrap());
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut replies, &mut back);
        let _ = back.shutdown(Shutdown::Write);
    });
    let _ = std::io::copy(&mut client, &mut server);
    let _ = server.shutdown(Shutdown::Write);
}

/// The address of the API by this name, and where it really is.
fn renamed(scene: &Scene, scheme: &str) -> (String, SocketAddr) {
    let url = scene.fake.url();
    let place = url.trim_start_matches("http://").split('/').next().unwrap();
    (url.replace(&format!("http://{place}"), &format!("{scheme}://{HOST}")), place.parse().unwrap())
}

const OPEN: &str = "HTTP/1.1 200 Connection established\r\n\r\n";

#[test]
fn the_proxy_of_the_environment_is_gone_through() {
    let scene = Scene::new(GATES, Token::actions());
    let (url, real) = renamed(&scene, "http");
    let proxy = Proxy::start(real, OPEN);
    let through = format!("http://ana:s3cret@127.0.0.1:{}", proxy.port);
    let ended = end(scene.step(1, &[]).env("GITHUB_API_URL", url).env("http_proxy", through)).with_code(1);
    assert_eq!(scene.checks().len(), 4, "{}", ended.err);
    let asked = proxy.asked();
    assert!(!asked.is_empty());
    for (head, _) in asked {
        assert!(head.starts_with("CONNECT api.github.test:80 HTTP/1.1\r\n"), "{head}");
        assert!(head.contains("\r\nProxy-Authorization: Basic YW5hOnMzY3JldA==\r\n"), "{head}");
    }
    assert!(!(ended.out + &ended.err).contains("s3cret"));
}

#[test]
fn tls_is_spoken_inside_of_the_tunnel() {
    let scene = Scene::new(GATES, Token::actions());
    let (url, real) = renamed(&scene, "https");
    let proxy = Proxy::start(real, OPEN);
    let mut step = scene.step(1, &["build"]);
    step.env("GATEPOST_HASTE", "1").env("GITHUB_API_URL", url).env("HTTPS_PROXY", format!("127.0.0.1:{}", proxy.port));
    end(&mut step);
    let (head, first) = proxy.asked().remove(0);
    assert!(head.starts_with("CONNECT api.github.test:443 HTTP/1.1\r\n"), "{head}");
    assert_eq!(first, Some(22), "a handshake of TLS");
}

#[test]
fn this_machine_and_what_is_excepted_are_asked_directly() {
    let scene = Scene::new(GATES, Token::actions());
    let (url, real) = renamed(&scene, "http");
    let proxy = Proxy::start(real, OPEN);
    let through = format!("http://127.0.0.1:{}", proxy.port);
    end(scene.step(1, &[]).env("all_proxy", &through)).with_code(1);
    assert_eq!(scene.checks().len(), 4);
    let ended = end(scene
        .step(2, &[])
        .env("GATEPOST_HASTE", "1")
        .env("all_proxy", &through)
        .env("NO_PROXY", ".test")
        .env("GITHUB_API_URL", url));
    assert!(ended.out.contains("cannot reach http://api.github.test"), "{}{}", ended.out, ended.err);
    assert_eq!(proxy.asked(), []);
}

#[test]
fn a_proxy_that_leads_nowhere_is_named() {
    let scene = Scene::new(GATES, Token::actions());
    let (url, real) = renamed(&scene, "http");
    let refuses = Proxy::start(real, "HTTP/1.1 407 Proxy Authentication Required\r\n\r\n").port;
    for (proxy, said) in [
        (
            format!("http://ana:s3cret@127.0.0.1:{refuses}"),
            format!("through the proxy 127.0.0.1:{refuses}: tunnel error: proxy authorization required"),
        ),
        (
            format!("socks5://127.0.0.1:{refuses}"),
            format!("the proxy 127.0.0.1:{refuses} is not one by http://, and others are not spoken to"),
        ),
        (
            "http://ana:s3cret@a proxy:3128".to_owned(),
            "the proxy that http_proxy names cannot be read as an address; http://HOST:PORT is expected".to_owned(),
        ),
    ] {
        let ended = end(scene
            .step(1, &["build"])
            .env("GATEPOST_HASTE", "1")
            .env("GITHUB_API_URL", &url)
            .env("http_proxy", &proxy));
        assert!(ended.out.contains(&said), "{proxy}: {}{}", ended.out, ended.err);
        assert!(!(ended.out + &ended.err).contains("s3cret"));
    }
    assert_eq!(scene.checks().len(), 0);
}
