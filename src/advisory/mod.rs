//! Which packages a project depends on, and what is known against them. It judges nothing.

pub mod lockfile;
