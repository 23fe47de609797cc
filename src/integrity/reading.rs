//! Reads everything that is judged: workflows and actions, package.json, makefiles, justfiles, gatepost.toml, and the shell
//! scripts that these call. What cannot be read is a problem, never clean.

use std::collections::{BTreeMap, BTreeSet};

use super::call::{Call, is_shell};
use super::calls;
use super::command::{Invocation, placed};
use super::flow::Run;
use super::ground::{Ground, join};
use super::handed::{Handed, by_first_line, flagged};
use super::justfile::Justfile;
use super::makefile::Makefile;
use super::manifest;
use super::recipes::{Recipes, is_shell_line};
use super::script::{Draft, Place, Script};
use super::shell::{self, OPAQUE, Shell};
use super::text::{Piece, Source, Wrong};
use super::workflow::Workflow;
use super::{Listing, Problem, Tree};
use crate::model::text::one_line;
use crate::model::yaml::{self, YamlError};

/// What was read, what could not be, and what was left out.
pub struct Read {
    /// All of it.
    pub ground: Ground,
    /// Files that could not be read or understood.
    pub problems: Vec<Problem>,
    /// What is not judged although it stands there.
    pub notes: Vec<String>,
}

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sort {
    Workflow,
    Action,
    Package,
    Makefile,
    Justfile,
    Configuration,
}

/// Reads a repository.
#[must_use]
pub fn read(tree: &dyn Tree) -> Read {
    let Listing { paths, links, problems } = tree.list();
    let notes = links.iter().filter(|path| sort(path).is_some());
    let notes = notes.map(|path| format!("{path}: is a link, which is not followed")).collect();
    let read = Read { ground: Ground::default(), problems, notes };
    let mut reading = Reading { tree, read, anywhere: false, links };
    reading.read.ground.paths.clone_from(&paths);
    for path in &paths {
        if let Some(sort) = sort(path) {
            reading.file(path, sort);
        }
    }
    reading.called_scripts();
    calls::settle(&mut reading.read.ground);
    reading.note_unread();
    reading.read
}

/// Reads a command that runs in a folder, as the first of the scripts, with everything that it may call.
#[must_use]
pub fn read_command(tree: &dyn Tree, command: &str, dir: &str) -> Ground {
    let read = Read { ground: Ground::default(), problems: Vec::new(), notes: Vec::new() };
    let mut reading = Reading { tree, read, anywhere: true, links: Vec::new() };
    let source = Source::new("", command);
    let (place, piece) = (Place::Gate { name: String::new() }, source.piece(0..source.chars.len()));
    reading.read.ground.sources.push(source);
    let shell = Shell { errexit: true, pipefail: true };
    reading.script(0, Draft { place, piece, shell, dir: dir.to_owned(), ignored: None });
    let calls = |run: &Run| run.invocation.call.is_some() || run.handed.is_some();
    if reading.read.ground.scripts.iter().any(|script| script.flow.runs.iter().any(calls)) {
        reading.read.ground.paths = tree.list().paths;
        for path in reading.read.ground.paths.clone() {
            if let Some(sort @ (Sort::Package | Sort::Makefile | Sort::Justfile)) = sort(&path) {
                reading.file(&path, sort);
            }
        }
        reading.called_scripts();
    }
    calls::settle(&mut reading.read.ground);
    reading.read.ground
}

/// The most scripts that one script hands to shells, and how often what is handed on does so again: people do it once.
const MOST_HANDED: usize = 256;
const DEEPEST: usize = 4;

/// The most files that one makefile or justfile has read with it.
const MOST_FURTHER: usize = 64;

/// The most folders that one script is called in.
const MOST_FOLDERS: usize = 8;

/// Endings are as they are written: GitHub takes no `.YML` either.
fn has_ending(path: &str, endings: &[&str]) -> bool {
    path.rsplit_once('.').is_some_and(|(_, ending)| endings.contains(&ending))
}

