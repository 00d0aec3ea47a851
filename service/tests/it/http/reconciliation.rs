//! A statement arrives: what it settles, what it does not, and that doing it again changes nothing.

use axum::{body::Body, http::Request};
use lombard_core::{
    command::Report,
    currency::Currency,
    journal::{self, Role},
    rail::Rail,
};
use lombard_service::{
    access::{Access, Grant},
    config::{Config, SourceConfig},
};
use serde_json::{Value, json};

use super::world::{World, outgoing};

/// Payments that have cleared, by their end-to-end ids.
pub async fn paid(world: &World, names: &[&str]) -> Vec<String> {
    let account = world.account(1_000_000).await;
    let mut made = Vec::new();
    for (at, name) in names.iter().enumerate() {
        let mut body = outgoing(&account);
        body["end_to_end_id"] = json!(name);
        body["amount"] = json!(1_000 + at as u64);
        let payment = world.post("/v1/payments", body).await.expect(201);
        let id = payment["id"].as_str().unwrap().to_owned();
        world.report(&id, Report::Submitted).await;
        world.report(&id, Report::Accepted(None)).await;
        made.push(id);
    }
    made
}

/// `YYMMDD` of the world's day.
pub fn today(world: &World) -> String {
    world.app.host.now().to_string()[2..10].replace('-', "")
}

fn pounds(units: i64) -> String {
    format!("{},{:02}", units.abs() / 100, units.abs() % 100)
}

/// A statement of these lines, which closes where `closing` says, or where it should.
fn statement(world: &World, number: u32, lines: &[(&str, i64)], closing: Option<i64>) -> String {
    statement_from(world, number, 1_000_000, lines, closing)
}

/// The same, which opens with so much.
pub fn statement_from(
    world: &World,
    number: u32,
    opening: i64,
    lines: &[(&str, i64)],
    closing: Option<i64>,
) -> String {
    let day = today(world);
    let mut text = format!(
        ":20:S{number}\n:25:20000055779911\n:28C:{number}/1\n:60F:C{day}GBP{}\n",
        pounds(opening)
    );
    for (name, units) in lines {
        let mark = if *units < 0 { 'D' } else { 'C' };
        text += &format!(
            ":61:{day}{mark}{}NTRF{name}//B{number}{name}\n",
            pounds(*units)
        );
        text += &format!(":86:/EREF/{name}/REMI/test\n");
    }
    let sum = opening + lines.iter().map(|it| it.1).sum::<i64>();
    text + &format!(":62F:C{day}GBP{}\n-", pounds(closing.unwrap_or(sum)))
}

pub async fn reconcile(world: &World, text: &str) -> Value {
    let key = format!("{:032x}", world.app.host.random());
    let request = Request::post("/v1/reconciliation/statements?source=bank")
        .header("authorization", format!("Bearer {}", world.key))
        .header("idempotency-key", key)
        .header("content-type", "application/octet-stream")
        .body(Body::from(text.to_owned()))
        .unwrap();
    world.send(request).await.expect(200)
}

async fn status(world: &World, payment: &str) -> String {
    world
        .get(&format!("/v1/payments/{payment}"))
        .await
        .text("status")
}

/// Kinds and references of what does not agree.
pub fn told(report: &Value) -> Vec<(String, String)> {
    let text = |it: &Value, name: &str| it[name].as_str().unwrap_or_default().to_owned();
    let all = report["exceptions"].as_array().unwrap();
    all.iter()
        .map(|it| (text(it, "kind"), text(it, "reference")))
        .collect()
}

fn one(kind: &str, reference: &str) -> Vec<(String, String)> {
    vec![(kind.to_owned(), reference.to_owned())]
}

async fn ledger_size(world: &World) -> usize {
    let page = world.get("/v1/ledger?limit=100").await.expect(200);
    page["data"].as_array().unwrap().len()
}

pub const LINES: [(&str, i64); 3] = [("E2E-A", -1_000), ("E2E-B", -1_001), ("E2E-C", -1_002)];

