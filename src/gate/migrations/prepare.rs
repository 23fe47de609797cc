//! Everything that is read before a server is started: the folder here and in the base, and the files beside it.

use std::cell::RefCell;
use std::path::Path;

use super::dry_run::{Record, Trial};
use super::settings::Settings;
use super::{Ground, below};
use crate::migration::estimate::Sizes;
use crate::migration::layout::{self, Layout, Plan};
use crate::migration::split;
use crate::migration::squawk::Squawk;
use crate::model::migration::DatabaseKind;
use crate::world::{files, migrations};

/// The linter's own settings.
const SQUAWK: &str = ".squawk.toml";

/// What a dry run starts from.
pub(super) struct Prepared {
    pub(super) trial: Trial,
    pub(super) sizes: Sizes,
    pub(super) squawk: Squawk,
}

/// Reads it all.
///
/// # Errors
/// With everything that is missing or cannot be understood.
pub(super) fn prepared(
    settings: &Settings,
    folder: &str,
    ground: Ground<'_>,
    record: &RefCell<Record>,
) -> Result<Prepared, Vec<String>> {
    let one = |what: String| vec![what];
    let here = migrations::of_work_tree(ground.root, folder).map_err(one)?;
    let chosen = layout(settings, &here, folder).map_err(one)?;
    let plan = chosen.read(&here);
    if plan.migrations.is_empty() && plan.problems.is_empty() && plan.code.is_empty() {
        return Err(one(format!("{folder} has no migration in the layout of {}", chosen.name)));
    }
    let base = match (ground.repo, ground.base.filter(|_| !settings.all)) {
        (Some(repo), Some(base)) => {
            let there = migrations::of_commit(repo, base, folder).map_err(one)?;
            // What is put into files is put into those of the base alike.
            Some(chosen.read(&layout::Folder { near: here.near.clone(), around: here.around.clone(), ..there }))
        }
        _ => None,
    };
    let beside = |name: &Option<String>| {
        name.as_ref()
            .map(|name| read(ground.root, &below(ground.dir, name)).map(|text| (name.clone(), text)))
            .transpose()
            .map_err(one)
    };
    let sizes = match beside(&settings.sizes)? {
        Some((name, text)) => Sizes::parse(&text).map_err(|what| one(format!("{name}: {what}")))?,
        None => Sizes::default(),
    };
    let squawk = match files::read(&ground.root.join(SQUAWK)) {
        Ok(bytes) => {
            Squawk::parse(&String::from_utf8_lossy(&bytes)).map_err(|what| one(format!("{SQUAWK}: {what}")))?
        }
        Err(_) => Squawk::default(),
    };
    tell(chosen, &plan, &mut record.borrow_mut());
    let by_address = || by_scheme(&super::url(settings, ground).ok()??);
    let told = settings.database.or_else(by_address).or_else(|| Some(layout::database(&here)?.0));
    if told.is_none() {
        record.borrow_mut().notes.push(format!(
            "nothing tells which database {} is written for: {} was taken; name it with `database` (`--database`)",
            if folder.is_empty() { "the folder" } else { folder },
            DatabaseKind::default().word()
        ));
    }
    let kind = told.unwrap_or_default();
    let script = |(path, text): (String, String)| split::of_psql(path, text, kind);
    let trial = Trial {
        kind,
        layout: chosen,
        plan,
        each_alone: base.is_none(),
        base: base.unwrap_or_default(),
        schema: beside(&settings.schema)?.map(script),
        seed: beside(&settings.seed)?.map(script),
        round_trip: settings.round_trip,
    };
    Ok(Prepared { trial, sizes, squawk })
}

/// The database that an address is of.
fn by_scheme(url: &str) -> Option<DatabaseKind> {
    match url.split_once("://")?.0 {
        "postgres" | "postgresql" => Some(DatabaseKind::Postgres),
        "mysql" | "mariadb" => Some(DatabaseKind::Mysql),
        _ => None,
    }
}

fn layout(settings: &Settings, here: &layout::Folder, folder: &str) -> Result<&'static Layout, String> {
    let names = || layout::ALL.iter().map(|layout| layout.name).collect::<Vec<_>>().join(", ");
    match &settings.layout {
        Some(name) => layout::find(name).ok_or_else(|| format!("there is no layout {name:?}; there are {}", names())),
        None => layout::detect(here).ok_or_else(|| {
            let folder = if folder.is_empty() { "the folder" } else { folder };
            format!(
                "{folder} has no file that looks like a migration; name its `layout` ({}), or check `path`",
                names()
            )
        }),
    }
}

fn tell(chosen: &'static Layout, plan: &Plan, record: &mut Record) {
    chosen.name.clone_into(&mut record.migrations.layout);
    record.notes.extend(plan.notes.iter().cloned());
    record.problems.extend(plan.problems.iter().map(|what| super::unreadable(what.clone())));
    for path in &plan.code {
        record.problems.push(super::unreadable(format!(
            "{path} was not run: it is code, which only its own tool can run; name that with `command`"
        )));
    }
}

fn read(root: &Path, name: &str) -> Result<String, String> {
    let bytes = files::read(&root.join(name)).map_err(|error| error.to_string())?;
    String::from_utf8(bytes).map_err(|_| format!("{name} is no UTF-8"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_tells_its_database() {
        let of = |url| by_scheme(url).map(DatabaseKind::word);
        assert_eq!([of("postgresql://h/d"), of("postgres://h/d")], [Some("postgres"); 2]);
        assert_eq!([of("mysql://root@h:1/d"), of("mariadb://h/d")], [Some("mysql"); 2]);
        assert_eq!([of("h:5432"), of("sqlite://a")], [None; 2]);
    }
}
