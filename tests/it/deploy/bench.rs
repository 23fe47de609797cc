//! Deploys within this process, against the fake GitHub: quick enough for thousands of them. What deploys writes the files
//! that the service reads; the hook that moves traffic is a real command.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::time::Duration;

use gatepost::config;
use gatepost::deploy::engine::{Engine, Watch, Wish};
use gatepost::deploy::lock::Me;
use gatepost::deploy::machine::Ask;
use gatepost::deploy::{CalledOff, Deployer, Ground, Job, Left, Ran};
use gatepost::mask::Masker;
use gatepost::model::deployment::Ending;
use gatepost::model::environments::Environment;
use gatepost::model::secret::Secret;
use gatepost::model::sha::Sha;
use gatepost::world::env::Env;
use gatepost::world::github::{GitHub, Timeouts};
use gatepost::world::http::Http;
use gatepost::world::ledger::{Hub, Ledger};
use gatepost::world::line::pace::Pace;
use gatepost::world::process::CancelToken;
use gatepost::world::repo::Repo;
use serde_json::json;

use super::service::{Service, whole};
use crate::github::{FakeGitHub, State, Token};
use crate::repo::Tree;

/// What is deployed: `GOOD` first, then another.
pub const GOOD: &str = "1111111111111111111111111111111111111111";
pub const NEXT: &str = "2222222222222222222222222222222222222222";

const BLUE_GREEN: &str = "strategy = 'blue-green'\nswitch = 'HOOK'\npreview = 'URL/{slot}'\n";
const CANARY: &str = "strategy = 'canary'\nweight = 'HOOK'\npreview = 'URL/{slot}'\n\
    steps = [{ weight = 10, watch = '0s' }, { weight = 60, watch = '0s' }]\n";
const HOOK: &str = "echo $GATEPOST_SLOT $GATEPOST_WEIGHT >$PLACE/traffic.new; mv $PLACE/traffic.new $PLACE/traffic";

/// Where the old version is while the new one comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Beside {
    Nowhere,
    BlueGreen,
    Canary,
}

/// What is tried: the strategy, what becomes of the next commit (`good`, `sick`, `weak`), and what is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Scenario {
    pub beside: Beside,
    pub next: &'static str,
    pub ask: Ask,
}

impl Scenario {
    pub const fn new(beside: Beside, next: &'static str, ask: Ask) -> Self {
        Self { beside, next, ask }
    }
}

pub struct Bench {
    pub fake: FakeGitHub,
    pub service: Service,
    pub environment: Environment,
    tree: Tree,
    /// One for all: each reads the system's certificates anew.
    http: Http,
    scenario: Scenario,
    before: State,
    files: Vec<(PathBuf, Vec<u8>)>,
}

/// Puts a commit where the service reads it.
struct Put<'p>(&'p Path);

impl Deployer for Put<'_> {
    fn ground(&self) -> Ground {
        Ground::None
    }

    fn deploy<'a>(&'a self, job: Job<'a>) -> Pin<Box<dyn Future<Output = Ran> + 'a>> {
        Box::pin(async move {
            let slot = job.variables.iter().find(|(name, _)| name == "GATEPOST_SLOT");
            let prefix = slot.map_or_else(String::new, |(_, slot)| format!("{}.", slot.to_str().unwrap()));
            let path = |name: &str| self.0.join(format!("{prefix}{name}"));
            let runs = std::fs::OpenOptions::new().append(true).create(true).open(self.0.join("runs"));
            writeln!(runs.unwrap(), "{} {}", job.role.word(), job.sha).unwrap();
            let kind = std::fs::read_to_string(self.0.join("kind")).unwrap();
            for one in ["sick", "weak"] {
                let _ = std::fs::remove_file(path(one));
                if kind == one && job.sha.as_str() == NEXT {
                    std::fs::write(path(one), "").unwrap();
                }
            }
            std::fs::write(path("live"), job.sha.as_str()).unwrap();
            if kind == "slow" && job.sha.as_str() == NEXT {
                tokio::time::sleep(Duration::from_mins(10)).await;
            }
            Ran::Done
        })
    }

    fn call_off<'a>(&'a self, left: Left<'a>) -> CalledOff<'a> {
        std::fs::write(self.0.join("called-off"), left.id).unwrap();
        let goes_on = self.0.join("goes-on").exists();
        Box::pin(std::future::ready(if goes_on { Err("it goes on".to_owned()) } else { Ok(()) }))
    }
}

