//! An analyst's day with the commands alone: lists, rules that a second person activates, and what they do.

use serde_json::{Value, json};

use crate::server::{Server, ended, lombard};

/// Nothing of its own: all rules and lists are made by commands.
const POLICY: &str = r#"{"version": 1, "rules": []}"#;

/// A server that judges, and the keys of two people beside the one that it made itself.
struct Desk {
    server: Server,
    analyst: String,
    second: String,
    _folder: tempfile::TempDir,
}

impl Desk {
    fn open() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let policy = folder.path().join("policy.json");
        std::fs::write(&policy, POLICY).expect("written");
        let policy = policy.to_str().expect("a path of text").to_owned();
        let server = Server::start_with(
            &folder.path().join("data"),
            &[
                ("LOMBARD_RISK_POLICY", &policy),
                ("LOMBARD_RISK_LIMIT_MS", "2000"),
            ],
        );
        let key = |name: &str, role: &str| {
            let body = json!({"name": name, "role": role}).to_string();
            let (status, made) = server.post("/v1/api_keys", name, &body);
            assert_eq!(status, 201, "{made}");
            made["key"].as_str().expect("a key").to_owned()
        };
        let (analyst, second) = (key("ann", "risk"), key("bob", "approver"));
        Self {
            server,
            analyst,
            second,
            _folder: folder,
        }
    }

    /// What a `lombard fraud …` of somebody ends with: exit code, what it said as JSON, and its complaint.
    fn fraud(&self, key: &str, args: &[&str]) -> (i32, Value, String) {
        let all = [&["fraud"], args, &["--json"]].concat();
        let done = lombard(&all)
            .env("LOMBARD_URL", self.server.text("url"))
            .env("LOMBARD_API_KEY", key)
            .output();
        let (code, out, err) = ended(&done.expect("the command runs"));
        (code, serde_json::from_str(&out).unwrap_or_default(), err)
    }

    /// The same, of one that must succeed, by the analyst.
    fn does(&self, args: &[&str]) -> Value {
        let (code, out, err) = self.fraud(&self.analyst, args);
        assert_eq!(code, 0, "{args:?}: {err}");
        out
    }

    /// Pays, and gives the payment's id with what was decided.
    fn pay(&self, key: &str, pence: u32) -> (String, Value) {
        let body = json!({"amount": pence, "currency": "GBP", "debtor": {"account": self.server.text("account")},
            "creditor": {"name": "Ada Lovelace", "sort_code": "20-00-00", "account_number": "55779911"}});
        let (status, made) = self.server.post("/v1/payments", key, &body.to_string());
        assert_eq!(status, 201, "{made}");
        let id = made["id"].as_str().expect("an id").to_owned();
        let told = self.does(&["explain", &id]);
        (id, told)
    }
}

#[test]
fn a_list_decides_only_while_somebody_is_on_it() {
    let desk = Desk::open();
    let (_, told) = desk.pay("before", 1_000);
    assert_eq!(told["action"], "approve", "{told}");
    let payee = told["subjects"]["payee"].as_str().expect("a payee");

    desk.does(&["lists", "make", "mules", "--reason", "case 7"]);
    desk.does(&[
        "rules",
        "propose",
        "a mule",
        "in_list('mules', payee)",
        "--action",
        "decline",
        "--says",
        "the payee is a known mule",
        "--reason",
        "case 7",
    ]);
    // Whoever wrote it cannot put it in force; somebody else can.
    let live = ["rules", "set", "a mule", "1", "live", "--reason", "case 7"];
    let (code, _, err) = desk.fraud(&desk.analyst, &live);
    assert_ne!(code, 0);
    assert!(err.contains("own_approval"), "{err}");
    let (code, out, err) = desk.fraud(&desk.second, &live);
    assert_eq!(code, 0, "{err}");
    assert_eq!(out["versions"][0]["mode"], "live", "{out}");

    assert_eq!(desk.pay("nobody-listed", 1_000).1["action"], "approve");
    desk.does(&["lists", "add", "mules", payee, "--reason", "case 7"]);
    let shown = desk.does(&["lists", "show", "mules"]);
    assert_eq!(shown["data"][0]["subject"], payee, "{shown}");
    let (_, told) = desk.pay("listed", 1_000);
    assert_eq!(told["action"], "decline", "{told}");
    assert!(
        told.to_string().contains("the payee is a known mule"),
        "{told}"
    );
    desk.does(&["lists", "remove", "mules", payee, "--reason", "a mistake"]);
    assert_eq!(desk.pay("taken-off", 1_000).1["action"], "approve");

    let (code, _, err) = desk.fraud(&desk.analyst, &["lists", "show", "mulse"]);
    assert_eq!(code, 4, "{err}");
    let add = [
        "lists",
        "add",
        "mules",
        "not-a-subject",
        "--reason",
        "case 8",
    ];
    let (code, _, err) = desk.fraud(&desk.analyst, &add);
    assert_ne!(code, 0);
    assert!(err.contains("subject"), "{err}");
}

