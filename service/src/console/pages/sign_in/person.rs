//! Signing in with an account of ours, and beginning one.

use axum::{
    Extension,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use maud::html;

use super::{inside, shown, wrong};
use crate::{
    app::App,
    console::{Console, form::Fields, kept, layout},
    http::peer::Peer,
    identity::{
        entry::{BeginError, Begun, Entered, begin as end_beginning, enter as prove},
        person::PersonError,
    },
};

/// What the browser keeps of a beginning is sealed for this.
const SUBJECT: &str = "sign-in/begun";

/// Name, password and code.
pub async fn enter(
    State(console): State<Console>,
    peer: Option<Extension<Peer>>,
    fields: Fields,
) -> Response {
    let app = console.shared.app();
    let (now, peer) = (app.host.now(), peer.as_deref());
    let again = |status: StatusCode, why: &str| {
        let page = shown(console.sign_in(), fields.get("then"), Some(why));
        (status, page).into_response()
    };
    // Each costs a slow hash, as a key that was not seen yet does.
    if peer.is_some_and(|peer| peer.shows_new_key(now, &app.config.http).is_err()) {
        return again(
            StatusCode::TOO_MANY_REQUESTS,
            "Too many attempts. Wait a moment.",
        );
    }
    let (name, password) = (fields.get("name"), fields.get("password"));
    match prove(app, name, password, fields.get("code")).await {
        Ok(Entered::In(id, tenant)) => {
            let cookie = console.open(id, tenant, peer);
            let to = Redirect::to(inside(fields.get("then")));
            ([(header::SET_COOKIE, cookie)], to).into_response()
        }
        Ok(Entered::Begins) => match Begun::new(app, name, password) {
            Ok(begun) => choosing(app, &begun, None),
            Err(error) => failed(&error.into()),
        },
        Ok(Entered::No) => again(
            StatusCode::UNAUTHORIZED,
            "That is not right, or the account takes nothing for half an hour after ten failures.",
        ),
        Err(error) => failed(&error),
    }
}

/// A password is chosen, and a generator enrolled.
pub async fn begin(
    State(console): State<Console>,
    peer: Option<Extension<Peer>>,
    fields: Fields,
) -> Response {
    let app = console.shared.app();
    let Some(begun) = kept::open::<Begun>(app, SUBJECT, fields.get("begun")) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let chosen = fields.get("password");
    if chosen != fields.get("again") {
        return choosing(app, &begun, Some("The two passwords differ."));
    }
    match end_beginning(app, &begun, chosen, fields.get("code")).await {
        Ok((id, tenant)) => {
            let cookie = console.open(id, tenant, peer.as_deref());
            ([(header::SET_COOKIE, cookie)], Redirect::to("/console")).into_response()
        }
        Err(BeginError::Failed(error)) => failed(&error),
        Err(error @ BeginError::Over) => {
            let page = shown(console.sign_in(), "", Some(&error.to_string()));
            (StatusCode::CONFLICT, page).into_response()
        }
        Err(error) => choosing(app, &begun, Some(&error.to_string())),
    }
}

fn failed(error: &PersonError) -> Response {
    tracing::error!(%error, "somebody could not sign in");
    let content = html! {
        h1 { "Not now" }
        p { "That could not be looked up at the moment. Wait a moment and try again." }
    };
    let page = layout::bare("Not now", &content);
    (StatusCode::SERVICE_UNAVAILABLE, page).into_response()
}

fn choosing(app: &App, begun: &Begun, why: Option<&str>) -> Response {
    let kept = match kept::seal(app, SUBJECT, begun) {
        Ok(kept) => kept,
        Err(error) => return failed(&error.into()),
    };
    let content = html! {
        h1 { "Your account" }
        p.meta { "Choose a password of 12 characters or more, with letters and digits, and enrol a generator of one-time codes." }
        @if let Some(why) = why { (wrong(why)) }
        form method="post" action="/console/sign-in/begin" {
            input type="hidden" name="begun" value=(kept);
            input type="hidden" name="username" autocomplete="username" value=(begun.name());
            div.field {
                label for="password" { "New password" }
                input #password type="password" name="password" autocomplete="new-password" required autofocus;
            }
            div.field {
                label for="again" { "The same again" }
                input #again type="password" name="again" autocomplete="new-password" required;
            }
            p { "Enter this key in your generator, or " a href=(begun.link()) { "open it there" } ":" }
            p { code #secret { (begun.secret()) } }
            div.field {
                label for="code" { "Code that it shows" }
                input #code name="code" inputmode="numeric" autocomplete="one-time-code" required maxlength="6";
            }
            button.main type="submit" { "Begin" }
        }
    };
    let status = if why.is_some() {
        StatusCode::UNPROCESSABLE_ENTITY
    } else {
        StatusCode::OK
    };
    (status, layout::bare("Your account", &content)).into_response()
}