/// Keeps what is said.
#[derive(Default)]
struct Ears(std::cell::RefCell<Vec<String>>);

impl Watch for Ears {
    fn say(&self, _: Duration, text: &str) {
        self.0.borrow_mut().push(text.to_owned());
    }

    fn line(&self, _: &str) {}
}

/// What came of a run, and what it said.
#[derive(Debug)]
pub struct Heard {
    pub ending: Ending,
    pub made: Vec<String>,
    pub said: Vec<String>,
}

/// Someone whose process is gone as soon as it is looked for.
pub fn someone(machine: &str) -> Me {
    let (owner, machine, started) = (format!("ana on {machine}"), machine.to_owned(), "then".to_owned());
    Me { owner, machine, started, process: 99_999_999, lease: 900, ..Me::default() }
}

impl Bench {
    /// `GOOD` is live; for a rollback `NEXT` came after it.
    pub async fn new(scenario: Scenario) -> Self {
        let tree = Tree::new();
        tree.write("x", "x").commit("first");
        let service = Service::start(tree.dir.with_file_name("place"));
        let fake = FakeGitHub::start(|github| {
            github.token("secret", Token::personal("ana").limited(100_000_000));
            let repo = github.repo("octo/shop");
            repo.commit(GOOD, &[]).commit(NEXT, &[GOOD]);
        });
        let strategy = match scenario.beside {
            Beside::Nowhere => "",
            Beside::BlueGreen => BLUE_GREEN,
            Beside::Canary => CANARY,
        };
        let text = format!(
            "[gates.test]\nkind = 'command'\ncommand = 'true'\n[environments.staging]\ndeploy = {{ command = 'x' }}\n\
             url = 'URL'\nhealth = ['/health']\nlease = '15m'\n\
             verify = {{ version = {{ path = '/version' }}, timeout = '300ms', grace = '0s', deadline = '1s' }}\n{strategy}"
        );
        let text = text.replace("URL", &service.url()).replace("HOOK", HOOK);
        let config = config::read(text.as_bytes(), &crate::config::KNOWN).unwrap();
        let mut environment = config.environments[0].settings.clone();
        environment.verify.pacing.interval = Duration::from_millis(1);
        if scenario.beside != Beside::Nowhere {
            std::fs::write(service.place().join("slots"), "").unwrap();
        }
        std::fs::write(service.place().join("kind"), "good").unwrap();
        let before = fake.with(|state| state.clone());
        let http = Http::new(Duration::from_secs(30), Duration::from_secs(1)).unwrap();
        let mut bench = Self { fake, service, environment, tree, http, scenario, before, files: Vec::new() };
        bench.good(GOOD).await;
        if scenario.ask == Ask::Rollback {
            bench.good(NEXT).await;
        }
        std::fs::write(bench.service.place().join("kind"), scenario.next).unwrap();
        let _ = std::fs::remove_file(bench.service.place().join("runs"));
        bench.before = bench.fake.with(|state| state.clone());
        bench.files = bench.place_files();
        bench
    }

    async fn good(&self, sha: &str) {
        let outcome = self.drive(Ask::Deploy, Some(sha), &someone("bench")).await;
        assert!(matches!(outcome.ending, Ending::Live { verified: true, .. }), "{outcome:?}");
    }

    fn place_files(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let files = std::fs::read_dir(self.service.place()).unwrap().map(|entry| entry.unwrap().path());
        files.map(|path| (path.clone(), std::fs::read(&path).unwrap())).collect()
    }

