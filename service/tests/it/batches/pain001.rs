//! pain.001 files of our own writing, and the pain.002 that answers them.

use lombard_core::{payment::Payment, plan::keys};
use lombard_service::details::Details;
use serde_json::{Value, json};

use super::{Currency, Sender, iban, id_of};

const DEBTOR: &str = "DE75512108001245126199";
const XML: &str = "application/xml";

/// A transaction of a file.
pub fn row(id: &str, amount: &str, creditor: &str) -> String {
    format!(
        "<CdtTrfTxInf><PmtId><InstrId>I-{id}</InstrId><EndToEndId>{id}</EndToEndId></PmtId>\
         <Amt><InstdAmt Ccy=\"EUR\">{amount}</InstdAmt></Amt>\
         <Cdtr><Nm>Ada Lovelace</Nm></Cdtr><CdtrAcct><Id><IBAN>{creditor}</IBAN></Id></CdtrAcct>\
         <RmtInf><Ustrd>Invoice {id}</Ustrd></RmtInf></CdtTrfTxInf>"
    )
}

/// A block of a file.
pub fn block(id: &str, date: &str, rows: &[String]) -> String {
    format!(
        "<PmtInf><PmtInfId>{id}</PmtInfId><PmtMtd>TRF</PmtMtd><ReqdExctnDt>{date}</ReqdExctnDt>\
         <Dbtr><Nm>Babbage Ltd</Nm></Dbtr><DbtrAcct><Id><IBAN>{DEBTOR}</IBAN></Id></DbtrAcct>\
         <DbtrAgt><FinInstnId><BIC>DEUTDEFF</BIC></FinInstnId></DbtrAgt>{}</PmtInf>",
        rows.concat()
    )
}

/// A file of version .03.
pub fn file(id: &str, rows: usize, sum: &str, blocks: &[String]) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\
         <Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:pain.001.001.03\"><CstmrCdtTrfInitn>\
         <GrpHdr><MsgId>{id}</MsgId><CreDtTm>2026-01-02T03:04:05</CreDtTm><NbOfTxs>{rows}</NbOfTxs>\
         <CtrlSum>{sum}</CtrlSum><InitgPty><Nm>Babbage Ltd</Nm></InitgPty></GrpHdr>{}\
         </CstmrCdtTrfInitn></Document>",
        blocks.concat()
    )
}

const GOOD: &str = "FR1420041010050500013M02606";
const PAST: &str = "2026-01-02";

