//! Looks at environments and notifiers: whether their settings hold, and which of their variables are set here. Nothing is
//! asked of them: a request to an environment is a visit, and one to a notifier a message.

use crate::config::{Config, Environment, Means};
use crate::deploy;
use crate::model::diagnosis::Row;
use crate::setup::deploys::{self, Place};
use crate::world::clock;
use crate::world::env::Env;

/// A row for each environment and each route of `[notify.*]`.
pub fn rows(config: &Config, env: &Env, on_actions: bool) -> Vec<Row> {
    let missing = |names: Vec<String>| {
        let mut names: Vec<String> = names.into_iter().filter(|name| env.get(name).is_none()).collect();
        names.sort();
        names.dedup();
        names
    };
    let environments = config.environments.iter().map(|environment| match well(environment) {
        Ok(variables) => {
            let (settings, missing) = (&environment.settings, missing(variables));
            let is_verified = !settings.verify.is_empty();
            let (name, url) = (settings.name.as_str(), settings.url.as_deref());
            deploys::environment(Place { name, url, by: environment.deploy.name, is_verified }, &missing, on_actions)
        }
        Err(wrong) => Row::bad("environment", format!("{}: {wrong}", environment.settings.name), "correct the section"),
    });
    let routes =
        config.notify.iter().map(|route| deploys::route(route.kind, &missing(route.variables.clone()), on_actions));
    environments.chain(routes).collect()
}

/// The variables of an environment whose settings hold.
fn well(environment: &Environment) -> Result<Vec<String>, String> {
    let unknown = environment.settings.zones().find_map(|zone| clock::local(zone).err());
    unknown.map_or_else(|| variables(environment), |why| Err(format!("{why}, so that it is closed at any time")))
}

/// The variables that a deploy and a rollback need.
fn variables(environment: &Environment) -> Result<Vec<String>, String> {
    let mut names = environment.settings.secrets.clone();
    let needed = |means: &Means| {
        let kind = deploy::find(means.name).ok_or_else(|| format!("there is no deployer {}", means.name))?;
        let deployer = (kind.settle)(&means.own).map_err(|_| format!("the settings of {} do not hold", means.name))?;
        Ok::<_, String>(deployer.secrets())
    };
    names.extend(needed(&environment.deploy)?);
    if let Some(rollback) = &environment.rollback {
        names.extend(needed(rollback)?);
    }
    Ok(names)
}
