//! Reads a repository through the git program: partial clones, sparse checkouts, SHA-256, reftable, and folders of
//! another owner inside a trusted workspace.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use crate::diff::{Content, Entry, Hunk, Side, patch};
use crate::model::sha::Sha;
use crate::world::files;
use crate::world::process::CancelToken;

use super::error::RepoError;
use super::git_program::{FETCH_LIMIT, GitError, GitProgram, Output, READ_LIMIT};
use super::reader::{CONVERTING, Ignored, Names, Passed, Reader, Seen, Stored, Tree, Unwatched, os_path};

/// How many paths are given to git at a time.
const ARGUMENTS: usize = 500;

/// A repository that the git program can open.
pub(super) struct Program {
    git: GitProgram,
    root: PathBuf,
}

fn failed(action: &str) -> impl FnOnce(GitError) -> RepoError {
    let action = action.to_owned();
    move |source| RepoError::Git { action, source }
}

fn line(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim_end().to_owned()
}

impl Program {
    pub(super) fn new(root: &Path, trusted: Option<&OsStr>) -> Self {
        Self { git: GitProgram::new(root, trusted), root: root.to_owned() }
    }

    /// From now on what git is waited for ends with `cancel`.
    pub(super) fn heed(&mut self, cancel: &CancelToken) {
        self.git.heed(cancel);
    }

    /// The root of the work tree that `start` is in, `None` for a bare repository.
    pub(super) fn find_root(start: &Path, trusted: Option<&OsStr>) -> Result<Option<PathBuf>, RepoError> {
        let git = GitProgram::new(start, trusted);
        let asked = ["rev-parse", "--is-bare-repository", "--show-toplevel"];
        let failed = failed("open the repository");
        let output = git.run(&asked, READ_LIMIT).map_err(failed)?;
        if output.stdout.starts_with(b"true") {
            return Ok(None);
        }
        let text = output.success().map_err(self::failed("open the repository"))?;
        let root = text.strip_prefix(b"false\n").unwrap_or(&text);
        Ok(os_path(root.strip_suffix(b"\n").unwrap_or(root)).map(Path::to_owned))
    }

    fn run<A: AsRef<OsStr>>(&self, action: &str, arguments: &[A]) -> Result<Output, RepoError> {
        self.git.run(arguments, READ_LIMIT).map_err(failed(action))
    }

    fn success<A: AsRef<OsStr>>(&self, action: &str, arguments: &[A]) -> Result<Vec<u8>, RepoError> {
        self.run(action, arguments)?.success().map_err(failed(action))
    }

    /// Fetches one commit from `origin`: alone into a shallow clone, else with the history that is missing.
    pub(super) fn fetch(&self, commit: &Sha, alone: bool) -> Result<(), RepoError> {
        let action = format!("fetch the commit {}", commit.short());
        let mut arguments = vec!["fetch", "--quiet", "--no-tags", "--no-recurse-submodules", "--no-write-fetch-head"];
        if alone {
            arguments.push("--depth=1");
        }
        arguments.extend(["--", "origin", commit.as_str()]);
        let output = self.git.run(&arguments, FETCH_LIMIT).map_err(failed(&action))?;
        output.success().map_err(failed(&action)).map(|_| ())
    }

    /// The commit that a branch of `origin` is at now, `None` where it has no such branch.
    pub(super) fn remote_branch(&self, branch: &str) -> Result<Option<Sha>, RepoError> {
        let action = format!("ask origin for the branch {branch:?}");
        let name = format!("refs/heads/{branch}");
        let output = self.git.run(&["ls-remote", "--exit-code", "--", "origin", &name], FETCH_LIMIT);
        let listed = output.and_then(|output| output.success_unless(2)).map_err(failed(&action))?;
        // Git takes the name for a pattern that a name's end may match: `a/refs/heads/main` is listed too.
        let text = String::from_utf8_lossy(&listed.unwrap_or_default()).into_owned();
        let mut refs = text.lines().filter_map(|line| line.split_once('\t'));
        refs.find(|(_, found)| *found == name).map(|(sha, _)| Ok(Sha::parse(sha)?)).transpose()
    }

