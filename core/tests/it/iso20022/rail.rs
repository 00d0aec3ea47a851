//! The six messages of the rail protocol: what we write, we read back, and real chains are read.

use lombard_core::currency::Currency;
use lombard_core::iso20022::{
    Account, Actor, Address, Agent, Assignment, Case, ChargeBearer, ClearingMember, Coded,
    CreditTransfer, Message, Original, OriginalSettlement, Party, Reason, RecallAnswer,
    RecallOutcome, RecallRequest, Remittance, Return, Rule, Settlement, SettlementMethod, Status,
    StatusReport, StatusRequest,
};
use lombard_core::money::{Amount, Money};
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;

use crate::shared;

/// Text as people write it, with what XML has to escape.
fn words(max: usize) -> impl Strategy<Value = String> {
    let pattern = format!("[A-Za-z0-9 &<>'\"/éßλ\u{4e2d}.-]{{1,{max}}}");
    proptest::string::string_regex(&pattern).expect("a valid expression")
}

fn id() -> impl Strategy<Value = String> {
    words(35)
}

fn moment() -> impl Strategy<Value = u64> {
    0u64..253_402_300_799_999
}

fn date() -> impl Strategy<Value = String> {
    (1970u32..2100, 1u32..13, 1u32..29).prop_map(|(y, m, d)| format!("{y}-{m:02}-{d:02}"))
}

fn money() -> impl Strategy<Value = Money> {
    let currency = prop::sample::select(Currency::all().collect::<Vec<_>>());
    (1u64..(1 << 53), currency).prop_map(|(minor, currency)| Money {
        amount: Amount::try_from(minor).expect("in range"),
        currency,
    })
}

fn uetr() -> impl Strategy<Value = String> {
    "[a-f0-9]{8}-[a-f0-9]{4}-4[a-f0-9]{3}-[89ab][a-f0-9]{3}-[a-f0-9]{12}"
}

fn coded() -> impl Strategy<Value = Coded> {
    prop_oneof![
        "[A-Z]{4}".prop_map(Coded::Code),
        words(35).prop_map(Coded::Proprietary)
    ]
}

fn agent() -> impl Strategy<Value = Agent> {
    let bic = prop::sample::select(vec!["MYMBGB2LXXX", "INGBROBU", "CHASUS33XXX"]);
    let member = (of("[A-Z]{5}".prop_map(Coded::Code)), "[0-9]{6}");
    let member = member.prop_map(|(system, id)| ClearingMember { system, id });
    (
        of(bic.prop_map(str::to_owned)),
        of(member),
        of("[A-Z0-9]{18}[0-9]{2}"),
        of(words(140)),
    )
        .prop_map(|(bic, member, lei, name)| Agent {
            bic,
            member,
            lei,
            name,
        })
}

fn party() -> impl Strategy<Value = Party> {
    let address = (
        of(words(70)),
        of(words(16)),
        of(words(16)),
        of(words(35)),
        vec(words(70), 0..7),
    );
    let address = address.prop_map(|(street, building, postcode, town, lines)| Address {
        street,
        building,
        postcode,
        town,
        country: Some("GB".to_owned()),
        lines,
    });
    (of(words(140)), of(address), of("[A-Z0-9]{18}[0-9]{2}")).prop_map(|(name, address, lei)| {
        Party {
            name,
            address,
            lei,
            id: None,
        }
    })
}

fn account() -> impl Strategy<Value = Account> {
    prop_oneof![
        Just(Account::Iban("GB33BUKB20201555555555".to_owned())),
        Just(Account::Iban("NL91ABNA0417164300".to_owned())),
        "[0-9]{8}".prop_map(|number| Account::uk(&number)),
        (words(34), of(coded())).prop_map(|(id, scheme)| Account::Other { id, scheme }),
    ]
}

fn settlement() -> impl Strategy<Value = Settlement> {
    let method = prop::sample::select(vec![
        SettlementMethod::Clearing,
        SettlementMethod::InstructedAgent,
        SettlementMethod::InstructingAgent,
        SettlementMethod::Cover,
    ]);
    let system = prop_oneof![
        "[A-Z]{3}".prop_map(Coded::Code),
        words(35).prop_map(Coded::Proprietary)
    ];
    (method, of(system)).prop_map(|(method, clearing_system)| Settlement {
        method,
        clearing_system,
    })
}

fn bearer() -> impl Strategy<Value = ChargeBearer> {
    prop::sample::select(vec![
        ChargeBearer::Debtor,
        ChargeBearer::Creditor,
        ChargeBearer::Shared,
        ChargeBearer::ServiceLevel,
    ])
}

fn reasons() -> impl Strategy<Value = Vec<Reason>> {
    // A reason that says nothing at all is not written.
    vec((coded(), vec(words(105), 0..3)), 0..3).prop_map(|all| {
        all.into_iter()
            .map(|(code, text)| Reason {
                code: Some(code),
                text,
            })
            .collect()
    })
}

