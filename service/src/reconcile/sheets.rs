//! Sheets: what each statement came to, kept by account and day, so that days can be closed across files
//! and a gap between two statements is seen whatever file they came in.

use std::collections::BTreeSet;

use lombard_core::{
    id::digest_text,
    matching::BreakKind,
    statement::{Unit, chain::Link},
    store::{Body, Key, decode},
    tenant::TenantId,
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use time::Date;

use super::{
    breaks::Found,
    close::Sums,
    days::{self, Closed},
    kept::masked,
    read::Statement,
    source::Source,
};
use crate::{
    app::App,
    ports::{CommitError, RANGE_MAX, Range, ReadError},
    records::{self, Then},
};

/// The most lines of one statement that are kept by themselves while they are open.
pub const OPEN_MAX: usize = 1_000;

/// A statement, as it stood when it last came.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Sheet {
    /// Its name among all, as a digest.
    pub name: String,
    /// Its own name.
    pub id: String,
    /// The account, as a digest.
    pub account: String,
    /// The account's last characters.
    pub shown: String,
    /// ISO 4217.
    pub currency: String,
    /// Which day it is about.
    pub day: String,
    /// Where it stands among those of its account.
    pub link: Link,
    /// It is a provider's batch: it begins with nothing, whatever came before.
    pub is_batch: bool,
    /// It contradicts itself, or is of another account than its source's.
    pub quarantined: bool,
    /// What its lines came to.
    pub sums: Sums,
    /// Lines that nothing accounted for; of many the first [`OPEN_MAX`].
    pub open: Vec<OpenLine>,
}

/// A line that nothing accounts for yet.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct OpenLine {
    /// As it is known in every file.
    pub digest: String,
    /// Minor units.
    pub minor: i64,
}

/// An account of a source and one of its days.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The account, as a digest.
    pub account: String,
    /// ISO 4217.
    pub currency: String,
    /// ISO 8601.
    pub day: String,
}

impl Sheet {
    /// What is kept of a statement; nothing of one without a day.
    pub fn of(statement: &Statement, is_batch: bool, quarantined: bool) -> Option<Self> {
        let summary = &statement.summary;
        let last = statement
            .entries
            .iter()
            .filter_map(|it| it.movement.day)
            .max();
        let day: Date = summary.closing_date.or(last)?;
        Some(Self {
            name: statement.name.to_string(),
            id: summary.id.clone(),
            account: account(&summary.account),
            shown: masked(&summary.account),
            currency: summary
                .currency
                .map_or_else(String::new, |it: Unit| it.code().to_owned()),
            day: day.to_string(),
            link: Link::of(summary),
            is_batch,
            quarantined,
            sums: Sums::default(),
            open: Vec::new(),
        })
    }

    /// Where its account and day are.
    pub fn place(&self) -> Place {
        Place {
            account: self.account.clone(),
            currency: self.currency.clone(),
            day: self.day.clone(),
        }
    }

    fn body(&self, tenant: TenantId, source: &str) -> Body {
        let (number, page) = (self.link.number.unwrap_or(0), self.link.page.unwrap_or(0));
        let sort = format!("{}#{number:010}#{page:06}#{}", self.day, self.name);
        let own = format!("{}/{}", self.account, self.currency);
        Body::of(self)
            .listed(Key::new(
                &list(tenant, source),
                &format!("{}#{own}#{sort}", self.day),
            ))
            .listed(Key::new(&of_account(tenant, source, &own), &sort))
    }
}

/// An account as it is told apart without being told.
pub fn account(number: &str) -> String {
    let plain = number.replace([' ', '-'], "").to_uppercase();
    digest_text(&[&plain])[..16].to_owned()
}

fn list(tenant: TenantId, source: &str) -> String {
    format!("{}/sheets/{source}", tenant.short())
}

fn of_account(tenant: TenantId, source: &str, own: &str) -> String {
    format!("{}/sheets/{source}/{own}", tenant.short())
}

