//! Sort codes, account numbers and the modulus check. Tables and accounts here are invented.

use proptest::prelude::*;

use super::*;

fn account(sort_code: &str, number: &str) -> (String, String) {
    let account =
        UkAccount::read(sort_code, number).unwrap_or_else(|error| panic!("{number}: {error}"));
    (account.sort_code().to_string(), account.number().to_owned())
}

#[test]
fn sort_codes_are_read_in_three_forms() {
    for text in ["123456", "12-34-56", "12 34 56"] {
        assert_eq!(text.parse::<SortCode>().expect(text).as_str(), "123456");
    }
    for text in [
        "",
        "12345",
        "1234567",
        "12-3456",
        "12-34 56",
        "12a456",
        "12/34/56",
        "１２３４５６",
    ] {
        assert_eq!(
            text.parse::<SortCode>(),
            Err(UkAccountError::SortCode),
            "{text}"
        );
    }
}

#[test]
fn numbers_of_other_lengths_are_brought_to_eight() {
    for (sort_code, number, standard) in [
        ("20-00-00", "12345678", ("200000", "12345678")),
        ("200000", "1234 5678", ("200000", "12345678")),
        ("200000", "1234567", ("200000", "01234567")),
        ("200000", "123456", ("200000", "00123456")),
        ("090126", "912345678", ("090129", "12345678")),
        ("720000", "712345678", ("720007", "12345678")),
        ("080000", "12345678-90", ("080000", "12345678")),
        ("600001", "0012345678", ("600001", "12345678")),
    ] {
        assert_eq!(
            account(sort_code, number),
            (standard.0.to_owned(), standard.1.to_owned())
        );
    }
}

#[test]
fn a_digit_too_many_is_not_dropped() {
    for (sort_code, number) in [
        ("200000", "123456789"),
        ("200000", "1234567890"),
        ("600001", "123456789"),
    ] {
        let error = UkAccount::read(sort_code, number).expect_err(number);
        assert!(
            matches!(error, UkAccountError::Length { .. }),
            "{number}: {error}"
        );
    }
    for number in [
        "",
        "12345",
        "12345678901",
        "1234567a",
        "+1234567",
        "1234５678",
    ] {
        assert_eq!(
            UkAccount::read("200000", number),
            Err(UkAccountError::Number),
            "{number}"
        );
    }
    assert_eq!(
        UkAccount::parse("200000", "1234567"),
        Err(UkAccountError::Number)
    );
}

#[test]
fn a_british_iban_holds_the_account() {
    let iban: Iban = "GB33BUKB20201555555555".parse().expect("valid");
    let account = UkAccount::of_iban(&iban).expect("British");
    assert_eq!(
        (account.sort_code().as_str(), account.number()),
        ("202015", "55555555")
    );
    assert_eq!(account.to_iban("BUKB"), Ok(iban));
    assert!(account.to_iban("BUK").is_err() && account.to_iban("bukb").is_err());
    let german: Iban = "DE75512108001245126199".parse().expect("valid");
    assert_eq!(UkAccount::of_iban(&german), None);
    assert_eq!(format!("{account:?}"), "UkAccount(202015, …555)");
}

