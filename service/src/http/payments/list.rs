//! Looking at payments: one, its timeline, and the list.

use axum::{extract::State, response::Response};
use lombard_core::{
    event::Event,
    id::Id,
    ledger::Account,
    lifecycle::{Pending, Status},
    limits::{END_TO_END_ID_MAX, EVENTS_MAX},
    money::Amount,
    payment::{Party, Payment},
    plan::keys,
    rail::Rail,
    store::decode,
    tenant::TenantId,
    time::Timestamp,
};
use utoipa::ToSchema;

use crate::{
    http::{
        Api, Call, ErrorCode, Page, Paging, PathId, Problem,
        page::{Verdict, newest_first},
        query::Query,
        reply::shown,
        wire::{EventView, PaymentView, scalar},
    },
    ports::{Range, ReadError},
    roster::{Mark, Outline},
};

/// Payments, newest first.
#[derive(ToSchema)]
#[allow(dead_code)] // Only described.
struct PaymentPage<'a> {
    data: Vec<PaymentView<'a>>,
    /// Whether there may be more after them.
    has_more: bool,
    /// Where to go on.
    #[schema(nullable = false, max_length = 100)]
    next_cursor: Option<String>,
}

/// What happened to a payment, first things first.
#[derive(ToSchema)]
#[allow(dead_code)] // Only described.
struct Timeline<'a> {
    data: Vec<EventView<'a>>,
    /// Always false: a timeline is given whole.
    has_more: bool,
}

/// Look a payment up
#[utoipa::path(get, path = "/v1/payments/{id}", tag = "payments",
    params(("id" = inline(scalar::PaymentId), Path, description = "The payment.")),
    responses((status = 200, description = "The payment.", body = PaymentView)))]
pub async fn get(
    State(api): State<Api>,
    call: Call,
    PathId(id): PathId<Payment>,
) -> Result<Response, Problem> {
    let payment = find(&api, &call, id).await?;
    Ok(shown(&PaymentView::of(&payment)))
}

/// The caller's payment of an id.
pub async fn find(api: &Api, call: &Call, id: Id<Payment>) -> Result<Payment, Problem> {
    let found = api.app().value(&keys::payment(call.tenant(), id)).await?;
    found.ok_or(Problem::not_found())
}

/// The events of a payment, oldest first.
pub async fn events_of(
    api: &Api,
    tenant: TenantId,
    id: Id<Payment>,
) -> Result<Vec<Event>, ReadError> {
    let partition = keys::payment_partition(tenant, id);
    let range = Range::of(&partition, EVENTS_MAX as usize).until(keys::event_sort(EVENTS_MAX));
    let found = api.app().store.range(&range).await?;
    let events = found.iter().filter(|it| it.at.sort().starts_with("e#"));
    Ok(events.map(|it| decode(&it.record.body.bytes)).collect())
}

/// What happened to a payment
///
/// Every step and every piece of news, with who brought it and under which trace.
#[utoipa::path(get, path = "/v1/payments/{id}/timeline", tag = "payments",
    params(("id" = inline(scalar::PaymentId), Path, description = "The payment.")),
    responses((status = 200, description = "All of its events.", body = Timeline)))]
pub async fn timeline(
    State(api): State<Api>,
    call: Call,
    PathId(id): PathId<Payment>,
) -> Result<Response, Problem> {
    find(&api, &call, id).await?;
    let events = events_of(&api, call.tenant(), id).await?;
    let data: Vec<_> = events.iter().map(EventView::of).collect();
    Ok(shown(&Page::new(data, None::<String>)))
}

/// List payments
///
/// Newest first. A filtered page can be shorter than `limit` and still have more after it: on a server
/// that does not keep all payments in memory, or just begins to, it looks at 2,000 of them.
#[utoipa::path(get, path = "/v1/payments", tag = "payments",
    params(
        ("limit" = inline(Option<u32>), Query, description = "How many at the most; 25 when absent.", minimum = 1, maximum = 100),
        ("cursor" = inline(Option<scalar::PaymentId>), Query, description = "`next_cursor` of the page before."),
        ("status" = inline(Option<scalar::StatusName>), Query, description = "Only those that stand there."),
        ("pending" = inline(Option<scalar::PendingName>), Query, description = "Only those that wait for this."),
        ("rail" = inline(Option<scalar::RailName>), Query, description = "Only those that go this way."),
        ("account" = inline(Option<scalar::AccountId>), Query, description = "Only those from or to this account."),
        ("amount" = inline(Option<scalar::Amount>), Query, description = "Only those of this amount."),
        ("last4" = inline(Option<String>), Query, description = "Only those from or to an account number, or a card, that ends so.", pattern = "^[0-9A-Z]{4}$"),
        ("end_to_end_id" = inline(Option<String>), Query, description = "Only those with this id.", min_length = 1, max_length = 35),
        ("created_from" = inline(Option<scalar::Time>), Query, description = "Only those created then or later."),
        ("created_before" = inline(Option<scalar::Time>), Query, description = "Only those created earlier."),
    ),
    responses((status = 200, description = "A page.", body = PaymentPage)))]
pub async fn list(
    State(api): State<Api>,
    call: Call,
    mut query: Query,
) -> Result<Response, Problem> {
    let paging = Paging::of(&mut query)?;
    let filter = Filter::of(query)?;
    let partition = keys::payments_list(call.tenant());
    let limit = paging.limit;
    let mut page = newest_first(&api, &partition, paging, |payment| filter.judge(payment)).await?;
    if page.data.len() < limit && page.has_more {
        page = beyond(&api, &call, &filter, page, limit).await?;
    }
    let shown_data: Vec<_> = page.data.iter().map(PaymentView::of).collect();
    Ok(shown(&Page {
        data: shown_data,
        has_more: page.has_more,
        next_cursor: page.next_cursor,
    }))
}

