//! One attempt of a gate that has a command, reports or both: run, collect, read, place. Every kind that runs a
//! command uses it; what the result is worth is judged elsewhere.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _, Seek as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::gate::Site;
use crate::gate::compiler;
use crate::gate::ground::Ground;
use crate::gate::idle::{Idle, idle};
use crate::gate::locate::locate;
use crate::gate::mixed::mixed;
use crate::gate::read::{Choice, ReadError};
use crate::gate::shortened::shortened;
use crate::gate::unfinished::{Failed, unfinished};

use crate::gate::unread::{LENIENT, listed, unread};
use crate::integrity::halts::{Looked, halts_within};
use crate::integrity::moves::{script_moves, words_move};
use crate::model::change::ChangeKind;
use crate::model::evidence::{Evidence, Exit, Parsed, Problem, ProblemKind, Understood};
use crate::model::settings::{CommandLine, Common, OUTPUT};
use crate::parse::{self, Stream};
use crate::policy::broken_off;
use crate::render::terminal::shell_line;
use crate::world::files;
use crate::world::find::{self, Found};
use crate::world::process::{self, CancelledBy, Caps, End, Finished, Spawn, SpawnError, Written};
use crate::world::tree::Folder;
use crate::world::tree::deep;

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
    let before = if common.command.is_some() { standing(common, &dir, site) } else { Some(Vec::new()) };
    let mut read = Vec::new();
    let mut log = None;
    if let Some(command) = &common.command {
        let stream = choice.as_ref().filter(|_| common.reports.is_empty());
        let kept = run(common, command, stream, &dir, site, &mut evidence).await;
        if let (Some(choice), Some(kept), true) = (stream, &kept, evidence.problems.is_empty()) {
            read_output(common, choice, kept, site, &mut evidence, &mut read);
        }
        // It is as it was printed, secrets included; the log is not.
        if let Err(error) = files::remove(&stream_of(site)) {
            evidence.notes.push(error.to_string());
        }
        log = kept.map(|kept| kept.log);
    }
    if !common.reports.is_empty() && !stopped(&evidence) {
        let choice = choice.unwrap_or(Choice::Auto);
        read_reports(common, &choice, &dir, site, before.as_deref(), &mut evidence, &mut read);
    }
    if let Some(log) = &log {
        compiler::tell(log, &mut read);
    }
    let idle = read.iter().map(|(parsed, _)| parsed.nothing).collect::<Option<Vec<_>>>();
    let formats: Vec<&str> = read.iter().map(|(_, format)| *format).collect();
    if !read.is_empty() {
        let ground = ground(common, site);
        evidence.understood = Some(read.into_iter().fold(Understood::default(), |mut whole, (mut parsed, _)| {
            if let Some(Exit::Code(code)) = evidence.exit
                && let Some(why) = parsed.breakdowns.why(code)
            {
                parsed.unexplained_exit = Some(why.to_owned());
            }
            add(&mut whole, parsed, &ground, &mut evidence.notes);
            whole
        }));
    }
    if let (Some(log), Some(command)) = (&log, &common.command) {
        let ran = Command::new(command, common, site);
        explain_status(&ran, common, site, (log, &formats), &mut evidence);
        if !idle_by_report(idle.as_deref(), ran.tools(), &mut evidence) {
            doubt_silence(&ran, log, &mut evidence);
        }
    } else {
        idle_by_report(idle.as_deref(), 0, &mut evidence);
    }
    evidence
}

/// Where what was found is looked for.
fn ground<'a>(common: &Common, site: Site<'a>) -> Ground<'a> {
    let moves = match &common.command {
        Some(CommandLine::Shell(text)) => deep(|| script_moves(text)).unwrap_or(true),
        Some(CommandLine::Argv(words)) => words_move(words),
        None => false,
    };
    let ground = Ground::new(site.root, &common.dir).since(site.since).moving(moves);
    ground.known(site.repo, site.compared.map(|compared| compared.change))
}

/// A command that ran, and what is known of it without running it, read where it is asked for.
struct Command<'a> {
    shell: Cow<'a, str>,
    root: &'a Path,
    dir: &'a str,
    looked: OnceCell<Option<Looked>>,
}

impl<'a> Command<'a> {
    fn new(command: &'a CommandLine, common: &'a Common, site: Site<'a>) -> Self {
        Self { shell: shell_line(command), root: site.root, dir: &common.dir, looked: OnceCell::new() }
    }

    /// `None` where its script cannot be read.
    fn looked(&self) -> Option<&Looked> {
        let (shell, root, dir) = (&*self.shell, self.root, self.dir);
        self.looked.get_or_init(|| deep(|| halts_within(&Folder::new(root), shell, dir)).ok()?.ok()).as_ref()
    }

