//! SEPA Instant Credit Transfer (SCT Inst), rulebook 2025, in force since 5 October 2025.
//!
//! The regulation (EU) 2024/886 took the scheme's limit of 100,000 euros away; a bank may let its
//! customer set one. Messages that break a usage rule of the scheme's implementation guidelines are
//! rejected by the clearing system, so a text that is too long is refused, never cut.

use super::{
    AccountKind, Charset, Field, Period, Recall, Rules, Sourced, Sure, TextKind, TextRule, Timing,
    TooLong,
};
use crate::rail::Rail;

const GUIDELINES: &str = "EPC122-16, SCT Inst inter-PSP implementation guidelines";
const CLEARBANK: &str = "ClearBank documentation, SEPA Instant Credit Transfer (2026)";

/// The rules of SEPA Instant Credit Transfer.
pub const RULES: Rules = Rules {
    rail: Rail::SepaInst,
    name: "SEPA Instant Credit Transfer",
    amount_max: Sourced {
        value: None,
        source: "Regulation (EU) 2024/886; ClearBank documentation",
        sure: Sure::Primary,
    },
    account: Sourced {
        value: AccountKind::SepaIban,
        source: "EPC409-09, list of SEPA scheme countries",
        sure: Sure::Secondary,
    },
    texts: &[
        name(Field::DebtorName),
        name(Field::CreditorName),
        TextRule {
            field: Field::EndToEndId,
            required: true,
            chars_max: 35,
            carried_max: 35,
            too_long: TooLong::Refuse,
            charset: Charset::SepaLatin,
            kind: TextKind::Identification { any_slashes: false },
            source: "ISO 20022 Max35Text; slashes: EPC clarification paper on the use of slashes",
            sure: Sure::Secondary,
        },
        TextRule {
            field: Field::Reference,
            required: false,
            chars_max: 140,
            carried_max: 140,
            too_long: TooLong::Refuse,
            charset: Charset::SepaLatin,
            kind: TextKind::Words,
            source: GUIDELINES,
            sure: Sure::Secondary,
        },
    ],
    timing: Timing {
        call_ms: Sourced {
            value: 3_000,
            source: "service level of Lombard for a call to a rail",
            sure: Sure::Ours,
        },
        target_ms: Sourced {
            value: 5_000,
            source: "rulebook 2025 as quoted by Numeral; ClearBank documentation",
            sure: Sure::Secondary,
        },
        answer_ms: Sourced {
            value: 9_000,
            source: "rulebook 2025 as quoted by Numeral: the clearing system gives up after 7 s, the originator knows after 9 s",
            sure: Sure::Secondary,
        },
        funds_ms: Sourced {
            value: 10_000,
            source: "Regulation (EU) 2024/886; ClearBank documentation",
            sure: Sure::Primary,
        },
    },
    recalls: &[
        recall("DUPL", Period::BusinessDays(10)),
        recall("TECH", Period::BusinessDays(10)),
        recall("FRAD", Period::Months(13)),
        recall("AC03", Period::Months(13)),
        recall("AM09", Period::Months(13)),
        recall("CUST", Period::Months(13)),
    ],
    recall_answer: Sourced {
        value: Period::BusinessDays(15),
        source: CLEARBANK,
        sure: Sure::Primary,
    },
    return_within: Sourced {
        value: None,
        source: "the scheme has no return of its own accord; a return answers a recall",
        sure: Sure::Secondary,
    },
    return_codes: Sourced {
        value: &["FOCR"],
        source: GUIDELINES,
        sure: Sure::Secondary,
    },
    reject_codes: Sourced {
        value: &[
            "AB05", "AB06", "AB08", "AB09", "AB10", "AC01", "AC04", "AC06", "AG01", "AG10", "AG11",
            "AM04", "AM05", "BE04", "CNOR", "DNOR", "MD07", "MS02", "RC01", "RR03", "RR04", "TM01",
            "MS03",
        ],
        source: "rulebook 2025 as quoted publicly; ClearBank documentation; the list is not complete",
        sure: Sure::Secondary,
    },
    recall_refusal_codes: Sourced {
        value: &[
            "AC04", "AM04", "ARDT", "ARJT", "CUST", "LEGL", "NOAS", "NOOR", "RNPR", "RR04",
        ],
        source: CLEARBANK,
        sure: Sure::Primary,
    },
};

const fn name(field: Field) -> TextRule {
    TextRule {
        field,
        required: true,
        chars_max: 140,
        carried_max: 70,
        too_long: TooLong::Refuse,
        charset: Charset::SepaLatin,
        kind: TextKind::Words,
        source: GUIDELINES,
        sure: Sure::Secondary,
    }
}

const fn recall(code: &'static str, within: Period) -> Recall {
    Recall {
        code,
        within,
        source: CLEARBANK,
        sure: Sure::Primary,
    }
}
