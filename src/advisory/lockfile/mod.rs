//! Lockfiles: which packages a project depends on, in which versions. Pure: bytes in, [`Lockfile`] or [`LockError`] out.
//! A new format is one file with a [`Format`] and one row in [`ALL`].

mod bun;
mod cargo;
mod composer;
mod gemfile;
mod go_mod;
mod go_sum;
mod graph;
mod javascript;
mod json;
mod lines;
mod npm;
mod pdm;
mod pipfile;
mod pnpm;
mod poetry;
mod pylock;
mod python;
mod requirements;
mod toml_text;
mod uv;
mod yaml_text;
mod yarn;
mod yarn_berry;
mod yarn_classic;

use crate::model::package::Package;
use crate::model::text::one_line;

/// Every format, in the order in which [`by_content`] tries them: the most particular first.
pub static ALL: &[&Format] = &[
    &cargo::FORMAT,
    &bun::FORMAT,
    &npm::FORMAT,
    &pnpm::FORMAT,
    &yarn::FORMAT,
    &poetry::FORMAT,
    &pdm::FORMAT,
    &uv::FORMAT,
    &pipfile::FORMAT,
    &pylock::FORMAT,
    &gemfile::FORMAT,
    &composer::FORMAT,
    &go_mod::FORMAT,
    &go_sum::FORMAT,
    &requirements::FORMAT,
];

/// How many bytes are read: the largest lockfiles that are known have a quarter of it.
const LARGEST: usize = 64 << 20;

/// One tool's lockfile.
#[derive(Debug)]
pub struct Format {
    /// The name in `--lockfile FORMAT:FILE`.
    pub name: &'static str,
    /// One phrase for the README's table: whose file it is, and in which versions it is read.
    pub about: &'static str,
    /// What the files are called: the last parts of a path, each with at most one `*`.
    pub files: &'static [&'static str],
    /// Whether a text is of this format. Content alone decides.
    pub looks_like: fn(&str) -> bool,
    /// How it is read; [`Format::read`] has made text of the bytes.
    reader: fn(&str) -> Result<Lockfile, LockError>,
}

/// What a lockfile holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lockfile {
    /// The packages of a registry, in file order, each name and version once.
    /// Empty only where [`needs_nothing`](Self::needs_nothing) holds.
    pub packages: Vec<Package>,
    /// What has no version of a registry, so that no advisory can be looked up for it.
    pub passed_over: Vec<PassedOver>,
    /// The file itself says that the project needs no package but its own.
    pub needs_nothing: bool,
    /// Folders of the project's own packages that it names, relative to its own; empty where the format does not tell.
    pub folders: Vec<String>,
    /// What was not understood, or is worth knowing of the file.
    pub notes: Vec<String>,
}

/// An entry of a lockfile for which no advisory can be looked up.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct PassedOver {
    /// As the file has it.
    pub name: String,
    /// Where it stands, from 1.
    pub line: u32,
    /// Why it is passed over.
    pub why: Why,
}

/// Why an entry is passed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Why {
    /// A package of the project itself, or from a folder beside it.
    Own,
    /// From a file on the disk, where neither the lockfile nor the file's name tells the version.
    Archive,
    /// From a git repository.
    Git,
    /// From an address that is no registry's.
    Address,
    /// From another registry, where the same name may mean another package.
    OtherRegistry,
    /// Asked for without an exact version.
    Unpinned,
    /// Another file, which must be audited by itself.
    OtherFile,
}

impl Why {
    /// What is so of an entry, in words that follow "is", such as "taken from git".
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Own => "the project's own",
            Self::Archive => "taken from an archive on the disk",
            Self::Git => "taken from git",
            Self::Address => "taken from an address of its own",
            Self::OtherRegistry => "taken from another registry",
            Self::Unpinned => "not pinned to a version",
            Self::OtherFile => "another file, to be audited by itself",
        }
    }
}

