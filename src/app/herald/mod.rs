//! Tells of a deploy while it goes on: the notifiers, one comment on the pull request, and at the end the job's summary and
//! the step's outputs. Whatever becomes of that, the deploy is not changed by it; what could not be told is in the receipts.

mod comment;
mod letters;

use std::cell::RefCell;
use std::path::PathBuf;
use std::time::Duration;

use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::sync::watch;

use crate::app::posting;
use crate::app::site::Site;
use crate::deploy::engine::Watch;
use crate::deploy::machine::News;
use crate::model::call::{Receipt, ReceiptEnd};
use crate::model::deployment::{Ending, Record, Role};
use crate::model::notice::{self, Notice};
use crate::model::sha::Sha;
use crate::model::story::{Deed, Story};
use crate::publish::{deployed, summary};
use crate::world::{clock, files};

use comment::Page;
use letters::Letters;

/// Watches a deployment in place of another, and passes on what others want to know of it.
pub struct Herald<'a> {
    inner: &'a dyn Watch,
    /// `owner/name`, or the folder's name.
    place: String,
    story: RefCell<Story>,
    /// What it is about: the deployment that began it, and the commit whose pull request is told.
    about: RefCell<Option<(String, Sha)>>,
    notices: RefCell<Option<UnboundedSender<Notice>>>,
    pages: RefCell<Option<watch::Sender<Option<Page>>>>,
}

impl<'a> Herald<'a> {
    /// Begins to tell. Nothing is sent before [`Letters::send`] is.
    pub fn new(site: &Site, mut story: Story, inner: &'a dyn Watch) -> (Self, Letters) {
        story.repository = repository(site);
        let place = place(site, &story);
        let (notices, to_tell) = unbounded_channel();
        let (pages, to_show) = watch::channel(None);
        let herald = Self {
            inner,
            place,
            story: RefCell::new(story),
            about: RefCell::default(),
            notices: RefCell::new(Some(notices)),
            pages: RefCell::new(Some(pages)),
        };
        (herald, Letters::new(site, to_tell, to_show))
    }

    /// Takes in what is known at the end, and ends the telling.
    pub fn end(&self, change: impl FnOnce(&mut Story)) -> Story {
        change(&mut self.story.borrow_mut());
        self.show();
        self.notices.take();
        self.pages.take();
        self.story.borrow().clone()
    }

    /// The comment says what is known now.
    fn show(&self) {
        let (about, pages) = (self.about.borrow(), self.pages.borrow());
        if let (Some((deployment, origin)), Some(pages)) = (&*about, &*pages) {
            let (deployment, origin, story) = (deployment.clone(), origin.clone(), self.story.borrow().clone());
            pages.send_replace(Some(Page { deployment, origin, story }));
        }
    }

    fn tell(&self, event: &str, sha: Option<Sha>, previous: Option<Sha>, reason: Option<&str>) {
        let (story, about, notices) = (self.story.borrow(), self.about.borrow(), self.notices.borrow());
        let (Some(notices), Some(event)) = (&*notices, notice::event(event)) else { return };
        let name = match (&*about, &sha) {
            (Some((deployment, _)), _) => format!("{} deployment {deployment}", story.environment),
            (None, Some(sha)) => format!("{} {sha}", story.environment),
            (None, None) => story.environment.clone(),
        };
        let reference = story.reference.clone().filter(|name| !name.is_empty() && sha == story.sha);
        let notice = Notice {
            event,
            environment: story.environment.clone(),
            story: name,
            repository: self.place.clone(),
            sha,
            reference,
            previous,
            by: Some(story.by.clone()),
            reason: reason.map(str::to_owned),
            run: story.run.clone(),
            url: story.url.clone(),
            at: clock::now().strftime("%FT%TZ").to_string(),
        };
        // Whoever takes them lives as long as this does, unless there was no time left.
        let _ = notices.send(notice);
    }

    fn commits(&self) -> (Option<Sha>, Option<Sha>) {
        let story = self.story.borrow();
        (story.sha.clone(), story.previous.clone())
    }

    fn ended(&self, ending: &Ending) {
        let (sha, previous) = self.commits();
        let deed = self.story.borrow().deed;
        match (ending, deed) {
            // What was settled was told when it was.
            (Ending::Nothing(_), _) | (Ending::Live { .. } | Ending::Refused(_), Deed::Recovery) => {}
            (Ending::Live { says, .. }, Deed::Deploy) => self.tell("deploy.succeeded", sha, previous, Some(says)),
            (Ending::Live { says, .. }, Deed::Rollback) => self.tell("rollback", sha, previous, Some(says)),
            (Ending::Refused(why), Deed::Deploy) => self.tell("deploy.refused", sha, previous, Some(why)),
            (Ending::Refused(why), Deed::Rollback) => self.tell("rollback.refused", sha, previous, Some(why)),
            (Ending::Failed(why), _) => self.tell("deploy.failed", sha, previous, Some(why)),
            (Ending::RolledBack { why, to, verified: true }, _) => {
                self.tell("rollback", Some(to.clone()), sha, Some(why));
            }
            (Ending::RolledBack { to, verified: false, .. }, _) => {
                self.tell("rollback", Some(to.clone()), sha, Some(&ending.to_string()));
            }
            (Ending::RollbackFailed { .. }, _) => {
                self.tell("rollback.failed", sha, previous, Some(&ending.to_string()));
            }
            (Ending::Inconclusive(_) | Ending::Paused(_) | Ending::Interrupted(_) | Ending::Unsettled(_), _) => {
                self.tell("deploy.inconclusive", sha, previous, Some(&ending.to_string()));
            }
        }
    }
}

