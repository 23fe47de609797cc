//! placeholder
use crate::app::Failure;
use crate::cli::Place;
use crate::cli::args::Plan;
use crate::model::exit::ExitCode;
pub fn plan(_: &Place<'_>, _: Plan) -> Result<ExitCode, Failure> {
    Ok(ExitCode::Usage)
}
