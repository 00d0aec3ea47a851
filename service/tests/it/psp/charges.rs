//! Charges at the API: what is accepted, what is refused and why, and what providers' webhooks do to them.

use axum::{body::Body, http::Request};
use base64::{Engine, prelude::BASE64_STANDARD};
use lombard_core::{command::Report, reason::Reason};
use lombard_service::config::{Config, PspConfig};
use ring::hmac;
use serde_json::{Value, json};

use crate::http::{
    isolation::{charge, charging},
    world::{Answer, World},
};

/// Adyen's, in hexadecimal.
pub const ADYEN_SECRET: &str = "53495349";
const GOCARDLESS_SECRET: &str = "gocardless-secret";

async fn world() -> World {
    let mut config = Config::default();
    config.psp.insert("stripe".into(), charging());
    let adyen = PspConfig {
        secret: ADYEN_SECRET.into(),
        currencies: vec!["EUR".parse().unwrap()],
        ..charging()
    };
    config.psp.insert("adyen".into(), adyen);
    let gocardless = PspConfig {
        secret: GOCARDLESS_SECRET.into(),
        ..PspConfig::default()
    };
    config.psp.insert("gocardless".into(), gocardless);
    World::with(config).await
}

/// A charge that was sent and authorised, and its receiver.
async fn authorised(world: &World, amount: u64) -> (String, String) {
    let account = world.account(0).await;
    let made = world.post("/v1/charges", charge(&account, amount)).await;
    let id = made.expect(201)["id"].as_str().unwrap().to_owned();
    world.report(&id, Report::Submitted).await;
    world
        .report(&id, Report::Authorised(Some("psp_1".into())))
        .await;
    (id, account)
}

async fn found(world: &World, id: &str) -> Value {
    world.get(&format!("/v1/charges/{id}")).await.expect(200)
}

#[tokio::test]
async fn a_card_of_the_vault_is_charged_without_its_number_leaving() {
    let world = world().await;
    let account = world.account(0).await;
    let card = json!({"card": {"number": "4242424242424242", "exp_month": 12, "exp_year": 2040}});
    let token = world.post("/v1/tokens", card).await.expect(201)["id"].clone();
    let body = json!({"amount": 1250, "currency": "GBP", "account": account,
        "card": {"token": token}, "metadata": {"order": "42"}});
    let made = world.post("/v1/charges", body).await.expect(201);
    assert_eq!(
        (&made["kind"], &made["status"]),
        (&json!("charge"), &json!("INITIATED"))
    );
    assert_eq!(made["debtor"]["last4"], "4242");
    let of_charge = &made["charge"];
    assert_eq!(
        of_charge["provider"], "stripe",
        "the other one does not take pounds"
    );
    assert_eq!(
        (&of_charge["token"], &of_charge["authorised"]),
        (&token, &json!(false))
    );
    let id = made["id"].as_str().unwrap();
    assert_eq!(found(&world, id).await["id"], made["id"]);
    let listed = world.get("/v1/charges").await.expect(200);
    assert_eq!(listed["data"][0]["id"], made["id"]);
    let feed = world.app.store.changes(0, 0, 10_000, 0).await.unwrap();
    assert!(!format!("{feed:?}").contains("4242424242424242"));
}

