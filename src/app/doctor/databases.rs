//! The servers that dry runs of migrations need: whether they are here, in which version, and with which extensions.
//! None is started, and nothing is written to one that is named.

use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

use crate::app::project::Project;
use crate::gate::migrations::{Settings, below};
use crate::migration::layout;
use crate::model::diagnosis::Row;
use crate::model::migration::DatabaseKind;
use crate::model::settings::Common;
use crate::world::database::found;
use crate::world::database::programs::{Surroundings, how_to_get};
use crate::world::env::Env;
use crate::world::migrations;

const TOPIC: &str = "databases";
/// How long a server that is named may take to say its version.
const PATIENCE: Duration = Duration::from_secs(10);

/// One row or more for each gate that starts a database; where there is none, one that says so.
pub async fn rows(project: &Project, root: &Path, env: &Env) -> Vec<Row> {
    let environment: Vec<(OsString, OsString)> =
        env.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let mut rows = Vec::new();
    for gate in project.config.gates.iter().filter(|gate| gate.common.kind == "migrations") {
        let Ok(settings) = gate.own.read::<Settings>() else { continue };
        let needs = Needs { common: &gate.common, settings: &settings, around: Surroundings(&environment) };
        rows.extend(needs.rows(root).await);
    }
    if rows.is_empty() {
        let mut kinds: Vec<&str> = project.gates.iter().map(|gate| gate.common().kind.as_str()).collect();
        kinds.sort_unstable();
        kinds.dedup();
        let what = format!("no gate of a kind that starts one (here: {})", kinds.join(", "));
        rows.push(Row::needless(TOPIC, what));
    }
    rows
}

/// What one gate needs.
struct Needs<'a> {
    common: &'a Common,
    settings: &'a Settings,
    around: Surroundings<'a>,
}

impl Needs<'_> {
    async fn rows(&self, root: &Path) -> Vec<Row> {
        let name = &self.common.name;
        let folder = below(&self.common.dir, &self.settings.path);
        let read = migrations::of_work_tree(root, &folder).and_then(|folder| {
            let named = self.settings.layout.as_deref().map_or_else(|| layout::detect(&folder), layout::find);
            let layout =
                named.ok_or("it has no file that looks like a migration; name its `layout`, or mend `path`")?;
            Ok((layout.read(&folder), layout::database(&folder).map(|(kind, _)| kind)))
        });
        let (plan, told) = match read {
            Ok(read) => read,
            // Of a tool with a command of its own no file is read here.
            Err(_) if self.common.command.is_some() => (layout::Plan::default(), None),
            Err(why) => return vec![Row::bad(TOPIC, format!("{name}: {folder}: {why}"), "mend the gate's `path`")],
        };
        let kind = self.settings.database.or(told).unwrap_or_default();
        if let Some(url) = &self.settings.database_url {
            return vec![self.of_url(kind, url).await];
        }
        if kind == DatabaseKind::Sqlite {
            return vec![Row::good(TOPIC, format!("{name}: SQLite, in gatepost itself"))];
        }
        let servers = found::servers(self.around, kind);
        let wanted = self.settings.version.as_deref();
        let Some(server) = servers.iter().find(|server| wanted.is_none_or(|wanted| server.is(wanted))) else {
            let asked = wanted.map_or_else(String::new, |wanted| format!(" {wanted}"));
            let others: Vec<String> = servers.iter().map(|found| format!("{} {}", found.name, found.version)).collect();
            let found =
                if others.is_empty() { "none was found".to_owned() } else { format!("there is {}", others.join(", ")) };
            let what = format!("{name} needs {}{asked}, and {found}", kind.word());
            return vec![Row::bad(TOPIC, what, how_to_get(kind, wanted))];
        };
        let what = format!("{name}: {} {} ({})", server.name, server.version, server.program.display());
        let todo = "install it, or name a server that has it with `database-url` (in a workflow: `services:` with an image that brings it)";
        let missing = migrations::missing(&plan, kind, server).into_iter();
        std::iter::once(Row::good(TOPIC, what))
            .chain(missing.map(|what| Row::bad(TOPIC, format!("{name}: {what}"), todo)))
            .collect()
    }

    /// A server that is named is asked for its version, and nothing else.
    async fn of_url(&self, kind: DatabaseKind, url: &str) -> Row {
        let name = &self.common.name;
        let Some(variable) = url.strip_prefix("env:") else {
            return Row::bad(TOPIC, format!("{name}: database-url is a secret"), "write `env:NAME`");
        };
        let Some(url) = self.around.get(variable).and_then(std::ffi::OsStr::to_str) else {
            let what = format!("{name}: database-url names {variable}, which is not set here");
            return Row::unknown(TOPIC, what, "set it, to look at the server that the gate will use");
        };
        match tokio::time::timeout(PATIENCE, ask(kind, url, self.settings.allow_remote)).await {
            Ok(Ok(server)) => Row::good(TOPIC, format!("{name}: {server}, as {variable} names it")),
            Ok(Err(error)) => {
                Row::bad(TOPIC, format!("{name}: {error}"), format!("mend {variable}, or start the server"))
            }
            Err(_) => {
                let what = format!("{name}: the server of {variable} did not answer within {} s", PATIENCE.as_secs());
                Row::bad(TOPIC, what, "start it, or mend the address")
            }
        }
    }
}

#[cfg(unix)]
async fn ask(kind: DatabaseKind, url: &str, allow_remote: bool) -> Result<String, String> {
    use crate::world::database::{mysql, postgres};
    match kind {
        DatabaseKind::Postgres => postgres::ask(url, allow_remote).await.map_err(|error| error.to_string()),
        DatabaseKind::Mysql => mysql::ask(url, allow_remote).await.map_err(|error| error.to_string()),
        DatabaseKind::Sqlite => Err("database-url is not for sqlite, which is in gatepost itself".to_owned()),
    }
}

#[cfg(not(unix))]
async fn ask(_: DatabaseKind, _: &str, _: bool) -> Result<String, String> {
    Err("database-url is not looked at on this system".to_owned())
}
