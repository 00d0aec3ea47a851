//! Tokens: what is kept, what is shown, who gets it back, and how it is forgotten.

use lombard_core::{audit::Audit, store::decode, time::Timestamp};
use lombard_service::{
    access::{Access, Grant},
    ports::Range,
    tenants::Scope,
    vault::{
        erasure,
        rotation::{self, What},
    },
};
use serde_json::{Value, json};

use super::world::World;

const PAN: &str = "4242424242424242";

fn card() -> Value {
    json!({"card": {"number": "4242 4242 4242 4242", "exp_month": 12, "exp_year": 2031,
        "holder": "Ada Lovelace", "security_code": "123"}})
}

async fn granted(world: &World, grants: &[Grant]) -> String {
    let mut access = Access::of(Scope::Read);
    access.grants = grants.iter().copied().collect();
    world.key_with(access).await
}

async fn deeds(world: &World) -> Vec<Audit> {
    let range = Range::listed(&lombard_core::audit::list(world.tenant), 1000);
    let found = world.app.store.range(&range).await.unwrap();
    found
        .iter()
        .map(|found| decode(&found.record.body.bytes))
        .collect()
}

/// Everything that a store says, as text.
pub async fn all_of(store: &dyn lombard_service::ports::Store) -> String {
    let mut text = String::new();
    for shard in 0..store.shards() {
        let mut after = 0;
        loop {
            let commits = store.changes(shard, after, 1000, 0).await.unwrap();
            let Some(last) = commits.last() else { break };
            after = last.position;
            for change in commits.iter().flat_map(|commit| commit.changes.iter()) {
                text.push_str(&format!("{change:?}\n"));
            }
        }
    }
    text
}

#[tokio::test]
async fn a_card_becomes_a_token_that_says_little() {
    let world = World::new().await;
    let answer = world.post("/v1/tokens", card()).await.expect(201);
    for (member, value) in [
        ("type", json!("card")),
        ("brand", json!("visa")),
        ("bin", json!("42424242")),
        ("last4", json!("4242")),
        ("exp_month", json!(12)),
        ("exp_year", json!(2031)),
        ("erased", json!(false)),
    ] {
        assert_eq!(answer[member], value, "{answer}");
    }
    let id = answer["id"].as_str().unwrap();
    assert!(id.starts_with("tok_"));
    let looked = world.get(&format!("/v1/tokens/{id}")).await.expect(200);
    assert_eq!(looked, answer);
    let again = world.post("/v1/tokens", card()).await.expect(201);
    assert_ne!(again["id"], answer["id"]);
    assert_eq!(again["fingerprint"], answer["fingerprint"]);
    let theirs = world
        .call_as(&world.other_key, "POST", "/v1/tokens", card())
        .await;
    assert_ne!(theirs.expect(201)["fingerprint"], answer["fingerprint"]);
}

#[tokio::test]
async fn a_retry_is_answered_alike_and_the_security_code_plays_no_part() {
    let world = World::new().await;
    let first = world
        .post_with("/v1/tokens", "once", card())
        .await
        .expect(201);
    let mut other_code = card();
    other_code["card"]["security_code"] = json!("999");
    let again = world.post_with("/v1/tokens", "once", other_code).await;
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert_eq!(again.expect(201), first);
    let mut other_card = card();
    other_card["card"]["number"] = json!("5555555555554444");
    let reused = world.post_with("/v1/tokens", "once", other_card).await;
    reused.refused(422, "idempotency_key_reused", None);
}

