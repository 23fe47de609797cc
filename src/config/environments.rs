//! `[environments.*]`: where to, by what means, and by what rules.

use std::collections::BTreeMap;
use std::ops::Range;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::Known;
use super::kind::{DeployerRow, Own};
use super::nearest::{advice, did_you_mean, listed, nearest};
use super::probes::{Health, Verify};
use super::problems::Problem;
use super::reading::{self, keys_of, quoted};
use super::rollout::{self, Analysis, Step};
use super::rules::{Branch, Folder, Variable};
use super::times::{FreezeDays, HoursOfDays};
use super::values::{Command, Text, Time, Whole};
use crate::model::environments::{self as model, EnvironmentName, GITHUB_ACTIONS};
use crate::model::gate::GateName;
use crate::model::rollout::Strategy;

/// One environment.
#[derive(Debug, Clone)]
pub struct Environment {
    /// What every environment has.
    pub settings: model::Environment,
    /// What deploys to it.
    pub deploy: Means,
    /// What rolls it back, where that is something else.
    pub rollback: Option<Means>,
}

/// A deployer with its settings.
#[derive(Debug, Clone)]
pub struct Means {
    /// Its name, a row of the deployers.
    pub name: &'static str,
    /// Its settings.
    pub own: Own,
}

/// The keys of an environment, but for `deploy` and `rollback`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
#[expect(clippy::struct_excessive_bools, reason = "each is a key of its own")]
pub struct Section {
    /// Where it answers; paths of `health` and `verify` are below it.
    pub url: Option<Text<super::rules::Address>>,
    /// Paths, or tables with `path`, `method`, `headers`, `status`, `body`, `json` and `latency`, that must all be good.
    pub health: Vec<Health>,
    /// How it is told whether it works: `version`, `interval`, `successes`, `timeout`, `grace`, `deadline`, `watch`.
    pub verify: Verify,
    /// A command that must end with 0 once the probes are good; it is told by the variables of `deploy = { command = … }`.
    #[schemars(with = "Command")]
    pub smoke: Option<Command>,
    /// How deploys go beside the old version, in two slots (`blue`, `green`); default: in its place.
    #[schemars(with = "Strategy")]
    pub strategy: Option<Strategy>,
    /// The hook of `blue-green`: it sends all traffic to `GATEPOST_SLOT`, or for `GATEPOST_WEIGHT` 0 to `GATEPOST_OTHER_SLOT`. It has the variables of `deploy = { command = … }` too.
    #[schemars(with = "Command")]
    pub switch: Option<Command>,
    /// The hook of `canary`: it sends `GATEPOST_WEIGHT` percent of the traffic to `GATEPOST_SLOT`, the rest to `GATEPOST_OTHER_SLOT`. It has the variables of `deploy = { command = … }` too.
    #[schemars(with = "Command")]
    pub weight: Option<Command>,
    /// Where a slot without traffic answers, as in `https://{slot}.example.com`; `blue-green` needs it.
    pub preview: Option<Text<super::rules::Address>>,
    /// The steps of `canary`: weights 1 to 99, or tables with `weight`, `watch` (how long it is looked at, default `1m`) and `pause` (it then waits for a person).
    pub steps: Vec<Step>,
    /// How a step is looked at: `command`, `initial-delay`, `interval`, `failure-limit`, `consecutive-error-limit`, `inconclusive-limit`.
    pub analysis: Analysis,
    /// Whether a deploy that fails is rolled back at once.
    pub auto_rollback: bool,
    /// Gates that must be green for the commit; default: every gate.
    #[schemars(with = "Vec<GateName>")]
    pub requires: Option<Vec<Spanned<String>>>,
    /// How old their results may be, 1m to 8760h.
    pub max_age: Time<60_000, 31_536_000_000>,
    /// The environment where the same commit must be live and healthy first.
    #[schemars(with = "EnvironmentName")]
    pub after: Option<Spanned<String>>,
    /// Branches that may be deployed, perhaps with a `*` at the end; default, where there are no `tags` either: every commit.
    pub branches: Vec<Text<Branch>>,
    /// Tags that may be deployed, perhaps with a `*` at the end.
    pub tags: Vec<Text<Branch>>,
    /// When it may be deployed to, as in `Mon-Fri 09:00-16:00 Europe/Berlin`; default: always.
    pub hours: Vec<HoursOfDays>,
    /// Days on which nothing is deployed, as in `2026-12-20..2027-01-02 Europe/Berlin: holidays`.
    pub freezes: Vec<FreezeDays>,
    /// Variables that must be set before anything starts.
    pub secrets: Vec<Text<Variable>>,
    /// Whether `--force --reason TEXT` may stand in for missing evidence.
    pub allow_force: bool,
    /// How long the deploy may take, 1s to 24h.
    pub timeout: Time<1000, 86_400_000>,
    /// From TERM to KILL, 0s to 10m.
    pub grace: Time<0, 600_000>,
    /// How long the lock outlives a run that cannot be asked, 1m to 24h.
    pub lease: Time<60_000, 86_400_000>,
    /// The folder of migrations; default: the usual ones are looked for.
    pub migrations: Option<Text<Folder>>,
    /// The app whose check runs are evidence; default: GitHub Actions.
    pub app_id: Whole<1, { u32::MAX as u64 }>,
    /// What GitHub calls a production environment; default: the one named `production`.
    pub production: Option<bool>,
    /// Deploys run in a job that names this environment, so that GitHub enforces its rules itself.
    pub in_job: bool,
    /// After a rollback the environment stays locked until somebody unlocks it.
    pub freeze_after_rollback: bool,
}

