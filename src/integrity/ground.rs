//! Everything that was read, and how it hangs together: which scripts call which, what is a gate, who looks at what.
//! The rules ask here; it finds nothing by itself.

use std::collections::BTreeSet;

use super::actions;
use super::command::Invocation;
use super::flow::{Fate, Gate, Run, mentions};
use super::script::{Place, Script};
use super::shell::OPAQUE;
use super::text::Source;
use super::workflow::{Job, Step, Workflow, any_text};
use crate::model::yaml::Node;

/// Everything that was read.
#[derive(Debug, Default)]
pub struct Ground {
    /// Files in the order they were read.
    pub sources: Vec<Source>,
    /// Workflows and composite actions.
    pub workflows: Vec<Workflow>,
    /// All scripts.
    pub scripts: Vec<Script>,
    /// Scripts that are judged: steps, gates, what is called as gates are, and what these call.
    pub judged: BTreeSet<usize>,
    /// Every file of the repository.
    pub paths: Vec<String>,
}

/// A step with where it stands.
#[derive(Debug, Clone, Copy)]
pub struct At<'a> {
    /// Its workflow.
    pub workflow: &'a Workflow,
    /// Its job.
    pub job: &'a Job,
    /// The step.
    pub step: &'a Step,
    /// Its number in the job.
    pub index: usize,
}

impl Ground {
    /// Every command of a judged script that is a gate.
    pub fn gates(&self) -> impl Iterator<Item = (&Script, &Run, &Gate)> {
        self.runs().filter_map(|(script, run)| Some((script, run, run.gate.as_ref()?)))
    }

    /// Every command that is judged.
    pub fn runs(&self) -> impl Iterator<Item = (&Script, &Run)> {
        self.judged_scripts().flat_map(|script| script.flow.runs.iter().map(move |run| (script, run)))
    }

    /// Every script that is judged; what runs only after a failure is not.
    pub fn judged_scripts(&self) -> impl Iterator<Item = &Script> {
        let scripts = self.judged.iter().map(|at| &self.scripts[*at]);
        scripts.filter(|script| !self.at(script).is_some_and(|at| at.step.is_aftermath()))
    }

