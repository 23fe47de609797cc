//! The report that the registry of npm wrote up to 2021, and that pnpm, Yarn and npm 6 print: `advisories` by number,
//! each with the paths on which the package was found.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::model::finding::Finding;
use crate::parse::ParseError;
use crate::parse::advisories::{Id, Known, failed, ghsa, without};
use crate::parse::reading::{Seen, count};

#[derive(Deserialize)]
pub(super) struct Report {
    advisories: Option<BTreeMap<String, Advisory>>,
    metadata: Option<Metadata>,
    error: Option<Failure>,
    /// In place of a report: what the registry answered, as npm 7 and later print it.
    message: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Metadata {
    vulnerabilities: BTreeMap<String, u64>,
}

#[derive(Deserialize)]
pub(super) struct Advisory {
    id: Option<Id>,
    title: String,
    module_name: String,
    severity: String,
    url: Option<String>,
    github_advisory_id: Option<String>,
    patched_versions: Option<String>,
    findings: Vec<Place>,
}

#[derive(Deserialize)]
struct Place {
    version: String,
    #[serde(default)]
    paths: Vec<String>,
}

/// What stands in place of a report when none was to be had.
#[derive(Deserialize)]
struct Failure {
    code: Option<String>,
    summary: Option<String>,
    message: Option<String>,
}

impl Failure {
    fn error(self, tool: &str) -> ParseError {
        let words: Vec<String> = [self.code, self.summary.or(self.message)].into_iter().flatten().collect();
        failed(tool, &words.join(": "))
    }
}

impl Report {
    /// The findings, and a note where the report counts what it does not list.
    ///
    /// # Errors
    /// When it tells of a failure, or is not whole.
    pub fn read(
        self,
        tool: &str,
        expected: &'static str,
        lockfile: Option<&str>,
    ) -> Result<(Vec<Finding>, Option<String>), ParseError> {
        if let Some(message) = self.message {
            return Err(failed(tool, &message));
        }
        if let Some(failure) = self.error {
            return Err(failure.error(tool));
        }
        let advisories = self.advisories.ok_or_else(|| without(expected, "advisories"))?;
        let metadata = self.metadata.ok_or_else(|| without(expected, "metadata"))?;
        let note = metadata.not_listed(advisories.len());
        let mut seen = Seen::default();
        let mut findings: Vec<Finding> =
            advisories.into_values().flat_map(|advisory| advisory.findings(lockfile)).collect();
        findings.retain(|finding| seen.is_new(finding));
        Ok((findings, note))
    }
}

impl Metadata {
    /// A note where vulnerabilities are counted and none is listed, as `--audit-level` and ignores make it.
    pub fn not_listed(&self, listed: usize) -> Option<String> {
        let counts = self.vulnerabilities.iter().filter(|(key, _)| *key != "total").map(|(_, count)| *count);
        let counted = counts.fold(0, u64::saturating_add);
        let counted = usize::try_from(counted).unwrap_or(usize::MAX);
        (listed == 0 && counted > 0)
            .then(|| format!("the report counts {} and lists none", count(counted, "vulnerability", "vulnerabilities")))
    }
}

impl Advisory {
    pub fn findings(self, lockfile: Option<&str>) -> Vec<Finding> {
        let from_url = self.url.as_deref().and_then(ghsa).map(str::to_owned);
        let id = self.github_advisory_id.or(from_url).or(self.id.map(Id::text)).unwrap_or_default();
        let known = |place: &Place| Known {
            id: id.clone(),
            package: self.module_name.clone(),
            version: place.version.clone(),
            title: self.title.clone(),
            severity: self.severity.clone(),
            fixed: self.patched_versions.clone().filter(|fixed| !fixed.starts_with("<0.0.0")).unwrap_or_default(),
            way: place.paths.first().map(|path| way(path)).unwrap_or_default(),
            path: lockfile.map(str::to_owned),
            help: self.url.clone(),
        };
        self.findings.iter().map(|place| known(place).finding()).collect()
    }
}

/// `.>mkdirp>minimist`, where the dot is the project; a workspace is `packages__cart`.
fn way(path: &str) -> Vec<String> {
    path.split('>').filter(|name| *name != ".").map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_counted_and_not_listed_is_told() {
        let note = |counts: &str, listed| {
            let metadata: Metadata = serde_json::from_str(&format!(r#"{{"vulnerabilities":{counts}}}"#)).unwrap();
            metadata.not_listed(listed)
        };
        let one = Some("the report counts 1 vulnerability and lists none".to_owned());
        assert_eq!(note(r#"{"low":0,"high":1}"#, 0), one);
        assert_eq!(note(r#"{"low":0,"high":1,"total":1}"#, 0), one, "the total counts nothing of its own");
        assert_eq!([note(r#"{"low":0}"#, 0), note(r#"{"high":1}"#, 1)], [None, None]);
    }

    #[test]
    fn an_advisory_names_the_first_way_to_the_package() {
        let advisory = r#"{"id":7,"title":"t","module_name":"m","severity":"low",
            "findings":[{"version":"1.0.0","paths":[".>a>m",".>b>c>m"]}]}"#;
        let findings = serde_json::from_str::<Advisory>(advisory).unwrap().findings(None);
        assert!(findings[0].message.contains("needed by a"), "{}", findings[0].message);
    }

    #[test]
    fn a_package_on_several_paths_is_told_once() {
        let report = r#"{"advisories":{"7":{"title":"t","module_name":"m","severity":"low",
            "findings":[{"version":"1.0.0"},{"version":"1.0.0"},{"version":"2.0.0"}]}},"metadata":{"vulnerabilities":{}}}"#;
        let (findings, note) = serde_json::from_str::<Report>(report).unwrap().read("x", "y", None).unwrap();
        assert_eq!((findings.len(), note), (2, None));
    }
}
