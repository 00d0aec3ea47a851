//! People who sign in: accounts of ours are made and reset, and whoever signed in is listed. All
//! needs the grant `credentials`. A person's access ends with its credential
//! (`DELETE /v1/api_keys/{id}`), and so do his sessions.

use axum::{extract::State, response::Response};
use lombard_core::{
    audit,
    command::Reply,
    id::Id,
    store::{decode, encode},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::keys::GrantName;
use crate::{
    access::{Grant, Role},
    http::{
        Api, Call, ErrorCode, IdempotencyKey, Json, Page, PathId, Problem,
        input::Text,
        json::Nothing,
        once::{Decided, once},
        reply::{shown, shown_once},
        wire::scalar::{self, Moment},
    },
    identity::person::{self, Person, PersonError, Who},
    ports::{RANGE_MAX, Range},
    tenants::{self, ApiKey, Scope},
};

/// The most roles of a person.
const ROLES_MAX: usize = Role::ALL.len();

/// An account to make.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CreatePerson)]
struct CreateBody<'a> {
    /// The name to sign in with; capitals do not count.
    #[serde(borrow)]
    #[schema(value_type = String, pattern = "^[^\\u0000-\\u001f\\u007f-\\u009f]{1,140}$")]
    name: Text<'a>,
    /// What the person may do.
    #[schema(inline, value_type = Vec<RoleName>, min_items = 1, max_items = 6)]
    roles: Vec<Role>,
}

/// What somebody is.
#[derive(ToSchema)]
#[schema(value_type = String, pattern = "^(viewer|operator|approver|risk|auditor|admin)$")]
#[allow(dead_code)] // Only described.
struct RoleName(String);

/// Somebody who signs in.
#[derive(Clone, Serialize, ToSchema)]
#[schema(as = Person)]
struct PersonView {
    /// His credential, by which records name him.
    #[schema(value_type = scalar::ApiKeyId)]
    id: Id<ApiKey>,
    /// What he is called; not in a repeated answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 255, nullable = false)]
    name: Option<String>,
    /// Whether he has an account here, or one of the OpenID provider.
    #[schema(pattern = "^(account|provider)$")]
    kind: &'static str,
    /// The password that he begins with, once; only in the answer that makes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 40, nullable = false)]
    one_time_password: Option<String>,
    /// Whether a generator of one-time codes is enrolled.
    enrolled: bool,
    /// Whether the account takes nothing for half an hour, after ten failures.
    locked: bool,
    #[schema(value_type = String, pattern = "^(read|write)$")]
    scope: Scope,
    #[schema(inline, value_type = Vec<GrantName>)]
    grants: Vec<Grant>,
    #[schema(value_type = scalar::Time)]
    created_at: Moment,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<scalar::Time>, nullable = false)]
    revoked_at: Option<Moment>,
}

impl PersonView {
    fn of(api: &Api, person: &Person, key: &ApiKey) -> Result<Self, Problem> {
        let app = api.app();
        Ok(Self {
            id: key.id,
            name: Some(person.label(app)?),
            kind: if person.is_local() {
                "account"
            } else {
                "provider"
            },
            one_time_password: None,
            enrolled: person.is_enrolled(),
            locked: person.is_locked(app.host.now()),
            scope: key.access.scope,
            grants: key.access.grants.iter().collect(),
            created_at: key.created_at.into(),
            revoked_at: key.revoked_at.map(Moment),
        })
    }

    /// The answer that shows the password, once.
    fn shown_once(self, done: Reply, password: &str) -> Response {
        let whole = Self {
            one_time_password: Some(password.to_owned()),
            ..self
        };
        shown_once(done, &whole)
    }

    /// As it is kept for a repeated request: no personal data is.
    fn without_name(&self) -> Self {
        Self {
            name: None,
            ..self.clone()
        }
    }
}

/// Make an account
///
/// For somebody to sign in to the console with. The answer has a one-time password, once, good for
/// a week: with it he chooses his own and enrols a generator of one-time codes. Roles that have more
/// than you may do yourself are proposed (`POST /v1/proposals`), and approved by somebody else.
#[utoipa::path(post, path = "/v1/people", tag = "credentials", request_body = CreateBody,
    responses((status = 201, description = "It can begin.", body = PersonView)))]
