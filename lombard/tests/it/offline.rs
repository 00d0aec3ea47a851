//! Commands that need no server.

use serde_json::Value;

use super::server::{ended, run};

#[test]
fn check_tells_a_verdict_and_exits_by_it() {
    let (exit, out, _) = ended(&run(&["check", "iban", "GB82 WEST 1234 5698 7654 32"]));
    assert_eq!((exit, out.starts_with("valid")), (0, true), "{out}");
    let (exit, out, _) = ended(&run(&["check", "iban", "GB83WEST12345698765432", "--json"]));
    let verdict: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(
        (exit, &verdict["valid"], &verdict["reason"]),
        (1, &Value::from(false), &Value::from("check_digits"))
    );
    let (exit, out, _) = ended(&run(&[
        "check",
        "uk-account",
        "12-34-56",
        "12345678",
        "--json",
    ]));
    let verdict: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(
        (exit, &verdict["valid"], &verdict["checked"]),
        (0, &Value::from(true), &Value::from(false))
    );
    let (exit, _, err) = ended(&run(&[
        "check",
        "uk-account",
        "123456",
        "12345678",
        "--weights",
        "/nonexistent",
    ]));
    assert_eq!((exit, err.contains("/nonexistent")), (2, true), "{err}");
}

#[test]
fn inspect_exits_by_what_the_file_is() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let broken = file(
        "a.xml",
        "<Document xmlns='urn:iso:std:iso:20022:tech:xsd:pain.001.001.09'></Document>",
    );
    let (exit, out, _) = ended(&run(&["inspect", &broken, "--json"]));
    let found: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(
        (exit, &found["valid"], &found["message"]),
        (1, &Value::from(false), &Value::from("pain.001.001.09"))
    );
    assert!(
        found["errors"][0]["path"].is_string() && found["errors"][0]["rule"].is_string(),
        "{out}"
    );
    for (name, text, format, code) in [("b.bin", "\0\0\0", "unknown", 2), ("c", "", "unknown", 2)] {
        let (exit, out, _) = ended(&run(&["inspect", &file(name, text), "--json"]));
        let found: Value = serde_json::from_str(&out).expect("one document");
        assert_eq!((exit, &found["format"]), (code, &Value::from(format)));
    }
    let (exit, _, err) = ended(&run(&["inspect", "/nonexistent"]));
    assert_eq!((exit, err.contains("/nonexistent")), (2, true));
}

/// A statement is read whatever it is written in, and its sums decide.
#[test]
fn inspect_adds_up_statements() {
    let folder = tempfile::tempdir().unwrap();
    let look = |text: &str, more: &[&str]| {
        let path = folder.path().join("statement");
        std::fs::write(&path, text).unwrap();
        let args = [&["inspect", path.to_str().unwrap(), "--json"], more].concat();
        let (exit, out, err) = ended(&run(&args));
        let found: Value = serde_json::from_str(&out).unwrap_or_else(|_| panic!("{out} {err}"));
        (exit, found)
    };
    let swift =
        ":20:X\n:25:Y\n:28C:1\n:60F:C260101EUR1,\n:61:260102D3,50NMSCNONREF\n:62F:D260102EUR2,5\n-";
    let (exit, found) = look(swift, &[]);
    let statement = &found["statements"][0];
    assert_eq!((exit, &found["format"]), (0, &Value::from("mt940")));
    for (name, value) in [
        ("account", Value::from("Y")),
        ("currency", Value::from("EUR")),
        ("opening", Value::from(100)),
        ("closing", Value::from(-250)),
        ("entries", Value::from(1)),
        ("credits", Value::from(0)),
        ("debits", Value::from(350)),
        ("consistent", Value::from(true)),
        ("deviations", Value::Array(Vec::new())),
    ] {
        assert_eq!(statement[name], value, "{name}");
    }
    let (exit, found) = look(&swift.replace("3,50", "3,51"), &[]);
    assert_eq!((exit, &found["valid"]), (1, &Value::from(false)));
    assert_eq!(found["statements"][0]["deviations"][0]["rule"], "balance");

    let mapping = folder.path().join("bank.toml");
    std::fs::write(
        &mapping,
        "name = 'bank'\nmark = 'comma'\nfixed_currency = 'EUR'\nbooked = ['Tag']\namount = { column = ['Betrag'] }\n",
    )
    .unwrap();
    let table = "Tag;Betrag;Text\n2026-01-30;-1.000,25;Rent\n";
    let more = ["--mapping", mapping.to_str().unwrap(), "--preview", "3"];
    let (exit, found) = look(table, &more);
    assert_eq!((exit, &found["format"]), (0, &Value::from("csv")));
    assert_eq!(found["statements"][0]["debits"], 100_025);
    assert_eq!(found["preview"][0]["amount"], -100_025);
    // Without the mapping it can only be a file of payments, and is none.
    let (exit, found) = look(table, &[]);
    assert_eq!(
        (exit, &found["errors"][0]["rule"]),
        (1, &Value::from("unknown_column"))
    );
}

