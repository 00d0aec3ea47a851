//! The messages of both rails, as they go out.

use std::collections::BTreeMap;

use expect_test::{Expect, expect};
use lombard_core::{
    currency::Currency,
    iso20022::Message,
    ledger::AliasScheme,
    lifecycle::Stage,
    money::{Amount, Money},
    payment::{AskedBy, Attempt, Direction, External, OnInsufficientFunds, RecallState},
    rail::Rail,
};

use super::*;
use crate::{details::BankAddress, rails::dialect_of};

const NOW: Timestamp = Timestamp::from_unix_ms(1_795_000_000_000);

fn money(rail: Rail) -> Money {
    Money {
        amount: Amount::try_from(123_456).unwrap(),
        currency: rail.currency().unwrap(),
    }
}

fn party(rail: Rail) -> lombard_core::payment::Party {
    lombard_core::payment::Party::External(External {
        scheme: match rail {
            Rail::Fps => AliasScheme::UkAccount,
            _ => AliasScheme::Iban,
        },
        country: "GB".to_owned(),
        last4: "3344".to_owned(),
        fingerprint: "f".to_owned(),
    })
}

fn payment(rail: Rail) -> Payment {
    Payment {
        id: Id::new(NOW, 7),
        kind: Kind::CreditTransfer,
        direction: Direction::Out,
        rail,
        money: money(rail),
        debtor: lombard_core::payment::Party::Account(Id::from_bits(9)),
        creditor: party(rail),
        end_to_end_id: "INVOICE-7".to_owned(),
        stage: Stage::Submitted,
        reason: Some(Reason::CustomerRequested),
        reason_code: None,
        on_insufficient_funds: OnInsufficientFunds::Fail,
        attempt: Attempt {
            submitted_at: Some(NOW),
            enquiries: 2,
            ..Attempt::default()
        },
        returned: 0,
        returning: 0,
        original: None,
        recall: Some(Recall {
            asked_by: AskedBy::Us,
            reason: Reason::FraudSuspected,
            reason_code: "FRAD".to_owned(),
            case: "CASE-1".to_owned(),
            state: RecallState::Asked,
            asked_at: NOW,
            answer_by: None,
            refusal_code: Some("LEGL".to_owned()),
        }),
        settled: false,
        charge: None,
        sca: None,
        parties: None,
        agency: None,
        approval: None,
        limits: Vec::new(),
        batch: None,
        sealed: None,
        warnings: Vec::new(),
        metadata: BTreeMap::new(),
        created_at: NOW,
        updated_at: NOW,
        execute_at: None,
        expires_at: None,
        events: 1,
        trace: None,
    }
}

fn address(json: &str) -> BankAddress {
    serde_json::from_str(json).unwrap()
}

