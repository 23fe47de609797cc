//! The workflows that `init` writes: one job, several jobs and one verdict, or two halves for forks. Text alone; every
//! job has the least permissions, and every action is pinned to a commit.

use std::fmt::Write as _;

use crate::model::install::Install;
use crate::model::settings::PublishSettings;
use crate::setup::permissions::{ARTIFACTS, CODE, Permission, block, posting};

/// <https://github.com/actions/checkout/releases/tag/v4.2.2>
const CHECKOUT: &str = "actions/checkout@11bd71901bbe5b1630ceea73d27597364c9af683 # v4.2.2";
/// <https://github.com/actions/upload-artifact/releases/tag/v4.6.2>
const UPLOAD: &str = "actions/upload-artifact@ea165f8d65b6e75b540449e92b4886f43607fa02 # v4.6.2";
/// <https://github.com/actions/download-artifact/releases/tag/v4.3.0>
const DOWNLOAD: &str = "actions/download-artifact@d3f86a106a0bac45b974a628896c90dbdf5c8093 # v4.3.0";

/// Where workflows are.
const FOLDER: &str = ".github/workflows";

/// What shape of workflow is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// All gates in one job.
    OneJob,
    /// Gates side by side in jobs of their own, and a last job that joins what they found.
    SeveralJobs,
    /// A half without rights that runs the gates, and a half with rights that runs nothing of the pull request's.
    Forks,
}

/// What the workflow is for.
#[derive(Debug, Clone)]
pub struct Wanted<'a> {
    /// The shape.
    pub shape: Shape,
    /// Gates that belong together because one needs the other: a job each.
    pub groups: &'a [Vec<String>],
    /// `[publish]`.
    pub publish: &'a PublishSettings,
    /// The folder of the configuration, `""` for the root.
    pub folder: &'a str,
    /// The branch that pushes are gated on.
    pub branch: &'a str,
    /// gatepost's action, `owner/name@sha`.
    pub action: &'a str,
    /// What that commit is called (`v0.1.0`).
    pub version: &'a str,
    /// What a fresh checkout needs before its gates can run.
    pub prepare: &'a [Install],
}

/// The files, path and text.
#[must_use]
pub fn files(wanted: &Wanted<'_>) -> Vec<(String, String)> {
    let path = |name: &str| format!("{FOLDER}/{name}.yml");
    match wanted.shape {
        Shape::OneJob => vec![(path("gatepost"), one_job(wanted))],
        Shape::SeveralJobs => vec![(path("gatepost"), several_jobs(wanted))],
        Shape::Forks => {
            vec![(path("gatepost"), forks_run(wanted)), (path("gatepost-publish"), forks_publish(wanted))]
        }
    }
}

const RULE: &str = "# Require the job `gates` in the branch's ruleset: its exit code is the verdict, also where a token may not write.\n";

fn head(wanted: &Wanted<'_>, gates_input: bool) -> String {
    let mut out = format!(
        "{RULE}name: gatepost\n\non:\n  pull_request:\n  merge_group:\n  push:\n    branches: [{}]\n  workflow_dispatch:\n",
        quoted(wanted.branch)
    );
    if gates_input {
        out += "    inputs:\n      gates:\n        description: Gates to run, separated by blanks (default all)\n        \
                type: string\n        default: \"\"\n";
    }
    out + "\npermissions: {}\n\nconcurrency:\n  group: gatepost-${{ github.workflow }}-${{ github.ref }}\n  \
           cancel-in-progress: ${{ github.event_name == 'pull_request' }}\n\njobs:\n"
}

/// A job up to its steps.
fn job(id: &str, permissions: &[Permission], needs: &[String], condition: Option<&str>) -> String {
    let mut out = format!("  {id}:\n    name: {id}\n");
    if !needs.is_empty() {
        let _ = writeln!(out, "    needs: [{}]", needs.join(", "));
    }
    if let Some(condition) = condition {
        let _ = writeln!(out, "    if: {condition}");
    }
    let _ = write!(out, "    runs-on: ubuntu-latest\n    timeout-minutes: 30\n{}    steps:\n", block(permissions, 4));
    out
}

/// The code. The last two commits hold a pull request's base; no credentials stay behind for gates.
fn checkout() -> String {
    format!(
        "      - uses: {CHECKOUT}\n        with:\n          fetch-depth: 2               # the commit and its base\n          \
         persist-credentials: false   # gates run the change's own code\n"
    )
}

/// What gates need beside the code.
fn prepared(wanted: &Wanted<'_>) -> String {
    let mut out = "      # Set up here what your gates need: languages, packages.\n".to_owned();
    for step in wanted.prepare {
        if let Some(remark) = step.remark {
            let _ = writeln!(out, "      # {remark}");
        }
        if let [line] = &step.lines[..] {
            let _ = writeln!(out, "      - run: {}", quoted(line));
        } else {
            out += "      - run: |\n";
            for line in &step.lines {
                let _ = writeln!(out, "          {line}");
            }
        }
        let folders: Vec<&str> = [wanted.folder, &step.dir].into_iter().filter(|part| !part.is_empty()).collect();
        if !folders.is_empty() {
            let _ = writeln!(out, "        working-directory: {}", quoted(&folders.join("/")));
        }
    }
    out
}

