//! Floor 2: the only effects. Every touch of the outside goes through a file here; clippy forbids it elsewhere.

pub mod advisories;
pub mod ask;
pub mod cargo_index;
pub mod clock;
pub mod cores;
pub mod crashpoint;
pub mod database;
pub mod env;
pub mod files;
pub mod find;
pub mod forge;
pub mod github;
pub mod http;
pub mod ledger;
pub mod line;
pub mod lockfiles;
pub mod machine;
pub mod mail;
pub mod migrations;
pub mod occasion;
pub mod process;
pub mod repo;
pub mod screen;
pub mod signals;
pub mod survey;
pub mod tree;
