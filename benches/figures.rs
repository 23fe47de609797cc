//! The figures of the README, each a ratio to a plain program doing the same on the same machine in the same run.
//! `cargo bench` prints them with the command that makes them again.
#![allow(clippy::allow_attributes, clippy::disallowed_methods, clippy::unwrap_used, clippy::expect_used)]
#![allow(clippy::print_stdout, missing_docs)]

#[allow(dead_code, reason = "tests use more of it")]
#[path = "../tests/it/action/expression.rs"]
mod expression;
#[allow(dead_code, reason = "tests use more of it")]
#[path = "../tests/it/action/harness.rs"]
mod harness;
#[allow(dead_code, reason = "tests use more of it")]
#[path = "../tests/it/action/releases.rs"]
mod releases;
#[path = "../tests/it/tree.rs"]
mod tree;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use tempfile::TempDir;

#[path = "zip.rs"]
mod zip;

/// The program as one installs it, a copy: what a linker has just written lies in memory in smaller pieces, which makes each
/// start a millisecond longer.
static GATEPOST: LazyLock<PathBuf> = LazyLock::new(|| {
    let copy = Path::new(env!("CARGO_TARGET_TMPDIR")).join("gatepost");
    std::fs::copy(env!("CARGO_BIN_EXE_gatepost"), &copy).unwrap();
    copy
});
/// Pairs of runs of which the median ratio is printed.
const PAIRS: usize = 11;
/// The same for what takes milliseconds, where one interrupt is a tenth of it.
const SHORT: usize = 101;

fn main() {
    println!("command: cargo bench");
    // `cargo bench -- audit` measures that alone, and so with `migrations`.
    for (name, alone) in [("audit", audit as fn()), ("migrations", migrations)] {
        if std::env::args().any(|word| word == name) {
            return alone();
        }
    }
    startup();
    for gates in [20, 100] {
        no_ops(gates);
    }
    findings();
    migrations();
    action();
    audit();
    let size = std::fs::metadata(&*GATEPOST).unwrap().len();
    println!("binary: {}.{} MB", size / 1_000_000, size % 1_000_000 / 100_000);
}

fn startup() {
    let ours = || timed(Command::new(&*GATEPOST).arg("--version"));
    let theirs = || timed(Command::new("sh").args(["-c", ":"]));
    let (ratio, time) = compare_pairs(SHORT, ours, theirs);
    println!("startup (--version): {time:.1?}, {ratio:.2}x of `sh -c :`; {} MiB", peak());
}

fn no_ops(number: usize) {
    let folder = repository();
    let mut gates = String::new();
    let mut script = String::new();
    for at in 0..number {
        let _ = writeln!(gates, "[gates.g{at}]\nkind = \"command\"\ncommand = [\"true\"]");
        script += "true_program & ";
    }
    std::fs::write(folder.path().join("gatepost.toml"), gates).unwrap();
    commit(folder.path());
    // The program, not the shell's own word.
    let script = format!("{}wait", script.replace("true_program", "/bin/true"));
    let jobs = number.to_string();
    let ours = || timed(program(folder.path()).args(["run", "--all-files", "--quiet", "--jobs", &jobs]));
    let theirs = || timed(Command::new("sh").args(["-c", &script]));
    let (ratio, time) = compare_pairs(SHORT, ours, theirs);
    println!("{number} no-op gates with groups, logs and report: {time:.1?}, {ratio:.2}x of `sh` with `&` and `wait`");
}

/// 50,000 findings of SARIF in 3,000 changed files, against Node's `JSON.parse` of the same file.
fn findings() {
    let folder = repository();
    let root = folder.path();
    std::fs::write(root.join("gatepost.toml"), "[gates.lint]\nkind = \"lint\"\nreports = [\"out.sarif\"]\n").unwrap();
    std::fs::write(root.join(".gitignore"), "out.sarif\n").unwrap();
    let text = |version: &str| {
        (1..=100).fold(String::new(), |all, at| all + &format!("let value_{at} = {at}; // {version}\n"))
    };
    write_files(root, &text("old"));
    commit(root);
    git(root, &["checkout", "-q", "-b", "change"]);
    write_files(root, &text("new"));
    commit(root);
    std::fs::write(root.join("out.sarif"), sarif()).unwrap();
    let size = std::fs::metadata(root.join("out.sarif")).unwrap().len();
    let ours = || timed(program(root).args(["run", "--base", "main", "--quiet", "--json"]));
    ours();
    let memory = peak();
    let script = "JSON.parse(require('fs').readFileSync('out.sarif', 'utf8'))";
    let theirs = || timed(Command::new("node").args(["-e", script]).current_dir(root));
    let what =
        format!("50,000 findings of SARIF ({} MB) against a 3,000-file diff, judged and rendered", size / 1_000_000);
    if Command::new("node").arg("--version").stdout(Stdio::null()).status().is_err() {
        println!("{what}: {:.1?}, {memory} MiB; no ratio: node is not installed", ours());
        return;
    }
    let (ratio, time) = compare(ours, theirs);
    println!("{what}: {time:.1?}, {ratio:.2}x of node's JSON.parse; {memory} MiB");
}

