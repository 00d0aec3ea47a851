//! What a decision costs: a payment on the books, a payment over a rail, and the rail's yes.

use std::{collections::BTreeMap, hint::black_box};

use criterion::{Criterion, criterion_group, criterion_main};
use lombard_core::{
    command::{Act, Command, OpenAccount, Pay, PostLegs, Render, Report, View},
    currency::Currency,
    id::Id,
    idempotency::{Fingerprint, Idempotency},
    journal,
    ledger::{Account, AliasScheme, Rollup},
    money::{Amount, Money},
    payment::{External, OnInsufficientFunds, Party},
    plan::{Context, Step, plan},
    rail::Rail,
    sca::{
        Ask, Channel, Counters, Known, decide,
        fraud::Rate,
        rules::{Regime, Rules},
    },
    store::{Key, Record, Snapshot},
    tenant::TenantId,
    time::Timestamp,
};

struct Json;

impl Render for Json {
    fn render(&self, view: View<'_>) -> Vec<u8> {
        match view {
            View::Payment(it) => serde_json::to_vec(it).unwrap_or_default(),
            _ => b"{}".to_vec(),
        }
    }
}

#[derive(Default)]
struct Records(BTreeMap<Key, Record>);

impl Records {
    fn decide(&self, command: &Command) -> Option<Step> {
        let now = Timestamp::from_unix_ms(1_795_000_000_000);
        let mut snapshot = Snapshot::default();
        loop {
            match plan(&snapshot, command, Context { now, render: &Json }) {
                Ok(Step::Read(reads)) => {
                    for key in reads.guarded {
                        let found = self.0.get(&key).cloned();
                        snapshot.put(key, found);
                    }
                    for key in reads.hints {
                        let found = self.0.get(&key).cloned();
                        snapshot.put_hint(key, found);
                    }
                }
                decided => return decided.ok(),
            }
        }
    }

    fn run(&mut self, command: &Command) {
        let Some(Step::Commit(writes, _)) = self.decide(command) else {
            panic!("{command:?}")
        };
        for (key, write) in writes.iter() {
            if let Some(Some(record)) = write.result() {
                self.0.insert(key.clone(), record);
            }
        }
    }
}

fn command(act: Act, key: Option<&str>) -> Command {
    let fingerprint = Fingerprint::of(b"a request");
    let operation = "payments.create";
    let idempotency = key.map(|key| Idempotency {
        operation,
        key: key.to_owned(),
        fingerprint,
    });
    Command {
        tenant: TenantId::new(1),
        actor: "key/bench".into(),
        trace: None,
        idempotency,
        act,
    }
}

fn account(records: &mut Records, n: u128) -> Id<Account> {
    let id = Id::from_bits(n << 8).of_kind(Rollup::Constrained);
    let open = OpenAccount {
        id,
        name: "bench".to_owned(),
        currency: Currency::GBP,
        aliases: Vec::new(),
        sealed: None,
        metadata: BTreeMap::new(),
    };
    records.run(&command(Act::OpenAccount(open), None));
    id
}

fn plans(bench: &mut Criterion) {
    let mut records = Records::default();
    let [debtor, creditor] = [1, 2].map(|n| account(&mut records, n));
    let bank = Id::from_bits(3 << 8).of_kind(Rollup::House);
    let named = OpenAccount {
        id: bank,
        name: "bank".to_owned(),
        currency: Currency::GBP,
        aliases: Vec::new(),
        sealed: None,
        metadata: BTreeMap::new(),
    };
    records.run(&command(Act::OpenAccount(named), None));
    let money = |minor| Money {
        amount: Amount::try_from(minor).unwrap_or_else(|_| panic!("positive")),
        currency: Currency::GBP,
    };
    let legs = journal::move_now(bank, debtor, money(1 << 40));
    records.run(&command(
        Act::PostLegs(PostLegs {
            id: Id::from_bits(9),
            legs,
        }),
        None,
    ));
    let book = Pay {
        id: Id::from_bits(1 << 90),
        rail: Rail::Book,
        money: money(1_234),
        debtor,
        creditor: Party::Account(creditor),
        end_to_end_id: "E2E-20261122-000000123456".to_owned(),
        on_insufficient_funds: OnInsufficientFunds::Fail,
        verification: None,
        execute_at: None,
        agency: None,
        needs_approval: false,
        parties: Vec::new(),
        sca: None,
        wait_ms: 60_000,
        sealed: None,
        warnings: Vec::new(),
        metadata: BTreeMap::from([("order".to_owned(), "9981".to_owned())]),
        batch: None,
        risk: None,
    };
    let payee = External {
        scheme: AliasScheme::UkAccount,
        country: "GB".to_owned(),
        last4: "6819".to_owned(),
        fingerprint: "b1946ac92492d2347c6235b4d2611184".to_owned(),
    };
    let out = Pay {
        rail: Rail::Fps,
        creditor: Party::External(payee),
        ..book.clone()
    };
    let yes = Act::Report(out.id, Report::Accepted(Some("R1".to_owned())));
    let mut sent = Records(records.0.clone());
    sent.run(&command(Act::Pay(Box::new(out.clone())), Some("k")));

    let book = command(Act::Pay(Box::new(book)), Some("k"));
    let out = command(Act::Pay(Box::new(out)), Some("k"));
    let yes = command(yes, None);
    bench.bench_function("book payment", |it| {
        it.iter(|| records.decide(black_box(&book)))
    });
    bench.bench_function("rail payment", |it| {
        it.iter(|| records.decide(black_box(&out)))
    });
    bench.bench_function("rail's yes", |it| it.iter(|| sent.decide(black_box(&yes))));
}

/// The longest way through the decision: every exemption is tried, and the last one applies.
fn authentication(bench: &mut Criterion) {
    let mut ask = Ask::plain(Regime::Eu, Channel::RemoteTransfer);
    ask.low_risk = Some(true);
    let counters = Counters::default();
    let amount = Amount::try_from(40_000).unwrap_or_else(|_| panic!("positive"));
    let known = Known {
        money: Money {
            amount,
            currency: Currency::EUR,
        },
        counters: &counters,
        fraud: Some(Rate {
            total: 1_000_000_000,
            fraud: 1,
        }),
        now: Timestamp::from_unix_ms(1_795_000_000_000),
    };
    let rules = Rules::default();
    bench.bench_function("payer's authentication", |it| {
        it.iter(|| decide(black_box(&ask), black_box(known), &rules))
    });
}

criterion_group!(benches, plans, authentication);
criterion_main!(benches);
