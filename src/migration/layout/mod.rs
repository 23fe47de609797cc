//! The folders that migration tools keep: which tool's one is, in what order it runs, and what each file applies and
//! takes back. One file per family of tools; it is given names and bytes, and reads nothing itself.

mod database;
mod detect;
mod drizzle;
mod flyway;
mod folders;
mod goose;
mod names;
mod numbered;
mod placeholders;
mod sections;
mod supabase;
mod versioned;

use std::collections::BTreeMap;

use crate::model::migration::{DatabaseKind, Piece, Planned, Script, Transaction};

/// A migrations folder as it lies in a work tree or in a commit.
#[derive(Debug, Clone, Default)]
pub struct Folder {
    /// Where it is, as findings name it; `""` is the root.
    pub path: String,
    /// Every file below it by its path in it, with `/`.
    pub files: BTreeMap<String, Vec<u8>>,
    /// What lies beside it and above it, up to the root, that tells of a tool: the names of files.
    pub around: Vec<String>,
    /// Files there that may tell of the database, with their text, the nearest first.
    pub near: Vec<(String, String)>,
    /// Files of a package of the same name among the sources beside it (`src/main/java`), as findings name them.
    pub sources: Vec<String>,
}

/// What a layout makes of a folder.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// In the tool's own order.
    pub migrations: Vec<Planned>,
    /// Steps that are code, by path: nothing here can run them.
    pub code: Vec<String>,
    /// Files that the tool would pass over, and what else is worth knowing.
    pub notes: Vec<String>,
    /// What keeps the folder from being understood.
    pub problems: Vec<String>,
}

/// One tool's way to lay out migrations.
#[derive(Debug)]
pub struct Layout {
    /// As in `layout = "…"`.
    pub name: &'static str,
    /// One phrase for the README.
    pub about: &'static str,
    /// Whether its tool knows how to go back.
    pub has_down: bool,
    /// The table in which the tool keeps what it has applied, as SQL that makes it; `None` where no file can name it.
    pub bookkeeping: Option<&'static str>,
    /// What databases have that no file of the folder makes, because a platform brings it: as SQL, and how it is named.
    pub platform: Option<Platform>,
    /// What makes its tool run a file outside of a transaction, where something does.
    pub outside: Option<&'static str>,
    /// Whether SQLite heeds foreign keys on the connection that its tool opens.
    pub foreign_keys: bool,
    /// The databases whose driver, as its tool opens it, refuses a text with more than one statement, and what parts them.
    pub one_at_a_time: Option<(&'static [DatabaseKind], &'static str)>,
    read: fn(&Folder) -> Plan,
}

/// What a platform brings with a database.
#[derive(Debug, Clone, Copy)]
pub struct Platform {
    /// Whose it is.
    pub name: &'static str,
    /// Makes it.
    pub sql: &'static str,
    /// Schemas by which scripts name it.
    pub schemas: &'static [&'static str],
}

/// Every layout.
pub static ALL: &[&Layout] = &[
    &folders::DIESEL,
    &versioned::SQLX,
    &sections::DBMATE,
    &goose::GOOSE,
    &versioned::GOLANG_MIGRATE,
    &flyway::FLYWAY,
    &folders::PRISMA,
    &drizzle::DRIZZLE,
    &versioned::SUPABASE,
    &numbered::NUMBERED,
];

/// Finds a layout by its name. Refinery lays its files out as Flyway does.
#[must_use]
pub fn find(name: &str) -> Option<&'static Layout> {
    let name = if name == "refinery" { "flyway" } else { name };
    ALL.iter().copied().find(|layout| layout.name == name)
}

pub use database::{database, telling};
pub use detect::{MARKERS, detect};

impl Layout {
    /// Whether sqlx's own driver runs it, which makes MySQL's sessions other than the server does.
    #[must_use]
    pub fn is_of_sqlx(&self) -> bool {
        self.name == "sqlx"
    }

    /// Whether a shipped migration that is called otherwise is refused: Flyway and Refinery compare names too.
    #[must_use]
    pub fn remembers_names(&self) -> bool {
        self.name == "flyway"
    }