fn sort(path: &str) -> Option<Sort> {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    if folder.split('/').any(|part| OTHERS.contains(&part)) {
        return None;
    }
    let is_yaml = has_ending(name, &["yml", "yaml"]);
    match name {
        _ if folder == ".github/workflows" && is_yaml => Some(Sort::Workflow),
        "action.yml" | "action.yaml" => Some(Sort::Action),
        "package.json" => Some(Sort::Package),
        "Makefile" | "makefile" | "GNUmakefile" => Some(Sort::Makefile),
        "justfile" | "Justfile" | ".justfile" => Some(Sort::Justfile),
        "gatepost.toml" => Some(Sort::Configuration),
        _ => None,
    }
}

fn folder_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(dir, _)| dir)
}

/// Folders of other people's code that is no package of theirs any more: nobody here runs its checks.
const OTHERS: &[&str] = &["cextern", "extern", "externals", "thirdparty", "third-party", "3rdparty", "subprojects"];

/// Whether a file below the root is what a generator makes a file of: it need not be one itself.
fn is_template(source: &Source) -> bool {
    const FOLDERS: &[&str] = &["files", "template", "templates", "blueprints"];
    let folder =
        source.path.rsplit_once('/').is_some_and(|(dir, _)| dir.split('/').any(|part| FOLDERS.contains(&part)));
    let text = source.slice(0..source.chars.len());
    folder && (text.contains("<%") || text.contains("{{"))
}

struct Reading<'a> {
    tree: &'a dyn Tree,
    read: Read,
    /// Files that are called are read wherever they lie: what runs here is here.
    anywhere: bool,
    links: Vec<String>,
}

