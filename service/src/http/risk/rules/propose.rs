//! Proposing a version of a rule: it is checked, tried and kept, and decides nothing yet.

use axum::{extract::State, response::Response};
use lombard_core::{
    audit,
    risk::Action,
    store::{Body, encode},
};
use lombard_risk::{
    policy::{NAME_MAX, Policy, SAYS_MAX},
    rules::{Condition, Mode, Rule},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{NEWEST_MAX, REASON_MAX, kept_or_written, stale, standing, view::RuleView};
use crate::{
    http::{
        Api, Call, ErrorCode, IdempotencyKey, Json, Problem,
        input::Text,
        once::{Decided, once},
        reply::reply,
        risk::{desk, in_words},
    },
    risk::{
        history::{self, Part},
        policies::{
            self,
            rules::{self, Book, Trial, VERSIONS_MAX, Version},
        },
    },
};

/// A version of a rule that is proposed.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ProposeRiskRule)]
struct ProposeBody<'a> {
    /// What the rule is called.
    #[serde(borrow)]
    #[schema(value_type = String, min_length = 1, max_length = 100)]
    name: Text<'a>,
    /// The newest version that you have seen; 0 for a new rule.
    after_version: u32,
    /// The condition; see `docs/risk-rules.md`.
    #[serde(borrow)]
    #[schema(value_type = String, min_length = 1, max_length = 2000)]
    condition: Text<'a>,
    /// What it asks for: `approve`, `challenge`, `review` or `decline`.
    #[schema(value_type = String, pattern = "^(approve|challenge|review|decline)$")]
    action: Action,
    /// What is told to whoever asks why, in plain words.
    #[serde(borrow)]
    #[schema(value_type = String, min_length = 1, max_length = 500)]
    says: Text<'a>,
    /// Why there should be such a rule.
    #[serde(borrow)]
    #[schema(value_type = String, min_length = 1, max_length = 1000)]
    reason: Text<'a>,
}

/// Propose a rule
///
/// A new rule, or the next version of one. It is checked, tried on the newest 20,000 payments, and
/// kept; nothing is decided by it until somebody else puts it in force.
#[utoipa::path(post, path = "/v1/risk/rules", tag = "risk", request_body = ProposeBody,
    responses((status = 201, description = "It is kept.", body = RuleView)))]
pub async fn propose(
    State(api): State<Api>,
    call: Call,
    key: IdempotencyKey,
    body: Json,
) -> Result<Response, Problem> {
    let request: ProposeBody<'_> = body.parse()?;
    let (app, tenant) = (api.app(), call.tenant());
    let desk = desk(&api)?;
    // Another process may have made a list a moment ago.
    policies::catch_up(app, desk, tenant).await?;
    let policy = desk.policy(tenant);
    let name = request.name.checked("/name", NAME_MAX)?;
    let says = request.says.checked("/says", SAYS_MAX)?;
    let reason = request.reason.checked("/reason", REASON_MAX)?;
    let condition = condition(&request.condition, &policy)?;
    let wish = key.wish("risk.rules.propose", &request);
    let place = rules::key(tenant, name);
    // Before it is tried, which takes long, unless it was kept under this key and is only repeated.
    if app.get(&wish.record_key(tenant)).await?.is_none() {
        let book: Option<Book> = app.value(&place).await?;
        next_of(&book.unwrap_or_else(|| Book::of(&policy, name)), &request)?;
    }
    let tried = history::try_on(
        app,
        tenant,
        (&condition, &policy.lists),
        Part::newest(NEWEST_MAX),
    );
    let tried = tried.await?;
    let note = call
        .note(&*app.host, "risk.rule.propose", name)
        .because(reason);
    let rule = Rule {
        name: name.to_owned(),
        version: request.after_version.saturating_add(1),
        condition: condition.source().to_owned(),
        action: request.action,
        says: says.to_owned(),
        author: call.caller().actor.to_string(),
        reason: reason.to_owned(),
        written_at: app.host.now(),
        mode: Mode::Off,
        activated_by: None,
        activated_at: None,
    };
    let version = Version {
        rule,
        backtest: Some(Trial {
            report: tried.report,
            unjudged: tried.unjudged,
            more: tried.next.is_some(),
        }),
    };
    let kept = once(&api, tenant, &wish, std::slice::from_ref(&place), |read| {
        let mut book = kept_or_written(read, tenant, &policy, name);
        next_of(&book, &request)?;
        book.versions.push(version.clone());
        book.revision += 1;
        let mut writes = read.checks();
        writes.put(&place, Body::of(&book));
        audit::enter(&mut writes, &note);
        Ok(Decided {
            writes,
            status: 201,
            body: encode(&RuleView::of(&book)),
        })
    });
    Ok(reply(kept.await?))
}

/// Whether a rule may have the version after the one that was seen.
fn next_of(book: &Book, request: &ProposeBody<'_>) -> Result<(), Problem> {
    standing(book)?;
    if book.newest() != request.after_version {
        return Err(stale(format!("the newest version is {}", book.newest())));
    }
    if book.versions.len() >= VERSIONS_MAX {
        let full = format!("a rule has at most {VERSIONS_MAX} versions: use another name");
        return Err(Problem::saying(ErrorCode::WrongState, full.into()));
    }
    Ok(())
}

/// A condition that was checked, and whose lists there are.
fn condition(source: &Text<'_>, policy: &Policy) -> Result<Condition, Problem> {
    let wrong = |detail| Problem::field("/condition", detail);
    let condition = Condition::compile(source.as_str()).map_err(|found| wrong(in_words(&found)))?;
    match condition.unknown_list(&policy.lists) {
        None => Ok(condition),
        Some(unknown) => Err(wrong(in_words(&[unknown]))),
    }
}
