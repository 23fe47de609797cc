//! Who calls whom, and which commands are gates by that. It is asked once, when everything has been read.

use std::collections::{BTreeSet, HashMap, VecDeque};

use super::call::Call;
use super::command::{Invocation, OWN, ROOT};
use super::dictionary;
use super::flow::{Because, Fate, Gate, Loss, Run};
use super::ground::{Ground, join};
use super::script::{Place, Script};
use super::shell::OPAQUE;
use super::text::Source;

/// Names the scripts that every command calls and the gates that commands are, and finds the scripts that are judged.
pub fn settle(ground: &mut Ground) {
    let index = Index::of(ground);
    let calls: Vec<Vec<Vec<usize>>> = ground
        .scripts
        .iter()
        .enumerate()
        .map(|(at, script)| script.flow.runs.iter().map(|run| index.called(at, script, run)).collect())
        .collect();
    for script in &mut ground.scripts {
        script.needs = index.needed(script);
    }
    let edges: Vec<BTreeSet<usize>> = ground
        .scripts
        .iter()
        .zip(&calls)
        .map(|(script, calls)| calls.iter().flatten().chain(&script.needs).copied().collect())
        .collect();
    for (script, calls) in ground.scripts.iter_mut().zip(calls) {
        for (run, calls) in script.flow.runs.iter_mut().zip(calls) {
            // What it calls may well be read and yet do what nobody knows: the name tells then too.
            run.gate = if calls.is_empty() { own_gate(run) } else { called_so(&run.invocation) };
            run.calls = calls;
        }
    }
    by_calls(ground, &edges);
    for script in &mut ground.scripts {
        by_functions(script);
    }
    ground.judged = reached(&ground.scripts, &edges);
}

/// Where to find scripts.
struct Index {
    packages: HashMap<String, Vec<(String, usize)>>,
    /// `pretest` and `posttest` run with `test`.
    hooks: bool,
    targets: HashMap<(String, String), Vec<usize>>,
    first_targets: HashMap<String, String>,
    recipes: HashMap<String, Vec<usize>>,
    first_recipes: HashMap<String, String>,
    /// By their paths and the folders that they run in.
    files: HashMap<(String, String), usize>,
    /// What commands hand to a shell, by the script and where the command begins.
    handed: HashMap<(usize, usize), usize>,
}

impl Index {
    fn of(ground: &Ground) -> Self {
        let mut index = Self {
            packages: HashMap::new(),
            hooks: !has_yarn_of_today(ground),
            targets: HashMap::new(),
            first_targets: HashMap::new(),
            recipes: HashMap::new(),
            first_recipes: HashMap::new(),
            files: HashMap::new(),
            handed: HashMap::new(),
        };
        for (at, script) in ground.scripts.iter().enumerate() {
            let dir = script.dir.clone();
            match &script.place {
                Place::Package { name } => index.packages.entry(name.clone()).or_default().push((dir, at)),
                Place::Target { names, .. } => {
                    for name in names {
                        if !name.starts_with('.') {
                            index.first_targets.entry(dir.clone()).or_insert_with(|| name.clone());
                        }
                        index.targets.entry((dir.clone(), name.clone())).or_default().push(at);
                    }
                }
                Place::Recipe { name, .. } => {
                    if !name.contains("::") {
                        index.first_recipes.entry(dir).or_insert_with(|| name.clone());
                    }
                    index.recipes.entry(name.clone()).or_default().push(at);
                }
                Place::File => drop(index.files.insert((ground.sources[script.file].path.clone(), dir), at)),
                Place::Handed { by, at: command } => drop(index.handed.insert((*by, command.start), at)),
                Place::Step { .. } | Place::Gate { .. } => {}
            }
        }
        index
    }

