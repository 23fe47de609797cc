//! `kind = "integrity"`: gates of the repository that cannot fail. It runs no command: workflows, scripts and makefiles are read.

use std::future::Future;
use std::path::Path;
use std::pin::Pin;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::config::{Bare, KindRow};
use crate::gate::ground::Ground;
use crate::gate::locate::locate;
use crate::gate::{Gate, Kind, Site};
use crate::integrity;
use crate::model::evidence::{Evidence, Parsed, Problem, ProblemKind};
use crate::model::finding::{ColumnUnit, Level};
use crate::model::gate::{Only, Rules};
use crate::model::settings::Common;
use crate::world::clock;
use crate::world::tree::{Folder, deep};

pub(super) static KIND: Kind = Kind {
    row: KindRow::of::<Settings>(
        "integrity",
        "gates of the repository that cannot fail: docs/integrity.md",
        Bare::Itself,
    ),
    settle: |common, own| Ok(Box::new(Integrity { settings: own.read()?, common })),
};

/// The keys that only this kind has.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
struct Settings {
    /// The least level that blocks: `error` where a gate surely cannot fail, `warning` where it may.
    fail_on: Level,
}

struct Integrity {
    common: Common,
    settings: Settings,
}

impl Gate for Integrity {
    fn common(&self) -> &Common {
        &self.common
    }

    fn rules(&self) -> Rules {
        self.common.rules(self.settings.fail_on)
    }

    /// What takes a gate away may stand far from it: `set -e` that is gone, a shell under `defaults`.
    fn of_a_change(&self) -> Only {
        Only::ChangedFiles
    }

    fn run<'a>(&'a self, site: Site<'a>) -> Pin<Box<dyn Future<Output = Evidence> + 'a>> {
        Box::pin(async move { evidence(&site.root.join(&self.common.dir), site.root, &self.common.dir) })
    }
}

/// Checks the repository in `folder`, which is `dir` below `root`: the findings, and as problems what could not be read.
#[must_use]
pub fn evidence(folder: &Path, root: &Path, dir: &str) -> Evidence {
    let begun = clock::instant();
    let today = clock::now().to_zoned(jiff::tz::TimeZone::UTC).date();
    let unreadable = |what: String| Problem { kind: ProblemKind::Unreadable, what };
    let checked = match deep(|| integrity::check(&Folder::new(folder), today)) {
        Ok(checked) => checked,
        Err(what) => {
            return Evidence { problems: vec![unreadable(what)], took: begun.elapsed(), ..Evidence::default() };
        }
    };
    let mut problems: Vec<Problem> = checked.problems.iter().map(|problem| unreadable(problem.to_string())).collect();
    if checked.files == 0 && problems.is_empty() {
        let what =
            "found no workflow, action, package.json, makefile, justfile or gatepost.toml: there is nothing to judge";
        problems.push(unreadable(what.to_owned()));
    }
    let mut notes = checked.notes;
    let files = if checked.files == 1 { "1 file was".to_owned() } else { format!("{} files were", checked.files) };
    notes.push(format!("{files} read"));
    let parsed = Parsed { findings: checked.findings, columns: ColumnUnit::Scalars, ..Parsed::default() };
    Evidence {
        understood: Some(locate(parsed, &Ground::new(root, dir))),
        problems,
        notes,
        took: begun.elapsed(),
        ..Evidence::default()
    }
}
