//! Two tenants trying to reach each other, on every route that there is.

use axum::{body::Body, http::Request};
use lombard_service::{
    config::{Config, PspConfig},
    exceptions,
    ports::Host,
    reconcile::{Report, kept},
    risk::{Desk, Parts},
};
use serde_json::{Value, json};

use super::world::{Answer, World};
use crate::support::TestHost;

/// Routes that belong to nobody.
const OPEN: [&str; 2] = ["/healthz", "/readyz"];
/// Routes that tell the caller of himself and of the installation, and of no tenant.
const OWN: [&str; 3] = ["/v1/credential", "/v1/operations", "/v1/settings"];
/// Counts what is the caller's and names nothing of it; that it counts nothing else, `standing` shows.
const COUNTED: &str = "/v1/standing";
/// Routes of the installation's operator, about no tenant: they take a grant of their own.
const OPERATOR: [&str; 2] = ["/v1/vault/keys", "/v1/vault/rotations"];
/// Routes of the one verifiable log, which says of no tenant more than that something is in it.
/// They answer on a server that keeps a log; this one does not, and answers 404 to everybody.
const LOG: [&str; 5] = [
    "/v1/log",
    "/v1/log/consistency",
    "/v1/audit/{id}/proof",
    "/v1/ledger/{id}/proof",
    "/v1/accounts/{id}/statement",
];

fn document() -> Value {
    serde_json::from_str(lombard_service::http::openapi::document()).unwrap()
}

pub fn operations() -> Vec<(String, String)> {
    let document = document();
    let paths = document["paths"].as_object().unwrap();
    let of = |(path, item): (&String, &Value)| {
        let methods = item
            .as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect::<Vec<_>>();
        methods
            .into_iter()
            .map(|method| (method, path.clone()))
            .collect::<Vec<_>>()
    };
    paths.iter().flat_map(of).collect()
}

/// The paths that take a POST.
pub fn posts() -> Vec<String> {
    let posts = operations()
        .into_iter()
        .filter(|(method, _)| method == "post");
    posts.map(|(_, path)| path).collect()
}

/// What the other tenant tries at a route with `{id}`, where `{id}` is ours: a valid body.
pub fn body(path: &str) -> Option<Value> {
    Some(match path {
        "/v1/payments/{id}/recall" => json!({"reason": "duplicate"}),
        "/v1/payments/{id}/recall/answer" => json!({"answer": "accept"}),
        "/v1/payments/{id}/verification" => json!({"result": "passed"}),
        "/v1/payments/{id}/cancel"
        | "/v1/payments/{id}/enquiry"
        | "/v1/payments/{id}/returns"
        | "/v1/accounts/{id}/close"
        | "/v1/holds/{id}/post"
        | "/v1/holds/{id}/void"
        | "/v1/webhook_endpoints/{id}"
        | "/v1/webhook_endpoints/{id}/rotate_secret"
        | "/v1/webhook_endpoints/{id}/test" => json!({}),
        "/v1/payments/{id}/challenge" => json!({}),
        "/v1/charges/{id}/capture" | "/v1/charges/{id}/void" | "/v1/charges/{id}/refunds" => {
            json!({})
        }
        "/v1/payments/{id}/challenge/answer" => {
            json!({"linked": "0".repeat(64), "pin": "1234", "code": "000000"})
        }
        "/v1/accounts/{id}/factors" => json!({"pin": "1234"}),
        "/v1/api_keys/{id}"
        | "/v1/api_keys/{id}/rotate"
        | "/v1/mandates/{id}/revoke"
        | "/v1/people/{id}/reset"
        | "/v1/views/{id}" => json!({}),
        "/v1/proposals/{id}/approve" => json!({"digest": "0".repeat(64)}),
        "/v1/proposals/{id}/reject" => json!({}),
        "/v1/tokens/{id}/detokenize" => json!({"purpose": "a try"}),
        "/v1/tokens/{id}" | "/v1/subjects/{id}" => json!({}),
        "/v1/exceptions/{id}/claim"
        | "/v1/exceptions/{id}/comment"
        | "/v1/exceptions/{id}/reopen" => json!({"note": "a try"}),
        "/v1/exceptions/{id}/snooze" => {
            let tomorrow = TestHost::default().now().plus_ms(24 * 3_600_000);
            json!({"until": tomorrow.to_string(), "note": "a try"})
        }
        "/v1/exceptions/{id}/resolve" => json!({"action": "ignore", "note": "a try"}),
        "/v1/risk/rules/{id}/mode" => {
            json!({"version": 1, "mode": "shadow", "revision": 1, "reason": "a try"})
        }
        "/v1/risk/rules/{id}/retire" => json!({"revision": 1, "reason": "a try"}),
        "/v1/risk/lists/{id}/entries" | "/v1/risk/lists/{id}/removals" => {
            json!({"subject": "0".repeat(16), "reason": "a try"})
        }
        "/v1/parties/{id}/accounts" => json!({"account": "0".repeat(64)}),
        "/v1/parties/{id}/decisions" => json!({"state": "rejected", "reason": "a try"}),
        "/v1/parties/{id}/documents" => json!({"kind": "passport", "country": "GB"}),
        "/v1/webhook_endpoints/{id}/replay" => json!({"since": "2026-01-01T00:00:00.000Z"}),
        _ => return None,
    })
}

