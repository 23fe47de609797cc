//! `kind = "command"`: anything else. Judged by its exit status, and by a format or reports where they are named.

use std::future::Future;
use std::pin::Pin;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::config::{Bare, KindRow};
use crate::gate::execute::execute;
use crate::gate::{Gate, Kind, Site};
use crate::model::evidence::Evidence;
use crate::model::finding::Level;
use crate::model::gate::Rules;
use crate::model::settings::Common;

pub(super) static KIND: Kind = Kind {
    row: KindRow::of::<Settings>(
        "command",
        "any command, judged by its exit status or by a format you name",
        Bare::ByExitStatus,
    ),
    settle: |common, own| Ok(Box::new(Command { settings: own.read()?, common })),
};

/// The keys that only this kind has.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
struct Settings {
    /// The least level that blocks, where a format or reports are named.
    fail_on: Level,
}

struct Command {
    common: Common,
    settings: Settings,
}

impl Gate for Command {
    fn common(&self) -> &Common {
        &self.common
    }

    fn rules(&self) -> Rules {
        self.common.rules(self.settings.fail_on)
    }

    fn run<'a>(&'a self, site: Site<'a>) -> Pin<Box<dyn Future<Output = Evidence> + 'a>> {
        Box::pin(execute(&self.common, site))
    }
}
