//! Two tenants trying to reach each other, on every route that there is.

use axum::{body::Body, http::Request};
use serde_json::{Value, json};

use super::world::World;

/// Routes that belong to nobody.
const OPEN: [&str; 2] = ["/healthz", "/readyz"];

fn document() -> Value {
    serde_json::from_str(lombard_service::http::openapi::document()).unwrap()
}

fn operations() -> Vec<(String, String)> {
    let document = document();
    let paths = document["paths"].as_object().unwrap();
    let of = |(path, item): (&String, &Value)| {
        let methods = item
            .as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect::<Vec<_>>();
        methods
            .into_iter()
            .map(|method| (method, path.clone()))
            .collect::<Vec<_>>()
    };
    paths.iter().flat_map(of).collect()
}

/// The paths that take a POST.
pub fn posts() -> Vec<String> {
    let posts = operations()
        .into_iter()
        .filter(|(method, _)| method == "post");
    posts.map(|(_, path)| path).collect()
}

/// What the other tenant tries at a route with `{id}`, where `{id}` is ours: a valid body.
fn body(path: &str) -> Option<Value> {
    Some(match path {
        "/v1/payments/{id}/recall" => json!({"reason": "duplicate"}),
        "/v1/payments/{id}/recall/answer" => json!({"answer": "accept"}),
        "/v1/payments/{id}/verification" => json!({"result": "passed"}),
        "/v1/payments/{id}/cancel"
        | "/v1/payments/{id}/returns"
        | "/v1/accounts/{id}/close"
        | "/v1/holds/{id}/post"
        | "/v1/holds/{id}/void" => json!({}),
        _ => return None,
    })
}

#[tokio::test]
async fn nothing_of_ours_is_there_for_others() {
    let world = World::new().await;
    let payment = world.cleared().await;
    let (a, b) = (world.account(100).await, world.account(0).await);
    let hold = json!({"debtor": a, "creditor": b, "amount": 1, "currency": "GBP"});
    let hold = world.post("/v1/holds", hold).await.text("id");
    let event = world.get("/v1/events").await.json()["data"][0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let transaction = world.get("/v1/ledger").await.json()["data"][0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    for (method, path) in operations() {
        let id = match path.split('/').nth(2) {
            Some("payments") => &payment,
            Some("accounts") => &a,
            Some("holds") => &hold,
            Some("events") => &event,
            Some("ledger") => &transaction,
            _ => {
                assert!(
                    OPEN.contains(&path.as_str()),
                    "{path} needs a row in this test"
                );
                continue;
            }
        };
        let filled = path.replace("{id}", id);
        match (method.as_str(), path.contains("{id}")) {
            ("get", true) => {
                world.get(&filled).await.expect(200);
                world
                    .get_as(&world.other_key, &filled)
                    .await
                    .refused(404, "not_found", None);
            }
            ("get", false) => {
                let theirs = world.get_as(&world.other_key, &filled).await.expect(200);
                assert!(!theirs.to_string().contains(id.as_str()), "{path}");
            }
            ("post", true) => {
                let body = body(&path).unwrap_or_else(|| panic!("{path} needs a row in this test"));
                post_as_other(&world, &filled, body)
                    .await
                    .refused(404, "not_found", None);
            }
            ("post", false) => name_ours_as_other(&world, &path, &a, &b).await,
            other => panic!("{other:?} {path} needs a row in this test"),
        }
    }
    assert_eq!(
        world
            .get(&format!("/v1/payments/{payment}"))
            .await
            .text("status"),
        "CLEARED"
    );
}

/// Operations whose body refers to accounts: ours are not there for others.
async fn name_ours_as_other(world: &World, path: &str, a: &str, b: &str) {
    let leg =
        |account, side| json!({"account": account, "side": side, "amount": 1, "currency": "GBP"});
    let (body, field) = match path {
        "/v1/payments" => (
            json!({"amount": 1, "currency": "GBP", "debtor": {"account": a}, "creditor": {"account": b}}),
            "/debtor/account",
        ),
        "/v1/holds" => (
            json!({"debtor": a, "creditor": b, "amount": 1, "currency": "GBP"}),
            "/debtor",
        ),
        "/v1/ledger" => (
            json!({"legs": [leg("fps/settlement/GBP", "debit"), leg(a, "credit")]}),
            "/legs/1/account",
        ),
        "/v1/accounts" => return, // Refers to nothing.
        _ => panic!("{path} needs a row in this test"),
    };
    post_as_other(world, path, body)
        .await
        .refused(422, "reference_unknown", Some(field));
}

async fn post_as_other(world: &World, path: &str, body: Value) -> super::world::Answer {
    let mut request = world.request(path, "theirs", body.to_string());
    let bearer = format!("Bearer {}", world.other_key).parse().unwrap();
    request.headers_mut().insert("authorization", bearer);
    world.send(request).await
}

#[tokio::test]
async fn without_a_key_nothing_of_the_api_answers() {
    let world = World::new().await;
    for (method, path) in operations() {
        let path = path.replace("{id}", "pay_00000000000000000000000000");
        for authorization in [
            None,
            Some("Bearer sk_test_"),
            Some("Basic abc"),
            Some("Bearer"),
        ] {
            let mut request = Request::builder()
                .method(method.to_uppercase().as_str())
                .uri(&path);
            if let Some(authorization) = authorization {
                request = request.header("authorization", authorization);
            }
            let answer = world.send(request.body(Body::empty()).unwrap()).await;
            if OPEN.contains(&path.as_str()) {
                answer.expect(200);
            } else {
                assert_eq!(
                    answer.header("www-authenticate"),
                    Some("Bearer realm=\"lombard\"")
                );
                answer.refused(401, "unauthenticated", None);
            }
        }
    }
}

/// The same bank address leads to one account only, whoever asks; the refusal says no more.
#[tokio::test]
async fn a_blind_address_is_taken_across_tenants() {
    let world = World::new().await;
    let body =
        json!({"name": "a", "currency": "EUR", "address": {"iban": "DE89370400440532013000"}});
    world.post("/v1/accounts", body.clone()).await.expect(201);
    post_as_other(&world, "/v1/accounts", body).await.refused(
        409,
        "address_taken",
        Some("/address"),
    );
}