/// The action from its first step to gatepost's end, against a local server: nothing in the tool cache, then all of it.
fn action() {
    let archive = releases::archive(&GATEPOST);
    let checkout = releases::checkout(&releases::lock(&archive, &std::fs::read(&*GATEPOST).unwrap()));
    let server = releases::Releases::serve(archive, &[releases::Answer::Good]);
    let mirror = server.mirror();
    let action = harness::Composite::load(checkout.path());
    let run = |job: &harness::Job| {
        let start = Instant::now();
        let ended = action.run(job, &[("mirror", &mirror), ("args", "schema config")]);
        assert_eq!(ended.code, 0, "{}", ended.log);
        start.elapsed()
    };
    let name = format!("gatepost-9.9.9-{}.tar.gz", releases::TARGET);
    let folder = tempfile::tempdir().unwrap();
    let fetch = format!("curl -sS {mirror}/v9.9.9/{name} | tar -xz && ./gatepost schema config");
    let plain = || timed(Command::new("bash").args(["-o", "pipefail", "-c", &fetch]).current_dir(folder.path()));
    let (ratio, time) = compare(|| run(&harness::Job::new()), plain);
    println!("action, cold (download, checksums, run): {time:.1?}, {ratio:.2}x of `curl | tar` and the same command");
    let job = harness::Job::new();
    run(&job);
    let (ratio, time) = compare(|| run(&job), || timed(Command::new("sha256sum").arg(&*GATEPOST)));
    println!("action, warm (tool cache, checksum, run): {time:.1?}, {ratio:.2}x of `sha256sum` of the binary");
}

/// A scratch server until its first query, with the template of its data made and kept.
fn ready() {
    let cache = tempfile::tempdir().unwrap();
    let mut environment: Vec<_> = std::env::vars_os().filter(|(name, _)| name != "XDG_CACHE_HOME").collect();
    environment.push(("XDG_CACHE_HOME".into(), cache.path().into()));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let start = || {
        let begun = Instant::now();
        let around = gatepost::world::database::programs::Surroundings(&environment);
        let server = gatepost::world::database::postgres::Postgres::scratch(around, None, false);
        let server = runtime.block_on(server).unwrap();
        let took = begun.elapsed();
        runtime.block_on(gatepost::world::database::Database::stop(server));
        took
    };
    let cold = (0..3)
        .map(|_| {
            let _ = std::fs::remove_dir_all(cache.path().join("gatepost"));
            start()
        })
        .min()
        .unwrap();
    let mut warm: Vec<Duration> = (0..PAIRS).map(|_| start()).collect();
    warm.sort();
    println!("scratch server ready: {:.1?} from the kept template, {cold:.1?} without", warm[PAIRS / 2]);
}

