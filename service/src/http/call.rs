//! Who calls, and under which trace: checked before anything of the request is looked at.

use std::str::FromStr;

use axum::{
    extract::{FromRequestParts, MatchedPath, RawPathParams},
    http::{Method, header, request::Parts},
};
use lombard_core::{
    audit::Audit,
    command::{Act, Command},
    id::{Id, Named},
    idempotency::Idempotency,
    tenant::TenantId,
};

use super::{Api, error::ErrorCode, problem::Problem, trace::TraceContext};
use super::{peer::Peer, proposals::Approved};
use crate::{
    access::{Access, needs},
    ports::Host,
    tenants::{Caller, Shown},
};

/// That somebody signed in makes a request. Only this process puts it among a request's
/// extensions; nothing that comes over a connection does.
#[derive(Clone)]
pub struct SignedIn(pub Caller);

/// An authenticated request.
#[derive(Clone, Debug)]
pub struct Call {
    caller: Caller,
    trace: TraceContext,
    approved: bool,
}

impl Call {
    fn of(caller: Caller, parts: &Parts, api: &Api) -> Self {
        let trace = parts.extensions.get::<TraceContext>().copied();
        let trace =
            trace.unwrap_or_else(|| TraceContext::of(&parts.headers, api.app().host.random()));
        Self {
            caller,
            trace,
            approved: parts.extensions.get::<Approved>().is_some(),
        }
    }

    /// Whether a credential that may do what `access` says can be handed out: alone only what the
    /// caller may do himself, anything else once somebody else has approved it.
    ///
    /// # Errors
    /// `approval_needed`.
    pub fn may_hand_out(&self, access: &Access) -> Result<(), Problem> {
        match self.approved || access.is_within(&self.caller.access) {
            true => Ok(()),
            false => Err(Problem::new(ErrorCode::ApprovalNeeded)),
        }
    }

    /// For whom it is made.
    #[must_use]
    pub const fn tenant(&self) -> TenantId {
        self.caller.tenant
    }

    /// Who makes it.
    #[must_use]
    pub const fn caller(&self) -> &Caller {
        &self.caller
    }

    /// The trace that it belongs to.
    #[must_use]
    pub const fn trace(&self) -> &TraceContext {
        &self.trace
    }

    /// That the caller does something to what is its own.
    #[must_use]
    pub fn note(&self, host: &dyn Host, what: &str, thing: impl ToString) -> Audit {
        let (now, tenant) = (host.now(), self.caller.tenant);
        Audit::new(
            Id::new(now, host.random()),
            tenant,
            now,
            &self.caller.actor,
            what,
        )
        .on(thing)
        .traced(Some(self.trace.trace_id()))
    }

    /// The trace that it came under, in hexadecimal.
    #[must_use]
    pub fn trace_id(&self) -> String {
        self.trace.trace_id()
    }

    /// The command that carries out `act` for the caller, once for the key.
    #[must_use]
    pub fn command(self, idempotency: Idempotency, act: Act) -> Command {
        Command {
            tenant: self.caller.tenant,
            actor: self.caller.actor,
            trace: Some(self.trace.trace_id()),
            idempotency: Some(idempotency),
            act,
        }
    }
}

impl FromRequestParts<Api> for Call {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Problem> {
        if let Some(Approved(caller)) = parts.extensions.get().cloned() {
            return Ok(Self::of(caller, parts, api));
        }
        let (app, peer) = (api.app(), parts.extensions.get::<Peer>());
        let caller = match parts.extensions.get().cloned() {
            Some(SignedIn(caller)) => caller,
            None => proven(parts, peer, api).await?,
        };
        if !caller.may_come_from(peer.map(|peer| peer.address)) {
            return Err(Problem::new(ErrorCode::AddressNotAllowed));
        }
        let rate = app.config.http.requests_per_second_max;
        let paced = caller.pace.ask(app.host.now(), rate);
        paced.map_err(|ms| Problem::new(ErrorCode::RateLimited).after_ms(ms))?;
        let route = parts.extensions.get::<MatchedPath>();
        let route = route.map_or("", MatchedPath::as_str);
        if !caller.access.allows(&needs(parts.method.as_str(), route)) {
            return Err(Problem::new(ErrorCode::Forbidden));
        }
        // A machine pays under its mandate, and does nothing else.
        let pays = parts.method == Method::POST && route == "/v1/payments";
        if caller.agency.is_some() && parts.method != Method::GET && !pays {
            return Err(Problem::new(ErrorCode::Forbidden));
        }
        if app.config.approvals.holds(parts.method.as_str(), route) {
            return Err(Problem::new(ErrorCode::ApprovalNeeded));
        }
        Ok(Self::of(caller, parts, api))
    }
}

/// Who shows a key or a token.
async fn proven(parts: &Parts, peer: Option<&Peer>, api: &Api) -> Result<Caller, Problem> {
    let shown = bearer(parts).ok_or(Problem::new(ErrorCode::Unauthenticated))?;
    let app = api.app();
    let (now, limits) = (app.host.now(), &app.config.http);
    let may_try = || peer.map_or(Ok(()), |peer| peer.shows_new_key(now, limits));
    match api.keys().find(app, shown, may_try).await? {
        Shown::Caller(caller) => Ok(caller),
        Shown::Nobody => Err(Problem::new(ErrorCode::Unauthenticated)),
        Shown::Later(ms) => Err(Problem::new(ErrorCode::RateLimited).after_ms(ms)),
    }
}

/// The token of `Authorization: Bearer …` (RFC 6750), if there is exactly one.
fn bearer(parts: &Parts) -> Option<&str> {
    let mut values = parts.headers.get_all(header::AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return None;
    };
    let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then(|| token.trim_matches(' '))
}

/// The `{id}` of the path. Text that is no such id names nothing: 404.
pub struct PathId<T>(pub Id<T>);

impl<T: Named, S: Send + Sync> FromRequestParts<S> for PathId<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        path_text(parts, state)
            .await?
            .parse()
            .map(Self)
            .map_err(|_| Problem::not_found())
    }
}

/// The `{id}` of the path, of any type that can be read from text.
#[derive(Debug)]
pub struct PathOf<T>(pub T);

impl<T: FromStr, S: Send + Sync> FromRequestParts<S> for PathOf<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        path_text(parts, state)
            .await?
            .parse()
            .map(Self)
            .map_err(|_| Problem::not_found())
    }
}

async fn path_text<S: Send + Sync>(parts: &mut Parts, state: &S) -> Result<String, Problem> {
    let params = RawPathParams::from_request_parts(parts, state).await;
    let params = params.map_err(|_| Problem::not_found())?;
    let found = params.iter().find(|(name, _)| *name == "id");
    found
        .map(|(_, text)| text.to_owned())
        .ok_or(Problem::not_found())
}
