//! What a receiver gets.

use lombard_core::{
    command::{Act, Report},
    time::Timestamp,
};
use lombard_service::hooks::{delivery::State, retry, secret::Secret, sign};
use serde_json::Value;
use standardwebhooks::Webhook;

use super::{Stage, body, verify};
use crate::receiver::{Answer, Receiver};

#[tokio::test]
async fn the_official_library_verifies_what_arrives() {
    let mut stage = Stage::open().await;
    let receiver = Receiver::start(Answer::Status(204)).await;
    let (endpoint, secret) = stage.endpoint(&receiver.url(), &[]).await;
    let payment = stage.pay().await;
    stage.feed().await;

    let [received] = receiver.wait_for(1).await.try_into().unwrap();
    verify(&secret, &received);
    assert!(received.header(sign::ID).starts_with("evt_"));
    assert!(!received.header(sign::ID).contains('.'));
    let message = body(&received);
    assert_eq!(message["type"], "payment.cleared");
    assert!(Timestamp::parse_rfc3339(message["timestamp"].as_str().unwrap()).is_some());
    assert_eq!(message["data"]["event"]["id"], received.header(sign::ID));
    let told = &message["data"]["payment"];
    assert_eq!(told["id"], payment.to_string());
    assert_eq!(told["status"], "CLEARED");
    assert_eq!(
        (&told["amount"], &told["currency"]),
        (&125.into(), &"GBP".into())
    );
    assert_eq!(told["end_to_end_id"], "INV-7");

    let [delivery] = stage.deliveries(&endpoint).await.try_into().unwrap();
    assert_eq!(delivery.state, State::Delivered);
    assert_eq!(delivery.attempts[0].status, Some(204));
    assert!(
        Webhook::new("whsec_AAAA")
            .unwrap()
            .verify(&received.body, &received.headers)
            .is_err()
    );
}

#[tokio::test]
async fn an_endpoint_gets_the_types_that_it_chose_and_no_event_twice() {
    let mut stage = Stage::open().await;
    let receiver = Receiver::start(Answer::Status(200)).await;
    stage.endpoint(&receiver.url(), &["payment.failed"]).await;
    stage
        .endpoint(&receiver.url(), &["payment.cleared", "payment.failed"])
        .await;
    stage.pay().await;
    stage.feed().await;
    assert_eq!(receiver.received().len(), 1);
    // The feed tells everything again after a crash.
    stage.after = 0;
    stage.feed().await;
    assert_eq!(receiver.received().len(), 1);
}

#[tokio::test]
async fn a_failed_try_is_made_again_with_the_same_id_and_bytes() {
    let mut stage = Stage::open().await;
    let receiver = Receiver::start(Answer::Status(200)).await;
    receiver.then([
        Answer::Status(500),
        Answer::With(302, "location", "/elsewhere"),
    ]);
    let (endpoint, secret) = stage.endpoint(&receiver.url(), &[]).await;
    stage.pay().await;
    stage.feed().await;
    let due = stage.deliveries(&endpoint).await[0].due.unwrap();
    let wait = due.ms_since(stage.world.app.host.now());
    assert!((5_000..=6_000).contains(&wait), "{wait}");

    retry::scan(&stage.hooks).await.unwrap();
    assert_eq!(receiver.received().len(), 1, "it is not due yet");
    stage.world.host.advance(6_000);
    stage
        .retry_until(&endpoint, |one| one.attempts.len() == 2)
        .await;
    assert_eq!(
        receiver.received().len(),
        2,
        "a redirect is a failure and is not followed"
    );
    stage.advance_to_due(&endpoint).await;
    stage
        .retry_until(&endpoint, |one| one.state == State::Delivered)
        .await;

    let received = receiver.received();
    assert_eq!(received.len(), 3);
    verify(&secret, &received[0]);
    let official = Webhook::new(&secret).unwrap();
    let times: Vec<u64> = received
        .iter()
        .map(|one| {
            assert_eq!(one.header(sign::ID), received[0].header(sign::ID));
            assert_eq!(one.body, received[0].body);
            let at: u64 = one.header(sign::TIMESTAMP).parse().unwrap();
            let signed = official.sign(one.header(sign::ID), at.cast_signed(), &one.body);
            assert_eq!(one.header(sign::SIGNATURE), signed.unwrap());
            at
        })
        .collect();
    assert!(
        times[0] < times[1] && times[1] < times[2],
        "each try has its own time"
    );
    let statuses: Vec<_> = stage.deliveries(&endpoint).await[0]
        .attempts
        .iter()
        .map(|attempt| attempt.status)
        .collect();
    assert_eq!(statuses, [Some(500), Some(302), Some(200)]);
}

#[tokio::test]
async fn a_retry_tells_of_the_payment_as_the_event_left_it() {
    let mut stage = Stage::open().await;
    let receiver = Receiver::start(Answer::Status(500)).await;
    let (endpoint, _) = stage
        .endpoint(&receiver.url(), &["payment.initiated"])
        .await;
    let payment = stage.send_out().await;
    stage.feed().await;
    for report in [Report::Submitted, Report::Accepted(Some("FPS-1".into()))] {
        stage.world.execute(Act::Report(payment, report)).await;
    }
    stage.feed().await;
    receiver.usually(Answer::Status(200));
    stage.advance_to_due(&endpoint).await;
    stage
        .retry_until(&endpoint, |one| one.state == State::Delivered)
        .await;
    let received = receiver.received();
    assert_eq!(received.len(), 2);
    assert_eq!(body(&received[1])["data"]["payment"]["status"], "INITIATED");
    assert_eq!(received[0].body, received[1].body);
}

#[test]
fn the_published_vectors_hold() {
    use base64::{Engine, engine::general_purpose::STANDARD};
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../shared/material/vectors/webhook-signatures/standard-webhooks.json"
    );
    let Ok(text) = std::fs::read(path) else {
        eprintln!("skipped: the_published_vectors_hold: no ../shared");
        return;
    };
    let vectors: Vec<Value> = serde_json::from_slice(&text).unwrap();
    assert!(!vectors.is_empty());
    for vector in vectors {
        let text = |name: &str| vector[name].as_str().unwrap();
        let bare = text("secret").trim_start_matches("whsec_");
        let secret = Secret::of(STANDARD.decode(bare).unwrap());
        let at = vector["timestamp"].as_u64().unwrap();
        let ours = sign::signature(&[secret], text("id"), at, text("payload").as_bytes());
        let valid = vector["valid"].as_bool().unwrap();
        assert_eq!(ours == text("signature"), valid, "{}", vector["name"]);
    }
}
