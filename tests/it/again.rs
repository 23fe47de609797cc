//! What a run says of its log and of how to run a gate again: both count from where it was started.

use std::path::Path;
use std::process::Command;

#[test]
fn the_log_and_the_command_can_be_used_where_it_was_started() {
    let folder = tempfile::tempdir().unwrap();
    let below = folder.path().join("packages/web shop");
    std::fs::create_dir_all(&below).unwrap();
    std::fs::write(below.join("gatepost.toml"), "[gates.no]\nkind = \"command\"\ncommand = [\"false\"]\n").unwrap();
    let git = |arguments: &[&str]| {
        let who = ["-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false"];
        let done = Command::new("git").args(who).args(arguments).current_dir(folder.path()).output().unwrap();
        assert!(done.status.success(), "{done:?}");
    };
    git(&["init", "-q", "-b", "main"]);
    git(&["add", "."]);
    git(&["commit", "-q", "-m", "first"]);

    let said_in = |here: &Path, arguments: &[&str]| {
        let done = Command::new(env!("CARGO_BIN_EXE_gatepost"))
            .args(arguments)
            .current_dir(here)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .output()
            .unwrap();
        assert_eq!(done.status.code(), Some(1), "{done:?}");
        String::from_utf8(done.stdout).unwrap()
    };
    let said = |arguments: &[&str]| said_in(folder.path(), arguments);
    let first = said(&["-C", "packages/web shop", "run"]);
    let log = first.lines().find_map(|line| line.strip_prefix("  log: ")).expect(&first);
    assert_eq!(log, "packages/web shop/.gatepost/logs/no.txt");
    assert!(folder.path().join(log).is_file());
    let name = folder.path().file_name().unwrap().to_str().unwrap();
    for (here, start, shown) in [
        (below.as_path(), ".", ".gatepost".to_owned()),
        (below.parent().unwrap(), "web shop", "web shop/.gatepost".to_owned()),
        (&folder.path().join(".git"), "../packages/web shop", "../packages/web shop/.gatepost".to_owned()),
        (folder.path().parent().unwrap(), below.to_str().unwrap(), format!("{name}/packages/web shop/.gatepost")),
        (
            Path::new("/"),
            below.to_str().unwrap(),
            below.join(".gatepost").canonicalize().unwrap().display().to_string(),
        ),
    ] {
        let text = said_in(here, &["-C", start, "run"]);
        assert!(text.contains(&format!("  log: {shown}/logs/no.txt\n")), "{shown}: {text}");
    }
    assert!(first.contains("  run it again: gatepost run no -C 'packages/web shop'\n"), "{first}");
    let second = said(&["-C", "packages", "run", "--config", "web shop/gatepost.toml", "--base", "HEAD", "no"]);
    let again = "  run it again: gatepost run no -C packages --config 'web shop/gatepost.toml' --base HEAD\n";
    assert!(second.contains(again), "{second}");
    let third = said(&["-C", "packages/web shop", "run", "--all-files"]);
    assert!(third.contains("  run it again: gatepost run no -C 'packages/web shop' --all-files\n"), "{third}");
}
