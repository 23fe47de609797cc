//! One attempt of a gate that has a command, reports or both: run, collect, read, place. Every kind that runs a
//! command uses it; what the result is worth is judged elsewhere.

use std::path::{Path, PathBuf};

use crate::gate::Site;
use crate::gate::locate::{Ground, locate};
use crate::gate::read::{Choice, ReadError};
use crate::model::evidence::{Evidence, Exit, Parsed, Problem, ProblemKind, Understood};
use crate::model::settings::{CommandLine, Common};
use crate::parse::Stream;
use crate::world::find::{self, Found};
use crate::world::process::{self, CancelledBy, Caps, End, Finished, Spawn, SpawnError};

/// Makes one attempt.
pub async fn execute(common: &Common, site: Site<'_>) -> Evidence {
    let mut evidence = Evidence::default();
    let choice = match common.format.as_deref().map(|format| Choice::of(format, site.root)).transpose() {
        Ok(choice) => choice,
        Err(error) => {
            evidence.problems.push(unreadable(error.to_string()));
            return evidence;
        }
    };
    let dir = site.root.join(&common.dir);
    let mut before = Vec::new();
    if common.command.is_some() {
        for pattern in &common.reports {
            before.extend(find::find(&dir, pattern).unwrap_or_default());
        }
    }
    let mut read = Vec::new();
    if let Some(command) = &common.command {
        let stream = choice.as_ref().filter(|_| common.reports.is_empty());
        let kept = run(common, command, stream, &dir, site, &mut evidence).await;
        if let (Some(choice), Some(kept), true) = (stream, kept, evidence.problems.is_empty()) {
            read_output(choice, &kept, &mut evidence, &mut read);
        }
    }
    if !common.reports.is_empty() && !stopped(&evidence) {
        let choice = choice.unwrap_or(Choice::Auto);
        read_reports(common, &choice, &dir, &before, &mut evidence, &mut read);
    }
    if !read.is_empty() {
        let ground = Ground::new(site.root, &common.dir);
        evidence.understood = Some(read.into_iter().fold(Understood::default(), |mut whole, parsed| {
            add(&mut whole, parsed, &ground, &mut evidence.notes);
            whole
        }));
    }
    evidence
}

/// What a command printed, on disk.
struct Kept {
    /// The stream that machine formats are read from; with merged streams both.
    stream: PathBuf,
    /// Both streams in the order they arrived.
    log: PathBuf,
    log_whole: bool,
}

async fn run(
    common: &Common,
    command: &CommandLine,
    choice: Option<&Choice>,
    dir: &Path,
    site: Site<'_>,
    evidence: &mut Evidence,
) -> Option<Kept> {
    let suffix = if site.attempt > 1 { format!(".attempt-{}", site.attempt) } else { String::new() };
    let log = format!("logs/{}{suffix}.txt", common.name);
    let stream = site.folder.join("stdout");
    let spawn = Spawn {
        argv: command.argv(),
        dir: dir.to_owned(),
        env: site.environment.to_vec(),
        merge: choice.and_then(Choice::stream) == Some(Stream::Both),
        log: site.output.join(&log),
        keep: choice.map(|_| stream.clone()),
        timeout: common.timeout,
        grace: common.grace,
        caps: Caps::default(),
    };
    let finished = match process::run(&spawn, site.cancel, &mut |line| (site.on_line)(line)).await {
        Ok(finished) => finished,
        Err(error) => {
            evidence.problems.push(not_started(&error));
            return None;
        }
    };
    evidence.took = finished.took;
    evidence.exit = finished.exit;
    evidence.log = Some(log);
    explain_end(common, &finished, choice.is_some(), site, evidence);
    Some(Kept { stream, log: spawn.log, log_whole: !finished.log_truncated })
}

fn not_started(error: &SpawnError) -> Problem {
    Problem { kind: ProblemKind::NotStarted, what: error.to_string() }
}

