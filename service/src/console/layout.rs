//! The frame around every page: navigation, search, the page's own title and its actions.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::ask::Refused;

/// The pages that the navigation names: where, what, and its shortcut after `g`.
const PAGES: [(&str, &str, &str); 7] = [
    ("/console", "Overview", "o"),
    ("/console/payments", "Payments", "p"),
    ("/console/exceptions", "Exceptions", "e"),
    ("/console/accounts", "Accounts", "a"),
    ("/console/log", "Verifiable log", "l"),
    ("/console/batches", "Batches", "b"),
    ("/console/webhooks", "Webhooks", "w"),
];

/// A page for who is signed in. `at` is the place in the navigation.
pub fn page(at: &str, title: &str, content: &Markup) -> Markup {
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
            ul {
                @for (to, name, key) in PAGES {
                    li {
                        a href=(to) data-go=(key) aria-current=[(to == at).then_some("page")] { (name) }
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
                @for (_, name, key) in PAGES {
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
            "Your key may look and not act. Sign in with one that may act.",
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
    page("", title, &content)
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
