//! Operations that one proposes and another approves: bound to what was proposed, once, in time.

use lombard_service::{config::Config, proposals::STANDS_MS};
use serde_json::{Value, json};

use super::world::{Answer, World};

const CLOSE: &str = "POST /v1/accounts/{id}/close";

struct Desk {
    world: World,
    approver: String,
}

impl Desk {
    async fn new() -> Self {
        let mut config = Config::default();
        config.approvals.operations = vec![CLOSE.into(), "POST /v1/ledger".into()];
        let world = World::with(config).await;
        let approver = key(&world, "approver").await;
        Self { world, approver }
    }

    async fn propose(&self, path: &str, body: Value) -> Value {
        let proposal = json!({"method": "POST", "path": path, "body": body});
        let proposed = self.world.post("/v1/proposals", proposal).await;
        proposed.expect(201)
    }

    /// An account, and the proposal to close it.
    async fn closing(&self) -> (String, Value) {
        let account = self.world.account(0).await;
        let path = format!("/v1/accounts/{account}/close");
        let proposal = self.propose(&path, json!({})).await;
        (account, proposal)
    }

    async fn approve(&self, by: &str, proposal: &Value) -> Answer {
        let body = json!({"digest": proposal["digest"]});
        self.world
            .call_as(by, "POST", &at(proposal, "/approve"), body)
            .await
    }

    async fn is_open(&self, account: &str) -> bool {
        let found = self.world.get(&format!("/v1/accounts/{account}")).await;
        found.expect(200)["state"] == "open"
    }
}

fn at(proposal: &Value, what: &str) -> String {
    format!("/v1/proposals/{}{what}", proposal["id"].as_str().unwrap())
}