/// A payment that is named by at least its end-to-end reference.
fn original() -> impl Strategy<Value = Original> {
    let group = of((id(), of(moment())));
    (group, of(id()), id(), of(id()), of(uetr())).prop_map(|(group, instruction, end, tx, uetr)| {
        Original {
            message_id: group.as_ref().map(|(id, _)| id.clone()),
            message_name: group.as_ref().map(|_| "pacs.008.001.08".to_owned()),
            message_created_ms: group.and_then(|(_, created)| created),
            instruction_id: instruction,
            end_to_end_id: Some(end),
            tx_id: tx,
            uetr,
        }
    })
}

fn original_settlement() -> impl Strategy<Value = OriginalSettlement> {
    (of(money()), of(date())).prop_map(|(amount, date)| OriginalSettlement { amount, date })
}

fn assignment() -> impl Strategy<Value = Assignment> {
    (id(), actor(), actor(), moment()).prop_map(|(id, assigner, assignee, created_ms)| Assignment {
        id,
        assigner,
        assignee,
        created_ms,
    })
}

fn actor() -> impl Strategy<Value = Actor> {
    prop_oneof![
        agent().prop_map(Actor::Agent),
        party().prop_map(Actor::Party)
    ]
}

fn case() -> impl Strategy<Value = Case> {
    (id(), actor()).prop_map(|(id, creator)| Case { id, creator })
}

prop_compose! {
    fn references()(
        message_id in id(), created_ms in moment(), settlement in settlement(),
        settlement_date in of(date()), instruction_id in of(id()), end_to_end_id in id(),
        tx_id in of(id()), uetr in of(uetr()), amount in money(), instructed in of(money()),
    ) -> CreditTransfer {
        CreditTransfer {
            message_id, created_ms, settlement, settlement_date, instruction_id, end_to_end_id,
            tx_id, uetr, amount, instructed_amount: instructed,
            service_level: None, local_instrument: None, category_purpose: None, accepted_ms: None,
            charge_bearer: ChargeBearer::Shared, instructing_agent: None, instructed_agent: None,
            ultimate_debtor: None, debtor: Party::default(), debtor_account: None,
            debtor_agent: Agent::default(), creditor_agent: Agent::default(),
            creditor: Party::default(), creditor_account: None, ultimate_creditor: None,
            purpose: None, remittance: Remittance::default(),
        }
    }
}

