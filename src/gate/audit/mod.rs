//! `kind = "audit"`: packages of lockfiles that an advisory is about. It runs no command.

mod collect;
mod compared;
mod here;
mod ignores;
mod settings;
mod shown;

use std::future::Future;
use std::pin::Pin;

use crate::config::{Bare, KindRow};
use crate::gate::{Gate, Kind, Site};
use crate::model::evidence::{Evidence, Problem, ProblemKind};
use crate::model::finding::Level;
use crate::model::gate::{Only, Rules};
use crate::model::settings::Common;
use crate::world::clock;

pub use collect::{Ground, collect, packages};
pub use compared::Compared;
pub use settings::{Age, LockfileSetting, Options};

use settings::Settings;

pub(super) static KIND: Kind = Kind {
    row: KindRow::of::<Settings>("audit", "packages in lockfiles that an advisory is about", Bare::Itself),
    settle: |common, own| Ok(Box::new(Audit { options: own.read::<Settings>()?.options(&common)?, common })),
};

struct Audit {
    common: Common,
    options: Options,
}

impl Gate for Audit {
    fn common(&self) -> &Common {
        &self.common
    }

    fn rules(&self) -> Rules {
        // `policy` makes errors of what is at the bar.
        self.common.rules(Level::Error)
    }

    fn of_a_change(&self) -> Only {
        Only::New
    }

    fn decide_anew(&self, audit: &mut crate::model::audit::Audit) {
        audit.bar = self.options.bar;
        ignores::take_back(&mut audit.findings, &self.options);
    }

    fn run<'a>(&'a self, site: Site<'a>) -> Pin<Box<dyn Future<Output = Evidence> + 'a>> {
        Box::pin(async move {
            let begun = clock::instant();
            let ground = Ground {
                root: site.root,
                dir: &self.common.dir,
                repo: Some(site.repo),
                compared: site.compared,
                env: site.env,
                scheduled: site.scheduled,
            };
            let stopped =
                |kind, what: String| Evidence { problems: vec![Problem { kind, what }], ..Evidence::default() };
            let evidence = tokio::select! {
                evidence = collect(&self.options, ground) => evidence,
                by = site.cancel.cancelled() => stopped(ProblemKind::Cancelled, by.to_string()),
                () = tokio::time::sleep(self.common.timeout) => {
                    let what = format!("ran longer than its timeout of {:?} and was ended", self.common.timeout);
                    stopped(ProblemKind::TimedOut, what)
                }
            };
            Evidence { took: begun.elapsed(), ..evidence }
        })
    }
}
