//! The rules of each scheme, one by one. Names and accounts are invented.

use proptest::prelude::*;
use time::macros::date;

use super::*;
use crate::bank::uk::weights::Weights;
use crate::currency::Currency;

/// A Faster Payment that nothing is wrong with.
fn fps() -> Instruction<'static> {
    Instruction {
        amount: 12_345,
        currency: Currency::GBP,
        debtor_name: "Ada Sender",
        debtor_account: Account::Uk {
            sort_code: "99-00-02",
            number: "00000019",
        },
        creditor_name: "Bob Receiver",
        creditor_account: Account::Iban("GB33BUKB20201555555555"),
        creditor_bic: None,
        end_to_end_id: "INV-2026/11",
        reference: "INVOICE 11",
    }
}

/// A SEPA payment that nothing is wrong with.
fn sepa() -> Instruction<'static> {
    Instruction {
        currency: Currency::EUR,
        debtor_account: Account::Iban("NL73ABNA0529451824"),
        creditor_account: Account::Iban("DE75512108001245126199"),
        creditor_bic: Some("ABCDDEFFXXX"),
        ..fps()
    }
}

/// The findings on one line each: field, rule, and what would be sent.
fn findings(rules: &Rules, instruction: &Instruction<'_>) -> Vec<String> {
    let line = |finding: &Finding| {
        let (path, rule) = (finding.field.path(), finding.rule.code());
        match (finding.severity, &finding.sent) {
            (Severity::Refuse, None) => format!("refuse {path} {rule}"),
            (Severity::Warn, Some(sent)) => format!("warn {path} {rule} {sent}"),
            (severity, sent) => panic!("{severity:?} with {sent:?}"),
        }
    };
    check(rules, instruction, None).iter().map(line).collect()
}

const NONE: [&str; 0] = [];

#[test]
fn what_is_right_has_no_findings() {
    assert_eq!(findings(&fps::RULES, &fps()), NONE);
    assert_eq!(findings(&sepa_inst::RULES, &sepa()), NONE);
}

#[test]
fn the_limit_of_faster_payments_is_a_million_pounds() {
    let of = |amount| findings(&fps::RULES, &Instruction { amount, ..fps() });
    assert_eq!(of(100_000_000), NONE);
    assert_eq!(of(100_000_001), ["refuse amount amount_limit"]);
    assert_eq!(of(0), ["refuse amount amount_zero"]);
}

#[test]
fn a_scheme_carries_its_own_currency() {
    let euros = Instruction {
        currency: Currency::EUR,
        ..fps()
    };
    assert_eq!(findings(&fps::RULES, &euros), ["refuse currency currency"]);
    let pounds = Instruction {
        currency: Currency::GBP,
        ..sepa()
    };
    assert_eq!(
        findings(&sepa_inst::RULES, &pounds),
        ["refuse currency currency"]
    );
}

#[test]
fn faster_payments_cuts_names_and_references_and_says_so() {
    let name = "The Worshipful Company of Very Long Names Limited";
    let of = |creditor_name: &str, reference: &str| {
        findings(
            &fps::RULES,
            &Instruction {
                creditor_name,
                reference,
                ..fps()
            },
        )
    };
    assert_eq!(
        of(name, ""),
        ["warn creditor.name cut The Worshipful Company of Very Long"]
    );
    assert_eq!(
        of("Bob", "INVOICE 2026-11-0001"),
        ["warn reference cut INVOICE 2026-11-00"]
    );
    assert_eq!(of(&"x".repeat(140), "").len(), 1);
    assert_eq!(of(&"x".repeat(141), ""), ["refuse creditor.name too_long"]);
    assert_eq!(of("Bob", &"1".repeat(36)), ["refuse reference too_long"]);
    assert_eq!(
        of("Café Zoë & Söhne, Gesellschaft für Geduld", ""),
        [
            "warn creditor.name respelled Cafe Zoe & Sohne, Gesellschaft fur ",
            "warn creditor.name cut Cafe Zoe & Sohne, Gesellschaft fur "
        ]
    );
}

#[test]
fn sepa_refuses_what_is_too_long() {
    let of = |creditor_name: &str, reference: &str| {
        findings(
            &sepa_inst::RULES,
            &Instruction {
                creditor_name,
                reference,
                ..sepa()
            },
        )
    };
    assert_eq!(of(&"x".repeat(70), &"y".repeat(140)), NONE);
    assert_eq!(of(&"x".repeat(71), ""), ["refuse creditor.name too_long"]);
    assert_eq!(of("Bob", &"y".repeat(141)), ["refuse reference too_long"]);
    assert_eq!(
        of("Müller & Söhne", "50% off"),
        [
            "warn creditor.name respelled Muller + Sohne",
            "warn reference respelled 50. off"
        ]
    );
    assert_eq!(
        of("Δήμητρα", "💶"),
        [
            "refuse creditor.name characters",
            "refuse reference characters"
        ]
    );
}

