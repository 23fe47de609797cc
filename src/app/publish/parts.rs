//! Finds the reports in what was named or downloaded: files, folders, archives. All of it may be a stranger's: it is
//! read within limits, links are not followed, and nothing is unpacked to the disk.

use std::path::{Path, PathBuf};

use crate::app::Failure;
use crate::model::text::one_line;
use crate::parse::{report, zip};
use crate::policy::Part;
use crate::world::files::{self, Standing};

/// The name of a report in a folder or an archive.
const REPORT: &str = "report.json";

/// The reports that were found.
#[derive(Debug, Default)]
pub struct Found {
    /// In the order in which they were named.
    pub parts: Vec<Part>,
    /// What was named and is not there.
    pub missing: Vec<String>,
    /// Bytes of reports so far.
    bytes: u64,
}

impl Found {
    /// Takes in what stands at a path.
    ///
    /// # Errors
    /// With exit code 4 when it cannot be read, holds no report, or one that is malformed.
    pub fn take(&mut self, start: &Path, path: &Path) -> Result<(), Failure> {
        let shown = path.display().to_string();
        let path = start.join(path);
        // What was named by hand may be a link.
        let path = files::real_path(&path).unwrap_or(path);
        match files::standing(&path)? {
            Standing::Nothing => self.missing.push(shown),
            Standing::Folder => self.folder(&path, &shown)?,
            Standing::File => {
                let bytes = files::read_at_most(&path, zip::LARGEST)?;
                if zip::is_zip(&bytes) { self.archive(&bytes, &shown)? } else { self.report(&bytes, &shown)? }
            }
            Standing::Other => return Err(Failure::outside(format!("{shown} is neither a file nor a folder"))),
        }
        Ok(())
    }

    /// Takes in the reports of an archive.
    ///
    /// # Errors
    /// As [`Found::take`].
    pub fn archive(&mut self, bytes: &[u8], shown: &str) -> Result<(), Failure> {
        let refuse = |error: zip::ZipError| Failure::outside(format!("{shown} {error}"));
        let archive = zip::Archive::open(bytes).map_err(refuse)?;
        let names: Vec<&str> = archive.entries.iter().map(|entry| entry.name.as_str()).collect();
        let reports: Vec<_> = archive.entries.iter().filter(|entry| is_topmost(&entry.name, &names)).collect();
        if reports.is_empty() {
            return Err(without(shown));
        }
        for entry in reports {
            let content = archive.read(entry).map_err(refuse)?;
            self.report(&content, &format!("{shown}: {}", entry.name))?;
        }
        Ok(())
    }

    fn folder(&mut self, top: &Path, shown: &str) -> Result<(), Failure> {
        let before = self.parts.len();
        let mut todo = vec![top.to_owned()];
        let mut seen = 0;
        while let Some(folder) = todo.pop() {
            let report = folder.join(REPORT);
            if files::standing(&report)? == Standing::File {
                let name = report.strip_prefix(top).unwrap_or(&report);
                let name = PathBuf::from(shown).join(name).display().to_string();
                self.report(&files::read_at_most(&report, report::LARGEST)?, &name)?;
                continue;
            }
            let entries = files::list(&folder)?;
            seen += entries.len();
            if seen > zip::MOST_ENTRIES {
                let most = zip::MOST_ENTRIES;
                return Err(Failure::outside(format!("{shown} has more than {most} entries: no report is looked for")));
            }
            for entry in entries.into_iter().rev() {
                match files::standing(&entry)? {
                    Standing::Folder => todo.push(entry),
                    Standing::Other => {
                        let entry = one_line(&entry.display().to_string(), 200);
                        return Err(Failure::outside(format!("{shown} has {entry}, which is a link or a device")));
                    }
                    Standing::File | Standing::Nothing => {}
                }
            }
        }
        if self.parts.len() == before { Err(without(shown)) } else { Ok(()) }
    }

    fn report(&mut self, bytes: &[u8], name: &str) -> Result<(), Failure> {
        self.bytes += bytes.len() as u64;
        if self.bytes > zip::LARGEST {
            return Err(Failure::outside(format!("the reports have more than {} bytes together", zip::LARGEST)));
        }
        let name = one_line(name, 300);
        let report = report::read(bytes).map_err(|error| {
            Failure::outside(format!("{name} {error}"))
                .help("give the report.json that `gatepost run` wrote, unchanged")
        })?;
        self.parts.push(Part { name, report });
        Ok(())
    }
}

fn without(shown: &str) -> Failure {
    Failure::outside(format!("{shown} has no {REPORT}"))
        .help("upload the folder that `gatepost run` writes to (`.gatepost/`), or its report.json alone")
}

/// Whether it is a report, and in no folder below another one: what gates left there is theirs.
fn is_topmost(name: &str, all: &[&str]) -> bool {
    let mut above = name.strip_suffix(REPORT);
    if !above.is_some_and(|folder| folder.is_empty() || folder.ends_with('/')) {
        return false;
    }
    while let Some(folder) = above.filter(|folder| !folder.is_empty()) {
        let parent = &folder[..folder[..folder.len() - 1].rfind('/').map_or(0, |slash| slash + 1)];
        if all.iter().any(|other| other.strip_prefix(parent) == Some(REPORT)) {
            return false;
        }
        above = Some(parent);
    }
    true
}

#[cfg(test)]
mod tests {
    use super::is_topmost;

    #[test]
    fn reports_of_gates_are_not_ours() {
        let all = [
            "lint/report.json",
            "lint/gates/lint/report.json",
            "lint/logs/a.txt",
            "x/report.json.bak",
            "y/my-report.json",
        ];
        let ours: Vec<&str> = all.into_iter().filter(|name| is_topmost(name, &all)).collect();
        assert_eq!(ours, ["lint/report.json"]);
        let all = ["report.json", "gates/a/report.json"];
        assert!(is_topmost(all[0], &all) && !is_topmost(all[1], &all));
        assert!(is_topmost("gates/a/report.json", &all[1..]));
    }
}
