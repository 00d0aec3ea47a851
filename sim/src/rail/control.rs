//! The control API: what tests and demonstrations set, send and see. It has no key of its own,
//! because a simulator has nothing to protect; it is not for a network that others can reach.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Json, Router,
    extract::{Path, Query, State},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{get, post, put},
};
use lombard_core::{money::Amount, rail::Rail};
use serde::{Deserialize, Serialize};

use super::{
    behaviour::{Behaviour, Recall},
    books::{Counts, Entry, Taken, place},
    desk::problem,
    state::{Letter, Outage, Shared},
    voice,
};

mod origin;

/// The rails that are simulated.
const RAILS: [Rail; 2] = [Rail::Fps, Rail::SepaInst];
/// Payments and deliveries that a list shows unless it is asked for more.
const LISTED: usize = 100;

/// The routes.
pub fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/control", get(overview))
        .route("/control/reset", post(reset))
        .route("/control/lombard", put(lombard))
        .route("/control/clock", post(clock))
        .route("/control/behaviours", post(set).delete(clear))
        .route("/control/outage", put(outage))
        .route("/control/payments", get(payments))
        .route("/control/payments/{reference}", get(payment))
        .route("/control/payments/{reference}/recall", post(recall_again))
        .route("/control/deliveries", get(deliveries))
        .route("/control/returns", post(give_back))
        .route("/control/messages", post(raw))
        .route("/control/inbound", post(origin::inbound))
        .route("/control/recalls", post(origin::recall))
        .with_state(shared)
}

#[derive(Serialize)]
struct Overview {
    seed: u64,
    lombard_url: String,
    rails: BTreeMap<Rail, OneRail>,
}

#[derive(Serialize)]
struct OneRail {
    outage: Outage,
    #[serde(flatten)]
    counts: Counts,
}

async fn overview(State(shared): State<Arc<Shared>>) -> Json<Overview> {
    let rules = shared.rules.lock();
    let mut books = shared.books.lock();
    let one = |rail: Rail, books: &mut super::books::Books| OneRail {
        outage: rules.outage.get(&rail).copied().unwrap_or(Outage::None),
        counts: books.counts(rail).clone(),
    };
    Json(Overview {
        seed: rules.seed,
        lombard_url: rules
            .lombard_url
            .clone()
            .unwrap_or_else(|| shared.config.lombard_url.clone()),
        rails: RAILS
            .into_iter()
            .map(|rail| (rail, one(rail, &mut books)))
            .collect(),
    })
}

#[derive(Deserialize, Default)]
#[serde(default, deny_unknown_fields)]
struct Reset {
    seed: Option<u64>,
}

async fn reset(State(shared): State<Arc<Shared>>, Json(wish): Json<Reset>) -> StatusCode {
    shared.reset(wish.seed);
    StatusCode::NO_CONTENT
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Lombard {
    url: String,
}

async fn lombard(State(shared): State<Arc<Shared>>, Json(wish): Json<Lombard>) -> StatusCode {
    shared.rules.lock().lombard_url = Some(wish.url);
    StatusCode::NO_CONTENT
}

/// How far a clock is put ahead.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Ahead {
    /// By how many seconds more; a year at the most.
    ahead_seconds: u32,
}

/// The most seconds by which a clock is put ahead at once.
const AHEAD_SECONDS_MAX: u32 = 366 * 24 * 60 * 60;

/// Lets time pass for the Lombard in this process. It does not come back before the process ends.
async fn clock(State(shared): State<Arc<Shared>>, Json(wish): Json<Ahead>) -> Response {
    let Some(clock) = &shared.config.clock else {
        let text = "this simulator is in no process with Lombard, whose clock it could put ahead";
        return problem(StatusCode::CONFLICT, "no_clock", text);
    };
    if wish.ahead_seconds > AHEAD_SECONDS_MAX {
        let text = "a clock is put ahead by a year at the most";
        return problem(StatusCode::BAD_REQUEST, "too_far", text);
    }
    clock.put_ahead(u64::from(wish.ahead_seconds) * 1000);
    StatusCode::NO_CONTENT.into_response()
}

/// For whom a behaviour is: an end-to-end id, the next payments of a rail, or all of them.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Set {
    #[serde(default)]
    rail: Option<Rail>,
    #[serde(default)]
    end_to_end_id: Option<String>,
    /// For how many payments; all if it is not said.
    #[serde(default)]
    times: Option<u32>,
    behaviour: Behaviour,
}

async fn set(State(shared): State<Arc<Shared>>, Json(wish): Json<Set>) -> StatusCode {
    let mut rules = shared.rules.lock();
    if let Some(id) = wish.end_to_end_id {
        rules.by_end_to_end.insert(id, (wish.behaviour, wish.times));
        return StatusCode::NO_CONTENT;
    }
    for rail in RAILS {
        if wish.rail.is_some_and(|wanted| wanted != rail) {
            continue;
        }
        match wish.times {
            None => {
                rules.all.insert(rail, wish.behaviour.clone());
            }
            Some(times) => {
                let next = rules.next.entry(rail).or_default();
                next.extend((0..times.min(10_000)).map(|_| wish.behaviour.clone()));
            }
        }
    }
    StatusCode::NO_CONTENT
}

