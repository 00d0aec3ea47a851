//! The pieces that pages are made of.

use maud::{Markup, html};
use serde_json::Value;

use super::words::{amount, escaped, moment, plain, short};

/// A text member of a JSON object; empty when it is not there.
pub fn text<'a>(of: &'a Value, name: &str) -> &'a str {
    of.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// A number member of a JSON object; 0 when it is not there.
pub fn number(of: &Value, name: &str) -> u64 {
    of.get(name).and_then(Value::as_u64).unwrap_or_default()
}

/// The elements of a list member.
pub fn list<'a>(of: &'a Value, name: &str) -> &'a [Value] {
    of.get(name)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

/// The heading of a page, with its actions beside it.
pub fn heading(title: &Markup, actions: &Markup) -> Markup {
    html! { div.heading { h1 { (title) } div.actions { (actions) } } }
}

/// Where the script says that a page is kept fresh. Empty without it.
pub fn live_sign() -> Markup {
    html! { span #live.live {} }
}

/// An amount with its currency, to be set at the right edge of its column.
pub fn money(minor: u64, currency: &str) -> Markup {
    html! { span.money { span.figure { (amount(minor, currency)) } " " abbr { (currency) } } }
}

/// A status, in a colour and in words.
pub fn status(payment: &Value) -> Markup {
    let name = text(payment, "status");
    let pending = text(payment, "pending");
    let in_doubt = payment.get("in_doubt") == Some(&Value::Bool(true));
    let tone = match name {
        "CLEARED" | "SETTLED" => "good",
        "FAILED" => "bad",
        "REVERSED" => "back",
        _ if in_doubt => "doubt",
        _ => "open",
    };
    html! {
        span.status data-tone=(tone) {
            (if name == "AUTH_PENDING" { "Pending".to_owned() } else { plain(name) })
            @if in_doubt { " · in doubt" } @else if !pending.is_empty() { " · " (pending) }
        }
    }
}

/// A word in a pill.
pub fn pill(word: &str, tone: &str) -> Markup {
    html! { span.status data-tone=(tone) { (plain(word)) } }
}

/// A moment, exact in the tooltip and in the markup.
pub fn time(rfc3339: &str) -> Markup {
    html! { time datetime=(rfc3339) title=(rfc3339) { (moment(rfc3339)) } }
}

/// An id that leads to its page.
pub fn id(to: &str, id: &str) -> Markup {
    html! { a.id href=(format!("/console/{to}/{id}")) title=(id) { (short(id)) } }
}

/// An id in full, selectable with one click.
pub fn whole_id(id: &str) -> Markup {
    html! { code.whole { (id) } }
}

/// Facts in pairs.
pub fn facts(pairs: &[(&str, Markup)]) -> Markup {
    html! {
        dl.facts {
            @for (name, value) in pairs { div { dt { (name) } dd { (value) } } }
        }
    }
}

/// What stands where there is nothing: what would be here, and how it comes here.
pub fn empty(what: &str, how: &Markup) -> Markup {
    html! { div.empty { p.lead { (what) } p { (how) } } }
}

/// The way to the next page of a list, keeping its filters.
pub fn next(path: &str, filters: &[(&str, &str)], page: &Value) -> Markup {
    let cursor = text(page, "next_cursor");
    let more = page.get("has_more") == Some(&Value::Bool(true)) && !cursor.is_empty();
    let query = query(filters);
    html! {
        @if more {
            nav.pager aria-label="Pages" {
                a.button rel="next" href=(format!("{path}?{query}cursor={}", escaped(cursor))) { "Older" }
            }
        }
    }
}

/// Filters as the beginning of a query.
pub fn query(filters: &[(&str, &str)]) -> String {
    let set = filters.iter().filter(|(_, value)| !value.is_empty());
    set.map(|(name, value)| format!("{name}={}&", escaped(value)))
        .collect()
}

/// A button that opens a form; without JavaScript it is a disclosure.
pub fn action(name: &str, danger: bool, form: &Markup) -> Markup {
    html! {
        details.action {
            summary.button.danger[danger] { (name) }
            div.sheet { (form) }
        }
    }
}
