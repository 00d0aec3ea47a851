//! The leaf's bytes: canonical, complete, and read in one way only.

use lombard_core::{
    currency::Currency,
    id::Id,
    journal::Journal,
    ledger::{EntryNumber, Layer, Leg, Side, Transaction},
    money::{Amount, Money},
    proof::leaf::{AuditLeaf, Leaf, LeafError, TransactionLeaf},
    tenant::TenantId,
    time::Timestamp,
};
use proptest::prelude::*;
use serde_json::Value;

use crate::shared;

fn transaction(bits: u128, minor: u64, payment: bool) -> Transaction {
    let amount = Amount::try_from(minor).unwrap();
    let leg = |account: u128, side| Leg {
        account: Id::from_bits(account),
        side,
        layer: Layer::Posted,
        money: Money {
            amount,
            currency: Currency::GBP,
        },
    };
    let legs = vec![leg(bits & !1, Side::Debit), leg(bits | 1, Side::Credit)];
    let at = Timestamp::from_unix_ms(1_795_000_000_123);
    let payment = payment.then(|| Id::from_bits(bits ^ 5));
    let mut made =
        Transaction::new(Id::from_bits(bits), at, Journal::OutPost, payment, legs).unwrap();
    made.entries = vec![EntryNumber {
        account: Id::from_bits(bits & !1),
        number: 3,
    }];
    made.trace = Some("4bf92f3577b34da6a3ce929d0e0e4736".to_owned());
    made
}

fn leaf(bits: u128, minor: u64, payment: bool) -> Leaf {
    Leaf::Transaction(TransactionLeaf::of(
        TenantId::new(77),
        &transaction(bits, minor, payment),
    ))
}

#[test]
fn a_leaf_looks_like_this() {
    let text = String::from_utf8(leaf(6, 1250, true).encode()).unwrap();
    expect_test::expect![[r#"{"at":1795000000123,"entries":[{"account":"acc_00000000000000000000000006","number":3}],"id":"txn_00000000000000000000000006","journal":"out_post","kind":"txn","legs":[{"account":"acc_00000000000000000000000006","amount":1250,"currency":"GBP","layer":"posted","side":"debit"},{"account":"acc_00000000000000000000000007","amount":1250,"currency":"GBP","layer":"posted","side":"credit"}],"payment":"pay_00000000000000000000000003","tenant":"ten_d2000000","v":1}"#]].assert_eq(&text);
    let audit = AuditLeaf::new(
        Timestamp::from_unix_ms(5),
        "aud_1".to_owned(),
        "00ff".to_owned(),
        None,
    );
    let text = String::from_utf8(Leaf::Audit(audit).encode()).unwrap();
    assert_eq!(
        text,
        r#"{"at":5,"digest":"00ff","id":"aud_1","kind":"audit","v":1}"#
    );
}

proptest! {
    #[test]
    fn a_leaf_is_canonical_json_and_reads_back(bits: u128, minor in 1u64..(1 << 53), payment: bool) {
        let leaf = leaf(bits, minor, payment);
        let bytes = leaf.encode();
        let value: Value = serde_json::from_slice(&bytes).unwrap();
        prop_assert_eq!(&serde_json_canonicalizer::to_vec(&value).unwrap(), &bytes);
        prop_assert_eq!(Leaf::decode(&bytes), Ok(leaf));
    }

    #[test]
    fn rubbish_is_refused_and_never_panics(bytes: Vec<u8>, place: prop::sample::Index, bit in 0u8..8) {
        prop_assert!(Leaf::decode(&bytes).is_err());
        let good = leaf(6, 1250, true);
        let mut flipped = good.encode();
        let place = place.index(flipped.len());
        flipped[place] ^= 1 << bit;
        prop_assert_ne!(Leaf::decode(&flipped), Ok(good));
    }
}

#[test]
fn the_same_leaf_written_otherwise_is_refused() {
    let text = String::from_utf8(leaf(6, 1250, true).encode()).unwrap();
    let moved = text
        .replace(r#","v":1}"#, "}")
        .replacen('{', r#"{"v":1,"#, 1);
    for other in [
        text.replace(r#""at":"#, r#""at": "#),
        format!("{text}\n"),
        text.replace("out_post", "out_pos\\u0074"),
        text.replace(r#""tenant":"ten_"#, r#""tenant":""#),
        text.replace(
            r#""payment":"pay_00000000000000000000000003""#,
            r#""payment":null"#,
        ),
        moved,
    ] {
        assert_eq!(
            Leaf::decode(other.as_bytes()),
            Err(LeafError::NotCanonical),
            "{other}"
        );
    }
    for (other, error) in [
        (
            text.replace(r#""kind":"txn""#, r#""kind":"note""#),
            LeafError::UnknownKind("note".to_owned()),
        ),
        (
            text.replace(r#""v":1"#, r#""v":2"#),
            LeafError::UnknownVersion(2),
        ),
    ] {
        assert_eq!(Leaf::decode(other.as_bytes()), Err(error));
    }
    for other in [
        text.replace("1250", "0"),
        text.replace("1250", "12.5"),
        text.replace("GBP", "ZZZ"),
        text.replace(r#""v":1"#, r#""v":1,"x":1"#),
        text.replacen(r#","side":"debit""#, "", 1),
    ] {
        assert!(
            matches!(Leaf::decode(other.as_bytes()), Err(LeafError::Malformed(_))),
            "{other}"
        );
    }
    assert_eq!(
        Leaf::decode(&[b' '; 65_536]),
        Err(LeafError::TooLong(65_536))
    );
}

/// The library that the test above trusts passes the vectors of RFC 8785.
#[test]
fn the_canonical_form_is_that_of_rfc_8785() {
    let name = "the_canonical_form_is_that_of_rfc_8785";
    let Some(folder) = shared::path(name, "material/vectors/jcs") else {
        return;
    };
    for case in ["arrays", "french", "structures", "values"] {
        let read = |kind: &str| std::fs::read(folder.join(format!("{case}.{kind}.json"))).unwrap();
        let input: Value = serde_json::from_slice(&read("input")).unwrap();
        let canonical = serde_json_canonicalizer::to_vec(&input).unwrap();
        assert_eq!(canonical, read("output").trim_ascii_end(), "{case}");
    }
}