    /// Of these paths, those whose files differ from a commit's for git, which converts them as it stored them.
    pub(super) fn differing(&self, base: &Sha, paths: &[&[u8]]) -> Result<BTreeSet<Vec<u8>>, RepoError> {
        let mut found = BTreeSet::new();
        for some in paths.chunks(ARGUMENTS) {
            let asked =
                ["diff", "--name-only", "-z", "--no-renames", "--no-ext-diff", "--no-relative", base.as_str(), "--"];
            let asked = asked.into_iter().map(OsString::from);
            let paths = some.iter().filter_map(|path| {
                let mut name = OsString::from(":(top,literal)");
                name.push(os_path(path)?);
                Some(name)
            });
            let asked: Vec<OsString> = asked.chain(paths).collect();
            found.extend(fields(&self.success("compare with the base", &asked)?));
        }
        Ok(found)
    }

    fn untracked(&self) -> Result<Vec<Vec<u8>>, RepoError> {
        let listed =
            self.success("list untracked files", &["ls-files", "--others", "--exclude-standard", "-z", "--full-name"])?;
        Ok(fields(&listed))
    }

    /// The folder that all work trees share.
    pub(super) fn common_dir(&self) -> Result<PathBuf, RepoError> {
        let found = self.success("find the git directory", &["rev-parse", "--git-common-dir"])?;
        Ok(self.root.join(line(&found)))
    }

    /// The paths of an index whose files in the work tree are others, as far as git looks at them.
    pub(super) fn unstaged(&self, index: &Path) -> Result<Vec<Vec<u8>>, RepoError> {
        let failed = failed("compare the work tree with what is staged");
        let asked = ["diff", "--name-only", "-z", "--no-ext-diff", "--no-textconv", "--ignore-submodules=dirty"];
        let listed = self.git.with_index(index).run(&asked, READ_LIMIT).and_then(Output::success).map_err(failed)?;
        Ok(fields(&listed))
    }

    /// The paths of an index that git is told not to look at.
    pub(super) fn unwatched_in(&self, index: &Path) -> Result<Vec<Unwatched>, RepoError> {
        unwatched(&self.git.with_index(index))
    }

    /// A file's or link's content in an index, `None` where it has none.
    pub(super) fn staged(&self, index: &Path, path: &[u8]) -> Result<Option<Vec<u8>>, RepoError> {
        let Some(path) = os_path(path) else { return Ok(None) };
        let mut name = OsString::from(":0:");
        name.push(path);
        let action = format!("read what is staged of {}", path.display());
        let git = self.git.with_index(index);
        let asked = ["cat-file", "-t"].map(OsString::from);
        let kind = git.run(&[asked.as_slice(), &[name.clone()]].concat(), READ_LIMIT).map_err(failed(&action))?;
        if kind.code != Some(0) || line(&kind.stdout) != "blob" {
            return Ok(None);
        }
        let asked = [OsString::from("cat-file"), "blob".into(), name];
        git.run(&asked, READ_LIMIT).and_then(Output::success).map(Some).map_err(failed(&action))
    }

    /// The commits that `to` has and `from` has not, newest first.
    pub(super) fn log(&self, from: &Sha, to: &Sha, most: usize) -> Result<Vec<Passed>, RepoError> {
        let action = format!("list the commits from {} to {}", from.short(), to.short());
        let (most, range) = (format!("--max-count={most}"), format!("{from}..{to}"));
        let listed = self.success(&action, &["log", "--format=%H%x09%s", &most, &range, "--"])?;
        let text = String::from_utf8_lossy(&listed).into_owned();
        let passed = text.lines().filter_map(|line| line.split_once('\t')).map(|(sha, subject)| {
            Ok(Passed { sha: Sha::parse(sha)?, subject: crate::model::text::one_line(subject, 120) })
        });
        passed.collect()
    }

