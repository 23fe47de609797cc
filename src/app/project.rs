//! What is configured where a command was started: the file is found, and its text made into gates and their graph.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::app::{Failure, secrets};
use crate::config::{self, Config, DeployerRow, KindRow, Known, NotifierRow, Problem, Problems};
use crate::deploy;
use crate::gate::{self, Gate};
use crate::mask::Masker;
use crate::model::gate::GateName;
use crate::model::path::RepoPath;
use crate::notify;
use crate::parse;
use crate::schedule::{Graph, Node};
use crate::world::env::Env;
use crate::world::files::{self, Standing};
use crate::world::repo::Repo;

/// Where the configuration may stand in a folder.
pub const NAMES: [&str; 2] = ["gatepost.toml", ".github/gatepost.toml"];

/// What is configured.
pub struct Project {
    /// `[run]` and `[publish]`, and the text of the file.
    pub config: Config,
    /// In configuration order.
    pub gates: Vec<Box<dyn Gate>>,
    /// The gates and their needs.
    pub graph: Graph,
    /// Where the configuration stands in the repository; the folder, where the gates were detected.
    pub place: String,
    /// The folder of the configuration, relative to the repository's root; `""` is the root.
    pub folder: String,
    /// Where the settings come from.
    pub source: Source,
    /// How many gates of the configuration were not selected.
    pub left_out: usize,
}

/// Where settings come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A file, as a person would name it.
    File(String),
    /// Detection.
    Detected {
        /// By gate: what it was decided by.
        evidence: BTreeMap<String, String>,
        /// What was seen and makes no gate.
        notes: Vec<String>,
        /// The same as a gatepost.toml.
        toml: String,
    },
}

/// Where to look.
#[derive(Debug, Clone)]
pub struct Place<'a> {
    /// The repository's root, without links.
    pub root: &'a Path,
    /// Where the command was started, at or below the root.
    pub start: &'a Path,
    /// `--config`.
    pub file: Option<&'a Path>,
    /// Whether problems are shown in colour.
    pub colour: bool,
}

