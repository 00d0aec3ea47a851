//! What a person does about a payment that no machine could finish: shown before it is done, done as it was
//! shown, by two where it is much, and taken back.

use lombard_core::{command::Report, id::Id, payment::Payment, reason::Reason};
use lombard_service::{
    access::Role,
    exceptions::{self, Exception, Kind, Trouble},
    tenants,
};
use serde_json::{Value, json};

use super::world::{Answer, World, outgoing};

/// A case about a payment.
struct Case {
    world: World,
    id: Id<Exception>,
    payment: String,
    account: String,
}

impl Case {
    /// About an outgoing payment of `pence`, moved on by what the rail said.
    async fn of(kind: Kind, pence: u64, said: &[Report]) -> Self {
        let world = World::new().await;
        let account = world.account(1_000_000).await;
        let mut body = outgoing(&account);
        body["amount"] = json!(pence);
        let made = world.post("/v1/payments", body).await.expect(201);
        let payment = made["id"].as_str().unwrap().to_owned();
        for report in said {
            world.report(&payment, report.clone()).await;
        }
        let subject: Id<Payment> = payment.parse().unwrap();
        let trouble = Trouble::with_payment(world.tenant, kind, subject, "a test of it");
        let id = exceptions::raise(&world.app, trouble).await.unwrap();
        Self {
            world,
            id,
            payment,
            account,
        }
    }

    async fn in_doubt(pence: u64) -> Self {
        let said = [Report::Submitted, Report::TimedOut];
        Self::of(Kind::Unresolved, pence, &said).await
    }

    /// The rail said no, and then yes.
    async fn contradicted(pence: u64) -> Self {
        let no = Report::Rejected(Reason::Unspecified, "1160".to_owned());
        let said = [Report::Submitted, no, Report::Accepted(None)];
        Self::of(Kind::Contradiction, pence, &said).await
    }

    fn at(&self, act: &str) -> String {
        format!("/v1/exceptions/{}{act}", self.id)
    }

    async fn preview(&self, asked: &str) -> Value {
        let path = self.at(&format!("/preview?action={asked}"));
        self.world.get(&path).await.expect(200)
    }

    async fn resolve_as(&self, key: &str, body: Value) -> Answer {
        let path = self.at("/resolve");
        self.world.call_as(key, "POST", &path, body).await
    }

    async fn resolve(&self, body: Value) -> Answer {
        self.resolve_as(&self.world.key.clone(), body).await
    }

    async fn status(&self) -> String {
        let path = format!("/v1/payments/{}", self.payment);
        self.world.get(&path).await.text("status")
    }

    async fn available(&self) -> i64 {
        let path = format!("/v1/accounts/{}", self.account);
        let account = self.world.get(&path).await.expect(200);
        account["balance"]["available"].as_i64().unwrap()
    }

    /// The legs of what was posted for the payment.
    async fn posted(&self) -> Vec<Value> {
        let path = format!("/v1/ledger?payment={}", self.payment);
        let page = self.world.get(&path).await.expect(200);
        let all = page["data"].as_array().unwrap().iter();
        all.map(|it| it["legs"].clone()).collect()
    }
}

fn wish(action: &str, shown: &Value) -> Value {
    json!({"action": action, "seen": shown["seen"], "note": "a test", "reference": "report 7"})
}

#[tokio::test]
async fn what_was_shown_is_what_is_posted() {
    let case = Case::in_doubt(5_000).await;
    let shown = case.preview("mark_paid&reference=report%207").await;
    assert_eq!(
        (&shown["status"], &shown["status_after"]),
        (&json!("AUTH_PENDING"), &json!("CLEARED"))
    );
    assert_eq!(case.status().await, "AUTH_PENDING");
    let done = case.resolve(wish("mark_paid", &shown)).await.expect(200);
    assert_eq!(done["state"], "resolved");
    assert_eq!(case.status().await, "CLEARED");
    assert!(case.posted().await.contains(&shown["journal"][0]["legs"]));
    let audit = case.world.get("/v1/audit?limit=10").await.expect(200);
    assert!(audit.to_string().contains("payment.mark_paid"), "{audit}");
}

