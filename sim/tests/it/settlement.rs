//! A provider's batch of charges that were made, refunded and disputed here: it closes to the cent, and what
//! is not as it should be is told once, by its name.

use std::io::Cursor;

use lombard_core::{
    command::{Act, ReturnPayment},
    currency::Currency,
    id::Id,
    journal::{self, Role},
    ledger::{Layer, Side, Transaction},
    lifecycle::Stage,
    payment::Payment,
    plan::keys,
    rail::Rail,
    reason::Reason,
    store::decode,
};
use lombard_service::{
    exceptions::{Exception, State},
    ports::Range,
    reconcile::{Report, Source, reconcile},
};
use serde_json::json;

use super::{charges::amount, world::World};

const PROVIDERS: [&str; 2] = ["stripe", "adyen"];

/// What a charge of the batch is about.
#[derive(Clone, Copy, PartialEq)]
enum Fate {
    Kept,
    RefundedInPart,
    ChargedBack,
}

const CHARGES: [(u64, u64, Fate); 4] = [
    (2_000, 2_000, Fate::Kept),
    // Captured in part.
    (5_500, 4_000, Fate::Kept),
    (3_000, 3_000, Fate::RefundedInPart),
    (1_000, 1_000, Fate::ChargedBack),
];

/// A world with the charges of a batch, at both providers, and the report of one of them.
async fn batch(provider: &str) -> (World, Vec<Id<Payment>>, String) {
    let world = World::start().await;
    let mut ids = Vec::new();
    for name in PROVIDERS {
        for (authorised, captured, fate) in CHARGES {
            let id = world.charged_and(name, authorised, captured, fate).await;
            if name == provider {
                ids.push(id);
            }
        }
    }
    let path = format!("{}/control/psp/payouts/{provider}?currency=GBP", world.sim);
    let answer = world.http.post(path).send().await.unwrap();
    assert!(answer.status().is_success());
    let report = answer.text().await.unwrap();
    (world, ids, report)
}

impl World {
    async fn charged_and(
        &self,
        provider: &str,
        authorised: u64,
        captured: u64,
        fate: Fate,
    ) -> Id<Payment> {
        let id = self.charge(provider, authorised).await;
        self.stage(id, Stage::Authorised).await;
        let part = Some(amount(captured));
        self.execute(Act::Capture(id, part)).await.unwrap();
        self.stage(id, Stage::Cleared).await;
        match fate {
            Fate::Kept => {}
            Fate::RefundedInPart => {
                let wish = ReturnPayment {
                    id: Id::new(self.app.host.now(), self.app.host.random()),
                    original: id,
                    amount: Some(amount(1_000)),
                    reason: Reason::CustomerRequested,
                };
                let refund = wish.id;
                self.execute(Act::Return(wish)).await.unwrap();
                self.stage(refund, Stage::Cleared).await;
            }
            Fate::ChargedBack => {
                let at = self.charged(id).await[0]["id"].clone();
                let at = at.as_str().unwrap();
                let path = format!("psp/charges/{at}/dispute");
                self.tell(&path, json!({"step": "taken"})).await;
                let taken = |it: &Payment| it.charge.as_ref().unwrap().disputed == captured;
                self.until(id, "taken", taken).await;
                self.tell(&path, json!({"step": "lost"})).await;
                self.stage(id, Stage::Reversed).await;
            }
        }
        id
    }

    async fn reconciled(&self, source: &str, text: &str) -> Report {
        let source = Source::of(&self.app.config, source.to_owned());
        let input = Cursor::new(text.as_bytes().to_vec());
        reconcile(&self.app, self.tenant, &source, input)
            .await
            .unwrap()
    }

    /// What stands in a house account, by the entries of the ledger.
    async fn house(&self, rail: Rail, role: Role) -> i64 {
        let account = journal::house(self.tenant, rail, role, Currency::GBP);
        let range = Range::listed(&keys::ledger_list(self.tenant), 1_000);
        let found = self.app.store.range(&range).await.unwrap();
        let legs = found
            .iter()
            .flat_map(|it| decode::<Transaction>(&it.record.body.bytes).legs);
        let own = legs.filter(|leg| leg.account == account && leg.layer == Layer::Posted);
        own.map(|leg| match leg.side {
            Side::Debit => leg.money.amount.minor() as i64,
            Side::Credit => -(leg.money.amount.minor() as i64),
        })
        .sum()
    }

