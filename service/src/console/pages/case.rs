//! One case: what is known of it, its runbook, what was done about it, and what can be done.

use axum::{
    extract::{Path, RawQuery, State},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use maud::{Markup, html};
use serde_json::{Value, json};

use super::{
    decide,
    exceptions::{at_stake, standing, subject},
    matching,
};
use crate::console::{
    Console,
    ask::{ApiRouter, Refused},
    form::Fields,
    layout,
    parts::{action, facts, heading, list, money, number, status, text, time, whole_id},
    runbook,
    session::Session,
    words::{escaped, plain},
};

/// The page.
pub async fn page(
    State(console): State<Console>,
    session: Session,
    Path(exception): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Markup, Refused> {
    let api = &console.api;
    let path = format!("/v1/exceptions/{}", escaped(&exception));
    let case: Value = api.get(&session, &path).await?;
    let about = text(&case, "subject");
    let payment = match about.starts_with("pay_") {
        // It may be one that only the other side knows.
        true => payment(api, &session, about).await,
        false => None,
    };
    let done = Fields::parse(&query.unwrap_or_default());
    let forms = Forms {
        session: &session,
        case: &case,
        key: console.sessions.fresh_key(),
    };
    let title = html! { (plain(text(&case, "kind"))) (standing(&case)) };
    let links = text(&case, "state") == "open"
        && list(&case, "actions").iter().any(|it| it == "link")
        && session.may("POST", "/v1/exceptions/{id}/claim");
    let beside = match links {
        true => matching::candidates(api, &session, &case).await?,
        false => Vec::new(),
    };
    let content = html! {
        (heading(&title, &forms.all(payment.as_ref())))
        @if !done.get("done").is_empty() { (told(done.get("done"))) }
        p.lead { (text(&case, "reason")) }
        (forms.waiting())
        @if links { (matching::side_by_side(&case, &beside, &|inside| forms.link(inside))) }
        div.columns {
            div {
                section.card { h2 { "Facts" } (facts_of(&case, payment.as_ref())) }
                section.card { h2 { "Evidence" } (evidence_of(&case)) }
                section.card { h2 { "History" } (history_of(&case)) }
            }
            section.card.runbook { (runbook::of(&case)) }
        }
    };
    Ok(layout::page(
        session.access(),
        "/console/exceptions",
        "Exception",
        &content,
    ))
}

async fn payment(api: &ApiRouter, session: &Session, id: &str) -> Option<Value> {
    let path = format!("/v1/payments/{}", escaped(id));
    api.get::<Value>(session, &path).await.ok()
}

fn facts_of(case: &Value, payment: Option<&Value>) -> Markup {
    let mut rows = vec![
        ("Case", whole_id(text(case, "id"))),
        ("Subject", subject(text(case, "subject"))),
        ("Opened", time(text(case, "opened_at"))),
    ];
    if let Some(payment) = payment {
        let amount = money(number(payment, "amount"), text(payment, "currency"));
        rows.push(("At stake", amount));
        rows.push(("Payment", status(payment)));
    }
    let who = text(case, "assignee");
    let nobody = html! { span.meta { "Nobody yet" } };
    rows.push((
        "With",
        if who.is_empty() {
            nobody
        } else {
            whole_id(who)
        },
    ));
    if !text(case, "snoozed_until").is_empty() {
        rows.push(("Snoozed until", time(text(case, "snoozed_until"))));
    }
    facts(&rows)
}

fn evidence_of(case: &Value) -> Markup {
    let evidence = case["evidence"].as_object();
    html! {
        @for (name, value) in evidence.into_iter().flatten() {
            @let value = value.as_str().unwrap_or_default();
            (facts(&[(plain(name).as_str(), html! { @if name == "amount" { (at_stake(case)) } @else if value.starts_with("pay_") { (subject(value)) } @else { code { (value) } } })]))
        }
        @if evidence.is_none_or(serde_json::Map::is_empty) { p.meta { "None was kept." } }
    }
}

fn history_of(case: &Value) -> Markup {
    let history = list(case, "history");
    html! {
        @if history.is_empty() { p.meta { "Nothing was done about it yet." } }
        ol.timeline {
            @for deed in history {
                li {
                    div.what { (plain(text(deed, "what"))) }
                    @if !text(deed, "note").is_empty() { p { (text(deed, "note")) } }
                    div.meta { (time(text(deed, "at"))) " · " (text(deed, "actor")) }
                }
            }
        }
    }
}

/// What a page was made from: a form of it acts only while the case is still so.
pub fn seen(case: &Value) -> String {
    format!("{}-{}", text(case, "state"), list(case, "history").len())
}

/// What can be done about a case by who is signed in.
struct Forms<'a> {
    session: &'a Session,
    case: &'a Value,
    key: String,
}

impl Forms<'_> {
    fn all(&self, payment: Option<&Value>) -> Markup {
        let open = text(self.case, "state") == "open";
        let may = |act: &str| {
            let route = format!("/v1/exceptions/{{id}}/{act}");
            self.session.may("POST", &route)
        };
        let asks = self.session.may("POST", "/v1/payments/{id}/enquiry");
        html! {
            @if let Some(payment) = payment.filter(|it| asks && it["in_doubt"] == true) { (self.enquiry(payment)) }
            @if open && may("claim") {
                @if text(self.case, "assignee").is_empty() {
                    (self.form("claim", &html! { input type="hidden" name="note" value="Taken from the queue."; }, "Take it", false))
                }
                (action("Assign", false, &self.form("assign", &html! {
                    (field("assignee", "To whom", "operator/ada"))
                    (note("For them"))
                }, "Assign", false)))
            }
            @if open && may("snooze") {
                (action("Snooze", false, &self.form("snooze", &html! {
                    (pauses())
                    (note("Until what has happened"))
                }, "Snooze", false)))
            }
            @if may("comment") {
                (action("Comment", false, &self.form("comment", &note("Comment"), "Comment", false)))
            }
            @if open && may("resolve") && may("claim") {
                (action("Resolve", false, &self.form("resolve", &self.choices(), "Resolve", false)))
            }
            @if !open && may("reopen") {
                (action("Open again", true, &self.form("reopen", &html! {
                    p { "What was posted to resolve it is taken back." }
                    (note("Why"))
                }, "Open again", true)))
            }
        }
    }

    fn form(&self, act: &str, inside: &Markup, word: &str, danger: bool) -> Markup {
        let to = format!("/console/exceptions/{}/{act}", text(self.case, "id"));
        html! {
            form method="post" action=(to) {
                input type="hidden" name="key" value=(format!("{}-{act}", self.key));
                input type="hidden" name="seen" value=(seen(self.case));
                (inside)
                button.main.danger[danger] type="submit" { (word) }
            }
        }
    }

    /// Asks the rail about the payment that the case is about, as the payment's own page does.
    fn enquiry(&self, payment: &Value) -> Markup {
        let to = format!("/console/payments/{}/enquiry", text(payment, "id"));
        html! {
            form method="post" action=(to) {
                input type="hidden" name="key" value=(format!("{}-enquiry", self.key));
                input type="hidden" name="seen" value=(text(payment, "updated_at"));
                button.main type="submit" { "Ask the rail now" }
            }
        }
    }

    /// What was proposed, for the second person to look at.
    fn waiting(&self) -> Markup {
        let proposal = list(self.case, "history").iter().rev();
        let mut proposal = proposal.filter(|it| text(it, "what").starts_with("proposed:"));
        let waits = text(self.case, "standing") == "waiting_for_approval";
        let Some(deed) = proposal.next().filter(|_| waits) else {
            return html! {};
        };
        let mut parts = text(deed, "what").splitn(3, ':').skip(1);
        let (action, of) = (
            parts.next().unwrap_or_default(),
            parts.next().unwrap_or_default(),
        );
        let inside = html! {
            input type="hidden" name="action" value=(action);
            input type="hidden" name=(if action == "link" { "payment" } else { "reference" }) value=(of);
            input type="hidden" name="note" value=(text(deed, "note"));
        };
        html! {
            div.note data-tone="doubt" {
                p { strong { (text(deed, "actor")) } " proposed: " (decide::meaning(action).0.to_lowercase()) ". " (text(deed, "note")) }
                @if self.session.may("POST", "/v1/exceptions/{id}/resolve") { (self.form("resolve", &inside, "See what it would do", false)) }
            }
        }
    }

    /// Links the line with the payment that `inside` names.
    fn link(&self, inside: &Markup) -> Markup {
        let inside = html! { input type="hidden" name="action" value="link"; (inside) };
        self.form("resolve", &inside, "Link", false)
    }

    fn choices(&self) -> Markup {
        let actions: Vec<&str> = list(self.case, "actions")
            .iter()
            .filter_map(Value::as_str)
            .collect();
        html! {
            fieldset {
                legend { "How" }
                @for (at, name) in actions.iter().enumerate() {
                    @let (word, about) = decide::meaning(name);
                    label.choice {
                        input type="radio" name="action" value=(name) required checked[at == 0];
                        span { strong { (word) } br; span.meta { (about) } }
                    }
                }
            }
            @if actions.contains(&"link") { (optional("payment", "Of a link: the payment", "pay_…")) }
            @if actions.contains(&"mark_paid") { (optional("reference", "Of a mark: where the rail's records say so", "report of the day, page or reference")) }
            (note("Why"))
            p.meta { "What moves money is shown before it is done." }
        }
    }
}