#[tokio::test]
async fn what_is_no_longer_as_it_was_shown_is_refused() {
    let case = Case::in_doubt(5_000).await;
    let shown = case.preview("mark_not_paid&reference=report%207").await;
    case.world
        .report(&case.payment, Report::Accepted(None))
        .await;
    let late = case.resolve(wish("mark_not_paid", &shown)).await;
    late.refused(409, "wrong_state", None);
    assert_eq!(case.status().await, "CLEARED");
    let unseen = json!({"action": "mark_paid", "reference": "r", "note": "n"});
    assert_ne!(case.resolve(unseen).await.status, 200);

    let case = Case::in_doubt(5_000).await;
    let shown = case.preview("mark_not_paid&reference=report%207").await;
    let body = json!({"note": "I look at it"});
    case.world
        .post(&case.at("/comment"), body)
        .await
        .expect(200);
    let late = case.resolve(wish("mark_not_paid", &shown)).await;
    late.refused(409, "wrong_state", None);
    let unseen = json!({"action": "mark_not_paid", "reference": "r", "note": "n"});
    let unseen = case.resolve(unseen).await;
    unseen.refused(400, "invalid_field", Some("/seen"));
}

#[tokio::test]
async fn a_mark_names_its_evidence_and_a_line_s_action_is_none_of_a_payment_s() {
    let case = Case::in_doubt(5_000).await;
    for asked in ["mark_paid", "suspense", "link"] {
        let path = case.at(&format!("/preview?action={asked}"));
        case.world
            .get(&path)
            .await
            .refused(409, "wrong_state", None);
    }
}

#[tokio::test]
async fn what_is_much_takes_two_of_whom_the_second_may_approve() {
    let case = Case::in_doubt(50_000).await;
    let operator = case.world.key_with(Role::Operator.access()).await;
    let approver = case.world.key_with(Role::Approver.access()).await;
    let asked = "mark_not_paid&reference=report%207";
    // Nobody has proposed anything yet.
    let early = wish("mark_not_paid", &case.preview(asked).await);
    let early = case.resolve_as(&approver, early).await;
    early.refused(403, "forbidden", None);

    let shown = case.preview(asked).await;
    assert_eq!(shown["needs_approval"], true);
    let proposed = case.resolve_as(&operator, wish("mark_not_paid", &shown));
    let proposed = proposed.await.expect(200);
    assert_eq!(proposed["standing"], "waiting_for_approval");
    assert_eq!(case.status().await, "AUTH_PENDING");

    let own = wish("mark_not_paid", &case.preview(asked).await);
    let own = case.resolve_as(&operator, own).await.expect(200);
    assert_eq!(own, proposed);
    let other = json!({"action": "ignore", "note": "not what was proposed"});
    let other = case.resolve_as(&approver, other).await;
    other.refused(403, "forbidden", None);

    let path = case.at(&format!("/preview?action={asked}"));
    let shown = case.world.get_as(&approver, &path).await.expect(200);
    assert_eq!(shown["needs_approval"], false);
    let done = case.resolve_as(&approver, wish("mark_not_paid", &shown));
    assert_eq!(done.await.expect(200)["state"], "resolved");
    assert_eq!(case.status().await, "FAILED");
    assert_eq!(case.available().await, 1_000_000);
}

