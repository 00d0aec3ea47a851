//! Signing in with an OpenID provider: the authorization code flow with PKCE (RFC 7636).
//!
//! **Shape.** [`begin`] gives where to send the browser, and what it is to bring back
//! ([`Pending`], sealed in a cookie: nothing is kept here of who never comes back). [`finish`]
//! holds what comes back against it, exchanges the code, checks the identity token, and gives the
//! credential of the person, made at his first sign-in and with the roles of his last one.
//!
//! **Invariants.** A code is taken only from the browser that asked for it (state), its token only
//! for that sign-in (nonce), from the provider that was asked (issuer), for us (audience). Whoever
//! has no role of ours gets nothing, and whose credential was revoked here does not come in again
//! because the provider still knows him.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use lombard_core::{
    audit::{self, Audit},
    id::Id,
    store::Snapshot,
    tenant::TenantId,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::{
    Claims, Issuer, TokenError,
    person::{Person, PersonError, Who},
};
use crate::{
    access::{Access, Role},
    app::App,
    config::SignInConfig,
    ports::CommitError,
    tenants::{self, ApiKey},
};

/// Where the provider sends people back to, after the server's own address.
pub const RETURN_PATH: &str = "/console/sign-in/return";
/// For how long a sign-in that has begun can be finished, in milliseconds.
pub const PENDING_MS: u64 = 10 * 60 * 1000;
/// How often the record of a person is written before his rival has won.
const TRIES_MAX: u32 = 4;

/// A sign-in that has begun.
#[derive(Serialize, Deserialize)]
pub struct Pending {
    state: String,
    nonce: String,
    verifier: String,
    /// Where he wanted to go.
    pub then: String,
    until: Timestamp,
}

/// Why somebody is not signed in.
#[derive(Debug, thiserror::Error)]
pub enum CodeError {
    /// What came back is not what was asked for.
    #[error("what came back is not what was asked for: {0}")]
    NotAsked(&'static str),
    /// The provider refused, in its words.
    #[error("the provider refused: {0}")]
    Refused(String),
    /// He has no role here, or may not come in.
    #[error("{0}")]
    NotAllowed(&'static str),
    /// The provider's token is not taken, or it cannot be asked.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The machine failed.
    #[error(transparent)]
    Failed(#[from] PersonError),
}

/// What is settled for signing in with a provider.
struct Settled<'a> {
    config: &'a SignInConfig,
    tenant: TenantId,
    back: String,
}

fn settled(app: &App) -> Result<Settled<'_>, CodeError> {
    let config = &app.config.sign_in;
    let (Some(url), Some(tenant)) = (&config.url, config.tenant) else {
        return Err(CodeError::NotAsked(
            "no `sign_in.url` or `sign_in.tenant` is set",
        ));
    };
    let back = format!("{}{RETURN_PATH}", url.trim_end_matches('/'));
    Ok(Settled {
        config,
        tenant,
        back,
    })
}

/// Where to send the browser, and what is pending then.
///
/// # Errors
/// See [`CodeError`].
pub async fn begin(app: &App, issuer: &Issuer, then: &str) -> Result<(String, Pending), CodeError> {
    let Settled { config, back, .. } = settled(app)?;
    let metadata = issuer.metadata(app.host.now()).await?;
    let endpoint = metadata.authorization_endpoint.as_deref();
    let endpoint = endpoint.ok_or(CodeError::NotAsked("the provider signs nobody in"))?;
    let random = || format!("{:032x}{:032x}", app.host.random(), app.host.random());
    let pending = Pending {
        state: random(),
        nonce: random(),
        verifier: random(),
        then: then.to_owned(),
        until: app.host.now().plus_ms(PENDING_MS),
    };
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(&pending.verifier));
    let query = form_urlencoded::Serializer::new(String::new())
        .append_pair("response_type", "code")
        .append_pair("client_id", &config.client_id)
        .append_pair("redirect_uri", &back)
        .append_pair("scope", &config.scopes)
        .append_pair("state", &pending.state)
        .append_pair("nonce", &pending.nonce)
        .append_pair("code_challenge", &challenge)
        .append_pair("code_challenge_method", "S256")
        .finish();
    let glue = if endpoint.contains('?') { '&' } else { '?' };
    Ok((format!("{endpoint}{glue}{query}"), pending))
}

/// What a provider sends somebody back with.
#[derive(Debug, Default)]
pub struct Back<'a> {
    /// To be exchanged for tokens.
    pub code: &'a str,
    /// What we gave.
    pub state: &'a str,
    /// Who says so (RFC 9207); empty where the provider does not say.
    pub issuer: &'a str,
    /// Why it did not let him in; empty when it did.
    pub error: &'a str,
}

/// Ends a sign-in: the person's credential.
///
/// # Errors
/// See [`CodeError`].
pub async fn finish(
    app: &App,
    issuer: &Issuer,
    pending: &Pending,
    back: &Back<'_>,
) -> Result<(Id<ApiKey>, TenantId), CodeError> {
    let now = app.host.now();
    let same = pending.state.as_bytes().ct_eq(back.state.as_bytes());
    if !bool::from(same) || pending.until <= now {
        return Err(CodeError::NotAsked("state"));
    }
    if !back.issuer.is_empty() && back.issuer != issuer.url() {
        return Err(CodeError::NotAsked("issuer"));
    }
    if !back.error.is_empty() {
        return Err(CodeError::Refused(back.error.chars().take(100).collect()));
    }
    let token = exchange(app, issuer, pending, back.code).await?;
    let client = &app.config.sign_in.client_id;
    let claims = issuer.verify(&token, Some(client), now).await?;
    let nonce = claims.text("nonce").as_bytes();
    if !bool::from(nonce.ct_eq(pending.nonce.as_bytes())) {
        return Err(CodeError::NotAsked("nonce"));
    }
    // A token for several is for us only if we are who it was issued to (OIDC Core, 3.1.3.7).
    let several = claims.others.get("aud").and_then(Value::as_array);
    let issued_to = claims.text("azp");
    if (several.is_some_and(|all| all.len() > 1) || !issued_to.is_empty()) && issued_to != client {
        return Err(CodeError::NotAsked("authorized party"));
    }
    let config = &app.config.sign_in;
    if let Some(wanted) = &config.amr
        && !texts(claims.others.get("amr")).contains(wanted)
    {
        return Err(CodeError::NotAllowed(
            "Sign in at your provider with a second factor.",
        ));
    }
    let roles = roles(config, &claims);
    if roles.is_empty() {
        return Err(CodeError::NotAllowed(
            "Your provider gives you no role here.",
        ));
    }
    admit(app, &claims, Role::together(&roles)).await
}

