//! Where things are kept. Every key begins with its tenant, except what belongs to none.

use crate::{
    currency::Currency,
    event::Event,
    hold::Hold,
    id::{Id, Named, digest_text},
    ledger::{Account, Transaction},
    lifecycle::Stage,
    party,
    payment::Payment,
    reason::Reason,
    sca::fraud::{Instrument, SHARDS},
    store::Key,
    tenant::TenantId,
};

/// What payments sort under in their partitions.
pub const PAYMENT_SORT: &str = "payment";
/// What transactions sort under in theirs.
pub const TRANSACTION_SORT: &str = "txn";

/// What does not change of an account.
#[must_use]
pub fn account(tenant: TenantId, id: Id<Account>) -> Key {
    key_of(tenant, id, "account")
}

/// Where an account stands.
#[must_use]
pub fn balance(tenant: TenantId, id: Id<Account>) -> Key {
    key_of(tenant, id, "balance")
}

/// The partition of an account: itself, its balance, its entries in the order of numbers.
#[must_use]
pub fn account_partition(tenant: TenantId, id: Id<Account>) -> String {
    of_tenant(tenant, id)
}

/// `tenant/id`, put together by hand: keys are made some twenty times for each payment.
fn of_tenant<T: Named>(tenant: TenantId, id: Id<T>) -> String {
    let (tenant, id) = (tenant.short(), id.text());
    let mut text = String::with_capacity(tenant.len() + 1 + id.as_str().len());
    text.push_str(tenant);
    text.push('/');
    text.push_str(id.as_str());
    text
}

/// `tenant/id` and a sort.
fn key_of<T: Named>(tenant: TenantId, id: Id<T>, sort: &str) -> Key {
    Key::joined(&[tenant.short(), "/", id.text().as_str()], sort)
}

/// Where an entry's number sorts among its account's records.
#[must_use]
pub fn entry_sort(number: u64) -> String {
    numbered("n#", number, 12)
}

/// A number with leading zeroes, so that texts sort as numbers do. One with more digits than
/// `width` is written whole.
fn numbered(prefix: &str, number: u64, width: usize) -> String {
    let digits = number.checked_ilog10().map_or(1, |log| log as usize + 1);
    let mut text = String::with_capacity(prefix.len() + digits.max(width));
    text.push_str(prefix);
    for place in (0..digits.max(width) as u32).rev() {
        // Beyond the twentieth place there are only zeroes.
        let digit = 10_u64
            .checked_pow(place)
            .map_or(0, |unit| number / unit % 10);
        text.push(char::from(b'0' + digit as u8));
    }
    text
}

/// What the payer of an account was spared since he last authenticated.
#[must_use]
pub fn sca(tenant: TenantId, id: Id<Account>) -> Key {
    Key::new(&account_partition(tenant, id), "sca")
}

/// The part of a portfolio to whose sums a payment belongs.
#[must_use]
pub fn portfolio(
    tenant: TenantId,
    instrument: Instrument,
    currency: Currency,
    payment: Id<Payment>,
) -> Key {
    portfolio_shard(tenant, instrument, currency, payment.bits() % SHARDS)
}

/// All parts of a portfolio.
pub fn portfolio_whole(
    tenant: TenantId,
    instrument: Instrument,
    currency: Currency,
) -> impl Iterator<Item = Key> {
    (0..SHARDS).map(move |shard| portfolio_shard(tenant, instrument, currency, shard))
}

fn portfolio_shard(
    tenant: TenantId,
    instrument: Instrument,
    currency: Currency,
    shard: u128,
) -> Key {
    let (instrument, currency) = (instrument.name(), currency.code());
    let partition = format!("{}/fraud#{instrument}#{currency}#{shard}", tenant.short());
    Key::new(&partition, "sums")
}

/// That a payment was unauthorised.
#[must_use]
pub fn unauthorised(tenant: TenantId, id: Id<Payment>) -> Key {
    Key::new(decision(tenant, id).partition(), "unauthorised")
}

/// A payment.
#[must_use]
pub fn payment(tenant: TenantId, id: Id<Payment>) -> Key {
    key_of(tenant, id, PAYMENT_SORT)
}

/// The partition of a payment: its events in order, then itself.
#[must_use]
pub fn payment_partition(tenant: TenantId, id: Id<Payment>) -> String {
    of_tenant(tenant, id)
}

/// Where an event's number sorts among its payment's records.
#[must_use]
pub fn event_sort(number: u32) -> String {
    numbered("e#", number.into(), 6)
}

/// What was decided about the risk of a payment.
#[must_use]
pub fn decision(tenant: TenantId, id: Id<Payment>) -> Key {
    decision_beside(&of_tenant(tenant, id))
}

/// The same, of the payment whose partition this is.
#[must_use]
pub fn decision_beside(payment: &str) -> Key {
    Key::new(&format!("{payment}#risk"), "decision")
}

/// The list of a tenant's decisions other than to approve, in order of their payments' ids.
#[must_use]
pub fn decisions_list(tenant: TenantId) -> String {
    format!("{}/decisions", tenant.short())
}

/// What a limit's counter has come to.
#[must_use]
pub fn limit(tenant: TenantId, counter: &str) -> Key {
    Key::new(&format!("{}/limit#{counter}", tenant.short()), "counter")
}

