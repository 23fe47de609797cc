//! Expected files: compared, or rewritten under `GATEPOST_BLESS=1`.

use std::path::Path;

/// Compares `actual` with the file.
///
/// # Panics
/// When they differ and nothing was blessed.
pub fn compare(file: &Path, actual: &str) {
    if std::env::var_os("GATEPOST_BLESS").is_some() {
        std::fs::write(file, actual).unwrap();
        return;
    }
    let expected = std::fs::read_to_string(file).unwrap_or_default();
    assert!(expected == actual, "{} differs; GATEPOST_BLESS=1 rewrites it. It is now:\n{actual}", file.display());
}

/// Compares many files, and names all that differ.
///
/// # Panics
/// When one differs and nothing was blessed.
pub fn compare_all(cases: impl IntoIterator<Item = (String, std::path::PathBuf, String)>) {
    let bless = std::env::var_os("GATEPOST_BLESS").is_some();
    let mut different = Vec::new();
    for (name, file, got) in cases {
        if bless {
            std::fs::write(&file, &got).unwrap();
        } else if std::fs::read_to_string(&file).unwrap_or_default() != got {
            different.push(format!("{name}, now:\n{got}"));
        }
    }
    assert!(different.is_empty(), "GATEPOST_BLESS=1 accepts what has changed in\n{}", different.join("\n"));
}

/// Compares the parts of a document that are made from the program: each stands between `<!-- generated: NAME -->` and
/// the next `<!-- end -->`. What is around them is the author's.
///
/// # Panics
/// When a part is missing, or one differs and nothing was blessed.
pub fn sections(file: &Path, parts: &[(&str, String)]) {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let mut new = text.clone();
    for (name, body) in parts {
        let open = format!("<!-- generated: {name} -->\n");
        let found = new.split_once(&open).and_then(|(before, rest)| Some((before, rest.split_once("<!-- end -->")?.1)));
        let (before, after) = found.unwrap_or_else(|| panic!("{} has no part {open}…<!-- end -->", file.display()));
        new = format!("{before}{open}\n{}\n\n<!-- end -->{after}", body.trim_end());
    }
    if std::env::var_os("GATEPOST_BLESS").is_some() {
        std::fs::write(file, new).unwrap();
        return;
    }
    let stale = text.lines().zip(new.lines()).find(|(old, new)| old != new);
    assert!(text == new, "{} is not what the program says; GATEPOST_BLESS=1 rewrites it: {stale:?}", file.display());
}
