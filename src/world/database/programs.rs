//! Where database servers are on this machine.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use crate::model::migration::DatabaseKind;
use crate::world::{ask, files};

/// A gate's environment, for what servers are looked up by.
#[derive(Debug, Clone, Copy)]
pub struct Surroundings<'a>(pub &'a [(OsString, OsString)]);

impl Surroundings<'_> {
    /// A variable that is set and not empty.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&OsStr> {
        let found = self.0.iter().find(|(known, _)| known == name)?;
        Some(found.1.as_os_str()).filter(|value| !value.is_empty())
    }

    /// The folders of `PATH`.
    #[must_use]
    pub fn path(&self) -> Vec<PathBuf> {
        self.get("PATH").map(|path| std::env::split_paths(path).collect()).unwrap_or_default()
    }

    /// Where what can be made again is kept; `None` without a home.
    #[must_use]
    pub fn cache(&self) -> Option<PathBuf> {
        let own = self.get("XDG_CACHE_HOME").map(PathBuf::from);
        let cache = own.or_else(|| self.get("HOME").map(|home| Path::new(home).join(".cache")))?;
        cache.is_absolute().then(|| cache.join("gatepost/databases"))
    }
}

/// Folders that have every one of `programs`: those of `PATH` first, then those where packages put them, the newest
/// version first.
#[must_use]
pub fn folders(around: Surroundings<'_>, parents: &[&str], below: &str, programs: &[&str]) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = around.path();
    for parent in parents {
        let mut versions: Vec<PathBuf> = files::list(Path::new(parent)).unwrap_or_default();
        versions.sort_by_key(|path| std::cmp::Reverse(number(path)));
        found.extend(versions.into_iter().map(|version| version.join(below)));
    }
    found.retain(|folder| programs.iter().all(|program| files::is_file(&folder.join(program))));
    // Where they are links, they stand in another folder, with the files they need beside them.
    for folder in &mut found {
        let real = programs.first().and_then(|program| files::real_path(&folder.join(program)));
        if let Some(real) = real.as_deref().and_then(Path::parent) {
            real.clone_into(folder);
        }
    }
    found.dedup();
    found
}

/// How to get a server, in words.
#[must_use]
pub fn how_to_get(kind: DatabaseKind, version: Option<&str>) -> String {
    let on_mac = cfg!(target_os = "macos");
    let major = version.unwrap_or("16");
    match kind {
        DatabaseKind::Postgres if on_mac => {
            format!("install one (`brew install postgresql@{major}`), or name a server with `database-url`")
        }
        DatabaseKind::Postgres => format!(
            "install one (`apt-get install postgresql-{major}` or `postgresql`), or name a server with `database-url`; \
             in a workflow hosted Ubuntu runners have one, and `services: postgres: image: postgres:{major}` gives any \
             version and, by its image, any extension"
        ),
        DatabaseKind::Mysql if on_mac => "install one (`brew install mariadb`)".to_owned(),
        DatabaseKind::Mysql => {
            "install one (`apt-get install mariadb-server`); hosted Ubuntu runners have MySQL".to_owned()
        }
        DatabaseKind::Sqlite => "it is in gatepost itself".to_owned(),
    }
}

/// A server that is installed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// `postgres`, `mariadb` or `mysql`.
    pub name: &'static str,
    /// As it says itself: `15.18`.
    pub version: String,
    /// Its program.
    pub program: PathBuf,
}

/// Asks a server's program which one it is.
#[must_use]
pub fn look_at(program: &Path) -> Option<Found> {
    let line = ask::version(program)?;
    // `postgres (PostgreSQL) 15.18 …`, `mariadbd  Ver 10.11.14-MariaDB-… for …`, `/usr/sbin/mysqld  Ver 8.0.44 for …`
    let version = line.split_whitespace().find(|word| word.starts_with(|c: char| c.is_ascii_digit()))?;
    let version = version.split('-').next().unwrap_or(version).to_owned();
    let name = if line.contains("PostgreSQL") {
        "postgres"
    } else if line.contains("MariaDB") {
        "mariadb"
    } else {
        "mysql"
    };
    Some(Found { name, version, program: program.to_owned() })
}

impl Found {
    /// Whether it is a version that was asked for: `16` is any 16.x.
    #[must_use]
    pub fn is(&self, wanted: &str) -> bool {
        let rest = self.version.strip_prefix(wanted);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    }

    /// The extensions that lie beside a PostgreSQL server, by name; `None` where their folder was not found.
    #[must_use]
    pub fn extensions(&self) -> Option<Vec<String>> {
        let bin = self.program.parent()?;
        let major = self.version.split('.').next().unwrap_or_default();
        let places = [
            PathBuf::from(format!("/usr/share/postgresql/{major}/extension")),
            bin.join("../share/extension"),
            bin.join("../share/postgresql/extension"),
            bin.join(format!("../share/postgresql@{major}/extension")),
        ];
        // Debian keeps several versions apart; elsewhere they lie beside the server.
        let of_debian = bin.starts_with("/usr/lib/postgresql");
        let place = places.into_iter().skip(usize::from(!of_debian)).find(|place| files::is_folder(place))?;
        let names = files::list(&place).ok()?.into_iter().filter_map(|path| {
            let name = path.file_name()?.to_str()?.strip_suffix(".control")?;
            Some(name.to_owned())
        });
        Some(names.collect())
    }
}

/// The last number in a folder's name: `postgresql@16`, `15`.
fn number(path: &Path) -> u32 {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.rsplit(|c: char| !c.is_ascii_digit())
        .find(|digits| !digits.is_empty())
        .and_then(|it| it.parse().ok())
        .unwrap_or(0)
}
