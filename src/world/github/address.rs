//! Where the API is: joins paths to its address, and takes its own address off the URLs that it sends us.

use http::Uri;
use http::uri::{Authority, Scheme};

use crate::world::forge::ForgeError;

/// The base address of an API; GitHub Enterprise Server has it below a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    scheme: Scheme,
    authority: Authority,
    /// Without a slash at its end: `""` or `/api/v3`.
    prefix: String,
}

impl Address {
    /// Reads an address.
    pub fn parse(url: &str) -> Result<Self, ForgeError> {
        let refuse = |why| ForgeError::Address { url: without_user(url), why };
        let uri: Uri = url.trim().parse().map_err(|_| refuse("it cannot be read"))?;
        let parts = uri.into_parts();
        let (Some(scheme), Some(authority)) = (parts.scheme, parts.authority) else {
            return Err(refuse("it needs https:// and a host"));
        };
        if scheme != Scheme::HTTPS && scheme != Scheme::HTTP {
            return Err(refuse("it must start with https://"));
        }
        if authority.as_str().contains('@') {
            return Err(refuse("it must not hold a user or a password"));
        }
        let path = parts.path_and_query.as_ref();
        if path.is_some_and(|path| path.query().is_some()) {
            return Err(refuse("it must not have a query"));
        }
        let prefix = path.map_or("", |path| path.path()).trim_end_matches('/').to_owned();
        Ok(Self { scheme, authority, prefix })
    }

    /// The URL of a path. GraphQL is not below `/v3`:
    /// <https://docs.github.com/en/enterprise-server/graphql/guides/forming-calls-with-graphql>
    pub fn url(&self, path: &str) -> String {
        let prefix = match path {
            "/graphql" => self.prefix.strip_suffix("/v3").unwrap_or(&self.prefix),
            _ => &self.prefix,
        };
        format!("{}://{}{prefix}{path}", self.scheme, self.authority)
    }

    /// The path of a URL that the API sent us, or `None` where it is not below this address.
    pub fn path_of(&self, url: &str) -> Option<String> {
        let local = match url.strip_prefix('/') {
            Some(rest) => (!rest.starts_with(['/', '\\'])).then(|| url.to_owned()),
            None => self.local_path(url),
        }?;
        let below = local.strip_prefix(&self.prefix)?;
        below.starts_with('/').then(|| below.to_owned())
    }

    /// Whether a file may be fetched from a URL elsewhere: over TLS, but for an API that is not reached by TLS itself.
    pub fn may_lead_to(&self, url: &str) -> bool {
        let Ok(uri) = url.parse::<Uri>() else { return false };
        let safe = uri.scheme() == Some(&Scheme::HTTPS) || self.scheme == Scheme::HTTP;
        safe && uri.authority().is_some_and(|authority| !authority.as_str().contains('@'))
    }

    fn local_path(&self, url: &str) -> Option<String> {
        let uri: Uri = url.parse().ok()?;
        let own = uri.scheme() == Some(&self.scheme) && uri.authority() == Some(&self.authority);
        own.then(|| uri.path_and_query().map(ToString::to_string))?
    }
}

/// A password in the address must not be shown.
fn without_user(url: &str) -> String {
    match url.rsplit_once('@') {
        Some((_, host)) => format!("…@{host}"),
        None => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_joined_below_the_address() {
        let github = Address::parse("https://api.github.com").unwrap();
        assert_eq!(github.url("/repos/o/r"), "https://api.github.com/repos/o/r");
        assert_eq!(github.url("/graphql"), "https://api.github.com/graphql");
        let ghes = Address::parse(" https://ghe.example:8443/api/v3/ ").unwrap();
        assert_eq!(ghes.url("/repos/o/r?page=2"), "https://ghe.example:8443/api/v3/repos/o/r?page=2");
        assert_eq!(ghes.url("/graphql"), "https://ghe.example:8443/api/graphql");
    }

    #[test]
    fn only_urls_below_the_address_are_its_own() {
        let ghes = Address::parse("https://ghe.example/api/v3").unwrap();
        assert_eq!(ghes.path_of("https://ghe.example/api/v3/x?page=2").as_deref(), Some("/x?page=2"));
        assert_eq!(ghes.path_of("/api/v3/x").as_deref(), Some("/x"));
        for foreign in [
            "https://evil.example/api/v3/x",
            "http://ghe.example/api/v3/x",
            "https://ghe.example:8443/api/v3/x",
            "https://ghe.example/other/x",
            "https://ghe.example/api/v3evil/x",
            "https://ghe.example@evil.example/api/v3/x",
            "//evil.example/api/v3/x",
            "/\\evil.example/api/v3/x",
            "x",
        ] {
            assert_eq!(ghes.path_of(foreign), None, "{foreign}");
        }
        let github = Address::parse("https://api.github.com/").unwrap();
        assert!(github.may_lead_to("https://files.example/x?sig=1"));
        for foreign in ["http://files.example/x", "https://user@files.example/x", "file:///etc/passwd", "/x", "//x/y"] {
            assert!(!github.may_lead_to(foreign), "{foreign}");
        }
        assert_eq!(
            github.path_of("https://api.github.com/repositories/1?page=2").as_deref(),
            Some("/repositories/1?page=2")
        );
        assert_eq!(github.path_of("//evil.example/x"), None);
    }

    #[test]
    fn what_is_no_address_is_refused_without_showing_a_password() {
        for bad in ["", "api.github.com", "ftp://x/y", "https://u:secret@host/", "https://host/?x=1", "/api/v3"] {
            let error = Address::parse(bad).unwrap_err().to_string();
            assert!(error.contains("GITHUB_API_URL"), "{error}");
            assert!(!error.contains("secret"), "{error}");
        }
    }
}
