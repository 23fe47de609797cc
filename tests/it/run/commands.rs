//! How commands are started, and with which environment.

use super::*;

fn gate(command: &str) -> String {
    format!("[gates.g]\nkind = \"command\"\ncommand = {command}\n")
}

fn end(command: &str) -> (i32, Vec<String>) {
    Project::on_main(&gate(command)).ends(&[])
}

#[test]
fn a_string_is_for_the_shell_and_an_array_is_not() {
    for (command, code, expected) in [
        ("'true'", 0, "pass, exit status 0"),
        ("'false; true'", 1, "fail, exit status 1"),
        ("'exit 3 | cat'", 1, "fail, exit status 3"),
        ("['sh', '-c', 'exit 3 | cat']", 0, "pass, exit status 0"),
        ("['sh', '-c', 'test \"$0\" = \"a b\"', 'a b']", 0, "pass, exit status 0"),
        ("['echo', '$(exit 3)', ';', 'false']", 0, "pass, exit status 0"),
        ("'kill -9 $$'", 4, "error, killed by signal 9"),
        ("'sh -c \"kill -9 \\$\\$\"; true'", 4, "error, exit status 137: a command was killed by signal 9"),
        ("'no-such-tool'", 4, "error, exit status 127: a command was not found"),
        ("'./gatepost.toml'", 4, "error, exit status 126: a command could not be executed"),
    ] {
        assert_eq!(end(command), (code, vec![format!("g: {expected}")]), "{command}");
    }
}

/// Whatever format was to be read: the reason comes first.
#[test]
fn a_tool_that_is_missing_is_said_before_its_format() {
    for (format, what) in
        [("eslint", "its output is empty, where eslint was promised"), ("auto", "its output is of no known")]
    {
        let project =
            Project::new(&format!("[gates.g]\nkind = \"lint\"\nformat = \"{format}\"\ncommand = \"no-such-tool\"\n"));
        let (code, ends) = project.ends(&[]);
        let said = format!("g: error, exit status 127: a command was not found; {what}");
        assert!(code == 4 && ends[0].starts_with(&said), "{ends:?}");
    }
}

#[test]
fn a_deployer_is_given_no_secret_but_by_reference() {
    for deploy in [
        "{ vercel = 'prj_x', token = 'plain' }",
        "{ render = 'srv-x', token = 'plain' }",
        "{ webhook = 'https://example.com/deploy', secret = 'plain' }",
    ] {
        let gate = "[gates.g]\nkind = \"command\"\ncommand = \"true\"\n";
        let ran = Project::new(&format!("{gate}[environments.one]\ndeploy = {deploy}\n")).call(&["plan"]);
        let why = "a secret does not stand in the configuration: name a variable that holds it";
        assert!(ran.code == Some(2) && ran.err.contains(why), "{}", ran.err);
    }
}

#[test]
fn what_cannot_be_started_is_an_error_that_says_what_to_do() {
    for (command, expected) in [
        (
            "['no-such-tool', 'x']",
            "cannot run \"no-such-tool\": no folder of PATH has it; install it, or name it by its path",
        ),
        ("['./none.sh']", "cannot run [DIR]/./none.sh: no such file; paths are relative to the gate's `dir`"),
        (
            "['./gatepost.toml']",
            "cannot run [DIR]/./gatepost.toml: it is not an executable file; `chmod +x` it, or put its interpreter before it",
        ),
        (
            "['./src']",
            "cannot run [DIR]/./src: it is not an executable file; `chmod +x` it, or put its interpreter before it",
        ),
    ] {
        let project = Project::on_main(&gate(command));
        let ran = project.run(&[]);
        assert_eq!((ran.code, &ran.gate()["attempts"]), (Some(4), &json!(0)), "{command}");
        let gate = redacted(&ran.gates().concat(), &project.tree.dir);
        assert_eq!(gate, format!("g: error, {expected}"));
    }
    let script = Project::on_main(&gate("['./x.sh']"));
    script.tree.write("x.sh", "#!/no/such/interpreter\n");
    Command::new("chmod").arg("+x").arg(script.path("x.sh")).status().unwrap();
    assert!(script.ends(&[]).1[0].contains("its first line asks for \"/no/such/interpreter\", which is not there"));

    let project = Project::on_main(&(gate("'true'") + "dir = \"none\"\n"));
    let (code, gates) = project.ends(&[]);
    assert_eq!(code, 4);
    assert!(
        gates[0].contains("its folder") && gates[0].ends_with("does not exist; check the gate's `dir`"),
        "{gates:?}"
    );

    let project = Project::on_main(&gate("'true'")).env("PATH", "/nonexistent");
    let (code, gates) = project.ends(&[]);
    assert_eq!(code, 4);
    assert!(gates[0].ends_with("install bash, or write the command as an array, which needs no shell"), "{gates:?}");
}