prop_compose! {
    fn credit_transfer()(
        references in references(),
        kinds in (of(coded()), of(coded()), of(coded()), of(coded())),
        accepted_ms in of(moment()), charge_bearer in bearer(),
        agents in (of(agent()), of(agent()), agent(), agent()),
        parties in (of(party()), party(), party(), of(party())),
        accounts in (of(account()), of(account())),
        text in vec(words(140), 0..3), reference in of(id()),
    ) -> CreditTransfer {
        CreditTransfer {
            service_level: kinds.0, local_instrument: kinds.1, category_purpose: kinds.2,
            accepted_ms, charge_bearer,
            instructing_agent: agents.0, instructed_agent: agents.1,
            debtor_agent: agents.2, creditor_agent: agents.3,
            ultimate_debtor: parties.0, debtor: parties.1, creditor: parties.2,
            ultimate_creditor: parties.3,
            debtor_account: accounts.0, creditor_account: accounts.1,
            purpose: kinds.3, remittance: Remittance { text, reference, also: Vec::new() },
            ..references
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_credit_transfer_comes_back(it in credit_transfer()) {
        let xml = it.to_xml().map_err(|error| TestCaseError::fail(error.to_string()))?;
        prop_assert_eq!(CreditTransfer::parse(xml.as_bytes()), Ok(it));
    }

    #[test]
    fn a_status_report_comes_back(
        message_id in id(), created_ms in moment(), original in original(), status_id in of(id()),
        status in "[A-Z]{4}", reasons in reasons(), accepted_ms in of(moment()),
        clearing_reference in of(id()), agents in (of(agent()), of(agent())),
    ) {
        let it = StatusReport {
            message_id, created_ms, original, status_id, status: Status::from_code(&status), reasons,
            accepted_ms, clearing_reference, instructing_agent: agents.0, instructed_agent: agents.1,
        };
        let xml = it.to_xml().map_err(|error| TestCaseError::fail(error.to_string()))?;
        prop_assert_eq!(StatusReport::parse(xml.as_bytes()), Ok(it));
    }

    #[test]
    fn a_status_request_comes_back(
        message_id in id(), created_ms in moment(), original in original(), request_id in of(id()),
        agents in (of(agent()), of(agent())),
    ) {
        let it = StatusRequest {
            message_id, created_ms, original, request_id,
            instructing_agent: agents.0, instructed_agent: agents.1,
        };
        let xml = it.to_xml().map_err(|error| TestCaseError::fail(error.to_string()))?;
        prop_assert_eq!(StatusRequest::parse(xml.as_bytes()), Ok(it));
    }

    #[test]
    fn a_return_comes_back(
        message_id in id(), created_ms in moment(), settlement in settlement(),
        settlement_date in of(date()), return_id in of(id()), original in original(),
        original_settlement in original_settlement(), amount in money(),
        charge_bearer in of(bearer()), reasons in reasons(), agents in (of(agent()), of(agent())),
    ) {
        let it = Return {
            message_id, created_ms, settlement, settlement_date, return_id, original,
            original_settlement, amount, charge_bearer, reasons,
            instructing_agent: agents.0, instructed_agent: agents.1,
        };
        let xml = it.to_xml().map_err(|error| TestCaseError::fail(error.to_string()))?;
        prop_assert_eq!(Return::parse(xml.as_bytes()), Ok(it));
    }

    #[test]
    fn a_recall_and_its_answer_come_back(
        assignment in assignment(), case in of(case()), cancellation_id in of(id()),
        original in original(), original_settlement in original_settlement(), reasons in reasons(),
        outcome in prop::sample::select(vec!["CNCL", "RJCR", "PDCR", "UWFW"]),
    ) {
        let request = RecallRequest {
            assignment: assignment.clone(), case: case.clone(),
            cancellation_id: cancellation_id.clone(), original: original.clone(),
            original_settlement, reasons: reasons.clone(),
        };
        let xml = request.to_xml().map_err(|error| TestCaseError::fail(error.to_string()))?;
        prop_assert_eq!(RecallRequest::parse(xml.as_bytes()), Ok(request));
        let answer = RecallAnswer {
            assignment, case, outcome: RecallOutcome::from_code(outcome),
            status_id: cancellation_id, original, reasons,
        };
        let xml = answer.to_xml().map_err(|error| TestCaseError::fail(error.to_string()))?;
        prop_assert_eq!(RecallAnswer::parse(xml.as_bytes()), Ok(answer));
    }
}

#[test]
fn a_value_that_does_not_fit_never_goes_out() {
    let report = StatusReport {
        message_id: "M".repeat(36),
        created_ms: 0,
        original: Original {
            end_to_end_id: Some("E\u{1}".to_owned()),
            ..Original::default()
        },
        status_id: None,
        status: Status::Rejected,
        reasons: vec![Reason::code("TOO-LONG")],
        accepted_ms: None,
        clearing_reference: None,
        instructing_agent: None,
        instructed_agent: None,
    };
    let refusal = report.to_xml().expect_err("too long");
    assert_eq!(refusal.violations.kept()[0].rule, Rule::MaxLength);
    assert!(
        refusal
            .violations
            .kept()
            .iter()
            .any(|it| it.rule == Rule::Character)
    );
    assert!(!refusal.to_string().contains("MMM"), "{refusal}");
}

#[test]
fn real_chains_are_read() {
    let test = "real_chains_are_read";
    let Some(root) = shared::path(test, "material/iso20022") else {
        return;
    };
    let kinds = [
        "pacs.008", "pacs.002", "pacs.028", "pacs.004", "camt.056", "camt.029",
    ];
    let mut read = [0; 6];
    let folders = [
        "fedwire-scenarios",
        "cbpr-2025",
        "pacs/fednow-samples",
        "pacs/prowide",
    ];
    let mut files: Vec<_> = folders.iter().map(|folder| root.join(folder)).collect();
    for chain in std::fs::read_dir(root.join("swift-use-cases"))
        .expect("a folder")
        .flatten()
    {
        files.push(chain.path());
    }
    let files = files
        .iter()
        .flat_map(|folder| std::fs::read_dir(folder).expect("a folder"));
    for file in files
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.is_file())
    {
        let bytes = std::fs::read(&file).expect("a file");
        let found = lombard_core::iso20022::inspect(bytes.as_slice()).expect("bytes");
        let name = found.message.clone().unwrap_or_default();
        let kind = kinds.iter().position(|kind| name.starts_with(kind));
        let parsed = Message::parse(&bytes);
        match kind {
            Some(kind) if found.valid && name.as_str() >= "camt.029.001.09" => match parsed {
                Ok(message) => {
                    assert_eq!(message.kind(), kinds[kind], "{}", file.display());
                    read[kind] += 1;
                }
                Err(refusal) => {
                    let old = name == "pacs.002.001.03" || name == "pacs.008.001.07";
                    assert!(old, "{}: {refusal}", file.display());
                }
            },
            _ => assert!(parsed.is_err(), "{}", file.display()),
        }
    }
    assert!(read.iter().all(|count| *count > 0), "{read:?}");
}
