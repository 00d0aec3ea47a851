//! Risk inline: decisions are stored with their payments and can be made again, limits hold in a
//! race, profiles are warm after a restart, and a model elsewhere may be slow, wrong or gone.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use futures_util::future::BoxFuture;
use lombard_core::{
    command::{Act, Reply},
    id::Id,
    ledger::Account,
    lifecycle::Stage,
    money::Amount,
    payment::{OnInsufficientFunds, Payment},
    plan::keys,
    risk::{Action, Kept},
};
use lombard_risk::{
    decision::Fallback,
    features::{Book, Kind, Vector},
    policy::Policy,
};
use lombard_service::{
    config::Config,
    exceptions,
    instruct::{Creditor, Instruction, prepare},
    risk::{
        Desk, Judged, Parts,
        archive::{self, NotKept, What},
        elsewhere::{Endpoint, Model, NoScore, Scored},
        fold::Fold,
        replay::{Replay, replay},
    },
};
use tokio::{net::TcpListener, sync::watch};

use super::support::{World, gbp};

const POLICY: &str = r#"{
    "version": 9,
    "rules": [
        {"name": "large", "version": 1, "condition": "amount > 5000", "action": "decline", "says": "it is large",
         "author": "ann", "reason": "a test", "written_at": "2026-11-23", "mode": "live", "activated_by": "bob"},
        {"name": "often", "version": 1, "condition": "account_count_1h >= 3", "action": "review", "says": "it is the fourth within an hour",
         "author": "ann", "reason": "a test", "written_at": "2026-11-23", "mode": "live", "activated_by": "bob"}],
    "limits": [{"name": "payee_day", "per": ["account", "payee"], "hours": 24, "counts": "amount", "most": 1000, "action": "decline"}]
}"#;

fn parts() -> Parts {
    Parts {
        policy: Policy::parse(POLICY).unwrap(),
        // On a loaded machine profiles may be waited for longer than a bank would.
        limit: Duration::from_secs(5),
        ..Parts::default()
    }
}

fn world(parts: Parts) -> World {
    let mut world = World::new(Config::default());
    world.app.risk = Some(Desk::new(parts));
    world
}

async fn pay(
    world: &World,
    debtor: Id<Account>,
    creditor: Id<Account>,
    pence: u64,
) -> (Id<Payment>, Reply) {
    let id = Id::new(world.app.host.now(), world.app.host.random());
    let instruction = Instruction {
        id,
        rail: None,
        money: gbp(Amount::try_from(pence).unwrap()),
        debtor,
        debtor_name: None,
        creditor: Creditor::Account(creditor),
        end_to_end_id: None,
        reference: None,
        remittance: None,
        on_insufficient_funds: OnInsufficientFunds::Fail,
        verification: None,
        execute_at: None,
        sca: None,
        wait_ms: None,
        metadata: Default::default(),
        batch: None,
    };
    let prepared = prepare(&world.app, world.tenant, instruction, None).unwrap();
    let paid = keys::payment(world.tenant, id);
    let pay = prepared.judged(&world.app, world.tenant, &paid).await;
    (id, world.execute(Act::Pay(Box::new(pay))).await)
}

async fn kept(world: &World, id: Id<Payment>) -> (Kept, Judged) {
    let key = keys::decision(world.tenant, id);
    let kept: Kept = world.app.value(&key).await.unwrap().unwrap();
    let judged = serde_json::from_str(kept.decision.get()).unwrap();
    (kept, judged)
}

#[tokio::test]
async fn a_decision_is_stored_with_its_payment_and_can_be_made_again_years_later() {
    let world = world(parts());
    let (debtor, creditor) = (world.account(100_000).await, world.account(0).await);
    let (id, reply) = pay(&world, debtor, creditor, 6_000).await;
    assert_eq!(reply.stage, Some(Stage::Failed));
    let (kept, judged) = kept(&world, id).await;
    assert_eq!(kept.action, Action::Decline);
    assert_eq!(judged.decision.reasons, ["it is large"]);
    assert_eq!(judged.decision.rule_set, 9);

    // Another desk, which has seen nothing and has another policy in force.
    archive::keep(&world.app, What::Policy, "9", POLICY)
        .await
        .unwrap();
    let later = Desk::new(Parts::default());
    let again = replay(&world.app, &later, &judged).await.unwrap();
    assert_eq!(again.result, Replay::Same);
    // Under one version there is one policy for ever.
    let other = POLICY.replace("it is large", "it is huge");
    let kept = archive::keep(&world.app, What::Policy, "9", &other).await;
    assert!(matches!(kept, Err(NotKept::Taken { .. })), "{kept:?}");
    let missing = Judged {
        decision: lombard_risk::decision::Decision {
            rule_set: 8,
            ..judged.decision.clone()
        },
        ..judged.clone()
    };
    let again = replay(&world.app, &later, &missing).await.unwrap();
    assert!(matches!(again.result, Replay::Missing(_)));
    // Somebody who changes what is stored is found out.
    let mut forged = judged;
    forged.decision.action = Action::Approve;
    let again = replay(&world.app, &later, &forged).await.unwrap();
    assert!(matches!(again.result, Replay::Other(_)));
}

