//! Days of accounts, and their close.

use axum::{extract::State, response::Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    http::{
        Api, Call, ErrorCode, IdempotencyKey, Json, Problem,
        input::Text,
        once::after,
        query::Query,
        reply::{reply, shown},
        wire::scalar::{self, Moment, SignedMinorUnits},
    },
    reconcile::{
        close::Sum,
        days::{self, Closed, Day, NotClosed},
        sheets::Place,
    },
};

/// Lines and their sum.
#[derive(Serialize, ToSchema)]
#[schema(as = ReconciliationSum)]
struct SumView {
    /// How many.
    lines: u64,
    /// What they add up to, in minor units.
    #[schema(value_type = SignedMinorUnits)]
    minor: i64,
}

impl From<Sum> for SumView {
    fn from(Sum { lines, minor }: Sum) -> Self {
        Self { lines, minor }
    }
}

/// A day of an account: `opening + matched + explained + open = closing`.
#[derive(Serialize, ToSchema)]
#[schema(as = ReconciliationDay)]
struct DayView {
    /// `reconciliation_day`.
    #[schema(pattern = "^reconciliation_day$")]
    object: &'static str,
    /// Whose statements told of it.
    #[schema(max_length = 60)]
    source: String,
    /// The account, by a name that does not tell its number.
    #[schema(pattern = "^[0-9a-hjkmnp-tv-z]{16}$")]
    account_id: String,
    /// Its last characters.
    #[schema(max_length = 20)]
    account: String,
    /// Its currency.
    #[schema(max_length = 3)]
    currency: String,
    /// Which day.
    #[schema(pattern = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]
    day: String,
    /// The statements, by their own names.
    #[schema(value_type = Vec<scalar::StatementName>)]
    statements: Vec<String>,
    /// Before its lines, in minor units.
    #[schema(value_type = Option<SignedMinorUnits>)]
    opening: Option<i64>,
    /// Lines that are payments of ours.
    matched: SumView,
    /// Fees, payouts and the like.
    explained: SumView,
    /// Lines that nothing accounts for.
    open: SumView,
    /// Of the matched and explained, those that were open when their statement came.
    late: SumView,
    /// After its lines.
    #[schema(value_type = Option<SignedMinorUnits>)]
    closing: Option<i64>,
    /// Why it does not add up; `null` when it does.
    #[schema(max_length = 1000)]
    why: Option<String>,
    /// When it was closed. From then on it is as it was; lines that came later are exceptions `late`.
    #[schema(value_type = Option<scalar::Time>)]
    closed_at: Option<Moment>,
    /// By whom.
    #[schema(max_length = 100)]
    closed_by: Option<String>,
}

impl DayView {
    /// A day as it stands; of one that is closed what it came to then, and what was late since.
    fn of(day: Day, closed: Option<Closed>) -> Self {
        let late = day.late;
        let (at, by) = { closed.as_ref() }
            .map(|it| (it.at.into(), it.by.clone()))
            .unzip();
        let day = closed.map_or(day, |it| Day { late, ..it.day });
        Self {
            object: "reconciliation_day",
            source: day.source,
            account_id: day.account_id,
            account: day.account,
            currency: day.currency,
            day: day.day,
            statements: day.statements,
            opening: day.opening,
            matched: day.sums.matched.into(),
            explained: day.sums.explained.into(),
            open: day.sums.open.into(),
            late: day.late.into(),
            closing: day.closing,
            why: day.why,
            closed_at: at,
            closed_by: by,
        }
    }
}

/// A source's accounts on a day.
#[derive(Serialize, ToSchema)]
#[schema(as = ReconciliationDays)]
struct Days {
    data: Vec<DayView>,
}

/// Which day is to be closed.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CloseReconciliationDay)]
struct CloseBody<'a> {
    /// Whose statements.
    #[serde(borrow)]
    #[schema(value_type = String, pattern = "^[a-z0-9_.-]{1,60}$")]
    source: Text<'a>,
    /// `account_id` of the day.
    #[serde(borrow)]
    #[schema(value_type = String, pattern = "^[0-9a-hjkmnp-tv-z]{16}$")]
    account_id: Text<'a>,
    /// The account's currency.
    #[serde(borrow)]
    #[schema(value_type = String, pattern = "^[A-Z]{3}$")]
    currency: Text<'a>,
    /// Which day.
    #[serde(borrow)]
    #[schema(value_type = String, pattern = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]
    day: Text<'a>,
}

