//! A day of an account: opening, lines, matched, explained, open, closing, across all files that told of it;
//! and its close, after which nothing is added to it in silence.
//!
//! A line that was open when its statement came and has been accounted for since is `late`: it is among the
//! matched or explained, and shown by itself.

use std::collections::BTreeMap;

use lombard_core::{
    audit::Audit,
    id::Id,
    store::{Body, Key},
    tenant::TenantId,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

use super::{
    close::{Sum, Sums},
    known,
    sheets::{self, Place, Sheet},
    source::Source,
};
use crate::{
    app::App,
    ports::{CommitError, ReadError},
    records::{self, Then},
};

/// What a day came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Day {
    /// Whose statements.
    pub source: String,
    /// The account, as a digest.
    pub account_id: String,
    /// The account's last characters.
    pub account: String,
    /// ISO 4217.
    pub currency: String,
    /// ISO 8601.
    pub day: String,
    /// The statements that told of it, by their own names.
    pub statements: Vec<String>,
    /// Before its lines, in minor units.
    pub opening: Option<i64>,
    /// After them.
    pub closing: Option<i64>,
    /// Its lines.
    pub sums: Sums,
    /// Of the matched and explained, those that were open when their statement came.
    pub late: Sum,
    /// Why it does not add up.
    pub why: Option<String>,
}

/// A day that is closed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closed {
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub by: String,
    /// What it came to then.
    pub day: Day,
}

/// Why a day is not closed.
#[derive(Debug, thiserror::Error)]
pub enum NotClosed {
    /// No statement told of it.
    #[error("no statement of this account and day came")]
    Nothing,
    /// It does not add up.
    #[error("{0}")]
    Wrong(String),
    /// The store does not answer.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The store takes no writes.
    #[error(transparent)]
    Commit(#[from] CommitError),
}

/// The close of a day, if it is closed.
///
/// # Errors
/// See [`ReadError`].
pub async fn closed(
    app: &App,
    tenant: TenantId,
    source: &str,
    place: &Place,
) -> Result<Option<Closed>, ReadError> {
    app.value(&key(tenant, source, place)).await
}

fn key(tenant: TenantId, source: &str, place: &Place) -> Key {
    let Place {
        account,
        currency,
        day,
    } = place;
    let partition = format!(
        "{}/days/{source}/{account}/{currency}/{day}",
        tenant.short()
    );
    Key::new(&partition, "close")
}

/// The accounts of a source on a day, each with what it came to by now and its close.
///
/// # Errors
/// See [`ReadError`].
pub async fn look(
    app: &App,
    tenant: TenantId,
    source: &str,
    day: &str,
) -> Result<Vec<(Day, Option<Closed>)>, ReadError> {
    let mut accounts: BTreeMap<Place, Vec<Sheet>> = BTreeMap::new();
    for sheet in sheets::of_day(app, tenant, source, day).await? {
        accounts.entry(sheet.place()).or_default().push(sheet);
    }
    let mut days = Vec::new();
    for (place, sheets) in accounts {
        let day = add_up(app, tenant, source, &place, &sheets).await?;
        days.push((day, closed(app, tenant, source, &place).await?));
    }
    Ok(days)
}

async fn add_up(
    app: &App,
    tenant: TenantId,
    source: &str,
    place: &Place,
    sheets: &[Sheet],
) -> Result<Day, ReadError> {
    let mut day = Day {
        source: source.to_owned(),
        account_id: place.account.clone(),
        account: sheets
            .first()
            .map_or_else(String::new, |it| it.shown.clone()),
        currency: place.currency.clone(),
        day: place.day.clone(),
        statements: sheets.iter().map(|it| it.id.clone()).collect(),
        opening: None,
        closing: None,
        sums: Sums::default(),
        late: Sum::default(),
        why: None,
    };
    let own = Source {
        name: source.to_owned(),
        ..Source::default()
    };
    for sheet in sheets {
        day.sums.add(&sheet.sums);
        let digests: Vec<&str> = sheet.open.iter().map(|it| it.digest.as_str()).collect();
        let records = known::look(app, tenant, &own, &digests).await?;
        for (line, record) in sheet.open.iter().zip(records) {
            if let Some(record) = record {
                let sums = &mut day.sums;
                sums.open.take(line.minor);
                if record.is_of_payments() {
                    sums.matched.put(line.minor);
                } else {
                    sums.explained.put(line.minor);
                }
                day.late.put(line.minor);
            }
        }
    }
    (day.opening, day.closing) = ends(sheets);
    day.why = wrong(sheets, &day);
    Ok(day)
}

/// Where a day begins and ends. Batches of a provider stand beside each other, statements follow each other.
fn ends(sheets: &[Sheet]) -> (Option<i64>, Option<i64>) {
    if sheets.iter().any(|it| it.is_batch) {
        let paid = |it: &Sheet| Some(it.link.closing.unwrap_or(it.sums.total()));
        return (Some(0), sheets.iter().map(paid).sum());
    }
    let opening = sheets.first().and_then(|it| it.link.opening);
    (opening, sheets.last().and_then(|it| it.link.closing))
}

fn wrong(sheets: &[Sheet], day: &Day) -> Option<String> {
    if let Some(it) = sheets.iter().find(|it| it.quarantined) {
        return Some(format!("statement {} is quarantined", it.id));
    }
    let statements = sheets.windows(2).filter(|it| !it[0].is_batch);
    if let Some(gap) = statements
        .filter_map(|it| it[0].link.to(&it[1].link))
        .next()
    {
        return Some(gap.to_string());
    }
    let (Some(opening), Some(closing)) = (day.opening, day.closing) else {
        return Some("its statements do not say where it begins and ends".to_owned());
    };
    let off = closing - opening - day.sums.total();
    (off != 0).then(|| format!("closing is {off} minor units off opening and lines"))
}

/// Closes a day that adds up. One that is closed stays as it is.
///
/// # Errors
/// See [`NotClosed`].
pub async fn close(
    app: &App,
    tenant: TenantId,
    source: &str,
    place: &Place,
    by: &str,
) -> Result<Closed, NotClosed> {
    if let Some(closed) = closed(app, tenant, source, place).await? {
        return Ok(closed);
    }
    let days = look(app, tenant, source, &place.day).await?;
    let own = |it: &Day| it.account_id == place.account && it.currency == place.currency;
    let day = days.into_iter().map(|it| it.0).find(own);
    let day = day.ok_or(NotClosed::Nothing)?;
    if let Some(why) = day.why {
        return Err(NotClosed::Wrong(why));
    }
    let at = app.host.now();
    let closing = Closed {
        at,
        by: by.to_owned(),
        day,
    };
    let id: Id<Audit> = Id::new(at, app.host.random());
    let mut note = Audit::new(id, tenant, at, by, "day_closed");
    note.why = Some(format!("{source} {} {}", place.account, place.day));
    let key = key(tenant, source, place);
    let decide = |there: Option<Closed>| match there {
        Some(there) => (Then::Keep, there),
        None => (Then::Put(Body::of(&closing)), closing.clone()),
    };
    Ok(records::change_noted(app, &key, Some(&note), decide).await?)
}
