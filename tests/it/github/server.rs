//! The wire: a real HTTP/1.1 server on a port of its own, in a thread of its own, that can cut its connections.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::connect_info::{ConnectInfo, Connected};
use axum::extract::{Request, State as Shared};
use axum::response::Response;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

use super::actions::STORAGE;
use super::desk::{Desk, Raw};
use super::exchange::{Answer, Ask};
use super::state::State;

/// One operation of the API on the state.
pub type Operation = fn(&mut State, &Ask) -> Answer;

/// Larger than any request GitHub takes.
const MOST_BYTES: usize = 32 * 1024 * 1024;

/// How a connection ends before its time.
#[derive(Debug, Clone, Copy)]
pub enum Cut {
    /// Reset, without a byte.
    Reset,
    /// Closed after the head and so many bytes of the body.
    After(usize),
    /// Closed after so many more bytes.
    Left(usize),
}

/// Serves until `stop` fires or its sender is gone.
pub fn serve(listener: std::net::TcpListener, desk: Arc<Mutex<Desk>>, stop: oneshot::Receiver<()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let door = Door(TcpListener::from_std(listener).unwrap());
        let service = Router::new().fallback(answer).with_state(desk).into_make_service_with_connect_info::<Wire>();
        tokio::select! {
            _ = stop => {}
            _ = axum::serve(door, service) => {}
        }
    });
}

async fn answer(
    Shared(desk): Shared<Arc<Mutex<Desk>>>,
    ConnectInfo(wire): ConnectInfo<Wire>,
    request: Request,
) -> Response {
    let (head, body) = request.into_parts();
    let text = |value: &axum::http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let raw = Raw {
        method: head.method.to_string(),
        path: head.uri.path().to_owned(),
        query: head.uri.query().map(str::to_owned),
        headers: head.headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect(),
        body: axum::body::to_bytes(body, MOST_BYTES).await.unwrap_or_default().to_vec(),
    };
    if raw.path.starts_with(STORAGE) {
        let file = desk.lock().unwrap().store(&raw);
        let status = if file.is_some() { 200 } else { 404 };
        return Response::builder().status(status).body(Body::from(file.unwrap_or_default())).unwrap();
    }
    let outcome = desk.lock().unwrap().receive(&raw);
    tokio::time::sleep(outcome.delay).await;
    *wire.0.lock().unwrap() = outcome.cut;
    let mut response = Response::builder().status(outcome.reply.status);
    for (name, value) in &outcome.reply.headers {
        response = response.header(name, value);
    }
    let (kind, body) = match (outcome.page, outcome.reply.body) {
        (Some(page), _) => ("text/html", page),
        (None, Some(body)) => ("application/json; charset=utf-8", body.to_string()),
        (None, None) => return response.body(Body::empty()).unwrap(),
    };
    response.header("content-type", kind).body(Body::from(body)).unwrap()
}

/// The listening socket; its connections know how to be cut.
struct Door(TcpListener);

/// The handle by which a request cuts its own connection.
#[derive(Clone, Default)]
struct Wire(Arc<Mutex<Option<Cut>>>);

struct Line {
    stream: TcpStream,
    wire: Wire,
}

impl Listener for Door {
    type Io = Line;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Line, SocketAddr) {
        loop {
            match self.0.accept().await {
                Ok((stream, from)) => return (Line { stream, wire: Wire::default() }, from),
                Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

impl Connected<IncomingStream<'_, Door>> for Wire {
    fn connect_info(stream: IncomingStream<'_, Door>) -> Self {
        stream.io().wire.clone()
    }
}

impl AsyncRead for Line {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, into)
    }
}

impl AsyncWrite for Line {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let cut = *self.wire.0.lock().unwrap();
        let left = match cut {
            None => return Pin::new(&mut self.stream).poll_write(context, bytes),
            Some(Cut::Reset) => {
                self.stream.set_zero_linger()?;
                return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
            }
            Some(Cut::Left(0)) => return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
            Some(Cut::Left(left)) => left,
            Some(Cut::After(body)) => {
                let head = bytes.windows(4).position(|window| window == b"\r\n\r\n");
                head.map_or(bytes.len(), |head| head + 4) + body
            }
        };
        let most = left.min(bytes.len());
        let written = std::task::ready!(Pin::new(&mut self.stream).poll_write(context, &bytes[..most]))?;
        *self.wire.0.lock().unwrap() = Some(Cut::Left(left - written));
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
