//! Advisories as they are matched: what a record of any database says of one package, and nothing else of it.

use serde::{Deserialize, Serialize};

use super::version::Version;
use crate::model::audit::AdvisoryKind;
use crate::model::package::Ecosystem;

/// What one record says of one package.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Advisory {
    /// The record's name in its database.
    pub id: String,
    /// Its names elsewhere.
    pub aliases: Vec<String>,
    /// One line.
    pub summary: String,
    /// What it is about.
    pub kind: AdvisoryKind,
    /// CVSS vectors, those for the package before those of the record.
    pub vectors: Vec<String>,
    /// The database's own word for how bad it is.
    pub rating: Option<String>,
    /// Affected by order.
    pub ranges: Vec<Vec<Event>>,
    /// Affected by name.
    pub versions: Vec<String>,
    /// A service named the record for these versions, and which ones it is about cannot be read: it speaks of no others.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub named_for: Vec<String>,
}

/// Where along the order of versions something begins or ends
/// (<https://ossf.github.io/osv-schema/#affectedrangesevents-fields>).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// Affected from this version on; `0` is before every version.
    Introduced(String),
    /// Not affected from this version on.
    Fixed(String),
    /// Not affected after this version.
    LastAffected(String),
    /// What comes from here on is not spoken of; `*` is no limit.
    Limit(String),
}

impl Event {
    /// Its version as written.
    #[must_use]
    pub fn version(&self) -> &str {
        match self {
            Self::Introduced(version) | Self::Fixed(version) | Self::LastAffected(version) | Self::Limit(version) => {
                version
            }
        }
    }

    /// Whether it has a place in the order.
    #[must_use]
    pub fn is_ordered(&self, ecosystem: Ecosystem) -> bool {
        match self {
            Self::Introduced(version) if version == "0" => true,
            Self::Limit(version) if version == "*" => true,
            _ => Version::parse(ecosystem, self.version()).is_some(),
        }
    }
}

/// One record of a database.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Record {
    /// Its name.
    pub id: String,
    /// When it last changed, RFC 3339 or a day; empty where it does not say.
    pub modified: String,
    /// Taken back: it says nothing any more.
    pub withdrawn: bool,
    /// By package, whose name is normalised.
    pub packages: Vec<(Ecosystem, String, Advisory)>,
    /// Vectors that its aliases may borrow.
    pub vectors: Vec<String>,
    /// The rating that its aliases may borrow.
    pub rating: Option<String>,
}

/// Why a record is no record.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// It is no JSON, or of another shape.
    #[error("is no OSV record: {0}")]
    Json(#[from] serde_json::Error),
    /// It is not UTF-8.
    #[error("is not UTF-8")]
    Encoding,
    /// It has no TOML in front.
    #[error("does not begin with a block of TOML")]
    FrontMatter,
    /// The TOML is malformed, or of another shape.
    #[error("is no RustSec record: {}", .0.message())]
    Toml(#[from] toml::de::Error),
    /// It has no name that can be shown.
    #[error("has no usable id")]
    Id,
    /// A version in it has no place in the order.
    #[error("speaks of {package} {version:?}, which is no version of {ecosystem}")]
    Version {
        /// The package.
        package: String,
        /// As written.
        version: String,
        /// Whose package it is.
        ecosystem: Ecosystem,
    },
    /// A range in it begins nowhere, so that no version would be in it.
    #[error("has a range of {package} in which nothing is introduced")]
    Range {
        /// The package.
        package: String,
    },
    /// Its requirements contradict one another.
    #[error("has the version requirement {0:?}, which cannot be a range")]
    Requirement(String),
}

/// The name by which a package is looked up: PEP 503 for Python, lower case where case does not count.
#[must_use]
pub fn normal_name(ecosystem: Ecosystem, name: &str) -> String {
    match ecosystem {
        Ecosystem::PyPi => of_python(name),
        Ecosystem::Packagist | Ecosystem::Npm => name.to_lowercase(),
        // crates.io takes `-` and `_` for the same when a name is registered.
        Ecosystem::CratesIo => name.replace('_', "-").to_lowercase(),
        Ecosystem::Go | Ecosystem::RubyGems => name.to_owned(),
    }
}

/// A name as `PyPI` compares it (<https://packaging.python.org/en/latest/specifications/name-normalization/>).
#[must_use]
pub fn of_python(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for c in name.chars() {
        match c {
            '-' | '_' | '.' if out.ends_with('-') => {}
            '-' | '_' | '.' => out.push('-'),
            c => out.push(c.to_ascii_lowercase()),
        }
    }
    out
}

/// Whether a time at which a record was taken back is one: where it stands empty, it was not.
pub(super) fn is_withdrawn(time: Option<&str>) -> bool {
    time.is_some_and(|time| !time.trim().is_empty())
}

/// Whether a text can be a record's name: what is shown, sorted and compared by it must not break a line.
pub(super) fn is_name(text: &str) -> bool {
    !text.is_empty() && text.len() <= 300 && !text.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_looked_up_as_their_registry_takes_them() {
        for (ecosystem, name, normal) in [
            (Ecosystem::PyPi, "Flask__SQL.Alchemy", "flask-sql-alchemy"),
            (Ecosystem::Packagist, "Symfony/HTTP-Kernel", "symfony/http-kernel"),
            (Ecosystem::CratesIo, "serde_Json", "serde-json"),
            (Ecosystem::Go, "github.com/BurntSushi/toml", "github.com/BurntSushi/toml"),
        ] {
            assert_eq!(normal_name(ecosystem, name), normal);
        }
    }
}