fn explain_end(common: &Common, finished: &Finished, parsed: bool, site: Site<'_>, evidence: &mut Evidence) {
    match &finished.end {
        End::Exited => {}
        End::TimedOut => evidence.problems.push(Problem {
            kind: ProblemKind::TimedOut,
            what: format!("ran longer than its timeout of {:?} and was ended", common.timeout),
        }),
        End::Cancelled(by) => evidence.problems.push(cancelled(by)),
    }
    if let Some(error) = &finished.io_error {
        evidence.problems.push(unreadable(format!("its output could not be kept: {error}")));
    }
    if parsed && finished.keep_truncated {
        evidence.problems.push(unreadable("printed more than 1 GiB: too much to be judged".to_owned()));
    }
    if !finished.drained && finished.end == End::Exited {
        let what = "a process it left behind held its output open and was cut off after 1 s";
        if parsed {
            evidence.problems.push(unreadable(what.to_owned()));
        } else {
            evidence.notes.push(what.to_owned());
        }
    }
    if finished.leaked > 0 {
        evidence.notes.push(format!("left {} behind, which were ended", processes(finished.leaked)));
    }
    if finished.survivors > 0 {
        evidence.notes.push(format!("{} it started could not be ended", processes(finished.survivors)));
    }
    if finished.log_truncated {
        evidence.notes.push("its log is longer than 64 MiB: the middle was cut".to_owned());
    }
    if finished.exit != Some(Exit::Code(0)) && !site.withheld.is_empty() {
        evidence.notes.push(format!(
            "withheld from its environment: {} (`pass-env` under [run] gives back)",
            site.withheld.join(", ")
        ));
    }
}

/// What a cancelled gate says.
#[must_use]
pub fn cancelled(by: &CancelledBy) -> Problem {
    Problem { kind: ProblemKind::Cancelled, what: by.to_string() }
}

fn processes(number: usize) -> String {
    if number == 1 { "1 process".to_owned() } else { format!("{number} processes") }
}

fn unreadable(what: String) -> Problem {
    Problem { kind: ProblemKind::Unreadable, what }
}

fn stopped(evidence: &Evidence) -> bool {
    evidence.problems.iter().any(|problem| problem.kind != ProblemKind::Unreadable)
}

fn read_output(choice: &Choice, kept: &Kept, evidence: &mut Evidence, read: &mut Vec<Parsed>) {
    let ended_well = evidence.exit == Some(Exit::Code(0));
    let result = match choice {
        // What people read may be on standard error: then the log has both streams in order.
        Choice::Auto => choice.read(&kept.stream, ended_well).or_else(|error| match error {
            ReadError::Empty(_) | ReadError::Unrecognised(_) if kept.log_whole => choice.read(&kept.log, ended_well),
            other => Err(other),
        }),
        _ => choice.read(&kept.stream, ended_well),
    };
    match result {
        Ok((parsed, _)) => read.push(parsed),
        Err(error) => evidence.problems.push(unreadable(with_exit(evidence.exit, &format!("its output {error}")))),
    }
}

fn read_reports(
    common: &Common,
    choice: &Choice,
    dir: &Path,
    before: &[Found],
    evidence: &mut Evidence,
    read: &mut Vec<Parsed>,
) {
    for pattern in &common.reports {
        let found = match find::find(dir, pattern) {
            Ok(found) => found,
            Err(error) => {
                evidence.problems.push(unreadable(error));
                continue;
            }
        };
        if found.is_empty() {
            let what = format!(
                "no report matches `{pattern}` in {}",
                if common.dir.is_empty() { "the root" } else { &common.dir }
            );
            evidence.problems.push(unreadable(with_exit(evidence.exit, &what)));
        }
        for report in found {
            let name = report.path.strip_prefix(dir).unwrap_or(&report.path).display().to_string();
            if before.contains(&report) {
                let what = format!("the report {name} is stale: it was there before and this run did not write it");
                evidence.problems.push(unreadable(with_exit(evidence.exit, &what)));
                continue;
            }
            match choice.read(&report.path, true) {
                Ok((parsed, _)) => read.push(parsed),
                Err(error) => {
                    let what = format!("the report {name} {error}");
                    evidence.problems.push(unreadable(with_exit(evidence.exit, &what)));
                }
            }
        }
    }
}

fn with_exit(exit: Option<Exit>, what: &str) -> String {
    match exit {
        Some(Exit::Code(code)) if code != 0 => format!("exit status {code}, and {what}"),
        Some(Exit::Signal(signal)) => format!("killed by signal {signal}, and {what}"),
        _ => what.to_owned(),
    }
}

fn add(whole: &mut Understood, mut parsed: Parsed, ground: &Ground, notes: &mut Vec<String>) {
    notes.append(&mut parsed.notes);
    let mut part = locate(parsed, ground);
    whole.findings.append(&mut part.findings);
    whole.unexplained_exit = whole.unexplained_exit.take().or(part.unexplained_exit);
    if let Some(mut tests) = part.tests {
        let all = whole.tests.get_or_insert_default();
        all.cases.append(&mut tests.cases);
        all.took_ms = match (all.took_ms, tests.took_ms) {
            (None, None) => None,
            (a, b) => Some(a.unwrap_or(0) + b.unwrap_or(0)),
        };
    }
}