    /// As it was before what is tried.
    pub fn reset(&self) {
        self.fake.with(|state| *state = self.before.clone());
        for (path, _) in self.place_files() {
            std::fs::remove_file(path).unwrap();
        }
        for (path, bytes) in &self.files {
            std::fs::write(path, bytes).unwrap();
        }
    }

    pub async fn attempt(&self) -> Heard {
        let sha = (self.scenario.ask == Ask::Deploy).then_some(NEXT);
        self.drive(self.scenario.ask, sha, &someone("bench")).await
    }

    /// By now GitHub shows what it did not show at first.
    pub async fn settle_down(&self) {
        let mut ledger = self.ledger();
        for _ in 0..4 {
            let _ = ledger.records(&self.environment.name).await;
        }
    }

    pub async fn recover(&self) -> Heard {
        self.drive(Ask::Recover, None, &someone("bench")).await
    }

    fn ledger(&self) -> Ledger {
        let timeouts = Timeouts { whole: Duration::from_millis(1500), ..Timeouts::default() };
        let forge = GitHub::new(&self.fake.url(), Secret::new("secret".to_owned())).unwrap().with_timeouts(timeouts);
        Ledger::github(Hub::with_pace(forge, "octo/shop", Pace::hasty(), Duration::from_millis(200)), "", false)
    }

    pub async fn drive(&self, ask: Ask, sha: Option<&str>, me: &Me) -> Heard {
        let place = self.service.place();
        let path = std::env::var_os("PATH").unwrap();
        let env: Env = [("PATH".into(), path), ("PLACE".into(), place.as_os_str().to_owned())]
            .into_iter()
            .collect::<Vec<(std::ffi::OsString, std::ffi::OsString)>>()
            .into_iter()
            .collect();
        let wish =
            Wish { sha: sha.map(|sha| Sha::parse(sha).unwrap()), reference: "main".to_owned(), ..Wish::default() };
        let ears = Ears::default();
        let mut engine = Engine {
            ledger: &mut self.ledger(),
            repo: &Repo::discover(&self.tree.dir, None).unwrap(),
            root: &self.tree.dir,
            folder: &self.tree.dir.join(".git/gatepost"),
            environment: &self.environment,
            deployer: &Put(place),
            rollback: &Put(place),
            me,
            wish,
            objection: &|_, _| None,
            env: &env,
            masker: &Masker::new([]),
            cancel: &CancelToken::new(None),
            http: &self.http,
            remote: None,
            watch: &ears,
            dry_run: false,
        };
        let outcome = engine.drive(ask).await;
        Heard { ending: outcome.ending, made: outcome.made, said: ears.0.take() }
    }

    /// The commit that gets all of the traffic, if it is well.
    pub fn live(&self) -> Option<String> {
        let place = self.service.place();
        let slots = place.join("slots").exists();
        let sha = if slots { whole(place)? } else { self.service.live() };
        let well =
            sha == GOOD || !["sick", "weak"].contains(&std::fs::read_to_string(place.join("kind")).unwrap().as_str());
        well.then_some(sha)
    }

    /// What must hold at the end of a run, however it went.
    pub fn check_end(&self, outcome: &Heard, what: &str) {
        let live = self.live();
        let wanted = match &outcome.ending {
            Ending::Live { .. } if self.scenario.ask == Ask::Deploy => Some(NEXT),
            Ending::Live { .. } | Ending::RolledBack { .. } => Some(GOOD),
            _ => None,
        };
        assert!(wanted.is_none() || live.as_deref() == wanted, "I3: {what}: {outcome:?}, and {live:?} answers");
        self.fake.with(|state| {
            let repo = state.repo("octo/shop");
            let locked = repo.refs.keys().any(|name| name.contains("gatepost"));
            let whole = !self.service.place().join("slots").exists() || whole(self.service.place()).is_some();
            assert!(locked || whole, "{what}: traffic is divided and nobody holds the lock");
            for deployment in &repo.deployments {
                let ends = deployment.statuses.iter().filter(|one| is_end(&one.state)).count();
                assert!(ends <= 1, "I1: {what}: deployment {} has {ends} ends", deployment.id);
            }
        });
    }