    async fn open_exceptions(&self) -> Vec<Exception> {
        let mut all = self.exceptions().await;
        all.retain(|it| it.state == State::Open);
        all
    }

    async fn transactions(&self) -> usize {
        let range = Range::listed(&keys::ledger_list(self.tenant), 1_000);
        self.app.store.range(&range).await.unwrap().len()
    }
}

/// Each row of a report without its header: what charge it is about, its gross and its net amount, by
/// their columns.
struct Row {
    at: usize,
    charge: String,
}

fn rows(provider: &str, report: &str) -> Vec<Row> {
    let mut lines = report.lines();
    let header: Vec<&str> = lines.next().unwrap().split(',').collect();
    let name = match provider {
        "stripe" => "payment_intent_id",
        _ => "Psp Reference",
    };
    let column = header.iter().position(|it| *it == name).unwrap();
    let charge = |line: &str| line.split(',').nth(column).unwrap().to_owned();
    let rows = lines.enumerate().map(|(at, line)| Row {
        at: at + 1,
        charge: charge(line),
    });
    // The payout itself names no charge.
    rows.filter(|it| !it.charge.is_empty()).collect()
}

fn without(report: &str, at: usize) -> String {
    let lines = report.lines().enumerate().filter(|it| it.0 != at);
    lines.map(|it| format!("{}\n", it.1)).collect()
}

/// A cent more in the row, gross and net.
fn off_by_a_cent(provider: &str, report: &str, at: usize) -> String {
    let header: Vec<&str> = report.lines().next().unwrap().split(',').collect();
    let amounts: &[&str] = match provider {
        "stripe" => &["gross", "net"],
        _ => &[
            "Gross Debit (GC)",
            "Gross Credit (GC)",
            "Net Debit (NC)",
            "Net Credit (NC)",
        ],
    };
    let changed = |line: &str| {
        let fields = line.split(',').zip(&header).map(|(field, name)| {
            let Some((pounds, pence)) = field.split_once('.').filter(|_| amounts.contains(name))
            else {
                return field.to_owned();
            };
            let (sign, pounds) = match pounds.strip_prefix('-') {
                Some(pounds) => ("-", pounds),
                None => ("", pounds),
            };
            let minor: u64 = format!("{pounds}{pence}").parse::<u64>().unwrap() + 1;
            format!("{sign}{}.{:02}", minor / 100, minor % 100)
        });
        fields.collect::<Vec<_>>().join(",")
    };
    let lines = report.lines().enumerate();
    lines
        .map(|(line, text)| {
            let text = if line == at {
                changed(text)
            } else {
                text.to_owned()
            };
            format!("{text}\n")
        })
        .collect()
}

#[tokio::test]
async fn a_batch_closes_to_the_cent_and_again_changes_nothing() {
    for provider in PROVIDERS {
        let (world, ids, text) = batch(provider).await;
        let report = world.reconciled(provider, &text).await;
        assert_eq!(report.exceptions, [], "{text}");
        let close = &report.statements[0];
        let (lines, sum) = (report.lines, close.matched);
        assert_eq!((lines, report.matched, close.open), (6, 6, 0), "{report:?}");
        // Captured less refunded, charged back, 1.5 % and 0.20 of each, and 15.00 for the dispute.
        assert_eq!(sum, 10_000 - 1_000 - 1_000 - (150 + 80) - 1_500);
        for (id, (_, captured, fate)) in ids.iter().zip(CHARGES) {
            let wanted = match fate {
                Fate::ChargedBack => Stage::Reversed,
                Fate::Kept | Fate::RefundedInPart => Stage::Settled,
            };
            let payment = world.get(*id).await;
            assert_eq!(
                (payment.stage, payment.money.amount.minor()),
                (wanted, captured)
            );
        }
        let size = world.transactions().await;
        assert_eq!(world.reconciled(provider, &text).await, report);
        assert_eq!(world.transactions().await, size);
        assert!(world.exceptions().await.is_empty());
        // What the other provider still holds is in clearing; what this one held is on its way to us.
        assert_eq!(world.house(Rail::Card, Role::Settlement).await, 0);
        assert_eq!(world.house(Rail::Card, Role::Suspense).await, sum);
    }
}