#[tokio::test]
async fn what_cannot_be_right_is_refused_and_not_repeated() {
    let world = World::new().await;
    let with = |member: &str, value: Value| {
        let mut body = card();
        body["card"][member] = value;
        body
    };
    for (body, code, field) in [
        (
            with("number", json!("4242424242424241")),
            "card_invalid",
            "/card/number",
        ),
        (
            with("number", json!("424242424242")),
            "card_invalid",
            "/card/number",
        ),
        (
            with("exp_year", json!(2019)),
            "card_invalid",
            "/card/exp_year",
        ),
        (
            with("exp_month", json!(13)),
            "card_invalid",
            "/card/exp_year",
        ),
        (
            with("security_code", json!("12")),
            "card_invalid",
            "/card/security_code",
        ),
        (with("holder", json!(PAN)), "invalid_field", "/card/holder"),
        (with("cvv", json!("123")), "invalid_field", "/card/cvv"),
        (
            json!({"bank_account": {"iban": "GB83WEST12345698765432"}}),
            "bank_address_invalid",
            "/bank_account/iban",
        ),
        (
            json!({"bank_account": {"sort_code": "20-00-0", "account_number": "55779911"}}),
            "bank_address_invalid",
            "/bank_account/sort_code",
        ),
        (
            json!({"bank_account": {}}),
            "invalid_field",
            "/bank_account",
        ),
        (json!({"person": {}}), "invalid_field", "/person"),
        (json!({}), "invalid_field", ""),
    ] {
        let answer = world.post("/v1/tokens", body.clone()).await;
        let said = String::from_utf8_lossy(&answer.bytes).into_owned();
        assert!(!said.contains("4242424242"), "{said}");
        let status = if code == "invalid_field" { 400 } else { 422 };
        answer.refused(status, code, Some(field));
    }
}

#[tokio::test]
async fn reading_back_takes_a_grant_and_is_on_record() {
    let world = World::new().await;
    let id = world.post("/v1/tokens", card()).await.text("id");
    let path = format!("/v1/tokens/{id}/detokenize");
    let body = json!({"purpose": "payout 4711"});
    let writes = world.key_with(Access::of(Scope::Write)).await;
    let refused = world.call_as(&writes, "POST", &path, body.clone()).await;
    refused.refused(403, "forbidden", None);
    let may = granted(&world, &[Grant::Detokenize]).await;
    let answer = world.call_as(&may, "POST", &path, body).await.expect(200);
    assert_eq!(answer["card"]["number"], PAN);
    assert_eq!(answer["card"]["holder"], "Ada Lovelace");
    assert!(answer["card"].get("security_code").is_none());
    world
        .call_as(&may, "POST", &path, json!({}))
        .await
        .refused(400, "invalid_field", None);
    let deeds = deeds(&world).await;
    let read: Vec<&Audit> = deeds
        .iter()
        .filter(|deed| deed.what == "token.detokenize")
        .collect();
    assert_eq!(read.len(), 1);
    assert_eq!(
        (read[0].on.as_str(), read[0].why.as_deref()),
        (id.as_str(), Some("payout 4711"))
    );
    assert_eq!(read[0].outcome, "done");
    assert!(read[0].who.starts_with("key/key_") && read[0].trace.is_some());
}

#[tokio::test]
async fn a_scope_binds_whoever_reads() {
    let world = World::new().await;
    let mut body = card();
    body["scope"] = json!({"merchant": "shop", "operations": ["charge"], "amount_max": 500,
        "currency": "GBP", "expires_in_seconds": 60});
    let id = world.post("/v1/tokens", body).await.text("id");
    let path = format!("/v1/tokens/{id}/detokenize");
    let ask = |more: Value| {
        let mut body = json!({"purpose": "p", "merchant": "shop", "operation": "charge", "amount": 500, "currency": "GBP"});
        for (name, value) in more.as_object().unwrap() {
            body[name] = value.clone();
        }
        world.post(&path, body)
    };
    ask(json!({})).await.expect(200);
    for more in [
        json!({"merchant": "other"}),
        json!({"operation": "payout"}),
        json!({"amount": 501}),
        json!({"currency": "EUR"}),
    ] {
        ask(more).await.refused(403, "token_out_of_scope", None);
    }
    world.host.advance(61_000);
    ask(json!({}))
        .await
        .refused(403, "token_out_of_scope", None);
    let refused = deeds(&world)
        .await
        .into_iter()
        .filter(|deed| deed.outcome != "done");
    let mut outcomes: Vec<String> = refused.map(|deed| deed.outcome).collect();
    outcomes.sort();
    assert_eq!(
        outcomes,
        ["amount", "amount", "expired", "merchant", "operation"]
    );
}

