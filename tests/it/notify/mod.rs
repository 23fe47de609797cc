//! Notifiers against servers of this machine that fail in every way, and `gatepost notify` as a person runs it.

mod command;
mod faults;
mod servers;

use std::time::Duration;

use gatepost::app::project;
use gatepost::config;
use gatepost::model::call::{Receipt, ReceiptEnd};
use gatepost::model::notice::{self, Notice};
use gatepost::model::sha::Sha;
use gatepost::notify::{Desk, Pace};
use gatepost::world::env::Env;
use gatepost::world::http::Http;

const PACE: Pace = Pace {
    patience: Duration::from_millis(1500),
    timeout: Duration::from_millis(300),
    pause: Duration::from_millis(20),
};

/// A desk for this configuration, with these variables.
fn desk(config: &str, variables: &[(&str, &str)], pace: Pace) -> Desk {
    let config = project::with_known(|known| config::read(config.as_bytes(), known)).unwrap();
    let env: Env = variables.iter().copied().collect();
    Desk::new(&config.notify, env, Http::new(pace.timeout, pace.pause).unwrap(), pace, false)
}

fn notice(name: &str) -> Notice {
    Notice {
        event: notice::event(name).unwrap(),
        environment: "production".to_owned(),
        story: "deployment 7".to_owned(),
        repository: "octo/shop".to_owned(),
        sha: Some(Sha::parse(&"ab".repeat(20)).unwrap()),
        reference: Some("main".to_owned()),
        previous: None,
        by: Some("mona".to_owned()),
        reason: Some("GET /api/health answered 500, <!channel> & *all*".to_owned()),
        run: Some("https://github.test/octo/shop/actions/runs/1".to_owned()),
        url: None,
        at: "2026-11-21T10:00:00Z".to_owned(),
    }
}

async fn told(desk: &mut Desk, notice: &Notice) -> Vec<Receipt> {
    let spread = desk.tell(notice).await;
    assert!(spread.calls.is_empty());
    spread.receipts
}

/// Why the only route was not told.
fn failure(receipts: &[Receipt]) -> &str {
    match receipts {
        [Receipt { end: ReceiptEnd::Failed(why), .. }] => why,
        other => panic!("{other:?}"),
    }
}

fn is_sent(receipts: &[Receipt]) -> bool {
    matches!(receipts, [Receipt { end: ReceiptEnd::Posted(_), .. }])
}