/// A digit of our ids, which have no `i`, `l`, `o` and `u`.
const fn is_digit(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'a'..=b'h' | b'j' | b'k' | b'm' | b'n' | b'p'..=b't' | b'v'..=b'z')
}

/// `YYYY-MM-DD`, as far as the pattern says: of a day that never was no statement came.
fn is_day(text: &str) -> bool {
    let fits = |(at, byte): (usize, u8)| match at {
        4 | 7 => byte == b'-',
        _ => byte.is_ascii_digit(),
    };
    text.len() == 10 && text.bytes().enumerate().all(fits)
}

fn field<'t>(
    text: &'t Text<'_>,
    name: &'static str,
    most: usize,
    fits: impl Fn(&str) -> bool,
) -> Result<&'t str, Problem> {
    let text = text.checked(name, most)?;
    if fits(text) {
        return Ok(text);
    }
    Err(Problem::field(name, "it is not as the document says"))
}

/// Look at a day of a source
///
/// What the statements of a day came to by now, for each account and across all files: opening, lines,
/// matched, explained, open, closing.
#[utoipa::path(get, path = "/v1/reconciliation/days", tag = "reconciliation",
    params(
        ("source" = inline(String), Query, description = "Whose statements.", pattern = "^[a-z0-9_.-]{1,60}$"),
        ("day" = inline(String), Query, description = "Which day, as ISO 8601.", pattern = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"),
    ),
    responses((status = 200, description = "Its accounts.", body = Days)))]
pub async fn list(
    State(api): State<Api>,
    call: Call,
    mut query: Query,
) -> Result<Response, Problem> {
    let source = query.take_with("source", super::source_name)?;
    let day = query.take_with("day", |text| {
        let day = is_day(text).then(|| text.to_owned());
        day.ok_or_else(|| "expected YYYY-MM-DD".to_owned())
    })?;
    query.finish()?;
    let missing = |name| move || Problem::parameter(name, "the parameter is missing");
    let (source, day) = (
        source.ok_or_else(missing("source"))?,
        day.ok_or_else(missing("day"))?,
    );
    let days = days::look(api.app(), call.tenant(), &source, &day).await?;
    let data = days
        .into_iter()
        .map(|(day, closed)| DayView::of(day, closed));
    Ok(shown(&Days {
        data: data.collect(),
    }))
}

/// Close a day
///
/// A day that adds up is closed: what it came to stays, and what comes for it later is told and not added in
/// silence. One that does not add up is refused with `wrong_state`, and the detail says why. Closing it again
/// changes nothing.
#[utoipa::path(post, path = "/v1/reconciliation/days", tag = "reconciliation",
    request_body = CloseBody,
    responses((status = 200, description = "It is closed.", body = DayView)))]
pub async fn close(
    State(api): State<Api>,
    call: Call,
    key: IdempotencyKey,
    json: Json,
) -> Result<Response, Problem> {
    let body: CloseBody<'_> = json.parse()?;
    let source = field(&body.source, "/source", 60, |it| {
        super::source_name(it).is_ok()
    })?;
    let digits = |it: &str| it.len() == 16 && it.bytes().all(is_digit);
    let capitals = |it: &str| it.len() == 3 && it.bytes().all(|it| it.is_ascii_uppercase());
    let place = Place {
        account: field(&body.account_id, "/account_id", 16, digits)?.to_owned(),
        currency: field(&body.currency, "/currency", 3, capitals)?.to_owned(),
        day: field(&body.day, "/day", 10, is_day)?.to_owned(),
    };
    let wish = key.wish("reconciliation.close", &body);
    let by = &call.caller().actor;
    let work = async {
        let closed = days::close(api.app(), call.tenant(), source, &place, by).await?;
        Ok(DayView::of(closed.day.clone(), Some(closed)))
    };
    Ok(reply(after(&api, call.tenant(), &wish, 200, work).await?))
}

impl From<NotClosed> for Problem {
    fn from(why: NotClosed) -> Self {
        match why {
            NotClosed::Nothing | NotClosed::Wrong(_) => {
                Self::saying(ErrorCode::WrongState, why.to_string().into())
            }
            NotClosed::Read(error) => error.into(),
            NotClosed::Commit(error) => error.into(),
        }
    }
}
