//! Changing a tenant's policy, and looking at what was changed.

use axum::{extract::State, response::Response};
use lombard_core::{
    audit,
    command::Reply,
    idempotency::Idempotency,
    store::{Key, Snapshot, WriteSet, decode},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::desk;
use crate::{
    http::{
        Api, Call, Cursor, ErrorCode, Page, Paging, Problem,
        once::{Decided, once},
        query::Query,
        reply::shown,
        wire::scalar,
    },
    ports::Range,
    risk::policies::{self, Change, Changed, NotThere, Step},
};

/// How often a change is decided again because another came in between.
const TRIES_MAX: u32 = 8;

/// Who does what, on what, and why.
#[derive(Clone, Copy)]
pub struct Deed<'a> {
    /// What, as the record of deeds has it.
    pub what: &'static str,
    /// On what.
    pub on: &'a str,
    /// Why.
    pub reason: &'a str,
}

/// What a change comes to.
pub struct Turned {
    /// What else is written, begun as the checks of what was read.
    pub writes: WriteSet,
    /// What is changed.
    pub what: Changed,
    /// The HTTP status of the answer.
    pub status: u16,
    /// The answer.
    pub body: Vec<u8>,
}

impl From<NotThere> for Problem {
    fn from(error: NotThere) -> Self {
        match error {
            NotThere::Read(error) => error.into(),
            error @ (NotThere::Refused(_) | NotThere::Missing { .. }) => {
                Self::new(ErrorCode::Internal).because(std::sync::Arc::new(error))
            }
        }
    }
}

/// Changes the caller's policy once for his key, with a record of the deed, and puts it in force
/// here before it answers. `decide` is asked again when another change came in between.
///
/// # Errors
/// What `decide` refuses, and what [`once`] does.
pub async fn change(
    api: &Api,
    call: &Call,
    wish: &Idempotency,
    deed: Deed<'_>,
    own: &[Key],
    mut decide: impl FnMut(&Snapshot, &mut Step) -> Result<Turned, Problem> + Send,
) -> Result<Reply, Problem> {
    let (app, tenant, desk) = (api.app(), call.tenant(), desk(api)?);
    let note = call
        .note(&*app.host, deed.what, deed.on)
        .because(deed.reason);
    let mut keys = vec![policies::head_key(tenant)];
    keys.extend_from_slice(own);
    for _ in 0..TRIES_MAX {
        policies::catch_up(app, desk, tenant).await?;
        let mut overtaken = false;
        let reply = once(api, tenant, wish, &keys, |read| {
            let mut step = Step::of(desk, tenant);
            let Turned {
                mut writes,
                what,
                status,
                body,
            } = decide(read, &mut step)?;
            let change = Change {
                version: step.version(),
                at: app.host.now(),
                by: call.caller().actor.to_string(),
                reason: deed.reason.to_owned(),
                what,
            };
            audit::enter(&mut writes, &note);
            let written = step.write(&mut writes, read, tenant, change);
            written.map_err(|_| {
                overtaken = true;
                Problem::new(ErrorCode::Overloaded)
            })?;
            Ok(Decided {
                writes,
                status,
                body,
            })
        });
        let reply = reply.await;
        if !overtaken {
            let reply = reply?;
            policies::catch_up(app, desk, tenant).await?;
            return Ok(reply);
        }
    }
    Err(Problem::new(ErrorCode::Overloaded))
}

/// What a version of the policy changed.
#[derive(Serialize, ToSchema)]
#[schema(as = RiskChange)]
struct ChangeView {
    /// `risk_change`.
    #[schema(pattern = "^risk_change$")]
    object: &'static str,
    #[serde(flatten)]
    #[schema(value_type = RiskChanged)]
    change: Change,
}

/// What was changed, by whom and why.
#[derive(ToSchema)]
#[allow(dead_code)] // Only described.
pub struct RiskChanged {
    /// The version of the policy from which on it holds.
    version: u64,
    /// When.
    #[schema(value_type = scalar::Time)]
    at: String,
    /// Who did it.
    #[schema(max_length = 200)]
    by: String,
    /// Why.
    #[schema(max_length = 1000)]
    reason: String,
    /// `mode`, `retired`, `settings` (taken from the policy's file), `list` (made), `listed` or `unlisted`.
    #[schema(pattern = "^(mode|retired|settings|list|listed|unlisted)$")]
    what: String,
}

/// Changes, newest first.
#[derive(ToSchema)]
#[allow(dead_code)] // Only described.
struct RiskChangePage {
    data: Vec<ChangeView>,
    /// Whether there may be more after them.
    has_more: bool,
    /// Where to go on.
    #[schema(nullable = false, max_length = 100)]
    next_cursor: Option<String>,
}

/// As it is stored; of the rest nobody needs to know.
#[derive(Deserialize)]
struct Stored {
    #[serde(flatten)]
    change: Change,
}

/// List changes of the policy
///
/// Every version of the policy with what it changed, by whom and why, newest first. None before
/// the first change: then the policy's file holds as it is.
#[utoipa::path(get, path = "/v1/risk/changes", tag = "risk",
    params(("limit" = inline(Option<u32>), Query, description = "How many at the most; 25 when absent.", minimum = 1, maximum = 100),
           ("cursor" = inline(Option<String>), Query, description = "`next_cursor` of the page before.", max_length = 20)),
    responses((status = 200, description = "A page.", body = RiskChangePage)))]
pub async fn list(
    State(api): State<Api>,
    call: Call,
    mut query: Query,
) -> Result<Response, Problem> {
    let paging: Paging<u64> = Paging::of(&mut query)?;
    query.finish()?;
    desk(&api)?;
    let after = paging
        .cursor
        .map(|Cursor(version)| format!("{version:012}"));
    let range = Range::of(&policies::changes(call.tenant()), paging.limit + 1)
        .backwards()
        .after(after);
    let mut found = api.app().store.range(&range).await?;
    let more = found.len() > paging.limit;
    found.truncate(paging.limit);
    let data: Vec<ChangeView> = found
        .iter()
        .map(|item| ChangeView {
            object: "risk_change",
            change: decode::<Stored>(&item.record.body.bytes).change,
        })
        .collect();
    let next = data.last().filter(|_| more).map(|last| last.change.version);
    Ok(shown(&Page::new(data, next)))
}
