//! Payments: made, looked up, and what can be done to one before it is decided.

use lombard_core::command::Report;
use lombard_service::ports::Host;
use serde_json::{Value, json};

use super::world::{World, internal, outgoing};

async fn stands(world: &World, payment: &str) -> (String, Value) {
    let payment = world
        .get(&format!("/v1/payments/{payment}"))
        .await
        .expect(200);
    let status = payment["status"].as_str().unwrap().to_owned();
    (status, payment["pending"].clone())
}

#[tokio::test]
async fn a_payment_for_a_later_day_is_accepted_now_and_can_be_cancelled() {
    let world = World::new().await;
    let account = world.account(10_000).await;
    let day = |days: u64| world.host.now().plus_ms(days * 86_400_000).to_string()[..10].to_owned();
    let mut body = outgoing(&account);
    body["requested_execution_date"] = json!(day(2));
    let payment = world
        .post_with("/v1/payments", "later", body.clone())
        .await
        .expect(201);
    assert_eq!(
        (&payment["status"], &payment["pending"]),
        (&json!("AUTH_PENDING"), &json!("rails"))
    );
    assert_eq!(
        payment["execute_at"],
        json!(format!("{}T00:00:00.000Z", day(2)))
    );
    let held = world.get(&format!("/v1/accounts/{account}")).await;
    assert_eq!(held.expect(200)["balance"]["debits_pending"], 0);
    // A repetition long after the day gets the same answer.
    world.host.advance(10 * 86_400_000);
    let again = world.post_with("/v1/payments", "later", body.clone()).await;
    assert_eq!(again.expect(201), payment);
    let id = payment["id"].as_str().unwrap();
    let cancelled = world
        .post(&format!("/v1/payments/{id}/cancel"), json!({}))
        .await;
    assert_eq!(cancelled.expect(200)["status"], "FAILED");

    body["requested_execution_date"] = json!(day(0));
    let today = world.post("/v1/payments", body.clone()).await.expect(201);
    assert_eq!(
        (&today["status"], &today["execute_at"]),
        (&json!("INITIATED"), &json!(null))
    );
    for wrong in [
        day(367),
        "2026-02-30".to_owned(),
        "tomorrow".to_owned(),
        String::new(),
    ] {
        body["requested_execution_date"] = json!(wrong);
        world.post("/v1/payments", body.clone()).await.refused(
            400,
            "invalid_field",
            Some("/requested_execution_date"),
        );
    }
}

#[tokio::test]
async fn a_payment_is_held_and_says_nothing_personal() {
    let world = World::new().await;
    let account = world.account(10_000).await;
    let answer = world.post("/v1/payments", outgoing(&account)).await;
    let text = String::from_utf8_lossy(&answer.bytes).into_owned();
    let payment = answer.expect(201);
    assert_eq!(payment["status"], "INITIATED");
    assert_eq!(payment["pending"], "rails");
    assert_eq!(payment["rail"], "fps");
    assert_eq!(payment["direction"], "out");
    assert_eq!(payment["creditor"]["last4"], "9911");
    for personal in ["Lovelace", "55779911", "20-00-00", "200000", "INV 42"] {
        assert!(!text.contains(personal), "{personal} in {text}");
    }
    let found = world
        .get(&format!("/v1/accounts/{account}"))
        .await
        .expect(200);
    assert_eq!(found["balance"]["available"], 8_750);
    assert_eq!(found["balance"]["debits_pending"], 1_250);
    let id = payment["id"].as_str().unwrap();
    assert_eq!(
        world.get(&format!("/v1/payments/{id}")).await.expect(200),
        payment
    );
}

#[tokio::test]
async fn a_payment_between_accounts_here_is_final_at_once() {
    let world = World::new().await;
    let (from, to) = (world.account(500).await, world.account(0).await);
    let payment = world
        .post("/v1/payments", internal(&from, &to, 200))
        .await
        .expect(201);
    assert_eq!(
        (&payment["status"], &payment["rail"]),
        (&json!("CLEARED"), &json!("book"))
    );
    assert!(payment.get("pending").is_none());
    let to = world.get(&format!("/v1/accounts/{to}")).await.expect(200);
    assert_eq!(to["balance"]["available"], 200);
}

