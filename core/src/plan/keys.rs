//! Where things are kept. Every key begins with its tenant, except what belongs to none.

use crate::{
    event::Event,
    hold::Hold,
    id::{Id, Named},
    ledger::{Account, Transaction},
    payment::Payment,
    store::Key,
    tenant::TenantId,
};

/// What does not change of an account.
#[must_use]
pub fn account(tenant: TenantId, id: Id<Account>) -> Key {
    Key::new(&account_partition(tenant, id), "account")
}

/// Where an account stands.
#[must_use]
pub fn balance(tenant: TenantId, id: Id<Account>) -> Key {
    Key::new(&account_partition(tenant, id), "balance")
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

/// Where an entry's number sorts among its account's records.
#[must_use]
pub fn entry_sort(number: u64) -> String {
    format!("n#{number:012}")
}

/// A payment.
#[must_use]
pub fn payment(tenant: TenantId, id: Id<Payment>) -> Key {
    Key::new(&payment_partition(tenant, id), "payment")
}

/// The partition of a payment: its events in order, then itself.
#[must_use]
pub fn payment_partition(tenant: TenantId, id: Id<Payment>) -> String {
    of_tenant(tenant, id)
}

/// Where an event's number sorts among its payment's records.
#[must_use]
pub fn event_sort(number: u32) -> String {
    format!("e#{number:06}")
}

/// A hold.
#[must_use]
pub fn hold(tenant: TenantId, id: Id<Hold>) -> Key {
    Key::new(&of_tenant(tenant, id), "hold")
}

/// A ledger transaction.
#[must_use]
pub fn transaction(tenant: TenantId, id: Id<Transaction>) -> Key {
    Key::new(&of_tenant(tenant, id), "txn")
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
    format!("{}/payments", tenant.short())
}

/// The list of payments that wait for money in an account, in order of their ids.
#[must_use]
pub fn waiting_list(tenant: TenantId, id: Id<Account>) -> String {
    format!("{}/{id}#waiting", tenant.short())
}

/// The list of a tenant's accounts.
#[must_use]
pub fn accounts_list(tenant: TenantId) -> String {
    format!("{}/accounts", tenant.short())
}

/// The list of a tenant's ledger transactions.
#[must_use]
pub fn ledger_list(tenant: TenantId) -> String {
    format!("{}/ledger", tenant.short())
}

/// The list of a tenant's holds.
#[must_use]
pub fn holds_list(tenant: TenantId) -> String {
    format!("{}/holds", tenant.short())
}

/// The list of a tenant's events.
#[must_use]
pub fn events_list(tenant: TenantId) -> String {
    format!("{}/events", tenant.short())
}

/// An event's place in the list.
#[must_use]
pub fn event_listed(tenant: TenantId, id: Id<Event>) -> Key {
    Key::new(&events_list(tenant), id.text().as_str())
}
