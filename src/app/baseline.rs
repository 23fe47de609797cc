//! The baseline of a run: the report that `--baseline` names, or the one that a push to the base branch left on
//! GitHub. Whatever is wrong with it is said; what cannot be used is as if it were not there.

use std::path::Path;

use tokio::time::{Instant, timeout_at};

use crate::app::Failure;
use crate::app::posting::{Poster, unanswered};
use crate::app::project::Project;
use crate::app::scope::Judged;
use crate::mask::Masker;
use crate::model::event::Occasion;
use crate::model::gate::Only;
use crate::model::settings::CommandLine;
use crate::model::sha::Sha;
use crate::parse::report;
use crate::parse::zip::Archive;
use crate::policy::Baseline;
use crate::publish::interpreter::{Kept, NotKept};
use crate::world::files;
use crate::world::repo::Repo;

/// What a run is compared with.
#[derive(Debug, Default)]
pub struct Found {
    /// The report, as far as it can be used.
    pub baseline: Option<Baseline>,
    /// What must be said with the verdict.
    pub notes: Vec<String>,
    /// What is worth a line of the log: a repository without baselines is none the worse.
    pub aside: Option<String>,
}

/// What decides about the baseline.
pub struct Ground<'a> {
    /// `--baseline`, absolute.
    pub file: Option<&'a Path>,
    /// What is configured.
    pub project: &'a Project,
    /// What is judged.
    pub judged: &'a Judged,
    /// The repository.
    pub repo: &'a Repo,
    /// What woke the run.
    pub occasion: &'a Occasion,
    /// Takes secrets out of what is compared with a report.
    pub masker: &'a Masker,
}