    /// The scripts that a command calls; none where it calls none, or none that was read.
    fn called(&self, at: usize, script: &Script, run: &Run) -> Vec<usize> {
        if let Some(handed) = self.handed.get(&(at, run.span.start)).filter(|_| run.handed.is_some()) {
            return vec![*handed];
        }
        let here = join(&script.dir, &run.dir);
        match &run.invocation.call {
            None | Some(Call::Task(_)) => Vec::new(),
            Some(Call::Package { names, dir }) => {
                let dir = dir.as_ref().map(|dir| join(&here, dir));
                let found = names.iter().flat_map(|name| self.packages_of(name));
                found.filter(|(at, _)| dir.as_ref().is_none_or(|dir| dir == at)).map(|(_, script)| *script).collect()
            }
            Some(Call::Make { targets, dir }) => {
                let dir = join(&here, dir);
                let first = self.first_targets.get(&dir).filter(|_| targets.is_empty());
                first.into_iter().chain(targets).flat_map(|name| self.target(&dir, name)).collect()
            }
            Some(Call::Just { recipes }) => {
                let first = recipes.is_empty().then(|| self.first_recipe(&here)).flatten();
                first.into_iter().chain(recipes).filter_map(|name| self.recipes.get(name)).flatten().copied().collect()
            }
            // A script may name another from the root, whatever folder it is called in.
            Some(Call::File(path)) => {
                let places = [join(&here, path), join("", path)];
                let mut found = places.into_iter().map(|path| self.files.get(&(path, here.clone())));
                found.find_map(Option::<&usize>::copied).into_iter().collect()
            }
        }
    }

    /// The package scripts of a name, or of a pattern as npm-run-all knows them.
    fn packages_of<'a>(&'a self, name: &'a str) -> Box<dyn Iterator<Item = &'a (String, usize)> + 'a> {
        let Some((begin, end)) = name.split_once('*') else {
            return Box::new(self.packages.get(name).into_iter().flatten());
        };
        let end = end.trim_start_matches('*');
        let fits =
            move |name: &str| name.len() >= begin.len() + end.len() && name.starts_with(begin) && name.ends_with(end);
        let mut found: Vec<&(String, usize)> =
            self.packages.iter().filter(|(name, _)| fits(name)).flat_map(|(_, scripts)| scripts).collect();
        found.sort_by_key(|(_, script)| *script);
        Box::new(found.into_iter())
    }

    /// The first recipe of the nearest justfile: just looks for one in the folders above too.
    fn first_recipe<'a>(&self, dir: &'a str) -> Option<&String> {
        let above = |dir: &&'a str| match dir.rsplit_once('/') {
            Some((above, _)) => Some(above),
            None => Some("").filter(|_| !dir.is_empty()),
        };
        std::iter::successors(Some(dir), above).find_map(|dir| self.first_recipes.get(dir))
    }

    fn target(&self, dir: &str, name: &str) -> Vec<usize> {
        self.targets.get(&(dir.to_owned(), name.to_owned())).cloned().unwrap_or_default()
    }

    /// The scripts of what a target or recipe needs, and those that run before and after one of a package.json.
    fn needed(&self, script: &Script) -> Vec<usize> {
        match &script.place {
            Place::Target { needs, .. } => needs.iter().flat_map(|name| self.target(&script.dir, name)).collect(),
            Place::Recipe { needs, .. } => {
                needs.iter().filter_map(|name| self.recipes.get(name)).flatten().copied().collect()
            }
            Place::Package { name } if self.hooks => {
                let found = ["pre", "post"].map(|when| self.packages.get(&format!("{when}{name}")));
                let here = found.into_iter().flatten().flatten().filter(|(dir, _)| *dir == script.dir);
                here.map(|(_, script)| *script).collect()
            }
            _ => Vec::new(),
        }
    }
}

/// Yarn runs no `pretest` and `posttest` since its second version, which has a file of settings of its own.
fn has_yarn_of_today(ground: &Ground) -> bool {
    let file = |path: &String| matches!(path.rsplit('/').next(), Some(".yarnrc.yml" | ".pnp.cjs" | ".pnp.loader.mjs"));
    let named = |source: &Source| {
        let manager = source.slice(0..source.chars.len());
        let version = manager.split_once("\"packageManager\"").and_then(|(_, rest)| rest.split_once("\"yarn@"));
        version.is_some_and(|(between, version)| between.trim() == ":" && !version.starts_with("1."))
    };
    ground.paths.iter().any(file)
        || ground.sources.iter().filter(|source| source.path.ends_with("package.json")).any(named)
}

/// The gate that a command is by itself.
fn own_gate(run: &Run) -> Option<Gate> {
    let invocation = &run.invocation;
    if dictionary::is_gate(&invocation.program, &invocation.arguments()) || is_tool_of_manager(invocation) {
        let question = invocation.program == "git" && asks(&run.fate);
        return (!question).then(|| Gate { name: shown(invocation, None), sure: true });
    }
    called_so(invocation)
}

/// The gate that a command is by the name of what it calls; what is read into the shell most often only prepares.
fn called_so(invocation: &Invocation) -> Option<Gate> {
    if matches!(invocation.program.as_str(), "source" | ".") {
        return None;
    }
    let names = invocation.call.as_ref()?.names();
    let gate = names.iter().any(|name| dictionary::is_gate_name(name.trim_end_matches(".sh")));
    gate.then(|| Gate { name: shown(invocation, None), sure: false })
}

