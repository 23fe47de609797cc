//! What the lockfiles of JavaScript share. It knows none of them.

use super::Why;
use crate::model::yaml::Node;

/// The text that a mapping has under a key.
pub(super) fn text<'n>(node: &'n Node, key: &str) -> Option<&'n str> {
    node.get(key).and_then(Node::text)
}

/// Splits `name@rest` and `@scope/name@rest`.
pub(super) fn name_and_rest(text: &str) -> Option<(&str, &str)> {
    let at = text.char_indices().find(|&(at, c)| at > 0 && c == '@')?.0;
    Some((&text[..at], &text[at + 1..]))
}

/// Where a package comes from, if not from a registry, by its address. Mirrors have any host, but all have `/-/` before
/// the file's name (Artifactory and GitHub Packages `/download/`).
pub(super) fn from_elsewhere(address: &str) -> Option<Why> {
    match address.split(':').next().unwrap_or_default() {
        "git" | "git+ssh" | "git+https" | "git+http" | "git+file" | "ssh" | "github" | "gitlab" | "bitbucket" => {
            Some(Why::Git)
        }
        "file" if is_archive(address) => Some(Why::Archive),
        "file" | "link" | "portal" | "workspace" | "root" => Some(Why::Own),
        "http" | "https" if is_repository(address) => Some(Why::Git),
        "http" | "https" if !address.contains("/-/") && !address.contains("/download/") => Some(Why::Address),
        _ => None,
    }
}

/// The folder that an address such as `workspace:packages/cart` or `file:./local` leads to.
pub(super) fn folder(address: &str) -> Option<String> {
    let (scheme, path) = address.split_once(':')?;
    let leads = matches!(scheme, "file" | "link" | "portal" | "workspace");
    let path = path.split('#').next()?.split("::").next()?;
    leads.then(|| path.trim_start_matches("./").trim_end_matches('/').to_owned())
}

/// Whether npm takes the file at an address for a package; Yarn puts more behind it.
fn is_archive(address: &str) -> bool {
    let path = address.split(['#', '(']).next().and_then(|path| path.split("::").next()).unwrap_or_default();
    [".tgz", ".tar.gz", ".tar"].iter().any(|end| path.ends_with(end))
}

/// Whether an address is that of a git repository, or of its content at a commit.
fn is_repository(address: &str) -> bool {
    let address = address.split('#').next().unwrap_or_default();
    address.strip_suffix(".git").is_some() || address.contains("//codeload.github.com/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_tell_where_a_package_comes_from() {
        for (address, why) in [
            ("https://registry.example.com/npm/ms/-/ms-2.0.0.tgz", None),
            ("https://npm.pkg.example.com/download/@a/b/1.0.0/0a", None),
            ("ms-2.0.0.tgz#0a", None),
            ("git+ssh://git@example.com/a/b.git#0a", Some(Why::Git)),
            ("https://example.com/a/b.git#commit=0a", Some(Why::Git)),
            ("https://codeload.github.com/a/b/tar.gz/0a", Some(Why::Git)),
            ("https://example.com/b.tgz", Some(Why::Address)),
            ("file:../b", Some(Why::Own)),
            ("file:c/b-1.0.0.tgz#0a", Some(Why::Archive)),
            ("file:./b.tar.gz::hash=0a&locator=root%40workspace%3A.", Some(Why::Archive)),
        ] {
            assert_eq!(from_elsewhere(address), why, "{address}");
        }
        assert_eq!(name_and_rest("@a/b@npm:c@1"), Some(("@a/b", "npm:c@1")));
        assert_eq!(name_and_rest("@a/b"), None);
    }
}
