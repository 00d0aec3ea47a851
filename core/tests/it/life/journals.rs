//! The journals of the documentation, played: `docs/ledger.md` is what this writes.

use std::fmt::Write;

use expect_test::expect_file;
use lombard_core::{
    charge::Capture,
    command::{Act, PlaceHold, Posting, Receive, ReceiveReturn, Report, ReturnPayment, TakeLines},
    currency::{Currency, format_minor},
    id::Id,
    journal::{self, Journal, Role, house, house_name},
    ledger::{Account, Layer, Leg, Side, Transaction},
    money::Amount,
    payment::Party,
    psp::News,
    rail::Rail,
    reason::Reason,
    store::decode,
};

use super::{
    World, charges,
    flows::{gbp, open, order, outside, pay, report},
    lines::{fee, gone_back},
    providers,
};

const INTRO: &str = include_str!("journals.md");

/// A world whose transactions are told as they come.
struct Play {
    world: World,
    names: Vec<(Id<Account>, String)>,
    told: Vec<Id<Transaction>>,
    page: String,
}

impl Play {
    fn new(title: &str, intro: &str) -> Self {
        let mut world = World::new();
        let customer = open(&mut world, 100_000);
        let payee = open(&mut world, 0);
        let mut names = vec![
            (customer, "customer".to_owned()),
            (payee, "payee".to_owned()),
        ];
        for rail in [Rail::Fps, Rail::Card] {
            for role in Role::ALL {
                let id = house(world.tenant, rail, role, Currency::GBP);
                names.push((id, house_name(rail, role, Currency::GBP)));
            }
        }
        let head = "| step | journal | legs |\n|---|---|---|\n";
        let page = format!("\n### {title}\n\n{intro}\n\n{head}");
        let mut play = Self {
            world,
            names,
            told: Vec::new(),
            page,
        };
        // The customer's first funds are not part of the story.
        play.told = play.transactions().iter().map(|it| it.id).collect();
        play
    }

    fn customer(&self) -> Id<Account> {
        self.names[0].0
    }

    fn payee(&self) -> Id<Account> {
        self.names[1].0
    }

    fn transactions(&self) -> Vec<Transaction> {
        let records = self
            .world
            .records
            .iter()
            .filter(|(key, _)| key.sort() == "txn");
        records
            .map(|(_, record)| decode(&record.body.bytes))
            .collect()
    }

    /// Adds what was written since the last step.
    fn tell(&mut self, step: &str) {
        let mut fresh = self.transactions();
        fresh.retain(|it| !self.told.contains(&it.id));
        if fresh.is_empty() {
            let _ = writeln!(self.page, "| {step} | none | |");
        }
        for it in fresh {
            self.told.push(it.id);
            let legs: Vec<String> = it.legs.iter().map(|leg| self.line(leg)).collect();
            let journal = serde_json::to_value(it.journal).unwrap();
            let journal = journal.as_str().unwrap_or_default();
            let _ = writeln!(
                self.page,
                "| {step} | `{journal}` | {} |",
                legs.join("<br>")
            );
        }
    }

    fn line(&self, leg: &Leg) -> String {
        let name = self.names.iter().find(|(id, _)| *id == leg.account);
        let name = name.map_or("?", |(_, name)| name);
        let side = if leg.side == Side::Debit { "Dr" } else { "Cr" };
        let layer = match leg.layer {
            Layer::Pending => "pending",
            Layer::Release => "release",
            Layer::Posted => "posted",
        };
        let amount = format_minor(leg.money.amount.minor(), leg.money.currency);
        format!("{layer} {side} {name} {amount}")
    }
}

fn amount(minor: u64) -> Amount {
    Amount::try_from(minor).unwrap()
}

fn out_and_settled() -> String {
    let mut play = Play::new(
        "A payment out",
        "£25.00 by Faster Payments: held when accepted, posted on the rail's final yes, settled\n\
         when reconciliation finds it.",
    );
    let customer = play.customer();
    let order = order(&mut play.world, customer, 2_500);
    pay(&mut play.world, &order);
    play.tell("accepted");
    report(&mut play.world, order.id, Report::Submitted);
    play.tell("sent to the rail");
    report(&mut play.world, order.id, Report::Accepted(None));
    play.tell("CLEARED");
    report(&mut play.world, order.id, Report::SettlementFound);
    play.tell("SETTLED");
    play.page
}

