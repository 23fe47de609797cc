//! Everything that was read, and how it hangs together: which scripts call which, what is a gate, who looks at what.
//! The rules ask here; it finds nothing by itself.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};
use std::ops::Range;

use super::command::{Call, Invocation};
use super::dictionary;
use super::flow::{Fate, Run};
use super::script::{Place, Script};
use super::shell::OPAQUE;
use super::text::Source;
use super::workflow::{Job, Step, Workflow, any_text};

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
    memory: RefCell<HashMap<usize, Option<String>>>,
}

/// A command that is a gate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gate {
    /// What to call it.
    pub name: String,
    /// It is in the dictionary, or calls what is; else it is only called so.
    pub sure: bool,
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
    /// A gate that a command is.
    #[must_use]
    pub fn gate(&self, script: &Script, run: &Run) -> Option<Gate> {
        let invocation = &run.invocation;
        let called = self.called(script, run);
        if let Some(called) = &called {
            let inner = called.iter().find_map(|index| self.gate_in(*index))?;
            return Some(Gate { name: shown(invocation, Some(&inner)), sure: true });
        }
        if let Some((_, span)) = script.flow.functions.iter().find(|(name, _)| *name == invocation.program) {
            let inner = script.flow.runs[span.clone()].iter().find(|inner| {
                dictionary::find(&inner.invocation.program, &inner.invocation.arguments()).is_some()
            });
            return inner.map(|_| Gate { name: invocation.program.clone(), sure: true });
        }
        if dictionary::find(&invocation.program, &invocation.arguments()).is_some() {
            return Some(Gate { name: shown(invocation, None), sure: true });
        }
        let call = self.as_tool(invocation);
        if let Some(tool) = call {
            return Some(Gate { name: tool, sure: true });
        }
        let named = invocation.call.as_ref()?;
        let names = named.names();
        (!names.is_empty() && names.iter().any(|name| dictionary::is_gate_name(name.trim_end_matches(".sh"))))
            .then(|| Gate { name: shown(invocation, None), sure: false })
    }

    /// `yarn eslint`: no script of that name, so the tool itself.
    fn as_tool(&self, invocation: &Invocation) -> Option<String> {
        let Some(Call::Package { names, .. }) = &invocation.call else { return None };
        let [name] = names.as_slice() else { return None };
        let at = invocation.arguments.iter().position(|argument| argument == name)?;
        let rest: Vec<&str> = invocation.arguments[at + 1..].iter().map(String::as_str).collect();
        (name != "test" && dictionary::find(name, &rest).is_some()).then(|| shown(invocation, None))
    }

    /// The scripts that a command calls; `None` where it calls none, or none that was read.
    #[must_use]
    pub fn called(&self, script: &Script, run: &Run) -> Option<Vec<usize>> {
        let call = run.invocation.call.as_ref()?;
        let here = join(&script.dir, &run.dir);
        let found: Vec<usize> = match call {
            Call::Package { names, dir } => {
                let dir = dir.as_ref().map(|dir| join(&here, dir));
                self.find(|place, at| {
                    matches!(place, Place::Package { name } if names.contains(name)) && dir.as_deref().is_none_or(|dir| dir == at)
                })
            }
            Call::Make { targets, dir } => self.targets(targets, &join(&here, dir)),
            Call::Just { recipes } => {
                self.find(|place, _| matches!(place, Place::Recipe { name, .. } if recipes.contains(name)))
            }
            Call::File(path) => {
                let candidates = [join(&here, path), path.clone()];
                let file = |at: usize| candidates.contains(&self.sources[self.scripts[at].file].path);
                (0..self.scripts.len()).filter(|at| self.scripts[*at].place == Place::File && file(*at)).collect()
            }
        };
        (!found.is_empty()).then_some(found)
    }

    fn find(&self, is: impl Fn(&Place, &str) -> bool) -> Vec<usize> {
        let matching = self.scripts.iter().enumerate().filter(|(_, script)| is(&script.place, &script.dir));
        matching.map(|(at, _)| at).collect()
    }

    /// The recipes of targets and of all that they need; without targets of the first one.
    fn targets(&self, targets: &[String], dir: &str) -> Vec<usize> {
        let first = || {
            self.scripts.iter().find_map(|script| match &script.place {
                Place::Target { name, .. } if script.dir == dir && !name.starts_with('.') => Some(name.clone()),
                _ => None,
            })
        };
        let mut wanted: Vec<String> = if targets.is_empty() { first().into_iter().collect() } else { targets.to_vec() };
        let mut found = BTreeSet::new();
        let mut at = 0;
        while at < wanted.len() {
            for (index, script) in self.scripts.iter().enumerate() {
                if let Place::Target { name, needs } = &script.place
                    && script.dir == dir
                    && *name == wanted[at]
                {
                    found.insert(index);
                    wanted.extend(needs.iter().filter(|need| !wanted.contains(need)).cloned().collect::<Vec<_>>());
                }
            }
            at += 1;
        }
        found.into_iter().collect()
    }

    /// The first gate in a script, what it calls included.
    fn gate_in(&self, index: usize) -> Option<String> {
        if let Some(known) = self.memory.borrow().get(&index) {
            return known.clone();
        }
        // A script that calls itself has no gate by that.
        self.memory.borrow_mut().insert(index, None);
        let script = &self.scripts[index];
        let found = script.flow.runs.iter().find_map(|run| self.gate(script, run)).filter(|gate| gate.sure);
        let found = found.map(|gate| gate.name);
        self.memory.borrow_mut().insert(index, found.clone());
        found
    }

    /// Follows every call from the scripts that are judged in any case.
    pub fn reach(&mut self) {
        let is_root = |script: &Script| match &script.place {
            Place::Step { .. } | Place::Gate { .. } => true,
            Place::Package { name } | Place::Target { name, .. } | Place::Recipe { name, .. } => {
                dictionary::is_gate_name(name)
            }
            Place::File => false,
        };
        let mut open: Vec<usize> = (0..self.scripts.len()).filter(|at| is_root(&self.scripts[*at])).collect();
        while let Some(at) = open.pop() {
            if !self.judged.insert(at) {
                continue;
            }
            let script = &self.scripts[at];
            open.extend(script.flow.runs.iter().filter_map(|run| self.called(script, run)).flatten());
        }
    }

    /// Every command of a judged script that is a gate.
    pub fn gates(&self) -> impl Iterator<Item = (&Script, &Run, Gate)> {
        let scripts = self.judged.iter().map(|at| &self.scripts[*at]);
        let runs = scripts.flat_map(|script| script.flow.runs.iter().map(move |run| (script, run)));
        runs.filter_map(|(script, run)| Some((script, run, self.gate(script, run)?)))
            .filter(|(script, ..)| !self.at(script).is_some_and(|at| at.step.is_aftermath()))
    }

    /// The step that a script stands in.
    #[must_use]
    pub fn at(&self, script: &Script) -> Option<At<'_>> {
        let Place::Step { workflow, job, step } = script.place else { return None };
        let workflow = self.workflows.get(workflow)?;
        let job = workflow.jobs.get(job)?;
        Some(At { workflow, job, step: job.steps.get(step)?, index: step })
    }

    /// Every job with its steps' scripts.
    pub fn scripts_of<'a>(&'a self, at: &'a At<'a>) -> impl Iterator<Item = (usize, &'a Script)> {
        self.scripts.iter().filter_map(move |script| {
            let other = self.at(script)?;
            (std::ptr::eq(other.job, at.job)).then_some((other.index, script))
        })
    }

    /// The first gate of a step, by its commands or its action.
    #[must_use]
    pub fn gate_of_step(&self, step: &Step) -> Option<Gate> {
        if let Some(uses) = step.uses() {
            if dictionary::is_gate_action(uses) {
                return Some(Gate { name: uses.split('@').next().unwrap_or(uses).to_owned(), sure: true });
            }
            return self.gate_of_action(uses);
        }
        let script = self.scripts.iter().find(|script| self.at(script).is_some_and(|at| std::ptr::eq(at.step, step)))?;
        let mut gates = script.flow.runs.iter().filter_map(|run| self.gate(script, run));
        let first = gates.next()?;
        if first.sure { Some(first) } else { Some(gates.find(|gate| gate.sure).unwrap_or(first)) }
    }

    /// The gate of an action or workflow of this repository.
    fn gate_of_action(&self, uses: &str) -> Option<Gate> {
        let path = uses.strip_prefix("./")?.trim_end_matches('/');
        let workflow = self.workflows.iter().find(|workflow| {
            let file = self.sources[workflow.file].path.as_str();
            file == path || file.strip_prefix(path).is_some_and(|rest| matches!(rest, "/action.yml" | "/action.yaml"))
        })?;
        let inner = workflow.jobs.iter().flat_map(|job| &job.steps).filter(|step| step.uses() != Some(uses));
        inner.filter_map(|step| self.gate_of_step(step)).find(|gate| gate.sure)
    }

    /// The first gate of a job.
    #[must_use]
    pub fn gate_of_job(&self, job: &Job) -> Option<Gate> {
        if let Some(uses) = &job.uses {
            return self.gate_of_action(uses);
        }
        let mut gates = job.steps.iter().filter(|step| !step.is_aftermath()).filter_map(|step| self.gate_of_step(step));
        gates.next()
    }

    /// Whether what a command wrote to a file is judged later: by another command, or by an action.
    #[must_use]
    pub fn output_is_judged(&self, script: &Script, run: &Run) -> bool {
        let files: Vec<&str> = run.outputs.iter().map(|file| file.rsplit('/').next().unwrap_or(file)).collect();
        let files: Vec<&str> = files.into_iter().filter(|file| file.len() > 2 && !file.starts_with(['$', OPAQUE])).collect();
        let reads = |other: &Run| {
            !PASSIVE.contains(&other.invocation.program.as_str())
                && files.iter().any(|file| other.invocation.arguments.iter().any(|word| word.contains(file)))
        };
        let mut later = script.flow.runs.iter().filter(|other| other.span.start > run.span.end);
        if later.any(reads) {
            return true;
        }
        let text: String = script.piece.chars.get(run.span.end..).unwrap_or_default().iter().collect();
        // `[[ -s errors.txt ]]`, `done < files.txt`
        if files.iter().any(|file| text.contains(&format!("< {file}")) || text.contains(&format!("-s {file}"))) {
            return true;
        }
        let Some(at) = self.at(script) else { return false };
        let in_scripts = self.scripts_of(&at).any(|(index, other)| index > at.index && other.flow.runs.iter().any(reads));
        in_scripts
            || at.job.steps.iter().skip(at.index + 1).any(|step| {
                let name = step.uses().unwrap_or_default().split('@').next().unwrap_or_default();
                JUDGES.iter().any(|judge| name.starts_with(judge))
                    || (!name.is_empty()
                        && !name.starts_with("actions/")
                        && step.node.get("with").is_some_and(|with| any_text(with, &|text| files.iter().any(|file| text.contains(file)))))
            })
    }

    /// Whether the same command runs elsewhere in the job (or script) with its failure counting.
    #[must_use]
    pub fn runs_in_earnest(&self, script: &Script, run: &Run, same: impl Fn(&Invocation) -> bool) -> bool {
        let earnest = |other: &Run| other.fate == Fate::Counts && same(&other.invocation);
        script.flow.runs.iter().any(|other| other.span != run.span && earnest(other))
            || self.runs_in_another_step(script, &same)
    }

    /// The same in another step of the job alone.
    #[must_use]
    pub fn runs_in_another_step(&self, script: &Script, same: &dyn Fn(&Invocation) -> bool) -> bool {
        let Some(at) = self.at(script) else { return false };
        self.scripts_of(&at).any(|(index, other)| {
            let lenient = self.at(other).is_some_and(|at| is_true(at.step.text("continue-on-error")));
            index != at.index && !lenient && other.flow.runs.iter().any(|run| run.fate == Fate::Counts && same(&run.invocation))
        })
    }

    /// Characters of a script in its file.
    #[must_use]
    pub fn span(&self, script: &Script, range: &Range<usize>) -> Range<usize> {
        script.piece.span(range)
    }
}

/// Whether a setting is plainly true.
#[must_use]
pub fn is_true(text: Option<&str>) -> bool {
    text.is_some_and(|text| super::workflow::expression(text) == "true")
}

/// Commands that read a file and judge nothing.
const PASSIVE: &[&str] = &[
    "cat", "echo", "ls", "cp", "mv", "tail", "head", "tee", "mkdir", "rm", "touch", "less", "wc", "gzip", "tar", "zip", "scp", "gsutil",
    "aws", "printf", "cd", "codecov", "sed", "npx", "git",
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

/// A command as it is shown, with what it comes down to.
fn shown(invocation: &Invocation, inner: Option<&str>) -> String {
    let words: Vec<&str> = std::iter::once(invocation.program.as_str())
        .chain(invocation.arguments.iter().map(String::as_str))
        .filter(|word| !word.contains(OPAQUE))
        .take(4)
        .collect();
    let own = crate::model::text::one_line(&words.join(" "), 60);
    match inner {
        Some(inner) if !own.contains(inner) => format!("{own} ({inner})"),
        _ => own,
    }
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