#[tokio::test]
async fn payments_that_race_for_one_limit_do_not_pass_it_together() {
    let world = Arc::new(world(parts()));
    let (debtor, creditor) = (world.account(100_000).await, world.account(0).await);
    let racers: Vec<_> = (0..24)
        .map(|_| {
            let world = Arc::clone(&world);
            tokio::spawn(async move { pay(&world, debtor, creditor, 150).await.1.stage })
        })
        .collect();
    let mut cleared = 0;
    for racer in racers {
        cleared += usize::from(racer.await.unwrap() == Some(Stage::Cleared));
    }
    // Six times 1.50 is within 10.00, seven times is not.
    assert_eq!(cleared, 6);
}

/// Folds what comes for a moment, and saves it.
async fn folded(fold: Fold) {
    let (stop, stopped) = watch::channel(false);
    let running = tokio::spawn(fold.run(stopped));
    tokio::time::sleep(Duration::from_millis(100)).await;
    stop.send(true).unwrap();
    running.await.unwrap();
}

fn desk(world: &World) -> Arc<Desk> {
    world.app.risk.clone().unwrap()
}

#[tokio::test]
async fn profiles_follow_the_feed_and_are_warm_after_a_restart() {
    let world = world(parts());
    let (debtor, creditor) = (world.account(100_000).await, world.account(0).await);
    for _ in 0..3 {
        let (_, reply) = pay(&world, debtor, creditor, 100).await;
        assert_eq!(reply.stage, Some(Stage::Cleared));
    }
    folded(Fold::open(world.app.clone(), desk(&world)).await.unwrap()).await;
    let (id, reply) = pay(&world, debtor, creditor, 100).await;
    assert_eq!(reply.stage, Some(Stage::Verifying), "the fourth in an hour");
    let (_, judged) = kept(&world, id).await;
    // What was read online is what a replay of the same events reads offline.
    let mut book = Book::default();
    for number in 0..3u64 {
        let mut event = judged.event.clone();
        event.id = number + 1;
        book.observe(&event);
    }
    assert_eq!(judged.decision.vector, Some(book.vector(&judged.event)));

    // A restart: nothing in memory, the fourth payment not folded yet; folded twice it counts once.
    let mut world = world;
    for starts in 0..2u64 {
        let second = Desk::new(parts());
        let fold = Fold::open(world.app.clone(), Arc::clone(&second)).await;
        world.app.risk = Some(second);
        let (id, _) = pay(&world, debtor, creditor, 1).await;
        let (_, judged) = kept(&world, id).await;
        let vector = judged.decision.vector.unwrap();
        #[allow(clippy::cast_precision_loss)] // Two.
        let wanted = Some(4.0 + starts as f64);
        assert_eq!(vector.get("account_count_1h"), wanted);
        folded(fold.unwrap()).await;
    }
}

/// Payments that are judged in one moment know nothing of each other; the feed does.
#[tokio::test]
async fn a_second_look_that_is_worse_opens_an_exception() {
    let world = world(parts());
    let (debtor, creditor) = (world.account(100_000).await, world.account(0).await);
    let fold = Fold::open(world.app.clone(), desk(&world)).await.unwrap();
    for _ in 0..5 {
        let (_, reply) = pay(&world, debtor, creditor, 10).await;
        assert_eq!(reply.stage, Some(Stage::Cleared));
    }
    folded(fold).await;
    let found = exceptions::list(&world.app, world.tenant, None, 10).await;
    let found = found.unwrap();
    assert_eq!(found.len(), 2, "the fourth and the fifth: {found:?}");
    assert_eq!(found[0].1.kind, exceptions::Kind::SecondLook);
    assert!(found[0].1.reason.contains("fourth within an hour"));
    assert_eq!(desk(&world).tally(world.tenant).worse_later, 2);
}

