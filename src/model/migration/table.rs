//! Tables as they can be compared before and after something that nobody watched.

use std::collections::BTreeMap;

use super::LockMode;

/// Tables by path.
pub type Tables = BTreeMap<String, Table>;

/// What of a table tells of work that was done on it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Table {
    /// What stays when it is renamed or written anew.
    pub identity: i64,
    /// The file that it is kept in; another one after it was written anew or truncated.
    pub file: i64,
    /// Whether it has rows; `None` where nobody can tell.
    pub has_rows: Option<bool>,
    /// Its indexes and constraints for which it was read from end to end while nobody could write, by identity, each with
    /// the lock that was held. Those that were made in steps which let others write are none.
    pub parts: BTreeMap<String, LockMode>,
}
