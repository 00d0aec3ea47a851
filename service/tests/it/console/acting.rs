//! What forms do: once, as it stood when the page was made, and only for who may.

use super::browser::Browser;
use crate::http::world::{World, outgoing};

#[tokio::test]
async fn a_payment_is_cancelled_once_however_often_the_form_is_sent() {
    let world = World::new().await;
    let account = world.account(10_000).await;
    let payment = world
        .post("/v1/payments", outgoing(&account))
        .await
        .text("id");
    let browser = Browser::signed_in(&world, &world.key).await;
    let page = browser.get(&format!("/console/payments/{payment}")).await;
    let form = format!(
        "key={}&seen={}",
        page.hidden("key", "cancel"),
        page.hidden("seen", "cancel").replace(':', "%3A")
    );
    world.host.advance(1_000);
    let to = format!("/console/payments/{payment}/cancel");
    let done = browser.post(&to, &form).await;
    assert_eq!(
        done.header("location"),
        format!("/console/payments/{payment}?done=cancel")
    );
    let again = browser.post(&to, &form).await;
    assert!(
        again.header("location").ends_with("done=stale"),
        "it changed, by itself"
    );
    let timeline = world
        .get(&format!("/v1/payments/{payment}/timeline"))
        .await
        .expect(200);
    let failed = timeline["data"].as_array().unwrap().iter();
    assert_eq!(
        failed.filter(|event| event["status"] == "FAILED").count(),
        1
    );
    let told = browser.get(done.header("location")).await.text;
    assert!(
        told.contains("Cancelled.") && told.contains("no money moved"),
        "{told}"
    );
}

#[tokio::test]
async fn a_stale_page_does_nothing() {
    let world = World::new().await;
    let account = world.account(10_000).await;
    let payment = world
        .post("/v1/payments", outgoing(&account))
        .await
        .text("id");
    let browser = Browser::signed_in(&world, &world.key).await;
    let form = "key=console-1&seen=2020-01-01T00%3A00%3A00.000Z";
    let done = browser
        .post(&format!("/console/payments/{payment}/cancel"), form)
        .await;
    assert!(
        done.header("location").ends_with("done=stale"),
        "{}",
        done.text
    );
    let stands = world
        .get(&format!("/v1/payments/{payment}"))
        .await
        .expect(200);
    assert_eq!(stands["status"], "INITIATED");
}

#[tokio::test]
async fn what_cannot_be_done_is_said_on_a_page() {
    let world = World::new().await;
    let browser = Browser::signed_in(&world, &world.key).await;
    let unknown = browser
        .post("/console/payments/pay_x/cancel", "key=1&seen=")
        .await;
    assert_eq!(unknown.status, 404);
    assert!(unknown.text.contains("Not found") && unknown.text.contains("To the overview"));
    let nonsense = browser
        .post("/console/payments/pay_x/explode", "key=1&seen=")
        .await;
    assert_eq!(nonsense.status, 404);
}
