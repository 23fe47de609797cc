//! `gatepost init`: what a repository would be gated by, as the files that say so. Nothing is written before it is told.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::app::project::{self, Place, Project, Source, Wrong};
use crate::app::{Failure, detected};
use crate::detect::reviewdog::Flags;
use crate::detect::{self, Adopted, Fresh, Left, Used, reviewdog};
use crate::mask::Masker;
use crate::model::gate::Mode;
use crate::model::install::Install;
use crate::model::settings::{CommandLine, Common};
use crate::model::text::one_line;
use crate::model::yaml::{self, Node};
use crate::setup::template::{self, Shape, Wanted};
use crate::setup::tools::{self, By};
use crate::world::env::Env;
use crate::world::files;
use crate::world::repo::Repo;

/// Where reviewdog looks for its configuration.
const REVIEWDOG: [&str; 4] = [".reviewdog.yml", ".reviewdog.yaml", "reviewdog.yml", "reviewdog.yaml"];
/// The largest file of another tool's that is read, in bytes.
const LARGEST: u64 = 1 << 20;
/// Stands for the action where nobody said which one: no commit has this name, and GitHub refuses to run it.
const NO_ACTION: &str = "OWNER/gatepost@0000000000000000000000000000000000000000";

/// What stands above the gates.
const HEAD: &str = "\
# The gates of this repository. Change them as you like; `gatepost schema config` and the README have every key.
#   gatepost plan     what would run, and why
#   gatepost run      runs the gates
#   gatepost doctor   what is missing here and on GitHub

";
/// The gate that looks at the workflows that are here.
const INTEGRITY: &str = "
# gates in workflows, package scripts and makefiles that cannot fail; shown until `mode` is taken away, then enforced
[gates.integrity]
kind = \"integrity\"
mode = \"report\"
";
/// What stands below them.
const TAIL: &str = "
# What is posted on GitHub; these are the defaults.
# [publish]
# checks = \"gates\"             # off | summary | gates
# comment = \"when-not-green\"   # off | when-not-green | always
";

/// Where gates are taken from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum From {
    /// Manifests and tools, as `gatepost run` does without a file.
    Detection,
    /// `.reviewdog.yml`.
    Reviewdog,
}

/// What `gatepost init` was asked for.
#[derive(Debug, Clone)]
pub struct Request {
    /// Where it was started, absolute.
    pub start: PathBuf,
    /// `--config`.
    pub config: Option<PathBuf>,
    /// `--from`.
    pub from: From,
    /// `--workflow`; `None`: no workflow.
    pub workflow: Option<Shape>,
    /// `--mode`.
    pub mode: Mode,
    /// `--action`.
    pub action: Option<String>,
    /// `--force`.
    pub force: bool,
    /// Whether problems of the configuration are shown in colour.
    pub colour: bool,
}

/// What would be written.
#[derive(Debug)]
pub struct Setup {
    /// The files, the configuration first.
    pub files: Vec<File>,
    /// What another tool has and is not carried over.
    pub left: Vec<Left>,
    /// Worth knowing before it is written.
    pub notes: Vec<String>,
    /// Takes secrets out of what is shown of it.
    pub masker: Masker,
}

/// One file.
#[derive(Debug)]
pub struct File {
    /// Where.
    pub path: PathBuf,
    /// Where, relative to the repository's root.
    pub shown: String,
    /// Its text.
    pub text: String,
    /// What is there now.
    pub standing: Standing,
}

/// What is there now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Nothing: it is new.
    New,
    /// The same.
    Same,
    /// Something else, which is kept.
    Kept,
    /// Something else, which `--force` overwrites.
    Replaced,
}

impl Standing {
    /// Whether the file is written.
    #[must_use]
    pub const fn is_written(self) -> bool {
        matches!(self, Self::New | Self::Replaced)
    }
}