/// 250 migrations, by gatepost with its server's start and end, and by one psql on a server that runs already.
fn migrations() {
    ready();
    let folder = repository();
    std::fs::create_dir(folder.path().join("migrations")).unwrap();
    for at in 1..=250 {
        let sql = format!(
            "CREATE TABLE t{at} (id bigint PRIMARY KEY, name text NOT NULL);\nCREATE INDEX t{at}_name ON t{at} (name);\n\
             ALTER TABLE t{at} ADD COLUMN note text;\nINSERT INTO t{at} SELECT i, 'x' FROM generate_series(1, 20) i;\n"
        );
        std::fs::write(folder.path().join(format!("migrations/{at:04}_t.sql")), sql).unwrap();
    }
    commit(folder.path());
    std::fs::write(folder.path().join("migrations/0251_last.sql"), "CREATE TABLE last (id bigint);\n").unwrap();
    let environment: Vec<_> = std::env::vars_os().collect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let around = gatepost::world::database::programs::Surroundings(&environment);
    let server = runtime.block_on(gatepost::world::database::postgres::Postgres::scratch(around, None, true)).unwrap();
    let address = gatepost::world::database::Database::address(&server);
    let psql = |arguments: &[&str]| {
        let mut command = Command::new("psql");
        command.args(["-q", "-d", "postgres"]).args(arguments).current_dir(folder.path());
        command.envs(address.iter().filter(|(name, _)| *name != "PGDATABASE").map(|(name, value)| (name, value)));
        timed(&mut command)
    };
    let files: Vec<String> = (1..=250).map(|at| format!("migrations/{at:04}_t.sql")).collect();
    let all: Vec<&str> =
        ["-d", "figures"].into_iter().chain(files.iter().flat_map(|file| ["-f", file.as_str()])).collect();
    for (words, arguments) in [
        ("applied as the base's", ["--base", "HEAD"].as_slice()),
        ("observed", ["--all", "--no-round-trip"].as_slice()),
    ] {
        let ours = || timed(program(folder.path()).arg("migrations").args(arguments));
        let theirs = || {
            psql(&["-c", "DROP DATABASE IF EXISTS figures"]);
            psql(&["-c", "CREATE DATABASE figures"]);
            psql(&all)
        };
        let (ratio, time) = compare(ours, theirs);
        println!("250 migrations {words}: {time:.1?}, {ratio:.2}x of psql on a running server");
    }
    runtime.block_on(gatepost::world::database::Database::stop(server));
}

fn sarif() -> String {
    let result = |at: usize| {
        let padding = "why it matters and what to do about it, at some length, ".repeat(6);
        format!(
            r#"{{"ruleId":"rule-{}","level":"warning","message":{{"text":"value {at} is never read: {padding}"}},"locations":[{{"physicalLocation":{{"artifactLocation":{{"uri":"src/d{}/f{}.rs"}},"region":{{"startLine":{},"startColumn":5,"endColumn":12}}}}}}],"partialFingerprints":{{"primary":"{at:032x}"}}}}"#,
            at % 40,
            at % 30,
            at % 3_000,
            at % 100 + 1,
        )
    };
    let results: Vec<String> = (0..50_000).map(result).collect();
    format!(
        r#"{{"version":"2.1.0","runs":[{{"tool":{{"driver":{{"name":"bench"}}}},"results":[{}]}}]}}"#,
        results.join(",")
    )
}

fn write_files(root: &Path, text: &str) {
    for at in 0..3_000 {
        let folder = root.join(format!("src/d{}", at % 30));
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join(format!("f{at}.rs")), text).unwrap();
    }
}

/// Base and head of a package-lock.json of 2,000 packages against 100,000 records in one archive: cold (the index is
/// made), and warm (it is kept).
fn audit() {
    let folder = repository();
    let root = folder.path().join("shop");
    std::fs::create_dir(&root).unwrap();
    git(&root, &["init", "-q", "-b", "main"]);
    std::fs::write(root.join("package-lock.json"), lockfile("1.0.0")).unwrap();
    commit(&root);
    git(&root, &["checkout", "-q", "-b", "change"]);
    std::fs::write(root.join("package-lock.json"), lockfile("1.0.1")).unwrap();
    commit(&root);
    let dump = folder.path().join("all.zip");
    records(&dump);
    let size = std::fs::metadata(&dump).unwrap().len();
    let cache = folder.path().join("cache");
    let run = || {
        let mut command = program(&root);
        command
            .args(["audit", "--base", "main", "--json", "--max-age", "off", "--db"])
            .arg(&dump)
            .env("GATEPOST_CACHE_DIR", &cache);
        timed(&mut command)
    };
    let cold = (0..3)
        .map(|_| {
            let _ = std::fs::remove_dir_all(&cache);
            run()
        })
        .min()
        .unwrap();
    let mut warm: Vec<Duration> = (0..PAIRS).map(|_| run()).collect();
    warm.sort();
    println!(
        "audit of base and head with 2,000 packages against 100,000 records ({} MB): {:.1?} warm, {:.1?} cold, which is \
         {:.1?} for 5,000 records; {} MiB",
        size / 1_000_000,
        warm[PAIRS / 2],
        cold,
        cold / 20,
        peak(),
    );
}

