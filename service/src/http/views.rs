//! Saved views: each caller's own, nobody else's.

use axum::{extract::State, http::StatusCode, response::Response};
use lombard_core::{id::Id, payment::Sealed, store::encode};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    Api, Call, ErrorCode, IdempotencyKey, Json, Page, PathId, Problem,
    once::{Decided, once},
    query::Query,
    reply::{body, reply, shown},
    wire::{Moment, scalar},
};
use crate::{
    records::{Then, change},
    views::{self, List, VIEWS_MAX, View},
};

/// Characters of a name.
const NAME_MAX: usize = 60;
/// Characters of a query.
const QUERY_MAX: usize = 500;

/// The routes of saved views.
pub fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(delete))
}

/// A view to keep.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CreateView)]
struct CreateBody {
    /// Which list it filters: `payments` or `exceptions`.
    #[schema(value_type = String, pattern = "^(payments|exceptions)$")]
    list: List,
    /// What you call it.
    #[schema(pattern = "^[^\\u0000-\\u001f\\u007f-\\u009f]{1,60}$")]
    name: String,
    /// The filters, as the list's query has them: `status=FAILED&rail=fps`.
    #[schema(pattern = "^[A-Za-z0-9_.~%+:=&-]{0,500}$")]
    query: String,
}

/// A list's filters under a name.
#[derive(Serialize, ToSchema)]
#[schema(as = View)]
struct ViewView<'a> {
    #[schema(value_type = scalar::ViewId)]
    id: Id<View>,
    /// `view`.
    #[schema(pattern = "^view$")]
    object: &'static str,
    #[schema(value_type = String, pattern = "^(payments|exceptions)$")]
    list: List,
    /// What its owner calls it; not in a repeated answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 60, nullable = false)]
    name: Option<&'a str>,
    /// The filters; not in a repeated answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 500, nullable = false)]
    query: Option<&'a str>,
    #[schema(value_type = scalar::Time)]
    created_at: Moment,
}

impl<'a> ViewView<'a> {
    fn of(view: &'a View) -> Self {
        Self {
            id: view.id,
            object: "view",
            list: view.list,
            name: Some(&view.name),
            query: Some(&view.query),
            created_at: view.created_at.into(),
        }
    }

    /// As it is kept for a repeated request: what its owner wrote is sealed, and nowhere else.
    fn without_words(self) -> Self {
        Self {
            name: None,
            query: None,
            ..self
        }
    }
}

/// Somebody's views.
#[derive(ToSchema)]
#[allow(dead_code)] // Only described.
#[schema(as = ViewPage)]
struct ViewPage<'a> {
    data: Vec<ViewView<'a>>,
    /// Always false: there are few, and all are given.
    has_more: bool,
}

/// List your saved views
///
/// Those that you keep, of all lists, oldest first.
#[utoipa::path(get, path = "/v1/views", tag = "views",
    responses((status = 200, description = "All of them.", body = ViewPage)))]
async fn list(State(api): State<Api>, call: Call, query: Query) -> Result<Response, Problem> {
    query.finish()?;
    let (app, tenant, owner) = (api.app(), call.tenant(), call.caller().key);
    let sealed = views::sealed(app, tenant, owner).await?;
    let views = opened(&api, &call, sealed.as_ref())?;
    let data: Vec<_> = views.iter().map(ViewView::of).collect();
    Ok(shown(&Page::new(data, None::<String>)))
}

/// Save a view
///
/// For yourself alone. You keep at most thirty.
#[utoipa::path(post, path = "/v1/views", tag = "views", request_body = CreateBody,
    responses((status = 201, description = "It is kept.", body = ViewView)))]
async fn create(
    State(api): State<Api>,
    call: Call,
    key: IdempotencyKey,
    json: Json,
) -> Result<Response, Problem> {
    let request: CreateBody = json.parse()?;
    request.check()?;
    let (app, tenant, owner) = (api.app(), call.tenant(), call.caller().key);
    let wish = key.wish_blinded("views.create", &request, &*app.vault, tenant);
    let now = app.host.now();
    let view = View {
        id: Id::new(now, app.host.random()),
        list: request.list,
        name: request.name,
        query: request.query,
        created_at: now,
    };
    let place = views::key(tenant, owner);
    let done = once(&api, tenant, &wish, std::slice::from_ref(&place), |read| {
        let mut kept = opened(&api, &call, read.value::<Sealed>(&place).as_ref())?;
        if kept.len() >= VIEWS_MAX {
            let detail = format!("you keep {VIEWS_MAX} views already; delete one");
            return Err(Problem::saying(ErrorCode::TooLarge, detail.into()));
        }
        kept.push(view.clone());
        let mut writes = read.checks();
        writes.put(&place, views::body(app, tenant, owner, &kept)?);
        Ok(Decided {
            writes,
            status: 201,
            body: encode(&ViewView::of(&view).without_words()),
        })
    })
    .await?;
    if done.replayed {
        return Ok(reply(done));
    }
    Ok(body(
        StatusCode::CREATED,
        encode(&ViewView::of(&view)).into(),
    ))
}

/// Delete a saved view
///
/// One of yours. Deleting it again is answered alike.
#[utoipa::path(delete, path = "/v1/views/{id}", tag = "views",
    params(("id" = inline(scalar::ViewId), Path, description = "The view.")),
    responses((status = 204, description = "It is gone.")))]
async fn delete(
    State(api): State<Api>,
    call: Call,
    PathId(id): PathId<View>,
) -> Result<Response, Problem> {
    let (app, tenant, owner) = (api.app(), call.tenant(), call.caller().key);
    let place = views::key(tenant, owner);
    change(app, &place, |known: Option<Sealed>| {
        let then = opened(&api, &call, known.as_ref()).and_then(|mut kept| {
            let before = kept.len();
            kept.retain(|view| view.id != id);
            if kept.len() == before {
                return Ok(Then::Keep);
            }
            Ok(Then::Put(views::body(app, tenant, owner, &kept)?))
        });
        match then {
            Ok(then) => (then, Ok(())),
            Err(problem) => (Then::Keep, Err(problem)),
        }
    })
    .await??;
    Ok(body(StatusCode::NO_CONTENT, axum::body::Bytes::new()))
}

/// The views of a sealed record; none of no record.
fn opened(api: &Api, call: &Call, sealed: Option<&Sealed>) -> Result<Vec<View>, Problem> {
    let Some(sealed) = sealed else {
        return Ok(Vec::new());
    };
    let (tenant, owner) = (call.tenant(), call.caller().key);
    Ok(views::open(api.app(), tenant, owner, sealed)?)
}

impl CreateBody {
    fn check(&self) -> Result<(), Problem> {
        let chars = self.name.chars().count();
        if !(1..=NAME_MAX).contains(&chars) || self.name.chars().any(char::is_control) {
            let detail =
                format!("expected 1 to {NAME_MAX} characters, none of them a control character");
            return Err(Problem::field("/name", detail));
        }
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_.~%+:=&-".contains(&byte);
        if self.query.len() > QUERY_MAX || !self.query.bytes().all(plain) {
            let detail = format!("expected a query string of at most {QUERY_MAX} characters");
            return Err(Problem::field("/query", detail));
        }
        Ok(())
    }
}
