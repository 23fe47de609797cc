//! The one integration binary: every test module is a file beside this one.
#![allow(clippy::allow_attributes, clippy::disallowed_methods, clippy::unwrap_used, clippy::expect_used)]
#![allow(clippy::print_stdout, clippy::print_stderr, missing_docs)]

#[cfg(unix)]
mod action;
mod again;
mod archive;
mod archives;
#[cfg(unix)]
mod audit;
mod bless;
#[cfg(unix)]
mod cancel;
#[cfg(unix)]
mod comment;
mod config;
#[cfg(unix)]
mod deploy;
mod detect;
#[cfg(unix)]
mod doctor;
mod forge;
mod github;
mod hostile_reports;
mod house;
#[cfg(unix)]
mod init;
mod integrity;
#[cfg(unix)]
mod leftovers;
mod lockfiles;
#[cfg(unix)]
mod migrations;
mod notify;
mod parse;
mod plan;
#[cfg(unix)]
mod prepare;
#[cfg(unix)]
mod process;
#[cfg(unix)]
mod publish;
mod repo;
#[cfg(unix)]
mod run;
mod schedule;
mod shop;
mod slots;
mod tree;
mod written;