#[tokio::test]
async fn a_refusal_names_the_field() {
    let world = world().await;
    let account = world.account(0).await;
    let body = |card: Value, more: Value| {
        let mut body = json!({"amount": 1250, "currency": "GBP", "account": account, "card": card});
        for (name, value) in more.as_object().unwrap() {
            body[name] = value.clone();
        }
        body
    };
    let kept = json!({"person": {"name": "Ada Lovelace"}});
    let person = world.post("/v1/tokens", kept).await.text("id");
    let card = json!({"card": {"number": "4242424242424242", "exp_month": 12, "exp_year": 2040},
        "scope": {"amount_max": 100, "currency": "GBP"}});
    let small = world.post("/v1/tokens", card).await.expect(201)["id"].clone();
    let own = json!({"provider_token": "pm_1"});
    for (card, more, field) in [
        (json!({}), json!({}), "/card"),
        (
            json!({"token": small, "provider_token": "pm_1"}),
            json!({}),
            "/card",
        ),
        (json!({"token": person}), json!({}), "/card/token"),
        (json!({"token": small}), json!({}), "/card/token"),
        (
            json!({"provider_token": small}),
            json!({}),
            "/card/provider_token",
        ),
        (own.clone(), json!({}), "/provider"),
        (own.clone(), json!({"provider": "nobody"}), "/provider"),
        (own.clone(), json!({"provider": "adyen"}), "/provider"),
    ] {
        let answer = world.post("/v1/charges", body(card, more)).await;
        answer.refused(400, "invalid_field", Some(field));
    }
    let none = World::new().await;
    let account = none.account(0).await;
    none.post("/v1/charges", charge(&account, 1))
        .await
        .refused(422, "rail_off", None);
}

#[tokio::test]
async fn a_charge_is_captured_in_part_once_and_refunded_within_that() {
    let world = world().await;
    let (id, account) = authorised(&world, 1_000).await;
    assert_eq!(found(&world, &id).await["charge"]["authorised"], true);
    let path = |what: &str| format!("/v1/charges/{id}/{what}");
    let more = world.post(&path("capture"), json!({"amount": 1_001})).await;
    more.refused(422, "amount_too_large", None);
    world
        .post(&path("capture"), json!({"amount": 600}))
        .await
        .expect(200);
    for again in ["capture", "void"] {
        world
            .post(&path(again), json!({}))
            .await
            .refused(409, "wrong_state", None);
    }
    world.report(&id, Report::Accepted(None)).await;
    let captured = found(&world, &id).await;
    assert_eq!(
        (&captured["status"], &captured["amount"]),
        (&json!("CLEARED"), &json!(600))
    );
    let refund = world
        .post(&path("refunds"), json!({"amount": 250}))
        .await
        .expect(201);
    assert_eq!(
        (&refund["kind"], &refund["original"]),
        (&json!("return"), &json!(id))
    );
    let more = world.post(&path("refunds"), json!({"amount": 351})).await;
    more.refused(422, "amount_too_large", None);
    let held = world
        .get(&format!("/v1/accounts/{account}"))
        .await
        .expect(200);
    assert_eq!(held["balance"]["available"], 350);
    // A payment that is no charge is none.
    let other = world.cleared().await;
    let path = format!("/v1/charges/{other}/refunds");
    world
        .post(&path, json!({}))
        .await
        .refused(404, "not_found", None);
}

#[tokio::test]
async fn a_charge_is_voided() {
    let world = world().await;
    let (id, _) = authorised(&world, 1_000).await;
    let asked = world
        .post(&format!("/v1/charges/{id}/void"), json!({}))
        .await
        .expect(200);
    assert_eq!(
        asked["status"], "AUTH_PENDING",
        "until the provider has let go of it"
    );
    world
        .report(&id, Report::Rejected(Reason::Cancelled, "voided".into()))
        .await;
    let voided = found(&world, &id).await;
    assert_eq!(
        (&voided["status"], &voided["reason"]),
        (&json!("FAILED"), &json!("cancelled"))
    );
}

/// An event as Adyen signs it.
pub fn adyen(world: &World, payment: &str, event: &str, psp: &str, amount: u64) -> Value {
    let reference = format!(
        "{}-{}",
        world.tenant.short(),
        payment.trim_start_matches("pay_")
    );
    let original = if event == "AUTHORISATION" {
        ""
    } else {
        "psp_1"
    };
    let signed = format!("{psp}:{original}:Shop:{reference}:{amount}:GBP:{event}:true");
    let key = hmac::Key::new(hmac::HMAC_SHA256, &hex::decode(ADYEN_SECRET).unwrap());
    let signature = BASE64_STANDARD.encode(hmac::sign(&key, signed.as_bytes()));
    json!({"NotificationRequestItem": {
        "eventCode": event, "success": "true", "pspReference": psp, "originalReference": original,
        "merchantAccountCode": "Shop", "merchantReference": reference,
        "amount": {"value": amount, "currency": "GBP"}, "eventDate": "2026-11-22T11:12:13+00:00",
        "additionalData": {"hmacSignature": signature},
    }})
}