#[tokio::test]
async fn a_file_of_two_blocks_is_paid_and_reported_on() {
    let sender = Sender::new().await;
    sender.account(&iban(DEBTOR), Currency::EUR).await;
    let blocks = [
        block(
            "B1",
            PAST,
            &[row("E1", "10.00", GOOD), row("E2", "20.00", GOOD)],
        ),
        block("B2", "2999-12-31", &[row("E3", "30.00", GOOD)]),
    ];
    let sent = file("M1", 3, "60.00", &blocks);
    let batch = sender.send(XML, "k", sent.clone()).await.expect(202);
    assert_eq!(batch["message"], "pain.001.001.03");
    assert_eq!(batch["message_id"], "M1");
    let id = id_of(&batch);
    let counts = sender.decided(&id).await["counts"].clone();
    assert_eq!(
        (&counts["accepted"], &counts["rejected"]),
        (&json!(2), &json!(1))
    );
    let rows = sender
        .client
        .get(&format!("/v1/batches/{id}/rows"))
        .await
        .expect(200);
    assert_eq!(rows["data"][2]["rule"], "execution_date");
    assert_eq!(rows["data"][2]["reason"], "date_not_accepted");

    let report = sender.client.get(&format!("/v1/batches/{id}/report")).await;
    assert_eq!(report.headers["content-type"], XML);
    let text = report.text();
    for part in [
        "pain.002.001.03",
        "<OrgnlMsgId>M1</OrgnlMsgId>",
        "<GrpSts>PART</GrpSts>",
        "<OrgnlPmtInfId>B1</OrgnlPmtInfId>",
        "<OrgnlInstrId>I-E2</OrgnlInstrId><OrgnlEndToEndId>E2</OrgnlEndToEndId>",
        "<OrgnlPmtInfId>B2</OrgnlPmtInfId>",
        "<Cd>DT01</Cd>",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
    let inspected = lombard_core::iso20022::inspect(text.as_bytes()).unwrap();
    assert!(inspected.errors.is_empty(), "{:?}", inspected.errors);

    // The same message id of the same sender is the same file, whatever is in it.
    let more = file(
        "M1",
        1,
        "1.00",
        &[block("B1", PAST, &[row("E9", "1.00", GOOD)])],
    );
    let problem = sender.send(XML, "k2", more.clone()).await.expect(409);
    assert_eq!(problem["code"], "duplicate_file");
    let stranger = more.replace("Babbage Ltd</Nm></InitgPty>", "Jacquard SA</Nm></InitgPty>");
    sender.send(XML, "k3", stranger).await.expect(202);
}

#[tokio::test]
async fn a_file_that_does_not_add_up_or_breaks_its_schema_is_paid_not_at_all() {
    let sender = Sender::new().await;
    sender.account(&iban(DEBTOR), Currency::EUR).await;
    let one = || vec![block("B1", PAST, &[row("E1", "10.00", GOOD)])];
    let good = file("M1", 1, "10.00", &one());
    for (sent, rule, place) in [
        (
            file("M1", 2, "10.00", &one()),
            "number_of_transactions",
            "GrpHdr",
        ),
        (file("M1", 1, "10.01", &one()), "control_sum", "GrpHdr"),
        (
            good.replace("<PmtMtd>TRF</PmtMtd>", ""),
            "missing_element",
            "PmtInf[1]",
        ),
        (
            good.replace("<Amt>", "<Amd>").replace("</Amt>", "</Amd>"),
            "unexpected_element",
            "CdtTrfTxInf[1]",
        ),
        (
            good.replace("Ada Lovelace", &"x".repeat(141)),
            "max_length",
            "CdtTrfTxInf[1]",
        ),
        (
            good.replace("001.001.03", "001.001.99"),
            "unsupported_message",
            "",
        ),
        (good.replace("</Document>", ""), "malformed", ""),
    ] {
        let problem = sender.send(XML, "k", sent).await.expect(422);
        assert_eq!(problem["code"], "invalid_file");
        let errors = problem["errors"].as_array().unwrap();
        let found = |error: &Value| {
            error["rule"] == rule && error["path"].as_str().unwrap().contains(place)
        };
        assert!(errors.iter().any(found), "{rule}: {problem}");
        assert!(!problem.to_string().contains("Lovelace"), "{problem}");
    }
    let payments = sender.client.get("/v1/payments").await.expect(200);
    assert_eq!(payments["data"], json!([]));
    sender.send(XML, "k", good).await.expect(202);
}

#[tokio::test]
async fn what_cannot_be_paid_is_the_row_s_own_fault() {
    let sender = Sender::new().await;
    sender.account(&iban(DEBTOR), Currency::EUR).await;
    let plain = row("E1", "10.00", GOOD);
    let rows = [
        plain.clone(),
        row("E2", "10.00", "FR1420041010050500013M02607"),
        row("E3", "10.001", GOOD),
        plain.replace("E1", "E4").replace("EUR", "USD"),
        plain
            .replace("E1", "E5")
            .replace("<Cdtr>", "<ChrgBr>DEBT</ChrgBr><Cdtr>"),
    ];
    let sent = file("M2", 5, "50.001", &[block("B1", PAST, &rows)]);
    let id = id_of(&sender.send(XML, "k", sent).await.expect(202));
    sender.decided(&id).await;
    let rows = sender
        .client
        .get(&format!("/v1/batches/{id}/rows"))
        .await
        .expect(200);
    let reasons: Vec<_> = rows["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| (row["outcome"].as_str().unwrap(), row["rule"].as_str()))
        .collect();
    assert_eq!(
        reasons,
        [
            ("accepted", None),
            ("rejected", Some("iban")),
            ("rejected", Some("minor_units")),
            ("rejected", Some("currency")),
            ("rejected", Some("charge_bearer")),
        ]
    );
}

#[tokio::test]
async fn what_a_row_says_in_structured_form_goes_as_text_or_is_said_to_stay() {
    let sender = Sender::new().await;
    sender.account(&iban(DEBTOR), Currency::EUR).await;
    let invoice = "<RfrdDocInf><Nb>INV-77</Nb></RfrdDocInf>";
    let reference = "<CdtrRefInf><Ref>RF18539007547034</Ref></CdtrRefInf>";
    let more = "<AddtlRmtInf>less 2 % discount</AddtlRmtInf>";
    let with = |id: &str, parts: &str| {
        let text = format!("<RmtInf><Strd>{parts}</Strd></RmtInf>");
        let plain = format!("<RmtInf><Ustrd>Invoice {id}</Ustrd></RmtInf>");
        row(id, "10.00", GOOD).replace(&plain, &text)
    };
    let rows = [
        with("E1", &format!("{invoice}{more}")),
        with("E2", &format!("{invoice}{reference}")),
        with("E3", reference),
    ];
    let sent = file("M3", 3, "30.00", &[block("B1", PAST, &rows)]);
    let id = id_of(&sender.send(XML, "k", sent).await.expect(202));
    sender.decided(&id).await;
    let rows = sender.client.get(&format!("/v1/batches/{id}/rows")).await;
    let rows = rows.expect(200);
    let (app, tenant) = (&sender.world.app, sender.world.tenant);
    let mut told = Vec::new();
    for row in rows["data"].as_array().unwrap() {
        let id = row["payment"].as_str().unwrap().parse().unwrap();
        let payment: Payment = app
            .value(&keys::payment(tenant, id))
            .await
            .unwrap()
            .unwrap();
        let details = Details::open(app.vault.as_ref(), tenant, &payment).unwrap();
        let warned = payment.warnings.first().map(|it| it.rule.clone());
        told.push((details.remittance, details.reference.is_some(), warned));
    }
    let text = Some("INV-77 less 2 % discount".to_owned());
    let stays = Some("not_carried".to_owned());
    let respelled = Some("respelled".to_owned());
    assert_eq!(told[0].0, text);
    assert!([None, respelled].contains(&told[0].2), "{told:?}");
    assert_eq!(told[1..], [(None, true, stays), (None, true, None)]);
}

#[tokio::test]
async fn senders_are_told_apart_by_whatever_identifies_them() {
    let sender = Sender::new().await;
    sender.account(&iban(DEBTOR), Currency::EUR).await;
    let named = "<InitgPty><Nm>Babbage Ltd</Nm></InitgPty>";
    for (key, id, status) in [("a", "A-1", 202), ("b", "B-2", 202), ("c", "A-1", 409)] {
        let numbered =
            format!("<InitgPty><Id><OrgId><Othr><Id>{id}</Id></Othr></OrgId></Id></InitgPty>");
        let blocks = [block("B1", PAST, &[row(key, "10.00", GOOD)])];
        let sent = file("M1", 1, "10.00", &blocks).replace(named, &numbered);
        sender.send(XML, key, sent).await.expect(status);
    }
}

#[tokio::test]
async fn a_community_s_own_name_of_a_version_is_understood() {
    let sender = Sender::new().await;
    sender.account(&iban(DEBTOR), Currency::EUR).await;
    const ISO: &str = "urn:iso:std:iso:20022:tech:xsd:pain.001.001.03";
    for (key, namespace) in [
        ("DK2", "urn:iso:std:iso:20022:tech:xsd:pain.001.002.03"),
        ("DK3", "urn:iso:std:iso:20022:tech:xsd:pain.001.003.03"),
        (
            "CH",
            "http://www.six-interbank-clearing.com/de/pain.001.001.03.ch.02.xsd",
        ),
    ] {
        let blocks = [block("B1", PAST, &[row(key, "10.00", GOOD)])];
        let sent = file(key, 1, "10.00", &blocks).replace(ISO, namespace);
        let batch = sender.send(XML, key, sent).await.expect(202);
        let counts = sender.decided(&id_of(&batch)).await["counts"].clone();
        assert_eq!(counts["accepted"], 1, "{key}: {counts}");
    }
}