#[tokio::test]
async fn the_rail_follows_from_creditor_and_currency() {
    let world = World::new().await;
    let account =
        json!({"name": "euros", "currency": "EUR", "address": {"iban": "DE89370400440532013000"}});
    let account = world.post("/v1/accounts", account).await.expect(201);
    let mut body = json!({"amount": 1, "currency": "EUR", "debtor": {"account": account["id"]},
        "creditor": {"name": "Grace Hopper", "iban": "NL91ABNA0417164300"}});
    let payment = world.post("/v1/payments", body.clone()).await.expect(201);
    assert_eq!(payment["rail"], "sepa_inst");
    body["rail"] = json!("book");
    world
        .post("/v1/payments", body.clone())
        .await
        .refused(422, "scheme_rule", Some("/rail"));
    body["rail"] = json!("fps");
    world.post("/v1/payments", body.clone()).await.refused(
        422,
        "currency_mismatch",
        Some("/currency"),
    );
    body["rail"] = Value::Null;
    body["currency"] = json!("USD");
    world
        .post("/v1/payments", body)
        .await
        .refused(422, "currency_mismatch", Some("/currency"));
}

#[tokio::test]
async fn what_a_scheme_would_cut_is_warned_of_and_what_it_refuses_is_refused() {
    let world = World::new().await;
    let account = world.account(10_000).await;
    let mut body = outgoing(&account);
    body["reference"] = json!("twenty-five characters ok");
    let answer = world.post("/v1/payments", body.clone()).await;
    assert_eq!(answer.header("lombard-warning"), Some("cut;reference"));
    let mut text = outgoing(&account);
    text["reference"] = Value::Null;
    text["remittance"] = json!("twenty-five characters ok");
    let answer = world.post("/v1/payments", text).await;
    assert_eq!(answer.header("lombard-warning"), Some("cut;remittance"));
    body["reference"] = json!("x".repeat(36));
    world
        .post("/v1/payments", body.clone())
        .await
        .refused(422, "scheme_rule", Some("/reference"));
    body["reference"] = json!("雪");
    world
        .post("/v1/payments", body.clone())
        .await
        .refused(422, "scheme_rule", Some("/reference"));
    body["remittance"] = json!("both");
    world
        .post("/v1/payments", body.clone())
        .await
        .refused(422, "scheme_rule", Some("/remittance"));
    body = outgoing(&account);
    body["amount"] = json!(100_000_001);
    world
        .post("/v1/payments", body)
        .await
        .refused(422, "scheme_rule", Some("/amount"));
}

#[tokio::test]
async fn a_lack_of_funds_fails_or_waits() {
    let world = World::new().await;
    let account = world.account(100).await;
    let failed = world
        .post("/v1/payments", outgoing(&account))
        .await
        .expect(201);
    assert_eq!(
        (&failed["status"], &failed["reason"]),
        (&json!("FAILED"), &json!("insufficient_funds"))
    );
    let mut body = outgoing(&account);
    body["on_insufficient_funds"] = json!("wait");
    body["expires_in_seconds"] = json!(60);
    let waiting = world.post("/v1/payments", body).await.expect(201);
    assert_eq!(
        (&waiting["status"], &waiting["pending"]),
        (&json!("AUTH_PENDING"), &json!("funds"))
    );
    assert!(waiting["expires_at"].is_string());
}

#[tokio::test]
async fn a_payment_in_verification_goes_on_or_fails() {
    let world = World::new().await;
    let account = world.account(10_000).await;
    let mut body = outgoing(&account);
    body["verification"] = json!("fraud_suspected");
    for (answer, status) in [
        (json!({"result": "passed"}), "AUTH_PENDING"),
        (json!({"result": "refused"}), "FAILED"),
        (
            json!({"result": "refused", "reason": "name_mismatch"}),
            "FAILED",
        ),
    ] {
        let payment = world.post("/v1/payments", body.clone()).await.expect(201);
        assert_eq!(
            (&payment["pending"], &payment["reason"]),
            (&json!("verification"), &json!("fraud_suspected"))
        );
        let path = format!(
            "/v1/payments/{}/verification",
            payment["id"].as_str().unwrap()
        );
        let done = world.post(&path, answer.clone()).await.expect(200);
        assert_eq!(done["status"], status, "{answer}");
        world
            .post(&path, answer)
            .await
            .refused(409, "wrong_state", None);
    }
    let payment = world.payment().await;
    let path = format!("/v1/payments/{payment}/verification");
    world
        .post(&path, json!({"result": "passed", "reason": "expired"}))
        .await
        .refused(400, "invalid_field", Some("/reason"));
}

#[tokio::test]
async fn a_payment_is_cancelled_until_it_has_left() {
    let world = World::new().await;
    let payment = world.payment().await;
    let cancelled = world
        .post(&format!("/v1/payments/{payment}/cancel"), json!({}))
        .await
        .expect(200);
    assert_eq!(
        (&cancelled["status"], &cancelled["reason"]),
        (&json!("FAILED"), &json!("cancelled"))
    );
    let payment = world.payment().await;
    world.report(&payment, Report::Submitted).await;
    world
        .post(&format!("/v1/payments/{payment}/cancel"), json!({}))
        .await
        .refused(409, "wrong_state", None);
    assert_eq!(
        stands(&world, &payment).await,
        ("AUTH_PENDING".into(), json!("rails"))
    );
}

