//! What is wrong with the jobs that run gatepost: rights, pins, checkout, and what starts them.

use crate::model::diagnosis::Row;
use crate::model::finding::{Finding, Level};
use crate::model::outcome::Outcome;
use crate::model::settings::PublishSettings;
use crate::setup::permissions::{ARTIFACTS, CODE, Permission, block, of_a_run, posting};
use crate::setup::workflow::{Doing, Grants, Job, Step, Workflow, is_gatepost};

/// An action that is not gatepost's, beside it in one job.
const OTHER: &str = "other action";
/// Stands for a commit that nobody has filled in yet.
const NOBODY: &str = "0000000000000000000000000000000000000000";

/// The rows of all workflows. `private` is whether the repository is, where that is known.
#[must_use]
pub fn rows(workflows: &[Workflow], publish: &PublishSettings, private: Option<bool>) -> Vec<Row> {
    let mut rows = Vec::new();
    for workflow in workflows {
        for job in &workflow.jobs {
            for step in &job.steps {
                let Some(doing) = step.doing() else { continue };
                let place = Place { workflow, job, step, doing };
                rows.push(place.permissions(publish));
                rows.extend(place.trigger());
                rows.extend(place.may_fail());
                rows.extend(place.condition());
                rows.extend(place.clone_depth(private));
            }
        }
    }
    rows.extend(pins(workflows));
    rows
}

/// The rows for steps with gatepost whose failure is lost: what `integrity` found there. `continue-on-error` has its own.
#[must_use]
pub fn toothless<'a>(workflows: &[Workflow], findings: impl Iterator<Item = &'a Finding>) -> Vec<Row> {
    let row = |finding: &Finding| {
        let (path, line) = (finding.path.as_deref()?, finding.line?);
        let rule = finding.rule.as_deref()?;
        if !finding.message.contains("gatepost") || !(rule.starts_with("GI10") || rule == "GI113") {
            return None;
        }
        let begun = |at: usize| u32::try_from(at).is_ok_and(|at| at <= line);
        let jobs = &workflows.iter().find(|workflow| workflow.path == path)?.jobs;
        let job = jobs.iter().rfind(|job| begun(job.line))?;
        let runs = |step: &Step| step.doing().is_some_and(|doing| doing != Doing::Publish);
        // Before the steps stands what holds for all of them.
        let step = job.steps.iter().rfind(|step| begun(step.line));
        step.map_or_else(|| job.steps.iter().any(runs), runs).then_some(())?;
        let (what, help) = finding.message.split_once("\nhelp: ").unwrap_or((&finding.message, "let it fail"));
        let what = format!("{path}:{line} job {}: {what} ({rule})", job.id);
        Some(match finding.level {
            Level::Error => Row::bad("verdict", what, help),
            Level::Warning => Row::unknown("verdict", what, help),
            Level::Note => return None,
        })
    };
    findings.filter_map(row).collect()
}

/// Whether any job runs gates.
#[must_use]
pub fn any(workflows: &[Workflow]) -> bool {
    let mut steps = workflows.iter().flat_map(|workflow| &workflow.jobs).flat_map(|job| &job.steps);
    steps.any(|step| step.doing().is_some_and(|doing| doing != Doing::Publish))
}

/// One step that has to do with gatepost.
struct Place<'a> {
    workflow: &'a Workflow,
    job: &'a Job,
    step: &'a Step,
    doing: Doing,
}

