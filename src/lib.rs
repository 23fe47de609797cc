//! gatepost stands between a pull request and production: it runs the quality gates, posts what it found,
//! and never gives a verdict greener than its evidence. `ARCHITECTURE.md` shows the floors.

pub mod advisory;
pub mod app;
pub mod chat;
pub mod cli;
pub mod config;
pub mod deploy;
pub mod detect;
pub mod diff;
pub mod environment;
pub mod event;
pub mod gate;
pub mod integrity;
pub mod mask;
pub mod migration;
pub mod model;
pub mod notify;
pub mod parse;
pub mod policy;
pub mod publish;
pub mod render;
pub mod schedule;
pub mod setup;
pub mod world;
