//! Who may do what, on every route that there is: each role, in each of two tenants, on what
//! belongs to one of them. A route without a row fails the test, and so does a row without a route.

use lombard_service::access::Role;
use serde_json::{Value, json};

use super::{
    isolation::{Ours, body, operations, two_for_rotations},
    world::{Answer, World},
};

/// Who is what in [`TABLE`]: a role by its letter, or a machine that pays under a mandate.
const WHO: [(char, Option<Role>); 7] = [
    ('v', Some(Role::Viewer)),
    ('o', Some(Role::Operator)),
    ('a', Some(Role::Approver)),
    ('r', Some(Role::Risk)),
    ('u', Some(Role::Auditor)),
    ('d', Some(Role::Admin)),
    ('m', None),
];

/// Each operation, and by whom alone it may be called: `v`iewer, `o`perator, `a`pprover, `r`isk,
/// a`u`ditor, a`d`min, `m`achine; `-` is nobody who has no grant of his own.
const TABLE: &str = "
get    /healthz                               voarudm
get    /readyz                                voarudm
get    /v1/accounts                           voarud
post   /v1/accounts                           o
get    /v1/accounts/{id}                      voarud
post   /v1/accounts/{id}/close                o
get    /v1/accounts/{id}/entries              voarud
post   /v1/accounts/{id}/factors              o
get    /v1/accounts/{id}/statement            voarud
get    /v1/api_keys                           d
post   /v1/api_keys                           d
delete /v1/api_keys/{id}                      d
post   /v1/api_keys/{id}/rotate               d
get    /v1/audit                              ud
get    /v1/audit/{id}/proof                   ud
get    /v1/batches                            voarud
post   /v1/batches                            o
get    /v1/batches/{id}                       voarud
get    /v1/batches/{id}/report                voarud
get    /v1/batches/{id}/rows                  voarud
get    /v1/charges                            voarud
post   /v1/charges                            o
get    /v1/charges/{id}                       voarud
post   /v1/charges/{id}/capture               o
post   /v1/charges/{id}/refunds               o
post   /v1/charges/{id}/void                  o
get    /v1/credential                         voarudm
get    /v1/events                             voarud
get    /v1/events/{id}                        voarud
get    /v1/exceptions                         voarud
get    /v1/exceptions/{id}                    voarud
post   /v1/exceptions/{id}/claim              o
post   /v1/exceptions/{id}/comment            o
post   /v1/exceptions/{id}/reopen             o
post   /v1/exceptions/{id}/resolve            oa
post   /v1/exceptions/{id}/snooze             o
post   /v1/exceptions/bulk                    o
get    /v1/exceptions/{id}/preview            voarud
get    /v1/holds                              voarud
post   /v1/holds                              o
get    /v1/holds/{id}                         voarud
post   /v1/holds/{id}/post                    o
post   /v1/holds/{id}/void                    o
get    /v1/ledger                             voarud
post   /v1/ledger                             o
get    /v1/ledger/{id}                        voarud
get    /v1/ledger/{id}/proof                  voarud
get    /v1/log                                voarud
get    /v1/log/consistency                    voarud
get    /v1/mandates                           voarud
post   /v1/mandates                           d
get    /v1/mandates/{id}                      voarud
post   /v1/mandates/{id}/revoke               d
get    /v1/operations                         voarud
get    /v1/parties                            voarud
post   /v1/parties                            o
get    /v1/parties/{id}                       voarud
post   /v1/parties/{id}/accounts              o
post   /v1/parties/{id}/decisions             r
post   /v1/parties/{id}/documents             o
get    /v1/payments                           voarudm
post   /v1/payments                           om
get    /v1/payments/{id}                      voarudm
post   /v1/payments/{id}/cancel               o
post   /v1/payments/{id}/challenge            o
post   /v1/payments/{id}/challenge/answer     o
post   /v1/payments/{id}/enquiry              o
post   /v1/payments/{id}/recall               o
post   /v1/payments/{id}/recall/answer        o
post   /v1/payments/{id}/returns              o
get    /v1/payments/{id}/timeline             voarudm
post   /v1/payments/{id}/verification         or
get    /v1/people                             d
post   /v1/people                             d
post   /v1/people/{id}/reset                  d
get    /v1/proposals                          voarud
post   /v1/proposals                          oaurd
get    /v1/proposals/{id}                     voarud
post   /v1/proposals/{id}/approve             a
post   /v1/proposals/{id}/reject              a
get    /v1/reconciliation/days                voarud
post   /v1/reconciliation/days                o
get    /v1/reconciliation/runs                voarud
get    /v1/reconciliation/runs/{id}           voarud
get    /v1/reconciliation/sources             voarud
post   /v1/reconciliation/statements          o
get    /v1/risk/backtest                      voarud
get    /v1/risk/changes                       voarud
get    /v1/risk/decisions                     voarud
get    /v1/risk/decisions/{id}                voarud
get    /v1/risk/fraud_rates                   voarud
get    /v1/risk/health                        voarud
get    /v1/risk/hits                          voarud
post   /v1/risk/labels                        or
get    /v1/risk/lists                         voarud
post   /v1/risk/lists                         r
get    /v1/risk/lists/{id}                    voarud
post   /v1/risk/lists/{id}/entries            r
post   /v1/risk/lists/{id}/removals           r
get    /v1/risk/rules                         voarud
post   /v1/risk/rules                         r
get    /v1/risk/rules/{id}                    voarud
post   /v1/risk/rules/{id}/mode               ar
post   /v1/risk/rules/{id}/retire             r
get    /v1/settings                           voarud
get    /v1/standing                           voarud
delete /v1/subjects/{id}                      d
get    /v1/subjects/{id}                      voarud
get    /v1/subjects/{id}/export               -
post   /v1/tokens                             o
delete /v1/tokens/{id}                        o
get    /v1/tokens/{id}                        voarud
post   /v1/tokens/{id}/detokenize             -
get    /v1/vault/keys                         d
get    /v1/vault/rotations                    d
post   /v1/vault/rotations                    d
get    /v1/views                              voarud
post   /v1/views                              voarud
delete /v1/views/{id}                         voarud
get    /v1/webhook_endpoints                  voarud
post   /v1/webhook_endpoints                  o
delete /v1/webhook_endpoints/{id}             o
get    /v1/webhook_endpoints/{id}             voarud
patch  /v1/webhook_endpoints/{id}             o
get    /v1/webhook_endpoints/{id}/deliveries  voarud
post   /v1/webhook_endpoints/{id}/replay      o
post   /v1/webhook_endpoints/{id}/rotate_secret o
post   /v1/webhook_endpoints/{id}/test        o
";