    /// Branches that contain a commit, and tags that are at it.
    pub(super) fn names_of(&self, commit: &Sha) -> Result<Names, RepoError> {
        let action = format!("find the branches with {}", commit.short());
        let list = |filter: &str, place: &str| {
            let asked = ["for-each-ref", "--format=%(refname)", filter, place];
            self.success(&action, &asked).map(|listed| line(&listed).lines().map(str::to_owned).collect::<Vec<_>>())
        };
        let below = |place: &str, all: Vec<String>| {
            let short = all.iter().filter_map(|name| name.strip_prefix(place)).filter(|name| *name != "HEAD");
            short.map(str::to_owned).collect::<Vec<_>>()
        };
        let contains = format!("--contains={commit}");
        let of_origin = below("refs/remotes/origin/", list(&contains, "refs/remotes/origin/")?);
        let mut branches = below("refs/heads/", list(&contains, "refs/heads/")?);
        branches.extend(of_origin.iter().cloned());
        branches.sort();
        branches.dedup();
        let tags = below("refs/tags/", list(&format!("--points-at={commit}"), "refs/tags/")?);
        Ok(Names { branches, of_origin, tags })
    }

    /// Adds a work tree at a commit.
    pub(super) fn add_tree(&self, commit: &Sha, folder: &Path) -> Result<(), RepoError> {
        let action = format!("check out {} beside the work tree", commit.short());
        let asked = ["worktree", "add", "--detach", "--force", "--quiet"].map(OsString::from);
        let asked = [asked.as_slice(), &[folder.into(), commit.as_str().into()]].concat();
        self.success(&action, &asked).map(|_| ())
    }

    /// Takes a work tree away, and what git remembers of it.
    pub(super) fn remove_tree(&self, folder: &Path) -> Result<(), RepoError> {
        files::remove(folder)?;
        // Not `prune`: other work trees may be out of sight for a while, as those on a disk that is not mounted.
        let asked = ["worktree", "remove", "--force", "--force", "--"].map(OsString::from);
        self.success("forget a work tree", &[asked.as_slice(), &[folder.into()]].concat()).map(|_| ())
    }

    fn empty_tree(&self) -> Result<String, RepoError> {
        self.success("name the empty tree", &["hash-object", "-t", "tree", "--stdin"]).map(|id| line(&id))
    }
}

fn unwatched(git: &GitProgram) -> Result<Vec<Unwatched>, RepoError> {
    let failed = failed("list the index");
    let listed = git.run(&["ls-files", "-v", "-z", "--full-name"], READ_LIMIT);
    let listed = listed.and_then(Output::success).map_err(failed)?;
    // "<tag> <path>": small letters are assume-unchanged, S is skip-worktree.
    let marked = |field: Vec<u8>| {
        let tag = *field.first()?;
        let path = field.get(2..)?.to_vec();
        (tag.is_ascii_lowercase() || tag == b'S')
            .then_some(Unwatched { path, may_lack: tag.eq_ignore_ascii_case(&b'S') })
    };
    Ok(fields(&listed).into_iter().filter_map(marked).collect())
}

/// What lies between NULs.
fn fields(bytes: &[u8]) -> Vec<Vec<u8>> {
    bytes.split(|&byte| byte == 0).filter(|field| !field.is_empty()).map(<[u8]>::to_vec).collect()
}

impl Reader for Program {
    fn head(&self) -> Result<Option<Sha>, RepoError> {
        let action = "read HEAD";
        let found = self.run(action, &["rev-parse", "--verify", "--quiet", "HEAD^{commit}"])?;
        if let Some(text) = found.success_unless(1).map_err(failed(action))? {
            return Ok(Some(Sha::parse(&line(&text))?));
        }
        // No commit: right on a branch that has none yet, wrong when HEAD or its branch cannot be read.
        let branch = line(&self.success(action, &["symbolic-ref", "--quiet", "HEAD"])?);
        let stands = self.run(action, &["show-ref", "--verify", "--quiet", "--", &branch])?;
        match stands.success_unless(1).map_err(failed(action))? {
            None => Ok(None),
            Some(_) => {
                Err(RepoError::Damaged { action: action.to_owned(), detail: format!("{branch} is at no commit") })
            }
        }
    }

    fn commit(&self, name: &str) -> Result<Option<Sha>, RepoError> {
        if name.starts_with('-') {
            return Ok(None);
        }
        let action = format!("look up {name:?}");
        let output = self.run(&action, &["rev-parse", "--verify", "--quiet", &format!("{name}^{{commit}}")])?;
        match output.code {
            Some(1 | 128) => Ok(None),
            _ => Ok(Some(Sha::parse(&line(&output.success().map_err(failed(&action))?))?)),
        }
    }

