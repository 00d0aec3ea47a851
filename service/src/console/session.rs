//! Who is signed in.
//!
//! A session is a random token in a cookie, and here what it stands for. Sessions live in memory:
//! a restart signs everybody out.

use std::{collections::HashMap, sync::Arc};

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, header, request::Parts},
    response::{IntoResponse, Redirect, Response},
};
use lombard_core::time::Timestamp;
use parking_lot::Mutex;

use super::Console;
use crate::{
    access::{Access, needs},
    ports::Host,
};

/// How long a session may be idle, in milliseconds (PCI DSS 8.2.8: 15 minutes).
pub const IDLE_MAX: u64 = 15 * 60 * 1000;
/// The most sessions at once; beyond it the one that has been idle for longest ends.
const SESSIONS_MAX: usize = 10_000;
/// The cookie's name. It has no `Secure`, because a laptop serves without TLS; whoever terminates TLS
/// in front adds it.
const COOKIE: &str = "lombard_console";

/// The sessions.
pub struct Sessions {
    host: Arc<dyn Host>,
    open: Mutex<HashMap<String, Open>>,
}

struct Open {
    key: String,
    access: Arc<Access>,
    seen: Timestamp,
}

/// A signed-in request.
pub struct Session {
    /// The API key that it stands for.
    pub key: String,
    /// What the key may do, as the API said when it signed in. It decides what is shown; what is
    /// done the API decides again.
    pub access: Arc<Access>,
}

impl Session {
    /// Whether a route may be called, such as `POST /v1/payments/{id}/cancel`.
    pub fn may(&self, method: &str, route: &str) -> bool {
        self.access.allows(&needs(method, route))
    }
}

impl Sessions {
    /// No sessions yet.
    pub fn new(host: Arc<dyn Host>) -> Self {
        let open = Mutex::default();
        Self { host, open }
    }

    /// Opens a session; the cookie to set.
    pub fn open(&self, session: Session) -> String {
        let token = format!("{:032x}{:032x}", self.host.random(), self.host.random());
        let seen = self.host.now();
        let mut open = self.open.lock();
        if open.len() >= SESSIONS_MAX {
            let oldest = open.iter().min_by_key(|(_, session)| session.seen);
            let oldest = oldest.map(|(token, _)| token.clone());
            oldest.and_then(|token| open.remove(&token));
        }
        let Session { key, access } = session;
        open.insert(token.clone(), Open { key, access, seen });
        format!("{COOKIE}={token}; Path=/console; HttpOnly; SameSite=Strict")
    }

    /// What time it is.
    pub fn now(&self) -> Timestamp {
        self.host.now()
    }

    /// A key for a form: what it asks is done once, however often it is sent.
    pub fn fresh_key(&self) -> String {
        format!("console-{:032x}", self.host.random())
    }

    /// Ends the session of a request; the cookie that takes it from the browser.
    pub fn close(&self, headers: &HeaderMap) -> String {
        if let Some(token) = token(headers) {
            self.open.lock().remove(token);
        }
        format!("{COOKIE}=; Path=/console; HttpOnly; SameSite=Strict; Max-Age=0")
    }

    fn find(&self, headers: &HeaderMap) -> Option<Session> {
        let token = token(headers)?;
        let now = self.host.now();
        let mut open = self.open.lock();
        let session = open.get_mut(token)?;
        if now.ms_since(session.seen) > IDLE_MAX {
            open.remove(token);
            return None;
        }
        session.seen = now;
        Some(Session {
            key: session.key.clone(),
            access: Arc::clone(&session.access),
        })
    }
}

fn token(headers: &HeaderMap) -> Option<&str> {
    let cookies = headers.get_all(header::COOKIE).iter();
    let pairs = cookies.filter_map(|cookie| cookie.to_str().ok());
    let mut pairs = pairs.flat_map(|cookie| cookie.split(';'));
    pairs.find_map(|pair| pair.trim().strip_prefix(COOKIE)?.strip_prefix('='))
}

impl FromRequestParts<Console> for Session {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, console: &Console) -> Result<Self, Response> {
        console.sessions.find(&parts.headers).ok_or_else(|| {
            let wanted = parts
                .uri
                .path_and_query()
                .map_or("/console", |to| to.as_str());
            let after = if parts.method == "GET" {
                wanted
            } else {
                "/console"
            };
            let query = super::words::escaped(after);
            Redirect::to(&format!("/console/sign-in?then={query}")).into_response()
        })
    }
}
