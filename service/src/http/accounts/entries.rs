//! The entries of an account, and where it stood at a moment.

use axum::{extract::State, response::Response};
use lombard_core::{
    ledger::{Account, Balance, Entry, Sums},
    plan::keys,
    store::{Key, decode},
    tenant::TenantId,
    time::Timestamp,
};
use utoipa::ToSchema;

use crate::{
    http::{
        Api, Call, Cursor, Page, Paging, Problem,
        call::PathOf,
        input::AccountRef,
        query::Query,
        reply::shown,
        wire::{EntryView, scalar},
    },
    ports::Range,
};

use super::list::find;

/// Entries of an account.
#[derive(ToSchema)]
#[allow(dead_code)] // Only described.
struct EntryPage {
    data: Vec<EntryView>,
    /// Whether there may be more after them.
    has_more: bool,
    /// Where to go on.
    #[schema(nullable = false, max_length = 100)]
    next_cursor: Option<String>,
}

/// List the entries of an account
///
/// Newest first, or oldest first with `order=oldest`.
#[utoipa::path(get, path = "/v1/accounts/{id}/entries", tag = "accounts",
    params(
        ("id" = inline(scalar::AccountRef), Path, description = "The account."),
        ("limit" = inline(Option<u32>), Query, description = "How many at the most; 25 when absent.", minimum = 1, maximum = 100),
        ("cursor" = inline(Option<u64>), Query, description = "`next_cursor` of the page before.", minimum = 1, maximum = 999_999_999_999_u64),
        ("order" = inline(Option<String>), Query, description = "`newest` (the default) or `oldest` first.", pattern = "^(newest|oldest)$"),
    ),
    responses((status = 200, description = "A page.", body = EntryPage)))]
pub async fn entries(
    State(api): State<Api>,
    call: Call,
    PathOf(account): PathOf<AccountRef>,
    mut query: Query,
) -> Result<Response, Problem> {
    let paging = Paging::<EntryNumber>::of(&mut query)?;
    let oldest_first = query.take_with("order", |text| match text {
        "newest" => Ok(false),
        "oldest" => Ok(true),
        _ => Err("expected `newest` or `oldest`".to_owned()),
    })?;
    query.finish()?;
    let id = account.resolve(call.tenant());
    find(&api, &call, id).await?;
    let partition = keys::account_partition(call.tenant(), id);
    let range = range(&partition, &paging, oldest_first.unwrap_or(false));
    let found = api.app().store.range(&range).await?;
    let mut entries: Vec<Entry> = found
        .iter()
        .filter(|item| item.at.sort().starts_with("n#"))
        .map(|item| decode(&item.record.body.bytes))
        .collect();
    let more = entries.len() > paging.limit;
    entries.truncate(paging.limit);
    let next = entries.last().filter(|_| more).map(|entry| entry.number);
    let data: Vec<_> = entries.iter().map(EntryView::of).collect();
    Ok(shown(&Page::new(data, next)))
}

/// One more entry than is wanted, which says whether there is more. Entries sort between `n#`
/// and `n~`, apart from the account's other records.
fn range(partition: &str, paging: &Paging<EntryNumber>, oldest_first: bool) -> Range {
    let (first, last) = ("n#".to_owned(), "n~".to_owned());
    let cursor = paging
        .cursor
        .map(|Cursor(EntryNumber(number))| keys::entry_sort(number));
    let range = Range::of(partition, paging.limit + 1);
    if oldest_first {
        range.after(cursor.or(Some(first))).until(last)
    } else {
        range.backwards().after(cursor.or(Some(last))).until(first)
    }
}

/// A number that an entry can have.
#[derive(Clone, Copy, Debug)]
struct EntryNumber(u64);

impl std::str::FromStr for EntryNumber {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text.parse() {
            Ok(number @ 1..=999_999_999_999) => Ok(Self(number)),
            _ => Err(()),
        }
    }
}

/// The balance after the last entry that was made at `at` or before: found by halving, because
/// entries are numbered without gaps and in the order of time.
pub async fn balance_as_of(
    api: &Api,
    tenant: TenantId,
    account: &Account,
    now: Balance,
    at: Timestamp,
) -> Result<Balance, Problem> {
    let partition = keys::account_partition(tenant, account.id);
    let mut as_of = Balance {
        entries: 0,
        at: account.created_at,
        sums: Sums::default(),
        ..now.clone()
    };
    // All up to `as_of.entries` are early enough; none from `beyond` on is.
    let mut beyond = now.entries + 1;
    while beyond - as_of.entries > 1 {
        let middle = as_of.entries + (beyond - as_of.entries) / 2;
        let key = Key::new(&partition, &keys::entry_sort(middle));
        let entry: Option<Entry> = api.app().value(&key).await?;
        match entry {
            Some(entry) if entry.at <= at => {
                as_of.entries = entry.number;
                as_of.at = entry.at;
                as_of.sums = entry.after;
            }
            _ => beyond = middle,
        }
    }
    Ok(as_of)
}

/// Reads a moment of a query.
pub fn moment(text: &str) -> Result<Timestamp, String> {
    Timestamp::parse_rfc3339(text)
        .ok_or_else(|| "expected RFC 3339, such as 2026-11-22T11:12:13.123Z".to_owned())
}