    fn raw_commit(&self, commit: &Sha) -> Result<Vec<u8>, RepoError> {
        self.success(&format!("read the commit {}", commit.short()), &["cat-file", "commit", commit.as_str()])
    }

    fn merge_base(&self, one: &Sha, two: &Sha) -> Result<Option<Sha>, RepoError> {
        let action = format!("find the merge base of {} and {}", one.short(), two.short());
        let output = self.run(&action, &["merge-base", one.as_str(), two.as_str()])?;
        let found = output.success_unless(1).map_err(failed(&action))?;
        found.map(|text| Ok(Sha::parse(&line(&text))?)).transpose()
    }

    fn is_shallow(&self) -> Result<bool, RepoError> {
        Ok(line(&self.success("read the history", &["rev-parse", "--is-shallow-repository"])?) == "true")
    }

    fn url(&self) -> Result<Option<String>, RepoError> {
        let action = "read the address of origin";
        let output = self.run(action, &["config", "--get", "remote.origin.url"])?;
        Ok(output.success_unless(1).map_err(failed(action))?.map(|text| line(&text)))
    }

    fn origin_head(&self) -> Result<Option<String>, RepoError> {
        let action = "read origin/HEAD";
        let output = self.run(action, &["symbolic-ref", "--quiet", "refs/remotes/origin/HEAD"])?;
        let found = output.success_unless(1).map_err(failed(action))?.map(|text| line(&text));
        Ok(found.and_then(|target| target.strip_prefix("refs/remotes/origin/").map(str::to_owned)))
    }

    fn touched(&self, untracked: bool) -> Result<Vec<Vec<u8>>, RepoError> {
        let files = if untracked { "--untracked-files=all" } else { "--untracked-files=no" };
        // What is built in a submodule is no edit of a file.
        let submodules = if untracked { "--ignore-submodules=none" } else { "--ignore-submodules=untracked" };
        let asked = ["status", "--porcelain=v1", "-z", "--no-renames", submodules, files];
        let listed = self.success("compare the work tree with HEAD", &asked)?;
        Ok(fields(&listed).into_iter().map(|field| field.get(3..).unwrap_or_default().to_vec()).collect())
    }

    fn unwatched(&self) -> Result<Vec<Unwatched>, RepoError> {
        unwatched(&self.git)
    }

    fn converted(&self, paths: &[&[u8]]) -> Result<BTreeSet<Vec<u8>>, RepoError> {
        let mut found = BTreeSet::new();
        for some in paths.chunks(ARGUMENTS) {
            let asked = ["check-attr", "-z"].into_iter().chain(CONVERTING).chain(["--"]).map(OsString::from);
            let asked: Vec<OsString> =
                asked.chain(some.iter().filter_map(|path| Some(os_path(path)?.into()))).collect();
            // "<path> NUL <attribute> NUL <value> NUL"; a value may be empty.
            let listed = self.success("read .gitattributes", &asked)?;
            let listed: Vec<&[u8]> = listed.split(|&byte| byte == 0).collect();
            let set = listed.chunks_exact(3).filter(|of| !matches!(of[2], b"unspecified" | b"set" | b"unset" | b""));
            found.extend(set.map(|of| of[0].to_vec()));
        }
        Ok(found)
    }

    fn tracked(&self) -> Result<Vec<Vec<u8>>, RepoError> {
        Ok(fields(&self.success("list the index", &["ls-files", "-z", "--full-name"])?))
    }