#[tokio::test]
async fn a_row_less_or_a_cent_more_is_one_exception_that_names_it() {
    for provider in PROVIDERS {
        let (_, _, text) = batch(provider).await;
        for at in 0..rows(provider, &text).len() {
            for changed in [false, true] {
                let (world, _, text) = batch(provider).await;
                let Row { at, charge } = &rows(provider, &text)[at];
                let report_text = if changed {
                    off_by_a_cent(provider, &text, *at)
                } else {
                    without(&text, *at)
                };
                let report = world.reconciled(provider, &report_text).await;
                let told = &report.exceptions;
                assert_eq!(
                    told.len(),
                    1,
                    "{provider} {at} {changed}: {told:#?}\n{report_text}"
                );
                let kind = if changed {
                    "amount_differs"
                } else {
                    "missing_there"
                };
                assert_eq!(
                    told[0].kind, kind,
                    "{provider} {at}: {told:#?}\n{report_text}"
                );
                let all = world.control("psp/charges").await;
                let all = all["charges"].as_array().unwrap();
                let own = all.iter().find(|it| it["id"] == charge.as_str()).unwrap();
                let attempt = own["attempt"].as_str().unwrap();
                let payment = attempt.rsplit('-').next().unwrap();
                let named = [charge.as_str(), attempt, payment];
                let text = format!("{:?}", told[0]);
                assert!(named.iter().any(|it| text.contains(it)), "{charge}: {text}");
                assert_eq!(
                    &world.reconciled(provider, &report_text).await.exceptions,
                    told
                );
            }
        }
    }
}

/// A bank's statement in which money of these amounts came, with what is written beside each.
fn statement(world: &World, number: u32, lines: &[(&str, i64)], closing: Option<i64>) -> String {
    let day = world.app.host.now().to_string()[2..10].replace('-', "");
    let pounds = |minor: i64| format!("{},{:02}", minor / 100, minor % 100);
    let opening = 1_000_000;
    let mut text = format!(
        ":20:S{number}\n:25:20000055779911\n:28C:{number}/1\n:60F:C{day}GBP{}\n",
        pounds(opening)
    );
    for (at, (words, minor)) in lines.iter().enumerate() {
        text += &format!(":61:{day}C{}NTRFNONREF//B{number}{at}\n", pounds(*minor));
        text += &format!(":86:{words}\n");
    }
    let sum = opening + lines.iter().map(|it| it.1).sum::<i64>();
    text + &format!(":62F:C{day}GBP{}\n-", pounds(closing.unwrap_or(sum)))
}

#[tokio::test]
async fn a_payout_is_found_at_the_bank_by_its_name_or_its_amount() {
    for provider in PROVIDERS {
        let (world, _, text) = batch(provider).await;
        let sum = world.reconciled(provider, &text).await.statements[0].matched;
        let before = world.house(Rail::Fps, Role::Settlement).await;
        let words = match provider {
            "stripe" => {
                let at = text.find("po_").unwrap();
                format!("STRIPE PAYMENTS {}", &text[at..at + 11])
            }
            _ => "ADYEN N.V. SETTLEMENT".to_owned(),
        };
        let lines = [(words.as_str(), sum)];
        // Without its line the statement contradicts itself, and names it; so does a cent.
        let broken = statement(&world, 1, &[], Some(1_000_000 + sum));
        let report = world.reconciled("bank", &broken).await;
        let kinds: Vec<_> = report.exceptions.iter().map(|it| it.kind).collect();
        assert_eq!(kinds, ["missing_there"], "{report:?}");
        assert!(report.exceptions[0].why.contains(provider), "{report:?}");
        let other = [(words.as_str(), sum + 1)];
        let report = world
            .reconciled("bank2", &statement(&world, 1, &other, None))
            .await;
        assert_eq!(report.exceptions.len(), 1, "{report:?}");
        assert_eq!(world.house(Rail::Card, Role::Suspense).await, sum);

        let text = statement(&world, 1, &lines, None);
        let report = world.reconciled("bank", &text).await;
        assert_eq!(
            (&*report.exceptions, report.matched),
            (&[][..], 1),
            "{report:?}"
        );
        assert_eq!(world.house(Rail::Card, Role::Suspense).await, 0);
        let there = world.house(Rail::Fps, Role::Settlement).await;
        assert_eq!(there - before, sum);
        let size = world.transactions().await;
        assert_eq!(world.reconciled("bank", &text).await, report);
        assert_eq!(world.transactions().await, size);
        // What the broken statement left open is over; what another bank says is not.
        let open = world.open_exceptions().await;
        assert_eq!(open.len(), 1, "{open:#?}");
    }
}
