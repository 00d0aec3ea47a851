//! CSV and JSON Lines, and what is the same for all files.

use axum::body::Body;
use lombard_core::tenant::TenantId;
use serde_json::json;

use super::{Currency, Sender, iban, id_of};
use crate::client::Client;

const DEBTOR: &str = "GB33BUKB20201555555555";
const CREDITOR: &str = "DE89370400440532013000";
const CSV: &str = "text/csv";
const LINES: &str = "application/x-ndjson";

#[tokio::test]
async fn each_row_of_a_csv_file_is_paid_or_says_why_not() {
    let sender = Sender::new().await;
    let account = sender.account(&iban(DEBTOR), Currency::EUR).await;
    let file = format!(
        "amount_decimal,currency,debtor_account,debtor_iban,creditor_name,creditor_iban,end_to_end_id,idempotency_key,metadata.run\n\
         12.50,EUR,{account},,Ada,{CREDITOR},INV-1,,may\n\
         12.50,EUR,,{DEBTOR},Ada,{CREDITOR},INV-2,once,\n\
         0.01,EUR,,{DEBTOR},Ada,DE89370400440532013001,INV-3,,\n\
         1.001,EUR,{account},,Ada,{CREDITOR},INV-4,,\n\
         5,EUR,,DE75512108001245126199,Ada,{CREDITOR},INV-5,,\n\
         12.50,EUR,,{DEBTOR},Ada,{CREDITOR},INV-2,once,\n\
         9.99,EUR,{account},,,{CREDITOR},INV-7,,\n"
    );
    let batch = sender.send(CSV, "k", file).await.expect(202);
    assert_eq!(
        (&batch["format"], &batch["counts"]["rows"]),
        (&json!("csv"), &json!(7))
    );
    let id = id_of(&batch);
    let batch = sender.decided(&id).await;
    let counts = &batch["counts"];
    assert_eq!(counts["accepted"], 2, "{counts}");
    assert_eq!(counts["rejected"], 4);
    assert_eq!(counts["duplicates"], 1);
    assert_eq!(counts["pending"], 2);

    let rows = sender
        .client
        .get(&format!("/v1/batches/{id}/rows"))
        .await
        .expect(200);
    let told: Vec<_> = rows["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| (row["outcome"].as_str().unwrap(), row["field"].as_str()))
        .collect();
    assert_eq!(
        told,
        [
            ("accepted", None),
            ("accepted", None),
            ("rejected", Some("creditor/iban")),
            ("rejected", Some("amount_decimal")),
            ("rejected", Some("debtor_account")),
            ("duplicate", None),
            ("rejected", Some("creditor_account")),
        ]
    );
    assert_eq!(rows["data"][5]["payment"], rows["data"][1]["payment"]);
    let payment = rows["data"][0]["payment"].as_str().unwrap();
    let payment = sender
        .client
        .get(&format!("/v1/payments/{payment}"))
        .await
        .expect(200);
    assert_eq!(
        (&payment["amount"], &payment["batch"]),
        (&json!(1250), &json!(id))
    );
    assert_eq!(payment["metadata"]["run"], "may");

    let report = sender.client.get(&format!("/v1/batches/{id}/report")).await;
    assert_eq!(report.headers["content-type"], "text/csv; charset=utf-8");
    let lines: Vec<_> = report.text().lines().collect();
    assert_eq!(lines.len(), 8);
    assert!(lines[1].starts_with("1,accepted,pay_"), "{}", lines[1]);
    assert!(lines[5].contains("account_unknown"), "{}", lines[5]);
    let page = format!("/v1/batches/{id}/rows?limit=2&cursor=5");
    let page = sender.client.get(&page).await.expect(200);
    assert_eq!(
        (&page["data"][0]["row"], &page["has_more"]),
        (&json!(6), &json!(false))
    );
}

#[tokio::test]
async fn a_json_line_is_the_body_of_a_payment() {
    let sender = Sender::new().await;
    let account = sender.account(&iban(DEBTOR), Currency::EUR).await;
    let other = sender.account(&iban(CREDITOR), Currency::EUR).await;
    let line = |creditor: serde_json::Value| json!({"amount": 100, "currency": "EUR", "debtor": {"account": account}, "creditor": creditor});
    let good = line(json!({"account": other}));
    let file = format!(
        "{good}\n\n{}\n{{\"amount\":\n{good}",
        line(json!({"acount": "x"}))
    );
    let batch = sender.send(LINES, "k", file).await.expect(202);
    let id = id_of(&batch);
    let counts = sender.decided(&id).await["counts"].clone();
    assert_eq!(
        (&counts["rows"], &counts["rejected"]),
        (&json!(4), &json!(2))
    );
    assert_eq!(
        (&counts["accepted"], &counts["cleared"]),
        (&json!(2), &json!(2))
    );
    let report = sender.client.get(&format!("/v1/batches/{id}/report")).await;
    let lines: Vec<serde_json::Value> = report
        .text()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines[1]["field"], "/creditor/acount");
    assert_eq!(
        (&lines[2]["code"], &lines[2]["row"]),
        (&json!("invalid_json"), &json!(3))
    );
    assert_eq!(lines[3]["status"], "CLEARED");
}