/// What came before a crash is looked at after it, and what was looked at is not shown again.
#[tokio::test]
async fn payments_between_the_last_fold_and_a_crash_are_looked_at_again() {
    let world = world(parts());
    let (debtor, creditor) = (world.account(100_000).await, world.account(0).await);
    for _ in 0..5 {
        pay(&world, debtor, creditor, 10).await;
    }
    for starts in 0..2 {
        let after = Desk::new(parts());
        let fold = Fold::open(world.app.clone(), Arc::clone(&after))
            .await
            .unwrap();
        let found = exceptions::list(&world.app, world.tenant, None, 10).await;
        assert_eq!(found.unwrap().len(), 2, "the fourth and the fifth");
        assert_eq!(after.tally(world.tenant).worse_later, 2 - 2 * starts);
        folded(fold).await;
    }
}

/// The score that a model elsewhere gave stands; rules and what is known now decide with it.
#[tokio::test]
async fn where_a_model_elsewhere_decides_rules_are_asked_again_and_it_is_not() {
    let model = Arc::new(Counted::default());
    let world = world(Parts {
        elsewhere: Some(model.clone()),
        ..parts()
    });
    let (debtor, creditor) = (world.account(100_000).await, world.account(0).await);
    let fold = Fold::open(world.app.clone(), desk(&world)).await.unwrap();
    for _ in 0..5 {
        pay(&world, debtor, creditor, 10).await;
    }
    folded(fold).await;
    assert_eq!(desk(&world).tally(world.tenant).worse_later, 2);
    assert_eq!(model.0.load(Ordering::Relaxed), 5);
}

/// A model that lets everything through, and counts how often it is asked.
#[derive(Default)]
struct Counted(AtomicU32);

impl Model for Counted {
    fn score<'a>(&'a self, _: &'a Vector) -> BoxFuture<'a, Result<Scored, NoScore>> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Box::pin(async { yes() })
    }
}

#[tokio::test]
async fn a_model_elsewhere_that_declines_says_why() {
    let declines = || {
        Ok(Scored {
            score: 990_000,
            model: "elsewhere:1".into(),
        })
    };
    let world = world(Parts {
        elsewhere: Some(Arc::new(Elsewhere(declines, Duration::ZERO))),
        limit: Duration::from_secs(5),
        ..Parts::default()
    });
    let (debtor, creditor) = (world.account(100_000).await, world.account(0).await);
    let (id, reply) = pay(&world, debtor, creditor, 10).await;
    assert_eq!(reply.stage, Some(Stage::Failed));
    let (_, judged) = kept(&world, id).await;
    let says = "the model elsewhere:1 gives a probability of fraud of 99.00 %";
    assert_eq!(judged.decision.reasons, [says]);
}

/// A model that does what it is told.
struct Elsewhere(fn() -> Result<Scored, NoScore>, Duration);

impl Model for Elsewhere {
    fn score<'a>(&'a self, _: &'a Vector) -> BoxFuture<'a, Result<Scored, NoScore>> {
        Box::pin(async {
            tokio::time::sleep(self.1).await;
            self.0()
        })
    }
}

fn yes() -> Result<Scored, NoScore> {
    Ok(Scored {
        score: 10,
        model: "elsewhere:1".into(),
    })
}

fn nonsense() -> Result<Scored, NoScore> {
    Err(NoScore::Wrong("42".into()))
}

#[tokio::test]
async fn without_a_score_the_configured_fallback_decides_and_says_so() {
    for (answers, after, fallback) in [
        (yes as fn() -> _, Duration::ZERO, None),
        (yes, Duration::from_secs(60), Some(Fallback::TooSlow)),
        (nonsense, Duration::ZERO, Some(Fallback::Unavailable)),
    ] {
        let world = world(Parts {
            elsewhere: Some(Arc::new(Elsewhere(answers, after))),
            limit: Duration::from_millis(20),
            ..Parts::default()
        });
        let (debtor, creditor) = (world.account(100_000).await, world.account(0).await);
        // By default up to 25.00 goes ahead and more is reviewed.
        for (pence, wanted) in [(2_500, Stage::Cleared), (2_501, Stage::Verifying)] {
            let (id, reply) = pay(&world, debtor, creditor, pence).await;
            let wanted = if fallback.is_none() {
                Stage::Cleared
            } else {
                wanted
            };
            assert_eq!(reply.stage, Some(wanted), "{fallback:?} {pence}");
            let (_, judged) = kept(&world, id).await;
            assert_eq!(judged.decision.fallback, fallback);
            let again = replay(&world.app, &desk(&world), &judged).await.unwrap();
            assert_eq!(again.result, Replay::Same, "{fallback:?}");
        }
    }
}