    /// How many tools it is known to run.
    fn tools(&self) -> usize {
        self.looked().map_or(0, |looked| looked.ran.iter().filter(|ran| ran.is_tool).count())
    }
}

/// What the tool found may not be all that there is.
fn explain_status(
    ran: &Command<'_>,
    common: &Common,
    site: Site<'_>,
    (log, formats): (&File, &[&str]),
    evidence: &mut Evidence,
) {
    let Some(understood) = &mut evidence.understood else { return };
    let Some(Exit::Code(code)) = evidence.exit else { return };
    if understood.unexplained_exit.is_some() {
        return;
    }
    understood.unexplained_exit = if code != 0 && evidence.log_cut {
        Some("whether all of it was run cannot be told, as its log is longer than 64 MiB and was cut".to_owned())
    } else if let Some(looked) = ran.looked() {
        shortened(looked, understood, site.root, log).or_else(|| {
            let (shell, dir, has_tests) = (&*ran.shell, ran.dir, understood.tests.is_some());
            let log = &site.output.join(site.log(&common.name));
            let failed = Failed { looked, shell, code, root: site.root, dir, log, has_tests };
            if code == 0 { None } else { unfinished(&failed).or_else(|| mixed(looked, formats, &common.reports)) }
        })
    } else {
        (code != 0).then(|| "whether all of its script was run cannot be told".to_owned())
    };
}

/// Whether each report that was read says that nothing was looked at, by one of so many tools.
fn idle_by_report(idle: Option<&[&str]>, tools: usize, evidence: &mut Evidence) -> bool {
    let Some(reports @ [why, ..]) = idle else { return false };
    let is_all = tools <= reports.len();
    if is_all {
        evidence.notes.retain(|note| note != why);
        evidence.problems.push(unreadable(looked_at_nothing(why)));
    }
    is_all
}

fn looked_at_nothing(by: &str) -> String {
    format!("it looked at nothing: {by}. Mend where it looks, or take the gate away")
}

/// No finding, or a status of 0, is a good sign only of what was looked at.
fn doubt_silence(ran: &Command<'_>, log: &File, evidence: &mut Evidence) {
    let is_silent = |understood: &Understood| understood.findings.is_empty() && understood.tests.is_none();
    let by_status = evidence.understood.is_none();
    if !evidence.understood.as_ref().is_none_or(is_silent) || evidence.exit != Some(Exit::Code(0)) {
        return;
    }
    let said = idle(log, &ran.shell).unwrap_or_else(|why| {
        evidence
            .problems
            .push(unreadable(format!("whether it looked at anything is not known, as its log cannot be read: {why}")));
        None
    });
    match said {
        Some(Idle::Skipped(line, times)) if ran.tools() > times => {
            evidence.notes.push(format!("one of its tools ran no test: `{line}`"));
        }
        Some(Idle::Skipped(line, _)) => evidence
            .problems
            .push(unreadable(format!("no test ran: `{line}`. Have it run one, or take the gate away"))),
        Some(Idle::Undue(line, times) | Idle::Unlooked(line, times)) if ran.tools() > times => {
            evidence.notes.push(format!("one of its tools looked at nothing: `{line}`"));
        }
        Some(Idle::Undue(line, _)) => evidence.nothing = Some(format!("nothing was due: `{line}`")),
        Some(Idle::Unlooked(line, _)) => evidence.problems.push(unreadable(looked_at_nothing(&format!("`{line}`")))),
        // To have nothing to do is what a build is judged by that has no findings.
        Some(_) if by_status => {}
        Some(Idle::Unbuilt(line)) => evidence.problems.push(unreadable(format!(
            "nothing was built (`{line}`), and what an earlier build found is not shown again: build all of it, as `make -B` does"
        ))),
        Some(Idle::Part(line)) => evidence
            .notes
            .push(format!("not all of it was built (`{line}`): what an earlier build found there is not shown again")),
        None => {}
    }
}

/// What a command printed and is to be read, on disk.
struct Kept {
    /// The stream that machine formats are read from, with merged streams both; nothing where reports are read.
    stream: Option<File>,
    /// Both streams in the order their lines arrived.
    log: File,
}

/// Where the stream that is read is kept meanwhile.
fn stream_of(site: Site<'_>) -> PathBuf {
    site.folder.join("stdout")
}

