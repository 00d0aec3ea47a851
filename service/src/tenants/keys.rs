//! API keys where they are kept: made, found, exchanged, revoked. Each deed is on record in the
//! commit that does it.

use ipnet::IpNet;
use lombard_core::{
    audit::Audit,
    id::{Id, digest_text},
    store::{Body, Key, decode},
    tenant::TenantId,
    time::Timestamp,
};

use zeroize::Zeroizing;

use super::{Agent, ApiKey, Bearer, SecretKey, TenantError, id_in, keeper, records};
use crate::{
    access::{Access, Role},
    app::App,
    password::{self, Cost},
    ports::{CommitError, RANGE_MAX, Range, ReadError},
    records::{Then, change, change_noted, create_noted},
};

/// What a key is made with.
#[derive(Clone, Debug)]
pub struct KeyWish<'a> {
    /// What it is for.
    pub name: &'a str,
    /// What it may do.
    pub access: Access,
    /// From where alone it is taken; from everywhere when empty.
    pub networks: Vec<IpNet>,
    /// From when on it is refused, if its time is limited.
    pub expires_at: Option<Timestamp>,
    /// Of a machine that pays.
    pub agent: Option<Agent>,
}

impl<'a> KeyWish<'a> {
    /// A key that may do what `access` says, from everywhere and for good.
    #[must_use]
    pub const fn of(name: &'a str, access: Access) -> Self {
        Self {
            name,
            access,
            networks: Vec::new(),
            expires_at: None,
            agent: None,
        }
    }

    /// A key that may do what another may.
    #[must_use]
    pub fn like(key: &'a ApiKey) -> Self {
        Self {
            name: &key.name,
            access: key.access.clone(),
            networks: key.networks.clone(),
            expires_at: key.expires_at,
            agent: key.agent.clone(),
        }
    }
}

impl ApiKey {
    /// Hands over to another key, which is taken beside it until then.
    pub fn hand_over(&mut self, to: &Self, until: Timestamp) {
        self.expires_at = Some(self.expires_at.map_or(until, |expires| expires.min(until)));
        self.replaced_by = Some(to.id);
    }

    /// Where it is kept.
    #[must_use]
    pub fn key(&self) -> Key {
        place(self.id)
    }

    /// Its record, in the tenant's list.
    #[must_use]
    pub fn body(&self) -> Body {
        Body::of(self).listed(Key::new(&list(self.tenant), &self.id.to_string()))
    }
}

/// Where a key is kept: found by what its text says of its id, whosesoever it is.
#[must_use]
pub fn place(id: Id<ApiKey>) -> Key {
    Key::new(&format!("apikey#{id}"), "key")
}

fn list(tenant: TenantId) -> String {
    format!("{}/keys", tenant.short())
}

/// A key for a tenant, and its text, which is nowhere else. It is good once its record is kept.
///
/// # Errors
/// [`TenantError::Random`].
pub async fn new_key(
    app: &App,
    tenant: TenantId,
    wish: KeyWish<'_>,
) -> Result<(ApiKey, SecretKey), TenantError> {
    let id = fresh_id(app);
    let drawn = format!("{:032x}{:032x}", app.host.random(), app.host.random());
    let secret = SecretKey::of(app.config.environment, id, &Zeroizing::new(drawn));
    let record = record_of(app, tenant, wish, id, &secret).await?;
    Ok((record, secret))
}

/// The record of a key whose text is given.
pub(super) async fn record_of(
    app: &App,
    tenant: TenantId,
    wish: KeyWish<'_>,
    id: Id<ApiKey>,
    secret: &SecretKey,
) -> Result<ApiKey, TenantError> {
    Ok(ApiKey {
        hash: Some(password::hash(secret.expose(), Cost::Random).await?),
        hint: secret.hint().to_owned(),
        ..of_bearer(app, tenant, wish, id, Bearer::Text)
    })
}

/// A credential without a text, whose bearer proves in another way that it is his.
#[must_use]
pub fn of_bearer(
    app: &App,
    tenant: TenantId,
    wish: KeyWish<'_>,
    id: Id<ApiKey>,
    bearer: Bearer,
) -> ApiKey {
    ApiKey {
        id,
        tenant,
        name: wish.name.to_owned(),
        access: wish.access,
        bearer,
        hash: None,
        hint: String::new(),
        networks: wish.networks,
        created_at: app.host.now(),
        revoked_at: None,
        expires_at: wish.expires_at,
        used_at: None,
        replaced_by: None,
        agent: wish.agent,
    }
}

/// A credential for somebody who signs in.
#[must_use]
pub fn person(app: &App, tenant: TenantId, access: Access) -> ApiKey {
    let wish = KeyWish::of("person", access);
    of_bearer(app, tenant, wish, fresh_id(app), Bearer::Person)
}

/// An id for a credential.
#[must_use]
pub fn fresh_id(app: &App) -> Id<ApiKey> {
    Id::new(app.host.now(), app.host.random())
}

/// Where it stands which credential the tokens of a subject of an issuer are for.
#[must_use]
pub fn token_place(issuer: &str, subject: &str) -> Key {
    let subject = digest_text(&[issuer, subject]);
    Key::new(&format!("apikey-token#{subject}"), "token")
}

