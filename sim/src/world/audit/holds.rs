//! Holds by themselves: each ends once, with its money released in full and posted as far as it
//! says.

use lombard_core::{
    hold::{Hold, HoldState},
    ledger::{Layer, Leg, Side},
    tenant::TenantId,
    time::Timestamp,
};

use super::{Auditor, batch::Batch, lives::CLOCKS_DIFFER_MS};

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
        let early = |ended: Timestamp| ended.plus_ms(CLOCKS_DIFFER_MS) < hold.expires_at;
        if hold.state == HoldState::Expired && hold.ended_at.is_none_or(early) {
            self.violate(hold.id, "expired before its time");
        }
        let late = |ended: Timestamp| ended >= hold.expires_at;
        if hold.state != HoldState::Expired && hold.ended_at.is_none_or(late) {
            let (state, ended) = (hold.state, hold.ended_at);
            let found = format!("is {state:?} at {ended:?}; it expired {}", hold.expires_at);
            self.violate(hold.id, found);
        }
        if posted > held {
            self.violate(hold.id, format!("{posted} posted of {held} held"));
        }
        self.expect_legs(hold, batch, (0, held, posted));
    }

    /// The legs of the commit promise, release and post so much for the hold's debtor, and as much for
    /// its creditor.
    fn expect_legs(&mut self, hold: &Hold, batch: &Batch, expected: (u64, u64, u64)) {
        let sum = |layer, account, side| {
            let legs = batch.transactions.iter().flat_map(|(_, it)| &it.legs);
            let of = |leg: &&Leg| leg.account == account && leg.side == side && leg.layer == layer;
            legs.filter(of)
                .map(|leg| leg.money.amount.minor())
                .sum::<u64>()
        };
        let sums = |account, side| {
            let on = |layer| sum(layer, account, side);
            (on(Layer::Pending), on(Layer::Release), on(Layer::Posted))
        };
        let found = sums(hold.debtor, Side::Debit);
        let other = sums(hold.creditor, Side::Credit);
        if found != expected || other != expected {
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