impl Place<'_> {
    /// `.github/workflows/ci.yml:12 job gates`
    fn name(&self) -> String {
        format!("{}:{} job {}", self.workflow.path, self.step.line, self.job.id)
    }

    fn needed(&self, publish: &PublishSettings) -> Vec<Permission> {
        match self.doing {
            Doing::Run if self.leaves_posting() => vec![CODE],
            Doing::RunQuietly => vec![CODE],
            Doing::Publish if self.workflow.on("workflow_run").is_some() => {
                [CODE, ARTIFACTS].into_iter().chain(posting(publish)).collect()
            }
            Doing::Run | Doing::Publish => of_a_run(publish),
        }
    }

    /// Another workflow posts what this one found, with rights that this one does without.
    fn leaves_posting(&self) -> bool {
        let read_only = self.job.grants.as_ref().is_some_and(|grants| match grants {
            Grants::All(write) => !write,
            Grants::Listed(listed) => listed.values().all(|level| level != "write"),
        });
        let uploads =
            |step: &Step| step.uses.as_deref().is_some_and(|uses| uses.starts_with("actions/upload-artifact@"));
        read_only && self.job.steps.iter().any(uploads)
    }

    fn permissions(&self, publish: &PublishSettings) -> Row {
        let topic = "permissions";
        let needed = self.needed(publish);
        let name = self.name();
        let listed = |of: &[&Permission]| {
            of.iter().map(|one| format!("{}: {}", one.name, one.level())).collect::<Vec<_>>().join(", ")
        };
        let todo = || format!("give the job\n{}", block(&needed, 0).trim_end());
        let Some(grants) = &self.job.grants else {
            let what =
                format!("{name} has no `permissions`: what it may do is set in the repository, and not seen here");
            return Row::unknown(topic, what, todo());
        };
        let missing: Vec<&Permission> = needed.iter().filter(|one| !grants.allows(one.name, one.write)).collect();
        if !missing.is_empty() {
            return Row::bad(topic, format!("{name} lacks {}", listed(&missing)), todo());
        }
        let more: Vec<String> = match grants {
            Grants::All(write) => vec![format!("{}-all", if *write { "write" } else { "read" })],
            Grants::Listed(granted) => {
                let used = |name: &str, level: &str| {
                    // A baseline is looked for where that is granted.
                    (name, level) == (ARTIFACTS.name, ARTIFACTS.level())
                        || needed.iter().any(|one| one.name == name && (one.write || level == "read"))
                        || level == "none"
                };
                let more = granted.iter().filter(|(name, level)| !used(name, level));
                more.map(|(name, level)| format!("{name}: {level}")).collect()
            }
        };
        let all: Vec<&Permission> = needed.iter().collect();
        let more = match &more[..] {
            [] => String::new(),
            more => format!(" (and {}, which gatepost does not need)", more.join(", ")),
        };
        Row::good(topic, format!("{name} has {}{more}", listed(&all)))
    }

    /// Code of a pull request must not be run where the token can write or secrets are.
    fn trigger(&self) -> Option<Row> {
        let dangerous = ["pull_request_target", "workflow_run", "issue_comment"];
        let found = dangerous.iter().find(|event| self.workflow.on(event).is_some())?;
        (self.doing != Doing::Publish).then(|| {
            let what =
                format!("{} runs gates on `{found}`, with rights that a stranger's code must not have", self.name());
            Row::bad("trigger", what, "run gates on `pull_request`; `gatepost init --workflow forks` shows both halves")
        })
    }

    fn may_fail(&self) -> Option<Row> {
        let what = match (self.job.may_fail, self.step.may_fail) {
            (false, false) => return None,
            (true, _) => "the job has",
            (false, true) => "the step has",
        };
        let what = format!("{}: {what} `continue-on-error`, so that a red verdict is shown as green", self.name());
        Some(Row::bad("verdict", what, "take `continue-on-error` away; `mode = \"report\"` keeps a gate from blocking"))
    }

    /// A step that is skipped is green.
    fn condition(&self) -> Option<Row> {
        let condition = self.step.condition.as_deref()?;
        let bare = condition.trim().trim_start_matches("${{").trim_end_matches("}}").replace(' ', "");
        let of_event = |part: &str| {
            let event = part.strip_prefix("github.event_name=='")?.strip_suffix('\'')?;
            Some(event.to_owned())
        };
        let events: Option<Vec<String>> = bare.split("||").map(of_event).collect();
        let of_changes = ["pull_request", "merge_group"].into_iter().filter(|event| self.workflow.on(event).is_some());
        let for_changes = events.is_some_and(|events| {
            let mut of_changes = of_changes.peekable();
            of_changes.peek().is_some() && of_changes.all(|event| events.iter().any(|one| one == event))
        });
        if for_changes || matches!(bare.as_str(), "always()" | "!cancelled()" | "success()") {
            return None;
        }
        let what = format!("{}: the step has `if: {condition}`, and is green where it is skipped", self.name());
        Some(Row::bad("verdict", what, "take the `if` away; a gate has `paths` and `when` of its own"))
    }

    /// Whether a pull request's base is there, or can be had.
    fn clone_depth(&self, private: Option<bool>) -> Option<Row> {
        if self.doing == Doing::Publish {
            return None;
        }
        let topic = "checkout";
        let name = self.name();
        let before = self.job.steps.iter().take_while(|step| step.line < self.step.line);
        let checkout =
            before.filter(|step| step.uses.as_deref().is_some_and(|uses| uses.starts_with("actions/checkout@"))).last();
        let Some(checkout) = checkout else {
            let what = format!("{name}: no step before it is `actions/checkout`, so the code may not be there");
            return Some(Row::unknown(topic, what, "check the code out in a step before, with `fetch-depth: 2`"));
        };
        let of_changes = ["pull_request", "merge_group"].iter().any(|event| self.workflow.on(event).is_some());
        let other =
            checkout.inputs.get("ref").filter(|other| of_changes && !other.is_empty() && !other.contains("${{"));
        if let Some(other) = other {
            let what = format!("{name}: actions/checkout takes `{other}`, whatever the change is");
            return Some(Row::bad(topic, what, "take `ref` away: what is checked out is then the change"));
        }
        let depth = checkout.inputs.get("fetch-depth").map_or("1", String::as_str);
        let keeps = checkout.inputs.get("persist-credentials").map_or("true", String::as_str) != "false";
        let todo = "set `fetch-depth: 2` on actions/checkout, or 0 for all of the history";
        let lacking = format!("{name}: depth 1 has no base, and without credentials it cannot be fetched");
        Some(match (depth, keeps, private) {
            ("1", true, _) => {
                Row::good(topic, format!("{name}: depth 1; the base is fetched with checkout's credentials"))
            }
            ("1", false, Some(false)) => {
                Row::good(topic, format!("{name}: depth 1; the base is fetched from the public repository"))
            }
            ("1", false, Some(true)) => Row::bad(topic, format!("{lacking}: everything would be judged"), todo),
            ("1", false, None) => Row::unknown(topic, format!("{lacking} if the repository is private"), todo),
            (depth, ..) => Row::good(topic, format!("{name}: fetch-depth {depth}")),
        })
    }
}