impl Default for Section {
    fn default() -> Self {
        let minutes = std::time::Duration::from_mins;
        Self {
            url: None,
            health: Vec::new(),
            verify: Verify::default(),
            smoke: None,
            strategy: None,
            switch: None,
            weight: None,
            preview: None,
            steps: Vec::new(),
            analysis: Analysis::default(),
            auto_rollback: true,
            requires: None,
            max_age: Time(minutes(7 * 24 * 60)),
            after: None,
            branches: Vec::new(),
            tags: Vec::new(),
            hours: Vec::new(),
            freezes: Vec::new(),
            secrets: Vec::new(),
            allow_force: false,
            timeout: Time(minutes(30)),
            grace: Time(std::time::Duration::from_secs(10)),
            lease: Time(minutes(15)),
            migrations: None,
            app_id: Whole(GITHUB_ACTIONS),
            production: None,
            in_job: false,
            freeze_after_rollback: false,
        }
    }
}

impl Section {
    fn given(&self) -> rollout::Given<'_> {
        rollout::Given {
            strategy: self.strategy,
            switch: self.switch.as_ref(),
            weight: self.weight.as_ref(),
            preview: self.preview.as_ref().map(|preview| preview.0.as_str()),
            steps: &self.steps,
            analysis: &self.analysis,
            version: self.verify.version.as_ref().map(|version| version.0.path.as_str()),
            auto_rollback: self.auto_rollback,
        }
    }
}

/// Reads every environment; those without a problem are added to `into`, in file order.
pub(super) fn read(
    table: &DeTable<'_>,
    known: &Known<'_>,
    gates: &[&str],
    into: &mut Vec<Environment>,
) -> Vec<Problem> {
    let mut entries: Vec<_> = table.iter().collect();
    entries.sort_by_key(|(key, _)| key.span().start);
    let names: Vec<&str> = entries.iter().map(|(key, _)| key.get_ref().as_ref()).collect();
    let mut problems = Vec::new();
    let mut after: BTreeMap<String, (String, Range<usize>)> = BTreeMap::new();
    for (key, value) in &entries {
        let name = match EnvironmentName::parse(key.get_ref()) {
            Ok(name) => name,
            Err(error) => {
                problems.push(Problem::new(key.span(), error.to_string()));
                continue;
            }
        };
        let DeValue::Table(table) = value.get_ref() else {
            let help = format!("write a section [environments.{name}] with deploy = {{ command = \"…\" }}");
            problems.push(Problem::new(value.span(), format!("environment `{name}`: expected a table")).help(help));
            continue;
        };
        let mut reader = Reader { name, span: key.span(), table, known, problems: Vec::new() };
        let environment = reader.environment(gates, &names, &mut after);
        if reader.problems.is_empty() {
            into.extend(environment);
        }
        problems.append(&mut reader.problems);
    }
    problems.extend(circles(&after));
    problems
}

