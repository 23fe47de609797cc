//! `world::process` with real process trees.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
#[cfg(target_os = "linux")]
use std::process::Command;
use std::time::{Duration, Instant};

use gatepost::model::environ::Environ;
use gatepost::model::evidence::Exit;
use gatepost::world::process::{CancelToken, CancelledBy, Caps, End, Finished, MARK, Signal, Spawn, SpawnError, run};
#[cfg(all(target_os = "linux", not(feature = "other-unix")))]
use gatepost::world::process::{LeftBehind, end_orphans};
use tempfile::TempDir;

#[cfg(target_os = "linux")]
use crate::leftovers::alive;
use crate::leftovers::{Way, left_of, marker, ways, ways_of_the_ended};

struct Gate {
    folder: TempDir,
    spawn: Spawn,
}

fn environment(path: impl Into<OsString>, output: &Path) -> Environ {
    Environ::new(vec![("PATH".into(), path.into())]).with(MARK, output.as_os_str())
}

impl Gate {
    fn new(argv: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let spawn = Spawn {
            masker: gatepost::mask::Masker::new([]),
            argv: argv.iter().map(|&word| word.to_owned()).collect(),
            dir: folder.path().to_owned(),
            env: environment(std::env::var_os("PATH").unwrap(), folder.path()),
            merge: false,
            for_machines: false,
            log: folder.path().join("log"),
            keep: Some(folder.path().join("keep")),
            timeout: Duration::from_mins(2),
            grace: Duration::from_millis(300),
            caps: Caps::default(),
            leaves_services: false,
        };
        Self { folder, spawn }
    }

    fn bash(script: &str) -> Self {
        Self::new(&["bash", "-e", "-o", "pipefail", "-c", script])
    }

    fn with(mut self, change: impl FnOnce(&mut Spawn)) -> Self {
        change(&mut self.spawn);
        self
    }

    fn file(&self, name: &str) -> String {
        String::from_utf8_lossy(&std::fs::read(self.folder.path().join(name)).unwrap()).into_owned()
    }

    fn executable(&self, name: &str, text: &str, mode: u32) -> PathBuf {
        use std::os::unix::fs::PermissionsExt as _;

        let path = self.folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        path
    }

    fn run(&self) -> Result<Finished, SpawnError> {
        self.watched(&CancelToken::new(None), &mut |_| {})
    }

    fn watched(&self, cancel: &CancelToken, on_line: &mut dyn FnMut(&str)) -> Result<Finished, SpawnError> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(run(&self.spawn, cancel, on_line))
    }
}

fn stop() -> CancelledBy {
    CancelledBy::Signal(Signal::Interrupt)
}

/// Runs the test of this name again in a process of its own, started through `before` (words that end in an `exec`
/// of what follows them). Returns false in that process: there the test goes on.
#[cfg(target_os = "linux")]
fn elsewhere(name: &str, before: &[&str]) -> bool {
    if std::env::var_os("GATEPOST_ELSEWHERE").is_some() {
        return false;
    }
    let program = std::env::current_exe().unwrap();
    let words: Vec<OsString> = before.iter().map(OsString::from).chain([program.into_os_string()]).collect();
    let mut command = Command::new(&words[0]);
    command.args(&words[1..]).args(["--exact", name, "--nocapture"]).env("GATEPOST_ELSEWHERE", "1");
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
    true
}

#[test]
fn the_output_is_kept_in_order_and_by_stream() {
    let script = "for i in $(seq 200); do echo out $i; echo err $i >&2; done; exit 3";
    let lines = |streams: &[&str]| {
        let lines = (1..=200).flat_map(|at| streams.iter().map(move |stream| format!("{stream} {at}\n")));
        lines.collect::<Vec<_>>().concat()
    };
    let (both, out) = (lines(&["out", "err"]), lines(&["out"]));

    let gate = Gate::bash(script).with(|spawn| spawn.merge = true);
    let finished = gate.run().unwrap();
    assert_eq!((finished.exit, finished.end), (Some(Exit::Code(3)), End::Exited));
    assert_eq!((gate.file("log"), gate.file("keep")), (both.clone(), both.clone()));
    assert_eq!(finished.printed, both.len() as u64);

    let gate = Gate::bash(script);
    let finished = gate.run().unwrap();
    assert_eq!((gate.file("log").len(), gate.file("keep")), (both.len(), out.clone()));
    assert_eq!(finished.printed, out.len() as u64);
    assert!(finished.drained && !finished.log_truncated && !finished.keep_truncated && finished.leaked == 0);
}

