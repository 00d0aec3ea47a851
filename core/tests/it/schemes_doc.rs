//! `docs/schemes.md` is written from the tables, so it says what the code does.
//!
//! `UPDATE_EXPECT=1 cargo test -p lombard-core --test it schemes_doc` writes it anew.

use std::fmt::Write;

use expect_test::expect_file;
use lombard_core::currency::{Currency, LIST_DATE, format_minor};
use lombard_core::reason::{IsoSet, Reason, Retry};
use lombard_core::scheme::{
    AccountKind, Charset, Rules, Sourced, Sure, TextKind, TooLong, fps, sepa_inst,
};

#[test]
fn the_document_is_what_the_tables_say() {
    let mut document = include_str!("schemes_head.md").to_owned();
    for rules in [fps::RULES, sepa_inst::RULES] {
        document.push_str(&scheme(&rules));
    }
    document.push_str(&include_str!("schemes_accounts.md").replace("{LIST_DATE}", LIST_DATE));
    document.push_str(&reasons());
    expect_file!["../../../docs/schemes.md"].assert_eq(&format!("{}\n", document.trim_end()));
}

/// A table of Markdown.
fn table<const N: usize>(head: [&str; N], rows: &[[String; N]]) -> String {
    let mut text = format!("| {} |\n|{}\n", head.join(" | "), "---|".repeat(N));
    for row in rows {
        let _ = writeln!(text, "| {} |", row.join(" | "));
    }
    text + "\n"
}

const fn sure(sure: Sure) -> &'static str {
    match sure {
        Sure::Primary => "primary",
        Sure::Secondary => "secondary",
        Sure::Ours => "ours",
    }
}

fn row<T>(what: &str, figure: &Sourced<T>, says: impl Fn(&T) -> String) -> [String; 4] {
    let value = says(&figure.value);
    [
        what.to_owned(),
        value,
        figure.source.to_owned(),
        sure(figure.sure).to_owned(),
    ]
}

fn scheme(rules: &Rules) -> String {
    let currency = rules.rail.currency().expect("a scheme has one currency");
    let seconds = |ms: &u64| match ms / 1000 {
        long if long >= 3600 => format!("{} h", long / 3600),
        seconds => format!("{seconds} s"),
    };
    let codes = |codes: &&[&str]| {
        if codes.is_empty() {
            "any".to_owned()
        } else {
            codes.join(" ")
        }
    };
    let amount = |max: &Option<u64>| match max {
        Some(minor) => format!("{} {currency}", format_minor(*minor, currency)),
        None => "no limit".to_owned(),
    };
    let account = |kind: &AccountKind| match kind {
        AccountKind::Uk => "sort code and account number, or a GB IBAN".to_owned(),
        AccountKind::SepaIban => "IBAN of a SEPA country".to_owned(),
    };
    let mut text = format!("## {}\n\nCurrency {currency} only.\n\n", rules.name);
    text += &table(
        ["rule", "figure", "source", "sure"],
        &[
            row("most in one payment", &rules.amount_max, amount),
            row("account", &rules.account, account),
            row(
                "one call to the rail, then in doubt",
                &rules.timing.call_ms,
                seconds,
            ),
            row(
                "the scheme means to be done",
                &rules.timing.target_ms,
                seconds,
            ),
            row(
                "the sender has a final answer",
                &rules.timing.answer_ms,
                seconds,
            ),
            row("the payee has the money", &rules.timing.funds_ms, seconds),
            row(
                "the answer to a recall is due",
                &rules.recall_answer,
                ToString::to_string,
            ),
            row(
                "a received payment may be returned",
                &rules.return_within,
                |within| match within {
                    Some(period) => format!("{period} after it arrived"),
                    None => "only to answer a recall".to_owned(),
                },
            ),
            row("reasons of a return", &rules.return_codes, codes),
            row("reasons of a rejection", &rules.reject_codes, codes),
            row(
                "reasons to refuse a recall",
                &rules.recall_refusal_codes,
                codes,
            ),
        ],
    );
    text + &texts(rules) + &recalls(rules)
}

