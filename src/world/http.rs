//! Plain HTTP requests to others than the forge. A reply is whole or an error: cut bodies, redirects and time that runs
//! out are never taken for an answer.

use std::error::Error;
use std::io::Cursor;
use std::time::Duration;

use http_body_util::{BodyExt as _, Full};
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;

use crate::world::route::{self, Route, root_cause};

/// How often a request is sent at most, where it may work the next time.
const TRIES: u32 = 3;

/// A request that did not bring what was asked for. The text says what was tried and what happened.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// The address cannot be asked.
    #[error("{0:?} is no http or https address")]
    Address(String),
    /// The system's certificates cannot be read.
    #[error("the system's certificates cannot be read: {0}")]
    Certificates(std::io::Error),
    /// No whole reply came.
    #[error("{url} could not be asked: {why}")]
    Broken {
        /// Whether there was a connection: else nothing was sent.
        sent: bool,
        /// What was asked.
        url: String,
        /// What happened.
        why: String,
    },
    /// It took too long.
    #[error("{url} did not answer within {after:?}")]
    TimedOut {
        /// What was asked.
        url: String,
        /// How long was waited.
        after: Duration,
    },
    /// It answered with something else.
    #[error("{url} answered {status}")]
    Status {
        /// What was asked.
        url: String,
        /// The status.
        status: u16,
    },
    /// It is larger than what is read.
    #[error("{url} sent more than {limit} bytes")]
    TooLarge {
        /// What was asked.
        url: String,
        /// The most that is read.
        limit: u64,
    },
    /// What was received could not be kept.
    #[error("what {url} sent could not be kept: {source}")]
    Keep {
        /// What was asked.
        url: String,
        /// What happened.
        source: std::io::Error,
    },
}

impl HttpError {
    /// Whether who was asked may have heard it.
    #[must_use]
    pub const fn may_have_been_heard(&self) -> bool {
        !matches!(self, Self::Address(_) | Self::Certificates(_) | Self::Broken { sent: false, .. })
    }
}

impl HttpError {
    /// Whether the same may work a moment later.
    const fn may_pass(&self) -> bool {
        match self {
            Self::Broken { .. } | Self::TimedOut { .. } => true,
            Self::Status { status, .. } => matches!(status, 408 | 425 | 429 | 500..=599),
            Self::Address(_) | Self::Certificates(_) | Self::TooLarge { .. } | Self::Keep { .. } => false,
        }
    }
}

/// What is sent.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// The whole address.
    pub url: String,
    /// Sent by POST where there is one.
    pub json: Option<Vec<u8>>,
    /// The reply is not wanted again where it still has this tag.
    pub etag: Option<String>,
}

/// What came back whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// It has not changed since.
    Unchanged,
    /// Its content went where it was asked to go.
    Content {
        /// By which a change can be seen.
        etag: Option<String>,
        /// When it last changed, as the server writes it.
        modified: Option<String>,
    },
}

/// One request that is sent once, and whose answer is wanted whatever it is.
#[derive(Debug, Clone)]
pub struct Exchange<'a> {
    /// `GET`, `POST`, ….
    pub method: &'a str,
    /// The whole address.
    pub url: &'a str,
    /// Sent as they are.
    pub headers: &'a [(String, String)],
    /// Sent where there is one.
    pub body: Option<Vec<u8>>,
    /// Until the whole answer is there.
    pub timeout: Duration,
    /// The most bytes that are read of the answer.
    pub limit: u64,
}

/// A whole answer.
#[derive(Debug, Clone)]
pub struct Answered {
    /// The status; a redirect is not followed.
    pub status: u16,
    /// Its headers.
    pub headers: http::HeaderMap,
    /// Its body.
    pub body: Vec<u8>,
}

impl Answered {
    /// A header, where it is text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

/// A client.
#[derive(Debug, Clone)]
pub struct Http {
    client: Client<HttpsConnector<Route>, Full<Cursor<Vec<u8>>>>,
    /// Until the reply begins, and then between two pieces of it.
    patience: Duration,
    /// Before the second try; twice as long before the third.
    pause: Duration,
}

impl Http {
    /// A client that waits at most `patience` for each piece of a reply.
    ///
    /// # Errors
    /// When the system's certificates cannot be read.
    pub fn new(patience: Duration, pause: Duration) -> Result<Self, HttpError> {
        let connector = route::secure(patience).map_err(HttpError::Certificates)?;
        Ok(Self { client: Client::builder(TokioExecutor::new()).build(connector), patience, pause })
    }

    /// Sends a request, again where that may help, and gives the body to `sink` from its start on each time.
    ///
    /// # Errors
    /// When no whole reply of status 200 (or 304, where a tag was sent) comes.
    pub async fn fetch(&self, request: &Request, limit: u64, sink: &mut (dyn Sink + Send)) -> Result<Reply, HttpError> {
        let mut pause = self.pause;
        for _ in 1..TRIES {
            match self.once(request, limit, sink).await {
                Err(error) if error.may_pass() => {
                    tracing::info!("{error}; trying again");
                    tokio::time::sleep(pause).await;
                    pause *= 2;
                }
                done => return done,
            }
        }
        self.once(request, limit, sink).await
    }

    /// As [`Http::fetch`], into memory.
    ///
    /// # Errors
    /// As [`Http::fetch`].
    pub async fn get(&self, request: &Request, limit: u64) -> Result<Vec<u8>, HttpError> {
        let mut body = Vec::new();
        self.fetch(request, limit, &mut body).await.map(|_| body)
    }