/// Settings under which nobody exchanges keys alone, so that there is something to propose.
pub fn two_for_rotations() -> Config {
    let mut config = Config::default();
    config.approvals.operations = vec!["POST /v1/vault/rotations".into()];
    config.psp.insert("stripe".into(), charging());
    config
}

/// A provider that is never asked: no worker runs in these tests.
pub fn charging() -> PspConfig {
    PspConfig {
        api_key: Some("sk_of_stripe".into()),
        url: Some("http://127.0.0.1:9".into()),
        ..PspConfig::default()
    }
}

/// A charge for an account, by a token of the provider.
pub fn charge(account: &str, amount: u64) -> Value {
    json!({"amount": amount, "currency": "GBP", "account": account, "provider": "stripe",
        "card": {"provider_token": "pm_card_visa"}, "capture": "manual"})
}

#[tokio::test]
async fn nothing_of_ours_is_there_for_others() {
    let desk = Desk::new(Parts {
        limit: std::time::Duration::from_secs(5),
        ..Parts::default()
    });
    let world = World::of(two_for_rotations(), Some(desk)).await;
    let ours = Ours::make(&world).await;
    for (method, path) in operations() {
        if LOG.contains(&path.as_str()) {
            let filled = path.replace("{id}", ours.at(&path).unwrap_or_default());
            world.get(&filled).await.refused(404, "not_found", None);
            continue;
        }
        let Some(id) = ours.at(&path) else {
            let open = [&OPEN[..], &OWN, &OPERATOR]
                .concat()
                .contains(&path.as_str());
            let open = open || path == COUNTED;
            assert!(open, "{path} needs a row in this test");
            continue;
        };
        let mut filled = path.replace("{id}", id);
        if path == "/v1/risk/backtest" {
            filled += "?condition=amount%20%3E%200";
        }
        if (method.as_str(), path.as_str()) == ("get", "/v1/reconciliation/days") {
            filled += "?source=bank&day=2026-11-01";
        }
        if path == "/v1/exceptions/{id}/preview" {
            filled += "?action=ignore";
        }
        match (method.as_str(), path.contains("{id}")) {
            ("get", true) => {
                world.get(&filled).await.expect(200);
                let theirs = world.get_as(&world.other_key, &filled).await;
                theirs.refused(404, "not_found", None);
            }
            ("get", false) => {
                let theirs = world.get_as(&world.other_key, &filled).await.expect(200);
                assert!(!theirs.to_string().contains(id), "{path}");
            }
            (_, true) => {
                let body = body(&path).unwrap_or_else(|| panic!("{path} needs a row in this test"));
                let theirs = as_other(&world, &method, &filled, body).await;
                // What is not there is as good as deleted; ours is still there below.
                if method != "delete" || theirs.status != 204 {
                    theirs.refused(404, "not_found", None);
                }
            }
            (_, false) => name_ours_as_other(&world, &path, &ours).await,
        }
    }
    let payment = world.get(&format!("/v1/payments/{}", ours.payment)).await;
    assert_eq!(payment.text("status"), "CLEARED");
    let path = format!("/v1/webhook_endpoints/{}", ours.endpoint);
    world.get(&path).await.expect(200);
}

/// One of everything that has an id.
pub struct Ours {
    payment: String,
    charge: String,
    account: String,
    other_account: String,
    hold: String,
    event: String,
    transaction: String,
    endpoint: String,
    batch: String,
    exception: String,
    run: String,
    token: String,
    subject: String,
    api_key: String,
    mandate: String,
    audit: String,
    proposal: String,
    /// What a rule and a list of ours are called.
    rule: &'static str,
    person: String,
    party: String,
    view: String,
}

