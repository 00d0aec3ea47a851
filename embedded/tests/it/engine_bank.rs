//! The same commands to the engine, many at once, and to the optimistic loop over memory, one by one: the same
//! answers, the same refusals, and the same history.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use lombard_core::{
    command::{Act, Command, OpenAccount, Pay, PlaceHold, PostLegs, Render, View},
    currency::Currency,
    hold::Hold,
    id::Id,
    idempotency::{Fingerprint, Idempotency},
    ledger::{Account, Layer, Leg, Rollup, Side},
    money::{Amount, Money},
    payment::{OnInsufficientFunds, Party, Payment},
    rail::Rail,
    store::encode,
    tenant::TenantId,
    time::Timestamp,
};
use lombard_embedded::engine::Engine;
use lombard_service::{
    memory::Memory,
    optimistic::Optimistic,
    ports::{Bank, ExecuteError, Host, Store},
};

use crate::{engine_help::small, log_help::Dice};

/// A clock that the test moves, so that both sides decide at the same time.
#[derive(Default)]
struct Still(AtomicU64);

impl Host for Still {
    fn now(&self) -> Timestamp {
        Timestamp::from_unix_ms(1_700_000_000_000 + self.0.load(Ordering::SeqCst))
    }

    fn random(&self) -> u128 {
        7
    }
}

struct Json;

impl Render for Json {
    fn render(&self, view: View<'_>) -> Vec<u8> {
        match view {
            View::Payment(payment) => encode(payment),
            View::Account(account, _) => encode(account),
            View::Hold(hold) => encode(hold),
            View::Transaction(transaction) => encode(transaction),
        }
    }
}

/// Draws commands about few things, so that they get in each other's way.
struct Wishes {
    dice: Dice,
    now: Timestamp,
    accounts: Vec<Id<Account>>,
    holds: Vec<Id<Hold>>,
    payments: Vec<Id<Payment>>,
}

impl Wishes {
    fn roll(&mut self, below: usize) -> usize {
        (self.dice.roll() % below as u64) as usize
    }

    fn id<T>(&mut self) -> Id<T> {
        let random = u128::from(self.dice.roll()) << 64 | u128::from(self.dice.roll());
        Id::new(self.now, random)
    }

    fn account(&mut self) -> Id<Account> {
        let n = self.roll(self.accounts.len());
        self.accounts[n]
    }

    fn money(&mut self) -> Money {
        let amount = Amount::try_from(self.roll(400) as u64 + 1).expect("more than nothing");
        Money {
            amount,
            currency: Currency::GBP,
        }
    }

    fn open(&mut self, kind: Rollup) -> Act {
        let id = self.id::<Account>().of_kind(kind);
        self.accounts.push(id);
        Act::OpenAccount(OpenAccount {
            id,
            name: "test".into(),
            currency: Currency::GBP,
            aliases: Vec::new(),
            sealed: None,
            metadata: BTreeMap::new(),
        })
    }

    fn act(&mut self) -> Act {
        match self.roll(9) {
            0 => self.open(Rollup::Constrained),
            1 => {
                let money = self.money();
                let mut leg = |side| Leg {
                    account: self.account(),
                    side,
                    layer: Layer::Posted,
                    money,
                };
                let legs = vec![leg(Side::Debit), leg(Side::Credit)];
                Act::PostLegs(PostLegs {
                    id: self.id(),
                    legs,
                })
            }
            2 => {
                let (debtor, creditor, money) = (self.account(), self.account(), self.money());
                let id = self.id();
                self.holds.push(id);
                Act::PlaceHold(PlaceHold {
                    id,
                    debtor,
                    creditor,
                    money,
                    expires_in_ms: 60_000,
                })
            }
            3 if !self.holds.is_empty() => {
                let n = self.roll(self.holds.len());
                let amount = (self.roll(2) == 0).then(|| self.money().amount);
                Act::PostHold(self.holds[n], amount)
            }
            4 if !self.holds.is_empty() => {
                let n = self.roll(self.holds.len());
                Act::VoidHold(self.holds[n])
            }
            5 if !self.payments.is_empty() => {
                let n = self.roll(self.payments.len());
                Act::Cancel(self.payments[n])
            }
            _ => self.pay(),
        }
    }

