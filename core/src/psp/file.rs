//! Reading a provider's file, and refusing one that says too little or contradicts itself.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{
    map::{Broken, Condition, Event, Map, Row, Webhook},
    news::{Certifies, News, Part},
};
use crate::{lifecycle::Status, reason::Retry};

/// The file as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    provider: String,
    title: String,
    source: String,
    read_on: String,
    #[serde(default)]
    versions: Vec<String>,
    webhook: Option<Webhook>,
    #[serde(default)]
    event: Event,
    row: Vec<Written>,
}

/// A row as it is written: several words may share one.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    object: String,
    status: OneOrMore,
    #[serde(default)]
    when: BTreeMap<String, OneOrMore>,
    means: News,
    certifies: Option<Certifies>,
    from: Option<Vec<Status>>,
    #[serde(rename = "final", default)]
    is_final: bool,
    retry: Option<Retry>,
    #[serde(default)]
    hint: String,
    amount: Option<String>,
    part: Option<String>,
}

#[derive(Clone, Deserialize)]
#[serde(untagged)]
enum OneOrMore {
    One(String),
    More(Vec<String>),
}

impl OneOrMore {
    fn all(&self) -> Vec<String> {
        match self {
            Self::One(one) => vec![one.clone()],
            Self::More(more) => more.clone(),
        }
    }
}

pub(super) fn parse(text: &str) -> Result<Map, Broken> {
    let file: File = toml::from_str(text).map_err(|error| Broken(error.to_string()))?;
    let name_ok = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if file.provider.is_empty() || !file.provider.chars().all(name_ok) {
        return Err(Broken(format!(
            "provider = {:?}: lower-case letters, digits and hyphens",
            file.provider
        )));
    }
    let rows: Vec<Row> = file.row.iter().flat_map(rows).collect();
    for (at, row) in rows.iter().enumerate() {
        check(row)?;
        if let Some(twin) = rows[..at].iter().find(|other| same(other, row)) {
            return Err(Broken(format!(
                "row {} {:?} stands twice with the same conditions: {:?} and {:?}",
                row.object, row.status, twin.news, row.news
            )));
        }
    }
    Ok(Map {
        provider: file.provider,
        title: file.title,
        source: file.source,
        read_on: file.read_on,
        versions: file.versions,
        webhook: file.webhook,
        event: file.event,
        rows,
    })
}

fn same(one: &Row, other: &Row) -> bool {
    (&one.object, &one.status, &one.when) == (&other.object, &other.status, &other.when)
}

fn check(row: &Row) -> Result<(), Broken> {
    let broken = |why: &str| {
        Err(Broken(format!(
            "row {} {:?}: {why}",
            row.object, row.status
        )))
    };
    if row.certifies == Certifies::Settlement {
        return broken("a provider cannot certify settlement; reconciliation does");
    }
    if row.certifies > row.news.certifies() {
        return broken("`certifies` says more than what it `means` can carry");
    }
    if row.from.is_empty() {
        return broken("`from` names no status");
    }
    Ok(())
}

fn rows(written: &Written) -> Vec<Row> {
    let when = written.when.iter().map(|(at, is)| Condition {
        at: pointer(at),
        is: is.all(),
    });
    let when: Vec<_> = when.collect();
    let words = written.status.all().into_iter();
    let row = |status| Row {
        object: written.object.clone(),
        status,
        when: when.clone(),
        news: written.means,
        certifies: written.certifies.unwrap_or(written.means.certifies()),
        from: written.from.clone().unwrap_or_else(|| from(written.means)),
        is_final: written.is_final,
        retry: written.retry.unwrap_or(retry(written.means)),
        hint: written.hint.clone(),
        amount: written.amount.clone(),
        part: written.part.clone(),
    };
    words.map(row).collect()
}

/// `data.object.payment_intent` and `/data/object/payment_intent` are the same place.
fn pointer(at: &str) -> String {
    if at.starts_with('/') {
        at.to_owned()
    } else {
        format!("/{}", at.replace('.', "/"))
    }
}

/// Where a payment stands when such news is in its right order, unless the file says otherwise.
fn from(news: News) -> Vec<Status> {
    use Status::{AuthPending, Cleared, Failed, Initiated, Reversed, Settled};
    match (news, news.part()) {
        (News::Captured | News::Authorised | News::Processing, _)
        | (News::ActionNeeded | News::TryFailed, _)
        | (News::Cancelled | News::Expired, _) => vec![Initiated, AuthPending],
        (News::Refused, _) => vec![Initiated, AuthPending, Cleared, Settled],
        (News::CaptureFailed | News::Returned | News::PaidOut, _)
        | (News::RefundPending | News::Refunded | News::RefundedSoFar, _) => vec![Cleared, Settled],
        (_, Part::Refund | Part::Dispute) => vec![Cleared, Settled, Reversed],
        _ => vec![Initiated, AuthPending, Cleared, Settled, Failed, Reversed],
    }
}

/// Whether a machine may try again after such news, unless the file says otherwise: declines never,
/// and nothing is tried again on a suspicion.
const fn retry(news: News) -> Retry {
    match news {
        News::TryFailed | News::CaptureFailed | News::Processing => Retry::AfterEnquiry,
        _ => Retry::Never,
    }
}
