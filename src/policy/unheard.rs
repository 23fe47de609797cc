//! Whether all jobs of a run that judge have been heard: green check runs of one leg of a matrix say nothing of another that died
//! before it could say anything. The run alone does not tell: jobs that judge nothing fail too, and what deploys is often a
//! job of the very run that judged.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use crate::model::check_id;

/// A run, ended or not.
#[derive(Debug, Clone, Copy)]
pub struct Run<'a> {
    /// The path of its workflow.
    pub workflow: &'a str,
    /// Who asks is one of its jobs: those that come after it have not ended either.
    pub own: bool,
    /// The newest execution of each job, as GitHub has it.
    pub jobs: &'a [Job],
    /// The jobs of its workflow's file.
    pub known: &'a [Known],
    /// The check runs of gates that its jobs made.
    pub posted: &'a [Posted],
}

/// A job as GitHub has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// As it is shown, with the leg of its matrix.
    pub name: String,
    /// How it ended; `Err`: how it stands.
    pub end: Result<String, String>,
    /// The attempt that it is of.
    pub attempt: u64,
    /// It is the job that asks.
    pub here: bool,
}

/// A job as the workflow's file has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// Its key.
    pub id: String,
    /// Its name, perhaps with expressions.
    pub name: String,
    /// What it does.
    pub does: Does,
}

/// What a job does with gates, as far as its file tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Does {
    /// It runs gates and posts them.
    Judges,
    /// It runs gates, which another job posts.
    JudgesQuietly,
    /// It posts what others judged.
    Publishes,
    /// Another workflow does it.
    Calls,
    /// Nothing.
    Nothing,
}

/// A check run that a job made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Posted {
    /// The job and the leg of its matrix, in digits.
    pub job: String,
    /// The process.
    pub made: String,
    /// The attempt.
    pub attempt: u64,
    /// It is not green.
    pub red: bool,
}

/// Why the check runs of a run do not tell all that its jobs have to say, if so. A job that failed is heard where it has made a
/// check run that is red: that one is judged by itself. One that judges nothing does not matter.
#[must_use]
pub fn unheard(run: Run<'_>) -> Option<String> {
    if run.jobs.is_empty() {
        return Some("GitHub names none of its jobs".to_owned());
    }
    let legs = Legs::of(run);
    let mut failed: Vec<(Option<usize>, u64, Vec<&Job>)> = Vec::new();
    for (job, family) in run.jobs.iter().zip(&legs.families) {
        if job.here || !legs.judges(*family) {
            continue;
        }
        match &job.end {
            // A deploy by a called workflow is one of those.
            Err(_) if run.own && !legs.surely_judges(*family) => {}
            Err(stands) => return Some(format!("its job {:?} is {stands}", job.name)),
            Ok(end) if ["success", "skipped", "neutral"].contains(&end.as_str()) => {}
            Ok(end) if end != "failure" => return Some(format!("its job {:?} ended in {end}", job.name)),
            Ok(_) => match failed.iter_mut().find(|(of, attempt, _)| of == family && *attempt == job.attempt) {
                Some((_, _, jobs)) => jobs.push(job),
                None => failed.push((*family, job.attempt, vec![job])),
            },
        }
    }
    let unexplained = failed.iter().find(|(family, attempt, jobs)| jobs.len() > legs.explained(*family, *attempt))?;
    let names: Vec<String> = unexplained.2.iter().map(|job| format!("{:?}", job.name)).collect();
    let (job, says) = if names.len() == 1 {
        ("job", "no check run of it says")
    } else {
        ("jobs", "not each of them has a check run that says")
    };
    Some(format!("its {job} {} ended in failure, and {says} why", names.join(", ")))
}

/// Which job of the file each job is.
struct Legs<'a> {
    run: Run<'a>,
    /// For each job the place of its own in the file, where that is known.
    families: Vec<Option<usize>>,
    /// For each job of the file what its check runs may be known by.
    digits: Vec<BTreeSet<String>>,
}

impl<'a> Legs<'a> {
    fn of(run: Run<'a>) -> Self {
        let bear = |name: &str| run.jobs.iter().filter(|job| job.name == name).count();
        let families: Vec<Option<usize>> =
            run.jobs.iter().map(|job| family(run.known, &job.name, bear(&job.name))).collect();
        let digits = run.known.iter().enumerate().map(|(at, known)| {
            let total = families.iter().filter(|family| **family == Some(at)).count();
            let legs = (0..total).map(|leg| format!("{} {leg}/{total}", known.id));
            let names = legs.chain(std::iter::once(known.id.clone()));
            names.map(|name| check_id::job(Some(run.workflow), Some(&name))).collect()
        });
        Self { run, digits: digits.collect(), families }
    }

    /// Whether a job's gates may be evidence; of one that is not known that is not known.
    fn judges(&self, family: Option<usize>) -> bool {
        let does = family.map(|at| self.run.known[at].does);
        matches!(does, None | Some(Does::Calls)) || self.surely_judges(family)
    }