    /// What must hold once everything is settled.
    pub fn check_settled(&self, said: &[&Heard], what: &str) {
        self.fake.with(|state| {
            let repo = state.repo("octo/shop");
            assert!(!repo.refs.keys().any(|name| name.contains("gatepost")), "I2: {what}: {:?} is locked", repo.refs);
            let mut intents: Vec<String> = Vec::new();
            for deployment in &repo.deployments {
                let steps: Vec<&str> = deployment.statuses.iter().map(|one| one.state.as_str()).collect();
                let ends = steps.iter().filter(|step| is_end(step)).count();
                assert_eq!(ends, 1, "I1: {what}: deployment {} has {steps:?}\n{said:#?}", deployment.id);
                intents.push(deployment.given["payload"]["gatepost"]["intent"].as_str().unwrap().to_owned());
                let role = &deployment.given["payload"]["gatepost"]["role"];
                let wanted = if *role == json!("rollback") { vec![GOOD] } else { vec![GOOD, NEXT] };
                assert!(wanted.contains(&deployment.sha.as_str()), "I5: {what}: {role} of {}", deployment.sha);
            }
            let all = intents.len();
            intents.sort();
            intents.dedup();
            assert_eq!(intents.len(), all, "I4: {what}: two deployments of one intent");
        });
        let runs = std::fs::read_to_string(self.service.place().join("runs")).unwrap_or_default();
        for run in runs.lines() {
            let authorised = [format!("deploy {NEXT}"), format!("rollback {GOOD}")];
            assert!(authorised.contains(&run.to_owned()), "I5: {what}: {run}");
        }
        let left = |outcome: &&Heard| matches!(outcome.ending, Ending::Failed(_) | Ending::RollbackFailed { .. });
        let left_as_it_is = said.iter().any(left);
        assert!(left_as_it_is || self.live().is_some(), "{what}: nothing that works has all of the traffic\n{said:#?}");
    }

    /// Whoever made a deployment says so, or whoever settled it.
    pub fn check_told(&self, said: &[&Heard], what: &str) {
        self.fake.with(|state| {
            for deployment in &state.repo("octo/shop").deployments {
                let id = deployment.id.to_string();
                let told =
                    |outcome: &&Heard| outcome.made.contains(&id) || outcome.said.iter().any(|text| text.contains(&id));
                let is_new = !self.before_has(deployment.id);
                assert!(!is_new || said.iter().any(told), "I7: {what}: nobody was told of {id}\n{said:#?}");
            }
        });
    }

    fn before_has(&self, id: u64) -> bool {
        self.before.clone().repo("octo/shop").deployments.iter().any(|one| one.id == id)
    }
}

/// A recovery without faults comes to an end.
pub fn check_end_of_recovery(outcome: &Heard, what: &str) {
    let is_end = matches!(
        outcome.ending,
        Ending::Live { .. } | Ending::Nothing(_) | Ending::RolledBack { .. } | Ending::Failed(_)
    );
    assert!(is_end, "{what}: recovered to {outcome:#?}");
}

fn is_end(state: &str) -> bool {
    ["success", "failure", "error"].contains(&state)
}

/// Runs `work` for each of `points` on so many threads, each with a bench of its own, which goes on as long as `work` says so.
pub fn spread<P: Sync>(
    threads: usize,
    scenario: Scenario,
    points: &[P],
    work: impl AsyncFn(&Bench, &P) -> bool + Sync,
) {
    std::thread::scope(|scope| {
        for thread in 0..threads.min(points.len()) {
            let work = &work;
            scope.spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                runtime.block_on(async {
                    let bench = Bench::new(scenario).await;
                    for point in points.iter().skip(thread).step_by(threads) {
                        bench.reset();
                        if !work(&bench, point).await {
                            break;
                        }
                    }
                });
            });
        }
    });
}
