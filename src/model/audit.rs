//! What an audit found: packages that an advisory is about, told apart from what was audited and against what.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::package::{Ecosystem, Package};

/// How bad an advisory is, by the qualitative scale of CVSS
/// (<https://www.first.org/cvss/v3.1/specification-document#Qualitative-Severity-Rating-Scale>).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Below 4.0.
    Low,
    /// Below 7.0.
    Medium,
    /// Below 9.0.
    #[default]
    High,
    /// From 9.0 on.
    Critical,
}

impl Severity {
    /// As in the configuration and in reports.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }

    /// Of a word as databases write it (`MODERATE`, `High`).
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Some(match word.to_ascii_lowercase().as_str() {
            "none" | "negligible" | "low" => Self::Low,
            "medium" | "moderate" => Self::Medium,
            "high" | "important" => Self::High,
            "critical" => Self::Critical,
            _ => return None,
        })
    }
}

/// Where a severity comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ScoreSource {
    /// The record's own CVSS vector.
    Cvss,
    /// The word that the database gives it.
    Database,
    /// The record of an alias.
    Alias,
}

/// What an advisory is about.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum AdvisoryKind {
    /// Something to know, and no more.
    Notice,
    /// Nobody looks after the package.
    Unmaintained,
    /// It was taken back by its authors.
    Yanked,
    /// Its licence is not allowed.
    Licence,
    /// Safe code can break memory safety.
    Unsound,
    /// It can be attacked.
    #[default]
    Vulnerability,
    /// It attacks.
    Malware,
}

impl AdvisoryKind {
    /// As in reports.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Notice => "notice",
            Self::Unmaintained => "unmaintained",
            Self::Yanked => "yanked",
            Self::Licence => "licence",
            Self::Unsound => "unsound",
            Self::Vulnerability => "vulnerability",
            Self::Malware => "malware",
        }
    }
}

/// How a finding compares with the base.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Standing {
    /// The base does not have it.
    New,
    /// The base has it in a lesser way: only for development, in fewer versions, or less severe.
    Worsened,
    /// The base has it.
    Unchanged,
    /// Only the base has it.
    Fixed,
}

impl Standing {
    /// Whether the change is to blame.
    #[must_use]
    pub const fn is_added(self) -> bool {
        matches!(self, Self::New | Self::Worsened)
    }

    /// As in reports.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Worsened => "worsened",
            Self::Unchanged => "unchanged",
            Self::Fixed => "fixed",
        }
    }
}

/// What the packages were held against.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Database {
    /// Good records.
    pub records: usize,
    /// Records that could not be read.
    pub skipped: usize,
    /// The day it is of, `2026-11-20`.
    pub date: Option<String>,
    /// Digest of what was used.
    pub digest: String,
    /// Where it is from.
    #[serde(default)]
    pub sources: Vec<String>,
    /// It was asked for the packages at hand, so that no record at all is an answer.
    #[serde(default)]
    pub asked: bool,
}

/// One lockfile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Audited {
    /// Relative to the repository's root where it is in one, else as given.
    pub path: String,
    /// What it holds.
    pub packages: Vec<Package>,
}

/// Why a finding does not count.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Ignored {
    /// As configured.
    pub reason: String,
    /// The last day; `null` for good.
    pub until: Option<String>,
}

/// A package of a lockfile that an advisory is about.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AuditFinding {
    /// The advisory's first name.
    pub advisory: String,
    /// Its names in all databases, without the first.
    pub aliases: Vec<String>,
    /// One line: what it is about.
    pub summary: String,
    /// Whose package it is.
    pub ecosystem: Ecosystem,
    /// The package's name as the lockfile has it.
    pub package: String,
    /// The package's version as the lockfile has it.
    pub version: String,
    /// `None`: no database gives one.
    pub severity: Option<Severity>,
    /// From 0.0 to 10.0.
    pub score: Option<f64>,
    /// Where the severity comes from.
    pub score_source: Option<ScoreSource>,
    /// What the advisory is about.
    pub kind: AdvisoryKind,
    /// The first version without it, of the same major version where there is one; `None`: there is no fix, or none is known.
    pub fixed_in: Option<String>,
    /// How it compares with the base; `None` where nothing is compared.
    #[serde(rename = "status")]
    pub standing: Option<Standing>,
    /// Set where an entry of `ignore` covers it.
    pub ignored: Option<Ignored>,
    /// The day on which the entry of `ignore` that covered it ran out.
    pub expired: Option<String>,
    /// Used only to develop, build or test.
    pub dev: bool,
    /// The advisory is about some versions, and it cannot be told whether this is one of them.
    pub undecided: bool,
    /// From a direct dependency down to the package; empty where it is not known.
    pub path: Vec<String>,
    /// The lockfile.
    pub lockfile: String,
    /// Its line there, from 1; 0 where there is none.
    pub line: u32,
    /// What to do: a command, or which dependency to raise; `None` where there is no fix, or it is not known.
    pub remedy: Option<String>,
    /// Whether it counts against the gate: decided by `policy`.
    pub blocking: bool,
}