#[test]
fn gates_are_told_where_they_are_and_what_changed() {
    let command = "'test \"$GATEPOST_HEAD\" = \"$(git rev-parse HEAD)\" && test \"$GATEPOST_BASE\" = \"$(git rev-parse main)\" \
                   && test \"$(cat \"$GATEPOST_CHANGED_FILES\")\" = src/a.rs && test -d \"$GATEPOST_OUTPUT\" \
                   && test \"$GATEPOST_OUTPUT\" = \"$PWD/.gatepost/gates/g\"'";
    let project = Project::new(&gate(command));
    assert_eq!(project.ends(&[]).1, ["g: pass, exit status 0"]);
    let command = "'test -z \"${GATEPOST_BASE+set}${GATEPOST_CHANGED_FILES+set}\"'";
    assert_eq!(Project::new(&gate(command)).ends(&["--all-files"]).1, ["g: pass, exit status 0"]);
}

#[test]
fn what_can_act_for_the_author_is_withheld_and_named() {
    let shows = "'echo \"[$GITHUB_TOKEN][$ACTIONS_CACHE_URL][$INPUT_X][$NPM_TOKEN][$GITHUB_SHA]\"; exit 1'";
    let with = |config: &str| {
        let project = Project::on_main(config)
            .env("GITHUB_TOKEN", "ghs_0123456789abcdefghij")
            .env("ACTIONS_CACHE_URL", "https://cache.test")
            .env("INPUT_X", "an input")
            .env("NPM_TOKEN", "n")
            .env("GITHUB_SHA", "sha");
        let ran = project.run(&[]);
        (project.text(".gatepost/logs/g.txt"), ran)
    };
    let (log, ran) = with(&gate(shows));
    assert_eq!(log, "[][][][n][sha]\n");
    assert_eq!(
        ran.gate_notes(),
        ["withheld from its environment: ACTIONS_CACHE_URL, GITHUB_TOKEN, INPUT_X (pass-env under [run] gives back)"]
    );
    let (log, ran) = with(&format!("[run]\npass-env = [\"GITHUB_TOKEN\", \"INPUT_X\"]\n{}", gate(shows)));
    assert_eq!(log, "[***][][***][n][sha]\n", "given back, and masked where it is a secret");
    assert_eq!(
        ran.gate_notes(),
        ["withheld from its environment: ACTIONS_CACHE_URL (pass-env under [run] gives back)"]
    );
    let (_, ran) = with(&gate("'true'"));
    assert_eq!(ran.gate_notes(), [""; 0], "a pass needs no explanation");
}

#[test]
fn a_variable_that_a_gate_names_as_a_secret_is_masked_and_withheld() {
    let address = "postgres://ci:hidden-word@db.test/shop";
    let migrations = "[gates.m]\nkind = \"migrations\"\ndatabase-url = \"env:SHOP_DB\"\n";
    let gate = gate(&format!("'echo \"[$SHOP_DB] {address}\"; exit 1'"));
    let project = Project::on_main(&format!("{gate}{migrations}")).env("SHOP_DB", address);
    let ran = project.run(&["g"]);
    assert_eq!(project.text(".gatepost/logs/g.txt"), "[] ***\n");
    assert_eq!(ran.gate_notes(), ["withheld from its environment: SHOP_DB (pass-env under [run] gives back)"]);
}

#[test]
fn what_a_gate_leaves_running_is_said() {
    let ran = Project::on_main(&gate("'sleep 60 >/dev/null 2>&1 &'")).run(&[]);
    assert_eq!(ran.gates(), ["g: pass, exit status 0"]);
    assert_eq!(ran.gate_notes(), ["left 1 process behind, which was ended"]);
}