    fn surely_judges(&self, family: Option<usize>) -> bool {
        let Some(at) = family else { return false };
        let has_posted = self.run.posted.iter().any(|posted| self.digits[at].contains(&posted.job));
        has_posted || matches!(self.run.known[at].does, Does::Judges | Does::JudgesQuietly)
    }

    /// Of how many legs red check runs tell why they failed.
    fn explained(&self, family: Option<usize>, attempt: u64) -> usize {
        let known = family.filter(|at| self.run.known[*at].does != Does::Calls);
        let is_of = |posted: &&Posted| match known {
            Some(at) => self.digits[at].contains(&posted.job),
            None => !self.digits.iter().any(|digits| digits.contains(&posted.job)),
        };
        let red = || self.run.posted.iter().filter(|posted| posted.red && posted.attempt == attempt);
        // A word that names a leg is of one job, however many processes that had. Others may stand for several.
        let bare = known.map(|at| check_id::job(Some(self.run.workflow), Some(&self.run.known[at].id)));
        let is_a_leg = |posted: &&Posted| bare.as_ref().is_some_and(|bare| posted.job != *bare);
        let speaker = |posted: &'a Posted| (&posted.job[..], if is_a_leg(&posted) { "" } else { &posted.made[..] });
        let own = red().filter(is_of).map(speaker).collect::<BTreeSet<_>>().len();
        let is_quiet = known.is_some_and(|at| self.run.known[at].does == Does::JudgesQuietly);
        if own > 0 || !is_quiet {
            return own;
        }
        let published = red().filter(|posted| self.is_published(posted));
        published.map(|posted| (&posted.job, &posted.made)).collect::<BTreeSet<_>>().len()
    }

    fn is_published(&self, posted: &Posted) -> bool {
        let mut known = self.run.known.iter().zip(&self.digits);
        known.any(|(known, digits)| known.does == Does::Publishes && digits.contains(&posted.job))
    }
}

/// The job of the file that GitHub shows by this name, which so many bear. Its very name tells, where the file has as many of
/// it: a pattern may make the same. Else it is one that judges, where one fits, and the one of which most is said.
fn family(known: &[Known], name: &str, bearers: usize) -> Option<usize> {
    let is_called = |known: &Known| known.name == name;
    let is_told = bearers <= known.iter().filter(|known| is_called(known)).count();
    let fits = known.iter().enumerate().filter_map(|(at, known)| Some((at, known, fixed(&known.name, name)?)));
    let best = fits.max_by_key(|(at, known, fixed)| {
        let judges = !matches!(known.does, Does::Nothing | Does::Publishes);
        (is_told && is_called(known), judges, *fixed, Reverse(*at))
    });
    best.map(|(at, ..)| at)
}