/// A file that `pay` takes is judged, row by row.
#[test]
fn inspect_judges_files_of_payments() {
    let folder = tempfile::tempdir().unwrap();
    let look = |text: &str| {
        let path = folder.path().join("payments");
        std::fs::write(&path, text).unwrap();
        let (exit, out, _) = ended(&run(&["inspect", path.to_str().unwrap(), "--json"]));
        (
            exit,
            serde_json::from_str::<Value>(&out).expect("one document"),
        )
    };
    let head = "amount_decimal;currency;debtor_account;creditor_account\n";
    let (from, to) = (
        "acc_01k9z8q4v7n3r5t6w8x0y2z4a6",
        "acc_01k9z8q4v7n3r5t6w8x0y2z4a7",
    );
    let row = |amount: &str| format!("{amount};GBP;{from};{to}\n");
    let (exit, found) = look(&format!("{head}{}{}", row("12,50"), row("0.25")));
    assert_eq!(
        (exit, &found["format"], &found["valid"]),
        (0, &"csv".into(), &true.into())
    );
    assert_eq!(
        found["payments"],
        serde_json::json!({"rows": 2, "sums": {"GBP": 1275}})
    );
    let (exit, found) = look(&format!("{head}{}{}", row("1.234,50"), row("1,2")));
    assert_eq!((exit, &found["valid"]), (1, &false.into()));
    let error = &found["errors"][0];
    assert_eq!(
        (&error["path"], &error["rule"]),
        (&"row 1/amount_decimal".into(), &"invalid_field".into())
    );
    assert!(
        error["message"].is_string() && found["error_count"] == 1,
        "{found}"
    );
    let (exit, found) = look("amount;currency;colour\n");
    assert_eq!(
        (exit, &found["errors"][0]["rule"]),
        (1, &"unknown_column".into())
    );

    let line = format!(
        r#"{{"amount":1250,"currency":"GBP","debtor":{{"account":"{from}"}},"creditor":{{"account":"{to}"}}}}"#
    );
    let (exit, found) = look(&format!("\u{feff}{line}\n{line}\n"));
    assert_eq!(
        (exit, &found["format"], &found["payments"]["rows"]),
        (0, &"jsonl".into(), &2.into()),
        "{found}"
    );
    let (exit, found) = look(&format!("{line}\n{{\"amount\": 1}}\n"));
    assert_eq!(
        (
            exit,
            &found["errors"][0]["path"]
                .as_str()
                .map(|path| path.starts_with("row 2"))
        ),
        (1, &Some(true)),
        "{found}"
    );
}

