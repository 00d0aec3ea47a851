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
        Err(UkAccountError::NotStandard)
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
    ("990002", "99621793", Invalid),
    ("990002", "15317838", Valid),
    ("990003", "69679820", Invalid),
    ("990003", "09981696", Valid),
    ("990004", "09356292", Invalid),
    ("990004", "22825952", Invalid),
    ("990004", "45105073", Invalid),
    ("990004", "83281681", Valid),
    ("990101", "09132893", Invalid),
    ("990101", "10765090", Valid),
    ("990102", "09238192", Invalid),
    ("990102", "17276619", Invalid),
    ("990102", "99505291", Invalid),
    ("990102", "09416103", Valid),
    ("990102", "09848499", Valid),
    ("990102", "32768117", Valid),
    ("990102", "73400097", Valid),
    ("990102", "82080633", Valid),
    ("990102", "97994383", Valid),
    ("990102", "99214790", Valid),
    ("990102", "99911696", Valid),
    ("990103", "15923244", Invalid),
    ("990103", "16634436", Invalid),
    ("990103", "26210144", Invalid),
    ("990103", "58608149", Invalid),
    ("990103", "81909123", Invalid),
    ("990103", "99326490", Invalid),
    ("990103", "99572699", Invalid),
    ("990103", "09600493", Valid),
    ("990103", "17229871", Valid),
    ("990103", "64910172", Valid),
    ("990103", "86990411", Valid),
    ("990103", "99618699", Valid),
    ("990104", "99401891", Invalid),
    ("990104", "64440904", Valid),
    ("990105", "06137900", Invalid),
    ("990105", "15189109", Invalid),
    ("990105", "16212308", Invalid),
    ("990105", "28112215", Invalid),
    ("990105", "42304145", Invalid),
    ("990105", "44738616", Invalid),
    ("990105", "48294107", Invalid),
    ("990105", "51936759", Invalid),
    ("990105", "54576337", Invalid),
    ("990105", "58062609", Invalid),
    ("990105", "60150757", Invalid),
    ("990105", "66931014", Invalid),
    ("990105", "72547693", Invalid),
    ("990105", "80919466", Invalid),
    ("990105", "83597620", Invalid),
    ("990105", "89970300", Invalid),
    ("990105", "90416409", Invalid),
    ("990105", "99199196", Invalid),
    ("990105", "99287992", Invalid),
    ("990105", "99855590", Invalid),
    ("990105", "08826500", Valid),
    ("990105", "31893790", Valid),
    ("990105", "53610205", Valid),
    ("990105", "99837192", Valid),
    ("990106", "41094977", ForeignCurrency),
    ("990106", "50860544", ForeignCurrency),
    ("990106", "62969844", ForeignCurrency),
    ("990106", "74876555", ForeignCurrency),
    ("990106", "84333866", ForeignCurrency),
    ("990106", "09556899", Invalid),
    ("990106", "09620497", Invalid),
    ("990106", "09944799", Invalid),
    ("990106", "09956999", Invalid),
    ("990106", "11418877", Invalid),
    ("990106", "15180933", Invalid),
    ("990106", "18760366", Invalid),
    ("990106", "25276044", Invalid),
    ("990106", "26741899", Invalid),
    ("990106", "29116155", Invalid),
    ("990106", "30395666", Invalid),
    ("990106", "37628188", Invalid),
    ("990106", "39730622", Invalid),
    ("990106", "67801857", Invalid),
    ("990106", "79148778", Invalid),
    ("990106", "97806488", Invalid),
    ("990106", "98828800", Invalid),
    ("990106", "99811899", Invalid),
    ("990106", "02483688", Valid),
    ("990106", "13359711", Valid),
    ("990106", "24985066", Valid),
    ("990106", "37453300", Valid),
    ("990106", "94680795", Valid),
    ("990106", "98341022", Valid),
    ("990107", "09413197", Invalid),
    ("990107", "43571744", Invalid),
    ("990107", "09364894", Valid),
    ("990107", "35757554", Valid),
    ("990108", "99444196", Invalid),
    ("990108", "93464656", Valid),
    ("990110", "06435058", Invalid),
    ("990110", "99369293", Invalid),
    ("990110", "03549509", Valid),
    ("990110", "73602861", Valid),
    ("990110", "85645657", Valid),
    ("990110", "99499994", Valid),
    ("990110", "99792492", Valid),
    ("990110", "99877293", Valid),
    ("990112", "09554198", Invalid),
    ("990112", "06142941", Valid),
    ("990112", "34261073", Valid),
    ("990112", "99417882", Valid),
    ("990114", "07562615", Invalid),
    ("990114", "27914988", Invalid),
    ("990114", "34091990", Invalid),
    ("990114", "43421864", Invalid),
    ("990114", "44047507", Invalid),
    ("990114", "50719412", Invalid),
    ("990114", "60509483", Invalid),
    ("990114", "64459121", Invalid),
    ("990114", "73943816", Invalid),
    ("990114", "77426709", Invalid),
    ("990114", "99442198", Invalid),
    ("990114", "18429869", Valid),
    ("990114", "38697091", Valid),
    ("990114", "81927711", Valid),
    ("990114", "99934790", Valid),
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