#[tokio::test]
async fn many_readings_in_an_hour_alert_a_person_once() {
    let mut config = lombard_service::config::Config::default();
    config.vault.detokenize_per_hour_max = 3;
    let world = World::with(config).await;
    // However many payments name a token, nobody reads it back.
    let bank = json!({"bank_account": {"sort_code": "200000", "account_number": "55779911", "holder": "Ada"}});
    let bank = world.post("/v1/tokens", bank).await.text("id");
    let from = world.account(10_000).await;
    for _ in 0..6 {
        let body = json!({"amount": 1, "currency": "GBP", "debtor": {"account": from}, "creditor": {"token": bank}});
        world.post("/v1/payments", body).await.expect(201);
    }
    let quiet = world.get("/v1/exceptions").await.expect(200);
    assert_eq!(quiet["data"], json!([]));
    let used = deeds(&world).await;
    let used = used.iter().filter(|deed| deed.what == "token.detokenize");
    assert_eq!(used.count(), 6, "each is on record");
    let id = world.post("/v1/tokens", card()).await.text("id");
    let path = format!("/v1/tokens/{id}/detokenize");
    // At once: the count is exact all the same.
    let six = (0..6).map(|_| world.post(&path, json!({"purpose": "p"})));
    for answer in futures_util::future::join_all(six).await {
        answer.expect(200);
    }
    let exceptions = world.get("/v1/exceptions").await.expect(200);
    let data = exceptions["data"].as_array().unwrap();
    assert_eq!(data.len(), 1, "{exceptions}");
    assert_eq!(data[0]["kind"], "detokenize_anomaly");
}

#[tokio::test]
async fn the_store_says_nothing_in_clear() {
    let world = World::new().await;
    let secret = [
        PAN,
        "4242 4242",
        "Ada Lovelace",
        "ada@example.org",
        "GB82WEST12345698765432",
        "55779911",
        "\"123\"",
    ];
    world.post("/v1/tokens", card()).await.expect(201);
    let bodies = [
        json!({"bank_account": {"iban": "GB82WEST12345698765432", "holder": "Ada Lovelace"}}),
        json!({"bank_account": {"sort_code": "200000", "account_number": "55779911"}}),
        json!({"person": {"name": "Ada Lovelace", "email": "ada@example.org"}}),
    ];
    for body in bodies {
        let id = world.post("/v1/tokens", body).await.text("id");
        let path = format!("/v1/tokens/{id}/detokenize");
        world.post(&path, json!({"purpose": "p"})).await.expect(200);
    }
    for store in [&world.tokens.app().store, &world.app.store] {
        let said = all_of(&**store).await;
        assert!(!said.is_empty());
        for secret in secret {
            assert!(!said.contains(secret), "{secret}");
        }
        // Not even masked: what may be shown is sealed too, or an erasure would leave it.
        assert!(!said.contains("\"last4\":\"4242\""));
    }
}

