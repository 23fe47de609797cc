//! The order of Composer's versions (<https://getcomposer.org/doc/articles/versions.md#stability-constraints>): numbers,
//! then `dev` < `alpha` < `beta` < `RC` < the release itself < `patch`.

/// A package's version.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    numbers: Vec<u64>,
    stability: Stability,
    /// Of `beta2`, `RC-1.3`.
    count: Vec<u64>,
    /// False for what leads to that stability: `1.0-beta2-dev`.
    whole: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stability {
    Dev,
    Alpha,
    Beta,
    Candidate,
    Stable,
    Patch,
}

impl Version {
    /// Reads `v1.2.3-beta2`; `None` for a branch (`dev-main`, `1.x-dev`).
    pub(super) fn parse(text: &str) -> Option<Self> {
        let text = text.to_ascii_lowercase();
        let text = text.trim_start_matches('v').split('+').next()?;
        let core_end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
        let (core, rest) = text.split_at(core_end);
        let mut numbers = numbers(core.trim_end_matches('.'))?;
        while numbers.last() == Some(&0) {
            numbers.pop();
        }
        let rest = rest.trim_start_matches(['-', '_', '.']);
        let (rest, whole) = match rest.strip_suffix("dev") {
            Some(before) if !before.is_empty() => (before.trim_end_matches(['-', '.']), false),
            _ => (rest, true),
        };
        let word_end = rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len());
        let (word, count) = rest.split_at(word_end);
        let stability = match word {
            "dev" => Stability::Dev,
            "alpha" | "a" => Stability::Alpha,
            "beta" | "b" => Stability::Beta,
            "rc" => Stability::Candidate,
            "" | "stable" => Stability::Stable,
            "patch" | "pl" | "p" => Stability::Patch,
            _ => return None,
        };
        let count = count.trim_start_matches(['-', '.']);
        let count = if count.is_empty() { Vec::new() } else { self::numbers(count)? };
        Some(Self { numbers, stability, count, whole })
    }

    pub(super) fn major(&self) -> u64 {
        self.numbers.first().copied().unwrap_or_default()
    }

    pub(super) fn is_pre_release(&self) -> bool {
        self.stability < Stability::Stable || !self.whole
    }
}

fn numbers(text: &str) -> Option<Vec<u64>> {
    text.split('.').map(|part| part.parse().ok()).collect()
}
