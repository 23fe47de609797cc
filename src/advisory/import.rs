//! The ignore lists of other tools: cargo-deny, cargo-audit and osv-scanner. An entry without an end gets one.

use jiff::ToSpan as _;
use jiff::civil::Date;
use serde::Deserialize;

use super::ignore::{Ignore, Versions};
use super::yanked;
use crate::model::package::Ecosystem;

/// How long an entry without an end holds, in days.
pub const DAYS: i32 = 90;

/// What is said where the other tool asks for no reason.
const NO_REASON: &str = "no reason is given there";

#[derive(Deserialize, Default)]
#[serde(default)]
struct File {
    advisories: Cargo,
    #[serde(rename = "IgnoredVulns")]
    vulnerabilities: Vec<Vulnerability>,
    #[serde(rename = "PackageOverrides")]
    overrides: Vec<toml::Value>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Cargo {
    ignore: Vec<toml::Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Vulnerability {
    id: String,
    ignore_until: Option<toml::Value>,
    reason: Option<String>,
}

/// What is left out or empty matches every package (<https://google.github.io/osv-scanner/configuration/#override-packages>).
/// A key that is not known may narrow the entry.
#[derive(Deserialize, Default)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
struct Override {
    name: String,
    version: String,
    ecosystem: String,
    group: String,
    ignore: bool,
    vulnerability: Part,
    #[serde(rename = "license")]
    _license: serde::de::IgnoredAny,
    effective_until: Option<toml::Value>,
    reason: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default, deny_unknown_fields)]
struct Part {
    ignore: bool,
}

/// Reads `deny.toml`, `.cargo/audit.toml` or `osv-scanner.toml`; `name` is shown with each entry. What has no end there
/// ends [`DAYS`] days after `since`.
///
/// # Errors
/// When it is no TOML, or an entry is none that is known; the text says why.
pub fn import(name: &str, text: &str, since: Date) -> Result<Vec<Ignore>, String> {
    let file: File = toml::from_str(text).map_err(|error| error.message().to_owned())?;
    let end = since.saturating_add(DAYS.days());
    let entry = |id: String, reason: Option<String>, until: Date| Ignore {
        id,
        reason: reason.filter(|reason| !reason.trim().is_empty()).unwrap_or_else(|| NO_REASON.to_owned()),
        until: Some(until),
        ecosystem: None,
        package: None,
        versions: None,
        path: None,
        dev: None,
        origin: Some(name.to_owned()),
    };
    let mut entries = Vec::new();
    // Of what covers everything here the other tools know nothing: it covers nothing there.
    let is_one = |id: &str| {
        if id.trim() == "*" { Err(format!("has an entry for {id:?}, which names no advisory")) } else { Ok(()) }
    };
    for value in file.advisories.ignore {
        let word = |key: &str| value.get(key).and_then(toml::Value::as_str).map(str::to_owned);
        match (&value, word("id"), word("crate")) {
            (toml::Value::String(id), ..) if is_advisory(id) => entries.push(entry(id.clone(), None, end)),
            (_, Some(id), _) => {
                is_one(&id)?;
                entries.push(entry(id, word("reason"), end));
            }
            // A crate that was taken back: `name`, perhaps with `@` and a version.
            (toml::Value::String(of), ..) => entries.push(yanked(of, entry(yanked::NAME.to_owned(), None, end))?),
            (_, None, Some(of)) => {
                entries.push(yanked(&of, entry(yanked::NAME.to_owned(), word("reason"), end))?);
            }
            _ => return Err(format!("`advisories.ignore` has an entry that is none: {value}")),
        }
    }
    for one in file.vulnerabilities {
        is_one(&one.id)?;
        entries.push(entry(one.id, one.reason, one.ignore_until.map_or(Ok(end), |until| day(&until))?));
    }
    for value in file.overrides {
        let known = value.try_into::<Override>();
        let one = known.map_err(|error| format!("has an entry of `PackageOverrides` with {}", error.message()))?;
        if !one.ignore && !one.vulnerability.ignore {
            continue;
        }
        let until = one.effective_until.as_ref().map_or(Ok(end), day)?;
        entries.extend(overridden(&one, entry("*".to_owned(), one.reason.clone(), until))?);
    }
    Ok(entries)
}

/// `None` where no package here can be meant: those of another ecosystem.
fn overridden(one: &Override, entry: Ignore) -> Result<Option<Ignore>, String> {
    let given = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
    let ecosystem = given(&one.ecosystem).map(|word| Ecosystem::parse(&word));
    let dev = match one.group.as_str() {
        "" => None,
        "dev" => Some(true),
        group => {
            let what = "of the groups of `PackageOverrides` only \"dev\" is known here";
            return Err(format!("names the group {group:?}: {what}; write it as an `ignore` of gatepost.toml"));
        }
    };
    if ecosystem == Some(None) {
        return Ok(None);
    }
    let versions = given(&one.version).map(|version| Versions::parse(&version)).transpose()?;
    let narrowed = Ignore { ecosystem: ecosystem.flatten(), package: given(&one.name), versions, dev, ..entry };
    Ok(Some(narrowed))
}

fn yanked(of: &str, entry: Ignore) -> Result<Ignore, String> {
    let (name, version) = of.split_once('@').map_or((of, None), |(name, version)| (name, Some(version)));
    let versions = version.map(Versions::parse).transpose()?;
    Ok(Ignore { package: Some(name.to_owned()), versions, ..entry })
}

fn is_advisory(word: &str) -> bool {
    ["RUSTSEC-", "GHSA-", "CVE-"].iter().any(|prefix| word.starts_with(prefix))
}

/// The day of a date or a time, written as either of TOML's or as a string.
fn day(value: &toml::Value) -> Result<Date, String> {
    let text = value.as_datetime().map_or_else(|| value.as_str().unwrap_or_default().to_owned(), ToString::to_string);
    let day: String = text.chars().take(10).collect();
    day.parse().map_err(|_| format!("{text:?} is no day"))
}

#[cfg(test)]
mod tests {
    use super::*;