#[tokio::test]
async fn somebody_forgotten_is_gone_for_good() {
    let world = World::new().await;
    let token = world.post("/v1/tokens", card()).await.expect(201);
    let (id, subject) = (
        token["id"].as_str().unwrap(),
        token["subject"].as_str().unwrap(),
    );
    let mut more = json!({"person": {"name": "Ada Lovelace", "email": "ada@example.org"}});
    more["subject"] = json!(subject);
    world.post("/v1/tokens", more.clone()).await.expect(201);
    let place = format!("/v1/subjects/{subject}");
    let export = world.get(&format!("{place}/export")).await.expect(200);
    assert_eq!(export["data"].as_array().unwrap().len(), 2);
    assert!(export.to_string().contains("ada@example.org"));
    assert!(!export.to_string().contains(PAN));

    let reads = world.key_with(Access::of(Scope::Write)).await;
    world
        .call_as(&reads, "DELETE", &place, json!({}))
        .await
        .refused(403, "forbidden", None);
    let erased = world
        .call_as(&world.key, "DELETE", &place, json!({}))
        .await
        .expect(200);
    assert_eq!(erased["state"], "erased");
    let again = world
        .call_as(&world.key, "DELETE", &place, json!({}))
        .await
        .expect(200);
    assert_eq!(again["erased_at"], erased["erased_at"]);

    let looked = world.get(&format!("/v1/tokens/{id}")).await.expect(200);
    assert_eq!(
        (&looked["erased"], looked.get("last4")),
        (&json!(true), None)
    );
    let path = format!("/v1/tokens/{id}/detokenize");
    world
        .post(&path, json!({"purpose": "p"}))
        .await
        .refused(410, "subject_erased", None);
    world
        .post("/v1/tokens", more)
        .await
        .refused(410, "subject_erased", Some("/subject"));
    let what: Vec<String> = deeds(&world)
        .await
        .into_iter()
        .map(|deed| deed.what)
        .collect();
    assert!(what.contains(&"subject.erase".to_owned()), "{what:?}");
}

#[tokio::test]
async fn the_law_defers_an_erasure_and_its_end_carries_it_out() {
    let world = World::new().await;
    let subject = world.post("/v1/tokens", card()).await.text("subject");
    let id = subject.parse().unwrap();
    world.tokens.note_use(world.tenant, id).await.unwrap();
    let place = format!("/v1/subjects/{subject}");
    let deferred = world
        .call_as(&world.key, "DELETE", &place, json!({}))
        .await
        .expect(202);
    assert_eq!(deferred["state"], "erasure_deferred");
    assert!(deferred["reason"].as_str().unwrap().contains("MLR 2017"));
    let until = Timestamp::parse_rfc3339(deferred["kept_until"].as_str().unwrap()).unwrap();
    assert_eq!(erasure::carry_out(&world.tokens).await.unwrap(), 0);
    world
        .host
        .advance(until.ms_since(lombard_service::ports::Host::now(&*world.host)) + 1);
    assert_eq!(erasure::carry_out(&world.tokens).await.unwrap(), 1);
    assert_eq!(world.get(&place).await.expect(200)["state"], "erased");
    assert_eq!(erasure::replay(&world.tokens).await.unwrap(), 1);
}

#[tokio::test]
async fn keys_are_exchanged_while_tokens_are_read() {
    let world = World::new().await;
    let mut ids = Vec::new();
    for _ in 0..5 {
        ids.push(world.post("/v1/tokens", card()).await.text("id"));
    }
    let key_before = world.get("/v1/vault/keys").await.expect(200);
    for what in What::ALL {
        let body = json!({"what": what.name()});
        let started = world.post("/v1/vault/rotations", body).await.expect(202);
        assert_eq!(
            (&started["total"], &started["done"]),
            (&json!(5), &json!(0))
        );
        world.host.advance(1);
        loop {
            for id in &ids {
                let path = format!("/v1/tokens/{id}/detokenize");
                let read = world.post(&path, json!({"purpose": "p"})).await.expect(200);
                assert_eq!(read["card"]["number"], PAN);
            }
            if !rotation::step(&world.tokens, what).await.unwrap() {
                break;
            }
        }
    }
    let rotations = world.get("/v1/vault/rotations").await.expect(200);
    for rotation in rotations["data"].as_array().unwrap() {
        assert_eq!(rotation["done"], 5);
        assert!(rotation["ended_at"].is_string());
    }
    let keys = world.get("/v1/vault/keys").await.expect(200);
    assert_eq!(key_before["data"].as_array().unwrap().len(), 1);
    assert_eq!(keys["data"].as_array().unwrap().len(), 2);
    let last = world
        .tokens
        .subjects()
        .page("subjects", None, 10)
        .await
        .unwrap();
    for (_, subject) in last {
        let key = &subject.keys[0];
        assert_eq!(
            (subject.keys.len(), key.number, key.wrapped.key.as_str()),
            (1, 2, "k2")
        );
    }
}