pub async fn create(
    State(api): State<Api>,
    call: Call,
    key: IdempotencyKey,
    json: Json,
) -> Result<Response, Problem> {
    let request: CreateBody<'_> = json.parse()?;
    let (app, tenant) = (api.app(), call.tenant());
    let name = request.name.checked("/name", 140)?;
    if !(1..=ROLES_MAX).contains(&request.roles.len()) {
        return Err(Problem::field("/roles", "expected one role or more"));
    }
    let access = Role::together(&request.roles);
    call.may_hand_out(&access)?;
    let wish = key.wish_blinded("people.create", &request, &*app.vault, tenant);
    let own = tenants::person(app, tenant, access);
    let (made, once_password) = Person::local(app, &own, name).await?;
    let place = Who::Named(name).place(app);
    let before: Option<Person> = app.value(&place).await?;
    let taken = match &before {
        Some(before) => { tenants::find_key(app, before.tenant, before.credential).await? }
            .is_some_and(|key| key.is_good(app.host.now())),
        None => false,
    };
    let note = call.note(&*app.host, "person.create", own.id);
    let view = PersonView::of(&api, &made, &own)?;
    let kept = encode(&view.without_name());
    let done = once(&api, tenant, &wish, std::slice::from_ref(&place), |read| {
        // A name whose credential was revoked can be somebody else's.
        if taken || read.value::<Person>(&place) != before {
            return Err(Problem::field("/name", "the name is taken"));
        }
        let mut writes = read.checks();
        writes.create(own.key(), own.body());
        writes.put(&place, made.body());
        audit::enter(&mut writes, &note);
        Ok(Decided {
            writes,
            status: 201,
            body: kept.clone(),
        })
    })
    .await?;
    Ok(view.shown_once(done, &once_password))
}

/// People.
#[derive(ToSchema)]
#[allow(dead_code)] // Only described.
#[schema(as = PersonPage)]
struct PersonPage {
    data: Vec<PersonView>,
    /// Always false: the newest thousand are given.
    has_more: bool,
}

/// List people
///
/// Who has an account here, and who came in from the OpenID provider; newest first.
#[utoipa::path(get, path = "/v1/people", tag = "credentials",
    responses((status = 200, description = "The newest thousand.", body = PersonPage)))]
pub async fn list(State(api): State<Api>, call: Call) -> Result<Response, Problem> {
    let mut data = Vec::new();
    for person in all(&api, &call).await? {
        let key = tenants::find_key(api.app(), call.tenant(), person.credential).await?;
        if let Some(key) = key {
            data.push(PersonView::of(&api, &person, &key)?);
        }
    }
    Ok(shown(&Page::new(data, None::<String>)))
}

/// The tenant's people.
async fn all(api: &Api, call: &Call) -> Result<Vec<Person>, Problem> {
    let range = Range::listed(&person::list(call.tenant()), RANGE_MAX).backwards();
    let found = api.app().store.range(&range).await?;
    let read = found.iter().map(|it| decode(&it.record.body.bytes));
    Ok(read.collect())
}

/// Reset an account
///
/// Gives it a one-time password, once, takes its generator away and unlocks it. Of somebody who may
/// do more than you it takes a second person, as making him does.
#[utoipa::path(post, path = "/v1/people/{id}/reset", tag = "credentials",
    params(("id" = inline(scalar::ApiKeyId), Path, description = "The person's credential.")),
    request_body(content = Option<Nothing>, description = "Nothing, or an empty object."),
    responses((status = 200, description = "It begins anew.", body = PersonView)))]
pub async fn reset(
    State(api): State<Api>,
    call: Call,
    PathId(id): PathId<ApiKey>,
    key: IdempotencyKey,
    _: Nothing,
) -> Result<Response, Problem> {
    let (app, tenant) = (api.app(), call.tenant());
    let own = tenants::find_key(app, tenant, id).await?;
    let own = own.ok_or(Problem::not_found())?;
    let people = all(&api, &call).await?;
    let found = people.into_iter().find(|it| it.credential == id);
    let before = found.ok_or(Problem::not_found())?;
    if !before.is_local() || !own.is_good(app.host.now()) {
        return Err(Problem::new(ErrorCode::KeyNotRotatable));
    }
    call.may_hand_out(&own.access)?;
    let place = Who::Named(&before.label(app)?).place(app);
    let wish = key.wish("people.reset", &id);
    let (after, once_password) = before.clone().reset(app).await?;
    let note = call.note(&*app.host, "person.reset", id);
    let view = PersonView::of(&api, &after, &own)?;
    let kept = encode(&view.without_name());
    let done = once(&api, tenant, &wish, std::slice::from_ref(&place), |read| {
        let still = read.value::<Person>(&place);
        if still.is_none_or(|person| person.credential != id) {
            return Err(Problem::not_found());
        }
        let mut writes = read.checks();
        writes.update(&place, after.body());
        audit::enter(&mut writes, &note);
        Ok(Decided {
            writes,
            status: 200,
            body: kept.clone(),
        })
    })
    .await?;
    Ok(view.shown_once(done, &once_password))
}

impl From<PersonError> for Problem {
    fn from(error: PersonError) -> Self {
        match error {
            PersonError::Read(error) => error.into(),
            PersonError::Commit(error) => error.into(),
            PersonError::Vault(error) => error.into(),
            error @ PersonError::Random(_) => {
                Self::new(ErrorCode::Internal).because(std::sync::Arc::new(error))
            }
        }
    }
}
