//! The ledger's laws: what cannot be written down, and what is kept whatever happens.

use lombard_core::{
    currency::Currency,
    id::Id,
    journal::Journal,
    ledger::{Account, Balance, Layer, LedgerError, Leg, Rollup, Side, Transaction},
    money::{Amount, Money},
    time::Timestamp,
};
use proptest::prelude::*;

const NOW: Timestamp = Timestamp::from_unix_ms(1_795_000_000_000);

fn account(n: u128, kind: Rollup) -> Id<Account> {
    Id::from_bits(n << 8).of_kind(kind)
}

fn gbp(minor: u64) -> Money {
    Money {
        amount: Amount::try_from(minor).unwrap(),
        currency: Currency::GBP,
    }
}

fn leg(account: Id<Account>, side: Side, layer: Layer, minor: u64) -> Leg {
    Leg {
        account,
        side,
        layer,
        money: gbp(minor),
    }
}

fn transaction(legs: Vec<Leg>) -> Result<Transaction, LedgerError> {
    Transaction::new(Id::from_bits(1), NOW, Journal::Posting, None, legs)
}

/// One line, one transaction: signed legs of accounts `a`, `b`, `c`; what becomes of it.
#[test]
fn only_balanced_transactions_exist() {
    use Layer::{Pending, Posted};
    use Side::{Credit, Debit};
    let [a, b, c] = [1, 2, 3].map(|n| account(n, Rollup::Constrained));
    let unbalanced =
        |result: Result<_, LedgerError>| matches!(result, Err(LedgerError::Unbalanced { .. }));
    assert!(transaction(vec![leg(a, Debit, Posted, 5), leg(b, Credit, Posted, 5)]).is_ok());
    let three = vec![
        leg(a, Debit, Posted, 5),
        leg(b, Credit, Posted, 3),
        leg(c, Credit, Posted, 2),
    ];
    assert!(transaction(three).is_ok());
    assert!(unbalanced(transaction(vec![
        leg(a, Debit, Posted, 5),
        leg(b, Credit, Posted, 4)
    ])));
    assert!(unbalanced(transaction(vec![
        leg(a, Debit, Posted, 5),
        leg(b, Debit, Posted, 5)
    ])));
    // A promise does not balance a deed.
    assert!(unbalanced(transaction(vec![
        leg(a, Debit, Posted, 5),
        leg(b, Credit, Pending, 5)
    ])));
    // Nor does another currency.
    let mut euro = leg(b, Credit, Posted, 5);
    euro.money.currency = Currency::EUR;
    assert!(unbalanced(transaction(vec![
        leg(a, Debit, Posted, 5),
        euro
    ])));
    assert_eq!(
        transaction(vec![leg(a, Debit, Posted, 5)]),
        Err(LedgerError::TooFewLegs)
    );
    assert_eq!(transaction(Vec::new()), Err(LedgerError::TooFewLegs));
    let many = (0..40).map(|_| leg(a, Debit, Posted, 1)).collect();
    assert_eq!(transaction(many), Err(LedgerError::TooManyLegs(40)));
}

fn pay(from: Id<Account>, to: Id<Account>, layer: Layer, minor: u64) -> Transaction {
    transaction(vec![
        leg(from, Side::Debit, layer, minor),
        leg(to, Side::Credit, layer, minor),
    ])
    .unwrap()
}

fn funded(kind: Rollup, minor: u64) -> Balance {
    let id = account(1, kind);
    let mut balance = Balance::opening(id, Currency::GBP, NOW);
    if minor > 0 {
        balance
            .enter(&pay(account(2, Rollup::House), id, Layer::Posted, minor))
            .unwrap();
    }
    balance
}

#[test]
fn a_constrained_account_is_never_overdrawn() {
    let house = account(2, Rollup::House);
    let mut balance = funded(Rollup::Constrained, 100);
    balance
        .enter(&pay(balance.account, house, Layer::Pending, 60))
        .unwrap();
    assert_eq!(balance.sums.available(), 40, "what is promised is gone");
    for layer in [Layer::Pending, Layer::Posted] {
        let before = balance.clone();
        let refused = balance
            .enter(&pay(balance.account, house, layer, 41))
            .unwrap_err();
        let account = balance.account;
        let expected = LedgerError::InsufficientFunds {
            account,
            available: 40,
            needed: 41,
        };
        assert_eq!(refused, expected);
        assert_eq!(balance, before, "a refusal leaves no trace");
    }
    balance
        .enter(&pay(balance.account, house, Layer::Posted, 40))
        .unwrap();
    assert_eq!(balance.sums.available(), 0);
    // A promise of money to come is not money.
    balance
        .enter(&pay(house, balance.account, Layer::Pending, 500))
        .unwrap();
    assert_eq!(balance.sums.available(), 0);
}

