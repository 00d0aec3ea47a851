//! What the pages show, and to whom.

use super::browser::Browser;
use crate::http::world::{World, internal, outgoing};

#[tokio::test]
async fn a_payment_is_followed_from_the_list_into_the_books() {
    let world = World::new().await;
    let account = world.account(1_000_000).await;
    let payment = world
        .post("/v1/payments", outgoing(&account))
        .await
        .expect(201);
    let id = payment["id"].as_str().unwrap();
    let browser = Browser::signed_in(&world, &world.key).await;
    let listed = browser.get("/console/payments").await.text;
    assert!(listed.contains(id) && listed.contains("12.50"), "{listed}");
    let page = browser.get(&format!("/console/payments/{id}")).await.text;
    for expected in ["Initiated", "Out hold", "12.50", "•••• 9911", &account] {
        assert!(page.contains(expected), "{expected} in {page}");
    }
    let account_page = browser
        .get(&format!("/console/accounts/{account}"))
        .await
        .text;
    assert!(account_page.contains("9,987.50"), "{account_page}");
}

#[tokio::test]
async fn filters_are_the_api_s() {
    let world = World::new().await;
    let (from, to) = (world.account(500).await, world.account(0).await);
    let cleared = world
        .post("/v1/payments", internal(&from, &to, 200))
        .await
        .text("id");
    let browser = Browser::signed_in(&world, &world.key).await;
    let shows = async |query: &str| {
        let shown = browser.get(&format!("/console/payments?{query}")).await;
        assert_eq!(shown.status, 200, "{query}: {}", shown.text);
        shown.text.contains(&cleared)
    };
    assert!(shows("status=CLEARED").await);
    assert!(!shows("status=FAILED").await);
    assert!(shows(&format!("account={from}&pending=")).await);
    assert!(!shows("pending=funds").await);
    assert!(!shows("created_before=2020-01-01").await);
    let refused = browser.get("/console/payments?status=NOWHERE").await;
    assert_eq!(refused.status, 400);
    assert!(refused.text.contains("status"), "the field is named");
}

#[tokio::test]
async fn the_export_holds_the_list_and_no_formula() {
    let world = World::new().await;
    let account = world.account(10_000).await;
    let mut body = outgoing(&account);
    body["end_to_end_id"] = "-2+3".into();
    let made = world.post("/v1/payments", body).await;
    assert_eq!(made.status, 201, "{:?}", made.json());
    let browser = Browser::signed_in(&world, &world.key).await;
    let csv = browser.get("/console/payments.csv?status=INITIATED").await;
    assert!(csv.header("content-disposition").contains("payments.csv"));
    let mut lines = csv.text.lines();
    assert!(
        lines
            .next()
            .unwrap()
            .starts_with("id,status,pending,amount,currency")
    );
    let line = lines.next().unwrap();
    assert!(
        line.contains(",1250,GBP,") && line.contains(",'-2+3,"),
        "{line}"
    );
}

#[tokio::test]
async fn what_others_wrote_is_text_and_never_markup() {
    let world = World::new().await;
    let account = world.account(10_000).await;
    let browser = Browser::signed_in(&world, &world.key).await;
    let hook = world
        .post(
            "/v1/webhook_endpoints",
            serde_json::json!({"url": "https://example.com/h", "description": "<script>alert(1)</script>"}),
        )
        .await
        .text("id");
    let page = browser.get(&format!("/console/webhooks/{hook}")).await.text;
    assert!(
        page.contains("&lt;script&gt;") && !page.contains("<script>alert"),
        "{page}"
    );
    let query = browser
        .get("/console/accounts?name=%22%3E%3Cscript%3E")
        .await
        .text;
    assert!(!query.contains("\"><script>"), "{query}");
    let _ = account;
}

#[tokio::test]
async fn another_tenant_sees_nothing_of_it() {
    let world = World::new().await;
    let account = world.account(10_000).await;
    let payment = world
        .post("/v1/payments", outgoing(&account))
        .await
        .text("id");
    let stranger = Browser::signed_in(&world, &world.other_key).await;
    for path in [format!("payments/{payment}"), format!("accounts/{account}")] {
        assert_eq!(
            stranger.get(&format!("/console/{path}")).await.status,
            404,
            "{path}"
        );
    }
    assert!(
        !stranger
            .get("/console/payments")
            .await
            .text
            .contains(&payment)
    );
    assert!(
        !stranger
            .get("/console/payments.csv")
            .await
            .text
            .contains(&payment)
    );
}

#[tokio::test]
async fn search_leads_to_the_page_of_an_id() {
    let world = World::new().await;
    let browser = Browser::signed_in(&world, &world.key).await;
    let found = browser.get("/console/search?q=txn_123").await;
    assert_eq!(found.header("location"), "/console/ledger/txn_123");
    assert_eq!(browser.get("/console/ledger/txn_123").await.status, 404);
}

#[tokio::test]
async fn a_statement_is_followed_from_its_run_to_what_does_not_agree() {
    let world = World::new().await;
    let browser = Browser::signed_in(&world, &world.key).await;
    let empty = browser.get("/console/reconciliation").await.text;
    assert!(empty.contains("lombard reconcile"), "{empty}");
    let statement = ":20:1\n:25:12345678\n:28C:1/1\n:60F:C261120GBP0,00\n:61:2611201120C12,50NTRFNOBODY\n:62F:C261120GBP12,50\n-\n";
    let request = axum::http::Request::post("/v1/reconciliation/statements?source=bank")
        .header("authorization", format!("Bearer {}", world.key))
        .header("idempotency-key", "statement-1")
        .header("content-type", "application/octet-stream")
        .body(statement.to_owned().into())
        .unwrap();
    let report = world.send(request).await.expect(200);
    assert_eq!(report["lines"], 1, "{report}");
    let runs = world.get("/v1/reconciliation/runs").await.expect(200);
    let run = runs["data"][0]["id"].as_str().unwrap();
    let listed = browser.get("/console/reconciliation").await.text;
    assert!(listed.contains(run) && listed.contains("bank"), "{listed}");
    let page = browser
        .get(&format!("/console/reconciliation/{run}"))
        .await
        .text;
    let broken = report["exceptions"][0]["id"].as_str().unwrap();
    assert!(
        page.contains(broken) && page.contains("•••• 5678"),
        "{page}"
    );
    assert!(!page.contains("12345678"), "{page}");
}
