//! GitHub as the rest of the program sees it: one request, one reply. What to retry, adopt or give up is not decided
//! here but by the interpreter.

use std::error::Error;
use std::time::Duration;

use crate::world::route::root_cause;

/// Sends requests to the API of a forge.
pub trait Forge: Send + Sync {
    /// Sends one request once, and reads the whole reply. Any status is a reply.
    ///
    /// # Errors
    /// When no whole reply came; the variants tell whether the request may have been carried out.
    fn send(&self, request: &Request) -> impl Future<Output = Result<Reply, ForgeError>> + Send;

    /// Downloads at most `most` bytes of what a path leads to, perhaps on another origin, which does not get the token.
    ///
    /// # Errors
    /// When it was not got whole.
    fn download(&self, path: &str, most: usize) -> impl Future<Output = Result<Vec<u8>, ForgeError>> + Send;
}

/// What is done to the thing at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Reads it.
    Get,
    /// Creates a thing below it: carried out twice, there are two.
    Post,
    /// Changes it.
    Patch,
    /// Removes it.
    Delete,
}

impl Method {
    /// As HTTP spells it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

/// One request.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// What is done.
    pub method: Method,
    /// Below the API's address, query included: `/repos/o/r/pulls/7`; `/graphql` is the GraphQL endpoint.
    pub path: String,
    /// JSON.
    pub body: Option<serde_json::Value>,
}

impl Request {
    /// A read of `path`.
    #[must_use]
    pub const fn get(path: String) -> Self {
        Self { method: Method::Get, path, body: None }
    }
}

/// One reply, whatever its status: the headers that policy needs, and the body.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// `retry-after`.
    pub retry_after: Option<Duration>,
    /// `x-ratelimit-remaining`.
    pub remaining: Option<u64>,
    /// `x-ratelimit-reset`, in seconds since 1970.
    pub reset: Option<i64>,
    /// `date`, in seconds since 1970: GitHub's own clock.
    pub date: Option<i64>,
    /// The path of the next page (`link: …; rel="next"`), on the API's own origin.
    pub next: Option<String>,
    /// `x-oauth-scopes`: what a person's classic token may do; of other tokens it is not there.
    pub scopes: Option<String>,
    /// All of the body.
    pub body: Vec<u8>,
}

/// Why no whole reply came. The address never holds the token.
#[derive(Debug, thiserror::Error)]
pub enum ForgeError {
    /// Nothing was sent: the address is none.
    #[error(
        "{url:?} is no address of an API: {why}; GITHUB_API_URL looks like https://api.github.com or https://host/api/v3"
    )]
    Address {
        /// What was given.
        url: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// Nothing was sent: no header can carry the token.
    #[error(
        "the token has characters that no HTTP header may carry; give the token alone, without quotes or line breaks"
    )]
    Token,
    /// Nothing was sent: the client could not be made.
    #[error("cannot load the certificates of this system: {}; install them (ca-certificates) or point SSL_CERT_FILE at them", root_cause(.source.as_ref()))]
    Certificates {
        /// What the TLS library says.
        source: Box<dyn Error + Send + Sync>,
    },
    /// Nothing was sent: there was no connection.
    #[error("cannot reach {url}: {}; check the network and GITHUB_API_URL", root_cause(.source.as_ref()))]
    Unreachable {
        /// Where to.
        url: String,
        /// What the network says.
        source: Box<dyn Error + Send + Sync>,
    },
    /// It may have been carried out.
    #[error("{url} did not answer within {} s; it may be overloaded, try again later", after.as_secs())]
    TimedOut {
        /// Where to.
        url: String,
        /// How long was waited.
        after: Duration,
    },
    /// It may have been carried out.
    #[error("the connection to {url} broke before an answer came: {}; try again later", root_cause(.source.as_ref()))]
    Broken {
        /// Where to.
        url: String,
        /// What the network says.
        source: Box<dyn Error + Send + Sync>,
    },
    /// It may have been carried out.
    #[error("the answer of {url} (status {status}) ended early: {}; it began with {start:?}", root_cause(.source.as_ref()))]
    Cut {
        /// Where to.
        url: String,
        /// The status that had come.
        status: u16,
        /// The first 512 bytes of the body.
        start: String,
        /// What the network says.
        source: Box<dyn Error + Send + Sync>,
    },
    /// It may have been carried out.
    #[error("the answer of {url} (status {status}) is larger than {limit} bytes and was not read")]
    TooLarge {
        /// Where to.
        url: String,
        /// The status that had come.
        status: u16,
        /// The most that is read.
        limit: usize,
    },
    /// A download was answered, but not with the thing.
    #[error("{url} was answered {status} in place of the file; it began with {start:?}")]
    NotGiven {
        /// Where to, without the query.
        url: String,
        /// The status.
        status: u16,
        /// The first 512 bytes of the body.
        start: String,
    },
    /// The API sends us to another origin, which must not get the token; nothing was sent there.
    #[error("{url} leads to {to}, which is not below the API's own address; check GITHUB_API_URL")]
    Away {
        /// Where to.
        url: String,
        /// Where it leads.
        to: String,
    },
}
