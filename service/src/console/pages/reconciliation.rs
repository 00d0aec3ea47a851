//! Statements and what they came to: the runs, the close of each statement, and what does not agree.

use axum::extract::{Path, RawQuery, State};
use maud::{Markup, html};
use serde_json::Value;

use crate::console::{
    ask::{ApiRouter, Refused},
    form::Fields,
    layout,
    parts::{empty, facts, heading, id, list, next, number, pill, text, time, whole_id},
    session::Session,
    words::{amount, escaped, plain},
};

const HERE: &str = "/console/reconciliation";

/// The runs.
pub async fn page(
    State(api): State<ApiRouter>,
    session: Session,
    RawQuery(asked): RawQuery,
) -> Result<Markup, Refused> {
    let fields = Fields::parse(&asked.unwrap_or_default());
    let cursor = [("cursor", fields.get("cursor"))];
    let runs = api
        .list(&session, "/v1/reconciliation/runs", &cursor)
        .await?;
    let sources = api.get(&session, "/v1/reconciliation/sources").await?;
    let content = html! {
        (heading(&html! { "Reconciliation" }, &html! {}))
        @if !list(&sources, "data").is_empty() {
            section.card { h2 { "Sources" } (sources_of(list(&sources, "data"))) }
        }
        @if list(&runs, "data").is_empty() {
            (empty("No statement came yet.", &html! {
                "Send one: " code { "lombard reconcile FILE --source NAME" } ". Payments that are found in it are settled; what does not agree comes into the exceptions."
            }))
        } @else { (table(list(&runs, "data"))) }
        (next(HERE, &[], &runs))
    };
    Ok(layout::page(
        session.access(),
        HERE,
        "Reconciliation",
        &content,
    ))
}

fn table(runs: &[Value]) -> Markup {
    html! {
        div.scroll tabindex="0" { table {
            thead { tr { th scope="col" { "Run" } th scope="col" { "Source" } th scope="col" { "Format" } th.right scope="col" { "Lines" } th.right scope="col" { "Payments" } th.right scope="col" { "Explained" } th scope="col" { "Close" } th scope="col" { "When (UTC)" } } }
            tbody {
                @for run in runs {
                    @let report = &run["report"];
                    tr {
                        td { (id("reconciliation", text(run, "id"))) }
                        td { (text(report, "source")) }
                        td { code { (text(report, "format")) } }
                        td.right.figure { (number(report, "lines")) }
                        td.right.figure { (number(report, "matched")) }
                        td.right.figure { (number(report, "explained")) }
                        td { (close(run)) }
                        td { (time(text(run, "at"))) }
                    }
                }
            }
        } }
    }
}

fn sources_of(sources: &[Value]) -> Markup {
    html! {
        div.scroll tabindex="0" { table {
            thead { tr { th scope="col" { "Source" } th scope="col" { "Files" } th scope="col" { "Last file" } th scope="col" { "Fetched (UTC)" } th scope="col" { "Looked at (UTC)" } th scope="col" { "State" } } }
            tbody {
                @for source in sources {
                    tr {
                        td { (text(source, "name")) }
                        td { (from(text(source, "from"))) }
                        td { (text(source, "last_file")) }
                        td { @if source["fetched_at"].is_string() { (time(text(source, "fetched_at"))) } }
                        td { @if source["looked_at"].is_string() { (time(text(source, "looked_at"))) } }
                        td { (state(source)) }
                    }
                }
            }
        } }
    }
}

fn from(way: &str) -> &str {
    match way {
        "folder" => "from a folder",
        "sftp" => "by SFTP",
        _ => "sent",
    }
}

fn state(source: &Value) -> Markup {
    match (number(source, "failures"), text(source, "from")) {
        (_, "sent") => html! {},
        (0, _) if source["looked_at"].is_null() => pill("not looked at yet", "open"),
        (0, _) => pill("reached", "good"),
        (_, _) => html! { (pill("not reached", "bad")) " " (text(source, "why")) },
    }
}