    fn differences(&self, base: Option<&Sha>, to: Tree<'_>) -> Result<Seen, RepoError> {
        let base = base.map_or_else(|| self.empty_tree(), |sha| Ok(sha.as_str().to_owned()))?;
        let mut asked = vec!["diff", "--raw", "--patch", "-z", "--unified=0", "--inter-hunk-context=0"];
        asked.extend(["--find-renames", "-l1000", "--no-color", "--no-ext-diff", "--no-textconv", "--no-relative"]);
        asked.extend(["--diff-algorithm=myers", "--indent-heuristic"]);
        asked.extend(["--ignore-submodules=none", "--submodule=short", "--src-prefix=a/", "--dst-prefix=b/"]);
        asked.push(&base);
        if let Tree::Commit(commit) = to {
            asked.push(commit.as_str());
        }
        asked.push("--");
        let output = self.run("compare with the base", &asked)?;
        let mut seen = Seen::default();
        if String::from_utf8_lossy(&output.stderr).contains("rename detection was skipped") {
            seen.notes.push("too many files to look for files that moved with edits: those count as new".to_owned());
        }
        seen.entries = patch::parse(&output.success().map_err(failed("compare with the base"))?)?;
        if matches!(to, Tree::Work) {
            for path in self.untracked()? {
                self.read_untracked(path, &mut seen);
            }
        }
        Ok(seen)
    }

    fn blob(&self, commit: &Sha, path: &[u8]) -> Result<Option<Vec<u8>>, RepoError> {
        let Some(path) = os_path(path) else { return Ok(None) };
        let action = format!("read {} of {}", path.display(), commit.short());
        let asked = ["ls-tree", "-z", "--full-tree", commit.as_str(), "--"].map(OsString::from);
        let listed = self.success(&action, &[asked.as_slice(), &[path.into()]].concat())?;
        // "<mode> blob <id>\t<path>"
        let header = line(listed.split(|&byte| byte == b'\t').next().unwrap_or_default());
        let words: Vec<&str> = header.split(' ').collect();
        match words[..] {
            [_, "blob", id] => self.success(&action, &["cat-file", "blob", id]).map(Some),
            _ => Ok(None),
        }
    }

    fn below(&self, commit: &Sha, folder: &str) -> Result<Vec<Stored>, RepoError> {
        let action = format!("list {folder} of {}", commit.short());
        let mut asked = vec!["ls-tree", "-r", "-z", "--full-tree", commit.as_str(), "--"];
        if !folder.is_empty() {
            asked.push(folder);
        }
        // "<mode> <kind> <id>\t<path>"
        let stored = |field: &Vec<u8>| {
            let header = field.split(|&byte| byte == b'\t').next()?;
            let mut words = header.split(|&byte| byte == b' ');
            let (mode, kind) = (words.next()?, words.next()?);
            let path = field.get(header.len() + 1..)?.to_vec();
            (kind == b"blob").then_some(Stored { path, is_link: mode == b"120000" })
        };
        Ok(fields(&self.success(&action, &asked)?).iter().filter_map(stored).collect())
    }

    fn ignored(&self) -> Result<Ignored, RepoError> {
        let asked = ["ls-files", "--others", "--ignored", "--exclude-standard", "--directory", "-z", "--full-name"];
        Ok(Ignored::new(fields(&self.success("list what git ignores", &asked)?)))
    }
}

impl Program {
    /// An untracked file is new from its first line to its last.
    fn read_untracked(&self, path: Vec<u8>, seen: &mut Seen) {
        let shown = path.escape_ascii().to_string();
        if path.ends_with(b"/") {
            seen.notes.push(format!("{shown} is a repository of its own: its files are not part of the change"));
            return;
        }
        let on_disk = os_path(&path).map(|path| self.root.join(path)).unwrap_or_default();
        // A link is one line for git: what it points to.
        let link = on_disk.read_link().is_ok();
        let content = match files::read(&on_disk) {
            _ if link => Content::Text(vec![Hunk { old_start: 0, old_lines: 0, new_start: 1, new_lines: 1 }]),
            Ok(bytes) if bytes.contains(&0) => Content::Binary,
            Ok(bytes) => {
                let lines = bytes.split_inclusive(|&byte| byte == b'\n').count();
                let new_lines = u32::try_from(lines).unwrap_or(u32::MAX - 1);
                let hunk = Hunk { old_start: 0, old_lines: 0, new_start: 1, new_lines };
                Content::Text(if lines == 0 { Vec::new() } else { vec![hunk] })
            }
            Err(error) => {
                seen.notes.push(format!("{shown} cannot be read, all its lines count as changed: {}", error.source));
                Content::Unknown
            }
        };
        let mode = if link { 0o120_000 } else { 0o100_644 };
        seen.entries.push(Entry { old: None, new: Some(Side { mode, path }), content, gone: BTreeSet::new() });
    }
}
