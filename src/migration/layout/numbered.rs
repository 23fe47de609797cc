//! Plain numbered files, run by whatever runs them: `1.sql`, `002_name.sql`, `003-name.up.sql`.

use super::{Folder, Layout, Plan, is_code, is_sql, names};
use crate::model::migration::{Planned, Transaction};

pub(super) static NUMBERED: Layout = Layout {
    name: "numbered",
    about: "plain files that begin with a number",
    has_down: false,
    bookkeeping: None,
    read: numbered,
};

fn numbered(folder: &Folder) -> Plan {
    let mut plan = Plan::default();
    for path in folder.files.keys().filter(|path| !path.contains('/')) {
        if is_code(path) && names::number(path).is_some() {
            plan.code.push(folder.place(path));
        }
        if !is_sql(path) {
            continue;
        }
        let stem = names::stem(path);
        if stem.strip_suffix(".down").is_some() {
            continue;
        }
        let base = stem.strip_suffix(".up").unwrap_or(stem);
        let Some((version, rest)) = names::number(base) else {
            plan.notes.push(format!("{} is passed over: its name has no number", folder.place(path)));
            continue;
        };
        let Some(mut order) = names::by_number(version) else {
            plan.problems.push(format!("{}: {version} is too large for a version", folder.place(path)));
            continue;
        };
        rest.clone_into(&mut order.1);
        let down = [format!("{base}.down.sql"), format!("{base}_down.sql")];
        let down = down.into_iter().find(|name| folder.files.contains_key(name));
        let files: Vec<&str> = std::iter::once(path.as_str()).chain(down.as_deref()).collect();
        let planned = Planned {
            version: version.to_owned(),
            order,
            name: names::words(rest),
            path: folder.place(path),
            files: folder.digests(&files),
            up: folder.script(path, Transaction::WhereAllowed, &mut plan),
            down: down.as_ref().and_then(|down| folder.script(down, Transaction::WhereAllowed, &mut plan)),
            repeatable: false,
        };
        plan.migrations.push(planned);
    }
    plan
}
