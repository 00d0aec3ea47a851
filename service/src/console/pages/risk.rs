//! Risk: what waits for an analyst, the rules with who wrote them and who put them in force, the
//! lists, and how scores are spread and how old the model has grown.

pub mod list;
pub mod rule;
pub mod trial;

use axum::{extract::State, http::StatusCode};
use maud::{Markup, html};
use serde_json::Value;

use crate::console::{
    Console,
    ask::{ApiRouter, Refused},
    chart::{Bar, bars},
    layout,
    parts::{action, empty, facts, heading, id, list, number, pill, status, text, time},
    session::Session,
    words::{escaped, plain},
};

/// Where these pages stand in the navigation.
const AT: &str = "/console/risk";

/// The page.
pub async fn page(State(console): State<Console>, session: Session) -> Result<Markup, Refused> {
    let api = &console.api;
    let health = match api.get::<Value>(&session, "/v1/risk/health").await {
        Ok(health) => health,
        Err(refused) if refused.status == StatusCode::NOT_FOUND => return Ok(nobody(&session)),
        Err(refused) => return Err(refused),
    };
    let (decisions, rules, lists, hits) = tokio::try_join!(
        api.list(&session, "/v1/risk/decisions", &[]),
        rules_of(api, &session),
        api.get::<Value>(&session, "/v1/risk/lists"),
        api.get::<Value>(&session, "/v1/risk/hits")
    )?;
    let actions = html! {
        @if session.may("POST", "/v1/risk/rules") { a.button href="/console/risk/try" { "Try a rule" } }
        @if session.may("POST", "/v1/risk/lists") { (action("Make a list", false, &list::make(&console.sessions.fresh_key()))) }
    };
    let content = html! {
        (heading(&html! { "Risk" }, &actions))
        section.card { h2 { "Waiting for an answer" } (queue(list(&decisions, "data"), true)) }
        section.card { h2 { "Rules" } (table_of_rules(&rules, &hits)) }
        section.card { h2 { "Lists" } (table_of_lists(list(&lists, "data"))) }
        section.card { h2 { "Scores and the model" } (scores(&health)) }
        section.card { h2 { "Decided without a person" } (queue(list(&decisions, "data"), false)) }
    };
    Ok(layout::page(session.access(), AT, "Risk", &content))
}

/// The page where nobody judges.
fn nobody(session: &Session) -> Markup {
    let how = html! { "Start the server with a policy (" code { "LOMBARD_RISK_POLICY" } ") or a model, and payments are judged before they are taken in." };
    let content = html! { (heading(&html! { "Risk" }, &html! {})) (empty("Nobody judges payments here.", &how)) };
    layout::page(session.access(), AT, "Risk", &content)
}

/// Decisions other than to approve: those whose payments wait, or the others.
fn queue(decisions: &[Value], waiting: bool) -> Markup {
    let wanted = |it: &&Value| (text(it, "status") == "AUTH_PENDING") == waiting;
    let found: Vec<&Value> = decisions.iter().filter(wanted).collect();
    html! {
        @if found.is_empty() { p.meta { "None among the newest 50 that were not approved." } } @else {
            div.scroll tabindex="0" { table {
                thead { tr { th scope="col" { "Payment" } th scope="col" { "Decision" } th scope="col" { "Stands at" } th scope="col" { "Why" } th.right scope="col" { "Score" } th scope="col" { "Decided (UTC)" } } }
                tbody { @for decision in found {
                    tr {
                        td { (id("payments", text(decision, "payment"))) }
                        td { (pill(text(decision, "action"), tone(text(decision, "action")))) @if !text(decision, "fallback").is_empty() { " by the fallback" } }
                        td { (status(decision)) }
                        td { (why(decision)) }
                        td.right.figure { @if decision["score"].is_number() { (share(number(decision, "score"))) } }
                        td { (time(text(decision, "decided_at"))) }
                    }
                } }
            } }
        }
    }
}

fn why(decision: &Value) -> String {
    let reasons = list(decision, "reasons").iter();
    let reasons: Vec<&str> = reasons.filter_map(Value::as_str).collect();
    reasons.join("; ")
}