#[test]
fn names_and_identifications_are_required_and_references_are_not() {
    let bare = Instruction {
        debtor_name: "",
        creditor_name: " ",
        end_to_end_id: "",
        reference: "",
        ..sepa()
    };
    let all = [
        "refuse debtor.name required",
        "refuse creditor.name required",
        "refuse end_to_end_id required",
    ];
    assert_eq!(findings(&sepa_inst::RULES, &bare), all);
}

#[test]
fn an_identification_is_never_changed() {
    let of = |end_to_end_id| {
        findings(
            &sepa_inst::RULES,
            &Instruction {
                end_to_end_id,
                ..sepa()
            },
        )
    };
    assert_eq!(of("A/1"), NONE);
    for slashed in ["/A1", "A1/", "A//1"] {
        assert_eq!(of(slashed), ["refuse end_to_end_id slashes"], "{slashed}");
    }
    for outside in ["ÄBC", "A_1", "A#1"] {
        assert_eq!(
            of(outside),
            ["refuse end_to_end_id characters"],
            "{outside}"
        );
    }
    assert_eq!(of(&"1".repeat(36)), ["refuse end_to_end_id too_long"]);
    let slashed = Instruction {
        end_to_end_id: "/A//1/",
        ..fps()
    };
    assert_eq!(findings(&fps::RULES, &slashed), NONE);
}

#[test]
fn a_name_of_which_only_blanks_would_arrive_is_missing() {
    let blanks = Instruction {
        creditor_name: &format!("{:>40}", "Bob"),
        ..fps()
    };
    assert_eq!(
        findings(&fps::RULES, &blanks),
        ["refuse creditor.name required"]
    );
}

#[test]
fn a_scheme_reaches_its_own_accounts() {
    let uk = Account::Uk {
        sort_code: "202015",
        number: "55555555",
    };
    let of = |rules, base: Instruction<'static>, creditor_account| {
        findings(
            rules,
            &Instruction {
                creditor_account,
                ..base
            },
        )
    };
    let to_fps = |account| of(&fps::RULES, fps(), account);
    let to_sepa = |account| of(&sepa_inst::RULES, sepa(), account);
    assert_eq!(to_fps(uk), NONE);
    assert_eq!(
        to_fps(Account::Iban("NL73ABNA0529451824")),
        ["refuse creditor.account account_country"]
    );
    assert_eq!(
        to_fps(Account::Iban("GB34BUKB20201555555555")),
        ["refuse creditor.account account_invalid"]
    );
    let short = Account::Uk {
        sort_code: "202015",
        number: "5555555",
    };
    assert_eq!(to_fps(short), ["refuse creditor.account account_invalid"]);
    assert_eq!(to_sepa(uk), ["refuse creditor.account account_kind"]);
    assert_eq!(to_sepa(Account::Iban("GB33BUKB20201555555555")), NONE);
    assert_eq!(
        to_sepa(Account::Iban("AE070331234567890123456")),
        ["refuse creditor.account account_country"]
    );
    assert_eq!(
        to_sepa(Account::Iban("nl73abna0529451824")),
        ["refuse creditor.account account_invalid"]
    );
    let bic = Instruction {
        creditor_bic: Some("ABCDZZFF"),
        ..sepa()
    };
    assert_eq!(
        findings(&sepa_inst::RULES, &bic),
        ["refuse creditor.bic bic"]
    );
}

#[test]
fn the_modulus_check_refuses_only_what_it_can_check() {
    let table = "990002 990002 MOD11 0 0 0 0 0 0 8 7 6 5 4 3 2 1";
    let weights = Weights::parse(table).expect("our own table");
    let with = |number: &str| {
        let creditor_account = Account::Uk {
            sort_code: "990002",
            number,
        };
        let instruction = Instruction {
            creditor_account,
            ..fps()
        };
        let found = check(&fps::RULES, &instruction, Some(&weights));
        found.iter().map(|finding| finding.rule).collect::<Vec<_>>()
    };
    assert_eq!(with("00000019"), []);
    assert_eq!(with("00000018"), [Rule::Modulus]);
}

