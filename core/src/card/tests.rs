//! Numbers that the networks publish for tests, and numbers that cannot be right.

use proptest::prelude::*;

use super::*;

#[test]
fn published_test_numbers_are_cards_of_their_networks() {
    for (number, brand, bin) in [
        ("4242 4242 4242 4242", Brand::Visa, "42424242"),
        ("4222222222222", Brand::Visa, "422222"),
        ("5555-5555-5555-4444", Brand::Mastercard, "55555555"),
        ("2223003122003222", Brand::Mastercard, "22230031"),
        ("378282246310005", Brand::Amex, "378282"),
        ("3400 000000 00009", Brand::Amex, "340000"),
        ("6011111111111117", Brand::Discover, "60111111"),
        ("3056930009020004", Brand::Diners, "30569300"),
        ("36227206271667", Brand::Diners, "362272"),
        ("3566002020360505", Brand::Jcb, "35660020"),
        ("6200000000000005", Brand::Unionpay, "62000000"),
        ("6205500000000000004", Brand::Unionpay, "62055000"),
        ("6759649826438453", Brand::Maestro, "67596498"),
        ("2200000000000004", Brand::Mir, "22000000"),
        ("5019717010103742", Brand::Dankort, "50197170"),
        ("135410014004955", Brand::Uatp, "135410"),
    ] {
        let pan = Pan::parse(number).unwrap_or_else(|error| panic!("{number}: {error}"));
        assert_eq!((pan.brand(), pan.bin()), (brand, bin), "{number}");
        assert_eq!(pan.last4(), &pan.expose()[pan.expose().len() - 4..]);
        let shown = format!("{pan:?}");
        assert!(!shown.contains(pan.bin()), "{shown}");
    }
}

/// A number under a prefix, of so many digits, with its check digit.
fn under(prefix: u32, digits: usize) -> String {
    let payload = format!("{prefix:0<width$}", width = digits - 1);
    let all = ('0'..='9').map(|check| format!("{payload}{check}"));
    all.filter(|number| luhn(number.as_bytes())).collect()
}

#[test]
fn ranges_hold_from_their_first_to_their_last_prefix_and_no_further() {
    for (prefix, digits, brand) in [
        (4, 13, Brand::Visa),
        (4, 19, Brand::Visa),
        (222_099, 16, Brand::Unknown),
        (222_100, 16, Brand::Mastercard),
        (272_099, 16, Brand::Mastercard),
        (272_100, 16, Brand::Unknown),
        (510_000, 16, Brand::Mastercard),
        (559_999, 16, Brand::Mastercard),
        (601_100, 19, Brand::Discover),
        (644_000, 16, Brand::Discover),
        (659_999, 19, Brand::Discover),
        (300_000, 14, Brand::Diners),
        (305_999, 14, Brand::Diners),
        (306_000, 14, Brand::Unknown),
        (309_500, 19, Brand::Diners),
        (399_999, 14, Brand::Diners),
        (352_799, 16, Brand::Unknown),
        (352_800, 16, Brand::Jcb),
        (358_999, 19, Brand::Jcb),
        (359_000, 16, Brand::Unknown),
        (180_000, 15, Brand::Jcb),
        (213_100, 15, Brand::Jcb),
        (180_100, 15, Brand::Uatp),
        (620_000, 19, Brand::Unionpay),
        (629_999, 16, Brand::Unionpay),
        (810_000, 17, Brand::Unionpay),
        (630_400, 12, Brand::Maestro),
        (675_900, 13, Brand::Maestro),
        (676_770, 18, Brand::Maestro),
        (679_999, 19, Brand::Maestro),
        (560_000, 19, Brand::Maestro),
        (220_499, 19, Brand::Mir),
        (979_200, 16, Brand::Troy),
    ] {
        let number = under(prefix, digits);
        let brand_of = Pan::parse(&number).map(|pan| pan.brand());
        assert_eq!(brand_of, Ok(brand), "{number}");
    }
    for (prefix, digits) in [
        (4, 14),
        (4, 15),
        (4, 18),
        (340_000, 16),
        (370_000, 14),
        (222_100, 19),
        (352_800, 15),
        (180_000, 16),
        (601_100, 15),
        (620_000, 15),
        (360_000, 13),
    ] {
        let number = under(prefix, digits);
        let refused = Pan::parse(&number).map(|_| ());
        assert_eq!(refused, Err(CardError::Length), "{number}");
    }
}

#[test]
fn what_cannot_be_a_card_says_why() {
    for (number, error) in [
        ("", CardError::Length),
        ("4242424242424241", CardError::CheckDigit),
        ("424242424242424", CardError::Length),
        ("42424242424242424", CardError::Length),
        ("37828224631000", CardError::Length),
        ("55555555555544440", CardError::Length),
        ("00000000000", CardError::Length),
        ("42424242424242424242", CardError::Length),
        ("4242  424242424242", CardError::Characters),
        (" 4242424242424242", CardError::Characters),
        ("4242424242424242-", CardError::Characters),
        ("4242_4242_4242_4242", CardError::Characters),
        ("４２４２424242424242", CardError::Characters),
    ] {
        assert_eq!(Pan::parse(number).map(|_| ()), Err(error), "{number}");
    }
}

#[test]
fn a_card_is_good_to_the_end_of_its_month_everywhere() {
    let at = |text: &str| Timestamp::parse_rfc3339(text).unwrap();
    let expiry = Expiry::new(2026, 11).unwrap();
    assert_eq!(expiry.at(at("2026-11-30T23:59:59.999Z")), Ok(expiry));
    assert_eq!(expiry.at(at("2026-12-01T11:59:59.999Z")), Ok(expiry));
    assert_eq!(
        expiry.at(at("2026-12-01T12:00:00.000Z")),
        Err(CardError::Expired)
    );
    let far = Expiry::new(2047, 1).unwrap();
    assert_eq!(
        far.at(at("2026-12-02T00:00:00.000Z")),
        Err(CardError::Expired)
    );
    for (year, month) in [(2026, 0), (2026, 13), (26, 1), (0, 1), (10_000, 1)] {
        assert_eq!(Expiry::new(year, month), Err(CardError::Expiry));
    }
}

#[test]
fn a_security_code_has_its_networks_length() {
    for (brand, code, good) in [
        (Brand::Visa, "123", true),
        (Brand::Visa, "1234", false),
        (Brand::Amex, "1234", true),
        (Brand::Amex, "123", false),
        (Brand::Visa, "12a", false),
        (Brand::Visa, "", false),
    ] {
        assert_eq!(check_security_code(brand, code).is_ok(), good, "{code}");
    }
}

proptest! {
    /// The check finds every single wrong digit, which is what it is for.
    #[test]
    fn one_wrong_digit_is_always_found(
        digits in proptest::collection::vec(b'0'..=b'9', 12..19), place in 0_usize..12, by in 1_u8..=9
    ) {
        let mut number = digits;
        let check = (b'0'..=b'9').find(|check| {
            let mut with = number.clone();
            with.push(*check);
            luhn(&with)
        });
        number.push(check.unwrap());
        prop_assert!(luhn(&number));
        number[place] = b'0' + (number[place] - b'0' + by) % 10;
        prop_assert!(!luhn(&number));
    }
}
