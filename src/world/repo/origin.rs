//! What the address of a remote says.

/// The address without a user name or password in it.
pub(super) fn without_credentials(url: &str) -> String {
    match url.split_once("://") {
        Some((scheme, rest)) => {
            let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
            let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
            format!("{scheme}://{host}{path}")
        }
        None => url.to_owned(),
    }
}

/// `owner/name` on the host, for `https://host/owner/name.git`, `ssh://git@host:22/owner/name` and
/// `git@host:owner/name.git`; `None` for a folder, or a path that is not exactly two names.
pub(super) fn repository(url: &str) -> Option<String> {
    let path = match url.split_once("://") {
        Some(("https" | "http" | "ssh" | "git" | "git+ssh", rest)) => rest.split_once('/')?.1,
        Some(_) => return None,
        // git's rule for host:path is that no slash comes before the colon; one letter is a Windows drive.
        None => {
            let (host, path) = url.split_once(':')?;
            if host.contains('/') || host.len() < 2 {
                return None;
            }
            path
        }
    };
    let path = path.trim_matches('/');
    let path = path.strip_suffix(".git").unwrap_or(path);
    let (owner, name) = path.split_once('/')?;
    let good = |part: &str| {
        !matches!(part, "" | "." | "..") && part.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
    };
    (good(owner) && good(name)).then(|| format!("{owner}/{name}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn owner_and_name_from_any_host() {
        for url in [
            "https://github.com/octo/shop.git",
            "https://github.com/octo/shop",
            "https://github.com/octo/shop.git/",
            "https://x-access-token:s3cret@ghe.example:8443/octo/shop.git",
            "ssh://git@ghe.example:2222/octo/shop.git",
            "git@github.com:octo/shop.git",
            "github.com:/octo/shop",
            "git://example.org/octo/shop",
        ] {
            assert_eq!(repository(url).as_deref(), Some("octo/shop"), "{url}");
        }
        for url in [
            "/srv/git/shop.git",
            "../shop",
            "file:///srv/octo/shop",
            "C:\\octo\\shop",
            "https://h/a/b/c",
            "https://h/a",
            "",
        ] {
            assert_eq!(repository(url), None, "{url}");
        }
    }

    #[test]
    fn no_credential_is_shown() {
        assert_eq!(without_credentials("https://u:p@h:1/o/n"), "https://h:1/o/n");
        assert_eq!(without_credentials("git@h:o/n@2"), "git@h:o/n@2");
    }
}
