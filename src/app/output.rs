//! The output folder: reports, logs, one folder per gate, and a `.gitignore` that keeps it all out of commits.

use std::cell::RefCell;
use std::ffi::{OsStr, OsString};
use std::fs::{File, Metadata};
use std::io::{Error, Read as _};
use std::path::{Component, Path, PathBuf};
use std::rc::Rc;

use crate::app::Failure;
use crate::model::gate::GateName;
use crate::model::report::GateReport;
use crate::world::files::{self, FileError, Standing};

/// The last bytes of a log that are shown of a gate without findings.
const TAIL: u64 = 4 << 10;

/// Keeps everything in the folder out of commits.
const IGNORE: &[u8] = b"*\n";

/// What is in the lock: with it a folder is known as gatepost's.
const LOCK: &[u8] = b"gatepost\n";

/// The folder's own name where none was asked for.
pub const NAME: &str = ".gatepost";

/// Where a run writes.
#[derive(Debug, Clone)]
pub struct Output {
    folder: PathBuf,
    report_shown: String,
    /// The changed paths, one a line, where a change is known.
    changed: Option<Rc<str>>,
    /// Held as long as this or a copy lives: what another run writes here would be taken for this one's.
    lock: Rc<RefCell<File>>,
}

impl Output {
    /// Makes the folder ready, for this run alone. Reports and logs of an earlier run are removed first, so that none of
    /// them can be taken for this one's.
    ///
    /// # Errors
    /// When it cannot be made or emptied: read-only, no space, not a folder; when it is someone's own, as the
    /// repository's root; when another run uses it.
    pub fn prepare<'a>(
        folder: PathBuf,
        shown: &str,
        gates: impl Iterator<Item = &'a GateName> + Clone,
        changed: Option<String>,
    ) -> Result<Self, Failure> {
        check_own(&folder, shown)?;
        files::make_dir(&folder)?;
        let Some(lock) = lock(&folder)? else {
            return Err(Failure::refused(format!("another run uses the output folder {shown}")));
        };
        let logs: Vec<OsString> = gates.clone().map(|gate| format!("{gate}.txt").into()).collect();
        // Of a gate that prints nothing.
        let is_empty =
            |name: &OsStr, file: &Metadata| file.is_file() && file.len() == 0 && logs.iter().any(|log| log == name);
        files::empty(&folder.join("logs"), is_empty)?;
        files::remove(&folder.join("report.json"))?;
        let of_gates = folder.join("gates");
        if files::is_link(&of_gates) {
            files::remove(&of_gates)?;
        }
        for gate in gates {
            files::empty(&of_gates.join(gate.as_str()), |_, _| false)?;
        }
        let output = Self {
            report_shown: format!("{}/report.json", shown.trim_end_matches('/')),
            changed: changed.map(Rc::from),
            lock: Rc::new(RefCell::new(lock)),
            folder,
        };
        files::remove(&output.changed_files())?;
        output.furnish()?;
        Ok(output)
    }

    /// Puts there what every gate needs, as far as it is not there: a gate may have tidied up (`git clean -fdx`).
    ///
    /// # Errors
    /// When it cannot be written, or another run has taken the folder since.
    pub fn furnish(&self) -> Result<(), FileError> {
        files::make_dir(&self.folder.join("logs"))?;
        let path = lock_of(&self.folder);
        if !files::is_file(&path) {
            let taken = || FileError { action: "lock", path: path.clone(), source: Error::other("another run has it") };
            self.lock.replace(lock(&self.folder)?.ok_or_else(taken)?);
        }
        let ignore = self.folder.join(".gitignore");
        if !files::is_file(&ignore) {
            files::write(&ignore, IGNORE)?;
        }
        if let Some(changed) = self.changed.as_deref().filter(|_| !files::is_file(&self.changed_files())) {
            files::write(&self.changed_files(), changed.as_bytes())?;
        }
        Ok(())
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

    /// The end of what a gate printed, from a line's beginning, below an ellipsis where that is not all; `None` where it left
    /// no log.
    #[must_use]
    pub fn tail(&self, gate: &GateReport) -> Option<String> {
        let log = self.folder.join(gate.log.as_deref()?);
        let text = files::tail(&log, TAIL)?;
        let cut = if files::size(&log)? > TAIL { "…\n" } else { "" };
        Some(format!("{cut}{}", String::from_utf8_lossy(&text)))
    }
}

/// Removes the report of an earlier run from a folder that is gatepost's and that no other run uses: where this one ends
/// before its gates, it would be taken for its own. What cannot be removed is told of when the folder is made ready.
pub fn forget(folder: &Path) {
    let report = folder.join("report.json");
    if files::is_file(&report)
        && check_own(folder, "").is_ok()
        && let Ok(Some(_lock)) = lock(folder)
    {
        let _ = files::remove(&report);
    }
}

/// How what `--sarif` and `--junit` write begins.
const OURS: [&str; 2] = [r#""runs":[{"tool":{"driver":{"name":"gatepost""#, "<testsuites name=\"gatepost\""];

/// Removes what an earlier run of gatepost wrote where this one was told to: a run that ends early leaves nothing that would
/// be uploaded as its own. What somebody else wrote there stays until it is written over.
pub fn forget_written(path: &Path) {
    let mut start = Vec::new();
    if files::standing(path).is_ok_and(|found| found == Standing::File)
        && files::open(path).is_ok_and(|file| file.take(256).read_to_end(&mut start).is_ok())
        && OURS.iter().any(|ours| String::from_utf8_lossy(&start).contains(ours))
    {
        let _ = files::remove(path);
    }
}

fn lock_of(folder: &Path) -> PathBuf {
    folder.join("lock")
}

fn lock(folder: &Path) -> Result<Option<File>, FileError> {
    let path = lock_of(folder);
    let lock = files::lock(&path)?;
    if lock.is_some() && files::size(&path) == Some(0) {
        files::append(&path, LOCK)?;
    }
    Ok(lock)
}

/// A folder that is emptied must be gatepost's own: by its name, by what is in it, or because there is nothing in it.
fn check_own(folder: &Path, shown: &str) -> Result<(), Failure> {
    let others = |why: &str| {
        let failure = Failure::usage(format!("the output folder {shown} {why}"));
        Err(failure.help("name a folder that is gatepost's alone by --output"))
    };
    // By the name that it has itself, not by a link's.
    let Some(real) = files::real_path(folder) else { return Ok(()) };
    let ignore = real.join(".gitignore");
    let is_ignored = files::is_file(&ignore);
    if is_ignored && files::read_capped(&ignore, 1 << 10).as_deref() != Some(IGNORE) {
        return others("has a .gitignore of its own");
    }
    let lock = lock_of(&real);
    let is_plain = files::is_file(&lock) && !files::is_link(&lock);
    let words = if is_plain { files::read_capped(&lock, 1 << 10) } else { None };
    // Earlier versions left the lock empty.
    let is_locked = words.is_some_and(|words| words == LOCK || words.is_empty() && is_ignored);
    let is_own = is_locked || real.file_name() == Some(OsStr::new(NAME));
    if !is_own && files::is_folder(&real) && !files::list(&real)?.is_empty() {
        return others("has files that are not gatepost's");
    }
    Ok(())
}
