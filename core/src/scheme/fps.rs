//! UK Faster Payments.
//!
//! The scheme's own rules are not public; these are what participants publish. The wire is ISO 8583
//! between banks; a gateway speaks ISO 20022 with us and carries less of some texts than the
//! message does, which is where names and references get cut.

use super::{
    AccountKind, Charset, Field, Period, Recall, Rules, Sourced, Sure, TextKind, TextRule, Timing,
    TooLong,
};
use crate::rail::Rail;

const CLEARBANK: &str = "ClearBank documentation, Faster Payments (2026)";

/// The rules of Faster Payments.
pub const RULES: Rules = Rules {
    rail: Rail::Fps,
    name: "UK Faster Payments",
    amount_max: Sourced {
        value: Some(100_000_000),
        source: "Pay.UK press release, 8 February 2022; ClearBank documentation",
        sure: Sure::Primary,
    },
    account: Sourced {
        value: AccountKind::Uk,
        source: CLEARBANK,
        sure: Sure::Primary,
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
            charset: Charset::Fps,
            kind: TextKind::Identification { any_slashes: true },
            source: "ISO 20022 Max35Text; required because ClearBank detects duplicates by it; characters as in the other texts",
            sure: Sure::Primary,
        },
        TextRule {
            field: Field::Reference,
            required: false,
            chars_max: 35,
            carried_max: 18,
            too_long: TooLong::Cut,
            charset: Charset::Fps,
            kind: TextKind::Words,
            source: CLEARBANK,
            sure: Sure::Primary,
        },
    ],
    timing: Timing {
        call_ms: Sourced {
            value: 3_000,
            source: "service level of Lombard for a call to a rail",
            sure: Sure::Ours,
        },
        target_ms: Sourced {
            value: 15_000,
            source: "fasterpayments.org.uk, benefits: the sender knows within 15 seconds",
            sure: Sure::Secondary,
        },
        answer_ms: Sourced {
            value: 15_000,
            source: "fasterpayments.org.uk, benefits: the sender knows within 15 seconds",
            sure: Sure::Secondary,
        },
        funds_ms: Sourced {
            value: 2 * 60 * 60 * 1_000,
            source: "fasterpayments.org.uk: at once, at the latest two hours later (qualified acceptance)",
            sure: Sure::Secondary,
        },
    },
    recalls: &[
        recall("DUPL"),
        recall("TECH"),
        recall("FRAD"),
        recall("AC03"),
        recall("AM09"),
        recall("CUST"),
    ],
    recall_answer: Sourced {
        value: Period::BusinessDays(15),
        source: "as in SEPA Instant; the scheme has no recall message",
        sure: Sure::Ours,
    },
    return_within: Sourced {
        value: Some(Period::Days(90)),
        source: CLEARBANK,
        sure: Sure::Primary,
    },
    return_codes: Sourced {
        value: &[
            "AC01", "AC04", "AC06", "AC15", "AC16", "AG01", "AM03", "BE01", "BE05", "BE06", "CUST",
            "FOCR", "MD07", "RR09", "MS03",
        ],
        source: "the 14 return codes of the scheme (LHV Connect) in ISO 20022's words; FOCR after a recall",
        sure: Sure::Ours,
    },
    reject_codes: Sourced {
        value: &[],
        source: "the scheme has codes of its own; a gateway may give any ISO 20022 code",
        sure: Sure::Ours,
    },
    recall_refusal_codes: Sourced {
        value: &["AC04", "AM04", "ARDT", "CUST", "LEGL", "NOAS", "NOOR"],
        source: "as in SEPA Instant; the scheme has no recall message",
        sure: Sure::Ours,
    },
};

const fn name(field: Field) -> TextRule {
    TextRule {
        field,
        required: true,
        chars_max: 140,
        carried_max: 35,
        too_long: TooLong::Cut,
        charset: Charset::Fps,
        kind: TextKind::Words,
        source: CLEARBANK,
        sure: Sure::Primary,
    }
}

/// The scheme has no recall: a gateway takes the request to the other bank, which can only
/// return the payment while returns are possible.
const fn recall(code: &'static str) -> Recall {
    Recall {
        code,
        within: Period::Days(90),
        source: "as long as the payment can be returned",
        sure: Sure::Ours,
    }
}
