//! The pages of risk: a rule is tried, proposed by one, put in force by another, and what it did
//! is shown; a list is made, somebody put on it and taken off.

use std::time::Duration;

use lombard_service::{
    access::Role,
    config::Config,
    risk::{Desk, Parts},
};
use serde_json::json;

use super::browser::Browser;
use crate::http::world::World;

async fn world() -> World {
    let desk = Desk::new(Parts {
        limit: Duration::from_secs(5),
        ..Parts::default()
    });
    World::of(Config::default(), Some(desk)).await
}

async fn analyst(world: &World) -> Browser {
    Browser::signed_in(world, &world.key_with(Role::Risk.access()).await).await
}

#[tokio::test]
async fn a_rule_goes_from_its_trial_into_force() {
    let world = world().await;
    let (ann, bob) = (analyst(&world).await, analyst(&world).await);
    let (from, to) = (world.account(1_000_000).await, world.account(0).await);
    let body = json!({"amount": 60_000, "currency": "GBP", "debtor": {"account": from}, "creditor": {"account": to}});
    world.post("/v1/payments", body.clone()).await.expect(201);

    let wrong = ann.get("/console/risk/try?condition=amuont+%3E+5").await;
    assert!(wrong.text.contains("line 1, column 1"), "{}", wrong.text);
    let tried = ann
        .get("/console/risk/try?condition=amount+%3E+50000")
        .await;
    assert!(
        tried.text.contains("£600.00") || tried.text.contains("600.00"),
        "{}",
        tried.text
    );
    let (key, after) = (
        tried.hidden("key", "propose"),
        tried.hidden("after_version", "propose"),
    );
    let form = format!(
        "key={key}&after_version={after}&name=large+%3Cb%3E&condition=amount+%3E+50000&action=review&says=it+is+large&reason=case+7"
    );
    let proposed = ann.post("/console/risk/propose", &form).await;
    assert_eq!(proposed.status, 303, "{}", proposed.text);
    let at = proposed.header("location").to_owned();
    let page = ann.get(&at).await;
    assert!(page.text.contains("Somebody else can put it in force"));
    assert!(page.text.contains("large &lt;b&gt;") && !page.text.contains("large <b>"));

    let rule = at.split('?').next().unwrap();
    let form = |key: String, revision: String| {
        format!("key={key}&revision={revision}&version=1&mode=live&reason=seen")
    };
    let own = form(page.hidden("key", "mode"), page.hidden("revision", "mode"));
    let own = ann.post(&format!("{rule}/mode"), &own).await;
    assert_eq!(own.status, 403, "{}", own.text);
    let page = bob.get(rule).await;
    let live = form(page.hidden("key", "mode"), page.hidden("revision", "mode"));
    let set = bob.post(&format!("{rule}/mode"), &live).await;
    assert_eq!(set.status, 303, "{}", set.text);
    let late = bob
        .post(&format!("{rule}/mode"), &live.replace("key=", "key=x"))
        .await;
    assert_eq!(late.status, 409, "a page that is out of date");

    let held = world.post("/v1/payments", body).await.expect(201);
    assert_eq!(held["pending"], "verification");
    let queue = bob.get("/console/risk").await;
    assert_eq!(queue.status, 200);
    for wanted in [
        "it is large",
        held["id"].as_str().unwrap(),
        "Policy version 1",
    ] {
        assert!(queue.text.contains(wanted), "{wanted}: {}", queue.text);
    }
    let page = bob.get(rule).await;
    let retire = format!(
        "key={}&revision={}&reason=done",
        page.hidden("key", "retire"),
        page.hidden("revision", "retire")
    );
    assert_eq!(
        bob.post(&format!("{rule}/retire"), &retire).await.status,
        303
    );
    let page = bob.get(rule).await;
    assert!(page.text.contains("Retired by") && !page.text.contains("/mode\""));
}

#[tokio::test]
async fn somebody_is_put_on_a_list_and_taken_off() {
    let world = world().await;
    let ann = analyst(&world).await;
    let page = ann.get("/console/risk").await;
    let form = format!(
        "key={}&name=mules&reason=case+8",
        page.hidden("key", "lists")
    );
    let made = ann.post("/console/risk/lists", &form).await;
    assert_eq!(made.header("location"), "/console/risk/lists/mules");
    let page = ann.get("/console/risk/lists/mules").await;
    let form = format!(
        "key={}&subject=00000000000000ab&until=2099-01-31T12:00&reason=a+mule",
        page.hidden("key", "entries")
    );
    let put = ann.post("/console/risk/lists/mules/entries", &form).await;
    assert_eq!(put.status, 303, "{}", put.text);
    let page = ann.get("/console/risk/lists/mules").await;
    assert!(page.text.contains("00000000000000ab") && page.text.contains("a mule"));
    let form = format!(
        "key={}&subject=00000000000000ab&reason=no+mule",
        page.hidden("key", "removals")
    );
    assert_eq!(
        ann.post("/console/risk/lists/mules/removals", &form)
            .await
            .status,
        303
    );
    assert!(
        ann.get("/console/risk/lists/mules")
            .await
            .text
            .contains("Nobody is on it")
    );
}

#[tokio::test]
async fn who_may_only_look_has_nothing_to_press_and_where_nobody_judges_it_says_so() {
    let world = world().await;
    let name = json!({"name": "big", "after_version": 0, "condition": "amount > 1", "action": "review", "says": "x", "reason": "x"});
    world.post("/v1/risk/rules", name).await.expect(201);
    let viewer = Browser::signed_in(&world, &world.key_with(Role::Viewer.access()).await).await;
    for path in ["/console/risk", "/console/risk/rules/big"] {
        let page = viewer.get(path).await;
        assert_eq!(page.status, 200);
        // Signing out and searching are the only forms.
        assert_eq!(
            page.text.matches("method=\"post\"").count(),
            1,
            "{path}: {}",
            page.text
        );
    }
    let nowhere = World::new().await;
    let page = analyst(&nowhere).await.get("/console/risk").await;
    assert!(page.status == 200 && page.text.contains("Nobody judges payments here"));
}