/// The sheets of one day, in the order of their accounts.
///
/// # Errors
/// See [`ReadError`].
pub async fn of_day(
    app: &App,
    tenant: TenantId,
    source: &str,
    day: &str,
) -> Result<Vec<Sheet>, ReadError> {
    let list = list(tenant, source);
    let range = Range::listed(&list, RANGE_MAX).after(Some(format!("{day}#")));
    all(app, range.until(format!("{day}#~"))).await
}

/// Reads all that a range has.
async fn all<T: DeserializeOwned>(app: &App, mut range: Range) -> Result<Vec<T>, ReadError> {
    let mut read = Vec::new();
    loop {
        let found = app.store.range(&range).await?;
        let Some(last) = found.last() else {
            return Ok(read);
        };
        range.after = Some(last.at.sort().to_owned());
        read.extend(found.iter().map(|it| decode::<T>(&it.record.body.bytes)));
    }
}

/// Keeps a sheet, in the place of the one that the statement had before. Of a day that is closed nothing
/// changes: what it lacks is told.
///
/// # Errors
/// See [`CommitError`].
pub async fn keep(
    app: &App,
    tenant: TenantId,
    source: &Source,
    sheet: &Sheet,
) -> Result<Option<Closed>, CommitError> {
    let place = sheet.place();
    let closed = days::closed(app, tenant, &source.name, &place).await;
    let closed = closed.map_err(|it| CommitError::Unavailable(std::sync::Arc::new(it)))?;
    if closed.is_some() {
        return Ok(closed);
    }
    let key = Key::new(
        &format!("{}/{}", list(tenant, &source.name), sheet.name),
        "sheet",
    );
    let put = |_: Option<Sheet>| (Then::Put(sheet.body(tenant, &source.name)), ());
    records::change(app, &key, put).await?;
    Ok(None)
}

/// What is missing between a statement and its neighbours, told under the later of each two. `over` gets those
/// after which nothing is.
///
/// # Errors
/// See [`ReadError`].
pub async fn gaps(
    app: &App,
    tenant: TenantId,
    source: &str,
    sheet: &Sheet,
    over: &mut BTreeSet<String>,
) -> Result<Vec<Found>, ReadError> {
    let own = format!("{}/{}", sheet.account, sheet.currency);
    let list = of_account(tenant, source, &own);
    // The one before this day's, this day's, and the one after.
    let day = &sheet.day;
    let before = Range::listed(&list, 1).backwards().after(Some(day.clone()));
    let mut near: Vec<Sheet> = first(app, before).await?;
    let today = Range::listed(&list, RANGE_MAX).after(Some(day.clone()));
    near.extend(all::<Sheet>(app, today.until(format!("{day}#~"))).await?);
    let next = Range::listed(&list, 1).after(Some(format!("{day}#~")));
    near.extend(first::<Sheet>(app, next).await?);
    let mut found = Vec::new();
    for pair in near.windows(2) {
        let [first, second] = pair else { continue };
        if first.name != sheet.name && second.name != sheet.name {
            continue;
        }
        let subject = format!("gap:{}", second.name);
        let gap = first.link.to(&second.link);
        // That one number came twice is told by its lines.
        match gap.filter(|it| !matches!(it, lombard_core::statement::chain::Break::Repeated { .. }))
        {
            None => {
                over.insert(subject);
            }
            Some(gap) => found.push(Found {
                kind: BreakKind::BrokenStatement,
                subject,
                minor: { second.link.opening.zip(first.link.closing) }.map_or(0, |it| it.0 - it.1),
                unit: Unit::read(&second.currency),
                reference: second.id.clone(),
                why: format!(
                    "something is missing between the statements of {} and {} of account {}: {gap}",
                    first.day, second.day, second.shown
                ),
                payments: Vec::new(),
                line: None,
            }),
        }
    }
    Ok(found)
}

async fn first<T: DeserializeOwned>(app: &App, range: Range) -> Result<Vec<T>, ReadError> {
    let found = app.store.range(&range).await?;
    Ok(found
        .iter()
        .map(|it| decode::<T>(&it.record.body.bytes))
        .collect())
}