    /// Sends a request once. Any status is an answer.
    ///
    /// # Errors
    /// When no whole answer came in time.
    pub async fn exchange(&self, exchange: &Exchange<'_>) -> Result<Answered, HttpError> {
        let url = || exchange.url.to_owned();
        let bad = |_| HttpError::Address(url());
        let uri: http::Uri = exchange.url.parse().map_err(|_| HttpError::Address(url()))?;
        if !matches!(uri.scheme_str(), Some("http" | "https")) || uri.host().is_none() {
            return Err(HttpError::Address(url()));
        }
        let agent = concat!("gatepost/", env!("CARGO_PKG_VERSION"));
        let mut message =
            http::Request::builder().method(exchange.method).uri(uri).header(http::header::USER_AGENT, agent);
        for (name, value) in exchange.headers {
            message = message.header(name, value);
        }
        let body = Full::new(Cursor::new(exchange.body.clone().unwrap_or_default()));
        let message = message.body(body).map_err(bad)?;
        let whole = async {
            let reply = self.client.request(message).await;
            let reply = reply.map_err(|error| broken(exchange.url, !error.is_connect(), &error))?;
            let (head, mut body) = reply.into_parts();
            let mut bytes = Vec::new();
            while let Some(frame) = body.frame().await {
                let frame = frame.map_err(|error| broken(exchange.url, true, &error))?;
                let Some(data) = frame.data_ref() else { continue };
                bytes.extend_from_slice(data);
                if bytes.len() as u64 > exchange.limit {
                    return Err(HttpError::TooLarge { url: url(), limit: exchange.limit });
                }
            }
            Ok(Answered { status: head.status.as_u16(), headers: head.headers, body: bytes })
        };
        tokio::time::timeout(exchange.timeout, whole)
            .await
            .map_err(|_| HttpError::TimedOut { url: url(), after: exchange.timeout })?
    }

    async fn once(&self, request: &Request, limit: u64, sink: &mut (dyn Sink + Send)) -> Result<Reply, HttpError> {
        let url = || request.url.clone();
        let reply = self.in_time(&request.url, self.client.request(message(request)?)).await?;
        let reply = reply.map_err(|error| broken(&request.url, !error.is_connect(), &error))?;
        match reply.status().as_u16() {
            200 => {}
            304 if request.etag.is_some() => return Ok(Reply::Unchanged),
            status => return Err(HttpError::Status { url: url(), status }),
        }
        let header = |name| reply.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let (etag, modified) = (header(http::header::ETAG), header(http::header::LAST_MODIFIED));
        let mut body = reply.into_body();
        let keep = |source| HttpError::Keep { url: url(), source };
        sink.restart().map_err(keep)?;
        let mut received = 0;
        while let Some(frame) = self.in_time(&request.url, body.frame()).await? {
            let frame = frame.map_err(|error| broken(&request.url, true, &error))?;
            let Some(data) = frame.data_ref() else { continue };
            received += data.len() as u64;
            if received > limit {
                return Err(HttpError::TooLarge { url: url(), limit });
            }
            sink.take(data).map_err(keep)?;
        }
        Ok(Reply::Content { etag, modified })
    }

    async fn in_time<T>(&self, url: &str, step: impl Future<Output = T>) -> Result<T, HttpError> {
        tokio::time::timeout(self.patience, step)
            .await
            .map_err(|_| HttpError::TimedOut { url: url.to_owned(), after: self.patience })
    }
}

/// Where a body goes.
pub trait Sink {
    /// Forgets everything that came so far: the request is sent once more.
    ///
    /// # Errors
    /// When that cannot be done.
    fn restart(&mut self) -> std::io::Result<()>;

    /// Takes a piece.
    ///
    /// # Errors
    /// When it cannot be kept.
    fn take(&mut self, piece: &[u8]) -> std::io::Result<()>;
}

impl Sink for Vec<u8> {
    fn restart(&mut self) -> std::io::Result<()> {
        self.clear();
        Ok(())
    }

    fn take(&mut self, piece: &[u8]) -> std::io::Result<()> {
        self.extend_from_slice(piece);
        Ok(())
    }
}

impl Sink for std::fs::File {
    fn restart(&mut self) -> std::io::Result<()> {
        use std::io::Seek as _;
        self.set_len(0)?;
        self.rewind()
    }

    fn take(&mut self, piece: &[u8]) -> std::io::Result<()> {
        use std::io::Write as _;
        self.write_all(piece)
    }
}

fn message(request: &Request) -> Result<http::Request<Full<Cursor<Vec<u8>>>>, HttpError> {
    let bad = || HttpError::Address(request.url.clone());
    let uri: http::Uri = request.url.parse().map_err(|_| bad())?;
    if !matches!(uri.scheme_str(), Some("http" | "https")) || uri.host().is_none() {
        return Err(bad());
    }
    let mut message = http::Request::builder()
        .uri(uri)
        .header(http::header::USER_AGENT, concat!("gatepost/", env!("CARGO_PKG_VERSION")));
    if let Some(etag) = &request.etag {
        message = message.header(http::header::IF_NONE_MATCH, etag);
    }
    let body = match &request.json {
        None => Vec::new(),
        Some(json) => {
            message = message.method("POST").header(http::header::CONTENT_TYPE, "application/json");
            json.clone()
        }
    };
    message.body(Full::new(Cursor::new(body))).map_err(|_| bad())
}

fn broken(url: &str, sent: bool, error: &(dyn Error + 'static)) -> HttpError {
    HttpError::Broken { sent, url: url.to_owned(), why: root_cause(error) }
}
