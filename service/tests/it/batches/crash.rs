//! A batch whose run is killed in the middle.

use std::time::Duration;

use serde_json::json;
use tokio::runtime::Runtime;

use super::{Currency, Sender, iban, id_of};

const ROWS: usize = 20_000;

#[test]
fn what_was_paid_before_a_crash_is_not_paid_again() {
    let runtime = Runtime::new().unwrap();
    let (sender, account) = runtime.block_on(async {
        let sender = Sender::new().await;
        let account = sender
            .account(&iban("GB33BUKB20201555555555"), Currency::EUR)
            .await;
        (sender, account)
    });
    let mut file = "amount,currency,debtor_account,creditor_name,creditor_iban\n".to_owned();
    for n in 1..=ROWS {
        // Every hundredth row is refused, so that outcomes are stored too.
        let currency = if n % 100 == 0 { "XXX" } else { "EUR" };
        file += &format!("{n},{currency},{account},Ada,DE89370400440532013000\n");
    }
    let crashing = Runtime::new().unwrap();
    let id = crashing.block_on(async {
        let id = id_of(&sender.send("text/csv", "k", file.clone()).await.expect(202));
        // Somewhere in the middle.
        tokio::time::sleep(Duration::from_millis(150)).await;
        id
    });
    crashing.shutdown_timeout(Duration::ZERO);
    runtime.block_on(async {
        let path = format!("/v1/batches/{id}");
        let batch = sender.client.get(&path).await.expect(200);
        assert_eq!(
            batch["state"], "processing",
            "nobody knows yet; it should be in the middle"
        );
        let again = sender.send("text/csv", "k", file.clone()).await;
        assert_eq!(
            again.headers["idempotency-replayed"], "true",
            "its runner may be alive"
        );
        sender.world.host.advance(6_000);
        assert_eq!(
            sender.client.get(&path).await.expect(200)["state"],
            "interrupted"
        );
        let resumed = sender.send("text/csv", "k", file).await.expect(202);
        assert_eq!(
            (&resumed["id"], &resumed["state"]),
            (&json!(id), &json!("processing"))
        );
        let counts = sender.decided(&id).await["counts"].clone();
        assert_eq!(counts["accepted"], ROWS - ROWS / 100, "{counts}");
        assert_eq!(counts["rejected"], ROWS / 100);
        assert_eq!(counts["duplicates"], 0);
        // The books say the same: each amount left once.
        let paid: usize = (1..=ROWS).filter(|n| n % 100 != 0).sum();
        let account = sender
            .client
            .get(&format!("/v1/accounts/{account}"))
            .await
            .expect(200);
        assert_eq!(account["balance"]["debits_pending"], paid, "{account}");
    });
}
