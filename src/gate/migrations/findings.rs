//! From what was observed to what is told of it: the rules, the linter, ignores and levels.

use std::path::Path;

use super::dry_run::{Record, Trial};
use super::settings::{Down, Settings};
use crate::migration::estimate::Sizes;
use crate::migration::rules::{self, Seen};
use crate::migration::squawk::{self, Squawk};
use crate::migration::{change, ignores, schema_diff, split};
use crate::model::finding::Finding;
use crate::model::migration::{Applied, Change, DatabaseKind, Migration, Planned};
use crate::world::cores;

/// Fills in the findings and the difference of the schemas.
pub(super) fn found(settings: &Settings, trial: &Trial, sizes: &Sizes, squawk: &Squawk, record: &mut Record) {
    let code = trial.plan.code.iter().map(|path| code_step(path));
    let migrations = std::mem::take(&mut record.migrations.migrations);
    let seen = Seen {
        migrations: &migrations,
        before: &record.before,
        after: &record.after,
        each_alone: trial.each_alone,
        sizes,
        down_required: down_required(settings, trial),
    };
    let mut findings = rules::all(seen);
    if trial.kind == DatabaseKind::Postgres {
        let server = record.migrations.database.as_deref().and_then(|name| name.split(' ').nth(1)).unwrap_or("15");
        let linted = cores::map(&migrations, |migration| {
            let script = planned(trial, migration).and_then(|planned| planned.up.as_ref());
            let script = script.filter(|_| migration.outcome != Applied::NotRun);
            script.map(|script| squawk::lint(script, migration.transactional, squawk, server)).unwrap_or_default()
        });
        let mut linted = linted.into_iter();
        rules::walk(seen, |migration, known| {
            let further = squawk::kept(linted.next().unwrap_or_default(), migration, known, &mut findings);
            findings.extend(further);
        });
        findings.retain(|finding| finding.rule.as_deref().is_none_or(|rule| !squawk.excludes(rule)));
    }
    // Before what files ignore, which is a note whatever the level of its rule.
    let levels = settings.levels();
    let mut findings = rules::with_levels(findings, &levels);
    for migration in &migrations {
        if let Some(script) = planned(trial, migration).and_then(|planned| planned.up.as_ref()) {
            ignores::apply(script, &split::split(script, trial.kind), &mut findings, &mut record.notes);
        }
    }
    let base: &[Planned] = if trial.each_alone { &[] } else { &trial.base.migrations };
    let mut beside = rules::against(&trial.plan.migrations, base, trial.layout.remembers_names());
    beside.append(&mut record.taken);
    findings.extend(rules::with_levels(beside, &levels));
    in_order(&mut findings, &migrations);
    record.migrations.findings = findings;
    fill_in_schema(record);
    record.migrations.migrations = migrations;
    record.migrations.migrations.extend(code);
}

/// As [`found`], where a tool's own command did it all.
pub(super) fn of_command(settings: &Settings, record: &mut Record) {
    let migrations = std::mem::take(&mut record.migrations.migrations);
    let seen = Seen {
        migrations: &migrations,
        before: &record.before,
        after: &record.after,
        each_alone: false,
        sizes: &Sizes::default(),
        down_required: false,
    };
    let mut findings = rules::with_levels(rules::all(seen), &settings.levels());
    for finding in &mut findings {
        // It is the folder's, not a file's.
        finding.line = None;
    }
    record.migrations.findings = findings;
    record.migrations.migrations = migrations;
    fill_in_schema(record);
}

fn fill_in_schema(record: &mut Record) {
    record.migrations.schema_diff = schema_diff::sql(&record.before, &record.after);
    let changes = change::compare(&record.before, &record.after);
    record.migrations.schema_summary = changes.iter().map(Change::words).collect();
}

fn planned<'a>(trial: &'a Trial, migration: &Migration) -> Option<&'a Planned> {
    trial.plan.migrations.iter().find(|planned| planned.path == migration.path)
}

/// A down is expected where the tool knows downs and the folder has any.
fn down_required(settings: &Settings, trial: &Trial) -> bool {
    match settings.down {
        Some(down) => down == Down::Required,
        None => trial.layout.has_down && trial.plan.migrations.iter().any(|planned| planned.down.is_some()),
    }
}

fn in_order(findings: &mut [Finding], migrations: &[Migration]) {
    let place = |finding: &Finding| {
        let at = migrations.iter().position(|migration| finding.path.as_deref() == Some(migration.path.as_str()));
        (at.unwrap_or(usize::MAX), finding.path.clone(), finding.line, std::cmp::Reverse(finding.level))
    };
    findings.sort_by_cached_key(place);
}

/// A step that is code, as a migration that was not run.
fn code_step(path: &str) -> Migration {
    let file = path.rsplit('/').next().unwrap_or(path);
    let version = file.chars().take_while(char::is_ascii_digit).collect();
    Migration {
        version,
        name: Path::new(file).file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default(),
        error: Some("it is code, which only its own tool can run".to_owned()),
        ..Migration::not_run(path)
    }
}
