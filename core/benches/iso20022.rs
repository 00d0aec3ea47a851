//! What a message costs: one on the rail, and one row of a file of payments.

use std::fmt::Write;
use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use lombard_core::iso20022::pain001::PaymentFile;
use lombard_core::iso20022::{
    Account, Agent, ChargeBearer, Coded, CreditTransfer, Message, Original, Party, Remittance,
    Settlement, Status, StatusReport, inspect,
};
use lombard_core::money::{Amount, Money};

const UETR: &str = "174c245f-2682-4291-ad67-2a41e530cd27";

fn credit_transfer() -> CreditTransfer {
    CreditTransfer {
        message_id: "MSG-20261123-000001".to_owned(),
        created_ms: 1_795_424_400_000,
        settlement: Settlement::clearing(Coded::proprietary("ST2")),
        settlement_date: Some("2026-11-23".to_owned()),
        instruction_id: Some("INSTR-000001".to_owned()),
        end_to_end_id: "E2E-000001".to_owned(),
        tx_id: Some("TX-000001".to_owned()),
        uetr: Some(UETR.to_owned()),
        service_level: Some(Coded::code("SEPA")),
        local_instrument: Some(Coded::code("INST")),
        category_purpose: None,
        amount: Money {
            amount: Amount::try_from(12_345).expect("an amount"),
            currency: lombard_core::currency::Currency::EUR,
        },
        instructed_amount: None,
        accepted_ms: Some(1_795_424_400_123),
        charge_bearer: ChargeBearer::ServiceLevel,
        instructing_agent: Some(Agent::bic("MYMBGB2LXXX")),
        instructed_agent: Some(Agent::bic("INGBROBUXXX")),
        ultimate_debtor: None,
        debtor: Party::named("Debtor Limited"),
        debtor_account: Some(Account::Iban("GB33BUKB20201555555555".to_owned())),
        debtor_agent: Agent::bic("MYMBGB2LXXX"),
        creditor_agent: Agent::bic("INGBROBUXXX"),
        creditor: Party::named("Creditor & Sons"),
        creditor_account: Some(Account::Iban("DE89370400440532013000".to_owned())),
        ultimate_creditor: None,
        purpose: Some(Coded::code("SALA")),
        remittance: Remittance {
            text: vec!["invoice 4711".to_owned()],
            reference: None,
            ..Remittance::default()
        },
    }
}

fn status_report() -> StatusReport {
    StatusReport {
        message_id: "STS-1".to_owned(),
        created_ms: 1_795_424_400_000,
        original: Original {
            message_id: Some("MSG-20261123-000001".to_owned()),
            message_name: Some("pacs.008.001.08".to_owned()),
            end_to_end_id: Some("E2E-000001".to_owned()),
            uetr: Some(UETR.to_owned()),
            ..Original::default()
        },
        status_id: None,
        status: Status::SettlementCompleted,
        reasons: Vec::new(),
        accepted_ms: Some(1_795_424_400_123),
        clearing_reference: None,
        instructing_agent: None,
        instructed_agent: None,
    }
}

fn payment_file(rows: usize) -> String {
    let mut text = format!(
        "<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:pain.001.001.09\"><CstmrCdtTrfInitn>\
         <GrpHdr><MsgId>F</MsgId><CreDtTm>2026-11-23T10:00:00Z</CreDtTm><NbOfTxs>{rows}</NbOfTxs>\
         <InitgPty><Nm>S</Nm></InitgPty></GrpHdr><PmtInf><PmtInfId>B</PmtInfId><PmtMtd>TRF</PmtMtd>\
         <ReqdExctnDt><Dt>2026-11-24</Dt></ReqdExctnDt><Dbtr><Nm>Payer</Nm></Dbtr>\
         <DbtrAcct><Id><IBAN>NL91ABNA0417164300</IBAN></Id></DbtrAcct>\
         <DbtrAgt><FinInstnId><BICFI>MYMBGB2L</BICFI></FinInstnId></DbtrAgt>"
    );
    for n in 0..rows {
        writeln!(
            text,
            "<CdtTrfTxInf><PmtId><InstrId>I-{n}</InstrId><EndToEndId>E-{n}</EndToEndId></PmtId>\
             <Amt><InstdAmt Ccy=\"EUR\">12.34</InstdAmt></Amt>\
             <CdtrAgt><FinInstnId><BICFI>INGBROBU</BICFI></FinInstnId></CdtrAgt>\
             <Cdtr><Nm>Creditor {n}</Nm></Cdtr>\
             <CdtrAcct><Id><IBAN>DE89370400440532013000</IBAN></Id></CdtrAcct>\
             <RmtInf><Ustrd>invoice {n}</Ustrd></RmtInf></CdtTrfTxInf>"
        )
        .expect("a string takes all");
    }
    text + "</PmtInf></CstmrCdtTrfInitn></Document>"
}

fn messages(c: &mut Criterion) {
    let transfer = credit_transfer();
    let text = transfer.to_xml().expect("valid");
    c.bench_function("pacs.008 write", |b| {
        b.iter(|| black_box(&transfer).to_xml())
    });
    c.bench_function("pacs.008 read", |b| {
        b.iter(|| Message::parse(black_box(text.as_bytes())))
    });
    let report = status_report();
    let text = report.to_xml().expect("valid");
    c.bench_function("pacs.002 write", |b| b.iter(|| black_box(&report).to_xml()));
    c.bench_function("pacs.002 read", |b| {
        b.iter(|| Message::parse(black_box(text.as_bytes())))
    });
}

fn files(c: &mut Criterion) {
    const ROWS: usize = 10_000;
    let text = payment_file(ROWS);
    let mut group = c.benchmark_group("pain.001");
    group
        .throughput(Throughput::Elements(ROWS as u64))
        .sample_size(20);
    group.bench_function("inspect", |b| {
        b.iter(|| inspect(black_box(text.as_bytes())))
    });
    group.bench_function("read", |b| {
        b.iter(|| PaymentFile::new(black_box(text.as_bytes())).count())
    });
    group.finish();
}

criterion_group!(benches, messages, files);
criterion_main!(benches);
