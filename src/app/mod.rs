//! Floor 4: one file per command; each reads as that command's story. None knows the terminal.

mod detected;
mod failure;
mod output;
pub mod parse;
pub mod plan;
mod posting;
mod project;
pub mod run;
mod scope;
mod work;

pub use failure::Failure;