/// gatepost's action.
fn gatepost(wanted: &Wanted<'_>, inputs: &[(&str, String)]) -> String {
    let folder = (!wanted.folder.is_empty()).then(|| ("working-directory", quoted(wanted.folder)));
    let inputs: Vec<_> = inputs.iter().cloned().chain(folder).collect();
    let mut out = format!("      - uses: {} # {}\n", wanted.action, wanted.version);
    if !inputs.is_empty() {
        out += "        with:\n";
    }
    for (name, value) in inputs {
        let _ = writeln!(out, "          {name}: {value}");
    }
    out
}

/// Keeps a job's report, whatever the verdict.
fn upload(wanted: &Wanted<'_>, name: &str) -> String {
    let folder = if wanted.folder.is_empty() { String::new() } else { format!("{}/", wanted.folder) };
    let report = quoted(&format!("{folder}.gatepost/report.json"));
    format!(
        "      - uses: {UPLOAD}\n        if: ${{{{ !cancelled() }}}}\n        with:\n          name: {name}\n          \
         path: {report}\n          include-hidden-files: true\n          if-no-files-found: error\n          overwrite: true   # a job that is run again\n"
    )
}

fn one_job(wanted: &Wanted<'_>) -> String {
    let permissions: Vec<Permission> = std::iter::once(CODE).chain(posting(wanted.publish)).collect();
    let gates = ("gates", "${{ inputs.gates }}".to_owned());
    let gates = gatepost(wanted, &[gates]);
    head(wanted, true) + &job("gates", &permissions, &[], None) + &checkout() + &prepared(wanted) + &gates
}

fn several_jobs(wanted: &Wanted<'_>) -> String {
    let mut out = head(wanted, false);
    let mut ids: Vec<String> = Vec::new();
    for group in wanted.groups {
        let id = job_id(group, &ids);
        ids.push(id);
    }
    for (group, id) in wanted.groups.iter().zip(&ids) {
        let inputs = [("gates", quoted(&group.join(" "))), ("args", "--publish never".to_owned())];
        out += &job(id, &[CODE], &[], None);
        out += &checkout();
        out += &prepared(wanted);
        out += &gatepost(wanted, &inputs);
        out += &upload(wanted, &format!("gatepost-{id}"));
        out.push('\n');
    }
    let permissions: Vec<Permission> = std::iter::once(CODE).chain(posting(wanted.publish)).collect();
    // `always()`: a job whose needs failed would be skipped, and GitHub counts a skipped check as a success.
    out += &job("gates", &permissions, &ids, Some("${{ always() }}"));
    // Which gates were due is told from the change, so it and its base are here too.
    out += &checkout();
    let _ = write!(
        out,
        "      - uses: {DOWNLOAD}\n        with:\n          pattern: gatepost-*\n          path: reports\n"
    );
    let back = wanted.folder.split('/').filter(|part| !part.is_empty()).map(|_| "../").collect::<String>();
    out + &gatepost(wanted, &[("args", format!("publish {back}reports"))])
}

fn forks_run(wanted: &Wanted<'_>) -> String {
    let gates = ("gates", "${{ inputs.gates }}".to_owned());
    head(wanted, true)
        + &job("gates", &[CODE], &[], None)
        + &checkout()
        + &prepared(wanted)
        + &gatepost(wanted, &[gates])
        + &upload(wanted, "gatepost-report")
}

fn forks_publish(wanted: &Wanted<'_>) -> String {
    let permissions: Vec<Permission> = [CODE, ARTIFACTS].into_iter().chain(posting(wanted.publish)).collect();
    let mut out = String::from(
        "# Posts what the workflow `gatepost` found, with rights that a pull request from a fork never gets. It checks out and\n\
         # runs nothing of the pull request's, and takes its report for a stranger's word.\n\
         name: gatepost publish\n\non:\n  workflow_run: # zizmor: ignore[dangerous-triggers] nothing of the pull request is run here\n    \
         workflows: [gatepost]\n    types: [completed]\n\npermissions: {}\n\nconcurrency:\n  \
         group: gatepost-publish-${{ github.event.workflow_run.head_repository.full_name }}-${{ github.event.workflow_run.head_branch }}\n  \
         cancel-in-progress: false\n\njobs:\n",
    );
    out += &job("publish", &permissions, &[], None);
    out + &gatepost(wanted, &[("args", "publish".to_owned())])
}

/// A group's first gate as the id of a job: `[A-Za-z_][A-Za-z0-9_-]*`, and neither the last job's nor another's.
fn job_id(group: &[String], taken: &[String]) -> String {
    let name = group.first().map_or("gate", String::as_str).replace('.', "-");
    let good = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') && name != "gates";
    let mut id = if good { name } else { format!("gate-{name}") };
    while taken.contains(&id) {
        id.push('_');
    }
    id
}

/// A YAML scalar: plain where that is safe, else double-quoted, as JSON has it.
fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '/' | '.' | '-' | ' ' | '&' | '=');
    let words = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"];
    let safe = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.chars().all(plain)
        && !text.ends_with(' ')
        && !words.contains(&text.to_ascii_lowercase().as_str());
    if safe { text.to_owned() } else { serde_json::Value::from(text).to_string() }
}
