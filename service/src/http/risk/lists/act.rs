//! Making a list, putting somebody on one, taking him off.

use axum::{extract::State, response::Response};
use lombard_core::{
    command::Reply,
    id::Id,
    idempotency::Idempotency,
    payment::Payment,
    store::{Body, Snapshot, decode, encode},
    tenant::TenantId,
    time::Timestamp,
};
use lombard_risk::{
    features::{Kind, Subject},
    policy::{NAME_MAX, Policy},
    rules::lists::ENTRIES_MAX,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{EntryView, ListView};
use crate::{
    http::{
        Api, Call, ErrorCode, IdempotencyKey, Json, Problem,
        call::PathOf,
        input::Text,
        reply::reply,
        risk::{
            change::{Deed, Turned, change},
            decided, desk,
            rules::REASON_MAX,
        },
        wire::scalar,
    },
    risk::policies::{
        self, Changed, Step,
        listed::{self, Entry, SPANS_MAX, Span},
    },
};

/// A list to make.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = MakeRiskList)]
struct MakeBody<'a> {
    /// What it is to be called; rules ask it by this name.
    #[serde(borrow)]
    #[schema(value_type = String, min_length = 1, max_length = 100)]
    name: Text<'a>,
    /// Why there should be such a list.
    #[serde(borrow)]
    #[schema(value_type = String, min_length = 1, max_length = 1000)]
    reason: Text<'a>,
}

/// Somebody who is put on a list, or taken off it.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ListRiskSubject)]
struct ListBody<'a> {
    /// Who, as the explanation of a decision has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, nullable = false, pattern = "^[0-9a-f]{16}$")]
    subject: Option<Subject>,
    /// Or a payment that names him, with `kind`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<scalar::PaymentId>, nullable = false)]
    payment: Option<Id<Payment>>,
    /// As what the payment names him: `payee`, `account`, `device` and so on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, nullable = false, pattern = "^(customer|account|payee|device|terminal|card|ip)$")]
    kind: Option<Kind>,
    /// When the entry ends by itself; never when absent.
    #[serde(default, borrow, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<scalar::Time>, nullable = false)]
    expires_at: Option<Text<'a>>,
    /// Why.
    #[serde(borrow)]
    #[schema(value_type = String, min_length = 1, max_length = 1000)]
    reason: Text<'a>,
}

/// Make a list
///
/// With nobody on it. A rule can ask it from then on.
#[utoipa::path(post, path = "/v1/risk/lists", tag = "risk", request_body = MakeBody,
    responses((status = 201, description = "It is there.", body = ListView)))]
pub async fn make(
    State(api): State<Api>,
    call: Call,
    key: IdempotencyKey,
    body: Json,
) -> Result<Response, Problem> {
    let request: MakeBody<'_> = body.parse()?;
    let name = request.name.checked("/name", NAME_MAX)?;
    let deed = Deed {
        what: "risk.list.make",
        on: name,
        reason: request.reason.checked("/reason", REASON_MAX)?,
    };
    let wish = key.wish("risk.lists.make", &request);
    let nobody = Entry::nobody(name);
    let place = listed::key(call.tenant(), name, nobody.subject);
    let own = std::slice::from_ref(&place);
    let made = change(&api, &call, &wish, deed, own, |read, step| {
        if step.policy().lists.exists(name) {
            return Err(Problem::new(ErrorCode::AlreadyExists));
        }
        let mut writes = read.checks();
        writes.put(&place, Body::of(&nobody));
        let list = name.to_owned();
        Ok(Turned {
            writes,
            what: Changed::List { list },
            status: 201,
            body: encode(&ListView {
                object: "risk_list",
                name,
                entries: 0,
            }),
        })
    });
    Ok(reply(made.await?))
}

/// Put somebody on a list
///
/// Put there again, the new end holds. Whom a payment names
/// stands in its explanation, or is taken from it by `payment` and `kind`.
#[utoipa::path(post, path = "/v1/risk/lists/{id}/entries", tag = "risk", request_body = ListBody,
    params(("id" = inline(scalar::RiskName), Path, description = "The list's name.")),
    responses((status = 201, description = "It holds from the next payment on.", body = EntryView)))]
pub async fn add(
    State(api): State<Api>,
    call: Call,
    PathOf(name): PathOf<String>,
    key: IdempotencyKey,
    body: Json,
) -> Result<Response, Problem> {
    let request: ListBody<'_> = body.parse()?;
    let now = api.app().host.now();
    let expires_at = expiry(request.expires_at.as_ref(), now)?;
    standing(&api, &call, &name).await?;
    let wish = key.wish("risk.lists.add", &(&name, &request));
    let asked = Asked::of(&api, &call, &request, &name, "risk.list.add").await?;
    let (list, subject) = (name.as_str(), asked.subject);
    let done = asked.change(&call, &wish, |mut entry, step, deed| {
        if step.policy().lists.len() >= ENTRIES_MAX || entry.spans.len() >= SPANS_MAX {
            let full = "the list, or the past of the entry, has no room for more";
            return Err(Problem::saying(ErrorCode::WrongState, full.into()));
        }
        if let Some(open) = entry.open() {
            open.until = Some(step.version());
        }
        entry.spans.push(Span {
            from: step.version(),
            until: None,
            expires_at,
            added: Some(deed),
            removed: None,
        });
        let listed = Changed::Listed {
            list: list.to_owned(),
            subject,
            until: expires_at,
        };
        Ok((entry, listed, 201))
    });
    Ok(reply(done.await?))
}