fn field(name: &str, label: &str, example: &str) -> Markup {
    html! { div.field { label for=(name) { (label) } input #(name) name=(name) placeholder=(example) maxlength="100" autocomplete="off" required; } }
}

fn optional(name: &str, label: &str, example: &str) -> Markup {
    html! { div.field { label for=(name) { (label) } input #(name) name=(name) placeholder=(example) autocomplete="off"; } }
}

/// For how long a case can stand aside.
fn pauses() -> Markup {
    let hours = [
        (1, "An hour"),
        (4, "Four hours"),
        (24, "A day"),
        (72, "Three days"),
        (168, "A week"),
    ];
    html! {
        label.field { "For how long"
            select name="hours" { @for (hours, word) in hours { option value=(hours) { (word) } } }
        }
    }
}

/// A text that is kept. Each form has its own, so the label lies around it.
pub fn note(label: &str) -> Markup {
    html! { label.field { (label) textarea name="note" rows="3" maxlength="1000" required {} } }
}

fn told(done: &str) -> Markup {
    let (words, tone) = match done {
        "claim" => ("It is yours.", "good"),
        "assign" => ("It is assigned.", "good"),
        "comment" => ("Your comment is on record.", "good"),
        "snooze" => ("It stands aside until then.", "good"),
        "proposed" => (
            "It moves more than one person may move alone: it is proposed, and done when another one who may approve asks for the same.",
            "doubt",
        ),
        "resolve" => ("It is done, and on record.", "good"),
        "reopen" => ("It is open again.", "good"),
        "stale" => (
            "The case changed since the page was made, so nothing was done. This is how it stands now.",
            "bad",
        ),
        _ => ("Done.", "good"),
    };
    html! { div.note data-tone=(tone) role="status" { p { (words) } } }
}

/// Does what a form asks, unless the case changed since the page was made.
pub async fn act(
    State(console): State<Console>,
    session: Session,
    Path((exception, act)): Path<(String, String)>,
    fields: Fields,
) -> Result<Response, Refused> {
    let api = &console.api;
    let path = format!("/v1/exceptions/{}", escaped(&exception));
    let note = fields.get("note");
    let (to, body) = match act.as_str() {
        "claim" | "comment" | "reopen" => (act.as_str(), json!({"note": note})),
        "assign" => (
            "claim",
            json!({"note": note, "assignee": fields.get("assignee")}),
        ),
        "snooze" => {
            let hours: u64 = fields.get("hours").parse().unwrap_or(1);
            let until = console.sessions.now().plus_ms(hours * 3_600_000);
            ("snooze", json!({"note": note, "until": until.to_string()}))
        }
        "resolve" if decide::moves(fields.get("action")) && fields.get("shown").is_empty() => {
            return decide::page(&console, &session, &exception, &fields).await;
        }
        "resolve" => {
            let mut body = json!({"action": fields.get("action"), "note": note});
            for (member, field) in [
                ("payment", "payment"),
                ("reference", "reference"),
                ("seen", "shown"),
            ] {
                if !fields.get(field).is_empty() {
                    body[member] = fields.get(field).into();
                }
            }
            ("resolve", body)
        }
        _ => return Ok(StatusCode::NOT_FOUND.into_response()),
    };
    let now: Value = api.get(&session, &path).await?;
    let mut done = "stale";
    if seen(&now) == fields.get("seen") {
        let to = format!("{path}/{to}");
        let then = api.post(&session, &to, fields.get("key"), &body).await?;
        let last = list(&then, "history").last();
        let proposed = last.is_some_and(|deed| text(deed, "what").starts_with("proposed"));
        done = if proposed { "proposed" } else { act.as_str() };
    }
    let back = format!("/console/exceptions/{}?done={done}", escaped(&exception));
    Ok(Redirect::to(&back).into_response())
}
