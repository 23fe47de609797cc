//! How hosts are reached: directly, or through the proxy that the environment names (`https_proxy`, `http_proxy`, `all_proxy`
//! and `no_proxy`, in small letters or large ones), by CONNECT whatever the scheme. This machine is always reached directly.

use std::error::Error;
use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::proxy::Tunnel;
use hyper_util::client::proxy::matcher::{Intercept, Matcher};
use tower_service::Service;

use crate::world::env::Env;

/// Connects by TLS where the address says so, with the system's certificates. A connection must stand within `patience`.
///
/// # Errors
/// When the certificates cannot be read.
pub fn secure(patience: Duration) -> io::Result<HttpsConnector<Route>> {
    let builder = HttpsConnectorBuilder::new().with_native_roots()?;
    Ok(builder.https_or_http().enable_http1().wrap_connector(Route::new(patience)))
}

/// Connects to hosts.
#[derive(Clone, Debug)]
pub struct Route {
    direct: HttpConnector,
    proxies: Arc<Matcher>,
    /// The variables whose proxy cannot be read, for which [`NOWHERE`] stands in.
    unreadable: Arc<[&'static str]>,
}

/// Whoever is led here is told of the unreadable proxy: around it a host is never asked.
const NOWHERE: &str = "http://unreadable.invalid";

/// A proxy that led nowhere. What happened is part of the text: whoever asks for the innermost cause is told of the proxy.
#[derive(Debug, thiserror::Error)]
enum ProxyError {
    #[error("the proxy that {0} names cannot be read as an address; http://HOST:PORT is expected")]
    Unreadable(String),
    #[error("the proxy {0} is not one by http://, and others are not spoken to")]
    Kind(String),
    #[error("through the proxy {proxy}: {why}")]
    Broken { proxy: String, why: String },
}

type BoxError = Box<dyn Error + Send + Sync>;
type Connection = <HttpConnector as Service<Uri>>::Response;

impl Route {
    fn new(patience: Duration) -> Self {
        let mut direct = HttpConnector::new();
        direct.enforce_http(false);
        direct.set_connect_timeout(Some(patience));
        let env = Env::of_process();
        let word = |name: &str| env.get(name).or_else(|| env.get(&name.to_uppercase())).unwrap_or_default().to_owned();
        let unreadable: Arc<[_]> =
            ["all_proxy", "https_proxy", "http_proxy"].into_iter().filter(|name| !is_readable(&word(name))).collect();
        let proxy = |name| if unreadable.contains(&name) { NOWHERE.to_owned() } else { word(name) };
        let proxies = Matcher::builder().all(proxy("all_proxy")).https(proxy("https_proxy")).http(proxy("http_proxy"));
        Self { direct, proxies: Arc::new(proxies.no(word("no_proxy")).build()), unreadable }
    }
}

fn is_readable(proxy: &str) -> bool {
    let any = Uri::from_static("http://any.invalid");
    proxy.is_empty() || Matcher::builder().all(proxy.to_owned()).build().intercept(&any).is_some()
}

impl Service<Uri> for Route {
    type Response = Connection;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Connection, BoxError>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.direct.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, to: Uri) -> Self::Future {
        let mut direct = self.direct.clone();
        match self.proxies.intercept(&to).filter(|_| !is_here(&to)) {
            None => Box::pin(async move { Ok(direct.call(to).await?) }),
            Some(proxy) if proxy.uri() == NOWHERE => {
                let names = self.unreadable.join(" or ");
                Box::pin(async move { Err(ProxyError::Unreadable(names).into()) })
            }
            Some(proxy) => Box::pin(async move { Ok(through(&proxy, direct, to).await?) }),
        }
    }
}

async fn through(proxy: &Intercept, direct: HttpConnector, to: Uri) -> Result<Connection, ProxyError> {
    // Who speaks to it may be named before its host: that is nobody else's business.
    let place = proxy.uri().authority().map_or("", |whole| whole.as_str());
    let place = place.rsplit('@').next().unwrap_or_default().to_owned();
    if proxy.uri().scheme_str() != Some("http") {
        return Err(ProxyError::Kind(place));
    }
    let mut tunnel = Tunnel::new(proxy.uri().clone(), direct);
    if let Some(who) = proxy.basic_auth() {
        tunnel = tunnel.with_auth(who.clone());
    }
    // Without a port it takes every address for one of TLS.
    let to = match to.scheme_str() {
        Some("http") if to.port().is_none() => with_port(&to, 80).unwrap_or(to),
        _ => to,
    };
    tunnel.call(to).await.map_err(|error| ProxyError::Broken { proxy: place, why: root_cause(&error) })
}

/// The innermost cause: the outer layers only repeat that the client failed.
pub fn root_cause(error: &(dyn Error + 'static)) -> String {
    let mut cause = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

fn with_port(to: &Uri, port: u16) -> Option<Uri> {
    Uri::builder().scheme("http").authority(format!("{}:{port}", to.host()?)).path_and_query("/").build().ok()
}

/// Whether the host is this machine by its name or number.
fn is_here(to: &Uri) -> bool {
    let host = to.host().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}
