//! The W3C's own test cases for `traceparent`, as far as they concern one request.

use axum::{body::Body, http::Request};
use serde_json::Value;

use super::world::World;

const CASES: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../shared/material/vectors/trace-context/cases.json"
);

#[tokio::test]
async fn the_cases_of_the_specification_s_suite() {
    let Ok(text) = std::fs::read_to_string(CASES) else {
        eprintln!("skipped: the_cases_of_the_specification_s_suite: no ../shared");
        return;
    };
    let world = World::new().await;
    let cases: Vec<Value> = serde_json::from_str(&text).unwrap();
    let mut judged = 0;
    for case in &cases {
        let mut request = Request::get("/healthz");
        for header in case["headers"].as_array().unwrap() {
            let (name, value) = (header[0].as_str().unwrap(), header[1].as_str().unwrap());
            request = request.header(name, value);
        }
        // Some cases are of headers that no HTTP library lets through.
        let Ok(request) = request.body(Body::empty()) else {
            continue;
        };
        let answer = world.send(request).await;
        let parent = answer.header("traceparent").unwrap().to_owned();
        let trace = &parent[3..35];
        let expect = &case["expect"];
        if let Some(wanted) = expect["trace_id"].as_str() {
            assert_eq!(trace, wanted, "{case}");
            judged += 1;
        }
        for unwanted in expect["trace_id_not"].as_array().into_iter().flatten() {
            assert_ne!(trace, unwanted.as_str().unwrap(), "{case}");
            judged += 1;
        }
    }
    assert!(judged > 20, "{judged}");
}