impl Ground<'_> {
    /// Finds it: the file, else on a pull request or in a merge queue what a push to the base branch left, as far as GitHub
    /// tells it until then.
    ///
    /// # Errors
    /// With exit code 2 when the file is no report.
    pub async fn find(&self, poster: &mut Poster, until: Instant) -> Result<Found, Failure> {
        if let Some(file) = self.file {
            let baseline = read_file(file)?;
            let ours = poster.repository().map(str::to_owned).or_else(|| self.repo.origin_repository().ok().flatten());
            let both = baseline.repository.as_deref().zip(ours);
            return Ok(match both.filter(|(theirs, ours)| !theirs.eq_ignore_ascii_case(ours)) {
                Some((theirs, _)) => self.none(&format!("the one given is of {}", self.masker.text(theirs)), false),
                None => self.fit(baseline),
            });
        }
        let (Some(base), Some(branch)) = (&self.judged.base, &self.occasion.branch) else {
            return Ok(Found::default());
        };
        if !matches!(self.occasion.event.as_str(), "pull_request" | "merge_group") {
            return Ok(Found::default());
        }
        let Ok(answer) = timeout_at(until, poster.kept_report(base, branch)).await else {
            return Ok(self.none(&unanswered(), false));
        };
        let Some(answer) = answer else {
            // That there is no token is said where something was to be posted.
            return Ok(Found { aside: None, ..self.none("there is no token to look for one with", true) });
        };
        Ok(match answer {
            Ok(kept) => match read_kept(&kept, poster.repository()) {
                Ok(baseline) => self.fit(baseline),
                Err(why) => self.none(&format!("the one of {} cannot be used: {why}", kept.head.short()), false),
            },
            Err(why @ (NotKept::Never(_) | NotKept::Denied(_))) => self.none(&why.to_string(), true),
            Err(why) => self.none(&why.to_string(), false),
        })
    }

    /// `usual`: most repositories keep none, and nobody waits for it unless a gate asks for it.
    fn none(&self, why: &str, usual: bool) -> Found {
        let why = format!("no baseline: {why}");
        let asked = self.project.gates.iter().any(|gate| gate.common().only == Some(Only::New));
        if usual && !asked {
            Found { aside: Some(why), ..Found::default() }
        } else {
            Found { notes: vec![why], ..Found::default() }
        }
    }

    /// Takes out what cannot be compared, and says what must be known of the rest.
    fn fit(&self, mut baseline: Baseline) -> Found {
        let mut notes = Vec::new();
        let short = |sha: &Sha| sha.short().to_owned();
        let made_of = baseline.head.as_ref().map_or_else(|| "no commit".to_owned(), short);
        let base = self.judged.base.as_ref().filter(|base| Some(*base) != baseline.head.as_ref());
        let count = "findings on changed lines and failed tests count even where it has them";
        let baseless = self.judged.base.is_none();
        // A report of a pull request is of its merge, though it names the head.
        let tree = self.judged.base.as_ref().and_then(|base| self.repo.tree(base).ok());
        let other_files = baseline.tree.is_some() && tree.is_some() && baseline.tree != tree;
        if baseless {
            notes.push(format!("no base is known that the baseline of {made_of} could be of: {count}"));
        } else if let Some(base) = base {
            notes.push(format!("the baseline was made of {made_of}, the base is {}: {count}", short(base)));
        } else if other_files {
            notes.push(format!("the baseline names {made_of} and judged other files than that has: {count}"));
        } else if baseline.dirty {
            notes.push(format!("the baseline was made of a work tree that differed from {made_of}: {count}"));
        }
        if baseline.version != env!("CARGO_PKG_VERSION") {
            let (theirs, ours) = (self.masker.text(&baseline.version), env!("CARGO_PKG_VERSION"));
            notes.push(format!("the baseline was made by gatepost {theirs}, this is {ours}"));
        }
        self.fit_gates(&mut baseline, &mut notes);
        if baseless || base.is_some() || other_files || baseline.dirty {
            baseline = baseline.of_another_commit();
        }
        Found { baseline: Some(baseline), notes, aside: None }
    }

    fn fit_gates(&self, baseline: &mut Baseline, notes: &mut Vec<String>) {
        let mut missing = Vec::new();
        for common in self.project.gates.iter().map(|gate| gate.common()) {
            let name = &common.name;
            let Some(gate) = baseline.gates.get(name) else {
                missing.push(format!("`{name}`"));
                continue;
            };
            if gate.kind != common.kind {
                let kind = self.masker.text(&gate.kind);
                notes.push(format!("in the baseline `{name}` is of kind `{kind}`: it is judged as without one"));
                baseline.gates.remove(name);
                continue;
            }
            let command = common.command.as_ref().map(CommandLine::argv).unwrap_or_default();
            if !command.iter().map(|word| self.masker.text(word)).eq(gate.command.iter().cloned()) {
                notes.push(format!("in the baseline `{name}` ran another command"));
            }
        }
        if !missing.is_empty() {
            let them = if missing.len() == 1 { "it is" } else { "they are" };
            notes.push(format!("the baseline has no result of {}: {them} judged as without one", missing.join(", ")));
        }
    }
}

fn read_file(file: &Path) -> Result<Baseline, Failure> {
    let bytes = files::read(file).map_err(|error| Failure::usage(format!("--baseline: {error}")))?;
    report::read_baseline(&bytes).map_err(|error| Failure::usage(format!("--baseline: {} {error}", file.display())))
}

/// The report in an artifact, which must be of the run that kept it.
fn read_kept(kept: &Kept, repository: Option<&str>) -> Result<Baseline, String> {
    let archive = Archive::open(&kept.archive).map_err(|error| format!("the artifact {error}"))?;
    let is_report = |name: &str| matches!(name.rsplit('/').next(), Some("baseline.json" | "report.json"));
    let mut reports = archive.entries.iter().filter(|entry| is_report(&entry.name));
    let (Some(entry), None) = (reports.next(), reports.next()) else {
        return Err("the artifact does not hold one baseline.json".to_owned());
    };
    let bytes = archive.read(entry).map_err(|error| format!("the artifact {error}"))?;
    let baseline = report::read_baseline(&bytes).map_err(|error| format!("{} {error}", entry.name))?;
    let same = |other: &str| repository.is_some_and(|ours| ours.eq_ignore_ascii_case(other));
    if baseline.head.as_ref() != Some(&kept.head) || baseline.event != "push" {
        return Err(format!("{} is not of the push that kept it", entry.name));
    }
    if !baseline.repository.as_deref().is_some_and(same) {
        return Err(format!("{} is of another repository", entry.name));
    }
    Ok(baseline)
}