fn lockfile(version: &str) -> String {
    let package = |at: usize| {
        format!(
            "    \"node_modules/package-{at}\": {{\n      \"version\": \"{version}\",\n      \"resolved\": \
             \"https://registry.npmjs.org/package-{at}/-/package-{at}-{version}.tgz\",\n      \"integrity\": \"sha512-{at:088}\"\n    }}"
        )
    };
    let packages: Vec<String> = (0..2_000).map(package).collect();
    format!(
        "{{\n  \"name\": \"bench\",\n  \"lockfileVersion\": 3,\n  \"packages\": {{\n    \"\": {{ \"name\": \"bench\" }},\n{}\n  }}\n}}\n",
        packages.join(",\n")
    )
}

/// Records as long as real ones, a tenth of them about packages of the lockfile.
fn records(to: &Path) {
    let one = |at: usize| {
        let name = if at.is_multiple_of(10) { format!("package-{}", at / 10 % 4_000) } else { format!("other-{at}") };
        let details = format!("record {at} tells at some length what is wrong and what to do about it; ").repeat(30);
        let references: Vec<String> =
            (0..8).map(|of| format!(r#"{{"type":"WEB","url":"https://advisories.example/{at}/{of}"}}"#)).collect();
        format!(
            r#"{{"schema_version":"1.7.3","id":"GHSA-bench-{at:06}","modified":"2026-01-01T00:00:00Z","aliases":["CVE-2026-{at:06}"],"summary":"a problem","details":"{details}","severity":[{{"type":"CVSS_V3","score":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H"}}],"affected":[{{"package":{{"ecosystem":"npm","name":"{name}"}},"ranges":[{{"type":"SEMVER","events":[{{"introduced":"0"}},{{"fixed":"{}.0.0"}}]}}]}}],"references":[{}]}}"#,
            at % 3,
            references.join(","),
        )
    };
    let mut archive = zip::Writer::default();
    for at in 0..100_000 {
        archive.add(&format!("GHSA-bench-{at:06}.json"), one(at).as_bytes());
    }
    std::fs::write(to, archive.finish()).unwrap();
}

/// The median of the ratios, and ours' median time.
fn compare(ours: impl FnMut() -> Duration, theirs: impl FnMut() -> Duration) -> (f64, Duration) {
    compare_pairs(PAIRS, ours, theirs)
}

fn compare_pairs(
    number: usize,
    mut ours: impl FnMut() -> Duration,
    mut theirs: impl FnMut() -> Duration,
) -> (f64, Duration) {
    let mut pairs: Vec<(f64, Duration)> = (0..number)
        .map(|_| {
            let (a, b) = (ours(), theirs());
            (a.as_secs_f64() / b.as_secs_f64(), a)
        })
        .collect();
    pairs.sort_by(|a, b| a.0.total_cmp(&b.0));
    let ratio = pairs[number / 2].0;
    pairs.sort_by_key(|pair| pair.1);
    (ratio, pairs[number / 2].1)
}

fn timed(command: &mut Command) -> Duration {
    let start = Instant::now();
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    let took = start.elapsed();
    assert!(status.is_ok_and(|status| status.code().is_some_and(|code| code < 2)), "{command:?} did not work");
    took
}

/// The most memory any program started so far has used, in MiB. It only grows: the small ones come first.
fn peak() -> i64 {
    let usage = nix::sys::resource::getrusage(nix::sys::resource::UsageWho::RUSAGE_CHILDREN).unwrap();
    let kibibytes = if cfg!(target_os = "macos") { usage.max_rss() / 1024 } else { usage.max_rss() };
    kibibytes / 1024
}

fn program(folder: &Path) -> Command {
    let mut command = Command::new(&*GATEPOST);
    command.current_dir(folder);
    for name in ["GITHUB_ACTIONS", "GITHUB_EVENT_PATH", "CI"] {
        command.env_remove(name);
    }
    command
}

fn repository() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    git(folder.path(), &["init", "-q", "-b", "main"]);
    folder
}

fn commit(folder: &Path) {
    git(folder, &["add", "."]);
    git(folder, &["commit", "-q", "-m", "change"]);
}

fn git(folder: &Path, arguments: &[&str]) {
    let who = ["-c", "user.name=bench", "-c", "user.email=bench@example.com", "-c", "commit.gpgsign=false"];
    let status = Command::new("git").args(who).args(arguments).current_dir(folder).status().unwrap();
    assert!(status.success(), "git {arguments:?} failed");
}