#[test]
fn the_newest_line_is_shown_cleaned() {
    let mut lines = Vec::new();
    let script = r"printf '\033[1mone\033[0m\n'; sleep 0.3; echo two >&2; sleep 0.3; printf three";
    Gate::bash(script).watched(&CancelToken::new(None), &mut |line| lines.push(line.to_owned())).unwrap();
    assert_eq!(lines, ["one", "two"]);

    let mut lines = Vec::new();
    let gate = Gate::bash(script).with(|spawn| spawn.for_machines = true);
    gate.watched(&CancelToken::new(None), &mut |line| lines.push(line.to_owned())).unwrap();
    assert_eq!(lines, ["two"], "what a machine reads is not shown to people");
}

#[test]
fn a_command_has_no_input_and_its_own_environment() {
    let gate = Gate::bash("cat; env | cut -d= -f1 | grep -v -e '^_$' -e SHLVL -e PWD | sort | tr '\\n' ' '; pwd");
    gate.run().unwrap();
    let folder = gate.folder.path().canonicalize().unwrap();
    assert_eq!(gate.file("keep"), format!("GATEPOST_OUTPUT PATH {}\n", folder.display()));
}

#[test]
fn what_is_beyond_the_caps_is_counted_and_said() {
    let gate = Gate::bash("head -c 1000000 /dev/zero; echo end").with(|spawn| {
        spawn.caps = Caps { log: 300_000, keep: 4096 };
    });
    let finished = gate.run().unwrap();
    assert_eq!(finished.printed, 1_000_004);
    assert!(finished.log_truncated && finished.keep_truncated);
    assert_eq!(gate.file("keep").len(), 4096);
    let log = gate.file("log");
    assert!(log.contains("bytes are cut here") && log.ends_with("end\n") && log.len() < 300_100, "{}", log.len());
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_does_not_stop_the_command() {
    for (log, keep) in [("/dev/full", None), ("/dev/null", Some("/dev/full"))] {
        let gate = Gate::bash("head -c 10000000 /dev/zero; echo done > done").with(|spawn| {
            spawn.log = PathBuf::from(log);
            spawn.keep = keep.map(PathBuf::from);
        });
        let finished = gate.run().unwrap();
        assert_eq!((finished.exit, finished.printed), (Some(Exit::Code(0)), 10_000_000));
        assert!(finished.io_error.unwrap().to_string().starts_with("cannot write /dev/full: No space left"));
        assert_eq!(gate.file("done"), "done\n");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_gigabyte_costs_no_memory() {
    if elsewhere("process::a_gigabyte_costs_no_memory", &["env"]) {
        return;
    }
    let prints = |bytes: &str| Gate::bash(&format!("head -c {bytes} /dev/zero")).with(|spawn| spawn.keep = None);
    // Both touch the same pages of this test program: what counts is what the gigabyte adds.
    prints("65536").run().unwrap();
    let before = peak_kib();
    let gate = prints("1073741824");
    let finished = gate.run().unwrap();
    assert_eq!(finished.printed, 1 << 30);
    let log = std::fs::metadata(&gate.spawn.log).unwrap().len();
    assert!((60 << 20..=(64 << 20) + 100).contains(&log), "{log}");
    let more = peak_kib() - before;
    assert!(more <= 8 << 10, "{more} KiB more than the {before} of before");
}

#[cfg(target_os = "linux")]
fn peak_kib() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    peak.trim().trim_end_matches(" kB").parse().unwrap()
}

#[test]
fn a_command_that_cannot_start_says_why_and_what_to_do() {
    let says = |gate: &Gate, words: &[&str]| {
        let mut message = gate.run().unwrap_err().to_string();
        // What another test's child still holds open, as it was forked while it was written.
        while message.contains("Text file busy") {
            message = gate.run().unwrap_err().to_string();
        }
        for word in words {
            assert!(message.contains(word), "{message:?} lacks {word:?}");
        }
    };
    says(&Gate::new(&["no-such-tool"]), &["\"no-such-tool\"", "no folder of PATH has it", "install it"]);
    says(&Gate::new(&["./tools/lint"]), &["/./tools/lint: no such file", "relative to the gate's `dir`"]);
    says(&Gate::new(&["./"]), &["not an executable file"]);
    let no_path = |spawn: &mut Spawn| spawn.env = environment("/nowhere", Path::new("."));
    says(&Gate::bash("true").with(no_path), &["no folder of PATH has it", "install bash", "as an array"]);
    let no_dir = |spawn: &mut Spawn| spawn.dir = PathBuf::from("/nowhere");
    says(&Gate::bash("true").with(no_dir), &["\"bash\"", "folder /nowhere does not exist", "`dir`"]);
    let no_log = |spawn: &mut Spawn| spawn.log = PathBuf::from("/nowhere/log");
    says(&Gate::bash("true").with(no_log), &["cannot create /nowhere/log"]);

    let gate = Gate::new(&["./script"]);
    gate.executable("script", "#!/bin/sh\n", 0o644);
    says(&gate, &["/./script: it is not an executable file", "chmod +x"]);
    gate.executable("script", "#!/no/such/python -u\n", 0o755);
    says(&gate, &["/./script: its first line asks for \"/no/such/python -u\""]);
    gate.executable("script", "\u{1}\u{2}", 0o755);
    says(&gate, &["/./script: Exec format error", "first line names its interpreter"]);
    gate.executable("script", "#!/bin/sh\r\ntrue\r\n", 0o755);
    says(&gate, &["/./script: its lines end as on Windows", "dos2unix"]);
    let long = "x".repeat(1 << 22);
    says(&Gate::new(&["true", &long]), &["Argument list too long", "into a file"]);
}

#[test]
fn the_path_of_the_gate_counts_and_its_first_executable_file() {
    let gate = Gate::new(&["tool", "a b"]);
    for (folder, mode) in [("first", 0o644), ("second", 0o755), ("third", 0o755)] {
        std::fs::create_dir(gate.folder.path().join(folder)).unwrap();
        gate.executable(&format!("{folder}/tool"), &format!("#!/bin/sh\necho {folder} \"$1\"\n"), mode);
    }
    let gate = gate.with(|spawn| spawn.env = environment("first:second:third", Path::new(".")));
    gate.run().unwrap();
    assert_eq!(gate.file("keep"), "second a b\n");

    // A command may install what the next one finds.
    gate.executable("second/tool", "#!/bin/sh\n/bin/chmod +x first/tool\n", 0o755);
    gate.run().unwrap();
    gate.run().unwrap();
    assert_eq!(gate.file("keep"), "first a b\n");
}

#[test]
fn a_death_by_signal_is_told_from_a_status() {
    // 34: a real-time signal, which has no name; macOS has none.
    for signal in if cfg!(target_os = "linux") { &[9, 34][..] } else { &[9] } {
        let finished = Gate::bash(&format!("kill -{signal} $$")).run().unwrap();
        assert_eq!((finished.exit, finished.end), (Some(Exit::Signal(*signal)), End::Exited));
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_command_that_dies_with_its_parent_lives_to_its_end() {
    // The system means the thread that started it: most ask for it while that one still starts others.
    let gates = [(); 40].map(|()| Gate::new(&["setpriv", "--pdeathsig", "KILL", "sleep", "0.5"]));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(tokio::task::LocalSet::new().run_until(async {
        let started = gates.map(|gate| {
            tokio::task::spawn_local(async move {
                let Gate { folder: _folder, spawn } = gate;
                run(&spawn, &CancelToken::new(None), &mut |_: &str| {}).await.unwrap()
            })
        });
        for finished in started {
            let finished = finished.await.unwrap();
            assert_eq!((finished.exit, finished.end), (Some(Exit::Code(0)), End::Exited));
        }
    }));
}

#[test]
fn nothing_is_left_after_the_command_ends_by_itself() {
    for Way { name: way, line, .. } in ways() {
        let marker = marker();
        let gate = Gate::bash(&format!("{}\necho done", line.replace("MARKER", &marker)));
        let finished = gate.run().unwrap();
        assert_eq!(left_of(&marker), [""; 0], "{way}");
        assert_eq!((finished.exit, finished.survivors), (Some(Exit::Code(0)), 0), "{way}");
        assert_eq!(finished.leaked > 0, *way != "nothing", "{way}: {}", finished.leaked);
        assert_eq!(finished.drained, !way.contains("holds the pipe"), "{way}");
        assert_eq!(gate.file("keep"), "done\n", "{way}");
        assert!(finished.took < Duration::from_secs(5), "{way}: {:?}", finished.took);
    }
}

#[test]
fn nothing_is_left_after_a_timeout() {
    for Way { name: way, line, .. } in ways_of_the_ended() {
        let marker = marker();
        let script = format!("{}\nsleep {marker}", line.replace("MARKER", &marker));
        let finished = Gate::bash(&script).with(|spawn| spawn.timeout = Duration::from_millis(400)).run().unwrap();
        assert_eq!(left_of(&marker), [""; 0], "{way}");
        assert_eq!((&finished.end, finished.survivors, finished.leaked), (&End::TimedOut, 0, 0), "{way}");
        assert!(finished.took < Duration::from_secs(5), "{way}: {:?}", finished.took);
    }
}

#[test]
fn nothing_is_left_after_a_cancellation() {
    let unmarked = "env -i perl -MPOSIX -e 'setsid; exec @ARGV' sleep MARKER & sleep MARKER";
    for leader in ["sleep MARKER", "trap '' INT TERM; sleep MARKER; sleep MARKER", unmarked] {
        for Way { name: way, line, .. } in ways_of_the_ended() {
            let marker = marker();
            let gate = Gate::bash(&format!("{line}\necho ready\n{leader}").replace("MARKER", &marker));
            let cancel = CancelToken::new(None);
            let finished = gate.watched(&cancel, &mut |_| cancel.cancel(stop())).unwrap();
            assert_eq!(left_of(&marker), [""; 0], "{way}, {leader}");
            assert_eq!((&finished.end, finished.survivors), (&End::Cancelled(stop()), 0), "{way}, {leader}");
            assert!(finished.took < Duration::from_secs(5), "{way}, {leader}: {:?}", finished.took);
        }
    }
}

#[test]
fn the_second_request_ends_the_grace() {
    let marker = marker();
    let script = format!("trap '' TERM; echo ready; sleep {marker}; sleep {marker}");
    let gate = Gate::bash(&script).with(|spawn| spawn.grace = Duration::from_mins(1));
    let cancel = CancelToken::new(None);
    let finished = gate.watched(&cancel, &mut |_| cancel.kill(stop())).unwrap();
    assert_eq!(finished.exit, Some(Exit::Signal(9)));
    assert_eq!(left_of(&marker), [""; 0]);
    assert!(finished.took < Duration::from_secs(10), "{:?}", finished.took);
}

#[test]
fn a_command_has_its_grace_to_tidy_up() {
    let script = "trap 'sleep 0.2; echo tidied > tidied; exit 7' TERM; echo ready; while :; do sleep 0.05; done";
    let gate = Gate::bash(script).with(|spawn| spawn.grace = Duration::from_mins(1));
    let cancel = CancelToken::new(None);
    let finished = gate.watched(&cancel, &mut |_| cancel.cancel(stop())).unwrap();
    assert_eq!(finished.exit, Some(Exit::Code(7)));
    assert_eq!(gate.file("tidied"), "tidied\n");
    assert!(finished.took < Duration::from_secs(10), "{:?}", finished.took);
}

#[test]
fn the_rest_of_the_group_has_the_grace_too() {
    // The leader dies of TERM at once; what it started still tidies up.
    let inner = "trap 'sleep 0.3; echo tidied > tidied; exit' TERM; echo ready; while :; do sleep 0.05; done";
    let gate = Gate::bash(&format!("bash -c \"{inner}\" & wait")).with(|spawn| spawn.grace = Duration::from_mins(1));
    let cancel = CancelToken::new(None);
    gate.watched(&cancel, &mut |_| cancel.cancel(stop())).unwrap();
    assert_eq!(gate.file("tidied"), "tidied\n");
}

#[cfg(target_os = "linux")]
#[test]
fn what_left_the_group_has_the_grace_too() {
    // `timeout` makes a group of its own.
    let inner = "trap 'sleep 0.3; echo tidied > tidied; exit' TERM; echo ready; while :; do sleep 0.05; done";
    let gate =
        Gate::bash(&format!("timeout 60 bash -c \"{inner}\"; true")).with(|spawn| spawn.grace = Duration::from_mins(1));
    let cancel = CancelToken::new(None);
    let finished = gate.watched(&cancel, &mut |_| cancel.cancel(stop())).unwrap();
    assert_eq!(gate.file("tidied"), "tidied\n");
    assert!(finished.took < Duration::from_secs(10), "{:?}", finished.took);
}

#[test]
fn the_last_words_of_the_output_are_awaited() {
    // bash does not wait for a process substitution: it still writes after the leader has ended.
    let gate = Gate::bash("echo late > >(sleep 0.3; cat)");
    let finished = gate.run().unwrap();
    assert_eq!(gate.file("keep"), "late\n");
    assert!(finished.drained && finished.leaked == 0, "{finished:?}");
}

#[test]
fn a_cancelled_token_starts_nothing() {
    let gate = Gate::bash("echo started > started");
    let cancel = CancelToken::new(None);
    cancel.cancel(stop());
    let finished = gate.watched(&cancel, &mut |_| {}).unwrap();
    assert_eq!((finished.exit, finished.end), (None, End::Cancelled(stop())));
    assert!(!gate.folder.path().join("started").exists());
}

#[test]
fn an_aborted_run_kills_its_group() {
    let marker = marker();
    let gate = Gate::bash(&format!("sleep {marker} & sleep {marker}"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let cancel = CancelToken::new(None);
        let mut quiet = |_: &str| {};
        let endless = run(&gate.spawn, &cancel, &mut quiet);
        let _ = tokio::time::timeout(Duration::from_millis(300), endless).await;
    });
    assert_eq!(left_of(&marker), [""; 0]);
}

#[cfg(target_os = "linux")]
#[test]
fn gates_at_a_time_do_not_sweep_each_other() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (long, short) =
        (Gate::bash("setsid sleep 1.5 & wait; echo end"), Gate::bash("setsid sleep 86400 >/dev/null &"));
    let cancel = CancelToken::new(None);
    runtime.block_on(async {
        let mut quiet = (|_: &str| {}, |_: &str| {});
        let (long, short) =
            tokio::join!(run(&long.spawn, &cancel, &mut quiet.0), run(&short.spawn, &cancel, &mut quiet.1));
        assert_eq!((long.unwrap().leaked, short.unwrap().leaked), (0, 1));
    });
    assert_eq!(long.file("keep"), "end\n");
}

#[cfg(all(target_os = "linux", not(feature = "other-unix")))]
#[test]
fn an_orphan_without_a_mark_is_found_at_the_end() {
    if elsewhere("process::an_orphan_without_a_mark_is_found_at_the_end", &["env"]) {
        return;
    }
    let marker = marker();
    let orphan = format!("env -i setsid sh -c 'sleep {marker} & : > ready; exec sleep {marker}' >/dev/null 2>&1 &");
    // It ends when both are there, and neither has what tells of the gate any more.
    let gate = Gate::bash(&format!("{orphan} until [ -e ready ]; do sleep 0.01; done"));
    assert_eq!(gate.run().unwrap().leaked, 0, "nothing tells that it was this gate's");
    assert_eq!(alive(&marker).len(), 2);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    assert_eq!(runtime.block_on(end_orphans()), LeftBehind { ended: 2, ..LeftBehind::default() });
    assert_eq!(alive(&marker), [""; 0]);
}

#[cfg(all(target_os = "linux", target_arch = "x86_64", not(feature = "other-unix")))]
#[test]
fn a_commands_sibling_is_found_at_the_end() {
    if elsewhere("process::a_commands_sibling_is_found_at_the_end", &["env"]) {
        return;
    }
    let marker = marker();
    // clone(CLONE_PARENT | SIGCHLD)
    let sibling = format!(
        "syscall(56, 0x8011, 0, 0, 0, 0) or do {{ %ENV = (); setsid; open STDOUT, '>/dev/null'; open STDERR, '>/dev/null'; exec qw(sleep {marker}) }}"
    );
    let gate = Gate::new(&["perl", "-MPOSIX", "-e", &format!("{sibling}; select undef, undef, undef, 0.3")]);
    assert_eq!(gate.run().unwrap().exit, Some(Exit::Code(0)));
    assert_eq!(alive(&marker).len(), 1);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    assert_eq!(runtime.block_on(end_orphans()), LeftBehind { ended: 1, ..LeftBehind::default() });
    assert_eq!(alive(&marker), [""; 0]);
}

#[cfg(all(target_os = "linux", not(feature = "other-unix")))]
#[test]
fn numbers_of_another_namespace_are_not_believed() {
    let apart = ["unshare", "--user", "--map-root-user", "--pid", "--fork", "--kill-child"];
    if std::env::var_os("GATEPOST_ELSEWHERE").is_none() {
        // Not everybody may make namespaces.
        let tried = Command::new(apart[0]).args(&apart[1..]).arg("true").output();
        if !tried.is_ok_and(|tried| tried.status.success()) {
            return;
        }
    }
    if elsewhere("process::numbers_of_another_namespace_are_not_believed", &apart) {
        return;
    }
    // /proc is still that of the namespace above.
    let gate = Gate::bash("env -i setsid sleep 86400 >/dev/null 2>&1 & env -i setsid sleep 0.2 >/dev/null 2>&1 &");
    assert_eq!(gate.run().unwrap().exit, Some(Exit::Code(0)));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let left = runtime.block_on(end_orphans());
    assert!(left.unseen && left.survivors > 0 && left.ended == 0, "{left:?}");
}

#[cfg(target_os = "linux")]
#[test]
fn the_dead_do_not_hide_the_living() {
    if elsewhere("process::the_dead_do_not_hide_the_living", &["env"]) {
        return;
    }
    let marker = marker();
    let dead = "for (1 .. 1500) { fork or do { setsid; fork; exit }; wait }";
    // The last of them is given the time to die.
    let gate = Gate::bash(&format!("perl -MPOSIX -e '{dead}'; sleep 0.3; setsid sleep {marker} >/dev/null 2>&1 &"));
    assert_eq!(gate.run().unwrap().leaked, 1);
    assert_eq!(alive(&marker), [""; 0]);
    let own = std::process::id().to_string();
    let children = Command::new("ps").args(["--ppid", &own, "-o", "state=,comm="]).output().unwrap();
    let children = String::from_utf8_lossy(&children.stdout).into_owned();
    assert!(children.lines().all(|line| line.ends_with(" ps")), "the dead are reaped: {children}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_child_starts_with_default_signals_whatever_the_parent_left() {
    let hostile = r"$SIG{$_} = 'IGNORE' for qw(INT QUIT HUP TERM CHLD USR1 TSTP PIPE XFSZ);
        sigprocmask(SIG_BLOCK, POSIX::SigSet->new(SIGINT, SIGTERM, SIGHUP, SIGUSR2)); exec @ARGV";
    let before = ["perl", "-MPOSIX", "-e", hostile];
    if elsewhere("process::a_child_starts_with_default_signals_whatever_the_parent_left", &before) {
        return;
    }
    let gate = Gate::new(&["grep", "-E", "Sig(Blk|Ign)", "/proc/self/status"]);
    for attempt in ["first", "second"] {
        assert_eq!(gate.run().unwrap().exit, Some(Exit::Code(0)), "{attempt}: statuses are collected");
        let masks: Vec<u64> = gate
            .file("keep")
            .lines()
            .map(|line| u64::from_str_radix(line.split_once('\t').unwrap().1, 16).unwrap())
            .collect();
        // glibc's posix_spawn itself leaves its two internal signals, 32 and 33, ignored.
        assert_eq!((masks[0], masks[1] & !(0b11 << 31)), (0, 0), "{attempt}: {masks:x?}");
    }
    let own = i32::try_from(std::process::id()).unwrap();
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(own), nix::sys::signal::Signal::SIGHUP).unwrap();
    std::thread::sleep(Duration::from_millis(50));
}

#[test]
fn a_chatty_gate_does_not_delay_its_timeout() {
    let start = Instant::now();
    let gate = Gate::bash("cat /dev/zero").with(|spawn| {
        spawn.timeout = Duration::from_millis(300);
        spawn.caps = Caps { log: 1 << 20, keep: 1 << 20 };
    });
    assert_eq!(gate.run().unwrap().end, End::TimedOut);
    assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
    assert!(Path::new(&gate.spawn.log).exists());
}

#[cfg(target_os = "linux")]
#[test]
fn a_daemon_is_asked_to_end_before_it_is_killed() {
    let daemon = "trap 'echo > asked; exit' TERM; echo > ready; while :; do sleep 0.05; done";
    let script = format!(
        "(perl -MPOSIX -e 'setsid; exec @ARGV' sh -c \"{daemon}\" </dev/null >/dev/null 2>&1 &)\n\
         until [ -e ready ]; do sleep 0.05; done\nsleep 60"
    );
    let gate = Gate::bash(&script).with(|spawn| {
        spawn.timeout = Duration::from_secs(2);
        spawn.grace = Duration::from_secs(10);
    });
    let finished = gate.run().unwrap();
    assert_eq!((finished.end, finished.survivors), (End::TimedOut, 0));
    assert!(finished.took < Duration::from_secs(10), "what has ended is not waited for: {:?}", finished.took);
    assert_eq!(gate.file("asked"), "\n");
}