/// `after` that leads back to where it began: nothing could ever be deployed.
fn circles(after: &BTreeMap<String, (String, Range<usize>)>) -> Vec<Problem> {
    let leads_back = |start: &String| {
        let mut at = start;
        for _ in 0..=after.len() {
            match after.get(at) {
                Some((next, _)) if next == start => return true,
                Some((next, _)) => at = next,
                None => return false,
            }
        }
        false
    };
    let circle = after.iter().find(|(name, _)| leads_back(name));
    circle
        .map(|(name, (_, span))| Problem::new(span.clone(), format!("`after` leads from {name} back to itself")))
        .into_iter()
        .collect()
}

struct Reader<'a> {
    name: EnvironmentName,
    span: Range<usize>,
    table: &'a DeTable<'a>,
    known: &'a Known<'a>,
    problems: Vec<Problem>,
}

impl Reader<'_> {
    fn environment(
        &mut self,
        gates: &[&str],
        names: &[&str],
        after: &mut BTreeMap<String, (String, Range<usize>)>,
    ) -> Option<Environment> {
        let (section, problems) = reading::read::<Section>(self.table);
        self.problems.extend(problems);
        self.unknown_keys();
        for gate in section.requires.iter().flatten() {
            self.one_of("gate", gate, gates);
        }
        if let Some(before) = &section.after {
            self.one_of("environment", before, names);
            after.insert(self.name.to_string(), (before.get_ref().clone(), before.span()));
        }
        self.addresses(&section);
        let deploy = self.means("deploy");
        self.strategy(&section, deploy.as_ref().is_none_or(|deploy| deploy.name == "command"));
        let rollback = if self.table.contains_key("rollback") { self.means("rollback") } else { None };
        if !self.table.contains_key("deploy") {
            let names: Vec<&str> = self.known.deployers.iter().map(|row| row.name).collect();
            let what = format!("environment `{}` has no `deploy`", self.name);
            let help = format!("write deploy = {{ command = \"…\" }}; there is {}", listed(&names));
            self.problems.push(Problem::new(self.span.clone(), what).help(help));
        }
        Some(Environment { settings: settled(self.name.clone(), section), deploy: deploy?, rollback })
    }

    fn unknown_keys(&mut self) {
        let words: Vec<&str> = keys_of::<Section>().iter().copied().chain(["deploy", "rollback"]).collect();
        let table = format!("[environments.{}]", self.name);
        for key in self.table.keys().filter(|key| !words.contains(&key.get_ref().as_ref())) {
            self.problems.push(reading::unknown_key(key.get_ref(), key.span(), &table, &words));
        }
    }

    fn one_of(&mut self, what: &str, word: &Spanned<String>, words: &[&str]) {
        if !words.contains(&word.get_ref().as_str()) {
            let message = format!("there is no {what} {}", quoted(word.get_ref()));
            self.problems.push(Problem::new(word.span(), message).help(advice(word.get_ref(), words)));
        }
    }

    /// A path is nowhere without an address.
    fn addresses(&mut self, section: &Section) {
        let is_path = |path: &str| !path.starts_with("http://") && !path.starts_with("https://");
        let paths = section.health.iter().map(|health| health.0.path.as_str());
        let version = section.verify.version.as_ref().map(|version| version.0.path.as_str());
        if section.url.is_none() && paths.chain(version).any(is_path) {
            let what = format!("environment `{}` has paths to look at, and no `url`", self.name);
            self.problems.push(Problem::new(self.span.clone(), what).help("add url = \"https://…\""));
        }
    }

    /// What does not go together with the strategy, or without one. Of what could not be read nothing more is said.
    fn strategy(&mut self, section: &Section, by_command: bool) {
        let table = self.table;
        let within = |whole: Range<usize>, part: &Range<usize>| whole.start <= part.start && part.end <= whole.end;
        let unread: Vec<&str> = table
            .iter()
            .filter(|(_, value)| self.problems.iter().any(|problem| within(value.span(), &problem.span)))
            .map(|(key, _)| key.get_ref().as_ref())
            .collect();
        if unread.contains(&"strategy") {
            return;
        }
        let wrong = rollout::objections(&section.given(), &|key| table.contains_key(key), by_command);
        for (key, what, help) in wrong.into_iter().filter(|(key, ..)| !unread.contains(key)) {
            let span = table.get(key).map_or_else(|| self.span.clone(), Spanned::span);
            self.problems.push(Problem::new(span, what).help(help));
        }
    }

    /// `{ NAME = …, … }`: the deployer that one of the keys names.
    fn means(&mut self, key: &str) -> Option<Means> {
        let value = self.table.get(key)?;
        let names: Vec<&str> = self.known.deployers.iter().map(|row| row.name).collect();
        let DeValue::Table(table) = value.get_ref() else {
            let message = format!("`{key}`: expected a table such as {{ command = \"…\" }}");
            self.problems.push(Problem::new(value.span(), message).help(format!("there is {}", listed(&names))));
            return None;
        };
        let found: Vec<&DeployerRow> = self.known.deployers.iter().filter(|row| table.contains_key(row.name)).collect();
        let [row] = found[..] else {
            let message = format!("`{key}` names {} deployers, and needs one", found.len());
            let meant = table.keys().find_map(|key| nearest(key.get_ref(), names.iter().copied()));
            let help = meant.filter(|_| found.is_empty()).map_or(format!("there is {}", listed(&names)), did_you_mean);
            self.problems.push(Problem::new(value.span(), message).help(help));
            return None;
        };
        let words = (row.keys)();
        for unknown in table.keys().filter(|key| !words.contains(&key.get_ref().as_ref())) {
            self.problems.push(reading::unknown_key(unknown.get_ref(), unknown.span(), &format!("`{key}`"), words));
        }
        let (own, problems) = (row.read)(table);
        self.problems.extend(problems);
        Some(Means { name: row.name, own })
    }
}