/// The actions of jobs that run gatepost: those that are not pinned, and one row for the others that are.
fn pins(workflows: &[Workflow]) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut pinned = 0;
    for workflow in workflows {
        let jobs = workflow.jobs.iter().filter(|job| job.steps.iter().any(|step| step.doing().is_some()));
        for row in jobs.flat_map(|job| &job.steps).filter_map(|step| pin(workflow, step)) {
            if row.topic == OTHER && row.outcome == Outcome::Pass {
                pinned += 1;
            } else {
                rows.push(row);
            }
        }
    }
    rows.extend((pinned > 0).then(|| {
        let steps = if pinned == 1 { "1 step".to_owned() } else { format!("{pinned} steps") };
        Row::good(OTHER, format!("{steps} of jobs that run gatepost: each pinned, or of this repository"))
    }));
    rows
}

/// Whether what a step uses can be changed by others.
fn pin(workflow: &Workflow, step: &Step) -> Option<Row> {
    let uses = step.uses.as_deref()?;
    let topic = if is_gatepost(uses) { "action" } else { OTHER };
    let name = format!("{}:{} {uses}", workflow.path, step.line);
    if uses.starts_with("./") {
        return Some(Row::good(topic, format!("{name}: from this repository")));
    }
    let commit = uses.split_once('@').map(|(_, commit)| commit).unwrap_or_default();
    let pinned = match uses.strip_prefix("docker://") {
        Some(image) => image.contains("@sha256:"),
        None => commit.len() == 40 && commit.chars().all(|c| c.is_ascii_hexdigit()),
    };
    Some(if commit == NOBODY {
        Row::bad(topic, format!("{name}: no commit is filled in"), "put the commit of a release in place of the zeros")
    } else if pinned {
        Row::good(topic, format!("{name}: pinned"))
    } else {
        let todo = "pin it to a full commit id, with the tag as a comment: a tag can be moved to other code";
        Row::bad(topic, format!("{name}: not pinned to a commit"), todo)
    })
}
