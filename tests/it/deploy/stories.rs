//! Deploys, rollbacks and what is shown of them, on both ledgers.

use serde_json::json;

use super::{BOTH, On, Scene};

#[test]
fn a_good_deploy_is_verified_and_recorded() {
    for on in BOTH {
        let scene = Scene::new(on, "");
        let head = scene.head();
        scene.deploy().with(0).says(&[
            "green: test",
            "locked staging",
            "deploy of",
            "healthy: 2 good rounds",
            "live: verified",
        ]);
        assert_eq!(scene.live(), head);
        let status = scene.status();
        assert_eq!(
            (&status["sha"], &status["health"], &status["verified"]),
            (&json!(head), &json!("healthy"), &json!(true))
        );
        assert_eq!((&status["lock"], &status["newest"]), (&json!(null), &json!(null)));
        if let Some(fake) = scene.fake {
            fake.with(|github| {
                let repo = github.repo("octo/shop");
                let steps: Vec<&str> =
                    repo.deployments[0].statuses.iter().map(|status| status.state.as_str()).collect();
                assert_eq!(steps, ["queued", "in_progress", "success"]);
                assert!(!repo.refs.keys().any(|name| name.contains("gatepost")), "{:?}", repo.refs);
            });
            fake.finish();
        }
    }
}

#[test]
fn a_bad_deploy_is_rolled_back_by_itself_and_both_are_recorded() {
    for (on, bad) in BOTH.into_iter().flat_map(|on| [(on, "sick"), (on, "broken")]) {
        let scene = Scene::new(on, "");
        let good = scene.head();
        scene.deploy().with(0);
        let head = scene.commit(Some(bad));
        let ran = scene.deploy().with(5);
        ran.says(&["failed: ", "rolling back to", "healthy", "rolled back to", "from the decision to the old version"]);
        assert_eq!(scene.live(), good);
        let status = scene.status();
        assert_eq!((&status["sha"], &status["health"]), (&json!(good), &json!("healthy")));
        assert_eq!(status["waiting"].as_array().map(Vec::len), Some(1));
        let runs: Vec<String> =
            scene.runs().iter().map(|run| run.split(' ').take(2).collect::<Vec<_>>().join(" ")).collect();
        assert_eq!(runs, [format!("deploy {good}"), format!("deploy {head}"), format!("rollback {good}")]);
        if let Some(fake) = &scene.fake {
            let ends = fake.with(|github| {
                let deployments = &github.repo("octo/shop").deployments;
                deployments
                    .iter()
                    .map(|one| {
                        (
                            one.given["payload"]["gatepost"]["role"].clone(),
                            one.statuses.iter().map(|status| status.state.clone()).collect::<Vec<_>>(),
                        )
                    })
                    .collect::<Vec<_>>()
            });
            let steps = |all: &[&str]| all.iter().map(|&one| one.to_owned()).collect::<Vec<_>>();
            assert_eq!(ends[1], (json!("deploy"), steps(&["queued", "in_progress", "failure"])));
            assert_eq!(ends[2], (json!("rollback"), steps(&["queued", "in_progress", "success"])));
        }
    }
}

#[test]
fn a_first_deploy_that_fails_has_nothing_to_go_back_to_unless_something_was_adopted() {
    for on in BOTH {
        let scene = Scene::new(on, "");
        let first = scene.head();
        std::fs::write(scene.service.place().join("live"), &first).unwrap();
        scene.commit(Some("sick"));
        scene.deploy().with(1).says(&[
            "not rolled back: no earlier deployment of another commit was ever verified",
            "next: gatepost rollback staging --to REF",
        ]);
        // By hand there is a way, with a name.
        scene.call(&["rollback", "staging"]).with(3).says(&["next: gatepost rollback staging --to REF"]);
        scene.call(&["rollback", "staging", "--to", &first]).with(0).says(&["live: verified"]);
        assert_eq!(scene.live(), first);

        let scene = Scene::new(on, "");
        let first = scene.head();
        scene.call(&["adopt", "staging", "--sha", &first]).with(3).says(&["is not adopted"]);
        std::fs::write(scene.service.place().join("live"), &first).unwrap();
        scene.call(&["adopt", "staging", "--sha", &first]).with(0).says(&["is live in staging"]);
        scene.commit(Some("sick"));
        scene.deploy().with(5);
        assert_eq!(scene.live(), first);
    }
}