/// Decides what would be written. Writes nothing.
///
/// # Errors
/// With exit code 2 when there is nothing to gate, or a configuration that stands is wrong.
pub fn setup(request: &Request, env: &Env) -> Result<Setup, Failure> {
    let workspace =
        env.get("GITHUB_WORKSPACE").filter(|_| env.get("GITHUB_ACTIONS") == Some("true")).map(PathBuf::from);
    let repo = Repo::discover(&request.start, workspace.as_deref())?;
    let root = files::real_path(repo.root()).unwrap_or_else(|| repo.root().to_owned());
    let start = files::real_path(&request.start).unwrap_or_else(|| request.start.clone());
    let place = Place { root: &root, start: &start, file: request.config.as_deref(), colour: request.colour };
    let (workflows, unread) = workflows(&root);
    let tracked = repo.tracked()?;
    let mut made = Made::new(&place, request, env, &workflows, &tracked)?;
    made.notes.extend(unread);
    let mut wanted = vec![(made.path.clone(), made.toml.take())];
    // A matcher's path counts from the configuration's folder.
    let folder = root.join(&made.project.folder);
    wanted.extend(made.files.drain(..).map(|(path, text)| (folder.join(path), Some(text))));
    if let Some(shape) = request.workflow {
        let (action, version) = action(request, &workflows, &mut made.notes)?;
        let (prepare, notes) = prepare(&made.project, &root, env, &tracked);
        made.notes.extend(notes);
        can_be_named(std::iter::once(&made.project.folder).chain(prepare.iter().map(|install| &install.dir)))?;
        let branch = repo.default_branch_name()?.unwrap_or_else(|| "main".to_owned());
        let project = &made.project;
        let written = template::files(&Wanted {
            shape,
            groups: &groups(project),
            publish: &project.config.publish,
            folder: &project.folder,
            branch: &branch,
            action: &action,
            version: &version,
            prepare: &prepare,
        });
        wanted.extend(written.into_iter().map(|(path, text)| (root.join(path), Some(text))));
    }
    let files = wanted.into_iter().map(|(path, text)| file(&root, path, text, request.force));
    let files = files.collect::<Result<_, Failure>>()?;
    let masker = project::masker(env, &made.project.config);
    Ok(Setup { files, left: made.left, notes: made.notes, masker })
}

/// Writes the files that are to be written, and gives back their names.
///
/// # Errors
/// When one cannot be written; those before it are.
pub fn write(setup: &Setup) -> Result<Vec<&str>, Failure> {
    let mut written = Vec::new();
    for file in setup.files.iter().filter(|file| file.standing.is_written()) {
        if let Some(folder) = file.path.parent() {
            files::make_dir(folder)?;
        }
        // What came between the question and the answer is not ours to overwrite.
        if file.standing == Standing::New && files::is_file(&file.path) {
            return Err(Failure::outside(format!("{} was made by someone else meanwhile", file.shown))
                .help("start gatepost init again"));
        }
        files::write(&file.path, file.text.as_bytes())?;
        written.push(file.shown.as_str());
    }
    Ok(written)
}

/// The configuration, and what it brings.
struct Made {
    project: Project,
    path: PathBuf,
    /// `None`: it stands already and is kept.
    toml: Option<String>,
    files: Vec<(String, String)>,
    left: Vec<Left>,
    notes: Vec<String>,
}

impl Made {
    fn new(
        place: &Place<'_>,
        request: &Request,
        env: &Env,
        workflows: &[Node],
        tracked: &[String],
    ) -> Result<Self, Failure> {
        let standing = if request.force { None } else { project::open(place)? };
        if let Some(project) = standing {
            if request.from == From::Reviewdog {
                return Err(Failure::usage("--from reviewdog: a gatepost.toml stands already, and is kept")
                    .help("--force overwrites it"));
            }
            let path = project::find(place)?.map(|(path, _)| path).unwrap_or_default();
            return Ok(Self { project, path, toml: None, files: Vec::new(), left: Vec::new(), notes: Vec::new() });
        }
        let Target { path, folder, note } = Target::of(place)?;
        let mut adopted = match request.from {
            From::Detection => {
                let survey = detected::survey(&place.root.join(&folder), env);
                let found = detect::detect(&Fresh::new(&survey, below(&folder, tracked)))?;
                Adopted { gates: found.gates, notes: found.notes, ..Adopted::default() }
            }
            From::Reviewdog => adopted(&place.root.join(&folder), workflows)?,
        };
        adopted.notes.extend(note);
        if request.mode == Mode::Report {
            for gate in &mut adopted.gates {
                gate.mode = Mode::Report;
            }
        }
        let named = adopted.gates.iter().any(|gate| gate.name == "integrity");
        let integrity = if workflows.is_empty() || named || !folder.is_empty() { "" } else { INTEGRITY };
        let toml = format!("{HEAD}{}{integrity}{TAIL}", adopted.to_toml());
        let source = Source::File("gatepost.toml".to_owned());
        let project = project::build(toml.as_bytes(), folder, source, &|_| None).map_err(|wrong| match wrong {
            Wrong::Text(problems) => Failure::bug(problems.render("what init would write", place.colour)).rendered(),
            Wrong::NoGates => no_gates(&adopted.left),
        })?;
        let Adopted { files, left, notes, .. } = adopted;
        Ok(Self { project, path, toml: Some(toml), files, left, notes })
    }
}

