//! The forge on GitHub, by octocrab's raw requests: sends once, follows redirects on its own origin only, reads
//! bodies under a cap. It never repeats a request; the client is made when the first one is sent.

mod address;
mod reply;

use std::error::Error;
use std::time::Duration;

use http_body_util::BodyExt;
use hyper_timeout::TimeoutConnector;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use octocrab::{AuthState, OctoBody, Octocrab, OctocrabBuilder};

use crate::model::secret::Secret;
use crate::world::env::Env;
use crate::world::forge::{Forge, ForgeError, Reply, Request};
use crate::world::route;

use address::Address;

/// GitHub answers a renamed repository with one redirect.
const REDIRECTS: usize = 3;

/// How much longer than a request a download may take.
const DOWNLOAD: u32 = 5;

/// GitHub's own API, where `GITHUB_API_URL` names no other.
pub const API: &str = "https://api.github.com";

/// How long things may take. octocrab's own default is for ever.
#[derive(Debug, Clone, Copy)]
pub struct Timeouts {
    /// Until there is a connection.
    pub connect: Duration,
    /// Between two pieces read.
    pub read: Duration,
    /// Between two pieces written.
    pub write: Duration,
    /// For the request, its redirects and the whole reply.
    pub whole: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self { connect: seconds(10), read: seconds(30), write: seconds(30), whole: seconds(60) }
    }
}

/// GitHub, or a GitHub Enterprise Server.
#[derive(Debug)]
pub struct GitHub {
    address: Address,
    token: Secret,
    timeouts: Timeouts,
    client: tokio::sync::OnceCell<Octocrab>,
}

impl GitHub {
    /// Speaks to `api_url` (`https://api.github.com`, `https://host/api/v3`) with `token`. Sends nothing yet.
    ///
    /// # Errors
    /// When the address is no `http` or `https` URL, or has a user, a query or a fragment.
    pub fn new(api_url: &str, token: Secret) -> Result<Self, ForgeError> {
        let address = Address::parse(api_url)?;
        Ok(Self { address, token, timeouts: Timeouts::default(), client: tokio::sync::OnceCell::new() })
    }

    /// As an environment names it, with its token; `None` without one.
    #[must_use]
    pub fn of(env: &Env) -> Option<Result<Self, ForgeError>> {
        let token = ["GITHUB_TOKEN", "GH_TOKEN"].iter().find_map(|name| env.get(name))?;
        Some(Self::new(env.get("GITHUB_API_URL").unwrap_or(API), Secret::new(token.to_owned())))
    }

    /// With other timeouts.
    #[must_use]
    pub const fn with_timeouts(mut self, timeouts: Timeouts) -> Self {
        self.timeouts = timeouts;
        self
    }

    async fn exchange(&self, request: &Request) -> Result<Reply, ForgeError> {
        let mut path = request.path.clone();
        for _ in 0..=REDIRECTS {
            let url = self.address.url(&path);
            let response = self.once(&url, &url, request, true).await?;
            let Some(to) = redirect(&response) else {
                return reply::read(response, &url, &self.address).await;
            };
            tracing::debug!(%url, %to, "redirected");
            path = self.address.path_of(&to).ok_or(ForgeError::Away { url, to })?;
        }
        let to = format!("more than {REDIRECTS} redirects");
        Err(ForgeError::Away { url: self.address.url(&request.path), to })
    }

    /// The API leads to the storage of files, which is elsewhere, by an address that is a secret of its own.
    async fn fetch(&self, path: &str, most: usize) -> Result<Vec<u8>, ForgeError> {
        let mut own = Some(path.to_owned());
        let mut url = self.address.url(path);
        for _ in 0..=REDIRECTS {
            let shown = url.split('?').next().unwrap_or_default();
            let request = Request::get(String::new());
            let response = self.once(&url, shown, &request, own.is_some()).await?;
            let Some(to) = redirect(&response) else {
                return reply::file(response, shown, most).await;
            };
            own = self.address.path_of(&to);
            let next = own.as_ref().map_or(to.clone(), |path| self.address.url(path));
            if own.is_none() && !self.address.may_lead_to(&to) {
                let to = to.split('?').next().unwrap_or_default().to_owned();
                return Err(ForgeError::Away { url: shown.to_owned(), to });
            }
            tracing::debug!(shown, elsewhere = own.is_none(), "redirected");
            url = next;
        }
        let to = format!("more than {REDIRECTS} redirects");
        Err(ForgeError::Away { url: self.address.url(path), to })
    }

