//! Labels that nobody need tell, because what happened to a payment says what it was: an analyst
//! refused it as fraud, or its payer disputes the charge.
//!
//! **Repeated.** Whoever folds the feed looks at each commit before it moves on, so after a crash at
//! some twice: a label that is known is not told again.

use std::sync::Arc;

use lombard_core::{
    audit::{self, Audit},
    event::{Beside, Event, News},
    lifecycle::{Happened, Stage},
    plan::keys,
    reason::Reason,
    risk::{Action, Kept},
    store::{Commit, Snapshot, decode},
};

use super::{
    Judged,
    label::{self, Label, Source, Told},
    portfolio::Joining,
};
use crate::{
    app::App,
    ports::{Cause, CommitError, ReadError},
};

/// How often a label is written again because somebody else told of the same payment.
const TRIES_MAX: u32 = 5;

/// Labels the payments of which a commit says that they were fraud.
///
/// # Errors
/// When the store cannot be read or written; to be tried again.
pub async fn label(app: &App, commit: &Commit) -> Result<(), Cause> {
    for change in commit.changes.iter() {
        let Some(record) = &change.record else {
            continue;
        };
        if !change.key.sort().starts_with("e#") {
            continue;
        }
        let event: Event = decode(&record.body.bytes);
        let Some(source) = source(&event) else {
            continue;
        };
        let decision = keys::decision_beside(change.key.partition());
        let kept: Option<Kept> = app.value(&decision).await.map_err(unread)?;
        // A payment that was not judged teaches nobody.
        let Some(kept) = kept else { continue };
        if source == Source::Analyst && !by_analyst(&event, &kept, commit) {
            continue;
        }
        if let Ok(judged) = serde_json::from_str::<Judged>(kept.decision.get()) {
            let label = Label::new(&judged, true, source, event.at, &event.actor);
            tell(app, &judged, label).await?;
        }
    }
    Ok(())
}

/// Who says by an event that its payment was fraud.
fn source(event: &Event) -> Option<Source> {
    match event.news {
        News::Beside(Beside::DisputeOpened) => Some(Source::Chargeback),
        News::Step(_) if event.stage == Stage::Reversed && event.moved => {
            (event.reason == Some(Reason::Disputed)).then_some(Source::Chargeback)
        }
        News::Step(Happened::Refused) if event.before == Some(Stage::Verifying) => {
            Some(Source::Analyst)
        }
        _ => None,
    }
}

/// Whether a refusal is that of somebody who looked because of risk: he says that it is fraud, or
/// gives no other reason for what risk had him look at. A payer who fails to authenticate is no analyst.
fn by_analyst(event: &Event, kept: &Kept, commit: &Commit) -> bool {
    let denied = commit.changes.iter().any(|change| {
        let deed = change.key.sort() == audit::SORT;
        let record = change.record.as_ref().filter(|_| deed);
        record.is_some_and(|it| decode::<Audit>(&it.body.bytes).what == "payment.deny")
    });
    let says = match event.reason {
        Some(Reason::FraudSuspected) => true,
        Some(Reason::VerificationFailed) => kept.action == Action::Review,
        _ => false,
    };
    denied && says
}

fn unread(error: ReadError) -> Cause {
    Arc::new(error)
}

async fn tell(app: &App, judged: &Judged, label: Label) -> Result<(), Cause> {
    let place = label::key(judged.tenant, judged.payment);
    let joining = Joining::of(app, judged.tenant, judged.payment).await;
    let joining = joining.map_err(unread)?;
    let mut wanted = vec![place.clone()];
    wanted.extend(joining.iter().flat_map(Joining::keys));
    let mut last: Option<CommitError> = None;
    for _ in 0..TRIES_MAX {
        let found = app.store.get(&wanted).await.map_err(unread)?;
        let mut read = Snapshot::default();
        for (key, record) in wanted.iter().zip(found) {
            read.put(key.clone(), record);
        }
        let Told::News(news) = label.clone().after(read.value(&place)) else {
            return Ok(());
        };
        let mut writes = read.checks();
        news.write(&mut writes, judged);
        if let Some(joining) = &joining {
            joining.write(&read, &mut writes, &news, app.host.now());
        }
        match app.store.commit(&writes).await {
            Ok(()) => return Ok(()),
            Err(error) => last = Some(error),
        }
    }
    match last {
        Some(error) => Err(Arc::new(error)),
        None => Ok(()),
    }
}