async fn clear(State(shared): State<Arc<Shared>>) -> StatusCode {
    let mut rules = shared.rules.lock();
    rules.by_end_to_end.clear();
    rules.next.clear();
    rules.all.clear();
    StatusCode::NO_CONTENT
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SetOutage {
    #[serde(default)]
    rail: Option<Rail>,
    mode: Outage,
}

async fn outage(State(shared): State<Arc<Shared>>, Json(wish): Json<SetOutage>) -> StatusCode {
    let mut rules = shared.rules.lock();
    for rail in RAILS {
        if wish.rail.is_none_or(|wanted| wanted == rail) {
            rules.outage.insert(rail, wish.mode);
        }
    }
    StatusCode::NO_CONTENT
}

/// A payment as it is shown.
#[derive(Serialize)]
struct Shown {
    rail: Rail,
    reference: String,
    message: &'static str,
    end_to_end_id: String,
    amount: Amount,
    currency: &'static str,
    standing: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<String>,
    /// How often it was submitted. It was paid once, if it was paid.
    submissions: u16,
    enquiries: u16,
    returned: u64,
}

fn shown((taken, entry): (&Taken, &Entry)) -> Shown {
    Shown {
        rail: taken.rail,
        reference: taken.reference.clone(),
        message: taken.kind,
        end_to_end_id: taken.names.end_to_end_id.clone(),
        amount: taken.money.amount,
        currency: taken.money.currency.code(),
        standing: entry.standing.name(),
        code: entry.standing.code(),
        submissions: entry.submissions,
        enquiries: entry.enquiries,
        returned: taken.returned,
    }
}

#[derive(Deserialize)]
struct Listing {
    #[serde(default)]
    limit: Option<usize>,
    #[serde(default)]
    rail: Option<Rail>,
    #[serde(default)]
    end_to_end_id: Option<String>,
}

async fn payments(
    State(shared): State<Arc<Shared>>,
    Query(listing): Query<Listing>,
) -> Json<Vec<Shown>> {
    let books = shared.books.lock();
    let wanted = |(taken, _): &(&Taken, &Entry)| {
        let id = listing.end_to_end_id.as_ref();
        listing.rail.is_none_or(|rail| rail == taken.rail)
            && id.is_none_or(|id| *id == taken.names.end_to_end_id)
    };
    let limit = listing.limit.unwrap_or(LISTED);
    let found = books.latest(usize::MAX).filter(wanted).take(limit);
    Json(found.map(shown).collect())
}

async fn payment(State(shared): State<Arc<Shared>>, Path(reference): Path<String>) -> Response {
    let mut books = shared.books.lock();
    for rail in RAILS {
        let place = place(rail, &reference);
        let entry = books.entry(place).copied();
        if let (Some(entry), Some(taken)) = (entry, books.taken(place)) {
            return Json(shown((taken, &entry))).into_response();
        }
    }
    unknown()
}

/// How recalls of a payment are treated from now on.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Recalls {
    recall: Recall,
}

async fn recall_again(
    State(shared): State<Arc<Shared>>,
    Path(reference): Path<String>,
    Json(wish): Json<Recalls>,
) -> Response {
    let mut books = shared.books.lock();
    for rail in RAILS {
        if let Some(taken) = books.taken(place(rail, &reference)) {
            Arc::make_mut(&mut taken.behaviour).recall = wish.recall;
            return StatusCode::NO_CONTENT.into_response();
        }
    }
    unknown()
}

fn unknown() -> Response {
    let text = "no such payment, or too long ago";
    problem(StatusCode::NOT_FOUND, "payment_unknown", text)
}

async fn deliveries(State(shared): State<Arc<Shared>>, Query(listing): Query<Listing>) -> Response {
    let deliveries = shared.deliveries.lock();
    let limit = listing.limit.unwrap_or(LISTED);
    let latest: Vec<_> = deliveries.iter().rev().take(limit).cloned().collect();
    Json(latest).into_response()
}

/// A return of a payment that was seen.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GiveBack {
    /// The payment's `TxId`, or
    #[serde(default)]
    reference: Option<String>,
    /// its end-to-end id.
    #[serde(default)]
    end_to_end_id: Option<String>,
    /// Minor units; all if it is not said.
    #[serde(default)]
    amount: Option<Amount>,
    #[serde(default = "closed")]
    code: String,
    #[serde(default)]
    after_ms: u64,
}

fn closed() -> String {
    "AC04".to_owned()
}

async fn give_back(State(shared): State<Arc<Shared>>, Json(wish): Json<GiveBack>) -> Response {
    let taken = {
        let books = shared.books.lock();
        let wanted = |(taken, _): &(&Taken, &Entry)| {
            let names = &taken.names;
            wish.reference
                .as_ref()
                .is_some_and(|id| *id == taken.reference)
                || wish
                    .end_to_end_id
                    .as_ref()
                    .is_some_and(|id| *id == names.end_to_end_id)
        };
        books
            .latest(usize::MAX)
            .find(wanted)
            .map(|(taken, _)| taken.clone())
    };
    let Some(taken) = taken else {
        return unknown();
    };
    let minor = wish.amount.unwrap_or(taken.money.amount).minor();
    match voice::give_back(&shared, &taken, minor, &wish.code, wish.after_ms) {
        Ok(()) => StatusCode::ACCEPTED.into_response(),
        Err(refusal) => unwritable(&refusal),
    }
}

fn unwritable(refusal: &lombard_core::iso20022::Refusal) -> Response {
    let status = StatusCode::UNPROCESSABLE_ENTITY;
    problem(status, "message_invalid", &refusal.to_string())
}

/// Any text, signed and sent as it is.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    rail: Rail,
    xml: String,
}

async fn raw(State(shared): State<Arc<Shared>>, Json(wish): Json<Raw>) -> Response {
    let letter = Letter {
        rail: wish.rail,
        message: "raw",
        message_id: shared.message_id(),
        xml: wish.xml,
    };
    Json(shared.send(letter).await).into_response()
}
