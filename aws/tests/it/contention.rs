//! A house account is as fast as the number of its payers: nobody's attempt is lost to another's.

use lombard_aws::meter::{By, Ended, Sum};
use lombard_core::ledger::Rollup;

use crate::{
    support::{Running, emulator, endpoint_outside},
    world::{World, pay},
};

const PAYERS: usize = 32;
const PAYMENTS_EACH: usize = 6;

#[tokio::test(flavor = "multi_thread")]
#[expect(
    clippy::print_stdout,
    reason = "the figure is what the test is read for"
)]
async fn payers_of_one_merchant_do_not_get_in_each_others_way() {
    let endpoint = match endpoint_outside() {
        Some(endpoint) => endpoint,
        None => emulator().await,
    };
    let running = Running::at(&endpoint).await;
    let world = std::sync::Arc::new(World::over(&running.store).await);
    let merchant = world.open("merchant", Rollup::House).await;
    let mut payers = Vec::new();
    for n in 0..PAYERS {
        payers.push(world.funded(&format!("payer {n}"), 10_000).await);
    }
    let _ = running.store.meter().take();
    let tasks = payers.into_iter().enumerate().map(|(n, payer)| {
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
        task.await.expect("every payer pays");
    }
    let sums = running.store.meter().take();
    let commits = |wanted: fn(Ended) -> bool| -> u64 {
        let of = |(by, _): &(&By, &Sum)| by.name == "TransactWriteItems" && wanted(by.ended);
        sums.iter().filter(of).map(|(_, sum)| sum.calls).sum()
    };
    let attempts = commits(|_| true);
    let lost = commits(|ended| matches!(ended, Ended::Conflict | Ended::Contended));
    println!("{PAYERS} payers of one house account: {lost} of {attempts} attempts lost");
    assert!(attempts >= (PAYERS * PAYMENTS_EACH) as u64);
    assert!(lost * 20 < attempts, "{lost} of {attempts} attempts lost");
    running.stop().await;
}