async fn run(
    common: &Common,
    command: &CommandLine,
    choice: Option<&Choice>,
    dir: &Path,
    site: Site<'_>,
    evidence: &mut Evidence,
) -> Option<Kept> {
    let log = site.log(&common.name);
    let spawn = Spawn {
        argv: command.argv(),
        dir: dir.to_owned(),
        env: site.environment.clone(),
        // Where standard output is not read alone, one pipe keeps the order exact.
        merge: choice.is_none_or(|choice| choice.stream() == Some(Stream::Both)),
        for_machines: choice.is_some_and(|choice| choice.stream() == Some(Stream::Stdout)),
        masker: site.masker.clone(),
        log: site.output.join(&log),
        keep: choice.map(|_| stream_of(site)),
        timeout: common.timeout,
        grace: common.grace,
        caps: Caps::default(),
        leaves_services: false,
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
    evidence.log_cut = finished.log_truncated;
    explain_end(common, &finished, choice.is_some(), site, evidence);
    let Written { log, keep } = finished.written?;
    Some(Kept { stream: keep, log })
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
        let were = if finished.leaked == 1 { "was" } else { "were" };
        evidence.notes.push(format!("left {} behind, which {were} ended", processes(finished.leaked)));
    }
    if finished.survivors > 0 {
        evidence.notes.push(format!("{} it started could not be ended", processes(finished.survivors)));
    }
    if finished.log_truncated {
        evidence.notes.push("its log is longer than 64 MiB: the middle was cut".to_owned());
    }
    if finished.exit != Some(Exit::Code(0)) && !site.withheld.is_empty() {
        evidence.notes.push(format!(
            "withheld from its environment: {} (pass-env under [run] gives back)",
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

fn read_output(
    common: &Common,
    choice: &Choice,
    kept: &Kept,
    site: Site<'_>,
    evidence: &mut Evidence,
    read: &mut Vec<(Parsed, &'static str)>,
) {
    let Some(stream) = &kept.stream else { return };
    let read_again = |mut file: &File| {
        file.rewind()?;
        // Whether an empty output fits the status is for the judge.
        choice.read(file, true)
    };
    let result = match read_again(stream) {
        // What people read may be on standard error, or on both: the log has them as they arrived. Between two pipes
        // that is not quite the order in which they were written, which tests cannot do with, and need not.
        Ok((parsed, format)) if parsed.tests.is_none() && is_for_people(choice, format) => {
            if evidence.log_cut {
                evidence.problems.push(unreadable(format!(
                    "printed more than its log holds (64 MiB), where `{format}` is read from both streams: name the `format`"
                )));
                return;
            }
            read_again(&kept.log)
        }
        Err(ReadError::EmptyAndUnnamed | ReadError::Unrecognised(_))
            if !evidence.log_cut && matches!(choice, Choice::Auto) =>
        {
            read_again(&kept.log)
        }
        other => other,
    };
    match result {
        Ok((parsed, format)) => {
            let named = (parsed.findings.is_empty() && LENIENT.contains(&format))
                .then(|| file_named(stream, &[&site.root.join(&common.dir), site.root]));
            if let Some(file) = named.flatten() {
                evidence.problems.push(unreadable(listed(common, &file, format)));
            }
            read.push((parsed, format));
        }
        Err(error) => {
            evidence.problems.push(unreadable(with_exit(evidence.exit, &unread(common, "its output", &error))));
        }
    }
}

/// Bytes of an output that are looked at for names of files.
const MOST_NAMES: u64 = 64 << 10;

/// The first line of an output that is the name of a file and no more.
fn file_named(mut output: &File, folders: &[&Path]) -> Option<String> {
    output.rewind().ok()?;
    let lines = BufReader::new(output.take(MOST_NAMES)).split(b'\n').map_while(Result::ok);
    let names = lines.filter_map(|line| Some(String::from_utf8(line).ok()?.trim().to_owned()));
    let is_file = |name: &String| !name.is_empty() && folders.iter().any(|folder| files::is_file(&folder.join(name)));
    names.into_iter().find(is_file)
}

/// Whether content decided for a format that is read from both streams, while they were kept apart.
fn is_for_people(choice: &Choice, format: &str) -> bool {
    matches!(choice, Choice::Auto) && parse::find(format).is_some_and(|format| format.stream == Stream::Both)
}

fn read_reports(
    common: &Common,
    choice: &Choice,
    dir: &Path,
    site: Site<'_>,
    before: Option<&[Found]>,
    evidence: &mut Evidence,
    read: &mut Vec<(Parsed, &'static str)>,
) {
    let mut seen = BTreeSet::new();
    // Of a tool that wrote nothing and failed, or that nobody saw run, an empty file tells nothing.
    let may_be_empty = evidence.exit == Some(Exit::Code(0));
    for pattern in common.reports.iter().flat_map(|pattern| find::each(pattern)) {
        let (folder, relative) = base(&pattern, dir, site);
        let found = match find::find(folder, relative) {
            Ok(found) => found,
            Err(error) => {
                evidence.problems.push(unreadable(error));
                continue;
            }
        };
        if found.is_empty() {
            let place = if common.dir.is_empty() { "the root" } else { &common.dir };
            let what = format!("no report matches `{pattern}` in {place}");
            evidence.problems.push(unreadable(with_exit(evidence.exit, &what)));
        }
        for report in found {
            // Another pattern, or a link beside it, may name it too.
            if !seen.insert(report.real()) {
                continue;
            }
            let name = report.path.strip_prefix(folder).unwrap_or(&report.path).display().to_string();
            if let Some(why) = stale(common, &report, site, before) {
                let what = format!("the report {name} is stale: {why}");
                evidence.problems.push(unreadable(with_exit(evidence.exit, &what)));
                continue;
            }
            match choice.read_path(&report.path, may_be_empty) {
                Ok(parsed) => read.push(parsed),
                Err(error) => {
                    let what = unread(common, &format!("the report {name}"), &error);
                    evidence.problems.push(unreadable(with_exit(evidence.exit, &what)));
                }
            }
        }
    }
}

/// The reports that stand there before the command runs; `None` where that cannot be seen.
fn standing(common: &Common, dir: &Path, site: Site<'_>) -> Option<Vec<Found>> {
    let found = common.reports.iter().map(|pattern| {
        let (folder, pattern) = base(pattern, dir, site);
        find::find(folder, pattern).ok()
    });
    found.collect::<Option<Vec<_>>>().map(|found| found.concat())
}

/// Why a report says nothing of this attempt.
fn stale(common: &Common, report: &Found, site: Site<'_>, before: Option<&[Found]>) -> Option<String> {
    let real = report.real();
    let written = files::changed_at(&real);
    if common.command.is_none() {
        return newer_source(site, written);
    }
    // A link may have been turned to an old file; and what stood there may not be known.
    let is_behind_link = files::real_path(site.root)
        .is_none_or(|root| report.path.strip_prefix(site.root).is_ok_and(|inside| root.join(inside) != real));
    let is_old = (is_behind_link || before.is_none()) && written < files::changed_at(site.folder);
    if is_old || before.is_some_and(|before| before.contains(report)) {
        return Some("it was there before and this run did not write it".to_owned());
    }
    let mut taken = site.taken.borrow_mut();
    let earlier = taken.get(&real).filter(|(stamp, gate)| *stamp == report.stamp && *gate != common.name);
    if let Some((_, gate)) = earlier {
        return Some(format!(
            "gate `{gate}` read it already, and which of the two wrote it is not known; give each its own"
        ));
    }
    taken.insert(real, (report.stamp.clone(), common.name.clone()));
    None
}

/// What an earlier step made tells of the files as they were then: of those that git tracks, and of those of the change.
fn newer_source(site: Site<'_>, written: Option<SystemTime>) -> Option<String> {
    let tracked = match site.repo.tracked() {
        Ok(tracked) => tracked,
        Err(error) => return Some(format!("whether it is newer than what it tells of is not known: {error}")),
    };
    let change = site.compared.map(|compared| &compared.change.files);
    // New files that git does not know may well be other tools' output.
    let edited = change.into_iter().flatten().filter(|(_, file)| file.kind != ChangeKind::Added);
    let edited = edited.map(|(path, _)| path.to_string());
    // A submodule's folder is newer with every file that is built in it.
    let known = tracked.into_iter().filter(|path| files::is_file(&site.root.join(path)));
    let newer = edited.chain(known).find(|path| files::changed_at(&site.root.join(path)) > written)?;
    Some(format!("{newer} was changed after it was written"))
}

/// Where a pattern of `reports` is looked for: the gate's own folder, or its `dir`.
fn base<'a>(pattern: &'a str, dir: &'a Path, site: Site<'a>) -> (&'a Path, &'a str) {
    pattern.strip_prefix(OUTPUT).map_or((dir, pattern), |below| (site.folder, below))
}

fn with_exit(exit: Option<Exit>, what: &str) -> String {
    match exit {
        Some(Exit::Code(code)) if code != 0 => match broken_off(code) {
            Some(why) => format!("exit status {code}: {why}; {what}"),
            None => format!("exit status {code}, and {what}"),
        },
        Some(Exit::Signal(signal)) => format!("killed by signal {signal}, and {what}"),
        _ => what.to_owned(),
    }
}

fn add(whole: &mut Understood, mut parsed: Parsed, ground: &Ground<'_>, notes: &mut Vec<String>) {
    notes.append(&mut parsed.notes);
    let mut part = locate(parsed, ground);
    whole.findings.append(&mut part.findings);
    whole.not_understood += part.not_understood;
    whole.unexplained_exit = whole.unexplained_exit.take().or(part.unexplained_exit);
    if let Some(mut tests) = part.tests {
        let all = whole.tests.get_or_insert_default();
        all.cases.append(&mut tests.cases);
        all.took_ms = match (all.took_ms, tests.took_ms) {
            (None, None) => None,
            (a, b) => Some(a.unwrap_or(0).saturating_add(b.unwrap_or(0))),
        };
    }
}
