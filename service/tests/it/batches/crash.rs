//! A batch whose run is killed in the middle.

use std::{path::Path, time::Duration};

use lombard_service::{
    batch::resume,
    config::{BatchesConfig, Config},
    exceptions,
};
use serde_json::json;
use tokio::{runtime::Runtime, sync::watch};

use super::{Currency, Sender, iban, id_of};

const ROWS: usize = 20_000;

/// A file of so many rows; every hundredth is refused, so that outcomes are stored too.
fn file(account: &str) -> String {
    let mut file = "amount,currency,debtor_account,creditor_name,creditor_iban\n".to_owned();
    for n in 1..=ROWS {
        let currency = if n % 100 == 0 { "XXX" } else { "EUR" };
        file += &format!("{n},{currency},{account},Ada,DE89370400440532013000\n");
    }
    file
}

/// A sender whose process dies while it pays a file: with the file, its batch and its account.
fn crashed(runtime: &Runtime, spool: Option<&Path>) -> (Sender, String, String, String) {
    let (sender, account) = runtime.block_on(async {
        let sender = Sender::with(Config {
            batches: BatchesConfig {
                spool: spool.map(Path::to_owned),
            },
            ..Config::default()
        })
        .await;
        let account = sender
            .account(&iban("GB33BUKB20201555555555"), Currency::EUR)
            .await;
        (sender, account.to_string())
    });
    let file = file(&account);
    let crashing = Runtime::new().unwrap();
    let id = crashing.block_on(async {
        let id = id_of(&sender.send("text/csv", "k", file.clone()).await.expect(202));
        // Somewhere in the middle.
        tokio::time::sleep(Duration::from_millis(150)).await;
        id
    });
    crashing.shutdown_timeout(Duration::ZERO);
    runtime.block_on(async {
        let batch = sender.client.get(&format!("/v1/batches/{id}")).await;
        assert_eq!(
            batch.expect(200)["state"],
            "processing",
            "nobody knows yet; it should be in the middle"
        );
    });
    (sender, file, id, account)
}

/// Each row became one payment, or was refused once; the books say the same.
async fn paid_once(sender: &Sender, id: &str, account: &str) {
    let counts = sender.decided(id).await["counts"].clone();
    assert_eq!(counts["accepted"], ROWS - ROWS / 100, "{counts}");
    assert_eq!(counts["rejected"], ROWS / 100);
    assert_eq!(counts["duplicates"], 0);
    let paid: usize = (1..=ROWS).filter(|n| n % 100 != 0).sum();
    let account = sender
        .client
        .get(&format!("/v1/accounts/{account}"))
        .await
        .expect(200);
    assert_eq!(account["balance"]["debits_pending"], paid, "{account}");
}

#[test]
fn what_was_paid_before_a_crash_is_not_paid_again() {
    let runtime = Runtime::new().unwrap();
    let (sender, file, id, account) = crashed(&runtime, None);
    runtime.block_on(async {
        let path = format!("/v1/batches/{id}");
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
        paid_once(&sender, &id, &account).await;
    });
}

#[test]
fn the_next_process_goes_on_with_a_kept_file() {
    let folder = tempfile::tempdir().unwrap();
    let runtime = Runtime::new().unwrap();
    let (sender, file, id, account) = crashed(&runtime, Some(folder.path()));
    let kept = || std::fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(kept(), 1);
    // Left by a crash between a batch's end and its file's.
    std::fs::write(folder.path().join("batch-old"), b"").unwrap();
    runtime.block_on(async {
        let (stop, stopped) = watch::channel(false);
        sender.world.host.advance(6_000);
        let resumer = tokio::spawn(resume::run(sender.world.app.clone(), None, stopped));
        paid_once(&sender, &id, &account).await;
        let again = sender.send("text/csv", "k", file).await;
        assert_eq!(again.headers["idempotency-replayed"], "true");
        stop.send(true).unwrap();
        resumer.await.unwrap();
        for _ in 0..200 {
            if kept() == 0 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("{} files are left", kept());
    });
}

#[test]
fn a_batch_whose_file_is_lost_is_somebody_s_exception() {
    let folder = tempfile::tempdir().unwrap();
    let runtime = Runtime::new().unwrap();
    let (sender, file, id, account) = crashed(&runtime, Some(folder.path()));
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        std::fs::remove_file(entry.unwrap().path()).unwrap();
    }
    runtime.block_on(async {
        let (stop, stopped) = watch::channel(false);
        sender.world.host.advance(6_000);
        let resumer = tokio::spawn(resume::run(sender.world.app.clone(), None, stopped));
        let (app, tenant) = (&sender.world.app, sender.world.tenant);
        let found = loop {
            let found = exceptions::list(app, tenant, None, 10).await.unwrap();
            if let Some((_, exception)) = found.into_iter().next() {
                break exception;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        };
        assert_eq!(found.kind, exceptions::Kind::BatchInterrupted);
        assert_eq!(found.subject, id);
        stop.send(true).unwrap();
        resumer.await.unwrap();
        // Its sender has it still.
        sender.send("text/csv", "k", file).await.expect(202);
        paid_once(&sender, &id, &account).await;
    });
}