fn texts(rules: &Rules) -> String {
    let rows = rules.texts.iter().map(|rule| {
        let too_long = match rule.too_long {
            TooLong::Refuse => format!("refused above {}", rule.carried_max),
            TooLong::Cut if rule.carried_max == rule.chars_max => {
                format!("refused above {}", rule.chars_max)
            }
            TooLong::Cut => format!(
                "warned above {}, refused above {}",
                rule.carried_max, rule.chars_max
            ),
        };
        let others = match rule.kind {
            TextKind::Words => "usual spelling with a warning, or refused",
            TextKind::Identification { any_slashes: true } => "refused",
            TextKind::Identification { any_slashes: false } => {
                "refused; so is a slash at an end, or two in a row"
            }
        };
        let charset = match rule.charset {
            Charset::Fps => "FPS",
            Charset::SepaLatin => "SEPA Latin",
        };
        [
            format!("`{}`", rule.field.path()),
            if rule.required { "yes" } else { "no" }.to_owned(),
            too_long,
            charset.to_owned(),
            others.to_owned(),
            rule.source.to_owned(),
            sure(rule.sure).to_owned(),
        ]
    });
    let head = [
        "text",
        "required",
        "length in characters",
        "set",
        "other characters",
        "source",
        "sure",
    ];
    table(head, &rows.collect::<Vec<_>>())
}

fn recalls(rules: &Rules) -> String {
    let rows = rules.recalls.iter().map(|recall| {
        let reason = Reason::from_iso(IsoSet::Cancellation, recall.code).reason;
        [
            recall.code.to_owned(),
            format!("`{reason}`"),
            recall.within.to_string(),
            recall.source.to_owned(),
            sure(recall.sure).to_owned(),
        ]
    });
    table(
        ["recall for", "our reason", "until", "source", "sure"],
        &rows.collect::<Vec<_>>(),
    )
}

fn reasons() -> String {
    let mut text = include_str!("schemes_reasons.md").to_owned();
    let rows = Reason::ALL.iter().map(|reason| {
        let retry = match reason.retry() {
            Retry::Never => "never",
            Retry::AfterEnquiry => "after enquiry",
            Retry::Later => "later",
        };
        [
            format!("`{reason}`"),
            retry.to_owned(),
            reason.describe().to_owned(),
        ]
    });
    text += &table(
        ["reason", "sent again by a machine", "meaning"],
        &rows.collect::<Vec<_>>(),
    );

    text += "### What each rail says\n\nIn bold: the code that Lombard itself sends for the reason.\n\n";
    let rows = Reason::ALL.iter().map(|reason| {
        let iso = |set, ours| list(reason.iso_codes(set), ours);
        [
            format!("`{reason}`"),
            iso(IsoSet::Status, Some(reason.iso_status_code())),
            iso(IsoSet::Return, Some(reason.iso_return_code())),
            iso(IsoSet::Cancellation, reason.iso_cancellation_code()),
            iso(IsoSet::CancellationRejection, None),
            list(reason.fps_codes(), Some(reason.fps_return_code())),
            list(reason.clearbank_codes(), None),
        ]
    });
    let head = [
        "reason",
        "pacs.002, pain.002",
        "pacs.004",
        "camt.056",
        "camt.029",
        "Faster Payments",
        "ClearBank",
    ];
    text + &table(head, &rows.collect::<Vec<_>>())
}

/// The codes that mean a reason, with the one that we send in bold, be it among them or a wider one.
fn list(codes: impl Iterator<Item = &'static str>, ours: Option<&str>) -> String {
    let mut codes: Vec<String> = codes.map(str::to_owned).collect();
    if let Some(ours) = ours {
        codes.retain(|code| code != ours);
        codes.insert(0, format!("**{ours}**"));
    }
    codes.join(" ")
}

#[test]
fn the_currencies_that_the_document_names_are_refused_or_not() {
    for refused in ["CLF", "BOV", "XAU", "XXX", "BGN"] {
        assert!(refused.parse::<Currency>().is_err(), "{refused}");
    }
    assert_eq!("UYW".parse::<Currency>().expect("a currency").exponent(), 4);
}
