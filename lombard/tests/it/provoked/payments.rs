//! What rails, providers and receivers of webhooks do.

use std::{
    io::{Read, Write},
    net::TcpListener,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use lombard_service::exceptions::Kind;
use ring::hmac;
use serde_json::json;

use super::{DAY, Stage, text, wait};

pub const KINDS: &[Kind] = &[
    Kind::Contradiction,
    Kind::Unresolved,
    Kind::RecallOverdue,
    Kind::EffectFailed,
    Kind::UnmatchedMessage,
    Kind::ImplausibleMessage,
    Kind::UnknownStatus,
    Kind::WebhookGivenUp,
];

const STRIPE: &str = "whsec_provoked";

#[test]
fn what_the_outside_world_does_to_payments() {
    let settings = format!("[psp.stripe]\nsecret = {STRIPE:?}\n");
    let stage = Stage::set(&settings, &[]);
    stage.case(Kind::Contradiction, "write_off", || {
        let yes_after_all = json!({"say": {"after_ms": 200, "status": "ACSC", "code": null}});
        stage.next(&json!({"outcome": {"reject": "1160"}, "then": [yes_after_all]}));
        stage.pay(1_500, "contradicted");
    });
    unresolved(&stage);
    stage.case(Kind::UnmatchedMessage, "ignore", || {
        let xml = report_about("NOBODY-1");
        let wish = json!({"rail": "fps", "xml": xml});
        stage.server.control("messages", &wish);
    });
    stage.case(Kind::ImplausibleMessage, "ignore", || {
        stage.pay(1_000, "returned-too-much");
        let wish = json!({"end_to_end_id": "returned-too-much", "amount": 5_000});
        stage.server.control("returns", &wish);
    });
    stage.case(Kind::UnknownStatus, "ignore", || a_word_of_stripe_s(&stage));
    recalls(&stage);
    given_up(&stage);
    stage.end(KINDS);
}

/// A rail that decides nothing, until all enquiries are used up.
fn unresolved(stage: &Stage) {
    stage.next(&json!({"outcome": "undecided", "answer": "pending"}));
    let first = stage.pay(1_600, "undecided-1");
    use_up(stage, &first);
    let case = stage.found(Kind::Unresolved);
    stage.fix_with(&case, "mark_not_paid", "report-1");
    let paid = stage.server.get(&format!("/v1/payments/{first}"));
    assert_eq!(paid["status"], "FAILED");

    // The rail's own word closes the case by itself.
    stage.next(&json!({"outcome": "undecided", "answer": "pending"}));
    let second = stage.pay(1_700, "undecided-2");
    use_up(stage, &second);
    let case = stage.found(Kind::Unresolved);
    let digits = second.trim_start_matches("pay_");
    let wish = json!({"rail": "fps", "xml": report_about(&format!("demo0000-{digits}"))});
    stage.server.control("messages", &wish);
    stage.closes(&case);
}

fn use_up(stage: &Stage, payment: &str) {
    let path = format!("/v1/payments/{payment}");
    let in_doubt = || stage.server.get(&path)["in_doubt"] == true;
    wait("in doubt", in_doubt);
    let told = || {
        stage.server.ahead(Duration::from_hours(1));
        std::thread::park_timeout(Duration::from_millis(300));
        let found = stage
            .server
            .get("/v1/exceptions?standing=active&kind=unresolved");
        found["data"][0]["subject"] == payment
    };
    wait("all enquiries", told);
}

/// A report that a payment was paid.
fn report_about(reference: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:pacs.002.001.10\">\
         <FIToFIPmtStsRpt><GrpHdr><MsgId>M-{reference:.20}</MsgId><CreDtTm>2026-11-23T10:00:00Z</CreDtTm></GrpHdr>\
         <TxInfAndSts><OrgnlEndToEndId>X</OrgnlEndToEndId><OrgnlTxId>{reference}</OrgnlTxId><TxSts>ACSC</TxSts>\
         </TxInfAndSts></FIToFIPmtStsRpt></Document>"
    )
}

