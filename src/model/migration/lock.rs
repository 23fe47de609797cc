//! Locks on tables, by what they keep others from.

/// The modes of a lock on a table, from weak to strong.
/// <https://www.postgresql.org/docs/current/explicit-locking.html#LOCKING-TABLES>
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LockMode {
    /// Taken by reading.
    AccessShare,
    /// Taken by SELECT … FOR UPDATE.
    RowShare,
    /// Taken by writing rows.
    RowExclusive,
    /// Taken by VACUUM, ANALYZE, CREATE INDEX CONCURRENTLY, VALIDATE CONSTRAINT.
    ShareUpdateExclusive,
    /// Taken by CREATE INDEX.
    Share,
    /// Taken by CREATE TRIGGER, ADD FOREIGN KEY.
    ShareRowExclusive,
    /// Taken by REFRESH MATERIALIZED VIEW CONCURRENTLY.
    Exclusive,
    /// Taken by most of ALTER TABLE, DROP, TRUNCATE, REINDEX, CLUSTER, VACUUM FULL.
    AccessExclusive,
}

impl LockMode {
    const ALL: [(Self, &'static str, &'static str); 8] = [
        (Self::AccessShare, "AccessShareLock", "ACCESS SHARE"),
        (Self::RowShare, "RowShareLock", "ROW SHARE"),
        (Self::RowExclusive, "RowExclusiveLock", "ROW EXCLUSIVE"),
        (Self::ShareUpdateExclusive, "ShareUpdateExclusiveLock", "SHARE UPDATE EXCLUSIVE"),
        (Self::Share, "ShareLock", "SHARE"),
        (Self::ShareRowExclusive, "ShareRowExclusiveLock", "SHARE ROW EXCLUSIVE"),
        (Self::Exclusive, "ExclusiveLock", "EXCLUSIVE"),
        (Self::AccessExclusive, "AccessExclusiveLock", "ACCESS EXCLUSIVE"),
    ];

    /// As `pg_locks` spells it.
    #[must_use]
    pub fn of_word(word: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, known, _)| *known == word).map(|(mode, ..)| *mode)
    }

    /// As `pg_locks` spells it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        Self::ALL[self as usize].1
    }

    /// As the manual spells it.
    #[must_use]
    pub const fn manual(self) -> &'static str {
        Self::ALL[self as usize].2
    }

    /// What others cannot do meanwhile.
    #[must_use]
    pub const fn blocks(self) -> &'static str {
        match self {
            Self::AccessShare | Self::RowShare => "blocks no reads or writes",
            Self::RowExclusive => "blocks CREATE INDEX, not reads or writes",
            Self::ShareUpdateExclusive => "blocks VACUUM and schema changes, not reads or writes",
            Self::Share | Self::ShareRowExclusive => "blocks every write",
            Self::Exclusive => "blocks every write and SELECT … FOR UPDATE",
            Self::AccessExclusive => "blocks every read and write",
        }
    }

    /// Whether it keeps others from writing.
    #[must_use]
    pub fn is_dangerous(self) -> bool {
        self >= Self::Share
    }
}

/// A lock on something that others can see.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Lock {
    /// `schema.name` of a table, an index or a sequence.
    pub object: String,
    /// How strong.
    pub mode: LockMode,
}