/// Where the configuration is written.
struct Target {
    path: PathBuf,
    /// The folder that it speaks of, whose gates it gets.
    folder: String,
    note: Option<String>,
}

impl Target {
    /// In the place of the file that speaks of the same folder, or that was named. One of a folder above is others' too, and left.
    fn of(place: &Place<'_>) -> Result<Self, Failure> {
        let path = place.start.join("gatepost.toml");
        let folder = project::spoken_of(place.root, &path)?;
        Ok(match project::find(place)? {
            Some((path, of)) if place.file.is_some() || of == folder => Self { path, folder: of, note: None },
            Some((above, _)) => {
                let shown = |path: &Path| path.strip_prefix(place.root).unwrap_or(path).display().to_string();
                let note =
                    format!("{} is left as it is; in {folder} {} is read in its place", shown(&above), shown(&path));
                Self { path, folder, note: Some(note) }
            }
            None => Self { path, folder, note: None },
        })
    }
}

/// Of tracked paths those in a folder, relative to it.
fn below(folder: &str, tracked: &[String]) -> BTreeSet<String> {
    let prefix = if folder.is_empty() { String::new() } else { format!("{folder}/") };
    tracked.iter().filter_map(|path| path.strip_prefix(&prefix)).map(str::to_owned).collect()
}

/// Whether a workflow can name these folders: GitHub would put something in for an expression.
fn can_be_named<'a>(folders: impl Iterator<Item = &'a String>) -> Result<(), Failure> {
    let Some(folder) = folders.into_iter().find(|folder| folder.contains("${{")) else { return Ok(()) };
    Err(Failure::usage(format!(
        "no workflow can name the folder {:?}: GitHub reads an expression in it",
        one_line(folder, 200)
    ))
    .help("rename it, or write only the configuration with --workflow none"))
}

/// What the workflow installs for the gates, and what it leaves alone.
fn prepare(project: &Project, root: &Path, env: &Env, tracked: &[String]) -> (Vec<Install>, Vec<String>) {
    let survey = detected::survey(&root.join(&project.folder), env);
    let fresh = Fresh::new(&survey, below(&project.folder, tracked));
    let used: Vec<Used> = project.gates.iter().filter_map(|gate| used(gate.common())).collect();
    let dirs: BTreeSet<&str> = used.iter().map(|one| one.dir.as_str()).collect();
    let untracked: Vec<String> = dirs.into_iter().flat_map(|dir| fresh.untracked_locks(dir)).collect();
    let note = |path: &String| format!("{path} is here and git does not have it: the workflow does without");
    (detect::prepare(&fresh, &used), untracked.iter().map(note).collect())
}

/// What a gate starts, and where.
fn used(common: &Common) -> Option<Used> {
    let command = common.command.as_ref()?;
    let (mut programs, _) = tools::programs(command);
    // The shell itself needs nothing.
    if matches!(command, CommandLine::Shell(_)) {
        programs.retain(|program| program.name != "bash");
    }
    let programs = programs.into_iter().map(|program| match program.by {
        By::Modules => format!("node_modules/.bin/{}", program.name),
        By::Path | By::File => program.name,
    });
    Some(Used { dir: common.dir.clone(), programs: programs.collect() })
}

fn no_gates(left: &[Left]) -> Failure {
    let named: Vec<String> = left.iter().map(|left| format!("{}: {}", left.name, left.why)).collect();
    Failure::usage(format!("no runner of reviewdog's can be carried over: {}", named.join("; ")))
        .help("write a gatepost.toml with a section such as [gates.lint], or run `gatepost init` without --from")
}

/// What reviewdog runs, with the flags by which the workflows call it.
fn adopted(folder: &Path, workflows: &[Node]) -> Result<Adopted, Failure> {
    let Some(name) = REVIEWDOG.iter().find(|name| files::is_file(&folder.join(name))) else {
        return Err(Failure::usage(format!("--from reviewdog: there is no {} here", REVIEWDOG.join(", ")))
            .help("start gatepost where .reviewdog.yml is, or give the folder by -C"));
    };
    let bytes = files::read_capped(&folder.join(name), LARGEST)
        .ok_or_else(|| Failure::usage(format!("{name} cannot be read, or is larger than {} MiB", LARGEST >> 20)))?;
    let mut flags = Flags::default();
    for step in workflows.iter().flat_map(steps) {
        flags.see(step.get("run").and_then(Node::text).unwrap_or_default());
        if step.get("uses").and_then(Node::text).is_some_and(|uses| uses.starts_with("reviewdog/")) {
            flags.see_inputs(step.get("with").unwrap_or(step));
        }
    }
    Ok(reviewdog::adopt(&String::from_utf8_lossy(&bytes), name, &flags)?)
}

