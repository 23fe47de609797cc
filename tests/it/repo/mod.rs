//! What changed, on real repositories that each test builds with the git program.

mod base;
mod change;
mod lines;
mod occasion;
mod surroundings;
mod walks;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use gatepost::model::change::{ChangeSet, LineRange};
use gatepost::model::event::Occasion;
use gatepost::model::sha::Sha;
use gatepost::world::repo::{BaseAnswer, BaseRequest, Change, Repo};

/// A work tree in a temporary folder.
pub struct Tree {
    pub dir: PathBuf,
    _keeps: Option<tempfile::TempDir>,
}

impl Tree {
    /// An empty repository on branch `main`.
    pub fn new() -> Self {
        let temp = tempfile::tempdir().unwrap();
        let dir = temp.path().join("shop");
        std::fs::create_dir(&dir).unwrap();
        let tree = Self { dir, _keeps: Some(temp) };
        tree.git(&["init", "--quiet", "--initial-branch=main"]);
        tree
    }

    /// An empty repository on branch `main` in a folder that is there.
    #[cfg(unix)]
    pub fn in_folder(dir: &Path) -> Self {
        let tree = Self { dir: dir.to_owned(), _keeps: None };
        tree.git(&["init", "--quiet", "--initial-branch=main"]);
        tree
    }

    /// Another work tree beside this one, made by a git command that is given its path last.
    pub fn beside(&self, name: &str, command: &[&str]) -> Self {
        let dir = self.dir.with_file_name(name);
        self.git(&[command, &[dir.to_str().unwrap()]].concat());
        Self { dir, _keeps: None }
    }

    pub fn url(&self) -> String {
        format!("file://{}", self.dir.display())
    }

    pub fn git(&self, arguments: &[&str]) -> String {
        git_in(&self.dir, arguments)
    }

    pub fn write(&self, path: &str, content: impl AsRef<[u8]>) -> &Self {
        let path = self.dir.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
        self
    }

    /// Stages and commits everything.
    pub fn commit(&self, message: &str) -> Sha {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--allow-empty", "-m", message]);
        self.sha("HEAD")
    }

    pub fn sha(&self, name: &str) -> Sha {
        Sha::parse(self.git(&["rev-parse", name]).trim()).unwrap()
    }

    fn open(&self) -> Repo {
        Repo::discover(&self.dir, None).unwrap()
    }

    /// The same repository so that libgit2 refuses it and the git program reads it.
    fn open_by_program(&self) -> Repo {
        self.git(&["config", "core.repositoryformatversion", "1"]);
        self.git(&["config", "extensions.partialClone", "nowhere"]);
        assert!(git2::Repository::open(&self.dir).is_err());
        self.open()
    }

    /// The change as both readers see it; they must agree.
    fn change(&self, base: Option<&Sha>, occasion: &Occasion) -> Change {
        let by_library = self.open().change(base, occasion).unwrap();
        let by_program = self.open_by_program().change(base, occasion).unwrap();
        assert_eq!(by_library, by_program, "libgit2 and the git program disagree");
        by_library
    }

    fn base(&self, occasion: &Occasion, asked: Option<&str>) -> BaseAnswer {
        self.open().base(&BaseRequest { occasion, asked, merge_base: None }).unwrap()
    }
}

pub fn git_in(dir: &Path, arguments: &[&str]) -> String {
    let output = git_ended(dir, arguments);
    assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Whether what follows is to run here: as a user whom the system refuses things. Root's process has another one run the
/// test of this name, and that must pass.
#[cfg(unix)]
pub fn as_nobody(test: &str) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    use std::os::unix::process::CommandExt as _;
    const NOBODY: u32 = 65_534;
    if !nix::unistd::Uid::effective().is_root() {
        return true;
    }
    // Where the program lies that user may not come to.
    let temp = tempfile::Builder::new().permissions(std::fs::Permissions::from_mode(0o755)).tempdir().unwrap();
    let (own, program) = (std::env::current_exe().unwrap(), temp.path().join("it"));
    std::fs::hard_link(&own, &program).or_else(|_| std::fs::copy(&own, &program).map(|_| ())).unwrap();
    let ran = Command::new(&program)
        .args(["--exact", test])
        .uid(NOBODY)
        .gid(NOBODY)
        .env("HOME", "/nonexistent")
        .env("TMPDIR", "/tmp")
        .current_dir("/")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&ran.stdout);
    assert!(ran.status.success() && said.contains("1 passed"), "{said}{}", String::from_utf8_lossy(&ran.stderr));
    false
}

/// How git ended, well or not.
pub fn git_ended(dir: &Path, arguments: &[&str]) -> Output {
    Command::new("git")
        .args(["-c", "protocol.file.allow=always"])
        .args(arguments)
        .current_dir(dir)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .envs([
            ("HOME", "/nonexistent"),
            ("GIT_CONFIG_GLOBAL", "/dev/null"),
            ("GIT_CONFIG_NOSYSTEM", "1"),
            ("GIT_AUTHOR_NAME", "Ada"),
            ("GIT_AUTHOR_EMAIL", "ada@example.org"),
            ("GIT_AUTHOR_DATE", "2026-01-02T03:04:05Z"),
            ("GIT_COMMITTER_NAME", "Ada"),
            ("GIT_COMMITTER_EMAIL", "ada@example.org"),
            ("GIT_COMMITTER_DATE", "2026-01-02T03:04:05Z"),
            ("LC_ALL", "C"),
        ])
        .output()
        .unwrap()
}

/// An event on Actions about `head`.
fn event(name: &str, head: &Sha, base: Option<&Sha>) -> Occasion {
    Occasion {
        event: name.to_owned(),
        on_actions: true,
        pull_request: name.starts_with("pull_request").then_some(7),
        head: Some(head.clone()),
        base: base.cloned(),
        ..Occasion::local()
    }
}

/// One line per file: kind, path, where it was, and what was added.
fn show(set: &ChangeSet) -> Vec<String> {
    let range = |range: &LineRange| match *range {
        LineRange::WHOLE => "whole".to_owned(),
        LineRange { start, end } if start == end => start.to_string(),
        LineRange { start, end } => format!("{start}-{end}"),
    };
    set.files
        .iter()
        .map(|(path, file)| {
            let old = file.old_path.as_ref().map_or(String::new(), |old| format!(" from {old}"));
            let binary = if file.binary { " binary" } else { "" };
            let added: Vec<String> = file.added.iter().map(range).collect();
            format!("{:?} {path}{old}{binary} [{}]", file.kind, added.join(" "))
        })
        .collect()
}

pub fn numbered(lines: u32) -> String {
    (1..=lines).map(|line| format!("line {line}\n")).collect::<Vec<_>>().concat()
}
