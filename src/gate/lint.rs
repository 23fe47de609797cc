//! `kind = "lint"`: a tool that complains about places in the code. On a change, only its lines count.

use std::future::Future;
use std::pin::Pin;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::config::{Bare, KindRow};
use crate::gate::execute::execute;
use crate::gate::{Gate, Kind, Site};
use crate::model::evidence::Evidence;
use crate::model::finding::Level;
use crate::model::gate::{Only, Rules};
use crate::model::settings::Common;

pub(super) static KIND: Kind = Kind {
    row: KindRow::of::<Settings>("lint", "a tool that complains about places in the code", Bare::ByContent),
    settle: |common, own| Ok(Box::new(Lint { settings: own.read()?, common })),
};

/// The keys that only this kind has.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
struct Settings {
    /// The least level that blocks.
    fail_on: Level,
}

struct Lint {
    common: Common,
    settings: Settings,
}

impl Gate for Lint {
    fn common(&self) -> &Common {
        &self.common
    }

    fn rules(&self) -> Rules {
        self.common.rules(self.settings.fail_on)
    }

    fn of_a_change(&self) -> Only {
        Only::ChangedLines
    }

    fn run<'a>(&'a self, site: Site<'a>) -> Pin<Box<dyn Future<Output = Evidence> + 'a>> {
        Box::pin(execute(&self.common, site))
    }
}