async fn key(world: &World, role: &str) -> String {
    let made = world.post("/v1/api_keys", json!({"name": role, "role": role}));
    let made = made.await.expect(201);
    made["key"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn nobody_does_alone_what_takes_two() {
    let desk = Desk::new().await;
    let (account, proposal) = desk.closing().await;
    let path = format!("/v1/accounts/{account}/close");
    let alone = desk.world.post(&path, json!({})).await;
    alone.refused(403, "approval_needed", None);
    let own = desk.approve(&desk.world.key, &proposal).await;
    own.refused(403, "own_approval", None);
    let operator = key(&desk.world, "operator").await;
    let no = desk.approve(&operator, &proposal).await;
    no.refused(403, "forbidden", None);
    assert!(desk.is_open(&account).await);
    let done = desk.approve(&desk.approver, &proposal).await.expect(200);
    assert_eq!(
        (&done["state"], &done["answer_status"]),
        (&json!("done"), &json!(200)),
        "{done}"
    );
    assert!(!desk.is_open(&account).await);
    let audit = desk.world.get("/v1/audit").await.expect(200).to_string();
    for deed in ["proposal.create", "proposal.approve", "account.close"] {
        assert!(audit.contains(deed), "{deed}");
    }
}

#[tokio::test]
async fn of_many_who_approve_at_once_it_is_done_once() {
    let desk = Desk::new().await;
    let account = desk.world.account(0).await;
    let leg = |account: &str, side: &str| json!({"account": account, "side": side, "amount": 7, "currency": "GBP"});
    let legs = [leg("fps/settlement/GBP", "debit"), leg(&account, "credit")];
    let proposal = desk.propose("/v1/ledger", json!({ "legs": legs })).await;
    let others = futures_util::future::join_all((0..3).map(|_| key(&desk.world, "approver"))).await;
    let tries = others.iter().map(|by| desk.approve(by, &proposal));
    let answers = futures_util::future::join_all(tries).await;
    let done = answers.iter().filter(|answer| answer.status == 200);
    assert!(done.count() >= 1);
    let found = desk.world.get(&format!("/v1/accounts/{account}")).await;
    assert_eq!(found.expect(200)["balance"]["available"], 7, "once");
}

#[tokio::test]
async fn an_approval_is_for_what_was_seen_and_in_time() {
    let desk = Desk::new().await;
    let (account, proposal) = desk.closing().await;
    let (_, other) = desk.closing().await;
    let mut mixed = proposal.clone();
    mixed["digest"] = other["digest"].clone();
    let refused = desk.approve(&desk.approver, &mixed).await;
    refused.refused(400, "invalid_field", Some("/digest"));
    let seen = desk.world.get_as(&desk.approver, &at(&proposal, "")).await;
    assert_eq!(seen.expect(200)["body"], json!({}));
    let viewer = key(&desk.world, "viewer").await;
    let seen = desk.world.get_as(&viewer, &at(&proposal, "")).await;
    assert!(seen.expect(200).get("body").is_none());

    let reject = at(&other, "/reject");
    let by = |key| desk.world.call_as(key, "POST", &reject, json!({}));
    by(&desk.world.key).await.refused(403, "own_approval", None);
    assert_eq!(by(&desk.approver).await.expect(200)["state"], "rejected");
    let late = desk.approve(&desk.approver, &other).await;
    late.refused(409, "proposal_closed", None);

    desk.world.host.advance(STANDS_MS);
    let late = desk.approve(&desk.approver, &proposal).await;
    late.refused(409, "proposal_closed", None);
    assert!(desk.is_open(&account).await);
}

#[tokio::test]
async fn one_proposes_what_one_may_do_and_may_still_do_it_then() {
    let desk = Desk::new().await;
    let account = desk.world.account(0).await;
    let path = format!("/v1/accounts/{account}/close");
    let proposal = json!({"method": "POST", "path": path});
    let auditor = key(&desk.world, "auditor").await;
    let no = desk
        .world
        .call_as(&auditor, "POST", "/v1/proposals", proposal.clone())
        .await;
    no.refused(403, "forbidden", None);
    let needless = json!({"method": "POST", "path": "/v1/accounts"});
    let needless = desk.world.post("/v1/proposals", needless).await;
    needless.refused(409, "not_applicable", None);

    let made = desk
        .world
        .post("/v1/api_keys", json!({"name": "o", "role": "operator"}))
        .await
        .expect(201);
    let operator = made["key"].as_str().unwrap();
    let proposal = desk
        .world
        .call_as(operator, "POST", "/v1/proposals", proposal)
        .await
        .expect(201);
    let own = format!("/v1/api_keys/{}", made["id"].as_str().unwrap());
    let gone = desk
        .world
        .call_as(&desk.world.key, "DELETE", &own, json!({}));
    gone.await.expect(200);
    let late = desk.approve(&desk.approver, &proposal).await;
    late.refused(403, "forbidden", None);
    assert!(desk.is_open(&account).await);
}

/// Somebody who looks after credentials makes himself another, with more: not alone, by no way.
#[tokio::test]
async fn nobody_hands_out_alone_what_he_may_not_do_himself() {
    let world = World::new().await;
    let (admin, approver) = (key(&world, "admin").await, key(&world, "approver").await);
    let operator = world.post("/v1/api_keys", json!({"name": "o", "role": "operator"}));
    let operator = operator.await.expect(201)["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let person = world.post("/v1/people", json!({"name": "a", "roles": ["approver"]}));
    let person = person.await.expect(201)["id"].as_str().unwrap().to_owned();
    let account = world.account(100).await;
    let as_admin = |path: String, body: Value| {
        let (world, admin) = (&world, &admin);
        async move { world.call_as(admin, "POST", &path, body).await }
    };
    let reads = json!({"name": "reads", "grants": ["detokenize"], "resources": ["tokens"]});
    for (path, body) in [
        ("/v1/api_keys".to_owned(), reads.clone()),
        (
            "/v1/api_keys".to_owned(),
            json!({"name": "x", "role": "operator"}),
        ),
        (
            "/v1/api_keys".to_owned(),
            json!({"name": "x", "scope": "write"}),
        ),
        (format!("/v1/api_keys/{operator}/rotate"), json!({})),
        (
            "/v1/people".to_owned(),
            json!({"name": "x", "roles": ["viewer", "risk"]}),
        ),
        (format!("/v1/people/{person}/reset"), json!({})),
        (
            "/v1/mandates".to_owned(),
            json!({"human": "u", "agent": "a", "account": account, "currency": "GBP",
                "amount_each_max": 1, "amount_total_max": 1, "expires_in_seconds": 60}),
        ),
    ] {
        as_admin(path, body)
            .await
            .refused(403, "approval_needed", None);
    }
    let own = json!({"name": "x", "role": "auditor"});
    as_admin("/v1/api_keys".to_owned(), own).await.expect(201);
    // What is proposed is made when somebody else approves it, and not by its maker.
    let proposal = json!({"method": "POST", "path": "/v1/api_keys", "body": reads});
    let proposal = as_admin("/v1/proposals".to_owned(), proposal)
        .await
        .expect(201);
    let digest = json!({"digest": proposal["digest"]});
    let approve = at(&proposal, "/approve");
    let alone = world
        .call_as(&admin, "POST", &approve, digest.clone())
        .await;
    alone.refused(403, "forbidden", None);
    let done = world
        .call_as(&approver, "POST", &approve, digest)
        .await
        .expect(200);
    assert_eq!(
        (&done["answer_status"], &done["answer"]["grants"]),
        (&json!(201), &json!(["detokenize"]))
    );
}
