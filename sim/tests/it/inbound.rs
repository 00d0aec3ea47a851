//! Money that comes in: credited once, answered alike, refused without a trace.

use lombard_core::{
    command::{Act, ReturnPayment},
    currency::Currency,
    id::Id,
    iso20022::{
        Account, Agent, ChargeBearer, CreditTransfer, Party, Remittance, Settlement,
        SettlementMethod,
    },
    lifecycle::Stage,
    money::{Amount, Money},
    payment::{Direction, Payment},
    plan::keys,
    rail::Rail,
    reason::Reason,
    store::decode,
};
use lombard_service::{
    exceptions::Kind,
    ports::Range,
    rails::signature::{HEADER, Signer},
};
use serde_json::{Value, json};

use crate::world::{FUNDS, SECRET, World};

/// The payments that came in.
async fn received(world: &World) -> Vec<Payment> {
    let range = Range::listed(&keys::payments_list(world.tenant), 1000);
    let found = world.app.store.range(&range).await.unwrap();
    found
        .iter()
        .map(|found| decode::<Payment>(&found.record.body.bytes))
        .filter(|payment| payment.direction == Direction::In)
        .collect()
}

fn answers(sent: &Value) -> Vec<(u64, String)> {
    let deliveries = sent["deliveries"].as_array().unwrap();
    deliveries
        .iter()
        .map(|it| {
            (
                it["status"].as_u64().unwrap(),
                it["answer"].as_str().unwrap().to_owned(),
            )
        })
        .collect()
}

#[tokio::test]
async fn a_payment_is_credited_once_however_often_it_comes() {
    let world = World::start().await;
    for rail in [Rail::Fps, Rail::SepaInst] {
        let more = json!({"reference": "TX-1", "repeats": 4, "remittance": "Invoice 7"});
        let sent = world.inbound(rail, 500, more).await;
        let answers = answers(&sent);
        assert_eq!(answers.len(), 5);
        assert_eq!(answers[0].0, 200);
        assert!(
            answers[0].1.contains("<TxSts>ACSC</TxSts>"),
            "{}",
            answers[0].1
        );
        assert!(
            answers.iter().all(|answer| *answer == answers[0]),
            "byte for byte"
        );
        world.books(rail, -500, 0).await;
    }
    let received = received(&world).await;
    assert_eq!(received.len(), 2);
    assert_eq!(received[0].attempt.rail_reference.as_deref(), Some("TX-1"));
}

#[tokio::test]
async fn the_same_message_at_once_is_one_payment() {
    let world = World::start().await;
    let at_once = (0..20).map(|_| world.inbound(Rail::Fps, 300, json!({"reference": "TX-9"})));
    let sent = futures_util::future::join_all(at_once).await;
    assert!(sent.iter().all(|sent| answers(sent)[0].0 == 200));
    world.books(Rail::Fps, -300, 0).await;
    assert_eq!(received(&world).await.len(), 1);
}

#[tokio::test]
async fn a_reference_that_stands_for_another_payment_is_refused() {
    let world = World::start().await;
    world
        .inbound(Rail::SepaInst, 100, json!({"reference": "TX-2"}))
        .await;
    let sent = world
        .inbound(Rail::SepaInst, 101, json!({"reference": "TX-2"}))
        .await;
    let (status, answer) = &answers(&sent)[0];
    assert_eq!(*status, 200);
    assert!(
        answer.contains("RJCT") && answer.contains("AM05"),
        "{answer}"
    );
    world.books(Rail::SepaInst, -100, 0).await;
}

#[tokio::test]
async fn what_cannot_be_credited_is_refused_with_the_scheme_s_code() {
    let world = World::start().await;
    let unknown_iban = json!({"creditor": {"iban": "GB33BUKB20201555555555"}, "repeats": 1});
    let unknown_uk = json!({"creditor": {"sort_code": "000001", "account_number": "10000002"}});
    let dollars = json!({"currency": "USD"});
    for (rail, more, code) in [
        (Rail::SepaInst, unknown_iban, "<Cd>AC01</Cd>"),
        (Rail::Fps, unknown_uk, "<Prtry>1114</Prtry>"),
        (Rail::SepaInst, dollars.clone(), "<Cd>AM03</Cd>"),
        (Rail::Fps, dollars, "<Prtry>1165</Prtry>"),
    ] {
        let sent = world.inbound(rail, 100, more).await;
        for (status, answer) in answers(&sent) {
            assert_eq!(status, 200);
            assert!(
                answer.contains("RJCT") && answer.contains(code),
                "{code}: {answer}"
            );
        }
    }
    assert!(received(&world).await.is_empty());
    world.books(Rail::Fps, 0, 0).await;
    world.books(Rail::SepaInst, 0, 0).await;
}