/// As somebody would write them who has read docs/risk-rules.md and nothing else.
#[test]
fn rules_from_the_page_look_on_and_then_decide() {
    let desk = Desk::open();
    let rules = [
        (
            "large to a new payee",
            "new_payee && amount > 50000",
            "review",
        ),
        ("sixth within an hour", "account_count_1h >= 5", "challenge"),
        (
            "too much to one payee",
            "account_payee_sum_today + amount > 200000",
            "decline",
        ),
        (
            "not his name",
            "payee_check == 3 && amount > 100000",
            "review",
        ),
        (
            "in the night",
            "night && double(amount) > 1.5 * 100000.0 && rail in ['fps', 'sepa_inst']",
            "review",
        ),
    ];
    for (name, condition, action) in rules {
        let says = format!("it is {name}");
        desk.does(&[
            "rules", "propose", name, condition, "--action", action, "--says", &says, "--reason",
            "a test",
        ]);
        desk.does(&[
            "rules",
            "set",
            name,
            "1",
            "shadow",
            "--reason",
            "look first",
        ]);
    }
    // The first of them holds, and decides nothing.
    let (first, told) = desk.pay("first", 60_000);
    assert_eq!(told["action"], "approve", "{told}");
    let hits = desk.does(&["rules", "hits"]);
    let hit = |hits: &Value, name: &str| {
        let all = hits["data"].as_array().expect("rules").clone();
        let of = all.into_iter().find(|rule| rule["rule"] == name);
        of.unwrap_or_else(|| panic!("{name} in {hits}"))
    };
    let large = hit(&hits, "large to a new payee");
    assert_eq!(large["hits"], 1, "{large}");
    assert_eq!(large["decided"], 0, "{large}");
    let tried = desk.does(&["backtest", "amount > 50000"]);
    assert_eq!(tried["hits"], 1, "{first}: {tried}");

    // In force, each does what it says.
    for (name, ..) in rules {
        let live = ["rules", "set", name, "1", "live", "--reason", "it is right"];
        let (code, _, err) = desk.fraud(&desk.second, &live);
        assert_eq!(code, 0, "{name}: {err}");
    }
    let (_, told) = desk.pay("too-much", 150_000);
    assert_eq!(
        told["action"], "decline",
        "60,000 and 150,000 are above 200,000: {told}"
    );
    desk.does(&[
        "rules",
        "retire",
        "too much to one payee",
        "--reason",
        "done",
    ]);
    let left = desk.does(&["rules"]);
    let rules = left["data"].as_array().expect("rules");
    let retired: Vec<&str> = rules
        .iter()
        .filter(|rule| rule["retired"].is_object())
        .filter_map(|rule| rule["name"].as_str())
        .collect();
    assert_eq!(retired, ["too much to one payee"], "{left}");

    // What is misspelt says where.
    for (condition, wanted) in [
        ("amuont > 5", "line 1, column 1"),
        ("amount > 220.0", "22000"),
        ("customer_z_score > 3", "column 20"),
        ("in_list('mulse', payee)", "no list `mulse`"),
    ] {
        let args = [
            "rules", "propose", "wrong", condition, "--action", "review", "--says", "no",
            "--reason", "a test",
        ];
        let (code, _, err) = desk.fraud(&desk.analyst, &args);
        assert_ne!(code, 0, "{condition}");
        assert!(err.contains(wanted), "{condition}: {err}");
    }
}