/// A score in millionths as a share.
pub fn share(score: u64) -> String {
    format!("{}.{:02} %", score / 10_000, score % 10_000 / 100)
}

/// The tone of what risk decided.
pub fn tone(action: &str) -> &'static str {
    match action {
        "approve" => "good",
        "challenge" => "open",
        "review" => "doubt",
        _ => "bad",
    }
}

/// A mode in words, with its share.
fn mode(version: &Value) -> Markup {
    let name = text(version, "mode");
    let tone = match name {
        "live" | "percentage" => "good",
        "shadow" => "doubt",
        _ => "open",
    };
    html! { (pill(name, tone)) @if version["percent"].is_number() { " " (number(version, "percent")) " %" } }
}

/// What a version of a rule did, as `GET /v1/risk/hits` has it.
fn hits_of<'a>(hits: &'a Value, rule: &str, version: u64) -> Option<&'a Value> {
    let of = |hit: &&Value| text(hit, "rule") == rule && number(hit, "version") == version;
    list(hits, "data").iter().find(of)
}

fn table_of_rules(rules: &Value, hits: &Value) -> Markup {
    let all = list(rules, "data");
    html! {
        p.meta { "Policy version " (number(rules, "policy_version")) ". Hits are counted over the newest " (number(hits, "payments")) " judged payments." }
        @if all.is_empty() { p.meta { "There is no rule yet." } } @else {
            div.scroll tabindex="0" { table {
                thead { tr { th scope="col" { "Rule" } th scope="col" { "Version" } th scope="col" { "Mode" } th scope="col" { "Asks for" } th scope="col" { "Author" } th scope="col" { "Set by" } th.right scope="col" { "Hits" } th.right scope="col" { "Known frauds" } } }
                tbody { @for rule in all { @for version in shown(rule) {
                    @let name = text(rule, "name");
                    @let hit = hits_of(hits, name, number(version, "version"));
                    tr {
                        td { a href=(format!("/console/risk/rules/{}", escaped(name))) { (name) } @if !rule["retired"].is_null() { " (retired)" } }
                        td.figure { (number(version, "version")) }
                        td { (mode(version)) }
                        td { (pill(text(version, "action"), tone(text(version, "action")))) }
                        td { code { (text(version, "author")) } }
                        td { @if text(version, "activated_by").is_empty() { span.meta { "Nobody yet" } } @else { code { (text(version, "activated_by")) } } }
                        td.right.figure { (hit.map_or(0, |hit| number(hit, "hits"))) }
                        td.right.figure { (hit.map_or(0, |hit| number(hit, "frauds_caught"))) }
                    }
                } } }
            } }
        }
    }
}

/// The versions of a rule that are asked, and the newest.
fn shown(rule: &Value) -> Vec<&Value> {
    let versions = list(rule, "versions");
    let newest = versions.len().saturating_sub(1);
    let kept = versions.iter().enumerate();
    kept.filter(|(at, version)| *at == newest || text(version, "mode") != "off")
        .map(|(_, version)| version)
        .collect()
}

fn table_of_lists(lists: &[Value]) -> Markup {
    html! {
        @if lists.is_empty() { p.meta { "There is no list yet." } } @else {
            div.scroll tabindex="0" { table {
                thead { tr { th scope="col" { "List" } th.right scope="col" { "Entries" } } }
                tbody { @for one in lists { tr {
                    td { a href=(format!("/console/risk/lists/{}", escaped(text(one, "name")))) { (text(one, "name")) } }
                    td.right.figure { (number(one, "entries")) }
                } } }
            } }
        }
    }
}