pub async fn tell(
    world: &World,
    provider: &str,
    header: Option<(&str, String)>,
    body: &Value,
) -> Answer {
    let mut request = Request::post(format!("/v1/psp/{provider}/webhooks"));
    if let Some((name, value)) = header {
        request = request.header(name, value);
    }
    world
        .send(request.body(Body::from(body.to_string())).unwrap())
        .await
}

#[tokio::test]
async fn adyen_s_events_move_a_charge_in_any_order_and_once() {
    for order in [[0, 1, 2, 3], [3, 2, 1, 0], [1, 3, 0, 2]] {
        let world = world().await;
        let (id, account) = authorised(&world, 1_000).await;
        let events = [
            adyen(&world, &id, "AUTHORISATION", "psp_1", 1_000),
            adyen(&world, &id, "CAPTURE", "cap_1", 1_000),
            adyen(&world, &id, "NOTIFICATION_OF_CHARGEBACK", "dis_1", 400),
            adyen(&world, &id, "CHARGEBACK", "dis_1", 400),
        ];
        for at in order.into_iter().chain(order) {
            let answer = tell(
                &world,
                "adyen",
                None,
                &json!({"notificationItems": [events[at]]}),
            )
            .await;
            assert_eq!((answer.status, &*answer.bytes), (200, &b"[accepted]"[..]));
        }
        let there = found(&world, &id).await;
        assert_eq!(
            (&there["status"], &there["returned_amount"]),
            (&json!("CLEARED"), &json!(400))
        );
        let of_charge = &there["charge"];
        assert_eq!(
            (&of_charge["disputed_amount"], &of_charge["reserved_amount"]),
            (&json!(400), &json!(0))
        );
        let held = world
            .get(&format!("/v1/accounts/{account}"))
            .await
            .expect(200);
        assert_eq!(held["balance"]["available"], 600, "{order:?}");
    }
    let world = world().await;
    let (id, _) = authorised(&world, 1_000).await;
    let mut forged = adyen(&world, &id, "CAPTURE", "cap_1", 1_000);
    forged["NotificationRequestItem"]["amount"]["value"] = 999.into();
    let answer = tell(
        &world,
        "adyen",
        None,
        &json!({"notificationItems": [forged]}),
    )
    .await;
    answer.refused(401, "signature_invalid", None);
    assert_eq!(found(&world, &id).await["status"], "AUTH_PENDING");
}

#[tokio::test]
async fn gocardless_events_are_taken_in_many_at_once() {
    let world = world().await;
    let id = world.payment().await;
    world.report(&id, Report::Submitted).await;
    let reference = format!("{}-{}", world.tenant.short(), id.trim_start_matches("pay_"));
    let event = |number: u64, action: &str| {
        json!({"id": format!("EV{number}"), "created_at": "2026-11-22T11:12:13.000Z",
            "resource_type": "payments", "action": action, "links": {"payment": "PM1"},
            "resource_metadata": {"lombard_attempt": reference}})
    };
    let body =
        json!({"events": [event(2, "confirmed"), event(1, "submitted"), event(2, "confirmed")]});
    let key = hmac::Key::new(hmac::HMAC_SHA256, GOCARDLESS_SECRET.as_bytes());
    let signature = hex::encode(hmac::sign(&key, body.to_string().as_bytes()));
    let header = ("webhook-signature", signature);
    assert_eq!(
        tell(&world, "gocardless", Some(header), &body).await.status,
        204
    );
    let payment = world.get(&format!("/v1/payments/{id}")).await.expect(200);
    assert_eq!(payment["status"], "CLEARED");
    let unsigned = tell(&world, "gocardless", None, &body).await;
    unsigned.refused(401, "signature_invalid", None);
}

#[tokio::test]
async fn a_section_for_charges_alone_takes_no_webhooks() {
    let world = world().await;
    let answer = tell(&world, "stripe", None, &json!({})).await;
    answer.refused(404, "not_found", None);
}