/// A genuine event with a type that no row of the provider's file means.
fn a_word_of_stripe_s(stage: &Stage) {
    let body = json!({
        "id": "evt_1", "object": "event", "api_version": "2025-09-30.clover", "type": "payment_intent.exploded",
        "created": 1_795_000_000,
        "data": {"object": {"id": "pi_1", "object": "payment_intent", "amount": 5, "currency": "gbp"}},
    })
    .to_string();
    let page = stage.server.get("/v1/exceptions?limit=1");
    let now = text(&page["data"][0], "opened_at").to_owned();
    let now = lombard_core::time::Timestamp::parse_rfc3339(&now).expect("a time");
    let at = now.unix_ms() / 1000;
    let key = hmac::Key::new(hmac::HMAC_SHA256, STRIPE.as_bytes());
    let mac = hmac::sign(&key, format!("{at}.{body}").as_bytes());
    let digits: String = mac
        .as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let headers = format!("stripe-signature: t={at},v1={digits}\r\n");
    let (status, said) = stage
        .server
        .send("/v1/psp/stripe/webhooks", &headers, &body);
    assert_eq!(status, 200, "{said}");
}

/// A recall that the gateway does not take, and one that nobody answers.
fn recalls(stage: &Stage) {
    let recall = |behaviour: &str, name: &str| {
        stage.next(&json!({"recall": behaviour}));
        let payment = stage.pay(1_800, name);
        let path = format!("/v1/payments/{payment}/recall");
        stage.post(&path, &json!({"reason": "duplicate"}));
    };
    recall("silence", "recalled-1");
    stage.server.ahead(DAY * 40);
    let case = stage.found(Kind::RecallOverdue);
    let path = format!("/v1/exceptions/{}/resolve", text(&case, "id"));
    let again = json!({"action": "enquire", "note": "once more"});
    let asked = stage.post(&path, &again);
    assert_eq!(asked["history"][0]["what"], "enquired", "{asked}");
    stage.fix(&stage.found(Kind::RecallOverdue), "ignore");

    // Until a gateway takes it, it fails again and the case stays.
    recall("invalid", "recalled-2");
    let case = stage.found(Kind::EffectFailed);
    let path = format!("/v1/exceptions/{}/resolve", text(&case, "id"));
    let again = json!({"action": "reprocess", "note": "mended?"}).to_string();
    let (status, said) = stage.server.post(&path, "reprocess-early", &again);
    assert_eq!(status, 409, "{said}");
    assert!(text(&said, "detail").contains("failed again"), "{said}");
    let reference = text(&case, "subject").replace("pay_", "demo0000-");
    stage.server.control(
        &format!("payments/{reference}/recall"),
        &json!({"recall": "grant"}),
    );
    stage.fix(&case, "reprocess");
}

/// An endpoint that takes nothing at any try, and then everything.
fn given_up(stage: &Stage) {
    let well = Arc::new(AtomicBool::new(false));
    let url = endpoint(Arc::clone(&well));
    stage.post(
        "/v1/webhook_endpoints",
        &json!({"url": url, "events": ["payment.cleared"]}),
    );
    stage.pay(1_900, "told-to-nobody");
    let given_up = || {
        stage.server.ahead(DAY + DAY / 4);
        std::thread::park_timeout(Duration::from_millis(800));
        let found = stage
            .server
            .get("/v1/exceptions?standing=active&kind=webhook_given_up");
        !found["data"][0].is_null()
    };
    wait("given up", given_up);
    let case = stage.found(Kind::WebhookGivenUp);
    well.store(true, Ordering::SeqCst);
    stage.fix(&case, "reprocess");
    let endpoint = text(&case["evidence"], "endpoint");
    let path = format!("/v1/webhook_endpoints/{endpoint}/deliveries");
    let event = text(&case["evidence"], "event").to_owned();
    wait("delivered", || {
        let all = stage.server.get(&path);
        let mut all = all["data"].as_array().into_iter().flatten();
        all.any(|it| it.to_string().contains(&event) && it["state"] == "delivered")
    });
}

/// A server that answers 500 until it is `well`.
fn endpoint(well: Arc<AtomicBool>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}/", listener.local_addr().expect("an address"));
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let mut stream = stream;
            let mut some = [0; 16 * 1024];
            let _ = stream.read(&mut some);
            let status = if well.load(Ordering::SeqCst) {
                200
            } else {
                500
            };
            let answer =
                format!("HTTP/1.1 {status} x\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    url
}