impl AuditFinding {
    /// A page about the advisory.
    #[must_use]
    pub fn url(&self) -> String {
        match self.advisory.split_once('-') {
            Some(("RUSTSEC", _)) => format!("https://rustsec.org/advisories/{}.html", self.advisory),
            Some(("GHSA", _)) => format!("https://github.com/advisories/{}", self.advisory),
            None if self.kind == AdvisoryKind::Yanked => {
                "https://doc.rust-lang.org/cargo/commands/cargo-yank.html".to_owned()
            }
            _ => format!("https://osv.dev/vulnerability/{}", self.advisory),
        }
    }

    /// `1.2.3`, `no fix`, `not known`. Untrusted.
    #[must_use]
    pub fn fix_words(&self) -> &str {
        self.fixed_in.as_deref().unwrap_or(if self.undecided { "not known" } else { "no fix" })
    }

    /// `high 7.5`, `medium`, `unscored`.
    #[must_use]
    pub fn severity_words(&self) -> String {
        match (self.severity, self.score) {
            (Some(severity), Some(score)) => format!("{} {score:.1}", severity.word()),
            (Some(severity), None) => severity.word().to_owned(),
            (None, _) => "unscored".to_owned(),
        }
    }
}

/// What is done about an advisory that has no severity, or tells of no attack.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Weight {
    /// It is shown and does not block.
    #[default]
    Warn,
    /// It blocks.
    Fail,
}

/// From where on an advisory blocks. Malware always does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Bar {
    /// The least severity that blocks.
    pub fail_on: Severity,
    /// What has no severity.
    pub unscored: Weight,
    /// What nobody looks after.
    pub unmaintained: Weight,
    /// Safe code that can break memory safety.
    pub unsound: Weight,
    /// What was taken back by its authors.
    pub yanked: Weight,
}

/// An audit: what was audited, against what, and what was found. This is its part of report.json: additive until 1.0.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Audit {
    /// By what it is judged.
    #[serde(skip)]
    pub bar: Bar,
    /// `null` where no advisories were asked for or had.
    pub database: Option<Database>,
    /// What was audited.
    pub lockfiles: Vec<Audited>,
    /// What was found, worst first within a lockfile; what only the base had comes last.
    pub findings: Vec<AuditFinding>,
    /// Only the packages were asked for.
    #[serde(skip)]
    pub packages_only: bool,
    /// What stands on the default branch was judged, whatever changed: no evidence for a deploy.
    pub scheduled: bool,
}

impl Audit {
    /// What was found in the judged tree.
    pub fn present(&self) -> impl Iterator<Item = &AuditFinding> {
        self.findings.iter().filter(|finding| finding.standing != Some(Standing::Fixed))
    }

    /// `12 packages in 2 lockfiles against 1205 records of 2026-11-20`.
    #[must_use]
    pub fn words(&self) -> String {
        let packages: usize = self.lockfiles.iter().map(|lockfile| lockfile.packages.len()).sum();
        let looked_at = format!("{} in {}", counted(packages, "package"), counted(self.lockfiles.len(), "lockfile"));
        let Some(database) = &self.database else { return looked_at };
        let against = if database.asked { database.sources.join(" and ") } else { counted(database.records, "record") };
        let date = database.date.as_ref().map_or_else(String::new, |date| format!(" of {date}"));
        format!("{looked_at} against {against}{date}")
    }
}

fn counted(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}