/// Every kind and format that exists, for the configuration's words.
pub fn with_known<T>(use_it: impl FnOnce(&Known<'_>) -> T) -> T {
    let kinds: Vec<KindRow> = gate::ALL.iter().map(|kind| kind.row).collect();
    let formats: Vec<&str> = parse::ALL.iter().map(|format| format.name).filter(|name| *name != "matcher").collect();
    let deployers: Vec<DeployerRow> = deploy::ALL.iter().map(|deployer| deployer.row).collect();
    let notifiers: Vec<NotifierRow> = notify::ALL.iter().map(|notifier| notifier.row).collect();
    use_it(&Known { kinds: &kinds, deployers: &deployers, notifiers: &notifiers, formats: &formats })
}

/// Reads the configuration; `None` when there is no file.
///
/// # Errors
/// With exit code 2: everything that is wrong with the file, a cycle, no gate at all.
pub fn open(place: &Place<'_>) -> Result<Option<Project>, Failure> {
    let Some((path, folder)) = find(place)? else { return Ok(None) };
    let shown = path.strip_prefix(place.start).or_else(|_| path.strip_prefix(place.root)).unwrap_or(&path);
    let shown = shown.display().to_string();
    let bytes = files::read(&path).map_err(|error| Failure::usage(error.to_string()))?;
    let project = build(&bytes, folder, Source::File(shown.clone()), &|_| None);
    let project = project.map(|project| Project { place: in_repository(place, &path), ..project });
    project.map(Some).map_err(|problems| match problems {
        Wrong::Text(problems) => Failure::usage(problems.render(&shown, place.colour)).rendered(),
        Wrong::NoGates => Failure::usage(format!("{shown}: {}", config::NO_GATES)),
    })
}

/// A file's path in the repository, with `/`; elsewhere its whole path.
fn in_repository(place: &Place<'_>, path: &Path) -> String {
    path.strip_prefix(place.root).unwrap_or(path).to_string_lossy().replace('\\', "/")
}

/// Reads the configuration alone, whose gates are not run; with its path in the repository and the folder it stands in, `""` for
/// the root.
///
/// # Errors
/// With exit code 2: everything that is wrong with the file.
pub fn read(place: &Place<'_>) -> Result<Option<(Config, String, String)>, Failure> {
    let Some((path, folder)) = find(place)? else { return Ok(None) };
    let shown = in_repository(place, &path);
    let bytes = files::read(&path).map_err(|error| Failure::usage(error.to_string()))?;
    let config = with_known(|known| config::read(&bytes, known));
    config
        .map_err(|wrong| Failure::usage(wrong.render(&shown, place.colour)).rendered())
        .map(|config| Some((config, shown, folder)))
}

/// Takes what the configuration names as secret, or gives to gates on purpose, out of what is shown.
#[must_use]
pub fn masker(env: &Env, config: &Config) -> Masker {
    secrets::masker(env, &[secrets(config), config.run.pass_env.clone()].concat())
}

/// The variables that are named as secrets: gates get none of them, and they are shown nowhere.
#[must_use]
pub fn secrets(config: &Config) -> Vec<String> {
    let of_means = |means: &config::Means| {
        let made = deploy::find(means.name).and_then(|kind| (kind.settle)(&means.own).ok());
        made.map(|deployer| deployer.secrets()).unwrap_or_default()
    };
    let all = config.environments.iter().flat_map(|environment| {
        let means = std::iter::once(&environment.deploy).chain(&environment.rollback);
        means.flat_map(of_means).chain(environment.settings.secrets.iter().cloned()).collect::<Vec<_>>()
    });
    all.chain(config.secrets.iter().cloned()).collect()
}

/// Why a configuration cannot be used.
pub enum Wrong {
    /// Things in its text.
    Text(Problems),
    /// It has no gate.
    NoGates,
}

/// Makes a project of a configuration's text. `label` is what is said of a gate beside its outcome.
///
/// # Errors
/// Everything that is wrong with the text.
pub fn build(
    bytes: &[u8],
    folder: String,
    source: Source,
    label: &dyn Fn(&str) -> Option<String>,
) -> Result<Project, Wrong> {
    let mut config = with_known(|known| config::read(bytes, known)).map_err(Wrong::Text)?;
    if config.gates.is_empty() {
        return Err(Wrong::NoGates);
    }
    let graph = graph(&config).map_err(Wrong::Text)?;
    let mut gates = Vec::new();
    let mut problems = Vec::new();
    for gate in &mut config.gates {
        settle(&mut gate.common, &folder);
        gate.common.label = label(gate.common.name.as_str());
        let Some(kind) = gate::find(&gate.common.kind) else { continue };
        match (kind.settle)(gate.common.clone(), &gate.own) {
            Ok(gate) => gates.push(gate),
            Err(wrong) => problems.extend(wrong),
        }
    }
    if problems.is_empty() {
        Ok(Project { config, gates, graph, place: folder.clone(), folder, source, left_out: 0 })
    } else {
        Err(Wrong::Text(Problems::new(Arc::clone(&config.source), problems)))
    }
}

/// Paths of a configuration in a subfolder count from there.
fn settle(common: &mut crate::model::settings::Common, folder: &str) {
    if folder.is_empty() {
        return;
    }
    let below = |path: &str| if path.is_empty() { folder.to_owned() } else { format!("{folder}/{path}") };
    common.dir = below(&common.dir);
    for pattern in &mut common.paths {
        *pattern = format!("{}/{pattern}", globset::escape(folder));
    }
    if let Some(file) = common.format.as_deref().and_then(|format| format.strip_prefix("matcher:")) {
        common.format = Some(format!("matcher:{}", below(file)));
    }
}

fn graph(config: &Config) -> Result<Graph, Problems> {
    let place = |name: &GateName| config.gates.iter().position(|gate| gate.common.name == *name);
    let nodes = config.gates.iter().map(|gate| Node {
        name: gate.common.name.clone(),
        needs: gate.common.needs.iter().filter_map(place).collect(),
        retries: gate.common.retries,
    });
    Graph::new(nodes.collect()).map_err(|cycle| {
        let span = cycle.names.first().and_then(place).map(|at| config.gates[at].needs_at.clone()).unwrap_or_default();
        Problems::new(Arc::clone(&config.source), vec![Problem::new(span, cycle.to_string())])
    })
}

impl Project {
    /// What is to be said before the gates run: what was detected, and by what.
    #[must_use]
    pub fn said(&self) -> Vec<String> {
        match &self.source {
            Source::File(_) => Vec::new(),
            Source::Detected { evidence, notes, .. } => {
                let mut said = vec!["no gatepost.toml: these gates were detected".to_owned()];
                let name = |gate: &dyn Gate| gate.common().name.to_string();
                let found = self.gates.iter().filter_map(|gate| evidence.get_key_value(&name(&**gate)));
                said.extend(found.map(|(gate, why)| format!("{gate}: detected from {why}")));
                said.extend(notes.iter().cloned());
                said
            }
        }
    }

    /// Leaves only the named gates and those they need; all of them where none is named.
    ///
    /// # Errors
    /// With exit code 2 when a name is none of the gates'.
    pub fn select(&mut self, names: &[String]) -> Result<(), Failure> {
        if names.is_empty() {
            return Ok(());
        }
        self.known(names)?;
        let all: Vec<&str> = self.gates.iter().map(|gate| gate.common().name.as_str()).collect();
        let mut wanted: Vec<usize> =
            names.iter().filter_map(|name| all.iter().position(|other| other == name)).collect();
        let mut at = 0;
        while at < wanted.len() {
            for need in &self.graph.nodes()[wanted[at]].needs {
                if !wanted.contains(need) {
                    wanted.push(*need);
                }
            }
            at += 1;
        }
        self.keep(&wanted);
        Ok(())
    }

    /// Whether every name is a gate's.
    ///
    /// # Errors
    /// With exit code 2 for the first that is not, with the nearest one.
    pub fn known(&self, names: &[String]) -> Result<(), Failure> {
        let all: Vec<&str> = self.gates.iter().map(|gate| gate.common().name.as_str()).collect();
        let Some(wrong) = names.iter().find(|name| !all.contains(&name.as_str())) else { return Ok(()) };
        let shown = crate::model::text::one_line(wrong, 80);
        Err(Failure::usage(format!("there is no gate named {shown:?}")).help(config::advice(wrong, &all)))
    }

    fn keep(&mut self, wanted: &[usize]) {
        self.left_out += self.gates.len() - wanted.len();
        let mut at = 0;
        self.gates.retain(|_| {
            at += 1;
            wanted.contains(&(at - 1))
        });
        self.config.gates.retain(|gate| self.gates.iter().any(|kept| kept.common().name == gate.common.name));
        if let Ok(graph) = graph(&self.config) {
            self.graph = graph;
        }
    }
}

/// A folder relative to the root, with `/`; `""` is the root.
///
/// # Errors
/// With exit code 2 when it is not below the root, or has a name that no configuration could have: gates of it must not run
/// in the root's place.
pub fn folder(root: &Path, folder: &Path) -> Result<String, Failure> {
    let below = folder.strip_prefix(root).ok().and_then(Path::to_str);
    // Elsewhere than on Windows it is a part of a name, and would lead to another folder.
    let below = below.filter(|below| cfg!(windows) || !below.contains('\\')).map(|below| below.replace('\\', "/"));
    let clean = below.filter(|below| below.is_empty() || RepoPath::parse(below).is_ok());
    clean.ok_or_else(|| {
        Failure::usage(format!("{} is no folder that gates could run in", folder.display()))
            .help("its name must be UTF-8, without `\\` and control characters: rename it, or start gatepost elsewhere")
    })
}

/// The folder that a configuration speaks of, relative to the root: the one that it stands in, or that has its `.github`. One
/// from elsewhere speaks of the root.
///
/// # Errors
/// As [`folder`].
pub fn spoken_of(root: &Path, file: &Path) -> Result<String, Failure> {
    let Some(standing) = file.parent().filter(|standing| standing.starts_with(root)) else { return Ok(String::new()) };
    let above = standing.parent().filter(|_| standing != root && standing.ends_with(".github"));
    folder(root, above.unwrap_or(standing))
}

/// The configuration's path and folder: `--config`, or the nearest from the start up to the root.
///
/// # Errors
/// With exit code 2 when `--config` names no file, or what stands at the place of one is none: nothing may stand in for it.
pub fn find(place: &Place<'_>) -> Result<Option<(PathBuf, String)>, Failure> {
    if let Some(file) = place.file {
        let path = place.start.join(file);
        if !files::is_file(&path) {
            return Err(Failure::usage(format!("there is no configuration file {}", path.display()))
                .help("--config is relative to where gatepost is started, or to -C"));
        }
        // A link speaks of the folder that it stands in, as it does where it is found without being named.
        let parent = path.parent().and_then(files::real_path);
        let whole = parent.zip(path.file_name()).map_or(path.clone(), |(parent, name)| parent.join(name));
        let folder = spoken_of(place.root, &whole)?;
        return Ok(Some((whole, folder)));
    }
    let mut folder = place.start;
    loop {
        for path in NAMES.map(|name| folder.join(name)) {
            if is_there(place, &path)? {
                let folder = spoken_of(place.root, &path)?;
                return Ok(Some((path, folder)));
            }
        }
        match folder.parent() {
            Some(parent) if folder != place.root => folder = parent,
            _ => return Ok(None),
        }
    }
}

fn is_there(place: &Place<'_>, path: &Path) -> Result<bool, Failure> {
    let standing = match files::standing(path) {
        Ok(Standing::Nothing) => return Ok(false),
        // `.github` is one.
        Err(error) if error.source.kind() == ErrorKind::NotADirectory => return Ok(false),
        Err(error) => return Err(Failure::usage(error.to_string())),
        Ok(_) if files::is_file(path) => return Ok(true),
        Ok(standing) => standing,
    };
    let is = match standing {
        Standing::Folder => "a folder",
        _ if files::stands(path) => "no plain file",
        _ => "a link to nothing",
    };
    let shown = in_repository(place, path);
    Err(Failure::usage(format!("{shown} is {is}")).help("put the configuration there, or name its file by --config"))
}

/// The second configuration of the folder in which `found` was found without being named: it is not read.
#[must_use]
pub fn unread(place: &Place<'_>, found: &Project) -> Option<String> {
    let second = found.place.strip_suffix(NAMES[0]).map(|folder| format!("{folder}{}", NAMES[1]));
    second.filter(|second| place.file.is_none() && files::is_file(&place.root.join(second)))
}

/// The configuration that the commit has nearer than the one that was found, and the work tree has not.
///
/// # Errors
/// When the commit cannot be read.
pub fn absent(place: &Place<'_>, repo: &Repo, found: &Project) -> Result<Option<String>, Failure> {
    let Some(head) = repo.head()?.filter(|_| place.file.is_none()) else { return Ok(None) };
    let is_found = |path: &str| matches!(found.source, Source::File(_)) && found.place == path;
    for folder in place.start.ancestors().take_while(|folder| folder.starts_with(place.root)) {
        for path in NAMES.map(|name| in_repository(place, &folder.join(name))) {
            if is_found(&path) {
                return Ok(None);
            }
            if let Ok(known) = RepoPath::parse(&path)
                && repo.read_blob(&head, &known)?.is_some()
            {
                return Ok(Some(path));
            }
        }
    }
    Ok(None)
}