    /// Reads a folder.
    #[must_use]
    pub fn read(&self, folder: &Folder) -> Plan {
        let mut plan = (self.read)(folder);
        plan.migrations.sort_by(|a, b| (a.repeatable, &a.order).cmp(&(b.repeatable, &b.order)));
        plan
    }

    /// The migrations that files of these names would be, whatever is in them; names outside `path` are passed over.
    pub fn of_names<'a>(&self, path: &str, names: impl Iterator<Item = &'a str>) -> Vec<Planned> {
        let inside =
            |name: &'a str| if path.is_empty() { Some(name) } else { name.strip_prefix(path)?.strip_prefix('/') };
        let mut files: BTreeMap<String, Vec<u8>> =
            names.filter_map(inside).map(|name| (name.to_owned(), ANYTHING.to_vec())).collect();
        drizzle::with_journal(&mut files);
        self.read(&Folder { path: path.to_owned(), files, ..Folder::default() }).migrations
    }
}

/// What every layout takes for a migration.
const ANYTHING: &[u8] = b"-- migrate:up\n-- +goose Up\n";

impl Folder {
    fn place(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}/{name}", self.path) }
    }

    /// A file's text, without a byte order mark. What is no UTF-8 cannot be run.
    fn text(&self, name: &str, plan: &mut Plan) -> Option<String> {
        let bytes = self.files.get(name)?;
        match std::str::from_utf8(bytes) {
            Ok(text) => Some(text.strip_prefix('\u{feff}').unwrap_or(text).to_owned()),
            Err(error) => {
                let at = error.valid_up_to();
                let line = String::from_utf8_lossy(&bytes[..at]).split('\n').count();
                plan.problems.push(format!("{}:{line} is no UTF-8 and cannot be run", self.place(name)));
                None
            }
        }
    }

    /// Tells of a file that has a version and is no SQL: code, and change sets of Liquibase, are steps that only their own
    /// tool can run; of what else it is, nothing is known.
    fn other(&self, name: &str, plan: &mut Plan) {
        let is_change_set = || {
            let text = self.files.get(name).map(|bytes| String::from_utf8_lossy(bytes));
            text.is_some_and(|text| text.contains("databaseChangeLog"))
        };
        if is_code(name) || is_change_set() {
            plan.code.push(self.place(name));
        } else if !name.ends_with(".d.ts") && !BESIDE.contains(&ending(name)) {
            plan.notes.push(format!("{} is passed over: only SQL is run here", self.place(name)));
        }
    }

    fn script(&self, name: &str, transaction: Transaction, plan: &mut Plan) -> Option<Script> {
        let text = self.text(name, plan)?;
        Some(Script { path: self.place(name), pieces: vec![Piece { line: 1, text, whole: false }], transaction })
    }

    /// Digests of files, as a tool that remembers checksums would see them: line ends do not count.
    fn digests(&self, names: &[&str]) -> BTreeMap<String, String> {
        let digest = |bytes: &Vec<u8>| {
            let text: Vec<u8> = bytes.iter().copied().filter(|b| *b != b'\r').collect();
            blake3::hash(&text).to_hex().to_string()
        };
        names.iter().filter_map(|name| Some((self.place(name), digest(self.files.get(*name)?)))).collect()
    }
}

/// Endings of files in which tools keep steps that are code.
const CODE: &[&str] = &[
    "go", "js", "ts", "mjs", "cjs", "mts", "cts", "py", "rb", "php", "rs", "java", "kt", "scala", "cs", "ex", "exs",
    "sh", "bash", "ps1", "bat", "cmd", "groovy",
];
/// Endings of files that tell of a migration beside them, or of nothing.
const BESIDE: &[&str] = &["conf", "map", "md", "toml", "txt"];

fn ending(name: &str) -> &str {
    name.rsplit('/').next().and_then(|file| file.rsplit_once('.')).map_or("", |(_, ending)| ending)
}

fn is_sql(name: &str) -> bool {
    ending(name).eq_ignore_ascii_case("sql")
}

fn is_code(name: &str) -> bool {
    CODE.contains(&ending(name)) && !name.ends_with(".d.ts")
}
