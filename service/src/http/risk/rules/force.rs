//! Putting a version of a rule in force, and taking a rule out.

use axum::{extract::State, response::Response};
use lombard_core::{
    store::{Body, Key, Snapshot, encode},
    tenant::TenantId,
};
use lombard_risk::{
    policy::Policy,
    rules::{
        Mode,
        rule::{ModeName, NotActivated},
    },
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{REASON_MAX, kept_or_written, stale, standing, view::RuleView};
use crate::{
    http::{
        Api, Call, ErrorCode, IdempotencyKey, Json, Problem,
        call::PathOf,
        input::Text,
        reply::reply,
        risk::change::{Deed, Turned, change},
        wire::scalar,
    },
    risk::policies::{
        Changed, Step, listed,
        rules::{self, Book, Version},
    },
};

/// How far a version is to be in force.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SetRiskRuleMode)]
struct ModeBody<'a> {
    /// Which version.
    #[schema(minimum = 1)]
    version: u32,
    /// `off`, `shadow`, `live` or `percentage`.
    #[schema(value_type = String, pattern = "^(off|shadow|live|percentage)$")]
    mode: ModeName,
    /// Of a percentage: the share of payments that it decides about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 1, maximum = 100)]
    percent: Option<u8>,
    /// The `revision` of the rule that you have seen.
    revision: u32,
    /// Why.
    #[serde(borrow)]
    #[schema(value_type = String, min_length = 1, max_length = 1000)]
    reason: Text<'a>,
}

impl ModeBody<'_> {
    fn mode(&self) -> Result<Mode, Problem> {
        let mode = Mode::named(self.mode, self.percent);
        mode.map_err(|why| Problem::field("/percent", why.to_string()))
    }
}

/// Why a rule is taken out.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RetireRiskRule)]
struct RetireBody<'a> {
    /// The `revision` of the rule that you have seen.
    revision: u32,
    /// Why.
    #[serde(borrow)]
    #[schema(value_type = String, min_length = 1, max_length = 1000)]
    reason: Text<'a>,
}

/// Set how far a rule is in force
///
/// `live` and `percentage` decide about payments: whoever wrote the version cannot do that. `off`
/// and `shadow` take one person. Another version of the rule that decides is turned off by it.
#[utoipa::path(post, path = "/v1/risk/rules/{id}/mode", tag = "risk", request_body = ModeBody,
    params(("id" = inline(scalar::RiskName), Path, description = "The rule's name.")),
    responses((status = 200, description = "It holds from the next payment on.", body = RuleView)))]
pub async fn mode(
    State(api): State<Api>,
    call: Call,
    PathOf(name): PathOf<String>,
    key: IdempotencyKey,
    body: Json,
) -> Result<Response, Problem> {
    let request: ModeBody<'_> = body.parse()?;
    let (mode, tenant) = (request.mode()?, call.tenant());
    let reason = request.reason.checked("/reason", REASON_MAX)?;
    let (now, by) = (api.app().host.now(), call.caller().actor.to_string());
    let deed = Deed {
        what: "risk.rule.mode",
        on: &name,
        reason,
    };
    let place = rules::key(tenant, &name);
    let wish = key.wish("risk.rules.mode", &(&name, &request));
    let own = std::slice::from_ref(&place);
    let done = change(&api, &call, &wish, deed, own, |read, step| {
        let mut book = existing(read, tenant, step.policy(), &name, request.revision)?;
        let wanted = |version: &&mut Version| version.rule.version == request.version;
        let chosen = book.versions.iter_mut().find(wanted).ok_or_else(|| {
            Problem::saying(
                ErrorCode::ReferenceUnknown,
                "there is no such version".into(),
            )
            .at("/version")
        })?;
        // Whoever wrote it in the policy's file may be the one who asks, under another name.
        if mode.may_decide() && !chosen.rule.mode.may_decide() && !chosen.is_proposed() {
            let detail = "who wrote this version in the policy's file is not known for sure: propose it again";
            return Err(Problem::saying(ErrorCode::WrongState, detail.into()));
        }
        let set = chosen.rule.clone().activate(mode, &by, now);
        chosen.rule = set.map_err(not_activated)?;
        if mode.may_decide() {
            for other in &mut book.versions {
                let rule = &mut other.rule;
                if rule.version != request.version && rule.mode.may_decide() {
                    rule.mode = Mode::Off;
                }
            }
        }
        let what = Changed::Mode {
            rule: name.clone(),
            rule_version: request.version,
            mode,
        };
        turned(read, step, &place, &book, what)
    });
    Ok(reply(done.await?))
}

/// Retire a rule
///
/// It is not asked any more, in any version, and cannot be put in force again. What it decided can
/// still be explained and made again.
#[utoipa::path(post, path = "/v1/risk/rules/{id}/retire", tag = "risk", request_body = RetireBody,
    params(("id" = inline(scalar::RiskName), Path, description = "The rule's name.")),
    responses((status = 200, description = "It is taken out.", body = RuleView)))]
pub async fn retire(
    State(api): State<Api>,
    call: Call,
    PathOf(name): PathOf<String>,
    key: IdempotencyKey,
    body: Json,
) -> Result<Response, Problem> {
    let request: RetireBody<'_> = body.parse()?;
    let tenant = call.tenant();
    let reason = request.reason.checked("/reason", REASON_MAX)?;
    let (now, by) = (api.app().host.now(), call.caller().actor.to_string());
    let deed = Deed {
        what: "risk.rule.retire",
        on: &name,
        reason,
    };
    let place = rules::key(tenant, &name);
    let wish = key.wish("risk.rules.retire", &(&name, &request));
    let own = std::slice::from_ref(&place);
    let done = change(&api, &call, &wish, deed, own, |read, step| {
        let mut book = existing(read, tenant, step.policy(), &name, request.revision)?;
        for version in &mut book.versions {
            version.rule.mode = Mode::Off;
        }
        book.retired = Some(listed::Deed {
            by: by.clone(),
            at: now,
            reason: reason.to_owned(),
        });
        let rule = name.clone();
        turned(read, step, &place, &book, Changed::Retired { rule })
    });
    Ok(reply(done.await?))
}

/// The rule that is changed, which must be as the caller saw it.
fn existing(
    read: &Snapshot,
    tenant: TenantId,
    policy: &Policy,
    name: &str,
    revision: u32,
) -> Result<Book, Problem> {
    let mut book = kept_or_written(read, tenant, policy, name);
    if book.versions.is_empty() {
        return Err(Problem::not_found());
    }
    standing(&book)?;
    if book.revision != revision {
        return Err(stale(format!("the rule is at revision {}", book.revision)));
    }
    book.revision += 1;
    Ok(book)
}

fn not_activated(why: NotActivated) -> Problem {
    match why {
        NotActivated::OwnRule => Problem::saying(ErrorCode::OwnApproval, why.to_string().into()),
        NotActivated::Percentage => Problem::field("/percent", why.to_string()),
    }
}

/// The rule written anew, and the policy with it.
fn turned(
    read: &Snapshot,
    step: &mut Step,
    place: &Key,
    book: &Book,
    what: Changed,
) -> Result<Turned, Problem> {
    let put = step.put_rule(&book.name, book.in_force());
    put.map_err(|refused| Problem::saying(ErrorCode::WrongState, refused.to_string().into()))?;
    let mut writes = read.checks();
    writes.put(place, Body::of(book));
    Ok(Turned {
        writes,
        what,
        status: 200,
        body: encode(&RuleView::of(book)),
    })
}