#[tokio::test]
async fn what_is_found_is_settled_once() {
    let world = World::new().await;
    let payments = paid(&world, &["E2E-A", "E2E-B", "E2E-C"]).await;
    let text = statement(&world, 1, &[LINES[0], LINES[1], LINES[2]], None);
    let report = reconcile(&world, &text).await;
    assert_eq!(told(&report), []);
    assert_eq!(
        (&report["lines"], &report["matched"]),
        (&json!(3), &json!(3))
    );
    assert_eq!(
        (&report["opening"], &report["closing"]),
        (&json!(1_000_000), &json!(996_997))
    );
    assert_eq!(report["statements"][0]["matched"], -3_003);
    for payment in &payments {
        assert_eq!(status(&world, payment).await, "SETTLED");
    }
    let before = ledger_size(&world).await;
    assert_eq!(reconcile(&world, &text).await, report);
    assert_eq!(ledger_size(&world).await, before);
}

#[tokio::test]
async fn a_missing_line_and_a_changed_cent_are_one_exception_each_that_names_it() {
    let names = ["E2E-A", "E2E-B", "E2E-C"];
    let whole = 1_000_000 - 3_003;
    for (lines, kind) in [
        (vec![LINES[0], LINES[2]], "missing_there"),
        (
            vec![LINES[0], ("E2E-B", -1_002), LINES[2]],
            "amount_differs",
        ),
    ] {
        // The statement contradicts itself: nothing of it is posted.
        let world = World::new().await;
        let payments = paid(&world, &names).await;
        let report = reconcile(&world, &statement(&world, 1, &lines, Some(whole))).await;
        assert_eq!(told(&report), one(kind, "E2E-B"), "{report}");
        assert_eq!(report["statements"][0]["quarantined"], true);
        assert_eq!(status(&world, &payments[0]).await, "CLEARED");
        // It adds up, and our books say otherwise: the rest is posted.
        let world = World::new().await;
        let payments = paid(&world, &names).await;
        let report = reconcile(&world, &statement(&world, 1, &lines, None)).await;
        assert_eq!(told(&report), one(kind, "E2E-B"), "{report}");
        assert_eq!(status(&world, &payments[0]).await, "SETTLED");
        assert_eq!(status(&world, &payments[1]).await, "CLEARED");
    }
}

#[tokio::test]
async fn a_payment_that_is_late_is_missed_and_found_again() {
    let world = World::new().await;
    let payments = paid(&world, &["E2E-A", "E2E-B"]).await;
    world.host.advance(3 * 86_400_000);
    let report = reconcile(&world, &statement(&world, 1, &[LINES[0]], None)).await;
    assert_eq!(told(&report), one("missing_there", "E2E-B"));
    let id = report["exceptions"][0]["id"].as_str().unwrap().to_owned();
    let later = reconcile(
        &world,
        &statement_from(&world, 2, 999_000, &[LINES[1]], None),
    )
    .await;
    assert_eq!(told(&later), []);
    assert_eq!(status(&world, &payments[1]).await, "SETTLED");
    let exception = world.get(&format!("/v1/exceptions/{id}")).await.expect(200);
    assert_eq!(exception["state"], "resolved");
    assert_eq!(exception["history"][0]["what"], "matched");
}