    fn pay(&mut self) -> Act {
        let id = self.id();
        self.payments.push(id);
        let wait = self.roll(3) == 0;
        Act::Pay(Box::new(Pay {
            id,
            rail: Rail::Book,
            money: self.money(),
            debtor: self.account(),
            creditor: Party::Account(self.account()),
            end_to_end_id: "INV-7".into(),
            on_insufficient_funds: if wait {
                OnInsufficientFunds::Wait
            } else {
                OnInsufficientFunds::Fail
            },
            verification: None,
            execute_at: None,
            agency: None,
            needs_approval: false,
            parties: Vec::new(),
            sca: None,
            wait_ms: 1000,
            sealed: None,
            metadata: BTreeMap::new(),
            batch: None,
            warnings: Vec::new(),
            risk: None,
        }))
    }

    /// A command, with one of few keys, so that some are repeated, rightly or wrongly.
    fn command(&mut self, act: Act) -> Command {
        let n = self.roll(60);
        let fingerprint = Fingerprint::of(&[n as u8, u8::from(self.roll(9) == 0)]);
        let idempotency = Idempotency {
            operation: "test",
            key: n.to_string(),
            fingerprint,
        };
        Command {
            tenant: TenantId::new(1 + u64::from(self.roll(12) == 0)),
            actor: "key/test".into(),
            trace: None,
            idempotency: (self.roll(3) == 0).then_some(idempotency),
            act,
        }
    }
}

fn shown(answer: Result<lombard_core::command::Reply, ExecuteError>) -> String {
    match answer {
        Ok(reply) => format!("{} {}", reply.status, String::from_utf8_lossy(&reply.body)),
        Err(ExecuteError::Rejected(rejection)) => format!("rejected: {rejection}"),
        Err(other) => panic!("neither an answer nor a refusal: {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_engine_and_the_optimistic_loop_answer_alike() {
    let folder = tempfile::tempdir().expect("a folder");
    let (host, render) = (Arc::new(Still::default()), Arc::new(Json));
    let engine = Engine::open(folder.path(), host.clone(), render.clone(), &small());
    let engine = engine.expect("a new store");
    let memory = Arc::new(Memory::default());
    let optimistic = Optimistic::new(memory.clone(), host.clone(), render);
    let mut wishes = Wishes {
        dice: Dice(3),
        now: host.now(),
        accounts: Vec::new(),
        holds: Vec::new(),
        payments: Vec::new(),
    };
    let mut answers = BTreeMap::new();
    for round in 0..200 {
        host.0.fetch_add(100, Ordering::SeqCst);
        wishes.now = host.now();
        let acts: Vec<Act> = match round {
            0 => [Rollup::House, Rollup::Constrained, Rollup::Constrained]
                .map(|it| wishes.open(it))
                .into(),
            _ => (0..16).map(|_| wishes.act()).collect(),
        };
        let commands: Vec<Command> = acts.into_iter().map(|act| wishes.command(act)).collect();
        let at_once = commands
            .iter()
            .map(|command| engine.execute(command.clone()));
        let at_once = futures_util::future::join_all(at_once).await;
        for (command, answer) in commands.into_iter().zip(at_once) {
            let text = format!("{command:?}");
            let (engine, one_by_one) = (shown(answer), shown(optimistic.execute(command).await));
            assert_eq!(engine, one_by_one, "round {round}: {text}");
            *answers
                .entry(engine.chars().take(12).collect::<String>())
                .or_insert(0) += 1;
        }
    }
    assert!(
        answers.len() > 2,
        "only {answers:?}: the commands do not get in each other's way"
    );
    let mut after = 0;
    loop {
        let told = engine.changes(0, after, 500, 0).await.expect("readable");
        assert_eq!(
            told,
            memory.changes(0, after, 500, 0).await.expect("readable")
        );
        let Some(last) = told.last() else { break };
        after = last.position;
    }
    assert!(after > 500, "{after} commits");
}
