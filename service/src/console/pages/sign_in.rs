//! Signing in and out.

use std::sync::Arc;

use axum::{
    extract::{RawQuery, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use maud::{Markup, html};

use crate::{
    access::Access,
    console::{Console, form::Fields, layout, session::Session},
    tenants::Scope,
};

/// Where one is asked who one is.
pub async fn page(RawQuery(query): RawQuery) -> Markup {
    let fields = Fields::parse(&query.unwrap_or_default());
    shown(fields.get("then"), None)
}

/// Signs in with an API key that the API takes.
pub async fn enter(State(console): State<Console>, fields: Fields) -> Response {
    let mut session = Session {
        key: fields.get("key").to_owned(),
        access: Arc::new(Access::of(Scope::Read)),
    };
    let tried = console.api.get::<Access>(&session, "/v1/credential").await;
    match tried {
        Ok(access) => {
            session.access = Arc::new(access);
            let cookie = console.sessions.open(session);
            let to = Redirect::to(inside(fields.get("then")));
            ([(header::SET_COOKIE, cookie)], to).into_response()
        }
        Err(refused) if refused.status == StatusCode::UNAUTHORIZED => {
            let why =
                "That key is not known. It begins with sk_ and is shown when the server starts.";
            (
                StatusCode::UNAUTHORIZED,
                shown(fields.get("then"), Some(why)),
            )
                .into_response()
        }
        Err(refused) => {
            let page = shown(fields.get("then"), Some(&refused.detail));
            (refused.status, page).into_response()
        }
    }
}

/// Signs out.
pub async fn leave(State(console): State<Console>, headers: HeaderMap, _: Fields) -> Response {
    let cookie = console.sessions.close(&headers);
    (
        [(header::SET_COOKIE, cookie)],
        Redirect::to("/console/sign-in"),
    )
        .into_response()
}

/// Only places of the console are gone on to.
fn inside(then: &str) -> &str {
    let ours = then == "/console" || then.starts_with("/console/") || then.starts_with("/console?");
    if ours { then } else { "/console" }
}

fn shown(then: &str, why: Option<&str>) -> Markup {
    let content = html! {
        h1 { "Sign in" }
        p.meta { "With an API key of your tenant. It stays on the server; your browser gets a session that ends after 15 idle minutes." }
        @if let Some(why) = why { div.note data-tone="bad" role="alert" { p { (why) } } }
        form method="post" action="/console/sign-in" {
            input type="hidden" name="then" value=(then);
            div.field {
                label for="key" { "API key" }
                input #key type="password" name="key" autocomplete="current-password" required autofocus
                    aria-invalid=[why.map(|_| "true")];
            }
            button.main type="submit" { "Sign in" }
        }
    };
    layout::bare("Sign in", &content)
}

#[cfg(test)]
mod tests {
    use super::inside;

    #[test]
    fn one_is_not_led_elsewhere() {
        assert_eq!(
            inside("/console/payments?status=FAILED"),
            "/console/payments?status=FAILED"
        );
        for elsewhere in [
            "",
            "//evil.example",
            "https://evil.example",
            "/consolex",
            "/v1/payments",
        ] {
            assert_eq!(inside(elsewhere), "/console", "{elsewhere}");
        }
    }
}