/// One row of each kind, on sort codes that no bank has.
const TABLE: &str = "
990001 990001 MOD10  0 0 0 0 0 0 7 1 3 7 1 3 7 1
990002 990002 MOD11  0 0 0 0 0 0 8 7 6 5 4 3 2 1
990003 990003 DBLAL  2 1 2 1 2 1 2 1 2 1 2 1 2 1
990004 990004 MOD11  0 0 0 0 0 0 8 7 6 5 4 3 2 1
990004 990004 DBLAL  2 1 2 1 2 1 2 1 2 1 2 1 2 1
990101 990101 DBLAL  2 1 2 1 2 1 2 1 2 1 2 1 2 1 1
990102 990102 MOD11  0 0 3 2 9 8 5 7 6 5 4 3 2 1 2
990102 990102 MOD11  0 0 3 2 9 8 1 7 6 5 4 3 2 1 9
990103 990103 MOD11  0 0 0 0 0 0 8 7 6 5 4 3 2 1
990103 990103 DBLAL  2 1 2 1 2 1 2 1 2 1 2 1 2 1 3
990104 990104 MOD11  0 0 0 0 0 0 8 7 6 5 4 3 0 0 4
990105 990105 MOD11  7 6 5 4 3 2 7 6 5 4 3 2 0 0 5
990105 990105 DBLAL  2 1 2 1 2 1 2 1 2 1 2 1 2 0 5
990106 990106 MOD11  0 0 0 0 0 0 8 7 6 5 4 3 2 1 6
990106 990106 DBLAL  2 1 2 1 2 1 2 1 2 1 2 1 2 1 6
990107 990107 MOD11  0 0 1 2 5 3 6 4 8 7 10 9 3 1 7
990108 990108 MOD10  0 0 3 7 1 3 7 1 3 7 1 3 7 1 8
990110 990110 MOD11  0 0 1 2 5 3 6 4 8 7 10 9 3 1 10
990110 990110 MOD11  0 0 5 10 9 8 0 7 6 5 4 3 2 1 11
990112 990112 MOD11  0 0 0 0 0 0 2 7 6 5 4 3 2 -1 12
990112 990112 MOD10  0 0 0 0 0 0 2 3 1 0 5 2 6 1 13
990114 990114 MOD11  0 0 0 0 0 0 8 7 6 5 4 3 2 1 14
990105 990197
";

use Verdict::{ForeignCurrency, Invalid, Valid};

/// Every branch of every exception, computed apart from this code.
#[rustfmt::skip]
const CASES: &[(&str, &str, Verdict)] = &[
    ("990001", "09464097", Invalid),
    ("990001", "09816392", Valid),
    ("990002", "09642699", Invalid),
    ("990002", "98692542", Valid),
    ("990003", "99621793", Invalid),
    ("990003", "65090879", Valid),
    ("990004", "99751893", Invalid),
    ("990004", "67910636", Invalid),
    ("990004", "35081074", Invalid),
    ("990004", "99520494", Valid),
    ("990101", "09981696", Invalid),
    ("990101", "69679820", Valid),
    ("990102", "09911091", Invalid),
    ("990102", "62495528", Invalid),
    ("990102", "99792898", Invalid),
    ("990102", "09140191", Valid),
    ("990102", "99771096", Valid),
    ("990102", "99221690", Valid),
    ("990102", "87389888", Valid),
    ("990102", "09813792", Valid),
    ("990102", "75630823", Valid),
    ("990102", "16560768", Valid),
    ("990102", "99250894", Valid),
    ("990103", "09356292", Invalid),
    ("990103", "91655388", Invalid),
    ("990103", "45105073", Invalid),
    ("990103", "19642334", Valid),
    ("990103", "22825952", Invalid),
    ("990103", "83281681", Valid),
    ("990104", "09646591", Invalid),
    ("990104", "34112704", Valid),
    ("990105", "09132893", Invalid),
    ("990105", "40353890", Invalid),
    ("990105", "99705791", Invalid),
    ("990105", "17576773", Invalid),
    ("990105", "10765090", Invalid),
    ("990105", "14683062", Invalid),
    ("990105", "03930764", Invalid),
    ("990105", "89261509", Invalid),
    ("990105", "78961501", Invalid),
    ("990105", "22957430", Invalid),
    ("990105", "67846548", Invalid),
    ("990105", "98105883", Invalid),
    ("990105", "07094672", Invalid),
    ("990105", "01653851", Invalid),
    ("990105", "99910296", Valid),
    ("990105", "91317250", Invalid),
    ("990105", "42189840", Valid),
    ("990105", "99882990", Invalid),
    ("990105", "89863901", Valid),
    ("990105", "17758900", Valid),
    ("990106", "09815898", Invalid),
    ("990106", "18134846", Invalid),
    ("990106", "88248988", ForeignCurrency),
    ("990106", "99599597", Invalid),
    ("990106", "39569152", Valid),
    ("990107", "99505291", Invalid),
    ("990107", "97994383", Invalid),
    ("990107", "01370664", Valid),
    ("990107", "73400097", Valid),
    ("990108", "99847694", Invalid),
    ("990108", "09976293", Valid),
    ("990110", "99326490", Invalid),
    ("990110", "02246256", Invalid),
    ("990110", "70473718", Valid),
    ("990110", "85145778", Valid),
    ("990110", "60599474", Valid),
    ("990110", "99301693", Valid),
    ("990110", "09858694", Valid),
    ("990110", "99359691", Valid),
    ("990112", "09925795", Invalid),
    ("990112", "09121799", Valid),
    ("990112", "09162690", Valid),
    ("990112", "29402425", Valid),
    ("990114", "99401891", Valid),
    ("990114", "34771187", Invalid),
    ("990114", "90346880", Invalid),
    ("990114", "86489232", Valid),
];

