//! Saved views over the API: each caller's own.

use lombard_service::access::Role;
use serde_json::{Value, json};

use super::world::World;

fn view(name: &str) -> Value {
    json!({"list": "payments", "name": name, "query": "status=FAILED&last4=9911"})
}

async fn delete(world: &World, key: &str, path: &str) {
    let gone = world.call_as(key, "DELETE", path, json!({})).await;
    assert_eq!(gone.status, 204);
}

/// What somebody's views are called.
async fn names(world: &World, key: &str) -> Vec<String> {
    let told = world.get_as(key, "/v1/views").await.expect(200);
    let data = told["data"].as_array().unwrap().iter();
    data.map(|it| it["name"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn a_view_is_kept_for_who_made_it_and_deleted_by_nobody_else() {
    let world = World::new().await;
    let viewer = world.key_with(Role::Viewer.access()).await;
    let made = world.call_as(&viewer, "POST", "/v1/views", view("Failures"));
    let made = made.await.expect(201);
    assert_eq!(made["query"], "status=FAILED&last4=9911");
    assert_eq!(names(&world, &viewer).await, ["Failures"]);
    assert!(names(&world, &world.key).await.is_empty());
    let path = format!("/v1/views/{}", made["id"].as_str().unwrap());
    delete(&world, &world.key, &path).await;
    assert_eq!(names(&world, &viewer).await.len(), 1, "it is another's");
    for _ in 0..2 {
        delete(&world, &viewer, &path).await;
        assert!(names(&world, &viewer).await.is_empty());
    }
}

#[tokio::test]
async fn there_are_thirty_and_what_no_list_could_be_asked_is_refused() {
    let world = World::new().await;
    for at in 1..=30 {
        let made = world.post("/v1/views", view(&format!("No. {at}"))).await;
        made.expect(201);
    }
    let beyond = world.post("/v1/views", view("One more")).await;
    beyond.refused(422, "too_large", None);
    for (member, wrong) in [
        ("name", json!("")),
        ("name", json!("a\u{7}")),
        ("query", json!("status=<script>")),
        ("query", json!("x".repeat(501))),
    ] {
        let mut body = view("Wrong");
        body[member] = wrong;
        let field = format!("/{member}");
        let refused = world.post("/v1/views", body).await;
        refused.refused(400, "invalid_field", Some(&field));
    }
}

#[tokio::test]
async fn a_repeated_request_keeps_one_view_and_repeats_none_of_its_words() {
    let world = World::new().await;
    let keep = || world.post_with("/v1/views", "the-same", view("Twice"));
    let first = keep().await.expect(201);
    let again = keep().await.expect(201);
    assert_eq!(first["name"], "Twice");
    assert_eq!(first["id"], again["id"]);
    assert!(again["name"].is_null() && again["query"].is_null());
    assert_eq!(names(&world, &world.key).await, ["Twice"]);
}
