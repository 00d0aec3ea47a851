//! Streams of server-sent events: what they tell, and that they keep nobody signed in.

use axum::{body::Body, http::Request};
use http_body_util::BodyExt;
use tower::ServiceExt;

use super::browser::Browser;
use crate::http::world::{World, outgoing};

/// The next piece of a stream.
async fn piece(body: &mut Body) -> String {
    let frame = body.frame().await.expect("more of it").unwrap();
    String::from_utf8(frame.into_data().unwrap().to_vec()).unwrap()
}

/// The id of an event.
fn id(event: &str) -> &str {
    let line = event.lines().find_map(|line| line.strip_prefix("id: "));
    line.expect("an id")
}

async fn stream(world: &World, browser: &Browser, of: &str, last: Option<&str>) -> Body {
    let mut request = Request::get(format!("/console/live?of={of}"));
    request = request.header("cookie", browser.cookie());
    if let Some(last) = last {
        request = request.header("last-event-id", last);
    }
    let request = request.body(Body::empty()).unwrap();
    let response = world.router.clone().oneshot(request).await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    response.into_body()
}

#[tokio::test(start_paused = true)]
async fn a_change_is_told_without_a_word_of_what_changed() {
    let world = World::new().await;
    let account = world.account(1_000_000).await;
    let browser = Browser::signed_in(&world, &world.key).await;
    let mut told = stream(&world, &browser, "overview", None).await;
    let first = piece(&mut told).await;
    assert!(first.contains("event: seen"), "{first}");
    let paid = world.post("/v1/payments", outgoing(&account)).await;
    let payment = paid.expect(201)["id"].as_str().unwrap().to_owned();
    let second = piece(&mut told).await;
    assert!(second.contains("event: changed"), "{second}");
    assert!(id(&first) != id(&second) && !second.contains(&payment));

    // Who asks again with what he knows is told nothing, until the stream ends by itself.
    let mut again = stream(&world, &browser, "overview", Some(id(&second))).await;
    assert!(again.frame().await.is_none());
    let of = format!("payment&id={payment}");
    let mut one = stream(&world, &browser, &of, Some("of before")).await;
    assert!(piece(&mut one).await.contains("event: changed"));
}

#[tokio::test]
async fn what_is_not_watched_has_no_stream_and_nobody_else_has_one() {
    let world = World::new().await;
    let browser = Browser::signed_in(&world, &world.key).await;
    assert_eq!(browser.get("/console/live?of=everything").await.status, 404);
    let stranger = Browser::at(&world);
    assert_eq!(stranger.get("/console/live?of=overview").await.status, 303);
    for page in ["/console", "/console/exceptions"] {
        let shown = browser.get(page).await.text;
        assert!(shown.contains("data-live=\"/console/live?of="), "{page}");
    }
}

#[tokio::test]
async fn a_session_that_is_only_watched_ends_as_an_idle_one() {
    let world = World::new().await;
    let browser = Browser::signed_in(&world, &world.key).await;
    let minutes = |count: u64| count * 60_000;
    let of_itself = || {
        let request = Request::get("/console").header("lombard-live", "1");
        request.body(Body::empty()).unwrap()
    };
    world.host.advance(minutes(10));
    assert_eq!(browser.send(of_itself()).await.status, 200);
    world.host.advance(minutes(6));
    assert_eq!(
        browser.send(of_itself()).await.status,
        303,
        "16 minutes idle"
    );

    let browser = Browser::signed_in(&world, &world.key).await;
    world.host.advance(minutes(10));
    assert_eq!(browser.get("/console").await.status, 200);
    world.host.advance(minutes(6));
    assert_eq!(
        browser.get("/console").await.status,
        200,
        "somebody was there"
    );
}
