//! A stateful GitHub for tests: a real HTTP server that answers as GitHub does, held against GitHub's own description.
//! A request (or a reply of its own) that is not as described makes the test red when the fake ends.
//!
//! ```ignore
//! let fake = FakeGitHub::start(|github| {
//!     github.token("secret", Token::actions());
//!     github.repo("octo/shop").pull(7, HEAD, BASE);
//! });
//! fake.fault("issues/create-comment").nth(1).lose(502);
//! run_with("GITHUB_API_URL", fake.url());
//! assert_eq!(fake.with(|github| github.repo("octo/shop").comments.len()), 1);
//! insta::assert_snapshot!(fake.recording());
//! fake.finish();
//! ```

mod actions;
mod branches;
mod checks;
mod comments;
mod commits;
mod contract;
mod deployments;
mod desk;
mod exchange;
mod faults;
mod git;
mod issues;
mod people;
mod pulls;
mod recording;
mod server;
mod state;
mod statuses;
mod tests;
mod tokens;

use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::oneshot;

use desk::Desk;
pub use faults::Fault;
use faults::{Hook, Script, When};
pub use recording::Entry;
pub use state::{Deployment, Issue, Job, Rule, State, WorkflowRun};
pub use tokens::{Account, Scope, Token};

/// A running fake. Ends, and fails the test on any violation, when dropped.
pub struct FakeGitHub {
    desk: Arc<Mutex<Desk>>,
    authority: String,
    base_path: String,
    stop: Option<oneshot::Sender<()>>,
    server: Option<JoinHandle<()>>,
}

impl FakeGitHub {
    /// Starts it on a free port of this machine, with the state that `setup` makes.
    pub fn start(setup: impl FnOnce(&mut State)) -> Self {
        let mut state = State::new();
        setup(&mut state);
        let base_path = state.base_path.clone();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let authority = listener.local_addr().unwrap().to_string();
        let desk = Arc::new(Mutex::new(Desk::new(state, authority.clone())));
        let (stop, stopped) = oneshot::channel();
        let shared = Arc::clone(&desk);
        let server = std::thread::spawn(move || server::serve(listener, shared, stopped));
        Self { desk, authority, base_path, stop: Some(stop), server: Some(server) }
    }

    /// `GITHUB_API_URL`.
    pub fn url(&self) -> String {
        format!("http://{}{}", self.authority, self.base_path)
    }

    /// `GITHUB_GRAPHQL_URL`: beside the REST API, not below it, on GitHub Enterprise Server.
    pub fn graphql_url(&self) -> String {
        let path = if self.base_path.is_empty() { "/graphql" } else { "/api/graphql" };
        format!("http://{}{path}", self.authority)
    }

    /// Scripts a fault on the requests of an operation (`issues/create-comment`), a family (`issues/*`), `reads`,
    /// `writes` or all (`*`). Requests are counted from here on. A fault that never strikes makes the test red.
    pub fn fault(&self, pattern: &str) -> Faulty<'_> {
        Faulty { fake: self, pattern: pattern.to_owned(), when: When::Every(1) }
    }

    /// Changes the state just before the nth request that fits (see [`FakeGitHub::fault`]) is handled.
    pub fn on(&self, pattern: &str, nth: usize, act: impl FnOnce(&mut State) + Send + 'static) {
        let hook = Hook { pattern: pattern.to_owned(), nth, count: 0, act: Some(Box::new(act)) };
        self.desk.lock().unwrap().hooks.push(hook);
    }

    /// Looks at the state, or changes it.
    pub fn with<T>(&self, look: impl FnOnce(&mut State) -> T) -> T {
        look(&mut self.desk.lock().unwrap().state)
    }

    /// The requests so far that fit (see [`FakeGitHub::fault`]), in order.
    pub fn requests(&self, pattern: &str) -> Vec<Entry> {
        let desk = self.desk.lock().unwrap();
        desk.log.iter().filter(|entry| faults::fits(pattern, &entry.operation, &entry.method)).cloned().collect()
    }

    /// The conversation as stable text.
    pub fn recording(&self) -> String {
        recording::text(&self.desk.lock().unwrap().log)
    }

    /// Takes what would make the test red, for tests that mean it.
    pub fn forgive(&self) -> Vec<String> {
        let mut desk = self.desk.lock().unwrap();
        let mut faults: Vec<String> = desk.violations.drain(..).map(|violation| violation.to_string()).collect();
        let scripts = desk.scripts.drain(..).filter(|script| script.fired == 0);
        faults.extend(scripts.map(|script| format!("the fault {:?} on {} never struck", script.fault, script.pattern)));
        let hooks = desk.hooks.drain(..).filter(|hook| hook.act.is_some());
        faults.extend(hooks.map(|hook| format!("request {} of {} never came", hook.nth, hook.pattern)));
        faults
    }

    /// Ends it; panics on violations, and on faults and hooks that never came to pass.
    pub fn finish(self) {
        drop(self);
    }
}

