//! Sends what a herald has to tell while the deploy goes on, and a little longer. It never makes a deploy wait, but at its
//! end; after a signal only as long as there is time.

use std::cell::RefCell;
use std::time::Duration;

use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::watch;

use super::comment::{Page, Writer, keep};
use crate::app::notify::Teller;
use crate::app::posting;
use crate::app::site::Site;
use crate::model::call::{Receipt, ReceiptEnd};
use crate::model::notice::Notice;
use crate::world::signals::Signals;

/// How long the rest may take once everything is over.
const AFTERWARDS: Duration = Duration::from_mins(3);
/// The same after a signal, where GitHub Actions does not set a shorter time.
const AFTER_SIGNAL: Duration = Duration::from_secs(10);

/// What is to be told, and by whom.
pub struct Letters {
    notices: UnboundedReceiver<Notice>,
    /// `None` where nobody is to be told.
    teller: Option<Result<Teller, String>>,
    pages: watch::Receiver<Option<Page>>,
    writer: Option<Writer>,
    signals: Signals,
    on_actions: bool,
}

impl Letters {
    pub(super) fn new(site: &Site, notices: UnboundedReceiver<Notice>, pages: watch::Receiver<Option<Page>>) -> Self {
        let repository = super::repository(site);
        let open = || Teller::open(&site.config, &site.env, repository.as_deref(), site.dry_run);
        Self {
            notices,
            teller: (!site.config.notify.is_empty()).then(|| open().map_err(|failure| failure.what)),
            pages,
            writer: Writer::new(site),
            signals: site.signals.clone(),
            on_actions: site.occasion.on_actions,
        }
    }

    /// Sends what comes until everything is told. `over` is ready when the deploy is over. A receipt for each.
    pub async fn send(self, over: impl Future<Output = ()>) -> Vec<Receipt> {
        // On the heap: it stands beside a whole deploy.
        Box::pin(self.deliver(over)).await
    }

    async fn deliver(self, over: impl Future<Output = ()>) -> Vec<Receipt> {
        let Self { mut notices, teller, mut pages, mut writer, signals, on_actions } = self;
        let Some(mut teller) = teller else {
            // What nobody is told of is not kept.
            drop(notices);
            let shown = RefCell::new(None);
            in_time(keep(&mut pages, writer.as_mut(), &shown), over, &signals, on_actions).await;
            return shown.into_inner().into_iter().collect();
        };
        let (told, shown) = (RefCell::new(Vec::new()), RefCell::new(None));
        let at_hand = RefCell::new(None);
        let tell = async {
            while let Some(notice) = notices.recv().await {
                at_hand.replace(Some(notice.event.name));
                let receipts = by_routes(&mut teller, &notice).await;
                told.borrow_mut().extend(receipts);
                at_hand.take();
            }
        };
        let everything = async {
            tokio::join!(tell, keep(&mut pages, writer.as_mut(), &shown));
        };
        in_time(everything, over, &signals, on_actions).await;
        let left = std::iter::from_fn(|| notices.try_recv().ok()).map(|notice| notice.event.name);
        let left: Vec<&str> = at_hand.take().into_iter().chain(left).collect();
        let cut_off = |what: &str| {
            let why = "there was no time left to tell it".to_owned();
            Receipt { what: what.to_owned(), end: ReceiptEnd::Failed(why) }
        };
        let mut told = told.into_inner();
        told.extend(left.into_iter().map(cut_off));
        told.extend(shown.into_inner());
        told
    }
}

/// Does the work as long as there is time for it.
async fn in_time(work: impl Future<Output = ()>, over: impl Future<Output = ()>, signals: &Signals, on_actions: bool) {
    let too_late = async {
        over.await;
        let hurry = signals.caught().is_some() && !on_actions;
        tokio::time::sleep(if hurry { AFTER_SIGNAL } else { AFTERWARDS }).await;
    };
    tokio::select! {
        biased;
        () = work => {}
        () = too_late => {}
        () = posting::last_call(signals), if on_actions => {}
    }
}

async fn by_routes(teller: &mut Result<Teller, String>, notice: &Notice) -> Vec<Receipt> {
    let name = notice.event.name;
    match teller {
        Ok(teller) => {
            let receipts = teller.tell(notice).await.into_iter();
            receipts.map(|one| Receipt { what: format!("{name} by {}", one.what), ..one }).collect()
        }
        Err(why) => vec![Receipt { what: name.to_owned(), end: ReceiptEnd::Failed(why.clone()) }],
    }
}
