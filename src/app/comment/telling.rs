//! Tells in the reply how far a command has come, while it is carried out: every few seconds, and only when there is news.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use tokio::sync::Notify;

use crate::app::comment::desk::Desk;
use crate::deploy::engine::Watch;
use crate::deploy::machine::News;
use crate::model::answer::Answer;

/// Until the reply is first updated; each further time it takes one second longer, up to the longest. GitHub gives a
/// workflow 1,000 requests an hour.
const FIRST: Duration = Duration::from_secs(2);
const LONGEST: Duration = Duration::from_secs(30);
/// The most lines that are kept.
const KEPT: usize = 200;

/// Watches what is done, for the terminal and for the reply.
pub(super) struct Telling<'a> {
    watch: &'a dyn Watch,
    lines: RefCell<Vec<String>>,
    has_news: Cell<bool>,
}

impl<'a> Telling<'a> {
    pub(super) fn new(watch: &'a dyn Watch) -> Self {
        Self { watch, lines: RefCell::default(), has_news: Cell::new(false) }
    }

    /// What was said so far.
    pub(super) fn lines(&self) -> Vec<String> {
        self.lines.borrow().clone()
    }
}

impl Watch for Telling<'_> {
    fn say(&self, after: Duration, text: &str) {
        self.watch.say(after, text);
        let mut lines = self.lines.borrow_mut();
        lines.push(format!("{:>6.1} s  {}", after.as_secs_f64(), crate::model::text::one_line(text, 300)));
        if lines.len() > KEPT {
            lines.remove(0);
        }
        self.has_news.set(true);
    }

    fn line(&self, text: &str) {
        self.watch.line(text);
    }

    fn news(&self, news: &News) {
        self.watch.news(news);
    }
}

impl Desk<'_> {
    /// Carries something out, and tells of it meanwhile.
    pub(super) async fn told<T>(
        &mut self,
        said: &str,
        answers: &[Answer],
        telling: &Telling<'_>,
        work: impl Future<Output = T>,
    ) -> T {
        let over = Notify::new();
        let work = async {
            let done = work.await;
            over.notify_one();
            done
        };
        // What is being sent when the work is over is sent to its end: it must not come after the last word.
        let (done, ()) = tokio::join!(work, self.tell(said, answers, telling, &over));
        done
    }

    async fn tell(&mut self, said: &str, answers: &[Answer], telling: &Telling<'_>, over: &Notify) {
        let mut wait = FIRST;
        loop {
            tokio::select! {
                biased;
                () = over.notified() => return,
                () = tokio::time::sleep(wait) => {}
            }
            wait = LONGEST.min(wait + Duration::from_secs(1));
            if !telling.has_news.replace(false) || self.request.dry_run {
                continue;
            }
            let Some(reply) = self.reply.clone() else { continue };
            let lines = telling.lines();
            let body = self.body(answers, Some((said, &lines)));
            // The next one says it too.
            let _ = self.talk.amend(&reply, &body, false).await;
        }
    }
}
