//! However calls fail, no payment is doubled and none is lost.

use std::sync::{Arc, atomic::Ordering};

use lombard_core::{ledger::Balance, ledger::Rollup, plan::keys};
use lombard_service::ports::{Range, Store};

use crate::{
    proxy,
    support::{Running, emulator},
    world::{World, pay},
};

const PAYERS: usize = 8;
const PAYMENTS_EACH: usize = 6;
const FUNDS: u64 = 10_000;

#[tokio::test(flavor = "multi_thread")]
#[expect(
    clippy::print_stdout,
    reason = "the figure is what the test is read for"
)]
async fn no_payment_is_doubled_or_lost() {
    let emulator = emulator().await;
    // The tables and the relay have a line of their own; the payers' is bad.
    let running = Running::at(&emulator).await;
    let (bad_line, done) = proxy::before(&emulator, 10, 7).await;
    let config = crate::support::configure(&bad_line).await;
    let store =
        lombard_aws::dynamo::Dynamo::new(&config, running.store.table(), crate::support::host());
    let clear_world = World::over(&running.store).await;
    let merchant = clear_world.open("merchant", Rollup::House).await;
    let mut payers = Vec::new();
    for n in 0..PAYERS {
        payers.push(clear_world.funded(&format!("payer {n}"), FUNDS).await);
    }
    let world = Arc::new(World {
        app: over(&clear_world, &store),
        ..clear_world
    });
    let tasks = payers.iter().copied().enumerate().map(|(n, payer)| {
        let world = world.clone();
        tokio::spawn(async move {
            for k in 0..PAYMENTS_EACH {
                let name = format!("payment {n}/{k}");
                world
                    .until_done(pay(&name, payer, merchant, 7), &name)
                    .await;
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.expect("every payer gets every answer");
    }
    let fates = [
        &done.refused,
        &done.throttled,
        &done.lost_before,
        &done.lost_after,
    ];
    let fates = fates.map(|fate| fate.load(Ordering::Relaxed));
    println!(
        "{} calls, fates {fates:?}",
        done.calls.load(Ordering::Relaxed)
    );
    assert!(
        fates.iter().all(|fate| *fate > 0),
        "each fate was met: {fates:?}"
    );

    let list = Range::listed(&keys::payments_list(world.demo.tenant), 1000);
    let payments = running.store.range(&list).await.expect("readable");
    assert_eq!(payments.len(), PAYERS * PAYMENTS_EACH, "each payment once");
    for payer in payers {
        let key = keys::balance(world.demo.tenant, payer);
        let found = running
            .store
            .get(&[key])
            .await
            .expect("readable")
            .pop()
            .flatten();
        let balance: Balance = lombard_core::store::decode(&found.expect("there").body.bytes);
        assert_eq!(balance.sums.available(), FUNDS - 7 * PAYMENTS_EACH as u64);
    }
    running.stop().await;
}

/// The same application on another line.
fn over(world: &World, store: &lombard_aws::dynamo::Dynamo) -> lombard_service::app::App {
    let mut app = world.app.clone();
    app.store = Arc::new(store.clone());
    let render = Arc::new(lombard_service::http::wire::Wire);
    app.bank = Arc::new(lombard_service::optimistic::Optimistic::new(
        app.store.clone(),
        app.host.clone(),
        render,
    ));
    app
}