#[tokio::test]
async fn another_tenant_s_accounts_are_not_there() {
    let sender = Sender::new().await;
    let mine = sender.account(&iban(DEBTOR), Currency::EUR).await;
    let other = TenantId::new(9);
    let stranger = Client::new(&sender.world.app, other).await;
    let file = format!(
        "amount,currency,debtor_account,debtor_iban,creditor_name,creditor_iban\n\
         1,EUR,{mine},,Ada,{CREDITOR}\n1,EUR,,{DEBTOR},Ada,{CREDITOR}\n"
    );
    let request = stranger
        .request("POST", "/v1/batches")
        .header("content-type", CSV)
        .header("idempotency-key", "k")
        .body(file.into())
        .unwrap();
    let id = id_of(&stranger.send(request).await.expect(202));
    let path = format!("/v1/batches/{id}");
    while stranger.get(&path).await.expect(200)["state"] != "completed" {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    let rows = stranger.get(&format!("{path}/rows")).await.expect(200);
    for row in rows["data"].as_array().unwrap() {
        assert_eq!(row["outcome"], "rejected", "{row}");
        assert_eq!(row["reason"], "account_unknown", "{row}");
    }
    sender.client.get(&path).await.expect(404);
}

#[tokio::test]
async fn a_file_is_paid_once_whoever_sends_it_again() {
    let sender = Sender::new().await;
    let account = sender.account(&iban(DEBTOR), Currency::EUR).await;
    let file = format!(
        "amount,currency,debtor_account,creditor_name,creditor_iban\n100,EUR,{account},Ada,{CREDITOR}\n"
    );
    let first = sender.send(CSV, "k1", file.clone()).await;
    let body = first.body.clone();
    let id = id_of(&first.expect(202));
    sender.decided(&id).await;
    let again = sender.send(CSV, "k1", file.clone()).await;
    assert_eq!(again.headers["idempotency-replayed"], "true");
    assert_eq!(again.body, body, "byte for byte");
    let other = sender
        .send(
            CSV,
            "k1",
            format!("{file}100,EUR,{account},Ada,{CREDITOR}\n"),
        )
        .await;
    assert_eq!(other.expect(422)["code"], "idempotency_key_reused");
    let copy = sender.send(CSV, "k2", file.clone()).await.expect(409);
    assert_eq!(copy["code"], "duplicate_file");
    assert!(copy["detail"].as_str().unwrap().contains(&id));
    // A failed try of a file leaves nothing behind: the same key serves for the mended file.
    let wrong = sender
        .send(CSV, "k3", "amount,currency,color\n1,EUR,red\n")
        .await
        .expect(422);
    assert_eq!(
        (&wrong["code"], &wrong["errors"][0]["rule"]),
        (&json!("invalid_file"), &json!("unknown_column"))
    );
    sender
        .send(CSV, "k3", file.replace("100", "101"))
        .await
        .expect(202);
    let list = sender.client.get("/v1/batches").await.expect(200);
    assert_eq!(list["data"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn what_is_no_file_is_refused_whole() {
    let sender = Sender::new().await;
    for (kind, file, status, code, rule) in [
        ("image/png", "x", 415, "media_type_unsupported", ""),
        (CSV, "", 422, "invalid_file", "missing_column"),
        (CSV, "amount,currency\n", 422, "invalid_file", "empty"),
        (
            CSV,
            "amount,amount,currency\n1,1,EUR\n",
            422,
            "invalid_file",
            "repeated_column",
        ),
        (
            CSV,
            "amount,currency\n1,EUR,3\n",
            422,
            "invalid_file",
            "fields",
        ),
        (LINES, "\n\n", 422, "invalid_file", "empty"),
        ("application/xml", "", 422, "invalid_file", "malformed"),
        ("application/xml", "<a", 422, "invalid_file", "malformed"),
        (
            "application/xml",
            "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>",
            422,
            "invalid_file",
            "dtd",
        ),
    ] {
        let problem = sender.send(kind, "k", file).await.expect(status);
        assert_eq!(problem["code"], code, "{kind} {file}: {problem}");
        if !rule.is_empty() {
            assert_eq!(
                problem["errors"][0]["rule"], rule,
                "{kind} {file}: {problem}"
            );
        }
    }
    assert_eq!(
        sender.client.get("/v1/batches").await.expect(200)["data"],
        json!([])
    );
}

#[tokio::test]
async fn a_long_line_and_bad_bytes_are_the_file_s_fault() {
    let sender = Sender::new().await;
    let long = format!("{}\n", "x".repeat(70_000));
    let problem = sender.send(LINES, "a", long).await.expect(422);
    assert_eq!(problem["errors"][0]["rule"], "limit");
    let open = format!("amount,currency\n1,\"{}", "x".repeat(200_000));
    let problem = sender.send(CSV, "c", open).await.expect(422);
    assert_eq!(problem["errors"][0]["rule"], "limit");
    let bad = b"amount,currency\n1,\xff\xfe\n".to_vec();
    let problem = sender.send(CSV, "b", bad).await.expect(422);
    assert_eq!(problem["errors"][0]["rule"], "encoding");
}

#[tokio::test]
async fn nothing_is_paid_of_an_upload_that_breaks_off() {
    let sender = Sender::new().await;
    let account = sender.account(&iban(DEBTOR), Currency::EUR).await;
    let head = "amount,currency,debtor_account,creditor_name,creditor_iban\n";
    let file = format!("{head}1,EUR,{account},Ada,{CREDITOR}\n");
    let pieces = [
        Ok(file.clone()),
        Err(std::io::Error::from(std::io::ErrorKind::ConnectionReset)),
    ];
    let broken = Body::from_stream(futures_util::stream::iter(pieces));
    let problem = sender.send(CSV, "k", broken).await.expect(422);
    assert_eq!(problem["code"], "invalid_file");
    let payments = sender.client.get("/v1/payments").await.expect(200);
    assert_eq!(payments["data"], json!([]));
    sender.send(CSV, "k", file).await.expect(202);
}

#[tokio::test]
async fn what_the_rail_will_cut_of_a_row_stays_with_its_payment() {
    let sender = Sender::new().await;
    let address = r#"{"sort_code":"200000","account_number":"55779911"}"#;
    let account = sender.account(address, Currency::GBP).await;
    let file = format!(
        "amount,currency,debtor_account,creditor_name,creditor_sort_code,creditor_account_number,reference\n\
         100,GBP,{account},Ada,200000,55779911,REFERENCE THAT IS TOO LONG FOR IT\n\
         101,GBP,{account},Ada,200000,55779911,SHORT\n"
    );
    let id = id_of(&sender.send(CSV, "k", file).await.expect(202));
    sender.decided(&id).await;
    let rows = sender.client.get(&format!("/v1/batches/{id}/rows")).await;
    let rows = rows.expect(200);
    let mut told = Vec::new();
    for row in rows["data"].as_array().unwrap() {
        let payment = row["payment"].as_str().unwrap();
        let payment = sender.client.get(&format!("/v1/payments/{payment}")).await;
        told.push(payment.expect(200)["warnings"].clone());
    }
    let cut = json!([{"rule": "cut", "field": "/reference"}]);
    assert_eq!(told, [cut, serde_json::Value::Null]);
}
