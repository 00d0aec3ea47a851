//! Who is signed in.
//!
//! A session is a random token in a cookie, and here the credential that it stands for. What that
//! may do is looked up for each request, so a credential that is revoked, or may do less, ends or
//! narrows its sessions at once. Sessions live in memory: a restart signs everybody out.

use std::{collections::HashMap, sync::Arc};

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, header, request::Parts},
    response::{IntoResponse, Redirect, Response},
};
use lombard_core::{id::Id, tenant::TenantId, time::Timestamp};
use parking_lot::Mutex;

use super::{Console, layout, live};
use crate::{
    access::{Access, needs},
    app::App,
    http::peer::Peer,
    ports::{Host, ReadError},
    tenants::{self, ApiKey, Caller, Pace},
};

/// How long a session may be idle, in milliseconds (PCI DSS 8.2.8: 15 minutes).
pub const IDLE_MAX: u64 = 15 * 60 * 1000;
/// How long a session lasts at most, in milliseconds: a working day.
pub const LASTS_MAX: u64 = 12 * 60 * 60 * 1000;
/// The most sessions at once; beyond it the one that has been idle for longest ends.
const SESSIONS_MAX: usize = 10_000;
/// The header of requests that a page makes of its own accord.
const OF_ITSELF: &str = "lombard-live";
/// The cookie's name.
const COOKIE: &str = "lombard_console";

/// The sessions.
pub struct Sessions {
    host: Arc<dyn Host>,
    open: Mutex<HashMap<String, Open>>,
}

#[derive(Clone)]
struct Open {
    credential: Id<ApiKey>,
    tenant: TenantId,
    pace: Arc<Pace>,
    begun: Timestamp,
    seen: Timestamp,
}

/// A signed-in request.
pub struct Session {
    /// Who it is, and what he may do now. It decides what is shown; what is done the API decides
    /// again.
    pub caller: Caller,
    /// From where he asks.
    pub peer: Option<Peer>,
}

impl Session {
    /// What he may do.
    pub fn access(&self) -> &Access {
        &self.caller.access
    }

    /// Whether a route may be called, such as `POST /v1/payments/{id}/cancel`.
    pub fn may(&self, method: &str, route: &str) -> bool {
        self.access().allows(&needs(method, route))
    }
}

impl Sessions {
    /// No sessions yet.
    pub fn new(host: Arc<dyn Host>) -> Self {
        let open = Mutex::default();
        Self { host, open }
    }

    /// Opens a session of a credential; its token, for a cookie.
    pub fn open(&self, credential: Id<ApiKey>, tenant: TenantId) -> String {
        let token = format!("{:032x}{:032x}", self.host.random(), self.host.random());
        let now = self.host.now();
        let mut open = self.open.lock();
        if open.len() >= SESSIONS_MAX {
            let oldest = open.iter().min_by_key(|(_, session)| session.seen);
            let oldest = oldest.map(|(token, _)| token.clone());
            oldest.and_then(|token| open.remove(&token));
        }
        let fresh = Open {
            credential,
            tenant,
            pace: Arc::default(),
            begun: now,
            seen: now,
        };
        open.insert(token.clone(), fresh);
        token
    }

    /// What time it is.
    pub fn now(&self) -> Timestamp {
        self.host.now()
    }

    /// A key for a form: what it asks is done once, however often it is sent.
    pub fn fresh_key(&self) -> String {
        format!("console-{:032x}", self.host.random())
    }

    /// Ends the session of a request.
    pub fn close(&self, headers: &HeaderMap) {
        if let Some(token) = cookie(headers, COOKIE) {
            self.open.lock().remove(token);
        }
    }

    /// Whose session a request is of, while it lasts and its credential is good.
    async fn find(
        &self,
        app: &App,
        headers: &HeaderMap,
        peer: Option<&Peer>,
        by_himself: bool,
    ) -> Result<Option<Caller>, ReadError> {
        let Some((token, open)) = self.touched(headers, by_himself) else {
            return Ok(None);
        };
        let key = tenants::find_key(app, open.tenant, open.credential).await?;
        let key = key.filter(|key| key.is_good(self.host.now()));
        let caller = key.map(|key| {
            let mut caller = Caller::of(key);
            caller.pace = open.pace;
            caller
        });
        let caller = caller.filter(|it| it.may_come_from(peer.map(|peer| peer.address)));
        if caller.is_none() {
            self.open.lock().remove(token);
        }
        Ok(caller)
    }

    /// The session of a request, which is idle no more if somebody made it himself; one that lasted
    /// too long ends.
    fn touched<'a>(&self, headers: &'a HeaderMap, by_himself: bool) -> Option<(&'a str, Open)> {
        let token = cookie(headers, COOKIE)?;
        let now = self.host.now();
        let mut open = self.open.lock();
        let session = open.get_mut(token)?;
        if now.ms_since(session.seen) > IDLE_MAX || now.ms_since(session.begun) > LASTS_MAX {
            open.remove(token);
            return None;
        }
        if by_himself {
            session.seen = now;
        }
        Some((token, session.clone()))
    }
}

/// A cookie that holds a session's token, or, with an empty one, takes it from the browser.
pub fn held(token: &str, encrypted: bool) -> String {
    let secure = if encrypted { "; Secure" } else { "" };
    let ends = if token.is_empty() { "; Max-Age=0" } else { "" };
    format!("{COOKIE}={token}; Path=/console; HttpOnly; SameSite=Strict{secure}{ends}")
}

/// Whether browsers reach this server over TLS: by what is set of its address, or as this request
/// did.
pub fn is_encrypted(app: &App, peer: Option<&Peer>) -> bool {
    let url = app.config.sign_in.url.as_deref();
    url.is_some_and(|url| url.starts_with("https://")) || peer.is_some_and(|peer| peer.encrypted)
}

/// A cookie of a request.
pub fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let cookies = headers.get_all(header::COOKIE).iter();
    let pairs = cookies.filter_map(|cookie| cookie.to_str().ok());
    let mut pairs = pairs.flat_map(|cookie| cookie.split(';'));
    pairs.find_map(|pair| pair.trim().strip_prefix(name)?.strip_prefix('='))
}

impl FromRequestParts<Console> for Session {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, console: &Console) -> Result<Self, Response> {
        let peer = parts.extensions.get::<Peer>().cloned();
        let app = console.shared.app();
        // What a page asks for of its own accord keeps nobody signed in.
        let of_itself = parts.uri.path() == live::PATH || parts.headers.contains_key(OF_ITSELF);
        let found = console
            .sessions
            .find(app, &parts.headers, peer.as_ref(), !of_itself);
        match found.await {
            Ok(Some(caller)) => return Ok(Self { caller, peer }),
            Ok(None) => {}
            Err(error) => return Err(layout::unavailable(&error)),
        }
        let wanted = parts.uri.path_and_query();
        let wanted = wanted.map_or("/console", |to| to.as_str());
        let after = if parts.method == "GET" {
            wanted
        } else {
            "/console"
        };
        let query = super::words::escaped(after);
        Err(Redirect::to(&format!("/console/sign-in?then={query}")).into_response())
    }
}