impl Drop for FakeGitHub {
    fn drop(&mut self) {
        drop(self.stop.take());
        let ended = self.server.take().map(JoinHandle::join);
        if std::thread::panicking() {
            return;
        }
        assert!(matches!(ended, Some(Ok(()))), "the fake GitHub's server panicked");
        assert!(!self.desk.is_poisoned(), "the fake GitHub panicked while it handled a request");
        let violations = self.forgive();
        assert!(violations.is_empty(), "not as GitHub describes its API:\n  {}", violations.join("\n  "));
    }
}

/// A fault being scripted: first which requests (all, unless said), then what happens to them.
pub struct Faulty<'a> {
    fake: &'a FakeGitHub,
    pattern: String,
    when: When,
}

impl Faulty<'_> {
    /// Only the nth, from 1.
    pub fn nth(mut self, nth: usize) -> Self {
        self.when = When::Nth(nth);
        self
    }

    /// The nth, the 2nth, …
    pub fn every(mut self, nth: usize) -> Self {
        self.when = When::Every(nth);
        self
    }

    /// The first few.
    pub fn first(mut self, most: usize) -> Self {
        self.when = When::First(most);
        self
    }

    /// Answered with an error status; nothing is done.
    pub fn refuse(self, status: u16) {
        self.strike(Fault::Refuse(status));
    }

    /// Done, and answered with an error status all the same.
    pub fn lose(self, status: u16) {
        self.strike(Fault::Lose(status));
    }

    /// The connection is reset; nothing is done.
    pub fn reset(self) {
        self.strike(Fault::Reset);
    }

    /// Done, and the connection is reset.
    pub fn lose_reset(self) {
        self.strike(Fault::LoseReset);
    }

    /// Done, and answered late.
    pub fn slow(self, delay: Duration) {
        self.strike(Fault::Slow(delay));
    }

    /// Done, and never answered.
    pub fn hang(self) {
        self.strike(Fault::Hang);
    }

    /// Done; the connection ends after so many bytes of the reply's body.
    pub fn truncate(self, bytes: usize) {
        self.strike(Fault::Truncate(bytes));
    }

    /// A page for humans with this status; done only where the status is 2xx.
    pub fn html(self, status: u16) {
        self.strike(Fault::Html(status));
    }

    /// The secondary limit (403 or 429), with or without `retry-after` seconds; nothing is done.
    pub fn secondary_limit(self, status: u16, retry_after: Option<u64>) {
        self.strike(Fault::Secondary(status, retry_after));
    }

    /// The hourly limit, which resets after so many seconds; nothing is done.
    pub fn primary_limit(self, reset_in: u64) {
        self.strike(Fault::Primary(reset_in));
    }

    /// 401; nothing is done.
    pub fn unauthorized(self) {
        self.strike(Fault::Unauthorized);
    }

    /// Done, but so many later reads of the same family still answer as before (404, or a list without it).
    pub fn unseen(self, reads: usize) {
        self.strike(Fault::Unseen(reads));
    }

    /// What happens, as data.
    pub fn strike(self, fault: Fault) {
        let script = Script { pattern: self.pattern, when: self.when, fault, count: 0, fired: 0 };
        self.fake.desk.lock().unwrap().scripts.push(script);
    }
}
