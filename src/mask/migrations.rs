//! Masks what a dry run of migrations saw: a statement may hold a password, and a server's message quotes it.

use crate::mask::Masker;
use crate::model::migration::{Change, Migration, Migrations, Object, Statement, StatementError, What};

impl Masker {
    /// The dry run without secrets, escapes and invisible characters.
    #[must_use]
    pub fn migrations(&self, run: &Migrations) -> Migrations {
        Migrations {
            layout: run.layout.clone(),
            database: run.database.as_deref().map(|name| self.text(name)),
            migrations: run.migrations.iter().map(|migration| self.migration(migration)).collect(),
            of_the_base: run.of_the_base,
            // They stand in the gate's findings, masked there.
            findings: Vec::new(),
            schema_diff: self.text(&run.schema_diff),
            schema_summary: run.schema_summary.iter().map(|line| self.text(line)).collect(),
        }
    }

    fn migration(&self, migration: &Migration) -> Migration {
        Migration {
            version: self.text(&migration.version),
            name: self.text(&migration.name),
            path: self.text(&migration.path),
            error: migration.error.as_deref().map(|error| self.text(error)),
            round_trip_detail: migration.round_trip_detail.iter().map(|line| self.text(line)).collect(),
            statements: migration.statements.iter().map(|statement| self.statement(statement)).collect(),
            ..*migration
        }
    }

    fn statement(&self, statement: &Statement) -> Statement {
        let mut masked = statement.clone();
        masked.source.sql = self.text(&statement.source.sql);
        for lock in masked.locks.iter_mut().chain(&mut masked.held) {
            lock.object = self.text(&lock.object);
        }
        for name in masked.rewrites.iter_mut().chain(&mut masked.scans).chain(&mut masked.not_run) {
            *name = self.text(name);
        }
        for words in &mut masked.changes_in_words {
            *words = self.text(words);
        }
        masked.changes = statement.changes.iter().map(|change| self.change(change)).collect();
        masked.error = statement.error.as_ref().map(|error| StatementError {
            message: self.text(&error.message),
            code: error.code.clone(),
            hint: error.hint.as_deref().map(|hint| self.text(hint)),
            ..*error
        });
        masked
    }

    fn change(&self, change: &Change) -> Change {
        let what = match &change.what {
            What::Added { definition } => What::Added { definition: self.text(definition) },
            What::Removed { definition } => What::Removed { definition: self.text(definition) },
            What::Altered { before, after } => What::Altered { before: self.text(before), after: self.text(after) },
            What::Renamed { to } => What::Renamed { to: self.object(to) },
            What::Emptied => What::Emptied,
        };
        Change { object: self.object(&change.object), what }
    }

    fn object(&self, object: &Object) -> Object {
        Object { kind: object.kind, of: self.text(&object.of), name: self.text(&object.name) }
    }
}
