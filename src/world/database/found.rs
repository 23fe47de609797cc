//! Which database servers are installed on this machine, in which versions, told without starting one.

use std::path::PathBuf;

use super::programs::{Found, Surroundings, look_at};
use crate::model::migration::DatabaseKind;

/// The servers of a kind, in the order in which they are chosen.
#[must_use]
pub fn servers(around: Surroundings<'_>, kind: DatabaseKind) -> Vec<Found> {
    programs(around, kind).iter().filter_map(|program| look_at(program)).collect()
}

#[cfg(unix)]
fn programs(around: Surroundings<'_>, kind: DatabaseKind) -> Vec<PathBuf> {
    match kind {
        DatabaseKind::Postgres => super::postgres::programs(around),
        DatabaseKind::Mysql => super::mysql::programs(around),
        DatabaseKind::Sqlite => Vec::new(),
    }
}

/// Scratch servers are started on Unix alone.
#[cfg(not(unix))]
const fn programs(_: Surroundings<'_>, _: DatabaseKind) -> Vec<PathBuf> {
    Vec::new()
}
