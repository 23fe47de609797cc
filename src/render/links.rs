//! Addresses on GitHub that we build ourselves from checked parts. Nothing a tool printed becomes an address.

use std::fmt::{self, Write as _};

use crate::model::path::RepoPath;
use crate::model::sha::Sha;

/// An absolute http(s) address that can stand in `[text](…)` as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address(String);

impl Address {
    /// Takes an address that the runner gave us (`GITHUB_SERVER_URL`, the run's page); `None` when it has another
    /// scheme, or a character that could end the link around it.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"))?;
        let good = |b: u8| b.is_ascii_alphanumeric() || b"-._~:/?#@!&+,;=%".contains(&b);
        (rest.starts_with(|c: char| c.is_ascii_alphanumeric()) && rest.bytes().all(good)).then(|| Self(text.to_owned()))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A repository's place on a server: what links to files and commits start with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site(String);

impl Site {
    /// From `https://github.com` (or a GitHub Enterprise server) and `owner/name`; `None` when either is not of that form.
    #[must_use]
    pub fn new(server: &str, repository: &str) -> Option<Self> {
        let server = Address::parse(server.trim_end_matches('/'))?;
        let (owner, name) = repository.split_once('/')?;
        let good = |part: &str| {
            !part.is_empty()
                && !matches!(part, "." | "..")
                && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b))
        };
        (good(owner) && good(name)).then(|| Self(format!("{server}/{owner}/{name}")))
    }

    /// The page of a line of a file as it is at `sha`.
    #[must_use]
    pub fn line(&self, sha: &Sha, path: &RepoPath, line: u32) -> Address {
        Address(format!("{}/blob/{sha}/{}#L{line}", self.0, encoded(path.as_str())))
    }

    /// The page of a commit.
    #[must_use]
    pub fn commit(&self, sha: &Sha) -> Address {
        Address(format!("{}/commit/{sha}", self.0))
    }
}

fn encoded(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_built_from_checked_parts() {
        let sha = Sha::parse(&"a1".repeat(20)).unwrap();
        let site = Site::new("https://github.example/base/", "o/r.js").unwrap();
        let path = RepoPath::parse("src/a (1)#é?.js").unwrap();
        let line = site.line(&sha, &path, 3);
        assert_eq!(
            line.as_str(),
            format!("https://github.example/base/o/r.js/blob/{sha}/src/a%20%281%29%23%C3%A9%3F.js#L3")
        );
        assert!(Address::parse(line.as_str()).is_some());
        for repository in ["", "o", "o/", "o/r/x", "o/..", "o/r)", "o/r\n"] {
            assert_eq!(Site::new("https://github.com", repository), None, "{repository:?}");
        }
        for address in ["", "ftp://x", "javascript:alert(1)", "https://", "https://x/a b", "https://x/)", "https://x/<"]
        {
            assert_eq!(Address::parse(address), None, "{address:?}");
        }
    }
}
