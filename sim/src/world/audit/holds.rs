//! Holds by themselves: each ends once, with its money released in full and posted as far as it
//! says.

use lombard_core::{
    hold::{Hold, HoldState},
    ledger::{Layer, Leg, Side},
    tenant::TenantId,
};

use super::{Auditor, batch::Batch};

impl Auditor {
    pub(super) fn check_holds(&mut self, batch: &Batch) {
        for (tenant, hold) in &batch.holds {
            self.check_hold(*tenant, hold, batch);
        }
        let touched: Vec<_> = batch
            .balances
            .iter()
            .map(|(tenant, balance)| (*tenant, balance.account))
            .collect();
        for key in touched {
            self.check_promised(key);
        }
    }

    fn check_hold(&mut self, tenant: TenantId, hold: &Hold, batch: &Batch) {
        let known = self.holds.insert(hold.id, (tenant, hold.clone()));
        let before = known.map(|(_, hold)| hold.state);
        let held = hold.money.amount.minor();
        let posted = match (before, hold.state) {
            (None, HoldState::Open) => return self.expect_legs(hold, batch, (held, 0, 0)),
            (Some(HoldState::Open), HoldState::Posted) => hold.posted,
            (Some(HoldState::Open), HoldState::Voided | HoldState::Expired) => 0,
            (before, after) => {
                return self.violate(hold.id, format!("went from {before:?} to {after:?}"));
            }
        };
        if posted > held {
            self.violate(hold.id, format!("{posted} posted of {held} held"));
        }
        self.expect_legs(hold, batch, (0, held, posted));
    }

    /// The legs of the commit promise, release and post so much for the hold's debtor.
    fn expect_legs(&mut self, hold: &Hold, batch: &Batch, expected: (u64, u64, u64)) {
        let sum = |layer| {
            let legs = batch.transactions.iter().flat_map(|(_, it)| &it.legs);
            let of = |leg: &&Leg| {
                leg.account == hold.debtor && leg.side == Side::Debit && leg.layer == layer
            };
            legs.filter(of)
                .map(|leg| leg.money.amount.minor())
                .sum::<u64>()
        };
        let found = (sum(Layer::Pending), sum(Layer::Release), sum(Layer::Posted));
        if found != expected {
            let state = hold.state;
            let text =
                format!("is {state:?}; promised, released, posted are {found:?}, not {expected:?}");
            self.violate(hold.id, text);
        }
    }

    /// What is promised from an account is what its payments and holds promise.
    fn check_promised(&mut self, key: super::AccountKey) {
        let (tenant, account) = key;
        let payments = self
            .payments
            .values()
            .filter(|life| life.tenant == tenant && life.payment.debtor.account() == Some(account));
        let mut promised: i128 = payments.map(|life| life.pending).sum();
        for (of, hold) in self.holds.values() {
            if *of == tenant && hold.debtor == account && hold.state == HoldState::Open {
                promised += i128::from(hold.money.amount.minor());
            }
        }
        let pending = self.accounts.get(&key).map_or(0, |it| it.debits_pending);
        if account.rollup() == lombard_core::ledger::Rollup::Constrained && pending != promised {
            let found = format!("{pending} are promised; payments and holds promise {promised}");
            self.violate(account, found);
        }
    }
}
