//! Deploys by others: a workflow, a webhook, and hosts that are played as their documents say they answer.

use std::path::Path;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use super::service::{Asked, Service, reply};
use super::{On, Scene};

/// A host that answers by `act`, and what it was asked.
fn host(
    scene: &Scene,
    act: impl Fn(&Asked, &Path) -> (u16, Value) + Send + Sync + 'static,
) -> (Service, Arc<Mutex<Vec<Asked>>>) {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&asked);
    let place = scene.service.place().to_owned();
    let answer = move |request: &Asked, _: &Path| {
        seen.lock().unwrap().push(request.clone());
        let (status, body) = act(request, &place);
        Some(reply(&format!("{status} X"), &body.to_string()))
    };
    (Service::answering(scene.service.place().join("host"), Arc::new(answer)), asked)
}

fn deploy_by(scene: &Scene, means: &str) {
    let config = std::fs::read_to_string(scene.tree.dir.join("gatepost.toml")).unwrap();
    let begins = config.find("deploy = {").unwrap();
    let ends = begins + config[begins..].find('\n').unwrap();
    scene.tree.write("gatepost.toml", format!("{}deploy = {means}{}", &config[..begins], &config[ends..]));
    scene.tree.commit("by others");
    scene.known();
}

/// The service is the commit's from now on.
fn make_live(place: &Path, sha: &str) {
    std::fs::write(place.join("live"), sha).unwrap();
}

#[test]
fn a_webhook_is_signed_and_its_word_is_not_taken_for_the_deed() {
    let mut scene = Scene::new(On::File, "");
    let (hook, asked) = host(&scene, |asked, place| {
        let body: Value = serde_json::from_str(&asked.body).unwrap();
        make_live(place, body["sha"].as_str().unwrap());
        (202, json!({}))
    });
    deploy_by(&scene, "{ webhook = \"env:HOOK_URL\", secret = \"env:HOOK_KEY\" }");
    scene.deploy().with(3).says(&["variables that are not set: HOOK_KEY, HOOK_URL"]);
    scene.env.push(("HOOK_URL".to_owned(), format!("{}/take?key=topsecret", hook.url())));
    scene.env.push(("HOOK_KEY".to_owned(), "k".to_owned()));
    scene.deploy().with(0).says(&["handed on", "healthy"]);
    let request = asked.lock().unwrap()[0].clone();
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, b"k");
    let text = format!("{}.{}", request.headers["x-gatepost-timestamp"], request.body);
    let signature = ring::hmac::sign(&key, text.as_bytes());
    let hex: Vec<String> = signature.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(request.headers["x-gatepost-signature"], format!("sha256={}", hex.concat()));

    // Without a version the old instance would answer as well.
    let config = std::fs::read_to_string(scene.tree.dir.join("gatepost.toml")).unwrap();
    scene.tree.write("gatepost.toml", config.replace("version = { path = \"/version\" }, ", "")).commit("no version");
    let ran = scene.deploy().with(4).says(&["could not be told", "the old instance would answer as well"]);
    assert!(!format!("{}{}", ran.out, ran.err).contains("topsecret"));
    assert_eq!(scene.status()["newest"]["end"], "error");
}

#[test]
fn a_webhook_that_refuses_is_a_failure_and_a_redirect_is_not_followed() {
    let mut scene = Scene::new(On::File, "");
    let (hook, asked) = host(&scene, |asked, _| if asked.number == 0 { (307, json!({})) } else { (422, json!("no")) });
    deploy_by(&scene, "{ webhook = \"env:HOOK_URL\" }");
    scene.env.push(("HOOK_URL".to_owned(), hook.url()));
    scene.deploy().with(1).says(&["the webhook was answered 307"]);
    scene.deploy().with(1).says(&["the webhook was answered 422"]);
    assert_eq!(asked.lock().unwrap().len(), 2);
}

/// A host's second deployment goes on until it is cancelled, which `hangs` says may be done.
fn cancel(place: &Path) -> (u16, Value) {
    if std::fs::read_to_string(place.join("hangs")).unwrap() == "for ever" {
        return (409, json!({"message": "it is past that"}));
    }
    std::fs::write(place.join("hangs"), "cancelled").unwrap();
    (200, json!({}))
}