/// A hold.
#[must_use]
pub fn hold(tenant: TenantId, id: Id<Hold>) -> Key {
    key_of(tenant, id, "hold")
}

/// A ledger transaction.
#[must_use]
pub fn transaction(tenant: TenantId, id: Id<Transaction>) -> Key {
    key_of(tenant, id, TRANSACTION_SORT)
}

/// What became of a line of a source's statement, by the line's digest.
#[must_use]
pub fn line(tenant: TenantId, source: &str, digest: &str) -> Key {
    Key::joined(
        &[tenant.short(), "/statements/", source, "/", digest],
        "line",
    )
}

/// The list of the lines that were taken in from one statement of a source.
#[must_use]
pub fn lines_list(tenant: TenantId, source: &str, statement: &str) -> String {
    [tenant.short(), "/statements/", source, "/", statement].concat()
}

/// The place of a line in that list. Lines come in the order of their file, so that the list grows at
/// its end, however many there are.
#[must_use]
pub fn line_sort(place: u32, digest: &str) -> String {
    format!("{place:010}#{digest}")
}

/// The digest of a line, by its place in the list; older ones have nothing else there.
#[must_use]
pub fn digest_of_line(sort: &str) -> &str {
    sort.split_once('#').map_or(sort, |(_, digest)| digest)
}

/// What a provider paid out, by its name: of the provider, and of its line.
#[must_use]
pub fn payout(tenant: TenantId, name: &str) -> Key {
    Key::joined(&[tenant.short(), "/payouts/", name], "payout")
}

/// The list of the payouts that no bank has told of yet.
#[must_use]
pub fn payouts_list(tenant: TenantId) -> String {
    [tenant.short(), "/payouts"].concat()
}

/// An event of a payment service provider, by the digest of its id. A provider's ids are its own,
/// whoever of us they are for.
#[must_use]
pub fn provider_event(provider: &str, event: &str) -> Key {
    Key::joined(&["psp#", provider, "/", event], "event")
}

/// The bytes of a provider's delivery, by their digest.
#[must_use]
pub fn provider_delivery(provider: &str, digest: &str) -> Key {
    Key::joined(&["psp#", provider, "/", digest], "delivery")
}

/// The charge behind a provider's id of a payment.
#[must_use]
pub fn provider_payment(provider: &str, id: &str) -> Key {
    Key::joined(&["psp#", provider, "/", &digest_text(&[id])], "payment")
}

/// The list of a tenant's charges.
#[must_use]
pub fn charges_list(tenant: TenantId) -> String {
    [tenant.short(), "/charges"].concat()
}

/// What a provider has said of a payment.
#[must_use]
pub fn provider_facts(tenant: TenantId, id: Id<Payment>, provider: &str) -> Key {
    let sort = ["psp#", provider].concat();
    Key::new(&of_tenant(tenant, id), &sort)
}

/// Which account a bank address belongs to.
#[must_use]
pub fn alias(blind: &str) -> Key {
    Key::new(&format!("alias#{blind}"), "account")
}

/// How far the roll-up of a shard of the feed has come.
#[must_use]
pub fn rollup_cursor(shard: u16) -> Key {
    Key::new(&format!("cursor#rollup#{shard:04}"), "cursor")
}

/// The list of a tenant's payments, in order of their ids.
#[must_use]
pub fn payments_list(tenant: TenantId) -> String {
    [tenant.short(), "/payments"].concat()
}

/// The list of payments that wait for money in an account, in order of their ids.
#[must_use]
pub fn waiting_list(tenant: TenantId, id: Id<Account>) -> String {
    format!("{}/{id}#waiting", tenant.short())
}

/// The list from which a payment is woken that waits for no person: for money in its account, or for
/// one of its parties to be verified.
#[must_use]
pub fn wakes(tenant: TenantId, payment: &Payment) -> Option<String> {
    match (payment.stage, payment.reason) {
        (Stage::AwaitingFunds, _) => Some(waiting_list(tenant, payment.debtor.account()?)),
        (Stage::Verifying, Some(Reason::PartyUnverified)) => {
            let side = payment.parties.as_ref()?.holder()?;
            Some(party::waiting_list(tenant, side))
        }
        _ => None,
    }
}

/// The list of a tenant's accounts.
#[must_use]
pub fn accounts_list(tenant: TenantId) -> String {
    [tenant.short(), "/accounts"].concat()
}

/// The list of a tenant's ledger transactions.
#[must_use]
pub fn ledger_list(tenant: TenantId) -> String {
    [tenant.short(), "/ledger"].concat()
}

/// The list of a tenant's holds.
#[must_use]
pub fn holds_list(tenant: TenantId) -> String {
    [tenant.short(), "/holds"].concat()
}

/// The list of a tenant's events.
#[must_use]
pub fn events_list(tenant: TenantId) -> String {
    [tenant.short(), "/events"].concat()
}

/// An event's place in the list.
#[must_use]
pub fn event_listed(tenant: TenantId, id: Id<Event>) -> Key {
    Key::new(&events_list(tenant), id.text().as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_sort_as_texts() {
        for number in [0, 1, 9, 10, 999_999, 1_000_000, 123_456_789_012, u64::MAX] {
            assert_eq!(entry_sort(number), format!("n#{number:012}"));
        }
        assert_eq!(event_sort(42), "e#000042");
        assert_eq!(event_sort(u32::MAX), format!("e#{:06}", u32::MAX));
    }
}