fn ours(rail: Rail) -> Ours {
    let own = match rail {
        Rail::Fps => address(r#"{"sort_code":"000001","account_number":"10000001"}"#),
        _ => address(r#"{"iban":"DE89370400440532013000"}"#),
    };
    Ours {
        account: ledger::Account {
            id: Id::from_bits(9),
            name: "main".to_owned(),
            currency: Currency::GBP,
            aliases: Vec::new(),
            sealed: None,
            metadata: BTreeMap::new(),
            created_at: NOW,
        },
        holder: Holder {
            name: Some("Müller & Söhne".to_owned()),
            addresses: vec![own],
        },
    }
}

fn details(rail: Rail) -> Details {
    Details {
        creditor_name: Some("Zoë O'Neill".to_owned()),
        creditor_account: Some(match rail {
            Rail::Fps => address(r#"{"sort_code":"040004","account_number":"11223344"}"#),
            _ => address(r#"{"iban":"NL91ABNA0417164300"}"#),
        }),
        remittance: Some("Invoice 7 of November".to_owned()),
        ..Details::default()
    }
}

fn names(rail: Rail) -> Names {
    Names {
        message_name: CreditTransfer::NAME.to_owned(),
        message_id: "THEIRS-1".to_owned(),
        created_ms: NOW.unix_ms(),
        instruction_id: None,
        end_to_end_id: "INVOICE-7".to_owned(),
        tx_id: Some("TX-1".to_owned()),
        uetr: None,
        settlement_date: Some("2026-11-18".to_owned()),
        amount: money(rail),
        bic: (rail == Rail::SepaInst).then(|| "SIMBDEFFXXX".to_owned()),
        sort_code: (rail == Rail::Fps).then(|| "040004".to_owned()),
    }
}

fn with<T>(rail: Rail, act: impl FnOnce(&Speaker<'_>, TenantId) -> T) -> T {
    let dialect = dialect_of(rail).unwrap();
    let own_agent = dialect.own_agent(match rail {
        Rail::Fps => "00-00-01",
        _ => "LOMBGB2LXXX",
    });
    let speaker = Speaker {
        dialect,
        own_agent: &own_agent,
        now: NOW,
    };
    act(&speaker, TenantId::new(1))
}

/// The message without its envelope, an element a line; and it reads back as its kind.
fn shown(xml: &str, kind: &str) -> String {
    assert_eq!(Message::parse(xml.as_bytes()).unwrap().kind(), kind);
    let body = xml.split_once("<Document").unwrap().1;
    let body = body.split_once('>').unwrap().1;
    let lines = body
        .trim_end()
        .trim_end_matches("</Document>")
        .replace("><", ">\n<");
    lines + "\n"
}

fn check(xml: &str, kind: &str, expected: &Expect) {
    expected.assert_eq(&shown(xml, kind));
}

#[test]
fn a_faster_payment() {
    let xml = with(Rail::Fps, |speaker, tenant| {
        speaker.transfer(
            tenant,
            &payment(Rail::Fps),
            &details(Rail::Fps),
            &ours(Rail::Fps),
        )
    });
    check(
        &xml.unwrap(),
        "pacs.008",
        &expect![[r#"
        <FIToFICstmrCdtTrf>
        <GrpHdr>
        <MsgId>10000000-01m7q5cqg00000000000000007</MsgId>
        <CreDtTm>2026-11-18T11:06:40.000Z</CreDtTm>
        <NbOfTxs>1</NbOfTxs>
        <TtlIntrBkSttlmAmt Ccy="GBP">1234.56</TtlIntrBkSttlmAmt>
        <IntrBkSttlmDt>2026-11-18</IntrBkSttlmDt>
        <SttlmInf>
        <SttlmMtd>CLRG</SttlmMtd>
        <ClrSys>
        <Prtry>FPS</Prtry>
        </ClrSys>
        </SttlmInf>
        <InstgAgt>
        <FinInstnId>
        <ClrSysMmbId>
        <ClrSysId>
        <Cd>GBDSC</Cd>
        </ClrSysId>
        <MmbId>000001</MmbId>
        </ClrSysMmbId>
        </FinInstnId>
        </InstgAgt>
        </GrpHdr>
        <CdtTrfTxInf>
        <PmtId>
        <InstrId>10000000-01m7q5cqg00000000000000007</InstrId>
        <EndToEndId>INVOICE-7</EndToEndId>
        <TxId>10000000-01m7q5cqg00000000000000007</TxId>
        <UETR>f6a92dc3-0287-4deb-a474-6a7f3eaa7a2e</UETR>
        </PmtId>
        <PmtTpInf>
        <LclInstrm>
        <Prtry>SIP</Prtry>
        </LclInstrm>
        </PmtTpInf>
        <IntrBkSttlmAmt Ccy="GBP">1234.56</IntrBkSttlmAmt>
        <AccptncDtTm>2026-11-18T11:06:40.000Z</AccptncDtTm>
        <ChrgBr>SLEV</ChrgBr>
        <Dbtr>
        <Nm>Muller &amp; Sohne</Nm>
        </Dbtr>
        <DbtrAcct>
        <Id>
        <Othr>
        <Id>10000001</Id>
        <SchmeNm>
        <Cd>BBAN</Cd>
        </SchmeNm>
        </Othr>
        </Id>
        </DbtrAcct>
        <DbtrAgt>
        <FinInstnId>
        <ClrSysMmbId>
        <ClrSysId>
        <Cd>GBDSC</Cd>
        </ClrSysId>
        <MmbId>000001</MmbId>
        </ClrSysMmbId>
        </FinInstnId>
        </DbtrAgt>
        <CdtrAgt>
        <FinInstnId>
        <ClrSysMmbId>
        <ClrSysId>
        <Cd>GBDSC</Cd>
        </ClrSysId>
        <MmbId>040004</MmbId>
        </ClrSysMmbId>
        </FinInstnId>
        </CdtrAgt>
        <Cdtr>
        <Nm>Zoe O'Neill</Nm>
        </Cdtr>
        <CdtrAcct>
        <Id>
        <Othr>
        <Id>11223344</Id>
        <SchmeNm>
        <Cd>BBAN</Cd>
        </SchmeNm>
        </Othr>
        </Id>
        </CdtrAcct>
        <RmtInf>
        <Strd>
        <CdtrRefInf>
        <Ref>Invoice 7 of Novem</Ref>
        </CdtrRefInf>
        </Strd>
        </RmtInf>
        </CdtTrfTxInf>
        </FIToFICstmrCdtTrf>
    "#]],
    );
}

#[test]
fn a_sepa_instant_payment() {
    let rail = Rail::SepaInst;
    let xml = with(rail, |speaker, tenant| {
        speaker.transfer(tenant, &payment(rail), &details(rail), &ours(rail))
    });
    check(
        &xml.unwrap(),
        "pacs.008",
        &expect![[r#"
        <FIToFICstmrCdtTrf>
        <GrpHdr>
        <MsgId>10000000-01m7q5cqg00000000000000007</MsgId>
        <CreDtTm>2026-11-18T11:06:40.000Z</CreDtTm>
        <NbOfTxs>1</NbOfTxs>
        <TtlIntrBkSttlmAmt Ccy="EUR">1234.56</TtlIntrBkSttlmAmt>
        <IntrBkSttlmDt>2026-11-18</IntrBkSttlmDt>
        <SttlmInf>
        <SttlmMtd>CLRG</SttlmMtd>
        </SttlmInf>
        <InstgAgt>
        <FinInstnId>
        <BICFI>LOMBGB2LXXX</BICFI>
        </FinInstnId>
        </InstgAgt>
        </GrpHdr>
        <CdtTrfTxInf>
        <PmtId>
        <InstrId>10000000-01m7q5cqg00000000000000007</InstrId>
        <EndToEndId>INVOICE-7</EndToEndId>
        <TxId>10000000-01m7q5cqg00000000000000007</TxId>
        <UETR>f6a92dc3-0287-4deb-a474-6a7f3eaa7a2e</UETR>
        </PmtId>
        <PmtTpInf>
        <SvcLvl>
        <Cd>SEPA</Cd>
        </SvcLvl>
        <LclInstrm>
        <Cd>INST</Cd>
        </LclInstrm>
        </PmtTpInf>
        <IntrBkSttlmAmt Ccy="EUR">1234.56</IntrBkSttlmAmt>
        <AccptncDtTm>2026-11-18T11:06:40.000Z</AccptncDtTm>
        <ChrgBr>SLEV</ChrgBr>
        <Dbtr>
        <Nm>Muller + Sohne</Nm>
        </Dbtr>
        <DbtrAcct>
        <Id>
        <IBAN>DE89370400440532013000</IBAN>
        </Id>
        </DbtrAcct>
        <DbtrAgt>
        <FinInstnId>
        <BICFI>LOMBGB2LXXX</BICFI>
        </FinInstnId>
        </DbtrAgt>
        <CdtrAgt>
        <FinInstnId>
        <Nm>NOTPROVIDED</Nm>
        </FinInstnId>
        </CdtrAgt>
        <Cdtr>
        <Nm>Zoe O'Neill</Nm>
        </Cdtr>
        <CdtrAcct>
        <Id>
        <IBAN>NL91ABNA0417164300</IBAN>
        </Id>
        </CdtrAcct>
        <RmtInf>
        <Ustrd>Invoice 7 of November</Ustrd>
        </RmtInf>
        </CdtTrfTxInf>
        </FIToFICstmrCdtTrf>
    "#]],
    );
}

#[test]
fn a_return_carries_the_code_of_its_rail() {
    for (rail, code) in [
        (Rail::Fps, "<Prtry>00000007</Prtry>"),
        (Rail::SepaInst, "<Cd>FOCR</Cd>"),
    ] {
        let xml = with(rail, |speaker, tenant| {
            speaker.give_back(tenant, &payment(rail), &names(rail))
        });
        let xml = xml.unwrap();
        assert!(xml.contains(code), "{xml}");
        assert!(xml.contains("<OrgnlTxId>TX-1</OrgnlTxId>"), "{xml}");
        assert_eq!(Message::parse(xml.as_bytes()).unwrap().kind(), "pacs.004");
    }
}

#[test]
fn an_enquiry_and_a_recall_quote_the_payment() {
    for rail in [Rail::Fps, Rail::SepaInst] {
        let attempt = payment(rail).attempt_id(TenantId::new(1));
        let quoted = format!("<OrgnlTxId>{attempt}</OrgnlTxId>");
        let enquiry = with(rail, |speaker, tenant| {
            speaker.enquiry(tenant, &payment(rail))
        });
        let recall = with(rail, |speaker, tenant| {
            speaker.recall(tenant, &payment(rail))
        });
        for (xml, kind) in [
            (enquiry.unwrap(), "pacs.028"),
            (recall.unwrap(), "camt.056"),
        ] {
            assert!(shown(&xml, kind).contains(&quoted), "{xml}");
            assert!(xml.contains(&uetr(&attempt)), "{xml}");
        }
    }
}

#[test]
fn a_refused_recall_says_why() {
    let xml = with(Rail::SepaInst, |speaker, _| {
        speaker.refusal(&payment(Rail::SepaInst), &names(Rail::SepaInst))
    });
    let shown = shown(&xml.unwrap(), "camt.029");
    for part in [
        "<Conf>RJCR</Conf>",
        "<Cd>LEGL</Cd>",
        "<Id>CASE-1</Id>",
        "SIMBDEFFXXX",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
}

#[test]
fn what_a_rail_has_no_words_for_is_never_sent() {
    let (fps, sepa) = (Rail::Fps, Rail::SepaInst);
    let nobody = Details::default();
    let no_account = with(fps, |speaker, tenant| {
        speaker.transfer(tenant, &payment(fps), &nobody, &ours(fps))
    });
    let wrong_kind = with(sepa, |speaker, tenant| {
        speaker.transfer(tenant, &payment(sepa), &details(fps), &ours(sepa))
    });
    for refused in [no_account, wrong_kind] {
        assert!(
            matches!(
                refused,
                Err(RailError::Unspeakable(Reason::AccountNumberInvalid, _))
            ),
            "{refused:?}"
        );
    }
    let unnamed = Details {
        creditor_name: None,
        ..details(fps)
    };
    let no_name = with(fps, |speaker, tenant| {
        speaker.transfer(tenant, &payment(fps), &unnamed, &ours(fps))
    });
    assert!(matches!(
        no_name,
        Err(RailError::Unspeakable(Reason::NameMissing, _))
    ));
}

#[test]
fn a_uetr_is_a_version_4_uuid_and_stays_the_same() {
    let uetr = uetr("01234567-00000000000000000000000000");
    assert_eq!(uetr, super::uetr("01234567-00000000000000000000000000"));
    assert_eq!(uetr.len(), 36);
    assert_eq!(&uetr[14..15], "4");
    assert!("89ab".contains(&uetr[19..20]));
}