impl Ours {
    pub async fn make(world: &World) -> Self {
        let (account, other_account) = (world.account(100).await, world.account(0).await);
        let hold =
            json!({"debtor": account, "creditor": other_account, "amount": 1, "currency": "GBP"});
        let kept = json!({"person": {"name": "Ada Lovelace"}});
        let token = world.post("/v1/tokens", kept).await;
        let endpoint = json!({"url": "https://example.com/hooks"});
        let rule = "our_own_rule";
        make_rule(world, rule).await;
        Self {
            payment: world.cleared().await,
            charge: world
                .post("/v1/charges", charge(&account, 1))
                .await
                .text("id"),
            hold: world.post("/v1/holds", hold).await.text("id"),
            event: first_of(world, "/v1/events").await,
            transaction: first_of(world, "/v1/ledger").await,
            endpoint: world
                .post("/v1/webhook_endpoints", endpoint)
                .await
                .text("id"),
            batch: batch(world, &account, &other_account).await,
            exception: exception(world, &account).await,
            run: run(world).await,
            api_key: world
                .post("/v1/api_keys", json!({"name": "spare"}))
                .await
                .text("id"),
            mandate: mandate(world, &account).await,
            audit: first_of(world, "/v1/audit").await,
            proposal: world.post("/v1/proposals", rotation()).await.text("id"),
            rule,
            view: world
                .post(
                    "/v1/views",
                    json!({"list": "payments", "name": "Ours", "query": ""}),
                )
                .await
                .text("id"),
            person: world
                .post("/v1/people", json!({"name": "ada", "roles": ["viewer"]}))
                .await
                .text("id"),
            party: world
                .post("/v1/parties", json!({"kind": "person"}))
                .await
                .text("id"),
            token: token.text("id"),
            subject: token.text("subject"),
            account,
            other_account,
        }
    }

    /// The id to put into a path.
    pub fn at(&self, path: &str) -> Option<&str> {
        Some(match path.split('/').nth(2)? {
            "payments" => &self.payment,
            "charges" => &self.charge,
            "accounts" => &self.account,
            "holds" => &self.hold,
            "events" => &self.event,
            "ledger" => &self.transaction,
            "webhook_endpoints" => &self.endpoint,
            "batches" => &self.batch,
            "exceptions" => &self.exception,
            "reconciliation" => &self.run,
            "tokens" => &self.token,
            "api_keys" => &self.api_key,
            "mandates" => &self.mandate,
            "audit" => &self.audit,
            "proposals" => &self.proposal,
            "people" => &self.person,
            "parties" => &self.party,
            "views" => &self.view,
            "subjects" => &self.subject,
            "risk" if path.starts_with("/v1/risk/rules") => self.rule,
            "risk" if path.starts_with("/v1/risk/lists") => self.rule,
            "risk" => &self.payment,
            _ => return None,
        })
    }
}

/// A rule and a list of one name, where somebody judges.
async fn make_rule(world: &World, name: &str) {
    if world.app.risk.is_some() {
        let list = json!({"name": name, "reason": "ours"});
        world.post("/v1/risk/lists", list).await.expect(201);
        let rule = json!({"name": name, "after_version": 0, "condition": "amount > 1", "action": "review",
            "says": "it is money", "reason": "ours"});
        world.post("/v1/risk/rules", rule).await.expect(201);
    }
}

/// A proposal to exchange keys.
fn rotation() -> Value {
    json!({"method": "POST", "path": "/v1/vault/rotations", "body": {"kind": "data_keys"}})
}

async fn mandate(world: &World, account: &str) -> String {
    let body = json!({"human": "u", "agent": "a", "account": account, "currency": "GBP",
        "amount_each_max": 1, "amount_total_max": 1, "expires_in_seconds": 60});
    world.post("/v1/mandates", body).await.text("id")
}

async fn batch(world: &World, debtor: &str, creditor: &str) -> String {
    let file =
        format!("amount,currency,debtor_account,creditor_account\n1,GBP,{debtor},{creditor}\n");
    let mut request = world.request("/v1/batches", "ours", file);
    let csv = "text/csv".parse().unwrap();
    request.headers_mut().insert("content-type", csv);
    world.send(request).await.text("id")
}

/// Trouble with one of our accounts.
async fn exception(world: &World, account: &str) -> String {
    let kind = exceptions::Kind::EffectFailed;
    let trouble = exceptions::Trouble::new(world.tenant, kind, account, "of a test");
    let id = exceptions::raise(&world.app, trouble).await.unwrap();
    assert_eq!(first_of(world, "/v1/exceptions").await, id.to_string());
    id.to_string()
}