/// The credential that tokens of a subject of an issuer are for.
pub(super) async fn of_token(
    app: &App,
    issuer: &str,
    subject: &str,
) -> Result<Option<ApiKey>, ReadError> {
    let id: Option<Id<ApiKey>> = app.value(&token_place(issuer, subject)).await?;
    match id {
        Some(id) => app.value(&place(id)).await,
        None => Ok(None),
    }
}

/// That this program itself makes a key.
#[must_use]
pub fn made_by_us(app: &App, key: &ApiKey) -> Audit {
    records::note(app, key.tenant, "api_key.create", key.id)
}

/// Makes a key for a tenant. The key in clear is in the answer and nowhere else.
///
/// # Errors
/// See [`TenantError`].
pub async fn create_key(
    app: &App,
    tenant: TenantId,
    name: &str,
    access: Access,
) -> Result<(ApiKey, SecretKey), TenantError> {
    let (record, secret) = new_key(app, tenant, KeyWish::of(name, access)).await?;
    let note = made_by_us(app, &record);
    create_noted(app, [(record.key(), record.body())], &note).await?;
    Ok((record, secret))
}

/// The keys that a tenant begins with: two, because nobody hands out alone what he may not do
/// himself.
pub struct FirstKeys {
    /// Of who makes the others.
    pub admin: SecretKey,
    /// Of who approves them; for somebody else.
    pub approver: SecretKey,
}

/// Makes the keys that a tenant begins with.
///
/// # Errors
/// See [`TenantError`].
pub async fn first_keys(app: &App, tenant: TenantId) -> Result<FirstKeys, TenantError> {
    let (_, approver) = create_key(app, tenant, "approver", Role::Approver.access()).await?;
    let (_, admin) = create_key(app, tenant, "admin", Role::Admin.access()).await?;
    Ok(FirstKeys { admin, approver })
}

/// Makes a tenant where there is none, and gives the keys that it begins with.
///
/// # Errors
/// See [`TenantError`].
pub async fn begin(app: &App) -> Result<Option<(TenantId, FirstKeys)>, TenantError> {
    if !records::ids(app).await?.is_empty() {
        keeper::settle(app).await?;
        return Ok(None);
    }
    let tenant = records::create_tenant(app, "First").await?;
    keeper::settle(app).await?;
    Ok(Some((tenant.id, first_keys(app, tenant.id).await?)))
}

/// A tenant's newest keys, at most as many as one range gives, the newest first.
///
/// # Errors
/// See [`ReadError`].
pub async fn list_keys(app: &App, tenant: TenantId) -> Result<Vec<ApiKey>, ReadError> {
    let range = Range::listed(&list(tenant), RANGE_MAX).backwards();
    let found = app.store.range(&range).await?;
    let keys = found
        .iter()
        .map(|found| decode(&found.record.body.bytes))
        .collect();
    Ok(keys)
}

/// A tenant's key by its id.
///
/// # Errors
/// See [`ReadError`].
pub async fn find_key(
    app: &App,
    tenant: TenantId,
    id: Id<ApiKey>,
) -> Result<Option<ApiKey>, ReadError> {
    let found: Option<ApiKey> = app.value(&place(id)).await?;
    Ok(found.filter(|key| key.tenant == tenant))
}

/// Refuses a key from now on. Where keys are remembered it may live for as long as
/// [`super::REMEMBERED_MS`] says.
///
/// # Errors
/// See [`CommitError`].
pub async fn revoke_key(
    app: &App,
    tenant: TenantId,
    id: Id<ApiKey>,
    note: &Audit,
) -> Result<Option<ApiKey>, CommitError> {
    let now = app.host.now();
    change_noted(
        app,
        &place(id),
        Some(note),
        |found: Option<ApiKey>| match found.filter(|key| key.tenant == tenant) {
            Some(key) if key.revoked_at.is_some() => (Then::Keep, Some(key)),
            Some(mut key) => {
                key.revoked_at = Some(now);
                (Then::Put(key.body()), Some(key))
            }
            None => (Then::Keep, None),
        },
    )
    .await
}

/// Notes that a key is used, once an hour. That it could not be noted keeps nobody out.
pub(super) async fn note_use(app: &App, key: &ApiKey, now: Timestamp) {
    const HOUR_MS: u64 = 60 * 60 * 1000;
    let lately = |key: &ApiKey| key.used_at.is_some_and(|used| now.ms_since(used) < HOUR_MS);
    if lately(key) {
        return;
    }
    let place = key.key();
    let noted = change(app, &place, |found: Option<ApiKey>| match found {
        Some(mut key) if !lately(&key) => {
            key.used_at = Some(now);
            (Then::Put(key.body()), ())
        }
        _ => (Then::Keep, ()),
    });
    if let Err(error) = noted.await {
        tracing::debug!(key = %key.id, %error, "the use of a key was not noted");
    }
}

/// The record that a text names, whether or not it is that key's.
pub(super) async fn named_by(app: &App, text: &str) -> Result<Option<ApiKey>, ReadError> {
    match id_in(app.config.environment, text) {
        Some(id) => app.value(&place(id)).await,
        None => Ok(None),
    }
}