    /// The step that a script stands in.
    #[must_use]
    pub fn at(&self, script: &Script) -> Option<At<'_>> {
        let (workflow, job, step) = match script.place {
            Place::Step { workflow, job, step } => (workflow, job, step),
            Place::Handed { by, .. } => return self.at(self.scripts.get(by)?),
            _ => return None,
        };
        let workflow = self.workflows.get(workflow)?;
        let job = workflow.jobs.get(job)?;
        Some(At { workflow, job, step: job.steps.get(step)?, index: step })
    }

    /// Every job with its steps' scripts.
    pub fn scripts_of<'a>(&'a self, at: &'a At<'a>) -> impl Iterator<Item = (usize, &'a Script)> {
        let steps = at.job.steps.iter().enumerate();
        steps.filter_map(|(index, step)| Some((index, self.script_of(step)?)))
    }

    /// The first gate of a step, by its commands or its action.
    #[must_use]
    pub fn gate_of_step(&self, step: &Step) -> Option<Gate> {
        self.gate_within(step, &mut BTreeSet::new())
    }

    /// The same, but for actions and workflows that were looked into already, by their numbers: they may use one another.
    fn gate_within(&self, step: &Step, seen: &mut BTreeSet<usize>) -> Option<Gate> {
        if let Some(uses) = step.uses() {
            let with = |key: &str| step.node.get("with").and_then(|with| with.get(key)).and_then(Node::text);
            let words = [with("command"), with("args")].into_iter().flatten().flat_map(str::split_whitespace);
            if actions::is_gate_action(uses, &words.collect::<Vec<_>>()) {
                return Some(Gate { name: uses.split('@').next().unwrap_or(uses).to_owned(), sure: true });
            }
            if let Some(gate) = self.gate_of_action(uses, seen) {
                return Some(gate);
            }
        }
        let gates = || {
            self.script_of(step).into_iter().flat_map(|script| &script.flow.runs).filter_map(|run| run.gate.as_ref())
        };
        gates().find(|gate| gate.sure).or_else(|| gates().next()).cloned()
    }

    /// What a step runs.
    #[must_use]
    pub fn script_of(&self, step: &Step) -> Option<&Script> {
        self.scripts.get(step.script?)
    }

    /// The gate of an action or workflow of this repository: `./path`, or `$/path` for the commit that runs.
    fn gate_of_action(&self, uses: &str, seen: &mut BTreeSet<usize>) -> Option<Gate> {
        let path = join("", uses.strip_prefix("./").or_else(|| uses.strip_prefix("$/"))?);
        let number = self.workflows.iter().position(|workflow| {
            let file = &self.sources[workflow.file].path;
            *file == path || ["action.yml", "action.yaml"].iter().any(|name| *file == join(&path, name))
        })?;
        let mut inner = self.workflows[number].jobs.iter().flat_map(|job| &job.steps);
        if !seen.insert(number) {
            return None;
        }
        inner.find_map(|step| self.gate_within(step, seen).filter(|gate| gate.sure))
    }

    /// The first gate of a job.
    #[must_use]
    pub fn gate_of_job(&self, job: &Job) -> Option<Gate> {
        if let Some(uses) = &job.uses {
            return self.gate_of_action(uses, &mut BTreeSet::new());
        }
        let mut gates = job.steps.iter().filter(|step| !step.is_aftermath()).filter_map(|step| self.gate_of_step(step));
        gates.next()
    }

    /// A script and where a command of it ends, then the one whose command hands this one to its shell, and so on.
    fn with_outer<'a>(&'a self, script: &'a Script, run: &Run) -> impl Iterator<Item = (&'a Script, usize)> {
        std::iter::successors(Some((script, run.span.end)), |(script, _)| match &script.place {
            Place::Handed { by, at } => Some((self.scripts.get(*by)?, at.end)),
            _ => None,
        })
    }

    /// Whether what a command wrote to a file is judged later: by another command, or by an action.
    #[must_use]
    pub fn output_is_judged(&self, script: &Script, run: &Run) -> bool {
        let (variables, files): (Vec<&str>, Vec<&str>) = run
            .outputs
            .iter()
            .map(|file| file.rsplit('/').next().unwrap_or(file))
            .filter(|file| file.len() > 2 && !file.starts_with(OPAQUE))
            .partition(|file| file.starts_with('$'));
        // `> "$tmp"`; a variable of the runner's is no report.
        let variables: Vec<&str> = variables
            .iter()
            .map(|name| name.trim_matches(['$', '{', '}']))
            .filter(|name| !name.starts_with("GITHUB_"))
            .collect();
        let named = !(variables.is_empty() && files.is_empty());
        for (script, end) in self.with_outer(script, run).filter(|_| named) {
            let text = |from: usize, to: usize| script.piece.chars[from.min(to)..to].iter().collect::<String>();
            let mut later = script.flow.runs.iter().filter(|other| other.span.start > end);
            let takes = |other: &Run| {
                let passive = PASSIVE.contains(&other.invocation.program.as_str());
                let words = text(other.span.start, other.span.end);
                !passive && variables.iter().any(|name| mentions(&words, name))
            };
            if later.any(|other| reads(other, &files) || takes(other)) {
                return true;
            }
            // `[[ -s errors.txt ]]`, `done < files.txt`
            let rest = text(end, script.piece.chars.len()).replace(['"', '{', '}'], "");
            let tested = |file: &str| rest.contains(&format!("< {file}")) || rest.contains(&format!("-s {file}"));
            if files.iter().any(|file| tested(file)) || variables.iter().any(|name| tested(&format!("${name}"))) {
                return true;
            }
        }
        self.at(script).is_some_and(|at| self.is_judged_behind(at, &files))
    }

    /// Whether a later step of the job judges files: by a command that reads them, or an action that is for it.
    #[must_use]
    pub fn is_judged_behind(&self, at: At<'_>, files: &[&str]) -> bool {
        let in_scripts = self
            .scripts_of(&at)
            .any(|(index, other)| index > at.index && other.flow.runs.iter().any(|run| reads(run, files)));
        in_scripts
            || at.job.steps.iter().skip(at.index + 1).any(|step| {
                let name = step.uses().unwrap_or_default().split('@').next().unwrap_or_default();
                JUDGES.iter().any(|judge| name.starts_with(judge))
                    || (!name.is_empty()
                        && !name.starts_with("actions/")
                        && !actions::carries(name)
                        && step
                            .node
                            .get("with")
                            .is_some_and(|with| any_text(with, &|text| files.iter().any(|file| text.contains(file)))))
            })
    }

    /// Whether the same command runs elsewhere in the job (or script), in the same place, with its failure counting.
    #[must_use]
    pub fn runs_in_earnest(&self, script: &Script, run: &Run, same: impl Fn(&Invocation) -> bool) -> bool {
        let here = self.surroundings(script, run);
        let inside = |(script, end): (&Script, usize)| {
            script.flow.runs.iter().any(|other| {
                other.span.end != end
                    && is_earnest(other, &run.branches, &same)
                    && here.are(&self.surroundings(script, other))
            })
        };
        self.with_outer(script, run).any(inside) || self.runs_in_another_step(script, run, &same)
    }

    /// The same in another step of the job alone.
    #[must_use]
    pub fn runs_in_another_step(&self, script: &Script, run: &Run, same: &dyn Fn(&Invocation) -> bool) -> bool {
        let Some(at) = self.at(script) else { return false };
        let here = self.surroundings(script, run);
        self.scripts_of(&at).any(|(index, other)| {
            let step = &at.job.steps[index];
            index != at.index
                && !is_true(step.text("continue-on-error"))
                && step.runs_wherever(at.step)
                && other
                    .flow
                    .runs
                    .iter()
                    .any(|run| is_earnest(run, &[], same) && here.are(&self.surroundings(other, run)))
        })
    }

    fn surroundings(&self, script: &Script, run: &Run) -> Surroundings {
        let at = self.at(script);
        let env = at.and_then(|at| at.step.node.get("env")).map(Node::entries).unwrap_or_default();
        let of_step = env.iter().filter_map(|(name, value)| Some(format!("{name}={}", value.text()?)));
        let all = of_step.chain(run.assignments.iter().cloned()).filter(|pair| !tells_only(pair)).collect();
        Surroundings { dir: join(&script.dir, &run.dir), variables: all }
    }
}