/// Exchanges the code for the identity token.
async fn exchange(
    app: &App,
    issuer: &Issuer,
    pending: &Pending,
    code: &str,
) -> Result<String, CodeError> {
    #[derive(Deserialize)]
    struct Tokens {
        id_token: String,
    }
    let Settled { config, back, .. } = settled(app)?;
    let metadata = issuer.metadata(app.host.now()).await?;
    let endpoint = metadata.token_endpoint.as_deref();
    let endpoint = endpoint.ok_or(CodeError::NotAsked("the provider exchanges no codes"))?;
    let mut form = vec![
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", &back),
        ("client_id", &config.client_id),
        ("code_verifier", &pending.verifier),
    ];
    let methods = &metadata.token_endpoint_auth_methods_supported;
    let has = |name: &str| methods.iter().any(|method| method == name);
    // Basic unless the provider says that it takes the other alone (Discovery, section 3).
    let in_form = has("client_secret_post") && !has("client_secret_basic");
    let secret = config.client_secret.as_deref();
    let client = match secret {
        Some(secret) if in_form => {
            form.push(("client_secret", secret));
            None
        }
        secret => secret.map(|secret| (config.client_id.as_str(), secret)),
    };
    let form = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(form)
        .finish();
    let tokens: Tokens = issuer.post(endpoint, form, client).await?;
    Ok(tokens.id_token)
}

/// The texts of a claim: of a list, or of one text with spaces between them.
fn texts(claim: Option<&Value>) -> Vec<String> {
    match claim {
        Some(Value::Array(all)) => {
            let all = all.iter().filter_map(Value::as_str);
            all.map(str::to_owned).collect()
        }
        Some(Value::String(all)) => all.split_whitespace().map(str::to_owned).collect(),
        _ => Vec::new(),
    }
}

fn roles(config: &SignInConfig, claims: &Claims) -> Vec<Role> {
    let name = config.roles_claim.as_str();
    let claim = match name.strip_prefix('/') {
        Some(path) => {
            let (first, rest) = path.split_once('/').unwrap_or((path, ""));
            let first = claims.others.get(first);
            let rest = if rest.is_empty() {
                String::new()
            } else {
                format!("/{rest}")
            };
            first.and_then(|it| it.pointer(&rest))
        }
        None => claims.others.get(name),
    };
    let role = |text: &String| match config.roles.is_empty() {
        true => Role::ALL.into_iter().find(|role| role.name() == text),
        false => config.roles.get(text).copied(),
    };
    texts(claim).iter().filter_map(role).collect()
}

/// The credential of somebody who is vouched for: made at his first sign-in, and given what he
/// may do now.
async fn admit(
    app: &App,
    claims: &Claims,
    access: Access,
) -> Result<(Id<ApiKey>, TenantId), CodeError> {
    let tenant = settled(app)?.tenant;
    let place = Who::Vouched(&claims.iss, &claims.sub).place(app);
    for _ in 0..TRIES_MAX {
        let mut read = Snapshot::default();
        let found = app.get(&place).await.map_err(PersonError::from)?;
        read.put(place.clone(), found);
        let known: Option<Person> = read.value(&place);
        let fresh = tenants::person(app, tenant, access.clone());
        let own = known
            .as_ref()
            .map_or_else(|| fresh.key(), |it| tenants::place(it.credential));
        let found = app.get(&own).await.map_err(PersonError::from)?;
        read.put(own.clone(), found);
        let now = app.host.now();
        let mut key = match read.value::<ApiKey>(&own) {
            Some(key) if key.tenant == tenant && key.is_good(now) => key,
            Some(_) => return Err(CodeError::NotAllowed("Your access was revoked here.")),
            None => fresh,
        };
        key.access = access.clone();
        let mut writes = read.checks();
        writes.put(&own, key.body());
        if known.is_none() {
            let label = [
                claims.text("preferred_username"),
                claims.text("email"),
                &claims.sub,
            ];
            let label = label.into_iter().find(|text| !text.is_empty());
            let person = Person::vouched(app, &key, label.unwrap_or_default());
            writes.put(&place, person.map_err(PersonError::from)?.body());
        }
        let who = key.actor();
        let note = Audit::new(
            Id::new(now, app.host.random()),
            tenant,
            now,
            &who,
            "sign_in",
        );
        audit::enter(&mut writes, &note.on(key.id));
        match app.store.commit(&writes).await {
            Ok(()) => return Ok((key.id, tenant)),
            Err(CommitError::Conflict(_) | CommitError::Unknown(_)) => {}
            Err(error) => return Err(PersonError::from(error).into()),
        }
    }
    Err(CodeError::NotAllowed(
        "You are signing in somewhere else at the same time. Try again.",
    ))
}
