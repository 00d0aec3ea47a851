//! The case page: what can be done about an exception, by whom, and from a page that is still true.

use lombard_core::id::Id;
use lombard_service::{
    access::{Access, Role},
    exceptions::{self, Exception, Kind, Trouble},
};

use super::browser::{Browser, Shown};
use crate::http::world::World;

async fn case(world: &World, kind: Kind) -> Id<Exception> {
    let trouble = Trouble::new(world.tenant, kind, "pay_of_theirs", "nobody knows it");
    exceptions::raise(&world.app, trouble).await.unwrap()
}

async fn role(world: &World, role: Role) -> Browser {
    let access: Access = role.access();
    Browser::signed_in(world, &world.key_with(access).await).await
}

/// Sends a form of a page, with what is added to it.
async fn sent(browser: &Browser, page: &Shown, id: Id<Exception>, act: &str, add: &str) -> String {
    let (key, seen) = (page.hidden("key", act), page.hidden("seen", act));
    let form = format!("key={key}&seen={seen}&{add}");
    let to = format!("/console/exceptions/{id}/{act}");
    let done = browser.post(&to, &form).await;
    assert_eq!(done.status, 303, "{act}: {}", done.text);
    let to = done.header("location").to_owned();
    to.rsplit_once("done=").expect("what was done").1.to_owned()
}

#[tokio::test]
async fn a_case_is_taken_assigned_discussed_resolved_and_opened_again() {
    let world = World::new().await;
    let id = case(&world, Kind::UnmatchedMessage).await;
    let browser = role(&world, Role::Operator).await;
    let at = format!("/console/exceptions/{id}");
    let steps = [
        ("claim", "note=mine"),
        ("assign", "assignee=operator%2Fada&note=yours"),
        ("comment", "note=asked+them"),
        ("resolve", "action=ignore&note=a+test+of+theirs"),
        ("reopen", "note=it+came+again"),
    ];
    for (act, add) in steps {
        let page = browser.get(&at).await;
        assert_eq!(sent(&browser, &page, id, act, add).await, act);
    }
    let case = world.get(&format!("/v1/exceptions/{id}")).await.expect(200);
    let history = case["history"].as_array().unwrap();
    let done: Vec<_> = history
        .iter()
        .map(|it| it["what"].as_str().unwrap())
        .collect();
    assert_eq!(
        done,
        ["claimed", "claimed", "commented", "ignore", "reopened"]
    );
    assert_eq!(
        (&case["assignee"], &case["state"]),
        (&"operator/ada".into(), &"open".into())
    );
    let shown = browser.get(&at).await.text;
    assert!(
        shown.contains("asked them") && shown.contains("operator/ada"),
        "{shown}"
    );
}

#[tokio::test]
async fn a_case_that_changed_since_the_page_was_made_is_left_alone() {
    let world = World::new().await;
    let id = case(&world, Kind::UnmatchedMessage).await;
    let browser = role(&world, Role::Operator).await;
    let stale = browser.get(&format!("/console/exceptions/{id}")).await;
    let first = sent(&browser, &stale, id, "claim", "note=first").await;
    let late = sent(&browser, &stale, id, "resolve", "action=ignore&note=late").await;
    assert_eq!((first.as_str(), late.as_str()), ("claim", "stale"));
    let case = world.get(&format!("/v1/exceptions/{id}")).await.expect(200);
    assert_eq!(case["state"], "open");
}

#[tokio::test]
async fn who_may_not_act_is_shown_no_form_and_refused() {
    let world = World::new().await;
    let id = case(&world, Kind::UnmatchedMessage).await;
    let at = format!("/console/exceptions/{id}");
    for reader in [Role::Viewer, Role::Auditor, Role::Approver] {
        let browser = role(&world, reader).await;
        let page = browser.get(&at).await.text;
        assert!(!page.contains("name=\"seen\""), "{reader:?}");
        let form = "key=k&seen=open-0&note=n";
        let tried = browser.post(&format!("{at}/claim"), form).await;
        assert_eq!(tried.status, 403, "{reader:?}");
    }
}

#[tokio::test]
async fn the_navigation_has_what_one_may_see() {
    let world = World::new().await;
    for (who, audits) in [
        (Role::Viewer, false),
        (Role::Operator, false),
        (Role::Auditor, true),
        (Role::Admin, true),
    ] {
        let browser = role(&world, who).await;
        let page = browser.get("/console").await.text;
        assert_eq!(page.contains("href=\"/console/audit\""), audits, "{who:?}");
        let tried = browser.get("/console/audit").await.status;
        assert_eq!(tried, if audits { 200 } else { 403 }, "{who:?}");
        let settings = browser.get("/console/settings").await;
        assert_eq!(settings.status, 200, "{who:?}: {}", settings.text);
        assert_eq!(
            settings.text.contains("<h2>API keys"),
            who == Role::Admin,
            "{who:?}"
        );
    }
    let narrow = Access {
        resources: vec!["exceptions".to_owned()],
        ..Role::Operator.access()
    };
    let browser = Browser::signed_in(&world, &world.key_with(narrow).await).await;
    let queue = browser.get("/console/exceptions").await;
    assert_eq!(queue.status, 200);
    assert!(!queue.text.contains("href=\"/console/payments\""));
}

#[tokio::test]
async fn what_was_done_is_found_in_the_audit_with_who_and_why() {
    let world = World::new().await;
    let id = case(&world, Kind::UnmatchedMessage).await;
    let operator = role(&world, Role::Operator).await;
    let page = operator.get(&format!("/console/exceptions/{id}")).await;
    sent(
        &operator,
        &page,
        id,
        "resolve",
        "action=ignore&note=because+so",
    )
    .await;
    let audit = role(&world, Role::Auditor)
        .await
        .get("/console/audit")
        .await
        .text;
    for expected in ["Exception ignore", "because so", &id.to_string(), "Verify"] {
        assert!(audit.contains(expected), "{expected} in {audit}");
    }
}
