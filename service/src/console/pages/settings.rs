//! Who may do what, and what is set: to be looked at. Changes are made in the configuration and
//! over the API, where they are reviewed and on record.

use axum::extract::State;
use maud::{Markup, html};
use serde_json::Value;

use crate::console::{
    ask::{ApiRouter, Refused},
    layout,
    parts::{facts, heading, list, money, number, pill, text, time, whole_id},
    session::Session,
    words::grouped,
};

/// The page: of keys and mandates what who is signed in may see.
pub async fn page(State(api): State<ApiRouter>, session: Session) -> Result<Markup, Refused> {
    let (own, settings) = tokio::try_join!(
        api.get::<Value>(&session, "/v1/credential"),
        api.get::<Value>(&session, "/v1/settings"),
    )?;
    let of = async |route: &str| match session.may("GET", route) {
        true => api.list(&session, route, &[]).await.map(Some),
        false => Ok(None),
    };
    let keys = match session.may("GET", "/v1/api_keys") {
        // They come all at once.
        true => Some(api.get::<Value>(&session, "/v1/api_keys").await?),
        false => None,
    };
    let people = match session.may("GET", "/v1/people") {
        true => Some(api.get::<Value>(&session, "/v1/people").await?),
        false => None,
    };
    let mandates = of("/v1/mandates").await?;
    let content = html! {
        (heading(&html! { "Settings" (pill(text(&settings, "environment"), "open")) }, &html! {}))
        div.columns {
            section.card { h2 { "Signed in as" } (own_of(&own)) }
            section.card { h2 { "Takes two" } (approvals(&settings["approvals"])) }
        }
        @if let Some(keys) = &keys { section.card { h2 { "API keys" } (keys_of(list(keys, "data"))) } }
        @if let Some(people) = &people { section.card { h2 { "People" } (people_of(list(people, "data"))) } }
        @if let Some(mandates) = &mandates { section.card { h2 { "Mandates of machines" } (mandates_of(list(mandates, "data"))) } }
        section.card { h2 { "Objectives" } (objectives(list(&settings, "objectives"))) }
        div.columns {
            section.card { h2 { "Limits" } (limits(&settings)) }
            section.card { h2 { "Connected" } (connected(&settings)) }
        }
    };
    Ok(layout::page(
        session.access(),
        "/console/settings",
        "Settings",
        &content,
    ))
}

fn words(all: &[Value]) -> String {
    let words: Vec<_> = all.iter().filter_map(Value::as_str).collect();
    if words.is_empty() {
        return "none".to_owned();
    }
    words.join(", ")
}

fn own_of(own: &Value) -> Markup {
    facts(&[
        ("Key", whole_id(text(own, "id"))),
        ("Tenant", whole_id(text(own, "tenant"))),
        ("May", html! { (text(own, "scope")) }),
        ("Grants", html! { (words(list(own, "grants"))) }),
    ])
}

fn approvals(set: &Value) -> Markup {
    let above = match number(set, "payments_above") {
        0 => html! { "no payment" },
        above => html! { span.figure { (grouped(above)) } " minor units" },
    };
    facts(&[
        ("Payments above", above),
        ("Operations", html! { (words(list(set, "operations"))) }),
    ])
}

fn keys_of(keys: &[Value]) -> Markup {
    html! {
        div.scroll tabindex="0" { table {
            thead { tr { th scope="col" { "Name" } th scope="col" { "Begins with" } th scope="col" { "May" } th scope="col" { "Grants" } th scope="col" { "Made (UTC)" } th scope="col" { "Last used (UTC)" } th scope="col" { "State" } } }
            tbody {
                @for key in keys {
                    tr {
                        td { (text(key, "name")) }
                        td { code { (text(key, "hint")) } }
                        td { (text(key, "scope")) }
                        td.words { (words(list(key, "grants"))) }
                        td { (time(text(key, "created_at"))) }
                        td { @if !text(key, "last_used_at").is_empty() { (time(text(key, "last_used_at"))) } @else { "never" } }
                        td { @if text(key, "revoked_at").is_empty() { (pill("active", "good")) } @else { (pill("revoked", "bad")) } }
                    }
                }
            }
        } }
    }
}

