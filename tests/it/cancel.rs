//! Interrupting the real program while its gates run process trees that do not want to end: nothing is left one
//! second later, every gate is in the report, and the exit code names the signal.

use std::fmt::Write as _;
use std::io::Read as _;
#[cfg(target_os = "linux")]
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use crate::leftovers::{Way, left_of, marker, ways, ways_of_the_ended};
use crate::repo::Tree;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

struct Project {
    tree: Tree,
}

struct Ended {
    status: ExitStatus,
    took: Duration,
    said: String,
}

impl Project {
    /// A repository with one commit and these gates.
    fn new(gates: &str) -> Self {
        let tree = Tree::new();
        tree.write("gatepost.toml", gates).commit("first");
        Self { tree }
    }

    fn start(&self, before: &[&str], arguments: &[&str], env: &[(&str, &str)]) -> Child {
        self.command(before, &[&["run", "--all-files"], arguments].concat(), env).spawn().unwrap()
    }

    fn command(&self, before: &[&str], arguments: &[&str], env: &[(&str, &str)]) -> Command {
        let words: Vec<&str> = before.iter().copied().chain([env!("CARGO_BIN_EXE_gatepost")]).collect();
        let mut command = Command::new(words[0]);
        command
            .args(&words[1..])
            .args(arguments)
            .current_dir(&self.tree.dir)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .envs(env.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Waits until every gate has written its name into the project's folder.
    fn wait_for(&self, files: &[&str]) {
        let start = Instant::now();
        while !files.iter().all(|file| self.tree.dir.join(file).exists()) {
            assert!(start.elapsed() < Duration::from_secs(20), "gates did not start: {files:?}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn report(&self) -> serde_json::Value {
        serde_json::from_slice(&std::fs::read(self.tree.dir.join(".gatepost/report.json")).unwrap()).unwrap()
    }

    /// `name: outcome, reason` of every gate in the report.
    fn gates(&self) -> Vec<String> {
        let report = self.report();
        let gates = report["gates"].as_array().unwrap().iter();
        let text = |gate: &serde_json::Value, key: &str| gate[key].as_str().unwrap().to_owned();
        gates.map(|gate| ["name", "outcome", "reason"].map(|key| text(gate, key)).join(", ")).collect()
    }
}

fn send(child: &Child, signal: Signal) {
    kill(Pid::from_raw(i32::try_from(child.id()).unwrap()), signal).unwrap();
}

fn end(mut child: Child, within: Duration) -> Ended {
    let start = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if start.elapsed() > within {
            let all = Command::new("ps").args(["-A", "-ww", "-o", "pid=,ppid=,pgid=,stat=,wchan=,args="]).output();
            send(&child, Signal::SIGKILL);
            let all = String::from_utf8_lossy(&all.unwrap().stdout).into_owned();
            panic!("{} is still running after {within:?}, among\n{all}", child.id());
        }
        std::thread::sleep(Duration::from_millis(10));
    };
    let took = start.elapsed();
    let mut said = String::new();
    child.stdout.take().unwrap().read_to_string(&mut said).unwrap();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    Ended { status, took, said }
}

/// Gates that leave processes behind in every way, and then wait.
fn stubborn(marker: &str, grace: &str) -> String {
    leaving(ways_of_the_ended(), "sleep MARKER", marker, grace)
}

/// Gates that leave processes behind in these ways, and end with the line `last`.
fn leaving(ways: impl Iterator<Item = &'static Way>, last: &str, marker: &str, grace: &str) -> String {
    let mut gates = "[run]\njobs = 20\n".to_owned();
    for (at, Way { line, .. }) in ways.enumerate() {
        let script = format!("{line}\necho > started-{at}\n{last}").replace("MARKER", marker);
        let _ = writeln!(gates, "[gates.g{at}]\nkind = \"command\"\ngrace = \"{grace}\"\ncommand = '''{script}'''");
    }
    gates + "[gates.waits]\nkind = \"command\"\nneeds = [\"g0\"]\ncommand = \"true\"\n"
}

fn started() -> Vec<String> {
    (0..ways_of_the_ended().count()).map(|at| format!("started-{at}")).collect()
}

fn wait_for_all(project: &Project) {
    let started = started();
    project.wait_for(&started.iter().map(String::as_str).collect::<Vec<_>>());
}

#[test]
fn a_signal_ends_every_gate_and_names_itself() {
    for (signal, name, code) in [
        (Signal::SIGINT, "SIGINT", 130),
        (Signal::SIGTERM, "SIGTERM", 143),
        (Signal::SIGHUP, "SIGHUP", 129),
        (Signal::SIGQUIT, "SIGQUIT", 131),
    ] {
        let marker = marker();
        let project = Project::new(&stubborn(&marker, "300ms"));
        let child = project.start(&[], &[], &[]);
        wait_for_all(&project);
        send(&child, signal);
        let ended = end(child, Duration::from_secs(20));
        assert_eq!(left_of(&marker), [""; 0], "{name}");
        assert_eq!(ended.status.code(), Some(code), "{name}: {}", ended.said);
        assert!(ended.took < Duration::from_secs(6), "{name}: {:?}", ended.took);
        let gates = project.gates();
        assert_eq!(gates.len(), started().len() + 1, "{name}");
        assert!(gates.iter().all(|gate| gate.ends_with(&format!(", error, cancelled by {name}"))), "{gates:#?}");
    }
}

#[test]
fn every_signal_that_would_end_gatepost_ends_its_gates() {
    for signal in [Signal::SIGUSR1, Signal::SIGUSR2, Signal::SIGALRM] {
        let marker = marker();
        let project =
            Project::new(&format!("[gates.g]\nkind = \"command\"\ncommand = \"echo > started; sleep {marker}\"\n"));
        let child = project.start(&[], &[], &[]);
        project.wait_for(&["started"]);
        send(&child, signal);
        let ended = end(child, Duration::from_secs(20));
        assert_eq!(left_of(&marker), [""; 0], "{signal}");
        assert_eq!(ended.status.code(), Some(128 + signal as i32), "{signal}: {}", ended.said);
        assert_eq!(project.gates(), [format!("g, error, cancelled by {signal}")]);
    }
}

#[test]
fn the_second_signal_ends_the_grace() {
    for (second, name) in [(Signal::SIGINT, "SIGINT"), (Signal::SIGTERM, "SIGTERM")] {
        let marker = marker();
        let project = Project::new(&stubborn(&marker, "60s"));
        let child = project.start(&[], &[], &[]);
        wait_for_all(&project);
        send(&child, Signal::SIGINT);
        std::thread::sleep(Duration::from_millis(300));
        send(&child, second);
        let ended = end(child, Duration::from_secs(20));
        assert_eq!(left_of(&marker), [""; 0], "{name}");
        assert_eq!(ended.status.code(), Some(130), "the first signal names the end, after {name}: {}", ended.said);
        assert!(ended.took < Duration::from_secs(5), "{name}: {:?}", ended.took);
        assert_eq!(project.gates().len(), started().len() + 1);
    }
}

#[test]
fn a_failing_sibling_ends_every_gate_under_fail_fast() {
    let marker = marker();
    let wait = format!("until ls {}; do sleep 0.05; done; exit 1", started().join(" "));
    let lint = format!("[gates.lint]\nkind = \"command\"\ncommand = \"{wait}\"\n");
    let project = Project::new(&(stubborn(&marker, "300ms") + &lint));
    let ended = end(project.start(&[], &["--fail-fast"], &[]), Duration::from_secs(30));
    assert_eq!(left_of(&marker), [""; 0]);
    assert_eq!(ended.status.code(), Some(1), "{}", ended.said);
    let gates = project.gates();
    let cancelled = gates.iter().filter(|gate| gate.ends_with("error, cancelled by --fail-fast: lint failed"));
    assert_eq!(cancelled.count(), started().len() + 1, "{gates:#?}");
}

#[test]
fn a_timeout_ends_the_gate_and_goes_on() {
    let marker = marker();
    let gates = stubborn(&marker, "300ms").replace("grace =", "timeout = \"2s\"\ngrace =");
    let project = Project::new(&gates);
    let ended = end(project.start(&[], &[], &[]), Duration::from_secs(30));
    assert_eq!(left_of(&marker), [""; 0]);
    assert_eq!(ended.status.code(), Some(4), "{}", ended.said);
    let gates = project.gates();
    assert_eq!(gates.iter().filter(|gate| gate.contains(", error, ")).count(), started().len() + 1, "{gates:#?}");
    assert!(gates.last().unwrap().contains("not run: g0"), "{gates:#?}");
}

#[test]
fn a_gate_that_ended_while_gatepost_was_stopped_has_ended_in_time() {
    let project =
        Project::new("[gates.g]\nkind = \"command\"\ntimeout = \"3s\"\ncommand = \"echo > started; sleep 1\"\n");
    let child = project.start(&[], &[], &[]);
    project.wait_for(&["started"]);
    send(&child, Signal::SIGSTOP);
    std::thread::sleep(Duration::from_secs(4));
    send(&child, Signal::SIGCONT);
    let ended = end(child, Duration::from_secs(20));
    assert_eq!(project.gates(), ["g, pass, exit status 0"], "{}", ended.said);
    assert_eq!(ended.status.code(), Some(0));
}

#[test]
fn nothing_is_left_after_gates_that_end_by_themselves() {
    let marker = marker();
    let mut gates = leaving(ways(), "true", &marker, "300ms");
    if cfg!(all(target_os = "linux", not(feature = "other-unix"))) {
        let unmarked = format!("env -i perl -MPOSIX -e 'setsid; exec @ARGV' sleep {marker} >/dev/null 2>&1 &");
        let _ = writeln!(gates, "[gates.unmarked]\nkind = \"command\"\ncommand = '''{unmarked}\n'''");
    }
    let project = Project::new(&gates);
    let ended = end(project.start(&[], &[], &[]), Duration::from_secs(30));
    assert_eq!(left_of(&marker), [""; 0]);
    assert_eq!(ended.status.code(), Some(0), "{}", ended.said);
}

#[test]
fn github_has_its_answer_before_it_kills() {
    // SIGINT, 7.5 s, SIGTERM: by then the report must stand, whatever grace the gates ask for.
    let marker = marker();
    let script = format!("trap '' INT TERM\necho > started\nsleep {marker}\nsleep {marker}");
    let project =
        Project::new(&format!("[gates.g]\nkind = \"command\"\ngrace = \"60s\"\ncommand = \"\"\"{script}\"\"\"\n"));
    let event = project.tree.dir.join("event.json");
    std::fs::write(&event, "{}").unwrap();
    let env = [
        ("GITHUB_ACTIONS", "true"),
        ("GITHUB_EVENT_NAME", "workflow_dispatch"),
        ("GITHUB_REPOSITORY", "octo/shop"),
        ("GITHUB_SHA", "0123456789abcdef0123456789abcdef01234567"),
        ("GITHUB_EVENT_PATH", event.to_str().unwrap()),
    ];
    let child = project.start(&[], &["--publish", "never"], &env);
    project.wait_for(&["started"]);
    send(&child, Signal::SIGINT);
    let ended = end(child, Duration::from_secs(20));
    assert!(ended.took < Duration::from_secs(7), "{:?}", ended.took);
    assert_eq!(left_of(&marker), [""; 0]);
    assert_eq!(ended.status.code(), Some(130), "{}", ended.said);
    assert_eq!(project.gates(), ["g, error, cancelled by SIGINT"]);
}

/// The environment of a pull request's run whose origin or API answers nobody.
fn unanswered(project: &Project, address: &std::net::SocketAddr) -> Vec<(&'static str, String)> {
    let head = project.tree.sha("HEAD").to_string();
    let payload = serde_json::json!({"number": 1, "pull_request": {"number": 1,
        "head": {"sha": head, "ref": "topic", "repo": {"full_name": "octo/shop"}},
        "base": {"sha": head, "ref": "main", "repo": {"full_name": "octo/shop"}}}});
    let event = project.tree.dir.with_file_name("event.json");
    std::fs::write(&event, payload.to_string()).unwrap();
    vec![
        ("GITHUB_ACTIONS", "true".to_owned()),
        ("GITHUB_EVENT_NAME", "pull_request".to_owned()),
        ("GITHUB_REPOSITORY", "octo/shop".to_owned()),
        ("GITHUB_SHA", head),
        ("GITHUB_EVENT_PATH", event.to_str().unwrap().to_owned()),
        ("GITHUB_TOKEN", "ghs_0123456789abcdefghij".to_owned()),
        ("GITHUB_API_URL", format!("http://{address}")),
        ("HOME", "/nonexistent".to_owned()),
    ]
}

#[test]
fn a_signal_is_heeded_before_the_first_gate() {
    for (asked, arguments) in [("the API", &[][..]), ("git", &["--publish", "never", "--base", "origin/rel"][..])] {
        let server = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = server.local_addr().unwrap();
        let project = Project::new("[gates.g]\nkind = \"command\"\ncommand = \"true\"\n");
        project.tree.git(&["remote", "add", "origin", &format!("git://{address}/shop.git")]);
        let env = unanswered(&project, &address);
        let env: Vec<(&str, &str)> = env.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let child = project.command(&[], &[&["run"], arguments].concat(), &env).spawn().unwrap();
        let open = server.accept().unwrap();
        send(&child, Signal::SIGINT);
        let ended = end(child, Duration::from_secs(20));
        drop(open);
        assert_eq!(ended.status.code(), Some(130), "{asked}: {}", ended.said);
        assert!(ended.said.contains("interrupted by SIGINT before any gate was run"), "{asked}: {}", ended.said);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_reader_that_stands_still_stops_no_timeout_and_no_signal() {
    let gates: Vec<String> = (0..40)
        .map(|at| format!("[gates.a-gate-with-a-name-so-long-that-a-pipe-fills-soon-{at}]\nkind = \"command\"\ncommand = \"true\"\n"))
        .collect();
    let last = "[gates.last]\nkind = \"command\"\ntimeout = \"1s\"\ngrace = \"100ms\"\ncommand = \"echo > started; sleep 600\"\n";
    let project = Project::new(&(gates.concat() + last));
    let mut child = project.start(&[], &["-j", "1", "-v"], &[]);
    let out = child.stdout.take().unwrap();
    nix::fcntl::fcntl(&out, nix::fcntl::FcntlArg::F_SETPIPE_SZ(4096)).unwrap();
    let report = project.tree.dir.join(".gatepost/report.json");
    let start = Instant::now();
    while !report.exists() {
        assert!(start.elapsed() < Duration::from_mins(1), "the timeout is not heeded");
        std::thread::sleep(Duration::from_millis(20));
    }
    // It waits for its reader, or for a signal.
    let status = loop {
        std::thread::sleep(Duration::from_millis(200));
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        assert!(start.elapsed() < Duration::from_secs(90), "the signal is not heeded");
        send(&child, Signal::SIGTERM);
    };
    assert!(!status.success() && status.code() != Some(4), "{status}");
    drop(out);
}

#[test]
fn ignored_signals_are_heeded_as_their_sender_means_them() {
    // What a POSIX shell does to `gatepost run &`, and what nohup does.
    let ignore = |signal: &str| format!("$SIG{{{signal}}} = 'IGNORE'; exec @ARGV");
    let gate = "[gates.g]\nkind = \"command\"\ncommand = \"echo > started; sleep 2; echo > finished\"\n";

    let project = Project::new(gate);
    let child = project.start(&["perl", "-e", &ignore("INT")], &[], &[]);
    project.wait_for(&["started"]);
    send(&child, Signal::SIGINT);
    assert_eq!(end(child, Duration::from_secs(20)).status.code(), Some(130));

    let project = Project::new(gate);
    let child = project.start(&["perl", "-e", &ignore("HUP")], &[], &[]);
    project.wait_for(&["started"]);
    send(&child, Signal::SIGHUP);
    let ended = end(child, Duration::from_secs(20));
    assert_eq!(ended.status.code(), Some(0), "{}", ended.said);
    assert!(project.tree.dir.join("finished").exists());
}

#[cfg(target_os = "linux")]
#[test]
fn a_gate_that_prints_a_gigabyte_costs_no_memory() {
    let gate = |prints: &str| {
        let gate = format!("[gates.g]\nkind = \"command\"\ncommand = \"{prints}; echo > done; sleep 1\"\n");
        let project = Project::new(&gate);
        let child = project.start(&[], &[], &[]);
        project.wait_for(&["done"]);
        let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
        let ended = end(child, Duration::from_mins(1));
        assert_eq!(ended.status.code(), Some(0), "{}", ended.said);
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        let kibibytes: usize = peak.trim().trim_end_matches(" kB").parse().unwrap();
        (kibibytes, sizes(&project.tree.dir.join(".gatepost")))
    };
    let (quiet, _) = gate("true");
    let (peak, logs) = gate("head -c 1073741824 /dev/zero");
    assert!(peak <= quiet + (24 << 10), "{peak} KiB, and {quiet} KiB where nothing is printed");
    assert!(logs.iter().all(|size| *size <= (64 << 20) + 200), "{logs:?}");
}

#[cfg(target_os = "linux")]
fn sizes(folder: &Path) -> Vec<u64> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { sizes(&path) } else { vec![path.metadata().unwrap().len()] }).collect()
}
