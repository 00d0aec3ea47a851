//! The frame around every page: navigation, search, the page's own title and its actions.

use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};
use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::ask::Refused;
use crate::{
    access::{Access, needs},
    ports::ReadError,
    tenants::Scope,
};

/// A page that the navigation names: where it is, what it is called, its shortcut after `g`, and the
/// route without which there is nothing to see on it.
struct Place(&'static str, &'static str, &'static str, &'static str);

/// The navigation, in its parts.
const PLACES: [(&str, &[Place]); 3] = [
    (
        "Work",
        &[
            Place("/console", "Overview", "o", "/v1/payments"),
            Place("/console/payments", "Payments", "p", "/v1/payments"),
            Place("/console/exceptions", "Exceptions", "e", "/v1/exceptions"),
            Place(
                "/console/reconciliation",
                "Reconciliation",
                "r",
                "/v1/reconciliation/runs",
            ),
            Place("/console/risk", "Risk", "f", "/v1/risk/decisions"),
            Place("/console/batches", "Batches", "b", "/v1/batches"),
        ],
    ),
    (
        "Books",
        &[
            Place("/console/accounts", "Accounts", "a", "/v1/accounts"),
            Place("/console/log", "Verifiable log", "l", "/v1/log"),
            Place("/console/audit", "Audit", "u", "/v1/audit"),
        ],
    ),
    (
        "Installation",
        &[
            Place(
                "/console/webhooks",
                "Webhooks",
                "w",
                "/v1/webhook_endpoints",
            ),
            Place("/console/settings", "Settings", "s", "/v1/settings"),
        ],
    ),
];

/// The places that somebody may look at.
fn places(access: &Access) -> Vec<(&'static str, Vec<&'static Place>)> {
    let open = |place: &&Place| access.allows(&needs("GET", place.3));
    let part = |(name, all): &(&'static str, &'static [Place])| {
        (*name, all.iter().filter(open).collect::<Vec<_>>())
    };
    let parts = PLACES.iter().map(part);
    parts.filter(|(_, places)| !places.is_empty()).collect()
}

/// A page for who is signed in, and may do what `access` says. `at` is the place in the navigation.
pub fn page(access: &Access, at: &str, title: &str, content: &Markup) -> Markup {
    let parts = places(access);
    let body = html! {
        a.skip href="#main" { "Skip to content" }
        header.top {
            a.brand href="/console" { (mark()) span { "Lombard" } }
            form.search role="search" action="/console/search" {
                label.hidden for="search" { "Search by any id or reference" }
                input #search type="search" name="q" placeholder="Any id or reference" autocomplete="off" spellcheck="false";
                kbd aria-hidden="true" { "/" }
            }
            form.out method="post" action="/console/sign-out" {
                button.quiet type="submit" { "Sign out" }
            }
        }
        nav.side aria-label="Console" {
            @for (part, places) in &parts {
                p.part #(part.to_lowercase()) { (part) }
                ul aria-labelledby=(part.to_lowercase()) {
                    @for Place(to, name, key, _) in places {
                        li {
                            a href=(to) data-go=(key) aria-current=[(*to == at).then_some("page")] { (name) }
                        }
                    }
                }
            }
            p.hint { kbd { "?" } " shows the keys" }
        }
        main #main tabindex="-1" { (content) }
        dialog #keys aria-labelledby="keys-title" {
            h2 #keys-title { "Keys" }
            dl.keys {
                dt { kbd { "/" } } dd { "Search" }
                dt { kbd { "j" } " " kbd { "k" } } dd { "Next and previous row" }
                dt { kbd { "Enter" } } dd { "Open the row" }
                @for Place(_, name, key, _) in parts.iter().flat_map(|(_, places)| places) {
                    dt { kbd { "g" } " " kbd { (key) } } dd { (name) }
                }
                dt { kbd { "?" } } dd { "This list" }
            }
            form method="dialog" { button type="submit" { "Close" } }
        }
    };
    document(title, "signed-in", &body)
}

/// A page without navigation.
pub fn bare(title: &str, content: &Markup) -> Markup {
    let body = html! { main #main.alone { (content) } };
    document(title, "bare", &body)
}

/// What the API refused, with what can be done.
pub fn refused(refused: &Refused) -> Markup {
    let (title, what) = match refused.status.as_u16() {
        404 => (
            "Not found",
            "It does not exist, or it is not yours to see. Look for it by another id.",
        ),
        403 => (
            "Not allowed",
            "Your key may not see or do this. Sign in with one that may.",
        ),
        409 => (
            "Changed meanwhile",
            "Go back, look at how it stands now, and decide again.",
        ),
        429 | 503 => ("Too much at once", "Wait a moment and try again."),
        500.. => (
            "Something failed",
            "Try again. If it stays, look for the trace in the logs.",
        ),
        _ => ("That cannot be done", "Go back and change what is named."),
    };
    let content = html! {
        h1 { (title) }
        p.lead { (refused.detail) }
        p { (what) }
        @if let Some(trace) = &refused.trace { p.meta { "Trace " code { (trace) } } }
        p { a.button href="/console" { "To the overview" } }
    };
    page(&Access::of(Scope::Read), "", title, &content)
}

/// That the store cannot be read.
pub fn unavailable(error: &ReadError) -> Response {
    tracing::warn!(%error, "who is signed in cannot be read");
    let content = html! {
        h1 { "Not now" }
        p { "The store cannot be read at the moment. Wait a moment and try again." }
    };
    (StatusCode::SERVICE_UNAVAILABLE, bare("Not now", &content)).into_response()
}

fn document(title: &str, class: &str, body: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) " · Lombard" }
                link rel="icon" href="data:,";
                link rel="stylesheet" href="/console/style.css";
                script src="/console/keys.js" defer {}
                script src="/console/live.js" defer {}
            }
            body class=(class) { (body) }
        }
    }
}

/// The mark: three coins, as over a Lombard's door.
fn mark() -> Markup {
    PreEscaped(
        r#"<svg viewBox="0 0 24 24" width="22" height="22" aria-hidden="true"><circle cx="6" cy="7" r="4"/><circle cx="18" cy="7" r="4"/><circle cx="12" cy="17" r="4"/></svg>"#
            .to_owned(),
    )
}
