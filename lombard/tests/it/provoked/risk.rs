//! What the judgement of risk and the guard of the vault find.

use std::time::Duration;

use lombard_service::exceptions::Kind;
use serde_json::json;

use super::{DAY, Stage, text, wait};
use crate::server::{Server, ended, run};

pub const KINDS: &[Kind] = &[
    Kind::SecondLook,
    Kind::ModelDrift,
    Kind::AppClaim,
    Kind::AppClaimDue,
    Kind::AppClaimOverdue,
    Kind::DetokenizeAnomaly,
];

/// From the fourth payment of an account within an hour on, somebody looks at it.
const POLICY: &str = r#"{"version": 9, "rules": [{"name": "often", "version": 1, "condition": "account_count_1h >= 3",
    "action": "review", "says": "it is the fourth within an hour", "author": "ann", "reason": "a test",
    "written_at": "2026-11-23", "mode": "live", "activated_by": "bob"}]}"#;

/// Payments at once that none of the others is known to yet.
const AT_ONCE: u32 = 12;

#[test]
fn what_is_found_about_risk_and_secrets() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name).display().to_string();
    std::fs::write(at("policy.json"), POLICY).expect("written");
    let model = at("model.json");
    let trained = run(&[
        "fraud",
        "simulate",
        "--customers",
        "400",
        "--seed",
        "7",
        "--model",
        &model,
    ]);
    assert_eq!(ended(&trained).0, 0, "{trained:?}");
    let stage = Stage::set(
        "[vault]\ndetokenize_per_hour_max = 2\n",
        &[
            ("LOMBARD_RISK_POLICY", &at("policy.json")),
            ("LOMBARD_RISK_MODEL", &model),
            ("LOMBARD_RISK_LIMIT_MS", "2000"),
        ],
    );
    stage.case(Kind::SecondLook, "ignore", || many_at_once(&stage));
    claim(&stage);
    stage.case(Kind::DetokenizeAnomaly, "ignore", || read_back(&stage));
    stage.case(Kind::ModelDrift, "ignore", || {
        let head = "amount,currency,debtor_sort_code,debtor_account_number,creditor_name,creditor_sort_code,\
                    creditor_account_number,end_to_end_id\n";
        // All of them alike, which the payments that the model was measured on were not.
        let rows = (0..1_100).map(|n| {
            format!("{},GBP,000001,10000001,Ann Other,20-00-00,55779911,D-{n}\n", 90 + n)
        });
        let file = rows.fold(head.to_owned(), |file, row| file + &row);
        let headers = stage.headers("text/csv");
        let (status, said) = stage.server.send("/v1/batches", &headers, &file);
        assert_eq!(status, 202, "{said}");
    });
    stage.end(KINDS);
}

/// Told at once and reminded of in time, as long as nobody answers it.
fn claim(stage: &Stage) {
    let payment = stage.pay(40_001, "deceived");
    let label = json!({"payment": payment, "fraud": true, "source": "claim"});
    stage.post("/v1/risk/labels", &label);
    let claim = stage.found(Kind::AppClaim);
    stage.server.ahead(DAY * 7);
    stage.fix(&stage.found(Kind::AppClaimDue), "ignore");
    stage.server.ahead(DAY * 45);
    stage.fix(&stage.found(Kind::AppClaimOverdue), "ignore");
    stage.fix(&claim, "ignore");
}

/// Payments that are judged beside each other, none of which is known to the others yet, until one of them
/// was: how near to each other they come is chance.
fn many_at_once(stage: &Stage) {
    let mut round = 0;
    wait("a second look", || {
        round += 1;
        std::thread::scope(|scope| {
            for number in 0..AT_ONCE {
                let server = &stage.server;
                scope
                    .spawn(move || pay(server, &format!("at-once-{round}-{number}"), 100 + number));
            }
        });
        std::thread::park_timeout(Duration::from_secs(2));
        let found = stage.server.get("/v1/exceptions?kind=second_look");
        let none = found["data"][0].is_null();
        if none {
            // What was paid before does not count any more.
            stage.server.ahead(Duration::from_hours(2));
        }
        !none
    });
}

fn pay(server: &Server, key: &str, pence: u32) {
    let body = json!({
        "amount": pence, "currency": "GBP", "debtor": {"account": server.text("account")},
        "creditor": {"name": "Ada Lovelace", "sort_code": "20-00-00", "account_number": "55779911"},
    });
    let (status, said) = server.post("/v1/payments", key, &body.to_string());
    assert_eq!(status, 201, "{said}");
}

/// Reads a token back more often than is usual.
fn read_back(stage: &Stage) {
    let card = json!({"card": {"number": "4242 4242 4242 4242", "exp_month": 12, "exp_year": 2040,
        "holder": "Ada Lovelace", "security_code": "123"}});
    let token = stage.post("/v1/tokens", &card);
    let path = format!("/v1/tokens/{}/detokenize", text(&token, "id"));
    for _ in 0..3 {
        stage.post(&path, &json!({"purpose": "a test"}));
    }
}