async fn first_of(world: &World, path: &str) -> String {
    let page = world.get(path).await.expect(200);
    page["data"][0]["id"].as_str().unwrap().to_owned()
}

/// Operations whose body refers to accounts: ours are not there for others.
async fn name_ours_as_other(world: &World, path: &str, ours: &Ours) {
    let (a, b) = (ours.account.as_str(), ours.other_account.as_str());
    let leg =
        |account, side| json!({"account": account, "side": side, "amount": 1, "currency": "GBP"});
    let (body, field) = match path {
        "/v1/payments" => (
            json!({"amount": 1, "currency": "GBP", "debtor": {"account": a}, "creditor": {"account": b}}),
            "/debtor/account",
        ),
        "/v1/charges" => (charge(a, 1), "/account"),
        "/v1/holds" => (
            json!({"debtor": a, "creditor": b, "amount": 1, "currency": "GBP"}),
            "/debtor",
        ),
        "/v1/ledger" => (
            json!({"legs": [leg("fps/settlement/GBP", "debit"), leg(a, "credit")]}),
            "/legs/1/account",
        ),
        "/v1/risk/labels" => (
            json!({"payment": ours.payment, "fraud": true, "source": "report"}),
            "/payment",
        ),
        // These refer to nothing.
        "/v1/risk/rules"
        | "/v1/risk/lists"
        | "/v1/accounts"
        | "/v1/webhook_endpoints"
        | "/v1/api_keys"
        | "/v1/people"
        | "/v1/reconciliation/days"
        | "/v1/views"
        | "/v1/proposals" => return,
        "/v1/mandates" => (
            json!({"human": "u", "agent": "a", "account": a, "currency": "GBP",
                "amount_each_max": 1, "amount_total_max": 1, "expires_in_seconds": 60}),
            "/account",
        ),
        "/v1/parties" => (json!({"kind": "person", "accounts": [a]}), "/accounts/0"),
        "/v1/tokens" => (
            json!({"person": {"name": "Eve"}, "subject": ours.subject}),
            "/subject",
        ),
        // Its rows do, and each says so for itself: see the tests of batches and cases.
        "/v1/batches" | "/v1/reconciliation/statements" | "/v1/exceptions/bulk" => return,
        _ => panic!("{path} needs a row in this test"),
    };
    as_other(world, "post", path, body)
        .await
        .refused(422, "reference_unknown", Some(field));
}

async fn as_other(world: &World, method: &str, path: &str, body: Value) -> Answer {
    let mut request = world.request(path, "theirs", body.to_string());
    *request.method_mut() = method.to_uppercase().parse().unwrap();
    let bearer = format!("Bearer {}", world.other_key).parse().unwrap();
    request.headers_mut().insert("authorization", bearer);
    world.send(request).await
}

#[tokio::test]
async fn without_a_key_nothing_of_the_api_answers() {
    let world = World::new().await;
    for (method, path) in operations() {
        let path = path.replace("{id}", "pay_00000000000000000000000000");
        for authorization in [
            None,
            Some("Bearer sk_test_"),
            Some("Basic abc"),
            Some("Bearer"),
        ] {
            let mut request = Request::builder()
                .method(method.to_uppercase().as_str())
                .uri(&path);
            if let Some(authorization) = authorization {
                request = request.header("authorization", authorization);
            }
            let answer = world.send(request.body(Body::empty()).unwrap()).await;
            if OPEN.contains(&path.as_str()) {
                answer.expect(200);
            } else {
                assert_eq!(
                    answer.header("www-authenticate"),
                    Some("Bearer realm=\"lombard\"")
                );
                answer.refused(401, "unauthenticated", None);
            }
        }
    }
}

/// The same bank address leads to one account only, whoever asks; the refusal says no more.
#[tokio::test]
async fn a_blind_address_is_taken_across_tenants() {
    let world = World::new().await;
    let body =
        json!({"name": "a", "currency": "EUR", "address": {"iban": "DE89370400440532013000"}});
    world.post("/v1/accounts", body.clone()).await.expect(201);
    as_other(&world, "post", "/v1/accounts", body)
        .await
        .refused(409, "address_taken", Some("/address"));
}

async fn run(world: &World) -> String {
    let (report, digest) = (Report::default(), "0".repeat(64));
    let kept = kept::keep(&world.app, world.tenant, "key/k", digest, &report);
    kept.await.unwrap();
    first_of(world, "/v1/reconciliation/runs").await
}