fn settled(name: EnvironmentName, section: Section) -> model::Environment {
    let gate = |gate: &Spanned<String>| GateName::parse(gate.get_ref()).ok();
    let texts = |list: Vec<Text<Branch>>| list.into_iter().map(|text| text.0).collect();
    model::Environment {
        rollout: rollout::settled(&section.given()),
        production: section.production.unwrap_or(name.as_str() == "production"),
        url: section.url.map(|url| url.0),
        verify: model::Verify {
            health: section.health.into_iter().map(|health| health.0).collect(),
            pacing: section.verify.pacing(),
            version: section.verify.version.map(|version| version.0),
            smoke: section.smoke.map(|command| command.0),
        },
        auto_rollback: section.auto_rollback,
        requires: section.requires.map(|gates| gates.iter().filter_map(gate).collect()),
        max_age: section.max_age.0,
        after: section.after.and_then(|after| EnvironmentName::parse(after.get_ref()).ok()),
        branches: texts(section.branches),
        tags: texts(section.tags),
        hours: section.hours.into_iter().map(|hours| hours.0).collect(),
        freezes: section.freezes.into_iter().map(|freeze| freeze.0).collect(),
        secrets: section.secrets.into_iter().map(|name| name.0).collect(),
        allow_force: section.allow_force,
        timeout: section.timeout.0,
        grace: section.grace.0,
        lease: section.lease.0,
        migrations: section.migrations.map(|folder| folder.0),
        app_id: section.app_id.0,
        in_job: section.in_job,
        freeze_after_rollback: section.freeze_after_rollback,
        name,
    }
}
