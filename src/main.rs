//! The program: parse, dispatch, exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    // A bug must not be taken for a verdict: 101, Rust's own code for a panic, says nothing to a pipeline.
    let code = std::panic::catch_unwind(gatepost::cli::main).unwrap_or(gatepost::model::exit::ExitCode::Bug);
    ExitCode::from(code.number())
}