#[tokio::test]
async fn money_that_left_for_a_failed_payment_is_borne_once_and_taken_back() {
    for (action, borne) in [("compensate", 995_000), ("write_off", 1_000_000)] {
        let case = Case::contradicted(5_000).await;
        assert_eq!(case.available().await, 1_000_000);
        let shown = case.preview(action).await;
        let key = "compensated-once";
        let body = wish(action, &shown);
        for _ in 0..2 {
            let path = case.at("/resolve");
            let done = case.world.post_with(&path, key, body.clone()).await;
            assert_eq!(done.expect(200)["state"], "resolved");
        }
        assert_eq!(case.available().await, borne, "{action}");
        assert_eq!(case.status().await, "FAILED");
        let body = json!({"note": "the report was wrong"});
        case.world.post(&case.at("/reopen"), body).await.expect(200);
        assert_eq!(case.available().await, 1_000_000, "{action}");
        // And again, for it was opened again.
        let shown = case.preview(action).await;
        case.resolve(wish(action, &shown)).await.expect(200);
        assert_eq!(case.available().await, borne, "{action}");
    }
}

#[tokio::test]
async fn what_was_borne_is_not_borne_again_however_the_case_is_closed_and_opened() {
    let case = Case::contradicted(5_000).await;
    let note = json!({"note": "a test"});
    let reopen = async || {
        case.world
            .post(&case.at("/reopen"), note.clone())
            .await
            .expect(200)
    };
    let compensate = async || {
        let shown = case.preview("compensate").await;
        case.resolve(wish("compensate", &shown)).await.expect(200)
    };
    compensate().await;
    assert_eq!(case.available().await, 995_000);

    // Something is said of it before it is opened again: what was posted goes back all the same.
    case.world
        .post(&case.at("/comment"), note.clone())
        .await
        .expect(200);
    reopen().await;
    assert_eq!(case.available().await, 1_000_000);
    compensate().await;
    assert_eq!(case.available().await, 995_000);

    // The contradiction is told again, closed as nothing, and opened by a person: it stays borne, once.
    let subject: Id<Payment> = case.payment.parse().unwrap();
    let told = Trouble::with_payment(case.world.tenant, Kind::Contradiction, subject, "again");
    exceptions::raise(&case.world.app, told).await.unwrap();
    let ignore = json!({"action": "ignore", "note": "it is the same"});
    case.resolve(ignore).await.expect(200);
    reopen().await;
    let shown = case.preview("compensate").await;
    assert_eq!(shown["journal"], json!([]));
    compensate().await;
    assert_eq!(case.available().await, 995_000);
}

#[tokio::test]
async fn a_payment_in_doubt_goes_out_again_under_its_attempt() {
    let case = Case::in_doubt(50_000).await;
    let shown = case.preview("resubmit").await;
    assert_eq!(shown["journal"], json!([]));
    case.resolve(wish("resubmit", &shown)).await.expect(200);
    let path = format!("/v1/payments/{}", case.payment);
    let payment = case.world.get(&path).await.expect(200);
    assert_eq!(payment["pending"], "rails");
    assert_ne!(payment["in_doubt"], true, "{payment}");
}

#[tokio::test]
async fn a_snoozed_case_stands_aside_and_comes_back_by_itself() {
    let case = Case::in_doubt(5_000).await;
    let listed = async |standing: &str| {
        let path = format!("/v1/exceptions?standing={standing}");
        let page = case.world.get(&path).await.expect(200);
        page["data"].as_array().unwrap().len()
    };
    assert_eq!(listed("active").await, 1);
    let now = case.world.app.host.now();
    let until = now.plus_ms(3_600_000).to_string();
    let body = json!({"until": until, "note": "until the statement"});
    let snoozed = case.world.post(&case.at("/snooze"), body).await.expect(200);
    assert_eq!(snoozed["standing"], "snoozed");
    assert_eq!((listed("active").await, listed("snoozed").await), (0, 1));
    case.world.host.advance(3_600_001);
    assert_eq!((listed("active").await, listed("snoozed").await), (1, 0));
    let late = json!({"until": now.to_string(), "note": "n"});
    let late = case.world.post(&case.at("/snooze"), late).await;
    late.refused(400, "invalid_field", Some("/until"));
}

