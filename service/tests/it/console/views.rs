//! Saved views above the lists, and what stands beside a payment.

use lombard_service::access::Role;

use super::browser::Browser;
use crate::http::world::{World, outgoing};

#[tokio::test]
async fn filters_are_kept_under_a_name_by_who_may_only_look_too() {
    let world = World::new().await;
    let viewer = world.key_with(Role::Viewer.access()).await;
    let browser = Browser::signed_in(&world, &viewer).await;
    let filtered = "/console/payments?status=FAILED&rail=fps";
    let page = browser.get(filtered).await.text;
    assert!(page.contains("Save these filters"), "{page}");
    let form = "list=payments&name=Failures&query=status%3DFAILED%26rail%3Dfps&key=view-1";
    let kept = browser.post("/console/views", form).await;
    assert_eq!((kept.status, kept.header("location")), (303, filtered));
    let page = browser.get(filtered).await.text;
    assert!(
        page.contains("aria-current=\"page\">Failures</a>"),
        "{page}"
    );
    assert!(!page.contains("Save these filters"));

    let others = Browser::signed_in(&world, &world.key).await;
    let page = others.get("/console/payments").await.text;
    assert!(!page.contains("Failures"), "it is no other's");

    let at = page_action(&browser.get(filtered).await.text);
    let gone = browser.post(&at, "list=payments").await;
    assert_eq!(
        (gone.status, gone.header("location")),
        (303, "/console/payments?")
    );
    let page = browser.get("/console/payments").await.text;
    assert!(!page.contains("Failures"));
}

/// Where the form goes that deletes the view that is looked at.
fn page_action(page: &str) -> String {
    let end = page.find("/delete\"").expect("the form") + "/delete".len();
    let begin = page[..end].rfind('"').expect("its quote") + 1;
    page[begin..end].to_owned()
}

#[tokio::test]
async fn a_payment_shows_authentication_webhooks_and_the_verdict_on_its_proofs() {
    let world = World::new().await;
    let account = world.account(1_000_000).await;
    let paid = world.post("/v1/payments", outgoing(&account)).await;
    let payment = paid.expect(201)["id"].as_str().unwrap().to_owned();
    let browser = Browser::signed_in(&world, &world.key).await;
    let path = format!("/console/payments/{payment}");
    let page = browser.get(&path).await.text;
    for expected in [
        "Nobody judged it",
        "authentication",
        "Nobody wants to be told",
        "Verify the proofs",
    ] {
        assert!(page.contains(expected), "{expected} in {page}");
    }
    // This world keeps no log, so nothing of it is in a checkpoint.
    let verified = browser.get(&format!("{path}?verify=now")).await.text;
    assert!(verified.contains("0 of 1 verified."), "{verified}");
}