impl Watch for Herald<'_> {
    fn say(&self, after: Duration, text: &str) {
        self.inner.say(after, text);
        self.story.borrow_mut().stages.push((after, text.to_owned()));
        self.show();
    }

    fn line(&self, text: &str) {
        self.inner.line(text);
    }

    fn of(&self, record: &Record, undone: Option<&Record>) {
        let mut story = self.story.borrow_mut();
        if !story.deployments.contains(&record.id) {
            story.deployments.push(record.id.clone());
        }
        // A recovery is about what it undoes.
        let subject = undone.filter(|_| story.deed == Deed::Recovery).unwrap_or(record);
        story.sha.get_or_insert_with(|| subject.sha.clone());
        if story.previous.is_none() || record.role() == Some(Role::Deploy) {
            story.previous = record.payload.as_ref().and_then(|payload| payload.previous.clone());
        }
        let first = undone.unwrap_or(record);
        self.about.replace(Some((first.id.clone(), first.sha.clone())));
    }

    fn news(&self, news: &News) {
        self.inner.news(news);
        let (sha, previous) = self.commits();
        match news {
            News::Begun(Role::Deploy) => self.tell("deploy.started", sha, previous, None),
            News::Begun(_) | News::Resumed(..) => {}
            News::Failed(why) => self.tell("deploy.failed", sha, previous, Some(why)),
            News::Settled(_, phase, says) => {
                self.tell("recovered", sha, previous, Some(&format!("{}: {says}", phase.word())));
            }
            News::Ended(ending) => self.ended(ending),
        }
    }
}

fn repository(site: &Site) -> Option<String> {
    let known = site.remote.as_ref().map(|remote| remote.repository.clone());
    known.or_else(|| site.occasion.repository.clone()).or_else(|| site.repo.origin_repository().ok().flatten())
}

fn place(site: &Site, story: &Story) -> String {
    let folder = || site.root.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    story.repository.clone().unwrap_or_else(folder)
}

/// Tells one event that is not of a deployment.
pub async fn tell(site: &Site, story: Story, event: &str, reason: Option<&str>) -> Vec<Receipt> {
    struct Nobody;
    impl Watch for Nobody {
        fn say(&self, _after: Duration, _text: &str) {}
        fn line(&self, _text: &str) {}
    }
    let (herald, letters) = Herald::new(site, story, &Nobody);
    let (sha, previous) = herald.commits();
    herald.tell(event, sha, previous, reason);
    herald.end(|_| {});
    letters.send(std::future::ready(())).await
}

/// The job's summary and the step's outputs; what could not be written.
pub fn leave_with_the_runner(site: &Site, story: &Story, told: &[Receipt]) -> Vec<Receipt> {
    let outputs = deployed::outputs(story, &posting::delimiter());
    // A recovery that finds nothing to do follows every deploy.
    let is_news = !(story.deed == Deed::Recovery && matches!(story.ending, Some(Ending::Nothing(_))));
    let page = is_news.then(|| deployed::page(story, server(site), told));
    let mut unwritten: Vec<String> = page.and_then(|page| summarize(site, &page)).into_iter().collect();
    if let Some(file) = runner_file(site, "GITHUB_OUTPUT") {
        unwritten
            .extend(files::append(&file, site.masker.mask(&outputs).as_bytes()).err().map(|error| error.to_string()));
    }
    let receipt = |why| Receipt { what: "a file of the runner".to_owned(), end: ReceiptEnd::Failed(why) };
    unwritten.into_iter().map(receipt).collect()
}

/// Adds a page to the job's summary, where there is one with room for it; why it could not be written.
pub fn summarize(site: &Site, page: &str) -> Option<String> {
    let file = runner_file(site, "GITHUB_STEP_SUMMARY")?;
    let page = format!("\n{}", site.masker.mask(page));
    let used = files::size(&file).and_then(|used| usize::try_from(used).ok()).unwrap_or_default();
    if used + page.len() > summary::LIMIT {
        return Some(format!("{} has no room left", file.display()));
    }
    files::append(&file, page.as_bytes()).err().map(|error| error.to_string())
}

fn runner_file(site: &Site, name: &str) -> Option<PathBuf> {
    let on_runner = site.occasion.on_actions && !site.dry_run;
    site.env.os(name).filter(|path| on_runner && !path.is_empty()).map(PathBuf::from)
}

/// Where pages of GitHub are.
fn server(site: &Site) -> &str {
    site.env.get("GITHUB_SERVER_URL").unwrap_or("https://github.com")
}