/// Why a lockfile could not be read. The messages speak of the file as "it"; who reads it says which file it is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LockError {
    /// Nothing is in it.
    #[error("it is empty")]
    Empty,
    /// Its bytes are no text.
    #[error(
        "it is not UTF-8 text; save it as UTF-8 (and a `bun.lockb` as `bun.lock`, by `bun install --save-text-lockfile`)"
    )]
    NotText,
    /// It is larger than any lockfile.
    #[error("it is larger than {} MiB, which no lockfile is", LARGEST >> 20)]
    TooLarge,
    /// Git left its marks in it.
    #[error("line {line} is the mark of a merge conflict; settle the conflict and let the tool write the file again")]
    Conflict {
        /// From 1.
        line: u32,
    },
    /// It began well and ended too early, or something in it is missing that it names.
    #[error("it is not whole: {what}")]
    Truncated {
        /// What is open or missing.
        what: String,
    },
    /// It is something else, or broken.
    #[error("it is no {expected}: line {line}: {what}")]
    Malformed {
        /// What was expected: [`Format::about`].
        expected: &'static str,
        /// From 1.
        line: u32,
        /// What is wrong there.
        what: String,
    },
    /// A version of the format that is not known.
    #[error("it is version {found} of its format, known are {known}")]
    Version {
        /// As the file has it, cleaned.
        found: String,
        /// The versions that are read.
        known: &'static str,
    },
    /// It can be read, and names no package that could be looked up.
    #[error("it names no package to look up{0}")]
    NoPackages(String),
    /// It names only a part of the packages, and another file has the others.
    #[error("{what}; {instead}")]
    Incomplete {
        /// What it lacks, and why.
        what: &'static str,
        /// What to do.
        instead: &'static str,
    },
}

/// Finds a format by its name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Format> {
    ALL.iter().copied().find(|format| format.name == name)
}

/// The format of a file that is called `path`; its folders are looked at only where a format names one.
#[must_use]
pub fn by_name(path: &str) -> Option<&'static Format> {
    ALL.iter().copied().find(|format| format.files.iter().any(|pattern| is_called(path, pattern)))
}

/// The format of a file with these bytes.
#[must_use]
pub fn by_content(bytes: &[u8]) -> Option<&'static Format> {
    let text = text(bytes).ok()?;
    ALL.iter().copied().find(|format| (format.looks_like)(text))
}

impl Format {
    /// Reads a lockfile.
    ///
    /// # Errors
    /// When it is not of this format, not whole, or names no package although the project may need some.
    pub fn read(&self, bytes: &[u8]) -> Result<Lockfile, LockError> {
        if bytes.len() > LARGEST {
            return Err(LockError::TooLarge);
        }
        let text = text(bytes)?;
        if text.trim().is_empty() {
            return Err(LockError::Empty);
        }
        if let Some(line) = lines::conflict(text) {
            return Err(LockError::Conflict { line });
        }
        let lockfile = (self.reader)(text)?;
        if lockfile.packages.is_empty() && !lockfile.needs_nothing {
            return Err(LockError::NoPackages(lockfile.all_passed_over()));
        }
        Ok(lockfile)
    }

    /// It is not of this format, or broken.
    fn malformed(&self, line: u32, what: impl Into<String>) -> LockError {
        LockError::Malformed { expected: self.about, line, what: what.into() }
    }
}

impl Lockfile {
    fn all_passed_over(&self) -> String {
        let foreign = self.passed_over.iter().filter(|entry| entry.why != Why::Own);
        let each: Vec<String> = foreign.map(|entry| format!("{} is {}", entry.name, entry.why.words())).collect();
        if each.is_empty() { String::new() } else { one_line(&format!(": {}", each.join(", ")), 400) }
    }
}

fn text(bytes: &[u8]) -> Result<&str, LockError> {
    let text = std::str::from_utf8(bytes).map_err(|_| LockError::NotText)?;
    if text.contains('\0') { Err(LockError::NotText) } else { Ok(text.strip_prefix('\u{feff}').unwrap_or(text)) }
}