/// Operations that no key is asked for.
const OPEN: [&str; 2] = ["/healthz", "/readyz"];

fn rows() -> Vec<(String, String, &'static str)> {
    let row = |line: &'static str| {
        let mut words = line.split_whitespace();
        let mut next = || words.next().unwrap_or_else(|| panic!("{line}"));
        (next().to_owned(), next().to_owned(), next())
    };
    TABLE.trim().lines().map(row).collect()
}

#[test]
fn every_route_has_a_row_and_every_row_a_route() {
    let mut routes = operations();
    let mut rows: Vec<_> = rows().into_iter().map(|row| (row.0, row.1)).collect();
    routes.sort();
    rows.sort();
    assert_eq!(rows, routes);
}

/// Somebody of a tenant.
struct Caller {
    letter: char,
    key: String,
}

/// One of each kind, of the tenant of `key`.
async fn callers(world: &World, key: &str) -> Vec<Caller> {
    let post = |path, body| world.call_as(key, "POST", path, body);
    let account = post("/v1/accounts", json!({"name": "w", "currency": "GBP"})).await;
    let account = account.text("id");
    let mut callers = Vec::new();
    for (letter, role) in WHO {
        let made = match role {
            Some(role) => post("/v1/api_keys", json!({"name": "k", "role": role})).await,
            None => {
                let mandate = json!({"human": "u", "agent": "a", "account": account, "currency": "GBP",
                    "amount_each_max": 1, "amount_total_max": 1, "expires_in_seconds": 60});
                post("/v1/mandates", mandate).await
            }
        };
        let key = made.expect(201)["key"].as_str().unwrap().to_owned();
        callers.push(Caller { letter, key });
    }
    callers
}

async fn call(world: &World, by: &Caller, method: &str, path: &str, filled: &str) -> Answer {
    let body = body(path).unwrap_or(Value::Null);
    let body = if body.is_null() { json!({}) } else { body };
    world
        .call_as(&by.key, &method.to_uppercase(), filled, body)
        .await
}

#[tokio::test]
async fn nobody_does_what_he_may_not() {
    let world = World::with(two_for_rotations()).await;
    let ours = Ours::make(&world).await;
    let own = callers(&world, &world.key).await;
    let others = callers(&world, &world.other_key).await;
    // What is ours is tried by others first, while it is still there.
    for (method, path, may) in rows() {
        let id = ours.at(&path).unwrap_or_default();
        let filled = path.replace("{id}", id);
        for by in &others {
            let what = format!("{method} {path} by another tenant's {}", by.letter);
            let answer = call(&world, by, &method, &path, &filled).await;
            match may.contains(by.letter) {
                // What a caller may not, he may not with what is there or is not.
                false => assert!(matches!(answer.status, 403 | 404), "{what}: {answer:?}"),
                // What is not there is as good as deleted; ours is still there below.
                true if method == "delete" && answer.status == 204 => {}
                true if path.contains("{id}") => assert_eq!(answer.status, 404, "{what}"),
                true => {
                    let may = answer.status != 401 && answer.text("code") != "forbidden";
                    assert!(may, "{what}: {answer:?}");
                    let said = String::from_utf8_lossy(&answer.bytes);
                    assert!(id.is_empty() || !said.contains(id), "{what}");
                }
            }
        }
    }
    for path in ["/v1/tokens/{id}", "/v1/webhook_endpoints/{id}"] {
        let filled = path.replace("{id}", ours.at(path).unwrap_or_default());
        world.get(&filled).await.expect(200);
    }
    for (method, path, may) in rows() {
        let filled = path.replace("{id}", ours.at(&path).unwrap_or_default());
        for by in &own {
            let what = format!("{method} {path} by {}", by.letter);
            let answer = call(&world, by, &method, &path, &filled).await;
            let code = answer.text("code");
            let refused = ["forbidden", "unauthenticated"].contains(&code.as_str());
            let open = OPEN.contains(&path.as_str());
            assert_eq!(
                refused,
                !may.contains(by.letter) && !open,
                "{what}: {answer:?}"
            );
        }
    }
}