fn close(run: &Value) -> Markup {
    match number(run, "open") {
        0 => pill("agrees", "good"),
        1 => pill("1 break", "doubt"),
        open => pill(&format!("{open} breaks"), "doubt"),
    }
}

/// One run.
pub async fn one(
    State(api): State<ApiRouter>,
    session: Session,
    Path(run): Path<String>,
) -> Result<Markup, Refused> {
    let path = format!("/v1/reconciliation/runs/{}", escaped(&run));
    let run: Value = api.get(&session, &path).await?;
    let report = &run["report"];
    let breaks = list(report, "exceptions");
    let content = html! {
        (heading(&html! { (text(report, "source")) (close(&run)) }, &html! {}))
        section.card { h2 { "Close" } (statements(list(report, "statements"))) }
        section.card {
            h2 { "What does not agree" }
            @if breaks.is_empty() { p.meta { "Everything agrees, or was resolved before." } } @else { (breaks_of(breaks)) }
        }
        @if !list(report, "deviations").is_empty() {
            section.card { h2 { "Odd about the file" } ul { @for one in list(report, "deviations") { li { (one.as_str().unwrap_or_default()) } } } }
        }
        section.card { h2 { "Facts" } (facts(&[
            ("Run", whole_id(text(&run, "id"))),
            ("At", time(text(&run, "at"))),
            ("Sent by", whole_id(text(&run, "by"))),
            ("File (SHA-256)", whole_id(text(&run, "digest"))),
            ("Format", html! { code { (text(report, "format")) } }),
        ])) }
    };
    Ok(layout::page(
        session.access(),
        HERE,
        "Run of reconciliation",
        &content,
    ))
}

fn statements(all: &[Value]) -> Markup {
    html! {
        div.scroll tabindex="0" { table {
            thead { tr { th scope="col" { "Statement" } th scope="col" { "Account" } th.right scope="col" { "Opening" } th.right scope="col" { "Payments" } th.right scope="col" { "Explained" } th.right scope="col" { "Open" } th.right scope="col" { "Closing" } th scope="col" { "Sums" } } }
            tbody {
                @for one in all {
                    @let currency = text(one, "currency");
                    @let figure = |name: &str| one[name].as_i64().map_or_else(String::new, |minor| signed(minor, currency));
                    tr {
                        td { (text(one, "id")) }
                        td { code { (text(one, "account")) } " " abbr { (currency) } }
                        td.right.figure { (figure("opening")) }
                        td.right.figure { (figure("matched")) }
                        td.right.figure { (figure("explained")) }
                        td.right.figure { (figure("open")) }
                        td.right.figure { (figure("closing")) }
                        td { (sums(one)) }
                    }
                }
            }
        } }
    }
}

fn sums(statement: &Value) -> Markup {
    match statement["consistent"].as_bool() {
        Some(true) => pill("add up", "good"),
        Some(false) => pill("contradict", "bad"),
        None => pill("none given", "open"),
    }
}

fn breaks_of(breaks: &[Value]) -> Markup {
    html! {
        div.scroll tabindex="0" { table {
            thead { tr { th scope="col" { "Case" } th scope="col" { "Kind" } th scope="col" { "Reference" } th.right scope="col" { "At stake" } th scope="col" { "Why" } } }
            tbody {
                @for one in breaks {
                    @let currency = text(one, "currency");
                    tr {
                        td { (id("exceptions", text(one, "id"))) }
                        td { (plain(text(one, "kind"))) }
                        td { (text(one, "reference")) }
                        td.right.figure { (signed(one["amount"].as_i64().unwrap_or_default(), currency)) " " abbr { (currency) } }
                        td { (text(one, "why")) }
                    }
                }
            }
        } }
    }
}

/// An amount that may be negative, with a true minus.
fn signed(minor: i64, currency: &str) -> String {
    let sign = if minor < 0 { "\u{2212}" } else { "" };
    format!("{sign}{}", amount(minor.unsigned_abs(), currency))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_have_signs() {
        assert_eq!(signed(-123_450, "GBP"), "\u{2212}1,234.50");
        assert_eq!(signed(7, "GBP"), "0.07");
    }
}