#[tokio::test]
async fn a_closed_account_takes_nothing() {
    let world = World::start().await;
    // The account is emptied into the settlement account it was funded from, and closed.
    let rail = Rail::SepaInst;
    let money = crate::world::money(rail, FUNDS);
    let settlement = lombard_core::journal::house(
        world.tenant,
        rail,
        lombard_core::journal::Role::Settlement,
        money.currency,
    );
    let post = lombard_core::command::PostLegs {
        id: Id::new(world.app.host.now(), 1),
        legs: lombard_core::journal::move_now(world.eur, settlement, money),
    };
    world.execute(Act::PostLegs(post)).await.unwrap();
    world.execute(Act::CloseAccount(world.eur)).await.unwrap();
    let sent = world
        .inbound(rail, 100, json!({"reference": "TX-3", "repeats": 1}))
        .await;
    let answers = answers(&sent);
    assert!(answers[0].1.contains("AC04"), "{}", answers[0].1);
    assert_eq!(answers[0], answers[1]);
    assert!(received(&world).await.is_empty());
}

#[tokio::test]
async fn what_is_not_genuine_or_not_valid_changes_nothing() {
    let world = World::start().await;
    let sent = world
        .inbound(Rail::Fps, 100, json!({"reference": "TX-4"}))
        .await;
    assert_eq!(answers(&sent)[0].0, 200);
    let good = b"<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:pacs.008.001.08\"/>";
    let now = world.app.host.now();
    let signer = Signer::new(SECRET);
    let late = signer.sign(now.plus_ms(400_000), good);
    let other = Signer::new("other").sign(now, good);
    let genuine = |body: &[u8]| Some(signer.sign(now, body));
    let bomb = b"<!DOCTYPE a [<!ENTITY b \"b\">]><Document>&b;</Document>";
    let two = b"\xff\xfe not even text";
    for (signature, body, status, code) in [
        (None, good.as_slice(), 401, "signature_invalid"),
        (Some(other), good, 401, "signature_invalid"),
        (Some(late), good, 401, "signature_invalid"),
        (genuine(b"else"), good, 401, "signature_invalid"),
        (genuine(good), good, 422, "message_invalid"),
        (genuine(bomb), bomb, 400, "message_unreadable"),
        (genuine(two), two, 400, "message_unreadable"),
        (genuine(b""), b"", 400, "message_unreadable"),
    ] {
        let url = format!("{}/rails/fps/messages", world.lombard);
        let mut request = world.http.post(url).body(body.to_vec());
        if let Some(signature) = signature {
            request = request.header(HEADER, signature);
        }
        let answer = request.send().await.unwrap();
        assert_eq!(
            answer.status(),
            status,
            "{code} {}",
            String::from_utf8_lossy(body)
        );
        let problem: Value = answer.json().await.unwrap();
        assert_eq!(problem["code"], code);
    }
    let url = format!("{}/rails/visa/messages", world.lombard);
    assert_eq!(world.http.post(url).send().await.unwrap().status(), 404);
    assert_eq!(received(&world).await.len(), 1);
    world.books(Rail::Fps, -100, 0).await;
}

#[tokio::test]
async fn money_that_came_in_can_be_sent_back_and_never_more_than_came() {
    let world = World::start().await;
    for rail in [Rail::Fps, Rail::SepaInst] {
        world.inbound(rail, 900, json!({"reference": "TX-5"})).await;
        let came = received(&world)
            .await
            .into_iter()
            .find(|it| it.rail == rail)
            .unwrap();
        let back = |minor: u64| ReturnPayment {
            id: Id::new(world.app.host.now(), world.app.host.random()),
            original: came.id,
            amount: Some(minor.try_into().unwrap()),
            reason: Reason::CustomerRequested,
        };
        let first = back(400);
        let id = first.id;
        world.execute(Act::Return(first)).await.unwrap();
        world.stage(id, Stage::Cleared).await;
        assert!(world.execute(Act::Return(back(501))).await.is_err());
        let second = back(500);
        let id = second.id;
        world.execute(Act::Return(second)).await.unwrap();
        world.stage(id, Stage::Cleared).await;
        world.stage(came.id, Stage::Reversed).await;
        assert_eq!(world.seen(id).await["message"], "pacs.004");
        assert_eq!(world.counts(rail).await["returns"], 2);
        world.books(rail, 0, 0).await;
    }
}

#[tokio::test]
async fn a_return_of_what_never_left_is_refused_and_shown_to_a_person() {
    let world = World::start().await;
    let id = world.pay(Rail::Fps, 1000).await;
    let payment = world.stage(id, Stage::Cleared).await;
    // More comes back than went.
    let wish = json!({"end_to_end_id": payment.end_to_end_id, "amount": 1001});
    world.tell("returns", wish).await;
    let exception = world.until_exception(Kind::ImplausibleMessage).await;
    assert_eq!(exception.subject, id.to_string());
    // All of it comes back, and then again under another reference.
    world
        .tell("returns", json!({"end_to_end_id": payment.end_to_end_id}))
        .await;
    world.stage(id, Stage::Reversed).await;
    world
        .tell("returns", json!({"end_to_end_id": payment.end_to_end_id}))
        .await;
    // The same thing is wrong with the same payment: it is one exception.
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    let deliveries = world.control("deliveries").await;
    let refused = deliveries.as_array().unwrap().iter();
    let refused = refused
        .filter(|it| it["answer"].as_str().unwrap().contains("RJCT"))
        .count();
    assert_eq!(refused, 2, "{deliveries}");
    assert_eq!(world.exceptions().await.len(), 1);
    world.books(Rail::Fps, 0, 0).await;
}

