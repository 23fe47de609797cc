//! Gates that no change of a file that is here makes run: none is where their `paths` point.

use crate::app::project::{Project, Source};
use crate::model::change::Scope;
use crate::policy;
use crate::world::repo::Repo;

/// Each of them, in words. Where the files of the repository cannot be listed nothing is said: what needs them says so.
pub fn unmatched(project: &Project, repo: &Repo, scope: &Scope) -> Vec<String> {
    let Ok(tracked) = repo.tracked_bytes() else { return Vec::new() };
    let changed = scope.change().into_iter().flat_map(|change| change.files.keys().map(ToString::to_string));
    // Whatever stands in for what is no UTF-8, the folders around it are as they are.
    let tracked = tracked.iter().map(|path| String::from_utf8_lossy(path).into_owned());
    let files: Vec<String> = tracked.chain(changed).collect();
    let place = match &project.source {
        Source::File(_) if !project.folder.is_empty() => {
            format!("`{}`, the folder of its configuration", project.folder)
        }
        _ => "the root".to_owned(),
    };
    let gates = project.gates.iter().map(|gate| gate.common()).filter(|common| policy::matches_none(common, &files));
    let said = gates.map(|common| {
        let patterns: Vec<String> = common.paths.iter().map(|pattern| format!("`{pattern}`")).collect();
        format!(
            "no file of the repository matches the `paths` of the gate {}, which count from {place}: {}",
            common.name,
            patterns.join(", ")
        )
    });
    said.collect()
}
