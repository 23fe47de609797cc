//! The files of a commit, read as the work tree would give them: links are followed, within the commit.

use crate::model::path::RepoPath;
use crate::model::sha::Sha;

use super::Repo;
use super::error::RepoError;
use super::reader::Stored;

/// More links in a row lead in a circle; the system's own limit.
const MOST_LINKS: usize = 40;

impl Repo {
    /// A file's or link's content in a commit, `None` where it has none.
    ///
    /// # Errors
    /// When the commit or the object cannot be read.
    pub fn read_blob(&self, commit: &Sha, path: &RepoPath) -> Result<Option<Vec<u8>>, RepoError> {
        self.read(|reader| reader.blob(commit, path.as_str().as_bytes()))
    }

    /// Every file below a folder in a commit, with its content, by its path relative to the root. `""` is the root. What a
    /// link leads to has the link's name.
    ///
    /// # Errors
    /// When the commit or an object cannot be read, a path is not UTF-8, or a link leads to nothing in the commit.
    pub fn read_below(&self, commit: &Sha, folder: &str) -> Result<Vec<(String, Vec<u8>)>, RepoError> {
        let mut found = Vec::new();
        // A folder's files are listed once, by whichever name.
        let mut entered = vec![folder.to_owned()];
        // What stands there, the name that it has, and how many links led to it.
        let mut waiting: Vec<(Stored, String, usize)> = Vec::new();
        for stored in self.read(|reader| reader.below(commit, folder))? {
            let name = named(commit, folder, &stored)?;
            // The folder may be a file.
            if folder.is_empty() || name != folder {
                waiting.push((stored, name, 0));
            }
        }
        while let Some((stored, name, links)) = waiting.pop() {
            let content = self.read(|reader| reader.blob(commit, &stored.path))?.unwrap_or_default();
            if !stored.is_link {
                found.push((name, content));
                continue;
            }
            let target = String::from_utf8_lossy(&content).into_owned();
            let at = named(commit, folder, &stored)?;
            let (dir, _) = at.rsplit_once('/').unwrap_or_default();
            let behind = RepoPath::join(dir, &target).ok().filter(|_| links < MOST_LINKS);
            let there = behind.as_ref().map(|at| self.read(|reader| reader.below(commit, at.as_str()))).transpose()?;
            let (Some(behind), Some(there)) = (behind, there.filter(|there| !there.is_empty())) else {
                return Err(RepoError::Dangling { path: name, commit: commit.short().to_owned(), target });
            };
            for stored in there {
                let path = named(commit, folder, &stored)?;
                let rest = path.strip_prefix(behind.as_str()).unwrap_or_default();
                if rest.is_empty() || !entered.iter().any(|known| lies_in(&path, known)) {
                    waiting.push((stored, format!("{name}{rest}"), links + 1));
                }
            }
            entered.push(behind.as_str().to_owned());
        }
        found.sort();
        Ok(found)
    }
}

fn lies_in(path: &str, folder: &str) -> bool {
    folder.is_empty() || path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
}

fn named(commit: &Sha, folder: &str, stored: &Stored) -> Result<String, RepoError> {
    String::from_utf8(stored.path.clone()).map_err(|_| RepoError::Nameless {
        folder: if folder.is_empty() { "the root".to_owned() } else { folder.to_owned() },
        commit: commit.short().to_owned(),
        path: stored.path.escape_ascii().to_string(),
    })
}
