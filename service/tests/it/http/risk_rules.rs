//! Rules and lists over the API: one proposes, another puts in force, every change is a version
//! that is kept, and decisions of any version can be made again.

use std::time::Duration;

use lombard_core::time::Timestamp;
use lombard_risk::policy::Policy;
use lombard_service::{
    access::Role,
    config::Config,
    ports::Host,
    risk::{
        Desk, Parts,
        archive::{self, What},
        policies,
    },
};
use serde_json::{Value, json};

use super::world::World;

const FILE: &str = r#"{
    "version": 3,
    "rules": [{"name": "huge", "version": 1, "condition": "amount > 900000", "action": "decline", "says": "it is huge",
         "author": "ann", "reason": "case 7", "written_at": "2026-11-23", "mode": "live", "activated_by": "bob"}],
    "lists": {"mules": {"0123456789abcdef": null}}
}"#;

fn desk() -> std::sync::Arc<Desk> {
    Desk::new(Parts {
        policy: Policy::parse(FILE).unwrap(),
        limit: Duration::from_secs(5),
        ..Parts::default()
    })
}

struct Town {
    world: World,
    ann: String,
    bob: String,
    from: String,
    to: String,
}

async fn town() -> Town {
    let world = World::of(Config::default(), Some(desk())).await;
    Town {
        ann: world.key_with(Role::Risk.access()).await,
        bob: world.key_with(Role::Risk.access()).await,
        from: world.account(10_000_000).await,
        to: world.account(0).await,
        world,
    }
}

impl Town {
    async fn pay(&self, amount: u64) -> Value {
        self.world.host.advance(1_000);
        let body = json!({"amount": amount, "currency": "GBP", "debtor": {"account": self.from}, "creditor": {"account": self.to}});
        self.world.post("/v1/payments", body).await.expect(201)
    }

    async fn propose(&self, condition: &str, after: u32) -> super::world::Answer {
        let body = json!({"name": "large", "after_version": after, "condition": condition, "action": "decline",
            "says": "it is large", "reason": "case 9"});
        self.world
            .call_as(&self.ann, "POST", "/v1/risk/rules", body)
            .await
    }

    async fn set(
        &self,
        who: &str,
        version: u32,
        mode: &str,
        revision: u32,
    ) -> super::world::Answer {
        let body =
            json!({"version": version, "mode": mode, "revision": revision, "reason": "seen"});
        self.world
            .call_as(who, "POST", "/v1/risk/rules/large/mode", body)
            .await
    }

    async fn decision(&self, payment: &Value) -> Value {
        let path = format!("/v1/risk/decisions/{}", payment["id"].as_str().unwrap());
        self.world.get(&path).await.expect(200)
    }
}