/// Goes on, by what is known of all payments, with a page that is not full yet.
async fn beyond(
    api: &Api,
    call: &Call,
    filter: &Filter,
    page: Page<Payment>,
    limit: usize,
) -> Result<Page<Payment>, Problem> {
    let (mut data, mut after) = (page.data, page.next_cursor.and_then(|it| it.parse().ok()));
    let (tenant, outline) = (call.tenant(), filter.outline());
    loop {
        // One more than is wanted says whether there is more.
        let wanted = limit + 1 - data.len();
        let roster = api.roster().cloned();
        let looked = tokio::task::spawn_blocking(move || {
            roster.and_then(|it| it.older(tenant, &outline, after, wanted))
        });
        let Some(ids) = looked
            .await
            .map_err(|_| Problem::new(ErrorCode::Internal))?
        else {
            return Ok(Page::new(data, after));
        };
        for some in ids.chunks(READ_MAX) {
            let keys: Vec<_> = some.iter().map(|id| keys::payment(tenant, *id)).collect();
            for record in api.app().store.get(&keys).await?.into_iter().flatten() {
                let payment: Payment = decode(&record.body.bytes);
                // What two texts have in common in a row they need not have in common here.
                if filter.judge(&payment) != Verdict::Keep {
                    continue;
                }
                if data.len() == limit {
                    return Ok(Page::new(data, after));
                }
                after = Some(payment.id);
                data.push(payment);
            }
        }
        if ids.len() < wanted {
            return Ok(Page::new(data, None::<String>));
        }
        after = ids.last().copied();
    }
}

/// Payments that are read at once: no store takes more keys.
pub const READ_MAX: usize = 100;

/// Which payments are wanted.
struct Filter {
    status: Option<Status>,
    pending: Option<Pending>,
    rail: Option<Rail>,
    account: Option<Id<Account>>,
    amount: Option<Amount>,
    last4: Option<String>,
    end_to_end_id: Option<String>,
    created_from: Option<Timestamp>,
    created_before: Option<Timestamp>,
}

impl Filter {
    fn of(mut query: Query) -> Result<Self, Problem> {
        let filter = Self {
            status: query.take_with("status", |text| {
                let found = Status::ALL.into_iter().find(|status| status.name() == text);
                found.ok_or_else(|| "there is no such status".to_owned())
            })?,
            pending: query.take_with("pending", |text| {
                let found = Pending::ALL.into_iter().find(|it| it.name() == text);
                found.ok_or_else(|| "there is no such thing to wait for".to_owned())
            })?,
            rail: query.take_with("rail", |text| {
                let found = Rail::ALL.into_iter().find(|it| it.name() == text);
                found.ok_or_else(|| "there is no such rail".to_owned())
            })?,
            account: query.take("account")?,
            amount: query.take_with("amount", |text| {
                let minor: Option<u64> = text.parse().ok();
                let amount = minor.and_then(|minor| Amount::try_from(minor).ok());
                amount.ok_or_else(|| "expected minor units".to_owned())
            })?,
            last4: query.take_with("last4", |text| match text.len() {
                4 if text
                    .bytes()
                    .all(|it| it.is_ascii_digit() || it.is_ascii_uppercase()) =>
                {
                    Ok(text.to_owned())
                }
                _ => Err("expected four digits or capital letters".to_owned()),
            })?,
            end_to_end_id: query.take_text("end_to_end_id", END_TO_END_ID_MAX)?,
            created_from: query.take_with("created_from", moment)?,
            created_before: query.take_with("created_before", moment)?,
        };
        query.finish()?;
        Ok(filter)
    }

    /// The same for what is kept of each payment in memory.
    fn outline(&self) -> Outline {
        Outline {
            status: self.status,
            pending: self.pending,
            rail: self.rail,
            account: self.account.map(Mark::of),
            minor: self.amount.map(Amount::minor),
            last4: self.last4.as_deref().map(Mark::of),
            end_to_end_id: self.end_to_end_id.as_deref().map(Mark::of),
            created_from: self.created_from,
            created_before: self.created_before,
        }
    }

    /// The list is in the order of ids, and an id that came from a rail need not be in the order
    /// of time: no payment says that none after it is wanted.
    fn judge(&self, payment: &Payment) -> Verdict {
        let of_account =
            |id| payment.debtor.account() == Some(id) || payment.creditor.account() == Some(id);
        let ends = |party: &Party, last4: &str| match party {
            Party::Account(_) => false,
            Party::External(external) => external.last4 == last4,
        };
        let of_number =
            |last4: &String| ends(&payment.debtor, last4) || ends(&payment.creditor, last4);
        let wanted = self.status.is_none_or(|it| payment.stage.status() == it)
            && self
                .pending
                .is_none_or(|it| payment.stage.pending() == Some(it))
            && self.rail.is_none_or(|it| payment.rail == it)
            && self.account.is_none_or(of_account)
            && self.amount.is_none_or(|it| payment.money.amount == it)
            && self.last4.as_ref().is_none_or(of_number)
            && self
                .end_to_end_id
                .as_ref()
                .is_none_or(|it| payment.end_to_end_id == *it)
            && self.created_from.is_none_or(|it| payment.created_at >= it)
            && self.created_before.is_none_or(|it| payment.created_at < it);
        if wanted { Verdict::Keep } else { Verdict::Skip }
    }
}

fn moment(text: &str) -> Result<Timestamp, String> {
    Timestamp::parse_rfc3339(text)
        .ok_or_else(|| "expected RFC 3339, such as 2026-11-22T11:12:13.123Z".to_owned())
}
