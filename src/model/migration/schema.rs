//! A schema as facts that can be compared, and how they differ.

use std::collections::BTreeMap;

use crate::model::text;

/// One object of a schema, or a part of one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Object {
    /// What it is.
    pub kind: ObjectKind,
    /// The table it belongs to, `schema.name`; for what stands by itself, its own name.
    pub of: String,
    /// Its own name within that; empty for what stands by itself.
    pub name: String,
}

/// What an object of a schema is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ObjectKind {
    /// An extension of the server.
    Extension,
    /// A namespace.
    Schema,
    /// An enum, a domain, a composite or range type.
    Type,
    /// A counter.
    Sequence,
    /// A table, partitioned or not.
    Table,
    /// A column.
    Column,
    /// A primary key, unique, check, exclusion or foreign key constraint.
    Constraint,
    /// An index.
    Index,
    /// A view.
    View,
    /// A stored view.
    MaterializedView,
    /// A function or procedure.
    Function,
    /// A trigger.
    Trigger,
    /// A row policy.
    Policy,
    /// A rewrite rule.
    Rule,
    /// Who may do what.
    Privileges,
    /// Whose it is, where that is not who runs the migrations.
    Owner,
    /// What is said of an object.
    Comment,
    /// An operator, a cast, statistics, a text search configuration, …; its path says what.
    Other,
}

impl ObjectKind {
    /// In words.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Extension => "extension",
            Self::Schema => "schema",
            Self::Type => "type",
            Self::Sequence => "sequence",
            Self::Table => "table",
            Self::Column => "column",
            Self::Constraint => "constraint",
            Self::Index => "index",
            Self::View => "view",
            Self::MaterializedView => "materialized view",
            Self::Function => "function",
            Self::Trigger => "trigger",
            Self::Policy => "policy",
            Self::Rule => "rule",
            Self::Privileges => "privileges",
            Self::Owner => "owner of",
            Self::Comment => "comment on",
            Self::Other => "object",
        }
    }
}

impl Object {
    /// `schema.table.column`, or the name of what stands by itself.
    #[must_use]
    pub fn path(&self) -> String {
        if self.name.is_empty() { self.of.clone() } else { format!("{}.{}", self.of, self.name) }
    }
}

/// What is known of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// What stays when it is renamed; empty where the database has no such thing.
    pub identity: String,
    /// Its definition, as the database words it.
    pub definition: String,
}

/// A whole schema.
pub type Facts = BTreeMap<Object, Fact>;

/// How an object changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The object, by its name before where it had one.
    pub object: Object,
    /// What happened.
    pub what: What,
}

impl Change {
    /// One line: `+ column public.orders.total numeric(10,2) NOT NULL`.
    #[must_use]
    pub fn words(&self) -> String {
        let (kind, path) = (self.object.kind.word(), self.object.path());
        let short = |text: &str| text::one_line(text, 160);
        match &self.what {
            What::Added { definition } => format!("+ {kind} {path} {}", short(definition)).trim_end().to_owned(),
            What::Removed { definition } => format!("- {kind} {path} {}", short(definition)).trim_end().to_owned(),
            What::Altered { before, after } => {
                let (before, after) = from_difference(before, after);
                format!("~ {kind} {path}: {} -> {}", short(before), short(after))
            }
            What::Renamed { to } => format!("~ {kind} {path} renamed to {}", to.path()),
            What::Emptied => format!("- every row of {kind} {path}"),
        }
    }
}

/// Two texts from the first line on in which they differ: views and functions have many that they share.
fn from_difference<'a>(before: &'a str, after: &'a str) -> (&'a str, &'a str) {
    let lines = before.split_inclusive('\n').zip(after.split_inclusive('\n'));
    let shared: usize = lines.take_while(|(one, other)| one == other).map(|(line, _)| line.len()).sum();
    (before[shared..].trim_start(), after[shared..].trim_start())
}

/// What happened to an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// It is new.
    Added {
        /// Its definition.
        definition: String,
    },
    /// It is gone.
    Removed {
        /// What it was.
        definition: String,
    },
    /// It is another.
    Altered {
        /// What it was.
        before: String,
        /// What it is.
        after: String,
    },
    /// Its rows are gone at once (TRUNCATE).
    Emptied,
    /// It has another name, and perhaps another definition.
    Renamed {
        /// The new name.
        to: Object,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_of_long_texts_is_shown() {
        let words = |before: &str, after: &str| {
            let object = Object { kind: ObjectKind::View, of: "public.v".to_owned(), name: String::new() };
            Change { object, what: What::Altered { before: before.to_owned(), after: after.to_owned() } }.words()
        };
        assert_eq!(words("SELECT a,\n    b\n  FROM t", "SELECT a,\n    c\n  FROM t"), "~ view public.v: b -> c");
        assert_eq!(words("text", "integer"), "~ view public.v: text -> integer");
        assert_eq!(words("SELECT a\n", "SELECT a\n b"), "~ view public.v:  -> b");
    }
}