impl Reading<'_> {
    /// A file's text, kept among the sources.
    fn source(&mut self, path: &str) -> Option<usize> {
        match self.tree.read(path) {
            Ok(Some(text)) => {
                self.read.ground.sources.push(Source::new(path, &text));
                Some(self.read.ground.sources.len() - 1)
            }
            Ok(None) => None,
            Err(what) => {
                self.read.problems.push(Problem { path: path.to_owned(), place: None, what });
                None
            }
        }
    }

    /// The same of a file that others may have read already.
    fn shared_source(&mut self, path: &str) -> Option<usize> {
        self.read.ground.sources.iter().position(|source| source.path == path).or_else(|| self.source(path))
    }

    /// The recipes of a file and of those that it says to read; gives its modules.
    fn recipes(&mut self, mut recipes: impl Recipes, file: usize, seen: &mut BTreeSet<String>) -> Vec<(usize, String)> {
        let mut modules = Vec::new();
        recipes.read(file, &self.read.ground.sources[file]);
        while let Some(further) = recipes.further() {
            let there = |path: &&String| self.read.ground.paths.binary_search(path).is_ok();
            let Some(path) = further.paths.iter().flatten().find(there).cloned() else {
                let source = &self.read.ground.sources[further.file];
                let line = source.place(further.at).0;
                let what = format!("{}:{line}: `{}` is not read", source.path, one_line(&further.written, 60));
                self.read.notes.extend((!further.optional).then_some(what));
                continue;
            };
            if seen.len() >= MOST_FURTHER && !seen.contains(&path) {
                let source = &self.read.ground.sources[further.file];
                let line = source.place(further.at).0;
                self.read.notes.push(format!("{}:{line}: `{path}` is not read: it is one of too many", source.path));
                continue;
            }
            let new = seen.insert(path.clone());
            let Some(file) = new.then(|| self.shared_source(&path)).flatten() else { continue };
            match further.module {
                Some(name) => modules.push((file, name)),
                None => recipes.read(file, &self.read.ground.sources[file]),
            }
        }
        for (file, draft) in recipes.drafts() {
            self.script(file, draft);
        }
        modules
    }

    fn justfile(&mut self, file: usize, path: &str) {
        let mut seen = BTreeSet::from([path.to_owned()]);
        let mut modules = vec![(file, String::new())];
        while let Some((file, prefix)) = modules.pop() {
            let path = &self.read.ground.sources[file].path;
            let justfile = Justfile::new(folder_of(path), &prefix);
            modules.extend(self.recipes(justfile, file, &mut seen));
        }
    }

    fn file(&mut self, path: &str, sort: Sort) {
        let shared = matches!(sort, Sort::Makefile | Sort::Justfile);
        let Some(file) = (if shared { self.shared_source(path) } else { self.source(path) }) else { return };
        let dir = folder_of(path).to_owned();
        let source = &self.read.ground.sources[file];
        let result = match sort {
            Sort::Workflow | Sort::Action => self.workflow(file, sort),
            Sort::Package => manifest::package(source, &dir),
            Sort::Makefile => {
                self.recipes(Makefile::new(&dir), file, &mut BTreeSet::from([path.to_owned()]));
                Ok(Vec::new())
            }
            Sort::Justfile => {
                self.justfile(file, path);
                Ok(Vec::new())
            }
            Sort::Configuration => manifest::configuration(source, if dir == ".github" { "" } else { &dir }),
        };
        match result {
            Ok(drafts) => drafts.into_iter().for_each(|draft| self.script(file, draft)),
            Err(wrong) if sort == Sort::Package && is_template(&self.read.ground.sources[file]) => {
                self.unread(file, &wrong);
            }
            Err(Wrong { at, what }) => self.problem(file, at, &what),
        }
    }

    fn workflow(&mut self, file: usize, sort: Sort) -> Result<Vec<Draft>, Wrong> {
        let source = &self.read.ground.sources[file];
        let root = match yaml::read(&source.slice(0..source.chars.len())) {
            Ok(root) => root,
            Err(YamlError::Documents(0)) => return Ok(self.no_workflow(file)),
            Err(error) => return Err(Wrong { at: None, what: error.to_string() }),
        };
        let workflow = match sort {
            Sort::Workflow => Workflow::of(file, source, &root),
            _ => Workflow::of_action(file, source, &root),
        };
        let Some(workflow) = workflow else { return Ok(self.no_workflow(file)) };
        let number = self.read.ground.workflows.len();
        let mut drafts = Vec::new();
        for (job_at, job) in workflow.jobs.iter().enumerate() {
            for (step_at, step) in job.steps.iter().enumerate() {
                if let Some(shell) = &step.unread {
                    let line = source.place(step.node.written.span.start).0;
                    self.read.notes.push(format!("{}:{line}: a script for {shell} is not read", source.path));
                }
                if let Some((piece, shell)) = &step.run {
                    drafts.push(Draft {
                        place: Place::Step { workflow: number, job: job_at, step: step_at },
                        piece: piece.clone(),
                        shell: *shell,
                        dir: step.dir.clone(),
                        ignored: None,
                    });
                }
            }
        }
        let steps = workflow.jobs.iter().flat_map(|job| &job.steps).filter_map(|step| step.uses());
        let used: Vec<String> = steps.filter_map(|uses| uses.strip_prefix("./")).map(|path| join("", path)).collect();
        self.read.ground.workflows.push(workflow);
        for folder in &used {
            self.used_action(folder);
        }
        Ok(drafts)
    }

    /// An action that is used from a folder of other people's code, which is listed nowhere.
    fn used_action(&mut self, folder: &str) {
        for path in ["action.yml", "action.yaml"].map(|name| join(folder, name)) {
            let is_listed = self.read.ground.paths.binary_search(&path).is_ok() && sort(&path).is_some();
            let is_read = || self.read.ground.sources.iter().any(|source| source.path == path);
            if !is_listed && !is_read() && self.may_be_read(&path) {
                self.file(&path, Sort::Action);
            }
        }
    }

    /// GitHub runs nothing of such a file; an action may as well be made of a program.
    fn no_workflow(&mut self, file: usize) -> Vec<Draft> {
        let path = &self.read.ground.sources[file].path;
        if sort(path) == Some(Sort::Workflow) {
            self.read.notes.push(format!("{path}: has no `jobs`: it is no workflow"));
        }
        Vec::new()
    }

    fn script(&mut self, file: usize, draft: Draft) {
        let ground = &mut self.read.ground;
        // What make or just would put there may well be what the shell misses, and a matrix may choose another shell.
        let lenient = match &draft.place {
            // Another machine's shell may understand it.
            Place::Handed { .. } => true,
            Place::Target { .. } | Place::Recipe { .. } => draft.piece.chars.contains(&OPAQUE),
            Place::Step { workflow, job, .. } => ground.workflows[*workflow].jobs[*job].runs_anywhere(),
            Place::Package { .. } => is_template(&ground.sources[file]),
            // Generated ones such as `configure`.
            Place::File => draft.piece.chars.len() > shell::LONGEST,
            Place::Gate { .. } => false,
        };
        match draft.read(file) {
            Ok(mut script) => {
                let own = (script.place == Place::File).then(|| folder_of(&ground.sources[file].path));
                for run in &mut script.flow.runs {
                    run.invocation.place(own);
                    run.dir = placed(&run.dir, own);
                }
                if let Place::Step { workflow, job, step } = script.place {
                    ground.workflows[workflow].jobs[job].steps[step].script = Some(ground.scripts.len());
                }
                ground.scripts.push(script);
            }
            Err(wrong) if lenient => self.unread(file, &wrong),
            Err(Wrong { at, what }) => self.problem(file, at, &format!("is no shell script that can be read: {what}")),
        }
    }

    /// What cannot be read, and need not be.
    fn unread(&mut self, file: usize, Wrong { at, what }: &Wrong) {
        let source = &self.read.ground.sources[file];
        let line = source.place(at.unwrap_or_default().min(source.chars.len())).0;
        self.read.notes.push(format!("{}:{line}: is not read: {what}", source.path));
    }

    fn problem(&mut self, file: usize, at: Option<usize>, what: &str) {
        let source = &self.read.ground.sources[file];
        let place = at.map(|at| source.place(at.min(source.chars.len())));
        self.read.problems.push(Problem { path: source.path.clone(), place, what: what.to_owned() });
    }

    /// Shell scripts that something calls or hands to a shell, and those that they call.
    fn called_scripts(&mut self) {
        let mut seen = BTreeMap::new();
        let mut at = 0;
        while at < self.read.ground.scripts.len() {
            let script = &self.read.ground.scripts[at];
            let mut wanted = Vec::new();
            let mut handed = Vec::new();
            let mut further = Vec::new();
            for run in &script.flow.runs {
                if let Some(Call::File(path)) = &run.invocation.call {
                    let here = join(&script.dir, &run.dir);
                    // A script may name another from the root, whatever folder it is called in.
                    let paths = [join(&here, path), join("", path)];
                    wanted.extend(paths.map(|path| (path, here.clone(), started(&run.invocation))));
                }
                handed.extend(run.handed.is_some().then(|| run.clone()));
                let here = join(&script.dir, &run.dir);
                let (dir, names, sort): (_, &[&str], _) = match &run.invocation.call {
                    Some(Call::Package { dir: Some(dir), .. }) => (dir, &["package.json"], Sort::Package),
                    Some(Call::Make { dir, .. }) => (dir, &["GNUmakefile", "makefile", "Makefile"], Sort::Makefile),
                    _ => continue,
                };
                further.extend(names.iter().map(|name| (join(&join(&here, dir), name), sort)));
            }
            // What lies among other people's code is listed nowhere, and yet called.
            for (path, sort) in further {
                let is_new = !self.read.ground.sources.iter().any(|source| source.path == path);
                if is_new && seen.insert(path.clone(), BTreeSet::new()).is_none() && self.may_be_read(&path) {
                    self.file(&path, sort);
                }
            }
            for (path, dir, started) in wanted {
                let is_there = self.may_be_read(&path);
                let folders: &mut BTreeSet<String> = seen.entry(path.clone()).or_default();
                if is_there && folders.len() < MOST_FOLDERS && folders.insert(dir.clone()) {
                    self.shell_file(&path, &dir, started);
                }
            }
            for (number, run) in handed.iter().enumerate().take(MOST_HANDED + 1) {
                let unread = (number == MOST_HANDED).then_some("nor is more that follows");
                self.handed(at, run, unread);
            }
            at += 1;
        }
    }

    /// Whether a file that is called may be read: what only this machine has is no part of the repository.
    fn may_be_read(&self, path: &str) -> bool {
        const OF_MACHINES: &[&str] = &[".git", ".gatepost", ".tox", ".venv", "node_modules", "target", "venv"];
        let is_link =
            |link: &String| path == link || path.strip_prefix(link.as_str()).is_some_and(|rest| rest.starts_with('/'));
        let is_own = || !path.split('/').any(|part| OF_MACHINES.contains(&part)) && !self.links.iter().any(is_link);
        !path.contains(OPAQUE)
            && (self.anywhere
                || self.read.ground.paths.binary_search_by(|known| known.as_str().cmp(path)).is_ok()
                || is_own())
    }

    /// A script that a command of another one hands to a shell, unless there is a reason not to read it.
    fn handed(&mut self, by: usize, run: &Run, unread: Option<&str>) {
        let Some(Handed { text, shell }) = &run.handed else { return };
        let script = &self.read.ground.scripts[by];
        let file = script.file;
        let outer = |script: &Script| match script.place {
            Place::Handed { by, .. } => Some(&self.read.ground.scripts[by]),
            _ => None,
        };
        let depth = std::iter::successors(Some(script), |script| outer(script)).take(DEEPEST + 1).count();
        let unread = unread.or((depth > DEEPEST).then_some("it is handed on too often"));
        let text = match (text, unread) {
            (Some(text), None) => text,
            (_, why) => {
                let source = &self.read.ground.sources[file];
                let line = source.place(script.piece.origin(run.span.start)).0;
                let why = why.unwrap_or("only the running shell knows it");
                self.read
                    .notes
                    .push(format!("{}:{line}: what is handed to a shell here is not read: {why}", source.path));
                return;
            }
        };
        let mut piece = Piece::default();
        for (c, at) in text {
            piece.push(*c, script.piece.origin(*at));
        }
        let place = Place::Handed { by, at: run.span.clone() };
        let dir = join(&script.dir, &run.dir);
        self.script(file, Draft { place, piece, shell: *shell, dir, ignored: None });
    }

    /// Says which files are called where it counts, and were not read.
    fn note_unread(&mut self) {
        let ground = &self.read.ground;
        let mut notes = Vec::new();
        for (script, run) in ground.runs().filter(|(_, run)| run.calls.is_empty()) {
            let Some(Call::File(path)) = &run.invocation.call else { continue };
            let here = join(&script.dir, &run.dir);
            if run.invocation.reads_environment() {
                continue;
            }
            let paths = [join(&here, path), join("", path)];
            let is_link = paths.iter().any(|path| self.links.contains(path));
            let why = match path.contains(OPAQUE) || here.contains(OPAQUE) {
                true => "only the running shell knows where it lies",
                false if is_link => "it is a link, which is not followed",
                false if paths.iter().any(|path| self.tree.read(path).is_err()) => "it cannot be read",
                false => continue,
            };
            let source = &ground.sources[script.file];
            let line = source.place(script.piece.origin(run.span.start)).0;
            let words = script.piece.chars.get(run.span.clone()).unwrap_or_default().iter().collect::<String>();
            notes.push(format!("{}:{line}: what `{}` calls is not read: {why}", source.path, one_line(&words, 60)));
        }
        notes.dedup();
        self.read.notes.append(&mut notes);
    }

    /// A shell script that is called in a folder.
    fn shell_file(&mut self, path: &str, dir: &str, started: Started) {
        let known = self.read.ground.sources.len();
        let Some(file) = self.shared_source(path) else { return };
        let source = &self.read.ground.sources[file];
        let text = source.slice(0..source.chars.len());
        let by_name = has_ending(path, &["sh", "bash"]);
        if !(is_shell_line(&text) || (!text.starts_with("#!") && (by_name || started.by_shell))) {
            self.read.ground.sources.truncate(known);
            return;
        }
        let first = text.lines().next().filter(|line| line.starts_with("#!")).unwrap_or_default();
        // Whoever names the shell passes the file's own first line by.
        let shell = if started.by_shell { started.shell } else { by_first_line(first) };
        let draft = Draft {
            place: Place::File,
            piece: source.piece(0..source.chars.len()),
            shell,
            dir: dir.to_owned(),
            ignored: None,
        };
        self.script(file, draft);
    }
}

/// How a file is called.
#[derive(Debug, Clone, Copy)]
struct Started {
    /// By a shell that is named, whatever the file itself says.
    by_shell: bool,
    /// How that shell is started; one of which it is not known that it lacks anything, where the file is read into it.
    shell: Shell,
}

fn started(invocation: &Invocation) -> Started {
    let sourced = matches!(invocation.program.as_str(), "source" | ".");
    let by_shell = sourced || is_shell(&invocation.program);
    let shell = if sourced { Shell { errexit: true, pipefail: true } } else { flagged(&invocation.arguments()) };
    Started { by_shell, shell }
}
