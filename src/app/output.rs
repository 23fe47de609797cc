//! The output folder: reports, logs, one folder per gate, and a `.gitignore` that keeps it all out of commits.

use std::ffi::{OsStr, OsString};
use std::fs::Metadata;
use std::path::{Component, Path, PathBuf};

use crate::app::Failure;
use crate::model::gate::GateName;
use crate::model::report::GateReport;
use crate::world::files;

/// The last bytes of a log that are shown of a gate without findings.
const TAIL: u64 = 4 << 10;

/// Keeps everything in the folder out of commits, and tells that the folder is ours.
const IGNORE: &[u8] = b"*\n";

/// Where a run writes.
#[derive(Debug, Clone)]
pub struct Output {
    folder: PathBuf,
    report_shown: String,
}

impl Output {
    /// Makes the folder ready. Reports and logs of an earlier run are removed first, so that none of them can be
    /// taken for this one's. A folder that was made for something else keeps what it has.
    ///
    /// # Errors
    /// When it cannot be made or emptied: read-only, no space, not a folder; when its `.gitignore` is someone's own,
    /// as that of the repository's root.
    pub fn prepare<'a>(
        folder: PathBuf,
        shown: &str,
        gates: impl Iterator<Item = &'a GateName> + Clone,
    ) -> Result<Self, Failure> {
        let ignore = folder.join(".gitignore");
        let is_ours = files::is_file(&ignore);
        if is_ours {
            if files::read(&ignore)? != IGNORE {
                return Err(Failure::usage(format!("the output folder {shown} has a .gitignore of its own"))
                    .help("name a folder that is gatepost's alone by --output"));
            }
            let logs: Vec<OsString> = gates.clone().map(|gate| format!("{gate}.txt").into()).collect();
            // Of a gate that prints nothing.
            let is_empty =
                |name: &OsStr, file: &Metadata| file.is_file() && file.len() == 0 && logs.iter().any(|log| log == name);
            files::empty(&folder.join("logs"), is_empty)?;
        }
        files::make_dir(&folder.join("logs"))?;
        if !is_ours {
            files::write(&ignore, IGNORE)?;
        }
        files::remove(&folder.join("report.json"))?;
        for gate in gates {
            files::empty(&folder.join("gates").join(gate.as_str()), |_, _| false)?;
        }
        files::remove(&folder.join("changed-files.txt"))?;
        Ok(Self { folder, report_shown: format!("{}/report.json", shown.trim_end_matches('/')) })
    }

    /// The folder, absolute.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The folder as a person in the folder `here` would name it.
    #[must_use]
    pub fn seen_from(&self, here: &Path) -> String {
        // Without `.`, and by the names that `here` has: it is what the system says.
        let folder = self.folder.canonicalize().unwrap_or_else(|_| self.folder.clone());
        let shared = here.components().zip(folder.components()).take_while(|(one, other)| one == other).count();
        // From nowhere near, the whole path is shorter.
        if shared < 2 {
            return folder.display().to_string();
        }
        let up = here.components().skip(shared).map(|_| Component::ParentDir);
        let path: PathBuf = up.chain(folder.components().skip(shared)).collect();
        path.display().to_string()
    }

    /// `report.json` as it is named where it is read of elsewhere: relative to the repository's root.
    #[must_use]
    pub fn report_shown(&self) -> &str {
        &self.report_shown
    }

    /// `report.json`.
    #[must_use]
    pub fn report(&self) -> PathBuf {
        self.folder.join("report.json")
    }

    /// The file with one changed path a line.
    #[must_use]
    pub fn changed_files(&self) -> PathBuf {
        self.folder.join("changed-files.txt")
    }

    /// A gate's own folder.
    #[must_use]
    pub fn of_gate(&self, gate: &GateName) -> PathBuf {
        self.folder.join("gates").join(gate.as_str())
    }

    /// The end of what a gate printed, from a line's beginning; `None` where it left no log.
    #[must_use]
    pub fn tail(&self, gate: &GateReport) -> Option<String> {
        let text = files::tail(&self.folder.join(gate.log.as_deref()?), TAIL)?;
        Some(String::from_utf8_lossy(&text).into_owned())
    }
}
