//! Deployments: made, refused, listed, retired, deleted.

use super::*;

const PATH: &str = "/repos/octo/shop/deployments";

fn deploy(client: &Client, changes: &Value) -> Got {
    let mut body = json!({ "ref": HEAD, "environment": "staging", "required_contexts": [], "auto_merge": false });
    body.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    client.post(PATH, &body)
}

fn id(got: &Got) -> u64 {
    assert_eq!(got.status, 201, "{got:?}");
    got.body["id"].as_u64().unwrap()
}

fn status(client: &Client, id: u64, body: &Value) -> Got {
    client.post(&format!("{PATH}/{id}/statuses"), body)
}

fn states(client: &Client, id: u64) -> Vec<String> {
    let got = client.get(&format!("{PATH}/{id}/statuses")).body;
    got.as_array().unwrap().iter().map(|status| status["state"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_deployment_is_kept_with_its_payload() {
    let (fake, client) = start();
    let made = deploy(&client, &json!({ "payload": { "intent": "7" }, "description": "d", "task": "deploy:web" }));
    let got = client.get(&format!("{PATH}/{}", id(&made))).body;
    assert_eq!(got, made.body);
    assert_eq!(
        (&got["sha"], &got["payload"]["intent"], &got["task"]),
        (&json!(HEAD), &json!("7"), &json!("deploy:web"))
    );
    assert_eq!((&got["description"], &got["production_environment"]), (&json!("d"), &json!(false)));
    assert_eq!(deploy(&client, &json!({ "environment": "production" })).body["production_environment"], true);
    let count = |query: &str| client.get(&format!("{PATH}?{query}")).body.as_array().unwrap().len();
    assert_eq!((count(""), count("environment=staging"), count("environment=dev")), (2, 1, 0));
    assert_eq!((count("task=deploy"), count(&format!("sha={HEAD}")), count(&format!("sha={BASE}"))), (1, 2, 0));
    assert_eq!((count(&format!("ref={HEAD}")), count("ref=main")), (2, 0));
    assert_eq!(client.get(&format!("{PATH}/1")).status, 404);
    assert_eq!(deploy(&client, &json!({ "ref": "nowhere" })).body["message"], "No ref found for: nowhere");
    fake.finish();
}

#[test]
fn red_contexts_refuse_a_deployment() {
    let (fake, client) = start();
    let red = fake.with(|github| github.check("octo/shop", HEAD, "lint", "failure", Account::actions()));
    let required = |contexts: Value| deploy(&client, &json!({ "required_contexts": contexts })).status;
    assert_eq!(required(json!([])), 201);
    assert_eq!((required(Value::Null), required(json!(["lint"])), required(json!(["test"]))), (422, 409, 409));
    assert!(fake.forgive()[0].contains("required_contexts"));
    let all = json!({ "ref": HEAD, "auto_merge": false });
    assert_eq!(client.post(PATH, &all).status, 409);
    client.patch(&format!("/repos/octo/shop/check-runs/{red}"), &json!({ "conclusion": "success" }));
    assert_eq!(required(json!(["lint"])), 201);
    client.post(&format!("/repos/octo/shop/statuses/{HEAD}"), &json!({ "state": "error", "context": "test" }));
    assert_eq!((client.post(PATH, &all).status, required(json!(["lint"]))), (409, 201));
    fake.finish();
}

#[test]
fn a_branch_behind_main_is_merged_in_place_of_deployed() {
    let (fake, client) = start();
    let merging = json!({ "ref": "feature", "auto_merge": true });
    assert_eq!(deploy(&client, &merging).status, 201);
    fake.with(|github| github.repo("octo/shop").commit(NEXT, &[BASE]).branch("main", NEXT).refs.len());
    let got = deploy(&client, &merging);
    assert_eq!((got.status, &got.body["message"]), (202, &json!("Auto-merged main into feature on deployment.")));
    assert_eq!(deploy(&client, &json!({ "ref": HEAD, "auto_merge": true })).status, 201);
    assert_eq!(deploy(&client, &merging).status, 201);
    assert_eq!(client.get(PATH).body.as_array().unwrap().len(), 3);
    fake.finish();
}

#[test]
fn a_success_retires_the_earlier_one() {
    let (fake, client) = start();
    let success = json!({ "state": "success", "environment_url": "https://shop.test", "description": "live" });
    let [failed, first, second, elsewhere] = ["staging", "staging", "staging", "dev"]
        .map(|environment| id(&deploy(&client, &json!({ "environment": environment }))));
    assert_eq!(status(&client, first, &json!({ "state": "in_progress" })).status, 201);
    let got = status(&client, first, &success).body;
    assert_eq!((&got["environment_url"], &got["description"]), (&json!("https://shop.test"), &json!("live")));
    assert_eq!(got["environment"], "staging");
    status(&client, elsewhere, &success);
    status(&client, failed, &json!({ "state": "failure" }));
    status(&client, second, &json!({ "state": "success", "auto_inactive": false }));
    assert_eq!(states(&client, first), ["success", "in_progress"]);
    status(&client, second, &success);
    assert_eq!(states(&client, first), ["inactive", "success", "in_progress"]);
    assert_eq!(states(&client, elsewhere), ["success"]);
    assert_eq!(states(&client, failed), ["failure"]);
    assert_eq!(client.delete(&format!("{PATH}/{second}")).status, 422);
    assert_eq!(client.delete(&format!("{PATH}/{first}")).status, 204);
    assert_eq!(client.delete(&format!("{PATH}/{failed}")).status, 204);
    assert_eq!(client.get(&format!("{PATH}/{first}")).status, 404);
    assert_eq!(client.delete(&format!("{PATH}/{second}")).status, 204);
    assert_eq!(status(&client, 1, &success).status, 404);
    let long = json!({ "state": "success", "description": "x".repeat(141) });
    assert_eq!(status(&client, elsewhere, &long).status, 422);
    assert!(fake.forgive()[0].contains("140"));
    fake.finish();
}

#[test]
fn production_and_transient_deployments_stay_as_they_were() {
    let (fake, client) = start();
    for lasting in [json!({ "environment": "production" }), json!({ "transient_environment": true })] {
        let [first, second] = [(); 2].map(|()| id(&deploy(&client, &lasting)));
        for one in [first, second] {
            status(&client, one, &json!({ "state": "success" }));
        }
        assert_eq!(states(&client, first), ["success"]);
    }
    fake.finish();
}