fn people_of(people: &[Value]) -> Markup {
    html! {
        @if people.is_empty() {
            p.meta { "Nobody signs in with an account. " code { "POST /v1/people" } " makes one, with a password for the first time." }
        } @else {
            div.scroll tabindex="0" { table {
                thead { tr { th scope="col" { "Name" } th scope="col" { "Account" } th scope="col" { "May" } th scope="col" { "Grants" } th scope="col" { "Codes" } th scope="col" { "Made (UTC)" } th scope="col" { "State" } } }
                tbody {
                    @for person in people {
                        tr {
                            td { (text(person, "name")) }
                            td { @if text(person, "kind") == "provider" { "of the provider" } @else { "here" } }
                            td { (text(person, "scope")) }
                            td.words { (words(list(person, "grants"))) }
                            td { @if person["enrolled"] == true { "enrolled" } @else { "not yet" } }
                            td { (time(text(person, "created_at"))) }
                            td {
                                @if !text(person, "revoked_at").is_empty() { (pill("revoked", "bad")) }
                                @else if person["locked"] == true { (pill("locked", "doubt")) }
                                @else { (pill("active", "good")) }
                            }
                        }
                    }
                }
            } }
        }
    }
}

fn mandates_of(mandates: &[Value]) -> Markup {
    html! {
        @if mandates.is_empty() { p.meta { "No machine may pay." } } @else {
            div.scroll tabindex="0" { table {
                thead { tr { th scope="col" { "Mandate" } th scope="col" { "Machine" } th scope="col" { "For" } th.right scope="col" { "Each at most" } th.right scope="col" { "In all" } } }
                tbody {
                    @for mandate in mandates {
                        @let currency = text(mandate, "currency");
                        tr {
                            td { code { (text(mandate, "id")) } }
                            td { (text(mandate, "agent")) }
                            td { (text(mandate, "human")) }
                            td.right { (money(number(mandate, "amount_each_max"), currency)) }
                            td.right { (money(number(mandate, "amount_total_max"), currency)) }
                        }
                    }
                }
            } }
        }
    }
}

fn objectives(all: &[Value]) -> Markup {
    html! {
        div.scroll tabindex="0" { table {
            thead { tr { th scope="col" { "Objective" } th scope="col" { "What is promised" } th.right scope="col" { "Good" } th.right scope="col" { "Within" } } }
            tbody {
                @for one in all {
                    tr {
                        td { (text(one, "name")) }
                        td { (text(one, "what")) }
                        td.right.figure { (percent(number(one, "good_ppm"))) }
                        td.right.figure { @if one["within_ms"].is_number() { (number(one, "within_ms")) " ms" } @else { "–" } }
                    }
                }
            }
        } }
    }
}

/// Millionths as a percentage without noughts at its end: 999900 is `99.99 %`.
fn percent(ppm: u64) -> String {
    let text = format!("{}.{:04}", ppm / 10_000, ppm % 10_000);
    format!("{} %", text.trim_end_matches('0').trim_end_matches('.'))
}

fn limits(settings: &Value) -> Markup {
    let (limits, webhooks) = (&settings["limits"], &settings["webhooks"]);
    let figure = |of: &Value, name: &str, unit: &str| html! { span.figure { (grouped(number(of, name))) } " " (unit) };
    facts(&[
        (
            "A request's body",
            figure(limits, "body_bytes_max", "bytes"),
        ),
        ("A batch's body", figure(limits, "batch_bytes_max", "bytes")),
        (
            "Of one key",
            figure(limits, "requests_per_second_max", "requests a second"),
        ),
        (
            "Of one address",
            figure(
                limits,
                "requests_per_second_per_address_max",
                "requests a second",
            ),
        ),
        ("A webhook's try", figure(webhooks, "timeout_ms", "ms")),
        ("Deliveries kept", figure(webhooks, "kept_days", "days")),
    ])
}

fn connected(settings: &Value) -> Markup {
    let sources = list(settings, "sources").iter();
    let sources: Vec<_> = sources.map(|source| text(source, "name")).collect();
    facts(&[
        ("Rails", html! { (words(list(settings, "rails"))) }),
        ("Providers", html! { (words(list(settings, "providers"))) }),
        (
            "Sources with rules",
            html! { @if sources.is_empty() { "none" } @else { (sources.join(", ")) } },
        ),
    ])
}

#[cfg(test)]
mod tests {
    use super::percent;

    #[test]
    fn shares_in_words() {
        assert_eq!(percent(999_900), "99.99 %");
        assert_eq!(percent(1_000_000), "100 %");
        assert_eq!(percent(995_000), "99.5 %");
    }
}
