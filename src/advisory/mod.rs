//! Which packages a project depends on, what is known against them, and what of that a change has added. Pure:
//! `world::advisories` brings the bytes.

pub mod audit;
pub mod compare;
pub mod ignore;
pub mod import;
pub mod index;
pub mod lockfile;
pub mod manifest;
pub mod matching;
pub mod osv;
pub mod record;
pub mod remedy;
pub mod rustsec;
pub mod severity;
pub mod version;
pub mod yanked;