fn out_and_failed() -> String {
    let mut play = Play::new(
        "A payment out that fails",
        "The rail says no, or the payment is cancelled before it leaves: the hold is released.",
    );
    let customer = play.customer();
    let order = order(&mut play.world, customer, 2_500);
    pay(&mut play.world, &order);
    play.tell("accepted");
    let no = Report::Rejected(Reason::AccountClosed, "AC04".to_owned());
    report(&mut play.world, order.id, no);
    play.tell("FAILED");
    play.page
}

fn out_and_back() -> String {
    let mut play = Play::new(
        "A payment out that comes back",
        "First £5.00 of it is returned, then the rail takes back its yes: what has not come back\n\
         yet is reversed.",
    );
    let customer = play.customer();
    let order = order(&mut play.world, customer, 2_500);
    pay(&mut play.world, &order);
    play.tell("accepted");
    report(&mut play.world, order.id, Report::Accepted(None));
    play.tell("CLEARED");
    let back = ReceiveReturn {
        id: play.world.id(),
        original: order.id,
        amount: amount(500),
        reason: Reason::AccountClosed,
        reason_code: "AC04".to_owned(),
        rail_reference: "R2".to_owned(),
    };
    play.world.run(Act::ReceiveReturn(back)).unwrap();
    play.tell("returned in part");
    let no = Report::Rejected(Reason::TechnicalError, "MS03".to_owned());
    report(&mut play.world, order.id, no);
    play.tell("REVERSED");
    play.page
}

fn receive(play: &mut Play, creditor: Option<Id<Account>>, minor: u64) -> Receive {
    let news = Receive {
        id: play.world.id(),
        rail: Rail::Fps,
        money: gbp(minor),
        debtor: outside(),
        creditor,
        end_to_end_id: "THEIRS".to_owned(),
        rail_reference: "R9".to_owned(),
        sealed: None,
    };
    play.world
        .run(Act::Receive(Box::new(news.clone())))
        .unwrap();
    news
}

fn in_and_back() -> String {
    let mut play = Play::new(
        "A payment in, returned",
        "£40.00 comes in; all of it is sent back, as a return of its own that is held, sent and\n\
         posted like a payment out.",
    );
    let customer = play.customer();
    let original = receive(&mut play, Some(customer), 4_000).id;
    play.tell("received, CLEARED");
    let id = play.world.id();
    let reason = Reason::CustomerRequested;
    play.world
        .run(Act::Return(ReturnPayment {
            id,
            original,
            amount: None,
            reason,
        }))
        .unwrap();
    play.tell("return accepted");
    report(&mut play.world, id, Report::Accepted(None));
    play.tell("return CLEARED, original REVERSED");
    play.page
}

fn in_for_nobody() -> String {
    let mut play = Play::new(
        "A payment in for nobody",
        "Where the scheme does not let us refuse it, the money waits in suspense.",
    );
    receive(&mut play, None, 700);
    play.tell("received");
    play.page
}

fn on_the_book() -> String {
    let mut play = Play::new(
        "On our own books",
        "Between two accounts of ours: final at once.",
    );
    let customer = play.customer();
    let mut order = order(&mut play.world, customer, 300);
    order.rail = Rail::Book;
    order.creditor = Party::Account(play.payee());
    pay(&mut play.world, &order);
    play.tell("CLEARED");
    let (id, original) = (play.world.id(), order.id);
    let (amount, reason) = (Some(amount(100)), Reason::CustomerRequested);
    play.world
        .run(Act::Return(ReturnPayment {
            id,
            original,
            amount,
            reason,
        }))
        .unwrap();
    play.tell("£1.00 returned");
    play.page
}

fn held_and_posted() -> String {
    let mut play = Play::new(
        "A hold by itself",
        "£6.00 is promised and £2.50 of it posted; the rest is free again.",
    );
    let hold = PlaceHold {
        id: play.world.id(),
        debtor: play.customer(),
        creditor: play.payee(),
        money: gbp(600),
        expires_in_ms: 60_000,
    };
    let id = hold.id;
    play.world.run(Act::PlaceHold(hold)).unwrap();
    play.tell("placed");
    play.world
        .run(Act::PostHold(id, Some(amount(250))))
        .unwrap();
    play.tell("posted in part");
    play.page
}