#[tokio::test]
async fn the_timeline_tells_what_happened_and_under_which_trace() {
    let world = World::new().await;
    let payment = world.cleared().await;
    let timeline = world
        .get(&format!("/v1/payments/{payment}/timeline"))
        .await
        .expect(200);
    let events = timeline["data"].as_array().unwrap();
    let kinds: Vec<_> = events
        .iter()
        .map(|event| event["type"].as_str().unwrap())
        .collect();
    assert_eq!(
        kinds,
        [
            "payment.initiated",
            "payment.auth_pending",
            "payment.cleared"
        ]
    );
    assert!(events[0]["actor"].as_str().unwrap().starts_with("key/key_"));
    assert_eq!(events[0]["trace_id"].as_str().unwrap().len(), 32);
    assert_eq!(events[2]["actor"], "rail/fps");
}

#[tokio::test]
async fn the_list_is_newest_first_in_pages_and_filtered() {
    let world = World::new().await;
    let (from, to) = (world.account(10_000).await, world.account(0).await);
    let mut made = Vec::new();
    for number in 0..7 {
        world.host.advance(1_000);
        let mut body = internal(&from, &to, 100);
        body["end_to_end_id"] = json!(format!("E{}", number % 2));
        let payment = world.post("/v1/payments", body).await.expect(201);
        made.insert(
            0,
            (
                payment["id"].clone(),
                payment["created_at"].as_str().unwrap().to_owned(),
            ),
        );
    }
    let ids: Vec<Value> = made.iter().map(|(id, _)| id.clone()).collect();
    assert_eq!(walk(&world, "/v1/payments?limit=3").await, ids);
    assert_eq!(walk(&world, "/v1/payments?limit=7").await, ids);
    let even: Vec<Value> = ids.iter().step_by(2).cloned().collect();
    assert_eq!(
        walk(&world, "/v1/payments?limit=2&end_to_end_id=E0").await,
        even
    );
    assert_eq!(
        walk(
            &world,
            &format!("/v1/payments?limit=2&account={to}&status=CLEARED")
        )
        .await,
        ids
    );
    assert!(
        walk(&world, "/v1/payments?limit=2&status=FAILED")
            .await
            .is_empty()
    );
    let (from, before) = (&made[4].1, &made[1].1);
    let path = format!("/v1/payments?limit=2&created_from={from}&created_before={before}");
    assert_eq!(walk(&world, &path).await, ids[2..5]);
}

/// The ids of all pages.
async fn walk(world: &World, path: &str) -> Vec<Value> {
    let mut all = Vec::new();
    let mut next = path.to_owned();
    loop {
        let page = world.get(&next).await.expect(200);
        all.extend(
            page["data"]
                .as_array()
                .unwrap()
                .iter()
                .map(|item| item["id"].clone()),
        );
        match page["next_cursor"].as_str() {
            Some(cursor) => next = format!("{path}&cursor={cursor}"),
            None => return all,
        }
        assert_eq!(page["has_more"], true);
    }
}

#[tokio::test]
async fn whoever_waits_is_told_the_outcome() {
    let world = World::new().await;
    let account = world.account(10_000).await;
    let request = |seconds: &str| {
        let mut request = world.request(
            "/v1/payments",
            &format!("wait-{seconds}"),
            outgoing(&account).to_string(),
        );
        request
            .headers_mut()
            .insert("prefer", format!("wait={seconds}").parse().unwrap());
        request
    };
    // Nothing comes: the payment as it is when the time is up.
    let late = world.send(request("0")).await;
    assert_eq!(late.header("preference-applied"), Some("wait=0"));
    assert_eq!(late.expect(201)["status"], "INITIATED");

    world.host.advance(1);
    let moving = async {
        let payment = loop {
            let all = world.get("/v1/payments?limit=1").await.expect(200);
            if all["data"].as_array().unwrap().len() == 1 && all["has_more"] == true {
                break all["data"][0]["id"].as_str().unwrap().to_owned();
            }
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        };
        world.report(&payment, Report::Submitted).await;
        world.report(&payment, Report::Accepted(None)).await;
    };
    let (told, ()) = tokio::join!(world.send(request("20")), moving);
    assert_eq!(told.header("preference-applied"), Some("wait=20"));
    assert_eq!(told.expect(201)["status"], "CLEARED");

    // Without the wish to wait, the key gives its first answer; with it, the payment as it is.
    let first = world
        .post_with("/v1/payments", "wait-20", outgoing(&account))
        .await;
    assert_eq!(first.header("idempotency-replayed"), Some("true"));
    assert_eq!(first.expect(201)["status"], "INITIATED");
    let again = world.send(request("20")).await;
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert_eq!(again.expect(201)["status"], "CLEARED");
}
