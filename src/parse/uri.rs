//! URIs as paths, for the formats that name files by them. It asks nobody whether such a file is there.

/// The scheme of a URI; one letter is a drive of Windows.
pub(super) fn scheme(uri: &str) -> Option<&str> {
    let (scheme, _) = uri.split_once(':')?;
    let good = scheme.len() > 1 && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'));
    good.then_some(scheme)
}

/// `file:` URIs and relative references as paths, percent-encoding resolved; other schemes stay as they are.
pub(super) fn from_uri(uri: &str) -> String {
    let path = match scheme(uri) {
        None => uri,
        Some(scheme) if scheme.eq_ignore_ascii_case("file") => {
            let rest = &uri["file:".len()..];
            match rest.strip_prefix("//") {
                // A host other than this machine is part of the path, as in \\server\share.
                Some(rest) if !rest.starts_with('/') && !rest.starts_with("localhost/") => return decode(&uri[5..]),
                Some(rest) => rest.strip_prefix("localhost").unwrap_or(rest),
                None => rest,
            }
        }
        Some(_) => return uri.to_owned(),
    };
    let path = decode(path);
    // `/C:/x` names a drive.
    match path.as_bytes() {
        [b'/', drive, b':', ..] if drive.is_ascii_alphabetic() => path[1..].to_owned(),
        _ => path,
    }
}

fn decode(text: &str) -> String {
    if !text.contains('%') {
        return text.to_owned();
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let hex = after.first_chunk::<2>().filter(|hex| *first == b'%' && hex.iter().all(u8::is_ascii_hexdigit));
        let byte = hex.and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok());
        bytes.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { &after[2..] } else { after };
    }
    // A file name of another encoding was written raw; it is then taken as it stands.
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uris_become_paths() {
        for (uri, path) in [
            ("src/a%20b.js", "src/a b.js"),
            ("file:///home/dev/%C3%A9.js", "/home/dev/é.js"),
            ("file:///C:/x/a.js", "C:/x/a.js"),
            ("file:/x/a.js", "/x/a.js"),
            ("file://localhost/x", "/x"),
            ("file://server/share/a", "//server/share/a"),
            ("https://example.com/a%20b", "https://example.com/a%20b"),
            ("C:\\x\\a.js", "C:\\x\\a.js"),
            ("100%", "100%"),
            ("%zz%+f%é", "%zz%+f%é"),
            ("%ff", "%ff"),
        ] {
            assert_eq!(from_uri(uri), path);
        }
    }

    #[test]
    fn a_scheme_has_more_than_one_letter_and_no_other_signs() {
        assert_eq!(["git+ssh://x", "1.2-3:x"].map(scheme), [Some("git+ssh"), Some("1.2-3")]);
        assert_eq!(["C:/x", ":x", "a b:x", "a/b:x", "x"].map(scheme), [None; 5]);
    }
}
