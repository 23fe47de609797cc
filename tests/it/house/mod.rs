//! The house rules that clippy does not hold: what a file may import, how long it may be, what it may be called, and
//! that documents say what the program does. `ARCHITECTURE.md` explains the rules.

mod action;
mod documents;
mod floors;
mod release;
mod size;
mod source;
mod systems;