/// A bank account is paid by its token: within what the token is for, once on record for each
/// payment, and without who pays ever seeing it.
#[tokio::test]
async fn a_token_is_paid_within_what_it_is_for() {
    let world = World::new().await;
    let account = world.account(100_000).await;
    let kept = |scope: Value| {
        let mut body = json!({"bank_account": {"sort_code": "20-00-00",
            "account_number": "55779911", "holder": "Ada Lovelace"}});
        body["scope"] = scope;
        body
    };
    let narrow = json!({"operations": ["payout"], "merchant": "shop",
        "amount_max": 2_000, "currency": "GBP", "expires_in_seconds": 600});
    let token = world.post("/v1/tokens", kept(narrow)).await.expect(201);
    let pay = |creditor: Value, amount: u64| json!({"amount": amount, "currency": "GBP", "debtor": {"account": account}, "creditor": creditor});
    let to = json!({"token": token["id"], "merchant": "shop"});
    let paid = world
        .post_with("/v1/payments", "once", pay(to.clone(), 1_999))
        .await;
    let said = String::from_utf8_lossy(&paid.bytes).into_owned();
    assert!(
        !said.contains("55779911") && !said.contains("Ada"),
        "{said}"
    );
    let paid = paid.expect(201);
    assert_eq!(paid["creditor"]["last4"], "9911", "{paid}");
    // The same as by the numbers, for whoever looks for repeated payees.
    let numbers = super::world::outgoing(&account);
    let direct = world.post("/v1/payments", numbers).await.expect(201);
    assert_eq!(paid["creditor"], direct["creditor"]);
    // A repetition is answered, and nothing is opened again.
    let again = world
        .post_with("/v1/payments", "once", pay(to.clone(), 1_999))
        .await;
    assert_eq!(again.expect(201)["id"], paid["id"]);
    let opened = |deeds: &[Audit]| {
        let ours = deeds.iter().filter(|deed| deed.what == "token.detokenize");
        ours.map(|deed| deed.outcome.clone()).collect::<Vec<_>>()
    };
    assert_eq!(opened(&deeds(&world).await), ["done"]);
    for (creditor, amount) in [
        (to.clone(), 2_001),
        (json!({"token": token["id"]}), 1),
        (json!({"token": token["id"], "merchant": "other"}), 1),
    ] {
        let refused = world.post("/v1/payments", pay(creditor, amount)).await;
        refused.refused(403, "token_out_of_scope", None);
    }
    let charge_only = json!({"operations": ["charge"]});
    let other = world
        .post("/v1/tokens", kept(charge_only))
        .await
        .expect(201);
    let refused = world
        .post("/v1/payments", pay(json!({"token": other["id"]}), 1))
        .await;
    refused.refused(403, "token_out_of_scope", None);
    assert_eq!(
        opened(&deeds(&world).await).len(),
        5,
        "refusals are on record too"
    );
    // A card is no payee, another tenant's token is not there, and one who is forgotten gets nothing.
    let field = Some("/creditor/token");
    let card = world.post("/v1/tokens", card()).await.expect(201);
    for creditor in [
        json!({"token": card["id"]}),
        json!({"token": token["id"], "account": account}),
    ] {
        let refused = world.post("/v1/payments", pay(creditor, 1)).await;
        refused.refused(400, "invalid_field", field);
    }
    let theirs = world
        .call_as(&world.other_key, "POST", "/v1/payments", pay(to.clone(), 1))
        .await;
    theirs.refused(400, "invalid_field", field);
}