#[test]
fn a_rollback_goes_past_what_was_never_good_and_says_why() {
    for on in BOTH {
        let scene = Scene::new(on, "");
        let first = scene.head();
        scene.deploy().with(0);
        scene.commit(Some("sick"));
        scene.deploy().with(5);
        let third = scene.commit(None);
        scene.deploy().with(0);
        assert_eq!(scene.live(), third);
        scene.call(&["rollback", "staging"]).with(0).says(&["it is the commit that is undone", "rolling back to"]);
        assert_eq!(scene.live(), first);
        // Never in a loop: what was rolled back is not taken again.
        scene.call(&["rollback", "staging"]).with(3).says(&["it was rolled back by", "no earlier deployment"]);
    }
}

#[test]
fn a_rollback_that_fails_is_6_and_is_not_rolled_back() {
    let scene = Scene::new(On::File, "rollback = { command = \"exit 9\" }\n");
    scene.deploy().with(0);
    scene.commit(Some("sick"));
    scene.deploy().with(6).says(&["the rollback failed", "next: gatepost rollback staging --to REF"]);
    assert_eq!(scene.status()["newest"]["end"], "failure");
    let off = Scene::new(On::File, "auto-rollback = false\n");
    off.deploy().with(0);
    off.commit(Some("broken"));
    off.deploy().with(1).says(&["failed, and left as it is: exit status 3: no space left"]);
}

#[test]
fn production_takes_only_what_is_live_before_it() {
    let more = "\n[environments.production]\ndeploy = { command = \"./deploy.sh\" }\nafter = \"staging\"\nbranches = [\"main\"]\n\
                verify = { interval = \"10ms\" }\n";
    for on in BOTH {
        let scene = Scene::new(on, more);
        scene.tree.git(&["branch", "-M", "main"]);
        scene.judged();
        scene.call(&["deploy", "production"]).with(3).says(&["nothing is live there", "gatepost deploy staging"]);
        scene.deploy().with(0);
        scene.call(&["promote", "staging", "production"]).with(0).says(&["production: live, not verified"]);
        let shown = scene.call(&["status"]).with(0);
        assert_eq!(shown.out.lines().filter(|line| line.contains(&scene.head()[..7])).count(), 2, "{}", shown.out);
        scene.tree.git(&["checkout", "--quiet", "-b", "topic"]);
        scene.commit(None);
        scene.deploy().with(0);
        scene.call(&["promote", "staging", "production"]).with(3).says(&["only commits of the branches main"]);
    }
}

#[test]
fn what_was_begun_over_what_is_live_makes_that_unknown() {
    let more = "auto-rollback = false\nrequires = []\nsmoke = \"[ ! -e odd ]\"\n\n[environments.production]\n\
                deploy = { command = \"./deploy.sh\" }\nafter = \"staging\"\nrequires = []\n";
    let scene = Scene::new(On::File, more);
    let config = std::fs::read_to_string(scene.tree.dir.join("gatepost.toml")).unwrap();
    scene.tree.write("gatepost.toml", config.replace("version = { path = \"/version\" }, ", "")).commit("no version");
    let good = scene.head();
    scene.call(&["deploy", "staging"]).with(0);
    assert_eq!(scene.status()["verified"], json!(true));
    scene.tree.write("odd", "").commit("odd");
    scene.call(&["deploy", "staging"]).with(1).says(&["the smoke command"]);
    let status = scene.status();
    assert_eq!((&status["health"], &status["verified"]), (&json!("unknown"), &json!(false)), "{status}");
    let why = "deployment 2 of";
    let over = "which of the two is live is not known";
    scene.call(&["deploy", "production", &good]).with(3).says(&[why, over, "gatepost deploy staging"]);
    scene.call(&["promote", "staging", "production"]).with(3).says(&[why, over]);
    scene.tree.git(&["checkout", "--quiet", &good]);
    scene.call(&["deploy", "staging"]).with(0);
    scene.call(&["promote", "staging", "production"]).with(0);
}

