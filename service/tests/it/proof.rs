//! The verifiable log: grown, broken at every step, read and verified.

mod bench;
mod crashes;
mod faulty;
mod following;
mod growing;
mod tampering;
mod witnessing;

use std::sync::Arc;

use lombard_core::{
    currency::Currency,
    id::Id,
    journal::Journal,
    ledger::{EntryNumber, Layer, Leg, Rollup, Side, Transaction},
    money::{Amount, Money},
    plan::keys,
    proof::key::{KeyKind, SecretKey},
    store::{Body, Key, Write, WriteSet},
    tenant::TenantId,
    time::Timestamp,
};
use lombard_service::{
    memory::Memory,
    ports::Store,
    proof::{
        Blobs, Log,
        keys::FileKeys,
        log::Settings,
        sequencer::{Sequencer, Stepped},
    },
};

use crate::support::TestHost;

pub const ORIGIN: &str = "log.example/ledger";

pub fn log_key() -> SecretKey {
    SecretKey::from_seed(ORIGIN, KeyKind::Log, &[9; 32]).unwrap()
}

pub fn tenant() -> TenantId {
    TenantId::new(5)
}

/// The `n`th transaction: the house funds the one customer with `n` minor units.
pub fn transaction(n: u64) -> Transaction {
    let customer = Id::from_bits(2).of_kind(Rollup::Constrained);
    let house = Id::from_bits(1).of_kind(Rollup::House);
    let amount = Amount::try_from(n).unwrap();
    let money = Money {
        amount,
        currency: Currency::GBP,
    };
    let leg = |account, side| Leg {
        account,
        side,
        layer: Layer::Posted,
        money,
    };
    let legs = vec![leg(house, Side::Debit), leg(customer, Side::Credit)];
    let at = Timestamp::from_unix_ms(1_795_000_000_000 + n);
    let id = Id::new(at, u128::from(n));
    let mut made = Transaction::new(id, at, Journal::InPost, None, legs).unwrap();
    made.entries = vec![EntryNumber {
        account: customer,
        number: n,
    }];
    made
}

/// Commits transactions, one each, among records that are none.
pub async fn commit(store: &dyn Store, numbers: impl Iterator<Item = u64>) {
    for n in numbers {
        let made = transaction(n);
        let listed = Key::new(&keys::ledger_list(tenant()), &made.id.to_string());
        let writes = WriteSet::of([
            (
                keys::transaction(tenant(), made.id),
                Write::Create(Body::of(&made).listed(listed)),
            ),
            (
                Key::new("else", &n.to_string()),
                Write::Create(Body::of(&n)),
            ),
        ]);
        store.commit(&writes).await.unwrap();
    }
}

pub fn log_in(blobs: Arc<dyn Blobs>) -> Arc<Log> {
    let keys = Arc::new(FileKeys::of(vec![log_key()]));
    Log::new(blobs, keys, Settings::default())
}

pub fn sequencer(store: Arc<dyn Store>, log: Arc<Log>) -> Sequencer {
    Sequencer::new(store, Arc::new(TestHost::default()), log)
}

/// Steps until the feed is empty.
pub async fn drain(sequencer: &mut Sequencer) {
    while sequencer.step(0).await.unwrap() != Stepped::Idle {}
}

pub fn memory() -> Arc<Memory> {
    Arc::new(Memory::default())
}
