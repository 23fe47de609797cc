//! What the lockfiles of Python share. It knows none of them.

pub(super) use crate::advisory::record::of_python as normal;

/// The name at the beginning of a requirement such as `name[extra] >= 1 ; marker`, and what follows it and its extras.
pub(super) fn name(requirement: &str) -> Option<(&str, &str)> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let end = requirement.find(|c| !is_name(c)).unwrap_or(requirement.len());
    let (name, rest) = requirement.split_at(end);
    let rest = rest.trim_start();
    let rest = match rest.strip_prefix('[') {
        Some(extras) => extras.split_once(']')?.1.trim_start(),
        None => rest,
    };
    let ends_well = |end: Option<char>| end.is_some_and(|c| c.is_ascii_alphanumeric());
    (ends_well(name.chars().next()) && ends_well(name.chars().next_back())).then_some((name, rest))
}

/// Whether pip takes a file of this name for a package (`pip._internal.utils.filetypes`).
pub(super) fn is_archive(path: &str) -> bool {
    [".whl", ".zip", ".tar.gz", ".tgz", ".tar", ".tar.bz2", ".tbz", ".tar.xz", ".txz", ".tlz", ".tar.lz", ".tar.lzma"]
        .iter()
        .any(|end| path.ends_with(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_requirement_begins_with_its_name() {
        assert_eq!(name("Foo.bar[a, b] >= 1"), Some(("Foo.bar", ">= 1")));
        assert_eq!(name("foo"), Some(("foo", "")));
        assert_eq!(name("foo[a"), None);
        assert_eq!(name("-foo"), None);
        assert_eq!(name("<html>"), None);
    }
}
