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
