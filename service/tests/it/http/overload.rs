//! More than there is capacity for: refused at once, in words, with a time to come back.

use std::time::{Duration, Instant};

use lombard_service::config::Config;

use super::world::{World, outgoing};

async fn limited(per_second: u32) -> World {
    let mut config = Config::default();
    config.http.requests_per_second_max = per_second;
    World::with(config).await
}

#[tokio::test]
async fn a_key_that_asks_too_often_is_told_when_to_come_back() {
    let world = limited(3).await;
    for _ in 0..3 {
        world.get("/v1/payments").await.expect(200);
    }
    let refused = world.get("/v1/payments").await;
    assert_eq!(refused.header("retry-after"), Some("1"));
    assert_eq!(refused.json()["retryable"], true);
    refused.refused(429, "rate_limited", None);
    // Whoever else is there is served, and so are those who ask how it is.
    world
        .get_as(&world.other_key, "/v1/payments")
        .await
        .expect(200);
    world.get("/healthz").await.expect(200);
    world.host.advance(400);
    world.get("/v1/payments").await.expect(200);
    world
        .get("/v1/payments")
        .await
        .refused(429, "rate_limited", None);
}

#[tokio::test]
async fn the_rate_outlives_the_memory_of_the_key() {
    let world = limited(1).await;
    world.get("/v1/payments").await.expect(200);
    // The key is looked up anew, by a request of the same moment.
    world.host.advance(lombard_service::tenants::REMEMBERED_MS);
    world.get("/v1/payments").await.expect(200);
    world
        .get("/v1/payments")
        .await
        .refused(429, "rate_limited", None);
}

#[tokio::test]
async fn what_is_refused_for_its_rate_is_done_later_under_its_key() {
    let world = limited(4).await;
    let account = world.account(10_000).await;
    world.get("/v1/payments").await.expect(200);
    world.get("/v1/payments").await.expect(200);
    let pay = || world.post_with("/v1/payments", "k", outgoing(&account));
    pay().await.refused(429, "rate_limited", None);
    world.host.advance(1_000);
    let paid = pay().await;
    assert_eq!(paid.header("idempotency-replayed"), None);
    paid.expect(201);
}

/// Not a benchmark: an alarm for when somebody puts a lock there. In an unoptimised build the
/// number itself takes some 50 ns.
#[test]
fn counting_a_request_costs_next_to_nothing() {
    let pace = lombard_service::tenants::Pace::default();
    let now = lombard_core::time::Timestamp::from_unix_ms(1_700_000_000_000);
    let rounds = 100_000;
    let quickest = (0..5)
        .map(|_| {
            let begun = Instant::now();
            for _ in 0..rounds {
                std::hint::black_box(pace.ask(std::hint::black_box(now), 1_000_000)).ok();
            }
            begun.elapsed() / rounds
        })
        .min();
    assert!(quickest < Some(Duration::from_micros(1)), "{quickest:?}");
}
