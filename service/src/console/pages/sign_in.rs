//! Signing in and out: with an account of ours ([`person`]), with one that a provider vouches for
//! ([`provider`]), or with an API key.

pub mod person;
pub mod provider;

use axum::{
    Extension,
    extract::{RawQuery, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use lombard_core::{id::Id, tenant::TenantId};
use maud::{Markup, html};
use serde::Deserialize;

use crate::{
    config::SignInConfig,
    console::{
        Console,
        form::Fields,
        layout,
        session::{held, is_encrypted},
    },
    http::peer::Peer,
    tenants::ApiKey,
};

/// Where one is asked who one is.
pub async fn page(State(console): State<Console>, RawQuery(query): RawQuery) -> Markup {
    let fields = Fields::parse(&query.unwrap_or_default());
    shown(console.sign_in(), fields.get("then"), None)
}

/// Signs in with an API key that the API takes.
pub async fn by_key(
    State(console): State<Console>,
    peer: Option<Extension<Peer>>,
    fields: Fields,
) -> Response {
    #[derive(Deserialize)]
    struct Known {
        id: Id<ApiKey>,
        tenant: TenantId,
    }
    let again = |status: StatusCode, why: &str| {
        let page = shown(console.sign_in(), fields.get("then"), Some(why));
        (status, page).into_response()
    };
    if !console.sign_in().api_keys {
        return again(StatusCode::FORBIDDEN, "API keys sign nobody in here.");
    }
    let (key, peer) = (fields.get("key"), peer.as_deref());
    let tried = console.api.get_by_key::<Known>(key, peer, "/v1/credential");
    match tried.await {
        Ok(known) => {
            let cookie = console.open(known.id, known.tenant, peer);
            let to = Redirect::to(inside(fields.get("then")));
            ([(header::SET_COOKIE, cookie)], to).into_response()
        }
        Err(refused) if refused.status == StatusCode::UNAUTHORIZED => again(
            StatusCode::UNAUTHORIZED,
            "That key is not known. It begins with sk_ and is shown when the server starts.",
        ),
        Err(refused) => again(refused.status, &refused.detail),
    }
}

/// Signs out.
pub async fn leave(State(console): State<Console>, headers: HeaderMap, _: Fields) -> Response {
    console.sessions.close(&headers);
    let taken = held("", false);
    let to = Redirect::to("/console/sign-in");
    ([(header::SET_COOKIE, taken)], to).into_response()
}

impl Console {
    fn sign_in(&self) -> &SignInConfig {
        &self.shared.app().config.sign_in
    }

    /// Opens a session; the cookie that holds it.
    fn open(&self, id: Id<ApiKey>, tenant: TenantId, peer: Option<&Peer>) -> String {
        let token = self.sessions.open(id, tenant);
        held(&token, is_encrypted(self.shared.app(), peer))
    }
}

/// Only places of the console are gone on to.
fn inside(then: &str) -> &str {
    let ours = then == "/console" || then.starts_with("/console/") || then.starts_with("/console?");
    if ours { then } else { "/console" }
}

/// What is said of whatever went wrong.
fn wrong(why: &str) -> Markup {
    html! { div.note data-tone="bad" role="alert" { p { (why) } } }
}

fn shown(config: &SignInConfig, then: &str, why: Option<&str>) -> Markup {
    let to_provider = super::super::parts::query(&[("then", then)]);
    let content = html! {
        h1 { "Sign in" }
        p.meta { "Your session ends after 15 idle minutes." }
        @if let Some(why) = why { (wrong(why)) }
        @if config.issuer.is_some() {
            p { a.button href={ "/console/sign-in/provider?" (to_provider) } { "Go on with your organisation" } }
        }
        form method="post" action="/console/sign-in/person" {
            input type="hidden" name="then" value=(then);
            div.field {
                label for="name" { "Name" }
                input #name name="name" autocomplete="username" required autofocus;
            }
            div.field {
                label for="password" { "Password" }
                input #password type="password" name="password" autocomplete="current-password" required;
            }
            div.field {
                label for="code" { "Code of your generator" }
                input #code name="code" inputmode="numeric" autocomplete="one-time-code" maxlength="6";
            }
            button.main type="submit" { "Sign in" }
        }
        @if config.api_keys {
            h2 { "With an API key" }
            form method="post" action="/console/sign-in" {
                input type="hidden" name="then" value=(then);
                div.field {
                    label for="key" { "API key" }
                    input #key type="password" name="key" autocomplete="off" required;
                }
                button type="submit" { "Use the key" }
            }
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