    /// Sends to `url`, which errors call `shown`; with the token only where `own` says that it is the API.
    async fn once(
        &self,
        url: &str,
        shown: &str,
        request: &Request,
        own: bool,
    ) -> Result<http::Response<impl BodyExt<Data: AsRef<[u8]>, Error = octocrab::Error> + Unpin + use<>>, ForgeError>
    {
        let client = self.client.get_or_try_init(|| async { self.connect() }).await?;
        let agent = concat!("gatepost/", env!("CARGO_PKG_VERSION"));
        let mut http_request =
            http::Request::builder().method(request.method.word()).uri(url).header(http::header::USER_AGENT, agent);
        if own {
            let mut authorization = http::HeaderValue::from_str(&format!("Bearer {}", self.token.expose()))
                .map_err(|_| ForgeError::Token)?;
            authorization.set_sensitive(true);
            http_request = http_request
                .header(http::header::AUTHORIZATION, authorization)
                .header(http::header::ACCEPT, "application/vnd.github+json")
                .header("x-github-api-version", "2022-11-28");
        }
        let body = match &request.body {
            None => OctoBody::empty(),
            Some(json) => {
                http_request = http_request.header(http::header::CONTENT_TYPE, "application/json");
                OctoBody::from(json.to_string())
            }
        };
        let http_request = http_request
            .body(body)
            .map_err(|_| ForgeError::Address { url: shown.to_owned(), why: "the path is not a valid one" })?;
        tracing::debug!(method = request.method.word(), shown, "sending");
        client.send(http_request).await.map_err(|error| failed(shown, error))
    }

    /// octocrab's own client has no proxies.
    fn connect(&self) -> Result<Octocrab, ForgeError> {
        let certificates = |error| ForgeError::Certificates { source: Box::new(error) };
        let mut connector = TimeoutConnector::new(route::secure(self.timeouts.connect).map_err(certificates)?);
        connector.set_connect_timeout(Some(self.timeouts.connect));
        connector.set_read_timeout(Some(self.timeouts.read));
        connector.set_write_timeout(Some(self.timeouts.write));
        let client = Client::builder(TokioExecutor::new()).build::<_, OctoBody>(connector);
        let Ok(octocrab) = OctocrabBuilder::new_empty().with_service(client).with_auth(AuthState::None).build();
        Ok(octocrab)
    }
}

impl Forge for GitHub {
    async fn send(&self, request: &Request) -> Result<Reply, ForgeError> {
        let after = self.timeouts.whole;
        match tokio::time::timeout(after, self.exchange(request)).await {
            Ok(result) => result,
            Err(_) => Err(ForgeError::TimedOut { url: self.address.url(&request.path), after }),
        }
    }

    async fn download(&self, path: &str, most: usize) -> Result<Vec<u8>, ForgeError> {
        let after = self.timeouts.whole * DOWNLOAD;
        match tokio::time::timeout(after, self.fetch(path, most)).await {
            Ok(result) => result,
            Err(_) => Err(ForgeError::TimedOut { url: self.address.url(path), after }),
        }
    }
}

/// Where a reply sends us. GitHub asks that the request be repeated as it was, whatever the method:
/// <https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api#follow-redirects>
fn redirect<B>(response: &http::Response<B>) -> Option<String> {
    if !matches!(response.status().as_u16(), 301 | 302 | 307 | 308) {
        return None;
    }
    Some(response.headers().get(http::header::LOCATION)?.to_str().ok()?.to_owned())
}

/// octocrab boxes what happened; only the types further in tell whether a connection was ever made.
fn failed(url: &str, error: octocrab::Error) -> ForgeError {
    let url = url.to_owned();
    let mut cause: Option<&dyn Error> = Some(&error);
    while let Some(inner) = cause {
        let client = inner.downcast_ref::<hyper_util::client::legacy::Error>();
        if client.is_some_and(hyper_util::client::legacy::Error::is_connect) {
            return ForgeError::Unreachable { url, source: Box::new(error) };
        }
        cause = inner.source();
    }
    ForgeError::Broken { url, source: Box::new(error) }
}
