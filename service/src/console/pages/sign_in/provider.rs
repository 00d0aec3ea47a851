//! Signing in with an OpenID provider. See [`crate::identity::code`].

use axum::{
    Extension,
    extract::{RawQuery, State},
    http::{HeaderMap, StatusCode, header},
    response::{AppendHeaders, IntoResponse, Redirect, Response},
};
use maud::html;

use super::{inside, shown};
use crate::{
    console::{
        Console,
        form::Fields,
        kept, layout,
        session::{cookie, is_encrypted},
    },
    http::peer::Peer,
    identity::{
        TokenError,
        code::{self, Back, CodeError, PENDING_MS, Pending},
    },
};

/// The cookie that holds what is pending. A browser sends it along when the provider sends
/// somebody back, which is a step from another site: it cannot be `Strict`.
const COOKIE: &str = "lombard_sign_in";
/// What it holds is sealed for this.
const SUBJECT: &str = "sign-in/pending";

fn pending_cookie(value: &str, encrypted: bool, seconds: u64) -> String {
    let secure = if encrypted { "; Secure" } else { "" };
    format!(
        "{COOKIE}={value}; Path=/console/sign-in; HttpOnly; SameSite=Lax; Max-Age={seconds}{secure}"
    )
}

/// Sends somebody to the provider.
pub async fn go(
    State(console): State<Console>,
    peer: Option<Extension<Peer>>,
    RawQuery(query): RawQuery,
) -> Response {
    let fields = Fields::parse(&query.unwrap_or_default());
    let app = console.shared.app();
    let Some(issuer) = console.shared.keys().issuers().of_people() else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let begun = code::begin(app, issuer, inside(fields.get("then"))).await;
    let begun = begun.and_then(|(to, pending)| {
        let sealed = kept::seal(app, SUBJECT, &pending);
        Ok((to, sealed.map_err(|error| CodeError::Failed(error.into()))?))
    });
    match begun {
        Ok((to, kept)) => {
            let encrypted = is_encrypted(app, peer.as_deref());
            let kept = pending_cookie(&kept, encrypted, PENDING_MS / 1000);
            ([(header::SET_COOKIE, kept)], Redirect::to(&to)).into_response()
        }
        Err(error) => refused(&console, &error),
    }
}

/// Takes somebody back from the provider.
pub async fn back(
    State(console): State<Console>,
    peer: Option<Extension<Peer>>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    let fields = Fields::parse(&query.unwrap_or_default());
    let app = console.shared.app();
    let Some(issuer) = console.shared.keys().issuers().of_people() else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let pending = cookie(&headers, COOKIE);
    let pending = pending.and_then(|text| kept::open::<Pending>(app, SUBJECT, text));
    let Some(pending) = pending else {
        return refused(&console, &CodeError::NotAsked("nothing is pending"));
    };
    let said = Back {
        code: fields.get("code"),
        state: fields.get("state"),
        issuer: fields.get("iss"),
        error: fields.get("error"),
    };
    match code::finish(app, issuer, &pending, &said).await {
        Ok((id, tenant)) => {
            let session = console.open(id, tenant, peer.as_deref());
            let done = pending_cookie("", is_encrypted(app, peer.as_deref()), 0);
            let cookies =
                AppendHeaders([(header::SET_COOKIE, session), (header::SET_COOKIE, done)]);
            // A redirect would still be a step from the provider's site, on which browsers
            // hold a `Strict` cookie back; a page of ours that goes on is one of our own.
            (cookies, going_on(&pending.then)).into_response()
        }
        Err(error) => refused(&console, &error),
    }
}

fn going_on(to: &str) -> Response {
    let content = html! {
        h1 { "You are signed in" }
        p { a.button href=(to) { "Go on" } }
    };
    let page = layout::bare("Signed in", &content);
    let refresh = format!("0; url={to}");
    ([(header::REFRESH, refresh)], page).into_response()
}

/// Why somebody is not in: what he can do about is said, all else is for the log.
fn refused(console: &Console, error: &CodeError) -> Response {
    let (status, why) = match error {
        CodeError::NotAllowed(why) => (StatusCode::FORBIDDEN, *why),
        CodeError::Refused(_) => (StatusCode::FORBIDDEN, "Your provider did not let you in."),
        CodeError::NotAsked(_) | CodeError::Token(TokenError::Refused(_)) => {
            (StatusCode::BAD_REQUEST, "That did not work. Begin again.")
        }
        CodeError::Token(TokenError::Unavailable(_)) | CodeError::Failed(_) => {
            let why = "Your provider cannot be asked at the moment. Try again.";
            (StatusCode::SERVICE_UNAVAILABLE, why)
        }
    };
    tracing::warn!(%error, "a sign-in with the provider failed");
    (status, shown(console.sign_in(), "", Some(why))).into_response()
}