    type Entry = (String, String, String, Option<String>);

    fn read(text: &str) -> Result<Vec<Entry>, String> {
        let entries = import("other.toml", text, jiff::civil::date(2026, 11, 1))?;
        Ok(entries
            .into_iter()
            .map(|entry| (entry.id, entry.reason, entry.until.unwrap().to_string(), entry.package))
            .collect())
    }

    fn entry(id: &str, reason: &str, until: &str, package: Option<&str>) -> Entry {
        (id.to_owned(), reason.to_owned(), until.to_owned(), package.map(str::to_owned))
    }

    #[test]
    fn each_tool_is_understood() {
        let deny = "[advisories]\nignore = [\"RUSTSEC-2020-0071\", { id = \"RUSTSEC-2021-0001\", reason = \"why\" }, \"time@0.1\", { crate = \"a@1\", reason = \"x\" }]\n[licenses]\nallow = []\n";
        assert_eq!(
            read(deny).unwrap(),
            [
                entry("RUSTSEC-2020-0071", NO_REASON, "2027-01-30", None),
                entry("RUSTSEC-2021-0001", "why", "2027-01-30", None),
                entry("yanked", NO_REASON, "2027-01-30", Some("time")),
                entry("yanked", "x", "2027-01-30", Some("a")),
            ]
        );
        let osv = "[[IgnoredVulns]]\nid = \"GO-2022-1\"\nignoreUntil = 2026-12-09\nreason = \"r\"\n\
                   [[IgnoredVulns]]\nid = \"GO-2022-2\"\nignoreUntil = 2026-12-09T10:00:00Z\n\
                   [[PackageOverrides]]\nname = \"lib\"\nversion = \"1.0.0\"\necosystem = \"Go\"\nignore = true\neffectiveUntil = 2026-11-30\n\
                   [[PackageOverrides]]\nname = \"other\"\nlicense.override = [\"MIT\"]\n";
        assert_eq!(
            read(osv).unwrap(),
            [
                entry("GO-2022-1", "r", "2026-12-09", None),
                entry("GO-2022-2", NO_REASON, "2026-12-09", None),
                entry("*", NO_REASON, "2026-11-30", Some("lib")),
            ]
        );
        assert_eq!(read("[advisories]\n").unwrap(), []);
        assert!(read("[advisories]\nignore = [4]").is_err());
        assert!(read("[[IgnoredVulns]]\nid = \"A-1\"\nignoreUntil = \"soon\"").is_err());
        assert!(read("not toml").is_err());
        for all in ["[[IgnoredVulns]]\nid = \"*\"\n", "[advisories]\nignore = [{ id = \"*\" }]\n"] {
            assert_eq!(read(all).unwrap_err(), "has an entry for \"*\", which names no advisory");
        }
    }

    #[test]
    fn an_override_covers_what_it_names_there_and_nothing_else() {
        let read = |lines: &str| {
            let text = format!("[[PackageOverrides]]\nname = \"redis\"\nignore = true\nreason = \"r\"\n{lines}\n");
            import("osv-scanner.toml", &text, jiff::civil::date(2026, 11, 1))
        };
        let one = |lines: &str| read(lines).unwrap().remove(0);
        assert_eq!((one("").ecosystem, one("").dev), (None, None));
        assert_eq!(one("ecosystem = \"npm\"").ecosystem, Some(Ecosystem::Npm));
        assert_eq!(one("group = \"dev\"").dev, Some(true));
        assert_eq!((one("group = \"\"\necosystem = \"\"").ecosystem, one("group = \"\"").dev), (None, None));
        assert!(read("ecosystem = \"Maven\"").unwrap().is_empty(), "no package here is one of Maven");
        for (lines, says) in [
            ("group = \"test\"", "names the group \"test\""),
            ("nameIsRegex = true", "unknown field `nameIsRegex`"),
            ("vulnerability.ignored = true", "unknown field `ignored`"),
        ] {
            let refused = read(lines).unwrap_err();
            assert!(refused.contains(says) && refused.contains("PackageOverrides"), "{lines}: {refused}");
        }
        let all = "[[PackageOverrides]]\necosystem = \"npm\"\ngroup = \"dev\"\nvulnerability.ignore = true\n\
                   license.override = [\"MIT\"]\n";
        let all = import("osv-scanner.toml", all, jiff::civil::date(2026, 11, 1)).unwrap().remove(0);
        assert_eq!((all.package, all.ecosystem, all.dev), (None, Some(Ecosystem::Npm), Some(true)));
    }
}
