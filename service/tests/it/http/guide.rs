//! The examples of `docs/api.md`, carried out in their order.
//!
//! An example is a request and the answer after it. `…` in an answer stands for anything, `$NAME`
//! for what an earlier answer gave, and members that an answer leaves out are not looked at.

use std::collections::BTreeMap;

use axum::{body::Body, http::Request};
use serde_json::Value;

use super::world::{Answer, World};

const GUIDE: &str = include_str!("../../../../docs/api.md");

fn blocks() -> Vec<&'static str> {
    let parts = GUIDE.split("```http\n").skip(1);
    parts
        .map(|part| part.split_once("```").unwrap().0)
        .collect()
}

fn filled(text: &str, names: &BTreeMap<&str, String>) -> String {
    names.iter().fold(text.to_owned(), |text, (name, value)| {
        text.replace(name, value)
    })
}

async fn send(world: &World, block: &str) -> Answer {
    let (head, body) = block.split_once("\n\n").unwrap_or((block.trim_end(), ""));
    let mut lines = head.lines();
    let (method, path) = lines.next().unwrap().split_once(' ').unwrap();
    let mut request = Request::builder()
        .method(method)
        .uri(path)
        .header("authorization", format!("Bearer {}", world.key));
    for line in lines {
        let (name, value) = line.split_once(": ").unwrap();
        request = request.header(name, value);
    }
    if !body.is_empty() {
        request = request.header("content-type", "application/json");
    }
    world
        .send(request.body(Body::from(body.to_owned())).unwrap())
        .await
}

/// Whether what is shown agrees with what came.
fn agrees(shown: &Value, came: &Value) -> bool {
    match (shown, came) {
        (Value::Object(shown), _) => shown
            .iter()
            .all(|(name, shown)| came.get(name).is_some_and(|came| agrees(shown, came))),
        (Value::Array(shown), Value::Array(came)) => {
            shown.len() == came.len()
                && shown
                    .iter()
                    .zip(came)
                    .all(|(shown, came)| agrees(shown, came))
        }
        (Value::String(shown), Value::String(came)) => match shown.strip_suffix('…') {
            Some(beginning) => came.starts_with(beginning),
            None => shown == came,
        },
        _ => shown == came,
    }
}

#[tokio::test]
async fn the_examples_of_the_guide_are_as_they_are_shown() {
    let world = World::new().await;
    let mut names = BTreeMap::from([("$ACCOUNT", world.account(100_000).await)]);
    let blocks = blocks();
    assert!(blocks.len() >= 16);
    for pair in blocks.chunks(2) {
        let [request, shown] = pair else {
            panic!("a request without an answer: {pair:?}");
        };
        let answer = send(&world, &filled(request, &names)).await;
        let (status, shown) = shown.split_once("\n\n").unwrap();
        let came = answer.json();
        assert!(
            status.starts_with(&answer.status.to_string()),
            "{request}{came}"
        );
        if request.starts_with("POST") && answer.status == 201 {
            let name = match came["object"].as_str() {
                Some("payment") => "$PAYMENT",
                Some("hold") => "$HOLD",
                _ => "$LAST",
            };
            names.insert(name, answer.text("id"));
        }
        let shown: Value = serde_json::from_str(&filled(shown, &names)).unwrap();
        assert!(
            agrees(&shown, &came),
            "{request}\nshown {shown:#}\ncame {came:#}"
        );
    }
}