#[test]
fn what_must_not_be_deployed_is_refused_before_anything_is_touched() {
    let scene = Scene::new(On::File, "");
    scene.call(&["deploy", "stagin"]).with(2).says(&["did you mean `staging`"]);
    scene.call(&["deploy", "staging", "nowhere"]).with(2);
    scene.judged();
    scene.tree.write("dirty", "x");
    scene.call(&["deploy", "staging"]).with(3).says(&["the work tree has changes", "commit or stash"]);
    let closed = [
        ("freezes = [\"2000-01-01..2999-01-01: nobody is here\"]\n", "nobody is here"),
        ("hours = [\"Mon-Sun 00:00-00:01 Etc/GMT+12\", \"Mon-Sun 00:00-00:01 Etc/GMT-12\"]\n", "outside of its hours"),
        ("secrets = [\"SHOP_KEY\", \"PATH\"]\n", "variables that are not set: SHOP_KEY"),
        ("tags = [\"v*\"]\n", "at the tags v*"),
    ];
    for (more, why) in closed {
        let scene = Scene::new(On::File, more);
        scene.judged().call(&["deploy", "staging"]).with(3).says(&[why]);
        assert_eq!(scene.runs(), [""; 0]);
        // A rollback asks for none of it, but for what it needs itself.
        let code = if more.starts_with("secrets") { 3 } else { 0 };
        let head = scene.head();
        scene.call(&["rollback", "staging", "--to", &head]).with(code);
    }
}

#[test]
fn a_commit_that_is_not_checked_out_is_deployed_from_files_of_its_own() {
    let scene = Scene::new(On::File, "");
    let first = scene.head();
    scene.deploy().with(0);
    scene.commit(Some("broken"));
    scene.call(&["deploy", "staging", &first]).with(0);
    assert_eq!(scene.live(), first);
    let trees = scene.tree.git(&["worktree", "list"]);
    assert_eq!(trees.lines().count(), 1, "{trees}");
}

#[test]
fn two_environments_deployed_at_once_get_their_own_files() {
    let more = "requires = []\n[environments.production]\ndeploy = { command = \"./deploy.sh\" }\nrequires = []\n";
    let scene = Scene::new(On::File, more);
    let config = std::fs::read_to_string(scene.tree.dir.join("gatepost.toml")).unwrap();
    let verify = config.lines().find(|line| line.starts_with("verify")).unwrap();
    let health = "health = [\"/health\"]\n";
    scene.tree.write("gatepost.toml", config.replace(verify, "verify = { interval = \"10ms\" }").replace(health, ""));
    let script = "#!/bin/sh\nset -eu\necho $GATEPOST_DEPLOYMENT_ID >\"$PLACE/$GATEPOST_ENVIRONMENT.begun\"\n\
        while [ ! -e \"$PLACE/go\" ]; do sleep 0.05; done\ncp app.txt \"$PLACE/$GATEPOST_ENVIRONMENT.app\"\n";
    let deployed = |app: &str| {
        scene.tree.write("deploy.sh", script).write("app.txt", app).commit(app);
        scene.head()
    };
    let (first, second) = (deployed("1"), deployed("2"));
    deployed("3");
    let place = scene.service.place();
    let begin = |environment: &str, sha: &str| {
        let begun = scene.command(&["deploy", environment, sha]).stdout(std::process::Stdio::piped()).spawn().unwrap();
        super::locks::until("it has begun", || place.join(format!("{environment}.begun")).exists());
        begun
    };
    let both = [begin("production", &first), begin("staging", &second)];
    std::fs::write(place.join("go"), "").unwrap();
    for deploy in both {
        let done = deploy.wait_with_output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stdout));
    }
    let app = |environment: &str| std::fs::read_to_string(place.join(format!("{environment}.app"))).unwrap();
    assert_eq!((app("production"), app("staging")), ("1".to_owned(), "2".to_owned()));
    // What one leaves that is killed is taken away by whoever has the lock next.
    std::fs::remove_file(place.join("go")).unwrap();
    std::fs::remove_file(place.join("staging.begun")).unwrap();
    let mut killed = begin("staging", &second);
    killed.kill().unwrap();
    killed.wait().unwrap();
    assert_eq!(scene.tree.git(&["worktree", "list"]).lines().count(), 2);
    scene.call(&["recover", "staging"]);
    assert_eq!(scene.tree.git(&["worktree", "list"]).lines().count(), 1);
}