#[tokio::test]
async fn a_line_that_nobody_knows_is_resolved_by_two_people_when_it_is_much() {
    let world = World::new().await;
    let text = statement(&world, 1, &[("WHO-1", 250_000)], None);
    let report = reconcile(&world, &text).await;
    assert_eq!(told(&report), one("unknown_reference", "WHO-1"));
    let id = report["exceptions"][0]["id"].as_str().unwrap().to_owned();
    let path = |deed: &str| format!("/v1/exceptions/{id}/{deed}");
    let note = json!({"note": "mine"});
    let claimed = world.post(&path("claim"), note.clone()).await.expect(200);
    assert!(claimed["assignee"].as_str().unwrap().starts_with("key/"));

    let wish = json!({"action": "suspense", "note": "nobody knows it"});
    let proposed = world.post(&path("resolve"), wish.clone()).await.expect(200);
    assert_eq!(proposed["state"], "open");
    // The same person again is still one person.
    let again = world.post(&path("resolve"), wish.clone()).await.expect(200);
    assert_eq!(again["state"], "open");
    let before = ledger_size(&world).await;
    let mut access = Access::of(lombard_service::tenants::Scope::Write);
    access.grants = [Grant::Approve].into_iter().collect();
    let second = world.key_with(access).await;
    let done = world
        .call_as(&second, "POST", &path("resolve"), wish.clone())
        .await;
    assert_eq!(done.expect(200)["state"], "resolved");
    assert_eq!(ledger_size(&world).await, before + 1);

    // Resolved stays resolved when the file comes again.
    let report = reconcile(&world, &text).await;
    assert_eq!((told(&report), &report["explained"]), (vec![], &json!(1)));
    let refused = world.post(&path("resolve"), wish).await;
    refused.refused(409, "wrong_state", None);
    let reopened = world.post(&path("reopen"), note).await.expect(200);
    assert_eq!(reopened["state"], "open");
    assert_eq!(ledger_size(&world).await, before + 2);
}

/// The same statement a second time, with less or something else in it.
#[tokio::test]
async fn a_statement_that_says_otherwise_than_before_is_told_by_the_line() {
    let names = ["E2E-A", "E2E-B", "E2E-C"];
    let whole = 1_000_000 - 3_003;
    for closing in [Some(whole), None] {
        for (lines, kind) in [
            (vec![LINES[0], LINES[2]], "missing_there"),
            (
                vec![LINES[0], ("E2E-B", -1_002), LINES[2]],
                "amount_differs",
            ),
        ] {
            let world = World::new().await;
            paid(&world, &names).await;
            let all = statement(&world, 1, &LINES, None);
            assert_eq!(told(&reconcile(&world, &all).await), []);
            let size = ledger_size(&world).await;
            let text = statement(&world, 1, &lines, closing);
            let report = reconcile(&world, &text).await;
            let told_of = told(&report);
            assert_eq!(
                (told_of.len(), told_of[0].0.as_str()),
                (1, kind),
                "{report}"
            );
            assert!(told_of[0].1.contains("E2E-B"), "{report}");
            assert_eq!(reconcile(&world, &text).await, report);
            // As it was at first, it agrees, and the exception is over.
            assert_eq!(told(&reconcile(&world, &all).await), []);
            assert_eq!(ledger_size(&world).await, size);
        }
    }
}

/// Money that goes back without a message of the rail.
#[tokio::test]
async fn a_return_that_only_the_statement_tells_of_reverses_the_payment() {
    let world = World::new().await;
    let payments = paid(&world, &["E2E-A", "E2E-B"]).await;
    let lines = [LINES[0], LINES[1], ("E2E-A", 1_000)];
    let report = reconcile(&world, &statement(&world, 1, &lines, None)).await;
    assert_eq!((told(&report), &report["matched"]), (vec![], &json!(3)));
    assert_eq!(status(&world, &payments[0]).await, "REVERSED");
    assert_eq!(status(&world, &payments[1]).await, "SETTLED");
    let size = ledger_size(&world).await;
    let text = statement(&world, 1, &lines, None);
    assert_eq!(reconcile(&world, &text).await, report);
    assert_eq!(ledger_size(&world).await, size);
}