/// Whether a command runs wherever these branches are taken, and its failure counts.
fn is_earnest(run: &Run, branches: &[usize], same: &dyn Fn(&Invocation) -> bool) -> bool {
    run.fate == Fate::Counts && branches.starts_with(&run.branches) && same(&run.invocation)
}

/// Where a command runs, and with which variables of its own: elsewhere it may find something else.
struct Surroundings {
    dir: String,
    variables: BTreeSet<String>,
}

impl Surroundings {
    /// Whether others are the same, or may be where only the runner knows.
    fn are(&self, other: &Self) -> bool {
        let dirs = self.dir == other.dir || self.dir.contains(OPAQUE) || other.dir.contains(OPAQUE);
        dirs && self.variables == other.variables
    }
}

/// Whether a variable with its value changes only how a program tells of what it finds.
fn tells_only(pair: &str) -> bool {
    let name = pair.split('=').next().unwrap_or_default();
    ["COLOR", "TOKEN", "BACKTRACE", "LOG", "VERBOSE"].iter().any(|word| name.contains(word))
}

/// Whether a setting is plainly true.
#[must_use]
pub fn is_true(text: Option<&str>) -> bool {
    text.is_some_and(|text| super::workflow::setting(text) == "true")
}

/// Commands that read a file and judge nothing.
const PASSIVE: &[&str] = &[
    "cat",
    "echo",
    "ls",
    "cp",
    "mv",
    "tail",
    "head",
    "tee",
    "mkdir",
    "rm",
    "touch",
    "less",
    "wc",
    "gzip",
    "tar",
    "zip",
    "scp",
    "gsutil",
    "aws",
    "printf",
    "cd",
    "codecov",
    "coveralls",
    "sed",
    "npx",
    "git",
];

/// Actions that judge reports of tests and linters.
const JUDGES: &[&str] = &[
    "dorny/test-reporter",
    "EnricoMi/publish-unit-test-result-action",
    "mikepenz/action-junit-report",
    "github/codeql-action/upload-sarif",
    "phoenix-actions/test-reporting",
    "ScaCap/action-surefire-report",
    "scacap/action-surefire-report",
    "reviewdog/",
    "test-summary/action",
    "ctrf-io/github-test-reporter",
];

/// Whether a command reads one of these files and may judge it.
fn reads(run: &Run, files: &[&str]) -> bool {
    !PASSIVE.contains(&run.invocation.program.as_str())
        && files.iter().any(|file| run.invocation.arguments.iter().any(|word| is_named(word, file)))
}

/// Whether a word names a file; a name without an ending may be a part of any word.
fn is_named(word: &str, file: &str) -> bool {
    if file.contains('.') { word.contains(file) } else { word.rsplit(['/', '=']).next() == Some(file) }
}

/// A folder below another.
#[must_use]
pub fn join(dir: &str, next: &str) -> String {
    let mut parts: Vec<&str> = dir.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    for part in next.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            other => parts.push(other),
        }
    }
    parts.join("/")
}