#[tokio::test]
async fn it_takes_two_to_put_a_rule_in_force_and_one_to_take_it_out() {
    let town = town().await;
    let before = town.pay(60_000).await;
    assert_eq!(before["status"], "CLEARED");
    let proposed = town.propose("amount > 50000", 0).await.expect(201);
    let trial = &proposed["versions"][0]["backtest"]["report"];
    assert_eq!((&trial["payments"], &trial["hits"]), (&json!(1), &json!(1)));
    assert_eq!(trial["amount"]["GBP"], 60_000);
    assert_eq!(
        town.pay(60_000).await["status"],
        "CLEARED",
        "it decides nothing"
    );

    let own = town.set(&town.ann, 1, "live", 1).await;
    own.refused(403, "own_approval", None);
    let stale = town.set(&town.bob, 1, "live", 7).await;
    stale.refused(409, "version_stale", None);
    let none = town.set(&town.bob, 2, "live", 1).await;
    none.refused(422, "reference_unknown", Some("/version"));
    let share = town.set(&town.bob, 1, "percentage", 1).await;
    share.refused(400, "invalid_field", Some("/percent"));
    let live = town.set(&town.bob, 1, "live", 1).await.expect(200);
    assert_eq!(
        (&live["deciding"], &live["revision"]),
        (&json!(1), &json!(2))
    );
    assert_ne!(
        live["versions"][0]["author"],
        live["versions"][0]["activated_by"]
    );

    let refused = town.pay(60_000).await;
    assert_eq!(refused["status"], "FAILED");
    let why = town.decision(&refused).await;
    assert_eq!(
        (&why["policy_version"], &why["reasons"]),
        (&json!(4), &json!(["it is large"]))
    );

    // Its next version, first in the shadow of the one that decides.
    town.propose("amount > 80000", 0)
        .await
        .refused(409, "version_stale", None);
    town.propose("amount > 80000", 1).await.expect(201);
    town.set(&town.ann, 2, "shadow", 3).await.expect(200);
    assert_eq!(town.pay(90_000).await["status"], "FAILED");
    let hits = town.world.get("/v1/risk/hits").await.expect(200);
    let of = |version: u32| {
        let hits = hits["data"].as_array().unwrap().iter();
        let mut hits = hits.filter(|hit| hit["version"] == version);
        hits.next()
            .map(|hit| (hit["hits"].clone(), hit["decided"].clone()))
    };
    assert_eq!(of(1), Some((json!(2), json!(2))));
    assert_eq!(of(2), Some((json!(1), json!(0))));
    let live = town.set(&town.bob, 2, "live", 4).await.expect(200);
    assert_eq!(live["deciding"], 2);
    assert_eq!(live["versions"][0]["mode"], "off");
    assert_eq!(town.pay(60_000).await["status"], "CLEARED");

    let retire = json!({"revision": 5, "reason": "it hit too many"});
    let path = "/v1/risk/rules/large/retire";
    let retired = town.world.call_as(&town.ann, "POST", path, retire).await;
    assert_eq!(retired.expect(200)["retired"]["reason"], "it hit too many");
    assert_eq!(town.pay(90_000).await["status"], "CLEARED");
    let again = town.set(&town.bob, 2, "live", 6).await;
    again.refused(409, "wrong_state", None);
    assert_eq!(
        town.pay(950_000).await["status"],
        "FAILED",
        "the file's rule holds"
    );

    // All of it is on record, and every decision comes out the same.
    let changes = town.world.get("/v1/risk/changes").await.expect(200);
    let versions: Vec<_> = changes["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| &it["version"])
        .collect();
    assert_eq!(versions, [7, 6, 5, 4]);
    let audit = town.world.get("/v1/audit?limit=100").await.expect(200);
    let whats = audit["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["what"].as_str().unwrap());
    let whats: Vec<_> = whats.filter(|what| what.starts_with("risk.")).collect();
    assert_eq!(whats.len(), 6, "{whats:?}");
    for (payment, version) in [(&before, 3), (&refused, 4)] {
        let why = town.decision(payment).await;
        assert_eq!(
            (&why["replay"]["result"], &why["policy_version"]),
            (&json!("same"), &json!(version))
        );
    }
}

#[tokio::test]
async fn what_is_wrong_with_a_rule_is_said_with_its_column() {
    let town = town().await;
    for (condition, wanted) in [
        ("amuont > 5", "line 1, column 1"),
        ("amount > 5 &&\n  payee_cuont_1h > 3", "line 2, column 3"),
        ("in_list('nobody', payee)", "there is no list `nobody`"),
    ] {
        let refused = town.propose(condition, 0).await.expect(400);
        assert_eq!(refused["field"], "/condition");
        let detail = refused["detail"].as_str().unwrap();
        assert!(detail.contains(wanted), "{detail}");
    }
    // Whoever only makes payments writes no rules.
    let operator = town.world.key_with(Role::Operator.access()).await;
    let body = json!({"name": "x", "after_version": 0, "condition": "true", "action": "approve", "says": "x", "reason": "x"});
    let refused = town
        .world
        .call_as(&operator, "POST", "/v1/risk/rules", body)
        .await;
    refused.refused(403, "forbidden", None);
}

#[tokio::test]
async fn who_is_listed_is_stopped_until_he_is_taken_off() {
    let town = town().await;
    let (world, ann) = (&town.world, &town.ann);
    let list = json!({"name": "watched", "reason": "case 11"});
    world
        .call_as(ann, "POST", "/v1/risk/lists", list.clone())
        .await
        .expect(201);
    world
        .call_as(ann, "POST", "/v1/risk/lists", list)
        .await
        .refused(409, "already_exists", None);
    town.propose("in_list('watched', payee)", 0)
        .await
        .expect(201);
    town.set(&town.bob, 1, "live", 1).await.expect(200);
    let free = town.pay(100).await;
    assert_eq!(free["status"], "CLEARED");

    let entries = "/v1/risk/lists/watched/entries";
    let entry = json!({"payment": free["id"], "kind": "payee", "reason": "a mule"});
    let listed = world.call_as(ann, "POST", entries, entry).await.expect(201);
    let subject = listed["subject"].clone();
    let stopped = town.pay(100).await;
    assert_eq!(stopped["status"], "FAILED");
    let page = world.get("/v1/risk/lists/watched").await.expect(200);
    assert_eq!(page["data"][0]["added"]["reason"], "a mule");

    let removals = "/v1/risk/lists/watched/removals";
    let off = json!({"subject": subject, "reason": "a mistake"});
    let removed = world
        .call_as(ann, "POST", removals, off.clone())
        .await
        .expect(200);
    assert_eq!(removed["listed"], false);
    let twice = world.call_as(ann, "POST", removals, off).await;
    twice.refused(422, "reference_unknown", Some("/subject"));
    assert_eq!(town.pay(100).await["status"], "CLEARED");

    // For a while only.
    let soon = world.host.now().unix_ms() + 60_000;
    let soon = Timestamp::from_unix_ms(soon).to_string();
    let entry = json!({"subject": subject, "reason": "to be asked", "expires_at": soon});
    world.call_as(ann, "POST", entries, entry).await.expect(201);
    assert_eq!(town.pay(100).await["status"], "FAILED");
    world.host.advance(60_000);
    assert_eq!(town.pay(100).await["status"], "CLEARED");
    let past = json!({"subject": subject, "reason": "late", "expires_at": soon});
    let past = world.call_as(ann, "POST", entries, past).await;
    past.refused(400, "invalid_field", Some("/expires_at"));

    // Whom the file lists is taken off like anybody.
    let off = json!({"subject": "0123456789abcdef", "reason": "cleared"});
    world
        .call_as(ann, "POST", "/v1/risk/lists/mules/removals", off)
        .await
        .expect(200);
    assert_eq!(
        world.get("/v1/risk/lists/mules").await.expect(200)["data"],
        json!([])
    );
    for payment in [&free, &stopped] {
        assert_eq!(town.decision(payment).await["replay"]["result"], "same");
    }
}

/// Another process, with a desk of its own over the same store.
#[tokio::test]
async fn every_process_learns_of_a_change() {
    let town = town().await;
    let (app, tenant) = (&town.world.app, town.world.tenant);
    let other = desk();
    archive::keep(app, What::Policy, "3", FILE).await.unwrap();
    policies::refresh(app, &other).await.unwrap();
    assert_eq!(other.policy(tenant).rules.version(), 3);
    town.propose("amount > 50000", 0).await.expect(201);
    town.set(&town.bob, 1, "live", 1).await.expect(200);
    let entry = json!({"subject": "00000000000000aa", "reason": "a mule"});
    let path = "/v1/risk/lists/mules/entries";
    town.world
        .call_as(&town.ann, "POST", path, entry)
        .await
        .expect(201);
    let here = app.risk.as_ref().unwrap().policy(tenant).document();
    // One that looked before, and one that starts now.
    for desk in [other, desk()] {
        policies::refresh(app, &desk).await.unwrap();
        assert_eq!(desk.policy(tenant).document(), here);
    }
    assert_eq!((here.version, here.rules.len()), (5, 2));

    // Limits, thresholds and fallback go on following the file; rules do not.
    let newer = FILE
        .replace("\"version\": 3", "\"version\": 9")
        .replace("amount > 900000", "amount > 1");
    let newer = newer.replace(
        "\"lists\"",
        r#""fallback": [{"action": "decline"}], "lists""#,
    );
    let desk = desk();
    desk.adopt(Policy::parse(&newer).unwrap());
    policies::refresh(app, &desk).await.unwrap();
    let policy = desk.policy(tenant);
    assert_eq!(policy.rules.version(), 6);
    assert_eq!(policy.fallback, desk.file().fallback);
    assert_eq!(policy.document().rules, here.rules);
    policies::refresh(app, &desk).await.unwrap();
    assert_eq!(desk.policy(tenant).rules.version(), 6, "it is taken once");
}

#[tokio::test]
async fn changes_that_meet_are_all_made() {
    let town = town().await;
    let add = async |number: u32| {
        let entry = json!({"subject": format!("{number:016x}"), "reason": "a feed"});
        let path = "/v1/risk/lists/mules/entries";
        town.world
            .call_as(&town.ann, "POST", path, entry)
            .await
            .expect(201);
    };
    futures_util::future::join_all((0..12).map(add)).await;
    let policy = town
        .world
        .app
        .risk
        .as_ref()
        .unwrap()
        .policy(town.world.tenant);
    assert_eq!((policy.rules.version(), policy.lists.len()), (15, 13));
}
