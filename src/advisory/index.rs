//! Records in the compact form in which they are looked up and kept in the cache: lines sorted by ecosystem and
//! package, so that a package is found by halving and nothing else of 100,000 records is ever parsed.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::record::{Advisory, Record, normal_name};
use super::severity::{self, Rated};
use crate::model::package::Ecosystem;

/// Who made it, and in which form: what another program or form made is built anew.
const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), " 2");
/// How many bad records are named.
const NAMED: usize = 10;
/// Stands in the place of an ecosystem on lines that give a record's severity by its name.
const BY_NAME: &str = "=";

/// What is known of a database beside its records.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Meta {
    version: String,
    /// What it was made of, as far as can be told without reading it: a path with its times, an address with its tag.
    pub stamp: String,
    /// Digest of every byte that was read.
    pub digest: String,
    /// Good records, those that were withdrawn included.
    pub records: usize,
    /// Bad records.
    pub skipped: usize,
    /// The first of the bad ones, and why.
    pub named: Vec<String>,
    /// When the newest record changed, RFC 3339 or a day.
    pub newest: String,
    /// Records by ecosystem.
    pub ecosystems: BTreeMap<String, usize>,
}

/// Collects records.
#[derive(Debug, Default)]
pub struct Builder {
    meta: Meta,
    /// As JSON: a hundred thousand of them are held.
    packages: BTreeMap<(&'static str, String), String>,
    severities: BTreeMap<String, Borrowed>,
}

/// What a record may lend its aliases.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
struct Borrowed {
    vectors: Vec<String>,
    rating: Option<String>,
}

impl Builder {
    /// Adds a good record. A day after `latest` is a mistake, and makes no database fresh.
    pub fn add(&mut self, record: Record, latest: &str) {
        self.meta.records += 1;
        if record.modified > self.meta.newest && record.modified.as_str() <= latest {
            self.meta.newest = record.modified;
        }
        if record.withdrawn {
            return;
        }
        if !record.vectors.is_empty() || record.rating.is_some() {
            self.severities.insert(record.id, Borrowed { vectors: record.vectors, rating: record.rating });
        }
        let mut packages: BTreeMap<(Ecosystem, String), Vec<Advisory>> = BTreeMap::new();
        for (ecosystem, name, advisory) in record.packages {
            let known = packages.entry((ecosystem, name)).or_default();
            let same = |other: &&mut Advisory| other.kind == advisory.kind && other.vectors == advisory.vectors;
            // Go and PyPI list a package once for each of its ranges.
            if let Some(other) = known.iter_mut().find(same) {
                other.ranges.extend(advisory.ranges);
                other.versions.extend(advisory.versions);
                other.named_for.extend(advisory.named_for);
            } else {
                known.push(advisory);
            }
        }
        for ((ecosystem, name), advisories) in packages {
            *self.meta.ecosystems.entry(ecosystem.word().to_owned()).or_default() += 1;
            let list = self.packages.entry((ecosystem.word(), name)).or_default();
            for advisory in advisories {
                if !list.is_empty() {
                    list.push(',');
                }
                *list += &json(&advisory);
            }
        }
    }

    /// Counts a bad record.
    pub fn skip(&mut self, name: &str, why: &str) {
        self.meta.skipped += 1;
        if self.meta.named.len() < NAMED {
            self.meta.named.push(format!("{name} {why}"));
        }
    }

    /// The finished index.
    #[must_use]
    pub fn finish(self, stamp: String, digest: String) -> Index {
        let meta = Meta { version: VERSION.to_owned(), stamp, digest, ..self.meta };
        let mut text = json(&meta) + "\n";
        let start = text.len();
        let mut line = |ecosystem: &str, name: &str, value: [&str; 3]| {
            for part in [&[ecosystem, "\t", name, "\t"], &value[..], &["\n"]].concat() {
                text.push_str(part);
            }
        };
        for (name, borrowed) in &self.severities {
            line(BY_NAME, name, ["", &json(borrowed), ""]);
        }
        for ((ecosystem, name), advisories) in &self.packages {
            line(ecosystem, name, ["[", advisories, "]"]);
        }
        Index { meta, start, text }
    }
}

/// Every key of these types is a string and no number is infinite: they always have a form in JSON.
fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

/// A database that can be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Index {
    /// What is known of it.
    pub meta: Meta,
    start: usize,
    text: String,
}