fn charged_and_refunded() -> String {
    let mut play = Play::new(
        "A charge of a card",
        "£60.00 are authorised; £45.00 of them are captured, and the provider owes them; £5.00 are\n\
         refunded. A refund is a return, like any other.",
    );
    let holder = play.customer();
    let id = charges::charge(&mut play.world, holder, 6_000, Capture::Manual);
    report(&mut play.world, id, Report::Authorised(None));
    play.tell("authorised");
    play.world
        .run(Act::Capture(id, Some(amount(4_500))))
        .unwrap();
    report(&mut play.world, id, Report::Accepted(None));
    play.tell("captured in part, CLEARED");
    let back = play.world.id();
    let wish = ReturnPayment {
        id: back,
        original: id,
        amount: Some(amount(500)),
        reason: Reason::CustomerRequested,
    };
    play.world.run(Act::Return(wish)).unwrap();
    play.tell("refund accepted");
    report(&mut play.world, back, Report::Submitted);
    report(&mut play.world, back, Report::Accepted(None));
    play.tell("refund CLEARED");
    play.page
}

fn charged_and_let_go() -> String {
    let mut play = Play::new(
        "A charge that is let go of",
        "Voided, declined or expired: the provider will owe nothing.",
    );
    let holder = play.customer();
    let id = charges::charge(&mut play.world, holder, 6_000, Capture::Manual);
    report(&mut play.world, id, Report::Authorised(None));
    play.tell("authorised");
    play.world.run(Act::Void(id)).unwrap();
    report(
        &mut play.world,
        id,
        Report::Rejected(Reason::Cancelled, "voided".to_owned()),
    );
    play.tell("FAILED");
    play.page
}

fn charged_and_disputed() -> String {
    let mut play = Play::new(
        "A charge that is disputed",
        "£60.00 are kept back when the payer disputes them, then taken; the first dispute is won, the\n\
         second one lost.",
    );
    let holder = play.customer();
    let id = charges::charge(&mut play.world, holder, 6_000, Capture::Automatic);
    report(&mut play.world, id, Report::Accepted(None));
    play.tell("captured, CLEARED");
    let steps = [
        ("dispute opened", News::DisputeOpened, "d1"),
        ("its money taken", News::ChargedBack, "d1"),
        ("won", News::DisputeWon, "d1"),
        ("taken at once", News::ChargedBack, "d2"),
        ("lost, REVERSED", News::DisputeLost, "d2"),
    ];
    for (number, (step, news, part)) in steps.into_iter().enumerate() {
        let mut event = providers::event(id, &play.world, number, news, 6_000);
        event.kept.part = part.to_owned();
        providers::hear(&mut play.world, &event);
        play.tell(step);
    }
    play.page
}

fn as_a_statement_says() -> String {
    let mut play = Play::new(
        "What a statement says",
        "£50.00 that came in is found, less a fee of £1.00 that was kept back; £8.00 of it are charged\n\
         back; a line of £3.00 is nobody's.",
    );
    let customer = play.customer();
    let id = receive(&mut play, Some(customer), 5_000).id;
    play.tell("received, CLEARED");
    let steps = [
        ("SETTLED", vec![id], vec![], vec![fee(&mut play.world, 100)]),
        (
            "charged back",
            vec![],
            vec![gone_back(&mut play.world, id, 800)],
            vec![],
        ),
        ("nobody's", vec![], vec![], vec![unknown(&mut play.world)]),
    ];
    for (what, settles, returns, postings) in steps {
        let step = TakeLines {
            source: "bank".to_owned(),
            lines: Vec::new(),
            settles,
            returns,
            postings,
        };
        play.world.run(Act::TakeLines(vec![step])).unwrap();
        play.tell(what);
    }
    play.page
}

fn unknown(world: &mut World) -> Posting {
    let tenant = world.tenant;
    let of = |role| house(tenant, Rail::Fps, role, Currency::GBP);
    let id = world.id();
    Posting {
        id,
        journal: Journal::StatementLine,
        legs: journal::move_now(of(Role::Settlement), of(Role::Suspense), gbp(300)),
    }
}

#[test]
fn the_documentation_shows_what_happens() {
    let plays = [
        out_and_settled(),
        out_and_failed(),
        out_and_back(),
        in_and_back(),
        in_for_nobody(),
        on_the_book(),
        held_and_posted(),
        charged_and_refunded(),
        charged_and_let_go(),
        charged_and_disputed(),
        as_a_statement_says(),
    ];
    expect_file!["../../../../docs/ledger.md"].assert_eq(&(INTRO.to_owned() + &plays.concat()));
}