/// How much of a name a pattern says, where it fits. GitHub adds the leg of a matrix in brackets, and after a slash the job of a
/// called workflow.
fn fixed(pattern: &str, name: &str) -> Option<usize> {
    if pattern == name {
        return Some(name.len());
    }
    if !pattern.contains("${{") {
        let rest = name.strip_prefix(pattern)?;
        return (rest.starts_with(" (") || rest.starts_with(" / ")).then_some(pattern.len());
    }
    let mut parts = pattern.split("${{").enumerate().map(|(at, part)| match part.split_once("}}") {
        Some((_, rest)) if at > 0 => rest,
        _ => part,
    });
    let first = parts.next()?;
    let (mut rest, mut fixed) = (name.strip_prefix(first)?, first.len());
    for part in parts {
        rest = &rest[rest.find(part)? + part.len()..];
        fixed += part.len();
    }
    Some(fixed)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CI: &str = ".github/workflows/ci.yml";

    fn known(id: &str, name: &str, does: Does) -> Known {
        Known { id: id.to_owned(), name: name.to_owned(), does }
    }

    fn job(name: &str, end: &str) -> Job {
        let stands = ["queued", "in_progress"].contains(&end);
        let end = if stands { Err(end.to_owned()) } else { Ok(end.to_owned()) };
        Job { name: name.to_owned(), end, attempt: 1, here: false }
    }

    fn posted(job: &str, made: &str, red: bool) -> Posted {
        Posted { job: check_id::job(Some(CI), Some(job)), made: made.to_owned(), attempt: 1, red }
    }

    fn file() -> Vec<Known> {
        vec![
            known("gates", "gates", Does::Judges),
            known("quiet", "quiet ${{ matrix.os }} leg", Does::JudgesQuietly),
            known("verdict", "verdict", Does::Publishes),
            known("shared", "shared", Does::Calls),
            known("docs", "docs", Does::Nothing),
        ]
    }

    fn why(own: bool, jobs: &[Job], posted: &[Posted]) -> Option<String> {
        unheard(Run { workflow: CI, own, jobs, known: &file(), posted })
    }

    #[test]
    fn a_leg_that_died_before_it_spoke_is_not_heard() {
        let legs = |end: &str| [job("gates (linux)", "success"), job("gates (mac)", end), job("docs", "failure")];
        let green = posted("gates 0/2", "a", false);
        let said = why(false, &legs("failure"), std::slice::from_ref(&green)).unwrap();
        assert_eq!(said, "its job \"gates (mac)\" ended in failure, and no check run of it says why");
        assert_eq!(
            why(false, &legs("success"), std::slice::from_ref(&green)),
            None,
            "the documentation judges nothing"
        );
        let red = [green.clone(), posted("gates 1/2", "b", true)];
        assert_eq!(why(false, &legs("failure"), &red), None, "what it says is judged by itself");
        let before = [green.clone(), Posted { attempt: 2, ..posted("gates 1/2", "b", true) }];
        assert!(why(false, &legs("failure"), &before).is_some(), "what it said in another attempt");
        for end in ["cancelled", "timed_out", "in_progress", "queued"] {
            assert!(why(true, &legs(end), &red).unwrap().contains(end), "{end}");
        }
        let both = [job("gates (linux)", "failure"), job("gates (mac)", "failure")];
        assert!(why(false, &both, &red).unwrap().starts_with("its jobs \"gates (linux)\", \"gates (mac)\" ended"));
        assert!(why(false, &[], &[green]).is_some());
    }

    #[test]
    fn who_asks_and_what_comes_after_is_no_judge() {
        let here = Job { here: true, ..job("gates (linux)", "in_progress") };
        let jobs = [here, job("docs", "queued"), job("shared / deploy", "queued")];
        assert_eq!(why(true, &jobs, &[]), None);
        assert!(why(false, &jobs, &[]).unwrap().contains("shared / deploy"));
        let failed = [job("shared / deploy", "failure")];
        assert!(why(true, &failed, &[]).is_some(), "it may have judged");
        assert_eq!(why(true, &failed, &[posted("elsewhere", "a", true)]), None);
        assert!(why(true, &[job("who knows", "failure")], &[]).is_some());
        // What is not told by the file is told by its check runs.
        let jobs = [job("docs (a)", "success"), job("docs (b)", "in_progress")];
        assert!(why(true, &jobs, &[posted("docs 0/2", "a", false)]).is_some());
    }

    #[test]
    fn quiet_jobs_are_heard_through_the_one_that_publishes() {
        let jobs =
            |mac: &str| [job("quiet linux leg", "failure"), job("quiet mac leg", mac), job("verdict", "failure")];
        let red = [posted("verdict", "v", true)];
        assert_eq!(why(false, &jobs("success"), &red), None);
        assert!(why(false, &jobs("failure"), &red).is_some());
        assert!(why(false, &jobs("success"), &[]).is_some());
    }

    #[test]
    fn one_leg_that_spoke_twice_does_not_speak_for_another() {
        let both = [job("gates (linux)", "failure"), job("gates (mac)", "failure")];
        let twice = [posted("gates 0/2", "a", true), posted("gates 0/2", "b", true)];
        assert!(why(false, &both, &twice).is_some());
        assert_eq!(why(false, &both, &[posted("gates 0/2", "a", true), posted("gates 1/2", "b", true)]), None);
        // Where the leg is not told, each process may be another one's.
        assert_eq!(why(false, &both, &[posted("gates", "a", true), posted("gates", "b", true)]), None);
        let quiet = [job("quiet linux leg", "failure"), job("quiet mac leg", "failure")];
        assert!(why(false, &quiet, &[posted("verdict", "v", true), posted("verdict", "v", true)]).is_some());
    }

    #[test]
    fn names_are_told_apart() {
        assert_eq!(
            [fixed("a", "a"), fixed("a", "a (b)"), fixed("a", "a / b"), fixed("a", "ab")],
            [Some(1), Some(1), Some(1), None]
        );
        let dynamic = "test ${{ matrix.os }} on ${{ matrix.node }}!";
        assert_eq!([fixed(dynamic, "test mac on 22!"), fixed(dynamic, "test mac")], [Some(10), None]);
        let file = [
            known("a", "test", Does::Nothing),
            known("b", "test (${{ matrix.os }})", Does::Judges),
            known("c", "${{ matrix.suite }}", Does::Judges),
            known("d", "docs", Does::Nothing),
        ];
        let of = |name: &str, bearers| family(&file, name, bearers);
        assert_eq!(
            [of("test (mac)", 1), of("test", 1), of("docs", 1), of("docs", 2)],
            [Some(1), Some(0), Some(3), Some(2)]
        );
        let plain = [known("a", "test", Does::Nothing), known("b", "test (${{ matrix.os }})", Does::Nothing)];
        assert_eq!(family(&plain, "test (mac)", 1), Some(1));
    }
}