impl Index {
    /// As it is kept: the lines, and a checksum of them as the last one.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let sum = blake3::hash(self.text.as_bytes()).to_hex();
        [self.text.as_bytes(), b"#", sum.as_bytes(), b"\n"].concat()
    }

    /// Reads what was kept; `None` where it is cut, changed, or of another version: it is built anew then.
    #[must_use]
    pub fn from_bytes(mut bytes: Vec<u8>) -> Option<Self> {
        let end = bytes.len().checked_sub(66)?;
        let sum = blake3::hash(&bytes[..end]).to_hex();
        if bytes[end..] != *format!("#{sum}\n").as_bytes() {
            return None;
        }
        bytes.truncate(end);
        let text = String::from_utf8(bytes).ok()?;
        let (first, _) = text.split_once('\n')?;
        let meta: Meta = serde_json::from_str(first).ok()?;
        let start = first.len() + 1;
        (meta.version == VERSION).then_some(Self { meta, start, text })
    }

    /// What the database says of a package.
    #[must_use]
    pub fn of_package(&self, ecosystem: Ecosystem, name: &str) -> Vec<Advisory> {
        let found = self.line(ecosystem.word(), &normal_name(ecosystem, name));
        found.and_then(|json| serde_json::from_str(json).ok()).unwrap_or_default()
    }

    /// The severity that a record has itself.
    #[must_use]
    pub fn severity(&self, id: &str) -> Option<Rated> {
        let borrowed: Borrowed = serde_json::from_str(self.line(BY_NAME, id)?).ok()?;
        severity::own(&borrowed.vectors, borrowed.rating.as_deref())
    }

    /// The third field of the line whose first two these are.
    fn line(&self, first: &str, second: &str) -> Option<&str> {
        let lines = &self.text[self.start..];
        let (mut low, mut high) = (0, lines.len());
        while low < high {
            let middle = lines.floor_char_boundary(low.midpoint(high));
            let begin = lines[low..middle].rfind('\n').map_or(low, |at| low + at + 1);
            let end = begin + lines[begin..].find('\n')?;
            let mut fields = lines[begin..end].splitn(3, '\t');
            let found = (fields.next()?, fields.next()?);
            match found.cmp(&(first, second)) {
                std::cmp::Ordering::Equal => return fields.next(),
                std::cmp::Ordering::Less => low = end + 1,
                std::cmp::Ordering::Greater => high = begin,
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisory::osv;

    fn index() -> Index {
        let mut builder = Builder::default();
        for (number, name) in ["zlib", "Äpfel", "a", "requests", "Flask"].into_iter().enumerate() {
            let text = format!(
                r#"{{"id":"PYSEC-{number}","modified":"2026-01-0{number}T00:00:00Z","database_specific":{{"severity":"HIGH"}},
                "affected":[{{"package":{{"ecosystem":"PyPI","name":"{name}"}},"ranges":[{{"type":"ECOSYSTEM","events":[{{"introduced":"0"}}]}}]}}]}}"#
            );
            builder.add(osv::read(text.as_bytes()).unwrap(), "2026-01-03T09:00:00Z");
        }
        builder.skip("x.json", "is bad");
        builder.finish("stamp".to_owned(), "digest".to_owned())
    }

    #[test]
    fn every_package_is_found_and_no_other() {
        let index = index();
        let ids = |name: &str| -> Vec<String> {
            index.of_package(Ecosystem::PyPi, name).into_iter().map(|advisory| advisory.id).collect()
        };
        for (number, name) in ["zlib", "Äpfel", "a", "requests", "flask"].into_iter().enumerate() {
            assert_eq!(ids(name), [format!("PYSEC-{number}")]);
        }
        for name in ["", "b", "zz", "request", "requestss", "\u{10ffff}"] {
            assert_eq!(ids(name), Vec::<String>::new(), "{name}");
        }
        assert!(index.of_package(Ecosystem::Npm, "requests").is_empty());
        assert!(index.severity("PYSEC-3").is_some() && index.severity("PYSEC-9").is_none());
        let meta = &index.meta;
        assert_eq!((meta.records, meta.skipped, meta.named[0].as_str()), (5, 1, "x.json is bad"));
        assert_eq!(meta.newest, "2026-01-03T00:00:00Z", "a record of the day after tomorrow makes nothing fresh");
        assert_eq!(meta.ecosystems, [("PyPI".to_owned(), 5)].into());
    }

    #[test]
    fn what_was_kept_is_read_back_or_not_at_all() {
        let index = index();
        let kept = index.to_bytes();
        assert_eq!(Index::from_bytes(kept.clone()), Some(index));
        for at in 0..kept.len() {
            let mut changed = kept.clone();
            changed[at] ^= 1;
            assert_eq!(Index::from_bytes(changed), None, "{at}");
            assert_eq!(Index::from_bytes(kept[..at].to_vec()), None, "{at}");
        }
    }
}
