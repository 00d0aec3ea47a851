//! Which accounts each step of a payment's life touches, on which sides and layers and with how much:
//! the chart of `docs/ledger.md`, written down a second time.

use lombard_core::{
    id::Id,
    journal::{Journal, Role, house},
    ledger::{Account, Layer, Side, Transaction},
    money::Money,
    payment::{Direction, Payment},
    tenant::TenantId,
};

use super::Auditor;

/// What a journal does: from whom, to whom, on which layers.
struct Chart {
    debit: Id<Account>,
    credit: Id<Account>,
    layers: &'static [Layer],
    /// How much on every layer, where it is the whole payment.
    money: Option<Money>,
}

impl Auditor {
    /// Holds a transaction of a payment to the chart. What is in suspense, because its account was
    /// closed meanwhile, may stand there for the account.
    pub(super) fn check_journal(&mut self, tenant: TenantId, transaction: &Transaction) {
        let payment = transaction.payment.and_then(|id| self.payments.get(&id));
        let Some(life) = payment else {
            return;
        };
        let Some(chart) = chart(tenant, transaction.journal, &life.payment) else {
            let journal = transaction.journal;
            return self.violate(
                transaction.id,
                format!("{journal:?} is no journal of a payment"),
            );
        };
        let payment = &life.payment;
        let suspense = house(tenant, payment.rail, Role::Suspense, payment.money.currency);
        let home = matches!(transaction.journal, Journal::ReturnIn | Journal::Reversal);
        let fits = |account: Id<Account>, wanted: Id<Account>| {
            account == wanted || (home && account == suspense)
        };
        let right = transaction.legs.iter().all(|leg| {
            let side = match leg.side {
                Side::Debit => leg.account == chart.debit,
                Side::Credit => fits(leg.account, chart.credit),
            };
            let whole = chart.money.is_none_or(|money| leg.money == money);
            side && whole && chart.layers.contains(&leg.layer)
        });
        let twice = transaction.legs.len() == 2 * chart.layers.len();
        if !right || !twice {
            let (journal, legs) = (transaction.journal, &transaction.legs);
            self.violate(transaction.id, format!("{journal:?} has the legs {legs:?}"));
        }
    }
}

fn chart(tenant: TenantId, journal: Journal, payment: &Payment) -> Option<Chart> {
    let of = |role| house(tenant, payment.rail, role, payment.money.currency);
    let clearing = of(Role::Clearing);
    let debtor = payment.debtor.account().unwrap_or(clearing);
    let creditor = payment.creditor.account().unwrap_or(clearing);
    const POSTED: &[Layer] = &[Layer::Posted];
    let (debit, credit, layers) = match journal {
        Journal::OutHold => (debtor, creditor, &[Layer::Pending] as &[Layer]),
        Journal::OutPost => (
            debtor,
            creditor,
            &[Layer::Release, Layer::Posted] as &[Layer],
        ),
        Journal::OutVoid => (debtor, creditor, &[Layer::Release] as &[Layer]),
        Journal::InPost | Journal::InSuspense | Journal::BookPost | Journal::ReturnIn => {
            (debtor, creditor, POSTED)
        }
        Journal::OutSettle if payment.direction != Direction::In => {
            (clearing, of(Role::Settlement), POSTED)
        }
        Journal::InSettle if payment.direction == Direction::In => {
            (of(Role::Settlement), clearing, POSTED)
        }
        Journal::OutSettle | Journal::InSettle => return None,
        Journal::Reversal => (creditor, debtor, POSTED),
        Journal::Chargeback => (debtor, clearing, POSTED),
        // The simulated world has no cards, and no statements, so none of these is of a payment.
        Journal::ChargeHold | Journal::ChargePost | Journal::ChargeVoid => return None,
        Journal::DisputeHold | Journal::DisputeRelease => return None,
        Journal::ProviderFee | Journal::Difference | Journal::Exchange | Journal::StatementLine => {
            return None;
        }
        Journal::Fee | Journal::Hold | Journal::HoldPost | Journal::HoldVoid | Journal::Posting => {
            return None;
        }
    };
    Some(Chart {
        debit,
        credit,
        layers,
        money: (journal != Journal::Reversal).then_some(payment.money),
    })
}
