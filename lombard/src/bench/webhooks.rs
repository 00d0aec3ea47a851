//! `lombard bench --webhooks`: how many events of a provider a second are verified, deduplicated, mapped,
//! committed and answered.
//!
//! Charges are made at the simulated provider, and authorised. Then each is told to have been captured, by an
//! event of Stripe's shape and size that is signed as Stripe signs: so every event moves a payment and
//! posts a journal. The same events once more must change nothing, and are measured, too.

use std::{ffi::OsStr, fmt::Write, sync::Arc, time::UNIX_EPOCH};

use futures_util::{StreamExt, TryStreamExt, stream};
use ring::hmac;
use serde::Serialize;
use serde_json::json;
use tokio::time::{Duration, Instant, sleep};

use super::{
    Bench, Target,
    books::{Books, id_of},
    bulk::PAUSE,
    figures::Figures,
    load::Requests,
    one, process,
    setup::{self, Prepared},
};
use crate::{
    client::Remote,
    exit::{Exit, Failure, Outcome, failure},
    say,
};

/// Charges, when it is not said how many. More than the events of a run, so that each moves one.
const CHARGES: u64 = 40_000;
/// Charges that are made at once.
const AT_ONCE: usize = 64;
/// How long the provider may take with one.
const PATIENCE: Duration = Duration::from_secs(60);
/// Minor units of each.
const AMOUNT: u64 = 1_250;
/// What the events are signed with. The simulator has a key of its own, so this is the one before.
const SECRET: &str = "whsec_of_the_bench";
/// What is sent, with its places.
const EVENT: &str = include_str!("webhooks/event.json");

/// What is told.
#[derive(Debug, Serialize)]
struct Report {
    /// Each event for the first time.
    fresh: Deliveries,
    /// The same events once more.
    again: Deliveries,
    charges: u64,
    /// Bytes of the body of an event.
    event_bytes: usize,
    /// Charges that are captured afterwards.
    captured: u64,
    connections: usize,
    seconds: u64,
    durable: bool,
    /// Whether as many charges are captured as events were accepted, and the ledger has their sum.
    accepted_is_stored: bool,
    /// Whether the second run changed no sum of the ledger.
    again_the_same: bool,
    balanced: bool,
}

/// One run.
#[derive(Debug, Serialize)]
struct Deliveries {
    deliveries_per_second: f64,
    p50_ms: f64,
    p99_ms: f64,
    p999_ms: f64,
    max_ms: f64,
    accepted: u64,
    /// Answers that were no 2xx, and calls without an answer.
    refused: u64,
    server_cpu_us: Option<f64>,
}

impl From<Figures> for Deliveries {
    fn from(of: Figures) -> Self {
        Self {
            deliveries_per_second: of.payments_per_second,
            p50_ms: of.p50_ms,
            p99_ms: of.p99_ms,
            p999_ms: of.p999_ms,
            max_ms: of.max_ms,
            accepted: of.accepted,
            refused: of.refused.values().sum::<u64>() + of.unknown,
            server_cpu_us: of.server_cpu_us,
        }
    }
}

/// Measures and tells. The exit code is [`Exit::No`] when an event was lost or counted twice.
pub async fn run(args: &Bench, as_json: bool) -> Outcome {
    let settings = [
        ("LOMBARD_PSP_SIMULATOR", OsStr::new("true")),
        ("LOMBARD_PSP_STRIPE_PREVIOUS_SECRET", OsStr::new(SECRET)),
    ];
    let target = Target::own(args, &settings)?;
    let prepared = setup::prepare(args, &target.remote, &target.url, &target.key).await?;
    let count = args.rows.unwrap_or(CHARGES);
    let bar = say::progress(Some(count), "charging cards");
    let charges: Vec<Charge> = stream::iter(0..count)
        .map(|n| {
            let made = charge(&target.remote, &prepared, n);
            let bar = bar.clone();
            async move { made.await.inspect(|_| bar.inc(1)) }
        })
        .buffered(AT_ONCE)
        .try_collect()
        .await?;
    bar.finish_and_clear();
    let before = Books::settle(&target.remote, prepared.currency).await?;
    let events = Events::new(&prepared, charges);
    let server = target.process.as_ref().map(process::Process::id);
    let fresh = one(prepared.load_of(args, events.clone()), server).await?;
    let (captured, after) = told(&target.remote, &prepared, &events).await?;
    let again = one(prepared.load_of(args, events.clone()), server).await?;
    let expected = fresh.accepted.min(count);
    // The second run may come further than the first, to charges that no event was about.
    let reached = fresh.accepted.max(again.accepted).min(count);
    let (captured_again, last) = told(&target.remote, &prepared, &events).await?;
    let unknown = fresh.unknown + again.unknown;
    let sum_of = |books: Books| books.debits - before.debits;
    let report = Report {
        charges: count,
        event_bytes: events.body_bytes(),
        captured,
        connections: args.connections,
        seconds: args.seconds,
        durable: target.durable,
        accepted_is_stored: (expected..=expected + unknown).contains(&captured)
            && sum_of(after) == captured * AMOUNT,
        again_the_same: (reached..=reached + unknown).contains(&captured_again)
            && sum_of(last) == captured_again * AMOUNT,
        balanced: last.balanced(),
        fresh: fresh.into(),
        again: again.into(),
    };
    if as_json {
        say::json(&report);
    } else {
        report.tell();
    }
    let sound = report.accepted_is_stored && report.again_the_same && report.balanced;
    Ok(if sound { Exit::Done } else { Exit::No })
}

