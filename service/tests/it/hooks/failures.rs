//! Receivers that fail, hang, are gone, or must not be reached.

use std::time::Duration;

use lombard_service::{
    config::WebhooksConfig,
    exceptions,
    hooks::{
        delivery::{Failure, State},
        dispatch::Hooks,
        endpoint::{DisabledReason, GIVE_UPS_MAX},
        retry,
    },
};

use super::{Stage, open_config};
use crate::receiver::{Answer, Receiver};

#[tokio::test]
async fn gone_disables_the_endpoint() {
    let mut stage = Stage::open().await;
    let receiver = Receiver::start(Answer::Status(410)).await;
    let (endpoint, _) = stage.endpoint(&receiver.url(), &[]).await;
    stage.pay().await;
    stage.feed().await;
    let now = stage.endpoint_now(endpoint.id).await;
    assert_eq!(now.disabled.unwrap().reason, DisabledReason::Gone);
    assert_eq!(stage.deliveries(&endpoint).await[0].state, State::Failed);
    stage.pay().await;
    stage.feed().await;
    assert_eq!(receiver.received().len(), 1);
}

#[tokio::test]
async fn a_hanging_endpoint_holds_up_neither_the_feed_nor_others() {
    let mut stage = Stage::open().await;
    let hanging = Receiver::start(Answer::Hang).await;
    let quick = Receiver::start(Answer::Status(200)).await;
    let (bad, _) = stage.endpoint(&hanging.url(), &[]).await;
    let (good, _) = stage.endpoint(&quick.url(), &[]).await;
    for _ in 0..100 {
        stage.pay().await;
    }
    let started = std::time::Instant::now();
    stage.feed().await;
    let took = started.elapsed();
    assert!(
        took < Duration::from_millis(350),
        "shorter than one time-out: {took:?}"
    );
    let stored = stage.deliveries(&bad).await;
    assert_eq!(stored.len(), 100, "each is stored before the feed goes on");
    assert!(
        stored
            .iter()
            .all(|one| one.state == State::Pending && one.due.is_some())
    );
    // What found no room of its own endpoint's lane is due soon.
    stage.world.host.advance(4_000);
    stage
        .retry_until(&good, |one| one.state == State::Delivered)
        .await;
    assert_eq!(quick.received().len(), 100);
    assert!(hanging.received().len() < 100, "its tries are bounded");
}

#[tokio::test]
async fn a_time_out_is_a_failure() {
    let mut stage = Stage::open().await;
    let receiver = Receiver::start(Answer::Hang).await;
    let (endpoint, _) = stage.endpoint(&receiver.url(), &[]).await;
    stage.pay().await;
    stage.feed().await;
    stage
        .retry_until(&endpoint, |one| !one.attempts.is_empty())
        .await;
    let [delivery] = stage.deliveries(&endpoint).await.try_into().unwrap();
    assert_eq!(delivery.attempts[0].failure, Some(Failure::TimedOut));
    assert_eq!((delivery.state, delivery.tries), (State::Pending, 1));
}

#[tokio::test]
async fn a_crash_in_the_middle_of_a_try_only_delays_it() {
    let mut stage = Stage::open().await;
    let receiver = Receiver::start(Answer::Hang).await;
    let (endpoint, _) = stage.endpoint(&receiver.url(), &[]).await;
    stage.pay().await;
    stage.feed().await;
    let [under_way] = stage.deliveries(&endpoint).await.try_into().unwrap();
    assert!(
        under_way.due.unwrap() > stage.world.app.host.now(),
        "it has a lease"
    );
    // Another process over the same store: it knows nothing but the records.
    receiver.usually(Answer::Status(200));
    let restarted = Hooks::new(stage.world.app.clone()).unwrap();
    stage.hooks = restarted.clone();
    retry::scan(&restarted).await.unwrap();
    assert_eq!(receiver.received().len(), 1, "the lease still holds");
    stage.world.host.advance(16_000);
    stage
        .retry_until(&endpoint, |one| one.state == State::Delivered)
        .await;
    assert_eq!(receiver.received().len(), 2);
}

#[tokio::test]
async fn what_is_given_up_again_and_again_disables_the_endpoint() {
    let mut stage = Stage::open().await;
    let receiver = Receiver::start(Answer::Status(503)).await;
    let (endpoint, _) = stage.endpoint(&receiver.url(), &[]).await;
    for round in 1..=GIVE_UPS_MAX {
        stage.pay().await;
        stage.feed().await;
        for _ in 0..9 {
            stage.world.host.advance(30 * 60 * 60 * 1000);
            let before = receiver.received().len();
            stage
                .retry_until(&endpoint, |one| {
                    one.state == State::Failed || one.attempts.len() > 1
                })
                .await;
            receiver.wait_for(before + 1).await;
        }
        stage
            .retry_until(&endpoint, |one| one.state == State::Failed)
            .await;
        let now = stage.endpoint_now(endpoint.id).await;
        assert_eq!(now.given_up, round);
        let disabled = now.disabled.map(|disabled| disabled.reason);
        let expected = (round == GIVE_UPS_MAX).then_some(DisabledReason::Failing);
        assert_eq!(disabled, expected);
    }
    assert_eq!(receiver.received().len(), 10 * GIVE_UPS_MAX as usize);
    let raised = exceptions::list(&stage.world.app, stage.world.tenant, None, 100).await;
    let raised = raised.unwrap();
    assert_eq!(
        raised.len(),
        GIVE_UPS_MAX as usize,
        "each is for a person to see"
    );
    assert!(
        raised
            .iter()
            .all(|(_, one)| one.kind == exceptions::Kind::WebhookGivenUp)
    );
}

#[tokio::test]
async fn private_addresses_are_refused_at_the_connection_too() {
    let mut stage = Stage::new(WebhooksConfig {
        allow_private: false,
        ..open_config()
    })
    .await;
    let receiver = Receiver::start(Answer::Status(200)).await;
    let port = receiver.address.port();
    // As if they had been made when the operator allowed them; `localhost.test` style names that
    // resolve to loopback are refused by the resolver, which `localhost` stands for here.
    let (by_address, _) = stage
        .endpoint(&format!("https://127.0.0.1:{port}/"), &[])
        .await;
    let (by_name, _) = stage
        .endpoint(&format!("https://localhost:{port}/"), &[])
        .await;
    let (plain, _) = stage.endpoint(&receiver.url(), &[]).await;
    stage.pay().await;
    stage.feed().await;
    for endpoint in [by_address, by_name, plain] {
        let delivery = stage.deliveries(&endpoint).await.remove(0);
        assert_eq!(
            delivery.attempts[0].failure,
            Some(Failure::Refused),
            "{}",
            endpoint.url
        );
    }
    assert!(receiver.received().is_empty());
}

#[tokio::test]
async fn an_answer_without_end_is_not_read() {
    let mut stage = Stage::open().await;
    let receiver = Receiver::start(Answer::Flood).await;
    let (endpoint, _) = stage.endpoint(&receiver.url(), &[]).await;
    stage.pay().await;
    stage.feed().await;
    stage
        .retry_until(&endpoint, |one| one.state == State::Delivered)
        .await;
}

#[tokio::test]
async fn a_slow_answer_within_the_time_out_counts() {
    let mut stage = Stage::open().await;
    let receiver = Receiver::start(Answer::Slowly(150)).await;
    let (endpoint, _) = stage.endpoint(&receiver.url(), &[]).await;
    stage.pay().await;
    stage.feed().await;
    stage
        .retry_until(&endpoint, |one| one.state == State::Delivered)
        .await;
    assert_eq!(receiver.received().len(), 1);
}