#[tokio::test]
async fn many_are_done_as_the_dry_run_showed_them_and_the_rest_is_left_alone() {
    let case = Case::in_doubt(5_000).await;
    let world = &case.world;
    let mut ids = Vec::new();
    for number in 0..3 {
        let subject = format!("message-{number}");
        let trouble = Trouble::new(world.tenant, Kind::UnmatchedMessage, &subject, "nobody's");
        let id = exceptions::raise(&world.app, trouble).await.unwrap();
        ids.push(id.to_string());
    }
    let cases: Vec<Value> = ids.iter().map(|id| json!({"id": id})).collect();
    let mut body = json!({"deed": "resolve", "action": "ignore", "note": "a test of theirs",
        "cases": cases, "dry_run": true});
    let dry = world
        .post("/v1/exceptions/bulk", body.clone())
        .await
        .expect(200);
    let shown = dry["data"].as_array().unwrap().clone();
    assert!(shown.iter().all(|it| it["outcome"] == "would"), "{dry}");
    let theirs = {
        world.call_as(
            &world.other_key,
            "POST",
            "/v1/exceptions/bulk",
            body.clone(),
        )
    };
    let theirs = theirs.await.expect(200);
    assert!({ theirs["data"].as_array().unwrap().iter() }.all(|it| it["outcome"] == "refused"));
    // One changes meanwhile, and one is given without what was shown of it.
    let comment = json!({"note": "wait"});
    let path = format!("/v1/exceptions/{}/comment", ids[1]);
    world.post(&path, comment).await.expect(200);
    body["cases"] = json!([
        {"id": ids[0], "seen": shown[0]["seen"]},
        {"id": ids[1], "seen": shown[1]["seen"]},
        {"id": ids[2]},
    ]);
    body["dry_run"] = json!(false);
    let run = world.post("/v1/exceptions/bulk", body).await.expect(200);
    let outcomes: Vec<&Value> = { run["data"].as_array().unwrap().iter() }
        .map(|it| &it["outcome"])
        .collect();
    assert_eq!(outcomes, ["done", "refused", "refused"], "{run}");
    let active = world
        .get("/v1/exceptions?standing=active")
        .await
        .expect(200);
    assert_eq!(active["data"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn what_belongs_to_no_tenant_is_in_the_queue_of_the_first_one_alone() {
    let world = World::new().await;
    let trouble = Trouble::new(exceptions::operator(), Kind::LogDamaged, "log", "a test");
    let id = exceptions::raise(&world.app, trouble).await.unwrap();
    let path = format!("/v1/exceptions/{id}");
    // Nobody looks after the installation yet.
    world.get(&path).await.refused(404, "not_found", None);
    world.host.advance(1);
    tenants::demo(&world.app).await.unwrap();

    // Both tenants of this world were made in one moment.
    let keeper = tenants::keeper(&world.app).await.unwrap();
    let (own, other) = if keeper == Some(world.tenant) {
        (&world.key, &world.other_key)
    } else {
        (&world.other_key, &world.key)
    };
    let page = world.get_as(own, "/v1/exceptions").await.expect(200);
    assert_eq!(page["data"][0]["id"], id.to_string());
    let ignore = json!({"action": "ignore", "note": "restored"});
    let resolve = format!("{path}/resolve");
    let theirs = world.get_as(other, &path).await;
    theirs.refused(404, "not_found", None);
    let theirs = world.call_as(other, "POST", &resolve, ignore.clone());
    theirs.await.refused(404, "not_found", None);
    let theirs = world.get_as(other, "/v1/exceptions").await.expect(200);
    assert_eq!(theirs["data"], json!([]));

    let done = world.call_as(own, "POST", &resolve, ignore).await;
    assert_eq!(done.expect(200)["state"], "resolved");
    let audit = world.get_as(own, "/v1/audit?limit=10").await.expect(200);
    assert!(audit.to_string().contains("exception.ignore"), "{audit}");
}
