//! What a run in a subfolder says of its log and of how to run a gate again: both count from the repository's root.

use std::process::Command;

#[test]
fn the_log_and_the_command_can_be_used_from_the_root() {
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

    let said = |arguments: &[&str]| {
        let done = Command::new(env!("CARGO_BIN_EXE_gatepost"))
            .args(arguments)
            .current_dir(folder.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .output()
            .unwrap();
        assert_eq!(done.status.code(), Some(1), "{done:?}");
        String::from_utf8(done.stdout).unwrap()
    };
    let first = said(&["-C", "packages/web shop", "run"]);
    let log = first.lines().find_map(|line| line.strip_prefix("  log: ")).expect(&first);
    assert!(folder.path().join(log).is_file(), "{log}");
    assert!(first.contains("  run it again: gatepost run no -C 'packages/web shop'\n"), "{first}");
    let second = said(&["-C", "packages", "run", "--config", "web shop/gatepost.toml", "--base", "HEAD", "no"]);
    let again = "  run it again: gatepost run no -C packages --config 'web shop/gatepost.toml' --base HEAD\n";
    assert!(second.contains(again), "{second}");
    let third = said(&["-C", "packages/web shop", "run", "--all-files"]);
    assert!(third.contains("  run it again: gatepost run no -C 'packages/web shop' --all-files\n"), "{third}");
}