/// A payment of 1 euro to the tenant, of a bank that gives only the references that are given here.
fn bare(
    world: &World,
    message: &str,
    end_to_end: &str,
    [tx, instruction, uetr]: [Option<&str>; 3],
) -> CreditTransfer {
    let bank = Agent::bic("ABNANL2AXXX");
    let text = |given: Option<&str>| given.map(str::to_owned);
    CreditTransfer {
        message_id: message.to_owned(),
        created_ms: world.app.host.now().unix_ms(),
        settlement: Settlement {
            method: SettlementMethod::Clearing,
            clearing_system: None,
        },
        settlement_date: Some("2026-11-23".to_owned()),
        instruction_id: text(instruction),
        end_to_end_id: end_to_end.to_owned(),
        tx_id: text(tx),
        uetr: text(uetr),
        service_level: None,
        local_instrument: None,
        category_purpose: None,
        amount: Money {
            amount: Amount::try_from(100).unwrap(),
            currency: Currency::EUR,
        },
        instructed_amount: None,
        accepted_ms: None,
        charge_bearer: ChargeBearer::ServiceLevel,
        instructing_agent: None,
        instructed_agent: None,
        ultimate_debtor: None,
        debtor: Party::named("Ada"),
        debtor_account: Some(Account::Iban("NL91ABNA0417164300".to_owned())),
        debtor_agent: bank,
        creditor_agent: Agent::bic("COBADEFFXXX"),
        creditor: Party::named("Demo Trading Ltd"),
        creditor_account: Some(Account::Iban("DE89370400440532013000".to_owned())),
        ultimate_creditor: None,
        purpose: None,
        remittance: Remittance::default(),
    }
}

/// An answer without the time at which the message that it quotes was made.
fn without_time(answer: &str) -> String {
    let (before, rest) = answer.split_once("<OrgnlCreDtTm>").unwrap();
    let (_, after) = rest.split_once("</OrgnlCreDtTm>").unwrap();
    format!("{before}{after}")
}

/// What Lombard says of a message.
async fn told(world: &World, transfer: &CreditTransfer, version: &str) -> String {
    let xml = transfer.to_xml().unwrap();
    let xml = xml.replace(CreditTransfer::NAME, version);
    let signature = Signer::new(SECRET).sign(world.app.host.now(), xml.as_bytes());
    let url = format!("{}/rails/sepa_inst/messages", world.lombard);
    let request = world.http.post(url).header(HEADER, signature).body(xml);
    let answer = request.send().await.unwrap();
    assert_eq!(answer.status(), 200);
    answer.text().await.unwrap()
}

#[tokio::test]
async fn payments_are_told_apart_by_whatever_reference_their_bank_gives() {
    const UETRS: [&str; 2] = [
        "7d4f6f2e-7b1a-4a36-9d0e-3f4c1b2a9e01",
        "7d4f6f2e-7b1a-4a36-9d0e-3f4c1b2a9e02",
    ];
    let world = World::start().await;
    let none = [None; 3];
    let cases = [
        ("M1", "NOTPROVIDED", [None, None, Some(UETRS[0])]),
        ("M2", "NOTPROVIDED", [None, None, Some(UETRS[1])]),
        ("M3", "NOTPROVIDED", [None, Some("I-1"), None]),
        ("M4", "NOTPROVIDED", [None, Some("I-2"), None]),
        ("M5", "NOTPROVIDED", none),
        ("M6", "NOTPROVIDED", none),
        ("M7", "INVOICE", none),
        ("M8", "INVOICE", none),
        ("M9", "INVOICE", [Some("T-1"), None, None]),
    ];
    let mut answers = Vec::new();
    for (message, end_to_end, references) in cases {
        let transfer = bare(&world, message, end_to_end, references);
        let answer = told(&world, &transfer, CreditTransfer::NAME).await;
        assert!(
            answer.contains("<TxSts>ACSC</TxSts>"),
            "{message}: {answer}"
        );
        assert_eq!(told(&world, &transfer, CreditTransfer::NAME).await, answer);
        answers.push(answer);
    }
    assert_eq!(received(&world).await.len(), cases.len());
    world
        .books(Rail::SepaInst, -100 * cases.len() as i64, 0)
        .await;

    // The same transaction in another message is the same payment; the answer quotes the message asked with.
    let (_, end_to_end, references) = cases[8];
    let again = bare(&world, "M10", end_to_end, references);
    let answer = told(&world, &again, "pacs.008.001.10").await;
    let quoted = answer
        .replace("M10", "M9")
        .replace("pacs.008.001.10", CreditTransfer::NAME);
    assert_eq!(without_time(&quoted), without_time(&answers[8]));
    assert_eq!(received(&world).await.len(), cases.len());
}