const ADYEN: &str = "\
Company Account,Merchant Account,Psp Reference,Merchant Reference,Payment Method,Creation Date,TimeZone,Type,Modification Reference,Gross Currency,Gross Debit (GC),Gross Credit (GC),Exchange Rate,Net Currency,Net Debit (NC),Net Credit (NC),Commission (NC),Markup (NC),Scheme Fees (NC),Interchange (NC),Batch Number
C,Shop,P1,ORDER-1,visa,2026-11-20 10:00:00,CET,Settled,M1,EUR,,100.00,1,EUR,,98.50,,0.50,0.20,0.80,7
C,Shop,P2,ORDER-2,visa,2026-11-20 11:00:00,CET,Settled,M2,EUR,,55.00,1,EUR,,54.10,0.90,,,,7
C,Shop,P1,ORDER-1,visa,2026-11-20 12:00:00,CET,Refunded,M3,EUR,20.00,,1,EUR,20.00,,,,,,7
C,Shop,P3,ORDER-3,visa,2026-11-20 12:30:00,CET,Settled,M4,EUR,,10.00,1,EUR,,10.00,,,,,7
C,Shop,P3,ORDER-3,visa,2026-11-20 13:00:00,CET,Chargeback,M5,EUR,10.00,,1,EUR,25.00,,15.00,,,,7
C,Shop,,,,2026-11-21 00:00:00,CET,Fee,Transaction Fees,,,,,EUR,2.50,,,,,,7
C,Shop,,,,2026-11-21 00:00:00,CET,MerchantPayout,TX1 batch 7,,,,,EUR,115.10,,,,,,7
";

/// Payments that came in for an account of ours, in euros.
async fn came(world: &World, payments: &[(&str, u64)]) -> Vec<String> {
    let body = json!({"name": "shop", "currency": "EUR"});
    let account = world.post("/v1/accounts", body).await.expect(201);
    let account = account["id"].as_str().unwrap();
    let mut ids = Vec::new();
    for (reference, minor) in payments {
        ids.push(world.came(account, Rail::SepaInst, reference, *minor).await);
    }
    ids
}

/// A provider's batch: sales, a refund and a chargeback that only the provider knows of, fees.
#[tokio::test]
async fn a_batch_of_a_provider_closes_to_the_cent() {
    let sales = [("ORDER-1", 10_000), ("ORDER-2", 5_500), ("ORDER-3", 1_000)];
    let world = World::new().await;
    let ids = came(&world, &sales).await;
    let report = reconcile(&world, ADYEN).await;
    assert_eq!(told(&report), [], "{report}");
    assert_eq!(
        (&report["lines"], &report["matched"]),
        (&json!(6), &json!(5))
    );
    let close = &report["statements"][0];
    assert_eq!(
        (&close["open"], &close["closing"]),
        (&json!(0), &json!(11_510)),
        "{close}"
    );
    assert_eq!(status(&world, &ids[0]).await, "SETTLED");
    assert_eq!(status(&world, &ids[2]).await, "REVERSED");
    // Nothing is left at the provider; what it paid out is on its way to the bank.
    assert_eq!(house(&world, Role::Settlement).await, 0);
    assert_eq!(house(&world, Role::Clearing).await, 0);
    assert_eq!(house(&world, Role::Suspense).await, 11_510);
    let size = ledger_size(&world).await;
    assert_eq!(reconcile(&world, ADYEN).await, report);
    assert_eq!(ledger_size(&world).await, size);

    let removed = ADYEN.lines().filter(|it| !it.contains(",ORDER-2,"));
    let removed: Vec<&str> = removed.collect();
    let changed = ADYEN.replace(",55.00,1,EUR,,54.10", ",55.01,1,EUR,,54.11");
    for (text, kind) in [
        (removed.join("\n"), "missing_there"),
        (changed, "amount_differs"),
    ] {
        // Against the payments alone, and against the batch as it was before.
        for before in [false, true] {
            let world = World::new().await;
            came(&world, &sales).await;
            if before {
                reconcile(&world, ADYEN).await;
            }
            let report = reconcile(&world, &text).await;
            assert_eq!(told(&report).len(), 1, "{report}");
            assert_eq!(report["exceptions"][0]["kind"], kind, "{report}");
            let why = report["exceptions"][0].to_string();
            assert!(why.contains("ORDER-2") || why.contains("P2"), "{report}");
        }
    }
}

