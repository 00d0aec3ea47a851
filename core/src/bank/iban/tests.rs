//! The rules of an IBAN, one by one. The account numbers are invented.

use proptest::prelude::*;

use super::*;

fn iban(text: &str) -> Iban {
    text.parse()
        .unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[test]
fn a_valid_iban_has_its_parts() {
    let iban = iban("DE75512108001245126199");
    assert_eq!(iban.country(), "DE");
    assert_eq!(iban.bban(), "512108001245126199");
    assert_eq!(iban.to_string(), "DE75512108001245126199");
    assert_eq!(iban.printed(), "DE75 5121 0800 1245 1261 99");
    assert!(iban.is_sepa());
}

#[test]
fn the_first_thing_that_is_wrong_is_named() {
    let length = |expected, found| IbanError::Length { expected, found };
    let structure = |position, letter| IbanError::Structure { position, letter };
    for (text, error) in [
        ("", IbanError::Characters),
        ("GB", IbanError::Characters),
        ("GB8", IbanError::Characters),
        ("gb82WEST12345698765432", IbanError::Characters),
        ("GB82 WEST 1234 5698 7654 32", IbanError::Characters),
        ("GBX2WEST12345698765432", IbanError::Characters),
        ("GB82WEST1234569876543２", IbanError::Characters),
        ("US82WEST12345698765432", IbanError::Country(*b"US")),
        ("JE82WEST12345698765432", IbanError::Country(*b"JE")),
        ("GB82WEST1234569876543", length(22, 21)),
        ("GB82WEST123456987654321", length(22, 23)),
        ("GB82", length(22, 4)),
        ("GB8212ST12345698765432", structure(5, true)),
        ("GB82WESTA2345698765432", structure(9, false)),
        ("GB83WEST12345698765432", IbanError::CheckDigits),
        ("GB82WEST12345698765423", IbanError::CheckDigits),
    ] {
        assert_eq!(text.parse::<Iban>(), Err(error), "{text}");
    }
}

/// 00, 01 and 99 leave the remainder of 97, 98 and 02, and are still wrong.
#[test]
fn check_digits_that_nobody_computes_are_refused() {
    let mut seen = 0;
    for account in 0..500 {
        let right = Iban::from_bban("BE", &format!("{account:012}")).expect("twelve digits");
        let twin = match &right.as_str()[2..4] {
            "97" => "00",
            "98" => "01",
            "02" => "99",
            _ => continue,
        };
        let forged = format!("BE{twin}{}", right.bban());
        assert_eq!(remainder(forged.as_bytes()), 1, "{forged}");
        assert_eq!(
            forged.parse::<Iban>(),
            Err(IbanError::CheckDigits),
            "{forged}"
        );
        seen += 1;
    }
    assert!(seen > 5);
}

#[test]
fn check_digits_are_judged_apart_from_the_country() {
    // A letter where Germany has digits: 98 less the remainder of the rest makes the digits.
    let open = "DE0051210800124512619A";
    let digits = 98 - remainder(open.as_bytes());
    let lettered = format!("DE{digits:02}51210800124512619A");
    assert!(matches!(
        lettered.parse::<Iban>(),
        Err(IbanError::Structure { .. })
    ));
    assert!(has_check_digits(&lettered));
    assert!(!has_check_digits(&lettered.replace("512", "521")));
    for text in [
        "",
        "DE",
        "DE7",
        "DE75",
        "de75512108001245126199",
        "DE75 5121",
    ] {
        assert!(!has_check_digits(text), "{text}");
    }
}

#[test]
fn the_written_form_is_read_and_the_change_reported() {
    for (text, separators, case) in [
        ("GB82WEST12345698765432", false, false),
        ("GB82 WEST 1234 5698 7654 32", true, false),
        (" GB82WEST12345698765432\n", true, false),
        ("gb82-west-12345698765432", true, true),
        ("gb82west12345698765432", false, true),
    ] {
        let (read, changed) = Iban::read(text).expect(text);
        assert_eq!(read, iban("GB82WEST12345698765432"));
        assert_eq!(changed, Changed { separators, case }, "{text:?}");
    }
    assert_eq!(
        Iban::read("GB82\tWEST12345698765432"),
        Err(IbanError::Characters)
    );
}

#[test]
fn checks_say_valid_checked_and_why() {
    for (text, valid, reason) in [
        ("NL73ABNA0529451824", true, None),
        ("nl73 abna 0529 4518 24", true, Some("not_electronic_form")),
        ("NL74ABNA0529451824", false, Some("check_digits")),
        ("NL73ABNA05294518241", false, Some("length")),
        ("ZZ73ABNA0529451824", false, Some("country")),
        ("NL73ABNA05294518A4", false, Some("structure")),
        ("", false, Some("characters")),
    ] {
        let check = check_iban(text);
        assert_eq!(
            (check.valid, check.checked, check.reason),
            (valid, true, reason),
            "{text}"
        );
    }
    let national = Iban::from_bban("MA", &"1".repeat(24)).expect("24 digits");
    assert_eq!(check_iban(national.as_str()).reason, Some("not_registered"));
}

#[test]
fn debug_does_not_show_the_account_and_json_does() {
    let iban = iban("GB82WEST12345698765432");
    assert_eq!(format!("{iban:?}"), "Iban(GB…5432)");
    let json = serde_json::to_string(&iban).expect("a string");
    assert_eq!(json, r#""GB82WEST12345698765432""#);
    assert_eq!(
        serde_json::from_str::<Iban>(&json).expect("reads back"),
        iban
    );
    assert!(serde_json::from_str::<Iban>(r#""GB82 WEST12345698765432""#).is_err());
}

proptest! {
    /// MOD 97-10 finds every single wrong digit and every swap of neighbours.
    #[test]
    fn a_mistyped_or_swapped_digit_is_found(account in "[0-9]{18}", place in 4usize..22, digit in b'0'..=b'9') {
        let right = Iban::from_bban("DE", &account).expect("18 digits");
        let mut typed = right.as_str().as_bytes().to_vec();
        typed[place] = digit;
        let typed = String::from_utf8(typed).expect("ASCII");
        prop_assert_eq!(typed.parse::<Iban>().is_ok(), typed == right.as_str());

        let mut swapped = right.as_str().as_bytes().to_vec();
        swapped.swap(place, place - 1);
        let swapped = String::from_utf8(swapped).expect("ASCII");
        prop_assert_eq!(swapped.parse::<Iban>().is_ok(), swapped == right.as_str());
    }

    #[test]
    fn no_text_panics(text in any::<String>(), bban in "[A-Z0-9]{0,40}") {
        let _ = Iban::read(&text);
        for entry in &registry::ENTRIES {
            let country = std::str::from_utf8(&entry.country).expect("ASCII");
            let _ = Iban::from_bban(country, &bban);
        }
        let _ = Iban::from_bban(&text, &bban);
    }
}