/// Arguments that are not understood are told like any other failure.
#[test]
fn usage_errors_have_their_line_and_code() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "x").unwrap();
    let file = file.to_str().unwrap();
    for (args, exit, error, says) in [
        (&["frobnicate"][..], 2, "usage", "frobnicate"),
        (&["pay"], 2, "usage", "<FILE>"),
        (
            &["bench", "--connections", "0"],
            2,
            "usage",
            "--connections",
        ),
        (&["bench", "--seconds", "0"], 2, "usage", "--seconds"),
        (
            &["get", "pay_1", "--url", "foo", "--key", "sk"],
            2,
            "usage",
            "foo",
        ),
        (
            &["get", "pay_1", "--url", "ftp://x", "--key", "sk"],
            2,
            "usage",
            "ftp://x",
        ),
        (&["up", "--data", file], 2, "usage", file),
        (&["up", "--data", "/proc/x"], 6, "not_writable", "/proc/x"),
    ] {
        let (code, out, _) = ended(&run(&[args, &["--json"]].concat()));
        let told: Value = serde_json::from_str(&out).unwrap_or_else(|_| panic!("{args:?}: {out}"));
        assert_eq!(
            (code, &told["error"], &told["exit"]),
            (exit, &error.into(), &exit.into()),
            "{told}"
        );
        assert!(told["message"].as_str().unwrap().contains(says), "{told}");
    }
}

#[test]
fn completions_are_printed_for_each_shell() {
    for shell in ["bash", "zsh", "fish"] {
        let (exit, out, _) = ended(&run(&["completions", shell]));
        assert_eq!(exit, 0);
        assert!(out.contains("uk-account"), "{shell}");
    }
}

#[test]
fn a_wrong_setting_stops_the_start_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("lombard.toml");
    std::fs::write(&config, "[http]\nconnections = 5\n").unwrap();
    let (exit, _, err) = ended(&run(&["up", "--config", config.to_str().unwrap()]));
    assert_eq!(exit, 2);
    assert!(
        err.contains("lombard.toml:2: there is no setting `http.connections`"),
        "{err}"
    );
}

#[test]
fn without_a_server_commands_say_so() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let (exit, out, err) = ended(&run(&["get", "pay_01", "--data", data, "--json"]));
    assert_eq!(exit, 3, "{err}");
    let told: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(told["error"], "unreachable");
    let args = [
        "get",
        "pay_01",
        "--url",
        "http://127.0.0.1:9",
        "--key",
        "sk_test",
    ];
    assert_eq!(ended(&run(&args)).0, 3, "nobody listens there");
}

#[test]
fn a_provider_s_word_is_told_in_ours_or_quarantined() {
    let asked = |args: &[&str]| {
        let (exit, out, _) = ended(&run(&[&["psp", "map", "--json"], args].concat()));
        let told: Value = serde_json::from_str(&out).unwrap();
        (exit, told["event"].as_str().unwrap().to_owned())
    };
    let known = |event: &str| (0, event.to_owned());
    let failed = asked(&["stripe", "payment_intent.payment_failed"]);
    assert_eq!(failed, known("try_failed"));
    let context = r#"{"success":"false"}"#;
    assert_eq!(
        asked(&["adyen", "AUTHORISATION", context]),
        known("refused")
    );
    let unknown = asked(&["stripe", "payment_intent.teleported"]);
    assert_eq!(unknown, (1, "quarantined".to_owned()));
    let (exit, _, err) = ended(&run(&["psp", "map", "nobody", "x"]));
    assert_eq!((exit, err.contains("stripe")), (2, true), "{err}");
}

#[test]
fn a_delivery_is_judged_by_its_signature_and_the_time_given() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let body = file("body", "{}");
    // HMAC-SHA256 of `1700000000.{}` under `whsec_test`, by `openssl dgst`.
    let signed = "35495024f4ef3f94e5a93e22221544c4b75e9a42300cd965ab81cb85cd994e91";
    let headers = file(
        "headers",
        &format!("Stripe-Signature: t=1700000000,v1={signed}\n"),
    );
    let judged = |time: &str, secret: &str| {
        let args = [
            "psp",
            "verify",
            "stripe",
            "--headers",
            &headers,
            "--body",
            &body,
        ];
        let more = ["--secret", secret, "--time", time, "--json"];
        let (exit, out, _) = ended(&run(&[&args[..], &more[..]].concat()));
        let verdict: Value = serde_json::from_str(&out).unwrap();
        (exit, verdict["valid"] == true)
    };
    assert_eq!(judged("1700000100", "whsec_test"), (0, true));
    assert_eq!(judged("2023-11-14T22:20:00Z", "whsec_test"), (1, false));
    assert_eq!(judged("1700000100", "whsec_other"), (1, false));
}