/// How many of the charges are captured, and what the ledger says.
async fn told(
    remote: &Remote,
    prepared: &Prepared,
    events: &Events,
) -> Result<(u64, Books), Failure> {
    let all = events.charges.iter();
    let cleared: u64 = stream::iter(all)
        .map(|it| async move {
            let found = remote.get(&format!("/v1/charges/{}", it.id)).await?;
            Ok::<u64, Failure>((found["status"] == "CLEARED").into())
        })
        .buffered(AT_ONCE)
        .try_fold(0, |sum, one| async move { Ok(sum + one) })
        .await?;
    Ok((cleared, Books::settle(remote, prepared.currency).await?))
}

/// A charge that is authorised.
#[derive(Debug)]
struct Charge {
    id: String,
    /// The provider's name for it.
    reference: String,
}

async fn charge(remote: &Remote, prepared: &Prepared, n: u64) -> Result<Charge, Failure> {
    let body = json!({
        "amount": AMOUNT, "currency": prepared.currency, "capture": "manual", "provider": "stripe",
        "account": prepared.creditors[n as usize % prepared.creditors.len()],
        "card": {"provider_token": "pm_card_visa"},
    });
    let key = format!("bench {:016x} charge {n}", prepared.seed);
    let id = id_of(&remote.post("/v1/charges", &key, &body).await?)?;
    let until = Instant::now() + PATIENCE;
    loop {
        let found = remote.get(&format!("/v1/charges/{id}")).await?;
        if let Some(reference) = found["rail_reference"].as_str()
            && found["charge"]["authorised"] == true
        {
            let reference = reference.to_owned();
            return Ok(Charge { id, reference });
        }
        if Instant::now() > until {
            let what = format!("the charge {id} is still {}", found["status"]);
            return Err(failure(Exit::Internal, what));
        }
        sleep(PAUSE).await;
    }
}

/// Events that charges were captured, each signed in the moment in which it is sent.
#[derive(Clone)]
struct Events {
    charges: Arc<[Charge]>,
    key: hmac::Key,
    host: String,
    currency: String,
    seed: u64,
    request: Vec<u8>,
}

impl Requests for Events {
    fn fill(&mut self, n: u64) -> &[u8] {
        let charge = &self.charges[n as usize % self.charges.len()];
        let now = UNIX_EPOCH.elapsed().map_or(0, |it| it.as_secs());
        let body = self.event(n, charge, now);
        let mac = hmac::sign(&self.key, format!("{now}.{body}").as_bytes());
        let mut request = format!(
            "POST /v1/psp/stripe/webhooks HTTP/1.1\r\nhost: {}\r\ncontent-type: application/json\r\n\
             content-length: {}\r\nstripe-signature: t={now},v1=",
            self.host,
            body.len()
        );
        for byte in mac.as_ref() {
            // Writing to a text cannot fail.
            let _ = write!(request, "{byte:02x}");
        }
        request.push_str("\r\n\r\n");
        request.push_str(&body);
        self.request = request.into_bytes();
        &self.request
    }
}

impl Events {
    fn new(prepared: &Prepared, charges: Vec<Charge>) -> Self {
        Self {
            charges: charges.into(),
            key: hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes()),
            host: prepared.host.clone(),
            currency: prepared.currency.to_ascii_lowercase(),
            seed: prepared.seed,
            request: Vec::new(),
        }
    }

    fn body_bytes(&self) -> usize {
        self.event(0, &self.charges[0], 1_700_000_000).len()
    }

    /// An event with all the members that such a one has, filled or not: they are what is parsed.
    fn event(&self, n: u64, charge: &Charge, now: u64) -> String {
        EVENT
            .replace("$EVENT", &format!("{:016x}{n:08}", self.seed))
            .replace("$NOW", &now.to_string())
            .replace("$INTENT", &charge.reference)
            .replace("$CHARGE", &charge.id)
            .replace("$AMOUNT", &AMOUNT.to_string())
            .replace("$CURRENCY", &self.currency)
    }
}

impl Report {
    fn tell(&self) {
        for (name, run) in [("fresh", &self.fresh), ("again", &self.again)] {
            say::line(&format!(
                "{name}: {:.0} events/s; half took {} ms, 99 % {} ms, the slowest {} ms",
                run.deliveries_per_second, run.p50_ms, run.p99_ms, run.max_ms
            ));
        }
        say::line(&format!(
            "{} of {} charges captured; all stored: {}; the second run the same: {}; balanced: {}",
            self.captured,
            self.charges,
            self.accepted_is_stored,
            self.again_the_same,
            self.balanced
        ));
    }
}
