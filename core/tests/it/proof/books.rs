//! The auditor finds what is wrong with the books, and only that.

use lombard_core::{
    currency::Currency,
    id::Id,
    journal::Journal,
    ledger::{Account, EntryNumber, Layer, Leg, Rollup, Side, Transaction},
    money::{Amount, Money},
    proof::{
        audit::{Auditor, Fault, check_alone},
        leaf::TransactionLeaf,
    },
    tenant::TenantId,
    time::Timestamp,
};

fn customer(n: u128) -> Id<Account> {
    Id::from_bits(n).of_kind(Rollup::Constrained)
}

fn house() -> Id<Account> {
    Id::from_bits(1).of_kind(Rollup::House)
}

/// One leaf: `debit` to `credit`, layer, minor units; entry numbers as given for customers.
fn move_of(
    id: u128,
    debit: (Id<Account>, u64),
    credit: (Id<Account>, u64),
    layer: Layer,
    minor: u64,
) -> TransactionLeaf {
    let money = Money {
        amount: Amount::try_from(minor).unwrap(),
        currency: Currency::GBP,
    };
    let leg = |account, side| Leg {
        account,
        side,
        layer,
        money,
    };
    let legs = vec![leg(debit.0, Side::Debit), leg(credit.0, Side::Credit)];
    let at = Timestamp::from_unix_ms(id as u64);
    let mut made = Transaction::new(Id::from_bits(id), at, Journal::Posting, None, legs).unwrap();
    for (account, number) in [debit, credit] {
        if account.rollup() == Rollup::Constrained {
            made.entries.push(EntryNumber { account, number });
        }
    }
    made.entries.sort_by_key(|entry| entry.account);
    TransactionLeaf::of(TenantId::new(1), &made)
}

fn fund(id: u128, number: u64, minor: u64) -> TransactionLeaf {
    move_of(
        id,
        (house(), 0),
        (customer(2), number),
        Layer::Posted,
        minor,
    )
}

fn spend(id: u128, number: u64, layer: Layer, minor: u64) -> TransactionLeaf {
    move_of(id, (customer(2), number), (house(), 0), layer, minor)
}

fn audit(leaves: &[TransactionLeaf]) -> Vec<(Option<u64>, &'static str)> {
    let mut found = Vec::new();
    let mut auditor = Auditor::default();
    for (index, leaf) in (0..).zip(leaves) {
        if let Err(fault) = check_alone(leaf) {
            found.push((Some(index), fault.kind()));
            continue;
        }
        auditor.take(index, leaf, &mut |at, fault| {
            found.push((Some(at), fault.kind()))
        });
    }
    auditor.finish(&mut |at, fault: Fault| found.push((at, fault.kind())));
    found
}

#[test]
fn sound_books_pass_in_whatever_order_an_account_s_entries_come() {
    let books = [
        fund(1, 1, 100),
        spend(2, 2, Layer::Pending, 60),
        spend(3, 3, Layer::Release, 60),
        spend(4, 4, Layer::Posted, 100),
    ];
    assert_eq!(audit(&books), []);
    let mixed = [&books[3], &books[1], &books[0], &books[2]].map(Clone::clone);
    assert_eq!(audit(&mixed), []);
    let mut auditor = Auditor::default();
    for (index, leaf) in (0..).zip(&books) {
        auditor.take(index, leaf, &mut |_, fault| panic!("{fault}"));
    }
    let sums: Vec<_> = auditor
        .standings()
        .map(|(_, id, it)| (id, it.debits_posted, it.credits_posted, it.entries))
        .collect();
    assert_eq!(sums, [(house(), 100, 100, 4), (customer(2), 100, 100, 4)]);
}

#[test]
fn every_fault_is_named_and_placed() {
    let good = fund(1, 1, 100);
    let mut lopsided = good.clone();
    lopsided.legs[0].amount = Amount::try_from(99).unwrap();
    let mut unnumbered = good.clone();
    unnumbered.entries.clear();
    let mut foreign = spend(2, 2, Layer::Posted, 1);
    for leg in &mut foreign.legs {
        leg.currency = Currency::EUR;
    }
    let mut early = spend(2, 2, Layer::Posted, 1);
    early.at = Timestamp::from_unix_ms(0);
    type Found = (Option<u64>, &'static str);
    let cases: [(&str, Vec<TransactionLeaf>, &[Found]); 9] = [
        (
            "unbalanced",
            vec![lopsided],
            &[(Some(0), "leaf_unbalanced")],
        ),
        (
            "without numbers",
            vec![unnumbered],
            &[(Some(0), "leaf_entry_numbers")],
        ),
        (
            "twice",
            vec![good.clone(), good.clone()],
            &[(Some(1), "leaf_duplicate")],
        ),
        (
            "left out",
            vec![good.clone(), spend(3, 3, Layer::Posted, 5)],
            &[(Some(1), "account_entry_missing")],
        ),
        (
            "number twice",
            vec![good.clone(), spend(3, 1, Layer::Posted, 5)],
            &[(Some(1), "account_entry_twice")],
        ),
        (
            "overdrawn",
            vec![
                good.clone(),
                spend(2, 2, Layer::Posted, 60),
                spend(3, 3, Layer::Pending, 41),
            ],
            &[(Some(2), "account_overdrawn")],
        ),
        (
            "released",
            vec![good.clone(), spend(2, 2, Layer::Release, 1)],
            &[
                (Some(1), "account_nothing_pending"),
                (None, "account_nothing_pending"),
            ],
        ),
        (
            "currencies",
            vec![good.clone(), foreign],
            &[(Some(1), "account_currency"), (Some(1), "account_currency")],
        ),
        ("time", vec![good, early], &[(Some(1), "account_order")]),
    ];
    for (name, leaves, wanted) in cases {
        assert_eq!(audit(&leaves), wanted, "{name}");
    }
}