/// A model that never answers, and counts how often it is asked.
#[derive(Default)]
struct Silent(AtomicU32);

impl Model for Silent {
    fn score<'a>(&'a self, _: &'a Vector) -> BoxFuture<'a, Result<Scored, NoScore>> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Box::pin(std::future::pending())
    }
}

#[tokio::test]
async fn a_model_that_fails_is_left_alone_and_asked_again_later() {
    let model = Arc::new(Silent::default());
    let world = world(Parts {
        elsewhere: Some(model.clone()),
        limit: Duration::from_millis(2),
        ..Parts::default()
    });
    let (debtor, creditor) = (world.account(100_000).await, world.account(0).await);
    for number in 0..30 {
        let (id, _) = pay(&world, debtor, creditor, 100).await;
        let fallback = if number < 20 {
            Fallback::TooSlow
        } else {
            Fallback::Unavailable
        };
        let (_, judged) = kept(&world, id).await;
        assert_eq!(judged.decision.fallback, Some(fallback), "{number}");
    }
    assert_eq!(model.0.load(Ordering::Relaxed), 20);
    world.host.advance(31_000);
    pay(&world, debtor, creditor, 100).await;
    pay(&world, debtor, creditor, 100).await;
    assert_eq!(model.0.load(Ordering::Relaxed), 21, "one may try");
}

/// An endpoint that answers each connection with these bytes.
async fn serves(answer: &'static str) -> String {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/score", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut asked = [0; 8192];
            let _ = stream.read(&mut asked).await;
            let length = answer.len();
            let head = format!(
                "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n"
            );
            let _ = stream.write_all(format!("{head}{answer}").as_bytes()).await;
        }
    });
    url
}

/// An endpoint that answers no more than a part.
async fn stalls(part: &'static str) -> String {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/score", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let mut open = Vec::new();
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut asked = [0; 8192];
            let _ = stream.read(&mut asked).await;
            let _ = stream.write_all(part.as_bytes()).await;
            open.push(stream);
        }
    });
    url
}

#[tokio::test]
async fn an_endpoint_is_believed_only_when_it_answers_a_probability() {
    let limit = Duration::from_secs(5);
    let vector = Vector::default();
    let score = async |url: &str| {
        Endpoint::new(url, Some("7".into()), limit)
            .unwrap()
            .score(&vector)
            .await
    };
    let good = serves(r#"{"probability": 0.25, "model": "7"}"#).await;
    let scored = score(&good).await.unwrap();
    assert_eq!(
        (scored.score, scored.model.as_str()),
        (250_000, "elsewhere:7")
    );
    for wrong in [
        r#"{"probability": 0.25, "model": "6"}"#,
        r#"{"probability": 0.25}"#,
        r#"{"probability": 1.5, "model": "7"}"#,
        r#"{"probability": -0.1, "model": "7"}"#,
        r#"{"probability": NaN, "model": "7"}"#,
        r#"{"probability": 1e999, "model": "7"}"#,
        r#"{"probability": null, "model": "7"}"#,
        "<html>",
        "{}",
    ] {
        let refused = score(&serves(wrong).await).await;
        assert!(
            matches!(refused, Err(NoScore::Wrong(_))),
            "{wrong}: {refused:?}"
        );
    }
    // It takes the connection and says nothing, or begins an answer and does not end it.
    for part in ["", "HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{"] {
        let silent = Endpoint::new(&stalls(part).await, None, Duration::from_millis(50)).unwrap();
        let slow = silent.score(&vector).await;
        assert!(matches!(slow, Err(NoScore::Slow)), "{part}: {slow:?}");
    }
    let gone = score("http://127.0.0.1:1/score").await;
    assert!(matches!(gone, Err(NoScore::Gone(_))), "{gone:?}");
}

/// Who is paid is known by hashes alone, and never by the same one to two tenants.
#[tokio::test]
async fn a_decision_names_nobody() {
    let world = world(parts());
    let (debtor, creditor) = (world.account(100_000).await, world.account(0).await);
    let (id, _) = pay(&world, debtor, creditor, 100).await;
    let (kept, judged) = kept(&world, id).await;
    assert!(judged.event.subject(Kind::Payee).is_some());
    for name in [debtor.to_string(), creditor.to_string()] {
        assert!(!kept.decision.get().contains(&name));
    }
}