/// The workflows that can be read, and a note for each that cannot. What is wrong with it is doctor's to say.
fn workflows(root: &Path) -> (Vec<Node>, Vec<String>) {
    let listed = files::list(&root.join(".github/workflows")).unwrap_or_default();
    let yaml = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "yml" || extension == "yaml");
    let (mut read, mut unread) = (Vec::new(), Vec::new());
    for path in listed.into_iter().filter(yaml) {
        let text = files::read_capped(&path, LARGEST);
        if let Some(workflow) = text.and_then(|text| yaml::read(&String::from_utf8_lossy(&text)).ok()) {
            read.push(workflow);
        } else {
            let shown = path.strip_prefix(root).unwrap_or(&path).display().to_string();
            unread.push(format!("{} cannot be read: what it does is left out here", one_line(&shown, 200)));
        }
    }
    (read, unread)
}

fn steps(workflow: &Node) -> impl Iterator<Item = &Node> {
    let jobs = workflow.get("jobs").map(Node::entries).unwrap_or_default();
    jobs.iter().filter_map(|(_, job)| job.get("steps")).flat_map(Node::items)
}

/// Which commit of the action: given, or what the workflows have already.
fn action(request: &Request, workflows: &[Node], notes: &mut Vec<String>) -> Result<(String, String), Failure> {
    let version = format!("v{}", env!("CARGO_PKG_VERSION"));
    if let Some(given) = &request.action {
        return if is_pinned(given) {
            Ok((given.clone(), version))
        } else {
            let shown = crate::model::text::one_line(given, 80);
            Err(Failure::usage(format!("--action {shown}: expected OWNER/NAME@COMMIT with a full commit id"))
                .help("a tag can be moved to other code; the release's page names its commit"))
        };
    }
    let mut used = workflows.iter().flat_map(steps).filter_map(|step| step.get("uses")?.text());
    if let Some(pinned) = used.find(|uses| is_pinned(uses) && uses.contains("/gatepost@")) {
        return Ok((pinned.to_owned(), "as the other workflows have it".to_owned()));
    }
    notes.push(
        "which commit of gatepost's action to use is not known here: put it in place of `OWNER/gatepost@0000…`, or give \
         it by --action OWNER/gatepost@COMMIT"
            .to_owned(),
    );
    Ok((NO_ACTION.to_owned(), version))
}

fn is_pinned(action: &str) -> bool {
    let Some((name, commit)) = action.split_once('@') else { return false };
    let word = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
    let named = name.split('/').count() >= 2 && name.split('/').all(word);
    named && commit.len() == 40 && commit.chars().all(|c| c.is_ascii_hexdigit())
}

/// Gates that belong together because one needs the other, in configuration order.
fn groups(project: &Project) -> Vec<Vec<String>> {
    let nodes = project.graph.nodes();
    let mut group: Vec<usize> = (0..nodes.len()).collect();
    for (at, node) in nodes.iter().enumerate() {
        for need in &node.needs {
            let (one, other) = (group[at].min(group[*need]), group[at].max(group[*need]));
            group.iter_mut().filter(|number| **number == other).for_each(|number| *number = one);
        }
    }
    let named = |number: usize| -> Vec<String> {
        let members = nodes.iter().zip(&group).filter(|(_, of)| **of == number);
        members.map(|(node, _)| node.name.to_string()).collect()
    };
    (0..nodes.len()).map(named).filter(|members| !members.is_empty()).collect()
}

/// A file as it would be written; without a text it stands and is kept.
fn file(root: &Path, path: PathBuf, text: Option<String>, force: bool) -> Result<File, Failure> {
    let shown = path.strip_prefix(root).unwrap_or(&path).display().to_string();
    let there = if files::size(&path).is_some() { Some(files::read(&path)?) } else { None };
    let standing = match (&there, &text) {
        (None, _) => Standing::New,
        (Some(there), Some(text)) if there == text.as_bytes() => Standing::Same,
        (Some(_), Some(_)) if force => Standing::Replaced,
        (Some(_), _) => Standing::Kept,
    };
    let text = text.unwrap_or_else(|| String::from_utf8_lossy(&there.unwrap_or_default()).into_owned());
    Ok(File { path, shown, text, standing })
}