/// How scores are spread, at which of them what is done, and how far they moved from those that
/// the model was measured on.
fn scores(health: &Value) -> Markup {
    let thresholds = &health["thresholds"];
    let done = |score: u64| match score {
        score if score >= number(thresholds, "decline") => "bad",
        score if score >= number(thresholds, "review") => "doubt",
        score if score >= number(thresholds, "challenge") => "open",
        _ => "good",
    };
    let spread = list(health, "scores").iter().map(|part| Bar {
        name: format!("from {}", share(number(part, "from"))),
        count: usize::try_from(number(part, "count")).unwrap_or(usize::MAX),
        tone: done(number(part, "from")),
    });
    let named = |name: &str| match text(health, name) {
        "" => html! { span.meta { "None" } },
        version => html! { code { (version) } },
    };
    let drift = health["drift"].as_f64();
    html! {
        (facts(&[
            ("Champion", named("model")),
            ("Challenger, in the shadow", named("challenger")),
            ("Drift (population stability index)", match drift {
                None => html! { span.meta { "Not known yet" } },
                Some(index) => html! { (format!("{index:.3}")) " " (pill(text(health, "drift_state"), match text(health, "drift_state") { "steady" => "good", "watch" => "doubt", _ => "bad" })) },
            }),
            ("Challenge from", html! { (threshold(thresholds, "challenge")) }),
            ("Review from", html! { (threshold(thresholds, "review")) }),
            ("Decline from", html! { (threshold(thresholds, "decline")) }),
            ("Decided by the fallback", html! { (number(health, "fallback_too_slow") + number(health, "fallback_unavailable")) }),
        ]))
        h3 { "Scores since the server was started, by what is done" }
        (bars("Scores by what is done at them", &spread.collect::<Vec<_>>()))
    }
}

fn threshold(thresholds: &Value, name: &str) -> String {
    match number(thresholds, name) {
        never if never > 1_000_000 => "never".to_owned(),
        score => share(score),
    }
}

/// What a back-test came to, as facts.
fn report(report: &Value) -> Markup {
    let sums = |name: &str| {
        let sums = report[name].as_object().into_iter().flatten();
        html! { @for (currency, sum) in sums { (crate::console::parts::money(sum.as_u64().unwrap_or_default(), currency)) " " } }
    };
    let each = report["false_positives_per_fraud"].as_f64();
    let overlap = report["overlap"].as_object().into_iter().flatten();
    html! {
        (facts(&[
            ("Payments tried", html! { (number(report, "payments")) }),
            ("Hits", html! { (number(report, "hits")) }),
            ("Their money", sums("amount")),
            ("Known frauds caught", html! { (number(report, "frauds_caught")) " of " (number(report, "frauds")) }),
            ("Their money", sums("fraud_amount_caught")),
            ("Genuine payments hit", html! { (number(report, "false_positives")) }),
            ("Genuine for each fraud caught", html! { @if let Some(each) = each { (format!("{each:.1}")) } @else { span.meta { "None was caught" } } }),
            ("Not known yet", html! { (number(report, "unknown")) }),
            ("Hits that no other rule had", html! { (number(report, "alone")) }),
            ("Hits that other rules had too", html! { @for (rule, hits) in overlap { (rule) ": " (hits.as_u64().unwrap_or_default()) " " } }),
        ]))
    }
}

/// A text that is kept.
fn reason() -> Markup {
    html! { label.field { "Why" textarea name="reason" rows="3" maxlength="1000" required {} } }
}

/// What was done, as the page that follows says it.
fn told(done: &str) -> Markup {
    let words = match done {
        "" => return html! {},
        "propose" => "It is proposed. Somebody else can put it in force.",
        "mode" => "It holds from the next payment on, and is on record.",
        "retire" => "It is taken out, and on record.",
        other => {
            return html! { div.note data-tone="good" role="status" { p { (plain(other)) ": done, and on record." } } };
        }
    };
    html! { div.note data-tone="good" role="status" { p { (words) } } }
}

/// A rule with its versions.
/// All rules, page by page.
async fn rules_of(api: &ApiRouter, session: &Session) -> Result<Value, Refused> {
    const FIRST: &str = "/v1/risk/rules?limit=100";
    let mut all: Value = api.get(session, FIRST).await?;
    while let Some(next) = all["next_cursor"].as_str() {
        let path = format!("{FIRST}&cursor={}", escaped(next));
        let mut page: Value = api.get(session, &path).await?;
        all["next_cursor"] = page["next_cursor"].take();
        if let (Value::Array(all), Value::Array(more)) = (&mut all["data"], page["data"].take()) {
            all.extend(more);
        }
    }
    Ok(all)
}

async fn rule_of(api: &ApiRouter, session: &Session, name: &str) -> Result<Value, Refused> {
    let path = format!("/v1/risk/rules/{}", escaped(name));
    api.get(session, &path).await
}
