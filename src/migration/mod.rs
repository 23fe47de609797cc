//! Floor 1: migrations without a database: which tool's layout a folder has, what its scripts say, what two schemas
//! differ in, and what is dangerous in what was observed. It runs nothing.

pub mod change;
pub mod estimate;
pub mod ignores;
pub mod layout;
pub mod preflight;
pub mod rules;
pub mod schema_diff;
pub mod split;
pub mod squawk;
pub mod unwatched;