/// `git diff --exit-code || git commit …`: what stands behind is what it was asked for.
const fn asks(fate: &Fate) -> bool {
    matches!(
        fate,
        Fate::Lost(
            Loss::Replaced { .. }
                | Loss::Ignored { .. }
                | Loss::Recorded { .. }
                | Loss::GoesOn { because: Because::AndList }
        )
    )
}

/// `yarn eslint`: no script of that name, so the tool itself.
fn is_tool_of_manager(invocation: &Invocation) -> bool {
    let Some(Call::Package { names, .. }) = &invocation.call else { return false };
    let [name] = names.as_slice() else { return false };
    let Some(at) = invocation.arguments.iter().position(|argument| argument == name) else { return false };
    let rest: Vec<&str> = invocation.arguments[at + 1..].iter().map(String::as_str).collect();
    name != "test" && dictionary::is_gate(name, &rest)
}

/// What calls a script with a gate is a gate; from the gates back to their callers, so that circles come to an end.
fn by_calls(ground: &mut Ground, edges: &[BTreeSet<usize>]) {
    let mut callers: Vec<Vec<usize>> = vec![Vec::new(); edges.len()];
    for (caller, called) in edges.iter().enumerate() {
        for called in called {
            callers[*called].push(caller);
        }
    }
    let sure = |script: &Script| {
        let mut gates = script.flow.runs.iter().filter_map(|run| run.gate.as_ref());
        gates.find(|gate| gate.sure).map(|gate| gate.name.clone())
    };
    let mut inner: Vec<Option<String>> = ground.scripts.iter().map(sure).collect();
    let mut open: VecDeque<usize> = (0..inner.len()).filter(|at| inner[*at].is_some()).collect();
    while let Some(at) = open.pop_front() {
        let name = inner[at].clone();
        for caller in callers[at].iter().copied() {
            if inner[caller].is_none() {
                inner[caller].clone_from(&name);
                open.push_back(caller);
            }
        }
    }
    for run in ground.scripts.iter_mut().flat_map(|script| &mut script.flow.runs) {
        if let Some(inner) = run.calls.iter().find_map(|called| inner[*called].as_deref()) {
            run.gate = Some(Gate { name: shown(&run.invocation, Some(inner)), sure: true });
        }
    }
}

/// A call of a function with a gate in it is a gate.
fn by_functions(script: &mut Script) {
    let gated = |span: &std::ops::Range<usize>, runs: &[Run]| runs[span.clone()].iter().any(|run| run.gate.is_some());
    let functions = script.flow.functions.iter().filter(|(_, span)| gated(span, &script.flow.runs));
    let names: BTreeSet<String> = functions.map(|(name, _)| name.clone()).collect();
    for run in &mut script.flow.runs {
        if run.gate.is_none() && names.contains(&run.invocation.program) {
            run.gate = Some(Gate { name: run.invocation.program.clone(), sure: true });
        }
    }
}

/// The scripts that are judged: steps, gates, what is called as gates are, and everything that these call.
fn reached(scripts: &[Script], edges: &[BTreeSet<usize>]) -> BTreeSet<usize> {
    let is_root = |script: &Script| match &script.place {
        Place::Step { .. } | Place::Gate { .. } => true,
        Place::Package { name } | Place::Recipe { name, .. } => dictionary::is_gate_name(name),
        Place::Target { names, .. } => names.iter().any(|name| dictionary::is_gate_name(name)),
        Place::File | Place::Handed { .. } => false,
    };
    let mut open: Vec<usize> = (0..scripts.len()).filter(|at| is_root(&scripts[*at])).collect();
    let mut reached = BTreeSet::new();
    while let Some(at) = open.pop() {
        if reached.insert(at) {
            open.extend(&edges[at]);
        }
    }
    reached
}

/// A command as it is shown, with what it comes down to.
fn shown(invocation: &Invocation, inner: Option<&str>) -> String {
    let words: Vec<&str> = std::iter::once(invocation.program.as_str())
        .chain(invocation.arguments.iter().map(String::as_str))
        .filter(|word| !word.contains([OPAQUE, OWN, ROOT]))
        .take(4)
        .collect();
    let own = crate::model::text::one_line(&words.join(" "), 60);
    match inner {
        Some(inner) if !own.contains(inner) => format!("{own} ({inner})"),
        _ => own,
    }
}