/// Whether the last parts of `path` are as `pattern` has them.
pub(super) fn is_called(path: &str, pattern: &str) -> bool {
    let mut parts = path.rsplit('/');
    pattern.rsplit('/').all(|wanted| {
        parts.next().is_some_and(|part| match wanted.split_once('*') {
            None => part == wanted,
            Some((before, after)) => {
                part.len() >= before.len() + after.len() && part.starts_with(before) && part.ends_with(after)
            }
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_matched_from_the_end() {
        assert!(is_called("a/b/Cargo.lock", "Cargo.lock"));
        assert!(is_called("requirements-dev.txt", "requirements*.txt"));
        assert!(is_called("x/requirements/base.txt", "requirements/*.txt"));
        assert!(!is_called("base.txt", "requirements/*.txt"));
        assert!(!is_called("requirements", "requirements*ments"));
        assert!(!is_called("My-Cargo.lock", "Cargo.lock"));
    }

    #[test]
    fn what_was_emptied_of_its_packages_is_not_whole() {
        let bun = |asks: &str, packages: &str| {
            format!(r#"{{"lockfileVersion": 1, "workspaces": {{"": {{{asks}}}}}, "packages": {{{packages}}}}}"#)
        };
        let asks = r#""devDependencies": {"@a/ms": "^2"}, "optionalDependencies": {"fsevents": "2"}"#;
        let gems = |specs: &str, asks: &str| format!("GEM\n  specs:\n{specs}\nDEPENDENCIES\n{asks}");
        let gem = "    nokogiri (1.0.0)\n      racc (~> 1.4)\n";
        for (name, text, whole) in [
            ("bun.lock", bun(asks, ""), false),
            ("bun.lock", bun(asks, r#""b/@a/ms": ["@a/ms@2.0.0", "", {}, ""]"#), true),
            ("bun.lock", bun("", r#""a": ["a@2.0.0", "", {"dependencies": {"b": "1"}}, ""]"#), false),
            ("bun.lock", bun("", ""), true),
            ("bun.lock", r#"{"lockfileVersion": 1, "packages": {}}"#.to_owned(), false),
            ("Gemfile.lock", gems("", "  rails\n"), false),
            ("Gemfile.lock", gems(gem, "  nokogiri\n"), false),
            ("Gemfile.lock", gems("    a (1.0.0)\n      bundler (>= 1)\n", "  a!\n  bundler\n"), true),
            ("Gemfile.lock", gems("", ""), true),
            ("composer.lock", r#"{"packages": {"a/b": {"name": "a/b"}}}"#.to_owned(), false),
            ("composer.lock", r#"{"packages": [], "packages-dev": {}}"#.to_owned(), false),
            ("composer.lock", r#"{"packages": [], "packages-dev": null}"#.to_owned(), true),
            ("Pipfile.lock", r#"{"_meta": {}}"#.to_owned(), false),
            ("Pipfile.lock", r#"{"_meta": {}, "default": []}"#.to_owned(), false),
            ("Pipfile.lock", r#"{"_meta": {}, "default": {}, "develop": null}"#.to_owned(), false),
            ("Pipfile.lock", r#"{"_meta": {}, "default": {}, "develop": {}}"#.to_owned(), true),
        ] {
            let read = by_name(name).unwrap().read(text.as_bytes());
            assert_eq!(read.is_ok(), whole, "{name}: {text}: {read:?}");
        }
        let other_platform = gems("    rails (8.0.0)\n", "  rails\n  tzinfo-data\n");
        let read = by_name("Gemfile.lock").unwrap().read(other_platform.as_bytes()).unwrap();
        assert_eq!(read.notes, ["it asks for what it does not have, as for another platform: tzinfo-data"]);
    }

    #[test]
    fn lockfiles_name_the_folders_of_their_projects() {
        let npm = r#"{"lockfileVersion": 3, "packages": {
            "": {"workspaces": ["packages/*"]}, "packages/cart": {"version": "1.0.0"},
            "node_modules/cart": {"resolved": "packages/cart", "link": true}, "node_modules/ms": {"version": "2.0.0"}}}"#;
        let bun = r#"{"lockfileVersion": 1, "workspaces": {"": {"name": "shop"}, "packages/cart": {"name": "cart"}},
            "packages": {"cart": ["cart@workspace:packages/cart"], "ms": ["ms@2.0.0", "", {}, "sha512-0"]}}"#;
        let pnpm = "lockfileVersion: '9.0'\nimporters:\n  .: {}\n  packages/cart:\n    dependencies:\n      ms:\n        \
                    specifier: ^2\n        version: 2.0.0\npackages:\n  ms@2.0.0:\n    resolution: {integrity: sha512-0}\n  \
                    b@file:local/b:\n    resolution: {directory: local/b, type: directory}\n";
        let bundler = "PATH\n  remote: engines/cart\n  specs:\n    cart (1.0.0)\n\nGEM\n  remote: https://rubygems.org/\n  \
                       specs:\n    ms (2.0.0)\n\nDEPENDENCIES\n  cart!\n  ms\n";
        for (name, text, folders) in [
            ("package-lock.json", npm, &["", "packages/cart"][..]),
            ("bun.lock", bun, &["", "packages/cart", "packages/cart"]),
            ("pnpm-lock.yaml", pnpm, &[".", "local/b", "packages/cart"]),
            ("Gemfile.lock", bundler, &["engines/cart"]),
        ] {
            let mut read = by_name(name).unwrap().read(text.as_bytes()).unwrap();
            read.folders.sort();
            assert_eq!(read.folders, folders, "{name}");
            assert_eq!(read.packages.iter().map(|package| package.name.as_str()).collect::<Vec<_>>(), ["ms"], "{name}");
        }
    }
}
