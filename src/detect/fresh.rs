//! A folder as a fresh checkout would have it after [`prepare`](super::prepare): what is written for others must not
//! depend on what is installed here.

use super::{Look, MigrationsFolder};

/// Folders of environments that people make for themselves.
const ENVIRONMENTS: &[&str] = &[".venv", "venv"];
/// Managers that `prepare` installs where their lock file lies.
const INSTALLED: &[&str] = &["uv"];

/// What can be seen of it.
pub struct Fresh<'a>(pub &'a dyn Look);

impl Look for Fresh<'_> {
    fn read(&self, path: &str) -> Result<Option<String>, String> {
        self.0.read(path)
    }

    fn has(&self, path: &str) -> bool {
        !path.split('/').any(|part| ENVIRONMENTS.contains(&part)) && self.0.has(path)
    }

    fn folders(&self, dir: &str) -> Vec<String> {
        self.0.folders(dir)
    }

    fn migrations(&self) -> Vec<MigrationsFolder> {
        self.0.migrations()
    }

    fn answers(&self, dir: &str, argv: &[&str]) -> bool {
        argv.first().is_some_and(|program| INSTALLED.contains(program)) || self.0.answers(dir, argv)
    }
}