/// A world whose source has these settings.
async fn with_source(source: SourceConfig) -> World {
    let mut config = Config::default();
    let sources = &mut config.reconciliation.sources;
    sources.insert("bank".to_owned(), source);
    World::with(config).await
}

#[tokio::test]
async fn a_payment_that_came_after_its_days_is_settled_and_told() {
    let mut source = SourceConfig::default();
    source.rules.days_after = 1;
    let world = with_source(source).await;
    let payments = paid(&world, &["E2E-A"]).await;
    world.host.advance(3 * 86_400_000);
    let text = statement(&world, 1, &[LINES[0]], None);
    let report = reconcile(&world, &text).await;
    assert_eq!(told(&report), one("late", "E2E-A"));
    assert_eq!(status(&world, &payments[0]).await, "SETTLED");
    assert_eq!(reconcile(&world, &text).await, report);
}

#[tokio::test]
async fn nothing_of_a_statement_of_another_account_is_posted() {
    let source = SourceConfig {
        accounts: vec!["GB33 BUKB 2020 1555 5555 55".to_owned()],
        ..SourceConfig::default()
    };
    let world = with_source(source).await;
    let payments = paid(&world, &["E2E-A"]).await;
    let size = ledger_size(&world).await;
    let text = statement(&world, 1, &[LINES[0]], None);
    let report = reconcile(&world, &text).await;
    assert_eq!(told(&report).len(), 1, "{report}");
    assert_eq!(report["exceptions"][0]["kind"], "wrong_account");
    assert_eq!(report["statements"][0]["quarantined"], true);
    assert_eq!(status(&world, &payments[0]).await, "CLEARED");
    assert_eq!(ledger_size(&world).await, size);
    assert_eq!(reconcile(&world, &text).await, report);
}

#[tokio::test]
async fn a_fee_above_what_was_agreed_is_posted_and_told() {
    let mut source = SourceConfig::default();
    source.rules.fee.fixed = 100;
    let world = with_source(source).await;
    let sales = [("ORDER-1", 10_000), ("ORDER-2", 5_500), ("ORDER-3", 1_000)];
    let ids = came(&world, &sales).await;
    let report = reconcile(&world, ADYEN).await;
    let kinds: Vec<String> = told(&report).into_iter().map(|it| it.0).collect();
    assert_eq!(kinds, ["fee_differs"], "{report}");
    assert_eq!(report["exceptions"][0]["amount"], 50);
    assert_eq!(status(&world, &ids[0]).await, "SETTLED");
    assert_eq!(reconcile(&world, ADYEN).await, report);
}

/// What stands in a house account of the euro's rail, by its transactions.
async fn house(world: &World, role: Role) -> i64 {
    let account = journal::house(world.tenant, Rail::SepaInst, role, Currency::EUR).to_string();
    let page = world.get("/v1/ledger?limit=100").await.expect(200);
    let legs = page["data"].as_array().unwrap().iter();
    let legs = legs.flat_map(|it| it["legs"].as_array().unwrap());
    let signed = |leg: &Value| {
        let amount = leg["amount"].as_i64().unwrap();
        if leg["side"] == "debit" {
            amount
        } else {
            -amount
        }
    };
    legs.filter(|leg| leg["account"] == account.as_str())
        .map(signed)
        .sum()
}

#[tokio::test]
async fn what_is_no_statement_is_refused() {
    let world = World::new().await;
    let request = |path: &str, body: &'static str| {
        Request::post(path)
            .header("authorization", format!("Bearer {}", world.key))
            .header("idempotency-key", "k")
            .body(Body::from(body))
            .unwrap()
    };
    let path = "/v1/reconciliation/statements";
    let answer = world
        .send(request(&format!("{path}?source=bank"), "hello"))
        .await;
    answer.refused(422, "invalid_file", None);
    let answer = world.send(request(path, "hello")).await;
    answer.refused(400, "invalid_parameter", Some("source"));
    let answer = world
        .send(request(&format!("{path}?source=A%20B"), "hello"))
        .await;
    answer.refused(400, "invalid_parameter", Some("source"));
}