/// Take somebody off a list
#[utoipa::path(post, path = "/v1/risk/lists/{id}/removals", tag = "risk", request_body = ListBody,
    params(("id" = inline(scalar::RiskName), Path, description = "The list's name.")),
    responses((status = 200, description = "It holds from the next payment on.", body = EntryView)))]
pub async fn remove(
    State(api): State<Api>,
    call: Call,
    PathOf(name): PathOf<String>,
    key: IdempotencyKey,
    body: Json,
) -> Result<Response, Problem> {
    let request: ListBody<'_> = body.parse()?;
    if request.expires_at.is_some() {
        return Err(Problem::field("/expires_at", "what is removed has no end"));
    }
    standing(&api, &call, &name).await?;
    let wish = key.wish("risk.lists.remove", &(&name, &request));
    let asked = Asked::of(&api, &call, &request, &name, "risk.list.remove").await?;
    let (list, subject) = (name.as_str(), asked.subject);
    let done = asked.change(&call, &wish, |mut entry, step, deed| {
        let Some(open) = entry.open() else {
            let nobody = Problem::saying(ErrorCode::ReferenceUnknown, "it is not listed".into());
            return Err(nobody.at("/subject"));
        };
        open.until = Some(step.version());
        open.removed = Some(deed);
        let list = list.to_owned();
        Ok((entry, Changed::Unlisted { list, subject }, 200))
    });
    Ok(reply(done.await?))
}

/// Whether there is such a list, in this process or made in another a moment ago.
async fn standing(api: &Api, call: &Call, name: &str) -> Result<(), Problem> {
    let (desk, tenant) = (desk(api)?, call.tenant());
    policies::catch_up(api.app(), desk, tenant).await?;
    let there = desk.policy(tenant).lists.exists(name);
    there.then_some(()).ok_or(Problem::not_found())
}

/// What is asked of a list.
struct Asked<'a> {
    api: &'a Api,
    list: &'a str,
    subject: Subject,
    deed: Deed<'a>,
}

impl<'a> Asked<'a> {
    async fn of(
        api: &'a Api,
        call: &Call,
        request: &'a ListBody<'_>,
        list: &'a str,
        what: &'static str,
    ) -> Result<Self, Problem> {
        let reason = request.reason.checked("/reason", REASON_MAX)?;
        Ok(Self {
            api,
            list,
            subject: subject(api, call, request).await?,
            deed: Deed {
                what,
                on: list,
                reason,
            },
        })
    }

    /// Changes the entry once, as `turn` says.
    async fn change(
        &self,
        call: &Call,
        wish: &Idempotency,
        mut turn: impl FnMut(Entry, &mut Step, listed::Deed) -> Result<(Entry, Changed, u16), Problem>
        + Send,
    ) -> Result<Reply, Problem> {
        let (tenant, now) = (call.tenant(), self.api.app().host.now());
        let place = listed::key(tenant, self.list, self.subject);
        let own = std::slice::from_ref(&place);
        change(self.api, call, wish, self.deed, own, |read, step| {
            let entry = self.standing(read, tenant, step.policy());
            let deed = listed::Deed {
                by: call.caller().actor.to_string(),
                at: now,
                reason: self.deed.reason.to_owned(),
            };
            let (entry, what, status) = turn(entry, step, deed)?;
            let mut writes = read.checks();
            writes.put(&place, Body::of(&entry));
            let body = encode(&EntryView::of(&entry, now));
            Ok(Turned {
                writes,
                what,
                status,
                body,
            })
        })
        .await
    }

    /// The entry as it is kept, or as it stands in the policy's file.
    fn standing(&self, read: &Snapshot, tenant: TenantId, policy: &Policy) -> Entry {
        let kept = read.get(&listed::key(tenant, self.list, self.subject));
        match kept {
            Some(record) => decode(&record.body.bytes),
            None => {
                let listed = policy.lists.entry(self.list, self.subject);
                Entry::begun(self.list, self.subject, listed)
            }
        }
    }
}

/// Who is meant: by his digits, or as a payment names him.
async fn subject(api: &Api, call: &Call, request: &ListBody<'_>) -> Result<Subject, Problem> {
    match (request.subject, request.payment, request.kind) {
        (Some(subject), None, None) => Ok(subject),
        (None, Some(payment), Some(kind)) => {
            let found = decided(api, call, payment).await;
            let (_, judged) = found.map_err(|problem| problem.named_in_body("/payment"))?;
            let named = judged.event.subject(kind);
            named.ok_or_else(|| Problem::field("/kind", "the payment names nobody of this kind"))
        }
        _ => Err(Problem::field(
            "/subject",
            "give `subject` alone, or `payment` and `kind`",
        )),
    }
}

fn expiry(text: Option<&Text<'_>>, now: Timestamp) -> Result<Option<Timestamp>, Problem> {
    const FIELD: &str = "/expires_at";
    let Some(text) = text else { return Ok(None) };
    match Timestamp::parse_rfc3339(text.as_str()) {
        Some(end) if end > now => Ok(Some(end)),
        Some(_) => Err(Problem::field(FIELD, "that is over")),
        None => Err(Problem::field(FIELD, "expected a moment as in RFC 3339")),
    }
}
