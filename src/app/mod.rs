//! Floor 4: one file per command; each reads as that command's story. None knows the terminal.

mod detected;
mod failure;
pub mod migrations;
pub mod output;
pub mod parse;
pub mod plan;
pub mod posting;
pub mod project;
pub mod publish;
pub mod run;
pub mod scope;
pub mod work;

pub use failure::Failure;