#[test]
fn a_house_account_may_stand_anywhere() {
    let mut balance = funded(Rollup::House, 0);
    let other = account(2, Rollup::House);
    balance
        .enter(&pay(
            balance.account,
            other,
            Layer::Posted,
            u64::from(u32::MAX),
        ))
        .unwrap();
    assert_eq!(balance.sums.debits_posted, u64::from(u32::MAX));
}

#[test]
fn an_overdrawn_account_still_takes_money_in() {
    let mut balance = funded(Rollup::Constrained, 10);
    balance.sums.debits_posted = 50;
    balance
        .enter(&pay(
            account(2, Rollup::House),
            balance.account,
            Layer::Posted,
            5,
        ))
        .unwrap();
    let more = pay(balance.account, account(2, Rollup::House), Layer::Posted, 1);
    assert!(matches!(
        balance.enter(&more),
        Err(LedgerError::InsufficientFunds { .. })
    ));
}

#[test]
fn a_closed_account_only_releases() {
    let house = account(2, Rollup::House);
    let mut balance = funded(Rollup::Constrained, 10);
    balance
        .enter(&pay(balance.account, house, Layer::Pending, 4))
        .unwrap();
    balance.open = false;
    let closed = Err(LedgerError::Closed {
        account: balance.account,
    });
    assert_eq!(
        balance.enter(&pay(house, balance.account, Layer::Posted, 1)),
        closed
    );
    assert_eq!(
        balance.enter(&pay(balance.account, house, Layer::Pending, 1)),
        closed
    );
    balance
        .enter(&pay(balance.account, house, Layer::Release, 4))
        .unwrap();
}

#[test]
fn no_more_is_released_than_was_promised() {
    let house = account(2, Rollup::House);
    let mut balance = funded(Rollup::Constrained, 10);
    balance
        .enter(&pay(balance.account, house, Layer::Pending, 4))
        .unwrap();
    let error = LedgerError::NothingPending {
        account: balance.account,
    };
    assert_eq!(
        balance.enter(&pay(balance.account, house, Layer::Release, 5)),
        Err(error)
    );
}

proptest! {
    /// Random transactions over a few accounts: whatever is refused, the books that result
    /// balance on both layers, entries are numbered without gaps, and no constrained account
    /// is ever overdrawn.
    #[test]
    fn the_books_balance(moves in prop::collection::vec((0..4u128, 0..4u128, 0..3u8, 1..200u64), 1..60)) {
        let mut balances: Vec<Balance> = (0..4)
            .map(|n| {
                let kind = if n < 2 { Rollup::House } else { Rollup::Constrained };
                Balance::opening(account(n + 1, kind), Currency::GBP, NOW)
            })
            .collect();
        for (from, to, layer, minor) in moves {
            let layer = [Layer::Pending, Layer::Release, Layer::Posted][usize::from(layer)];
            let (from, to) = (from as usize, to as usize);
            if from == to { continue }
            let it = pay(balances[from].account, balances[to].account, layer, minor);
            let (mut debtor, mut creditor) = (balances[from].clone(), balances[to].clone());
            let (Ok(left), Ok(came)) = (debtor.enter(&it), creditor.enter(&it)) else { continue };
            prop_assert_eq!(left.number, balances[from].entries + 1);
            prop_assert_eq!(came.after, creditor.sums);
            (balances[from], balances[to]) = (debtor, creditor);
        }
        let sum = |of: fn(&Balance) -> u64| balances.iter().map(of).sum::<u64>();
        prop_assert_eq!(sum(|it| it.sums.debits_posted), sum(|it| it.sums.credits_posted));
        prop_assert_eq!(sum(|it| it.sums.debits_pending), sum(|it| it.sums.credits_pending));
        for balance in balances.iter().filter(|it| it.account.rollup() == Rollup::Constrained) {
            let spent = balance.sums.debits_posted + balance.sums.debits_pending;
            prop_assert!(spent <= balance.sums.credits_posted);
        }
    }
}