#[test]
fn a_rollback_tells_the_commit_as_its_deploy_did() {
    let scene = Scene::new(On::File, "requires = []\n");
    let script = std::fs::read_to_string(scene.tree.dir.join("deploy.sh")).unwrap();
    let tells = "echo \"$GATEPOST_VERSION $GATEPOST_REF\" >>\"$PLACE/told\"\n";
    scene.tree.write("deploy.sh", script + tells).commit("it tells");
    scene.tree.git(&["branch", "--move", "main"]);
    scene.tree.git(&["tag", "v1"]);
    let first = scene.head();
    scene.call(&["deploy", "staging", "main"]).with(0);
    let second = scene.commit(None);
    scene.call(&["deploy", "staging", "main"]).with(0);
    scene.call(&["rollback", "staging"]).with(0);
    let told = std::fs::read_to_string(scene.service.place().join("told")).unwrap();
    let lines: Vec<&str> = told.lines().collect();
    // The branch is at the commit that was undone by then.
    assert_eq!(lines, ["v1 main".to_owned(), format!("{} main", &second[..7]), format!("v1 {first}")]);
}

#[test]
fn a_dry_run_goes_the_same_way_and_does_nothing() {
    for on in BOTH {
        let scene = Scene::new(on, "");
        scene.judged();
        let ran = scene.call(&["deploy", "staging", "--dry-run"]).with(0);
        ran.says(&[
            "would lock staging",
            "would record: deploy of",
            "would deploy",
            "would verify: /health, /version as ",
            "would unlock staging",
            "nothing was done",
        ]);
        assert_eq!((scene.runs(), &scene.status()["sha"]), (Vec::new(), &json!(null)));
        let head = scene.head();
        std::fs::write(scene.service.place().join("live"), &head).unwrap();
        let ran = scene.call(&["adopt", "staging", "--sha", &head, "--dry-run", "--json"]).with(0);
        assert!(ran.out.contains("\"outcome\":\"nothing\"") && ran.out.contains("nothing was done"), "{}", ran.out);
        assert!(!ran.out.contains("dry-run-"), "{}", ran.out);
        if let Some(fake) = scene.fake {
            assert!(fake.requests("writes").is_empty(), "{}", fake.recording());
        }
    }
}

#[test]
fn the_json_says_it_all_and_nothing_else_is_there() {
    let scene = Scene::new(On::File, "");
    scene.judged();
    let good = scene.head();
    let read = |out: &str| serde_json::from_str::<serde_json::Value>(out).unwrap();
    let ran = scene.call(&["deploy", "staging", "--json"]).with(0);
    let json = read(&ran.out);
    assert_eq!(
        (&json["schema"], &json["outcome"], &json["verified"]),
        (&json!("gatepost.deploy/v1"), &json!("live"), &json!(true))
    );
    scene.commit(Some("sick"));
    let ran = scene.judged().call(&["deploy", "staging", "--json"]).with(5);
    let json = read(&ran.out);
    assert_eq!((&json["outcome"], &json["rolled_back_to"]), (&json!("rolled_back"), &json!(good)));
    assert!(json["rollback_took_ms"].as_u64().unwrap() < 120_000 && json["deployments"].as_array().unwrap().len() == 2);
}

#[test]
fn what_was_refused_is_in_the_json_too_and_its_message_beside_it() {
    let more = "\n[environments.production]\ndeploy = { command = \"./deploy.sh\" }\nafter = \"staging\"\n";
    let scene = Scene::new(On::File, more);
    let refused = |arguments: &[&str], code: i32, reason: &str, message: &str| {
        let ran = scene.call(&[arguments, &["--json"]].concat()).with(code);
        let json = serde_json::from_str::<serde_json::Value>(&ran.out).unwrap();
        assert_eq!((&json["outcome"], &json["reason"]), (&json!("refused"), &json!(reason)), "{arguments:?}: {json:#}");
        assert!(ran.err.contains(message) && json["says"].as_str().unwrap().contains(message), "{}\n{json:#}", ran.err);
        json
    };
    let json = refused(&["deploy", "staging"], 3, "gates_not_green", "the gates are not green");
    assert_eq!((&json["schema"], &json["sha"]), (&json!("gatepost.deploy/v1"), &json!(scene.head())));
    assert_eq!(json["missing"], json!(["test: it has no result"]));
    let next = "run them on this commit: gatepost run --all-files && gatepost deploy staging";
    assert_eq!(json["next"], next);
    refused(&["promote", "staging", "production"], 3, "nothing_live", "nothing is live in staging");
    refused(&["deploy", "production"], 3, "not_live_before", "nothing is live there");
    refused(&["rollback", "staging"], 3, "nothing_to_go_back_to", "nothing was ever deployed here");
    refused(&["adopt", "staging", "--sha", "HEAD"], 3, "not_healthy", "is not adopted");
    refused(&["deploy", "stagin"], 2, "unknown_environment", "there is no environment");
    refused(&["deploy", "staging", "nowhere"], 2, "usage", "there is no commit");
    scene.call(&["lock", "staging"]).with(0);
    scene.judged();
    refused(&["deploy", "staging"], 3, "locked", "locked by ana");
    refused(&["rollback", "staging", "--to", "HEAD"], 3, "locked", "locked by ana");
    refused(&["recover", "staging"], 3, "locked", "locked by ana");
    refused(&["lock", "staging"], 3, "locked", "locked by ana");
    scene.call(&["unlock", "staging"]).with(0);
    // What went well has no reason.
    let ran = scene.call(&["deploy", "staging", "--json"]).with(0).says(&["live: verified"]);
    assert_eq!(serde_json::from_str::<serde_json::Value>(&ran.out).unwrap()["reason"], json!(null));
    // Of another commit the evidence is made there.
    let first = scene.head();
    scene.commit(None);
    scene.commit(None);
    scene.call(&["deploy", "staging", "HEAD~1"]).with(3).says(&["git checkout ", "&& gatepost run --all-files"]);
    scene.call(&["deploy", "staging", &first]).with(0);
}