#[test]
fn each_method_and_each_exception() {
    let weights = Weights::parse(TABLE).expect("our own table");
    for (sort_code, number, verdict) in CASES {
        let account = UkAccount::parse(sort_code, number).expect("well formed");
        assert_eq!(weights.check(&account), *verdict, "{sort_code} {number}");
    }
}

#[test]
fn checks_say_valid_checked_and_why() {
    let weights = Weights::parse(TABLE).expect("our own table");
    for (sort_code, number, weights, expected) in [
        ("99-00-02", "00000019", Some(&weights), (true, true, None)),
        (
            "990002",
            "00000018",
            Some(&weights),
            (false, true, Some("modulus")),
        ),
        (
            "990009",
            "00000018",
            Some(&weights),
            (true, false, Some("sort_code_not_listed")),
        ),
        (
            "990106",
            "41234588",
            Some(&weights),
            (true, false, Some("foreign_currency_account")),
        ),
        (
            "990002",
            "00000018",
            None,
            (true, false, Some("no_weight_table")),
        ),
        ("99000", "00000018", None, (false, true, Some("sort_code"))),
        ("990002", "18", None, (false, true, Some("account_number"))),
        (
            "990002",
            "123456789",
            None,
            (false, true, Some("account_length")),
        ),
    ] {
        let check = check_uk_account(sort_code, number, weights);
        assert_eq!(
            (check.valid, check.checked, check.reason),
            expected,
            "{sort_code} {number}"
        );
    }
}

proptest! {
    /// Weights that are not zero and not multiples of 11 find every single wrong digit.
    #[test]
    fn a_mistyped_digit_is_found(start in "[0-9]{7}", place in 0usize..8, step in 1u8..=9) {
        let weights = Weights::parse(TABLE).expect("our own table");
        let verdict = |number: &str| {
            weights.check(&UkAccount::parse("990002", number).expect("eight digits"))
        };
        let right = (0..=9).map(|last| format!("{start}{last}")).find(|number| verdict(number) == Valid);
        // One number in eleven would need a last digit of ten.
        prop_assume!(right.is_some());
        let mut typed = right.unwrap_or_default().into_bytes();
        typed[place] = b'0' + (typed[place] - b'0' + step) % 10;
        prop_assert_eq!(verdict(&String::from_utf8(typed).expect("ASCII")), Invalid);
    }

    #[test]
    fn no_text_panics(sort_code in any::<String>(), number in any::<String>(), table in any::<String>()) {
        let _ = check_uk_account(&sort_code, &number, None);
        let _ = Weights::parse(&table);
        for digits in 0..12 {
            let _ = UkAccount::read("090126", &"7".repeat(digits));
        }
    }
}