#[test]
fn no_message_repeats_an_account() {
    let instruction = Instruction {
        creditor_account: Account::Iban("GB34BUKB20201555555555"),
        ..fps()
    };
    let found = check(&fps::RULES, &instruction, None);
    assert!(!found.is_empty());
    assert!(
        found
            .iter()
            .all(|finding| !finding.message.contains("5555"))
    );
}

#[test]
fn recalls_have_their_reasons_and_days() {
    let until = |code| sepa_inst::RULES.recall_until(code, date!(2026 - 11 - 23));
    assert_eq!(until("DUPL"), Some(date!(2026 - 12 - 07)));
    assert_eq!(until("FRAD"), Some(date!(2027 - 12 - 23)));
    assert_eq!(until("AC04"), None);
    for rules in [fps::RULES, sepa_inst::RULES] {
        for recall in rules.recalls {
            let coded = Reason::from_iso(crate::reason::IsoSet::Cancellation, recall.code);
            assert_eq!(coded.reason.iso_cancellation_code(), Some(recall.code));
        }
    }
}

#[test]
fn a_reason_that_the_scheme_has_no_word_for_goes_as_the_widest() {
    assert_eq!(fps::RULES.return_code(Reason::AccountClosed), "AC04");
    assert_eq!(fps::RULES.return_code(Reason::MandateInvalid), "MS03");
    assert_eq!(sepa_inst::RULES.return_code(Reason::AccountClosed), "FOCR");
    assert_eq!(sepa_inst::RULES.reject_code(Reason::AccountClosed), "AC04");
    assert_eq!(
        sepa_inst::RULES.reject_code(Reason::AccountSwitched),
        "MS03"
    );
    assert_eq!(fps::RULES.reject_code(Reason::AccountSwitched), "AC15");
}

/// The scheme's own return codes keep their meaning when they travel as ISO 20022 codes.
#[test]
fn faster_payments_returns_keep_their_reason() {
    for number in 1..=14 {
        let reason = Reason::from_fps(&format!("{number:08}")).reason;
        let code = fps::RULES.return_code(reason);
        let heard = Reason::from_iso(crate::reason::IsoSet::Return, code).reason;
        match reason {
            // ISO 20022 has one code for both, and none for the second.
            Reason::ReferenceMissing => assert_eq!(heard, Reason::ReferenceInvalid),
            Reason::SenderActionRequired => assert_eq!(heard, Reason::Unspecified),
            _ => assert_eq!(heard, reason, "{code}"),
        }
    }
}

#[test]
fn every_code_of_a_scheme_is_known() {
    use crate::reason::IsoSet;
    for rules in [fps::RULES, sepa_inst::RULES] {
        for (set, codes) in [
            (IsoSet::Return, rules.return_codes.value),
            (IsoSet::Status, rules.reject_codes.value),
            (
                IsoSet::CancellationRejection,
                rules.recall_refusal_codes.value,
            ),
        ] {
            for code in codes {
                assert_ne!(
                    Reason::from_iso(set, code).reason,
                    Reason::Unrecognised,
                    "{code}"
                );
            }
        }
    }
}

proptest! {
    /// What a warning says will be sent has nothing wrong with it, and is sent as it is.
    #[test]
    fn what_would_be_sent_is_right(text in "[a-zA-ZÄÖÜéßŁ0-9 /&%_’\n{}$-]{0,160}") {
        for (rules, base) in [(fps::RULES, fps()), (sepa_inst::RULES, sepa())] {
            let given = Instruction { creditor_name: &text, reference: &text, ..base };
            for finding in check(&rules, &given, None) {
                let Some(sent) = finding.sent else { continue };
                let again = match finding.field {
                    Field::CreditorName => Instruction { creditor_name: &sent, ..base },
                    _ => Instruction { reference: &sent, ..base },
                };
                let rest = findings(&rules, &again);
                prop_assert!(rest.is_empty(), "{:?} {:?}", sent, rest);
            }
        }
    }

    #[test]
    fn no_text_panics(text in any::<String>()) {
        for rules in [fps::RULES, sepa_inst::RULES] {
            let instruction = Instruction {
                debtor_name: &text,
                debtor_account: Account::Iban(&text),
                creditor_account: Account::Uk { sort_code: &text, number: &text },
                creditor_bic: Some(&text),
                end_to_end_id: &text,
                reference: &text,
                ..fps()
            };
            let _ = check(&rules, &instruction, None);
        }
    }
}
