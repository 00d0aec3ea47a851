//! Replays, tests and rotated secrets.

use lombard_core::id::Id;
use lombard_service::hooks::{
    delivery::State,
    forget,
    replay::{self, Replay, Wish},
    retry,
    secret::Secret,
    sign,
};
use standardwebhooks::Webhook;

use super::{Stage, body, verify};
use crate::receiver::{Answer, Receiver};

#[tokio::test]
async fn while_a_secret_is_rotated_both_sign() {
    let mut stage = Stage::open().await;
    let receiver = Receiver::start(Answer::Status(200)).await;
    let (endpoint, old) = stage.endpoint(&receiver.url(), &[]).await;
    let app = stage.world.app.clone();
    let fresh = Secret::generate(&*app.host);
    let sealed = fresh
        .seal(&*app.vault, stage.world.tenant, endpoint.id)
        .unwrap();
    let new = fresh.reveal().to_string();
    let mut rotated = endpoint.clone();
    rotated.rotate(sealed, app.host.now(), 60_000);
    stage.store(&rotated).await;

    stage.pay().await;
    stage.feed().await;
    let first = receiver.wait_for(1).await.remove(0);
    assert_eq!(first.header(sign::SIGNATURE).split(' ').count(), 2);
    verify(&old, &first);
    verify(&new, &first);

    stage.world.host.advance(60_000);
    stage.pay().await;
    stage.feed().await;
    let second = receiver.wait_for(2).await.remove(1);
    verify(&new, &second);
    assert!(
        Webhook::new(&old)
            .unwrap()
            .verify(&second.body, &second.headers)
            .is_err()
    );
}

#[tokio::test]
async fn what_failed_or_was_missed_is_replayed_once_for_each_request() {
    let mut stage = Stage::open().await;
    let began = stage.world.app.host.now();
    stage.pay().await;
    stage.world.host.advance(10);
    let receiver = Receiver::start(Answer::Status(410)).await;
    let (endpoint, _) = stage.endpoint(&receiver.url(), &[]).await;
    stage.pay().await;
    stage.feed().await;
    assert_eq!(
        receiver.received().len(),
        1,
        "the first was before the endpoint"
    );
    let failed = stage.deliveries(&endpoint).await.remove(0);
    let mut enabled = stage.endpoint_now(endpoint.id).await;
    enabled.enable(stage.world.app.host.now());
    stage.store(&enabled).await;
    stage.feed().await;
    receiver.usually(Answer::Status(200));

    let tenant = stage.world.tenant;
    let replay = async |wish, request| {
        let replay = Replay {
            app: &stage.world.app,
            tenant,
            endpoint: &enabled,
            request,
        };
        let done = replay.carry_out(wish).await;
        let replayed = done.unwrap().map(|replayed| replayed.deliveries);
        stage.world.host.advance(1_000);
        stage
            .retry_until(&endpoint, |one| one.state == State::Delivered)
            .await;
        (replayed, receiver.received().len())
    };
    assert_eq!(replay(Wish::Failed(began), "a").await, (Some(1), 2));
    assert_eq!(replay(Wish::Failed(began), "a").await, (Some(0), 2));
    assert_eq!(replay(Wish::Missed(began), "b").await, (Some(1), 3));
    assert_eq!(replay(Wish::Missed(began), "b").await, (Some(0), 3));
    assert_eq!(replay(Wish::One(failed.event), "c").await, (Some(1), 4));
    assert_eq!(replay(Wish::One(failed.event), "c").await, (Some(0), 4));
    assert_eq!(replay(Wish::One(Id::from_bits(7)), "d").await, (None, 4));
    let received = receiver.received();
    assert_eq!(received[3].header(sign::ID), failed.event.to_string());
    assert_eq!(
        received[3].body, received[0].body,
        "the very bytes of the first try"
    );
}

#[tokio::test]
async fn a_test_message_says_that_it_is_one() {
    let stage = Stage::open().await;
    let receiver = Receiver::start(Answer::Status(200)).await;
    let (endpoint, secret) = stage.endpoint(&receiver.url(), &["payment.failed"]).await;
    let id = replay::test(&stage.world.app, stage.world.tenant, endpoint.id)
        .await
        .unwrap();
    retry::scan(&stage.hooks).await.unwrap();
    let received = receiver.wait_for(1).await.remove(0);
    verify(&secret, &received);
    assert_eq!(received.header(sign::ID), id.to_string());
    assert_eq!(body(&received)["type"], "webhook.test");
}

#[tokio::test]
async fn what_ended_long_ago_is_forgotten_and_what_is_due_is_not() {
    const DAY_MS: u64 = 24 * 60 * 60 * 1000;
    let mut stage = Stage::open().await;
    let (taker, goner) = (
        Receiver::start(Answer::Status(200)).await,
        Receiver::start(Answer::Status(410)).await,
    );
    let busy = Receiver::start(Answer::Status(500)).await;
    let (taken, _) = stage.endpoint(&taker.url(), &[]).await;
    let (failed, _) = stage.endpoint(&goner.url(), &[]).await;
    let (pending, _) = stage.endpoint(&busy.url(), &[]).await;
    // More than one commit forgets.
    for _ in 0..70 {
        stage.pay().await;
    }
    stage.feed().await;
    stage
        .retry_until(&failed, |one| one.state == State::Failed)
        .await;
    stage
        .retry_until(&taken, |one| one.state == State::Delivered)
        .await;
    let count = stage.deliveries(&taken).await.len();
    assert!(count >= 70, "{count}");

    stage.world.host.advance(29 * DAY_MS);
    forget::sweep(&stage.hooks).await.unwrap();
    assert_eq!(stage.deliveries(&taken).await.len(), count);
    stage.world.host.advance(2 * DAY_MS);
    forget::sweep(&stage.hooks).await.unwrap();
    assert_eq!(stage.deliveries(&taken).await, []);
    assert_eq!(stage.deliveries(&failed).await, []);
    assert_eq!(stage.deliveries(&pending).await.len(), count);
}