#[test]
fn a_migration_that_cannot_be_taken_back_stops_a_rollback_by_itself() {
    for (up, down, why) in [
        (
            "ALTER TABLE t DROP COLUMN c;",
            Some("ALTER TABLE t ADD c int;"),
            "is not known to be compatible with the code before it",
        ),
        ("CREATE TABLE t (c int);", None, "is irreversible: there is no migrations/2/down.sql"),
    ] {
        let scene = Scene::new(On::File, "");
        let good = scene.head();
        scene.deploy().with(0);
        scene.tree.write("migrations/2/up.sql", up);
        if let Some(down) = down {
            scene.tree.write("migrations/2/down.sql", down);
        }
        scene.commit(Some("sick"));
        let waits = scene.status();
        assert_eq!(waits["migrations"], json!(["migrations/2/up.sql"]));
        let next = "next: gatepost rollback staging --allow-irreversible";
        scene.deploy().with(1).says(&["not rolled back: the migration migrations/2/up.sql", why, next]);
        scene.call(&["rollback", "staging"]).with(3).says(&[why, next]);
        scene.call(&["rollback", "staging", "--allow-irreversible"]).with(0);
        assert_eq!(scene.live(), good);
    }
    let scene = Scene::new(On::File, "");
    scene.deploy().with(0);
    scene.tree.write("migrations/2/up.sql", "CREATE TABLE t (c int);").write("migrations/2/down.sql", "DROP TABLE t;");
    scene.commit(Some("sick"));
    scene.deploy().with(5);
}

#[test]
fn migrations_are_looked_for_where_a_gate_judges_them() {
    let gate = "requires = [\"test\"]\n[gates.db]\nkind = \"migrations\"\npath = \"schema\"\ndatabase = \"sqlite\"\n";
    let scene = Scene::new(On::File, gate);
    let deploy = || {
        scene.call(&["run", "--all-files", "test"]).with(0);
        scene.call(&["deploy", "staging"])
    };
    deploy().with(0);
    scene.tree.write("schema/2/up.sql", "DROP TABLE t;").write("schema/2/down.sql", "CREATE TABLE t (c int);");
    scene.commit(Some("sick"));
    deploy().with(1).says(&["not rolled back: the migration schema/2/up.sql"]);
}

#[test]
fn migrations_are_what_their_layout_makes_of_their_files() {
    let scene = Scene::new(On::File, "");
    let both = |up: &str| format!("-- migrate:up\n{up}\n-- migrate:down\nDROP TABLE t;\n");
    scene.tree.write("db/migrations/1_s.sql", both("CREATE TABLE s (c int);")).commit("a table");
    scene.deploy().with(0);
    // The way down stands in the same file, and is not run.
    scene.tree.write("db/migrations/2_t.sql", both("CREATE TABLE t (c int);")).write("db/migrations/README.md", "x");
    scene.commit(Some("sick"));
    assert_eq!(scene.status()["migrations"], json!(["db/migrations/2_t.sql"]));
    scene.deploy().with(5);
    scene.tree.write("db/migrations/3_u.sql", "-- migrate:up\nCREATE TABLE u (c int);\n");
    scene.commit(Some("sick"));
    scene.deploy().with(1).says(&["the migration db/migrations/3_u.sql is irreversible"]);
}