fn hanging_at(at: usize, place: &Path, states: [&'static str; 2]) -> Option<&'static str> {
    let hangs = std::fs::read_to_string(place.join("hangs")).ok().filter(|_| at == 1)?;
    Some(states[usize::from(hangs == "cancelled")])
}

/// Render, as far as it is asked: <https://api-docs.render.com/reference/create-deploy>
fn render(asked: &Asked, place: &Path) -> (u16, Value) {
    assert_eq!(asked.headers["authorization"], "Bearer rnd");
    let body: Value = serde_json::from_str(&asked.body).unwrap_or_default();
    let file = place.join("deploys");
    let known = std::fs::read_to_string(&file).unwrap_or_default();
    let shas: Vec<&str> = known.lines().collect();
    let deploy = |at: usize| json!({"id": format!("dep-{at}"), "commit": {"id": shas[at]}, "status": "live"});
    let make = |sha: &str| {
        std::fs::write(&file, format!("{known}{sha}\n")).unwrap();
        (201, json!({"id": format!("dep-{}", shas.len()), "status": "build_in_progress"}))
    };
    match (asked.method.as_str(), asked.path.as_str()) {
        ("POST", "/v1/services/srv-1/deploys") => make(body["commitId"].as_str().unwrap()),
        ("POST", "/v1/services/srv-1/rollback") => {
            let at: usize = body["deployId"].as_str().unwrap().trim_start_matches("dep-").parse().unwrap();
            make(shas[at])
        }
        ("GET", "/v1/services/srv-1/deploys?limit=100") => {
            (200, (0..shas.len()).rev().map(|at| json!({"deploy": deploy(at), "cursor": "x"})).collect())
        }
        ("PATCH", "/v1/services/srv-1") => (200, json!({"autoDeploy": body["autoDeploy"]})),
        ("POST", "/v1/services/srv-1/deploys/dep-1/cancel") => cancel(place),
        ("GET", path) => {
            let at: usize = path.trim_start_matches("/v1/services/srv-1/deploys/dep-").parse().unwrap();
            if let Some(state) = hanging_at(at, place, ["build_in_progress", "canceled"]) {
                return (200, json!({"id": "dep-1", "status": state}));
            }
            let sick = place.join("bad").exists() && at + 1 == shas.len() && at == 1;
            make_live(place, shas[at]);
            if sick {
                return (200, json!({"id": "dep", "status": "update_failed"}));
            }
            (200, deploy(at))
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn render_deploys_and_goes_back_to_an_earlier_deploy() {
    let mut scene = Scene::new(On::File, "");
    let (host, asked) = host(&scene, render);
    deploy_by(&scene, &format!("{{ render = \"srv-1\", api = {:?} }}", host.url()));
    scene.env.push(("RENDER_API_KEY".to_owned(), "rnd".to_owned()));
    let good = scene.head();
    scene.deploy().with(0).says(&["deployed", "healthy"]);
    assert_eq!(scene.live(), good);
    std::fs::write(scene.service.place().join("bad"), "").unwrap();
    scene.commit(None);
    scene.deploy().with(5).says(&["ended in update_failed", "were switched off", "rolled back"]);
    assert_eq!(scene.live(), good);
    let asked = asked.lock().unwrap();
    assert!(asked.iter().any(|one| one.path.ends_with("/rollback")) && asked.iter().any(|one| one.method == "PATCH"));
}

/// Vercel, as far as it is asked: <https://vercel.com/docs/rest-api>
fn vercel(asked: &Asked, place: &Path) -> (u16, Value) {
    assert_eq!(asked.headers["authorization"], "Bearer vcl");
    let body: Value = serde_json::from_str(&asked.body).unwrap_or_default();
    let file = place.join("deployments");
    let known = std::fs::read_to_string(&file).unwrap_or_default();
    let shas: Vec<&str> = known.lines().collect();
    let pointed = std::fs::read_to_string(place.join("pointed")).unwrap_or_default();
    let (path, _) = asked.path.split_once('?').unwrap_or((&asked.path, ""));
    match (asked.method.as_str(), path) {
        ("GET", "/v9/projects/prj_1") => {
            let last = json!({"toDeploymentId": pointed, "jobStatus": "succeeded", "type": "rollback"});
            (200, json!({"id": "prj_1", "name": "shop", "link": {"repoId": 7}, "lastAliasRequest": last}))
        }
        ("POST", "/v13/deployments") => {
            assert_eq!(body["gitSource"]["repoId"], 7);
            let sha = body["gitSource"]["sha"].as_str().unwrap();
            std::fs::write(place.join("carried"), body["meta"]["gatepostDeployment"].as_str().unwrap()).unwrap();
            std::fs::write(&file, format!("{known}{sha}\n")).unwrap();
            (200, json!({"id": format!("dpl_{}", shas.len()), "readyState": "QUEUED"}))
        }
        ("GET", "/v6/deployments") => {
            let carried = std::fs::read_to_string(place.join("carried")).unwrap_or_default();
            let one = |(at, sha): (usize, &&str)| {
                let carried = if at + 1 == shas.len() { &carried[..] } else { "another" };
                let meta = json!({"githubCommitSha": sha, "gatepostDeployment": carried});
                json!({"uid": format!("dpl_{at}"), "meta": meta})
            };
            (200, json!({"deployments": shas.iter().enumerate().map(one).collect::<Vec<_>>()}))
        }
        ("PATCH", "/v12/deployments/dpl_1/cancel") => cancel(place),
        ("POST", path) => {
            let promoted = path.strip_prefix("/v10/projects/prj_1/promote/");
            let id = promoted.unwrap_or_else(|| path.trim_start_matches("/v1/projects/prj_1/rollback/"));
            std::fs::write(place.join("pointed"), id).unwrap();
            make_live(place, shas[id.trim_start_matches("dpl_").parse::<usize>().unwrap()]);
            (201, Value::Null)
        }
        ("GET", path) => {
            let at: usize = path.trim_start_matches("/v13/deployments/dpl_").parse().unwrap();
            if let Some(state) = hanging_at(at, place, ["BUILDING", "CANCELED"]) {
                return (200, json!({"readyState": state}));
            }
            if at == 1 {
                return (
                    200,
                    json!({"readyState": "ERROR", "errorMessage": "Command \"npm run build\" exited with 1"}),
                );
            }
            // Once it was pointed to one, it gives its addresses to none by itself.
            let is_promoted = pointed.is_empty() || pointed == format!("dpl_{at}");
            if is_promoted {
                make_live(place, shas[at]);
            }
            let state = if is_promoted { "PROMOTED" } else { "STAGED" };
            (200, json!({"readyState": "READY", "readySubstate": state, "aliasAssigned": is_promoted}))
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn vercel_deploys_and_points_to_an_earlier_deployment() {
    let mut scene = Scene::new(On::File, "");
    let (host, asked) = host(&scene, vercel);
    deploy_by(&scene, &format!("{{ vercel = \"prj_1\", team = \"team_1\", api = {:?} }}", host.url()));
    scene.env.push(("VERCEL_TOKEN".to_owned(), "vcl".to_owned()));
    let good = scene.head();
    scene.deploy().with(0);
    scene.commit(None);
    scene.deploy().with(5).says(&["exited with 1", "pointed to dpl_0", "rolled back"]);
    assert_eq!(scene.live(), good);
    // From then on a deployment is only staged until it is promoted.
    let mended = scene.commit(None);
    scene.deploy().with(0).says(&["healthy"]);
    assert_eq!(scene.live(), mended);
    let asked = asked.lock().unwrap();
    assert!(asked.iter().all(|one| one.path.contains("teamId=team_1")));
    assert!(asked.iter().any(|one| one.path.starts_with("/v10/projects/prj_1/promote/dpl_2")));
}

#[test]
fn a_deployment_whose_answer_was_lost_is_looked_for_and_never_called_failed() {
    type Act = fn(&Asked, &Path) -> (u16, Value);
    let hosts: [(&str, &str, &str, Act); 2] = [
        ("render = \"srv-1\"", "RENDER_API_KEY", "rnd", render),
        ("vercel = \"prj_1\"", "VERCEL_TOKEN", "vcl", vercel),
    ];
    for (means, variable, token, act) in hosts {
        let mut scene = Scene::new(On::File, "");
        let (host, _) = host(&scene, move |asked, place| {
            let makes =
                asked.method == "POST" && (asked.path.ends_with("/deploys") || asked.path.ends_with("/deployments"));
            if makes && place.join("deaf").exists() {
                return (504, json!("nobody heard it"));
            }
            let answer = act(asked, place);
            if makes { (504, json!("it was heard")) } else { answer }
        });
        deploy_by(&scene, &format!("{{ {means}, api = {:?} }}", host.url()));
        scene.env.push((variable.to_owned(), token.to_owned()));
        scene.deploy().with(0).says(&["looking whether it was heard", "healthy"]);
        let good = scene.live();
        std::fs::write(scene.service.place().join("deaf"), "").unwrap();
        scene.commit(None);
        scene.deploy().with(4).says(&["not settled", "whether it was heard is not known: it may go live yet"]);
        assert_eq!(scene.live(), good);
        assert!(!scene.status()["lock"].is_null(), "nothing is deployed beside it");
    }
}

#[test]
fn a_workflow_is_started_followed_and_its_failure_is_ours() {
    for tells in [true, false] {
        let scene = Scene::new(On::GitHub, "");
        deploy_by(&scene, "{ workflow = \"deploy.yml\", inputs = { size = \"small\" } }");
        let head = scene.head();
        let fake = scene.fake.as_ref().unwrap();
        fake.with(|github| {
            let repo = github.repo("octo/shop");
            repo.branch("main", &head);
            (repo.dispatched, repo.tells_no_run) = (Some("success".to_owned()), !tells);
        });
        make_live(scene.service.place(), &head);
        scene.deploy().with(0).says(&["run ", "deployed", "healthy"]);
        let (workflow, reference, inputs) = fake.with(|github| github.repo("octo/shop").dispatches[0].clone());
        assert_eq!((workflow.as_str(), reference.as_str()), ("deploy.yml", "main"));
        assert_eq!(
            (&inputs["sha"], &inputs["environment"], &inputs["size"]),
            (&json!(head), &json!("staging"), &json!("small"))
        );
        fake.with(|github| github.repo("octo/shop").dispatched = Some("failure".to_owned()));
        scene.commit(None);
        scene.deploy().with(6).says(&["ended in failure"]);
    }
}

#[test]
fn what_a_host_does_not_end_in_time_is_cancelled_before_anything_else_is_deployed() {
    type Act = fn(&Asked, &Path) -> (u16, Value);
    let hosts: [(&str, &str, &str, Act); 2] = [
        ("render = \"srv-1\"", "RENDER_API_KEY", "rnd", render),
        ("vercel = \"prj_1\"", "VERCEL_TOKEN", "vcl", vercel),
    ];
    for (means, variable, token, act) in hosts {
        for is_endless in [false, true] {
            let grace = if is_endless { "0s" } else { "1s" };
            let mut scene = Scene::new(On::File, &format!("timeout = \"1s\"\ngrace = {grace:?}\n"));
            let (host, asked) = host(&scene, act);
            deploy_by(&scene, &format!("{{ {means}, api = {:?} }}", host.url()));
            scene.env.push((variable.to_owned(), token.to_owned()));
            let good = scene.head();
            scene.deploy().with(0);
            std::fs::write(scene.service.place().join("hangs"), if is_endless { "for ever" } else { "" }).unwrap();
            scene.commit(None);
            if is_endless {
                let said = ["not settled", "it could not be cancelled, and was not seen to end", "may go live yet"];
                scene.deploy().with(4).says(&said);
                assert!(!scene.status()["lock"].is_null(), "nothing is deployed beside it");
            } else {
                scene.deploy().with(5).says(&["it is cancelled", "had not ended after 1 s", "rolled back"]);
            }
            assert_eq!(scene.live(), good);
            assert_eq!(asked.lock().unwrap().iter().filter(|one| one.path.contains("/cancel")).count(), 1);
        }
    }
}

/// A good deployment by a workflow, and a next one whose run goes on for ever.
fn hanging(more: &str) -> (Scene, String) {
    let scene = Scene::new(On::GitHub, more);
    deploy_by(&scene, "{ workflow = \"deploy.yml\" }");
    let good = scene.head();
    scene.fake.as_ref().unwrap().with(|github| {
        let repo = github.repo("octo/shop");
        repo.branch("main", &good);
        repo.dispatched = Some("success".to_owned());
    });
    make_live(scene.service.place(), &good);
    scene.deploy().with(0);
    scene.fake.as_ref().unwrap().with(|github| github.repo("octo/shop").hangs.insert("deploy".to_owned()));
    scene.commit(None);
    scene.judged();
    (scene, good)
}

/// Runs that were cancelled, and how many had been dispatched by then; how many there are by now.
fn cancels(scene: &Scene) -> (Vec<usize>, usize) {
    scene.fake.as_ref().unwrap().with(|github| {
        let repo = github.repo("octo/shop");
        (repo.cancels.iter().map(|(_, dispatched)| *dispatched).collect(), repo.dispatches.len())
    })
}

#[test]
fn a_workflow_that_takes_too_long_is_ended_before_anything_else_is_deployed() {
    let (scene, good) = hanging("timeout = \"1s\"\n");
    scene.call(&["deploy", "staging"]).with(5).says(&["had not ended after 1 s", "rolled back"]);
    assert_eq!(cancels(&scene), (vec![2], 3));
    assert_eq!(scene.status()["sha"], json!(good));
    scene.fake.unwrap().finish();
}

#[test]
fn a_workflow_that_cannot_be_ended_leaves_the_environment_locked_and_unsettled() {
    let (scene, _) = hanging("timeout = \"1s\"\ngrace = \"0s\"\n");
    let fake = scene.fake.as_ref().unwrap();
    fake.with(|github| github.repo("octo/shop").never_ends = true);
    scene.call(&["deploy", "staging"]).with(4).says(&["not settled", "may go live yet"]);
    assert_eq!(cancels(&scene), (vec![2], 2), "nothing is deployed beside it");
    assert!(!scene.status()["lock"].is_null());
    scene.call(&["recover", "staging"]).with(4).says(&["may go live yet"]);
    scene.call(&["rollback", "staging"]).with(4).says(&["may go live yet"]);
    assert_eq!(cancels(&scene), (vec![2, 2, 2], 2));
    fake.with(|github| github.repo("octo/shop").never_ends = false);
    // It is cancelled, and the next look sees that it has ended.
    scene.call(&["recover", "staging"]);
    scene.call(&["recover", "staging"]).with(0).says(&["rolled back"]);
    assert_eq!(cancels(&scene).1, 3);
    assert!(scene.status()["lock"].is_null());
}

#[test]
fn a_run_that_a_dead_deploy_has_started_is_ended_first() {
    for is_recorded in [true, false] {
        let (scene, good) = hanging("");
        let fake = scene.fake.as_ref().unwrap();
        let mut deploy = scene.command(&["deploy", "staging"]).stdout(std::process::Stdio::null()).spawn().unwrap();
        let started = |github: &mut crate::github::State| {
            let deployments = &github.repo("octo/shop").deployments;
            let says = deployments.last().map(|one| &one.statuses).into_iter().flatten();
            let mut says = says.filter_map(|status| status.given["description"].as_str());
            deployments.len() == 2 && says.next_back().is_some_and(|says| says.starts_with("started run "))
        };
        super::locks::until("the run is recorded", || fake.with(started));
        deploy.kill().unwrap();
        deploy.wait().unwrap();
        if !is_recorded {
            // It died before it could say so: the run's name leads to it.
            fake.with(|github| drop(github.repo("octo/shop").deployments[1].statuses.pop()));
        }
        scene.call(&["recover", "staging"]).with(0).says(&["rolled back"]);
        assert_eq!(cancels(&scene), (vec![2], 3));
        assert_eq!(scene.status()["sha"], json!(good));
    }
}
