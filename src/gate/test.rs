//! `kind = "test"`: a test run. At least `min-tests` must really have run.

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
    row: KindRow::of::<Settings>("test", "a test run that reports its cases", Bare::ByContent),
    settle: |common, own| Ok(Box::new(Test { settings: own.read()?, common })),
};

/// The keys that only this kind has.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
struct Settings {
    /// The least level of a finding beside the tests that blocks.
    fail_on: Level,
    /// How many tests must have run; skipped ones did not run.
    min_tests: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self { fail_on: Level::default(), min_tests: 1 }
    }
}

struct Test {
    common: Common,
    settings: Settings,
}

impl Gate for Test {
    fn common(&self) -> &Common {
        &self.common
    }

    fn rules(&self) -> Rules {
        Rules { min_tests: Some(self.settings.min_tests), ..self.common.rules(self.settings.fail_on) }
    }

    fn run<'a>(&'a self, site: Site<'a>) -> Pin<Box<dyn Future<Output = Evidence> + 'a>> {
        Box::pin(execute(&self.common, site))
    }
}
